"""What several rules about options ask; no rule is in here."""

from __future__ import annotations

from collections.abc import Callable

from generator.keycloak import catalog as catalogs
from generator.keycloak.catalog import Catalog, Option
from generator.keycloak.version import parse
from generator.linting.view import Keycloak, Setting
from generator.linting.view.balancers import LoadBalancer

CERTIFICATES = ("https-certificate-file", "https-key-store-file")
"""Options that give the server a certificate of its own."""

WHEN = "Available only when "


def entry(key: str, value: str, like: Setting | None = None) -> str:
    """The line that sets an option: a variable, or an option of the command where `like` is one."""
    if like is not None and like.argument:
        return f"--{key}={value}"
    return f'{{Name: {variable(key)}, Value: "{value}"}}'


def variable(key: str) -> str:
    """The variable of a key."""
    return "KC_" + key.upper().replace("-", "_")


def empty(setting: Setting | None) -> bool:
    """Whether a setting surely has no text, which to Keycloak is the same as none."""
    return (
        setting is not None and not setting.secret and setting.value is not None and not setting.value.strip()
    )


def absent(keycloak: Keycloak, key: str) -> bool:
    """Whether an option surely has no value: nothing sets it, or what sets it is empty."""
    found = keycloak.options.get(key)
    return empty(found) if found is not None else keycloak.options.missing(key)


def given(keycloak: Keycloak, key: str) -> Setting | None:
    """The setting of an option that has a value, known or not."""
    found = keycloak.options.get(key)
    return None if found is None or empty(found) else found


def hostname_v1(keycloak: Keycloak) -> bool | None:
    """Whether host names follow the first model: before 25, and on 25 with the feature hostname:v1; None where
    that can't be told."""
    if keycloak.at_least(25) is not True:
        return None if keycloak.at_least(25) is None else True
    if keycloak.at_least(26):
        return False
    features = keycloak.options.get("features")
    if features is None:
        return False if keycloak.options.missing("features") else None
    return "hostname:v1" in features.value.split(",") if features.value is not None else None


def is_url(text: str) -> bool:
    """Whether Keycloak takes a text for a full URL."""
    return text.startswith(("http://", "https://"))


def application_balancers(keycloak: Keycloak) -> tuple[LoadBalancer, ...]:
    """The Application Load Balancers that send requests to it."""
    return tuple(one for one in keycloak.load_balancers if one.application)


def on_fargate(keycloak: Keycloak) -> bool:
    """Whether it surely runs on Fargate."""
    if keycloak.services:
        return any(one.fargate is True for one in keycloak.services)
    return [one.text for one in keycloak.task_properties["RequiresCompatibilities"]] == ["FARGATE"]


# --- options of the catalogs ---


def option_of(known: Catalog, setting: Setting) -> Option | None:
    """A version's option that a setting sets."""
    return known.option(setting.name.removeprefix("--")) if setting.key else None


def in_catalogs(keycloak: Keycloak, setting: Setting) -> list[tuple[Catalog, Option]]:
    """The option that a setting sets, in the container's version; where that isn't known, in each that has it,
    the newest first."""
    known = [keycloak.catalog] if keycloak.catalog else []
    if keycloak.version is None:
        versions = [one for one in catalogs.known_versions() if keycloak.major in (None, parse(one).major)]
        known = [catalogs.load_known(version) for version in reversed(versions)]
    return [(one, option) for one in known if (option := option_of(one, setting)) is not None]


def is_build_option(keycloak: Keycloak, setting: Setting) -> bool:
    """Whether a setting is fixed when the image is built; where the version isn't known, in all of them."""
    found = in_catalogs(keycloak, setting)
    return bool(found) and all(option.build for _, option in found)


def problem(keycloak: Keycloak, setting: Setting) -> tuple[Catalog, Option, str] | None:
    """What is wrong with the value of a setting: catalog, option, words; where the version isn't known, only what
    is wrong in all of them."""
    if setting.value is None or setting.secret or empty(setting):
        return None
    first = None
    for known, option in in_catalogs(keycloak, setting):
        said = known.check_value(option, setting.value)
        if said is None:
            return None
        first = first or (known, option, said)
    return first


def in_the_image(keycloak: Keycloak, setting: Setting) -> bool:
    """Whether a variable is for what an optimized image has fixed already."""
    return keycloak.optimized and not setting.argument and is_build_option(keycloak, setting)


