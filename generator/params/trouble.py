"""What is wrong with one params file: problems to collect, and what ends the reading."""

from __future__ import annotations

from dataclasses import dataclass, field

from generator.errors import Problem

MAX_PROBLEMS = 50
"""After so many problems in one file the rest of it isn't read: it is no params file."""


class Unreadable(Exception):
    """The one problem that ends the reading of a file."""

    def __init__(self, line: int, message: str, fix: str):
        super().__init__(message)
        self.line, self.message, self.fix = line, message, fix


class Enough(Exception):
    """So many problems that more of them help nobody."""


@dataclass
class Problems:
    """What was found in a file; raises Enough when it is too much."""

    file: str
    found: list[Problem] = field(default_factory=list)

    def add(self, line: int, key: str, message: str, fix: str) -> None:
        """Note a problem of this file."""
        self.found.append(Problem(self.file, line, key, message, fix))
        if len(self.found) == MAX_PROBLEMS:
            message = f"more than {MAX_PROBLEMS - 1} problems: the file isn't read further"
            self.found.append(Problem(self.file, line, "", message, "mend the ones above first"))
            raise Enough
