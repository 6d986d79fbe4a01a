"""Rules over several keys: each thing that goes wrong is told once, where it was written, and what is right is not."""

from __future__ import annotations

import inspect

import pytest
import yaml
from pydantic import BaseModel

from generator.keycloak import catalog, environment, facts, sizing
from generator.params import describe, rules
from generator.params.describe import field_at
from generator.params.model import Settings
from generator.params.rules import options
from generator.params.rules.options import options_exist
from generator.params.rules.service import fargate_has_the_size
from tests.trials import (ACCOUNT, AUTHORITIES, ECR, FOUND_DATABASE, FOUND_NETWORK, GONE, PROVIDER, THEME, changed,
                          try_out, try_text)

NEWEST = catalog.load(catalog.versions()[-1])
NAT_NONE = {"network.create.nat": "none"}
FOUND = {"network": FOUND_NETWORK}
INTERNAL = {"load_balancer.scheme": "internal"}
ADMIN_INTERNAL = {"keycloak.admin.balancer": "internal", "keycloak.admin.login_from": ["203.0.113.0/24"]}
ZONE = {"load_balancer.hosted_zone": "Z0123456789ABCDEFGHIJ"}
STOCK_PINGING_DATABASE = {
    "keycloak.image": {"kind": "stock", "repository": "quay.io/keycloak/keycloak"}, "keycloak.discovery": "database"}
STOCK = {"keycloak.image": {"kind": "stock", "repository": "quay.io/keycloak/keycloak"}}
HEARD = {"alarms": {"topic": f"arn:aws:sns:eu-central-1:{ACCOUNT}:on-call"}}
MANY = [f"203.0.113.{number}/32" for number in range(60)]
ONE = ["subnet-0aaaaaaaaaaaaaaa1"]
TWICE = ["subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa1"]
OTHER_CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-1111"
STRANGE_CERTIFICATE = "arn:aws:acm:eu-central-1:210987654321:certificate/0a1b2c3d-1111"
KMS = "arn:aws:kms:{}:{}:key/0a1b2c3d-0000-1111-2222-333344445555"
ROUTE = "KC_SPI_STICKY_SESSION_ENCODER{0}INFINISPAN{0}SHOULD_ATTACH_ROUTE"


def option(name: str, value: str, version: str = "26.7.4") -> dict:
    """Changes that set one Keycloak option, on a PostgreSQL that every version takes."""
    return {"keycloak.options": {name: value}, "keycloak.version": version,
            "database.create.engine_version": "16.10"}


HAPROXY = "public.ecr.aws/docker/library/haproxy:3.0@sha256:" + "0123456789abcdef" * 4
OBJECT = {"bucket": "example-ca", "key": "clients/ca.pem", "version": "3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrHY"}
CHOSEN = "load_balancer.client_certificates"


def asked(mode: str = "required", **changes) -> dict:
    """Changes that ask for client certificates at the balancer; GONE takes a key away."""
    listener = {"mode": mode, "url": "https://sso.example.com:8443", "image": HAPROXY,
                **({"trust_store": OBJECT} if mode == "required" else {"authorities": AUTHORITIES}), **changes}
    return {CHOSEN: {key: value for key, value in listener.items() if value is not GONE}}


def proxied(kind: str = "nginx", **changes) -> dict:
    """Changes that put a proxy in front of the balancer which asks for client certificates."""
    return {CHOSEN: {"mode": "proxy", "proxy": {"kind": kind, **changes}},
            "load_balancer.allow_from": ["198.51.100.7/32"], "load_balancer.forwarded_for": "trust"}


def target(network: str, port: int, description: str = "LDAP") -> dict:
    """One item of network.egress."""
    return {"to": network, "port": port, "description": description}


def at(version: str, **changes) -> dict:
    """Changes that choose a Keycloak version, on a PostgreSQL that every version takes."""
    return {"keycloak.version": version, "database.create.engine_version": "16.10", **changes}


