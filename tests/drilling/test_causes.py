"""Causes: what a template proves about a broken promise, with the line, and nothing where it proves
nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generator.drilling import causes
from generator.drilling.causes.template import transport_port
from generator.drilling.admin import Try
from generator.drilling.answering import Asked
from generator.drilling.places import places
from generator.drilling.views import Seen
from generator.rehearsing.target import Door
from generator.rehearsing.topology import Action, Container, Listener, MutualTls, Topology
from tests.drilling.servers import ADMIN, PUBLIC
from tests.drilling.targets import DEV, with_container, with_environment
from tests.rehearsing.topologies import FORWARD, PERMISSIONS, RULES, path, rule, with_group, with_rules

QUERY = "-Djgroups.dns.query=keycloak.keycloak-dev.internal"


def without(port: int) -> Topology:
    """The environment with a port closed between tasks."""
    return replace(DEV, permissions=tuple(one for one in PERMISSIONS if one.ports != (port, port)))


def test_a_sound_template_proves_nothing():
    """Where nothing is wrong with the template, no cause is made up."""
    assert causes.apart(DEV) == () and causes.unserved(DEV) == () and causes.unsteady(DEV) == ()
    assert (
        causes.late(DEV, "killed", 45.0) == () and causes.hostname(DEV) == () and causes.deployment(DEV) == ()
    )
    assert (
        causes.proxy_headers(DEV) == ()
        and causes.abrupt(DEV) == ()
        and causes.forgotten(DEV, places(DEV, [])) == ()
    )


def _discovery(**changed) -> Topology:
    return replace(DEV, discovery=replace(DEV.discovery, **changed))


@pytest.mark.parametrize(
    ("topology", "text", "line"),
    [
        (without(7800), "port 7800 is closed between tasks", 77),
        (
            _discovery(name="kc.keycloak-dev.internal"),
            "Cloud Map knows the tasks as kc.keycloak-dev.internal",
            609,
        ),
        (replace(DEV, discovery=None), "the ECS service registers its tasks nowhere", 700),
        (_discovery(ttl=300), "lives for 300 s", 500),
        (_discovery(negative_ttl=900), "lives for 300 s", 490),
        (_discovery(routing="WEIGHTED"), "one task only", 500),
        (_discovery(record_type="AAAA"), "registers AAAA records", 500),
        (with_environment(DEV, JAVA_OPTS_APPEND=None), "no name to ask for is set", 590),
        (with_environment(DEV, KC_CACHE="local"), "the nodes form no cluster", 609),
        (with_environment(DEV, KC_CACHE_STACK="udp"), "needs multicast", 609),
        (replace(with_environment(DEV, KC_CACHE_STACK=None), version="26.0.8"), "cache stack udp", 590),
        (with_container(DEV, command=("start-dev",)), "start-dev", 590),
    ],
)
def test_why_tasks_don_t_find_each_other(topology, text, line):
    """Ports, names, registration and stacks: each by its own line."""
    found = causes.apart(topology)
    assert text in found[0].text and found[0].line == line and found[0].fix


def test_a_port_of_its_own_is_the_one_that_has_to_be_open():
    """Where JGroups is told another port, 7800 doesn't matter."""
    moved = with_environment(without(7800), JAVA_OPTS_APPEND=f"{QUERY} -Djgroups.bind.port=7900")
    assert "port 7900 is closed" in causes.apart(moved)[0].text
    assert transport_port(with_environment(DEV, KC_CACHE_EMBEDDED_NETWORK_BIND_PORT="7950")) == 7950


def test_the_database_needs_no_dns():
    """Nodes that find each other through the database ask no name."""
    by_database = replace(
        with_environment(DEV, KC_CACHE_STACK="jdbc-ping", JAVA_OPTS_APPEND=None), discovery=None
    )
    assert causes.apart(by_database) == ()
    assert causes.apart(replace(by_database, permissions=()))[0].text.startswith("port 7800 is closed")


def test_a_log_line_proves_what_the_template_doesn_t_show():
    """Broken encryption shows in the log only."""
    complaint = (
        "ERROR org.jgroups.protocols.TCP: JGRP000006: failed accepting connection: SSL handshake failed"
    )
    assert "break off" in causes.apart(DEV, [complaint])[0].text
    assert causes.apart(DEV, ["WARN something about TLS to the database"]) == ()


def test_a_late_view_after_a_kill_is_the_closed_detection_port():
    """57800 between tasks; a frozen node is another matter."""
    found = causes.late(without(57800), "killed", 45.0)
    assert "port 57800 is closed between tasks" in found[0].text and found[0].line == 77
    assert causes.late(DEV, "killed", 45.0) == ()
    frozen = causes.late(without(57800), "frozen", 41.0)
    assert len(frozen) == 1 and "40 s" in frozen[0].text and frozen[0].line == 607


