"""The agent as a process: from a journey file to a receiver, through outages and kill -9, and what it says when it cannot start."""

import json
import signal
import socket
import subprocess
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sojourn_agent.cli import main
from sojourn_probes.marks import verify_mark
from tests.agent.receiver import Answer, Receiver, listening
from tests.processes import free_port, get_json, program, stop, until

JOURNEY = """id: browse
base_url: {shop}
interval: 1s
steps:
  - id: home
    http: {{url: /}}
    expect: [status == 200]
"""


class Shop:
    """A page on loopback that notes the headers it was asked with."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.url = ""


@contextmanager
def open_shop() -> Iterator[Shop]:
    """Serve it."""
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shop.asked.append({key.lower(): value for key, value in self.headers.items()})
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    shop.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def configure(folder: Path, shop: str, collector: str, more: str = "") -> Path:
    """agent.yaml with one journey."""
    (folder / "journeys").mkdir(exist_ok=True)
    (folder / "journeys/browse.yaml").write_text(JOURNEY.format(shop=shop))
    (folder / "probe_key").write_text("a probe key\n")
    path = folder / "agent.yaml"
    path.write_text(
        f'location: here\njourneys: journeys\ndata: data\nsend: [{{name: collector, url: "{collector}"}}]\nadmin: {{listen: "127.0.0.1:0"}}\n'
        f"probe_keys: [{{id: k1, file: probe_key}}]\nhost: {{loop_lag: 60s}}  # a busy machine is not what is tested\n{more}"
    )
    return path


@contextmanager
def agent(config: Path, **environ: str) -> Iterator[subprocess.Popen[bytes]]:
    """The daemon, once it says where it listens."""
    runtime = config.parent / "data/agent.json"
    runtime.unlink(missing_ok=True)
    with program("sojourn_agent.cli", "run", "--config", str(config), log=config.parent / "agent.log", env=environ) as process:
        until(runtime.exists, what=f"the agent ({(config.parent / 'agent.log').read_text()})")
        yield process


def ask(config: Path, path: str) -> Any:
    """An answer of the admin listener."""
    return get_json(f"http://{json.loads((config.parent / 'data/agent.json').read_text())['admin']}{path}")


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs one of the agent's commands to its end, in this process."""

    def run(name: str, config: Path, *more: str) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([name, "--config", str(config), *more])
        out, err = capsys.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return run


def attribute(span: Any, key: str) -> Any:
    """One attribute of a span, as text."""
    return next((pair.value.string_value for pair in span.attributes if pair.key == key), None)


def test_a_journey_becomes_a_trace_at_the_receiver(tmp_path):
    """Root, step and exchange arrive whole; the shop saw the same trace and a mark that verifies. A host that switches OpenTelemetry off changes nothing."""
    with open_shop() as shop, listening(Receiver()) as receiver:
        config = configure(tmp_path, shop.url, receiver.url)
        with agent(config, OTEL_SDK_DISABLED="true", OTEL_TRACES_SAMPLER="always_off") as process:
            until(receiver.spans, what="spans")
            assert ask(config, "/runs")["runs"][0]["outcome"] == "passed"
            assert ask(config, "/healthz")["status"] == "ok"
            assert stop(process) == 0
        root, at_step, asked = receiver.spans()[:3]
        assert (root.name, at_step.name, asked.name) == ("journey browse", "step home", "GET")
        trace = root.trace_id.hex()
        seen = next(headers for headers in shop.asked if headers["traceparent"].split("-")[1] == trace)
        assert seen["traceparent"].split("-")[2] == asked.span_id.hex()
        mark = verify_mark(seen["x-sojourn-probe"], {"k1": b"a probe key"}, root.start_time_unix_nano / 1e9)
        assert mark is not None
        assert mark.run_id == attribute(root, "sojourn.run.id")
    assert len({asked.batch for asked in receiver.asked}) == len(receiver.asked), "each batch was sent once"


def test_a_collector_that_was_down_gets_everything_once(tmp_path):
    """Runs of the outage wait on disk and arrive when the collector is there, none missing, none twice."""
    with open_shop() as shop:
        port = free_port()
        config = configure(tmp_path, shop.url, f"http://127.0.0.1:{port}")
        with agent(config) as process:
            until(lambda: ask(config, "/healthz")["destinations"]["collector"]["waiting"] >= 3, what="a backlog")
            assert "cannot be reached" in ask(config, "/healthz")["destinations"]["collector"]["trouble"]
            with listening(Receiver(), port) as receiver:
                until(lambda: len(receiver.accepted) >= 4, what="the backlog at the receiver")
                runs = {run["run_id"] for run in ask(config, "/runs")["runs"]}
                until(lambda: runs <= {attribute(span, "sojourn.run.id") for span in receiver.spans()}, what="every run")
                stop(process)
    batches = [asked.batch for asked in receiver.accepted]
    assert len(batches) == len(set(batches))


