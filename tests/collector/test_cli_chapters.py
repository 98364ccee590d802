"""`sojourn-collector report CHAPTER`: what the real routes answer, in every form, and what is wrong in one sentence."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, timedelta
from pathlib import Path

import httpx2
import pytest

from sojourn_collector import cli_report_options
from sojourn_collector.cli import main, parser
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.marks import MarkKind, MarkRow
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.chapters import CHAPTERS, told
from sojourn_collector.web.chapters.told import Figure
from sojourn_collector.web.escaped import inline
from sojourn_collector.web.format import Clockface
from tests.collector.report_shop import TOKEN, Shop, StoppedAtNow, open_shop
from tests.collector.web.stage import NOW
from tests.collector.web.test_pages import Read


@pytest.fixture
async def shop(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    monkeypatch.setattr(cli_report_options, "datetime", StoppedAtNow)
    async with open_shop(store, tmp_path, capsys) as one:
        yield one


async def test_every_chapter_tells_what_its_route_answers(shop: Shop) -> None:
    """JSON is the body of the route; its figures stand in the written form, each of which some chapters are asked for in; exit code 0, no word of an error."""
    (problem,) = (await impact(shop.context)).problems
    mark = await shop.context.control.marks.add(MarkRow(MarkKind.FIX, NOW - timedelta(days=9), "Card form", "cli", NOW, "checkout", "pay"))
    named = {"journey": "checkout", "problem": problem.id, "mark": mark.id}
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx2.AsyncClient(trust_env=False, timeout=60, headers=headers, base_url=shop.web) as http:
        for number, chapter in enumerate(CHAPTERS):
            given = [chapter.name, *(text for place in chapter.places for text in (f"--{place}", named[place]))]
            code, out, err = await shop.run(*given, "--json")
            assert (code, err) == (0, ""), chapter.name
            body = json.loads(out)
            assert body == (await http.get(f"/api/v1{chapter.path.format(**named)}")).json(), chapter.name
            said = told(chapter, body)
            form = ("human", "csv", "md", "html")[number % 4]
            code, out, err = await shop.run(*given, "--format", form)
            assert (code, err) == (0, ""), (chapter.name, form)
            for figure in (cell for table in said.tables for row in table.rows for cell in row if isinstance(cell, Figure)):
                assert _as_it_stands(figure, form) in (_folded(out, form)), (chapter.name, form)
            if said.as_of is not None and form == "human":
                assert said.when(Clockface(UTC, said.as_of)) in out


def _as_it_stands(figure: Figure, form: str) -> str:
    if form == "csv":
        return "," if figure.value is None else f",{round(figure.value, 4)},"
    return inline(figure.said()) if form == "md" else figure.said()


def _folded(out: str, form: str) -> str:
    return Read(out).text if form == "html" else out


async def test_a_chapter_takes_what_its_route_takes(shop: Shop) -> None:
    """The fact, the journey and the time asked for are those of the answer; options may stand before the chapter; a file holds what would be printed."""
    _, out, _ = await shop.run("satisfaction", "--by", "plan", "--journey", "checkout", "--days", "30", "--json")
    body = json.loads(out)
    assert (body["by"], body["window_from"]) == ("plan", (NOW - timedelta(days=30)).isoformat().replace("+00:00", "Z"))
    _, out, _ = await shop.run("--format", "json", "--last", "7d", "--journey", "checkout", "drivers", "--by", "device")
    body = json.loads(out)
    assert (body["journey"], body["by"], body["window_from"]) == ("checkout", "device", (NOW - timedelta(days=7)).isoformat().replace("+00:00", "Z"))
    _, out, _ = await shop.run("history", "--journey", "checkout", "--every", "hour", "--steps", "--json")
    body = json.loads(out)
    assert body["every"] == "hour"
    assert any(period["steps"] for period in body["periods"])
    file = shop.config.parent / "drivers.csv"
    assert await shop.run("drivers", "--journey", "checkout", "--format", "csv", "--out", str(file)) == (0, "", "")
    (group,) = [row for row in csv.DictReader(io.StringIO(file.read_text())) if row["kind"] == "group" and row["cause"]][:1]
    assert group["of_id"] == "checkout"
    assert 0 < float(group["share_low"]) <= float(group["share"]) <= float(group["share_high"]) < 1


async def test_what_is_missing_is_told_by_name(shop: Shop) -> None:
    """A chapter of one journey, problem or mark says which there are when none is named."""
    (problem,) = (await impact(shop.context)).problems
    for given, sentence in (
        (("drivers",), "report drivers needs --journey ID; there are checkout, newsletter"),
        (("forecast",), f"report forecast needs --problem ID; there are {problem.id}"),
        (("fix",), "report fix needs --mark ID; just now no mark is known"),
    ):
        assert await shop.run(*given) == (2, "", f"sojourn-collector: {sentence}\n")


async def test_what_is_wrong_is_one_sentence(shop: Shop) -> None:
    """The route's own sentence, or that of the option: exit code 2, nothing printed."""
    for given, sentence in (
        (("drivers", "--journey", "re\x1b[31mnew"), "there is no journey 're\\x1b[31mnew'"),
        (("drivers", "--journey", "../admin/shares"), "there is no journey '../admin/shares/breakdown'"),
        (("problem", "--problem", "x"), "there is no problem 'x'"),
        (("drivers", "--journey", "checkout", "--view", "money"), "view: Input should be 'people' or 'value'"),
        (("tickets", "--days", "0"), "--days: 0 is no number of days to look back; give one from 1 to 3660"),
        (("tickets", "--days", "93"), "the window is longer than 92 days; choose a shorter one"),
        (("tickets", "--days", "9", "--last", "9d"), "--last and --days say the same; give one of them"),
        (("tickets", "--last", "soon"), "--last: 'soon' is not a duration; write a number with ms, s, m, h or d, such as 30m"),
        (("--days", "9", "alarms"), "report alarms is of its own time; leave out --days"),
        (("--journey", "checkout", "versions"), "report versions is not of one journey; leave out --journey"),
        (("--share", "tickets"), "--share freezes the report as a whole; leave out tickets"),
    ):
        assert await shop.run(*given) == (2, "", f"sojourn-collector: {sentence}\n"), given
    code, out, err = await shop.run("satisfaction", "--by", "weather")
    assert (code, out, err.startswith("sojourn-collector: by: Input should be 'survey', 'question',"), err.count("\n")) == (2, "", True, 1)


