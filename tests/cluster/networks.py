"""Networks of a test's own: a namespace, in which a topology's addresses are real ones."""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.rehearsing.topologies import SLOTS

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
"""Seconds after which something isn't going to happen any more; no test's result depends on less."""

_NEW_NETWORK = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def until(what: str, happened: Callable[[], object]) -> object:
    """Waits until `happened` returns something true, and returns it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = happened()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """This thread, and the processes and threads that it starts, are in a network namespace of their own."""
    with _and_back():
        if _LIBC.unshare(_NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "no network namespace can be made; these tests need root")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        yield


@contextlib.contextmanager
def network_of(process: int) -> Iterator[None]:
    """This thread is in the network of another process."""
    there = os.open(f"/proc/{process}/ns/net", os.O_RDONLY)
    try:
        with _and_back():
            assert _LIBC.setns(there, _NEW_NETWORK) == 0
            yield
    finally:
        os.close(there)


@contextlib.contextmanager
def _and_back() -> Iterator[None]:
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        yield
    finally:
        _LIBC.setns(before, _NEW_NETWORK)
        os.close(before)


@contextlib.contextmanager
def task_network() -> Iterator[None]:
    """A network in which every task's address exists."""
    with own_network():
        for slot in SLOTS:
            subprocess.run(["ip", "address", "add", f"{slot.address}/32", "dev", "lo"], check=True)
        yield
