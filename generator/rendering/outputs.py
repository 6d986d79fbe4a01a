"""Outputs of the stack: what the runbook, the drill and the person on call look for."""

from __future__ import annotations

from dataclasses import dataclass

from generator.keycloak.environment import ServerEnvironment, namespace_name
from generator.params.model import Settings
from generator.rendering.expressions import cluster_name, quoted, ref


@dataclass(frozen=True)
class Output:
    """One output; `value` is a YAML expression."""

    name: str
    description: str
    value: str


def outputs(settings: Settings, server: ServerEnvironment, environment: str) -> tuple[Output, ...]:
    """Every output of an environment, in reading order."""
    base, admin = settings.base_path, settings.keycloak.admin
    found = [Output("Url", "Public address", quoted(f"{settings.keycloak.hostname}{base}/"))]
    if admin.hostname:
        found.append(Output("AdminUrl", "Admin console", quoted(f"{admin.hostname}{base}/admin/master/console/")))
    if settings.mutual_tls_port:
        found.append(Output("MutualTlsUrl", "Where clients show certificates",
                            quoted(f"{settings.load_balancer.client_certificates.url}{base}/")))
    found += [
        Output("LoadBalancerDnsName", "Where the public host must point", "!GetAtt LoadBalancer.DNSName"),
        Output("LoadBalancerZone", "Hosted zone for an alias record", "!GetAtt LoadBalancer.CanonicalHostedZoneID"),
    ]
    if settings.admin_internal:
        found.append(Output("AdminLoadBalancerDnsName", "Where the admin host must point",
                            "!GetAtt AdminLoadBalancer.DNSName"))
    found += [
        Output("TargetGroupArn", "For target health", "!Ref TargetGroup"),
        Output("ClusterName", "ECS cluster", cluster_name(settings)),
        Output("ServiceName", "ECS service", "!GetAtt Service.Name"),
        Output("TaskDefinitionArn", "What the tasks run", "!Ref TaskDefinition"),
        Output("LogGroupName", "Keycloak's log", "!Ref LogGroup"),
    ]
    if settings.keycloak.discovery == "dns":
        found += [
            Output("NamespaceName", "Cloud Map namespace", quoted(namespace_name(settings, environment))),
            Output("DiscoveryName", "Name that nodes look each other up by", quoted(server.discovery_name)),
            Output("DiscoveryServiceId", "Cloud Map service", "!Ref DiscoveryService"),
        ]
    found.append(Output("BootstrapAdminSecretArn", "First administrator", "!Ref BootstrapAdminSecret"))
    if settings.database.create:
        found += [
            Output("DatabaseSecretArn", "Database user", "!Ref DatabaseSecret"),
            Output("DatabaseInstance", "RDS instance", "!Ref Database"),
            Output("DatabaseEndpoint", "Database address", "!GetAtt Database.Endpoint.Address"),
        ]
    if settings.alarms:
        topic = ref("AlarmTopic") if settings.alarms.topic == "create" else quoted(settings.alarms.topic)
        found.append(Output("AlarmTopicArn", "Where alarms go", topic))
    return tuple(found)
