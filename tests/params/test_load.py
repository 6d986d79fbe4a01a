"""From params files to settings: every problem of every file in one run, each at the line that made it."""

from __future__ import annotations

from pathlib import Path

import pytest

from generator.params import load
from generator.params.load import Outcome

BASE = """\
abstract: true
account: "111122223333"
region: eu-central-1
tags: {Team: identity}
keycloak:
  version: 26.7.4
  image:
    kind: optimized
    repository: 111122223333.dkr.ecr.eu-central-1.amazonaws.com/keycloak
  admin:
    hostname: https://admin.example.com
    allow_from: [203.0.113.0/24]
load_balancer:
  certificate: arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111
network:
  create:
    cidr: 10.40.0.0/16
service:
  tasks: 2
  memory: 2048
database:
  create:
    multi_az: true
"""
PROD = """\
extends: base.yaml
keycloak:
  hostname: https://sso.example.com
"""


def outcomes(root: Path, **files: str) -> dict[str, Outcome]:
    """What comes of a project whose params are BASE and `files`."""
    (root / "params").mkdir(exist_ok=True)
    for name, text in {"base": BASE, **files}.items():
        (root / f"params/{name}.yaml").write_text(text, "utf-8")
    return {one.name: one for one in load.load_all(root)}


def said(outcome: Outcome) -> list[tuple[str, int, str]]:
    return [(problem.file, problem.line, problem.key) for problem in outcome.problems]


def test_what_is_right_is_an_environment(tmp_path):
    """Right params give settings, the catalog of their version, and no problem at all."""
    found = outcomes(tmp_path, prod=PROD)["prod"]
    assert found.problems == ()
    environment = found.environment
    assert (environment.name, environment.warnings) == ("prod", ())
    settings = environment.settings
    assert (settings.service.memory, settings.keycloak.hostname) == (2048, "https://sso.example.com")
    assert str(environment.catalog.version) == "26.7.4"
    assert environment.tree.files == ("params/base.yaml", "params/prod.yaml")


def test_settings_cannot_be_changed(tmp_path):
    """What was checked is what is rendered: nobody changes settings afterwards."""
    settings = outcomes(tmp_path, prod=PROD)["prod"].environment.settings
    with pytest.raises(ValueError):
        settings.account = "999999999999"


