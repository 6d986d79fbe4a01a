"""Which account and region files speak of: many of their ARNs may be of others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from generator.adopting.sources import Source
from generator.document import Path

_ARN = re.compile(r"arn:aws[a-z-]*:([a-z0-9-]+):([a-z0-9-]*):([0-9]{12}):")
_IMAGE = re.compile(r"([0-9]{12}|\*+)\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com")
_ENDPOINT = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-[0-9])\.rds\.amazonaws\.com")

_OWN_KEYS = (
    "certificatearn",
    "cluster",
    "clusterarn",
    "dbinstancearn",
    "executionrolearn",
    "listenerarn",
    "loadbalancerarn",
    "loadbalancerarns",
    "registryarn",
    "rulearn",
    "servicearn",
    "targetgrouparn",
    "taskdefinition",
    "taskdefinitionarn",
    "taskrolearn",
)
"""What a service, its tasks and its balancer have in their own account alone.

Source: ECS API reference, CreateService and RegisterTaskDefinition (iam:PassRole knows no other account); ELB API
reference, CreateListener."""
_OWN, _LOGGED, _LIKELY, _FOREIGN = range(4)
_SHARED = ("acm", "kms", "logs", "rds", "secretsmanager", "ssm")
"""Services whose resources are used from other accounts too, but seldom."""


@dataclass(frozen=True)
class Named:
    """An account or a region that a file names."""

    value: str
    rank: int
    key: str
    where: str


@dataclass(frozen=True)
class Guess:
    """What an account or a region is taken to be."""

    value: str = ""
    """Empty where nothing tells, or two are equally likely."""
    doubt: str = ""
    """Why it may be another one; who is named, where `value` is empty."""


def account(sources: Sequence[Source]) -> Guess:
    """The account's twelve digits."""
    return _guess(one for source in sources for one in _named(source, region=False))


def region(sources: Sequence[Source]) -> Guess:
    """The region, such as `eu-central-1`."""
    return _guess(one for source in sources for one in _named(source, region=True))


def _guess(found: Iterator[Named]) -> Guess:
    ranked = sorted(found, key=lambda one: one.rank)
    if not ranked:
        return Guess()
    best = ranked[0]
    others = {one.value: one for one in reversed(ranked) if one.rank == best.rank}
    if best.rank <= _LOGGED:
        return Guess(best.value)
    if len(others) > 1:
        said = ", ".join(f"{one.value} ({one.key} at {one.where})" for one in reversed(others.values()))
        return Guess("", f"the files name {said}")
    return Guess(best.value, f"from {best.key} at {best.where}, which may be another account's or region's")


def _named(source: Source, region: bool) -> Iterator[Named]:
    for path, value in source.document.leaves():
        if not isinstance(value, str):
            continue
        key = _key(path)
        where = f"{source.name}:{source.document.line(path)}"
        for match in _ARN.finditer(value):
            if match[1] == "iam" and value[match.end() :].startswith("root"):
                continue  # a principal that is let in, such as the accounts of load balancers' logs
            if said := match[2 if region else 3]:
                yield Named(said, _rank(path, match[1]), key, where)
        if match := _IMAGE.match(value):
            if region or match[1].isdigit():
                yield Named(match[2 if region else 1], _FOREIGN, key, where)
        if region and key == "awslogs-region" and re.fullmatch(r"[a-z]{2}(-[a-z]+)+-[0-9]", value):
            yield Named(value, _LOGGED, key, where)
        if region and (match := _ENDPOINT.search(value)):
            yield Named(match[1], _FOREIGN, key, where)


def _rank(path: Path, service: str) -> int:
    if _key(path).lower() in _OWN_KEYS:
        return _OWN
    variable = any(str(step).lower() == "environment" for step in path)
    return _LIKELY if service in _SHARED and not variable else _FOREIGN


def _key(path: Path) -> str:
    """The last name of a path: what its value is."""
    return next((one for one in reversed(path) if isinstance(one, str) and not one.startswith("Fn::")), "")
