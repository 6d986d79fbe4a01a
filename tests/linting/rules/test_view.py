"""What rules see of a template: which containers are Keycloak, what they are told, and who reaches whom."""

from __future__ import annotations

import pytest
from laying import laid, viewed

from generator.linting.view import Keycloak, View
from generator.resolving import Reference, Unknown


def seen(example: str = "", version: str = "") -> View:
    return viewed(laid(example or "{}"), version)


def keycloak(example: str = "", version: str = "") -> Keycloak:
    (found,) = seen(example, version).keycloaks
    return found


def container(*lines: str) -> str:
    """An example that changes the container."""
    body = "".join(f"        {line}\n" for line in lines)
    return f"TaskDefinition:\n  Properties:\n    ContainerDefinitions:\n      - Name: keycloak\n{body}"


def alone(image: str, *lines: str) -> View:
    """A template with one task definition of one container, and nothing of Keycloak's but what is said."""
    body = "".join(f"            {line}\n" for line in lines)
    return viewed(
        {
            "Resources": laid(
                "Task:\n  Type: AWS::ECS::TaskDefinition\n  Properties:\n    ContainerDefinitions:\n"
                f"        -   Image: {image}\n            Name: it\n{body}"
            )["Resources"]
            | {"TaskDefinition": {"Type": "AWS::SNS::Topic"}}
        }
    )


SERVER = ("Command: [start]",)
NO_FILE = "Environment: [{Name: KC_CACHE_CONFIG_FILE, Value: ~}]"


