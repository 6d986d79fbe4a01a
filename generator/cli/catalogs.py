"""Commands about Keycloak's versions: `catalog` (show, diff, update) and `upgrade`."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import click

from generator.cli.session import FORMAT, Group, print_lines
from generator.errors import CatalogError, ParamsError, ProjectError

PAGE_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to print the result.",
)


@click.group(cls=Group)
def catalog():
    """What each Keycloak version understands, read out of the distributions themselves.

    \b
    cloakform catalog show                         the versions that are known
    cloakform catalog show 26.7.4 cache-stack      one option of one version
    cloakform catalog diff 24.0.5 26.7.4           what a step changes
    cloakform catalog update 26.7.5                fetch a distribution and add its catalog
    """


@catalog.command()
@click.argument("version", required=False)
@click.argument("option", required=False)
@FORMAT
@click.pass_obj
def show(session, version, option, form):
    """Say what a VERSION understands, or what is known of one OPTION of it (db-url, KC_DB_URL, or a feature).

    Without a VERSION the known ones are listed.
    """
    from generator.keycloak import catalog as catalogs
    from generator.keycloak import pages

    if not version:
        known = catalogs.known_versions()
        if form == "json":
            session.out(json.dumps({"versions": known, "rendered": catalogs.versions()}, indent=2))
            return
        for one in known:
            session.out(
                one if one in catalogs.versions() else f"{one}   understood when linting, not rendered"
            )
        return
    found = _load(session, version)
    if not option:
        if form == "json":
            session.out(json.dumps(_version(found), indent=2))
        else:
            print_lines(session, pages.version_text(found), out=True)
        return
    asked = found.option(option)
    feature = None if asked else found.feature(option)
    if asked is None and feature is None:
        raise CatalogError(_unknown(found, option))
    if form == "json":
        session.out(json.dumps(_option(asked, found) if asked else _feature(feature), indent=2))
    else:
        lines = pages.option_text(asked, found) if asked else pages.feature_text(feature)
        print_lines(session, lines, out=True)


@catalog.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@PAGE_FORMAT
@click.pass_obj
def diff(session, before, after, form):
    """Say what a step from version A to version B changes.

    Options and features that came, went or are deprecated; what moved between build time and run time;
    defaults and values; ports, and the ranges of Java and PostgreSQL. A may be the newer one.
    """
    from dataclasses import asdict

    from generator.keycloak import pages
    from generator.keycloak.differences import compare

    found = compare(_load(session, before), _load(session, after))
    if form == "json":
        session.out(json.dumps(asdict(found), indent=2))
    elif form == "markdown":
        session.out(pages.differences_markdown(found).rstrip("\n"))
    else:
        print_lines(session, pages.differences_text(found), out=True)


@catalog.command()
@click.argument("version")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="DIST",
    help="A distribution that is here already, as .tar.gz or unpacked, instead of Maven's.",
)
@click.pass_obj
def update(session, version, source):
    """Read the catalog of VERSION out of its distribution, and keep it in the project's checkout.

    The distribution is fetched with Maven's client. It takes Java 17 or newer; nothing of Keycloak starts.
    What changes in the catalog is printed. A distribution that didn't arrive whole changes nothing.
    """
    import difflib

    from generator.keycloak import catalog as catalogs
    from generator.keycloak import distribution

    asked = str(distribution.released(version))
    distribution.java()  # said before 180 MB are fetched
    file = catalogs.path(asked)
    if file.exists():
        origin, old = asked, file.read_text("utf-8")
    else:
        origin = catalogs.load_known(asked).source
        old = catalogs.path(origin).read_text("utf-8")
    with contextlib.ExitStack() as opened:
        give = (
            distribution.unpacked(source, session.note)
            if source
            else distribution.fetched(asked, session.note)
        )
        text = distribution.catalog_text(opened.enter_context(give), asked, session.note)
    if file.exists() and old == text:
        session.out(f"{file.name}: nothing changed")
        return
    try:
        catalogs.store(asked, text)
    except OSError as error:
        raise ProjectError(f"{file} can't be written: {error.strerror}") from error
    changed = [
        line
        for line in difflib.unified_diff(old.splitlines(), text.splitlines(), n=0, lineterm="")
        if line[:1] in "+-" and not line.startswith(("+++", "---"))
    ]
    for line in changed:
        session.out(line, "add" if line.startswith("+") else "remove")
    session.out(
        f"{file.name} written: {len(changed)} lines are other than in the catalog of {origin}"
        + (" before" if origin == asked else "")
    )


@click.command()
@click.argument("environment", metavar="ENV")
@click.option("--to", "version", required=True, metavar="VERSION", help="The Keycloak version to go to.")
@PAGE_FORMAT
@click.pass_obj
def upgrade(session, environment, version, form):
    """Say what a newer Keycloak means for an environment; write nothing.

    What it changes for the options in use, whether it can roll or has to stop the cluster, in which order,
    and what can't be undone, each with its source.
    """
    from dataclasses import asdict

    from generator.keycloak import catalog as catalogs
    from generator.keycloak import pages
    from generator.keycloak.upgrading import UpgradeError
    from generator.keycloak.upgrading import upgrade as upgraded

    one = _environment(session, environment)
    runs = one.settings.keycloak.version
    if version == runs:
        raise UpgradeError(f"{environment} runs Keycloak {runs} already")
    target = catalogs.load(version)
    settings = one.settings.model_copy(
        update={"keycloak": one.settings.keycloak.model_copy(update={"version": version})}
    )
    found = upgraded(
        _deployment(one.name, one.settings, one.catalog), _deployment(one.name, settings, target)
    )
    for note in found.notes:
        session.note(note, "warning")
    to_change = _params(one.settings, one.catalog, settings, target)
    if form == "json":
        session.out(json.dumps({"environment": one.name, **asdict(found), "params": to_change}, indent=2))
    elif form == "markdown":
        session.out((pages.upgrade_markdown(one.name, found) + _params_markdown(to_change)).rstrip("\n"))
    else:
        print_lines(session, pages.upgrade_text(one.name, found), out=True)
        if to_change:
            session.out()
            session.out("Params to change first", "bold")
        for change in to_change:
            session.out(f"  {change['key']}: {change['message']}", "error")
            if change["fix"]:
                session.out(f"      {change['fix']}", "dim")


def _load(session, version: str):
    """Any known version's catalog, the newest of a line such as 26.4; said on standard error where it is another
    version's."""
    from generator.keycloak.catalog import known_versions, load_known

    if version.count(".") == 1:
        version = next((one for one in reversed(known_versions()) if one.startswith(f"{version}.")), version)
    found = load_known(version)
    if found.note:
        session.note(found.note, "warning")
    return found


