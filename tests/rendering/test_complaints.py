"""What the engine says when a template is wrong: file, line, what it is and what to write instead."""

from __future__ import annotations

from functools import partial

import engines
import pytest
from engines import Mode, Record, Service, project, render
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import ProjectError, TemplateError
from generator.rendering.origins import track

FRAGMENTS = (
    "{{ ¦ }} ¦ {% ¦ %} ¦ {# ¦ #} ¦ {{ name }} ¦ {{ x }} ¦ if name ¦ else ¦ for x in items ¦ "
    "endfor ¦ endif ¦ name ¦ x ¦ |q ¦ |nest(2) ¦ |join ¦ \n ¦ ( ¦ ) ¦ [ ¦ ] ¦ . ¦ ~ ¦ 1 ¦ 'a' ¦ "
    "\" ¦ set y = ¦ endset ¦ include 'part' ¦ import 'part' as m ¦ m.f(x) ¦ macro f(a) ¦ endmacro ¦ "
    "is defined ¦ call m.f(1) ¦ endcall ¦ filter upper ¦ endfilter ¦ extends 'part' ¦ block b ¦ "
    "endblock ¦ {% if name %} ¦ {% endif %} ¦ {% for x in items %} ¦ {% endfor %} ¦ -%} ¦ {%- ¦ "
    "loop.index ¦ {% raw %} ¦ {% endraw %} ¦ /0 ¦ ** ¦ : ¦ , ¦ = ¦ { ¦ } ¦ self.b() ¦ super() ¦ "
    "caller() ¦ range(3)"
).split("¦")


complaint = partial(engines.complaint, name="prod")


