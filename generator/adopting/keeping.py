"""Logical ids of a stack that is there: which of its resources go on under the names they have, and what
wouldn't.

CloudFormation knows a resource by its logical id. Where the new template uses the same one, the resource is
updated; else a second one is made and the first deleted. Some properties replace a resource even then (the
pages of the resource types in AWS' template reference, "Update requires: Replacement").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from generator.adopting.draft import fits
from generator.adopting.scene import Scene
from generator.document import Resource
from generator.resolving import Place, Reference, Text
from generator.reviewing.effects import CONDITIONAL, REPLACEMENT, effect_of

_ELB = "AWS::ElasticLoadBalancingV2::"

_NAMES = {
    "AWS::RDS::DBInstance": "DBInstanceIdentifier",
    "AWS::SecretsManager::Secret": "Name",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::ECS::Service": "ServiceName",
    _ELB + "LoadBalancer": "Name",
    _ELB + "TargetGroup": "Name",
    "AWS::RDS::DBSubnetGroup": "DBSubnetGroupName",
    "AWS::ServiceDiscovery::PrivateDnsNamespace": "Name",
    "AWS::ServiceDiscovery::Service": "Name",
}
"""Type -> the property that names a thing; params say it in `stack.physical_names`."""

_FIXED = {
    "AWS::RDS::DBInstance": {"Engine": "postgres", "StorageEncrypted": "true"},
    _ELB + "LoadBalancer": {"Type": "application"},
    _ELB + "TargetGroup": {"Port": "8080", "Protocol": "HTTP", "TargetType": "ip"},
    "AWS::ServiceDiscovery::Service": {
        "DnsConfig.RoutingPolicy": "MULTIVALUE",
        "HealthCheckCustomConfig.FailureThreshold": "1",
    },
    "AWS::ECS::Service": {"LaunchType": "FARGATE"},
}
"""Type -> what rendering writes into properties that replace a thing where they change."""

_OWN = {
    "AWS::RDS::DBInstance": {
        "DBSubnetGroupName",
        "DBParameterGroupName",
        "AutoMinorVersionUpgrade",
        "BackupRetentionPeriod",
        "MultiAZ",
        "PreferredMaintenanceWindow",
    },
    _ELB + "TargetGroup": {"VpcId"},
    _ELB + "Listener": {"LoadBalancerArn"},
    "AWS::ServiceDiscovery::PrivateDnsNamespace": {"Vpc"},
    "AWS::ECS::Service": {"Cluster"},
    "AWS::RDS::DBParameterGroup": {"Family", "Description"},
    "AWS::CertificateManager::Certificate": {"SubjectAlternativeNames", "DomainValidationOptions"},
}
"""Type -> properties of that kind which rendering writes as they are, or as params say."""

_WAYS_OUT = {
    "StorageEncrypted": " (copy a snapshot with a key before, and write the copy as database.create.snapshot)"
}
"""Property -> how what it holds comes along all the same."""

_GENERATED = {"GenerateStringKey": "password", "PasswordLength": "32", "ExcludeCharacters": "$\\/\"@ '`"}
"""How passwords are made that are rendered (templates/resources/secrets.yaml.j2)."""

_DATA = (
    "AWS::RDS::DBInstance",
    "AWS::RDS::DBCluster",
    "AWS::SecretsManager::Secret",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::ServiceDiscovery::PrivateDnsNamespace",
    "AWS::ServiceDiscovery::Service",
    _ELB + "TargetGroup",
    _ELB + "LoadBalancer",
    "AWS::ECS::Service",
    "AWS::EFS::FileSystem",
    "AWS::S3::Bucket",
    "AWS::DynamoDB::Table",
    "AWS::EC2::VPC",
)
"""What holds data, or is known to others by its address."""


@dataclass(frozen=True)
class Kept:
    """What becomes of one resource when the new template updates the stack."""

    theirs: str
    """Its logical id."""
    type: str
    ours: str
    """What this project calls it; empty where it renders no such thing."""
    replaced: tuple[str, ...] = ()
    """Why it is replaced all the same; empty where it is kept."""
    deleted: str = ""
    """What its removal does, where it is removed."""

    @property
    def verdict(self) -> str:
        """In a few words."""
        return (
            self.deleted or ("; ".join(self.replaced) and f"replaced: {'; '.join(self.replaced)}") or "kept"
        )


def keep(scene: Scene) -> list[Kept]:
    """Writes `stack.logical_ids` and `stack.physical_names`, and says what becomes of each resource that matters."""
    pairs = {ours: one for ours, one in _pairs(scene) if one is not None}
    taken: set[str] = set()
    found = []
    for ours, resource in pairs.items():
        if resource.logical_id in taken:
            continue
        taken.add(resource.logical_id)
        if resource.type == "AWS::SecretsManager::Secret" and not _made_alike(scene, resource):
            # Under its old id it would get a new password that the database doesn't know: CloudFormation sees
            # no change in a dynamic reference. Under a new id the reference changes, and the database gets
            # the password.
            found.append(
                Kept(
                    resource.logical_id,
                    resource.type,
                    "",
                    (),
                    "a new secret with a new password takes its place"
                    + (
                        ", which the database gets in the same update"
                        if ours == "DatabaseSecret"
                        else "; the administrator's own stays as it is, write it down"
                    ),
                )
            )
            continue
        if ours != resource.logical_id:
            scene.draft.set(f"stack.logical_ids.{ours}", resource.logical_id)
        found.append(Kept(resource.logical_id, resource.type, ours, tuple(_replaced(scene, resource, ours))))
    found = list(_with_owners(found))
    for one in found:
        # What is replaced can't take its old name along: the new one is made before the old one goes.
        if one.ours and not one.replaced:
            resource = scene.view.document.resources[one.theirs]
            name = scene.view.resolver.properties(resource)[_NAMES.get(one.type, "")]
            if name:
                scene.draft.set(f"stack.physical_names.{one.ours}", name.text)
    for resource in scene.view.document.resources.values():
        if resource.type in _DATA and resource.logical_id not in taken and not _rendered(scene, resource):
            policy = resource.attributes.get("DeletionPolicy", "Delete")
            what = (
                "leaves the stack and stays"
                if policy in ("Retain", "RetainExceptOnCreate")
                else ("deleted, with a last snapshot" if policy == "Snapshot" else "deleted")
            )
            found.append(Kept(resource.logical_id, resource.type, "", (), what))
    return found


_OWNERS = {
    "Service": "Cluster",
    "DiscoveryService": "DiscoveryNamespace",
    "HttpsListener": "LoadBalancer",
    "HttpListener": "LoadBalancer",
    "Database": "DatabaseSubnetGroup",
}
"""What is replaced when another resource is, since it names that one in a property that can't change."""


