"""What a Keycloak version does that can't be read from its classes, each with its source.

Sources named here: "measured" is a run of the distribution itself; "upgrading guide N" is
docs/documentation/upgrading/topics/changes/changes-N.adoc and "server guide" docs/guides/server of
keycloak/keycloak; "parent POM" is org.keycloak:keycloak-parent on Maven Central.

Every function takes the version as `26.7.4` or as a Version and raises CatalogError for anything else.
Versions before 22.0 are not covered.
"""

from __future__ import annotations

from generator.keycloak.version import Version, parse

def management_port(version: str | Version) -> int | None:
    """Default port of health and metrics; None where they are on the main port.

    Source: upgrading guide 25.0.0; measured on 22.0.5, 23.0.7 and 24.0.5, where KC_HTTP_MANAGEMENT_PORT is
    ignored, and on 25.0.6, 26.0.8 and 26.7.4, where the main port answers 404.
    """
    return 9000 if parse(version) >= (25, 0, 0) else None


def public_paths(version: str | Version) -> tuple[str, ...]:
    """Paths that browsers and clients need, below http-relative-path; `/realms/` stands for all below it.

    Everything else (/, /admin/, /metrics, /health) has no business on a public listener. Source: server
    guide, reverseproxy.adoc; measured: /js/ answers on 22.0.5 to 25.0.6 and no more on 26.0.8. Upgrading
    guides 26.1.0 ("Removal of robots.txt file") and 26.4.0 ("RFC 8414 compliant lookup of metadata":
    /.well-known/). Clients look that last one up at the root of the host even if http-relative-path is set,
    so a balancer that can't rewrite paths can't serve it then.
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

    A proxy that lets /realms/ through and doesn't normalize paths lets these through. Source: upgrading guide 26.4.3 ("Accepting
    only normalized paths in requests"): from there on the answer is 400. Measured: the console answers on
    23.0.7, 24.0.5, 25.0.6, 26.0.8, 26.2.5 and 26.3.5, and 400 on 26.4.7 and 26.7.4; the classes of 26.4.0
    don't have the check yet. 22.0.5, which still has RESTEasy Classic (upgrading guide 23.0.0), answers 404.
    http-accept-non-normalized-paths=true brings the old answer back.
    """
    return (23, 0, 0) <= parse(version) < (26, 4, 3)


def path_parameters_reach_admin(version: str | Version) -> bool:
    """Whether `/admin;x/` passes a balancer rule that denies `/admin/` and still shows the admin console.

    In the same way `/realms/master;x/` passes one that denies `/realms/master/`. Source: upgrading guide
    26.6.0 (a `;` is refused); measured: the console on 22.0.5, 23.0.7, 24.0.5 and 26.4.7, an error 500 on
    26.0.8, 400 on 26.7.4; the master realm on 22.0.5, 23.0.7, 24.0.5 and 26.4.7, 400 on 26.5.5 and 26.6.4.
    """
    return parse(version) < (26, 6, 0)


def path_parameters_show_console(version: str | Version) -> bool:
    """Whether `/admin;x/` surely shows the admin console, and no error.

    Source: measured: it does on 22.0.5, 23.0.7, 24.0.5 and 26.4.7; 26.0.8 answers 500, later ones of 26.5 answer 400.
    """
    asked = parse(version)
    return asked < (25, 0, 0) or (26, 4, 3) <= asked < (26, 5, 0)


def bootstrap_admin_variables(version: str | Version) -> tuple[str, str]:
    """Variables with name and password of the first administrator.

    Source: upgrading guide 26.0.0. Measured: 22.0.5 and 23.0.7 take the old names; 24.0.5 and 25.0.6 ignore
    the new ones silently and have no administrator then; 26.0.8 and 26.7.4 still take the old ones, with a
    warning.
    """
    if parse(version) >= (26, 0, 0):
        return "KC_BOOTSTRAP_ADMIN_USERNAME", "KC_BOOTSTRAP_ADMIN_PASSWORD"
    return "KEYCLOAK_ADMIN", "KEYCLOAK_ADMIN_PASSWORD"


def spi_variable(version: str | Version, spi: str, provider: str, name: str) -> str:
    """Variable of a provider's option, from its three parts as the guides spell them.

    Source: upgrading guide 26.3.0 (parts are separated by two dashes, so by two underscores). Measured with
    should-attach-route: two underscores are ignored on 24.0.5, 25.0.6 and 26.0.8 and work on 26.7.4; one
    works everywhere, 22.0.5 and 23.0.7 included. In the classes, Keycloak's own properties change from 26.2.5
    to 26.3.5.
    """
    separator = "__" if parse(version) >= (26, 3, 0) else "_"
    return "KC_SPI_" + separator.join(part.upper().replace("-", "_") for part in (spi, provider, name))


def hostname_model(version: str | Version) -> int:
    """1: host name and URL are options of their own (`hostname-url`); 2: `hostname` takes either.

    Source: upgrading guide 25.0.0. 25 still has the first one, behind `features=hostname:v1`.
    """
    return 2 if parse(version) >= (25, 0, 0) else 1