def test_nodes_that_merged_may_not_watch_each_other():
    """The log of a node that had merged with the lost one tells why only the heartbeats noticed; where that one
    joined, or others merged, it tells nothing."""
    def views(*texts: tuple[bool, str]) -> list[Seen]:
        return [Seen(100.0 + 46 * number, "keycloak-1", number, tuple(members.split()), merged, "")
                for number, (merged, members) in enumerate(texts)]

    found = causes.unwatched(DEV, "b", views((False, "a"), (True, "b a")))
    assert "keycloak-1 and the lost node had started apart and merged" in found[0].text
    assert "a new deployment" in found[0].fix
    assert causes.unwatched(DEV, "b", views((False, "a"), (False, "a b"))) == ()
    assert causes.unwatched(DEV, "c", views((True, "b a"), (False, "b a c"))) == ()


def test_a_cache_file_of_one_s_own_is_not_the_shipped_stack():
    """What its stack waits for, the template doesn't say."""
    assert causes.late(with_environment(DEV, KC_CACHE_CONFIG_FILE="cache.xml"), "frozen", 41.0) == ()


def test_a_stack_of_one_s_own_promises_more():
    """A minute of silence with the shipped stack, and what would make it less; 15 s with one's own."""
    assert causes.silence(DEV)[0] == 60.0 and "optimized image" in causes.silence(DEV)[1]
    assert causes.silence(with_environment(DEV, KC_CACHE_CONFIG_FILE="cache.xml")) == (15.0, "")


def test_a_short_drain_leads_nobody_astray():
    """A leader that has left by the time the next task looks for it, a stack that asks the others, the database:
    none of them is a cause."""
    assert causes.alone(with_group(DEV, deregistration_delay=20)) == ()
    long = with_group(DEV, deregistration_delay=300)
    assert "300 s more" in causes.alone(long)[0].text and causes.alone(long)[0].fix.startswith("write dereg")
    assert causes.alone(with_environment(long, KC_CACHE_CONFIG_FILE="cache.xml", KC_CACHE_STACK=None)) == ()
    assert causes.alone(with_environment(long, KC_CACHE_STACK="jdbc-ping", JAVA_OPTS_APPEND=None)) == ()


def test_slow_checks_keep_a_lost_node_in_use():
    """The balancer's own time, where it is longer than what is promised."""
    assert (
        "up to 25 s" in causes.served_late(DEV, 3.0)[0].text and causes.served_late(DEV, 3.0)[0].line == 356
    )
    assert causes.served_late(with_group(DEV, interval=5, timeout=4), 15.0) == ()


@pytest.mark.parametrize(("topology", "text"), [
    (with_group(DEV, health_port=8080), "on port 8080, and Keycloak answers on port 9000"),
    (with_group(DEV, health_path="/auth/health/ready"), "Keycloak answers on /health/ready"),
    (with_environment(DEV, KC_HEALTH_ENABLED=None), "health checks are off"),
    (with_environment(DEV, KC_HTTP_ENABLED=None), "listens for HTTPS only"),
    (replace(DEV, permissions=tuple(one for one in PERMISSIONS if one.ports != (9000, 9000))),
     "port 9000 is closed from the balancer to the tasks"),
    (replace(DEV, permissions=tuple(one for one in PERMISSIONS if one.ports != (5432, 5432))),
     "port 5432 is closed from the tasks to the database"),
])
def test_why_the_balancer_finds_nobody(topology, text):
    """Health checks that can't succeed, ports that are closed, a protocol that isn't spoken."""
    assert text in causes.unserved(topology)[0].text and causes.unserved(topology)[0].line


def test_before_25_health_is_on_the_main_port():
    """The same template is right for one version and wrong for another."""
    old = replace(with_group(DEV, health_port=8080), version="24.0.5")
    assert causes.unserved(old) == ()


OFFICE = Door("admin", "LoadBalancer", "https", 443, "127.0.0.1", 1, None, "203.0.113.9")
INTERNET = Door("internet", "LoadBalancer", "https", 443, "127.0.0.1", 1, None, "198.51.100.7")


