"""Client certificates in templates of others: what stands in front of Keycloak, and the rules about it."""

from __future__ import annotations

import pytest
from laying import laid, viewed

from generator.linting import pack
from generator.linting.view import Keycloak

OURS = ("E9009", "E9052", "E9061", "E9144", "E9145", "E9182", "E9183", "E9184", "E9185", "E9186", "W9187", "I9188",
        "W9189")
"""Rules that speak about certificates, or about who is in front."""

PROXY = """
      - Name: proxy
        Image: {image}
        Essential: true
        PortMappings: [{{ContainerPort: 8081}}]
"""
BEHIND = "Service:\n  Properties:\n    LoadBalancers: [{ContainerName: proxy, ContainerPort: 8081, " \
         "TargetGroupArn: !Ref TargetGroup}]\n"
OPEN = """
TaskInProxy:
  Type: AWS::EC2::SecurityGroupIngress
  Properties:
    GroupId: !GetAtt TaskSecurityGroup.GroupId
    SourceSecurityGroupId: !GetAtt LoadBalancerSecurityGroup.GroupId
    IpProtocol: tcp
    FromPort: 8081
    ToPort: 8081
"""
STORE = """
TrustStore:
  Type: AWS::ElasticLoadBalancingV2::TrustStore
  Properties:
    CaCertificatesBundleS3Bucket: example-ca
    CaCertificatesBundleS3Key: ca.pem
    CaCertificatesBundleS3ObjectVersion: "1"
"""
SECOND = """
MutualTlsListener:
  Type: AWS::ElasticLoadBalancingV2::Listener
  Properties:
    LoadBalancerArn: !Ref LoadBalancer
    Protocol: HTTPS
    Port: 8443
    Certificates: [{CertificateArn: "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b2c3d"}]
    MutualAuthentication: {Mode: MODE}
    DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]
"""


def task(*variables: str, image: str = "", proxy: str = "") -> str:
    """An excerpt of the task definition: Keycloak's variables `KC_X=y`, its image, and a second container's image."""
    lines = [f"          - {{Name: {name}, Value: \"{value}\"}}"
             for name, _, value in (one.partition("=") for one in variables)]
    text = "TaskDefinition:\n  Properties:\n    ContainerDefinitions:\n      - Name: keycloak\n"
    text += f"        Image: {image}\n" if image else ""
    text += "        Environment:\n" + "\n".join(lines) + "\n" if lines else ""
    return text + (PROXY.format(image=proxy) if proxy else "")


def said(example: str, version: str = "") -> list[str]:
    """Ids of our rules that speak about the example, in their order."""
    return [one.rule for one in pack.run(viewed(laid(example), version)) if one.rule in OURS]


def keycloak(example: str) -> Keycloak:
    (found,) = viewed(laid(example)).keycloaks
    return found


HAPROXY = ("KC_SPI_X509CERT_LOOKUP__PROVIDER=haproxy",
           "KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT=ssl-client-cert")
NGINX = ("KC_SPI_X509CERT_LOOKUP__PROVIDER=nginx", "KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT=ssl-client-cert")
STOCK = "quay.io/keycloak/keycloak:26.7.4"
LOOPBACK = ("KC_HTTP_HOST=127.0.0.1", "KC_HTTP_MANAGEMENT_HOST=0.0.0.0", "KC_PROXY_TRUSTED_ADDRESSES=127.0.0.1")


