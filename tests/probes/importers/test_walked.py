"""What was imported is walked against real servers on loopback, and asks and judges as the other tool did."""

import asyncio

from sojourn_probes.semconv import Outcome
from tests.probes.importers.importing import imported
from tests.probes.steps import grpc_servers, test_dns, test_websocket
from tests.probes.walking import walk


async def pong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A little Redis: PONG after the right password, else an error."""
    said = await reader.read(100)
    writer.write(b"+OK\r\n+PONG\r\n" if said == b"AUTH open-sesame\r\nPING\r\n" else b"-WRONGPASS\r\n")
    await writer.drain()
    writer.close()


async def test_gatus_of_every_kind_walks():
    """DNS, gRPC, WebSocket and TCP endpoints pass where Gatus' conditions hold, and one that does not hold fails."""
    async with (
        test_dns.serving(test_dns.zone) as names,
        grpc_servers.serving() as calls,
        test_websocket.serving(test_websocket.echo) as live,
        await asyncio.start_server(pong, "127.0.0.1", 0) as redis,
    ):
        text = f"""
endpoints:
  - {{name: dns, url: "127.0.0.1:{names}", dns: {{query-name: shop.test, query-type: A}}, conditions: ["[DNS_RCODE] == NOERROR", "[BODY] == 192.0.2.1"]}}
  - {{name: gone, url: "127.0.0.1:{names}", dns: {{query-name: no.test, query-type: A}}, conditions: ["[DNS_RCODE] == NXDOMAIN"]}}
  - {{name: other, url: "127.0.0.1:{names}", dns: {{query-name: shop.test, query-type: A}}, conditions: ["[BODY] == 192.0.2.9"]}}
  - {{name: grpc, url: "grpc://localhost:{calls}", conditions: ["[BODY].status == SERVING"]}}
  - {{name: live, url: "ws://127.0.0.1:{live}/", body: hello, conditions: ["[CONNECTED] == true", "[BODY] == pat(*welcome*)"]}}
  - {{name: redis, url: "tcp://127.0.0.1:{redis.sockets[0].getsockname()[1]}", body: "AUTH open-sesame\\r\\nPING\\r\\n", conditions: ["[BODY] == pat(*PONG*)"]}}
"""
        texts = imported("gatus", text).texts
        runs = {key: await walk(one, environ={"SOJOURN_SECRET_PASSWORD": "open-sesame"}) for key, one in texts.items()}
    assert {key: (run.outcome, run.failure) for key, run in runs.items() if run.outcome is not Outcome.PASSED} == {
        "other": (Outcome.FAILED, runs["other"].failure)
    }
    assert list(runs) == ["dns", "gone", "other", "grpc", "live", "redis"]


async def test_a_module_with_its_dialog_walks():
    """The exporter ends what it sends with a line end of its own, and waits before it sends on."""

    async def irc(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b":irc NOTICE welcome\r\n")
        assert await reader.readline() == b"NICK probe\n"
        writer.write(b":irc 001 probe\r\n")
        await writer.drain()
        assert await reader.readline() == b"QUIT\n"
        writer.close()

    async with await asyncio.start_server(irc, "127.0.0.1", 0) as server:
        text = """
modules:
  irc:
    prober: tcp
    tcp:
      query_response:
        - {send: NICK probe, expect: "^:irc NOTICE"}
        - {expect: "^:[^ ]+ 001", send: QUIT}
"""
        found = imported("blackbox", text, targets=(f"127.0.0.1:{server.sockets[0].getsockname()[1]}",))
        run = await walk(next(iter(found.texts.values())))
    assert run.outcome is Outcome.PASSED, run.failure
