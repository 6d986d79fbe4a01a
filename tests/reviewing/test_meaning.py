"""What a change means for Keycloak and for those who run it."""

from __future__ import annotations

import pytest

from generator.reviewing import review
from tests.reviewing.examples import (
    artefact,
    committed,
    edited,
    prod,
    resource,
    reviewed,
    said,
    stack_json,
    template,
)

DEPLOYMENT = "MinimumHealthyPercent: 100\n        MaximumPercent: 134"
STOPPING = "MinimumHealthyPercent: 0\n        MaximumPercent: 100"
FEATURE = (
    '{Name: KC_LOG_LEVEL, Value: "info"}',
    '{Name: KC_LOG_LEVEL, Value: "info"}\n            - {Name: KC_FEATURES, Value: "%s"}',
)


def version(new: str, *changes: tuple[str, str]):
    """The review of a step of prod's to another version."""
    old, told = committed("prod"), stack_json("prod")
    return review(
        artefact(old, told), artefact(edited(old, ("26.7.4", new), *changes), told.replace("26.7.4", new))
    )


def has(found, *words: str) -> bool:
    return any(all(word in text for word in words) for text in said(found))


class TestExchange:
    def test_rolling(self):
        """More CPU rolls: how many stay, how many there are at once, sessions are kept."""
        found = prod(('Cpu: "2048"', "Cpu: 4096"))
        assert has(found, "rolling", "3 of 3 stay") and has(found, "sessions: kept")
        assert has(found, "at most 8 tasks at once", "6 otherwise")
        assert not has(found, "full stop")

    def test_nothing_is_exchanged(self):
        """A change that no task takes notice of says so."""
        assert not has(prod(("RetentionInDays: 90", "RetentionInDays: 120")), "rolling")
        assert has(
            prod(("HealthCheckGracePeriodSeconds: 600", "HealthCheckGracePeriodSeconds: 700")),
            "no task is exchanged",
        )

    @pytest.mark.parametrize(
        "change",
        [
            (
                'KC_CACHE_EMBEDDED_MTLS_ENABLED, Value: "true"',
                'KC_CACHE_EMBEDDED_MTLS_ENABLED, Value: "false"',
            ),
            ('KC_CACHE_CONFIG_FILE, Value: "cache-cloudmap.xml"', "KC_CACHE_STACK, Value: jdbc-ping"),
            ('KC_CACHE_CONFIG_FILE, Value: "cache-cloudmap.xml"', 'KC_CACHE_CONFIG_FILE, Value: "other.xml"'),
            ('KC_DB_URL_DATABASE, Value: "keycloak"', 'KC_DB_URL_DATABASE, Value: "other"'),
            FEATURE[:1] + (FEATURE[1] % "multi-site",),
        ],
    )
    def test_what_needs_a_full_stop(self, change):
        """Encryption, discovery, the cache file, the database, some features: rolling breaks the cluster."""
        assert has(prod(change), "can't share a cluster")
        assert has(prod(change), "ECS would run old and new tasks beside each other")
        stopped = prod(change, (DEPLOYMENT, STOPPING))
        assert has(stopped, "full stop") and not has(stopped, "beside each other")

    def test_a_needless_full_stop(self):
        """A full stop that nothing asks for is told, with the way to roll."""
        found = prod(('Cpu: "2048"', "Cpu: 4096"), (DEPLOYMENT, STOPPING))
        (one,) = [one for one in found.consequences if "full stop" in one.text]
        assert "Rolling would do" in one.do

    def test_the_content_of_the_cache_file(self):
        """Another cache file under the same name in the image is a full stop, too."""
        sides = [
            artefact(committed("prod"), stack_json("prod"), **{"image/cache-cloudmap.xml": content})
            for content in (b"<a/>", b"<b/>")
        ]
        assert has(review(*sides), "cache file") and has(review(*sides), "build and push")
        assert not review(sides[0], sides[0]).consequences

    def test_a_patch_release(self):
        """Patches of 26.7 share a cluster; the schema may still move."""
        old, told = committed("prod"), stack_json("prod")
        one = artefact(edited(old, ("26.7.4", "26.7.3")), told.replace("26.7.4", "26.7.3"))
        found = review(one, artefact(old, told))
        assert has(found, "26.7.3 -> 26.7.4") and has(found, "rolling") and not has(found, "can't share")

    def test_a_minor_release(self):
        """A line's first release needs a full stop."""
        old, told = committed("prod"), stack_json("prod")
        one = artefact(edited(old, ("26.7.4", "26.6.4")), told.replace("26.7.4", "26.6.4"))
        assert has(review(one, artefact(old, told)), "can't share a cluster", "two lines")

    def test_a_step_back(self):
        """An older Keycloak on a newer schema is told as impossible."""
        assert has(version("26.4.7"), "older than 26.7.4")

    def test_an_unknown_version(self):
        """A version that nobody knows is told, and the rest of the report is there."""
        assert has(version("99.1.0"), "99.1.0")

    @pytest.mark.parametrize("new", ["https://login.example.com", "https://sso.example.com/auth", "login.example.com"])
    def test_another_address(self, new):
        """Tokens name their issuer and browsers their host: another address ends every login, whatever the database
        keeps; nobody is told that sessions are kept."""
        found = prod(('KC_HOSTNAME, Value: "https://sso.example.com"', f'KC_HOSTNAME, Value: "{new}"'))
        assert has(found, "the address changes: https://sso.example.com -> https://", "logs in again")
        assert not has(found, "sessions: kept") and has(found, "rolling")

    @pytest.mark.parametrize(
        "change",
        [
            ('KC_HOSTNAME, Value: "https://sso.example.com"', 'KC_HOSTNAME, Value: "sso.example.com"'),
            ('KC_HOSTNAME, Value: "https://sso.example.com"', 'KC_HOSTNAME_URL, Value: "https://sso.example.com/"'),
            ('KC_HOSTNAME, Value: "https://sso.example.com"', "KC_HOSTNAME, Value: !GetAtt LoadBalancer.DNSName"),
        ],
    )
    def test_the_same_address_in_other_words(self, change):
        """Another way to write it, and what can't be known, is no other address."""
        assert not has(prod(change), "the address changes") and has(prod(change), "sessions: kept")

    def test_a_database_that_is_lost(self):
        """A database that is made anew takes everything with it."""
        assert has(prod(('DBName: "keycloak"', "DBName: kc")), "Keycloak loses its database")

    def test_a_service_that_goes_and_comes(self):
        """A service that is taken away is told, and so is a new one."""
        text = committed("dev")
        empty = template(Topic=resource("AWS::SNS::Topic"))
        assert has(reviewed(text, empty), "Service is gone")
        assert has(reviewed(empty, text), "Service is new")


