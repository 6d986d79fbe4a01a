"""Where Keycloak keeps its data: the section `database` of params."""

from __future__ import annotations

from generator.adopting.draft import fits
from generator.adopting.around import or_ask
from generator.adopting.scene import Scene
from generator.adopting.server import secret_arn
from generator.keycloak import sizing
from generator.linting.view import Database
from generator.resolving import Reference


_ENCRYPTION = ("ssl", "sslmode", "sslrootcert", "sslfactory")
"""Parameters of a PostgreSQL URL that say what rendering says its own way."""


def database(scene: Scene) -> None:
    """Everything in the section `database`."""
    keycloak = scene.keycloak
    jdbc, found = keycloak.jdbc, keycloak.database
    name = jdbc.database if isinstance(jdbc.database, str) else None
    if name is None and found is not None:
        name = found.properties["DBName"].text
    place = jdbc.database_setting or jdbc.url
    if name and place is not None:
        scene.carry("database.name", name, place.place, faults=False)
    pool = keycloak.options.get("db-pool-max-size")
    if pool is not None and pool.value and pool.value.isdigit():
        scene.carry("database.pool_size", int(pool.value), pool.place)
    _parameters(scene)
    if jdbc.vendor not in (None, "postgres"):
        scene.leave(
            f"a database of the kind {jdbc.vendor}", "only PostgreSQL is rendered: its data has to be moved"
        )
    if (
        found is not None
        and found.resource.type == "AWS::RDS::DBInstance"
        and found.postgresql
        and not found.aurora
    ):
        _created(scene, found)
    else:
        _existing(scene, found)


def _parameters(scene: Scene) -> None:
    """What stands behind `?` in the URL; rendering writes how the connection is encrypted, and nothing else."""
    jdbc, options = scene.keycloak.jdbc, scene.keycloak.options
    place = jdbc.parameters_setting
    if place is None:
        return
    for name, value in jdbc.parameters.items():
        if name == "currentSchema" and not options.get("db-schema"):
            key = "keycloak.options.KC_DB_SCHEMA"
            if fits("keycloak.options", {"KC_DB_SCHEMA": value}) and "," not in value:
                scene.correct(key, value, f"was currentSchema in {place.name} at {scene.at(place.place)}")
                continue
        if name in ("user", "password"):
            scene.leave(f"{name} in {place.name} at {scene.at(place.place)}", "it comes from the database's secret")
        elif name not in _ENCRYPTION:
            scene.leave(
                f"{name} in {place.name} at {scene.at(place.place)}",
                "a URL's parameters are rendered for encryption alone; write the whole of them as "
                "keycloak.options.KC_DB_URL_PROPERTIES to have others",
            )
    if not jdbc.parameters_known:
        scene.leave(f"parameters of {place.name} at {scene.at(place.place)}", "they aren't known from the files")


def _created(scene: Scene, found: Database) -> None:
    base = "database.create"
    properties = found.properties
    or_ask(scene, f"{base}.engine_version", found.engine_version, 'its PostgreSQL version, such as "17.10"')
    for key, name in (
        ("instance_class", "DBInstanceClass"),
        ("backup_window", "PreferredBackupWindow"),
        ("maintenance_window", "PreferredMaintenanceWindow"),
        ("kms_key", "KmsKeyId"),
        ("snapshot", "DBSnapshotIdentifier"),
    ):
        scene.carry(f"{base}.{key}", properties[name].text, properties[name])
    for key, name in (
        ("storage_gb", "AllocatedStorage"),
        ("max_storage_gb", "MaxAllocatedStorage"),
        ("backup_days", "BackupRetentionPeriod"),
    ):
        scene.carry(f"{base}.{key}", properties[name].integer, properties[name])
    for key, name in (
        ("multi_az", "MultiAZ"),
        ("minor_upgrades", "AutoMinorVersionUpgrade"),
        ("major_upgrade", "AllowMajorVersionUpgrade"),
        ("deletion_protection", "DeletionProtection"),
        ("performance_insights", "EnablePerformanceInsights"),
    ):
        # What a small environment does without is a choice, and no fault that moving would mend.
        scene.carry(f"{base}.{key}", properties[name].flag, properties[name], faults=False)
    if properties["EnableCloudwatchLogsExports"]:
        scene.draft.set(f"{base}.log_exports", True)
    if scene.draft.has("network.existing"):
        group = found.subnet_group
        subnets = scene.view.resolver.properties(group)["SubnetIds"] if group is not None else ()
        or_ask(
            scene,
            "network.existing.database_subnets",
            [one.text for one in subnets],
            "the database's subnets, one per zone",
        )
    user = properties["MasterUsername"]
    if user.text:
        scene.carry("database.username", user.text, user, faults=False)


