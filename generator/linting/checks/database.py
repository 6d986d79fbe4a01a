"""RDS instances and clusters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from generator.document import Path
from generator.linting.checks.base import flag, integer, is_given, strings, text
from generator.linting.rule import Hit, Rule
from generator.linting.view import View

_INSTANCE = "AWS::RDS::DBInstance"
_CLUSTER = "AWS::RDS::DBCluster"
_API = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60


class DatabaseZone(Rule):
    """A Multi-AZ instance is in two zones, and AWS chooses them."""

    id = "E9581"
    shortdesc = "A Multi-AZ database instance has no AvailabilityZone"
    source_url = _API

    def hits(self, view: View) -> Iterator[Hit]:
        for instance in view.document.of_type(_INSTANCE):
            if flag(instance.properties.get("MultiAZ")) and is_given(
                instance.properties.get("AvailabilityZone")
            ):
                path = (*instance.path, "Properties", "AvailabilityZone")
                yield Hit(path, "not possible together with MultiAZ", "leave AvailabilityZone out")


class DatabasePassword(Rule):
    """The master password is given or managed, never both; a new database needs one of the two, unless its master
    user logs in by IAM (MasterUserAuthenticationType).
    """

    id = "E9582"
    shortdesc = "A database has a master password, from one place"
    source_url = _API

    # What an instance or a cluster that isn't new takes its users from.
    sources = (
        "DBClusterIdentifier",
        "DBClusterSnapshotIdentifier",
        "DBSnapshotIdentifier",
        "ReplicationSourceIdentifier",
        "RestoreTime",
        "SnapshotIdentifier",
        "SourceDBClusterIdentifier",
        "SourceDBInstanceAutomatedBackupsArn",
        "SourceDBInstanceIdentifier",
        "SourceDbiResourceId",
        "UseLatestRestorableTime",
        "GlobalClusterIdentifier",
    )

    def hits(self, view: View) -> Iterator[Hit]:
        for database in view.document.of_type(_INSTANCE, _CLUSTER):
            properties = database.properties
            path = (*database.path, "Properties")
            managed = flag(properties.get("ManageMasterUserPassword", False))
            if managed and is_given(properties.get("MasterUserPassword")):
                fix = "leave MasterUserPassword out"
                yield Hit(
                    (*path, "MasterUserPassword"), "not possible together with ManageMasterUserPassword", fix
                )
            if managed is False and is_given(properties.get("MasterUserSecret")):
                fix = "write ManageMasterUserPassword: true"
                yield Hit((*path, "MasterUserSecret"), "has no use without ManageMasterUserPassword", fix)
            if (
                managed is False
                and "MasterUserPassword" not in properties
                and properties.get("MasterUserAuthenticationType", "password") == "password"
                and not set(self.sources) & properties.keys()
            ):
                yield Hit(path, "no master password", "write ManageMasterUserPassword: true")


class DatabaseWindows(Rule):
    """Backup and maintenance have at least half an hour each, in UTC, and stay out of each other's way.

    RDS answers "The backup window and maintenance window must not overlap.".
    """

    id = "E9583"
    shortdesc = "A database's backup and maintenance windows are well formed and apart"
    source_url = _API

    def hits(self, view: View) -> Iterator[Hit]:
        for database in view.document.of_type(_INSTANCE, _CLUSTER):
            path = (*database.path, "Properties")
            spans = {}
            for key, read, form in (
                ("PreferredBackupWindow", _daily, "hh:mm-hh:mm"),
                ("PreferredMaintenanceWindow", _weekly, "ddd:hh:mm-ddd:hh:mm"),
            ):
                said = text(database.properties.get(key))
                if said is None:
                    continue
                spans[key] = read(said)
                if spans[key] is None:
                    yield Hit((*path, key), f"{said!r} is not of the form {form}")
                elif (spans[key][1] - spans[key][0]) < 30:
                    yield Hit((*path, key), f"{said!r} is shorter than 30 minutes")
            backup, upkeep = spans.get("PreferredBackupWindow"), spans.get("PreferredMaintenanceWindow")
            if backup and upkeep and _overlap(backup, upkeep):
                yield Hit((*path, "PreferredBackupWindow"), "overlaps PreferredMaintenanceWindow")


def _daily(said: str) -> tuple[int, int] | None:
    """(start, end) in minutes of a day; the end is beyond the day's where the window runs over midnight."""
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", said)
    if not match:
        return None
    start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    return start, end if end > start else end + _DAY


def _weekly(said: str) -> tuple[int, int] | None:
    """(start, end) in minutes of a week that starts on Monday."""
    moment = r"(mon|tue|wed|thu|fri|sat|sun):([01]\d|2[0-3]):([0-5]\d)"
    match = re.fullmatch(f"{moment}-{moment}", said.lower())
    if not match:
        return None
    start = _DAYS.index(match[1]) * _DAY + int(match[2]) * 60 + int(match[3])
    end = _DAYS.index(match[4]) * _DAY + int(match[5]) * 60 + int(match[6])
    return start, end if end > start else end + 7 * _DAY


