"""What a Keycloak version does that can't be read from its classes, each with its source.

Sources named here: "measured" is a run of the distribution itself; "upgrading guide N" is
docs/documentation/upgrading/topics/changes/changes-N.adoc and "server guide" docs/guides/server of
keycloak/keycloak; "parent POM" is org.keycloak:keycloak-parent on Maven Central.

Every function takes the version as `26.7.4` or as a Version and raises CatalogError for anything else.
Versions before 24.0 are not covered.
"""

from __future__ import annotations

from generator.keycloak.version import Version, parse

RENAMED = {
    "BOOTSTRAP_ADMIN_PASSWORD": ("KEYCLOAK_ADMIN_PASSWORD",),
    "BOOTSTRAP_ADMIN_USERNAME": ("KEYCLOAK_ADMIN",),
    "DB_ADDR": ("KC_DB_URL_HOST",),
    "DB_DATABASE": ("KC_DB_URL_DATABASE",),
    "DB_PORT": ("KC_DB_URL_PORT",),
    "DB_SCHEMA": ("KC_DB_SCHEMA",),
    "DB_USER": ("KC_DB_USERNAME",),
    "DB_VENDOR": ("KC_DB",),
    "FRONTEND_URL": ("KC_HOSTNAME_URL", "KC_HOSTNAME"),
    "HOSTNAME_ADMIN_URL": ("KC_HOSTNAME_ADMIN",),
    "HOSTNAME_PATH": ("KC_HOSTNAME",),
    "HOSTNAME_PORT": ("KC_HOSTNAME",),
    "HOSTNAME_URL": ("KC_HOSTNAME",),
    "KEYCLOAK_ADMIN": ("KC_BOOTSTRAP_ADMIN_USERNAME",),
    "KEYCLOAK_ADMIN_PASSWORD": ("KC_BOOTSTRAP_ADMIN_PASSWORD",),
    "KEYCLOAK_FRONTEND_URL": ("KC_HOSTNAME_URL", "KC_HOSTNAME"),
    "KEYCLOAK_LOGLEVEL": ("KC_LOG_LEVEL",),
    "KEYCLOAK_PASSWORD": ("KC_BOOTSTRAP_ADMIN_PASSWORD",),
    "KEYCLOAK_USER": ("KC_BOOTSTRAP_ADMIN_USERNAME",),
    "PROXY": ("KC_PROXY_HEADERS",),
    "PROXY_ADDRESS_FORWARDING": ("KC_PROXY_HEADERS",),
}
"""Names of other times, without KC_ -> what a version may know instead; the first one that it knows is meant.

Sources: README of the WildFly image (keycloak/keycloak-containers, server), upgrading guides 24.0.0 (proxy),
25.0.0 (hostname) and 26.0.0 (admin). hostname-strict-https has no heir, and hostname-strict-backchannel
became its own opposite, so neither is here.
"""


def management_port(version: str | Version) -> int | None:
    """Default port of health and metrics; None where they are on the main port.

    Source: upgrading guide 25.0.0; measured on 24.0.5, where KC_HTTP_MANAGEMENT_PORT is ignored, and on
    25.0.6, 26.0.8 and 26.7.4, where the main port answers 404.
    """
    return 9000 if parse(version) >= (25, 0, 0) else None


def public_paths(version: str | Version) -> tuple[str, ...]:
    """Paths that browsers and clients need, below http-relative-path; `/realms/` stands for all below it.

    Everything else (/, /admin/, /metrics, /health) has no business on a public listener. Source: server
    guide, reverseproxy.adoc; measured: /js/ answers up to 25.0.6 and no more on 26.0.8. Upgrading guides
    26.1.0 ("Removal of robots.txt file") and 26.4.0 ("RFC 8414 compliant lookup of metadata": /.well-known/).
    Clients look that last one up at the root of the host even if http-relative-path is set, so a balancer
    that can't rewrite paths can't serve it then.
    """
    asked = parse(version)
    paths = ["/realms/", "/resources/"]
    if asked < (26, 0, 0):
        paths.append("/js/")
    if asked < (26, 1, 0):
        paths.append("/robots.txt")
    if asked >= (26, 4, 0):
        paths.append("/.well-known/")
    return tuple(paths)


