"""Starts something again and again at a steady rate, however long each of them takes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

MOST_AT_ONCE = 400
"""Calls under way at once. Twenty a second that all wait ten seconds for an answer are 200."""


class Pace:
    """Calls `work(number)` `rate` times a second, each in a thread of its own, until it is stopped or has
    made `limit` calls. A slow answer doesn't hold up the next question, as it wouldn't among many clients.

    Use it as a context manager: leaving it stops it and waits for what is under way. An exception of `work`
    ends the pace and is raised on leaving.
    """

    def __init__(self, rate: float, work: Callable[[int], None], limit: int | None = None):
        self._interval, self._work, self._limit = 1.0 / rate, work, limit
        self._stopped = threading.Event()
        self._free = threading.Semaphore(MOST_AT_ONCE)
        self._running: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self.started = 0
        self._starter = threading.Thread(target=self._start, daemon=True)

    def __enter__(self) -> Pace:
        self._starter.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def done(self) -> bool:
        """Whether every call that was to be made has been made."""
        return not self._starter.is_alive()

    def stop(self) -> None:
        """Starts nothing more and waits for what is under way. Raises what a call raised."""
        self._stopped.set()
        self._starter.join()
        while True:
            with self._lock:
                threads = list(self._running)
            if not threads:
                break
            for thread in threads:
                thread.join()
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _start(self) -> None:
        began = time.monotonic()
        while not self._stopped.is_set() and (self._limit is None or self.started < self._limit):
            wait = began + self.started * self._interval - time.monotonic()
            if wait > 0 and self._stopped.wait(wait):
                return
            self._free.acquire()
            thread = threading.Thread(target=self._one, args=(self.started,), daemon=True)
            with self._lock:
                self._running.add(thread)
            self.started += 1
            thread.start()

    def _one(self, number: int) -> None:
        try:
            self._work(number)
        except BaseException as error:  # a thread has nobody above it; whoever leaves the pace gets to see it
            self._error = self._error or error
            self._stopped.set()
        finally:
            self._free.release()
            with self._lock:
                self._running.discard(threading.current_thread())
