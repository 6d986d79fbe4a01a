"""A change set is executed, once, and followed until the stack rests."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence

from generator.aws import Connection
from generator.deploying import changesets, events, stacks
from generator.deploying.events import Event
from generator.deploying.stacks import Stack
from generator.errors import AwsError, RefusedError

OFTEN, SELDOM = 2.0, 5.0
"""Seconds between two looks: in the first minute, and later."""
_SILENCE = 300.0
"""Seconds that AWS may be out of reach before following it is given up."""

DONE, ROLLED_BACK, STUCK = "done", "rolled back", "stuck"


class Following:
    """A running operation, as far as it has been seen."""

    def __init__(
        self,
        connection: Connection,
        stack_id: str,
        token: str = "",
        since: str = "",
        clock: Callable[[], float] = time.monotonic,
    ):
        """`token` is the client request token that it was begun with, `since` the id of the last event before
        it."""
        self.stack_id, self.token = stack_id, token
        self.stack: Stack | None = None
        """As it was at the last look."""
        self.events: list[Event] = []
        """Of the operation, in order."""
        self._connection, self._since, self._clock = connection, since, clock
        self._begun = self._reached = clock()

    @property
    def outcome(self) -> str:
        """What became of it: DONE, ROLLED_BACK, STUCK; empty while it goes on."""
        if self.stack is None:
            return ""
        # Right after it was begun AWS may still tell how the stack was before.
        told = any(one.about_stack and one.status == self.stack.status for one in self.events)
        return outcome(self.stack.status) if told else ""

    @property
    def pause(self) -> float:
        """Seconds until the next look."""
        return OFTEN if self._clock() - self._begun < 60 else SELDOM

    def look(self, tell: Callable[[str], None] = lambda _: None) -> list[Event]:
        """Asks AWS, and returns the events that are new. AWS may be out of reach for five minutes, which is told.

        Raises AwsError after that, CredentialsError at once: the operation goes on without us.
        """
        try:
            # The events last: what the status says has then happened in them as well.
            stack = stacks.look(self._connection, self.stack_id)
            if stack is None:
                raise AwsError(f"the stack {self.stack_id} isn't there any more")
            new = events.read(self._connection, self.stack_id, self._since)
        except AwsError as error:
            if self._clock() - self._reached > _SILENCE or error.code == "AccessDenied":
                raise
            tell(f"AWS can't be asked at the moment, the stack goes on: {error}")
            return []
        self._reached = self._clock()
        self.stack = stack
        if new:
            self._since = new[-1].id
            self.events += new
        return new


def outcome(status: str) -> str:
    """What a stack's status says of the operation that ended with it; empty while one goes on."""
    if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE", stacks.GONE):
        return DONE
    if status in ("ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"):
        return ROLLED_BACK
    if status.endswith("_IN_PROGRESS"):
        return ""
    return STUCK


def token_of(change_set: str) -> str:
    """The client request token of a change set's execution: always the same one, so that a second call is the
    same request and no second execution."""
    return f"cloakform-{hashlib.sha256(change_set.encode()).hexdigest()[:32]}"


def execute(connection: Connection, change_set: str) -> str:
    """Executes a change set and returns the token of its execution. An answer that was lost is no reason to do
    it twice: then AWS is asked what became of it.

    Raises RefusedError where it can't be executed any more, AwsError or CredentialsError.
    """
    token = token_of(change_set)
    try:
        connection.ask(
            "cloudformation", "execute_change_set", ChangeSetName=change_set, ClientRequestToken=token
        )
    except AwsError as error:
        if error.code not in ("", "InvalidChangeSetStatus", "InvalidChangeSetStatusException"):
            raise
        found = changesets.state(connection, change_set)
        if found is None or found.execution not in (
            "EXECUTE_IN_PROGRESS",
            "EXECUTE_COMPLETE",
            "EXECUTE_FAILED",
        ):
            if not error.code:
                raise
            raise RefusedError(f"the change set can't be executed any more: {error.said}") from error
        if not any(one.token == token for one in events.read(connection, found.stack_id)):
            raise RefusedError("somebody else executed this change set: nothing was begun here") from error
    return token


def cancel(connection: Connection, stack_id: str) -> None:
    """Makes AWS roll an update back. Raises AwsError where it isn't at a point where that can be."""
    connection.ask("cloudformation", "cancel_update_stack", StackName=stack_id)


def continue_rollback(connection: Connection, stack_id: str, skip: Sequence[str]) -> str:
    """Begins again with a rollback that failed, without the resources `skip`; returns the token. Raises AwsError
    or CredentialsError."""
    token = f"cloakform-{secrets.token_hex(16)}"
    connection.ask(
        "cloudformation",
        "continue_update_rollback",
        StackName=stack_id,
        ResourcesToSkip=list(skip),
        ClientRequestToken=token,
    )
    return token


def last_event(connection: Connection, stack_id: str) -> str:
    """The id of the stack's newest event; empty where it has none. Raises AwsError or CredentialsError."""
    page = connection.ask("cloudformation", "describe_stack_events", StackName=stack_id)["StackEvents"]
    return str(page[0]["EventId"]) if page else ""
