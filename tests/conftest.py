"""What several test modules share: whole renders, each made once in a run."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from generator import cli, linting
from generator.document import Document, parse
from generator.params import load
from generator.params.load import Environment
from generator.rendering.engine import Engine
from generator.rendering.handover import HandOver, hand_over
from tests.cases import CASES, PROJECT, write_project


# A busy machine is no failure: no example has to be quick.
hypothesis_settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("patient")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    # Where a shell started these tests in the background: commands would inherit that and never see Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Whole:
    """One environment and everything that rendering it gives."""

    environment: Environment
    hand_over: HandOver

    @property
    def settings(self):
        return self.environment.settings

    @property
    def text(self) -> str:
        return self.hand_over.template

    @cached_property
    def document(self) -> Document:
        return parse(self.text)


class Wholes:
    """Renders by name: the project's own environments and all of `tests.cases`, each made when it is asked for."""

    def __init__(self, folder: Path):
        write_project(folder, CASES)
        self._engine = Engine(PROJECT / "templates")
        self._loaded = {one.name: (root, one) for root in (folder, PROJECT) for one in load.load_all(root)}
        self._made: dict[str, Whole] = {}
        self.names = tuple(sorted(self._loaded))

    def __getitem__(self, name: str) -> Whole:
        if name not in self._made:
            root, outcome = self._loaded[name]
            assert outcome.environment is not None, "\n".join(map(str, outcome.problems))
            self._made[name] = Whole(outcome.environment, hand_over(outcome.environment, root, self._engine))
        return self._made[name]


@pytest.fixture(scope="session")
def wholes(tmp_path_factory) -> Wholes:
    """Every environment of the project and of `tests.cases`, rendered."""
    return Wholes(tmp_path_factory.mktemp("cases"))


def lint_jobs(wholes: Wholes) -> list[linting.Job]:
    """What there is to lint of `wholes`, in the order of their names."""
    return [linting.Job(one.text, name, one.settings.region, one.settings.keycloak.version)
            for name in wholes.names for one in (wholes[name],)]


LINT = """
import json, sys
from generator import linting
linting.lint_many([linting.Job(**job) for job in json.load(sys.stdin)], cache=linting.Cache(sys.argv[1]))
"""


@pytest.fixture(scope="session", autouse=True)
def linting_ahead(request) -> Iterator[subprocess.Popen | None]:
    """A process that lints `wholes` into the cache beside the tests, where any of them asks for `findings`."""
    if not any("findings" in getattr(item, "fixturenames", ()) for item in request.session.items):
        yield None
        return
    jobs = lint_jobs(request.getfixturevalue("wholes"))
    with subprocess.Popen([sys.executable, "-c", LINT, PROJECT], cwd=PROJECT, stdin=subprocess.PIPE, text=True,
                          encoding="utf-8") as process:
        with process.stdin:
            json.dump([vars(job) for job in jobs], process.stdin)
        yield process
        process.kill()


@pytest.fixture(scope="session")
def findings(wholes, linting_ahead) -> dict[str, list[linting.Finding]]:
    """What the linter says about each of `wholes`; what was linted in an earlier run is not linted again."""
    assert linting_ahead.wait() == 0
    return dict(zip(wholes.names, linting.lint_many(lint_jobs(wholes), cache=linting.Cache(PROJECT))))


BASE = """\
abstract: true
account: "111122223333"
region: eu-central-1
high_availability: false
keycloak:
  version: 26.7.4
  log: {retention_days: 30}
network:
  existing:
    vpc: vpc-0a1b2c3d4e5f67890
    cidrs: [10.60.0.0/16]
    private_subnets: [subnet-0bbbbbbbbbbbbbbb1, subnet-0bbbbbbbbbbbbbbb2]
load_balancer:
  scheme: internal
  certificate: arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111
service: {memory: 2048}
database:
  existing:
    host: db.example.com
    secret: arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-AbCdEf
    security_group: sg-0a1b2c3d4e5f67890
    engine_version: "16"
    max_connections: 200
"""
ONE = """\
extends: base.yaml
keycloak:
  hostname: https://one.example.com
  image:
    kind: optimized
    repository: 111122223333.dkr.ecr.eu-central-1.amazonaws.com/keycloak
    providers: [files/theme.jar]
"""
TWO = """\
extends: base.yaml
keycloak:
  hostname: https://two.example.com
"""


@dataclass(frozen=True)
class Ran:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


class Project:
    """A project of its own, with the environments `one` (nothing to say about it) and `two` (one warning)."""

    def __init__(self, root: Path):
        self.root = root

    def file(self, path: str) -> Path:
        return self.root / path

    def read(self, path: str) -> str:
        return self.file(path).read_text("utf-8")

    def write(self, path: str, text: str) -> None:
        self.file(path).parent.mkdir(parents=True, exist_ok=True)
        self.file(path).write_text(text, "utf-8")

    def line(self, path: str, text: str) -> int:
        """Number of the first line that holds a text."""
        return next(number for number, line in enumerate(self.read(path).splitlines(), 1) if text in line)

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace text that has to be there."""
        assert old in self.read(path)
        self.write(path, self.read(path).replace(old, new))

    def rendered(self) -> dict[str, bytes]:
        """Every file below rendered/, hidden ones too."""
        folder = self.file("rendered")
        return {path.relative_to(folder).as_posix(): path.read_bytes()
                for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def _rendered_project(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("rendered") / "project"
    write_project(root, {})
    for name, text in (("base", BASE), ("one", ONE), ("two", TWO)):
        (root / f"params/{name}.yaml").write_text(text, "utf-8")
    shutil.copytree(PROJECT / "templates", root / "templates")
    # What was linted once, in this run or an earlier one, is not linted again by every test that makes the same change.
    linted = linting.Cache(PROJECT).folder
    linted.mkdir(parents=True, exist_ok=True)
    (root / ".cache").mkdir()
    (root / ".cache/lint").symlink_to(linted)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as ended:
        patch.setattr(sys, "argv", ["cloakform", "--project", str(root), "render"])
        cli.main()
    assert ended.value.code == 0
    return root


@pytest.fixture
def project(_rendered_project, tmp_path) -> Project:
    """A project of a test's own, rendered, with the caches of that."""
    shutil.copytree(_rendered_project, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


@pytest.fixture
def cloakform(project, monkeypatch, capfd):
    """Runs the command line in this process, in the folder of `project` or another one."""
    def run(*arguments: str, folder: Path | None = None) -> Ran:
        monkeypatch.chdir(folder or project.root)
        monkeypatch.setattr(sys, "argv", ["cloakform", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capfd.readouterr()
        return Ran(ended.value.code, said.out, said.err)
    return run
