"""What claims of every area share: the sampled versions, and settings that several begin with."""

from __future__ import annotations

V24, V25, V26, V262, V264, V267 = "24.0.5", "25.0.6", "26.0.8", "26.2.5", "26.4.7", "26.7.4"
VERSIONS = (V24, V25, V26, V262, V264, V267)
ENDS = (V24, V267)
"""Oldest and newest."""
OPTIMIZED = "optimized"
SERVER_TLS = {"conf/server.crt.pem": "server.pem", "conf/server.key.pem": "server-key.pem"}
"""A certificate of Keycloak's own, where its options name none."""
OWN_TLS = {
    "KC_HTTPS_CERTIFICATE_FILE": "/opt/keycloak/conf/server.crt.pem",
    "KC_HTTPS_CERTIFICATE_KEY_FILE": "/opt/keycloak/conf/server.key.pem",
}
JVM = "-Djgroups.bind_addr=SITE_LOCAL -Dsun.net.inetaddr.ttl=5"
DNS = "-Djgroups.dns.query=keycloak.keycloak-optimized.internal"
