"""`sojourn-collector`: exit codes, one sentence for what is wrong, keys, and a clean end."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from sojourn_collector.cli import main
from sojourn_collector.config import ImpactConfig
from sojourn_collector.impact_version import content_of, version_of
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.record import Record
from tests.collector.process import CollectorProcess, alive

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration on free ports."""
    (tmp_path / "journeys").mkdir()
    path = tmp_path / "collector.yaml"
    path.write_text('otlp: {listen: "127.0.0.1:0"}\nweb: {listen: "127.0.0.1:0"}\n')
    return path


def test_a_taken_port(config: Path, capsys):
    """A taken port stops the start with exit 2 and one sentence that names port and key."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(f'web: {{listen: "127.0.0.1:{port}"}}\notlp: {{listen: "127.0.0.1:0"}}\n')
        assert main(["run", "--config", str(config)]) == 2
    said = f"127.0.0.1:{port} is taken by another program: stop that program or give web.listen another address in collector.yaml"
    assert capsys.readouterr().err == f"sojourn-collector: {said}\n"


def test_a_bad_configuration(config: Path, capsys):
    """An unknown key stops with exit 2 and its place."""
    config.write_text("wob: 1\n")
    assert main(["run", "--config", str(config)]) == 2
    assert capsys.readouterr().err == (
        f"sojourn-collector: {config}:1:1: wob: unknown key; known here: data, journeys, impact, otlp, web, control, engine, "
        "probe_keys, limits, forward, evidence, keep, sources, signed, feeds\n"
    )


def test_a_missing_probe_key(config: Path, capsys):
    """A probe key that is nowhere stops the start and says where it was looked for."""
    config.write_text(config.read_text() + "probe_keys: [{id: k1, env: SOJOURN_NO_SUCH_KEY}]\n")
    assert main(["run", "--config", str(config)]) == 2
    said = "probe key k1: the environment variable SOJOURN_NO_SUCH_KEY is empty; put the key there or drop it from collector.yaml"
    assert capsys.readouterr().err == f"sojourn-collector: {said}\n"


@pytest.mark.parametrize(
    ("otlp", "line"),
    [
        ('listen: "127.0.0.1:0"', ""),
        ('listen: "127.0.0.1:0", grpc: "127.0.0.1:0"', "ok   OTLP address of gRPC: 127.0.0.1:0 is free\n"),
        ('listen: "0.0.0.0:0", grpc: "0.0.0.0:0", insecure: true', "ok   OTLP address of gRPC: 0.0.0.0:0 is free\n"),
        ('listen: "127.0.0.1:0", grpc: "0.0.0.0:0", tls: {cert_file: server.pem}', "ok   OTLP address of gRPC: 0.0.0.0:0 is free\n"),
        (
            'listen: "127.0.0.1:0", grpc: "127.0.0.1:TAKEN"',
            "BAD  OTLP address of gRPC: 127.0.0.1:TAKEN is taken by another program: stop that program or give otlp.grpc another address in collector.yaml\n",
        ),
    ],
)
def test_check_looks_at_every_address(config: Path, capsys, otlp: str, line: str):
    """A line for OTLP over HTTP, one for gRPC where it is wanted, one for the report; exit 1 with a taken one."""
    authority = trustme.CA()
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(config.parent / "server.pem"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        config.write_text(f'otlp: {{{otlp.replace("TAKEN", port)}}}\nweb: {{listen: "127.0.0.1:0"}}\n')
        assert main(["check", "--config", str(config)]) == line.startswith("BAD")
    said = capsys.readouterr().out
    assert "ok   OTLP address: " in said
    assert "ok   web address: 127.0.0.1:0 is free\n" in said
    assert ("of gRPC" in said) == bool(line)
    assert line.replace("TAKEN", port) in said


def test_check_says_what_a_changed_weight_will_change(config: Path, capsys, monkeypatch):
    """The version without a database; with one, since when nothing changed, or what a start with the present file would change; it writes nothing down."""
    monkeypatch.setattr("sojourn_collector.cli_check._engine", lambda _: "starts")
    impact = config.parent / "impact.yaml"
    impact.write_text("")
    config.write_text("otlp: {listen: '127.0.0.1:0'}\nweb: {listen: '127.0.0.1:0'}\nimpact: impact.yaml\n")

    def said() -> str:
        assert main(["check", "--config", str(config)]) == 0
        return str(capsys.readouterr().out)

    usual = content_of(ImpactConfig())
    assert f"ok   windows and worth: {impact}, version {version_of(usual)}\n" in said()
    assert "weights" not in said()
    (config.parent / "data").mkdir(exist_ok=True)
    control = Control.open(config.parent / "data/control.sqlite")
    assert f"ok   weights: version {version_of(usual)}, the first that will be written down\n" in said()
    asyncio.run(control.impact_versions.remember(version_of(usual), usual, datetime(2026, 3, 1, 8, tzinfo=UTC)))
    assert f"ok   weights: version {version_of(usual)}, nothing changed since 2026-03-01 08:00Z\n" in said()
    impact.write_text("severities: {left: 0.6}\nmin_hit: 20\n")
    assert "; a start with it changes min_hit 30 → 20, severities.left 0.8 → 0.6\n" in said()
    assert len(asyncio.run(control.impact_versions.list())) == 1
    control.close()


def test_keys_are_made_listed_and_revoked(config: Path, capsys):
    """`key create` prints the line to paste once; `list` never shows a secret; a revoked key says so; revoking twice is refused."""
    assert main(["key", "create", "--name", "shop", "--scope", "sources", "--config", str(config)]) == 0
    line = capsys.readouterr().out.splitlines()[-1]
    assert line.startswith("export SOJOURN_KEY=sj_")
    ident, secret = line.removeprefix("export SOJOURN_KEY=sj_").split("_")
    assert main(["key", "list", "--config", str(config)]) == 0
    listed = capsys.readouterr().out
    assert ident in listed
    assert secret not in listed
    assert main(["key", "revoke", ident, "--config", str(config)]) == 0
    assert main(["key", "revoke", ident, "--config", str(config)]) == 2
    assert capsys.readouterr().err == f"sojourn-collector: there is no valid key {ident}; see: sojourn-collector key list\n"


def test_a_key_is_rotated_with_overlap(config: Path, capsys):
    """The new one is printed once, the old one is good until its end; what cannot be rotated is one sentence."""
    given = ["--config", str(config)]
    main(["key", "create", "--name", "shop", "--scope", "otlp", "--json", *given])
    ident = json.loads(capsys.readouterr().out)["id"]
    assert main(["key", "rotate", ident, "--overlap", "1d", *given]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"# Key {ident} is good for 1d more.\n# Key ")
    assert said.splitlines()[-1].startswith("export SOJOURN_KEY=sj_")
    main(["key", "list", *given])
    listed = capsys.readouterr().out.splitlines()
    assert sorted(line.split("  ")[-1].split(" ")[0] for line in listed) == ["good", "valid"]
    for wrong, sentence in (
        (["rotate", ident], f"there is no key {ident} to rotate; see: sojourn-collector key list"),
        (["rotate", ident, "--overlap", "100000000d"], "--overlap: '100000000d' is too long; write at most 3650d"),
        (["rotate", ident, "--overlap", "soon"], "--overlap: 'soon' is not a duration; write a number with ms, s, m, h or d, such as 30m"),
    ):
        assert main(["key", *wrong, *given]) == 2
        assert capsys.readouterr().err == f"sojourn-collector: {sentence}\n"


def test_report_without_a_collector(config: Path, capsys):
    """`report` says that nothing runs and how to start it."""
    assert main(["report", "--config", str(config)]) == 2
    assert (
        capsys.readouterr().err == f"sojourn-collector: no collector runs on {config.parent / 'data'}; start it with: sojourn-collector run --config {config}\n"
    )


async def test_one_life_of_a_collector(tmp_path: Path):
    """A running collector guards its files and its name, refuses a second one, and ends cleanly on SIGTERM, its engine with it."""
    collector = CollectorProcess(tmp_path)
    await collector.start()
    try:
        await collector.ready()
        assert (tmp_path / "data/control.json").stat().st_mode & 0o777 == 0o600
        second = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "sojourn_collector.cli", "run", "--config", str(collector.config)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 2
        said = f"another collector runs on {tmp_path / 'data'}; stop it or give `data` another folder in collector.yaml"
        assert second.stderr.splitlines()[-1] == f"sojourn-collector: {said}"
        await guarded(collector)
        engine = collector.engine_pid
    finally:
        code = collector.stop()
    assert code == 0
    assert not alive(engine)
    assert not (tmp_path / "data/control.json").exists()


async def test_a_start_with_another_weight_writes_its_version_down(tmp_path: Path):
    """Started twice with the same file there is one version; started with a changed one there are two, and the report says what was changed."""
    collector = CollectorProcess(tmp_path, tables=True)
    (tmp_path / "impact.yaml").write_text("")
    collector.config.write_text(collector.config.read_text() + "impact: impact.yaml\n")
    for text in ("", "# nothing\n", "windows: {abandon: 10m}\n"):
        (tmp_path / "impact.yaml").write_text(text)
        await collector.start()
        try:
            await collector.ready()
            known = (await collector.get("/api/v1/impact/versions")).json()
            report = (await collector.get("/api/v1/impact")).json()
        finally:
            assert collector.stop() == 0
        assert known["present"] == known["versions"][0]["version"] == report["config_version"]
        assert len(known["versions"]) == (2 if "abandon" in text else 1)
        assert bool(report["breaks"]) == ("abandon" in text)
    assert known["versions"][0]["changes"] == [{"key": "windows.abandon", "old": "30m", "new": "10m"}]


async def guarded(collector: CollectorProcess) -> None:
    """A foreign Host is refused, every answer carries the headers, the API is described from our own origin."""
    page = await collector.get("/api/docs")
    assert page.headers["content-security-policy"].startswith("default-src 'self'; script-src 'self'")
    assert "/api/v1/impact" in page.text
    assert "https://" not in page.text
    assert (await collector.get("/api/nothing")).json() == {"error": "There is nothing at /api/nothing; see /api/docs."}
    assert (await collector.get("/nothing")).status_code == 404
    assert "sojourn_engine_up 1" in (await collector.get("/metrics")).text
    assert "/api/v1/in/orders" in json.dumps((await collector.get("/api/openapi.json")).json())
    host, port = collector.runtime["web"].removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET / HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 421 ")
    assert answer.endswith(b'{"error": "This name is not served here; add it to web.hosts in collector.yaml."}')


async def test_an_orphaned_engine_is_ended_at_the_next_start(tmp_path: Path):
    """An engine that outlived its collector holds the folder's lock; the next start ends it and goes on."""
    collector = CollectorProcess(tmp_path, tables=True)
    await collector.start()
    await collector.ready()
    first = collector.engine_pid
    os.kill(first, signal.SIGSTOP)  # cannot notice its parent's end by itself
    noted = (tmp_path / "data/engine/engine.pid").read_text()
    collector.kill()
    (tmp_path / "data/engine/engine.pid").write_text(noted)
    await collector.start()
    try:
        await collector.ready()
        assert not alive(first)
    finally:
        assert collector.stop() == 0


