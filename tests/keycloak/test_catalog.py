"""The catalogs know what each version understands, and find it again under the names that people write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generator.errors import CatalogError
from generator.keycloak import catalog
from generator.keycloak.catalog import (
    known_in,
    known_versions,
    load,
    load_known,
    masked,
    masked_names,
    versions,
)

LINES = ("22.0", "23.0", "24.0", "25.0", "26.0", "26.1", "26.2", "26.3", "26.4", "26.5", "26.6", "26.7")
KNOWN = known_versions()
CATALOGS = Path(catalog.__file__).with_name("catalogs")


class TestVersions:
    def test_every_line_from_22_on_is_there_oldest_first(self):
        """No minor line is missing between the oldest and the newest."""
        assert tuple(version.rpartition(".")[0] for version in KNOWN) == LINES

    def test_environments_start_with_24(self):
        """22 and 23 are understood, say in somebody's template, and no environment is rendered for them."""
        assert KNOWN[2:] == versions() and versions()[0].startswith("24.0.")

    @pytest.mark.parametrize("version", KNOWN)
    def test_a_known_version_is_its_own_source(self, version):
        """A version with a catalog is answered from it, and nothing needs saying."""
        found = load_known(version)
        assert (found.version, found.source, found.note) == (version, version, "")

    @pytest.mark.parametrize(
        ("asked", "source", "note"),
        [
            pytest.param("26.4.1", "26.4.7", "older than the known 26.4.7 of its line", id="older patch"),
            pytest.param("26.4.11", "26.4.7", "newer than the known 26.4.7 of its line", id="newer patch"),
            pytest.param("26.7.9", "26.7.4", "newer than the newest known 26.7.4", id="newest line"),
            pytest.param("27.0.0", "26.7.4", "newer than the newest known 26.7.4", id="newer line"),
            pytest.param("25.3.0", "25.0.6", "of a line that isn't known", id="line between"),
            pytest.param("24.0.0", "24.0.5", "older than the known 24.0.5 of its line", id="oldest line"),
        ],
    )
    def test_another_version_takes_the_nearest_catalog_and_says_so(self, asked, source, note):
        """The nearest catalog answers, preferably of the same line, and one sentence names both versions."""
        found = load(asked)
        assert (found.version, found.source) == (asked, source)
        assert found.note == f"{asked} is {note}: its options are taken from {source}"

    def test_ten_is_newer_than_nine(self):
        """Versions compare as numbers, not as text."""
        assert load("26.10.0").source == "26.7.4"
        assert load("26.10.0").at_least(26, 9)

    @pytest.mark.parametrize("version", ["23.0.7", "22.0.5", "9.0.0"])
    def test_a_version_before_all_lines_is_refused_with_the_range(self, version):
        """An older line has other options altogether, so it is refused and the range is named."""
        with pytest.raises(CatalogError, match=rf"{version} is too old: write one from 24\.0\.0 to 26\.7\.4"):
            load(version)

    def test_22_and_23_are_understood_where_anything_may_run(self):
        """A foreign template may run 22; what is older still is refused with its own range."""
        assert load_known("22.0.1").source == "22.0.5"
        assert load_known("23.0.9").note.startswith("23.0.9 is newer than the known 23.0.7 of its line")
        with pytest.raises(CatalogError, match=r"21\.1\.2 is too old: write one from 22\.0\.0 to 26\.7\.4"):
            load_known("21.1.2")

    def test_both_ways_of_loading_agree_from_24_on(self):
        """Which one a caller takes only matters for what an environment can't run."""
        for version in (*versions(), "26.4.1", "27.0.0"):
            assert load(version) == load_known(version)

    @pytest.mark.parametrize(
        "version", ["26", "26.7", "latest", "26.x", "26.7.4-1", "v26.7.4", "26.07.4", ""]
    )
    def test_a_malformed_version_is_refused_with_an_example(self, version):
        """What isn't three numbers is refused, saying what to write."""
        with pytest.raises(CatalogError, match="write all three numbers, such as 26.7.4"):
            load(version)

    def test_at_least_counts_the_version_asked_for(self):
        """Questions about the version are about the one asked for, not about the catalog that answers."""
        found = load("26.4.1")
        assert found.minor == (26, 4)
        assert found.at_least(26, 4) and found.at_least(26, 4, 1)
        assert not found.at_least(26, 4, 2)


