"""Asking addresses that somebody else has a hand in: bounded, encrypted, and never led into a network of ours."""

import asyncio
import contextlib
import gzip
import ipaddress
import ssl
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from starlette.responses import Response

from sojourn_collector.sources.fetching import Bounds, FetchError, fetch, is_public, retry_after
from tests.collector.sources.vendor_api import VendorApi

HERE = (ipaddress.ip_network("127.0.0.1/32"),)
OPEN = Bounds(insecure=True, internal=HERE, deadline=5.0, largest=100_000)
NOT_PUBLIC = "which is no public address; name its network in internal: where that is meant"
NOW = 1_772_366_400.0


@contextlib.asynccontextmanager
async def raw(answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any], trust: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that does with a connection what a test says; its port."""

    serving: list[asyncio.Task[Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        current = asyncio.current_task()
        assert current is not None
        serving.append(current)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                await answer(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=trust)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for one in serving:
            one.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def said(url: str, bounds: Bounds = OPEN, **headers: str) -> str:
    """The sentence of a refusal."""
    with pytest.raises(FetchError) as told:
        await fetch(url, headers, bounds, NOW)
    return str(told.value)


@pytest.mark.parametrize("coding", ["", "gzip", "deflate"])
async def test_an_answer_comes_unpacked(api: VendorApi, coding: str) -> None:
    """As it is, and packed in the ways that are asked for."""
    packed = {"": b"hello", "gzip": gzip.compress(b"hello"), "deflate": zlib.compress(b"hello")}[coding]
    api.answers["/x"] = [Response(packed, headers={"content-encoding": coding} if coding else {})]
    answer = await fetch(f"{api.url}/x", {}, OPEN, NOW)
    assert (answer.status, answer.body) == (200, b"hello")
    assert api.asked[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://127.0.0.1:1/", "127.0.0.1 is not encrypted; only https is asked, unless insecure: true"),
        ("ftp://a.example/", "it leads to an address that is none of the web"),
        ("file:///etc/passwd", "it leads to an address that is none of the web"),
        ("https://joe:pw@a.example/", "it leads to an address that is none of the web"),
        ("https://a.example/a b", "it leads to an address that is none of the web"),
        ("https://a.example/\r\nx: y", "it leads to an address that is none of the web"),
        ("https://a.example:0/", "it leads to an address that is none of the web"),
        ("https:///x", "it leads to an address that is none of the web"),
        ("https://[::1", "it leads to an address that is none of the web"),
        ("https://a.example/" + "x" * 5000, "it leads to an address that is none of the web"),
    ],
)
async def test_only_encrypted_addresses_of_the_web(url: str, sentence: str) -> None:
    """http only where it is allowed, and nothing else at all."""
    assert await said(url, Bounds()) == sentence


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0", "[::1]", "[::ffff:127.0.0.1]", "[::]"])
async def test_this_machine_is_not_asked_however_it_is_written(api: VendorApi, host: str) -> None:
    """No spelling of its address leads there, and nothing arrives."""
    port = api.url.rpartition(":")[2]
    told = await said(f"http://{host}:{port}/x", Bounds(insecure=True, deadline=5))
    assert NOT_PUBLIC in told
    assert api.asked == []


INNER = """
10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 255.255.255.255 192.0.2.1 198.18.0.1 127.0.0.1
::1 :: fe80::1%eth0 fc00::1 fd12::1 ff02::1 ::ffff:10.0.0.1 64:ff9b::a00:1 2002:a00:1::1 2001:0:a::1 2001:db8::1 fec0::1
"""


@pytest.mark.parametrize("address", INNER.split())
def test_addresses_that_are_not_public(address: str) -> None:
    """Private, loopback, link-local, shared, reserved and multicast ones, also inside of others."""
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1"])
def test_addresses_that_are_public(address: str) -> None:
    """Those that everybody means the same host by."""
    assert is_public(address)


async def test_every_hop_is_looked_at(api: VendorApi) -> None:
    """A redirect into another network, to another scheme or to a name that leads inside is not followed."""
    port = api.url.rpartition(":")[2]

    async def lookup(host: str, port: int) -> Sequence[str]:
        return {"inner.example": ["127.0.0.2"], "mixed.example": ["127.0.0.1", "10.0.0.1"]}.get(host, ["127.0.0.1"])

    bounds = Bounds(insecure=True, internal=HERE, deadline=5, lookup=lookup)
    for target, sentence in {
        f"http://inner.example:{port}/secret": f"inner.example leads to 127.0.0.2, {NOT_PUBLIC}",
        f"http://mixed.example:{port}/secret": f"mixed.example leads to 10.0.0.1, {NOT_PUBLIC}",
        "file:///etc/passwd": "it leads to an address that is none of the web",
        "http://[": "127.0.0.1 redirects to an address that is none",
    }.items():
        api.answers["/x"] = [Response(status_code=302, headers={"location": target})]
        assert await said(f"{api.url}/x", bounds) == sentence
    assert {request.url.path for request in api.asked} == {"/x"}


async def test_a_name_that_means_another_host_a_moment_later(api: VendorApi) -> None:
    """The connection goes to the address that was looked at, and the next connection is looked at anew (DNS rebinding)."""
    answers = [["127.0.0.1"], ["127.0.0.2"]]

    async def lookup(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    port = api.url.rpartition(":")[2]
    api.answers["/x"] = [Response(b"fine", headers={"connection": "close"})]
    bounds = Bounds(insecure=True, internal=HERE, deadline=5, lookup=lookup)
    assert (await fetch(f"http://shop.example:{port}/x", {}, bounds, NOW)).body == b"fine"
    assert api.asked[0].headers["host"] == f"shop.example:{port}"
    assert "leads to 127.0.0.2" in await said(f"http://shop.example:{port}/x", bounds)
    assert answers == []


async def test_redirects_are_followed_and_end(api: VendorApi) -> None:
    """Relative ones too; after five of them it is enough; from https none leads to http."""
    for number in range(5):
        api.answers[f"/{number}"] = [Response(status_code=301 + number % 2, headers={"location": f"/{number + 1}"})]
    api.answers["/5"] = [Response(b"there")]
    assert (await fetch(f"{api.url}/0", {}, OPEN, NOW)).body == b"there"
    api.answers["/5"] = [Response(status_code=308, headers={"location": "/0"})]
    assert await said(f"{api.url}/0") == "127.0.0.1 redirects more than 5 times"


async def test_a_token_goes_nowhere_else(api: VendorApi) -> None:
    """A request with a token follows no redirect, not even to the same server."""
    api.answers |= {"/x": [Response(status_code=302, headers={"location": "/y"})], "/y": [Response(b"there")]}
    assert await said(f"{api.url}/x", authorization="Bearer t") == "127.0.0.1 sends a request with a token to another address; give that one"
    assert [request.url.path for request in api.asked] == ["/x"]


async def test_too_much_is_not_read() -> None:
    """Announced or not, an answer that does not end is left when the bound is passed."""
    sent = 0

    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            sent += 0x4000
            await writer.drain()

    async with raw(endless) as port:
        assert await said(f"http://127.0.0.1:{port}/") == "the answer of 127.0.0.1 is larger than 100000 bytes"
    assert sent < 20_000_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
async def test_a_bomb_does_not_go_off(api: VendorApi, coding: str) -> None:
    """64 MiB in a few kilobytes is left at the bound, in every packing that can be read."""
    import brotli

    zeros = bytes(1 << 20)
    if coding == "gzip":
        packer: Any = zlib.compressobj(9, wbits=31)
    elif coding == "deflate":
        packer = zlib.compressobj(9)
    elif coding == "br":
        brotlis = brotli.Compressor(quality=5)
        packer = SimpleNamespace(compress=brotlis.process, flush=brotlis.finish)
    else:
        try:
            from compression import zstd  # type: ignore[import-not-found,unused-ignore]
        except ImportError:
            from backports import zstd  # type: ignore[no-redef,unused-ignore]
        packer = zstd.ZstdCompressor()
    body = b"".join(packer.compress(zeros) for _ in range(64)) + packer.flush()
    assert len(body) < 100_000
    api.answers["/x"] = [Response(body, headers={"content-encoding": coding})]
    assert await said(f"{api.url}/x") == "the answer of 127.0.0.1 is larger than 100000 bytes"


async def test_what_is_packed_wrongly(api: VendorApi) -> None:
    """No gzip, half a gzip, and a packing nobody asked for."""
    for coding, body, sentence in (
        ("gzip", b"no gzip", "the answer of 127.0.0.1 cannot be unpacked: Error -3 while decompressing data: incorrect header check"),
        ("gzip", gzip.compress(b"x" * 1000)[:-9], "the answer of 127.0.0.1 cannot be unpacked: it ends in the middle"),
        ("rot13", b"uryyb", "the answer of 127.0.0.1 is packed in a way that was not asked for"),
    ):
        api.answers["/x"] = [Response(body, headers={"content-encoding": coding})]
        assert await said(f"{api.url}/x") == sentence


async def test_an_answer_that_ends_in_the_middle_or_never_begins() -> None:
    """Cut bodies, no HTTP at all, silence: a sentence each, within the deadline."""

    async def torn(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf")
        await writer.drain()

    async def noise(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01\x02 noise\r\n\r\n" * 10)
        await writer.drain()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    for behaviour, sentence in ((torn, "127.0.0.1 cannot be reached (RemoteProtocolError)"), (noise, "127.0.0.1 cannot be reached (RemoteProtocolError)")):
        async with raw(behaviour) as port:
            assert await said(f"http://127.0.0.1:{port}/") == sentence
    async with raw(drip) as port:
        assert await said(f"http://127.0.0.1:{port}/", Bounds(insecure=True, internal=HERE, deadline=0.5)) == "127.0.0.1 did not answer within 0.5 s"
    assert (await said(f"http://127.0.0.1:{port}/")).startswith("127.0.0.1 cannot be reached (")
    assert await said("https://nobody.invalid/") == "nobody.invalid has no address"


async def test_certificates_are_checked() -> None:
    """One that is trusted is fine, one of a stranger is not asked, and the name must be right."""
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)

    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")
        await writer.drain()

    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with raw(hello, context) as port:
        known = Bounds(internal=HERE, deadline=5, trust=trust, lookup=lookup)
        assert (await fetch(f"https://localhost:{port}/", {}, known, NOW)).body == b"hi"
        assert (await said(f"https://localhost:{port}/", Bounds(internal=HERE, deadline=5, lookup=lookup))).startswith(
            "localhost shows a certificate that is not trusted"
        )
        assert (await said(f"https://other.example:{port}/", known)).startswith("other.example shows a certificate that is not trusted here (")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Sun, 01 Mar 2026 12:01:00 GMT", 60),
        ("Sun, 01 Mar 2020 12:01:00 GMT", 0),
        ("1" * 400, 86_400),
        ("", None),
        ("soon", None),
        ("-5", None),
    ],
)
def test_how_long_one_is_asked_to_wait(text: str, seconds: float | None) -> None:
    """Seconds or a date; never more than a day; nonsense is nothing."""
    assert retry_after(text, NOW) == seconds
