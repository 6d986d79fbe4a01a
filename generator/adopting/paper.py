"""The params file as text: a head, the keys, and what it couldn't say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.adopting.draft import Draft, Entry, comment
from generator.adopting.keeping import Kept
from generator.adopting.scene import Scene

if TYPE_CHECKING:
    from generator.adopting import Judged

_CHOICES: dict[str, Callable[[Draft], bool]] = {
    "W9015": lambda draft: draft.value("keycloak.image.kind") != "optimized",
    "W9028": lambda draft: draft.value("keycloak.image.kind") != "optimized",
    "W9036": lambda draft: draft.value("keycloak.discovery") != "database",
    "W9042": lambda draft: draft.value("keycloak.cluster_encryption") is False,
    "W9068": lambda draft: draft.value("service.deployment") == "recreate",
    "W9103": lambda draft: draft.has("keycloak.features.enabled"),
    "W9130": lambda draft: draft.value("keycloak.discovery") == "database",
}
"""Warnings that what is rendered has too where params choose so (tests/rendering/test_choices.py)."""

__all__ = ["Correction", "Entry", "corrections", "params", "unset"]


@dataclass(frozen=True)
class Correction:
    """A line of params that isn't what stood in the files, with why."""

    key: str
    why: str


def corrections(scene: Scene) -> tuple[Correction, ...]:
    """The lines that were corrected, in the order they were found."""
    return tuple(
        Correction(".".join(key), comment(one.comment))
        for key, one in scene.draft.entries.items()
        if one.corrected
    )


def unset(scene: Scene) -> tuple[Correction, ...]:
    """The lines that somebody has to write."""
    return tuple(
        Correction(".".join(key), comment(one.comment.removeprefix("set this: ")))
        for key, one in scene.draft.entries.items()
        if one.comment.startswith("set this: ")
    )


def params(scene: Scene, findings: Sequence[Judged], kept: Sequence[Kept], notes: Sequence[str]) -> str:
    """The whole file."""
    waiting = unset(scene)
    head = [
        "# yaml-language-server: $schema=schema.json",
        (
            "# Adopted from what runs already. Corrected lines say what stood there and which rule objects"
            " (cloakform lint --explain RULE)."
        ),
    ]
    if waiting:
        line = (
            "1 line with `set this` waits"
            if len(waiting) == 1
            else f"{len(waiting)} lines with `set this` wait"
        )
        head.append(f"# {line} for you: until then nothing renders.")
    if kept:
        head.append("# To update the stack that is there, give its name: stack.name.")
    text = "\n".join(head) + "\n" + scene.draft.text()
    others = _others(scene, findings)
    still = [one for one in others if one.finding.rule in _CHOICES and _CHOICES[one.finding.rule](scene.draft)]
    gone = [one for one in others if one not in still]
    tail = _section("Corrected by what is rendered anyway", _lines(gone))
    tail += _section("Still so, as these params choose it", _lines(still))
    tail += _section("Not carried", [f"{one.what}: {one.why}" for one in scene.left] + list(notes))
    changed = [f"{one.theirs} ({one.type}): {one.verdict}" for one in kept if one.verdict != "kept"]
    tail += _section("Not kept as it is when the stack is updated with this", changed)
    return text + tail


def _others(scene: Scene, findings: Sequence[Judged]) -> list[Judged]:
    """Errors and warnings that no line of params names."""
    return [
        one
        for one in findings
        if one.finding.severity != "info"
        and (one.finding.rule, tuple(one.finding.path), one.finding.about) not in scene.told
    ]


def _lines(findings: Sequence[Judged]) -> list[str]:
    lines = [f"{one.finding.rule} at {one.finding.file}:{one.finding.line}: {one.finding.title}" for one in findings]
    return list(dict.fromkeys(lines))


def _section(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f"\n# {title}:\n" + "".join(f"# - {comment(one)}\n" for one in lines)
