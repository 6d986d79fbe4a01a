"""Rules that concern several keys at once, each saying what would go wrong in AWS or in Keycloak and what to write.

A rule names the keys it reads, so that it is left out while one of them is wrong by itself. Rules yield complaints;
where they stand in which file is the loader's business.
"""

from __future__ import annotations

from generator.params.rules import balancer, certificates, database, keycloak, network, options, service, whole  # noqa: F401
from generator.params.rules.base import RULES, Complaint

__all__ = ["RULES", "Complaint"]
