"""What the project promises of the environment that it renders."""

from __future__ import annotations

from tests.claims.claim import Claim
from tests.claims.expecting import Address, Administrator, Login, PlainConnections, Quiet, SaysNothing, Starts
from tests.claims.table.common import OPTIMIZED, VERSIONS

CLAIMS = (
    Claim(
        "",
        "dev, the stock image",
        "comes up with no error and no warning but those of a choice",
        VERSIONS,
        (Starts(), Quiet(), Administrator(True)),
        unbuilt=True,
        database="empty",
    ),
    Claim(
        "",
        "prod, the optimized image",
        "comes up with no error and no warning but those of a choice",
        VERSIONS,
        (
            Starts(),
            Quiet(),
            Administrator(True),
            SaysNothing("Updating the configuration"),
            Login(302),
            Address("203.0.113.9", "X-Forwarded-For: 203.0.113.9"),
            PlainConnections(False),
        ),
        OPTIMIZED,
        database="empty",
    ),
)
