"""What several rules about the database ask."""

from __future__ import annotations

from generator.linting.view import Keycloak
from generator.linting.view.databases import CLUSTER, INSTANCE, Database

_NETWORKED = ("postgres", "mysql", "mariadb", "mssql", "oracle", "tidb")
_LOCAL = ("localhost", "127.0.0.1", "[", "::1")


def networked(keycloak: Keycloak) -> bool:
    """Whether it surely uses a database at another end of a network connection."""
    return keycloak.jdbc.vendor in _NETWORKED


def configured_elsewhere(keycloak: Keycloak) -> bool:
    """Whether a file or a key store that the template doesn't show may hold options."""
    return keycloak.options.first("config-keystore", "config-file") is not None


def postgresql(keycloak: Keycloak) -> bool:
    """Whether it surely speaks to PostgreSQL: an image that was built for it doesn't say so in the template,
    but the database does."""
    vendor, database = keycloak.jdbc.vendor, keycloak.database
    return vendor == "postgres" or vendor is None and database is not None and database.postgresql


def local(host: object) -> bool:
    """Whether a host is the task itself."""
    return isinstance(host, str) and host.startswith(_LOCAL)


def forces_tls(database: Database) -> bool | None:
    """Whether the database surely refuses (True) or takes (False) connections without TLS; None where that can't
    be told.

    `rds.force_ssl` is 1 unless it is set, for RDS from PostgreSQL 15 on (Amazon RDS User Guide, "Using SSL
    with a PostgreSQL DB instance") and for Aurora from 17 on (server guide, db.adoc).
    """
    if not database.postgresql or database.resource.type not in (INSTANCE, CLUSTER):
        return None
    if database.parameters_elsewhere:
        return None
    place = database.parameter("rds.force_ssl")
    if place is not None:
        return {"1": True, "0": False, "on": True, "off": False}.get(place.text or "")
    return None if database.major is None else database.major >= (17 if database.aurora else 15)


def sslmode(keycloak: Keycloak) -> str | None:
    """The sslmode of its connections, `prefer` where none is written (the default of PostgreSQL's JDBC
    driver); None for other databases, where options of Keycloak's own decide, or where it can't be told."""
    jdbc, options = keycloak.jdbc, keycloak.options
    if not postgresql(keycloak) or not jdbc.parameters_known or local(jdbc.host):
        return None
    if "sslmode" in jdbc.parameters:
        return jdbc.parameters["sslmode"].lower()
    if jdbc.parameters.get("ssl", "false").lower() != "false" or options.get("db-tls-mode"):
        return None
    # An image of one's own may have its properties in keycloak.conf.
    return "prefer" if jdbc.parameters_setting is not None or options.missing("db-url-properties") else None


def sslmode_of_mysql(keycloak: Keycloak) -> str | None:
    """The sslMode of its connections to MySQL, PREFERRED where none is written; None for other drivers, where the
    database insists on TLS, or where it can't be told.

    Source: Connector/J developer guide, "Security": the default, and what the older useSSL, requireSSL and
    verifyServerCertificate mean. `require_secure_transport` is off unless it is set (Amazon RDS User Guide,
    "Requiring SSL/TLS for all connections to a MySQL DB instance").
    """
    jdbc, options = keycloak.jdbc, keycloak.options
    if jdbc.vendor != "mysql" or jdbc.wrapper or not jdbc.parameters_known or local(jdbc.host):
        return None
    if options.get("db-tls-mode") or options.get("db-driver") or _set(keycloak, "require_secure_transport"):
        return None
    written = {name.lower(): value.upper() for name, value in jdbc.parameters.items()}
    if "sslmode" in written:
        return written["sslmode"]
    if written.get("usessl") == "FALSE":
        return "DISABLED"
    if "TRUE" in (written.get("requiressl"), written.get("verifyservercertificate")):
        return "REQUIRED"
    return "PREFERRED" if jdbc.parameters_setting is not None or options.missing("db-url-properties") else None


def unencrypted_mssql(keycloak: Keycloak) -> bool:
    """Whether it surely tells SQL Server's driver not to encrypt, and nothing shows that the database insists.

    Source: Microsoft JDBC driver, "Setting the connection properties": `encrypt` is true unless it is set, from 10.2
    on; `optional` is another word for false.
    """
    jdbc = keycloak.jdbc
    if jdbc.vendor not in ("mssql", "sqlserver") or not jdbc.parameters_known or local(jdbc.host):
        return False
    written = {name.lower(): value.lower() for name, value in jdbc.parameters.items()}
    return written.get("encrypt") in ("false", "optional") and not _set(keycloak, "rds.force_ssl")


def _set(keycloak: Keycloak, parameter: str) -> bool:
    """Whether a parameter of the database is on, or may be: in a parameter group of elsewhere."""
    if keycloak.database is None:
        return False
    place = keycloak.database.parameter(parameter)
    if place is None:
        return keycloak.database.parameters_elsewhere
    return (place.text or "on").lower() in ("1", "on", "true")
