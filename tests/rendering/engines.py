"""Engines over templates of a test's own, and values for them to print."""

from __future__ import annotations

import dataclasses
import enum
from pathlib import Path
from textwrap import dedent

import pytest
from pydantic import BaseModel

from generator.errors import Problem, TemplateError
from generator.rendering.engine import Engine


class Service(BaseModel):
    cpu: int = 1024
    image: str = "quay.io/keycloak"

    @property
    def memory(self) -> int:
        return 2 * self.cpu


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    zone: str


class Mode(str, enum.Enum):
    DNS = "dns"


def project(folder: Path, **templates: str) -> Engine:
    """An engine over the given templates; `__` in a name is a slash."""
    for name, source in templates.items():
        path = folder / "templates" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(source[1:]) if source.startswith("\n  ") else source, encoding="utf-8")
    return Engine(folder / "templates")


def render(folder: Path, source: str, context: dict | None = None, **templates: str) -> str:
    return project(folder, main=source, **templates).render("main", context or {}).text


def complaint(folder: Path, source: str, context: dict | None = None, name: str = "", **templates: str) -> Problem:
    """The one problem that rendering `main` for the environment `name` raises."""
    with pytest.raises(TemplateError) as caught:
        project(folder, main=source, **templates).render("main", context or {}, name=name)
    (problem,) = caught.value.problems
    return problem
