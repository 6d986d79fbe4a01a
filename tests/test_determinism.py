"""The same params and templates give the same bytes, wherever and whenever somebody renders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cases import CASES, ENVIRONMENTS, PROJECT, write_project

DUMP = """
import hashlib, sys
from pathlib import Path
from generator.params import load
from generator.rendering.engine import Engine
from generator.rendering.handover import hand_over
root = Path(sys.argv[1])
engine = Engine(root / "templates")
for outcome in load.load_all(root):
    made = hand_over(outcome.environment, root, engine)
    for name, content in made.files.items():
        print(outcome.name, name, hashlib.sha256(content).hexdigest())
    print(outcome.name, hashlib.sha256(repr(made.origins).encode()).hexdigest())
"""

SURROUNDINGS = (
    {"PYTHONHASHSEED": "0", "TZ": "Pacific/Kiritimati", "LANG": "C", "LC_ALL": "C", "USER": "somebody",
     "COLUMNS": "40"},
    {"PYTHONHASHSEED": "4242", "TZ": "America/Los_Angeles", "LANG": "tr_TR.UTF-8", "LC_ALL": "C.UTF-8", "USER": "root",
     "PYTHONUTF8": "0", "COLUMNS": "200"},
)


def start(*command: str, surroundings: dict[str, str], folder: Path) -> subprocess.Popen:
    """A process in surroundings of its own."""
    base = {key: value for key, value in os.environ.items() if key in ("PATH", "SYSTEMROOT")}
    return subprocess.Popen([sys.executable, *command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, env={**base, "PYTHONPATH": str(PROJECT), **surroundings})


def results(processes: list[subprocess.Popen]) -> list[str]:
    """What each process printed; it has to end well."""
    said = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        said.append(out)
    return said


@pytest.fixture
def copies(tmp_path):
    """Two copies of the project at paths of different length, with all cases among their environments."""
    roots = [tmp_path / "a", tmp_path / "a much longer name, with blanks" / "b"]
    for root in roots:
        root.mkdir(parents=True)
        for folder in ("params", "templates"):
            shutil.copytree(PROJECT / folder, root / folder)
        write_project(root, CASES)
    # The order in which a folder lists its files is that of their making, on some file systems.
    shutil.rmtree(roots[1] / "params")
    (roots[1] / "params").mkdir()
    for path in sorted((roots[0] / "params").iterdir(), reverse=True):
        shutil.copy(path, roots[1] / "params")
    return roots


def test_every_environment_is_byte_equal_anywhere(copies, tmp_path):
    """Another hash seed, time zone, language, user, folder and working directory change no byte and no origin."""
    one, other = results([start("-c", DUMP, str(root), surroundings=around, folder=folder) for root, around, folder in
                          zip(copies, SURROUNDINGS, (tmp_path, copies[1] / "params"))])
    assert one == other
    assert one.count(" template.yaml ") == len(CASES) + len(ENVIRONMENTS)


def test_the_command_writes_what_is_committed(tmp_path):
    """`render` in a copy of the project, from another folder and with empty caches, writes the committed files."""
    for folder in ("params", "templates"):
        shutil.copytree(PROJECT / folder, tmp_path / "copy" / folder)
    (tmp_path / "elsewhere").mkdir()
    results([start("-m", "generator", "--project", "../copy", "render", "dev", "staging", surroundings=SURROUNDINGS[0],
                   folder=tmp_path / "elsewhere")])
    for name in ("dev", "staging"):
        made, committed = tmp_path / "copy/rendered" / name, PROJECT / "rendered" / name
        files = sorted(path.relative_to(committed) for path in committed.rglob("*") if path.is_file())
        assert sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file()) == files
        assert all((made / file).read_bytes() == (committed / file).read_bytes() for file in files)
