"""The engine: text as plain Jinja gives it, and complaints that a person can act on."""

from __future__ import annotations

import dataclasses
import enum
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from generator.errors import ProjectError, TemplateError
from generator.params.load import load_all
from generator.rendering import filters
from generator.rendering.engine import Engine, Rendered
from generator.rendering.handover import hand_over
from generator.rendering.origins import key_of, track

PROJECT = Path(__file__).parents[2]


class Service(BaseModel):
    cpu: int = 1024
    image: str = "quay.io/keycloak"

    @property
    def memory(self) -> int:
        return 2 * self.cpu


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    zone: str


class Mode(str, enum.Enum):
    DNS = "dns"


def project(folder: Path, **templates: str) -> Engine:
    """An engine over the given templates; `__` in a name is a slash."""
    for name, source in templates.items():
        path = folder / "templates" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source[1:]) if source.startswith("\n  ") else source, encoding="utf-8")
    return Engine(folder / "templates")


def render(folder: Path, source: str, context: dict | None = None, **templates: str) -> str:
    return project(folder, main=source, **templates).render("main", context or {}).text


def complaint(folder: Path, source: str, context: dict | None = None, **templates: str):
    """The one problem that rendering `main` raises."""
    with pytest.raises(TemplateError) as caught:
        project(folder, main=source, **templates).render("main", context or {}, name="prod")
    (problem,) = caught.value.problems
    return problem


