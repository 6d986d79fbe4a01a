"""E9183: a way to Keycloak around the proxy that keeps forged certificates out."""

from __future__ import annotations

from collections.abc import Iterator

from generator.linting.rule import Hit, KeycloakRule
from generator.linting.rules._balancer import lookup_provider
from generator.linting.view import Keycloak
from generator.linting.view.image import read


class AroundTheProxy(KeycloakRule):
    """Keycloak believes a certificate header, and there is a way to it around the proxy that writes it.

    Keycloak looks for the header on every request, wherever it comes from. A proxy in the task that deletes what
    clients sent helps only if nothing else reaches Keycloak: no other target group, and nobody whom the
    security group lets in at Keycloak's own port. Whoever takes the other way sends the header themselves, with
    the public certificate of somebody else, and is logged in as them.

    Bad (a second target group):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: haproxy}
                  - {Name: KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT, Value: ssl-client-cert}
              - Name: proxy
                Image: public.ecr.aws/docker/library/haproxy:3.0
                Essential: true
                PortMappings: [{ContainerPort: 8082}]
        Service:
          Properties:
            LoadBalancers:
              - {ContainerName: keycloak, ContainerPort: 8080, TargetGroupArn: !Ref TargetGroup}
              - {ContainerName: proxy, ContainerPort: 8082, TargetGroupArn: !Ref MutualTlsTargetGroup}
        MutualTlsTargetGroup:
          Type: AWS::ElasticLoadBalancingV2::TargetGroup
          Properties: {Port: 8082, Protocol: HTTP, TargetType: ip, VpcId: !Ref Vpc}

    Bad (a port that others reach):

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: haproxy}
                  - {Name: KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT, Value: ssl-client-cert}
              - Name: proxy
                Image: public.ecr.aws/docker/library/haproxy:3.0
                Essential: true
                PortMappings: [{ContainerPort: 8081}]
        TaskInMonitoring:
          Type: AWS::EC2::SecurityGroupIngress
          Properties:
            {GroupId: !GetAtt TaskSecurityGroup.GroupId, IpProtocol: tcp, FromPort: 8080, ToPort: 8080, CidrIp: 10.0.0.0/16}
        Service:
          Properties:
            LoadBalancers: [{ContainerName: proxy, ContainerPort: 8081, TargetGroupArn: !Ref TargetGroup}]

    Good:

        TaskDefinition:
          Properties:
            ContainerDefinitions:
              - Name: keycloak
                Environment:
                  - {Name: KC_HTTP_HOST, Value: 127.0.0.1}
                  - {Name: KC_SPI_X509CERT_LOOKUP__PROVIDER, Value: haproxy}
                  - {Name: KC_SPI_X509CERT_LOOKUP__HAPROXY__SSL_CLIENT_CERT, Value: ssl-client-cert}
              - Name: proxy
                Image: public.ecr.aws/docker/library/haproxy:3.0
                Essential: true
                PortMappings: [{ContainerPort: 8081}]
        TaskInMonitoring:
          Type: AWS::EC2::SecurityGroupIngress
          Properties:
            {GroupId: !GetAtt TaskSecurityGroup.GroupId, IpProtocol: tcp, FromPort: 8080, ToPort: 8080, CidrIp: 10.0.0.0/16}
        Service:
          Properties:
            LoadBalancers: [{ContainerName: proxy, ContainerPort: 8081, TargetGroupArn: !Ref TargetGroup}]
    """

    id = "E9183"
    shortdesc = "Nothing reaches Keycloak around the proxy that writes the certificate header"
    source_url = "https://www.keycloak.org/server/reverseproxy"

    def judge(self, keycloak: Keycloak) -> Iterator[Hit]:
        found = lookup_provider(keycloak)
        if found is None or keycloak.loopback:
            return
        name, told = found
        proxies = {
            one["Name"].text
            for one in keycloak.task_properties["ContainerDefinitions"]
            if read(one["Image"]).looks_like_proxy
        }
        registered = {one.container_name for service in keycloak.services for one in service.targets}
        if not proxies & registered:
            return
        fix = f"add {{Name: KC_HTTP_HOST, Value: 127.0.0.1}} to {keycloak.name}"
        for target in keycloak.targets:
            if target.container_port == keycloak.http_port:
                yield Hit.at(
                    target.place,
                    "whoever takes this way sends the certificate header themselves and is logged in as anybody: "
                    f"requests of {target.group.name if target.group else 'this target group'} reach {keycloak.name} "
                    f"around {' and '.join(sorted(proxies & registered))}, and the provider {name} believes them",
                    f"register {sorted(proxies & registered)[0]} with it, and {fix}",
                )
                return
        balancers = {group for one in keycloak.load_balancers for group in one.party.groups or ()}
        port = keycloak.http_port
        if port is None:
            return
        for service in keycloak.services:
            mine = service.party.groups or ()
            for one in keycloak.view.firewall.lets_in_from(service.party, port):
                if one.peer_group is not None and (one.peer_group in balancers or one.peer_group in mine):
                    continue
                who = one.peer_group or (str(one.network) if one.network is not None else "everybody by IPv6")
                yield Hit.at(
                    told.place,
                    f"whoever asks from {who} sends the certificate header themselves and is logged in as anybody: the "
                    f"tasks are open to it at port {port}, and {keycloak.name} listens there beside its proxy",
                    fix,
                )
                return
