"""The params file as text: a head, the keys, and what it couldn't say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generator.adopting.draft import Entry, comment
from generator.adopting.keeping import Kept
from generator.adopting.scene import Scene

if TYPE_CHECKING:
    from generator.adopting import Judged

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
    tail = _section("Corrected by what is rendered anyway", _others(scene, findings))
    tail += _section("Not carried", [f"{one.what}: {one.why}" for one in scene.left] + list(notes))
    changed = [f"{one.theirs} ({one.type}): {one.verdict}" for one in kept if one.verdict != "kept"]
    tail += _section("Not kept as it is when the stack is updated with this", changed)
    return text + tail


def _others(scene: Scene, findings: Sequence[Judged]) -> list[str]:
    lines = [
        f"{one.finding.rule} at {one.finding.file}:{one.finding.line}: {one.finding.title}"
        for one in findings
        if one.finding.severity != "info" and (one.finding.rule, tuple(one.finding.path)) not in scene.told
    ]
    return list(dict.fromkeys(lines))


def _section(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    return f"\n# {title}:\n" + "".join(f"# - {comment(one)}\n" for one in lines)