class TestRendering:
    def test_tags_leave_no_blank_lines(self, tmp_path):
        """A tag or comment on a line of its own vanishes with its line; the final newline stays."""
        source = """
            {# comment #}
            a:
              {% if yes %}
              b: 1
              {% endif %}
            """
        assert render(tmp_path, source, {"yes": True}) == "a:\n  b: 1\n"

    def test_nothing_is_escaped(self, tmp_path):
        """Text for YAML goes out as it came in."""
        assert render(tmp_path, "{{ text }}", {"text": "<a & 'b'>"}) == "<a & 'b'>"

    def test_bools_are_spelled_as_yaml_does(self, tmp_path):
        """`true` and `false`, wherever the bool comes from; strings and numbers are printed as they are."""
        source = "{{ yes }} {{ not yes }} {{ 'True' }} {{ 10 }} {{ yes ~ 1 }} {{ [yes, 2] | join(',') }} {{ yes | string }}"
        assert render(tmp_path, source, {"yes": True}) == "true false True 10 true1 true,2 true"

    def test_a_join_reads_attributes(self, tmp_path):
        """`join` takes the attribute to join, as Jinja's own does."""
        assert render(tmp_path, "{{ all | join('+', attribute='zone') }}", {"all": [Record("a"), Record("b")]}) == "a+b"

    def test_the_filters_of_the_style_guide_are_there(self, tmp_path):
        """`q` quotes, `nest` indents what a macro returns, and dynamic references have a function."""
        source = """
            {% macro list(items) %}
            {% for item in items %}
            - {{ item | q }}
            {% endfor %}
            {% endmacro %}
            a:
              {{ list(["x", 1]) | nest(2) }}
            b: {{ dynamic_reference("ssm", "/theme") }}
            """
        assert render(tmp_path, source) == 'a:\n  - "x"\n  - "1"\nb: {{resolve:ssm:/theme}}\n'

    def test_what_a_macro_returns_is_just_its_text(self, tmp_path):
        """Length, comparison and truth of captured text see its characters and nothing else."""
        source = """
            {% macro nothing() %}{% endmacro %}
            {% macro word() %}ab{% endmacro %}
            {{ word() | length }} {{ word() == "ab" }} {{ {"ab": 1}[word()] }} {{ "yes" if nothing() else "no" }}
            """
        assert render(tmp_path, source) == "2 true 1 no\n"

    def test_a_byte_order_mark_is_not_text(self, tmp_path):
        """A mark that an editor left at the start of a partial doesn't end up inside the document."""
        engine = project(tmp_path, main='a\n{% include "part" %}\n')
        (tmp_path / "templates" / "part").write_bytes(b"\xef\xbb\xbfb\n")
        assert engine.render("main", {}).text == "a\nb\n"

    def test_windows_newlines_become_newlines(self, tmp_path):
        """The output has one kind of line end, whatever an editor wrote."""
        engine = project(tmp_path, main="")
        (tmp_path / "templates" / "main").write_bytes(b"a\r\n{{ 1 }}\r\n")
        assert engine.render("main", {}).text == "a\n1\n"

    def test_the_text_is_a_plain_string(self, tmp_path):
        """What leaves the engine carries nothing along."""
        assert type(project(tmp_path, main="a").render("main", {}).text) is str

    def test_a_changed_template_is_rendered_anew(self, tmp_path):
        """An engine that lives on, as while watching files, sees edits."""
        engine = project(tmp_path, main="a")
        assert engine.render("main", {}).text == "a"
        path = tmp_path / "templates" / "main"
        written = path.stat().st_mtime_ns
        path.write_text("b")
        os.utime(path, ns=(written + 10**9, written + 10**9))
        assert engine.render("main", {}).text == "b"

    def test_two_processes_give_the_same_bytes(self, tmp_path):
        """Rendering depends on no hash seed: two fresh interpreters agree, with and without compiled templates."""
        project(tmp_path, main="{% for n, v in all.items() %}\n{{ n }}={{ v | q }} {{ {'a': 1, 'b': 2} | join }}\n{% endfor %}\n")
        program = (
            "import sys; from pathlib import Path; from generator.rendering.engine import Engine\n"
            "names = {name: name.upper() for name in 'delta alpha charlie bravo'.split()}\n"
            "sys.stdout.write(Engine(Path(sys.argv[1])).render('main', {'all': names}).text)"
        )
        outputs = {
            subprocess.run(
                [sys.executable, "-c", program, str(tmp_path / "templates")],
                env={**os.environ, "PYTHONHASHSEED": seed}, cwd=PROJECT,
                check=True, capture_output=True, text=True,
            ).stdout
            for seed in ("1", "2", "3")
        }
        assert outputs == {'delta="DELTA" ab\nalpha="ALPHA" ab\ncharlie="CHARLIE" ab\nbravo="BRAVO" ab\n'}

    def test_jinja_is_imported_with_the_first_engine_only(self):
        """Importing the engine costs no Jinja: commands that render nothing don't wait for it."""
        program = "import sys, generator.rendering.engine; print('jinja2' in sys.modules)"
        shown = subprocess.run(
            [sys.executable, "-c", program], cwd=PROJECT, check=True, capture_output=True, text=True
        )
        assert shown.stdout == "False\n"


# --- Byte for byte what plain Jinja gives ------------------------------------------------------------------------

