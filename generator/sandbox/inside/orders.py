"""What was ordered, by account. An order without an account is for all of them."""

from __future__ import annotations

import itertools
import threading
from typing import Any

from ministack.core.responses import get_account_id

Order = dict[str, Any]
"""`id`, `account`, `kind` and what the kind needs; `times` is how often it may still be followed (None:
always), `followed` how often it was."""

_orders: list[Order] = []
_ids = itertools.count(1)
_changed = threading.Condition()


def add(account: str, order: Order) -> int:
    """Takes an order; later ones come after earlier ones."""
    with _changed:
        made = {"times": None, **order, "account": account, "id": next(_ids), "followed": 0}
        _orders.append(made)
        return made["id"]


def remove(account: str, number: int | None = None) -> None:
    """Forgets one order, or all of an account's; all there are without an account. Whoever waits goes on."""
    with _changed:
        _orders[:] = [
            one
            for one in _orders
            if not (one["id"] == number if number is not None else account in ("", one["account"]))
        ]
        _changed.notify_all()


def listed(account: str) -> list[Order]:
    """The orders for an account."""
    with _changed:
        return [dict(one) for one in _orders if one["account"] in ("", account)]


def find(kind: str, **wanted: Any) -> Order | None:
    """The first order of a kind, for the account that is asking, whose members are as wanted; not followed
    yet."""
    account = get_account_id()
    for one in _orders:
        if (
            one["kind"] == kind
            and one["account"] in ("", account)
            and one["times"] != 0
            and all(one.get(key) in (value, None, "") for key, value in wanted.items())
        ):
            return one
    return None


def follow(kind: str, **wanted: Any) -> Order | None:
    """As `find`, and counts that it was followed."""
    with _changed:
        found = find(kind, **wanted)
        if found is not None:
            found["followed"] += 1
            if found["times"] is not None:
                found["times"] -= 1
        return found


def slow() -> bool:
    """Whether something may have to wait: then it can't run where requests are answered."""
    return any(find(kind) for kind in ("delay", "hold", "stop_tasks"))


def wait(order: Order) -> None:
    """Waits as an order says: `seconds`, or until it is taken back. One that is taken back waits no
    longer."""
    with _changed:
        _changed.wait_for(lambda: order not in _orders, order.get("seconds"))