class TestOptions:
    @pytest.mark.parametrize("version", KNOWN)
    def test_every_option_is_found_by_key_and_by_variable(self, version):
        """Key and variable lead to the same option, wildcards' own patterns too."""
        found = load_known(version)
        by_key = {option.key: option for option in found.options}
        assert len(by_key) > 85
        for option in found.options:
            assert found.option(option.key) == option
            # Two hidden options of 26.6 differ in upper and lower case alone, so that they share a variable.
            assert found.option(option.env).env == option.env

    def test_every_entry_speaks_of_known_kinds_only(self):
        """No type or state slips through under a name that nobody handles."""
        for version in KNOWN:
            kinds = {option.type for option in load_known(version).options}
            assert kinds <= {"boolean", "duration", "integer", "list", "number", "path", "string"}
            states = {feature.state for feature in load_known(version).features}
            assert states <= {"on", "off", "preview", "experimental", "deprecated"}

    @pytest.mark.parametrize("name", ["KC_NOPE", "nope", "DB_URL", "KC_db_url", "KC_", ""])
    def test_an_unknown_name_is_no_option(self, name):
        """Nothing but the exact name is an option."""
        assert load("26.7.4").option(name) is None

    def test_an_option_says_what_it_is(self):
        """Whether it is built in, its values, default, condition and help come from the distribution."""
        found = load("26.7.4")
        db = found.option("KC_DB")
        assert (db.key, db.build, db.default) == ("db", True, "dev-file")
        assert "postgres" in db.values and not db.open
        assert db.about == "The database vendor."
        stack = found.option("cache-stack")
        assert stack.when == "Available only when 'cache' type is set to 'ispn'"
        assert stack.open and not stack.build
        assert found.option("KC_SHUTDOWN_TIMEOUT").default == "10s"
        assert found.option("KC_HTTP_MANAGEMENT_ENABLED").hidden and not db.hidden

    @pytest.mark.parametrize("key", ["cache", "cache-stack", "cache-config-file"])
    def test_cache_options_are_built_in_up_to_24(self, key):
        """From 25 on, the cache is a matter of run time; an image for 24 must be built for it."""
        assert all(load_known(version).option(key).build for version in ("22.0.5", "23.0.7", "24.0.5"))
        assert not load("25.0.6").option(key).build

    @pytest.mark.parametrize(
        ("name", "key", "variable"),
        [
            ("KC_LOG_LEVEL_ORG_KEYCLOAK", "log-level-<category>", "KC_LOG_LEVEL_ORG_KEYCLOAK"),
            ("log-level-org.keycloak", "log-level-<category>", "KC_LOG_LEVEL_ORG_KEYCLOAK"),
            ("KC_DB_URL_FULL_USERS", "db-url-full-<datasource>", "KC_DB_URL_FULL_USERS"),
            ("KC_DB_PASSWORD_USERS", "db-password-<datasource>", "KC_DB_PASSWORD_USERS"),
            ("KC_FEATURE_PASSKEYS", "feature-<name>", "KC_FEATURE_PASSKEYS"),
        ],
    )
    def test_a_wildcard_answers_for_what_it_stands_for(self, name, key, variable):
        """A name below a wildcard is known, and the option tells which one was asked for."""
        option = load("26.7.4").option(name)
        assert (option.key, option.env, option.wildcard) == (key, variable, True)
        assert name.endswith(option.argument)

    def test_a_wildcard_leaves_its_own_stem_and_real_options_alone(self):
        """KC_LOG_LEVEL and KC_DB_URL_HOST are options of their own, and a bare stem is nothing."""
        found = load("26.7.4")
        assert found.option("KC_LOG_LEVEL").key == "log-level"
        assert found.option("KC_DB_URL_HOST").key == "db-url-host"
        assert found.option("KC_FEATURE_") is None

    def test_a_wildcard_is_unknown_before_it_came(self):
        """26.0 has no log level by category, 26.1 has."""
        assert load("26.0.8").option("KC_LOG_LEVEL_ORG_KEYCLOAK") is None
        assert load("26.1.4").option("KC_LOG_LEVEL_ORG_KEYCLOAK")

    def test_a_literal_value_is_the_same_option_from_26_6_on(self):
        """KCRAW_ is a spelling of KC_ where Keycloak reads it, and nothing before."""
        assert load("26.6.4").option("KCRAW_DB_PASSWORD").key == "db-password"
        assert load("26.5.5").option("KCRAW_DB_PASSWORD") is None

    def test_options_of_providers_are_recognised_and_in_no_catalog(self):
        """KC_SPI_ names are free: they are told apart, not looked up."""
        found = load("26.7.4")
        assert found.is_spi("KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE")
        assert found.option("KC_SPI_TRUSTSTORE_FILE_FILE") is None
        assert not found.is_spi("KC_SPIN")

    def test_25_means_hostname_v2_and_still_knows_the_names_of_v1(self):
        """Names that both models have are v2's; names of v1 alone belong to the feature hostname:v1."""
        found = load("25.0.6")
        hostname = found.option("KC_HOSTNAME")
        assert (hostname.category, hostname.feature, hostname.deprecated) == ("Hostname v2", "", "")
        v1 = {option.key for option in found.options if option.feature == "hostname:v1"}
        assert v1 == {
            "hostname-admin-url",
            "hostname-path",
            "hostname-port",
            "hostname-strict-backchannel",
            "hostname-strict-https",
            "hostname-url",
        }
        assert load("24.0.5").option("KC_HOSTNAME_URL").feature == ""
        assert load("26.0.8").option("KC_HOSTNAME_URL") is None

    @pytest.mark.parametrize("version", KNOWN)
    def test_plumbing_is_left_out(self, version):
        """What Keycloak makes for its own mappers is no option that somebody could set."""
        keys = [option.key for option in load_known(version).options]
        assert not {"exporter", "importer", "proxy-forwarded-host"} & set(keys)
        assert not [key for key in keys if key.endswith("-hidden-mapper")]
        assert load_known(version).option("KC_BOOTSTRAP_ADMIN_EXPIRATION") is None

    def test_a_deprecated_option_says_what_to_do_instead(self):
        """The advice is Keycloak's own; where it has none, that is said; other options carry none."""
        assert load("24.0.5").option("KC_PROXY").deprecated == "Use proxy-headers."
        renamed = load("26.7.4").option("KC_TRACING_SERVICE_NAME")
        assert renamed.deprecated.startswith("Use telemetry-service-name. ")
        bare = load("26.7.4").option("KC_LEGACY_OBSERVABILITY_INTERFACE")
        assert bare.deprecated == "Keycloak names nothing that takes its place."
        assert load("26.7.4").option("KC_PROXY_HEADERS").deprecated == ""

    def test_kubernetes_is_a_deprecated_stack_from_26_3_on(self):
        """The stack of DNS discovery is deprecated from 26.3, with Keycloak's advice, and not before."""
        later, earlier = load("26.3.5").option("cache-stack"), load("26.2.5").option("cache-stack")
        assert "kubernetes" in later.deprecated_values
        assert later.deprecated_note == "Use 'jdbc-ping' instead by leaving it unset"
        assert "kubernetes" not in earlier.deprecated_values and "tcp" in earlier.deprecated_values
        deprecated = {stack.name for stack in load("26.3.5").stacks if stack.deprecated}
        assert {"kubernetes", "tcp"} <= deprecated and "jdbc-ping" not in deprecated

    def test_stacks_are_listed_even_where_the_option_lists_none(self):
        """25 names no values for cache-stack, but comes with the stacks of 24."""
        assert load("25.0.6").option("cache-stack").values == ()
        stacks = [stack.name for stack in load("25.0.6").stacks]
        assert stacks == ["azure", "ec2", "google", "kubernetes", "tcp", "udp"]


