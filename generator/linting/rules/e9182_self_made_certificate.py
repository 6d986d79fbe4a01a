"""E9182: certificates that nobody checks, and clients that log in with them."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import asking_listeners, lookup_option, lookup_provider
from generator.linting.rules._options import entry
from generator.linting.view import Keycloak


class SelfMadeCertificate(KeycloakRule):
    """Clients log in with certificates that nobody checks.

    In the mode `passthrough` a listener hands on whatever certificate a client shows. Keycloak's providers read
    it from the header and check nothing, apart from nginx's, which builds the chain from Keycloak's trust
    store, and hands the certificate on all the same where it can't (read from the classes of 24.0.5 to 26.7.4).
    A client whose authenticator is "X509 Certificate" (`tls_client_auth`) is recognized by the subject alone.
    So anybody makes a certificate with that subject and gets the client's tokens.

    Let the balancer check (`verify`); or switch the authenticator `client-x509` off, and turn "Revalidate
    Client Certificate" on in every X.509 step of the realms' flows, which is off by default.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: nginx}
                  - {Name: KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT, Value: ssl-client-cert}
        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: passthrough}

    Good (the balancer checks):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: nginx}
                  - {Name: KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT, Value: ssl-client-cert}
        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: verify, TrustStoreArn: !Ref TrustStore}
        TrustStore:
          Type: AWS::ElasticLoadBalancingV2::TrustStore
          Properties: {CaCertificatesBundleS3Bucket: example-ca, CaCertificatesBundleS3Key: ca.pem}

    Good (no client logs in with one):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: nginx}
                  - {Name: KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT, Value: ssl-client-cert}
                  - {Name: KC_SPI_CLIENT_AUTHENTICATOR__CLIENT_X509__ENABLED, Value: "false"}
        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: passthrough}
    """

    id = "E9182"
    shortdesc = "No client logs in with a certificate that nobody checks"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        found = lookup_provider(keycloak)
        if found is None or keycloak.options.complete is not True:
            return
        name, told = found
        trusts = lookup_option(keycloak, name, "trust-proxy-verification")
        if name == "nginx" and trusts is not None and trusts.flag is True:
            return  # asks for a header that says so
        switched = keycloak.options.first("spi-client-authenticator--client-x509--enabled",
                                          "spi-client-authenticator-client-x509-enabled")
        if switched is not None and switched.flag is not True:
            return
        if switched is None and not keycloak.image.stock:
            return  # the image may have switched it off
        for listener in asking_listeners(keycloak, "passthrough"):
            key = "spi-client-authenticator-client-x509-enabled"
            if keycloak.at_least(26, 3):
                key = "spi-client-authenticator--client-x509--enabled"
            yield Hit.at(
                told.place,
                f"whoever makes a certificate with a client's subject in it gets that client's tokens: {listener.name} "
                f"checks none (passthrough), and neither does the provider {name}",
                f"write MutualAuthentication: {{Mode: verify, TrustStoreArn: ...}} into {listener.name}, or add "
                f"{entry(key, 'false')} and let every X.509 step of the realms revalidate",
            )
            return
