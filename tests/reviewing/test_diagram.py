"""The picture of an environment: what is in it, how it is marked, and that it can be read."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as xml
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generator.document import parse
from generator.reviewing import differences
from generator.reviewing.diagram import draw, mermaid, svg
from generator.reviewing.diagram.drawing import Diagram
from generator.reviewing.diagram.layout import SMALL, TITLE, lay_out
from generator.reviewing.diagram.naming import words
from generator.reviewing.diagram.widths import cut, width, wrapped
from generator.reviewing.meaning.base import Reading
from generator.showing.escaping import plain
from generator.reviewing.review import review
from tests.cases import PROJECT
from tests.reviewing.examples import artefact, committed, prod, resource, reviewed, stack_json, template

WORLD_TO_DATABASE = """  DatabaseInWorld:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !GetAtt DatabaseSecurityGroup.GroupId, IpProtocol: tcp, FromPort: 5432,
      ToPort: 5432, CidrIp: 0.0.0.0/0}

  Dashboard:
"""
FOREIGN = sorted(
    path
    for folder in ("rehearsing", "linting/corpus")
    for path in (PROJECT / "tests" / folder / "templates").iterdir()
    if path.suffix in (".yaml", ".json")
)


def large():
    """A change of many things at once."""
    return prod(
        ('DBName: "keycloak"', "DBName: kc"),
        ("PubliclyAccessible: false", "PubliclyAccessible: true"),
        ("  Dashboard:\n", WORLD_TO_DATABASE),
        ('Cpu: "2048"', "Cpu: 4096"),
        ("  AlarmTopic:\n", "  OtherTopic:\n"),
        ("RetentionInDays: 90", "RetentionInDays: 30"),
    )


def box(diagram: Diagram, logical_id: str):
    """The box that a resource is drawn in."""
    (found,) = [node for node in diagram.nodes if logical_id in node.ids]
    return found


def ways(diagram: Diagram) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """(title, title) -> (text, state) of what is said at the line."""
    titles = {node.key: node.title for node in diagram.nodes}
    return {
        (titles[edge.source], titles[edge.target]): [(label.text, label.state) for label in edge.labels]
        for edge in diagram.edges
    }


class TestWhatIsDrawn:
    def test_the_way_of_a_request(self):
        """From the internet over listeners, targets and tasks to the database, with ports; discovery, secrets
        and the firewall hang where they belong."""
        found = ways(draw(prod()))
        same = [("8080", "same"), ("9000", "same")]
        assert found["the internet", "LoadBalancer"] == [("443", "same"), ("80", "same")]
        assert ("LoadBalancer", "HttpsListener") in found and found["HttpsListener", "TargetGroup"] == []
        assert found["TargetGroup", "Service"] == same and found["Service", "Database"] == [("5432", "same")]
        assert found["WebAcl", "LoadBalancer"] == [("guards", "same")]
        assert found["Service", "DiscoveryService"] and found["DiscoveryService", "DiscoveryNamespace"]
        assert found["Service", "TaskDefinition"] and found["TaskDefinition", "2 secrets"]

    def test_without_a_change_nothing_is_marked(self):
        """A picture of what stays as it is has no mark, and says so."""
        drawn = draw(prod())
        assert drawn.marks == () and drawn.summary == "nothing changes"
        assert all(edge.state == "same" for edge in drawn.edges)
        assert not any(group.nodes for group in drawn.groups)

    def test_every_change_has_its_box(self):
        """Each resource that changes is in one box, marked as the report tells it; no other box is marked."""
        found = large()
        drawn = draw(found)
        effects = {one.logical_id: one for one in found.effects}
        assert len(effects) > 8
        marked = {name: node.mark for node in drawn.nodes for name in node.ids if node.mark}
        assert marked.keys() == effects.keys()
        assert box(drawn, "Database").mark.text == "made anew" and "DBName" in box(drawn, "Database").note
        assert box(drawn, "TaskDefinition").mark.text == "new revision"
        assert (
            box(drawn, "AlarmTopic").mark.style == "deleted" and box(drawn, "OtherTopic").mark.style == "new"
        )

    def test_nothing_is_counted_twice_or_lost(self):
        """What isn't drawn by itself is counted: boxes and counts together are all resources."""
        found = large()
        drawn = draw(found)
        every = {**found.before.document.resources, **found.after.document.resources}
        counted = sum(
            int(number[1]) if (number := re.match(r"(\d+) ", text)) else 1
            for group in drawn.groups
            for text in group.unchanged
        )
        ids = [name for node in drawn.nodes for name in node.ids]
        assert len(ids) == len(set(ids)) and len(ids) + counted == len(every)

    def test_what_is_opened_and_closed(self):
        """A new way from the internet stands out; one that is gone is told too; what stays isn't."""
        drawn = draw(large())
        assert ways(drawn)["the internet", "Database"] == [("5432", "opened")]
        assert "1 way opened to the internet" in drawn.summary
        back = ways(draw(review(large().after, large().before)))
        assert back["the internet", "Database"] == [("5432", "gone")]
        assert back["Service", "Database"] == [("5432", "same")]

    def test_a_new_environment(self):
        """All of it is new, and so no line is called opened."""
        drawn = draw(review(None, artefact(committed("dev"), stack_json("dev"))))
        assert {mark.text for mark in drawn.marks} == {"new"}
        assert {edge.look for edge in drawn.edges} == {"same"} and ways(drawn)["the internet", "LoadBalancer"]

    def test_an_environment_that_is_gone(self):
        """There is nothing to draw."""
        assert draw(review(artefact(committed("dev")), None)) is None

    def test_two_environments(self):
        """Boxes say in which of both they are."""
        sides = [artefact(committed(name), stack_json(name), name) for name in ("dev", "prod")]
        for pair, style in ((sides, "new"), (sides[::-1], "deleted")):
            marks = {mark.text: mark.style for mark in draw(differences(*pair)).marks}
            assert marks == {"only in prod": style, "differs": "place"}

    def test_many_alike_are_one_box(self):
        """Thirty new alarms are one box that names them; three have one each."""
        for count, boxes in ((30, 1), (3, 3)):
            alarms = {f"A{number}": resource("AWS::CloudWatch::Alarm") for number in range(count)}
            (group,) = draw(reviewed(template(), template(**alarms))).groups
            assert len(group.nodes) == boxes
            assert sum(len(node.ids) for node in group.nodes) == count
        assert draw(reviewed(template(), template(**alarms))).groups[0].title == "Watching"

    def test_rules_of_listeners(self):
        """A rule that changes is drawn at its listener; the others are a count in the listener's box."""
        drawn = draw(prod(("  ClientForwardedRule:\n", "  OtherRule:\n")))
        found = ways(drawn)
        assert ("HttpsListener", "OtherRule") in found and ("HttpsListener", "ClientForwardedRule") in found
        assert "9 rules" in box(drawn, "HttpsListener").detail
        assert not any("PublicPathsRule1" in node.ids for node in drawn.nodes)

    def test_a_database_elsewhere(self):
        """A server whose database is none of the template's asks one outside, by its host's name alone."""
        task = resource(
            "AWS::ECS::TaskDefinition",
            {
                "ContainerDefinitions": [
                    {
                        "Name": "k",
                        "Image": "quay.io/keycloak/keycloak:26.7.4",
                        "Environment": [
                            {"Name": "KC_DB_URL", "Value": "jdbc:postgresql://u:hidden@db.example.com/kc"},
                            {"Name": "KC_DB", "Value": "postgres"},
                        ],
                    }
                ]
            },
        )
        service = resource("AWS::ECS::Service", {"TaskDefinition": {"Ref": "Task"}, "DesiredCount": 2})
        drawn = draw(reviewed(template(), template(Task=task, Service=service)))
        assert ("Service", "a database elsewhere") in ways(drawn)
        assert "hidden" not in svg.text(drawn, "x") + mermaid.text(drawn)

    @pytest.mark.parametrize("path", FOREIGN, ids=lambda path: path.name)
    def test_templates_of_others(self, path):
        """A new stack of any template is drawn as a whole, and can be read."""
        text = path.read_text("utf-8")
        found = reviewed(template(), text)
        drawn = draw(found)
        there = Reading.of(found.after).resolver.exists
        expected = {name for name in parse(text).resources if there(name) is not False}
        assert {name for node in drawn.nodes for name in node.ids} == expected
        assert_readable(drawn)
        assert_mermaid(mermaid.text(drawn))


