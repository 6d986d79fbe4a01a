"""The command line: what it prints where, its exit codes, and one clear sentence for whatever goes wrong."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from generator import __version__, cli
from generator.keycloak import catalog
from tests.cases import PROJECT

COMMANDS = ("adopt", "catalog", "check", "delete", "deploy", "diff", "drift", "drill", "events", "explain",
            "lint", "new", "outputs", "quick-create", "rehearse", "render", "review", "sandbox", "schema",
            "status", "upgrade")
ESCAPE = "\x1b"


def real(project, *arguments: str, env: dict | None = None) -> subprocess.CompletedProcess:
    """`python -m generator` as a process of its own."""
    around = {**os.environ, "PYTHONPATH": str(PROJECT), **(env or {})}
    return subprocess.run([sys.executable, "-m", "generator", *arguments], cwd=project.root, env=around,
                          capture_output=True, text=True, check=False, timeout=120)


def spoil_params(project) -> None:
    project.replace("params/two.yaml", "https://two.example.com", "two")


def edit_by_hand(project) -> None:
    project.replace("rendered/one/template.yaml", "RetentionInDays: 30", "RetentionInDays: 365")


class TestRender:
    def test_nothing_to_do_is_said(self, project, cloakform):
        """A second run touches no file and says that nothing changed; that is fine, so the code is 0."""
        times = {path: path.stat().st_mtime_ns for path in project.file("rendered").rglob("*")}
        ran = cloakform("render")
        assert (ran.code, ran.err) == (0, "")
        assert ran.out.endswith("nothing changed since the last render\n") and ran.out.count("unchanged") == 2
        assert {path: path.stat().st_mtime_ns for path in project.file("rendered").rglob("*")} == times

    def test_nothing_to_do_takes_no_libraries(self, project):
        """A run that finds nothing to do imports neither the linter nor the model nor the template engine."""
        code = ("import sys\nfrom generator.cli import main\nsys.argv = ['cloakform', 'render']\ntry:\n    main()\n"
                "except SystemExit as ended:\n    assert ended.code == 0\n"
                "print(*{name.split('.')[0] for name in sys.modules})")
        ran = subprocess.run([sys.executable, "-c", code], cwd=project.root, capture_output=True, text=True, check=True,
                             env={**os.environ, "PYTHONPATH": str(PROJECT)})
        *said, modules = ran.stdout.splitlines()
        assert "nothing changed since the last render" in said
        assert {"click", "generator"} <= set(modules.split())
        assert not {"cfnlint", "pydantic", "jinja2", "yaml", "sympy", "networkx"} & set(modules.split())

    def test_a_change_is_written_and_counted(self, project, cloakform):
        """What follows from a change is written, the rest is left alone, and the next run has nothing to do."""
        project.replace("params/one.yaml", "https://one", "https://eins")
        before = project.rendered()
        ran = cloakform("render")
        assert ran.code == 0
        assert re.search(r"^one .* none +2 files written", ran.out, re.MULTILINE)
        assert re.search(r"^two .* 1 warning +unchanged", ran.out, re.MULTILINE)
        after = project.rendered()
        assert sorted(name for name in after if after[name] != before[name]) == ["one/RUNBOOK.md", "one/template.yaml"]
        assert "nothing changed" in cloakform("render").out

    def test_a_hand_edit_is_undone(self, project, cloakform):
        """Rendering puts back what rendering gives."""
        before = project.rendered()
        edit_by_hand(project)
        assert cloakform("render").code == 0
        assert project.rendered() == before

    def test_an_environment_can_be_named(self, project, cloakform):
        """Only the named environment is rendered; the other stays stale, and the next full run renders it."""
        project.replace("params/base.yaml", "retention_days: 30", "retention_days: 14")
        ran = cloakform("render", "two")
        assert ran.code == 0 and "one" not in ran.out
        assert "RetentionInDays: 30" in project.read("rendered/one/template.yaml")
        assert "RetentionInDays: 14" in project.read("rendered/two/template.yaml")
        assert re.search(r"^one .* 1 file written", cloakform("render").out, re.MULTILINE)

    def test_naming_an_unchanged_environment_is_as_fast(self, cloakform):
        """A named environment that has nothing to do says so, without the other."""
        ran = cloakform("render", "one")
        assert "nothing changed" in ran.out and "two" not in ran.out

    def test_one_bad_environment_keeps_no_other_from_being_written(self, project, cloakform):
        """The one with a problem stays as it was, the other is written, and the code says that something is wrong."""
        project.replace("params/base.yaml", "retention_days: 30", "retention_days: 14")
        spoil_params(project)
        ran = cloakform("render")
        assert ran.code == 2
        assert "params/two.yaml:3: error: keycloak.hostname: 'two' is not an https:// address" in ran.err
        assert "write https://two" in ran.err
        assert re.search(r"^one .* 1 file written", ran.out, re.MULTILINE)
        assert re.search(r"^two +- +- +1 error.* not written", ran.out, re.MULTILINE)
        assert "RetentionInDays: 30" in project.read("rendered/two/template.yaml")
        assert cloakform("render").code == 2, "a run with an error is never remembered as done"

    def test_a_problem_in_the_base_is_said_once(self, project, cloakform):
        """Both environments have it, nobody is written, and the line of the base is named one time."""
        project.replace("params/base.yaml", "2048", "2000")
        before = project.rendered()
        ran = cloakform("render")
        assert ran.code == 2
        line = project.line("params/base.yaml", "memory")
        assert ran.err.count(f"params/base.yaml:{line}: error: service.memory") == 1
        assert ran.out.count("not written") == 2
        assert project.rendered() == before

    def test_a_finding_of_error_level_keeps_it_from_being_written(self, project, cloakform):
        """The linter's error is shown with rendered line, template line and params key; the code is 1."""
        project.replace("templates/resources/logs.yaml.j2", "{{ settings.keycloak.log.retention_days }}",
                        "{{ settings.keycloak.log.retention_days }}1")
        before = project.rendered()
        ran = cloakform("render", "one")
        line = 1 + project.read("rendered/one/template.yaml").splitlines().index("      RetentionInDays: 30")
        assert ran.code == 1
        said = rf"^rendered/one/template.yaml:{line}:\d+ error E3030 301 is not one of"
        assert re.search(said, ran.err, re.MULTILINE)
        assert ("    from templates/resources/logs.yaml.j2:9, params/base.yaml:7 keycloak.log.retention_days\n"
                in ran.err)
        assert project.rendered() == before

    def test_warnings_keep_nothing_from_being_written(self, project, cloakform):
        """A warning is shown with what to do about it, and the files are written all the same."""
        project.replace("params/two.yaml", "https://two", "https://zwei")
        ran = cloakform("render")
        assert ran.code == 0
        assert "warning: keycloak.image.kind: the stock image" in ran.err and "write optimized" in ran.err
        assert "zwei" in project.read("rendered/two/template.yaml")

    def test_what_rendering_makes_no_more_is_removed(self, project, cloakform):
        """Files of an earlier choice go, and it is said."""
        project.replace("params/one.yaml", "    providers: [files/theme.jar]\n", "")
        ran = cloakform("render")
        assert "removed rendered/one/image/providers/theme.jar: rendering makes no such file" in ran.err
        assert not project.file("rendered/one/image/providers").exists()

    def test_folders_without_params_are_named(self, project, cloakform):
        """What an environment that is gone left behind is pointed out, not deleted."""
        project.write("rendered/old/template.yaml", "x")
        ran = cloakform("render")
        assert ran.code == 0
        assert "rendered/old/ has no params file: delete it if the environment is gone" in ran.err
        assert project.file("rendered/old/template.yaml").exists()

    def test_no_cache_does_everything_again(self, project, cloakform):
        """With --no-cache an unchanged project is rendered and linted; nothing differs."""
        ran = cloakform("render", "--no-cache", "one")
        assert ran.code == 0 and "nothing changed" not in ran.out
        assert re.search(r"^one .* unchanged", ran.out, re.MULTILINE)


