"""What went wrong in a template, said to who wrote it: exceptions become Problems with file and line."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

import jinja2
from jinja2.environment import TemplateModule
from jinja2.utils import internal_code, missing

from generator.errors import Problem
from generator.rendering.dialect import UNWELCOME, Environment, template_line
from generator.rendering.filters import Refusal
from generator.rendering.loading import Fault
from generator.rendering.suggestions import suggestion
from generator.rendering.tracking import key_of

_DYNAMIC_REFERENCE = re.compile(r"\{\{-?\s*resolve\s*:")

# Jinja's messages as people would put them; what isn't here is shown as Jinja words it.
_SYNTAX = (
    (r"expected token 'end of print statement', got '(.+)'", "`{{{{ … }}}}` should end before `{0}`", ""),
    (r"expected token 'end of statement block', got '(.+)'", "`{{% … %}}` should end before `{0}`", ""),
    (r"Expected an expression, got 'end of .*'", "an expression is missing", ""),
    (r"unexpected end of template.*", "the last `{{{{` or `{{%` is never closed", ""),
    (r"Missing end of comment tag", "`{{#` opens a comment that is never closed", "so it does in `${{#…}}`"),
    (r"Missing end of raw directive", "`{{% raw %}}` is never closed", "add its `{{% endraw %}}`"),
    (r"unexpected char ['\"](.+)['\"] at \d+", "`{0}` has no meaning inside `{{{{ }}}}` and `{{% %}}`", ""),
    (r"unexpected '(.+?)'(?:, expected '.+')?", "`{0}` doesn't fit here", ""),
)
_NOT_SAID = (TypeError, ValueError, ArithmeticError, jinja2.TemplateRuntimeError)
"""Exceptions whose message says it all; others are named, as a KeyError's message is but the key."""


def explain(error: Exception, environment: Environment, folder: str, template: str, name: str) -> Problem:
    """The Problem behind an exception of a render.

    `folder` is the templates folder's name, `template` the one that was asked for, `name` the params
    environment it was rendered for (may be empty).
    """
    frames = _template_frames(error)
    at, line = frames[-1] if frames else (template, 0)
    key = ""
    if isinstance(error, jinja2.TemplateSyntaxError):
        at, line = _template_name(error, environment) or at, error.lineno
        message, fix = _syntax(error, environment, at)
    elif isinstance(error, Fault):
        at, line = (error.template, error.line) if error.template else (at, line)
        message, fix = error.message, error.fix
    elif isinstance(error, Refusal):
        message, fix, key = error.message, error.fix, error.key
    elif isinstance(error, jinja2.TemplateNotFound):
        message, fix = _not_found(error, environment, folder)
    elif isinstance(getattr(error, "undefined", None), jinja2.Undefined):
        frames = error.undefined._undefined_lines or frames
        at, line = frames[-1] if frames else (at, line)
        message, fix = _undefined(error.undefined, folder)
    elif isinstance(error, RecursionError):
        message, fix = "this is nested too deeply", ""
        if start := _circle_start(frames):
            (at, line), frames = start, []
            message, fix = "templates include or macros call each other without end", "break the circle"
    else:
        message, fix = _other(error, environment)
    if name:
        message += f", rendering {name}"
    callers = [f"{folder}/{caller}:{number}" for caller, number in dict.fromkeys(frames)]
    callers = [caller for caller in callers if caller != f"{folder}/{at}:{line}"]
    if callers:
        message += f", reached from {', '.join(callers)}"
    return Problem(f"{folder}/{at}", line, key, message, fix)


def _template_frames(error: Exception) -> list[tuple[str, int]]:
    return [
        template_line(frame, code_line)
        for frame, code_line in traceback.walk_tb(error.__traceback__)
        if "__jinja_template__" in frame.f_globals and frame.f_code not in internal_code
    ]


def _template_name(error: jinja2.TemplateSyntaxError, environment: Environment) -> str:
    # Some of the lexer's errors have the file's path where the name should be.
    name = error.name or error.filename or ""
    root = environment.loader.root
    return Path(name).relative_to(root).as_posix() if name.startswith(str(root)) else name