class TestFinding:
    @pytest.mark.parametrize(
        ("image", "lines"),
        [
            ("keycloak/keycloak:26.0.1", ()),
            ("quay.io/keycloak/keycloak", ()),
            ("example.com:5000/team/keycloak@sha256:" + "0" * 64, ()),
            ("registry.example.com/my-keycloak:7", ()),
            ("example/keycloak-prod:7", ()),
            ("example/sso/keycloak-custom:7", ()),
            ("example/keycloak-ha:7", ()),
            ("example/api-gateway-keycloak:7", ()),
            ("example/keycloak-node:7", ()),
            ("example/keycloak-api:7", ("Command: [/opt/keycloak/bin/kc.sh, start]",)),
            ("quay.io/keycloak/keycloak:17.0.0", ()),
            ("example/keycloak:7", ("Command: [/opt/tools/entrypoint.sh]",)),
            ("example/keycloak:7", ("Command: [java, -jar, /opt/keycloak/lib/quarkus-run.jar, start]",)),
            (
                "example/keycloak:7",
                ("EntryPoint: [sh, -c]", "Command: ['(sleep 60; kcadm.sh x) & exec /run.sh start']"),
            ),
            ("example/sso:1", ("Command: [/opt/keycloak/bin/kc.sh, start]",)),
            ("example/sso:1", ("EntryPoint: [sh, -c]", "Command: ['exec /opt/keycloak/bin/kc.sh start']")),
            ("keycloak/keycloak:26.0.1", ("Command: [sh, -c, 'export KC_DB=postgres; exec kc.sh start']",)),
            ("example/sso:1", ("Command: [sh, -c, 'kc.sh build&&exec kc.sh start --optimized']",)),
            (
                "example/sso:1",
                ("Environment: [{Name: KC_DB, Value: postgres}, {Name: KC_CACHE, Value: ispn}]",),
            ),
            (
                "!Ref Nowhere",
                ("Environment: [{Name: KC_DB, Value: x}]", "Secrets: [{Name: KC_DB_PASSWORD, ValueFrom: x}]"),
            ),
            (
                "example/sso:1",
                ("Command: [start, --optimized]", "Environment: [{Name: KC_DB, Value: postgres}]"),
            ),
        ],
    )
    def test_a_server_is_found(self, image, lines):
        """By the image's name, by kc.sh, or by variables that only servers have."""
        assert len(alone(image, *lines).keycloaks) == 1

    @pytest.mark.parametrize(
        ("image", "lines"),
        [
            ("nginx:1.27", ()),
            ("keycloak/keycloak:26.0.1", ("Command: [sh, -c, 'kc.sh start; kc.sh export --dir=/x']",)),
            ("node:20", ("Command: [start]",)),
            ("adorsys/keycloak-config-cli:6.1.0-26.0.5", ()),
            ("quay.io/keycloak/keycloak-operator:26.0.1", ()),
            ("example/keycloak-proxy:3", ()),
            *((f"example/{name}:1", ()) for name in (
                "keycloak-user-service", "keycloak-webhook", "keycloak-scim", "keycloak-api", "keycloak-worker",
                "keycloak-setup", "keycloak-otel-collector", "node-keycloak", "keycloak-exporter",
                "spring-boot-keycloak-demo",
            )),
            ("example/keycloak-demo:1.4.2", ("Command: [java, -Dkeycloak.realm=x, -jar, /app.jar]",)),
            ("example/keycloak:1", ("EntryPoint: [/usr/bin/env, X=y, npm]", "Command: [start]")),
            ("keycloak/keycloak:26.7.4", ("EntryPoint: [/opt/keycloak/bin/kcadm.sh]", "Command: [get, realms]")),
            (
                "quay.io/keycloak/keycloak:26.7.4",
                ("EntryPoint: [/bin/bash, -c]", "Command: ['cd /opt/keycloak/bin; ./kcadm.sh get realms | jq .; foo']"),
            ),
            ("quay.io/keycloak/keycloak:26.7.4", ("EntryPoint: [sh, -c]", "Command: ['sleep infinity']")),
            ("quay.io/keycloak/keycloak:16.1.1", ()),
            ("quay.io/keycloak/keycloak:16", ()),
            ("keycloak/keycloak:17.0.0-legacy", ()),
            ("quay.io/keycloak/keycloak:legacy", ()),
            (
                "example/keycloak:3",
                ("Environment: [{Name: DB_VENDOR, Value: postgres}, {Name: KEYCLOAK_USER, Value: admin}]",),
            ),
            ("jboss/keycloak:16.1.1", ("Environment: [{Name: DB_VENDOR, Value: postgres}]",)),
            ("example/app:1", ("Environment: [{Name: KC_URL, Value: x}, {Name: KC_REALM, Value: x}]",)),
            ("example/app:1", ("Environment: [{Name: KC_HOSTNAME, Value: sso.example.com}]",)),
            ("quay.io/keycloak/keycloak:26.0.1", ("Command: [export, --dir, /tmp]",)),
        ],
    )
    def test_what_only_has_its_name_is_left_alone(self, image, lines):
        """Clients, tools, proxies, one-off commands and the WildFly image aren't today's server."""
        assert alone(image, *lines).keycloaks == ()

    @pytest.mark.parametrize(
        ("one", "other", "version", "stock"),
        [
            ("quay.io/keycloak/keycloak:26.4.7", "keycloak/keycloak:26.4.7", "26.4.7", True),
            ("quay.io/keycloak/keycloak:26.4.7", "example.com/sso-keycloak:26.4.7", "26.4.7", False),
            ("quay.io/keycloak/keycloak:26.4.7", "keycloak/keycloak:24.0.5", "None", True),
        ],
    )
    def test_a_choice_between_images_is_what_both_are(self, one, other, version, stock):
        """Where the condition of an Fn::If isn't known, only what holds either way is said of the image."""
        for first, second in ((one, other), (other, one)):
            (found,) = alone(f"!If [Unheard, '{first}', '{second}']").keycloaks
            assert (str(found.version), found.image.stock) == (version, stock)

    @pytest.mark.parametrize("other", ["nginx:1.27", "!Ref Nowhere", "!Ref AWS::NoValue"])
    def test_a_choice_that_may_be_no_server_is_none(self, other):
        """One branch that is something else, or that isn't known, and the name proves nothing."""
        for branches in (f"'quay.io/keycloak/keycloak:26.4.7', {other}", f"{other}, 'keycloak/keycloak:26.4.7'"):
            assert alone(f"!If [Unheard, {branches}]").keycloaks == ()

    def test_several_are_told_apart(self):
        """Two Keycloaks in one template are two, each with what belongs to it."""
        view = viewed(
            laid(
                "Other:\n  Type: AWS::ECS::TaskDefinition\n  Properties:\n    ContainerDefinitions:\n"
                "      - {Name: old, Image: 'quay.io/keycloak/keycloak:24.0.5', Command: [start]}\n"
            )
        )
        assert [(one.name, str(one.version), len(one.services)) for one in view.keycloaks] == [
            ("keycloak", "26.7.4", 1),
            ("old", "24.0.5", 0),
        ]


