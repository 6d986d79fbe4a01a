"""How nodes find each other, talk and notice a loss: forms of each fault, and what only looks like one."""

from __future__ import annotations

import copy
import textwrap

import pytest
from laying import good, laid, viewed

from generator.document import Document
from generator.linting import pack
from generator.linting.view import View

OWN = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/keycloak"
STOCK = "quay.io/keycloak/keycloak"
QUERY = "-Djgroups.dns.query=keycloak.sso.internal"
CLUSTER_IDS = {
    *(f"E90{number}" for number in range(27, 47)),
    *(f"W90{number}" for number in range(27, 47)),
    *(f"{letter}91{number}" for letter in "EW" for number in range(20, 40)),
    "I9042",
}


def node(image: str = f"{OWN}:26.7.4", command: str = "[start, --optimized]", **variables: str | None) -> str:
    """An excerpt that gives Keycloak's container an image, a command and variables; None takes one away."""
    lines = [f"Image: {image}", f"Command: {command}", "Environment:"]
    for name, value in {"KC_CACHE": "ispn", **variables}.items():
        written = "~" if value is None else value if value.startswith("!") else f"'{value}'"
        lines.append(f"  - {{Name: {name}, Value: {written}}}")
    inner = textwrap.indent("\n".join(lines), " " * 8)
    return f"TaskDefinition:\n  Properties:\n    ContainerDefinitions:\n      - Name: keycloak\n{inner}\n"


def stock(version: str, **variables: str | None) -> str:
    """The same with Keycloak's own image and without a cache configuration of the user's."""
    return node(f"{STOCK}:{version}", "[start]", **{"KC_CACHE_CONFIG_FILE": None, **variables})


def own(version: str, **variables: str | None) -> str:
    """The same with an image of the user's, without a cache configuration in the template."""
    return node(f"{OWN}:{version}", **{"KC_CACHE_CONFIG_FILE": None, **variables})


def service(*lines: str) -> str:
    """An excerpt with more properties of the service."""
    return "Service:\n  Properties:\n" + "".join(f"    {line}\n" for line in lines)


def drained(value: str) -> str:
    """An excerpt with a deregistration delay of the target group."""
    return (
        "TargetGroup:\n  Properties:\n    TargetGroupAttributes:\n"
        f"      - {{Key: deregistration_delay.timeout_seconds, Value: {value}}}\n"
    )


def found(rule: str, *excerpts: str, version: str = "") -> list:
    """What one rule says about the good template with the excerpts laid over it."""
    view = viewed(laid("".join(excerpts)), version)
    one = pack.rule(rule)
    assert one is not None
    return list(one.findings(view))


def ids(*excerpts: str) -> set[str]:
    """The ids of this area that are found."""
    return {one.rule for one in pack.run(viewed(laid("".join(excerpts))))} & CLUSTER_IDS


@pytest.mark.parametrize(
    ("rule", "excerpt"),
    [
        ("E9027", stock("25.0.6", KC_CACHE_STACK="kubernetes", JAVA_OPTS_APPEND=None)),
        ("E9027", stock("26.7.4", KC_CACHE_STACK="kubernetes", JAVA_OPTS_APPEND="-Djgroups.dns.query=")),
        ("E9027", own("26.7.4", KC_CACHE_STACK="kubernetes", JAVA_OPTS_APPEND="-Xss1m")),
        ("W9027", own("26.4.7", KC_CACHE_STACK="jdbc-ping-udp", JAVA_OPTS_APPEND=QUERY)),
        ("W9028", own("26.3.0", KC_CACHE_STACK="kubernetes")),
        ("W9028", node(command='[start, "--cache-stack=kubernetes"]', KC_CACHE_STACK="jdbc-ping")),
        ("E9029", own("24.0.5", KC_CACHE_STACK="jdbc-ping").replace(", --optimized", "")),
        ("E9029", stock("25.0.6", KC_CACHE_STACK="jdbc-ping-udp")),
        ("E9030", own("26.7.4", KC_CACHE_STACK="udp")),
        ("E9030", own("26.7.4", KC_CACHE_STACK="jdbc-ping-udp")),
        ("E9030", stock("24.0.5", JAVA_OPTS_APPEND=QUERY)),
        ("E9030", stock("26.7.4", KC_CACHE_STACK="google")),
        ("E9127", stock("26.0.8", KC_CACHE_STACK="dns")),
        ("E9044", stock("26.2.5", KC_CACHE_CONFIG_FILE="mine.xml")),
        ("E9041", own("26.3.5", KC_CACHE_EMBEDDED_NETWORK_EXTERNAL_PORT="7800")),
        ("E9041", node(f"{OWN}:25.0.6", '[start, "--cache-embedded-network-bind-address=SITE_LOCAL"]')),
        ("W9041", own("26.5.5", KC_CACHE_EMBEDDED_NETWORK_BIND_PORT="7801")),
        ("W9124", own("25.0.6", KC_CACHE_EMBEDDED_MTLS_ENABLED="true")),
        ("E9125", stock("24.0.5", KC_CACHE_STACK="kubernetes", KC_CACHE_EMBEDDED_MTLS_ENABLED="true")),
        ("I9042", stock("26.1.4", KC_CACHE_EMBEDDED_MTLS_ENABLED=None)),
        ("W9130", own("26.2.5", KC_CACHE_STACK="jdbc-ping")),
    ],
)
def test_a_stack_that_does_not_do_is_named(rule, excerpt):
    """Each way to choose a stack, a file or an option that the version or the image hasn't is found."""
    assert [one.rule for one in found(rule, excerpt)] == [rule]


