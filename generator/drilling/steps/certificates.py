"""Do certificates log in whom they should, and nobody else, whatever somebody makes up?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from generator.drilling import causes, mutual
from generator.drilling.answering import listener_of
from generator.drilling.causes.template import transport_port
from generator.drilling.exercise import Exercise
from generator.drilling.http import Answer, Client, NoAnswer
from generator.drilling.mutual import Forgery, Wallet, Way
from generator.drilling.oidc import REDIRECT, Browser
from generator.drilling.places import Site, option
from generator.drilling.probes import Failed
from generator.drilling.promises import Cause, Figure, Promise
from generator.drilling.step import Step
from generator.keycloak import facts
from generator.keycloak.version import Version
from generator.rehearsing import certificates
from generator.rehearsing.certificates import Authority, Certificate, Clients
from generator.rehearsing.target import Target
from generator.rehearsing.topology import Topology

_SHOWN = 12
"""Lines of evidence that a promise shows at most."""

# How a handshake ends when a certificate isn't wanted; any other silence proves nothing.
_TURNED_AWAY = ("TLS broke off", "connection closed without an answer")

_HEADER_VARIABLE = re.compile(r"KC_SPI_X509CERT_LOOKUP_+[A-Z0-9]+_+SSL_(CLIENT_CERT|CERT_CHAIN_PREFIX)$")

_UNSIGNED = "nobody here can sign a certificate that the balancer trusts"


@dataclass(frozen=True)
class _Shown:
    """A certificate and its file."""

    certificate: Certificate
    path: str


@dataclass(frozen=True)
class _Deck:
    """What is shown at a listener; None where nobody can sign it."""

    user: _Shown | None
    application: _Shown | None
    twin: _Shown | None
    """Another certificate of the application's."""
    expired: tuple[_Shown, _Shown] | None
    """The user's, the application's."""
    revoked: _Shown | None
    stranger: tuple[_Shown, _Shown]
    """Of an authority that calls itself as the trusted one does."""
    selfmade: tuple[_Shown, _Shown]


@dataclass
class _Tries:
    """What a series of attempts came to."""

    lines: list[str]
    wrong: list[str]

    @property
    def evidence(self) -> tuple[str, ...]:
        """What is wrong first."""
        lines = list(dict.fromkeys([*self.wrong, *self.lines]))
        return (*lines[:_SHOWN], *((f"and {len(lines) - _SHOWN} more",) if len(lines) > _SHOWN else ()))


def absent(topology: Topology) -> str:
    """Why there is nothing to drill; empty where there is something."""
    return "" if topology.mutual_listeners else "no listener of the template asks for certificates"


def _run(step: Step, exercise: Exercise) -> Iterator[Promise]:
    reason = absent(exercise.topology)
    found = [] if reason else mutual.ways(exercise)
    if not found:
        yield from step.none_run(reason or "there is no way to the listener that asks for certificates")
        return
    way = found[0]
    verified = way.mutual.mode == "verify"
    exercise.say(f"making flows and clients for certificates in {exercise.made.name}")
    listed = not verified and _clients(exercise.target) is not None and _holds(exercise, facts.checks_lists_of_roots)
    revocations = certificates.REVOCATIONS_FILE if listed else ""
    mutual.prepare(exercise.administrator, exercise.made, verified=verified, revocations=revocations)
    with mutual.wallet() as wallet:
        deck = _deck(exercise, wallet)
        yield _direct(step, exercise, way, deck)
        yield _browser(step, exercise, way, deck)
        yield _frontend(step, exercise, way, deck)
        yield from _client(step, exercise, way, deck, verified)
        yield _none(step, exercise, way, verified)
        yield _expired(step, exercise, way, deck, verified)
        yield _revoked(step, exercise, way, deck, verified)
        yield _stranger(step, exercise, way, deck)
        yield _forged(step, exercise, way, deck)
    yield _beside(step, exercise)


def _deck(exercise: Exercise, wallet: Wallet) -> _Deck:
    signing: Clients | None = _clients(exercise.target)
    user, application = exercise.made.user, mutual.APPLICATION

    def put(one: Certificate) -> _Shown:
        return _Shown(one, wallet.put(one))

    def signed(authority: Authority, name: str, **how: bool) -> _Shown:
        return put(authority.issue_client(name, **how))

    strangers = certificates.authority(f"clients of {exercise.topology.name}")
    stranger = (signed(strangers, user), signed(strangers, application))
    selfmade = (put(certificates.self_signed(user)), put(certificates.self_signed(application)))
    if signing is None:
        return _Deck(None, None, None, None, None, stranger, selfmade)
    own = signing.authority
    return _Deck(
        signed(own, user),
        signed(own, application),
        signed(own, application),
        (signed(own, user, expired=True), signed(own, application, expired=True)),
        put(signing.issue_revoked(user)),
        stranger,
        selfmade,
    )


