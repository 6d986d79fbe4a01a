"""W9097: a web ACL that takes OAuth for an attack."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import blocked_by, web_acls
from generator.linting.view import Keycloak

_GROUP = "AWSManagedRulesCommonRuleSet"
_RULES = (
    "EC2MetaDataSSRF_BODY",
    "EC2MetaDataSSRF_QUERYARGUMENTS",
    "GenericRFI_BODY",
    "GenericRFI_QUERYARGUMENTS",
    "SizeRestrictions_BODY",
    "SizeRestrictions_QUERYSTRING",
)


class WafAndOauth(KeycloakRule):
    """The web ACL blocks ordinary logins, which it takes for attacks.

    The common rule set of AWS sees a remote file inclusion in every `redirect_uri` (`://` in a query), a
    request forgery in a client on localhost, and an attack in a SAML response of more than 8 KB or a query of
    more than 2 KB. Some applications log in, others get 403 from the balancer, and nothing of it is in
    Keycloak's log. Let these rules count, and leave the others as they are.

    Bad:

        WebAcl:
          Type: AWS::WAFv2::WebACL
          Properties:
            Scope: REGIONAL
            DefaultAction: {Allow: {}}
            VisibilityConfig: {MetricName: acl, CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true}
            Rules:
              - Name: CommonRules
                Priority: 1
                OverrideAction: {None: {}}
                VisibilityConfig: {MetricName: common, CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true}
                Statement:
                  ManagedRuleGroupStatement: {VendorName: AWS, Name: AWSManagedRulesCommonRuleSet}
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
              - Name: CommonRules
                Priority: 1
                OverrideAction: {None: {}}
                VisibilityConfig: {MetricName: common, CloudWatchMetricsEnabled: true, SampledRequestsEnabled: true}
                Statement:
                  ManagedRuleGroupStatement:
                    VendorName: AWS
                    Name: AWSManagedRulesCommonRuleSet
                    RuleActionOverrides:
                      - {Name: EC2MetaDataSSRF_BODY, ActionToUse: {Count: {}}}
                      - {Name: EC2MetaDataSSRF_QUERYARGUMENTS, ActionToUse: {Count: {}}}
                      - {Name: GenericRFI_BODY, ActionToUse: {Count: {}}}
                      - {Name: GenericRFI_QUERYARGUMENTS, ActionToUse: {Count: {}}}
                      - {Name: SizeRestrictions_BODY, ActionToUse: {Count: {}}}
                      - {Name: SizeRestrictions_QUERYSTRING, ActionToUse: {Count: {}}}
        WebAclOnBalancer:
          Type: AWS::WAFv2::WebACLAssociation
          Properties: {ResourceArn: !Ref LoadBalancer, WebACLArn: !GetAtt WebAcl.Arn}
    """

    id = "W9097"
    shortdesc = "The web ACL doesn't take logins for attacks"
    source_url = "https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        for balancer in keycloak.load_balancers:
            for acl in web_acls(keycloak.view, balancer) or ():
                found = blocked_by(acl, _GROUP, _RULES)
                if found is not None and found[1]:
                    statement, names = found
                    yield Hit.at(
                        statement["Name"],
                        f"applications get 403 instead of a login: {', '.join(names)} block redirect_uri, clients on "
                        "localhost or SAML responses",
                        f"add {{Name: {names[0]}, ActionToUse: {{Count: {{}}}}}} to RuleActionOverrides, and the same "
                        "for the others",
                    )