@pytest.mark.parametrize(
    "excerpt",
    [
        # A version that isn't known may be any.
        own("latest", KC_CACHE_STACK="jdbc-ping", JAVA_OPTS_APPEND=None),
        own("latest", KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS="SITE_LOCAL"),
        own("latest", KC_CACHE_EMBEDDED_MTLS_ENABLED="false"),
        stock("latest", KC_CACHE_STACK="jdbc-ping", JAVA_OPTS_APPEND=None),
        # An image of one's own may bring stacks, files and settings.
        own("26.0.8", KC_CACHE_STACK="jdbc-ping", KC_CACHE_EMBEDDED_MTLS_ENABLED=None, JAVA_OPTS_APPEND=None),
        own("26.7.4", KC_CACHE_STACK="mine"),
        own("26.7.4", KC_CACHE_STACK="ec2", JAVA_OPTS_APPEND=None),
        own("26.7.4", KC_CACHE_STACK=None),
        node(f"{OWN}:26.7.4", KC_CACHE_CONFIG_FILE="mine.xml", KC_CACHE_STACK="udp"),
        # The stack of an optimized image is fixed before 25.
        own("24.0.5", KC_CACHE_STACK="udp", KC_CACHE_EMBEDDED_MTLS_ENABLED=None),
        # A value that isn't known may be any.
        own("26.7.4", KC_CACHE_STACK="!Ref Stack", JAVA_OPTS_APPEND="-Xss1m"),
        stock("26.2.5", KC_CACHE_STACK="kubernetes", JAVA_OPTS_APPEND="!Ref JavaOptions"),
        # Java reads the name itself.
        stock("26.2.5", KC_CACHE_STACK="kubernetes", JAVA_OPTS_APPEND=None, JAVA_TOOL_OPTIONS=QUERY),
        # No cluster at all.
        stock("26.0.8", KC_CACHE="local", KC_CACHE_STACK="kubernetes", JAVA_OPTS_APPEND=None),
        # One task has nobody to look for.
        stock("26.7.4", KC_CACHE_STACK="tcp", JAVA_OPTS_APPEND=None) + service("DesiredCount: 1"),
        # What Keycloak's own image has, and what is mounted.
        stock("26.7.4", KC_CACHE_CONFIG_FILE="/opt/keycloak/conf/cache-ispn.xml"),
        stock("26.7.4", KC_CACHE_CONFIG_FILE="mine.xml")
        + "        MountPoints: [{SourceVolume: conf, ContainerPath: /opt/keycloak/conf}]\n",
        # Options that the version has, and a port that is the default anyway.
        own("26.4.0", KC_CACHE_EMBEDDED_NETWORK_BIND_PORT="7800"),
        own("26.6.0", KC_CACHE_EMBEDDED_NETWORK_BIND_PORT="7800"),
    ],
)
def test_what_may_be_right_is_left_alone(excerpt):
    """Where the image, the version or a parameter may make it right, nothing about the cluster is said."""
    assert ids(excerpt, drained("20")) == set()


@pytest.mark.parametrize("count", [1, 2])
def test_multicast_by_default_is_a_fault_of_several_tasks(count):
    """udp, the default before 26.1, is objected to where two tasks run; a lone one needs nobody."""
    excerpt = stock("25.0.6", JAVA_OPTS_APPEND=None) + service(f"DesiredCount: {count}")
    assert len(found("E9030", excerpt)) == count - 1


def test_a_lone_task_definition_is_no_cluster_yet():
    """A task definition without a service doesn't tell that there will be several tasks."""
    template = laid(stock("25.0.6", JAVA_OPTS_APPEND=None))
    del template["Resources"]["Service"]
    assert not [one for one in pack.run(viewed(template)) if one.rule == "E9030"]