class TestMissingNames:
    @pytest.mark.parametrize(
        ("source", "line", "message", "fix"),
        [
            pytest.param(
                "a\n{{ serivce }}\n", 2, "`serivce` isn't defined", "`service`", id="misspelled name"
            ),
            pytest.param("a\n\n{{ nope.b.c }}\n", 3, "`nope` isn't defined", "", id="unknown name"),
            pytest.param(
                "{% if service.cpus %}\n{% endif %}",
                1,
                "`service`, a value of type Service, has no `cpus`",
                "`cpu`",
                id="field in a condition",
            ),
            pytest.param("\n{{ service.memry }}", 2, "has no `memry`", "`memory`", id="property of a model"),
            pytest.param("\n{{ record.zon }}", 2, "has no `zon`", "", id="field of a slotted dataclass"),
            pytest.param(
                "{{ options.KC_LGO }}", 1, "`options`, a mapping, has no `KC_LGO`", "`KC_LOG`", id="key"
            ),
            pytest.param("{{ options.a }}", 1, "has no `a`", "there is `KC_LOG`", id="key like no other"),
            pytest.param("{{ names[7] }}", 1, "`names`, a list of 2, has no `7`", "", id="list index"),
            pytest.param(
                "{{ names.0.x }}", 1, "`names.0`, a string, has no `x`", "", id="attribute of a string"
            ),
            pytest.param(
                "{{ service.cpu.x }}",
                1,
                "`service.cpu`, a number, has no `x`",
                "",
                id="attribute of a number",
            ),
            pytest.param(
                "{% for n in names %}\n{{ loop.fist }}\n{% endfor %}",
                2,
                "has no `fist`",
                "`first`",
                id="loop",
            ),
            pytest.param(
                "\n{% for n in nmaes %}{% endfor %}", 2, "`nmaes` isn't defined", "`names`", id="loop over it"
            ),
            pytest.param(
                "{% set local = 1 %}\n{{ lcoal }}", 2, "`lcoal` isn't defined", "`local`", id="name set here"
            ),
            pytest.param(
                "{% for item in names %}\n{{ itme }}{% endfor %}", 2, "`itme`", "`item`", id="loop variable"
            ),
            pytest.param(
                "\n{% set x = nope %}\n\n{{ x }}", 2, "`nope` isn't defined", "", id="used further down"
            ),
            pytest.param(
                "{% if false %}\n{% elif nope %}\n{% endif %}", 2, "`nope` isn't defined", "", id="elif"
            ),
            pytest.param("\n{{ nope | q }}", 2, "`nope` isn't defined", "", id="into a filter"),
            pytest.param("\n{{ 'a' ~ nope }}", 2, "`nope` isn't defined", "", id="into a string"),
            pytest.param("\n{{ [nope] | join }}", 2, "`nope` isn't defined", "", id="into a join"),
            pytest.param("\n{% call nope() %}{% endcall %}", 2, "`nope` isn't defined", "", id="called"),
            pytest.param("\n{% include nope %}", 2, "`nope` isn't defined", "", id="included"),
        ],
    )
    def test_the_nearest_name_and_the_line_are_given(self, tmp_path, source, line, message, fix):
        """A missing name is reported on the line that spells it, with the name that was probably meant."""
        context = track(
            {
                "service": Service(),
                "options": {"KC_LOG": "info"},
                "names": ["a", "b"],
                "record": Record("z"),
            }
        )
        problem = complaint(tmp_path, source, context)
        assert (problem.file, problem.line) == ("templates/main", line)
        assert message in problem.message
        assert fix in problem.fix

    def test_the_environment_is_named(self, tmp_path):
        """Whoever renders several environments reads which one lacks the name."""
        assert "rendering prod" in complaint(tmp_path, "{{ nope }}").message

    def test_without_an_environment_none_is_named(self, tmp_path):
        """The name of the environment is optional."""
        with pytest.raises(TemplateError) as caught:
            project(tmp_path, main="{{ nope }}").render("main", {})
        assert caught.value.problems[0].message == "`nope` isn't defined"

    def test_a_guarded_name_is_no_error(self, tmp_path):
        """Asking whether a name is defined is allowed, and so is `default`."""
        assert render(tmp_path, "{% if nope is defined %}a{% endif %}{{ nope | default('b') }}") == "b"

    def test_a_missing_macro_names_the_nearest(self, tmp_path):
        """A misspelled macro of an imported file is reported where it is called."""
        problem = complaint(
            tmp_path,
            '{% import "m" as m %}\n{{ m.enviroment() }}',
            m="{% macro environment() %}{% endmacro %}",
        )
        assert (problem.file, problem.line) == ("templates/main", 2)
        assert "`templates/m` has no macro `enviroment`" in problem.message
        assert problem.fix == "did you mean `environment`?"

    def test_a_missing_macro_in_a_from_import_is_reported_there(self, tmp_path):
        """Importing a name that isn't there is reported on the import, not where it is used."""
        problem = complaint(
            tmp_path, '\n{% from "m" import boxes %}\n\n{{ boxes() }}', m="{% macro box() %}{% endmacro %}"
        )
        assert (problem.line, problem.fix) == (2, "did you mean `box`?")

    def test_a_missing_argument_is_the_callers(self, tmp_path):
        """A macro called without a parameter it prints is reported where it is called."""
        problem = complaint(
            tmp_path,
            '{% import "m" as m %}\n\n{{ m.box() }}',
            m="\n\n\n{% macro box(size) %}\n{{ size }}\n{% endmacro %}",
        )
        assert (problem.file, problem.line) == ("templates/main", 3)
        assert "'size' was not provided" in problem.message

    def test_a_name_passed_to_a_macro_is_reported_where_it_is_spelled(self, tmp_path):
        """The macro that stumbles over an undefined argument isn't where it has to be mended."""
        problem = complaint(
            tmp_path,
            '{% import "m" as m %}\n{{ m.box(nope) }}',
            m="{% macro box(x) %}\n{{ x }}\n{% endmacro %}",
        )
        assert (problem.file, problem.line) == ("templates/main", 2)


