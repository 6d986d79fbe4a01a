"""Resources that fail or wait as it was ordered, and events as AWS gives them.

ministack makes, changes and deletes resources through three functions of its stacks module, and tells of it
through a fourth. These four are wrapped; what it does in between is left alone. """

from __future__ import annotations

import fnmatch
import json
import uuid
from typing import Any

from ministack.core.responses import now_iso
from ministack.services.cloudformation import (
    _stack_events,
    _stacks,
    changesets,
    handlers,
    provisioners,
    stacks,
)

from . import orders, tasks

STACK, SERVICE = "AWS::CloudFormation::Stack", "AWS::ECS::Service"
_BEGINS = (
    "CREATE_IN_PROGRESS",
    "UPDATE_IN_PROGRESS",
    "DELETE_IN_PROGRESS",
    "IMPORT_IN_PROGRESS",
    "ROLLBACK_IN_PROGRESS",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "REVIEW_IN_PROGRESS",
)
"""The states in which a stack begins an operation of its own; a rollback is one (DescribeStackEvents,
OperationId)."""
_INITIATED = "Resource creation Initiated"
_CLEANUP = "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"


class Operation:
    """What goes on with a stack."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4())
        self.held: dict[str, tuple[tuple, dict[str, Any]]] = {}
        """Updates that have begun as ministack has it, with what the resource was: nothing may come of
        them."""
        self.made: set[str] = set()
        """Resources that this update makes."""
        self.failed: list[str] = []
        self.left: list[tuple[str, str, str, dict[str, Any]]] = []
        """What was made and has failed then; rolling back deletes it."""
        self.tidying = False


_operations: dict[str, Operation] = {}
_add = stacks._add_event
_provision, _update, _delete = stacks._provision_resource, stacks._update_resource, stacks._delete_resource
_deploy = stacks._deploy_stack_async
_threaded, _sent_back = stacks._runs_on_worker_thread, stacks._sends_back_failed_update


def install() -> None:
    """Puts the wrappers in the places of what they wrap."""
    for module in (stacks, handlers, changesets):
        module._add_event = event
        module._deploy_stack_async = deploy
    stacks._provision_resource, stacks._update_resource, stacks._delete_resource = provision, update, delete
    stacks._runs_on_worker_thread = lambda kind: _threaded(kind) or orders.slow()
    # AWS sends every resource back that an update has touched; ministack only some. It is done where the
    # order is that it fails.
    stacks._sends_back_failed_update = lambda kind: (
        _sent_back(kind) or orders.find("fail", operation="ROLLBACK") is not None
    )


# --- Events ---


def event(stack_id, stack_name, logical_id, kind, status, reason="", physical_id="", detailed_status=""):
    """An event as AWS has it: none for a resource that an update leaves alone, creations and deletions under
    their own names in an update too, and the id of the operation."""
    arguments = (stack_id, stack_name, logical_id, kind, status, reason, physical_id, detailed_status)
    if kind == STACK and physical_id == stack_id:
        _about_stack(*arguments)
        return
    current = _operations.setdefault(stack_id, Operation())
    if status == "UPDATE_IN_PROGRESS" and not reason and _stacks[stack_name]["StackStatus"] == status:
        current.held[logical_id] = (arguments, dict(_record(stack_name, logical_id)))
        return
    if reason.startswith("Requested update requires"):
        current.held.pop(logical_id, None)
    if logical_id in current.held:
        if status == "UPDATE_COMPLETE":
            _, before = current.held.pop(logical_id)
            _record(stack_name, logical_id).update(
                {key: before[key] for key in ("ResourceStatus", "Timestamp") if key in before}
            )
            return
        _let_go(stack_id, logical_id)
    if logical_id in current.made and status in ("UPDATE_COMPLETE", "UPDATE_FAILED"):
        status = status.replace("UPDATE", "CREATE")
        if status == "CREATE_COMPLETE":
            _record(stack_name, logical_id)["ResourceStatus"] = status
    if status.endswith("_FAILED"):
        current.failed.append(logical_id)
    _write(stack_id, stack_name, logical_id, kind, status, reason, physical_id, detailed_status)


def _about_stack(
    stack_id, stack_name, logical_id, kind, status, reason, physical_id, detailed_status
) -> None:
    before = _operations.get(stack_id)
    if status in _BEGINS or before is None:
        _operations[stack_id] = Operation()
    if status == "ROLLBACK_IN_PROGRESS" and before is not None and before.failed:
        names = ", ".join(before.failed)
        reason = f"The following resource(s) failed to create: [{names}]. Rollback requested by user."
    if status == "UPDATE_COMPLETE" and before is not None and not before.tidying:
        _write(stack_id, stack_name, logical_id, kind, _CLEANUP, "", physical_id, "")
    _write(stack_id, stack_name, logical_id, kind, status, reason, physical_id, detailed_status)
    if status in ("ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS") and before is not None:
        for name, its_kind, its_id, props in before.left:
            _write(stack_id, stack_name, name, its_kind, "DELETE_IN_PROGRESS", "", its_id, "")
            _delete(its_kind, its_id, props, stack_name, name)
            _write(stack_id, stack_name, name, its_kind, "DELETE_COMPLETE", "", its_id, "")


def _write(stack_id, stack_name, logical_id, kind, status, reason, physical_id, detailed_status) -> None:
    _add(stack_id, stack_name, logical_id, kind, status, reason, physical_id, detailed_status)
    _stack_events[stack_id][-1]["OperationId"] = _operations.setdefault(stack_id, Operation()).id


def _let_go(stack_id: str, logical_id: str) -> None:
    """An update that was held back does begin."""
    held = _operations[stack_id].held.pop(logical_id, None)
    if held is not None:
        _write(*held[0])


def _record(stack_name: str, logical_id: str) -> dict[str, Any]:
    return _stacks[stack_name].get("_resources", {}).get(logical_id, {})


# --- Resources ---


def provision(kind, logical_id, props, stack_name):
    """Makes a resource, or fails and waits as ordered."""
    stack_id = _stacks[stack_name]["StackId"]
    current = _operations.setdefault(stack_id, Operation())
    if logical_id in current.held:
        current.made.add(logical_id)
        arguments = list(current.held.pop(logical_id)[0])
        arguments[4] = "CREATE_IN_PROGRESS"
        _write(*arguments)
    _fail(logical_id, "CREATE")
    stopping = _stopping(kind, logical_id)
    with tasks.unsteady(stopping is not None):
        physical_id, attributes = _provision(kind, logical_id, props, stack_name)
    _write(stack_id, stack_name, logical_id, kind, "CREATE_IN_PROGRESS", _INITIATED, physical_id, "")
    try:
        _wait(logical_id, "CREATE")
        _stop_tasks(stopping, kind, physical_id)
    except Exception:
        current.left.append((logical_id, kind, physical_id, props))
        raise
    return physical_id, attributes


def update(kind, physical_id, old, new, stack_name, logical_id=None, attributes=None):
    """Changes a resource, or fails and waits as ordered; denies what the stack's policy denies."""
    if old == new:
        return _update(kind, physical_id, old, new, stack_name, logical_id, attributes)
    stack = _stacks[stack_name]
    rolling = "ROLLBACK" in stack["StackStatus"]
    if not rolling:
        _let_go(stack["StackId"], logical_id)
        action = "Update:Replace" if provisioners._replacing_change(kind, old, new) else "Update:Modify"
        denied(stack, logical_id, kind, action)
    _fail(logical_id, "ROLLBACK" if rolling else "UPDATE")
    stopping = None if rolling else _stopping(kind, logical_id)
    with tasks.unsteady(stopping is not None):
        found = _update(kind, physical_id, old, new, stack_name, logical_id, attributes)
    try:
        _wait(logical_id, "ROLLBACK" if rolling else "UPDATE")
        _stop_tasks(stopping, kind, found[0])
    except Exception:
        _update(kind, physical_id, new, old, stack_name, logical_id, attributes)
        tasks.settle(physical_id)
        raise
    return found


