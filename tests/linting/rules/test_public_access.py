"""Who in the internet reaches what: web ACLs, headers that nobody guesses, CloudFront, consoles that are off."""

from __future__ import annotations

import textwrap

import pytest
from laying import laid, viewed

from generator.linting import pack

OPEN = "HttpsListener: {Properties: {DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]}}\n"


def found(rule: str, *examples: str) -> list:
    return list(pack.rule(rule).findings(viewed(laid("".join(textwrap.dedent(one) for one in examples)))))


def acl(statement: str, action: str = "Action: {Block: {}}", default: str = "{Allow: {}}") -> str:
    """A web ACL on the balancer with one rule."""
    return f"""
        WebAcl:
          Type: AWS::WAFv2::WebACL
          Properties:
            Scope: REGIONAL
            DefaultAction: {default}
            Rules: [{{Name: Rule, Priority: 1, {action}, Statement: {statement}}}]
        WebAclOnBalancer:
          Type: AWS::WAFv2::WebACLAssociation
          Properties: {{ResourceArn: !Ref LoadBalancer, WebACLArn: !GetAtt WebAcl.Arn}}
        """


def path(text: str, how: str = "STARTS_WITH", field: str = "UriPath", change: str = "LOWERCASE") -> str:
    return (
        f"{{ByteMatchStatement: {{SearchString: {text}, PositionalConstraint: {how}, FieldToMatch: {{{field}: {{}}}}, "
        f"TextTransformations: [{{Priority: 0, Type: {change}}}]}}}}"
    )


OFFICES = '{IPSetReferenceStatement: {Arn: "arn:aws:wafv2:eu-central-1:123456789012:regional/ipset/offices/0a1b"}}'
NOT_OFFICES = f"{{NotStatement: {{Statement: {OFFICES}}}}}"


def managed(name: str) -> str:
    return acl(f"{{ManagedRuleGroupStatement: {{VendorName: AWS, Name: {name}}}}}", "OverrideAction: {None: {}}")


BARRED = {
    "the path but for offices": acl(f"{{AndStatement: {{Statements: [{path('/admin')}, {NOT_OFFICES}]}}}}"),
    "the path": acl(path("/admin/", "CONTAINS")),
    "everybody but offices": acl(NOT_OFFICES),
    "by default": acl(path("/realms"), "Action: {Allow: {}}", "{Block: {}}"),
    "all but the public paths": acl(f"{{NotStatement: {{Statement: {path('/realms/')}}}}}"),
    "the path, decoded in a way of its own": acl(path("admin", "CONTAINS", change="BASE64_DECODE")),
    "a path by an expression": acl("{RegexMatchStatement: {RegexString: '^/admin', FieldToMatch: {UriPath: {}}}}"),
    "by rules of elsewhere": acl(
        "{RuleGroupReferenceStatement: {Arn: !ImportValue group}}", "OverrideAction: {None: {}}"),
    "AWS's rules for paths of administrators": managed("AWSManagedRulesAdminProtectionRuleSet"),
    "a web ACL of elsewhere": """
        WebAclOnBalancer:
          Type: AWS::WAFv2::WebACLAssociation
          Properties: {ResourceArn: !Ref LoadBalancer, WebACLArn: !ImportValue acl}
        """,
}

LET_THROUGH = {
    "no web ACL": "",
    "AWS's rules against attacks": managed("AWSManagedRulesCommonRuleSet"),
    "another path": acl(path("/metrics", "EXACTLY")),
    "some addresses": acl(OFFICES),
    "too many requests": acl("{RateBasedStatement: {Limit: 1000, AggregateKeyType: IP}}"),
    "what is in the query": acl(path("select", "CONTAINS", "QueryString")),
    "the path is only counted": acl(path("/admin"), "Action: {Count: {}}"),
    "another path and anybody": acl(f"{{AndStatement: {{Statements: [{path('/metrics')}, {NOT_OFFICES}]}}}}"),
    "a web ACL of another balancer": acl(path("/admin")).replace("!Ref LoadBalancer", "!Ref Other") + """
        Other: {Type: AWS::ElasticLoadBalancingV2::LoadBalancer, Properties: {Scheme: internal}}
        """,
}


@pytest.mark.parametrize("change", BARRED.values(), ids=BARRED)
def test_a_web_acl_that_may_keep_strangers_from_the_console_is_not_argued_with(change):
    """Where a web ACL may stand before the console, nobody is told that everybody in the internet reaches it."""
    assert not found("E9054", OPEN, change)


@pytest.mark.parametrize("change", LET_THROUGH.values(), ids=LET_THROUGH)
def test_a_web_acl_about_something_else_hides_no_open_console(change):
    """A web ACL that strangers with a browser pass leaves the console open."""
    assert found("E9054", OPEN, change)


