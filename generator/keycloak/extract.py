"""From a Keycloak distribution to a catalog file.

`Extract.java` reads the option, mapper and feature classes of a distribution and prints everything it finds
as one line of JSON. `compact` turns that into the file which `catalog.py` reads: only what rendering, linting
and explaining need, sorted, one option a line, so that the difference of two versions reads well.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from generator.errors import CatalogError
from generator.keycloak import version as versions

EXTRACTOR = Path(__file__).with_name("Extract.java")

# Options that Keycloak derives from `proxy-headers`. Some releases show them in their classes as if anybody
# could set them; no release lists them in its help.
_PLUMBING = frozenset(
    {
        "proxy-allow-forwarded-header",
        "proxy-allow-x-forwarded-header",
        "proxy-allow-x-forwarded-prefix-header",
        "proxy-forwarded-host",
        "proxy-trusted-header-enabled",
    }
)
_TYPES = {
    "Boolean": "boolean",
    "Double": "number",
    "File": "path",
    "Integer": "integer",
    "List": "list",
    "Long": "integer",
    "Path": "path",
}
_STATES = {
    "DEFAULT": "on",
    "DISABLED_BY_DEFAULT": "off",
    "PREVIEW": "preview",
    "PREVIEW_DISABLED_BY_DEFAULT": "preview",
    "EXPERIMENTAL": "experimental",
    "DEPRECATED": "deprecated",
}
_HOSTNAME_V1 = "Hostname v1 (Deprecated)"
_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bf\.e)\.(?=\s)")


FOLDERS = ("lib/lib/main", "lib/lib/boot", "lib/app")
"""Where a distribution keeps the jars that the extractor reads."""


def command(home: Path, version: str, java: str = "java") -> list[str]:
    """Arguments that print the raw JSON of the distribution unpacked at `home` (Java 17 or newer)."""
    class_path = ":".join(f"{home}/{folder}/*" for folder in FOLDERS)
    return [java, "-cp", class_path, str(EXTRACTOR), version]


def compact(raw: str) -> str:
    """Turn the extractor's JSON into the text of a catalog file. Pure; the same input gives the same bytes.

    Raises CatalogError if the text is no such JSON, or if the extractor could not read a class: half a
    catalog would call real options unknown.
    """
    try:
        data = json.loads(raw)
        if data["errors"]:
            raise CatalogError(f"the extractor could not read everything: {'; '.join(data['errors'])}")
        entries = {
            "stacks": _stacks(data),
            "features": _features(data),
            "options": _options(data),
        }
        version = str(versions.parse(data["version"]))
    except (ValueError, KeyError, TypeError) as error:
        raise CatalogError(f"this is not what the extractor prints: {error!r}") from error
    if not entries["options"]:
        raise CatalogError("the extractor found no options")
    sections = [f'"version": {json.dumps(version)}']
    for name, section in entries.items():
        lines = ",\n".join(f"{json.dumps(key)}: {_line(section[key])}" for key in sorted(section))
        sections.append(f'"{name}": {{\n{lines}\n}}')
    return "{\n" + ",\n".join(sections) + "\n}\n"


def _line(entry: dict) -> str:
    """One entry as one line; what is empty or false is left out, for it is the default of the reader."""
    return json.dumps({key: value for key, value in entry.items() if value}, ensure_ascii=False)


def _stacks(data: dict) -> dict[str, dict]:
    deprecated: set[str] = set()
    for option in data["options"]:
        if option["key"] == "cache-stack":
            deprecated.update((option.get("deprecatedValues") or {}).get("values", ()))
    return {stack["value"]: {"deprecated": stack["value"] in deprecated} for stack in data["cacheStacks"]}


def _features(data: dict) -> dict[str, dict]:
    # Before 24, features have no versions, and KC_FEATURES takes the bare key alone.
    spelled = {feature["name"]: feature.get("versionedKey") or feature["key"] for feature in data["features"]}
    disablable: set[str] = set()
    for option in data["options"]:
        if option["key"] == "features-disabled":
            disablable.update(option["expected"])
    features = {}
    for feature in data["features"]:
        name = feature.get("unversionedKey") or feature["key"]
        features[spelled[feature["name"]]] = {
            # Releases call some features `account-v3` in their messages, but accept `account:v3` only.
            "key": feature["key"] if feature["key"] != name else "",
            "state": _STATES[feature["type"]],
            "deprecated": feature.get("deprecated") or feature["type"] == "DEPRECATED",
            "label": feature["label"],
            "needs": sorted(spelled[needed] for needed in feature.get("dependencies", ())),
            "update": feature.get("updatePolicy", "").lower().replace("_", "-"),
            "fixed": name not in disablable,
        }
    return features


def _options(data: dict) -> dict[str, dict]:
    # `dir` and `file` are there for import and for export; 25 has a v1 and a v2 of the hostname options.
    # Sorted by category descending, v1 comes last of the two: the first entry of a key is the one to keep.
    found: dict[str, dict] = {}
    for raw in sorted(data["options"], key=lambda option: option["category"], reverse=True):
        known = raw["mapped"] and not raw.get("internal") and raw["key"] not in _PLUMBING
        if known and raw["key"] not in found:
            found[raw["key"]] = _option(raw)
    return found


def _option(raw: dict) -> dict:
    kind = _TYPES.get(raw["type"], "string")
    description = raw["description"] or ""
    if kind == "string" and "May be an ISO 8601 duration value" in description:
        kind = "duration"
    # Every boolean takes true and false; the feature lists are the catalog's own features.
    listed = kind != "boolean" and raw["key"] not in ("features", "features-disabled")
    deprecated, values = raw.get("deprecated") or {}, raw.get("deprecatedValues") or {}
    return {
        "env": raw["env"],
        "type": kind,
        "build": raw["buildTime"],
        "default": raw["default"],
        "values": raw["expected"] if listed else [],
        # Releases before 26 don't say: there, every list of values is binding.
        "open": bool(raw["expected"]) and raw.get("strictExpected") is False,
        "ignore_case": raw.get("caseInsensitiveExpected"),
        "deprecated": "deprecated" in raw,
        "advice": _advice(deprecated),
        "deprecated_values": sorted(values.get("values", ())),
        "deprecated_note": values.get("note"),
        "hidden": raw["hidden"],
        "secret": raw.get("mask"),
        "feature": "hostname:v1" if raw["category"] == _HOSTNAME_V1 else "",
        "when": raw.get("enabledWhen"),
        "category": raw["category"],
        "about": _first_sentence(description),
    }


def _advice(deprecated: dict) -> str:
    """What to use instead, as Keycloak's own warning words it."""
    uses = [f"Use {', '.join(deprecated['newOptions'])}."] if deprecated.get("newOptions") else []
    notes = [deprecated["note"]] if deprecated.get("note") else []
    return " ".join(uses + notes)


def _first_sentence(text: str) -> str:
    text = " ".join(text.split())
    end = _SENTENCE_END.search(text)
    return text[: end.end()] if end else text
