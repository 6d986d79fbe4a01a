"""The local AWS is there for this machine alone, and ends with whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from generator.sandbox import environment, local_aws
from generator.sandbox.environment import SandboxError
from tests.cases import CASES, ENVIRONMENTS, PROJECT
from tests.sandbox.fixtures import aws, shared  # noqa: F401
from tests.sandbox.stacks import NAME, group, template

STARTS = """
import pathlib, sys
from generator.sandbox import faults, local_aws
with local_aws.running(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])) as aws:
    with aws.faults():
        print(*(one.id for one in aws.programs), flush=True)
        sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_stays_when_whoever_started_it_is_gone(tmp_path, how):
    """Killed, ended or interrupted: neither the local AWS nor what is before it runs on."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTS, PROJECT, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=PROJECT,
    ) as process:
        programs = [os.pidfd_open(int(one)) for one in process.stdout.readline().split()]
        process.send_signal(how)
        process.wait()
        assert len(programs) == 2
        for program in programs:
            # Readable once the process has ended; waits for as long as the run may take.
            signal_or_end(program)


def signal_or_end(program: int) -> None:
    """Waits for the end of a process."""
    import select

    assert select.select([program], [], [], 60)[0]
    os.close(program)


def test_it_listens_on_this_machine_alone():
    """On 127.0.0.1, and nowhere else; microburst before it as well."""
    with shared().faults():
        for program in shared().programs:
            assert listening(program.id) and {one.split(":")[0] for one in listening(program.id)} == {
                "0100007F"
            }


def listening(process: int) -> set[str]:
    """The addresses that a process listens on, as the kernel writes them."""
    handles = Path(f"/proc/{process}/fd")
    sockets = {os.readlink(one) for one in handles.iterdir()}
    return {
        fields[1]
        for table in ("tcp", "tcp6")
        for fields in (
            line.split() for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]
        )
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets
    }


def test_it_has_nothing_of_the_user_s(monkeypatch):
    """Neither a profile nor credentials reach it, nor a Docker engine; a client gets credentials of
    nobody."""
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    had = Path(f"/proc/{shared().programs[0].id}/environ").read_text().split("\0")
    names = {one.split("=")[0] for one in had}
    assert not [name for name in names if name.startswith("AWS_")] and "DOCKER_HOST" in names
    socket = next(one for one in had if one.startswith("DOCKER_HOST=")).removeprefix("DOCKER_HOST=unix://")
    assert not Path(socket).exists()
    told = local_aws.variables("111111111111")
    assert "AWS_PROFILE" not in told and "AWS_SESSION_TOKEN" not in told
    assert (told["AWS_CONFIG_FILE"], told["PATH"]) == (os.devnull, os.environ["PATH"])


def test_accounts_know_nothing_of_each_other(aws):  # noqa: F811
    """Neither stacks nor calls nor orders of one are another's."""
    other = aws.within("299999999997")
    aws.deploy(template(Group=group()), NAME)
    assert [name for name, _ in aws.calls()][0] == "cloudformation:CreateStack" and not other.calls()
    client = other.client("cloudformation")
    assert client.describe_stacks()["Stacks"] == []
    client.close()
    order = aws.fail("Group", "CREATE", "no")
    assert [one["id"] for one in aws.ask("GET", "orders")] == [order.id] and not other.ask("GET", "orders")
    aws.forget_calls()
    assert not aws.calls() and [name for name, _ in other.calls()] == ["cloudformation:DescribeStacks"]


def test_calls_are_told_with_what_was_asked(aws):  # noqa: F811
    """Of services with forms and with JSON."""
    for service, operation, parameters in (
        ("cloudformation", "list_stack_resources", {"StackName": "x"}),
        ("ecs", "describe_clusters", {"clusters": ["x"]}),
    ):
        client = aws.client(service)
        try:
            getattr(client, operation)(**parameters)
        except client.exceptions.ClientError:
            pass
        client.close()
    (listed, asked), (described, wanted) = aws.calls()
    assert (listed, asked["StackName"]) == ("cloudformation:ListStackResources", "x")
    assert (described, wanted) == ("ecs:DescribeClusters", {"clusters": ["x"]})


def test_a_stack_that_doesn_t_get_complete_is_told(aws):  # noqa: F811
    """Not taken for a good one."""
    aws.fail("Group", "CREATE", "no")
    with pytest.raises(SandboxError, match="the stack there is ROLLBACK_COMPLETE"):
        aws.deploy(template(Group=group()), NAME)


@pytest.mark.parametrize("name", [*ENVIRONMENTS, *list(CASES)[::6]])
def test_what_the_project_renders_can_be_deployed(aws, wholes, name):  # noqa: F811
    """Every environment of the project, and some of the cases: no type or attribute is missing, and what is
    there before the stack is found."""
    aws.deploy(wholes[name].text, NAME)
    assert {"Service", "TaskDefinition"} <= set(aws.resources(NAME))


def test_the_environment_is_made_once(tmp_path):
    """Where it is there nothing is installed; where it can't be a line says why."""
    said = []
    there = environment.python(PROJECT, said.append)
    assert there.is_file() and not said
    (tmp_path / ".cache").write_text("", "utf-8")
    with pytest.raises(SandboxError, match=r"^the local AWS can't be installed in .*\.cache/sandbox/"):
        environment.python(tmp_path, said.append)


def test_what_doesn_t_start_is_told_in_a_line(tmp_path):
    """With what the program said last."""
    with pytest.raises(SandboxError, match=r"^the local AWS didn't start: .*No module named 'ministack'"):
        local_aws.Program(Path(sys.executable), ("aws",), tmp_path, {"GATEWAY_PORT": "1"})


def test_every_package_is_pinned_with_its_hashes():
    """What is installed is what was looked at."""
    lines = environment.PINS.read_text("utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith(" ")]
    assert all("==" in line and line.endswith("\\") for line in pinned)
    assert {"ministack==1.5.33 \\", "microburst==0.10.0 \\"} <= set(pinned)
    assert all(line.strip().startswith("--hash=sha256:") for line in lines if line.startswith(" "))


def test_it_comes_with_the_program():
    """Its files are in the package, not only in a checkout: what is installed can start it."""
    from setuptools import Distribution

    built = Distribution()
    built.parse_config_files([str(PROJECT / "setup.cfg")])
    assert "requirements.txt" in built.package_data["generator.sandbox"]
