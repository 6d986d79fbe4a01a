"""Whether Keycloak will take the value of an option.

Modelled on what the servers do, run on 24.0.5, 25.0.6, 26.0.8, 26.7.3 and 26.7.4: nearly all of this stops
them at start, most of it with exit code 2.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from generator.keycloak.catalog import Catalog, Option

# Keycloak's names and those of java.util.logging, in any case.
_LOG_LEVELS = frozenset(
    "off fatal error warn info debug trace all severe warning config fine finer finest".split()
)
# Patterns stay text until a value is checked: compiling them would cost every run of the program.
_INTEGER = r"\s*[+-]?[0-9]{1,18}\s*"
_NUMBER = r"(?i)\s*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]+)?\s*"
# A number of seconds, a number with a unit, or ISO 8601 with or without its PT.
_DURATION = (
    r"(?i)(?=.*[0-9])([+-]?[0-9]+(ms|[hmsd])?|(p([0-9]+d)?t?)?([0-9]+h)?([0-9]+m)?([0-9]+(\.[0-9]+)?s)?)"
)


def problem(catalog: Catalog, option: Option, value: str) -> str | None:
    """What is wrong with the value of an option of that catalog, without a full stop; None if nothing is.

    Also None where nobody can tell: a value with `${` is put together when Keycloak starts. Secrets are not
    looked at, so that no message repeats one.
    """
    if "${" in value or option.secret:
        return None
    if option.type != "list":
        return _item_problem(catalog, option, value)
    items = value.split(",")
    while len(items) > 1 and not items[-1]:  # Java's split drops them, too
        items.pop()
    for item in items:
        if item != item.strip():
            return f"{option.env} holds {item!r}: write the items without blanks between them"
        found = _item_problem(catalog, option, item)
        if found:
            return found
    return None


def _item_problem(catalog: Catalog, option: Option, value: str) -> str | None:
    if option.key in ("features", "features-disabled"):
        return _feature_problem(catalog, option, value)
    if option.key == "feature-<name>":
        return _feature_switch_problem(catalog, option, value)
    if option.key in ("log-level", "log-level-<category>"):
        return _log_level_problem(option, value)
    if option.type == "boolean" and value not in ("true", "false"):
        return f"{option.env} takes true or false, in lower case, not {value!r}"
    if option.type == "integer" and not _is_integer(value):
        return f"{option.env} takes a whole number, not {value!r}"
    if option.type == "number" and not re.fullmatch(_NUMBER, value):
        return f"{option.env} takes a number, not {value!r}"
    if option.type == "duration" and not re.fullmatch(_DURATION, value):
        return f"{option.env} takes a time such as 10s, 5m or 1h, not {value!r}"
    known = not option.values or option.open or value in option.values
    if known or (option.ignore_case and value.lower() in option.values):
        return None
    return f"{option.env} takes {_one_of(option.values)}, not {value!r}"


def _is_integer(value: str) -> bool:
    """Whether it fits Java's int."""
    return bool(re.fullmatch(_INTEGER, value)) and -(2**31) <= int(value) < 2**31


def _feature_problem(catalog: Catalog, option: Option, name: str) -> str | None:
    disabled = option.key == "features-disabled"
    if name in ("", "preview"):
        return None
    feature = catalog.feature(name)
    if feature is None:
        return _unknown_feature(catalog, name, versioned=not disabled)
    if disabled and ":" in name:
        return f"{option.env} takes {feature.name}, without a version, not {name!r}"
    if disabled and feature.fixed:
        return f"the feature {name} can't be switched off"
    return None


def _feature_switch_problem(catalog: Catalog, option: Option, value: str) -> str | None:
    name = option.argument.lower().replace("_", "-")
    found = [f"v{feature.version}" for feature in catalog.features if feature.name == name]
    if name and not found:
        return _unknown_feature(catalog, name, versioned=False)
    known = ["enabled", "disabled", *found]
    return None if value in known else f"{option.env} takes {_one_of(known)}, not {value!r}"


def _unknown_feature(catalog: Catalog, name: str, versioned: bool) -> str:
    nearest = catalog.nearest_feature(name)
    if nearest and not versioned:
        nearest = nearest.partition(":")[0]
    hint = f": did you mean {nearest}?" if nearest else ""
    return f"Keycloak {catalog.version} has no feature {name!r}{hint}"


def _log_level_problem(option: Option, value: str) -> str | None:
    category, colon, level = value.rpartition(":")
    root = option.key == "log-level"
    if level.lower() in _LOG_LEVELS and (not colon or (root and category)):
        return None
    takes = "a level, such as info, or category:level" if root else "a level, such as info"
    return f"{option.env} takes {takes}, not {value!r}"


def _one_of(values: tuple[str, ...] | list[str]) -> str:
    return f"{', '.join(values[:-1])} or {values[-1]}" if len(values) > 1 else values[0]
