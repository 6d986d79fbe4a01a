"""The balancer's rules, asked as a balancer would ask them: who reaches what, and what nobody reaches."""

from __future__ import annotations

import ipaddress
import itertools
import re
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.document import Document
from generator.keycloak import catalog, facts
from generator.rendering import context, listener_rules
from generator.rendering.listener_rules import PATH_GUARD, ListenerRule, split
from tests.cases import CASES
from tests.trials import GONE, try_out

few = settings(max_examples=60)

VERSIONS = catalog.versions()
NETWORKS = [f"198.51.{number}.0/24" for number in range(60)]
OFFICE, STRANGER = "203.0.113.7", "192.0.2.66"
PUBLIC, ADMIN = "sso.example.com", "admin.example.com"


# --- rules within the quotas ----------------------------------------------------------------------------------------

@few
@given(hosts=st.integers(0, 1), paths=st.integers(1, 8), networks=st.integers(0, 60))
def test_every_path_is_reached_from_every_network_within_the_quotas(hosts, paths, networks):
    """Each pair of path and network is in exactly one rule; no rule has more than AWS lets it have."""
    host, path = [PUBLIC][:hosts], [f"/{number}/*" for number in range(paths)]
    rules = split(host, path, NETWORKS[:networks])
    pairs = [pair for some_paths, sources in rules for pair in itertools.product(some_paths, sources or [None])]
    assert sorted(pairs, key=str) == sorted(itertools.product(path, NETWORKS[:networks] or [None]), key=str)
    for some_paths, sources in rules:
        assert hosts + len(some_paths) + len(sources) <= 5
        assert 1 <= len(some_paths) <= 3 and len(sources) <= 3
        assert sum(one.count("*") for one in some_paths) <= 5


@few
@given(networks=st.integers(1, 60), logins=st.integers(1, 60), version=st.sampled_from(VERSIONS),
       base=st.sampled_from(["/", "/auth"]))
def test_any_number_of_networks_gives_rules_that_aws_takes(networks, logins, version, base):
    """Priorities and names are distinct, quotas kept, and 100 rules are enough for the longest lists."""
    rules = rules_of({
        "keycloak.version": version, "database.create.engine_version": "16.10", "keycloak.http_relative_path": base,
        "keycloak.admin.allow_from": NETWORKS[:networks], "keycloak.admin.login_from": NETWORKS[:logins]})
    assert len(rules) <= listener_rules.MAX_RULES
    assert len({rule.priority for rule in rules}) == len({rule.logical_id for rule in rules}) == len(rules)
    assert [rule.priority for rule in rules] == sorted(rule.priority for rule in rules)
    for rule in rules:
        assert 1 <= rule.priority <= 50_000
        assert 1 <= rule.values <= listener_rules.MAX_VALUES_PER_RULE
        for values in (rule.hosts, rule.paths, rule.path_regexes, rule.sources):
            assert len(values) <= listener_rules.MAX_VALUES_PER_CONDITION
        assert sum(value.count("*") + value.count("?") for value in (*rule.hosts, *rule.paths, rule.header and "*")) <= 5
        assert all(len(path) <= 128 and re.fullmatch(r"[A-Za-z0-9_.$/~\"'@:+&*?-]+", path) for path in rule.paths)
        assert [bool(rule.target_group), bool(rule.status), bool(rule.redirect_path)].count(True) == 1


@pytest.mark.parametrize(("networks", "rules"), list(enumerate([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6], 1)))
def test_two_networks_share_a_rule(networks, rules):
    """Beside the host and two paths there is room for two networks; three of them fit two rules either way."""
    sources = NETWORKS[:networks]
    found = listener_rules.admin_rules("Listener", "Group", ADMIN, "", sources)
    assert [rule.logical_id for rule in found] == [*(f"AdminRule{number + 1}" for number in range(rules)),
                                                   "AdminStartRule"]
    pairs = [pair for rule in found[:-1] for pair in itertools.product(rule.paths, rule.sources)]
    assert sorted(pairs) == sorted(itertools.product(("/admin/*", "/resources/*"), sources))


