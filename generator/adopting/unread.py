"""What stands in the files and no part of params has asked for: nobody shall lose a setting without a word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.adopting.scene import Scene
from generator.document import Resource
from generator.linting.view.balancers import Decision
from generator.resolving import Place

_ELB = "AWS::ElasticLoadBalancingV2::"
_INSTANCE = "AWS::RDS::DBInstance"

_CONTAINER = {
    "Command", "Cpu", "EntryPoint", "Environment", "EnvironmentFiles", "Essential", "HealthCheck", "Image",
    "LogConfiguration", "Memory", "MemoryReservation", "MountPoints", "Name", "PortMappings", "Secrets", "StopTimeout",
    "Ulimits",
}
_READ = {
    "AWS::ECS::TaskDefinition": {
        "ContainerDefinitions", "Cpu", "ExecutionRoleArn", "Family", "Memory", "NetworkMode", "RequiresCompatibilities",
        "RuntimePlatform", "Tags", "TaskRoleArn", "Volumes",
    },
    "AWS::ECS::Service": {
        "AvailabilityZoneRebalancing", "Cluster", "DeploymentConfiguration", "DesiredCount", "EnableECSManagedTags",
        "EnableExecuteCommand", "HealthCheckGracePeriodSeconds", "LaunchType", "LoadBalancers", "NetworkConfiguration",
        "PlatformVersion", "PropagateTags", "SchedulingStrategy", "ServiceName", "ServiceRegistries", "Tags",
        "TaskDefinition",
    },
    _ELB + "TargetGroup": {
        "HealthCheckEnabled", "HealthCheckIntervalSeconds", "HealthCheckPath", "HealthCheckPort", "HealthCheckProtocol",
        "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "Matcher", "Name", "Port", "Protocol", "ProtocolVersion",
        "Tags", "TargetGroupAttributes", "TargetType", "UnhealthyThresholdCount", "VpcId",
    },
    _ELB + "LoadBalancer": {"LoadBalancerAttributes", "Name", "Scheme", "SecurityGroups", "Subnets", "Tags", "Type"},
    _ELB + "Listener": {"Certificates", "DefaultActions", "LoadBalancerArn", "Port", "Protocol", "SslPolicy", "Tags"},
    _INSTANCE: {
        "AllocatedStorage", "AllowMajorVersionUpgrade", "AutoMinorVersionUpgrade", "BackupRetentionPeriod",
        "CACertificateIdentifier", "CopyTagsToSnapshot", "DBInstanceClass", "DBInstanceIdentifier", "DBName",
        "DBParameterGroupName", "DBSnapshotIdentifier", "DBSubnetGroupName", "DeleteAutomatedBackups",
        "DeletionProtection", "EnableCloudwatchLogsExports", "EnablePerformanceInsights", "Engine", "EngineVersion",
        "KmsKeyId", "MasterUserPassword", "MasterUsername", "MaxAllocatedStorage", "MultiAZ",
        "PreferredBackupWindow", "PreferredMaintenanceWindow", "PubliclyAccessible", "StorageEncrypted",
        "Tags", "VPCSecurityGroups",
    },
}
"""Type -> the properties that params say, or that rendering decides whatever stood there (safer, or the same)."""

_SAME: dict[tuple[str, str], tuple[Any, ...]] = {
    ("AWS::ECS::Service", "DeploymentController"): ({"Type": "ECS"},),
    ("AWS::ECS::Service", "Role"): ("aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",),
    (_INSTANCE, "Port"): ("5432",),
    (_INSTANCE, "StorageType"): ("gp3",),
    (_ELB + "LoadBalancer", "IpAddressType"): ("ipv4",),
    (_ELB + "TargetGroup", "IpAddressType"): ("ipv4",),
    (_ELB + "Listener", "MutualAuthentication"): ({"Mode": "off"},),
}
"""Values that come to what is rendered."""

_ATTRIBUTES = {
    "access_logs.s3.bucket", "access_logs.s3.enabled", "access_logs.s3.prefix", "deletion_protection.enabled",
    "deregistration_delay.timeout_seconds", "idle_timeout.timeout_seconds", "routing.http.desync_mitigation_mode",
    "routing.http.drop_invalid_header_fields.enabled", "routing.http.xff_client_port.enabled",
    "routing.http.xff_header_processing.mode", "stickiness.app_cookie.cookie_name",
    "stickiness.app_cookie.duration_seconds", "stickiness.enabled", "stickiness.lb_cookie.duration_seconds",
    "stickiness.type",
}
"""Attributes of balancers and target groups that params say, or that rendering decides."""

_USUAL_ATTRIBUTES = {
    "client_keep_alive.seconds": "3600",
    "routing.http2.enabled": "true",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
    "slow_start.duration_seconds": "0",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.percentage": "off",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
}
"""Their defaults, which describe calls print (botocore's texts of ModifyTargetGroupAttributes and
ModifyLoadBalancerAttributes)."""

_NONE = (None, "", False, "false", 0, "0", [], {}, "off")
"""What describe calls print of things that aren't there."""