class TestCheck:
    def test_a_fresh_render_is_current(self, cloakform):
        """Nothing is stale after a render, and the code is 0."""
        ran = cloakform("check")
        assert ran.code == 0 and ran.out.count("unchanged") == 2

    def test_a_hand_edit_is_shown_with_cause_and_cure(self, project, cloakform):
        """The diff leads from what somebody wrote to what rendering gives; then why, and what to do."""
        edit_by_hand(project)
        ran = cloakform("check")
        assert ran.code == 1
        assert "--- rendered/one/template.yaml\n+++ rendered/one/template.yaml (as rendered)\n" in ran.out
        assert "-      RetentionInDays: 365\n+      RetentionInDays: 30\n" in ran.out
        assert "rendered/ is stale (one)" in ran.err and "by hand" in ran.err and "make render" in ran.err
        assert "RetentionInDays: 365" in project.read("rendered/one/template.yaml"), "check writes nothing"

    def test_changed_params_are_stale(self, project, cloakform):
        """Params that changed without a render are found, and only the environments that differ are named."""
        project.replace("params/one.yaml", "https://one", "https://eins")
        ran = cloakform("check")
        assert ran.code == 1 and "rendered/ is stale (one)" in ran.err
        assert re.search(r"^one .* 2 files differ", ran.out, re.MULTILINE)

    def test_a_missing_and_an_extra_file_are_stale(self, project, cloakform):
        """A file that is missing and one that rendering doesn't make are both named."""
        project.file("rendered/one/tags.json").unlink()
        project.write("rendered/one/notes.txt", "mine")
        ran = cloakform("check", "one")
        assert ran.code == 1
        assert "rendered/one/notes.txt: rendering makes no such file" in ran.out
        assert '+    "Key": "Environment",' in ran.out

    def test_binary_files_are_named_without_a_diff(self, project, cloakform):
        """A provider that changed in rendered/ can't be shown, only named."""
        project.file("rendered/one/image/providers/theme.jar").write_bytes(b"\x00\xff")
        assert "rendered/one/image/providers/theme.jar: stale, not text" in cloakform("check").out

    def test_an_environment_can_be_named(self, project, cloakform):
        """A stale environment that isn't asked for doesn't count."""
        edit_by_hand(project)
        assert cloakform("check", "two").code == 0
        assert cloakform("check", "one").code == 1

    def test_folders_without_params_are_an_error(self, project, cloakform):
        """What nobody renders any more must not stay in review; naming an environment leaves it out."""
        project.write("rendered/old/template.yaml", "x")
        ran = cloakform("check")
        assert ran.code == 1 and "rendered/old/ has no params file" in ran.err
        assert cloakform("check", "one").code == 0

    def test_wrong_params_are_2_even_if_something_is_stale(self, project, cloakform):
        """Bad input outranks stale output; what can be compared is compared."""
        edit_by_hand(project)
        spoil_params(project)
        ran = cloakform("check")
        assert ran.code == 2 and "+      RetentionInDays: 30" in ran.out

    def test_it_never_writes(self, project, cloakform):
        """Whatever is wrong, rendered/ and the memory of the last render stay as they are."""
        project.replace("params/one.yaml", "https://one", "https://eins")
        before, memory = project.rendered(), project.read(".cache/render.json")
        cloakform("check")
        assert (project.rendered(), project.read(".cache/render.json")) == (before, memory)


