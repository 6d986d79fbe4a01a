"""Files that can't be used: one clear problem each, at the right line, and never a traceback."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

import pytest
import yaml
from folders import load
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import ParamsError, Problem
from generator.params import source
from generator.params.syntax import LOADER
from generator.params.trouble import MAX_PROBLEMS

PARSERS = [
    pytest.param(LOADER, id="with libyaml"),
    pytest.param(yaml.BaseLoader, id="with the parser in Python"),
]

# name: (text, line, key, part of the message, part of the fix)
SYNTAX = {
    "a tab indents a line": ("a:\n\tb: 1\n", 2, "", "indented with a tab", "spaces"),
    "a tab after spaces indents a line": ("a:\n  b: 1\n \tc: 2\n", 3, "", "indented with a tab", "spaces"),
    "a value starts with an at sign": ("a: 1\nb: @x\n", 2, "", "can't start with `@`", "quotes"),
    "a value starts with a backtick": ("a: `x`\n", 1, "", "can't start with a backtick", "quotes"),
    "a value starts with a percent sign": ("a: %x\n", 1, "", "can't start with `%`", "quotes"),
    "a value starts with a star": ("a: *.example.com\n", 1, "", "can't start with `*`", "quotes"),
    "a value starts with an ampersand": ("a: & b\n", 1, "", "can't start with `&`", "quotes"),
    "a value starts with half a tag": ("a: !<\n", 1, "", "can't start with `!`", "quotes"),
    "a colon stands in a value": ("a: 1\nb: c: d\n", 2, "", "no key can stand", "quotes"),
    "a line is indented too far": ("a: 1\n  b: 2\n", 2, "", "indented too far", "line the key up"),
    "a line is indented between two levels": ("a:\n  b: 1\n c: 2\n", 3, "", "doesn't fit", "one level up"),
    "text follows a closed quote": ('a: 1\nb: "x" y\n', 2, "", "text follows", "quotes as a whole"),
    "a double quote isn't closed": ('a: 1\nb: "x\nc: y\nd: z\n', 2, "", "quote that opens here", "close it"),
    "a single quote isn't closed": ("a: 'x\nb: y\n", 1, "", "quote that opens here", "close it"),
    "a bracket isn't closed": ("a: 1\nb: [1, 2\nc: 3\n", 2, "", "`[` that opens here", "`]`"),
    "a brace isn't closed": ("a: {b: 1\nc: 2\n", 1, "", "`{` that opens here", "`}`"),
    "a bracket closes too much": ("a: ]\n", 1, "", "a value is missing", "bracket"),
    "two commas follow each other": ("a: [1,,2]\n", 1, "", "a value is missing", "comma"),
    "a line has no colon": ("a: 1\nfoo\nb: 2\n", 2, "", "no `key: value`", "a colon"),
    "a backslash escapes nothing": ('a: "C:\\dir"\n', 1, "", "escape that doesn't exist", "single quotes"),
    "an escape has wrong digits": ('a: "\\xZZ"\n', 1, "", "names no character", "itself"),
    "a list goes on with a key": ("a:\n  - x\n  y: 1\n", 3, "", "isn't part of the list", "`- `"),
    "a list starts beside its key": ("a: - b\n", 1, "", "no list can start", "next line|line after"),
    "text follows a block sign": ("a: |x\n  b\n", 1, "", "follows a `|`", "next line"),
    "a key is left out": ("a: 1\n: b\n", 2, "", "a key is missing", "write the key"),
    "a key is left out in braces": ("a: {: b}\n", 1, "", "a key is missing", "write the key"),
    "a YAML 3 file": ("%YAML 3.0\n---\na: 1\n", 1, "", "YAML version", "remove"),
    "a merge conflict is left": (
        "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n", 2, "", "unresolved merge conflict", "resolve",
    ),
}

NOT_PARAMS = {
    "a tag turns a text into a number": (
        "a:\n  b: !!int 5\n", 2, "a.b", "`!!int` is a YAML tag", "remove the tag",
    ),
    "a CloudFormation short form": ("a: !Ref Vpc\n", 1, "a", "`!Ref` is a YAML tag", "quotes"),
    "a tag on a list": ("a: !Split [b, c]\n", 1, "a", "`!Split` is a YAML tag", "remove the tag"),
    "an anchor on a mapping": ("a: &base\n  b: 1\n", 1, "a", "`&base` is a YAML anchor", "`extends`"),
    "an anchor in a list": ("a:\n  - x\n  - &y z\n", 3, "a.1", "`&y` is a YAML anchor", "`extends`"),
    "an alias": ("a: 1\nb: *a\n", 2, "b", "`*a` is a YAML alias", "repeat the value"),
    "an alias as a key": ("a: 1\n*a : b\n", 2, "", "`*a` is a YAML alias", "repeat the value"),
    "a merge key": ("a:\n  <<: {b: 1}\n", 2, "a", "`<<` is a YAML merge key", "`extends`"),
    "a merge key with an alias": ("a:\n  <<: *b\n", 2, "a", "`<<` is a YAML merge key", "`extends`"),
    "a second document": ("a: 1\n---\nb: 2\n", 2, "", "a second document", "`---`"),
    "a key given twice": ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4, "a.b", "twice, in lines 2 and 4", "keep one"),
    "a key given twice with and without quotes": ('a: 1\n"a": 2\n', 2, "a", "lines 1 and 2", "keep one"),
    "a null key": ("a: 1\nnull: 2\n", 2, "", "empty or null", "before the colon"),
    "a tilde key": ("~: 2\n", 1, "", "empty or null", "before the colon"),
    "an empty key in quotes": ('a:\n  "": 2\n', 2, "a", "empty or null", "before the colon"),
    "a list as a key": ("? [a]\n: b\n", 1, "", "a list can't be a key", "a text"),
    "a mapping as a key": ("? {a: b}\n: c\n", 1, "", "a mapping can't be a key", "a text"),
    "a placeholder without quotes": (
        "a: {{ name }}\n", 1, "a", "a mapping can't be a key", "nothing is filled in",
    ),
    "a key with a line break": ('"a\\nb": 1\n', 1, "", "line break", "one line"),
    "a bidi override in a value": (
        'a: 1\nb: "\\u202e"\n', 2, "b", "U+202E (right-to-left override)", "remove",
    ),
    "a bidi isolate in a comment": ("a: 1 # \u2066\n", 1, "", "U+2066 (left-to-right isolate)", "remove"),
    "a bidi override in a key": ('a:\n  "b\\u202ec": 1\n', 2, "a", "U+202E", "remove"),
    "an escape character in a value": ('a: "\\e[31m"\n', 1, "a", "U+001B (control character)", "remove"),
    "a raw escape character": ("a: 1\nb: \x1b[31m\n", 2, "", "U+001B (control character)", "remove"),
    "a tab in a value": ('a: "b\\tc"\n', 1, "a", "a tab", "remove"),
    "a carriage return in a value": ('a: "b\\rc"\n', 1, "a", "U+000D", "remove"),
    "a C1 character in a value": ('a: "\\x9b"\n', 1, "a", "U+009B (control character)", "remove"),
    "a next-line character": ("a: x\u0085b: y\n", 1, "", "U+0085", "remove"),
    "a line separator": ("a: 1\nb: x\u2028y\n", 2, "", "U+2028 (line separator)", "remove"),
    "a paragraph separator in a list": (
        'a: [b, "\\u2029"]\n', 1, "a.1", "U+2029 (paragraph separator)", "remove",
    ),
    "a private-use character": ("a: \ue000\n", 1, "", "U+E000 (private-use character)", "remove"),
    "a zero-width space in a value": (
        "a: https://sso\u200b.example.com\n", 1, "", "U+200B (zero width space)", "remove",
    ),
    "a no-break space before a value": ("a: \u00a0b\n", 1, "a", "U+00A0 (no-break space)", "ordinary space"),
    "a no-break space that indents": ("a:\n\u00a0\u00a0b: 1\n", 2, "", "U+00A0 (no-break space)", "ordinary"),
    "a text at the top": ("hello\n", 1, "", "one text where keys", "`key: value`"),
    "colons without spaces": ("a:1\nb:2\n", 1, "", "one text where keys", "space after the colon"),
    "a list at the top": ("# list\n- a\n- b\n", 2, "", "a list where keys", "`key: value`"),
    "an empty file": ("", 0, "", "the file is empty", "write settings"),
    "nothing but comments": ("# later\n", 0, "", "the file is empty", "write settings"),
    "nothing but a document mark": ("---\n", 0, "", "the file is empty", "write settings"),
    "a null at the top": ("~\n", 0, "", "the file is empty", "write settings"),
    "abstract in words": ("abstract: yes\n", 1, "abstract", "neither true nor false", "`abstract: true`"),
    "abstract in quotes": (
        'a: 1\nabstract: "true"\n', 2, "abstract", "neither true nor false", "`abstract: true`",
    ),
    "abstract without a value": (
        "abstract:\na: 1\n", 1, "abstract", "neither true nor false", "`abstract: true`",
    ),
    "several parents": ("a: 1\nextends: [b.yaml, c.yaml]\n", 2, "extends", "not on a list", "name one file"),
    "a mapping as parent": ("extends: {file: b.yaml}\n", 1, "extends", "names no file", "one file name"),
    "extends without a name": ("extends:\na: 1\n", 1, "extends", "names no file", "one file name"),
}

DEEP = {
    "brackets without an end": ("a: 1\nb: " + "[" * 100_000, 2),
    "braces without an end": ("{a: " * 100_000, 1),
    "brackets that are all closed": ("a: " + "[" * 50_000 + "]" * 50_000, 1),
    "dashes without an end": ("a:\n  " + "- " * 50_000, 2),
    "question marks without an end": ("? " * 50_000, 1),
    "mappings in mappings": ("".join(f"{' ' * depth}a:\n" for depth in range(700)), 41),
}

BYTES = {
    "UTF-16 with a mark": (
        "a: ä\n".encode("utf-16"), 0, "UTF-16 or UTF-32, not UTF-8", "save the file as UTF-8",
    ),
    "UTF-16 big-endian": ("a: 1\n".encode("utf-16-be"), 0, "looks like UTF-16", "save the file as UTF-8"),
    "UTF-32": ("a: 1\n".encode("utf-32"), 0, "UTF-16 or UTF-32", "save the file as UTF-8"),
    "Latin-1": (
        "a: 1\nb: M\xfcnchen\n".encode("latin-1"), 2, "byte 0xFC isn't UTF-8", "save the file as UTF-8",
    ),
    "half a UTF-8 character": (b"a: 1\n\nb: \xc3", 3, "byte 0xC3 isn't UTF-8", "save the file as UTF-8"),
    "a surrogate in UTF-8": (b"a: \xed\xa0\x80\n", 1, "byte 0xED isn't UTF-8", "save the file as UTF-8"),
    "a NUL byte": (b"a: one\nb: two\nc: x\x00y\n", 3, "a NUL byte", "remove the byte"),
    "a second byte order mark": (b"\xef\xbb\xbf\xef\xbb\xbfa: 1\n", 1, "U+FEFF", "remove"),
    "ten megabytes of brackets": (b"[" * 10_000_000, 0, "larger than 1 MiB", "a few kilobytes"),
    "ten megabytes of zeros": (b"\x00" * 10_000_000, 0, "larger than 1 MiB", "a few kilobytes"),
    "a megabyte of values": (b"a: [" + b"b," * 500_000 + b"]", 1, "more than 20000 values", "a few dozen"),
    "a picture": (
        b"\x89PNG\r\n\x1a\n" + bytes(range(1, 256)), 1, "byte 0x89 isn't UTF-8", "save the file as UTF-8",
    ),
}


def problems(root: Path) -> list[Problem]:
    """Return what is wrong with the environment dev; it must be something."""
    with pytest.raises(ParamsError) as caught:
        load(root, "dev")
    assert caught.value.exit_code == 2
    return caught.value.problems


def only(found: list[Problem]) -> Problem:
    """Return the one problem there is, after checking what is promised of each."""
    assert len(found) == 1, [str(problem) for problem in found]
    problem = found[0]
    assert problem.severity == "error"
    assert problem.fix and not problem.message.endswith(".")
    text = str(problem)
    assert "\n" not in text and len(text) < 400
    # Nothing of the library's own words, marks or Python's names for things.
    for leak in ("while parsing", "while scanning", "in \"<", "yaml.", "Error", "expected <"):
        assert leak not in text
    return problem


@pytest.mark.parametrize("loader", PARSERS)
@pytest.mark.parametrize(("text", "line", "key", "message", "fix"), SYNTAX.values(), ids=SYNTAX)
def test_yaml_that_does_not_parse_is_told_in_words(loader, text, line, key, message, fix):
    """Text that isn't YAML gives one problem, in words, where the mistake starts."""
    problem = only(list(source.parse(text, "params/dev.yaml", loader).problems))
    assert (problem.file, problem.line, problem.key) == ("params/dev.yaml", line, key)
    assert message in problem.message
    assert any(part in problem.fix for part in fix.split("|"))


