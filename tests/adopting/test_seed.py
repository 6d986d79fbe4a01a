"""The article that this project grew out of: all of its faults are found, and what comes of it renders."""

from __future__ import annotations

import json

import pytest
from adoptions import ARN, adopt, loaded, seed, task

from generator import adopting
from generator.keycloak import catalog

ENTRY = {
    "Service": {
        "Id": "srv-1",
        "Arn": "arn:aws:servicediscovery:ap-northeast-1:XXXXX:service/srv-XXXXX",
        "Name": "myapplication",
        "DnsConfig": {
            "NamespaceId": "ns-1",
            "RoutingPolicy": "MULTIVALUE",
            "DnsRecords": [{"Type": "A", "TTL": 300}],
        },
    }
}
GROUP = {
    "TargetGroups": [
        {
            "TargetGroupArn": ARN + "targetgroup/kc/1",
            "TargetGroupName": "kc",
            "Protocol": "HTTP",
            "Port": 8080,
            "VpcId": "vpc-0a1b2c3d4e5f67890",
            "HealthCheckProtocol": "HTTP",
            "HealthCheckPort": "traffic-port",
            "HealthCheckPath": "/",
            "TargetType": "ip",
        }
    ]
}

FAULTS = {
    "KC_ADMIN_HOSTNAME is no option": ("26.7.4", "E9001", "/containerDefinitions/0/environment/2/name"),
    "KC_PROXY is gone": ("26.7.4", "E9002", "/containerDefinitions/0/environment/4/name"),
    "KC_PROXY goes": ("24.0.5", "W9002", "/containerDefinitions/0/environment/4/name"),
    "KC_HOSTNAME_STRICT_BACKCHANNEL is gone": (
        "26.7.4",
        "W9003",
        "/containerDefinitions/0/environment/7/name",
    ),
    "KC_HOSTNAME_STRICT_HTTPS is gone": ("26.7.4", "W9003", "/containerDefinitions/0/environment/11/name"),
    "KEYCLOAK_ADMIN is deprecated": ("26.7.4", "W9012", "/containerDefinitions/0/environment/6/name"),
    "the command is one word": ("", "W9016", "/containerDefinitions/0/command/0"),
    "started without --optimized": ("", "I9180", "/containerDefinitions/0/command"),
    "the database's password in plain text": ("", "E9072", "/containerDefinitions/0/environment/0/value"),
    "the administrator's password in plain text": (
        "",
        "E9072",
        "/containerDefinitions/0/environment/1/value",
    ),
    "one role for two purposes": ("", "W9074", "/taskRoleArn"),
    "a port beside a URL is ignored": ("", "W9018", "/containerDefinitions/0/environment/12/name"),
    "the database is reached in the clear": ("", "W9087", "/containerDefinitions/0/environment/14/value"),
    "7800 doesn't speak HTTP": ("", "W9033", "/containerDefinitions/0/portMappings/1/appProtocol"),
    "one task": ("", "W9066", "/desiredCount"),
    "the stack kubernetes is deprecated": ("26.7.4", "W9028", "/containerDefinitions/0/environment/13/value"),
    "the task makes the log group": (
        "",
        "I9181",
        "/containerDefinitions/0/logConfiguration/options/awslogs-create-group",
    ),
}
"""Fault -> version it is judged for, rule, JSON pointer."""


