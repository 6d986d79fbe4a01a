"""Documents: plain data with lines, whatever form the text has, and one clear complaint where it has none."""

from __future__ import annotations

import json
import subprocess
import sys
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.document import Document, MalformedDocument, parse
from generator.errors import DocumentError

TEMPLATE = dedent("""\
    AWSTemplateFormatVersion: 2010-09-09
    Parameters:
      Cpu: {Type: String}
    Resources:
      Cluster:
        Type: AWS::ECS::Cluster
      Task:
        Type: AWS::ECS::TaskDefinition
        Properties:
          Cpu: !Ref Cpu
          ContainerDefinitions:
            - Name: keycloak
              Image: !Sub "${AWS::AccountId}.dkr/${Repository.Name}:${!tag}"
            - Name: side
      Service:
        Type: AWS::ECS::Service
        DependsOn: [Rule]
        Properties:
          Cluster: !GetAtt Cluster.Arn
          TaskDefinition: !Ref Task
      Rule:
        Type: AWS::ElasticLoadBalancingV2::ListenerRule
        DependsOn: Cluster
      Repository:
        Type: AWS::ECR::Repository
    """)


@pytest.fixture(scope="module")
def document() -> Document:
    return parse(TEMPLATE, "rendered/prod/template.yaml")


def complaint(text: str) -> MalformedDocument:
    with pytest.raises(MalformedDocument) as caught:
        parse(text, "t.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("short", "long"),
    [
        pytest.param("!Ref A", {"Ref": "A"}, id="reference"),
        pytest.param("!GetAtt A.B.C", {"Fn::GetAtt": ["A", "B.C"]}, id="attribute with dots"),
        pytest.param("!GetAtt [A, B.C]", {"Fn::GetAtt": ["A", "B.C"]}, id="attribute as a list"),
        pytest.param("{Fn::GetAtt: A.B}", {"Fn::GetAtt": ["A", "B"]}, id="long form with a text"),
        pytest.param("!Sub x${A}", {"Fn::Sub": "x${A}"}, id="substitution"),
        pytest.param("!Sub [a, {B: !Ref C}]", {"Fn::Sub": ["a", {"B": {"Ref": "C"}}]}, id="one in another"),
        pytest.param("!If [C, 1, true]", {"Fn::If": ["C", 1, True]}, id="choice of typed values"),
        pytest.param(
            "!Join [',', [a, !Ref B]]", {"Fn::Join": [",", ["a", {"Ref": "B"}]]}, id="list in a list"
        ),
        pytest.param("!Condition C", {"Condition": "C"}, id="condition"),
        pytest.param("!Transform {Name: N}", {"Fn::Transform": {"Name": "N"}}, id="mapping"),
        pytest.param("!Ref 012", {"Ref": "012"}, id="digits stay text in a function"),
    ],
)
def test_short_forms_become_long_ones(short, long):
    """Whoever reads a document meets one shape of each intrinsic function."""
    assert parse(f"a: {short}").data == {"a": long}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("2012-10-17", "2012-10-17", id="a date is text"),
        pytest.param("'8'", "8", id="quoted digits are text"),
        pytest.param("8", 8, id="a number"),
        pytest.param("1.5", 1.5, id="a fraction"),
        pytest.param("yes", True, id="YAML 1.1 booleans"),
        pytest.param("", None, id="nothing"),
        pytest.param("=", "=", id="an equals sign"),
        pytest.param("|\n  a\n  b\n", "a\nb\n", id="a block"),
    ],
)
def test_scalars_are_what_cloudformation_takes_them_for(written, value):
    """Types are YAML's, except where CloudFormation sees text."""
    assert parse(f"a: {written}").data == {"a": value}


# YAML ends a key after 1024 characters, and this one key means something.
KEYS = st.text(max_size=20).filter(lambda key: key != "Fn::GetAtt")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(KEYS, JSON_VALUES, max_size=5), st.sampled_from([None, 2, "\t"]), st.booleans())
def test_any_json_is_read_as_json(data, indent, ascii_only):
    """JSON means the same here as to a JSON parser: tabs, escapes and odd characters included."""
    assert parse(json.dumps(data, indent=indent, ensure_ascii=ascii_only)).data == data


def test_json_has_lines_too():
    """A path leads to its line in JSON as in YAML."""
    text = json.dumps({"Resources": {"A": {"Type": "X"}, "B": {"Type": "Y"}}}, indent="\t")
    assert parse(text).line(("Resources", "B", "Type")) == 7


