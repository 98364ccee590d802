"""Things on disk that were damaged: each is one sentence with the cure, and what is whole goes on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from sojourn_collector.cli import main
from sojourn_collector.store.control import Control
from tests.collector.process import CollectorProcess
from tests.collector.receive.conftest import traces

CURE = "bring it back from a backup, or move it away: then keys are made anew, and what sources sent and waits there is lost"
WAYS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "overwritten at its begin": (lambda data: b"x" * 100 + data[100:], "file is not a database"),
    "cut in half": (lambda data: data[: len(data) // 2], "database disk image is malformed"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_damaged_control_database_is_one_sentence(way: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`run` ends with exit code 2 and `check` with 1; both say which file, what the matter is, and what to do. The file is left as it is."""
    (tmp_path / "journeys").mkdir()
    config = tmp_path / "collector.yaml"
    config.write_text('data: data\njourneys: journeys\notlp: {listen: "127.0.0.1:0"}\nweb: {listen: "127.0.0.1:0"}\n')
    path = tmp_path / "data/control.sqlite"
    Control.open(path).close()
    damage, reason = WAYS[way]
    path.write_bytes(damage(path.read_bytes()))
    broken = path.read_bytes()
    assert main(["run", "--config", str(config)]) == 2
    said = f"the control database {path} is damaged ({reason}); {CURE}"
    assert capsys.readouterr().err == f"sojourn-collector: {said}\n"
    assert main(["check", "--config", str(config)]) == 1
    assert f"BAD  control database: {said}\n" in capsys.readouterr().out
    assert path.read_bytes() == broken


async def test_a_damaged_part_is_taken_out_and_the_rest_is_answered(tmp_path: Path) -> None:
    """A part whose bytes changed on disk: the query that meets it is 503 with a sentence, then all goes on without it, and /readyz says what was lost."""
    collector = CollectorProcess(tmp_path, tables=True)
    headers = {"content-type": "application/x-protobuf"}

    async def send(spans: int) -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
            (await http.post(f"{collector.runtime['otlp']}/v1/traces", content=traces(spans).SerializeToString(), headers=headers)).raise_for_status()

        async def loaded() -> bool:
            loading = (await collector.get("/readyz")).json()["loading"]
            return bool(loading["loaded_seq"] == loading["last_seq"])

        await collector.until_true(loaded, "the spans to be loaded")

    try:
        await collector.start()
        await collector.ready()
        await send(30)
        await asyncio.to_thread(collector.stop)
        # Parts of spans, which go by days; those of the list of migrations are called all_….
        parts = [path for path in (tmp_path / "data/engine").rglob("data.bin") if path.parent.name[0].isdigit() and path.stat().st_size > 2000]
        assert parts
        for path in parts:
            data = bytearray(path.read_bytes())
            data[50::100] = bytes(byte ^ 255 for byte in data[50::100])
            path.write_bytes(data)
        await collector.start()
        await collector.ready()
        answer = await collector.get("/api/v1/search")
        if answer.status_code != 200:  # the collector's own work may have met it first
            assert (answer.status_code, answer.json()) == (
                503,
                {"error": "A part of the tables is damaged on disk and is being taken out; ask again in a moment."},
            )

        async def without_it() -> bool:
            return (await collector.get("/api/v1/search")).status_code == 200

        await collector.until_true(without_it, "the part to be taken out")
        (sentence,) = (await collector.get("/readyz")).json()["damaged"]
        assert sentence.startswith("Part ")
        assert "of the table spans was damaged on disk and was taken out with its 30 rows; its files are in " in sentence
        assert any(Path(sentence.rpartition(" ")[2].rstrip(".")).iterdir())
        assert (await collector.get("/metrics")).text.count("\nsojourn_damaged 1") == 1
        await send(7)
        assert len((await collector.get("/api/v1/search")).json()["items"]) == 7
    finally:
        collector.stop()
