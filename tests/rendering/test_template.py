"""What every template promises, whatever was chosen: for the project's environments and for all of `tests.cases`."""

from __future__ import annotations

import functools
import importlib.util
import json
import math
import re
from pathlib import Path

import pytest

from generator.document import Document, Resource
from generator.keycloak import catalog
from tests.cases import CASES, ENVIRONMENTS, PROJECT
from tests.golden import update

NAMES = sorted([*CASES, *ENVIRONMENTS])
every_case = pytest.mark.parametrize("name", NAMES)


@functools.cache
def _hashes() -> dict[str, str]:
    data = Path(importlib.util.find_spec("cfnlint").submodule_search_locations[0], "data", "schemas")
    return {"": str(data), **json.loads((data / "providers" / "eu-central-1.json").read_text("utf-8"))}


@functools.cache
def schema(resource_type: str) -> dict:
    """What AWS publishes about a resource type, as cfn-lint carries it."""
    return json.loads(Path(_hashes()[""], "resources", f"{_hashes()[resource_type]}.json").read_text("utf-8"))


def only(document: Document, resource_type: str) -> Resource:
    """The one resource of a type."""
    (resource,) = document.of_type(resource_type)
    return resource


def container(document: Document) -> dict:
    """Keycloak's container, the first of the task definition."""
    found, *others = only(document, "AWS::ECS::TaskDefinition").properties["ContainerDefinitions"]
    assert found["Name"] == "keycloak" and [one["Name"] for one in others] in ([], ["proxy"])
    return found


class TestText:
    @every_case
    def test_sections_stand_in_the_order_people_read(self, name, wholes):
        """Version, description, resources, outputs; no parameters, so that there is nothing to type at a deploy."""
        assert list(wholes[name].document.data) == ["AWSTemplateFormatVersion", "Description", "Resources", "Outputs"]

    @every_case
    def test_the_head_names_what_it_was_made_from(self, name, wholes):
        """The first two lines name the template and every params file, and say what to run instead of editing."""
        whole = wholes[name]
        first, second = whole.text.splitlines()[:2]
        sources = ", ".join(whole.environment.tree.files)
        assert first == f"# Generated from templates/keycloak.yaml.j2 and {sources}."
        assert second == "# Do not edit: change those, then run `make render`."
        assert f"params/{name}.yaml" in sources

    @every_case
    def test_an_empty_line_stands_before_every_resource(self, name, wholes):
        """A resource, with the comments that belong to it, is set apart from the one before."""
        lines = wholes[name].text.split("\n")
        for logical_id, resource in wholes[name].document.resources.items():
            above = resource.line - 2
            while lines[above].startswith("  #"):
                above -= 1
            assert lines[above] in ("", "Resources:"), f"{logical_id} in line {resource.line}"

    @every_case
    def test_no_line_is_too_long_to_read(self, name, wholes):
        """A reviewer reads lines, not paragraphs; only what nobody reads along (the health check, tags) may be long."""
        for line in wholes[name].text.splitlines():
            if len(line) > 260:
                assert re.match(r" +(Tags: \[|DependsOn: \[|- \{Name: |- .*DefaultPort)", line), line

    def test_a_comment_about_units_stands_beside_the_number(self, wholes):
        """Comments of the templates are for the reviewer of the rendered file, so they are still in it."""
        text = wholes["prod"].text
        for comment in ("Cpu: \"2048\" # 1024 = one vCPU", "BackupRetentionPeriod: 14 # days",
                        "# No DesiredCount: every update would reset what autoscaling chose.",
                        "  # --- Database ---"):
            assert comment in text

    def test_prod_goes_through_the_api_in_one_piece(self, wholes):
        """The largest of the project's environments needs no bucket, and its runbook hands it over as a file."""
        whole = wholes["prod"]
        assert len(whole.hand_over.files["template.yaml"]) < 51_200
        runbook = whole.hand_over.files["RUNBOOK.md"].decode()
        assert "--template-body file://template.yaml" in runbook and "--template-url" not in runbook

    @pytest.mark.parametrize("name", NAMES)
    def test_a_large_template_is_stated_as_large(self, name, wholes):
        """Beyond 51,200 bytes the runbook sends the template through a bucket; up to there it doesn't."""
        runbook = wholes[name].hand_over.files["RUNBOOK.md"].decode()
        large = len(wholes[name].text.encode()) > 51_200
        assert ("--template-url" in runbook, "--template-body" in runbook) == (large, not large)


