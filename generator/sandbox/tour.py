"""A first deployment, a change, a refusal, a failure: the real commands, on a copy of the project and a local
AWS.

Nothing here prints: whoever goes on the tour shows each stage and runs its commands.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import yaml

from generator.sandbox import local_aws
from generator.sandbox.environment import SandboxError

# What a copy of the project doesn't need.
_LEFT = shutil.ignore_patterns(
    ".*", "__pycache__", "build", "*.egg-info", "node_modules", "generator", "tests", "docs", "benchmarks"
)
_LOG = (
    '{"timestamp":"2026-05-04T09:12:31.127Z","level":"ERROR","loggerName":"org.keycloak.quarkus.runtime.cli.'
    'ExecutionExceptionHandler","message":"ERROR: Failed to start server in (production) mode"}',
    '{"timestamp":"2026-05-04T09:12:31.131Z","level":"ERROR","loggerName":"org.keycloak.quarkus.runtime.cli.'
    'ExecutionExceptionHandler","message":"ERROR: Failed to obtain JDBC connection"}',
    '{"timestamp":"2026-05-04T09:12:31.134Z","level":"ERROR","loggerName":"org.keycloak.quarkus.runtime.cli.'
    'ExecutionExceptionHandler","message":"ERROR: FATAL: password authentication failed for user '
    '\\"keycloak\\""}',
)
_EACH, _LONG = 0.12, 5.0
"""Seconds that a resource takes, and a database or a service: enough to be seen."""


@dataclass(frozen=True)
class Stage:
    """A stop on the tour."""

    title: str
    text: str
    """What happens, in a sentence or two."""
    commands: Sequence[Sequence[str]]
    """As they are typed, one after the other; only the last one may end with something else than 0."""
    ends: int = 0
    """Exit code of the last one."""
    edit: str = ""
    """What was changed in a file before."""


@dataclass
class Tour:
    """A tour with one environment. `root` is the project; it isn't touched, apart from its cache. Without
    `fast` resources take a while, as on AWS."""

    root: Path
    environment: str
    fast: bool = False
    keep: bool = False
    """Whether the stack stays at the end."""
    tell: Callable[[str], None] = lambda text: None
    """Hears what takes long before the first stop."""
    folder: Path = field(init=False)
    """The copy of the project."""
    aws: local_aws.Running = field(init=False)

    def __enter__(self) -> Tour:
        """Copies the project and starts the local AWS. Raises SandboxError where that can't be done."""
        self._scratch = tempfile.TemporaryDirectory(prefix="cloakform-sandbox-")
        try:
            self._copy()
            there = Path(self._scratch.name) / "aws"
            there.mkdir()
            self.aws = local_aws.start(self.root, there, tell=self.tell).within(
                self.account, self._said["region"]
            )
        except BaseException:
            self._scratch.cleanup()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.aws.end()
        self._scratch.cleanup()

    @property
    def account(self) -> str:
        """The environment's account, in which the sandbox has everything."""
        return self._said["account"]

    @property
    def stack(self) -> str:
        """The stack's name."""
        return self._said["stack_name"]

    def stages(self) -> Iterator[Stage]:
        """The stops, each prepared when it is asked for: run the commands of one before going on to the
        next."""
        name = self.environment
        if not self.fast:
            for one in ("Database", "Service"):
                self.aws.delay(one, _LONG)
            self.aws.delay("", _EACH)
        yield Stage(
            "A first deployment",
            f"rendered/{name} becomes a stack, through a change set that does what the review says.",
            [self._deploy()],
        )
        yield self._changed(
            "A change",
            "Logins are logged: a new task definition, and tasks that are replaced one by one.",
            "keycloak.log.level",
            "info,org.keycloak.events:debug",
        )
        if "Database" in self._said["holds_data"]:
            yield self._changed(
                "A refusal",
                "Another name for the database makes AWS replace it: every user would be lost. Nothing is "
                "executed.",
                "database.name",
                "accounts",
                ends=3,
            )
            self._take_back()
        self.aws.stop_tasks(
            lines=_LOG,
            exit_code=1,
            seconds=0 if self.fast else _LONG,
            reason="Essential container in task exited",
        )
        yield self._changed(
            "A failure",
            "The new tasks end as soon as they start, as if somebody had changed the database's password. "
            "AWS rolls back, and the cause is in the tasks' own log.",
            "keycloak.log.level",
            "info,org.keycloak.events:trace",
            ends=4,
        )
        self._take_back()
        where = ("--endpoint-url", self.aws.url)
        yield Stage(
            "As before",
            "The stack is what it was, and there is nothing to deploy.",
            [self._deploy(), ("cloakform", "status", name, *where)],
        )
        if not self.keep and not self._protected():
            yield Stage(
                "The end",
                "The stack is deleted; what goes and what stays is said before.",
                [("cloakform", "delete", name, "--yes", "--confirm", self.stack, *where)],
            )

    def run(self, command: Sequence[str]) -> int:
        """Runs a command of a stage with this process's terminal, and returns its exit code. Ctrl-C is the
        command's meanwhile, which may ask what it means."""
        typed = (
            [sys.executable, "-m", "generator", *command[1:]] if command[0] == "cloakform" else list(command)
        )
        with subprocess.Popen(typed, cwd=self.folder, env=self._variables()) as process:
            before = signal.signal(signal.SIGINT, lambda *_: None)
            try:
                return process.wait()
            finally:
                signal.signal(signal.SIGINT, before)

    def exports(self) -> list[str]:
        """The lines that let a shell look into the local AWS."""
        told = {
            **local_aws.settings(self.account),
            "AWS_REGION": self._said["region"],
            "AWS_ENDPOINT_URL": self.aws.url,
        }
        return [f"export {name}={shlex.quote(value)}" for name, value in told.items()]

    def _copy(self) -> None:
        self.folder = Path(self._scratch.name) / self.root.name
        shutil.copytree(self.root, self.folder, ignore=_LEFT)
        try:
            self._said = json.loads(
                (self.folder / "rendered" / self.environment / "stack.json").read_text("utf-8")
            )
        except FileNotFoundError:
            raise SandboxError(
                f"rendered/ has no environment {self.environment} (render it first: cloakform render "
                f"{self.environment})"
            ) from None
        # What was linted in the project isn't linted again.
        linted = self.root / ".cache" / "lint"
        if linted.is_dir():
            (self.folder / ".cache").mkdir()
            (self.folder / ".cache" / "lint").symlink_to(linted)
        (self.folder / ".gitignore").write_text("/.cache/\n", "utf-8")
        self._git("init", "--quiet")
        self._commit("as it is")

    def _protected(self) -> bool:
        """Whether something keeps the stack from being deleted, as it should in production."""
        template = (self.folder / "rendered" / self.environment / "template.yaml").read_text("utf-8")
        return self._said["termination_protection"] or any(
            one in template
            for one in ("DeletionProtection: true", '{Key: deletion_protection.enabled, Value: "true"}')
        )

    def _deploy(self) -> Sequence[str]:
        return ("cloakform", "deploy", self.environment, "--endpoint-url", self.aws.url, "--yes")

    def _changed(self, title: str, text: str, key: str, value: str, ends: int = 0) -> Stage:
        file = self.folder / "params" / f"{self.environment}.yaml"
        file.write_text(changed(file.read_text("utf-8"), key, value), "utf-8")
        return Stage(
            title,
            text,
            [
                ("cloakform", "render", self.environment, "--quiet"),
                ("git", "commit", "--quiet", "--all", "--message", title),
                self._deploy(),
            ],
            ends,
            f"params/{self.environment}.yaml: {key}: {value}",
        )

    def _take_back(self) -> None:
        self._git("revert", "--no-edit", "HEAD")

    def _commit(self, text: str) -> None:
        self._git("add", "--all")
        self._git("commit", "--quiet", "--message", text)

    def _git(self, *arguments: str) -> None:
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=self.folder,
                env=self._variables(),
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
            )
        except FileNotFoundError:
            raise SandboxError("git isn't on this machine: what is deployed is what was committed") from None
        if done.returncode:
            raise SandboxError(f"git {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")

    def _variables(self) -> dict[str, str]:
        """The machine's, without its AWS and git settings; with the program on the path, installed or not."""
        kept = {
            name: value
            for name, value in local_aws.variables(self._said["account"]).items()
            if not name.startswith("GIT_")
        }
        above = str(Path(__file__).parents[2])
        path = os.pathsep.join(one for one in (above, kept.get("PYTHONPATH", "")) if one)
        who = {
            f"GIT_{role}_{what}": said
            for role in ("AUTHOR", "COMMITTER")
            for what, said in (("NAME", "Sandbox"), ("EMAIL", "sandbox@localhost"))
        }
        return {
            **kept,
            **who,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONPATH": path,
        }


