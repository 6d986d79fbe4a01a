"""What a key means, and who said what its value is."""

from __future__ import annotations

import pytest

from generator.errors import ProjectError
from generator.params import describe, load
from generator.params.explain import explain, find

FILES = {
    "base": """\
abstract: true
account: "111122223333"
region: eu-central-1
tags: {Team: identity, cost.centre: "0815", "2026": planned}
keycloak:
  version: 26.7.4
  options: {KC_SPI_THEME_WELCOME_THEME: plain, KC_HTTP_MAX_QUEUED_REQUESTS: "10"}
  jvm_options: [-XX:+UseZGC]
service: {memory: 2048, autoscaling: {max_tasks: 6}}
load_balancer: {certificate: create, hosted_zone: Z0123456789ABCDEFGHIJ}
network:
  create: {cidr: 10.40.0.0/16}
  egress:
    - {to: 10.20.5.0/24, port: 636, description: LDAPS}
database: {create: {}}
""",
    "live": """\
abstract: true
extends: base.yaml
service: {memory: 4096, autoscaling: null}
keycloak:
  jvm_options: {append: [-Xlog:gc]}
network:
  egress:
    append:
      - {to: 10.21.5.0/24, port: 587, description: Mail}
""",
    "prod": """\
extends: live.yaml
keycloak:
  hostname: https://sso.example.com
  options: {KC_HTTP_MAX_QUEUED_REQUESTS: "20"}
service:
  memory: 8192
""",
}


@pytest.fixture(scope="module")
def prod(tmp_path_factory):
    """An environment over three levels of files."""
    root = tmp_path_factory.mktemp("explain")
    (root / "params").mkdir()
    for name, text in FILES.items():
        (root / f"params/{name}.yaml").write_text(text)
    (outcome,) = load.load_all(root)
    assert outcome.environment is not None, outcome.problems
    return outcome.environment


def chain(found) -> list[tuple[str, int, str]]:
    return [(one.file, one.line, one.text) for one in found.chain]


def test_every_file_that_set_a_value_is_named(prod):
    """Three levels of `extends`: each file's word, oldest first, the last one holds."""
    found = explain("service.memory", prod)
    assert (found.environment, found.value) == ("prod", "8192")
    assert chain(found) == [
        ("params/base.yaml", 9, "2048"), ("params/live.yaml", 3, "4096"), ("params/prod.yaml", 6, "8192")]


def test_a_default_was_set_by_nobody(prod):
    """A key that no file sets has its default and no chain."""
    found = explain("service.stop_timeout_seconds", prod)
    assert (found.value, found.chain, found.key.default) == ("60", (), "60")


def test_without_an_environment_there_is_no_value():
    """The meaning alone: type, unit, default."""
    found = explain("service.memory", None)
    assert (found.environment, found.value, found.chain) == ("", "", ())
    assert (found.key.unit, found.key.default, found.key.required) == ("MiB", "2048", False)
    assert "Memory of a task" in found.key.description


def test_a_null_is_part_of_the_history(prod):
    """What a file took away is unset again, and the file that did it is the last one."""
    found = explain("service.autoscaling", prod)
    assert found.value == "unset"
    assert chain(found) == [("params/base.yaml", 9, "{max_tasks: 6}"), ("params/live.yaml", 3, "null")]
    assert chain(explain("service.autoscaling.max_tasks", prod))[-1] == ("params/live.yaml", 3, "null")


def test_a_list_tells_how_it_grew(prod):
    """Each file's word on the list, and for an item the file that brought it."""
    found = explain("keycloak.jvm_options", prod)
    assert found.value == "[-XX:+UseZGC, -Xlog:gc]"
    assert chain(found) == [("params/base.yaml", 8, "[-XX:+UseZGC]"), ("params/live.yaml", 5, "{append: [-Xlog:gc]}")]
    item = explain("keycloak.jvm_options.1", prod)
    assert (item.key.path, item.value, chain(item)) == (
        "keycloak.jvm_options", "-Xlog:gc", [("params/live.yaml", 5, "-Xlog:gc")])


@pytest.mark.parametrize("path", ["network.egress.1.port", "network.egress[1].port"])
def test_a_key_in_a_list_of_sections(prod, path):
    """An item is named by its number, counted from 0, with a dot or in brackets."""
    found = explain(path, prod)
    assert (found.key.path, found.value) == ("network.egress[].port", "587")
    assert chain(found) == [("params/live.yaml", 9, "587")]


def test_keys_are_found_as_they_are_listed():
    """Whatever path the list of all keys shows can be asked for."""
    for key in describe.keys():
        assert find(key.path) == key


@pytest.mark.parametrize("path, value, origin", [
    pytest.param("keycloak.options.KC_HTTP_MAX_QUEUED_REQUESTS", "20", ("params/prod.yaml", 4, "20"), id="an option"),
    pytest.param("keycloak.options.KC_SPI_THEME_WELCOME_THEME", "plain", ("params/base.yaml", 7, "plain"),
                 id="an inherited option"),
    pytest.param("tags.Team", "identity", ("params/base.yaml", 4, "identity"), id="a tag"),
    pytest.param("tags.cost.centre", "0815", ("params/base.yaml", 4, "0815"), id="a name with a dot"),
    pytest.param("tags.2026", "planned", ("params/base.yaml", 4, "planned"), id="a name of digits"),
])
def test_a_free_name_has_a_value_of_its_own(prod, path, value, origin):
    """Below keys whose names the team chooses, each name is explained by itself."""
    found = explain(path, prod)
    assert found.key.path in ("keycloak.options", "tags") and path.startswith(found.key.path)
    assert (found.value, chain(found)[-1]) == (value, origin)


@pytest.mark.parametrize("path", ["keycloak.options.KC_LOG_LEVEL", "network.egress.7.port", "database.existing.host",
                                  "network.egress.port", "service.memory.0"])
def test_what_is_not_there_is_unset(prod, path):
    """A name, an item or a section that isn't set has no value and no chain."""
    found = explain(path, prod)
    assert (found.value, found.chain) == ("unset", ())


def test_a_section_lists_what_is_in_it(prod):
    """A section shows its keys, and in an environment what differs from the defaults."""
    found = explain("service", prod)
    assert found.value == "{memory: 8192}"
    assert {"service.memory", "service.autoscaling"} <= {child.path for child in found.children}
    assert "service.autoscaling.max_tasks" not in {child.path for child in found.children}
    assert [child.path for child in explain("network.egress", prod).children] == [
        "network.egress[].to", "network.egress[].port", "network.egress[].description"]


@pytest.mark.parametrize("path, hint", [
    pytest.param("service.memroy", "did you mean service.memory", id="a slip"),
    pytest.param("memory", "did you mean service.memory?", id="the last part alone"),
    pytest.param("SERVICE.MEMORY", "did you mean service.memory", id="capital letters"),
    pytest.param("database.existing.hostname", "keycloak.hostname", id="the same name elsewhere"),
    pytest.param("xyzzy", "`cloakform explain` lists all keys", id="nothing near"),
    pytest.param("", "`cloakform explain` lists all keys", id="nothing at all"),
    pytest.param("...", "`cloakform explain` lists all keys", id="dots"),
])
def test_an_unknown_key_names_the_nearest(path, hint):
    """The error says what there is no key of, and which keys were probably meant."""
    with pytest.raises(ProjectError) as caught:
        find(path)
    assert f"there is no key `{path}` (" in str(caught.value) and hint in str(caught.value)
