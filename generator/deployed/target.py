"""A deployed environment: looked at through ECS, CloudWatch Logs and the balancer's target health, asked at
its real addresses, and broken only by what ECS and RDS offer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from generator.aws import Connection
from generator.deployed import stack as stacks
from generator.errors import AwsError, RehearsalError
from generator.rehearsing.target import Door, LogLine, RunningTask
from generator.rehearsing.topology import Topology
from generator.rehearsing.vantage import vantages

_AT_ONCE = 100
"""Tasks that one DescribeTasks takes."""
_REASON = "drill"
"""What a stopped task says of why it was stopped."""

UNABLE = MappingProxyType(
    {
        "kill": "ECS can't kill a task without a word; the step stop stops one as ECS does",
        "freeze": "a task on ECS can't be frozen",
        "lose": "the host of a task on ECS can't be taken away",
        "cut": "packets between tasks on ECS can't be held back",
    }
)
"""What a drill may ask of a target and AWS has no call for, and why."""


def _refusing(what: str) -> Callable[..., float]:
    def refuse(self: Deployed, *_: str) -> float:
        raise RehearsalError(UNABLE[what])

    return refuse


@dataclass(frozen=True)
class Way:
    """How requests get from this machine to the balancers."""

    vantage: str
    """Where this machine stands: `internet`, `admin` or `inside`."""
    address: str = ""
    """Where to connect to, instead of where DNS says."""
    port: int | None = None
    """The same for the port; None for the listener's."""
    authorities: str | None = None
    """PEM file with the authorities to trust; None for the system's."""
    source: str = ""
    """The address that the balancer sees; empty where that isn't known."""


def standing(topology: Topology, chosen: str = "") -> str:
    """Where this machine stands: as chosen, else where it has to stand for a drill to make its realm.

    Raises RehearsalError for a place that the template doesn't know.
    """
    there = {one.name for one in vantages(topology)}
    if chosen and chosen not in there:
        raise RehearsalError(
            f"the template has no way in from there: --from {chosen} (it has "
            f"{', '.join(sorted(there)) or 'none at all'})"
        )
    return chosen or next((name for name in ("admin", "internet", "inside") if name in there), "internet")


