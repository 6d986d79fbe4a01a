"""What Keycloak is told: the section `keycloak` of params."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from generator.adopting.draft import fits
from generator.adopting.masking import MASK
from generator.adopting.scene import Scene
from generator.keycloak import catalog as catalogs
from generator.keycloak import facts, sizing
from generator.keycloak.environment import OWNED, OWNED_JVM_OPTIONS
from generator.linting.view import Setting
from generator.params.secrets import secret_in
from generator.resolving import Place

_SECRET_ARN = re.compile(r"(arn:aws[a-z-]*:secretsmanager:[^:]*:[^:]*:secret:[^:]+)(?::([^:]*)::)?")
_ROUTES = tuple(
    facts.spi_variable(version, "sticky-session-encoder", "infinispan", "should-attach-route")
    for version in ("26.0.0", "26.3.0")
)
_HEAP = ("-XX:MaxRAMPercentage=", "-XX:InitialRAMPercentage=", "-Xmx", "-Xms")
_ADMIN = ("KC_BOOTSTRAP_ADMIN_USERNAME", "KEYCLOAK_ADMIN")
_ADMIN_PASSWORD = ("KC_BOOTSTRAP_ADMIN_PASSWORD", "KEYCLOAK_ADMIN_PASSWORD")
_DATABASE = ("KC_DB_USERNAME", "KC_DB_PASSWORD")
_TAG = "W9076"
"""The rule about tags that move."""


def server(scene: Scene) -> None:
    """Everything in the section `keycloak`."""
    _version(scene)
    _addresses(scene)
    _image(scene)
    _cluster(scene)
    _log(scene)
    _options(scene)
    _java(scene)


def _version(scene: Scene) -> None:
    keycloak, oldest = scene.keycloak, catalogs.versions()[0]
    if keycloak.version is None:
        scene.draft.ask(
            "keycloak.version",
            f"the Keycloak version that runs; the image at {scene.at(keycloak.image.place)}"
            " doesn't tell (or run adopt with --keycloak-version)",
        )
    elif scene.target is None or str(scene.target.version) != str(keycloak.version):
        scene.correct(
            "keycloak.version",
            scene.catalog.version if scene.target else oldest,
            f"was {keycloak.version} at {scene.at(keycloak.image.place)}; nothing before {oldest} is"
            " rendered",
        )
    else:
        scene.draft.set("keycloak.version", str(keycloak.version))


def _setting(scene: Scene, *names: str) -> Setting | None:
    """The setting of the first option or variable that is there."""
    for name in names:
        key = name.removeprefix("KC_").lower().replace("_", "-")
        found = (
            scene.keycloak.options.get(key) if name.startswith("KC_") else None
        ) or scene.keycloak.options.variable(name)
        if found is not None:
            return found
    return None


def _addresses(scene: Scene) -> None:
    public = _setting(scene, "KC_HOSTNAME_URL", "KC_HOSTNAME")
    _address(
        scene,
        "keycloak.hostname",
        public,
        "https://HOST, the public address, which tokens carry as their issuer",
    )
    relative = _setting(scene, "KC_HTTP_RELATIVE_PATH")
    if relative is not None and relative.value:
        path = "/" + relative.value.strip("/")
        scene.carry("keycloak.http_relative_path", path, relative.place, faults=False)
    elif public is not None and public.value and (path := _path_of(public.value)):
        # An optimized image has the option built in, so that the address alone shows it.
        scene.carry("keycloak.http_relative_path", path, public.place, faults=False)
    admin = _setting(scene, "KC_HOSTNAME_ADMIN_URL", "KC_HOSTNAME_ADMIN", "KC_ADMIN_HOSTNAME")
    if admin is not None:
        _address(scene, "keycloak.admin.hostname", admin, "https://HOST, the address of the admin console")
        scene.facts["admin"] = True
    name = _setting(scene, *_ADMIN)
    if name is not None and name.value and name.value != MASK:
        scene.carry("keycloak.admin.username", name.value, name.place, faults=False)


def _path_of(address: str) -> str:
    """The path of an address; empty where it has none."""
    try:
        return urlsplit(address).path.rstrip("/") if "://" in address else ""
    except ValueError:
        return ""


def _address(scene: Scene, key: str, found: Setting | None, what: str) -> None:
    if found is None or not found.value:
        scene.draft.ask(key, what)
        return
    try:
        parts = urlsplit(found.value if "://" in found.value else f"//{found.value}")
        address, path = f"https://{(parts.hostname or '').rstrip('.')}", parts.path.rstrip("/")
    except ValueError:
        address, path = "", ""
    faults = scene.faults(found.place) + scene.faults(found.name_place)
    if not fits(key, address):
        scene.draft.ask(key, f"{what}; {found.name} at {scene.at(found.place)} is {found.value}")
        return
    if address + path == found.value.rstrip("/") and not faults:
        scene.draft.set(key, address)
        return
    reason = scene.reason(faults) or "an address is https:// and a host"
    scene.correct(key, address, f"was {found.name}: {found.value} at {scene.at(found.place)}; {reason}")


def _image(scene: Scene) -> None:
    image = scene.keycloak.image
    # Other faults of an image are its version's, which stays.
    faults = [one for one in scene.faults(image.place) if one.rule == _TAG]
    if image.stock and image.repository == "quay.io/keycloak/keycloak":
        if faults:
            scene.correct(
                "keycloak.image.repository",
                image.repository,
                f"the tag is keycloak.version; {scene.reason(faults)}",
            )
        return
    where = scene.at(image.place)
    written = image.place.text or image.repository
    repository = image.repository
    if not image.known and not repository:
        scene.draft.set(
            "keycloak.image.repository",
            "SET-THIS",
            f"set this: the image at {where} isn't known from "
            "the files; an official image: take the line out",
        )
        return
    if scene.keycloak.optimized:
        scene.draft.set("keycloak.image.kind", "optimized")
    if fits("keycloak.image.repository", repository):
        scene.draft.set("keycloak.image.repository", repository)
    else:
        # A default would be another image than theirs, so the line stays wrong until somebody mends it.
        scene.draft.set(
            "keycloak.image.repository",
            repository,
            f"set this: the repository as it is; {written} at {where} names none",
        )
    if image.digest and "@" in written and fits("keycloak.image.digest", written.partition("@")[2]):
        scene.draft.set("keycloak.image.digest", written.partition("@")[2])
    if scene.keycloak.optimized:
        if image.tag and image.tag != scene.draft.value("keycloak.version"):
            scene.leave(
                f"the tag {image.tag} at {where}",
                "an optimized image is built anew from rendered/ENV/image, "
                "so that its build options are those of the params; list its providers and themes in "
                "keycloak.image",
            )
    elif not image.tag or image.tag == "latest":
        if faults:
            scene.correct(
                "keycloak.image.tag",
                scene.draft.value("keycloak.version") or "SET-THIS",
                f"was {image.tag or 'not written'} at {where}; {scene.reason(faults)}",
            )
    elif image.tag != scene.draft.value("keycloak.version"):
        scene.carry("keycloak.image.tag", image.tag, image.place, faults=False)


def _cluster(scene: Scene) -> None:
    keycloak = scene.keycloak
    stack = keycloak.options.get("cache-stack")
    place = stack.place if stack else keycloak.environment_place
    if (
        stack is not None
        and stack.value in ("jdbc-ping", "jdbc-ping-udp")
        or stack is None
        and not keycloak.dns_query
        and keycloak.stack == "jdbc-ping"
        and not keycloak.options.get("cache-config-file")
    ):
        if scene.target is None or facts.jdbc_ping_available(scene.target.version):
            scene.draft.set("keycloak.discovery", "database")
    elif stack is not None and stack.value != "kubernetes":
        scene.correct(
            "keycloak.discovery",
            "dns",
            f"was {stack.name}: {stack.value} at {scene.at(place)}; "
            + (scene.reason(scene.faults(place)) or "nodes look each other up in Cloud Map"),
        )
    own = keycloak.options.get("cache-config-file")
    if own is not None and own.value != "cache-cloudmap.xml":
        scene.leave(
            f"{own.name}: {own.value} at {scene.at(own.place)}",
            "the cluster's stack is rendered; caches of your own belong in KC_CACHE_EMBEDDED_… options",
        )
    encrypted = keycloak.options.get("cache-embedded-mtls-enabled")
    version = scene.catalog.version
    if encrypted is not None and encrypted.flag is not None:
        wanted = facts.cluster_encrypted_by_default(version)
        keys = keycloak.options.get("cache-embedded-mtls-key-store-file")
        if encrypted.flag and not wanted and keys:
            scene.draft.set("keycloak.cluster_encryption", True)
        elif encrypted.flag is not wanted and wanted:
            scene.correct(
                "keycloak.cluster_encryption",
                True,
                f"was false at {scene.at(encrypted.place)}; "
                + (scene.reason(scene.faults(encrypted.place)) or "sessions would pass in the clear"),
            )


def _log(scene: Scene) -> None:
    level, output = _setting(scene, "KC_LOG_LEVEL"), _setting(scene, "KC_LOG_CONSOLE_OUTPUT")
    if level is not None:
        scene.carry("keycloak.log.level", level.value, level.place)
    if output is not None and output.value == "default":
        scene.draft.set("keycloak.log.format", "plain")
    group = scene.keycloak.container["LogConfiguration"]["Options"]["awslogs-group"].resource(
        "AWS::Logs::LogGroup"
    )
    if group is not None:
        days = scene.view.resolver.properties(group)["RetentionInDays"]
        scene.carry("keycloak.log.retention_days", days.integer, days)


def _options(scene: Scene) -> None:
    for one in scene.keycloak.options.settings:
        if one.argument and not one.key:
            continue
        name = one.name if not one.argument else "KC_" + one.key.upper().replace("-", "_")
        if name in ("KC_FEATURES", "KC_FEATURES_DISABLED"):
            _features(scene, one, "enabled" if name == "KC_FEATURES" else "disabled")
        elif name in (*_ADMIN_PASSWORD, *_DATABASE, *_ADMIN) or name in _ROUTES or name.startswith("JAVA_"):
            continue
        elif name in OWNED or name == "KC_ADMIN_HOSTNAME":
            continue
        elif not name.startswith(("KC_", "KCRAW_")):
            _foreign(scene, one)
        elif name == "KC_TRANSACTION_XA_ENABLED" and one.flag is False and not scene.catalog.at_least(25):
            continue  # rendered anyway for versions whose default is true
        elif one.secret:
            _secret(scene, one, name)
        else:
            _option(scene, one, name)
    files = scene.keycloak.container["EnvironmentFiles"]
    for one in files:
        scene.leave(f"an environment file at {scene.at(one)}", "what it sets belongs in keycloak.options")


def _foreign(scene: Scene, one: Setting) -> None:
    """A variable that is no option of Keycloak's: providers may read it, params have no place for it."""
    scene.leave(
        f"the variable {one.name} at {scene.at(one.place)}",
        "params take Keycloak's options only; what a "
        "provider reads can be an option of its own, KC_SPI_…, or built into the image",
    )


