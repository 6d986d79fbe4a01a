"""What an image's name tells: whether it is Keycloak's own, and which version is in it."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace

from generator.keycloak import catalog
from generator.keycloak.version import Version, parse
from generator.resolving import Place, Text

# Repositories of the Keycloak project; what is in any other image is its maker's affair.
_STOCK = re.compile(r"(quay\.io/|docker\.io/|index\.docker\.io/)?keycloak/keycloak")
_SERVER = re.compile(r"(.*[-_.])?keycloakx?([-_.].*)?")
# What runs beside Keycloak and has its name: clients, tools, proxies, its WildFly time.
_NO_SERVER = re.compile(
    r".*(config|gatekeeper|proxy|operator|exporter|client|adapter|init|migrat|backup|provision|seed|test|cli"
    r"|terraform|event|sync|monitor|admin|bridge|spi|provider|theme|frontend|login|postgres|mysql|db).*"
)
# What such a thing does, behind the name; before it stands whose Keycloak it is (`api-gateway-keycloak`).
_PURPOSES = frozenset(
    "agent api boot checker collector connector consumer controller cron cronjob dashboard extractor gateway handler"
    " healthcheck helper job jobs lambda loader logger mailer mock notifier oauth2 otel portal probe producer scheduler"
    " scim setup sidecar tool tools user users util utils validator webhook webhooks worker workers".split()
)
_FRAMEWORKS = frozenset(
    "angular django express flask laravel nodejs quickstart react sdk spring springboot vue".split()
)
_PROXY = re.compile(r"(.*[-_.])?(haproxy|nginx|openresty|envoy|traefik|httpd|apache2?|caddy)([-_.].*)?")
_WILDFLY = re.compile(r"(docker\.io/)?(jboss|bitnamilegacy)/keycloak")
_LEADING_MAJOR = re.compile(r"v?([0-9]{1,2})(?![0-9])")
_VERSION = re.compile(r"(?:.*[-_])?v?([0-9]{2})\.([0-9]{1,2})(?:\.([0-9]{1,3}))?(?:[-_.+].*)?")

_CHOICES = 16
"""Images among which Fn::If may choose; aliases of YAML can make any number of them."""
_OLDEST_MAJOR = 17
"""The first Keycloak on Quarkus; a lower number is the version of something else."""


@dataclass(frozen=True)
class Image:
    """The image of a container."""

    place: Place
    repository: str
    """Without tag and digest; with `${…}` in it where a part isn't known, empty where nothing is."""
    tag: str
    """Empty where there is none or it isn't known."""
    known: bool
    """Whether tag and digest, or that there are none, are known."""
    digest: bool
    """Whether it is named by a digest."""

    @property
    def stock(self) -> bool:
        """Whether it is an image of the Keycloak project: nothing is built in, kc.sh is the entry point."""
        return _STOCK.fullmatch(self.repository) is not None

    @property
    def looks_like_server(self) -> bool:
        """Whether the last part of the repository is called like a Keycloak server."""
        last = self.repository.rpartition("/")[2].lower()
        if not _SERVER.fullmatch(last) or _NO_SERVER.fullmatch(last) or self.wildfly:
            return False
        words = re.split(r"[-_.]", last)
        behind = words[next(number for number, word in enumerate(words) if word.startswith("keycloak")) + 1 :]
        # `node-keycloak` is a program of Node.js, `keycloak-node` may be one of a cluster.
        return words[0] != "node" and _FRAMEWORKS.isdisjoint(words) and _PURPOSES.isdisjoint(behind)

    @property
    def looks_like_proxy(self) -> bool:
        """Whether the last part of the repository is called like a proxy that is known."""
        return bool(_PROXY.fullmatch(self.repository.rpartition("/")[2].lower()))

    @property
    def wildfly(self) -> bool:
        """Whether it is the image of Keycloak's WildFly time, which knows none of today's options: of the project's
        images those up to 16, and up to 19 those with `legacy` in the tag (README of keycloak/keycloak-containers)."""
        if not self.stock:
            return _WILDFLY.fullmatch(self.repository) is not None
        major = _LEADING_MAJOR.match(self.tag)
        return "legacy" in re.split(r"[-_.]", self.tag) or bool(major) and int(major[1]) < _OLDEST_MAJOR

    @property
    def version(self) -> Version | None:
        """The Keycloak version that the tag names, None if it names none.

        A tag without a patch level (`26.4`) moves, so the newest known of its line is taken for it. A number
        that no Keycloak on Quarkus has (`1.4.2`) is the version of something else.
        """
        match = _VERSION.fullmatch(self.tag)
        if match is None:
            return None
        major, minor = int(match[1]), int(match[2])
        newest = parse(catalog.known_versions()[-1])
        if not _OLDEST_MAJOR <= major <= newest.major + 1:
            return None
        if match[3] is not None:
            return Version(major, minor, int(match[3]))
        known = [one for one in map(parse, catalog.known_versions()) if one.line == (major, minor)]
        return known[-1] if known else Version(major, minor, 0)

    @property
    def major(self) -> int | None:
        """The major version of which a tag of the project's (`26`) may mean any; None where the tag says more or less.
        In an image of somebody's own such a number may count anything."""
        if not self.stock or not re.fullmatch(r"[0-9]{2}", self.tag):
            return None
        known = {parse(one).major for one in catalog.known_versions()}
        return int(self.tag) if int(self.tag) in known else None

    @property
    def newest(self) -> bool:
        """Whether it is the project's newest image of the day that it is pulled: no tag, `latest`, `nightly`."""
        return self.stock and self.known and not self.digest and self.tag in ("", "latest", "nightly")


def read(place: Place) -> Image:
    """The image that is written at `place`.

    Where an Fn::If chooses between two and its condition isn't known, what holds for both of them.
    """
    choices = [_named_by(one) for one in itertools.islice(place.alternatives(), _CHOICES)]
    versions = {(one.version, one.major) for one in choices}
    # What can be said of an image of somebody's own can be said of Keycloak's too, but not the other way round.
    least = min(choices, key=lambda one: (one.looks_like_server, one.stock, one.known))
    return least if len(versions) == 1 else replace(least, tag="", known=False)


def _named_by(place: Place) -> Image:
    value = place.value
    text = value if isinstance(value, str) else str(value) if isinstance(value, Text) else ""
    known = bool(text) and "{{resolve:" not in text
    name, at, _ = text.partition("@")
    before, slash, last = name.rpartition("/")
    repository, colon, tag = last.partition(":")
    if "${" in last:
        # The name may be known where the tag isn't: `keycloak:${Tag}`.
        known = False
        tag = "" if "${" in tag else tag
        repository = "" if "${" in repository else repository
    return Image(
        place, before + slash + repository if repository else "", tag if known else "", known, bool(at)
    )