class TestVersion:
    @pytest.mark.parametrize(
        ("tag", "version"),
        [
            ("26.7.4", "26.7.4"),
            ("26.0.8-0", "26.0.8"),
            ("v25.0.6", "25.0.6"),
            ("26.1.4-custom.3", "26.1.4"),
            ("prod-26.2.5", "26.2.5"),
            ("26.4", "26.4.7"),
            ("24.0.5-debian-12-r8", "24.0.5"),
            ("latest", "None"),
            ("26", "None"),
            ("1.4.2", "None"),
            ("2024.10.1", "None"),
            ("nightly", "None"),
        ],
    )
    def test_the_tag_tells_it(self, tag, version):
        """Suffixes don't matter; a number that is no Keycloak's isn't taken for one."""
        assert str(keycloak(container(f"Image: example/keycloak:{tag}")).version) == version

    @pytest.mark.parametrize(
        ("image", "release", "answers"),
        [
            ("quay.io/keycloak/keycloak:26", "26", (True, True, None, False)),
            ("keycloak/keycloak:25", "25", (True, False, False, False)),
            ("keycloak/keycloak:26.0", "26.0.8", (True, True, False, False)),
            ("keycloak/keycloak:88", "", (None,) * 4),
            ("keycloak/keycloak:latest", "", (None,) * 4),
            ("example/keycloak:26", "", (None,) * 4),
        ],
    )
    def test_a_tag_of_the_major_version_says_what_holds_for_all_of_it(self, image, release, answers):
        """`26` of Keycloak's own image may be any 26; a number of another image may count anything."""
        found = keycloak(container(f"Image: {image}"))
        asked = ((25,), (26, 0), (26, 4), (27,))
        assert (found.release, tuple(found.at_least(*one) for one in asked)) == (release, answers)

    def test_a_fact_is_settled_where_it_is_the_same_for_all(self):
        """The management port is the same for every 26, the default stack changed within it."""
        found = keycloak(container("Image: keycloak/keycloak:26", "Command: [start]", NO_FILE))
        assert (found.management_port, found.health_on_main_port, found.stack) == (9000, False, None)
        old = keycloak(container("Image: keycloak/keycloak:24", "Command: [start]", NO_FILE))
        assert (old.management_port, old.health_on_main_port, old.stack) == (None, True, "udp")

    def test_what_is_said_wins(self):
        """A version from outside wins over the tag, whatever that says."""
        assert str(keycloak(container("Image: example/keycloak:stable"), "26.0.8").version) == "26.0.8"
        assert str(keycloak("", "25.0.6").version) == "25.0.6"

    @pytest.mark.parametrize(("tag", "catalog"), [("22.0.5", "22.0.5"), ("23.0", "23.0.7"), ("21.1.2", None)])
    def test_versions_that_are_only_understood_have_options(self, tag, catalog):
        """22 and 23 can't be rendered any more, but what they take is known; of 21 nothing is."""
        found = keycloak(container(f"Image: quay.io/keycloak/keycloak:{tag}"))
        assert (found.catalog and found.catalog.source) == catalog

    @pytest.mark.parametrize("given", ["9" * 5000 + ".0.0", "26", "latest"])
    def test_what_is_no_version_counts_as_none(self, given):
        """Neither a word nor a number without end is taken for a version."""
        assert str(keycloak("", given).version) == "26.7.4"

    def test_a_tag_from_a_parameter_is_known_by_its_default(self):
        """A parameter's default is what is deployed unless somebody says otherwise; without one nothing is
        known."""
        template = laid(container("Image: !Sub 'quay.io/keycloak/keycloak:${Tag}'"))
        template["Parameters"] = {"Tag": {"Type": "String", "Default": "26.2.5"}}
        assert str(viewed(template).keycloaks[0].version) == "26.2.5"
        del template["Parameters"]["Tag"]["Default"]
        assert viewed(template).keycloaks[0].version is None
        assert viewed(template).keycloaks[0].image.stock