def _overlap(daily: tuple[int, int], weekly: tuple[int, int]) -> bool:
    """Whether a window of every day meets one of the week; the week's may run into the next."""
    days = range(-1, 15)
    return any(daily[0] + day * _DAY < weekly[1] and weekly[0] < daily[1] + day * _DAY for day in days)


class DatabaseMonitoring(Rule):
    """Enhanced Monitoring is an interval and a role: neither works alone."""

    id = "E9584"
    shortdesc = "Enhanced monitoring has an interval AWS takes and a role"
    source_url = _API

    def hits(self, view: View) -> Iterator[Hit]:
        for instance in view.document.of_type(_INSTANCE):
            interval = integer(instance.properties.get("MonitoringInterval", 0))
            path = (*instance.path, "Properties")
            role = "MonitoringRoleArn" in instance.properties
            if interval is None:
                continue
            if interval not in (0, 1, 5, 10, 15, 30, 60):
                yield Hit(
                    (*path, "MonitoringInterval"), f"{interval}: RDS takes 0, 1, 5, 10, 15, 30 or 60 seconds"
                )
            elif interval and not role:
                yield Hit((*path, "MonitoringInterval"), "monitoring without MonitoringRoleArn")
            elif not interval and is_given(instance.properties.get("MonitoringRoleArn")):
                yield Hit((*path, "MonitoringRoleArn"), "has no use with a MonitoringInterval of 0")


class DatabaseStorage(Rule):
    """Storage has a smallest size for each type, and grows to more than it starts with.

    RDS answers "Max storage size must be greater than storage size", and below 400 GiB of gp3 "You can't
    specify IOPS or storage throughput for engine postgres and a storage size less than 400".
    """

    id = "E9585"
    shortdesc = "A PostgreSQL instance's storage is of a size and kind there is"
    source_url = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html"

    smallest = {"gp2": 20, "gp3": 20, "io1": 100, "io2": 100, "standard": 5}

    def hits(self, view: View) -> Iterator[Hit]:
        for instance in view.document.of_type(_INSTANCE):
            properties = instance.properties
            size, most = (
                integer(properties.get("AllocatedStorage")),
                integer(properties.get("MaxAllocatedStorage")),
            )
            path = (*instance.path, "Properties")
            kind = properties.get("StorageType")
            if size is None:
                continue
            if most is not None and most <= size:
                message = f"MaxAllocatedStorage {most} is not above AllocatedStorage {size}"
                yield Hit((*path, "MaxAllocatedStorage"), message)
            if properties.get("Engine") != "postgres" or not isinstance(kind, str):
                continue
            if size < self.smallest.get(kind, 0):
                yield Hit((*path, "AllocatedStorage"), f"{size} GiB: {kind} starts at {self.smallest[kind]}")
            for key in ("Iops", "StorageThroughput") if kind == "gp3" and size < 400 else ():
                if is_given(properties.get(key)):
                    yield Hit(
                        (*path, key), f"gp3 takes {key} from 400 GiB on, this is {size}", "leave it out"
                    )


class DatabaseNames(Rule):
    """PostgreSQL's names start with a letter, and some are RDS's own."""

    id = "E9586"
    shortdesc = "A PostgreSQL database and its master user have names RDS takes"
    source_url = _API

    names = {
        _INSTANCE: (("DBName", 63), ("MasterUsername", 63)),
        _CLUSTER: (("DatabaseName", 63), ("MasterUsername", 63)),
    }
    reserved = ("admin", "rdsadmin")

    def hits(self, view: View) -> Iterator[Hit]:
        for database in view.document.of_type(_INSTANCE, _CLUSTER):
            engine = database.properties.get("Engine")
            if engine not in ("postgres", "aurora-postgresql"):
                continue
            for key, longest in self.names[database.type]:
                yield from self._name(database.properties, key, longest, (*database.path, "Properties", key))

    def _name(self, properties: dict[str, Any], key: str, longest: int, path: Path) -> Iterator[Hit]:
        name = text(properties.get(key))
        if name is None:
            return
        if not re.fullmatch(rf"[A-Za-z][A-Za-z0-9_]{{0,{longest - 1}}}", name):
            message = f"{name!r}: RDS takes a letter, then up to {longest - 1} letters, digits and _"
            yield Hit(path, message)
        elif key == "MasterUsername" and name.lower() in self.reserved:
            yield Hit(path, f"{name!r} is reserved")


class DatabaseLogs(Rule):
    """Each engine has its own logs to export."""

    id = "E9587"
    shortdesc = "Logs that a PostgreSQL database exports are ones it has"
    source_url = _API

    logs = ("postgresql", "upgrade", "iam-db-auth-error")

    def hits(self, view: View) -> Iterator[Hit]:
        for instance in view.document.of_type(_INSTANCE):
            if instance.properties.get("Engine") != "postgres":
                continue
            for index, log in strings(instance.properties, "EnableCloudwatchLogsExports"):
                if log not in self.logs:
                    path = (*instance.path, "Properties", "EnableCloudwatchLogsExports", index)
                    yield Hit(path, f"there is no log {log!r}, there are {', '.join(self.logs)}")
