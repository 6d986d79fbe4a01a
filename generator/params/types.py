"""Scalar types of the params model: text from a YAML file becomes a value only in one obvious way.

Every scalar arrives as the text that stands in the file, so `on`, `1:30`, `012` or `1e3` can't have changed type on
the way; each type says here which text it takes and, in its error, what to write instead.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError


def wrong(message: str, fix: str) -> PydanticCustomError:
    """A validation error whose text is `message`, with the instruction `fix` apart."""
    return PydanticCustomError("cloakform", "{message}", {"message": message, "fix": fix})


MEANT = {**dict.fromkeys(("yes", "on", "y", "1"), "true"), **dict.fromkeys(("no", "off", "n", "0"), "false")}
"""What people write for a boolean, in lower case -> what they mean."""


def _bool(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    shown = value if isinstance(value, str) else type(value).__name__
    meant = MEANT.get(str(shown).lower(), str(shown).lower())
    fix = f"write {meant}" if meant in ("true", "false") else "write true or false"
    raise wrong(f"{shown!r} is not a boolean", fix)


def _int(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        if re.fullmatch(r"0|-?[1-9][0-9]{0,17}", value):
            return int(value)
        digits = value.lstrip("0")
        if re.fullmatch(r"0[0-9]+", value) and digits:
            raise wrong(f"{value!r} has leading zeros", f"write {digits}")
    raise wrong(f"{value!r} is not a whole number" if isinstance(value, str) else "expected a whole number",
                "write digits only, such as 3")


def _text(value: Any) -> Any:
    if not isinstance(value, str):
        kind = {"dict": "a mapping", "list": "a list"}.get(type(value).__name__, type(value).__name__)
        raise wrong(f"expected text, found {kind}", "write one value")
    return str(value)


def text_like(pattern: str, what: str, example: str):
    """A text type whose values match `pattern` whole; errors say it is not `what` and show `example`."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise wrong(f"{value!r} is not {what}", f"write it like {example}")
        return value

    return Annotated[str, BeforeValidator(_text), AfterValidator(check),
                     WithJsonSchema({"type": "string", "pattern": f"^(?:{pattern})$", "examples": [example]})]


def _cidr(value: str) -> str:
    if "/" not in value:
        raise wrong(f"{value!r} is not a network", f"write it with its prefix length, such as {value}/32")
    try:
        network = ipaddress.IPv4Network(value, strict=True)
    except ValueError:
        try:
            network = ipaddress.IPv4Network(value, strict=False)
        except ValueError:
            raise wrong(f"{value!r} is not an IPv4 network", "write it like 203.0.113.0/24") from None
        raise wrong(f"{value!r} has host bits set", f"write {network}") from None
    return str(network)


def _vpc_cidr(value: str) -> str:
    network = ipaddress.IPv4Network(value)
    if not 16 <= network.prefixlen <= 24:
        raise wrong(f"{value!r} has a prefix length outside /16 to /24",
                    "write a network between /16 and /24, such as 10.40.0.0/16")
    return value


def _https_url(value: str) -> str:
    if re.fullmatch(r"https://[^/]+/.*", value):
        raise wrong(f"{value!r} has a path", "write scheme and host only; the path is keycloak.http_relative_path")
    if re.fullmatch(r"https://[^/:]+:\d+", value):
        raise wrong(f"{value!r} has a port", "write it without a port: the balancer listens on 443")
    if not value.startswith("https://"):
        bare = re.sub(r"^\w+://", "", value).split("/")[0]
        raise wrong(f"{value!r} is not an https:// address", f"write https://{bare}")
    host = value[len("https://"):]
    if host != host.lower():
        raise wrong(f"{value!r} has upper-case letters", f"write https://{host.lower()}")
    if not re.fullmatch(r"(?=.{4,128}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?", host):
        raise wrong(f"{host!r} is not a full host name", "write it like https://sso.example.com")
    return value


def _https_url_with_port(value: str) -> str:
    match = re.fullmatch(r"(https://[^/:]+):([0-9]{1,5})", value)
    if match is None:
        host = _https_url(re.sub(r":[0-9]*$", "", value))
        raise wrong(f"{value!r} has no port", f"write it with one, such as {host}:8443")
    _https_url(match[1])
    if match[2].startswith("0") or not 1 <= int(match[2]) <= 65535:
        raise wrong(f"{match[2]} is no port", f"write one from 1 to 65535, such as {match[1]}:8443")
    return value


