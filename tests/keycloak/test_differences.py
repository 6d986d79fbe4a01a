"""A step between two versions: what changes is said, what stays isn't."""

from __future__ import annotations

import pytest

from generator.keycloak import pages
from generator.keycloak.catalog import known_versions, load_known
from generator.keycloak.differences import KINDS, compare, server

STEPS = list(zip(known_versions(), known_versions()[1:]))


def changes(before: str, after: str, kind: str) -> dict[str, str]:
    """What changed, by name."""
    return {one.name: one.text for one in compare(load_known(before), load_known(after)).of(kind)}


class TestOptions:
    def test_what_came_and_what_went(self):
        """proxy went with 26, proxy-trusted-addresses came; proxy-headers was there all the time."""
        gone, come = changes("25.0.6", "26.0.8", "option removed"), changes("25.0.6", "26.0.8", "option added")
        assert gone["proxy"] == "use KC_PROXY_HEADERS and KC_HTTP_ENABLED"
        assert "proxy-trusted-addresses" in come and "proxy-headers" not in {**gone, **come}

    def test_what_takes_its_place_has_a_source(self):
        """A removed option says what to do and who says so."""
        removed = {one.name: one for one in compare(load_known("25.0.6"), load_known("26.0.8")).of("option removed")}
        assert removed["hostname-url"].advice == "Write the URL into KC_HOSTNAME."
        assert removed["hostname-url"].source.startswith("upgrading guides 25.0.0")

    def test_what_is_newly_deprecated(self):
        """Newly on 24, and no news on 25."""
        assert "proxy" in changes("23.0.7", "24.0.5", "option deprecated")
        assert "proxy" not in changes("24.0.5", "25.0.6", "option deprecated")

    def test_what_moved_between_build_and_run_time(self):
        """The cache options moved with 25; https-client-auth had moved the other way with 24."""
        moved = changes("24.0.5", "25.0.6", "build time to run time")
        assert set(moved) == {"cache", "cache-stack", "cache-config-file"}
        assert "https-client-auth" in changes("23.0.7", "24.0.5", "run time to build time")
        back = changes("25.0.6", "24.0.5", "run time to build time")
        assert set(back) == {"cache", "cache-stack", "cache-config-file"}

    def test_defaults(self):
        """A default that changes is named with both values."""
        assert changes("26.6.4", "26.7.4", "default")["shutdown-timeout"] == "1s -> 10s"
        assert changes("24.0.5", "25.0.6", "default")["transaction-xa-enabled"] == "true -> false"

    def test_values(self):
        """Values that came and went; a list that is gone altogether is no news."""
        assert changes("26.0.8", "26.1.4", "values")["cache-stack"] == "+ jdbc-ping, jdbc-ping-udp"
        assert changes("25.0.6", "26.0.8", "values") == {"log": "- gelf"}
        assert "cache-stack" not in changes("24.0.5", "25.0.6", "values")

    def test_values_that_are_deprecated(self):
        """kubernetes is deprecated from 26.3 on, with what to do."""
        (change,) = compare(load_known("26.2.5"), load_known("26.3.5")).of("values deprecated")
        assert (change.name, change.text) == ("cache-stack", "kubernetes")
        assert "leave KC_CACHE_STACK unset" in change.advice and "26.3.0" in change.source


class TestTheRest:
    def test_features(self):
        """Came, went, or are in another state; their versions before 24 are the first ones."""
        assert changes("26.3.5", "26.4.7", "feature state")["dpop:v1"] == "preview -> on"
        assert "js-adapter:v1" in changes("25.0.6", "26.0.8", "feature removed")
        assert changes("26.6.4", "26.7.4", "feature added")["stateless:v1"].startswith("preview; ")
        assert "docker:v1" not in changes("23.0.7", "24.0.5", "feature added")

    def test_stacks(self):
        """JDBC_PING came with 26.1; kubernetes was deprecated with 26.3."""
        assert changes("26.0.8", "26.1.4", "stack")["jdbc-ping"] == "added"
        assert changes("26.2.5", "26.3.5", "stack") == {"kubernetes": "deprecated"}

    def test_ports_and_ranges(self):
        """What no option says is there, too."""
        found = changes("24.0.5", "26.7.4", "server")
        assert found["port of health and metrics"] == "the main port -> 9000"
        assert found["PostgreSQL"] == "13 to 16 -> 14 to 18"
        assert found["Java"] == "17 -> 17 to 25"
        assert changes("26.6.4", "26.7.4", "server") == {}

    def test_every_fact_names_its_source(self):
        """What the server does is traced back to where it was read."""
        assert all(fact.source and fact.value for fact in server("22.0.5"))


class TestWhole:
    @pytest.mark.parametrize(("before", "after"), STEPS)
    def test_the_way_back_undoes_the_way_there(self, before, after):
        """What a step adds, the step back removes; what moves, moves back."""
        there, back = (compare(load_known(one), load_known(other)) for one, other in
                       ((before, after), (after, before)))
        for one, other in (("option added", "option removed"), ("feature added", "feature removed"),
                           ("build time to run time", "run time to build time"), ("default", "default")):
            assert {change.name for change in there.of(one)} == {change.name for change in back.of(other)}
            assert {change.name for change in there.of(other)} == {change.name for change in back.of(one)}

    @pytest.mark.parametrize("version", known_versions())
    def test_nothing_changes_by_staying(self, version):
        """A version against itself has no differences, and the text says so."""
        found = compare(load_known(version), load_known(version))
        assert (found.changes, found.notes) == ((), ())
        assert list(pages.differences_text(found))[-1] == ("", "Nothing is known to change.")

    def test_a_version_without_a_catalog_is_named(self):
        """The catalogs that were used are said, once each."""
        found = compare(load_known("26.4.1"), load_known("26.4.2"))
        assert [note.split(" ")[0] for note in found.notes] == ["26.4.1", "26.4.2"]

    @pytest.mark.parametrize(("before", "after"), [STEPS[1], STEPS[3], STEPS[-2], ("22.0.5", "26.7.4")])
    def test_every_change_is_in_text_and_page(self, before, after):
        """Neither form leaves a change out, and a table keeps its columns whatever a name holds."""
        found = compare(load_known(before), load_known(after))
        text = "\n".join(line for _, line in pages.differences_text(found))
        page = pages.differences_markdown(found)
        for change in found.changes:
            assert f"  {change.name}" in text and f"`{change.name}`" in page
            assert KINDS[change.kind] in text and f"## {KINDS[change.kind]}" in page
        for table in page.split("\n\n"):
            rows = [line.replace("\\|", "") for line in table.splitlines() if line.startswith("|")]
            assert len({row.count("|") for row in rows}) <= 1
