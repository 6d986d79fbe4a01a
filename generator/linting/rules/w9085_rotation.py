"""W9085: passwords that change under way."""

from __future__ import annotations

from collections.abc import Iterator

from generator.document import Resource
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._secrets import ATTACHMENT, SECRET, address
from generator.linting.view import Keycloak, View
from generator.linting.view.databases import CLUSTER, INSTANCE

# What may start tasks anew after a rotation.
_LISTENERS = ("AWS::Events::Rule", "AWS::Scheduler::Schedule", "AWS::Serverless::Function")


class Rotation(KeycloakRule):
    """The database's password is rotated, and running tasks keep the old one.

    ECS reads a secret when a task starts and never again. After a rotation the connections that are open
    stay, but each new one is refused ("password authentication failed"): the pool dries up, logins fail, and
    it looks like a broken database. What RDS manages (ManageMasterUserPassword) is rotated every seven days
    unless you say otherwise.

    Something has to start the tasks anew after each rotation (`aws ecs update-service
    --force-new-deployment`), or Keycloak gets a user of its own that isn't rotated. The rule is silent where
    the template has an event rule or a schedule that may do it.

    Bad:

        Database:
          Properties: {ManageMasterUserPassword: true, MasterUserPassword: ~}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - Name: KC_DB_USERNAME
                    ValueFrom: !Sub "${Database.MasterUserSecret.SecretArn}:username::"
                  - Name: KC_DB_PASSWORD
                    ValueFrom: !Sub "${Database.MasterUserSecret.SecretArn}:password::"

    Bad (a schedule of one's own):

        RotateEveryMonth:
          Type: AWS::SecretsManager::RotationSchedule
          Properties:
            SecretId: !Ref DatabaseSecret
            RotationRules: {AutomaticallyAfterDays: 30}

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Secrets:
                  - {Name: KC_DB_PASSWORD, ValueFrom: !Sub "${DatabaseSecret}:password::"}
    """

    id = "W9085"
    shortdesc = "Tasks start anew when the database's password is rotated"
    source_url = (
        "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html"
    )

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        password, view = keycloak.options.get("db-password"), keycloak.view
        named = address(password.place) if password and password.secret else None
        if password is None or named is None or named.resource is None:
            return
        if view.resolver.resources(*_LISTENERS):
            return
        secret = named.resource
        if secret.type in (INSTANCE, CLUSTER):
            what = f"RDS rotates that of {secret.logical_id}, every seven days unless you say otherwise"
        elif (schedule := _schedule(view, secret)) is not None:
            what = f"{schedule.logical_id} rotates it"
        else:
            return
        yield Hit.at(
            password.place,
            f"logins fail some time after the password changed: {what}, and tasks read it when they start",
            "start the tasks anew after each rotation (an event rule on it, update-service "
            "--force-new-deployment), or give "
            "Keycloak a database user that isn't rotated",
        )


def _schedule(view: View, secret: Resource) -> Resource | None:
    for one in view.resolver.resources("AWS::SecretsManager::RotationSchedule"):
        named = view.resolver.properties(one)["SecretId"].resource(SECRET, ATTACHMENT)
        if named is not None and named.type == ATTACHMENT:
            named = view.resolver.properties(named)["SecretId"].resource(SECRET)
        if named is secret:
            return one
    return None
