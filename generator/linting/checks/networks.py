"""VPCs and subnets."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from generator.linting.checks.base import text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View


class NetworkSize(Rule):
    """A VPC and a subnet have 16 to 65,536 addresses: a prefix length from 16 to 28."""

    id = "E9555"
    shortdesc = "Networks are of a size that a VPC and a subnet can have"
    source_url = "https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"

    def hits(self, view: View) -> Iterator[Hit]:
        for resource in view.document.of_type("AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::VPCCidrBlock"):
            block = text(resource.properties.get("CidrBlock"))
            try:
                network = ipaddress.IPv4Network(block or "", strict=False)
            except ValueError:  # cfn-lint says so
                continue
            if not 16 <= network.prefixlen <= 28:
                path = (*resource.path, "Properties", "CidrBlock")
                yield Hit(path, f"{block}: AWS takes prefix lengths from /16 to /28")
