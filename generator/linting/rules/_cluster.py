"""What several rules about the cluster ask; no rule is in here."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from generator.document import Resource
from generator.linting.view import Keycloak, Setting
from generator.linting.view.discovery import Entry
from generator.linting.view.services import Service
from generator.resolving import Place

VPC = "AWS::EC2::VPC"
DATABASE_STACKS = ("jdbc-ping", "jdbc-ping-udp")
MULTICAST_STACKS = ("udp", "tcp", "jdbc-ping-udp")
CLOUD_STACKS = ("ec2", "azure", "google")
BIND_PROPERTIES = ("jgroups.bind_addr", "jgroups.bind.address", "jgroups.tcp.address")
"""System properties that say where nodes listen, the one that wins first. The option sets the first two
(JGroupsConfigurator in keycloak-model-infinispan 26.4.7 and 26.7.4); the others stand in infinispan's
default-jgroups-kubernetes.xml and default-jgroups-tcp.xml."""
MTLS = "cache-embedded-mtls-enabled"
BIND_ADDRESS = "cache-embedded-network-bind-address"
EXTERNAL_ADDRESS = ("cache-embedded-network-external-address", "jgroups.external_addr")
EXTERNAL_PORT = ("cache-embedded-network-external-port", "jgroups.external_port")
"""Options of 26.4 with the system properties that they set (JGroupsConfigurator, as above)."""

# Where SITE_LOCAL finds an address (JGroups, Util.getAddress).
_PRIVATE = [ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]


def forms_cluster(keycloak: Keycloak) -> bool:
    """Whether its nodes surely are to form a cluster, of two or of a number that isn't known."""
    return keycloak.clustered is True and keycloak.most_tasks not in (0, 1)


def stack_setting(keycloak: Keycloak) -> Setting | None:
    """What sets the cache stack when a task starts. Before 25 the stack of an optimized image is fixed
    (measured on 24.0.5), so what is written there counts no more."""
    found = keycloak.options.get("cache-stack")
    if found is None or keycloak.optimized and keycloak.at_least(25) is not True:
        return None
    return found


def stack(keycloak: Keycloak) -> str | None:
    """The cache stack that its nodes use; None where it isn't known or stands in a file of the image."""
    if keycloak.options.get("cache-stack") is None:
        return keycloak.stack
    found = stack_setting(keycloak)
    return found.value if found else None


def asks_dns(keycloak: Keycloak) -> bool:
    """Whether its nodes look for each other in DNS: by the stack `kubernetes`, or by one of the user's own
    that is told a name."""
    setting, used = stack_setting(keycloak), stack(keycloak)
    if setting is not None and setting.value is None:
        return False
    return used == "kubernetes" or used is None and keycloak.dns_query is not None


def asked_names(keycloak: Keycloak) -> tuple[str, ...]:
    """The names that its nodes ask DNS for, in lower case, without the root's dot; none where they aren't
    known."""
    value = keycloak.dns_query.value if keycloak.dns_query else None
    names = (one.strip().rstrip(".").lower() for one in (value or "").split(","))
    return tuple(name for name in names if name)


def java_known(keycloak: Keycloak) -> bool:
    """Whether what the template says about Java's options is all there is: a variable of the template takes
    the place of the image's."""
    if not keycloak.options.java_complete:
        return False
    return keycloak.image.stock or keycloak.options.variable("JAVA_OPTS_APPEND") is not None


def java_place(keycloak: Keycloak) -> Place:
    """Where a system property would be added."""
    found = keycloak.options.variable("JAVA_OPTS_APPEND")
    return found.place if found else keycloak.environment_place


def has_files(keycloak: Keycloak) -> bool:
    """Whether something may be mounted into the container, so that it has files that its image hasn't."""
    return any(
        bool(place) and (place.unknown is not None or any(True for _ in place))
        for place in (keycloak.container["MountPoints"], keycloak.container["VolumesFrom"])
    )


def entries(keycloak: Keycloak) -> Iterator[Entry]:
    """The template's Cloud Map services in which its tasks are found, each once."""
    found = [one.entry for one in keycloak.registrations if one.entry is not None]
    yield from {one.resource.logical_id: one for one in found}.values()


def vpcs(keycloak: Keycloak) -> dict[str, Resource]:
    """The template's VPCs that its tasks run in, by logical id."""
    resolver = keycloak.view.resolver
    found = {}
    for service in keycloak.services:
        for subnet in service.subnet_resources or ():
            vpc = resolver.properties(subnet)["VpcId"].resource(VPC)
            if vpc is not None:
                found[vpc.logical_id] = vpc
    return found


