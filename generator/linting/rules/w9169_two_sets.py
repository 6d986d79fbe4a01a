"""W9169: two sets of nodes in one cluster."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak
from generator.linting.view.services import Service
from generator.resolving import Place

_CONTROLLERS = ("CODE_DEPLOY", "EXTERNAL")
_STRATEGIES = ("BLUE_GREEN", "LINEAR", "CANARY")


class TwoSets(KeycloakRule):
    """Blue/green deployments put two whole sets of nodes into one cluster.

    Both sets have the same database and find each other, by DNS or through the database, so they form one
    cluster. Two versions may not do that, except for patch levels of one line from 26.6 on: nodes fail to
    read each other's caches, and the old ones run on a database that the new one has migrated. Even with one
    version all old nodes leave together, and what only they held is lost.

    Bad:

        Service:
          Properties:
            DeploymentConfiguration: {Strategy: BLUE_GREEN}

    Bad (CodeDeploy):

        Service:
          Properties:
            DeploymentController: {Type: CODE_DEPLOY}

    Good:

        Service:
          Properties:
            DeploymentController: {Type: ECS}
    """

    id = "W9169"
    shortdesc = "Deployments are rolling, one set of nodes at a time"
    source_url = "https://www.keycloak.org/server/update-compatibility"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.clustered is False:
            return
        for service in keycloak.services:
            for place, kinds in _choices(service):
                if place.text in kinds:
                    yield Hit.at(
                        place,
                        f"old and new nodes form one cluster on one database during a {place.text} "
                        "deployment: two versions "
                        "can't, and all old nodes leave at once",
                        "deploy rolling: Type: ECS, MinimumHealthyPercent: 100 and a MaximumPercent for one "
                        "more task",
                    )


def _choices(service: Service) -> Iterator[tuple[Place, tuple[str, ...]]]:
    yield service.properties["DeploymentController"]["Type"], _CONTROLLERS
    yield service.properties["DeploymentConfiguration"]["Strategy"], _STRATEGIES
