"""A diagnosis for a terminal, as Markdown and as data; styles are the command line's names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.deploying.causes import Advice
from generator.deploying.diagnosis import Diagnosis, Evidence, Failure
from generator.deploying.tasks import TaskEnd
from generator.showing.escaping import code, cut, plain
from generator.showing.escaping import markdown as escaped

Line = tuple[str, str]

SCREEN = 40
"""Lines that a diagnosis takes at most, as far as folding can do it."""
_WIDE = 400
"""Characters of one message."""
_NAMES = 4
"""Names that a folded list still tells."""
_TARGET_GROUP = re.compile(r"arn:aws[\w-]*:elasticloadbalancing:[\w:-]+:targetgroup/([\w-]+)/\w+")
"""An ARN whose name says enough on a screen."""
_ADVICE = 3
"""Pieces of advice that a screen has room for."""
_LIVE_LOG = 5
"""Log lines that are shown while a deployment goes on."""
# What is nearest to the root stands nearest to the end, where the eye is.
_ORDER = (
    "hook",
    "holders",
    "database",
    "certificate",
    "secrets",
    "service",
    "targets",
    "template",
    "tasks",
    "log",
)


def task_lines(end: TaskEnd) -> Iterator[Line]:
    """(style, line) of a task that stopped, while the deployment goes on. Its log is shown as long as it says
    something new."""
    again = f" ({end.again} times for this reason)" if end.again > 1 else ""
    told = _TARGET_GROUP.sub(r"\1", f"{end.service}: {end.text}{again}")
    yield "error" if end.repeated else "warning", plain(cut(told, _WIDE))
    for line in end.log[-_LIVE_LOG:] if end.again <= 2 else ():
        yield "dim", plain(f"    {cut(line, _WIDE)}")


def text_lines(found: Diagnosis) -> Iterator[Line]:
    """(style, line) of a whole diagnosis: one screen, and what to do at its end."""
    lines: list[Line] = []
    for most in (10, 6, 4, 2, 1):
        lines = list(_lines(found, most))
        if len(lines) <= SCREEN:
            break
    for style, line in lines:
        yield style, plain(_TARGET_GROUP.sub(r"\1", line))


def _lines(found: Diagnosis, most: int) -> Iterator[Line]:
    yield "error", f"{found.stack}: {found.outcome} ({found.status})"
    yield from _folded(found)
    for evidence in _sorted(found):
        yield "", ""
        yield "bold", evidence.heading
        # The end of a log is what counts, the beginning of anything else.
        shown = evidence.lines[-most:] if evidence.kind == "log" else evidence.lines[:most]
        for line in shown:
            yield "", f"  {cut(line, _WIDE)}"
        if len(evidence.lines) > len(shown):
            yield "dim", f"  … {len(evidence.lines) - len(shown)} more"
    for note in found.notes[:most]:
        yield "dim", f"not known: {cut(note, _WIDE)}"
    yield "", ""
    yield from _causes(found)
    told = found.advice[:_ADVICE]
    if told:
        yield "bold", "What to do"
        for one in told:
            if one.say:
                yield "", f"  {one.say}"
            yield "", f"  {'    ' if one.say else ''}{one.do}"
    if found.commands:
        yield "bold", "How the stack gets free" if found.stuck else "Then"
        for command in found.commands:
            yield "", f"  {command.say}:"
            for line in (command.line, command.aws):
                if line:
                    yield "info", f"      {line}"


def _folded(found: Diagnosis) -> Iterator[Line]:
    """What isn't the cause: one line each."""
    if found.followed:
        yield "dim", f"  {_count(len(found.followed), 'resource')} only followed: {_few(found.followed)}"
    if found.kept:
        yield "dim", f"  kept, as their DeletionPolicy says: {_few(found.kept)}"
    for heading, failures in (("while going back", found.rollback), ("left behind", found.left)):
        if failures is found.rollback and not found.causes:
            continue
        for one in failures[:_NAMES]:
            yield "warning", f"  {heading}: {_where(one)} {_failed(one)}: {cut(one.reason, _WIDE)}"
        if len(failures) > _NAMES:
            yield "dim", f"  {heading}: … {len(failures) - _NAMES} more"


def _causes(found: Diagnosis) -> Iterator[Line]:
    real = found.causes or found.rollback
    for one in real[1:_NAMES]:
        yield "warning", f"Failed as well: {_where(one)} {_failed(one)}: {cut(one.reason, _WIDE)}"
    if len(real) > _NAMES:
        yield "dim", f"… and {len(real) - _NAMES} more failed"
    if not real:
        yield "error", "AWS gives no reason"
        return
    first = real[0]
    yield "error", f"Cause: {_where(first)} {_failed(first)}{_place(found, first)}"
    yield "error", f"  {cut(first.reason, _WIDE)}"
    for text in because(found):
        yield "error", f"  because: {cut(text, _WIDE)}"


def because(found: Diagnosis) -> tuple[str, ...]:
    """What stands behind the first cause, from effect to cause."""
    real = found.causes or found.rollback
    if not real:
        return ()
    told = {
        one.kind: one.telling for one in found.evidence if one.telling and one.about == real[0].logical_id
    }
    chain = [told[kind] for kind in ("hook", "holders", "tasks") if kind in told]
    # Without a log that says why, what the balancer or ECS says is the nearest to the root.
    nearest = ("log",) if "log" in told else ("targets" if "targets" in told else "service", "template")
    chain += [told[kind] for kind in nearest if kind in told]
    return tuple(text for text in dict.fromkeys(chain) if text != real[0].reason)


