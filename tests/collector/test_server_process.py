"""A whole collector on a ClickHouse server, the session's engine playing the server: user and password, loads by body, /readyz, check."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from sojourn_collector.store.client import Store
from sojourn_collector.store.endpoint import Endpoint
from tests.collector.process import CollectorProcess
from tests.collector.store.test_load import body


@pytest.fixture
def collector(tmp_path: Path, engine: Endpoint) -> Iterator[CollectorProcess]:
    """Not yet started; its tables are at the session's engine."""
    one = CollectorProcess(tmp_path)
    (tmp_path / "password").write_text(engine.token + "\n")
    text = f"engine: {{hosts: ['{engine.url}'], database: default, password_file: password}}\n"
    one.config.write_text(one.config.read_text() + text)
    yield one
    if one._process is not None:
        one.stop()


async def command(collector: CollectorProcess, name: str) -> tuple[int, str]:
    """Exit code and output of a command."""
    arguments = (sys.executable, "-m", "sojourn_collector.cli", name, "--config", str(collector.config))
    process = await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_a_collector_keeps_its_tables_on_a_server(collector: CollectorProcess, engine: Endpoint):
    """It becomes ready without an engine of its own, a span sent to it is in the server's table, check says so, and the password is in no output."""
    await collector.start()
    await collector.ready()
    assert not (collector.folder / "data/engine").exists()
    batch = os.urandom(8).hex()
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=60) as http:
        headers = {"content-type": "application/x-protobuf", "idempotency-key": batch}
        sent = await http.post(f"{collector.runtime['otlp']}/v1/traces", content=body(batch, 5), headers=headers)
    assert sent.status_code == 200
    await collector.until_true(lambda: _loaded(collector), "the span to be loaded")
    store = Store(lambda: engine)
    seq = (await collector.get("/readyz")).json()["loading"]["last_seq"]
    assert (await store.query("loaded_spans", seq=seq))[0]["n"] >= 5
    await store.close()
    code, said = await command(collector, "check")
    assert code == 0
    assert f"ok   engine: {engine.url} answers, ClickHouse 26." in said
    assert "; default may do what is needed in database default\n" in said
    assert collector.stop() == 0
    assert engine.token not in said + (collector.folder / "log.txt").read_text()


async def _loaded(collector: CollectorProcess) -> bool:
    loading = json.loads((await collector.get("/readyz")).text)["loading"]
    return bool(loading["loaded_seq"] == loading["last_seq"] > 0 and loading["waiting_bytes"] == 0)


async def test_check_says_what_is_wrong_with_the_server(collector: CollectorProcess, engine: Endpoint):
    """A wrong password is a BAD line of check, and one sentence and exit 2 of migrate."""
    (collector.folder / "password").write_text("wrong")
    sentence = f"the ClickHouse server at {engine.url} does not let default in (code 516); see engine.user and engine.password_file or engine.password_env"
    code, said = await command(collector, "check")
    assert code == 1
    assert said.splitlines()[-1] == f"BAD  engine: {sentence}"
    code, said = await command(collector, "migrate")
    assert code == 2
    assert said == f"sojourn-collector: {sentence}\n"
