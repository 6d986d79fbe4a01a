"""docs/claims.md: what came of each claim on each version, as Markdown."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from tests.claims.claim import Claim
from tests.cluster.engine import PROJECT

if TYPE_CHECKING:
    from tests.claims.trying import Verdict

PAGE = PROJECT / "docs/claims.md"


def page(claims: Iterable[Claim], known: Mapping[str, Verdict]) -> str:
    """The page; a claim that wasn't tried yet, or is another one by now, isn't on it."""
    rows = [
        (claim, version, known[claim.name(version)])
        for claim in claims
        for version in claim.versions
        if claim.name(version) in known and known[claim.name(version)].digest.startswith(claim.digest)
    ]
    left = sum(len(claim.versions) for claim in claims) - len(rows)
    wrong = sum(not verdict.holds for _, _, verdict in rows)
    rules = {claim.rule for claim, _, _ in rows if claim.rule}
    lines = [
        "# What the rules say, tried on the real server",
        "",
        "Made by `make test-claims` (`python -m tests.claims`): Keycloak's distribution of each version,",
        "started with the environment that this project renders for it, in a network of its own with a",
        "real PostgreSQL that asks for TLS. `stock` is dev with Keycloak's own image, `optimized` is prod",
        "with the image of the rendered Dockerfile. A variant changes what its name says; the rule has to",
        "find it in the rendered template, too, unless it speaks of something else in the template. `as",
        "rendered` is what a rule says of a server without a fault.",
        "",
        f"{len(rows)} claims of {len(rules)} rules were tried, {wrong} of them don't hold"
        + (f"; {left} were not tried yet." if left else "."),
        "",
        "| rule | variant | what the rule says | Keycloak | what the server did | verdict | tried |",
        "|---|---|---|---|---|---|---|",
    ]
    for claim, version, verdict in rows:
        rule = f"[{claim.rule}](rules/{claim.rule}.md)" if claim.rule else "–"
        variant = f"{claim.variant} ({claim.base})" if claim.rule else claim.variant
        cells = (
            rule,
            _cell(variant),
            _cell(claim.says),
            version,
            _cell(verdict.did),
            "holds" if verdict.holds else "**doesn't hold**",
            verdict.date,
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"Machine: {platform.machine()}, Debian 12, Java 17, PostgreSQL 15.", ""]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")