def test_dead_letters_are_listed_shown_and_thrown_away(config: Path, capsys):
    """Offline, by their ids; to put one back a collector must run; wrong use is one sentence."""
    folder = config.parent / "data/dead-letters"
    folder.mkdir(parents=True)
    (folder / "1.traces.pb").write_bytes(Record("acme", "b-1", 10**18, "key-1", bytes(32), 1, b"\x0a\x00").encode())

    async def put() -> None:
        control = Control.open(config.parent / "data/control.sqlite")
        await control.dead_letters.add("traces", "The engine refused it.", "1.traces.pb", datetime(2026, 11, 20, 14, 0, tzinfo=UTC))
        control.close()

    asyncio.run(put())
    given = ["--config", str(config)]
    assert main(["dead-letters", *given]) == 0
    assert capsys.readouterr().out == "     1  2026-11-20 14:00:00Z  traces  The engine refused it.\n"
    assert main(["dead-letters", "show", "1", *given]) == 0
    shown = capsys.readouterr().out
    assert "tenant    acme\n" in shown
    assert "sender    key-1\n" in shown
    assert shown.endswith('{\n  "resourceSpans": [\n    {}\n  ]\n}\n')
    for wrong, said in (
        (["show"], "dead-letters show takes the id of a letter; see: sojourn-collector dead-letters"),
        (["list", "1"], "dead-letters list takes no id; see: sojourn-collector dead-letters"),
        (["show", "9" * 20], f"there is no dead letter {'9' * 20}; see: sojourn-collector dead-letters"),
        (["discard", "-1"], "there is no dead letter -1; see: sojourn-collector dead-letters"),
        (["show", "7"], "there is no dead letter 7; see: sojourn-collector dead-letters"),
        (["replay", "1"], f"no collector runs on {config.parent / 'data'}; start it with: sojourn-collector run --config {config}"),
    ):
        assert main(["dead-letters", *wrong, *given]) == 2
        assert capsys.readouterr().err == f"sojourn-collector: {said}\n"
    assert main(["dead-letters", "discard", "1", *given]) == 0
    assert main(["dead-letters", *given]) == 0
    assert capsys.readouterr().out == "Dead letter 1 is thrown away.\nThere are no dead letters.\n"
    assert list(folder.iterdir()) == []


