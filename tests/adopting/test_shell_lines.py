"""A shell's line holds many options at one place: each is judged and carried by itself."""

from __future__ import annotations

import pytest

from tests.adopting.adoptions import adopt, loaded, task

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-AbCdEf"
OPTIONS = (
    "--db=postgres --db-url=jdbc:postgresql://db.example.com/sso --hostname=https://login.example.com "
    "--db-pool-max-size=60 --db-schema=sso"
)


def line(more: str, secrets: dict[str, str] | None = None, environment: dict[str, str] | None = None) -> dict:
    """A task whose command is one line of a shell."""
    return task(
        container={
            "entryPoint": ["/bin/sh", "-c"],
            "command": [f"/opt/keycloak/bin/kc.sh start {OPTIONS} {more}"],
            "environment": [{"name": name, "value": value} for name, value in (environment or {}).items()],
            "secrets": [{"name": name, "valueFrom": value} for name, value in (secrets or {}).items()],
        }
    )


def corrected(found) -> set[str]:
    """Keys of the lines that were corrected."""
    return {one.key for one in found.corrected}


def test_a_fault_of_one_option_leaves_the_others_alone():
    """A password and a log level that rules object to change neither hostname, pool nor schema."""
    found = adopt(line("--db-password=hunter2hunter2 --log-level=debug"))
    params = loaded(found)
    assert corrected(found) == {"keycloak.log.level"}
    assert params["keycloak"]["hostname"] == "https://login.example.com"
    assert params["keycloak"]["options"] == {"KC_DB_SCHEMA": "sso"} and params["database"]["pool_size"] == 60
    assert "KC_DB_SCHEMA" not in "".join(one.what for one in found.left)


def test_a_fault_of_an_option_still_corrects_it():
    """What a rule says of an option in the line is the reason for what is written instead."""
    found = adopt(line("--log-level=debug"))
    assert [one.why for one in found.corrected if "W9022" in one.why and "E9072" not in one.why]
    assert loaded(found)["keycloak"]["log"]["level"] == "info"


@pytest.mark.parametrize("word", ["--db-password=$DB_PW", '--db-password="${DB_PW}"', "--db-password $DB_PW"])
def test_a_secret_that_the_shell_puts_in_is_none_in_plain_text(word):
    """A variable out of the container's secrets is that secret: its ARN is carried, and nothing objected to."""
    found = adopt(line(word, secrets={"DB_PW": f"{ARN}:password::"}))
    assert loaded(found)["database"]["existing"]["secret"] == ARN
    assert not found.secrets and "E9072" not in {one.finding.rule for one in found.findings}


def test_a_variable_that_nobody_gives_is_asked_for():
    """Where nobody sees what the variable holds, it isn't called plain text either."""
    found = adopt(line("--db-password=$DB_PW"))
    why, = [one.why for one in found.unset if one.key == "database.existing.secret"]
    assert "plain text" not in why and not found.secrets


def test_a_plain_variable_is_what_the_option_says():
    """The shell puts in what Environment says, within a text as well; a password there stays an error."""
    said = {"LOGIN": "login2.example.com", "SCHEMA": "kc", "DB_PASSWORD": "hunter2hunter2"}
    found = adopt(line("--hostname=https://$LOGIN --db-schema=${SCHEMA} --db-password=$DB_PASSWORD", environment=said))
    params = loaded(found)["keycloak"]
    assert (params["hostname"], params["options"]["KC_DB_SCHEMA"]) == ("https://login2.example.com", "kc")
    places = [one.pointer for one in found.findings if one.finding.rule == "E9072"]
    assert places == ["/taskDefinition/containerDefinitions/0/environment/2/value"]


@pytest.mark.parametrize(
    ("address", "rule"),
    [
        ("${Secret}:passwort::", "E9162"),
        ("${Secret}:password", "E9161"),
        ("${Secret}", "E9162"),
        ("${Secret}:password::", ""),
    ],
    ids=["a key that isn't there", "no colons", "the whole document", "as it should be"],
)
def test_a_secret_that_the_shell_puts_in_is_judged_once(address, rule):
    """What is wrong with the variable's secret is said of the variable or of the option, not of both."""
    found = adopt(
        f"""
Resources:
  Secret:
    Type: AWS::SecretsManager::Secret
    Properties:
      GenerateSecretString: {{SecretStringTemplate: '{{"username": "kc"}}', GenerateStringKey: password}}
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties:
      ContainerDefinitions:
        - Name: sso
          Image: quay.io/keycloak/keycloak:26.7.4
          EntryPoint: [/bin/sh, -c]
          Command: ["kc.sh start {OPTIONS} --db-password=$DB_PW"]
          Secrets:
            - {{Name: DB_PW, ValueFrom: !Sub "{address}"}}
"""
    )
    said = [one.finding.rule for one in found.findings if one.finding.rule in ("E9161", "E9162", "E9072")]
    assert said == ([rule] if rule else [])
