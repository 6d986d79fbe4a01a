"""Is what the reverse proxy guide exposes there, and nothing else, whatever somebody tries?"""

from __future__ import annotations

import re
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from generator.drilling import answering, causes, paths
from generator.drilling.admin import AdminUnreachable
from generator.drilling.answering import Asked
from generator.drilling.exercise import Exercise
from generator.drilling.http import Answer, Client, NoAnswer
from generator.drilling.oidc import LoginForm, login_action
from generator.drilling.paths import API, CONSOLE, MASTER, Trick
from generator.drilling.places import Site
from generator.drilling.probes import Failed
from generator.drilling.promises import Cause, Figure, Promise
from generator.drilling.step import Step
from generator.rehearsing.target import Door

_SHOWN = 12
"""Lines of evidence that a promise shows at most; the rest is counted."""


@dataclass
class _Tally:
    """What a series of requests came to."""

    asked: int = 0
    unserved: int = 0
    """Answers of a balancer that found no node."""
    outcomes: Counter = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    causes: list[Cause] = field(default_factory=list)

    def count(self, answer: Answer | None, outcome: str) -> None:
        """Notes what came back."""
        self.asked += 1
        self.outcomes[outcome] += 1
        self.unserved += answer is not None and answer.status in (502, 503, 504) and answer.json() is None

    def blame(self, line: str, found: tuple[Cause, ...]) -> None:
        """Notes something that is wrong, and why; what one line of the template is to blame for is said
        once."""
        self.wrong.append(line)
        known = {(cause.line, cause.fix) for cause in self.causes}
        self.causes += [cause for cause in found if (cause.line, cause.fix) not in known]

    @property
    def evidence(self) -> tuple[str, ...]:
        """What is wrong, or how the answers were spread."""
        if not self.wrong:
            return (", ".join(f"{outcome}: {count}" for outcome, count in self.outcomes.most_common(8)),)
        more = (f"and {len(self.wrong) - _SHOWN} more",) if len(self.wrong) > _SHOWN else ()
        return (*self.wrong[:_SHOWN], *more)

    def promise(self, step: Step, name: str, what: str) -> Promise:
        """The promise that these requests decide. Where nobody is behind the balancer, nothing is shown and
        nothing is proved by that; a few requests that a node closes the connection on are another matter."""
        if not self.asked:
            return step.not_run(name, "there was nothing to ask for")
        if not self.wrong and self.unserved > self.asked / 4:
            return step.not_run(
                name,
                f"{self.unserved} of {self.asked} requests found no node behind the balancer",
                evidence=self.evidence,
            )
        broken = f"{len(self.wrong)} of {self.asked} {what}" if self.wrong else ""
        return step.judged(name, broken, figures=(Figure("requests", self.asked),), evidence=self.evidence,
                           causes=tuple(self.causes[:6]))


def _run(step: Step, exercise: Exercise) -> Iterator[Promise]:
    realm = exercise.realm.name if exercise.realm else ""
    yield _closed(step, exercise, realm or "master")
    yield _tricks(step, exercise, realm or "master")
    yield _master(step, exercise)
    yield _admin(step, exercise)
    if not realm:
        for name in ("exposed", "token", "urls", "cookies", "forged", "address"):
            yield step.not_run(name, "there is no realm to ask for")
        return
    browser = exercise.browser()
    form = browser.open()
    if not isinstance(form, LoginForm):
        raise Failed("a browser without cookies is logged in")
    yield _exposed(step, exercise, realm, form)
    yield _token(step, exercise, realm)
    yield _urls(step, exercise, realm, form)
    browser.submit(form)
    yield _cookies(step, exercise, browser.answers)
    yield _forged(step, exercise, realm)
    yield _address(step, exercise)


# --- The table ----------------------------------------------------------------------------------------------


