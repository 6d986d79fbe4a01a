"""Where a Keycloak is reached, read from its configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from generator.drilling.places import Site, option, places
from generator.rehearsing.target import Door
from generator.rehearsing.topology import Listener, MutualTls
from tests.drilling.servers import ADMIN, PUBLIC
from tests.drilling.targets import DEV, with_container, with_environment

HTTPS = Door("internet", "LoadBalancer", "https", 443, "127.0.0.1", 1)
HTTP = Door("internet", "LoadBalancer", "http", 80, "127.0.0.1", 2)


def test_full_urls_say_everything():
    """Public and admin host as they are set, with the scheme's own port left out."""
    found = places(DEV, [HTTP, HTTPS])
    assert (found.public.url, found.admin.url, str(found.version)) == (
        f"https://{PUBLIC}",
        f"https://{ADMIN}",
        "26.7.4",
    )
    assert found.console == found.admin and found.sites == (found.public, found.admin)


@pytest.mark.parametrize(("version", "variables", "public", "admin"), [
    ("24.0.5", {"KC_HOSTNAME_URL": "https://a.example.com", "KC_HOSTNAME_ADMIN_URL": "https://b.example.com"},
     "https://a.example.com", "https://b.example.com"),
    ("24.0.5", {"KC_HOSTNAME": "a.example.com"}, "https://a.example.com", None),
    ("26.7.4", {"KC_HOSTNAME_URL": "https://old.example.com", "KC_HOSTNAME": "https://new.example.com"},
     "https://new.example.com", None),
    ("26.7.4", {"KC_HOSTNAME": "https://a.example.com:8443/auth"}, "https://a.example.com:8443/auth", None),
    ("26.7.4", {"KC_HOSTNAME": "https://a.example.com", "KC_HTTP_RELATIVE_PATH": "auth"},
     "https://a.example.com/auth", None),
    ("26.7.4", {"KC_HOSTNAME": "https://a.example.com", "KC_HOSTNAME_ADMIN": "https://a.example.com"},
     "https://a.example.com", None),
    ("26.7.4", {"KC_HOSTNAME": "a.example.com"}, "https://a.example.com", None),
    ("", {}, f"https://{ADMIN}", None),
])
def test_every_generation_s_options_are_read(version, variables, public, admin):
    """Host name, URL and path, as each version takes them; without any, a rule's host."""
    topology = replace(with_environment(DEV, **{"KC_HOSTNAME": None, "KC_HOSTNAME_ADMIN": None, **variables}),
                       version=version)
    found = places(topology, [HTTP, HTTPS])
    assert (found.public.url, found.admin.url if found.admin else None) == (public, admin)


def test_an_option_on_the_command_line_wins():
    """Both spellings of an argument, before the environment; what is set nowhere is None."""
    one = with_container(
        DEV, command=("start", "--hostname=https://x.example.com", "--cache", "local")
    ).keycloak
    assert (option(one, "hostname"), option(one, "cache"), option(one, "proxy")) == (
        "https://x.example.com",
        "local",
        None,
    )
    assert option(DEV.keycloak, "cache") == "ispn"


def test_the_door_fits_the_site_best():
    """HTTPS before HTTP, the balancer that knows the host, the listener of the port; only from that
    vantage."""
    inner = replace(HTTPS, balancer="Internal", vantage="admin")
    outer = replace(HTTPS, vantage="admin")
    found = replace(
        places(DEV, [HTTP, HTTPS, outer, inner]), fronted=(("Internal", ADMIN), ("LoadBalancer", PUBLIC))
    )
    assert found.door("internet", found.public) == HTTPS
    assert found.door("admin", found.admin) == inner and found.door("admin", found.public) == outer
    assert found.door("inside", found.public) is None
    assert found.vantages() == ["internet", "admin"]
    other = replace(HTTPS, listener_port=8443)
    assert replace(found, doors=(HTTPS, other)).door("internet", Site("https", PUBLIC, 8443)) == other


def test_where_certificates_are_asked_for_is_a_place_of_its_own():
    """With its listener's host and port, if somebody may come in; the public address is none twice."""
    asking = MutualTls("verify", host="certs.example.com")
    balancer = DEV.balancers[0]
    topology = replace(DEV, balancers=(replace(balancer, listeners=(
        *balancer.listeners, Listener("MutualTlsListener", "HTTPS", 8443, (), asking))),))
    door = replace(HTTPS, listener_port=8443)
    shown = replace(door, certificate="/a/certificate.pem")
    assert places(topology, [HTTPS, door]).certified == ()
    found = places(topology, [HTTPS, shown])
    assert [site.url for site in found.certified] == ["https://certs.example.com:8443"]
    assert found.sites[-1] == found.certified[0] and found.door("internet", found.certified[0]) == shown
    assert found.door("internet", found.public) == HTTPS
    everywhere = replace(DEV, balancers=(replace(balancer, listeners=tuple(
        replace(one, mutual_tls=MutualTls("passthrough")) for one in balancer.listeners)),))
    assert places(everywhere, [HTTPS]).certified == ()
