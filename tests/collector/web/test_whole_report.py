"""The report as a whole: what stands beside problems and journeys is what the other answers say, in every form, and names nobody."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.store.client import QueryTimeout, Store
from sojourn_collector.web.answers.breakdown import breakdown
from sojourn_collector.web.answers.history import history
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.journey import journey
from sojourn_collector.web.answers.problem_alone import problem_alone
from sojourn_collector.web.answers.silent import silent
from sojourn_collector.web.answers.starter import starter_set
from sojourn_collector.web.answers.tickets import tickets
from sojourn_collector.web.answers.whole import most_hurt, whole
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.chapters.told import Figure
from sojourn_collector.web.chapters.whole import beside
from sojourn_collector.web.escaped import inline
from sojourn_collector.web.frozen import frozen_html
from sojourn_collector.web.models import ImpactReport
from sojourn_collector.web.models_whole import WholeReport
from sojourn_collector.web.report_csv import as_csv
from sojourn_collector.web.report_markdown import as_markdown
from sojourn_collector.web.report_text import as_text
from tests.collector.web import fixtures, fixtures_of_chapters
from tests.collector.web.stage import NOW, broken_shop, context_of
from tests.collector.web.test_pages import Read

UTC = ZoneInfo("UTC")
LONG = 600.0
WEEKS = window_of(NOW, UTC, span=timedelta(days=28))


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    rows = broken_shop()
    rows.people.append({"source": "crm", "id": "u0", "version": 1, "name": "Ada Berger"})
    await rows.store(store)
    one = context_of(store, tmp_path)
    yield one
    one.control.close()


async def test_each_part_is_what_its_own_answer_says(context: Context) -> None:
    """The same functions as the API's, so the same numbers; of one journey its history too; of an asked window all is of that window."""
    report = await whole(context, window_of(NOW, UTC), WEEKS, "checkout", within=LONG)
    told = await impact(context, window_of(NOW, UTC), "checkout")
    assert report.model_dump(include=set(ImpactReport.model_fields)) == told.model_dump()
    (problem,), (at,) = report.problems_beside, report.journeys_beside
    alone, one = await problem_alone(context, problem.problem), await journey(context, "checkout")
    assert alone is not None
    assert one is not None
    assert (problem.value, problem.exposed) == (alone.value.model_copy(update={"largest": []}), alone.exposed)
    assert at.satisfaction == one.satisfaction.model_copy(update={"comments": []})
    assert at.drivers == await breakdown(context, "checkout", WEEKS)
    assert at.drivers is not None
    assert at.drivers.groups
    assert at.history == await history(context, "checkout", "day", WEEKS.since, WEEKS.until)
    assert report.starter == await starter_set(context)
    assert report.tickets == await tickets(context, WEEKS, "checkout")
    assert report.silent == (await silent(context, WEEKS, "checkout")).model_copy(update={"people": []})
    assert report.beside_notes == []


async def test_what_is_late_is_left_out_and_said(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """One answer that takes too long does not cost the report: it is not known, and a sentence says so."""
    query = context.store.query

    async def slow(name, **how):
        if name == "silent_candidates":
            raise QueryTimeout("took longer than 60 s")
        return await query(name, **how)

    monkeypatch.setattr(context.store, "query", slow)
    report = await whole(context, window_of(NOW, UTC), WEEKS, within=LONG)
    assert (report.silent, report.beside_notes) == (None, ["who said nothing could not be told in time"])
    assert report.tickets is not None
    assert "Who said nothing could not be told in time." in as_text(report)
    hurried = await whole(context, window_of(NOW, UTC), WEEKS, within=0.0)
    (problem,) = hurried.problems
    late = ["satisfaction and support", "tickets", "who said nothing", f"impact by worth of {problem.id}", "what explains checkout", "what explains newsletter"]
    assert hurried.beside_notes == [f"{what} could not be told in time" for what in late]
    assert (hurried.starter, hurried.tickets, hurried.silent, hurried.problems_beside, hurried.journeys_beside) == (None, None, None, [], [])


async def test_every_figure_beside_is_in_every_form():
    """Terminal, Markdown and the frozen page say it alike; the CSV has a line a figure with its interval, of how many and why it is not known."""
    report = await fixtures_of_chapters.whole()
    text, markdown, page = as_text(report, "checkout"), as_markdown(report, UTC), Read(frozen_html(ImpactConfig(), report))
    lines = [row for row in csv.DictReader(io.StringIO(as_csv(report))) if row["kind"] == "figure"]
    figures = [cell for told in beside(report) for table in told.tables for row in table.rows for cell in row if isinstance(cell, Figure)]
    assert len(lines) == len(figures) > 60
    assert page.wrong == []
    for line, figure in zip(lines, figures, strict=True):
        assert figure.said() in text
        assert inline(figure.said()) in markdown
        assert figure.said() in page.text
        wanted = [figure.value, figure.low, figure.high, figure.of]
        assert [line[f"value{part}"] for part in ("", "_low", "_high", "_of")] == ["" if value is None else str(round(value, 4)) for value in wanted]
        assert line["cause"] == figure.why
    by = {(line["id"], line["measure"], line["group"]): line["value"] for line in lines}
    assert by[fixtures.PROBLEM, "weighed.recurring revenue exposed, a month", ""] == "4280.0"
    assert by["checkout", "history.period.impact", "2026-11-21"] == "12.5"
    assert by["", "tickets.journey.opened", "Buy one item"] == "41"
    assert by["", "silent.valuable, badly hit, said nothing", ""] == "3"


async def test_nobody_is_named_beside():
    """Neither in what is asked for nor in any written form: no person, no account, no comment, and nothing a stranger wrote becomes markup."""
    report = await fixtures_of_chapters.whole(fixtures.HOSTILE)
    own = report.model_dump_json(exclude=set(ImpactReport.model_fields))
    for form in (own, as_markdown(report, UTC), as_csv(report), frozen_html(ImpactConfig(), report)):
        assert [name for name in ("Ada Berger", "user:u", "Nordlicht") if name in form] == []
    assert {tag for tag, _ in Read(frozen_html(ImpactConfig(), report)).tags} & {"script", "img", "link", "iframe", "form", "a"} == set()


def test_a_report_frozen_before_is_shown_as_it_was():
    """A link made when nothing stood beside still leads to its page."""
    old = WholeReport.model_validate_json(fixtures.report().model_dump_json())
    assert beside(old) == []
    assert "1,240 EUR" in frozen_html(ImpactConfig(), old)


def test_the_journeys_hurt_most_come_first():
    """Those with a problem in the problems' order, then by impact; one that is not measured comes last."""
    report = fixtures.report()
    by_id = {state.id: state for state in report.journeys}
    assert [state.id for state in most_hurt(report)] == ["checkout", "browse", "renew"]
    hurt = by_id["renew"].model_copy(update={"impact": by_id["browse"].impact.model_copy(update={"score": 5.0})})
    assert [state.id for state in most_hurt(report.model_copy(update={"journeys": [by_id["browse"], hurt]}))] == ["renew", "browse"]


def test_the_windows_of_a_report_that_was_asked_for():
    """A window asked for is that of the weeks too."""
    since = NOW - timedelta(days=3)
    asked = [window_of(NOW, UTC, since, span=span) for span in (None, timedelta(days=28))]
    assert asked == [Window(since, NOW, NOW)] * 2
