"""`sojourn-collector import` against a whole collector: a file goes in, replaces, is taken back, and the engine follows."""

import asyncio
import contextlib
import io
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.cli import main
from tests.collector.process import CollectorProcess

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[CollectorProcess]:
    """A collector that is ready."""
    one = CollectorProcess(tmp_path, tables=True)
    await one.start()
    await one.ready()
    yield one
    one.stop()


async def command(collector: CollectorProcess, *arguments: str) -> tuple[int, str, str]:
    """A command's exit code and what it printed."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = await asyncio.to_thread(main, [*arguments, "--config", str(collector.config)])
    return code, out.getvalue(), err.getvalue()


async def done(collector: CollectorProcess, *arguments: str) -> Any:
    """The JSON it printed."""
    code, out, err = await command(collector, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


async def stored(collector: CollectorProcess, folder: Path) -> dict[str, str]:
    """Amounts of the engine's orders by id, once the inbox was dealt with."""

    def waits() -> int:
        with contextlib.closing(sqlite3.connect(f"file:{collector.folder}/data/control.sqlite?mode=ro", uri=True)) as database:
            return int(database.execute("SELECT count(*) FROM inbox WHERE normalised_at IS NULL").fetchone()[0])

    await collector.until(lambda: waits() == 0, "the inbox to be dealt with")
    code, _, err = await command(collector, "export", "--table", "orders", "--format", "jsonl", "--from", "2026-01-01", "--out", str(folder))
    assert code == 0, err
    rows = [json.loads(line) for file in folder.glob("**/*.jsonl*") for line in file.read_text().splitlines()]
    return {row["id"]: str(row["amount"]) for row in rows}


async def test_a_file_goes_in_and_is_taken_back(collector, tmp_path):
    """A second file replaces an order of the first; undone, the first one's is there again and what was new is gone; undone too, nothing is."""
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("Nr;at;amount\n1;2026-02-01 10:00;10,00\n2;2026-02-02 10:00;20,00\n")
    second.write_text("Nr;at;amount\n2;2026-03-02 10:00;25,50\n3;2026-02-03 10:00;30,00\n4;2026-02-03 10:00;-1\n")
    how = ["--source", "orders", "--map", "Nr=id", "--set", "currency=EUR", "--timezone", "Europe/Berlin", "--decimal", ","]
    code, out, err = await command(collector, "import", str(second), *how, "--dry-run")
    assert (code, out) == (1, "2 rows of orders are good, 1 are not; nothing was kept.\n")
    assert err == f"{second}:4: amount: -1 is negative; what was given back goes into refunded of its order\n"
    one = (await done(collector, "import", str(first), *how))["import"]
    code, out, _ = await command(collector, "import", str(second), *how, "--json")
    two = json.loads(out)["import"]
    assert (code, json.loads(out)["accepted"], json.loads(out)["errors"][0]["line"]) == (1, 2, 4)
    assert await stored(collector, tmp_path / "a") == {"1": "10", "2": "25.5", "3": "30"}
    assert await done(collector, "import", "--undo", two) == {"rows": 2, "restored": 1}
    assert await stored(collector, tmp_path / "b") == {"1": "10", "2": "20"}
    assert await done(collector, "import", "--undo", one) == {"rows": 2, "restored": 0}
    assert await stored(collector, tmp_path / "c") == {}
    _, out, _ = await command(collector, "import", "--list")
    assert [line.split()[0] for line in out.splitlines()] == [two, one]
    assert all("undone" in line for line in out.splitlines())


@pytest.mark.slow
async def test_large_files_and_other_forms(collector, tmp_path):
    """More rows than one request takes, NDJSON and JSON; refused rows have the line of the file."""
    large = tmp_path / "large.csv"
    with large.open("w") as file:
        file.write("id,at,amount,currency\n")
        for number in range(25_000):
            file.write(f"{number},2026-02-01T10:00:00Z,{'x' if number == 24_000 else 5},EUR\n")
    code, out, err = await command(collector, "import", str(large), "--source", "orders", "--json")
    told = json.loads(out)
    assert (code, told["accepted"], told["rejected"], err) == (1, 24_999, 1, "")
    assert told["errors"] == [{"line": 24_002, "error": 'amount: must be a number or a text such as "62.00", got "x"'}]
    lines = tmp_path / "people.ndjson"
    lines.write_text('{"id": "u1", "name": "Ana"}\n\nnonsense\n{"id": "u2", "nam": "Ben"}\n')
    code, out, _ = await command(collector, "import", str(lines), "--source", "people", "--json")
    said = [{"line": 3, "error": "the line is not JSON: Expecting value at column 1"}, {"line": 4, "error": "nam: unknown key; did you mean name?"}]
    assert (code, json.loads(out)["accepted"], json.loads(out)["errors"]) == (1, 1, said)
    whole = tmp_path / "accounts.json"
    whole.write_text('[{"id": "a1", "mrr": 12.10, "currency": "EUR"}]')
    assert (await done(collector, "import", str(whole), "--source", "accounts"))["accepted"] == 1
    dates = tmp_path / "dates.csv"
    dates.write_text("id,at,amount,currency\nd1,5.11.2025 10:00,5,EUR\n")
    code, out, err = await command(collector, "import", str(dates), "--source", "orders", "--dry-run")
    assert (code, out) == (1, "0 rows of orders are good, 1 are not; nothing was kept.\n")
    asked = "say how dates are written in this file, day-first or month-first"
    assert err.splitlines() == [
        f'{dates}:2: at: "5.11.2025 10:00" may be 5 November or 11 May; {asked}',
        "at: 1 date may be read in two ways. No date of this column shows which; whoever made the file knows.",
    ]
    code, _, err = await command(collector, "import", str(dates), "--source", "orders", "--dry-run", "--dates", "day-first")
    assert (code, err) == (0, "1 time has no zone and is read as UTC; name the zone of the file if it is another.\n")
    await refusals(collector, tmp_path)


async def refusals(collector: CollectorProcess, tmp_path: Path) -> None:
    """Files that cannot be read at all: one sentence, and no import is left behind."""
    before = await command(collector, "import", "--list")
    for name, body, said in (
        ("a.xlsx", b"PK", "the ending .xlsx says nothing known; name it .csv, .tsv, .json, .ndjson or .jsonl"),
        ("a.csv", b'id\n"', "line 2: a quote is opened and not closed; close it, or write a quote within a cell twice"),
        ("a.ndjson", b"x" * (2 << 20), "line 1 is longer than 1 MiB"),
        ("a.json", b"{", "the body is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
    ):
        file = tmp_path / name
        file.write_bytes(body)
        code, out, err = await command(collector, "import", str(file), "--source", "orders")
        assert (code, out, err.strip()) == (2, "", f"sojourn-collector: {file}: {said}"), err
    code, _, err = await command(collector, "import", "--undo", "zzz")
    assert (code, err.strip()) == (2, "sojourn-collector: 'zzz' is no id of an import; see: sojourn-collector import --list")
    assert await command(collector, "import", "--list") == before
