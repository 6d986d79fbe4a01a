"""How templates become Python: Jinja's parser with clearer complaints, and code that notes origins.

The generator overrides what jinja2.nativetypes overrides to render values instead of text: no public
interface, but one that Jinja itself needs to keep.
"""

from __future__ import annotations

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator
from jinja2.parser import Parser as JinjaParser
from jinja2.parser import _statement_keywords

from generator.rendering.suggestions import suggestion

# Names of filters that no template can spell.
LOOP_TURN = "(turn of a loop)"
LOOP_ITEMS = "(items of a loop)"


class Parser(JinjaParser):
    """Jinja's parser, which also knows the line of each tag that is still open."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.open_tags: list[tuple[str, int]] = []

    def parse_statement(self):
        token = self.stream.current
        self.open_tags.append((token.value, token.lineno))
        statement = super().parse_statement()
        self.open_tags.pop()
        return statement

    def parse_for(self):
        # The body becomes a filter block, so that what it includes and calls belongs to the turn as well.
        loop = super().parse_for()
        targets = [loop.target] if isinstance(loop.target, nodes.Name) else loop.target.find_all(nodes.Name)
        names = [nodes.Name(target.name, "load", lineno=loop.lineno) for target in targets]
        turn = nodes.Filter(None, LOOP_TURN, names, [], None, None, lineno=loop.lineno)
        loop.body = [nodes.FilterBlock(loop.body, turn, lineno=loop.lineno)]
        loop.iter = nodes.Filter(loop.iter, LOOP_ITEMS, [], [], None, None, lineno=loop.iter.lineno)
        return loop

    def parse_autoescape(self):
        self.complain("YAML needs no HTML escapes", "remove the `autoescape` tags")

    def fail_unknown_tag(self, name, lineno=None):
        expected = [token.removeprefix("name:") for token in (self._end_token_stack or [()])[-1]]
        *enclosing, _ = self.open_tags
        if not name.startswith("end") and name not in ("else", "elif"):
            known = [*_statement_keywords - {"autoescape"}, "call", "filter", *expected]
            self.complain(f"there is no tag `{name}`", suggestion(name, known), lineno)
        if not enclosing:
            self.complain(f"`{{% {name} %}}` closes nothing", "remove it or open what it closes", lineno)
        tag, line = enclosing[-1]
        self.complain(
            f"`{{% {name} %}}` doesn't fit: the `{{% {tag} %}}` of line {line} is open",
            " or ".join(f"`{{% {token} %}}`" for token in expected) + " may stand here",
            lineno,
        )

    def fail_eof(self, end_tokens=None, lineno=None):
        tag, line = self.open_tags[-1]
        self.complain(f"`{{% {tag} %}}` is never closed", f"add its `{{% end{tag} %}}`", line)

    def complain(self, message: str, fix: str, line: int | None = None) -> None:
        """Raise a TemplateSyntaxError with a `fix`; the line is the current one if none is given."""
        line = line or self.stream.current.lineno
        error = jinja2.TemplateSyntaxError(message, line, self.name, self.filename)
        error.fix = fix
        raise error


class Generator(CodeGenerator):
    """Compiles output to `Text` with places: each call it writes names its template and line."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.printing: list[bool] = []

    def _output_child_to_const(self, node, frame, finalize):
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible()
        return (node.lineno, node.data)

    def _output_const_repr(self, group):
        return f"environment.literal({self.name!r}, {tuple(group)!r})"

    def _output_child_pre(self, node, frame, finalize):
        self.write(f"environment.printed({self.name!r}, {_first_line(node)}, ")

    def _output_child_post(self, node, frame, finalize):
        # A bool can't carry a key; its owner and name give it.
        if isinstance(node, nodes.Getattr) and _is_path(node.node):
            self.write(", ")
            self.visit(node.node, frame)
            self.write(f", {node.attr!r}")
        self.write(")")

    def visit_Concat(self, node, frame):
        self.write(f"environment.joined({self.name!r}, {_first_line(node)}, (")
        for child in node.nodes:
            self.visit(child, frame)
            self.write(", ")
        self.write("))")

    # What `{% call %}` and `{% filter %}` write goes the way of `{{ }}`; includes and blocks pass on `Text`.
    def start_write(self, frame, node=None):
        super().start_write(frame, node)
        self.printing.append(isinstance(node, (nodes.CallBlock, nodes.FilterBlock)))
        if self.printing[-1]:
            self.write(f"environment.printed({self.name!r}, {node.lineno}, ")

    def end_write(self, frame):
        if self.printing.pop():
            self.write(")")
        super().end_write(frame)


def _first_line(node: nodes.Node) -> int:
    # A filter has the line of its bar and a call that of its bracket: go back to where the expression starts.
    if isinstance(node, nodes.Concat):
        return _first_line(node.nodes[0])
    first = next((part for name in ("node", "left", "expr1") if (part := getattr(node, name, None))), None)
    return _first_line(first) if first else node.lineno


def _is_path(node: nodes.Node) -> bool:
    while isinstance(node, nodes.Getattr):
        node = node.node
    return isinstance(node, nodes.Name)
