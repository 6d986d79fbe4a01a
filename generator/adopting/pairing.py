"""Which resource of a stack that is there is which of those that are rendered: by its part in running Keycloak,
or by what AWS has one of only - a CIDR in a VPC, a priority at a listener, a name in a zone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from generator.adopting.scene import Scene
from generator.document import Document, Resource
from generator.linting.view import LoadBalancer, TargetGroup
from generator.rendering.renaming import renamed_data
from generator.resolving import Place
from generator.reviewing.changes import Side
from generator.reviewing.facts import NAMES
from generator.reviewing.values import Node, Values

_ELB = "AWS::ElasticLoadBalancingV2::"
SUBNET = "AWS::EC2::Subnet"
ASSOCIATION = "AWS::EC2::SubnetRouteTableAssociation"
ROUTE = "AWS::EC2::Route"
RECORD = "AWS::Route53::RecordSet"
RECORD_GROUP = "AWS::Route53::RecordSetGroup"
RULE = "AWS::ElasticLoadBalancingV2::ListenerRule"
SECRET = "AWS::SecretsManager::Secret"
LOG_GROUP = "AWS::Logs::LogGroup"
VPC = "AWS::EC2::VPC"
DISCOVERY = "AWS::ServiceDiscovery::Service"
SCALABLE_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
SCALING_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
WAF = "AWS::WAFv2::WebACLAssociation"

Key = tuple[str, ...]

ONCE: Mapping[str, tuple[Key, ...]] = {
    SUBNET: (("VpcId", "CidrBlock"),),
    "AWS::EC2::VPCGatewayAttachment": (("VpcId",),),
    ASSOCIATION: (("SubnetId",),),
    ROUTE: (("RouteTableId", "DestinationCidrBlock"),),
    "AWS::EC2::NatGateway": (("AllocationId",),),
    "AWS::EC2::VPCEndpoint": (("VpcId", "ServiceName"),),
    "AWS::EC2::FlowLog": (("ResourceId", "LogGroupName"),),
    _ELB + "Listener": (("LoadBalancerArn", "Port"),),
    RULE: (("ListenerArn", "Priority"),),
    _ELB + "ListenerCertificate": (("ListenerArn", "Certificates"),),
    # A zone may be written as HostedZoneName as well.
    RECORD: (("HostedZoneId", "Name", "Type"), ("Name", "Type")),
    SCALABLE_TARGET: (("ResourceId", "ScalableDimension"),),
    SCALING_POLICY: (
        ("ScalingTargetId", "PolicyName"),
        (
            "ScalingTargetId",
            "TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.PredefinedMetricType",
        ),
    ),
    DISCOVERY: (("DnsConfig.NamespaceId", "Name"), ("NamespaceId", "Name")),
    "AWS::ServiceDiscovery::PrivateDnsNamespace": (("Vpc", "Name"),),
    WAF: (("ResourceArn",),),
    **{
        type_: ((name,),)
        for type_, name in NAMES.items()
        if type_ not in (DISCOVERY, "AWS::ECS::Service", "AWS::EC2::SecurityGroup")
    },
    "AWS::ECS::Service": (("Cluster", "ServiceName"),),
}
"""Type -> properties of which AWS takes a second one with the same values only after the first is gone, or
whose removal takes the second along (API references of the services: the errors AlreadyExists, Conflict,
PriorityInUse, Duplicate of the calls that create them; DeregisterScalableTarget, DisassociateWebACL and
RemoveListenerCertificates name no resource but these)."""

_PAIRED_BY: Mapping[str, tuple[Key, ...]] = {
    **ONCE,
    "AWS::EC2::NatGateway": (("SubnetId",),),
    "AWS::EC2::FlowLog": (("ResourceId",),),
}
"""The same, with what a thing is known by though AWS would take another one."""

_LEADS_TO: Mapping[str, tuple[str, ...]] = {
    "AWS::EC2::VPCGatewayAttachment": ("InternetGatewayId",),
    ASSOCIATION: ("RouteTableId",),
    "AWS::EC2::NatGateway": ("AllocationId",),
    "AWS::EC2::FlowLog": ("LogGroupName", "DeliverLogsPermissionArn"),
    WAF: ("WebACLArn",),
}
"""Type -> properties that name others which are a pair where these are."""

_UNPAIRED = "unpaired/"


@dataclass
class Pairs:
    """Our logical id -> theirs, found step by step."""

    theirs: Side
    stand_ins: frozenset[str]
    refused: set[str] = field(default_factory=set)
    """Ours that mustn't go on as any of theirs."""
    lost: set[str] = field(default_factory=set)
    """Theirs that mustn't go on as any of ours."""

    def of(self, ours: Document, roles: Mapping[str, str]) -> dict[str, str]:
        """Every pair, those of `roles` first; also those whose ids are the same."""
        found: dict[str, str] = {}
        for name, there in roles.items():
            self._take(found, ours, name, there)
        while self._more(found, ours):
            pass
        for name in ours.resources:
            self._take(found, ours, name, name)
        return found

    def ids(self, ours: Document, found: Mapping[str, str]) -> dict[str, str]:
        """What `stack.logical_ids` has to say: pairs with two ids, and new ids where ours means another thing
        to that stack."""
        taken = {*self.theirs.document.resources, *ours.resources}
        ids = {}
        for name in ours.resources:
            there = found.get(name)
            if there is None and name in self.theirs.document.resources:
                there = next(f"{name}{number}" for number in range(2, 99) if f"{name}{number}" not in taken)
                taken.add(there)
            if there is not None and there != name:
                ids[name] = there
        return ids

    def _take(self, found: dict[str, str], ours: Document, name: str, there: str) -> bool:
        mine, its = ours.resources.get(name), self.theirs.document.resources.get(there)
        if (
            mine is None
            or its is None
            or mine.type != its.type
            or name in found
            or name in self.refused
            or there in self.lost
            or there in found.values()
        ):
            return False
        found[name] = there
        return True

    def _more(self, found: dict[str, str], ours: Document) -> bool:
        """Adds what is known by what is paired already. Returns whether anything was."""
        names = {name: found.get(name, _UNPAIRED + name) for name in ours.resources}
        side = like(self.theirs, replace(ours, data=renamed_data(ours.data, names)))
        mine, its = side.values(self.theirs), self.theirs.values(side)
        count = len(found)
        for name, resource in ours.resources.items():
            now = side.document.resources[names[name]]
            for key in _PAIRED_BY.get(resource.type, ()):
                for there in self.theirs.document.of_type(resource.type):
                    if self.equal(value(mine, now, key), value(its, there, key)):
                        self._take(found, ours, name, there.logical_id)
            if name in found:
                was = self.theirs.document.resources[found[name]]
                for key in _LEADS_TO.get(resource.type, ()):
                    ends = target(mine, now, key), target(its, was, key)
                    if all(ends):
                        self._take(found, ours, ends[0].removeprefix(_UNPAIRED), ends[1])
        return len(found) > count

    def equal(self, mine: tuple[Node | None, ...], its: tuple[Node | None, ...]) -> bool:
        """Whether two keys are the same as far as can be told."""
        return all(
            one is not None
            and other is not None
            and (_plain(one) == _plain(other) or any(text in str(one.value) for text in self.stand_ins))
            for one, other in zip(mine, its)
        )

    def clashes(self, after: Side, anew: set[str]) -> dict[str, str]:
        """Id of theirs -> id of one of `after` that it stands in the way of; `anew` are those that are made."""
        mine, its = after.values(self.theirs), self.theirs.values(after)
        found = {}
        for name, now in after.document.resources.items():
            for key in ONCE.get(now.type, ()):
                around = after.document.references([now.properties.get(path.partition(".")[0]) for path in key])
                if around & anew:
                    continue  # what it belongs to is new as well
                wanted = value(mine, now, key)
                holders = [there for there, had in self._holding(its, now.type, key) if self.equal(wanted, had)]
                if name in anew or name not in holders:  # else it has had it all along
                    found.update(dict.fromkeys(holders, name))
                if now.type == SCALABLE_TARGET and name in anew & self.theirs.document.resources.keys():
                    found[name] = name  # its ResourceId is written in another way, and means the same
        return found

    def _holding(self, its: Values, type_: str, key: Key) -> list[tuple[str, tuple[Node | None, ...]]]:
        """(id, what it holds of a key) of theirs, the records of a group among them."""
        held = [
            (one.logical_id, value(its, one, other))
            for one in self.theirs.document.of_type(type_)
            for other in ONCE[type_]
            if len(other) == len(key)
        ]
        if type_ == RECORD:
            for group in self.theirs.document.of_type(RECORD_GROUP):
                (listed,) = value(its, group, ("RecordSets",))
                for one in listed.listing() if listed is not None else ():
                    held.append((group.logical_id, tuple(one.of(path) for path in key)))
        return held