def test_each_chapter_has_help_with_an_example_that_parses(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` says what it takes and shows a command that the parser takes; a chapter that there is not ends with exit code 2."""
    for chapter in CHAPTERS:
        with pytest.raises(SystemExit) as ended:
            main(["report", chapter.name, "--help"])
        assert ended.value.code == 0
        out = " ".join(capsys.readouterr().out.split())
        assert f"Example: sojourn-collector report {chapter.name} {chapter.example}" in out
        assert all(f"--{name}" in out for name in (*chapter.places, *(option.name for option in chapter.options)))
        given = parser().parse_args(["report", chapter.name, *chapter.example.split()])
        assert (given.chapter, given.config) == (chapter, Path("configs/collector.yaml"))
    with pytest.raises(SystemExit) as ended:
        main(["report", "weather"])
    assert ended.value.code == 2
    assert "invalid choice: 'weather'" in capsys.readouterr().err


def test_without_a_collector(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says how to start one."""
    config = tmp_path / "collector.yaml"
    config.write_text(f"data: {tmp_path / 'nowhere'}\n")
    assert main(["report", "tickets", "--config", str(config)]) == 2
    wanted = f"sojourn-collector: no collector runs on {tmp_path / 'nowhere'}; start it with: sojourn-collector run --config {config}\n"
    assert capsys.readouterr().err == wanted