# --- what can be read ---


def overlap(one, other) -> bool:
    return (
        one[0] < other[2] - 0.01
        and other[0] < one[2] - 0.01
        and one[1] < other[3] - 0.01
        and other[1] < one[3] - 0.01
    )


def assert_readable(drawn: Diagram) -> None:
    """No box lies on another, no words on a box or on other words, no line crosses a box, no text is wider
    than its box, and all is inside of the picture."""
    laid = lay_out(drawn)
    boxes = [*laid.boxes, *(one for frame in laid.frames for one in frame.boxes)]
    places = {one.node.key: (one.x, one.y, one.x + one.width, one.y + one.height) for one in boxes}
    assert len(places) == len(drawn.nodes)
    for (one, here), (other, there) in combinations(places.items(), 2):
        assert not overlap(here, there), (one, other)
    tags = [line.tag for line in laid.lines if line.tag]
    tags = [(tag.x - tag.width / 2, tag.y, tag.x + tag.width / 2, tag.y + 15) for tag in tags]
    for here, there in combinations(tags, 2):
        assert not overlap(here, there)
    for here in tags:
        assert not any(overlap(here, there) for there in places.values())
    frames = [(one.x, one.y, one.x + one.width, one.y + one.height) for one in laid.frames]
    for here, there in combinations(frames, 2):
        assert not overlap(here, there)
    for left, top, right, bottom in [*places.values(), *tags, *frames]:
        assert left >= 0 and top >= 0 and right <= laid.width and bottom <= laid.height
    for line in laid.lines:
        for (x, y), (to_x, to_y) in zip(line.points, line.points[1:]):
            reach = (min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y))
            for there in places.values():
                wide = (reach[0] - 0.1, reach[1], reach[2] + 0.1, reach[3])
                assert not overlap(wide, there)
    for one in boxes:
        for row in one.rows:
            size = TITLE if row.look == "title" else SMALL
            assert width(row.text, size, row.look not in ("detail",)) <= one.width - 20, row
        assert len(one.rows) * 16 < one.height
    texts = [*laid.texts, *(text for frame in laid.frames for text in frame.texts)]
    for x, _, text in texts:
        assert x + width(text, SMALL) <= laid.width


