"""Where a service's tasks run, and how many."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.checks.base import integer, is_given, items
from generator.linting.checks.ecs import SERVICE
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class LaunchTypeOrProviders(Rule):
    """A service runs by launch type or by capacity providers, and one provider at most can have a base."""

    id = "E9508"
    shortdesc = "A service has a launch type or a capacity provider strategy, with one base"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for service in view.document.of_type(SERVICE):
            providers = items(service.properties, "CapacityProviderStrategy")
            path = (*service.path, "Properties", "CapacityProviderStrategy")
            if providers and is_given(service.properties.get("LaunchType")):
                yield Hit(path, "not possible together with LaunchType", "keep one of the two")
            based = [index for index, provider in providers if integer(provider.get("Base"))]
            if len(based) > 1:
                yield Hit((*path, based[1], "Base"), "only one capacity provider can have a Base")
            if len(providers) > 1 and all(
                integer(provider.get("Weight", 0)) == 0 for _, provider in providers
            ):
                yield Hit(path, "no capacity provider has a Weight above 0, so no task could be placed")


class ScalingRange(Rule):
    """Application Auto Scaling refuses a range that is upside down."""

    id = "E9509"
    shortdesc = "MinCapacity is at most MaxCapacity"
    source_url = (
        "https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html"
    )

    def hits(self, view: View) -> Iterator[Hit]:
        for scaled in view.document.of_type("AWS::ApplicationAutoScaling::ScalableTarget"):
            low = integer(scaled.properties.get("MinCapacity"))
            high = integer(scaled.properties.get("MaxCapacity"))
            if low is not None and high is not None and low > high:
                path = (*scaled.path, "Properties", "MinCapacity")
                yield Hit(path, f"MinCapacity {low} is above MaxCapacity {high}")
