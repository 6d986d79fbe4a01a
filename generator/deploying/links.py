"""A link that opens the console's page for a new stack, filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from generator.deploying.operating import silent
from generator.deploying.target import TEMPLATE, DeployError, Target
from generator.document import parse
from generator.errors import DocumentError

# (beginning of a region's name, domain of its console, domain of its services): AWS' partitions, with the
# domains of their sign-in pages and endpoints (AWS General Reference, "Service endpoints"; botocore's
# partitions.json).
_PARTITIONS = (
    ("cn-", "console.amazonaws.cn", "amazonaws.com.cn"),
    ("us-gov-", "console.amazonaws-us-gov.com", "amazonaws.com"),
    ("eusc-", "console.amazonaws-eusc.eu", "amazonaws.eu"),
    ("", "console.aws.amazon.com", "amazonaws.com"),
)


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
    console, _ = _domains(target.region)
    region = quote(target.region, safe="")
    return QuickCreate(
        f"https://{region}.{console}/cloudformation/home?region={region}#/stacks/quickcreate?{query}", secret
    )


def key(target: Target) -> str:
    """Where in a bucket the template is put: under another name when it is another template."""
    return f"cloakform/{target.stack_name}/{target.digests[TEMPLATE]}.yaml"


def template_url(target: Target, bucket: str) -> str:
    """The URL of the template once it is in that bucket, which is in the environment's region."""
    _, services = _domains(target.region)
    if "." in bucket:  # the certificate of a virtual host doesn't cover a name with dots
        return f"https://s3.{target.region}.{services}/{bucket}/{key(target)}"
    return f"https://{bucket}.s3.{target.region}.{services}/{key(target)}"


def _domains(region: str) -> tuple[str, str]:
    return next((console, services) for start, console, services in _PARTITIONS if region.startswith(start))


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        parts, host = None, ""
    domains = "|".join(re.escape(services) for _, _, services in _PARTITIONS)
    if (
        parts is None
        or parts.scheme != "https"
        or not re.fullmatch(rf"(?:[a-z0-9][a-z0-9.-]*\.)?s3[a-z0-9.-]*\.(?:{domains})", host)
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
