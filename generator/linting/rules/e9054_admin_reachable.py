"""E9054: paths that have no business on a public listener."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._admin import closing, openings
from generator.linting.view import Keycloak


class AdminReachable(KeycloakRule):
    """Anybody in the internet reaches the admin console, the health page or the metrics.

    The reverse proxy guide exposes /realms/ and /resources/ (and /.well-known/ from 26.4 on) and nothing
    else. A listener of a public balancer that sends /admin/ to Keycloak shows the admin console's login to
    everybody: passwords are tried, and every hole in the admin REST API is a hole in the internet. Where
    /metrics and /health are on the main port, everybody reads how many users log in and when the database is
    down.

    The rule works the listener's rules out in their order, for every host they name and for one they don't.
    It says nothing about a path that a login at the balancer, a rule on source addresses or on a header that
    nobody guesses, or a web ACL may stand before, nor about a console that `features-disabled` takes away. A
    rule for an admin host of its own that opens it to 0.0.0.0/0 in so many words is a warning, W9054.

    Bad (everything is forwarded):

        HttpsListener:
          Properties:
            DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]

    Bad (nobody says who may):

        AdminRule:
          Properties:
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/admin/*"]}}
              - {Field: source-ip, SourceIpConfig: {Values: [0.0.0.0/0]}}

    Good:

        HttpsListener:
          Properties:
            DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}]
        AdminRule:
          Properties:
            Conditions:
              - {Field: path-pattern, PathPatternConfig: {Values: ["/admin/*"]}}
              - {Field: source-ip, SourceIpConfig: {Values: [203.0.113.0/24]}}
    """

    id = "E9054"
    shortdesc = "The admin console, health and metrics aren't on a public listener"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for one in openings(keycloak):
            if one.meant:
                continue
            at = f" at {one.host}" if one.host else ""
            yield Hit(
                one.decision.path,
                f"everybody in the internet reaches {' and '.join(one.what)}{at}: {one.decision.name} "
                f"forwards {one.path} to Keycloak",
                closing(keycloak, one.decision, one.host),
            )
