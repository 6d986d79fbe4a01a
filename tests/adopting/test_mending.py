"""What is written instead of a value that can't be carried: it renders, mends what it says, and is nothing less."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from adoptions import adopt, loaded, task

from generator.document import parse
from generator.keycloak import sizing
from generator.linting import pack
from generator.linting.view import View

CDK = (Path(__file__).parent / "cdk.yaml").read_text("utf-8")

_AFTER = {
    "container": "          Command: [start]\n",
    "environment": "            - {Name: KC_DB, Value: postgres}\n",
    "service": "      LaunchType: FARGATE\n",
    "database": "      DBName: sso\n",
    "resources": "Resources:\n",
}
"""Part of the template -> the line behind which something may be put."""

Change = tuple[str, str]


def more(part: str, text: str) -> Change:
    """Something beside what stands in a part of the template."""
    margin = re.match(" *", _AFTER[part])[0] if part != "resources" else "  "
    return _AFTER[part], f"{_AFTER[part]}{margin}{text}\n"


def variable(name: str, value: str) -> Change:
    return more("environment", f'- {{Name: {name}, Value: "{value}"}}')


def target(text: str) -> Change:
    return "HealthCheckPath: /health}", f"HealthCheckPath: /health, {text}}}"


def attribute(key: str, value: int) -> Change:
    if key.startswith("idle"):
        return "{Scheme:", f'{{LoadBalancerAttributes: [{{Key: {key}, Value: "{value}"}}], Scheme:'
    on = '{Key: stickiness.enabled, Value: "true"}, {Key: stickiness.type, Value: lb_cookie}'
    return target(f'TargetGroupAttributes: [{on}, {{Key: {key}, Value: "{value}"}}]')


def size(cpu: Any, memory: Any) -> tuple[Change, Change]:
    return ('Cpu: "1024"', f"Cpu: {cpu}"), ('Memory: "2048"', f"Memory: {memory}")


def sidecar(memory: int) -> Change:
    return 'agent:1"}', f'agent:1", Memory: {memory}}}'


def heap(option: str) -> Change:
    return " -Xmx1024m", option


def database(instance_class: str) -> Change:
    return "db.t4g.medium", instance_class


def tasks(count: Any) -> Change:
    return "DesiredCount: 3", f"DesiredCount: {count}"


def scaling(least: Any, most: Any, percent: float = 60) -> Change:
    target = {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {
            "MinCapacity": least,
            "MaxCapacity": most,
            "ResourceId": {"Fn::Sub": "service/${SsoCluster55EE66FF}/${SsoService22334455.Name}"},
            "ScalableDimension": "ecs:service:DesiredCount",
            "ServiceNamespace": "ecs",
        },
    }
    policy = {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "PolicyName": "cpu",
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": "Scaled"},
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": percent,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
            },
        },
    }
    return more("resources", f"Scaled: {json.dumps(target)}\n  Scaling: {json.dumps(policy)}")


def alarm(namespace: str, metric: str, period: int, threshold: Any, **how: Any) -> Change:
    properties = {
        "Namespace": namespace,
        "MetricName": metric,
        "Statistic": "Sum",
        "Period": period,
        "EvaluationPeriods": 1,
        "Threshold": threshold,
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": ["arn:aws:sns:eu-central-1:111122223333:ops"],
        **how,
    }
    found = {key: value for key, value in properties.items() if value is not None}
    return more("resources", f"Alarm: {json.dumps({'Type': 'AWS::CloudWatch::Alarm', 'Properties': found})}")


def changed(*changes: Change) -> str:
    text = CDK
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


PERCENTS = "DeploymentConfiguration: {{MinimumHealthyPercent: {}, MaximumPercent: {}}}"
POOL = "KC_DB_POOL_MAX_SIZE"

MENDED = {
    "stop too long": ([more("container", "StopTimeout: 300")], "service.stop_timeout_seconds", 120),
    "stop too short": ([more("container", "StopTimeout: 1")], "service.stop_timeout_seconds", 60),
    "stop shorter than Keycloak's": (
        [
            more("container", "StopTimeout: 30"),
            variable("KC_SHUTDOWN_TIMEOUT", "70s"),
            ("keycloak:26.4.7", "keycloak:26.7.4"),
        ],
        "service.stop_timeout_seconds",
        86,
    ),
    "no grace": ([more("service", "HealthCheckGracePeriodSeconds: 5")], "service.grace_period_seconds", 600),
    "one task": ([tasks(1)], "service.tasks", 2),
    "a hundred tasks": ([tasks(100), database("db.m6g.16xlarge")], "service.tasks", 64),
    "all at once": ([more("service", PERCENTS.format(50, 200))], "service.deployment", "rolling"),
    "more at least than at most": ([scaling(4, 2)], "service.autoscaling.max_tasks", 5),
    "scaling beyond": ([scaling(2, 100), database("db.m6g.16xlarge")], "service.autoscaling.max_tasks", 64),
    "scaling too late": ([scaling(2, 6, 95)], "service.autoscaling.cpu_percent", 90),
    "scaling at half a percent": ([scaling(2, 6, 75.5)], "service.autoscaling.cpu_percent", 75),
    "rebalancing, all at once": (
        [more("service", f"AvailabilityZoneRebalancing: ENABLED\n      {PERCENTS.format(0, 100)}")],
        "service.zone_rebalancing",
        False,
    ),
    "idle for ever": ([attribute("idle_timeout.timeout_seconds", 5000)], "load_balancer.idle_timeout_seconds", 4000),
    "sticky for ever": (
        [attribute("stickiness.lb_cookie.duration_seconds", 700000)],
        "load_balancer.stickiness_seconds",
        604800,
    ),
    "leaving too long": (
        [attribute("deregistration_delay.timeout_seconds", 300)],
        "load_balancer.deregistration_delay_seconds",
        20,
    ),
    "interval below timeout": (
        [target("HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 10")],
        "load_balancer.health_check.interval_seconds",
        12,
    ),
    "half a GB": ([*size(256, 512), heap("")], "service.memory", 1024),
    "no size of Fargate's": ([*size(4096, 4096)], "service.memory", 8192),
    "more memory than goes with the CPU": ([*size(256, 4096)], "service.cpu", 512),
    "a heap that fills the task": ([heap(" -Xmx1900m")], "keycloak.heap_percent", 70),
    "a heap that a sidecar leaves no room": (
        [*size(2048, 8192), sidecar(3072), heap(" -Xmx6144m")],
        "keycloak.heap_percent",
        75,
    ),
    "nobody set the pool": ([database("db.t4g.micro")], "database.pool_size", 25),
    "the pool is too large": ([database("db.t4g.micro"), variable(POOL, "30")], "database.pool_size", 25),
    "max_connections is lower than the class has": (
        [
            database("db.m6g.large\n      DBParameterGroupName: !Ref Own"),
            more("resources", "Own: {Type: AWS::RDS::DBParameterGroup, "
                 "Properties: {Family: postgres16, Description: x, Parameters: {max_connections: 200}}}"),
        ],
        "database.pool_size",
        47,
    ),
    "not even two connections": (
        [database("db.t4g.micro"), tasks(60), variable(POOL, "5")],
        "database.create.instance_class",
        "db.t4g.medium",
    ),
    "no room to grow": ([more("database", "MaxAllocatedStorage: 50")], "database.create.max_storage_gb", 55),
    "hardly room to grow": ([more("database", "MaxAllocatedStorage: 52")], "database.create.max_storage_gb", 55),
    "little storage": ([('AllocatedStorage: "50"', "AllocatedStorage: 5")], "database.create.storage_gb", 20),
    "no backups": ([more("database", "BackupRetentionPeriod: 0")], "database.create.backup_days", 7),
    "odd retention": ([("{RetentionInDays: 90}", "{RetentionInDays: 100}")], "keycloak.log.retention_days", 120),
    "everything logged": ([variable("KC_LOG_LEVEL", "debug")], "keycloak.log.level", "info"),
}
"""What is wrong -> how the template says it, the key that is corrected, and its value."""

KEPT = {
    "exec without a role": ([more("service", "EnableExecuteCommand: true")], "service.exec", True),
    "io1 below its least": (
        [more("database", "StorageType: io1\n      Iops: 3000")],
        "database.create.storage_gb",
        50,
    ),
    "a large class with many tasks": ([database("db.m6g.large"), scaling(2, 6)], "database.create.instance_class",
                                      "db.m6g.large"),
    "a sidecar takes the memory": ([*size(2048, 8192), sidecar(6000), heap("")], "service.memory", 8192),
    "sidecars want more than there is": ([*size(2048, 8192), sidecar(9000), heap("")], "service.memory", 8192),
    "sizes in words": ([*size("1 vCPU", "3GB")], "service.memory", 3072),
    "rebalancing": ([more("service", "AvailabilityZoneRebalancing: ENABLED")], "service.zone_rebalancing", True),
    "a balancer inside": ([("Scheme: internet-facing", "Scheme: internal")], "load_balancer.scheme", "internal"),
    "a pool that fits": ([variable(POOL, "50")], "database.pool_size", 50),
    "long backups": ([more("database", "BackupRetentionPeriod: 35")], "database.create.backup_days", 35),
    "a long timeout": (
        [target("HealthCheckIntervalSeconds: 60, HealthCheckTimeoutSeconds: 30")],
        "load_balancer.health_check.timeout_seconds",
        30,
    ),
}
"""What a rule may object to, or a default is less than -> how the template says it, the key, and its value."""


def at(params: dict, key: str) -> Any:
    for step in key.split("."):
        params = params[step]
    return params


def amounts(text: str) -> dict[str, float]:
    """What a template has of everything that nobody wants less of."""
    view = View(parse(text))
    (keycloak,) = view.keycloaks
    (service,) = keycloak.services
    held = keycloak.database.properties
    logs = view.resolver.properties(view.document.of_type("AWS::Logs::LogGroup")[0])
    grown = held["MaxAllocatedStorage"].integer
    return {
        "CPU": sizing.task_cpu(keycloak.task_properties["Cpu"].text),
        "memory": sizing.task_memory(keycloak.task_properties["Memory"].text),
        "tasks": min(service.least_tasks, 64),
        "most tasks": min(service.most_tasks, 64),
        "storage": held["AllocatedStorage"].integer,
        "storage to grow to": grown or 0,
        "connections": sizing.max_connections(held["DBInstanceClass"].text),
        "backups": held["BackupRetentionPeriod"].integer or 0,
        "log": logs["RetentionInDays"].integer,
    }


def claimed(params: str) -> set[str]:
    """The rules that a params file calls corrected, on lines and below."""
    *lines, tail = params.partition("# Corrected by what is rendered anyway:")
    below = tail.partition("\n\n")[0]
    comments = [line.partition("# was ")[2] for line in lines[0].splitlines() if not line.startswith("#")]
    return set(re.findall(r"\b[EW]9\d{3}\b", "\n".join([*comments, below])))


@pytest.mark.parametrize("case", [*MENDED, *KEPT])
def test_what_is_corrected_renders_and_is_mended(case, rendering):
    """Whatever was wrong, the params render, no finding that they call corrected is left, and nothing is less."""
    changes, _, _ = {**MENDED, **KEPT}[case]
    template = changed(*changes)
    found = adopt(template)
    made = rendering.handed(found).template
    left = {one.rule for one in pack.run_all(View(parse(made)))}
    assert claimed(found.params) and not claimed(found.params) & left
    before, after = amounts(template), amounts(made)
    assert {name: after[name] for name in before if after[name] < before[name]} == {}


@pytest.mark.parametrize("case", MENDED)
def test_a_correction_says_what_stood_there(case):
    """The value that mends it, marked as corrected, with what was there and why."""
    changes, key, value = MENDED[case]
    found = adopt(changed(*changes))
    assert at(loaded(found), key) == value
    (why,) = [one.why for one in found.corrected if one.key == key]
    assert re.match(r"was .+", why) and not why.rstrip().endswith(";")


@pytest.mark.parametrize("case", KEPT)
def test_what_is_mended_around_it_stays(case):
    """What rendering mends by itself, or what isn't carried had caused, takes nothing away."""
    changes, key, value = KEPT[case]
    found = adopt(changed(*changes))
    assert at(loaded(found), key) == value and key not in {one.key for one in found.corrected}