def dns_faults(properties: Place) -> list[tuple[str, Place]]:
    """The settings for DNS that a VPC surely lacks, each with the place to change. A VPC made by a template
    has EnableDnsSupport by itself and EnableDnsHostnames not (AWS::EC2::VPC in the template reference)."""
    found = []
    for key, by_itself in (("EnableDnsSupport", True), ("EnableDnsHostnames", False)):
        place = properties[key]
        on = place.flag if place else by_itself
        if place and place.text is None:
            on = None
        if on is False:
            found.append((key, place if place else properties))
    return found


def bind_setting(keycloak: Keycloak) -> Setting | None:
    """What says where nodes listen; None where nothing in the template does."""
    options = keycloak.options
    found = options.get(BIND_ADDRESS) if keycloak.at_least(26, 4) is not False else None
    return found or next((one for name in BIND_PROPERTIES if (one := options.system_property(name))), None)


def outside_site_local(keycloak: Keycloak) -> list[ipaddress.IPv4Network]:
    """The networks of its tasks in which SITE_LOCAL finds nothing: the VPC's for a subnet, where it is known."""
    resolver = keycloak.view.resolver
    blocks = (resolver.properties(vpc)["CidrBlock"].text for vpc in vpcs(keycloak).values())
    whole = [network for block in blocks if (network := _network(block)) is not None]
    found = []
    for service in keycloak.services:
        for subnet in service.party.networks or ():
            if not any(subnet.subnet_of(one) for one in _PRIVATE):
                found.append(next((one for one in whole if subnet.subnet_of(one)), subnet))
    return list(dict.fromkeys(found))


def _network(text: str | None) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text or "", strict=False)
    except ValueError:
        return None


def external(keycloak: Keycloak, names: tuple[str, str]) -> Setting | None:
    """The setting of EXTERNAL_ADDRESS or EXTERNAL_PORT that counts: the option, where the version has it,
    else the system property."""
    key, name = names
    found = keycloak.options.get(key) if keycloak.at_least(26, 4) is not False else None
    return found or keycloak.options.system_property(name)


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """A text as an address; None where it is something else."""
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None


def spi_setting(keycloak: Keycloak, key: str) -> Setting | None:
    """The setting of a provider's option in either spelling that counts in the version; `key` has one dash
    between its parts. Two underscores are ignored before 26.3 (measured on 24.0.5, 25.0.6 and 26.0.8)."""
    found = None
    for one in keycloak.options:
        spelled = one.name.removeprefix("--")
        if not one.argument:
            spelled = spelled.removeprefix("KC_").lower().replace("_", "-")
        if re.sub("-+", "-", spelled) != key or "--" in spelled and keycloak.at_least(26, 3) is False:
            continue
        found = one if found is None or one.argument else found
    return found


def on_awsvpc(keycloak: Keycloak) -> bool:
    """Whether each task surely has a network card of its own, with no ports translated."""
    mode = keycloak.task_properties["NetworkMode"].text
    return mode == "awsvpc" or any(one.fargate is True for one in keycloak.services)


def max_tasks_place(service: Service) -> Place:
    """Where the most tasks of a service are decided."""
    scaling = service.scaling
    if scaling is not None and scaling.most is not None and scaling.most == service.most_tasks:
        return scaling.properties["MaxCapacity"]
    return service.properties["DesiredCount"] if service.properties["DesiredCount"] else service.properties


def unregistered(keycloak: Keycloak) -> Iterator[Service]:
    """Its services that surely register with no Cloud Map service, though nodes ask DNS."""
    view = keycloak.view
    if keycloak.clustered is not True or not asks_dns(keycloak) or not asked_names(keycloak):
        return
    if not view.whole or view.document.of_type("AWS::ECS::TaskSet"):
        return
    for service in keycloak.services:
        controller = service.properties["DeploymentController"]["Type"]
        external_one = bool(controller) and controller.text not in ("ECS", "CODE_DEPLOY")
        known = service.registrations_known and not service.registrations
        if known and not external_one and service.most_tasks not in (0, 1):
            yield service


def service_connect(service: Service) -> Place | None:
    """Where a service surely uses Service Connect; None where it doesn't or that can't be told."""
    place = service.properties["ServiceConnectConfiguration"]
    return place if place["Enabled"].flag is True else None
