"""Values for what AWS makes at the deployment: host names of databases and balancers, ARNs, ids.

They look as AWS' do, so that whatever takes them apart finds what it expects.
"""

from __future__ import annotations

from generator.document import Resource
from generator.rehearsing.reading.scene import Scene, label
from generator.resolving import Reference

INSTANCE = "AWS::RDS::DBInstance"
CLUSTER = "AWS::RDS::DBCluster"
PROXY = "AWS::RDS::DBProxy"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"

POSTGRES_PORT = 5432

_PORTS = ("Endpoint.Port", "Port")

# Where AWS puts twelve letters and digits of the account's own.
_OWN = "rehearsal"


class MadeUp:
    """Gives every reference to a resource of the template a value."""

    def __init__(self, scene: Scene):
        self._scene = scene

    def __call__(self, reference: Reference) -> str:
        resource = self._scene.document.resources[reference.logical_id]
        return self._value(resource, reference.attribute)

    def port(self, reference: Reference) -> str | None:
        """The port of a database, which its template tells; None for any other reference."""
        resource = self._scene.document.resources[reference.logical_id]
        is_port = resource.type in (INSTANCE, CLUSTER) and reference.attribute in _PORTS
        return self._value(resource, reference.attribute) if is_port else None

    def has_host(self, reference: Reference) -> bool:
        """Whether the value is the name or the port of a host that a rehearsal has."""
        kind = self._scene.document.resources[reference.logical_id].type
        return kind in (INSTANCE, CLUSTER, PROXY, BALANCER) and reference.attribute.startswith(
            ("Endpoint", "Port", "DNSName")
        )

    def _value(self, resource: Resource, attribute: str) -> str:
        scene = self._scene
        resolver = scene.resolver
        domain = f"{scene.region}.{'rds.' if resource.type.startswith('AWS::RDS') else 'elb.'}{self._suffix}"
        if resource.type in (INSTANCE, CLUSTER) and attribute in _PORTS:
            port = resolver.properties(resource)["Port"].integer
            return str(port or POSTGRES_PORT)
        if resource.type == INSTANCE and attribute == "Endpoint.Address":
            return f"{self._name(resource, 'DBInstanceIdentifier')}.{_OWN}.{domain}"
        if resource.type == CLUSTER and attribute in ("Endpoint", "Endpoint.Address", "ReadEndpoint.Address"):
            reading = "-ro" if attribute.startswith("Read") else ""
            return f"{self._name(resource, 'DBClusterIdentifier')}.cluster{reading}-{_OWN}.{domain}"
        if resource.type == PROXY and attribute == "Endpoint":
            return f"{self._name(resource, 'DBProxyName')}.proxy-{_OWN}.{domain}"
        if resource.type == BALANCER and attribute == "DNSName":
            inside = "internal-" if resolver.properties(resource)["Scheme"].text == "internal" else ""
            return f"{inside}{self._name(resource, 'Name')}-1234567890.{domain}"
        if resource.type == "AWS::ECR::Repository" and attribute == "RepositoryUri":
            repository = resolver.properties(resource)["RepositoryName"].text
            repository = repository or self._name(resource, "RepositoryName")
            return f"{resolver.account}.dkr.ecr.{scene.region}.{self._suffix}/{repository}"
        if resource.type == "AWS::ServiceDiscovery::Service" and attribute == "Name":
            return label(resource.logical_id)
        named = _NAMED_BY_REF.get(resource.type, "")
        if not attribute and (given := resolver.properties(resource)[named].text):
            return given
        name = label(f"{resolver.stack_name}-{resource.logical_id}")
        if attribute.endswith("Arn") or (not attribute and resource.type in _ARN_BY_REF):
            service = label(resource.type.split("::")[1] if "::" in resource.type else "custom")
            partition = {"amazonaws.com.cn": "aws-cn"}.get(self._suffix, "aws")
            return f"arn:{partition}:{service}:{scene.region}:{resolver.account}:{name}"
        return f"{name}-{label(attribute)}" if attribute else name

    @property
    def _suffix(self) -> str:
        return "amazonaws.com.cn" if self._scene.region.startswith("cn-") else "amazonaws.com"

    def _name(self, resource: Resource, key: str) -> str:
        """The name a resource is given, else one as CloudFormation would make from stack and logical id."""
        resolver = self._scene.resolver
        given = resolver.properties(resource)[key].text
        return label(given or f"{resolver.stack_name}-{resource.logical_id}")


_ARN_BY_REF = {
    BALANCER,
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
}

_NAMED_BY_REF = {
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::S3::Bucket": "BucketName",
    "AWS::SSM::Parameter": "Name",
}
"""Resources whose Ref is a name that the template may give them."""
