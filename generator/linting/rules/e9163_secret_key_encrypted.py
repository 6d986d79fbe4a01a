"""E9163: a secret under a key of one's own."""

from __future__ import annotations

from collections.abc import Iterator

from generator.document import Resource
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._secrets import SECRET, address
from generator.linting.view import Keycloak
from generator.resolving import Place

_KEY = "AWS::KMS::Key"


class SecretKeyEncrypted(KeycloakRule):
    """The execution role may not decrypt a secret that is encrypted with a KMS key of the template.

    Secrets Manager decrypts with the rights of whoever asks. With the key that AWS manages that needs
    nothing; with a key of one's own the execution role needs `kms:Decrypt` on it. Without it no task starts:
    "ResourceInitializationError: ... AccessDeniedException: Access to KMS is not allowed".

    The rule looks at keys whose policy leaves it to IAM, as the usual one does (the account's root may do
    everything).

    Bad:

        SecretsKey:
          Type: AWS::KMS::Key
          DeletionPolicy: Retain
          UpdateReplacePolicy: Retain
          Properties:
            KeyPolicy:
              Version: "2012-10-17"
              Statement:
                - Effect: Allow
                  Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}
                  Action: kms:*
                  Resource: "*"
        DatabaseSecret:
          Properties: {KmsKeyId: !GetAtt SecretsKey.Arn}

    Good:

        SecretsKey:
          Type: AWS::KMS::Key
          DeletionPolicy: Retain
          UpdateReplacePolicy: Retain
          Properties:
            KeyPolicy:
              Version: "2012-10-17"
              Statement:
                - Effect: Allow
                  Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}
                  Action: kms:*
                  Resource: "*"
        DatabaseSecret:
          Properties: {KmsKeyId: !GetAtt SecretsKey.Arn}
        ReadSecrets:
          Type: AWS::IAM::Policy
          Properties:
            PolicyName: read-secrets
            Roles: [!Ref ExecutionRole]
            PolicyDocument:
              Version: "2012-10-17"
              Statement:
                - {Effect: Allow, Action: "kms:Decrypt", Resource: !GetAtt SecretsKey.Arn}
    """

    id = "E9163"
    shortdesc = "The execution role may decrypt the container's secrets"
    source_url = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        role = keycloak.execution_role
        if role is None:
            return
        said = set()
        for setting in keycloak.options.settings:
            named = address(setting.place) if setting.secret else None
            if named is None or named.resource is None or named.resource.logical_id in said:
                continue
            said.add(named.resource.logical_id)
            place = _key_place(keycloak, named.resource)
            key = place.resource(_KEY)
            if key is None or not _left_to_iam(keycloak, key):
                continue
            if role.allows("kms:Decrypt", place) is not False:
                continue
            yield Hit.at(
                place,
                f"no task starts (ResourceInitializationError): {role.name} may not decrypt with "
                f"{key.logical_id}, under "
                f"which {setting.name} is kept",
                f"add to a policy of {role.name}: "
                f"{{Effect: Allow, Action: \"kms:Decrypt\", Resource: !GetAtt "
                f"{key.logical_id}.Arn}}",
            )


def _key_place(keycloak: Keycloak, secret: Resource) -> Place:
    properties = keycloak.view.resolver.properties(secret)
    return properties["KmsKeyId"] if secret.type == SECRET else properties["MasterUserSecret"]["KmsKeyId"]


def _left_to_iam(keycloak: Keycloak, key: Resource) -> bool:
    """Whether the key's policy surely names nobody but the account itself."""
    policy = keycloak.view.resolver.properties(key)["KeyPolicy"]
    statements = list(policy["Statement"])
    if not statements or policy.unknown is not None:
        return False
    for statement in statements:
        if statement["Effect"].text == "Deny":
            continue
        principals = list(statement["Principal"]["AWS"])
        if not principals and not statement["Principal"]["Service"]:
            return False
        if not all(str(one.value).endswith(":root") for one in principals):
            return False
    return True