TEXT = st.text(st.sampled_from("ab:-#\"' \n\n\t\r\u2028\x85\x0bé"), max_size=8)
PIECES = st.recursive(
    st.one_of(
        TEXT,
        st.sampled_from([
            "{{ name }}", "{{ number }}", "{{ yes }}", "{{ no }}", "{{ name | q }}", "{{ number | q }}", "{{ lines }}",
            "{{ lines | nest(2) }}", "{{ name ~ number }}", "{{ items | join(', ') }}", "{{ service.name }}",
            "{{ service.open }}", "{{ name | upper }}", "{{ lines | trim }}", "{{ lines | indent(3) }}",
            "{{ m.one(name) }}", "{{ m.one(lines) | nest(4) }}", "{{ m.one(items | join) | trim }}",
            "{{ m.one(m.one(name)) | nest(1) | nest(2) }}", "{{ m.one(name) | length }}", "{{ m.one(name) | q }}",
            "{{ m.one(name) | upper }}", "{{ m.one(name) | replace('a', '') }}", "{{ m.one(name) | indent(2) }}",
            "{{ m.one(name) == m.one(lines) }}", "{{ 'a' in m.one(lines) }}", "{{ m.one(lines)[1:3] }}",
            "{{ m.one(name) + m.one(lines) }}", "{{ m.one(name) | wordcount }}", "{{ m.one(name) | reverse }}",
            "{# comment #}", "{#- trimmed\nlines -#}", "{% raw %}{{ raw }}{% endraw %}", "{% include 'part' %}",
            "{%- include 'part' -%}", "{% set alias = name %}{{ alias }}", "{{- name -}}", "\n{%- set a = 1 %}\n",
            "{{ 'x' if m.one(name) else 'y' }}", "{{ loop_free }}", "{{ [m.one(name), 'z'] | sort | join('|') }}",
        ]),
    ),
    lambda piece: st.tuples(
        st.sampled_from([
            ("{% if yes %}", "{% endif %}"), ("  {% if no %}\nno\n{% else %}", "{% endif %}\n"),
            ("{% if m.one(name) == m.one(name) %}", "{% endif %}"), ("{% if m.one('') %}", "{% endif %}"),
            ("{% if m.one(lines) | length > 4 %}", "{%- endif %}"),
            ("{% for item in items %}", "{% endfor %}"), ("\n{% for item in items -%}{{ item }}{{ loop.index }}", "{% endfor %}\n"),
            ("{% for key, value in mapping.items() %}\n{{ key }}: {{ value | q }}\n", "{% endfor %}\n"),
            ("{% for item in items if item != name %}{{ loop.last }}", "{% else %}none{% endfor %}"),
            ("{% for item in tree recursive %}{{ item[0] }}{{ loop(item[1]) | nest(2) }}", "{% endfor %}"),
            ("{% set block %}", "{% endset %}{{ block }}{{ block | length }}"),
            ("{% set block | trim %}", "{% endset %}[{{ block }}]"), ("{% filter upper %}", "{% endfilter %}"),
            ("{% filter nest(3) %}", "{% endfilter %}\n"), ("{% filter length | string %}", "{% endfilter %}"),
            ("{% call m.two() %}", "{% endcall %}"), ("{% call(value) m.three(items) %}{{ value }}", "{% endcall %}\n"),
            ("{% with name = 'inner' %}", "{% endwith %}"), ("{% macro own(x) %}{{ x }}", "{% endmacro %}{{ own(1) }}"),
        ]),
        st.lists(piece, max_size=4),
    ).map(lambda block: block[0][0] + "".join(block[1]) + block[0][1]),
    max_leaves=10,
)
CONTEXT = {
    "name": "an é", "number": 42, "yes": True, "no": False, "lines": "one\n\n two\n", "items": ["a", "b", "an é"],
    "mapping": {"k": "v", "l": "\u2028w"}, "service": {"name": "kc", "open": False}, "loop_free": "",
    "tree": [["a\n", [["b\n", []]]], ["c", []]],
}


def plain(folder: Path) -> jinja2.Environment:
    """Jinja as it comes, with the same whitespace and the same three rules for printing."""

    def nest(text, width):
        first, *rest = text.rstrip("\n").split("\n")
        return "\n".join([first, *(" " * width + line if line else "" for line in rest)])

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: str(value).lower() if isinstance(value, bool) else value,
    )
    environment.filters |= {"q": filters.q, "nest": nest}
    environment.globals["dynamic_reference"] = filters.dynamic_reference
    return environment


