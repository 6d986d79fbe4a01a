"""A template as rules see it: Keycloak containers, what they are told, and what stands around them.

Every part is worked out once, when a rule first asks for it. Nothing here raises on odd input, and nothing
guesses: what can't be told is None (`True` and `False` are sure), an empty tuple, or an `Unknown` of the
resolver.
"""

from __future__ import annotations

from generator.linting.view.balancers import (
    Attributes,
    Condition,
    Decision,
    Listener,
    LoadBalancer,
    TargetGroup,
)
from generator.linting.view.command import Command
from generator.linting.view.databases import Database, Jdbc
from generator.linting.view.discovery import Entry, Registration
from generator.linting.view.firewall import Firewall, Party, Permission
from generator.linting.view.image import Image
from generator.linting.view.keycloak import Keycloak
from generator.linting.view.roles import Role, Statement
from generator.linting.view.services import Scaling, Service, Target
from generator.linting.view.settings import Options, Setting
from generator.linting.view.template import View

__all__ = [
    "Attributes",
    "Command",
    "Condition",
    "Database",
    "Decision",
    "Entry",
    "Firewall",
    "Image",
    "Jdbc",
    "Keycloak",
    "Listener",
    "LoadBalancer",
    "Options",
    "Party",
    "Permission",
    "Registration",
    "Role",
    "Scaling",
    "Service",
    "Setting",
    "Statement",
    "Target",
    "TargetGroup",
    "View",
]
