"""CloudWatch alarms."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.checks.base import integer, is_given
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

_ALARM = "AWS::CloudWatch::Alarm"
_API = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"


class AlarmWindow(Rule):
    """An alarm looks back one day at most, and seven if its periods are an hour or longer."""

    id = "E9563"
    shortdesc = "An alarm's periods together are not longer than it can look back"
    source_url = _API

    def hits(self, view: View) -> Iterator[Hit]:
        for alarm in view.document.of_type(_ALARM):
            period = integer(alarm.properties.get("Period"))
            periods = integer(alarm.properties.get("EvaluationPeriods"))
            if period is None or periods is None:
                continue
            longest, words = (604_800, "seven days") if period >= 3600 else (86_400, "one day")
            if period * periods > longest:
                path = (*alarm.path, "Properties", "EvaluationPeriods")
                message = f"{periods} periods of {period} s are {period * periods} s, more than {words}"
                yield Hit(path, message, f"write {longest // period} or less")


class AlarmMeasure(Rule):
    """PutMetricAlarm wants a statistic with a metric, a threshold, and no more datapoints than periods."""

    id = "E9564"
    shortdesc = "An alarm says how it measures"
    source_url = _API

    def hits(self, view: View) -> Iterator[Hit]:
        for alarm in view.document.of_type(_ALARM):
            properties = alarm.properties
            path = (*alarm.path, "Properties")
            points, periods = (
                integer(properties.get("DatapointsToAlarm")),
                integer(properties.get("EvaluationPeriods")),
            )
            if points is not None and periods is not None and points > periods:
                message = f"DatapointsToAlarm {points} is above EvaluationPeriods {periods}"
                yield Hit((*path, "DatapointsToAlarm"), message)
            if (
                is_given(properties.get("MetricName"))
                and not {"Statistic", "ExtendedStatistic"} & properties.keys()
            ):
                yield Hit((*path, "MetricName"), "a metric without Statistic or ExtendedStatistic")
            if is_given(properties.get("MetricName")) and "Period" not in properties:
                yield Hit((*path, "MetricName"), "a metric without Period")
            measured = is_given(properties.get("MetricName")) or is_given(properties.get("Metrics"))
            if measured and not {"Threshold", "ThresholdMetricId"} & properties.keys():
                yield Hit(path, "neither Threshold nor ThresholdMetricId")
