"""Text of anybody's, made harmless for where it is shown."""

from __future__ import annotations

import html as _html
import re

# C0 and C1 control characters, what changes the direction of writing, what can't be seen, halves of pairs.
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
_MARKDOWN = re.compile(r"[\\`*_{}\[\]<>()#!|~@&:$^\"']|(?<=[wW])\.")
# A point or a hyphen begins a list in a label, which Mermaid refuses.
_MERMAID = re.compile(r"[^A-Za-z0-9 ,]")


def plain(text: str) -> str:
    """One line for a terminal: what would steer it or deceive the eye is written out (`\\x1b`)."""
    return _CONTROL.sub(lambda match: _written(match[0]), text)


def _written(character: str) -> str:
    number = ord(character)
    named = {9: "\\t", 10: "\\n", 13: "\\r"}.get(number)
    return named or (
        f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"
    )


def markdown(text: str) -> str:
    """Text inside a line or a table's cell of Markdown: none of it is markup, a link or a mention."""
    return _MARKDOWN.sub(lambda match: f"&#{ord(match[0])};", plain(text))


def code(text: str) -> str:
    """The same, to be read letter by letter."""
    return f"<code>{markdown(text)}</code>"


def html(text: str) -> str:
    """Text inside an element or a quoted attribute of HTML or SVG."""
    return _html.escape(plain(text), quote=True)


def mermaid(text: str) -> str:
    """Text inside a quoted label of a Mermaid diagram."""
    return _MERMAID.sub(lambda match: f"#{ord(match[0])};", plain(text))


def cut(text: str, most: int = 160) -> str:
    """No more than `most` characters of a text, with how many there were."""
    return text if len(text) <= most else f"{text[: most - 12]}… ({len(text):,} characters)"
