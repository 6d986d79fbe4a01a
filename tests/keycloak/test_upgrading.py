"""What a step means for a deployment: how it goes, what changes for it, and what can't be undone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generator.errors import CatalogError, CloakformError
from generator.keycloak import pages
from generator.keycloak.upgrading import Deployment, UpgradeError, upgrade

DNS = {"KC_CACHE": "ispn", "KC_CACHE_STACK": "kubernetes", "KC_DB": "postgres", "KC_DB_PASSWORD": ""}


def step(before: str, after: str, options=None, later=None, **more):
    """The report for the options of a deployment, which `later` may replace."""
    options = DNS if options is None else options
    one = Deployment(before, options, **{"discovery": "dns", "encrypted": False, **more})
    return upgrade(one, replace(one, version=after, options=options if later is None else later))


def texts(items) -> str:
    return "\n".join(f"{item.kind} {item.name}: {item.text} {item.do}" for item in items)


class TestStrategy:
    @pytest.mark.parametrize(
        ("before", "after", "strategy"),
        [
            ("24.0.5", "26.7.4", "recreate"),
            ("25.0.6", "26.0.8", "recreate"),
            ("26.0.8", "26.4.7", "recreate"),
            ("26.3.4", "26.3.5", "recreate"),
            ("26.5.4", "26.5.5", "recreate"),
            ("26.5.5", "26.6.4", "recreate"),
            ("26.6.0", "26.6.4", "rolling"),
            ("26.6.4", "26.7.4", "recreate"),
            ("26.7.0", "26.7.4", "rolling"),
            ("26.7.4", "26.7.4", "rolling"),
        ],
    )
    def test_only_patch_releases_from_26_6_on_roll(self, before, after, strategy):
        """Everything else stops the cluster; either way a source says why."""
        found = step(before, after)
        assert found.strategy == strategy
        assert found.reasons and all(reason.source for reason in found.reasons)

    @pytest.mark.parametrize(
        ("name", "one", "other"),
        [
            ("KC_CACHE_STACK", "kubernetes", "jdbc-ping"),
            ("KC_CACHE_EMBEDDED_MTLS_ENABLED", "false", "true"),
            ("KC_CACHE_CONFIG_FILE", None, "own.xml"),
            ("KC_DB_URL_HOST", "a", "b"),
        ],
    )
    def test_an_option_that_nodes_must_agree_about_stops_the_cluster(self, name, one, other):
        """Even within a line that could roll."""
        before, after = ({**DNS, **({name: value} if value else {})} for value in (one, other))
        if one is None:
            before.pop(name, None)
        found = step("26.7.0", "26.7.4", before, after)
        assert found.strategy == "recreate" and name in texts(found.reasons)

    @pytest.mark.parametrize(("name", "one", "other"), [("KC_LOG_LEVEL", "info", "debug"), ("KC_DB_URL", "a", "b")])
    def test_another_option_doesn_t(self, name, one, other):
        """What each node may have for itself leaves the step rolling."""
        assert step("26.7.0", "26.7.4", {**DNS, name: one}, {**DNS, name: other}).strategy == "rolling"

    def test_encryption_that_is_known_otherwise_counts_too(self):
        """Without the option in sight, what is known of the nodes decides."""
        one = Deployment("26.7.0", {}, encrypted=False)
        assert upgrade(one, replace(one, version="26.7.4", encrypted=True)).strategy == "recreate"
        assert upgrade(one, replace(one, version="26.7.4", encrypted=None)).strategy == "rolling"

    def test_a_feature_that_nodes_must_agree_about(self):
        """persistent-user-sessions can't be switched in a running cluster; passkeys can."""
        off = {"KC_FEATURES_DISABLED": "persistent-user-sessions"}
        assert step("26.7.0", "26.7.4", {}, off).strategy == "recreate"
        assert step("26.7.0", "26.7.4", off, off).strategy == "rolling"
        assert step("26.7.0", "26.7.4", {}, {"KC_FEATURES_DISABLED": "passkeys"}).strategy == "rolling"

    def test_without_the_feature_for_it_nothing_rolls(self):
        """Keycloak's own check says no where rolling-updates is off."""
        off = {"KC_FEATURES_DISABLED": "rolling-updates"}
        assert "rolling-updates" in texts(step("26.7.0", "26.7.4", off).reasons)

    @pytest.mark.parametrize(
        ("before", "after", "features", "strategy"),
        [
            ("26.4.2", "26.4.7", "rolling-updates:v2", "rolling"),
            ("26.5.0", "26.5.5", "scripts,rolling-updates:v2", "rolling"),
            ("26.4.2", "26.4.7", "rolling-updates", "recreate"),
            ("26.4.2", "26.4.7", "preview", "recreate"),
            ("26.3.0", "26.3.5", "rolling-updates:v2", "recreate"),
            ("26.4.7", "26.5.5", "rolling-updates:v2", "recreate"),
        ],
    )
    def test_the_preview_lets_patch_releases_roll(self, before, after, features, strategy):
        """Within 26.4 and 26.5, where its second version is asked for; the report says that it is a preview."""
        found = step(before, after, {**DNS, "KC_FEATURES": features})
        assert found.strategy == strategy
        assert strategy == "recreate" or "it is a preview" in texts(found.reasons)

    def test_a_step_back_is_refused(self):
        """The message says why, and what to do instead."""
        with pytest.raises(UpgradeError, match=r"26\.4\.7 is older than 26\.7\.4, .*restore a backup") as caught:
            step("26.7.4", "26.4.7")
        assert isinstance(caught.value, CloakformError) and caught.value.exit_code == 2

    @pytest.mark.parametrize("version", ["latest", "26", "21.0.0"])
    def test_a_version_that_nothing_is_known_of_is_refused(self, version):
        """No report is made up."""
        with pytest.raises(CatalogError):
            step("26.0.8", version)


