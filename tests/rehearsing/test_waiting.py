"""Waiting for a cluster ends with what keeps it from coming up."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from generator.cli import waiting
from generator.errors import RehearsalError
from generator.rehearsing import rehearsal
from generator.rehearsing.rehearsal import Status, TaskStatus
from generator.rehearsing.topology import Topology
from tests.drilling.targets import DEV

WELL = TaskStatus("keycloak-1", "10.40.4.10", "running", "healthy", "healthy", 2, 0.0, "")
GROUP = DEV.target_groups[0]


def waited(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, topology: Topology, task: TaskStatus, wait: float = 900.0
) -> tuple[str, float]:
    """What is said of two tasks that stay as they are, and after how many seconds."""
    now = [1000.0]
    status = Status((task, replace(task, slot="keycloak-2")), 2, True, False)
    monkeypatch.setattr(rehearsal, "status", lambda *_: status)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    place = SimpleNamespace(lines=lambda _: [], state=tmp_path)
    watch = SimpleNamespace(poll=lambda: None)
    said: list[str] = []
    with pytest.raises(RehearsalError) as refused:
        waiting.await_cluster(place, SimpleNamespace(topology=topology), None, watch, said.append, 1000.0, wait)
    assert said
    return str(refused.value), now[0] - 1000.0


def test_tasks_that_do_not_find_each_other(monkeypatch, tmp_path):
    """Tasks that are well and stay apart are given up after what a merge takes, and the cause is named."""
    alone = replace(WELL, members=1)
    said, seconds = waited(monkeypatch, tmp_path, replace(DEV, permissions=()), alone)
    assert "don't see each other" in said and "port 7800 is closed between tasks" in said
    assert 100.0 < seconds < 110.0


def test_answers_that_live_for_long_are_waited_for(monkeypatch, tmp_path):
    """Where DNS keeps an answer for five minutes, tasks may find each other that much later."""
    alone = replace(WELL, members=1)
    lasting = replace(DEV, discovery=replace(DEV.discovery, negative_ttl=300))
    said, seconds = waited(monkeypatch, tmp_path, lasting, alone)
    assert "lives for 300 s in DNS caches" in said and "template line 490" in said
    assert 390.0 < seconds < 400.0


def test_a_balancer_that_asks_at_the_wrong_place(monkeypatch, tmp_path):
    """Checks that can't succeed are told at once, not after the grace period of the service."""
    wrong = replace(DEV, target_groups=(replace(GROUP, health_port=9001), *DEV.target_groups[1:]))
    said, seconds = waited(monkeypatch, tmp_path, wrong, replace(WELL, target="unhealthy"))
    assert "the balancer's checks of them fail" in said and "9001" in said
    assert 60.0 < seconds < 70.0


def test_a_balancer_that_refuses_for_no_known_reason_is_left_to_ecs(monkeypatch, tmp_path):
    """Without a cause in the template nothing is given up before its time."""
    said, seconds = waited(monkeypatch, tmp_path, DEV, replace(WELL, target="unhealthy"), wait=300.0)
    assert "no full cluster after 300 s" in said and seconds > 300.0
