"""What the commands for what is deployed print: lines with their styles, and the same as data."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import asdict

from generator.cli.live import words
from generator.deploying import drift, operating
from generator.showing.escaping import plain

Line = tuple[str, str]
"""A style of the session's and a text."""


def status_lines(one) -> Iterator[Line]:
    """How an environment is."""
    yield "bold", f"{one.environment}  {one.stack_name} ({one.account}, {one.region})"
    if one.condition == operating.ABSENT and not one.status:
        yield "", "  stack       there is none: not deployed"
        return
    style = {operating.STUCK: "error", operating.UNMADE: "error", operating.BUSY: "warning"}.get(
        one.condition, ""
    )
    yield style, f"  stack       {one.words} ({one.status})"
    if one.condition == operating.ABSENT:
        return
    if style == "error" and one.reason:
        yield "", f"              {plain(one.reason)}"
    if one.way_out:
        yield "info", f"  way out     {plain(one.way_out)}"
    for number, work in enumerate(one.working):
        reason = f": {plain(work.reason)}" if work.reason else ""
        label = "  working on  " if not number else " " * 14
        what = f"{work.doing} {plain(work.logical_id)} ({plain(work.type)})"
        yield "", f"{label}{what} {words(work.seconds)}{reason}"
    if one.condition == operating.BUSY:
        yield "info", f"  watch it    cloakform events {one.environment} --follow"
    yield _deployed_line(one)
    for service in one.services:
        yield from _service_lines(service)
    for database in one.databases:
        style = "" if database.status == "available" else "warning"
        yield style, f"  database    {plain(database.logical_id)}: {plain(database.status)}"
    if one.protected == one.protection_wanted:
        yield "", f"  protection  termination protection is {'on' if one.protected else 'off'}"
    else:
        is_, wanted = ("on" if each else "off" for each in (one.protected, one.protection_wanted))
        text = f"termination protection is {is_}, and is to be {wanted}: cloakform deploy {one.environment}"
        yield "warning", f"  protection  {text}"
    yield _drift_line(one)
    for note in one.notes:
        yield "dim", f"  not known   {plain(note)}"


def status_data(one) -> dict:
    """The same for machines."""
    told = asdict(one)
    told["changed"] = iso(one.changed)
    told["drift_checked"] = iso(one.drift_checked)
    for service in told["services"]:
        service["targets"] = {group: dict(states) for group, states in service["targets"]}
    return told


def _deployed_line(one) -> Line:
    if one.deployed == operating.NOT_DEPLOYED:
        return "warning", "  deployed    nothing: it was never made"
    if one.status.startswith("DELETE"):
        return "warning", "  deployed    parts of it are gone"
    start = f"  deployed    {when(one.changed)}, "
    if one.deployed == operating.AS_RENDERED:
        return "", f"{start}as rendered"
    if one.deployed == operating.DIFFERS:
        return "warning", (
            f"{start}differs from what is rendered ({', '.join(one.differing)}): `cloakform review` shows "
            f"what changes, `cloakform deploy {one.environment} --save-plan FILE` what AWS would do"
        )
    return "dim", f"{start}AWS doesn't give the template, so nothing can be compared"


def _service_lines(service) -> Iterator[Line]:
    name = plain(service.logical_id)
    if not service.active:
        yield "error", f"  service     {name}: it isn't active any more"
        return
    healthy = "" if service.healthy is None else f", {service.healthy} healthy"
    well = service.running >= service.wanted and service.healthy in (None, service.running)
    text = f"{service.running} of {service.wanted} tasks run{healthy}"
    yield "" if well else "warning", f"  service     {name}: {text}"
    if service.rollout:
        text = f"  rollout     {name}: {service.rollout}"
        if service.failed_tasks:
            text += f", {service.failed_tasks} tasks failed"
        if service.rollout != "COMPLETED" and service.reason:
            text += f": {plain(service.reason)}"
        yield {"FAILED": "error", "COMPLETED": ""}.get(service.rollout, "warning"), text
    for group, states in service.targets:
        told = ", ".join(f"{count} {state}" for state, count in states) or "none is registered"
        well = all(state == "healthy" for state, _ in states) and states
        yield ("" if well else "warning"), f"  targets     {plain(group)}: {told}"


def _drift_line(one) -> Line:
    if not one.drift_checked:
        return "dim", f"  drift       never checked: cloakform drift {one.environment}"
    said = {
        "IN_SYNC": "none",
        "DRIFTED": f"found: `cloakform drift {one.environment}` shows it",
    }.get(one.drift, one.drift)
    return ("warning" if one.drift == "DRIFTED" else ""), f"  drift       {said} ({when(one.drift_checked)})"


def event_line(told, reason: str) -> Line:
    """An event of CloudFormation's; `reason` is without secrets."""
    one = told.event
    took = f"  {words(told.took)}" if told.took is not None else ""
    text = (
        f"{when(one.time, to_the_second=True)}  {one.status:<20} {plain(one.logical_id)}  {plain(one.type)}"
    )
    style = ""
    if told.cancelled:
        style = "dim"
    elif one.status.endswith("_FAILED") or (one.about_stack and "ROLLBACK_IN" in one.status):
        style = "error"
    elif one.status.endswith("_IN_PROGRESS"):
        style = "dim"
    return style, f"{text}{took}  {plain(reason)}" if reason else f"{text}{took}"


