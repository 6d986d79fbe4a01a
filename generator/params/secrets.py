"""What a secret looks like: by the name it stands under, by the shape of its value, or as a part of a text.

Params refuse what this knows, adopting masks it, and rules and reports judge names by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET_NAME = re.compile(
    r"(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN)$"
    r"|(?:^|[_.-])(?:PASS|PWD|PW|PSWD|CREDENTIALS?)$"
    r"|(?:DB|USER|PROXY|SMTP|MAIL|LDAP|BIND|ROOT|ADMIN|STORE|KEY|AUTH|LOGIN)(?:PASS|PWD|PW)$"
    r"|(?:^|[_.-])(?:API|ACCESS|PRIVATE|SIGNING|ENCRYPTION|LICEN[SC]E)[_.-]?KEY$",
    re.IGNORECASE,
)
"""Suffixes, since `KC_SPI_PASSWORD_HASHING__PROVIDER` or `KC_HTTPS_KEY_STORE_FILE` name no secret. Short ones are
words of their own, behind `_`, `-`, `.` or a small letter: `proxyPass`, and neither `bypass` nor `KC_SPI_PWA`."""
_PASSWORD_NAME = re.compile(r"(PASSWORD|PASSWD|PASSPHRASE|PASS|PSWD|PWD|PW)$", re.IGNORECASE)

_CATEGORY_NAME = "KC_LOG_LEVEL_"
"""What follows is the name of a log category, such as ORG_KEYCLOAK_TOKEN."""

_KEY_NAME = re.compile(r"(?<!PUBLIC)(?<!SITE)[_.-]KEY$", re.IGNORECASE)
_RANDOM = re.compile(r"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/=_-]{16,}")
"""A key of some sort is a secret only where its value looks drawn by lot: `KC_SPI_…_KEY` can be the key of a map."""

_PUBLIC_VALUES = re.compile(
    r"|\*+|true|false|null|none|\d{1,6}|arn:aws[a-z-]*:\S+"
    r"|\$\{(?![\w.]+:[-=][^}])[^}]*\}|\{\{resolve:[^{}]*\}\}|%[-\d.]*[A-Za-z](\{[^}]*\})?",
    re.IGNORECASE,
)
"""Nothing, a mask, a switch, a number, where a secret is, what stands for it (not `${NAME:-secret}`)."""
_PLACE = re.compile(r"(?:file:|classpath:)?(?:/[\w.@-]+){1,12}/?|https?://[^\s?@]+", re.IGNORECASE)
"""Where a file or a page is, which passwords aren't named after."""
_OF_SHELL = re.compile(r"\"?(\$\w+|\$\{(?!\w+:?[-=][^}])[^}]*\})\"?|\"?`.*", re.DOTALL)
"""What a shell puts a secret in the place of."""
_PRINTED = re.compile(r"\"?\$\([\w./-].*", re.DOTALL)
"""What a program prints that a shell runs, which nothing but the line of a shell looks like."""

_SHAPES = tuple((re.compile(shape, re.DOTALL), what) for shape, what in (
    (r"(-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z))",
     "a private key"),
    (r"\b((?:AKIA|ASIA)[A-Z2-7]{16})\b", "an AWS access key id"),
    (r"(?i)aws.{0,20}(?:secret|sk).{0,20}[=:]\s*([A-Za-z0-9/+]{40})\b", "an AWS secret access key"),
    (r"(?i)\bjdbc:[a-z0-9:-]{1,60}://[^/\s?:]*:(?!\$\{|\*+@)([^/\s?]+)@", "a JDBC URL with credentials"),
    (r"(?i)\b[a-z][a-z0-9+.-]{0,30}://[^/\s:@?#]*:(?!\$\{|\*+@)([^/\s?#]+)@", "a URL with credentials"),
    (r"\b(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+)", "a JSON web token"),
    (r"\b(gh[opsur]_[A-Za-z0-9]{36}\b|github_pat_[A-Za-z0-9_]{40,})", "a GitHub token"),
    (r"\b(glpat-[A-Za-z0-9_-]{20,})", "a GitLab token"),
    (r"\b(xox[abeoprs]-[A-Za-z0-9-]{20,})", "a Slack token"),
    (r"(?i)\bhooks\.slack(?:-gov)?\.com/[a-z]+/([\w/-]{8,})", "the address of a Slack webhook"),
    (r"(?i)\bdiscord(?:app)?\.com/api/webhooks/([\w/-]{8,})", "the address of a Discord webhook"),
    (r"(?i)\bwebhook\.office\.com/\w+/([\w/@-]{8,})", "the address of a Teams webhook"),
    (r"(?i)\b(?:Bearer|Basic)(?:\s|\+|%20)+((?=[a-z._~+/-]*[0-9])[\w.~+/-]{16,}=*)", "an authorization header"),
))
"""What is a secret wherever it stands; the first group is what has to go."""

_ASSIGNED = re.compile(r"(?<![\w$.-])(?P<lead>-D|--|)(?P<name>[A-Za-z_][\w.-]*)(?P<between>=|\s+(?=\S))")
_QUOTED = tuple(
    re.compile(rf"{quote}(?P<name>[A-Za-z_][\w.-]*){quote}\s*:\s*{quote}(?P<value>{inside}){quote}", re.DOTALL)
    for quote, inside in (('"', r'(?:[^"\\]|\\.)*'), (r'\\"', r'.*?'))
)
"""JSON, and JSON within a JSON text."""
_OPTION = re.compile(r"--[A-Za-z]|-D[A-Za-z]")


@dataclass(frozen=True)
class Part:
    """A secret within a text: `text[start:end]`."""

    start: int
    end: int
    what: str


