"""The grpc runner: health, calls found by reflection, TLS, servers that are something else, and what a file may say."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool  # type: ignore[import-untyped]

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.semconv import FailureKind, Outcome
from sojourn_probes.steps import grpc_reflect
from sojourn_probes.steps.grpc_health import health_word
from sojourn_probes.steps.talk import Broken
from tests.probes.site import answer, site
from tests.probes.steps.grpc_servers import SUM, serving
from tests.probes.steps.tls_servers import listening
from tests.probes.walking import journey, walk

ROOT = Path(__file__).parents[3]


async def ask(port: int, keys: str = "", *expectations: str, timeout: str = "25s", more: str = "", host: str = "localhost", **rest: Any) -> Any:
    expect = f"    expect: {list(expectations)}\n" if expectations else ""
    return await walk(f"id: j\ntimeout: {timeout}\nsteps:\n  - id: s\n    grpc: {{host: {host}, port: {port}{keys and ', '}{keys}}}\n{expect}{more}", **rest)


def call(cart: str, more: str = "") -> str:
    return f"method: shop.Checkout/Total, message: {{cart: {cart}}}{more}"


@pytest.mark.parametrize("service", ["", "service: shop.Checkout"])
async def test_a_service_that_serves(service):
    """SERVING passes by default; phases and the exchange say what was done."""
    async with serving() as port:
        run = await ask(port, service, "health == SERVING", "grpc_status == OK", "connect <= 20s", "wait <= 20s", "json $.status == SERVING")
    assert run.outcome is Outcome.PASSED, run.failure
    exchange = run.attempts[0].steps[0].exchanges[0]
    assert (exchange.protocol, exchange.method, exchange.url) == ("grpc", "GRPC", f"localhost:{port}")
    assert (exchange.peer_address, exchange.peer_port, list(exchange.phases)) == ("127.0.0.1", port, ["resolve", "connect", "wait"])


async def test_a_service_that_does_not_serve():
    """NOT_SERVING fails without any expectation written; an unknown service fails by its status; both can be expected."""
    async with serving() as port:
        ill = await ask(port, "service: shop.Ill")
        unknown = await ask(port, "service: shop.Nobody")
        wanted = await ask(port, "service: shop.Ill", "health == NOT_SERVING")
    assert (ill.failure.kind, ill.failure.message) == (FailureKind.EXPECTATION, "expected health == SERVING, got 'NOT_SERVING'")
    assert unknown.failure.kind is FailureKind.STATUS
    assert unknown.failure.message == f"NOT_FOUND from the health of shop.Nobody at localhost:{port}; expected grpc_status == OK"
    assert wanted.outcome is Outcome.PASSED, wanted.failure


async def test_a_server_without_health():
    """What is not offered is said with its cure."""
    async with serving(health_of={}) as port:
        run = await ask(port)
    assert run.failure.kind is FailureKind.PROTOCOL
    assert run.failure.message.endswith("the server does not offer grpc.health.v1; add it there, or call a method of its own with method:")


async def test_a_call_by_reflection():
    """A method the server tells of is called; its answer is JSON for expectations and extraction."""
    async with serving() as port:
        again = f"  - id: t\n    grpc: {{host: localhost, port: {port}, {call('${steps.s.money}')}}}\n    expect: [json $.cents == 3]\n"
        more = "    extract: {money: {json: $.currency}}\n" + again.replace("${steps.s.money}", '"${steps.s.money}"')
        run = await ask(port, call("mug-1"), "json $.cents == 5", "size > 0", more=more)
    assert run.outcome is Outcome.PASSED, run.failure


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("UNAUTHENTICATED", FailureKind.STATUS),
        ("PERMISSION_DENIED", FailureKind.STATUS),
        ("UNAVAILABLE", FailureKind.STATUS),
        ("INTERNAL", FailureKind.STATUS),
        ("DEADLINE_EXCEEDED", FailureKind.TIMEOUT),
    ],
)
async def test_codes(code, kind):
    """Another status than OK fails with what the server says of it, and can be expected."""
    async with serving() as port:
        run = await ask(port, call(code))
        wanted = await ask(port, call(code), f"grpc_status == {code}")
    assert run.failure.kind is kind
    assert run.failure.message == f"{code} from shop.Checkout/Total at localhost:{port}: as was asked for; expected grpc_status == OK"
    assert wanted.outcome is Outcome.PASSED, wanted.failure


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("method: shop.Nobody/Total", "the server has no service shop.Nobody; it has "),
        ("method: shop.Checkout/Sum", "shop.Checkout has no method Sum; it has Total, Watch"),
        ("method: shop.Checkout/Watch", "shop.Checkout/Watch is a stream; only calls with one message and one answer can be made"),
        ("method: shop.Checkout/Total, message: {kart: x}", "message: shop.Cart has no field kart; it has cart"),
        ("method: shop.Checkout/Total, message: {cart: 7}", "message does not fit shop.Cart: "),
        ('metadata: {x-who: "grüße"}', "metadata x-who has letters gRPC cannot send; only printable ASCII can be"),
    ],
)
async def test_what_the_server_does_not_have(keys, said):
    """A method or field that is not there names those that are."""
    async with serving() as port:
        run = await ask(port, keys)
    assert run.failure.kind is FailureKind.CONFIG, run.failure
    assert run.failure.message.startswith(said)


async def test_no_reflection():
    """A server that tells nothing of itself is said with the cure."""
    async with serving(reflects=False) as port:
        run = await ask(port, call("x"))
    assert run.failure.kind is FailureKind.PROTOCOL
    assert run.failure.message.startswith("the server offers no reflection, by which shop.Checkout/Total is found; switch it on there")


async def test_reflection_that_is_refused_is_not_the_methods_status():
    """A server that lets nobody ask for its methods says so of its reflection; the method was never called, so no status is expected of it."""
    async with serving(reflects=False, refuses="PERMISSION_DENIED") as port:
        run = await ask(port, call("x"), "grpc_status == PERMISSION_DENIED")
    assert run.failure.kind is FailureKind.STATUS
    said = f"PERMISSION_DENIED from the server's reflection at localhost:{port}, by which shop.Checkout/Total is found: members only"
    assert run.failure.message == f"{said}; the method itself was not called"


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"", "UNKNOWN"),
        (b"\x08\x01", "SERVING"),
        (b"\x08\x02\x08\x01", "SERVING"),
        (b"\x12\x02ok\x08\x81\x80\x00", "SERVING"),
        (b"\x12\x02ok", "UNKNOWN"),
        (b"\x08\x09", "9"),
    ],
)
def test_health_is_read_however_it_is_written(raw, word):
    """The last of several numbers counts, long forms are the same number, unknown fields are passed over."""
    assert health_word(raw) == word


@pytest.mark.parametrize("raw", [b"\x08", b"<html>", b"\xff" * 12])
def test_what_is_no_health_is_said(raw):
    """What is no message at all."""
    with pytest.raises(Broken, match=r"^the answer is none of grpc\.health\.v1$"):
        health_word(raw)


async def test_the_exchange_carries_the_standard_names():
    """A span of a call can be found by its method and status."""
    async with serving() as port:
        good, bad = await ask(port, call("mug")), await ask(port, call("UNAVAILABLE"))
        health = await ask(port)
    named = [run.attempts[0].steps[0].exchanges[0].attributes for run in (good, bad, health)]
    call_of = {"rpc.system.name": "grpc", "rpc.method": "shop.Checkout/Total"}
    assert named[:2] == [call_of | {"rpc.response.status_code": status} for status in ("OK", "UNAVAILABLE")]
    assert named[2]["rpc.method"] == "grpc.health.v1.Health/Check"


async def test_deadline():
    """A server that takes too long is given up at the step's deadline; how far it came is kept."""
    async with serving() as port:
        run = await ask(port, call("slow"), timeout="3s")
    assert run.failure.kind is FailureKind.TIMEOUT
    assert run.failure.message.endswith("the server took the connection and does not answer the call")
    assert "connect" in run.attempts[0].steps[0].exchanges[0].phases