def _features(scene: Scene, one: Setting, which: str) -> None:
    names = [name.strip() for name in (one.value or "").split(",") if name.strip()]
    good = [
        name
        for name in names
        if name == "preview"
        or scene.catalog.feature(name) is not None
        and not (which == "disabled" and ":" in name)
        and name != "hostname:v1"
    ]
    if good:
        scene.draft.set(f"keycloak.features.{which}", good)
    for name in names:
        if name not in good:
            scene.leave(
                f"the feature {name} at {scene.at(one.place)}",
                f"Keycloak {scene.catalog.version} has none to be {which}",
            )


def _secret(scene: Scene, one: Setting, name: str) -> None:
    address = one.place.text
    if address and address.startswith("/") or address and ":" not in address:
        account, region = scene.facts.get("account"), scene.facts.get("region")
        if account and region:
            address = f"arn:aws:ssm:{region}:{account}:parameter/{address.lstrip('/')}"
    known = scene.catalog.is_spi(name) or scene.catalog.option(name) is not None
    key = f"keycloak.secret_options.{name}"
    if known and address and fits("keycloak.secret_options", {name: address}):
        scene.draft.set(key, address)
    else:
        scene.leave(
            f"the secret {name} at {scene.at(one.place)}",
            (
                "write its ARN below keycloak.secret_options"
                if known
                else f"Keycloak {scene.catalog.version} has no such option"
            ),
        )


