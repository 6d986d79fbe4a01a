"""Values of a document: worked out as far as they can be, and never further."""

from __future__ import annotations

from textwrap import dedent, indent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.document import Document, parse
from generator.resolving import (
    NO_VALUE,
    Place,
    Reference,
    Resolver,
    Text,
    Unknown,
    is_known,
    join_text,
    scalar_text,
    whole_number,
)

HEAD = dedent("""\
    Parameters:
      Stage: {Type: String, Default: test}
      Count: {Type: Number, Default: 3}
      Networks: {Type: CommaDelimitedList, Default: "10.0.0.0/8, 192.0.2.0/24"}
      Subnets: {Type: "List<AWS::EC2::Subnet::Id>"}
      Nothing: {Type: String, Default: ""}
      Missing: {Type: String}
      Stored: {Type: "AWS::SSM::Parameter::Value<String>", Default: /keycloak/image}
    Mappings:
      Sizes:
        test: {Cpu: 512, Zones: [a, b]}
        prod: {Cpu: 2048, Zones: [a, b, c]}
    Conditions:
      IsProd: !Equals [!Ref Stage, prod]
      IsTest: !Not [!Condition IsProd]
      Either: !Or [!Condition IsProd, !Equals [!Ref Missing, x]]
      Both: !And [!Condition IsProd, !Equals [!Ref Missing, x]]
      Neither: !And [!Condition IsTest, !Equals [!Ref Missing, x]]
      Loop: !Not [!Condition Loop]
      Odd: {"Fn::Contains": [[a], a]}
      HasThree: !Equals [!Ref Count, 3]
      Flag: !Equals ["true", true]
    Resources:
      Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.40.0.0/20}}
      Db: {Type: "AWS::RDS::DBInstance"}
      Ghost: {Type: "AWS::RDS::DBInstance", Condition: IsProd}
      Perhaps: {Type: "AWS::RDS::DBInstance", Condition: Either}
      Loose: {Type: "AWS::SSM::Parameter", Properties: {Value: !GetAtt Loose.Value}}
      Name: {Type: "AWS::SSM::Parameter", Properties: {Value: !Sub "${Stage}-name"}}
      Subject:
        Type: Custom::Subject
        Properties:
          Value:
    """)


def document(value: str) -> Document:
    """The template above with `value` (YAML) as the property Value of Subject."""
    return parse(HEAD.replace("      Value:\n", f"      Value:\n{indent(dedent(value), ' ' * 8)}\n", 1))


def resolved(value: str, parameters: dict[str, str] | None = None, **known: Any) -> Any:
    """What that value comes to."""
    found = document(value)
    known = {"region": "eu-central-1", "account": "111111111111", "stack_name": "sso", **known}
    return Resolver(found, parameters, **known).value(found.resources["Subject"].properties["Value"])


