"""Where artefacts come from: folders, files, and revisions of git. Alone in this room it reads files and
runs git.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from generator.reviewing.artefact import TEMPLATE, Artefact, ReviewError

_MOST_BYTES = 20_000_000
_BASES = ("origin/main", "origin/master", "main", "master")


def environments(root: Path) -> tuple[str, ...]:
    """The environments below rendered/, by name."""
    folder = root / "rendered"
    try:
        return tuple(
            sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
        )
    except OSError:
        return ()


def committed(root: Path, name: str) -> Artefact | None:
    """An environment as it is in the folder now; None where there is none. Raises ReviewError where a file
    can't be read."""
    folder = root / "rendered" / name
    if name not in environments(root):
        return None
    files = {}
    for place, folders, names in os.walk(folder):
        folders.sort()
        for one in sorted(names):
            path = Path(place) / one
            if path.is_file():
                files[path.relative_to(folder).as_posix()] = _bytes(path)
    return Artefact(name, f"rendered/{name}", files) if files else None  # git keeps no empty folders either


def file(path: str) -> Artefact:
    """A template of anybody's. Raises ReviewError where it can't be read."""
    return Artefact(path, path, {TEMPLATE: _bytes(Path(path), path)}, lone=True)


def _bytes(path: Path, shown: str = "") -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ReviewError(f"{shown or path} is too large to be a template or a file beside one")
        return path.read_bytes()
    except OSError as error:
        raise ReviewError(f"{shown or path} can't be read: {error.strerror}") from None


class Repository:
    """The git repository that a project is in; its folder may be below the repository's top."""

    def __init__(self, root: Path):
        self.root = root

    def commit(self, revision: str) -> str:
        """The hash of a revision's commit. Raises ReviewError for one that isn't there."""
        found = self._try("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if not found:
            self._inside()
            raise ReviewError(
                f"git has no revision {revision!r} (name a branch, a tag or a commit; in a shallow clone "
                "fetch its history first: git fetch --unshallow)"
            )
        return found

    def base(self) -> tuple[str, str]:
        """(hash, what it is) of the commit that a branch started from: where it meets the main branch. On the
        main branch itself that is its newest commit, and what isn't committed yet is the change. Raises
        ReviewError where nothing is committed."""
        head = self.commit("HEAD")
        for name in _BASES:
            if self._try("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"):
                met = self._try("merge-base", "HEAD", name)
                if met:
                    return met, "HEAD" if met == head else f"where this branch left {name}"
        return head, "HEAD"

    def environments(self, revision: str) -> tuple[str, ...]:
        """The environments of a revision, by name."""
        return tuple(
            sorted({path.split("/")[0] for path, _ in self._listed(revision, "rendered") if "/" in path})
        )

    def artefact(self, revision: str, name: str) -> Artefact | None:
        """An environment as it is in a revision; None where there is none."""
        listed = dict(self._listed(revision, f"rendered/{name}"))
        if not listed:
            return None
        contents = self._contents(list(listed.values()))
        shown = revision[:10] if re.fullmatch("[0-9a-f]{40,}", revision) else revision
        return Artefact(name, f"{shown}:rendered/{name}", dict(zip(listed, contents)))

    def uncommitted(self, *paths: str) -> tuple[str, ...]:
        """Files below these paths, as git names them, that aren't in the newest commit as they are here.

        Raises ReviewError where nothing is committed.
        """
        self.commit("HEAD")
        told = self._run("status", "--porcelain", "-z", "--untracked-files=all", "--", *paths)
        entries = told.decode("utf-8", "surrogateescape").split("\0")
        # A renamed file's old name follows in an entry of its own, without a state before it.
        return tuple(sorted({one[3:] for one in entries if len(one) > 3 and one[2] == " "}))

    def _listed(self, revision: str, folder: str) -> Iterator[tuple[str, str]]:
        """(path below the folder, blob) of each file of a revision."""
        told = self._run("ls-tree", "-r", "-z", self.commit(revision), "--", f"{folder}/")
        for entry in told.decode("utf-8", "surrogateescape").split("\0"):
            about, tab, path = entry.partition("\t")
            fields = about.split()
            if tab and len(fields) == 3 and fields[1] == "blob" and fields[0] != "120000":
                yield path.removeprefix(f"{folder}/"), fields[2]

    def _contents(self, blobs: list[str]) -> list[bytes]:
        told = self._run("cat-file", "--batch", given="\n".join(blobs).encode() + b"\n")
        found, place = [], 0
        for blob in blobs:
            end = told.index(b"\n", place)
            fields = told[place:end].split()
            if len(fields) != 3:
                raise ReviewError(f"git can't read {blob} (is this a partial clone? git fetch it)")
            size = int(fields[2])
            found.append(told[end + 1 : end + 1 + size])
            place = end + 2 + size
        return found

    def _inside(self) -> None:
        if self._try("rev-parse", "--is-inside-work-tree") != "true":
            raise ReviewError(
                f"{self.root} is in no git repository, so there is nothing to compare with (compare two "
                "files or environments: cloakform diff A B)"
            )
        if not self._try("rev-parse", "--verify", "--quiet", "HEAD"):
            raise ReviewError("git has no commit yet, so there is nothing to compare with")

    def _try(self, *arguments: str) -> str:
        try:
            return self._run(*arguments).decode("utf-8", "replace").strip()
        except _Failed:
            return ""

    def _run(self, *arguments: str, given: bytes = b"") -> bytes:
        around = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        try:
            ran = subprocess.run(
                ["git", "--no-optional-locks", "--literal-pathspecs", *arguments],
                cwd=self.root,
                input=given,
                capture_output=True,
                check=False,
                env={**around, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"},
            )
        except FileNotFoundError:
            raise ReviewError(
                "git isn't here (install it, or compare two files: cloakform diff A B)"
            ) from None
        if ran.returncode:
            said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
            raise _Failed(f"git {arguments[0]} failed: {said[-1] if said else f'exit code {ran.returncode}'}")
        return ran.stdout


class _Failed(ReviewError):
    """A command of git that ended with an error."""
