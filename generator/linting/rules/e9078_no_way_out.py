"""E9078: the tasks' way to AWS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from generator.document import Resource
from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._secrets import address
from generator.linting.view import Keycloak
from generator.linting.view.services import Service

_TABLE = "AWS::EC2::RouteTable"
_GATEWAY = "AWS::EC2::InternetGateway"
_PEERS = ("NatGatewayId", "TransitGatewayId", "NetworkInterfaceId", "InstanceId", "VpcPeeringConnectionId",
          "VpcEndpointId", "CarrierGatewayId", "LocalGatewayId", "CoreNetworkArn",
          "EgressOnlyInternetGatewayId")
# What adds routes that the template doesn't show.
_ELSEWHERE = ("AWS::EC2::VPNGatewayRoutePropagation", "AWS::EC2::GatewayRouteTableAssociation")


class Way(NamedTuple):
    """How a subnet gets out."""

    peer: bool = False
    """By a NAT gateway or anything else that needs no public address."""
    internet: bool = False
    """By the internet gateway, which takes a public address."""


class NoWayOut(KeycloakRule):
    """The tasks' subnets have no way to the image, the secrets or the log.

    ECS pulls the image, fetches the secrets and opens the log over the task's own network interface. In a
    subnet without a NAT gateway and without endpoints, or behind an internet gateway without a public
    address, none of that arrives: the task stays in PROVISIONING for minutes and stops with
    "ResourceInitializationError: unable to pull secrets or registry auth" or "CannotPullContainerError ...
    i/o timeout".

    Without any way to the internet the image has to come from ECR, and the VPC needs endpoints for `ecr.api`,
    `ecr.dkr`, `s3`, `logs` and `secretsmanager` (or `ssm`).

    The rule speaks where the template holds the VPC with all its routes.

    Bad:

        PrivateRoute: ~

    Bad (a public subnet, and no public address):

        Service:
          Properties:
            NetworkConfiguration:
              AwsvpcConfiguration:
                AssignPublicIp: DISABLED
                Subnets: [!Ref PublicSubnetA, !Ref PublicSubnetB]

    Bad (security groups that let nothing out at port 443):

        TaskSecurityGroup:
          Properties:
            SecurityGroupEgress: [{IpProtocol: tcp, FromPort: 5432, ToPort: 5432, CidrIp: 10.0.0.0/16}]

    Good:

        PrivateRoute:
          Type: AWS::EC2::Route
          Properties:
            RouteTableId: !Ref PrivateRouteTable
            DestinationCidrBlock: 0.0.0.0/0
            NatGatewayId: !Ref NatGateway
    """

    id = "E9078"
    shortdesc = "Tasks have a way to their image, secrets and log"
    source_url = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-networking.html"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        view = keycloak.view
        if not view.whole or view.resolver.resources(*_ELSEWHERE):
            return
        for service in keycloak.services:
            yield from _closed(keycloak, service)
            network = service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
            address_place = network["AssignPublicIp"]
            public = address_place.text == "ENABLED" if address_place else False
            if address_place and address_place.text is None:
                continue
            for subnet in service.subnet_resources or ():
                hit = self._subnet(keycloak, service, subnet, public)
                if hit is not None:
                    yield hit
                    break

    def _subnet(self, keycloak: Keycloak, service: Service, subnet: Resource, public: bool) -> Hit | None:
        way = _way(keycloak, subnet)
        if way is None or way.peer or way.internet and public:
            return None
        network = service.properties["NetworkConfiguration"]["AwsvpcConfiguration"]
        name = subnet.logical_id
        missing = _missing(keycloak, subnet)
        if not missing:
            return None
        what = ", ".join(missing)
        if way.internet:
            return Hit.at(
                network,
                f"no task starts: {name} leads to the internet gateway, tasks have no public address, and "
                f"they need {what}",
                "run them in subnets with a NAT gateway, or write AssignPublicIp: ENABLED",
            )
        return Hit.at(
            network["Subnets"],
            f"no task starts: {name} has neither a route to the outside nor endpoints for {what}",
            "add a route to a NAT gateway (DestinationCidrBlock: 0.0.0.0/0), or the VPC endpoints",
        )


def _closed(keycloak: Keycloak, service: Service) -> Iterator[Hit]:
    """Security groups that let tasks on Fargate, which fetch all by themselves, talk HTTPS to nobody."""
    firewall, groups = keycloak.view.firewall, service.party.groups
    if service.fargate is not True or groups is None or not all(one in firewall.owned for one in groups):
        return
    ways = [one for group in groups for one in firewall.of(group, "egress") if one.fits(443) is not False]
    # Loopback is the way to say "nothing".
    if all(one.network is not None and one.network.is_loopback for one in ways):
        yield Hit.at(
            service.groups_place,
            f"no task starts: {' and '.join(groups)} let{'s' if len(groups) == 1 else ''} nothing out at port 443, where "
            "ECS fetches image and secrets and writes the log",
            "add an egress rule for tcp 443 to 0.0.0.0/0, or to the security group of the VPC endpoints",
        )


def _way(keycloak: Keycloak, subnet: Resource) -> Way | None:
    """How a subnet gets out; None where that can't be told."""
    resolver = keycloak.view.resolver
    if resolver.properties(subnet)["VpcId"].resource("AWS::EC2::VPC") is None:
        return None
    tables: list[Resource] = []
    for one in resolver.resources("AWS::EC2::SubnetRouteTableAssociation"):
        properties = resolver.properties(one)
        named = properties["SubnetId"].resource("AWS::EC2::Subnet")
        table = properties["RouteTableId"].resource(_TABLE)
        if named is None or named is subnet and table is None:
            return None
        if named is subnet and table is not None:
            tables.append(table)
    peer = internet = False
    for one in resolver.resources("AWS::EC2::Route"):
        properties = resolver.properties(one)
        table = properties["RouteTableId"].resource(_TABLE)
        if table is None or resolver.exists(one.logical_id) is not True:
            return None
        if table not in tables:
            continue
        target = properties["GatewayId"]
        if properties["DestinationCidrBlock"].text not in ("0.0.0.0/0", None):
            continue
        if properties["DestinationCidrBlock"].text is None or any(properties[key] for key in _PEERS):
            # IPv6, a prefix list, or a destination that isn't known may be all that is needed.
            peer = True
        elif target.resource(_GATEWAY) is not None:
            internet = True
        else:
            return None
    return Way(peer, internet)


def _missing(keycloak: Keycloak, subnet: Resource) -> list[str]:
    """What the task needs and no endpoint gives; nothing where an endpoint isn't known."""
    resolver = keycloak.view.resolver
    there = set()
    for one in resolver.resources("AWS::EC2::VPCEndpoint"):
        name = str(resolver.properties(one)["ServiceName"].value)
        if "amazonaws." not in name:
            return []
        # com.amazonaws.${AWS::Region}.ecr.api
        there.add(name.rpartition("}.")[2] if "}." in name else ".".join(name.split(".")[3:]))
        there.add(".".join(name.split(".")[4:]))
    needed = []
    repository = keycloak.image.repository
    if ".dkr.ecr." in repository:
        needed += ["ecr.api", "ecr.dkr", "s3"]
    elif repository and "${" not in repository:
        needed.append("the internet (the image is not in ECR)")
    if keycloak.container["LogConfiguration"]["LogDriver"].text == "awslogs":
        needed.append("logs")
    if any(one.secret and address(one.place) is not None for one in keycloak.options.settings):
        needed.append("secretsmanager")
    return [one for one in needed if one not in there]
