"""Tracked values, and the table that says where each rendered line came from."""

from __future__ import annotations

import copy
import dataclasses
import enum
import json
from collections import namedtuple
from functools import cached_property
from textwrap import dedent
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel

from generator.rendering.engine import Engine
from generator.rendering.origins import (
    Origin,
    Place,
    Text,
    concat,
    key_of,
    line_origins,
    track,
)


class Admin(BaseModel):
    model_config = ConfigDict(frozen=True)
    allow_from: list[str]
    hostname: str | None = None


class Service(BaseModel):
    model_config = ConfigDict(frozen=True, populate_by_name=True)
    cpu: int
    instance_class: str = Field(alias="class")
    spread: bool = True
    admin: Admin | None = None

    @property
    def label(self) -> str:
        return self.instance_class

    @cached_property
    def units(self) -> int:
        return self.cpu


class Names(RootModel[list[str]]):
    pass


@dataclasses.dataclass(frozen=True)
class Rule:
    path: str
    hosts: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Slotted:
    path: str


class Mode(str, enum.Enum):
    DNS = "dns"


Pair = namedtuple("Pair", "name value")


def service(**changes) -> Service:
    return Service(
        **{"cpu": 1024, "class": "large", "admin": Admin(allow_from=["10.0.0.0/8", "192.0.2.1/32"])} | changes
    )


class TestTrack:
    def test_fields_of_models_have_dotted_keys(self):
        """Every string and number below a model knows its path, list items by their index."""
        tracked = track(service(), "service")
        assert key_of(tracked) == "service"
        assert key_of(tracked.cpu) == "service.cpu"
        assert key_of(tracked.admin) == "service.admin"
        assert key_of(tracked.admin.allow_from) == "service.admin.allow_from"
        assert key_of(tracked.admin.allow_from[1]) == "service.admin.allow_from.1"

    def test_an_alias_is_the_key(self):
        """A field whose name Python reserves is called in params by its alias, and so is its key."""
        assert key_of(track(service(), "service").instance_class) == "service.class"

    def test_the_top_has_no_leading_dot(self):
        """Without a key of its own, a tree's children are top-level keys."""
        tracked = track({"service": {"cpu": 1}})
        assert key_of(tracked) == ""
        assert key_of(tracked["service"]["cpu"]) == "service.cpu"

    def test_a_root_model_adds_nothing_to_the_path(self):
        """A model that is but a list has the list's keys."""
        tracked = track(Names(["a"]), "names")
        assert (key_of(tracked), key_of(tracked.root[0])) == ("names", "names.0")

    def test_keys_of_mappings_know_where_they_stand(self):
        """Names and values of a mapping both know the value's key."""
        tracked = track({"KC_LOG": "info"}, "options")
        ((name, value),) = tracked.items()
        assert (key_of(name), key_of(value)) == ("options.KC_LOG", "options.KC_LOG")

    @pytest.mark.parametrize(
        ("value", "read", "key"),
        [
            pytest.param(Rule("/a", ("h",)), lambda rule: rule.hosts[0], "k.hosts.0", id="dataclass"),
            pytest.param(Slotted("/a"), lambda rule: rule.path, "k.path", id="dataclass with slots"),
            pytest.param(Pair("a", "b"), lambda pair: pair.value, "k.1", id="named tuple"),
            pytest.param(MappingProxyType({"a": 1}), lambda view: view["a"], "k.a", id="mapping view"),
            pytest.param((("a", "b"),), lambda rows: rows[0][1], "k.0.1", id="tuple in a tuple"),
        ],
    )
    def test_other_containers_are_entered(self, value, read, key):
        """Dataclasses, named tuples, views and tuples are entered like models and lists."""
        assert key_of(read(track(value, "k"))) == key

    @pytest.mark.parametrize("value", [True, None, 1.5, {1, 2}, Mode.DNS, object(), len])
    def test_what_cannot_carry_a_key_comes_back_untouched(self, value):
        """A bool can't be subclassed and a set has no order: they, and unknown objects, are left alone."""
        assert track(value, "k") is value
        assert key_of(value) == ""

    def test_the_first_key_stays(self):
        """Building a context from tracked settings and tracking it renames nothing that came from params."""
        tracked = track({"image": {"cpu": track(1, "service.cpu"), "tag": "a"}}, "context")
        assert key_of(tracked["image"]["cpu"]) == "service.cpu"
        assert key_of(tracked["image"]["tag"]) == "context.image.tag"

    @pytest.mark.parametrize("value", ["a", 1, ["a"], ("a",), {"a": 1}, Rule("/"), Names(["a"])], ids=repr)
    def test_tracking_twice_changes_nothing(self, value):
        """Whatever is tracked already comes back as it is, also where its key is empty."""
        for key in ("service", ""):
            tracked = track(value, key)
            assert track(tracked, "context") is tracked
            assert key_of(tracked) == key

    def test_the_original_is_left_alone(self):
        """Tracking copies: the settings that went in know nothing of it."""
        original = service()
        before = repr(original)
        track(original, "service")
        assert repr(original) == before
        assert key_of(original) == key_of(original.cpu) == key_of(original.admin.allow_from) == ""


