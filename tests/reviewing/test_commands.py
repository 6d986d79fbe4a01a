"""`diff` and `review` in a project with a history."""

from __future__ import annotations

import json
import subprocess

import pytest

RETENTION = ("RetentionInDays: 30", "RetentionInDays: 7")
TEMPLATE = "rendered/one/template.yaml"


def git(project, *arguments: str) -> str:
    settings = (
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@example.com",
        "-c",
        "commit.gpgsign=false",
        "-c",
        "init.defaultBranch=main",
    )
    ran = subprocess.run(
        ["git", *settings, *arguments], cwd=project.root, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


@pytest.fixture
def history(project):
    """The project, rendered and committed on main."""
    git(project, "init", "--quiet")
    commit(project)
    return project


def commit(project) -> str:
    git(project, "add", "rendered", "params")
    git(project, "commit", "--quiet", "--message", "x")
    return git(project, "rev-parse", "HEAD")


class TestReview:
    def test_nothing_changed(self, history, cloakform):
        """A clean tree on main is compared with its newest commit: nothing, and fine."""
        ran = cloakform("review")
        assert (
            ran.code == 0
            and ran.out == "nothing under rendered/ changed\n"
            and "compared with HEAD" in ran.err
        )

    def test_what_is_not_committed_yet(self, history, cloakform):
        """On main the change is what isn't committed; only the environment that changed is reviewed."""
        history.replace(TEMPLATE, "Cpu: ", "Cpu: # more\n        ")
        assert cloakform("review").out.startswith("one: nothing changes")
        history.replace(TEMPLATE, *RETENTION)
        ran = cloakform("review")
        assert ran.code == 3 and "Not allowed yet" in ran.out and "two:" not in ran.out
        assert "--allow LogGroup.RetentionInDays" in ran.out

    def test_a_branch(self, history, cloakform):
        """On a branch, what it changed since it left main counts, not what main did meanwhile."""
        git(history, "checkout", "--quiet", "-b", "work")
        history.replace(TEMPLATE, *RETENTION)
        commit(history)
        git(history, "checkout", "--quiet", "main")
        history.replace("rendered/two/template.yaml", *RETENTION)
        commit(history)
        git(history, "checkout", "--quiet", "work")
        ran = cloakform("review")
        assert ran.code == 3 and "where this branch left main" in ran.err and "two:" not in ran.out
        found = json.loads(cloakform("review", "--base", "main", "--format", "json").out)["reviews"]
        assert [one["environment"] for one in found] == ["one", "two"]

    @pytest.mark.parametrize("base", ["", "origin/main", "-x"])
    def test_a_base_that_is_not_there(self, history, cloakform, base):
        """A base that git doesn't have, or that came to nothing, is an error and never another base."""
        history.replace(TEMPLATE, *RETENTION)
        ran = cloakform("review", f"--base={base}")
        assert ran.code == 2 and ran.out == "" and f"no revision {base!r}" in ran.err

    def test_leave(self, history, cloakform):
        """With leave the same change passes, and the report names who gave it."""
        history.replace(TEMPLATE, *RETENTION)
        assert cloakform("review", "--allow", "LogGroup").code == 0
        assert cloakform("review", "--allow", "Log").code == 3
        history.write(
            "allowances.yaml",
            "allowances:\n  - {id: LogGroup, environment: one, reason: audited elsewhere, "
            "expires: 2999-01-01}\n",
        )
        ran = cloakform("review")
        assert ran.code == 0 and "allowances.yaml:2: audited elsewhere, until 2999-01-01" in ran.out
        history.replace("allowances.yaml", "2999-01-01", "2001-01-01")
        ran = cloakform("review")
        assert ran.code == 3 and "expired on 2001-01-01" in ran.out

    def test_a_wrong_allowance(self, history, cloakform):
        """A file that can't be understood stops the review, with all that is wrong and where."""
        history.write(
            "allowances.yaml", "allowances:\n  - {id: '*', environment: onee, reason: x, expires: never}\n"
        )
        ran = cloakform("review")
        assert ran.code == 2 and ran.out == ""
        assert ran.err.count("allowances.yaml:2") == 3 and "did you mean one?" in ran.err

    def test_new_and_gone(self, history, cloakform):
        """A new environment is told as new; one whose folder is deleted stays deployed."""
        for name in history.rendered():
            if name.startswith("two/"):
                history.file(f"rendered/{name}").unlink()
        history.write("rendered/three/template.yaml", history.read(TEMPLATE))
        ran = cloakform("review")
        assert ran.code == 0 and "two" in ran.out and "deletes nothing" in ran.out
        assert "three: " in ran.out and " new" in ran.out

    def test_below_the_top_of_the_repository(self, project, cloakform):
        """A project in a folder of a larger repository is reviewed alike."""
        git(type("Top", (), {"root": project.root.parent}), "init", "--quiet")
        commit(project)
        project.replace(TEMPLATE, *RETENTION)
        assert cloakform("review").code == 3
        assert cloakform("diff", "HEAD:one", "one", "--exit-code").code == 1

    def test_formats_and_places(self, history, cloakform, tmp_path):
        """Markdown and JSON, printed or written where the caller says, never under rendered/."""
        history.replace(TEMPLATE, *RETENTION)
        assert cloakform("review", "--format", "markdown").out.startswith("## What this change does")
        ran = cloakform("review", "--format", "markdown", "-o", str(tmp_path / "review.md"))
        assert ran.code == 3 and ran.out == "" and "LogGroup" in (tmp_path / "review.md").read_text("utf-8")
        ran = cloakform("review", "-o", "rendered/one/REVIEW.md")
        assert ran.code == 2 and "under rendered/" in ran.err and "one/REVIEW.md" not in history.rendered()

    def test_it_reads_only(self, history, cloakform):
        """A review changes no file and no index."""
        history.replace(TEMPLATE, *RETENTION)
        before = history.rendered(), git(history, "status", "--porcelain")
        cloakform("review")
        assert (history.rendered(), git(history, "status", "--porcelain")) == before

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("--base", "nowhere"), ("no revision 'nowhere'", "fetch")),
            (("--base", "--output=x"), ("no revision",)),
            (("onne",), ("no environment onne", "did you mean one?")),
            (("--allow", "*"), ("names no single thing",)),
        ],
    )
    def test_wrong_usage(self, history, cloakform, arguments, words):
        """What isn't there is named with what to do, in a line, without a traceback."""
        ran = cloakform("review", *arguments)
        assert ran.code == 2 and ran.out == "" and all(word in ran.err for word in words)
        assert "Traceback" not in ran.err and not history.file("x").exists()

    def test_without_git(self, project, cloakform):
        """A project outside of git is told so, with what works there."""
        ran = cloakform("review")
        assert ran.code == 2 and "cloakform diff A B" in ran.err
        git(project, "init", "--quiet")
        ran = cloakform("review")
        assert ran.code == 2 and "no commit yet" in ran.err

    def test_a_broken_template(self, history, cloakform):
        """A template that can't be read is named with its line."""
        history.write(TEMPLATE, "Resources:\n  A: [\n")
        ran = cloakform("review")
        assert ran.code == 2 and "rendered/one/template.yaml:" in ran.err
        git(history, "checkout", "--", ".")
        history.write("rendered/one/stack.json", "{")
        ran = cloakform("review")
        assert ran.code == 2 and "stack.json is no JSON" in ran.err

    def test_a_page(self, history, cloakform, tmp_path):
        """The review as a page is written where it was asked for; the exit code is the same."""
        history.replace(TEMPLATE, *RETENTION)
        page = tmp_path / "review.html"
        ran = cloakform("review", "--format", "html", "-o", str(page))
        assert ran.code == 3 and ran.out == "" and "review.html written" in ran.err
        text = page.read_text("utf-8")
        assert text.startswith("<!doctype html>") and "LogGroup.RetentionInDays" in text and "<svg" in text
        inside = history.file("rendered/one/review.html")
        assert cloakform("review", "--format", "html", "-o", str(inside)).code == 2 and not inside.exists()

    def test_a_picture_for_a_pull_request(self, history, cloakform):
        """Markdown has a diagram of each environment that changes, and none where nothing does."""
        assert "```mermaid" not in cloakform("review", "one", "--format", "markdown").out
        history.replace(TEMPLATE, *RETENTION)
        text = cloakform("review", "--format", "markdown").out
        assert text.count("```mermaid\nflowchart TB\n") == 1
        assert "```mermaid" not in cloakform("review").out

    def test_hurry(self, history):
        """A review imports neither linter nor model nor template engine, nor what draws pictures."""
        import os
        import sys

        from tests.cases import PROJECT

        history.replace(TEMPLATE, *RETENTION)
        code = (
            "import sys\nfrom generator.cli import main\nsys.argv = ['cloakform', 'review']\n"
            "try:\n    main()\n"
            "except SystemExit as ended:\n    assert ended.code == 3\n"
            "print(*{*sys.modules, *(name.split('.')[0] for name in sys.modules)})"
        )
        ran = subprocess.run(
            [sys.executable, "-c", code],
            cwd=history.root,
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
        )
        modules = set(ran.stdout.splitlines()[-1].split())
        assert {"yaml", "generator"} <= modules and "generator.reviewing.diagram" not in modules
        assert not {"cfnlint", "pydantic", "jinja2", "boto3", "sympy", "rich"} & modules


