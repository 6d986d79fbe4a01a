"""Secrets that somebody wrote into params: refused without being repeated, and nothing else is taken for one."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.keycloak import catalog
from generator.params.secrets import secret_in
from tests.trials import ACCOUNT, GONE, FOUND_DATABASE, changed, try_out

PEM = "-----BEGIN RSA PRIVATE KEY-----MIIEowIBAAKCAQEAy8Dbv8prpJ-----END RSA PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
SECRET_ARN = f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:mail-AbCdEf:password::"
KEY_ARN = f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/0a1b2c3d-0000-1111-2222-333344445555"


def option(name: str, value: str) -> tuple[dict, str, str]:
    """(changes that set one Keycloak option, its key, what mustn't be repeated)."""
    return {"keycloak.options": {name: value}}, f"keycloak.options.{name}", value


def jvm(value: str, secret: str) -> tuple[dict, str, str]:
    """(changes that give a second JVM option, its key, what mustn't be repeated)."""
    return {"keycloak.jvm_options": ["-XX:+UseZGC", value]}, "keycloak.jvm_options.1", secret


# what: ((changes, key, what mustn't be repeated), part of the message)
SECRETS = {
    "the database's password": (option("KC_DB_PASSWORD", "hunter2"), "KC_DB_PASSWORD, which Keycloak masks"),
    "the password of another data source": (option("KC_DB_PASSWORD_USERS", "tr0ub4dor"), "which Keycloak masks"),
    "the password of the first administrator": (
        option("KC_BOOTSTRAP_ADMIN_PASSWORD", "change-me"), "which Keycloak masks as a secret"),
    "the password of a vault": (option("KC_VAULT_PASS", "open-sesame"), "KC_VAULT_PASS, which Keycloak masks"),
    "a header that authorises telemetry": (
        option("KC_TRACING_HEADER_AUTHORIZATION", "Basic-aGk6aG8"), "which Keycloak masks"),
    "a provider's client secret": (
        option("KC_SPI_CONNECTIONS__MINE__CLIENT_SECRET", "s3cr3t-value"), "which by its name is a secret|masks"),
    "a provider's token": (option("KC_SPI_SMS_MINE_API_TOKEN", "abcdefgh"), "which by its name is a secret"),
    "a provider's API key": (option("KC_SPI_CAPTCHA__MINE__API_KEY", "not so random"), "by its name is a secret"),
    "a provider's key that is drawn by lot": (
        option("KC_SPI_STORE__MINE__KEY", "Zx81Qw7PPl20sFe9aa"), "by its name is a secret"),
    "a provider's passphrase": (option("KC_SPI_KEYS__MINE__PASSPHRASE", "correct horse"), "by its name is a secret"),
    "a private key": (option("KC_SPI_KEYS__MINE__RSA", PEM), "a private key"),
    "a JDBC address with a user": (
        option("KC_DB_URL_FULL_USERS", "jdbc:postgresql://sso:pa55word@db.example.com/sso"),
        "a JDBC URL with credentials"),
    "a JDBC address with a password behind it": (
        option("KC_DB_URL_FULL_USERS", "jdbc:postgresql://db.example.com/sso?user=sso&password=pa55word"),
        "a password in connection properties"),
    "connection properties with a password of a key": (
        option("KC_DB_URL_PROPERTIES_USERS", "?sslmode=verify-full&sslpassword=pa55word"),
        "a password in connection properties"),
    "an address with user and password": (
        option("KC_TRACING_ENDPOINT", "https://agent:l3tmein@otel.example.com:4317"), "a URL with credentials"),
    "an address with a password only": (
        option("KC_SPI_CACHE__MINE__REDIS", "redis://:l3tmein@redis.example.com"), "a URL with credentials"),
    "an access key of AWS": (option("KC_SPI_MAIL__SES__ID", "AKIAIOSFODNN7EXAMPLE"), "an AWS access key id"),
    "a temporary access key of AWS": (({"tags": {"Owner": "ASIAY34FZKBOKMUTVV7A"}}, "tags.Owner",
                                       "ASIAY34FZKBOKMUTVV7A"), "an AWS access key id"),
    "a secret key of AWS": (
        option("KC_SPI_MAIL__SES__SETTINGS", "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        "an AWS secret access key"),
    "a web token": (option("KC_SPI_X__Y__ASSERTION", JWT), "a JSON web token"),
    "a GitHub token": (option("KC_SPI_X__Y__Z", "ghp_" + "a1B2" * 9), "a GitHub token"),
    "a fine-grained GitHub token": (option("KC_SPI_X__Y__Z", "github_pat_" + "a1B2_" * 9), "a GitHub token"),
    "a GitLab token": (option("KC_SPI_X__Y__Z", "glpat-" + "a1B2" * 6), "a GitLab token"),
    "a Slack token": (option("KC_SPI_X__Y__Z", "xoxb-123456789012-abcdefABCDEF"), "a Slack token"),
    "a trust store's password for the JVM": (
        jvm("-Djavax.net.ssl.trustStorePassword=changeit", "changeit"), "a password in a JVM option"),
    "a token for the JVM": (jvm("-Dmy-agent.api-token=abcdef0123", "abcdef0123"), "a password in a JVM option"),
    "an agent's licence for the JVM": (jvm("-Dnewrelic.config.license_key=0a1bNRAL", "0a1bNRAL"), "in a JVM option"),
    "an agent's access key for the JVM": (jvm("-Dagent.accountAccessKey=appd-9", "appd-9"), "in a JVM option"),
    "a proxy's password for the JVM": (jvm("-Dhttp.proxyPass=l3tmein", "l3tmein"), "in a JVM option"),
    "a short name of a password for the JVM": (jvm("-Dldap.bind.pwd=l3tmein", "l3tmein"), "in a JVM option"),
    "a credential for the JVM": (jvm("-Dcom.acme.credential=l3tmein", "l3tmein"), "in a JVM option"),
    "a key for the JVM": (jvm("-Dcom.acme.private_key=l3tmein", "l3tmein"), "in a JVM option"),
    "a short name of a provider's password": (option("KC_SPI_EMAIL__SMTP__PWD", "l3tmein"), "by its name is a secret"),
    "the shortest name of a provider's password": (
        option("KC_SPI_STORAGE__LDAP__BIND_PW", "l3tmein"), "by its name is a secret"),
    "a webhook of Slack": (
        option("KC_SPI_EVENTS__HOOK__URL", "https://hooks.slack.com/services/T0AB/B0CD/l3tmein"), "a Slack webhook"),
    "an authorization header": (
        option("KC_SPI_X__Y__HEADER", "Authorization: Bearer l3tmein0123456789ab"), "an authorization header"),
    "a password in a JSON text": (
        option("KC_SPI_X__Y__SETTINGS", '{"user": "sso", "password": "l3tmein"}'), "a secret in a JSON text"),
    "a password behind a default": (
        option("KC_SPI_X__Y__PASSWORD", "${PASSWORD:-l3tmein}"), "masks as a secret"),
    "a password where no key is": (
        ({"database.password": "hunter2hunter2"}, "database.password", "hunter2hunter2"), "by its name is a secret"),
    "a password in a tag": (({"tags": {"DbPassword": "hunter2"}}, "tags.DbPassword", "hunter2"), "by its name"),
    "a token instead of a feature": (
        ({"keycloak.features.enabled": ["ghp_" + "a1B2" * 9]}, "keycloak.features.enabled.0", "ghp_" + "a1B2" * 9),
        "a GitHub token"),
    "a token instead of a number": (
        option("KC_HTTP_POOL_MAX_THREADS", "ghp_" + "a1B2" * 9), "a GitHub token"),
}

NO_SECRETS = {
    "a path to a key store": {"keycloak.options": {"KC_HTTPS_KEY_STORE_FILE": "/opt/keycloak/conf/server.keystore"}},
    "a path to a certificate's key": {"keycloak.options": {"KC_HTTPS_CERTIFICATE_KEY_FILE": "/mnt/tls/tls.key"}},
    "how passwords are hashed": {"keycloak.options": {"KC_SPI_PASSWORD_HASHING__PROVIDER_DEFAULT": "argon2"}},
    "how good passwords must be": {"keycloak.options": {"KC_SPI_PASSWORD_POLICY__MINE__BLOCKLIST_PATH": "/data/bad"}},
    "a token's life": {"keycloak.options": {"KC_SPI_X__Y__ACCESS_TOKEN_LIFESPAN": "300"}},
    "a number of tokens": {"keycloak.options": {"KC_SPI_X__Y__MAX_TOKEN": "5000"}},
    "whether there is a secret": {"keycloak.options": {"KC_SPI_X__Y__ROTATE_SECRET": "true"}},
    "an empty password": {"keycloak.options": {"KC_SPI_X__Y__PASSWORD": ""}},
    "the ARN of a secret": {"keycloak.options": {"KC_SPI_X__Y__CLIENT_SECRET": SECRET_ARN}},
    "the ARN of a secret option": {"keycloak.secret_options": {"KC_SPI_X__Y__CLIENT_SECRET": SECRET_ARN}},
    "the ARN of a parameter": {"keycloak.secret_options": {
        "KC_HTTPS_KEY_STORE_PASSWORD": f"arn:aws:ssm:eu-central-1:{ACCOUNT}:parameter/keycloak/store"}},
    "the secret of a database that was found": {"database": FOUND_DATABASE},
    "the key of a created database": {"database.create.kms_key": KEY_ARN},
    "the key of a found database's secret": {"database": FOUND_DATABASE, "database.existing.secret_kms_key": KEY_ARN},
    "a tag named Key": {"tags": {"Key": "team-keys"}},
    "a tag that counts tokens": {"tags": {"token-service": "yes", "password-policy": "strict"}},
    "a host with token in its name": {"keycloak.hostname": "https://token.secret.example.com"},
    "an address whose path has an at sign": {
        "keycloak.options": {"KC_TRACING_ENDPOINT": "https://otel.example.com:4317/v1/@traces"}},
    "a JDBC address without credentials": {
        "keycloak.options": {"KC_DB_URL_FULL_USERS": "jdbc:postgresql://db.example.com:5432/users?sslmode=verify-full"}},
    "a JDBC address with an empty password": {
        "keycloak.options": {"KC_DB_URL_FULL_USERS": "jdbc:postgresql://db.example.com/users?user=x&password="}},
    "a log level of secrets": {"keycloak.log.level": "info,org.keycloak.secret:debug,org.keycloak.token:trace"},
    "a log level of a category": {"keycloak.options": {"KC_LOG_LEVEL_ORG_KEYCLOAK_TOKEN": "debug"}},
    "the key of a map": {"keycloak.options": {"KC_SPI_X__Y__KEY": "primary"}},
    "a long word as the key of a map": {"keycloak.options": {"KC_SPI_X__Y__KEY": "preferred_username_of_user"}},
    "a public key": {"keycloak.options": {"KC_SPI_X__Y__PUBLIC_KEY": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"}},
    "the site key of a captcha": {"keycloak.options": {"KC_SPI_X__Y__SITE_KEY": "6LeIxAcTAAAAAJcZVRqyHh71UMIEGNQ"}},
    "a JVM option about tokens": {"keycloak.jvm_options": ["-Dkeycloak.token.lifespan=300", "-Drequire.password=true"]},
    "a trust store's path for the JVM": {"keycloak.jvm_options": ["-Djavax.net.ssl.trustStore=/opt/trust.jks"]},
    "words that end like passwords": {"keycloak.jvm_options": [
        "-Dhttp.bypass=internal", "-Dcom.acme.compass=north", "-Dcom.acme.publicKey=Zx81Qw7PPl20sFe9aa"]},
    "paths under names of keys and tokens": {"keycloak.jvm_options": [
        "-Dcom.acme.privateKey=/opt/keycloak/conf/acme.pem", "-Daws.web.identity.token=/var/run/aws/token"]},
    "a short name that only begins like a password's": {"keycloak.options": {"KC_SPI_X__Y__PWA": "l3tmein"}},
    "the name of a secret": {"keycloak.options": {"KC_SPI_X__Y__SECRET_NAME": "sso/mail"}},
    "a format of log lines": {"keycloak.options": {"KC_LOG_CONSOLE_FORMAT": "%d token=%X{token} %s%n"}},
    "an address of Slack's that is no webhook": {
        "keycloak.options": {"KC_SPI_X__Y__URL": "https://acme.slack.com/archives/C01"}},
    "a policy of passwords": {"keycloak.options": {"KC_SPI_X__Y__RULES": "password-policy=length(8) and notUsername"}},
    "two words with dots": {"tags": {"Version": "eyJ.eyJ.short", "Id": "AKIA-team"}},
}

THE_SAME = {**{name: row[0][0] for name, row in SECRETS.items()}, **NO_SECRETS}


def test_no_case_is_another_one_again():
    """Twenty and more of each, and no two the same."""
    assert min(len(SECRETS), len(NO_SECRETS)) >= 20
    shown = [repr(changes) for changes in THE_SAME.values()]
    assert len(set(shown)) == len(shown) == len(SECRETS) + len(NO_SECRETS)


@pytest.mark.parametrize(("where", "message"), SECRETS.values(), ids=SECRETS)
def test_a_secret_is_refused_and_not_repeated(where, message):
    """A secret gives an error at its line that says what it is and where it belongs; no problem shows it."""
    changes, key, secret = where
    trial = try_out(changes)
    assert trial.outcome.environment is None
    found = [problem for problem in trial.problems if problem.message.startswith("holds ")]
    assert [(problem.key, problem.file, problem.line, problem.severity) for problem in found] == [
        (key, "params/dev.yaml", trial.line(key), "error")]
    assert any(part in found[0].message for part in message.split("|"))
    assert "Secrets Manager" in found[0].fix and "keycloak.secret_options" in found[0].fix
    assert not any(secret in str(problem) for problem in trial.problems)


@pytest.mark.parametrize("changes", NO_SECRETS.values(), ids=NO_SECRETS)
def test_what_only_looks_like_a_secret_is_left_alone(changes):
    """A path, a number, a reference or a name with a telling word in it is no secret, nor wrong in any other way."""
    assert try_out(changes).problems == ()


@pytest.mark.parametrize(("name", "value"), [
    pytest.param("KC_SPI_X__Y__CLIENT_SECRET", "${CLIENT_SECRET}", id="a variable"),
    pytest.param("KC_DB_PASSWORD", "${env.DB-PASSWORD}", id="a variable of the environment"),
    pytest.param("jvm_options", "-Djavax.net.ssl.trustStorePassword=${STORE}", id="a variable for the JVM"),
    pytest.param("KC_DB_URL_FULL_X", "jdbc:postgresql://db.example.com/x?user=${U}&password=${P}", id="in JDBC"),
    pytest.param("KC_DB_URL_FULL_X", "jdbc:postgresql://sso:${P}@db.example.com/x", id="before a host"),
])
def test_a_reference_is_no_secret(name, value):
    """A value that names where the secret is doesn't hold it; that params fill nothing in is another problem."""
    assert secret_in(name, value, catalog.masked) is None
    assert secret_in(name, value.replace("${", "$x").replace("}", ""), catalog.masked)


def test_a_secret_in_the_place_of_its_arn_is_not_repeated():
    """Whoever writes the secret itself where its ARN belongs is told so without seeing it again."""
    for changes, key, what in (
            ({"keycloak.secret_options": {"KC_DB_SCHEMA": "hunter2"}}, "keycloak.secret_options.KC_DB_SCHEMA",
             "is not the ARN of a Secrets Manager secret or an SSM parameter"),
            ({"database": FOUND_DATABASE, "database.existing.secret": "hunter2"}, "database.existing.secret",
             "is not a Secrets Manager secret ARN")):
        problem, = try_out(changes).problems
        assert (problem.key, problem.message) == (key, what)
        assert "hunter2" not in str(problem) and "arn:aws:secretsmanager" in problem.fix


def test_a_secret_hides_no_other_problem():
    """Everything else that is wrong is told beside it."""
    trial = try_out({"keycloak.options": {"KC_DB_PASSWORD": "hunter2", "KC_XYZZY": "1"}, "service.cpu": 1000,
                     "keycloak.version": GONE})
    assert sorted(problem.key for problem in trial.problems) == [
        "keycloak.options.KC_DB_PASSWORD", "keycloak.version", "service.cpu"]
    trial = try_out({"keycloak.options": {"KC_DB_PASSWORD": "hunter2", "KC_XYZZY": "1"}})
    assert [problem.key for problem in trial.problems] == [
        "keycloak.options.KC_DB_PASSWORD", "keycloak.options.KC_DB_PASSWORD", "keycloak.options.KC_XYZZY"]


def test_a_run_that_meets_a_secret_ends_with_2_and_writes_nothing(tmp_path):
    """The whole program refuses it, prints where it stands and not what it is, and leaves no file."""
    (tmp_path / "params").mkdir()
    (tmp_path / "templates").symlink_to(os.path.abspath("templates"))
    params = changed({"keycloak.options": {"KC_DB_PASSWORD": "hunter2"}})
    (tmp_path / "params/dev.yaml").write_text(yaml.safe_dump(params))
    run = subprocess.run([sys.executable, "-m", "generator", "--project", str(tmp_path), "render"],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 2, run.stderr
    assert "KC_DB_PASSWORD, which Keycloak masks as a secret" in run.stdout + run.stderr
    assert "hunter2" not in run.stdout + run.stderr
    assert not (tmp_path / "rendered").exists()


@settings(max_examples=200)
@given(value=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=7, max_size=40))
def test_whatever_a_masked_option_holds_is_a_secret(value):
    """Under a name that Keycloak masks, every text but a reference, a boolean or a small number is a secret."""
    plain = value.isdigit() or value.startswith(("${", "arn:"))
    assert plain or secret_in("KC_DB_PASSWORD", value, catalog.masked)


@pytest.mark.parametrize("name", sorted(catalog.masked_names()))
def test_every_name_that_keycloak_masks_is_known(name):
    """No option whose value Keycloak hides in its own log can be written with its value."""
    assert secret_in(name, "correct-horse-battery", catalog.masked)
    assert secret_in(name, SECRET_ARN, catalog.masked) is None
