"""ICMP echo requests and replies as bytes (RFC 792, RFC 4443)."""

import struct
from typing import Final

_HEAD: Final = struct.Struct("!BBHHH")
_REQUEST: Final = {4: 8, 6: 128}
_REPLY: Final = {4: 0, 6: 129}


def request(version: int, identifier: int, sequence: int, payload: bytes) -> bytes:
    """An echo request. For IPv6 the kernel fills the checksum in."""
    bare = _HEAD.pack(_REQUEST[version], 0, 0, identifier, sequence) + payload
    sum_ = _checksum(bare) if version == 4 else 0
    return _HEAD.pack(_REQUEST[version], 0, sum_, identifier, sequence) + payload


def reply_in(packet: bytes, version: int, raw: bool) -> tuple[int, int, bytes] | None:
    """Identifier, sequence and payload of the echo reply in `packet` as a socket yields it; None when it is something else.

    A raw socket of IPv4 yields the IP header too.
    """
    if raw and version == 4:
        packet = packet[(packet[0] & 0x0F) * 4 :] if packet else b""
    if len(packet) < _HEAD.size:
        return None
    kind, code, _, identifier, sequence = _HEAD.unpack_from(packet)
    return (identifier, sequence, packet[_HEAD.size :]) if (kind, code) == (_REPLY[version], 0) else None


def _checksum(data: bytes) -> int:
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF
