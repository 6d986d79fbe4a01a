"""The administrator's name and password from a file."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from generator.errors import RehearsalError


def from_file(path: Path) -> tuple[str, str]:
    """(name, password) from a JSON object with `username` and `password`, as the secret in Secrets Manager
    has them.

    Raises RehearsalError where others may read the file too, or it holds something else.
    """
    wanted = 'a JSON object: {"username": …, "password": …}'
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise RehearsalError(f"{path} may be read by others (mode {mode:04o}): chmod 600 {path}")
            found = json.load(file)
    except OSError as error:
        raise RehearsalError(f"{path} can't be read ({error.strerror})") from error
    except ValueError as error:
        raise RehearsalError(f"{path} isn't {wanted}") from error
    values = [found.get(key) for key in ("username", "password")] if isinstance(found, dict) else []
    if not all(isinstance(value, str) and value for value in values) or not values:
        raise RehearsalError(f"{path} isn't {wanted}")
    return values[0], values[1]