class TestLint:
    def test_a_clean_project_has_no_findings(self, project, cloakform):
        """The number of environments and findings goes to standard error, so that a pipe stays empty."""
        ran = cloakform("lint", "one")
        assert (ran.code, ran.out) == (0, "")
        assert ran.err == "1 environment linted, 0 findings\n"

    def test_findings_are_the_result(self, project, cloakform):
        """Findings go to standard output, with their origin; an error makes the code 1, and nothing is written."""
        self.spoil(project)
        before = project.rendered()
        ran = cloakform("lint")
        assert ran.code == 1
        assert ran.out.count("error E3030") == 2 and ran.out.count("from templates/resources/logs.yaml.j2:9") == 2
        assert "2 environments linted, 2 findings" in ran.err
        assert project.rendered() == before

    @staticmethod
    def spoil(project):
        project.replace("templates/resources/logs.yaml.j2", "{{ settings.keycloak.log.retention_days }}",
                        "{{ settings.keycloak.log.retention_days }}1")

    def test_every_format_can_be_read(self, project, cloakform):
        """JSON, SARIF and JUnit parse and hold the finding with its place; GitHub gets an annotation."""
        self.spoil(project)
        (finding,) = json.loads(cloakform("lint", "one", "--format", "json").out)
        assert (finding["rule"], finding["params_key"]) == ("E3030", "keycloak.log.retention_days")
        sarif = json.loads(cloakform("lint", "one", "--format", "sarif").out)
        (result,) = sarif["runs"][0]["results"]
        assert sarif["version"] == "2.1.0" and result["ruleId"] == "E3030"
        suites = ElementTree.fromstring(cloakform("lint", "one", "--format", "junit").out)
        assert len(suites.findall(".//failure")) == 1
        github = cloakform("lint", "one", "--format", "github").out
        assert github.startswith("::error file=templates/resources/logs.yaml.j2,line=9,title=E3030"), "where to mend it"

    def test_formats_without_findings_are_whole(self, cloakform):
        """Nothing to say is still a document."""
        assert json.loads(cloakform("lint", "one", "--format", "json").out) == []
        assert json.loads(cloakform("lint", "one", "--format", "sarif").out)["runs"][0]["results"] == []
        ElementTree.fromstring(cloakform("lint", "one", "--format", "junit").out)
        assert cloakform("lint", "one", "--format", "github").out.strip() == ""


