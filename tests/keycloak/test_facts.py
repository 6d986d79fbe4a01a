"""What no class tells of a version, checked against the catalogs wherever they know a part of it."""

from __future__ import annotations

import inspect

import pytest

from generator.errors import CatalogError
from generator.keycloak import facts
from generator.keycloak.catalog import known_versions, load_known, masked
from generator.keycloak.version import Version, parse

FUNCTIONS = [
    function
    for _, function in inspect.getmembers(facts, inspect.isfunction)
    if function.__module__ == facts.__name__
]


def from_to(fact) -> tuple:
    """Known versions on which a fact holds: first and last."""
    holds = [version for version in known_versions() if fact(version)]
    assert holds == list(known_versions())[known_versions().index(holds[0]) : known_versions().index(holds[-1]) + 1]
    return holds[0], holds[-1]


def option_from_to(key: str) -> tuple:
    return from_to(lambda version: load_known(version).option(key))


class TestAgainstTheCatalogs:
    """A fact and the options that belong to it must come and go with the same version."""

    @pytest.mark.parametrize(
        ("fact", "key"),
        [
            (facts.management_port, "http-management-port"),
            (
                lambda version: facts.bootstrap_admin_variables(version)[0].startswith("KC_"),
                "bootstrap-admin-username",
            ),
            (lambda version: facts.hostname_model(version) == 2, "hostname-backchannel-dynamic"),
        ],
        ids=[
            "management port",
            "first administrator",
            "hostname model",
        ],
    )
    def test_a_fact_holds_exactly_where_its_option_exists(self, fact, key):
        """From the version in which the option came to the one in which it went."""
        assert from_to(fact) == option_from_to(key)

    def test_jdbc_ping_is_a_stack_where_the_fact_says_so(self):
        """The stacks of the distribution hold it from the version that the fact names."""
        for version in known_versions():
            stacks = {stack.name for stack in load_known(version).stacks}
            assert facts.jdbc_ping_available(version) == ("jdbc-ping" in stacks)

    def test_encryption_is_the_default_where_the_option_says_so(self):
        """Where the option exists, its default is the fact; where it doesn't, nothing is encrypted."""
        for version in known_versions():
            option = load_known(version).option("cache-embedded-mtls-enabled")
            assert facts.cluster_encryption_available(version) == bool(option)
            encrypted = bool(option) and option.default == "true"
            assert facts.cluster_encrypted_by_default(version) == encrypted

    def test_the_default_stack_is_one_that_there_is(self):
        """No version falls back on a stack that it doesn't have, nor on one that is only deprecated later."""
        for version in known_versions():
            assert facts.default_stack(version) in {stack.name for stack in load_known(version).stacks}

    def test_options_that_nodes_must_agree_about_are_options(self):
        """Each of them exists in the newest version."""
        newest = load_known(known_versions()[-1])
        assert all(newest.option(key) for key in facts.RECREATE)

    def test_administrators_variables_are_options_or_older_than_options(self):
        """From 26 on both names are options; before, neither the old nor the new ones are."""
        for version in known_versions():
            names = facts.bootstrap_admin_variables(version)
            assert {bool(load_known(version).option(name)) for name in names} == {parse(version) >= (26, 0, 0)}
            assert masked(names[1]) and not masked(names[0])

    def test_refused_paths_can_be_allowed_again_only_where_they_are_refused(self):
        """http-accept-non-normalized-paths came with the refusal, within 26.4."""
        first, _ = option_from_to("http-accept-non-normalized-paths")
        assert parse(first).line == (26, 4) and not facts.path_tricks_reach_admin(first)
        assert facts.path_tricks_reach_admin("26.3.5")

    def test_scripts_are_public_as_long_as_the_server_has_them(self):
        """The feature js-adapter serves /js/."""
        for version in known_versions():
            assert ("/js/" in facts.public_paths(version)) == bool(load_known(version).feature("js-adapter"))


class TestHealth:
    @pytest.mark.parametrize(("version", "port"), [("22.0.5", None), ("23.0.7", None), ("24.0.5", None), ("25.0.0", 9000), ("26.7.4", 9000)])
    def test_the_management_port_came_with_25(self, version, port):
        """Before, health is on the main port."""
        assert facts.management_port(version) == port


