"""The real command in a real project: git, whoever is calling, where calls go, questions on a terminal, Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from generator.sandbox import local_aws
from generator.sandbox.local_aws import LocalAws
from tests.cases import PROJECT
from tests.deploying.deploying import Ran, called, client
from tests.deploying.terminal import Terminal

DEV = json.loads((PROJECT / "rendered" / "dev" / "stack.json").read_text("utf-8"))
STACK, ACCOUNT = DEV["stack_name"], DEV["account"]
SECONDS = 120


@dataclass
class Project:
    """A copy of the project, committed: as it is (`main`), and with another retention of logs (`changed`)."""

    root: Path
    aws: local_aws.Running

    @property
    def environment(self) -> dict[str, str]:
        """The variables that commands run with."""
        told = {name: value for name, value in local_aws.variables(ACCOUNT).items() if not name.startswith("GIT_")}
        return {**told, "PYTHONPATH": str(PROJECT), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1",
                "TERM": "xterm", "COLUMNS": "160"}

    def git(self, *arguments: str) -> None:
        """Runs git."""
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *who, *arguments], cwd=self.root, env=self.environment, check=True, capture_output=True)

    def command(self, *arguments: str, url: str | None = "") -> list[str]:
        """`cloakform deploy dev` as it is typed; with `url` None calls go where the machine says."""
        aim = () if url is None else ("--endpoint-url", url or self.aws.url)
        return [sys.executable, "-m", "generator", "deploy", "dev", *arguments, *aim]

    def run(self, *arguments: str, url: str | None = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs it where there is no terminal."""
        return subprocess.run(
            self.command(*arguments, url=url), cwd=self.root, env={**self.environment, **variables},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False,
        )


