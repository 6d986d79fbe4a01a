"""Where things are on AWS: the domains of a region, and the place of a template that goes through S3."""

from __future__ import annotations

from generator.deploying.target import TEMPLATE, Target

# (beginning of a region's name, domain of its console, domain of its services): AWS' partitions, with the
# domains of their sign-in pages and endpoints (AWS General Reference, "Service endpoints"; botocore's
# partitions.json).
DOMAINS = (
    ("cn-", "console.amazonaws.cn", "amazonaws.com.cn"),
    ("us-gov-", "console.amazonaws-us-gov.com", "amazonaws.com"),
    ("eusc-", "console.amazonaws-eusc.eu", "amazonaws.eu"),
    ("", "console.aws.amazon.com", "amazonaws.com"),
)


def key(target: Target) -> str:
    """Where in a bucket the template is put: under another name when it is another template."""
    return f"cloakform/{target.stack_name}/{target.digests[TEMPLATE]}.yaml"


def template_url(target: Target, bucket: str) -> str:
    """The URL of the template once it is in that bucket, which is in the environment's region."""
    _, services = domains(target.region)
    if "." in bucket:  # the certificate of a virtual host doesn't cover a name with dots
        return f"https://s3.{target.region}.{services}/{bucket}/{key(target)}"
    return f"https://{bucket}.s3.{target.region}.{services}/{key(target)}"


def domains(region: str) -> tuple[str, str]:
    """(domain of the console, domain of the services) of a region."""
    return next((console, services) for start, console, services in DOMAINS if region.startswith(start))