class TestJson:
    def test_render_and_check_give_rows(self, project, cloakform):
        """Both print one object with a row per environment; an unchanged run as well."""
        rows = json.loads(cloakform("render", "--format", "json").out)
        assert [row["environment"] for row in rows["environments"]] == ["one", "two"]
        assert rows["note"] == "nothing changed since the last render"
        edit_by_hand(project)
        checked = json.loads(cloakform("check", "--format", "json").out)
        assert checked["environments"][0]["files"] == "1 file differ"
        assert [one["path"] for one in checked["stale"]] == ["rendered/one/template.yaml"]
        assert checked["orphans"] == []
        rendered = json.loads(cloakform("render", "--format", "json").out)
        assert rendered["environments"][0] == {
            "environment": "one", "resources": rows["environments"][0]["resources"],
            "bytes": rows["environments"][0]["bytes"], "errors": 0, "warnings": 0, "files": "1 file written"}

    def test_problems_stay_out_of_the_json(self, project, cloakform):
        """With a problem the output still parses; the problem itself is on standard error."""
        spoil_params(project)
        ran = cloakform("render", "--format", "json")
        assert ran.code == 2
        assert json.loads(ran.out)["environments"][1]["errors"] == 1
        assert "params/two.yaml:3" in ran.err

    def test_explain_gives_an_object(self, project, cloakform):
        """The key and its history as values; without a key, all keys."""
        line = project.line("params/base.yaml", "memory")
        found = json.loads(cloakform("explain", "service.memory", "one", "--format", "json").out)
        assert (found["key"]["path"], found["value"]) == ("service.memory", "2048")
        assert found["chain"] == [{"file": "params/base.yaml", "line": line, "text": "2048"}]
        every = json.loads(cloakform("explain", "--format", "json").out)
        assert {"account", "service.memory", "network.egress[].port"} <= {key["path"] for key in every}


class TestOutput:
    def test_quiet_leaves_results_and_errors(self, project, cloakform):
        """With -q no summary and no warning is printed; an error, a diff and a requested document are."""
        project.replace("params/two.yaml", "https://two", "https://zwei")
        ran = cloakform("-q", "render")
        assert (ran.code, ran.out, ran.err) == (0, "", "")
        edit_by_hand(project)
        assert "+      RetentionInDays: 30" in cloakform("-q", "check").out
        assert json.loads(cloakform("-q", "render", "--format", "json").out)["environments"]
        spoil = "https://zwei.example.com"
        project.replace("params/two.yaml", spoil, "zwei")
        assert "keycloak.hostname" in cloakform("-q", "render").err

    @pytest.mark.parametrize("arguments", [
        ("-q", "render"), ("render", "-q"), ("render", "one", "--quiet"), ("--quiet", "render", "one")])
    def test_common_options_stand_anywhere(self, cloakform, arguments):
        """An option that every command has may stand before or after the command's name."""
        ran = cloakform(*arguments)
        assert (ran.code, ran.out, ran.err) == (0, "", "")

    @pytest.mark.parametrize("place", [("--project", "{}", "check"), ("check", "--project", "{}"),
                                       ("check", "--project={}"), ("check", "--project", "{}/")])
    def test_the_project_may_be_named(self, cloakform, place, tmp_path):
        """From any folder, --project leads to the project; it may be relative."""
        (tmp_path / "elsewhere").mkdir()
        ran = cloakform(*(part.format("../project") for part in place), folder=tmp_path / "elsewhere")
        assert ran.code == 0 and "unchanged" in ran.out

    def test_the_project_is_found_upwards(self, project, cloakform):
        """From a folder inside, the nearest project upwards is meant."""
        ran = cloakform("render", folder=project.file("params"))
        assert ran.code == 0 and "nothing changed" in ran.out

    def test_a_pipe_gets_no_escape_codes(self, project, cloakform, monkeypatch):
        """Off a terminal no output has colour, whatever happens."""
        edit_by_hand(project)
        spoil_params(project)
        monkeypatch.setenv("TERM", "xterm-256color")
        ran = real(project, "check")
        assert ran.stdout and ran.stderr and ESCAPE not in ran.stdout + ran.stderr
        for arguments in (("render", "nope"), ("explain", "service.memory", "one"), ("--help",)):
            ran = cloakform(*arguments)
            assert ran.out + ran.err and ESCAPE not in ran.out + ran.err

    def test_colour_can_be_asked_for_and_refused(self, project, cloakform, monkeypatch):
        """--color paints a diff even in a pipe; NO_COLOR doesn't stop what was asked for, --no-color does."""
        edit_by_hand(project)
        assert ESCAPE in cloakform("--color", "check").out
        assert ESCAPE not in cloakform("--no-color", "check").out
        monkeypatch.setenv("NO_COLOR", "1")
        assert ESCAPE not in cloakform("check").out

    def test_a_terminal_gets_colour_unless_told_otherwise(self, project):
        """On a terminal a diff is painted; NO_COLOR and --no-color leave every escape code out of it."""
        edit_by_hand(project)
        assert ESCAPE in terminal(project, "check", env={"TERM": "xterm"})
        for arguments, env in ((("check",), {"NO_COLOR": "1"}), (("--no-color", "check"), {})):
            said = terminal(project, *arguments, env={"TERM": "xterm", **env})
            assert "RetentionInDays: 365" in said
            assert not re.search(r"\x1b\[\d+(;\d+)*m", said)

    def test_names_that_no_terminal_shows_stop_nothing(self, project):
        """An encoding without a letter shows its number instead, on both streams."""
        project.write("params/base.yaml", project.read("params/base.yaml") + "tags: {Team: Bücher}\n")
        env = {"PYTHONIOENCODING": "iso8859-5:strict", "PYTHONUTF8": "0"}
        ran = real(project, "render", "one", env=env)
        assert ran.returncode == 2 and "'B\\xfccher' is not a tag value" in ran.stderr
        project.replace("params/base.yaml", "tags: {Team: Bücher}\n", "")
        project.replace("params/base.yaml", "  log:", "  options: {KC_SPI_THEME_WELCOME_THEME: Bücher}\n  log:")
        ran = real(project, "explain", "keycloak.options.KC_SPI_THEME_WELCOME_THEME", "one", env=env)
        assert (ran.returncode, ran.stderr) == (0, "") and "B\\xfccher" in ran.stdout

    def test_a_reader_that_leaves_is_no_error_message(self, project):
        """`cloakform explain | head -1` ends without a word."""
        command = f'"{sys.executable}" -m generator explain | head -1'
        ran = subprocess.run(["bash", "-c", command], cwd=project.root, capture_output=True, text=True, check=True,
                             env={**os.environ, "PYTHONPATH": str(PROJECT)})
        assert ran.stdout.startswith("account ") and ran.stderr == ""

    def test_help_names_every_command(self, cloakform):
        """The overview lists all commands with a sentence; each has a help of its own."""
        ran = cloakform("--help")
        assert ran.code == 0
        for command in COMMANDS:
            assert re.search(rf"^  {command} +[A-Z]", ran.out, re.MULTILINE)
            assert cloakform(command, "-h").code == 0
        assert sorted(cli.cli.commands) == list(COMMANDS)

    def test_the_version_is_printed(self, cloakform):
        """One line with the program and its version."""
        assert cloakform("--version").out == f"cloakform, version {__version__}\n"


