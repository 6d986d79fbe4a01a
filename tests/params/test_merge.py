"""Following `extends`, laying files over each other, and asking the tree where a value came from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from folders import load, write
from hypothesis import given
from hypothesis import strategies as st

from generator.errors import ParamsError, Problem
from generator.params import merge
from generator.params.source import Source, parse
from generator.params.tree import Branch, Gone, Items, Leaf, Origin, RawScalar, Setting, Tree


def problems(root: Path, name: str = "dev") -> list[Problem]:
    """Return what is wrong with an environment; it must be something."""
    with pytest.raises(ParamsError) as caught:
        load(root, name)
    return caught.value.problems


def problems_of(loaded: list[merge.Loaded]) -> list[Problem]:
    """Return the problems of all environments, sorted, one of a shared base once."""
    return sorted({problem for one in loaded for problem in one.problems})


BASE = """\
abstract: true
account: 012345670123
keycloak:
  version: 26.10
  features: [a, b]
service: {tasks: 2, cpu: 1024}
tags:
  team.name: identity
"""
PROD = """\
extends: base.yaml
keycloak:
  features: {append: [c]}
service:
  tasks: 3
  cpu: null
"""
DEV = """\
# small
extends: prod.yaml
account: "999999999999"
service: null
keycloak:
  features:
    replace:
      - z
"""


@pytest.fixture
def three(root):
    """A project in which dev extends prod and prod extends base."""
    write(root, base=BASE, prod=PROD, dev=DEV)
    return root


# --- laying files over each other -----------------------------------------------------------------


def test_files_are_merged_key_by_key(three):
    """Mappings merge, scalars override, lists do what they say, and null brings the default back."""
    assert load(three, "prod").plain() == {
        "account": "012345670123",
        "keycloak": {"version": "26.10", "features": ["a", "b", "c"]},
        "service": {"tasks": "3"},
        "tags": {"team.name": "identity"},
    }
    assert load(three, "dev").plain() == {
        "account": "999999999999",
        "keycloak": {"version": "26.10", "features": ["z"]},
        "tags": {"team.name": "identity"},
    }


def test_a_tree_knows_its_files(three):
    """Name, own file and all files, the deepest base first."""
    tree = load(three, "dev")
    assert (tree.name, tree.file) == ("dev", "params/dev.yaml")
    assert tree.files == ("params/base.yaml", "params/prod.yaml", "params/dev.yaml")
    assert load(three, "prod").files == ("params/base.yaml", "params/prod.yaml")


def test_plain_scalars_are_told_from_quoted_ones(three):
    """What the model gets is text that still knows whether it stood in quotes."""
    quoted = load(three, "dev").plain()["account"]
    unquoted = load(three, "prod").plain()["account"]
    assert isinstance(quoted, RawScalar) and isinstance(unquoted, str)
    assert (quoted.plain, unquoted.plain) == (False, True)


def test_plain_is_a_copy(three):
    """Whoever changes what plain() returned doesn't change the tree."""
    tree = load(three, "prod")
    tree.plain()["keycloak"]["features"].append("x")
    assert tree.plain()["keycloak"]["features"] == ["a", "b", "c"]


def test_a_null_over_nothing_stays_visible(root):
    """A null that takes nothing away stays in the tree, so that a misspelt key above it is still found."""
    write(root, base="abstract: true\na: 1\n", dev="extends: base.yaml\ndatabse: ~\nb: 'null'\nc: {d: }\n")
    plain = load(root, "dev").plain()
    assert plain == {"a": "1", "databse": "~", "b": "null", "c": {"d": ""}}
    assert plain["databse"].null and plain["c"]["d"].null and not plain["b"].null


def test_a_null_over_such_a_null_stays_visible_too(root):
    """Two files that misspell the same key don't hide it from each other."""
    write(root, base="abstract: true\ndatabse: null\n", dev="extends: base.yaml\ndatabse: ~\n")
    tree = load(root, "dev")
    assert tree.plain() == {"databse": "~"}
    assert [setting.text for setting in tree.chain(("databse",))] == ["null", "null"]


@pytest.mark.parametrize("text", ["x", "{y: z}", "[x]"])
def test_over_a_null_that_took_nothing_away_anything_may_follow(root, text):
    """A base may name a key without a value for its children to fill in."""
    write(root, base="abstract: true\na:\n", dev=f"extends: base.yaml\na: {text}\n", own=f"a: {text}\n")
    assert load(root, "dev").plain() == load(root, "own").plain()


