"""E9073: who reads the container's secrets."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._secrets import address, granted_elsewhere
from generator.linting.view import Keycloak, Setting
from generator.resolving import Reference


class SecretUnreadable(KeycloakRule):
    """The execution role may not read a secret that the container gets.

    ECS fetches the values of `Secrets` with the task's execution role, before the container exists. Where the
    role may not, no task starts: "ResourceInitializationError: unable to pull secrets or registry auth". The
    policy AmazonECSTaskExecutionRolePolicy doesn't hold that permission, and the task role is not asked.

    Bad:

        ExecutionRole:
          Properties:
            ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy]
            Policies: []

    Bad (another secret):

        ExecutionRole:
          Properties:
            Policies:
              - PolicyName: start-tasks
                PolicyDocument:
                  Version: "2012-10-17"
                  Statement:
                    - {Effect: Allow, Action: "secretsmanager:GetSecretValue", Resource: !Ref AdminSecret}

    Good:

        ExecutionRole:
          Properties:
            Policies:
              - PolicyName: start-tasks
                PolicyDocument:
                  Version: "2012-10-17"
                  Statement:
                    - Effect: Allow
                      Action: secretsmanager:GetSecretValue
                      Resource: [!Ref AdminSecret, !Ref DatabaseSecret]
    """

    id = "E9073"
    shortdesc = "The execution role may read the container's secrets"
    source_url = (
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html"
    )

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        role = keycloak.execution_role
        if role is None:
            return
        said = set()
        for setting in keycloak.options.settings:
            action = _action(setting) if setting.secret else ""
            if not action or role.allows(action, setting.place) is not False:
                continue
            named = address(setting.place)
            if named is not None and granted_elsewhere(keycloak, named.resource):
                continue
            what = named.resource.logical_id if named and named.resource else str(setting.place.value)
            if what in said:
                continue
            said.add(what)
            yield Hit.at(
                setting.place,
                f"no task starts (ResourceInitializationError): {role.name} may not read {setting.name}, "
                "which ECS fetches "
                "with it",
                f"add to a policy of {role.name}: "
                f"{{Effect: Allow, Action: \"{action}\", Resource: <the secret's ARN>}}",
            )


def _action(setting: Setting) -> str:
    """What the role has to be allowed; empty where it can't be told what is read."""
    value = setting.place.value
    if address(setting.place) is not None:
        return "secretsmanager:GetSecretValue"
    if isinstance(value, Reference):
        found = setting.place.resource("AWS::SSM::Parameter")
        return "ssm:GetParameters" if found is not None and not value.attribute else ""
    if isinstance(value, str) and value.startswith("arn:") and ":ssm:" in value:
        return "ssm:GetParameters"
    return ""
