"""Commands for what is deployed, as they are typed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator

import click
import pytest

from generator.cli import live, stacks
from generator.deploying import executing
from generator.sandbox import faults
from tests.deploying.deployed import STACK as NAME
from tests.deploying.deployed import Site, dev, run, site  # noqa: F401

YES = ("--yes", "--confirm", NAME)
AWS_COMMANDS = ("status", "events", "outputs", "drift", "delete")


class Terminal:
    """Standard input as a terminal on which somebody types."""

    def __init__(self, *lines: str):
        self._lines: Iterator[str] = iter(lines)

    def isatty(self) -> bool:
        return True

    def readline(self, *_: object) -> str:
        return f"{next(self._lines)}\n"


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """What somebody types at a prompt."""
    terminal = Terminal(*lines)
    monkeypatch.setattr(sys, "stdin", terminal)


def there(site: Site) -> bool:
    """Whether the stack is there."""
    names = [one["StackName"] for one in site.client("cloudformation").describe_stacks()["Stacks"]]
    return NAME in names


# --- status ---


def test_status_of_a_whole_environment(site: Site):
    """One screen says how an environment is."""
    dev(site)
    site.deploy()
    site.aws.say({}, {"10.0.0.1": "healthy", "10.0.0.2": "healthy"})
    ran = site.run("status")
    assert ran.code == 0 and ran.err == ""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "MOMENT", ran.out)
    assert text == (
        f"test  keycloak-test ({site.aws.account}, eu-central-1)\n"
        "  stack       created (CREATE_COMPLETE)\n"
        "  deployed    MOMENT, as rendered\n"
        "  service     Service: 2 of 2 tasks run, 2 healthy\n"
        "  rollout     Service: COMPLETED\n"
        "  targets     TargetGroup: 2 healthy\n"
        "  database    Database: available\n"
        "  protection  termination protection is off\n"
        "  drift       never checked: cloakform drift test\n"
    )


def test_status_of_what_is_not_deployed(site: Site):
    """An environment that isn't deployed is no error."""
    ran = site.run("status", "test")
    assert ran.code == 0 and "there is none: not deployed" in ran.out


def test_status_says_what_differs_and_how_to_see_it(site: Site):
    """Where something else is rendered than deployed, the line to see it is there."""
    site.deploy()
    (site.folder / "tags.json").write_text("[]", "utf-8")
    ran = site.run("status")
    assert "differs from what is rendered (tags)" in ran.out and "cloakform review" in ran.out


def test_status_of_a_stuck_stack_says_the_way_out(site: Site):
    """A stuck stack says what happened and what frees it; the answer to a question is no failure."""
    site.deploy()
    site.aws.set_status(NAME, "UPDATE_ROLLBACK_FAILED", "Topic failed")
    ran = site.run("status")
    assert ran.code == 0
    assert "its update failed and couldn't be undone (UPDATE_ROLLBACK_FAILED)" in ran.out
    assert "Topic failed" in ran.out and "--continue-rollback" in ran.out


