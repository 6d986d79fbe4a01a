"""What goes over the wire: `python -m tests.cluster.wire PORT...` listens until it is ended, then prints as JSON how
each connection to one of these TCP ports begins. Takes root, in the network namespace of the packets.
"""

from __future__ import annotations

import json
import signal
import socket
import struct
import sys
from collections.abc import Iterator

_EVERY_PROTOCOL, _IPV4, _TCP = 3, 0x0800, 6
_SHOWN = 24
"""Bytes that are kept of a beginning."""


def kind(beginning: bytes) -> str:
    """`tls`, `jgroups` or `other`, by the first bytes that a client sends.

    A TLS record of a handshake begins with 22 and the version's 3 (RFC 8446, 5.1). JGroups' transport says `bela`
    first (TcpBaseServer/TcpConnection.java: its cookie).
    """
    if beginning[:2] == b"\x16\x03":
        return "tls"
    return "jgroups" if beginning[:4] == b"bela" else "other"


def segment(frame: bytes) -> tuple[tuple, int, bytes] | None:
    """((source, port, destination, port), sequence number, payload) of an Ethernet frame; None where it holds no TCP."""
    if len(frame) < 54 or struct.unpack_from("!H", frame, 12)[0] != _IPV4 or frame[23] != _TCP:
        return None
    start = 14 + (frame[14] & 15) * 4
    end = 14 + struct.unpack_from("!H", frame, 16)[0]
    source, destination, sequence = struct.unpack_from("!HHI", frame, start)
    body = frame[start + (frame[start + 12] >> 4) * 4:end]
    return (socket.inet_ntoa(frame[26:30]), source, socket.inet_ntoa(frame[30:34]), destination), sequence, body


def beginnings(frames: Iterator[bytes], ports: set[int]) -> dict[tuple, bytes]:
    """Connection -> the first bytes that its client sent, of connections to these ports."""
    found: dict[tuple, tuple[int, bytes]] = {}
    for frame in frames:
        told = segment(frame)
        if told is None or told[0][3] not in ports or not told[2]:
            continue
        # A frame is seen at each interface that it passes; the earliest bytes are a connection's beginning.
        connection, sequence, body = told
        if connection not in found or sequence < found[connection][0]:
            found[connection] = (sequence, body[:_SHOWN])
    return {connection: body for connection, (_, body) in found.items()}


def _frames() -> Iterator[bytes]:
    listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_EVERY_PROTOCOL))
    with listening:
        print("listening", flush=True)
        try:
            while True:
                yield listening.recv(65536)
        except KeyboardInterrupt:
            return


def main() -> None:
    """Listens until SIGTERM or Ctrl-C."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found = beginnings(_frames(), {int(port) for port in sys.argv[1:]})
    print(json.dumps([
        {"from": connection[0], "to": connection[2], "port": connection[3], "kind": kind(body), "bytes": body.hex()}
        for connection, body in found.items()
    ]))


if __name__ == "__main__":
    main()
