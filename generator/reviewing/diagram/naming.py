"""What resources are called in a picture: their group, and their type in words."""

from __future__ import annotations

import re

GROUPS = ("Load balancing", "Tasks", "Data", "Watching", "Network", "Permissions", "Other")
"""What is drawn beside the way of a request, in this order."""

_SERVICES = {
    "Load balancing": "ElasticLoadBalancing ElasticLoadBalancingV2 WAFv2 WAFRegional CertificateManager "
    "ACMPCA Route53 CloudFront GlobalAccelerator ApiGateway ApiGatewayV2",
    "Tasks": "ECS ECR ApplicationAutoScaling AutoScaling ServiceDiscovery Lambda AppMesh Batch EKS",
    "Data": "RDS SecretsManager SSM KMS EFS S3 DynamoDB ElastiCache Backup",
    "Watching": "CloudWatch Logs SNS SQS Events CloudTrail XRay Synthetics",
    "Network": "EC2 NetworkFirewall Route53Resolver VpcLattice",
    "Permissions": "IAM",
}
_GROUP = {service: group for group, services in _SERVICES.items() for service in services.split()}
_WORD = re.compile(r"[A-Z]{2,}s?(?=[A-Z][a-z]|[0-9]|$)|[A-Z]?[a-z0-9]+|[A-Z0-9]+|[^A-Za-z0-9]+")
_CALLED = {
    "AWS::EC2::EIP": "public address",
    "AWS::EC2::SecurityGroupEgress": "permission outwards",
    "AWS::EC2::SecurityGroupIngress": "permission inwards",
    "AWS::EC2::SubnetRouteTableAssociation": "subnet association",
    "AWS::EC2::VPCGatewayAttachment": "gateway attachment",
    "AWS::Route53::RecordSet": "DNS record",
    "AWS::Route53::RecordSetGroup": "group of DNS records",
}
_SHORT = {"acl": "ACL", "db": "DB", "dns": "DNS", "http": "HTTP", "nat": "NAT", "ssm": "SSM"}


def group(type_: str) -> str:
    """The group of a resource type."""
    parts = type_.split("::")
    return _GROUP.get(parts[1] if len(parts) > 2 else "", "Other")


def words(type_: str, count: int = 1) -> str:
    """`AWS::EC2::RouteTable` as `route table`, or `3 route tables`."""
    text = _CALLED.get(type_) or _said(type_.rpartition("::")[2] or "resource")
    if count == 1:
        return text
    first, further, rest = re.fullmatch(r"(.*?)( inwards| outwards| of |$)(.*)", text, re.DOTALL).groups()
    return f"{count} {_several(first)}{further}{rest}"


def _said(name: str) -> str:
    if not re.fullmatch("[A-Za-z0-9]+", name):
        return name
    said = [word if word.isupper() and len(word) > 1 else word.lower() for word in _WORD.findall(name)]
    return " ".join(_SHORT.get(word.lower(), word) for word in said)


def _several(text: str) -> str:
    if re.search("[^aeiou]y$", text):
        return f"{text[:-1]}ies"
    return text + ("es" if re.search("(s|x|ch|sh)$", text) else "s")