_ALONE = {
    "AWS::SecretsManager::RotationSchedule": "rotation is set up anew, as the runbook says",
    "AWS::RDS::DBProxy": "tasks connect to the database itself",
}
"""Types of which nothing is carried, with what becomes of them."""


def unread(scene: Scene) -> None:
    """Lists as not carried what stands beside everything that params took."""
    keycloak, resolver = scene.keycloak, scene.view.resolver
    _properties(scene, keycloak.container, "", _CONTAINER, "the container's ")
    holders = [keycloak.task, *(one.resource for one in keycloak.services), *(one.resource for one in
               keycloak.target_groups), *(one.resource for one in keycloak.load_balancers)]
    holders += [found for one in keycloak.listeners if (found := scene.view.document.resources.get(one.name))]
    if scene.draft.has("database.create") and keycloak.database is not None:
        holders.append(keycloak.database.resource)
        _parameters(scene, keycloak.database.parameter_group)
    for one in {one.logical_id: one for one in holders}.values():
        name = f"{one.logical_id}'s " if scene.template else _SAID.get(one.type, "")
        _properties(scene, resolver.properties(one), one.type, _READ.get(one.type, set()), name)
    _role(scene)
    _group(scene)
    _balancer(scene)
    _listeners(scene)
    if not scene.draft.has("load_balancer.waf"):
        for one in scene.view.document.of_type("AWS::WAFv2::WebACLAssociation"):
            scene.leave(
                f"{one.logical_id} ({one.type}) at {scene.at(one.path)}",
                "load_balancer.waf renders a web ACL; another one has to be associated by hand",
            )
    for resource in scene.view.document.resources.values():
        if resource.type in _ALONE:
            scene.leave(f"{resource.logical_id} ({resource.type}) at {scene.at(resource.path)}", _ALONE[resource.type])


_SAID = {
    "AWS::ECS::TaskDefinition": "the task definition's ",
    "AWS::ECS::Service": "the service's ",
    _ELB + "TargetGroup": "the target group's ",
    _ELB + "LoadBalancer": "the load balancer's ",
    _ELB + "Listener": "a listener's ",
}


def _properties(scene: Scene, holder: Place, kind: str, read: set[str], whose: str) -> None:
    for name in holder.keys():
        place = holder[name]
        if name not in read and place and place.value not in _NONE and not _same(kind, name, place):
            scene.leave(f"{whose}{name} at {scene.at(place)}", "params say nothing about it")


def _same(kind: str, name: str, place: Place) -> bool:
    known = _SAME.get((kind, name), ())
    if place.text is not None:
        return place.text in known
    return any(
        isinstance(one, dict) and place.keys() == list(one) and all(place[key].text == one[key] for key in one)
        for one in known
    )


def _parameters(scene: Scene, group: Resource | None) -> None:
    """Settings of PostgreSQL's own; rendering writes rds.force_ssl alone."""
    if group is None:
        return
    held = scene.view.resolver.properties(group)["Parameters"]
    for name in held.keys():
        if name != "rds.force_ssl":
            scene.leave(f"the database's parameter {name} at {scene.at(held[name])}", "rds.force_ssl alone is rendered")