class TestSyntax:
    @pytest.mark.parametrize(
        ("source", "line", "message", "fix"),
        [
            pytest.param("\n{{ 'a' | qq }}", 2, "there is no filter `qq`", "`q`", id="filter"),
            pytest.param(
                "\n{% if true %}\n{{ 'a' | nst(2) }}{% endif %}",
                3,
                "there is no filter `nst`",
                "`nest`",
                id="filter in a branch",
            ),
            pytest.param("{{ lipsum() }}", 1, "`lipsum` isn't defined", "", id="random words"),
            pytest.param("{{ [1] | random }}", 1, "no filter `random`", "the same every time", id="random"),
            pytest.param("{{ [1] | tojson }}", 1, "no filter `tojson`", "use `q`", id="tojson"),
            pytest.param("{{ 1 is evn }}", 1, "there is no test `evn`", "`even`", id="test"),
            pytest.param("\n{% fro x in y %}\n{% endfor %}", 2, "there is no tag `fro`", "`for`", id="tag"),
            pytest.param(
                "{% if a %}\n\n{% esle %}\n{% endif %}",
                3,
                "there is no tag `esle`",
                "`else`",
                id="branch tag",
            ),
            pytest.param(
                "a\n{% if a %}\n\n\n", 2, "`{% if %}` is never closed", "`{% endif %}`", id="unclosed tag"
            ),
            pytest.param(
                "{% for x in y %}\n{% if x %}\n{% endfor %}\n",
                3,
                "`{% endfor %}` doesn't fit: the `{% if %}` of line 2 is open",
                "`{% endif %}`",
                id="crossed",
            ),
            pytest.param(
                "{% if a %}\n{% endif %}\n{% endif %}",
                3,
                "`{% endif %}` closes nothing",
                "remove it",
                id="stray",
            ),
            pytest.param("a\n{{ b }\n", 2, "`}` doesn't fit here", "", id="one brace missing"),
            pytest.param("a\n{{ b c }}\n", 2, "`{{ … }}` should end before `c`", "", id="two names"),
            pytest.param(
                "{% if b c %}{% endif %}", 1, "`{% … %}` should end before `c`", "", id="two names in a tag"
            ),
            pytest.param("{{ }}", 1, "an expression is missing", "", id="nothing to print"),
            pytest.param("a\n{{ b\n\n", 2, "never closed", "", id="unclosed expression"),
            pytest.param("a\n{{ $b }}", 2, "`$` has no meaning", "", id="foreign character"),
            pytest.param("a\n{{ 'b }}", 2, "`'` has no meaning", "", id="unclosed string"),
            pytest.param(
                "a\nx=${#list[@]}\nb",
                2,
                "`{#` opens a comment that is never closed",
                "${#",
                id="shell length",
            ),
            pytest.param(
                "a\n{% raw %}\nb", 2, "`{% raw %}` is never closed", "`{% endraw %}`", id="unclosed raw"
            ),
            pytest.param(
                "\n{% block a %}{% endblock %}\n{% block a %}{% endblock %}",
                3,
                "block 'a' defined twice",
                "",
                id="block twice",
            ),
            pytest.param(
                "\n{% autoescape true %}{% endautoescape %}", 2, "no HTML escapes", "remove", id="autoescape"
            ),
            pytest.param(
                "{{ f(a=1, a=2) }}", 0, "keyword argument repeated", "", id="what only Python notices"
            ),
            pytest.param(
                "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", 0, "nested too deeply", "", id="too deep"
            ),
        ],
    )
    def test_a_mistake_is_named_on_its_line(self, tmp_path, source, line, message, fix):
        """Jinja's errors come with their line, in words, and with what to write instead where it is known."""
        problem = complaint(tmp_path, source)
        assert (problem.file, problem.line) == ("templates/main", line)
        assert message in problem.message
        assert fix in problem.fix

    @pytest.mark.parametrize(
        "reference",
        [
            "{{resolve:secretsmanager:${DatabaseSecret}:SecretString:password}}",
            "{{resolve:ssm:/keycloak/theme:2}}",
            "{{ resolve:ssm-secure:theme:1 }}",
            "{{- resolve:ssm:theme -}}",
        ],
    )
    def test_a_dynamic_reference_spelled_out_is_told_its_function(self, tmp_path, reference):
        """CloudFormation's own double braces are explained, not called a stray colon."""
        problem = complaint(tmp_path, f'a\u2028b\n\n  Password: "{reference}"\n')
        assert (problem.line, "dynamic reference" in problem.message) == (3, True)
        assert 'dynamic_reference("secretsmanager", ' in problem.fix

    def test_a_dynamic_reference_in_raw_is_left_alone(self, tmp_path):
        """Whoever writes `raw` gets the reference as it stands."""
        assert render(tmp_path, "{% raw %}{{resolve:ssm:a}}{% endraw %}") == "{{resolve:ssm:a}}"

    def test_a_colon_elsewhere_is_no_dynamic_reference(self, tmp_path):
        """Another mistake with a colon gets its own words."""
        assert "dynamic" not in complaint(tmp_path, "{{ solve:ssm }}").message