def test_no_network_means_no_limit():
    """On a balancer whose group lets only named networks in, the rules name none."""
    console, start = listener_rules.admin_rules("Listener", "Group", ADMIN, "", ())
    assert (console.sources, console.target_group) == ((), "Group")
    assert (start.sources, start.redirect_path) == ((), "/admin/master/console/")


def test_more_paths_than_one_condition_holds_make_more_rules():
    """Three patterns in a condition, the rest in the next rule."""
    assert split((PUBLIC,), ["/a", "/b", "/c", "/d"], ()) == [(("/a", "/b", "/c"), ()), (("/d",), ())]
    assert split((), ["/a"], NETWORKS[:4]) == [(("/a",), tuple(NETWORKS[:3])), (("/a",), tuple(NETWORKS[3:4]))]


def rules_of(changes: dict) -> tuple[ListenerRule, ...]:
    """The rules of the good environment with some changes."""
    environment = try_out(changes).environment
    return context.build(environment.settings, environment.catalog, environment.name)["rules"]


@pytest.mark.parametrize(("master_realm", "login", "opened", "closed"), [
    ("admin_networks", GONE, ["203.0.113.0/24"], True),
    ("admin_networks", ["198.51.100.0/24"], ["198.51.100.0/24"], True),
    ("everyone", GONE, [], False),
])
def test_the_master_realm_is_open_to_those_who_log_in_there(master_realm, login, opened, closed):
    """login_from, or allow_from without it; nobody else, unless params say everyone."""
    rules = rules_of({"keycloak.master_realm": master_realm, "keycloak.admin.login_from": login})
    found = {rule.logical_id: rule for rule in rules if rule.logical_id.startswith("MasterRealm")}
    assert [source for rule in found.values() for source in rule.sources] == opened
    assert ("MasterRealmClosedRule" in found) == closed
    for rule in found.values():
        assert rule.paths == ("/realms/master", "/realms/master/*")


def test_without_a_console_nobody_logs_in_to_the_master_realm():
    """No admin host, no network: the master realm is closed to everybody, and there is no rule for a console."""
    rules = rules_of({"keycloak.admin": GONE})
    assert [rule.logical_id for rule in rules] == [
        "ClientForwardedRule", "ClientXForwardedHostRule", "ClientXForwardedPrefixRule", "ClientXForwardedForRule",
        "MasterRealmClosedRule", "PublicPathsRule1"]


# --- the path guard -------------------------------------------------------------------------------------------------

REACHED = [
    "/realms/../admin/master/console/", "/realms/%2e%2e/admin/master/console/", "/realms/%2E%2E/admin/master/console/",
    "/realms/./../admin/master/console/", "/resources/../admin/master/console/", "/realms/..//admin/master/console/",
    "//admin/master/console/", "/%61dmin/master/console/", "/admin;x/master/console/", "/realms/../metrics",
    "/realms/../health", "/realms/..", "/realms/x/%2e%2e/%2e%2e/admin/",
    # The master realm of 24.0.5, most of them of 26.0.8, one of 26.4.7 too.
    "/realms/master;x", "/realms/master;x=1/protocol/openid-connect/auth", "/realms;x/master", "/realms/mas%74er",
    "/realms/%6d%61ster", "/realms//master", "/realms/./master", "/realms/x/../master", "/realms/x/%2e%2e/master",
    "/resources/../realms/master", "/realms/master/%2e",
]
"""Paths that show the admin console, metrics, health or the master realm (measured on 24.0.5, 26.0.8 or 26.4.7)."""

