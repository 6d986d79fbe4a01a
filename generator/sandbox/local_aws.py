"""Starting the local AWS, clients of it, and orders.

An order holds for one account, or for all of them; a 12-digit access key is an account of its own, with
nothing in it that another has. """

from __future__ import annotations

import importlib.util
import json
import os
import socket
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generator.sandbox import faults as faulty
from generator.sandbox.environment import SandboxError, python
from generator.sandbox.processes import Program

if TYPE_CHECKING:
    from typing_extensions import Self

REGION = "eu-central-1"
_PATIENCE = 60.0
_LONGEST = 51_200
"""Bytes that a template may have in a call."""
_PORTS = 5
"""How many ports are tried: another program may take one just before it is used."""


def variables(account: str) -> dict[str, str]:
    """What a client of the local AWS needs in its environment: credentials that mean nothing, and nobody's
    profile. ministack takes an access key of twelve digits for the account."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **settings(account)}


def settings(account: str) -> dict[str, str]:
    """The variables of `variables` that aren't the machine's."""
    return {
        "AWS_ACCESS_KEY_ID": account,
        "AWS_SECRET_ACCESS_KEY": "nobody",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@dataclass(frozen=True)
class Validation:
    """What early validation finds in a change set (CloudFormation user guide, "Validate stack
    deployments")."""

    logical_id: str
    type: str
    path: str
    """Such as `/Resources/Database/Properties/Engine`."""
    reason: str
    name: str = "PropertyValidation"
    """The check."""


@dataclass(frozen=True)
class Order:
    """Something that was ordered."""

    aws: LocalAws
    id: int

    @property
    def followed(self) -> int:
        """How often it was followed; for something that has to wait: how often it was reached."""
        return next((one["followed"] for one in self.aws.ask("GET", "orders") if one["id"] == self.id), 0)

    def reached(self) -> None:
        """Waits until it was followed. Raises SandboxError where that takes a minute."""
        end = time.monotonic() + _PATIENCE
        while not self.followed:
            if time.monotonic() > end:
                raise SandboxError("what was ordered wasn't asked for within a minute")
            time.sleep(0.02)

    def take_back(self) -> None:
        """Nothing follows it any more, and who waits for it goes on."""
        self.aws.ask("DELETE", "orders", id=str(self.id))


@dataclass(frozen=True)
class LocalAws:
    """A local AWS that answers, and an account of it."""

    url: str
    account: str = ""
    """Whose orders and calls these are; empty: everybody's."""
    region: str = REGION

    def within(self, account: str, region: str = "") -> Self:
        """The same, for an account of twelve digits."""
        return replace(self, account=account, region=region or self.region)

    def client(self, service: str, account: str = "") -> Any:
        """A boto3 client of an account."""
        import boto3

        return boto3.client(
            service,
            region_name=self.region,
            endpoint_url=self.url,
            aws_access_key_id=account or self.account,
            aws_secret_access_key="nobody",
        )

    # --- Stacks ---

    def deploy(self, template: str, name: str, account: str = "") -> None:
        """Creates a stack without a change set. Raises SandboxError where it doesn't get complete."""
        client = self.client("cloudformation", account)
        body = {"TemplateBody": template}
        if len(template.encode()) > _LONGEST:
            store = self.client("s3", account)
            bucket = f"templates-{account or self.account}"
            store.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": self.region})
            store.put_object(Bucket=bucket, Key=name, Body=template.encode())
            store.close()
            body = {"TemplateURL": f"https://s3.amazonaws.com/{bucket}/{name}"}
        client.create_stack(StackName=name, Capabilities=["CAPABILITY_NAMED_IAM"], **body)
        client.close()
        status = self.settled(name, account)
        if status != "CREATE_COMPLETE":
            raise SandboxError(f"the stack {name} is {status}")

    def settled(self, stack: str, account: str = "") -> str:
        """The state of a stack once nothing goes on with it. Raises SandboxError after a minute."""
        client = self.client("cloudformation", account)
        end = time.monotonic() + _PATIENCE
        while (status := client.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]).endswith(
            "_IN_PROGRESS"
        ) and status != "REVIEW_IN_PROGRESS":
            if time.monotonic() > end:
                raise SandboxError(f"the stack {stack} is still {status}")
            time.sleep(0.05)
        client.close()
        return status

    def resources(self, stack: str, account: str = "") -> dict[str, str]:
        """Logical id to physical id of a stack's resources."""
        client = self.client("cloudformation", account)
        found = {
            one["LogicalResourceId"]: one["PhysicalResourceId"]
            for page in client.get_paginator("list_stack_resources").paginate(StackName=stack)
            for one in page["StackResourceSummaries"]
        }
        client.close()
        return found

    def set_status(self, stack: str, status: str, reason: str = "") -> None:
        """Puts a stack into a state, as if something had led there. What leads there on AWS: a creation that
        fails to ROLLBACK_COMPLETE; a change set that isn't executed to REVIEW_IN_PROGRESS; an update that
        fails, and a rollback that does, to UPDATE_ROLLBACK_FAILED (`fail`). Those can be had without this."""
        self._do("status", stack=stack, status=status, reason=reason)

    # --- Orders: resources ---

    def fail(self, logical_id: str, operation: str, reason: str, times: int | None = None) -> Order:
        """Fails what is done to a resource: `CREATE`, `UPDATE`, `DELETE` or, in a rollback, `ROLLBACK`;
        `times` times, or always. Two of these make an update that gets stuck: UPDATE and ROLLBACK."""
        return self._order("fail", logical_id=logical_id, operation=operation, reason=reason, times=times)

    def delay(self, logical_id: str, seconds: float, operation: str = "") -> Order:
        """What is done to a resource (every one, where `logical_id` is empty) takes some seconds more."""
        return self._order("delay", logical_id=logical_id, operation=operation, seconds=seconds)

    def hold(self, logical_id: str, operation: str = "") -> Order:
        """What is done to a resource goes on only when the order is taken back: `reached` waits until it has
        begun."""
        return self._order("hold", logical_id=logical_id, operation=operation, times=1)

    def stop_tasks(
        self,
        reason: str = "Essential container in task exited",
        *,
        exit_code: int | None = 1,
        code: str = "EssentialContainerExited",
        container_reason: str = "",
        lines: Sequence[str] = (),
        events: Sequence[str] = (),
        seconds: float = 0.0,
        breaks: bool = True,
        logical_id: str = "",
    ) -> Order:
        """Tasks that the next creation or update of a service starts write lines into their log and stop, as
        DescribeTasks tells of it; `events` are of the service. Where it `breaks`, ECS' circuit breaker fails
        the deployment after some seconds, in its words."""
        return self._order(
            "stop_tasks",
            logical_id=logical_id,
            reason=reason,
            exit_code=exit_code,
            code=code,
            container_reason=container_reason,
            lines=list(lines),
            events=list(events),
            seconds=seconds,
            breaks=breaks,
            times=1,
        )

    # --- Orders: change sets ---

    def fail_change_set(
        self, reason: str = "", validation: Sequence[Validation] = (), times: int | None = 1
    ) -> Order:
        """The next change set is FAILED, with a reason. With what early validation found the reason is AWS'
        own, which only says where to ask: DescribeEvents has the rest."""
        return self._order(
            "fail_change_set", reason=reason, validation=[vars(one) for one in validation], times=times
        )

    def pending_change_set(self, describes: int) -> Order:
        """The next change set is still being made the first few times it is described."""
        return self._order("pending_change_set", describes=describes, times=1)

    def pages(self, size: int) -> Order:
        """A change set is described in pages of so many changes. AWS does it from 1 MB on."""
        return self._order("pages", size=size)

    def drop_changes(self, *logical_ids: str) -> Order:
        """Described with property values, change sets lack these changes; only their reason tells, with
        [WARN] (aws-cdk-cli issue 1780)."""
        return self._order("drop_changes", logical_ids=list(logical_ids))

    # --- Orders: what services tell ---

    def say(self, tasks: Mapping[str, Mapping[str, Any]], targets: Mapping[str, str | Sequence[str]]) -> None:
        """How tasks and targets are from now on: members of DescribeTasks' answer by task id; state, or
        state, reason and description, by address. Without it tasks that run are healthy, and so are their
        targets."""
        before = [one["id"] for one in self.ask("GET", "orders") if one["kind"] == "say"]
        self._order("say", tasks=tasks, targets=targets)
        for number in before:
            self.ask("DELETE", "orders", id=str(number))

    def rds_event(self, source: str, message: str, *categories: str) -> None:
        """A database tells something: `source` is its identifier."""
        self._do("rds_event", source=source, message=message, categories=list(categories))

    # --- Faults, calls, and all of it ---

    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """The calls so far, in order: (`service:Operation`, parameters as they were sent)."""
        return [(one["operation"], one["parameters"]) for one in self.ask("GET", "calls")]

    def forget_calls(self) -> None:
        """Calls are counted anew."""
        self.ask("DELETE", "calls")

    def forget_orders(self) -> None:
        """Takes every order back."""
        self.ask("DELETE", "orders")

    def reset(self) -> None:
        """Empties it: every account's resources, orders and calls."""
        self.within("").forget_orders()
        self.within("").forget_calls()
        _http("POST", f"{self.url}/_ministack/reset")

    def ask(self, method: str, what: str, body: Any = None, **query: str) -> Any:
        """What inside/control.py answers."""
        asked = urllib.parse.urlencode({"account": self.account, **query})
        return json.loads(_http(method, f"{self.url}/_cloakform/{what}?{asked}", body))

    def _order(self, kind: str, **members: Any) -> Order:
        return Order(self, self.ask("POST", "orders", {"kind": kind, **members})["id"])

    def _do(self, kind: str, **members: Any) -> None:
        self.ask("POST", "do", {"kind": kind, **members}, region=self.region)