def test_status_as_json(site: Site):
    """Machines get the same, with times as ISO 8601."""
    site.deploy()
    (told,) = site.run("status", "--format", "json").data["environments"]
    assert (told["environment"], told["status"], told["deployed"]) == (
        "test",
        "CREATE_COMPLETE",
        "as rendered",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*\+00:00", told["changed"]) and told["drift_checked"] is None


def test_status_passes_over_other_accounts(site: Site):
    """Of several environments, those of the credentials' account are told, and the others are named as not
    asked; one that is named itself is refused."""
    site.deploy()
    other = site.root / "rendered" / "other"
    other.mkdir()
    for file in site.folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    about = json.loads((other / "stack.json").read_text("utf-8"))
    (other / "stack.json").write_text(json.dumps({**about, "account": "999999999999"}), "utf-8")
    ran = site.run("status")
    assert ran.code == 0 and ran.out.startswith("test  ")
    assert "other: not asked" in ran.err and "999999999999" in ran.err
    ran = site.run("status", "other")
    assert ran.code == 3 and ran.out == ""


def test_no_environment_at_all(site: Site):
    """Without a rendered environment the first line to type is said."""
    for file in site.folder.iterdir():
        file.unlink()
    site.folder.rmdir()
    ran = site.run("status")
    assert ran.code == 2 and "cloakform render" in ran.err


# --- What all of them have in common ---


@pytest.mark.parametrize("command", AWS_COMMANDS)
def test_another_accounts_credentials_are_refused(site: Site, command: str):
    """With another account's credentials nothing is asked and nothing done."""
    site.deploy()
    site.set(account="999999999999")
    ran = site.run(command, "test", *(YES if command == "delete" else ()))
    assert ran.code == 3 and "999999999999" in ran.err and ran.out == ""
    assert there(site)


@pytest.mark.parametrize("command", AWS_COMMANDS)
def test_no_credentials(site: Site, monkeypatch: pytest.MonkeyPatch, command: str):
    """Without credentials the way to get some is said, with exit code 2."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(site.root))
    ran = site.run(command, "test", *(YES if command == "delete" else ()))
    assert ran.code == 2 and "no credentials for AWS" in ran.err


@pytest.mark.parametrize("command", (*AWS_COMMANDS, "quick-create"))
def test_an_unknown_environment(site: Site, command: str):
    """A name that is nearly right gets the right one."""
    options = YES if command == "delete" else ()
    ran = site.run_in(site.root, command, "tset", *options)
    assert ran.code == 2 and "did you mean test?" in ran.err


def test_what_aws_refuses_ends_with_4(site: Site):
    """A call that AWS refuses is told in one line, by its name."""
    denied = faults.refused("cloudformation", "DescribeStacks", "AccessDenied", "you may not", status=403)
    with site.aws_faults(denied) as proxy:
        for command in AWS_COMMANDS:
            ran = site.run(command, "test", *(YES if command == "delete" else ()), url=proxy.url)
            assert ran.code == 4, command
            assert "cloudformation:DescribeStacks: AccessDenied: you may not" in ran.err
            assert "Traceback" not in ran.err


# --- events ---


def test_events_of_the_newest_operation(site: Site):
    """The newest operation, oldest event first, with durations; more operations with --last."""
    site.deploy()
    cloudformation = site.client("cloudformation")
    text = site.target.template.replace("before", "after")
    cloudformation.update_stack(StackName=NAME, TemplateBody=text)
    site.aws.settled(NAME)
    lines = site.run("events", "test").out.splitlines()
    assert [line.split()[2:4] for line in (lines[0], lines[-1])] == [
        ["UPDATE_IN_PROGRESS", NAME],
        ["UPDATE_COMPLETE", NAME],
    ]
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  UPDATE_COMPLETE      Topic  AWS::SNS::Topic  \d+ s",
        next(line for line in lines if "UPDATE_COMPLETE      Topic" in line),
    )
    both = site.run("events", "test", "--last", "2").out.splitlines()
    assert both[-len(lines) :] == lines and "CREATE_IN_PROGRESS" in both[0]
    assert site.run("events", "test", "--since", "1h").out.splitlines() == both
    nothing = site.run("events", "test", "--since", "2099-01-01")
    assert (nothing.code, nothing.out) == (0, "") and "nothing happened since then" in nothing.err


def test_events_that_failed(site: Site):
    """--failed leaves only what failed, with its reason."""
    site.aws.fail("Topic", "CREATE", "no topics \u202etoday")
    site.client("cloudformation").create_stack(StackName=NAME, TemplateBody=site.target.template)
    site.aws.settled(NAME)
    lines = site.run("events", "test", "--failed").out.splitlines()
    assert lines and all("_FAILED " in line for line in lines)
    (line,) = [line for line in lines if " Topic " in line]
    nothing = site.run("events", "test", "--failed", "--since", "2099-01-01")
    assert nothing.out == "" and "nothing failed since then" in nothing.err
    assert "no topics \\u202etoday" in line


def test_events_as_json_lines(site: Site):
    """With --format json each line is one event."""
    site.deploy()
    ran = site.run("events", "test", "--format", "json")
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert (told[0]["status"], told[0]["stack"]) == ("CREATE_IN_PROGRESS", True)
    ended = [one for one in told if one["status"] == "CREATE_COMPLETE"]
    assert all(one["seconds"] is not None for one in ended)
    assert {one["logical_id"] for one in ended} == {"Log", "Topic", "Queue", NAME}


def test_following_goes_on_until_the_stack_rests(site: Site, monkeypatch: pytest.MonkeyPatch):
    """--follow shows what was and what comes, each once, and ends with the stack's state."""
    held = site.aws.hold("Topic", "CREATE")
    site.client("cloudformation").create_stack(StackName=NAME, TemplateBody=site.target.template)
    held.reached()
    look = executing.Following.look

    def released(self, *arguments):
        held.take_back()
        return look(self, *arguments)

    monkeypatch.setattr(executing.Following, "look", released)
    ran = site.run("events", "test", "--follow", "--format", "json")
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0 and "keycloak-test rests: created (CREATE_COMPLETE)" in ran.err
    assert len({one["id"] for one in told}) == len(told)
    assert told[-1]["status"] == "CREATE_COMPLETE" and told[-1]["stack"]


def test_ctrl_c_while_following_says_what_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch):
    """Whoever stops looking is told that AWS doesn't stop, with 130."""
    site.deploy()
    site.aws.set_status(NAME, "UPDATE_IN_PROGRESS")

    def interrupted(self, *_):
        raise KeyboardInterrupt

    monkeypatch.setattr(executing.Following, "look", interrupted)
    ran = site.run("events", "test", "--follow")
    assert ran.code == 130
    assert "AWS goes on with keycloak-test" in ran.err and "cloakform status test" in ran.err


