"""W9164: roles that may do everything."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_POLICIES = ("/AdministratorAccess", "/PowerUserAccess", "/IAMFullAccess")


class PowerfulRole(KeycloakRule):
    """A role of the task may do everything in the account.

    Keycloak stands in the internet and runs other people's providers and themes. Whoever gets into it has its
    task role: with AdministratorAccess that is the account. The execution role is used by ECS alone, and
    needs no more than to pull one image, write one log and read some secrets.

    Bad:

        TaskRole:
          Properties:
            ManagedPolicyArns: [arn:aws:iam::aws:policy/AdministratorAccess]

    Bad (the same in other words):

        ExecutionRole:
          Properties:
            Policies:
              - PolicyName: all
                PolicyDocument:
                  Version: "2012-10-17"
                  Statement: [{Effect: Allow, Action: "*", Resource: "*"}]

    Good:

        TaskRole:
          Properties: {ManagedPolicyArns: ~}
    """

    id = "W9164"
    shortdesc = "No role of the task may do everything"
    source_url = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        roles = {one.name: one for one in (keycloak.task_role, keycloak.execution_role) if one is not None}
        for role in roles.values():
            places = [one for one in role.managed_policies if str(one.value).endswith(_POLICIES)]
            places += [
                one.place
                for one in role.statements
                if one.effect == "Allow"
                and not one.conditional
                and "*" in one.actions
                and any(resource.text == "*" for resource in one.resources)
            ]
            for place in places:
                yield Hit.at(
                    place,
                    f"whoever gets into Keycloak gets the account: {role.name} may do everything",
                    "name the actions and resources that are needed; Keycloak itself needs none",
                )