def test_the_way_out_of_multicast_fits_the_version():
    """The fix is the default stack where that finds nodes by the database, and DNS where it doesn't."""
    assert "jdbc-ping" in found("E9030", own("26.7.4", KC_CACHE_STACK="udp", JAVA_OPTS_APPEND=None))[0].fix
    assert "kubernetes" in found("E9030", stock("26.0.8", JAVA_OPTS_APPEND=QUERY))[0].fix


def test_a_multicast_domain_carries_multicast():
    """With a transit gateway's multicast domain in the template, multicast may well work."""
    domain = "Domain:\n  Type: AWS::EC2::TransitGatewayMulticastDomain\n"
    assert not found("E9030", own("26.7.4", KC_CACHE_STACK="tcp"), domain)


def test_a_missing_name_and_a_missing_stack_are_different_faults():
    """Each of two settings that need each other is asked for where it lacks, once."""
    without_name = stock("26.2.5", KC_CACHE_STACK="kubernetes", JAVA_OPTS_APPEND=None)
    without_stack = stock("26.2.5", JAVA_OPTS_APPEND=QUERY)
    assert ids(without_name, drained("20")) == {"E9027"}
    # The cluster forms through the database all the same, with that version's bugs.
    assert ids(without_stack) == {"W9027", "W9130"}


# --- ports ---


def test_cluster_ports_open_to_others_are_named_once_each():
    """A permission for all ports is one finding that names both ports, whatever way it is written."""
    permission = "{IpProtocol: '-1', CidrIp: 10.0.0.0/8}"
    hits = found("W9032", f"TaskSecurityGroup:\n  Properties:\n    SecurityGroupIngress: [{permission}]\n")
    assert len(hits) == 1
    assert "7800 and 57800" in hits[0].message and "10.0.0.0/8" in hits[0].message


@pytest.mark.parametrize(
    "source",
    [
        "SourceSecurityGroupId: !Ref OtherGroup",  # a parameter: it may be the tasks' own
        "SourceSecurityGroupId: sg-0123456789abcdef0",
        "SourceSecurityGroupId: !ImportValue group",
        "CidrIp: !Ref Network",
        "CidrIp: 127.0.0.1/32",
    ],
)
def test_a_source_that_may_be_the_tasks_themselves_is_left_alone(source):
    """Who is let in isn't known, so nothing is said."""
    excerpt = f"Extra:\n  Type: AWS::EC2::SecurityGroupIngress\n  Properties:\n    {source}\n"
    excerpt += "    GroupId: !GetAtt TaskSecurityGroup.GroupId\n"
    excerpt += "    IpProtocol: tcp\n    FromPort: 7800\n    ToPort: 7800\n"
    assert not found("W9032", excerpt)


def test_another_keycloak_service_may_join():
    """Two services of one cluster let each other in; the second one's group is no stranger."""
    template = copy.deepcopy(good())
    resources = template["Resources"]
    resources["OtherGroup"] = {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "More"}}
    placed = {"SecurityGroups": [{"Ref": "OtherGroup"}], "Subnets": [{"Ref": "PrivateSubnetA"}]}
    other = {**resources["Service"]["Properties"], "NetworkConfiguration": {"AwsvpcConfiguration": placed}}
    resources["TaskInCluster"]["Properties"]["SourceSecurityGroupId"] = {"Ref": "OtherGroup"}
    assert [one.rule for one in pack.run(viewed(template)) if one.rule == "W9032"] == ["W9032"]
    resources["OtherService"] = {"Type": "AWS::ECS::Service", "Properties": other}
    assert [one.rule for one in pack.run(viewed(template)) if one.rule == "W9032"] == []


def test_a_node_without_a_cluster_has_no_cluster_ports():
    """With cache=local nobody listens at 7800, so who may come there is of no interest."""
    open_port = "TaskInCluster:\n  Properties: {SourceSecurityGroupId: ~, CidrIp: 0.0.0.0/0}\n"
    assert found("W9032", open_port)
    assert not found("W9032", open_port, node(KC_CACHE="local"))


def test_the_port_that_is_chosen_is_the_one_that_counts():
    """With another bind port, a target group and a protocol at 7800 are somebody else's affair."""
    moved = node(JAVA_OPTS_APPEND=f"{QUERY} -Djgroups.bind.port=7900")
    entry = "{ContainerName: keycloak, ContainerPort: 7900, TargetGroupArn: !Ref TargetGroup}"
    balanced = service(f"LoadBalancers: [{entry}]")
    assert found("E9033", moved, balanced)
    assert not found("E9033", balanced)


