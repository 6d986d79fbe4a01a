"""Rules about Keycloak's options: the forms one fault has, and what looks like it and is none."""

from __future__ import annotations

import functools
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from laying import laid, viewed

from generator.document import parse
from generator.keycloak import catalog
from generator.linting import pack
from generator.linting.rules import _options as ask
from generator.linting.view import View

MINE = re.compile(r"[EWI]90(0[2-7]|09|1\d|2[0-5])|[EWI]910\d")
OWN = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak"
STOCK = "quay.io/keycloak/keycloak"

# What Keycloak's own image has to be told, since nothing is built in.
BUILT = {"KC_DB": "postgres", "KC_HEALTH_ENABLED": "true", "KC_METRICS_ENABLED": "true"}


def template(
    environment: dict[str, Any] | None = None,
    image: str = f"{OWN}:26.7.4",
    command: list[str] | None = None,
    example: str = "",
    **container: Any,
) -> dict[str, Any]:
    """The good template with variables set, or taken away by None, and with another image or command."""
    made = laid(example or "Cluster: {}\n")
    keycloak = made["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"][0]
    keycloak |= {"Image": image, **container}
    stock = image.startswith(STOCK)
    if command is None:
        command = ["start"] if stock else ["start", "--optimized"]
    keycloak["Command"] = command
    values = {one["Name"]: one["Value"] for one in keycloak["Environment"]}
    # These two belong to the newest versions and to the image that has the file.
    if stock:
        del values["KC_CACHE_CONFIG_FILE"]
    values |= {**(BUILT if stock else {}), **(environment or {})}
    keycloak["Environment"] = [{"Name": n, "Value": v} for n, v in values.items() if v is not None]
    return made


def said(*arguments: Any, version: str = "", **more: Any) -> list[str]:
    """The ids of this area's findings, sorted, but for the ones that any stock image gets."""
    findings = pack.run(viewed(template(*arguments, **more), version))
    return sorted(one.rule for one in findings if MINE.fullmatch(one.rule) and one.rule != "W9015")


def stock(environment: dict[str, Any] | None = None, version: str = "26.7.4", **more: Any) -> list[str]:
    return said(environment, f"{STOCK}:{version}", **more)


UNKNOWN = {"Ref": "Nobody"}


def test_good_templates_are_left_alone():
    """A template as it should be gives no finding, whoever made its image."""
    assert said() == []
    assert stock() == []


OLD = {  # what versions before 26 are told instead
    "KC_BOOTSTRAP_ADMIN_USERNAME": None,
    "KEYCLOAK_ADMIN": "temp-admin",
    "KC_PROXY_TRUSTED_ADDRESSES": None,
    "KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE": None,
}
NO_BOOTSTRAP = """
TaskDefinition:
  Properties:
    ContainerDefinitions:
      - Name: keycloak
        Secrets:
          - {Name: KC_BOOTSTRAP_ADMIN_PASSWORD, ValueFrom: ~}
"""
V1 = {
    **OLD,
    "KC_HOSTNAME": None,
    "KC_HOSTNAME_URL": "https://sso.example.com",
    "KC_TRANSACTION_XA_ENABLED": "false",
}


@pytest.mark.parametrize(
    ("version", "environment"),
    [
        ("24.0.5", V1),
        ("25.0.6", OLD),
        ("26.0.8", {**OLD, "KEYCLOAK_ADMIN": None}),
        ("26.2.5", {**OLD, "KEYCLOAK_ADMIN": None}),
    ],
)
def test_older_versions_are_left_alone(version, environment):
    """What is right for an older version is no fault there, on Keycloak's image too."""
    trusted = {"KC_PROXY_TRUSTED_ADDRESSES": "10.0.0.0/16"} if version.startswith("26") else {}
    # Two of these are options of a build, which Keycloak's image makes at each start.
    assert stock({**environment, **trusted}, version, example=NO_BOOTSTRAP) == []