class TestTrackedValuesBehaveAsPlainOnes:
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=10,
        )
    )
    def test_trees_are_equal_to_what_they_copy(self, tree):
        """A tracked tree is equal to its original and gives the same JSON and repr."""
        tracked = track(tree, "k")
        assert tracked == tree
        assert json.dumps(tracked) == json.dumps(tree)
        assert repr(tracked) == repr(tree)

    @given(st.text(), st.text())
    def test_strings(self, one, two):
        """Comparing, hashing, ordering, formatting and looking up work as for the plain string."""
        tracked = track(one, "k")
        assert (tracked == two, tracked < two, tracked in two) == (one == two, one < two, one in two)
        assert {one: 1}[tracked] == {tracked: 1}[one] == 1
        assert f"{tracked}|{tracked!r}|{tracked:>9}" == f"{one}|{one!r}|{one:>9}"
        assert isinstance(tracked, str)

    @given(st.integers(), st.integers())
    def test_numbers(self, one, two):
        """Comparing, hashing, arithmetic and formatting work as for the plain number."""
        tracked = track(one, "k")
        assert (tracked == two, tracked < two, tracked + two) == (one == two, one < two, one + two)
        assert {one: 1}[tracked] == 1
        assert f"{tracked}|{tracked:,}" == f"{one}|{one:,}"

    def test_models_stay_models(self):
        """A tracked model is an instance of its class with the same fields, dump, hash and equality."""
        original, tracked = service(admin=None), track(service(admin=None), "service")
        assert type(tracked) is Service
        assert tracked == original
        assert hash(tracked) == hash(original)
        assert repr(tracked) == repr(original)
        assert tracked.model_dump() == original.model_dump()
        assert tracked.model_dump_json(by_alias=True) == original.model_dump_json(by_alias=True)
        assert tracked.spread is True

    def test_properties_pass_the_key_on(self):
        """A property that returns a field returns the tracked field, also where it is cached."""
        original = service()
        assert original.units == 1024  # cached on the original, untracked
        tracked = track(original, "service")
        assert key_of(tracked.label) == "service.class"
        assert key_of(tracked.units) == "service.cpu"

    def test_copies_keep_the_key(self):
        """What Python code copies or passes on is still that value."""
        tracked = track({"a": ["b"], "n": 1}, "k")
        for copied in (copy.copy(tracked), copy.deepcopy(tracked)):
            assert key_of(copied["a"][0]) == "k.a.0"
            assert key_of(copied["n"]) == "k.n"
        assert [key_of(item) for item in sorted(track(["b", "a"], "k"))] == ["k.1", "k.0"]

    @pytest.mark.parametrize("change", ["strip", "lower", "upper"])
    def test_the_same_value_spelled_differently_keeps_the_key(self, change):
        """Trimming a value or changing its case leaves it that value."""
        changed = getattr(track(" Ab ", "k"), change)()
        assert changed == getattr(" Ab ", change)()
        assert key_of(changed) == "k"

    def test_new_values_have_no_key(self):
        """Arithmetic and joining strings make a value that no params key alone decided."""
        text, number = track("a", "k"), track(1, "n")
        assert key_of(text + "b") == key_of(f"{text}") == key_of(number + 1) == key_of(number * 2) == ""


