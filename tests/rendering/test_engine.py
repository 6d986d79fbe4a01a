"""The engine: text as plain Jinja gives it, and complaints that a person can act on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest
from engines import Record, Service, complaint, project, render
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.errors import TemplateError
from generator.params.load import load_all
from generator.rendering import filters
from generator.rendering.engine import Engine, Rendered
from generator.rendering.handover import hand_over
from generator.rendering.origins import key_of, track
from tests.cases import PROJECT


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
        source = "{{ yes }} {{ not yes }} {{ 'True' }} {{ 10 }} {{ yes ~ 1 }} {{ [yes] | join }}"
        assert render(tmp_path, source, {"yes": True}) == "true false True 10 true1 true"

    def test_a_join_reads_attributes(self, tmp_path):
        """`join` takes the attribute to join, as Jinja's own does."""
        assert (
            render(tmp_path, "{{ all | join('+', attribute='zone') }}", {"all": [Record("a"), Record("b")]})
            == "a+b"
        )

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
            {{ word() | length }} {{ word() == "ab" }} {{ {"ab": 1}[word()] }}
            {{ "yes" if nothing() else "no" }}
            """
        assert render(tmp_path, source) == "2 true 1\nno\n"

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
        """Rendering depends on no hash seed: fresh interpreters agree, also on compiled templates."""
        project(
            tmp_path,
            main="{% for name in names | sort %}\n{{ name }}\n{% endfor %}\n{{ {'b': 1, 'a': 2} | join }}\n",
        )
        program = (
            "import sys; from pathlib import Path; from generator.rendering.engine import Engine\n"
            "names = set('delta alpha charlie bravo'.split())\n"
            "sys.stdout.write(Engine(Path(sys.argv[1])).render('main', {'names': names}).text)"
        )
        outputs = {
            subprocess.run(
                [sys.executable, "-c", program, str(tmp_path / "templates")],
                env={**os.environ, "PYTHONHASHSEED": seed},
                cwd=PROJECT,
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            for seed in ("1", "2", "3")
        }
        assert outputs == {"alpha\nbravo\ncharlie\ndelta\nba\n"}

    def test_jinja_is_imported_with_the_first_engine_only(self):
        """Importing the engine costs no Jinja: commands that render nothing don't wait for it."""
        program = "import sys, generator.rendering.engine; print('jinja2' in sys.modules)"
        shown = subprocess.run(
            [sys.executable, "-c", program], cwd=PROJECT, check=True, capture_output=True, text=True
        )
        assert shown.stdout == "False\n"


# --- Byte for byte what plain Jinja gives ---

