"""What a Keycloak container runs: kc.sh with its words, by itself or in a script, or something else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from generator.linting.view import shell
from generator.resolving import Place, Text

COMMANDS = ("start", "start-dev", "build", "export", "import", "bootstrap-admin", "show-config")

# Programs that are known to be something else than Keycloak's server; java is looked at by itself.
_OTHER_PROGRAMS = re.compile(
    r"kcadm(\.sh)?|kcreg(\.sh)?|node|npm|npx|yarn|pnpm|bun|deno|python[0-9.]*|gunicorn|uvicorn|celery|flask|ruby|rails"
    r"|bundle|rackup|puma|php[0-9.]*|php-fpm[0-9.]*|dotnet|go|curl|wget|psql|pg_dump|pg_restore|mysql|mysqldump|aws"
    r"|terraform|tofu|ansible-playbook|kubectl|nginx|envoy|haproxy|httpd|caddy|traefik|oauth2-proxy|otelcol[a-z-]*"
    r"|fluent-bit|fluentd|flyway|liquibase|jq|yq|nc|openssl|keytool"
)
_CLIENTS = re.compile(r"\bkc(adm|reg)\b")
"""Keycloak's own command line clients, which talk to a server that runs elsewhere."""
_SHELL_COMMANDS = frozenset(
    "cd set export echo printf sleep mkdir cp mv rm ln chmod chown chgrp cat tail head grep sed awk test [ [[ true"
    " false date wait trap ulimit umask read shift unset local return exit hostname ls find tr cut touch which type id"
    " whoami base64 tee sync stat readlink dirname basename pwd : break continue declare uname".split()
)
_JAVA_SERVER = re.compile(r"quarkus|kc\.home|/keycloak/", re.IGNORECASE)


@dataclass(frozen=True)
class Command:
    """What a container runs."""

    words: tuple[tuple[str, Place], ...]
    """What kc.sh is given, each word with its place; `${…}` stands for a part that isn't known. Of several calls in a
    script it is the last one's, which is what stays; none where something else runs."""
    complete: bool
    """Whether all words are known and nothing stands between ECS and kc.sh: no shell, no script of the image's."""
    place: Place
    """The container's Command, or its EntryPoint where only that one is written."""
    calls: tuple[shell.Call, ...] = ()
    """The commands of the script that a shell is given; none where there is no script or it isn't known."""
    script: Place | None = None
    """Where that script is written."""
    program: str = ""
    """The program that is named instead of kc.sh; empty where that one, the image's own entry point or a shell is."""
    names_kc: bool = False
    """Whether kc.sh is called by name."""
    other: bool = False
    """Whether that program is known to be something else than the server."""

    @cached_property
    def verb(self) -> str:
        """`start`, `start-dev`...; empty where no such word is there."""
        return _verb([word for word, _ in self.words])

    @property
    def optimized(self) -> bool:
        """Whether `--optimized` is given."""
        return any(word == "--optimized" for word, _ in self.words)

    @property
    def stays(self) -> shell.Call | None:
        """The last call of kc.sh in a script; None where there is none."""
        return next((one for one in reversed(self.calls) if _kc_arguments(one) is not None), None)

    @property
    def builds(self) -> bool:
        """Whether a script calls `kc.sh build` before it starts the server, if perhaps not each time."""
        return bool(self._builds)

    @property
    def always_builds(self) -> bool:
        """Whether it surely does so each time."""
        return any(one.always for one in self._builds)

    @property
    def _builds(self) -> list[shell.Call]:
        found = [(one, arguments) for one in self.calls if (arguments := _kc_arguments(one)) is not None]
        return [one for one, arguments in found[:-1] if _verb(arguments) == "build"]

    @property
    def foreign(self) -> bool:
        """Whether something of the image's that isn't known runs: a script or a program of one's own."""
        if self.script is None:
            return bool(self.program)
        return not self.calls or any(not _is_known(one) for one in self.calls)

    def reads(self, variable: str) -> bool:
        """Whether the script that a shell is given has a variable in it."""
        return bool(re.search(rf"\$\{{?[#!]?{re.escape(variable)}(?![A-Za-z0-9_])", _text(self.script)))

    @property
    def elsewhere(self) -> bool:
        """Whether it surely runs something else than Keycloak's server."""
        if self.names_kc:
            return False
        if self.script is None:
            return self.other
        if not self.calls:
            return False
        if _CLIENTS.search(_text(self.script)):
            return not any(_may_start(one) for one in self.calls)
        return all(_is_known(one) for one in self.calls)


