"""A distribution on this machine: whole or refused, and read with a Java that can.

Java and Maven are no part of the tests' environment, so small programs stand in for both; everything else is real.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from generator.errors import CatalogError
from generator.keycloak import distribution

RAW = {
    "version": "26.7.4",
    "errors": [],
    "cacheStacks": [{"value": "tcp"}],
    "features": [{"name": "A", "key": "a", "unversionedKey": "a", "versionedKey": "a:v1", "type": "DEFAULT",
                  "label": "A"}],
    "options": [{"key": "db", "env": "KC_DB", "category": "Database", "buildTime": True, "hidden": False,
                 "type": "String", "default": None, "expected": [], "description": "The vendor.", "mapped": True}],
}
JARS = (
    "lib/lib/main/org.keycloak.keycloak-quarkus-server-26.7.4.jar",
    "lib/lib/main/org.keycloak.keycloak-common-26.7.4.jar",
    "lib/lib/boot/boot.jar",
    "lib/app/app.jar",
)


def quiet(text: str) -> None:
    """Progress that nobody reads."""


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that is the whole PATH; what is put into it runs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "cat", "cp", "mkdir"):
        found = next(Path(one) / name for one in ("/bin", "/usr/bin") if (Path(one) / name).exists())
        (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    def put(name: str, script: str, where: Path = folder) -> None:
        where.mkdir(parents=True, exist_ok=True)
        (where / name).write_text(f"#!{folder}/sh\n{script}\n", "utf-8")
        (where / name).chmod(0o755)

    return put


def java(programs, told: str = 'openjdk version "17.0.15" 2025-04-15', raw: dict | str = RAW) -> None:
    """A Java that says its version and, asked to run the extractor, prints what that would."""
    text = raw if isinstance(raw, str) else json.dumps(raw)
    programs("java", f"if [ \"$1\" = -version ]; then echo '{told}' >&2; exit; fi\ncat <<'END'\n{text}\nEND")


def unpacked(folder: Path, jars=JARS) -> Path:
    for jar in jars:
        (folder / jar).parent.mkdir(parents=True, exist_ok=True)
        (folder / jar).write_bytes(b"PK")
    return folder


def packed(file: Path, names=(), links=()) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for name in (*(f"keycloak-26.7.4/{jar}" for jar in JARS), *names):
            member = tarfile.TarInfo(name)
            member.size = 2
            archive.addfile(member, io.BytesIO(b"PK"))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return file


class TestVersion:
    @pytest.mark.parametrize("version", ["26.8.0.Beta1", "27.0.0-SNAPSHOT", "999.0.0-SNAPSHOT", "nightly", "26.7.0.CR2"])
    def test_a_pre_release_is_refused_with_the_reason(self, version):
        """Its options may still change, so a catalog of it would be wrong later."""
        with pytest.raises(CatalogError, match=f"{version} is a pre-release"):
            distribution.released(version)

    @pytest.mark.parametrize("version", ["26", "latest", "v26.7.4", ""])
    def test_anything_else_is_refused_with_an_example(self, version):
        """What isn't three numbers isn't looked for."""
        with pytest.raises(CatalogError, match="write all three numbers"):
            distribution.released(version)

    def test_a_release_is_read(self):
        """Three numbers are a release."""
        assert str(distribution.released("26.7.4")) == "26.7.4"


class TestJava:
    @pytest.mark.parametrize("told", ['openjdk version "17.0.15" 2025-04-15', 'java version "21" 2023-09-19',
                                      'openjdk version "25-ea"'])
    def test_17_and_newer_do(self, programs, told):
        """Every vendor's way of saying it is understood."""
        java(programs, told)
        assert Path(distribution.java()).name == "java"

    @pytest.mark.parametrize(("told", "number"), [('java version "1.8.0_392"', 8), ('openjdk version "11.0.2"', 11)])
    def test_an_older_one_is_refused(self, programs, told, number):
        """The message has both versions and how to name another Java."""
        java(programs, told)
        with pytest.raises(CatalogError, match=rf"takes Java 17 or newer, .* is Java {number}: .*JAVA_HOME"):
            distribution.java()

    def test_none_at_all(self, programs):
        """One line says what is missing."""
        with pytest.raises(CatalogError, match="there is no java on the PATH"):
            distribution.java()

    def test_java_home_goes_first(self, programs, tmp_path, monkeypatch):
        """Who names a Java gets that one, and hears of it if it isn't there."""
        java(programs, 'java version "1.8.0_392"')
        programs("java", "echo 'openjdk version \"21.0.1\"' >&2", tmp_path / "jdk" / "bin")
        monkeypatch.setenv("JAVA_HOME", str(tmp_path / "jdk"))
        assert distribution.java() == str(tmp_path / "jdk" / "bin" / "java")
        monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nope"))
        with pytest.raises(CatalogError, match=r"JAVA_HOME \(.*nope\) has no bin/java"):
            distribution.java()

    def test_something_else_called_java(self, programs):
        """What doesn't say which Java it is isn't used."""
        java(programs, "hello")
        with pytest.raises(CatalogError, match="doesn't say which Java it is"):
            distribution.java()


