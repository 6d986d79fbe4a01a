"""E9053: the protocol of the health check."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import health_checks, written
from generator.linting.view import Keycloak

_TLS = ("https-certificate-file", "https-key-store-file", "https-management-certificate-file",
        "https-management-key-store-file")


class HealthProtocol(KeycloakRule):
    """The balancer asks for the health by HTTP where Keycloak answers by HTTPS only, or the other way round.

    The management port speaks one of the two. As soon as Keycloak has a certificate or a key store it is
    HTTPS, also with `http-enabled=true`; from 26.4 on `http-management-scheme=http` brings plain HTTP back. A
    check with the wrong one never succeeds: ECS stops each task after its grace period and starts the next,
    for ever.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTPS_CERTIFICATE_FILE, Value: /opt/keycloak/conf/tls.crt}
                  - {Name: KC_HTTPS_CERTIFICATE_KEY_FILE, Value: /opt/keycloak/conf/tls.key}
        TargetGroup:
          Properties:
            HealthCheckProtocol: HTTP

    Bad (no certificate):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
        TargetGroup:
          Properties:
            HealthCheckProtocol: HTTPS

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTPS_CERTIFICATE_FILE, Value: /opt/keycloak/conf/tls.crt}
                  - {Name: KC_HTTPS_CERTIFICATE_KEY_FILE, Value: /opt/keycloak/conf/tls.key}
                  - {Name: KC_HTTP_MANAGEMENT_SCHEME, Value: http}
        TargetGroup:
          Properties:
            HealthCheckProtocol: HTTP

    Good (both speak TLS):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTPS_KEY_STORE_FILE, Value: /opt/keycloak/conf/tls.p12}
        TargetGroup:
          Properties:
            HealthCheckProtocol: HTTPS
    """

    id = "E9053"
    shortdesc = "The health check speaks the management port's protocol"
    source_url = "https://www.keycloak.org/server/management-interface"
    since = (25, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.health_on_main_port is not False:
            return
        options = keycloak.options
        key = options.first(*_TLS)
        scheme = options.get("http-management-scheme")
        plain = scheme.value != "inherited" if scheme is not None else not options.complete
        for _, group, path in health_checks(keycloak):
            place = written(group.properties["HealthCheckProtocol"], group.health_place)
            start = "no target ever gets healthy and tasks are replaced for ever: "
            if key is not None and group.health_protocol == "HTTP" and not plain:
                can = keycloak.at_least(26, 4)
                yield Hit.at(
                    place,
                    f"{start}{group.name} asks for {path} by HTTP, and Keycloak's management port speaks HTTPS only, "
                    f"since {key.name} is set",
                    "write {Name: KC_HTTP_MANAGEMENT_SCHEME, Value: http} into Environment"
                    if can
                    else "write HealthCheckProtocol: HTTPS",
                )
            elif group.health_protocol == "HTTPS" and all(options.missing(one) for one in _TLS):
                yield Hit.at(
                    place,
                    f"{start}{group.name} asks for {path} by HTTPS, and Keycloak has no certificate",
                    "write HealthCheckProtocol: HTTP",
                )
            elif group.health_protocol == "HTTPS" and scheme is not None and scheme.value == "http":
                yield Hit.at(
                    place,
                    f"{start}{group.name} asks for {path} by HTTPS, and {scheme.name} makes the management port plain "
                    "HTTP",
                    "write HealthCheckProtocol: HTTP",
                )