class TestUnprintable:
    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("\n{{ none }}", "none can't be printed"),
            ("\n{{ 1.5 }}", "a fraction can't be printed"),
            ("\n{{ service }}", "a value of type Service can't be printed"),
            ("\n{{ mode }}", "a value of type Mode can't be printed"),
            ("\n{{ 'a' ~ nothing }}", "none can't be printed"),
            ("\n{{ [1, nothing] | join }}", "none can't be printed"),
            ("\n{{ ('a' ~ none) | upper }}", "none can't be printed"),
            ("\n{{ nothing | string }}", "none can't be printed"),
            ("\n{{ nothing | q }}", "none can't be quoted"),
            ("\n{{ true | q }}", "a bool can't be quoted"),
            ("\n{% for x in some %}{% endfor %}", "a set has no order to loop in"),
            ("\n{{ some | join }}", "a set has no order to loop in"),
            ("\n{{ 'x' if false }}", "an `if` without `else` leaves nothing to print"),
            ("\n{% filter first | list %}x{% endfilter %}", "a list can't be printed"),
            ("\n{% macro m() %}{% endmacro %}{{ m }}", "a value of type Macro can't be printed"),
        ],
    )
    def test_only_strings_numbers_and_bools_are_printed(self, tmp_path, source, message):
        """Whatever YAML would misread in Python's spelling is an error on its line, with a way out."""
        context = {"service": Service(), "mode": Mode.DNS, "nothing": None, "some": {1, 2}}
        problem = complaint(tmp_path, source, context)
        assert (problem.file, problem.line) == ("templates/main", 2)
        assert message in problem.message
        assert problem.fix

    def test_the_params_key_is_given(self, tmp_path):
        """A value of params that can't be printed is named by its key."""
        assert complaint(tmp_path, "{{ s.tags }}", track({"s": {"tags": {"a": "b"}}})).key == "s.tags"


def refuse():
    raise KeyError("gone")


