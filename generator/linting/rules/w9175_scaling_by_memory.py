"""W9175: scaling by memory."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak

_TRACKING = "TargetTrackingScalingPolicyConfiguration"


class ScalingByMemory(KeycloakRule):
    """The number of nodes follows the memory that Java has taken.

    The heap grows with the first busy hour and Java gives it back reluctantly (the container guide says so),
    so memory tells nothing about how much there is to do. Such a policy adds nodes after the first peak and
    never takes them away. Keycloak's work is in its CPU: password hashes.

    Bad:

        MemoryPolicy:
          Type: AWS::ApplicationAutoScaling::ScalingPolicy
          Properties:
            PolicyName: memory
            PolicyType: TargetTrackingScaling
            ScalingTargetId: !Ref ScalableTarget
            TargetTrackingScalingPolicyConfiguration:
              PredefinedMetricSpecification: {PredefinedMetricType: ECSServiceAverageMemoryUtilization}
              TargetValue: 70
        ScalableTarget:
          Type: AWS::ApplicationAutoScaling::ScalableTarget
          Properties:
            ServiceNamespace: ecs
            ScalableDimension: ecs:service:DesiredCount
            ResourceId: !Sub "service/${Cluster}/${Service.Name}"
            MinCapacity: 2
            MaxCapacity: 6

    Good:

        CpuPolicy:
          Type: AWS::ApplicationAutoScaling::ScalingPolicy
          Properties:
            PolicyName: cpu
            PolicyType: TargetTrackingScaling
            ScalingTargetId: !Ref ScalableTarget
            TargetTrackingScalingPolicyConfiguration:
              PredefinedMetricSpecification: {PredefinedMetricType: ECSServiceAverageCPUUtilization}
              TargetValue: 60
        ScalableTarget:
          Type: AWS::ApplicationAutoScaling::ScalableTarget
          Properties:
            ServiceNamespace: ecs
            ScalableDimension: ecs:service:DesiredCount
            ResourceId: !Sub "service/${Cluster}/${Service.Name}"
            MinCapacity: 2
            MaxCapacity: 6
    """

    id = "W9175"
    shortdesc = "The number of nodes follows their CPU"
    source_url = "https://www.keycloak.org/server/containers"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for service in keycloak.services:
            for policy in service.scaling.policies if service.scaling else ():
                metric = keycloak.view.resolver.properties(policy)[_TRACKING]["PredefinedMetricSpecification"]
                place = metric["PredefinedMetricType"]
                if place.text == "ECSServiceAverageMemoryUtilization":
                    yield Hit.at(
                        place,
                        "nodes are added after the first busy hour and never taken away: Java hardly gives "
                        "back the memory "
                        "that it took",
                        "write PredefinedMetricType: ECSServiceAverageCPUUtilization",
                    )
