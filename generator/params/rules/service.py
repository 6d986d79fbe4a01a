"""Rules about the ECS service: sizes that go together."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import certificates, sizing
from generator.keycloak.catalog import Catalog
from generator.params.model import Settings
from generator.params.rules.base import Complaint, rule, warning


@rule("service.cpu", "service.memory")
def fargate_has_the_size(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    service = settings.service
    memories = sizing.fargate_memories(service.cpu)
    if not memories:
        yield Complaint("service.cpu", f"Fargate has no {service.cpu} CPU units",
                        "write one of " + ", ".join(map(str, sizing.fargate_cpus())))
    elif service.memory not in memories:
        nearest = min(memories, key=lambda memory: (abs(memory - service.memory), memory))
        others = [cpu for cpu in sizing.fargate_cpus_for(service.memory) if cpu != service.cpu]
        also = f", or cpu: {others[0]}" if others else ""
        yield Complaint("service.memory", f"Fargate has no {service.memory} MiB with {service.cpu} CPU units",
                        f"write {nearest} ({memories[0]} to {memories[-1]} go){also}")


@rule("service.memory", "keycloak.heap_percent", "keycloak.jvm_options", "load_balancer.client_certificates.mode")
def heap_fits(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    beside = certificates.MEMORY_MIB if certificates.asked_at_balancer(settings) else 0
    memory = settings.service.memory - beside
    heap = sizing.heap_mib(memory, settings.keycloak.heap_percent, tuple(settings.keycloak.jvm_options))
    if heap + sizing.NON_HEAP_MIB > memory:
        yield Complaint("service.memory", f"a heap of {heap} MiB and {sizing.NON_HEAP_MIB} MiB beside it don't "
                        f"fit into {memory} MiB: the task would be killed"
                        + (f" ({beside} MiB are the proxy's)" if beside else ""),
                        f"give more memory, or leave the heap {max(0, memory - sizing.NON_HEAP_MIB)} MiB or less")
    elif memory < sizing.SENSIBLE_MEMORY_MIB:
        yield warning("service.memory", f"Keycloak hardly starts in {memory} MiB", "write 1024 or more")


@rule("service.tasks", "service.autoscaling.max_tasks", "service.deployment", "service.zone_rebalancing")
def scaling_fits_together(settings: Settings, _: Catalog) -> Iterator[Complaint]:
    service = settings.service
    if service.autoscaling and service.autoscaling.max_tasks <= service.tasks:
        yield Complaint("service.autoscaling.max_tasks", f"{service.autoscaling.max_tasks} leaves nothing to "
                        f"scale above service.tasks {service.tasks}", f"write {service.tasks + 1} or more")
    if service.deployment == "recreate" and service.zone_rebalancing:
        yield Complaint("service.zone_rebalancing", "ECS refuses it with the percentages of `recreate`",
                        "write false, or deployment: rolling")