class TestKnownIn:
    def test_an_option_that_came(self):
        """The versions that know an option start where it came."""
        assert known_in("KC_HTTP_MANAGEMENT_SCHEME")[0] == "26.4.7"
        assert known_in("KC_SHUTDOWN_DELAY") == ("26.6.4", "26.7.4")

    def test_an_option_that_went(self):
        """The versions that know an option end where it was removed."""
        assert known_in("KC_PROXY") == ("24.0.5", "25.0.6")

    def test_only_versions_that_are_asked_about_count(self):
        """An environment can't go back to 22, so that is no answer for it; for anything else it is."""
        assert known_in("KC_STORAGE") == ()
        assert known_in("KC_STORAGE", KNOWN) == ("22.0.5",)
        assert known_in("KC_PROXY", KNOWN)[0] == "22.0.5"

    def test_an_option_that_was_always_there_and_one_that_never_was(self):
        """All versions, or none."""
        assert known_in("KC_DB_URL") == known_in("db-url") == versions()
        assert known_in("KC_ADMIN_HOSTNAME") == ()


class TestNearest:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            pytest.param("KC_ADMIN_HOSTNAME", "KC_HOSTNAME_ADMIN", id="words in another order"),
            pytest.param("KC_DB_USER", "KC_DB_USERNAME", id="another word for it"),
            pytest.param("KC_DB_ADDR", "KC_DB_URL_HOST", id="name of the former image with KC_"),
            pytest.param("DB_VENDOR", "KC_DB", id="name of the former image"),
            pytest.param("KC_DB_PORT", "KC_DB_URL_PORT", id="a word left out"),
            pytest.param("KC_MANAGEMENT_PORT", "KC_HTTP_MANAGEMENT_PORT", id="the first word left out"),
            pytest.param("KC_HTTP_ENABLE", "KC_HTTP_ENABLED", id="a letter left out"),
            pytest.param("KC_LOGLEVEL", "KC_LOG_LEVEL", id="an underscore left out"),
            pytest.param("KC_PROXY", "KC_PROXY_HEADERS", id="removed, with an heir"),
            pytest.param("KC_HOSTNAME_URL", "KC_HOSTNAME", id="of hostname v1"),
            pytest.param("KEYCLOAK_ADMIN", "KC_BOOTSTRAP_ADMIN_USERNAME", id="first administrator"),
            pytest.param("KC_DB_URL", "KC_DB_URL", id="known"),
            pytest.param("KC_LOG_LEVEL_A", "KC_LOG_LEVEL_A", id="known by a wildcard"),
        ],
    )
    def test_what_was_meant_is_found(self, written, meant):
        """A slip of the pen, or a name of other times, leads to the option of this version."""
        assert load("26.7.4").nearest(written) == meant

    @pytest.mark.parametrize("name", ["KC_FOO", "KC_JGROUPS_DNS_QUERY", "PATH", "JAVA_OPTS_APPEND", ""])
    def test_a_stranger_is_nobody(self, name):
        """Where nothing is alike, no name is guessed."""
        assert load("26.7.4").nearest(name) is None

    @pytest.mark.parametrize("name", ["KC_HOSTNAME_STRICT_HTTPS", "KC_HOSTNAME_STRICT_BACKCHANNEL"])
    def test_an_option_that_went_without_an_heir_has_none(self, name):
        """KC_HOSTNAME_STRICT looks like them and does something else, so it isn't offered."""
        assert load("26.7.4").nearest(name) is None

    def test_what_takes_many_more_words_is_not_offered(self):
        """A guess that adds half of the name would be no help."""
        assert load("26.7.4").nearest("KC_CACHE_COUNT") is None

    def test_hidden_options_are_not_offered(self):
        """What Keycloak's own help keeps quiet about is nobody's intention."""
        found = load("26.7.4")
        assert found.option("KC_LOG_FILE_ENABLED").hidden
        assert found.nearest("KC_LOG_FILE_ENABLE") is None

    def test_only_what_the_version_knows_is_offered(self):
        """On 24 the first administrator goes by the old names, and the host name by those of v1."""
        assert load("24.0.5").nearest("KC_BOOTSTRAP_ADMIN_USERNAME") == "KEYCLOAK_ADMIN"
        assert load("24.0.5").nearest("KEYCLOAK_FRONTEND_URL") == "KC_HOSTNAME_URL"
        assert load("25.0.6").nearest("KEYCLOAK_FRONTEND_URL") == "KC_HOSTNAME"


