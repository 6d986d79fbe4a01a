"""Finding a project and its environments."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from folders import write

from generator import folder as project_folder
from generator.errors import ProjectError
from generator.params import project


def names(environments: project.Environments) -> tuple[str, ...]:
    return tuple(one.name for one in environments.found)


def test_the_nearest_folder_upwards_is_the_project(root):
    """From anywhere inside, the nearest folder with both params/ and templates/ is found."""
    inner = root / "params/a/b"
    inner.mkdir(parents=True)
    assert project_folder.find(inner) == root
    assert project_folder.find(root) == root
    nested = root / "copies/one"
    (nested / "params").mkdir(parents=True)
    (nested / "templates").mkdir()
    assert project_folder.find(nested / "params") == nested


def test_a_folder_with_only_one_half_is_passed_over(root):
    """A params/ without templates/ beside it is no project."""
    (root / "docs/params").mkdir(parents=True)
    assert project_folder.find(root / "docs/params") == root


def test_a_start_may_be_relative(root, monkeypatch):
    """A relative start is counted from where the user is, and the answer is absolute."""
    monkeypatch.chdir(root / "params")
    assert project_folder.find(Path(".")) == root
    assert project_folder.given(Path("..")) == root


def test_no_project_says_what_was_looked_for(tmp_path):
    """Without a project the error names the start, what makes a project, and the way out."""
    with pytest.raises(ProjectError) as caught:
        project_folder.find(tmp_path)
    text = str(caught.value)
    assert str(tmp_path) in text and "params/ and templates/" in text and "--project" in text
    assert caught.value.exit_code == 2


def test_half_a_project_is_pointed_out(tmp_path):
    """Where only one of the two folders is there, the error says which one is missing, and where."""
    (tmp_path / "params").mkdir()
    (tmp_path / "templates").write_text("a file, not a folder")
    with pytest.raises(ProjectError, match="has no templates/ beside its params/") as caught:
        project_folder.find(tmp_path / "params")
    assert str(tmp_path) in str(caught.value)


def test_a_given_folder_is_not_searched_upwards(root):
    """A folder somebody named is the project or an error; its parents aren't asked."""
    assert project_folder.given(root) == root
    with pytest.raises(ProjectError, match="is no project folder: it has no params/ and no templates/"):
        project_folder.given(root / "params")
    with pytest.raises(ProjectError, match="doesn't exist"):
        project_folder.given(root / "gone")


def test_every_file_that_is_not_abstract_is_an_environment(root):
    """Environments are the params files without `abstract: true`, by name."""
    write(root, prod="a: 1\n", dev="extends: prod.yaml\n")
    write(root, base="abstract: true\n", eu="abstract: false\na: 1\n")
    found = project.environments(root)
    assert names(found) == ("dev", "eu", "prod")
    assert found.found[0] == project.Environment("dev", "params/dev.yaml")
    assert found.abstract == ("params/base.yaml",)
    assert found.problems == () and found.misnamed == ()


def test_abstract_is_not_inherited(root):
    """An environment that extends a base is no base for that."""
    write(root, base="abstract: true\na: 1\n", dev="extends: base.yaml\n")
    assert names(project.environments(root)) == ("dev",)


def test_other_files_are_left_alone(root):
    """Folders, schemas, backups and an editor's lock files are no params files."""
    for name in ("schema.json", "dev.yaml~", "dev.yaml.bak", ".hidden.yaml", "README.md", "yaml"):
        (root / f"params/{name}").write_text("a: [\n")
    (root / "params/.#dev.yaml").symlink_to("somebody@host.1234")
    (root / "params/shared").mkdir()
    (root / "params/shared/base.yaml").write_text("a: 1\n")
    found = project.environments(root)
    assert (names(found), found.misnamed, found.abstract, found.problems) == ((), (), (), ())


def test_a_broken_file_counts_as_an_environment(root):
    """A file that can't be read isn't lost: loading it will say what is wrong."""
    write(root, dev="a: [\n")
    assert names(project.environments(root)) == ("dev",)


