"""A CloudFormation document becomes a Topology."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from generator.document import Document
from generator.rehearsing import addresses
from generator.rehearsing.reading import discovery, services, tasks
from generator.rehearsing.reading.balancers import (
    BALANCER,
    LISTENER,
    REVOCATION,
    RULE,
    TARGET_GROUP,
    Balancers,
    Draft,
)
from generator.rehearsing.reading.databases import Databases
from generator.rehearsing.reading.groups import EGRESS, GROUP, INGRESS, Groups
from generator.rehearsing.reading.madeup import CLUSTER, INSTANCE, PROXY, MadeUp
from generator.rehearsing.reading.networks import SUBNET, VPC, Networks
from generator.rehearsing.reading.renumbering import renumbered
from generator.rehearsing.reading.scene import NotRehearsable, Scene, label
from generator.rehearsing.reading.secrets import Secrets
from generator.rehearsing.topology import Address, Balancer, Container, Host, Network, Service, Topology
from generator.resolving import NO_VALUE, Place, Resolver

__all__ = ["NotRehearsable", "read", "renumbered"]

# Resources whose presence has to be certain.
_READ = (
    VPC, SUBNET, GROUP, INGRESS, EGRESS, BALANCER, LISTENER, RULE, TARGET_GROUP, REVOCATION, INSTANCE, CLUSTER,
    PROXY,
    services.SERVICE, services.TASK_DEFINITION, services.SCALABLE_TARGET,
    discovery.ENTRY, *discovery.NAMESPACES,
)  # fmt: skip

_REGION = re.compile(
    r"\b((?:us|eu|ap|ca|sa|af|me|il|mx|cn)(?:-gov)?-"
    r"(?:north|south|east|west|central)(?:east|west)?-[1-9])[a-f]?\b"
)
_FALLBACK_REGION = "us-east-1"
# The account of AWS' own examples.
_ACCOUNT = "123456789012"


def read(
    document: Document,
    name: str,
    *,
    stack: Mapping[str, Any] | None = None,
    file: str,
    parameters: Mapping[str, str] | None = None,
    service: str = "",
) -> Topology:
    """What a template describes, as the hosts, permissions and rules of a rehearsal.

    `name` is the environment or the stem of the file's name; `stack` is what stack.json holds where there is
    one; `file` is what messages call the template; `parameters` are values of its parameters (see `Resolver`,
    also for exports and dynamic references); `service` is the logical id of the ECS service, where several
    run Keycloak.

    Raises NotRehearsable, a RehearsalError, with every reason why no rehearsal can be made from it. What the
    template leaves open and how it was settled is in the topology's `notes`.
    """
    stack, parameters = dict(stack or {}), dict(parameters or {})
    region = str(stack.get("region") or parameters.get("AWS::Region") or "")
    guessed = "" if region else _region(document)
    account = str(stack.get("account") or parameters.get("AWS::AccountId") or _ACCOUNT)
    stack_name = str(stack.get("stack_name") or parameters.get("AWS::StackName") or name)
    resolver = Resolver(
        document, parameters, region=region or guessed, account=account, stack_name=stack_name
    )
    scene = Scene(document, file, resolver)
    made_up = MadeUp(scene)
    # Known without a deployment, and what security groups are often written with.
    scene.resolver = resolver.with_attributes(made_up.port)
    if guessed:
        scene.note(f"The template says not where it is deployed; {guessed} and account {account} are taken")
    transforms = document.data.get("Transform")
    if transforms:
        scene.note(
            f"What the transform {transforms} does to the template is left out", document.line(("Transform",))
        )
    unknown = [
        one for one in parameters if not one.startswith(("AWS::", "resolve:")) and not _is_used(document, one)
    ]
    for one in unknown:
        scene.problem(
            0, f"there is no parameter or export {one}", "look for the name in the template's Parameters"
        )
    scene.check_names()
    scene.check_conditions(*_READ)
    scene.check()
    found = services.find(scene, service)
    scene.check()
    assert found is not None
    return _Reading(scene, label(name), found, stack, made_up).topology()


class _Reading:
    """The parts of one topology, in the order in which they depend on each other."""

    def __init__(
        self, scene: Scene, name: str, found: services.Found, stack: Mapping[str, Any], made_up: MadeUp
    ):
        self._scene = scene
        self._name = name
        self._found = found
        self._stack = stack
        self._made_up = made_up
        self._groups = Groups(scene)
        self._networks = Networks(scene)
        self._addresses = addresses.Addresses()

    def topology(self) -> Topology:
        """The topology. Raises NotRehearsable."""
        scene, found = self._scene, self._found
        services.check_network_mode(scene, found.task)
        network = scene.resolver.properties(found.service)["NetworkConfiguration"]["AwsvpcConfiguration"]
        if not network:
            scene.problem(
                found.service.line, f"{found.service.logical_id} has no network", "write NetworkConfiguration"
            )
            scene.check()
        task_groups = self._groups.of(network["SecurityGroups"], found.service.logical_id)
        made = scene.resolver.with_attributes(self._made_up)
        secrets = Secrets(scene, self._made_up)
        task = tasks.Tasks(scene, made, self._made_up, secrets).read(found.task, found.container)
        scene.check()
        keycloak = task.container(task.keycloak)
        balancers = Balancers(scene, self._made_up, self._groups, self._networks)
        targets = balancers.target_groups(found.service)
        # In this order, for the balancer's subnets are those that Keycloak's trusted proxies are in.
        drafts = balancers.drafts(targets, task_groups) if targets else []
        if not targets:
            scene.note(
                "The service registers with no target group, so there is no balancer", found.service.line
            )
        subnets = self._networks.use(network["Subnets"], f"the subnets of {found.service.logical_id}")
        service = services.read(scene, found, task_groups, subnets)
        database = Databases(scene, self._made_up, secrets, self._groups, self._networks).find(
            found.container, keycloak, task_groups
        )
        if not subnets:
            scene.problem(network, f"{found.service.logical_id} names no subnets")
        named = discovery.read(scene, found.service, keycloak)
        self._networks.settle(_trusted(keycloak), self._groups.networks(), self._vpc_id())
        scene.check()
        assert self._networks.vpc is not None
        home = self._literal(database.database.host if database.database else "")
        slots = self._slots(service)
        hosts = tuple(self._balancer(draft, number, len(drafts)) for number, draft in enumerate(drafts, 1))
        host = None
        if database.database is not None:
            groups = database.database.groups
            host = (
                Host("database", home, groups)
                if home
                else self._host("database", database.subnets[0], groups)
            )
        permissions = self._groups.settle()
        scene.check()
        return Topology(
            name=self._name,
            file=scene.file,
            region=scene.region,
            vpc=self._networks.vpc,
            subnets=self._networks.subnets,
            task=replace(
                task,
                containers=tuple(
                    database.container if one.name == keycloak.name else one for one in task.containers
                ),
            ),
            service=service,
            slots=slots,
            discovery=named,
            database=database.database,
            database_host=host,
            balancers=hosts,
            target_groups=targets,
            permissions=permissions,
            version=tasks.version(keycloak.image) or self._version(keycloak),
            notes=tuple(scene.notes),
        )

    def _version(self, keycloak: Container) -> str:
        """The version in stack.json, if that is about this image."""
        told = str(self._stack.get("keycloak_version") or "")
        return (
            told
            if re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", told) and self._stack.get("image") == keycloak.image
            else ""
        )

    def _vpc_id(self) -> Place:
        """Where something that is used names its VPC."""
        resolver = self._scene.resolver
        for resource in resolver.resources(TARGET_GROUP, GROUP):
            if place := resolver.properties(resource)["VpcId"]:
                return place
        return Place(resolver, ("Resources",), NO_VALUE)

    def _slots(self, service: Service) -> tuple[Host, ...]:
        """Places for a deployment's surplus and for replacements, twice over, in the subnets in turn."""
        slots: list[Host] = []
        for number in range(2 * service.at_most + 2):
            names = (
                service.subnets[number % len(service.subnets) :]
                + service.subnets[: number % len(service.subnets)]
            )
            for name in names:
                address = self._addresses.take(self._networks[name])
                if address is not None:
                    host_name = addresses.host_name(address, self._scene.region)
                    slots.append(Host(f"keycloak-{number + 1}", address, service.groups, host_name))
                    break
        if len(slots) < service.at_most:
            self._scene.problem(
                service.line,
                f"the subnets have room for {len(slots)} tasks, {service.at_most} may run at once",
            )
        return tuple(slots)

    def _literal(self, host: str) -> Address | None:
        """The address that a database is named by; None for one that has a name."""
        block = addresses.network(host)
        if block is None:
            return None
        assert self._networks.vpc is not None
        if block.network_address not in self._networks.vpc or not self._addresses.reserve(
            block.network_address
        ):
            message = f"the database is at {host}, which is outside of the VPC's range {self._networks.vpc}"
            self._scene.problem(self._found.container, message, "name the database instead")
        return block.network_address

    def _host(self, name: str, subnet: str, groups: tuple[str, ...]) -> Host:
        address = self._addresses.take(self._networks[subnet])
        if address is None:
            self._scene.problem(0, f"the subnet {subnet} has no address left for the {name}")
            address = self._networks[subnet].network_address
        return Host(name, address, groups)

    def _balancer(self, draft: Draft, number: int, count: int) -> Balancer:
        host = self._host("balancer" if number == 1 else f"balancer-{number}", draft.subnets[0], draft.groups)
        return Balancer(
            draft.logical_id,
            host,
            draft.internal,
            draft.listeners,
            draft.forwarded_for,
            draft.idle_timeout,
            draft.preserve_host,
            draft.drop_invalid_headers,
            draft.dns_name,
            draft.line,
        )


def _trusted(keycloak: Container) -> list[Network]:
    """The networks whose proxies Keycloak trusts, without single addresses."""
    value = keycloak.variable("KC_PROXY_TRUSTED_ADDRESSES") or ""
    found = (addresses.network(one.strip()) for one in value.split(","))
    return [one for one in found if one is not None and one.prefixlen <= 28]


def _region(document: Document) -> str:
    """The region that resources and parameters name most often."""
    named: Counter[str] = Counter()
    for section in ("Resources", "Parameters"):
        if isinstance(document.data.get(section), dict):
            texts = (value for _, value in document.leaves((section,)) if isinstance(value, str))
            named.update(region for text in texts for region in _REGION.findall(text))
    return named.most_common(1)[0][0] if named else _FALLBACK_REGION


def _is_used(document: Document, name: str) -> bool:
    """Whether a template has that parameter, or names it in an import."""
    declared = document.data.get("Parameters")
    return isinstance(declared, dict) and name in declared or name in document.text
