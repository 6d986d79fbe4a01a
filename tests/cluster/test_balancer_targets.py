"""Targets that come, go and fail behind HAProxy."""

from __future__ import annotations

import socket
import subprocess
import threading

from generator.rehearsing import balancer
from generator.rehearsing.topology import Host
from tests.cluster.balanced import Targets, cookies
from tests.cluster.networks import until
from tests.rehearsing.topologies import PUBLIC, SLOTS, TARGET_GROUP, with_group


def test_registered_target_gets_requests_after_its_first_passed_check(start, targets):
    """Before registration and before a check nothing is sent to a target; afterwards its share is."""
    running = start()
    targets.serve(SLOTS[2])
    targets.ill.add("keycloak-3")
    assert "keycloak-3" not in {running.ask("/realms/shop").log.server for _ in range(6)}
    running.say(*balancer.register(TARGET_GROUP, SLOTS[2]))
    assert running.states()["keycloak-3"] in ("initial", "unhealthy")
    until("a failed check", lambda: running.states()["keycloak-3"] == "unhealthy")
    assert "keycloak-3" not in {running.ask("/realms/shop").log.server for _ in range(6)}
    targets.ill.clear()
    running.settle(keycloak_3="healthy")
    assert "keycloak-3" in {running.ask("/realms/shop").log.server for _ in range(6)}


def test_registration_is_initial_until_a_check(start, targets):
    """Of a steady stream of requests none reaches a target between its registration and its first check."""
    running = start()
    targets.serve(SLOTS[2])
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            running.ask("/realms/shop")

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for _ in range(5):
            running.say(*balancer.deregister(TARGET_GROUP, SLOTS[2]))
            running.settle(keycloak_3="maint")
            before = len(targets.order)
            running.say(*balancer.register(TARGET_GROUP, SLOTS[2]))
            until("a request", lambda: ("request", "keycloak-3") in targets.order[before:])  # noqa: B023
            assert next(kind for kind, slot in targets.order[before:] if slot == "keycloak-3") == "check"
    finally:
        stop.set()
        asking.join()


def test_deregistered_target_gets_nothing_more_even_of_a_sticky_client(start):
    """A client that is held on a target moves when the target is deregistered, and gets a new cookie."""
    running = start()
    first = running.ask("/realms/shop")
    sticky = "Cookie: " + cookies(first)["AWSALB"].split(";")[0]
    gone = {slot.name: slot for slot in SLOTS}[first.log.server]
    running.say(*balancer.deregister(TARGET_GROUP, gone))
    moved = [running.ask("/realms/shop", headers=(sticky,)) for _ in range(4)]
    assert gone.name not in {one.log.server for one in moved}
    assert cookies(moved[0])["AWSALB"].split("=")[1].split("|")[0] == moved[0].log.server
    assert running.states()[gone.name] == "maint"


def test_request_under_way_survives_deregistration(start, targets):
    """Draining lets requests end by themselves, however long the target takes."""
    running = start()
    with running.connect() as connection:
        slot = asked_and_held(connection, targets)
        running.say(*balancer.deregister(TARGET_GROUP, slot))
        running.settle(**{slot.name.replace("-", "_"): "maint"})
        targets.released.set()
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_request_under_way_is_ended_when_the_delay_is_over(start, targets):
    """`disconnect` ends what draining left."""
    running = start()
    with running.connect() as connection:
        slot = asked_and_held(connection, targets)
        running.say(*balancer.deregister(TARGET_GROUP, slot))
        running.say(*balancer.disconnect(TARGET_GROUP, slot))
        # HAProxy 2.6 says so before it closes the connection, 3.4 only closes it.
        assert connection.recv(65536)[:13] in (b"HTTP/1.1 502 ", b"")


def asked_and_held(connection: socket.socket, targets: Targets) -> Host:
    """Sends a request that its target holds; the target's slot."""
    connection.sendall(f"GET /realms/held HTTP/1.1\r\nHost: {PUBLIC}\r\n\r\n".encode())
    until("the request", lambda: targets.seen)
    return {one.name: one for one in SLOTS}[targets.seen[0][0]]


def test_unhealthy_target_gets_nothing_while_another_is_well(start, targets):
    """After as many failed checks as the target group says, requests go to the others."""
    running = start()
    targets.ill.add("keycloak-1")
    running.settle(keycloak_1="unhealthy")
    assert {running.ask("/realms/shop").log.server for _ in range(4)} == {"keycloak-2"}
    targets.ill.clear()
    running.settle(keycloak_1="healthy")
    assert {running.ask("/realms/shop").log.server for _ in range(4)} == {"keycloak-1", "keycloak-2"}


def test_balancer_fails_open_when_nobody_is_well(start, targets):
    """With every registered target unhealthy, requests go to all of them, but not to one that isn't
    registered."""
    running = start()
    targets.serve(SLOTS[2])
    targets.ill |= {"keycloak-1", "keycloak-2"}
    running.settle(keycloak_1="unhealthy", keycloak_2="unhealthy")
    answers = [running.ask("/realms/shop") for _ in range(6)]
    assert {one.status for one in answers} == {200}
    assert {one.log.server for one in answers} == {"keycloak-1", "keycloak-2"}
    assert {one.log.target_group for one in answers} == {"TargetGroup"}


def test_answers_of_the_balancer_tell_refused_from_empty(start, targets):
    """A target that refuses connections is a 502, no registered target at all a 503; a target's own 503
    stays."""
    running = start()
    own = running.ask("/realms/unwell")
    assert (own.status, own.log.server, own.body) == (503, own.target[0], own.target[0])
    targets.end()
    refused = running.ask("/realms/shop")
    assert (refused.status, refused.log.state[:2]) == (502, "SC")
    assert refused.header("server") == ["awselb/2.0"] and "502 Bad Gateway" in refused.body
    running.settle(keycloak_1="unhealthy", keycloak_2="unhealthy")
    assert running.ask("/realms/shop").status == 502
    for slot in SLOTS[:2]:
        running.say(*balancer.deregister(TARGET_GROUP, slot))
    empty = running.ask("/realms/shop")
    assert (empty.status, empty.log.server) == (503, "")
    assert "503 Service Temporarily Unavailable" in empty.body


def test_silent_target_is_a_gateway_timeout(start, targets):
    """A target whose packets vanish is a 504 after the time that the balancer tries to connect."""
    running = start(with_group(stickiness=None))
    subprocess.run(
        [
            "nft",
            "add table inet silence; add chain inet silence out { type filter hook output priority 0; }; "
            "add rule inet silence out tcp dport 8080 drop",
        ],
        check=True,
    )
    answer = running.ask("/realms/shop")
    assert (answer.status, answer.log.state[:2]) == (504, "sC")
    assert answer.log.milliseconds >= balancer.CONNECT * 1000
