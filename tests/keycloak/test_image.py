"""What an optimized image is built from: authorities that can be checked, and a cache that every line reads."""

from __future__ import annotations

import hashlib
import re
import ssl
from importlib import resources
from xml.etree import ElementTree

import pytest

from generator.keycloak import catalog, image

FOLDER = resources.files("generator.keycloak")
REGIONS = sorted(file.name.removesuffix(".pem") for file in (FOLDER / "rds_ca").iterdir())
LINES = sorted(file.name.removesuffix(".xml") for file in (FOLDER / "cache").iterdir())
KINDS = ("ECC384", "RSA2048", "RSA4096")
ROOT = re.compile(
    r"# Amazon RDS (?P<region>\S+) Root CA (?P<kind>\S+) G1, until (?P<until>\d{4}-\d\d-\d\d)\n"
    r"# SHA-256 (?P<fingerprint>([0-9A-F]{2}:){31}[0-9A-F]{2})\n"
    r"(?P<pem>-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END CERTIFICATE-----\n)")


@pytest.mark.parametrize("region", REGIONS)
def test_a_region_has_its_three_authorities(region):
    """Each is the one its comment names, by common name, key, fingerprint and end, and ends far away."""
    text = image.certificate_authorities(region)
    roots = list(ROOT.finditer(text))
    assert [root["kind"] for root in roots] == list(KINDS)
    assert text.count("-----BEGIN") == text.count("-----END") == 3
    for root in roots:
        context = ssl.create_default_context(cadata=root["pem"])
        certificate, = [one for one in context.get_ca_certs() if "Amazon RDS" in str(one["subject"])]
        subject = {name: value for (name, value), in certificate["subject"]}
        assert subject == {name: value for (name, value), in certificate["issuer"]}  # it is a root
        assert subject["commonName"] == f"Amazon RDS {region} Root CA {root['kind']} G1"
        assert root["region"] == region
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(root["pem"])).hexdigest().upper()
        assert ":".join(re.findall("..", digest)) == root["fingerprint"]
        end = ssl.cert_time_to_seconds(certificate["notAfter"])
        assert root["until"][:4] in certificate["notAfter"]
        assert end > ssl.cert_time_to_seconds("Jan  1 00:00:00 2060 GMT")


def test_regions_that_are_not_here_have_none():
    """Without its authorities a region's databases aren't checked; nothing is made up for it."""
    assert image.certificate_authorities("cn-north-1") is None
    assert image.certificate_authorities("") is None
    assert {"eu-central-1", "us-east-1", "ap-southeast-2"} <= set(REGIONS)


def local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rsplit("}", 1)[-1]


@pytest.mark.parametrize("line", LINES)
def test_a_cache_configuration_uses_its_own_stack(line):
    """Well-formed; the transport names `cloudmap`, which is `kubernetes` with a failure detection of ten seconds,
    nodes that answer for all they know, and a frozen node that holds up nobody but itself."""
    text = (FOLDER / "cache" / f"{line}.xml").read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert local(root.tag) == "infinispan"
    assert re.match(r"\{urn:infinispan:config:1[4-9]\.\d\}", root.tag)
    stack, = [one for one in root.iter() if local(one.tag) == "stack"]
    assert stack.attrib == {"name": "cloudmap", "extends": "kubernetes"}
    transports, (discovery, detection) = list(stack)[:-2], list(stack)[-2:]
    # Before 26.2 nodes don't encrypt what they send each other, and no handshake holds them up.
    assert [local(one.tag) for one in transports] == (["TCP"] if line >= "26.0" else [])
    assert all(one.attrib["stack.combine"] == "COMBINE" for one in transports)
    # The shipped stacks of 26.1 and 26.2 look for a node at eleven ports, ten of which are closed.
    assert [one.attrib.get("port_range") for one in transports] == (
        [] if line < "26.0" else ["0"] if line in ("26.0", "26.2") else [None])
    transports = transports if line >= "26.2" else []
    assert all(one.attrib["bundler_type"] == "per-destination" for one in transports)
    # JGroups 5.5 gives all of them one thread again, unless it is told not to; 5.3 doesn't know the word.
    singles = [one.attrib.get("bundler.use_single_sender_thread") for one in transports]
    assert singles == ([] if line < "26.2" else [None] if line < "26.6" else ["false"])
    assert local(discovery.tag) == "dns.DNS_PING"
    assert discovery.attrib == {"return_entire_cache": "true", "stack.combine": "COMBINE"}
    assert local(detection.tag) == "FD_ALL3"
    assert detection.attrib["timeout"] == "10000" and detection.attrib["interval"] == "2000"
    assert detection.attrib["stack.combine"] == "COMBINE"
    container, = [one for one in root.iter() if local(one.tag) == "cache-container"]
    transport, = [one for one in root.iter() if local(one.tag) == "transport"]
    assert container.attrib["name"] == "keycloak" and transport in list(container)
    assert transport.attrib["stack"] == "cloudmap"


@pytest.mark.parametrize("version", catalog.versions())
def test_a_version_has_the_caches_that_it_looks_up(version):
    """Up to 26.3 the file lists every cache; from 26.4 on Keycloak adds them and refuses none."""
    text = image.cache_configuration(catalog.load(version).minor)
    caches = {one.attrib["name"] for one in ElementTree.fromstring(text).iter() if local(one.tag).endswith("-cache")}
    line = catalog.load(version).minor
    wanted = {"realms", "users", "sessions", "authenticationSessions", "offlineSessions", "clientSessions",
              "offlineClientSessions", "loginFailures", "authorization", "work", "keys", "actionTokens"}
    if line >= (26, 4):
        wanted = set()
    elif line >= (26, 2):
        wanted |= {"crl"}
    assert caches == wanted


@pytest.mark.parametrize(("line", "file"), [
    ((24, 0), "24.0"), ((25, 0), "25.0"), ((26, 0), "26.0"), ((26, 2), "26.2"), ((26, 3), "26.2"),
    ((26, 4), "26.4"), ((26, 5), "26.4"), ((26, 6), "26.6"), ((26, 7), "26.6"), ((27, 0), "26.6")])
def test_a_line_has_the_configuration_of_the_nearest_one_before(line, file):
    """Lines whose own file is the same share one; a line that is newer than all gets the newest."""
    assert image.cache_configuration(line) == (FOLDER / "cache" / f"{file}.xml").read_text("utf-8")


def test_an_image_gets_the_files_that_it_uses():
    """The cache configuration only with our stack, the authorities only where they are checked."""
    newest = catalog.load("26.7.4")
    cache, roots = image.cache_configuration((26, 7)), image.certificate_authorities("eu-central-1")
    for own_stack, verifies, wanted in (
            (True, True, {"cache-cloudmap.xml": cache, "rds-bundle.pem": roots}),
            (True, False, {"cache-cloudmap.xml": cache}), (False, True, {"rds-bundle.pem": roots}),
            (False, False, {})):
        assert image.files(newest, "eu-central-1", own_stack, verifies) == wanted
