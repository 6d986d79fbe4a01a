"""The balancer and the web ACL in front of Keycloak: the many ways to write a fault, and what only looks like one."""

from __future__ import annotations

import copy

import pytest
from laying import good, laid, viewed

from generator.document import parse
from generator.linting import pack
from generator.linting.rules._shadow import _wider
from generator.linting.view import View

STOCK = "Image: quay.io/keycloak/keycloak:{version}"
ACL = """
    WebAcl:
      Type: AWS::WAFv2::WebACL
      Properties:
        Scope: REGIONAL
        DefaultAction: {Allow: {}}
        Rules:
          - Name: Rule
            Priority: 1
            %s
    WebAclOnBalancer:
      Type: AWS::WAFv2::WebACLAssociation
      Properties: {ResourceArn: !Ref LoadBalancer, WebACLArn: !GetAtt WebAcl.Arn}
"""


def undent(text: str) -> str:
    lines = text.strip("\n").splitlines()
    width = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
    return "\n".join(line[width:] for line in lines) + "\n"


def container(*lines: str) -> str:
    """An excerpt that gives Keycloak's container these lines."""
    inner = "".join(f"        {line}\n" for line in lines)
    return f"TaskDefinition:\n  Properties:\n    ContainerDefinitions:\n      - Name: keycloak\n{inner}"


def stock(version: str, *variables: str) -> str:
    """An excerpt with Keycloak's own image of a version and more variables, `KC_X=y`."""
    return container(STOCK.format(version=version), "Command: [start]", *environment(*variables))


def environment(*variables: str) -> list[str]:
    pairs = [one.partition("=") for one in variables]
    return (
        ["Environment:", *(f'  - {{Name: {name}, Value: "{value}"}}' for name, _, value in pairs)]
        if pairs
        else []
    )


def group(*lines: str) -> str:
    return "TargetGroup:\n  Properties:\n" + "".join(f"    {line}\n" for line in lines)


def rule(name: str, priority: int, conditions: str, action: str) -> str:
    return undent(f"""
        {name}:
          Type: AWS::ElasticLoadBalancingV2::ListenerRule
          Properties:
            ListenerArn: !Ref HttpsListener
            Priority: {priority}
            Conditions: {conditions}
            Actions: [{action}]
    """)


FORWARD = "{Type: forward, TargetGroupArn: !Ref TargetGroup}"
REFUSE = '{Type: fixed-response, FixedResponseConfig: {StatusCode: "404"}}'
HOST = "{Field: host-header, HostHeaderConfig: {Values: [sso.example.com]}}"


def on_paths(*paths: str) -> str:
    return (
        "{Field: path-pattern, PathPatternConfig: {Values: [" + ", ".join(f'"{one}"' for one in paths) + "]}}"
    )


def said(name: str, *examples: str, version: str = "") -> list[str]:
    """The messages of one rule about the good template with excerpts laid over it."""
    template = laid("".join(examples))
    found = pack.rule(name)
    assert found is not None
    return [one.message for one in found.findings(viewed(template, version))]


ANYWHERE = "{Field: host-header, HostHeaderConfig: ~}, {Field: source-ip, SourceIpConfig: ~}"
DENIED = rule("AdminRule", 10, f"[{ANYWHERE}, {on_paths('/admin', '/admin/*')}]", REFUSE) + (
    "HttpsListener:\n  Properties:\n    DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]\n"
)
"""Everything is forwarded but the admin console."""

