"""The raw JSON of a distribution becomes a catalog file that reads well in a diff."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generator.errors import CatalogError
from generator.keycloak import catalog, extract

CATALOGS = sorted(Path(catalog.__file__).with_name("catalogs").glob("*.json"))


def option(key: str, **more) -> dict:
    fields = {
        "key": key,
        "env": "KC_" + key.upper().replace("-", "_"),
        "category": "General",
        "buildTime": False,
        "hidden": False,
        "type": "String",
        "default": None,
        "expected": [],
        "description": "Says what. And more.",
        "mapped": True,
    }
    return {**fields, **more}


def feature(name: str, version: int = 1, **more) -> dict:
    key = name.lower()
    fields = {
        "name": name,
        "key": key,
        "unversionedKey": key,
        "versionedKey": f"{key}:v{version}",
        "type": "DEFAULT",
        "label": name.title(),
    }
    return {**fields, **more}


def raw(*options: dict, **more) -> str:
    fields = {"version": "26.7.4", "errors": [], "cacheStacks": [], "features": [], "options": list(options)}
    return json.dumps({**fields, **more})


def compact(*options: dict, **more) -> dict:
    return json.loads(extract.compact(raw(*options, **more)))


class TestOptions:
    def test_only_what_says_something_is_kept(self):
        """Empty and false fields are left out, and of the help the first sentence stays."""
        expected = {"env": "KC_DB_URL", "type": "string", "category": "General", "about": "Says what."}
        assert compact(option("db-url"))["options"] == {"db-url": expected}

    def test_everything_that_says_something_is_there(self):
        """Values, advice, secrets and conditions come through under their short names."""
        full = option(
            "cache-stack",
            buildTime=True,
            hidden=True,
            type="Stack",
            default="tcp",
            expected=["tcp", "udp"],
            strictExpected=False,
            caseInsensitiveExpected=True,
            mask=True,
            enabledWhen="Available only when it rains",
            deprecated={"newOptions": ["sun"], "note": "It dries.", "values": []},
            deprecatedValues={"newOptions": [], "note": "Use tcp.", "values": ["udp"]},
        )
        assert compact(full)["options"]["cache-stack"] == {
            "env": "KC_CACHE_STACK",
            "type": "string",
            "build": True,
            "default": "tcp",
            "values": ["tcp", "udp"],
            "open": True,
            "ignore_case": True,
            "deprecated": True,
            "advice": "Use sun. It dries.",
            "deprecated_values": ["udp"],
            "deprecated_note": "Use tcp.",
            "hidden": True,
            "secret": True,
            "when": "Available only when it rains",
            "category": "General",
            "about": "Says what.",
        }

    @pytest.mark.parametrize(
        ("type_", "description", "expected"),
        [
            ("Boolean", "", "boolean"),
            ("Integer", "", "integer"),
            ("Double", "", "number"),
            ("List", "", "list"),
            ("File", "", "path"),
            ("Headers", "", "string"),
            ("String", "How long. May be an ISO 8601 duration value, or less.", "duration"),
        ],
    )
    def test_types_are_those_that_a_value_can_be_checked_by(self, type_, description, expected):
        """Java's types become few words; durations are told by their help."""
        found = compact(option("x", type=type_, description=description))
        assert found["options"]["x"]["type"] == expected

    def test_values_that_say_nothing_new_are_left_out(self):
        """true and false are the type's, and the lists of features are the features'."""
        found = compact(
            option("b", type="Boolean", expected=["true", "false"]),
            option("features", type="List", expected=["a[:v1]"]),
            option("features-disabled", type="List", expected=["a"]),
        )
        assert not [entry for entry in found["options"].values() if "values" in entry]

    @pytest.mark.parametrize(
        "plumbing",
        [
            pytest.param({"key": "exporter", "internal": True}, id="internal"),
            pytest.param({"key": "bootstrap-admin-expiration", "mapped": False}, id="not mapped"),
            pytest.param({"key": "proxy-forwarded-host"}, id="part of another option"),
        ],
    )
    def test_plumbing_is_dropped_and_the_rest_stays(self, plumbing):
        """What nobody can set is no option."""
        assert list(compact(option("db"), option(**plumbing))["options"]) == ["db"]

    def test_of_two_hostname_models_the_newer_names_the_option(self):
        """A key of both is v2's; a key of v1 alone belongs to its feature."""
        v1, v2 = "Hostname v1 (Deprecated)", "Hostname v2"
        found = compact(
            option("hostname", category=v1, deprecated={"newOptions": [], "note": None, "values": []}),
            option("hostname", category=v2),
            option("hostname-url", category=v1),
        )["options"]
        assert (found["hostname"]["category"], "deprecated" in found["hostname"]) == (v2, False)
        assert "feature" not in found["hostname"]
        assert found["hostname-url"]["feature"] == "hostname:v1"

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("One. Two.", "One."),
            ("Only one", "Only one"),
            ("Files such as e.g. this one. Two.", "Files such as e.g. this one."),
            ("Version 1.2 of it. Two.", "Version 1.2 of it."),
            ("Over\n two   lines. Two.", "Over two lines."),
            (None, None),
        ],
    )
    def test_the_first_sentence_ends_where_a_reader_ends_it(self, text, sentence):
        """Abbreviations and version numbers don't end a sentence, line ends neither."""
        assert compact(option("x", description=text))["options"]["x"].get("about") == sentence