KNOWN = [
    ("parameter", "!Ref Stage", "test"),
    ("number parameter is text", "!Ref Count", "3"),
    ("list parameter", "!Ref Networks", ["10.0.0.0/8", "192.0.2.0/24"]),
    ("empty parameter", "!Ref Nothing", ""),
    ("region", "!Ref AWS::Region", "eu-central-1"),
    ("account in text", '!Sub "arn:${AWS::Partition}:x:${AWS::AccountId}"', "arn:aws:x:111111111111"),
    ("url suffix", "!Ref AWS::URLSuffix", "amazonaws.com"),
    ("stack name", "!Ref AWS::StackName", "sso"),
    ("sub with own values", '!Sub ["${A}-${Stage}", {A: !Select [1, [x, y]]}]', "y-test"),
    ("own value wins over a parameter", '!Sub ["${Stage}", {Stage: own}]', "own"),
    ("literal variable", '!Sub "${!Stage}/${Stage}"', "${Stage}/test"),
    ("numbers in a join", "!Join ['-', [1, 2.5, true, x]]", "1-2.5-true-x"),
    ("empty join", "!Join [',', []]", ""),
    ("a word too many in a join", "!Join [-, [a, b], c]", "a-b"),
    ("split and select", "!Select [1, !Split ['/', 'a/b/c']]", "b"),
    ("select with text", "!Select ['0', !Ref Networks]", "10.0.0.0/8"),
    ("if", "!If [IsProd, big, small]", "small"),
    ("nested if", "!If [IsTest, !If [IsProd, a, b], c]", "b"),
    ("map", "!FindInMap [Sizes, !Ref Stage, Cpu]", 512),
    ("list in a map", "!FindInMap [Sizes, test, Zones]", ["a", "b"]),
    ("map with a default", '{"Fn::FindInMap": [Sizes, none, Cpu, {DefaultValue: 1}]}', 1),
    ("zones", '!GetAZs ""', ["eu-central-1a", "eu-central-1b", "eu-central-1c"]),
    ("zones of another region", "!GetAZs us-east-1", ["us-east-1a", "us-east-1b", "us-east-1c"]),
    ("cidr", "!Cidr [10.0.0.0/16, 2, 8]", ["10.0.0.0/24", "10.0.1.0/24"]),
    ("cidr of the vpc", "!Select [3, !Cidr [!GetAtt Vpc.CidrBlock, 4, 6]]", "10.40.0.192/26"),
    ("base64", '!Base64 "ü"', "w7w="),
    ("attribute that is a property", "!GetAtt Name.Value", "test-name"),
    ("length", '{"Fn::Length": !Ref Networks}', 2),
    ("json", '{"Fn::ToJsonString": {a: !Ref Stage, b: [1]}}', '{"a":"test","b":[1]}'),
    ("no value in a list", "[a, !Ref AWS::NoValue, b]", ["a", "b"]),
    ("no value in a mapping", "{a: !If [IsProd, 1, !Ref AWS::NoValue], b: 2}", {"b": 2}),
    ("a policy's Condition is no function", "{Condition: IsProd}", {"Condition": "IsProd"}),
    ("plain data", "[1, {a: null}]", [1, {"a": None}]),
]


@pytest.mark.parametrize(("value", "expected"), [case[1:] for case in KNOWN], ids=[case[0] for case in KNOWN])
def test_known(value: str, expected: Any):
    """What the template alone tells comes out as plain data."""
    assert resolved(value) == expected


UNKNOWN = [
    ("parameter without a value", "!Ref Missing", "Missing has no value"),
    ("parameter of the store", "!Ref Stored", "/keycloak/image in SSM"),
    ("export", "!ImportValue net", "exports it as net"),
    ("no such name", "!Ref Nobody", "neither a parameter nor a resource"),
    ("resource that isn't there", "!GetAtt Ghost.Arn", "condition is false"),
    ("condition nobody can tell", "!If [Either, a, b]", "Missing has no value"),
    ("no such condition", "!If [Nope, a, b]", "no condition Nope"),
    ("loop of conditions", "!If [Loop, a, b]", "depends on itself"),
    ("condition with an odd function", '!Sub ["${A}", {A: !If [Odd, a, b]}]', "no condition function"),
    ("position behind the end", "!Select [5, [a]]", "item 5 of a list of 1"),
    ("negative position", "!Select [-1, [a]]", "item -1"),
    ("no such key in a map", "!FindInMap [Sizes, none, Cpu]", "Sizes.none.Cpu"),
    ("split of what is made later", "!Split [':', !GetAtt Db.Arn]", "Db.Arn is known once"),
    ("too many networks", "!Cidr [10.0.0.0/24, 200, 6]", "doesn't hold 200"),
    ("networks larger than the block", "!Cidr [10.0.0.0/24, 1, 16]", "that fit"),
    ("odd cidr", "!Cidr [here, 1, 8]", "that fit"),
    ("macro", '{"Fn::Transform": {Name: x}}', "worked out by AWS"),
    ("ref to a list", "!Ref [a]", "without a name"),
    ("getatt without attribute", "!GetAtt Db", "without resource and attribute"),
    ("join of a mapping", "!Join ['', {a: b}]", "without delimiter and list"),
    ("mapping in a join", "!Join ['', [{a: b}]]", "where text belongs"),
]


