"""Rules about the network."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak.catalog import Catalog
from generator.params.model import Settings
from generator.params.rules.base import Complaint, one_of_two, rule, warning


@rule("network")
def one_network(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    network = settings.network
    if bool(network.create) == bool(network.existing):
        yield one_of_two("network", bool(network.create))


@rule("network", "load_balancer.scheme", "keycloak.admin.hostname", "keycloak.admin.balancer", "database.create")
def subnets_are_there(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    existing = settings.network.existing
    if settings.network.create or not existing:
        return
    internal = settings.load_balancer.scheme == "internal" or settings.admin_internal
    wanted = [("private_subnets", existing.private_subnets, 2 if internal else 1,
               "the tasks and an internal balancer need" if internal else "the tasks need")]
    if settings.load_balancer.scheme == "internet-facing":
        wanted.append(("public_subnets", existing.public_subnets, 2, "an internet-facing balancer needs"))
    if settings.database.create:
        wanted.append(("database_subnets", existing.database_subnets, 2, "a created database needs"))
    for name, subnets, least, user_needs in wanted:
        if len(subnets) < least:
            yield Complaint(f"network.existing.{name}", f"{user_needs} {least} subnet{'s' if least > 1 else ''}, "
                            f"{len(subnets) or 'none'} given", "list one subnet per zone")


@rule("network.egress", "network.create.nat", "network.existing.internet", "network.s3_prefix_list")
def egress_is_not_open_already(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    network = settings.network
    if not (network.create or network.existing) or (network.s3_prefix_list and not settings.internet):
        return
    for index, target in enumerate(network.egress):
        if target.port == 443 and target.to == "0.0.0.0/0":
            yield Complaint(f"network.egress.{index}", "the tasks may reach every 443 already, and EC2 refuses "
                            "the same permission twice", "take it out")


MAX_PERMISSIONS = 60
"""Inbound rules of a security group (Amazon VPC quotas); can be raised."""


@rule("load_balancer.allow_from", "keycloak.admin.hostname", "keycloak.admin.balancer", "keycloak.admin.allow_from",
      "load_balancer.client_certificates")
def security_groups_have_room(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    lists = {"load_balancer.allow_from": settings.load_balancer.allow_from}
    if settings.admin_internal:
        lists["keycloak.admin.allow_from"] = settings.keycloak.admin.allow_from
    for key, networks in lists.items():
        ports = ["443", "80"]
        if key == "load_balancer.allow_from" and settings.mutual_tls_port:
            ports.append(str(settings.mutual_tls_port))
        if len(ports) * len(networks) > MAX_PERMISSIONS:
            named = f"{', '.join(ports[:-1])} and {ports[-1]}"
            yield warning(key, f"{len(networks)} networks are {len(ports) * len(networks)} permissions ({named}); a "
                          f"security group takes {MAX_PERMISSIONS} unless AWS raised the quota",
                          f"list {MAX_PERMISSIONS // len(ports)} or fewer, or have the quota raised")