REFUSED = [
    "/realms/..;/admin/", "/realms/..%2fadmin/master/console/", "/realms//../admin/", "/realms/;/../admin/",
    "/realms/%2e%2e%2fadmin/master/console/", "/realms/..\\admin/master/console/", "/realms/%5c../admin/",
    "/realms/master%3bx", "/realms/.;/master", "/realms/%252e%252e/admin/", "/realms/x/.", "/realms/%2E/x",
    "/realms/%4D%41STER", "/realms/%5A", "/realms/%7a", "/realms/%30", "/realms/a%2Fb/",
]
"""More of the kind: whether they reach anything depends on what stands between."""

ORDINARY = [
    "/realms/x/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/realms/x",
    "/realms/my%20realm/account/", "/realms/x/protocol/openid-connect/auth", "/realms/x/protocol/saml/clients/a.b-c",
    "/resources/8abcd/login/keycloak.v2/img/logo.svg", "/resources/8abcd/common/keycloak/vendor/a..b.min.js",
    "/realms/m%C3%BCnchen/account/", "/realms/%C3%A4/protocol/openid-connect/token", "/realms/%E4%BD%A0%E5%A5%BD/",
    "/realms/%F0%9F%94%91/", "/realms/a%40b.example/", "/realms/a@b/", "/realms/x~y/", "/realms/x_y-z.1/",
    "/realms/x/login-actions/authenticate", "/realms/x/broker/google/endpoint", "/realms/x/clients-registrations/",
    "/js/keycloak.js", "/robots.txt", "/admin/master/console/", "/admin/realms/x/users/0a1b-2c3d/role-mappings",
    "/admin/realms/x/users/count", "/", "/realms/x/account/resources/a%2Cb", "/realms/100%25", "/realms/x/...",
    "/realms/x/..a/", "/realms/x/.a/", "/realms/%5Bx%5D/", "/realms/a%2Bb/", "/realms/%60x%60/", "/realms/%7Bx%7D/",
    "/auth/realms/x/", "/realms/x%3Fy", "/realms/x%26y=z/",
]


def guarded(path: str) -> bool:
    """Whether one of the expressions stops a path; searched and matched whole they must agree."""
    verdicts = {(bool(re.search(regex, path)), bool(re.fullmatch(regex, path))) for regex in PATH_GUARD}
    assert verdicts <= {(True, True), (False, False)}
    return (True, True) in verdicts


@pytest.mark.parametrize("path", REACHED + REFUSED)
def test_a_path_trick_is_stopped(path):
    """Whatever leads around a rule on paths meets the guard first."""
    assert guarded(path)


@pytest.mark.parametrize("path", [path for path in ORDINARY if path != "/realms/100%25"])
def test_an_ordinary_path_passes_the_guard(path):
    """Paths of browsers, clients and administrators are left alone, whatever alphabet a realm is named in."""
    assert not guarded(path)


def test_a_percent_sign_of_its_own_is_stopped():
    """%25 may hide anything once it is decoded twice, and no realm or client needs one in its path."""
    assert guarded("/realms/100%25")


@few
@given(name=st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="%/\\;."),
                    min_size=1, max_size=20))
def test_the_name_of_any_realm_passes_the_guard(name):
    """A browser encodes a name; none of its bytes is taken for an encoded letter, dot or slash."""
    assert not guarded(f"/realms/{quote(name, safe='~@:!$&()*+,=')}/protocol/openid-connect/auth")


