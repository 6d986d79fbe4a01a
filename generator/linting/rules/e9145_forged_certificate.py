"""E9145: a certificate header that anybody may send."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import LOOKUPS, lookup_option, may_refuse
from generator.linting.view import Keycloak
from generator.linting.view.balancers import Listener

_DEFAULTS = {"rfc9440": "Client-Cert"}
_DROP = "routing.http.drop_invalid_header_fields.enabled"


class ForgedCertificate(KeycloakRule):
    """Keycloak takes client certificates from a header that the balancer neither sets nor takes away.

    A certificate lookup provider believes what stands in its header. An Application Load Balancer writes
    certificates into `X-Amzn-Mtls-Clientcert...` headers only and passes any other header on as the client
    sent it. So anybody sends the header themselves, with the certificate of somebody else: certificates are
    public, the key that proves them isn't asked for. The reverse proxy guide demands a proxy that overwrites
    the header.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: nginx}
                  - {Name: KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT, Value: ssl-client-cert}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: nginx}
                  - {Name: KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT, Value: ssl-client-cert}
        NoForgedCertificate:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 1
            Conditions:
              - {Field: http-header, HttpHeaderConfig: {HttpHeaderName: ssl-client-cert, Values: ["*"]}}
            Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: "400"}}]
    """

    id = "E9145"
    shortdesc = "No client can send the header that Keycloak reads certificates from"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        provider = lookup_option(keycloak, "provider")
        if provider is None or provider.value not in LOOKUPS:
            return
        found = lookup_option(keycloak, provider.value, "ssl-client-cert")
        header = found.value if found else _DEFAULTS.get(provider.value)
        if not header or header.lower().startswith("x-amzn-"):
            return
        for listener in keycloak.direct_listeners:
            balancer = listener.balancer
            if listener.public is not True or balancer is None or balancer.application is not True:
                continue
            if not re.fullmatch(r"[A-Za-z0-9-]+", header) and balancer.attributes.flag(_DROP, False) is not False:
                continue
            if not _looked_at(listener, header) and not may_refuse(keycloak.view, balancer, header.lower()):
                place = found.place if found else provider.place
                yield Hit.at(
                    place,
                    "anybody is logged in as somebody else with nothing but their public certificate: "
                    f"{listener.name} passes the header {header} on as a client sends it, and the provider "
                    f"{provider.value} believes it",
                    f"add a rule to {listener.name} that answers 400 to requests with the header {header}, and a "
                    "proxy in the task that sets it",
                )
                return


def _looked_at(listener: Listener, header: str) -> bool:
    """Whether the listener looks at that header in some way, or gives it a name itself."""
    if header.lower() in repr(listener.properties["ListenerAttributes"].value).lower():
        return True
    return any(
        (one.place["HttpHeaderConfig"]["HttpHeaderName"].text or header).lower() == header.lower()
        for rule in listener.rules
        for one in rule.of("http-header")
    )