async def test_a_huge_answer():
    """An answer beyond max_body is not read."""
    async with serving() as port:
        run = await ask(port, call("huge", ", max_body: 10 KB"))
        enough = await ask(port, call("huge"))
        tiny = await ask(port, call("mug", ", max_body: 20 B"))
    assert run.failure.kind is FailureKind.CONTENT
    assert run.failure.message == f"shop.Checkout/Total at localhost:{port} answered 100.0 KB, more than 10.0 KB (max_body)"
    assert tiny.outcome is Outcome.PASSED, tiny.failure  # reflection takes more than that, and has a limit of its own
    assert enough.outcome is Outcome.PASSED, enough.failure


async def test_nobody_listens():
    """A refused connection is one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    run = await ask(port, host="127.0.0.1")
    assert run.failure.kind is FailureKind.CONNECT
    assert run.failure.message.startswith(f"127.0.0.1:{port}: the connection was refused")


async def test_a_web_server():
    """A port where HTTP/1 is spoken is told from one where nobody listens."""

    async def serve(asked):
        return answer(400)

    async with site(serve) as served:
        port = int(served.url.rpartition(":")[2].strip("/"))
        run = await ask(port, host="127.0.0.1")
    assert run.failure.kind is FailureKind.PROTOCOL
    assert run.failure.message == f"127.0.0.1:{port}: takes connections but no gRPC came about in plain text (it may want tls: true); look at the port"


def certified(folder: Path, *, clients: bool = False) -> Any:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    authority.issue_cert("probe.example").private_key_and_cert_chain_pem.write_to_path(str(folder / "client.pem"))
    trustme.CA().cert_pem.write_to_path(str(folder / "other.pem"))
    own = authority.issue_cert("localhost", "shop.example")
    pair = (own.private_key_pem.bytes(), b"".join(one.bytes() for one in own.cert_chain_pems))
    return grpc.ssl_server_credentials([pair], authority.cert_pem.bytes() if clients else None, clients)


async def test_tls(tmp_path):
    """The authorities given are trusted and no others; the name is that of the host or of server_name."""
    async with serving(tls=certified(tmp_path)) as port:
        good = await ask(port, "tls: {ca_file: ca.pem}", path=tmp_path / "j.yaml")
        named = await ask(port, "tls: {ca_file: ca.pem, server_name: shop.example}", host="127.0.0.1", path=tmp_path / "j.yaml")
        strange = await ask(port, "tls: {ca_file: other.pem}", path=tmp_path / "j.yaml")
        misnamed = await ask(port, "tls: {ca_file: ca.pem}", host="127.0.0.1", path=tmp_path / "j.yaml")
        missing = await ask(port, "tls: {ca_file: none.pem}", path=tmp_path / "j.yaml")
    assert good.outcome is Outcome.PASSED, good.failure
    assert named.outcome is Outcome.PASSED, named.failure
    assert [run.failure.kind for run in (strange, misnamed, missing)] == [FailureKind.TLS, FailureKind.TLS, FailureKind.CONFIG]
    assert "is not for 127.0.0.1" in misnamed.failure.message


async def test_client_certificates(tmp_path):
    """A server that wants a certificate gets one, and refuses who has none."""
    async with serving(tls=certified(tmp_path, clients=True)) as port:
        good = await ask(port, "tls: {ca_file: ca.pem, cert_file: client.pem}", path=tmp_path / "j.yaml")
        bad = await ask(port, "tls: {ca_file: ca.pem}", path=tmp_path / "j.yaml", timeout="20s")
    assert good.outcome is Outcome.PASSED, good.failure
    assert bad.failure.kind is FailureKind.TLS
    assert bad.failure.message == f"localhost:{port}: the server wants a client certificate; give one with cert_file and key_file"


async def test_what_is_sent_along():
    """Metadata, the trace of this very exchange, and the probe mark to the journey's own origin alone; no secret is in any output."""
    seen: list[dict[str, str]] = []

    async def total(asked, context):
        seen.append(dict(context.invocation_metadata()))
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, f"not with {seen[-1]['authorization']}")
        return SUM()

    async with serving(total) as port:
        text = f"id: j\nbase_url: http://localhost:{port}\nsteps:\n"
        for number, host in enumerate(("localhost", "127.0.0.1")):
            keys = call("x", ', metadata: {authorization: "Bearer ${secrets.token}"}')
            text += f"  - id: s{number}\n    continue_on_error: true\n    grpc: {{host: {host}, port: {port}, {keys}}}\n"
        run = await walk(text, environ={"SOJOURN_SECRET_TOKEN": "canary-7c1f"}, mark=lambda run_id: "the-mark")
    assert [one["authorization"] for one in seen] == ["Bearer canary-7c1f"] * 2
    assert [one.get("x-sojourn-probe") for one in seen] == ["the-mark", None]
    steps = run.attempts[0].steps
    assert [one["traceparent"] for one in seen] == [f"00-{run.trace_id}-{step.exchanges[0].span_id}-01" for step in steps]
    assert "PERMISSION_DENIED" in steps[0].failure.message
    assert "canary-7c1f" not in repr(run)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("service: a.B, method: a.B/C", "service asks for health and method makes a call; keep one"),
        ("message: {a: 1}", "message is for a call; add method:, such as shop.Checkout/Total"),
        ("tls: {verify: false}", "verify: false is not possible with gRPC; give the server's certificate or its authority as ca_file"),
        ("tls: {min_version: 1.3}", "min_version cannot be set with gRPC; remove it"),
        ("metadata: {authorization: Bearer abc}", "authorization is a secret and must not stand in the file"),
        ("metadata: {grpc-timeout: 1S}", "grpc-timeout is set by gRPC itself; remove it"),
        ("metadata: {x-bin: abc}", "x-bin would hold bytes, which a journey cannot write; remove it"),
    ],
)
def test_refused(keys, said):
    """What cannot be done is refused with its cure."""
    with pytest.raises(JourneyFileError) as caught:
        journey(f"id: j\nsteps:\n  - id: s\n    grpc: {{host: h, port: 1, {keys}}}\n")
    assert said in str(caught.value)