@pytest.mark.parametrize(
    ("value", "reason"), [case[1:] for case in UNKNOWN], ids=[case[0] for case in UNKNOWN]
)
def test_unknown(value: str, reason: str):
    """What nobody can tell says why, and raises nothing."""
    found = resolved(value)
    assert isinstance(found, Unknown)
    assert reason in found.reason


def test_what_can_be_given_has_a_name():
    """An unknown parameter or export says under which name it would be known."""
    assert resolved("!Ref Missing").parameter == "Missing"
    assert resolved("!ImportValue net").name == "net"
    assert resolved("!ImportValue net").parameter == ""


@pytest.mark.parametrize(
    ("value", "parameters", "expected"),
    [
        ("!Ref Missing", {"Missing": "here"}, "here"),
        ("!Ref Stage", {"Stage": "prod"}, "prod"),
        ("!Ref Subnets", {"Subnets": "subnet-1,subnet-2"}, ["subnet-1", "subnet-2"]),
        ("!Ref Stored", {"Stored": "example/keycloak:1"}, "example/keycloak:1"),
        ("!ImportValue net", {"net": "vpc-1"}, "vpc-1"),
        ('"{{resolve:ssm:/a}}:{{resolve:ssm:/b}}"', {"resolve:ssm:/a": "x"}, "x:{{resolve:ssm:/b}}"),
        ('!Sub "{{resolve:ssm:/${Stage}}}"', {"resolve:ssm:/test": "x"}, "x"),
        ("!If [Either, a, b]", {"Missing": "x"}, "a"),
        ("!Ref AWS::NotificationARNs", {"AWS::NotificationARNs": "arn"}, "arn"),
    ],
)
def test_given_values(value: str, parameters: dict[str, str], expected: Any):
    """Values that are given win: of parameters, exports and dynamic references alike."""
    assert resolved(value, parameters) == expected


def test_references_survive_in_text():
    """A resource's value stays a reference, also in the middle of a text."""
    assert resolved("!Ref Db") == Reference("Db")
    assert resolved("!GetAtt Db.Endpoint.Port") == Reference("Db", "Endpoint.Port")
    assert resolved('!Sub "${Db}:${Stage}::"') == Text((Reference("Db"), ":test::"))
    assert resolved("!Join ['', ['a', 'b', !Ref Db, !Ref Stage, c]]") == Text(
        ("ab", Reference("Db"), "testc")
    )


def test_attribute_that_leads_to_itself():
    """A property that is an attribute of its own resource ends as a reference."""
    assert resolved("!GetAtt Loose.Value") == Reference("Loose", "Value")


def test_text_of_one_part_is_that_part():
    """A text that is a reference and nothing else is the reference; a known text is a str."""
    assert resolved('!Sub "${Db.Arn}"') == Reference("Db", "Arn")
    assert resolved("!Join [',', [!Ref Missing]]").parameter == "Missing"
    assert resolved("!Join [',', !Ref Missing]").parameter == "Missing"


def test_text_lists_what_it_waits_for():
    """References and unknown parts of a text can be asked for, in their order."""
    text = resolved('!Sub "${Db}-${Missing}-${Db.Arn}"')
    assert text.references == (Reference("Db"), Reference("Db", "Arn"))
    assert [one.parameter for one in text.unknowns] == ["Missing"]
    assert str(text) == "${Db}-${Missing}-${Db.Arn}"


def test_region_that_is_not_known():
    """Without a region nothing is made up about it; its partition and its zones aren't known either."""
    for value in ("!Ref AWS::Region", "!Ref AWS::Partition", '!GetAZs ""', "!Ref AWS::URLSuffix"):
        assert isinstance(resolved(value, region=""), Unknown), value
    assert resolved("!Ref AWS::Partition", region="cn-north-1") == "aws-cn"
    assert resolved("!Ref AWS::URLSuffix", region="cn-north-1") == "amazonaws.com.cn"
    assert resolved("!Ref AWS::Partition", region="us-gov-west-1") == "aws-us-gov"


