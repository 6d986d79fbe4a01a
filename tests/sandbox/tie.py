"""Ties the tasks of a stack in the local AWS to tasks that really run: a rehearsal's, or a test's.

`python -m tests.sandbox.tie URL PROJECT REHEARSAL` deploys what the rehearsal was rendered from, ties
it, says `tied`, and goes on until it is ended.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from generator.errors import RehearsalError
from generator.rehearsing.target import RunningTask, Target
from generator.sandbox.local_aws import LocalAws

_EVERY = 0.2

Key = tuple[str, float]
"""Name and start of a task that runs: a slot may have had others before."""


class Tie:
    """Each task of the stack's service stands for one of the target's: it has its address, its health and its
    log. A task that is stopped in the local AWS is stopped in the target; one that ends there ends in the
    local AWS."""

    def __init__(self, aws: LocalAws, account: str, stack: str, target: Target):
        self._aws, self._target = aws, target
        self._ecs, self._logs = aws.client("ecs", account), aws.client("logs", account)
        resources = aws.resources(stack, account)
        self._cluster, self._service = resources["Service"].split("/")[-2:]
        self._group = resources["LogGroup"]
        self._tied: dict[str, Key] = {}
        self._told: set[str] = set()
        self._read: dict[str, set[tuple[float, str]]] = {}

    def turn(self) -> None:
        """Looks at both sides once, and tells each what happened on the other."""
        there = {(task.name, task.started): task for task in self._target.tasks()}
        stopped = self._listed("STOPPED")
        for task in stopped & set(self._tied) - self._told:
            self._told.add(task)
            if self._tied[task] in there:
                self._target.stop(self._tied[task][0])
        for task in self._listed("RUNNING") & set(self._tied):
            if self._tied[task] not in there:
                self._ecs.stop_task(cluster=self._cluster, task=task)
        free = [
            key
            for key, task in sorted(there.items(), key=lambda item: item[1].started)
            if key not in self._tied.values() and task.state != "stopping"
        ]
        waiting = sorted(self._listed("RUNNING") - set(self._tied))
        self._tied.update(zip(waiting, free))
        self._aws.say(
            {
                **dict.fromkeys(waiting, {"lastStatus": "PROVISIONING", "healthStatus": "UNKNOWN"}),
                **{task: _shown(there.get(key), task in stopped) for task, key in self._tied.items()},
            },
            {task.address: "healthy" for task in there.values() if task.state == "running" and task.healthy},
        )
        for task, (name, started) in self._tied.items():
            self._copy(task, name, started)

    def run(self, going_on=lambda: True) -> None:
        """Turn after turn."""
        while going_on():
            try:
                self.turn()
            except RehearsalError as error:
                # A container that is gone between two looks; the next turn sees it.
                print(error, file=sys.stderr)
            time.sleep(_EVERY)

    def close(self) -> None:
        """Ends the connections."""
        self._ecs.close()
        self._logs.close()

    def _listed(self, wanted: str) -> set[str]:
        return {
            arn.rsplit("/", 1)[-1]
            for page in self._ecs.get_paginator("list_tasks").paginate(
                cluster=self._cluster, serviceName=self._service, desiredStatus=wanted
            )
            for arn in page["taskArns"]
        }

    def _copy(self, task: str, name: str, started: float) -> None:
        """What the task has written since the last time, but not what another in its slot wrote. CloudWatch Logs
        takes no empty line."""
        if task not in self._read:
            self._logs.create_log_stream(logGroupName=self._group, logStreamName=f"keycloak/keycloak/{task}")
        read = self._read.setdefault(task, set())
        ended = min(
            (one for slot, one in self._tied.values() if slot == name and one > started), default=float("inf")
        )
        since = max((moment for moment, _ in read), default=started) - 1.0
        lines = [
            line
            for line in self._target.logs(name, since)
            if line.text and started - 1.0 <= line.time < ended and (line.time, line.text) not in read
        ]
        if lines:
            read.update((line.time, line.text) for line in lines)
            self._logs.put_log_events(
                logGroupName=self._group,
                logStreamName=f"keycloak/keycloak/{task}",
                logEvents=[{"timestamp": int(line.time * 1000), "message": line.text} for line in lines],
            )


def _shown(task: RunningTask | None, stopped: bool) -> dict[str, Any]:
    """A task as DescribeTasks has it."""
    if task is None:
        return {"lastStatus": "STOPPED", "desiredStatus": "STOPPED"}
    going = stopped or task.state == "stopping"
    return {
        "lastStatus": "DEACTIVATING" if going else "RUNNING" if task.state == "running" else "PENDING",
        "desiredStatus": "STOPPED" if going else "RUNNING",
        "healthStatus": "HEALTHY" if task.healthy else "UNKNOWN",
        "createdAt": task.started,
        "attachments": [
            {
                "type": "ElasticNetworkInterface",
                "status": "ATTACHED",
                "details": [{"name": "privateIPv4Address", "value": task.address}],
            }
        ],
    }


def hand_over(aws: LocalAws, account: str, stack: str, name: str, password: str) -> None:
    """The administrator that the stack's secret names is the target's."""
    client = aws.client("secretsmanager", account)
    client.put_secret_value(
        SecretId=aws.resources(stack, account)["BootstrapAdminSecret"],
        SecretString=json.dumps({"username": name, "password": password}),
    )
    client.close()


def main() -> None:
    """Ties a stack to a rehearsal."""
    from generator.rehearsing.docker import Docker
    from generator.rehearsing.local import Rehearsal
    from generator.rehearsing.place import Place
    from generator.rehearsing.started import kept

    url, project, name = sys.argv[1:]
    aws, place = LocalAws(url), Place(Path(project), name)
    rendered = Path(project) / "rendered" / name
    said = json.loads((rendered / "stack.json").read_text("utf-8"))
    account, stack = said["account"], said["stack_name"]
    aws.deploy((rendered / "template.yaml").read_text("utf-8"), stack, account)
    target = Rehearsal(place, kept(place), Docker())
    hand_over(
        aws, account, stack, target.administrator() or "", target.secret("KC_BOOTSTRAP_ADMIN_PASSWORD") or ""
    )
    tie = Tie(aws, account, stack, target)
    tie.turn()
    print("tied", flush=True)
    tie.run()


if __name__ == "__main__":
    main()
