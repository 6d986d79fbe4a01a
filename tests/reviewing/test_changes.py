"""What counts as a change, and how it is told."""

from __future__ import annotations

import json

import pytest

from generator.document import parse
from generator.reviewing.changes import Side, compare
from tests.reviewing.examples import artefact, committed, compared, edited, names, resource, template

TASK = "AWS::ECS::TaskDefinition"


def with_value(value, name: str = "Property") -> str:
    return template(Here=resource("AWS::Some::Type", {name: value}), X=resource("AWS::Other::Type"))


def container(**keys) -> str:
    return template(Task=resource(TASK, {"ContainerDefinitions": [{"Name": "keycloak", **keys}]}))


class TestSame:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"Ref": "X"}, {"Fn::Sub": "${X}"}),
            ({"Fn::GetAtt": ["X", "Arn"]}, {"Fn::GetAtt": "X.Arn"}),
            ({"Fn::GetAtt": ["X", "Endpoint.Port"]}, {"Fn::Sub": "${X.Endpoint.Port}"}),
            ({"Fn::Join": ["", ["a-", {"Ref": "X"}, "-b"]]}, {"Fn::Sub": "a-${X}-b"}),
            ({"Fn::Join": [":", ["a", "b"]]}, "a:b"),
            ({"Fn::Sub": ["${Y}:p", {"Y": {"Ref": "X"}}]}, {"Fn::Sub": "${X}:p"}),
            ({"Fn::Sub": ["${Y}", {"Y": "text"}]}, "text"),
            ({"Fn::Sub": "${!Literal}"}, "${Literal}"),
            ({"Fn::Join": ["", ["a", {"Fn::Sub": "b${X}"}]]}, {"Fn::Sub": "ab${X}"}),
            (8080, "8080"),
            (True, "true"),
            ({"a": 1, "b": 2}, {"b": "2", "a": "1"}),
            ({"a": 1, "b": {"Ref": "AWS::NoValue"}}, {"a": 1}),
            ({"Fn::Select": [1, ["a", "b"]]}, "b"),
            ({"Fn::GetAZs": ""}, {"Fn::GetAZs": {"Ref": "AWS::Region"}}),
        ],
    )
    def test_forms_of_one_value(self, one, other):
        """Another way to write a value is no change, in either direction."""
        assert not compared(with_value(one), with_value(other))
        assert not compared(with_value(other), with_value(one))

    @pytest.mark.parametrize(
        ("name", "one", "other"),
        [
            ("Action", "s3:Get", ["s3:Get"]),
            ("Action", ["a", "b"], ["b", "a"]),
            ("Subnets", [{"Ref": "X"}, "subnet-1"], ["subnet-1", {"Fn::Sub": "${X}"}]),
            (
                "Tags",
                [{"Key": "a", "Value": 1}, {"Key": "b", "Value": "2"}],
                [{"Key": "b", "Value": "2"}, {"Value": "1", "Key": "a"}],
            ),
            ("Statement", {"Effect": "Allow", "Action": "a"}, [{"Action": ["a"], "Effect": "Allow"}]),
            (
                "SecurityGroupIngress",
                [{"IpProtocol": "tcp", "FromPort": 1}, {"IpProtocol": "udp"}],
                [{"IpProtocol": "udp"}, {"IpProtocol": "tcp", "FromPort": "1"}],
            ),
        ],
    )
    def test_order_that_says_nothing(self, name, one, other):
        """Lists whose order AWS doesn't look at may be in any order; one item needs no list."""
        assert not compared(with_value(one, name), with_value(other, name))

    def test_comments_order_and_form_of_a_whole_template(self):
        """A template written as JSON, without comments and in another order is the same template."""
        text = committed("prod")
        data = parse(text).data
        data["Resources"] = dict(reversed(data["Resources"].items()))
        assert "# " in text
        assert not compared(text, json.dumps(data))

    def test_a_parameter_is_what_it_is_set_to(self):
        """A parameter with a value means that value; another value changes what uses it."""

        def text(default):
            return json.dumps(
                {
                    "Parameters": {"Size": {"Type": "Number", "Default": default}},
                    "Resources": {"Here": resource("AWS::Some::Type", {"Size": {"Ref": "Size"}})},
                }
            )

        assert not compared(text(1), template(Here=resource("AWS::Some::Type", {"Size": 1}))).resources
        assert names(text(1), text(2)) == {"Size": ("1", "2")}

    def test_a_condition_that_is_known(self):
        """A resource whose condition doesn't hold isn't there."""

        def text(value):
            return json.dumps(
                {
                    "Conditions": {"Yes": {"Fn::Equals": [value, "a"]}},
                    "Resources": {"Here": resource("AWS::Some::Type", Condition="Yes")},
                }
            )

        (change,) = compared(text("b"), text("a")).resources
        assert (change.kind, change.logical_id) == ("added", "Here")