class TestUnpacked:
    def test_a_folder_is_taken_as_it_is(self, tmp_path):
        """An unpacked distribution is read where it is, and left alone."""
        home = unpacked(tmp_path / "kc")
        with distribution.unpacked(home, quiet) as found:
            assert found == home
        assert sorted(path for path in home.rglob("*") if path.is_file()) == sorted(home / jar for jar in JARS)

    def test_an_archive_is_unpacked_for_a_while(self, tmp_path):
        """Its jars are there as long as they are needed, and its other files never."""
        file = packed(tmp_path / "kc.tar.gz", names=("keycloak-26.7.4/bin/kc.sh", "keycloak-26.7.4/lib/app/x.txt"))
        with distribution.unpacked(file, quiet) as home:
            assert {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()} == set(JARS)
        assert not home.exists()

    def test_an_archive_writes_nowhere_else(self, tmp_path):
        """Names that lead outside, links and devices are left out."""
        outside = tmp_path / "outside.jar"
        file = packed(
            tmp_path / "kc.tar.gz",
            names=(f"{outside}", "keycloak-26.7.4/lib/app/../../../../outside.jar", "../outside.jar"),
            links=[("keycloak-26.7.4/lib/app/evil.jar", "/etc/passwd")],
        )
        with distribution.unpacked(file, quiet) as home:
            assert {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()} == set(JARS)
        assert not outside.exists() and sorted(tmp_path.iterdir()) == [file]

    @pytest.mark.parametrize("cut", [0, 20, 0.5, -8])
    def test_half_an_archive_is_refused(self, tmp_path, cut):
        """A download that broke off is called that, wherever it broke."""
        file = packed(tmp_path / "kc.tar.gz")
        whole = file.read_bytes()
        file.write_bytes(whole[: int(len(whole) * cut) if isinstance(cut, float) else cut])
        with pytest.raises(CatalogError, match=r"kc\.tar\.gz is no whole \.tar\.gz"):
            with distribution.unpacked(file, quiet):
                pass

    @pytest.mark.parametrize("missing", ["lib/lib/main", "lib/lib/boot", "lib/app"])
    def test_a_distribution_that_lacks_a_part_is_refused(self, tmp_path, missing):
        """Half a class path would make half a catalog."""
        home = unpacked(tmp_path / "kc", [jar for jar in JARS if not jar.startswith(missing)])
        with pytest.raises(CatalogError, match=f"no whole Keycloak distribution: {missing} has no jars"):
            with distribution.unpacked(home, quiet):
                pass

    def test_something_else_is_refused(self, tmp_path):
        """A folder of other jars, or nothing at all, is no Keycloak."""
        other = unpacked(tmp_path / "other", ["lib/lib/main/a.jar", "lib/lib/boot/b.jar", "lib/app/c.jar"])
        for source, message in ((other, "no keycloak-quarkus-server jar"), (tmp_path / "nope", "doesn't exist")):
            with pytest.raises(CatalogError, match=message):
                with distribution.unpacked(source, quiet):
                    pass