UNKNOWN = {
    "tasks": ([tasks("!ImportValue tasks")], "service.tasks"),
    "most tasks": ([scaling(2, {"Fn::ImportValue": "tasks"})], "service.autoscaling.max_tasks"),
    "CPU": ([('Cpu: "1024"', "Cpu: !ImportValue cpu")], "service.cpu"),
    "memory": ([('Memory: "2048"', "Memory: !ImportValue memory")], "service.memory"),
    "storage": ([('AllocatedStorage: "50"', "AllocatedStorage: !ImportValue storage")], "database.create.storage_gb"),
    "no storage": ([('      AllocatedStorage: "50"\n', "")], "database.create.storage_gb"),
    "class": ([database("!ImportValue class")], "database.create.instance_class"),
    "version": ([('EngineVersion: "16.9"', "EngineVersion: !ImportValue version")], "database.create.engine_version"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_what_is_not_known_is_asked_for(case, rendering):
    """No default takes the place of what only AWS knows: it could be less. Nothing renders before it is written."""
    changes, key = UNKNOWN[case]
    found = adopt(changed(*changes))
    assert key in {one.key for one in found.unset} and key not in {one.key for one in adopt(CDK).unset}
    built = rendering.filled(found, but=key)
    assert built.hand_over is None and {one.key for one in built.problems if one.severity == "error"} == {key}
    assert rendering.handed(found)


ELB, RDS, ECS = "AWS/ApplicationELB", "AWS/RDS", "AWS/ECS"
ERRORS = "HTTPCode_Target_5XX_Count"
GIB = 2**30
LESS = {"ComparisonOperator": "LessThanThreshold", "Statistic": "Minimum"}
ALARMS = [
    (alarm(ELB, ERRORS, 300, 50), "errors_5xx_per_minute", 10, "was more than 50 in 300 s at"),
    (alarm(ELB, ERRORS, 300, 7), "errors_5xx_per_minute", 2, "was more than 7 in 300 s at"),
    (alarm(ELB, ERRORS, 10, 5, EvaluationPeriods=3), "errors_5xx_per_minute", 30, "in 10 s, 3 times in a row at"),
    (alarm(ELB, ERRORS, 60, 0), "errors_5xx_per_minute", 1, "was more than 0"),
    (alarm(ELB, ERRORS, 60, 26, ComparisonOperator="GreaterThanOrEqualToThreshold"), "errors_5xx_per_minute", 25, ""),
    (alarm(ELB, ERRORS, 60, 25), "errors_5xx_per_minute", 25, ""),
    (
        alarm(ELB, "TargetResponseTime", 300, 1.5, Statistic=None, ExtendedStatistic="p99"),
        "latency_p99_milliseconds",
        1500,
        "",
    ),
    (alarm(ECS, "CPUUtilization", 300, 70.5, Statistic="Average"), "cpu_percent", 71, "was more than 70.5 at"),
    (alarm(RDS, "FreeStorageSpace", 300, 10 * GIB, **LESS), "database_free_storage_gb", 10, ""),
    (alarm(RDS, "FreeStorageSpace", 300, 10**10, **LESS), "database_free_storage_gb", 10, "was less than 10000000000"),
]


@pytest.mark.parametrize("change, key, value, comment", ALARMS)
def test_thresholds_come_in_the_unit_of_their_key(change, key, value, comment):
    """Counts are for a minute, times in milliseconds, storage in GiB, rounded up; a comment says what was there."""
    found = adopt(changed(change))
    assert at(loaded(found), f"alarms.{key}") == value
    (line,) = [line for line in found.params.splitlines() if line.strip().startswith(f"{key}:")]
    assert comment in line and ("#" in line) == bool(comment)


@pytest.mark.parametrize(
    "change",
    [
        alarm(ELB, "TargetResponseTime", 300, 1, Statistic="Average"),
        alarm(ECS, "CPUUtilization", 300, 70, Statistic="Maximum"),
        alarm(ELB, ERRORS, 300, 3, Statistic="Average"),
    ],
)
def test_a_threshold_by_another_statistic_is_not_carried(change):
    """An average isn't what one in a hundred takes: it is listed, and the default stays."""
    found = adopt(changed(change))
    assert loaded(found)["alarms"] == {"topic": "arn:aws:sns:eu-central-1:111122223333:ops"}
    assert any(one.what.startswith("the alarm on ") for one in found.left)


def test_sizes_of_describe_calls_are_read_in_words():
    """A task definition may say 1 vCPU and 3 GB."""
    params = loaded(adopt(task(cpu="1 vCPU", memory="3 GB")))
    assert params["service"]["memory"] == 3072 and "cpu" not in params["service"]