def _circle_start(frames: list[tuple[str, int]]) -> tuple[str, int] | None:
    # Which line of a circle meets Python's limit depends on where we started; the one entered first doesn't.
    return next((frame for frame in frames if frames.count(frame) > 2), None)


def _syntax(error: jinja2.TemplateSyntaxError, environment: Environment, template: str) -> tuple[str, str]:
    if hasattr(error, "fix"):
        return error.message, error.fix
    source = re.split(r"\r\n|\r|\n", environment.loader.get_source(environment, template)[0])
    if any(_DYNAMIC_REFERENCE.search(text) for text in source[error.lineno - 1 : error.lineno]):
        return (
            "`{{` is Jinja's too, so a dynamic reference can't be spelled out",
            'write `{{ dynamic_reference("secretsmanager", "${Secret}", "SecretString", "password") }}`',
        )
    if unknown := _unknown_callable(error.message, environment):
        return unknown
    for pattern, message, fix in _SYNTAX:
        if match := re.fullmatch(pattern, error.message):
            return message.format(*match.groups()), fix.format()
    return error.message[:1].lower() + error.message[1:].rstrip("."), ""


def _unknown_callable(message: str, environment: Environment) -> tuple[str, str] | None:
    match = re.match(r"No (filter|test) named '(.+?)'", message)
    if match is None:
        return None
    kind, name = match.groups()
    if kind == "filter" and name in UNWELCOME:
        return f"there is no filter `{name}` here", UNWELCOME[name]
    known = environment.filters if kind == "filter" else environment.tests
    return f"there is no {kind} `{name}`", suggestion(name, [one for one in known if one.isidentifier()])


def _not_found(error: jinja2.TemplateNotFound, environment: Environment, folder: str) -> tuple[str, str]:
    names = [str(name) for name in getattr(error, "templates", None) or [error.name]]
    listed = " or ".join(f"`{name}`" for name in names)
    return f"there is no template {listed} in {folder}/", suggestion(names[-1], environment.list_templates())


def _undefined(undefined: jinja2.Undefined, folder: str) -> tuple[str, str]:
    name, owner = undefined._undefined_name, undefined._undefined_obj
    if undefined._undefined_hint:
        return undefined._undefined_hint.rstrip("."), ""
    if owner is missing:
        return f"`{name}` isn't defined", suggestion(name, undefined._undefined_names)
    if isinstance(owner, TemplateModule):
        known = [one for one in vars(owner) if not one.startswith("_")]
        return f"`{folder}/{owner.__name__}` has no macro `{name}`", suggestion(name, known)
    kind, known = _described(owner)
    what = f"`{key_of(owner)}`, {kind}," if key_of(owner) else kind
    return f"{what} has no `{name}`", suggestion(str(name), known)


def _described(owner: object) -> tuple[str, Iterable[object]]:
    # What it is, and the names or keys that a template might have meant.
    if isinstance(owner, str):
        return "a string", ()
    if isinstance(owner, int):
        return "a number", ()
    if isinstance(owner, (list, tuple)):
        return f"a list of {len(owner)}", ()
    if isinstance(owner, Mapping):
        return "a mapping", owner
    kind = type(owner)
    members = [member for base in kind.__mro__ for member in vars(base).items()]
    known = [name for name, member in members if isinstance(member, (property, cached_property))]
    known += getattr(kind, "model_fields", None) or getattr(owner, "__dict__", ())
    known = [name for name in known if not name.startswith(("_", "model_"))]
    return f"a value of type {kind.__name__}", known


def _other(error: Exception, environment: Environment) -> tuple[str, str]:
    text = " ".join(str(error).split())
    text = re.sub(r"\bTracked(Str|Int|Dict|List|Tuple)\b", lambda kind: kind[1].lower(), text)
    if text.startswith("the inline if-expression"):
        return "an `if` without `else` leaves nothing to print", "add an `else`, or guard the line"
    if unknown := _unknown_callable(text, environment):
        return unknown
    if text and isinstance(error, _NOT_SAID):
        return text, ""
    return f"{type(error).__name__}: {text}" if text else type(error).__name__, ""