class TestPool:
    def test_too_many_connections(self):
        """Tasks at once times the pool, against what the database takes, with the size that fits."""
        found = prod(("db.m7g.large", "db.t4g.micro"), ('Cpu: "2048"', "Cpu: 4096"))
        (one,) = [one for one in found.consequences if "database connections" in one.text]
        assert "320 (8 tasks × 40)" in one.text and "112" in one.text
        assert one.weight == "danger" and "12 or less" in one.do

    def test_the_larger_pool_counts_while_tasks_are_exchanged(self):
        """A pool that shrinks is as large as before until the last old task is gone."""
        assert has(
            prod(('KC_DB_POOL_MAX_SIZE, Value: "40"', 'KC_DB_POOL_MAX_SIZE, Value: "10"')),
            "320 (8 tasks × 40)",
        )

    def test_enough_is_no_danger(self):
        """A pool that fits is a note."""
        found = prod(('Cpu: "2048"', "Cpu: 4096"))
        assert {one.weight for one in found.consequences if "connections" in one.text} == {"note"}


WORLD_9000 = (
    "GroupId: !GetAtt TaskSecurityGroup.GroupId\n      SourceSecurityGroupId: !GetAtt "
    "LoadBalancerSecurityGroup.GroupId\n      IpProtocol: tcp\n      FromPort: 9000"
)


