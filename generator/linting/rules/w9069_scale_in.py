"""W9069: how many nodes automatic scaling takes away."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.view import Keycloak
from generator.linting.view.services import Service
from generator.resolving import Place

_LEAST_COOLDOWN = 60


class ScaleIn(KeycloakRule):
    """Automatic scaling takes several nodes away at once, or one shortly after the other.

    Caches keep two copies of an entry. They copy what a leaving node held, but only once the nodes that are
    left know that it is gone; where two go together, logins under way and the counts of failed attempts are
    lost. Keycloak asks for one node at a time. A cooldown of less than a minute takes the next node while the
    last one is still being drained.

    Bad (two at once):

        ScaleInPolicy:
          Type: AWS::ApplicationAutoScaling::ScalingPolicy
          Properties:
            PolicyName: in
            PolicyType: StepScaling
            ScalingTargetId: !Ref ScalableTarget
            StepScalingPolicyConfiguration:
              AdjustmentType: ChangeInCapacity
              StepAdjustments: [{MetricIntervalUpperBound: 0, ScalingAdjustment: -2}]
        ScalableTarget:
          Type: AWS::ApplicationAutoScaling::ScalableTarget
          Properties:
            ServiceNamespace: ecs
            ScalableDimension: ecs:service:DesiredCount
            ResourceId: !Sub "service/${Cluster}/${Service.Name}"
            MinCapacity: 2
            MaxCapacity: 6

    Bad (the next one after ten seconds):

        ScalingPolicy:
          Type: AWS::ApplicationAutoScaling::ScalingPolicy
          Properties:
            PolicyName: cpu
            PolicyType: TargetTrackingScaling
            ScalingTargetId: !Ref ScalableTarget
            TargetTrackingScalingPolicyConfiguration:
              PredefinedMetricSpecification: {PredefinedMetricType: ECSServiceAverageCPUUtilization}
              TargetValue: 60
              ScaleInCooldown: 10
        ScalableTarget:
          Type: AWS::ApplicationAutoScaling::ScalableTarget
          Properties:
            ServiceNamespace: ecs
            ScalableDimension: ecs:service:DesiredCount
            ResourceId: !Sub "service/${Cluster}/${Service.Name}"
            MinCapacity: 2
            MaxCapacity: 6

    Good:

        ScaleInPolicy:
          Type: AWS::ApplicationAutoScaling::ScalingPolicy
          Properties:
            PolicyName: in
            PolicyType: StepScaling
            ScalingTargetId: !Ref ScalableTarget
            StepScalingPolicyConfiguration:
              AdjustmentType: ChangeInCapacity
              Cooldown: 300
              StepAdjustments: [{MetricIntervalUpperBound: 0, ScalingAdjustment: -1}]
        ScalableTarget:
          Type: AWS::ApplicationAutoScaling::ScalableTarget
          Properties:
            ServiceNamespace: ecs
            ScalableDimension: ecs:service:DesiredCount
            ResourceId: !Sub "service/${Cluster}/${Service.Name}"
            MinCapacity: 2
            MaxCapacity: 6
    """

    id = "W9069"
    shortdesc = "Automatic scaling takes one node away at a time"
    source_url = "https://www.keycloak.org/docs/latest/upgrading/"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        if keycloak.clustered is False:
            return
        for service in keycloak.services:
            for policy in service.scaling.policies if service.scaling else ():
                properties = keycloak.view.resolver.properties(policy)
                yield from self._steps(service, properties["StepScalingPolicyConfiguration"])
                yield from self._tracking(properties["TargetTrackingScalingPolicyConfiguration"])

    def _steps(self, service: Service, steps: Place) -> Iterator[Hit]:
        kind = steps["AdjustmentType"].text
        takes = False
        for step in steps["StepAdjustments"]:
            place = step["ScalingAdjustment"]
            number = place.integer
            if number is None or number >= 0 or kind not in ("ChangeInCapacity", "PercentChangeInCapacity"):
                continue
            takes = True
            most = service.most_tasks
            if kind == "PercentChangeInCapacity":
                number = -(most * -number // 100) if most is not None else 0
            if number <= -2:
                yield Hit.at(
                    place,
                    f"logins under way are lost when it gets quiet: {-number} nodes are taken away at once, "
                    "and caches "
                    "have two copies",
                    "write AdjustmentType: ChangeInCapacity and ScalingAdjustment: -1",
                )
        if takes:
            yield from self._cooldown(steps["Cooldown"])

    def _tracking(self, tracking: Place) -> Iterator[Hit]:
        if tracking["DisableScaleIn"].flag is not True:
            yield from self._cooldown(tracking["ScaleInCooldown"])

    def _cooldown(self, place: Place) -> Iterator[Hit]:
        seconds = place.integer
        if seconds is not None and seconds < _LEAST_COOLDOWN:
            yield Hit.at(
                place,
                f"the next node is taken away {seconds} s after the last one, while that one is still being "
                "drained and "
                "its entries are copied",
                "write 300",
            )