def _exposed(step: Step, exercise: Exercise, realm: str, form: LoginForm) -> Promise:
    places, tally = exercise.places, _Tally()
    site = places.public
    found = re.search(r'(?:href|src)="([^"]*/resources/[^"]+)"', form.page.text)
    resource = urllib.parse.urlsplit(found[1]).path.removeprefix(site.base) if found else ""
    for line in paths.table(places.version, realm, resource):
        if not line.exposed:
            continue
        # Looked up at the root of the host, whatever the base path (RFC 8414).
        target = line.target if line.target.startswith("/.well-known/") else site.base + line.target
        if line.target.startswith("/.well-known/") and site.base:
            continue
        for vantage, door in _doors(exercise, site):
            answer, outcome = _ask(Client(door, site.authority), "GET", target)
            tally.count(answer, outcome)
            if answer is None or answer.status != line.status:
                tally.blame(_line(exercise, vantage, "GET", site, target, outcome),
                            causes.hidden(exercise.topology, Asked(site.authority, target, door)))
    return tally.promise(step, "exposed", "requests for exposed paths aren't answered")


def _closed(step: Step, exercise: Exercise, realm: str) -> Promise:
    places, tally = exercise.places, _Tally()
    for site in places.sites:
        for vantage, door in _doors(exercise, site):
            for line in paths.table(places.version, realm):
                if line.exposed or (line.shows in (CONSOLE, API) and _allowed(exercise, site, vantage, door)):
                    continue
                _try(exercise, tally, site, vantage, door, Trick("", line.target, line.shows))
    return tally.promise(step, "closed", "requests show what isn't exposed")


def _tricks(step: Step, exercise: Exercise, realm: str) -> Promise:
    tally = _Tally()
    for site in exercise.places.sites:
        for vantage, door in _doors(exercise, site):
            # Administrators may see the console anyway.
            if vantage == "admin":
                continue
            allowed = _allowed(exercise, site, vantage, door)
            for trick in paths.tricks(exercise.places, realm):
                if not (allowed and trick.aims in (CONSOLE, API)):
                    _try(exercise, tally, site, vantage, door, trick)
    if not tally.asked:
        return step.not_run("tricks", "every way in may reach all of it anyway")
    return tally.promise(step, "tricks", "tricks show what isn't exposed")


def _master(step: Step, exercise: Exercise) -> Promise:
    places, tally = exercise.places, _Tally()
    site = places.public
    plain = f"{site.base}{paths.master_tricks()[0].target}"
    for vantage, door in _doors(exercise, site):
        rule = answering.rule_of(exercise.topology, Asked(site.authority, plain, door))
        if rule is None or rule.action.kind == "forward":
            continue
        for trick in paths.master_tricks():
            _try(exercise, tally, site, vantage, door, trick)
    if not tally.asked:
        return step.not_run("master", "every way in may reach the master realm's endpoints")
    return tally.promise(step, "master", "requests reach the master realm")


def _try(exercise: Exercise, tally: _Tally, site: Site, vantage: str, door: Door, trick: Trick) -> None:
    target = trick.target if trick.target.startswith("http") else site.base + trick.target
    answer, outcome = _ask(
        Client(door, site.authority), trick.method, target, headers=trick.headers, host=trick.host
    )
    tally.count(answer, outcome)
    if answer is None:
        return
    shows, betrays = paths.reached(trick, answer), paths.betrays(answer, site, exercise.places)
    # What was asked for in the open may be answered with what belongs there.
    if not shows or (shows == MASTER and trick.aims != MASTER):
        if not betrays or trick.aims == MASTER:
            return
        shows = f"the admin host's name ({betrays})"
    asked = Asked(trick.host or site.authority, target, door, trick.method, trick.headers)
    name = f" ({trick.name})" if trick.name else ""
    headers = "".join(f" {key}: {value}" for key, value in trick.headers)
    tally.blame(
        _line(exercise, vantage, trick.method, site, f"{target}{headers}{name}", f"{answer.status} {shows}"),
        causes.exposed(exercise.topology, asked, shows, exercise.places),
    )