class TestMasked:
    @pytest.mark.parametrize(
        "name", ["KC_DB_PASSWORD", "KC_BOOTSTRAP_ADMIN_PASSWORD", "KEYCLOAK_ADMIN_PASSWORD"]
    )
    def test_secrets_of_any_version_are_masked(self, name):
        """Whatever a version masks is a secret for all, the old administrator's password too."""
        assert name in masked_names()
        assert masked(name)

    @pytest.mark.parametrize(
        "name",
        ["KC_DB_PASSWORD_USERS", "KCRAW_DB_PASSWORD", "KC_TRACING_HEADER_TOKEN", "KC_SPI_X__Y__PASSWORD"],
    )
    def test_secrets_are_masked_under_every_spelling(self, name):
        """Wildcards, literal values and providers' passwords are secrets, too."""
        assert masked(name)

    @pytest.mark.parametrize(
        "name", ["KC_DB_USERNAME", "KC_HOSTNAME", "KC_SPI_X__Y__FILE", "KC_DB_PASSWORDS"]
    )
    def test_other_values_stay_readable(self, name):
        """What is no secret isn't hidden from reviewers."""
        assert not masked(name)

    def test_every_option_that_a_version_masks_is_among_them(self):
        """The union leaves no version out."""
        for version in KNOWN:
            plain = [option for option in load_known(version).options if not option.wildcard]
            secret = {option.env for option in plain if option.secret}
            assert secret and secret <= masked_names()