class TestFront:
    @pytest.mark.parametrize("image", [
        "haproxy:3.0", "public.ecr.aws/docker/library/nginx@sha256:" + "0" * 64, "envoyproxy/envoy:v1.30",
        "traefik:v3", "registry.example.com/team/my-haproxy:7"])
    def test_a_proxy_known_by_name_stands_in_front(self, image):
        """Listeners whose target group holds a proxy of Keycloak's task are Keycloak's, though not directly."""
        one = keycloak(task(proxy=image) + BEHIND)
        assert [front["Name"].text for front in one.fronts] == ["proxy"]
        assert [listener.name for listener in one.listeners] == ["HttpsListener"]
        assert one.direct_listeners == () and one.targets == ()

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.1.1", "::1"])
    def test_whatever_is_registered_stands_in_front_of_a_loopback(self, host):
        """Where Keycloak listens on loopback only, its requests come through whichever container is registered."""
        one = keycloak(task(f"KC_HTTP_HOST={host}", proxy="example/gateway:1") + BEHIND)
        assert one.loopback and len(one.fronts) == 1

    def test_another_container_is_not_in_front_for_being_there(self):
        """An application that shares the task and is registered itself says nothing about Keycloak's requests."""
        one = keycloak(task(proxy="example/shop:1") + BEHIND)
        assert one.fronts == one.listeners == () and not one.loopback

    def test_keycloak_that_is_registered_itself_has_nobody_in_front(self):
        """A proxy beside it, for something else, takes no listener away."""
        one = keycloak(task(proxy="haproxy:3.0"))
        assert one.fronts == () and one.direct_listeners == one.listeners != ()


CASES = {
    "a proxy that translates, and nothing else": (
        task(*HAPROXY, *LOOPBACK, image=STOCK, proxy="haproxy:3.0") + BEHIND + OPEN + STORE
        + SECOND.replace("MODE", "verify, TrustStoreArn: !Ref TrustStore"), []),
    "a proxy that nobody lets the balancer in to": (
        task(*HAPROXY, *LOOPBACK, image=STOCK, proxy="haproxy:3.0") + BEHIND, ["E9052"]),
    "passed through to a provider that checks nothing": (
        task(*HAPROXY, *LOOPBACK, image=STOCK, proxy="haproxy:3.0") + BEHIND + OPEN
        + SECOND.replace("MODE", "passthrough"), ["E9182"]),
    "passed through, the authenticator off": (
        task(*NGINX, *LOOPBACK, "KC_SPI_CLIENT_AUTHENTICATOR__CLIENT_X509__ENABLED=false", image=STOCK,
             proxy="haproxy:3.0") + BEHIND + OPEN + SECOND.replace("MODE", "passthrough"), []),
    "passed through, the authenticator on": (
        task(*NGINX, *LOOPBACK, "KC_SPI_CLIENT_AUTHENTICATOR__CLIENT_X509__ENABLED=true", image=STOCK,
             proxy="haproxy:3.0") + BEHIND + OPEN + SECOND.replace("MODE", "passthrough"), ["E9182"]),
    "passed through to an image that may have it off": (
        task(*NGINX, *LOOPBACK, proxy="haproxy:3.0") + BEHIND + OPEN + SECOND.replace("MODE", "passthrough"), []),
    "passed through, and a check trusted that nobody made": (
        task(*NGINX, *LOOPBACK, "KC_SPI_X509CERT_LOOKUP__NGINX__TRUST_PROXY_VERIFICATION=true", image=STOCK,
             proxy="haproxy:3.0") + BEHIND + OPEN + SECOND.replace("MODE", "passthrough"), ["E9144"]),
    "passed through where nobody reads certificates": (
        task(*LOOPBACK, image=STOCK, proxy="haproxy:3.0") + BEHIND + OPEN + SECOND.replace("MODE", "passthrough"), []),
    "read by nobody's proxy": (task(*HAPROXY, image=STOCK) + SECOND.replace("MODE", "verify, TrustStoreArn: !Ref X"),
                               ["E9061", "E9145"]),
    "a header that the balancer drops, but a proxy writes": (
        task(HAPROXY[0], "KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT=CLIENT_CERT", *LOOPBACK, image=STOCK,
             proxy="haproxy:3.0") + BEHIND + OPEN, []),
    "a header that the balancer drops": (
        task(HAPROXY[0], "KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT=CLIENT_CERT", image=STOCK), ["E9185"]),
    "a header of an image's own provider": (
        task("KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT=CLIENT_CERT"), ["E9185"]),
    "headers of two providers, one of them in use": (
        task("KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT=CLIENT_CERT",
             "KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT=CLIENT_CERT"), []),
    "a provider of the user's own": (task("KC_SPI_X509CERT_LOOKUP__PROVIDER=awsalb", image=STOCK), []),
    "no header, in an image of one's own": (task(HAPROXY[0]), []),
    "the rfc9440 provider's own header": (task("KC_SPI_X509CERT_LOOKUP__PROVIDER=rfc9440", image=STOCK), ["E9145"]),
    "the old spelling": (
        task("KC_SPI_X509CERT_LOOKUP_PROVIDER=haproxy", image="quay.io/keycloak/keycloak:24.0.5"), ["E9186"]),
    "the new spelling, which an old version doesn't read": (
        task(HAPROXY[0], image="quay.io/keycloak/keycloak:24.0.5"), []),
    "a port beside the proxy that others reach": (
        task(*HAPROXY, "KC_PROXY_TRUSTED_ADDRESSES=127.0.0.1", image=STOCK, proxy="haproxy:3.0") + BEHIND + OPEN
        + "TaskInHttp:\n  Properties:\n    SourceSecurityGroupId: sg-0a1b2c3d\n", ["E9183"]),
    "a port beside the proxy that the balancer alone reaches": (
        task(*HAPROXY, "KC_PROXY_TRUSTED_ADDRESSES=127.0.0.1", image=STOCK, proxy="haproxy:3.0") + BEHIND + OPEN, []),
    "a trust store elsewhere": (
        SECOND.replace("MODE", "verify, TrustStoreArn: \"arn:aws:elasticloadbalancing:eu-central-1:1:truststore/x/1\""),
        []),
    "expired ones by a parameter": (
        STORE + SECOND.replace("MODE", "verify, TrustStoreArn: !Ref TrustStore, IgnoreClientCertificateExpiry: !Ref P"),
        []),
    "a check at the management port, which listens everywhere": (
        task(*LOOPBACK, "KC_HTTP_MANAGEMENT_HOST=0.0.0.0", image=STOCK, proxy="haproxy:3.0") + BEHIND + OPEN, []),
}


