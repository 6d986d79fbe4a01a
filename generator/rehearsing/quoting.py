"""Text of a template on its way into configuration files: quoted, or refused.

A template of somebody else is input, not trusted: whatever of it reaches HAProxy's or nftables' text goes
through here. Layout comes from `templates/rehearsal/`, which `fill` renders.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from generator.errors import RehearsalError

TEMPLATES = "templates/rehearsal"

LONGEST = 1024
"""Characters of one value. The longest that AWS takes anywhere here is the body of a fixed response:
1,024."""

LONGEST_VALUE = 65536
"""Characters of one value in Compose's file: a task definition as a whole has no more bytes (ECS service
quotas)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,299}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&*+.^_|~-]{1,128}")
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*"
)


def refused(where: str, message: str) -> RehearsalError:
    """The error for a value that can't be used; `where` is the template's file and line."""
    return RehearsalError(f"{where}: {message}")


def place(file: str, line: int) -> str:
    """How messages call a line of a template: `template.yaml:12`, the file alone where the line isn't
    known."""
    return f"{file}:{line}" if line else file


def text(value: str, where: str, what: str, *, lines: bool = False, longest: int = LONGEST) -> str:
    """The value itself, if it holds nothing but printable characters and, with `lines`, line ends and tabs.

    Raises RehearsalError for other control characters and for more than `longest` characters.
    """
    if len(value) > longest:
        raise refused(where, f"{what} has {len(value)} characters; at most {longest} can be rehearsed")
    if found := _CONTROL.search(re.sub(r"[\n\r\t]", "", value) if lines else value):
        raise refused(where, f"{what} holds the control character U+{ord(found[0]):04X}")
    return value


def name(value: str, where: str, what: str) -> str:
    """A logical id, an id of AWS' or an ARN, with only the characters that those have; raises
    RehearsalError."""
    if not _NAME.fullmatch(value):
        raise refused(where, f"{what} {text(value, where, what)!r} is no name of a resource")
    return value


def word(value: str, where: str, what: str) -> str:
    """A name as HAProxy's proxies and access lists can have it; raises RehearsalError where `name` does."""
    return re.sub(r"[^A-Za-z0-9_.:-]", "_", name(value, where, what))


def header_name(value: str, where: str) -> str:
    """The name of an HTTP header; raises RehearsalError for what can't be one."""
    if not _HEADER.fullmatch(value):
        raise refused(where, f"{text(value, where, 'the header name')!r} is no name of a header")
    return value


def host_name(value: str, where: str) -> str:
    """A DNS name in lower case, without a dot at its end; raises RehearsalError for what can't be one."""
    bare = value.removesuffix(".")
    if not _HOST_NAME.fullmatch(bare):
        raise refused(where, f"{text(value, where, 'the host name')!r} is no host name")
    return bare.lower()


def network(value: str, where: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A network in CIDR notation or an address; raises RehearsalError for anything else."""
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise refused(
            where, f"{text(value, where, 'the network')!r} is no network in CIDR notation"
        ) from None


def ports(first: int, last: int, where: str) -> str:
    """A port or a range as nftables writes it; raises RehearsalError for a range that holds no port."""
    if not 0 <= first <= last <= 65535:
        raise refused(where, f"{first} to {last} is no range of ports")
    return str(first) if first == last else f"{first}-{last}"


def haproxy(value: str, where: str, what: str, *, lines: bool = False, longest: int = LONGEST) -> str:
    """One argument of a line of HAProxy's: in single quotes nothing has a meaning but the closing one.

    Line ends and tabs, where they may be, stand outside of the quotes as HAProxy's escapes (configuration
    manual 2.2). Raises RehearsalError where `text` does, and for an empty value, which would end the line for
    HAProxy.
    """
    checked = text(value, where, what, lines=lines, longest=longest)
    if not checked:
        raise refused(where, f"{what} is empty")
    parts = [
        {"'": r"\'", "\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(part, f"'{part}'")
        for part in re.split(r"(['\n\r\t])", checked)
        if part
    ]
    return "".join(parts)


def compose(value: object) -> str:
    """A value as a YAML string that Compose leaves as it is: `$` doubled, everything odd escaped, line ends
    kept.

    Raises RehearsalError for control characters, which have no place in a command, a name or an address.
    """
    return json.dumps(
        text(str(value), "compose.yaml", "a value", lines=True, longest=LONGEST_VALUE).replace("$", "$$")
    )


def sequence(values: Iterable[object]) -> str:
    """Values as a YAML list, each as `compose` writes it."""
    return "[" + ", ".join(map(compose, values)) + "]"


def literal(value: str) -> str:
    """Text inside of a log-format of HAProxy's, in which only the percent sign has a meaning."""
    return value.replace("%", "%%")


def comment(value: str) -> str:
    """Text for a comment: one line, nothing but printable ASCII, at most 200 characters."""
    return re.sub(r"[^ -~]", "?", value)[:200]


def fill(root: Path, template: str, values: Mapping[str, object]) -> str:
    """The template `template` of the project in `root` with its values.

    Raises RehearsalError where the file is missing; a value that the template asks for and doesn't get is a
    mistake of this program's and raises jinja2's own error.
    """
    import jinja2

    folder = Path(root) / TEMPLATES
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(comment=comment, quoted=compose, sequence=sequence)
    try:
        return environment.get_template(template).render(values)
    except jinja2.TemplateNotFound:
        raise RehearsalError(f"{folder / template} is missing; it belongs to the project") from None