def event_data(told, reason: str) -> dict:
    """The same for machines."""
    one = told.event
    return {
        "time": iso(one.time),
        "logical_id": one.logical_id,
        "physical_id": one.physical_id,
        "type": one.type,
        "status": one.status,
        "reason": reason,
        "seconds": round(told.took, 1) if told.took is not None else None,
        "cancelled": told.cancelled,
        "stack": one.about_stack,
        "operation": one.operation,
        "token": one.token,
        "id": one.id,
    }


def drift_lines(found) -> Iterator[Line]:
    """What a detection of drift found."""
    for one in found.drifted:
        gone = one.status == drift.DELETED
        what = "it is gone" if gone else f"{len(one.differences)} difference(s)"
        yield "error", f"{plain(one.logical_id)}  {plain(one.type)}  {plain(one.physical_id)}: {what}"
        for each in one.differences:
            if each.kind == "ADD":
                text = f"{each.actual} was added"
            elif each.kind == "REMOVE":
                text = f"{each.expected} was taken away"
            else:
                text = f"{each.actual}, and should be {each.expected}"
            yield "", f"    {plain(each.path)}: {plain(text)}"
    for one in found.failed:
        text = f"{plain(one.logical_id)}  {plain(one.type)}: {one.status} {plain(one.reason)}"
        yield "warning", text.rstrip()
    if not found.complete:
        yield "warning", f"AWS couldn't look at everything: {plain(found.reason)}"
    count, well = len(found.drifted), sum(one.status == drift.IN_SYNC for one in found.resources)
    yield "", f"{found.stack.name}: {count} drifted, {well} as CloudFormation made them"
    if found.unsupported:
        kinds = sorted({kind for _, kind in found.unsupported})
        yield "dim", f"AWS can't tell of {len(found.unsupported)} more: {plain(', '.join(kinds))}"
    if found.drifted:
        yield "info", "no deployment puts that back: undo it by hand, or write it into params, render, deploy"


def deletion_lines(deletion) -> Iterator[Line]:
    """What deleting a stack does, before it is done."""
    place = f"{deletion.target.account}, {deletion.target.region}"
    yield "bold", f"{deletion.stack.name} ({place}) and all it has is deleted:"
    kinds: dict[str, int] = {}
    for part in deletion.goes:
        kinds[part.type] = kinds.get(part.type, 0) + 1
    yield "", f"  goes   {len(deletion.goes)} resources"
    for kind, count in sorted(kinds.items()):
        yield "dim", f"           {count:>3} {plain(kind)}"
    for part in deletion.parts:
        name = f"{plain(part.logical_id)}  {plain(part.type)}  {plain(part.physical_id)}"
        also = f"; its automatic backups {part.backups}" if part.backups else ""
        if part.lost:
            yield "error", f"  lost   {name}: {part.holds}{also}"
        elif part.policy == "Snapshot":
            yield "warning", f"  goes   {name}: {part.holds or 'it'}, after a snapshot that stays{also}"
        elif part.policy == "Retain":
            yield "", f"  stays  {name}"
    for text in deletion.obstacles:
        yield "error", f"  keeps it from going: {plain(text)}"
    for text in deletion.notes:
        yield "warning", f"  not known: {plain(text)}"


def left_lines(target, following, left, gone: bool) -> Iterator[Line]:
    """What became of a deletion, and what it left."""
    if gone:
        yield "add", f"{target.stack_name} is deleted"
    else:
        status = following.stack.status
        yield "error", f"{target.stack_name} isn't deleted: {status}"
        for name, physical_id, reason in left.failed:
            yield (
                "error",
                f"  {plain(name)}  {plain(physical_id)}: {plain(reason) or 'AWS gives no reason'}",
            )
        names = " ".join(f"--retain {plain(name)}" for name, _, _ in left.failed)
        yield "info", f"  mend that and delete again: cloakform delete {target.name}"
        if names:
            yield (
                "info",
                f"  or leave it in the account, outside the stack: cloakform delete {target.name} {names}",
            )
    for name, kind, physical_id in left.kept:
        yield "", f"  stays, outside any stack: {plain(name)}  {plain(kind)}  {plain(physical_id)}"
    for name, snapshot in left.snapshots:
        yield "", f"  stays: snapshot {plain(snapshot)} of {plain(name)}"
    for text in left.notes:
        yield "warning", f"  not known: {plain(text)}"


def deletion_data(target, deletion, following, left) -> dict:
    """The same for machines."""
    return {
        "environment": target.name,
        "stack": target.stack_name,
        "outcome": "deleted" if following.outcome == "done" else "stuck",
        "status": following.stack.status,
        "lost": [
            {
                "logical_id": one.logical_id,
                "type": one.type,
                "physical_id": one.physical_id,
                "holds": one.holds,
            }
            for one in deletion.parts
            if one.lost
        ],
        "kept": [{"logical_id": name, "type": kind, "physical_id": own} for name, kind, own in left.kept],
        "snapshots": [{"logical_id": name, "snapshot": own} for name, own in left.snapshots],
        "failed": [{"logical_id": name, "physical_id": own, "reason": why} for name, own, why in left.failed],
        "notes": list(left.notes),
    }


def when(seconds: float, to_the_second: bool = False) -> str:
    """A moment for people, in UTC."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return f"{moment:%Y-%m-%d %H:%M:%S}Z" if to_the_second else f"{moment:%Y-%m-%d %H:%M} UTC"


def iso(seconds: float) -> str | None:
    """A moment for machines; None where there is none."""
    if not seconds:
        return None
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).isoformat(timespec="milliseconds")
