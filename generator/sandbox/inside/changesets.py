"""Change sets as AWS describes them: with values before and after, in pages, and as on a bad day."""

from __future__ import annotations

import copy
import json
import uuid
from typing import Any

from ministack.core.responses import now_iso
from ministack.services.cloudformation import _change_sets, _stacks, handlers
from ministack.services.cloudformation.engine import _NO_VALUE, _evaluate_conditions, _resolve_refs
from ministack.services.cloudformation.helpers import _error, _p

from . import orders, refusing, xml

_LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"
"""AWS' word for a value that is known only once the change set has run."""
_INCOMPLETE = (
    "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet "
    "creation failed for resource [{names}] because: Template error"
)
_VALIDATED = (
    "The following hook(s)/validation failed: [AWS::EarlyValidation::{name}]. To troubleshoot Early "
    "Validation errors, use the DescribeEvents API for detailed failure information."
)


def install() -> None:
    """Wraps making, describing and explaining change sets."""
    actions = handlers._ACTION_HANDLERS
    make, describe, explain = (
        actions[name] for name in ("CreateChangeSet", "DescribeChangeSet", "DescribeEvents")
    )
    actions["CreateChangeSet"] = lambda params: _made(make, params)
    actions["DescribeChangeSet"] = lambda params: _described(describe, params)
    actions["DescribeEvents"] = lambda params: _explained(explain, params)


def _made(handler, params):
    known = set(_change_sets)
    told = handler(params)
    new = [_change_sets[one] for one in _change_sets if one not in known]
    if not new:
        return told
    made = new[0]
    pending = orders.follow("pending_change_set")
    if pending is not None:
        made["_pending"] = pending["describes"]
    order = orders.follow("fail_change_set")
    if order is not None:
        reason = order["reason"]
        if order["validation"]:
            reason = reason or _VALIDATED.format(name=order["validation"][0]["name"])
            made["_events"] = [_validation(made, one) for one in order["validation"]]
        made.update(Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=reason, Changes=[])
    return told


def _validation(made: dict[str, Any], one: dict[str, Any]) -> dict[str, str]:
    return {
        "EventId": str(uuid.uuid4()),
        "StackId": made["StackId"],
        "OperationId": made["ChangeSetId"],
        "OperationType": "CREATE_CHANGESET",
        "OperationStatus": "FAILED",
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": one["logical_id"],
        "ResourceType": one["type"],
        "Timestamp": now_iso(),
        "ValidationFailureMode": "FAIL",
        "ValidationName": one["name"],
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": one["reason"],
        "ValidationPath": one["path"],
    }


def _described(handler, params):
    found = refusing._found(params)
    told = handler({**params, "ChangeSetName": [found["ChangeSetId"]]} if found else params)
    if told[0] != 200:
        return told
    root = xml.read(told[2])
    result = xml.find(root, "DescribeChangeSetResult")
    changes = xml.find(result, "Changes")
    if found.get("_pending"):
        found["_pending"] -= 1
        xml.put(result, "Status", "CREATE_IN_PROGRESS")
        xml.put(result, "ExecutionStatus", "UNAVAILABLE")
        xml.put(result, "StatusReason", "")
        changes.clear()
        return told[0], told[1], xml.written(root)
    if _p(params, "IncludePropertyValues").lower() == "true":
        values = Values(found)
        for member in xml.members(root, "Changes"):
            values.add(xml.find(member, "ResourceChange"))
        order = orders.follow("drop_changes")
        if order is not None:
            for member in list(changes):
                if xml.text(xml.find(member, "ResourceChange"), "LogicalResourceId") in order["logical_ids"]:
                    changes.remove(member)
            xml.put(result, "StatusReason", _INCOMPLETE.format(names=", ".join(order["logical_ids"])))
    pages = orders.find("pages")
    if pages is not None:
        token = _p(params, "NextToken")
        if token and not token.isdigit():
            return _error("ValidationError", "Invalid NextToken")
        begin = int(token or 0)
        listed = list(changes)
        for member in listed[:begin] + listed[begin + pages["size"] :]:
            changes.remove(member)
        if begin + pages["size"] < len(listed):
            xml.add(result, "NextToken", str(begin + pages["size"]))
    return told[0], told[1], xml.written(root)


