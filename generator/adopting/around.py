"""What stands around Keycloak: the sections `network`, `load_balancer`, `service`, `alarms` of params."""

from __future__ import annotations

import ipaddress
import math
import re
from typing import Any

from generator.adopting import mending
from generator.adopting.draft import default, fits
from generator.adopting.scene import Scene
from generator.keycloak import sizing
from generator.linting.view import Listener, LoadBalancer, TargetGroup
from generator.resolving import Place

_WORLD = "0.0.0.0/0"
_CERTIFICATE = "AWS::CertificateManager::Certificate"


def service(scene: Scene) -> None:
    """The section `service`."""
    task = scene.keycloak.task_properties
    architecture = task["RuntimePlatform"]["CpuArchitecture"]
    scene.draft.set("service.architecture", "arm64" if architecture.text == "ARM64" else "x86_64")
    _size(scene, task["Cpu"], task["Memory"])
    stop = scene.keycloak.container["StopTimeout"]
    scene.carry("service.stop_timeout_seconds", stop.integer, stop)
    found = scene.service
    if found is None:
        return
    properties = found.properties
    place = found.count_place
    tasks = found.least_tasks
    if tasks is None:
        scene.draft.ask("service.tasks", f"how many tasks run; it isn't known from {scene.at(place)}")
    elif tasks < 2:
        scene.correct(
            "service.tasks",
            2,
            f"was {tasks} at {scene.at(place)}; "
            + (scene.reason(scene.faults(place)) or "a cluster is two nodes or more"),
        )
    else:
        scene.carry("service.tasks", tasks, place)
    if found.scaling is not None:
        _autoscaling(scene)
    least, most = found.minimum_healthy_percent, found.maximum_percent
    deployment = properties["DeploymentConfiguration"]
    if least == 0 and most == 100:
        scene.draft.set("service.deployment", "recreate")
    elif faults := scene.faults(deployment):
        scene.correct(
            "service.deployment",
            "rolling",
            f"was {least} to {most} percent at {scene.at(deployment)}; " + scene.reason(faults),
        )
    breaker = deployment["DeploymentCircuitBreaker"]["Rollback"]
    scene.carry("service.rollback", breaker.flag, breaker)
    scene.carry("service.exec", properties["EnableExecuteCommand"].flag, properties["EnableExecuteCommand"])
    balance = properties["AvailabilityZoneRebalancing"]
    if balance.text == "ENABLED":
        scene.carry("service.zone_rebalancing", True, balance)
    grace = properties["HealthCheckGracePeriodSeconds"]
    scene.carry("service.grace_period_seconds", grace.integer, grace)
    cluster = properties["Cluster"]
    if cluster.text and fits("service.cluster", cluster.text):
        scene.draft.set("service.cluster", cluster.text)
    elif cluster.text:
        scene.leave(
            f"the ECS cluster {cluster.text} at {scene.at(cluster)}",
            "one of its own is made; to stay in it, write its ARN as service.cluster",
        )
    owned = cluster.resource("AWS::ECS::Cluster")
    if owned is not None:
        for one in scene.view.resolver.properties(owned)["ClusterSettings"]:
            if one["Name"].text == "containerInsights":
                scene.carry("service.container_insights", one["Value"].text, one["Value"])
    elif properties["PlatformVersion"].text not in (None, "LATEST"):
        scene.leave(
            f"platform version {properties['PlatformVersion'].text} at "
            f"{scene.at(properties['PlatformVersion'])}",
            "the newest one is taken",
        )


