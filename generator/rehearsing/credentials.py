"""Values for the secrets of a rehearsal: generated once, kept in files of mode 0600, never printed."""

from __future__ import annotations

import json
import os
import secrets
import string
from pathlib import Path

from generator.errors import RehearsalError
from generator.rehearsing.topology import SecretField, Topology

LENGTH = 32
# Letters and digits only: nothing that Keycloak would expand (`$$`, `${`), Compose interpolate or a shell read.
_ALPHABET = string.ascii_letters + string.digits


class Credentials:
    """The value of every secret field that a topology names."""

    def __init__(self, values: dict[str, str]):
        self._values = values

    @classmethod
    def generate(cls, topology: Topology) -> Credentials:
        """New values; a literal that the template shows stays as it is."""
        values = {}
        for field in _fields(topology):
            values.setdefault(_key(field), field.literal if field.literal is not None else _generated())
        return cls(values)

    @classmethod
    def load(cls, folder: Path) -> Credentials:
        """Values that `store` wrote. Raises RehearsalError where there are none."""
        try:
            return cls(json.loads((folder / "values.json").read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise RehearsalError(f"the rehearsal's secrets can't be read: {error}") from error

    def value(self, field: SecretField) -> str:
        """The value of a field of the topology the credentials were generated for."""
        return self._values[_key(field)]

    def store(self, folder: Path, topology: Topology) -> None:
        """Writes `values.json` and an env_file for each container, all of mode 0600 in a folder of mode 0700.

        Raises RehearsalError for a literal that an env_file can't hold.
        """
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        _private(folder / "values.json", json.dumps(self._values, indent=2) + "\n")
        for container in topology.task.containers:
            _private(folder / f"{container.name}.env", self._env_file(container.secrets))
        if topology.database is not None:
            database = topology.database
            _private(folder / "database.env", self._env_file(
                (("POSTGRES_USER", database.username), ("POSTGRES_PASSWORD", database.password))))

    def _env_file(self, entries: tuple[tuple[str, SecretField], ...]) -> str:
        lines = []
        for name, field in entries:
            value = self.value(field)
            # Compose 1.29 and 2 read quotes, `$` and `#` differently: a value has to mean the same to both.
            if not value or not set(value) <= set(_ALPHABET + "-_.@+:/="):
                raise RehearsalError(f"{name}: the template's value for it holds characters that an env_file can't")
            lines.append(f"{name}={value}\n")
        return "".join(lines)


def _fields(topology: Topology) -> list[SecretField]:
    found = [field for container in topology.task.containers for _, field in container.secrets]
    if topology.database is not None:
        # First, so that the literal user name the database has is what the container gets.
        found = [topology.database.username, topology.database.password, *found]
    return found


def _key(field: SecretField) -> str:
    return f"{field.secret}#{field.field}"


def _generated() -> str:
    # A letter in front: whatever reads it as a number or an option would not.
    return secrets.choice(string.ascii_letters) + "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH - 1))


def _private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    path.chmod(0o600)
