"""A rehearsal's folder: private where it has to be, whole or not there."""

from __future__ import annotations

import ipaddress
import stat

import pytest

from generator.errors import RehearsalError
from generator.rehearsing.credentials import Credentials
from generator.rehearsing.place import Place, places
from generator.rehearsing.rehearsal import free_network, seconds


def network(text):
    return ipaddress.IPv4Network(text)


def test_nobody_else_may_look_into_a_rehearsal(tmp_path):
    """The folder and its secrets are the user's own."""
    place = Place(tmp_path, "dev")
    place.create()
    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.secrets.stat().st_mode) == 0o700


def test_two_checkouts_have_two_projects(tmp_path):
    """Rehearsals of the same name in two folders don't share a Compose project."""
    assert Place(tmp_path / "a", "dev").compose_name != Place(tmp_path / "b", "dev").compose_name


def test_only_started_rehearsals_are_listed(tmp_path):
    """A folder that a failed start left is no rehearsal."""
    Place(tmp_path, "half").create()
    whole = Place(tmp_path, "whole")
    whole.create()
    whole.write("started.json", {})
    assert [place.name for place in places(tmp_path)] == ["whole"]


def test_a_file_that_is_as_it_should_be_is_not_touched(tmp_path):
    """Containers that hold a file open keep it."""
    place = Place(tmp_path, "dev")
    place.create()
    place.put({"dns/hosts": b"one\n"})
    before = (place.project / "dns/hosts").stat().st_ino
    place.put({"dns/hosts": b"one\n"})
    assert (place.project / "dns/hosts").stat().st_ino == before
    place.put({"dns/hosts": b"two\n"})
    assert (place.project / "dns/hosts").read_bytes() == b"two\n"


def test_a_process_that_is_another_program_is_no_watch(tmp_path):
    """A process id that went to somebody else is neither waited for nor ended."""
    place = Place(tmp_path, "dev")
    place.create()
    place.write("watch.json", {"process": 1})
    assert place.watcher() is None
    place.end_watcher()


@pytest.mark.parametrize(("used", "expected"), [
    ([], "10.40.0.0/20"),
    (["10.41.0.0/16", "172.17.0.0/16"], "10.40.0.0/20"),
    (["10.40.8.0/24"], "10.0.0.0/20"),
    (["10.0.0.0/8"], "172.16.0.0/20"),
    (["0.0.0.0/0"], "10.40.0.0/20"),
    (["10.40.0.0/255.255.0.0"], "10.0.0.0/20"),
], ids=["nothing used", "others used", "taken by a bridge", "a whole range taken", "a default route", "a netmask"])
def test_a_network_in_use_is_left_alone(used, expected):
    """The template's own network where it is free, else the first one of its size that is."""
    assert free_network(network("10.40.0.0/20"), used) == network(expected)


def test_no_room_is_said():
    """Where every private network is taken, that is the error."""
    with pytest.raises(RehearsalError, match="no network of the size"):
        free_network(network("10.40.0.0/16"), ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"])


@pytest.mark.parametrize(("moment", "expected"), [
    ("1970-01-01T00:00:01.5Z", 1.5), ("1970-01-01T00:00:01.123456789Z", 1.123456789),
    ("1970-01-01T01:00:00+01:00", 0.0), ("nothing", 0.0),
])
def test_docker_moments_are_seconds(moment, expected):
    """Nanoseconds and zones are read as Docker writes them."""
    assert seconds(moment) == pytest.approx(expected, abs=1e-6)


def test_secrets_that_are_missing_are_an_error(tmp_path):
    """A rehearsal without its secrets can't be drilled, and says so."""
    with pytest.raises(RehearsalError, match="secrets can't be read"):
        Credentials.load(tmp_path)
