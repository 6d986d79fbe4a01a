"""A steady load of what clients do, and what of it failed."""

from __future__ import annotations

import itertools
import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from generator.drilling.exercise import Exercise
from generator.drilling.oidc import Tokens, login
from generator.drilling.pace import Pace
from generator.drilling.probes import Failed, measured
from generator.drilling.promises import Sample

_SESSIONS = 12
"""Sessions that are refreshed and introspected in turn."""

_MIX = (
    "refresh",
    "introspection",
    "token",
    "refresh",
    "document",
    "introspection",
    "refresh",
    "login",
    "introspection",
    "token",
)
"""What is done, over and over; one of ten is a login as a browser does it, which is three requests."""


@dataclass(frozen=True)
class Loaded:
    """What became of a load."""

    requests: int
    failed: int
    kinds: tuple[tuple[str, int], ...]
    """(operation, how many)."""
    errors: tuple[tuple[str, int], ...]
    """(operation and what went wrong, how many), the commonest first."""
    slowest: float
    """Seconds."""
    median: float
    first_failure: float | None
    """When the first request was sent that failed, seconds since 1970."""

    @property
    def text(self) -> str:
        """`2 of 3,000 requests failed: refresh HTTP 502 2`."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.errors)
        return f"{self.failed} of {self.requests:,} requests failed" + (f": {kinds}" if kinds else "")


class Load:
    """The load, as a context manager. It goes on until it is left; what failed before is not tried again."""

    def __init__(self, exercise: Exercise):
        self._exercise = exercise
        self._party = exercise.party()
        self._sessions: queue.Queue[Tokens] = queue.Queue()
        for _ in range(_SESSIONS):
            self._sessions.put(self._party.token())
        self._users: queue.Queue[str] = queue.Queue()
        for user in exercise.made.crowd:
            self._users.put(user)
        self._samples: list[Sample] = []
        self._lock = threading.Lock()
        self._order = itertools.cycle(_MIX)
        self._work: dict[str, Callable[[], object]] = {
            "refresh": self._refresh, "introspection": self._introspect, "token": self._token,
            "document": self._party.document, "login": self._login}
        self._pace = Pace(exercise.knobs.rate, self._one)

    def __enter__(self) -> Load:
        self._pace.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._pace.stop()
        finally:
            self._exercise.add_samples(self._samples)

    @property
    def requests(self) -> int:
        """How many have been answered or given up."""
        with self._lock:
            return len(self._samples)

    def result(self) -> Loaded:
        """What became of it so far."""
        with self._lock:
            samples = list(self._samples)
        failed = [one for one in samples if one.error]
        times = sorted(one.seconds for one in samples if not one.error)
        return Loaded(
            len(samples), len(failed), tuple(sorted(Counter(one.kind for one in samples).items())),
            tuple(Counter(f"{one.kind} {one.error}" for one in failed).most_common(8)),
            times[-1] if times else 0.0, times[len(times) // 2] if times else 0.0,
            min((one.time for one in failed), default=None))

    def _one(self, _: int) -> None:
        with self._lock:
            kind = next(self._order)
        sample = measured(kind, self._work[kind])
        with self._lock:
            self._samples.append(sample)

    def _refresh(self) -> None:
        tokens = self._taken()
        # A refresh without an answer may have happened: the session goes on with the old token, which stays
        # good.
        try:
            tokens = self._party.refreshed(tokens)
        finally:
            self._sessions.put(tokens)

    def _introspect(self) -> None:
        tokens = self._taken()
        self._sessions.put(tokens)
        self._party.check(tokens)

    def _taken(self) -> Tokens:
        try:
            return self._sessions.get(timeout=60.0)
        except queue.Empty:
            raise Failed("every session waited for an answer") from None

    def _token(self) -> None:
        with self._user() as user:
            self._party.token(user)

    def _login(self) -> None:
        with self._user() as user:
            login(self._party, self._exercise.browser(user=user))

    @contextmanager
    def _user(self) -> Iterator[str]:
        """Somebody who isn't logging in just now."""
        try:
            user = self._users.get(timeout=60.0)
        except queue.Empty:
            raise Failed("every user was waiting for an answer") from None
        try:
            yield user
        finally:
            self._users.put(user)
