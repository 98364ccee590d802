"""The chapters of the report over made-up answers: the same figures in every form, nobody's name, and strangers' texts that stay text."""

import csv
import io
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.web.chapters import CHAPTERS, told
from sojourn_collector.web.chapters.as_csv import as_csv, names_of
from sojourn_collector.web.chapters.as_markdown import as_markdown
from sojourn_collector.web.chapters.as_page import as_page
from sojourn_collector.web.chapters.as_text import as_text
from sojourn_collector.web.chapters.told import Figure, Told
from sojourn_collector.web.escaped import inline
from sojourn_collector.web.format import Clockface
from tests.collector.web import fixtures, fixtures_of_chapters
from tests.collector.web.test_pages import Read

BY_NAME = {chapter.name: chapter for chapter in CHAPTERS}
CLOCK = Clockface(ZoneInfo("UTC"), fixtures.NOW)
NAMES = ("Ada Berger", "user:u", "visitor:")


async def chapter(name: str, text: str = fixtures_of_chapters.NAME) -> Told:
    """What a chapter tells of the shop."""
    answer = (await fixtures_of_chapters.answers(text))[name]
    return told(BY_NAME[name], answer.model_dump(mode="json"))


def figures(said: Told) -> Iterator[Figure]:
    """Every figure of all its tables."""
    for table in said.tables:
        for row in table.rows:
            yield from (cell for cell in row if isinstance(cell, Figure))


def numbers(body: object) -> Iterator[float]:
    """Every number anywhere in a body of JSON."""
    if isinstance(body, dict):
        for value in body.values():
            yield from numbers(value)
    elif isinstance(body, list):
        for value in body:
            yield from numbers(value)
    elif isinstance(body, int | float) and not isinstance(body, bool):
        yield float(body)


def test_every_chapter_has_an_answer_here():
    """A chapter that is added to the list is tried by everything below."""
    import asyncio

    assert set(asyncio.run(fixtures_of_chapters.answers())) == set(BY_NAME)


@pytest.mark.parametrize("name", BY_NAME)
async def test_each_figure_is_the_same_in_every_form(name):
    """What a table holds stands in the terminal's text, in Markdown and on the page as one says it, and in the CSV as the number it is; unknown is empty."""
    said = await chapter(name)
    text, markdown, page = as_text(said, CLOCK), as_markdown(said, CLOCK), Read(as_page(said, ImpactConfig(), fixtures.NOW))
    assert page.wrong == []
    for figure in figures(said):
        assert figure.said() in text
        assert inline(figure.said()) in markdown
        assert figure.said() in page.text
    lines = list(csv.DictReader(io.StringIO(as_csv(said))))
    rows = [(table, row) for table in said.tables for row in table.rows]
    assert [line["kind"] for line in lines[: len(rows)]] == [table.key for table, _ in rows]
    for (table, row), line in zip(rows, lines[: len(rows)], strict=True):
        for column, cell in zip(table.columns, row, strict=True):
            if isinstance(cell, Figure):
                told_in = {"low": cell.low, "high": cell.high, "of": cell.of}
                wanted = [(column.key, cell.value), *((f"{column.key}_{part}", told_in[part]) for part in column.parts if part in told_in)]
                assert [(key, line[key]) for key, _ in wanted] == [(key, "" if value is None else str(round(value, 4))) for key, value in wanted]
    sentences = [line["sentence"] for line in lines[len(rows) :]]
    assert len(sentences) >= len(said.lines) + len(said.notes)


@pytest.mark.parametrize("name", BY_NAME)
async def test_the_ends_of_every_interval_are_those_of_the_answer(name):
    """No form works out an interval of its own: what stands in brackets is in the API's body, a fix's in points."""
    answer = (await fixtures_of_chapters.answers())[name].model_dump(mode="json")
    there = {round(value * factor, 6) for value in numbers(answer) for factor in ((1, 100) if name == "fix" else (1,))}
    for figure in figures(await chapter(name)):
        assert {round(end, 6) for end in (figure.low, figure.high) if end is not None} <= there