def _allowed(exercise: Exercise, site: Site, vantage: str, door: Door) -> bool:
    """Whether the admin console may be seen there: by administrators, and within the VPC if the template says
    so."""
    if site != exercise.places.console or vantage == "internet":
        return False
    if vantage == "admin":
        return True
    rule = answering.rule_of(exercise.topology, Asked(site.authority, f"{site.base}/admin/realms", door))
    return rule is not None and rule.action.kind == "forward"


def _admin(step: Step, exercise: Exercise) -> Promise:
    places, tally = exercise.places, _Tally()
    site = places.console
    vantages = [one for one in _doors(exercise, site) if one[0] == "admin"]
    if not vantages:
        return step.not_run("admin", "the template names no network of administrators")
    for vantage, door in vantages:
        for path, shows in (
            (f"{site.base}/admin/master/console/", CONSOLE),
            (f"{site.base}/admin/realms", API),
        ):
            answer, outcome = _ask(Client(door, site.authority), "GET", path)
            tally.count(answer, outcome)
            if answer is None or paths.shown(answer) != shows:
                tally.blame(_line(exercise, vantage, "GET", site, path, outcome),
                            causes.hidden(exercise.topology, Asked(site.authority, path, door)))
    return tally.promise(step, "admin", "requests of administrators aren't answered")


def _token(step: Step, exercise: Exercise, realm: str) -> Promise:
    tally = _Tally()
    try:
        bearer = exercise.administrator.bearer()
    except AdminUnreachable as error:
        return step.not_run("token", str(error))
    for site in exercise.places.sites:
        for vantage, door in _doors(exercise, site):
            if vantage == "admin" or _allowed(exercise, site, vantage, door):
                continue
            for path in (f"/admin/realms/{realm}", f"/realms/../admin/realms/{realm}"):
                answer, outcome = _ask(Client(door, site.authority), "GET", site.base + path,
                                       headers=(("Authorization", f"Bearer {bearer}"),))
                tally.count(answer, outcome)
                if answer is not None and answer.status < 300:
                    asked = Asked(site.authority, site.base + path, door)
                    tally.blame(_line(exercise, vantage, "GET", site, path, outcome),
                                causes.exposed(exercise.topology, asked, API, exercise.places))
    if not tally.asked:
        return step.not_run("token", "every way in may reach the admin REST API")
    return tally.promise(step, "token", "requests with an administrator's token are let through")


# --- URLs, cookies, headers ---------------------------------------------------------------------------------


def _urls(step: Step, exercise: Exercise, realm: str, form: LoginForm) -> Promise:
    places, tally = exercise.places, _Tally()
    public, console = places.public, places.console
    document_path = f"{public.base}/realms/{realm}/.well-known/openid-configuration"
    for site in places.sites:
        for vantage, door in _doors(exercise, site):
            answer, _ = _ask(Client(door, site.authority), "GET", document_path)
            if answer is None or answer.field("issuer") is None:
                continue
            for name, url in paths.urls(answer.json()):
                _expect(tally, exercise, f"{name} asked {_from(vantage)} at {site.host}", url, public.url)
    _expect(tally, exercise, "action of the login form", form.action, public.url)
    for vantage, door in _doors(exercise, public):
        answer, _ = _ask(Client(door, public.authority), "GET", f"{public.base}/realms/{realm}/account")
        if answer is not None and answer.header("Location"):
            _expect(
                tally,
                exercise,
                f"redirect of the account page {_from(vantage)}",
                answer.header("Location"),
                public.url,
            )
    for vantage, door in _doors(exercise, console):
        if not _allowed(exercise, console, vantage, door):
            continue
        answer, _ = _ask(Client(door, console.authority), "GET", f"{console.base}/admin/master/console/")
        given = paths.console_environment(answer.text) if answer is not None else {}
        for name, site in (("authServerUrl", public), ("serverBaseUrl", public), ("adminBaseUrl", console),
                           ("authUrl", console)):
            if name in given:
                _expect(tally, exercise, f"{name} of the admin console", given[name], site.url)
        answer, _ = _ask(Client(door, console.authority), "GET", f"{console.base}/admin/")
        location = answer.header("Location") if answer is not None else ""
        if location and not location.startswith("/"):
            _expect(tally, exercise, "redirect to the admin console", _plain_port(location), console.url)
    return tally.promise(step, "urls", "addresses are wrong")


