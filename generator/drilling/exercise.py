"""One run of a drill: the target and the ways to it, what was made in it, what was seen; and the waiting."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from generator.drilling.admin import Administrator
from generator.showing.hiding import Secrets
from generator.drilling.http import Answer, Client, NoAnswer
from generator.drilling.logbook import LogBook
from generator.drilling.oidc import Browser, Party, Realm, Tokens
from generator.drilling.places import Places, places
from generator.drilling.probes import Failed, Prober
from generator.drilling.promises import Members, Moment, Sample, Timeline
from generator.drilling.views import Seen
from generator.errors import RehearsalError
from generator.rehearsing.target import TARGET_ERRORS, RunningTask, Target


_QUICK = 1.0
"""Seconds for a token, its introspection and the discovery document together."""
_IN_A_ROW = 3


@dataclass(frozen=True)
class Knobs:
    """What may be set of a drill; times in seconds."""

    requests: int = 3000
    """The least number of requests of the steady load."""
    rate: float = 20.0
    """Requests of the steady load in a second."""
    probes: float = 5.0
    """Probes of each kind in a second while something is broken."""
    patience: float = 10.0
    """After how long a client gives up."""
    killed: float = 3.0
    """The longest outage that a killed node may cost."""
    frozen: float | None = None
    """The same for one that is frozen, lost or cut off; None for what its cache stack can do."""
    cut: float = 60.0
    """How long a node stays cut off."""
    again: float = 60.0
    """How long to wait for clients to be served again after a loss."""
    steady: float = 5.0
    """How long probes must have gone well before clients count as served again."""
    whole: float = 420.0
    """How long to wait for every task to be there and to see every other."""
    warm: float = 60.0
    """How long to wait for the balancer to send requests to every healthy task, and as long again for every
    task to answer at once."""
    at_rest: float = 75.0
    """How long nothing may change before a cluster of healthy tasks that isn't one is given up. JGroups looks
    for parts to merge every 10 to 30 s (MERGE3 of the shipped stacks)."""
    deployment: float = 1800.0
    """How long a rolling deployment may take."""
    healed: float = 150.0
    """How long a cluster that fell apart may take to be one again."""
    database: float = 60.0
    """The longest outage that a restart of the database may cost, from its beginning."""
    login: tuple[str, str] | None = field(default=None, repr=False)
    """Name and password of an administrator of the master realm; None for the bootstrap account."""


@dataclass(frozen=True)
class Progress:
    """How far a drill is."""

    step: str
    text: str
    remaining: float
    """Seconds that the rest is likely to take."""


@dataclass(frozen=True)
class Cluster:
    """Which tasks are there and what they say of each other."""

    tasks: tuple[RunningTask, ...]
    """Running or starting."""
    names: tuple[tuple[str, str], ...]
    """(task, what its node calls itself)."""
    last: tuple[tuple[str, Seen | None], ...]
    """(task, the view it is in)."""
    wanted: int

    @property
    def ready(self) -> tuple[RunningTask, ...]:
        """Those that run and are healthy."""
        return tuple(task for task in self.tasks if task.state == "running" and task.healthy)

    @property
    def sizes(self) -> tuple[tuple[str, int], ...]:
        """(task, number of members in its view; 0 where it has none)."""
        return tuple((task, view.size if view else 0) for task, view in self.last)

    @property
    def whole(self) -> bool:
        """Whether as many tasks as wanted are healthy, and all of them are in one view of exactly these."""
        return len(self.tasks) == len(self.ready) == self.wanted and self.one_view

    @property
    def one_view(self) -> bool:
        """Whether every task is in a view of exactly these tasks."""
        names = {name for _, name in self.names}
        return bool(self.tasks) and "" not in names and all(
            view is not None and set(view.members) == names for _, view in self.last)

    @property
    def text(self) -> str:
        """`2 of 2 tasks healthy; members in view: keycloak-1 2, keycloak-2 2`."""
        sizes = ", ".join(f"{task} {size or '-'}" for task, size in self.sizes)
        strange = "".join(f"; {one}" for one in self._strange())
        return f"{len(self.ready)} of {self.wanted} tasks healthy; members in view: {sizes or 'no task runs'}{strange}"

    def _strange(self) -> Iterator[str]:
        """What the sizes of the views don't tell."""
        names = {name for _, name in self.names}
        for task, name in self.names:
            if not name:
                yield f"{task} hasn't said what it calls itself"
        for task, view in self.last:
            if view is not None and "" not in names and view.size == len(names) and set(view.members) != names:
                others = ", ".join(sorted(set(view.members) - names))
                yield f"the view of {task} has {others}, which no task calls itself"

    def name_of(self, task: str) -> str:
        """What a task's node calls itself; empty where that isn't known."""
        return dict(self.names).get(task, "")


@dataclass(frozen=True)
class Route:
    """A way to one certain node, by the balancer's cookie."""

    task: str
    """The task it leads to; empty where that isn't known."""
    cookie: str
    """Value of a Cookie header; empty where the balancer is left to choose."""


