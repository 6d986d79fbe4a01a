"""A link that opens the console's page for a new stack, filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from generator.deploying.masking import silent
from generator.deploying.places import DOMAINS, domains
from generator.deploying.target import DeployError, Target
from generator.document import parse
from generator.errors import DocumentError


@dataclass(frozen=True)
class QuickCreate:
    """A link, and what it can't do."""

    url: str
    asked: tuple[str, ...]
    """NoEcho parameters: whoever opens the link has to type them."""


def quick_create(target: Target, template_url: str) -> QuickCreate:
    """The console's quick-create page for an environment (CloudFormation user guide, "Create quick-create
    links to automate stack creation"). It never holds a NoEcho parameter. Raises DeployError for a URL that
    isn't one of S3 over HTTPS: CloudFormation reads templates from nowhere else.
    """
    _check(template_url)
    secret = _silent(target)
    pairs = [("templateURL", template_url), ("stackName", target.stack_name)]
    pairs += [(f"param_{name}", value) for name, value in target.parameters.items() if name not in secret]
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in pairs)
    console, _ = domains(target.region)
    region = quote(target.region, safe="")
    return QuickCreate(
        f"https://{region}.{console}/cloudformation/home?region={region}#/stacks/quickcreate?{query}", secret
    )


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = None, ""
    services_ = "|".join(re.escape(services) for _, _, services in DOMAINS)
    if (
        parts is None
        or parts.scheme != "https"
        or not re.fullmatch(rf"(?:[a-z0-9][a-z0-9.-]*\.)?s3[a-z0-9.-]*\.(?:{services_})", host)
        or len(parts.path) < 2
    ):
        raise DeployError(
            f"{url!r} is no URL of a template in S3: CloudFormation reads https://BUCKET.s3.REGION.amazonaws.com/KEY"
        )
    if parts.query:
        raise DeployError(
            "the template's URL has a query: a signed link would end up with everybody who gets the link "
            "(who opens it needs leave to read the bucket instead)"
        )


def _silent(target: Target) -> tuple[str, ...]:
    """Names of the NoEcho parameters. Raises DeployError for a template that can't be read: then nobody
    knows."""
    try:
        return silent(parse(target.template))
    except DocumentError as error:
        raise DeployError(f"the template of {target.name} can't be read: {error}") from error
