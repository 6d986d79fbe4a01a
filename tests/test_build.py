"""What rendering, linting and comparing have to do with each other, environment by environment."""

from __future__ import annotations

import shutil

import pytest

from generator import build
from generator.errors import ProjectError

RETENTION = "{{ settings.keycloak.log.retention_days }}"


def built(project, *names: str) -> dict[str, build.Built]:
    return {one.name: one for one in build.build(project.root, names)}


def test_an_unchanged_project_differs_in_nothing(project):
    """What was rendered a moment ago has no findings but the params' warning, and no difference."""
    found = built(project)
    assert list(found) == ["one", "two"]
    assert [(one.errors, one.warnings, one.differences, one.findings) for one in found.values()] == [
        (0, 0, (), ()), (0, 1, (), ())]
    assert "keycloak.image.kind" in found["two"].problems[0].key


def test_numbers_are_those_of_the_template(project):
    """Resources and bytes of the summary are counted in template.yaml."""
    one = built(project, "one")["one"]
    text = project.read("rendered/one/template.yaml")
    assert one.size == len(text.encode())
    assert one.resources == text.count("\n    Type: AWS::") > 20


def test_building_writes_nothing_but_the_cache(project):
    """Only `write_out` writes: a build leaves every file of the project as it was."""
    project.replace("params/one.yaml", "https://one", "https://eins")

    def files():
        return {path: path.read_bytes() for path in project.root.rglob("*")
                if path.is_file() and ".cache" not in path.parts}

    before = files()
    assert built(project, "one")["one"].differences
    assert files() == before


def test_without_the_cache_the_answer_is_the_same(project):
    """The cache saves time and nothing else."""
    shutil.rmtree(project.file(".cache"))
    fresh = build.build(project.root, ("one",), use_cache=False)
    assert fresh == build.build(project.root, ("one",), use_cache=True)


class TestNames:
    def test_environments_can_be_named(self, project):
        """Only the named ones are rendered, in the order of their names."""
        assert list(built(project, "two")) == ["two"]
        assert list(built(project, "two", "one", "two")) == ["one", "two"]

    @pytest.mark.parametrize("name, hint", [
        pytest.param("tow", "did you mean two?", id="a slip"),
        pytest.param("production", "there are one, two", id="nothing near"),
        pytest.param("base", "there are one, two", id="an abstract file"),
        pytest.param("../one", "did you mean one?", id="a path"),
        pytest.param("", "there are one, two", id="nothing at all")])
    def test_an_unknown_name_is_refused(self, project, name, hint):
        """The message says which names there are, or the nearest one."""
        with pytest.raises(ProjectError) as caught:
            build.outcomes(project.root, (name,))
        assert f"no environment {name!r} ({hint}" in str(caught.value)

    def test_a_project_without_environments_says_how_to_start(self, project):
        """With nothing but a base there is nothing to render, and `new` makes the first one."""
        for name in ("one", "two"):
            project.file(f"params/{name}.yaml").unlink()
        with pytest.raises(ProjectError, match="no environment yet .*cloakform new dev"):
            build.build(project.root)