def _expect(tally: _Tally, exercise: Exercise, what: str, url: str, start: str) -> None:
    tally.asked += 1
    tally.outcomes["right"] += 1
    if url != start and not url.startswith(start + "/"):
        tally.blame(f"{what} is {exercise.secrets.hide(url.split('?')[0])} instead of {start}",
                    causes.hostname(exercise.topology))


def _plain_port(url: str) -> str:
    """A URL without its scheme's own port: what a balancer's redirect writes out."""
    return re.sub(r"^(https://[^/:]+):443(?=/|$)|^(http://[^/:]+):80(?=/|$)", r"\1\2", url)


def _cookies(step: Step, exercise: Exercise, answers: list[Answer]) -> Promise:
    if exercise.places.public.scheme != "https":
        return step.not_run("cookies", "the public host has no HTTPS")
    tally = _Tally()
    for answer in answers:
        for cookie in answer.every("Set-Cookie"):
            name, _, rest = cookie.partition("=")
            attributes = [part.strip().lower() for part in rest.split(";")[1:]]
            # The balancer's own cookies hold nothing of the user's; a cookie that is being deleted holds
            # nothing.
            if name.startswith("AWSALB") or "max-age=0" in attributes:
                continue
            tally.asked += 1
            tally.outcomes[name] += 1
            if "secure" not in attributes:
                tally.blame(f"{name}: {'; '.join(attributes)}", causes.proxy_headers(exercise.topology))
    return tally.promise(step, "cookies", "cookies of a login lack Secure")


def _forged(step: Step, exercise: Exercise, realm: str) -> Promise:
    places, tally = exercise.places, _Tally()
    site = places.public
    document = f"{site.base}/realms/{realm}/.well-known/openid-configuration"
    query = urllib.parse.urlencode(
        {
            "client_id": exercise.made.client,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": "https://drill.invalid/callback",
            "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
        }
    )
    page = f"{site.base}/realms/{realm}/protocol/openid-connect/auth?{query}"
    account = f"{site.base}/realms/{realm}/account"
    for vantage, door in _doors(exercise, site):
        client = Client(door, site.authority)
        honest, _ = _ask(client, "GET", document)
        if honest is None or honest.status != 200:
            continue
        for header in paths.forgeries(places):
            for target in (document, page, account):
                answer, outcome = _ask(client, "GET", target, headers=(header,))
                tally.count(answer, outcome)
                changed = _changed(answer, honest, site)
                if changed:
                    asked = Asked(site.authority, target, door, headers=(header,))
                    tally.blame(f"{_from(vantage)}: {header[0]}: {header[1]} {changed}",
                                causes.forged(exercise.topology, header[0], asked))
    return tally.promise(step, "forged", "requests with forged headers change an answer")


def _changed(answer: Answer | None, honest: Answer, site: Site) -> str:
    """What a forged header changed; empty where it changed nothing or was refused."""
    if answer is None or answer.status >= 400:
        return ""
    location = answer.header("Location")
    if location and not location.startswith("/") and not location.startswith(site.url + "/"):
        return f"redirects to {location.split('?')[0]}"
    if "json" in answer.header("Content-Type"):
        ours, theirs = dict(paths.urls(honest.json())), dict(paths.urls(answer.json()))
        different = next((name for name in ours if theirs.get(name) != ours[name]), "")
        return f"makes {different} {theirs.get(different)}" if different else ""
    action = login_action(answer.text)
    return (
        f"sends the login form to {action.split('?')[0]}"
        if action and not action.startswith(site.url + "/")
        else ""
    )


