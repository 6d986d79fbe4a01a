"""E9061: client certificates that Keycloak can't read."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import LOOKUPS, lookup_option, mutual_tls
from generator.linting.view import Keycloak


class ClientCertificates(KeycloakRule):
    """The balancer hands client certificates on in a form that none of Keycloak's providers reads.

    With mutual TLS an Application Load Balancer writes the certificate into `X-Amzn-Mtls-Clientcert-Leaf`
    (verify) or `X-Amzn-Mtls-Clientcert` (passthrough), as URL-encoded PEM that leaves `+`, `=` and `/` as
    they are. The nginx and envoy providers take a `+` for a blank, haproxy and traefik expect bare base64,
    rfc9440 expects it between colons; apache doesn't decode it either (read from the classes of 26.7.4).
    Every login by certificate fails: "X509 client certificate is missing".

    What works: a small proxy in the task between the balancer and Keycloak that rewrites the header, a
    provider of your own under another name, or a Network Load Balancer that leaves TLS to Keycloak.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: nginx}
        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: verify, TrustStoreArn: !Ref TrustStore}
        TrustStore:
          Type: AWS::ElasticLoadBalancingV2::TrustStore
          Properties: {CaCertificatesBundleS3Bucket: example-ca, CaCertificatesBundleS3Key: ca.pem}

    Good (a proxy beside Keycloak):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_HOST, Value: 127.0.0.1}
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: haproxy}
                  - {Name: KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT, Value: ssl-client-cert}
              - Name: proxy
                Image: public.ecr.aws/docker/library/haproxy:3.0
                Essential: true
                PortMappings: [{ContainerPort: 8081}]
        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: verify, TrustStoreArn: !Ref TrustStore}
        TrustStore:
          Type: AWS::ElasticLoadBalancingV2::TrustStore
          Properties: {CaCertificatesBundleS3Bucket: example-ca, CaCertificatesBundleS3Key: ca.pem}
        Service:
          Properties:
            LoadBalancers: [{ContainerName: proxy, ContainerPort: 8081, TargetGroupArn: !Ref TargetGroup}]
    """

    id = "E9061"
    shortdesc = "Keycloak can read the client certificates that the balancer hands on"
    source_url = "https://github.com/keycloak/keycloak/issues/25579"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        provider = lookup_option(keycloak, "provider")
        if provider is None or provider.value not in LOOKUPS:
            return
        for listener in keycloak.direct_listeners:
            mode = mutual_tls(listener)
            if mode in ("verify", "passthrough"):
                yield Hit.at(
                    provider.place,
                    f"every login by client certificate fails: {listener.name} hands certificates on in AWS's own form "
                    f"(mutual TLS, {mode}), which the provider {provider.value} can't read",
                    "put a proxy into the task that rewrites X-Amzn-Mtls-Clientcert-Leaf, and register its port with "
                    "the target group instead of Keycloak's",
                )
                return
