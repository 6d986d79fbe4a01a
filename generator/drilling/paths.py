"""Which paths belong to whom: the table of Keycloak's reverse proxy guide per version, the tricks that try to
walk around it, and what an answer shows.

Source: Keycloak server guide, "Configuring a reverse proxy", "Exposed path recommendations";
`facts.public_paths` for what changed between versions. The tricks are the ways in which a proxy and a server
are known to read one request differently; which of them Keycloak falls for was measured (24.0.5 to 26.7.4).
"""

from __future__ import annotations

import json
import re
import urllib.parse
from dataclasses import dataclass

from generator.drilling.http import Answer
from generator.drilling.places import Places, Site
from generator.errors import CatalogError
from generator.keycloak import facts
from generator.keycloak.version import Version

CONSOLE, API, METRICS, HEALTH, WELCOME, MASTER = (
    "the admin console", "the admin REST API", "metrics", "health", "the welcome page", "the master realm")
GUARDED = (CONSOLE, API, METRICS, HEALTH, WELCOME)
"""What has no business on a public listener."""


@dataclass(frozen=True)
class Path:
    """A line of the table."""

    target: str
    """Without the base path."""
    exposed: bool
    """Whether the guide says so."""
    shows: str = ""
    """What Keycloak answers with there; empty for something harmless."""
    status: int = 200
    """What an exposed path answers."""


@dataclass(frozen=True)
class Trick:
    """One way to ask for something that isn't exposed."""

    name: str
    target: str
    """As it is sent, without the base path; an absolute URL where it begins with `http`."""
    aims: str
    """What it is after: one of GUARDED, or MASTER."""
    headers: tuple[tuple[str, str], ...] = ()
    host: str | None = None
    """A Host header of its own."""
    method: str = "GET"


def table(version: Version | None, realm: str, resource: str = "", script: str = "") -> list[Path]:
    """The guide's table with a path for each of its lines; `resource` is one of the login page's files,
    `script` `/js/keycloak.js` where it is known to be there."""
    try:
        public = facts.public_paths(version) if version else ("/realms/", "/resources/")
    except CatalogError:
        public = ("/realms/", "/resources/")
    lines = [Path(f"/realms/{realm}", True), Path(f"/realms/{realm}/.well-known/openid-configuration", True),
             Path(f"/realms/{realm}/protocol/openid-connect/certs", True)]
    if resource:
        lines.append(Path(resource, True))
    known = {"/js/": Path("/js/keycloak.js", "/js/" in public),
             "/robots.txt": Path("/robots.txt", "/robots.txt" in public),
             "/.well-known/": Path(f"/.well-known/oauth-authorization-server/realms/{realm}",
                                   "/.well-known/" in public)}
    # What a version doesn't have, nobody can expose or hide.
    lines += [path for path in known.values() if path.exposed]
    return lines + [
        Path("/", False, CONSOLE),
        Path("/admin", False, CONSOLE),
        Path("/admin/", False, CONSOLE),
        Path("/admin/master/console/", False, CONSOLE),
        Path(f"/admin/{realm}/console/", False, CONSOLE),
        Path("/admin/realms", False, API),
        Path(f"/admin/realms/{realm}", False, API),
        Path("/admin/serverinfo", False, API),
        Path("/metrics", False, METRICS),
        Path("/q/metrics", False, METRICS),
        Path("/health", False, HEALTH),
        Path("/health/ready", False, HEALTH),
        Path("/health/live", False, HEALTH),
        Path("/q/health", False, HEALTH),
        Path("/welcome", False, WELCOME),
        Path("/welcome/", False, WELCOME),
    ]