def delete(kind, physical_id, props, stack_name=None, logical_id=None):
    """Deletes a resource, or fails and waits as ordered; tells of deletions after an update, which ministack
    does in silence."""
    stack = _stacks.get(stack_name) or {}
    stack_id, status = stack.get("StackId", ""), stack.get("StackStatus", "")
    tidying = status in ("UPDATE_IN_PROGRESS", _CLEANUP)
    if tidying:
        current = _operations[stack_id]
        if not current.tidying:
            current.tidying, stack["StackStatus"] = True, _CLEANUP
            _write(stack_id, stack_name, stack_name, STACK, _CLEANUP, "", stack_id, "")
        _write(stack_id, stack_name, logical_id, kind, "DELETE_IN_PROGRESS", "", physical_id, "")
    _wait(logical_id, "DELETE")
    _fail(logical_id, "ROLLBACK" if "ROLLBACK" in status else "DELETE")
    _delete(kind, physical_id, props, stack_name, logical_id)
    if tidying:
        _write(stack_id, stack_name, logical_id, kind, "DELETE_COMPLETE", "", physical_id, "")


def _fail(logical_id: str, operation: str) -> None:
    order = orders.find("fail", logical_id=logical_id, operation=operation)
    if order is None:
        return
    _wait(logical_id, operation)
    orders.follow("fail", logical_id=logical_id, operation=operation)
    raise ValueError(order["reason"])