class TestPaths:
    @pytest.mark.parametrize(
        ("version", "more"),
        [
            ("22.0.5", ("/js/", "/robots.txt")),
            ("24.0.5", ("/js/", "/robots.txt")),
            ("25.0.6", ("/js/", "/robots.txt")),
            ("26.0.8", ("/robots.txt",)),
            ("26.1.0", ()),
            ("26.3.5", ()),
            ("26.4.0", ("/.well-known/",)),
            ("26.7.4", ("/.well-known/",)),
        ],
    )
    def test_public_paths_come_and_go(self, version, more):
        """Realms and resources always; scripts, robots.txt and /.well-known/ in their time only."""
        assert facts.public_paths(version) == ("/realms/", "/resources/", *more)

    @pytest.mark.parametrize(
        ("version", "reached"),
        [("24.0.5", True), ("26.3.5", True), ("26.4.2", True), ("26.4.3", False), ("26.7.4", False)],
    )
    def test_dots_reach_the_console_up_to_26_4_2(self, version, reached):
        """The check came with a patch release, so the line alone doesn't tell."""
        assert facts.path_tricks_reach_admin(version) is reached

    @pytest.mark.parametrize(("version", "reached"), [("26.4.7", True), ("26.6.0", False), ("26.7.4", False)])
    def test_path_parameters_do_longer(self, version, reached):
        """/admin;x/ was refused later than dots were."""
        assert facts.path_parameters_reach_admin(version) is reached


class TestNames:
    @pytest.mark.parametrize(
        ("version", "expected"),
        [
            ("26.2.5", "KC_SPI_STICKY_SESSION_ENCODER_INFINISPAN_SHOULD_ATTACH_ROUTE"),
            ("26.3.0", "KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE"),
        ],
    )
    def test_provider_options_are_spelled_as_the_version_reads_them(self, version, expected):
        """Two underscores between the parts work from 26.3 on and are ignored before."""
        parts = ("sticky-session-encoder", "infinispan", "should-attach-route")
        assert facts.spi_variable(version, *parts) == expected

    def test_literal_values_have_a_prefix_from_26_6_on(self):
        """KCRAW_ isn't read before."""
        assert facts.raw_prefix("26.6.0") == "KCRAW_"
        assert facts.raw_prefix("26.5.5") is None

    @pytest.mark.parametrize(
        ("version", "name"), [("25.0.6", "KEYCLOAK_ADMIN"), ("26.0.0", "KC_BOOTSTRAP_ADMIN_USERNAME")]
    )
    def test_the_first_administrator_goes_by_the_name_that_works(self, version, name):
        """The new names are ignored silently before 26."""
        assert facts.bootstrap_admin_variables(version)[0] == name


@pytest.mark.parametrize(
    ("version", "majors"),
    [
        ("22.0.5", (13, 16)),
        ("24.0.5", (13, 16)),
        ("26.0.8", (13, 16)),
        ("26.1.0", (13, 17)),
        ("26.4.7", (13, 17)),
        ("26.5.0", (14, 18)),
        ("26.7.4", (14, 18)),
    ],
)
def test_postgresql_majors_are_those_of_the_guides(version, majors):
    """Oldest and newest major version, as the guides and the tests of Keycloak have them."""
    assert facts.postgresql_majors(version) == majors


@pytest.mark.parametrize(
    ("version", "majors"),
    [
        ("22.0.5", (17, 17)),
        ("24.0.5", (17, 17)),
        ("25.0.0", (17, 21)),
        ("26.5.5", (17, 21)),
        ("26.6.0", (17, 25)),
    ],
)
def test_java_majors_are_those_of_the_release_notes(version, majors):
    """An image of one's own finds the range that the server is made for."""
    assert facts.java_majors(version) == majors


@pytest.mark.parametrize(
    ("version", "dots", "parameters"),
    [
        ("22.0.5", False, True),
        ("23.0.7", True, True),
        ("24.0.5", True, True),
        ("25.0.6", True, False),
        ("26.0.8", True, False),
        ("26.4.2", True, False),
        ("26.4.7", False, True),
        ("26.5.5", False, False),
        ("26.7.4", False, False),
    ],
)
def test_path_tricks_reach_what_they_were_seen_to_reach(version, dots, parameters):
    """22 has another framework, which takes no dots for the console; a `;` shows it where no error was seen."""
    assert facts.path_tricks_reach_admin(version) is dots
    assert facts.path_parameters_show_console(version) is parameters


def test_patch_releases_roll_from_26_6_on():
    """No older line lets old and new nodes share a cluster, and with the preview 26.4 and 26.5 alone."""
    rolling = [version for version in known_versions() if facts.patches_roll(version)]
    assert rolling == ["26.6.4", "26.7.4"] and not facts.patches_roll("26.5.9")
    preview = [version for version in known_versions() if facts.patches_roll(version, preview=True)]
    assert preview == ["26.4.7", "26.5.5", *rolling] and not facts.patches_roll("26.3.5", preview=True)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
class TestEveryFact:
    def test_it_names_its_source(self, function):
        """A fact that can't be looked up can't be corrected."""
        assert "Source: " in function.__doc__ or "guide" in function.__doc__

    def test_it_takes_the_version_in_either_form_and_no_other(self, function):
        """Text and Version give the same answer; half a version gives none."""
        needed = inspect.signature(function).parameters
        more = {name: "x" for name in ("spi", "provider", "name") if name in needed}
        assert function("26.4.3", **more) == function(Version(26, 4, 3), **more)
        with pytest.raises(CatalogError):
            function("26.4", **more)
