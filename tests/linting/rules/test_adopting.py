"""Rules about how an image of one's own is started and who makes the log group: what they leave alone."""

from __future__ import annotations

import textwrap

import pytest
from laying import laid, viewed

from generator.linting import pack

OWN = "Image: 111122223333.dkr.ecr.eu-central-1.amazonaws.com/keycloak:26.7.4"
STOCK = "Image: quay.io/keycloak/keycloak:26.7.4"


def found(rule: str, container: str, task: str = "") -> list:
    body = textwrap.indent(container, " " * 8)
    example = (
        f"TaskDefinition:\n  Properties:\n{textwrap.indent(task, ' ' * 4)}\n    ContainerDefinitions:\n"
        f"      - Name: keycloak\n{body}\n"
    )
    return list(pack.rule(rule).findings(viewed(laid(example))))


@pytest.mark.parametrize("command", ["[start]", '["--verbose start"]', "[start, --verbose]"])
def test_an_own_image_started_as_if_it_were_stock(command):
    """I9180 sees `start` without --optimized in any form."""
    assert found("I9180", f"{OWN}\nCommand: {command}")


@pytest.mark.parametrize(
    "container",
    [
        f"{STOCK}\nCommand: [start]",
        f"{OWN}\nCommand: [start, --optimized]",
        f'{OWN}\nCommand: ["start --optimized"]',
        f"{OWN}\nEntryPoint: [/run.sh]\nCommand: [start]",
        f"{OWN}\nCommand: [sh, -c, kc.sh start]",
    ],
)
def test_what_i9180_leaves_alone(container):
    """The stock image, --optimized, an entry point and a script of the user's are none of its business."""
    assert not found("I9180", container)


def test_who_makes_the_log_group():
    """I9181 speaks about a role of elsewhere, not about one of the template, nor about a group that is there.
    """
    role = "ExecutionRoleArn: arn:aws:iam::111122223333:role/ecsTaskExecutionRole"
    create = (
        'LogConfiguration: {LogDriver: awslogs, Options: {awslogs-create-group: "true", awslogs-group: x}}'
    )
    assert found("I9181", create, role)
    assert not found("I9181", create)
    assert not found(
        "I9181", 'LogConfiguration: {LogDriver: awslogs, Options: {awslogs-create-group: "false"}}', role
    )