def _path(value: str) -> str:
    if value == "/":
        return value
    if not re.fullmatch(r"(/[A-Za-z0-9_.~-]+)+", value) or "/." in value:
        fixed = "/" + value.strip("/")
        raise wrong(f"{value!r} is not a path", f"write it with a leading and no trailing slash, such as {fixed}")
    if len(value) > 64:
        raise wrong(f"{value!r} is longer than 64 characters", "write a shorter path")
    return value


RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
                  3653)
"""What CloudWatch Logs takes (API PutRetentionPolicy)."""


def _retention(value: int) -> int:
    if value not in RETENTION_DAYS:
        longer = next((days for days in RETENTION_DAYS if days > value), RETENTION_DAYS[-1])
        raise wrong(f"CloudWatch Logs keeps no {value} days", f"write {longer}, or one of "
                    + ", ".join(map(str, RETENTION_DAYS)))
    return value


Bool = Annotated[bool, BeforeValidator(_bool)]
Int = Annotated[int, BeforeValidator(_int)]
Text = Annotated[str, BeforeValidator(_text)]
RetentionDays = Annotated[Int, AfterValidator(_retention), WithJsonSchema(
    {"type": "integer", "enum": list(RETENTION_DAYS)})]
Cidr = Annotated[str, BeforeValidator(_text), AfterValidator(_cidr), WithJsonSchema(
    {"type": "string", "pattern": r"^[0-9.]+/[0-9]+$", "examples": ["203.0.113.0/24"]})]
VpcCidr = Annotated[Cidr, AfterValidator(_vpc_cidr), WithJsonSchema(
    {"type": "string", "pattern": r"^[0-9.]+/[0-9]+$", "examples": ["10.40.0.0/16"]})]
HttpsUrl = Annotated[str, BeforeValidator(_text), AfterValidator(_https_url), WithJsonSchema(
    {"type": "string", "pattern": "^https://[a-z0-9.-]+$", "examples": ["https://sso.example.com"]})]
HttpsUrlWithPort = Annotated[str, BeforeValidator(_text), AfterValidator(_https_url_with_port), WithJsonSchema(
    {"type": "string", "pattern": "^https://[a-z0-9.-]+:[0-9]+$", "examples": ["https://sso.example.com:8443"]})]
UrlPath = Annotated[str, BeforeValidator(_text), AfterValidator(_path), WithJsonSchema(
    {"type": "string", "pattern": "^/", "examples": ["/auth"]})]

AccountId = Annotated[text_like(r"[0-9]{12}", "an account id of twelve digits", '"123456789012"'),
                      WithJsonSchema({"type": ["string", "integer"], "pattern": "^[0-9]{12}$",
                                      "minimum": 10**11, "maximum": 10**12 - 1,
                                      "examples": ['"123456789012"']})]
Region = text_like(r"(af|ap|ca|cn|eu|il|me|mx|sa|us)(-gov)?-[a-z]+-[0-9]", "an AWS region", "eu-central-1")
KeycloakVersion = Annotated[
    text_like(r"[1-9][0-9]*\.[0-9]+\.[0-9]+", "a Keycloak version of three numbers", "26.7.4"),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9]+$", "examples": ["26.7.4"]})]
StackName = text_like(r"[A-Za-z][A-Za-z0-9-]{0,127}", "a CloudFormation stack name", "keycloak-prod")
VpcId = text_like(r"vpc-[0-9a-f]{8,17}", "a VPC id", "vpc-0a1b2c3d4e5f67890")
SubnetId = text_like(r"subnet-[0-9a-f]{8,17}", "a subnet id", "subnet-0a1b2c3d4e5f67890")
SecurityGroupId = text_like(r"sg-[0-9a-f]{8,17}", "a security group id", "sg-0a1b2c3d4e5f67890")
PrefixListId = text_like(r"pl-[0-9a-f]{8,17}", "a prefix list id", "pl-6ea54007")
HostedZoneId = text_like(r"Z[A-Z0-9]{1,31}", "a Route 53 hosted zone id", "Z0123456789ABCDEFGHIJ")
CertificateChoice = text_like(
    r"create|arn:aws[a-z-]*:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+",
    "`create` or an ACM certificate ARN", "create")
TopicChoice = text_like(
    r"create|arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}", "`create` or an SNS topic ARN", "create")
TopicArn = text_like(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}", "an SNS topic ARN",
                     "arn:aws:sns:eu-central-1:123456789012:on-call")
RoleArn = text_like(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,512}", "an IAM role ARN",
                    "arn:aws:iam::123456789012:role/cloudformation")
KeyArn = text_like(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+", "a KMS key ARN",
                   "arn:aws:kms:eu-central-1:123456789012:key/0a1b2c3d-0000-1111-2222-333344445555")