class TestOptions:
    def test_the_command_line_wins(self):
        """An option on the command line counts, not the variable beside it."""
        found = keycloak(
            container("Command: [start, --optimized, --http-port=8081, --proxy-headers, forwarded]")
        ).options
        assert (found.value("http-port"), found.value("proxy-headers")) == ("8081", "forwarded")
        assert found.get("proxy-headers").argument and not found.get("hostname").argument

    @pytest.mark.parametrize(
        ("text", "value"),
        [(one, None) for one in ("$X", "${X}", "$(cat /x)", "`cat /x`", '"a$X"', "a${X:-b}")] + [("'$X'", "$X")],
    )
    def test_what_a_shell_puts_in_is_not_known(self, text, value):
        """A part that the shell of a script works out makes the value unknown, one in single quotes doesn't."""
        script = f"exec kc.sh start --http-port={text} --hostname=sso".replace('"', '\\"')
        found = keycloak(container(f'Command: [bash, -c, "{script}"]')).options
        assert (found.value("http-port"), found.value("hostname")) == (value, "sso")

    @pytest.mark.parametrize(
        ("script", "port"),
        [
            ("kc.sh build --http-port=1 && exec kc.sh start --http-port=2", "2"),
            ("gosu keycloak kc.sh start --http-port=2 | tee --http-port=1", "2"),
            ("su keycloak -c 'kc.sh start --http-port=2'", "2"),
            ("curl --http-port=1 x; /run.sh start --http-port=2", "2"),
            ("curl --http-port=1 x; /run.sh --http-port=2", None),
        ],
    )
    def test_only_words_for_kc_sh_are_its_options(self, script, port):
        """What other programs of a script are given isn't Keycloak's, nor what an earlier call of kc.sh was."""
        assert keycloak(container(f'Command: [bash, -c, "{script}"]')).options.value("http-port") == port

    def test_a_value_knows_its_line(self):
        """A setting's place is that of the value in the text."""
        view = seen()
        setting = view.keycloaks[0].options.get("proxy-headers")
        assert view.document.text.splitlines()[setting.line - 1].strip() == '"Value": "xforwarded"'

    def test_a_secret_has_no_value(self):
        """What comes from Secrets is set, and its value isn't known."""
        found = keycloak().options.get("db-password")
        assert found.secret and found.value is None

    def test_what_only_aws_knows_is_not_known(self):
        """A GetAtt is set without a value, and its effective value is Unknown, never the default."""
        found = keycloak().options
        assert found.get("db-url-port").value is None and isinstance(found.effective("db-url-port"), Unknown)

    @pytest.mark.parametrize(
        ("change", "unset", "missing"),
        [
            ((), True, False),
            (("Image: quay.io/keycloak/keycloak:26.7.4",), True, True),
            (("EnvironmentFiles: [{Type: s3, Value: 'arn:aws:s3:::b/f.env'}]",), False, False),
            (("Environment: !Ref Nowhere",), False, False),
            (("Command: [sh, -c, 'kc.sh start']",), False, False),
            (("Command: !Ref Nowhere",), False, False),
        ],
        ids=["own image", "stock image", "environment files", "unknown list", "a shell", "unknown command"],
    )
    def test_absence_is_sure_or_it_is_none(self, change, unset, missing):
        """Only a whole list says that an option isn't set, and only Keycloak's own image that nothing sets
        it."""
        found = keycloak(container(*change) if change else "").options
        assert (found.unset("http-port"), found.missing("http-port")) == (unset, missing)

    @pytest.mark.parametrize(
        "change",
        [
            "Environment: [{Name: KC_CONFIG_FILE, Value: /etc/sso.conf}]",
            "Environment: [{Name: KC_CONFIG_KEYSTORE, Value: /etc/sso.p12}]",
            "Command: [--config-file=/etc/sso.conf, start]",
            "Command: [-cf, /etc/sso.conf, start]",
            "Command: [-cf=/etc/sso.conf, start]",
        ],
    )
    def test_a_file_of_options_may_set_what_the_template_does_not(self, change):
        """With config-file or config-keystore, what isn't written may still be set."""
        image = "Image: quay.io/keycloak/keycloak:26.7.4"
        found = keycloak(container(image, change)).options
        assert (found.unset("http-port"), found.missing("http-port")) == (False, False)
        assert keycloak(container(image)).options.missing("http-port")

    def test_defaults_are_the_versions(self):
        """An option that nothing sets has the default of the very version, if that is known."""
        image = "Image: quay.io/keycloak/keycloak"
        assert keycloak(container(f"{image}:24.0.5")).options.effective("transaction-xa-enabled") == "true"
        assert keycloak(container(f"{image}:26.7.4")).options.effective("transaction-xa-enabled") == "false"
        assert isinstance(keycloak(container(image)).options.effective("transaction-xa-enabled"), Unknown)

    def test_system_properties_are_found(self):
        """Also in quotes, and the last one wins; one of which a part isn't known has no value."""
        lines = (
            "Environment: [{Name: JAVA_OPTS_APPEND, Value: !Sub '-Da=1 -Db=\"x y\" -Dc=${Nowhere}.z -Da=2'}]"
        )
        found = keycloak(container(lines)).options
        said = {name: found.system_property(name).value for name in "abc"}
        assert said == {"a": "2", "b": "x y", "c": None} and found.system_property("d") is None
        assert not found.java_complete

    @pytest.mark.parametrize(
        ("variables", "value"),
        [
            (("JAVA_TOOL_OPTIONS",), "JAVA_TOOL_OPTIONS"),
            (("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"), "JDK_JAVA_OPTIONS"),
            (("JAVA_OPTS_APPEND", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS"), "JAVA_OPTS_APPEND"),
            (("JAVA_OPTS_APPEND", "_JAVA_OPTIONS"), "_JAVA_OPTIONS"),
        ],
    )
    def test_what_java_reads_itself_counts(self, variables, value):
        """Java's own variables count as well, and kc.sh's words stand behind those that come before it."""
        listed = ", ".join(f"{{Name: {name}, Value: -Da={name}}}" for name in variables)
        made = keycloak(container(f"Environment: [{listed}]")).options
        assert made.system_property("a").value == value

    def test_what_java_reads_may_not_be_known(self):
        """With a variable of Java's own that isn't known, its options aren't all known."""
        made = keycloak(container("Environment: [{Name: JAVA_TOOL_OPTIONS, Value: !Ref Nowhere}]"))
        assert not made.options.java_complete


class TestSurroundings:
    def test_the_whole_chain_is_found(self):
        """Service, target, listener, balancer, Cloud Map name, database and roles of one container."""
        found = keycloak()
        assert [one.name for one in found.services] == ["Service"]
        assert [(one.container_port, one.group.name) for one in found.targets] == [(8080, "TargetGroup")]
        assert [one.name for one in found.listeners] == ["HttpsListener"]
        assert [one.name for one in found.load_balancers] == ["LoadBalancer"]
        assert [one.entry.full_name for one in found.registrations] == ["keycloak.sso.internal"]
        assert (found.database.name, found.jdbc.host) == (
            "Database",
            Reference("Database", "Endpoint.Address"),
        )
        assert found.jdbc.parameters["sslmode"] == "verify-full"
        assert (found.execution_role.name, found.task_role.name) == ("ExecutionRole", "TaskRole")
        assert (found.clustered, found.bind_port, found.failure_port) == (True, 7800, 57800)

    @pytest.mark.parametrize(
        ("version", "port"),
        [("26.7.4", 7900), ("26.4.11", 7900), ("26.4.7", 7800), ("26.5.5", 7800), ("26.3.5", 7800), ("24.0.5", 7800)],
    )
    def test_the_cluster_port_is_the_one_that_the_version_takes(self, version, port):
        """The option for it counts from 26.4 on and not in the patch levels that ignore it; Java's property
        always does."""
        option = "{Name: KC_CACHE_EMBEDDED_NETWORK_BIND_PORT, Value: '7900'}"
        found = keycloak(container(f"Environment: [{option}]"), version)
        assert (found.bind_port, found.failure_port) == (port, port + 50000)
        java = "{Name: JAVA_OPTS_APPEND, Value: -Djgroups.bind.port=7901}"
        found = keycloak(container(f"Environment: [{option}, {java}]"), version)
        assert found.bind_port == (port if port == 7900 else 7901)

    def test_the_cluster_port_of_an_unknown_version_is_not_known(self):
        """Whether the option counts isn't known then, so neither is the port."""
        option = "Environment: [{Name: KC_CACHE_EMBEDDED_NETWORK_BIND_PORT, Value: '7900'}]"
        assert keycloak(container("Image: example/keycloak:blue", option)).bind_port is None
        assert keycloak(container("Image: example/keycloak:blue")).bind_port == 7800

    def test_a_url_makes_the_host_count_no_more(self):
        """Keycloak ignores db-url-host where db-url is set, so the template's database isn't its own."""
        url = "{Name: KC_DB_URL, Value: 'jdbc:postgresql://db.example.com/kc'}"
        assert keycloak().database.name == "Database"
        assert keycloak(container(f"Environment: [{url}]")).database is None

    def test_a_url_of_parts_is_read(self):
        """KC_DB_URL made by Sub has a reference for its host and known parts beside it."""
        line = '{Name: KC_DB_URL, Value: !Sub "jdbc:postgresql://${Database.Endpoint.Address}:5432/kc?sslmode=require"}'
        found = keycloak(container(f"Environment: [{line}]"))
        assert found.database.name == "Database"
        assert (found.jdbc.port, found.jdbc.database, found.jdbc.parameters) == (
            "5432",
            "kc",
            {"sslmode": "require"},
        )

    @pytest.mark.parametrize(
        ("most", "expected"),
        [("", (2, 2, 3)), ("6", (3, 6, 9)), ("!Ref Nowhere", (3, None, None))],
        ids=["no scaling", "known", "unknown"],
    )
    def test_tasks_are_counted(self, most, expected):
        """Scaling decides how few and how many; what isn't known stays unknown."""
        example = (
            "ScalableTarget:\n  Type: AWS::ApplicationAutoScaling::ScalableTarget\n  Properties:\n"
            "    ServiceNamespace: ecs\n    ScalableDimension: ecs:service:DesiredCount\n"
            '    ResourceId: !Sub "service/${Cluster}/${Service.Name}"\n'
            f"    MinCapacity: 3\n    MaxCapacity: {most}\n"
        )
        (service,) = seen(example if most else "").services.values()
        counts = (service.least_tasks, service.most_tasks, service.most_tasks_while_deploying)
        assert counts == expected

    def test_connections_of_a_database(self):
        """A parameter wins over the instance's memory; a parameter group of elsewhere leaves it open."""
        assert keycloak().database.max_connections == 901
        parameters = 'DatabaseParameters:\n  Properties: {Parameters: {max_connections: "50"}}\n'
        assert keycloak(parameters).database.max_connections == 50
        assert (
            keycloak("Database:\n  Properties: {DBParameterGroupName: theirs}\n").database.max_connections
            is None
        )

    def test_a_role_that_reads_a_secret(self):
        """The very secret is allowed, another one isn't, and a policy of elsewhere leaves it open."""
        found = keycloak()
        secret = found.options.get("db-password").place
        assert found.execution_role.allows("secretsmanager:GetSecretValue", secret) is True
        assert found.execution_role.allows("kms:Decrypt", secret) is False
        assert found.task_role.allows("secretsmanager:GetSecretValue", secret) is False
        elsewhere = keycloak("TaskRole:\n  Properties: {ManagedPolicyArns: ['arn:aws:iam::1:policy/x']}\n")
        assert elsewhere.task_role.allows("secretsmanager:GetSecretValue", secret) is None

    @pytest.mark.parametrize(
        ("allowed", "named", "answer"),
        [
            ("db-AbCdEf", "db-AbCdEf:password::", True),
            ("db-??????", "db-AbCdEf:password::", True),
            ("db-??????", "db-AbCdEf", True),
            ("db-*", "db-AbCdEf:password:AWSCURRENT:", True),
            ("db-??????", "db:password::", None),
            ("db-??????", "db", None),
            ("other-??????", "db-AbCdEf:password::", False),
            ("db-??????", "db2-AbCdEf:password::", False),
        ],
    )
    def test_a_role_that_reads_a_secret_of_elsewhere(self, allowed, named, answer):
        """A literal ARN is compared without the JSON key behind it; one without its six characters may be
        the one that is allowed."""
        arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret"
        example = (
            "ExecutionRole:\n  Properties:\n    Policies:\n      - PolicyName: p\n        PolicyDocument:\n"
            "          Statement:\n            - {Effect: Allow, Action: 'secretsmanager:GetSecretValue', "
            f"Resource: '{arn}:{allowed}'}}\n"
        ) + container(f"Secrets: [{{Name: KC_DB_PASSWORD, ValueFrom: '{arn}:{named}'}}]")
        found = keycloak(example)
        secret = found.options.get("db-password").place
        assert found.execution_role.allows("secretsmanager:GetSecretValue", secret) is answer


class TestFirewall:
    def reach(self, example: str, port: int, *, health: bool = False) -> bool | None:
        view = seen(example)
        (service,) = view.services.values()
        (balancer,) = view.balancers.load_balancers.values()
        return view.firewall.may_reach(balancer.party if health else service.party, service.party, port)

    def test_what_the_groups_say(self):
        """Ports that are open are open, others aren't."""
        assert [self.reach("", port) for port in (7800, 57800, 8080)] == [True, True, False]
        assert [self.reach("", port, health=True) for port in (8080, 9000, 7800)] == [True, True, False]

    @pytest.mark.parametrize(
        ("change", "answer"),
        [
            ("TaskInCluster: ~", False),
            ("TaskInCluster: {Properties: {SourceSecurityGroupId: ~, CidrIp: 10.0.0.0/16}}", True),
            ("TaskInCluster: {Properties: {SourceSecurityGroupId: ~, CidrIp: 192.168.0.0/16}}", False),
            ("TaskInCluster: {Properties: {SourceSecurityGroupId: ~, CidrIp: 10.0.2.0/24}}", None),
            ("TaskInCluster: {Properties: {SourceSecurityGroupId: ~, CidrIp: !Ref Nowhere}}", None),
            ("TaskInCluster: {Properties: {SourceSecurityGroupId: sg-0123456789abcdef0}}", False),
            ("TaskInCluster: {Properties: {FromPort: !Ref Nowhere}}", None),
            ("TaskInCluster: {Properties: {FromPort: 7000, ToPort: 8000}}", True),
            ('TaskInCluster: {Properties: {IpProtocol: "-1", FromPort: ~, ToPort: ~}}', True),
            ("TaskInCluster: {Properties: {IpProtocol: udp}}", False),
            ("TaskInCluster: {Condition: Nobody}", None),
            ("TaskInCluster: {Properties: {GroupId: !Ref Nowhere}}", None),
            (
                "TaskSecurityGroup: {Properties: {SecurityGroupEgress:"
                " [{IpProtocol: '-1', CidrIp: 127.0.0.1/32}]}}",
                False,
            ),
            ("TaskSecurityGroup: {Properties: {SecurityGroupEgress: !Ref Nowhere}}", None),
        ],
    )
    def test_three_answers(self, change, answer):
        """True and False are sure; what can't be told is neither."""
        assert self.reach(change, 7800) is answer

    def test_groups_of_elsewhere_leave_it_open(self):
        """Nobody knows what a group lets in that the template doesn't hold."""
        groups = (
            "{AwsvpcConfiguration: {Subnets: [!Ref PrivateSubnetA], SecurityGroups: [sg-0123456789abcdef0]}}"
        )
        assert self.reach(f"Service: {{Properties: {{NetworkConfiguration: {groups}}}}}", 7800) is None

    def test_a_macro_leaves_it_open(self):
        """Where a macro may add resources, nothing is sure to be missing."""
        template = laid("TaskInCluster: ~")
        template["Transform"] = ["Mine"]
        view = viewed(template)
        (service,) = view.services.values()
        assert not view.whole and view.firewall.may_reach(service.party, service.party, 7800) is None


OPEN = "HttpsListener: {Properties: {DefaultActions: [{Type: forward, TargetGroupArn: !Ref TargetGroup}]}}"
SOURCE = "AdminRule: {Properties: {Conditions: [{Field: source-ip, SourceIpConfig: {Values: [%s]}}]}}"
EVERY_PATH = "[{Field: path-pattern, PathPatternConfig: {Values: ['/*']}}]"


class TestListeners:
    ADMIN, LOGIN = "/admin/master/console/", "/realms/x/"

    def by(self, path: str, example: str = "") -> list[str]:
        view = seen(example)
        return [
            one.name
            for one, _ in view.balancers.listeners["HttpsListener"].reached_by(path, ("TargetGroup",))
        ]

    def test_the_good_template(self):
        """Logins are reached by their rule, the admin console by nobody."""
        assert (self.by(self.LOGIN), self.by(self.ADMIN)) == (["PublicRule"], [])

    @pytest.mark.parametrize(
        ("change", "names"),
        [
            (
                SOURCE % "0.0.0.0/0",
                ["AdminRule"],
            ),
            (
                SOURCE % "!Ref No",
                [],
            ),
            (
                f"PublicRule: {{Properties: {{Conditions: {EVERY_PATH}}}}}",
                ["PublicRule"],
            ),
            (
                f"PublicRule: {{Properties: {{Conditions: {EVERY_PATH}, Priority: !Ref No}}}}",
                [],
            ),
            (
                OPEN,
                ["the default action of HttpsListener"],
            ),
            (
                "HttpsListener: {Properties: {DefaultActions: [{Type: authenticate-oidc, Order: 1},"
                " {Type: forward, Order: 2, TargetGroupArn: !Ref TargetGroup}]}}",
                [],
            ),
        ],
        ids=["everybody", "unknown sources", "every path", "unknown order", "default", "a login before"],
    )
    def test_who_reaches_the_admin_console(self, change, names):
        """A rule that surely lets everybody through is named; one of which a part isn't known is not."""
        assert self.by(self.ADMIN, change) == names

    def test_an_earlier_rule_shuts_the_door(self):
        """A rule that denies the path before keeps it from being reached; one on a header can be dodged."""
        example = (
            OPEN + "\n"
            "Deny:\n  Type: AWS::ElasticLoadBalancingV2::ListenerRule\n"
            "  Properties:\n    ListenerArn: !Ref HttpsListener\n    Priority: 1\n"
            "    Actions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: '403'}}]\n"
            "    Conditions: [%s]\n"
        )
        path = "{Field: path-pattern, PathPatternConfig: {Values: ['/admin*']}}"
        header = "{Field: http-header, HttpHeaderConfig: {HttpHeaderName: X-Bad, Values: ['*']}}"
        assert self.by(self.ADMIN, example % path) == []
        assert self.by(self.ADMIN, example % header) == ["the default action of HttpsListener"]

    def test_a_balancer_for_few_is_not_public(self):
        """An internet-facing balancer whose group lets in one network only isn't reached by everybody."""
        ingress = "[{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: %s}]"
        change = "LoadBalancerSecurityGroup: {Properties: {SecurityGroupIngress: %s}}"
        answers = [
            seen(change % (ingress % cidr)).balancers.listeners["HttpsListener"].public
            for cidr in ("0.0.0.0/0", "203.0.113.0/24", "!Ref Nowhere")
        ]
        assert answers == [True, False, None]
