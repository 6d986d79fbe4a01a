"""What nobody changed is not rendered again, and every change is noticed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from generator import stamp
from tests.cases import PROJECT

EXTRA = ["files/theme.jar"]
ROWS = [{"environment": "one"}]


def remembered(project):
    return stamp.load(project.root)


def remember(project, extra=()):
    stamp.store(project.root, list(extra), ROWS, stamp.inputs(project.root))


def test_an_unchanged_project_is_recognised(project):
    """After a render the summary of it is still there, a copy of the project included."""
    rows = remembered(project)
    assert [(row["environment"], row["errors"], row["warnings"]) for row in rows] == [("one", 0, 0), ("two", 0, 1)]


def test_times_do_not_count(project):
    """A file that was saved again as it is, or checked out anew, is no change."""
    for path in project.root.rglob("*"):
        os.utime(path, (1, 1))
    assert remembered(project) is not None


@pytest.mark.parametrize("leftover", ["params/__pycache__/x.pyc", "README.md", "docs/params.md", ".cache/other"])
def test_other_files_do_not_count(project, leftover):
    """What rendering doesn't read is no change."""
    project.write(leftover, "anything")
    assert remembered(project) is not None


def edit(path, old, new):
    return lambda project: project.replace(path, old, new)


@pytest.mark.parametrize("change", [
    pytest.param(edit("params/one.yaml", "https://one", "https://eins"), id="params of an environment"),
    pytest.param(edit("params/base.yaml", "2048", "4096"), id="a base"),
    pytest.param(edit("params/two.yaml", "extends", "# why\nextends"), id="a comment in params"),
    pytest.param(lambda project: project.write("params/three.yaml", "abstract: true\na: b\n"), id="more params"),
    pytest.param(lambda project: project.file("params/two.yaml").unlink(), id="params that went"),
    pytest.param(lambda project: project.file("params/two.yaml").rename(project.file("params/zwei.yaml")),
                 id="params with another name"),
    pytest.param(edit("templates/outputs.yaml.j2", "Outputs", "Outputs "), id="a template"),
    pytest.param(lambda project: project.write("templates/more.j2", ""), id="more templates"),
    pytest.param(edit("rendered/one/template.yaml", "2010", "2011"), id="a rendered file"),
    pytest.param(lambda project: project.file("rendered/one/tags.json").unlink(), id="a rendered file that went"),
    pytest.param(lambda project: project.write("rendered/one/mine.txt", "x"), id="a file beside the rendered ones"),
    pytest.param(lambda project: shutil.rmtree(project.file("rendered")), id="a clone without rendered files"),
    pytest.param(lambda project: project.file("files/theme.jar").write_bytes(b"other"), id="a provider"),
    pytest.param(lambda project: project.file("files/theme.jar").unlink(), id="a provider that went"),
])
def test_a_change_is_noticed(project, change):
    """Whatever goes into a render, or came out of it, is compared by content."""
    change(project)
    assert remembered(project) is None


def test_content_is_told_apart_from_names(project):
    """The end of one file and the beginning of the next can't be mistaken for each other."""
    project.write("params/a.txt", "xy")
    project.write("params/b.txt", "z")
    before = stamp.inputs(project.root)
    project.write("params/a.txt", "x")
    project.write("params/b.txt", "yz")
    assert stamp.inputs(project.root) != before


def test_a_folder_among_the_inputs_counts_whole(project):
    """A theme is a folder: another file in it is a change."""
    remember(project, ["files/theme"])
    assert remembered(project) == ROWS
    project.write("files/theme/login/more.css", "")
    assert remembered(project) is None


def test_a_change_of_the_program_is_noticed(tmp_path, project):
    """An edited module, catalog or new library renders anew, although params and templates are the same."""
    shutil.copytree(PROJECT / "generator", tmp_path / "copy/generator", ignore=shutil.ignore_patterns("__pycache__"))
    code = "import sys; from pathlib import Path; from generator import stamp; print(stamp.inputs(Path(sys.argv[1])))"

    def digest() -> str:
        ran = subprocess.run([sys.executable, "-B", "-c", code, str(project.root)], cwd=tmp_path / "copy",
                             capture_output=True, text=True, check=True)
        return ran.stdout

    first = digest()
    assert digest() == first == stamp.inputs(project.root) + "\n"
    with open(tmp_path / "copy/generator/keycloak/catalogs/26.7.4.json", "a") as file:
        file.write("\n")
    assert digest() != first


def test_a_file_saved_during_a_render_is_rendered_next_time(project):
    """Nobody knows whether it was read before or after the save, so such a render is not remembered."""
    project.file(".cache/render.json").unlink()
    before = stamp.inputs(project.root)
    project.replace("params/one.yaml", "https://one", "https://eins")
    stamp.store(project.root, EXTRA, ROWS, before)
    assert remembered(project) is None
    remember(project, EXTRA)
    assert remembered(project) == ROWS


@pytest.mark.parametrize("content", ["", "no JSON", "[]", "{}", '{"digest": 1, "rows": []}',
                                     '{"digest": "x", "extra": 3, "rows": []}', '{"extra": [{}], "digest": null}'])
def test_a_damaged_memory_is_none(project, content):
    """Whatever stands in the file, the worst that happens is a render."""
    project.write(".cache/render.json", content)
    assert remembered(project) is None


def test_a_folder_that_cannot_be_written_is_no_error(project):
    """Without a cache the next run renders again, and that is all."""
    shutil.rmtree(project.file(".cache"))
    project.write(".cache", "a file in the way")
    remember(project)
    assert remembered(project) is None
    assert project.read(".cache") == "a file in the way"


def test_the_cache_stays_out_of_git(project):
    """The folder says itself that it is not to be committed, whoever made it."""
    shutil.rmtree(project.file(".cache"))
    remember(project)
    assert project.read(".cache/.gitignore") == "*\n"
    assert sorted(path.name for path in project.file(".cache").iterdir()) == [".gitignore", "render.json"]