def _size(scene: Scene, cpu: Place, memory: Place) -> None:
    """CPU and memory of a task. Containers beside Keycloak aren't carried, and what they had is Keycloak's then."""
    units, mib = sizing.task_cpu(cpu.text or ""), sizing.task_memory(memory.text or "")
    for key, place, known in (("service.cpu", cpu, units), ("service.memory", memory, mib)):
        if place and known is None:
            scene.draft.ask(key, f"the task's, in {_UNITS[key]}; it isn't known from {scene.at(place)}")
    sizes = mending.task_size(scene, units, mib)
    for key, place, known, size in (("service.cpu", cpu, units, sizes[0]), ("service.memory", memory, mib, sizes[1])):
        if not known:
            continue
        if size == known:
            scene.carry(key, size, place, faults=False)
            continue
        heap = [one for one in scene.faults(place) if one.rule in _HEAP_RULES] if key == "service.memory" else []
        listed = known in sizing.fargate_memories(units or 0)
        why = "the Java heap needs more" if listed else "Fargate has no such size"
        scene.correct(key, size, f"was {place.text} at {scene.at(place)}; {scene.reason(heap) or why}")


_UNITS = {"service.cpu": "CPU units", "service.memory": "MiB"}
_HEAP_RULES = ("E9065", "W9065")
"""The rules about a heap that memory has no room for."""


def _autoscaling(scene: Scene) -> None:
    scaling = scene.service.scaling
    key = "service.autoscaling.max_tasks"
    least = scene.drafted("service.tasks") + 1
    if not fits(key, least):
        scene.leave(f"scaling at {scene.at(scaling.properties.path)}", "there are no more tasks than service.tasks")
        return
    if scaling.most is None:
        scene.draft.ask(key, f"how many tasks there may be; it isn't known from {scene.at(scaling.properties.path)}")
    else:
        place = scaling.properties["MaxCapacity"]
        scene.carry(key, scaling.most, place, faults=False)
        if scene.drafted(key) < least:
            scene.correct(key, least, f"was {scaling.most} at {scene.at(place)}; more than service.tasks")
    for policy in scaling.policies:
        target = scene.view.resolver.properties(policy)["TargetTrackingScalingPolicyConfiguration"]
        if (
            target["PredefinedMetricSpecification"]["PredefinedMetricType"].text
            == "ECSServiceAverageCPUUtilization"
        ):
            _cpu_percent(scene, target["TargetValue"])
            return
    scene.leave("scaling by another metric than CPU", "service.autoscaling scales by CPU")


def _cpu_percent(scene: Scene, place: Place) -> None:
    """What scaling aims for; params take whole percents, and the lower one means no less capacity."""
    key, text = "service.autoscaling.cpu_percent", place.text or ""
    if place.integer is None and re.fullmatch(r"[0-9]{1,3}\.[0-9]+", text) and fits(key, int(float(text))):
        scene.correct(key, int(float(text)), f"was {text} at {scene.at(place)}; params take whole percents")
    else:
        scene.carry(key, place.integer, place)


def network(scene: Scene) -> None:
    """The section `network`."""
    vpc = next(iter(scene.view.document.of_type("AWS::EC2::VPC")), None)
    if vpc is not None and (layout := _layout(scene, vpc.logical_id)):
        for key, value in layout.items():
            scene.draft.set(f"network.create.{key}", value)
        return
    if vpc is not None:
        scene.leave(
            f"the network that {vpc.logical_id} at {scene.at(vpc.path)} begins",
            "it isn't laid out like one that is rendered; keep it in a stack of its own and use it as "
            "network.existing",
        )
    _existing(scene)


def _existing(scene: Scene) -> None:
    base = "network.existing"
    found = scene.service
    groups, owner = scene.keycloak.target_groups, scene.balancer
    ids = [group.properties["VpcId"].text for group in groups] + [scene.facts.get("vpc")]
    or_ask(scene, f"{base}.vpc", next((one for one in ids if one), None), "the id of the VPC")
    scene.draft.ask(f"{base}.cidrs", "the VPC's networks, such as [10.0.0.0/16]")
    public = (
        found is not None
        and found.properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"].text
        == "ENABLED"
    )
    subnets = [one.text for one in found.subnets] if found is not None else []
    if public:
        place = found.properties["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"]
        reason = scene.reason(scene.faults(place)) or "tasks get no public addresses"
        scene.draft.ask(
            f"{base}.private_subnets",
            f"subnets with a way out by NAT, one per zone; those at {scene.at(place)} are public; {reason}",
        )
    else:
        or_ask(
            scene,
            f"{base}.private_subnets",
            subnets,
            "the tasks' subnets, one per zone"
            + (f"; were {', '.join(map(str, subnets))}" if subnets else ""),
        )
    if owner is None or owner.public is not False:
        listed = [one.text for one in owner.subnets] if owner is not None else []
        or_ask(scene, f"{base}.public_subnets", listed, "the balancer's subnets, one per zone")