def test_a_quoted_null_is_a_text(root):
    """The text null overrides like any text."""
    write(root, base="abstract: true\na: 1\n", dev='extends: base.yaml\na: "null"\n')
    assert load(root, "dev").get("a").text == "null"


def test_after_a_null_anything_may_follow(root):
    """Once taken away, a value may come back as anything, and only with what is written then."""
    write(
        root,
        base="abstract: true\na: {b: 1, c: 2}\nd: [1]\ne: 1\nf: {g: 1}\n",
        mid="abstract: true\nextends: base.yaml\na: null\nd: ~\ne:\nf: null\n",
        dev="extends: mid.yaml\na: {c: 3}\nd: [2]\ne: {x: y}\nf: now text\n",
    )
    tree = load(root, "dev")
    assert tree.plain() == {"a": {"c": "3"}, "d": ["2"], "e": {"x": "y"}, "f": "now text"}
    assert [setting.text for setting in tree.chain(("a", "c"))] == ["2", "null", "3"]
    assert [setting.text for setting in tree.chain(("a", "b"))] == ["1", "null"]
    assert tree.get("a.b") is None


@pytest.mark.parametrize("text", ["[x]", "{replace: [x]}", "{append: [x]}"])
def test_where_nothing_was_inherited_every_form_is_the_list(root, text):
    """A first list may be bare or say what it would do: the result is the same, at any depth."""
    write(root, dev=f"a: {text}\nb:\n  - c: {{d: {text}}}\n")
    assert load(root, "dev").plain() == {"a": ["x"], "b": [{"c": {"d": ["x"]}}]}


def test_forms_work_at_any_depth(root):
    """Replace and append are understood below other mappings too."""
    write(
        root,
        base="abstract: true\na: {b: {c: [1], d: [1], e: [1]}}\n",
        dev="extends: base.yaml\na: {b: {c: {replace: []}, d: {append: []}}}\n",
    )
    assert load(root, "dev").plain() == {"a": {"b": {"c": [], "d": ["1"], "e": ["1"]}}}


def test_mappings_that_only_look_like_a_form_are_left_alone(root):
    """A key named replace or append is an ordinary key where it isn't alone or holds no list."""
    text = "a: {replace: x}\nb: {append: [x], other: y}\nc: {append: {d: e}}\n"
    write(root, base=f"abstract: true\n{text}", dev="extends: base.yaml\na: {replace: y}\n")
    assert load(root, "dev").plain() == {
        "a": {"replace": "y"}, "b": {"append": ["x"], "other": "y"}, "c": {"append": {"d": "e"}},
    }


def test_alternatives_of_both_files_stay_for_the_model(root):
    """Two choices from two files merge; which one is meant is told by a null."""
    write(
        root,
        base="abstract: true\nnetwork: {existing: {vpc: v}}\n",
        dev="extends: base.yaml\nnetwork: {create: {zones: 2}}\n",
        qa="extends: base.yaml\nnetwork: {create: {zones: 2}, existing: null}\n",
    )
    assert set(load(root, "dev").plain()["network"]) == {"existing", "create"}
    assert set(load(root, "qa").plain()["network"]) == {"create"}


