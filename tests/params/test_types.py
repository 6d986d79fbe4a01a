"""Text from a params file becomes a value in one obvious way, or a problem that says what to write instead."""

from __future__ import annotations

import ipaddress
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from generator.params import describe
from generator.params import types as t
from tests.trials import changed, try_text


def written(key: str, literal: str):
    """The good environment in which `key` is spelt as `literal`, whatever YAML would make of it."""
    text = yaml.safe_dump(changed({key: "SPELT"}), sort_keys=False)
    assert text.count("SPELT") == 1
    return try_text(text.replace("SPELT", literal))


def problem_of(key: str, literal: str):
    """The problem that a key spelt like this has; it must be at its line and the only one there."""
    trial = written(key, literal)
    found, = [problem for problem in trial.problems if problem.key == key]
    assert (found.file, found.line, found.severity) == ("params/dev.yaml", trial.line(key), "error")
    assert found.fix
    return found


def value_of(key: str, literal: str):
    """The value that a key spelt like this has."""
    node = written(key, literal).environment.settings
    for step in key.split("."):
        node = node[step] if isinstance(node, dict) else getattr(node, step)
    return node


# --- booleans and numbers as people spell them --------------------------------------------------------------------

@pytest.mark.parametrize(("literal", "value"), [("true", True), ("false", False), ('"true"', True), ("'false'", False)])
def test_a_boolean_is_true_or_false(literal, value):
    """With or without quotes, and nothing else."""
    assert value_of("load_balancer.deletion_protection", literal) is value


@pytest.mark.parametrize(("literal", "fix"), [
    ("on", "write true"), ("off", "write false"), ("yes", "write true"), ("No", "write false"), ("y", "write true"),
    ("True", "write true"), ("FALSE", "write false"), ("1", "write true"), ("0", "write false"),
    ("enabled", "write true or false"), ("'true '", "write true or false"), ("[true]", "write true or false"),
])
def test_what_yaml_calls_a_boolean_is_told_how_to_write_it(literal, fix):
    """`on` and its like are refused with the word that is meant."""
    problem = problem_of("load_balancer.deletion_protection", literal)
    assert "is not a boolean" in problem.message
    assert problem.fix == fix


@pytest.mark.parametrize(("literal", "value"), [("3", 3), ('"3"', 3), ("'64'", 64), ("10", 10)])
def test_a_number_is_its_digits(literal, value):
    """With or without quotes."""
    assert value_of("load_balancer.stickiness_seconds", literal) == value


@pytest.mark.parametrize(("literal", "message", "fix"), [
    ("08", "'08' has leading zeros", "write 8"),
    ("010", "'010' has leading zeros", "write 10"),
    ("1_000", "'1_000' is not a whole number", "write digits only"),
    ("1e3", "'1e3' is not a whole number", "write digits only"),
    ("0x10", "'0x10' is not a whole number", "write digits only"),
    ("1:30", "'1:30' is not a whole number", "write digits only"),
    ("3.0", "'3.0' is not a whole number", "write digits only"),
    ("+3", "'+3' is not a whole number", "write digits only"),
    ('" 3"', "' 3' is not a whole number", "write digits only"),
    ("three", "'three' is not a whole number", "write digits only"),
    ("true", "'true' is not a whole number", "write digits only"),
    ("٣", "'٣' is not a whole number", "write digits only"),
    ("[3]", "expected a whole number", "write digits only"),
    ("{a: 3}", "expected a whole number", "write digits only"),
    ("9" * 30, f"'{'9' * 30}' is not a whole number", "write digits only"),
    ("-3", "-3 is less than 1", "write 1 or more"),
    ("0", "0 is less than 1", "write 1 or more"),
    ("604801", "604801 is more than 604800", "write 604800 or less"),
])
def test_a_number_spelt_oddly_is_refused(literal, message, fix):
    """What YAML would turn into another number, and what it wouldn't, is told in one sentence."""
    problem = problem_of("load_balancer.stickiness_seconds", literal)
    assert problem.message == message
    assert problem.fix.startswith(fix)


