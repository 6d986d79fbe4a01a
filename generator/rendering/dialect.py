"""Our dialect of Jinja: strict, deterministic, and compiled so that rendered text knows where it came from.

Importing this module imports jinja2, which takes most of a tenth of a second: `Engine` does so when made.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType

import jinja2
from jinja2.debug import get_template_locals
from jinja2.environment import TemplateModule
from jinja2.utils import missing

from generator.rendering import compiling, filters
from generator.rendering.loading import Cache, Fault, Folder
from generator.rendering.origins import Place, Text, concat, template_text
from generator.rendering.tracking import child_key, key_of

UNWELCOME = {
    "pprint": "print single values, which can't hold a memory address",
    "random": "the output must be the same every time",
    "tojson": "use `q`: YAML reads it back unchanged, and it keeps `<>&'` legible",
}
"""Jinja's filters that templates do without, and what to do instead."""


class Undefined(jinja2.StrictUndefined):
    """A missing name: remembers the template lines that led to it and the names that were to be had there.

    The exception comes wherever the value is used, which may be a macro in another file: too late to tell.
    """

    def __init__(self, hint=None, obj=missing, name=None, exc=jinja2.UndefinedError):
        super().__init__(hint=hint, obj=obj, name=name, exc=self._undefined_error)
        frames = [frame for frame in _callers(sys._getframe(1)) if "__jinja_template__" in frame.f_globals]
        if hint and hint.startswith("parameter "):
            del frames[:1]  # the macro's own: what it misses is for its caller to give
        self._undefined_lines = [template_line(frame, frame.f_lineno) for frame in reversed(frames)]
        self._undefined_names = ()
        if frames and obj is missing:
            module = frames[0].f_locals.get("included_template")
            if hint and isinstance(module, TemplateModule) and not hasattr(module, name):
                # A `from … import` of what isn't there.
                self._undefined_hint, self._undefined_obj = None, module
            else:
                self._undefined_names = tuple(get_template_locals(frames[0].f_locals))

    def _undefined_error(self, message: str) -> jinja2.UndefinedError:
        error = jinja2.UndefinedError(message)
        error.undefined = self
        return error


class Environment(jinja2.Environment):
    """Missing names are errors, tags leave no blank lines, nothing is escaped, and all output is `Text`."""

    code_generator_class = compiling.Generator
    concat = staticmethod(concat)

    def __init__(self, templates: Path):
        super().__init__(
            loader=Folder(templates),
            undefined=Undefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
            bytecode_cache=Cache(templates.parent / ".cache" / "templates"),
            # Folding constants would bypass our rule for what can be printed, and takes longer than it saves.
            optimized=False,
        )
        for name in UNWELCOME:
            del self.filters[name]
        del self.globals["lipsum"]  # random as well
        self.filters |= {"q": filters.q, "nest": filters.nest, "string": filters.printable, "join": _join}
        self.filters |= {compiling.LOOP_TURN: _loop_turn, compiling.LOOP_ITEMS: _loop_items}
        self.globals["dynamic_reference"] = filters.dynamic_reference
        self._literals: dict[tuple, Text] = {}

    def literal(self, template: str, parts: tuple[tuple[int, str], ...]) -> Text:
        """Text of the template itself, from (first line, text) parts. Called by compiled templates."""
        text = self._literals.get((template, parts))
        if text is None:
            text = self._literals[template, parts] = template_text(template, parts)
        return text

    def printed(self, template: str, line: int, value: object, owner: object = None, name: str = "") -> Text:
        """What `{{ value }}` writes; `owner.name` is the expression, where it is that simple.

        Called by compiled templates.
        """
        if isinstance(value, Text):
            return value
        key = key_of(value)
        if isinstance(value, bool) and key_of(owner):
            key = child_key(key_of(owner), name)
        text = filters.printable(value)
        return Text(text, ((len(text), Place(template, line, key)),))

    def joined(self, template: str, line: int, values: Iterable[object]) -> Text:
        """What `a ~ b` gives. Called by compiled templates."""
        return concat([self.printed(template, line, value) for value in values])

    def _parse(self, source, name, filename):
        return compiling.Parser(self, source, name, filename).parse()

    def _compile(self, source, filename):
        try:
            return super()._compile(source, filename)
        except SyntaxError as error:  # what only Python's compiler notices, such as an argument given twice
            name = Path(filename).relative_to(self.loader.root).as_posix()
            raise Fault(f"the template can't be compiled: {error.msg}", template=name) from error


def template_line(frame: FrameType, code_line: int) -> tuple[str, int]:
    """Name and line of the template whose compiled code `frame` runs."""
    template = frame.f_globals["__jinja_template__"]
    return template.name, template.get_corresponding_lineno(code_line)


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _loop_turn(text: Text, *targets: object) -> Text:
    for target in targets:
        if key := key_of(target):
            return text.in_loop(key)
    return text


def _loop_items(items: object) -> object:
    if isinstance(items, (set, frozenset)):
        raise filters.Refusal("a set has no order to loop in", "sort it: `| sort`", key_of(items))
    return items


@jinja2.pass_environment
def _join(environment: Environment, value, d="", attribute=None) -> str:
    # Jinja's own would spell None, bools and fractions as Python does.
    items = list(_loop_items(value))
    if attribute is not None:
        items = map(jinja2.filters.make_attrgetter(environment, attribute), items)
    return filters.join(items, d)