@pytest.mark.parametrize(
    ("base", "child", "line", "key", "message", "fix"),
    [
        pytest.param(
            "a:\n  b: [1]\n", "a:\n  b: [2]\n", 3, "a.b",
            "a list stands over the one in params/base.yaml:3; lists don't merge silently",
            "write `b: {replace: [...]}` to have only these, or `b: {append: [...]}` to add them",
            id="a bare list over a list",
        ),
        pytest.param(
            "a: []\n", "a: []\n", 2, "a", "a list stands over the one in params/base.yaml:2",
            "`a: {append: [...]}`", id="an empty list over an empty list",
        ),
        pytest.param(
            "a:\n  b: {c: 1}\n", "a:\n  b: text\n", 3, "a.b",
            "params/base.yaml:3 has a mapping here, this file writes a text", "`b: null`",
            id="a text over a mapping",
        ),
        pytest.param(
            "a: {c: 1}\n", "a: [1]\n", 2, "a", "has a mapping here, this file writes a list", "`a: null`",
            id="a list over a mapping",
        ),
        pytest.param(
            "a: {c: 1}\n", "a: {append: [1]}\n", 2, "a", "has a mapping here, this file writes a list",
            "`a: null`", id="an append over a mapping",
        ),
        pytest.param(
            "a: 1\n", "a: {c: 1}\n", 2, "a", "has a text here, this file writes a mapping", "`a: null`",
            id="a mapping over a text",
        ),
        pytest.param(
            "a: 1\n", "a: {replace: [1]}\n", 2, "a", "has a text here, this file writes a list", "`a: null`",
            id="a replace over a text",
        ),
        pytest.param(
            "a: [1]\n", "a: 1\n", 2, "a", "has a list here, this file writes a text",
            "`a: {replace: [...]}`", id="a text over a list",
        ),
        pytest.param(
            "a: [1]\n", "a: {remove: [1]}\n", 2, "a", "has a list here, this file writes a mapping",
            "`a: {append: [...]}`", id="an unknown form over a list",
        ),
        pytest.param(
            "a: [1]\n", "a: {replace: [1], append: [2]}\n", 2, "a", "has a list here, this file writes a",
            "`a: {replace: [...]}`", id="both forms over a list",
        ),
        pytest.param(
            "a: [1]\n", "a: {append: 2}\n", 2, "a", "has a list here, this file writes a mapping",
            "`a: {append: [...]}`", id="a text to append",
        ),
    ],
)
def test_what_does_not_fit_is_refused(root, base, child, line, key, message, fix):
    """A child that means something else than its base gives one problem at its line, naming both places."""
    write(root, base=f"abstract: true\n{base}", dev=f"extends: base.yaml\n{child}")
    (problem,) = problems(root)
    assert (problem.file, problem.line, problem.key) == ("params/dev.yaml", line, key)
    assert message in problem.message and fix in problem.fix


def test_all_conflicts_are_reported(root):
    """One conflict doesn't hide the next, nor one in the middle of the chain."""
    write(
        root,
        base="abstract: true\na: [1]\nb: {c: 1}\nd: 1\n",
        mid="abstract: true\nextends: base.yaml\na: [2]\n",
        dev="extends: mid.yaml\nb: 1\nd: {e: 1}\na: {append: [3]}\n",
    )
    assert [(problem.file, problem.line) for problem in problems(root)] == [
        ("params/dev.yaml", 2), ("params/dev.yaml", 3), ("params/mid.yaml", 3),
    ]


# --- extends --------------------------------------------------------------------------------------


def test_bases_may_lie_anywhere_in_the_project(root):
    """A base is looked for beside its file, then from the project folder; links inside are fine."""
    (root / "params/shared").mkdir()
    (root / "params/shared/net.yaml").write_text("abstract: true\nextends: top.yaml\nb: 2\n")
    (root / "params/shared/top.yaml").write_text("abstract: true\nextends: other/far.yaml\na: 1\n")
    (root / "other").mkdir()
    (root / "other/far.yaml").write_text("c: 3\n")
    (root / "params/link.yaml").symlink_to(root / "params/shared/net.yaml")
    write(root, dev="extends: shared/net.yaml\n", qa="extends: ../params/dev.yaml\n")
    write(root, eu="extends: link.yaml\n")
    # The link stands in params/, so what it extends is looked for there.
    (root / "params/top.yaml").write_text("abstract: true\nz: 9\n")
    assert load(root, "qa").plain() == {"c": "3", "a": "1", "b": "2"}
    assert load(root, "qa").files[0] == "other/far.yaml"
    assert load(root, "eu").plain() == {"z": "9", "b": "2"}


def test_a_chain_may_be_long(root):
    """A hundred files in a row are followed."""
    write(root, b0="abstract: true\na: 0\n")
    for number in range(1, 100):
        write(root, **{f"b{number}": f"abstract: true\nextends: b{number - 1}.yaml\na: {number}\n"})
    write(root, dev="extends: b99.yaml\n")
    tree = load(root, "dev")
    assert len(tree.files) == 101
    assert [setting.text for setting in tree.chain(("a",))] == [str(number) for number in range(100)]