LABEL = r'"([A-Za-z0-9 ,]|#[0-9]+;|<br/>)+"'
MERMAID = re.compile(
    "|".join(
        (
            "flowchart TB|direction TB|end",
            "acc(Title|Descr): ([A-Za-z0-9 ,]|#[0-9]+;)*",
            rf"n\d+(\[{LABEL}\]|\(\[{LABEL}\]\))(:::[a-z]+)?",
            rf"n\d+ (-->|==>|-\.->)(\|{LABEL}\|)? n\d+",
            rf"subgraph g\d+\[{LABEL}\]",
            r"[ng]\d+ ~~~ [ng]\d+",
            "classDef [a-z]+ [a-z0-9:#, -]+",
            r"linkStyle \d+ stroke:#[0-9a-f]{6}",
        )
    )
)


def assert_mermaid(text: str) -> None:
    """Each line is one of the few that are written here, and no label has a letter that means something."""
    for line in text.splitlines():
        assert MERMAID.fullmatch(line), line


class TestReadable:
    def test_the_projects_own(self):
        """The pictures of the project's environments, with and without changes, can be read."""
        fresh = [review(None, artefact(committed(name))) for name in ("dev", "staging")]
        for found in (large(), prod(), *fresh):
            drawn = draw(found)
            assert_readable(drawn)
            assert_mermaid(mermaid.text(drawn))
            assert lay_out(drawn).width <= 1200

    def test_the_checks_can_fail(self):
        """A box that is moved onto another is found by the check above."""
        drawn = draw(large())
        first, *_ = drawn.flow
        twice = dataclasses.replace(drawn, flow=(first, *drawn.flow), edges=())
        with pytest.raises(AssertionError):
            assert_readable(twice)
        with pytest.raises(AssertionError):
            assert_mermaid('n1["a"];click n1 "x"')

    def test_circles(self):
        """Groups that let each other in both ways make a circle, which is drawn all the same."""
        group = {"GroupDescription": "x"}
        several = {}
        network = "NetworkConfiguration"
        for name, other in (("A", "B"), ("B", "A")):
            several[f"Group{name}"] = resource("AWS::EC2::SecurityGroup", group)
            several[f"In{name}"] = resource(
                "AWS::EC2::SecurityGroupIngress",
                {
                    "GroupId": {"Ref": f"Group{name}"},
                    "SourceSecurityGroupId": {"Ref": f"Group{other}"},
                    "IpProtocol": "tcp",
                    "FromPort": 80,
                    "ToPort": 81,
                },
            )
            several[f"Service{name}"] = resource(
                "AWS::ECS::Service",
                {network: {"AwsvpcConfiguration": {"SecurityGroups": [{"Ref": f"Group{name}"}]}}},
            )
        drawn = draw(reviewed(template(), template(**several)))
        for ends in (("ServiceA", "ServiceB"), ("ServiceB", "ServiceA")):
            assert ways(drawn)[ends] == [("80-81", "same")]
        assert_readable(drawn)

    def test_hundreds_of_parts(self):
        """A template as large as CloudFormation takes it stays a picture: what is alike is together."""
        several = {}
        for number in range(120):
            several[f"Task{number}"] = resource("AWS::ECS::TaskDefinition", {"Family": f"f{number}"})
            several[f"Service{number}"] = resource(
                "AWS::ECS::Service",
                {
                    "TaskDefinition": {"Ref": f"Task{number}"},
                    "LoadBalancers": [{"TargetGroupArn": {"Ref": "T"}}],
                },
            )
        drawn = draw(
            reviewed(template(), template(T=resource("AWS::ElasticLoadBalancingV2::TargetGroup"), **several))
        )
        assert sum(len(node.ids) for node in drawn.nodes) == 241
        assert len(mermaid.text(drawn)) < 50_000
        assert_readable(drawn)

    def test_too_large_for_mermaid(self):
        """A picture that no viewer would draw isn't written as Mermaid; Markdown leaves it out."""
        several = {f"A{number}{'x' * 60}": resource(f"Custom::T{number}") for number in range(500)}
        drawn = draw(reviewed(template(), template(**several)))
        assert mermaid.text(drawn) == mermaid.fenced(drawn) == ""