class TestCatalogText:
    def test_what_the_extractor_prints_becomes_a_catalog(self, programs, tmp_path):
        """From the jars to the text of the file, with a word about what is going on."""
        java(programs)
        said = []
        text = distribution.catalog_text(unpacked(tmp_path / "kc"), "26.7.4", said.append)
        assert json.loads(text)["options"]["db"]["env"] == "KC_DB"
        assert said == ["reading what Keycloak 26.7.4 understands out of its classes"]

    def test_another_version_is_refused_before_anything_runs(self, programs, tmp_path):
        """A catalog under a wrong version would be believed; no Java is needed to see that."""
        with pytest.raises(CatalogError, match=r"this is Keycloak 26\.7\.4, not 26\.7\.3"):
            distribution.catalog_text(unpacked(tmp_path / "kc"), "26.7.3", quiet)

    @pytest.mark.parametrize(
        ("raw", "message"),
        [({**RAW, "errors": ["Profile: gone"]}, "Profile: gone"), ("oops", "not what the extractor prints")],
    )
    def test_classes_that_can_t_be_read(self, programs, tmp_path, raw, message):
        """No half catalog comes out."""
        java(programs, raw=raw)
        with pytest.raises(CatalogError, match=message):
            distribution.catalog_text(unpacked(tmp_path / "kc"), "26.7.4", quiet)

    def test_an_extractor_that_ends_early(self, programs, tmp_path):
        """The last line that Java wrote says why."""
        programs("java", "if [ \"$1\" = -version ]; then echo 'version \"17\"' >&2; exit; fi\n"
                         "echo 'warning' >&2; echo 'Error: no class' >&2; exit 1")
        with pytest.raises(CatalogError, match=r"26\.7\.4 can't be read: Error: no class"):
            distribution.catalog_text(unpacked(tmp_path / "kc"), "26.7.4", quiet)


class TestFetched:
    def test_what_maven_gives_is_unpacked_and_gone_afterwards(self, programs, tmp_path):
        """Maven is asked for the very version, and nothing stays behind."""
        file = packed(tmp_path / "kc.tar.gz")
        programs("mvn", f'echo "$@" > {tmp_path}/asked\nfor one in "$@"; do case "$one" in\n'
                        f'-DoutputDirectory=*) mkdir -p "${{one#*=}}"; cp {file} "${{one#*=}}/kc.tar.gz";;\nesac; done')
        with distribution.fetched("26.7.4", quiet) as home:
            assert str(distribution.version_of(home)) == "26.7.4"
        assert not home.exists()
        asked = (tmp_path / "asked").read_text("utf-8")
        assert "-Dartifact=org.keycloak:keycloak-quarkus-dist:26.7.4:tar.gz" in asked
        assert "--strict-checksums" in asked

    def test_without_maven_the_way_out_is_named(self, programs):
        """One line says what is missing and that a distribution can be given."""
        with pytest.raises(CatalogError, match="no mvn on the PATH .*--from"):
            with distribution.fetched("26.7.4", quiet):
                pass

    @pytest.mark.parametrize(("found", "near"), [("26.7.8", "26.7.8"), ("26.3.4", "26.7.4"), ("", "26.7.4")])
    def test_a_version_that_isn_t_there_leads_to_the_nearest(self, programs, tmp_path, found, near):
        """The newest one before it, from Maven's list or from the catalogs, whichever is newer."""
        answer = f'mkdir -p "$out"; cp /dev/null "$out/keycloak-quarkus-dist-{found}.pom"' if found else "exit 1"
        programs("mvn", 'for one in "$@"; do case "$one" in -DoutputDirectory=*) out="${one#*=}";; esac; done\n'
                        f'case "$*" in *copy-dependencies*) {answer};;\n'
                        '*) echo "[ERROR] Could not find artifact org.keycloak:keycloak-quarkus-dist"; exit 1;; esac')
        with pytest.raises(CatalogError, match=rf"have no Keycloak 26\.7\.9: the nearest one before it is {near}$"):
            with distribution.fetched("26.7.9", quiet):
                pass

    def test_another_trouble_of_maven_s_is_told_in_its_words(self, programs):
        """A repository that can't be reached isn't a version that doesn't exist."""
        programs("mvn", "echo '[ERROR] Connection refused'; echo '[ERROR] Re-run with -e'; exit 1")
        with pytest.raises(CatalogError, match=r"can't fetch Keycloak 26\.7\.4: Connection refused$"):
            with distribution.fetched("26.7.4", quiet):
                pass

    def test_a_download_that_broke_off_is_refused(self, programs, tmp_path):
        """Even if Maven is happy with it."""
        file = packed(tmp_path / "kc.tar.gz")
        os.truncate(file, 100)
        programs("mvn", 'for one in "$@"; do case "$one" in\n'
                        f'-DoutputDirectory=*) mkdir -p "${{one#*=}}"; cp {file} "${{one#*=}}/kc.tar.gz";;\nesac; done')
        with pytest.raises(CatalogError, match="no whole"):
            with distribution.fetched("26.7.4", quiet):
                pass