TEXT = st.text(st.sampled_from("ab:-#\"' \n\n\t\r\u2028\x85\x0bé"), max_size=8)
EXPRESSIONS = (
    "{{ name }}¦{{ number }}¦{{ yes }}¦{{ no }}¦{{ name | q }}¦{{ number | q }}¦{{ lines }}¦"
    "{{ lines | nest(2) }}¦{{ name ~ number }}¦{{ items | join(', ') }}¦{{ service.name }}¦"
    "{{ service.open }}¦{{ name | upper }}¦"
    "{{ lines | trim }}¦{{ lines | indent(3) }}¦{{ m.one(name) }}¦{{ m.one(lines) | nest(4) }}¦"
    "{{ m.one(items | join) | trim }}¦{{ m.one(m.one(name)) | nest(1) | nest(2) }}¦"
    "{{ m.one(name) | length }}¦{{ m.one(name) | q }}¦{{ m.one(name) | upper }}¦"
    "{{ m.one(name) | replace('a', '') }}¦"
    "{{ m.one(name) | indent(2) }}¦{{ m.one(name) == m.one(lines) }}¦{{ 'a' in m.one(lines) }}¦"
    "{{ m.one(lines)[1:3] }}¦{{ m.one(name) + m.one(lines) }}¦{{ m.one(name) | wordcount }}¦"
    "{{ m.one(name) | reverse }}¦{{ 'x' if m.one(name) else 'y' }}¦{{ [m.one(name), 'z'] | join('|') }}¦"
    "{{- name -}}¦{# comment #}¦{#- trimmed\nlines -#}¦{% raw %}{{ raw }}{% endraw %}¦{% include 'part' %}¦"
    "{%- include 'part' -%}¦{% set alias = name %}{{ alias }}¦\n{%- set a = 1 %}\n"
).split("¦")
BLOCKS = (
    "{% if yes %}¦{% endif %}",
    "  {% if no %}\nno\n{% else %}¦{% endif %}\n",
    "{% if m.one(name) == m.one(name) %}¦{% endif %}",
    "{% if m.one('') %}¦{% endif %}",
    "{% if m.one(lines) | length > 4 %}¦{%- endif %}",
    "{% for item in items %}¦{% endfor %}",
    "\n{% for item in items -%}{{ item }}{{ loop.index }}¦{% endfor %}\n",
    "{% for key, value in mapping.items() %}\n{{ key }}: {{ value | q }}\n¦{% endfor %}\n",
    "{% for item in items if item != name %}{{ loop.last }}¦{% else %}none{% endfor %}",
    "{% for item in tree recursive %}{{ item[0] }}{{ loop(item[1]) | nest(2) }}¦{% endfor %}",
    "{% set block %}¦{% endset %}{{ block }}{{ block | length }}",
    "{% set block | trim %}¦{% endset %}[{{ block }}]",
    "{% filter upper %}¦{% endfilter %}",
    "{% filter nest(3) %}¦{% endfilter %}\n",
    "{% filter length | string %}¦{% endfilter %}",
    "{% call m.two() %}¦{% endcall %}",
    "{% call(value) m.three(items) %}{{ value }}¦{% endcall %}\n",
    "{% with name = 'inner' %}¦{% endwith %}",
    "{% macro own(x) %}{{ x }}¦{% endmacro %}{{ own(1) }}",
)
PIECES = st.recursive(
    TEXT | st.sampled_from(EXPRESSIONS),
    lambda piece: st.builds(
        lambda block, inner: block.replace("¦", "".join(inner)),
        st.sampled_from(BLOCKS),
        st.lists(piece, max_size=4),
    ),
    max_leaves=10,
)
CONTEXT = {
    "name": "an é",
    "number": 42,
    "yes": True,
    "no": False,
    "lines": "one\n\n two\n",
    "items": ["a", "b", "an é"],
    "mapping": {"k": "v", "l": "\u2028w"},
    "service": {"name": "kc", "open": False},
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
    @settings(max_examples=120)
    @given(main=st.lists(PIECES, max_size=8), part=st.lists(TEXT, max_size=2), one=st.lists(TEXT, max_size=2))
    def test_the_text_is_the_same_byte_for_byte(self, tmp_path_factory, main, part, one):
        """Knowing where lines come from changes no character, whatever templates do with captured text."""
        folder = tmp_path_factory.mktemp("project") / "templates"
        folder.mkdir()
        sources = {
            "main": '{% import "m" as m %}\n' + "".join(main),
            "part": "{{ name }}" + "".join(part),
            "m": (
                "{% macro one(x) %}"
                + "".join(one)
                + "{{ x }}\n{% if x %}\n  more\n{% endif %}\n{% endmacro %}\n"
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
            assert len(result.origins) == len(expected.split("\n")) - expected.endswith("\n") - (
                expected == ""
            )

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
        with pytest.raises(TemplateError, match="there is no template `main`"):
            engine.render("main", {})

    @pytest.mark.parametrize(
        "name", ["../secret", "resources/../../secret", "/etc/hostname", "./part", "a//b", "..\\\\secret", ""]
    )
    def test_names_that_leave_the_folder_are_refused(self, tmp_path, name):
        """A template is named by its path below the folder: no way up, nothing absolute, one spelling."""
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
        assert (
            "there is no template `resources`"
            in complaint(tmp_path, '{% include "resources" %}', resources__a="a").message
        )

    def test_templates_are_listed_by_name(self, tmp_path):
        """The list is sorted, names folders with a slash and leaves hidden files out."""
        others = {"b__c": "", "a": "", ".hidden": "", ".git__config": "", "b__.swp": ""}
        problem = complaint(tmp_path, "{% include 'nothing like it' %}", **others)
        assert problem.fix == "there is `a`, `b/c`, `main`"


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

    def test_an_entry_of_another_compiler_is_made_anew(self, tmp_path):
        """What an older version of the program compiled is not run by a newer one."""
        render(tmp_path, "a{{ 1 }}")
        (entry,) = self.entries(tmp_path)
        ours = entry.read_bytes()
        shutil.copytree(PROJECT / "generator", tmp_path / "newer" / "generator")
        with open(tmp_path / "newer" / "generator" / "rendering" / "compiling.py", "a") as module:
            module.write("# newer\n")
        program = (
            "import sys; from pathlib import Path; from generator.rendering.engine import Engine\n"
            "print(Engine(Path(sys.argv[1])).render('main', {}).text)"
        )
        command = [sys.executable, "-c", program, str(tmp_path / "templates")]
        shown = subprocess.run(command, cwd=tmp_path / "newer", check=True, capture_output=True, text=True)
        assert shown.stdout == "a1\n"
        assert self.entries(tmp_path) == [entry]
        assert entry.read_bytes() != ours

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
    render(
        tmp_path,
        "{{ look(service.cpu) }}",
        {**track({"service": Service()}), "look": lambda v: seen.append(key_of(v)) or v},
    )
    assert seen == ["service.cpu"]


def test_an_expression_is_evaluated_once(tmp_path):
    """Finding the key of a bool evaluates no function a second time."""
    made = []
    render(tmp_path, "{{ make().open }}", {"make": lambda: made.append(1) or {"open": True}})
    assert made == [1]