def _role(scene: Scene) -> None:
    place = scene.keycloak.task_properties["TaskRoleArn"]
    if place and scene.keycloak.task_role is None:
        scene.leave(
            f"what the task role may do, named at {scene.at(place)}",
            "the files don't tell; the new one may do nothing",
        )


def _group(scene: Scene) -> None:
    """Where the log goes, where no template shows the group."""
    log = scene.keycloak.container["LogConfiguration"]
    driver, name = log["LogDriver"], log["Options"]["awslogs-group"]
    if driver.text not in (None, "awslogs"):
        scene.leave(f"the log driver {driver.text} at {scene.at(driver)}", "logs go to CloudWatch")
    elif name.text and name.resource("AWS::Logs::LogGroup") is None:
        scene.leave(f"the log group {name.text} at {scene.at(name)}", "a group of the stack's own is made; it stays")


def _balancer(scene: Scene) -> None:
    owner = scene.balancer
    if owner is None:
        return
    kind = owner.properties["Type"]
    if kind.text not in (None, "application"):
        scene.leave(f"a {kind.text} load balancer at {scene.at(kind)}", "an application load balancer is rendered")
    if not scene.draft.has("load_balancer.allow_from") and _closed(scene):
        scene.leave(
            f"who may connect to {owner.name} at {scene.at(owner.properties['SecurityGroups'])}",
            "load_balancer.allow_from takes networks, and without it everybody may",
        )
    holders = [owner.properties["LoadBalancerAttributes"]]
    holders += [one.properties["TargetGroupAttributes"] for one in scene.keycloak.target_groups[:1]]
    for name, place in _pairs(holders):
        if name not in _ATTRIBUTES and place.text not in (*_NONE, _USUAL_ATTRIBUTES.get(name)):
            scene.leave(f"{name}: {place.text or '?'} at {scene.at(place)}", "params say nothing about it")


def _closed(scene: Scene) -> bool:
    """Whether the balancer isn't surely open to everybody: its groups aren't in the files, or let in others."""
    owner = scene.balancer
    return bool(owner.properties["SecurityGroups"]) and not scene.view.firewall.open_to_internet(owner.party, 443)


def _pairs(holders: list[Place]) -> Iterator[tuple[str, Place]]:
    for holder in holders:
        for one in holder:
            if one["Key"].text and one["Value"]:
                yield one["Key"].text, one["Value"]


def _listeners(scene: Scene) -> None:
    """Ports, certificates and rules that what is rendered hasn't."""
    for listener in scene.keycloak.listeners:
        if listener.port not in (None, 80, 443):
            scene.leave(f"port {listener.port} at {scene.at(listener.properties['Port'])}", "443 and 80 are rendered")
        for place in list(listener.properties["Certificates"])[1:]:
            scene.leave(f"another certificate at {scene.at(place)}", "load_balancer.certificate takes one for all")
        for rule in listener.rules:
            _rule(scene, rule)


def _rule(scene: Scene, rule: Decision) -> None:
    named = [text for one in rule.of("host-header") for text in one.texts]
    other = [one for one in named if one not in scene.hosts]
    sources = [text for one in rule.of("source-ip") for text in one.texts]
    paths = [text for one in rule.of("path-pattern") for text in one.texts]
    where = scene.at(rule.path)
    if other:
        scene.leave(f"the rule for {', '.join(other)} at {where}", "rules are rendered for Keycloak's own hosts")
    elif sources and any(path.startswith("/admin") for path in paths) and not scene.facts.get("admin"):
        scene.leave(
            f"the way to the admin console from {', '.join(sources)} at {where}",
            "it gets a host of its own: keycloak.admin.hostname, with keycloak.admin.allow_from",
        )
    elif (
        rule.action.kind == "redirect" and not set(paths) <= {"/", "/admin"} and rule.listener.protocol == "HTTPS"
    ):
        scene.leave(f"the redirect at {where}", "rules redirect the start page and from HTTP alone")
    elif rule.action.login:
        scene.leave(f"the login by the balancer at {where}", "Keycloak is the one to log in at")