class Deployed:
    """Implements `rehearsing.target.Target`. Methods raise what `TARGET_ERRORS` names."""

    local = False

    def __init__(self, connection: Connection, name: str, stack: stacks.Stack, topology: Topology, way: Way):
        self.name = name
        self._connection, self._stack, self._way = connection, stack, way
        self._service = stacks.service(connection, stack, topology)
        # As many as there are now: a person or a scaling policy may have changed what the template says.
        self.topology = replace(topology, service=replace(topology.service, desired=self._service.desired))
        self.unable: Mapping[str, str] = (
            UNABLE
            if self._database()
            else {**UNABLE, "restart_database": "the database isn't the stack's own"}
        )
        self._stopped: set[str] = set()
        self._tasks: dict[str, dict[str, Any]] = {}
        self._containers: dict[str, dict[str, Any]] = {}
        self._deployment = ""
        self._scaled = False

    # --- Looking ---

    def doors(self) -> list[Door]:
        """A way to each listener, from where this machine stands."""
        way = self._way
        return [
            Door(
                way.vantage,
                balancer.logical_id,
                listener.protocol.lower(),
                listener.port,
                way.address,
                way.port or listener.port,
                way.authorities,
                way.source,
            )
            for balancer in self.topology.balancers
            for listener in balancer.listeners
            if not (balancer.internal and way.vantage == "internet")
        ]

    def tasks(self) -> list[RunningTask]:
        """Tasks that are not stopped, by the moment they were made."""
        # A task that is being stopped is wanted to be STOPPED, and listed with those that have been for an
        # hour.
        arns = [
            arn
            for wanted in ("RUNNING", "STOPPED")
            for arn in self._connection.every(
                "ecs",
                "list_tasks",
                "taskArns",
                cluster=self._service.cluster,
                serviceName=self._service.name,
                desiredStatus=wanted,
            )
            if arn not in self._stopped
        ]
        described = [
            one
            for start in range(0, len(arns), _AT_ONCE)
            for one in self._describe(arns[start : start + _AT_ONCE])
        ]
        self._stopped |= {one["taskArn"] for one in described if one["lastStatus"] == "STOPPED"}
        served = self._served()
        found = []
        for one in described:
            if one["lastStatus"] != "STOPPED":
                self._tasks[_name(one)] = one
                found.append(self._task(one, served))
        return sorted(found, key=lambda task: (task.started, task.name))

    def logs(self, task: str, since: float = 0.0) -> list[LogLine]:
        """Lines of the Keycloak container's log in CloudWatch Logs."""
        known = self._tasks.get(task)
        if known is None:
            return []
        container = self._container(known["taskDefinitionArn"])
        driver = container.get("logConfiguration", {})
        options = driver.get("options", {})
        prefix = options.get("awslogs-stream-prefix")
        if driver.get("logDriver") != "awslogs" or not prefix:
            raise RehearsalError(
                "the tasks' log isn't in CloudWatch Logs (awslogs with a stream prefix), so nothing "
                "tells what the nodes see of each other"
            )
        where = {
            "logGroupName": options["awslogs-group"],
            "logStreamName": f"{prefix}/{container['name']}/{task}",
            "startTime": max(int(since * 1000), 0),
            "startFromHead": True,
        }
        found: list[LogLine] = []
        token = ""
        while True:
            try:
                page = self._connection.ask(
                    "logs", "get_log_events", **where, **({"nextToken": token} if token else {})
                )
            except AwsError as error:
                # A task that hasn't written yet has no stream.
                if "ResourceNotFoundException" in str(error):
                    return found
                raise
            found += [LogLine(one["timestamp"] / 1000, str(one["message"])) for one in page["events"]]
            # The end is where the same token comes back (CloudWatch Logs API, GetLogEvents); a page may be
            # empty.
            if page["nextForwardToken"] == token:
                return found
            token = page["nextForwardToken"]

    def secret(self, variable: str) -> str | None:
        """Value of a secret that ECS hands to the Keycloak container; None where it hands none of that
        name."""
        container = self._container(self._service.task_definition)
        source = next(
            (one["valueFrom"] for one in container.get("secrets", ()) if one["name"] == variable), None
        )
        if source is None:
            return None
        try:
            return self._secret(source)
        except AwsError as error:
            raise AwsError(
                f"{variable} can't be read: {error} (--credentials FILE names an administrator otherwise)"
            ) from error

    def deployment_done(self) -> bool:
        """Whether the deployment that `deploy` began is complete, and it is the only one."""
        found = stacks.describe(self._connection, self._service.cluster, self._service.name)
        return [(one["id"], one.get("rolloutState")) for one in found["deployments"]] == [
            (self._deployment, "COMPLETED")
        ] and found["runningCount"] == found["desiredCount"]

    # --- Breaking ---

    def stop(self, task: str) -> float:
        """StopTask."""
        moment = time.time()
        self._connection.ask("ecs", "stop_task", cluster=self._service.cluster, task=task, reason=_REASON)
        return moment

    def restart_database(self) -> float:
        """RebootDBInstance, of the writer where the database is a cluster."""
        database = self._database()
        if database is None:
            raise RehearsalError(self.unable["restart_database"])
        kind, identifier = database
        if kind == "AWS::RDS::DBCluster":
            cluster = self._connection.ask("rds", "describe_db_clusters", DBClusterIdentifier=identifier)
            members = cluster["DBClusters"][0]["DBClusterMembers"]
            identifier = next(one["DBInstanceIdentifier"] for one in members if one["IsClusterWriter"])
        moment = time.time()
        self._connection.ask("rds", "reboot_db_instance", DBInstanceIdentifier=identifier)
        return moment

    def scale(self, tasks: int) -> None:
        """UpdateService with another number of tasks."""
        self._scaled = True
        self._update(desiredCount=tasks)

    def deploy(self, changes: dict[str, str]) -> None:
        """UpdateService with a new deployment of the same task definition; nothing may be changed."""
        if changes:
            raise RehearsalError("a deployed environment is deployed as it is")
        service = self._update(forceNewDeployment=True)
        self._deployment = next(one["id"] for one in service["deployments"] if one["status"] == "PRIMARY")

    def restore(self) -> str:
        """Sees to it that as many tasks are wanted as before; what that came to, as a sentence; empty where
        nothing was changed."""
        if not self._scaled:
            return ""
        wanted = stacks.describe(self._connection, self._service.cluster, self._service.name)["desiredCount"]
        if wanted != self._service.desired:
            self._update(desiredCount=self._service.desired)
        return f"the service wants {self._service.desired} tasks, as before"

    kill, freeze, lose, cut = map(_refusing, UNABLE)
    thaw, heal = freeze, cut

    # --- AWS ---

    def _describe(self, arns: Sequence[str]) -> list[dict[str, Any]]:
        return self._connection.ask("ecs", "describe_tasks", cluster=self._service.cluster, tasks=list(arns))[
            "tasks"
        ]

    def _served(self) -> set[str] | None:
        """Addresses that every target group calls healthy; None where the service is in none."""
        healthy = [
            {
                one["Target"]["Id"]
                for one in self._connection.ask("elbv2", "describe_target_health", TargetGroupArn=arn)[
                    "TargetHealthDescriptions"
                ]
                if one["TargetHealth"]["State"] == "healthy"
            }
            for arn in self._service.target_groups
        ]
        return set.intersection(*healthy) if healthy else None

    def _task(self, one: dict[str, Any], served: set[str] | None) -> RunningTask:
        address = next(
            (
                str(detail["value"])
                for attachment in one.get("attachments", ())
                for detail in attachment.get("details", ())
                if detail["name"] == "privateIPv4Address"
            ),
            "",
        )
        # PROVISIONING, PENDING, ACTIVATING, RUNNING, then DEACTIVATING, STOPPING, DEPROVISIONING (ECS
        # developer guide, "Task lifecycle").
        state = (
            "stopping"
            if one["desiredStatus"] == "STOPPED"
            else "running"
            if one["lastStatus"] == "RUNNING"
            else "starting"
        )
        well = one.get("healthStatus") == "HEALTHY" or "healthCheck" not in self._container(
            one["taskDefinitionArn"]
        )
        made = one["createdAt"]
        return RunningTask(
            _name(one),
            address,
            state,
            well and (served is None or address in served),
            made.timestamp() if isinstance(made, datetime) else float(made),
        )

    def _container(self, task_definition: str) -> dict[str, Any]:
        """Keycloak's container, as a task definition has it."""
        if task_definition not in self._containers:
            described = self._connection.ask(
                "ecs", "describe_task_definition", taskDefinition=task_definition
            )
            name = self.topology.task.keycloak
            self._containers[task_definition] = next(
                (one for one in described["taskDefinition"]["containerDefinitions"] if one["name"] == name),
                {},
            )
        return self._containers[task_definition]

    def _secret(self, source: str) -> str | None:
        """What stands where `ValueFrom` points (ECS developer guide, "Pass Secrets Manager secrets"): a
        secret's ARN with key, stage and version behind it, else a parameter of Systems Manager."""
        words = source.split(":")
        if words[2:3] != ["secretsmanager"]:
            found = self._connection.ask("ssm", "get_parameter", Name=source, WithDecryption=True)
            return str(found["Parameter"]["Value"])
        key, stage, version = (words[7:] + ["", "", ""])[:3]
        chosen = {**({"VersionStage": stage} if stage else {}), **({"VersionId": version} if version else {})}
        text = self._connection.ask(
            "secretsmanager", "get_secret_value", SecretId=":".join(words[:7]), **chosen
        ).get("SecretString", "")
        if not key:
            return str(text)
        try:
            value = json.loads(text)[key]
        except (ValueError, KeyError, TypeError):
            return None
        return value if isinstance(value, str) else None

    def _database(self) -> tuple[str, str] | None:
        """(type, identifier) of the stack's own database."""
        logical_id = self.topology.database.logical_id if self.topology.database else ""
        for kind in ("AWS::RDS::DBInstance", "AWS::RDS::DBCluster"):
            found = self._stack.physical(logical_id, kind)
            if found:
                return kind, found
        return None

    def _update(self, **changes: Any) -> dict[str, Any]:
        return self._connection.ask(
            "ecs", "update_service", cluster=self._service.cluster, service=self._service.name, **changes
        )["service"]


def _name(task: dict[str, Any]) -> str:
    """The end of its ARN."""
    return str(task["taskArn"]).rsplit("/", 1)[-1]
