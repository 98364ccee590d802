"""The icmp runner against real kernels: this one, and namespaces whose settings are ours."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.expectation import ExpectationError
from sojourn_probes.expectation_parse import parse
from sojourn_probes.semconv import FailureKind, Outcome
from sojourn_probes.steps.echo import reply_in, request
from sojourn_probes.steps.ping_socket import MAY_NOT, ping_socket
from sojourn_probes.steps.talk import Broken
from tests.probes.steps.pinging import CANNOT, may_ping
from tests.probes.walking import journey, walk

ROOT = Path(__file__).parents[3]


def in_world(world: str, host: str = "127.0.0.1") -> dict[str, Any]:
    """What comes of pinging `host` there; skips where no namespace may be made."""
    done = subprocess.run([sys.executable, "-m", "tests.probes.steps.pinging", world, host], cwd=ROOT, capture_output=True, text=True, timeout=90, check=False)
    if done.returncode == CANNOT:
        pytest.skip("needs a network namespace (root)")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
async def test_a_host_that_is_there_answers(host):
    """Loss and round trips are facts, the exchange is one of icmp with its peer, for IPv4, IPv6 and names."""
    if not may_ping("::1" if ":" in host else "127.0.0.1"):
        pytest.skip("this machine lets us ping neither way")
    text = f'id: j\ntimeout: 25s\nsteps:\n  - id: s\n    icmp: {{host: "{host}", gap: 10ms, wait: 10s, count: 5}}\n'
    run = await walk(text + "    expect: [loss == 0%, rtt <= 10s, rtt.min > 0ms, rtt.max between 0ms and 10s]\n    degraded_if: [loss > 20%]\n")
    assert run.outcome is Outcome.PASSED, run.failure
    exchange = run.attempts[0].steps[0].exchanges[0]
    assert (exchange.protocol, exchange.method, exchange.server_address, exchange.error) == ("icmp", "ICMP", host, None)
    assert exchange.peer_address in ("127.0.0.1", "::1")
    assert list(exchange.phases) == (["resolve", "wait"] if host == "localhost" else ["wait"])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_without_rights_where_the_kernel_allows(host):
    """With net.ipv4.ping_group_range open, a process without any right pings, over IPv4 and IPv6."""
    found = in_world("unprivileged", host)
    assert (found["outcome"], found["seen"][0]) == ("passed", "0%"), found


def test_where_nobody_may_ping_the_cure_is_said():
    """Neither allowed by the kernel nor raw: inconclusive, one sentence with both cures."""
    found = in_world("forbidden")
    assert (found["outcome"], found["failure"]) == ("inconclusive", ["config", MAY_NOT])


def test_a_silent_host_is_timeout():
    """No answer at all is `timeout`, with cause and count; a host that is not there is never passed."""
    found = in_world("silent")
    said = "127.0.0.1: no answer to 3 echo requests within 300 ms; the host may be down, or a firewall drops pings"
    assert (found["outcome"], found["failure"], found["error"]) == ("failed", ["timeout", said], "timeout")


def test_lost_packets_are_counted_and_foreign_ones_are_not():
    """Of four requests two are answered: 50 %. Replies with another identifier, another payload or cut short are nobody's."""
    found = in_world("lossy")
    assert (found["outcome"], found["seen"][0]) == ("passed", "50%"), found


def test_a_network_that_is_not_there_is_connect():
    """Where no route leads there the kernel says so at once."""
    found = in_world("unprivileged", "192.0.2.1")
    assert found["failure"] == ["connect", "192.0.2.1: no way there: Network is unreachable"]


def test_sockets_are_tried_unprivileged_first():
    """A refused datagram socket makes way for a raw one, and two refusals for the sentence with the cure."""
    asked: list[int] = []

    def refusing(family: int, kind: int, protocol: int) -> socket.socket:
        asked.append(kind)
        raise PermissionError

    with pytest.raises(Broken) as refused:
        ping_socket("127.0.0.1", refusing)
    assert asked == [socket.SOCK_DGRAM, socket.SOCK_RAW]
    assert (refused.value.failure.kind, refused.value.failure.message) == (FailureKind.CONFIG, MAY_NOT)


async def test_names_and_families():
    """A name without address is `dns`; an address of the other family than wanted is `config`."""
    unknown = await walk("id: j\nsteps:\n  - {id: s, icmp: {host: nowhere.invalid}}\n")
    other = await walk('id: j\nsteps:\n  - {id: s, icmp: {host: "::1", ip_family: 4}}\n')
    assert unknown.failure.kind is FailureKind.DNS
    assert (other.failure.kind, other.failure.message) == (FailureKind.CONFIG, "::1 is an address of IPv6, and ip_family says 4; remove one of them")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rtt.mean < 1s", "rtt.mean is not known; rtt has one of min, avg, max"),
        ("rtt.maxx < 1s", "rtt.maxx is not known; did you mean rtt.max?"),
        ("loss < much", "'much' is not a number"),
        ("loss contains 3", "contains makes no sense for loss; one of ==, !=, <, <=, >, >=, between, exists does"),
        ("rtt < 100", "100 has no unit; write 100s or 100ms"),
    ],
)
def test_expectations_of_pings_are_read_strictly(text, message):
    """Unknown facts, targets of the wrong kind and comparisons without sense are refused with the cure."""
    with pytest.raises(ExpectationError, match=re.escape(message)):
        parse(text)


@given(st.binary(max_size=200), st.sampled_from([4, 6]), st.booleans())
def test_any_packet_can_come(packet, version, raw):
    """What arrives is taken apart without a fault, whatever it is."""
    reply_in(packet, version, raw)


@given(st.integers(0, 65535), st.integers(0, 65535), st.binary(max_size=100))
def test_requests_have_a_good_checksum(identifier, sequence, payload):
    """The one's complement sum over a whole request is all ones (RFC 1071)."""
    packet = request(4, identifier, sequence, payload)
    padded = packet + b"\0" * (len(packet) % 2)
    total = sum(int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("{}", "steps[0].icmp.host: is missing; add it"),
        ("{host: http://x/}", "steps[0].icmp.host: 'http://x/' is no host; write its name or address alone, such as mail.example"),
        ("{host: x, count: 0}", "steps[0].icmp.count: must be at least 1"),
        ("{host: x, size: 9000}", "steps[0].icmp.size: must be at most 1400"),
        ("{host: x, port: 7}", "steps[0].icmp.port: is not known here"),
        ("{host: x, ip_family: 5}", "steps[0].icmp.ip_family: 5 is not known; one of any, 4, 6"),
    ],
)
def test_what_a_file_may_not_say(part, message):
    """Each wrong key is refused at its place, with the cure."""
    with pytest.raises(JourneyFileError) as refused:
        journey(f"id: j\nsteps:\n  - id: s\n    icmp: {part}\n")
    assert message in str(refused.value)
