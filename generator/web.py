"""What the program's HTML pages have in common: colours for light and dark, and a head that lets nothing be
loaded and nothing be run.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape

COLOURS = """
:root { color-scheme: light dark; --ink: #1d2430; --dim: #5b6474; --paper: #ffffff; --edge: #e3e7ee;
  --line: #7d889b; --soft: #f6f7f9; --good: #23744a; --bad: #c8322b; --warn: #96590b; --calm: #2565b5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #a3acbb; --paper: #15181e;
  --edge: #333a46; --line: #68748a; --soft: #1d222b; --good: #6fd19c; --bad: #ff8178; --warn: #e5b567;
  --calm: #86b6f0; } }
"""
"""As variables of CSS. In both schemes ink, dim, good, bad, warn and calm stand out from paper and from soft
by 4.5 to 1 or more, as WCAG 2.2 asks of text (1.4.3), and line by 3 to 1 (1.4.11)."""


def policy(style: str) -> str:
    """The Content-Security-Policy of a page that has one <style> with that text and nothing else: even where
    what is quoted should turn out to be markup after all, it is not loaded, run, sent anywhere or styled."""
    mark = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{mark}'; base-uri 'none'; form-action 'none'"


def head(title: str, style: str) -> str:
    """The `<head>` of a page; `title` is text, `style` the whole of its CSS, which is ours."""
    return "".join(
        (
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy(style)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer">',
            f"<title>{escape(title)}</title><style>{style}</style></head>",
        )
    )
