"""Bodies of http steps: packed ones and bombs on the way in; files and parts on the way out."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from email import message_from_bytes
from typing import Any

import brotli
import pytest

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.semconv import FailureKind, Outcome
from sojourn_probes.steps.body import Body, BodyTooLarge, read_body
from sojourn_probes.unpacking import NotUnpacked
from tests.probes.site import Asked, answer, site
from tests.probes.walking import journey, walk

try:
    from compression import zstd  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    from backports import zstd


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "deflate, bare": ("deflate", raw_deflate),
    "br": ("br", lambda data: brotli.compress(data, quality=5)),
    "zstd": ("zstd", zstd.compress),
}
TEXT = b"".join(b"line %d of a text that is long enough for several pieces\n" % number for number in range(5000))


async def chunked(data: bytes, size: int) -> Any:
    for start in range(0, len(data), size):
        yield data[start : start + size]


@pytest.mark.parametrize("name", sorted(PACKERS))
@pytest.mark.parametrize("size", [1, 1000, 10_000_000])
async def test_packed_bodies_are_read(name, size):
    """Each encoding unpacks to what was packed, in whatever pieces it comes; cut off or followed by nothing of ours it is found out."""
    encoding, pack = PACKERS[name]
    text, body = TEXT[: 5000 if size == 1 else len(TEXT)], Body()
    packed = pack(text)
    await read_body(chunked(packed, size), encoding, len(text), body)
    assert (bytes(body.content), body.wire) == (text, len(packed))
    with pytest.raises(NotUnpacked, match="it ends in the middle"):
        await read_body(chunked(packed[:-3], size), encoding, len(text), Body())
    with pytest.raises(NotUnpacked):
        await read_body(chunked(b"certainly nothing that was packed", size), encoding, len(text), Body())


async def test_bodies_packed_twice_and_in_members():
    """Encodings applied one after the other are undone in turn, gzip may come in members, and what follows them is padding."""
    twice, members = Body(), Body()
    await read_body(chunked(brotli.compress(gzip.compress(TEXT)), 999), "gzip, br", len(TEXT), twice)
    await read_body(chunked(gzip.compress(b"a") + gzip.compress(b"b") + b"\0\0", 7), "x-gzip", 10, members)
    assert bytes(twice.content) == TEXT
    assert bytes(members.content) == b"ab"
    with pytest.raises(NotUnpacked, match="it is packed 5 times over"):
        await read_body(chunked(b"x", 1), "gzip, gzip, gzip, gzip, gzip", 10, Body())


BIG = 50_000_000


@pytest.mark.parametrize("name", sorted(PACKERS))
async def test_a_bomb_costs_little_more_than_the_limit(name):
    """Fifty megabytes that came in a few kilobytes stop at the limit, and are never held."""
    encoding, pack = PACKERS[name]
    bomb, body = pack(b"\0" * BIG), Body()
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            await read_body(chunked(bomb, 1_000_000), encoding, 1_000_000, body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(body.content) == 1_000_000
    assert peak < 10_000_000


async def test_a_bomb_in_a_bomb():
    """Packed twice it is no better."""
    bomb = gzip.compress(gzip.compress(b"\0" * BIG))
    with pytest.raises(BodyTooLarge):
        await read_body(chunked(bomb, 1000), "gzip, gzip", 1_000_000, Body())


@pytest.mark.parametrize("name", [*sorted(PACKERS), None])
async def test_a_body_is_bounded(name):
    """A body larger than max_body, packed or not, fails the step as `content`."""
    encoding, pack = PACKERS[name] if name else ("", lambda data: data[:2_000_000])

    async def respond(asked: Asked) -> bytes:
        return answer(body=pack(b"\0" * BIG), content_encoding=encoding or "identity")

    async with site(respond) as shop:
        run = await walk(f"id: j\nsteps:\n  - id: s\n    http: {{url: '{shop.url}/', max_body: 1 MB}}\n")
    assert (run.failure.kind, run.failure.message) == (FailureKind.CONTENT, f"GET {shop.url}/: the body is larger than 1.0 MB (max_body)")


async def test_what_is_asked_for_and_what_is_measured():
    """All encodings are asked for; `size` counts what came over the wire, expectations see the text."""

    async def respond(asked: Asked) -> bytes:
        return answer(body=zstd.compress(b"hello " * 1000), content_encoding="zstd")

    async with site(respond) as shop:
        run = await walk(f"id: j\nsteps:\n  - id: s\n    http: {{url: '{shop.url}/'}}\n    expect: [body contains 'hello hello', size < 1 KB]\n")
    assert run.outcome is Outcome.PASSED, run.failure
    assert shop.asked[0].headers["accept-encoding"] == "gzip, deflate, br, zstd"


async def ok(asked: Asked) -> bytes:
    return answer()


async def sent(part: str, folder: Any, **more: Any) -> tuple[Any, list[Asked]]:
    async with site(ok) as shop:
        run = await walk(f"id: j\nvars: {{n: 3}}\nsteps:\n  - id: s\n    http:\n      url: {shop.url}/\n{part}", path=folder / "j.yaml", **more)
    return run, shop.asked


async def test_a_file_is_sent_as_the_body(tmp_path):
    """The file beside the journey, as it is, with the content type of its name or the one said."""
    (tmp_path / "pics").mkdir()
    (tmp_path / "pics" / "cat.png").write_bytes(b"\x89PNG\0\xff")
    run, asked = await sent("      file: pics/cat.png\n", tmp_path)
    assert run.outcome is Outcome.PASSED, run.failure
    assert (asked[0].method, asked[0].body, asked[0].headers["content-type"]) == ("POST", b"\x89PNG\0\xff", "image/png")
    _, asked = await sent("      file: pics/cat.png\n      headers: {content-type: application/x-cat}\n", tmp_path)
    assert asked[0].headers["content-type"] == "application/x-cat"


async def test_a_multipart_body(tmp_path):
    """Values and files with names and content types, as forms with files send them."""
    (tmp_path / "cv.pdf").write_bytes(b"%PDF")
    part = '      multipart:\n        count: "${vars.n}"\n        agreed: true\n        cv: {file: cv.pdf, filename: "life ü.pdf"}\n'
    run, asked = await sent(part + '        note: {value: "{}", type: application/json}\n', tmp_path)
    assert run.outcome is Outcome.PASSED, run.failure
    whole: Any = message_from_bytes(b"content-type: " + asked[0].headers["content-type"].encode() + b"\r\n\r\n" + asked[0].body)
    parts = [(one.get_param("name", header="content-disposition"), one.get_content_type(), one.get_payload(decode=True)) for one in whole.get_payload()]
    assert parts == [
        ("count", "text/plain", b"3"),
        ("agreed", "text/plain", b"true"),
        ("cv", "application/pdf", b"%PDF"),
        ("note", "application/json", b"{}"),
    ]
    assert 'filename="life ü.pdf"'.encode() in asked[0].body


async def test_files_that_cannot_be_sent(tmp_path):
    """A file that is missing, too large, no file, or led out of the folder by a link is `config`: nothing was measured."""
    (tmp_path / "away").symlink_to("/etc/hostname")
    (tmp_path / "folder").mkdir()
    with (tmp_path / "big").open("wb") as file:
        file.truncate(20_000_001)
    for name, said in {
        "none": "file none cannot be read: No such file or directory; its path is relative to the journey file",
        "away": "file away leaves the journey's folder; put it beside the journey",
        "folder": "file folder is no plain file",
        "big": "file big is too large; the files of a request may have 20.0 MB together",
    }.items():
        run, asked = await sent(f"      file: {name}\n", tmp_path)
        assert (run.outcome, run.failure.kind, run.failure.message) == (Outcome.INCONCLUSIVE, FailureKind.CONFIG, f"the request cannot be made: {said}")
        assert asked == []


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("file: /etc/passwd", "'/etc/passwd' leaves the journey's folder; put the file beside the journey and name it from there"),
        ("file: a/../../b", "'a/../../b' leaves the journey's folder; put the file beside the journey and name it from there"),
        ("file: a, body: b", "body and file are two bodies; keep one"),
        ("multipart: {}", "multipart has no parts; give it some, or remove it"),
        ("multipart: {a: {type: text/plain}}", "say one of value: and file:"),
        ("multipart: {a: {value: x, file: y}}", "say one of value: and file:"),
        ("proxy: 'socks5://x'", "'socks5://x' is no proxy that can be used; write it as http://host:port"),
        ("proxy: 'http://a:b@x'", "has a user or password in it; write {url, user, password} with ${secrets.…} instead"),
        ("proxy: {url: 'http://x', user: a}", "say user: and password: both, or neither"),
        ("proxy: 'http://x', all_addresses: true", "a proxy looks addresses up itself; remove all_addresses or proxy"),
    ],
)
def test_what_is_refused(part, message):
    """Bad bodies and proxies are found before anything runs."""
    with pytest.raises(JourneyFileError) as fault:
        journey(f"id: j\nsteps:\n  - {{id: s, http: {{url: 'http://x/', {part}}}}}\n")
    assert str(fault.value.problems[0].message) == message
