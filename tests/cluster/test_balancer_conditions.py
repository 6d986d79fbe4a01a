"""Every condition and every action of a listener rule, by HAProxy itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generator.rehearsing import balancer
from generator.rehearsing.topology import Action, Condition
from tests.cluster.balanced import QUICK, Balanced
from tests.cluster.networks import until
from tests.rehearsing.topologies import (
    FORWARD,
    NOT_FOUND,
    PUBLIC,
    TARGET_GROUP,
    host,
    path,
    rule,
    source,
    with_rules,
)


def conditioned(start, *conditions: Condition, action: Action = FORWARD) -> Balanced:
    """A balancer with one rule and a default action that says no."""
    return start(
        with_rules(rule("Rule", 1, action, *conditions), rule("Default", None, NOT_FOUND)),
        settled=action.kind == "forward",
    )


@pytest.mark.parametrize(
    "condition,yes,no",
    [
        (path("/a?c*"), ["/abc", "/a/c/d?x"], ["/ac", "/ab", "/xabc"]),
        (path('/it\'s $HOME "q" `x` [a] {b} (c) #d \\e 100%'), [], ["/it"]),
        (path("/a.b"), ["/a.b"], ["/axb"]),
        (path(regexes=("^/api/v[0-9]+/(.*)$",)), ["/api/v12/x"], ["/api/v/x", "/API/v1/x", "/x/api/v1/"]),
        (path(regexes=("v[0-9]",)), ["/api/v1/x"], ["/api"]),
        (
            Condition("query-string", ("version=v?",)),
            ["/?version=v1", "/?a=b&VERSION=V2&c"],
            ["/", "/?version=v", "/?version=v12", "/?xversion=v1", "/version=v1"],
        ),
        (
            Condition("query-string", ("=*example*",)),
            ["/?a=an%20example", "/?a=1&b=example", "/?example"],
            ["/?example=1", "/?a"],
        ),
        (Condition("query-string", ("plain",)), ["/?a=plain", "/?plain"], ["/?plain=a", "/?plainer"]),
        (Condition("query-string", ("a=b=c",)), ["/?a=b=c"], ["/?a=b"]),
    ],
)
def test_condition_matches_targets(start, condition, yes, no):
    """Path and query conditions hold for these request targets and not for those."""
    running = conditioned(start, condition)
    assert [running.ask(one).log.rule for one in yes] == ["Rule"] * len(yes)
    assert [running.ask(one).log.rule for one in no] == ["Default"] * len(no)


@pytest.mark.parametrize(
    "condition,yes,no",
    [
        (
            Condition("http-header", ("blue*", "green"), header="X-Colour"),
            [("X-Colour: BLUEish",), ("x-colour: green",)],
            [(), ("X-Colour: light blue",), ("X-Colours: green",)],
        ),
        (
            Condition("http-header", ("a, b",), header="X-List"),
            [("X-List: a, b",), ("X-List: z", "X-List: a, b")],
            [("X-List: b",)],
        ),
        (
            Condition("http-header", regexes=("^Mozilla/.+ Chrome/",), header="User-Agent"),
            [("User-Agent: mozilla/5.0 Chrome/1",)],
            [("User-Agent: curl",)],
        ),
        (
            host("*.example.com", "example.org"),
            [("Host: a.example.com",), ("Host: EXAMPLE.org:443",)],
            [("Host: example.com",), ("Host: a.example.com.evil",)],
        ),
        (
            Condition("host-header", regexes=(r"^(.*)\.example\.com$",)),
            [("Host: A.example.com:1",)],
            [("Host: example.com",)],
        ),
    ],
)
def test_condition_matches_headers(start, condition, yes, no):
    """Header and host conditions hold for these headers and not for those."""
    running = conditioned(start, condition)

    def asked(headers: tuple[str, ...]) -> str:
        return running.ask(
            "/", headers=headers, host=None if any(one.startswith("Host") for one in headers) else PUBLIC
        ).log.rule

    assert [asked(one) for one in yes] == ["Rule"] * len(yes)
    assert [asked(one) for one in no] == ["Default"] * len(no)


def test_condition_matches_methods_and_sources(start):
    """Methods are compared exactly, custom ones too; source addresses are the connection's; all conditions
    must hold."""
    running = conditioned(
        start, Condition("http-request-method", ("GET", "BREW")), source("203.0.113.0/28", "2001:db8::/32")
    )
    got = {
        (vantage, method): running.ask(
            "/", vantage=vantage, method=method, headers=("X-Forwarded-For: 203.0.113.10",)
        ).log.rule
        for vantage in ("admin", "internet")
        for method in ("GET", "BREW", "POST", "get")
    }
    assert [key for key, value in got.items() if value == "Rule"] == [("admin", "GET"), ("admin", "BREW")]


def test_fixed_response_is_exactly_the_templates(start):
    """Status, content type and body are what the template says, whatever characters it takes."""
    body = '{"it\'s": "100% $HOME"}\r\n\t\\ # `x` %[src] \u00e9 \n'
    running = conditioned(
        start, action=Action("fixed-response", status=418, content_type="application/json", body=body)
    )
    answer = running.ask("/")
    assert (answer.status, answer.body.encode("latin-1").decode()) == (418, body)
    assert answer.header("content-type") == ["application/json"]
    assert (answer.log.rule, answer.log.state[:2]) == ("Rule", "LR")


def test_redirect_fills_every_placeholder(start):
    """Each part of a redirect may mix text and placeholders, and a percent sign means itself."""
    action = Action(
        "redirect",
        status=302,
        protocol="#{protocol}",
        host="x.#{host}",
        port="#{port}",
        path="/it's/100%/#{path}/#{host}",
        query="q=#{query}&p=#{path}&#{other}",
    )
    answer = conditioned(start, action=action).ask("/a/b?c=d")
    assert answer.header("location") == [
        f"https://x.{PUBLIC}:443/it's/100%/a/b/{PUBLIC}?q=c=d&p=a/b&#{{other}}"
    ]


def test_action_that_cannot_be_rehearsed_says_so(start):
    """An action of another kind is a 501 that names it."""
    answer = conditioned(start, action=Action("authenticate-oidc")).ask("/")
    assert answer.status == 501 and "authenticate-oidc" in answer.body


def test_weights_share_requests_between_target_groups(start, targets):
    """Of two weighted groups both get requests, one without weight gets none; a group without tasks is a
    503."""
    second = replace(TARGET_GROUP, logical_id="Other", port=9000)
    action = Action("forward", (("TargetGroup", 1), ("Other", 1), ("Nothing", 0)))
    topology = with_rules(
        rule("Rule", 1, action, path("/both")), rule("Default", None, Action("forward", (("Absent", 1),)))
    )
    topology = replace(topology, target_groups=(replace(TARGET_GROUP, **QUICK), replace(second, **QUICK)))
    running = start(topology, settled=False)
    running.settle(keycloak_1="healthy", keycloak_2="healthy")
    groups: set[str] = set()
    until(
        "requests for both groups",
        lambda: {"TargetGroup", "Other"} == groups or groups.add(running.ask("/both").log.target_group),
    )
    assert running.ask("/else").status == 503


def test_rules_may_see_normalized_paths(start):
    """After the command rules see no dot segments and no needless escapes, while targets get what came; and
    back."""
    running = start()
    cases = {
        "/realms/../admin/": "HttpsListener",
        "/x/%2e%2e/%72ealms/%6daster/a": "MasterClosedRule",
        "/./realms//x/..%2fadmin?a=/../%41": "PublicRule",
        "/realms/%2E%2E/%2e/realms/a;b": "PublicRule",
    }
    running.say(balancer.paths_command(normalized=True))
    for target, expected in cases.items():
        answer = running.ask(target)
        assert answer.log.rule == expected, target
        assert answer.log.target == target
        if answer.target:
            assert answer.target[1] == f"GET {target} HTTP/1.1"
    running.say(balancer.paths_command(normalized=False))
    assert [running.ask(one).log.rule for one in ("/realms/../admin/", "/x/%2e%2e/realms/a")] == [
        "PublicRule",
        "HttpsListener",
    ]