@pytest.mark.parametrize(
    ("path", "line"),
    [
        pytest.param((), 1, id="the whole document"),
        pytest.param(("Resources",), 4, id="a section"),
        pytest.param(("Resources", "Task", "Properties", "Cpu"), 10, id="a property"),
        pytest.param(("Resources", "Task", "Properties", "Cpu", "Ref"), 10, id="inside a short form"),
        pytest.param(("Resources", "Task", "Properties", "ContainerDefinitions", 1), 14, id="a list item"),
        pytest.param(
            ("Resources", "Task", "Properties", "ContainerDefinitions", 0, "Image"), 13, id="in an item"
        ),
        pytest.param(("Resources", "Task", "Properties", "Memory"), 9, id="missing: its parent"),
        pytest.param(("Resources", "Nobody", "Properties", "Memory"), 4, id="missing: its nearest ancestor"),
        pytest.param(("Outputs", "X"), 1, id="missing: the document"),
    ],
)
def test_a_path_leads_to_its_line(document, path, line):
    """Every key and list item has its line; what isn't there has that of its nearest ancestor."""
    assert document.line(path) == line


def test_a_span_covers_the_key(document):
    """A span starts at the key and ends right behind it."""
    assert document.span(("Resources", "Task", "Properties", "Cpu")) == (10, 7, 10, 10)


def test_resources_know_what_they_are(document):
    """A resource has its type, its properties, everything else as attributes, and the line of its id."""
    service = document.resources["Service"]
    assert list(document.resources) == ["Cluster", "Task", "Service", "Rule", "Repository"]
    assert (service.type, service.line, service.path) == ("AWS::ECS::Service", 15, ("Resources", "Service"))
    assert service.properties["TaskDefinition"] == {"Ref": "Task"}
    assert service.attributes == {"DependsOn": ["Rule"]}
    assert document.resources["Rule"].depends_on == ["Cluster"]


def test_resources_are_found_by_type(document):
    """`of_type` gives the resources of the types asked for, in the order of the text, and no others."""
    found = document.of_type("AWS::ECS::Service", "AWS::ECS::Cluster")
    assert [resource.logical_id for resource in found] == ["Cluster", "Service"]
    assert document.of_type("AWS::ECS::Nothing") == []


def test_what_is_no_resource_is_left_out():
    """Odd sections and entries give no resources and no exception; cfn-lint says what is wrong with them."""
    odd = parse("Resources: {A: text, B: {Type: 1, Properties: [x]}, C: }")
    assert [(one.logical_id, one.type, one.properties) for one in odd.resources.values()] == [("B", "", {})]
    assert parse("Resources: []").resources == {}
    assert parse("Outputs: {}").resources == {}


@pytest.mark.parametrize(
    ("value", "named"),
    [
        pytest.param({"Ref": "A"}, {"A"}, id="reference"),
        pytest.param({"Ref": "AWS::Region"}, set(), id="no pseudo parameter"),
        pytest.param({"Fn::GetAtt": ["A", "Arn"]}, {"A"}, id="attribute"),
        pytest.param({"Fn::Sub": "${A}-${B.Arn}-${AWS::Region}"}, {"A", "B"}, id="substitution"),
        pytest.param({"Fn::Sub": "${!A} ${ B }"}, {"B"}, id="no literal"),
        pytest.param(
            {"Fn::Sub": ["${A}${B}", {"A": {"Ref": "C"}}]}, {"B", "C"}, id="own variables are no ids"
        ),
        pytest.param({"x": [{"y": {"Fn::Join": ["", [{"Ref": "A"}]]}}]}, {"A"}, id="deep inside"),
        pytest.param(
            {"Fn::If": ["Condition", {"Ref": "A"}, {"Ref": "B"}]}, {"A", "B"}, id="both sides of a choice"
        ),
        pytest.param("Ref: A", set(), id="no plain text"),
        pytest.param({"Ref": 1, "Fn::GetAtt": [], "Fn::Sub": {}}, set(), id="nothing of a wrong form"),
    ],
)
def test_references_are_the_logical_ids_named(document, value, named):
    """Ref, GetAtt and Sub name logical ids, anywhere in a value, and nothing else does."""
    assert document.references(value) == named


def test_a_resource_waits_for_what_it_names_and_for_what_that_waits_for(document):
    """References and DependsOn are followed over any number of steps; parameters are no resources."""
    assert document.dependencies["Task"] == {"Repository"}
    assert document.waits_for("Service") == {"Cluster", "Task", "Rule", "Repository"}
    assert document.waits_for("Cluster") == set()