def test_another_container_may_be_balanced_at_any_port():
    """A sidecar's port 7800 isn't Keycloak's."""
    line = "LoadBalancers: [{ContainerName: proxy, ContainerPort: 7800, TargetGroupArn: !Ref TargetGroup}]"
    assert not found("E9033", service(line))


# --- Cloud Map ---


def entry(*lines: str) -> str:
    return "DiscoveryService:\n  Properties:\n    DnsConfig:\n" + "".join(f"      {line}\n" for line in lines)


@pytest.mark.parametrize("rule", ["E9034", "W9034", "W9035"])
def test_cloud_map_counts_for_dns_only(rule):
    """Nodes that find each other in the database don't care for Cloud Map's records."""
    bad = entry("RoutingPolicy: WEIGHTED", "DnsRecords: [{Type: SRV, TTL: 300}]")
    assert found(rule, bad)
    assert not found(rule, bad, own("26.7.4", KC_CACHE_STACK="jdbc-ping"))
    assert not found(rule, bad, service("DesiredCount: 1"))


def namespace(text: str) -> str:
    return f"DiscoveryNamespace:\n  Properties:\n    Properties: {text}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("~", "300 s"),
        ("{DnsProperties: ~}", "300 s"),
        ("{DnsProperties: {SOA: {TTL: 86400}}}", "300 s"),
        ("{DnsProperties: {SOA: {TTL: '60'}}}", "60 s"),
        ("{DnsProperties: {SOA: {TTL: 30}}}", ""),
        ("!Ref Unknown", ""),
        ("{DnsProperties: {SOA: {TTL: !Ref Seconds}}}", ""),
        ("{DnsProperties: {SOA: !If [Quick, {TTL: 10}, {TTL: 900}]}}", ""),
    ],
)
def test_how_long_no_such_name_is_kept(text, said):
    """A namespace that says nothing is remembered for five minutes, which is also the most; what isn't known is
    nobody's fault."""
    seen = found("W9190", namespace(text))
    assert [said in one.message for one in seen] == ([True] if said else [])


def test_nodes_that_do_not_ask_dns_need_no_name():
    """Discovery through the database, and one task alone, don't care for the namespace."""
    assert not found("W9190", namespace("~"), own("26.7.4", KC_CACHE_STACK="jdbc-ping"))
    assert not found("W9190", namespace("~"), service("DesiredCount: 1"))


def test_nodes_that_ask_for_srv_records_may_have_them():
    """jgroups.dns.record says what nodes ask for; SRV records are right then, and A records alone aren't."""
    asking = node(JAVA_OPTS_APPEND=f"{QUERY} -Djgroups.dns.record=SRV")
    assert not found("E9034", asking, entry("DnsRecords: [{Type: SRV, TTL: 10}]"))
    assert found("E9034", asking, entry("DnsRecords: [{Type: A, TTL: 10}]"))


@pytest.mark.parametrize(
    "records",
    [
        "DnsRecords: [{Type: A, TTL: 10}, {Type: SRV, TTL: 10}]",
        "DnsRecords: [{Type: AAAA, TTL: 10}]",
        "DnsRecords: [{Type: !Ref Kind, TTL: !Ref Seconds}]",
        "DnsRecords: !Ref Records",
        "DnsRecords: [{Type: A, TTL: 30}]",
    ],
)
def test_records_that_may_do_are_left_alone(records):
    """An address record beside others is enough, and what isn't known may be one."""
    assert not ids(entry(records)) & {"E9034", "W9034", "W9035"}


@pytest.mark.parametrize(("most", "hits"), [(8, 0), (9, 1)])
def test_tasks_beyond_eight_are_counted_by_scaling(most, hits):
    """The most that scaling allows counts, and the hit stands there."""
    target = "Target:\n  Type: AWS::ApplicationAutoScaling::ScalableTarget\n  Properties:\n"
    target += "    ResourceId: !Sub service/${Cluster}/${Service.Name}\n    MinCapacity: 2\n"
    seen = found("W9036", f"{target}    MaxCapacity: {most}\n")
    assert [one.path[-1] for one in seen] == ["MaxCapacity"] * hits


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["ServiceRegistries: ~"], {"E9038"}),
        (["ServiceRegistries: []"], {"E9038"}),
        (["ServiceRegistries: ~", "ServiceConnectConfiguration: {Enabled: true}"], {"E9043"}),
        (["ServiceRegistries: ~", "ServiceConnectConfiguration: {Enabled: false}"], {"E9038"}),
        (["ServiceRegistries: ~", "ServiceConnectConfiguration: {Enabled: !Ref Connect}"], {"E9038"}),
        (["ServiceConnectConfiguration: {Enabled: true}"], set()),
        (["ServiceRegistries: !Ref Registries"], set()),
        (["ServiceRegistries: [{RegistryArn: !ImportValue registry}]"], set()),
        (["ServiceRegistries: ~", "DeploymentController: {Type: EXTERNAL}"], set()),
        (["ServiceRegistries: ~", "DesiredCount: 1"], set()),
    ],
)
def test_a_service_that_nobody_finds_is_told_why(lines, said):
    """Service Connect and a missing registry are told apart; what may register the tasks is believed."""
    assert ids(service(*lines)) == said