def terminal(project, *arguments: str, env: dict) -> str:
    """What `python -m generator` writes to a terminal."""
    import pty

    leader, follower = pty.openpty()
    around = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR", "CI")}
    process = subprocess.Popen([sys.executable, "-m", "generator", *arguments], cwd=project.root, stdin=follower,
                               stdout=follower, stderr=follower, env={**around, "PYTHONPATH": str(PROJECT), **env})
    os.close(follower)
    said = b""
    try:
        while chunk := os.read(leader, 65536):
            said += chunk
    except OSError:
        pass  # Linux says that the other end was closed
    os.close(leader)
    process.wait(timeout=60)
    return said.decode()


class TestExplain:
    def test_a_key_without_an_environment(self, cloakform):
        """Meaning, type, unit and default of a key."""
        ran = cloakform("explain", "service.memory")
        assert ran.code == 0 and ran.err == ""
        assert "Memory of a task" in ran.out and "MiB" in ran.out and re.search(r"default +2048", ran.out)

    def test_a_key_in_an_environment(self, project, cloakform):
        """The value and the line that set it."""
        line = project.line("params/base.yaml", "memory")
        said = cloakform("explain", "service.memory", "one").out
        assert re.search(rf"in one +2048 +set at params/base.yaml:{line}\n", said)
        assert re.search(r"in one +2 +the default", cloakform("explain", "service.tasks", "one").out)

    def test_an_unknown_key_names_the_nearest(self, cloakform):
        """A slip is answered with the key that was meant."""
        ran = cloakform("explain", "service.memroy")
        assert ran.code == 2 and ran.out == ""
        assert "there is no key `service.memroy` (did you mean service.memory" in ran.err

    def test_an_environment_with_a_problem_says_it(self, project, cloakform):
        """Where params are wrong there is no value to explain, but a problem to mend."""
        spoil_params(project)
        ran = cloakform("explain", "service.memory", "two")
        assert ran.code == 2 and "params/two.yaml:3: error: keycloak.hostname" in ran.err
        assert cloakform("explain", "service.memory", "one").code == 0

    def test_without_a_key_all_are_listed(self, cloakform):
        """Every key of the model with its meaning, one per line."""
        lines = cloakform("explain").out.splitlines()
        assert len(lines) > 120 and all(re.match(r"\S+ +\S", line) for line in lines)