@pytest.mark.parametrize(("key", "literal", "value"), [
    ("tags", "{Cost: 0815, Open: on, At: 1:30, Share: 1e3, Since: 2026-01-31}",
     {"Cost": "0815", "Open": "on", "At": "1:30", "Share": "1e3", "Since": "2026-01-31"}),
    ("keycloak.options", "{KC_HTTP_POOL_MAX_THREADS: 010, KC_LOG_ASYNC: true}",
     {"KC_HTTP_POOL_MAX_THREADS": "010", "KC_LOG_ASYNC": "true"}),
    ("database.create.engine_version", "17.10", "17.10"),
    ("keycloak.image.tag", "2026.10", "2026.10"),
])
def test_text_stays_as_it_is_spelt(key, literal, value):
    """Versions keep their last digit, numbers their zero, and `on` is a word."""
    assert value_of(key, literal) == value


def test_an_account_keeps_its_leading_zero():
    """An id without quotes, which YAML would read as an octal number, is the id that is written."""
    text = yaml.safe_dump(changed({"account": "SPELT", "load_balancer.certificate": "create",
                                   "load_balancer.hosted_zone": "Z0123456789ABCDEFGHIJ"}))
    for literal in ("012345670123", '"012345670123"'):
        assert try_text(text.replace("SPELT", literal)).environment.settings.account == "012345670123"


@pytest.mark.parametrize(("key", "literal", "message", "fix"), [
    ("account", "12345678901", "'12345678901' is not an account id of twelve digits", 'write it like "123456789012"'),
    ("account", "1234_5678_9012", "is not an account id", 'write it like "123456789012"'),
    ("region", "Frankfurt", "'Frankfurt' is not an AWS region", "write it like eu-central-1"),
    ("region", "eu-central-1a", "is not an AWS region", "write it like eu-central-1"),
    ("keycloak.version", "26.10", "'26.10' is not a Keycloak version of three numbers", "write it like 26.7.4"),
    ("keycloak.version", "latest", "'latest' is not a Keycloak version", "write it like 26.7.4"),
    ("keycloak.version", "26.7.4-1", "is not a Keycloak version", "write it like 26.7.4"),
    ("keycloak.hostname", "sso.example.com", "'sso.example.com' is not an https:// address",
     "write https://sso.example.com"),
    ("keycloak.hostname", "http://sso.example.com", "is not an https:// address", "write https://sso.example.com"),
    ("keycloak.hostname", "https://sso.example.com/", "has a path", "keycloak.http_relative_path"),
    ("keycloak.hostname", "https://sso.example.com/auth", "has a path", "keycloak.http_relative_path"),
    ("keycloak.hostname", "https://sso.example.com:8443", "has a port", "the balancer listens on 443"),
    ("keycloak.hostname", "https://SSO.example.com", "has upper-case letters", "write https://sso.example.com"),
    ("keycloak.hostname", "https://localhost", "'localhost' is not a full host name", "https://sso.example.com"),
    ("keycloak.hostname", "https://10.0.0.1", "'10.0.0.1' is not a full host name", "https://sso.example.com"),
    ("keycloak.hostname", "https://-a.example.com", "is not a full host name", "https://sso.example.com"),
    ("keycloak.hostname", f"https://{'a' * 64}.example.com", "is not a full host name", "https://sso.example.com"),
    ("keycloak.http_relative_path", "auth", "'auth' is not a path", "such as /auth"),
    ("keycloak.http_relative_path", "/auth/", "'/auth/' is not a path", "such as /auth"),
    ("keycloak.http_relative_path", "/a//b", "is not a path", "leading and no trailing slash"),
    ("keycloak.http_relative_path", "/../admin", "is not a path", "leading and no trailing slash"),
    ("keycloak.http_relative_path", "/" + "a" * 64, "is longer than 64 characters", "a shorter path"),
    ("keycloak.log.retention_days", "31", "CloudWatch Logs keeps no 31 days", "write 60, or one of 1, 3, 5, 7, 14, 30"),
    ("keycloak.log.retention_days", "9999", "CloudWatch Logs keeps no 9999 days", "write 3653"),
    ("network.create.cidr", "10.40.0.0", "'10.40.0.0' is not a network", "such as 10.40.0.0/32"),
    ("network.create.cidr", "10.40.0.1/16", "'10.40.0.1/16' has host bits set", "write 10.40.0.0/16"),
    ("network.create.cidr", "10.40.0.0/14", "has a prefix length outside /16 to /24", "such as 10.40.0.0/16"),
    ("network.create.cidr", "10.40.0.0/25", "has a prefix length outside /16 to /24", "such as 10.40.0.0/16"),
    ("network.create.cidr", "2001:db8::/32", "is not an IPv4 network", "write it like 203.0.113.0/24"),
    ("network.create.cidr", "10.40.0.0/33", "is not an IPv4 network", "write it like 203.0.113.0/24"),
    ("network.create.nat", "per_zone", "'per_zone' is not one of per-zone, single, none", "write per-zone"),
    ("service.architecture", "arm", "'arm' is not one of arm64, x86_64", "write arm64"),
    ("service.architecture", "riscv", "'riscv' is not one of", "write one of arm64, x86_64"),
    ("load_balancer.certificate", "auto", "'auto' is not `create` or an ACM certificate ARN", "write it like create"),
    ("database.create.instance_class", "m7g.large", "is not an RDS instance class", "write it like db.m7g.large"),
    ("database.create.engine_version", "18beta1", "is not a PostgreSQL version", "write it like 17.10"),
    ("database.create.backup_window", "02:00", "is not a daily window in UTC", "02:00-03:00"),
    ("database.create.maintenance_window", "02:00-03:00", "is not a weekly window in UTC", "sun:03:30-sun:04:30"),
    ("stack.name", "1-keycloak", "is not a CloudFormation stack name", "write it like keycloak-prod"),
    ("alarms", "yes", "expected a section, found 'yes'", "or {} for all defaults"),
    ("tags", "[a, b]", "expected a mapping of names to values, found a list", "`name: value`"),
    ("keycloak.jvm_options", "-Xmx1g", "expected a list, found '-Xmx1g'", "write it as [one, two]"),
    ("keycloak.admin.username", "[root]", "expected text, found a list", "write one value"),
    ("keycloak.admin.username", '""', "is shorter than 1 characters", "write another"),
    ("keycloak.admin.username", "a" * 65, "is longer than 64 characters", "write another"),
])
def test_a_text_of_the_wrong_form_is_told_the_right_one(key, literal, message, fix):
    """Each type says what it isn't and how it is written."""
    problem = problem_of(key, literal)
    assert message in problem.message
    assert fix in problem.fix