def jdbc_ping_available(version: str | Version) -> bool:
    """Whether nodes can find each other through the database (cache-stack=jdbc-ping).

    Source: upgrading guide 26.1.0; measured: `ISPN000540: No such JGroups stack 'jdbc-ping'` on 25.0.6 and
    26.0.8. Up to 24 the stacks are a closed list in the classes, and it isn't among them.
    """
    return parse(version) >= (26, 1, 0)


def default_stack(version: str | Version) -> str:
    """The cache stack that nodes use where none is set.

    Source: Infinispan's default transport is UDP, and conf/cache-ispn.xml of 22.0.5 to 26.0.8 names no other;
    release notes 26.1.0 for jdbc-ping.
    """
    return "jdbc-ping" if jdbc_ping_available(version) else "udp"


def frontend_url_has_port(version: str | Version) -> bool:
    """Whether a realm's "Frontend URL" may name a port.

    Source: measured, 24.0.5 leaves :8443 out of issuer and pages, 26.7.4 doesn't; upgrading guide 25.0.0 for
    another provider of addresses.
    """
    return hostname_model(version) == 2


def secure_by_address(version: str | Version) -> bool:
    """Whether a realm with "Require SSL: external requests", the default, marks cookies without SameSite=None as
    Secure only where its host's name leads to a public address.

    Source: CookieSecureResolver in the classes of 24.0.5 and 25.0.6, gone in 26.0.8; measured on 24.0.5: behind a
    private address four of a login's seven cookies lack it.
    """
    return parse(version) < (26, 0, 0)


def checks_lists_of_roots(version: str | Version) -> bool:
    """Whether an X.509 step can check a revocation list of a root that signed the certificate itself.

    Source: measured, 24.0.5 turns every such certificate down ("X509 certificate doesn't have CA chain available on
    it"), 26.7.4 doesn't; the message is in the classes of 24.0.5 alone, from 25 on the authority is looked up in the
    trust store.
    """
    return parse(version) >= (25, 0, 0)


def cluster_encryption_available(version: str | Version) -> bool:
    """Whether there is an option to encrypt what nodes tell each other (cache-embedded-mtls-enabled).

    Source: the classes: not in 22.0.5 and 23.0.7, there from 24.0.5 on.
    """
    return parse(version) >= (24, 0, 0)


def cluster_encrypted_by_default(version: str | Version) -> bool:
    """Whether nodes speak TLS to each other unless cache-embedded-mtls-enabled says otherwise.

    The option is there from 24 on; it works with the TCP stacks, not with multicast. Source:
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
    Before, it names only what is tested: 16 for 22 to 24 (the Red Hat build's server guides of 22.0 and 24.0;
    the parent POMs of 22.0.5, 23.0.7 and 24.0.5 say 15), 25.0 and 26.0, and 17 from 26.1 on (parent POMs).
    The oldest is 13 there: upgrading guide 26.4.0 says that 26.3 supported 13 and that its dialect needed 12;
    for 22.0 to 26.2 nothing is published, and 13 is taken for them too.
    """
    asked = parse(version)
    if asked >= (26, 5, 0):
        return 14, 18
    return 13, 17 if asked >= (26, 1, 0) else 16


def java_majors(version: str | Version) -> tuple[int, int]:
    """Oldest and newest Java that the server runs on; it matters for images and providers of one's own.

    Source: the classes of the server are made for Java 17 from 22.0.5 to 26.7.4; release notes 25.0.0 ("Java
    21 support", with 17 deprecated) and 26.6.0 ("Java 25 support"). Measured: 26.7.4 runs on 17 and on 25.
    """
    asked = parse(version)
    if asked >= (26, 6, 0):
        return 17, 25
    return 17, 21 if asked >= (25, 0, 0) else 17


def patches_roll(version: str | Version, preview: bool = False) -> bool:
    """Whether nodes of this patch release and of a later one of its line may share a cluster, by themselves or
    with the feature rolling-updates:v2 where it is a `preview`.

    Source: upgrading guide 26.6.0 ("Zero-downtime patch releases enabled by default"). No other step of
    versions may roll (server guide, update-compatibility.adoc). Before, that feature is a preview; the guide of
    26.4 ("Rolling updates for patch releases") refuses where the two hold different versions of Infinispan. In 26.3
    they do: 15.0.15 in 26.3.0, 15.0.16 in 26.3.1, 15.0.18 in 26.3.2; from 26.3.3 to 26.5.6 it is 15.0.19 in all
    that were looked at (parent POMs). So 26.3 counts as one that can't.
    """
    asked = parse(version)
    return asked >= (26, 6, 0) or (preview and asked >= (26, 4, 0))


RECREATE = ("cache", "cache-config-file", "cache-stack", "cache-embedded-mtls-enabled", "cache-remote-host",
            "cache-remote-port", "db", "db-schema", "db-url-database", "db-url-host", "db-url-port")
"""Options that nodes of one cluster must agree about: for a change, all stop before the first one starts.

Source: server guide, update-compatibility.adoc ("Rolling incompatible changes").
"""