@pytest.mark.parametrize("name", BY_NAME)
async def test_a_column_holds_an_interval_wherever_its_figures_have_one(name):
    """A CSV leaves out no interval and no count that readers see."""
    for table in (await chapter(name)).tables:
        assert len({column.key for column in table.columns}) == len(table.columns)
        for row in table.rows:
            for column, cell in zip(table.columns, row, strict=True):
                if isinstance(cell, Figure):
                    has = {part for part, value in (("low", cell.low), ("high", cell.high), ("of", cell.of)) if value is not None}
                    assert has <= set(column.parts), (table.key, column.key)


@pytest.mark.parametrize("name", BY_NAME)
async def test_nobody_is_named(name):
    """People, comments and visits are on the pages and in JSON, in no other form."""
    said = await chapter(name)
    for form in (as_text(said, CLOCK), as_markdown(said, CLOCK), as_csv(said), as_page(said, ImpactConfig(), fixtures.NOW)):
        assert [one for one in NAMES if one in form] == []


@pytest.mark.parametrize("name", BY_NAME)
async def test_strangers_texts_stay_texts(name):
    """Names like formulas, tags, terminal codes and Markdown do nothing, and none is longer than its place."""
    hostile = '=HYPERLINK("http://evil")\x1b[31m\u202e|`x`<script>alert(1)</script>' + "w" * 5000
    said = await chapter(name, hostile)
    text, markdown, table, page = as_text(said, CLOCK), as_markdown(said, CLOCK), as_csv(said), as_page(said, ImpactConfig(), fixtures.NOW)
    for form in (text, markdown, table, page):
        assert not any(letter in form for letter in ("\x1b", "\u202e"))
        assert "w" * 700 not in form
    assert "<script" not in markdown.replace("\\<script", "")
    assert "`x`" not in markdown.replace("\\`x\\`", "")
    assert {tag for tag, _ in Read(page).tags} & {"script", "img", "link", "iframe", "form", "a"} == set()
    for line in csv.reader(io.StringIO(table)):
        for cell in line:
            assert not cell.lstrip().startswith(("=", "+", "@", "\t")), cell
            assert not cell.startswith("-") or cell[1:].replace(".", "").isdigit(), cell


async def test_what_is_not_known_says_why():
    """Nothing seen yet: no zero that was not counted, and a sentence wherever there is no figure."""
    for name, answer in (await fixtures_of_chapters.nothing()).items():
        said = told(BY_NAME[name], answer.model_dump(mode="json"))
        form = as_text(said, CLOCK)
        lines = list(csv.DictReader(io.StringIO(as_csv(said))))
        assert len(form.splitlines()) > 2, name
        assert any(line["sentence"] or line.get("why") for line in lines) or name in ("alarms", "silent"), name
        for figure in figures(said):
            assert figure.value is not None or "not known" in form
    starter = told(BY_NAME["starter"], (await fixtures_of_chapters.nothing())["starter"].model_dump(mode="json"))
    assert "satisfied (CSAT)  not known (nobody answered)" in as_text(starter, CLOCK)
    assert "not known (nobody asked for help in this time, or no help desk is connected)" in as_text(starter, CLOCK)


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        (Figure(0.834, "share", 0.7, 0.91, 41), "83% [70%–91%] of 41"),
        (Figure(-33.3, "points", -71.0, 16.0, 9), "−33.3 [−71.0 to 16.0] of 9"),
        (Figure(0.62, "ratio", 0.55, 0.7), "×0.62 [×0.55–×0.70]"),
        (Figure(93600.0, "seconds", 61200.0, None, 77), "26 h [≥ 17 h] of 77"),
        (Figure(0.012, "share", high=0.016), "1.2% [≤ 1.6%]"),
        (Figure(1238.4, "money", 684.0, 1806.0, currency="EUR"), "1,238.40 EUR [684.00–1,806.00]"),
        (Figure(None, "share", why="nobody answered"), "not known (nobody answered)"),
        (Figure(None), "not known"),
        (Figure(0), "0"),
    ],
)
def test_how_a_figure_is_said(figure, said):
    """Its unit, its interval with one end where only one is known, of how many; unknown is unlike zero."""
    assert figure.said() == said


def test_the_names_of_a_csv_do_not_depend_on_the_data():
    """Every part of a column that may be told has a name of its own."""
    from sojourn_collector.web.chapters.told import FACTS

    assert [name for column in FACTS for name in names_of(column)] == ["measure", "value", "value_low", "value_high", "value_of", "unit", "why"]