def test_a_moment_that_is_none(site: Site):
    """--since says what it takes."""
    ran = site.run("events", "test", "--since", "yesterday")
    assert ran.code == 2 and "30m, 2h, 3d" in ran.err


# --- outputs ---


def test_outputs_in_both_forms(site: Site):
    """Key, value and description; what is made from a secret is hidden in both forms."""
    site.deploy()
    ran = site.run("outputs", "test")
    assert ran.code == 0 and "Url    https://sso.example.com/\n       Public address\n" in ran.out
    assert "Login  [hidden]: it is made from the NoEcho parameter Secret" in ran.out
    told = site.run("outputs", "test", "--format", "json")
    assert "hunter2" not in ran.out + told.out
    assert {one["key"]: one["value"] for one in told.data["outputs"]} == {
        "Url": "https://sso.example.com/",
        "Login": None,
        "Name": "plain",
    }


def test_outputs_of_what_is_not_deployed(site: Site):
    """Without a stack the line that makes it is said."""
    ran = site.run("outputs", "test")
    assert ran.code == 2 and "cloakform deploy test" in ran.err


# --- drift ---


def test_drift_answers_with_its_exit_code(site: Site):
    """Nothing changed by hand: 0. Something changed: 1, with the property and both values; status knows it
    then."""
    site.deploy()
    ran = site.run("drift", "test")
    assert (ran.code, ran.out) == (0, "keycloak-test: 0 drifted, 3 as CloudFormation made them\n")
    assert re.search(r"drift       none \(\d{4}", site.run("status").out)
    topic = site.aws.resources(NAME)["Topic"]
    site.client("sns").set_topic_attributes(
        TopicArn=topic, AttributeName="DisplayName", AttributeValue="by hand"
    )
    ran = site.run("drift", "test")
    assert ran.code == 1
    assert "    /DisplayName: by hand, and should be before\n" in ran.out
    assert "cloakform drift test` shows it" in site.run("status").out
    told = site.run("drift", "test", "--format", "json")
    assert (
        told.code == 1
        and told.data["drifted"]
        and [one["logical_id"] for one in told.data["resources"]] == ["Topic"]
    )


# --- delete ---


def test_delete_says_what_it_does_and_does_it(site: Site):
    """What goes and what stays is said before, what stayed after; progress is on standard error."""
    site.deploy()
    ran = site.run("delete", "test", *YES)
    assert ran.code == 0 and not there(site)
    before, after = ran.out.split("keycloak-test is deleted\n")
    assert "goes   2 resources" in before and "stays  Log  AWS::Logs::LogGroup  small-log" in before
    assert after == "  stays, outside any stack: Log  AWS::Logs::LogGroup  small-log\n"
    assert "deleted   Topic  AWS::SNS::Topic" in ran.err
    ran = site.run("delete", "test", *YES)
    assert ran.code == 0 and "nothing to delete" in ran.out


def test_delete_as_json(site: Site):
    """Machines get what went and what stayed, and nothing else on standard output."""
    site.deploy()
    told = site.run("delete", "test", *YES, "--format", "json").data
    assert (told["outcome"], told["status"]) == ("deleted", "DELETE_COMPLETE")
    assert told["kept"] == [{"logical_id": "Log", "type": "AWS::Logs::LogGroup", "physical_id": "small-log"}]


def test_delete_asks_for_the_name(site: Site, monkeypatch: pytest.MonkeyPatch):
    """On a terminal the stack's name has to be typed; another one deletes nothing."""
    site.deploy()
    typed(monkeypatch, "yes")
    ran = site.run("delete", "test")
    assert ran.code == 3 and "nothing was deleted" in ran.err and there(site)
    typed(monkeypatch, NAME)
    assert site.run("delete", "test").code == 0 and not there(site)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ((), 2, "nobody is here to agree"),
        (("--yes",), 2, "go together"),
        (("--confirm", NAME), 2, "go together"),
        (
            ("--yes", "--confirm", "keycloak-prod"),
            3,
            "--confirm says keycloak-prod, the stack is keycloak-test",
        ),
    ],
)
def test_delete_without_leave(site: Site, options: tuple[str, ...], code: int, said: str):
    """Where nobody can be asked, both --yes and the right name are needed."""
    site.deploy()
    ran = site.run("delete", "test", *options)
    assert ran.code == code and said in ran.err and there(site)


