"""Findings that were already made for a text, kept below the project folder.

An entry's name is the digest of everything the findings depend on, so nothing ever has to be declared
stale: another text, region, cfn-lint or rule is another name. A cache that can't be read or written is no
cache, never an error.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.util
import json
import os
from dataclasses import asdict, replace
from pathlib import Path

from generator.folder import make_cache
from generator.linting.findings import Finding

FORMAT = 1
"""Raised when what an entry holds changes its meaning."""

MAX_ENTRIES = 500

_PACKAGE = Path(__file__).resolve().parent.parent
# What a rule of ours can import: change one line of it and the findings may be others.
_RULE_SOURCES = (
    "document.py",
    "errors.py",
    "keycloak",
    "limits.py",
    "linting",
    "params/secrets.py",
    "resolving",
    "rule_fields.py",
)
_RULE_SUFFIXES = (".json", ".py", ".yaml")
# Not kept: the file is the caller's, and origins are the rendering's.
_ELSEWHERE = ("file", "template_file", "template_line", "params_key", "params_file", "params_line")


class Cache:
    """Findings by key, one JSON file each; `enabled=False` neither reads nor writes."""

    def __init__(self, project: Path | str, enabled: bool = True):
        """`project` is the project folder; entries lie in its `.cache/lint`."""
        self.folder = Path(project) / ".cache" / "lint"
        self.enabled = enabled

    def key(self, text: str, region: str, keycloak_version: str = "", info: bool = False) -> str:
        """Name of the entry of a text that is linted for a region and a Keycloak version, with or without what only
        informs."""
        said = json.dumps([FORMAT, linter_version(), rules_digest(), region, keycloak_version, info])
        digest = hashlib.sha256(said.encode())
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def load(self, key: str) -> list[Finding] | None:
        """The findings stored under `key`, without file and origins; None where there is no entry
        that can be read.
        """
        if not self.enabled:
            return None
        path = self._path(key)
        try:
            entry = json.loads(path.read_text("utf-8"))
            found = [Finding(**{**one, "path": tuple(one["path"])}) for one in entry["findings"]]
            if entry["format"] != FORMAT or not all(map(_sound, found)):
                return None
        except (OSError, ValueError, TypeError, KeyError):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # what is used stays when the oldest go
        return found

    def store(self, key: str, findings: list[Finding]) -> None:
        """Keep `findings` under `key`; readers see the old entry or the whole new one."""
        if not self.enabled:
            return
        bare = [{k: v for k, v in asdict(finding).items() if k not in _ELSEWHERE} for finding in findings]
        with contextlib.suppress(OSError):
            make_cache(self.folder.parent)
            self.folder.mkdir(exist_ok=True)
            self._write(self._path(key), json.dumps({"format": FORMAT, "findings": bare}))
            self._forget_oldest()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.json"

    def _write(self, path: Path, text: str) -> None:
        import tempfile

        handle, name = tempfile.mkstemp(dir=self.folder, suffix=".tmp")
        try:
            with open(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise

    def _forget_oldest(self) -> None:
        # Whatever is in the folder counts, so that what an interrupted writer left goes too.
        ages = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    ages.append((entry.stat().st_mtime_ns, entry.path))
        for _, path in sorted(ages)[: max(len(ages) - MAX_ENTRIES, 0)]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)


def in_file(findings: list[Finding], file: str) -> list[Finding]:
    """The findings as findings about `file`."""
    return [replace(finding, file=file) for finding in findings]


@functools.cache
def linter_version() -> str:
    """What tells the installed cfn-lint from any other: its version and the date of the schemas it judges by.

    Both are read from its files. Importing it takes half a second, and asking the package metadata for the
    version a tenth of that. Schemas have a date of their own because `cfn-lint --update-specs` replaces them.
    """
    spec = importlib.util.find_spec("cfnlint")
    folder = Path(next(iter(spec.submodule_search_locations or ()), "") if spec else "")
    said = []
    for name in ("version.py", "data/schemas/version.json"):
        try:
            said.append((folder / name).read_text("utf-8"))
        except OSError:  # where another release keeps it, its metadata has the version
            said.append(_version_in_metadata())
    return "\n".join(said)


def _version_in_metadata() -> str:
    import importlib.metadata

    return importlib.metadata.version("cfn-lint")


@functools.cache
def rules_digest(package: Path = _PACKAGE) -> str:
    """Digest of the sources and data our own rules are made of."""
    digest = hashlib.sha256()
    for name in _RULE_SOURCES:
        root = package / name
        files = sorted(p for p in root.rglob("*") if p.suffix in _RULE_SUFFIXES) if root.is_dir() else [root]
        for file in files:
            content = file.read_bytes()
            digest.update(f"{file.relative_to(package).as_posix()} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


_BLANK = Finding("", "", "")


def _sound(finding: Finding) -> bool:
    """Whether every field holds what such a field holds."""
    return all(isinstance(value, type(getattr(_BLANK, name))) for name, value in vars(finding).items())
