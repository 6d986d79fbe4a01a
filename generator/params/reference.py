"""The reference page of all keys, `docs/params.md`, made from the model."""

from __future__ import annotations

from generator.params import describe

HEADER = """<!-- Made from generator/params/model.py by `cloakform schema`. Do not edit. -->
# Keys of a params file

`cloakform explain KEY [ENV]` says the same in a terminal, with the value and the line that set it.
A key that is left out has its default; `null` takes an inherited value away. Over an inherited list a file writes
`{replace: [...]}` or `{append: [...]}`.
"""


_TABLE = ["", "| key | type | default | meaning |", "|---|---|---|---|"]


def page() -> str:
    """The page as it stands in `docs/params.md`: keys of their own first, then a table for each section."""
    every = list(describe.keys())
    lines = [HEADER.rstrip(), *_TABLE, *(_row(key) for key in every if "." not in key.path and not key.section)]
    for section in (key for key in every if "." not in key.path and key.section):
        inside = [key for key in every if key.path.startswith(section.path + ".")]
        lines += ["", f"## {section.path}", "", section.description, *_TABLE, *map(_row, inside)]
    return "\n".join(lines) + "\n"


def _row(key: describe.Key) -> str:
    default = "**required**" if key.required else (f"`{key.default}`" if key.default else "")
    meaning = f"{key.description} ({key.unit})" if key.unit else key.description
    return f"| `{key.path}` | {_cell(key.type)} | {_cell(default)} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
