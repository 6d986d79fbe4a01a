"""A target whose tasks go and come as the tests have it: what is lost has a successor, and logs tell of
it."""

from __future__ import annotations

import time

from generator.rehearsing.target import LogLine, RunningTask
from tests.drilling.targets import DEV, Stand, view


class Stage(Stand):
    """Two tasks; the first to answer is keycloak-1. What is lost has a successor at once, unless `heirs` is
    off."""

    def __init__(self, topology=DEV, servers=None, *, delay: float = 0.5, heirs: bool = True, **how):
        super().__init__(topology, servers, **how)
        self.delay, self._heirs = delay, heirs
        self.there = {"keycloak-1": ("a-1", 1000.0), "keycloak-2": ("b-2", 1001.0)}
        self.wanted = 2

    def tasks(self) -> list[RunningTask]:
        return [
            RunningTask(name, "10.40.4.10", "running", True, started)
            for name, (_, started) in self.there.items()
        ]

    def served_by(self, cookie: str) -> str | None:
        return "keycloak-1" if cookie == "keycloak-1" else None

    def gone(self, task: str, what: str, heirs: bool | None = None) -> float:
        """A task goes; the others notice after the delay, and its successor joins them."""
        now = time.time()
        self.done.append(f"{what} {task}")
        del self.there[task]
        self.see(now + self.delay)
        if self._heirs if heirs is None else heirs:
            self.comes(now + self.delay + 0.1)
        return now

    def comes(self, at: float) -> None:
        """A new task, seen by all."""
        number = 1 + max(int(name[-1]) for name in self._logs)
        name = f"keycloak-{number}"
        self.there[name] = (f"n-{number}", at)
        self._logs[name] = [
            LogLine(
                at,
                f"ISPN000079: Channel `ISPN` local address is `n-{number}`, physical addresses are "
                "`[10.40.4.19:7800]`",
            )
        ]
        self.see(at)

    def see(self, at: float, kind: str = "ISPN000094: Received new") -> None:
        """Every task installs a view of those that are there; what comes later stands later in a log."""
        at = max([at, *(lines[-1].time + 0.01 for lines in self._logs.values())])
        line = view(*(node for node, _ in self.there.values())).replace("ISPN000094: Received new", kind)
        for name in self.there:
            self._logs[name] = [*self._logs[name], LogLine(at, line)]

    def kill(self, task: str) -> float:
        return self.gone(task, "kill")

    def stop(self, task: str) -> float:
        now = self.gone(task, "stop")
        self._logs[task] = [
            *self._logs[task],
            LogLine(now + self.delay - 0.4, "ISPN000080: Disconnecting JGroups channel"),
        ]
        return now

    def lose(self, task: str) -> float:
        return self.gone(task, "lose")

    def freeze(self, task: str) -> float:
        self._silent = (task, self.there[task])
        now = self.gone(task, "freeze", heirs=False)
        # It is still there, in the view that it had; only the others' changed.
        self.there = dict(sorted({**self.there, task: self._silent[1]}.items()))
        return now

    def thaw(self, task: str) -> float:
        now = time.time()
        self.done.append(f"thaw {task}")
        self.see(now + 0.1, "ISPN000093: Received new, MERGED")
        return now

    def cut(self, task: str, direction: str) -> float:
        now = self.freeze(task)
        self.done[-1] = f"cut {direction} {task}"
        return now

    def heal(self, task: str) -> float:
        return self.thaw(task)

    def scale(self, tasks: int) -> None:
        self.done.append(f"scale {tasks}")
        if tasks > len(self.there):
            self.comes(time.time())
        else:
            self.there.popitem()
            self.see(time.time())

    def deploy(self, changes: dict[str, str]) -> None:
        self.done.append(f"deploy {changes}")
        for name in list(self.there):
            del self.there[name]
            self.comes(time.time())

    def deployment_done(self) -> bool:
        return True

    def restart_database(self) -> float:
        self.done.append("restart the database")
        return time.time()
