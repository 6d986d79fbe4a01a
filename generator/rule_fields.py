"""The fields that a condition of a listener rule may ask for."""

from __future__ import annotations

RULE_FIELDS = {
    "host-header": "HostHeaderConfig",
    "http-header": "HttpHeaderConfig",
    "http-request-method": "HttpRequestMethodConfig",
    "path-pattern": "PathPatternConfig",
    "query-string": "QueryStringConfig",
    "source-ip": "SourceIpConfig",
}
"""Field of a rule condition to the key that holds its values (CloudFormation reference, RuleCondition)."""