def _option(scene: Scene, one: Setting, name: str) -> None:
    catalog, where = scene.catalog, scene.at(one.place)
    if one.value is not None and MASK in one.value or secret_in(name, one.value or "", catalogs.masked):
        scene.leave(
            f"the secret in {name} at {where}",
            f"keep it in Secrets Manager and write `{name}: ARN` below keycloak.secret_options",
        )
        return
    option = catalog.option(name)
    if one.value is None or not fits("keycloak.options", {name: one.value}):
        scene.leave(f"{name} at {where}", "its value isn't known from the files")
    elif option is None and not catalog.is_spi(name):
        heir = catalog.nearest(name)
        scene.leave(
            f"{name} at {where}",
            f"Keycloak {catalog.version} has no such option" + (f"; did you mean {heir}?" if heir else ""),
        )
    elif option is not None and catalog.check_value(option, one.value):
        scene.leave(f"{name} at {where}", catalog.check_value(option, one.value) or "")
    elif scene.faults(one.place) and not (option and option.deprecated):
        scene.leave(f"{name} at {where}", scene.reason(scene.faults(one.place)))
    else:
        scene.draft.set(f"keycloak.options.{name}", one.value)


def _java(scene: Scene) -> None:
    kept: list[str] = []
    notes: list[str] = []
    for holder in scene.keycloak.options.java_options:
        text = holder.value if holder.value is not None else ""
        if holder.value is None:
            scene.leave(f"{holder.name} at {scene.at(holder.place)}", "its value isn't known from the files")
        if holder.name == "JAVA_OPTS":
            notes.append(
                f"was JAVA_OPTS at {scene.at(holder.place)}; {scene.reason(scene.faults(holder.place))}"
            )
        for item in text.split():
            if item.startswith(_HEAP):
                _heap(scene, item, holder.place)
            elif item.startswith(tuple(OWNED_JVM_OPTIONS)) or item.startswith(
                ("-Djboss.node.name=", "-Djboss.site.name=")
            ):
                continue
            elif MASK in item or not fits("keycloak.jvm_options", [item]):
                scene.leave(
                    f"a JVM option in {holder.name} at {scene.at(holder.place)}",
                    "params take none of this form, and no secret",
                )
            elif item not in kept:
                kept.append(item)
    if kept:
        scene.draft.set("keycloak.jvm_options", kept, "; ".join(notes), corrected=bool(notes))


