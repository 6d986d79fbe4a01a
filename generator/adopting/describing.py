"""Answers of describe calls as the CloudFormation document they come to, so that the same rules judge both.

Every value remembers the place in its file. What the files don't tell is a parameter without a value: rules
are silent about it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from generator.adopting.sources import ATTRIBUTES, SERVICES, TASK, AdoptionError, Source
from generator.document import Document, Path, Span

_UNTOLD = "NotTold"
_ELB = "AWS::ElasticLoadBalancingV2::"
_FREE_KEYS = ("options", "dockerLabels", "driverOpts", "labels", "Options", "DockerLabels")
_ODD_NAMES = {
    "efsVolumeConfiguration": "EFSVolumeConfiguration",
    "fileSystemId": "FilesystemId",
    "fsxWindowsFileServerVolumeConfiguration": "FSxWindowsFileServerVolumeConfiguration",
}

_OF_TASK = (
    "containerDefinitions",
    "cpu",
    "ephemeralStorage",
    "executionRoleArn",
    "family",
    "ipcMode",
    "memory",
    "networkMode",
    "pidMode",
    "proxyConfiguration",
    "requiresCompatibilities",
    "runtimePlatform",
    "taskRoleArn",
    "volumes",
    "tags",
)
_OF_SERVICE = (
    "availabilityZoneRebalancing",
    "capacityProviderStrategy",
    "cluster",
    "deploymentConfiguration",
    "deploymentController",
    "desiredCount",
    "enableExecuteCommand",
    "healthCheckGracePeriodSeconds",
    "launchType",
    "loadBalancers",
    "networkConfiguration",
    "platformVersion",
    "schedulingStrategy",
    "serviceConnectConfiguration",
    "serviceName",
    "serviceRegistries",
    "tags",
)
_OF_GROUP = (
    "HealthCheckEnabled",
    "HealthCheckIntervalSeconds",
    "HealthCheckPath",
    "HealthCheckPort",
    "HealthCheckProtocol",
    "HealthCheckTimeoutSeconds",
    "HealthyThresholdCount",
    "IpAddressType",
    "Matcher",
    "Port",
    "Protocol",
    "ProtocolVersion",
    "TargetType",
    "UnhealthyThresholdCount",
    "VpcId",
)
_OF_BALANCER = ("IpAddressType", "Scheme", "SecurityGroups", "Type")
_OF_LISTENER = (
    "AlpnPolicy",
    "Certificates",
    "DefaultActions",
    "MutualAuthentication",
    "Port",
    "Protocol",
    "SslPolicy",
)
_OF_ENTRY = ("Description", "DnsConfig", "HealthCheckConfig", "HealthCheckCustomConfig", "Name", "Type")


class Described:
    """The document that files come to; `origins` maps its paths to (file, path in the file, line)."""

    def __init__(self, sources: Sequence[Source]):
        self.origins: dict[Path, tuple[str, Path, int]] = {}
        self._spans: dict[Path, Span] = {}
        self._resources: dict[str, Any] = {}
        self._addresses: dict[str, Any] = {}
        self._by_kind: dict[str, list[tuple[Source, Path, Any]]] = {}
        for source in sources:
            for path, value in source.items:
                self._by_kind.setdefault(source.kind, []).append((source, path, value))
        self.unread: list[str] = []
        """Files, or parts of them, that belong to nothing here, as sentences."""
        self._build()
        data = {"Parameters": {_UNTOLD: {"Type": "String"}}, "Resources": self._resources}
        self.document = Document(self._by_kind[TASK][0][0].name, "", data, self._spans)

    def _all(self, kind: str) -> list[tuple[Source, Path, Any]]:
        return self._by_kind.get(kind, [])

    def _build(self) -> None:
        groups = self._named("TargetGroups", "TargetGroup", "TargetGroupArn")
        balancers = self._named("LoadBalancers", "LoadBalancer", "LoadBalancerArn")
        listeners = self._named("Listeners", "Listener", "ListenerArn")
        entries = self._named("Service", "DiscoveryService", "Arn", get_att=True)
        namespaces = self._named("Namespace", "DiscoveryNamespace", "Id")
        attributes = self._attributes(groups, balancers)
        source, path, task = self._all(TASK)[0]
        made = self._make("TaskDefinition", "AWS::ECS::TaskDefinition", source, path, task, _OF_TASK)
        tags = source.document.data.get("tags") if path and isinstance(source.document.data, dict) else None
        if isinstance(tags, list) and "Tags" not in made:  # describe-task-definition prints them beside it
            made["Tags"] = self._copy(tags, source, ("tags",), ("Resources", "TaskDefinition", "Properties", "Tags"))
        self._service(task)
        for name, source, path, value in groups:
            made = self._make(name, _ELB + "TargetGroup", source, path, value, _OF_GROUP)
            self._put_attributes(name, made, "TargetGroupAttributes", attributes.get(name))
        for name, source, path, value in balancers:
            made = self._make(name, _ELB + "LoadBalancer", source, path, value, _OF_BALANCER)
            zones = value.get("AvailabilityZones")
            made["Subnets"] = (
                [one["SubnetId"] for one in zones if isinstance(one, dict) and "SubnetId" in one]
                if isinstance(zones, list)
                else {"Ref": _UNTOLD}
            )
            self._put_attributes(name, made, "LoadBalancerAttributes", attributes.get(name))
        for name, source, path, value in listeners:
            made = self._make(name, _ELB + "Listener", source, path, value, _OF_LISTENER)
            made["LoadBalancerArn"] = self._address(value.get("LoadBalancerArn"))
        self._rules(listeners)
        for name, source, path, value in namespaces:
            kind = "PublicDnsNamespace" if value.get("Type") == "DNS_PUBLIC" else "PrivateDnsNamespace"
            self._make(name, f"AWS::ServiceDiscovery::{kind}", source, path, value, ("Name",))["Vpc"] = {
                "Ref": _UNTOLD
            }
        for name, source, path, value in entries:
            made = self._make(name, "AWS::ServiceDiscovery::Service", source, path, value, _OF_ENTRY)
            of = made.get("DnsConfig") if isinstance(made.get("DnsConfig"), dict) else {}
            made["NamespaceId"] = self._address(value.get("NamespaceId") or of.get("NamespaceId"))
            if of:
                of["NamespaceId"] = made["NamespaceId"]

    def _named(
        self, kind: str, name: str, arn: str, get_att: bool = False
    ) -> list[tuple[str, Source, Path, Any]]:
        """Resources of one kind with the logical ids they get; their ARNs are remembered."""
        found = []
        for number, (source, path, value) in enumerate(self._all(kind), 1):
            logical_id = name if number == 1 else f"{name}{number}"
            if isinstance(value.get(arn), str):
                self._addresses[value[arn]] = (
                    {"Fn::GetAtt": [logical_id, "Arn"]} if get_att else {"Ref": logical_id}
                )
            found.append((logical_id, source, path, value))
        return found

    def _service(self, task: dict[str, Any]) -> None:
        family = str(task.get("family", ""))
        arn = re.sub(r":\d+$", "", str(task.get("taskDefinitionArn", ""))).rpartition("/")[2]
        runs = {}
        for source, path, value in self._all(SERVICES):
            named = re.sub(r":\d+$", "", str(value.get("taskDefinition", ""))).rpartition("/")[2]
            if named and named in (family, arn):
                runs[str(value.get("serviceName", ""))] = (source, path, value)
            else:
                self.unread.append(
                    f"{source.name}: the service {value.get('serviceName', '?')} runs {named or '?'}, "
                    "another task definition"
                )
        if self._all(SERVICES) and not runs:
            first = self._all(SERVICES)[0]
            raise AdoptionError(
                f"{first[0].name}: no service in it runs {family or 'the task definition'} (name the "
                "files of one service)"
            )
        if len(runs) > 1:
            raise AdoptionError(
                f"two services run {family}: {', '.join(sorted(runs))} (describe one of them)"
            )
        for source, path, value in runs.values():
            made = self._make("Service", "AWS::ECS::Service", source, path, value, _OF_SERVICE)
            if "Cluster" not in made and "clusterArn" in value:
                made["Cluster"] = value["clusterArn"]
                self._place(("Resources", "Service", "Properties", "Cluster"), source, (*path, "clusterArn"))
            made["TaskDefinition"] = {"Ref": "TaskDefinition"}

    def _rules(self, listeners: list[tuple[str, Source, Path, Any]]) -> None:
        told = set()
        for number, (source, path, value) in enumerate(self._all("Rules"), 1):
            listener = re.sub(r":listener-rule/(.*)/[^/]*$", r":listener/\1", str(value.get("RuleArn", "")))
            owner = self._address(value.get("ListenerArn") or listener)
            if not isinstance(owner, dict) and len(listeners) == 1:
                owner = {"Ref": listeners[0][0]}
            if isinstance(owner, dict):
                told.add(owner.get("Ref"))
            if value.get("IsDefault") is True or value.get("Priority") == "default":
                continue
            made = self._make(
                f"Rule{number}",
                _ELB + "ListenerRule",
                source,
                path,
                _said_once(value),
                ("Actions", "Conditions", "Priority"),
            )
            made["ListenerArn"] = owner
        for name, source, path, _ in listeners:
            if name not in told:
                # There may be rules, so that nothing can be said about paths.
                self.unread.append(
                    f"{source.name}: the rules of {name} weren't given, so nobody judged which paths "
                    "reach Keycloak (add what `aws elbv2 describe-rules` prints)"
                )
                self._resources[f"{name}Rules"] = {
                    "Type": _ELB + "ListenerRule",
                    "Properties": {
                        "ListenerArn": {"Ref": name},
                        "Priority": {"Ref": _UNTOLD},
                        "Actions": {"Ref": _UNTOLD},
                        "Conditions": {"Ref": _UNTOLD},
                    },
                }
                self._place(("Resources", f"{name}Rules"), source, path)

    def _attributes(self, groups: list[Any], balancers: list[Any]) -> dict[str, tuple[Source, Path, Any]]:
        """Logical id -> its attributes; the files don't say whose they are, their keys say of which kind."""
        found: dict[str, tuple[Source, Path, Any]] = {}
        for source, path, value in self._all(ATTRIBUTES):
            keys = {str(one.get("Key", "")) for one in value if isinstance(one, dict)}
            of_group = any(
                key.startswith(("stickiness.", "deregistration_delay.", "slow_start.")) for key in keys
            )
            owners = groups if of_group else balancers
            if len(owners) == 1:
                found[owners[0][0]] = (source, path, value)
            else:
                what = "target group" if of_group else "load balancer"
                self.unread.append(
                    f"{source.name}: attributes of a {what}, but {len(owners) or 'none'} of those is "
                    "described"
                )
        return found

    def _put_attributes(
        self, name: str, made: dict[str, Any], key: str, found: tuple[Source, Path, Any] | None
    ) -> None:
        if found is None:
            made[key] = {"Ref": _UNTOLD}
            return
        source, path, value = found
        made[key] = self._copy(value, source, path, ("Resources", name, "Properties", key))

    def _make(
        self, name: str, kind: str, source: Source, path: Path, value: dict[str, Any], keys: Sequence[str]
    ) -> dict[str, Any]:
        """A resource with those `keys` of a described thing."""
        here: Path = ("Resources", name)
        self._place(here, source, path)
        properties: dict[str, Any] = {}
        self._resources[name] = {"Type": kind, "Properties": properties}
        self._place((*here, "Properties"), source, path)
        for key, inner in value.items():
            if key in keys and inner is not None:
                written = _pascal(key)
                there = (*here, "Properties", written)
                self._place(there, source, (*path, key))
                properties[written] = self._copy(inner, source, (*path, key), there)
        return properties

    def _copy(self, value: Any, source: Source, path: Path, to: Path) -> Any:
        self._place(to, source, path)
        if isinstance(value, list):
            return [self._copy(one, source, (*path, index), (*to, index)) for index, one in enumerate(value)]
        if isinstance(value, dict):
            free = path and path[-1] in _FREE_KEYS
            return {
                new: self._copy(inner, source, (*path, key), (*to, new))
                for key, inner in value.items()
                if inner is not None
                for new in (str(key) if free else _pascal(str(key)),)
            }
        return self._address(value) if isinstance(value, str) and value.startswith("arn:") else value

    def _address(self, value: Any) -> Any:
        return self._addresses.get(value, value) if isinstance(value, str) else {"Ref": _UNTOLD}

    def _place(self, to: Path, source: Source, path: Path) -> None:
        span = source.document.span(path)
        self._spans[to] = span
        self.origins[to] = (source.name, path, span.line)


def _said_once(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule whose conditions say their values once: describe-rules repeats those of `…Config` as `Values`.

    Source: ELB API reference, RuleCondition, `Values`.
    """
    conditions = rule.get("Conditions")
    if not isinstance(conditions, list):
        return rule
    return {**rule, "Conditions": [_condition(one) for one in conditions]}


def _condition(condition: Any) -> Any:
    if not isinstance(condition, dict):
        return condition
    configured = [one for key, one in condition.items() if key.endswith("Config") and isinstance(one, dict)]
    return {
        key: value
        for key, value in condition.items()
        if key not in ("Values", "RegexValues") or all(one.get(key) != value for one in configured)
    }


def _pascal(key: str) -> str:
    return _ODD_NAMES.get(key, key[:1].upper() + key[1:])