@pytest.mark.parametrize(("example", "rules"), [pytest.param(*case, id=name) for name, case in CASES.items()])
def test_what_lets_a_forged_certificate_in_is_told_and_what_is_near_it_is_not(example, rules):
    """Each way of writing it gives the rule that is meant and no other about certificates."""
    assert sorted(set(said(example))) == sorted(rules)


@pytest.mark.parametrize("example", [
    "HttpsListener:\n  Properties:\n    MutualAuthentication: verify\n",
    "HttpsListener:\n  Properties:\n    MutualAuthentication: [{Mode: verify}]\n",
    "HttpsListener:\n  Properties:\n    MutualAuthentication: {Mode: {Ref: Nowhere}, TrustStoreArn: [1, 2]}\n",
    task(*HAPROXY, image=STOCK) + "Service:\n  Properties:\n    LoadBalancers: [{ContainerName: [proxy]}, 7, proxy]\n",
    task("KC_HTTP_HOST=", *HAPROXY) + "TargetGroup:\n  Properties:\n    HealthCheckPort: {Ref: Nowhere}\n"])
def test_odd_shapes_break_no_rule(example):
    """Templates of others are input: a shape that makes no sense is read as far as it does."""
    pack.run(viewed(laid(example)))


def test_the_management_port_is_where_the_main_port_is_unless_it_is_told():
    """Health checks at a loopback management port get no answer, whether it was told so or follows http-host."""
    alone = "KC_HTTP_HOST=127.0.0.1"
    assert "E9184" in said(task(alone, proxy="haproxy:3.0") + BEHIND)
    assert "E9184" in said(task(alone, "KC_HTTP_MANAGEMENT_HOST=localhost", proxy="haproxy:3.0") + BEHIND)
    assert "E9184" not in said(task(alone, "KC_HTTP_MANAGEMENT_HOST=0.0.0.0", proxy="haproxy:3.0") + BEHIND)
