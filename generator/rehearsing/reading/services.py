"""The ECS service that runs Keycloak: which of a template's services it is, and how ECS keeps its tasks
running."""

from __future__ import annotations

import re
from dataclasses import dataclass

from generator.document import Resource
from generator.rehearsing.reading.scene import Scene
from generator.rehearsing.topology import Service
from generator.resolving import Place

SERVICE = "AWS::ECS::Service"
TASK_DEFINITION = "AWS::ECS::TaskDefinition"
SCALABLE_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"

_WILDFLY = ("DB_VENDOR", "DB_ADDR", "JGROUPS_DISCOVERY_PROTOCOL", "KEYCLOAK_USER")
_START = re.compile(r"start(-dev)?|.*kc\.sh")


@dataclass(frozen=True)
class Found:
    """The service, its task definition and the container that runs Keycloak."""

    service: Resource
    task: Resource
    container: Place


def find(scene: Scene, wanted: str = "") -> Found | None:
    """The service that runs Keycloak; None, with problems, where there is none or it can't be told which.

    `wanted` is the logical id of the one to take where several do.
    """
    resolver = scene.resolver
    services = [one for one in resolver.resources(SERVICE) if not wanted or one.logical_id == wanted]
    ranked: list[tuple[int, Found]] = []
    elsewhere: list[Resource] = []
    for service in services:
        task = resolver.properties(service)["TaskDefinition"].resource(TASK_DEFINITION)
        if task is None:
            elsewhere.append(service)
            continue
        containers = scene.known_list(
            resolver.properties(task)["ContainerDefinitions"], "the list of containers"
        )
        best = max(containers, key=_likeness, default=None)
        if best is not None and _likeness(best) > 1:
            ranked.append((_likeness(best), Found(service, task, best)))
    # A client of Keycloak may look a little like it; the server looks most like it.
    top = [found for likeness, found in ranked if likeness == max(ranked, key=lambda one: one[0])[0]]
    if len(top) == 1:
        return top[0]
    if top:
        names = ", ".join(f"{one.service.logical_id} (line {one.service.line})" for one in top)
        scene.problem(top[0].service.line, f"several services run Keycloak: {names}", "give --service NAME")
    elif elsewhere:
        for service in elsewhere:
            place = resolver.properties(service)["TaskDefinition"]
            message = f"the task definition of {service.logical_id} isn't in the template"
            scene.problem(place, message, "rehearse the template that holds it")
    elif services:
        for service in services:
            message = (
                f"{service.logical_id} runs no Keycloak: no image is called so, no variable begins with KC_"
            )
            scene.problem(service.line, message)
    else:
        _nothing(scene, wanted)
    return None


def _nothing(scene: Scene, wanted: str) -> None:
    """A problem that says why there is no service at all."""
    nested = scene.resolver.resources("AWS::CloudFormation::Stack")
    section = scene.document.data.get("Resources")
    loops = [
        key for key in (section if isinstance(section, dict) else ()) if str(key).startswith("Fn::ForEach")
    ]
    if wanted:
        message, fix = f"there is no ECS service {wanted}", "name the logical id of an AWS::ECS::Service"
    elif nested:
        message, fix = (
            "there is no ECS service, but nested stacks",
            "rehearse the template of the nested stack",
        )
    elif loops:
        message = "there is no ECS service, but Fn::ForEach, which only AWS expands"
        fix = "write its resources out"
    else:
        message, fix = "there is no ECS service", "rehearse a template that holds an AWS::ECS::Service"
    line = scene.document.line(("Resources",))
    scene.problem(nested[0].line if nested else line, message, fix)


def _likeness(container: Place) -> int:
    """How much a container looks like a Keycloak server: 2 is enough."""
    image = str(container["Image"].value).split("@")[0].rsplit("/", 1)[-1].split(":")[0]
    words = re.split(r"[-_.]", image)
    names = [one["Name"].text or "" for key in ("Environment", "Secrets") for one in container[key]]
    score = 2 if image in ("keycloak", "keycloakx", "keycloak-server") else 0
    score += 1 if not score and "keycloak" in (words[0], words[-1]) else 0
    score += 2 if any(name.startswith("KC_") for name in names) else 0
    score += 2 if any(name.startswith(("KC_DB", "KC_HOSTNAME", "KC_CACHE")) for name in names) else 0
    score += 1 if any(_START.fullmatch(one.text or "") for one in container["Command"]) else 0
    return score