def test_destinations_are_listed_with_what_they_refused(config: Path, capsys, monkeypatch):
    """By folder, whether configured or not; `check` says where a header's value is missing; a damaged note is not known."""
    given = ["--config", str(config)]
    assert main(["forward", *given]) == 0
    assert capsys.readouterr().out == "Nothing is forwarded; see forward: in docs/outward.md.\n"
    config.write_text(config.read_text() + "forward: [{name: far, endpoint: 'https://otlp.example', headers: {authorization: {env: FAR_KEY}}}]\n")
    folder = config.parent / "data/forward/old/aside"
    folder.mkdir(parents=True)
    record = Record("acme", "b-1", 10**18, "key-1", bytes(32), 1, b"\x0a\x00").encode()
    (folder.parent / "0000000000000007.logs.pb").write_bytes(record)
    (folder / "0000000000000003-0.traces.pb").write_bytes(record)
    (folder / "0000000000000003-0.traces.json").write_text('{"at": 1790000000.0, "why": "https://otlp.example/v1/traces answered 413", "items": 1}')
    (folder / "0000000000000004-0.traces.pb").write_bytes(record)
    assert main(["forward", *given]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[:3] == ["far  https://otlp.example", "  waiting: 0 files, 0 bytes", "old  no longer configured"]
    assert shown[3].startswith(f"  waiting: 1 files, {len(record)} bytes, the oldest for ")
    assert shown[4] == "  set aside 2026-09-21 14:13:20Z: https://otlp.example/v1/traces answered 413"
    assert shown[6] == "  set aside at a time not known: not known"
    assert main(["forward", "--json", *given]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["name"], row["waiting_files"], len(row["aside"])) for row in rows] == [("far", 0, 0), ("old", 1, 2)]
    monkeypatch.setattr("sojourn_collector.cli_check._engine", lambda _: "starts")
    assert main(["check", *given]) == 1
    said = "forward: far: headers: authorization: the environment variable FAR_KEY is empty; put the value there"
    assert f"BAD  destination far: {said}\n" in capsys.readouterr().out