class TestReaching:
    def test_a_port_is_opened(self):
        """A new rule on the balancer's group opens its port to the internet."""
        found = prod(("FromPort: 80\n      ToPort: 80", "FromPort: 80\n      ToPort: 8443"))
        assert "the internet can now reach port 80-8443 of LoadBalancer (LoadBalancerSecurityGroup)" in said(
            found
        )
        assert any(one.kind == "opened" for one in found.refused)

    def test_a_port_is_closed(self):
        """Health checks that are let in no more are told by who is shut out."""
        found = prod((WORLD_9000, WORLD_9000.replace("FromPort: 9000", "FromPort: 9001")))
        assert "Service no longer lets LoadBalancer in on port 9000 (TaskSecurityGroup)" in said(found)

    def test_tasks_without_an_address_are_not_in_the_internet(self):
        """A rule for everybody on private tasks opens them to the network, not to the internet."""
        found = prod(
            (
                WORLD_9000,
                WORLD_9000.replace(
                    "SourceSecurityGroupId: !GetAtt LoadBalancerSecurityGroup.GroupId", 'CidrIp: "0.0.0.0/0"'
                ),
            )
        )
        assert has(found, "everybody in the network can now reach port 9000 of Service")
        assert not any(one.kind == "opened" for one in found.hazards)

    def test_addresses(self):
        """A database, tasks or a balancer that get an address in the internet."""
        for change in (
            ("PubliclyAccessible: false", "PubliclyAccessible: true"),
            ("AssignPublicIp: DISABLED", "AssignPublicIp: ENABLED"),
        ):
            assert has(prod(change), "gets an address in the internet") and prod(change).refused
            back = review(artefact(edited(committed("prod"), change)), artefact(committed("prod")))
            assert has(back, "can't be reached from the internet any more") and not back.refused

    def test_the_same_way_written_otherwise(self):
        """A rule that moves into its group opens and closes nothing."""

        def text(single):
            rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0"}
            listed = {} if single else {"SecurityGroupIngress": [rule]}
            alone = {
                "Rule": resource("AWS::EC2::SecurityGroupIngress", {**rule, "GroupId": {"Ref": "Group"}})
            }
            return template(Group=resource("AWS::EC2::SecurityGroup", listed), **(alone if single else {}))

        assert not said(reviewed(text(True), text(False)), "Network")
        assert not reviewed(text(True), text(False)).hazards


class TestListening:
    def test_the_admin_console_is_opened(self):
        """A rule that asks for a source no more opens its paths to the internet; that needs leave."""
        line = (
            '        - {Field: source-ip, SourceIpConfig: {Values: ["203.0.113.0/24", "198.51.100.16/28"]}}\n'
        )
        text = committed("prod")
        found = reviewed(text, text.replace(line, "", 1))
        assert "the internet can now reach /admin/* and /resources/* of sso-admin.example.com" in said(found)
        assert [one.path for one in found.refused] == ["AdminRule1"]

    def test_a_firewall_that_goes(self):
        """A balancer in the internet that loses its web ACL needs leave; one with another ACL doesn't."""
        line = "  WebAclOnLoadBalancer:\n    Type: AWS::WAFv2::WebACLAssociation"
        found = prod((line, "  WebAclOnLoadBalancer:\n    Type: Custom::Nothing"))
        assert "no web ACL filters the requests to LoadBalancer any more" in said(found)
        assert [one.path for one in found.refused] == ["WebAclOnLoadBalancer"]
        renamed = prod(("  WebAclOnLoadBalancer:", "  OtherAclOnLoadBalancer:"))
        assert not has(renamed, "web ACL filters") and not renamed.refused

    def test_a_closing_rule_that_comes_too_late(self):
        """A rule that closes the master realm behind the one that opens all realms closes nothing."""
        found = prod(("Priority: 299", "Priority: 399"))
        assert has(found, "the internet can now reach /realms/master")

    def test_a_network_more(self):
        """Another network that may reach the console is told; it is no opening to the world."""
        found = prod(
            (
                '["203.0.113.0/24", "198.51.100.16/28"]',
                '["203.0.113.0/24", "198.51.100.16/28", "192.0.2.0/24"]',
            )
        )
        assert has(found, "192.0.2.0/24 can now reach /admin/*") and not found.hazards

    def test_another_host(self):
        """The same paths under another host name are no new way in."""
        found = prod(('"sso.example.com"', '"id.example.com"'))
        assert has(found, "can now reach", "id.example.com")
        assert not any(one.kind == "opened" for one in found.hazards)