LOUD = {
    "stickiness by default off": ("W9047", stock("26.2.5"), group("TargetGroupAttributes: ~")),
    "the right page below another prefix": (
        "E9050",
        stock("26.7.4", "KC_HTTP_RELATIVE_PATH=/auth"),
        group("HealthCheckPath: /health/ready"),
    ),
    "the option on the command line": (
        "E9050",
        container("Command: [start, --optimized, --http-relative-path=/auth]"),
    ),
    "a prefix of the management port alone": (
        "E9050",
        stock("26.7.4", "KC_HTTP_MANAGEMENT_RELATIVE_PATH=/management"),
    ),
    "a network balancer that asks by HTTP": (
        "E9050",
        stock("26.7.4"),
        group("Protocol: TCP", "HealthCheckPort: traffic-port", "HealthCheckPath: /"),
    ),
    "a check without a protocol": (
        "E9050",
        stock("26.7.4"),
        group("HealthCheckProtocol: ~", "HealthCheckPort: traffic-port", "HealthCheckPath: /"),
    ),
    "a main port that no 26 answers health at": ("E9049", stock("26"), group("HealthCheckPort: traffic-port")),
    "/ takes 200 only": (
        "E9050",
        stock("26.7.4"),
        group("HealthCheckPort: traffic-port", "HealthCheckPath: /"),
    ),
    "/ with 302 says nothing": (
        "W9050",
        stock("26.7.4"),
        group("HealthCheckPort: traffic-port", "HealthCheckPath: /", 'Matcher: {HttpCode: "200,302"}'),
    ),
    "a realm instead of the health page": (
        "W9050",
        stock("26.7.4"),
        group("HealthCheckPort: traffic-port", "HealthCheckPath: /realms/master"),
    ),
    "started is not ready": ("W9050", group("HealthCheckPath: /health/started")),
    "health off on the command line": ("E9051", container("Command: [start, --health-enabled=false]")),
    "only the container's check asks": ("E9051", stock("26.7.4"), group("HealthCheckPath: /realms/master")),
    "TLS for the management port alone": (
        "E9053",
        container(*environment("KC_HTTPS_MANAGEMENT_KEY_STORE_FILE=/tls.p12")),
    ),
    "the scheme is plain, the check is not": (
        "E9053",
        container(*environment("KC_HTTPS_KEY_STORE_FILE=/tls.p12", "KC_HTTP_MANAGEMENT_SCHEME=http")),
        group("HealthCheckProtocol: HTTPS"),
    ),
    "another cluster's prefix in one rule": (
        "E9056",
        stock("24.0.5"),
        rule("Old", 30, f"[{on_paths('/auth/realms/*', '/auth/js/*')}]", FORWARD),
    ),
    "a master realm closed too late": (
        "E9058",
        rule("Closed", 30, f"[{HOST}, {on_paths('/realms/master/*')}]", REFUSE),
    ),
    "a login at the balancer too late": (
        "E9058",
        rule(
            "Closed",
            30,
            f"[{HOST}, {on_paths('/realms/master/*')}]",
            f"{{Type: authenticate-oidc, Order: 1}}, {FORWARD[:-1]}, Order: 2}}",
        ),
    ),
    "a network inside another": (
        "W9058",
        rule("Wide", 5, "[{Field: source-ip, SourceIpConfig: {Values: [10.0.0.0/8]}}]", FORWARD),
        rule(
            "Narrow", 6, "[{Field: source-ip, SourceIpConfig: {Values: [10.1.0.0/16, 10.2.3.4/32]}}]", FORWARD
        ),
    ),
    "TLS 1.0 beside TLS 1.3": (
        "W9060",
        "HttpsListener:\n  Properties:\n    SslPolicy: ELBSecurityPolicy-TLS13-1-0-2021-06\n",
    ),
    "a rule of the plain listener": (
        "W9143",
        undent("""
            Plain:
              Type: AWS::ElasticLoadBalancingV2::ListenerRule
              Properties:
                ListenerArn: !Ref HttpListener
                Priority: 1
                Conditions: [{Field: path-pattern, PathPatternConfig: {Values: ["/realms/*"]}}]
                Actions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]
        """),
    ),
    "a provider given with one dash": (
        "E9061",
        container(*environment("KC_SPI_X509CERT_LOOKUP_PROVIDER=rfc9440")),
        "HttpsListener:\n  Properties:\n    MutualAuthentication: {Mode: passthrough}\n",
    ),
    "a trusted check behind a proxy in the task": (
        "E9144",
        container(
            *environment(
                "KC_SPI_X509CERT_LOOKUP__PROVIDER=nginx",
                "KC_SPI_X509CERT_LOOKUP__NGINX__TRUST_PROXY_VERIFICATION=true",
            )
        ),
        "HttpsListener:\n  Properties:\n    MutualAuthentication: {Mode: passthrough}\n",
        "Service:\n  Properties:\n    LoadBalancers:\n"
        "      - {ContainerName: proxy, ContainerPort: 8081, TargetGroupArn: !Ref TargetGroup}\n",
    ),
    "the default header of a standard": (
        "E9145",
        container(*environment("KC_SPI_X509CERT_LOOKUP__PROVIDER=rfc9440")),
    ),
    "an underscore where invalid names pass": (
        "E9145",
        container(
            *environment(
                "KC_SPI_X509CERT_LOOKUP__PROVIDER=nginx",
                "KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT=SSL_CLIENT_CERT",
            )
        ),
        "LoadBalancer:\n  Properties:\n    LoadBalancerAttributes: ~\n",
    ),
    "a shutdown in minutes": (
        "E9062",
        container("StopTimeout: 120", *environment("KC_SHUTDOWN_DELAY=2m", "KC_SHUTDOWN_TIMEOUT=1s")),
    ),
    "ECS's own 30 seconds": (
        "E9062",
        container("StopTimeout: ~", *environment("KC_SHUTDOWN_DELAY=25s", "KC_SHUTDOWN_TIMEOUT=10s")),
    ),
    "one of the six rules blocks": (
        "W9097",
        undent(
            ACL
            % """OverrideAction: {None: {}}
            Statement:
              ManagedRuleGroupStatement:
                VendorName: AWS
                Name: AWSManagedRulesCommonRuleSet
                ExcludedRules:
                  - {Name: EC2MetaDataSSRF_BODY}
                  - {Name: EC2MetaDataSSRF_QUERYARGUMENTS}
                  - {Name: GenericRFI_BODY}
                  - {Name: SizeRestrictions_BODY}
                  - {Name: SizeRestrictions_QUERYSTRING}"""
        ),
    ),
    "a parameter behind a prefix": (
        "E9140",
        stock("22.0.5", "KC_HTTP_RELATIVE_PATH=/auth"),
        DENIED.replace("/admin", "/auth/admin"),
    ),
    "a web ACL that only limits the rate": (
        "E9140",
        stock("24.0.5"),
        DENIED,
        undent(
            ACL
            % """Action: {Block: {}}
            Statement: {RateBasedStatement: {AggregateKeyType: IP, Limit: 2000}}"""
        ),
    ),
    "a closed console for one host": (
        "W9140",
        rule("AdminRule", 10, f"[{HOST}, {on_paths('/admin/*')}]", REFUSE),
        "HttpsListener:\n  Properties:\n    DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]\n",
    ),
    "everybody by IPv6": (
        "W9149",
        "TaskInHttp:\n  Properties:\n    SourceSecurityGroupId: ~\n    CidrIpv6: ::/0\n",
    ),
    "a group with its rule inside": (
        "W9149",
        "TaskSecurityGroup:\n  Properties:\n    SecurityGroupIngress:\n"
        '      - {IpProtocol: "-1", CidrIp: 0.0.0.0/0}\n',
    ),
    "the balancer lets out nothing but the main port": (
        "E9052",
        "LoadBalancerSecurityGroup:\n  Properties:\n    SecurityGroupEgress:\n"
        "      - {IpProtocol: tcp, FromPort: 8080, ToPort: 8080, "
        "DestinationSecurityGroupId: !GetAtt TaskSecurityGroup.GroupId}\n",
    ),
    "health on the main port, nothing else asked": (
        "E9052",
        stock("24.0.5"),
        group("HealthCheckPort: traffic-port"),
        "TaskInHttp: ~\n",
    ),
}


