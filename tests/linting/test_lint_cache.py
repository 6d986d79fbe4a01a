"""The cache: answers what it was asked before, only that, and never stands in the way."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cfnlint
import pytest

import generator
from generator.linting import Cache, Finding, lint_text
from generator.linting import cache as cache_module

TEXT = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties:\n      Nmae: é\n"
REGION = "eu-central-1"

FINDING = Finding(
    "E3002",
    "error",
    "über",
    ("Resources", "A", 0),
    3,
    5,
    3,
    9,
    "f.yaml",
    "Title",
    "mend it",
    "https://x",
    "templates/a.j2",
    7,
    "service.cpu",
    "params/a.yaml",
    9,
)


def only_entry(cache: Cache) -> Path:
    (entry,) = cache.folder.glob("*.json")
    return entry


def test_findings_come_back_as_they_were(tmp_path):
    """All of a finding is kept but what is not the text's: the file's name and the origins."""
    cache = Cache(tmp_path)
    cache.store("k", [FINDING])
    assert cache.load("k") == [
        Finding(
            "E3002", "error", "über", ("Resources", "A", 0), 3, 5, 3, 9, "", "Title", "mend it", "https://x"
        )
    ]


def test_nothing_to_say_is_remembered_too(tmp_path):
    """A text without findings is a hit, a text never seen is a miss."""
    cache = Cache(tmp_path)
    cache.store("k", [])
    assert cache.load("k") == []
    assert cache.load("other") is None


def test_a_hit_imports_no_linter(tmp_path):
    """What is known is answered without cfn-lint, which takes half a second to import,
    and without our checks.
    """
    code = (
        "import sys; from generator.linting import Cache, lint_text; "
        f"found = lint_text({TEXT!r}, sys.argv[1], {REGION!r}, cache=Cache({str(tmp_path)!r})); "
        "print([f.rule for f in found], [f.file for f in found], "
        "'cfnlint' in sys.modules, 'generator.linting.checks' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True).stdout
        for name in ("first.yaml", "second.yaml")
    ]
    assert runs == ["['E3002'] ['first.yaml'] True True\n", "['E3002'] ['second.yaml'] False False\n"]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"text": TEXT + "\n"}, id="another text"),
        pytest.param({"region": "eu-west-1"}, id="another region"),
        pytest.param({"keycloak_version": "26.7.4"}, id="another Keycloak"),
        pytest.param({"info": True}, id="what only informs"),
    ],
)
def test_another_question_has_another_key(tmp_path, other):
    """Whatever findings depend on is part of the key; the same question has the same key."""
    cache = Cache(tmp_path)
    asked = {"text": TEXT, "region": REGION, "keycloak_version": "26.0.8"}
    assert cache.key(**asked) == Cache(tmp_path / "elsewhere").key(**asked)
    assert cache.key(**{**asked, **other}) != cache.key(**asked)


def test_another_linter_has_another_key(tmp_path, monkeypatch):
    """A new cfn-lint knows other things, so nothing an old one said is taken for its word."""
    cache = Cache(tmp_path)
    before = cache.key(TEXT, REGION)
    monkeypatch.setattr(cache_module, "linter_version", lambda: "0.0.1")
    assert cache.key(TEXT, REGION) != before


def test_the_key_has_the_installed_linters_version_and_schemas():
    """What tells one cfn-lint from another is in the key: its version, and the date of its schemas."""
    said = cache_module.linter_version()
    assert f'"{importlib.metadata.version("cfn-lint")}"' in said
    schemas = Path(cfnlint.__file__).parent / "data" / "schemas" / "version.json"
    assert json.loads(schemas.read_text("utf-8"))["schema_date"] in said


def test_a_linter_that_keeps_its_version_elsewhere_has_one_too(monkeypatch):
    """Where the files aren't, the package metadata answers."""
    monkeypatch.setattr(cache_module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.chdir("/")
    assert importlib.metadata.version("cfn-lint") in cache_module.linter_version.__wrapped__()


@pytest.mark.parametrize(
    "changed",
    [
        "linting/checks/alarms.py",
        "linting/rules/e9031_ports_between_tasks.py",
        "linting/view/firewall.py",
        "linting/engine.py",
        "keycloak/catalogs/26.7.4.json",
        "keycloak/facts.py",
        "resolving/values.py",
        "document.py",
    ],
)
def test_other_checks_have_another_key(tmp_path, changed):
    """A line changed in a rule, a catalog or anything else they stand on changes the digest; a copy doesn't."""
    package = tmp_path / "generator"
    shutil.copytree(Path(generator.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    digest = cache_module.rules_digest.__wrapped__
    before = digest(package)
    assert before == cache_module.rules_digest()
    with open(package / changed, "a", encoding="utf-8") as file:
        file.write("# \n")
    assert digest(package) != before


def test_a_new_rule_has_another_key(tmp_path):
    """A rule file that wasn't there changes the digest."""
    package = tmp_path / "generator"
    shutil.copytree(Path(generator.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    digest = cache_module.rules_digest.__wrapped__
    before = digest(package)
    (package / "linting" / "rules" / "e9199_new.py").write_text("", "utf-8")
    assert digest(package) != before


def test_everything_that_rules_import_is_in_the_key():
    """No module that rules stand on is left out of the digest."""
    code = (
        "import sys; from generator.linting import pack; pack.all_rules(); "
        "print(*(m.__file__ for n, m in sys.modules.items() if n.startswith('generator.')), sep='\\n')"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    package = Path(generator.__file__).parent
    used = {Path(line).relative_to(package) for line in ran.stdout.splitlines()}
    known = {Path(one) for one in cache_module._RULE_SOURCES}
    left = {one.as_posix() for one in used if not known & {one, *one.parents}}
    # The folder of the cache is nothing that a rule reads, and these packages hold nothing themselves.
    assert left <= {"__init__.py", "folder.py", "params/__init__.py"}
    assert not (package / "params/__init__.py").read_text("utf-8").strip()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut short"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"[]", id="another shape"),
        pytest.param(b'{"format": 1}', id="no findings"),
        pytest.param(b'{"format": 0, "findings": []}', id="another format"),
        pytest.param(b'{"format": 1, "findings": [{"rule": "E1"}]}', id="half a finding"),
        pytest.param(b'{"format": 1, "findings": [1]}', id="no finding"),
        pytest.param(
            b'{"format": 1, "findings": [{"rule": "E1", "severity": "error", "message": null, "path": []}]}',
            id="a finding without a message",
        ),
        pytest.param(
            b'{"format": 1, "findings": [{"rule": "", "severity": "", "message": "", "path": [], "x": 1}]}',
            id="a field there isn't",
        ),
    ],
)
def test_a_corrupt_entry_is_made_anew(tmp_path, content):
    """An entry that can't be read is as good as none, and the next run writes a good one."""
    cache = Cache(tmp_path)
    first = lint_text(TEXT, "t.yaml", REGION, cache=cache)
    good = only_entry(cache).read_bytes()
    only_entry(cache).write_bytes(content)
    assert cache.load(cache.key(TEXT, REGION)) is None
    assert lint_text(TEXT, "t.yaml", REGION, cache=cache) == first
    assert only_entry(cache).read_bytes() == good


def test_an_entry_is_believed(tmp_path):
    """A readable entry is the answer: that is what makes it a cache."""
    cache = Cache(tmp_path)
    lint_text(TEXT, "t.yaml", REGION, cache=cache)
    entry = json.loads(only_entry(cache).read_text("utf-8"))
    entry["findings"][0]["message"] = "from the cache"
    only_entry(cache).write_text(json.dumps(entry), "utf-8")
    assert [one.message for one in lint_text(TEXT, "t.yaml", REGION, cache=cache)] == ["from the cache"]


def test_a_cache_that_is_off_neither_reads_nor_writes(tmp_path):
    """`enabled=False` asks the linter every time and leaves no trace."""
    cache = Cache(tmp_path, enabled=False)
    assert [one.rule for one in lint_text(TEXT, "t.yaml", REGION, cache=cache)] == ["E3002"]
    assert list(tmp_path.iterdir()) == []
    Cache(tmp_path).store("k", [FINDING])
    assert cache.load("k") is None


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path):
    """Where no folder can be made, linting goes on without."""
    (tmp_path / ".cache").write_text("a file in the way", "utf-8")
    cache = Cache(tmp_path)
    assert [one.rule for one in lint_text(TEXT, "t.yaml", REGION, cache=cache)] == ["E3002"]
    assert cache.load(cache.key(TEXT, REGION)) is None


def test_the_folder_is_git_ignored_and_clean(tmp_path):
    """The cache keeps itself out of commits, and no temporary file stays."""
    cache = Cache(tmp_path)
    cache.store("k", [FINDING])
    assert (tmp_path / ".cache" / ".gitignore").read_text("utf-8") == "*\n"
    assert [path.name for path in cache.folder.iterdir()] == ["k.json"]


def test_a_failed_write_leaves_the_old_entry(tmp_path, monkeypatch):
    """An entry is replaced as a whole or not at all."""
    cache = Cache(tmp_path)
    cache.store("k", [FINDING])

    def full(source, target):
        raise OSError("no space left on device")

    monkeypatch.setattr(cache_module.os, "replace", full)
    cache.store("k", [])
    assert len(cache.load("k")) == 1
    assert [path.name for path in cache.folder.iterdir()] == ["k.json"]


def test_the_oldest_entries_go(tmp_path, monkeypatch):
    """The cache stays bounded; what was used last stays, also if it was written first."""
    monkeypatch.setattr(cache_module, "MAX_ENTRIES", 3)
    cache = Cache(tmp_path)
    for age, key in enumerate(["a", "b", "c"]):
        cache.store(key, [])
        os.utime(cache.folder / f"{key}.json", (age, age))
    assert cache.load("a") == []
    cache.store("d", [])
    assert sorted(path.stem for path in cache.folder.iterdir()) == ["a", "c", "d"]
