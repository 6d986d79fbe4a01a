"""Every claim that is tried, area by area.

A claim names the oldest and the newest sampled version that it holds for, and those between where Keycloak
changed. Settings that a server refuses when it reads them are tried with the stock image, which never gets to
build itself then; what shows at the start, with the optimized one, unless the rule speaks of the stock image
alone.
"""

from __future__ import annotations

from tests.claims.table import cluster, database, health, hostnames, options, rendered, sound, starting

CLAIMS = (
    *rendered.CLAIMS,
    *sound.CLAIMS,
    *hostnames.CLAIMS,
    *starting.CLAIMS,
    *health.CLAIMS,
    *cluster.CLAIMS,
    *database.CLAIMS,
    *options.CLAIMS,
)
