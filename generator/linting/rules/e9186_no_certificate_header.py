"""E9186: a provider for client certificates without a header to read."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import lookup_option
from generator.linting.rules._options import entry
from generator.linting.view import Keycloak


class NoCertificateHeader(KeycloakRule):
    """Keycloak is to read client certificates from a header, and nobody says from which.

    The providers apache, haproxy and nginx have no header of their own. Without `ssl-client-cert` they look for
    one without a name: no certificate is ever found, and every login by certificate fails.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: haproxy}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: haproxy}
                  - {Name: KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT, Value: ssl-client-cert}
    """

    id = "E9186"
    shortdesc = "The provider for client certificates knows which header to read"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        provider = lookup_option(keycloak, "provider")
        if provider is None or provider.value not in ("apache", "haproxy", "nginx"):
            return
        if not keycloak.image.stock or not keycloak.options.complete:
            return
        if lookup_option(keycloak, provider.value, "ssl-client-cert") is not None:
            return
        two = "--" if keycloak.at_least(26, 3) else "-"
        key = two.join(("spi-x509cert-lookup", provider.value, "ssl-client-cert"))
        yield Hit.at(
            provider.place,
            f"every login by client certificate fails: nothing says which header the provider {provider.value} reads",
            f"add {entry(key, 'ssl-client-cert', provider)}",
        )
