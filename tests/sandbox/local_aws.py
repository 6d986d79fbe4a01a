"""Starting and ending the local AWS, and deploying a template to it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cases import PROJECT
from tests.cluster.steps import alone, step

HERE = Path(__file__).parent
PINS = HERE / "requirements.txt"
REGION = "eu-central-1"
_PATIENCE = 60.0


def environment() -> Path:
    """The Python that ministack is installed for, in the project's cache; made where it isn't there. Needs
    pip's package index then."""
    digest = hashlib.sha256(PINS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = PROJECT / ".cache" / "sandbox" / digest
    python, ready = folder / "bin" / "python", folder / ".ready"
    with alone(folder.with_suffix(".lock")):
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)
            with step("making the environment of the local AWS"):
                subprocess.run([sys.executable, "-m", "venv", folder], check=True)
                subprocess.run(
                    [
                        python,
                        "-m",
                        "pip",
                        "install",
                        "--quiet",
                        "--disable-pip-version-check",
                        "--require-hashes",
                        "--requirement",
                        PINS,
                    ],
                    check=True,
                )
            ready.touch()
    return python


def variables(account: str) -> dict[str, str]:
    """What a client of the local AWS needs in its environment: credentials that mean nothing, and nobody's
    profile. ministack takes an access key of twelve digits for the account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "nobody's",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@dataclass(frozen=True)
class LocalAws:
    """A local AWS that answers."""

    url: str
    state: Path
    """What launcher.py reads; see there."""

    def client(self, service: str, account: str) -> Any:
        """A boto3 client of an account."""
        import boto3

        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=account,
            aws_secret_access_key="nobody's",
        )

    def deploy(self, template: str, name: str, account: str) -> None:
        """Creates a stack, and asserts that it is complete."""
        client = self.client("cloudformation", account)
        client.create_stack(StackName=name, TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
        end = time.monotonic() + _PATIENCE
        while (stack := client.describe_stacks(StackName=name)["Stacks"][0])["StackStatus"].endswith(
            "IN_PROGRESS"
        ):
            assert time.monotonic() < end, stack
            time.sleep(0.05)
        client.close()
        assert stack["StackStatus"] == "CREATE_COMPLETE", stack

    def resources(self, stack: str, account: str) -> dict[str, str]:
        """Logical id to physical id of a stack's resources."""
        client = self.client("cloudformation", account)
        found = {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in client.get_paginator("list_stack_resources").paginate(StackName=stack)
            for one in page["StackResourceSummaries"]
        }
        client.close()
        return found

    def say(self, tasks: Mapping[str, Mapping[str, Any]], targets: Mapping[str, str]) -> None:
        """How tasks and targets are from now on."""
        beside = self.state.with_suffix(".new")
        beside.write_text(json.dumps({"tasks": tasks, "targets": targets}), "utf-8")
        beside.replace(self.state)


@contextmanager
def running(folder: Path, *, enter: Sequence[str] = (), port: int = 0) -> Iterator[LocalAws]:
    """A local AWS for the length of a block; its files are in `folder`. `enter` stands before its command
    where it has to run elsewhere, say in a network namespace, in which `port` then has to be free."""
    port = port or _free_port()
    state = folder / "state.json"
    python = environment()
    output = folder / "ministack.log"
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "S3_DATA_DIR": str(folder / "s3"),
        # Nobody listens there: what Docker this machine has isn't to be found.
        "DOCKER_HOST": f"unix://{folder / 'no-docker.sock'}",
    }
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*enter, python, HERE / "launcher.py", state],
            env=settings,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + _PATIENCE
        while b"Running on http" not in output.read_bytes():
            said = output.read_text("utf-8", "replace")
            assert process.poll() is None and time.monotonic() < end, said[-2000:]
            time.sleep(0.05)
        yield LocalAws(f"http://127.0.0.1:{port}", state)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]