@pytest.mark.parametrize("loader", PARSERS)
@pytest.mark.parametrize(("text", "line", "key", "message", "fix"), NOT_PARAMS.values(), ids=NOT_PARAMS)
def test_yaml_that_is_no_params_file_is_refused(loader, text, line, key, message, fix):
    """What YAML allows and params files don't gives one problem with the line, the key and the way out."""
    problem = only(list(source.parse(text, "params/dev.yaml", loader).problems))
    assert (problem.file, problem.line, problem.key) == ("params/dev.yaml", line, key)
    assert message in problem.message
    assert fix in problem.fix


@pytest.mark.parametrize("loader", PARSERS)
@pytest.mark.parametrize(
    "escape",
    [
        pytest.param("\\ud800", id="half of a surrogate pair"),
        pytest.param("\\ud83d\\ude00", id="a surrogate pair as in JSON"),
        pytest.param("\\U00110000", id="a number beyond Unicode"),
    ],
)
def test_an_escape_that_is_no_character_is_refused(loader, escape):
    """An escape that names no character gives one problem, whether the parser or the reader notices it."""
    problem = only(list(source.parse(f'a: "{escape}"\n', "params/dev.yaml", loader).problems))
    assert "names no character" in problem.message or "half of a surrogate pair" in problem.message