class TestOneBadEnvironment:
    def test_wrong_params_of_one_leave_the_other(self, project):
        """The one with a problem has neither files nor findings; the other is whole."""
        project.replace("params/two.yaml", "hostname: https://two.example.com", "hostname: two")
        found = built(project)
        assert found["two"].hand_over is None and found["two"].errors == 1 and found["two"].differences == ()
        assert (found["two"].resources, found["two"].size) == (0, 0)
        assert found["one"].errors == 0 and found["one"].hand_over is not None

    def test_a_template_that_fails_for_one_leaves_the_other(self, project):
        """A branch only one environment takes fails for that one only, and its problem names the environment."""
        project.replace("templates/outputs.yaml.j2", "Outputs:\n",
                        'Outputs:\n{% if environment == "two" %}\n  # {{ nothing }}\n{% endif %}\n')
        found = built(project)
        assert found["one"].errors == 0 and found["one"].hand_over is not None
        (problem,) = [one for one in found["two"].problems if one.severity == "error"]
        assert (problem.file, problem.line) == ("templates/outputs.yaml.j2", 3)
        assert "nothing" in problem.message and "two" in str(problem)

    def test_a_provider_that_vanishes_keeps_only_its_own_environment(self, project):
        """A file that goes while environments are rendered is a problem of the one that needs it; the other is whole."""
        def lose(step):
            if step == "rendering one":
                project.file("files/theme.jar").unlink()

        found = {one.name: one for one in build.build(project.root, progress=lose)}
        (problem,) = found["one"].problems
        assert found["one"].hand_over is None and problem.severity == "error"
        assert (problem.file, problem.line) == ("params/one.yaml", project.line("params/one.yaml", "providers"))
        assert "files/theme.jar can't be read" in problem.message
        assert found["two"].errors == 0 and found["two"].hand_over is not None

    def test_a_region_nobody_knows_keeps_only_its_own_environment(self, project):
        """A slip that only the linter sees is a finding of the one environment; the other is whole."""
        project.write("params/two.yaml", project.read("params/two.yaml") + "region: eu-centrl-1\n" + (
            "load_balancer: {certificate: create, hosted_zone: Z0123456789ABCDEFGHIJ}\n"))
        found = built(project)
        assert ("E9599", "error") in [(one.rule, one.severity) for one in found["two"].findings]
        assert found["one"].errors == 0 and found["one"].hand_over is not None

    def test_only_sound_environments_are_written(self, project):
        """`write_out` skips what has an error or no difference, and says what it wrote."""
        project.replace("params/base.yaml", "retention_days: 30", "retention_days: 14")
        project.replace("params/two.yaml", "https://two", "two")
        before = project.rendered()
        assert build.write_out(project.root, list(built(project).values())) == ["one"]
        after = project.rendered()
        assert {name for name in after if after[name] != before[name]} == {"one/template.yaml"}
        assert build.write_out(project.root, list(built(project).values())) == []


class TestFindings:
    def test_a_finding_knows_template_line_and_params_line(self, project):
        """What the linter sees in a rendered line leads to the template line that wrote it and the value behind it."""
        path = "templates/resources/logs.yaml.j2"
        project.replace(path, RETENTION, f"{RETENTION}1")
        one = built(project, "one")["one"]
        (finding,) = one.findings
        assert one.errors == 1 and finding.severity == "error" and "301" in finding.message
        assert one.hand_over.template.splitlines()[finding.line - 1] == "      RetentionInDays: 301"
        assert "retention_days" in project.read(path).splitlines()[finding.template_line - 1]
        assert (finding.file, finding.template_file) == ("rendered/one/template.yaml", path)
        assert (finding.params_key, finding.params_file) == ("keycloak.log.retention_days", "params/base.yaml")
        assert "retention_days" in project.read("params/base.yaml").splitlines()[finding.params_line - 1]

    def test_a_default_has_a_key_but_no_line(self, project):
        """Where the value stands in no file, the finding names its key alone."""
        project.replace("params/base.yaml", "  log: {retention_days: 30}\n", "")
        path = "templates/resources/logs.yaml.j2"
        project.replace(path, RETENTION, f"{RETENTION}1")
        (finding,) = built(project, "one")["one"].findings
        assert (finding.params_key, finding.params_file, finding.params_line) == ("keycloak.log.retention_days", "", 0)

    def test_text_that_reads_badly_is_an_error(self, project):
        """Blanks that a template leaves at the end of a line keep the environment from being written."""
        project.replace("templates/outputs.yaml.j2", "Outputs:\n", "Outputs: \n")
        one = built(project, "one")["one"]
        assert [finding.rule for finding in one.findings] == ["E9901"]
        assert one.findings[0].template_file == "templates/outputs.yaml.j2"

    def test_a_bucket_answers_for_size(self, project):
        """A template above 51,200 bytes is worth a warning, unless params name the bucket it goes through."""
        project.replace("templates/outputs.yaml.j2", "Outputs:\n", f"Outputs:\n{'  # padding' * 4000}\n")
        assert [finding.rule for finding in built(project, "one")["one"].findings] == ["W9595"]
        project.write("params/one.yaml", project.read("params/one.yaml") + "stack: {template_bucket: example-bucket}\n")
        assert built(project, "one")["one"].findings == ()


def test_progress_says_what_is_going_on(project):
    """Whoever waits is told each step, once."""
    said = []
    build.build(project.root, progress=said.append)
    assert said == ["reading params", "rendering one", "rendering two", "linting 2 templates"]