def tricks(places: Places, realm: str) -> list[Trick]:
    """Every trick, for the admin console, the API, metrics and health."""
    console, api = "admin/master/console/", "admin/realms"
    found = [
        Trick("dots", f"/realms/../{console}", CONSOLE),
        Trick("dots behind a realm", f"/realms/{realm}/../../{console}", CONSOLE),
        Trick("dots from resources", f"/resources/../{console}", CONSOLE),
        Trick("dots from well-known", f"/.well-known/../{console}", CONSOLE),
        Trick("dots to the API", f"/realms/../{api}", API),
        Trick("encoded dots", f"/realms/%2e%2e/{console}", CONSOLE),
        Trick("encoded dots, upper case", f"/realms/%2E%2E/{console}", CONSOLE),
        Trick("encoded dots to the API", f"/realms/%2e%2e/{api}", API),
        Trick("half encoded dots", f"/realms/.%2e/{console}", CONSOLE),
        Trick("twice encoded dots", f"/realms/%252e%252e/{console}", CONSOLE),
        Trick("encoded slash", "/realms/..%2fadmin/master/console/", CONSOLE),
        Trick("encoded slash, upper case", "/realms/..%2Fadmin%2Fmaster%2Fconsole%2F", CONSOLE),
        Trick("encoded dots and slash", "/realms/%2e%2e%2fadmin/master/console/", CONSOLE),
        Trick("twice encoded slash", "/realms/..%252fadmin/master/console/", CONSOLE),
        Trick("double slash", f"//{console}", CONSOLE),
        Trick("double slash to the API", f"//{api}", API),
        Trick("double slash and dots", f"/realms//../{console}", CONSOLE),
        Trick("dots and double slash", f"/realms/..//{console}", CONSOLE),
        Trick("single dot", f"/./{console}", CONSOLE),
        Trick("single dot and dots", f"/realms/./../{console}", CONSOLE),
        Trick("encoded single dot", f"/%2e/{console}", CONSOLE),
        Trick("dots with a parameter", f"/realms/..;/{console}", CONSOLE),
        Trick("dots with a named parameter", f"/realms/..;a=b/{console}", CONSOLE),
        Trick("parameter before dots", f"/realms/;/../{console}", CONSOLE),
        Trick("parameter behind admin", "/admin;x/master/console/", CONSOLE),
        Trick("parameter behind admin, to the API", "/admin;x/realms", API),
        Trick("encoded parameter", "/admin%3bx/master/console/", CONSOLE),
        Trick("encoded letter", "/%61dmin/master/console/", CONSOLE),
        Trick("encoded letter to the API", "/%61dmin/realms", API),
        Trick("every letter encoded", "/%61%64%6d%69%6e/master/console/", CONSOLE),
        Trick("twice encoded letter", "/%2561dmin/master/console/", CONSOLE),
        Trick("upper case", "/ADMIN/master/console/", CONSOLE),
        Trick("mixed case", "/Admin/realms", API),
        Trick("backslash", "/realms/..\\admin/master/console/", CONSOLE),
        Trick("encoded backslash", "/realms/..%5cadmin/master/console/", CONSOLE),
        Trick("null byte", "/realms/%00/../admin/master/console/", CONSOLE),
        Trick("overlong dots", f"/realms/%c0%ae%c0%ae/{console}", CONSOLE),
        Trick("fragment", "/realms/#/../admin/master/console/", CONSOLE),
        Trick("question mark before dots", f"/realms/?/../{console}", CONSOLE),
        Trick("encoded question mark", f"/realms/%3f/../{console}", CONSOLE),
        Trick("dots to metrics", "/realms/../metrics", METRICS),
        Trick("encoded dots to metrics", "/realms/%2e%2e/metrics", METRICS),
        Trick("double slash to metrics", "//metrics", METRICS),
        Trick("dots to health", "/realms/../health", HEALTH),
        Trick("encoded dots to health", "/realms/%2e%2e/health/ready", HEALTH),
        Trick("dots to the root", "/realms/..", WELCOME),
        Trick("HEAD", "/admin/master/console/", CONSOLE, method="HEAD"),
        Trick("POST", "/admin/realms", API, method="POST"),
        Trick("OPTIONS", "/admin/realms", API, method="OPTIONS"),
        Trick("X-Original-URL", f"/realms/{realm}", CONSOLE, (("X-Original-URL", "/admin/master/console/"),)),
        Trick("X-Rewrite-URL", f"/realms/{realm}", CONSOLE, (("X-Rewrite-URL", "/admin/master/console/"),)),
        Trick(
            "X-HTTP-Method-Override",
            "/admin/realms",
            API,
            (("X-HTTP-Method-Override", "GET"),),
            method="POST",
        ),
        Trick("X-Forwarded-Prefix", f"/realms/{realm}", CONSOLE, (("X-Forwarded-Prefix", "/admin"),)),
    ]
    found += [
        Trick(f"{header} in front of the console", "/admin/master/console/", CONSOLE, ((header, value),))
        for header, value in forgeries(places)
    ]
    for site in places.sites:
        found.append(
            Trick(f"absolute URL of {site.host}", f"{site.origin}{places.public.base}/{console}", CONSOLE)
        )
    other = {"localhost": "localhost", "an address": "127.0.0.1", "a stranger": "drill.invalid"}
    found += [Trick(f"Host of {name}", f"/{console}", CONSOLE, host=host) for name, host in other.items()]
    return found


