"""E9161: how a key of a secret is named."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._secrets import address
from generator.linting.view import Keycloak


class SecretAddress(KeycloakRule):
    """A secret's address in ValueFrom isn't one that ECS understands.

    Behind the ARN of a secret stand either nothing or all three of JSON key, version stage and version id,
    each with its colon: `arn:...:secret:name-AbCdEf:password::`. With one colon too few no task starts:
    "ResourceInitializationError: ... an invalid ARN format for the AWS Secrets Manager secret was specified".

    ValueFrom takes the address. A dynamic reference (`{{resolve:secretsmanager:...}}`) makes CloudFormation
    put the secret itself there, for everybody who may read the task definition, and ECS finds nothing under
    that name.

    Bad (the last two colons are missing):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${DatabaseSecret}:password"}

    Bad (a dynamic reference):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - Name: KC_DB_PASSWORD
                    ValueFrom: !Sub "{{resolve:secretsmanager:${DatabaseSecret}:SecretString:password}}"

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${DatabaseSecret}:password::"}
    """

    id = "E9161"
    shortdesc = "A secret's key is named with all its colons"
    source_url = (
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html"
    )

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for setting in keycloak.options.settings:
            # What a shell puts into an option was judged as the variable that it is.
            if not setting.secret or setting.argument:
                continue
            if str(setting.place.value).startswith(("{{resolve:secretsmanager:", "{{resolve:ssm-secure:")):
                yield Hit.at(
                    setting.place,
                    "no task starts, and the task definition shows the secret: CloudFormation puts the "
                    "value of "
                    f"{setting.name} where ECS wants its address",
                    "write the ARN: ValueFrom: !Sub \"${Secret}:password::\"",
                )
                continue
            named = address(setting.place)
            if named is None or not named.rest.startswith(":") or named.rest.count(":") == 3:
                continue
            key = named.rest.strip(":").partition(":")[0]
            before = f"${{{named.resource.logical_id}}}" if named.resource else "<the secret's ARN>"
            yield Hit.at(
                setting.place,
                "no task starts (ResourceInitializationError: invalid ARN format): behind the ARN of "
                f"{setting.name} stands "
                f"{named.rest}, and ECS wants key, stage and version, each with its colon",
                f"write {before}:{key}::",
            )
