"""Reading one params file: positions, texts that stay as they are, and what a text may hold."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from generator.params import source
from generator.params.composing import MAX_DEPTH
from generator.params.nodes import Mapping, Node, Scalar, Sequence
from generator.params.syntax import LOADER
from generator.params.texts import shown, text_problem

PARSERS = [
    pytest.param(LOADER, id="with libyaml"),
    pytest.param(yaml.BaseLoader, id="with the parser in Python"),
]

# Everything a params file may hold: no control, no private-use, no bidi, no surrogate.
CLEAN = st.text(
    st.characters(
        exclude_categories=("Cs", "Co", "Cc"),
        exclude_characters="\u200b\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"
        "\ufeff\ufffe\uffff",
        include_characters="\n",
    )
)


def parsed(text: str, loader: type = LOADER) -> source.Source:
    """Return the source of a text that has no problems."""
    found = source.parse(text, "params/dev.yaml", loader)
    assert found.problems == () and found.complete
    return found


def value(found: source.Source, key: str) -> Node:
    return found.body.items[key][1]


@pytest.mark.parametrize("loader", PARSERS)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("012345670123", id="an account id that looks octal"),
        pytest.param("26.10", id="a version that looks like a number"),
        pytest.param("on", id="a word that YAML 1.1 takes for true"),
        pytest.param("NO", id="a country that YAML 1.1 takes for false"),
        pytest.param("1:30", id="a time that YAML 1.1 takes for ninety"),
        pytest.param("0x10", id="a hexadecimal number"),
        pytest.param("1_000", id="a number with an underscore"),
        pytest.param("1e3", id="a float"),
        pytest.param("2026-01-31", id="a date"),
        pytest.param(".inf", id="infinity"),
        pytest.param("=", id="an equals sign"),
        pytest.param("null", id="the word null"),
        pytest.param("~", id="a tilde"),
        pytest.param("https://sso.example.com:8443/a#b", id="an address with colon and hash"),
        pytest.param("arn:aws:iam::123456789012:role/x", id="an ARN"),
        pytest.param("München ☕ 🔑", id="letters beyond ASCII"),
    ],
)
def test_an_unquoted_value_keeps_its_text(loader, text):
    """A value without quotes comes out as the text that stands in the file."""
    assert value(parsed(f"a: {text}\n", loader), "a") == Scalar(text, True, 1)


@pytest.mark.parametrize("loader", PARSERS)
@pytest.mark.parametrize("quote", ['"', "'"], ids=["double quotes", "single quotes"])
@pytest.mark.parametrize("text", ["null", "~", "", "true", "007", " padded "])
def test_a_quoted_value_is_told_from_an_unquoted_one(loader, quote, text):
    """Quotes are remembered, so that the text null is never taken for nothing."""
    scalar = value(parsed(f"a: {quote}{text}{quote}\n", loader), "a")
    assert (scalar.value, scalar.plain, scalar.null) == (text, False, False)


@pytest.mark.parametrize("text", ["null", "Null", "NULL", "~", "", "  # later"])
def test_an_unquoted_null_is_null(text):
    """Null, a tilde and nothing at all are null where they stand without quotes."""
    assert value(parsed(f"a: {text}\nb: 1\n"), "a").null


@pytest.mark.parametrize("text", ["none", "nil", "0", "false", "nULL", "null null"])
def test_other_words_are_not_null(text):
    """Words that only sound like nothing are left alone."""
    assert not value(parsed(f"a: {text}\n"), "a").null


@pytest.mark.parametrize("loader", PARSERS)
@given(text=CLEAN)
def test_any_text_comes_out_as_it_was_written(loader, text):
    """Every text that a params file may hold survives quoting and reading, in either kind of quotes."""
    double = json.dumps(text, ensure_ascii=False)
    assert value(parsed(f"a: {double}\n", loader), "a").value == text
    for style in "\"'":
        written = yaml.dump({"a": text}, default_style=style, allow_unicode=True, width=10**6)
        found = parsed(written, loader)
        assert [(key, node.value) for key, (_, node) in found.body.items.items()] == [("a", text)]


def raw(node: Node):
    """Return a node as dicts, lists and texts."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [raw(item) for item in node.items]
    return {key: raw(below) for key, (_, below) in node.items.items()}


