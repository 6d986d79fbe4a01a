"""Adopting in tests: files in, params out, and those rendered in a project of their own."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from generator import adopting, build, linting
from generator.adopting import Adoption
from generator.params import load
from generator.rendering.engine import Engine
from generator.rendering.handover import HandOver, hand_over
from tests.cases import PROJECT

SEED = Path(__file__).parent / "seed"

KEYCLOAK = "quay.io/keycloak/keycloak:26.7.4"
ARN = "arn:aws:elasticloadbalancing:eu-central-1:111122223333:"


def seed(*names: str) -> list[tuple[str, str]]:
    """Files of the article that this project grew out of."""
    return [(name, (SEED / name).read_text("utf-8")) for name in names or ("task.json", "service.json")]


def task(environment: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """A sound task definition as `aws ecs describe-task-definition` prints it."""
    variables = {
        "KC_HOSTNAME": "https://sso.example.com",
        "KC_HTTP_ENABLED": "true",
        "KC_DB": "postgres",
        "KC_PROXY_HEADERS": "xforwarded",
        "KC_HEALTH_ENABLED": "true",
        "KC_DB_URL_HOST": "db.example.com",
        **(environment or {}),
    }
    container = {
        "name": "sso",
        "image": KEYCLOAK,
        "essential": True,
        "command": ["start"],
        "portMappings": [{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}],
        "environment": [{"name": name, "value": value} for name, value in variables.items()],
        "secrets": [
            {
                "name": "KC_DB_PASSWORD",
                "valueFrom": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-AbCdEf:password::",
            }
        ],
    }
    container.update(more.pop("container", {}))
    found = {
        "taskDefinitionArn": "arn:aws:ecs:eu-central-1:111122223333:task-definition/sso:7",
        "family": "sso",
        "revision": 7,
        "status": "ACTIVE",
        "networkMode": "awsvpc",
        "cpu": "1024",
        "memory": "2048",
        "requiresCompatibilities": ["FARGATE"],
        "compatibilities": ["EC2", "FARGATE"],
        "volumes": [],
        "containerDefinitions": [container],
    }
    found.update(more)
    return {"taskDefinition": found, "tags": [{"key": "Team", "value": "identity"}]}


def adopt(*files: Any, **how: str) -> Adoption:
    """Adopt data as JSON files, text as it is."""
    named = [
        (f"file{number}.json", one if isinstance(one, str) else json.dumps(one, indent=2))
        for number, one in enumerate(files, 1)
    ]
    return adopting.adopt(named, **how)


def loaded(found: Adoption) -> dict[str, Any]:
    """The params as data."""
    return yaml.safe_load(found.params)


ANSWERS = {
    "keycloak.version": "26.7.4",
    "account": "111122223333",
    "region": "eu-central-1",
    "keycloak.hostname": "https://sso.example.com",
    "keycloak.admin.allow_from": ["203.0.113.0/24"],
    "network.existing.vpc": "vpc-0a1b2c3d4e5f67890",
    "network.existing.cidrs": ["10.60.0.0/16"],
    "network.existing.public_subnets": ["subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2"],
    "network.existing.database_subnets": ["subnet-0ccccccccccccccc1", "subnet-0ccccccccccccccc2"],
    "network.existing.private_subnets": ["subnet-0bbbbbbbbbbbbbbb1", "subnet-0bbbbbbbbbbbbbbb2"],
    "load_balancer.certificate": "arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-1111",
    "load_balancer.hosted_zone": "Z0123456789ABCDEFGHIJ",
    "database.existing.host": "db.example.com",
    "database.existing.secret": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:db-AbCdEf",
    "database.existing.security_group": "sg-0a1b2c3d4e5f67890",
    "database.existing.engine_version": "16",
    "database.existing.max_connections": 500,
    "database.create.engine_version": "17.10",
    "database.create.storage_gb": 100,
    "database.create.instance_class": "db.t4g.medium",
    "service.tasks": 3,
    "service.autoscaling.max_tasks": 6,
    "service.cpu": 1024,
    "service.memory": 2048,
    "keycloak.image.repository": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/keycloak",
}
"""What somebody writes into the lines that wait."""


class Rendering:
    """A project with one environment, `adopted`."""

    def __init__(self, root: Path):
        self.root = root
        (root / "params").mkdir(parents=True)
        shutil.copytree(PROJECT / "templates", root / "templates")
        # What was linted once, in this run or an earlier one, is not linted again.
        linted = linting.Cache(PROJECT).folder
        linted.mkdir(parents=True, exist_ok=True)
        (root / ".cache").mkdir()
        (root / ".cache/lint").symlink_to(linted)

    def __call__(self, text: str, name: str = "adopted") -> build.Built:
        (self.root / f"params/{name}.yaml").write_text(text, "utf-8")
        (found,) = build.build(self.root, (name,))
        return found

    def filled(self, found: Adoption, name: str = "adopted", but: str = "", **more: Any) -> build.Built:
        """The params with an answer on every line that waits, all `but` one, and `more` keys (`a__b` for
        a.b).
        """
        return self(self._answered(found, but, more), name)

    def handed(self, found: Adoption, name: str = "adopted", **more: Any) -> HandOver:
        """What the filled params render to, not linted."""
        (self.root / f"params/{name}.yaml").write_text(self._answered(found, "", more), "utf-8")
        (outcome,) = (one for one in load.load_all(self.root) if one.name == name)
        assert outcome.environment is not None, [
            str(one) for one in outcome.problems if one.severity == "error"
        ]
        return hand_over(outcome.environment, self.root, Engine(self.root / "templates"))

    @staticmethod
    def _answered(found: Adoption, but: str, more: Mapping[str, Any]) -> str:
        data = loaded(found)
        region = data["region"] or ANSWERS["region"]
        answers = {one.key: ANSWERS[one.key] for one in found.unset if one.key != but}
        answers = {
            key: value.replace("eu-central-1", region) if isinstance(value, str) else value
            for key, value in answers.items()
        }
        for key, value in {
            **answers,
            **{key.replace("__", "."): value for key, value in more.items()},
        }.items():
            node = data
            *path, last = key.split(".")
            for step in path:
                node = node.setdefault(step, {})
            node[last] = value
        return yaml.safe_dump(data, sort_keys=False)