def test_delete_of_what_is_protected(site: Site):
    """A protected environment isn't deleted, whatever is said on the command line."""
    site.deploy()
    site.set(termination_protection=True)
    ran = site.run("delete", "test", *YES)
    assert ran.code == 3 and "stack.protected: false" in ran.err and there(site)


def test_delete_is_refused_before_it_would_stop_half_way(site: Site, monkeypatch: pytest.MonkeyPatch):
    """A protected database is said first; nobody is asked for a name, and everything stays."""
    dev(site)
    site.deploy()
    database = site.aws.resources(NAME)["Database"]
    site.client("rds").modify_db_instance(DBInstanceIdentifier=database, DeletionProtection=True)
    typed(monkeypatch)
    ran = site.run("delete", "test")
    assert ran.code == 3 and there(site)
    assert "keeps it from going: the database Database" in ran.out
    assert "the deletion would stop half way" in ran.err


def test_delete_that_gets_stuck(site: Site):
    """What can't be deleted is told with its reason and with both ways on, with exit code 5; --retain is
    one."""
    site.deploy()
    site.aws.fail("Queue", "DELETE", "the queue is in use")
    ran = site.run("delete", "test", *YES)
    assert ran.code == 5
    assert "keycloak-test isn't deleted: DELETE_FAILED" in ran.out and "the queue is in use" in ran.out
    assert "cloakform delete test --retain Queue" in ran.out
    assert "failed    Queue  AWS::SQS::Queue" in ran.err
    ran = site.run("delete", "test", *YES, "--retain", "Queue")
    assert ran.code == 0 and "stays, outside any stack: Queue" in ran.out


def test_ctrl_c_while_deleting_says_what_goes_on(site: Site, monkeypatch: pytest.MonkeyPatch):
    """Whoever stops watching a deletion is told that it goes on, with 130."""
    site.deploy()

    def interrupted(self, *_):
        raise KeyboardInterrupt

    monkeypatch.setattr(live._Plain, "update", interrupted)
    ran = site.run("delete", "test", *YES)
    assert ran.code == 130
    assert "AWS goes on with keycloak-test" in ran.err and "can't be called back" in ran.err


def test_a_quiet_deletion_says_only_what_counts(site: Site):
    """With -q: what is lost, what became of it, what stays."""
    site.deploy()
    ran = site.run("delete", "test", *YES, "-q")
    assert ran.code == 0 and ran.err == ""
    assert [line.split()[0] for line in ran.out.splitlines()] == ["lost", NAME, "stays,"]


# --- quick-create ---


def test_quick_create_needs_no_credentials(site: Site, monkeypatch: pytest.MonkeyPatch):
    """The link is made without AWS; it is alone on standard output, and how to upload is said beside it."""
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    ran = site.run_in(site.root, "quick-create", "test", "--bucket", "my-bucket")
    assert ran.code == 0
    assert re.fullmatch(
        r"https://eu-central-1\.console\.aws\.amazon\.com/\S+stackName=keycloak-test\S*\n", ran.out
    )
    assert "aws s3 cp rendered/test/template.yaml s3://my-bucket/cloakform/keycloak-test/" in ran.err
    assert "Secret (NoEcho" in ran.err and "hunter2" not in ran.out + ran.err


def test_quick_create_without_a_place_for_the_template(site: Site):
    """Without a bucket or a URL both ways are said."""
    ran = site.run_in(site.root, "quick-create", "test")
    assert ran.code == 2 and "--bucket" in ran.err and "--template-url" in ran.err


def test_quick_create_with_a_url(site: Site):
    """Where the template is in S3 already, there is nothing to upload."""
    url = "https://b.s3.eu-central-1.amazonaws.com/t.yaml"
    told = site.run_in(site.root, "quick-create", "test", "--template-url", url, "--format", "json").data
    assert told["template_url"] == url and told["upload"] is None and told["type_yourself"] == ["Secret"]
    assert site.run_in(site.root, "quick-create", "test", "--template-url", url, "--bucket", "b").code == 2


# --- Help ---


def test_every_command_has_help():
    """Each command explains itself, and each of its options."""
    for command in stacks.COMMANDS:
        assert command.help
        assert all(one.help for one in command.params if isinstance(one, click.Option)), command.name