def test_kill_minus_9_loses_nothing_acknowledged_and_changes_no_id(tmp_path):
    """Killed while the collector answers 503, the next agent sends the same batches under the same ids; each arrives once."""
    up = False
    with open_shop() as shop, listening(Receiver(lambda n, asked: Answer() if up else Answer(503))) as receiver:
        config = configure(tmp_path, shop.url, receiver.url)
        with agent(config) as process:
            until(lambda: ask(config, "/healthz")["spool"]["appended"] >= 3, what="some runs in the spool")
            known = {run["run_id"] for run in ask(config, "/runs")["runs"][1:]}
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        tried = {asked.batch: asked.wire for asked in receiver.asked}
        up = True
        with agent(config):
            until(lambda: known <= {attribute(span, "sojourn.run.id") for span in receiver.spans()}, what="the runs from before the kill")
    arrived = {asked.batch: asked.wire for asked in receiver.accepted}
    assert tried.items() <= arrived.items()
    assert len(receiver.accepted) == len(arrived)


def test_a_beacon_answered_with_204_survives_kill_minus_9(tmp_path):
    """Beacons taken while the collector is away and answered with 204 arrive after the agent was killed, each once."""
    with listening(Receiver()) as receiver:
        port = free_port()
        config = configure(tmp_path, "http://127.0.0.1:1", f"http://127.0.0.1:{port}", BEACONS)
        with agent(config) as process:
            address = json.loads((tmp_path / "data/agent.json").read_text())["rum"]
            answers = [send_beacon(f"http://{address}/v1/beacons", f"visit-{n}") for n in range(20)]
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        assert answers == [204] * 20
        config.write_text(config.read_text().replace(f"127.0.0.1:{port}", f"127.0.0.1:{receiver.port}"))
        with agent(config):
            until(lambda: len(visits(receiver)) >= 20, what="all beacons")
    assert sorted(visits(receiver)) == sorted(f"visit-{n}" for n in range(20))


BEACONS = 'rum: {listen: "127.0.0.1:0", apps: {shop: {origins: ["http://shop.example"], bots: keep}}}\n'


