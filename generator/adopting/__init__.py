"""The adopting room: what somebody already runs -> what is wrong with it, and params for the same without
that.

Pure: texts in, values out; nothing is written, nothing asked of AWS.
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from generator.adopting import around, home, keeping, paper, server, storage, unread
from generator.adopting.describing import Described
from generator.adopting.draft import fits
from generator.adopting.keeping import Kept
from generator.adopting.paper import Correction
from generator.adopting.scene import Left, Scene
from generator.adopting.sources import CALLS, AdoptionError, Source, one_kind, read
from generator.adopting.wildfly import translated
from generator.document import Document, Path
from generator.errors import CatalogError
from generator.keycloak import catalog as catalogs
from generator.keycloak.catalog import Catalog
from generator.linting import pack
from generator.linting.findings import Finding
from generator.linting.rule import KeycloakRule
from generator.linting.view import Keycloak, Statement, View

__all__ = ["CALLS", "Adoption", "AdoptionError", "Correction", "Judged", "Kept", "Left", "adopt"]


@dataclass(frozen=True)
class Judged:
    """A finding with its place in the user's file."""

    finding: Finding
    pointer: str
    """JSON pointer (RFC 6901) into the file."""


@dataclass(frozen=True)
class Adoption:
    """What came of it."""

    findings: tuple[Judged, ...]
    """By file and line."""
    secrets: tuple[tuple[str, int, str, str], ...]
    """Secrets in plain text: (file, line, JSON pointer, what it is)."""
    params: str
    """Text of a params file."""
    corrected: tuple[Correction, ...]
    unset: tuple[Correction, ...]
    """What has to be written before the params render."""
    left: tuple[Left, ...]
    """What params can't say."""
    kept: tuple[Kept, ...]
    """What becomes of the resources of a template's stack."""
    notes: tuple[str, ...]
    """What wasn't read, as sentences."""


def adopt(
    files: Sequence[tuple[str, str]],
    *,
    region: str = "",
    keycloak_version: str = "",
    templates: pathlib.Path | None = None,
) -> Adoption:
    """Judge what `files` (name, text) describe and write params for the equivalent environment.

    What an update does to a stack is told for the templates of the folder `templates`, this project's by default.

    They are one CloudFormation template, or answers of describe calls around one task definition (`CALLS`).
    Raises AdoptionError for what can't be adopted, CatalogError for a version that is none.
    """
    if keycloak_version:
        catalogs.load(keycloak_version) if not _too_old(keycloak_version) else None
    older = [translated(read(name, text)) for name, text in files]
    sources = [one.source for one in older]
    wildfly = next((one.version for one in older if one.version), "")
    template = one_kind(sources)
    described = (
        None if template is not None else Described([one for one in sources if one.kind != "DBInstances"])
    )
    document = template.document if template is not None else described.document
    facts = _facts(sources, region)
    view = View(
        document,
        region=facts.get("region") or "",
        keycloak_version=keycloak_version or wildfly,
        running=template is None,
    )
    keycloak = _keycloak(view, sources)
    origins = described.origins if described is not None else {}
    findings = [
        _placed(one, document, origins) for one in pack.run_all(view) if not wildfly or _of_wildfly(one)
    ]
    version = keycloak.version
    scene = Scene(
        view,
        keycloak,
        [one.finding for one in findings],
        _where(document, origins),
        _target(str(version)) if version is not None else None,
        template is not None,
        facts,
    )
    scene.left += [left for one in older for left in one.left]
    for part in (
        server.server,
        around.service,
        around.network,
        around.egress,
        around.balancer,
        storage.database,
        around.watching,
    ):
        part(scene)
    _whole(scene)
    kept = keeping.keep(scene, templates) if template is not None else []
    _containers(scene)
    unread.unread(scene)
    findings.sort(key=lambda one: one.finding.order)
    notes = [note for one in older for note in one.notes]
    notes += described.unread if described is not None else []
    return Adoption(
        tuple(findings),
        tuple(_secrets(sources)),
        paper.params(scene, findings, kept, notes),
        paper.corrections(scene),
        paper.unset(scene),
        tuple(scene.left),
        tuple(kept),
        tuple(notes),
    )


def _too_old(version: str) -> bool:
    """Whether a version may be judged although nothing renders it any more."""
    return version in catalogs.known_versions()


def _of_wildfly(finding: Finding) -> bool:
    """Whether a finding holds for a Keycloak on WildFly, which rules about options know nothing of."""
    rule = pack.rule(finding.rule)
    return not isinstance(rule, KeycloakRule) or rule.id == "E9072"


def _target(version: str) -> Catalog | None:
    """The catalog of the version that params get; that of the oldest rendered one for an older one."""
    try:
        return catalogs.load(version)
    except CatalogError:
        return catalogs.load(catalogs.versions()[0])


