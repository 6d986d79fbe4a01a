"""Who may talk to whom: each connection opened at both ends, and nothing else opened at all."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.document import Document
from generator.keycloak.environment import server_environment
from generator.rendering.permissions import Permission, network_id, permissions
from tests.trials import FOUND_DATABASE, FOUND_NETWORK, try_out

few = settings(max_examples=25)

WORLD = "0.0.0.0/0"
NODES = {("Task", "Task", 7800), ("Task", "Task", 57800)}
FOR_EVERYBODY = {(WORLD, "LoadBalancer", 443), (WORLD, "LoadBalancer", 80)}
BEHIND = {("LoadBalancer", "Task", 8080), ("LoadBalancer", "Task", 9000)}
OUT = {("Task", WORLD, 443)}
DATABASE = {("Task", "Database", 5432)}

WANTED = {
    "dev": FOR_EVERYBODY | BEHIND | NODES | DATABASE | OUT,
    "prod": FOR_EVERYBODY | BEHIND | NODES | DATABASE | OUT,
    "staging": FOR_EVERYBODY | BEHIND | NODES | OUT | {
        ("10.0.0.0/8", "AdminLoadBalancer", 443), ("10.0.0.0/8", "AdminLoadBalancer", 80),
        ("AdminLoadBalancer", "Task", 8080), ("AdminLoadBalancer", "Task", 9000),
        ("Task", "sg-0a1b2c3d4e5f67890", 5432), ("Task", "10.20.5.0/24", 636)},
}
"""Every connection that may be made: (from, to, TCP port)."""


def group(value: object) -> str:
    """The name of a security group: the stack's own without its ending, or its id."""
    if isinstance(value, dict):
        return value["Fn::GetAtt"][0].removesuffix("SecurityGroup")
    return value


def is_address(name: str) -> bool:
    """Whether an end of a connection is a network or a prefix list, which has no group to open."""
    return "/" in name or name.startswith("pl-")


def halves(document: Document) -> Counter:
    """(direction, from, to, port) of every permission in a rendered template."""
    found: Counter = Counter()
    for resource in document.of_type("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"):
        own = resource.properties
        assert own["IpProtocol"] == "tcp" and own["FromPort"] == own["ToPort"]
        direction = resource.type.removeprefix("AWS::EC2::SecurityGroup")
        others = [own[name] for name in ("CidrIp", "SourceSecurityGroupId", "DestinationSecurityGroupId",
                                         "DestinationPrefixListId") if name in own]
        other, = map(group, others)
        ends = (other, group(own["GroupId"])) if direction == "Ingress" else (group(own["GroupId"]), other)
        found[(direction, *ends, int(own["FromPort"]))] += 1
    return found


def connections(found: Counter) -> set[tuple[str, str, int]]:
    """The connections that permissions make possible, after checking that each is opened at both of its ends."""
    assert set(found.values()) <= {1}  # EC2 refuses the same permission twice
    edges = {key[1:] for key in found}
    for start, end, port in edges:
        opened = {direction for direction in ("Egress", "Ingress") if (direction, start, end, port) in found}
        assert opened == ({"Ingress"} if is_address(start) else {"Egress"} if is_address(end)
                          else {"Egress", "Ingress"})
    return edges


@pytest.mark.parametrize("name", WANTED)
def test_an_environment_opens_what_it_needs_and_nothing_else(name, wholes):
    """The complete table of the project's own environments, read from their templates."""
    assert connections(halves(wholes[name].document)) == WANTED[name]


def test_a_group_lets_nothing_out_by_itself(wholes):
    """Groups open nothing inline, except that the rule to 127.0.0.1 takes EC2's own default away."""
    for name in WANTED:
        for resource in wholes[name].document.of_type("AWS::EC2::SecurityGroup"):
            assert "SecurityGroupIngress" not in resource.properties
            rule, = resource.properties["SecurityGroupEgress"]
            assert (rule["IpProtocol"], rule["CidrIp"]) == ("-1", "127.0.0.1/32")


def test_no_case_opens_one_end_only(wholes):
    """Whatever is chosen, both halves of a connection are there with the same port, and none is there twice."""
    for name in wholes.names:
        assert connections(halves(wholes[name].document)) >= NODES


@pytest.mark.parametrize("version", ["24.0.5", "26.7.4"])
def test_health_checks_have_a_way(version, wholes):
    """On 24 through the same port as requests, later through the management port."""
    found = connections(halves(wholes[f"v{version.replace('.', '-')}-stock"].document))
    ports = {port for start, end, port in found if (start, end) == ("LoadBalancer", "Task")}
    assert ports == ({8080} if version == "24.0.5" else {8080, 9000})


# --- from settings --------------------------------------------------------------------------------------------------

def allowed(changes: dict) -> dict[str, Permission]:
    """The permissions of the good environment with some changes, by logical id."""
    environment = try_out(changes).environment
    server = server_environment(environment.settings, environment.catalog, environment.name, ("10.40.0.0/20",))
    found = permissions(environment.settings, server)
    by_id = {permission.logical_id: permission for permission in found}
    assert len(by_id) == len(found)
    return by_id


def ends(found: dict[str, Permission], port: int) -> set[tuple[str, str]]:
    """(logical id, the other end) of the permissions at a port."""
    return {(name, one.cidr or one.peer or one.prefix_list) for name, one in found.items() if one.port == port}


TASKS = "!GetAtt TaskSecurityGroup.GroupId"
CLOSED = {"network.create.nat": "none"}
FOUND_CLOSED = {"network": FOUND_NETWORK, "network.existing.internet": False}