async def test_reset_on_the_way():
    """A server that takes connections and closes them speaks no gRPC."""

    async def closes(reader, writer):
        await reader.read(10)

    async with listening(closes) as port:
        run = await ask(port, host="127.0.0.1")
    assert run.failure.kind is FailureKind.PROTOCOL, run.failure


async def test_the_grpc_example():
    """configs/journeys/examples/grpc.yaml passes against a service that is well."""
    text = (ROOT / "configs/journeys/examples/grpc.yaml").read_text().replace("host: checkout.example", "host: localhost")
    text = text.replace("connect > 300ms", "connect > 30s").replace("wait > 500ms", "wait > 30s")
    async with serving() as port:
        run = await walk(text.replace("port: 50051", f"port: {port}"))
    assert run.outcome is Outcome.PASSED, run.failure


async def test_what_a_server_tells_of_itself_is_bounded(monkeypatch):
    """Reflection that tells more than is read ends the step, not the agent's memory."""
    monkeypatch.setattr(grpc_reflect, "MOST_BYTES", 20)
    async with serving() as port:
        run = await ask(port, call("x"))
    assert run.failure.kind is FailureKind.CONTENT
    assert run.failure.message.startswith("the server's reflection tells more than 500 files")


async def test_a_connection_that_breaks_in_the_call_is_not_a_status():
    """A server that dies in the middle answered nothing: that is protocol, also where a step would take UNAVAILABLE for an answer."""
    began = asyncio.Event()

    async def dies(asked, context):
        began.set()
        await asyncio.sleep(60)

    async with serving(dies) as port, cut_off(port, began) as way:
        run = await ask(way, call("x"), "grpc_status == UNAVAILABLE")
    assert run.failure.kind is FailureKind.PROTOCOL
    assert run.failure.message.startswith(f"localhost:{way}: the connection broke in the call; ")