def test_a_name_of_another_stack_may_be_filled_by_it():
    """A name outside of the template's namespaces: nobody can tell who puts tasks there."""
    elsewhere = node(JAVA_OPTS_APPEND="-Djgroups.dns.query=keycloak.shared.internal")
    assert ids(elsewhere, service("ServiceRegistries: ~")) == set()


# --- addresses ---


def java(options: str) -> str:
    return node(JAVA_OPTS_APPEND=f"{QUERY} {options}")


@pytest.mark.parametrize(
    ("excerpt", "message"),
    [
        (java("-Djgroups.bind_addr=127.0.0.1"), "second task never joins"),
        (java("-Djgroups.bind.address=loopback"), "second task never joins"),
        (java("-Djgroups.bind_addr=LINK_LOCAL"), "second task never joins"),
        (java("-Djgroups.tcp.address=0.0.0.0"), "no task ever starts"),
        (java("-Djgroups.bind_addr=10.0.2.15"), "no task ever starts"),
        (node(KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS="0.0.0.0"), "no task ever starts"),
        (node(command="[start, --cache-embedded-network-bind-address, LOOPBACK]"), "second task never joins"),
    ],
)
def test_an_address_that_nobody_reaches_is_named(excerpt, message):
    """Options, both system properties and the old one are read, in whatever case."""
    assert [message in one.message for one in found("E9040", excerpt)] == [True]


@pytest.mark.parametrize(
    "options",
    [
        "-Djgroups.bind_addr=GLOBAL",
        "-Djgroups.bind_addr=match-interface:eth1",
        "-Djgroups.bind_addr=SITE_LOCAL,GLOBAL",
        "-Djgroups.bind.address=0.0.0.0 -Djgroups.bind_addr=SITE_LOCAL",
    ],
)
def test_an_address_that_each_task_works_out_is_left_alone(options):
    """What each node finds for itself may be right, and the property that wins is the one that counts."""
    assert ids(java(options)) == set()


def moved(*cidrs: str) -> str:
    """The private subnets somewhere else."""
    return "".join(
        f"PrivateSubnet{letter}:\n  Properties: {{CidrBlock: {cidr}}}\n" for letter, cidr in zip("AB", cidrs)
    )


@pytest.mark.parametrize(
    ("excerpt", "right"),
    [
        (java("-Djgroups.bind_addr=SITE_LOCAL"), "match-address:100[.]64[.].*"),
        (stock("26.7.4", JAVA_OPTS_APPEND=None), "match-address:100[.]64[.].*"),
        (node(KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS="site_local"), "write match-address:100[.]64[.].*"),
    ],
)
def test_a_vpc_without_site_local_addresses_needs_a_pattern(excerpt, right):
    """Said or by default, SITE_LOCAL finds nothing in 100.64.0.0/16; the fix is the pattern that does."""
    vpc = "Vpc:\n  Properties: {CidrBlock: 100.64.0.0/16}\n"
    hits = found("E9040", excerpt, vpc, moved("100.64.2.0/24", "100.64.3.0/24"))
    assert len(hits) == 1 and right in hits[0].fix
    assert not found("E9040", excerpt, moved("172.31.2.0/24", "192.168.3.0/24"))
    assert not found("E9040", excerpt, moved("!Ref First", "!Ref Second"))


def test_an_image_may_know_its_address():
    """Where the template says nothing, an image of one's own may have the address built in."""
    silent = own("26.7.4", JAVA_OPTS_APPEND=None, KC_CACHE_STACK="jdbc-ping")
    assert not found("E9040", silent, moved("100.64.2.0/24", "100.64.3.0/24"))


@pytest.mark.parametrize(
    ("properties", "rules"),
    [
        ("EnableDnsHostnames: false", {"E9039"}),
        ("EnableDnsSupport: 'false'", {"E9039"}),
        ("EnableDnsHostnames: !Ref Names", set()),
        ("EnableDnsSupport: ~", set()),
    ],
)
def test_the_vpc_of_the_tasks_answers_to_names(properties, rules):
    """Off is a fault, not written is as AWS has it, and a parameter is nobody's guess."""
    assert ids(f"Vpc:\n  Properties: {{{properties}}}\n") == rules


