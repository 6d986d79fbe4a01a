"""W9054: an admin host that is open to everybody on purpose."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._admin import openings
from generator.linting.view import Keycloak


class AdminOpened(KeycloakRule):
    """A rule says in so many words that everybody in the internet may reach the admin host.

    The admin console has a host of its own, and its rule names the sources: all there are. So somebody meant
    it, but everybody sees the console's login then: passwords are tried, and every hole in the admin REST API
    is a hole in the internet. Where administrators have no fixed addresses, give them a VPN and name its
    networks.

    On the public host, or where nobody names sources, it is E9054.

    Bad:

        AdminRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [admin.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/admin/*"]}}
              - {Field: source-ip, SourceIpConfig: {Values: [0.0.0.0/0]}}

    Good:

        AdminRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [admin.example.com]}}
              - {Field: path-pattern, PathPatternConfig: {Values: ["/admin/*"]}}
              - {Field: source-ip, SourceIpConfig: {Values: [203.0.113.0/24]}}
    """

    id = "W9054"
    shortdesc = "The admin host is for the networks of administrators"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for one in openings(keycloak):
            if one.meant:
                source = one.decision.of("source-ip")[0]
                yield Hit.at(
                    source.place,
                    f"everybody in the internet reaches {one.what[0]} at {one.host}: {one.decision.name} "
                    f"names {', '.join(source.texts)} as its sources",
                    "name the networks of your administrators instead, such as 203.0.113.0/24",
                )
