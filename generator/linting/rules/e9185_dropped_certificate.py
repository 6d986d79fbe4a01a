"""E9185: a certificate header that the balancer throws away."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import lookup_option, lookup_provider
from generator.linting.view import Keycloak

_DROP = "routing.http.drop_invalid_header_fields.enabled"


class DroppedCertificate(KeycloakRule):
    """Keycloak waits for a certificate in a header that the balancer throws away.

    With `drop_invalid_header_fields` an Application Load Balancer removes every header whose name has other
    characters than letters, digits and hyphens. `SSL_CLIENT_CERT`, the name of many examples, never arrives, and
    neither do the further certificates of the providers haproxy and apache: their headers are called after
    `ssl-cert-chain-prefix`, an underscore and a number. Every login by certificate fails.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: nginx}
                  - {Name: KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT, Value: SSL_CLIENT_CERT}

    Bad (the chain):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: haproxy}
                  - {Name: KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT, Value: ssl-client-cert}
                  - {Name: KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CERT_CHAIN_PREFIX, Value: ssl-client-chain}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: nginx}
                  - {Name: KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT, Value: ssl-client-cert}
    """

    id = "E9185"
    shortdesc = "The header with the certificate passes the balancer"
    source_url = ("https://docs.aws.amazon.com/elasticloadbalancing/latest/application/"
                  "application-load-balancers.html")

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        found = lookup_provider(keycloak)
        if found is None:
            return
        name, _ = found
        balancer = next(
            (
                one.balancer
                for one in keycloak.direct_listeners
                if one.balancer is not None
                and one.balancer.application is True
                and one.balancer.attributes.flag(_DROP, False) is True
            ),
            None,
        )
        if balancer is None:
            return
        header = lookup_option(keycloak, name, "ssl-client-cert")
        if header is not None and header.value and not re.fullmatch(r"[A-Za-z0-9-]+", header.value):
            yield Hit.at(
                header.place,
                f"every login by client certificate fails: {balancer.name} drops headers whose names aren't made of "
                f"letters, digits and hyphens, so {header.value} never arrives",
                f"write {re.sub(r'[^A-Za-z0-9]+', '-', header.value).strip('-').lower()} here and into the proxy that "
                "sends it",
            )
        prefix = lookup_option(keycloak, name, "ssl-cert-chain-prefix")
        length = lookup_option(keycloak, name, "certificate-chain-length")
        if name in ("apache", "haproxy") and prefix is not None and prefix.value and (
            length is None or length.value != "0"
        ):
            yield Hit.at(
                prefix.place,
                f"the authorities between a client's certificate and a root never arrive: {balancer.name} drops "
                f"headers such as {prefix.value}_0, for their underscore",
                "take it away and let the proxy in front check the whole chain, or send them with the provider rfc9440",
            )