def test_a_vpc_of_another_stack_is_left_alone():
    """Subnets that the template doesn't hold are in a VPC that nobody sees."""
    excerpt = "Vpc:\n  Properties: {EnableDnsHostnames: false}\n"
    network = "{SecurityGroups: [!GetAtt TaskSecurityGroup.GroupId], Subnets: [subnet-1, subnet-2]}"
    outside = service(f"NetworkConfiguration: {{AwsvpcConfiguration: {network}}}")
    elsewhere = "DiscoveryNamespace:\n  Properties: {Vpc: vpc-1}\n"
    assert not found("E9039", excerpt, outside, elsewhere)


def test_a_failure_detection_without_an_address_is_silent_where_it_has_one():
    """With the address said in the way that FD_SOCK2 reads, host names don't matter."""
    off = "Vpc:\n  Properties: {EnableDnsHostnames: false}\n"
    database = {"KC_CACHE_STACK": "jdbc-ping"}
    cluster_alone = own("26.7.4", JAVA_OPTS_APPEND="-Djgroups.bind.address=SITE_LOCAL", **database)
    assert found("W9123", off, cluster_alone)
    for said in (
        {"JAVA_OPTS_APPEND": "-Djgroups.bind_addr=SITE_LOCAL"},
        {"JAVA_OPTS_APPEND": "-Xss1m", "KC_CACHE_EMBEDDED_NETWORK_BIND_ADDRESS": "SITE_LOCAL"},
        {"JAVA_OPTS_APPEND": None},
        {"JAVA_OPTS_APPEND": "!Ref JavaOptions"},
    ):
        assert not found("W9123", off, own("26.7.4", **said, **database))


@pytest.mark.parametrize(
    ("excerpt", "rules"),
    [
        (java("-Djgroups.external_addr=nodes.example.com"), {"E9121"}),
        (java("-Djgroups.external_addr=match-address:10.*"), set()),
        (java("-Djgroups.external_addr=SITE_LOCAL -Djgroups.external_port=7900"), {"E9122"}),
        (java("-Djgroups.external_addr=SITE_LOCAL -Djgroups.external_port=7800"), set()),
        # Without an address nobody looks at the port.
        (java("-Djgroups.external_port=7900"), set()),
        (node(KC_CACHE_EMBEDDED_NETWORK_EXTERNAL_ADDRESS="!Ref Address"), set()),
        (java("-Djgroups.external_addr=nodes.example.com") + service("DesiredCount: 1"), set()),
    ],
)
def test_what_nodes_say_of_themselves_is_their_own(excerpt, rules):
    """One address for all tasks and a port that nobody listens at are faults; what each works out isn't."""
    assert ids(excerpt) == rules


# --- cookies, encryption, failure detection ---

ROUTE_OLD = "KC_SPI_STICKY_SESSION_ENCODER_INFINISPAN_SHOULD_ATTACH_ROUTE"
ROUTE_NEW = "KC_SPI_STICKY_SESSION_ENCODER__INFINISPAN__SHOULD_ATTACH_ROUTE"


@pytest.mark.parametrize(
    ("version", "variables", "hits"),
    [
        ("24.0.5", {ROUTE_NEW: None}, 1),
        ("26.7.4", {ROUTE_NEW: None}, 1),
        ("26.8.0", {ROUTE_NEW: None}, 0),
        ("24.0.5", {ROUTE_NEW: None, ROUTE_OLD: "false"}, 0),
        ("26.7.4", {ROUTE_NEW: None, ROUTE_OLD: "false"}, 0),
        ("26.7.4", {ROUTE_NEW: "true"}, 1),
        ("26.7.4", {ROUTE_NEW: "!Ref Route"}, 0),
        # Ignored by this version, of which E9017 speaks.
        ("25.0.6", {ROUTE_NEW: "false"}, 0),
    ],
)
def test_the_route_is_asked_for_in_the_spelling_of_the_version(version, variables, hits):
    """Both spellings are read as the version reads them; the fix is spelled in the version's way."""
    seen = found("W9046", stock(version, **variables))
    assert len(seen) == hits
    if seen and variables[ROUTE_NEW] is None:
        assert (ROUTE_NEW in seen[0].fix) == (version > "26.3")


def test_the_route_concerns_application_balancers_only():
    """A network balancer passes the cookie on to nobody, and an image of one's own may have it set."""
    unset = stock("26.7.4", **{ROUTE_NEW: None})
    assert not found("W9046", unset, "LoadBalancer:\n  Properties: {Type: network}\n")
    assert not found("W9046", node(**{ROUTE_NEW: None}))
    option = "--spi-sticky-session-encoder--infinispan--should-attach-route=true"
    assert found("W9046", node(command=f'[start, "{option}"]', **{ROUTE_NEW: None}))