def path_tricks_reach_admin(version: str | Version) -> bool:
    """Whether `/realms/../admin/` and `/realms/%2e%2e/admin/` show the admin console.

    A balancer that lets /realms/ through may let these through. Source: upgrading guide 26.4.3 ("Accepting
    only normalized paths in requests"): from there on the answer is 400. Measured: the console answers on
    24.0.5, 25.0.6, 26.0.8, 26.2.5 and 26.3.5, and 400 on 26.4.7 and 26.7.4; the classes of 26.4.0 don't have
    the check yet. http-accept-non-normalized-paths=true brings the old answer back.
    """
    return parse(version) < (26, 4, 3)


def path_parameters_reach_admin(version: str | Version) -> bool:
    """Whether `/admin;x/` passes a balancer rule that denies `/admin/` and still shows the admin console.

    In the same way `/realms/master;x/` passes one that denies `/realms/master/`. Source: upgrading guide
    26.6.0 (a `;` is refused); measured: the console on 24.0.5 and 26.4.7, an error 500 on 26.0.8, 400 on
    26.7.4; the master realm on 24.0.5 and 26.4.7, 400 on 26.5.5 and 26.6.4.
    """
    return parse(version) < (26, 6, 0)


def bootstrap_admin_variables(version: str | Version) -> tuple[str, str]:
    """Variables with name and password of the first administrator.

    Source: upgrading guide 26.0.0. Measured: 24.0.5 and 25.0.6 ignore the new names silently and have no
    administrator then; 26.0.8 and 26.7.4 still take the old ones, with a warning.
    """
    if parse(version) >= (26, 0, 0):
        return "KC_BOOTSTRAP_ADMIN_USERNAME", "KC_BOOTSTRAP_ADMIN_PASSWORD"
    return "KEYCLOAK_ADMIN", "KEYCLOAK_ADMIN_PASSWORD"


def spi_variable(version: str | Version, spi: str, provider: str, name: str) -> str:
    """Variable of a provider's option, from its three parts as the guides spell them.

    Source: upgrading guide 26.3.0 (parts are separated by two dashes, so by two underscores). Measured with
    should-attach-route: two underscores are ignored on 24.0.5, 25.0.6 and 26.0.8 and work on 26.7.4; one
    works everywhere. In the classes, Keycloak's own properties change from 26.2.5 to 26.3.5.
    """
    separator = "__" if parse(version) >= (26, 3, 0) else "_"
    return "KC_SPI_" + separator.join(part.upper().replace("-", "_") for part in (spi, provider, name))


def hostname_model(version: str | Version) -> int:
    """1: host name and URL are options of their own; 2: `hostname` takes either.

    Source: upgrading guide 25.0.0. 25 still has the first one, behind `features=hostname:v1`.
    """
    return 2 if parse(version) >= (25, 0, 0) else 1


def jdbc_ping_available(version: str | Version) -> bool:
    """Whether nodes can find each other through the database (cache-stack=jdbc-ping).

    Source: upgrading guide 26.1.0; measured: `ISPN000540: No such JGroups stack 'jdbc-ping'` on 25.0.6 and
    26.0.8.
    """
    return parse(version) >= (26, 1, 0)


def cluster_encrypted_by_default(version: str | Version) -> bool:
    """Whether nodes speak TLS to each other unless cache-embedded-mtls-enabled says otherwise.

    The option is there in every version covered; it works with the TCP stacks, not with multicast. Source:
    upgrading guide 26.2.0; the default in the classes is false in 26.1.4 and true in 26.2.5.
    """
    return parse(version) >= (26, 2, 0)


def raw_prefix(version: str | Version) -> str | None:
    """Prefix in place of `KC_` whose values are literal (no `${...}`, no `$$`); None if there is none.

    Source: measured with show-config: there on 26.6.4 and 26.7.4, not on 26.2.5 to 26.5.5.
    """
    return "KCRAW_" if parse(version) >= (26, 6, 0) else None


def postgresql_majors(version: str | Version) -> tuple[int, int]:
    """Oldest and newest PostgreSQL major version that the Keycloak version supports.

    From 26.4 on, the server guide lists them (db.adoc: 13 to 17 for 26.4, 14 to 18 for 26.5 and newer).
    Before, it names only what is tested: 16 for 24 (the Red Hat build's server guide; the parent POM of
    24.0.5 says 15), 25.0 and 26.0, and 17 from 26.1 on (parent POMs). The oldest is 13 there: upgrading guide
    26.4.0 says that 26.3 supported 13 and that its dialect needed 12; for 24.0 to 26.2 nothing is published,
    and 13 is taken for them too.
    """
    asked = parse(version)
    if asked >= (26, 5, 0):
        return 14, 18
    return 13, 17 if asked >= (26, 1, 0) else 16
