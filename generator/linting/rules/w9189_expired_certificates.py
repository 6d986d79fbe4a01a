"""W9189: client certificates that have expired."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak


class ExpiredCertificates(KeycloakRule):
    """The balancer lets clients in whose certificates have expired.

    Revocation lists name no certificates that have expired, so `IgnoreClientCertificateExpiry` brings back
    certificates that were revoked before they did.

    Bad:

        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: verify, TrustStoreArn: !Ref TrustStore, IgnoreClientCertificateExpiry: true}
        TrustStore:
          Type: AWS::ElasticLoadBalancingV2::TrustStore
          Properties: {CaCertificatesBundleS3Bucket: example-ca, CaCertificatesBundleS3Key: ca.pem}

    Good:

        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: verify, TrustStoreArn: !Ref TrustStore, IgnoreClientCertificateExpiry: false}
        TrustStore:
          Type: AWS::ElasticLoadBalancingV2::TrustStore
          Properties: {CaCertificatesBundleS3Bucket: example-ca, CaCertificatesBundleS3Key: ca.pem}
    """

    id = "W9189"
    shortdesc = "Expired client certificates are refused"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for listener in keycloak.listeners:
            ignoring = listener.properties["MutualAuthentication"]["IgnoreClientCertificateExpiry"]
            if ignoring.flag is True:
                yield Hit.at(
                    ignoring,
                    f"{listener.name} lets in whoever has an expired certificate, a revoked one among them: revocation "
                    "lists forget certificates that have expired",
                    "write false",
                )
