"""What templates may print: the printing rule, `q`, `nest` and dynamic references."""

from __future__ import annotations

import enum
import json

import pytest
import yaml
from cfnlint.decode import cfn_yaml
from hypothesis import example, given
from hypothesis import strategies as st

from generator.rendering import filters
from generator.rendering.origins import Place, Text, key_of, track

# What YAML, JSON or a reader of lines treats in a way of its own.
ODD = "\0\t\n\r\x1b\x7f\x80\x85\x9f\xa0\xad\u2028\u2029\ufeff\ufffe\uffff\U0001f600\"'\\/#:{}[],&*"
# Whatever a file can hold: every code point but the halves of surrogate pairs.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(ODD))
PLAIN_LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


class Mode(str, enum.Enum):
    DNS = "dns"


class Level(enum.IntEnum):
    HIGH = 3


class TestPrintable:
    @pytest.mark.parametrize(
        ("value", "printed"),
        [
            ("text", "text"),
            ("", ""),
            (7, "7"),
            (-1, "-1"),
            (10**9, "1000000000"),
            (True, "true"),
            (False, "false"),
        ],
    )
    def test_strings_numbers_and_bools_are_printed_as_yaml_spells_them(self, value, printed):
        """A string is printed as it is, a whole number in decimals, a bool in YAML's spelling."""
        assert filters.printable(value) == printed

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            pytest.param(None, "none", id="none"),
            pytest.param(1.5, "a fraction", id="fraction"),
            pytest.param({"a": 1}, "a mapping", id="mapping"),
            pytest.param([1], "a list", id="list"),
            pytest.param((1,), "a list", id="tuple"),
            pytest.param({1}, "a set", id="set"),
            pytest.param(frozenset(), "a set", id="frozen set"),
            pytest.param(object(), "a value of type object", id="object"),
            pytest.param(Mode.DNS, "a value of type Mode", id="enum of strings"),
            pytest.param(Level.HIGH, "a value of type Level", id="enum of numbers"),
        ],
    )
    def test_anything_else_is_refused_by_its_kind(self, value, words):
        """What Python would spell in a way nobody meant is refused, and the message says what to do."""
        with pytest.raises(filters.Refusal) as caught:
            filters.printable(value)
        assert caught.value.message == f"{words} can't be printed"
        assert caught.value.fix

    def test_a_refusal_names_the_params_key(self):
        """A tracked value that can't be printed is named by its key."""
        with pytest.raises(filters.Refusal) as caught:
            filters.printable(track({"tags": {}})["tags"])
        assert caught.value.key == "tags"


class TestQ:
    @given(ANY_TEXT)
    @example(ODD)
    def test_yaml_reads_back_the_same_string(self, text):
        """In block and flow style, PyYAML's loaders and cfn-lint's read exactly what was quoted."""
        quoted = filters.q(text)
        document = f"block: {quoted}\nflow: [{quoted}, {{k: {quoted}}}]\n"
        expected = {"block": text, "flow": [text, {"k": text}]}
        for loader in PLAIN_LOADERS:
            assert yaml.load(document, loader) == expected
        read = cfn_yaml.loads(document)
        assert (str(read["block"]), str(read["flow"][0]), str(read["flow"][1]["k"])) == (text, text, text)

    @given(ANY_TEXT)
    @example(ODD)
    def test_the_result_is_json_on_one_line(self, text):
        """The quoted string is JSON for the same text, and no reader of lines can break it."""
        quoted = filters.q(text)
        assert json.loads(quoted) == text
        assert quoted.splitlines() == [quoted]

    @pytest.mark.parametrize(
        ("text", "quoted"),
        [
            ("Zürich 😀", '"Zürich 😀"'),
            ("<>&'", '"<>&\'"'),
            ('a"b\\c', '"a\\"b\\\\c"'),
            ("${AWS::StackName}", '"${AWS::StackName}"'),
        ],
    )
    def test_legible_text_stays_legible(self, text, quoted):
        """Only quotes, backslashes and what can't be seen are escaped: the rest reads as it was written."""
        assert filters.q(text) == quoted

    @pytest.mark.parametrize("character", ["\xa0", "\u200b", "\u202e", "\u2066", "\xad", "\u3000"])
    def test_what_a_reviewer_would_not_see_is_escaped(self, character):
        """Odd spaces, joiners and marks that turn the text's direction show up as escapes."""
        assert filters.q(f"a{character}b") == f'"a\\u{ord(character):04x}b"'

    @pytest.mark.parametrize(("number", "quoted"), [(0, '"0"'), (123456789012, '"123456789012"')])
    def test_whole_numbers_become_strings(self, number, quoted):
        """CloudFormation wants some numbers as strings; a number is quoted in decimals."""
        assert filters.q(number) == quoted

    @pytest.mark.parametrize("text", ["\ud800", "a\udfffb"])
    def test_half_a_character_is_refused(self, text):
        """A lone surrogate can't be written to a file, so it is refused where it is printed."""
        with pytest.raises(filters.Refusal, match="half a character, U[+]D[8F]"):
            filters.q(text)

    @pytest.mark.parametrize("value", [True, None, 1.5, ["a"], {"a": 1}, Mode.DNS])
    def test_other_values_are_refused(self, value):
        """Quoting a bool or a structure would hide a mistake in a string."""
        with pytest.raises(filters.Refusal, match="can't be quoted"):
            filters.q(value)

    def test_a_tracked_value_keeps_its_key(self):
        """The quoted string still knows the params key of what it quotes."""
        assert key_of(filters.q(track("a", "keycloak.hostname"))) == "keycloak.hostname"
        assert key_of(filters.q(track(512, "service.cpu"))) == "service.cpu"

    def test_an_untracked_value_gets_no_key(self):
        """Quoting invents no provenance."""
        assert key_of(filters.q("a")) == ""


