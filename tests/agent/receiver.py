"""A plain OTLP/HTTP receiver on loopback, built on opentelemetry-proto alone: keeps every request, answers as it is told."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MESSAGES: dict[str, Any] = {"/v1/traces": ExportTraceServiceRequest, "/v1/logs": ExportLogsServiceRequest, "/v1/metrics": ExportMetricsServiceRequest}


@dataclass
class Asked:
    """One request as it came: `wire` is the body before gunzip, `message` the parsed OTLP, `answered` the status it got."""

    path: str
    headers: dict[str, str]
    wire: bytes
    message: Any
    answered: int

    @property
    def batch(self) -> str:
        """Its batch id."""
        return self.headers["idempotency-key"]


@dataclass
class Answer:
    """What to say: status, headers, body; `drop` closes the connection without a word, after the request was kept."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    drop: bool = False


@dataclass
class Receiver:
    """`say` decides the answer from the number of the request (from 0) and the request itself."""

    say: Callable[[int, Asked], Answer] = lambda number, asked: Answer()
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    open_now: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def accepted(self) -> list[Asked]:
        """The requests answered with 200."""
        return [asked for asked in self.asked if asked.answered == 200]

    def spans(self) -> list[Any]:
        """Every span of the accepted requests; one id once, as a ledger would have it."""
        once = {asked.batch: asked for asked in self.accepted if asked.path == "/v1/traces"}
        return [span for asked in once.values() for resource in asked.message.resource_spans for scope in resource.scope_spans for span in scope.spans]


@contextmanager
def listening(receiver: Receiver, port: int = 0) -> Iterator[Receiver]:
    """Serve `receiver` in a thread."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            with lock:
                receiver.open_now += 1
            try:
                self.answer()
            finally:
                with lock:
                    receiver.open_now -= 1

        def do_PUT(self) -> None:
            self.do_POST()

        def answer(self) -> None:
            wire = self.rfile.read(int(self.headers["content-length"]))
            raw = gzip.decompress(wire) if self.headers.get("content-encoding") == "gzip" else wire
            asked = Asked(self.path, {key.lower(): value for key, value in self.headers.items()}, wire, None, 0)
            if self.path in MESSAGES:
                asked.message = MESSAGES[self.path].FromString(raw)
            with lock:
                answer = receiver.say(len(receiver.asked), asked)
                asked.answered = 0 if answer.drop else answer.status
                receiver.asked.append(asked)
            if answer.drop:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for key, value in {"content-length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A sender that goes away is part of the tests."""

    server = Server(("127.0.0.1", port), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