def _heap(scene: Scene, item: str, place: Place) -> None:
    memory = scene.keycloak.memory
    percent = None
    if item.startswith("-XX:MaxRAMPercentage="):
        number = re.match(r"\d+", item.partition("=")[2])
        percent = int(number[0]) if number else None
    elif match := re.fullmatch(r"-Xmx(\d+)([kKmMgG]?)", item):
        size = int(match[1]) * {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}[match[2].lower()] // 1024**2
        percent = -(-size * 100 // memory) if memory else None
    if percent is None:
        return
    faults = [one for one in scene.faults(place) if one.rule[1:] in ("9065", "9160")]
    # What containers beside it had is Keycloak's then, so that a heap may have room that had none.
    room = memory is None or memory * percent // 100 + sizing.NON_HEAP_MIB <= memory
    if not room or not 20 <= percent <= 90:
        why = scene.reason(faults) or ("70 is usual" if room else "the rest of the process needs more")
        scene.correct("keycloak.heap_percent", 70, f"was {item} at {scene.at(place)}; {why}")
    elif item.startswith("-Xmx"):
        scene.correct(
            "keycloak.heap_percent",
            percent,
            f"was {item} at {scene.at(place)}: the same as a share of the task's memory",
        )
    elif percent != 70:
        scene.draft.set("keycloak.heap_percent", percent)


def secret_arn(place: Place) -> tuple[str, str]:
    """(ARN of a secret, the JSON key) that a ValueFrom names; empty texts where it names none."""
    match = _SECRET_ARN.fullmatch(place.text or "")
    return (match[1], match[2] or "") if match else ("", "")