def test_encryption_off_is_a_warning_where_it_costs_nothing():
    """From 26.2 on a warning, before only advice, and nothing where there is nobody to talk to."""
    off = {"KC_CACHE_EMBEDDED_MTLS_ENABLED": "false"}
    assert ids(node(f"{OWN}:26.2.5", **off)) == {"W9042"}
    assert ids(node(f"{OWN}:26.1.4", **off)) == {"I9042"}
    assert ids(node(f"{OWN}:23.0.7", **off)) == set()
    assert ids(node(**off), service("DesiredCount: 1")) == set()


@pytest.mark.parametrize("version", ["25.0.6", "26.0.5", "26.2.5"])
def test_keys_are_asked_for_where_the_option_counts(version):
    """Where the option is ignored or nodes make their keys, nothing about key stores is said."""
    excerpt = stock(version, KC_CACHE_STACK="kubernetes", KC_CACHE_EMBEDDED_MTLS_ENABLED="true")
    assert not found("E9125", excerpt)


def test_failure_detection_off_concerns_the_stack_that_reads_it():
    """The option is one of database discovery, from 26.6 on."""
    off = {"KC_SPI_CACHE_EMBEDDED__DEFAULT__FD_SOCK_ENABLED": "false"}
    assert found("W9126", own("26.6.4", KC_CACHE_STACK="jdbc-ping", **off))
    assert not found("W9126", own("26.6.4", KC_CACHE_STACK="kubernetes", **off))
    assert not found("W9126", own("26.5.5", KC_CACHE_STACK="jdbc-ping", **off))


def test_nobody_listens_at_the_port_of_a_failure_detection_that_is_off():
    """Its port may be shut then; one that is on, or a switch that the version or the stack doesn't know, needs
    it."""
    shut = "TaskInFailureDetection: ~\n"
    off = {"KC_SPI_CACHE_EMBEDDED__DEFAULT__FD_SOCK_ENABLED": "false"}
    on = dict.fromkeys(off, "true")
    assert not found("W9031", shut, own("26.6.4", KC_CACHE_STACK="jdbc-ping", **off))
    assert found("W9031", shut, own("26.6.4", KC_CACHE_STACK="jdbc-ping", **on))
    assert found("W9031", shut, own("26.6.4", KC_CACHE_STACK="kubernetes", **off))
    assert found("W9031", shut, own("26.5.5", KC_CACHE_STACK="jdbc-ping", **off))


def test_two_rules_about_the_drain_advise_the_same():
    """Whoever does what the one says about the deregistration delay hears nothing of the other."""
    dns = own("26.7.4", KC_CACHE_STACK="kubernetes")
    for rule in ("W9062", "W9120"):
        assert 'Value: "20"' in found(rule, dns, drained("'900'"))[0].fix
        assert not found(rule, dns, drained("'20'"))


def test_the_way_out_of_a_bug_has_no_bug():
    """The version that is advised has none of the bugs, not just not the first one."""
    assert "26.7.0" in found("W9130", own("26.2.5", KC_CACHE_STACK="jdbc-ping"))[0].fix
    assert not found("W9130", own("26.7.0", KC_CACHE_STACK="jdbc-ping"))
    assert not found("W9130", own("26.2.5", KC_CACHE_STACK="kubernetes"))


# --- leaving ---


@pytest.mark.parametrize(
    ("value", "hits"), [("~", 1), ("'31'", 1), ("30", 0), ("'20'", 0), ("!Ref Delay", 0)]
)
def test_a_leader_is_out_of_dns_for_a_short_time(value, hits):
    """Not written is 300 s, up to 30 s is short enough, and a parameter is nobody's guess."""
    assert len(found("W9120", stock("26.7.4", KC_CACHE_STACK="kubernetes"), drained(value))) == hits


def test_the_default_delay_is_pointed_at_where_it_would_be_written():
    """Without any attributes, the hit stands at the target group and names the default."""
    attributes = "TargetGroup:\n  Properties: {TargetGroupAttributes: ~}\n"
    [hit] = found("W9120", stock("26.7.4", KC_CACHE_STACK="kubernetes"), attributes)
    assert hit.path == ("Resources", "TargetGroup", "Properties") and "300 s, the default" in hit.message