def _with_owners(found: list[Kept]) -> Iterator[Kept]:
    """The same, with those replaced whose owner is replaced, or is one that the stack doesn't have."""
    by_name = {one.ours: one for one in found}
    for one in found:
        owner = _OWNERS.get(one.ours)
        if owner and owner in by_name and by_name[owner].replaced:
            yield replace(
                one, replaced=(*one.replaced, f"it belongs to {by_name[owner].theirs}, which is replaced")
            )
        elif owner and owner not in by_name and one.ours in ("Database", "DiscoveryService"):
            yield replace(one, replaced=(*one.replaced, f"it gets a {owner} of the stack's own"))
        else:
            yield one


def _made_alike(scene: Scene, secret: Resource) -> bool:
    """Whether a secret is made as those that are rendered, so that an update leaves its value alone."""
    generated = scene.view.resolver.properties(secret)["GenerateSecretString"]
    return all(generated[key].text == value for key, value in _GENERATED.items())


def _rendered(scene: Scene, resource: Resource) -> bool:
    """Whether rendering makes the very same thing under the very same id: a network, its flow log."""
    return (
        scene.draft.has("network.create")
        and resource.logical_id in ("Vpc", "FlowLogGroup")
        or (
            resource.logical_id in ("AdminLoadBalancer", "AdminTargetGroup")
            and scene.draft.value("keycloak.admin.balancer") == "internal"
        )
    )