def or_ask(scene: Scene, key: str, value: Any, what: str) -> None:
    complete = value and (not isinstance(value, list) or all(value))
    if complete and fits(key, value):
        scene.draft.set(key, value)
    else:
        scene.draft.ask(key, what)


def _layout(scene: Scene, vpc: str) -> dict[str, Any] | None:
    """`network.create` where the template's VPC is laid out as rendering does: sixteen blocks, the public
    subnets from the first, the private ones from the fifth, the database's from the ninth.
    """
    resolver, document = scene.view.resolver, scene.view.document
    cidr = resolver.properties(document.resources[vpc])["CidrBlock"].text
    try:
        blocks = [str(one) for one in ipaddress.IPv4Network(cidr or "").subnets(prefixlen_diff=4)]
    except ValueError:
        return None
    taken = [resolver.properties(one)["CidrBlock"].text for one in document.of_type("AWS::EC2::Subnet")]
    zones = sum(one in blocks[4:8] for one in taken)
    wanted = {blocks[first + zone] for first in (0, 4, 8) for zone in range(zones)}
    if (
        not 2 <= zones <= 3
        or None in taken
        or not set(taken) <= wanted
        or not fits("network.create.cidr", cidr)
    ):
        return None
    gateways = len(document.of_type("AWS::EC2::NatGateway"))
    found: dict[str, Any] = {
        "cidr": cidr,
        "zones": zones,
        "nat": "none" if not gateways else "per-zone" if gateways >= zones else "single",
    }
    for log in document.of_type("AWS::EC2::FlowLog"):
        group = resolver.properties(log)["LogGroupName"].resource("AWS::Logs::LogGroup")
        days = resolver.properties(group)["RetentionInDays"].integer if group else None
        if days is not None and fits("network.create.flow_logs.retention_days", days):
            found["flow_logs.retention_days"] = days
    return found


def egress(scene: Scene) -> None:
    """`network.egress`: where tasks may connect, one TCP port to one network at a time."""
    found = scene.service
    if found is None or not found.party.groups:
        return
    targets = []
    for group in found.party.groups:
        for one in scene.view.firewall.of(group, "egress"):
            open_to_all = one.protocol == "-1" or one.network is not None and one.ports == (443, 443)
            if one.network is None or open_to_all or one.network.is_loopback or not one.sure or not one.ports:
                continue
            said = one.place["Description"].text or "As before"
            item = {"to": str(one.network), "port": one.ports[0], "description": said}
            if one.protocol == "tcp" and one.ports[0] == one.ports[1] and fits("network.egress", [item]):
                targets.append(item)
            else:
                scene.leave(
                    f"the way out at {scene.at(one.place)}",
                    "network.egress takes one TCP port and a description each",
                )
    if targets:
        scene.draft.set("network.egress", targets)


def balancer(scene: Scene) -> None:
    """The section `load_balancer`, and the networks of the admin host."""
    listeners = scene.keycloak.listeners
    _certificate(scene, scene.listener)
    if scene.balancer is not None:
        _attributes(scene, scene.balancer)
    for group in scene.keycloak.target_groups[:1]:
        _target_group(scene, group)
    _records(scene)
    _admin(scene, listeners)
    _waf(scene)


