"""W9006: a server that takes its name from the request."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.view import Keycloak
from generator.linting.view.balancers import Decision


class AnyHostname(KeycloakRule):
    """Behind a public balancer, Keycloak takes its own host name from whatever the request says.

    With `hostname-strict=false` and no `hostname`, links in mails, redirects and the issuer of tokens are
    built from the Host header, or from X-Forwarded-Host where `proxy-headers=xforwarded` is set. A balancer
    passes both on as the client wrote them. Somebody who asks for a password reset for another user with a
    Host header of their own makes Keycloak mail that user a link to the attacker's host, with the key to the
    account in it.

    With `hostname` set, `hostname-strict` has no meaning.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME, Value: ~}
                  - {Name: KC_HOSTNAME_STRICT, Value: "false"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME, Value: "https://sso.example.com"}
    """

    id = "W9006"
    shortdesc = "A public server's name is fixed, not what a request says"
    source_url = "https://www.keycloak.org/server/hostname"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        strict, options = keycloak.options.get("hostname-strict"), keycloak.options
        if strict is None or strict.flag is not False:
            return
        if not (options.unset("hostname") or ask.empty(options.get("hostname"))) or ask.given(
            keycloak, "hostname-url"
        ):
            return
        groups = [one.name for one in keycloak.target_groups]
        forwarded = options.value("proxy-headers") == "xforwarded"
        for listener in keycloak.listeners:
            if listener.public is not True:
                continue
            taking = [
                one for one in listener.decisions if any(group in groups for group in one.action.groups)
            ]
            # A balancer that lets one host through knows what the Host header says, but not X-Forwarded-Host.
            if not forwarded and taking and all(_names_hosts(one) for one in taking):
                continue
            yield Hit.at(
                strict.place,
                f"strangers choose the host of the links that Keycloak mails to users: {listener.name} is"
                " public, and the server takes its name from the"
                f" {'X-Forwarded-Host' if forwarded else 'Host'} header",
                f"write {ask.entry('hostname', 'https://<public host>')} instead of {strict.name}",
            )
            return


def _names_hosts(decision: Decision) -> bool:
    texts = [condition.texts for condition in decision.of("host-header")]
    return any(found and not any("*" in text or "?" in text for text in found) for found in texts)
