"""E9057: a host that nobody answers."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import (
    alias_of,
    all_known,
    forwards,
    hostnames,
    http_listeners,
    may_take,
    other_fronts,
)
from generator.linting.view import Keycloak
from generator.linting.view.balancers import Listener

_CERTIFICATE = "AWS::CertificateManager::Certificate"
_MORE = "AWS::ElasticLoadBalancingV2::ListenerCertificate"


class HostNotServed(KeycloakRule):
    """Keycloak's links lead to a host that the balancer has no rule or no certificate for.

    `hostname` and `hostname-admin` say where Keycloak's links lead. The balancer has to forward requests for
    both hosts, and its listener needs a certificate with both names. Without a rule users meet the default
    action, usually 404; without the name in a certificate browsers refuse the connection.

    The rule speaks where the template has it all: the DNS record that leads the host to the balancer, or the
    certificates. Where the DNS record is elsewhere, W9142 speaks.

    Bad (no rule for the admin host):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME_ADMIN, Value: "https://sso-admin.example.com"}
        AdminRecord:
          Type: AWS::Route53::RecordSet
          Properties:
            HostedZoneId: Z0123456789ABCDEFGHIJ
            Name: sso-admin.example.com
            Type: A
            AliasTarget:
              DNSName: !GetAtt LoadBalancer.DNSName
              HostedZoneId: !GetAtt LoadBalancer.CanonicalHostedZoneID

    Bad (the certificate lacks the admin host):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME_ADMIN, Value: "https://sso-admin.example.com"}
        AdminRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso-admin.example.com]}}
        Certificate:
          Type: AWS::CertificateManager::Certificate
          Properties: {DomainName: sso.example.com, ValidationMethod: DNS}
        HttpsListener:
          Properties:
            Certificates: [{CertificateArn: !Ref Certificate}]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME_ADMIN, Value: "https://sso-admin.example.com"}
        AdminRule:
          Properties:
            Conditions:
              - {Field: host-header, HostHeaderConfig: {Values: [sso-admin.example.com]}}
        Certificate:
          Type: AWS::CertificateManager::Certificate
          Properties:
            DomainName: sso.example.com
            SubjectAlternativeNames: [sso-admin.example.com]
            ValidationMethod: DNS
        HttpsListener:
          Properties:
            Certificates: [{CertificateArn: !Ref Certificate}]
    """

    id = "E9057"
    shortdesc = "The hosts in Keycloak's links have a rule and a certificate"
    source_url = "https://www.keycloak.org/server/hostname"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        view = keycloak.view
        if not all_known(keycloak) or other_fronts(view):
            return
        found = forwards(keycloak)
        for setting, host, what in hostnames(keycloak):
            taking = [one for one in found if may_take(one, None, host)]
            if not taking:
                balancer = alias_of(view, host)
                if balancer is not None and balancer in keycloak.load_balancers:
                    yield Hit.at(
                        setting.place,
                        f"nobody reaches {what} at {host}: its DNS record leads to {balancer.name}, and no rule "
                        "there forwards that host to Keycloak",
                        f"write {host} into the host-header condition of a rule that forwards to Keycloak",
                    )
                continue
            listeners = [one for one in http_listeners(keycloak) if any(rule in taking for rule in one.decisions)]
            names = [_names(keycloak, one) for one in listeners if one.protocol == "HTTPS"]
            if names and all(one is not None and not any(_covers(name, host) for name in one) for one in names):
                secure = next(one for one in listeners if one.protocol == "HTTPS")
                yield Hit.at(
                    secure.properties["Certificates"],
                    f"browsers refuse {what} at {host}: the certificate of {secure.name} is for "
                    f"{', '.join(dict.fromkeys(name for one in names for name in one or ()))}",
                    f"add {host} to SubjectAlternativeNames of the certificate",
                )


def _names(keycloak: Keycloak, listener: Listener) -> tuple[str, ...] | None:
    """Every name that a listener has a certificate for; None where one of them isn't made by the template."""
    resolver = keycloak.view.resolver
    listed = list(listener.properties["Certificates"])
    for more in resolver.resources(_MORE):
        properties = resolver.properties(more)
        holder = properties["ListenerArn"].resource("AWS::ElasticLoadBalancingV2::Listener")
        if holder is None or holder.logical_id == listener.name:
            listed += list(properties["Certificates"])
            if holder is None or properties["Certificates"].unknown is not None:
                return None
    found: list[str | None] = []
    for one in listed:
        made = one["CertificateArn"].resource(_CERTIFICATE)
        if made is None:
            return None
        properties = resolver.properties(made)
        alternatives = properties["SubjectAlternativeNames"]
        found += [properties["DomainName"].text, *(name.text for name in alternatives)]
        if alternatives.unknown is not None:
            return None
    known = tuple(name.lower() for name in found if name is not None)
    return known if known and len(known) == len(found) else None


def _covers(name: str, host: str) -> bool:
    return name == host or name.startswith("*.") and name[2:] == host.partition(".")[2]
