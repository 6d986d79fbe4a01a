"""`rehearse` and `drill`: a template as a real cluster on this machine, and what it survives."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import click

from generator.cli.environments import ENDPOINT
from generator.cli.session import FORMAT, Group, print_lines
from generator.cli.waiting import await_cluster
from generator.errors import RehearsalError

SUBJECT = click.argument("subject", metavar="ENV|FILE")
NAME = click.argument("name", metavar="NAME", required=False)
PARAMETERS = click.option("--parameter", "-p", "parameters", metavar="NAME=VALUE", multiple=True,
                          help="Value of one of the template's Parameters.")
SERVICE = click.option("--service", default="", metavar="LOGICAL-ID",
                       help="The ECS service, where several run Keycloak.")
FIREWALL = click.option("--firewall/--no-firewall", default=True, show_default=True,
                        help="Whether security groups are enforced.")


@click.group(cls=Group)
def rehearse():
    """Start what a template describes as a real Keycloak cluster on this machine, with Docker.

    ENV is an environment in rendered/; any other template can be named by its path. Keycloak runs in the task's own
    image, environment and memory, finds its other nodes through DNS as Cloud Map answers it, behind a balancer with
    the template's rules and a firewall with its security groups.

    \b
    cloakform rehearse show dev      what would be started
    cloakform rehearse up dev        start it, and wait until every node sees the others
    cloakform drill dev              kill nodes, measure, probe paths
    cloakform rehearse down dev      leave nothing behind
    """


@rehearse.command()
@SUBJECT
@PARAMETERS
@SERVICE
@FORMAT
@click.pass_obj
def show(session, subject, parameters, service, form):
    """Print what the template describes: hosts, permissions, balancer rules, tasks. Starts nothing."""
    from generator.rehearsing import rehearsal
    from generator.rehearsing.show import as_text, describe

    found = rehearsal.source(session.root, subject)
    described = rehearsal.topology(found, _pairs(parameters, "--parameter"), service)
    session.out(json.dumps(describe(described), indent=2) if form == "json" else as_text(described).rstrip("\n"))


@rehearse.command()
@SUBJECT
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@PARAMETERS
@SERVICE
@FIREWALL
@click.pass_obj
def export(session, subject, folder, parameters, service, firewall):
    """Write the Compose project to FOLDER, and its generated secrets to FOLDER-secrets. Starts nothing."""
    from generator.rehearsing import rehearsal

    found = rehearsal.source(session.root, subject)
    for one in rehearsal.export(session.root, found, folder, _pairs(parameters, "--parameter"), service=service,
                                firewall=firewall):
        session.out(f"{one}{os.sep}")
    session.note(f"start it with `docker compose up` in {folder}; {folder}/README.md says more")


@rehearse.command()
@SUBJECT
@click.option("--name", help="What to call it; by default as the environment or the file.")
@PARAMETERS
@SERVICE
@click.option("--image", "images", metavar="CONTAINER=IMAGE", multiple=True,
              help="Image of a container, instead of the template's.")
@FIREWALL
@click.option("--drain", type=click.FloatRange(min=0), metavar="SECONDS",
              help="Longest deregistration delay to wait for; by default the template's.")
@click.option("--linger", type=click.FloatRange(min=0), default=30, show_default=True, metavar="SECONDS",
              help="How long a dead task stays in DNS.")
@click.option("--wait", type=click.FloatRange(min=1), default=900, show_default=True, metavar="SECONDS",
              help="Longest time to wait for the cluster.")
@click.pass_obj
def up(session, subject, name, parameters, service, images, firewall, drain, linger, wait):
    """Start the cluster and wait until every task is well and sees all others.

    A rehearsal of the same name is taken down first. Where a task ends, its own last error is the answer. Interrupted
    or failed, nothing stays behind.
    """
    from generator.rehearsing import rehearsal
    from generator.rehearsing.docker import Docker

    root = session.root
    found = rehearsal.source(root, subject)
    options = rehearsal.Options(_pairs(parameters, "--parameter"), _pairs(images, "--image"), service, firewall, linger,
                                float("inf") if drain is None else drain)
    docker = Docker()
    begun = time.monotonic()
    tell, stop = _steps(session)
    place = rehearsal.Place(root, name or found.name)
    try:
        place, started = rehearsal.prepare(root, found, options, docker, name or found.name, tell)
        watch = rehearsal.up(place, started, docker, tell)
        await_cluster(place, started, docker, watch, tell, begun, wait)
        rehearsal.settle(watch)
    except BaseException:
        stop()
        session.note("taking down what was started")
        with contextlib.suppress(RehearsalError):
            rehearsal.down(place, docker)
        raise
    stop()
    for note in started.topology.notes:
        session.note(f"note: {note}")
    for one in place.lines("events.jsonl"):
        if one["what"] == "died":
            session.note(f"note: {one['slot']} was replaced: {one['text']}", "warning")
    session.out(f"{place.name}: {started.topology.service.desired} tasks, every one sees the others, after "
                f"{time.monotonic() - begun:.0f} s")
    _print_ways_in(session, place, started, docker)


@rehearse.command()
@NAME
@FORMAT
@click.pass_obj
def status(session, name, form):
    """Show the tasks of a rehearsal: health, balancer's verdict, cluster members."""
    from generator.rehearsing import rehearsal
    from generator.rehearsing.docker import Docker

    place, started = _running(session, name)
    docker = Docker()
    now = rehearsal.status(place, started, docker)
    if form == "json":
        session.out(json.dumps(asdict(now), indent=2))
        return
    _task_table(session, now)
    if not now.watched:
        session.err("nothing watches over it any more: dead tasks aren't replaced, DNS doesn't change "
                    f"(`cloakform rehearse up {place.name}` starts anew)", "warning")
    _print_ways_in(session, place, started, docker)