def _verb(words: list[str]) -> str:
    return next((word for word in words if word in COMMANDS), "")


def _text(script: Place | None) -> str:
    value = script.value if script is not None else ""
    return str(value) if isinstance(value, (str, Text)) else ""


def _is_kc(word: str) -> bool:
    return shell.name(word) == "kc.sh"


def _is_other(call: shell.Call) -> bool:
    """Whether a program is known to be something else than the server."""
    if call.program == "java":
        return len(call.words) > 1 and not any(_JAVA_SERVER.search(word) for word in call.words)
    return _OTHER_PROGRAMS.fullmatch(call.program) is not None


def _is_known(call: shell.Call) -> bool:
    return _kc_arguments(call) is not None or call.program in _SHELL_COMMANDS or _is_other(call)


def _may_start(call: shell.Call) -> bool:
    """Whether a program of a script may be what starts the server."""
    return not _is_known(call) and (call.program.endswith(".sh") or _verb(list(call.words)).startswith("start"))


def _kc_arguments(call: shell.Call) -> list[str] | None:
    """What kc.sh is given by a command, also behind `gosu keycloak` and the like; None where it isn't called."""
    if call.program in _SHELL_COMMANDS or _is_other(call):
        return None
    found = [number for number, word in enumerate(call.words) if _is_kc(word)]
    return list(call.words[found[-1] + 1 :]) if found else None


def read(container: Place, stock: bool) -> Command:
    """The command of a container; `stock` says that the image's own entry point is kc.sh."""
    words: list[tuple[str, Place]] = []
    complete = True
    for key in ("EntryPoint", "Command"):
        place = container[key]
        if place.unknown is not None or place and not isinstance(place.value, (list, str)):
            complete = False
            continue
        for one in place:
            value = one.value
            if isinstance(value, (str, Text)):
                words.append((str(value), one))
                complete = complete and isinstance(value, str) and "{{resolve:" not in value
            else:
                text = one.text
                words.append((text or "", one))
                complete = complete and text is not None
    place = container["Command"] if container["Command"] else container["EntryPoint"]
    words = words[shell.unwrapped([word for word, _ in words]) :]
    texts = [word for word, _ in words]
    entry = bool(container["EntryPoint"])
    if texts and (shell.name(texts[0]) in shell.SHELLS or texts[0] == "-c" and not entry and not stock):
        return _of_shell(words, place)
    calls = [number for number, word in enumerate(texts) if _is_kc(word)]
    if calls:
        return Command(tuple(words[calls[-1] + 1 :]), complete, place, names_kc=True)
    if not texts or not entry and _is_for_kc(texts[0], stock):
        return Command(tuple(words), complete, place)
    # A script that is given one of kc.sh's commands hands it on.
    other = _is_other(shell.Call(tuple(texts), False, True))
    handed = words[1:] if _verb(texts[1:]) and not other else ()
    return Command(tuple(handed), False, place, program=texts[0], other=other)


def _is_for_kc(word: str, stock: bool) -> bool:
    """Whether the first word of Command is meant for an entry point that is kc.sh."""
    if word.startswith("-") or (word.split() or [""])[0] in COMMANDS:
        return True
    # kc.sh has more commands than these, but none is called like a file or another program.
    return stock and "/" not in word and not _is_known(shell.Call((word, ""), False, True))


def _of_shell(words: list[tuple[str, Place]], place: Place) -> Command:
    texts = [word for word, _ in words]
    number = 1 if texts[0] == "-c" and len(texts) > 1 else shell.script(texts)
    if number is None:
        handed = words[2:] if _verb(texts[2:]) else ()
        return Command(tuple(handed), False, place, program="".join(texts[1:2]) or texts[0])
    calls = shell.calls(texts[number])
    found = [arguments for one in calls if (arguments := _kc_arguments(one)) is not None]
    script = words[number][1]
    stays = tuple((word, script) for word in found[-1]) if found else ()
    if not found:
        handed = [one.words[1:] for one in calls if _may_start(one) and _verb(list(one.words[1:]))]
        stays = tuple((word, script) for word in handed[-1]) if handed else ()
    return Command(stays, False, place, calls, script, names_kc=bool(found))
