"""A Keycloak version as three numbers that compare."""

from __future__ import annotations

import re
from typing import NamedTuple

from generator.errors import CatalogError

_THREE_NUMBERS = re.compile(r"\.".join([r"(0|[1-9][0-9]{0,5})"] * 3))


class Version(NamedTuple):
    """`26.7.4`; compares as numbers, so 26.10.0 is newer than 26.9.0."""

    major: int
    minor: int
    patch: int

    @property
    def line(self) -> tuple[int, int]:
        """The minor line a patch release belongs to, `(26, 7)`."""
        return self.major, self.minor

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def parse(version: str | Version) -> Version:
    """Read `26.7.4`; a Version is handed back as it is.

    Raises CatalogError for anything else. `latest` and `26` are refused on purpose: which options exist would
    then depend on the day of the deployment.
    """
    if isinstance(version, Version):
        return version
    match = _THREE_NUMBERS.fullmatch(version)
    if match is None:
        raise CatalogError(f"'{version}' is no Keycloak version: write all three numbers, such as 26.7.4")
    return Version(*map(int, match.groups()))
