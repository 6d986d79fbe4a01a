"""A balancer's listeners, rules and target groups become HAProxy's text, and its answers are read back."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from generator.errors import RehearsalError
from generator.rehearsing import balancer
from generator.rehearsing.topology import Action, Condition, MutualTls
from tests.rehearsing.topologies import (
    BALANCER,
    FORWARD,
    HTTPS,
    NOT_FOUND,
    SLOTS,
    TARGET_GROUP,
    TOPOLOGY,
    host,
    path,
    permission,
    rule,
    with_group,
    with_permissions,
    with_rules,
)

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = rule("Default", None, NOT_FOUND)


def configured(topology=TOPOLOGY, **how):
    """The configuration of a topology's balancer, section by section: first line to the words of the
    others."""
    sections, section = {}, ""
    for line in balancer.configuration(topology, topology.balancers[0], ROOT, **how).splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            if line.startswith(" "):
                sections[section].append(line.strip())
            else:
                section = line
                assert section not in sections
                sections[section] = []
    return sections


def lines(section, start, topology=TOPOLOGY, **how):
    """Lines of a section that begin so."""
    return [line for line in configured(topology, **how)[section] if line.startswith(start)]


def conditioned(*conditions, action=FORWARD):
    """The lines for the access lists of one rule."""
    topology = with_rules(rule("Rule", 1, action, *conditions), DEFAULT)
    return [shlex.split(line)[1:] for line in lines("frontend listener-443", "acl ", topology)]


def test_every_part_has_a_section():
    """A frontend for each listener, three backends for each target group, nothing else."""
    assert list(configured()) == [
        "global",
        "defaults",
        "frontend listener-80",
        "frontend listener-443",
        "backend TargetGroup-checks",
        "backend TargetGroup",
        "backend TargetGroup-open",
    ]


def test_no_line_is_left_unfilled():
    """Templates leave nothing of themselves, no empty word and no blank at a line's end."""
    text = balancer.configuration(TOPOLOGY, BALANCER, ROOT)
    assert not {"{{", "{%", "''", "None"} & set(text.split())
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_listener_is_bound_at_its_port_and_for_each_vantage():
    """Every bind of an HTTPS listener has the certificate and HTTP/2; one without TLS has neither."""
    assert lines("frontend listener-443", "bind", certificate="/x/y.pem") == [
        f"bind :{where} ssl crt '/x/y.pem' alpn h2,http/1.1"
        for where in ("443", "20003 name internet", "20004 name admin", "20005 name inside")
    ]
    assert lines("frontend listener-80", "bind")[0] == "bind :80 proto h1"


def test_vantage_gets_its_address_or_is_refused():
    """A vantage that an ingress permission lets in counts as its address; another one's connections are
    reset."""
    topology = with_permissions(permission("BalancerGroup", "ingress", "203.0.113.0/24", 443))
    assert lines("frontend listener-443", "tcp-request", topology) == [
        "tcp-request connection reject if { so_name internet }",
        "tcp-request connection set-src str(203.0.113.10) if { so_name admin }",
        "tcp-request connection reject if { so_name inside }",
    ]
    assert all(" set-src " in line for line in lines("frontend listener-443", "tcp-request"))


def test_rules_are_asked_in_the_order_they_have():
    """The first rule whose conditions hold is kept; the default one comes last and holds always."""
    found = lines("frontend listener-443", "http-request set-var(txn.rule)")
    assert [line.split("str(")[1].split(")")[0] for line in found] == [one.logical_id for one in HTTPS.rules]
    assert all("if !{ var(txn.rule) -m found }" in line for line in found)
    assert found[-1].endswith("found }")
    assert found[1].endswith("AdminRule.1 AdminRule.2 AdminRule.3")


