"""Text of a template gets into configuration files quoted, or not at all."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as some

from generator.errors import RehearsalError
from generator.rehearsing import quoting

WHERE = "template.yaml:7"
PRINTABLE = some.text(some.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=50)


@given(PRINTABLE)
def test_quoted_value_is_one_word_and_itself(value):
    """Whatever is printable comes out of the quotes as it went in; a shell reads single quotes as HAProxy
    does."""
    assert shlex.split(quoting.haproxy(value, WHERE, "the value")) == [value]


def test_line_ends_stand_outside_of_the_quotes_where_they_may_be():
    """A body's line ends become HAProxy's escapes; the quoted parts stay."""
    assert quoting.haproxy("a\r\n\tb'", WHERE, "the body", lines=True) == r"'a'\r\n\t'b'\'"


@pytest.mark.parametrize(
    "value,said",
    [
        ("a\nb", "U+000A"),
        ("a\x00", "U+0000"),
        ("\x1b[0m", "U+001B"),
        ("\x7f", "U+007F"),
        ("\x85", "U+0085"),
        ("\u2028", "U+2028"),
        ("x" * 1025, "1025 characters"),
        ("", "empty"),
    ],
)
def test_value_that_has_no_place_in_a_line_is_refused_with_its_line(value, said):
    """Control characters, what is too long and what is empty never reach a file; the message says where it
    stands."""
    with pytest.raises(RehearsalError, match=rf"^template\.yaml:7: the value .*{said.replace('+', '[+]')}"):
        quoting.haproxy(value, WHERE, "the value")


@pytest.mark.parametrize(
    "value", ["TargetGroup", "sg-0a1b", "arn:aws:elasticloadbalancing:eu-central-1:1:listener/app/x/1"]
)
def test_names_of_resources_pass(value):
    """Logical ids, AWS' ids and ARNs are names."""
    assert quoting.name(value, WHERE, "the rule") == value


@pytest.mark.parametrize(
    "value", ["", "a b", "a)", "a\n", "a'", 'a"', "a,b", "a;b", "{a}", "-a", "é", "x" * 301]
)
def test_what_is_no_name_is_refused(value):
    """Nothing else that could end a word gets through as a name."""
    for check in (quoting.name, quoting.word):
        with pytest.raises(RehearsalError):
            check(value, WHERE, "the rule")


def test_word_has_only_what_haproxy_takes():
    """An ARN becomes a name that a backend can have; a logical id stays as it is."""
    assert quoting.word("arn:aws:x/y", WHERE, "the rule") == "arn:aws:x_y"
    assert quoting.word("TargetGroup", WHERE, "the rule") == "TargetGroup"


@pytest.mark.parametrize("value", ["X-Forwarded-For", "x_y.z", "Cookie"])
def test_header_names_pass(value):
    """What HTTP calls a token is a header name."""
    assert quoting.header_name(value, WHERE) == value


@pytest.mark.parametrize("value", ["", "a b", "a:", "a)", "a,b", "a'", "a\r", "x" * 129])
def test_what_is_no_header_name_is_refused(value):
    """A header name can't end the function that it stands in."""
    with pytest.raises(RehearsalError):
        quoting.header_name(value, WHERE)


@pytest.mark.parametrize(
    "value,name", [("SSO.example.com.", "sso.example.com"), ("_x.y", "_x.y"), ("a", "a")]
)
def test_host_names_pass_in_lower_case(value, name):
    """A DNS name is written in one way."""
    assert quoting.host_name(value, WHERE) == name


@pytest.mark.parametrize(
    "value", ["", ".", "a..b", "a b", "*.example.com", "-a.b", "a/b", "a\n", "a" * 64, "a." * 127 + "aa"]
)
def test_what_is_no_host_name_is_refused(value):
    """What DNS can't hold doesn't get into the resolver's files."""
    with pytest.raises(RehearsalError):
        quoting.host_name(value, WHERE)


def test_networks_and_ports_are_checked():
    """CIDR text, addresses and port ranges pass; anything else is refused."""
    assert str(quoting.network("10.0.0.1/8", WHERE)) == "10.0.0.0/8"
    assert str(quoting.network("2001:db8::1", WHERE)) == "2001:db8::1/128"
    assert (quoting.ports(80, 80, WHERE), quoting.ports(0, 65535, WHERE)) == ("80", "0-65535")
    for text in ("", "10.0.0.0/33", "any", "10.0.0.0/8 accept"):
        with pytest.raises(RehearsalError):
            quoting.network(text, WHERE)
    for first, last in ((-1, -1), (2, 1), (0, 65536)):
        with pytest.raises(RehearsalError):
            quoting.ports(first, last, WHERE)


def test_comment_is_one_line_of_printable_text():
    """A comment can't end its line, whatever it is about."""
    assert quoting.comment("a\nb\x1b é" + "x" * 300) == "a?b? ?" + "x" * 194


def test_missing_template_is_said(tmp_path):
    """A project without its templates is an error with the file's path."""
    with pytest.raises(RehearsalError, match="haproxy.cfg.j2"):
        quoting.fill(tmp_path, "haproxy.cfg.j2", {})