class TestTagsAndNames:
    @every_case
    def test_everything_that_takes_tags_has_them(self, name, wholes):
        """Each resource whose type has tags carries the environment's name and every tag of the params."""
        whole = wholes[name]
        wanted = [{"Key": key, "Value": value}
                  for key, value in {"Environment": name, **whole.settings.tags}.items()]
        for logical_id, resource in whole.document.resources.items():
            if "Tags" not in schema(resource.type)["properties"]:
                assert "Tags" not in resource.properties, logical_id
                continue
            tags = resource.properties["Tags"]
            extra = [tag for tag in tags if tag["Key"] == "Name"]
            assert tags == extra + wanted, logical_id

    NAMED = {
        "AWS::ECS::TaskDefinition.Family": "revisions of one family are how a console shows history",
        "AWS::CloudWatch::Dashboard.DashboardName": "people look for it by name, and it is replaced in place",
        "AWS::ServiceDiscovery::PrivateDnsNamespace.Name": "nodes ask for it",
        "AWS::ServiceDiscovery::Service.Name": "nodes ask for it",
        "AWS::Route53::RecordSet.Name": "it is the address",
        "AWS::CertificateManager::Certificate.DomainName": "it is the address",
        "AWS::ApplicationAutoScaling::ScalingPolicy.PolicyName": "the type demands one",
    }
    """Names that a template gives although names block a replacement, and why."""

    @every_case
    def test_physical_names_are_cloudformations_to_make(self, name, wholes):
        """A name of ours would make every replacement fail with "already exists"; only the listed ones are given, and
        those that a stack has already."""
        wanted = wholes[name].settings.stack.physical_names.model_dump().values()
        for logical_id, resource in wholes[name].document.resources.items():
            known = schema(resource.type)
            pointers = (known.get("primaryIdentifier", []) + known.get("createOnlyProperties", [])
                        + [one for more in known.get("additionalIdentifiers", []) for one in more])
            names = {pointer.rsplit("/", 1)[-1] for pointer in pointers if pointer.count("/") == 2
                     and pointer not in known.get("readOnlyProperties", [])}
            names |= {key for key in known["properties"] if re.fullmatch(r"(\w*Name|Family)", key)}
            given = {key for key in names & set(resource.properties)
                     if re.fullmatch(r"\w*(Name|Family|Identifier)", key)}
            given = {key for key in given if not isinstance(resource.properties[key], dict)
                     and resource.properties[key] not in wanted}
            # These name a thing elsewhere, or a kind, not the resource.
            given -= {"ServiceName", "MetricName", "LogGroupName", "DBName", "DBSnapshotIdentifier", "PolicyName",
                      "CACertificateIdentifier", "Family"} - {key.split(".")[1] for key in self.NAMED
                                                               if key.startswith(resource.type + ".")}
            assert {f"{resource.type}.{key}" for key in given} <= set(self.NAMED), logical_id