@few
@given(letter=st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./\\;%"), upper=st.booleans())
def test_no_letter_can_hide_behind_its_code(letter, upper):
    """Letters, digits and what separates segments are stopped in their encoded form, in either case."""
    code = f"%{ord(letter):02x}"
    assert guarded(f"/realms/{code.upper() if upper else code}x/")


def test_the_expressions_fit_a_rule():
    """At most 128 characters each, anchored at both ends, one to a rule."""
    assert all(len(regex) <= 128 and regex.startswith("^") and regex.endswith("$") for regex in PATH_GUARD)
    rules = listener_rules.guard_rules("Listener", "Admin")
    assert [rule.path_regexes for rule in rules] == [(regex,) for regex in PATH_GUARD]
    assert {rule.status for rule in rules} == {400}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_guard_is_there_where_it_is_needed(version):
    """Up to 26.4.2 for the console, up to 26.5 for a closed master realm; later Keycloak guards itself."""
    line = tuple(map(int, version.split(".")))
    choices = {"keycloak.version": version, "database.create.engine_version": "16.10"}

    def has_guard(**more: str) -> bool:
        rules = rules_of({**choices, **{key.replace("__", "."): value for key, value in more.items()}})
        return [rule.logical_id for rule in rules[:2]] == ["PathGuardRule1", "PathGuardRule2"]

    assert has_guard() == (line < (26, 6))
    assert has_guard(keycloak__master_realm="everyone") == (line < (26, 4, 3))
    assert has_guard(load_balancer__path_guard="on")
    if line >= (26, 4, 3):
        assert not has_guard(load_balancer__path_guard="off")
        opened = {"KC_HTTP_ACCEPT_NON_NORMALIZED_PATHS": "true"}
        assert has_guard(keycloak__options=opened)


# --- a balancer ------------------------------------------------------------------------------------------------------

class Balancer:
    """One listener of a rendered template, answering as an ALB does: the first rule by priority that fits, or the
    default action. Paths and sources are as the client sent them."""

    def __init__(self, document: Document, listener: str = "HttpsListener"):
        self.default = document.resources[listener].properties["DefaultActions"]
        rules = [rule.properties for rule in document.of_type("AWS::ElasticLoadBalancingV2::ListenerRule")
                 if rule.properties["ListenerArn"] == {"Ref": listener}]
        self.rules = sorted(rules, key=lambda rule: int(rule["Priority"]))
        assert len({rule["Priority"] for rule in rules}) == len(rules)

    def ask(self, path: str, host: str = PUBLIC, source: str = OFFICE, headers: tuple[str, ...] = ()) -> str:
        """`forward GROUP`, `redirect PATH` or a status."""
        for rule in self.rules:
            if all(self._fits(condition, path, host, source, headers) for condition in rule["Conditions"]):
                return self._answer(rule["Actions"])
        return self._answer(self.default)

    @staticmethod
    def _fits(condition: dict, path: str, host: str, source: str, headers: tuple[str, ...]) -> bool:
        if condition["Field"] == "host-header":
            return any(wild(value.lower(), host.lower()) for value in condition["HostHeaderConfig"]["Values"])
        if condition["Field"] == "path-pattern":
            config = condition["PathPatternConfig"]
            searched = any(re.search(regex, path) for regex in config.get("RegexValues", ()))
            assert searched == any(re.fullmatch(regex, path) for regex in config.get("RegexValues", ()))
            return searched or any(wild(value, path) for value in config.get("Values", ()))
        if condition["Field"] == "source-ip":
            return any(ipaddress.IPv4Address(source) in ipaddress.IPv4Network(value)
                       for value in condition["SourceIpConfig"]["Values"])
        assert condition["Field"] == "http-header" and condition["HttpHeaderConfig"]["Values"] == ["*"]
        return condition["HttpHeaderConfig"]["HttpHeaderName"].lower() in [name.lower() for name in headers]

    @staticmethod
    def _answer(actions: list[dict]) -> str:
        action, = actions
        if action["Type"] == "forward":
            return f"forward {action['TargetGroupArn']['Ref']}"
        if action["Type"] == "redirect":
            config = action["RedirectConfig"]
            assert (config["StatusCode"], set(config)) == ("HTTP_302", {"Path", "StatusCode"})
            return f"redirect {config['Path']}"
        assert action["Type"] == "fixed-response" and set(action["FixedResponseConfig"]) == {"StatusCode"}
        return action["FixedResponseConfig"]["StatusCode"]


def wild(pattern: str, text: str) -> bool:
    """Whether text is a pattern in which `*` stands for any characters and `?` for one."""
    return re.fullmatch("".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern), text) is not None


FORWARD = "forward TargetGroup"