CASES = {
    # E9002, W9002
    "proxy that loses the headers": (dict(KC_PROXY="reencrypt", KC_PROXY_HEADERS=None), ["E9002"]),
    "proxy beside its heir": (dict(KC_PROXY="edge"), ["W9002"]),
    "proxy that never read headers": (dict(KC_PROXY="passthrough", KC_PROXY_HEADERS=None), ["W9002"]),
    "proxy of an unknown mode": (dict(KC_PROXY=UNKNOWN, KC_PROXY_HEADERS=None), ["W9002"]),
    "an empty heir": (dict(KC_PROXY="edge", KC_PROXY_HEADERS=""), ["E9002", "E9105"]),
    # E9003, W9003
    "admin URL of the old model": (dict(KC_HOSTNAME_ADMIN_URL="https://admin.example.com"), ["E9003"]),
    "old URL beside the new one": (dict(KC_HOSTNAME_URL="https://sso.example.com"), ["W9003"]),
    "old URL beside a bare host": (
        dict(KC_HOSTNAME="sso.example.com", KC_HOSTNAME_URL="https://sso.example.com"),
        ["E9003"],
    ),
    "old URL beside an unknown one": (
        dict(KC_HOSTNAME=UNKNOWN, KC_HOSTNAME_URL="https://sso.example.com"),
        ["W9003"],
    ),
    "a backchannel of the old model": (dict(KC_HOSTNAME_STRICT_BACKCHANNEL="false"), ["W9003"]),
    # E9004
    "a bare host alone": (dict(KC_HOSTNAME="sso.example.com"), []),
    "a host with a port": (dict(KC_HOSTNAME="sso.example.com:8443"), ["E9004"]),
    "a host with a path": (dict(KC_HOSTNAME="sso.example.com/auth"), ["E9004"]),
    "an address": (dict(KC_HOSTNAME="[fd00::1]"), []),
    "an unknown host": (dict(KC_HOSTNAME=UNKNOWN, KC_HOSTNAME_ADMIN="https://admin.example.com"), []),
    "an unknown admin host": (dict(KC_HOSTNAME_ADMIN=UNKNOWN), []),
    "an unknown admin host beside a bare host": (
        dict(KC_HOSTNAME="sso.example.com", KC_HOSTNAME_ADMIN=UNKNOWN),
        ["E9004"],
    ),
    "no admin host": (dict(KC_HOSTNAME="sso.example.com", KC_HOSTNAME_ADMIN=""), []),
    "a dynamic backchannel": (
        dict(KC_HOSTNAME="sso.example.com", KC_HOSTNAME_BACKCHANNEL_DYNAMIC="true"),
        ["E9004"],
    ),
    "no dynamic backchannel": (
        dict(KC_HOSTNAME="sso.example.com", KC_HOSTNAME_BACKCHANNEL_DYNAMIC="false"),
        [],
    ),
    # E9005, E9007, E9009: an image of one's own may bring what is missing
    "no host name but an image": (dict(KC_HOSTNAME=None), []),
    "no headers but an image": (dict(KC_PROXY_HEADERS=None, KC_PROXY_TRUSTED_ADDRESSES=None), []),
    "no trusted addresses but an image": (dict(KC_PROXY_TRUSTED_ADDRESSES=None), []),
    "no HTTP but an image": (dict(KC_HTTP_ENABLED=None), []),
    # E9009
    "one address of the balancer": (dict(KC_PROXY_TRUSTED_ADDRESSES="10.0.0.7"), ["E9009"]),
    "the whole VPC": (dict(KC_PROXY_TRUSTED_ADDRESSES="10.0.0.0/16"), []),
    "two halves": (dict(KC_PROXY_TRUSTED_ADDRESSES="10.0.0.0/25,10.0.0.128/25, 10.0.1.0/24"), []),
    "also by IPv6": (dict(KC_PROXY_TRUSTED_ADDRESSES="fd00::/8,10.0.0.0/23"), []),
    "an unknown address": (dict(KC_PROXY_TRUSTED_ADDRESSES={"Fn::Sub": "10.0.0.0/24,${Nobody}"}), []),
    # E9010
    "the protocol off": (dict(KC_PROXY_PROTOCOL_ENABLED="false"), []),
    "the protocol without headers": (
        dict(KC_PROXY_PROTOCOL_ENABLED="true", KC_PROXY_HEADERS=None, KC_PROXY_TRUSTED_ADDRESSES=None),
        [],
    ),
    # E9012, W9012
    "the old administrator": (
        dict(KEYCLOAK_ADMIN="admin", KEYCLOAK_ADMIN_PASSWORD=UNKNOWN),
        ["W9012", "W9012"],
    ),
    # E9013
    "an unknown cache": (dict(KC_CACHE=UNKNOWN), []),
    # W9014
    "an unknown option of a build": (dict(KC_DB=UNKNOWN), ["W9014"]),
    "options of the run": (dict(KC_DB_SCHEMA="kc", KC_CACHE="ispn"), []),
    # E9017, W9017, I9017
    "a provider's option without dashes": (dict(KC_SPI_THEME__DEFAULT="x"), []),
    "a provider chosen in the old spelling": (dict(KC_SPI_X509CERT_LOOKUP_PROVIDER="haproxy"), ["W9017"]),
    "a provider chosen in the new spelling": (dict(KC_SPI_X509CERT_LOOKUP__PROVIDER="haproxy"), []),
    "the old spelling": (dict(KC_SPI_THEME_DEFAULT="x"), ["I9017"]),
    # W9018
    "all parts ignored": (dict(KC_DB_URL="jdbc:postgresql://db/keycloak"), ["W9018"] * 4),
    "an empty URL": (dict(KC_DB_URL=""), []),
    # W9020
    "XA off": (dict(KC_TRANSACTION_XA_ENABLED="false"), ["W9014"]),
    # E9021
    "a version on, the feature off": (
        dict(KC_FEATURES="login:v2", KC_FEATURES_DISABLED="login"),
        ["E9021", "W9014", "W9014"],
    ),
    "others on than off": (dict(KC_FEATURES="preview", KC_FEATURES_DISABLED="dpop"), ["W9014", "W9014"]),
    "an unknown list": (dict(KC_FEATURES=UNKNOWN, KC_FEATURES_DISABLED="dpop"), ["W9014", "W9014"]),
    # W9022, I9022
    "trace of one category": (dict(KC_LOG_LEVEL="org.keycloak:trace"), []),
    "trace of all": (dict(KC_LOG_LEVEL="org.keycloak:info,TRACE"), ["W9022"]),
    "the last root level counts": (dict(KC_LOG_LEVEL="debug,info"), []),
    "a console of its own level": (dict(KC_LOG_LEVEL="debug", KC_LOG_CONSOLE_LEVEL="info"), []),
    "an unknown output": (dict(KC_LOG_CONSOLE_OUTPUT=UNKNOWN), []),
    "an output of the image": (dict(KC_LOG_CONSOLE_OUTPUT=None), []),
    "no console": (dict(KC_LOG="file", KC_LOG_CONSOLE_OUTPUT=None), []),
    # E9023
    "a node's name": (dict(JAVA_OPTS_APPEND="-Djboss.node.name=a"), ["E9023"]),
    "a node's unknown name": (dict(JAVA_OPTS_APPEND={"Fn::Sub": "-Djboss.node.name=${Nobody}"}), ["E9023"]),
    "a name that ends like it": (dict(JAVA_OPTS_APPEND="-Dmy.jboss.node.name=a"), []),
    # W9024
    "the heap alone": (dict(JAVA_OPTS_KC_HEAP="-XX:MaxRAMPercentage=60"), []),
    "empty Java options": (dict(JAVA_OPTS=""), []),
    "unknown Java options": (dict(JAVA_OPTS=UNKNOWN), ["W9024"]),
    # W9025
    "only normalized paths": (dict(KC_HTTP_ACCEPT_NON_NORMALIZED_PATHS="false"), []),
    # E9100
    "a boolean in capitals": (dict(KC_HTTP_ENABLED="True"), ["E9100"]),
    "a real boolean": (dict(KC_HTTP_ENABLED=True), []),
    "a number in words": (dict(KC_DB_POOL_MAX_SIZE="many"), ["E9100"]),
    "a real number": (dict(KC_DB_POOL_MAX_SIZE=40), []),
    "an unknown value": (dict(KC_HTTP_ENABLED=UNKNOWN), []),
    "an empty value": (dict(KC_HTTP_MAX_QUEUED_REQUESTS=""), []),
    "an expression": (dict(KC_HTTP_PORT="${env.PORT:8080}"), []),
    "headers in capitals": (dict(KC_PROXY_HEADERS="XFORWARDED"), ["E9100"]),
    "no network": (dict(KC_PROXY_TRUSTED_ADDRESSES="10.0.0.0/99"), ["E9100"]),
    "a secret that reads like a number": (dict(KC_DB_PASSWORD="x"), []),
    "a value of what isn't used": (dict(KC_LOG="console", KC_LOG_SYSLOG_MAX_LENGTH="x"), ["W9104"]),
    # W9102
    "an old value": (dict(KC_TLS_HOSTNAME_VERIFIER="STRICT"), ["W9102"]),
    "an unknown old value": (dict(KC_TLS_HOSTNAME_VERIFIER=UNKNOWN), []),
    # W9104: an image may switch on what an option is about
    "tracing of the image": (dict(KC_TRACING_ENDPOINT="http://otel:4317"), []),
    "the file of the image": (dict(KC_LOG_FILE_FORMAT="%m"), []),
    # W9107
    "old variables of a script": (dict(DB_VENDOR="postgres", KEYCLOAK_USER="admin"), []),
}