@pytest.mark.parametrize(
    ("name", "truth"),
    [("IsProd", False), ("IsTest", True), ("Both", False), ("HasThree", True), ("Flag", True)],
)
def test_conditions(name: str, truth: bool):
    """Conditions come out as CloudFormation has them; one side settles And and Or, known or not."""
    assert Resolver(document("1")).condition(name) is truth


@pytest.mark.parametrize("name", ["Either", "Neither", "Loop", "Odd", "Nobody"])
def test_conditions_nobody_can_tell(name: str):
    """A condition that hangs on what isn't known is unknown, not false."""
    assert isinstance(Resolver(document("1")).condition(name), Unknown)


def test_or_is_settled_by_one_side():
    """Or with one side true is true, whatever the other is."""
    assert Resolver(document("1"), {"Stage": "prod"}).condition("Either") is True


def test_resources_that_are_not_there():
    """A resource whose condition is false isn't there; one that may be is."""
    resolver = Resolver(document("1"))
    names = [one.logical_id for one in resolver.resources("AWS::RDS::DBInstance")]
    assert names == ["Db", "Perhaps"]
    assert resolver.exists("Ghost") is False
    assert resolver.exists("Nobody") is False
    assert isinstance(resolver.exists("Perhaps"), Unknown)


def test_known_or_silence():
    """A check gets the value if all of it is known, and None for anything else."""
    resolver = Resolver(document("1"))
    assert resolver.known({"Ref": "Stage"}) == "test"
    assert resolver.known([1, {"Ref": "Stage"}]) == [1, "test"]
    for value in (
        {"Ref": "Db"},
        [{"Ref": "Missing"}],
        "{{resolve:ssm:/x}}",
        {"Ref": "AWS::NoValue"},
        {"a": {"Ref": "Db"}},
    ):
        assert resolver.known(value) is None, value


def test_made_up_attributes():
    """Somebody who makes resources up gives references values, also in what was a text with references."""
    resolver = Resolver(document("1"))
    text = resolver.value({"Fn::Sub": "${Db.Endpoint.Address}:${Db.Endpoint.Port}"})
    made = resolver.with_attributes(lambda one: "db.example" if one.attribute == "Endpoint.Address" else None)
    assert made.value(text) == Text(("db.example:", Reference("Db", "Endpoint.Port")))
    assert made.value({"Fn::Split": [".", {"Fn::GetAtt": ["Db", "Endpoint.Address"]}]}) == ["db", "example"]
    assert resolver.value(text) == text


def place(value: str) -> Place:
    """The place of that value."""
    return Resolver(document(value)).place(("Resources", "Subject", "Properties", "Value"))


def line_of(value: str, text: str) -> int:
    """The line of the document above in which `text` is."""
    lines = document(value).text.splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def test_places_know_their_lines():
    """A value knows the line it is written in: of the branch that holds, of the entry of the mapping."""
    value = """\
        List:
          - first
          - !If
            - IsProd
            - {Name: prod}
            - {Name: here, Other: there}
          - !Ref AWS::NoValue
        Cpu: !FindInMap [Sizes, test, Cpu]
    """
    found = place(value)
    first, second = found["List"]
    assert (first.text, first.line) == ("first", line_of(value, "- first"))
    assert (second["Name"].text, second["Name"].line) == ("here", line_of(value, "Name: here"))
    assert second.keys() == ["Name", "Other"]
    assert found["Cpu"].integer == 512
    assert found["Cpu"].line == line_of(value, "test: {Cpu")


def test_places_where_nothing_is():
    """What isn't written is falsy all the way down, and has the line of what is around it."""
    value = "{A: {B: 1}}"
    missing = place(value)["A"]["C"]["D"]
    assert not missing
    assert missing.value is NO_VALUE
    assert (missing.text, missing.integer, missing.flag, missing.reference, missing.unknown) == (None,) * 5
    assert list(missing) == []
    assert missing.keys() == []
    assert missing.line == line_of(value, "{A:")
    assert not place("!Ref AWS::NoValue")