@pytest.fixture(scope="module", params=VERSIONS)
def version(request) -> str:
    """A version that has a catalog."""
    return request.param


@pytest.fixture(scope="module")
def balancer(version, wholes) -> Balancer:
    """The public balancer of an environment of that version: one admin network, 203.0.113.0/24."""
    return Balancer(wholes[f"v{version.replace('.', '-')}-optimized"].document)


@pytest.mark.parametrize("source", [OFFICE, STRANGER])
def test_the_public_host_shows_what_the_guide_exposes(balancer, version, source):
    """Realms and resources, for everybody; by version also scripts, robots.txt and the root's metadata."""
    line = tuple(map(int, version.split(".")))
    for path in ("/realms/x", "/realms/x/protocol/openid-connect/token", "/realms/x/.well-known/openid-configuration",
                 "/realms/x/account/", "/realms/mastery/account", "/resources/8abcd/login/keycloak.v2/img/logo.svg",
                 "/realms/m%C3%BCnchen/account/"):
        assert balancer.ask(path, source=source) == FORWARD
    assert balancer.ask("/realms/x", host="SSO.Example.com", source=source) == FORWARD
    for path, there in (("/js/keycloak.js", line < (26,)), ("/robots.txt", line < (26, 1)),
                        ("/.well-known/oauth-authorization-server/realms/x", line >= (26, 4))):
        assert balancer.ask(path, source=source) == (FORWARD if there else "404")
        assert there == any(path.startswith(one) for one in facts.public_paths(version))


@pytest.mark.parametrize("source", [OFFICE, STRANGER])
@pytest.mark.parametrize("path", [
    "/", "/admin", "/admin/", "/admin/master/console/", "/admin/realms/x/users", "/metrics", "/health", "/health/ready",
    "/welcome", "/realms", "/resources", "/REALMS/x", "/Realms/master", "/admin/realms/", "/auth/realms/x", "/q/health",
    "/realm/x", "/favicon.ico"])
def test_the_public_host_shows_nothing_else(balancer, path, source):
    """Neither console, metrics, health nor the page at the root, not even to administrators."""
    assert balancer.ask(path, source=source) == "404"


@pytest.mark.parametrize("path", ["/realms/master", "/realms/master/", "/realms/master/protocol/openid-connect/auth",
                                  "/realms/master/.well-known/openid-configuration", "/realms/master/account"])
def test_the_master_realm_is_there_for_administrators_only(balancer, path):
    """It answers on the public host, where the console logs in, and only to the admin networks."""
    assert balancer.ask(path, source=OFFICE) == FORWARD
    assert balancer.ask(path, source=STRANGER) == "404"
    assert balancer.ask(path, source="203.0.114.1") == "404"


def test_the_admin_host_is_there_for_administrators_only(balancer):
    """Console, its API and its files; typing the host leads there and tells strangers nothing they don't know."""
    for path in ("/admin/", "/admin/master/console/", "/admin/realms/x/users", "/resources/8abcd/admin/app.js"):
        assert balancer.ask(path, host=ADMIN, source=OFFICE) == FORWARD
        assert balancer.ask(path, host=ADMIN, source=STRANGER) == "404"
    for source in (OFFICE, STRANGER):
        for path in ("/", "/admin"):
            assert balancer.ask(path, host=ADMIN, source=source) == "redirect /admin/master/console/"
        for path in ("/realms/master", "/realms/x/account", "/metrics", "/health", "/js/keycloak.js", "/administrator"):
            assert balancer.ask(path, host=ADMIN, source=source) == "404"


@pytest.mark.parametrize("host", ["example.com", "evil.example.com", "203.0.113.10", "sso.example.com.evil.net",
                                  "xsso.example.com", "", "localhost"])