def rendered(
    tmp_path, context: dict | None = None, **templates: str
) -> tuple[str, list[tuple[str, str, int, str]]]:
    """Render `main` of the templates (`__` in a name is a slash); rows of (text, template, line, key)."""
    for name, source in templates.items():
        path = tmp_path / "templates" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source[1:]) if source.startswith("\n  ") else source, encoding="utf-8")
    result = Engine(tmp_path / "templates").render("main", context or {})
    lines = result.text.split("\n")
    assert len(result.origins) == len(lines) - (lines[-1] == "")
    return result.text, [
        (line, origin.template_file.removeprefix("templates/"), origin.template_line, origin.params_key)
        for line, origin in zip(lines, result.origins)
    ]


class TestLineTables:
    def test_a_whole_document(self, tmp_path):
        """Includes, an imported macro with `nest`, a loop, branches, comments, `set`, checked by hand."""
        context = track(
            {
                "environment": "prod",
                "service": {"cpu": 1024, "spread": True, "image": "quay.io/keycloak"},
                "options": {"KC_LOG": "info", "KC_DB": "postgres"},
                "networks": ["10.0.0.0/8", "192.0.2.0/24"],
            }
        )
        text, table = rendered(
            tmp_path,
            context,
            main="""
                {# A comment
                   of two lines. #}
                {% import "macros/ecs" as ecs %}
                # Environment {{ environment }}
                Resources:

                  # --- Service ---
                {% include "resources/service" %}

                {% set note = "Done" %}
                # {{ note }}
                """,
            macros__ecs="""
                {% macro environment(variables) %}
                Environment:
                {% for name, value in variables.items() %}
                  - Name: {{ name }}
                    # the value:

                    Value: {{ value | q }}
                {% endfor %}
                {% endmacro %}
                """,
            resources__service="""
                {# One line. #}
                  Task:
                    Cpu: {{ service.cpu | q }}
                    Image: "{{ service.image }}" # {{ service.cpu }}
                    {{ ecs.environment(options) | nest(4) }}
                    {% if service.spread %}
                    Spread: {{ service.spread }}
                    {% else %}
                    Packed: true
                    {% endif %}
                    {% for network in networks %}
                    - Cidr: {{ network }}
                      Fixed: 1
                    {% endfor %}
                    Last: 1
                """,
        )
        assert table == [
            ("# Environment prod", "main", 4, "environment"),
            ("Resources:", "main", 5, ""),
            ("", "main", 6, ""),
            ("  # --- Service ---", "main", 7, ""),
            ("  Task:", "resources/service", 2, ""),
            ('    Cpu: "1024"', "resources/service", 3, "service.cpu"),
            ('    Image: "quay.io/keycloak" # 1024', "resources/service", 4, "service.image"),
            ("    Environment:", "macros/ecs", 2, ""),
            ("      - Name: KC_LOG", "macros/ecs", 4, "options.KC_LOG"),
            ("        # the value:", "macros/ecs", 5, "options.KC_LOG"),
            ("", "macros/ecs", 6, "options.KC_LOG"),
            ('        Value: "info"', "macros/ecs", 7, "options.KC_LOG"),
            ("      - Name: KC_DB", "macros/ecs", 4, "options.KC_DB"),
            ("        # the value:", "macros/ecs", 5, "options.KC_DB"),
            ("", "macros/ecs", 6, "options.KC_DB"),
            ('        Value: "postgres"', "macros/ecs", 7, "options.KC_DB"),
            ("    Spread: true", "resources/service", 7, "service.spread"),
            ("    - Cidr: 10.0.0.0/8", "resources/service", 12, "networks.0"),
            ("      Fixed: 1", "resources/service", 13, "networks.0"),
            ("    - Cidr: 192.0.2.0/24", "resources/service", 12, "networks.1"),
            ("      Fixed: 1", "resources/service", 13, "networks.1"),
            ("    Last: 1", "resources/service", 15, ""),
            ("", "main", 9, ""),
            ("# Done", "main", 11, ""),
        ]
        assert text.endswith("# Done\n")

    def test_the_files_are_named_from_the_project_folder(self, tmp_path):
        """An origin names the file as a person in the project folder would type it."""
        (tmp_path / "templates" / "resources").mkdir(parents=True)
        (tmp_path / "templates" / "resources" / "vpc.yaml.j2").write_text("Vpc: {{ cidr }}\n")
        result = Engine(tmp_path / "templates").render(
            "resources/vpc.yaml.j2", track({"cidr": "10.0.0.0/16"})
        )
        assert result.origins == (Origin("templates/resources/vpc.yaml.j2", 1, "cidr"),)

    def test_captured_text_keeps_the_lines_it_was_written_at(self, tmp_path):
        """`set` and `filter` blocks, `call` and `trim` move text; its origin stays where the text stands."""
        _, table = rendered(
            tmp_path,
            track({"cpu": 1}),
            main="""
                {% macro box() %}
                [
                {{ caller() }}]
                {% endmacro %}
                {% set kept %}

                captured {{ cpu }}

                {% endset %}
                {{ kept | trim }}
                {% call box() %}
                called
                {% endcall %}
                {% filter nest(2) %}
                a
                b
                {% endfilter %}

                end
                """,
        )
        assert table == [
            ("captured 1", "main", 7, "cpu"),
            ("[", "main", 2, ""),
            ("called", "main", 12, ""),
            ("]", "main", 3, ""),
            ("a", "main", 15, ""),
            ("  b", "main", 16, ""),
            ("end", "main", 19, ""),
        ]

    def test_whitespace_control_moves_no_line(self, tmp_path):
        """Dashes that join lines leave each line with its first visible character's template line."""
        _, table = rendered(
            tmp_path,
            main="""
                a

                {%- if true %}

                b
                {%- endif -%}

                c
                {#- gone -#}


                d
                e
                """,
        )
        assert table == [("a", "main", 1, ""), ("bcd", "main", 5, ""), ("e", "main", 13, "")]

    def test_lines_an_include_writes_in_a_loop_belong_to_the_item(self, tmp_path):
        """What a turn of a loop includes or calls is decided by the item, unless the line prints a value."""
        _, table = rendered(
            tmp_path,
            track({"zones": [{"name": "a", "open": True}, {"name": "b", "open": False}], "cpu": 1}),
            main="""
                {% macro fixed() %}
                macro
                {% endmacro %}
                {% for zone in zones %}
                {% include "part" %}
                {{ fixed() | nest(0) }}
                {% endfor %}
                """,
            part="""
                fixed
                Cpu: {{ cpu }}
                Open: {{ zone.open }}
                """,
        )
        assert table == [
            row
            for index, shown in enumerate(("true", "false"))
            for row in (
                ("fixed", "part", 1, f"zones.{index}"),
                ("Cpu: 1", "part", 2, "cpu"),
                (f"Open: {shown}", "part", 3, f"zones.{index}.open"),
                ("macro", "main", 2, f"zones.{index}"),
            )
        ]

    def test_the_innermost_loop_with_a_key_decides(self, tmp_path):
        """Of two loops the inner item is named, of a loop over plain values the next one out."""
        _, table = rendered(
            tmp_path,
            {"zones": track([["x"], ["y"]], "zones")},
            main="""
                {% for zone in zones %}
                {% for item in zone %}
                inner
                {% endfor %}
                {% for count in [1] %}
                plain
                {% endfor %}
                {% endfor %}
                after
                """,
        )
        assert [(line, key) for line, _, _, key in table] == [
            ("inner", "zones.0.0"),
            ("plain", "zones.0"),
            ("inner", "zones.1.0"),
            ("plain", "zones.1"),
            ("after", ""),
        ]

    def test_a_loop_over_pairs_names_the_first_that_has_a_key(self, tmp_path):
        """With several loop variables, the first tracked one stands for the turn."""
        _, table = rendered(
            tmp_path,
            {"pairs": [("plain", track("x", "k.0")), (track("y", "k.1"), track("z", "k.2"))]},
            main="{% for one, two in pairs %}\nline\n{% endfor %}\n",
        )
        assert [key for *_, key in table] == ["k.0", "k.1"]

    def test_the_first_value_on_a_line_is_named(self, tmp_path):
        """Of several params on one line the first is named, also through `~`, `join` and several lines."""
        _, table = rendered(
            tmp_path,
            track({"a": "1", "b": 2, "list": ["x", "y"], "text": "one\ntwo", "empty": ""}),
            main="""
                {{ b }} {{ a }}
                {{ ("x" ~ a ~ b) | q }}
                {{ list | join(", ") }}
                {{ text }}
                Empty: {{ empty }}
                {{ b + 1 }}
                {{ a | upper }}
                """,
        )
        assert table == [
            ("2 1", "main", 1, "b"),
            ('"x12"', "main", 2, ""),
            ("x, y", "main", 3, "list.0"),
            ("one", "main", 4, "text"),
            ("two", "main", 4, "text"),
            ("Empty: ", "main", 5, "empty"),
            ("3", "main", 6, ""),
            ("1", "main", 7, "a"),
        ]

    def test_an_expression_of_several_lines_starts_where_it_starts(self, tmp_path):
        """A call or filter broken over lines belongs to the line the expression begins on."""
        _, table = rendered(
            tmp_path,
            main="""
                {{ ["a",
                    "b"]
                   | join(
                     "-") }}
                {{ "x"
                   ~ "y" }}
                next
                """,
        )
        assert [row[:3] for row in table] == [("a-b", "main", 1), ("xy", "main", 5), ("next", "main", 7)]

    def test_a_last_line_without_a_newline_counts(self, tmp_path):
        """A text that doesn't end in a newline has an origin for its last line too."""
        _, table = rendered(tmp_path, main="a\nb")
        assert table == [("a", "main", 1, ""), ("b", "main", 2, "")]

    def test_nothing_has_no_lines(self, tmp_path):
        """An empty rendering has an empty table."""
        assert rendered(tmp_path, main="{# nothing #}\n") == ("", [])

    def test_only_newlines_end_lines(self, tmp_path):
        """Characters that other readers may take for line ends don't shift the table."""
        result = rendered(tmp_path, track({"odd": "a\u2028b\x0bc\x85d"}), main="{{ odd }}\nnext\n")[1]
        assert [row[1:] for row in result] == [("main", 1, "odd"), ("main", 2, "")]

    def test_text_of_blocks_and_parents(self, tmp_path):
        """Inherited and overridden blocks have the lines of the file they stand in."""
        _, table = rendered(
            tmp_path,
            main='{% extends "base" %}\n{% block body %}\nmine\n{{ super() }}\n{% endblock %}\n',
            base="head\n{% block body %}\ntheirs\n{% endblock %}\ntail\n",
        )
        assert [row[:3] for row in table] == [
            ("head", "base", 1),
            ("mine", "main", 3),
            ("theirs", "base", 3),
            ("", "main", 4),
            ("tail", "base", 5),
        ]