def _clients(target: Target) -> Clients | None:
    found = getattr(target, "clients", None)
    return found() if found is not None else None


# --- Who is to get in ---------------------------------------------------------------------------------------


def _direct(step: Step, exercise: Exercise, way: Way, deck: _Deck) -> Promise:
    if deck.user is None:
        return step.not_run("direct", _UNSIGNED)
    answer, outcome = _asked(exercise, way, deck.user, mutual.direct_grant)
    token = mutual.claims(mutual.token_of(answer))
    wrong = "" if token else outcome
    if token and token.get("preferred_username") != exercise.made.user:
        wrong = f"the token is {token.get('preferred_username')}'s"
    if token and token.get("iss") != f"{exercise.places.public.url}/realms/{exercise.made.name}":
        wrong = wrong or f"the token's issuer is {token.get('iss')}"
    return step.judged(
        "direct",
        wrong,
        evidence=(_line(way, "a good certificate", outcome),),
        causes=causes.unread(exercise.topology, way.listener),
    )


def _browser(step: Step, exercise: Exercise, way: Way, deck: _Deck) -> Promise:
    if deck.user is None:
        return step.not_run("browser", _UNSIGNED)
    try:
        # The client that sent the browser exchanges its code at the public host.
        _logged_in(exercise, way, deck.user, exercise.client(), exercise.places.public.base)
        wrong = ""
    except (NoAnswer, Failed) as error:
        wrong = str(error)
    return step.judged(
        "browser",
        wrong,
        evidence=(_line(way, "a good certificate", wrong or "logged in"),),
        causes=causes.unread(exercise.topology, way.listener),
    )


def _logged_in(exercise: Exercise, way: Way, shown: _Shown, client: Client, base: str) -> str:
    """The access token that a browser with this certificate leads to, exchanged by `client` at `base`. Raises
    NoAnswer, or Failed with what came instead."""
    realm = replace(exercise.made, client=mutual.LOGIN)
    browser = Browser(way.client(shown.path, exercise.knobs.patience), way.site.base, realm, exercise.secrets)
    code = browser.open()
    if not isinstance(code, str):
        raise Failed("Keycloak asks for a password")
    answer = client.post(
        f"{base}/realms/{realm.name}/protocol/openid-connect/token",
        {
            "grant_type": "authorization_code",
            "client_id": realm.client,
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": browser.verifier,
        },
    )
    exercise.secrets.add(*(str(answer.field(one) or "") for one in ("access_token", "refresh_token", "id_token")))
    if not mutual.token_of(answer):
        raise Failed(f"its code is worth nothing ({answer.error})")
    return mutual.token_of(answer)


def _holds(exercise: Exercise, fact: Callable[[Version], bool]) -> bool:
    """Whether something holds for the version; one that nothing tells is taken for a new one."""
    return exercise.places.version is None or fact(exercise.places.version)


def _frontend(step: Step, exercise: Exercise, way: Way, deck: _Deck) -> Promise:
    """As the runbook says to set a realm up whose people log in with certificates."""
    if deck.user is None:
        return step.not_run("frontend", _UNSIGNED)
    if not _holds(exercise, facts.frontend_url_has_port):
        return step.not_run("frontend", "this Keycloak leaves the port out of a realm's Frontend URL")
    client = way.client(deck.user.path, exercise.knobs.patience)
    realm = f"/realms/{exercise.made.name}"
    issuer = way.site.url + realm
    lines, wrong = [], []
    try:
        with mutual.frontend(exercise.administrator, exercise.made, way.site.url):
            said = client.get(f"{way.site.base}{realm}/.well-known/openid-configuration")
            pages = str(said.field("authorization_endpoint"))
            named = str(mutual.claims(_logged_in(exercise, way, deck.user, client, way.site.base)).get("iss"))
        lines = [f"the realm's pages: {pages.partition('?')[0]}", f"issuer of the token: {named}"]
        if not pages.startswith(f"{issuer}/"):
            wrong.append(f"a browser is sent to {pages}")
        if named != issuer:
            wrong.append(f"the token's issuer is {named}")
    except (NoAnswer, Failed) as error:
        wrong = [str(error)]
    return step.judged("frontend", "; ".join(wrong), evidence=tuple(lines or wrong))