@pytest.mark.parametrize(("environment", "expected"), CASES.values(), ids=CASES)
def test_variables_of_an_own_image(environment, expected):
    """On an image of one's own, started with --optimized, each fault is told from what looks like it."""
    assert said(environment) == expected


STOCK_CASES = {
    # E9005
    "no host name": (dict(KC_HOSTNAME=None), ["E9005"]),
    "an empty host name": (dict(KC_HOSTNAME=""), ["E9005"]),
    "strict, in so many words": (dict(KC_HOSTNAME=None, KC_HOSTNAME_STRICT="true"), ["E9005"]),
    "perhaps strict": (dict(KC_HOSTNAME=None, KC_HOSTNAME_STRICT=UNKNOWN), []),
    "not strict on a public balancer": (dict(KC_HOSTNAME=None, KC_HOSTNAME_STRICT="false"), ["W9006"]),
    "not strict, but with a name": (dict(KC_HOSTNAME_STRICT="false"), []),
    "the old name alone": (dict(KC_HOSTNAME=None, KC_HOSTNAME_URL="https://sso.example.com"), ["E9003"]),
    "an admin URL alone": (
        dict(KC_HOSTNAME=None, KC_HOSTNAME_STRICT="false", KC_HOSTNAME_ADMIN="https://a.example.com"),
        ["E9004", "W9006"],
    ),
    # E9007, E9105
    "no headers": (dict(KC_PROXY_HEADERS=None, KC_PROXY_TRUSTED_ADDRESSES=None), ["E9007"]),
    "empty headers": (dict(KC_PROXY_HEADERS="", KC_PROXY_TRUSTED_ADDRESSES=None), ["E9007"]),
    "unknown headers": (dict(KC_PROXY_HEADERS=UNKNOWN), []),
    "addresses without headers": (dict(KC_PROXY_HEADERS=None), ["E9007", "E9105"]),
    "the old option instead": (
        dict(KC_PROXY_HEADERS=None, KC_PROXY="edge", KC_PROXY_TRUSTED_ADDRESSES=None),
        ["E9002"],
    ),
    # I9009, W9009
    "nobody named": (dict(KC_PROXY_TRUSTED_ADDRESSES=None), ["I9009"]),
    # E9011
    "no HTTP": (dict(KC_HTTP_ENABLED=None), ["E9011"]),
    "no HTTP, but a certificate": (
        dict(
            KC_HTTP_ENABLED=None, KC_HTTPS_CERTIFICATE_FILE="/c.pem", KC_HTTPS_CERTIFICATE_KEY_FILE="/k.pem"
        ),
        ["E9011"],
    ),
    "perhaps HTTP": (dict(KC_HTTP_ENABLED=UNKNOWN), []),
    # E9019
    "no database": (dict(KC_DB=None), ["E9019"]),
    "a URL alone": (
        dict(
            KC_DB=None,
            KC_DB_URL="jdbc:postgresql://db/keycloak",
            KC_DB_URL_HOST=None,
            KC_DB_URL_PORT=None,
            KC_DB_URL_DATABASE=None,
            KC_DB_URL_PROPERTIES=None,
        ),
        ["E9019"],
    ),
    "an unknown URL alone": (
        dict(
            KC_DB=None,
            KC_DB_URL=UNKNOWN,
            KC_DB_URL_HOST=None,
            KC_DB_URL_PORT=None,
            KC_DB_URL_DATABASE=None,
            KC_DB_URL_PROPERTIES=None,
        ),
        [],
    ),
    "the file of a developer": (dict(KC_DB="dev-file"), ["E9019"]),
    "an unknown database": (dict(KC_DB=UNKNOWN), []),
    # W9020
    "XA on": (dict(KC_TRANSACTION_XA_ENABLED="true"), ["W9020"]),
    # I9022
    "plain text by default": (dict(KC_LOG_CONSOLE_OUTPUT=None), ["I9022"]),
    # E9100, E9101
    "no such database": (dict(KC_DB="postgresql"), ["E9100"]),
    "no such feature": (dict(KC_FEATURES="docker,tokenexchange"), ["E9101"]),
    "no such version of it": (dict(KC_FEATURES="login:v9"), ["E9101"]),
    "a version where none belongs": (dict(KC_FEATURES_DISABLED="dpop:v1"), ["E9101"]),
    "a feature of its own variable": (dict(KC_FEATURE_DOCKR="enabled"), ["E9101"]),
    "all of them": (dict(KC_FEATURES="preview"), []),
    # W9103
    "a feature that goes": (dict(KC_FEATURES="instagram-broker"), ["W9103"]),
    # W9104
    "tracing that is off": (dict(KC_TRACING_ENDPOINT="http://otel:4317"), ["W9104"]),
    "tracing that is on": (dict(KC_TRACING_ENDPOINT="http://otel:4317", KC_TRACING_ENABLED="true"), []),
    "tracing that may be on": (dict(KC_TRACING_ENDPOINT="http://otel:4317", KC_TRACING_ENABLED=UNKNOWN), []),
    "a default beside what is off": (dict(KC_LOG_SYSLOG_PROTOCOL="tcp"), []),
    "a file that isn't written": (dict(KC_LOG_FILE="/tmp/a.log"), ["W9104"]),
    "JSON fields of plain text": (
        dict(KC_LOG_CONSOLE_OUTPUT="default", KC_LOG_CONSOLE_JSON_FORMAT="ecs"),
        ["I9022", "W9104"],
    ),
    "JSON fields of JSON": (dict(KC_LOG_CONSOLE_JSON_FORMAT="ecs"), []),
    # W9107
    "variables of another time": (dict(DB_VENDOR="postgres", DB_ADDR="db"), ["W9107", "W9107"]),
}