# --- Templates whose lines say themselves where they stand ---

BODIES = st.recursive(
    st.sampled_from(
        ["line", "indented", "value", "blank", "comment", "two-line comment", "set", "include", "macro"]
    ),
    lambda body: st.tuples(
        st.sampled_from(["if", "unless", "for", "capture", "filter"]), st.lists(body, max_size=4)
    ),
    max_leaves=14,
)


def written(name: str, body: list) -> str:
    """The source of template `name`: each of its visible lines names file and line number."""
    lines: list[str] = []

    def here() -> str:
        return f"{name}:{len(lines) + 1}"

    def write(nodes: list) -> None:
        for node in nodes:
            if isinstance(node, tuple):
                kind, inner = node
                opening, closing = {
                    "if": ("{% if yes %}", "{% endif %}"),
                    "unless": ("  {% if not yes %}", "  {% endif %}"),
                    "for": ("{% for item in items %}", "{% endfor %}"),
                    "capture": ("{% set captured %}", "{% endset %}"),
                    "filter": ("{% filter nest(3) %}", "{% endfilter %}"),
                }[kind]
                lines.append(opening)
                write(inner)
                lines.append(closing)
                if kind == "capture":
                    lines.append("{{ captured }}")
                if kind == "filter":  # `nest` took the last newline: close the line it left open
                    lines.append("")
            elif node == "line":
                lines.append(here())
            elif node == "indented":
                lines.append(f"    {here()} more")
            elif node == "value":
                lines.append(f"{here()} value {{{{ service.cpu }}}}")
            elif node == "blank":
                lines.append("")
            elif node == "comment":
                lines.append("{# a comment #}")
            elif node == "two-line comment":
                lines.extend(["{# a", "comment #}"])
            elif node == "set":
                lines.append("{% set alias = service.cpu %}")
            elif node == "include" and name == "main":
                lines.append('{% include "part" %}')
            elif node == "macro" and name != "macros":
                lines.append("      {{ macros.text() | nest(6) }}")

    write(body)
    return "".join(f"{line}\n" for line in lines)