KEYS = CLEAN.filter(lambda key: key and "\n" not in key and len(key) < 50)
TREES = st.dictionaries(
    KEYS.filter(lambda key: key not in ("extends", "abstract")),
    st.recursive(CLEAN, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3)),
    max_size=4,
)


@given(tree=TREES, flow=st.booleans())
def test_any_tree_comes_out_as_it_was_written(tree, flow):
    """Keys, order and nesting are those of the file, in block and in flow style."""

    class Plainly(yaml.SafeDumper):
        def ignore_aliases(self, data):
            return True

    written = yaml.dump(
        tree, Dumper=Plainly, default_flow_style=flow, default_style='"', allow_unicode=True, sort_keys=False
    )
    found = parsed(written)
    assert json.dumps(raw(found.body)) == json.dumps(tree)


def test_every_node_knows_its_line():
    """Keys, values and items carry the line they stand in, from 1."""
    found = parsed("# title\na: 1\nb:\n  c: [x, 'y']\n\n  d:\n    - p\n    - q: r\n")
    assert found.body == Mapping(
        {
            "a": (2, Scalar("1", True, 2)),
            "b": (3, Mapping(
                {
                    "c": (4, Sequence((Scalar("x", True, 4), Scalar("y", False, 4)), 4)),
                    "d": (6, Sequence(
                        (Scalar("p", True, 7), Mapping({"q": (8, Scalar("r", True, 8))}, 8)), 7
                    )),
                },
                4,
            )),
        },
        2,
    )


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: 1\r\nb:\r\n  c: 2\r\n", id="CRLF"),
        pytest.param("a: 1\rb:\r  c: 2\r", id="CR"),
        pytest.param("\ufeffa: 1\nb:\n  c: 2", id="a byte order mark and no line end at the end"),
        pytest.param("---\na: 1\nb:\n  c: 2\n...\n", id="document marks"),
        pytest.param("%YAML 1.1\n---\na: 1\nb: {c: 2}\n", id="a YAML directive"),
        pytest.param("a:\t1\nb: # why:\tbecause\n  c: 2\t# tab\n", id="tabs that indent nothing"),
        pytest.param("# Ünïcödé ☕\na: 1\nb:\n  c: 2\n", id="letters beyond ASCII in a comment"),
        pytest.param('"a": 1\n? b\n: {"c": 2}\n', id="quoted and marked keys"),
    ],
)
def test_ways_to_write_a_file_are_left_alone(tmp_path, text):
    """Line ends, marks, comments and quoting are the writer's choice."""
    (tmp_path / "dev.yaml").write_bytes(text.encode())
    found = source.read(tmp_path / "dev.yaml", tmp_path)
    assert found.problems == ()
    assert raw(found.body) == {"a": "1", "b": {"c": "2"}}


def test_words_in_quotes_are_no_syntax():
    """Quoted, every sign that means something to YAML is a text or a key like another."""
    found = parsed('a: "!Ref x"\nb: "*y"\nc: "&z"\n"<<": "<<"\n"null": 1\n"~": 2\n')
    assert raw(found.body) == {"a": "!Ref x", "b": "*y", "c": "&z", "<<": "<<", "null": "1", "~": "2"}


def test_keys_that_look_like_numbers_are_texts():
    """Keys keep their text as values do."""
    assert raw(parsed("01: a\non: b\n1.10: c\n").body) == {"01": "a", "on": "b", "1.10": "c"}


def test_a_nesting_of_forty_levels_is_read():
    """The limit is for nonsense: forty levels pass."""
    depth = MAX_DEPTH
    text = "{a: " * depth + "1" + "}" * depth
    node = parsed(text).body
    for _ in range(depth):
        node = node.items["a"][1]
    assert node.value == "1"


def test_extends_and_abstract_are_not_part_of_the_body():
    """What speaks to the loader is taken out of the settings, at the top only."""
    found = parsed("extends: base.yaml\nabstract: true\na: {extends: x, abstract: y}\n")
    assert (found.extends.value, found.extends.line, found.abstract) == ("base.yaml", 1, True)
    assert raw(found.body) == {"a": {"extends": "x", "abstract": "y"}}