class TestPermissions:
    @every_case
    def test_only_actions_without_a_resource_are_allowed_on_everything(self, name, wholes):
        """`Resource: "*"` stands where AWS knows no resource for the action, with a comment that says so."""
        whole = wholes[name]
        without = {"ecr:GetAuthorizationToken", "ssmmessages:CreateControlChannel",
                   "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"}
        wide = [one for one in update.statements(whole.document) if "*" in json.dumps(one["resources"])]
        assert all(one["resources"] == ["*"] and set(one["actions"]) <= without for one in wide)
        lines = [line for line in whole.text.splitlines() if 'Resource: "*"' in line]
        assert len(lines) == len(wide)
        assert all(re.search(r'Resource: "\*" # (this action knows|these actions know) no resource$', line)
                   for line in lines)

    @every_case
    def test_no_action_is_a_pattern(self, name, wholes):
        """Actions are spelt out: a new one of AWS's is not allowed by surprise."""
        assert not any("*" in action for one in update.statements(wholes[name].document) for action in one["actions"])

    @every_case
    def test_a_task_may_read_each_of_its_secrets_and_nothing_else(self, name, wholes):
        """What the execution role may read is exactly what the container's secrets come from."""
        document = wholes[name].document
        wanted = set()
        for secret in container(document)["Secrets"]:
            value = secret["ValueFrom"]
            if isinstance(value, dict):
                wanted.add(re.fullmatch(r"\$\{(\w+)\}(:\w+::)?", value["Fn::Sub"])[1])
            else:
                wanted.add(value if ":ssm:" in value else ":".join(value.split(":")[:7]))
        allowed = [resource for one in update.statements(document) if one["role"] == "ExecutionRole"
                   and set(one["actions"]) & {"secretsmanager:GetSecretValue", "ssm:GetParameters"}
                   for resource in one["resources"]]
        assert sorted(allowed) == sorted(wanted)

    @every_case
    def test_roles_are_for_one_service_of_this_account(self, name, wholes):
        """A role is assumed by one AWS service, and only on behalf of the account it stands in."""
        for role in wholes[name].document.of_type("AWS::IAM::Role"):
            (statement,) = role.properties["AssumeRolePolicyDocument"]["Statement"]
            assert list(statement["Principal"]) == ["Service"] and isinstance(statement["Principal"]["Service"], str)
            assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


class TestFirewall:
    @every_case
    def test_a_group_lets_nothing_out_by_default(self, name, wholes):
        """EC2's own default, everything to everywhere, is replaced by a rule that leads nowhere."""
        groups = wholes[name].document.of_type("AWS::EC2::SecurityGroup")
        assert len(groups) >= 2
        for group in groups:
            assert group.properties["SecurityGroupEgress"] == [
                {"IpProtocol": "-1", "CidrIp": "127.0.0.1/32", "Description": "Nothing by default"}]
            assert "SecurityGroupIngress" not in group.properties

    @every_case
    def test_a_permission_is_one_port_and_says_why(self, name, wholes):
        """No range of ports, no protocol but TCP, and a description for whoever reads the console."""
        for rule in wholes[name].document.of_type("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroupEgress"):
            properties = rule.properties
            assert properties["IpProtocol"] == "tcp" and properties["FromPort"] == properties["ToPort"]
            assert properties["Description"]

    @every_case
    def test_the_world_reaches_the_balancer_alone(self, name, wholes):
        """Only the ports of listeners are open to everybody, and only if params name no networks."""
        whole = wholes[name]
        for rule in whole.document.of_type("AWS::EC2::SecurityGroupIngress"):
            if rule.properties.get("CidrIp") == "0.0.0.0/0":
                assert rule.properties["GroupId"] == {"Fn::GetAtt": ["LoadBalancerSecurityGroup", "GroupId"]}
                assert rule.properties["FromPort"] in (80, 443, whole.settings.mutual_tls_port)
                assert not whole.settings.load_balancer.allow_from


