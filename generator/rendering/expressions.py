"""Values as they stand in a template: YAML expressions of texts and of references."""

from __future__ import annotations

from generator.params.model import Settings


def quoted(text: str) -> str:
    """A text that has no quotes in it, in quotes."""
    return f'"{text}"'


def ref(logical_id: str) -> str:
    """A resource's Ref."""
    return f"!Ref {logical_id}"


def group_id(logical_id: str) -> str:
    """A security group's id."""
    return f"!GetAtt {logical_id}.GroupId"


def cluster_name(settings: Settings) -> str:
    """The name of the ECS cluster, found or created."""
    cluster = settings.service.cluster
    return quoted(cluster.rsplit("/", 1)[1]) if cluster else ref("Cluster")