def as_data(found: Diagnosis) -> dict[str, Any]:
    """A diagnosis as JSON has it. Times are seconds since the epoch; lists are in the order of time,
    except for `advice`, which begins with what is nearest to the root."""
    return {
        "environment": found.environment,
        "stack": found.stack,
        "stack_id": found.stack_id,
        "region": found.region,
        "status": found.status,
        "outcome": found.outcome,
        "phase": found.phase,
        "stuck": found.stuck,
        "exit_code": found.exit_code,
        "causes": [_failure(one) for one in found.causes],
        "because": list(because(found)),
        "followed": list(found.followed),
        "rollback": [_failure(one) for one in found.rollback],
        "left_behind": [_failure(one) for one in found.left],
        "kept": list(found.kept),
        "evidence": [
            {
                "about": one.about,
                "kind": one.kind,
                "heading": one.heading,
                "lines": list(one.lines),
                "telling": one.telling,
            }
            for one in found.evidence
        ],
        "advice": [{"say": one.say, "do": one.do, "source": one.source} for one in found.advice],
        "commands": [{"say": one.say, "cloakform": one.line, "aws": one.aws} for one in found.commands],
        "notes": list(found.notes),
    }


def _failure(one: Failure) -> dict[str, Any]:
    return {
        "logical_id": one.logical_id,
        "inside": list(one.inside),
        "type": one.type,
        "physical_id": one.physical_id,
        "status": one.status,
        "reason": one.reason,
        "code": one.code,
        "time": one.time,
        "phase": one.phase,
        "line": one.line,
    }


def markdown(found: Diagnosis) -> str:
    """A diagnosis as Markdown, for a pull request or a job's summary."""
    lines = [f"### {escaped(found.stack)}: {escaped(found.outcome)}", ""]
    real = found.causes or found.rollback
    if real:
        first = real[0]
        lines += [
            f"**Cause:** {code(first.name)} ({escaped(first.type)}) {escaped(_failed(first))}"
            f"{escaped(_place(found, first))}",
            "",
            f"> {escaped(cut(first.reason, _WIDE))}",
            *(line for text in because(found) for line in (">", f"> because: {escaped(cut(text, _WIDE))}")),
            "",
        ]
    else:
        lines += ["AWS gives no reason.", ""]
    if found.advice:
        lines += [
            "**What to do**",
            "",
            *(f"- {escaped(_sentence(one))}" for one in found.advice[:_ADVICE]),
            "",
        ]
    if found.commands:
        lines += [f"**{'How the stack gets free' if found.stuck else 'Then'}**", ""]
        for command in found.commands:
            lines.append(f"- {escaped(command.say)}")
            lines += [f"  <br>{code(line)}" for line in (command.line, command.aws) if line]
        lines.append("")
    for heading, failures in (
        ("Failed as well", real[1:]),
        ("While going back", found.rollback if found.causes else ()),
        ("Left behind", found.left),
    ):
        if failures:
            lines += [f"**{heading}**", "", "| resource | type | what AWS says |", "|---|---|---|"]
            lines += [
                f"| {code(one.name)} | {escaped(one.type)} | {escaped(cut(one.reason, _WIDE))} |"
                for one in failures
            ]
            lines.append("")
    if found.followed:
        names = ", ".join(code(one) for one in found.followed)
        lines += [
            f"<details><summary>{_count(len(found.followed), 'resource')} only followed</summary>",
            "",
            names,
            "",
            "</details>",
            "",
        ]
    for one in _sorted(found):
        lines += [f"<details><summary>{escaped(one.heading)}</summary>", ""]
        lines += [
            f"- {code(cut(line, _WIDE)) if one.kind == 'log' else escaped(cut(line, _WIDE))}"
            for line in one.lines
        ]
        lines += ["", "</details>", ""]
    lines += [f"Not known: {escaped(cut(note, _WIDE))}\n" for note in found.notes]
    return "\n".join(lines).rstrip("\n") + "\n"


def _sorted(found: Diagnosis) -> list[Evidence]:
    return sorted(found.evidence, key=lambda one: _ORDER.index(one.kind) if one.kind in _ORDER else 0)


def _where(one: Failure) -> str:
    return f"{one.name} ({one.type})"


def _failed(one: Failure) -> str:
    """What became of it, in words."""
    if one.phase == "change set":
        return "was refused"
    verb = {"CREATE": "created", "UPDATE": "updated", "DELETE": "deleted", "IMPORT": "imported"}.get(
        one.status.split("_")[0]
    )
    if verb == "updated" and one.phase == "rollback":
        verb = "put back"
    return f"couldn't be {verb}" if verb else "failed"


def _place(found: Diagnosis, one: Failure) -> str:
    return f", rendered/{found.environment}/template.yaml:{one.line}" if one.line else ""


def _sentence(one: Advice) -> str:
    return f"{one.say}: {one.do}" if one.say else one.do


def _few(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f"{', '.join(names[:_NAMES])}{more}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
