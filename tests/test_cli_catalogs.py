"""`cloakform catalog` and `cloakform upgrade`: what they print where, their exit codes, and what they leave alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from generator.keycloak import catalog as catalogs
from tests.keycloak.test_distribution import RAW, java, programs, unpacked  # noqa: F401 (a fixture)

CACHED = (catalogs.known_versions, catalogs.versions, catalogs.load, catalogs.load_known, catalogs.masked_names,
          catalogs._secrets, catalogs._read)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Catalogs of a test's own: 26.6.4 and 26.7.4."""
    made = tmp_path / "catalogs"
    made.mkdir()
    for version in ("26.6.4", "26.7.4"):
        shutil.copy(catalogs.path(version), made)
    monkeypatch.setattr(catalogs, "_FOLDER", made)
    _forget()
    yield made
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    for cached in CACHED:
        cached.cache_clear()


def runs(project, version: str) -> None:
    """Environments of the project run a version."""
    project.replace("params/base.yaml", f"version: {catalogs.versions()[-1]}", f"version: {version}")


class TestShow:
    def test_without_a_version_the_known_ones_are_listed(self, cloakform):
        """Oldest first; those that no environment can run say so."""
        ran = cloakform("catalog", "show")
        lines = ran.out.splitlines()
        assert (ran.code, ran.err) == (0, "")
        assert [line.split()[0] for line in lines] == list(catalogs.known_versions())
        assert [line.split()[0] for line in lines if "not rendered" in line] == ["22.0.5", "23.0.7"]

    @pytest.mark.parametrize("name", ["db-url", "KC_DB_URL"])
    def test_an_option_goes_by_key_and_by_variable(self, cloakform, name):
        """Both name the same option."""
        ran = cloakform("catalog", "show", "26.7.4", name)
        assert ran.code == 0 and ran.out.startswith("KC_DB_URL   db-url\n")
        assert json.loads(cloakform("catalog", "show", "26.7.4", name, "--format", "json").out)["env"] == "KC_DB_URL"

    def test_an_option_on_its_way_out_says_what_to_do(self, cloakform):
        """Keycloak's own word, and the advice with its source."""
        ran = cloakform("catalog", "show", "24.0.5", "KC_PROXY")
        assert "deprecated  Use proxy-headers." in ran.out and "edge: KC_PROXY_HEADERS=xforwarded" in ran.out
        assert "source: upgrading guides 24.0.0" in ran.out

    def test_a_known_bug_stands_with_its_option(self, cloakform):
        """Who looks up an option that does nothing reads that."""
        name = "cache-embedded-network-bind-port"
        assert "known bug" in cloakform("catalog", "show", "26.4.7", name).out
        assert "known bug" not in cloakform("catalog", "show", "26.7.4", name).out

    def test_a_feature_is_found_too(self, cloakform):
        """What KC_FEATURES takes can be asked for by its name."""
        assert cloakform("catalog", "show", "26.7.4", "passkeys").out.startswith("passkeys:v1   feature\n")

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("KC_ADMIN_HOSTNAME", "did you mean KC_HOSTNAME_ADMIN?"),
            ("http-enable", "did you mean http-enabled?"),
            ("passkey", "did you mean passkeys?"),
            ("proxy", "use proxy-headers and http-enabled"),
            ("KC_PROXY", "use KC_PROXY_HEADERS and KC_HTTP_ENABLED"),
            ("KC_DB_ACTIVE_X", "known in 26.3.5"),
            ("KC_SPI_X__Y__Z", "an option of a provider"),
            ("KC_BLA", "has no option KC_BLA"),
        ],
    )
    def test_an_unknown_name_is_refused_with_the_nearest(self, cloakform, name, message):
        """One line, spelled as it was asked; exit code 2, and nothing on standard output."""
        ran = cloakform("catalog", "show", "26.7.4", name)
        assert (ran.code, ran.out) == (2, "")
        assert message in ran.err and ran.err.count("\n") == 1

    def test_a_version_without_a_catalog_says_whose_it_takes(self, cloakform):
        """On standard error, so that the output stays the output; not where nobody wants to hear it."""
        ran = cloakform("catalog", "show", "26.4.1", "db")
        assert ran.err == "26.4.1 is older than the known 26.4.7 of its line: its options are taken from 26.4.7\n"
        assert cloakform("catalog", "show", "26.4.1", "db", "-q").err == ""

    def test_everything_of_a_version(self, cloakform):
        """Text and JSON have every option that Keycloak shows."""
        text = cloakform("catalog", "show", "22.0.5").out
        data = json.loads(cloakform("catalog", "show", "22.0.5", "--format", "json").out)
        assert data["server"]["Java"] == "17" and len(data["options"]) == 137
        for option in data["options"]:
            assert option["hidden"] or f"  {option['key']} " in text

    @pytest.mark.parametrize("version", ["latest", "26", "21.1.2"])
    def test_an_unknown_version_is_refused(self, cloakform, version):
        """What to write instead is said."""
        ran = cloakform("catalog", "show", version)
        assert (ran.code, ran.out) == (2, "") and "write" in ran.err


