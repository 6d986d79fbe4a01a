"""What a template may print and how: the rule for `{{ }}`, filters `q` and `nest`, dynamic references."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from enum import Enum

from generator.rendering.origins import Text, indented
from generator.rendering.tracking import key_of, track

_DYNAMIC_SERVICES = ("secretsmanager", "ssm", "ssm-secure")

_SURROGATE = re.compile("[\ud800-\udfff]")
# JSON's own escapes leave these: DEL, C1 controls and non-characters, which YAML refuses; NEL and U+2028/9,
# which it takes for line breaks; the byte order mark; and what a reviewer wouldn't see, from odd spaces to
# marks of text direction.
_ESCAPED = re.compile(
    "[\x7f-\xa0\xad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff0-\uffff]"
)


class Refusal(Exception):
    """A value a template can't use in the way it does, with what to do instead."""

    def __init__(self, message: str, fix: str = "", key: str = ""):
        self.message, self.fix, self.key = message, fix, key
        super().__init__(message)


def printable(value: object) -> str:
    """What `{{ value }}` prints: a string as it is, a whole number in decimals, a bool as `true` or `false`.

    Raises Refusal for every other value: Python's spelling of it would hardly be the YAML that was meant.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int)) or isinstance(value, Enum):
        raise _refused(value, "be printed")
    return value if isinstance(value, str) else str(value)


def q(value: object) -> str:
    """The str or int in double quotes: a JSON string that YAML, block or flow style, reads back as it was.

    Needed by every free string, and by digits that aren't a quantity: unquoted, YAML 1.1 reads
    `012345670123` as an octal number and `on` as a bool. Raises Refusal for other types and lone surrogates.
    """
    if isinstance(value, bool):
        raise Refusal("a bool can't be quoted", "leave the `q` out: it is printed as `true` or `false`")
    if not isinstance(value, (str, int)) or isinstance(value, Enum):
        raise _refused(value, "be quoted")
    text = str(value)
    if surrogate := _SURROGATE.search(text):
        raise Refusal(
            f"the text holds half a character, U+{ord(surrogate[0]):04X}, which no file can store",
            "write the whole character",
            key_of(value),
        )
    quoted = _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))
    return _with_key_of(value, quoted)


def nest(text: object, width: int) -> str:
    """The text without its last newlines, every line but the first moved right by `width` blanks.

    For what a macro returns: the template has already indented the first line. Empty lines stay empty, and
    each line keeps the place it was written at.
    """
    if not isinstance(text, str):
        raise _refused(text, "be nested")
    if not isinstance(width, int) or isinstance(width, bool) or width < 0:
        raise Refusal(f"`nest` needs a number of blanks, not {width!r}", "write `nest(8)`, say")
    if isinstance(text, Text):
        return text.rstrip("\n").nested(width)
    return _with_key_of(text, indented(text.rstrip("\n"), " " * width))


def dynamic_reference(service: str, *parts: object) -> str:
    """A CloudFormation dynamic reference, which templates can't spell out because `{{` is Jinja's as well.

    `dynamic_reference("secretsmanager", "${DatabaseSecret}", "SecretString", "password")` is
    `{{resolve:secretsmanager:${DatabaseSecret}:SecretString:password}}`. Source: AWS CloudFormation User
    Guide, "Get values stored in other services using dynamic references".
    """
    if service not in _DYNAMIC_SERVICES:
        known = ", ".join(f"`{name}`" for name in _DYNAMIC_SERVICES)
        raise Refusal(f"CloudFormation resolves no {service!r}", f"write one of {known}", key_of(service))
    if not parts:
        raise Refusal("a dynamic reference must name something", 'write `dynamic_reference("ssm", "/name")`')
    reference = join(["resolve", service, *parts], ":")
    return _with_key_of(reference, "{{" + reference + "}}")


def join(values: Iterable[object], separator: str) -> str:
    """The values as `printable` gives them, joined; with the key of the first that has one."""
    values = list(values)
    text = separator.join(printable(value) for value in values)
    return _with_key_of(next((value for value in values if key_of(value)), None), text)


def _with_key_of(value: object, text: str) -> str:
    key = key_of(value)
    return track(text, key) if key else text


def _refused(value: object, deed: str) -> Refusal:
    if hasattr(value, "_fail_with_undefined_error"):  # not a value at all, and it knows what is missing
        value._fail_with_undefined_error()
    if value is None:
        what, fix = "none", "leave the line out with `{% if … %}` where there is no value"
    elif isinstance(value, Mapping):
        what, fix = "a mapping", "print its items: `{% for name, item in ….items() %}`"
    elif isinstance(value, (list, tuple)):
        what, fix = "a list", "print its items: `{% for item in … %}`"
    elif isinstance(value, (set, frozenset)):
        what, fix = "a set", "sort it where the context is made, then print its items: `{% for item in … %}`"
    elif isinstance(value, float):
        what, fix = "a fraction", "make it a string or a whole number where the context is made"
    else:
        what, fix = f"a value of type {type(value).__name__}", "print one of its fields, or make it a string"
    return Refusal(f"{what} can't {deed}", fix, key_of(value))