def _unknown(found, option: str) -> str:
    """What is wrong with the name of an option, with what was probably meant, spelled in the same way."""
    from generator.keycloak import advice
    from generator.keycloak.catalog import known_in, known_versions

    if found.is_spi(option) or option.startswith("spi-"):
        return f"{option} is an option of a provider: their names are free, so no catalog has them"
    variable = advice.variable(option)
    known = known_in(variable, known_versions())
    instead = advice.replacement(option, found.version)
    if instead and instead.use:
        hint = f": use {' and '.join(_spelled(name, option, found) for name in instead.use)}"
    elif known:
        hint = f" (known in {known[0]} to {known[-1]})" if len(known) > 1 else f" (known in {known[0]})"
    else:
        near = found.nearest(variable)
        near = _spelled(near, option, found) if near else found.nearest_feature(option)
        hint = f": did you mean {near}?" if near else ""
    return f"Keycloak {found.version} has no option {option}{hint}"


def _spelled(variable: str, like: str, found) -> str:
    """A variable as it is, or as a key where somebody asked for a key."""
    option = None if like.isupper() else found.option(variable)
    return option.key if option else variable


def _version(found) -> dict:
    from dataclasses import asdict

    from generator.keycloak import advice
    from generator.keycloak.differences import server

    return {
        "version": found.version,
        "source": found.source,
        "note": found.note,
        "server": {fact.name: fact.value for fact in server(found.version)},
        "known_bugs": [asdict(bug) for bug in advice.known_bugs(found.version)],
        "options": [_option(option, found) for option in found.options],
        "features": [_feature(feature) for feature in found.features],
        "stacks": [asdict(stack) for stack in found.stacks],
    }


def _option(option, found) -> dict:
    from dataclasses import asdict

    from generator.keycloak import advice

    instead = advice.replacement(option.env, found.version)
    return {**asdict(option), "version": found.version, "replacement": asdict(instead) if instead else None}


def _feature(feature) -> dict:
    from dataclasses import asdict

    return {**asdict(feature), "versioned": feature.versioned}


def _environment(session, name: str):
    """One environment by name. Raises ParamsError with its problems, ProjectError for an unknown name."""
    from generator import build

    outcome = build.outcomes(session.root, (name,))[0]
    if outcome.environment is None:
        raise ParamsError(list(outcome.problems))
    return outcome.environment


def _deployment(name: str, settings, found):
    """What Keycloak is told in an environment, as rendering would tell it."""
    from generator.keycloak.environment import encrypts_cluster, is_optimized, server_environment
    from generator.keycloak.upgrading import Deployment
    from generator.rendering.context import proxy_cidrs

    told = server_environment(settings, found, name, proxy_cidrs(settings))
    options = {
        one.name: f"${{{one.get_att}}}" if one.get_att else one.value
        for one in (*told.build_variables, *told.variables)
    }
    jvm = options.pop("JAVA_OPTS_APPEND", "")
    options.update({secret.name: "" for secret in told.secrets})
    created = settings.database.create
    return Deployment(
        version=found.version,
        options=options,
        discovery=settings.keycloak.discovery,
        encrypted=encrypts_cluster(settings),
        optimized=is_optimized(settings),
        jvm_options=jvm,
        postgresql="" if settings.database.existing or created is None else str(created.engine_version),
    )


def _params(settings, found, later, target) -> list[dict]:
    """Params that are right now and wrong for the other version."""
    from generator.params.rules import RULES

    def errors(asked, understood) -> dict[tuple[str, str], dict]:
        complaints = (complaint for rule in RULES for complaint in rule.check(asked, understood))
        return {
            (one.key, one.message.replace(understood.version, "")): {
                "key": one.key,
                "message": one.message,
                "fix": one.fix,
            }
            for one in complaints
            if one.severity == "error"
        }

    before = errors(settings, found)
    return [change for key, change in sorted(errors(later, target).items()) if key not in before]


def _params_markdown(to_change: list[dict]) -> str:
    if not to_change:
        return ""
    lines = "\n".join(
        f"- `{change['key']}`: {change['message']}" + (f" ({change['fix']})" if change["fix"] else "")
        for change in to_change
    )
    return f"\n## Params to change first\n\n{lines}\n"


COMMANDS = (catalog, upgrade)