def behind_header(value: str, name: str = "X-Origin-Verify", more: str = "") -> str:
    """The public rule forwards every path that comes with a header, and nothing else does."""
    return f"""
        AdminRule: ~
        PublicRule:
          Properties:
            Conditions:
              - {{Field: host-header, HostHeaderConfig: ~}}
              - {{Field: path-pattern, PathPatternConfig: ~}}
              - {{Field: http-header, HttpHeaderConfig: {{HttpHeaderName: {name}, Values: [{value}]}}}}
        {more}
        """


SECRETS = {
    "a secret": behind_header("!Sub '{{resolve:secretsmanager:${AdminSecret}}}'"),
    "another stack's": behind_header("!ImportValue header"),
    "a long text": behind_header("6f1d2c8e9b7a4053"),
}

KNOWN = {
    "anything": behind_header("'*'"),
    "a part": behind_header("'*6f1d2c8e9b7a4053*'"),
    "a browser": behind_header("'*Mozilla*'", "User-Agent"),
    "a browser in full": behind_header("Mozilla/5.0 (X11; Linux)", "User-Agent"),
    "a word": behind_header("'true'"),
    "one of two": behind_header("!ImportValue header, '1'"),
}


@pytest.mark.parametrize("change", SECRETS.values(), ids=SECRETS)
def test_a_header_that_strangers_do_not_know_keeps_them_out(change):
    """A rule behind a secret header, as CloudFront sends it, isn't open to everybody."""
    assert not found("E9054", change)


@pytest.mark.parametrize("change", KNOWN.values(), ids=KNOWN)
def test_a_header_that_anybody_can_send_keeps_nobody_out(change):
    """A rule behind a header that anybody can write is open; the fix doesn't lock out those who log in."""
    (one,) = found("E9054", change)
    assert "/realms/*" in one.fix and "path-pattern" in one.fix


def test_a_parameter_in_a_header_may_hold_a_secret():
    """What a parameter gives a header isn't taken for known, whatever its default is."""
    template = laid(textwrap.dedent(behind_header("!Ref Verify")))
    template["Parameters"] = {"Verify": {"Type": "String", "NoEcho": True, "Default": "x"}}
    assert not list(pack.rule("E9054").findings(viewed(template)))


def features_off(names: str) -> str:
    return f"""
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment: [{{Name: KC_FEATURES_DISABLED, Value: {names}}}]
        """


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ("'admin,admin-api'", []),
        ("'admin-api, admin:v2'", []),
        ("admin", ["the admin REST API"]),
        ("impersonation", ["the admin console"]),
        ("!Ref Nobody", []),
    ],
)
def test_a_console_that_is_switched_off_is_reached_by_nobody(names, says):
    """Without the feature there is no console to reach, and without the API nothing of administrators at all."""
    findings = found("E9054", OPEN, features_off(names))
    assert [one.message.partition(" reaches ")[2].partition(" at ")[0].partition(":")[0] for one in findings] == says


def distribution(more: str = "", domain: str = "!GetAtt LoadBalancer.DNSName", protocol: str = "https-only") -> str:
    return f"""
        Distribution:
          Type: AWS::CloudFront::Distribution
          Properties:
            DistributionConfig:
              Enabled: true
              {more}
              Origins: [{{Id: a, DomainName: {domain}, CustomOriginConfig: {{OriginProtocolPolicy: {protocol}}}}}]
        """


WITHOUT_RULE = "ClientForwardedFor: ~\n"
FROM_CLOUDFRONT = behind_header("!ImportValue header")
FORWARD = "{Type: forward, TargetGroupArn: !Ref TargetGroup}"
BUCKET = "!GetAtt Files.RegionalDomainName"


@pytest.mark.parametrize(
    ("changes", "fix"),
    [
        ((), 'Values: ["*"]'),
        ((distribution(domain=BUCKET), "Files: {Type: AWS::S3::Bucket}"), 'Values: ["*"]'),
        ((distribution(),), "let only CloudFront reach LoadBalancer"),
        ((distribution("WebACLId: !ImportValue acl"),), "let only CloudFront reach LoadBalancer"),
        ((distribution(), FROM_CLOUDFRONT), "WebACLId"),
        ((distribution("WebACLId: !ImportValue acl"), FROM_CLOUDFRONT), None),
        ((distribution(domain="sso.example.com"),), None),
    ],
    ids=["no CDN", "a CDN for files", "both ways", "straight to it", "only by the CDN", "a web ACL of elsewhere", "maybe"],
)
def test_a_forged_address_behind_cloudfront(changes, fix):
    """Behind CloudFront nobody is told to refuse the header that CloudFront adds to every request."""
    assert [fix in one.fix for one in found("W9152", WITHOUT_RULE, *changes)] == ([] if fix is None else [True])


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ((distribution(),), True),
        ((distribution(protocol="match-viewer"),), True),
        ((distribution(protocol="http-only"),), False),
        ((distribution(domain=BUCKET), "Files: {Type: AWS::S3::Bucket}"), False),
        ((), False),
        ((distribution(), WITHOUT_RULE), False),
        ((distribution(), "PublicRule: {Properties: {Priority: 4}}"), False),
        ((distribution(), f"ClientForwardedFor: {{Properties: {{Actions: [{FORWARD}]}}}}"), False),
    ],
    ids=["https", "as the viewer", "another listener", "files", "no CDN", "no rule", "after another", "forwarded"],
)
def test_a_rule_that_refuses_all_of_cloudfront_is_seen(changes, refused):
    """A rule against X-Forwarded-For turns everybody away who comes through CloudFront, and only there."""
    assert bool(found("E9193", *changes)) is refused