class TestFeatures:
    @pytest.mark.parametrize("name", ["account", "account:v3", "rolling-updates", "rolling-updates:v1"])
    def test_a_feature_goes_by_name_and_by_version(self, name):
        """KC_FEATURES takes the bare name and name:vN, and so does the catalog."""
        assert load("26.7.4").feature(name).name == name.split(":")[0]

    def test_features_before_24_have_no_versions(self):
        """KC_FEATURES takes the bare name alone there, so that `docker:v1` is unknown."""
        found = load_known("22.0.5")
        assert (found.feature("docker").version, found.feature("docker").versioned) == (0, "docker")
        assert found.feature("docker:v1") is None
        assert found.feature("account2").needs == ("account-api",)
        option = found.option("KC_FEATURES")
        assert found.check_value(option, "docker,preview") is None
        assert found.check_value(option, "docker:v1")

    @pytest.mark.parametrize("name", ["account-v3", "account:v9", "Account", "preview", "bogus", ""])
    def test_other_spellings_are_no_feature(self, name):
        """Keycloak refuses the key with a dash, capitals and versions that aren't there."""
        assert load("26.7.4").feature(name) is None

    @pytest.mark.parametrize(
        ("version", "name", "preferred"),
        [
            pytest.param("26.1.4", "admin-fine-grained-authz", 1, id="preview before experimental"),
            pytest.param("26.2.5", "admin-fine-grained-authz", 2, id="on before preview"),
            pytest.param("26.7.4", "identity-brokering-api", 1, id="on before off"),
            pytest.param("26.7.4", "login", 2, id="on before deprecated"),
        ],
    )
    def test_the_bare_name_means_the_version_that_keycloak_prefers(self, version, name, preferred):
        """As Profile.getFeatureVersions of the distributions sorts them."""
        assert load(version).feature(name).version == preferred

    def test_a_feature_says_what_it_is(self):
        """State, deprecation, needs and update policy come from the distribution."""
        found = load("26.7.4")
        assert found.feature("passkeys").state == "on"
        assert found.feature("account").needs == ("account-api:v1",)
        assert found.feature("identity-brokering-api:v1").deprecated
        assert not found.feature("passkeys").deprecated
        assert found.feature("hostname").fixed and not found.feature("account").fixed
        assert load("24.0.5").feature("passkeys") is None
        assert found.feature("persistent-user-sessions").update == "shutdown"

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("passkey", "passkeys"),
            ("Account", "account"),
            ("account-v3", "account:v3"),
            ("web_authn", "web-authn"),
        ],
    )
    def test_the_feature_that_was_meant_is_found(self, written, meant):
        """A slip of the pen leads to a name that KC_FEATURES takes."""
        assert load("26.7.4").nearest_feature(written) == meant

    def test_a_strange_feature_is_nobody(self):
        """Where nothing is alike, no feature is guessed."""
        assert load("26.7.4").nearest_feature("bogus") is None