def _address(step: Step, exercise: Exercise) -> Promise:
    """Which address the realm's events show for a failed login, with and without forged headers."""
    realm, forged = exercise.made, ("203.0.113.66", "192.0.2.66")
    headers = (("X-Forwarded-For", forged[0]), ("Forwarded", f"for={forged[1]}"), ("X-Real-IP", forged[1]))
    answers: list[str] = []
    for header in (*headers, None):
        client = exercise.client()
        try:
            answer = client.post(
                f"{exercise.places.public.base}/realms/{realm.name}/protocol/openid-connect/token",
                {"grant_type": "password", "client_id": realm.client, "client_secret": realm.secret,
                 "username": realm.guessed, "password": "a guess"}, headers=(header,) if header else ())
            answers.append(f"{header[0] if header else 'no header'}: {answer.error}")
        except NoAnswer as error:
            answers.append(f"{header[0] if header else 'no header'}: {error.kind}")
    # Events are stored once the request is through.
    found = exercise.wait(lambda: exercise.administrator.events(realm, "LOGIN_ERROR"), 5.0)
    addresses = [str(event.get("ipAddress")) for event in found] if isinstance(found, list) else []
    evidence = (*answers, f"addresses in events: {', '.join(addresses) or 'none'}")
    if not addresses:
        return step.not_run("address", "the realm has no events of failed logins", evidence=evidence)
    door = exercise.client().door
    balancers = {str(balancer.host.address) for balancer in exercise.topology.balancers}
    asked = Asked(exercise.places.public.authority, f"/realms/{realm.name}/", door, "POST", headers)
    if any(address in forged for address in addresses):
        return step.judged(
            "address",
            f"an event shows {forged[0]}, which the client made up",
            evidence=evidence,
            causes=causes.forged(exercise.topology, "X-Forwarded-For", asked),
        )
    wrong = [one for one in addresses if (door.source and one != door.source) or one in balancers]
    return step.judged(
        "address",
        f"an event shows {wrong[0]}, which isn't the client's address" if wrong else "",
        evidence=evidence,
        causes=causes.proxy_headers(exercise.topology),
    )


# --- Asking -------------------------------------------------------------------------------------------------


def _doors(exercise: Exercise, site: Site) -> list[tuple[str, Door]]:
    found = [(vantage, exercise.places.door(vantage, site)) for vantage in exercise.places.vantages()]
    return [(vantage, door) for vantage, door in found if door is not None]


def _ask(client: Client, method: str, target: str, **how: object) -> tuple[Answer | None, str]:
    try:
        answer = client.ask(method, target, **how)  # type: ignore[arg-type]
    except NoAnswer as error:
        return None, error.kind
    return answer, paths.in_short(answer)


def _line(exercise: Exercise, vantage: str, method: str, site: Site, target: str, outcome: str) -> str:
    where = "" if target.startswith("http") else site.host
    return exercise.secrets.hide(f"{_from(vantage)}: {method} {where}{target}: {outcome}")


def _from(vantage: str) -> str:
    return {"internet": "from the internet", "admin": "from the admin network",
            "inside": "from inside the VPC"}.get(vantage, vantage)


STEP = Step(
    name="paths",
    title="Exposed paths",
    does="Asks for paths from every side, and fails to log in a few times.",
    hurts=False,
    promises={
        "exposed": "What the reverse proxy guide exposes is answered, from everywhere",
        "closed": "What it doesn't expose shows nothing of the admin console, its API, metrics or health",
        "tricks": "No spelling of a path, host or header shows any of it either",
        "master": "The closed master realm stays closed, however it is spelt",
        "admin": "The admin console and its API answer administrators",
        "token": "An administrator's token opens nothing from anywhere else",
        "urls": "Issuer, endpoints, redirects and the console's addresses are the template's",
        "cookies": "Every cookie of a login is Secure",
        "forged": "Headers that only a proxy may set change no address in an answer",
        "address": "Events show the client's own address, whatever it makes up",
    },
    run=_run,
    estimate=lambda exercise: 25.0,
    realm=False,
)