def changed(text: str, key: str, value: str) -> str:
    """Params with another value for a dotted key; everything else stays as it was written."""
    lines, names = text.splitlines(keepends=True), key.split(".")
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.MappingNode):
        raise SandboxError("params that are no mapping can't be changed")
    for depth, name in enumerate(names):
        found = next((each for each in node.value if each[0].value == name), None)
        if found is None:
            return _inserted(lines, node, names[depth:], value)
        if not isinstance(found[1], yaml.MappingNode):
            begin, end = found[1].start_mark.index, found[1].end_mark.index
            return text[:begin] + json.dumps(value) + text[end:]
        node = found[1]
    raise SandboxError(f"{key} isn't a single value in these params")


def _inserted(lines: list[str], node: yaml.MappingNode, names: Sequence[str], value: str) -> str:
    """The lines with a new key as the first one of a mapping."""
    if node.flow_style:
        row, column = node.start_mark.line, node.start_mark.column + 1
        told = (
            "".join(f"{name}: {{" for name in names[:-1])
            + f"{names[-1]}: {json.dumps(value)}"
            + "}" * (len(names) - 1)
        )
        lines[row] = f"{lines[row][:column]}{told}{', ' if node.value else ''}{lines[row][column:]}"
        return "".join(lines)
    row, indent = node.start_mark.line, node.start_mark.column
    told = [f"{' ' * (indent + 2 * depth)}{name}:" for depth, name in enumerate(names)]
    told[-1] += f" {json.dumps(value)}"
    return "".join([*lines[:row], *(f"{line}\n" for line in told), *lines[row:]])