def secret_in(name: str, value: str, masked: Callable[[str], bool] = lambda name: False) -> str | None:
    """What secret `value`, written under the option or key `name`, is; None if it is none.

    `masked` tells the KC_* names that Keycloak itself masks in its logs. A reference to a secret is no secret, nor is
    an empty value, a boolean or a small number. An empty `name` leaves the judgement to the shape of the value.
    """
    for part in parts(value):
        if not value[part.start : part.end].isdigit():
            return part.what
    if not named(name, value, masked):
        return None
    if name.startswith("KC") and masked(name):
        return f"{name}, which Keycloak masks as a secret"
    return f"{name}, which by its name is a secret"


def secret_name(name: str) -> bool:
    """Whether what stands under a name is a secret by the name alone: a variable's, an option's, a property's."""
    return not name.startswith(_CATEGORY_NAME) and _SECRET_NAME.search(_WORDS.sub("_", name)) is not None


def password_name(name: str) -> bool:
    """Whether a name is that of a password, which may be a path or a number as well."""
    return _PASSWORD_NAME.search(_WORDS.sub("_", name)) is not None and secret_name(name)


def named(name: str, value: str, masked: Callable[[str], bool] = lambda name: False) -> bool:
    """Whether a value is a secret by the name it stands under: no reference, switch or number, and no path but where
    a password belongs. `masked`: see `secret_in`."""
    if _PUBLIC_VALUES.fullmatch(value) or name.startswith(_CATEGORY_NAME):
        return False
    if _KEY_NAME.search(_WORDS.sub("_", name)) and _RANDOM.fullmatch(value):
        return True
    if password_name(name) or secret_name(name) and not _is_place(value):
        return True
    return name.startswith("KC") and masked(name)  # asked late: answering takes every version's catalog


def parts(text: str, *, shell: bool = False) -> list[Part]:
    """The secrets within a text, in their order: `-Dname=…`, `--name=…`, `--name …`, `name=…` of connection
    properties and variables, `"name": "…"`, and whatever has a secret's shape.

    In the line of a `shell`, what it replaces (`$NAME`, `$(…)`) is no secret.
    """
    found = [Part(*match.span(1), what) for shape, what in _SHAPES for match in shape.finditer(text)]
    found += _assigned(text, shell)
    found += [Part(*match.span("value"), "a secret in a JSON text") for pattern in _QUOTED
              for match in pattern.finditer(text) if named(match["name"], match["value"])]
    return _apart(found)


def _apart(found: list[Part]) -> list[Part]:
    """Those that don't lie in another one, the shape's word before a name's."""
    kept: list[Part] = []
    for part in sorted(found, key=lambda one: (one.start, -one.end)):
        if kept and part.start < kept[-1].end:
            last = kept.pop()
            part = Part(last.start, max(last.end, part.end), last.what)
        kept.append(part)
    return kept


def _assigned(text: str, shell: bool) -> Iterator[Part]:
    at = 0
    while match := _ASSIGNED.search(text, at):
        at = match.end("name")
        name = match["name"]
        if match["between"] != "=" and (match["lead"] != "--" or _OPTION.match(text, match.end())):
            continue
        if not secret_name(name) and not _KEY_NAME.search(_WORDS.sub("_", name)):
            continue
        start, end = _value(text, match, shell)
        value = text[start:end]
        if _PRINTED.fullmatch(value) or shell and _OF_SHELL.fullmatch(value):
            continue
        bare = value[1:-1] if len(value) > 1 and value[0] in "'\"" and value[-1] == value[0] else value
        # A short number is a bad password, but one.
        if named(name, bare) or bare.isdigit() and password_name(name):
            yield Part(start, end, _what(match))
            at = end


def _what(match: re.Match[str]) -> str:
    if match["lead"]:
        return "a password in a JVM option" if match["lead"] == "-D" else "a password in an option"
    return "a password in connection properties" if match["name"].islower() else "a password in an assignment"


def _value(text: str, match: re.Match[str], shell: bool) -> tuple[int, int]:
    """Where the value of an assignment begins and ends. Where that isn't sure, more is a secret rather than less."""
    begin, at = match.start(), match.end()
    quote, before = _quoted(text, begin, shell)
    # '--name=a b' is one word, NAME='--name=a --other=b' are several.
    whole = bool(match["lead"]) and before in ("'", '"')
    stops = "&;|)" if shell else "" if match["lead"] else "&;"
    start = at
    while at < len(text) and text[at] != quote:
        char = text[at]
        if char in "'\"" and (not quote or at == start):
            closing = text.find(char, at + 1)
            if at > start and not shell and not text[at + 1 : at + 2].strip():
                break  # it closes what was opened further ahead
            at = max(at, closing)
        elif not whole and (char.isspace() or char in stops):
            break
        elif char == "\\":
            at += 1
        at += 1
    return start, min(at, len(text))


def _quoted(text: str, until: int, shell: bool) -> tuple[str, str]:
    """(the quotation mark within which a word stands, empty for none; what stands before it in its word)."""
    first = until
    while first and not text[first - 1].isspace():
        first -= 1
    before = text[first:until]
    if not shell:
        # Without a shell, an apostrophe further ahead may be one.
        return next((one for one in "'\"" if before.count(one) % 2), ""), before
    quote, at = "", 0
    while at < until:
        if text[at] == "\\" and quote != "'":
            at += 1
        elif text[at] == quote:
            quote = ""
        elif text[at] in "'\"" and not quote:
            quote = text[at]
        at += 1
    return quote, before


def _is_place(value: str) -> bool:
    return _PLACE.fullmatch(value) is not None and not any(_RANDOM.fullmatch(one) for one in value.split("/"))
