"""Through an HTTP proxy: where it is, what it alone is told, the way it opens (CONNECT), and what it means when it does not."""

import base64
from typing import Final

import h11
import httpcore2
import httpx2

from sojourn_probes.names import Names
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.http import Proxy
from sojourn_probes.steps.http_broken import Proxied

_CHUNK: Final = 65536


def proxy_address(text: str) -> httpx2.URL:
    """A proxy's address. Raises ValueError."""
    url = httpx2.URL(text.strip())
    if url.scheme != "http" or not url.host:
        raise ValueError(f"{text!r} is no proxy that can be used; write it as http://host:port")
    return url


def proxy_headers(proxy: Proxy | None, names: Names) -> list[tuple[bytes, bytes]]:
    """What the proxy alone is told: its user and password, when it wants them."""
    if proxy is None or proxy.user is None or proxy.password is None:
        return []
    pair = f"{names.fill_text(proxy.user)}:{names.fill_text(proxy.password)}"
    return [(b"proxy-authorization", b"Basic " + base64.b64encode(pair.encode()))]


async def open_way(stream: httpcore2.AsyncNetworkStream, host: str, port: int, headers: list[tuple[bytes, bytes]]) -> None:
    """Ask the proxy on `stream` to open the way to `host`. Raises `Proxied`, and what the stream raises."""
    state = h11.Connection(h11.CLIENT)
    target = f"[{host}]:{port}".encode() if ":" in host else f"{host}:{port}".encode()
    raw = state.send(h11.Request(method="CONNECT", target=target, headers=[(b"host", target), *headers]))
    await stream.write((raw or b"") + (state.send(h11.EndOfMessage()) or b""))
    try:
        while not isinstance(event := state.next_event(), h11.Response):
            if event is h11.NEED_DATA:
                state.receive_data(await stream.read(_CHUNK))
    except h11.RemoteProtocolError:
        raise Proxied(0) from None
    if not 200 <= event.status_code < 300:
        raise Proxied(event.status_code)


def refused_words(error: Proxied) -> tuple[FailureKind, str]:
    """What it means that the proxy did not open the way, as a kind and the end of a sentence."""
    if error.status == 407:
        return FailureKind.CONFIG, ": the proxy wants a user and password (407); give it proxy: {url, user, password}"
    if error.status == 0:
        return FailureKind.CONNECT, ": what answers as the proxy is no HTTP proxy; see proxy"
    return FailureKind.CONNECT, f": the proxy did not open the way to the server (it answered {error.status}); the server may be down, or not allowed there"