class TestDifferent:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ({"Ref": "X"}, "X"),
            ({"Ref": "X"}, {"Fn::GetAtt": ["X", "Arn"]}),
            ({"Fn::Sub": "${X}-a"}, {"Fn::Sub": "${X}-b"}),
            ({"Fn::Sub": "${X}"}, {"Fn::Sub": "${!X}"}),
            ("17.10", "17.1"),
            (1, 2),
            ({"a": 1}, {"a": 1, "b": 1}),
            (["start", "--optimized"], ["--optimized", "start"]),
            ({"Fn::If": ["Unknown", "a", "b"]}, {"Fn::If": ["Unknown", "b", "a"]}),
        ],
    )
    def test_values(self, one, other):
        """What means something else is a change, in either direction."""
        for pair in ((one, other), (other, one)):
            changes = compared(*(with_value(value) for value in pair))
            assert [change.logical_id for change in changes.resources] == ["Here"]

    def test_items_are_told_by_name(self):
        """A variable that moves up isn't told; one that changes, comes or goes is, under its name."""
        one = container(
            Environment=[
                {"Name": "A", "Value": "1"},
                {"Name": "B", "Value": "2"},
                {"Name": "C", "Value": "3"},
            ]
        )
        other = container(
            Environment=[{"Name": "D", "Value": "4"}, {"Name": "C", "Value": 3}, {"Name": "A", "Value": "9"}]
        )
        where = "ContainerDefinitions[keycloak].Environment"
        assert names(one, other) == {
            f"{where}[A]": ("1", "9"),
            f"{where}[B]": ("2", None),
            f"{where}[D]": (None, "4"),
        }

    def test_lists_by_their_own_keys(self):
        """Ports by number, tags by key, attributes by key, conditions by field."""
        one = {
            "PortMappings": [{"ContainerPort": 1, "Name": "a"}, {"ContainerPort": 2, "Name": "b"}],
            "Tags": [{"Key": "Name", "Value": "a"}],
            "Other": [{"Field": "host-header", "Values": ["a"]}, {"Field": "path-pattern", "Values": ["/"]}],
        }
        other = {
            "PortMappings": [{"ContainerPort": 2, "Name": "c"}, {"ContainerPort": 1, "Name": "a"}],
            "Tags": [{"Key": "Name", "Value": "b"}],
            "Other": [
                {"Field": "path-pattern", "Values": ["/", "/b"]},
                {"Field": "host-header", "Values": ["a"]},
            ],
        }
        found = names(*(template(Here=resource("AWS::Some::Type", side)) for side in (one, other)))
        assert found == {
            "PortMappings[2].Name": ("b", "c"),
            "Tags[Name]": ("a", "b"),
            "Other[path-pattern].Values[/b]": (None, "/b"),
        }

    def test_a_statement_that_grows(self):
        """An action more is told as that, not as another statement."""

        def text(*actions):
            document = {
                "Statement": [
                    {"Effect": "Allow", "Action": "a", "Resource": "*"},
                    {"Effect": "Allow", "Action": list(actions), "Resource": "r"},
                ]
            }
            return template(
                Role=resource(
                    "AWS::IAM::Role", {"Policies": [{"PolicyName": "p", "PolicyDocument": document}]}
                )
            )

        ((name, values),) = names(text("b", "c"), text("b", "c", "d")).items()
        assert name.endswith(".Action[d]") and values == (None, "d")

    def test_a_rules_description_tells_no_rules_apart(self):
        """A security group's rule is told by whom it lets in; its description is one property of it."""

        def text(description):
            return template(
                Group=resource(
                    "AWS::EC2::SecurityGroup",
                    {
                        "SecurityGroupIngress": [
                            {
                                "IpProtocol": "tcp",
                                "FromPort": 1,
                                "ToPort": 1,
                                "CidrIp": "10.0.0.0/8",
                                "Description": description,
                            }
                        ]
                    },
                )
            )

        ((name, values),) = names(text("a"), text("b")).items()
        assert name.endswith("].Description") and values == ("a", "b")

    def test_lines_of_both_texts(self):
        """Each change names the line in either text."""
        text = committed("prod")
        other = edited("# one line more\n" + text, ("MultiAZ: true", "MultiAZ: false"))
        ((change,),) = [one.changes for one in compared(text, other).resources]
        lines = [
            side.splitlines()[line - 1]
            for side, line in ((text, change.before_line), (other, change.after_line))
        ]
        assert [line.strip() for line in lines] == ["MultiAZ: true", "MultiAZ: false"]
        assert change.after_line == change.before_line + 1

    def test_attributes(self):
        """What stands beside the properties is compared, too; DependsOn as a set."""
        one = template(Here=resource("T", DeletionPolicy="Retain", DependsOn=["A", "B"]))
        other = template(Here=resource("T", DeletionPolicy="Delete", DependsOn=["B", "A"]))
        assert names(one, other) == {"DeletionPolicy": ("Retain", "Delete")}

    def test_a_rename(self):
        """The same resource under another logical id is one that goes and one that comes."""
        body = resource("AWS::RDS::DBInstance", {"Engine": "postgres", "AllocatedStorage": 20})
        other = resource("AWS::Logs::LogGroup")
        found = compared(template(Old=body, Log=other), template(New=body, Group=other)).resources
        told = {one.logical_id: (one.kind, one.renamed) for one in found}
        assert told["New"] == ("added", "Old") and told["Old"] == ("removed", "New")

    def test_another_resource_is_no_rename(self):
        """What shares a type only isn't taken for the same."""
        one = template(Old=resource("AWS::RDS::DBInstance", {"Engine": "postgres", "AllocatedStorage": 20}))
        other = template(New=resource("AWS::RDS::DBInstance", {"Engine": "mysql", "AllocatedStorage": 50}))
        assert all(not change.renamed for change in compared(one, other).resources)


