"""W9187: ordinary logins through a listener that asks for certificates."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import mutual_tls
from generator.linting.view import Keycloak


class EverybodyIsAsked(KeycloakRule):
    """There is no way to Keycloak without a client certificate.

    Mutual TLS belongs to a listener, not to a path: with `verify`, a listener ends the connection of whoever
    shows no certificate, before it has seen a single request. If that is the only listener, nobody logs in with a
    password any more, mails with links to Keycloak end in an error of the browser, and applications can't fetch
    keys or check tokens.

    Give mutual TLS a listener with a port of its own, and leave port 443 to everybody else.

    Bad:

        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: verify, TrustStoreArn: !Ref TrustStore}
        TrustStore:
          Type: AWS::ElasticLoadBalancingV2::TrustStore
          Properties: {CaCertificatesBundleS3Bucket: example-ca, CaCertificatesBundleS3Key: ca.pem}

    Good:

        MutualTlsListener:
          Type: AWS::ElasticLoadBalancingV2::Listener
          Properties:
            LoadBalancerArn: !Ref LoadBalancer
            Protocol: HTTPS
            Port: 8443
            SslPolicy: ELBSecurityPolicy-TLS13-1-2-Res-2021-06
            Certificates: [{CertificateArn: "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d"}]
            MutualAuthentication: {Mode: verify, TrustStoreArn: !Ref TrustStore}
            DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]
        TrustStore:
          Type: AWS::ElasticLoadBalancingV2::TrustStore
          Properties: {CaCertificatesBundleS3Bucket: example-ca, CaCertificatesBundleS3Key: ca.pem}
    """

    id = "W9187"
    shortdesc = "Ordinary logins need no client certificate"
    source_url = "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        asking = [one for one in keycloak.listeners if mutual_tls(one) == "verify"]
        others = [one for one in keycloak.listeners if one not in asking]
        if asking and not others and keycloak.view.whole:
            place = asking[0].properties["MutualAuthentication"]
            yield Hit.at(
                place["Mode"] if place["Mode"] else place,
                f"nobody reaches Keycloak without a client certificate, whatever they want there: {asking[0].name} "
                "refuses every other connection",
                "give mutual TLS a listener with a port of its own, and write no MutualAuthentication at port 443",
            )