class TestLinesThatNameThemselves:
    @settings(max_examples=150)
    @given(
        main=st.lists(BODIES, max_size=5),
        part=st.lists(BODIES, max_size=3),
        macro=st.lists(BODIES, max_size=3),
    )
    def test_every_line_has_the_origin_it_names(self, tmp_path_factory, main, part, macro):
        """However templates are put together, the table says for each line what the line says of itself."""
        folder = tmp_path_factory.mktemp("project") / "templates"
        folder.mkdir()
        header = '{% import "macros" as macros with context %}\n'
        sources = {
            "main": header + written("main", main),
            "part": header + written("part", part),
            "macros": "{% macro text() %}\n" + written("macros", macro) + "{% endmacro %}\n",
        }
        for name, source in sources.items():
            (folder / name).write_text(source)
        result = Engine(folder).render(
            "main", track({"yes": True, "items": ["a", "b"], "service": {"cpu": 1}})
        )
        for line, origin in zip(result.text.split("\n"), result.origins):
            if not line.strip():
                continue
            name, number = line.split()[0].split(":")
            # Every template begins with one line that names nothing.
            assert (origin.template_file, origin.template_line) == (f"templates/{name}", int(number) + 1)
            if " value " in line:
                assert origin.params_key == "service.cpu"


class TestText:
    @given(st.lists(st.text("ab \n", max_size=5)), st.integers(0, 8), st.integers(0, 8))
    def test_cutting_and_trimming_keep_places(self, pieces, start, end):
        """Each character of a cut or trimmed text has the place it had before."""
        text = concat(Text(piece, [(len(piece), Place("t", index))]) for index, piece in enumerate(pieces))
        places = [index for index, piece in enumerate(pieces) for _ in piece]

        def shown(part: Text) -> list[tuple[str, int]]:
            return [(character, place.line) for piece, place in part.pieces() for character in piece]

        before = list(zip(text, places))
        assert text == "".join(pieces)
        assert shown(text) == before
        assert shown(text.cut(start, end)) == before[start:end]
        left, right = len(text) - len(str(text).lstrip()), len(str(text).rstrip())
        assert shown(text.strip()) == before[left : max(left, right)]
        assert text.strip() == str(text).strip()

    def test_a_blank_line_belongs_to_its_newline(self):
        """Blanks that a template leaves before a newline of another file don't make the line theirs."""
        text = concat([Text("  ", [(2, Place("a", 1, "k"))]), Text("\n", [(1, Place("b", 2))])])
        assert line_origins(text, "templates") == (Origin("templates/b", 2, ""),)
