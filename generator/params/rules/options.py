"""Rules about Keycloak's options: whether the version has them, and whether it takes their values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from generator.keycloak import environment, facts
from generator.keycloak.catalog import Catalog, Option, known_in
from generator.params.model import Settings
from generator.params.rules.base import Complaint, rule, warning
from generator.params.types import MEANT


@rule("keycloak.version", "keycloak.options", "keycloak.secret_options")
def options_exist(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    keycloak = settings.keycloak
    for section in ("options", "secret_options"):
        for name, value in getattr(keycloak, section).items():
            yield from _option(f"keycloak.{section}.{name}", name, value if section == "options" else None, catalog)
    for name in sorted(set(keycloak.options) & set(keycloak.secret_options)):
        yield Complaint(f"keycloak.options.{name}", "is among secret_options too", "keep one")


_ROUTE_VARIABLES = tuple(facts.spi_variable(version, "sticky-session-encoder", "infinispan", "should-attach-route")
                         for version in ("26.0.0", "26.3.0"))
"""Both spellings: a newer Keycloak takes either (measured on 26.7.4)."""


def _option(key: str, name: str, value: str | None, catalog: Catalog) -> Iterator[Complaint]:
    owned = dict(environment.OWNED)
    owned.update(dict.fromkeys(facts.bootstrap_admin_variables(catalog.version), "keycloak.admin.username"))
    owned.update(dict.fromkeys(_ROUTE_VARIABLES, "load_balancer.stickiness_seconds"))
    if name == "KC_DB_PASSWORD":
        yield Complaint(key, "comes from the database's secret", "take it out")
        return
    if name in owned:
        yield Complaint(key, "is set by the generator", f"take it out and see the key {owned[name]}")
        return
    if catalog.is_spi(name):
        return
    option = catalog.option(name)
    if option is None:
        known = known_in(name)
        if known:
            yield Complaint(key, f"Keycloak {catalog.version} has no such option (known in {known[0]} to {known[-1]})",
                            "take it out, or change keycloak.version")
            return
        nearest = catalog.nearest(name)
        yield Complaint(key, f"Keycloak {catalog.version} has no such option and would ignore it silently",
                        f"did you mean {nearest}?" if nearest else "take it out")
        return
    if option.deprecated:
        yield warning(key, f"is deprecated in Keycloak {catalog.version}", option.deprecated)
    if value is None:
        return
    problem = catalog.check_value(option, value)
    if problem:
        yield Complaint(key, problem, _value_fix(option, value))
    for item in value.split(",") if option.type == "list" else [value]:
        if item in option.deprecated_values:
            yield warning(key, f"{item} is deprecated in Keycloak {catalog.version}",
                          option.deprecated_note or "write another of its values")


def _value_fix(option: Option, value: str) -> str:
    """What to write instead of a value that an option doesn't take."""
    known = option.values or (("true", "false") if option.type == "boolean" else ())
    near = difflib.get_close_matches(value.strip().lower(), known, 1)
    if option.type == "boolean" and value.lower() in MEANT:
        near = [MEANT[value.lower()]]
    return f"write {near[0]}" if near else "write a value that it takes"


@rule("keycloak.version", "keycloak.log.level")
def log_level_is_one(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    option = catalog.option("KC_LOG_LEVEL")
    problem = catalog.check_value(option, settings.keycloak.log.level)
    if problem:
        yield Complaint("keycloak.log.level", f"{problem}: Keycloak wouldn't start",
                        "write it like info,org.keycloak.events:debug")


@rule("keycloak.version", "service.stop_timeout_seconds", "keycloak.options")
def tasks_may_finish(settings: Settings, catalog: Catalog) -> Iterator[Complaint]:
    names = ("KC_SHUTDOWN_DELAY", "KC_SHUTDOWN_TIMEOUT")
    if not any(name in settings.keycloak.options for name in names):
        return
    total = 0.0
    for name in names:
        option = catalog.option(name)
        total += seconds(settings.keycloak.options.get(name) or (option and option.default) or "")
    if total >= settings.service.stop_timeout_seconds:
        yield Complaint("service.stop_timeout_seconds", f"Keycloak's own shutdown takes up to {total:g} s, but "
                        f"the task is killed after {settings.service.stop_timeout_seconds} s",
                        f"write more than {total:g}" if total < 120 else "write shorter times in "
                        "keycloak.options: ECS waits 120 s at most")


_TIME = re.compile(r"(?i)(\d+)(ms|[smhd])?|pt?(?:(\d+)d)?t?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


def seconds(text: str) -> float:
    """Length of a time as Keycloak's options spell it: `90`, `1500ms`, `2m`, `PT1M30S`; 0 for what is none."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return 0
    if match[1]:
        return int(match[1]) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}[(match[2] or "s").lower()]
    parts = zip(match.groups()[2:], (86400, 3600, 60, 1))
    return sum(float(number) * factor for number, factor in parts if number)
