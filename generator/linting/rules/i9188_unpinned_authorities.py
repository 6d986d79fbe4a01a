"""I9188: authorities of client certificates without a version."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

TRUST_STORE = "AWS::ElasticLoadBalancingV2::TrustStore"


class UnpinnedAuthorities(KeycloakRule):
    """A trust store names its file without a version.

    CloudFormation reads the file when the trust store is made and when one of its properties changes. Without the
    version of the object, a new file under the same name changes nothing and leaves no trace: who is let in can't
    be seen in the template, and there is nothing to go back to.

    Bad:

        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: verify, TrustStoreArn: !Ref TrustStore}
        TrustStore:
          Type: AWS::ElasticLoadBalancingV2::TrustStore
          Properties: {CaCertificatesBundleS3Bucket: example-ca, CaCertificatesBundleS3Key: ca.pem}

    Good:

        HttpsListener:
          Properties:
            MutualAuthentication: {Mode: verify, TrustStoreArn: !Ref TrustStore}
        TrustStore:
          Type: AWS::ElasticLoadBalancingV2::TrustStore
          Properties:
            CaCertificatesBundleS3Bucket: example-ca
            CaCertificatesBundleS3Key: ca.pem
            CaCertificatesBundleS3ObjectVersion: 3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrHY
    """

    id = "I9188"
    shortdesc = "The authorities of client certificates are pinned to a version"
    source_url = ("https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"
                  "aws-resource-elasticloadbalancingv2-truststore.html")

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        said = set()
        for listener in keycloak.listeners:
            store = listener.properties["MutualAuthentication"]["TrustStoreArn"].resource(TRUST_STORE)
            if store is None or store.logical_id in said:
                continue
            said.add(store.logical_id)
            properties = keycloak.view.resolver.properties(store)
            version = properties["CaCertificatesBundleS3ObjectVersion"]
            if not version and version.unknown is None and properties["CaCertificatesBundleS3Key"]:
                yield Hit.at(
                    properties["CaCertificatesBundleS3Key"],
                    f"a new file under this key changes nothing until {store.logical_id} itself changes, and then "
                    "there is no way back to the old one",
                    "add CaCertificatesBundleS3ObjectVersion with the version of the object",
                )