def met(keycloak: Keycloak, option: Option) -> bool | None:
    """Whether the condition of an option is met; None where that can't be told."""
    if not option.when:
        return True
    answers = [_CONDITIONS[part](keycloak) if part in _CONDITIONS else None for part in _parts(option.when)]
    return False if False in answers else None if None in answers else True


def _parts(when: str) -> list[str]:
    text = when.removeprefix(WHEN)
    return list(_JOINED.get(text, (text,)))


def _handler(name: str) -> Callable[[Keycloak], bool | None]:
    def answer(keycloak: Keycloak) -> bool | None:
        value = keycloak.options.effective("log")
        return name in value.split(",") if isinstance(value, str) and value.strip() else None

    return answer


def _on(key: str) -> Callable[[Keycloak], bool | None]:
    return lambda keycloak: keycloak.options.flag(key) if _exists(keycloak, key) else None


def _says(key: str, value: str) -> Callable[[Keycloak], bool | None]:
    def answer(keycloak: Keycloak) -> bool | None:
        found = keycloak.options.effective(key) if _exists(keycloak, key) else None
        return found == value if isinstance(found, str) else None

    return answer


def _exists(keycloak: Keycloak, key: str) -> bool:
    return keycloak.catalog is not None and keycloak.catalog.option(key) is not None


def _v2(keycloak: Keycloak) -> bool | None:
    # On 25 some of them are options of the first model, too, so its feature doesn't take them away.
    return True if hostname_v1(keycloak) is False else None


def _clustered(keycloak: Keycloak) -> bool | None:
    return keycloak.clustered


def _remote(keycloak: Keycloak) -> bool | None:
    return (
        True
        if given(keycloak, "cache-remote-host")
        else False if absent(keycloak, "cache-remote-host") else None
    )


# Keycloak's words for a condition -> the answer. Those that aren't here can't be told from a template.
_CONDITIONS: dict[str, Callable[[Keycloak], bool | None]] = {
    "Console log handler is activated": _handler("console"),
    "File log handler is activated": _handler("file"),
    "Syslog is activated": _handler("syslog"),
    "GELF is activated": _handler("gelf"),
    "Tracing is enabled": _on("tracing-enabled"),
    "metrics are enabled": _on("metrics-enabled"),
    "health is enabled": _on("health-enabled"),
    "MDC logging is enabled": _on("log-mdc-enabled"),
    "HTTP Access log is enabled": _on("http-access-log-enabled"),
    "user event metrics are enabled": _on("event-metrics-user-enabled"),
    "property 'cache-embedded-mtls-enabled' is enabled": _on("cache-embedded-mtls-enabled"),
    "http-management-scheme is inherited": _says("http-management-scheme", "inherited"),
    "embedded Infinispan clusters configured": _clustered,
    "Infinispan clustered embedded is enabled": _clustered,
    "'cache' type is set to 'ispn'": _clustered,
    "a TCP based cache-stack is used": lambda keycloak: False if keycloak.clustered is False else None,
    "remote host is set": _remote,
    "hostname:v2 feature is enabled": _v2,
    "hostname:v1 feature is enabled": hostname_v1,
    "console says json": _says("log-console-output", "json"),
    "file says json": _says("log-file-output", "json"),
    "syslog says json": _says("log-syslog-output", "json"),
    "console waits": _on("log-console-async"),
    "file waits": _on("log-file-async"),
    "syslog waits": _on("log-syslog-async"),
}
_JOINED = {
    f"{handler} is activated and {what}": (f"{handler} is activated", f"{short} {part}")
    for handler, short in (
        ("Console log handler", "console"),
        ("File log handler", "file"),
        ("Syslog", "syslog"),
    )
    for what, part in (("output is set to 'json'", "says json"), ("asynchronous logging is enabled", "waits"))
} | {
    "Console log handler and Tracing is activated": (
        "Console log handler is activated",
        "Tracing is enabled",
    ),
    "File log handler and Tracing is activated": ("File log handler is activated", "Tracing is enabled"),
    "Syslog handler and Tracing is activated": ("Syslog is activated", "Tracing is enabled"),
    "Console log handler and MDC logging are activated": (
        "Console log handler is activated",
        "MDC logging is enabled",
    ),
    "File log handler and MDC logging are activated": (
        "File log handler is activated",
        "MDC logging is enabled",
    ),
    "Syslog handler and MDC logging are activated": ("Syslog is activated", "MDC logging is enabled"),
}