OLD = {
    "KC_HOSTNAME_URL": "https://kc.example.com",
    "KC_HOSTNAME_STRICT_HTTPS": "true",
    "KC_PROXY": "edge",
    "KEYCLOAK_ADMIN": "admin",
    "KEYCLOAK_ADMIN_PASSWORD": "",
    "KC_LOG_GELF_HOST": "logs",
    "KC_DB_URL": "jdbc:postgresql://db/keycloak",
    "KC_NOPE": "x",
    **DNS,
}


@pytest.fixture(scope="module")
def found():
    return step("24.0.5", "26.7.4", OLD, postgresql="13.9", jvm_options="-Djboss.node.name=a")


class TestFrom24:
    def test_options_that_are_gone_say_what_takes_their_place(self, found):
        """Each has its new name or that there is none, and where that is written."""
        gone = {item.name: item for item in found.options if item.kind == "removed"}
        assert set(gone) == {"KC_HOSTNAME_URL", "KC_HOSTNAME_STRICT_HTTPS", "KC_PROXY", "KC_LOG_GELF_HOST"}
        assert gone["KC_PROXY"].do.startswith("Use KC_PROXY_HEADERS and KC_HTTP_ENABLED. ")
        assert gone["KC_HOSTNAME_STRICT_HTTPS"].do == "Take it out: write https:// into KC_HOSTNAME."
        assert all(item.source for item in found.options)

    def test_the_rest_is_told_apart(self, found):
        """Deprecated, moved, defaults and slips of the pen; what is as it was isn't mentioned."""
        kinds = {(item.kind, item.name) for item in found.options}
        assert {
            ("deprecated", "KEYCLOAK_ADMIN"),
            ("deprecated", "KC_CACHE_STACK"),
            ("run time", "KC_CACHE_STACK"),
            ("unknown", "KC_NOPE"),
            ("default", "KC_TRANSACTION_XA_ENABLED"),
        } <= kinds
        assert not {"KC_DB", "KC_DB_URL", "KC_DB_PASSWORD"} & {name for _, name in kinds}

    def test_why_it_can_t_roll(self, found):
        """All the steps in between are named, not only the last."""
        told = texts(found.reasons)
        for version in ("25.0.0", "26.0.0", "26.4.0", "26.6.0"):
            assert f"cluster {version}" in told

    def test_what_can_t_be_undone(self, found):
        """The schema, the caches, and with 24 the sessions."""
        told = texts(found.irreversible)
        assert "migrates the database's schema" in told and "caches are cleared" in told
        assert "all user sessions" in told

    def test_from_26_on_sessions_stay(self):
        """They are in the database, unless that was switched off."""
        assert "all user sessions" not in texts(step("26.0.8", "26.4.7").irreversible)
        off = {"KC_FEATURES_DISABLED": "persistent-user-sessions"}
        assert "all user sessions" in texts(step("26.0.8", "26.4.7", off).irreversible)

    def test_the_order_begins_with_the_database_and_ends_with_the_params(self, found):
        """PostgreSQL first, then a snapshot, then the step, then back to rolling."""
        assert found.order[0] == (
            "Upgrade PostgreSQL 13, which 26.7.4 doesn't support: 24.0.5 and 26.7.4 both support 14 to 16."
        )
        assert found.order[1].startswith("Take a snapshot")
        assert 'keycloak.version: "26.7.4"' in found.order[2] and "service.deployment: recreate" in found.order[2]
        assert found.order[-1].startswith("Take service.deployment and service.rollback out")

    def test_an_option_of_the_jvm_that_ends_the_start_is_seen(self, found):
        """jboss.node.name stops the server from 26.3 on."""
        assert "jboss.node.name" in texts(found.server)
        assert "jboss.node.name" not in texts(step("24.0.5", "26.7.4").server)

    def test_no_secret_is_shown(self):
        """Whatever a secret holds, the report doesn't."""
        secret = "correct-horse-battery"
        before = {**DNS, "KC_DB_PASSWORD": secret, "KEYCLOAK_ADMIN_PASSWORD": secret}
        after = {**DNS, "KC_DB_PASSWORD": secret + "2", "KC_BOOTSTRAP_ADMIN_PASSWORD": secret}
        found = step("24.0.5", "26.7.4", before, after)
        assert "KC_DB_PASSWORD" in texts(found.rewritten)
        assert secret not in repr(found)