class TestDiff:
    def test_text_json_and_markdown_say_the_same(self, cloakform):
        """Every change of the JSON is in the other two."""
        text, data, page = (cloakform("catalog", "diff", "24.0.5", "25.0.6", "--format", form).out
                            for form in ("text", "json", "markdown"))
        changes = json.loads(data)["changes"]
        assert len(changes) > 40 and page.startswith("# Keycloak 24.0.5 -> 25.0.6\n")
        for change in changes:
            assert change["name"] in text and f"`{change['name']}`" in page

    def test_the_newer_one_may_come_first(self, cloakform):
        """Going back is asked, too; nothing is refused."""
        ran = cloakform("catalog", "diff", "25.0.6", "24.0.5")
        assert ran.code == 0 and "Options moved from run time to build time (3)" in ran.out

    def test_unknown_versions_take_the_nearest_and_say_so(self, cloakform):
        """A newer one than all is compared as the newest."""
        ran = cloakform("catalog", "diff", "26.7.4", "28.0.0")
        assert ran.code == 0 and "28.0.0 is newer than the newest known 26.7.4" in ran.err


class TestUpdate:
    def test_a_new_patch_release_is_added(self, cloakform, folder, programs, tmp_path):  # noqa: F811
        """The catalog is written and its differences from the nearest one are printed; others stay as they were."""
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        java(programs, raw={**RAW, "version": "26.7.5"})
        home = unpacked(tmp_path / "kc", [jar.replace("26.7.4", "26.7.5") for jar in _jars()])
        ran = cloakform("catalog", "update", "26.7.5", "--from", str(home))
        assert ran.code == 0 and ran.err == "reading what Keycloak 26.7.5 understands out of its classes\n"
        assert '-"version": "26.7.4",\n+"version": "26.7.5",' in ran.out
        assert ran.out.endswith("lines are other than in the catalog of 26.7.4\n")
        assert {name: (folder / name).read_bytes() for name in before} == before
        assert catalogs.versions() == ("26.6.4", "26.7.4", "26.7.5")
        again = cloakform("catalog", "update", "26.7.5", "--from", str(home), "-q")
        assert (again.out, again.err) == ("26.7.5.json: nothing changed\n", "")

    def test_a_known_one_is_read_again(self, cloakform, folder, programs, tmp_path):  # noqa: F811
        """What is other than in the file is printed, and the file is replaced."""
        java(programs)
        ran = cloakform("catalog", "update", "26.7.4", "--from", str(unpacked(tmp_path / "kc")))
        assert ran.code == 0 and ran.out.endswith("than in the catalog of 26.7.4 before\n")
        assert list(json.loads((folder / "26.7.4.json").read_text("utf-8"))["options"]) == ["db"]

    @pytest.mark.parametrize(
        ("raw", "message"),
        [
            ({**RAW, "errors": ["Profile: gone"]}, "could not read everything: Profile: gone"),
            ({**RAW, "features": []}, "no whole catalog"),
            ({**RAW, "version": "26.7.3"}, "no whole catalog"),
        ],
    )
    def test_a_broken_distribution_changes_nothing(self, cloakform, folder, programs, tmp_path, raw, message):  # noqa: F811
        """The catalog that was there stays, byte for byte."""
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        java(programs, raw=raw)
        ran = cloakform("catalog", "update", "26.7.4", "--from", str(unpacked(tmp_path / "kc")))
        assert (ran.code, ran.out) == (2, "") and message in ran.err
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before

    @pytest.mark.parametrize(
        ("version", "told", "message"),
        [
            ("26.7.4", None, "takes Java 17 or newer, and there is no java on the PATH"),
            ("26.7.4", 'java version "1.8.0_392"', "is Java 8"),
            ("26.7.4", 'openjdk version "17"', "there is no mvn on the PATH"),
            ("27.0.0-SNAPSHOT", 'openjdk version "17"', "is a pre-release"),
        ],
    )
    def test_what_is_missing_is_one_line(self, cloakform, folder, programs, version, told, message):  # noqa: F811
        """Exit code 2 before anything is fetched."""
        if told:
            java(programs, told)
        ran = cloakform("catalog", "update", version, "-q")
        assert (ran.code, ran.out) == (2, "") and message in ran.err and ran.err.count("\n") == 1