def _certificate(scene: Scene, listener: Listener | None) -> None:
    key = "load_balancer.certificate"
    place = next(iter(listener.properties["Certificates"]), None) if listener is not None else None
    place = place["CertificateArn"] if place is not None else None
    owned = place.resource(_CERTIFICATE) if place is not None else None
    if owned is not None:
        properties = scene.view.resolver.properties(owned)
        zones = [one["HostedZoneId"].text for one in properties["DomainValidationOptions"]]
        scene.draft.set(key, "create")
        or_ask(
            scene, "load_balancer.hosted_zone", zones[0] if zones else None, "the Route 53 zone of the hosts"
        )
    else:
        or_ask(
            scene,
            key,
            place.text if place is not None else None,
            "the ARN of a certificate, or create with load_balancer.hosted_zone",
        )
    if listener is not None:
        policy = listener.properties["SslPolicy"]
        scene.carry("load_balancer.tls_policy", policy.text, policy)


def _attributes(scene: Scene, owner: LoadBalancer) -> None:
    scheme = owner.properties["Scheme"]
    scene.carry("load_balancer.scheme", scheme.text, scheme)
    for key, name in (("idle_timeout_seconds", "idle_timeout.timeout_seconds"),):
        place = owner.attributes.get(name)
        if place is not None:
            scene.carry(f"load_balancer.{key}", place.integer, place)
    protection = owner.attributes.get("deletion_protection.enabled")
    if protection is not None:
        scene.carry("load_balancer.deletion_protection", protection.flag, protection)
    if owner.attributes.flag("access_logs.s3.enabled", False):
        bucket, prefix = (owner.attributes.get(f"access_logs.s3.{one}") for one in ("bucket", "prefix"))
        if bucket is not None and bucket.text:
            scene.carry("load_balancer.access_logs.bucket", bucket.text, bucket)
            if prefix is not None and prefix.text:
                scene.carry("load_balancer.access_logs.prefix", prefix.text, prefix)
    networks: list[str] = []
    for permission in scene.view.firewall.lets_in_from(owner.party, 443):
        networks.append(str(permission.network) if permission.network is not None else _WORLD)
    if networks and _WORLD not in networks and fits("load_balancer.allow_from", networks):
        scene.draft.set("load_balancer.allow_from", list(dict.fromkeys(networks)))


def _target_group(scene: Scene, group: TargetGroup) -> None:
    attributes = group.attributes
    sticky, length = attributes.get("stickiness.enabled"), attributes.get(
        "stickiness.lb_cookie.duration_seconds"
    )
    kind = attributes.get("stickiness.type")
    key = "load_balancer.stickiness_seconds"
    if sticky is not None and sticky.flag is False:
        scene.correct(
            key,
            default(key),
            f"was off at {scene.at(sticky)}; "
            + (scene.reason(scene.faults(sticky)) or "a login stays with the node that holds it"),
        )
    elif kind is not None and kind.text == "app_cookie":
        scene.correct(
            key,
            default(key),
            f"was app_cookie at {scene.at(kind)}; "
            + (scene.reason(scene.faults(kind)) or "the balancer's own cookie is used"),
        )
    elif length is not None:
        scene.carry(key, length.integer, length)
    delay = attributes.get("deregistration_delay.timeout_seconds")
    if delay is not None:
        scene.carry("load_balancer.deregistration_delay_seconds", delay.integer, delay)
    for name, key in (
        ("HealthCheckIntervalSeconds", "interval_seconds"),
        ("HealthCheckTimeoutSeconds", "timeout_seconds"),
        ("HealthyThresholdCount", "healthy_count"),
        ("UnhealthyThresholdCount", "unhealthy_count"),
    ):
        place = group.properties[name]
        scene.carry(f"load_balancer.health_check.{key}", place.integer, place)
    _interval(scene, group)