@pytest.mark.parametrize(
    "excerpt",
    [
        node(),  # a stack of one's own
        stock("26.7.4", KC_CACHE_STACK="jdbc-ping"),
        stock("26.7.4", KC_CACHE_STACK="kubernetes") + service("DesiredCount: 1"),
        stock("26.7.4", KC_CACHE_STACK="kubernetes") + service("LoadBalancers: ~"),
        node(KC_CACHE_STACK="kubernetes", KC_CACHE_CONFIG_FILE="mine.xml"),
    ],
)
def test_a_leader_that_is_found_may_drain_as_long_as_it_likes(excerpt):
    """Another way of discovery, a lone task and a service without a balancer have nothing to fear."""
    assert not found("W9120", excerpt, drained("120"))


# --- two services ---

OTHER = """
OtherTaskDefinition:
  Type: AWS::ECS::TaskDefinition
  Properties:
    ContainerDefinitions:
      - Name: keycloak
        Image: {image}
        Command: [start, --optimized]
        Environment:
          - {{Name: KC_DB_URL_HOST, Value: !GetAtt Database.Endpoint.Address}}
          - {{Name: KC_DB_URL_PORT, Value: !GetAtt Database.Endpoint.Port}}
          - {{Name: KC_DB_URL_DATABASE, Value: {database}}}
          - {{Name: KC_CACHE, Value: ispn}}
          - {{Name: KC_DB_SCHEMA, Value: {schema}}}
          - {{Name: {key}, Value: {value}}}
OtherService:
  Type: AWS::ECS::Service
  Properties: {{TaskDefinition: !Ref OtherTaskDefinition, DesiredCount: {count}}}
"""


def other(**changes: str) -> str:
    """A second service with a task definition of its own on the same database."""
    same = {"image": f"{OWN}:26.7.4", "database": "keycloak", "schema": "public", "count": "2"}
    return OTHER.format(**{**same, "key": "JAVA_OPTS_APPEND", "value": QUERY, **changes})


@pytest.mark.parametrize(
    ("changes", "hits"),
    [
        ({}, 0),
        ({"value": "-Djgroups.dns.query=other.sso.internal"}, 1),
        ({"value": f"'{QUERY},other.sso.internal'"}, 0),
        ({"key": "KC_CACHE_STACK", "value": "jdbc-ping"}, 1),
        ({"image": f"{OWN}:26.6.4"}, 1),
        ({"image": f"{OWN}:26.7.3"}, 0),
        ({"image": f"{OWN}:26.6.4", "database": "partners"}, 0),
        ({"image": f"{OWN}:26.6.4", "schema": "partners"}, 0),
        ({"image": f"{OWN}:26.6.4", "schema": "!Ref Schema"}, 0),
        ({"image": f"{OWN}:26.6.4", "count": "0"}, 0),
        ({"image": f"{OWN}:latest"}, 0),
    ],
)
def test_services_on_one_database_are_one_cluster(changes, hits):
    """Another name, another way or another version is told; another database, schema or no task isn't."""
    assert len(found("W9045", node(KC_DB_SCHEMA="public"), other(**changes))) == hits


def test_one_of_two_services_may_be_meant():
    """Two services under conditions that nobody knows: perhaps one of them is ever there."""
    template = laid(node(KC_DB_SCHEMA="public") + other(image=f"{OWN}:26.6.4"))
    template["Parameters"] = {"Blue": {"Type": "String"}}
    template["Conditions"] = {"IsBlue": {"Fn::Equals": [{"Ref": "Blue"}, "yes"]}}
    rule = pack.rule("W9045")
    assert list(rule.findings(viewed(template)))
    template["Resources"]["OtherService"]["Condition"] = "IsBlue"
    assert not list(rule.findings(viewed(template)))


# --- other templates ---


def test_json_is_read_as_any_template_is():
    """A template in JSON, and one without any text at all, give the same findings."""
    template = laid(stock("26.7.4", KC_CACHE_STACK="udp") + entry("RoutingPolicy: WEIGHTED"))
    shown = {one.rule for one in pack.run(viewed(template))} & CLUSTER_IDS
    bare = {one.rule for one in pack.run(View(Document("", "", template, {})))} & CLUSTER_IDS
    assert shown == bare and "E9030" in shown


def test_other_services_are_nobody_s_cluster():
    """The same template with another program in it: nothing about clusters is said."""
    template = copy.deepcopy(good())
    container = template["Resources"]["TaskDefinition"]["Properties"]["ContainerDefinitions"][0]
    container.update(Image="docker.io/library/nginx:1.27", Command=["nginx"], Environment=[], Secrets=[])
    template["Resources"]["TaskInCluster"]["Properties"]["FromPort"] = 7000
    template["Resources"]["DiscoveryService"]["Properties"]["DnsConfig"]["DnsRecords"][0]["TTL"] = 300
    assert not {one.rule for one in pack.run(viewed(template))} & CLUSTER_IDS
    assert good() != template