def test_a_circle_of_dependencies_ends():
    """Resources that wait for each other are cfn-lint's to report, and no endless loop here."""
    circle = parse("Resources: {A: {DependsOn: B}, B: {DependsOn: A}}")
    assert circle.waits_for("A") == {"A", "B"}


def test_leaves_are_every_scalar_with_its_path(document):
    """Iteration gives scalars in the order of the text, each under the path that leads to it."""
    leaves = list(document.leaves(("Resources", "Task", "Properties")))
    top = ("Resources", "Task", "Properties")
    assert leaves[0] == ((*top, "Cpu", "Ref"), "Cpu")
    assert leaves[1] == ((*top, "ContainerDefinitions", 0, "Name"), "keycloak")
    assert len(leaves) == 4
    assert next(document.leaves()) == (("AWSTemplateFormatVersion",), "2010-09-09")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        pytest.param(
            "a: 1\nb: 2\na: 3\n", 3, 1, "'a' is there twice; the first is in line 1", id="a key twice"
        ),
        pytest.param(
            "x:\n  a: 1\n  a: 2\n",
            3,
            3,
            "'a' is there twice; the first is in line 2",
            id="a nested key twice",
        ),
        pytest.param("a: &x {b: 1}\nc: *x\n", 2, 4, "a YAML alias (*x)", id="an alias"),
        pytest.param("a: &x 1\nc:\n  - *x\n", 3, 5, "a YAML alias (*x)", id="an alias of a scalar"),
        pytest.param("&x a: 1\nc: {*x : 1}\n", 2, 5, "a YAML alias (*x)", id="an alias as a key"),
        pytest.param("a: &a\n  - *a\n", 2, 5, "a YAML alias (*a)", id="an alias of what it is in"),
        pytest.param("- a\n", 1, 1, "a mapping at the top", id="a list at the top"),
        pytest.param("", 1, 1, "a mapping at the top", id="no text"),
        pytest.param("# only words\n", 1, 1, "a mapping at the top", id="comments"),
        pytest.param("a: 1\nb: [\n", 3, 1, "did not find expected node content", id="an open bracket"),
        pytest.param("a: b: c\n", 1, 5, "mapping values are not allowed", id="two colons"),
        pytest.param("a:\n\t- b\n", 2, 1, "cannot start any token", id="a tab as indentation"),
        pytest.param("a: 1\n---\nb: 2\n", 2, 1, "expected a single document", id="two documents"),
        pytest.param("a: 1\nb: \x07\n", 2, 4, "doesn't allow", id="a control character"),
        pytest.param("? [a]\n: 1\n", 1, 3, "a key has to be plain text", id="a list as a key"),
        pytest.param("a: {<<: {b: 1}}\n", 1, 5, "a YAML merge key (<<), which CloudFormation doesn't allow", id="a merge"),
        pytest.param("a: !!python/object:os.system x\n", 1, 4, "YAML tag", id="a tag of Python's"),
        pytest.param("a: !!set {b}\n", 1, 4, "YAML tag", id="a tag of YAML's"),
        pytest.param("a: !!int x\n", 0, 1, "can't be read", id="a number that is none"),
        pytest.param("[" * 100_000, 1, 301, "nested too deeply", id="brackets without end"),
        pytest.param("- " * 100_000, 1, 601, "nested too deeply", id="dashes without end"),
    ],
)
def test_malformed_text_is_refused_with_its_line(text, line, column, words):
    """What CloudFormation wouldn't take, or nobody can read, is one error that knows where."""
    error = complaint(text)
    assert (error.problem.line, error.column) == (line, column)
    assert words in error.problem.message
    assert error.problem.file == "t.yaml" and str(error).startswith("t.yaml")
    assert isinstance(error, DocumentError)


@given(st.text(alphabet=st.sampled_from(list("ab:-{}[]&*!|>'\"#%@,? \n\t1<=~\\\x00é\ud800")), max_size=40))
def test_any_text_is_a_document_or_malformed(text):
    """There is no text that makes the parser fail in another way."""
    try:
        assert isinstance(parse(text).data, dict)
    except MalformedDocument as error:
        assert error.problem.message


def test_anchors_alone_do_no_harm():
    """An anchor nobody refers to changes nothing: the guards object to it, the parser doesn't."""
    assert parse("a: &x 1\n").data == {"a": 1}


def test_reading_a_document_needs_no_linter():
    """The module is imported by every room, so it stays light."""
    code = (
        "import sys, generator.document; print(sorted({'cfnlint', 'jinja2', 'pydantic'} & set(sys.modules)))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