@pytest.mark.parametrize(("changes", "https"), [
    pytest.param({}, {("TaskOutHttpsToWorld", WORLD)}, id="with the internet"),
    pytest.param(CLOSED, {
        ("TaskOutHttpsToWorld", WORLD), ("TaskOutHttpsToEndpoint", "!GetAtt EndpointSecurityGroup.GroupId"),
        ("EndpointInHttpsFromTasks", TASKS)}, id="endpoints of the stack"),
    pytest.param({**CLOSED, "network.s3_prefix_list": "pl-6ea54007"}, {
        ("TaskOutHttpsToS3", "pl-6ea54007"), ("TaskOutHttpsToEndpoint", "!GetAtt EndpointSecurityGroup.GroupId"),
        ("EndpointInHttpsFromTasks", TASKS)}, id="endpoints of the stack and S3 by name"),
    pytest.param({"network.s3_prefix_list": "pl-6ea54007"}, {("TaskOutHttpsToWorld", WORLD)},
                 id="the internet is wider than S3"),
    pytest.param({**FOUND_CLOSED, "network.existing.endpoint_security_groups": ["sg-0eeeeeee1", "sg-0eeeeeee2"]}, {
        ("TaskOutHttpsToWorld", WORLD),
        ("TaskOutHttpsToEndpoint0eeeeeee1", '"sg-0eeeeeee1"'), ("Endpoint0eeeeeee1InHttpsFromTasks", TASKS),
        ("TaskOutHttpsToEndpoint0eeeeeee2", '"sg-0eeeeeee2"'), ("Endpoint0eeeeeee2InHttpsFromTasks", TASKS)},
        id="endpoints that were found"),
])
def test_tasks_reach_the_apis_of_aws(changes, https):
    """Through endpoints or the internet: 443 opened out of the tasks, and into every group of endpoints."""
    found = {name: one for name, one in allowed(changes).items() if not name.startswith("LoadBalancer")}
    assert ends(found, 443) == https


def test_tasks_reach_what_params_name():
    """One permission per target, with its own words, port and network."""
    targets = [{"to": "10.20.5.0/24", "port": 636, "description": "LDAPS of the head office"},
               {"to": "10.20.5.0/24", "port": 389, "description": "LDAP"},
               {"to": WORLD, "port": 587, "description": "Mail"}]
    more = allowed({"network.egress": targets}).items() - allowed({}).items()
    assert {(name, one.direction, one.group, one.port, one.cidr, one.description) for name, one in more} == {
        ("TaskOut636To10x20x5x0p24", "Egress", TASKS, 636, "10.20.5.0/24", "LDAPS of the head office"),
        ("TaskOut389To10x20x5x0p24", "Egress", TASKS, 389, "10.20.5.0/24", "LDAP"),
        ("TaskOut587ToWorld", "Egress", TASKS, 587, WORLD, "Mail")}


def test_a_found_database_is_opened_at_its_own_port():
    """Its group gets a permission for the tasks, and they one for it."""
    found = allowed({"database": FOUND_DATABASE, "database.existing.port": 6432})
    assert ends(found, 6432) == {("TaskOutDatabase", '"sg-0a1b2c3d4e5f67890"'), ("DatabaseInDatabase", TASKS)}
    assert found["DatabaseInDatabase"].group == '"sg-0a1b2c3d4e5f67890"'
    assert not ends(found, 5432)


def test_only_named_clients_get_in():
    """With allow_from there is no permission for the world, on either port."""
    found = allowed({"load_balancer.allow_from": ["203.0.113.0/24", "198.51.100.0/28"]})
    for port, name in ((443, "Https"), (80, "Http")):
        assert {end for end in ends(found, port) if end[0].startswith("LoadBalancerIn")} == {
            (f"LoadBalancerIn{name}From203x0x113x0p24", "203.0.113.0/24"),
            (f"LoadBalancerIn{name}From198x51x100x0p28", "198.51.100.0/28")}


@few
@given(networks=st.lists(st.sampled_from([f"203.0.113.{number}/32" for number in range(40)]), unique=True,
                         min_size=2, max_size=12), data=st.data())
def test_a_network_taken_out_of_the_middle_moves_no_other(networks, data):
    """The permissions that stay keep their logical ids, so that CloudFormation creates none that is still there."""
    gone = data.draw(st.sampled_from(networks))
    internal = {"keycloak.admin.balancer": "internal", "keycloak.admin.login_from": ["203.0.113.0/24"]}
    for changes, key in (({}, "load_balancer.allow_from"), (internal, "keycloak.admin.allow_from")):
        before = allowed({**changes, key: networks})
        after = allowed({**changes, key: [one for one in networks if one != gone]})
        assert after.items() <= before.items()
        assert {one.cidr for one in dict(before.items() - after.items()).values()} == {gone}
        assert len(before) - len(after) == 2


def test_a_target_taken_out_of_the_middle_moves_no_other():
    """The same for what tasks may reach."""
    targets = [{"to": f"10.20.{number}.0/24", "port": 636, "description": "LDAP"} for number in range(3)]
    before, after = allowed({"network.egress": targets}), allowed({"network.egress": targets[::2]})
    assert after.items() < before.items()
    assert set(before) - set(after) == {"TaskOut636To10x20x1x0p24"}


@few
@given(networks=st.lists(st.ip_addresses(v=4, network="0.0.0.0/0"), min_size=2, max_size=2, unique=True),
       lengths=st.tuples(st.integers(0, 32), st.integers(0, 32)))
def test_no_two_networks_share_a_name(networks, lengths):
    """A logical id's part is letters and digits, and the network can be read from it."""
    first, second = (f"{network}/{length}" for network, length in zip(networks, lengths))
    assert network_id(first).isalnum() and network_id(first).isascii()
    assert (network_id(first) == network_id(second)) == (first == second)
    if first != WORLD:
        assert network_id(first).replace("x", ".").replace("p", "/") == first
    assert network_id(WORLD) == "World"
