"""Rules that concern several keys at once, each saying what would go wrong in AWS or in Keycloak and what to write.

A rule names the keys it reads, so that it is left out while one of them is wrong by itself. Rules yield complaints;
where they stand in which file is the loader's business.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from generator.keycloak import environment, facts, sizing
from generator.keycloak.catalog import Catalog, Option, known_in, load, versions
from generator.params.model import Settings


@dataclass(frozen=True)
class Complaint:
    """What is wrong at `key`; `severity` is error or warning."""

    key: str
    message: str
    fix: str
    severity: str = "error"


@dataclass(frozen=True)
class Rule:
    """A check over the settings and the catalog of their version; skipped while a key in `keys` is wrong.

    A check that asks the catalog names keycloak.version: there is no catalog while that one is wrong.
    """

    keys: tuple[str, ...]
    check: Callable[[Settings, Catalog], Iterable[Complaint]]


RULES: list[Rule] = []


def rule(*keys: str):
    """Registers a check that reads `keys`."""
    def register(check: Callable[[Settings, Catalog], Iterable[Complaint]]):
        RULES.append(Rule(keys, check))
        return check
    return register


def warning(key: str, message: str, fix: str) -> Complaint:
    """A complaint that doesn't keep the environment from being written."""
    return Complaint(key, message, fix, "warning")


# --- Where it runs --------------------------------------------------------------------------------------------------

