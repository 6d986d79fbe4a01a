"""Limits of CloudFormation's that several rooms keep to."""

from __future__ import annotations

TEMPLATE_BODY = 51_200
"""Bytes of a template that CloudFormation takes in the request itself; a larger one is read from S3 (AWS
CloudFormation User Guide, "CloudFormation quotas")."""
