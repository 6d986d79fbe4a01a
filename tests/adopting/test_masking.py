"""Secrets within longer texts: they alone are masked, so that the rest is read and carried."""

from __future__ import annotations

import pytest

from generator.adopting.masking import MASK, masked
from tests.adopting.adoptions import adopt, loaded, task

SECRET = "hunter2hunter2"


def cleaned(text: str, *path: str) -> str:
    """A text as it is after masking, where it stands below `path`."""
    data: object = [text]
    for step in reversed(path):
        data = {step: data}
    found, _ = masked({"Any": data})
    while not isinstance(found, str):
        found = next(iter(found.values() if isinstance(found, dict) else found))
    return found


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        pytest.param(
            f"jdbc:postgresql://db:5433/sso?user=kc&password={SECRET}&ssl=true",
            f"jdbc:postgresql://db:5433/sso?user=kc&password={MASK}&ssl=true",
            id="in connection properties",
        ),
        pytest.param(f"amqp://kc:{SECRET}@mq/x", f"amqp://kc:{MASK}@mq/x", id="before a host"),
        pytest.param(f"amqp://kc:p@{SECRET}@mq/x", f"amqp://kc:{MASK}@mq/x", id="with an at sign in it"),
        pytest.param(
            f'-Da=b -Dx.keyStorePassword="two {SECRET}" -XX:+UseZGC',
            f"-Da=b -Dx.keyStorePassword={MASK} -XX:+UseZGC",
            id="in quotation marks",
        ),
        pytest.param(f"'-Dx.password=two {SECRET}' -Da=b", f"'-Dx.password={MASK}' -Da=b", id="a quoted option"),
        pytest.param(f"X='-Dx.password={SECRET} -Da=b' c", f"X='-Dx.password={MASK} -Da=b' c", id="a quoted list"),
        pytest.param(f'{{"password": "x\\"{SECRET}", "a": 1}}', f'{{"password": "{MASK}", "a": 1}}', id="in JSON"),
    ],
)
def test_only_the_secret_of_a_text_is_masked(text, rest):
    """What stands before and behind a secret stays as it is."""
    assert cleaned(text) == rest


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        pytest.param(
            f"kc.sh start --db-password='two {SECRET}' --db=postgres",
            f"kc.sh start --db-password={MASK} --db=postgres",
            id="in quotation marks",
        ),
        pytest.param(f"kc.sh --db-password {SECRET} --a=b", f"kc.sh --db-password {MASK} --a=b", id="a word"),
        pytest.param(f"kc.sh --db-password -{SECRET} --a=b", f"kc.sh --db-password {MASK} --a=b", id="with a dash"),
        pytest.param(f"KC_DB_PASSWORD={SECRET}; kc.sh", f"KC_DB_PASSWORD={MASK}; kc.sh", id="assigned"),
        pytest.param(f"kc.sh --db-password=two\\ {SECRET} -v", f"kc.sh --db-password={MASK} -v", id="escaped"),
        pytest.param(
            f"JAVA_OPTS='-Da=b -Dx.password={SECRET}' kc.sh --db='x'",
            f"JAVA_OPTS='-Da=b -Dx.password={MASK}' kc.sh --db='x'",
            id="at the end of a quoted list",
        ),
        *(
            pytest.param(line, line, id=name)
            for name, line in {
                "a variable": "kc.sh --db-password=$DB_PW --db=postgres",
                "a variable in quotation marks": 'kc.sh --db-password="${DB_PW}" --db=postgres',
                "what another program prints": "KC_DB_PASSWORD=$(fetch --secret-id sso) exec kc.sh start",
                "an option without a value": "kc.sh --db-password --db=postgres",
            }.items()
        ),
    ],
)
def test_a_line_of_a_shell_keeps_everything_else(line, rest):
    """In a command's script the secret goes, and what the shell puts in its place is none."""
    assert cleaned(line, "command") == rest


def test_a_dynamic_reference_hides_no_secret_beside_it():
    """The address of one secret stays, and another one in the same text is masked."""
    text = "-Da.password={{resolve:secretsmanager:sso:SecretString:a}} -Db.password="
    assert cleaned(text + SECRET) == text + MASK


def test_a_url_with_a_password_is_carried_without_it():
    """Host, port and database come from the rest of the URL; the report says where the password stands."""
    found = adopt(task({"KC_DB_URL": f"jdbc:postgresql://db.example.com:5433/sso?user=kc&password={SECRET}"}))
    params = loaded(found)["database"]
    assert (params["existing"]["host"], params["existing"]["port"], params["name"]) == ("db.example.com", 5433, "sso")
    assert SECRET not in repr(found) and len(found.secrets) == 1
    why, = {one.why for one in found.left if one.what.startswith(("user in", "password in"))}
    assert "KC_DB_URL_PROPERTIES" not in why


def test_options_of_the_jvm_beside_a_secret_are_carried():
    """The property with the password is left out, its neighbours stay."""
    found = adopt(task({"JAVA_OPTS_APPEND": f"-Dhttp.proxyHost=proxy -Dhttp.proxyPassword={SECRET} -XX:+UseZGC"}))
    assert loaded(found)["keycloak"]["jvm_options"] == ["-Dhttp.proxyHost=proxy", "-XX:+UseZGC"]
    assert [one.what for one in found.left if "JVM option" in one.what]


@pytest.mark.parametrize(
    "variables",
    [
        {"JAVA_OPTS_APPEND": f"-Dnewrelic.config.license_key={SECRET} -Dagent.accountAccessKey={SECRET}"},
        {"JAVA_OPTS_APPEND": f"-Dhttp.proxyPass={SECRET} -Dldap.bind.pwd={SECRET} -Dacme.credential={SECRET}"},
        {"KC_SPI_EMAIL__SMTP__PWD": SECRET, "KC_SPI_STORAGE__LDAP__BIND_PW": SECRET},
        {"KC_SPI_EVENTS__HOOK__URL": f"https://hooks.slack.com/services/T0AB/B0CD/{SECRET}"},
        {"JDBC_PARAMS": f"ssl=true&password={SECRET}", "KC_DB_PASSWORD": "123456"},
    ],
    ids=["agents", "properties", "short names", "a webhook", "parameters, a number"],
)
def test_secrets_of_all_names_stay_out_of_params(variables):
    """Whatever a secret is called, neither the params nor the report repeat it."""
    found = adopt(task(variables))
    assert found.secrets and SECRET not in found.params + repr(found) and "123456" not in found.params + repr(found)