def lines_nested(text: str, width: int) -> str:
    """The definition: last newlines gone, all lines but the first moved, empty ones left empty."""
    first, *rest = text.rstrip("\n").split("\n")
    return "\n".join([first, *(" " * width + line if line else "" for line in rest)])


class TestNest:
    @given(st.lists(st.text("ab \n\r\t\u2028", max_size=6)), st.integers(0, 5))
    def test_every_line_but_the_first_moves(self, pieces, width):
        """Plain and rendered text move alike, however the rendered text was put together."""
        text = "".join(pieces)
        rendered = Text(text, [(len(piece), Place("a.j2", line)) for line, piece in enumerate(pieces, 1)])
        assert filters.nest(text, width) == lines_nested(text, width)
        nested = filters.nest(rendered, width)
        assert nested == lines_nested(text, width)
        assert sum(length for length, _ in nested.runs) == len(nested)

    def test_rendered_text_keeps_its_places(self):
        """Each nested line still knows the template line that wrote it."""
        places = [Place("m.j2", 1), Place("m.j2", 2), Place("m.j2", 3)]
        text = Text("a:\n\n  b\n\n", [(3, places[0]), (1, places[1]), (5, places[2])])
        assert list(filters.nest(text, 2).pieces()) == [
            ("a:\n", places[0]),
            ("\n", places[1]),
            ("    b", places[2]),
        ]

    def test_a_tracked_value_keeps_its_key(self):
        """A params value of several lines is still that value when it is nested."""
        assert key_of(filters.nest(track("a\nb\n", "k"), 2)) == "k"
        assert key_of(filters.nest("a\nb\n", 2)) == ""

    @pytest.mark.parametrize("width", [-1, "4", True, None])
    def test_a_width_that_is_no_width_is_refused(self, width):
        """Only a number of blanks moves text."""
        with pytest.raises(filters.Refusal, match="needs a number of blanks"):
            filters.nest("a", width)

    @pytest.mark.parametrize("value", [1, None, ["a"]])
    def test_only_text_can_be_nested(self, value):
        """A list passed by mistake is refused, not spelled out."""
        with pytest.raises(filters.Refusal, match="can't be nested"):
            filters.nest(value, 2)


class TestJoin:
    def test_items_are_joined_as_they_would_be_printed(self):
        """Joining spells bools as YAML does and keeps the first key there is."""
        joined = filters.join(["a", track(2, "service.tasks"), True], ", ")
        assert joined == "a, 2, true"
        assert key_of(joined) == "service.tasks"

    def test_an_item_that_cannot_be_printed_is_refused(self):
        """None in a list is a mistake, not the word None."""
        with pytest.raises(filters.Refusal, match="none can't be printed"):
            filters.join(["a", None], ",")


class TestDynamicReference:
    @pytest.mark.parametrize(
        ("arguments", "reference"),
        [
            (
                ("secretsmanager", "${DatabaseSecret}", "SecretString", "password"),
                "{{resolve:secretsmanager:${DatabaseSecret}:SecretString:password}}",
            ),
            (("ssm", "/keycloak/theme", 2), "{{resolve:ssm:/keycloak/theme:2}}"),
            (
                ("secretsmanager", "db", "SecretString", "password", "", "v1"),
                "{{resolve:secretsmanager:db:SecretString:password::v1}}",
            ),
        ],
    )
    def test_the_reference_is_spelled_as_cloudformation_reads_it(self, arguments, reference):
        """Parts stand between colons inside the double braces; an empty part stays empty."""
        assert filters.dynamic_reference(*arguments) == reference

    def test_the_key_of_a_part_is_kept(self):
        """A reference to a secret named in params knows that params key."""
        assert (
            key_of(filters.dynamic_reference("ssm", track("/name", "theme.parameter"))) == "theme.parameter"
        )

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            pytest.param(("secretmanager", "db"), "resolves no 'secretmanager'", id="unknown service"),
            pytest.param(("ssm",), "must name something", id="no name"),
            pytest.param(("ssm", None), "none can't be printed", id="none for a part"),
        ],
    )
    def test_what_cloudformation_would_refuse_is_refused(self, arguments, words):
        """A reference that can't resolve is an error when it is rendered, not when it is deployed."""
        with pytest.raises(filters.Refusal, match=words):
            filters.dynamic_reference(*arguments)
