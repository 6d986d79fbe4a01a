"""The database's address, its password and TLS."""

from __future__ import annotations

from tests.claims.claim import Claim
from tests.claims.expecting import Ends, PlainConnections, SaysNothing, Starts
from tests.claims.place import DATABASE_NAME
from tests.claims.table.common import ENDS, OPTIMIZED, V24, V267

CLAIMS = (
    Claim(
        "E9170",
        "KC_DB_URL_PORT=5433",
        'No task starts: "Connection refused" or "Connect timed out"',
        ENDS,
        (Ends("Connection to .*:5433 refused"),),
        OPTIMIZED,
        {"KC_DB_URL_PORT": "5433"},
    ),
    Claim(
        "E9084",
        "a host that isn't there",
        "In each case no task starts",
        ENDS,
        (Ends("UnknownHost|connection attempt failed"),),
        OPTIMIZED,
        {"KC_DB_URL_HOST": "keycloak-database"},
        found=False,
    ),
    Claim(
        "E9084",
        "no host",
        "Without a host Keycloak tries localhost, which is the task itself",
        ENDS,
        (Ends("Connection to localhost:5432 refused"),),
        OPTIMIZED,
        {"KC_DB_URL_HOST": None},
        found=False,
    ),
    Claim(
        "W9171",
        "a database that isn't there",
        'No task starts: `FATAL: database "keycloak" does not exist`',
        ENDS,
        (Ends('FATAL: database "elsewhere" does not exist'),),
        OPTIMIZED,
        {"KC_DB_URL_DATABASE": "elsewhere"},
    ),
    Claim(
        "E9172",
        "KC_DB=mysql",
        "Driver does not support the provided URL",
        (V24, V267),
        (Ends("Driver does not support the provided URL"),),
        builds=True,
        variables={
            "KC_DB": "mysql",
            "KC_DB_URL": f"jdbc:postgresql://{DATABASE_NAME}/k",
        },
    ),
    Claim(
        "E9173",
        "sslmode=verify-full without a file",
        'No task starts: "Could not open SSL root certificate file"',
        ENDS,
        (Ends("Could not open SSL root certificate file"),),
        OPTIMIZED,
        {"KC_DB_URL_PROPERTIES": "?sslmode=verify-full"},
        found=False,
    ),
    Claim(
        "E9087",
        "sslmode=disable",
        "With `sslmode=disable` no task starts: `no pg_hba.conf entry for host ..., no encryption`",
        ENDS,
        (Ends("no pg_hba.conf entry for host .*, no encryption"),),
        OPTIMIZED,
        {"KC_DB_URL_PROPERTIES": "?sslmode=disable"},
    ),
    Claim(
        "W9087",
        "no sslmode, a server without TLS",
        "Without `sslmode` the JDBC driver prefers TLS and goes on without "
        "it where the server doesn't offer it, silently",
        ENDS,
        (Starts(), PlainConnections(True), SaysNothing(r"\bSSL|sslmode")),
        variables={"KC_DB_URL_PROPERTIES": None, "KC_DB_URL_DATABASE": "plain"},
        # PostgreSQL 15 and newer on RDS takes nothing else than TLS, and that is what is rendered.
        found=False,
    ),
    Claim(
        "W9018",
        "KC_DB_URL and KC_DB_URL_PORT",
        "Keycloak uses it as it is and ignores `db-url-host`, `db-url-port`, `db-url-database` and "
        "`db-url-properties` without a word",
        ENDS,
        (Starts(), SaysNothing("(?i)db-url")),
        OPTIMIZED,
        {
            "KC_DB_URL": f"jdbc:postgresql://{DATABASE_NAME}/keycloak?sslmode=require",
            "KC_DB_URL_PORT": "1",
        },
    ),
    Claim(
        "E9085",
        "no password",
        "The server requested SCRAM-based authentication, but no password was provided",
        ENDS,
        (Ends("but no password was provided"),),
        OPTIMIZED,
        {"KC_DB_PASSWORD": None},
        found=False,
    ),
    Claim(
        "E9085",
        "another password",
        "FATAL: password authentication failed",
        ENDS,
        (Ends("password authentication failed"),),
        OPTIMIZED,
        {"KC_DB_PASSWORD": "another one"},
        found=False,
    ),
    Claim(
        "E9092",
        "the wrapper's URL alone",
        "With the URL alone PostgreSQL's driver refuses it",
        (V24, V267),
        (Ends("Driver does not support the provided URL"),),
        OPTIMIZED,
        {"KC_DB_URL": f"jdbc:aws-wrapper:postgresql://{DATABASE_NAME}/keycloak"},
        found=False,
    ),
)