@pytest.mark.parametrize(
    ("extends", "message", "fix"),
    [
        pytest.param("bsae.yaml", "no file `bsae.yaml`", "write `extends: base.yaml`", id="a misspelt name"),
        pytest.param("base", "no file `base`", "write `extends: base.yaml`", id="a name without its suffix"),
        pytest.param("net.yaml", "no file", "write `extends: shared/net.yaml`", id="a name without folder"),
        pytest.param("xxxxxxxx.yaml", "no file", "one of base.yaml, shared/net.yaml", id="a name like none"),
        pytest.param("base.yml", "`base.yml` is no `.yaml` file", "rename it", id="another suffix"),
        pytest.param("../../x.yaml", "leads out of the project folder", "in params/", id="a path outwards"),
        pytest.param("/etc/x.yaml", "isn't relative", "in params/", id="an absolute path"),
        pytest.param("~/x.yaml", "isn't relative", "in params/", id="a path from home"),
        pytest.param('"x\\ny.yaml"', "no file `x?y.yaml`", "name one of", id="a name with a line break"),
        pytest.param("x" * 1000 + ".yaml", "no file", "name one of", id="a name no file system takes"),
    ],
)
def test_a_wrong_base_is_refused(root, extends, message, fix):
    """A base that can't be followed gives one problem at the line of `extends`, with a way out."""
    write(root, base="abstract: true\n", dev=f"# c\nextends: {extends}\na: 1\n")
    (root / "params/base.yml").write_text("a: 1\n")
    (root / "params/shared").mkdir()
    (root / "params/shared/net.yaml").write_text("a: 1\n")
    (problem,) = problems(root)
    assert (problem.file, problem.line, problem.key) == ("params/dev.yaml", 2, "extends")
    assert message in problem.message and fix in problem.fix


def test_a_base_that_leads_out_through_a_link_is_refused(root, tmp_path):
    """A link to a folder outside is no way out of the project."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/base.yaml").write_text("a: 1\n")
    (root / "params/far").symlink_to(tmp_path / "outside")
    write(root, dev="extends: far/base.yaml\n")
    (problem,) = problems(root)
    assert problem.file == "params/far/base.yaml"
    assert "leads out of the project folder" in problem.message


def test_a_base_that_is_no_file_is_refused(root):
    """What is wrong with a base is told at the base."""
    (root / "params/base.yaml").mkdir()
    write(root, dev="extends: base.yaml\n")
    (problem,) = problems(root)
    assert (problem.file, problem.message) == ("params/base.yaml", "this is a folder, not a file")


def test_a_circle_is_refused_in_the_same_words_everywhere(root):
    """Files that extend each other give one problem, however many environments run into it."""
    write(
        root,
        b="# c\nextends: c.yaml\n", c="extends: d.yaml\n", d="extends: b.yaml\n",
        one="extends: c.yaml\n", two="extends: one.yaml\n",
    )
    (problem,) = problems(root, "two")
    assert (problem.file, problem.line, problem.key) == ("params/b.yaml", 2, "extends")
    assert "params/b.yaml -> params/c.yaml -> params/d.yaml -> params/b.yaml" in problem.message
    loaded = merge.load_all(root)
    assert [one.name for one in loaded] == ["b", "c", "d", "one", "two"]
    assert problems_of(loaded) == [problem]


def test_a_file_that_extends_itself_is_refused(root):
    """The shortest circle, also through a link."""
    write(root, dev="extends: dev.yaml\n", qa="extends: link.yaml\n")
    (root / "params/link.yaml").symlink_to(root / "params/qa.yaml")
    assert [problem.message for problem in problems(root)] == ["the file extends itself"]
    (problem,) = problems(root, "qa")
    assert "itself" in problem.message or "in a circle" in problem.message


# --- loading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Prod.yaml", "Prod.yml"])
def test_a_misnamed_environment_says_so_when_loaded(root, name):
    """Asked for by its wrong name, an environment answers with the right one."""
    (root / f"params/{name}").write_text("a: 1\nb: !x 1\n")
    named, tagged = problems(root, "Prod")
    assert named.file == f"params/{name}" and "rename it" in named.fix
    assert (tagged.file, tagged.line) == (f"params/{name}", 2)


def test_a_wrong_word_for_abstract_is_a_problem_of_the_file(root):
    """An environment that says something else than true or false isn't taken for a base in silence."""
    write(root, dev="abstract: yes\na: 1\n")
    (problem,) = problems(root)
    assert (problem.line, problem.key) == (1, "abstract")
    assert problems_of(merge.load_all(root)) == [problem]