def _client(step: Step, exercise: Exercise, way: Way, deck: _Deck, verified: bool) -> Iterator[Promise]:
    if deck.application is None or deck.twin is None:
        yield step.not_run("client", _UNSIGNED)
        yield step.not_run("bound", _UNSIGNED)
        return
    answer, outcome = _asked(exercise, way, deck.application, mutual.credentials)
    token = mutual.token_of(answer)
    evidence = (_line(way, "a good certificate", outcome),)
    if not token and not verified and answer is not None:
        # As it should be: Keycloak would believe whatever it is shown.
        reason = "no client authenticates by a certificate that nobody verified"
        yield step.not_run("client", reason, evidence=evidence)
        yield step.not_run("bound", reason)
        return
    said = (mutual.claims(token).get("cnf") or {}).get("x5t#S256")
    wrong = "" if token else outcome
    if token and said != mutual.thumbprint(deck.application.certificate):
        wrong = "the token isn't bound to the certificate"
    yield step.judged(
        "client", wrong, evidence=evidence, causes=causes.unread(exercise.topology, way.listener)
    )
    if not token:
        yield step.not_run("bound", "there is no token", evidence=evidence)
        return
    yield _bound(step, exercise, way, deck.application, deck.twin)


def _bound(step: Step, exercise: Exercise, way: Way, own: _Shown, twin: _Shown) -> Promise:
    answer, outcome = _asked(exercise, way, own, mutual.bound)
    token = mutual.token_of(answer)
    if not token:
        return step.judged("bound", f"the user gets no token ({outcome})")
    lines, wrong = [], []

    def expect(who: str, client: Client, base: str, good: bool) -> None:
        try:
            got = mutual.userinfo(client, base, exercise.made, token)
            fits, text = (got.status == 200) == good and not _unserved(got), f"HTTP {got.status}"
        except NoAnswer as error:
            fits, text = not good and error.kind in _TURNED_AWAY, error.kind
        lines.append(f"userinfo with {who}: {text}")
        wrong.extend([] if fits else [f"userinfo with {who}: {text}"])

    patience = exercise.knobs.patience
    expect("its own certificate", way.client(own.path, patience), way.site.base, True)
    expect("another certificate of the same name", way.client(twin.path, patience), way.site.base, False)
    expect("none, at the public host", exercise.client(), exercise.places.public.base, False)
    return step.judged("bound", wrong[0] if wrong else "", evidence=tuple(lines))


# --- Who isn't ----------------------------------------------------------------------------------------------


def _none(step: Step, exercise: Exercise, way: Way, verified: bool) -> Promise:
    tries = _refused(exercise, way, [("no certificate", None)])
    if verified and any("HTTP" in line for line in tries.lines):
        tries.wrong.append(f"{tries.lines[0]}: the listener is there for everybody")
    return _judged(step, "none", tries, causes.unverified(exercise.topology, way.listener))


def _expired(step: Step, exercise: Exercise, way: Way, deck: _Deck, verified: bool) -> Promise:
    if deck.expired is None:
        return step.not_run("expired", _UNSIGNED)
    if way.mutual.ignores_expiry:
        return step.not_run(
            "expired", "the template says that a certificate may be expired (IgnoreClientCertificateExpiry)"
        )
    tries = _refused(exercise, way, _pair("an expired certificate", deck.expired))
    return _judged(step, "expired", tries, causes.unverified(exercise.topology, way.listener))


def _revoked(step: Step, exercise: Exercise, way: Way, deck: _Deck, verified: bool) -> Promise:
    if deck.revoked is None:
        return step.not_run("revoked", _UNSIGNED)
    if not verified and not _holds(exercise, facts.checks_lists_of_roots):
        return step.not_run("revoked", "this Keycloak can't check a root's revocation list: it turns everybody down")
    if not verified:
        # The drill's own realm looks at a list; whether another does is each realm's own affair.
        tries = _refused(exercise, way, [("a certificate on Keycloak's own revocation list", (deck.revoked, True))])
        return _judged(step, "revoked", tries, ())
    if not way.mutual.revocation:
        return step.not_run("revoked", "the template gives its trust store no revocation list")
    try:
        answer = mutual.direct_grant(
            way.client(deck.revoked.path, exercise.knobs.patience),
            way.site.base,
            exercise.made,
            exercise.secrets,
        )
        outcome = wrong = f"the balancer lets it in (HTTP {answer.status})"
    except NoAnswer as error:
        outcome = error.kind
        wrong = "" if error.kind in _TURNED_AWAY else error.kind
    return step.judged("revoked", wrong, evidence=(_line(way, "a revoked certificate", outcome),))