@pytest.mark.parametrize(("environment", "expected"), STOCK_CASES.values(), ids=STOCK_CASES)
def test_variables_of_keycloaks_image(environment, expected):
    """On Keycloak's own image, which brings nothing, what is missing is a fault as well."""
    assert stock(environment) == expected


OLDER_CASES = {
    # version, environment, expected
    "proxy on 25": ("25.0.6", dict(OLD, KC_PROXY="edge", KC_PROXY_HEADERS=None), ["W9002"]),
    "proxy on 23": ("23.0.7", dict(V1, KC_PROXY="edge", KC_PROXY_HEADERS=None), []),
    "old URL on 25": (
        "25.0.6",
        dict(OLD, KC_HOSTNAME=None, KC_HOSTNAME_URL="https://a.example.com"),
        ["E9003"],
    ),
    "old URL on 25 with its feature": (
        "25.0.6",
        dict(OLD, KC_HOSTNAME=None, KC_HOSTNAME_URL="https://a.example.com", KC_FEATURES="hostname:v1"),
        ["W9102", "W9103"],
    ),
    "perhaps with its feature": (
        "25.0.6",
        dict(OLD, KC_HOSTNAME_URL="https://a.example.com", KC_FEATURES=UNKNOWN),
        [],
    ),
    "admin URL beside a bare host on 25": (
        "25.0.6",
        dict(OLD, KC_HOSTNAME="a.example.com", KC_HOSTNAME_ADMIN="https://b.example.com"),
        [],
    ),
    "a URL as the host on 24": ("24.0.5", dict(V1, KC_HOSTNAME="https://a.example.com"), ["E9004"]),
    "an admin host on 24": ("24.0.5", dict(V1, KC_HOSTNAME_ADMIN="admin.example.com"), []),
    "no host name on 24": ("24.0.5", dict(V1, KC_HOSTNAME_URL=None), ["E9005"]),
    "a newer backchannel on 24": ("24.0.5", dict(V1, KC_HOSTNAME_BACKCHANNEL_DYNAMIC="true"), ["W9003"]),
    "new administrator on 25": (
        "25.0.6",
        dict(OLD, KEYCLOAK_ADMIN=None, KC_BOOTSTRAP_ADMIN_USERNAME="a"),
        ["E9012"],
    ),
    "both administrators on 25": ("25.0.6", dict(OLD, KC_BOOTSTRAP_ADMIN_USERNAME="a"), []),
    "new spelling on 26.2": (
        "26.2.5",
        dict(KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE="false"),
        ["E9017"],
    ),
    "both spellings on 26.2": (
        "26.2.5",
        dict(
            KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE="false",
            KC_SPI_STICKY_SESSION_ENCODER_INFINISPAN_SHOULD_ATTACH_ROUTE="false",
        ),
        [],
    ),
    "the old spelling on 26.2": (
        "26.2.5",
        dict(
            KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE=None,
            KC_SPI_X509CERT_LOOKUP_PROVIDER="haproxy",
        ),
        [],
    ),
    "XA by default on 24": ("24.0.5", dict(V1, KC_TRANSACTION_XA_ENABLED=None), ["I9020"]),
    "a JBoss name on 26.2": (
        "26.2.5",
        dict(
            JAVA_OPTS_APPEND="-Djboss.node.name=a",
            KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE=None,
        ),
        [],
    ),
    "a stack that 24 doesn't have": ("24.0.5", dict(V1, KC_CACHE_STACK="nonsense"), ["E9100"]),
    "a stack of one's own on 25": ("25.0.6", dict(OLD, KC_CACHE_STACK="mine"), []),
    "an old feature on 24": ("24.0.5", dict(V1, KC_FEATURES="account2"), ["W9103"]),
    "an old feature on 25": ("25.0.6", dict(OLD, KC_FEATURES="account2"), ["E9101"]),
    "a variable of gelf on 25": ("25.0.6", dict(OLD, KC_LOG="console,gelf"), ["W9102"]),
}


@pytest.mark.parametrize(("version", "environment", "expected"), OLDER_CASES.values(), ids=OLDER_CASES)
def test_variables_of_older_versions(version, environment, expected):
    """Each version is judged by what it knows itself."""
    bootstrap = NO_BOOTSTRAP if version < "26" else ""
    assert stock(environment, version, example=bootstrap) == expected


