"""What becomes of logs and metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from generator.linting.checks.base import is_given, items, text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class MetricFilter(Rule):
    """A default value is written where no log line matched, so where no dimension has a value either.

    PutMetricFilter answers "Invalid metric transformation: dimensions and default value
    are mutually exclusive properties".
    """

    id = "E9565"
    shortdesc = "A metric filter's metric is one CloudWatch Logs can write"
    source_url = (
        "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html"
    )

    def hits(self, view: View) -> Iterator[Hit]:
        for one in view.document.of_type("AWS::Logs::MetricFilter"):
            for index, metric in items(one.properties, "MetricTransformations"):
                path = (*one.path, "Properties", "MetricTransformations", index)
                if items(metric, "Dimensions") and is_given(metric.get("DefaultValue")):
                    yield Hit(
                        (*path, "DefaultValue"), "not possible together with Dimensions", "leave it out"
                    )
                for key in ("MetricName", "MetricNamespace"):
                    name = text(metric.get(key))
                    if name is not None and re.search(r"[:*$]", name):
                        yield Hit((*path, key), f"{key} {name!r} has one of : * $")


class DashboardBody(Rule):
    """A dashboard's body is JSON in a text, so no YAML reader sees a slip in it; PutDashboard does."""

    id = "E9566"
    shortdesc = "A dashboard's body is JSON"
    source_url = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for dashboard in view.document.of_type("AWS::CloudWatch::Dashboard"):
            body = dashboard.properties.get("DashboardBody")
            if isinstance(body, dict) and len(body) == 1 and "Fn::Sub" in body:
                body = body["Fn::Sub"]
                body = body[0] if isinstance(body, list) and body else body
                # A digit is JSON inside quotes and out of them, whatever the variable will hold.
                body = re.sub(r"\$\{[^}]*\}", "0", body) if isinstance(body, str) else body
            if not isinstance(body, str) or "{{resolve:" in body:
                continue
            try:
                json.loads(body)
            except ValueError as error:
                yield Hit((*dashboard.path, "Properties", "DashboardBody"), f"no JSON: {error}")