def _interval(scene: Scene, group: TargetGroup) -> None:
    """An interval that is longer than the timeout; the timeout stays, as answers may take that long."""
    key = "load_balancer.health_check.interval_seconds"
    timeout = scene.drafted("load_balancer.health_check.timeout_seconds")
    if timeout < scene.drafted(key):
        return
    places = [group.properties[f"HealthCheck{one}Seconds"] for one in ("Interval", "Timeout")]
    was = f"was {places[0].text} at {scene.at(places[0])}; " if places[0] else ""
    reason = scene.reason([fault for place in places if place for fault in scene.faults(place)])
    scene.correct(key, timeout + 2, f"{was}longer than the timeout" + (f"; {reason}" if reason else ""))


def _records(scene: Scene) -> None:
    records = scene.view.document.of_type("AWS::Route53::RecordSet")
    if not records:
        return
    zone = scene.view.resolver.properties(records[0])["HostedZoneId"]
    if zone.text and fits("load_balancer.hosted_zone", zone.text):
        scene.draft.set("load_balancer.hosted_zone", zone.text)
        scene.draft.set("load_balancer.dns_records", True)


def _admin(scene: Scene, listeners: tuple[Listener, ...]) -> None:
    """Who reaches the admin console: the sources of the rules for its host."""
    if not scene.facts.get("admin"):
        return
    host = str(scene.draft.value("keycloak.admin.hostname") or "").removeprefix("https://")
    networks: list[str] = []
    internal = False
    for listener in listeners:
        for rule in listener.rules:
            hosts = [text for one in rule.of("host-header") for text in one.texts]
            if host and host in hosts:
                networks += [text for one in rule.of("source-ip") for text in one.texts]
        if (
            host
            and listener.balancer is not None
            and listener.balancer.public is False
            and any(
                host in (text for one in rule.of("host-header") for text in one.texts)
                for rule in listener.rules
            )
        ):
            internal = len(scene.keycloak.load_balancers) > 1
            if internal and not networks:
                networks += [
                    str(one.network)
                    for one in scene.view.firewall.lets_in_from(listener.balancer.party, 443)
                    if one.network is not None
                ]
    networks = [one for one in dict.fromkeys(networks) if one != _WORLD and ":" not in one]
    if internal:
        scene.draft.set("keycloak.admin.balancer", "internal")
        login = _login_from(listeners)
        if login:
            scene.draft.set("keycloak.admin.login_from", login)
        else:
            scene.draft.set("keycloak.master_realm", "everyone")
    elif (
        (login := _login_from(listeners))
        and set(login) != set(networks)
        and fits("keycloak.admin.login_from", login)
    ):
        scene.draft.set("keycloak.admin.login_from", login)
    or_ask(
        scene,
        "keycloak.admin.allow_from",
        networks,
        "the networks that may reach the admin console, such as [203.0.113.0/24]",
    )


def _login_from(listeners: tuple[Listener, ...]) -> list[str]:
    """The sources that the public host lets to the master realm."""
    found = []
    for listener in listeners:
        for rule in listener.rules:
            paths = [text for one in rule.of("path-pattern") for text in one.texts]
            if any("/realms/master" in path for path in paths):
                found += [text for one in rule.of("source-ip") for text in one.texts]
    return list(dict.fromkeys(found))


def _waf(scene: Scene) -> None:
    resolver = scene.view.resolver
    for one in scene.view.document.of_type("AWS::WAFv2::WebACL"):
        limits = [
            rule["Statement"]["RateBasedStatement"]["Limit"] for rule in resolver.properties(one)["Rules"]
        ]
        limit = next((place for place in limits if place.integer is not None), None)
        if limit is not None and fits("load_balancer.waf.requests_per_5_minutes", limit.integer):
            scene.draft.set("load_balancer.waf.requests_per_5_minutes", limit.integer)
        else:
            scene.draft.set("load_balancer.waf", {})
        return