def _pairs(scene: Scene) -> Iterator[tuple[str, Resource | None]]:
    keycloak, draft = scene.keycloak, scene.draft
    service = scene.service
    yield "TaskDefinition", keycloak.task
    if service is not None:
        yield "Service", service.resource
        if not draft.has("service.cluster"):
            yield "Cluster", service.properties["Cluster"].resource("AWS::ECS::Cluster")
    for group in keycloak.target_groups[:1]:
        yield "TargetGroup", group.resource
    owner, secure = scene.balancer, scene.listener
    if owner is not None:
        yield "LoadBalancer", owner.resource
        plain = [one for one in owner.listeners if one.protocol == "HTTP" and one.port == 80]
        yield "HttpListener", scene.view.document.resources.get(plain[0].name) if plain else None
    if secure is not None:
        yield "HttpsListener", scene.view.document.resources.get(secure.name)
        if draft.value("load_balancer.certificate") == "create":
            first = next(iter(secure.properties["Certificates"]), None)
            yield "Certificate", (
                first["CertificateArn"].resource("AWS::CertificateManager::Certificate")
                if first is not None
                else None
            )
    if draft.value("keycloak.discovery") != "database":
        for registration in keycloak.registrations[:1]:
            if registration.entry is not None:
                yield "DiscoveryService", registration.entry.resource
                namespace = registration.entry.namespace
                if namespace is not None and namespace.type == "AWS::ServiceDiscovery::PrivateDnsNamespace":
                    yield "DiscoveryNamespace", namespace
    options = keycloak.container["LogConfiguration"]["Options"]
    yield "LogGroup", options["awslogs-group"].resource("AWS::Logs::LogGroup")
    execution, task = keycloak.execution_role, keycloak.task_role
    for ours, role in (("ExecutionRole", execution), ("TaskRole", task)):
        yield ours, scene.view.document.resources.get(role.name) if role is not None else None
    if draft.has("database.create") and keycloak.database is not None:
        database = keycloak.database
        yield "Database", database.resource
        yield "DatabaseSubnetGroup", database.subnet_group
        yield "DatabaseParameters", database.parameter_group
        yield "DatabaseSecret", _secret(scene, "db-password")
    yield "BootstrapAdminSecret", _secret(scene, "bootstrap-admin-password") or _secret_of(
        scene, "KEYCLOAK_ADMIN_PASSWORD"
    )


def _secret(scene: Scene, key: str) -> Resource | None:
    setting = scene.keycloak.options.get(key)
    return _named(scene, setting.place) if setting is not None else None


def _secret_of(scene: Scene, variable: str) -> Resource | None:
    setting = scene.keycloak.options.variable(variable)
    return _named(scene, setting.place) if setting is not None else None


def _named(scene: Scene, place: Place) -> Resource | None:
    value = place.value
    references = (
        value.references if isinstance(value, Text) else (value,) if isinstance(value, Reference) else ()
    )
    for one in references:
        found = scene.view.document.resources.get(one.logical_id)
        if found is not None and found.type == "AWS::SecretsManager::Secret":
            return found
    return None


def _replaced(scene: Scene, resource: Resource, ours: str) -> Iterator[str]:
    """Why a resource is replaced though its logical id stays."""
    if resource.type == "AWS::ECS::TaskDefinition":
        return  # a new revision is no loss
    properties, name = scene.view.resolver.properties(resource), _NAMES.get(resource.type, "")
    if resource.type == "AWS::RDS::DBParameterGroup":
        if not (properties["Description"].text or "").startswith("Database of "):
            yield "Description becomes Database of STACK"
    key, written = f"stack.physical_names.{ours}", properties[name].text
    if properties[name] and written is None:
        yield f"{name} can't be read from the template alone: write it as {key}"
    elif properties[name] and not fits(key, written):
        yield f"{name} can't be {written}"
    fixed = {**_FIXED.get(resource.type, {}), **_chosen(scene, resource.type)}
    for path, value in fixed.items():
        place = properties
        for step in path.split("."):
            place = place[step]
        if not place and value is not None:
            yield f"{path} isn't written, and becomes {value}{_WAYS_OUT.get(path, '')}"
        elif place and value is None:
            yield f"{path} is written, and rendering writes none"
        elif place and place.text != value:
            yield f"{path} becomes {value}{_WAYS_OUT.get(path, '')}"
    known = {name, *(path.partition(".")[0] for path in fixed), *_OWN.get(resource.type, ())}
    for one in resource.properties:
        if one not in known and effect_of(resource.type, (one,), "", None)[0] in (REPLACEMENT, CONDITIONAL):
            yield f"{one} is written, and rendering writes none"


def _chosen(scene: Scene, type_: str) -> dict[str, str | None]:
    """What params write into properties that replace a thing; None for what they leave out."""
    draft = scene.draft
    if type_ == _ELB + "LoadBalancer":
        return {"Scheme": draft.value("load_balancer.scheme") or "internet-facing"}
    if type_ == "AWS::CertificateManager::Certificate":
        return {"DomainName": str(draft.value("keycloak.hostname") or "").removeprefix("https://")}
    if type_ != "AWS::RDS::DBInstance":
        return {}
    found = {
        "KmsKeyId": draft.value("database.create.kms_key"),
        "DBSnapshotIdentifier": draft.value("database.create.snapshot"),
    }
    if not found["DBSnapshotIdentifier"]:
        found["DBName"] = draft.value("database.name") or "keycloak"
        found["MasterUsername"] = draft.value("database.username") or "keycloak"
    return found