@contextmanager
def running(root: Path, folder: Path, *, enter: Sequence[str] = (), port: int = 0) -> Iterator[Running]:
    """A local AWS for the length of a block; its files are in `folder`, the environment in the cache of the
    project `root`. It ends with this process whatever happens.

    `enter` stands before its command where it has to run elsewhere, say in a network namespace, in which
    `port` then has to be free. Raises SandboxError where it can't be started. """
    made = start(root, folder, enter=enter, port=port)
    try:
        yield made
    finally:
        made.end()


@dataclass(frozen=True)
class Running(LocalAws):
    """A local AWS that was started here."""

    python: Path = Path()
    folder: Path = Path()
    programs: list[Program | faulty.Proxy] = field(default_factory=list)
    """What has to end; a proxy is started once it is needed."""

    @contextmanager
    def faults(self, *faults: faulty.Fault) -> Iterator[faulty.Proxy]:
        """A way to the local AWS, for the length of a block, on which calls go wrong as `faults` say: its
        `url` instead of this one's. Calls are counted from the block's beginning, whoever makes them."""
        proxy = next((one for one in self.programs if isinstance(one, faulty.Proxy)), None)
        if proxy is None:
            proxy = faulty.Proxy(self.python, self.folder, self.url)
            self.programs.append(proxy)
        proxy.set(faults)
        try:
            yield proxy
        finally:
            proxy.set(())

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return all(program.running for program in self.programs)

    def end(self) -> None:
        """Ends it."""
        for program in reversed(self.programs):
            program.end()