# what: (changes, near changes that are fine, key, message, fix)
NAME = "stack.physical_names"
ERRORS = {
    # --- names of a stack that is there
    "a name for a cluster that isn't the stack's": (
        {"service.cluster": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:cluster/shared", NAME: {"Cluster": "sso"}},
        {NAME: {"Cluster": "sso"}}, f"{NAME}.Cluster", "no Cluster is rendered", "take it out"),
    "a name for a database that isn't the stack's": (
        {"database": FOUND_DATABASE, NAME: {"Database": "sso-db"}}, {NAME: {"Database": "sso-db"}}, f"{NAME}.Database",
        "the database isn't this stack's", "take it out"),
    "a name for a namespace that nobody asks": (
        {"keycloak.discovery": "database", NAME: {"DiscoveryNamespace": "sso.internal"}},
        {NAME: {"DiscoveryNamespace": "sso.internal"}}, f"{NAME}.DiscoveryNamespace",
        "nodes find each other by the database", "take it out"),
    "a name for a policy where nothing scales": (
        {NAME: {"ScaleOutPolicy": "cpu"}}, {NAME: {"ScaleOutPolicy": "cpu"}, "service.autoscaling": {"max_tasks": 4}},
        f"{NAME}.ScaleOutPolicy", "nothing scales the service", "take it out"),
    # --- client certificates
    "a listener for certificates that nobody knows": (
        asked(url=GONE), asked(), f"{CHOSEN}.url", "nobody would know", "such as https://sso.example.com:8443"),
    "certificates asked for where everybody logs in": (
        asked(url="https://sso.example.com:443"), asked(url="https://sso.example.com:444"), f"{CHOSEN}.url",
        "port 443 is where the balancer ordinary logins come in", "https://sso.example.com:8443"),
    "certificates asked for at the admin console's host": (
        asked(url="https://admin.example.com:8443"), asked(url="https://mtls.example.com:8443"), f"{CHOSEN}.url",
        "is the admin console's host", "https://sso.example.com:8443"),
    "nothing that translates the balancer's header": (
        asked(image=GONE), asked(), f"{CHOSEN}.image", "nothing would translate", "with its digest"),
    "no trust store": (
        asked(trust_store=GONE), asked(), f"{CHOSEN}.trust_store", "would not know whom to let in", "bucket, key"),
    "authorities that nobody reads": (
        asked(authorities=AUTHORITIES), asked(), f"{CHOSEN}.authorities", "nobody would read them", "take it out"),
    "a certificate for a host that has one": (
        {**asked(certificate="create"), **ZONE}, {**asked(certificate="create", url="https://mtls.example.com:8443"),
                                                  **ZONE},
        f"{CHOSEN}.certificate", "whose certificate covers it", "take it out"),
    "a certificate without a zone to validate it in": (
        asked(certificate="create", url="https://mtls.example.com:8443"),
        asked(certificate="create", url="https://mtls.example.com:8443", hosted_zone="Z0123456789ABCDEFGHIJ"),
        f"{CHOSEN}.hosted_zone", "validated by a record", "ARN of a certificate"),
    "the listener's certificate in another region": (
        asked(certificate=OTHER_CERTIFICATE, url="https://mtls.example.com:8443"), asked(), f"{CHOSEN}.certificate",
        "is in us-east-1", "use one in eu-central-1"),
    "an option that says otherwise": (
        {**asked(), "keycloak.options": {"KC_HTTP_HOST": "0.0.0.0"}}, {"keycloak.options": {"KC_HTTP_HOST": "0.0.0.0"}},
        "keycloak.options.KC_HTTP_HOST", "is set by the generator", CHOSEN),
    "a provider chosen by hand": (
        {**asked(), "keycloak.options": {"KC_SPI_X509CERT_LOOKUP__PROVIDER": "nginx"}},
        {"keycloak.options": {"KC_SPI_X509CERT_LOOKUP__PROVIDER": "nginx"}},
        "keycloak.options.KC_SPI_X509CERT_LOOKUP__PROVIDER", "is set by the generator", CHOSEN),
    "a proxy's image from the internet that isn't there": (
        {**asked(), **NAT_NONE}, {**asked(image=f"{ECR}/haproxy@sha256:" + "0" * 64), **NAT_NONE}, f"{CHOSEN}.image",
        "nothing is pulled from public.ecr.aws", "push the image to ECR"),
    "no memory left beside the proxy": (
        {**asked(), "service.cpu": 256, "service.memory": 1024, "keycloak.heap_percent": 70},
        {"service.cpu": 256, "service.memory": 1024, "keycloak.heap_percent": 70}, "service.memory",
        "128 MiB are the proxy's", "give more memory"),
    "a proxy in front that isn't described": (
        {**proxied(), CHOSEN: {"mode": "proxy"}}, proxied(), f"{CHOSEN}.proxy", "which header it reads",
        "{kind: nginx}"),
    "a proxy in front that the version can't read": (
        {**proxied("traefik"), **at("26.5.5")}, {**proxied("traefik"), **at("26.6.4")}, f"{CHOSEN}.proxy.kind",
        "can't read what traefik sends (it came with 26.6)", "write one of apache, haproxy, nginx, rfc9440"),
    "a header that the proxy in front has no choice about": (
        proxied("envoy", header="client-cert"), proxied("envoy"), f"{CHOSEN}.proxy.header",
        "reads x-forwarded-client-cert", "take it out"),
    "a way around the proxy in front": (
        {**proxied(), "load_balancer.allow_from": ["0.0.0.0/0"]}, proxied(),
        "load_balancer.allow_from", "is logged in as them", "list the proxy's addresses"),
    "a proxy in front whose requests are refused": (
        {**proxied(), "load_balancer.forwarded_for": "refuse"}, proxied(), "load_balancer.forwarded_for",
        "answered with 400", "write trust"),
    "a trust store beside a proxy in front": (
        {**proxied(), CHOSEN: {"mode": "proxy", "proxy": {"kind": "nginx"}, "trust_store": OBJECT}}, proxied(),
        f"{CHOSEN}.trust_store", "the proxy asks for certificates", "take it out"),
    "nobody who checks certificates": (
        proxied("haproxy", verifies=False), proxied("haproxy", verifies=True), f"{CHOSEN}.proxy.verifies",
        "anybody makes a certificate", "write true"),
    # --- where it runs
    "no network at all": (
        {"network": {}}, FOUND, "network", "neither `create` nor `existing` is given", "write one of them"),
    "a network found and created": (
        {"network": {"create": {"cidr": "10.40.0.0/16"}, **FOUND_NETWORK}, "network.existing.public_subnets": ONE}, FOUND,
        "network", "both `create` and `existing` are given", "`existing: null` takes an inherited one away"),
    "no subnet for the tasks": (
        {**FOUND, "network.existing.private_subnets": [], "high_availability": False},
        {**FOUND, "network.existing.private_subnets": ONE, "high_availability": False},
        "network.existing.private_subnets", "the tasks need 1 subnet, none given", "list one subnet per zone"),
    "one subnet for an internal balancer": (
        {**FOUND, **INTERNAL, "network.existing.private_subnets": ONE, "high_availability": False},
        {**FOUND, **INTERNAL, "high_availability": False},
        "network.existing.private_subnets", "the tasks and an internal balancer need 2 subnets, 1 given",
        "list one subnet per zone"),
    "one subnet for an internal balancer of the console": (
        {**FOUND, **ADMIN_INTERNAL, "network.existing.private_subnets": ONE, "high_availability": False},
        {**FOUND, **ADMIN_INTERNAL},
        "network.existing.private_subnets", "the tasks and an internal balancer need 2 subnets, 1 given",
        "list one subnet per zone"),
    "one public subnet": (
        {**FOUND, "network.existing.public_subnets": ONE},
        {**FOUND, **INTERNAL, "network.existing.public_subnets": ONE},
        "network.existing.public_subnets", "an internet-facing balancer needs 2 subnets, 1 given",
        "list one subnet per zone"),
    "no subnet for a created database": (
        {**FOUND, "network.existing.database_subnets": GONE},
        {**FOUND, "database": FOUND_DATABASE, "network.existing.database_subnets": GONE},
        "network.existing.database_subnets", "a created database needs 2 subnets, none given",
        "list one subnet per zone"),
    "a subnet twice": (
        {**FOUND, "network.existing.public_subnets": TWICE}, FOUND,
        "network.existing.public_subnets.1", "subnet-0aaaaaaaaaaaaaaa1 is listed already", "take it out"),
    "a client network twice": (
        {"load_balancer.allow_from": ["203.0.113.0/24", "198.51.100.0/24", "203.0.113.0/24"]},
        {"load_balancer.allow_from": ["203.0.113.0/24", "198.51.100.0/24", "203.0.113.0/25"]},
        "load_balancer.allow_from.2", "203.0.113.0/24 is listed already", "take it out"),
    "a network of administrators twice": (
        {"keycloak.admin.allow_from": ["203.0.113.0/24"] * 2}, {"keycloak.admin.login_from": ["203.0.113.0/24"]},
        "keycloak.admin.allow_from.1", "203.0.113.0/24 is listed already", "take it out"),
    "a network of logins twice": (
        {"keycloak.admin.login_from": ["203.0.113.0/24"] * 2}, {"keycloak.admin.login_from": ["203.0.113.0/24"]},
        "keycloak.admin.login_from.1", "203.0.113.0/24 is listed already", "take it out"),
    "a target twice": (
        {"network.egress": [target("10.20.5.0/24", 636), target("10.20.5.0/24", 636, "Again")]},
        {"network.egress": [target("10.20.5.0/24", 636), target("10.20.5.0/24", 389)]},
        "network.egress.1", "10.20.5.0/24 on port 636 is listed already", "take it out"),
    "a target that is open already": (
        {"network.egress": [target("0.0.0.0/0", 443)]},
        {"network.egress": [target("0.0.0.0/0", 8443), target("10.20.5.0/24", 443)]},
        "network.egress.0", "may reach every 443 already", "take it out"),
    "a target that is open already without the internet": (
        {**NAT_NONE, "network.egress": [target("0.0.0.0/0", 443)]},
        {**NAT_NONE, "network.s3_prefix_list": "pl-6ea54007", "network.egress": [target("0.0.0.0/0", 443)]},
        "network.egress.0", "may reach every 443 already", "take it out"),
    "a target that is open already beside S3": (
        {"network.s3_prefix_list": "pl-6ea54007", "network.egress": [target("0.0.0.0/0", 443)]},
        {"network.s3_prefix_list": "pl-6ea54007", "network.egress": [target("10.20.5.0/24", 443)]},
        "network.egress.0", "may reach every 443 already", "take it out"),
    "a group of endpoints twice": (
        {**FOUND, "network.existing.endpoint_security_groups": ["sg-0eeeeeeeeeeeeeee1"] * 2},
        {**FOUND, "network.existing.endpoint_security_groups": ["sg-0eeeeeeeeeeeeeee1", "sg-0eeeeeeeeeeeeeee2"]},
        "network.existing.endpoint_security_groups.1", "sg-0eeeeeeeeeeeeeee1 is listed already", "take it out"),
    "a feature twice": (
        {"keycloak.features.enabled": ["docker", "docker"]}, {"keycloak.features.enabled": ["docker", "scripts"]},
        "keycloak.features.enabled.1", "docker is listed already", "take it out"),
    "a reader twice": (
        {"alarms": {"emails": ["on-call@example.com"] * 2}},
        {"alarms": {"emails": ["on-call@example.com", "on-call@example.org"]}},
        "alarms.emails.1", "on-call@example.com is listed already", "take it out"),
    "one task as a cluster": (
        {"service.tasks": 1}, {"service.tasks": 1, "high_availability": False},
        "service.tasks", "1 task is no cluster: high availability needs 2", "write 2 or more"),
    "tasks in one zone": (
        {**FOUND, "network.existing.private_subnets": ONE},
        {**FOUND, "network.existing.private_subnets": ONE, "high_availability": False},
        "network.existing.private_subnets", "high availability needs tasks in 2 zones", "a second zone"),
    "a certificate of another region": (
        {"load_balancer.certificate": OTHER_CERTIFICATE}, {"load_balancer.certificate": "create", **ZONE},
        "load_balancer.certificate", "is in us-east-1, the environment in eu-central-1", "use one in eu-central-1"),
    "a certificate of another account": (
        {"keycloak.admin.certificate": STRANGE_CERTIFICATE},
        {"keycloak.admin.certificate": STRANGE_CERTIFICATE.replace("210987654321", ACCOUNT)},
        "keycloak.admin.certificate", f"belongs to account 210987654321, the environment to {ACCOUNT}",
        "use one of the environment's account"),
    "a cluster of another region": (
        {"service.cluster": f"arn:aws:ecs:eu-west-1:{ACCOUNT}:cluster/shared"},
        {"service.cluster": f"arn:aws:ecs:eu-central-1:{ACCOUNT}:cluster/shared"},
        "service.cluster", "is in eu-west-1, the environment in eu-central-1", "use one in eu-central-1"),
    "a topic of another region": (
        {"alarms": {"topic": f"arn:aws:sns:us-east-1:{ACCOUNT}:on-call"}},
        {"alarms": {"topic": "arn:aws:sns:eu-central-1:210987654321:on-call"}},
        "alarms.topic", "is in us-east-1, the environment in eu-central-1", "use one in eu-central-1"),
    "a storage key of another region": (
        {"database.create.kms_key": KMS.format("us-east-1", ACCOUNT)},
        {"database.create.kms_key": KMS.format("eu-central-1", "210987654321")},
        "database.create.kms_key", "is in us-east-1, the environment in eu-central-1", "use one in eu-central-1"),
    "a service role of another account": (
        {"stack.service_role": "arn:aws:iam::210987654321:role/cloudformation"},
        {"stack.service_role": f"arn:aws:iam::{ACCOUNT}:role/cloudformation"},
        "stack.service_role", f"belongs to account 210987654321, the environment to {ACCOUNT}",
        "use one of the environment's account"),
    # --- the balancer
    "the console on the public host": (
        {"keycloak.admin.hostname": "https://sso.example.com"},
        {"keycloak.admin.hostname": "https://sso-admin.example.com"},
        "keycloak.admin.hostname", "is the public host: the console would be open to everybody",
        "such as https://admin-sso.example.com"),
    "a created certificate without a zone": (
        {"load_balancer.certificate": "create"}, {"load_balancer.certificate": "create", **ZONE},
        "load_balancer.certificate", "a certificate is validated by a record in a hosted zone",
        "add load_balancer.hosted_zone"),
    "records without a zone": (
        {"load_balancer.dns_records": True}, {"load_balancer.dns_records": True, **ZONE},
        "load_balancer.dns_records", "records need a hosted zone", "add load_balancer.hosted_zone"),
    "a created certificate of the console without a zone": (
        {"keycloak.admin.certificate": "create"},
        {"keycloak.admin.certificate": "create", "keycloak.admin.hosted_zone": "Z9876543210ABCDEFGHIJ"},
        "keycloak.admin.certificate", "a certificate is validated by a record in a hosted zone",
        "add keycloak.admin.hosted_zone"),
    "networks for a console that has no host": (
        {"keycloak.admin": {"allow_from": ["203.0.113.0/24"]}}, {"keycloak.admin": {}},
        "keycloak.admin.allow_from", "there is no admin host that it would open", "add keycloak.admin.hostname"),
    "logins for a console that has no host": (
        {"keycloak.admin": {"login_from": ["203.0.113.0/24"]}}, {"keycloak.admin": GONE},
        "keycloak.admin.login_from", "there is no admin host that it would open", "add keycloak.admin.hostname"),
    "a console for nobody": (
        {"keycloak.admin.allow_from": GONE}, {"keycloak.admin.allow_from": ["203.0.113.7/32"]},
        "keycloak.admin.allow_from", "nobody could reach the admin host", "such as [203.0.113.0/24]"),
    "a private network before an internet-facing balancer": (
        {"keycloak.admin.allow_from": ["203.0.113.0/24", "10.0.0.0/8"]},
        {**ADMIN_INTERNAL, "keycloak.admin.allow_from": ["203.0.113.0/24", "10.0.0.0/8"]},
        "keycloak.admin.allow_from",
        "10.0.0.0/8 can't match: an internet-facing balancer sees a client's public address",
        "keycloak.admin.balancer: internal"),
    "private logins before an internet-facing balancer": (
        {"keycloak.admin.login_from": ["172.20.0.0/16", "192.168.7.0/24"]},
        {"keycloak.admin.login_from": ["172.32.0.0/16", "192.169.7.0/24"]},
        "keycloak.admin.login_from", "172.20.0.0/16, 192.168.7.0/24 can't match", "list the public addresses"),
    "carrier addresses before an internet-facing balancer": (
        {"load_balancer.allow_from": ["100.64.0.0/10"]}, {"load_balancer.allow_from": ["100.128.0.0/10"]},
        "load_balancer.allow_from", "100.64.0.0/10 can't match", "list the public addresses"),
    "link-local and loopback clients": (
        {"load_balancer.allow_from": ["169.254.0.0/16", "127.0.0.0/8"]},
        {**INTERNAL, "load_balancer.allow_from": ["10.0.0.0/8"]},
        "load_balancer.allow_from", "169.254.0.0/16, 127.0.0.0/8 can't match", "list the public addresses"),
    "a console inside whose login is refused outside": (
        {"keycloak.admin.balancer": "internal"},
        {"keycloak.admin.balancer": "internal", "keycloak.master_realm": "everyone"},
        "keycloak.admin.login_from", "the console logs in on the public host, which would refuse everybody",
        "keycloak.master_realm: everyone"),
    "the guard off where tricks work": (
        at("26.3.5", **{"load_balancer.path_guard": "off"}),
        at("26.4.7", **{"load_balancer.path_guard": "off", "keycloak.master_realm": "everyone"}),
        "load_balancer.path_guard", "only the balancer's normalization, which wasn't tried",
        "write auto, or use Keycloak 26.4.3 or newer"),
    "a check that outlasts its interval": (
        {"load_balancer.health_check": {"interval_seconds": 10, "timeout_seconds": 10}},
        {"load_balancer.health_check": {"interval_seconds": 10, "timeout_seconds": 9}},
        "load_balancer.health_check.timeout_seconds", "10 s is not shorter than the interval of 10 s",
        "write 9 or less"),
    # --- Keycloak
    "pings in a database that Keycloak doesn't know": (
        at("26.0.8", **{"keycloak.discovery": "database"}), at("26.1.4", **{"keycloak.discovery": "database"}),
        "keycloak.discovery", "Keycloak 26.0.8 has no JDBC_PING (it came with 26.1)", "write dns, or use 26.1"),
    "encryption without keys": (
        at("26.1.4", **{"keycloak.cluster_encryption": True}), at("26.2.5", **{"keycloak.cluster_encryption": True}),
        "keycloak.cluster_encryption", "Keycloak 26.1.4 makes no certificates of its own and wouldn't start",
        "take it out, use 26.2 or newer"),
    "encryption without keys, once more": (
        at("24.0.5", **{"keycloak.cluster_encryption": True}),
        {**option("KC_CACHE_EMBEDDED_MTLS_KEY_STORE_FILE", "/opt/keycloak/conf/nodes.p12", "24.0.5"),
         "keycloak.cluster_encryption": True},
        "keycloak.cluster_encryption", "wouldn't start", "KC_CACHE_EMBEDDED_MTLS_KEY_STORE_FILE"),
    "a feature misspelt": (
        {"keycloak.features.enabled": ["docker", "token-exchang"]},
        {"keycloak.features.enabled": ["docker", "token-exchange", "preview"]},
        "keycloak.features.enabled.1", "Keycloak 26.7.4 has no feature 'token-exchang'",
        "did you mean token-exchange?"),
    "a feature that is like no other": (
        {"keycloak.features.enabled": ["xyzzy"]}, {"keycloak.features.enabled": ["scripts"]},
        "keycloak.features.enabled.0", "Keycloak 26.7.4 has no feature 'xyzzy'", "take it out"),
    "a version of a feature that isn't there": (
        {"keycloak.features.enabled": ["login:v7"]}, {"keycloak.features.enabled": ["login:v2"]},
        "keycloak.features.enabled.0", "Keycloak 26.7.4 has no feature 'login:v7'", "did you mean login:v"),
    "a feature of a later version": (
        {**at("24.0.5"), "keycloak.features.enabled": ["organization"]},
        {**at("25.0.6"), "keycloak.features.enabled": ["organization"]},
        "keycloak.features.enabled.0", "Keycloak 24.0.5 has no feature 'organization' (known in 25.0.6 to 26.7.4)",
        "take it out, or change keycloak.version"),
    "a feature disabled in one version": (
        {"keycloak.features.disabled": ["login:v1"]}, {"keycloak.features.disabled": ["login", "preview"]},
        "keycloak.features.disabled.0", "a feature is disabled by its name alone", "write login"),
    "an unknown feature disabled": (
        {"keycloak.features.disabled": ["impersonatoin"]}, {"keycloak.features.disabled": ["impersonation"]},
        "keycloak.features.disabled.0", "Keycloak 26.7.4 has no feature 'impersonatoin'",
        "did you mean impersonation?"),
    "a feature disabled that is like no other": (
        {"keycloak.features.disabled": ["xyzzy"]}, {"keycloak.features.disabled": ["docker"]},
        "keycloak.features.disabled.0", "Keycloak 26.7.4 has no feature 'xyzzy'", "take it out"),
    "a feature that can't be disabled": (
        {"keycloak.features.disabled": ["hostname"]}, {"keycloak.features.enabled": ["hostname"]},
        "keycloak.features.disabled.0", "Keycloak 26.7.4 can't do without the feature hostname", "take it out"),
    "a feature enabled and disabled": (
        {"keycloak.features": {"enabled": ["login:v2", "docker"], "disabled": ["login"]}},
        {"keycloak.features": {"enabled": ["docker"], "disabled": ["login"]}},
        "keycloak.features.disabled", "login is enabled and disabled", "keep one"),
    "the old host names in the version between": (
        {**at("25.0.6"), "keycloak.features.enabled": ["hostname:v1"]},
        {**at("24.0.5"), "keycloak.features.enabled": ["hostname:v1"]},
        "keycloak.features.enabled.0", "Keycloak doesn't understand the address in keycloak.hostname", "take it out"),
    "an option misspelt": (
        option("KC_HTTP_MAX_QUEUD_REQUESTS", "1000"), option("KC_HTTP_MAX_QUEUED_REQUESTS", "1000"),
        "keycloak.options.KC_HTTP_MAX_QUEUD_REQUESTS",
        "Keycloak 26.7.4 has no such option and would ignore it silently",
        "did you mean KC_HTTP_MAX_QUEUED_REQUESTS?"),
    "an option whose words are in another order": (
        option("KC_MAX_QUEUED_HTTP_REQUESTS", "1000"), option("KC_SPI_ANYTHING__AT__ALL", "1000"),
        "keycloak.options.KC_MAX_QUEUED_HTTP_REQUESTS", "has no such option",
        "did you mean KC_HTTP_MAX_QUEUED_REQUESTS?"),
    "an option that is like no other": (
        option("KC_XYZZY", "1"), option("KC_LOG_LEVEL_ORG_KEYCLOAK", "debug"),
        "keycloak.options.KC_XYZZY", "Keycloak 26.7.4 has no such option", "take it out"),
    "an option that was removed": (
        option("KC_LOG_GELF_FACILITY", "keycloak", "26.0.8"), option("KC_LOG_SYSLOG_APP_NAME", "sso", "26.0.8"),
        "keycloak.options.KC_LOG_GELF_FACILITY", "Keycloak 26.0.8 has no such option (known in 24.0.5 to 25.0.6)",
        "take it out, or change keycloak.version"),
    "an option that comes later": (
        option("KC_HTTP_ACCESS_LOG_ENABLED", "true", "26.3.5"), option("KC_HTTP_ACCESS_LOG_ENABLED", "true", "26.4.7"),
        "keycloak.options.KC_HTTP_ACCESS_LOG_ENABLED",
        "Keycloak 26.3.5 has no such option (known in 26.4.7 to 26.7.4)", "take it out, or change keycloak.version"),
    "the administrator's client too early": (
        option("KC_BOOTSTRAP_ADMIN_CLIENT_ID", "root", "24.0.5"), option("KC_BOOTSTRAP_ADMIN_CLIENT_ID", "root"),
        "keycloak.options.KC_BOOTSTRAP_ADMIN_CLIENT_ID",
        "Keycloak 24.0.5 has no such option (known in 26.0.8 to 26.7.4)", "take it out"),
    "the administrator's name": (
        option("KC_BOOTSTRAP_ADMIN_USERNAME", "root"), {"keycloak.admin.username": "root"},
        "keycloak.options.KC_BOOTSTRAP_ADMIN_USERNAME", "is set by the generator", "keycloak.admin.username"),
    "an option that a key of its own decides": (
        option("KC_LOG_LEVEL", "debug"), {"keycloak.log.level": "debug"},
        "keycloak.options.KC_LOG_LEVEL", "is set by the generator", "see the key keycloak.log.level"),
    "a secret option that a key of its own decides": (
        {"keycloak.secret_options": {"KC_DB_USERNAME": f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/user"}},
        {"keycloak.secret_options": {"KC_DB_SCHEMA": f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/schema"}},
        "keycloak.secret_options.KC_DB_USERNAME", "is set by the generator", "see the key database.username"),
    "the route in the cookie": (
        option(ROUTE.format("__"), "true"), {"load_balancer.stickiness_seconds": 60},
        "keycloak.options." + ROUTE.format("__"), "is set by the generator", "load_balancer.stickiness_seconds"),
    "the route in the cookie, spelt as it used to be": (
        option(ROUTE.format("_"), "true"), option("KC_SPI_STICKY_SESSION_ENCODER_INFINISPAN_OTHER", "true"),
        "keycloak.options." + ROUTE.format("_"), "is set by the generator", "load_balancer.stickiness_seconds"),
    "the database's password": (
        {"keycloak.secret_options": {"KC_DB_PASSWORD": f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/password"}},
        {"keycloak.secret_options": {
            "KC_DB_PASSWORD_USERS": f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/password"}},
        "keycloak.secret_options.KC_DB_PASSWORD", "comes from the database's secret", "take it out"),
    "an option in both sections": (
        {"keycloak.options": {"KC_DB_SCHEMA": "sso"},
         "keycloak.secret_options": {"KC_DB_SCHEMA": f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/schema"}},
        {"keycloak.options": {"KC_DB_SCHEMA": "sso"}},
        "keycloak.options.KC_DB_SCHEMA", "is among secret_options too", "keep one"),
    "a value that is nearly right": (
        option("KC_HTTPS_CLIENT_AUTH", "requred"), option("KC_HTTPS_CLIENT_AUTH", "required"),
        "keycloak.options.KC_HTTPS_CLIENT_AUTH", "takes none, request or required, not 'requred'", "write required"),
    "a value that is nothing like it": (
        option("KC_HTTPS_CLIENT_AUTH", "xyz"), option("KC_HTTPS_CLIENT_AUTH", "none"),
        "keycloak.options.KC_HTTPS_CLIENT_AUTH", "not 'xyz'", "write a value that it takes"),
    "a word of another kind of option": (
        option("KC_HTTPS_CLIENT_AUTH", "no"), option("KC_HTTPS_CLIENT_AUTH", "request"),
        "keycloak.options.KC_HTTPS_CLIENT_AUTH", "not 'no'", "write none"),
    "a boolean of another language": (
        option("KC_LOG_ASYNC", "yes"), option("KC_LOG_ASYNC", "true"),
        "keycloak.options.KC_LOG_ASYNC", "KC_LOG_ASYNC takes true or false, in lower case, not 'yes'", "write true"),
    "a boolean in upper case": (
        option("KC_LOG_ASYNC", "FALSE"), option("KC_LOG_ASYNC", "false"),
        "keycloak.options.KC_LOG_ASYNC", "not 'FALSE'", "write false"),
    "a number that is none": (
        option("KC_HTTP_POOL_MAX_THREADS", "1_000"), option("KC_HTTP_POOL_MAX_THREADS", "1000"),
        "keycloak.options.KC_HTTP_POOL_MAX_THREADS", "takes a whole number, not '1_000'",
        "write a value that it takes"),
    "a log level that there isn't": (
        {"keycloak.log.level": "verbose"}, {"keycloak.log.level": "WARN,org.keycloak.events:trace"},
        "keycloak.log.level", "not 'verbose': Keycloak wouldn't start", "write it like info,org.keycloak.events:debug"),
    "a log level of a category that there isn't": (
        {"keycloak.log.level": "info,org.keycloak:noisy"}, {"keycloak.log.level": "info,org.keycloak:finest"},
        "keycloak.log.level", "not 'org.keycloak:noisy'", "write it like"),
    "a JVM option that a key of its own decides": (
        {"keycloak.jvm_options": ["-Dx=1", "-Djgroups.dns.query=elsewhere"]},
        {"keycloak.jvm_options": ["-Dx=1", "-Djgroups.thread_pool.max_threads=100"]},
        "keycloak.jvm_options.1", "-Djgroups.dns.query is set by the generator", "see the key keycloak.discovery"),
    "a node name that Keycloak refuses": (
        {"keycloak.jvm_options": ["-Djboss.node.name=one"]},
        {**at("26.0.8"), "keycloak.jvm_options": ["-Djboss.node.name=one"]},
        "keycloak.jvm_options.0", "Keycloak 26.7.4 refuses to start with it", "take it out"),
    "an optimized image of somebody else's": (
        {"keycloak.image.repository": "quay.io/keycloak/keycloak"},
        {"keycloak.image.repository": "ghcr.io/example/keycloak"},
        "keycloak.image.repository", "an optimized image is one of your own", f"such as {ECR}"),
    "a provider for an image that holds none": (
        {**STOCK_PINGING_DATABASE, "keycloak.image.providers": [PROVIDER]}, {"keycloak.image.providers": [PROVIDER]},
        "keycloak.image.providers", "the stock image holds no files of yours", "write keycloak.image.kind: optimized"),
    "a theme for an image that holds none": (
        {**STOCK_PINGING_DATABASE, "keycloak.image.themes": [THEME]}, {"keycloak.image.themes": [THEME]},
        "keycloak.image.themes", "the stock image holds no files of yours", "write keycloak.image.kind: optimized"),
    "an image beyond a closed network": (
        {**NAT_NONE, "keycloak.image.repository": "ghcr.io/example/keycloak"}, NAT_NONE,
        "keycloak.image.repository", "without a way to the internet nothing is pulled from ghcr.io",
        f"write {ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/quay/keycloak/keycloak"),
    "an image beyond a closed network that was found": (
        {**FOUND, "network.existing.internet": False, "keycloak.image.repository": "public.ecr.aws/x/keycloak"},
        {**FOUND, "keycloak.image.repository": "public.ecr.aws/x/keycloak"},
        "keycloak.image.repository", "nothing is pulled from public.ecr.aws", "push the image to ECR"),
    # --- the database
    "no database at all": (
        {"database": {"pool_size": 5}}, {"database": FOUND_DATABASE, "database.pool_size": 5},
        "database", "neither `create` nor `existing` is given", "write one of them"),
    "a database found and created": (
        {"database.existing": FOUND_DATABASE["existing"]}, {"database": FOUND_DATABASE},
        "database", "both `create` and `existing` are given", "`create: null`"),
    "a PostgreSQL that is too old": (
        {"database.create.engine_version": "13.20"}, {"database.create.engine_version": "14.1"},
        "database.create.engine_version", "Keycloak 26.7.4 supports PostgreSQL 14 to 18, not 13.20",
        "write a version from 14 to 18"),
    "a PostgreSQL that is too new": (
        {**at("26.4.7"), "database": FOUND_DATABASE, "database.existing.engine_version": "18"},
        {**at("26.5.5"), "database": FOUND_DATABASE, "database.existing.engine_version": "18"},
        "database.existing.engine_version", "Keycloak 26.4.7 supports PostgreSQL 13 to 17, not 18",
        "write a version from 13 to 17"),
    "storage that can't grow": (
        {"database.create.storage_gb": 100, "database.create.max_storage_gb": 109},
        {"database.create.storage_gb": 100, "database.create.max_storage_gb": 110},
        "database.create.max_storage_gb", "RDS wants at least a tenth more than the 100 GiB of storage_gb",
        "write 110 or more"),
    "storage that can't grow by a whole number": (
        {"database.create.storage_gb": 25, "database.create.max_storage_gb": 27},
        {"database.create.storage_gb": 25, "database.create.max_storage_gb": 28},
        "database.create.max_storage_gb", "at least a tenth more than the 25 GiB", "write 28 or more"),
    "a pool that a small database can't serve": (
        {"database.create.instance_class": "db.t4g.micro", "database.pool_size": 35},
        {"database.create.instance_class": "db.t4g.micro", "database.pool_size": 34},
        "database.pool_size",
        "3 tasks during a deployment x 35 connections are 105; db.t4g.micro takes 112, of which 102 are free for them",
        "write 34 or less, or take a larger instance"),
    "a pool that a found database can't serve": (
        {"database": FOUND_DATABASE, "database.pool_size": 64}, {"database": FOUND_DATABASE, "database.pool_size": 63},
        "database.pool_size",
        "3 tasks during a deployment x 64 connections are 192; the database takes 200, of which 190 are free for them",
        "write 63 or less, or raise its max_connections"),
    "a pool that scaling makes too large": (
        {"database": FOUND_DATABASE, "service.tasks": 3, "service.autoscaling": {"max_tasks": 8}},
        {"database": FOUND_DATABASE, "service.tasks": 3, "service.autoscaling": {"max_tasks": 7}},
        "database.pool_size", "10 tasks during a deployment x 20 connections are 200", "write 19 or less"),
    "a pool that is too large only while nodes are exchanged": (
        {"database": FOUND_DATABASE, "database.pool_size": 95},
        {"database": FOUND_DATABASE, "database.pool_size": 95, "service.deployment": "recreate"},
        "database.pool_size", "3 tasks during a deployment x 95 connections are 285", "write 63 or less"),
    "a database without a connection to spare": (
        {"database": FOUND_DATABASE, "database.existing.max_connections": 15, "database.pool_size": 2},
        {"database": FOUND_DATABASE, "database.existing.max_connections": 16, "database.pool_size": 2},
        "database.pool_size", "are 6; the database takes 15, of which 5 are free", "raise its max_connections"),
    # --- the service
    "a CPU size that Fargate doesn't have": (
        {"service.cpu": 1000}, {"service.cpu": 1024},
        "service.cpu", "Fargate has no 1000 CPU units",
        "write one of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768"),
    "a memory size that Fargate doesn't have": (
        {"service.memory": 2500}, {"service.memory": 3072},
        "service.memory", "Fargate has no 2500 MiB with 1024 CPU units", "write 2048 (2048 to 8192 go)"),
    "a memory size for another CPU": (
        {"service.memory": 16384}, {"service.cpu": 2048, "service.memory": 16384},
        "service.memory", "Fargate has no 16384 MiB with 1024 CPU units",
        "write 8192 (2048 to 8192 go), or cpu: 2048"),
    "a heap that fills the task": (
        {"keycloak.heap_percent": 86}, {"keycloak.heap_percent": 85},
        "service.memory", "a heap of 1761 MiB and 300 MiB beside it don't fit into 2048 MiB: the task would be killed",
        "leave the heap 1748 MiB or less"),
    "a heap of its own that fills the task": (
        {"keycloak.jvm_options": ["-Xmx1g", "-Xmx1749m"]}, {"keycloak.jvm_options": ["-Xmx2g", "-Xmx1748m"]},
        "service.memory", "a heap of 1749 MiB", "leave the heap 1748 MiB or less"),
    "scaling that has nowhere to go": (
        {"service.tasks": 4, "service.autoscaling": {"max_tasks": 4}},
        {"service.tasks": 4, "service.autoscaling": {"max_tasks": 5}},
        "service.autoscaling.max_tasks", "4 leaves nothing to scale above service.tasks 4", "write 5 or more"),
    "zones balanced while everything stops": (
        {"service.zone_rebalancing": True, "service.deployment": "recreate"}, {"service.zone_rebalancing": True},
        "service.zone_rebalancing", "ECS refuses it with the percentages of `recreate`", "write false"),
    "a shutdown that is cut off": (
        {"keycloak.options": {"KC_SHUTDOWN_DELAY": "20s", "KC_SHUTDOWN_TIMEOUT": "PT40S"}},
        {"keycloak.options": {"KC_SHUTDOWN_DELAY": "20s", "KC_SHUTDOWN_TIMEOUT": "39s"}},
        "service.stop_timeout_seconds",
        "Keycloak's own shutdown takes up to 60 s, but the task is killed after 60 s", "write more than 60"),
    "a shutdown that is cut off by a default": (
        {"keycloak.options": {"KC_SHUTDOWN_DELAY": "50s"}}, {"keycloak.options": {"KC_SHUTDOWN_DELAY": "49s"}},
        "service.stop_timeout_seconds", "takes up to 60 s", "write more than 60"),
    "a shutdown longer than ECS waits": (
        {"keycloak.options": {"KC_SHUTDOWN_TIMEOUT": "1h"}}, {"keycloak.options": {"KC_SHUTDOWN_TIMEOUT": "500ms"}},
        "service.stop_timeout_seconds", "takes up to 3601 s", "write shorter times in keycloak.options"),
    "subscribers of a topic that was found": (
        {"alarms": {"topic": f"arn:aws:sns:eu-central-1:{ACCOUNT}:on-call", "emails": ["on-call@example.com"]}},
        {"alarms": {"emails": ["on-call@example.com"]}},
        "alarms.emails", "a topic that is there has subscribers of its own", "write topic: create"),
}

WARNINGS = {
    "certificates that only a realm's flow checks": (
        asked("optional"), asked(), f"{CHOSEN}.mode", "anybody logs in as anybody", "Revalidate Client Certificate"),
    "a proxy in front that leaves checking to Keycloak": (
        {**proxied(verifies=False), f"{CHOSEN}.authorities": AUTHORITIES}, proxied(), f"{CHOSEN}.mode",
        "nobody but the realm's X.509 step", "Revalidate Client Certificate"),
    "more networks for three listeners than a group takes": (
        {**asked(), "load_balancer.allow_from": MANY[:25]}, {"load_balancer.allow_from": MANY[:25]},
        "load_balancer.allow_from", "75 permissions (443, 80 and 8443)", "list 20 or fewer"),
    "more clients than a security group holds": (
        {"load_balancer.allow_from": MANY[:31]}, {"load_balancer.allow_from": MANY[:30]},
        "load_balancer.allow_from", "31 networks are 62 permissions (443 and 80); a security group takes 60",
        "list 30 or fewer"),
    "more administrators than a security group holds": (
        {**ADMIN_INTERNAL, "keycloak.admin.allow_from": MANY[:31]}, {"keycloak.admin.allow_from": MANY[:31]},
        "keycloak.admin.allow_from", "31 networks are 62 permissions", "list 30 or fewer"),
    "one way out for all zones": (
        {"network.create.nat": "single"}, {"network.create.nat": "single", "high_availability": False},
        "network.create.nat", "one zone carries all traffic to the internet", "write per-zone"),
    "a database in one zone": (
        {"database.create.multi_az": False}, {"database.create.multi_az": False, "high_availability": False},
        "database.create.multi_az", "losing the database's zone is losing Keycloak", "write multi_az: true"),
    "a database without backups": (
        {"database.create.backup_days": 0}, {"database.create.backup_days": 1},
        "database.create.backup_days", "without backups a lost database is lost for good", "write 7 or more"),
    "a second internal balancer": (
        {**INTERNAL, **ADMIN_INTERNAL}, {**INTERNAL, "keycloak.admin.login_from": ["203.0.113.0/24"]},
        "keycloak.admin.balancer", "a second one costs and adds nothing", "write shared"),
    "a second internal balancer, once more": (
        {**INTERNAL, **ADMIN_INTERNAL}, {**INTERNAL, "keycloak.admin": {"balancer": "internal"}},
        "keycloak.admin.balancer", "a second one costs and adds nothing", "write shared"),
    "a console for everybody": (
        {"keycloak.admin.allow_from": ["203.0.113.0/24", "0.0.0.0/0"]},
        {"keycloak.admin.allow_from": ["203.0.113.0/24", "128.0.0.0/1"]},
        "keycloak.admin.allow_from", "everybody may reach the admin console", "list networks"),
    "the guard off inside": (
        at("26.3.5", **{**INTERNAL, "load_balancer.path_guard": "off"}), at("26.3.5", **INTERNAL),
        "load_balancer.path_guard", "/realms/../admin/ for the admin console", "write auto"),
    "the guard off where a closed realm is open": (
        at("26.4.7", **{"load_balancer.path_guard": "off"}), at("26.6.4", **{"load_balancer.path_guard": "off"}),
        "load_balancer.path_guard", "/realms/master;x/ reaches the master realm from everywhere", "write auto"),
    "forged addresses": (
        {"load_balancer.forwarded_for": "trust"},
        {"load_balancer.forwarded_for": "trust", "load_balancer.allow_from": ["203.0.113.0/24"]},
        "load_balancer.forwarded_for", "everybody may connect and forge the client address",
        "limit load_balancer.allow_from"),
    "more nodes than one answer names": (
        {"service.tasks": 9, "database.pool_size": 10}, {"service.tasks": 8, "database.pool_size": 10},
        "keycloak.discovery", "with 9 tasks, Cloud Map answers with eight of them", "stay with 8, or write database"),
    "more nodes than one answer names, scaled": (
        {"service.autoscaling": {"max_tasks": 9}},
        {"service.autoscaling": {"max_tasks": 9}, "keycloak.discovery": "database"},
        "keycloak.discovery", "with 9 tasks, Cloud Map answers with eight of them", "stay with 8, or write database"),
    "nodes that talk in the clear": (
        {"keycloak.cluster_encryption": False}, at("26.1.4"),
        "keycloak.cluster_encryption", "sessions pass between the nodes unencrypted", "take it out"),
    "views that nobody logs": (
        {"keycloak.log.level": "warn,org.keycloak:info", **HEARD},
        {"keycloak.log.level": "warn,org.infinispan.CLUSTER:info", **HEARD},
        "keycloak.log.level", "the alarm about a broken cluster would see none of them",
        "add org.infinispan.CLUSTER:info"),
    "views that an alarm's category hides": (
        {"keycloak.log.level": "info,org.infinispan:error", **HEARD},
        {"keycloak.log.level": "info,org.infinispan:error"},
        "keycloak.log.level", "the cluster's views are logged as info", "add org.infinispan.CLUSTER:info"),
    "views that an option hides": (
        {**option("KC_LOG_LEVEL_ORG_INFINISPAN", "off"), **HEARD},
        {**option("KC_LOG_LEVEL_ORG_INFINISPAN", "debug"), "keycloak.log.level": "error", **HEARD},
        "keycloak.log.level", "the cluster's views are logged as info", "add org.infinispan.CLUSTER:info"),
    "views that the console doesn't show": (
        {**option("KC_LOG_CONSOLE_LEVEL", "warn"), **HEARD}, {**option("KC_LOG_CONSOLE_LEVEL", "info"), **HEARD},
        "keycloak.log.level", "the cluster's views are logged as info", "no KC_LOG_CONSOLE_LEVEL above info"),
    "an option that goes away": (
        option("KC_TRACING_SERVICE_NAME", "sso", "26.5.5"), option("KC_TRACING_SERVICE_NAME", "sso", "26.4.7"),
        "keycloak.options.KC_TRACING_SERVICE_NAME", "is deprecated in Keycloak 26.5.5", "telemetry-service-name"),
    "a value that goes away": (
        option("KC_EVENT_METRICS_USER_EVENTS", "login,remove_totp"),
        option("KC_EVENT_METRICS_USER_EVENTS", "login,logout"),
        "keycloak.options.KC_EVENT_METRICS_USER_EVENTS", "remove_totp is deprecated in Keycloak 26.7.4", ""),
    "the stock image": (
        STOCK, {**STOCK, "keycloak.discovery": "database"},
        "keycloak.image.kind", "notices a frozen node after 45 s instead of 13 s", "write optimized"),
    "the stock image by its tag": (
        STOCK, {**STOCK, "keycloak.image.digest": "sha256:" + "0" * 64},
        "keycloak.image.kind", "doesn't check the database's certificate", "build rendered/ENV/image"),
    "a tag that moves": (
        {"keycloak.image.tag": "latest"}, {"keycloak.image.tag": "blue"},
        "keycloak.image.tag", "`latest` can be another Keycloak at every start", "write 26.7.4"),
    "a tag of another version": (
        {"keycloak.image.tag": "26.6.4-1"}, {"keycloak.image.tag": "26.7.4-1"},
        "keycloak.image.tag", "doesn't begin with keycloak.version 26.7.4", "make them agree"),
    "a tag whose version only begins alike": (
        {"keycloak.image.tag": "26.7.40"}, {"keycloak.image.tag": "26.7.4"},
        "keycloak.image.tag", "doesn't begin with keycloak.version 26.7.4", "make them agree"),
    "a database class nobody knows": (
        {"database.create.instance_class": "db.x2g.large"}, {"database.create.instance_class": "db.r6g.large"},
        "database.create.instance_class", "how many connections db.x2g.large takes is not known here",
        "check max_connections"),
    "hardly any memory": (
        {"service.cpu": 256, "service.memory": 512, "keycloak.heap_percent": 41},
        {"service.cpu": 256, "service.memory": 1024, "keycloak.heap_percent": 41},
        "service.memory", "Keycloak hardly starts in 512 MiB", "write 1024 or more"),
    "alarms that nobody hears": (
        {"alarms": {}}, {"alarms": {"topic": f"arn:aws:sns:eu-central-1:{ACCOUNT}:on-call"}},
        "alarms.emails", "nobody is told about an alarm", "list addresses"),
    "a protected stack whose database isn't": (
        {"stack.protected": True, "database.create.deletion_protection": False}, {"stack.protected": True},
        "database.create.deletion_protection", "the stack is protected, its database isn't", "write true"),
}


def test_the_environment_that_everything_is_tried_out_with_is_right():
    """The good environment has neither an error nor a warning, or no other test here would mean anything."""
    assert try_out({}).problems == ()


@pytest.mark.parametrize(("changes", "near", "key", "message", "fix", "severity"),
                         [pytest.param(*row, severity, id=f"{severity}: {name}")
                          for severity, table in (("error", ERRORS), ("warning", WARNINGS))
                          for name, row in table.items()])
def test_what_goes_wrong_is_told_once_and_what_is_near_it_is_not(changes, near, key, message, fix, severity):
    """One problem: of this severity, at the line that made it, saying what would happen and what to write."""
    trial = try_out(changes)
    assert [problem.key for problem in trial.problems] == [key], list(map(str, trial.problems))
    problem, = trial.problems
    assert (problem.file, problem.line, problem.severity) == ("params/dev.yaml", trial.line(key), severity)
    assert problem.line > 0
    assert message in problem.message
    assert fix in problem.fix
    assert problem.fix and not problem.message.endswith(".")
    assert (trial.outcome.environment is None) == (severity == "error")
    assert try_out(near).problems == ()


def told(changes: dict, *keys: str) -> list[tuple[str, str]]:
    """(key, severity) of every problem, or of those at `keys`, after some changes to the good environment."""
    return [(problem.key, problem.severity) for problem in try_out(changes).problems
            if not keys or problem.key in keys]


MISTYPED = {
    "a proxy's image without a digest": (
        asked(image="public.ecr.aws/docker/library/haproxy:3.0"), asked(), f"{CHOSEN}.image",
        "is not an image with its digest", "@sha256:"),
    "an address without a port": (
        asked(url="https://sso.example.com"), asked(), f"{CHOSEN}.url", "has no port", "https://sso.example.com:8443"),
    "a trust store that isn't versioned": (
        asked(trust_store={**OBJECT, "version": "null"}), asked(), f"{CHOSEN}.trust_store.version",
        "is not the version of an S3 object", "write it like"),
    "a header with underscores": (
        proxied(header="SSL_CLIENT_CERT"), proxied(header="SSL-CLIENT-CERT"), f"{CHOSEN}.proxy.header",
        "is not the name of a header, without underscores", "ssl-client-cert"),
}


@pytest.mark.parametrize(("changes", "near", "key", "message", "fix"),
                         [pytest.param(*row, id=name) for name, row in MISTYPED.items()])
def test_a_value_about_certificates_is_taken_in_one_form(changes, near, key, message, fix):
    """What would let another image, another file or no header count is refused where it is written."""
    trial = try_out(changes)
    assert [(problem.key, problem.line) for problem in trial.problems] == [(key, trial.line(key))]
    assert message in trial.problems[0].message and fix in trial.problems[0].fix
    assert try_out(near).problems == ()


def test_authorities_are_certificates_in_the_project_and_built_into_an_image():
    """A file that isn't there, one without a certificate, and the stock image are each refused."""
    for file, said in (("files/none.pem", "there is no file files/none.pem"),
                       (PROVIDER, "holds no certificate in PEM")):
        problems = [problem for problem in try_out(asked("optional", authorities=file)).problems
                    if problem.severity == "error"]
        assert [problem.key for problem in problems] == [f"{CHOSEN}.authorities"] and said in problems[0].message
    assert told({**asked("optional"), **STOCK}, f"{CHOSEN}.authorities") == [(f"{CHOSEN}.authorities", "error")]
    assert told(asked("optional", authorities=GONE), f"{CHOSEN}.authorities") == [(f"{CHOSEN}.authorities", "error")]


def test_a_balancer_that_checks_nothing_needs_no_trust_store():
    """With `optional`, trust store and revocation lists would be read by nobody, and say so."""
    assert sorted(told(asked("optional", trust_store=OBJECT, revocation=[{**OBJECT, "key": "clients/ca.crl"}]))) == [
        (f"{CHOSEN}.mode", "warning"), (f"{CHOSEN}.revocation", "error"), (f"{CHOSEN}.trust_store", "error")]


def test_every_rule_has_something_to_say_about_one_of_the_mistakes():
    """No rule is left out of the tables above, and none can never fire."""
    silent = {rule.check.__name__: rule for rule in rules.RULES}
    for changes, *_ in [*ERRORS.values(), *WARNINGS.values()]:
        settings = Settings.model_validate(changed(changes))
        for name, rule in list(silent.items()):
            if list(rule.check(settings, catalog.load(settings.keycloak.version))):
                del silent[name]
    assert silent == {}


class Watched:
    """A section of settings that notes the dotted keys somebody reads below it; `key?` for a section that is there."""

    def __init__(self, section: BaseModel, key: str, seen: set[str]):
        self._section, self._key, self._seen = section, key, seen

    def __getattr__(self, name: str):
        attribute = inspect.getattr_static(type(self._section), name, None)
        if isinstance(attribute, property):
            return attribute.fget(self)
        key = f"{self._key}.{name}" if self._key else name
        value = getattr(self._section, name)
        if isinstance(value, BaseModel):
            self._seen.add(f"{key}?")
            return Watched(value, key, self._seen)
        self._seen.add(key)
        return value


READ_FOR_AN_EXAMPLE = {"account", "region", "keycloak.version"}
"""Keys that a rule may read for the text of a fix without naming them: a wrong one makes no complaint wrong."""


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.check.__name__.replace("_", " ")) for rule in rules.RULES])
def test_a_rule_names_the_keys_it_reads(rule):
    """A rule is skipped while a key it reads is wrong; so it names all of them, and no more than there are."""
    seen: set[str] = set()
    for changes in ({}, FOUND, {"database": FOUND_DATABASE}, {"alarms": {}, **ADMIN_INTERNAL},
                    *(row[0] for row in [*ERRORS.values(), *WARNINGS.values()])):
        settings = Settings.model_validate(changed(changes))
        list(rule.check(Watched(settings, "", seen), catalog.load(settings.keycloak.version)))
    passed = {key[:-1] for key in seen if key.endswith("?")}
    seen = {key for key in seen if not key.endswith("?")}
    assert seen
    absent = {key for key in seen if not any(key == one or key.startswith(f"{one}.") or one.startswith(f"{key}.")
                                             for one in rule.keys)}
    assert absent <= READ_FOR_AN_EXAMPLE
    # The version is read through the catalog, so nobody sees it being read.
    never = {key for key in rule.keys if not any(one == key or one.startswith(f"{key}.") or key.startswith(f"{one}.")
                                                 for one in seen)}
    assert never - passed <= {"keycloak.version"}
    assert all(field_at(tuple(key.split("."))) is not None for key in rule.keys)


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.check.__name__.replace("_", " ")) for rule in rules.RULES])
def test_a_rule_that_asks_the_catalog_names_the_version(rule):
    """Where the version is wrong there is no catalog: rules that need it are skipped, and only those."""
    _, asked = inspect.signature(rule.check).parameters
    assert (asked == "catalog") == ("keycloak.version" in rule.keys)


@pytest.mark.parametrize("version", [GONE, "26", "latest", "9.0.3"])
def test_a_wrong_version_silences_only_what_depends_on_it(version):
    """Options can't be checked then, sizes can."""
    changes = {"keycloak.version": version, "service.cpu": 1000, "keycloak.options": {"KC_XYZZY": "1"}}
    assert sorted(told(changes)) == [("keycloak.version", "error"), ("service.cpu", "error")]


def test_a_wrong_key_silences_only_the_rules_that_read_it():
    """Everything that is wrong is told at once; only what can't be known yet is left for later."""
    changes = {"service.tasks": "many", "service.cpu": 1000, "load_balancer.dns_records": True,
               "load_balancer.health_check": {"interval_seconds": 5, "timeout_seconds": 5}}
    assert sorted(told(changes)) == [
        ("load_balancer.dns_records", "error"), ("load_balancer.health_check.timeout_seconds", "error"),
        ("service.cpu", "error"), ("service.tasks", "error")]


def test_a_problem_of_what_was_inherited_stands_in_the_base():
    """A rule's problem points at the file and line that made it: the base's, or the child's that changed it."""
    base = yaml.safe_dump({"abstract": True, **changed({"service.cpu": 1000, "load_balancer.dns_records": True})},
                          sort_keys=False)
    child = "extends: base.yaml\nservice:\n  tasks: 3\nload_balancer:\n  dns_records: true\n"
    line = base.splitlines().index("  cpu: 1000") + 1
    assert [(problem.file, problem.line, problem.key) for problem in try_text(child, base=base).problems] == [
        ("params/base.yaml", line, "service.cpu"), ("params/dev.yaml", 5, "load_balancer.dns_records")]


def test_every_size_that_fargate_has_is_taken():
    """No pair of CPU and memory that Fargate runs is refused, and what lies right beside one is."""
    pairs = [(cpu, memory) for cpu in sizing.fargate_cpus() for memory in sizing.fargate_memories(cpu)]
    for cpu, memory in pairs:
        settings = Settings.model_validate(changed({"service.cpu": cpu, "service.memory": memory}))
        assert list(fargate_has_the_size(settings, NEWEST)) == []
        between = Settings.model_validate(changed({"service.cpu": cpu, "service.memory": memory + 1}))
        complaint, = fargate_has_the_size(between, NEWEST)
        assert complaint.key == "service.memory"
        assert complaint.fix.startswith(f"write {memory} ")


@pytest.mark.parametrize("version", catalog.versions())
def test_a_version_decides_about_pings_and_postgresql(version):
    """JDBC_PING comes with 26.1, and each line has its range of PostgreSQL: within it nothing is said."""
    pings = tuple(map(int, version.split("."))) >= (26, 1)
    first, last = {24: (13, 16), 25: (13, 16)}.get(int(version[:2])) or {
        "26.0": (13, 16), "26.1": (13, 17), "26.2": (13, 17), "26.3": (13, 17), "26.4": (13, 17)}.get(
        version[:4], (14, 18))
    assert told({**at(version), "keycloak.discovery": "database"}) == (
        [] if pings else [("keycloak.discovery", "error")])
    for major in range(13, 20):
        wanted = [] if first <= major <= last else [("database.create.engine_version", "error")]
        assert told({"keycloak.version": version, "database.create.engine_version": str(major)}) == wanted


@pytest.mark.parametrize(("version", "reached"), [
    ("24.0.5", True), ("26.3.5", True), ("26.4.0", True), ("26.4.2", True), ("26.4.3", False), ("26.4.7", False),
    ("26.7.4", False)])
def test_switching_the_path_guard_off_is_refused_up_to_26_4_2(version, reached):
    """The guard may be off from 26.4.3 on, if nothing else needs it."""
    guard = "load_balancer.path_guard"
    off = {**at(version), guard: "off", "keycloak.master_realm": "everyone"}
    assert told(off, guard) == ([(guard, "error")] if reached else [])
    assert told({**off, **INTERNAL}, guard) == ([(guard, "warning")] if reached else [])
    assert told({**off, guard: "auto"}, guard) == told({**off, guard: "on"}, guard) == []


def test_an_option_that_opens_the_old_paths_needs_the_guard():
    """KC_HTTP_ACCEPT_NON_NORMALIZED_PATHS brings the tricks back, whatever the version."""
    guard = "load_balancer.path_guard"
    for value, wanted in (("true", [(guard, "error")]), ("false", [])):
        opened = option("KC_HTTP_ACCEPT_NON_NORMALIZED_PATHS", value, "26.6.4")
        assert told({**opened, guard: "off"}, guard) == wanted
        assert told(opened, guard) == []


@pytest.mark.parametrize("version", ["24.0.5", "26.7.4"])
def test_no_option_that_the_generator_sets_can_be_set_twice(version):
    """Each of them is refused, with the key that decides it; and that key exists."""
    environment_catalog = catalog.load(version)
    owned = {**environment.OWNED, **dict.fromkeys(
        [name for name in facts.bootstrap_admin_variables(version) if name.startswith("KC_")],
        "keycloak.admin.username")}
    for name, owner in owned.items():
        settings = Settings.model_validate(changed({"keycloak.options": {name: "x"}}))
        complaint, = [one for one in options_exist(settings, environment_catalog)]
        assert complaint.key == f"keycloak.options.{name}"
        assert complaint.message == "is set by the generator"
        assert complaint.fix.endswith(f" {owner}")
        assert field_at(tuple(owner.split("."))) is not None


@pytest.mark.parametrize("prefix", environment.OWNED_JVM_OPTIONS)
def test_no_jvm_option_that_the_generator_sets_can_be_set_twice(prefix):
    """Each of them is refused, with the key that decides it; one whose name only begins alike isn't."""
    value = {"-XX:": "40", "-Dsu": "5"}.get(prefix[:4], "x")
    owner = environment.OWNED_JVM_OPTIONS[prefix]
    trial = try_out({"keycloak.jvm_options": [f"{prefix}{value}"]})
    problem, = trial.problems
    assert (problem.key, problem.line) == ("keycloak.jvm_options.0", trial.line("keycloak.jvm_options.0"))
    assert problem.message == f"{prefix[:-1]} is set by the generator"
    assert problem.fix == f"take it out and see the key {owner}"
    assert field_at(tuple(owner.split("."))) is not None
    assert try_out({"keycloak.jvm_options": [f"{prefix[:-1]}.other=x".replace("-XX:", "-D")]}).problems == ()


@pytest.mark.parametrize(("text", "seconds"), [
    ("90", 90), ("0", 0), ("1500ms", 1.5), ("20s", 20), ("2m", 120), ("1h", 3600), ("1d", 86400), ("PT40S", 40),
    ("PT1M30.5S", 90.5), ("pt2h", 7200), ("P1DT1S", 86401), ("1H", 3600), ("30s ", 30)])
def test_a_time_is_read_as_keycloak_spells_it(text, seconds):
    """Seconds, a number with a unit, or ISO 8601."""
    assert options.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5s", "${DELAY}"])
def test_what_is_no_time_is_no_time(text):
    """A value that can't be read counts as nothing, since the option itself is checked elsewhere."""
    assert options.seconds(text) == 0


LEAVES = [key.path for key in describe.keys() if not key.section and "[]" not in key.path]
REQUIRED = [key.path for key in describe.keys() if key.required and "[]" not in key.path]


def around(key: str) -> dict:
    """Changes to the good environment after which the section of `key` is there."""
    found = {"network.existing": {"network": FOUND_NETWORK}, "database.existing": {"database": FOUND_DATABASE},
             "load_balancer.access_logs": {"load_balancer.access_logs": {"bucket": "logs", "prefix": "alb"}},
             "service.autoscaling": {"service.autoscaling": {"max_tasks": 4}}}
    return found.get(".".join(key.split(".")[:2]), {})


def mistake_far_from(key: str) -> tuple[dict, str]:
    """(changes that break a rule which doesn't read `key`, the key of its complaint)."""
    if key.startswith("service"):
        return {"load_balancer.health_check": {"interval_seconds": 5, "timeout_seconds": 5}}, (
            "load_balancer.health_check.timeout_seconds")
    return {"service.cpu": 1000}, "service.cpu"


@pytest.mark.parametrize("key", LEAVES)
def test_a_wrong_key_silences_no_rule_about_others(key):
    """Whatever key is wrong, it is told itself, and so is what else is wrong."""
    mistake, other = mistake_far_from(key)
    found = [problem.key for problem in try_out(
        {**around(key), **mistake, key: [{"neither": "text nor list"}]}).problems]
    assert other in found
    assert any(one == key or one.startswith(f"{key}.") for one in found)


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_key_silences_no_rule_about_others(key):
    """A required key that is left out is told with an example, and what else is wrong is told beside it."""
    mistake, other = mistake_far_from(key)
    found = {problem.key: problem for problem in try_out({**around(key), **mistake, key: GONE}).problems}
    assert other in found
    assert found[key].message.startswith("is missing")
    assert found[key].fix.startswith(f"add `{key.rsplit('.', 1)[-1]}")