def test_all_environments_are_loaded_side_by_side(three):
    """Good environments have trees although others have problems."""
    write(three, qa="extends: prod.yaml\naccount: {a: 1}\n")
    loaded = merge.load_all(three)
    assert [(one.name, one.file, one.tree is not None) for one in loaded] == [
        ("dev", "params/dev.yaml", True), ("prod", "params/prod.yaml", True), ("qa", "params/qa.yaml", False),
    ]
    assert loaded[0].tree == load(three, "dev")
    assert [problem.line for problem in loaded[2].problems] == [2]


def test_every_problem_of_every_file_is_reported_once_and_sorted(root):
    """Shared bases, unused bases, wrong names and conflicts: all of it, by file and line, none twice."""
    write(
        root,
        base="abstract: true\na: !Ref x\nb: 1\nb: 2\n",
        unused="abstract: true\nextends: gone.yaml\n",
        one="extends: base.yaml\nb: [\n",
        two="extends: base.yaml\nb: {c: 1}\n",
        three="extends: base.yaml\n",
        Four="a: 1\n",
        fine="a: 1\n",
    )
    (root / "params/five.yml").write_text("a: 1\n")
    loaded = merge.load_all(root)
    assert [(problem.file, problem.line) for problem in problems_of(loaded)] == [
        ("params/Four.yaml", 0),
        ("params/base.yaml", 2),
        ("params/base.yaml", 4),
        ("params/five.yml", 0),
        ("params/one.yaml", 2),
        ("params/two.yaml", 2),
        ("params/unused.yaml", 2),
    ]
    assert [one.name for one in loaded if one.tree] == ["fine"]
    assert all(one.problems for one in loaded if not one.tree)


def test_a_child_with_a_syntax_error_still_reports_its_base(root):
    """What stands above a syntax error counts, `extends` too."""
    write(root, base="abstract: true\na: !Ref x\n", dev="extends: base.yaml\na: [\n")
    assert [problem.file for problem in problems(root)] == ["params/base.yaml", "params/dev.yaml"]


# --- asking the tree ------------------------------------------------------------------------------


def test_a_value_knows_who_set_it(three):
    """The chain tells every file that spoke, oldest first, with line and text; lists tell it per item too."""
    tree = load(three, "dev")
    assert tree.chain(("account",)) == (
        Setting("params/base.yaml", 2, "012345670123"), Setting("params/dev.yaml", 3, "999999999999"),
    )
    assert [str(setting.origin) for setting in tree.chain(("keycloak",))] == [
        "params/base.yaml:3", "params/prod.yaml:2", "params/dev.yaml:5",
    ]
    assert [setting.text for setting in tree.chain(("keycloak", "features"))] == [
        "[a, b]", "{append: [c]}", "{replace: [z]}",
    ]
    assert tree.chain(("keycloak", "features", 0)) == (Setting("params/dev.yaml", 8, "z"),)
    features = load(three, "prod").get("keycloak.features")
    assert [item.chain[-1].origin for item in features.items] == [
        Origin("params/base.yaml", 5), Origin("params/base.yaml", 5), Origin("params/prod.yaml", 3),
    ]
    assert tree.chain(("nobody", "set")) == ()


def test_what_was_taken_away_still_knows_by_whom(three):
    """A chain that ends with null explains why a value isn't there."""
    tree = load(three, "dev")
    assert [(setting.file, setting.line, setting.text) for setting in tree.chain(("service", "cpu"))] == [
        ("params/base.yaml", 6, "1024"), ("params/prod.yaml", 6, "null"), ("params/dev.yaml", 4, "null"),
    ]
    assert tree.get("service") is None and tree.get("service.cpu") is None


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param(("account",), "params/dev.yaml:3", id="a scalar that was overridden"),
        pytest.param(("keycloak", "version"), "params/base.yaml:4", id="a scalar that was inherited"),
        pytest.param(("keycloak", "features", 0), "params/dev.yaml:8", id="an item"),
        pytest.param(("keycloak", "features", 7), "params/dev.yaml:6", id="an item beyond the end"),
        pytest.param(("keycloak", "nope", "deep"), "params/dev.yaml:5", id="a missing key of a mapping"),
        pytest.param(("tags", "nope"), "params/base.yaml:7", id="a missing key of an inherited mapping"),
        pytest.param(("account", "nope"), "params/dev.yaml:3", id="a key below a scalar"),
        pytest.param(("service", "tasks"), "params/dev.yaml:4", id="a key that was taken away"),
        pytest.param(("service", "nope"), "params/dev.yaml:4", id="a key of a mapping that was taken away"),
        pytest.param(("nope",), "params/dev.yaml", id="a missing key at the top"),
        pytest.param((), "params/dev.yaml", id="the whole"),
    ],
)
def test_where_leads_to_the_line_to_look_at(three, path, place):
    """A path leads to the line that set it, or to the nearest line above it that exists."""
    assert str(load(three, "dev").where(path)) == place