class TestEnvironments:
    @staticmethod
    def differing(**values: tuple[str, str]) -> set[str]:
        """Which properties differ between `dev` and `prod`."""
        dev, prod = (
            artefact(with_value({key: both[at] for key, both in values.items()}, "Data"), name=name)
            for at, name in enumerate(("dev", "prod"))
        )
        found = compare(dev.side(prod), prod.side(dev))
        return {change.name.removeprefix("Data.") for one in found.resources for change in one.changes}

    def test_what_comes_from_the_name(self):
        """A value that only says the environment's own name is no difference; another's name is one."""
        assert not self.differing(Name=("keycloak-dev", "keycloak-prod"), Host=("a.dev.test", "a.prod.test"))
        assert self.differing(Host=("a.dev.test", "a.dev.test")) == {"Host"}

    def test_a_device_is_no_name(self):
        """A command of both that speaks of `/dev/tcp` is the same in `dev`; a folder of that name isn't."""
        command = "true <>/dev/tcp/localhost/9000 2>/dev/null"
        assert not self.differing(Command=(command, command))
        assert self.differing(Path=("/dev/tasks", "/dev/tasks")) == {"Path"}


class TestSecrets:
    @pytest.mark.parametrize(
        "changes",
        [
            {"Environment": [{"Name": "KC_DB_PASSWORD", "Value": "hunter22"}]},
            {"Environment": [{"Name": "KC_HTTPS_KEY_STORE_PASSWORD", "Value": "hunter22"}]},
            {"Environment": [{"Name": "KC_DB_URL", "Value": "jdbc:postgresql://host/db?password=hunter22"}]},
            {"Environment": [{"Name": "PROXY", "Value": "http://user:hunter22@proxy"}]},
            {"Options": {"MasterUserPassword": "hunter22"}},
        ],
    )
    def test_literals_are_hidden(self, changes):
        """A secret that somebody wrote into a template isn't repeated, neither as added nor as changed."""
        texts = [
            container(),
            container(**changes),
            container(**json.loads(json.dumps(changes).replace("hunter22", "hunter33"))),
        ]
        for one in texts:
            for other in texts:
                assert "hunter" not in repr(names(one, other))
        assert len(names(texts[1], texts[2])) == 1

    def test_where_a_secret_is_may_be_seen(self):
        """References to secrets and options that aren't secret are shown."""
        reference = "{{resolve:secretsmanager:arn:x:SecretString:password}}"
        found = names(
            container(),
            container(
                Environment=[{"Name": "KC_DB_USERNAME", "Value": "kc"}],
                Secrets=[{"Name": "KC_DB_PASSWORD", "ValueFrom": {"Fn::Sub": "${Secret}:password::"}}],
                Options={"MasterUserPassword": reference},
            ),
        )
        assert "hidden" not in repr(found) and reference in repr(found) and "!Sub" in repr(found)

    def test_the_default_of_a_silent_parameter(self):
        """A NoEcho parameter's default is hidden, an ordinary one's is not."""

        def text(value):
            return json.dumps(
                {
                    "Parameters": {
                        "Quiet": {"Type": "String", "NoEcho": True, "Default": value},
                        "Loud": {"Type": "String", "Default": value},
                    },
                    "Resources": {
                        "A": resource("T", {"One": {"Ref": "Quiet"}, "Two": {"Fn::Sub": "x-${Quiet}"}})
                    },
                }
            )

        told = compared(text("first"), text("second")).of("A")
        assert [change.name for change in told.changes] == ["One", "Two"]
        assert "first" not in repr(told.changes) and "second" not in repr(told.changes)
        found = {
            change.name: change
            for one in compared(text("first"), text("second")).sections
            for change in one.changes
        }
        assert found["Loud.Default"].before == "first"
        assert "first" not in repr(found["Quiet.Default"]) and "second" not in repr(found["Quiet.Default"])


