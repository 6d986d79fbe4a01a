"""What several test modules share: whole renders, each made once in a run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from generator import linting
from generator.document import Document, parse
from generator.params import load
from generator.params.load import Environment
from generator.rendering.engine import Engine
from generator.rendering.handover import HandOver, hand_over
from tests.cases import CASES, PROJECT, write_project


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


@pytest.fixture(scope="session")
def findings(wholes) -> dict[str, list[linting.Finding]]:
    """What the linter says about each of `wholes`; what was linted in an earlier run is not linted again."""
    jobs = [linting.Job(wholes[name].text, name, wholes[name].settings.region) for name in wholes.names]
    return dict(zip(wholes.names, linting.lint_many(jobs, cache=linting.Cache(PROJECT))))