@pytest.mark.parametrize(
    ("key", "text"),
    [
        pytest.param("keycloak.version", "26.10", id="a dotted key"),
        pytest.param("keycloak.features.2", "c", id="an item by number"),
        pytest.param("tags.team.name", "identity", id="a key that holds a dot"),
        pytest.param(("tags", "team.name"), "identity", id="a path"),
    ],
)
def test_a_value_is_found_by_its_key(three, key, text):
    """Dotted keys, numbers and paths lead to the same values."""
    assert load(three, "prod").get(key).text == text


@pytest.mark.parametrize(
    "key",
    ["nope", "keycloak.nope", "account.nope", "keycloak.features.9", "keycloak.features.-1", "tags.team"]
    + ["keycloak.features.x", "keycloak.features.²", "keycloak.", ".", ("keycloak", 0), ("account", 0)],
)
def test_a_key_that_leads_nowhere_finds_nothing(three, key):
    """What isn't there is None, whatever the key looks like."""
    assert load(three, "prod").get(key) is None


def test_the_empty_key_is_the_whole(three):
    """No key at all means everything."""
    tree = load(three, "prod")
    assert tree.get("") is tree.root and tree.get(()) is tree.root


def test_leaves_are_what_was_decided(root):
    """Every scalar once, and lists and mappings that are empty; nothing that was taken away."""
    write(root, base="abstract: true\na: {b: 1, c: 2}\nd: [x, {e: y}, []]\n")
    write(root, dev="extends: base.yaml\na: {c: ~}\nf: {}\n")
    leaves = list(load(root, "dev").leaves())
    assert [path for path, _ in leaves] == [("a", "b"), ("d", 0), ("d", 1, "e"), ("d", 2), ("f",)]
    assert [type(value) for _, value in leaves] == [Leaf, Leaf, Leaf, Items, Branch]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("x", "x", id="a text"),
        pytest.param("'x y'", "x y", id="a quoted text"),
        pytest.param("'null'", '"null"', id="a text that looks like nothing"),
        pytest.param("''", '""', id="an empty text"),
        pytest.param('"a\\nb"', '"a\\nb"', id="a text of two lines"),
        pytest.param("['1', 2, {c: }]", '["1", 2, {c: null}]', id="a list"),
        pytest.param("[]", "[]", id="an empty list"),
        pytest.param("{c: {d: [], e: f}}", "{c: {d: [], e: f}}", id="a mapping"),
        pytest.param("[" + "abcdefg, " * 20 + "h]", "[" + "abcdefg, " * 10 + "abcdefg,…", id="a long list"),
    ],
)
def test_a_setting_shows_what_was_written_on_one_line(root, text, shown):
    """Whatever was written, a setting shows it on one line of bounded length."""
    write(root, dev=f"a: {text}\n")
    (setting,) = load(root, "dev").chain(("a",))
    assert setting.text == shown


# --- promises for every tree ----------------------------------------------------------------------

# One shape for all files, so that layers fit each other: s* are scalars, l* lists, m* mappings.
TEXTS = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=4)
SCALARS = st.dictionaries(st.sampled_from(["s1", "s2", "s3"]), TEXTS, max_size=3)
LISTS = st.dictionaries(st.sampled_from(["l1", "l2"]), st.lists(TEXTS, max_size=3), max_size=2)


def nested(layer):
    """Return mappings of the layer's values with mappings of the same shape below."""
    return st.recursive(
        layer,
        lambda below: st.builds(
            lambda own, more: {**own, **more},
            layer,
            st.dictionaries(st.sampled_from(["m1", "m2"]), below, max_size=2),
        ),
        max_leaves=5,
    )


BASES = nested(st.builds(lambda scalars, lists: {**scalars, **lists}, SCALARS, LISTS))
WORDS = st.sampled_from(merge.FORMS)
FORMS = st.builds(lambda word, items: {word: items}, WORDS, st.lists(TEXTS, max_size=3))
CHILDREN = nested(
    st.builds(
        lambda scalars, lists: {**scalars, **lists},
        st.dictionaries(st.sampled_from(["s1", "s2", "s3"]), TEXTS | st.none(), max_size=3),
        st.dictionaries(st.sampled_from(["l1", "l2", "m1"]), FORMS | st.none(), max_size=2).map(
            lambda lists: {key: form for key, form in lists.items() if key != "m1" or form is None}
        ),
    )
)


