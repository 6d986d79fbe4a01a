"""W9003: host name options of another version that do nothing."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules import _options as ask
from generator.linting.rules.e9003_hostname_v1 import V1_KEYS, is_lost
from generator.linting.view import Keycloak


class LeftoverHostname(KeycloakRule):
    """An option about host names is ignored, since it belongs to other versions.

    Keycloak 25 replaced the options for host names. What is left of the old ones does nothing but log a warning
    at each start (26.0 with `--optimized` doesn't even do that): `hostname-strict-https` (write `https://` into
    `hostname`), `hostname-strict-backchannel` (`true` is how the new model behaves by itself; `false` is
    `hostname-backchannel-dynamic=true`, which needs a full URL in `hostname`). Before 25,
    `hostname-backchannel-dynamic` is unknown and ignored without a word.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME_STRICT_HTTPS, Value: "true"}

    Bad (on 24):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak:24.0.5
                Environment:
                  - {Name: KC_HOSTNAME_BACKCHANNEL_DYNAMIC, Value: "false"}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HOSTNAME, Value: "https://sso.example.com"}
    """

    id = "W9003"
    shortdesc = "No option about host names is left over from other versions"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/#new-hostname-options"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        first = ask.hostname_v1(keycloak)
        if first is None:
            return
        for key in ("hostname-backchannel-dynamic",) if first else V1_KEYS:
            one = keycloak.options.get(key)
            if one is None or ask.empty(one) or not first and is_lost(keycloak, one):
                continue
            fix = "take it away"
            if key == "hostname-strict-backchannel" and one.flag is False:
                fix = f"write {ask.entry('hostname-backchannel-dynamic', 'true', one)} instead"
            if key == "hostname-backchannel-dynamic" and one.flag is False:
                fix = f"write {ask.entry('hostname-strict-backchannel', 'true', one)} instead"
            yield Hit.at(
                one.name_place,
                f"{one.name} does nothing: it belongs to the host name options of "
                f"{'Keycloak 25 and newer' if first else 'older versions'}, and this is {keycloak.release}",
                fix,
            )