def _jars() -> tuple[str, ...]:
    from tests.keycloak.test_distribution import JARS

    return JARS


class TestUpgrade:
    @pytest.mark.parametrize(
        ("before", "after", "strategy", "says"),
        [
            ("24.0.5", "26.7.4", "recreate", "KC_HOSTNAME_URL"),
            ("26.0.8", "26.4.7", "recreate", "26.4 must not run in a cluster with an older version"),
            ("26.6.4", "26.7.4", "recreate", "two lines"),
            ("26.6.0", "26.6.4", "rolling", "which may share a cluster from 26.6 on"),
        ],
    )
    def test_whether_it_rolls_and_why(self, project, cloakform, before, after, strategy, says):
        """The report is about this environment, in all three forms; nothing is written."""
        runs(project, before)
        kept = {path: path.read_bytes() for path in (project.root / "params").iterdir()}
        rendered = project.rendered()
        data = cloakform("upgrade", "one", "--to", after, "--format", "json")
        found = json.loads(data.out)
        assert (data.code, found["strategy"], found["environment"]) == (0, strategy, "one")
        assert all(reason["source"] for reason in found["reasons"])
        text = cloakform("upgrade", "one", "--to", after)
        page = cloakform("upgrade", "one", "--to", after, "--format", "markdown")
        assert text.code == page.code == 0 and says in text.out and says in page.out
        assert page.out.startswith(f"# one: Keycloak {before} -> {after}\n")
        assert {path: path.read_bytes() for path in kept} == kept and project.rendered() == rendered

    def test_what_the_next_render_sets_otherwise(self, project, cloakform):
        """Host name and administrator go by their new names; the database stays."""
        runs(project, "24.0.5")
        found = json.loads(cloakform("upgrade", "one", "--to", "26.7.4", "--format", "json").out)
        rewritten = {item["name"]: item["kind"] for item in found["rewritten"]}
        assert rewritten["KC_HOSTNAME_URL"] == rewritten["KEYCLOAK_ADMIN"] == "unset"
        assert rewritten["KC_HOSTNAME"] == rewritten["KC_BOOTSTRAP_ADMIN_USERNAME"] == "set"
        assert "KC_DB" not in rewritten and "KC_DB_PASSWORD" not in rewritten

    @pytest.mark.parametrize(
        ("version", "message"),
        [
            ("26.4.7", "26.4.7 is older than 26.7.4"),
            ("26.7.4", "one runs Keycloak 26.7.4 already"),
            ("22.0.5", "22.0.5 is too old"),
            ("latest", "'latest' is no Keycloak version"),
        ],
    )
    def test_a_step_that_isn_t_one_is_refused(self, cloakform, version, message):
        """Back, nowhere, or to what can't be rendered: one line and exit code 2."""
        ran = cloakform("upgrade", "one", "--to", version)
        assert (ran.code, ran.out) == (2, "") and message in ran.err and ran.err.count("\n") == 1

    def test_an_unknown_environment_is_refused_with_the_nearest(self, cloakform):
        """As everywhere else."""
        ran = cloakform("upgrade", "onee", "--to", "26.7.4")
        assert ran.code == 2 and "did you mean one?" in ran.err

    def test_wrong_params_are_reported_as_such(self, project, cloakform):
        """No report is made of an environment that can't be rendered."""
        runs(project, "26.x")
        ran = cloakform("upgrade", "one", "--to", "26.7.4")
        assert (ran.code, ran.out) == (2, "") and "params/" in ran.err

    def test_params_that_the_new_version_refuses_are_named(self, project, cloakform):
        """A feature that is gone has to leave the params before the step; one that stays isn't named."""
        runs(project, "25.0.6")
        project.write("params/one.yaml", project.read("params/one.yaml").replace(
            "keycloak:\n", "keycloak:\n  features: {enabled: [js-adapter, passkeys]}\n", 1))
        found = json.loads(cloakform("upgrade", "one", "--to", "26.7.4", "--format", "json").out)
        assert [change["key"] for change in found["params"]] == ["keycloak.features.enabled.0"]
        text = cloakform("upgrade", "one", "--to", "26.7.4").out
        assert "Params to change first" in text and "js-adapter" in text

    def test_no_secret_and_no_path_of_this_machine_is_shown(self, project, cloakform):
        """Secrets are named only; the report can be passed on."""
        runs(project, "24.0.5")
        out = cloakform("upgrade", "one", "--to", "26.7.4", "--format", "json").out
        assert "(secret)" in out and str(Path.home()) not in out.replace(str(project.root), "")
        assert str(project.root) not in out