class TestWords:
    @pytest.mark.parametrize(
        ("type_", "count", "said"),
        [
            ("AWS::EC2::RouteTable", 1, "route table"),
            ("AWS::ApplicationAutoScaling::ScalingPolicy", 2, "2 scaling policies"),
            ("AWS::WAFv2::WebACL", 1, "web ACL"),
            ("AWS::RDS::DBSubnetGroup", 3, "3 DB subnet groups"),
            ("AWS::EC2::SecurityGroupIngress", 2, "2 permissions inwards"),
            ("AWS::IAM::ManagedPolicy", 1, "managed policy"),
            ("Custom::My-Thing", 1, "My-Thing"),
        ],
    )
    def test_types(self, type_, count, said):
        """Types are told as words, by the number there is."""
        assert words(type_, count) == said

    @given(st.text(max_size=60), st.floats(30, 300), st.booleans())
    @settings(max_examples=300)
    def test_cut(self, text, most, bold):
        """A text is cut to its room, and left alone where it fits."""
        found = cut(text, most, SMALL, bold)
        assert width(found, SMALL, bold) <= most + 0.001
        assert found == text or found.endswith("…") and width(text, SMALL, bold) > most

    @given(st.lists(st.text("abcW .", min_size=1, max_size=20), min_size=1, max_size=12), st.floats(120, 400))
    @settings(max_examples=200)
    def test_wrapped(self, pieces, most):
        """Lines keep to their room, and no short piece is lost."""
        lines = wrapped(pieces, most, SMALL)
        assert all(width(line, SMALL) <= most + 0.001 for line in lines)
        if all(width(piece, SMALL) < most - 20 for piece in pieces):
            assert re.sub(r",\s?", ",", " ".join(lines)) == re.sub(r",\s?", ",", ", ".join(pieces))