def start(
    root: Path, folder: Path, *, enter: Sequence[str] = (), port: int = 0, tell=lambda text: None
) -> Running:
    """As `running`, without an end: `end()` it."""
    found = python(root, tell)
    for left in reversed(range(_PORTS if not port else 1)):
        chosen = port or _free_port()
        try:
            program = Program(
                found,
                ("aws",),
                folder,
                {
                    "BIND_HOST": "127.0.0.1",
                    "GATEWAY_PORT": str(chosen),
                    "MINISTACK_REGION": REGION,
                    "S3_DATA_DIR": str(folder / "s3"),
                    "FIXED_SCHEMAS": _schemas(),
                    # Nobody listens there: what Docker this machine has isn't to be found.
                    "DOCKER_HOST": f"unix://{folder / 'no-docker.sock'}",
                },
                enter=enter,
            )
        except SandboxError as error:
            if not left or "in use" not in str(error):
                raise
        else:
            return Running(f"http://127.0.0.1:{chosen}", python=found, folder=folder, programs=[program])
    raise AssertionError("the last try raises")


def _schemas() -> str:
    """Where cfn-lint keeps the resource schemas; importing it takes longer than starting all of this."""
    spec = importlib.util.find_spec("cfnlint")
    places = spec.submodule_search_locations if spec else None
    return str(Path(next(iter(places))) / "data" / "schemas") if places else os.devnull


def _http(method: str, url: str, body: Any = None) -> bytes:
    """An answer, asked for past whatever proxy this machine is told to use."""
    asked = urllib.request.Request(
        url, method=method, data=None if body is None else json.dumps(body).encode()
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(asked, timeout=_PATIENCE) as answer:
        return answer.read()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]