@pytest.mark.parametrize(
    "condition,expected",
    [
        (
            path("/a/*", "/b?"),
            [
                ["Rule.1", "var(txn.path)", "-m", "reg", "--", "^/a/.*$"],
                ["Rule.1", "var(txn.path)", "-m", "reg", "--", "^/b.$"],
            ],
        ),
        (host("*.a.b"), [["Rule.1", "var(txn.name)", "-m", "reg", "-i", "--", r"^.*\.a\.b$"]]),
        (
            Condition("http-header", ("it's $x #",), header="X-Y"),
            [["Rule.1", "req.fhdr(X-Y)", "-m", "reg", "-i", "--", r"^it's\ \$x\ \#$"]],
        ),
        (
            Condition("query-string", ("a=b*",)),
            [["Rule.1", "query", "-m", "reg", "-i", "--", "(^|&)a=b[^&]*(&|$)"]],
        ),
        (
            Condition("http-request-method", ("GET",)),
            [["Rule.1", "capture.req.method", "-m", "str", "--", "GET"]],
        ),
        (
            Condition("source-ip", ("10.0.0.1/8", "2001:db8::/32")),
            [["Rule.1", "src", "10.0.0.0/8"], ["Rule.1", "src", "2001:db8::/32"]],
        ),
        (path(regexes=("^/v[0-9]",)), [["Rule.1", "var(txn.path)", "-m", "reg", "--", "^/v[0-9]"]]),
        (path(), [["Rule.1", "always_false"]]),
    ],
)
def test_condition_becomes_access_lists(condition, expected):
    """Each value is a line of its own, quoted; any of them makes the condition hold."""
    assert conditioned(condition) == expected


@pytest.mark.parametrize(
    "condition,said",
    [
        (path("/a\nb", line=7), "template.yaml:7: the pattern holds the control character"),
        (path(regexes=("(",), line=7), "template.yaml:7: '[(]' is no regular expression"),
        (
            Condition("http-header", ("x",), header="a b", line=7),
            "template.yaml:7: 'a b' is no name of a header",
        ),
        (Condition("source-ip", ("everybody",), line=7), "template.yaml:7: 'everybody' is no network"),
        (
            Condition("phase-of-moon", ("full",), line=7),
            "template.yaml:7: a rule has no condition 'phase-of-moon'",
        ),
        (path("x" * 2000, line=7), "template.yaml:7: the pattern has 200[0-9] characters"),
    ],
)
def test_condition_that_no_balancer_has_is_refused(condition, said):
    """What can't be written down safely is an error with the template's line."""
    with pytest.raises(RehearsalError, match=f"^{said}"):
        conditioned(condition)


HOSTILE = [
    "'\n  http-request allow #",
    "' if TRUE } #",
    "$(id)",
    "\\",
    "%[src]",
    "{ }",
    "\r\nX-Evil: 1",
    "a\x00b",
]


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "topology",
    [
        lambda value: with_rules(rule("Rule", 1, FORWARD, path(value)), DEFAULT),
        lambda value: with_rules(
            rule("Rule", 1, FORWARD, Condition("http-header", (value,), header="X")), DEFAULT
        ),
        lambda value: with_rules(
            rule("Rule", 1, FORWARD, Condition("http-header", ("x",), header=value)), DEFAULT
        ),
        lambda value: with_rules(
            rule("Rule", 1, Action("fixed-response", status=200, body=value, content_type="text/plain")),
            DEFAULT,
        ),
        lambda value: with_rules(
            rule("Rule", 1, Action("fixed-response", status=200, body="x", content_type=value)), DEFAULT
        ),
        lambda value: with_rules(
            rule("Rule", 1, Action("redirect", status=301, path=value, query="")), DEFAULT
        ),
        lambda value: with_rules(rule("Rule", 1, Action("redirect", status=301, query=value)), DEFAULT),
        lambda value: with_rules(rule("Rule", 1, Action("redirect", status=301, host=value)), DEFAULT),
        lambda value: with_rules(rule("Rule", 1, Action(value)), DEFAULT),
        lambda value: with_rules(rule(value, 1, NOT_FOUND), DEFAULT),
        lambda value: with_rules(rule("Rule", 1, Action("forward", ((value, 1),))), DEFAULT),
        lambda value: with_group(health_path=value),
        lambda value: with_group(application_cookie=value, stickiness=1),
        lambda value: with_group(health_codes=value),
        lambda value: with_group(algorithm=value),
        lambda value: replace(TOPOLOGY, file=value),
    ],
)
def test_hostile_text_stays_inside_its_quotes(topology, value):
    """Text of a template adds no line and no word outside of quotes to the configuration, or is refused."""
    try:
        hostile = configured(topology(value))
    except RehearsalError as error:
        assert "\n" not in str(error)
        return
    harmless = configured(topology("harmless"))
    assert list(hostile) == list(harmless)
    for section, ours in hostile.items():
        assert len(ours) == len(harmless[section])
        for line, plain in zip(ours, harmless[section]):
            # A shell would read the words as HAProxy does; `#` begins a comment outside of quotes only.
            assert len(shlex.split(line, comments=True)) == len(shlex.split(plain, comments=True)), line