def _keycloak(view: View, sources: Sequence[Source]) -> Keycloak:
    """The one Keycloak there is. Raises AdoptionError for none, for two, and for what Fargate on Linux can't
    run.
    """
    names = ", ".join(dict.fromkeys(one.name for one in sources))
    if not view.keycloaks:
        images = [
            container["Image"].text or "an unknown image"
            for task in view.document.of_type("AWS::ECS::TaskDefinition")
            for container in view.resolver.properties(task)["ContainerDefinitions"]
        ]
        held = f"its containers run {', '.join(images)}" if images else "it has no task definition"
        raise AdoptionError(
            f"there is no Keycloak in {names}: {held} (a container counts by its image's name, kc.sh in "
            "its command, or KC_* variables)"
        )
    if len(view.keycloaks) > 1:
        found = ", ".join(f"{one.name} of {one.task.logical_id}" for one in view.keycloaks)
        raise AdoptionError(
            f"there are two Keycloaks in {names}: {found} (take all but one out of a copy of the file, "
            "and adopt them one by one)"
        )
    keycloak = view.keycloaks[0]
    task = keycloak.task_properties
    kinds = [one.text for one in task["RequiresCompatibilities"]]
    launch = [one.properties["LaunchType"].text for one in keycloak.services]
    mode = task["NetworkMode"]
    if (
        any(one in ("EC2", "EXTERNAL") for one in launch)
        or kinds
        and "FARGATE" not in kinds
        and None not in kinds
        or (not kinds and mode.text not in (None, "awsvpc"))
        or any(one.fargate is False for one in keycloak.services)
    ):
        raise AdoptionError(
            f"the Keycloak in {names} runs on EC2 instances, this project on Fargate only (a task "
            "definition for it has networkMode awsvpc and requiresCompatibilities FARGATE)"
        )
    system = task["RuntimePlatform"]["OperatingSystemFamily"].text or "LINUX"
    if system.upper().startswith("WINDOWS"):
        raise AdoptionError(
            f"the Keycloak in {names} runs on {system}, this project on Linux only "
            "(its image has to be a Linux one)"
        )
    return keycloak


def _facts(sources: Sequence[Source], region: str) -> dict:
    """What the files tell beside the document: account, region, VPC, the database's description."""
    account, around_it = home.account(sources), home.Guess(region) if region else home.region(sources)
    found: dict = {
        "account": account.value,
        "region": around_it.value,
        "doubts": {"account": account.doubt, "region": around_it.doubt},
    }
    for source in sources:
        if source.kind in ("LoadBalancers", "TargetGroups"):
            found.setdefault("vpc", source.items[0][1].get("VpcId"))
        if source.kind == "DBInstances":
            found["database"] = _database(source)
    return found


def _database(source: Source) -> dict:
    """A described RDS instance as `database.existing` needs it; a value of a wrong shape is None."""
    value = source.items[0][1]

    def at(*steps: str | int) -> str | None:
        found = value
        for step in steps:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found if isinstance(found, str) else None

    return {
        "host": at("Endpoint", "Address"),
        "engine_version": at("EngineVersion"),
        "instance_class": at("DBInstanceClass"),
        "secret": at("MasterUserSecret", "SecretArn"),
        "security_group": at("VpcSecurityGroups", 0, "VpcSecurityGroupId"),
    }


def _placed(finding: Finding, document: Document, origins: dict[Path, tuple[str, Path, int]]) -> Judged:
    path = tuple(finding.path)
    if not origins:
        return Judged(replace(finding, file=document.name), _pointer(_known(path, document)))
    while path and path not in origins:
        path = path[:-1]
    file, there, line = origins.get(path, (document.name, (), 1))
    return Judged(
        replace(finding, file=file, line=line, column=1, end_line=line, end_column=1), _pointer(there)
    )


def _known(path: Path, document: Document) -> Path:
    while path and path not in document.spans:
        path = path[:-1]
    return path


def _where(document: Document, origins: dict[Path, tuple[str, Path, int]]):
    def where(path: Path) -> str:
        path = tuple(path)
        if not origins:
            return f"{document.name}:{document.line(path)}"
        while path and path not in origins:
            path = path[:-1]
        file, _, line = origins.get(path, (document.name, (), 1))
        return f"{file}:{line}"

    return where


def _pointer(path: Path) -> str:
    """A path as a JSON pointer."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _secrets(sources: Sequence[Source]):
    for source in sources:
        for one in source.secrets:
            yield source.name, source.document.line(one.path), _pointer(one.path), one.what


def _whole(scene: Scene) -> None:
    """What an environment needs as a whole."""
    for key, what in (
        ("account", "the AWS account's twelve digits"),
        ("region", "the AWS region, such as eu-central-1"),
    ):
        value, doubt = scene.facts[key], scene.facts["doubts"][key]
        if value and doubt and fits(key, value):
            scene.draft.set(key, value, doubt)
        else:
            around.or_ask(scene, key, value, f"{what}; {doubt}" if doubt else what)
    tags = {}
    holders = [one.properties for one in scene.keycloak.services] + [scene.keycloak.task_properties]
    for holder in holders:
        for one in holder["Tags"]:
            key, value = one["Key"].text, one["Value"].text
            if (
                key
                and value is not None
                and key not in ("Environment", "Name")
                and fits("tags", {key: value})
            ):
                tags.setdefault(key, value)
    for key, value in tags.items():
        scene.draft.entries[("tags", key)] = paper.Entry(value)
    if scene.draft.value("service.tasks") is None and scene.service is None:
        return
    if len(scene.draft.value("network.existing.private_subnets") or ["", ""]) < 2:
        scene.draft.set("high_availability", False, "one zone", corrected=True)


def _for_exec(statement: Statement) -> bool:
    """Whether a statement lets ECS Exec work and nothing else, which `service.exec` brings."""
    return all(one is not None and one.startswith("ssmmessages:") for one in statement.actions)


def _containers(scene: Scene) -> None:
    """Containers beside Keycloak, volumes, and findings about the task that no line of params names."""
    task = scene.keycloak.task_properties
    for one in task["ContainerDefinitions"]:
        if one.path != scene.keycloak.path:
            scene.leave(
                f"the container {one['Name'].text or '?'} at {scene.at(one)}", "one container runs in a task"
            )
    for one in task["Volumes"]:
        scene.leave(
            f"the volume {one['Name'].text or '?'} at {scene.at(one)}",
            "tasks have no volumes: what it holds belongs into the image",
        )
    role = scene.keycloak.task_role
    if role is not None and any(not _for_exec(one) for one in role.statements):
        scene.leave(f"what the task role {role.name} may do", "the new one may do nothing")
