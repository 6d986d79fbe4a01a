"""What AWS refuses and ministack doesn't, and requests that are sent twice.

The messages are AWS' as users of public projects quote them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_account_id
from ministack.services.cloudformation import _change_sets, _stack_events, _stacks, handlers
from ministack.services.cloudformation.helpers import _error, _extract_string_members, _p

from . import xml

Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[dict[str, Any]], Answer]

_UPDATABLE = (
    "CREATE_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
)
_TOKENS = {
    "CreateChangeSet": "ClientToken",
    **dict.fromkeys(
        (
            "CreateStack",
            "UpdateStack",
            "DeleteStack",
            "ExecuteChangeSet",
            "RollbackStack",
            "ContinueUpdateRollback",
            "CancelUpdateStack",
        ),
        "ClientRequestToken",
    ),
}

_answered: dict[tuple[str, str, str], tuple[dict[str, Any], Answer]] = {}
"""By account, operation and token: what was asked and answered."""


def install() -> None:
    """Puts the refusals before ministack's handlers."""
    handlers._capabilities_enforced = lambda: True
    actions = handlers._ACTION_HANDLERS
    actions["CreateStack"] = _refusing(actions["CreateStack"], _create)
    actions["DeleteStack"] = _refusing(actions["DeleteStack"], _delete)
    actions["ExecuteChangeSet"] = _executing(_refusing(actions["ExecuteChangeSet"], _execute))
    actions["CreateChangeSet"] = _reviewing(_refusing(actions["CreateChangeSet"], _change_set))
    actions["DescribeStacks"] = _described(actions["DescribeStacks"])
    actions["DescribeStackEvents"] = _numbered(actions["DescribeStackEvents"])
    for name, member in _TOKENS.items():
        actions[name] = _once(name, member, actions[name])


def _refusing(handler: Handler, refusal: Callable[[dict[str, Any]], Answer | None]) -> Handler:
    return lambda params: refusal(params) or handler(params)


def _create(params) -> Answer | None:
    """A stack that was rolled back is there all the same."""
    name = _p(params, "StackName")
    if (_stacks.get(name) or {}).get("StackStatus") == "ROLLBACK_COMPLETE":
        return _error("AlreadyExistsException", f"Stack [{name}] already exists")
    return None


def _delete(params) -> Answer | None:
    """A stack that is being updated can't be deleted."""
    stack = handlers._resolve_stack(_p(params, "StackName"))
    status = (stack or {}).get("StackStatus", "")
    if stack is not None and status.startswith("UPDATE_") and status.endswith("_IN_PROGRESS"):
        return _error(
            "ValidationError", f"Stack [{stack['StackId']}] cannot be deleted while in status {status}"
        )
    return None


def _change_set(params) -> Answer | None:
    """A stack is made only where there is none, and updated only in a state that allows it."""
    name, kind = _p(params, "StackName"), _p(params, "ChangeSetType", "UPDATE")
    stack = handlers._resolve_stack(name)
    status = (stack or {}).get("StackStatus", "")
    if stack is None or status == "DELETE_COMPLETE":
        return None
    if kind == "UPDATE" and status not in _UPDATABLE:
        return _error(
            "ValidationError", f"Stack:{stack['StackId']} is in {status} state and can not be updated."
        )
    if kind == "CREATE" and status != "REVIEW_IN_PROGRESS":
        return _error(
            "ValidationError",
            f"Stack [{stack['StackName']}] already exists and cannot be created again "
            f"with the changeSet [{_p(params, 'ChangeSetName')}].",
        )
    return None


def _execute(params) -> Answer | None:
    """A stack does one thing at a time."""
    found = _found(params)
    status = (_stacks.get(found["StackName"]) or {}).get("StackStatus", "") if found else ""
    if (
        found
        and found["ExecutionStatus"] == "AVAILABLE"
        and status.endswith("_IN_PROGRESS")
        and status != "REVIEW_IN_PROGRESS"
    ):
        return _error(
            "ValidationError", f"Stack:{found['StackId']} is in {status} state and can not be updated."
        )
    return None


