"""What is paid for by the month: counts and sizes, no prices."""

from __future__ import annotations

from collections.abc import Iterator

from generator.keycloak import sizing
from generator.reviewing.meaning.base import NOTE, SERVICE, Consequence, Reading, plural
from generator.reviewing.meaning.keycloak import servers

_COUNTED = {
    "AWS::EC2::NatGateway": "NAT gateways",
    "AWS::EC2::EIP": "public addresses",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancers",
    "AWS::WAFv2::WebACL": "web ACLs",
    "AWS::SecretsManager::Secret": "secrets",
    "AWS::KMS::Key": "KMS keys",
    "AWS::CloudWatch::Alarm": "alarms",
    "AWS::CloudWatch::Dashboard": "dashboards",
    "AWS::EC2::FlowLog": "flow logs",
    "AWS::ServiceDiscovery::PrivateDnsNamespace": "Cloud Map namespaces",
    "AWS::Route53::HostedZone": "hosted zones",
    "AWS::RDS::DBProxy": "database proxies",
    "AWS::EFS::FileSystem": "file systems",
}


def drivers(reading: Reading) -> dict[str, str]:
    """What drives the monthly bill -> how much of it, as text; `2`, `db.m7g.large`."""
    found: dict[str, str] = {}
    for type_, words in _COUNTED.items():
        count = len(reading.resources(type_))
        if count:
            found[words] = str(count)
    zones = 0
    for one in reading.resources("AWS::EC2::VPCEndpoint"):
        place = reading.properties(one)
        if place["VpcEndpointType"].text == "Interface":
            zones += max(1, len(list(place["SubnetIds"])))
    if zones:
        found["interface endpoints × zones"] = str(zones)
    for one in reading.resources("AWS::WAFv2::WebACL"):
        found[f"{one.logical_id}: rules"] = str(len(list(reading.properties(one)["Rules"])))
    found.update(_tasks(reading))
    found.update(_databases(reading))
    for one in reading.resources("AWS::Logs::LogGroup"):
        days = reading.properties(one)["RetentionInDays"].integer
        found[f"{one.logical_id}: kept"] = plural(days, "day") if days else "for ever"
    for one in reading.resources("AWS::ECS::Cluster"):
        for setting in reading.properties(one)["ClusterSettings"]:
            value = setting["Value"].text
            if setting["Name"].text == "containerInsights" and value and value != "disabled":
                found[f"{one.logical_id}: Container Insights"] = value
    for one in reading.resources("AWS::ECR::Repository"):
        found[f"{one.logical_id}: image repository"] = "1"
    return found


def _tasks(reading: Reading) -> Iterator[tuple[str, str]]:
    mine = servers(reading)
    for service in reading.resources(SERVICE):
        task = reading.properties(service)["TaskDefinition"].resource("AWS::ECS::TaskDefinition")
        if task is None:
            continue
        place = reading.properties(task)
        cpu, memory = sizing.task_cpu(place["Cpu"].text or ""), sizing.task_memory(place["Memory"].text or "")
        size = f"{cpu / 1024:g} vCPU, {memory / 1024:g} GiB" if cpu and memory else "of unknown size"
        server = mine.get(service.logical_id)
        low, high = server.tasks if server else (reading.properties(service)["DesiredCount"].integer,) * 2
        count = "?" if low is None or high is None else f"{low}" if low == high else f"{low} to {high}"
        processor = place["RuntimePlatform"]["CpuArchitecture"].text or "X86_64"
        yield f"{service.logical_id}: tasks", f"{count} × {size}, {processor}"


def _databases(reading: Reading) -> Iterator[tuple[str, str]]:
    for one in reading.resources("AWS::RDS::DBInstance"):
        place = reading.properties(one)
        yield f"{one.logical_id}: instance", place["DBInstanceClass"].text or "?"
        if place["MultiAZ"].flag:
            yield f"{one.logical_id}: standby", "yes (Multi-AZ)"
        if place["AllocatedStorage"].text:
            most = place["MaxAllocatedStorage"].text
            kind = place["StorageType"].text
            yield (
                f"{one.logical_id}: storage",
                f"{place['AllocatedStorage'].text} GiB{f' up to {most} GiB' if most else ''}"
                f"{f', {kind}' if kind else ''}",
            )
        for key, words in (("Iops", "IOPS"), ("StorageThroughput", "throughput")):
            if place[key].text:
                yield f"{one.logical_id}: {words}", place[key].text
        days = place["BackupRetentionPeriod"].integer
        if days is not None:
            yield f"{one.logical_id}: backups kept", plural(days, "day")
        if place["PerformanceInsightsRetentionPeriod"].text:
            yield (
                f"{one.logical_id}: Performance Insights",
                f"{place['PerformanceInsightsRetentionPeriod'].text} days",
            )


def costs(before: Reading, after: Reading) -> Iterator[Consequence]:
    """Cost drivers that come, go or change their size."""
    old, new = drivers(before), drivers(after)
    for name in (*new, *(name for name in old if name not in new)):
        one, other = old.get(name), new.get(name)
        if one != other:
            logical_id = name.partition(":")[0] if ":" in name else ""
            yield Consequence("Cost", NOTE, f"{name}: {one or 'none'} -> {other or 'none'}", logical_id)