def test_a_broken_base_is_not_called_misnamed(root):
    """Where reading stopped early, nobody knows whether the file is a base, so its name isn't judged."""
    write(root, _base="a: [\nabstract: true\n")
    found = project.environments(root)
    assert (found.misnamed, found.problems) == (("params/_base.yaml",), ())


@pytest.mark.parametrize("stem", ["a", "dev", "prod-eu-1", "a" * 31, "x9"])
def test_proper_names_are_left_alone(root, stem):
    """Lower-case letters, digits and hyphens, a letter first, up to 31."""
    write(root, **{stem: "a: 1\n"})
    assert names(project.environments(root)) == (stem,)
    assert project.environments(root).problems == ()


@pytest.mark.parametrize(
    ("stem", "right"),
    [
        pytest.param("Prod", "prod", id="capitals"),
        pytest.param("prod_eu", "prod-eu", id="an underscore"),
        pytest.param("prod eu", "prod-eu", id="a space"),
        pytest.param("1prod", "prod", id="a digit first"),
        pytest.param("-prod", "prod", id="a hyphen first"),
        pytest.param("prod.eu", "prod-eu", id="a dot"),
        pytest.param("a" * 32, "a" * 31, id="too long"),
        pytest.param("prüfung", "pr-fung", id="a letter beyond ASCII"),
        pytest.param("42", "env", id="nothing to keep"),
        pytest.param("Dev", "dev-2", id="a name whose right form is taken"),
    ],
)
def test_a_wrong_name_is_told_with_a_right_one(root, stem, right):
    """A name no environment can have gives one problem that names one it could have."""
    write(root, dev="a: 1\n", **{stem: "a: 1\n"})
    found = project.environments(root)
    (problem,) = found.problems
    assert (problem.file, problem.line) == (f"params/{stem}.yaml", 0)
    assert f"`{stem}`" in problem.message
    assert f"params/{right}.yaml" in problem.fix
    assert project.NAME.fullmatch(right)
    assert names(found) == ("dev",) and found.misnamed == (f"params/{stem}.yaml",)


def test_a_base_may_have_any_name(root):
    """Names of files that are only extended are left alone."""
    write(root, _Base="abstract: true\na: 1\n")
    assert project.environments(root).problems == ()


@pytest.mark.parametrize("name", ["prod.yml", "prod.YAML", "prod.YML"])
def test_another_suffix_is_told_to_be_renamed(root, name):
    """One suffix for all: a file that looks like params but ends otherwise isn't passed over in silence."""
    (root / f"params/{name}").write_text("a: 1\n")
    (problem,) = project.environments(root).problems
    assert problem.file == f"params/{name}"
    assert os.path.splitext(name)[1] in problem.message
    assert problem.fix == "rename it to params/prod.yaml"


def test_a_new_name_never_overwrites_a_file(root):
    """Where the right name is taken, another one is named."""
    write(root, prod="a: 1\n")
    (root / "params/prod.yml").write_text("a: 2\n")
    (problem,) = project.environments(root).problems
    assert problem.fix == "rename it to params/prod-2.yaml"


def test_a_name_that_no_terminal_should_see_is_shown_harmless(root):
    """Control characters and bytes that are no text don't reach a message."""
    (root / "params/a\x1b[31mb.yaml").write_text("a: 1\n")
    (root / os.fsdecode(b"params/c\xffd.yaml")).write_text("a: 1\n")
    texts = [str(problem) for problem in project.environments(root).problems]
    assert len(texts) == 2
    assert all("\x1b" not in text and text.encode() for text in texts)


def test_a_params_folder_that_leads_out_is_an_error(root, tmp_path):
    """A linked params/ outside the project is refused as a whole, not file by file."""
    (root / "params").rmdir()
    (tmp_path / "elsewhere").mkdir()
    (root / "params").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ProjectError, match="leads out of the project folder"):
        project.environments(root)


def test_a_params_folder_that_is_missing_is_an_error(root):
    """Without params/ there is an error, not an empty answer."""
    (root / "params").rmdir()
    with pytest.raises(ProjectError, match="can't be listed: No such file or directory"):
        project.environments(root)