NASTY = st.text(
    st.one_of(
        st.sampled_from(list("\x00\x07\x1b\x9b\n\r\t\u202e\u200b\"'<>&#;:|[](){}`*_~$@%\\/-.=!ﬂ°¶ß")),
        st.characters(codec="utf-8"),
    ),
    min_size=1,
    max_size=40,
)


class TestHostile:
    @given(NASTY, NASTY, NASTY)
    @settings(max_examples=120)
    def test_names_and_values(self, name, type_, value):
        """Whatever a template calls its things, the picture is well-formed, has no markup of theirs, and can
        be read."""
        listener = "AWS::ElasticLoadBalancingV2::Listener"
        balancer = resource("AWS::ElasticLoadBalancingV2::LoadBalancer", {"Scheme": value})
        more = {
            name: balancer,
            f"{name}L": resource(listener, {"LoadBalancerArn": {"Ref": name}, "Protocol": value}),
        }
        more[f"{value}?"] = resource(type_, {value: value})
        more |= {"Same": resource(type_, {value: name})}
        found = reviewed(template(Same=resource(type_)), template(**more))
        drawn = draw(dataclasses.replace(found, name=value))
        assert_readable(drawn)
        assert_mermaid(mermaid.text(drawn))
        text = svg.text(drawn, "picture0")
        root = xml.fromstring(text)
        tags = {one.tag.rpartition("}")[2] for one in root.iter()}
        assert tags <= {"svg", "title", "desc", "path", "polygon", "rect", "text", "tspan", "g"}
        allowed = set("class xmlns width height viewBox role aria-labelledby id d points x y rx".split())
        assert {key for one in root.iter() for key in one.attrib} <= allowed
        assert all(plain(line) == line for line in text.split("\n"))

    def test_odd_shapes(self):
        """Properties of the wrong shape are no reason to fail."""
        types = (
            "AWS::ElasticLoadBalancingV2::LoadBalancer AWS::ElasticLoadBalancingV2::Listener "
            "AWS::ECS::Service "
            "AWS::ElasticLoadBalancingV2::ListenerRule AWS::ECS::TaskDefinition AWS::RDS::DBInstance "
            "AWS::EC2::SecurityGroup AWS::EC2::SecurityGroupIngress AWS::WAFv2::WebACLAssociation "
            "AWS::Route53::RecordSet AWS::ServiceDiscovery::Service AWS::SecretsManager::Secret"
        ).split()
        odd = ["", "x", 3, [], [[]], {"Ref": "R0"}, {"Fn::If": ["a", "b", "c"]}, [{"a": 1}]]
        odd.append({"Fn::GetAtt": ["R1", "x"]})
        keys = (
            "LoadBalancerArn DefaultActions Actions Conditions ListenerArn Port Protocol LoadBalancers "
            "TaskDefinition ContainerDefinitions NetworkConfiguration SecurityGroups GroupId IpProtocol "
            "CidrIp Name Cpu Engine"
        ).split()
        for value in odd:
            several = {
                f"R{number}": resource(type_, dict.fromkeys(keys, value))
                for number, type_ in enumerate(types)
            }
            assert_readable(draw(reviewed(template(), template(**several))))


def test_the_picture_tells_who_does_not_see_it():
    """It has a title and a description, and marks are words, not colours alone."""
    text = svg.text(draw(large()), "picture7")
    assert 'role="img"' in text and 'aria-labelledby="picture7-title picture7-desc"' in text
    assert ">Diagram of prod</title>" in text and "1 made anew" in text
    for mark in ("made anew: DBName", "deleted", "opened: 5432"):
        assert f">{mark}</t" in text


def test_the_same_every_time():
    """The same review gives the same picture, letter by letter."""
    one, other = draw(large()), draw(large())
    assert svg.text(one, "a") == svg.text(other, "a") and mermaid.text(one) == mermaid.text(other)