@pytest.fixture(scope="session")
def committed(local: local_aws.Running, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, made once."""
    root = tmp_path_factory.mktemp("project")
    for name in ("params", "templates", "rendered", "docs"):
        shutil.copytree(PROJECT / name, root / name)
    (root / ".gitignore").write_text("/.cache/\n", "utf-8")
    # What was linted in the project isn't linted again.
    linted = PROJECT / ".cache" / "lint"
    if linted.is_dir():
        shutil.copytree(linted, root / ".cache" / "lint")
    project = Project(root, local)
    project.git("init", "-q", "-b", "main")
    project.git("add", "-A")
    project.git("commit", "-qm", "as it is")
    project.git("switch", "-qc", "changed")
    file = root / "params" / "dev.yaml"
    text = file.read_text("utf-8")
    assert "retention_days: 7" in text
    file.write_text(text.replace("retention_days: 7", "retention_days: 14"), "utf-8")
    subprocess.run(
        [sys.executable, "-m", "generator", "render", "dev", "-q"], cwd=root, env=project.environment, check=True
    )
    project.git("commit", "-qam", "logs are kept longer")
    return project


@pytest.fixture
def project(committed: Project) -> Iterator[Project]:
    """The project as it is, and nothing deployed."""
    committed.git("switch", "-qf", "main")
    yield committed
    committed.git("reset", "-q", "--hard")
    committed.git("clean", "-qfd")
    committed.aws.within(ACCOUNT).forget_orders()


@pytest.fixture
def here(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Runs the command in this process, which is what a process of its own would do, sooner."""

    def run(*arguments: str, url: str | None = "", **variables: str) -> Ran:
        for name in [one for one in os.environ if one.startswith(("AWS_", "GIT_"))]:
            monkeypatch.delenv(name)
        for name, value in {**local_aws.settings(ACCOUNT), **variables}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(project.root)
        return called(monkeypatch, capsys, *project.command(*arguments, url=url)[3:])

    return run


@pytest.fixture
def cloudformation(local: local_aws.Running) -> Iterator[Any]:
    """CloudFormation of dev's account."""
    with client(local, ACCOUNT) as made:
        yield made


@pytest.fixture
def orders(project: Project) -> LocalAws:
    """What is to happen in dev's account."""
    return project.aws.within(ACCOUNT)


def status(cloudformation: Any) -> str:
    """The stack's state; empty where there is none."""
    try:
        return str(cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"])
    except cloudformation.exceptions.ClientError:
        return ""


def retention(cloudformation: Any) -> int:
    """What is deployed of the only thing that `changed` changes."""
    body = cloudformation.get_template(StackName=STACK, TemplateStage="Original")["TemplateBody"]
    return 14 if "RetentionInDays: 14" in body else 7


@pytest.fixture
def deployed(project: Project, cloudformation: Any, orders: LocalAws) -> Project:
    """What `main` has is deployed, and `changed` is to be."""
    orders.forget_orders()
    body = (project.root / "rendered" / "dev" / "template.yaml").read_text("utf-8")
    tags = json.loads((project.root / "rendered" / "dev" / "tags.json").read_text("utf-8"))
    how = {"StackName": STACK, "TemplateBody": body, "Tags": tags, "Capabilities": DEV["capabilities"]}
    if not status(cloudformation):
        cloudformation.create_stack(**how)
    elif retention(cloudformation) != 7:
        cloudformation.update_stack(**how)
    assert orders.settled(STACK).endswith("_COMPLETE") and retention(cloudformation) == 7
    project.git("switch", "-q", "changed")
    return project


# --- What is deployed, by whom, and where ---


def test_what_is_committed_is_deployed(project: Project, cloudformation: Any, orders: LocalAws) -> None:
    """The environment is deployed from what is committed; again there is nothing to do; one JSON document each."""
    if status(cloudformation):
        cloudformation.delete_stack(StackName=STACK)
        while status(cloudformation):
            pass
    first = project.run("--yes", "--format", "json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    assert told["outcome"] == "deployed" and told["status"] == "CREATE_COMPLETE"
    assert told["outputs"] and len(told["commit"]) == 40
    again = project.run("--yes", "--format", "json")
    assert again.returncode == 0 and json.loads(again.stdout)["outcome"] == "nothing to do"


@pytest.mark.parametrize("state", ["edited", "new", "ignored", "overlooked", "allowed"])
def test_what_isnt_committed_is_refused(
    project: Project, here: Callable[..., Ran], orders: LocalAws, state: str
) -> None:
    """A file that isn't as it is in git, in whichever way, is refused with 3 before AWS is asked anything."""
    file = project.root / "rendered" / "dev" / "template.yaml"
    ignored, more = project.root / ".git" / "info" / "exclude", project.root / "rendered" / "dev" / "x.more"
    if state in ("edited", "overlooked"):
        if state == "overlooked":
            project.git("update-index", "--assume-unchanged", "rendered/dev/template.yaml")
        file.write_text(file.read_text("utf-8") + "# by hand\n", "utf-8")
    elif state == "allowed":
        (project.root / "allowances.yaml").write_text("allowances: []\n", "utf-8")
    else:
        if state == "ignored":
            ignored.parent.mkdir(exist_ok=True)
            ignored.write_text("*.more\n", "utf-8")
        more.write_text("more", "utf-8")
    orders.forget_calls()
    try:
        ran = here("--yes", "--format", "json")
    finally:
        project.git("update-index", "--no-assume-unchanged", "rendered/dev/template.yaml")
        ignored.unlink(missing_ok=True)
        more.unlink(missing_ok=True)
    assert ran.code == 3 and "isn't committed" in ran.err
    assert ran.data["outcome"] == "refused" and orders.calls() == []


def test_what_isnt_rendered_from_params_is_refused(
    project: Project, here: Callable[..., Ran], orders: LocalAws
) -> None:
    """What is committed and isn't what params and templates give is refused with 3."""
    file = project.root / "rendered" / "dev" / "template.yaml"
    file.write_text(file.read_text("utf-8") + "# by hand\n", "utf-8")
    project.git("commit", "-qam", "by hand")
    orders.forget_calls()
    try:
        ran = here("--yes")
    finally:
        project.git("reset", "-q", "--hard", "HEAD~1")
    assert ran.code == 3 and "template.yaml isn't what params and templates give" in ran.err
    assert orders.calls() == []


@pytest.mark.parametrize("way", ["variable", "service", "file", "account", "nobody"])
def test_calls_go_to_aws_as_the_right_account(
    project: Project, here: Callable[..., Ran], orders: LocalAws, tmp_path: Path, way: str
) -> None:
    """Calls that this machine sends elsewhere are refused, as are another account's credentials; none end with 2."""
    orders.forget_calls()
    told: dict[str, str] = {}
    if way == "variable":
        told["AWS_ENDPOINT_URL"] = project.aws.url
    elif way == "service":
        told["AWS_ENDPOINT_URL_STS"] = project.aws.url
    elif way == "file":
        file = tmp_path / "config"
        file.write_text(f"[default]\nendpoint_url = {project.aws.url}\n", "utf-8")
        told["AWS_CONFIG_FILE"] = str(file)
    elif way == "account":
        told["AWS_ACCESS_KEY_ID"] = "999999999999"
    else:
        told = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    ran = here("--yes", url=None if way in ("variable", "service", "file") else "", **told)
    assert ran.code == (2 if way == "nobody" else 3), ran.err
    said = {"account": "belong to account 999999999999", "nobody": "no credentials for AWS"}
    assert said.get(way, "--endpoint-url") in ran.err
    assert orders.calls() == []


# --- On a terminal ---


@pytest.fixture
def terminal(deployed: Project) -> Iterator[Callable[..., Terminal]]:
    """Runs the command on a terminal of its own."""
    opened: list[Terminal] = []

    def run(*arguments: str) -> Terminal:
        opened.append(Terminal(deployed.command(*arguments), deployed.root, deployed.environment))
        return opened[-1]

    yield run
    for one in opened:
        one.close()


def test_a_yes_deploys(deployed: Project, terminal: Callable[..., Terminal], cloudformation: Any) -> None:
    """The question says how much changes where; after a yes it does."""
    shown = terminal()
    shown.until(rf"change\(s\) to {STACK} \(account {ACCOUNT}, {DEV['region']}\)\?")
    shown.type("y\n")
    assert shown.end() == 0 and "UPDATE_COMPLETE" in shown.text
    assert retention(cloudformation) == 14


@pytest.mark.parametrize(("typed", "code", "said"), [("n\n", 3, "you said no"), ("\x04", 130, "nothing was executed")])
def test_a_no_deploys_nothing(
    deployed: Project, terminal: Callable[..., Terminal], cloudformation: Any, typed: str, code: int, said: str
) -> None:
    """After a no, which is a refusal, or no answer at all, the change set is gone and nothing was executed."""
    # No Ctrl-C: Python's input() overlooks one that comes just before it reads.
    before = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"][0]["EventId"]
    shown = terminal()
    shown.until(r"\[y/N\]")
    shown.type(typed)
    assert shown.end() == code and said in shown.text
    listed = cloudformation.list_change_sets(StackName=STACK)["Summaries"]
    assert "AVAILABLE" not in [one["ExecutionStatus"] for one in listed]
    assert cloudformation.describe_stack_events(StackName=STACK)["StackEvents"][0]["EventId"] == before


@pytest.mark.parametrize("answer", ["watch", "leave", "cancel", "nothing"])
def test_ctrl_c_asks(
    deployed: Project, terminal: Callable[..., Terminal], cloudformation: Any, orders: LocalAws, answer: str
) -> None:
    """Ctrl-C while AWS works asks whether to watch on, to leave it or to cancel, and does that; without an
    answer it is left."""
    held = orders.hold("LogGroup", "UPDATE")
    shown = terminal("--yes")
    held.reached()
    # Lines that move: it watches.
    shown.until("UPDATE_IN_PROGRESS|updating|left")
    shown.type("\x03")
    shown.until("What now")
    shown.type({"watch": "w\n", "leave": "l\n", "cancel": "c\n", "nothing": "\x04"}[answer])
    if answer in ("leave", "nothing"):
        assert shown.end() == 130 and f"AWS goes on with {STACK}" in shown.text
        assert status(cloudformation) == "UPDATE_IN_PROGRESS"
        held.take_back()
        assert orders.settled(STACK) == "UPDATE_COMPLETE"
        return
    if answer == "cancel":
        shown.until("cancelled: AWS rolls back")
    held.take_back()
    code = shown.end()
    if answer == "watch":
        assert code == 0 and status(cloudformation) == "UPDATE_COMPLETE"
    else:
        assert code == 130 and status(cloudformation) == "UPDATE_ROLLBACK_COMPLETE"
        assert retention(cloudformation) == 7


def test_ctrl_c_without_a_terminal_leaves_it(deployed: Project, cloudformation: Any, orders: LocalAws) -> None:
    """Where nobody can be asked, as in CI, AWS goes on and that is said, with 130 and one JSON document."""
    held = orders.hold("LogGroup", "UPDATE")
    orders.forget_calls()
    running = subprocess.Popen(
        deployed.command("--yes", "--format", "json"), cwd=deployed.root, env=deployed.environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )
    held.reached()
    while not any(name == "cloudformation:ListStackResources" for name, _ in orders.calls()):
        assert running.poll() is None
    running.send_signal(2)
    out, err = running.communicate(timeout=SECONDS)
    assert running.returncode == 130 and "AWS goes on" in err
    assert json.loads(out)["outcome"] == "left"
    held.take_back()
    assert orders.settled(STACK) == "UPDATE_COMPLETE"


def test_ctrl_c_before_the_execution_leaves_nothing(
    deployed: Project, cloudformation: Any, orders: LocalAws
) -> None:
    """Ctrl-C while the change set is made takes it away again: nothing was executed, which is said, with 130."""
    before = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"][0]["EventId"]
    orders.pending_change_set(1_000_000)
    orders.forget_calls()
    running = subprocess.Popen(
        deployed.command("--yes", "--format", "json"), cwd=deployed.root, env=deployed.environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )
    while not any(name == "cloudformation:DescribeChangeSet" for name, _ in orders.calls()):
        assert running.poll() is None
    running.send_signal(2)
    out, err = running.communicate(timeout=SECONDS)
    assert running.returncode == 130 and "nothing was executed" in err and "Traceback" not in err
    assert json.loads(out)["outcome"] == "interrupted"
    assert "cloudformation:DeleteChangeSet" in [name for name, _ in orders.calls()]
    assert cloudformation.describe_stack_events(StackName=STACK)["StackEvents"][0]["EventId"] == before


def test_nobody_to_ask_is_wrong_usage(here: Callable[..., Ran]) -> None:
    """Without a terminal and without --yes nothing is begun."""
    ran = here()
    assert ran.code == 2 and "--yes" in ran.err and ran.out == ""