class TestValues:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("KC_PROXY_HEADERS", "bogus"),
            ("KC_PROXY_HEADERS", "XFORWARDED"),
            ("KC_PROXY_HEADERS", ""),
            ("KC_DB", "postgresql"),
            ("KC_HTTP_ENABLED", "yes"),
            ("KC_HTTP_ENABLED", "TRUE"),
            ("KC_HTTP_ENABLED", ""),
            ("KC_HTTP_PORT", "abc"),
            ("KC_DB_POOL_MAX_SIZE", "1e2"),
            ("KC_DB_POOL_MAX_SIZE", ""),
            ("KC_DB_POOL_MAX_SIZE", "99999999999"),
            ("KC_DB_URL_PORT", "abc"),
            ("KC_LOG", "console,nope"),
            ("KC_LOG", "console, file"),
            ("KC_LOG_CONSOLE_OUTPUT", "jsonx"),
            ("KC_LOG_LEVEL", "bogus"),
            ("KC_LOG_LEVEL", "org.keycloak"),
            ("KC_LOG_LEVEL", "info,org.keycloak:bogus"),
            ("KC_LOG_LEVEL", ""),
            ("KC_FEATURES", "bogus"),
            ("KC_FEATURES", "scripts,account-v3"),
            ("KC_FEATURES_DISABLED", "bogus"),
            ("KC_FIPS_MODE", "disabled"),
        ],
    )
    @pytest.mark.parametrize("version", ["24.0.5", "26.7.4"])
    def test_what_stops_the_server_is_said_beforehand(self, version, name, value):
        """Each of these ended the start of a real server; the message names the value or the variable."""
        problem = check(version, name, value)
        assert problem and (name in problem or repr(value.split(",")[-1]) in problem)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("KC_LOG_LEVEL_ORG_KEYCLOAK", "bogus"),
            ("KC_LOG_CONSOLE_LEVEL", "bogus"),
            ("KC_FEATURE_BOGUS", "enabled"),
            ("KC_FEATURE_ACCOUNT", "v9"),
            ("KC_FEATURE_ACCOUNT", "true"),
            ("KC_FEATURES_DISABLED", "account:v3"),
            ("KC_FEATURES_DISABLED", "hostname"),
            ("KC_SHUTDOWN_DELAY", "abc"),
            ("KC_SHUTDOWN_DELAY", ""),
            ("KC_TRACING_SAMPLER_RATIO", "abc"),
        ],
    )
    def test_so_is_what_only_newer_servers_know(self, name, value):
        """Each of these ended the start of a real 26.7.3."""
        assert check("26.7.4", name, value)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("KC_PROXY_HEADERS", "xforwarded"),
            ("KC_HTTP_ENABLED", "true"),
            ("KC_DB_POOL_MAX_SIZE", " 20"),
            ("KC_DB_POOL_MAX_SIZE", "-5"),
            ("KC_DB_POOL_MAX_SIZE", "${env.SIZE:20}"),
            ("KC_LOG", "console,"),
            ("KC_LOG_LEVEL", "INFO"),
            ("KC_LOG_LEVEL", "SEVERE"),
            ("KC_LOG_LEVEL", "info,org.keycloak:debug"),
            ("KC_LOG_LEVEL_ORG_KEYCLOAK", "DEBUG"),
            ("KC_LOG_LEVEL_ORG_KEYCLOAK", "severe"),
            ("KC_LOG_CONSOLE_LEVEL", "DEBUG"),
            ("KC_SHUTDOWN_DELAY", "5"),
            ("KC_SHUTDOWN_DELAY", "1h30m"),
            ("KC_SHUTDOWN_DELAY", "PT5S"),
            ("KC_SHUTDOWN_DELAY", "500ms"),
            ("KC_HTTPS_CERTIFICATES_RELOAD_PERIOD", "-1"),
            ("KC_TRACING_SAMPLER_RATIO", "0.25"),
            ("KC_FEATURES", "passkeys,account:v3,preview"),
            ("KC_FEATURES_DISABLED", "account,impersonation"),
            ("KC_FEATURE_ACCOUNT", "v3"),
            ("KC_FEATURE_PASSKEYS", "disabled"),
            ("KC_CACHE_STACK", "my-own-stack"),
            ("KC_HOSTNAME", "anything at all"),
            ("KC_DB_PASSWORD", "yes, ${what}"),
        ],
    )
    def test_a_good_value_passes(self, name, value):
        """What a server takes, or what nobody can judge, is let through."""
        assert check("26.7.4", name, value) is None

    def test_a_stack_of_ones_own_is_refused_where_the_server_refuses_it(self):
        """Up to 24 the stacks are a closed list: jdbc-ping isn't among them."""
        assert "kubernetes" in check("24.0.5", "KC_CACHE_STACK", "jdbc-ping")
        assert check("26.7.4", "KC_CACHE_STACK", "jdbc-ping") is None

    def test_a_log_level_is_case_sensitive_where_the_server_is(self):
        """26.0 takes the levels of its log handlers in lower case only, 26.2 in any case."""
        assert check("26.0.8", "KC_LOG_CONSOLE_LEVEL", "DEBUG")
        assert check("26.2.5", "KC_LOG_CONSOLE_LEVEL", "DEBUG") is None

    def test_a_message_says_what_to_write(self):
        """Messages name the variable, what it takes and what was written, or the name that was meant."""
        proxy = "KC_PROXY_HEADERS takes forwarded or xforwarded, not 'x'"
        assert check("26.7.4", "KC_PROXY_HEADERS", "x") == proxy
        wrong = "Keycloak 26.7.4 has no feature 'passkey': did you mean passkeys?"
        assert check("26.7.4", "KC_FEATURES", "passkey") == wrong
        assert check("26.7.4", "KC_FEATURE_PASSKEY", "enabled") == wrong

    def test_every_default_is_a_value_that_passes(self):
        """No check is stricter than Keycloak's own defaults, in any version."""
        for version in KNOWN:
            found = load_known(version)
            for option in found.options:
                # Set by hand, fips-mode=disabled is refused; it is what no value at all means.
                if option.default is not None and option.key != "fips-mode":
                    assert found.check_value(option, option.default) is None, (version, option)

    def test_every_feature_passes_and_so_does_its_switch(self):
        """All features of a version can be written in every way that the version has."""
        for version in versions():
            found = load(version)
            for feature in found.features:
                assert check(version, "KC_FEATURES", f"{feature.name},{feature.versioned}") is None
                assert (check(version, "KC_FEATURES_DISABLED", feature.name) is None) != feature.fixed
                switch = found.option(f"feature-{feature.name}")
                if switch:
                    assert found.check_value(switch, f"v{feature.version}") is None