class TestNew:
    def test_what_is_new_renders(self, project, cloakform):
        """The example becomes an environment that renders without an error as it stands."""
        project.write("params/base.yaml", "abstract: true\ntags: {Team: identity}\n")
        for name in ("one", "two"):
            project.file(f"params/{name}.yaml").unlink()
        shutil.rmtree(project.file("rendered"))
        ran = cloakform("new", "qa-2")
        assert ran.code == 0
        assert ran.out == "params/qa-2.yaml: fill it in, then run `cloakform render qa-2`\n"
        assert f"version: {catalog.versions()[-1]}" in project.read("params/qa-2.yaml")
        assert "extends: base.yaml" in project.read("params/qa-2.yaml")
        ran = cloakform("render", "qa-2")
        assert ran.code == 0 and " error" not in ran.err
        assert project.file("rendered/qa-2/template.yaml").exists()

    def test_it_stands_alone_where_there_is_no_base(self, project, cloakform):
        """Without params/base.yaml the new file extends nothing and renders all the same."""
        for name in ("base", "one", "two"):
            project.file(f"params/{name}.yaml").unlink()
        assert cloakform("new", "qa").code == 0
        assert "extends" not in project.read("params/qa.yaml")
        assert cloakform("check", "qa").code == 1, "nothing is rendered yet, and nothing else is wrong"

    @pytest.mark.parametrize("name", ["one", "base"])
    def test_nothing_is_overwritten(self, project, cloakform, name):
        """A file that is there stays as it is."""
        before = project.read(f"params/{name}.yaml")
        ran = cloakform("new", name)
        assert ran.code == 2 and f"params/{name}.yaml is there already" in ran.err
        assert project.read(f"params/{name}.yaml") == before

    @pytest.mark.parametrize("name", [
        "", "Prod", "a/b", "../x", "1st", "a b", "x" * 32, "prod.yaml", ".x", "ä", "a\n"])
    def test_bad_names_are_refused(self, project, cloakform, name):
        """A name becomes part of a stack's and of DNS names, so only plain ones go; nothing is written."""
        before = sorted(project.file("params").iterdir())
        ran = cloakform("new", name)
        assert ran.code == 2 and "can't name an environment (write small letters" in ran.err
        assert sorted(project.file("params").iterdir()) == before


class TestSchema:
    def test_stale_files_are_found_and_made(self, project, cloakform):
        """--check says which file is stale and writes nothing; without it both are written, then nothing is stale."""
        ran = cloakform("schema", "--check")
        assert ran.code == 1 and ran.out.count("is stale: run `cloakform schema`") == 2
        assert not project.file("docs").exists()
        ran = cloakform("schema")
        assert (ran.code, ran.out) == (0, "params/schema.json written\ndocs/params.md written\n")
        assert cloakform("schema", "--check").code == 0 and cloakform("schema").out == ""

    def test_a_check_finds_them_where_they_are(self, project, cloakform):
        """`check` needs neither file, names one that isn't what the model gives, and leaves it as it is."""
        assert cloakform("check").code == 0
        cloakform("schema")
        assert cloakform("check").code == 0
        project.file("params/schema.json").write_bytes(b"\xff")
        ran = cloakform("check")
        assert ran.code == 1 and "params/schema.json is stale: run `cloakform schema`" in ran.err
        assert json.loads(cloakform("check", "--format", "json").out)["old"] == ["params/schema.json"]
        assert cloakform("check", "one").code == 0, "an environment is another question"
        assert project.file("params/schema.json").read_bytes() == b"\xff"
        assert cloakform("schema").out == "params/schema.json written\n"

    def test_a_new_schema_is_no_reason_to_be_slow(self, project, cloakform):
        """Editors read the schema, rendering doesn't; both still agree on what there is to do."""
        cloakform("schema")
        assert cloakform("render").code == 0


def remove(path):
    def change(project):
        target = project.file(path)
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    return change


def write(path, text):
    def change(project):
        if project.file(path).is_dir():
            shutil.rmtree(project.file(path))
        project.write(path, text)
    return change


def replace(path, old, new):
    return lambda project: project.replace(path, old, new)


def make_folder(path):
    def change(project):
        for place in (project.file(path), project.file(path).parent):
            if place.is_file():
                place.unlink()
        project.file(path).mkdir(parents=True)
    return change


def nothing(project):
    pass


