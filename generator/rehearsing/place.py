"""Where a rehearsal keeps its files: one folder each, below the project's `.cache/rehearsals`.

`project/` is the Compose project, `secrets/` what it must not hold, `source/` the template it was made from,
`state/` what the watch over it writes and reads.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator.errors import RehearsalError

FOLDER = Path(".cache/rehearsals")


@dataclass(frozen=True)
class Place:
    """The folder of one rehearsal."""

    root: Path
    """The project folder."""
    name: str

    @property
    def folder(self) -> Path:
        """Everything of this rehearsal."""
        return self.root / FOLDER / self.name

    @property
    def project(self) -> Path:
        """The Compose project."""
        return self.folder / "project"

    @property
    def secrets(self) -> Path:
        """Generated values; mode 0700."""
        return self.folder / "secrets"

    @property
    def source(self) -> Path:
        """Copy of the template and of what came with it."""
        return self.folder / "source"

    @property
    def state(self) -> Path:
        """What the watch knows."""
        return self.folder / "state"

    @property
    def compose_name(self) -> str:
        """Name of the Compose project: another one for every checkout, so that rehearsals run side by
        side."""
        digest = hashlib.sha256(str(self.root.resolve()).encode()).hexdigest()[:6]
        return f"rehearsal-{self.name}-{digest}"

    @property
    def exists(self) -> bool:
        """Whether something was started here and not taken down."""
        return (self.state / "started.json").is_file()

    def create(self) -> None:
        """An empty place. Whatever was there is gone."""
        self.remove()
        for folder in (self.folder, self.secrets):
            folder.mkdir(mode=0o700, parents=True)
            folder.chmod(0o700)
        for folder in (self.project, self.source, self.state):
            folder.mkdir()

    def remove(self) -> None:
        """Deletes the folder, if there is one."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def read(self, name: str, default: Any = None) -> Any:
        """A JSON file of the state; `default` where there is none."""
        try:
            return json.loads((self.state / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return default
        except (OSError, ValueError) as error:
            raise RehearsalError(f"{self.state / name} can't be read: {error}") from error

    def write(self, name: str, value: Any) -> None:
        """A JSON file of the state, whole or not at all."""
        _replace(self.state / name, json.dumps(value, indent=1).encode())

    def append(self, name: str, value: Mapping[str, Any]) -> None:
        """A line to a file of JSON lines."""
        with (self.state / name).open("a", encoding="utf-8") as file:
            file.write(json.dumps(value) + "\n")

    def lines(self, name: str) -> list[dict[str, Any]]:
        """What `append` wrote."""
        try:
            text = (self.state / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in text.splitlines() if line.endswith("}")]

    def put(self, files: Mapping[str, bytes]) -> None:
        """Writes files of the Compose project; those that are as they should be aren't touched."""
        put(self.project, files)

    def watcher(self) -> int | None:
        """Process id of the watch over this rehearsal; None where none runs."""
        process = self.read("watch.json", {}).get("process")
        if not isinstance(process, int):
            return None
        try:
            os.kill(process, 0)
            command = Path(f"/proc/{process}/cmdline")
            # The number may have gone to another program since.
            if command.exists() and b"rehearse" not in command.read_bytes():
                return None
        except OSError:
            return None
        return process

    def end_watcher(self) -> None:
        """Ends the watch and waits for it."""
        process = self.watcher()
        if process is None:
            return
        import time

        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(process, number)
            except OSError:
                return
            for _ in range(100):
                if self.watcher() is None:
                    return
                time.sleep(0.1)


def put(folder: Path, files: Mapping[str, bytes]) -> None:
    """Writes files, by their path in the folder, for everybody to read; those that are as they should be
    aren't touched."""
    for name, content in files.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        # Containers run as other users; who may come to the folder at all is decided above it.
        _replace(path, content, 0o755 if name.endswith(".sh") else 0o644)


def places(root: Path) -> list[Place]:
    """The rehearsals of a project that were started and not taken down, by name."""
    folder = root / FOLDER
    found = [Place(root, path.name) for path in folder.iterdir()] if folder.is_dir() else []
    return sorted((place for place in found if place.exists), key=lambda place: place.name)


def _replace(path: Path, content: bytes, mode: int = 0o644) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.chmod(mode)
    beside.replace(path)