@pytest.mark.parametrize("text", ["a: 1\n", "abstract: false\na: 1\n"], ids=["nothing", "false"])
def test_a_file_is_no_base_by_itself(text):
    """A file without `abstract: true` is an environment."""
    found = parsed(text)
    assert not found.abstract and found.extends is None


def test_a_file_in_a_linked_folder_of_the_project_is_read(tmp_path):
    """A link that stays in the project is left alone, and problems name the file as it was asked for."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real/dev.yaml").write_text("a: !x 1\n")
    (tmp_path / "params").symlink_to(tmp_path / "real")
    found = source.read(tmp_path / "params/dev.yaml", tmp_path)
    assert [problem.file for problem in found.problems] == ["params/dev.yaml"]


def test_a_project_behind_a_link_is_read(tmp_path):
    """The project folder itself may be reached through a link."""
    (tmp_path / "real/params").mkdir(parents=True)
    (tmp_path / "real/params/dev.yaml").write_text("a: 1\n")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = source.read(tmp_path / "link/params/dev.yaml", tmp_path / "link")
    assert (found.file, found.problems) == ("params/dev.yaml", ())


def test_a_file_is_read_once_per_run(tmp_path):
    """What was read is remembered, so that a run never sees two states of a file."""
    path = tmp_path / "dev.yaml"
    path.write_text("a: 1\n")
    reader = source.Reader(tmp_path)
    first = reader.read(path)
    path.write_text("a: 2\n")
    assert reader.read(tmp_path / "." / "dev.yaml") is first
    assert source.Reader(tmp_path).read(path) != first


def test_a_missing_file_is_a_problem(tmp_path):
    """Reading a file that isn't there says so."""
    (problem,) = source.read(tmp_path / "params/dev.yaml", tmp_path).problems
    assert (problem.file, problem.line) == ("params/dev.yaml", 0)
    assert problem.message == "the file doesn't exist"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("a\nb", "a line break", id="a line break"),
        pytest.param("a{{ b }}", "`{{`", id="a template expression"),
        pytest.param("{% if a %}", "`{%`", id="a template statement"),
        pytest.param("${#a[@]} {#", "`${`", id="a shell expansion"),
        pytest.param("a {# b #}", "`{#`", id="a template comment"),
        pytest.param("${AWS::Region}", "`${`", id="a substitution of CloudFormation"),
        pytest.param("{{resolve:ssm:x}}", "`{{`", id="a dynamic reference"),
        pytest.param("a\tb", "a tab", id="a tab"),
        pytest.param("a\x00b", "U+0000", id="a NUL"),
        pytest.param("a\rb", "U+000D", id="a carriage return"),
        pytest.param("a\x7fb", "U+007F", id="a delete character"),
        pytest.param("a\x9bb", "U+009B", id="a C1 character"),
        pytest.param("a\u2028b", "U+2028", id="a line separator"),
        pytest.param("a\u202eb", "U+202E", id="a bidi override"),
        pytest.param("a\u2069b", "U+2069", id="a bidi isolate"),
        pytest.param("a\ue123b", "U+E123", id="a private-use character"),
        pytest.param("a\ud800b", "U+D800", id="half of a surrogate pair"),
    ],
)
def test_a_text_that_would_break_the_output_is_named(text, part):
    """What makes a text unfit for a rendered template is told with the way out."""
    message, fix = text_problem(text)
    assert part in message and fix


@pytest.mark.parametrize(
    "text", ["", "a", "{ {", "$ {a}", "100 %}", "a}} #}", "$a", "#{a}", "äöü ☕", "a\u00a0b"]
)
def test_ordinary_texts_are_left_alone(text):
    """Signs that nothing would fill in are fine."""
    assert text_problem(text) is None


def test_line_breaks_and_placeholders_are_read():
    """Reading leaves to the keys what only they can judge."""
    found = parsed('a: "${x} {{ y }}"\nb: |\n  one\n  two\nc: "d\\ne"\n')
    assert raw(found.body) == {"a": "${x} {{ y }}", "b": "one\ntwo\n", "c": "d\ne"}


def test_a_name_from_outside_is_shown_on_one_harmless_line():
    """What a message repeats from outside holds nothing hidden and has an end."""
    assert shown("a\nb\x1b[31m\u202e") == "a?b?[31m?"
    assert shown("x" * 100, 10) == "x" * 9 + "…"
    assert shown("plain.yaml") == "plain.yaml"