@pytest.mark.parametrize("loader", PARSERS)
@pytest.mark.parametrize(("text", "line"), DEEP.values(), ids=DEEP)
def test_a_deep_file_is_refused(loader, text, line):
    """However deep a file goes, the answer is one problem and no exhausted stack."""
    problem = only(list(source.parse(text, "params/dev.yaml", loader).problems))
    assert (problem.line, problem.message) == (line, "values are nested deeper than 40 levels")


@pytest.mark.parametrize(("content", "line", "message", "fix"), BYTES.values(), ids=BYTES)
def test_bytes_that_are_no_params_file_are_refused(root, content, line, message, fix):
    """A file in another encoding, or too large, or no text at all, gives one problem."""
    (root / "params/dev.yaml").write_bytes(content)
    problem = only(problems(root))
    assert (problem.file, problem.line) == ("params/dev.yaml", line)
    assert message in problem.message
    assert fix in problem.fix


def make_folder(path, outside):
    path.mkdir()


def make_fifo(path, outside):
    os.mkfifo(path)


def make_socket(path, outside):
    # A socket's path is limited to about 100 bytes, which a temporary folder may use up.
    short = tempfile.mkdtemp()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{short}/s")
    shutil.move(f"{short}/s", path)
    os.rmdir(short)


def make_dangling_link(path, outside):
    path.symlink_to(path.parent / "gone.yaml")


