"""W9057: an admin rule without a limit."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._admin import closing
from generator.linting.rules._balancer import admin_pages, may_bar
from generator.linting.view import Keycloak


class AdminFromAnywhere(KeycloakRule):
    """A rule lets the admin console through and doesn't say from where.

    The balancer faces the internet, and whether its security group lets everybody in can't be seen here: it
    is made elsewhere. A `source-ip` condition with the networks of your administrators holds whatever that
    group says, today and after somebody changes it.

    Bad:

        LoadBalancer:
          Properties:
            SecurityGroups: [sg-0a1b2c3d4e5f67890]
        AdminRule:
          Properties:
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/admin/*"]}}
              - {Field: source-ip, SourceIpConfig: ~}

    Good:

        LoadBalancer:
          Properties:
            SecurityGroups: [sg-0a1b2c3d4e5f67890]
        AdminRule:
          Properties:
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/admin/*"]}}
              - {Field: source-ip, SourceIpConfig: {Values: [203.0.113.0/24]}}
    """

    id = "W9057"
    shortdesc = "A rule for the admin console names the networks of administrators"
    source_url = "https://www.keycloak.org/server/configuration-production"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        prefix = keycloak.relative_path
        if prefix is None:
            return
        groups = tuple(one.name for one in keycloak.target_groups)
        for listener in keycloak.listeners:
            # Where the whole internet surely gets in, E9054 speaks.
            if listener.public is not None or listener.balancer is None or listener.balancer.public is not True:
                continue
            for what, page in admin_pages(keycloak).items():
                if may_bar(keycloak.view, listener.balancer, f"{prefix}{page}"):
                    continue
                for decision, host in listener.reached_by(f"{prefix}{page}", groups):
                    yield Hit(
                        decision.path,
                        f"{what} is open to whoever {listener.balancer.name}'s security groups let in: "
                        f"{decision.name} forwards {prefix}/admin/ from every address",
                        closing(keycloak, decision, host),
                    )