def test_fixed_response_is_what_the_template_says():
    """Status, type and body stand in one line; without a body there is no type."""
    action = Action("fixed-response", status=403, content_type="text/plain", body="no\nentry")
    found = lines(
        "frontend listener-443",
        "http-request return status 403",
        with_rules(rule("Rule", 1, action), DEFAULT),
    )
    assert found == [
        r"http-request return status 403 content-type 'text/plain' string 'no'\n'entry' "
        "hdr server awselb/2.0 if { var(txn.rule) -m str Rule }"
    ]
    assert lines("frontend listener-443", "http-request return status 404")[0] == (
        "http-request return status 404 hdr server awselb/2.0 if { var(txn.rule) -m str MasterClosedRule }"
    )


@pytest.mark.parametrize("action", [Action("fixed-response", status=99), Action("redirect", status=307)])
def test_status_that_no_action_has_is_refused(action):
    """A fixed response and a redirect have the statuses that AWS gives them."""
    with pytest.raises(RehearsalError, match="status"):
        configured(with_rules(rule("Rule", 1, action), DEFAULT))


def test_redirect_keeps_percent_signs_and_unknown_placeholders():
    """Only what AWS fills in is filled in."""
    action = Action(
        "redirect", status=302, protocol="HTTPS", port="8443", path="/100%/#{path}/#{what}", query=""
    )
    line = lines(
        "frontend listener-443",
        "http-request return status 302",
        with_rules(rule("Rule", 1, action), DEFAULT),
    )[0]
    words = shlex.split(line)
    assert words[words.index("location") + 1] == (
        "https://%[var(txn.name)]:8443/100%%/%[path,regsub(^/,)]/#{what}%[var(txn.query)]"
    )


def test_weighted_groups_share_tickets():
    """Each group gets the tickets of its weight; one without weight gets none."""
    action = Action("forward", (("A", 1), ("B", 2), ("C", 3), ("D", 0)))
    found = lines(
        "frontend listener-443", "http-request set-var(txn.", with_rules(rule("Rule", 1, action), DEFAULT)
    )
    when = "if { var(txn.rule) -m str Rule }"
    assert [line for line in found if "group" in line or "ticket" in line] == [
        f"http-request set-var(txn.ticket) rand(6) {when}",
        f"http-request set-var(txn.group) str(C) {when}",
        f"http-request set-var(txn.group) str(B) {when} {{ var(txn.ticket) -m int lt 3 }}",
        f"http-request set-var(txn.group) str(A) {when} {{ var(txn.ticket) -m int lt 1 }}",
    ]


def test_slots_are_servers_and_the_first_are_registered():
    """Every address that a task can have is a server of each backend; those beyond the desired count wait."""
    assert lines("backend TargetGroup-checks", "server") == [
        "server keycloak-1 10.40.4.10:8080",
        "server keycloak-2 10.40.4.11:8080",
        "server keycloak-3 10.40.4.12:8080 disabled",
        "server keycloak-4 10.40.4.13:8080 disabled",
    ]
    assert [
        line.split()[1]
        for line in lines("backend TargetGroup-open", "server", started={"keycloak-3"})
        if not line.endswith("disabled")
    ] == ["keycloak-3"]


def test_health_check_is_the_target_groups():
    """Path, codes, port, interval, time-out and counts are the template's."""
    section = configured(
        with_group(
            health_codes="200-299,404",
            health_port=9000,
            interval=7,
            timeout=3,
            healthy=4,
            unhealthy=5,
            health_protocol="HTTPS",
        )
    )["backend TargetGroup-checks"]
    assert "http-check expect status 200-299,404" in section
    assert "timeout check 3s" in section and "timeout connect 3s" in section
    assert "default-server check port 9000 inter 7s fastinter 4s fall 5 rise 4 check-ssl verify none" in section
    assert any(line.startswith("http-check send meth GET uri '/health/ready' ") for line in section)


def test_targets_may_speak_tls_without_being_verified():
    """A target group of protocol HTTPS encrypts and looks at no certificate; one of HTTP doesn't encrypt."""
    assert all(
        " ssl verify none" in line
        for line in lines("backend TargetGroup", "server", with_group(protocol="HTTPS"))
    )
    assert not any(" ssl " in line for line in lines("backend TargetGroup", "server"))


AUTHORITIES, REVOKED = "'/etc/rehearsal/client-authorities.pem'", "'/etc/rehearsal/client-revocations.pem'"