@asynccontextmanager
async def cut_off(port: int, when: asyncio.Event) -> AsyncIterator[int]:
    """A way to `port` that is cut once `when` is set."""

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)

    async def through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, back = await asyncio.open_connection("127.0.0.1", port)
        both = [asyncio.ensure_future(pipe(reader, back)), asyncio.ensure_future(pipe(onward, writer))]
        await when.wait()
        writer.transport.abort()
        back.transport.abort()
        await asyncio.gather(*both)

    async with await asyncio.start_server(through, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(("name", "most"), [("MOST_FILES", 0), ("MOST_IMPORTS", -1)])
async def test_what_is_made_of_too_much_is_not_read(monkeypatch, name, most):
    """Neither very many files nor very many imports keep the agent busy."""
    monkeypatch.setattr(grpc_reflect, name, most)
    async with serving() as port:
        run = await ask(port, call("x"))
    assert run.failure.kind is FailureKind.CONTENT


def test_an_answer_within_an_answer_without_end_is_protocol():
    """`Any` within `Any`, two thousand deep, is the server's fault and not ours."""
    pool, file = descriptor_pool.DescriptorPool(), descriptor_pb2.FileDescriptorProto()
    any_pb2.DESCRIPTOR.CopyToProto(file)
    pool.Add(file)
    deep = descriptor_pb2.FileDescriptorProto(name="s.proto", package="s", syntax="proto3", dependency=[file.name])
    deep.service.add(name="S").method.add(name="M", input_type=".google.protobuf.Any", output_type=".google.protobuf.Any")
    pool.Add(deep)
    method = grpc_reflect.Method(pool.FindServiceByName("s.S").methods_by_name["M"], pool)
    answer = any_pb2.Any()
    for _ in range(2000):
        answer = any_pb2.Any(type_url="type.googleapis.com/google.protobuf.Any", value=answer.SerializeToString())
    with pytest.raises(Broken, match=r"^the answer is no google\.protobuf\.Any \(RecursionError\)$"):
        method.answer(answer.SerializeToString())


async def test_nothing_is_left_behind():
    """After steps that passed, failed and were cut off there are no more tasks and threads than after the first."""
    async with serving() as port:
        await ask(port, call("mug"))
        before = (len(asyncio.all_tasks()), threading.active_count())
        for cart, timeout in (("mug", "25s"), ("INTERNAL", "25s"), ("slow", "2s")):
            await ask(port, call(cart), timeout=timeout)
        async with asyncio.timeout(20):
            while (len(asyncio.all_tasks()), threading.active_count()) > before:
                await asyncio.sleep(0.05)
