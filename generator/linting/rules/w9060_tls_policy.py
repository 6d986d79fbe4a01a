"""W9060: TLS 1.0 and 1.1."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import written
from generator.linting.view import Keycloak

_DEFAULT = "ELBSecurityPolicy-2016-08"
_OLD = re.compile(
    r"ELBSecurityPolicy-(2016-08|2015-\d\d|TLS-1-[01]-.*|FS-2018-06|FS-1-1-.*|TLS13-1-[01]-.*)"
)


class TlsPolicy(KeycloakRule):
    """The listener takes TLS 1.0 or 1.1 for passwords and tokens.

    Both are deprecated since RFC 8996; audits fail over them, and no browser of today needs them. A listener
    without `SslPolicy` that CloudFormation makes gets `ELBSecurityPolicy-2016-08`, which takes both and has
    no TLS 1.3.

    Bad:

        HttpsListener:
          Properties:
            SslPolicy: ELBSecurityPolicy-TLS-1-1-2017-01

    Bad (AWS's default):

        HttpsListener:
          Properties:
            SslPolicy: ~

    Good:

        HttpsListener:
          Properties:
            SslPolicy: ELBSecurityPolicy-TLS13-1-2-Res-2021-06
    """

    id = "W9060"
    shortdesc = "The listener takes TLS 1.2 and newer only"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for listener in keycloak.listeners:
            place = listener.properties["SslPolicy"]
            policy = place.text if place else _DEFAULT
            if listener.protocol == "HTTPS" and policy is not None and _OLD.fullmatch(policy):
                said = f"{policy} takes" if place else f"without SslPolicy it has {_DEFAULT}, which takes"
                yield Hit.at(
                    written(place, listener.properties["Protocol"], listener.properties),
                    f"passwords and tokens may travel by TLS 1.0 or 1.1 at {listener.name}: {said} them",
                    "write SslPolicy: ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
                )
