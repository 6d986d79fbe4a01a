"""Names of balancers and target groups."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.checks.balancing import BALANCER, TARGET_GROUP
from generator.linting.checks.base import text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class BalancerNames(Rule):
    """Load balancers and target groups have names of 32 letters, digits and hyphens, as the
    names become DNS names.
    """

    id = "E9543"
    shortdesc = "Names of load balancers and target groups are ones AWS takes"
    source_url = (
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html"
    )

    def hits(self, view: View) -> Iterator[Hit]:
        for resource in view.document.of_type(BALANCER, TARGET_GROUP):
            name = text(resource.properties.get("Name"))
            path = (*resource.path, "Properties", "Name")
            if name is None:
                continue
            if len(name) > 32:
                yield Hit(path, f"{name!r} has {len(name)} characters, AWS takes 32")
            elif not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?", name):
                yield Hit(
                    path, f"{name!r} has other characters than letters, digits and hyphens between them"
                )
            elif resource.type == BALANCER and name.startswith("internal-"):
                yield Hit(path, f"{name!r} starts with internal-, which AWS keeps for itself")