@rehearse.command()
@NAME
@click.argument("service", required=False)
@click.option("--events", is_flag=True, help="What ECS, Cloud Map and the balancer's registration did.")
@click.pass_obj
def logs(session, name, service, events):
    """Print the log of a SERVICE (a task, `balancer`, `database`, `dns`), or of every task."""
    from generator.rehearsing import rehearsal
    from generator.rehearsing.docker import Docker

    place, started = _running(session, name)
    if events:
        for one in place.lines("events.jsonl"):
            moment = time.strftime("%H:%M:%S", time.localtime(one["time"]))
            session.out(f"{moment} {one['slot'] or '-':<12} {one['what']} {one['text']}".rstrip())
        return
    docker = Docker()
    services = {one.service for one in docker.containers(place.compose_name)}
    if service and service not in services:
        raise RehearsalError(f"{place.name} has no service {service!r} (there are {', '.join(sorted(services))})")
    for one in [service] if service else [slot.name for slot in started.topology.slots if slot.name in services]:
        for _, line in rehearsal.log_lines(docker, place, one):
            session.out(line if service else f"{one} | {line}")


@rehearse.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("service")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def exec(session, name, service, command):
    """Run a COMMAND in the container of a SERVICE; a shell without one."""
    from generator.rehearsing.docker import Docker

    place, _ = _running(session, name)
    found = {one.service: one for one in Docker().containers(place.compose_name)}
    if service not in found:
        raise RehearsalError(f"{place.name} has no service {service!r} (there are {', '.join(sorted(found))})")
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    arguments = ["docker", "exec", "--interactive", *terminal, found[service].identity, *(command or ["bash"])]
    os.execvp(arguments[0], arguments)


@rehearse.command()
@NAME
@click.option("--all", "every", is_flag=True, help="Every rehearsal of this project.")
@click.pass_obj
def down(session, name, every):
    """Take a rehearsal down: no container, network, volume or file stays."""
    from generator.rehearsing import rehearsal
    from generator.rehearsing.docker import Docker
    from generator.rehearsing.place import Place, places

    found = places(session.root) if every else [Place(session.root, name)] if name else [_running(session, name)[0]]
    docker = Docker()
    for place in found:
        there = rehearsal.down(place, docker)
        session.note(f"{place.name}: {'nothing is left' if there else 'nothing was there'}")
    if not found:
        session.note("nothing was there")


@rehearse.command(hidden=True)
@click.argument("name")
@click.pass_obj
def watch(session, name):
    """What stands in for ECS while a rehearsal is up; started by `up`."""
    import gc

    from generator.rehearsing.docker import Docker
    from generator.rehearsing.place import Place
    from generator.rehearsing.started import kept
    from generator.rehearsing.watch import Watch

    gc.enable()  # this one lives long
    place = Place(session.root, name)
    docker = Docker()
    place.write("watch.json", {"process": os.getpid()})
    watching = Watch(place, docker, kept(place))
    signal.signal(signal.SIGTERM, lambda *_: watching.end())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orphaned = threading.Event()

    def follow_parent():
        # The pipe closes without a word when whoever started this was killed: then nobody wants the cluster.
        if sys.stdin.readline().strip() != "stay":
            orphaned.set()
            watching.end()

    threading.Thread(target=follow_parent, daemon=True).start()
    watching.run()
    if orphaned.is_set():
        docker.take_down(place.compose_name)
        place.remove()


@click.command()
@NAME
@click.option("--step", "steps", metavar="STEP", multiple=True, help="Only this step (can be repeated); by default all.")
@click.option("--list", "listing", is_flag=True, help="List the steps, and what each one does to the environment.")
@click.option("--requests", type=click.IntRange(min=1), default=3000, show_default=True,
              help="Least number of requests of the steady load.")
