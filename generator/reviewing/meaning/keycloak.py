"""What a change means for the running Keycloak: how its tasks are exchanged, sessions, the database's
connections.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from generator.document import Resource
from generator.errors import CloakformError
from generator.resolving import Place, Reference, Text
from generator.reviewing.effects import Effect
from generator.reviewing.facts import DATABASES, DELETE, DEPLOYING, REPLACEMENT
from generator.reviewing.meaning.base import (
    DANGER,
    NOTE,
    SERVICE,
    TASK,
    WARNING,
    Consequence,
    Reading,
    plural,
)

_SCALABLE = "AWS::ApplicationAutoScaling::ScalableTarget"
_SERVER_VARIABLE = re.compile(
    r"KC(RAW)?_(DB|CACHE|HOSTNAME|HTTP|PROXY|BOOTSTRAP|FEATURES|LOG|HEALTH|METRICS)"
)
_TAG = re.compile(r":v?([0-9]+\.[0-9]+\.[0-9]+)(?:[^0-9.].*)?$")
_FROM = re.compile(r"^FROM\s+\S*keycloak:([0-9]+\.[0-9]+\.[0-9]+)", re.MULTILINE | re.IGNORECASE)
_BUILT = re.compile(r'^ENV\s+(KC_[A-Z0-9_]+)="?([^"\n]*)"?\s*$', re.MULTILINE)
_ISSUER = "https://github.com/keycloak/keycloak/issues/22191"
_ECS = "Amazon ECS API reference, DeploymentConfiguration"
_DEFAULT_POOL = 100  # db-pool-max-size of every catalog


@dataclass(frozen=True, eq=False)
class Server:
    """A container that runs Keycloak, and the service that starts it."""

    reading: Reading
    task: Resource
    container: Place
    service: Resource | None

    @cached_property
    def told(self) -> dict[str, str]:
        """Its variables; `${...}` stands for what AWS makes, an empty value for a secret's. Those that the
        image was built with are among them."""
        dockerfile = self.reading.artefact.text("image/Dockerfile") or ""
        found = dict(_BUILT.findall(dockerfile))
        for one in self.container["Environment"]:
            name = one["Name"].text
            if name:
                value = one["Value"].value
                found[name] = (
                    f"${{{value}}}"
                    if isinstance(value, Reference)
                    else (str(value) if isinstance(value, Text) else one["Value"].text or "")
                )
        for one in self.container["Secrets"]:
            if one["Name"].text:
                found[one["Name"].text] = ""
        return found

    @cached_property
    def version(self) -> str:
        """Keycloak's version; empty where nothing tells."""
        told = self.reading.artefact.stack.get("keycloak_version")
        if isinstance(told, str) and told:
            return told
        match = _TAG.search(self.container["Image"].text or "") or _FROM.search(
            self.reading.artefact.text("image/Dockerfile") or ""
        )
        return match[1] if match else ""

    @cached_property
    def words(self) -> list[str]:
        """The words of its command."""
        return [one.text or "" for key in ("EntryPoint", "Command") for one in self.container[key]]

    @property
    def java(self) -> str:
        """JAVA_OPTS_APPEND."""
        return self.told.get("JAVA_OPTS_APPEND", "")

    @property
    def discovery(self) -> str:
        """dns, database, or empty where it isn't known."""
        stack = self.told.get("KC_CACHE_STACK", "")
        if "jgroups.dns.query" in self.java or stack == "kubernetes":
            return "dns"
        return "database" if stack.startswith("jdbc-ping") else ""

    @property
    def address(self) -> str:
        """What clients know it by: `https://sso.example.com/auth`; empty where it isn't known."""
        # Up to 24 a host alone, or the URL in an option of its own; either way it is HTTPS in front.
        told = self.told.get("KC_HOSTNAME_URL") or self.told.get("KC_HOSTNAME") or ""
        if not told or "${" in told:
            return ""
        if "://" not in told:
            told = f"https://{told}{self.told.get('KC_HTTP_RELATIVE_PATH', '')}"
        return told.rstrip("/")

    @cached_property
    def deployment(self):
        """It, for what a step between versions means."""
        from generator.keycloak import facts
        from generator.keycloak.upgrading import Deployment

        told = self.told.get("KC_CACHE_EMBEDDED_MTLS_ENABLED")
        encrypted = (
            told == "true"
            if told is not None
            else (facts.cluster_encrypted_by_default(self.version) if self.version else None)
        )
        database = self.database
        options = {key: value for key, value in self.told.items() if key != "JAVA_OPTS_APPEND"}
        return Deployment(
            version=self.version,
            options=options,
            discovery=self.discovery,
            encrypted=encrypted,
            optimized="--optimized" in self.words,
            jvm_options=self.java,
            postgresql=(self.reading.properties(database)["EngineVersion"].text or "") if database else "",
        )

    @cached_property
    def cache_file(self) -> str:
        """A mark of the cache file that the image is built with; empty without one."""
        name = self.told.get("KC_CACHE_CONFIG_FILE", "").rpartition("/")[2]
        content = self.reading.artefact.files.get(f"image/{name}") if name else None
        return hashlib.sha256(content).hexdigest() if content is not None else ""

    @cached_property
    def tasks(self) -> tuple[int | None, int | None]:
        """(fewest, most) tasks that it settles at; None where it isn't known."""
        if self.service is None:
            return None, None
        reading = self.reading
        for one in reading.resources(_SCALABLE):
            place = reading.properties(one)
            value = place["ResourceId"].value
            references = value.references if isinstance(value, Text) else ()
            if any(each.logical_id == self.service.logical_id for each in references):
                return place["MinCapacity"].integer, place["MaxCapacity"].integer
        desired = reading.properties(self.service)["DesiredCount"]
        count = desired.integer if desired else 1
        return count, count

    @cached_property
    def percents(self) -> tuple[int, int]:
        """(MinimumHealthyPercent, MaximumPercent); what ECS takes where none is written."""
        place = self.reading.properties(self.service)["DeploymentConfiguration"] if self.service else None
        low, high = (
            place[key].integer if place is not None else None
            for key in ("MinimumHealthyPercent", "MaximumPercent")
        )
        return 100 if low is None else low, 200 if high is None else high

    @property
    def stops_first(self) -> bool:
        """Whether ECS stops all tasks before it starts the first new one."""
        fewest = self.tasks[0] or 1
        return fewest * self.percents[1] // 100 <= fewest and self.percents[0] == 0

    @property
    def surplus(self) -> tuple[int, int] | None:
        """(tasks as they settle, tasks at once during a deployment) at most; None where it isn't known."""
        most = self.tasks[1]
        return None if most is None else (most, max(most, most * self.percents[1] // 100))

    @property
    def pool(self) -> int | None:
        """Connections that one task takes at most; None where it isn't known."""
        told = self.told.get("KC_DB_POOL_MAX_SIZE")
        if told is None:
            return _DEFAULT_POOL
        return int(told) if re.fullmatch("[0-9]{1,6}", told) else None

    @cached_property
    def database(self) -> Resource | None:
        """The database of the template that it uses; None where it is elsewhere."""
        found = self.reading.resources(*DATABASES)
        told = " ".join(value for name, value in self.told.items() if name.startswith("KC_DB_URL"))
        return next((one for one in found if f"${{{one.logical_id}." in told), None)

    @cached_property
    def max_connections(self) -> int | None:
        """Connections that its database takes; None where it isn't known."""
        from generator.keycloak import sizing

        if self.database is None:
            return None
        place = self.reading.properties(self.database)
        for key in ("DBParameterGroupName", "DBClusterParameterGroupName"):
            group = place[key].resource("AWS::RDS::DBParameterGroup", "AWS::RDS::DBClusterParameterGroup")
            if group is not None:
                written = self.reading.properties(group)["Parameters"]["max_connections"]
                if written:
                    return written.integer
        kind = place["DBInstanceClass"].text
        return sizing.max_connections(kind) if kind and "aurora" not in (place["Engine"].text or "") else None


def servers(reading: Reading) -> dict[str, Server]:
    """The Keycloak servers of a template by the service's (else the task definition's) logical id."""
    found = {}
    services = reading.resources(SERVICE)
    for task in reading.resources(TASK):
        for container in reading.properties(task)["ContainerDefinitions"]:
            image = container["Image"].text or str(container["Image"].value or "")
            names = [one["Name"].text or "" for key in ("Environment", "Secrets") for one in container[key]]
            ours = sum(bool(_SERVER_VARIABLE.match(name)) for name in names)
            if not re.search(r"(^|/)keycloak(x)?([:@/]|$)", image) and ours < 2:
                continue
            users = [
                one for one in services if reading.properties(one)["TaskDefinition"].resource(TASK) is task
            ]
            for service in users or [None]:
                found[service.logical_id if service else task.logical_id] = Server(
                    reading, task, container, service
                )
    return found


def keycloak(before: Reading, after: Reading, effects: tuple[Effect, ...]) -> Iterator[Consequence]:
    """What changes mean for the Keycloak servers that there are before and after."""
    old, new = servers(before), servers(after)
    touched = {one.logical_id: one for one in effects}
    for name, server in new.items():
        if name in old:
            yield from _server(name, old[name], server, touched)
        elif server.service is not None:
            most = server.surplus
            tasks = plural(most[0], "task") if most else "tasks"
            yield Consequence(
                "Keycloak",
                NOTE,
                f"{name} is new: Keycloak {server.version or ''} with {tasks}".replace("  ", " "),
                name,
            )
            yield from _pool(name, server, server, False)
    for name, server in old.items():
        if name not in new and server.service is not None:
            yield Consequence("Keycloak", DANGER, f"{name} is gone: nobody can log in any more", name)
    for one in effects:
        if (
            one.type in DATABASES
            and one.effect in (REPLACEMENT, DELETE)
            and one.logical_id in before.document.resources
        ):
            yield Consequence(
                "Keycloak",
                DANGER,
                f"Keycloak loses its database {one.logical_id}: realms, users, keys and sessions are not in "
                "a new one",
                one.logical_id,
                "Restore a snapshot into it, or take the change back.",
            )


def _server(name: str, old: Server, new: Server, touched: dict[str, Effect]) -> Iterator[Consequence]:
    effect = touched.get(name)
    anew = effect is not None and effect.effect in (REPLACEMENT, DELETE)
    rewritten = new.task.logical_id in touched and touched[new.task.logical_id].effect == REPLACEMENT
    caused = {cause.name.partition(".")[0].partition("[")[0] for cause in effect.causes} if effect else set()
    deploys = rewritten or anew or bool(caused & DEPLOYING)
    image = _image_files(old, new)
    if anew:
        yield Consequence(
            "Keycloak",
            WARNING,
            f"{name} is made anew: the new service starts all its tasks beside the old ones",
            name,
        )
    moved = bool(old.address and new.address) and old.address != new.address
    if moved:
        yield Consequence(
            "Keycloak",
            DANGER,
            f"the address changes: {old.address} -> {new.address}; tokens name their issuer, so those that are out "
            "there are refused, and everybody logs in again",
            name,
            "Every client needs the new issuer; identity providers need the new redirect address.",
            _ISSUER,
        )
    if image:
        yield Consequence(
            "Keycloak",
            WARNING if not deploys else NOTE,
            f"the image's files changed ({', '.join(image[:4])}): build and push the image first"
            + ("" if rewritten else "; the task definition doesn't change, so no task takes it by itself"),
            new.task.logical_id,
        )
    if deploys or image:
        yield from _exchange(name, old, new, deploys, moved)
    elif effect is not None or new.task.logical_id in touched:
        yield Consequence("Keycloak", NOTE, "no task is exchanged", name)
    yield from _counts(name, old, new)
    if (
        deploys
        or old.pool != new.pool
        or old.surplus != new.surplus
        or old.max_connections != new.max_connections
    ):
        yield from _pool(name, old, new, deploys)


def _image_files(old: Server, new: Server) -> list[str]:
    one, other = (
        {path: content for path, content in side.reading.artefact.files.items() if path.startswith("image/")}
        for side in (old, new)
    )
    changed = [path for path in sorted(one.keys() | other.keys()) if one.get(path) != other.get(path)]
    return [path for path in changed if not _only_comments(one.get(path), other.get(path), path)]


def _only_comments(one: bytes | None, other: bytes | None, path: str) -> bool:
    if one is None or other is None or path != "image/Dockerfile":
        return False
    told = [[line for line in text.splitlines() if not line.startswith(b"#")] for text in (one, other)]
    return told[0] == told[1]


def _exchange(name: str, old: Server, new: Server, deploys: bool, moved: bool) -> Iterator[Consequence]:
    """Rolling or full stop, and what becomes of sessions: kept ones are of no use where the address has `moved`."""
    needs, reasons, lost, more = _needs_stop(old, new)
    yield from more
    if needs is None and deploys:
        yield Consequence(
            "Keycloak",
            WARNING,
            "the Keycloak version isn't known, so nobody can tell whether old and new tasks may "
            "share a cluster",
            name,
        )
    for reason in reasons:
        yield Consequence(
            "Keycloak",
            WARNING,
            f"old and new tasks can't share a cluster: {reason[0]}",
            name,
            source=reason[1],
        )
    if not deploys:
        return
    if needs and not new.stops_first:
        yield Consequence(
            "Keycloak",
            DANGER,
            "ECS would run old and new tasks beside each other, and they can't share a cluster",
            name,
            "For this deployment write service.deployment: recreate (minimumHealthyPercent 0, maximumPercent "
            "100).",
            _ECS,
        )
    if new.stops_first:
        yield Consequence(
            "Keycloak",
            WARNING,
            "full stop: ECS stops all tasks before it starts the first new one; nobody can log in meanwhile",
            name,
            "" if needs else "Rolling would do: take service.deployment: recreate out.",
            _ECS,
        )
    elif not needs:
        fewest = new.tasks[0]
        low, high = new.percents
        kept = "" if fewest is None else f", {fewest * low // 100 or 'none'} of {fewest} stay in service"
        yield Consequence(
            "Keycloak",
            NOTE,
            f"rolling: ECS starts new tasks before it stops old ones{kept}"
            if high > 100
            else f"rolling: ECS stops old tasks before it starts new ones{kept}",
            name,
            source=_ECS,
        )
    if lost and (new.stops_first or needs):
        yield Consequence("Keycloak", WARNING, "sessions: " + "; ".join(lost) + " are lost", name)
    elif not moved:
        kept = (
            "they are in the database; logins in progress are lost"
            if new.stops_first or needs
            else "nodes hand them over or have them in the database"
        )
        yield Consequence("Keycloak", NOTE, f"sessions: kept, {kept}", name)
    surplus = new.surplus
    if surplus is not None and not new.stops_first and surplus[1] > surplus[0]:
        yield Consequence(
            "Keycloak",
            NOTE,
            f"at most {plural(surplus[1], 'task')} at once while deploying, {surplus[0]} otherwise",
            name,
            source=_ECS,
        )


def _needs_stop(old: Server, new: Server):
    """(whether all tasks have to stop first, why as (text, source), what is lost then, other consequences);
    None where it can't be told."""
    more: list[Consequence] = []
    if not old.version or not new.version:
        return None, [], [], more
    from generator.keycloak.upgrading import UpgradeError, upgrade

    try:
        found = upgrade(old.deployment, new.deployment)
    except UpgradeError as error:
        more.append(
            Consequence(
                "Keycloak",
                DANGER,
                str(error).partition(" (")[0],
                new.task.logical_id,
                "Take the version back.",
            )
        )
        return True, [(f"{old.version} -> {new.version} is a step back", "")], [], more
    except CloakformError as error:
        more.append(Consequence("Keycloak", WARNING, str(error), new.task.logical_id))
        return None, [], [], more
    reasons = (
        [
            (
                f"{one.name} {one.text}".strip()
                if one.kind == "feature"
                else ": ".join(filter(None, (one.name, one.text))),
                one.source,
            )
            for one in found.reasons
        ]
        if found.strategy == "recreate"
        else []
    )
    if old.cache_file != new.cache_file and old.cache_file and new.cache_file:
        reasons.append(
            (
                f"the cache file {new.told['KC_CACHE_CONFIG_FILE']} has another content, and nodes must "
                "agree about their caches",
                "server guide, update-compatibility.adoc",
            )
        )
    if old.version != new.version:
        more.append(
            Consequence(
                "Keycloak",
                WARNING,
                f"Keycloak {old.version} -> {new.version}",
                new.task.logical_id,
                "See `cloakform upgrade` for what it changes and in which order to go.",
            )
        )
    lost = []
    for one in found.irreversible:
        if one.kind == "lost":
            lost.append(one.text)
        elif one.kind == "schema":
            more.append(Consequence("Keycloak", WARNING, one.text, new.task.logical_id, one.do, one.source))
    if not lost and (reasons or new.stops_first):
        lost = _lost(new)
    return bool(reasons), reasons, [one for one in lost if "in progress" not in one] and lost, more


def _lost(server: Server) -> list[str]:
    """What a full stop loses: user sessions are in the database from 26 on, unless that is switched off."""
    from generator.keycloak.catalog import load_known

    try:
        feature = load_known(server.version).feature("persistent-user-sessions")
    except CloakformError:
        return []
    off = "persistent-user-sessions" in server.told.get("KC_FEATURES_DISABLED", "").split(",")
    on = "persistent-user-sessions" in server.told.get("KC_FEATURES", "").replace(":v1", "").split(",")
    if feature is not None and (feature.state == "on" or on) and not off:
        return []
    return ["all user sessions but the offline ones: users log in again"]


def _counts(name: str, old: Server, new: Server) -> Iterator[Consequence]:
    if old.tasks != new.tasks and None not in (*old.tasks, *new.tasks):
        told = [f"{low}" if low == high else f"{low} to {high}" for low, high in (old.tasks, new.tasks)]
        fewer = new.tasks[0] < old.tasks[0]
        yield Consequence(
            "Keycloak",
            WARNING if fewer and new.tasks[0] < 2 else NOTE,
            f"tasks: {told[0]} -> {told[1]}"
            + ("; one task is no high availability" if new.tasks[0] == 1 else ""),
            name,
        )


def _pool(name: str, old: Server, new: Server, deploys: bool) -> Iterator[Consequence]:
    from generator.keycloak.sizing import RESERVED_CONNECTIONS

    if new.pool is None or new.surplus is None:
        return
    # While tasks are exchanged some have the old pool, some the new one.
    pool = max(new.pool, old.pool or 0) if deploys and not new.stops_first else new.pool
    tasks = new.surplus[0] if new.stops_first else new.surplus[1]
    text = f"database connections: at most {tasks * pool} ({plural(tasks, 'task')} × {pool}) while deploying"
    most = new.max_connections
    if most is None:
        yield Consequence("Keycloak", NOTE, text, name)
        return
    short = tasks * pool > most - RESERVED_CONNECTIONS
    yield Consequence(
        "Keycloak",
        DANGER if short else NOTE,
        f"{text}, the database takes about {most}",
        name,
        f"Set database.pool_size to {max(1, (most - RESERVED_CONNECTIONS) // tasks)} or less, or take a "
        "larger database."
        if short
        else "",
    )