def test_places_as_lists():
    """One value counts as a list of one, a list parameter as its items; what isn't known has none."""
    assert [one.text for one in place("alone")] == ["alone"]
    assert [one.text for one in place("!Ref Networks")] == ["10.0.0.0/8", "192.0.2.0/24"]
    assert list(place("!Ref Subnets")) == []
    assert [one.text for one in place("!Split ['.', a.b]")] == ["a", "b"]


def test_places_name_resources():
    """A place finds the resource that it refers to, if it has the type that is asked for."""
    found = place("!GetAtt Db.Arn")
    assert found.resource("AWS::RDS::DBInstance", "AWS::RDS::DBCluster").logical_id == "Db"
    assert found.resource("AWS::EC2::VPC") is None
    assert place("Db").resource("AWS::RDS::DBInstance") is None
    assert place('!Sub "${Missing}-x"').unknown.parameter == "Missing"


def test_places_seen_by_another():
    """What one resolver can't take apart another may, which knows more."""
    found = place("!Select [0, !Split ['.', !GetAtt Db.Endpoint.Address]]")
    assert found.text is None
    knowing = found.resolver.with_attributes(lambda one: "db.example")
    assert found.seen_by(knowing).text == "db"


@pytest.mark.parametrize(
    ("value", "text", "number"),
    [(1, "1", 1), ("7", "7", 7), (True, "true", None), (2.0, "2", 2), (1.5, "1.5", None), ("-3", "-3", -3),
     ([], None, None), (None, None, None), ("٣", "٣", None), ("1e3", "1e3", None)],
)  # fmt: skip
def test_scalars(value: Any, text: str | None, number: int | None):
    """Numbers in quotes are numbers, booleans aren't, and text is as CloudFormation writes it."""
    assert scalar_text(value) == text
    assert whole_number(value) == number


def test_joining():
    """Joined parts are as few as can be."""
    assert join_text(["a", "", "b"]) == "ab"
    assert join_text([]) == ""
    assert join_text([Text(("a", Reference("X"))), "b"]) == Text(("a", Reference("X"), "b"))


NAMES = ["Db", "Stage", "Missing", "IsProd", "Loop", "AWS::NoValue", "AWS::Region", "${Db.Arn}", "10.0.0.0/8"]
FUNCTIONS = """
    GetAtt Sub Join Select Split If FindInMap GetAZs Cidr Base64 ImportValue Length ToJsonString Equals And
    Transform
""".split()
KEYS = ["Ref", "Condition", "Name", *(f"Fn::{name}" for name in FUNCTIONS)]
TEXTS = st.text(max_size=12) | st.sampled_from(NAMES)
SCALARS = st.none() | st.booleans() | st.integers(-5, 300) | st.floats() | TEXTS
ODD_VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=2),
    max_leaves=12,
)


@given(ODD_VALUES)
def test_odd_input_raises_nothing(value: Any):
    """Whatever stands where a value belongs, the answer is a value, and the same a second time."""
    resolver = Resolver(TEMPLATE, region="eu-central-1")
    found = resolver.value(value)
    again = resolver.value(value)
    assert repr(found) == repr(again)
    assert is_known(found) == (resolver.known(value) is not None)
    walked = Place(resolver, ("Resources",), value)
    assert all(isinstance(one, Place) for one in walked)
    walked.keys()


TEMPLATE = document("1")


def test_nesting_raises_nothing():
    """Functions nested as deep as a document may be are resolved or given up, not a crash."""
    value: Any = "x"
    for _ in range(290):
        value = {"Fn::Sub": ["${a}", {"a": value}]}
    found = Resolver(TEMPLATE).value(value)
    assert found == "x" or isinstance(found, Unknown)
    for _ in range(5000):
        value = {"Fn::Join": ["", [value]]}
    assert isinstance(Resolver(TEMPLATE).value(value), Unknown)
    assert isinstance(Place(Resolver(TEMPLATE), (), value).value, Unknown)