class TestBalancer:
    @every_case
    def test_what_no_rule_lets_through_is_refused(self, name, wholes):
        """A listener by itself answers 404 or leads to HTTPS: no listener forwards by default."""
        for listener in wholes[name].document.of_type("AWS::ElasticLoadBalancingV2::Listener"):
            (action,) = listener.properties["DefaultActions"]
            if listener.properties["Port"] in (443, wholes[name].settings.mutual_tls_port):
                assert action == {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
            else:
                assert action == {"Type": "redirect", "RedirectConfig": {
                    "Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}

    @every_case
    def test_forwarding_names_host_and_path(self, name, wholes):
        """Whatever reaches Keycloak was asked for by host and by path; the admin console also by source."""
        whole = wholes[name]
        admin = (whole.settings.keycloak.admin.hostname or "").removeprefix("https://")
        forwarding = [rule for rule in whole.document.of_type("AWS::ElasticLoadBalancingV2::ListenerRule")
                      if rule.properties["Actions"][0]["Type"] == "forward"]
        assert forwarding
        for rule in forwarding:
            conditions = {one["Field"]: one for one in rule.properties["Conditions"]}
            if rule.properties["ListenerArn"] == {"Ref": "MutualTlsListener"}:
                # It serves one host, which clients write with its port.
                assert list(conditions) == ["path-pattern"]
                continue
            hosts = conditions["host-header"]["HostHeaderConfig"]["Values"]
            assert conditions["path-pattern"]["PathPatternConfig"]["Values"]
            if hosts == [admin] and rule.properties["ListenerArn"] == {"Ref": "HttpsListener"}:
                assert conditions["source-ip"]["SourceIpConfig"]["Values"]

    @every_case
    def test_health_is_asked_where_keycloak_answers(self, name, wholes):
        """The balancer asks for readiness, the container for liveness, both on the port of the version."""
        whole = wholes[name]
        old = whole.settings.keycloak.version.startswith("24.")
        port, base = "8080" if old else "9000", whole.settings.keycloak.http_relative_path.rstrip("/")
        groups = whole.document.of_type("AWS::ElasticLoadBalancingV2::TargetGroup")
        asked = bool(whole.settings.mutual_tls_port)
        assert len(groups) == 1 + whole.settings.admin_internal + asked
        for group in groups:
            assert group.properties["HealthCheckPort"] == ("8083" if asked else port)
            assert group.properties["HealthCheckPath"] == f"{base}/health/ready"
            assert group.properties["Matcher"] == {"HttpCode": "200"}
        kind, command = container(whole.document)["HealthCheck"]["Command"]
        assert kind == "CMD-SHELL"
        assert f"HEAD {base}/health/live HTTP/1.0" in command and command.endswith(f"/dev/tcp/localhost/{port}\"")


ASKING = [name for name in NAMES if CASES.get(name, {}).get("load_balancer", {}).get("client_certificates", {}).get(
    "mode") in ("required", "optional")]
asking_case = pytest.mark.parametrize("name", ASKING)


class TestClientCertificates:
    @every_case
    def test_nobody_else_is_asked_for_a_certificate(self, name, wholes):
        """Mutual TLS is on at the listener that params name, and at no other; without that choice nothing is there."""
        whole = wholes[name]
        asking = [one for one in whole.document.of_type("AWS::ElasticLoadBalancingV2::Listener")
                  if "MutualAuthentication" in one.properties]
        wanted = [whole.settings.mutual_tls_port] if name in ASKING else []
        assert [one.properties["Port"] for one in asking] == wanted
        containers = only(whole.document, "AWS::ECS::TaskDefinition").properties["ContainerDefinitions"]
        assert len(containers) == 1 + (name in ASKING)

    @asking_case
    def test_every_request_passes_the_proxy(self, name, wholes):
        """Target groups know the proxy alone, nobody is let in at a port of Keycloak's, and it listens on loopback."""
        whole = wholes[name]
        targets = only(whole.document, "AWS::ECS::Service").properties["LoadBalancers"]
        assert {one["ContainerName"] for one in targets} == {"proxy"}
        asked = [one for one in targets if one["TargetGroupArn"] == {"Ref": "MutualTlsTargetGroup"}]
        assert [one["ContainerPort"] for one in asked] == [8082]
        assert {one["ContainerPort"] for one in targets if one not in asked} == {8081}
        given = {one["Name"]: one["Value"] for one in container(whole.document)["Environment"]}
        assert given["KC_HTTP_HOST"] == given.get("KC_HTTP_MANAGEMENT_HOST", "127.0.0.1") == "127.0.0.1"
        assert given.get("KC_PROXY_TRUSTED_ADDRESSES", "127.0.0.1") == "127.0.0.1"
        let_in = {rule.properties["FromPort"] for rule in whole.document.of_type("AWS::EC2::SecurityGroupIngress")
                  if rule.properties["GroupId"] == {"Fn::GetAtt": ["TaskSecurityGroup", "GroupId"]}}
        assert let_in == {7800, 57800, 8081, 8082, 8083}
        assert {one["ContainerPort"] for one in container(whole.document)["PortMappings"]} == {7800, 57800}

    @asking_case
    def test_the_proxy_runs_with_nothing_but_what_it_needs(self, name, wholes):
        """Pinned image, no root, no writable file system, no capability, a health check; it stops before Keycloak."""
        whole = wholes[name]
        keycloak, proxy = only(whole.document, "AWS::ECS::TaskDefinition").properties["ContainerDefinitions"]
        assert re.fullmatch(r".+@sha256:[0-9a-f]{64}", proxy["Image"])
        assert proxy["User"].split(":")[0].isdigit() and proxy["User"].split(":")[0] != "0"
        assert proxy["ReadonlyRootFilesystem"] and proxy["Essential"] and proxy["HealthCheck"]
        assert proxy["LinuxParameters"] == {"Capabilities": {"Drop": ["ALL"]}}
        assert proxy["DependsOn"] == [{"ContainerName": "keycloak", "Condition": "START"}]
        assert keycloak["Memory"] + proxy["Memory"] == whole.settings.service.memory
        assert "Environment" not in proxy and "Secrets" not in proxy and "MountPoints" not in proxy

    @asking_case
    def test_the_proxys_configuration_is_readable_and_logs_no_request(self, name, wholes):
        """The configuration stands in the template line by line; nothing in it writes requests or headers to a log."""
        whole = wholes[name]
        _, proxy = only(whole.document, "AWS::ECS::TaskDefinition").properties["ContainerDefinitions"]
        (script,) = proxy["Command"]
        first, *lines, last = script.splitlines()
        assert (proxy["EntryPoint"], first, last) == (["sh", "-c"], "exec haproxy -db -f /dev/stdin <<'END'", "END")
        assert not any(line.strip().startswith(("option httplog", "log-format", "capture")) for line in lines)
        assert all(f"              {line}" in whole.text.splitlines() for line in lines)

    @asking_case
    def test_the_console_and_its_login_are_not_behind_a_certificate(self, name, wholes):
        """No rule of that listener leads to /admin, and the master realm is as closed there as params have it."""
        whole = wholes[name]
        rules = [rule.properties for rule in whole.document.of_type("AWS::ElasticLoadBalancingV2::ListenerRule")
                 if rule.properties["ListenerArn"] == {"Ref": "MutualTlsListener"}]
        open_paths = [path for rule in rules if rule["Actions"][0]["Type"] == "forward" for one in rule["Conditions"]
                      for path in one["PathPatternConfig"]["Values"]]
        base = whole.settings.base_path
        assert f"{base}/realms/*" in open_paths and not any("/admin" in path for path in open_paths)
        closed = [rule for rule in rules if rule["Priority"] == 299]
        assert len(closed) == (whole.settings.keycloak.master_realm == "admin_networks")


class TestService:
    @every_case
    def test_the_number_of_tasks_is_the_params_or_autoscalings(self, name, wholes):
        """Without autoscaling the service has the tasks of the params; with it an update leaves the number alone."""
        whole = wholes[name]
        service = only(whole.document, "AWS::ECS::Service").properties
        if whole.settings.service.autoscaling:
            target = only(whole.document, "AWS::ApplicationAutoScaling::ScalableTarget").properties
            assert "DesiredCount" not in service
            assert target["MinCapacity"] == whole.settings.service.tasks < target["MaxCapacity"]
        else:
            assert service["DesiredCount"] == whole.settings.service.tasks
            assert not whole.document.of_type("AWS::ApplicationAutoScaling::ScalableTarget")

    @every_case
    def test_a_deployment_replaces_one_node_at_a_time_or_all_at_once(self, name, wholes):
        """ECS rounds the least number of tasks up and the most down: rolling leaves room for exactly one more."""
        whole = wholes[name]
        configuration = only(whole.document, "AWS::ECS::Service").properties["DeploymentConfiguration"]
        tasks = whole.settings.service.tasks
        least = math.ceil(tasks * configuration["MinimumHealthyPercent"] / 100)
        most = math.floor(tasks * configuration["MaximumPercent"] / 100)
        rolling = whole.settings.service.deployment == "rolling"
        assert (least, most) == ((tasks, tasks + 1) if rolling else (0, tasks))
        assert configuration["DeploymentCircuitBreaker"] == {
            "Enable": True, "Rollback": whole.settings.service.rollback}

    @every_case
    def test_nodes_ask_for_the_name_that_they_are_registered_under(self, name, wholes):
        """The name in DNS_PING's query is the Cloud Map service and namespace, and answers with every task."""
        whole = wholes[name]
        document = whole.document
        options = {one["Name"]: one["Value"] for one in container(document)["Environment"]}["JAVA_OPTS_APPEND"]
        asked = re.findall(r"-Djgroups\.dns\.query=(\S+)", options)
        services = document.of_type("AWS::ServiceDiscovery::Service")
        registries = only(document, "AWS::ECS::Service").properties.get("ServiceRegistries")
        if whole.settings.keycloak.discovery == "database":
            assert (asked, services, registries) == ([], [], None)
            return
        (service,) = services
        namespace = only(document, "AWS::ServiceDiscovery::PrivateDnsNamespace")
        assert asked == [f"{service.properties['Name']}.{namespace.properties['Name']}"]
        assert namespace.properties["Name"].islower()
        assert registries == [{"RegistryArn": {"Fn::GetAtt": [service.logical_id, "Arn"]}}]
        assert service.properties["DnsConfig"]["NamespaceId"] == {"Ref": namespace.logical_id}
        assert service.properties["DnsConfig"]["RoutingPolicy"] == "MULTIVALUE"
        assert [record["Type"] for record in service.properties["DnsConfig"]["DnsRecords"]] == ["A"]

    @every_case
    def test_tasks_have_no_public_address(self, name, wholes):
        """Tasks lie in private subnets and are reached through a balancer only."""
        network = only(wholes[name].document, "AWS::ECS::Service").properties["NetworkConfiguration"]
        assert network["AwsvpcConfiguration"]["AssignPublicIp"] == "DISABLED"

    @every_case
    def test_an_optimized_image_is_not_told_what_it_was_built_with(self, name, wholes):
        """Build options stand in the Dockerfile or in the task definition, never in both; so does `--optimized`."""
        whole = wholes[name]
        known = whole.environment.catalog
        given = [one["Name"] for one in container(whole.document)["Environment"]]
        assert len(set(given)) == len(given)
        built = [option for option in given if (found := known.option(option)) and found.build]
        optimized = whole.settings.keycloak.image.kind == "optimized"
        assert container(whole.document)["Command"] == ["start", "--optimized"][:1 + optimized]
        if not optimized:
            assert "KC_DB" in built and "image/Dockerfile" not in whole.hand_over.files
            return
        dockerfile = whole.hand_over.files["image/Dockerfile"].decode()
        assert built == []
        assert "KC_DB" in re.findall(r"^ENV (\w+)=", dockerfile, re.MULTILINE)

    @every_case
    def test_every_option_is_one_the_version_knows(self, name, wholes):
        """Keycloak ignores what it doesn't know, so each KC_ variable of a template is in the version's catalog."""
        known = wholes[name].environment.catalog
        variables = [*container(wholes[name].document)["Environment"], *container(wholes[name].document)["Secrets"]]
        options = [one["Name"] for one in variables if one["Name"].startswith("KC_")]
        assert [option for option in options if not known.option(option) and not known.is_spi(option)] == []


class TestSecrets:
    @every_case
    def test_secrets_arrive_by_reference_only(self, name, wholes):
        """Nothing that Keycloak masks as a secret is a plain variable; each secret is read where it is kept."""
        document = wholes[name].document
        plain = {one["Name"] for one in container(document)["Environment"]}
        assert not plain & catalog.masked_names() and not any(option.endswith("PASSWORD") for option in plain)
        secrets = container(document)["Secrets"]
        assert {"KC_DB_USERNAME", "KC_DB_PASSWORD"} < {one["Name"] for one in secrets}
        assert all(set(one) == {"Name", "ValueFrom"} for one in secrets)

    @every_case
    def test_passwords_are_made_by_aws(self, name, wholes):
        """No secret has a value in the template, and the database's password is named, not written."""
        document = wholes[name].document
        secrets = document.of_type("AWS::SecretsManager::Secret")
        assert secrets
        for secret in secrets:
            assert "SecretString" not in secret.properties
            generated = secret.properties["GenerateSecretString"]
            assert generated["PasswordLength"] >= 32
            assert list(json.loads(generated["SecretStringTemplate"])) == ["username"]
        for database in document.of_type("AWS::RDS::DBInstance"):
            assert database.properties["MasterUserPassword"] == {
                "Fn::Sub": "{{resolve:secretsmanager:${DatabaseSecret}:SecretString:password}}"}

    @every_case
    def test_the_first_administrator_has_the_name_of_the_params(self, name, wholes):
        """The secret that the runbook shows and the variable that Keycloak reads name the same user."""
        whole = wholes[name]
        secret = whole.document.resources["BootstrapAdminSecret"].properties["GenerateSecretString"]
        variables = {one["Name"]: one["Value"] for one in container(whole.document)["Environment"]}
        variable = ("KEYCLOAK_ADMIN" if whole.settings.keycloak.version.startswith(("24.", "25."))
                    else "KC_BOOTSTRAP_ADMIN_USERNAME")
        username = whole.settings.keycloak.admin.username
        assert json.loads(secret["SecretStringTemplate"]) == {"username": username}
        assert variables[variable] == username


class TestData:
    KEPT = {"AWS::RDS::DBInstance": {"Snapshot"}, "AWS::SecretsManager::Secret": {"Retain", "Delete"},
            "AWS::Logs::LogGroup": {"Retain", "Delete"}}

    @every_case
    def test_what_holds_data_says_what_becomes_of_it(self, name, wholes):
        """Deleting or replacing takes a snapshot of the database, and a policy stands at everything that holds data."""
        document = wholes[name].document
        for resource in document.of_type(*self.KEPT):
            policies = {resource.attributes.get(key) for key in ("DeletionPolicy", "UpdateReplacePolicy")}
            assert len(policies) == 1 and policies <= self.KEPT[resource.type], resource.logical_id
        for logical_id in ("LogGroup", "DatabaseSecret"):
            if logical_id in document.resources:
                assert document.resources[logical_id].attributes["DeletionPolicy"] == "Retain"

    @every_case
    def test_the_database_is_private_and_encrypted(self, name, wholes):
        """A created database has no public address, encrypted storage, and refuses connections without TLS."""
        whole = wholes[name]
        databases = whole.document.of_type("AWS::RDS::DBInstance")
        assert len(databases) == bool(whole.settings.database.create)
        for database in databases:
            assert database.properties["PubliclyAccessible"] is False
            assert database.properties["StorageEncrypted"] is True
            parameters = only(whole.document, "AWS::RDS::DBParameterGroup").properties
            assert parameters["Parameters"]["rds.force_ssl"] == "1"
            assert parameters["Family"] == "postgres" + database.properties["EngineVersion"].split(".")[0]

    def test_a_snapshot_takes_the_place_of_name_and_user(self, wholes):
        """RDS refuses a name and a user beside a snapshot, which has its own; without a snapshot both are given."""
        for name in NAMES:
            for database in wholes[name].document.of_type("AWS::RDS::DBInstance"):
                restored = "DBSnapshotIdentifier" in database.properties
                assert restored == (wholes[name].settings.database.create.snapshot is not None)
                assert {"DBName", "MasterUsername"} & set(database.properties) == (
                    set() if restored else {"DBName", "MasterUsername"})


class TestOutputs:
    @every_case
    def test_outputs_say_what_they_are(self, name, wholes):
        """Every output has a description and a value; there is no export, which would tie other stacks to this one."""
        outputs = wholes[name].document.data["Outputs"]
        assert {"Url", "LoadBalancerDnsName", "ServiceName", "LogGroupName"} <= set(outputs)
        assert all(set(output) == {"Description", "Value"} for output in outputs.values())


def test_the_project_renders_what_is_committed(wholes):
    """`rendered/` holds, byte for byte, what params and templates give."""
    for name in ENVIRONMENTS:
        folder = PROJECT / "rendered" / name
        there = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert there == wholes[name].hand_over.files, f"run `cloakform render {name}` and review the difference"
