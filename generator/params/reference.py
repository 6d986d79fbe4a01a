"""The reference page of all keys, `docs/params.md`, made from the model."""

from __future__ import annotations

from generator.params import describe

HEADER = """<!-- Made from generator/params/model.py by `cloakform schema`. Do not edit. -->
# Keys of a params file

`cloakform explain KEY [ENV]` says the same in a terminal, with the value and the line that set it.
A key that is left out has its default; `null` takes an inherited value away. Over an inherited list a file writes
`{replace: [...]}` or `{append: [...]}`.
"""


def page() -> str:
    """The page as it stands in `docs/params.md`."""
    lines = [HEADER]
    for key in describe.keys():
        if key.section and "." not in key.path:
            lines += ["", f"## {key.path}", "", key.description, "", "| key | type | default | meaning |",
                      "|---|---|---|---|"]
            continue
        if not key.section and "." not in key.path:
            if lines[-1] == HEADER:
                lines += ["| key | type | default | meaning |", "|---|---|---|---|"]
            elif not lines[-1].startswith("|"):
                lines += ["", "| key | type | default | meaning |", "|---|---|---|---|"]
        lines.append(_row(key))
    return "\n".join(lines) + "\n"


def _row(key: describe.Key) -> str:
    default = "**required**" if key.required else (f"`{key.default}`" if key.default else "")
    meaning = f"{key.description} ({key.unit})" if key.unit else key.description
    return f"| `{key.path}` | {_cell(key.type)} | {_cell(default)} | {_cell(meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
