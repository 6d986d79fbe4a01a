"""E9144: trusting a check that nobody makes."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import lookup_option, mutual_tls
from generator.linting.view import Keycloak


class UnverifiedCertificates(KeycloakRule):
    """Keycloak trusts the balancer to have checked client certificates, and the balancer checks none.

    In the mode `passthrough` a listener hands on whatever certificate a client shows, also one that the
    client signed itself. `trust-proxy-verification=true` tells Keycloak not to check it again. So anybody
    makes a certificate with somebody else's name in it and is logged in as them.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: nginx}
                  - {Name: KC_SPI_X509CERT_LOOKUP__NGINX__TRUST_PROXY_VERIFICATION, Value: "true"}
        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: passthrough}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: nginx}
                  - {Name: KC_SPI_X509CERT_LOOKUP__NGINX__TRUST_PROXY_VERIFICATION, Value: "true"}
        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: verify, TrustStoreArn: !Ref TrustStore}
        TrustStore:
          Type: AWS::ElasticLoadBalancingV2::TrustStore
          Properties: {CaCertificatesBundleS3Bucket: example-ca, CaCertificatesBundleS3Key: ca.pem}
    """

    id = "E9144"
    shortdesc = "Somebody checks the client certificates that Keycloak trusts"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        provider = lookup_option(keycloak, "provider")
        if provider is None or not provider.value:
            return
        trusts = lookup_option(keycloak, provider.value, "trust-proxy-verification")
        if trusts is None or trusts.flag is not True:
            return
        # A proxy in the task hands on what the balancer gave it, so every target of the service counts.
        groups = {one.group.name for service in keycloak.services for one in service.targets if one.group}
        for listener in keycloak.view.balancers.forwarding_to(tuple(groups)):
            if mutual_tls(listener) == "passthrough":
                yield Hit.at(
                    trusts.place,
                    "whoever makes a certificate with somebody's name in it is logged in as them: "
                    f"{listener.name} checks none (passthrough), and {trusts.name} tells Keycloak not to check",
                    f"write MutualAuthentication: {{Mode: verify, TrustStoreArn: ...}} into {listener.name}, or false "
                    f"as the value of {trusts.name}",
                )
                return
