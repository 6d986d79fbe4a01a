"""What is to be deployed: the files of an environment as they are committed, as AWS' calls need them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from generator.errors import CloakformError
from generator.resolving import scalar_text
from generator.reviewing import Artefact

TEMPLATE = "template.yaml"
LIMIT = 51_200
"""Bytes that a template may have in a call; a larger one goes through S3 (CloudFormation quotas)."""


class DeployError(CloakformError):
    """An artefact that can't be deployed, or a plan that can't be read."""


@dataclass(frozen=True)
class Target:
    """One environment's artefact."""

    name: str
    """The environment."""
    account: str
    region: str
    stack_name: str
    template: str = field(repr=False)
    tags: Mapping[str, str]
    parameters: Mapping[str, str] = field(repr=False)
    capabilities: tuple[str, ...]
    protected: bool
    """Whether the stack gets termination protection."""
    stack_policy: Mapping[str, Any] | None
    role: str | None
    bucket: str | None
    """Where a template goes that is too large for a call."""
    notifications: tuple[str, ...]
    digests: Mapping[str, str] = field(repr=False)
    """SHA-256 by file name, of what a deployment uses: the template, stack.json, tags, parameters."""

    @property
    def large(self) -> bool:
        """Whether the template has to go through S3."""
        return len(self.template.encode()) > LIMIT


def of(artefact: Artefact) -> Target:
    """What an artefact says. Raises DeployError with everything that is missing or of another form."""
    stack, problems = artefact.stack, []
    if not stack:
        raise DeployError(f"{artefact.where} has no stack.json (render the environment)")

    def text(key: str, needed: bool = True) -> str:
        found = stack.get(key)
        if found is None and not needed:
            return ""
        told = scalar_text(found) if not isinstance(found, bool) else None
        if not told:
            problems.append(f"{key} has to be a text")
        return told or ""

    def texts(key: str) -> tuple[str, ...]:
        found = stack.get(key)
        if found is not None and not (isinstance(found, list) and all(isinstance(one, str) for one in found)):
            problems.append(f"{key} has to be a list of texts")
            return ()
        return tuple(found or ())

    policy = stack.get("stack_policy")
    if policy is not None and not isinstance(policy, dict):
        problems.append("stack_policy has to be a policy or null")
    template = artefact.text(TEMPLATE)
    if template is None:
        raise DeployError(f"{artefact.where} has no {TEMPLATE} (render the environment)")
    made = Target(
        artefact.name,
        text("account"),
        text("region"),
        text("stack_name"),
        template,
        artefact.tags,
        artefact.parameters,
        texts("capabilities"),
        stack.get("termination_protection") is True,
        policy,
        text("service_role", needed=False) or None,
        text("template_bucket", needed=False) or None,
        texts("notifications"),
        {
            name: hashlib.sha256(artefact.files[name]).hexdigest()
            for name in (TEMPLATE, "stack.json", "tags.json", "parameters.json")
            if name in artefact.files
        },
    )
    if problems:
        raise DeployError(f"{artefact.where}/stack.json: {'; '.join(problems)} (render the environment)")
    return made
