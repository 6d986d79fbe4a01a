"""W9157: a web ACL that takes applications for bots."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import blocked_by, web_acls
from generator.linting.view import Keycloak

_GROUP = "AWSManagedRulesBotControlRuleSet"
_RULES = ("CategoryHttpLibrary", "SignalNonBrowserUserAgent")


class BotControl(KeycloakRule):
    """The web ACL blocks applications that fetch tokens, because they are no browsers.

    Bot Control blocks clients that call themselves an HTTP library, and those whose user agent isn't a
    browser's. That is what every application does that exchanges a code, refreshes a token, fetches the
    realm's keys or logs in with a client secret: its server calls Keycloak with the HTTP library of its
    language. Users type their password, and then the application says that the login failed.

    Bad:

        WebAcl:
          Type: AWS::WAFv2::WebACL
          Properties:
            Scope: REGIONAL
            DefaultAction: {Allow: {}}
            VisibilityConfig: {MetricName: acl, CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true}
            Rules:
              - Name: Bots
                Priority: 1
                OverrideAction: {None: {}}
                VisibilityConfig: {MetricName: bots, CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true}
                Statement:
                  ManagedRuleGroupStatement: {VendorName: AWS, Name: AWSManagedRulesBotControlRuleSet}
        WebAclOnBalancer:
          Type: AWS::WAFv2::WebACLAssociation
          Properties: {ResourceArn: !Ref LoadBalancer, WebACLArn: !GetAtt WebAcl.Arn}

    Good:

        WebAcl:
          Type: AWS::WAFv2::WebACL
          Properties:
            Scope: REGIONAL
            DefaultAction: {Allow: {}}
            VisibilityConfig: {MetricName: acl, CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true}
            Rules:
              - Name: Bots
                Priority: 1
                OverrideAction: {None: {}}
                VisibilityConfig: {MetricName: bots, CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true}
                Statement:
                  ManagedRuleGroupStatement:
                    VendorName: AWS
                    Name: AWSManagedRulesBotControlRuleSet
                    RuleActionOverrides:
                      - {Name: CategoryHttpLibrary, ActionToUse: {Count: {}}}
                      - {Name: SignalNonBrowserUserAgent, ActionToUse: {Count: {}}}
        WebAclOnBalancer:
          Type: AWS::WAFv2::WebACLAssociation
          Properties: {ResourceArn: !Ref LoadBalancer, WebACLArn: !GetAtt WebAcl.Arn}
    """

    id = "W9157"
    shortdesc = "The web ACL doesn't take applications for bots"
    source_url = "https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-bot.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for balancer in keycloak.load_balancers:
            for acl in web_acls(keycloak.view, balancer) or ():
                found = blocked_by(acl, _GROUP, _RULES)
                if found is not None and found[1]:
                    statement, names = found
                    yield Hit.at(
                        statement["Name"],
                        f"logins end with an error of the application: {' and '.join(names)} block its server, which "
                        "fetches tokens and keys with an HTTP library",
                        f"add {{Name: {names[0]}, ActionToUse: {{Count: {{}}}}}} to RuleActionOverrides, or a "
                        "ScopeDownStatement without the token endpoint",
                    )