def test_another_host_shows_nothing(balancer, host):
    """Whoever comes by address or by a name of their own meets a 404, whatever they ask for."""
    for path in ("/realms/x", "/admin/master/console/", "/resources/a", "/"):
        assert balancer.ask(path, host=host, source=OFFICE) == "404"


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-Host", "X-Forwarded-Prefix", "X-Forwarded-For",
                                    "x-forwarded-host"])
@pytest.mark.parametrize(("host", "path"), [(PUBLIC, "/realms/x"), (PUBLIC, "/realms/master"),
                                            (ADMIN, "/admin/master/console/"), (ADMIN, "/"), ("evil.net", "/")])
def test_a_header_of_a_proxy_is_refused_from_a_client(balancer, header, host, path):
    """Only the balancer speaks for where a request came from; other headers are nobody's business."""
    assert balancer.ask(path, host=host, headers=("Accept", header)) == "400"
    assert balancer.ask(path, host=host, headers=("Accept", "Forwarded-For", "X-Forwarded-Hosts", "X-Real-IP")) != "400"


@pytest.mark.parametrize("path", REACHED + REFUSED)
def test_a_path_trick_gets_nowhere(balancer, version, path):
    """Where Keycloak would fall for it, the balancer answers 400, on every host; later Keycloak does."""
    if tuple(map(int, version.split("."))) < (26, 6):
        assert {balancer.ask(path, host=host, source=source) for host in (PUBLIC, ADMIN, "evil.net")
                for source in (OFFICE, STRANGER)} == {"400"}
    else:
        assert balancer.ask(path, source=STRANGER) in (FORWARD, "404")


@pytest.mark.parametrize("path", ORDINARY)
def test_the_guard_changes_nothing_for_ordinary_paths(wholes, path):
    """A guarded version answers ordinary requests as an unguarded one does."""
    old, new = (Balancer(wholes[f"v{version}-optimized"].document) for version in ("26-3-5", "26-7-4"))
    if path.startswith("/.well-known/"):  # 26.4 and newer serve it
        assert (old.ask(path), new.ask(path)) == ("404", FORWARD)
    elif path == "/realms/100%25":
        assert (old.ask(path), new.ask(path)) == ("400", FORWARD)
    else:
        assert old.ask(path) == new.ask(path) != "400"
        assert old.ask(path, host=ADMIN) == new.ask(path, host=ADMIN) != "400"


def test_a_proxy_in_front_may_speak_for_its_clients():
    """With forwarded_for: trust, X-Forwarded-For is let through; the other headers still aren't."""
    rules = [rule.header for rule in rules_of({"load_balancer.forwarded_for": "trust",
                                               "load_balancer.allow_from": ["203.0.113.0/24"]}) if rule.header]
    assert rules == ["Forwarded", "X-Forwarded-Host", "X-Forwarded-Prefix"]


def test_an_internal_console_has_rules_of_its_own(wholes):
    """Staging's console: any network that its balancer lets in; the public one knows neither console nor host."""
    document = wholes["staging"].document
    public, internal = Balancer(document), Balancer(document, "AdminHttpsListener")
    host, admin = "sso.staging.example.com", "sso-admin.staging.example.com"
    assert internal.ask("/admin/master/console/", host=admin, source="10.7.7.7") == "forward AdminTargetGroup"
    assert internal.ask("/resources/a/admin.js", host=admin, source="10.7.7.7") == "forward AdminTargetGroup"
    assert internal.ask("/", host=admin, source="10.7.7.7") == "redirect /admin/master/console/"
    assert internal.ask("/realms/master", host=admin, source="10.7.7.7") == "404"
    assert internal.ask("/admin/", host=host, source="10.7.7.7") == "404"
    assert internal.ask("/admin/", host=admin, source="10.7.7.7", headers=("X-Forwarded-For",)) == "400"
    for path in ("/", "/admin/", "/admin/master/console/", "/resources/a/admin.js"):
        assert public.ask(path, host=admin) == "404"
    assert public.ask("/realms/master", host=host, source="203.0.113.9") == FORWARD
    assert public.ask("/realms/master", host=host, source="10.7.7.7") == "404"
    assert public.ask("/realms/x", host=host, source="10.7.7.7") == FORWARD


