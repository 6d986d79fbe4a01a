"""What keeps a stack from harm: termination protection and the stack policy."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from generator.aws import Connection

OPEN = {"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
"""What a stack may be updated like that has no policy: AWS can't take a policy away, only put another one."""


def policy(connection: Connection, stack_id: str) -> dict[str, Any] | None:
    """The stack policy; None where there is none. Raises AwsError or CredentialsError."""
    body = connection.ask("cloudformation", "get_stack_policy", StackName=stack_id).get("StackPolicyBody")
    if not body:
        return None
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def same(one: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> bool:
    """Whether two policies say the same; none says as much as OPEN."""
    return (one or OPEN) == (other or OPEN)


def set_policy(connection: Connection, stack_id: str, wanted: Mapping[str, Any] | None) -> None:
    """Makes it the stack's policy. Raises AwsError or CredentialsError."""
    connection.ask(
        "cloudformation", "set_stack_policy", StackName=stack_id, StackPolicyBody=json.dumps(wanted or OPEN)
    )


def protect(connection: Connection, stack_id: str, wanted: bool) -> None:
    """Sets termination protection. Raises AwsError or CredentialsError."""
    connection.ask(
        "cloudformation", "update_termination_protection", StackName=stack_id, EnableTerminationProtection=wanted
    )


def opened(wanted: Mapping[str, Any] | None, logical_ids: Iterable[str]) -> dict[str, Any] | None:
    """The policy without what it denies for some resources: an execution has no policy of its own, so what was
    allowed needs the stack's to give way for as long as it takes."""
    if wanted is None:
        return None
    names = {f"LogicalResourceId/{one}" for one in logical_ids}
    statements = []
    for one in wanted.get("Statement", ()):
        if isinstance(one, dict) and one.get("Effect") == "Deny":
            listed = one.get("Resource")
            listed = listed if isinstance(listed, list) else [listed]
            left = [each for each in listed if each not in names]
            if left == listed:
                statements.append(one)
            elif left:
                statements.append({**one, "Resource": left})
        else:
            statements.append(one)
    return {**wanted, "Statement": statements}
