"""Why a certificate isn't known to Keycloak, or one is believed that shouldn't be."""

from __future__ import annotations

import re
from collections.abc import Sequence

from generator.drilling import answering
from generator.drilling.places import option, option_line
from generator.drilling.promises import Cause
from generator.rehearsing.topology import Listener, Topology

_PROVIDER = re.compile(r"KC_SPI_X509CERT_LOOKUP_+PROVIDER$")
_HEADER = re.compile(r"KC_SPI_X509CERT_LOOKUP_.*SSL_CLIENT_CERT$")


def unread(topology: Topology, listener: Listener) -> tuple[Cause, ...]:
    """Why Keycloak doesn't see a certificate that the balancer took."""
    task, found = topology.keycloak, []
    mutual = listener.mutual_tls
    # The provider itself may be chosen in the image; who looks for nothing has no variable at all.
    if not any(one.startswith("KC_SPI_X509CERT_LOOKUP_") for one, _ in task.environment):
        found.append(
            Cause(
                "nothing tells Keycloak which header holds a client's certificate",
                task.line,
                "set KC_SPI_X509CERT_LOOKUP__PROVIDER and its header (up to 26.2 with one underscore)",
            )
        )
    if mutual is not None and len(topology.task.containers) == 1:
        # Read from the classes of 24.0.5 to 26.7.4: all of them take `+` for a space, or want bare base64.
        found.append(
            Cause(
                f"Keycloak gets {mutual.header('' if mutual.mode == 'passthrough' else 'Leaf')} as the "
                f"balancer writes it, and none of its lookup providers reads that",
                mutual.line,
                "put a proxy beside Keycloak in the task that writes the header anew",
            )
        )
    trusted = option(task, "proxy-trusted-addresses")
    if (
        trusted
        and len(topology.task.containers) > 1
        and not re.search(r"(^|,\s*)(127\.|::1|0\.0\.0\.0/0)", trusted)
    ):
        found.append(
            Cause(
                "Keycloak believes headers of certain addresses only, and not those of the proxy beside it",
                option_line(task, "proxy-trusted-addresses"),
                "add 127.0.0.1 to KC_PROXY_TRUSTED_ADDRESSES",
            )
        )
    return tuple(found)


def unverified(topology: Topology, listener: Listener) -> tuple[Cause, ...]:
    """Why a certificate gets somebody in that nobody should trust."""
    mutual = listener.mutual_tls
    if mutual is None:
        return ()
    if mutual.mode == "passthrough":
        _, value = _provider(topology)
        believed = f", and Keycloak believes what {value} hands on" if value else ""
        return (
            Cause(
                f"the balancer passes certificates on without a look at them{believed}",
                mutual.line,
                "write Mode: verify with a trust store, or switch the client authenticator client-x509 off "
                "and let each realm's flow revalidate certificates",
            ),
        )
    return ()


def believed(topology: Topology) -> tuple[Cause, ...]:
    """Why a header is believed that a client made up."""
    task = topology.keycloak
    headers = [(name, value) for name, value in task.environment if _HEADER.match(name)]
    named = ", ".join(value for _, value in headers) or "the header of its lookup provider"
    variable = headers[0][0] if headers else _provider(topology)[0]
    if not variable:
        return ()
    text = f"Keycloak believes {named}, and nothing in front of it takes it from clients"
    line = option_line(task, variable)
    beside = [one for one in topology.task.containers if one.name != task.name and one.ports]
    if beside:
        text = f"Keycloak believes {named}, and {beside[0].name} in front of it leaves one that a client wrote"
        line = beside[0].line
    return (
        Cause(
            text,
            line,
            "take every header that names a certificate from each request in "
            "front of Keycloak, on all ports, before one is written",
        ),
    )


def beside(topology: Topology, ports: Sequence[int]) -> tuple[Cause, ...]:
    """Why one task reaches these ports of another."""
    found = {}
    for port in ports if len(topology.slots) > 1 else ():
        one = answering.permission(topology, topology.slots[0], topology.slots[1], port)
        if one is not None:
            text = f"{one.logical_id or one.group} lets a task reach port {port} of another"
            found[one] = Cause(text, one.line, "let in the balancer's security group alone")
    return tuple(found.values())


def _provider(topology: Topology) -> tuple[str, str]:
    """The variable that names the lookup provider, and its value; empty where none does."""
    return next(
        ((name, value) for name, value in topology.keycloak.environment if _PROVIDER.match(name)), ("", "")
    )
