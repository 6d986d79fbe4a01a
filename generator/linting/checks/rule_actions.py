"""What listeners do with a request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from generator.document import Path
from generator.linting.checks.balancing import BALANCER, LISTENER, RULE, actions, forwards
from generator.linting.checks.base import is_function, items, mapping, text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

_API = "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/"

_FINAL = ("forward", "redirect", "fixed-response")


class ActionShape(Rule):
    """Every rule ends in one forward, redirect or fixed response, and the action says whereto or what."""

    id = "E9538"
    shortdesc = "A listener's actions are complete"
    source_url = _API + "API_Action.html"

    content_types = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")

    def hits(self, view: View) -> Iterator[Hit]:
        for router in view.document.of_type(LISTENER, RULE):
            found = actions(router)
            final = [path for path, action in found if action.get("Type") in _FINAL]
            if len(final) > 1:
                yield Hit(
                    final[1], "a second action that ends the rule; forward, redirect and fixed-response do"
                )
            if found and not final and all(text(action.get("Type")) for _, action in found):
                yield Hit(found[-1][0], "no forward, redirect or fixed-response ends the rule")
            for path, action in found:
                yield from self._action(path, action)

    def _action(self, path: Path, action: dict[str, Any]) -> Iterator[Hit]:
        kind = action.get("Type")
        if kind == "forward" and "TargetGroupArn" not in action and "ForwardConfig" not in action:
            yield Hit(path, "forwards to no target group", "write TargetGroupArn")
        if kind == "fixed-response":
            if "FixedResponseConfig" not in action:
                yield Hit(path, "a fixed response without FixedResponseConfig")
            content = text(mapping(action, "FixedResponseConfig").get("ContentType"))
            if content is not None and content not in self.content_types:
                message = f"{content}: AWS takes {', '.join(self.content_types)}"
                yield Hit((*path, "FixedResponseConfig", "ContentType"), message)
        if kind == "redirect":
            redirect = action.get("RedirectConfig", {})
            if not isinstance(redirect, dict) or is_function(redirect):
                return
            # What isn't said stays as it was, which is what these placeholders say too.
            same = {"Protocol": "#{protocol}", "Host": "#{host}", "Port": "#{port}", "Path": "/#{path}"}
            if all(redirect.get(key, unchanged) == unchanged for key, unchanged in same.items()):
                message = "redirects to where it comes from, for ever"
                yield Hit((*path, "RedirectConfig"), message, "change Protocol, Host, Port or Path")


class ListenerCertificates(Rule):
    """A listener takes its default certificate here; further ones are ListenerCertificate resources."""

    id = "E9539"
    shortdesc = "A listener has one certificate"
    source_url = _API + "API_CreateListener.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for listener in view.document.of_type(LISTENER):
            certificates = items(listener.properties, "Certificates")
            if len(certificates) > 1:
                path = (*listener.path, "Properties", "Certificates", certificates[1][0])
                fix = "add it with an AWS::ElasticLoadBalancingV2::ListenerCertificate"
                yield Hit(path, f"{len(certificates)} certificates, a listener takes one here", fix)


class GroupOfOneBalancer(Rule):
    """A target group belongs to one balancer.

    CreateListener answers "The following target groups cannot be associated with more
    than one load balancer".
    """

    id = "E9540"
    shortdesc = "A target group is behind one load balancer"
    source_url = (
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html"
    )

    def hits(self, view: View) -> Iterator[Hit]:
        seen: dict[str, list[tuple[str, frozenset[str]]]] = {}
        balancers = {balancer.logical_id for balancer in view.document.of_type(BALANCER)}
        for path, balancer, group, needed in forwards(view.document):
            before = seen.setdefault(group.logical_id, [])
            if balancer not in balancers:
                continue
            # Two under different conditions may never be there together.
            others = [name for name, its in before if name != balancer and (its <= needed or needed <= its)]
            if others:
                message = f"{group.logical_id} is behind {others[0]} already"
                yield Hit(path, message, f"give {balancer} a target group of its own")
            before.append((balancer, needed))
