"""A change set is executed, once, and followed until the stack rests."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from generator.aws import Connection, ExpiredError
from generator.deploying import changesets, events, stacks
from generator.deploying.events import Event
from generator.deploying.stacks import Stack
from generator.errors import AwsError, CredentialsError, RefusedError

AT_FIRST, OFTEN, SELDOM = 0.5, 2.0, 5.0
"""Seconds between two looks: in the first ten seconds, in which many changes are done; in the first minute; later."""
_SILENCE = 300.0
"""Seconds that AWS may be out of reach before following it is given up."""
_UNTOLD = 10
"""Looks at the events until an execution that AWS took is told by them; a second apart."""

DONE, ROLLED_BACK, STUCK = "done", "rolled back", "stuck"


class UnclearError(AwsError):
    """AWS was told to execute a change set, and whether it does isn't known."""


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
        """As it was at the last look; at the operation's end where another one has begun since."""
        self.events: list[Event] = []
        """Of the operation, in order."""
        self._connection, self._since, self._clock = connection, since, clock
        self._known = bool(since)
        self._begun = self._reached = clock()

    @property
    def outcome(self) -> str:
        """What became of it: DONE, ROLLED_BACK, STUCK; empty while it goes on."""
        end = self._end()
        if self.stack is None or end is None or self.stack.status != self.events[end].status:
            return ""
        return outcome(self.stack.status)

    @property
    def pause(self) -> float:
        """Seconds until the next look."""
        gone = self._clock() - self._begun
        return AT_FIRST if gone < 10 else OFTEN if gone < 60 else SELDOM

    def look(self, tell: Callable[[str], None] = lambda _: None) -> list[Event]:
        """Asks AWS, and returns the events that are new. AWS may be out of reach for five minutes, which is told.

        Raises AwsError after that, CredentialsError at once: the operation goes on without us.
        """
        try:
            # The events last: what the status says has then happened in them as well.
            stack = stacks.look(self._connection, self.stack_id)
            new = events.read(self._connection, self.stack_id, self._since) if stack is not None else []
        except AwsError as error:
            if self._clock() - self._reached > _SILENCE or error.code in ("AccessDenied", "AccessDeniedException"):
                raise
            tell(f"AWS can't be asked at the moment, the stack goes on: {error}")
            return []
        if stack is None:
            raise AwsError(f"the stack {self.stack_id} isn't there any more")
        self._reached = self._clock()
        self.stack = stack
        if new:
            self._since = new[-1].id
            self.events += new
        return self._closed(new)

    def _closed(self, new: list[Event]) -> list[Event]:
        """What of `new` is the operation's. Somebody may have begun another one since the last look: what that
        does is none of this one's business."""
        end = self._end()
        if not self.token or end is None:
            return new
        later = self.events[end + 1 :]
        if not any(one.about_stack for one in later):
            return new
        assert self.stack is not None, "events without a stack"
        self.stack = replace(self.stack, status=self.events[end].status, reason=self.events[end].reason)
        del self.events[end + 1 :]
        return new[: -len(later)] if len(later) < len(new) else []

    def _end(self) -> int | None:
        """Where in `events` the operation ended. The stack's status alone doesn't tell: right after it was begun
        AWS may still say how the stack was before, which an older operation's events confirm."""
        first = 0
        if self.token:
            mine = (n for n, one in enumerate(self.events) if one.about_stack and one.token == self.token)
            # Events that follow one that is known are the operation's, whatever token they have.
            first = next(mine, 0 if self._known else len(self.events))
        return next(
            (n for n, one in enumerate(self.events) if n >= first and one.about_stack and outcome(one.status)), None
        )


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


def execute(
    connection: Connection, change_set: str, since: str = "", sleep: Callable[[float], None] = time.sleep
) -> str:
    """Executes a change set and returns the token of its execution; `since` is the id of the last event before. An
    answer that was lost is no reason to do it twice: then AWS is asked what became of it.

    Raises RefusedError where it can't be executed any more, AwsError or CredentialsError where AWS didn't begin,
    UnclearError where nobody knows.
    """
    token = token_of(change_set)
    try:
        connection.ask(
            "cloudformation", "execute_change_set", ChangeSetName=change_set, ClientRequestToken=token
        )
        return token
    except ExpiredError as error:
        if error.first:
            raise
        raise UnclearError(str(error)) from error
    except CredentialsError:
        # There were none to send the call with.
        raise
    except AwsError as error:
        # Whatever the last try's answer was, an earlier one whose answer was lost may have reached AWS.
        refusal = error
    try:
        found = changesets.state(connection, change_set)
        if found is None or not found.execution.startswith("EXECUTE_"):
            if refusal.code in ("InvalidChangeSetStatus", "InvalidChangeSetStatusException", "ChangeSetNotFound"):
                raise RefusedError(f"the change set can't be executed any more: {refusal.said}") from refusal
            raise refusal
        mine = _whose(connection, found.stack_id, since, token, sleep)
    except (AwsError, CredentialsError) as error:
        if error is refusal:
            raise
        raise UnclearError(f"{refusal}; and AWS can't be asked what became of it: {error}") from error
    if not mine:
        raise RefusedError("somebody else executed this change set: nothing was begun here") from refusal
    return token


def _whose(connection, stack_id, since, token, sleep) -> bool:
    """Whether an execution is the one with this token. Events may come later than what they tell of; where none
    comes nobody else is known to have done it."""
    for number in range(_UNTOLD):
        about = [one for one in events.read(connection, stack_id, since) if one.about_stack]
        if any(one.token == token for one in about):
            return True
        if since and about:
            return False
        if number < _UNTOLD - 1:
            sleep(1.0)
    return True


def cancel(connection: Connection, stack_id: str) -> None:
    """Makes AWS roll an update back. Raises AwsError where it isn't at a point where that can be."""
    connection.ask("cloudformation", "cancel_update_stack", StackName=stack_id)


def continue_rollback(connection: Connection, stack_id: str, skip: Sequence[str]) -> str:
    """Begins again with a rollback that failed, without the resources `skip`; returns the token. Raises AwsError
    or CredentialsError."""
    token = f"cloakform-{secrets.token_hex(16)}"
    arguments: dict[str, Any] = {"StackName": stack_id, "ClientRequestToken": token}
    if skip:
        # An empty list is sent as one empty name.
        arguments["ResourcesToSkip"] = list(skip)
    connection.ask("cloudformation", "continue_update_rollback", **arguments)
    return token


def last_event(connection: Connection, stack_id: str) -> str:
    """The id of the stack's newest event; empty where it has none. Raises AwsError or CredentialsError."""
    page = connection.ask("cloudformation", "describe_stack_events", StackName=stack_id)["StackEvents"]
    return str(page[0]["EventId"]) if page else ""