def check(version: str, name: str, value: str) -> str | None:
    found = load(version)
    return found.check_value(found.option(name), value)


class TestOtherFiles:
    """What the shipped catalogs don't show, in a catalog made for it."""

    @pytest.fixture
    def write(self, tmp_path, monkeypatch):
        monkeypatch.setattr(catalog, "_FOLDER", tmp_path)

        def write(version: str, text: str) -> catalog.Catalog:
            (tmp_path / f"{version}.json").write_text(text, encoding="utf-8")
            return catalog.Catalog(version, version)

        yield write
        monkeypatch.undo()
        for cached in (known_versions, versions, load, load_known, catalog._read):
            cached.cache_clear()

    def test_a_broken_catalog_is_named(self, write):
        """A catalog that can't be read is reported by its file name, not by a traceback."""
        broken = write("99.0.0", '{"version": "99.0.0", "options"')
        with pytest.raises(CatalogError, match=r"the catalog 99\.0\.0\.json can't be read"):
            broken.option("KC_DB")

    def test_a_catalog_is_stored_whole(self, write):
        """What is stored is what was given, and it is found at once; nothing else is left in the folder."""
        assert known_versions.__wrapped__() == ()
        text = (CATALOGS / "26.7.4.json").read_text("utf-8")
        catalog.store("26.7.4", text)
        assert [file.name for file in catalog.path("26.7.4").parent.iterdir()] == ["26.7.4.json"]
        assert catalog.path("26.7.4").read_text("utf-8") == text
        assert known_versions() == versions() == ("26.7.4",)

    @pytest.mark.parametrize(
        "spoil",
        [
            pytest.param(lambda text: text[: len(text) // 2], id="half of it"),
            pytest.param(lambda text: text.replace('"26.7.4"', '"26.7.3"', 1), id="of another version"),
            pytest.param(lambda text: "{}", id="nothing"),
            pytest.param(lambda text: text.replace('"build": true', '"built": true', 1), id="a strange field"),
            pytest.param(lambda text: json.dumps({**json.loads(text), "features": {}}), id="no features"),
        ],
    )
    def test_a_broken_catalog_is_not_stored(self, write, spoil):
        """What can't be read again later leaves the catalog that was there as it was."""
        text = (CATALOGS / "26.7.4.json").read_text("utf-8")
        catalog.store("26.7.4", text)
        with pytest.raises(CatalogError, match=r"no whole catalog of 26\.7\.4"):
            catalog.store("26.7.4", spoil(text))
        assert catalog.path("26.7.4").read_text("utf-8") == text
        assert len(list(catalog.path("26.7.4").parent.iterdir())) == 1

    def test_the_narrower_of_two_wildcards_answers(self, write):
        """A wildcard doesn't swallow what another one names more closely."""
        options = {"db-<name>": {"env": "KC_DB_<NAME>"}, "db-url-<name>": {"env": "KC_DB_URL_<NAME>"}}
        found = write("99.0.1", json.dumps({"stacks": {}, "features": {}, "options": options}))
        assert found.option("KC_DB_URL_USERS").key == "db-url-<name>"
        assert found.option("KC_DB_USERS").key == "db-<name>"

    def test_of_two_versions_in_the_same_state_the_newer_is_preferred(self, write):
        """Keycloak sorts versions of a feature by state, then the newest first."""
        features = {f"a:v{number}": {"state": "preview", "label": "A"} for number in (1, 2)}
        found = write("99.0.2", json.dumps({"stacks": {}, "features": features, "options": {}}))
        assert found.feature("a").version == 2