@click.option("--rate", type=click.FloatRange(min=0.1), default=20, show_default=True, help="Requests a second.")
@click.option("--cut", type=click.FloatRange(min=5), default=60, show_default=True, metavar="SECONDS",
              help="How long a node stays cut off.")
@click.option("--evidence", is_flag=True, help="Evidence of kept promises, too.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown", "junit"]), default="text",
              show_default=True, help="How to print the report.")
@click.option("--html", "page", type=click.Path(path_type=Path, dir_okay=False),
              help="Also write a page with the timeline.")
@click.option("--deployed", is_flag=True, help="Drill what is deployed on AWS, not a rehearsal.")
@click.option("--allow", metavar="STEP", multiple=True,
              help="Deployed: run this step although users may notice (can be repeated; `all`).")
@click.option("--credentials", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="An administrator of the master realm, as JSON with username and password, mode 0600; by default the "
                   "bootstrap account, on AWS from Secrets Manager.")
@click.option("--from", "vantage", type=click.Choice(["internet", "admin", "inside"]),
              help="Deployed: where this machine stands; by default in an administrators' network, if there is one.")
@click.option("--source", metavar="ADDRESS", default="",
              help="Deployed: this machine's address as the balancer sees it; then events have to show it.")
@click.option("--connect", metavar="HOST[:PORT]", default="",
              help="Deployed: connect there instead of where DNS leads, say to the balancer before DNS is changed.")
@click.option("--authorities", type=click.Path(path_type=Path, dir_okay=False, exists=True), metavar="FILE",
              help="Deployed: PEM file of the authorities to trust instead of the system's.")
@ENDPOINT
@click.pass_obj
def drill(session, name, steps, listing, requests, rate, cut, evidence, form, page, deployed, allow, credentials,
          **where):
    """Break a rehearsal in every way that a promise speaks of, and say which promises it kept.

    Gets a token, kills the node that served it, introspects; logs in like a browser while a node is lost; rolls a
    deployment under load; freezes, loses and cuts off nodes; probes which paths are exposed to whom; where there is a
    listener for client certificates, logs in with good, bad and forged ones. Exit code 1 where a promise was broken.
    The temporary realm is deleted at the end.

    With --deployed the same for the stack of rendered/NAME, with the credentials that the AWS CLI would use: the lost
    node is a task that ECS stops. Steps that users may notice are run only if they are allowed by name; what AWS has
    no call for isn't run. Exit code 3 where the credentials are another account's, 4 where AWS refuses a call.

    \b
    cloakform drill dev                                  everything, on the rehearsal
    cloakform drill prod --deployed                      what nobody notices
    cloakform drill prod --deployed --allow stop         and a task that ECS stops
    """
    import gc

    from generator.drilling import report as reports
    from generator.drilling.exercise import Knobs
    from generator.drilling.run import STEPS
    from generator.drilling.run import drill as run

    if listing:
        for step in STEPS:
            session.out(f"{step.name:<12} {step.does}{' (--allow)' if step.hurts and deployed else ''}")
        return
    only = [f"--{'from' if key == 'vantage' else key.replace('_', '-')}" for key, value in
            {"allow": allow, **where}.items() if value]
    if only and not deployed:
        raise click.UsageError(f"{only[0]} is for --deployed")
    login = None
    if credentials is not None:
        from generator.deployed.credentials import from_file

        login = from_file(credentials)
    if deployed:
        target = _deployed(session, name, **where)
    else:
        from generator.rehearsing.docker import Docker
        from generator.rehearsing.local import Rehearsal

        place, started = _running(session, name)
        target = Rehearsal(place, started, Docker())
    # Ended in order by another program, it leaves as little behind as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    gc.enable()  # this one lives long
    tell, stop = _steps(session)
    begun = [""]

    def progress(now) -> None:
        if sys.stderr.isatty():
            tell(f"{now.text} (about {reports.duration(now.remaining)} left)")
        elif now.step != begun[0]:
            begun[0] = now.step
            session.note(f"{now.step}: {now.text}")

    try:
        knobs = Knobs(requests=requests, rate=rate, cut=cut, login=login)
        found = run(target, steps=steps or None, knobs=knobs, progress=progress, allow=allow)
    finally:
        stop()
    if page is not None:
        from generator.drilling.page import page as written

        page.write_text(written(found), encoding="utf-8")
    if form == "text":
        print_lines(session, reports.text_lines(found, evidence=evidence), out=True)
    else:
        shown = {"json": reports.as_json, "markdown": reports.markdown, "junit": reports.junit}[form]
        session.out(shown(found).rstrip("\n"))
    if found.interrupted:
        sys.exit(130)
    if not found.kept:
        sys.exit(1)