def read(scene: Scene, found: Found, groups: tuple[str, ...], subnets: tuple[str, ...]) -> Service:
    """How ECS keeps the tasks running; problems for what can't be rehearsed."""
    resolver = scene.resolver
    service = found.service
    properties = resolver.properties(service)
    what = f"the {{}} of {service.logical_id}"
    if (
        scene.text(properties["SchedulingStrategy"], what.format("scheduling strategy"), "REPLICA")
        == "DAEMON"
    ):
        scene.problem(
            properties["SchedulingStrategy"],
            f"{service.logical_id} runs one task on each instance (DAEMON)",
            "only services with a number of tasks are rehearsed",
        )
    controller = scene.text(
        properties["DeploymentController"]["Type"], what.format("deployment controller"), "ECS"
    )
    strategy = scene.text(
        properties["DeploymentConfiguration"]["Strategy"], what.format("strategy"), "ROLLING"
    )
    if controller != "ECS" or strategy != "ROLLING":
        other = controller if controller != "ECS" else strategy
        scene.note(f"Deployments are rehearsed as rolling ones, not as {other}", service.line)
    launch = scene.text(properties["LaunchType"], what.format("launch type"), "")
    if launch and launch != "FARGATE":
        scene.note(
            f"Launch type {launch}: the instances and their room aren't rehearsed", properties["LaunchType"]
        )
    deployment = properties["DeploymentConfiguration"]
    desired = _desired(scene, service, properties)
    return Service(
        service.logical_id,
        desired,
        scene.integer(deployment["MinimumHealthyPercent"], what.format("minimum percent"), 100, most=100),
        scene.integer(
            deployment["MaximumPercent"], what.format("maximum percent"), 200, least=100, most=1000
        ),
        scene.integer(properties["HealthCheckGracePeriodSeconds"], what.format("grace period"), 0),
        groups,
        subnets,
        service.line,
    )


def check_network_mode(scene: Scene, task: Resource) -> None:
    """A problem unless tasks have a network interface of their own."""
    properties = scene.resolver.properties(task)
    place = properties["NetworkMode"]
    kinds = [one.text for one in properties["RequiresCompatibilities"]]
    # Without a mode ECS takes awsvpc on Fargate, bridge on instances.
    mode = scene.text(
        place, f"the network mode of {task.logical_id}", "awsvpc" if "FARGATE" in kinds else "bridge"
    )
    if mode != "awsvpc":
        message = f"{task.logical_id} has the network mode {mode}: tasks share the address of their instance"
        scene.problem(place if place else task.line, message, "write NetworkMode: awsvpc")


def _desired(scene: Scene, service: Resource, properties: Place) -> int:
    """How many tasks the service has once it is settled: what it asks for, and at least what autoscaling
    keeps."""
    place = properties["DesiredCount"]
    asked = scene.integer(place, f"the number of tasks of {service.logical_id}", 1, most=100)
    for target in scene.resolver.resources(SCALABLE_TARGET):
        settings = scene.resolver.properties(target)
        if not _scales(settings, service, properties, len(scene.resolver.resources(SERVICE))):
            continue
        least = scene.integer(
            settings["MinCapacity"], f"the least number of tasks of {target.logical_id}", 0, most=100
        )
        if least > asked:
            scene.note(
                f"Autoscaling keeps at least {least} tasks, so as many are started", settings["MinCapacity"]
            )
            return least
    if place and asked == 0:
        scene.problem(place, f"{service.logical_id} wants no task", "write a DesiredCount of 1 or more")
    elif not place:
        scene.note("No DesiredCount: ECS starts one task", service.line)
    return max(asked, 1)


def _scales(settings: Place, service: Resource, properties: Place, services: int) -> bool:
    if settings["ScalableDimension"].text not in (None, "ecs:service:DesiredCount"):
        return False
    if settings["ServiceNamespace"].text not in (None, "ecs"):
        return False
    named = settings["ResourceId"]
    if any(one.logical_id == service.logical_id for one in named.references):
        return True
    name = properties["ServiceName"].text
    return services == 1 or bool(name) and str(named.value).endswith(f"/{name}")
