"""E9147: the management port on a public listener."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import may_bar
from generator.linting.view import Keycloak


class ManagementPublic(KeycloakRule):
    """A public listener forwards to Keycloak's management port.

    At that port everything is open to whoever reaches it: `/metrics` tells how many users log in to which
    realm and client and how often they fail, `/health` when the database is down. The reverse proxy guide
    says not to proxy it. Whoever collects the metrics reaches the tasks by their own addresses, inside the
    network.

    Bad:

        MetricsGroup:
          Type: AWS::ElasticLoadBalancingV2::TargetGroup
          Properties: {VpcId: !Ref Vpc, TargetType: ip, Protocol: HTTP, Port: 9000, HealthCheckPath: /health/ready}
        MetricsRule:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: 30
            Conditions: [{Field: path-pattern, PathPatternConfig: {Values: [/metrics]}}]
            Actions: [{Type: forward, TargetGroupArn: !Ref MetricsGroup}]
        Service:
          Properties:
            LoadBalancers:
              - {ContainerName: keycloak, ContainerPort: 8080, TargetGroupArn: !Ref TargetGroup}
              - {ContainerName: keycloak, ContainerPort: 9000, TargetGroupArn: !Ref MetricsGroup}

    Good:

        Service:
          Properties:
            LoadBalancers:
              - {ContainerName: keycloak, ContainerPort: 8080, TargetGroupArn: !Ref TargetGroup}
    """

    id = "E9147"
    shortdesc = "The management port isn't on a public listener"
    source_url = "https://www.keycloak.org/server/management-interface"
    since = (25, 0)

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        port, prefix = keycloak.management_port, keycloak.management_relative_path
        groups = tuple(one.group.name for one in keycloak.targets if one.group and one.container_port == port)
        if port is None or prefix is None or not groups:
            return
        for listener in keycloak.listeners:
            if listener.public is not True or listener.protocol not in ("HTTP", "HTTPS"):
                continue
            for page in ("/metrics", "/health"):
                if may_bar(keycloak.view, listener.balancer, f"{prefix}{page}"):
                    continue
                reached = listener.reached_by(f"{prefix}{page}", groups)
                for decision, _ in reached:
                    yield Hit(
                        decision.path,
                        f"everybody in the internet reads {prefix}{page}: {decision.name} forwards it to Keycloak's "
                        f"management port {port}",
                        f"leave the rule out, and let the collector of the metrics reach the tasks at port {port} by "
                        "a security group",
                    )
                if reached:
                    break