@pytest.mark.parametrize("name", LOUD)
def test_a_fault_is_seen_in_whatever_form_it_is_written(name):
    """Another option, another place, another default: the same fault gives the same finding."""
    asked, *examples = LOUD[name]
    assert said(asked, *examples)


SILENT = {
    "a rendered guard": (
        "E9140",
        stock("24.0.5"),
        DENIED,
        rule("Guard", 1, "[{Field: path-pattern, PathPatternConfig: {RegexValues: ['^.*//.*$']}}]", REFUSE),
    ),
    "a web ACL on paths": (
        "E9140",
        stock("24.0.5"),
        DENIED,
        undent(
            ACL
            % """Action: {Block: {}}
            Statement:
              RegexMatchStatement: {FieldToMatch: {UriPath: {}}, RegexString: "//", TextTransformations: []}"""
        ),
    ),
    "a web ACL of another stack": (
        "E9140",
        stock("24.0.5"),
        DENIED,
        "Association:\n  Type: AWS::WAFv2::WebACLAssociation\n"
        "  Properties: {ResourceArn: !Ref LoadBalancer, WebACLArn: !ImportValue acl}\n",
    ),
    "a network balancer's own check": (
        "E9050",
        stock("26.7.4"),
        group("Protocol: TCP", "HealthCheckProtocol: ~", "HealthCheckPath: ~", "HealthCheckPort: ~", "Matcher: ~"),
    ),
    "a check of a protocol that isn't known": (
        "E9050",
        stock("26.7.4"),
        group("Protocol: !Ref Nowhere", "HealthCheckProtocol: ~", "HealthCheckPath: /", "HealthCheckPort: ~"),
    ),
    "an internal balancer": ("E9140", stock("24.0.5"), DENIED, "LoadBalancer:\n  Properties: {Scheme: internal}\n"),
    "dots, which the balancer normalizes": ("E9140", stock("24.0.5")),
    "dots on a version that accepts them": ("E9140", stock("26.7.4", "KC_HTTP_ACCEPT_NON_NORMALIZED_PATHS=true")),
    "a version that answers 500": ("E9140", stock("26.0.8"), DENIED),
    "a version that refuses a semicolon": ("E9140", stock("26.7.4"), DENIED),
    "a console that is off": ("E9140", stock("24.0.5", "KC_FEATURES_DISABLED=admin"), DENIED),
    "26.5, which refuses a semicolon": (
        "W9141",
        stock("26.5.5"),
        rule("Closed", 15, f"[{on_paths('/realms/master/*')}]", REFUSE),
    ),
    "an unknown version": ("E9140", container("Image: example.com/keycloak:blue"), DENIED),
    "one task": (
        "W9047",
        stock("26.2.5"),
        group("TargetGroupAttributes: ~"),
        "Service:\n  Properties: {DesiredCount: 1}\n",
    ),
    "stickiness by a parameter": (
        "W9047",
        stock("26.2.5"),
        group("TargetGroupAttributes:", "  - {Key: stickiness.enabled, Value: !ImportValue sticky}"),
    ),
    "stickiness not switched on": (
        "E9048",
        group(
            "TargetGroupAttributes:",
            '  - {Key: stickiness.enabled, Value: "false"}',
            "  - {Key: stickiness.type, Value: app_cookie}",
        ),
    ),
    "a prefix built into one's own image": ("E9050", group("HealthCheckPath: /auth/health/ready")),
    "/ before it led to the console": (
        "E9050",
        stock("23.0.7"),
        group("HealthCheckPort: traffic-port", "HealthCheckPath: /"),
    ),
    "/ of an unknown version": (
        "E9050",
        stock("latest"),
        group("HealthCheckPort: traffic-port", "HealthCheckPath: /"),
    ),
    "/ that takes a redirect": (
        "E9050",
        stock("26.7.4"),
        group("HealthCheckPort: traffic-port", "HealthCheckPath: /", 'Matcher: {HttpCode: "200-399"}'),
    ),
    "a path from another stack": ("E9050", group("HealthCheckPath: !ImportValue path")),
    "ready behind a prefix": (
        "W9050",
        container(*environment("KC_HTTP_RELATIVE_PATH=/auth")),
        group("HealthCheckPath: /auth/health/ready"),
    ),
    "health built into one's own image": ("E9051", container("Command: [start, --optimized]")),
    "metrics built into one's own image": ("W9051", container(*environment("KC_HEALTH_ENABLED=true"))),
    "a check of another page, health off": (
        "E9051",
        container(STOCK.format(version="26.7.4"), "Command: [start]", "HealthCheck: ~"),
        group("HealthCheckPath: /realms/master"),
    ),
    "plain HTTP before 25": (
        "E9053",
        stock("24.0.5", "KC_HTTPS_KEY_STORE_FILE=/tls.p12"),
        group("HealthCheckPort: traffic-port"),
    ),
    "a scheme that isn't known": (
        "E9053",
        container(
            "Environment:",
            "  - {Name: KC_HTTPS_KEY_STORE_FILE, Value: /tls.p12}",
            "  - {Name: KC_HTTP_MANAGEMENT_SCHEME, Value: !ImportValue scheme}",
        ),
    ),
    "groups of another stack": (
        "E9052",
        "Service:\n  Properties:\n    NetworkConfiguration:\n      AwsvpcConfiguration:\n"
        "        SecurityGroups: [!ImportValue tasks]\n",
        "TaskInHttp: ~\n",
    ),
    "one realm is enough": (
        "E9055",
        rule("PublicRule", 20, f"[{on_paths('/realms/company/*', '/resources/*')}]", FORWARD),
    ),
    "everything": ("E9055", rule("PublicRule", 20, f"[{on_paths('/*')}]", FORWARD)),
    "everything below a prefix": ("E9055", rule("PublicRule", 20, f"[{on_paths('/auth/*')}]", FORWARD)),
    "paths by regular expressions": (
        "E9055",
        rule(
            "PublicRule",
            20,
            "[{Field: path-pattern, PathPatternConfig: {RegexValues: ['^/realms/.*']}}]",
            FORWARD,
        ),
    ),
    "rules in a listener of another stack": (
        "E9055",
        "PublicRule:\n  Properties: {ListenerArn: !ImportValue listener}\n",
    ),
    "resources from a CDN": (
        "E9055",
        rule("PublicRule", 20, f"[{on_paths('/realms/*')}]", FORWARD),
        "Cdn:\n  Type: AWS::CloudFront::Distribution\n  Properties: {}\n",
    ),
    "a rewriting rule": (
        "E9056",
        container(*environment("KC_HTTP_RELATIVE_PATH=/auth")),
        rule("AdminRule", 10, f"[{on_paths('/auth/admin/*')}]", FORWARD),
        rule("PublicRule", 20, f"[{on_paths('/realms/*')}]", FORWARD).replace(
            "    Priority",
            "    Transforms: [{Type: url-rewrite, UrlRewriteConfig: {Rewrites: "
            "[{Regex: ^/(.*)$, Replace: /auth/$1}]}}]\n    Priority",
        ),
    ),
    "an own image may have /auth": (
        "E9056",
        rule("PublicRule", 20, f"[{on_paths('/auth/realms/*')}]", FORWARD),
    ),
    "metadata below a prefix": (
        "W9055",
        stock("26.7.4", "KC_HTTP_RELATIVE_PATH=/auth"),
        rule("PublicRule", 20, f"[{on_paths('/auth/realms/*', '/auth/resources/*')}]", FORWARD),
    ),
    "an admin host on this machine": (
        "W9142",
        container(*environment("KC_HOSTNAME_ADMIN=http://localhost:8080")),
    ),
    "rules without hosts": (
        "W9142",
        container(*environment("KC_HOSTNAME_ADMIN=https://admin.example.com")),
        rule("AdminRule", 10, f"[{{Field: host-header, HostHeaderConfig: ~}}, {on_paths('/admin/*')}]", FORWARD),
    ),
    "a wildcard certificate": (
        "E9057",
        "Certificate:\n  Type: AWS::CertificateManager::Certificate\n"
        '  Properties: {DomainName: "*.example.com"}\n',
        "HttpsListener:\n  Properties:\n    Certificates: [{CertificateArn: !Ref Certificate}]\n",
    ),
    "a second certificate from elsewhere": (
        "E9057",
        "Certificate:\n  Type: AWS::CertificateManager::Certificate\n"
        "  Properties: {DomainName: other.example.com}\n"
        "More:\n  Type: AWS::ElasticLoadBalancingV2::ListenerCertificate\n"
        "  Properties: {ListenerArn: !Ref HttpsListener, Certificates: [{CertificateArn: !ImportValue more}]}\n",
        "HttpsListener:\n  Properties:\n    Certificates: [{CertificateArn: !Ref Certificate}]\n",
    ),
    "another host": (
        "E9058",
        rule(
            "Closed",
            30,
            "[{Field: host-header, HostHeaderConfig: {Values: [other.example.com]}}, "
            f"{on_paths('/realms/master/*')}]",
            REFUSE,
        ),
    ),
    "a priority that isn't known": (
        "E9058",
        rule("Closed", 30, f"[{HOST}, {on_paths('/realms/master/*')}]", REFUSE).replace(
            "Priority: 30", "Priority: !ImportValue priority"
        ),
    ),
    "a rule that may not be there": (
        "W9058",
        rule("Wide", 5, f"[{on_paths('/*')}]", FORWARD).replace(
            "  Properties:", "  Condition: Maybe\n  Properties:"
        ),
    ),
    "no proxy headers": (
        "E9059",
        container("Environment:", "  - {Name: KC_PROXY_HEADERS, Value: ~}"),
        "LoadBalancer:\n  Properties:\n    LoadBalancerAttributes:\n"
        "      - {Key: routing.http.xff_header_processing.mode, Value: remove}\n",
    ),
    "preserve where one proxy connects": (
        "E9059",
        "LoadBalancer:\n  Properties:\n    LoadBalancerAttributes:\n"
        "      - {Key: routing.http.xff_header_processing.mode, Value: preserve}\n"
        "LoadBalancerSecurityGroup:\n  Properties:\n    SecurityGroupIngress:\n"
        "      - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 192.0.2.0/24}\n",
    ),
    "a policy of another stack": (
        "W9060",
        "HttpsListener:\n  Properties:\n    SslPolicy: !ImportValue policy\n",
    ),
    "a provider of one's own": (
        "E9061",
        container(*environment("KC_SPI_X509CERT_LOOKUP__PROVIDER=aws-alb")),
        "HttpsListener:\n  Properties:\n    MutualAuthentication: {Mode: verify}\n",
    ),
    "two dashes before 26.3, which are nothing": (
        "E9061",
        stock("26.0.8", "KC_SPI_X509CERT_LOOKUP__PROVIDER=nginx"),
        "HttpsListener:\n  Properties:\n    MutualAuthentication: {Mode: verify}\n",
    ),
    "mutual TLS off": (
        "E9061",
        container(*environment("KC_SPI_X509CERT_LOOKUP__PROVIDER=nginx")),
        'HttpsListener:\n  Properties:\n    MutualAuthentication: {Mode: "off"}\n',
    ),
    "an underscore that the balancer drops": (
        "E9145",
        container(
            *environment(
                "KC_SPI_X509CERT_LOOKUP__PROVIDER=nginx",
                "KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT=SSL_CLIENT_CERT",
            )
        ),
    ),
    "a header that the balancer sets": (
        "E9145",
        container(
            *environment(
                "KC_SPI_X509CERT_LOOKUP__PROVIDER=nginx",
                "KC_SPI_X509CERT_LOOKUP__NGINX__SSL_CLIENT_CERT=X-Amzn-Mtls-Clientcert-Leaf",
            )
        ),
    ),
    "times of one's own image": ("E9062", container("StopTimeout: 5")),
    "before there was a delay": (
        "E9062", container(STOCK.format(version="26.5.5"), "StopTimeout: 2")),
    "rules that only count": (
        "W9097",
        undent(
            ACL
            % """OverrideAction: {Count: {}}
            Statement:
              ManagedRuleGroupStatement: {VendorName: AWS, Name: AWSManagedRulesCommonRuleSet}"""
        ),
    ),
    "rules for some requests": (
        "W9097",
        undent(
            ACL
            % """OverrideAction: {None: {}}
            Statement:
              ManagedRuleGroupStatement:
                VendorName: AWS
                Name: AWSManagedRulesCommonRuleSet
                ScopeDownStatement: {GeoMatchStatement: {CountryCodes: [DE]}}"""
        ),
    ),
    "an ACL on another balancer": (
        "W9097",
        undent(
            ACL
            % """OverrideAction: {None: {}}
            Statement:
              ManagedRuleGroupStatement: {VendorName: AWS, Name: AWSManagedRulesCommonRuleSet}"""
        ).replace("!Ref LoadBalancer", "!Ref OtherBalancer"),
        "OtherBalancer:\n  Type: AWS::ElasticLoadBalancingV2::LoadBalancer\n  Properties: {}\n",
    ),
    "a port built into one's own image": (
        "E9146",
        "Service:\n  Properties:\n    LoadBalancers:\n"
        "      - {ContainerName: keycloak, ContainerPort: 80, TargetGroupArn: !Ref TargetGroup}\n",
    ),
    "a port of the user's": (
        "E9146",
        container(*environment("KC_HTTP_PORT=80")),
        "Service:\n  Properties:\n    LoadBalancers:\n"
        "      - {ContainerName: keycloak, ContainerPort: 80, TargetGroupArn: !Ref TargetGroup}\n",
    ),
    "a network balancer's clients": (
        "W9149",
        "TaskInHttp:\n  Properties:\n    SourceSecurityGroupId: ~\n    CidrIp: 0.0.0.0/0\n",
        group("Protocol: TCP"),
    ),
    "a network of the VPC": (
        "W9149",
        "TaskInHttp:\n  Properties:\n    SourceSecurityGroupId: ~\n    CidrIp: 10.0.0.0/16\n",
    ),
    "an internal balancer forwards everything": (
        "W9140",
        "LoadBalancer:\n  Properties: {Scheme: internal}\n"
        "HttpsListener:\n  Properties:\n    DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]\n",
        rule("AdminRule", 10, f"[{on_paths('/admin/*')}]", REFUSE),
    ),
    "an internal balancer's console": (
        "W9057",
        "LoadBalancer:\n  Properties: {Scheme: internal, SecurityGroups: [sg-0a1b2c3d4e5f67890]}\n",
        rule("AdminRule", 10, f"[{on_paths('/admin/*')}]", FORWARD),
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_only_looks_like_a_fault_is_left_alone(name):
    """Unknown values, other versions, images of one's own and things that are elsewhere give no finding."""
    asked, *examples = SILENT[name]
    assert said(asked, *examples) == []


MINE = [
    one
    for one in pack.all_rules()
    if one.id[1:]
    in {
        "9047",
        "9048",
        "9050",
        "9051",
        "9052",
        "9053",
        "9055",
        "9056",
        "9057",
        "9058",
        "9059",
        "9060",
        "9061",
        "9062",
        "9063",
        "9097",
    }
    or one.id[1:3] == "91"
    and 40 <= int(one.id[3:]) <= 59
]


def test_rules_of_this_area_are_silent_about_other_software():
    """The same balancer with the same faults in front of something that isn't Keycloak is nobody's business here."""
    template = copy.deepcopy(good())
    resources = template["Resources"]
    resources["TaskDefinition"]["Properties"]["ContainerDefinitions"] = [
        {"Name": "keycloak", "Image": "nginx:1.27", "PortMappings": [{"ContainerPort": 8080}]}
    ]
    resources["LoadBalancer"]["Properties"].pop("LoadBalancerAttributes")
    resources["TargetGroup"]["Properties"].pop("TargetGroupAttributes")
    resources["HttpsListener"]["Properties"].pop("SslPolicy")
    resources["HttpsListener"]["Properties"]["DefaultActions"] = [
        {"Type": "forward", "TargetGroupArn": {"Ref": "TargetGroup"}}
    ]
    assert MINE and [one for rule in MINE for one in rule.findings(viewed(template))] == []


def admin_rule(host: str, path: str, sources: str) -> str:
    conditions = "[" + ", ".join(filter(None, (
        host and f"{{Field: host-header, HostHeaderConfig: {{Values: [{host}]}}}}",
        on_paths(path),
        sources and f"{{Field: source-ip, SourceIpConfig: {{Values: [{sources}]}}}}",
    ))) + "]"
    return rule("OpenRule", 15, conditions, FORWARD)


@pytest.mark.parametrize(
    ("host", "path", "sources", "version", "expected"),
    [
        ("admin.example.com", "/admin/*", "0.0.0.0/0", "26.7.4", (0, 1)),
        ("admin.example.com", "/*", "203.0.113.0/24, 0.0.0.0/0", "26.7.4", (0, 1)),
        ("admin.example.com", "/admin/*", "", "26.7.4", (1, 0)),
        ("sso.example.com", "/admin/*", "0.0.0.0/0", "26.7.4", (1, 0)),
        ("'*.example.com'", "/admin/*", "0.0.0.0/0", "26.7.4", (1, 0)),
        ("", "/admin/*", "0.0.0.0/0", "26.7.4", (1, 0)),
        ("admin.example.com", "/*", "0.0.0.0/0", "24.0.5", (1, 0)),
        ("admin.example.com", "/admin/*", "203.0.113.0/24", "26.7.4", (0, 0)),
    ],
)
def test_who_opens_the_admin_host_in_so_many_words_is_warned(host, path, sources, version, expected):
    """An admin host of its own that a rule opens to 0.0.0.0/0 is a warning; the public host, a rule that names
    no sources, and metrics stay an error; named networks are nothing."""
    excerpt = admin_rule(host, path, sources)
    assert tuple(len(said(name, excerpt, version=version)) for name in ("E9054", "W9054")) == expected


def test_a_forged_address_is_refused_by_a_rule():
    """The rule that refuses X-Forwarded-For is looked for by its header; without Keycloak's reading it nobody
    needs one."""
    other = "{Field: http-header, HttpHeaderConfig: {HttpHeaderName: Forwarded, Values: ['*']}}"
    wrong = undent(f"""
        ClientForwardedFor:
          Properties:
            Conditions: [{other}]
    """)
    gone = "ClientForwardedFor: ~\n"
    assert said("W9152", gone) and said("W9152", wrong)
    assert not said("W9152", gone, container(*environment("KC_PROXY_HEADERS=forwarded")))
    assert not said("W9152", gone, "LoadBalancer:\n  Properties: {Scheme: internal}\n")


def test_a_template_with_a_macro_may_get_more_rules():
    """What a macro adds isn't known: no rule says that a path or a host is missing."""
    template = laid(
        "PublicRule: ~\n" + container(*environment("KC_HOSTNAME_ADMIN=https://admin.example.com"))
    )
    template["Transform"] = ["MyMacro"]
    view = viewed(template)
    for name in ("E9055", "W9055", "E9057", "W9142"):
        found = pack.rule(name)
        assert found is not None and list(found.findings(view)) == []


def test_a_default_of_a_parameter_counts():
    """A parameter's default is what is deployed: a prefix that comes from one is known."""
    template = laid(container("Environment:", "  - {Name: KC_HTTP_RELATIVE_PATH, Value: !Ref Prefix}"))
    template["Parameters"] = {"Prefix": {"Type": "String", "Default": "/auth"}}
    found = pack.rule("E9056")
    assert found is not None and len(list(found.findings(viewed(template)))) == 2
    del template["Parameters"]["Prefix"]["Default"]
    assert list(found.findings(viewed(template))) == []


def test_a_branch_is_where_the_value_stands():
    """Behind Fn::If the finding stands at the branch that holds."""
    text = undent("""
        AWSTemplateFormatVersion: "2010-09-09"
        Conditions: {Old: !Equals [a, a]}
        Resources:
          Group:
            Type: AWS::ElasticLoadBalancingV2::TargetGroup
            Properties:
              Protocol: HTTP
              HealthCheckPort: "9000"
              HealthCheckPath: !If
                - Old
                - /health/live
                - /health/ready
          Task:
            Type: AWS::ECS::TaskDefinition
            Properties:
              ContainerDefinitions: [{Name: kc, Image: "quay.io/keycloak/keycloak:26.7.4"}]
          Service:
            Type: AWS::ECS::Service
            Properties:
              TaskDefinition: !Ref Task
              LoadBalancers: [{ContainerName: kc, ContainerPort: 8080, TargetGroupArn: !Ref Group}]
    """)
    found = pack.rule("W9050")
    assert found is not None
    (finding,) = found.findings(View(parse(text)))
    assert finding.line == text.splitlines().index("        - /health/live") + 1


@pytest.mark.parametrize(
    ("wide", "pattern", "covers"),
    [
        ("/realms/*", "/realms/master/*", True),
        ("/realms/*", "/realms", False),
        ("/realms/?", "/realms/*", False),
        ("/realms/?", "/realms/?", True),
        ("*", "/a?b*", True),
        ("/realms/*/x", "/realms/*", False),
        ("/REALMS/*", "/realms/x", False),
    ],
)
def test_one_pattern_takes_all_of_another(wide, pattern, covers):
    """A rule is only called useless if an earlier pattern takes everything that its own can take."""
    assert _wider(wide, pattern, True) is covers