class TestAsPlainJinja:
    @settings(max_examples=250, deadline=None)
    @given(main=st.lists(PIECES, max_size=8), part=st.lists(TEXT, max_size=2), one=st.lists(TEXT, max_size=2))
    def test_the_text_is_the_same_byte_for_byte(self, tmp_path_factory, main, part, one):
        """Knowing where lines come from changes no character, whatever templates do with captured text."""
        folder = tmp_path_factory.mktemp("project") / "templates"
        folder.mkdir()
        sources = {
            "main": '{% import "m" as m %}\n' + "".join(main),
            "part": "{{ name }}" + "".join(part),
            "m": (
                "{% macro one(x) %}" + "".join(one) + "{{ x }}\n{% if x %}\n  more\n{% endif %}\n{% endmacro %}\n"
                "{% macro two() %}<{{ caller() }}>{{ caller() | nest(2) }}\n{% endmacro %}\n"
                "{% macro three(xs) %}\n{% for x in xs %}\n{{ caller(x) }}\n{% endfor %}\n{% endmacro %}\n"
            ),
        }
        for name, source in sources.items():
            (folder / name).write_bytes(source.encode())
        expected = plain(folder).get_template("main").render(CONTEXT)
        engine = Engine(folder)
        for context in (CONTEXT, track(CONTEXT)):
            result = engine.render("main", context)
            assert result.text == expected
            assert len(result.origins) == len(expected.split("\n")) - expected.endswith("\n") - (expected == "")

    def test_the_projects_own_templates_render_the_same(self):
        """The real templates, for every environment of the project, give the bytes that plain Jinja gives."""

        class Plain:
            """Jinja as it comes, with the engine's interface."""

            def render(self, template, context, *, name):
                return Rendered(plain(PROJECT / "templates").get_template(template).render(context), ())

        environments = [outcome.environment for outcome in load_all(PROJECT)]
        assert environments
        for environment in environments:
            ours = hand_over(environment, PROJECT, Engine(PROJECT / "templates"))
            assert ours.files == hand_over(environment, PROJECT, Plain()).files
            assert len(ours.origins) == ours.template.count("\n")


# --- Complaints --------------------------------------------------------------------------------------------------


class TestMissingNames:
    @pytest.mark.parametrize(
        ("source", "line", "message", "fix"),
        [
            pytest.param("a\n{{ serivce }}\n", 2, "`serivce` isn't defined", "`service`", id="misspelled name"),
            pytest.param("a\n\n{{ nope.b.c }}\n", 3, "`nope` isn't defined", "", id="unknown name"),
            pytest.param("{% if service.cpus %}\n{% endif %}", 1, "`service`, a value of type Service, has no `cpus`",
                         "`cpu`", id="field in a condition"),
            pytest.param("\n{{ service.memry }}", 2, "has no `memry`", "`memory`", id="property of a model"),
            pytest.param("\n{{ record.zon }}", 2, "has no `zon`", "", id="field of a slotted dataclass"),
            pytest.param("{{ options.KC_LGO }}", 1, "`options`, a mapping, has no `KC_LGO`", "`KC_LOG`", id="key"),
            pytest.param("{{ options.a }}", 1, "has no `a`", "there is `KC_LOG`", id="key like no other"),
            pytest.param("{{ names[7] }}", 1, "`names`, a list of 2, has no `7`", "", id="list index"),
            pytest.param("{{ names.0.x }}", 1, "`names.0`, a string, has no `x`", "", id="attribute of a string"),
            pytest.param("{{ service.cpu.x }}", 1, "`service.cpu`, a number, has no `x`", "", id="attribute of a number"),
            pytest.param("{% for n in names %}\n{{ loop.fist }}\n{% endfor %}", 2, "has no `fist`", "`first`", id="loop"),
            pytest.param("\n{% for n in nmaes %}{% endfor %}", 2, "`nmaes` isn't defined", "`names`", id="loop over it"),
            pytest.param("{% set local = 1 %}\n{{ lcoal }}", 2, "`lcoal` isn't defined", "`local`", id="name set here"),
            pytest.param("{% for item in names %}\n{{ itme }}{% endfor %}", 2, "`itme`", "`item`", id="loop variable"),
            pytest.param("\n{% set x = nope %}\n\n{{ x }}", 2, "`nope` isn't defined", "", id="used further down"),
            pytest.param("{% if false %}\n{% elif nope %}\n{% endif %}", 2, "`nope` isn't defined", "", id="elif"),
            pytest.param("\n{{ nope | q }}", 2, "`nope` isn't defined", "", id="into a filter"),
            pytest.param("\n{{ 'a' ~ nope }}", 2, "`nope` isn't defined", "", id="into a string"),
            pytest.param("\n{{ [nope] | join }}", 2, "`nope` isn't defined", "", id="into a join"),
            pytest.param("\n{% call nope() %}{% endcall %}", 2, "`nope` isn't defined", "", id="called"),
            pytest.param("\n{% include nope %}", 2, "`nope` isn't defined", "", id="included"),
        ],
    )
    def test_the_nearest_name_and_the_line_are_given(self, tmp_path, source, line, message, fix):
        """A missing name is reported on the line that spells it, with the name that was probably meant."""
        context = track({
            "service": Service(), "options": {"KC_LOG": "info"}, "names": ["a", "b"], "record": Record("z"),
        })
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
            tmp_path, '{% import "m" as m %}\n{{ m.enviroment() }}', m="{% macro environment() %}{% endmacro %}"
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
            tmp_path, '{% import "m" as m %}\n\n{{ m.box() }}', m="\n\n\n{% macro box(size) %}\n{{ size }}\n{% endmacro %}"
        )
        assert (problem.file, problem.line) == ("templates/main", 3)
        assert "'size' was not provided" in problem.message

    def test_a_name_passed_to_a_macro_is_reported_where_it_is_spelled(self, tmp_path):
        """The macro that stumbles over an undefined argument isn't where it has to be mended."""
        problem = complaint(tmp_path, '{% import "m" as m %}\n{{ m.box(nope) }}', m="{% macro box(x) %}\n{{ x }}\n{% endmacro %}")
        assert (problem.file, problem.line) == ("templates/main", 2)


