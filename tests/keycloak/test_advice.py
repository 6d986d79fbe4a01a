"""What no class tells about options, bugs and steps: it is looked up under any name, for any version."""

from __future__ import annotations

import re

import pytest
import yaml

from generator.errors import CatalogError
from generator.keycloak import advice, facts
from generator.keycloak.catalog import Catalog, known_versions, load_known
from generator.keycloak.version import parse

DATA = yaml.safe_load(advice._FILE.read_text("utf-8"))
ENTRIES = [entry for part in DATA.values() for entry in part]


class TestReplacement:
    @pytest.mark.parametrize("name", ["proxy", "KC_PROXY", "PROXY"])
    def test_an_option_is_found_under_every_spelling(self, name):
        """Key, variable and the name without KC_ are one and the same."""
        found = advice.replacement(name, "26.0.0")
        assert found.use == ("KC_PROXY_HEADERS", "KC_HTTP_ENABLED")
        assert (found.deprecated, found.removed) == ("24.0.0", "26.0.0")
        assert "upgrading guides 24.0.0" in found.source and "edge" in found.say

    @pytest.mark.parametrize(
        ("name", "version", "use"),
        [
            ("KC_PROXY", "23.0.7", None),
            ("KC_PROXY_HEADERS", "23.0.7", ("KC_PROXY",)),
            ("KC_PROXY_HEADERS", "24.0.0", None),
            ("KEYCLOAK_ADMIN", "25.0.6", None),
            ("KEYCLOAK_ADMIN", "26.0.0", ("KC_BOOTSTRAP_ADMIN_USERNAME",)),
            ("KC_BOOTSTRAP_ADMIN_USERNAME", "25.0.6", ("KEYCLOAK_ADMIN",)),
            ("KC_BOOTSTRAP_ADMIN_USERNAME", "26.0.0", None),
            ("KEYCLOAK_FRONTEND_URL", "24.0.5", ("KC_HOSTNAME_URL",)),
            ("KEYCLOAK_FRONTEND_URL", "25.0.0", ("KC_HOSTNAME",)),
            ("KC_HOSTNAME_STRICT_HTTPS", "26.7.4", ()),
            ("KC_LOG_GELF_PORT", "26.7.4", ()),
            ("KC_DB_URL", "26.7.4", None),
            ("KC_NOPE", "26.7.4", None),
        ],
    )
    def test_the_version_decides(self, name, version, use):
        """A name is right in one version and wrong in another; where it is right, nothing is said."""
        found = advice.replacement(name, version)
        assert (found and found.use) == use

    def test_a_value_has_advice_of_its_own(self):
        """The stack kubernetes is on its way out, the option cache-stack isn't, nor is jdbc-ping."""
        found = advice.replacement("KC_CACHE_STACK", "26.3.0", "kubernetes")
        assert found.deprecated == "26.3.0" and found.use == ("KC_CACHE_CONFIG_FILE",)
        assert advice.replacement("KC_CACHE_STACK", "26.2.5", "kubernetes") is None
        assert advice.replacement("KC_CACHE_STACK", "26.3.0") is None
        assert advice.replacement("KC_CACHE_STACK", "26.3.0", "jdbc-ping") is None

    def test_options_of_providers_are_found_with_one_dash_and_with_two(self):
        """The spelling changed with 26.3, the option didn't."""
        for name in ("spi-dblock--jpa--lock-wait-timeout", "KC_SPI_DBLOCK_JPA_LOCK_WAIT_TIMEOUT"):
            assert advice.replacement(name, "26.6.0").use == ("KC_TRANSACTION_SETUP_TIMEOUT",)

    def test_half_a_version_is_refused(self):
        """What isn't a version gets no advice."""
        for ask in (lambda: advice.replacement("proxy", "26"), lambda: advice.known_bugs("26.7")):
            with pytest.raises(CatalogError):
                ask()