def network(listener: str = "TLS", more: str = "", balancer: str = "", variables: str = "") -> str:
    """A Network Load Balancer in front of Keycloak, instead of the Application Load Balancer."""
    return f"""
        ClientForwardedFor: ~
        AdminRule: ~
        PublicRule: ~
        HttpListener: ~
        LoadBalancer: {{Properties: {{Type: network, LoadBalancerAttributes: ~, {balancer}}}}}
        HttpsListener:
          Properties:
            Protocol: {listener}
            DefaultActions: [{{Type: forward, TargetGroupArn: !Ref TargetGroup}}]
        TargetGroup: {{Properties: {{Protocol: TCP, TargetGroupAttributes: [{more}]}}}}
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Image: quay.io/keycloak/keycloak:26.7.4
                Command: [start]
                Environment: [{variables}]
        """


KEPT = "{Key: preserve_client_ip.enabled, Value: 'true'}"
NOBODY_TRUSTED = "{Name: KC_PROXY_TRUSTED_ADDRESSES, Value: ~}"


@pytest.mark.parametrize(
    ("change", "fix"),
    [
        (network(), "Application Load Balancer"),
        (network("TCP"), "take KC_PROXY_HEADERS away"),
        (network(balancer="SecurityGroups: ~"), "Application Load Balancer"),
        (network(variables=NOBODY_TRUSTED), "Application Load Balancer"),
        (network(more=KEPT, variables=NOBODY_TRUSTED), "Application Load Balancer"),
        (network(variables="{Name: KC_PROXY_HEADERS, Value: forwarded}"), "Application Load Balancer"),
        (network(more=KEPT), None),
        (network(more=KEPT, balancer="SecurityGroups: ~", variables=NOBODY_TRUSTED), None),
        (network(balancer="Scheme: internal"), None),
        (network(balancer="SecurityGroups: [sg-0a1b2c3d4e5f67890]"), None),
        (network(variables="{Name: KC_PROXY_TRUSTED_ADDRESSES, Value: 192.0.2.0/24}"), None),
        (network(variables="{Name: KC_PROXY_TRUSTED_ADDRESSES, Value: !Ref Nobody}"), None),
        (network(variables="{Name: KC_PROXY_HEADERS, Value: ~}"), None),
        ("", None),
    ],
    ids=[
        "it ends TLS", "TLS passes", "no security group", "everybody is trusted", "clients' addresses are trusted",
        "the other header", "clients' addresses aren't trusted", "tasks decide who gets in", "an inner balancer",
        "a group of elsewhere", "another proxy is trusted", "who is trusted isn't known", "no headers",
        "an Application Load Balancer",
    ],
)
def test_headers_that_a_network_balancer_passes_on(change, fix):
    """Headers behind a Network Load Balancer are the clients' own, unless another proxy may write them."""
    assert [fix in one.fix for one in found("W9192", change)] == ([] if fix is None else [True])


def test_a_listener_without_paths_is_not_told_to_look_at_them():
    """Behind a Network Load Balancer nobody is told to answer 404 by path, which its listeners can't."""
    (one,) = found("W9057", network(balancer="SecurityGroups: [sg-0a1b2c3d4e5f67890]"))
    assert "Application Load Balancer" in one.fix and "404" not in one.fix


def test_a_proxy_in_the_task_writes_the_headers():
    """A proxy container between a Network Load Balancer and Keycloak may write the headers that count."""
    proxied = """
        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment: [{Name: KC_HTTP_HOST, Value: 127.0.0.1}, {Name: KC_PROXY_TRUSTED_ADDRESSES, Value: ~}]
              - Name: proxy
                Image: public.ecr.aws/docker/library/nginx:1.27
                PortMappings: [{ContainerPort: 8081}]
        Service:
          Properties:
            LoadBalancers: [{ContainerName: proxy, ContainerPort: 8081, TargetGroupArn: !Ref TargetGroup}]
        """
    plain = network().partition("        TaskDefinition:")[0]  # with the image and the addresses of the good template
    assert found("W9192", plain) and not found("W9192", plain, proxied)