COMMANDS = {
    # image, command, environment, expected
    "proxy as an option": (OWN, ["start", "--optimized", "--proxy", "edge"], {}, ["E9002"]),
    "a hostname option that is gone": (OWN, ["start", "--optimized", "--hostname-port=443"], {}, ["E9003"]),
    "an option wins": (
        OWN,
        ["start", "--optimized", "--hostname=https://a.example.com"],
        dict(KC_HOSTNAME="a.example.com:1"),
        [],
    ),
    "http off by an option": (OWN, ["start", "--optimized", "--http-enabled=false"], {}, ["E9011"]),
    "an old cache option": (
        OWN,
        ["start", "--optimized", "--cache", "local"],
        dict(KC_CACHE=None),
        ["E9013"],
    ),
    "development": (STOCK, ["start-dev"], dict(KC_CACHE=None), ["E9013", "W9013"]),
    "development with a cluster": (STOCK, ["start-dev"], {}, ["W9013"]),
    "development by kc.sh": (OWN, ["/opt/keycloak/bin/kc.sh", "start-dev"], {}, ["W9013"]),
    "never built": (STOCK, ["start", "--optimized"], {}, ["E9014"]),
    "a build option": (OWN, ["start", "--optimized", "--health-enabled", "true"], {}, ["W9014"]),
    "built at start": (OWN, ["start"], BUILT, []),
    "a blank": (STOCK, ["start --optimized"], {}, ["E9016"]),
    "a blank before an own entry point": (OWN, ["start --optimized"], {}, ["W9016"]),
    "blanks in a value": (STOCK, ["start", "--log-console-format=%d %m%n"], {}, []),
    "a value with blanks behind its name": (STOCK, ["start", "--log-console-format", "%d %m%n"], {}, []),
    "a shell": (OWN, ["sh", "-c", "exec kc.sh start --optimized"], {}, []),
    "a shell's script that begins like a command": (OWN, ["bash", "-c", "export A=b && exec kc.sh start"], {}, []),
    "a script for the image's shell": (OWN, ["-c", "export A=b && exec kc.sh start --optimized"], {}, []),
    "a shell behind kc.sh": (STOCK, ["sh", "-c", "exec kc.sh start"], {}, ["E9106"]),
    "kc.sh behind kc.sh": (STOCK, ["/opt/keycloak/bin/kc.sh", "start"], {}, ["E9106"]),
    "what the shell puts in": (
        OWN,
        ["bash", "-c", "exec kc.sh start --optimized --http-enabled=$PLAIN --hostname=$URL --log-level=`level`"],
        dict(KC_HTTP_ENABLED=None, KC_HOSTNAME=None, KC_LOG_LEVEL=None),
        [],
    ),
    "another program's words": (
        OWN,
        ["bash", "-c", "curl --proxy edge x; exec kc.sh start --optimized"],
        {},
        [],
    ),
    "an unknown word": (STOCK, [UNKNOWN], {}, []),
    "nothing": (STOCK, [], {}, ["E9106"]),
    "an option without a command": (STOCK, ["--optimized"], {}, ["E9106"]),
    "the commands of an own image": (OWN, [], {}, []),
    "a provider's option in the old spelling": (
        OWN,
        ["start", "--optimized", "--spi-x509cert-lookup-provider=haproxy"],
        {},
        ["W9017"],
    ),
    "a provider's option in the new spelling": (
        OWN,
        ["start", "--optimized", "--spi-x509cert-lookup--provider=haproxy"],
        {},
        [],
    ),
    "an option that isn't there now": (STOCK, ["start", "--tracing-endpoint=http://o:4317"], {}, ["E9105"]),
    "an option that is there now": (
        STOCK,
        ["start", "--tracing-endpoint=http://o:4317", "--tracing-enabled=true"],
        {},
        [],
    ),
    "a value of an option": (STOCK, ["start", "--log-level=loud"], dict(KC_LOG_LEVEL=None), ["E9100"]),
    "a -D word": (OWN, ["start", "--optimized", "-Djboss.site.name=eu"], {}, ["E9023"]),
}


@pytest.mark.parametrize(("image", "command", "environment", "expected"), COMMANDS.values(), ids=COMMANDS)
def test_commands(image, command, environment, expected):
    """A fault is one on the command line, too, and words are told apart as kc.sh does."""
    assert said(environment, f"{image}:26.7.4", command) == expected


def test_a_build_option_of_the_command_stops_older_versions():
    """Up to 26.4 a build option on the command line stops the start; where the version isn't known it may."""
    words = ["start", "--optimized", "--health-enabled", "true"]
    assert said(image=f"{OWN}:26.4.7", command=words) == ["E9014"]
    assert said(image=f"{OWN}:26.5.5", command=words) == ["W9014"]
    assert "E9014" not in said(image=f"{OWN}:blue", command=words)


SCRIPTS = {
    # image, script, version, expected
    "built just before": (STOCK, "kc.sh build && exec kc.sh start --optimized", "26.7.4", []),
    "built with its options": (STOCK, "kc.sh build --db=postgres; exec kc.sh start --optimized", "26.4.7", []),
    "built, with another option behind": (
        OWN, "kc.sh build; exec kc.sh start --optimized --db=postgres", "26.4.7", ["E9014"]),
    "never built": (STOCK, "exec kc.sh start --optimized", "26.7.4", ["E9014"]),
    "perhaps built by a script": (STOCK, "/prepare.sh; exec kc.sh start --optimized", "26.7.4", []),
    "an own image built just before": (OWN, "kc.sh build && exec kc.sh start --optimized", "26.7.4", []),
}