class TestKnownBugs:
    @pytest.mark.parametrize(
        ("version", "has"),
        [
            ("26.3.5", False),
            ("26.4.0", True),
            ("26.4.10", True),
            ("26.4.11", False),
            ("26.5.5", True),
            ("26.5.6", False),
            ("26.6.0", False),
            ("27.0.0", False),
        ],
    )
    def test_each_line_has_its_own_fix(self, version, has):
        """The ignored bind port: from 26.4.0 on, mended in 26.4.11, 26.5.6 and everything newer."""
        bugs = advice.known_bugs(version)
        assert any(bug.needs.option == "KC_CACHE_EMBEDDED_NETWORK_BIND_PORT" for bug in bugs) == has

    def test_a_line_without_a_fix_keeps_the_bug(self):
        """26.3 never got the fix that 26.4.10 has."""
        assert any("cut off for a while" in bug.say for bug in advice.known_bugs("26.3.99"))
        assert not any("cut off for a while" in bug.say for bug in advice.known_bugs("26.0.8"))

    def test_paths_agree_with_the_fact_about_them(self):
        """Two places can't say different things about one bug."""
        for version in (*known_versions(), "26.4.2", "26.4.3"):
            told = any("/realms/../admin/" in bug.say for bug in advice.known_bugs(version))
            assert told == facts.path_tricks_reach_admin(version)


class TestSteps:
    def test_a_step_crosses_what_lies_between(self):
        """The version that is left isn't crossed, the one that is reached is."""
        found = [step.version for step in advice.steps("26.3.5", "26.4.3")]
        assert found and set(found) == {"26.4.0", "26.4.3"}
        assert "26.4.3" not in [step.version for step in advice.steps("26.4.3", "26.4.7")]

    def test_they_come_oldest_first(self):
        """A reader follows them in the order in which they happen."""
        versions = [parse(step.version) for step in advice.steps("22.0.5", "26.7.4")]
        assert versions == sorted(versions) and len(versions) > 25

    def test_going_nowhere_crosses_nothing(self):
        """Neither the same version nor an older one has steps."""
        assert advice.steps("26.7.4", "26.7.4") == advice.steps("26.7.4", "26.0.8") == ()


class TestFile:
    @pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.get("option") or entry["say"][:30])
    def test_every_line_has_a_source(self, entry):
        """What can't be looked up can't be corrected."""
        known = r"(upgrading guide|issue|release notes|README|measured|server guide|the classes)"
        assert re.match(known, entry["source"]) and entry["say"]

    def test_every_option_that_takes_a_place_is_there_when_it_does(self):
        """No advice leads to an option that the version, or any later one, doesn't have."""
        for version in known_versions():
            found = load_known(version)
            administrators = facts.bootstrap_admin_variables(version)
            for entry in DATA["options"]:
                instead = advice.replacement(entry["option"], version, entry.get("value", ""))
                for name in instead.use if instead else ():
                    known = found.option(name) or name in administrators or Catalog.is_spi(name)
                    assert known, (version, entry["option"], name)

    def test_removed_and_deprecated_are_what_the_catalogs_say(self):
        """Where the classes know an option, they agree about when it went."""
        for entry in DATA["options"]:
            if entry.get("removed") and not entry["option"].startswith("spi-") and "*" not in entry["option"]:
                last = max(version for version in map(parse, known_versions()) if load_known(str(version)).option(
                    entry["option"]))
                first_without = min(version for version in map(parse, known_versions()) if version > last)
                assert last < parse(entry["removed"]) <= first_without, entry
            for value in filter(None, [entry.get("value")]):
                for version in known_versions():
                    option = load_known(version).option(entry["option"])
                    deprecated = parse(version) >= parse(entry["deprecated"])
                    assert (value in option.deprecated_values) == deprecated, (value, version)

    def test_every_kind_of_step_is_a_known_one(self):
        """The report has a place for each of them."""
        assert {step["kind"] for step in DATA["steps"]} == {"cluster", "lost", "schema", "check", "behaviour"}

    def test_a_broken_file_is_named(self, tmp_path, monkeypatch):
        """Whoever adds a line and makes a mistake reads where."""
        (tmp_path / "advice.yaml").write_text("options: [{option: x}]\n", "utf-8")
        monkeypatch.setattr(advice, "_FILE", tmp_path / "advice.yaml")
        with pytest.raises(CatalogError, match=r"advice\.yaml can't be read"):
            advice._read.__wrapped__()
