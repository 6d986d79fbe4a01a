"""Rules about an environment as a whole: what it claims, and what has to be of one kind everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak.catalog import Catalog
from generator.params.model import Settings
from generator.params.rules.base import Complaint, rule, warning


@rule("high_availability", "network.create.nat", "network.existing.private_subnets", "service.tasks",
      "database.create.multi_az", "database.create.backup_days")
def high_availability_is_possible(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    if not settings.high_availability:
        return
    if settings.service.tasks < 2:
        yield Complaint("service.tasks", f"{settings.service.tasks} task is no cluster: high availability needs 2",
                        "write 2 or more, or high_availability: false")
    if settings.network.existing and len(settings.network.existing.private_subnets) < 2:
        yield Complaint("network.existing.private_subnets", "high availability needs tasks in 2 zones",
                        "list a private subnet of a second zone, or write high_availability: false")
    created = settings.network.create
    if created and created.nat == "single":
        yield warning("network.create.nat", "one zone carries all traffic to the internet: losing it cuts every task "
                      "off from identity providers and secrets", "write per-zone, or high_availability: false")
    database = settings.database.create
    if database and not database.multi_az:
        yield warning("database.create.multi_az", "losing the database's zone is losing Keycloak",
                      "write multi_az: true, or high_availability: false")
    if database and not database.backup_days:
        yield warning("database.create.backup_days", "without backups a lost database is lost for good",
                      "write 7 or more")


@rule("stack.physical_names", "database.create", "keycloak.discovery", "service.cluster", "service.autoscaling")
def only_what_is_rendered_has_a_name(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    missing = {"Cluster": "service.cluster names one that is there"} if settings.service.cluster else {}
    if not settings.database.create:
        missing |= dict.fromkeys(("Database", "DatabaseSubnetGroup", "DatabaseSecret"),
                                 "the database isn't this stack's")
    if settings.keycloak.discovery != "dns":
        missing |= dict.fromkeys(("DiscoveryNamespace", "DiscoveryService"), "nodes find each other by the database")
    if not settings.service.autoscaling:
        missing["ScaleOutPolicy"] = "nothing scales the service"
    for logical_id, why in missing.items():
        if getattr(settings.stack.physical_names, logical_id):
            yield Complaint(f"stack.physical_names.{logical_id}", f"no {logical_id} is rendered: {why}", "take it out")


@rule("account", "region", "load_balancer.certificate", "keycloak.admin.certificate",
      "load_balancer.client_certificates.certificate", "service.cluster", "alarms.topic", "stack.service_role", "database.create.kms_key")
def arns_are_of_this_account_and_region(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    created = settings.database.create
    arns = {"load_balancer.certificate": settings.load_balancer.certificate,
            "keycloak.admin.certificate": settings.keycloak.admin.certificate,
            "load_balancer.client_certificates.certificate": settings.load_balancer.client_certificates.certificate,
            "service.cluster": settings.service.cluster,
            "stack.service_role": settings.stack.service_role,
            "alarms.topic": settings.alarms and settings.alarms.topic,
            "database.create.kms_key": created and created.kms_key}
    shared_between_accounts = ("alarms.topic", "database.create.kms_key")
    for key, arn in arns.items():
        if not arn or not arn.startswith("arn:"):
            continue
        region, account = arn.split(":")[3:5]
        if region and region != settings.region:  # a role has no region
            yield Complaint(key, f"is in {region}, the environment in {settings.region}",
                            f"use one in {settings.region}")
        if account != settings.account and key not in shared_between_accounts:
            yield Complaint(key, f"belongs to account {account}, the environment to {settings.account}",
                            "use one of the environment's account")


@rule("load_balancer.allow_from", "keycloak.admin.allow_from", "keycloak.admin.login_from", "keycloak.features",
      "network.existing", "network.egress", "alarms.emails", "stack.notifications")
def nothing_is_listed_twice(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    admin, existing, features = settings.keycloak.admin, settings.network.existing, settings.keycloak.features
    lists = {
        "load_balancer.allow_from": settings.load_balancer.allow_from,
        "keycloak.admin.allow_from": admin.allow_from,
        "keycloak.admin.login_from": admin.login_from,
        "keycloak.features.enabled": features.enabled,
        "keycloak.features.disabled": features.disabled,
        "network.egress": [f"{target.to} on port {target.port}" for target in settings.network.egress],
        "alarms.emails": settings.alarms.emails if settings.alarms else (),
        "stack.notifications": settings.stack.notifications,
    }
    if existing:
        lists.update({f"network.existing.{name}": getattr(existing, name) for name in (
            "cidrs", "public_subnets", "private_subnets", "database_subnets", "endpoint_security_groups")})
    for key, items in lists.items():
        for index, item in enumerate(items):
            if item in items[:index]:
                yield Complaint(f"{key}.{index}", f"{item} is listed already", "take it out")


@rule("alarms")
def alarms_have_a_reader(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    alarms = settings.alarms
    if alarms and alarms.emails and alarms.topic != "create":
        yield Complaint("alarms.emails", "a topic that is there has subscribers of its own",
                        "subscribe them there, or write topic: create")
    if alarms and not alarms.emails and alarms.topic == "create":
        yield warning("alarms.emails", "nobody is told about an alarm", "list addresses, or subscribe to the topic")


@rule("stack.protected", "database.create.deletion_protection")
def protection_is_whole(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    if settings.stack.protected and settings.database.create and not settings.database.create.deletion_protection:
        yield warning("database.create.deletion_protection", "the stack is protected, its database isn't",
                      "write true")