class Undo:
    """Something that has to be put right again, once."""

    def __init__(self, what: str, how: Callable[[], object]):
        self.what, self._how, self._done = what, how, False

    def __call__(self) -> object:
        """Does it, unless it is done already."""
        if self._done:
            return None
        self._done = True
        return self._how()


class Exercise:
    """What the steps of a drill share. Methods that ask the target raise RehearsalError."""

    def __init__(self, target: Target, knobs: Knobs, *, progress: Callable[[Progress], object] | None = None,
                 clock: Callable[[], float] = time.time, sleep: Callable[[float], object] = time.sleep):
        self.target, self.topology, self.knobs = target, target.topology, knobs
        self.clock, self.sleep = clock, sleep
        self.secrets = Secrets()
        self.places: Places = places(target.topology, target.doors())
        self.book = LogBook(target)
        self.desired = target.topology.service.desired
        self.startup = 60.0
        """Seconds that a task needs to be part of the cluster; set once it was seen."""
        self.realm: Realm | None = None
        self.began = clock()
        self.step, self.remaining = "", 0.0
        self.whole_at = self.began
        """When `settle` last found the cluster whole; before it asked nodes to warm up."""
        self._apart = False
        self._progress = progress
        self._administrator: Administrator | None = None
        self._moments: list[Moment] = []
        self._samples: list[Sample] = []
        self._members: list[Members] = []
        self._lock = threading.Lock()

    # --- Telling ---

    def say(self, text: str) -> None:
        """Tells whoever watches what is being done."""
        if self._progress is not None:
            self._progress(Progress(self.step, self.secrets.hide(text), max(self.remaining, 0.0)))

    def moment(self, kind: str, text: str, task: str = "", at: float | None = None) -> None:
        """Notes a moment for the timeline."""
        with self._lock:
            self._moments.append(
                Moment(self.clock() if at is None else at, kind, self.secrets.hide(text), task)
            )

    def add_samples(self, samples: list[Sample]) -> None:
        """Adds probes to the timeline."""
        with self._lock:
            self._samples += samples

    def timeline(self) -> Timeline:
        """Everything that was noted, with the views from the logs among the moments."""
        seen = [
            Moment(view.time, "view", f"view of {view.size}{' (merged)' if view.merged else ''}", view.task)
            for view in self.book.every_view()
            if view.time >= self.began
        ]
        with self._lock:
            return Timeline(tuple(sorted([*self._moments, *seen], key=lambda one: one.time)),
                            tuple(sorted(self._samples, key=lambda one: one.time)), tuple(self._members))

    # --- Asking ---

    @property
    def administrator(self) -> Administrator:
        """Raises AdminUnreachable where the template gives no administrator."""
        if self._administrator is None:
            self._administrator = Administrator(
                self.target, self.places, self.secrets, login=self.knobs.login
            )
        return self._administrator

    @property
    def made(self) -> Realm:
        """The realm of this drill. It has to be there."""
        if self.realm is None:
            raise RuntimeError("a step without a realm asks for it")
        return self.realm

    def client(
        self, vantage: str = "", *, route: Route | None = None, timeout: float | None = None
    ) -> Client:
        """A client of the public host, from the internet where that has a way in."""
        vantage = vantage or next(iter(self.places.vantages()), "")
        door = self.places.door(vantage, self.places.public)
        if door is None:
            raise RehearsalError("there is no way in: the template has no balancer that leads to the tasks")
        extra = (("Cookie", route.cookie),) if route and route.cookie else ()
        return Client(door, self.places.public.authority, timeout or self.knobs.patience, extra=extra)

    def party(self, *, route: Route | None = None, vantage: str = "", timeout: float | None = None) -> Party:
        """The realm's client."""
        return Party(self.client(vantage, route=route, timeout=timeout), self.places.public.base, self.made,
                     self.secrets)

    def browser(self, *, route: Route | None = None, user: str = "") -> Browser:
        """A browser of somebody who has an account in the realm."""
        return Browser(self.client(route=route), self.places.public.base, self.made, self.secrets, user)

    def served_by(self, answer: Answer) -> Route:
        """The node that an answer came from, by the cookie that the balancer set with it."""
        cookies = [value.split(";", 1)[0].strip() for value in answer.every("Set-Cookie")]
        cookies = [value for value in cookies if value.startswith("AWSALB")]
        plain = next((value for value in cookies if value.startswith("AWSALB=")), "")
        if not cookies:
            return Route("", "")
        value = (plain or cookies[0]).split("=", 1)[1]
        return Route(_optional(self.target, "served_by", value) or "", "; ".join(cookies))

    def routes(self) -> list[Route]:
        """One way to each task that the balancer uses, found by asking again and again without a cookie.

        Where nothing tells the tasks apart, ways that leave the choice to the balancer, several times as many
        as there are tasks, so that every one is likely to be among them.
        """
        found: dict[str, Route] = {}
        party = self.party()
        for _ in range(12 * max(self.desired, 1)):
            route = self.served_by(party.document())
            if not route.task:
                return [Route("", "")] * (6 * max(self.desired, 1))
            found.setdefault(route.task, route)
            if len(found) >= self.desired:
                break
        return [found[name] for name in sorted(found)]

    def metrics(self, task: str) -> str | None:
        """The task's metrics; None where they can't be had."""
        return _optional(self.target, "metrics", task)

    # --- Waiting ---

    def tasks(self) -> list[RunningTask]:
        """The tasks as they are now; noted for the timeline."""
        found = [task for task in self.target.tasks() if task.state != "stopped"]
        states = tuple(
            sorted(
                (task.name, "healthy" if task.healthy and task.state == "running" else task.state)
                for task in found
            )
        )
        with self._lock:
            self._members.append(Members(self.clock(), states))
        return found

    def cluster(self) -> Cluster:
        """The tasks and the views they are in."""
        running = [task for task in self.tasks() if task.state in ("starting", "running")]
        self.book.read(running)
        return Cluster(
            tuple(running),
            tuple((task.name, self.book.name(task)) for task in running),
            tuple((task.name, (self.book.views(task) or [None])[-1]) for task in running),
            self.desired)

    def wait(self, condition: Callable[[], object], timeout: float, every: float = 0.5) -> object:
        """Asks again and again until the condition gives something true, and hands that back; the last, false
        answer after `timeout` seconds."""
        until = self.clock() + timeout
        while True:
            found = condition()
            if found or self.clock() >= until:
                return found
            self.sleep(every)

    def watch(self, seconds: float, every: float = 1.0) -> None:
        """Lets time pass, with an eye on the tasks."""
        for _ in range(math.ceil(max(seconds, 0.0) / every)):
            self.tasks()
            self.sleep(every)

    def settle(self, timeout: float | None = None) -> Cluster:
        """Waits until the cluster is whole, the balancer sends requests to every task, and every task answers
        at once; the cluster as it was when it was whole, or as it is where it won't be."""
        # What didn't come together once, with everything at rest, won't do so because somebody asks again.
        limit = self.knobs.whole if timeout is None else timeout
        limit = min(limit, 10.0) if self._apart else limit
        began = changed = self.clock()
        told, seen = 0.0, None
        while True:
            cluster = self.cluster()
            now = self.clock()
            if cluster.whole or now - began >= limit:
                self.whole_at = now
                break
            if (cluster.tasks, cluster.last) != seen:
                changed, seen = now, (cluster.tasks, cluster.last)
            if (
                len(cluster.ready) == len(cluster.tasks) == self.desired
                and now - changed >= self.knobs.at_rest
            ):
                break
            if now - told > 15:
                told = now
                self.say(f"waiting for the cluster: {cluster.text}")
            self.sleep(1.0 if self.target.local else 5.0)
        self._apart = not cluster.whole
        if cluster.whole and self.realm is not None:
            self.wait(self._all_served, self.knobs.warm, 1.0)
            self.wait(self._all_warm, self.knobs.warm, 1.0)
        return cluster

    def _all_served(self) -> bool:
        try:
            routes = self.routes()
        except (NoAnswer, Failed):
            return False
        return not routes[0].task or len(routes) >= self.desired

    def _all_warm(self) -> bool:
        """Whether every node has answered a few requests in a row at once. One that has just started has to
        load classes and fill its caches with the first ones; whoever lost a node then would measure that."""
        try:
            for route in self.routes():
                party = self.party(route=route)
                for _ in range(_IN_A_ROW):
                    began = time.perf_counter()
                    party.check(party.token())
                    party.document()
                    if time.perf_counter() - began > _QUICK:
                        return False
        except (NoAnswer, Failed):
            return False
        return True

    @contextmanager
    def probing(self, tokens: Tokens, *, writing: bool = False) -> Iterator[Prober]:
        """Probes the token and the discovery document as long as the block lasts; adds them to the timeline.
        With `writing` also asks for tokens, which needs the database: nodes answer the others from memory."""
        party = self.party()
        questions: dict[str, Callable[[], object]] = {
            "introspection": lambda: party.check(tokens), "document": party.document}
        if writing:
            questions["token"] = party.token
        prober = Prober(questions, self.knobs.probes)
        try:
            with prober:
                yield prober
        finally:
            self.add_samples(prober.samples)

    @contextmanager
    def undoing(self, what: str, how: Callable[[], object]) -> Iterator[Undo]:
        """Makes sure that something is put right again when the block ends, however it ends."""
        undo = Undo(what, how)
        try:
            yield undo
        except BaseException:
            # What went wrong first is what has to be told.
            with suppress(*TARGET_ERRORS):
                undo()
            raise
        undo()


def _optional(target: Target, method: str, *arguments: str) -> str | None:
    """What a target offers beyond the needful; None where it doesn't."""
    found = getattr(target, method, None)
    try:
        return found(*arguments) if found is not None else None
    except TARGET_ERRORS:
        return None