def like(side: Side, document: Document) -> Side:
    """A document for the same stack, account and region."""
    known = side.resolver
    return Side.of(document, region=known.region, account=known.account, stack_name=known.stack_name)


def value(values: Values, resource: Resource, key: Key) -> tuple[Node | None, ...]:
    """What a resource has at the properties of a key."""
    found = []
    for path in key:
        node = values.properties(resource)
        for step in path.split("."):
            node = node.of(step) if node is not None else None
        found.append(node)
    return tuple(found)


def target(values: Values, resource: Resource, key: str) -> str:
    """The resource that a property names; empty where it names none."""
    (node,) = value(values, resource, (key,))
    name = node.parts[0] if node is not None and node.function in ("Ref", "Fn::GetAtt") else ""
    return name if isinstance(name, str) else ""


def _plain(node: Node) -> object:
    """A value as AWS compares it: a domain without its last dot."""
    return node.text.rstrip(".").lower() if node.text is not None else node.value


def roles(scene: Scene) -> Iterator[tuple[str, Resource | None]]:
    """(our logical id, theirs) of what has a part in running Keycloak; None where they have no such thing."""
    keycloak, draft = scene.keycloak, scene.draft
    resources = scene.view.document.resources
    service = scene.service
    yield "TaskDefinition", keycloak.task
    if service is not None:
        yield "Service", service.resource
        if not draft.has("service.cluster"):
            yield "Cluster", service.properties["Cluster"].resource("AWS::ECS::Cluster")
        if service.scaling is not None:
            yield "ScalableTarget", service.scaling.resource
    owner, secure = scene.balancer, scene.listener
    groups = [one for one in keycloak.target_groups if owner in _balancers(scene, one)] or keycloak.target_groups
    for group in groups[:1]:
        yield "TargetGroup", group.resource
    for other in keycloak.load_balancers if draft.value("keycloak.admin.balancer") == "internal" else ():
        if owner is not None and other.name != owner.name and other.public is False:
            yield "AdminLoadBalancer", other.resource
            for group in keycloak.target_groups:
                yield "AdminTargetGroup", group.resource if other in _balancers(scene, group) else None
    if owner is not None:
        yield "LoadBalancer", owner.resource
        plain = [one for one in owner.listeners if one.protocol == "HTTP" and one.port == 80]
        yield "HttpListener", resources.get(plain[0].name) if plain else None
    if secure is not None:
        yield "HttpsListener", resources.get(secure.name)
        if draft.value("load_balancer.certificate") == "create":
            first = next(iter(secure.properties["Certificates"]), None)
            yield "Certificate", (
                first["CertificateArn"].resource("AWS::CertificateManager::Certificate")
                if first is not None
                else None
            )
    if draft.value("keycloak.discovery") != "database":
        for registration in keycloak.registrations[:1]:
            if registration.entry is not None:
                yield "DiscoveryService", registration.entry.resource
                namespace = registration.entry.namespace
                if namespace is not None and namespace.type == "AWS::ServiceDiscovery::PrivateDnsNamespace":
                    yield "DiscoveryNamespace", namespace
    options = keycloak.container["LogConfiguration"]["Options"]
    yield "LogGroup", options["awslogs-group"].resource(LOG_GROUP)
    execution, task = keycloak.execution_role, keycloak.task_role
    for ours, role in (("ExecutionRole", execution), ("TaskRole", task)):
        yield ours, resources.get(role.name) if role is not None else None
    if draft.has("database.create") and keycloak.database is not None:
        database = keycloak.database
        yield "Database", database.resource
        yield "DatabaseSubnetGroup", database.subnet_group
        yield "DatabaseParameters", database.parameter_group
        yield "DatabaseSecret", _secret(scene, "db-password")
    yield "BootstrapAdminSecret", _secret(scene, "bootstrap-admin-password") or _secret_of(
        scene, "KEYCLOAK_ADMIN_PASSWORD"
    )
    if draft.has("network.create"):
        yield "Vpc", next(iter(scene.view.document.of_type(VPC)), None)


def _balancers(scene: Scene, group: TargetGroup) -> list[LoadBalancer | None]:
    """The balancers that send requests to a target group."""
    return [one.balancer for one in scene.view.balancers.forwarding_to((group.name,))]


def _secret(scene: Scene, key: str) -> Resource | None:
    setting = scene.keycloak.options.get(key)
    return _named(scene, setting.place) if setting is not None else None


def _secret_of(scene: Scene, variable: str) -> Resource | None:
    setting = scene.keycloak.options.variable(variable)
    return _named(scene, setting.place) if setting is not None else None


def _named(scene: Scene, place: Place) -> Resource | None:
    for one in place.references:
        found = scene.view.document.resources.get(one.logical_id)
        if found is not None and found.type == SECRET:
            return found
    return None