def test_a_missing_admin_rule_is_named_by_what_answers_in_its_place():
    """The fixed response that an administrator meets, its line, and what to add."""
    topology = with_rules(*(one for one in RULES if one.logical_id != "AdminRule"), topology=DEV)
    default = topology.balancers[0].listeners[1].rules[-1]
    url = f"https://{ADMIN}/admin/realms"
    tries = [
        Try("internet", "GET", url, 'HTTP 404 ""', 404, default),
        Try("admin", "GET", url, 'HTTP 404 ""', 404, default),
    ]
    found = causes.locked_out(topology, tries, places(topology, [OFFICE]))
    assert len(found) == 1 and "from the admin network" in found[0].text and "admin REST API" in found[0].text
    assert f"/admin/* of {ADMIN}" in found[0].fix and found[0].line == 1


def test_who_is_let_through_and_finds_nobody_is_not_locked_out():
    """A rule that forwards is no obstacle; what stands behind it may be."""
    rules = {one.logical_id: one for one in RULES}
    url = f"https://{ADMIN}/admin/realms"
    tries = [Try("admin", "GET", url, "HTTP 503", 503, rules["AdminRule"]),
             Try("internet", "GET", url, "HTTP 404", 404, rules["HttpsListener"])]
    assert causes.locked_out(DEV, tries, places(DEV, [OFFICE])) == ()
    broken = with_group(DEV, health_path="/nope/health")
    assert "/nope/health" in causes.locked_out(broken, tries, places(broken, [OFFICE]))[0].text


def test_a_trick_that_works_is_a_missing_path_guard():
    """Up to 26.4.2 dots, up to 26.5 parameters: the rule that let it through, and the version that doesn't
    need one."""
    asked = Asked(PUBLIC, "/realms/../admin/master/console/", INTERNET)
    old = replace(DEV, version="26.0.8")
    found = causes.exposed(old, asked, "the admin console", places(old, []))
    assert (
        "path guard is missing" in found[0].text
        and "rule PublicRule" in found[0].text
        and found[0].line == 301
    )
    assert "26.4.3" in found[0].fix


def test_a_path_that_is_simply_let_through_is_the_rule_s_own_doing():
    """A default action that forwards, and a rule that is too wide."""
    wide = with_rules(rule("Everything", 5, FORWARD, path("/*")), topology=DEV)
    open_ = with_rules(rule("Listener", None, FORWARD), topology=DEV)
    asked = Asked(PUBLIC, "/metrics", INTERNET)
    assert (
        "rule Everything forwards /metrics"
        in causes.exposed(wide, asked, "metrics", places(wide, []))[0].text
    )
    found = causes.exposed(open_, asked, "metrics", places(open_, []))[0]
    assert "the default action of Listener forwards everything" in found.text and "404" in found.fix
    assert causes.exposed(DEV, asked, "metrics", places(DEV, [])) == ()


def test_what_should_be_answered_is_stopped_by_a_rule():
    """The rule that answers in Keycloak's place."""
    found = causes.hidden(DEV, Asked(PUBLIC, "/robots.txt", INTERNET))
    assert "HttpsListener answers /robots.txt" in found[0].text and "fixed 404" in found[0].text


def test_forged_headers_pass_where_no_rule_refuses_them():
    """Forwarded is refused by a rule here, X-Forwarded-Host isn't."""
    asked = Asked(PUBLIC, "/realms/x", INTERNET, headers=(("X-Forwarded-Host", "drill.invalid"),))
    assert "no rule refuses" in causes.forged(DEV, "X-Forwarded-Host", asked)[0].text
    refused = Asked(PUBLIC, "/realms/x", INTERNET, headers=(("Forwarded", "for=1"),))
    assert causes.forged(DEV, "Forwarded", refused) == ()


@pytest.mark.parametrize(("variables", "text"), [
    ({"KC_PROXY_HEADERS": None}, "isn't set"), ({"KC_PROXY_HEADERS": "forwarded"}, "is forwarded"),
    ({"KC_PROXY_TRUSTED_ADDRESSES": "192.0.2.0/24"}, "doesn't hold the balancer's address 10.40.0.10")])
def test_a_balancer_that_isn_t_believed(variables, text):
    """Proxy headers that are off, of the wrong kind, or not taken from this balancer."""
    assert text in causes.proxy_headers(with_environment(DEV, **variables))[0].text
    trusted = with_environment(DEV, KC_PROXY_TRUSTED_ADDRESSES="10.40.0.0/24, 10.40.1.0/24")
    assert causes.proxy_headers(trusted) == ()