class TestSyntax:
    @pytest.mark.parametrize(
        ("source", "line", "message", "fix"),
        [
            pytest.param("\n{{ 'a' | qq }}", 2, "there is no filter `qq`", "`q`", id="filter"),
            pytest.param("\n{% if true %}\n{{ 'a' | nst(2) }}{% endif %}", 3, "there is no filter `nst`", "`nest`",
                         id="filter in a branch"),
            pytest.param("{{ [1] | random }}", 1, "no filter `random`", "the same every time", id="random"),
            pytest.param("{{ [1] | tojson }}", 1, "no filter `tojson`", "use `q`", id="tojson"),
            pytest.param("{{ 1 is evn }}", 1, "there is no test `evn`", "`even`", id="test"),
            pytest.param("\n{% fro x in y %}\n{% endfor %}", 2, "there is no tag `fro`", "`for`", id="tag"),
            pytest.param("{% if a %}\n\n{% esle %}\n{% endif %}", 3, "there is no tag `esle`", "`else`", id="branch tag"),
            pytest.param("a\n{% if a %}\n\n\n", 2, "`{% if %}` is never closed", "`{% endif %}`", id="unclosed tag"),
            pytest.param("{% for x in y %}\n{% if x %}\n{% endfor %}\n", 3,
                         "`{% endfor %}` doesn't fit: the `{% if %}` of line 2 is open", "`{% endif %}`", id="crossed"),
            pytest.param("{% if a %}\n{% endif %}\n{% endif %}", 3, "`{% endif %}` closes nothing", "remove it", id="stray"),
            pytest.param("a\n{{ b }\n", 2, "`}` doesn't fit here", "", id="one brace missing"),
            pytest.param("a\n{{ b c }}\n", 2, "`{{ … }}` should end before `c`", "", id="two names"),
            pytest.param("{% if b c %}{% endif %}", 1, "`{% … %}` should end before `c`", "", id="two names in a tag"),
            pytest.param("{{ }}", 1, "an expression is missing", "", id="nothing to print"),
            pytest.param("a\n{{ b\n\n", 2, "never closed", "", id="unclosed expression"),
            pytest.param("a\n{{ $b }}", 2, "`$` has no meaning", "", id="foreign character"),
            pytest.param("a\n{{ 'b }}", 2, "`'` has no meaning", "", id="unclosed string"),
            pytest.param("a\nx=${#list[@]}\nb", 2, "`{#` opens a comment that is never closed", "${#", id="shell length"),
            pytest.param("a\n{% raw %}\nb", 2, "`{% raw %}` is never closed", "`{% endraw %}`", id="unclosed raw"),
            pytest.param("\n{% block a %}{% endblock %}\n{% block a %}{% endblock %}", 3, "block 'a' defined twice", "",
                         id="block twice"),
            pytest.param("\n{% autoescape true %}{% endautoescape %}", 2, "no HTML escapes", "remove", id="autoescape"),
            pytest.param("{{ f(a=1, a=2) }}", 0, "keyword argument repeated", "", id="what only Python notices"),
            pytest.param("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", 0, "nested too deeply", "", id="too deep"),
        ],
    )
    def test_a_mistake_is_named_on_its_line(self, tmp_path, source, line, message, fix):
        """Jinja's errors come with the template's line, in words, and with what to write instead where that is known."""
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
        """Whatever YAML would misread in Python's spelling is an error on its line, with what to do instead."""
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
            pytest.param("\n\n{{ 'a' + 1 }}", 3, 'can only concatenate str (not "int") to str', id="wrong type"),
            pytest.param("{{ refuse() }}", 1, "KeyError: 'gone'", id="exception of a function"),
            pytest.param("\n{{ 'a' | nest }}", 2, "missing 1 required positional argument: 'width'", id="argument missing"),
            pytest.param("\n{{ 'a' | nest(-1) }}", 2, "needs a number of blanks", id="argument wrong"),
            pytest.param("{% macro m() %}{% endmacro %}\n{{ m(x=1) }}", 2, "takes no keyword argument 'x'", id="macro"),
            pytest.param("\n{{ items() }}", 2, "'list' object is not callable", id="calling a list"),
            pytest.param("\n{% for a, b in items %}{% endfor %}", 2, "cannot unpack non-iterable int object", id="unpacking"),
            pytest.param("{% set a.b = 1 %}", 1, "cannot assign attribute on non-namespace object", id="set attribute"),
            pytest.param("\n{{ dynamic_reference('sm', 'a') }}", 2, "CloudFormation resolves no 'sm'", id="reference"),
        ],
    )
    def test_the_line_and_the_reason_are_given(self, tmp_path, source, line, message):
        """An exception of a filter, a function or Python itself is a problem of the template line that met it."""
        problem = complaint(tmp_path, source, {**track({"items": [1, 2]}), "refuse": refuse})
        assert (problem.file, problem.line) == ("templates/main", line)
        assert message in problem.message

    def test_the_innermost_template_is_blamed_and_the_way_there_told(self, tmp_path):
        """Inside includes and macros the problem names the file and line at fault, and how rendering got there."""
        problem = complaint(
            tmp_path,
            '\n{% include "part" %}\n',
            part='a\nb\n{% import "m" as m %}\n{{ m.half(0) }}\n',
            m="{% macro half(x) %}\n{% if true %}\n{{ 1 / x }}\n{% endif %}\n{% endmacro %}\n",
        )
        assert (problem.file, problem.line) == ("templates/m", 3)
        assert problem.message.endswith("reached from templates/main:2, templates/part:4")

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
                {"main": '{% include "one" %}', "one": '\n{% include "two" %}', "two": '\n\n{% include "one" %}'},
                "one", 2, id="through another",
            ),
            pytest.param({"main": "{% macro m() %}\n{{ m() }}{% endmacro %}\n{{ m() }}"}, "main", 2, id="macro"),
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

    FRAGMENTS = [
        "{{", "}}", "{%", "%}", "{#", "#}", "{{ name }}", "{{ x }}", " if name ", " else ", " for x in items ", " endfor ",
        " endif ", " name ", " x ", "|q", "|nest(2)", "|join", "\n", "(", ")", "[", "]", ".", "~", " 1 ", "'a'", "\"",
        " set y = ", " endset ", " include 'part' ", " import 'part' as m ", "m.f(x)", " macro f(a) ", " endmacro ",
        " is defined ", " call m.f(1) ", " endcall ", " filter upper ", " endfilter ", " extends 'part' ", " block b ",
        " endblock ", "{% if name %}", "{% endif %}", "{% for x in items %}", "{% endfor %}", "-%}", "{%-", "loop.index",
        "{% raw %}", "{% endraw %}", "/0", "**", ":", ",", "=", "{", "}", "self.b()", "super()", "caller()", "range(3)",
    ]

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.sampled_from(FRAGMENTS), max_size=9), st.booleans())
    def test_no_template_makes_a_traceback(self, tmp_path_factory, fragments, as_expressions):
        """Whatever is typed into a template either renders or gives one problem on one of its lines."""
        folder = tmp_path_factory.mktemp("project")
        source = "".join(f"{{{{ {piece} }}}}" if as_expressions else piece for piece in fragments)
        engine = project(folder, part="{% macro f(a) %}\n{{ a }}\n{% endmacro %}\n{% block b %}b{% endblock %}\n")
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


