"""What can go wrong, as values and as exceptions: one base, one subclass per boundary.

The command line turns an exception into its exit code and prints its problems; nothing below it prints or exits.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong in a file of the user's, with what to do about it."""

    file: str
    """Path as the user would type it, relative to the project folder."""
    line: int
    """Line in the file, from 1; 0 where a problem concerns the file as a whole."""
    key: str
    """Dotted key path (`service.tasks`); empty where the problem has none."""
    message: str
    """What is wrong, without a full stop."""
    fix: str = ""
    """What to write instead, as an instruction; empty where the message says it."""
    severity: str = "error"
    """`error` (the environment is not written) or `warning`."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        fix = f" ({self.fix})" if self.fix else ""
        return f"{place}:{key} {self.message}{fix}"


class CloakformError(Exception):
    """Base of every error that is the user's to mend; `exit_code` is what the script ends with."""

    exit_code = 2


class ProjectError(CloakformError):
    """The project folder, or something in it, can't be used."""


class ParamsError(CloakformError):
    """Params files hold problems; all of them are in `problems`, sorted by file and line."""

    def __init__(self, problems: list[Problem]):
        self.problems = sorted(problems)
        super().__init__(f"{len(self.problems)} problem(s) in params")


class TemplateError(CloakformError):
    """A template can't be rendered; `problems` point at template lines."""

    def __init__(self, problems: list[Problem]):
        self.problems = sorted(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class CatalogError(CloakformError):
    """A Keycloak version that no catalog answers for, or a catalog that can't be read."""


class DocumentError(CloakformError):
    """Text that isn't a CloudFormation document."""


class RehearsalError(CloakformError):
    """A rehearsal can't be made or started: a part is missing on this machine, or the template describes nothing
    that could run."""


class CredentialsError(CloakformError):
    """No credentials for AWS are to be had, or they have expired."""


class RefusedError(CloakformError):
    """Refused for safety: another account's credentials, data that would be lost, a plan that no longer
    matches. Nothing was changed."""

    exit_code = 3


class AwsError(CloakformError):
    """AWS refused a call, or couldn't be reached."""

    exit_code = 4

    def __init__(self, text: str, code: str = "", said: str = ""):
        super().__init__(text)
        self.code = code
        """The API's error code (`ValidationError`); empty where no answer came."""
        self.said = said
        """The API's message, in one line."""


class StuckError(CloakformError):
    """The stack needs a person; the message says which commands free it."""

    exit_code = 5