OUTPUTS, SKELETON = "templates/outputs.yaml.j2", "templates/keycloak.yaml.j2"
MISUSE = {
    "no templates": (remove("templates"), ("render",), "no project in"),
    "no params": (remove("params"), ("render",), "has no params/ beside its templates/"),
    "a project that isn't there": (nothing, ("--project", "nowhere", "render"), "doesn't exist"),
    "a project that is none": (nothing, ("--project", "params", "render"), "is no project folder"),
    "a project that is a file": (nothing, ("--project", "params/one.yaml", "render"), "is a file"),
    "a project without a name": (nothing, ("render", "--project"), "requires an argument"),
    "an empty params folder": (make_folder("params/x"), ("render", "x"), "there is no environment 'x'"),
    "an environment that isn't there": (nothing, ("render", "tow"), "did you mean two?"),
    "an abstract file": (nothing, ("render", "base"), "there is no environment 'base'"),
    "an unknown command": (nothing, ("rendr",), "Did you mean 'render'?"),
    "a command far from any": (nothing, ("xyzzy",), "No such command 'xyzzy'"),
    "an unknown option": (nothing, ("render", "--fast"), "No such option"),
    "an unknown format": (nothing, ("render", "--format", "xml"), "'xml' is not one of 'text', 'json'"),
    "a format that only lint has": (nothing, ("check", "--format", "sarif"), "is not one of"),
    "explaining two environments": (nothing, ("explain", "service", "one", "two"), "unexpected extra argument"),
    "explaining what isn't there": (nothing, ("explain", "nonsense"), "there is no key `nonsense`"),
    "explaining in an environment that isn't there": (
        nothing, ("explain", "service", "three"), "no environment 'three'"),
    "new without a name": (nothing, ("new",), "Missing argument"),
    "params that are no YAML": (write("params/two.yaml", "a: [1\n"), ("render",), "params/two.yaml:1"),
    "params that are empty": (write("params/two.yaml", ""), ("render",), "the file is empty"),
    "params that are a folder": (make_folder("params/two.yaml"), ("render",), "params/two.yaml"),
    "params that are bytes": (lambda project: project.file("params/two.yaml").write_bytes(b"\xff\xfe\x00"), ("render",),
                              "params/two.yaml"),
    "params with markup for a name": (write("params/[bold]x[.yaml", "a: 1\n"), ("render",), "can't be the name"),
    "params with an unknown key": (replace("params/two.yaml", "hostname", "hostnam"), ("render",), "hostname"),
    "params that extend nothing": (replace("params/two.yaml", "base.yaml", "bse.yaml"), ("render",),
                                   "write `extends: base.yaml`"),
    "a template that isn't there": (remove(OUTPUTS), ("render",), "outputs.yaml.j2"),
    "a template that is a folder": (make_folder(OUTPUTS), ("render",), "outputs.yaml.j2"),
    "a template that is bytes": (lambda project: project.file(OUTPUTS).write_bytes(b"\xff\xfe"), ("render",), OUTPUTS),
    "no skeleton": (remove(SKELETON), ("render",), "keycloak.yaml.j2"),
    "an empty skeleton": (write(SKELETON, ""), ("render",), "rendered/one/template.yaml"),
    "a tag that isn't closed": (write(OUTPUTS, "Outputs:\n{% if a %}\n"), ("render",), OUTPUTS),
    "a name that isn't there": (write(OUTPUTS, "Outputs: {{ outputz }}\n"), ("render",), "did you mean"),
    "a filter that isn't there": (write(OUTPUTS, "Outputs: {{ outputs | qq }}\n"), ("render",), f"{OUTPUTS}:1"),
    "a value that can't be printed": (write(OUTPUTS, "Outputs: {{ outputs }}\n"), ("render",), f"{OUTPUTS}:1"),
    "a division by zero": (write(OUTPUTS, "Outputs:\n  {{ 1 / 0 }}\n"), ("render",), f"{OUTPUTS}:2"),
    "a template that includes itself": (write(OUTPUTS, '{% include "outputs.yaml.j2" %}'), ("render",), OUTPUTS),
    "text that is no YAML": (write(OUTPUTS, "Outputs: [\n"), ("render",), "rendered/one/template.yaml"),
    "text that is no template": (write(SKELETON, "hello\n"), ("render",), "rendered/one/template.yaml"),
    "rendered is a file": (write("rendered", "mine"), ("render",), "rendered can't be written"),
    "an environment's folder is a file": (write("rendered/one", "mine"), ("render",), "rendered/one can't be written"),
    "rendered is a link": (lambda project: (project.file("rendered").rename(project.file("aside")),
                                            project.file("rendered").symlink_to("aside")), ("check",), "is a link"),
    "a rendered file is a folder": (make_folder("rendered/one/tags.json/deep"), ("check",), "rendered/ is stale"),
    "a provider that isn't there": (remove("files/theme.jar"), ("render",), "there is no file files/theme.jar"),
    "a cache that is a file": (write(".cache", "mine"), ("check", "one"), ""),
}


