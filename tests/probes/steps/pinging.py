"""Walks an icmp step in a network namespace of its own: `python -m tests.probes.steps.pinging WORLD HOST`, where the kernel's settings are ours to choose.

Prints what came of it as JSON; exits with 77 where no namespace may be made.
"""

import asyncio
import ctypes
import fcntl
import json
import os
import socket
import struct
import sys
from pathlib import Path

from sojourn_probes.steps.echo import request
from sojourn_probes.steps.ping_socket import ping_socket
from sojourn_probes.steps.talk import Broken
from tests.probes.walking import walk

CANNOT = 77
NOBODY = 65534
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IPV4 = Path("/proc/sys/net/ipv4")


def may_ping(address: str) -> bool:
    """Whether this process may ping `address` in its own world."""
    try:
        made, _ = ping_socket(address)
    except (Broken, OSError):
        return False
    made.close()
    return True


def enter() -> None:
    """Into a new namespace whose loopback is up."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise PermissionError(ctypes.get_errno(), "no namespace")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", 1))


def become_nobody() -> None:
    """From here on without any right."""
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def answer_every_other(listening: socket.socket) -> None:
    """Echo replies to even sequence numbers; to odd ones only what is no answer: another identifier, another payload, one cut short."""
    packet = listening.recv(4096)
    asked = packet[(packet[0] & 15) * 4 :]
    if asked[0] != 8:
        return
    _, _, _, identifier, sequence = struct.unpack_from("!BBHHH", asked)
    wrong = ((identifier ^ 1, asked[8:], None), (identifier, bytes(56), None), (identifier, asked[8:], 6))
    for number, payload, cut in wrong if sequence % 2 else ((identifier, asked[8:], None),):
        made = bytearray(request(4, number, sequence, payload))
        made[0], made[2:4] = 0, b"\0\0"
        total = sum(struct.unpack(f"!{len(made) // 2}H", made))
        total = (total & 0xFFFF) + (total >> 16)
        made[2:4] = struct.pack("!H", ~(total + (total >> 16)) & 0xFFFF)
        listening.sendto(bytes(made)[:cut], ("127.0.0.1", 0))


async def main(world: str, host: str) -> None:
    try:
        enter()
        allowed = "0 2147483647" if world == "unprivileged" else "1 0"
        (IPV4 / "ping_group_range").write_text(allowed)
        if world in ("silent", "lossy"):
            (IPV4 / "icmp_echo_ignore_all").write_text("1")
    except OSError:
        sys.exit(CANNOT)
    if world == "lossy":
        listening = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        asyncio.get_running_loop().add_reader(listening, answer_every_other, listening)
    if world in ("unprivileged", "forbidden"):
        await walk("id: j\nsteps:\n  - {id: s, icmp: {host: 127.0.0.1, count: 1}}\n")  # loads what nobody may not read
        become_nobody()
    keys = ", gap: 20ms, wait: 5s, count: 4" if world != "silent" else ", gap: 10ms, wait: 300ms"
    run = await walk(f'id: j\ntimeout: 25s\nsteps:\n  - id: s\n    icmp: {{host: "{host}"{keys}}}\n    expect: [loss >= 0%, rtt >= 0ms, rtt.max >= 0ms]\n')
    step = run.attempts[0].steps[0]
    failure = None if run.failure is None else [str(run.failure.kind), run.failure.message]
    print(json.dumps({"outcome": str(run.outcome), "failure": failure, "seen": [one.actual for one in step.expectations], "error": step.exchanges[0].error}))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
