"""`cloakform lint FILE`, `--explain`, `--list-rules` and docs/rules/: the linter for templates of
anybody's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "rules"))

from laying import laid  # noqa: E402

from generator.linting import pack, pages  # noqa: E402
from tests.cases import PROJECT  # noqa: E402

# Small, so that cfn-lint is quick, with a fault that only a rule about Keycloak sees.
TASK = """\
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: kc
          Image: quay.io/keycloak/keycloak%s
          Memory: 2048
          Command: [start]
          Environment:
            - {Name: %s, Value: "https://sso.example.com"}
"""
BAD = TASK % (":26.7.4", "KC_ADMIN_HOSTNAME")
NO_KEYCLOAK = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n"


def rules(out: str) -> set[str]:
    return {one["rule"] for one in json.loads(out)}


@pytest.fixture
def template(tmp_path):
    def write(text: str, name: str = "template.yaml") -> str:
        (tmp_path / name).write_text(text, "utf-8")
        return str(tmp_path / name)

    return write


class TestFiles:
    def test_a_fault_is_found_in_anybodys_template(self, template, cloakform):
        """A finding has file, line, id, what happens and the fix; an error makes the code 1."""
        file = template(BAD)
        ran = cloakform("lint", file)
        assert ran.code == 1
        assert f"{file}:11:16 error E9001 it is ignored without a word" in ran.out
        assert "    fix: write KC_HOSTNAME_ADMIN\n" in ran.out
        assert ran.err.startswith("1 file linted, ")

    def test_json_is_read_as_well(self, template, cloakform):
        """A template in JSON gives the same rule, at its own line."""
        text = json.dumps(laid("TaskInCluster: ~"), indent=1)
        ran = cloakform("lint", template(text, "template.json"), "--format", "json")
        assert "E9031" in rules(ran.out)

    def test_a_template_without_keycloak_is_left_alone(self, template, cloakform):
        """No Keycloak, no word about it: nothing found, code 0."""
        ran = cloakform("lint", template(NO_KEYCLOAK))
        assert (ran.code, ran.out) == (0, "") and ran.err == "1 file linted, 0 findings\n"

    def test_no_project_is_needed(self, template, tmp_path, cloakform):
        """A template can be linted in a folder that has nothing to do with this program."""
        ran = cloakform("lint", template(BAD), folder=tmp_path)
        assert ran.code == 1 and "E9001" in ran.out
        assert sorted(one.name for one in tmp_path.iterdir() if one.name != "project") == ["template.yaml"]

    def test_a_bare_name_is_a_file_where_there_is_one(self, template, tmp_path, cloakform):
        """`lint stack` lints the file of that name, if the folder has it."""
        template(BAD, "stack")
        assert "stack:11:16 error E9001" in cloakform("lint", "stack", folder=tmp_path).out

    def test_environments_and_files_go_together(self, template, cloakform):
        """Both can be named in one run; each is counted as what it is."""
        ran = cloakform("lint", "one", template(NO_KEYCLOAK))
        assert ran.code == 0 and "1 environment and 1 file linted" in ran.err

    def test_the_version_can_be_said(self, template, cloakform):
        """Without a tag an option of other versions is let through; told the version, the linter judges."""
        file = template(TASK % ("@sha256:" + "0" * 64, "KC_LOG_GELF_HOST"))
        assert "E9001" not in rules(cloakform("lint", file, "--format", "json").out)
        said = cloakform("lint", file, "--keycloak-version", "26.7.4", "--format", "json").out
        assert "E9001" in rules(said)

    def test_an_unknown_version_is_judged_by_the_nearest_and_says_so(self, template, cloakform):
        """A version that no catalog has is named with the one that is taken for it."""
        ran = cloakform("lint", template(NO_KEYCLOAK), "--keycloak-version", "26.4.1")
        assert ran.code == 0 and "26.4.1 is older than the known" in ran.err

    def test_what_only_informs_is_asked_for(self, template, cloakform):
        """Ids with I are said with --info, or where the template's Metadata includes them, and never fail a run."""
        text = json.dumps(laid("LoadBalancer: {Properties: {LoadBalancerAttributes: ~}}"), indent=1)
        file = template(text, "template.json")
        without, asked = (
            json.loads(cloakform("lint", file, "--format", "json", *more).out) for more in ([], ["--info"])
        )
        assert "info" not in {one["severity"] for one in without}
        informing = [one for one in asked if one["severity"] == "info"]
        assert informing and [one for one in asked if one not in informing] == without
        included = {**json.loads(text), "Metadata": {"cfn-lint": {"config": {"include_checks": ["I9"]}}}}
        said = cloakform("lint", template(json.dumps(included), "included.json"), "--format", "json").out
        assert {one["rule"] for one in informing if one["rule"].startswith("I9")} <= rules(said)

    def test_the_region_can_be_said(self, template, cloakform):
        """A region that isn't one is an error that names the nearest."""
        ran = cloakform("lint", template(NO_KEYCLOAK), "--region", "eu-centrall-1")
        assert ran.code == 1 and "did you mean eu-central-1?" in ran.out

    def test_a_file_that_is_no_template_is_a_finding(self, template, cloakform):
        """Broken YAML is E0000 at its line, not a traceback."""
        ran = cloakform("lint", template("Resources: [\n"))
        assert ran.code == 1 and "error E0000" in ran.out

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            pytest.param(["nothing.yaml"], "nothing.yaml can't be read: No such file", id="no such file"),
            pytest.param(["./params"], "can't be read: Is a directory", id="a folder"),
            pytest.param(["{bytes}"], "isn't text in UTF-8", id="no text"),
            pytest.param(["{file}", "--keycloak-version", "26"], "write all three numbers", id="no version"),
            pytest.param(
                ["one", "--keycloak-version", "26.7.4"], "is for files", id="a version for an environment"
            ),
        ],
    )
    def test_what_cannot_be_linted_is_one_sentence(self, arguments, words, template, tmp_path, cloakform):
        """Wrong usage is code 2 and says what to do."""
        (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
        names = {"{bytes}": str(tmp_path / "bytes.yaml"), "{file}": template(NO_KEYCLOAK)}
        ran = cloakform("lint", *(names.get(one, one) for one in arguments))
        assert ran.code == 2 and words in ran.err and "Traceback" not in ran.err


class TestPages:
    @pytest.mark.parametrize("name", ["E9031", "e9031"])
    def test_a_rule_is_explained(self, name, cloakform):
        """Its page is printed: what, why, examples, versions, source, and how to leave it out."""
        ran = cloakform("lint", "--explain", name)
        assert ran.code == 0
        assert ran.out.startswith("E9031 error: Tasks reach each other at the cluster's port\n")
        for words in (
            "Bad:",
            "Good:",
            "Keycloak: all",
            "https://www.keycloak.org/",
            "ignore_checks: [E9031]",
        ):
            assert words in ran.out

    @pytest.mark.parametrize(("asked", "near"), [("I9031", "E9031"), ("W9597", "E9597"), ("9031", "E9031")])
    def test_an_unknown_rule_names_the_nearest(self, asked, near, cloakform):
        """A slip of the pen is code 2 and a suggestion."""
        ran = cloakform("lint", "--explain", asked)
        assert ran.code == 2 and f"did you mean {near}?" in ran.err

    @pytest.mark.parametrize(("asked", "words"), [("E9598", "please report it"), ("e9599", "knows no region")])
    def test_a_finding_without_a_rule_is_told_all_the_same(self, asked, words, cloakform):
        """Two ids have no page, since no rule of the template's stands behind them; they are no slip of the pen."""
        ran = cloakform("lint", "--explain", asked)
        assert ran.code == 2 and words in ran.err and "did you mean" not in ran.err

    def test_all_rules_are_listed(self, cloakform):
        """A line for each rule, those about AWS too; as JSON with everything that is known about it."""
        listed = cloakform("lint", "--list-rules").out.splitlines()
        assert [line.split()[0] for line in listed] == [one.id for one in pack.all_rules()]
        known = json.loads(cloakform("lint", "--list-rules", "--format", "json").out)
        assert {one["id"] for one in known} == {one.id for one in pack.all_rules()}
        assert all(one["title"] and one["text"] and one["source_url"] for one in known)

    def test_pages_are_written_where_a_project_has_them(self, project, cloakform):
        """A project with docs/rules/ gets a page for each rule and an index, and loses that of a rule that is
        gone."""
        folder = project.file("docs/rules")
        cloakform("schema")
        assert not folder.exists(), "a project without the folder needs none"
        folder.mkdir(parents=True)
        project.write("docs/rules/E9000.md", "gone")
        assert "docs/rules/E9000.md is stale" in cloakform("check").err
        said = cloakform("schema").out
        assert "docs/rules/README.md written\n" in said and "docs/rules/E9000.md removed" in said
        assert {one.name for one in folder.iterdir()} == {
            "README.md",
            *(f"{one.id}.md" for one in pack.all_rules()),
        }
        assert cloakform("schema", "--check").code == 0

    def test_a_stale_page_is_found(self, project, cloakform):
        """`check` names a page that isn't what the rule says, and one that is missing."""
        project.file("docs/rules").mkdir(parents=True)
        cloakform("schema")
        project.write("docs/rules/E9031.md", "edited by hand")
        project.file("docs/rules/E9001.md").unlink()
        ran = cloakform("check")
        assert ran.code == 1
        for name in ("E9031", "E9001"):
            assert f"docs/rules/{name}.md is stale: run `cloakform schema`" in ran.err
        assert "E9008" not in ran.err

    def test_the_index_links_every_page(self):
        """No rule is without a line in the index, and no line without a page."""
        made = pages.made()
        index = made["docs/rules/README.md"]
        assert all(f"({name.rpartition('/')[2]})" in index for name in made if not name.endswith("README.md"))

    def test_examples_are_yaml_blocks(self):
        """What a page shows as an example is what the rule's docstring has, fenced."""
        page = pages.made()["docs/rules/E9031.md"]
        for example in pack.rule("E9031").examples():
            assert f"```yaml\n{example.text}```\n" in page
        assert page.count("```") == 2 * len(pack.rule("E9031").examples())


def test_this_projects_pages_are_there():
    """docs/rules/ is part of the project, so `check` holds it to what the rules say."""
    assert (PROJECT / "docs/rules/README.md").is_file()
