"""Tasks of services: stopped with a reason, an exit code and log lines; targets; what databases tell."""

from __future__ import annotations

import itertools
import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ministack.services import alb, cloudwatch_logs, ecs, rds

from . import orders

_ROUNDS = 100
"""Longest way of a deployment from one step to the next."""
_addresses = itertools.count(4)
_unsteady: ContextVar[bool] = ContextVar("unsteady", default=False)


def install() -> None:
    """Tasks and targets are as ordered, without orders well; a task that was stopped has a successor."""
    describe, stopping, listing = (
        ecs._ACTION_MAP[one] for one in ("DescribeTasks", "StopTask", "DescribeServices")
    )

    def described(data):
        status, headers, body = describe(data)
        found, said = json.loads(body), _said("tasks")
        for one in found.get("tasks", []):
            if one.get("lastStatus") != "STOPPED":
                one["healthStatus"] = "HEALTHY"
            one.update(said.get(one["taskArn"].rsplit("/", 1)[-1], {}))
        return status, headers, json.dumps(found).encode()

    def services(data):
        status, headers, body = listing(data)
        found = json.loads(body)
        for one in found.get("services", []):
            one["deployments"].sort(key=lambda each: each["status"] != "PRIMARY")
        return status, headers, json.dumps(found).encode()

    def stopped(data):
        answer = stopping(data)
        for key in list(ecs._services):
            ecs._reconcile_service_tasks(key.split("/")[0], key)
        return answer

    def health(params):
        if orders.find("say") is None:
            return registered(params)
        members = "".join(
            f"<member><Target><Id>{address}</Id></Target>"
            f"<TargetHealth>{_health(told)}</TargetHealth></member>"
            for address, told in _said("targets").items()
        )
        return alb._xml(
            200, "DescribeTargetHealth", f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
        )

    synced = ecs._sync_service_targets

    def sync(cluster, service):
        for task in ecs._tasks.values():
            if not task.get("attachments"):
                task["attachments"] = [_interface()]
        synced(cluster, service)

    registered = alb._ACTION_MAP["DescribeTargetHealth"]
    ecs._sync_service_targets = sync
    complete = ecs._complete_service_deployment
    ecs._complete_service_deployment = lambda *given: None if _unsteady.get() else complete(*given)
    ecs._ACTION_MAP.update(DescribeTasks=described, StopTask=stopped, DescribeServices=services)
    alb._ACTION_MAP["DescribeTargetHealth"] = health


def _interface() -> dict[str, Any]:
    """A network interface with an address of its own, as Fargate gives every task."""
    number = next(_addresses)
    return {
        "id": str(uuid.uuid4()),
        "type": "ElasticNetworkInterface",
        "status": "ATTACHED",
        "details": [
            {
                "name": "privateIPv4Address",
                "value": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
            }
        ],
    }


def _said(what: str) -> dict[str, Any]:
    order = orders.find("say")
    return order[what] if order is not None else {}


def _health(told: Any) -> str:
    state, reason, description = (told, "", "") if isinstance(told, str) else told
    return "".join(
        f"<{name}>{alb._esc(text)}</{name}>"
        for name, text in (("State", state), ("Reason", reason), ("Description", description))
        if text
    )


@contextmanager
def unsteady(really: bool) -> Iterator[None]:
    """Deployments that begin in this block aren't done as soon as their tasks run."""
    before = _unsteady.set(really)
    try:
        yield
    finally:
        _unsteady.reset(before)


def settle(service_arn: str) -> None:
    """Goes on with a deployment until old tasks have gone and new ones run: without containers nobody else
    does."""
    cluster, key, found = _service(service_arn)
    for _ in range(_ROUNDS):
        if all(
            one["rolloutState"] != "IN_PROGRESS" for one in found["deployments"] if one["status"] == "PRIMARY"
        ):
            return
        ecs._reconcile_service_tasks(cluster, key)


def stop(service_arn: str, order: dict[str, Any]) -> None:
    """The tasks of a service's newest deployment stop, one after the other, as ECS tells of them, having
    written what is ordered: until the circuit breaker has had enough."""
    cluster, key, found = _service(service_arn)
    deployment = found["deployments"][0]
    stopped = 0
    # ministack calls a service's first deployment complete from the start.
    deployment["rolloutState"] = "IN_PROGRESS"
    with unsteady(True):
        while stopped < ecs._circuit_breaker_threshold(found) and deployment["rolloutState"] == "IN_PROGRESS":
            arn = next(
                (
                    arn
                    for arn, task in ecs._tasks.items()
                    if task["lastStatus"] != "STOPPED" and ecs._deployment_for_task(found, task) is deployment
                ),
                None,
            )
            if arn is None:
                break
            _stop(arn, order)
            stopped += 1
    moment = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    for text in order["events"]:
        found["events"].insert(
            0,
            {
                "id": str(uuid.uuid4()),
                "createdAt": moment,
                "message": f"(service {found['serviceName']}) {text}",
            },
        )


def _stop(arn: str, order: dict[str, Any]) -> None:
    task = ecs._tasks[arn]
    _write_log(task, order["lines"])
    # An essential container's own reason, such as `OutOfMemoryError: …`.
    for container in task["containers"] if order["container_reason"] else ():
        container["reason"] = order["container_reason"]
    ecs._mark_task_stopped(arn, task, order["reason"], order["code"], order["exit_code"])


def _service(arn: str) -> tuple[str, str, dict[str, Any]]:
    """(cluster, key, service) as ministack has them."""
    name = arn.rsplit("/", 1)[-1]
    key, found = next((key, one) for key, one in ecs._services.items() if one["serviceName"] == name)
    return key.split("/")[0], key, found


def _write_log(task: dict[str, Any], lines: list[str]) -> None:
    definition = ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])]
    config = ecs._awslogs_config(
        definition["containerDefinitions"][0], task["taskArn"].rsplit("/", 1)[-1], ""
    )
    if config is None or not lines or not ecs._ensure_awslogs_stream(config):
        return
    now = int(time.time() * 1000)
    cloudwatch_logs._put_log_events(
        {
            "logGroupName": config["group"],
            "logStreamName": config["stream"],
            "logEvents": [
                {"timestamp": now - len(lines) + number, "message": line} for number, line in enumerate(lines)
            ],
        }
    )


def rds_event(source: str, message: str, categories: list[str]) -> None:
    """A database tells something."""
    rds._events[str(uuid.uuid4())] = {
        "SourceIdentifier": source,
        "SourceType": "db-instance",
        "SourceArn": "",
        "Message": message,
        "Date": time.time(),
        "EventCategories": categories,
    }
