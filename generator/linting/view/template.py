"""The template as a whole: one view for all rules, each part of it worked out when a rule first asks for
it."""

from __future__ import annotations

from functools import cached_property

from generator.document import Document
from generator.errors import CatalogError
from generator.keycloak.version import parse
from generator.linting.view import databases, keycloak, services
from generator.linting.view.balancers import Balancers
from generator.linting.view.databases import Database
from generator.linting.view.discovery import Discovery
from generator.linting.view.firewall import Firewall
from generator.linting.view.keycloak import Keycloak
from generator.linting.view.services import SERVICE, TASK, Scaling, Service
from generator.resolving import Resolver

# Transforms that add nothing which rules would miss.
_HARMLESS = ("AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16", "AWS::LanguageExtensions")


class View:
    """A template as rules see it.

    A parameter's default is taken for its value, since that is what is deployed unless somebody says
    otherwise; a parameter without one, an import, a dynamic reference and a condition that depends on them
    aren't known.
    """

    def __init__(
        self, document: Document, *, region: str = "", keycloak_version: str = "", running: bool = False
    ):
        """`keycloak_version` (`26.7.4`) wins over what image tags say; empty where nobody gives one, and
        anything that is no version counts as none. `running`: the document is what AWS describes, so that
        all of it is there already."""
        self.document = document
        self.region = region
        self.running = running
        self.keycloak_version = keycloak_version if _is_version(keycloak_version) else ""

    @cached_property
    def resolver(self) -> Resolver:
        """Works out values and places of the document."""
        return Resolver(self.document, region=self.region)

    @cached_property
    def whole(self) -> bool:
        """Whether the template shows every resource that the stack will have: no macro, no include, no
        loop."""
        data = self.document.data
        named = data.get("Transform", [])
        transforms = named if isinstance(named, list) else [named]
        if any(not isinstance(one, str) or one not in _HARMLESS for one in transforms):
            return False
        section = data.get("Resources")
        keys = section.keys() if isinstance(section, dict) else ()
        return not any(str(key).startswith("Fn::") for key in keys) and "Fn::Transform" not in data

    @cached_property
    def keycloaks(self) -> tuple[Keycloak, ...]:
        """The containers that run Keycloak; none in a template without task definitions."""
        return tuple(keycloak.find(self)) if self.document.of_type(TASK) else ()

    @cached_property
    def services(self) -> dict[str, Service]:
        """Logical id -> ECS service."""
        found = self.resolver.resources(SERVICE)
        return {one.logical_id: Service(one, self.resolver.properties(one), self) for one in found}

    def scaling_of(self, service: Service) -> Scaling | None:
        """What scales a service."""
        return services.scaling_of(self, service)

    @cached_property
    def firewall(self) -> Firewall:
        """Its security groups."""
        return Firewall(self)

    @cached_property
    def balancers(self) -> Balancers:
        """Its load balancers, listeners, rules and target groups."""
        return Balancers(self)

    @cached_property
    def discovery(self) -> Discovery:
        """Its Cloud Map services."""
        return Discovery(self)

    @cached_property
    def databases(self) -> dict[str, Database]:
        """Logical id -> RDS instance, Aurora cluster or proxy."""
        return databases.databases(self)


def _is_version(text: str) -> bool:
    try:
        return bool(text) and bool(parse(text))
    except (CatalogError, ValueError):  # also a number of thousands of digits
        return False