class TestOthers:
    def test_what_rendering_sets_otherwise_is_listed(self):
        """Set, unset and changed, with what takes a place; what stays isn't listed."""
        found = step("24.0.5", "25.0.6", {"KC_HOSTNAME_URL": "u", "KC_LOG": "a", "KC_DB": "x"},
                     {"KC_HOSTNAME": "u", "KC_LOG": "b", "KC_DB": "x"})
        assert {(item.kind, item.name, item.text) for item in found.rewritten} == {
            ("unset", "KC_HOSTNAME_URL", "KC_HOSTNAME instead"),
            ("set", "KC_HOSTNAME", "u"),
            ("changed", "KC_LOG", "a -> b"),
        }

    def test_26_0_to_26_4_is_about_26_4(self):
        """The cluster's reasons are those of the step, and of the deployment."""
        told = texts(step("26.0.8", "26.4.7").reasons)
        assert "26.4.0: The key of client sessions" in told and "26.2.0: Nodes encrypt" in told
        assert "26.0.0" not in told and "26.6.0" not in told and "default cache stack" not in told
        set_already = {**DNS, "KC_CACHE_EMBEDDED_MTLS_ENABLED": "false"}
        assert "26.2.0" not in texts(step("26.0.8", "26.4.7", set_already).reasons)

    def test_a_rolling_step_takes_nothing_out_again(self):
        """A patch release needs one key and no other."""
        found = step("26.6.0", "26.6.4")
        assert found.order[-1].startswith("Look: ") and "recreate" not in " ".join(found.order)
        assert not any("optimized" in one or "image" in one for one in found.order)
        assert any("image" in one for one in step("26.6.0", "26.6.4", optimized=True).order)

    def test_bugs_are_those_that_concern_it(self):
        """A bug of JDBC_PING is nothing to who asks the DNS; one that the step mends is told apart."""
        database = step("26.4.7", "26.6.4", discovery="database")
        assert "cut off" in texts(database.fixed) and "not ready for ever" in texts(database.bugs)
        assert "cut off" not in texts(database.bugs)
        assert step("26.4.7", "26.6.4").fixed == step("26.4.7", "26.6.4").bugs == ()

    def test_a_value_that_the_new_version_refuses(self):
        """What was right and stops the new server is said; what was wrong before isn't news."""
        found = step("25.0.6", "26.0.8", {"KC_LOG": "console,gelf"})
        assert [(item.kind, item.name) for item in found.options if item.kind == "value"] == [("value", "KC_LOG")]
        assert not [item for item in step("25.0.6", "26.0.8", {"KC_LOG": "nope"}).options if item.kind == "value"]

    @pytest.mark.parametrize(
        ("before", "after", "name", "value", "said"),
        [
            ("26.1.4", "26.2.5", "KC_FEATURES", "admin-fine-grained-authz", "means v1 in 26.1.4 and v2 in 26.2.5"),
            ("23.0.7", "26.2.5", "KC_FEATURES", "admin-fine-grained-authz", "Name admin-fine-grained-authz:v1"),
            ("24.0.5", "26.0.8", "KC_FEATURES", "hostname", "26.0.8 has no hostname:v1"),
            ("26.2.5", "26.5.5", "KC_FEATURES", "admin-fine-grained-authz:v1", "deprecated now, and a preview"),
            ("26.5.5", "26.6.4", "KC_FEATURES", "admin-fine-grained-authz:v1", "is deprecated and off by default"),
            ("26.5.5", "26.6.4", "KC_FEATURES", "token-exchange", "is deprecated now, and a preview before"),
            ("26.0.8", "26.3.5", "KC_FEATURES", "recovery-codes", "It needn't be named any more."),
            ("26.0.8", "26.3.5", "KC_FEATURES_DISABLED", "recovery-codes", "It stays off as long as"),
            ("26.5.5", "26.6.4", "KC_FEATURE_WORKFLOWS", "enabled", "was a preview and is supported and on"),
            ("26.5.5", "26.6.4", "KC_FEATURE_WORKFLOWS", "v1", "workflows:v1 was a preview"),
            ("26.4.7", "26.5.5", "KC_FEATURES", "workflows", "was an experiment and is a preview now"),
            ("26.4.7", "26.5.5", "KC_FEATURES", "preview", "also switches on"),
            ("24.0.5", "25.0.6", "KC_FEATURES", "linkedin-oauth,account2", "no feature 'account2'"),
            ("24.0.5", "25.0.6", "KC_FEATURES", "account2,linkedin-oauth", "no feature 'linkedin-oauth'"),
        ],
    )
    def test_every_feature_that_is_named_has_its_story(self, before, after, name, value, said):
        """Gone, deprecated, in another state, or meaning another version: the report says it, with its source."""
        found = [item for item in step(before, after, {name: value}).options if item.name == name]
        assert said in texts(found) and all(item.source for item in found)

    @pytest.mark.parametrize(
        ("before", "after", "name", "value"),
        [
            ("26.2.5", "26.3.5", "KC_FEATURES", "admin-fine-grained-authz"),
            ("26.1.4", "26.2.5", "KC_FEATURES", "admin-fine-grained-authz:v1"),
            ("23.0.7", "24.0.5", "KC_FEATURES", "scripts,token-exchange"),
            ("26.4.7", "26.5.5", "KC_FEATURES_DISABLED", "admin-fine-grained-authz,workflows"),
            ("26.6.4", "26.6.4", "KC_FEATURES", "preview"),
        ],
    )
    def test_a_feature_that_stays_as_it_is_has_none(self, before, after, name, value):
        """What means the same in both, or is off anyway, isn't mentioned."""
        assert not [item for item in step(before, after, {name: value}).options if item.name == name]

    def test_what_no_class_tells_of_a_feature_is_said_to_who_has_it(self):
        """Permissions aren't migrated, the legacy exchange needs the old ones; who has neither reads nothing."""
        both = {"KC_FEATURES": "admin-fine-grained-authz,token-exchange"}
        for options in (both, {"KC_FEATURES": "preview"}):
            told = texts(step("26.1.4", "26.2.5", options).server)
            assert "nothing migrates them" in told and "beside token-exchange" in told
        for options in ({}, {"KC_FEATURES": "scripts"}, {**both, "KC_FEATURES_DISABLED": both["KC_FEATURES"]}):
            told = texts(step("26.1.4", "26.2.5", options).server)
            assert "migrates" not in told and "token-exchange" not in told
        assert "will never be supported" in texts(step("26.5.5", "26.6.4", both).server)
        assert "nothing migrates them" not in texts(step("26.2.5", "26.7.4", both).server)

    def test_a_default_that_the_next_render_relies_on_is_no_news(self):
        """What is set before and is the default afterwards is unset and nothing changes; unset before, it does."""
        name = "KC_TRANSACTION_XA_ENABLED"
        found = step("24.0.5", "25.0.6", {**DNS, name: "false"}, DNS)
        assert name not in {item.name for item in found.options}
        assert f"unset {name}: false is the default by now" in texts(found.rewritten)
        other = step("24.0.5", "25.0.6", {**DNS, name: "true"}, DNS)
        assert f"unset {name}: true -> false, the default" in texts(other.rewritten)
        assert ("default", name) in {(item.kind, item.name) for item in step("24.0.5", "25.0.6", DNS).options}

    def test_postgresql_that_is_too_new_or_right(self):
        """A database within the range isn't mentioned."""
        assert "PostgreSQL" not in " ".join(step("26.4.7", "26.7.4", postgresql="16.4").order)
        assert "newer than 26.1.4 supports" in step("26.0.8", "26.1.4", postgresql="18").order[0]
        assert "PostgreSQL" not in " ".join(step("26.4.7", "26.7.4", postgresql="").order)

    def test_a_newer_version_than_all_is_reported_with_a_note(self):
        """What isn't known yet is taken from the newest, and said."""
        assert step("26.7.4", "27.1.0").notes == (
            "27.1.0 is newer than the newest known 26.7.4: its options are taken from 26.7.4",
        )

    def test_text_and_page_leave_nothing_out(self):
        """Every line of the report is in both forms."""
        found = step("24.0.5", "26.7.4", OLD)
        text = "\n".join(line for _, line in pages.upgrade_text("prod", found))
        page = pages.upgrade_markdown("prod", found).replace("\\|", "|").replace("\\<", "<")
        parts = (found.reasons, found.rewritten, found.options, found.server, found.irreversible, found.bugs,
                 found.fixed)
        for item in (item for part in parts for item in part):
            for words in (item.text, item.do, item.source):
                assert words in text and words in page
        assert all(one in text and one in page for one in found.order)