@pytest.mark.parametrize(
    "text",
    [
        "Resources: []",
        "Resources: {A: 1}",
        "Resources: {A: {Type: [], Properties: 3}}",
        "Parameters: 5",
        "Resources: {A: {Type: T, Properties: {X: {'Fn::GetAtt': x}, Y: {'Fn::GetAtt': [A, {Ref: B}]}, "
        "Z: {'Fn::Sub': ['${a}', {a: {'Fn::GetAtt': 3}}]}}}}",
        "Resources: {A: {Type: T, Properties: {Tags: {Ref: [1]}, X: {'Fn::Sub': []}, Y: "
        "{'Fn::Join': [1]}, Z: null}}}",
        "Conditions: {A: {Condition: A}}\nResources: {A: {Type: T, Condition: A, "
        "Properties: {X: {'Fn::If': [A, 1, 2]}}}}",
        "Resources: {A: {Type: T, Properties: {Environment: [1, [2], {Name: {}}], Tags: [{Key: [1]}], "
        "Conditions: 5}}}",
    ],
)
def test_odd_templates(text):
    """A template that makes no sense is compared all the same, with itself and with a good one."""
    good = "Resources: {A: {Type: T, Properties: {Tags: [{Key: a, Value: b}]}}}"
    assert not compared(text, text)
    for pair in ((text, good), (good, text)):
        compare(*(Side.of(parse(one)) for one in pair))