_ALARMS = {
    ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"): ("errors_5xx_per_minute", ("Sum",), 1.0),
    ("AWS/ApplicationELB", "TargetResponseTime"): ("latency_p99_milliseconds", ("p99",), 1000.0),
    ("AWS/ECS", "CPUUtilization"): ("cpu_percent", ("Average",), 1.0),
    ("AWS/ECS", "MemoryUtilization"): ("memory_percent", ("Average",), 1.0),
    ("AWS/RDS", "CPUUtilization"): ("database_cpu_percent", ("Average",), 1.0),
    ("AWS/RDS", "FreeStorageSpace"): ("database_free_storage_gb", ("Minimum", "Average"), 1 / 1024**3),
}
"""Namespace and metric -> the key, the statistics that come to the rendered one, and the unit of the key in theirs."""


def watching(scene: Scene) -> None:
    """The section `alarms`, and `dashboard`."""
    resolver, document = scene.view.resolver, scene.view.document
    alarms = [resolver.properties(one) for one in document.of_type("AWS::CloudWatch::Alarm")]
    told = [one for one in alarms if any(_topic(action) for action in one["AlarmActions"])]
    if told:
        _topic_of(scene, next(action for action in told[0]["AlarmActions"] if _topic(action)))
        for one in told:
            _alarm(scene, one)
        if not scene.draft.has("alarms"):
            scene.draft.set("alarms", {})
    if document.of_type("AWS::CloudWatch::Dashboard"):
        scene.draft.set("dashboard", True)


def _topic(action: Place) -> bool:
    return action.resource("AWS::SNS::Topic") is not None or ":sns:" in (action.text or "")


def _topic_of(scene: Scene, action: Place) -> None:
    if action.text:
        scene.carry("alarms.topic", action.text, action)
        return
    topic = scene.view.resolver.properties(action.resource("AWS::SNS::Topic"))
    emails = [one["Endpoint"].text for one in topic["Subscription"] if one["Protocol"].text == "email"]
    if emails and all(emails) and fits("alarms.emails", emails):
        scene.draft.set("alarms.emails", emails)


def _alarm(scene: Scene, alarm: Place) -> None:
    """A threshold, in the unit of its key and rounded up; the rendered alarms look at each minute."""
    key, statistics, unit = _ALARMS.get((alarm["Namespace"].text or "", alarm["MetricName"].text or ""), ("", (), 0.0))
    place, comparison = alarm["Threshold"], alarm["ComparisonOperator"].text or ""
    low = key == "database_free_storage_gb"
    if not key or not place or comparison.startswith("LessThan") != low:
        return
    number, seconds = _number(place), alarm["Period"].integer
    used = alarm["Statistic"].text or alarm["ExtendedStatistic"].text
    total = statistics == ("Sum",)
    if used not in statistics or number is None or total and not seconds:
        name = f"the alarm on {alarm['MetricName'].text} by {used or 'an unknown statistic'}"
        scene.leave(f"{name} at {scene.at(place)}", f"alarms.{key} is by {statistics[0]}")
        return
    if total and comparison == "GreaterThanOrEqualToThreshold":
        number = math.ceil(number) - 1
    wanted = number * unit * (60 / seconds if total else 1)
    # What binary fractions add must not become the next whole number.
    whole = math.ceil(round(wanted, 6))
    if whole == number * unit and fits(f"alarms.{key}", whole):
        scene.carry(f"alarms.{key}", whole, place)
        return
    least = whole if fits(f"alarms.{key}", whole) else 1 if whole < 1 else 100
    times = alarm["EvaluationPeriods"].integer or 1
    span = f" in {seconds} s" if total else ""
    row = f", {times} times in a row" if total and times > 1 else ""
    said = f"{_COMPARED.get(comparison, comparison)} {place.text}{span}{row}"
    scene.draft.set(f"alarms.{key}", least, f"was {said} at {scene.at(place)}")


_COMPARED = {
    "GreaterThanThreshold": "more than",
    "GreaterThanOrEqualToThreshold": "at least",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "at most",
}


def _number(place: Place) -> float | None:
    """A number that is written, whole or not; None for anything else."""
    try:
        found = float(place.text or "")
    except ValueError:
        return None
    return found if math.isfinite(found) else None