@pytest.mark.parametrize(("key", "literal"), [
    ("keycloak.hostname", "https://a.bc"), ("keycloak.hostname", "https://xn--bcher-kva.example"),
    ("keycloak.hostname", f"https://{'a' * 63}.example.com"), ("keycloak.http_relative_path", "/"),
    ("keycloak.http_relative_path", "/auth/v2.0_x~y-z"), ("keycloak.http_relative_path", "/" + "a" * 63),
    ("keycloak.log.retention_days", "3653"), ("network.create.cidr", "10.40.0.0/24"),
    ("network.create.cidr", "100.64.0.0/16"), ("database.create.backup_window", '"23:30-00:30"'),
    ("database.create.engine_version", '"16"'), ("keycloak.admin.username", "a" * 64),
    ("stack.name", "Keycloak-1"), ("alarms", "{emails: [a.b+c@example.co.uk]}"),
])
def test_a_text_of_the_right_form_is_taken(key, literal):
    """Forms at the edge of what is allowed are allowed."""
    assert written(key, literal).problems == ()


def test_an_item_of_a_list_is_told_at_its_own_line():
    """A wrong item names its number and its line; the others are no problem."""
    trial = written("keycloak.admin.allow_from", "\n    - 203.0.113.0/24\n    - 203.0.113.7\n    - 198.51.100.1/24")
    assert [(problem.key, problem.line, problem.fix) for problem in trial.problems] == [
        ("keycloak.admin.allow_from.1", trial.line("keycloak.admin.allow_from") + 2,
         "write it with its prefix length, such as 203.0.113.7/32"),
        ("keycloak.admin.allow_from.2", trial.line("keycloak.admin.allow_from") + 3, "write 198.51.100.0/24")]