def test_the_rest_of_what_a_template_can_get_wrong():
    """Stickiness, deployment percentages, draining, sessions in memory, a missing host name."""
    assert "sticky sessions are off" in causes.unsteady(with_group(DEV, stickiness=None))[0].text
    assert causes.unsteady(with_group(DEV, stickiness=None, application_cookie="X")) == ()
    impatient = replace(DEV, service=replace(DEV.service, minimum_percent=50))
    assert "MinimumHealthyPercent 50" in causes.deployment(impatient)[0].text
    assert "deregistration delay 0" in causes.abrupt(with_group(DEV, deregistration_delay=0))[0].text
    assert "ECS kills a container 2 s" in causes.abrupt(with_container(DEV, stop_timeout=2))[0].text
    off = with_environment(DEV, KC_FEATURES_DISABLED="persistent-user-sessions,ciba")
    assert "sessions live in memory" in causes.forgotten(off, places(off, []))[0].text
    assert "no host name is set" in causes.hostname(with_environment(DEV, KC_HOSTNAME=None))[0].text


def test_a_redirect_is_called_one():
    """What answers instead of Keycloak is named by what it does."""
    topology = with_rules(rule("Listener", None, Action("redirect", status=301)), topology=DEV)
    assert "with a redirect" in causes.hidden(topology, Asked(PUBLIC, "/realms/x", INTERNET))[0].text


# --- client certificates ------------------------------------------------------------------------------------

PROXY = Container("proxy", "haproxy:2.8", ports=(8081, 8083), line=840)
VERIFY, PASS = MutualTls("verify", "TrustStore", 420), MutualTls("passthrough", line=420)


def certified(mutual: MutualTls, *containers: Container, **variables: str) -> tuple[Topology, Listener]:
    """DEV with certificates on its HTTPS listener, containers beside Keycloak and more variables."""
    topology = with_environment(DEV, **variables)
    balancer = topology.balancers[0]
    listeners = tuple(replace(one, mutual_tls=mutual) if one.protocol == "HTTPS" else one
                      for one in balancer.listeners)
    topology = replace(topology, balancers=(replace(balancer, listeners=listeners),),
                       task=replace(topology.task, containers=(*topology.task.containers, *containers)))
    return topology, listeners[-1]


def test_why_keycloak_sees_no_certificate():
    """No provider, a header that none of them reads, a proxy that isn't believed; nothing where all is as it should
    be."""
    told = {"KC_SPI_X509CERT_LOOKUP__PROVIDER": "haproxy"}
    assert [cause.line for cause in causes.unread(*certified(VERIFY))] == [590, 420]
    assert "X-Amzn-Mtls-Clientcert-Leaf" in causes.unread(*certified(VERIFY, **told))[0].text
    assert "X-Amzn-Mtls-Clientcert as" in causes.unread(*certified(PASS, **told))[0].text
    assert causes.unread(*certified(VERIFY, PROXY, **told)) == ()
    chosen_in_the_image = {"KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT": "ssl-client-cert"}
    assert causes.unread(*certified(PASS, PROXY, **chosen_in_the_image)) == ()
    distrusted = certified(VERIFY, PROXY, **told, KC_PROXY_TRUSTED_ADDRESSES="10.40.0.0/16")
    assert "127.0.0.1" in causes.unread(*distrusted)[0].fix
    trusted = certified(VERIFY, PROXY, **told, KC_PROXY_TRUSTED_ADDRESSES="10.40.0.0/16, 127.0.0.1")
    assert causes.unread(*trusted) == ()


def test_why_a_stranger_s_certificate_is_believed():
    """What is passed through is verified by nobody; what the balancer verifies is not the template's fault."""
    named = {"KC_SPI_X509CERT_LOOKUP_PROVIDER": "nginx"}
    found = causes.unverified(*certified(PASS, PROXY, **named))
    assert found[0].line == 420 and "nginx" in found[0].text and "client-x509" in found[0].fix
    assert causes.unverified(*certified(VERIFY, PROXY, **named)) == ()


def test_why_a_made_up_header_is_believed():
    """The variable that makes Keycloak read it, or the proxy that should have taken it away; nothing where it
    reads none."""
    named = {"KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT": "ssl-client-cert"}
    alone, _ = certified(VERIFY, **named)
    assert "nothing in front" in causes.believed(alone)[0].text and causes.believed(alone)[0].line > 600
    beside, _ = certified(VERIFY, PROXY, **named)
    assert "proxy in front" in causes.believed(beside)[0].text and causes.believed(beside)[0].line == 840
    assert causes.believed(DEV) == ()


def test_health_that_a_container_beside_keycloak_answers_proves_nothing():
    """A proxy's port is no wrong port of Keycloak's; without the proxy it is one."""
    asked = with_group(DEV, health_port=8083)
    assert any("health on port 8083" in cause.text for cause in causes.unserved(asked))
    beside = replace(asked, task=replace(asked.task, containers=(*asked.task.containers, PROXY)))
    assert not any("health on port" in cause.text for cause in causes.unserved(beside))
