"""Orders come in and calls are told, over HTTP, below /_cloakform/.

POST   /_cloakform/orders?account=A   an order, as JSON; answers {"id": number}
GET    /_cloakform/orders?account=A   the orders for A, each with how often it was `followed`
DELETE /_cloakform/orders?account=A   forgets them (&id=N: that one)
GET    /_cloakform/calls?account=A    the calls of A, in order: {"operation", "parameters"}
DELETE /_cloakform/calls?account=A    forgets them
POST   /_cloakform/do?account=A&region=R   something to be done at once, as JSON with its `kind`
"""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs

from ministack.core.responses import set_request_account_id, set_request_region

from . import operations, orders, tasks

_ROOT = "/_cloakform/"
_SCOPE = re.compile(r"Credential=([^/,]+)/\d+/[^/]+/([^/]+)/")
_LONGEST = 1 << 20
_calls: list[dict] = []

DEEDS = {"status": operations.set_status, "rds_event": tasks.rds_event}


def wrapped(application):
    """The application, with orders and calls before it."""

    async def answer(scope, receive, send):
        if scope["type"] != "http":
            await application(scope, receive, send)
        elif scope["path"].startswith(_ROOT):
            body = await _body(receive)
            told = _control(
                scope["method"], scope["path"][len(_ROOT) :], scope["query_string"].decode(), body
            )
            status, content = (404, {"error": "no such thing"}) if told is None else (200, told)
            await send(
                {
                    "type": "http.response.start",
                    "status": status,
                    "headers": [(b"content-type", b"application/json")],
                }
            )
            await send({"type": "http.response.body", "body": json.dumps(content, default=str).encode()})
        else:
            await application(scope, _noted(scope, receive), send)

    return answer


def _control(method: str, what: str, query: str, body: bytes):
    asked = {key: values[0] for key, values in parse_qs(query).items()}
    account = asked.get("account", "")
    if (method, what) == ("POST", "orders"):
        return {"id": orders.add(account, json.loads(body))}
    if (method, what) == ("GET", "orders"):
        return orders.listed(account)
    if (method, what) == ("DELETE", "orders"):
        orders.remove(account, int(asked["id"]) if "id" in asked else None)
        return {}
    if (method, what) == ("GET", "calls"):
        return [one for one in _calls if account in ("", one["account"])]
    if (method, what) == ("DELETE", "calls"):
        _calls[:] = [one for one in _calls if account not in ("", one["account"])]
        return {}
    if (method, what) == ("POST", "do"):
        order = json.loads(body)
        set_request_account_id(account)
        set_request_region(asked["region"])
        DEEDS[order.pop("kind")](**order)
        return {}
    return None


async def _body(receive) -> bytes:
    found = b""
    while True:
        message = await receive()
        found += message.get("body", b"")
        if not message.get("more_body"):
            return found


def _noted(scope, receive):
    """`receive`, which notes the call when its whole body has been read."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    who = _SCOPE.search(headers.get("authorization", ""))
    if who is None:
        return receive
    read: list[bytes] = []

    async def noting():
        message = await receive()
        if message["type"] == "http.request":
            if sum(map(len, read)) < _LONGEST:
                read.append(message.get("body", b""))
            if not message.get("more_body"):
                _note(who[1], who[2], scope, headers, b"".join(read))
        return message

    return noting


def _note(account: str, service: str, scope, headers: dict[str, str], body: bytes) -> None:
    target = headers.get("x-amz-target", "")
    try:
        if target:
            name, parameters = target.rsplit(".", 1)[-1], json.loads(body or b"{}")
        else:
            parameters = {key: values[0] for key, values in parse_qs(body.decode()).items()}
            name = parameters.pop("Action", f"{scope['method']} {scope['path']}")
    except ValueError:
        name, parameters = f"{scope['method']} {scope['path']}", {}
    _calls.append({"account": account, "operation": f"{service}:{name}", "parameters": parameters})
