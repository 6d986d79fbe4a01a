"""E9011: a balancer that speaks HTTP to a server that doesn't."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak


class HttpDisabled(KeycloakRule):
    """The balancer speaks plain HTTP to the tasks, but Keycloak doesn't listen for it.

    `start` listens with HTTPS only, unless `http-enabled=true`. Without a certificate of its own the server
    ends with `Key material not provided to setup HTTPS`, and ECS starts the next task for ever. With one it
    listens at 8443 alone, and the balancer answers 502. (Before 26, `proxy=edge` switched HTTP on by itself;
    `proxy-headers` doesn't.)

    An image of one's own may bring the option, so there the rule speaks only where the template says `false`.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Environment:
                  - {Name: KC_HTTP_ENABLED, Value: ~}

    Bad (switched off):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_ENABLED, Value: "false"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_ENABLED, Value: "true"}
    """

    id = "E9011"
    shortdesc = "Keycloak listens for HTTP where its balancer speaks HTTP"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        port, one = keycloak.http_port, keycloak.options.get("http-enabled")
        off = one is not None and one.flag is False and not ask.empty(one)
        if (
            keycloak.command.verb != "start"
            or port is None
            or not (off or ask.absent(keycloak, "http-enabled"))
        ):
            return
        # Measured: with it, HTTP is on up to 26.0, and no more on 26.7. What is between isn't known.
        if keycloak.options.value("proxy") == "edge" and not keycloak.at_least(26, 7):
            return
        for target in keycloak.targets:
            group = target.group
            if group is None or group.protocol != "HTTP" or target.container_port != port:
                continue
            if any(ask.given(keycloak, key) for key in ask.CERTIFICATES):
                effect = (
                    f"every request answers 502: Keycloak listens with HTTPS alone, and {group.name} speaks"
                    " HTTP"
                )
            elif keycloak.image.stock:
                effect = "no task ever starts: Keycloak wants a certificate unless http-enabled is true"
            else:
                effect = (
                    f"every request answers 502: http-enabled is off, and {group.name} speaks HTTP at port"
                    f" {port}"
                )
            yield Hit.at(
                one.place if one is not None else keycloak.environment_place,
                effect,
                f"write {ask.entry('http-enabled', 'true', one)}",
            )
            return
