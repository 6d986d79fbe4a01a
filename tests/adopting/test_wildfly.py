"""A Keycloak of the WildFly time is one: what has an heir is carried, and the rest is listed."""

from __future__ import annotations

import json

import pytest

from generator import adopting
from tests.adopting.adoptions import adopt, loaded, task

VARIABLES = {
    "KEYCLOAK_FRONTEND_URL": "https://login.example.com/auth",
    "KEYCLOAK_USER": "root",
    "KEYCLOAK_PASSWORD": "hunter2hunter2",
    "DB_VENDOR": "POSTGRES",
    "DB_ADDR": "db.example.com",
    "DB_PORT": "5433",
    "DB_DATABASE": "logins",
    "DB_SCHEMA": "kc",
    "DB_USER": "kc",
    "PROXY_ADDRESS_FORWARDING": "true",
    "ROOT_LOGLEVEL": "WARN",
    "KEYCLOAK_LOGLEVEL": "DEBUG",
    "CACHE_OWNERS_COUNT": "2",
    "JAVA_OPTS_APPEND": "-Dkeycloak.profile=preview -Duser.timezone=UTC",
}
SECRET = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-AbCdEf"


def old(image: str = "jboss/keycloak:16.1.1", **variables: str) -> dict:
    """A task of that time."""
    return task(
        container={
            "image": image,
            "command": ["-b", "0.0.0.0", "-Dkeycloak.migration.action=import"],
            "environment": [{"name": name, "value": value} for name, value in (variables or VARIABLES).items()],
            "secrets": [{"name": "DB_PASSWORD", "valueFrom": f"{SECRET}:password::"}],
        }
    )


def test_what_has_an_heir_is_carried():
    """Address, database, administrator, log and secret are those of the old one."""
    found = adopt(old())
    params = loaded(found)
    keycloak, existing = params["keycloak"], params["database"]["existing"]
    assert (keycloak["hostname"], keycloak["http_relative_path"]) == ("https://login.example.com", "/auth")
    assert (keycloak["admin"]["username"], keycloak["log"]["level"]) == ("root", "warn,org.keycloak:debug")
    assert (keycloak["options"], keycloak["jvm_options"]) == ({"KC_DB_SCHEMA": "kc"}, ["-Duser.timezone=UTC"])
    assert (existing["host"], existing["port"], existing["secret"]) == ("db.example.com", 5433, SECRET)
    assert params["database"]["name"] == "logins" and "hunter2" not in found.params + repr(found)


def test_what_has_none_is_listed_with_its_place():
    """Nothing gets lost without a word, and the report says which distribution it was."""
    found = adopt(old())
    left = "\n".join(one.what for one in found.left)
    assert all(one in left for one in ("CACHE_OWNERS_COUNT", "-Dkeycloak.profile", "-Dkeycloak.migration.action"))
    assert any("16.1.1" in one.why for one in found.corrected if one.key == "keycloak.version")
    assert "WildFly distribution" in found.notes[0] and "DB_ADDR as KC_DB_URL_HOST" in found.notes[0]


def test_rules_about_todays_options_stay_silent():
    """Only the secret in plain text is objected to, which was one at that time too."""
    found = {one.finding.rule for one in adopt(old()).findings}
    assert {one for one in found if not one.startswith("E95")} == {"E9072"}


def test_without_a_url_its_path_is_the_one_of_that_time():
    """It was served below /auth unless somebody said otherwise; a host becomes an address."""
    keycloak = loaded(adopt(old(KEYCLOAK_HOSTNAME="sso.example.com", DB_ADDR="db.example.com")))["keycloak"]
    assert (keycloak["hostname"], keycloak["http_relative_path"]) == ("https://sso.example.com", "/auth")


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("docker.io/jboss/keycloak:15.0.2", "15.0.2"),
        ("jboss/keycloak", "16.1.1"),
        ("quay.io/keycloak/keycloak:16.1.0", "16.1.0"),
        ("quay.io/keycloak/keycloak:19.0.3-legacy", "19.0.3"),
        ("111122223333.dkr.ecr.eu-central-1.amazonaws.com/our-keycloak:12.0.4-3", "12.0.4"),
    ],
)
def test_the_image_tells_the_distribution(image, version):
    """Tags below 17 and legacy ones are of WildFly, whoever built the image."""
    found = adopt(old(image))
    assert [one for one in found.corrected if one.key == "keycloak.version" and version in one.why]
    assert any("our-keycloak" in one.what for one in found.left) is ("our-keycloak" in image)


@pytest.mark.parametrize(
    "image",
    ["quay.io/keycloak/keycloak:17.0.1", "corp/keycloak:26.7.4", "corp/keycloak:1.4.2", "corp/keycloak-proxy:3.1"],
)
def test_other_images_are_read_as_they_are(image):
    """A Keycloak on Quarkus with old variables left over isn't taken for one on WildFly."""
    environment = [{"name": name, "value": "x"} for name in ("DB_ADDR", "KC_DB", "KC_DB_URL_HOST")]
    found = adopting.adopt([("a.json", json.dumps(task(container={"image": image, "environment": environment})))])
    assert not any("WildFly" in one for one in found.notes) and any("DB_ADDR" in one.what for one in found.left)


def test_a_template_of_that_time_is_adopted_as_well():
    """Names in capitals, an image whose tag is a parameter, and values that only AWS knows."""
    found = adopt(
        """
Parameters: {Tag: {Type: String, Default: 16.1.1}}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: sso
          Image: !Sub "jboss/keycloak:${Tag}"
          EntryPoint: [/opt/jboss/tools/docker-entrypoint.sh]
          Environment:
            - {Name: DB_ADDR, Value: !ImportValue Host}
            - {Name: KEYCLOAK_FRONTEND_URL, Value: "https://login.example.com/auth"}
"""
    )
    assert loaded(found)["keycloak"]["hostname"] == "https://login.example.com"
    assert any("docker-entrypoint.sh" in one.what for one in found.left)
