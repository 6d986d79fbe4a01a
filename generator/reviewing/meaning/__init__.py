"""What changes mean for Keycloak and for those who run it, in words."""

from __future__ import annotations

from generator.reviewing.meaning.base import Consequence, Reading
from generator.reviewing.meaning.costs import costs
from generator.reviewing.meaning.keycloak import keycloak
from generator.reviewing.meaning.listening import listening
from generator.reviewing.meaning.permissions import permissions
from generator.reviewing.meaning.reaching import reaching
from generator.reviewing.meaning.refusals import refusals

__all__ = ["Consequence", "Reading", "costs", "keycloak", "listening", "permissions", "reaching", "refusals"]
