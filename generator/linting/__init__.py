"""The linting room: text to findings, and findings to the formats that people and machines read.

Importing it is cheap; cfn-lint is imported when a text has to be linted that the cache doesn't know.
"""

from __future__ import annotations

from generator.linting.cache import Cache
from generator.linting.engine import Job, lint_many, lint_text
from generator.linting.findings import Finding, with_origins
from generator.linting.guards import guard_text

__all__ = ["Cache", "Finding", "Job", "guard_text", "lint_many", "lint_text", "with_origins"]