def _wait(logical_id: str, operation: str) -> None:
    for kind in ("delay", "hold"):
        order = orders.follow(kind, logical_id=logical_id, operation=operation)
        if order is not None:
            orders.wait(order)


def _stopping(kind: str, logical_id: str) -> orders.Order | None:
    return orders.follow("stop_tasks", logical_id=logical_id) if kind == SERVICE else None


def _stop_tasks(order: orders.Order | None, kind: str, physical_id: str) -> None:
    """A service's deployment goes to its end: a good one, or as ordered."""
    if order is not None:
        tasks.stop(physical_id, order)
        orders.wait(order)
        if order["breaks"]:
            raise ValueError(
                "Resource handler returned message: \"Error occurred during operation 'ECS Deployment Circuit "
                f"Breaker was triggered'.\" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: "
                "GeneralServiceException)"
            )
    elif kind == SERVICE:
        tasks.settle(physical_id)


# --- The stack's policy ---


def denied(stack: dict[str, Any], logical_id: str, kind: str, action: str) -> None:
    """Raises ValueError where the stack's policy denies an action (CloudFormation user guide, "Prevent
    updates to stack resources": with a policy nothing is allowed that no statement allows, and a denial
    wins)."""
    if not stack.get("_stack_policy"):
        return
    allowed = False
    listed = json.loads(stack["_stack_policy"]).get("Statement", [])
    for number, one in enumerate(listed if isinstance(listed, list) else [listed], 1):
        if not _applies(one, logical_id, kind, action):
            continue
        if one.get("Effect") == "Deny":
            raise ValueError(
                f"Action denied by stack policy: Statement [#{number}] does not allow "
                f"[{', '.join(_texts(one.get('Action')))}] for resource "
                f"[{', '.join(_texts(one.get('Resource')))}]"
            )
        allowed = True
    if not allowed:
        raise ValueError("Action not allowed by stack policy")


def _applies(statement: dict[str, Any], logical_id: str, kind: str, action: str) -> bool:
    name = f"LogicalResourceId/{logical_id}"
    for key, value, ignoring_case in (("Action", action, True), ("Resource", name, False)):
        meant = _matches(value, statement.get(key, statement.get(f"Not{key}")), ignoring_case)
        if meant is (key not in statement):
            return False
    for test, wanted in statement.get("Condition", {}).items():
        if test in ("StringEquals", "StringLike") and not _matches(kind, wanted.get("ResourceType"), False):
            return False
    return True


def _matches(value: str, patterns: Any, ignoring_case: bool) -> bool:
    turned = str.lower if ignoring_case else str
    return any(fnmatch.fnmatchcase(turned(value), turned(one)) for one in _texts(patterns))


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [] if value is None else [str(value)]


async def deploy(
    stack_name,
    stack_id,
    template,
    param_values,
    disable_rollback,
    tags,
    is_update=False,
    previous_stack=None,
    retain_except_on_create=False,
    imports=None,
):
    """A deployment; where the stack's policy denies a deletion it isn't begun."""
    stack = _stacks[stack_name]
    if is_update and previous_stack:
        wanted = template.get("Resources", {})
        for logical_id, one in previous_stack["_resources"].items():
            if logical_id in wanted:
                continue
            try:
                denied(stack, logical_id, one["ResourceType"], "Update:Delete")
            except ValueError as error:
                event(
                    stack_id,
                    stack_name,
                    logical_id,
                    one["ResourceType"],
                    "UPDATE_FAILED",
                    str(error),
                    one["PhysicalResourceId"],
                )
                operation = stacks._failed_operation(
                    True,
                    previous_stack,
                    [],
                    None,
                    logical_id,
                    [],
                    False,
                    template,
                    param_values,
                    False,
                    tags,
                    previous_stack.get("Tags") or [],
                )
                await stacks._roll_back_operation(stack_name, stack_id, stack, operation)
                return
    if not is_update:
        stack["Description"] = template.get("Description", "")
    await _deploy(
        stack_name,
        stack_id,
        template,
        param_values,
        disable_rollback,
        tags,
        is_update=is_update,
        previous_stack=previous_stack,
        retain_except_on_create=retain_except_on_create,
        imports=imports,
    )


def set_status(stack: str, status: str, reason: str) -> None:
    """Puts a stack into a state, and tells it as an event."""
    found = _stacks[stack]
    found.update(StackStatus=status, StackStatusReason=reason, LastUpdatedTime=now_iso())
    event(found["StackId"], stack, stack, STACK, status, reason, found["StackId"])