SecretArn = text_like(r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]{1,512}",
                      "a Secrets Manager secret ARN",
                      "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keycloak-db-AbCdEf")
SecretReference = text_like(
    r"arn:aws[a-z-]*:(secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@!-]{1,512}(:[A-Za-z0-9_.-]+::)?"
    r"|ssm:[a-z0-9-]+:[0-9]{12}:parameter/[A-Za-z0-9/_.-]{1,1011})",
    "the ARN of a Secrets Manager secret or an SSM parameter",
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:smtp-AbCdEf:password::")
ClusterArn = text_like(r"arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9_-]{1,255}",
                       "an ECS cluster ARN", "arn:aws:ecs:eu-central-1:123456789012:cluster/shared")
EcsName = text_like(r"[A-Za-z0-9_-]{1,255}", "a name that ECS takes", "keycloak")
BalancerName = text_like(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?", "a balancer's name", "keycloak")
LogGroupName = text_like(r"[A-Za-z0-9_/.#-]{1,512}", "a log group's name", "/ecs/keycloak")
_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
DnsLabel = text_like(_LABEL, "one part of a domain", "keycloak")
NamespaceName = text_like(rf"{_LABEL}(?:\.{_LABEL}){{0,9}}", "a domain", "services.internal")
DbInstanceName = text_like(r"(?=.{1,63}$)[a-z](?:-?[a-z0-9])*", "a database's name", "keycloak-db")
SubnetGroupName = text_like(r"[a-z0-9][a-z0-9._-]{0,254}", "a group's name", "keycloak-db")
SecretName = text_like(r"[A-Za-z0-9/_+=.@-]{1,512}", "a secret's name", "keycloak/database")
PolicyName = text_like(r"[A-Za-z0-9_:/.#+=@-]{1,256}", "a scaling policy's name", "cpu-out")
SnapshotId = text_like(r"[A-Za-z0-9:-]{1,400}", "a DB snapshot identifier", "keycloak-prod-2026-01-31")
BucketName = text_like(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "an S3 bucket name", "example-logs")
Email = text_like(r"[^@\s\"<>]{1,64}@[A-Za-z0-9.-]+\.[A-Za-z]{2,}", "an e-mail address", "on-call@example.com")
OptionName = text_like(r"KC_[A-Z0-9_]{1,120}", "a Keycloak option as an environment variable", "KC_LOG_LEVEL")
DbIdentifier = text_like(r"[a-z][a-z0-9_]{0,62}", "a PostgreSQL name", "keycloak")
PostgresVersion = text_like(r"1[3-9](\.[0-9]{1,2})?", "a PostgreSQL version", "17.10")
InstanceClass = text_like(r"db\.[a-z0-9-]+\.[a-z0-9]+", "an RDS instance class", "db.m7g.large")
TlsPolicy = text_like(r"ELBSecurityPolicy-[A-Za-z0-9-]+", "an ALB security policy",
                      "ELBSecurityPolicy-TLS13-1-2-Res-2021-06")
Window = text_like(r"([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]", "a daily window in UTC",
                   '"02:00-03:00"')
WeekWindow = text_like(
    r"(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-"
    r"(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]",
    "a weekly window in UTC", '"sun:03:30-sun:04:30"')
ImageDigest = text_like(r"sha256:[0-9a-f]{64}", "an image digest", "sha256:" + "0" * 64)
ImageTag = text_like(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "an image tag", "26.7.4-1")
ImageRepository = text_like(r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+", "an image repository",
                            "123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak")
PinnedImage = text_like(
    r"[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64}",
    "an image with its digest", "public.ecr.aws/docker/library/haproxy:3.0@sha256:" + "0" * 64)
ObjectKey = text_like(r"[A-Za-z0-9!_.*'()/-]{1,1024}", "the key of an S3 object", "client-certificates/ca.pem")
ObjectVersion = text_like(r"(?!null$)[A-Za-z0-9._-]{1,1024}", "the version of an S3 object",
                          "3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrHY")
HeaderName = text_like(r"[A-Za-z][A-Za-z0-9-]{0,63}", "the name of a header, without underscores",
                       "ssl-client-cert")
ProjectPath = text_like(r"(?!/)(?!.*\.\.)[A-Za-z0-9_./-]{1,200}", "a path inside the project folder",
                        "providers/theme.jar")
JvmOption = text_like(r"-[A-Za-z][^\s\"'`\\;&|<>]*", "one JVM option", "-XX:+UseZGC")