def _deployed(session, name, *, vantage, source, connect, authorities, endpoint_url):
    """What is deployed of a rendered environment. Raises CloakformError."""
    from generator.aws import Connection
    from generator.deployed import stack
    from generator.deployed.target import Deployed, Way, standing
    from generator.rehearsing import rehearsal

    if not name:
        raise click.UsageError("say which environment is to be drilled: cloakform drill ENV --deployed")
    found = rehearsal.source(session.root, name)
    if found.stack is None:
        raise RehearsalError(f"{name} isn't a rendered environment, so nothing says which stack it is")
    topology = rehearsal.topology(found, {})
    way = Way(standing(topology, vantage or ""), *_address(connect), str(authorities) if authorities else None,
              str(_plain_address(source)))
    connection = Connection(found.stack["region"], found.stack["account"], endpoint_url)
    there = stack.read(connection, found.stack["stack_name"])
    if there.template and there.template.strip() != found.text.strip():
        session.note(f"note: the stack {there.name} wasn't made from {found.file} as it is now; lines that the report "
                     f"names are of that file", "warning")
    return Deployed(connection, found.name, there, topology, way)


def _address(text: str) -> tuple[str, int | None]:
    """HOST[:PORT] as its parts."""
    host, sign, port = text.rpartition(":") if ":" in text else (text, "", "")
    if sign and not (host and port.isdigit() and 0 < int(port) < 65536):
        raise click.UsageError(f"--connect takes HOST[:PORT], not {text!r}")
    return host, int(port) if port else None


def _plain_address(text: str):
    """An IPv4 address, or nothing."""
    import ipaddress

    try:
        return ipaddress.IPv4Address(text) if text else ""
    except ValueError:
        raise click.UsageError(f"--source takes an IPv4 address, not {text!r}") from None


def _running(session, name):
    """(place, started) of the rehearsal of that name, or of the only one. Raises RehearsalError."""
    from generator.rehearsing.place import Place, places
    from generator.rehearsing.started import kept

    if name:
        place = Place(session.root, name)
    else:
        there = places(session.root)
        if len(there) != 1:
            names = ", ".join(one.name for one in there)
            raise RehearsalError(f"say which rehearsal: {names}" if there else
                                 "no rehearsal runs here (start one with `cloakform rehearse up ENV`)")
        place = there[0]
    return place, kept(place)


def _pairs(values, option: str) -> dict[str, str]:
    pairs = {}
    for value in values:
        name, sign, text = value.partition("=")
        if not sign or not name:
            raise click.UsageError(f"{option} takes NAME=VALUE, not {value!r}")
        pairs[name] = text
    return pairs


def _steps(session):
    """(tell, stop): a moving line on a terminal, one line for each step elsewhere."""
    if not session.quiet and not sys.stderr.isatty():
        said = [""]

        def tell(text: str) -> None:
            step = text.split(":")[0]
            if step != said[0]:
                said[0] = step
                session.note(text)

        return tell, lambda: None
    return session.progress()


def _task_table(session, now) -> None:
    session.grid([{"task": task.slot, "address": task.address, "phase": task.phase, "health": task.health,
                    "balancer": task.target or "-", "members": f"{task.members} of {now.wanted}",
                    "why": task.reason} for task in now.tasks])


def _print_ways_in(session, place, started, docker) -> None:
    """How a browser and curl reach it."""
    from generator.rehearsing.local import Rehearsal

    target = Rehearsal(place, started, docker)
    names = target.public_names()
    by_vantage, asking = {}, []
    for door in target.doors():
        if door.certificate is not None:
            asking.append(door)
        elif door.scheme == "https":
            by_vantage.setdefault(door.vantage, door)
    for vantage, door in by_vantage.items():
        session.out(f"  {vantage:<9} https://{names[0]}/ at {door.address}:{door.port}")
    door = by_vantage.get("admin") or next(iter(by_vantage.values()), None)
    if door is None:
        return
    rules = ",".join(f"MAP {name}:{one.listener_port} {one.address}:{one.port}" for one in (door, *asking[:1])
                     for name in names)
    session.out(f"  browser   chromium --user-data-dir=/tmp/rehearsal --ignore-certificate-errors "
                f"--host-resolver-rules=\"{rules}\"")
    session.out(f"  curl      curl --cacert {door.authorities} --connect-to ::{door.address}:{door.port} "
                f"https://{names[0]}/realms/master")
    for one in asking[:1]:
        hosts = [listener.mutual_tls.host for _, listener in started.topology.mutual_listeners]
        session.out(f"  certified curl --cacert {one.authorities} --cert {one.certificate} --connect-to "
                    f"::{one.address}:{one.port} https://{hosts[0] or names[0]}:{one.listener_port}/realms/master")
    secrets = place.secrets / f"{started.topology.task.keycloak}.env"
    session.out(f"  login     {target.administrator() or 'the bootstrap administrator'}; the password stands in "
                f"{secrets}")


COMMANDS = (rehearse, drill)
