"""Files that somebody has of a running Keycloak: what each of them is, or why it can't be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from generator.adopting.masking import Secret, masked
from generator.document import Document, MalformedDocument, Path, parse
from generator.errors import CloakformError

TEMPLATE = "template"
TASK = "task definition"
SERVICES = "services"
ATTRIBUTES = "attributes"

CALLS = {
    TASK: "aws ecs describe-task-definition",
    SERVICES: "aws ecs describe-services",
    "TargetGroups": "aws elbv2 describe-target-groups",
    ATTRIBUTES: "aws elbv2 describe-target-group-attributes",
    "LoadBalancers": "aws elbv2 describe-load-balancers",
    "Listeners": "aws elbv2 describe-listeners",
    "Rules": "aws elbv2 describe-rules",
    "DBInstances": "aws rds describe-db-instances",
    "Service": "aws servicediscovery get-service",
    "Namespace": "aws servicediscovery get-namespace",
}
"""What a file can be, besides a template -> the call that prints it."""


class AdoptionError(CloakformError):
    """Files that can't be adopted."""


@dataclass(frozen=True)
class Source:
    """One file, read and without its secrets."""

    name: str
    kind: str
    """TEMPLATE or a key of CALLS."""
    items: tuple[tuple[Path, Any], ...]
    """What it is about: (path in the file, value), one or more; the whole for a template."""
    document: Document
    secrets: tuple[Secret, ...]


def read(name: str, text: str) -> Source:
    """Read a file's text; `name` is what messages call it.

    Raises AdoptionError for what is no JSON or YAML, the answer of a call that failed, and anything that
    isn't known.
    """
    if not text.strip():
        raise AdoptionError(
            f"{name} is empty: the call that was to write it failed (run it again and read its message)"
        )
    if match := re.search(r"An error occurred \((\w+)\)", text[:2000]):
        raise AdoptionError(f"{name} is the answer of a call that failed: {match[1]} (run the call again)")
    try:
        document = parse(text, name)
    except MalformedDocument as error:
        raise AdoptionError(
            f"{name}:{error.problem.line}: is no JSON or YAML that can be read: {error.problem.message} "
            "(name the answer of a describe call, or a CloudFormation template)"
        ) from error
    data, secrets = masked(document.data)
    document = replace(document, data=data)
    kind, items = _recognised(name, data)
    return Source(name, kind, tuple(items), document, tuple(secrets))


def _recognised(name: str, data: dict[str, Any]) -> tuple[str, list[tuple[Path, Any]]]:
    if isinstance(data.get("Resources"), dict):
        return TEMPLATE, [((), data)]
    if isinstance(data.get("taskDefinition"), dict):
        return TASK, [(("taskDefinition",), data["taskDefinition"])]
    if isinstance(data.get("containerDefinitions"), list):
        return TASK, [((), data)]
    if isinstance(data.get("serviceName"), str) and "taskDefinition" in data:
        return SERVICES, [((), data)]
    if isinstance(data.get("service"), dict):
        return SERVICES, [(("service",), data["service"])]
    for key, kind in (
        ("services", SERVICES),
        ("TargetGroups", "TargetGroups"),
        ("Attributes", ATTRIBUTES),
        ("LoadBalancers", "LoadBalancers"),
        ("Listeners", "Listeners"),
        ("Rules", "Rules"),
        ("DBInstances", "DBInstances"),
    ):
        listed = data.get(key)
        if isinstance(listed, list):
            if kind == ATTRIBUTES:
                return kind, [((key,), listed)]
            found = [((key, index), one) for index, one in enumerate(listed) if isinstance(one, dict)]
            if found:
                return kind, found
            raise AdoptionError(
                f"{name} holds no {key}: {_failure(data) or 'the call found nothing'} (check the names "
                "and the region it was asked with)"
            )
    for key in ("Service", "Namespace"):
        if isinstance(data.get(key), dict):
            return key, [((key,), data[key])]
    if _failure(data):
        raise AdoptionError(
            f"{name} is the answer of a call that failed: {_failure(data)} (run the call again)"
        )
    keys = ", ".join(repr(str(key))[:40] for key in list(data)[:4])
    raise AdoptionError(
        f"{name} is nothing that can be adopted: it begins with {keys} (name a CloudFormation template "
        f"or what one of these prints: {', '.join(CALLS.values())})"
    )


def _failure(data: dict[str, Any]) -> str:
    """Why a call found nothing; empty where it doesn't say."""
    failures = data.get("failures")
    if isinstance(failures, list) and failures and isinstance(failures[0], dict):
        return str(failures[0].get("reason", "failed"))[:80]
    for key in ("__type", "Error", "error", "Code"):
        found = data.get(key)
        if isinstance(found, dict):
            found = found.get("Code")
        if isinstance(found, str):
            return found.rpartition("#")[2][:80]
    return ""


def one_kind(sources: Sequence[Source]) -> Source | None:
    """The template among the sources, None where they are answers of calls.

    Raises AdoptionError for both at once, for two templates, and for no or two task definitions.
    """
    templates = [one for one in sources if one.kind == TEMPLATE]
    tasks = [one for one in sources if one.kind == TASK]
    if len(templates) > 1:
        raise AdoptionError(
            f"{templates[0].name} and {templates[1].name} are two templates (adopt one at a time)"
        )
    others = [one for one in sources if one.kind not in (TEMPLATE, "DBInstances")]
    if templates and others:
        raise AdoptionError(
            f"{templates[0].name} is a template and {others[0].name} describes resources (give one or "
            "the other)"
        )
    if templates:
        return templates[0]
    if not tasks:
        raise AdoptionError(
            "there is no task definition among the files (add what `aws ecs describe-task-definition "
            "--task-definition FAMILY` prints)"
        )
    if len(tasks) > 1:
        raise AdoptionError(
            f"{tasks[0].name} and {tasks[1].name} are two task definitions (adopt one at a time)"
        )
    return None