def send_beacon(url: str, session: str) -> int:
    """One page view of a visit; the status it was answered with."""
    now = int(time.time() * 1000)
    beacon = {
        "v": 1, "id": str(uuid.uuid4()), "app": "shop", "sent": now, "session": {"id": session, "start": now}, "consent": "unknown", "sample_rate": 1,
        "page": {"id": "0123456789abcdef", "url": "http://shop.example/"},
        "device": {"type": "desktop", "browser": "Chrome 156", "os": "Linux", "language": "en", "webdriver": False},
        "items": [{"type": "page_view", "at": now, "duration": 5, "trace": "1" * 32, "span": "2" * 16, "url": "http://shop.example/", "nav": "navigate"}],
    }  # fmt: skip
    request = urllib.request.Request(url, json.dumps(beacon).encode(), {"content-type": "text/plain", "origin": "http://shop.example"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return int(answer.status)


def visits(receiver: Receiver) -> list[str]:
    """The session of every page view that arrived."""
    once = {asked.batch: asked for asked in receiver.accepted if asked.path == "/v1/traces"}
    return [
        pair.value.string_value
        for asked in once.values()
        for resource in asked.message.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        for pair in (*resource.resource.attributes, *span.attributes)
        if pair.key == "session.id"
    ]


def test_drain_sends_what_waits_and_dead_letters_lists_what_was_refused(tmp_path, command):
    """After an outage `drain` empties the spool, `dead-letters` shows the batch refused for good, a running agent is not disturbed."""
    with open_shop() as shop, listening(Receiver(lambda n, _: Answer(400, body=b"bad") if n == 0 else Answer())) as receiver:
        config = configure(tmp_path, shop.url, f"http://127.0.0.1:{free_port()}")
        with agent(config):
            until(lambda: ask(config, "/healthz")["spool"]["appended"] >= 2, what="runs in the spool")
            busy = command("drain", config)
            assert (busy.code, busy.err.startswith(f"the spool at {tmp_path}/data/spool is in use by process ")) == (2, True)
        away = command("drain", config, "--timeout", "3")
        assert away.code == 1
        assert "still wait: http://127.0.0.1:" in away.out
        configure(tmp_path, shop.url, receiver.url)
        drained = command("drain", config)
        assert (drained.code, drained.out) == (0, f"collector: sent {len(receiver.accepted)} batches, 1 to the dead letters\n")
        listed = command("dead-letters", config)
        assert f"{receiver.asked[0].batch}  traces   collector answered 400: bad" in listed.out
        assert json.loads(command("dead-letters", config, "--json").out)["batch"] == receiver.asked[0].batch


def test_a_journey_gone_bad_runs_on_as_it_was(tmp_path):
    """The problem is in /healthz, the log has it once, runs go on; mended, the alarm is gone."""
    with open_shop() as shop, listening(Receiver()) as receiver:
        config = configure(tmp_path, shop.url, receiver.url)
        path = tmp_path / "journeys/browse.yaml"
        with agent(config):
            until(receiver.spans, what="a run")
            path.write_text("id: browse\nsteps: 7\n")
            alarms = until(lambda: ask(config, "/healthz")["alarms"], what="the alarm")
            assert alarms == [f"{path}:2:8: steps: wants a list (lines beginning with -), not 7\n{path}: the last good one of browse runs on"]
            before = len(receiver.spans())
            until(lambda: len(receiver.spans()) > before + 3, what="runs after the change")
            path.write_text(JOURNEY.format(shop=shop.url).replace("id: home", "id: start"))
            until(lambda: ask(config, "/healthz")["alarms"] == [], what="no alarm")
            until(lambda: any(span.name == "step start" for span in receiver.spans()), what="a run of the new file")
        assert (tmp_path / "agent.log").read_text().count("wants a list") == 1


@pytest.mark.parametrize(
    ("more", "break_it", "said"),
    [
        ("spol: {}\n", None, "{folder}/agent.yaml:8:1: spol: is not known here; did you mean spool?\n"),
        ("", "id: browse\nsteps: []\n", "{folder}/journeys/browse.yaml:2:8: steps: is empty; give it something\n"),
        (
            "",
            JOURNEY.format(shop="http://127.0.0.1:1").replace("{url: /}", '{url: "/${env.SOJOURN_NOT_SET}"}'),
            "{folder}/journeys/browse.yaml:6:17: ${{env.SOJOURN_NOT_SET}}: environment variable SOJOURN_NOT_SET is not set; export it before the start\n",
        ),
        ("", "probe_key", "probe_keys: k1: {folder}/probe_key cannot be read: No such file or directory\n"),
    ],
)
def test_what_is_wrong_at_the_start_is_exit_2_and_a_sentence(tmp_path, command, more, break_it, said):
    """Unknown key, bad journey, missing environment variable, missing key: said in a line, nothing else, exit 2."""
    config = configure(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:1", more)
    if break_it == "probe_key":
        (tmp_path / "probe_key").unlink()
    elif break_it is not None:
        (tmp_path / "journeys/browse.yaml").write_text(break_it)
    done = command("run", config)
    assert (done.code, done.err, done.out) == (2, said.format(folder=tmp_path), "")


def test_a_taken_port_at_the_start_is_exit_2_and_a_sentence(tmp_path, command):
    """The admin listener's port is somebody else's."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        listen = f"127.0.0.1:{other.getsockname()[1]}"
        config = configure(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:1")
        config.write_text(config.read_text().replace('admin: {listen: "127.0.0.1:0"}', f'admin: {{listen: "{listen}"}}'))
        done = command("run", config)
    assert (done.code, done.err) == (
        2,
        f"{listen} is taken, perhaps by another agent; stop what listens there or set admin: listen: in agent.yaml to another port\n",
    )


def test_check_says_a_line_for_each_part(tmp_path, command):
    """Config, journeys, secrets, browser, the destination; exit 1 when one is not as it should be."""
    with listening(Receiver()) as receiver:
        config = configure(tmp_path, "http://127.0.0.1:1", receiver.url)
        fine = command("check", config)
        assert fine.code == 0, fine.out
        assert [line.split()[:2] for line in fine.out.splitlines()] == [[part, "ok"] for part in ("config", "journeys", "secrets", "browser", "collector")]
    away = command("check", config)
    assert away.code == 1
    assert f"collector  NOT OK  {receiver.url} cannot be reached" in away.out