@pytest.mark.parametrize("internal", [False, True])
def test_everything_lies_below_the_relative_path(internal):
    """With /auth, only what lies below it is reached, and the bare admin host still leads to the console."""
    changes = {"keycloak.http_relative_path": "/auth"}
    if internal:
        changes.update({"keycloak.admin.balancer": "internal", "keycloak.admin.login_from": ["203.0.113.0/24"]})
    rules = rules_of(changes)
    paths = {path for rule in rules for path in rule.paths}
    assert paths == {"/auth/realms/*", "/auth/resources/*", "/auth/.well-known/*", "/auth/realms/master",
                     "/auth/realms/master/*", "/auth/admin/*", "/", "/auth", "/auth/admin"}
    start, = [rule for rule in rules if rule.logical_id == "AdminStartRule"]
    assert (start.paths, start.redirect_path) == (("/", "/auth", "/auth/admin"), "/auth/admin/master/console/")
    assert start.listener == ("AdminHttpsListener" if internal else "HttpsListener")


# --- the listener for client certificates ----------------------------------------------------------------------------

def asking(mode: str) -> list[str]:
    """Cases whose balancer asks for certificates in that mode."""
    return [name for name, params in CASES.items()
            if params.get("load_balancer", {}).get("client_certificates", {}).get("mode") == mode]


@pytest.mark.parametrize("name", [asking("required")[0], asking("optional")[0]])
def test_the_listener_for_certificates_shows_realms_and_nothing_else(name, wholes):
    """Realms with and without a port in Host; no console, no metrics, and the master realm as closed as elsewhere."""
    whole = wholes[name]
    listener, base = Balancer(whole.document, "MutualTlsListener"), whole.settings.base_path
    for host in (whole.settings.mutual_tls_host, f"{whole.settings.mutual_tls_host}:{whole.settings.mutual_tls_port}"):
        assert listener.ask(f"{base}/realms/x/account", host=host) == "forward MutualTlsTargetGroup"
        for path in ("/", f"{base}/admin/", f"{base}/admin/master/console/", "/metrics", "/health/ready"):
            assert listener.ask(path, host=host) == "404"
    closed = whole.settings.keycloak.master_realm == "admin_networks"
    assert listener.ask(f"{base}/realms/master/account") == ("404" if closed else "forward MutualTlsTargetGroup")


def test_nobody_speaks_for_the_balancer_where_it_checks_nothing(wholes):
    """With `optional`, a client's own header for certificates is answered with 400 before anything else takes it."""
    for name in asking("optional"):
        base = wholes[name].settings.base_path
        listener = Balancer(wholes[name].document, "MutualTlsListener")
        assert listener.ask(f"{base}/realms/x", headers=("x-amzn-mtls-clientcert",)) == "400"
        assert listener.ask(f"{base}/realms/x", headers=("X-Other",)) == "forward MutualTlsTargetGroup"


def test_the_consoles_own_balancer_believes_no_certificate():
    """Behind a proxy in front, whoever reaches the internal balancer doesn't come through it: the header gets 400."""
    proxied = {"load_balancer.client_certificates": {"mode": "proxy", "proxy": {"kind": "nginx"}},
               "load_balancer.allow_from": ["198.51.100.7/32"], "load_balancer.forwarded_for": "trust"}
    internal = {"keycloak.admin.balancer": "internal", "keycloak.admin.login_from": ["203.0.113.0/24"]}
    refused = {(rule.listener, rule.header) for rule in rules_of({**proxied, **internal}) if rule.status == 400}
    assert {("AdminHttpsListener", "ssl-client-cert"), ("AdminHttpsListener", "ssl-client-verify")} <= refused
    assert not any(listener == "HttpsListener" and "ssl" in header for listener, header in refused)
    assert not any("ssl" in rule.header for rule in rules_of(internal))