def _stranger(step: Step, exercise: Exercise, way: Way, deck: _Deck) -> Promise:
    tries = _refused(
        exercise,
        way,
        [
            *_pair("a certificate of an unknown authority with the trusted one's name", deck.stranger),
            *_pair("a certificate that signed itself", deck.selfmade),
        ],
    )
    return _judged(step, "stranger", tries, causes.unverified(exercise.topology, way.listener))


def _pair(what: str, shown: tuple[_Shown, _Shown]) -> list[tuple[str, tuple[_Shown, bool] | None]]:
    return [
        (f"{what}, the user's name in it", (shown[0], True)),
        (f"{what}, the client's name in it", (shown[1], False)),
    ]


def _refused(exercise: Exercise, way: Way, shown: list[tuple[str, tuple[_Shown, bool] | None]]) -> _Tries:
    """Logs in as the user, or as the client, with each of these; nobody should get a token. Raises Failed
    where nobody answers."""
    tries = _Tries([], [])
    for what, one in shown:
        attempts = (
            [mutual.direct_grant, mutual.credentials]
            if one is None
            else [mutual.direct_grant if one[1] else mutual.credentials]
        )
        for attempt in attempts:
            answer, outcome = _asked(exercise, way, one[0] if one else None, attempt)
            if answer is None and outcome not in _TURNED_AWAY or answer is not None and _unserved(answer):
                raise Failed(outcome)
            line = _line(way, what, outcome)
            tries.lines.append(line)
            if mutual.token_of(answer):
                tries.wrong.append(line)
    return tries


def _judged(step: Step, name: str, tries: _Tries, why: tuple[Cause, ...]) -> Promise:
    return step.judged(name, tries.wrong[0] if tries.wrong else "", evidence=tries.evidence, causes=why)


# --- What is made up ----------------------------------------------------------------------------------------


def _forged(step: Step, exercise: Exercise, way: Way, deck: _Deck) -> Promise:
    """The user's own certificate, which is no secret, in every header that somebody could believe: at the
    listeners that ask for no certificate, and at the one that does, beside a certificate of nobody's."""
    theirs = (deck.user or deck.stranger[0]).certificate
    own = _read_headers(exercise.topology)
    tries, outcomes, asked = _Tries([], []), Counter[str](), 0
    for site, door_client in _everywhere(exercise, way):
        for forgery in (*mutual.forgeries(theirs, own), *mutual.oddities(own)):
            answer, outcome = _forge(exercise, site, door_client, forgery)
            asked += 1
            outcomes[outcome] += 1
            if answer is not None and _unserved(answer):
                raise Failed(outcome)
            line = f"{forgery.name} at {site.authority}: {outcome}"
            if mutual.token_of(answer):
                tries.wrong.append(line)
            elif answer is not None and answer.status >= 500:
                tries.wrong.append(f"{line}: a made-up value makes Keycloak stumble")
    spread = ", ".join(f"{outcome}: {count}" for outcome, count in outcomes.most_common(6))
    evidence = tries.evidence if tries.wrong else (spread,)
    broken = (
        f"{len(tries.wrong)} of {asked} made-up headers are believed or break something"
        if tries.wrong
        else ""
    )
    return step.judged(
        "forged",
        broken,
        figures=(Figure("forgeries", asked),),
        evidence=evidence,
        causes=causes.believed(exercise.topology),
    )


def _beside(step: Step, exercise: Exercise) -> Promise:
    """Whoever gets at Keycloak, or at the proxy's port for the balancer's header, needs no certificate at all. The
    nodes' own port shows that a task can reach another one."""
    tasks = [one.name for one in exercise.tasks() if one.state == "running"]
    if len(tasks) < 2:
        return step.not_run("beside", "there is no other task")
    control, ports = transport_port(exercise.topology), _ports(exercise.topology)
    found = {port: exercise.target.reaches(tasks[0], tasks[1], port) for port in (*sorted(ports - {control}), control)}
    if None in found.values():
        return step.not_run("beside", "nobody can look from one task at another")
    open_ports = [port for port, answer in found.items() if answer and port != control]
    evidence = tuple(f"port {port}: {'open' if answer else 'shut'}" for port, answer in found.items())
    if not found[control]:
        reason = f"{tasks[0]} reaches nothing of {tasks[1]}, not even port {control}"
        return step.not_run("beside", reason, evidence=evidence)
    wrong = f"{tasks[0]} reaches {', '.join(map(str, open_ports))} of {tasks[1]}" if open_ports else ""
    return step.judged("beside", wrong, evidence=evidence, causes=causes.beside(exercise.topology, open_ports))


