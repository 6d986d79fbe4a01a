"""One good environment and a few changes to it, as the loader sees them: what a rule is tried out with."""

from __future__ import annotations

import copy
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from generator.errors import Problem
from generator.params import load
from generator.params.load import Environment, Outcome

ACCOUNT = "123456789012"
ECR = f"{ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/keycloak"

GOOD = {
    "account": ACCOUNT,
    "region": "eu-central-1",
    "keycloak": {
        "version": "26.7.4",
        "hostname": "https://sso.example.com",
        "admin": {"hostname": "https://admin.example.com", "allow_from": ["203.0.113.0/24"]},
        "image": {"kind": "optimized", "repository": ECR},
    },
    "network": {"create": {"cidr": "10.40.0.0/16", "zones": 2}},
    "load_balancer": {"certificate": f"arn:aws:acm:eu-central-1:{ACCOUNT}:certificate/0a1b2c3d-1111"},
    "service": {"tasks": 2, "cpu": 1024, "memory": 2048},
    "database": {"create": {"engine_version": "17.6", "instance_class": "db.m7g.large", "multi_az": True},
                 "pool_size": 20},
}
"""Nothing is wrong with it, and nothing deserves a warning."""

FOUND_NETWORK = {"existing": {
    "vpc": "vpc-0a1b2c3d4e5f67890", "cidrs": ["10.60.0.0/16"],
    "public_subnets": ["subnet-0aaaaaaaaaaaaaaa1", "subnet-0aaaaaaaaaaaaaaa2"],
    "private_subnets": ["subnet-0bbbbbbbbbbbbbbb1", "subnet-0bbbbbbbbbbbbbbb2"],
    "database_subnets": ["subnet-0ccccccccccccccc1", "subnet-0ccccccccccccccc2"]}}

FOUND_DATABASE = {"existing": {
    "host": "sso.abcdefghijkl.eu-central-1.rds.amazonaws.com",
    "secret": f"arn:aws:secretsmanager:eu-central-1:{ACCOUNT}:secret:database-AbCdEf",
    "security_group": "sg-0a1b2c3d4e5f67890", "engine_version": "16", "max_connections": 200}}

GONE = object()
"""As a change: the key isn't there."""

PROVIDER, THEME, AUTHORITIES = "files/provider.jar", "files/theme", "files/ca.pem"
"""A file, a folder and a PEM file that are there."""


@dataclass(frozen=True)
class Trial:
    """What the loader makes of params/dev.yaml with this text."""

    text: str
    outcome: Outcome

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Errors and warnings."""
        return self.outcome.environment.warnings if self.outcome.environment else self.outcome.problems

    @property
    def environment(self) -> Environment:
        """The environment, which must be without an error."""
        assert self.outcome.environment is not None, "\n".join(map(str, self.outcome.problems))
        return self.outcome.environment

    def line(self, key: str) -> int:
        """Line of a dotted key, or of the nearest above it that is there; found without the reader that is tested."""
        node, line = yaml.compose(self.text, yaml.BaseLoader), 0
        for step in key.split("."):
            if isinstance(node, yaml.MappingNode):
                found = [(name, value) for name, value in node.value if name.value == step]
                if not found:
                    break
                (name, node), = found
                line = name.start_mark.line + 1
            elif isinstance(node, yaml.SequenceNode) and int(step) < len(node.value):
                node = node.value[int(step)]
                line = node.start_mark.line + 1
        return line


def changed(changes: dict[str, object], base: dict = GOOD) -> dict:
    """A copy of `base` with other values at some dotted keys."""
    params = copy.deepcopy(base)
    for key, value in changes.items():
        *above, last = key.split(".")
        section = params
        for name in above:
            section = section.setdefault(name, {})
        section[last] = copy.deepcopy(value)
        if value is GONE:
            del section[last]
    return params


def try_out(changes: dict[str, object], base: dict = GOOD) -> Trial:
    """The good environment with other values at some dotted keys, written to a project folder and loaded."""
    return try_text(yaml.safe_dump(changed(changes, base), sort_keys=False, allow_unicode=True))


def try_text(text: str, **others: str) -> Trial:
    """params/dev.yaml with this text, beside others by their stems, loaded."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "params").mkdir()
        (root / "templates").mkdir()
        (root / THEME).mkdir(parents=True)
        (root / THEME / "theme.properties").write_bytes(b"")
        (root / PROVIDER).write_bytes(b"")
        (root / AUTHORITIES).write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "utf-8")
        for stem, other in {**others, "dev": text}.items():
            (root / f"params/{stem}.yaml").write_text(other, "utf-8")
        return Trial(text, next(one for one in load.load_all(root) if one.name == "dev"))