def _explained(handler, params):
    name = _p(params, "ChangeSetName")
    found = refusing._found(params) if name else None
    if found is None:
        return handler(params)
    members = "".join(
        "<member>"
        + "".join(f"<{key}>{handlers._esc(value)}</{key}>" for key, value in one.items())
        + "</member>"
        for one in found.get("_events", ())
    )
    return handlers._xml(
        200,
        "DescribeEventsResponse",
        f"<DescribeEventsResult><OperationEvents>{members}</OperationEvents></DescribeEventsResult>",
    )


class Values:
    """The properties of a change set's resources before and after it."""

    def __init__(self, found: dict[str, Any]):
        self._set = found
        self._stack = _stacks[found["StackName"]]
        self._new = found["_template"].get("Resources", {})
        self._conditions = _evaluate_conditions(found["_template"], found["_resolved_params"])
        self._later = {
            change["ResourceChange"]["LogicalResourceId"]
            for change in found["Changes"]
            if change["ResourceChange"]["Action"] in ("Add", "Import")
            or change["ResourceChange"].get("Replacement") in ("True", "Conditional")
        }

    def add(self, change: xml.Element) -> None:
        """Adds BeforeContext and AfterContext to a change, and the values to its details."""
        name, action = xml.text(change, "LogicalResourceId"), xml.text(change, "Action")
        before, after = self._before(name), self._after(name)
        if action != "Add":
            xml.add(change, "BeforeContext", _text(before))
        if action != "Remove":
            xml.add(change, "AfterContext", _text(after))
        for detail in xml.members(change, "Details"):
            target = xml.find(detail, "Target")
            attribute, key = xml.text(target, "Attribute"), xml.text(target, "Name")
            sides = [one.get(attribute, {}) for one in (before, after)]
            if key:
                sides = [one.get(key) if isinstance(one, dict) else None for one in sides]
            xml.add(target, "Path", "/".join(("", attribute, *([key] if key else ()))))
            for tag, value in zip(("BeforeValue", "AfterValue"), sides, strict=True):
                if value is not None:
                    xml.add(target, tag, value if isinstance(value, str) else _text(value))
            xml.add(
                target,
                "AttributeChangeType",
                "Add" if sides[0] is None else "Remove" if sides[1] is None else "Modify",
            )

    def _before(self, name: str) -> dict[str, Any]:
        defined = self._stack.get("_template", {}).get("Resources", {}).get(name, {})
        had = self._stack.get("_resources", {}).get(name, {}).get("Properties", {})
        return {**_attributes(defined), "Properties": had}

    def _after(self, name: str) -> dict[str, Any]:
        defined = self._new.get(name, {})
        # A resource that changes itself has its own name later, too, but nothing in it refers to that.
        wanted = _resolve_refs(
            self._known(copy.deepcopy(defined.get("Properties") or {})),
            self._stack.get("_resources", {}),
            self._set["_resolved_params"],
            self._conditions,
            self._set["_template"].get("Mappings", {}),
            self._set["StackName"],
            self._set["StackId"],
        )
        return {
            **_attributes(defined),
            "Properties": {key: value for key, value in wanted.items() if value is not _NO_VALUE},
        }

    def _known(self, value: Any) -> Any:
        """The value, with what isn't known yet in AWS' word."""
        if isinstance(value, list):
            return [self._known(one) for one in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            function, argument = next(iter(value.items()))
            first = argument[0] if isinstance(argument, list) and argument else argument
            if function == "Ref" and argument in self._later:
                return _LATER
            if function == "Fn::GetAtt" and str(first).split(".")[0] in self._later:
                return _LATER
            if function == "Fn::Sub" and any(
                f"${{{name}}}" in str(first) or f"${{{name}." in str(first) for name in self._later
            ):
                return _LATER
        return {key: self._known(one) for key, one in value.items()}


def _attributes(defined: dict[str, Any]) -> dict[str, Any]:
    return {
        key: defined[key]
        for key in ("Metadata", "CreationPolicy", "UpdatePolicy", "DeletionPolicy", "UpdateReplacePolicy")
        if key in defined
    }


def _text(value: Any) -> str:
    return json.dumps(value, default=str)