class TestFaults:
    @pytest.mark.parametrize("fault", FAULTS)
    def test_it_is_found_where_it_stands(self, fault):
        """Every fault of the article's JSON is found by its rule, at its place in the file."""
        version, rule, pointer = FAULTS[fault]
        found = adopting.adopt(seed(), keycloak_version=version)
        assert (rule, pointer) in {(one.finding.rule, one.pointer) for one in found.findings}

    def test_lines_are_those_of_the_file(self):
        """A finding names the line of the file that it is about."""
        (text,) = [text for name, text in seed() if name == "task.json"]
        for one in adopting.adopt(seed(), keycloak_version="26.7.4").findings:
            if one.finding.rule == "E9001":
                assert (one.finding.file, "KC_ADMIN_HOSTNAME" in text.splitlines()[one.finding.line - 1]) == (
                    "task.json",
                    True,
                )

    def test_addresses_stay_too_long_in_dns(self):
        """What the article says in commands is found in what describe calls print: the TTL of 300 s."""
        files = [(name, text.replace('"desiredCount": 1', '"desiredCount": 2')) for name, text in seed()]
        found = adopting.adopt([*files, ("entry.json", json.dumps(ENTRY))])
        assert {one.pointer for one in found.findings if one.finding.rule in ("W9035", "E9035")} == {
            "/Service/DnsConfig/DnsRecords/0/TTL"
        }

    def test_the_health_check_asks_nobody(self):
        """The target group's defaults are judged for the version: its path and its port."""
        service = {
            "services": [
                {
                    "serviceName": "sso",
                    "taskDefinition": "sso:7",
                    "launchType": "FARGATE",
                    "desiredCount": 2,
                    "loadBalancers": [
                        {
                            "targetGroupArn": ARN + "targetgroup/kc/1",
                            "containerName": "sso",
                            "containerPort": 8080,
                        }
                    ],
                }
            ]
        }
        found = adopt(task(), service, GROUP)
        assert {"E9050", "E9049"} & {one.finding.rule for one in found.findings}

    def test_a_sound_one_has_none_of_them(self):
        """None of these faults is seen in a task definition that has none."""
        rules = {rule for _, rule, _ in FAULTS.values()} - {"W9087"}
        assert not rules & {one.finding.rule for one in adopt(task()).findings}


class TestParams:
    @pytest.mark.parametrize("version", ["22.0.5", catalog.versions()[0], catalog.versions()[-1]])
    def test_they_render_without_an_error(self, version, rendering):
        """For the version of the article (written as the oldest that is rendered), that one and the newest,
        what comes of the article renders without an error once the waiting lines are filled.
        """
        found = adopting.adopt(seed(), keycloak_version=version)
        built = rendering.filled(found, keycloak__version=loaded(found)["keycloak"]["version"])
        assert built.hand_over is not None, [str(one) for one in built.problems]
        assert not built.errors, [(one.rule, one.message) for one in built.findings]

    def test_the_same_params_render_for_the_newest(self, rendering):
        """Params of the old version need nothing but the new version's number."""
        built = rendering.filled(
            adopting.adopt(seed(), keycloak_version="24.0.5"), keycloak__version=catalog.versions()[-1]
        )
        assert built.hand_over is not None and not built.errors, [str(one) for one in built.problems]

    def test_nothing_is_made_up(self, rendering):
        """As they are they don't render, and the errors stand at lines that wait."""
        found = adopting.adopt(seed())
        built = rendering(found.params)
        lines = found.params.splitlines()
        errors = [one for one in built.problems if one.severity == "error"]
        assert built.hand_over is None and len(errors) > 8
        for one in errors:
            assert "set this" in lines[one.line - 1], str(one)

    @pytest.mark.parametrize("key", [one.key for one in adopting.adopt(seed()).unset])
    def test_every_line_that_waits_is_needed(self, key, rendering):
        """A single line that was forgotten keeps the environment from being rendered, and is named."""
        built = rendering.filled(adopting.adopt(seed()), but=key)
        assert built.hand_over is None
        assert any(one.key.startswith(key) for one in built.problems), [str(one) for one in built.problems]

    def test_what_is_sound_is_carried(self):
        """Size, architecture, addresses, database and administrator are the article's own."""
        params = loaded(adopting.adopt(seed(), keycloak_version="26.7.4"))
        assert params["service"]["cpu"] == 2048 and params["service"]["memory"] == 8192
        assert params["service"]["architecture"] == "x86_64" and params["region"] == "ap-northeast-1"
        assert params["keycloak"]["admin"] == {
            "hostname": "https://auth.example.com",
            "allow_from": None,
            "username": "admin",
        }
        assert params["database"]["existing"]["host"] == "keycloak.ap-northeast-1.rds.amazonaws.com"

    def test_corrected_lines_say_why(self):
        """A corrected line has a comment: what stood there, where, and the rule."""
        found = adopting.adopt(seed(), keycloak_version="26.7.4")
        (line,) = [line for line in found.params.splitlines() if line.startswith("  tasks:")]
        assert line == "  tasks: 2  # was 1 at service.json:22; W9066: At least two tasks run"
        for one in found.corrected:
            assert one.why in found.params
