"""Our own checks: each finds its mistake, at its place, and leaves alone what is right."""

from __future__ import annotations

import re

import botocore.session
import pytest
from bending import GOOD_TEXT, REGION, Case, bent, cases, needed_for, path_of, written

from generator import linting
from generator.document import Document, parse
from generator.linting import linter, pack
from generator.linting.checks.balancer_attributes import KNOWN
from generator.linting.rule import Rule
from generator.linting.view import View
from tests.cases import PROJECT

CHECKS = {check.id: check for check in pack.all_rules() if check.id[1:3] == "95"}

TAGS = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]


def rules(count: int) -> dict:
    """A change after which the listener has `count` rules."""
    change = {}
    for number in range(1, count):
        change |= {f"Rule{number}": "ListenerRule", f"Rule{number}.Priority": 100 + number}
    return change


def policies(*sizes: int) -> list[dict]:
    """Inline policies, each with a resource of so many characters."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject"}
    return [
        {
            "PolicyName": f"p{size}",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{**statement, "Resource": f"arn:aws:s3:::{'b' * size}"}],
            },
        }
        for size in sizes
    ]


BAD = cases("bad") + [
    Case("W9537", "101 rules", rules(101), "Rule100", "101 rules"),
    Case("W9595", "a body too big", {"Cluster@Metadata": {"Note": "x" * 52_000}}, "", "above 51,200"),
    Case("E9596", "51 tags", {"LoadBalancer.Tags": TAGS}, "LoadBalancer.Tags", "51 tags"),
    Case(
        "E9597",
        "long policies",
        {"ExecutionRole.Policies": policies(6000, 5000)},
        "ExecutionRole.Policies",
        "11,",
    ),
]
GOOD = cases("good") + [
    Case("W9537", "100 rules", rules(100)),
    Case("W9595", "a body just small enough", {"Cluster@Metadata": {"Note": "x" * 30_000}}),
    Case("E9596", "50 tags", {"LoadBalancer.Tags": TAGS[:50]}),
    Case("E9596", "a service with another limit", {"Discovery.Tags": TAGS}),
    Case("E9597", "policies with room", {"ExecutionRole.Policies": policies(6000, 3000)}),
]


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        ("AWS::ElasticLoadBalancingV2::TargetGroup", "TargetGroupAttribute"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "LoadBalancerAttribute"),
        ("AWS::ElasticLoadBalancingV2::Listener", "ListenerAttribute"),
    ],
)
def test_every_attribute_that_the_api_describes_is_known(kind, shape):
    """Nobody is warned of an attribute that AWS's own description of the API names."""
    model = botocore.session.get_session().get_service_model("elbv2")
    described = model.shape_for(shape).members["Key"].documentation
    named = set(re.findall(r"<code>([a-z0-9_]+(?:\.[a-z0-9_]+)+)</code> *[-–]", described))
    assert named == KNOWN[kind][1].keys()


@pytest.fixture(scope="module")
def by_cfn_lint() -> dict[str, list[linting.Finding]]:
    """What cfn-lint alone says about each bad template; one that was linted in an earlier run isn't again."""
    jobs = [linting.Job(linted(case), case.what, REGION) for case in BAD]
    found = linting.lint_many(jobs, cache=linting.Cache(PROJECT))
    return {
        job.text: [finding for finding in one if not pack.rule(finding.rule)] for job, one in zip(jobs, found)
    }


def linted(case: Case) -> str:
    """The template with the mistake; without the resources that have nothing to do with it, where it is at
    one."""
    template, path = bent(case.change), path_of(case.at)
    if path:
        touched = {place.partition(".")[0].partition("@")[0] for place in case.change}
        template = needed_for(template, touched | {path[1]})
    return written(template)


def each(some: list[Case]):
    return pytest.mark.parametrize("case", some, ids=[f"{case.check} {case.what}" for case in some])


@each(BAD)
def test_a_check_finds_its_mistake_where_it_is(case):
    """One mistake gives one finding: at the value, in its line, in words that name it."""
    document = parse(written(bent(case.change)))
    (finding,) = CHECKS[case.check].findings(View(document))
    assert case.says in f"{finding.message} {finding.fix}"
    assert finding.path == path_of(case.at)
    assert finding.line == document.line(finding.path)


@each(BAD)
def test_cfn_lint_alone_accepts_the_mistake(case, by_cfn_lint):
    """A check is ours for as long as cfn-lint says nothing there; when it does, the check can go."""
    path = path_of(case.at)
    assert [finding for finding in by_cfn_lint[linted(case)] if finding.path[: len(path)] == path] == []


@each(GOOD)
def test_a_check_leaves_alone_what_is_right(case):
    """What looks like the mistake and is none, or can't be judged, gives no finding."""
    assert list(CHECKS[case.check].findings(View(parse(written(bent(case.change)))))) == []


def test_the_good_template_is_good():
    """Neither cfn-lint nor any of our checks objects to the template that the cases bend."""
    assert linter.run(GOOD_TEXT, REGION) == []
    view = View(parse(GOOD_TEXT))
    assert [finding for check in CHECKS.values() for finding in check.findings(view)] == []


def test_every_check_has_a_bad_case():
    """No check is without a mistake that it finds."""
    assert {case.check for case in BAD} == set(CHECKS)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_a_check_says_what_and_why(check):
    """Each has an id of the range kept for it, a line on what, a reason, and AWS's page."""
    assert check.id[0] in "EW" and check.id[1:3] == "95" and len(check.id) == 5
    assert check.shortdesc and not check.shortdesc.endswith(".")
    assert type(check).__doc__
    assert check.source_url.startswith("https://docs.aws.amazon.com/")


def test_two_checks_of_one_id_are_refused(monkeypatch):
    """An id means one check: a second is an error at once, not a rule that nobody can ignore alone."""
    kind = type(CHECKS["E9501"])
    monkeypatch.setattr(Rule, "kinds", [kind, kind])
    with pytest.raises(ValueError, match="E9501"):
        pack.all_rules.__wrapped__()


ODD = [
    None,
    True,
    -1,
    "",
    "x",
    [],
    [None],
    {},
    {"Ref": "Nobody"},
    {"Fn::If": ["a", "b", "c"]},
    [{"Ref": "x"}],
    [[1]],
]


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_checks_survive_any_value(odd):
    """Whatever stands where something else belongs, a check judges it or leaves it: it never breaks."""
    template = bent({})
    leaves = Document("", "", template, {}).leaves(("Resources",))
    places = dict.fromkeys(path[:end] for path, _ in leaves for end in range(3, len(path) + 1))
    for *steps, last in list(places):
        holder = template
        for step in steps:
            holder = holder[step]
        before, holder[last] = holder[last], odd
        view = View(Document("", "", template, {}))
        for check in CHECKS.values():
            list(check.findings(view))
        holder[last] = before
