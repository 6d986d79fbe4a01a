"""The dashboard's widgets: what to look at first when somebody says that logins are slow."""

from __future__ import annotations

import json
from dataclasses import dataclass

from generator.params.model import Settings


@dataclass(frozen=True)
class Widget:
    """A widget; each metric is the JSON array CloudWatch takes, with Fn::Sub placeholders."""

    title: str
    metrics: tuple[str, ...]


def _metric(namespace: str, name: str, *dimensions: str, **options: str) -> str:
    parts: list[object] = [namespace, name, *dimensions]
    return json.dumps(parts + [options] if options else parts)


def widgets(settings: Settings) -> tuple[Widget, ...]:
    """Widgets in reading order; CloudWatch places them."""
    balancer = ("LoadBalancer", "${Balancer}")
    group = (*balancer, "TargetGroup", "${TargetGroup.TargetGroupFullName}")
    service = ("ClusterName", "${Cluster}", "ServiceName", "${Service.Name}")
    alb, ecs, rds = "AWS/ApplicationELB", "AWS/ECS", "AWS/RDS"
    rows = [
        ("Requests and errors", (_metric(alb, "RequestCount", *balancer, stat="Sum"),
                                 _metric(alb, "HTTPCode_Target_5XX_Count", *balancer, stat="Sum"),
                                 _metric(alb, "HTTPCode_ELB_5XX_Count", *balancer, stat="Sum"))),
        ("Time to answer (seconds)", (_metric(alb, "TargetResponseTime", *balancer, stat="p50"),
                                      _metric(alb, "TargetResponseTime", *balancer, stat="p99"))),
        ("Healthy tasks", (_metric(alb, "HealthyHostCount", *group, stat="Minimum"),
                           _metric(alb, "UnHealthyHostCount", *group, stat="Maximum"))),
        ("Task CPU and memory (percent)", (_metric(ecs, "CPUUtilization", *service),
                                           _metric(ecs, "MemoryUtilization", *service))),
    ]
    if settings.alarms and settings.service.tasks > 1:
        rows.append(("Cluster whole (1) or not (0)", (
            _metric("Keycloak/${AWS::StackName}", "ClusterWhole", stat="Maximum"),)))
    if settings.database.create:
        instance = ("DBInstanceIdentifier", "${Database}")
        rows += [
            ("Database CPU (percent)", (_metric(rds, "CPUUtilization", *instance),)),
            ("Database connections", (_metric(rds, "DatabaseConnections", *instance, stat="Maximum"),)),
            ("Database free storage (bytes)", (_metric(rds, "FreeStorageSpace", *instance, stat="Minimum"),)),
        ]
    return tuple(Widget(title, metrics) for title, metrics in rows)
