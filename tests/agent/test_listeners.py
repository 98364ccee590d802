"""The listeners: bound before the start, one sentence when that fails, deadlines for headers, the Host header looked at."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sojourn_agent.admin import Status, build_admin, exposition
from sojourn_agent.serve import Listener, ListenError, bind


@asynccontextmanager
async def served(app: Any, header_seconds: float = 10.0) -> AsyncIterator[str]:
    """`app` on a free port."""
    listener = Listener(app, bind("127.0.0.1:0", "admin: listen:"), header_seconds=header_seconds)
    task = asyncio.create_task(listener.run_here())
    try:
        yield listener.address
    finally:
        listener.should_exit = True
        await task


def status(**changes: Any) -> Status:
    """An agent that is fine."""
    values: dict[str, Any] = {
        "health": lambda: {"status": "ok"},
        "ready": lambda: True,
        "metrics": lambda: [("sojourn_runs_total", {"journey": 'a"b\\c\n'}, 3)],
        "runs": lambda: [{"journey": "a"}, {"journey": "b"}],
    }
    return Status(**(values | changes))


async def test_the_admin_listener_answers():
    """/healthz, /readyz, /metrics and /runs, the last one also for one journey; anything else is a sentence."""
    async with served(build_admin(status())) as address, httpx2.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=60) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        assert (await client.get("/readyz")).status_code == 200
        assert 'sojourn_runs_total{journey="a\\"b\\\\c\\n"} 3' in (await client.get("/metrics")).text
        assert (await client.get("/runs")).json() == {"runs": [{"journey": "a"}, {"journey": "b"}]}
        assert (await client.get("/runs?journey=b")).json() == {"runs": [{"journey": "b"}]}
        nothing = await client.get("/etc/passwd")
        assert (nothing.status_code, nothing.json()["error"]) == (404, "nothing here; there are /healthz, /readyz, /metrics and /runs")
        assert (await client.post("/healthz")).status_code == 405


async def test_an_agent_that_is_not_ready_says_503():
    """For whoever routes by it."""
    async with served(build_admin(status(ready=lambda: False))) as address, httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        assert (await client.get(f"http://{address}/readyz")).status_code == 503


@pytest.mark.parametrize(
    ("host", "answer"), [("127.0.0.1:1", 200), ("localhost", 200), ("[::1]:80", 200), ("agent.example", 200), ("evil.example", 421), ("", 421)]
)
async def test_a_foreign_host_name_is_refused(host, answer):
    """Loopback names and configured ones are answered; a name somebody pointed here is not."""
    async with served(build_admin(status(), ["agent.example"])) as address, httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        assert (await client.get(f"http://{address}/runs", headers={"host": host})).status_code == answer


async def test_half_a_header_does_not_hold_a_connection():
    """A request whose headers do not end is closed at the deadline; a whole one beside it is answered."""
    async with served(build_admin(status()), header_seconds=0.2) as address, asyncio.timeout(10):
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: loc")
        assert await reader.read() == b""
        writer.close()
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as client:
            assert (await client.get(f"http://{address}/healthz")).status_code == 200
            assert (await client.get(f"http://{address}/healthz")).status_code == 200


def test_a_taken_port_is_one_sentence_with_the_cure():
    """It names the address and the key to change."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        with pytest.raises(ListenError) as refused:
            bind(listen, "admin: listen:")
    assert str(refused.value) == f"{listen} is taken, perhaps by another agent; stop what listens there or set admin: listen: in agent.yaml to another port"


def test_an_address_of_another_host_is_one_sentence():
    """An address that is not ours cannot be listened on."""
    with pytest.raises(ListenError) as refused:
        bind("192.0.2.1:8411", "rum: listen:")
    assert str(refused.value) == "cannot listen on 192.0.2.1:8411 (rum: listen: in agent.yaml): Cannot assign requested address"


def test_the_exposition_groups_samples_and_types_them():
    """One TYPE line per name; counters by their ending."""
    text = exposition([("a_total", {"x": "1"}, 1), ("b", {}, 0.5), ("a_total", {"x": "2"}, 2)])
    assert text == '# TYPE a_total counter\na_total{x="1"} 1\na_total{x="2"} 2\n# TYPE b gauge\nb 0.5\n'


async def test_a_neighbour_on_loopback_cannot_say_who_asked():
    """X-Forwarded-For changes nobody's address: whom to believe is for `rum: proxies:` to say."""

    async def who(request: Request) -> PlainTextResponse:
        return PlainTextResponse(request.client.host if request.client else "")

    async with served(Starlette(routes=[Route("/", who)])) as address, httpx2.AsyncClient(trust_env=False, timeout=60) as client:
        assert (await client.get(f"http://{address}/", headers={"x-forwarded-for": "203.0.113.7"})).text == "127.0.0.1"