class TestTheFolder:
    @pytest.mark.parametrize("tag", ["include", "import", "extends"])
    def test_a_missing_template_names_the_nearest(self, tmp_path, tag):
        """A misspelled file is reported on the line that names it, with the file that was probably meant."""
        source = f'\n{{% {tag} "resources/servce.yaml.j2" {"as m " if tag == "import" else ""}%}}'
        problem = complaint(tmp_path, source, resources__service=".", **{"resources__service.yaml.j2": "a"})
        assert (problem.file, problem.line) == ("templates/main", 2)
        assert "there is no template `resources/servce.yaml.j2` in templates/" in problem.message
        assert problem.fix == "did you mean `resources/service.yaml.j2`?"

    def test_an_optional_include_may_be_missing(self, tmp_path):
        """`ignore missing` is Jinja's way to say so, and works."""
        assert render(tmp_path, 'a\n{% include "nope" ignore missing %}\nb\n') == "a\nb\n"

    def test_a_missing_main_template_concerns_the_file(self, tmp_path):
        """The template that was asked for is reported as a file, without a line."""
        with pytest.raises(TemplateError) as caught:
            project(tmp_path, **{"keycloak.yaml.j2": "a"}).render("keycloak.yml.j2", {})
        (problem,) = caught.value.problems
        assert (problem.file, problem.line) == ("templates/keycloak.yml.j2", 0)
        assert problem.fix == "did you mean `keycloak.yaml.j2`?"

    def test_a_missing_folder_is_a_missing_template(self, tmp_path):
        """An engine over a folder that isn't there complains when it is used."""
        engine = Engine(tmp_path / "templates")
        assert engine.list_templates() == []
        with pytest.raises(TemplateError, match="there is no template `main`"):
            engine.render("main", {})

    @pytest.mark.parametrize(
        "name", ["../secret", "resources/../../secret", "/etc/hostname", "./part", "a//b", "..\\\\secret", ""]
    )
    def test_names_that_leave_the_folder_are_refused(self, tmp_path, name):
        """A template is named by its path below the folder: no way up, no absolute path, one spelling each."""
        (tmp_path / "secret").write_text("secret")
        problem = complaint(tmp_path, f'\n{{% include "{name}" ignore missing %}}', part="a")
        assert (problem.file, problem.line) == ("templates/main", 2)
        assert "isn't a path inside the templates folder" in problem.message

    def test_links_that_leave_the_folder_are_refused(self, tmp_path):
        """A link to a file outside is outside; a link within the folder is a template."""
        engine = project(tmp_path, inside="in", main='{% include "near" %}', bad='{% include "far" %}')
        (tmp_path / "secret").write_text("secret")
        (tmp_path / "templates" / "near").symlink_to(tmp_path / "templates" / "inside")
        (tmp_path / "templates" / "far").symlink_to(tmp_path / "secret")
        assert engine.render("main", {}).text == "in"
        with pytest.raises(TemplateError, match="isn't a path inside the templates folder"):
            engine.render("bad", {})

    def test_a_file_that_is_not_text_is_named_with_its_line(self, tmp_path):
        """Bytes that aren't UTF-8 are reported where they stand."""
        engine = project(tmp_path, main='{% include "part" %}')
        (tmp_path / "templates" / "part").write_bytes(b"a\nb \xff\n")
        with pytest.raises(TemplateError) as caught:
            engine.render("main", {})
        (problem,) = caught.value.problems
        assert (problem.file, problem.line, problem.fix) == ("templates/part", 2, "save it as UTF-8")

    def test_a_folder_is_no_template(self, tmp_path):
        """Including a folder is like including nothing."""
        assert "there is no template `resources`" in complaint(tmp_path, '{% include "resources" %}', resources__a="a").message

    def test_templates_are_listed_by_name(self, tmp_path):
        """The list is sorted, names folders with a slash and leaves hidden files out."""
        engine = project(tmp_path, **{"main": "", "b__c": "", "a": "", ".hidden": "", ".git__config": "", "b__.swp": ""})
        assert engine.list_templates() == ["a", "b/c", "main"]


