"""`sojourn-collector report CHAPTER`: what else the running collector answers, by the one list of chapters, in every form of the report."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from sojourn_collector.cli_report_options import add_form, add_window, since
from sojourn_collector.cli_running import CommandError, answer_of
from sojourn_collector.config import CollectorConfig, load_impact_config
from sojourn_collector.web.chapters import CHAPTERS, told
from sojourn_collector.web.chapters.chapter import PLACES, Chapter

if TYPE_CHECKING:
    import httpx2

Add = Callable[..., argparse.ArgumentParser]
_USUAL = {"journey": "24 hours", "history": "90 days, of hours 7 days", "surveys": "90 days"}
_MOST_NAMED = 20


def add_chapters(add: Add, report: argparse.ArgumentParser, command: Callable[..., int]) -> None:
    """A command for each chapter under `report`, which stays good without one. Options before a chapter hold for it too: its own have no defaults."""
    chapters = report.add_subparsers(metavar="CHAPTER", title="chapters, each with --help", required=False)
    for chapter in CHAPTERS:
        example = f"report {chapter.name} {chapter.example}"
        one = add(chapter.name, chapter.text, example, command, chapters, config=argparse.SUPPRESS)
        one.set_defaults(chapter=chapter)
        for place in chapter.places:
            one.add_argument(f"--{place}", metavar="ID", default=argparse.SUPPRESS, help=PLACES[place])
        for option in chapter.options:
            how: dict[str, Any] = {"metavar": option.meta} if option.meta else {"action": "store_true"}
            one.add_argument(f"--{option.name}", default=argparse.SUPPRESS, help=option.text, **how)
        if chapter.window:
            add_window(one, _USUAL.get(chapter.name, "28 days"))
        add_form(one, None, f"/api/v1{chapter.path}")


def chapter_text(given: argparse.Namespace, http: "httpx2.Client", config: CollectorConfig) -> str:
    """The chapter in the form that is wanted. Raises CommandError."""
    chapter: Chapter = given.chapter
    if given.share:
        raise CommandError(f"--share freezes the report as a whole; leave out {chapter.name}")
    _refuse(chapter, given)
    answer = http.get(_path(chapter, given, http), params=_asked(chapter, given))
    body = answer_of(answer)
    if given.json or given.format == "json":
        return answer.text + "\n"
    return _written(given.format, chapter, body, config)


def _refuse(chapter: Chapter, given: argparse.Namespace) -> None:
    """Options given before the chapter that say nothing of it would be read as if they did."""
    if not chapter.window and (name := next((one for one in ("last", "days") if getattr(given, one, None) is not None), "")):
        raise CommandError(f"report {chapter.name} is of its own time; leave out --{name}")
    if given.journey and "journey" not in (*chapter.places, *(option.name for option in chapter.options)):
        raise CommandError(f"report {chapter.name} is not of one journey; leave out --journey")


def _path(chapter: Chapter, given: argparse.Namespace, http: "httpx2.Client") -> str:
    named = {}
    for place in chapter.places:
        ident = getattr(given, place, None)
        if not ident:
            raise CommandError(f"report {chapter.name} needs --{place} ID; {_known(place, http)}")
        named[place] = quote(ident, safe="")
    return f"/api/v1{chapter.path.format(**named)}"


def _known(place: str, http: "httpx2.Client") -> str:
    """Which ids there are, within a sentence."""
    if place == "mark":
        found = [row["id"] for row in answer_of(http.get("/api/v1/marks"))["marks"]]
    else:
        found = [row["id"] for row in answer_of(http.get("/api/v1/impact"))[f"{place}s"]]
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return f"there are {', '.join(found[:_MOST_NAMED])}{more}" if found else f"just now no {place} is known"


def _asked(chapter: Chapter, given: argparse.Namespace) -> dict[str, str]:
    asked = {option.name: getattr(given, option.name, None) for option in chapter.options}
    return {**{name: str(value) for name, value in asked.items() if value not in (None, False, "")}, **since(given)}


def _written(form: str, chapter: Chapter, body: dict[str, Any], config: CollectorConfig) -> str:
    from sojourn_collector.web.format import Clockface

    said, now, impact = told(chapter, body), datetime.now(UTC), load_impact_config(config.impact)
    clock = Clockface(ZoneInfo(impact.timezone), said.as_of or now, seconds=impact.windows.outcome < 3600)
    if form == "csv":
        from sojourn_collector.web.chapters.as_csv import as_csv

        return as_csv(said)
    if form == "md":
        from sojourn_collector.web.chapters.as_markdown import as_markdown

        return as_markdown(said, clock)
    if form == "html":
        from sojourn_collector.web.chapters.as_page import as_page

        return as_page(said, impact, now)
    from sojourn_collector.web.chapters.as_text import as_text

    return as_text(said, clock)