@rule("network")
def one_network(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    network = settings.network
    if bool(network.create) == bool(network.existing):
        yield _one_of_two("network", bool(network.create))


def _one_of_two(key: str, both: bool) -> Complaint:
    """About a section that wants `create` or `existing` and has both of them, or neither."""
    if both:
        return Complaint(key, "both `create` and `existing` are given",
                         "keep one; `create: null` or `existing: null` takes an inherited one away")
    return Complaint(key, "neither `create` nor `existing` is given", "write one of them")


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


@rule("network.egress", "network.create.nat", "network.existing.internet", "network.s3_prefix_list")
def egress_is_not_open_already(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    network = settings.network
    if not (network.create or network.existing) or (network.s3_prefix_list and not settings.internet):
        return
    for index, target in enumerate(network.egress):
        if target.port == 443 and target.to == "0.0.0.0/0":
            yield Complaint(f"network.egress.{index}", "the tasks may reach every 443 already, and EC2 refuses the same "
                            "permission twice", "take it out")


MAX_PERMISSIONS = 60
"""Inbound rules of a security group (Amazon VPC quotas); can be raised."""


@rule("load_balancer.allow_from", "keycloak.admin.hostname", "keycloak.admin.balancer", "keycloak.admin.allow_from")
def security_groups_have_room(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    lists = {"load_balancer.allow_from": settings.load_balancer.allow_from}
    if settings.admin_internal:
        lists["keycloak.admin.allow_from"] = settings.keycloak.admin.allow_from
    for key, networks in lists.items():
        if 2 * len(networks) > MAX_PERMISSIONS:
            yield warning(key, f"{len(networks)} networks are {2 * len(networks)} permissions (443 and 80); a security group "
                          f"takes {MAX_PERMISSIONS} unless AWS raised the quota",
                          f"list {MAX_PERMISSIONS // 2} or fewer, or have the quota raised")


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


@rule("account", "region", "load_balancer.certificate", "keycloak.admin.certificate", "service.cluster", "alarms.topic",
      "stack.service_role", "database.create.kms_key")
def arns_are_of_this_account_and_region(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    created = settings.database.create
    arns = {"load_balancer.certificate": settings.load_balancer.certificate,
            "keycloak.admin.certificate": settings.keycloak.admin.certificate,
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


# --- The balancer ---------------------------------------------------------------------------------------------------

@rule("load_balancer.certificate", "load_balancer.hosted_zone", "load_balancer.dns_records", "keycloak.admin",
      "keycloak.hostname")
def names_and_certificates(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    balancer, admin = settings.load_balancer, settings.keycloak.admin
    if admin.hostname == settings.keycloak.hostname:
        yield Complaint("keycloak.admin.hostname", "is the public host: the console would be open to everybody",
                        "use a host of its own, such as "
                        + settings.keycloak.hostname.replace("https://", "https://admin-", 1))
    if balancer.certificate == "create" and not balancer.hosted_zone:
        yield Complaint("load_balancer.certificate", "a certificate is validated by a record in a hosted zone",
                        "add load_balancer.hosted_zone, or give the ARN of a certificate")
    if balancer.dns_records and not balancer.hosted_zone:
        yield Complaint("load_balancer.dns_records", "records need a hosted zone", "add load_balancer.hosted_zone")
    if admin.certificate == "create" and not (admin.hosted_zone or balancer.hosted_zone):
        yield Complaint("keycloak.admin.certificate", "a certificate is validated by a record in a hosted zone",
                        "add keycloak.admin.hosted_zone")
    if not admin.hostname:
        for name in ("allow_from", "login_from"):
            if getattr(admin, name):
                yield Complaint(f"keycloak.admin.{name}", "there is no admin host that it would open",
                                "add keycloak.admin.hostname")
    elif not admin.allow_from:
        yield Complaint("keycloak.admin.allow_from", "nobody could reach the admin host",
                        "list the networks that may, such as [203.0.113.0/24]")


_NEVER_PUBLIC = tuple(ipaddress.IPv4Network(text) for text in (
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"))
"""RFC 1918, RFC 6598, loopback and link-local: no packet from the internet has such a source."""


def _private(cidr: str) -> bool:
    network = ipaddress.IPv4Network(cidr)
    return any(network.subnet_of(block) for block in _NEVER_PUBLIC)


@rule("load_balancer.scheme", "load_balancer.allow_from", "keycloak.admin", "keycloak.master_realm")
def sources_can_match(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    admin = settings.keycloak.admin
    if settings.load_balancer.scheme == "internet-facing":
        lists = [("keycloak.admin.login_from", admin.login_from), ("load_balancer.allow_from",
                                                                   settings.load_balancer.allow_from)]
        if admin.balancer == "shared":
            lists.append(("keycloak.admin.allow_from", admin.allow_from))
        for key, networks in lists:
            private = [network for network in networks if _private(network)]
            if private:
                fix = "list the public addresses clients come from"
                if key == "keycloak.admin.allow_from":
                    fix += ", or write keycloak.admin.balancer: internal for a balancer inside the network"
                yield Complaint(key, f"{', '.join(private)} can't match: an internet-facing balancer sees a client's "
                                "public address", fix)
    elif admin.balancer == "internal" and admin.hostname:
        yield warning("keycloak.admin.balancer", "the balancer is internal already; a second one costs and adds "
                      "nothing", "write shared")
    if (settings.admin_internal and settings.keycloak.master_realm == "admin_networks" and not admin.login_from):
        yield Complaint("keycloak.admin.login_from", "the console logs in on the public host, which would refuse "
                        "everybody", "list the public addresses administrators come from there, or write "
                        "keycloak.master_realm: everyone")
    if admin.hostname and any(ipaddress.IPv4Network(network).prefixlen == 0 for network in admin.allow_from):
        yield warning("keycloak.admin.allow_from", "everybody may reach the admin console", "list networks")


@rule("keycloak.version", "keycloak.options", "keycloak.master_realm", "load_balancer.path_guard",
      "load_balancer.scheme")
def path_tricks_are_guarded(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    balancer = settings.load_balancer
    if balancer.path_guard == "off" and environment.path_tricks_reach_admin(settings):
        severity = "error" if balancer.scheme == "internet-facing" else "warning"
        yield Complaint("load_balancer.path_guard", "without it, /realms/../admin/ reaches the admin console through the "
                        "public host", "write auto, or use Keycloak 26.4.3 or newer as it is", severity)
    elif balancer.path_guard == "off" and environment.path_parameters_reach_master(settings):
        yield warning("load_balancer.path_guard", "without it, /realms/master;x/ reaches the master realm from everywhere",
                      "write auto, or use Keycloak 26.6 or newer")


@rule("load_balancer.health_check", "load_balancer.forwarded_for", "load_balancer.allow_from")
def balancer_fits_together(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    balancer = settings.load_balancer
    check = balancer.health_check
    if check.timeout_seconds >= check.interval_seconds:
        yield Complaint("load_balancer.health_check.timeout_seconds",
                        f"{check.timeout_seconds} s is not shorter than the interval of {check.interval_seconds} s",
                        f"write {max(2, check.interval_seconds - 1)} or less")
    if balancer.forwarded_for == "trust" and not balancer.allow_from:
        yield warning("load_balancer.forwarded_for", "everybody may connect and forge the client address that Keycloak's "
                      "events show", "limit load_balancer.allow_from to the proxy in front, or write refuse")


# --- Keycloak -------------------------------------------------------------------------------------------------------

@rule("keycloak.version", "keycloak.discovery", "service.tasks", "service.autoscaling")
def discovery_works(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    discovery = settings.keycloak.discovery
    if discovery == "database" and not facts.jdbc_ping_available(catalog.version):
        yield Complaint("keycloak.discovery", f"Keycloak {catalog.version} has no JDBC_PING (it came with 26.1)",
                        "write dns, or use 26.1 or newer")
    if discovery == "dns" and settings.max_tasks > 8:
        yield warning("keycloak.discovery", f"with {settings.max_tasks} tasks, Cloud Map answers with eight of them: nodes "
                      "find each other more slowly", "stay with 8, or write database (from 26.1)")


@rule("keycloak.version", "keycloak.cluster_encryption", "keycloak.options")
def encryption_has_keys(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    wanted = settings.keycloak.cluster_encryption
    own_keys = "KC_CACHE_EMBEDDED_MTLS_KEY_STORE_FILE" in settings.keycloak.options
    if wanted and not own_keys and not facts.cluster_encrypted_by_default(catalog.version):
        yield Complaint("keycloak.cluster_encryption", f"Keycloak {catalog.version} makes no certificates of its own and "
                        "wouldn't start", "take it out, use 26.2 or newer, or name a key store of the image in "
                        "KC_CACHE_EMBEDDED_MTLS_KEY_STORE_FILE")
    elif wanted is False:
        yield warning("keycloak.cluster_encryption", "sessions pass between the nodes unencrypted", "take it out")


@rule("keycloak.version", "keycloak.features")
def features_exist(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    features = settings.keycloak.features
    for kind in ("enabled", "disabled"):
        for index, name in enumerate(getattr(features, kind)):
            if name == "preview":  # all preview features
                continue
            key = f"keycloak.features.{kind}.{index}"
            feature = catalog.feature(name)
            if feature is None:
                yield _no_feature(key, name, kind == "disabled", catalog)
            elif kind == "disabled" and ":" in name:
                yield Complaint(key, "a feature is disabled by its name alone", f"write {feature.name}")
            elif kind == "disabled" and feature.fixed:
                yield Complaint(key, f"Keycloak {catalog.version} can't do without the feature {name}", "take it out")
            elif name == "hostname:v1" and facts.hostname_model(catalog.version) == 2:
                yield Complaint(key, "with it, Keycloak doesn't understand the address in keycloak.hostname",
                                "take it out")
    both = {name.split(":")[0] for name in features.enabled} & set(features.disabled)
    for name in sorted(both):
        yield Complaint("keycloak.features.disabled", f"{name} is enabled and disabled", "keep one")


def _no_feature(key: str, name: str, bare: bool, catalog: Catalog) -> Complaint:
    """About a feature that the version doesn't have; `bare` where a feature is named without its version."""
    message = f"Keycloak {catalog.version} has no feature {name!r}"
    known = [version for version in versions() if load(version).feature(name)]
    if known:
        # What other versions have was no slip of the pen.
        span = f"{known[0]} to {known[-1]}" if len(known) > 1 else known[0]
        return Complaint(key, f"{message} (known in {span})", "take it out, or change keycloak.version")
    nearest = catalog.nearest_feature(name)
    if nearest and bare:
        nearest = nearest.split(":")[0]
    return Complaint(key, message, f"did you mean {nearest}?" if nearest else "take it out")


@rule("keycloak.version", "keycloak.options", "keycloak.secret_options")
def options_exist(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    keycloak = settings.keycloak
    for section in ("options", "secret_options"):
        for name, value in getattr(keycloak, section).items():
            yield from _option(f"keycloak.{section}.{name}", name, value if section == "options" else None, catalog)
    for name in sorted(set(keycloak.options) & set(keycloak.secret_options)):
        yield Complaint(f"keycloak.options.{name}", "is among secret_options too", "keep one")


_ROUTE_VARIABLES = tuple(facts.spi_variable(version, "sticky-session-encoder", "infinispan", "should-attach-route")
                         for version in ("26.0.0", "26.3.0"))
"""Both spellings: a newer Keycloak takes either (measured on 26.7.4)."""


def _option(key: str, name: str, value: str | None, catalog: Catalog) -> Iterator[Complaint]:
    owned = dict(environment.OWNED)
    owned.update(dict.fromkeys(facts.bootstrap_admin_variables(catalog.version), "keycloak.admin.username"))
    owned.update(dict.fromkeys(_ROUTE_VARIABLES, "load_balancer.stickiness_seconds"))
    if name == "KC_DB_PASSWORD":
        yield Complaint(key, "comes from the database's secret", "take it out")
        return
    if name in owned:
        yield Complaint(key, "is set by the generator", f"take it out and see the key {owned[name]}")
        return
    if catalog.is_spi(name):
        return
    option = catalog.option(name)
    if option is None:
        known = known_in(name)
        if known:
            yield Complaint(key, f"Keycloak {catalog.version} has no such option (known in {known[0]} to {known[-1]})",
                            "take it out, or change keycloak.version")
            return
        nearest = catalog.nearest(name)
        yield Complaint(key, f"Keycloak {catalog.version} has no such option and would ignore it silently",
                        f"did you mean {nearest}?" if nearest else "take it out")
        return
    if option.deprecated:
        yield warning(key, f"is deprecated in Keycloak {catalog.version}", option.deprecated)
    if value is None:
        return
    problem = catalog.check_value(option, value)
    if problem:
        yield Complaint(key, problem, _value_fix(option, value))
    for item in value.split(",") if option.type == "list" else [value]:
        if item in option.deprecated_values:
            yield warning(key, f"{item} is deprecated in Keycloak {catalog.version}",
                          option.deprecated_note or "write another of its values")


def _value_fix(option: Option, value: str) -> str:
    """What to write instead of a value that an option doesn't take."""
    known = option.values or (("true", "false") if option.type == "boolean" else ())
    meant = {"yes": "true", "on": "true", "1": "true", "no": "false", "off": "false", "0": "false"}
    near = difflib.get_close_matches(value.strip().lower(), known, 1)
    if option.type == "boolean":
        near = [meant[value.lower()]] if value.lower() in meant else near
    return f"write {near[0]}" if near else "write a value that it takes"


@rule("keycloak.version", "keycloak.log.level")
def log_level_is_one(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    option = catalog.option("KC_LOG_LEVEL")
    problem = catalog.check_value(option, settings.keycloak.log.level)
    if problem:
        yield Complaint("keycloak.log.level", f"{problem}: Keycloak wouldn't start",
                        "write it like info,org.keycloak.events:debug")


@rule("keycloak.log.level", "keycloak.options", "service.tasks", "alarms")
def views_are_logged(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    options = settings.keycloak.options
    if settings.alarms is None or settings.service.tasks < 2:
        return
    levels = {"": "info"}
    for item in settings.keycloak.log.level.split(","):
        category, _, level = item.rpartition(":")
        levels[category.strip().lower()] = level
    for name, level in options.items():
        if name.startswith("KC_LOG_LEVEL_"):
            levels[name.removeprefix("KC_LOG_LEVEL_").replace("_", ".").lower()] = level
    nearest = next(category for category in ("org.infinispan.cluster", "org.infinispan", "org", "") if category in levels)
    shown = [levels[nearest], options.get("KC_LOG_CONSOLE_LEVEL", "all")]
    if any(level.strip().lower() in ("warn", "warning", "error", "severe", "fatal", "off") for level in shown):
        yield warning("keycloak.log.level", "the cluster's views are logged as info: the alarm about a broken cluster "
                      "would see none of them", "add org.infinispan.CLUSTER:info, and write no KC_LOG_CONSOLE_LEVEL above "
                      "info")


@rule("keycloak.version", "keycloak.jvm_options")
def jvm_options_dont_contradict(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    for index, option in enumerate(settings.keycloak.jvm_options):
        key = f"keycloak.jvm_options.{index}"
        for prefix, owner in environment.OWNED_JVM_OPTIONS.items():
            if option.startswith(prefix):
                yield Complaint(key, f"{prefix.rstrip('=')} is set by the generator",
                                f"take it out and see the key {owner}")
        if option.startswith(("-Djboss.node.name=", "-Djboss.site.name=")) and catalog.at_least(26, 3):
            yield Complaint(key, f"Keycloak {catalog.version} refuses to start with it", "take it out")


@rule("keycloak.image", "keycloak.version", "keycloak.discovery", "network.create.nat", "network.existing.internet")
def image_can_run(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    image = settings.keycloak.image
    if image.kind == "optimized" and image.repository == "quay.io/keycloak/keycloak":
        yield Complaint("keycloak.image.repository", "an optimized image is one of your own",
                        f"name its repository, such as {settings.account}.dkr.ecr.{settings.region}.amazonaws.com/keycloak")
    if image.kind == "stock":
        for name in ("providers", "themes"):
            if getattr(image, name):
                yield Complaint(f"keycloak.image.{name}", "the stock image holds no files of yours",
                                "write keycloak.image.kind: optimized")
        if image.digest is None and settings.keycloak.discovery == "dns":
            yield warning("keycloak.image.kind", "the stock image notices a frozen node after 41 s instead of 11 s, starts "
                          "three times slower and doesn't check the database's certificate (sslmode=require)",
                          "write optimized and build rendered/ENV/image")
    if image.tag == "latest":
        yield warning("keycloak.image.tag", "`latest` can be another Keycloak at every start",
                      f"write {settings.keycloak.version}")
    elif image.tag and image.tag[0].isdigit() and not re.match(
            re.escape(settings.keycloak.version) + r"(?!\d)", image.tag):
        yield warning("keycloak.image.tag", f"doesn't begin with keycloak.version {settings.keycloak.version}, which "
                      "decides the options", "make them agree")
    has_network = settings.network.create or settings.network.existing
    if has_network and not settings.internet and ".dkr.ecr." not in image.repository:
        host = f"{settings.account}.dkr.ecr.{settings.region}.amazonaws.com"
        yield Complaint("keycloak.image.repository", f"without a way to the internet nothing is pulled from "
                        f"{image.repository.split('/')[0]}",
                        f"push the image to ECR, or set a pull-through cache rule up and write {host}/quay/keycloak/keycloak")


@rule("keycloak.version", "database.create", "database.existing")
def database_fits_keycloak(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    database = settings.database
    if bool(database.create) == bool(database.existing):
        yield _one_of_two("database", bool(database.create))
        return
    kind = "create" if database.create else "existing"
    version = getattr(database, kind).engine_version
    first, last = facts.postgresql_majors(catalog.version)
    if not first <= int(version.split(".")[0]) <= last:
        yield Complaint(f"database.{kind}.engine_version",
                        f"Keycloak {catalog.version} supports PostgreSQL {first} to {last}, not {version}",
                        f"write a version from {first} to {last}")
    created = database.create
    if created and created.max_storage_gb is not None and created.max_storage_gb * 10 < created.storage_gb * 11:
        yield Complaint("database.create.max_storage_gb", f"RDS wants at least a tenth more than the "
                        f"{created.storage_gb} GiB of storage_gb", f"write {-(-created.storage_gb * 11 // 10)} or more")


@rule("database.pool_size", "database.create.instance_class", "database.existing.max_connections", "service.tasks",
      "service.autoscaling.max_tasks", "service.deployment")
def pool_fits_connections(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    database = settings.database
    if bool(database.create) == bool(database.existing):
        return
    if database.existing:
        limit, where, more = database.existing.max_connections, "the database", "raise its max_connections"
    else:
        more = "take a larger instance"
        limit, where = sizing.max_connections(database.create.instance_class), database.create.instance_class
        if limit is None:
            yield warning("database.create.instance_class", f"how many connections {where} takes is not known here: the "
                          "pool is not checked", "check max_connections against database.pool_size x tasks")
            return
    service = settings.service
    tasks = sizing.tasks_during_deployment(service.tasks, settings.max_tasks, service.deployment == "recreate")
    wanted = tasks * database.pool_size
    free = limit - sizing.RESERVED_CONNECTIONS
    if wanted > free:
        yield Complaint("database.pool_size", f"{tasks} tasks during a deployment x {database.pool_size} connections are "
                        f"{wanted}; {where} takes {limit}, of which {free} are free for them",
                        f"write {free // tasks} or less, or {more}" if free // tasks >= 2 else more)


# --- The service ----------------------------------------------------------------------------------------------------

@rule("service.cpu", "service.memory")
def fargate_has_the_size(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    service = settings.service
    memories = sizing.fargate_memories(service.cpu)
    if not memories:
        yield Complaint("service.cpu", f"Fargate has no {service.cpu} CPU units",
                        "write one of " + ", ".join(map(str, sizing.fargate_cpus())))
    elif service.memory not in memories:
        nearest = min(memories, key=lambda memory: (abs(memory - service.memory), memory))
        others = [cpu for cpu in sizing.fargate_cpus_for(service.memory) if cpu != service.cpu]
        also = f", or cpu: {others[0]}" if others else ""
        yield Complaint("service.memory", f"Fargate has no {service.memory} MiB with {service.cpu} CPU units",
                        f"write {nearest} ({memories[0]} to {memories[-1]} go){also}")


@rule("service.memory", "keycloak.heap_percent", "keycloak.jvm_options")
def heap_fits(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    memory = settings.service.memory
    heap = sizing.heap_mib(memory, settings.keycloak.heap_percent, tuple(settings.keycloak.jvm_options))
    if heap + sizing.NON_HEAP_MIB > memory:
        yield Complaint("service.memory", f"a heap of {heap} MiB and {sizing.NON_HEAP_MIB} MiB beside it don't fit into "
                        f"{memory} MiB: the task would be killed",
                        f"give more memory, or leave the heap {max(0, memory - sizing.NON_HEAP_MIB)} MiB or less")
    elif memory < sizing.SENSIBLE_MEMORY_MIB:
        yield warning("service.memory", f"Keycloak hardly starts in {memory} MiB", "write 1024 or more")


@rule("service.tasks", "service.autoscaling.max_tasks", "service.deployment", "service.zone_rebalancing")
def scaling_fits_together(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    service = settings.service
    if service.autoscaling and service.autoscaling.max_tasks <= service.tasks:
        yield Complaint("service.autoscaling.max_tasks", f"{service.autoscaling.max_tasks} leaves nothing to scale above "
                        f"service.tasks {service.tasks}", f"write {service.tasks + 1} or more")
    if service.deployment == "recreate" and service.zone_rebalancing:
        yield Complaint("service.zone_rebalancing", "ECS refuses it with the percentages of `recreate`",
                        "write false, or deployment: rolling")


@rule("keycloak.version", "service.stop_timeout_seconds", "keycloak.options")
def tasks_may_finish(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    names = ("KC_SHUTDOWN_DELAY", "KC_SHUTDOWN_TIMEOUT")
    if not any(name in settings.keycloak.options for name in names):
        return
    total = 0.0
    for name in names:
        option = catalog.option(name)
        total += seconds(settings.keycloak.options.get(name) or (option and option.default) or "")
    if total >= settings.service.stop_timeout_seconds:
        yield Complaint("service.stop_timeout_seconds", f"Keycloak's own shutdown takes up to {total:g} s, but the task is "
                        f"killed after {settings.service.stop_timeout_seconds} s",
                        f"write more than {total:g}" if total < 120 else "write shorter times in keycloak.options: ECS "
                        "waits 120 s at most")


_TIME = re.compile(r"(?i)(\d+)(ms|[smhd])?|pt?(?:(\d+)d)?t?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


def seconds(text: str) -> float:
    """Length of a time as Keycloak's options spell it: `90`, `1500ms`, `2m`, `PT1M30S`; 0 for what is none."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return 0
    if match[1]:
        return int(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[(match[2] or "s").lower()]
    parts = zip(match.groups()[2:], (86400, 3600, 60, 1))
    return sum(float(number) * factor for number, factor in parts if number)


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