class TestCompiledTemplates:
    def entries(self, folder: Path) -> list[Path]:
        return sorted((folder / ".cache" / "templates").glob("*.cache"))

    def test_compiled_templates_are_kept_and_used(self, tmp_path):
        """A second engine renders the same from the cache, without compiling."""
        source = "{% for x in items %}\n{{ x }}\n{% endfor %}\n"
        context = track({"items": ["a"]})
        first = project(tmp_path, main=source).render("main", context)
        before = [(path, path.stat().st_mtime_ns) for path in self.entries(tmp_path)]
        assert len(before) == 1
        assert Engine(tmp_path / "templates").render("main", context) == first
        assert [(path, path.stat().st_mtime_ns) for path in self.entries(tmp_path)] == before

    def test_an_edit_counts_and_leaves_no_old_entry(self, tmp_path):
        """An entry is for one text of the template; the next text takes its place."""
        assert render(tmp_path, "a") == "a"
        assert render(tmp_path, "b") == "b"
        assert len(self.entries(tmp_path)) == 1

    @pytest.mark.parametrize("content", [b"", b"j2", b"nonsense" * 9, "cut"])
    def test_a_damaged_entry_is_made_anew(self, tmp_path, content):
        """An entry that was cut short or isn't ours costs a compilation, nothing else."""
        assert render(tmp_path, "a{{ 1 }}") == "a1"
        (entry,) = self.entries(tmp_path)
        whole = entry.read_bytes()
        entry.write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
        assert render(tmp_path, "a{{ 1 }}") == "a1"
        assert entry.read_bytes() == whole

    def test_a_cache_that_cannot_be_written_is_done_without(self, tmp_path):
        """A project folder that nobody may write to renders all the same."""
        (tmp_path / ".cache").write_text("a file in the way")
        assert render(tmp_path, "a{{ 1 }}") == "a1"
        assert (tmp_path / ".cache").read_text() == "a file in the way"

    def test_the_cache_keeps_itself_out_of_git(self, tmp_path):
        """Compiled templates never show up as something to commit."""
        render(tmp_path, "a")
        assert (tmp_path / ".cache" / "templates" / ".gitignore").read_text() == "*\n"

    def test_line_numbers_and_keys_survive_the_cache(self, tmp_path):
        """Complaints and origins from a cached template are those of a fresh one."""
        source = "a\n\n{{ nope }}\n"
        fresh = complaint(tmp_path, source)
        assert len(self.entries(tmp_path)) == 1
        assert complaint(tmp_path, source) == fresh
        assert fresh.line == 3


def test_keys_reach_python_functions(tmp_path):
    """A function that a template calls gets the tracked value itself."""
    seen = []
    render(tmp_path, "{{ look(service.cpu) }}", {**track({"service": Service()}), "look": lambda v: seen.append(key_of(v)) or v})
    assert seen == ["service.cpu"]
