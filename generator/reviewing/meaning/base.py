"""A consequence, and a template with what is known around it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from generator.document import Document, Resource
from generator.resolving import Place, Resolver
from generator.reviewing.artefact import Artefact

DANGER, WARNING, NOTE = "danger", "warning", "note"
"""How much it matters, the gravest first."""

SERVICE, TASK = "AWS::ECS::Service", "AWS::ECS::TaskDefinition"
BALANCER, LISTENER = "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancingV2::Listener"
GROUP = "AWS::EC2::SecurityGroup"


@dataclass(frozen=True)
class Consequence:
    """One thing that a change means."""

    topic: str
    """Stack, Keycloak, Network, Permissions or Cost."""
    weight: str
    """danger, warning or note."""
    text: str
    """What it means, without a full stop."""
    logical_id: str = ""
    """The resource that it is about; empty where it is about several."""
    do: str = ""
    """What to do about it, as a sentence; empty if nothing."""
    source: str = ""
    opens: str = ""
    """What is opened to the whole internet, as the path that an allowance may name
    (`AdminRule1.Conditions`).
    """


@dataclass(frozen=True, eq=False)
class Reading:
    """A template with what is known about where it is deployed."""

    artefact: Artefact
    document: Document
    resolver: Resolver

    @classmethod
    def of(cls, artefact: Artefact) -> Reading:
        """An artefact as it is read here."""
        side = artefact.side()
        return cls(artefact, side.document, side.resolver)

    def resources(self, *types: str) -> list[Resource]:
        """The resources of the given types that the stack will have."""
        return self.resolver.resources(*types)

    def properties(self, resource: Resource) -> Place:
        """A resource's properties."""
        return self.resolver.properties(resource)


def plural(count: int, word: str, words: str = "") -> str:
    """`1 task`, `3 tasks`."""
    return f"{count} {word if count == 1 else words or word + 's'}"


def listed(names) -> str:
    """`a`, `a and b`, `a, b and c`; no more than six of them."""
    names = list(names)
    if len(names) > 6:
        names = [*names[:5], f"{len(names) - 5} more"]
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def shown_value(place: Place) -> str:
    """A value as one reads it."""
    value = place.value
    return re.sub(r"\s+", " ", str(value)) if value is not None else ""
