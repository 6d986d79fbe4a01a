"""Rules about Keycloak itself: discovery, encryption, features, logging, JVM and image."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.keycloak import environment, facts
from generator.keycloak.catalog import Catalog, load, versions
from generator.params.model import Settings
from generator.params.rules.base import Complaint, rule, warning


@rule("keycloak.version", "keycloak.discovery", "service.tasks", "service.autoscaling")
def discovery_works(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    discovery = settings.keycloak.discovery
    if discovery == "database" and not facts.jdbc_ping_available(catalog.version):
        yield Complaint("keycloak.discovery", f"Keycloak {catalog.version} has no JDBC_PING (it came with 26.1)",
                        "write dns, or use 26.1 or newer")
    if discovery == "dns" and settings.max_tasks > 8:
        yield warning("keycloak.discovery", f"with {settings.max_tasks} tasks, Cloud Map answers with eight of "
                      "them: nodes find each other more slowly", "stay with 8, or write database (from 26.1)")


@rule("keycloak.version", "keycloak.cluster_encryption", "keycloak.options")
def encryption_has_keys(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    wanted = settings.keycloak.cluster_encryption
    own_keys = "KC_CACHE_EMBEDDED_MTLS_KEY_STORE_FILE" in settings.keycloak.options
    if wanted and not own_keys and not facts.cluster_encrypted_by_default(catalog.version):
        yield Complaint("keycloak.cluster_encryption", f"Keycloak {catalog.version} makes no certificates of its "
                        "own and wouldn't start", "take it out, use 26.2 or newer, or name a key store of the image in "
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
    above = ("org.infinispan.cluster", "org.infinispan", "org", "")
    nearest = next(category for category in above if category in levels)
    shown = [levels[nearest], options.get("KC_LOG_CONSOLE_LEVEL", "all")]
    if any(level.strip().lower() in ("warn", "warning", "error", "severe", "fatal", "off") for level in shown):
        yield warning("keycloak.log.level", "the cluster's views are logged as info: the alarm about a broken "
                      "cluster would see none of them",
                      "add org.infinispan.CLUSTER:info, and write no KC_LOG_CONSOLE_LEVEL above info")


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
    registry = f"{settings.account}.dkr.ecr.{settings.region}.amazonaws.com"
    if image.kind == "optimized" and image.repository == "quay.io/keycloak/keycloak":
        yield Complaint("keycloak.image.repository", "an optimized image is one of your own",
                        f"name its repository, such as {registry}/keycloak")
    if image.kind == "stock":
        for name in ("providers", "themes"):
            if getattr(image, name):
                yield Complaint(f"keycloak.image.{name}", "the stock image holds no files of yours",
                                "write keycloak.image.kind: optimized")
        if image.digest is None and settings.keycloak.discovery == "dns":
            yield warning("keycloak.image.kind", "the stock image notices a frozen node after 45 s instead of 13 s, "
                          "starts three times slower and doesn't check the database's certificate "
                          "(sslmode=require)",
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
        yield Complaint("keycloak.image.repository",
                        f"without a way to the internet nothing is pulled from {image.repository.split('/')[0]}",
                        "push the image to ECR, or set a pull-through cache rule up and write "
                        f"{registry}/quay/keycloak/keycloak")