# what is added to PROD: (key, part of the message, part of the fix); the line is the last one of the file
MISTAKES = {
    # wrong types
    "a list where a section belongs": (
        "service: [2]", "service", "params/base.yaml:18 has a mapping here", "write a mapping"),
    "text where a section belongs": (
        "alarms: on-call@example.com", "alarms", "expected a section", "write its keys below"),
    "a section where text belongs": (
        "stack: {name: {a: b}}", "stack.name", "expected text, found a mapping", "one value"),
    "a list where text belongs": (
        "stack: {name: [a]}", "stack.name", "expected text, found a list", "one value"),
    "text where a list belongs": (
        "stack: {notifications: on-call}", "stack.notifications", "expected a list, found 'on-call'",
        "[one, two]"),
    "a section where a list belongs": ("stack: {notifications: {a: b}}", "stack.notifications", "expected a list",
                                       "[one, two]"),
    "a word for a number": (
        "database: {pool_size: many}", "database.pool_size", "'many' is not a whole number", "digits only"),
    "a fraction for a number": (
        "database: {pool_size: 20.5}", "database.pool_size", "'20.5' is not a whole number", "digits"),
    "a number with a unit": (
        "database: {pool_size: 20MB}", "database.pool_size", "'20MB' is not a whole number", "digits"),
    "a word for a boolean": ("dashboard: yes", "dashboard", "'yes' is not a boolean", "write true"),
    "a number for a boolean": ("dashboard: 0", "dashboard", "'0' is not a boolean", "write false"),
    "nonsense for a boolean": (
        "dashboard: perhaps", "dashboard", "'perhaps' is not a boolean", "true or false"),
    # outside of what may be
    "a number too small": (
        "database: {pool_size: 1}", "database.pool_size", "1 is less than 2", "write 2 or more"),
    "a number too large": (
        "database: {pool_size: 1001}", "database.pool_size", "1001 is more than 1000", "1000 or less"),
    "a choice misspelt": ("network: {create: {nat: per_zone}}", "network.create.nat",
                          "'per_zone' is not one of per-zone, single, none", "write per-zone"),
    "a choice like no other": (
        "service: {architecture: mips}", "service.architecture", "not one of arm64, x86_64",
        "write one of arm64, x86_64"),
    "text too long": (
        f"keycloak: {{admin: {{username: {'x' * 65}}}}}", "keycloak.admin.username", "longer than 64", "write another"),
    "text too short": (
        "keycloak: {admin: {username: ''}}", "keycloak.admin.username", "shorter than 1", "write another"),
    "a list too long": (
        f"stack: {{notifications: [{', '.join(['arn:aws:sns:eu-central-1:111122223333:a'] * 6)}]}}",
        "stack.notifications", "has 6 items", "at most 5"),
    # forms
    "a network with host bits": (
        "load_balancer: {allow_from: [203.0.113.7/24]}", "load_balancer.allow_from.0", "host bits",
        "write 203.0.113.0/24"),
    "an address for a network": (
        "load_balancer: {allow_from: [203.0.113.0/24, 203.0.113.7]}", "load_balancer.allow_from.1",
        "not a network", "203.0.113.7/32"),
    "an unknown region": (
        "region: Frankfurt", "region", "'Frankfurt' is not an AWS region", "like eu-central-1"),
    "a version nobody knows": ("keycloak: {version: 19.0.3}", "keycloak.version", "19.0.3", "write 26.7.4"),
    "a version without its last number": (
        "keycloak: {version: 26.7}", "keycloak.version", "three numbers", "like 26.7.4"),
    # unknown keys
    "an unknown key at the top": ("servce: {}", "servce", "is no key here", "did you mean `service`?"),
    "an unknown key one level down": (
        "service: {memroy: 1}", "service.memroy", "is no key here", "did you mean `memory`?"),
    "an unknown key three levels down": ("load_balancer: {health_check: {interval: 10}}",
                                         "load_balancer.health_check.interval", "is no key here", "interval_seconds"),
    "a key of another section": ("service: {pool_size: 10}", "service.pool_size", "is no key here",
                                 "did you mean `database.pool_size`?"),
    "a key at the top that belongs below": (
        "hosted_zone: Z0", "hosted_zone", "is no key here", "`load_balancer.hosted_zone`"),
    "a key like no other": (
        "service: {xyzzy: 10}", "service.xyzzy", "is no key here", "known here: tasks, cpu, memory"),
    "an unknown key with a null": (
        "service: {memroy: null}", "service.memroy", "is no key here", "did you mean `memory`?"),
    "an unknown section with a null": ("alarmz: null", "alarmz", "is no key here", "did you mean `alarms`?"),
    "an unknown key in a list of sections": (
        "network: {egress: [{to: 10.1.0.0/16, prot: 25, port: 25, description: a}]}",
        "network.egress.0.prot", "is no key here", "did you mean `port`?"),
    "no option of Keycloak's": (
        "keycloak: {options: {LOG_LEVEL: info}}", "keycloak.options.LOG_LEVEL",
        "'LOG_LEVEL' is not a Keycloak option", "KC_LOG_LEVEL"),
    # texts that no key may hold
    "a Jinja placeholder": (
        'stack: {name: "{{ name }}"}', "stack.name", "holds `{{`", "write the value itself"),
    "a shell placeholder": (
        'keycloak: {options: {KC_SPI_A_B: "${HOME}"}}', "keycloak.options.KC_SPI_A_B", "holds `${`",
        "write the value itself"),
    "a line break": ('keycloak: {options: {KC_SPI_A_B: "a\\nb"}}', "keycloak.options.KC_SPI_A_B",
                     "holds a line break", "one line"),
    "a secret in the open": ("keycloak: {options: {KC_SPI_MAIL_PASSWORD: hunter2hunter2}}",
                             "keycloak.options.KC_SPI_MAIL_PASSWORD", "holds KC_SPI_MAIL_PASSWORD", "Secrets Manager"),
    # several keys at once
    "both networks": ("network: {existing: {vpc: vpc-0a1b2c3d, cidrs: [10.0.0.0/16], private_subnets: "
                      "[subnet-0bbbbbbbbbbbbbbb1, subnet-0bbbbbbbbbbbbbbb2]}}", "network",
                      "both `create` and `existing`", "keep one"),
    "sizes that Fargate hasn't": (
        "service: {cpu: 4096, memory: 4096}", "service.memory", "Fargate has no 4096 MiB with 4096",
        "write 8192"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_at_its_line_with_what_to_do(tmp_path, name):
    """One mistake is one problem: file, line, key, what is wrong and what to write; there is no environment."""
    text, key, message, fix = MISTAKES[name]
    found = outcomes(tmp_path, prod=layered(text))["prod"]
    assert found.environment is None
    errors = [problem for problem in found.problems if problem.severity == "error"]
    assert [(problem.file, problem.line, problem.key) for problem in errors] == [("params/prod.yaml", 4, key)]
    assert message in errors[0].message and fix in errors[0].fix


def layered(text: str) -> str:
    """PROD with one more line; a section that it has already goes through one more file's worth of keys."""
    if not text.startswith("keycloak:"):
        return PROD + text + "\n"
    inner = text.removeprefix("keycloak: {").removesuffix("}")
    return PROD + f"  {inner}\n"


# what is taken out of BASE or PROD, and what stands in its place: (key, part of the fix)
MISSING = {
    "the account": ('account: "111122223333"\n', "", "account", 'add `account: "123456789012"`'),
    "the region": ("region: eu-central-1\n", "", "region", "add `region: eu-central-1`"),
    "the version": ("  version: 26.7.4\n", "", "keycloak.version", "add `version: 26.7.4`"),
    "the certificate": ("certificate: arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111",
                        "idle_timeout_seconds: 60", "load_balancer.certificate", "add `certificate: create`"),
    "the network's addresses": ("cidr: 10.40.0.0/16", "zones: 2", "network.create.cidr", "add `cidr: "),
    "the address": ("hostname: https://sso.example.com", "heap_percent: 70", "keycloak.hostname",
                    "add `hostname: https://sso.example.com`"),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_key_is_told_with_an_example(tmp_path, name):
    """What has no default must be given: the problem says what it means and shows a line to add."""
    old, new, key, fix = MISSING[name]
    assert old in BASE + PROD
    found = outcomes(tmp_path, base=BASE.replace(old, new), prod=PROD.replace(old, new))["prod"]
    (problem,) = [problem for problem in found.problems if problem.severity == "error"]
    assert problem.key == key
    assert problem.message.startswith("is missing (") and fix in problem.fix


@pytest.mark.parametrize("section", ["keycloak", "network", "load_balancer", "database"])
def test_a_missing_section_is_one_problem(tmp_path, section):
    """A whole section that is missing is told once, not key by key."""
    lines = ("\n" + BASE).split(f"\n{section}:\n")
    rest = lines[1].split("\n")
    kept = next(number for number, line in enumerate(rest) if not line.startswith(" "))
    base = (lines[0] + "\n" + "\n".join(rest[kept:])).lstrip("\n")
    prod = PROD if section != "keycloak" else "extends: base.yaml\n"
    found = outcomes(tmp_path, base=base, prod=prod)["prod"]
    errors = [problem for problem in found.problems if problem.severity == "error"]
    assert section in [problem.key for problem in errors]
    assert all(problem.key == section or problem.key.startswith(section + ".") for problem in errors)
    assert found.environment is None


def test_all_problems_of_a_file_come_in_one_run(tmp_path):
    """Nobody mends one mistake to meet the next: all of them are there, by line, and what is right is left alone."""
    found = outcomes(tmp_path, prod="""\
extends: base.yaml
region: Frankfurt
dashboard: yes
keycloak:
  hostname: http://sso.example.com
  heap_percent: 95
  features: {enabled: [tokn-exchange]}
network:
  egress:
    - {to: 10.1.0.0/16, port: 25, description: Mail}
    - {to: 10.1.0.0, port: 70000, description: LDAP}
service:
  memroy: 2048
  tasks: two
database:
  create: {storage_gb: 10}
alarms: {topic: on-call}
""")["prod"]
    assert said(found) == [("params/prod.yaml", line, key) for line, key in (
        (2, "region"), (3, "dashboard"), (5, "keycloak.hostname"), (6, "keycloak.heap_percent"),
        (7, "keycloak.features.enabled.0"), (11, "network.egress.1.port"), (11, "network.egress.1.to"),
        (13, "service.memroy"), (14, "service.tasks"), (16, "database.create.storage_gb"), (17, "alarms.topic"))]


def test_problems_of_several_files_come_in_one_run(tmp_path):
    """Each file's problems stand at its own lines; one of a shared base is told by every environment it spoils."""
    found = outcomes(tmp_path, base=BASE.replace("tasks: 2", "tasks: 0"), prod=PROD + "dashboard: on\n",
                     qa=PROD + "alarms: {cpu_percent: 101}\n", alone="account: 1\n")
    assert said(found["prod"]) == [("params/base.yaml", 19, "service.tasks"), ("params/prod.yaml", 4, "dashboard")]
    assert said(found["qa"]) == [("params/base.yaml", 19, "service.tasks"), ("params/qa.yaml", 4, "alarms.cpu_percent")]
    assert ("params/alone.yaml", 1, "account") in said(found["alone"])
    assert all(one.environment is None for one in found.values())


def test_one_bad_environment_leaves_the_others(tmp_path):
    """An environment with a problem isn't returned; those beside it are whole."""
    found = outcomes(tmp_path, bad=PROD + "dashboard: on\n", good=PROD, worse="a: [\n")
    assert [name for name, one in found.items() if one.environment is not None] == ["good"]
    assert found["good"].problems == ()


def test_a_problem_of_the_base_stands_in_the_base(tmp_path):
    """The line that is told is the one that set the value, in whichever file."""
    found = outcomes(tmp_path, base=BASE.replace("10.40.0.0/16", "10.40.0.0/8"), prod=PROD)["prod"]
    assert said(found) == [("params/base.yaml", 17, "network.create.cidr")]


def test_a_value_that_is_overridden_is_not_judged(tmp_path):
    """What a base says counts for nothing where the environment says otherwise."""
    base = BASE.replace("memory: 2048", "memory: a lot")
    found = outcomes(tmp_path, base=base, prod=PROD + "service: {memory: 4096}\n")
    assert found["prod"].environment.settings.service.memory == 4096


def test_warnings_keep_no_environment_back(tmp_path):
    """What is only unwise is said and rendered: a warning stands beside the environment, with its line."""
    found = outcomes(tmp_path, prod=PROD + "network: {create: {nat: single}}\n")["prod"]
    assert found.problems == ()
    (warning,) = found.environment.warnings
    assert (warning.severity, warning.file, warning.line, warning.key) == (
        "warning", "params/prod.yaml", 4, "network.create.nat")
    assert "per-zone" in warning.fix


def test_warnings_come_along_with_errors(tmp_path):
    """With an error in the same file the warning is said too, so that both are mended at once."""
    found = outcomes(tmp_path, prod=PROD + "network: {create: {nat: single}}\ndashboard: on\n")["prod"]
    assert [(problem.line, problem.severity) for problem in found.problems] == [(4, "warning"), (5, "error")]
    assert found.environment is None


@pytest.mark.parametrize("text, read, value", [
    pytest.param("service: {memory: null}", lambda s: s.service.memory, 2048, id="a number"),
    pytest.param("service: {memory: ~}", lambda s: s.service.memory, 2048, id="a tilde"),
    pytest.param("service: {memory: }", lambda s: s.service.memory, 2048, id="nothing at all"),
    pytest.param("service: null", lambda s: s.service.tasks, 2, id="a section"),
    pytest.param("tags: null", lambda s: s.tags, {}, id="free names"),
    pytest.param("tags: {Team: null}", lambda s: s.tags, {}, id="one free name"),
    pytest.param("dashboard: null", lambda s: s.dashboard, False, id="what nobody set"),
    pytest.param("alarms: null", lambda s: s.alarms, None, id="a section that nobody set"),
])
def test_a_null_brings_the_default_back(tmp_path, text, read, value):
    """Over an inherited value a null means the default; where nothing was inherited it means the default too."""
    base = BASE.replace("  memory: 2048", "  memory: 4096")
    found = outcomes(tmp_path, base=base, prod=PROD + text + "\n")["prod"]
    assert found.environment is not None, found.problems
    assert read(found.environment.settings) == value


def test_a_null_takes_the_other_half_of_a_choice_away(tmp_path):
    """`create: null` beside `existing` turns an inherited choice round."""
    found = outcomes(tmp_path, prod=PROD + """\
network:
  create: null
  existing:
    vpc: vpc-0a1b2c3d4e5f67890
    cidrs: [10.60.0.0/16]
    public_subnets: [subnet-0aaaaaaaaaaaaaaa1, subnet-0aaaaaaaaaaaaaaa2]
    private_subnets: [subnet-0bbbbbbbbbbbbbbb1, subnet-0bbbbbbbbbbbbbbb2]
    database_subnets: [subnet-0ccccccccccccccc1, subnet-0ccccccccccccccc2]
""")["prod"]
    assert found.environment is not None, found.problems
    assert found.environment.settings.network.create is None


def test_a_null_does_not_stand_for_what_is_required(tmp_path):
    """Taking away a value without a default leaves it missing, told at the line of the null."""
    found = outcomes(tmp_path, prod=PROD + "region: null\n")["prod"]
    (problem,) = found.problems
    assert (problem.key, problem.message[:10]) == ("region", "is missing")
    assert (problem.file, problem.line) == ("params/prod.yaml", 4)


def test_items_of_a_list_keep_their_own_lines(tmp_path):
    """An appended item that is wrong is told where it was appended, with its number in the whole list."""
    found = outcomes(tmp_path, base=BASE + "  pool_size: 20\n", prod=PROD.replace(
        "keycloak:\n",
        "keycloak:\n  admin:\n    allow_from:\n      append:\n        - 198.51.100.0/24\n        - home\n"))
    assert said(found["prod"]) == [("params/prod.yaml", 7, "keycloak.admin.allow_from.2")]


def test_lists_of_sections_are_told_by_item_and_key(tmp_path):
    """Of several items with mistakes each is named by its number; what is missing in an item is told at the item."""
    found = outcomes(tmp_path, prod=PROD + """\
network:
  egress:
    - {to: 10.1.0.0/16, port: 0, description: Mail}
    - {to: 10.2.0.0/16, port: 389, description: LDAP}
    - {to: 10.3.0.0/16, port: 636}
    - to: 10.4.0.0/16
      port: 25
      description: "no \\"quotes\\", please"
    - 10.5.0.0/16
""")["prod"]
    assert said(found) == [("params/prod.yaml", line, key) for line, key in (
        (6, "network.egress.0.port"), (8, "network.egress.2.description"), (11, "network.egress.3.description"),
        (12, "network.egress.4"))]


def test_a_wrong_path_is_not_looked_for(tmp_path):
    """A provider outside of the project is told once; nobody complains that an example's file is missing."""
    found = outcomes(tmp_path, prod=layered("keycloak: {image: {providers: [/etc/x.jar]}}"))["prod"]
    assert said(found) == [("params/prod.yaml", 4, "keycloak.image.providers.0")]


def test_the_same_params_give_the_same_problems(tmp_path):
    """Problems come sorted by file and line, in the same words every time."""
    text = PROD + "region: x\ndashboard: on\nservice: {a: 1, b: 2, c: 3}\n"
    first = outcomes(tmp_path, prod=text)["prod"].problems
    assert first == outcomes(tmp_path, prod=text)["prod"].problems == tuple(sorted(first))
    assert len(first) == 5