@pytest.mark.parametrize(
    "mutual,options",
    [
        (MutualTls("verify"), f"ca-verify-file {AUTHORITIES} verify required"),
        (MutualTls("verify", advertises=True), f"ca-file {AUTHORITIES} verify required"),
        (
            MutualTls("verify", revocation=True),
            f"ca-verify-file {AUTHORITIES} verify required crl-file {REVOKED}",
        ),
        (
            MutualTls("verify", ignores_expiry=True),
            f"ca-verify-file {AUTHORITIES} verify required crt-ignore-err 10",
        ),
        (
            MutualTls("passthrough"),
            f"ca-file {AUTHORITIES} verify optional ca-ignore-err all crt-ignore-err all",
        ),
    ],
)
def test_mutual_tls_is_of_the_listener(mutual, options):
    """Client certificates are demanded or passed on at every bind of the listener that says so, as it says."""
    topology = with_rules(listeners=(replace(HTTPS, mutual_tls=mutual),))
    found = lines("frontend listener-443", "bind", topology)
    assert len(found) == 4
    assert all(line.endswith(f" {options} no-tls-tickets") for line in found)
    assert not any("verify" in line for line in lines("frontend listener-443", "bind"))


def told(mutual):
    """The lines about a certificate's headers: what each does to which header."""
    topology = with_rules(listeners=(replace(HTTPS, mutual_tls=mutual),))
    found = lines("frontend listener-443", "http-request", topology)
    return [line.split()[1:3] for line in found if "mtls" in line.lower() or "ssl_c_" in line]


def test_a_verified_certificate_is_told_and_nothing_that_a_client_made_up():
    """Each header is taken from the client before it is written, whatever the listener calls it."""
    names = [f"X-Amzn-Mtls-Clientcert-{part}" for part in ("Serial-Number", "Issuer", "Subject", "Leaf", "Validity")]
    assert told(MutualTls("verify")) == [[what, name] for name in names for what in ("del-header", "set-header")]
    renamed = told(MutualTls("verify", headers=(("Leaf", "X-Mtls-Their"),)))
    assert ["del-header", "X-Mtls-Their"] in renamed and ["set-header", "X-Mtls-Their"] in renamed
    assert not any(name.endswith("Leaf") for _, name in renamed)


def test_a_passed_chain_is_written_by_the_script_and_the_script_is_loaded_for_nothing_else():
    """HAProxy has no words for a chain; who passes none through loads nothing."""
    assert told(MutualTls("passthrough")) == [
        ["del-header", "X-Amzn-Mtls-Clientcert"],
        ["set-header", "X-Amzn-Mtls-Clientcert"],
    ]
    passing = with_rules(listeners=(replace(HTTPS, mutual_tls=MutualTls("passthrough")),))
    assert lines("global", "lua-load", passing) == ["lua-load '/etc/rehearsal/certificates.lua'"]
    verifying = with_rules(listeners=(replace(HTTPS, mutual_tls=MutualTls("verify")),))
    assert lines("global", "lua-load", verifying) == lines("global", "lua-load") == []


@pytest.mark.parametrize(
    "topology",
    [
        with_rules(listeners=(replace(HTTPS, protocol="TLS"),)),
        with_rules(listeners=(replace(HTTPS, port=0x10000),)),
        with_rules(listeners=(replace(HTTPS, mutual_tls=MutualTls("ask")),)),
        with_group(health_codes="ok"),
        with_group(algorithm="best"),
        with_group(port=-1),
    ],
)
def test_what_no_balancer_has_is_refused(topology):
    """Protocols, ports, modes, codes and algorithms that don't exist are errors of the template's."""
    with pytest.raises(RehearsalError, match=r"^template\.yaml"):
        configured(topology)


def test_two_rules_of_one_name_are_refused():
    """Nothing could tell afterwards which of them decided."""
    with pytest.raises(RehearsalError, match="same logical id"):
        configured(with_rules(rule("Rule", 1, NOT_FOUND), rule("Rule", 2, NOT_FOUND), DEFAULT))


# --- at run time ---