def master_tricks() -> list[Trick]:
    """Ways around a rule that closes the master realm."""
    end = ".well-known/openid-configuration"
    return [Trick(name, target, MASTER) for name, target in (
        ("plain", f"/realms/master/{end}"),
        ("dots", f"/realms/x/../master/{end}"),
        ("encoded dots", f"/realms/x/%2e%2e/master/{end}"),
        ("single dot", f"/realms/./master/{end}"),
        ("double slash", f"/realms//master/{end}"),
        ("dots from resources", f"/resources/../realms/master/{end}"),
        ("encoded letter", f"/realms/%6daster/{end}"),
        ("parameter", f"/realms/master;x/{end}"),
        ("encoded parameter", f"/realms/master%3bx/{end}"),
        ("encoded slash", f"/realms%2fmaster/{end}"),
        ("upper case", f"/realms/Master/{end}"),
    )]


def forgeries(places: Places) -> list[tuple[str, str]]:
    """Headers that only a proxy may set, as a client would make them up to look like somebody else."""
    console = places.console
    return [
        ("X-Forwarded-For", "203.0.113.66"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-Host", console.host),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Port", "1234"),
        ("X-Forwarded-Server", console.host),
        ("X-Real-IP", "127.0.0.1"),
        ("Forwarded", f"for=127.0.0.1;host={console.host};proto=https"),
        ("X-Forwarded-Prefix", "/drill"),
    ]


def shown(answer: Answer) -> str:
    """What an answer gives away: one of GUARDED, MASTER, or nothing."""
    text = answer.text
    kind = answer.header("Content-Type").lower()
    if answer.status in (200, 206):
        if "<title>Keycloak Administration" in text[:20_000] or '"consoleBaseUrl"' in text:
            return CONSOLE
        if re.search(r"^# (?:HELP|TYPE) ", text, re.MULTILINE) or re.search(
            r"^(?:jvm|vendor|base)_\w+(?:\{|\s)", text
        ):
            return METRICS
        if "Welcome to Keycloak" in text[:20_000] or "<title>Welcome to" in text[:20_000]:
            return WELCOME
    found = answer.json() if "json" in kind or text[:1] in ("{", "[") else None
    if isinstance(found, dict):
        if found.get("status") in ("UP", "DOWN") and isinstance(found.get("checks"), list):
            return HEALTH
        if found.get("realm") == "master" or str(found.get("issuer", "")).endswith("/realms/master"):
            return MASTER
        # What every endpoint below /admin answers without a token; no other endpoint words it so.
        if answer.status == 401 and str(found.get("error", "")) == "HTTP 401 Unauthorized":
            return API
        if answer.status == 200 and ("profileInfo" in found or "systemInfo" in found or
                                     ("realm" in found and "accessTokenLifespan" in found)):
            return API
    if isinstance(found, list) and answer.status == 200 and any(
            isinstance(one, dict) and "realm" in one for one in found):
        return API
    return ""


def reached(trick: Trick, answer: Answer) -> str:
    """What a trick got at: what the answer shows, or what it was after where success has no body to show."""
    if trick.method in ("HEAD", "OPTIONS") and answer.status in (200, 204):
        return trick.aims
    return shown(answer)


def betrays(answer: Answer, asked: Site, places: Places) -> str:
    """The admin host, where an answer of the public host sends somebody there: its name is nobody's
    business."""
    location = answer.header("Location")
    if not location or places.admin is None or asked == places.admin:
        return ""
    host = urllib.parse.urlsplit(location).hostname or ""
    return places.admin.host if host.lower() == places.admin.host.lower() else ""


def in_short(answer: Answer) -> str:
    """`404`, `302 to https://sso.example.com/admin/`, `200 the admin console`."""
    location = answer.header("Location")
    place = f" to {location.split('?')[0]}" if location else ""
    what = shown(answer)
    return f"{answer.status}{place}{f' {what}' if what else ''}"


def urls(document: object, skip: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """(name, URL) of every URL in a JSON document, nested ones with a dot; names in `skip` are left out."""
    found: list[tuple[str, str]] = []

    def walk(name: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{name}.{key}" if name else str(key), inner)
        elif isinstance(value, str) and value.startswith(("http://", "https://")) and name not in skip:
            found.append((name, value))

    walk("", document)
    return found


def console_environment(page: str) -> dict[str, str]:
    """The addresses that the admin console's page gives its script; empty where the page has none."""
    import html

    found = re.search(r'<script id="environment" type="application/json">(.*?)</script>', page, re.DOTALL)
    if found is None:
        return {}
    try:
        values = json.loads(html.unescape(found[1]))
    except ValueError:
        return {}
    return {str(key): value for key, value in values.items() if isinstance(value, str)} \
        if isinstance(values, dict) else {}