class TestFeaturesAndStacks:
    def test_features_go_by_their_versioned_names(self):
        """State, needs, policy and the names in messages come through; `fixed` is what can't be disabled."""
        found = compact(
            option("features-disabled", type="List", expected=["account"]),
            features=[
                feature(
                    "ACCOUNT", 3, key="account-v3", dependencies=["API"], updatePolicy="ROLLING_NO_UPGRADE"
                ),
                feature("API", type="PREVIEW", deprecated=True),
            ],
        )["features"]
        assert found == {
            "account:v3": {
                "key": "account-v3",
                "state": "on",
                "label": "Account",
                "needs": ["api:v1"],
                "update": "rolling-no-upgrade",
            },
            "api:v1": {"state": "preview", "deprecated": True, "label": "Api", "fixed": True},
        }

    def test_features_of_times_before_their_versions_go_by_their_key(self):
        """Before 24, a feature has one name, in its own place and where another one needs it."""
        names = {"versionedKey": None, "unversionedKey": None}
        found = compact(
            option("features-disabled", type="List", expected=["account2"]),
            features=[feature("ACCOUNT2", dependencies=["API"], **names), feature("API", **names)],
        )["features"]
        assert found == {
            "account2": {"state": "on", "label": "Account2", "needs": ["api"]},
            "api": {"state": "on", "label": "Api", "fixed": True},
        }

    def test_stacks_know_which_of_them_are_deprecated(self):
        """The list of the stacks and the deprecated values of the option are put together."""
        old = {"newOptions": [], "note": "", "values": ["tcp"]}
        stacks = [{"value": "udp"}, {"value": "tcp"}]
        found = compact(option("cache-stack", deprecatedValues=old), cacheStacks=stacks)["stacks"]
        assert found == {"tcp": {"deprecated": True}, "udp": {}}


class TestText:
    def test_one_option_takes_one_line_in_the_order_of_the_keys(self):
        """A changed option is one changed line, whatever order the distribution has."""
        text = extract.compact(raw(option("b"), option("a", description="Größe.")))
        assert text == extract.compact(raw(option("a", description="Größe."), option("b")))
        assert text.splitlines()[-4:] == [
            '"a": {"env": "KC_A", "type": "string", "category": "General", "about": "Größe."},',
            '"b": {"env": "KC_B", "type": "string", "category": "General", "about": "Says what."}',
            "}",
            "}",
        ]
        assert text.endswith("}\n")

    @pytest.mark.parametrize("path", CATALOGS, ids=lambda path: path.stem)
    def test_the_catalogs_have_this_form(self, path):
        """Each file names its version and is sorted, a line for each entry."""
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
        assert data["version"] == path.stem
        entries = 0
        for name in ("stacks", "features", "options"):
            assert list(data[name]) == sorted(data[name])
            entries += len(data[name])
        assert len(text.splitlines()) == entries + 9

    def test_all_of_them_stay_small(self):
        """They are part of every installation."""
        assert sum(path.stat().st_size for path in CATALOGS) < 700_000

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            pytest.param("<html>", "not what the extractor prints", id="no JSON"),
            pytest.param('{"version": "26.7.4"}', "not what the extractor prints", id="something else"),
            pytest.param("[]", "not what the extractor prints", id="a list"),
            pytest.param(raw(errors=["Profile: gone"]), "Profile: gone", id="classes that can't be read"),
            pytest.param(raw(), "no options", id="nothing in it"),
            pytest.param(raw(option("a"), version="x"), "'x' is no Keycloak version", id="no version"),
        ],
    )
    def test_half_a_distribution_is_refused(self, text, message):
        """A catalog that lacks options would call real ones unknown."""
        with pytest.raises(CatalogError, match=message):
            extract.compact(text)


def test_the_command_runs_the_extractor_that_is_there(tmp_path):
    """Class path of the distribution, the extractor's source and the version, as the launcher takes them."""
    java, option_, class_path, source, version = extract.command(tmp_path, "26.7.4")
    assert (java, option_, version) == ("java", "-cp", "26.7.4")
    assert extract.command(tmp_path, "26.7.4", "/jdk/bin/java")[0] == "/jdk/bin/java"
    assert class_path.split(":") == [f"{tmp_path}/lib/{part}/*" for part in ("lib/main", "lib/boot", "app")]
    assert Path(source).is_file()