@pytest.mark.parametrize(("image", "script", "version", "expected"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_may_build_what_it_starts(image, script, version, expected):
    """`--optimized` behind `kc.sh build` is fine, and no option of the build comes too late for it."""
    old = OLD | {"KEYCLOAK_ADMIN": None} if version < "26.5" else {}
    made = said(
        {**BUILT, **old}, f"{image}:{version}", [script], EntryPoint=["sh", "-c"], example=NO_BOOTSTRAP if old else ""
    )
    assert [one for one in made if one != "W9014" or "built just before" in script] == expected


def test_a_build_at_each_start_is_named():
    """A script that builds before it starts costs time in each task, whatever the image; a plain start of it none."""
    for script, expected in (
        ("kc.sh build && exec kc.sh start --optimized", 1),
        ("exec kc.sh start --optimized", 0),
        ("if [ -f /new ]; then kc.sh build; fi; exec kc.sh start --optimized", 0),
        ("[ -f /built ] || kc.sh build; exec kc.sh start --optimized", 0),
        ("[ -f /new ] &&\n kc.sh build\n exec kc.sh start --optimized", 0),
    ):
        made = template(command=[script], EntryPoint=["sh", "-c"])
        assert [one.rule for one in pack.run(viewed(made))].count("W9015") == expected


def test_a_shell_is_made_the_entry_point():
    """The fix for a shell in Command names its words up to the script."""
    made = template(image=f"{STOCK}:26.7.4", command=["bash", "-eo", "pipefail", "-c", "exec kc.sh start"])
    (one,) = (one for one in pack.run(viewed(made)) if one.rule == "E9106")
    assert one.fix.startswith("write EntryPoint: [bash, -eo, pipefail, -c],")


@pytest.mark.parametrize(
    ("image", "entry", "command", "expected"),
    [
        (STOCK, None, ["start"], ["KC_CLIENT_ID", "KC_PROXY_MODE"]),
        (OWN, None, ["start"], ["KC_CLIENT_ID"]),
        (OWN, None, ["/opt/tools/entrypoint.sh"], []),
        (OWN, ["/opt/tools/entrypoint.sh"], ["start"], []),
        (STOCK, ["sh", "-c"], ["/tools/setup.sh; exec kc.sh start"], []),
        (STOCK, ["sh", "-c"], ["exec kc.sh start --hostname=${KC_CLIENT_ID}"], ["KC_PROXY_MODE"]),
    ],
)
def test_variables_of_a_script_are_its_own(image, entry, command, expected):
    """A variable that Keycloak doesn't know is no fault where a script may read it."""
    values = dict(KC_CLIENT_ID="web", KC_PROXY_MODE="x")
    made = template(values, f"{image}:26.7.4", command, **({"EntryPoint": entry} if entry else {}))
    found = [one for one in pack.run(viewed(made)) if one.rule == "E9001"]
    assert sorted(one.message.split("no option ")[1].split()[0] for one in found) == expected


def test_an_entry_point_of_kc_sh_takes_whole_words():
    """With kc.sh as the entry point it is sure that nobody takes a word apart; with a shell it isn't."""
    words = ["--verbose start"]
    assert said(command=words, EntryPoint=["/opt/keycloak/bin/kc.sh"]) == ["E9016"]
    assert said(command=words, EntryPoint=["sh", "-c"]) == []


VERSIONLESS = {
    "proxy": (dict(KC_PROXY="edge", KC_PROXY_HEADERS=None), []),
    "an old URL": (dict(KC_HOSTNAME_URL="https://a.example.com"), []),
    "the old administrator": (dict(KEYCLOAK_ADMIN="a"), []),
    "a boolean in capitals": (dict(KC_HTTP_ENABLED="TRUE"), ["E9100"]),
    "a log output": (dict(KC_LOG_CONSOLE_OUTPUT="xml"), ["E9100"]),
    "a stack that some versions have": (dict(KC_CACHE_STACK="nonsense"), []),
    "headers of this or that name": (
        dict(KC_PROXY_HEADERS="both", KC_PROXY_TRUSTED_ADDRESSES=None),
        ["E9100"],
    ),
    "a feature": (dict(KC_FEATURES="bogus"), ["W9014"]),
    "an option that all versions build in": (dict(KC_DB="postgres"), ["W9014"]),
    "an option that some versions build in": (dict(KC_CACHE_STACK="kubernetes"), []),
    "XA": (dict(KC_TRANSACTION_XA_ENABLED="true"), ["W9014", "W9020"]),
    "Java options": (dict(JAVA_OPTS="-Xmx1g"), ["W9024"]),
    "parts of the URL": (dict(KC_DB_URL="jdbc:postgresql://db/k"), ["W9018"] * 4),
    "a cache": (dict(KC_CACHE="local"), ["E9013"]),
}


@pytest.mark.parametrize(("environment", "expected"), VERSIONLESS.values(), ids=VERSIONLESS)
def test_without_a_version_only_what_holds_for_all_is_said(environment, expected):
    """Where the tag tells no version, what is right in some version is no fault."""
    assert said(environment, f"{OWN}:latest") == expected


MAJORS = {
    # tag, environment, command, expected
    "nothing wrong": ("26", {}, None, []),
    "proxy on some 26": ("26", dict(KC_PROXY="edge", KC_PROXY_HEADERS=None, KC_PROXY_TRUSTED_ADDRESSES=None), None,
                         ["E9002"]),
    "an old URL on some 26": ("26", dict(KC_HOSTNAME=None, KC_HOSTNAME_URL="https://a.example.com"), None, ["E9003"]),
    "a new administrator on some 25": ("25", dict(OLD, KEYCLOAK_ADMIN=None, KC_BOOTSTRAP_ADMIN_USERNAME="a"), None,
                                       ["E9012"]),
    "a URL as the host on some 24": ("24", dict(V1, KC_HOSTNAME="https://a.example.com"), None, ["E9004"]),
    "a spelling that some 26 know": ("26", dict(KC_SPI_X509CERT_LOOKUP__PROVIDER="haproxy"), None, []),
    "a value of no 26": ("26", dict(KC_CACHE="infinispan"), None, ["E9100"]),
    "never built": ("26", {}, ["start", "--optimized"], ["E9014"]),
    "the newest, never built": ("latest", {}, ["start", "--optimized"], ["E9014"]),
    "the newest, never built, with H2": ("latest", dict(KC_DB="dev-file"), ["start", "--optimized"], ["E9019"]),
    "some 25, never built, with H2": ("25", dict(OLD, KC_DB="dev-file"), ["start", "--optimized"], ["E9019"]),
}


@pytest.mark.parametrize(("tag", "environment", "command", "expected"), MAJORS.values(), ids=MAJORS)
def test_a_tag_of_the_major_version_is_judged_by_what_holds_for_all_of_it(tag, environment, command, expected):
    """`26` may be any 26: what is wrong in each of them is said, what is right in one isn't."""
    bootstrap = NO_BOOTSTRAP if tag < "26" else ""
    assert stock(environment, tag, command=command, example=bootstrap) == expected


def test_a_version_from_outside_wins():
    """A version that is given beside the template is judged by, whatever the tag says."""
    assert said(dict(KC_PROXY="edge"), f"{OWN}:prod", version="26.7.4") == ["W9002"]


def test_secrets_count_as_set():
    """What comes from Secrets is set, though nobody knows its value."""
    example = """
TaskDefinition:
  Properties:
    ContainerDefinitions:
      - Name: keycloak
        Secrets:
          - {Name: KC_HOSTNAME, ValueFrom: !Ref AdminSecret}
          - {Name: KC_DB, ValueFrom: !Ref AdminSecret}
          - {Name: KC_HTTP_ENABLED, ValueFrom: !Ref AdminSecret}
"""
    assert stock(dict(KC_HOSTNAME=None, KC_DB=None, KC_HTTP_ENABLED=None), example=example) == []


def test_environment_files_may_bring_what_is_missing():
    """With an environment file nobody knows what isn't set, so nothing is missing."""
    files = [{"Type": "s3", "Value": "arn:aws:s3:::bucket/keycloak.env"}]
    missing = dict(KC_HOSTNAME=None, KC_DB=None, KC_HTTP_ENABLED=None, KC_PROXY_HEADERS=None)
    assert stock(missing, EnvironmentFiles=files) == []


OTHER_PARTS = {
    "one task with a cache of its own": (
        "Service: {Properties: {DesiredCount: 1}}",
        dict(KC_CACHE="local"),
        [],
    ),
    "up to four tasks with caches of their own": (
        """
Service: {Properties: {DesiredCount: 1}}
Scaling:
  Type: AWS::ApplicationAutoScaling::ScalableTarget
  Properties:
    ServiceNamespace: ecs
    ScalableDimension: ecs:service:DesiredCount
    ResourceId: !Sub "service/${Cluster}/${Service.Name}"
    MinCapacity: 1
    MaxCapacity: 4
""",
        dict(KC_CACHE="local"),
        ["E9013"],
    ),
    "tasks that nobody counts": (
        "Service: {Properties: {DesiredCount: !Ref Nobody}}",
        dict(KC_CACHE="local"),
        [],
    ),
    "an internal balancer": (
        "LoadBalancer: {Properties: {Scheme: internal}}",
        dict(KC_HOSTNAME=None, KC_HOSTNAME_STRICT="false"),
        [],
    ),
    "tasks on EC2": (
        "Service: {Properties: {LaunchType: EC2}}",
        dict(KC_TRANSACTION_XA_ENABLED="true"),
        ["W9014"],
    ),
    "a balancer in unknown subnets": (
        "LoadBalancer: {Properties: {Subnets: !Ref Nobody}}",
        dict(KC_PROXY_TRUSTED_ADDRESSES="10.9.0.0/16"),
        [],
    ),
    "a network balancer in front": (
        "LoadBalancer: {Properties: {Type: network}}",
        dict(KC_PROXY_TRUSTED_ADDRESSES="10.9.0.0/16"),
        [],
    ),
    "HTTPS to the tasks": (
        """
TargetGroup: {Properties: {Protocol: HTTPS, Port: 8443}}
Service:
  Properties:
    LoadBalancers: [{ContainerName: keycloak, ContainerPort: 8443, TargetGroupArn: !Ref TargetGroup}]
""",
        dict(KC_HTTP_ENABLED="false"),
        [],
    ),
    "a sidecar behind the balancer": (
        """
Service:
  Properties:
    LoadBalancers: [{ContainerName: proxy, ContainerPort: 8081, TargetGroupArn: !Ref TargetGroup}]
""",
        dict(KC_HTTP_ENABLED="false"),
        [],
    ),
    "text kept together by its dates": (
        """
TaskDefinition:
  Properties:
    ContainerDefinitions:
      - Name: keycloak
        LogConfiguration: {Options: {awslogs-datetime-format: "%Y-%m-%d"}}
""",
        dict(KC_LOG_CONSOLE_OUTPUT="default"),
        [],
    ),
    "text that doesn't go to CloudWatch": (
        """
TaskDefinition:
  Properties:
    ContainerDefinitions:
      - Name: keycloak
        LogConfiguration: {LogDriver: awsfirelens}
""",
        dict(KC_LOG_CONSOLE_OUTPUT="default"),
        [],
    ),
}


@pytest.mark.parametrize(("example", "environment", "expected"), OTHER_PARTS.values(), ids=OTHER_PARTS)
def test_what_stands_around_the_container_counts(example, environment, expected):
    """The same option is a fault or none by the service, the balancer and the log around the container."""
    assert said(environment, example=example) == expected


HOST_RULES = """
AdminRule: ~
LoadBalancer: {}
"""


def test_a_balancer_that_names_its_hosts_keeps_strange_ones_out():
    """A rule for one host checks the Host header, but not X-Forwarded-Host, which Keycloak may read."""
    loose = dict(KC_HOSTNAME=None, KC_HOSTNAME_STRICT="false", KC_PROXY_TRUSTED_ADDRESSES=None)
    headless = dict(loose, KC_PROXY_HEADERS=None, KC_HTTP_ENABLED="true")
    assert said(loose, example=HOST_RULES) == ["W9006"]
    assert said(headless, example=HOST_RULES) == []
    wild = (
        HOST_RULES
        + """
PublicRule:
  Properties:
    Conditions:
      - {Field: host-header, HostHeaderConfig: {Values: ["*.example.com"]}}
"""
    )
    assert said(headless, example=wild) == ["W9006"]


def test_a_task_that_others_reach_should_trust_its_balancer_alone():
    """Who is let in beside the balancer is named; the balancer's own group is no stranger."""
    way_in = """
Stranger: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: Others, VpcId: !Ref Vpc}}
TaskInOthers:
  Type: AWS::EC2::SecurityGroupIngress
  Properties:
    GroupId: !GetAtt TaskSecurityGroup.GroupId
    SourceSecurityGroupId: !GetAtt Stranger.GroupId
    IpProtocol: tcp
    FromPort: 8000
    ToPort: 8100
"""
    assert stock(dict(KC_PROXY_TRUSTED_ADDRESSES=None), example=way_in) == ["I9009", "W9009"]
    assert stock(example=way_in) == []
    assert stock(dict(KC_PROXY_TRUSTED_ADDRESSES=None), example=way_in.replace("8000", "8081")) == ["I9009"]


def test_a_volume_may_keep_the_file_database():
    """A dev-file database on a mounted volume outlives the task, one in memory doesn't."""
    mounts = [{"SourceVolume": "data", "ContainerPath": "/opt/keycloak/data"}]
    assert stock(dict(KC_DB="dev-file"), MountPoints=mounts) == []
    assert stock(dict(KC_DB="dev-mem"), MountPoints=mounts) == ["E9019"]


def test_a_read_only_root_matters_to_who_builds_at_start():
    """A read-only root stops who builds at start, not an image that is built."""
    found = pack.run(viewed(template(image=f"{STOCK}:26.7.4", ReadonlyRootFilesystem=True)))
    assert {one.rule for one in found if MINE.fullmatch(one.rule)} == {"E9015"}
    assert "E9015" not in said(ReadonlyRootFilesystem=True)


def test_a_user_is_told_the_very_line():
    """Fixes are lines to write: in the form in which the option is set, with the nearest name or value."""

    def fix(*arguments: Any, **more: Any) -> str:
        found = pack.run(viewed(template(*arguments, **more)))
        return next(one.fix for one in found if MINE.fullmatch(one.rule) and one.rule != "W9015")

    stock_image = f"{STOCK}:26.7.4"
    assert fix(dict(KC_HTTP_ENABLED="yes")) == 'write {Name: KC_HTTP_ENABLED, Value: "true"}'
    assert fix(command=["start", "--optimized", "--http-enabled=off"]) == "write --http-enabled=false"
    assert fix(dict(KC_DB="postgresql"), stock_image) == "write postgres"
    assert fix(dict(KC_FEATURES="token-exchnage"), stock_image).startswith("write token-exchange")
    assert fix(dict(KC_PROXY="edge", KC_PROXY_HEADERS=None)) == (
        'write {Name: KC_PROXY_HEADERS, Value: "xforwarded"} and '
        '{Name: KC_HTTP_ENABLED, Value: "true"} instead'
    )
    assert fix(command=["--verbose start"]) == "write its words as items: [--verbose, start]"
    assert "KC_TELEMETRY_SERVICE_NAME" in fix(dict(KC_TRACING_SERVICE_NAME="sso"))
    assert "10.0.1.0/24" in fix(dict(KC_PROXY_TRUSTED_ADDRESSES="10.0.0.0/24"))


def test_no_secret_is_repeated():
    """A password that stands in plain text is in no message of these rules."""
    for name in ("KC_DB_PASSWORD", "KC_BOOTSTRAP_ADMIN_PASSWORD", "KC_HTTPS_KEY_STORE_PASSWORD"):
        for one in pack.run(viewed(template({name: "hunter2-hunter2"}, f"{STOCK}:26.7.4"))):
            assert "hunter2" not in one.message + one.fix


def test_other_services_are_left_alone():
    """A container that isn't Keycloak may be called to anything."""
    text = """
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: app
          Image: example/app:26.7.4
          Command: ["start-dev --proxy"]
          Environment:
            - {Name: JAVA_OPTS, Value: -Xmx1g}
            - {Name: DB_ADDR, Value: db}
            - {Name: KEYCLOAK_ADMIN, Value: admin}
"""
    assert [one for one in pack.run(View(parse(text))) if MINE.fullmatch(one.rule)] == []


@functools.cache
def _conditions() -> frozenset[str]:
    known = (catalog.load(version).options for version in catalog.versions())
    return frozenset(option.when.removeprefix(ask.WHEN) for option in itertools.chain(*known) if option.when)


def test_every_condition_that_is_judged_is_one_of_keycloaks():
    """A condition that no version words so would never be judged: a typing error would go unseen."""
    own = {f"{who} {what}" for who in ("console", "file", "syslog") for what in ("says json", "waits")}
    assert (set(ask._CONDITIONS) - own) | set(ask._JOINED) <= _conditions()


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[3] / "rendered").glob("*/template.yaml")), ids=str
)
def test_a_rendered_template_warns_of_the_image_alone(path):
    """Of this project's own templates, only one with Keycloak's image is warned: each task builds it."""
    text = path.read_text("utf-8")
    found = {
        one.rule for one in pack.run(View(parse(text), region="eu-central-1")) if MINE.fullmatch(one.rule)
    }
    assert found == ({"W9015"} if f'"{STOCK}:' in text else set())
