"""Environments for tests: few that together have every pair of choices params offer, and some that stand alone.

`CASES` maps a name to the params of one environment. They are made here, the same every time: a choice that params
gain is one line in `CHOICES`, and `possible` says what can't stand together.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from generator.keycloak import catalog

PROJECT = Path(__file__).parents[1]
ENVIRONMENTS = ("dev", "prod", "staging")
"""The project's own."""

ACCOUNT, REGION = "111122223333", "eu-central-1"
ECR = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/keycloak"
DIGEST = "sha256:" + "0123456789abcdef" * 4
NEWEST = catalog.versions()[-1]
PROXY_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/haproxy@{DIGEST}"
FILES = {"files/theme.jar": b"PK\x05\x06" + bytes(18), "files/theme/login/theme.properties": b"parent=keycloak\n",
         "files/ca.pem": b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"}
"""What the cases build into images: path below the project folder -> content."""


def arn(service: str, rest: str, region: str = REGION) -> str:
    """An ARN of the cases' account."""
    return f"arn:aws:{service}:{region}:{ACCOUNT}:{rest}"


def _found(**more) -> dict:
    return {"network": {"existing": {
        "vpc": "vpc-0a1b2c3d4e5f67890", "cidrs": ["10.60.0.0/16", "100.64.0.0/16"],
        "public_subnets": ["subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2"],
        "private_subnets": ["subnet-0bbbbbbbbbbbbbbb1", "subnet-0bbbbbbbbbbbbbbb2"],
        "database_subnets": ["subnet-0ccccccccccccccc1", "subnet-0ccccccccccccccc2"], **more}}}


def _admin(**more) -> dict:
    return {"keycloak": {"admin": {"hostname": "https://admin.example.com", "allow_from": ["203.0.113.0/24"], **more}}}


def _image(**keys) -> dict:
    return {"keycloak": {"image": keys}}


def _balancer(**keys) -> dict:
    return {"load_balancer": keys}


def _service(**keys) -> dict:
    return {"service": keys}


def _certificates(mode: str, **more) -> dict:
    """Params that ask for client certificates; more keys with values go beside the mode."""
    return _balancer(client_certificates={"mode": mode, **more})


def _object(key: str) -> dict:
    return {"bucket": "example-ca", "key": key, "version": "3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrHY"}


def _front_proxy(kind: str, **more) -> dict:
    """Params of a proxy in front of the balancer; `verifies` and `header` are the proxy's own."""
    proxy = {key: more.pop(key) for key in ("verifies", "header") if key in more}
    return merged(_certificates("proxy", proxy={"kind": kind, **proxy}, **more),
                  _balancer(allow_from=["198.51.100.7/32"], forwarded_for="trust"))


def _found_database(host: str, **more) -> dict:
    return {"database": {"existing": {
        "host": host, "secret": arn("secretsmanager", "secret:database-AbCdEf"),
        "security_group": "sg-0a1b2c3d4e5f67890", "engine_version": "16", "max_connections": 500, **more}}}


BASE = {
    "account": ACCOUNT, "region": REGION,
    "keycloak": {"hostname": "https://sso.example.com"},
    "service": {"cpu": 1024, "memory": 2048},
    "database": {"pool_size": 5},
}

CHOICES: dict[str, dict[str, dict]] = {
    "network": {
        "found": _found(),
        "found, closed": _found(internet=False, endpoint_security_groups=["sg-0eeeeeeeeeeeeeee1"]),
        "per-zone": {"network": {"create": {"cidr": "10.40.0.0/16", "nat": "per-zone"}}},
        "single": {"network": {"create": {"cidr": "100.64.0.0/20", "nat": "single"}}},
        "none": {"network": {"create": {"cidr": "172.16.0.0/24", "nat": "none"}}},
    },
    "zones": {"2": {}, "3": {"network": {"create": {"zones": 3}}}},
    "flow logs": {"no": {}, "yes": {"network": {"create": {"flow_logs": {"retention_days": 7}}}}},
    "egress": {"none": {}, "some": {"network": {"egress": [
        {"to": "10.20.5.0/24", "port": 636, "description": "LDAPS of the head office"},
        {"to": "192.0.2.0/28", "port": 587, "description": "Mail"}]}}},
    "s3 prefix list": {"no": {}, "yes": {"network": {"s3_prefix_list": "pl-6ea54007"}}},
    "scheme": {"internet-facing": {}, "internal": _balancer(scheme="internal")},
    "admin": {
        "none": {}, "shared": _admin(),
        "shared, own login": _admin(login_from=["198.51.100.16/28", "192.0.2.7/32"], username="first \"admin\" 'x'"),
        "internal": _admin(balancer="internal", allow_from=["10.0.0.0/8", "172.16.0.0/12"],
                           login_from=["203.0.113.0/24"]),
    },
    "admin certificate": {
        "same": {}, "arn": {"keycloak": {"admin": {"certificate": arn("acm", "certificate/0a1b2c3d-2222")}}},
        "create": {"keycloak": {"admin": {"certificate": "create", "hosted_zone": "Z9876543210ABCDEFGHIJ"}}},
    },
    "certificate": {"create": _balancer(certificate="create", hosted_zone="Z0123456789ABCDEFGHIJ"),
                    "arn": _balancer(certificate=arn("acm", "certificate/0a1b2c3d-1111"))},
    "master realm": {"admin networks": {}, "everyone": {"keycloak": {"master_realm": "everyone"}}},
    "records": {"no": {}, "yes": _balancer(dns_records=True, hosted_zone="Z0123456789ABCDEFGHIJ")},
    "clients": {"everyone": {}, "named": _balancer(allow_from=["203.0.113.0/24", "198.51.100.0/24"],
                                                   forwarded_for="trust")},
    "path guard": {"auto": {}, "on": _balancer(path_guard="on"), "off": _balancer(path_guard="off")},
    "waf": {"no": {}, "yes": _balancer(waf={}), "with a rate": _balancer(waf={"requests_per_5_minutes": 2000})},
    "client certificates": {
        "off": {},
        "required": _certificates("required", url="https://sso.example.com:8443", image=PROXY_IMAGE,
                                  trust_store=_object("ca.pem"), advertise_authorities=False),
        "required, own host": _certificates(
            "required", url="https://mtls.example.com:9443", trust_store=_object("ca.pem"),
            image=f"public.ecr.aws/docker/library/haproxy:3.0@{DIGEST}", certificate="create",
            hosted_zone="Z9876543210ABCDEFGHIJ", revocation=[_object("first.crl"), _object("second.crl")]),
        "optional": _certificates("optional", url="https://mtls.example.com:8443", image=PROXY_IMAGE, chain_length=3,
                                  authorities="files/ca.pem"),
        "proxy": {},
    },
    "access logs": {"no": {}, "yes": _balancer(access_logs={"bucket": "example-logs"}),
                    "with a prefix": _balancer(access_logs={"bucket": "example-logs", "prefix": "alb/sso"})},
    "balancer": {"plain": {}, "tuned": _balancer(
        deletion_protection=True, idle_timeout_seconds=120, stickiness_seconds=600, deregistration_delay_seconds=30,
        tls_policy="ELBSecurityPolicy-TLS13-1-3-2021-06",
        health_check={"interval_seconds": 15, "timeout_seconds": 6, "healthy_count": 3, "unhealthy_count": 4})},
    "version": {version: {"keycloak": {"version": version}} for version in (NEWEST, "24.0.5", "26.2.5")},
    "image": {
        "stock": {}, "stock in ECR": _image(repository=ECR, digest=DIGEST),
        "optimized": _image(kind="optimized", repository=ECR),
        "optimized with files": _image(kind="optimized", repository=ECR, digest=DIGEST,
                                       providers=["files/theme.jar"], themes=["files/theme"]),
        "optimized elsewhere": _image(kind="optimized", repository="ghcr.io/example/sso", tag="blue",
                                      base="registry.example.com:5000/keycloak/keycloak"),
    },
    "path": {"/": {}, "/auth": {"keycloak": {"http_relative_path": "/auth"}}},
    "discovery": {"dns": {}, "database": {"keycloak": {"discovery": "database"}}},
    "encryption": {"the version's": {}, "no": {"keycloak": {"cluster_encryption": False}},
                   "yes": {"keycloak": {"cluster_encryption": True}}},
    "log": {"json": {}, "plain": {"keycloak": {"log": {"format": "plain", "level": "info,org.keycloak.events:debug",
                                                       "retention_days": 365}}}},
    "options": {"none": {}, "some": {"keycloak": {
        "features": {"enabled": ["token-exchange", "docker"], "disabled": ["impersonation"]},
        "options": {"KC_HTTP_MAX_QUEUED_REQUESTS": "1000", "KC_SPI_THEME_WELCOME_THEME": "it's \"$mine\""},
        "jvm_options": ["-XX:+UseZGC", "-Duser.timezone=UTC"], "heap_percent": 50}}},
    "secrets": {
        "none": {},
        "secrets manager": {"keycloak": {"secret_options": {
            "KC_HTTPS_KEY_STORE_PASSWORD": arn("secretsmanager", "secret:store-AbCdEf")}}},
        "both": {"keycloak": {"secret_options": {
            "KC_HTTPS_KEY_STORE_PASSWORD": arn("secretsmanager", "secret:store-AbCdEf:password::"),
            "KC_SPI_EMAIL_SENDER_DEFAULT_TOKEN": arn("ssm", "parameter/keycloak/mail")}}},
    },
    "tasks": {"two": {}, "one": {"high_availability": False, **_service(tasks=1)},
              "scaled": _service(tasks=3, autoscaling={"max_tasks": 6})},
    "deployment": {"rolling": {}, "recreate": _service(deployment="recreate")},
    "rollback": {"yes": {}, "no": _service(rollback=False)},
    "exec": {"no": {}, "yes": _service(exec=True)},
    "cluster": {"own": {}, "insights": _service(container_insights="enabled"),
                "more insights": _service(container_insights="enhanced"),
                "found": _service(cluster=arn("ecs", "cluster/shared"))},
    "rebalancing": {"no": {}, "yes": _service(zone_rebalancing=True)},
    "architecture": {"arm64": {}, "x86_64": _service(architecture="x86_64")},
    "database": {
        "small": {"database": {"create": {"engine_version": "16.10", "instance_class": "db.t4g.micro"}}},
        "full": {"database": {"name": "sso", "username": "sso_user", "create": {
            "engine_version": "16.10", "instance_class": "db.m7g.large", "storage_gb": 100, "max_storage_gb": 200,
            "multi_az": True, "backup_days": 14, "backup_window": "02:00-03:00",
            "maintenance_window": "sun:03:30-sun:04:30", "minor_upgrades": False, "major_upgrade": True,
            "performance_insights": True,
            "log_exports": True, "kms_key": arn("kms", "key/0a1b2c3d-0000-1111-2222-333344445555")}}},
        "from a snapshot": {"database": {"create": {
            "engine_version": "16.10", "instance_class": "db.r6g.large", "snapshot": "before-the-fire",
            "deletion_protection": False}}},
        "found in RDS": _found_database("sso.abcdefghijkl.eu-central-1.rds.amazonaws.com"),
        "found elsewhere": _found_database(
            "db.example.com", port=6432, secret_kms_key=arn("kms", "key/0a1b2c3d-0000-1111-2222-333344445556")),
    },
    "alarms": {"none": {}, "elsewhere": {"alarms": {"topic": arn("sns", "on-call")}},
               "by mail": {"alarms": {"emails": ["on-call@example.com", "sso+prod@example.com"]}},
               "nobody": {"alarms": {"latency_p99_milliseconds": 1500, "database_free_storage_gb": 3}}},
    "dashboard": {"no": {}, "yes": {"dashboard": True}},
    "tags": {"none": {}, "some": {"tags": {"Team": "identity", "cost:centre": "0815", "on": "yes", "Note": "a b=c/d"}}},
    "stack": {"plain": {}, "protected": {"stack": {
        "protected": True, "name": "Identity-Platform", "template_bucket": "example-templates",
        "service_role": f"arn:aws:iam::{ACCOUNT}:role/cloudformation", "notifications": [arn("sns", "stacks")]}}},
}


def possible(case: Mapping[str, str]) -> bool:
    """Whether params allow these choices together; a choice that isn't made yet is no obstacle."""
    def some(name: str, *values: str) -> bool:
        return case.get(name) in values

    return not (
        # Zones and flow logs belong to a network that is created.
        some("network", "found", "found, closed") and (some("zones", "3") or some("flow logs", "yes"))
        # Without the internet, images come from ECR.
        or some("network", "found, closed", "none") and some("image", "stock", "optimized elsewhere")
        or some("admin", "none") and some("admin certificate", "arn", "create")
        # A database has one place for pings only from 26.1 on.
        or some("discovery", "database") and some("version", "24.0.5")
        # Up to 26.1 Keycloak makes no certificates of its own for it.
        or some("encryption", "yes") and some("version", "24.0.5")
        or some("deployment", "recreate") and some("rebalancing", "yes")
        # What comes from elsewhere needs the internet; authorities are built into an image.
        or some("client certificates", "required, own host") and some("network", "found, closed", "none")
        or some("client certificates", "optional", "proxy") and some("image", "stock", "stock in ECR")
        # Old versions need the guard where the internet reaches them.
        or some("path guard", "off") and some("version", "24.0.5", "26.2.5") and some("scheme", "internet-facing")
    )


def merged(*layers: Mapping) -> dict:
    """A dict with all keys of the layers, the last one holding; mappings are merged key by key."""
    result: dict = {}
    for layer in layers:
        for key, value in layer.items():
            both = isinstance(value, Mapping) and isinstance(result.get(key, {}), Mapping)
            result[key] = merged(result.get(key, {}), value) if both else value
    return result


def pairwise(choices: Mapping[str, Mapping[str, object]],
             allowed: Callable[[Mapping[str, str]], bool]) -> list[dict[str, str]]:
    """Cases, each with one value of every choice, that together have every pair of values that is allowed.

    Greedy: a case starts with a pair that is missing and takes, choice by choice, the value that brings most of the
    missing ones; choices with many values come first, which saves cases. The same choices give the same cases.
    """
    singles = [(name, value) for name in choices for value in choices[name]]
    missing = {frozenset(pair): pair for pair in itertools.combinations(singles, 2)
               if pair[0][0] != pair[1][0] and allowed(dict(pair))}
    cases = []
    while missing:
        case = dict(next(iter(missing.values())))
        for name in sorted(choices, key=lambda name: -len(choices[name])):
            if name not in case:
                fitting = [value for value in choices[name] if allowed({**case, name: value})]
                case[name] = max(fitting, key=lambda value: sum(
                    frozenset([(name, value), other]) in missing for other in case.items()))
        for pair in itertools.combinations(case.items(), 2):
            missing.pop(frozenset(pair), None)
        cases.append({name: case[name] for name in choices})
    return cases


CHOICES["client certificates"]["proxy"] = _front_proxy("nginx", verifies=False, header="x-client-cert",
                                                       authorities="files/ca.pem")
CHOSEN = {f"choices-{number:02}": case for number, case in enumerate(pairwise(CHOICES, possible), 1)}
"""Choices of each case that covers pairs."""


NAMES = {"Cluster": "sso", "Service": "sso", "LoadBalancer": "sso-balancer", "TargetGroup": "sso-tasks",
         "LogGroup": "/ecs/sso", "DiscoveryNamespace": "services.corp", "DiscoveryService": "sso", "Database": "sso-db",
         "DatabaseSubnetGroup": "sso-db", "DatabaseSecret": "sso/database", "BootstrapAdminSecret": "sso/admin"}
"""A name for everything that a stack may have named which nothing scales."""


def _versions() -> dict[str, dict]:
    made = {}
    for version in catalog.versions():
        for image in ("stock", "optimized"):
            made[f"v{version.replace('.', '-')}-{image}"] = merged(
                BASE, _found(), _balancer(certificate=arn("acm", "certificate/0a1b2c3d-1111")), _admin(),
                {"keycloak": {"version": version}}, CHOICES["image"][image], CHOICES["database"]["found in RDS"])
    return made


def _proxies() -> dict[str, dict]:
    """A proxy of each kind in front of the balancer, with a newest Keycloak behind it."""
    return {f"behind-{kind}": merged(
        BASE, {"keycloak": {"version": NEWEST}}, _found(), _admin(),
        _balancer(certificate=arn("acm", "certificate/0a1b2c3d-1111")), _front_proxy(kind),
        CHOICES["image"]["optimized"], CHOICES["database"]["small"])
        for kind in ("nginx", "apache", "haproxy", "envoy", "traefik", "rfc9440")}


def _elsewhere() -> dict[str, dict]:
    """Partitions whose ARNs, host names and certificate authorities are others."""
    made = {}
    for name, region, partition in (("china", "cn-north-1", "aws-cn"), ("government", "us-gov-west-1", "aws-us-gov")):
        host = f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com" + (".cn" if name == "china" else "")
        made[name] = merged(
            BASE, {"region": region, "keycloak": {"version": NEWEST}}, _found(), _admin(),
            _balancer(certificate=f"arn:{partition}:acm:{region}:{ACCOUNT}:certificate/0a1b2c3d-1111"),
            _image(kind="optimized", repository=f"{host}/keycloak"), CHOICES["database"]["small"])
    return made


def _renamed() -> dict[str, dict]:
    """A stack that exists already, with logical ids of its own."""
    return {"renamed": merged(
        BASE, {"keycloak": {"version": NEWEST}}, _found(), _admin(), CHOICES["image"]["optimized"],
        _balancer(certificate=arn("acm", "certificate/0a1b2c3d-1111")), CHOICES["database"]["small"],
        _service(tasks=3, autoscaling={"max_tasks": 6}),
        {"stack": {"logical_ids": {"Database": "KeycloakDb", "TargetGroup": "KeycloakTargets"},
                   "physical_names": {**NAMES, "ScaleOutPolicy": "keycloak-cpu"}}})}


def _params(case: Mapping[str, str]) -> dict:
    """The params of a case; subnets that it has no use for are not given."""
    params = merged(BASE, *(CHOICES[choice][value] for choice, value in case.items()))
    found = params["network"].get("existing", {})
    for name, unused in (("public_subnets", case["scheme"] == "internal"),
                         ("database_subnets", "existing" in params["database"])):
        if unused:
            found.pop(name, None)
    return params


CASES: dict[str, dict] = {
    **{name: _params(case) for name, case in CHOSEN.items()}, **_versions(), **_proxies(), **_elsewhere(),
    **_renamed()}
"""Params of every case, by the name of its environment."""


def write_project(root: Path, environments: Mapping[str, Mapping]) -> None:
    """Write params files, and the files that images are built from, into the project folder `root`."""
    for path, content in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (root / "params").mkdir(parents=True, exist_ok=True)
    for name, params in environments.items():
        # JSON is YAML too.
        (root / "params" / f"{name}.yaml").write_text(json.dumps(params, indent=1), "utf-8")
