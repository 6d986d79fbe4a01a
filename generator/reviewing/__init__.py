"""What a change to a template does, before anybody deploys it. Offline, and nothing here prints.

review(before, after) -> Review     one environment's artefact, now and earlier
differences(a, b)     -> Review     two environments beside each other
diagram                             what a Review is about, as a picture
report                              a Review as text, Markdown, a page or JSON
sources                             artefacts from folders, files and git
"""

from __future__ import annotations

from generator.reviewing.allowances import Allowance
from generator.reviewing.artefact import Artefact, ReviewError
from generator.reviewing.effects import Effect
from generator.reviewing.gate import Hazard
from generator.reviewing.review import Review, differences, review

__all__ = ["Allowance", "Artefact", "Effect", "Hazard", "Review", "ReviewError", "differences", "review"]