def _found(params) -> dict[str, Any] | None:
    """The change set that is asked for; by name as well where the stack is named by its id."""
    name = _p(params, "ChangeSetName")
    if name in _change_sets:
        return _change_sets[name]
    stack = handlers._resolve_stack(_p(params, "StackName"))
    return next(
        (
            one
            for one in _change_sets.values()
            if one["ChangeSetName"] == name and stack is not None and one["StackName"] == stack["StackName"]
        ),
        None,
    )


def _executing(handler: Handler) -> Handler:
    """The stack has the role and the topics of the change set."""

    def answer(params):
        found = _found(params)
        if found is not None:
            params = {**params, "ChangeSetName": [found["ChangeSetId"]]}
        told = handler(params)
        if found is not None and told[0] == 200:
            stack = _stacks[found["StackName"]]
            for key in ("_role", "_topics"):
                if found.get(key):
                    stack[key] = found[key]
        return told

    return answer


def _reviewing(handler: Handler) -> Handler:
    """Further change sets for a stack that isn't made yet are for the same stack."""

    def answer(params):
        name = _p(params, "StackName")
        before = handlers._resolve_stack(name)
        events = _stack_events.get(before["StackId"], []) if before else []
        asked = {**params, "StackName": [before["StackName"]]} if before else params
        again = before is not None and before["StackStatus"] == "REVIEW_IN_PROGRESS"
        told = handler(asked)
        if told[0] != 200:
            if again:
                # ministack takes away the stack it was asked for.
                _stacks[before["StackName"]], _stack_events[before["StackId"]] = before, events
            return told
        made = next(reversed(list(_change_sets.values())))
        made["_role"], made["_topics"] = (
            _p(params, "RoleARN"),
            _extract_string_members(params, "NotificationARNs"),
        )
        if again:
            stack = _stacks[before["StackName"]]
            new, old = stack["StackId"], before["StackId"]
            _stack_events.pop(new, None)
            _stack_events[old] = events
            stack.update(StackId=old, CreationTime=before["CreationTime"])
            made["StackId"] = old
            told = told[0], told[1], told[2].replace(new.encode(), old.encode())
        return told

    return answer


def _described(handler: Handler) -> Handler:
    """Stacks are told with their role and topics."""

    def answer(params):
        told = handler(params)
        if told[0] != 200:
            return told
        root = xml.read(told[2])
        for member in xml.members(root, "Stacks"):
            stack = handlers._resolve_stack(xml.text(member, "StackId")) or {}
            if stack.get("_role"):
                xml.add(member, "RoleARN", stack["_role"])
            if stack.get("_topics"):
                topics = xml.add(member, "NotificationARNs")
                for topic in stack["_topics"]:
                    xml.add(topics, "member", topic)
        return told[0], told[1], xml.written(root)

    return answer


def _numbered(handler: Handler) -> Handler:
    """Events are told with the operation that they belong to."""

    def answer(params):
        told = handler(params)
        if told[0] != 200:
            return told
        root = xml.read(told[2])
        for member in xml.members(root, "StackEvents"):
            listed = _stack_events.get(xml.text(member, "StackId"), [])
            number = next(
                (one.get("OperationId") for one in listed if one["EventId"] == xml.text(member, "EventId")),
                None,
            )
            if number:
                xml.add(member, "OperationId", number)
        return told[0], told[1], xml.written(root)

    return answer


def _once(name: str, member: str, handler: Handler) -> Handler:
    """The same token again is the same request: it is answered as before and nothing is done (CloudFormation
    API reference, ClientToken and ClientRequestToken). For another request it is refused."""

    def answer(params):
        token = _p(params, member)
        if not token:
            return handler(params)
        key = get_account_id(), name, token
        asked = {what: value for what, value in params.items() if what != "Version"}
        if key in _answered:
            before, told = _answered[key]
            if before == asked:
                return told
            return _error(
                "TokenAlreadyExistsException", f"Token {token} was already used for another request"
            )
        told = handler(params)
        if told[0] == 200:
            _answered[key] = asked, told
        return told

    return answer