class TestWhatGoesWrongOnTheWay:
    @pytest.mark.parametrize(
        ("source", "line", "message"),
        [
            pytest.param("\n{{ 1 / 0 }}", 2, "division by zero", id="division"),
            pytest.param(
                "\n\n{{ 'a' + 1 }}", 3, 'can only concatenate str (not "int") to str', id="wrong type"
            ),
            pytest.param("{{ refuse() }}", 1, "KeyError: 'gone'", id="exception of a function"),
            pytest.param(
                "\n{{ 'a' | nest }}",
                2,
                "missing 1 required positional argument: 'width'",
                id="argument missing",
            ),
            pytest.param("\n{{ 'a' | nest(-1) }}", 2, "needs a number of blanks", id="argument wrong"),
            pytest.param(
                "{% macro m() %}{% endmacro %}\n{{ m(x=1) }}", 2, "takes no keyword argument 'x'", id="macro"
            ),
            pytest.param("\n{{ items() }}", 2, "'list' object is not callable", id="calling a list"),
            pytest.param(
                "\n{% for a, b in items %}{% endfor %}",
                2,
                "cannot unpack non-iterable int object",
                id="unpacking",
            ),
            pytest.param(
                "{% set a.b = 1 %}", 1, "cannot assign attribute on non-namespace object", id="set attribute"
            ),
            pytest.param(
                "\n{{ dynamic_reference('sm', 'a') }}", 2, "CloudFormation resolves no 'sm'", id="reference"
            ),
        ],
    )
    def test_the_line_and_the_reason_are_given(self, tmp_path, source, line, message):
        """An exception of a filter, a function or Python itself is a problem of the line that met it."""
        problem = complaint(tmp_path, source, {**track({"items": [1, 2]}), "refuse": refuse})
        assert (problem.file, problem.line) == ("templates/main", line)
        assert message in problem.message

    def test_the_innermost_template_is_blamed_and_the_way_there_told(self, tmp_path):
        """Inside includes and macros the problem names file and line at fault, and the way there."""
        problem = complaint(
            tmp_path,
            '\n{% include "part" %}\n',
            part='a\nb\n{% import "m" as m %}\n{{ m.half(0) }}\n',
            m="{% macro half(x) %}\n{% if true %}\n{{ 1 / x }}\n{% endif %}\n{% endmacro %}\n",
        )
        assert (problem.file, problem.line) == ("templates/m", 3)
        assert problem.message.endswith("reached from templates/main:2, templates/part:4")

    def test_a_line_on_the_way_is_told_once(self, tmp_path):
        """A macro that calls itself a few times before it fails is no long list."""
        source = (
            "{% macro m(n) %}\n{% if n %}\n{{ m(n - 1) }}\n{% else %}\n{{ 1 / 0 }}{% endif %}{% endmacro %}\n"
            "{{ m(5) }}"
        )
        problem = complaint(tmp_path, source)
        assert problem.line == 5
        assert problem.message.endswith("reached from templates/main:6, templates/main:3")

    def test_a_syntax_error_in_an_include_is_that_files(self, tmp_path):
        """A broken partial is blamed itself, and who includes it is told."""
        problem = complaint(tmp_path, '\n{% include "part" %}', part="a\n{{ b c }}\n")
        assert (problem.file, problem.line) == ("templates/part", 2)
        assert problem.message.endswith("reached from templates/main:2")

    def test_an_error_of_ours_passes_through(self, tmp_path):
        """What a function of the context already says for people isn't wrapped again."""

        def fail():
            raise ProjectError("no catalog")

        with pytest.raises(ProjectError, match="no catalog"):
            project(tmp_path, main="{{ fail() }}").render("main", {"fail": fail})

    @pytest.mark.parametrize(
        ("templates", "file", "line"),
        [
            pytest.param({"main": 'a\n{% include "main" %}\n'}, "main", 2, id="itself"),
            pytest.param(
                {
                    "main": '{% include "one" %}',
                    "one": '\n{% include "two" %}',
                    "two": '\n\n{% include "one" %}',
                },
                "one",
                2,
                id="through another",
            ),
            pytest.param(
                {"main": "{% macro m() %}\n{{ m() }}{% endmacro %}\n{{ m() }}"}, "main", 2, id="macro"
            ),
            pytest.param({"main": '{% extends "main" %}'}, "main", 1, id="extending itself"),
        ],
    )
    def test_endless_recursion_ends_with_the_line_that_began_it(self, tmp_path, templates, file, line):
        """A circle of includes or macros is reported on the line of the circle that was reached first."""
        with pytest.raises(TemplateError) as caught:
            project(tmp_path, **templates).render("main", {})
        (problem,) = caught.value.problems
        assert (problem.file, problem.line) == (f"templates/{file}", line)
        assert problem.message == "templates include or macros call each other without end"

    @settings(max_examples=300)
    @given(st.lists(st.sampled_from(FRAGMENTS), max_size=9), st.booleans())
    def test_no_template_makes_a_traceback(self, tmp_path_factory, fragments, as_expressions):
        """Whatever is typed into a template either renders or gives one problem on one of its lines."""
        folder = tmp_path_factory.mktemp("project")
        source = "".join(f"{{{{ {piece} }}}}" if as_expressions else piece for piece in fragments)
        engine = project(
            folder, part="{% macro f(a) %}\n{{ a }}\n{% endmacro %}\n{% block b %}b{% endblock %}\n"
        )
        (folder / "templates" / "main").write_text(source)
        try:
            result = engine.render("main", track({"name": "n", "items": ["a", 2]}))
        except TemplateError as error:
            (problem,) = error.problems
            assert problem.file in ("templates/main", "templates/part")
            assert 0 <= problem.line <= max(source.count("\n") + 1, 5)
            assert problem.message
        else:
            assert len(result.origins) == len(result.text.split("\n")) - (result.text[-1:] in ("", "\n"))