def make_link_to_itself(path, outside):
    path.symlink_to(path)


def make_link_out_of_the_project(path, outside):
    (outside / "secret.yaml").write_text("a: 1\n")
    path.symlink_to(outside / "secret.yaml")


def make_dangling_link_out_of_the_project(path, outside):
    path.symlink_to(outside / "gone.yaml")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(make_folder, "this is a folder, not a file", id="a folder"),
        pytest.param(make_fifo, "this is a FIFO, not a file", id="a FIFO"),
        pytest.param(make_socket, "this is a socket, not a file", id="a socket"),
        pytest.param(make_dangling_link, "gone.yaml, which doesn't exist", id="a dangling link"),
        pytest.param(make_link_to_itself, "Too many levels of symbolic links", id="a link to itself"),
        pytest.param(make_link_out_of_the_project, "leads out of the project folder", id="a link outwards"),
        pytest.param(make_dangling_link_out_of_the_project, "leads out of", id="a dangling link outwards"),
    ],
)
def test_what_is_no_file_of_the_project_is_refused(root, tmp_path, make, message):
    """A folder, a FIFO, a socket or a link to nowhere or outwards gives one problem, and nobody waits."""
    make(root / "params/dev.yaml", tmp_path)
    problem = only(problems(root))
    assert (problem.file, problem.line) == ("params/dev.yaml", 0)
    assert message in problem.message