def layer(data: dict, file: str) -> Source:
    """Return a params file that says `data`; None is a plain null, all other texts are in quotes."""
    found = parse(json.dumps(data, ensure_ascii=False), file)
    assert found.problems == ()
    return found


def merged(*layers: dict) -> dict:
    """Return what files that extend each other, the first being the base, make together."""
    found: list[Problem] = []
    sources = [layer(data, f"params/l{number}.yaml") for number, data in enumerate(layers)]
    root = merge.merge(sources, found)
    assert found == []
    return Tree("x", sources[-1].file, tuple(one.file for one in sources), root).plain()


def settled(plain):
    """Return a tree without the nulls that took nothing away."""
    if isinstance(plain, dict):
        kept = {key: settled(value) for key, value in plain.items()}
        return {key: value for key, value in kept.items() if not getattr(value, "null", False)}
    return [settled(item) for item in plain] if isinstance(plain, list) else plain


def again(plain):
    """Return a tree as data for a params file."""
    if isinstance(plain, dict):
        return {key: again(value) for key, value in plain.items()}
    return [again(item) for item in plain] if isinstance(plain, list) else str(plain)


@given(base=BASES)
def test_an_empty_child_changes_nothing(base):
    """Merging with nothing is the identity, on either side."""
    assert merged(base) == base == merged(base, {}) == merged({}, base)


@given(base=BASES, child=SCALARS)
def test_a_scalar_of_the_child_always_wins(base, child):
    """Every scalar of the child is in the result, and all else is the base's."""
    assert merged(base, child) == {**base, **child}


@given(base=BASES, data=st.data())
def test_null_removes_whatever_was_inherited(base, data):
    """A null over any value leaves exactly the others."""
    keys = data.draw(st.sets(st.sampled_from(sorted(base)))) if base else set()
    assert merged(base, dict.fromkeys(keys)) == {key: base[key] for key in base if key not in keys}


@given(inherited=st.lists(TEXTS), added=st.lists(TEXTS))
def test_append_keeps_order_and_length(inherited, added):
    """Appending gives the inherited items, then the child's, duplicates included."""
    assert merged({"l": inherited}, {"l": {"append": added}}) == {"l": inherited + added}


@given(inherited=st.lists(TEXTS), own=st.lists(TEXTS))
def test_replace_is_exactly_the_child_s_list(inherited, own):
    """Replacing leaves nothing of what was inherited."""
    assert merged({"l": inherited}, {"l": {"replace": own}}) == {"l": own}


@given(base=BASES, middle=CHILDREN, child=CHILDREN)
def test_a_chain_of_three_equals_merging_in_pairs(base, middle, child):
    """Laying the last file over the finished result of the first two gives what the chain gives."""
    in_pairs = merged(again(settled(merged(base, middle))), child)
    assert settled(merged(base, middle, child)) == settled(in_pairs)


@given(base=BASES, child=CHILDREN)
def test_every_leaf_has_a_chain_that_ends_where_it_points(base, child):
    """For every leaf, where() is the last link of its chain, and that link shows the leaf's text."""
    sources = [layer(base, "params/l0.yaml"), layer(child, "params/l1.yaml")]
    tree = Tree("x", "params/l1.yaml", ("params/l0.yaml", "params/l1.yaml"), merge.merge(sources, []))
    for path, value in tree.leaves():
        chain = tree.chain(path)
        assert chain == value.chain and tree.where(path) == chain[-1].origin
        assert tree.get(path) is value and not isinstance(value, Gone)
        if isinstance(value, Leaf) and not value.null and value.text:
            assert chain[-1].text in (value.text, json.dumps(value.text, ensure_ascii=False))


def test_merging_leaves_its_sources_alone():
    """A base that several environments share is the same after each of them."""
    base = layer({"m": {"s": "1", "l": ["a"]}}, "params/base.yaml")
    before = repr(base)
    for child in ({"m": {"s": "2", "l": {"append": ["b"]}}}, {"m": None}, {"m": {"l": {"replace": []}}}):
        merge.merge([base, layer(child, "params/dev.yaml")], [])
        assert repr(base) == before
