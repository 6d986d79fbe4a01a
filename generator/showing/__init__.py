"""What may be shown, and how: characters that a reader's program would act on, values that nobody is to see.

escaping   text of somebody else's for a terminal, Markdown, HTML, Mermaid
hiding     known values and what looks like a token, out of any text
literals   which literals of a template are secrets
"""