@pytest.fixture
def closed():
    """A project folder with an environment that may not be read, seen by a user without rights."""
    folder = Path(tempfile.mkdtemp())
    (folder / "params").mkdir()
    (folder / "templates").mkdir()
    (folder / "params/dev.yaml").write_text("a: 1\n")
    (folder / "params/dev.yaml").chmod(0)
    folder.chmod(0o755)
    # The superuser may read everything, so it becomes somebody else for a while.
    superuser = os.geteuid() == 0
    if superuser:
        os.seteuid(65534)
    yield folder
    if superuser:
        os.seteuid(0)
    shutil.rmtree(folder)


def test_a_file_without_read_permission_is_refused(closed):
    """A file that may not be read says so."""
    problem = only(problems(closed))
    assert problem.message == "the file can't be read: Permission denied"


def test_every_problem_of_a_file_is_reported(root):
    """Problems that have nothing to do with each other are all told, in the order of their lines."""
    text = "a: &x 1\nb: !Ref y\nc: *x\nc: 2\nextends: []\nd:\n  e: 1\n  e: 2\n"
    (root / "params/dev.yaml").write_text(text)
    assert [(problem.line, problem.key) for problem in problems(root)] == [
        (1, "a"), (2, "b"), (3, "c"), (5, "extends"), (8, "d.e"),
    ]


def test_a_problem_inside_a_key_is_not_placed_under_the_key_before(root):
    """What is wrong in a key that is none itself isn't told of the neighbour that was fine or was refused."""
    (root / "params/dev.yaml").write_text("a: 1\n? [!x b]\n: c\nd: !y e\n? [!z f]\n: g\n")
    assert sorted((problem.line, problem.key) for problem in problems(root)) == [
        (2, ""), (2, "0"), (4, "d"), (5, ""), (5, "0"),
    ]


def test_lines_are_counted_whatever_ends_them(root):
    """A problem's line is the one an editor shows, in files of any system."""
    for end in ("\n", "\r\n", "\r"):
        (root / "params/dev.yaml").write_bytes(f"a: 1{end}b: \x1b{end}c: !x 1{end}".encode())
        assert [problem.line for problem in problems(root)] == [2, 3]


def test_a_file_full_of_problems_is_cut_short(root):
    """A file with thousands of problems ends with a line that says so."""
    (root / "params/dev.yaml").write_text("".join(f"k{number}: *x\n" for number in range(5000)))
    found = problems(root)
    assert len(found) == MAX_PROBLEMS + 1
    assert any("isn't read further" in problem.message for problem in found)


def test_what_stands_before_a_syntax_error_is_still_checked(root):
    """A syntax error doesn't hide the problems above it."""
    (root / "params/dev.yaml").write_text("a: !Ref b\nc: [1\n")
    assert [problem.line for problem in problems(root)] == [1, 2]


YAML_PIECES = st.sampled_from(
    ["a", "b: ", "\n", "  ", "- ", "[", "]", "{", "}", ",", '"', "'", "\\", "&x ", "*x ", "!t ", "<<: ", "? "]
    + [": ", "|\n", ">-\n", "---\n", "...\n", "%YAML 1.1\n", "#", "\t", "\r", "\x00", "\x1b", "\u2028"]
    + ["\xa0", "~", "\\u", "extends: ", "abstract: ", "true", "@", "`", "%", "!<"]
    + ["\U0001f600", "\ufeff", "<<<<<<< "]
)


@pytest.mark.parametrize("loader", PARSERS)
@given(pieces=st.lists(YAML_PIECES, max_size=25))
def test_no_text_makes_the_reader_fail(loader, pieces):
    """Whatever stands in a file, reading it ends with a source whose problems point into the file."""
    text = "".join(pieces)
    last = len(text.splitlines()) + 1
    found = source.parse(text, "params/dev.yaml", loader)
    assert all(0 <= problem.line <= last and problem.message for problem in found.problems)


@given(content=st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail(content):
    """Whatever bytes a file holds, reading it ends with a source."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "dev.yaml")
        path.write_bytes(content)
        found = source.read(path, Path(folder))
    assert found.file == "dev.yaml"
    assert found.problems or found.complete