@pytest.mark.parametrize("case", MISUSE)
def test_misuse_is_one_clear_message(project, cloakform, case):
    """Whatever is wrong: no traceback, the code says it, the message names what and where."""
    change, arguments, message = MISUSE[case]
    change(project)
    ran = cloakform(*arguments)
    assert ran.code == (0 if case == "a cache that is a file" else 1 if "text that is no" in case or case in (
        "an empty skeleton", "a rendered file is a folder") else 2)
    assert message in ran.err
    assert "Traceback" not in ran.err + ran.out
    assert len(ran.err.splitlines()) < 25, ran.err


def test_a_template_defect_is_told_with_file_line_and_nearest_name(project, cloakform):
    """A slip in a template is answered with where it stands, for which environment, and what was probably meant."""
    project.replace("templates/resources/logs.yaml.j2", "retention_days", "retention_dayz")
    ran = cloakform("render")
    assert ran.code == 2
    for name in ("one", "two"):
        said = (rf"^templates/resources/logs.yaml.j2:9: error: .*`retention_dayz`, rendering {name}, "
                r"reached from templates/keycloak.yaml.j2:\d+\n    did you mean `retention_days`\?$")
        assert re.search(said, ran.err, re.MULTILINE)
    assert ran.out.count("not written") == 2


def test_a_deleted_folder_is_said(project, tmp_path):
    """Whoever stands in a folder that somebody deleted is told so."""
    gone = tmp_path / "gone"
    gone.mkdir()
    code = ("import os, sys\nfrom generator.cli import main\nos.rmdir(os.getcwd())\n"
            "sys.argv = ['cloakform', 'render']\nmain()")
    ran = subprocess.run([sys.executable, "-c", code], cwd=gone, capture_output=True, text=True, check=False,
                         env={**os.environ, "PYTHONPATH": str(PROJECT)})
    assert ran.returncode == 2
    assert ran.stderr == "cloakform: the folder that this runs in was deleted (change into a project)\n"


@pytest.mark.parametrize("arguments", [("explain",), ("render",), ("--help",)])
def test_a_standard_output_that_is_gone_is_no_traceback(project, arguments):
    """Started without a standard output a command does its work."""
    ran = subprocess.run(["bash", "-c", '"$0" -m generator "$@" >&-', sys.executable, *arguments], cwd=project.root,
                         env={**os.environ, "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


class TestInterrupt:
    CODE = """
import os, signal, sys
event, part = sys.argv.pop(1), sys.argv.pop(1)
seen = []
def hook(name, arguments):
    if name == event and part in str(arguments[:1]) and not seen:
        seen.append(1)
        os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(hook)
from generator.cli import main
main()
"""

    @staticmethod
    def interrupt(project, event: str, part: str) -> None:
        """Render in a process of its own that gets Ctrl-C at an event, such as the opening of a file."""
        ran = subprocess.run([sys.executable, "-c", TestInterrupt.CODE, event, part, "render"], cwd=project.root,
                             env={**os.environ, "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True,
                             check=False, timeout=120)
        assert (ran.returncode, ran.stdout) == (130, ""), ran.stderr
        assert ran.stderr.splitlines()[-1] == "cloakform: interrupted; nothing was left half written"

    @pytest.mark.parametrize("event, part", [
        pytest.param("open", "params/two.yaml", id="while params are read"),
        pytest.param("import", "cfnlint", id="while the linter starts")])
    def test_ctrl_c_before_anything_is_written_changes_nothing(self, project, event, part):
        """Code 130, a word, and rendered/ is as it was."""
        project.replace("params/base.yaml", "retention_days: 30", "retention_days: 5")
        (project.file(".cache/lint")).unlink()
        before = project.rendered()
        self.interrupt(project, event, part)
        assert project.rendered() == before

    @pytest.mark.parametrize("event, part, written", [
        pytest.param("open", "/new/template.yaml", [], id="while files are staged"),
        pytest.param("os.rename", "/new/", ["one"], id="while files are put in place")])
    def test_ctrl_c_while_files_are_written_leaves_every_folder_whole(self, project, event, part, written):
        """Each environment's folder is the old one or the new one, the next render has the rest to do."""
        right = project.rendered()
        for name in ("one", "two"):
            project.replace(f"rendered/{name}/template.yaml", "RetentionInDays: 30", "RetentionInDays: 365")
            project.write(f"rendered/{name}/old.txt", "rendering makes no such file")
        old = project.rendered()
        self.interrupt(project, event, part)
        for name in ("one", "two"):
            expected = right if name in written else old
            assert {path: content for path, content in project.rendered().items() if path.startswith(f"{name}/")} == {
                path: content for path, content in expected.items() if path.startswith(f"{name}/")}
        assert sorted({path.split("/")[0] for path in project.rendered()}) == ["one", "two"]