class TestPermissions:
    def test_a_wildcard(self):
        """An action or a resource more is told; a wildcard weighs more."""
        found = prod(("Action: secretsmanager:GetSecretValue", 'Action: "secretsmanager:*"'))
        told = [one for one in found.consequences if one.topic == "Permissions" and "may now" in one.text]
        assert {one.weight for one in told} == {"warning"} and "secretsmanager:*" in told[0].text

    def test_everything(self):
        """A role that may do everything is a danger."""
        found = prod(("Action: secretsmanager:GetSecretValue", 'Action: "*"'))
        assert any(one.weight == "danger" for one in found.consequences if one.topic == "Permissions")

    def test_a_condition_less(self):
        """A role that anybody's service may assume, without the condition it had."""
        found = prod(
            (
                '            Condition:\n'
                '              StringEquals: {"aws:SourceAccount": !Ref AWS::AccountId}\n'
                "      Policies:\n        - PolicyName: write-flow-logs",
                "      Policies:\n        - PolicyName: write-flow-logs",
            )
        )
        assert has(found, "FlowLogRole", "without the condition")

    def test_anybody(self):
        """A policy for everybody needs leave."""

        def text(principal):
            return template(
                Role=resource(
                    "AWS::IAM::Role",
                    {
                        "AssumeRolePolicyDocument": {
                            "Statement": [
                                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
                            ]
                        }
                    },
                )
            )

        found = reviewed(text({"Service": "ecs-tasks.amazonaws.com"}), text("*"))
        assert "anybody may now assume the role on Role" in said(found)
        assert [one.logical_id for one in found.refused] == ["Role"]
        assert not reviewed(text("*"), text({"Service": "ecs-tasks.amazonaws.com"})).hazards

    def test_less_is_a_note(self):
        """What is taken away is told without a warning."""
        found = prod(("Action: [logs:CreateLogStream, logs:PutLogEvents]", "Action: logs:PutLogEvents"))
        told = [one for one in found.consequences if one.topic == "Permissions"]
        assert [one.weight for one in told] == ["note"] and "may no longer" in told[0].text


class TestCosts:
    @pytest.mark.parametrize(
        ("change", "text"),
        [
            (("db.m7g.large", "db.m7g.xlarge"), "Database: instance: db.m7g.large -> db.m7g.xlarge"),
            (("MultiAZ: true", "MultiAZ: false"), "Database: standby: yes (Multi-AZ) -> none"),
            (('AllocatedStorage: "100"', 'AllocatedStorage: "200"'), "100 GiB up to 500 GiB, gp3 -> 200 GiB"),
            (
                ("MaxCapacity: 6", "MaxCapacity: 9"),
                "Service: tasks: 3 to 6 × 2 vCPU, 4 GiB, ARM64 -> 3 to 9 ×",
            ),
            (('Memory: "4096"', "Memory: 5 GB"), "2 vCPU, 4 GiB, ARM64 -> 3 to 6 × 2 vCPU, 5 GiB"),
            (("RetentionInDays: 90", "RetentionInDays: 365"), "LogGroup: kept: 90 days -> 365 days"),
            (("Value: enhanced", "Value: disabled"), "Cluster: Container Insights: enhanced -> none"),
        ],
    )
    def test_sizes(self, change, text):
        """What grows or shrinks on the bill, as counts and sizes."""
        assert any(text in one for one in said(prod(change), "Cost"))

    def test_counts(self):
        """NAT gateways, balancers and the like are counted."""
        found = reviewed(
            template(A=resource("AWS::EC2::NatGateway")),
            template(A=resource("AWS::EC2::NatGateway"), B=resource("AWS::EC2::NatGateway")),
        )
        assert said(found, "Cost") == ["NAT gateways: 1 -> 2"]

    def test_nothing_else(self):
        """What costs the same isn't told."""
        assert not said(prod(("DeletionProtection: true", "DeletionProtection: false")), "Cost")