def test_a_list_may_be_too_long_or_too_short():
    """Sixty-one networks are one too many; no network of a VPC is one too few."""
    networks = [f"203.0.113.{number}/32" for number in range(61)]
    problem = problem_of("keycloak.admin.allow_from", str(networks).replace("'", ""))
    assert (problem.message, problem.fix) == ("has 61 items", "list at most 60")
    assert written("keycloak.admin.allow_from", str(networks[:60]).replace("'", "")).problems == ()


@pytest.mark.parametrize(("key", "fix"), [
    ("keycloak.verison", "did you mean `version`?"),
    ("service.task", "did you mean `tasks`?"),
    ("keycloak.tasks", "did you mean `service.tasks`?"),
    ("database.create.qqq", "known here: engine_version"),
])
def test_an_unknown_key_is_told_the_nearest(key, fix):
    """A slip of the pen is told the key that is meant, a key in the wrong place where it belongs."""
    problem = problem_of(key, "x")
    assert problem.message == "is no key here"
    assert problem.fix.startswith(fix)


@pytest.mark.parametrize("name", ["kc_db_schema", "DB_SCHEMA", "KC-DB-SCHEMA", "JAVA_OPTS"])
def test_an_option_that_is_no_variable_of_keycloaks_is_refused(name):
    """Options are written as Keycloak's environment variables, and nothing else is let through to the container."""
    problem, = written("keycloak.options", f"{{{name}: x}}").problems
    assert problem.key == f"keycloak.options.{name}"
    assert "is not a Keycloak option as an environment variable" in problem.message
    assert problem.fix == "write it like KC_LOG_LEVEL"


# --- the types themselves -------------------------------------------------------------------------------------------

TYPES = {name: kind for name, kind in vars(t).items()
         if hasattr(kind, "__metadata__") and name not in ("Annotated",)}


@pytest.mark.parametrize("name", TYPES)
def test_a_type_takes_its_own_example(name):
    """What a problem or the reference shows as an example is right, and editors agree."""
    adapter = TypeAdapter(TYPES[name])
    schema = adapter.json_schema()
    for example in schema.get("examples", []):
        text = example.strip('"')
        assert adapter.validate_python(text) == text
        assert re.search(schema["pattern"], text)


@pytest.mark.parametrize("key", [key for key in describe.keys() if not key.section and "[]" not in key.path],
                         ids=lambda key: key.path)
def test_every_required_text_has_an_example(key):
    """A missing key can always be told how it is written."""
    path = tuple(key.path.split("."))
    if key.required and not key.type.startswith("list of"):
        assert describe.example_at(path)
    assert not key.type.startswith("list of") or describe.example_at((*path, 0)) or "features" in path


CIDR, HOST, WHOLE = TypeAdapter(t.Cidr), TypeAdapter(t.HttpsUrl), TypeAdapter(t.Int)


@given(address=st.integers(0, 2**32 - 1), length=st.integers(0, 32))
def test_a_network_is_taken_as_it_is_or_told_its_network(address, length):
    """A network without host bits comes back as written; with them, the fix is the network."""
    text = f"{ipaddress.IPv4Address(address)}/{length}"
    network = str(ipaddress.IPv4Network(text, strict=False))
    if network == text:
        assert CIDR.validate_python(text) == text
        return
    with pytest.raises(ValidationError) as caught:
        CIDR.validate_python(text)
    assert caught.value.errors()[0]["ctx"]["fix"] == f"write {network}"


@given(number=st.integers(-10**17, 10**17))
def test_every_whole_number_is_read_as_it_is_written(number):
    """The decimal digits of a number are the number."""
    assert WHOLE.validate_python(str(number)) == number


@given(text=st.text(st.sampled_from("abcA-.0:/@?# _é"), max_size=20))
def test_an_address_is_one_host_or_refused(text):
    """Whatever is taken as an address is https:// and one host name, so it can be compared and printed."""
    try:
        taken = HOST.validate_python(f"https://{text}")
    except ValidationError:
        return
    assert taken == f"https://{text}"
    assert re.fullmatch(r"[a-z0-9.-]+\.[a-z0-9-]+", text)