def _ports(topology: Topology) -> set[int]:
    """Where Keycloak answers, and what stands in front of it."""
    own = topology.keycloak
    found = {port for one in topology.task.containers if one.name != own.name for port in one.ports}
    for name, default in (("http-port", "8080"), ("http-management-port", "9000")):
        text = option(own, name) or default
        found.add(int(text if text.isdigit() else default))
    return found


def _everywhere(exercise: Exercise, way: Way) -> Iterator[tuple[Site, Client]]:
    """Each public listener once, and the one that asks for certificates; with one that names nobody."""
    patience, seen = exercise.knobs.patience, set()
    for door in exercise.places.doors:
        there = listener_of(exercise.topology, door)
        if there is None or there[1].mutual_tls is not None or door.scheme != exercise.places.public.scheme:
            continue
        key = (there[0].logical_id, there[1].logical_id)
        if key not in seen:
            seen.add(key)
            yield exercise.places.public, Client(door, exercise.places.public.authority, patience)
    if way.door.certificate is not None or way.mutual.mode == "passthrough":
        yield way.site, way.client(way.door.certificate, patience)


def _forge(exercise: Exercise, site: Site, client: Client, forgery: Forgery) -> tuple[Answer | None, str]:
    try:
        answer = mutual.direct_grant(
            client, site.base, exercise.made, exercise.secrets, headers=forgery.headers
        )
    except NoAnswer as error:
        return None, error.kind
    return answer, _outcome(answer)


def _read_headers(topology: Topology) -> tuple[str, ...]:
    """The headers that the template tells Keycloak to read, chains with their number."""
    found = []
    for name, value in topology.keycloak.environment:
        match = _HEADER_VARIABLE.match(name)
        if match and re.fullmatch(r"[A-Za-z0-9_-]{1,64}", value):
            found.append(value if match[1] == "CLIENT_CERT" else f"{value}_0")
    return tuple(dict.fromkeys(found))


# --- Asking -------------------------------------------------------------------------------------------------


def _asked(exercise: Exercise, way: Way, shown: _Shown | None, how) -> tuple[Answer | None, str]:
    client = way.client(shown.path if shown else None, exercise.knobs.patience)
    try:
        answer = how(client, way.site.base, exercise.made, exercise.secrets)
    except NoAnswer as error:
        return None, error.kind
    return answer, _outcome(answer)


def _outcome(answer: Answer) -> str:
    if mutual.token_of(answer):
        return "logged in"
    said = answer.field("error_description")
    return f"{answer.error}{f' ({said})' if isinstance(said, str) and said else ''}"


def _unserved(answer: Answer) -> bool:
    """Whether the balancer answered because it found nobody."""
    return answer.status in (502, 503, 504) and answer.json() is None


def _line(way: Way, what: str, outcome: str) -> str:
    return f"{what} at {way.site.authority}: {outcome}"


STEP = Step(
    name="certificates",
    title="Client certificates",
    does="Logs in with certificates, good and bad, and makes some up.",
    hurts=False,
    promises={
        "direct": "A certificate logs its user in without a browser (direct grant), as whom it names",
        "browser": "A certificate logs its user in with a browser, without a password",
        "frontend": "A realm whose Frontend URL is that listener keeps its pages and its issuer there",
        "client": "A client authenticates with its certificate, and its token is bound to it",
        "bound": "A bound token is worth nothing with another certificate, or with none",
        "none": "Without a certificate nobody logs in where certificates are asked for",
        "expired": "An expired certificate logs nobody in",
        "revoked": "A revoked certificate is turned away",
        "stranger": "A certificate that nobody trusted signed logs nobody in, whatever name is in it",
        "forged": "No header that a client makes up stands for a certificate, at no listener",
        "beside": "No task gets past the balancer to Keycloak, or to the proxy in front of it, in another task",
    },
    run=_run,
    estimate=lambda exercise: 30.0 if exercise.topology.mutual_listeners else 0.0,
    absent=absent,
)