STATES = """\
1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight \
srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state \
srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr \
srv_agent_addr srv_agent_port
3 T-checks 1 keycloak-1 10.0.0.1 2 0 1 1 9 15 3 4 6 0 0 0 - 8001 - 0 9001 - - 9001
3 T-checks 2 keycloak-2 10.0.0.2 0 0 1 1 9 17 2 0 6 0 0 0 - 8002 - 0 9002 - - 9002
3 T-checks 3 keycloak-3 10.0.0.3 0 5 1 1 9 1 0 0 14 0 0 0 - 8003 - 0 9003 - - 9003
3 T-checks 4 keycloak-4 10.0.0.4 3 4 1 1 1 1 0 3 6 0 0 0 - 8004 - 0 9004 - - 9004
3 T-checks 5 keycloak-5 10.0.0.5 2 4 1 1 9 15 3 4 6 0 0 0 - 8005 - 0 9005 - - 9005
3 T-checks 6 keycloak-6 10.0.0.6 2 0 1 1 0 1 0 2 6 0 0 0 - 8006 - 0 9006 - - 9006
4 T 1 keycloak-1 10.0.0.1 0 0 1 1 1 1 0 2 0 0 0 0 - 8001 - 0 0 - - 0
5 T-open 1 keycloak-1 10.0.0.1 0 5 1 1 1 1 0 2 0 0 0 0 - 8001 - 0 0 - - 0

"""


def test_states_are_those_that_aws_tells():
    """Maintenance is what isn't registered, initial what wasn't checked yet; only checks tell health."""
    assert balancer.states(STATES) == {
        ("T", "keycloak-1"): "healthy",
        ("T", "keycloak-2"): "unhealthy",
        ("T", "keycloak-3"): "maint",
        ("T", "keycloak-4"): "initial",
        ("T", "keycloak-5"): "healthy",
        ("T", "keycloak-6"): "initial",
    }
    assert balancer.states("") == {}


def test_commands_name_the_servers_of_the_configuration():
    """What is said at run time is about backends and servers that the configuration has."""
    group = replace(TARGET_GROUP, logical_id="arn:aws:x/TargetGroup")
    topology = replace(
        with_rules(rule("Default", None, Action("forward", ((group.logical_id, 1),)))), target_groups=(group,)
    )
    sections = configured(topology)
    commands = [
        *balancer.register(group, SLOTS[2]),
        *balancer.deregister(group, SLOTS[2]),
        *balancer.disconnect(group, SLOTS[2]),
    ]
    assert len(commands) == 7
    for command in commands:
        name, server = next(word for word in command.split() if "/" in word).split("/")
        assert any(
            line.split()[1] == server for line in sections[f"backend {name}"] if line.startswith("server")
        )


def test_log_line_becomes_a_request():
    """Everything that a line of the log says is in the request; dashes and placeholders are nothing."""
    line = (
        '<6>{"time":1795325174.007,"vantage":"internet","source":"198.51.100.10","method":"GET","host":"a.b:443",'
        '"target":"\\/realms\\/..\\/a%20\\u00e9\\"?x","rule":"PublicRule","backend":"TargetGroup-open",'
        '"server":"keycloak-1","status":200,"state":"--NI","milliseconds":2}'
    )
    assert balancer.parse_log(line) == balancer.Request(
        1795325174.007,
        "internet",
        "198.51.100.10",
        "GET",
        "a.b:443",
        '/realms/../a%20\xe9"?x',
        "PublicRule",
        "TargetGroup",
        "keycloak-1",
        200,
        "--NI",
        2,
    )
    line = (
        '{"time":1.000,"vantage":"-","source":"10.0.0.1","method":"-","host":"-","target":"<BADREQ>","rule":"-",'
        '"backend":"listener-443","server":"<NOSRV>","status":400,"state":"PR--","milliseconds":-1}'
    )
    assert balancer.parse_log(line) == balancer.Request(
        1.0, "", "10.0.0.1", "", "", "", "", "", "", 400, "PR--", -1
    )


@pytest.mark.parametrize(
    "line",
    ["", "Server TargetGroup-checks/keycloak-1 is DOWN", '{"time":1', '{"time":1}', '[WARNING] {"time": 1}'],
)
def test_other_lines_are_no_requests(line):
    """What HAProxy says beside its log is passed over."""
    assert balancer.parse_log(line) is None


def test_log_format_is_json_in_every_field():
    """With any value in its place each field is JSON; text fields are in quotes."""
    line = lines("defaults", "log-format")[0]
    row = json.loads(
        shlex.split(line)[1].replace("%Ts.%ms", "1.000").replace("%ST", "200").replace("%Ta", "1")
    )
    assert set(row) == {
        "time",
        "vantage",
        "source",
        "method",
        "host",
        "target",
        "rule",
        "backend",
        "server",
        "status",
        "state",
        "milliseconds",
    }