def _existing(scene: Scene, found: Database | None) -> None:
    base = "database.existing"
    jdbc, options = scene.keycloak.jdbc, scene.keycloak.options
    told = scene.facts.get("database") or {}
    host = jdbc.host if isinstance(jdbc.host, str) else told.get("host")
    if found is not None or isinstance(jdbc.host, Reference):
        scene.leave(
            f"the database {found.name if found else jdbc.host}",
            "an Aurora cluster, a proxy or another engine "
            "is used as database.existing: keep it in a stack of its own",
        )
    or_ask(scene, f"{base}.host", host, "the database's address")
    port = jdbc.port if isinstance(jdbc.port, str) else None
    ignored = options.get("db-url-port") if options.get("db-url") else None
    if port and port.isdigit() and port != "5432" and jdbc.port_setting is not None:
        scene.carry(f"{base}.port", int(port), jdbc.port_setting.place, faults=False)
    elif ignored is not None and (faults := scene.faults(ignored.place) + scene.faults(ignored.name_place)):
        scene.correct(
            f"{base}.port",
            int(port or 5432),
            f"was {ignored.name} at {scene.at(ignored.place)}, without effect; {scene.reason(faults)}",
        )
    _secret(scene, base, told)
    or_ask(
        scene,
        f"{base}.security_group",
        told.get("security_group") or _reached(scene, int(port or 5432)),
        "the database's security group",
    )
    version = told.get("engine_version") or (
        found.engine_version if found is not None and found.postgresql else None
    )
    or_ask(scene, f"{base}.engine_version", version, 'its PostgreSQL version, such as "16"')
    most = sizing.max_connections(told["instance_class"]) if told.get("instance_class") else None
    or_ask(scene, f"{base}.max_connections", most, "what `show max_connections` says there")
    tls = options.get("db-url-properties") or options.get("db-url")
    plain = (
        [one for place in (tls.place,) for one in scene.faults(place) if one.rule[1:] == "9087"]
        if tls
        else []
    )
    if plain:
        scene.leave(
            f"the unencrypted connection to the database at {scene.at(tls.place)}",
            f"the new one is encrypted ({scene.reason(plain)})",
        )


def _reached(scene: Scene, port: int) -> str | None:
    """The security group elsewhere that the tasks may connect to at the database's port."""
    groups = scene.service.party.groups if scene.service is not None else None
    peers = {
        one.peer_group
        for group in groups or ()
        for one in scene.view.firewall.of(group, "egress")
        if one.peer_group and one.ports == (port, port)
    }
    return peers.pop().removeprefix("=") if len(peers) == 1 else None


def _secret(scene: Scene, base: str, told: dict) -> None:
    key = f"{base}.secret"
    what = "the ARN of a secret with the keys `username` and `password`"
    setting = scene.keycloak.options.get("db-password")
    if setting is None:
        or_ask(scene, key, told.get("secret"), what)
        return
    arn, json_key = secret_arn(setting.place)
    if setting.secret and arn and json_key == "password" and fits(key, arn):
        scene.draft.set(key, arn, _user(scene, arn))
        _key_of(scene, base)
    elif setting.secret or setting.value is None:
        scene.draft.ask(key, f"{what}; {setting.name} at {scene.at(setting.place)} reads another one")
    else:
        scene.draft.ask(
            key,
            f"{what}; {setting.name} stands in plain text at {scene.at(setting.place)}: change the "
            f"password, it is known by now; {scene.reason(scene.faults(setting.place)) or 'no secret'}",
        )


def _user(scene: Scene, arn: str) -> str:
    """What has to be done so that the secret holds the database's user too; empty where it does."""
    user = scene.keycloak.options.get("db-username")
    if user is None or user.secret and secret_arn(user.place) == (arn, "username"):
        return ""
    where = f"{user.name} at {scene.at(user.place)}"
    scene.leave(where, "tasks read the database's user from the secret's key `username`: write it in there before")
    return f"needs the key `username` too, for {where}"


def _key_of(scene: Scene, base: str) -> None:
    """The key of the account that the execution role may decrypt with."""
    role = scene.keycloak.execution_role
    named = [
        one.text
        for statement in (role.statements if role is not None else ())
        if statement.actions == ("kms:decrypt",)
        for one in statement.resources
    ]
    if len(named) == 1 and named[0] and fits(f"{base}.secret_kms_key", named[0]):
        scene.draft.set(f"{base}.secret_kms_key", named[0])
