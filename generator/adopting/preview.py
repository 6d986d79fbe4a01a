"""What a draft of params renders to, before anybody has filled in the lines that wait.

Where a line waits, a value stands in that nobody has: what is told of the outcome leaves out whatever comes of
one of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from generator.adopting.draft import Draft
from generator.document import Document, parse
from generator.errors import CloakformError
from generator.keycloak.catalog import Catalog
from generator.params import describe
from generator.params.model import Settings
from generator.rendering import context
from generator.rendering.engine import Engine
from generator.rendering.tracking import track

TEMPLATES = Path(__file__).parents[2] / "templates"

STACK = "stack-that-is-there"
"""Stands in for the name of the stack, which a template doesn't tell."""

_STAND_INS: Mapping[str, Any] = {
    "account": "000000000000",
    "keycloak.hostname": "https://stand-in.invalid",
    "keycloak.admin.allow_from": ["192.0.2.0/24"],
    "network.existing.vpc": "vpc-00000000000000000",
    "network.existing.cidrs": ["192.0.2.0/24"],
    "network.existing.public_subnets": ["subnet-00000000000000001", "subnet-00000000000000002"],
    "network.existing.private_subnets": ["subnet-00000000000000003", "subnet-00000000000000004"],
    "network.existing.database_subnets": ["subnet-00000000000000005", "subnet-00000000000000006"],
    "load_balancer.certificate": "arn:aws:acm:eu-central-1:000000000000:certificate/00000000-0000",
    "load_balancer.hosted_zone": "Z000000000000000",
    "database.existing.host": "stand-in.invalid",
    "database.existing.secret": "arn:aws:secretsmanager:eu-central-1:000000000000:secret:none-000000",
    "database.existing.security_group": "sg-00000000000000000",
    "database.create.engine_version": "10.0",
}


class Preview:
    """Renders a draft as often as it changes. Templates are those of the folder `templates`."""

    def __init__(self, draft: Draft, catalog: Catalog, templates: Path | None = None):
        self._draft, self._catalog = draft, catalog
        self._engine = Engine(templates or TEMPLATES)

    def document(self, stack: str) -> Document | None:
        """What the draft renders to for a stack of that name, with the project's own logical ids; None where
        it doesn't render."""
        data = self._data()
        data.setdefault("stack", {}).pop("logical_ids", None)
        data["stack"]["name"] = stack
        try:
            settings = Settings.model_validate(data)
            names = context.build(track(settings), self._catalog, "adopted")
            names["sources"] = ""
            return parse(self._engine.render("keycloak.yaml.j2", names).text)
        except (ValidationError, CloakformError):
            return None

    def stand_ins(self) -> frozenset[str]:
        """Texts that show where a value comes of a line that waits."""
        return frozenset(self._made_up())

    def _made_up(self) -> Iterator[str]:
        for path, entry in self._draft.entries.items():
            if entry.value is None and (value := _STAND_INS.get(".".join(path))):
                for one in value if isinstance(value, list) else [value]:
                    yield one.removeprefix("https://")
                if path == ("database", "create", "engine_version"):
                    yield f"postgres{value.partition('.')[0]}"

    def _data(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for path, entry in self._draft.entries.items():
            node = found
            for step in path[:-1]:
                node = node.setdefault(step, {})
            node[path[-1]] = self._stand_in(path) if entry.value is None else entry.value
        return found

    def _stand_in(self, path: tuple[str, ...]) -> Any:
        if path == ("keycloak", "version"):
            return str(self._catalog.version)
        return _STAND_INS.get(".".join(path)) or describe.example_at(path).strip('"')