class TestDiff:
    def test_files(self, history, cloakform, tmp_path):
        """Two templates anywhere, YAML or JSON; with --exit-code the answer is in it."""
        from generator.document import parse

        text = history.read(TEMPLATE)
        (tmp_path / "a.yaml").write_text(text, "utf-8")
        (tmp_path / "b.json").write_text(json.dumps(parse(text).data), "utf-8")
        (tmp_path / "c.yaml").write_text(text.replace(*RETENTION), "utf-8")
        ran = cloakform("diff", "a.yaml", "b.json", "--exit-code", folder=tmp_path)
        assert ran.code == 0 and "nothing changes" in ran.out
        assert cloakform("diff", "a.yaml", "c.yaml", folder=tmp_path).code == 0
        ran = cloakform("diff", "a.yaml", "c.yaml", "--exit-code", folder=tmp_path)
        assert ran.code == 1 and "RetentionInDays: 30 -> 7" in ran.out

    def test_a_page_outside_of_a_project(self, history, cloakform, tmp_path):
        """Two templates anywhere as a page: nothing of a project is needed for it."""
        text = history.read(TEMPLATE)
        (tmp_path / "a.yaml").write_text(text, "utf-8")
        (tmp_path / "b.yaml").write_text(text.replace(*RETENTION), "utf-8")
        ran = cloakform("diff", "a.yaml", "b.yaml", "--format", "html", folder=tmp_path)
        assert ran.code == 0 and ran.out.startswith("<!doctype html>") and "RetentionInDays" in ran.out

    def test_environments(self, history, cloakform):
        """Two environments without what comes from their names."""
        ran = cloakform("diff", "one", "two")
        assert ran.code == 0 and "Image: " in ran.out
        assert "keycloak-two" not in ran.out and "two.example.com" not in ran.out

    def test_revisions(self, history, cloakform):
        """One environment at two times."""
        first = commit_change(history)
        ran = cloakform("diff", f"{first}:one", "one")
        assert "LogGroup" in ran.out and "30 -> 7" in ran.out
        assert "7 -> 30" in cloakform("diff", "one", "HEAD~1:one").out
        assert "nothing changes" in cloakform("diff", "HEAD:one", "one").out

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("no.yaml", "can't be read"),
            ("HEAD:nine", "no environment nine"),
            ("nine", "no environment nine"),
            ("gone:one", "no revision 'gone'"),
            ("../x", "can't be read"),
        ],
    )
    def test_what_is_not_there(self, history, cloakform, name, words):
        """A name that is nothing is told with what there is."""
        for pair in ((name, "one"), ("one", name)):
            ran = cloakform("diff", *pair)
            assert ran.code == 2 and words in ran.err and ran.out == ""


def commit_change(project) -> str:
    """The commit before a change, which is committed."""
    first = git(project, "rev-parse", "HEAD")
    project.replace(TEMPLATE, *RETENTION)
    commit(project)
    return first
