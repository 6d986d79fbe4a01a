"""E9162: keys that a secret doesn't have."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._secrets import SECRET, address, keys
from generator.linting.view import Keycloak


class SecretKey(KeycloakRule):
    """A secret is read under a key that it doesn't have, or as a whole although it is a JSON document.

    A key that isn't there keeps every task from starting: "ResourceInitializationError: ... retrieved secret
    from Secrets Manager did not contain json key". Without a key the whole document becomes the variable's
    value: Keycloak then logs in to the database with `{"username": ..., "password": ...}` as its password.

    What RDS keeps in the secret of its master user is `username` and `password` alone; the host isn't there.

    Bad:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${DatabaseSecret}:Password::"}

    Bad (the whole document):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - {Name: KC_DB_PASSWORD, ValueFrom: !Ref DatabaseSecret}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${DatabaseSecret}:password::"}
    """

    id = "E9162"
    shortdesc = "A secret has the key under which it is read"
    source_url = (
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html"
    )

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for setting in keycloak.options.settings:
            named = address(setting.place) if setting.secret else None
            if named is None or named.resource is None or named.rest and named.rest.count(":") != 3:
                continue
            if setting.argument and (named.key or not setting.key):
                continue  # judged as the variable that a shell puts into the option
            known = keys(keycloak.view, named.resource)
            if known is None:
                continue
            name = named.resource.logical_id
            arn = name if named.resource.type == SECRET else f"{name}.MasterUserSecret.SecretArn"
            if named.key and known and named.key not in known:
                near = (difflib.get_close_matches(named.key.lower(), known, 1, 0.6) or [known[-1]])[0]
                yield Hit.at(
                    setting.place,
                    f"no task starts (ResourceInitializationError): the secret of {name} has no key "
                    f"{named.key}, it has "
                    f"{', '.join(known)}",
                    f'write ValueFrom: !Sub "${{{arn}}}:{near}::"',
                )
            elif named.key and not known:
                yield Hit.at(
                    setting.place,
                    f"no task starts (ResourceInitializationError): the secret of {name} is plain text "
                    "without keys, and "
                    f"{named.key} is asked for",
                    f"write ValueFrom: !Ref {name}",
                )
            elif not named.key and known and setting.key:
                wanted = "username" if "username" in setting.key else "password"
                found = wanted if wanted in known else known[-1]
                yield Hit.at(
                    setting.place,
                    f"{setting.name} becomes the whole JSON document of {name}, not one of its values: "
                    "nobody can log in "
                    "with it",
                    f'write ValueFrom: !Sub "${{{arn}}}:{found}::"',
                )
