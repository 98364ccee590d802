"""`sojourn-collector report`: what the running collector reports, in the form that is wanted; `--share` makes a link to it as it is now."""

import argparse
import sys
from typing import Any
from zoneinfo import ZoneInfo

from sojourn_collector.cli_chapters import Add, add_chapters, chapter_text
from sojourn_collector.cli_report_options import add_form, put, since
from sojourn_collector.cli_running import CommandError, answer_of, asking, running
from sojourn_collector.config import CollectorConfig, load_impact_config

OK = 0
SECONDS = 120.0
LINK_DAYS = 30


def add_arguments(one: argparse.ArgumentParser, add: Add) -> None:
    """The command's options, and its chapters."""
    add_form(one, "human", "/api/v1/report")
    one.set_defaults(chapter=None)
    one.add_argument("--journey", metavar="ID", help="one journey only")
    one.add_argument(
        "--last", metavar="SPAN", help="how far to look back, such as 7d (default: 24 hours, and problems before whose money has not been final for a day)"
    )
    one.add_argument("--share", action="store_true", help="freeze the report and print a link to it; people and comments are not part of it")
    one.add_argument("--title", default="", help="with --share: what stands on top")
    one.add_argument("--days", type=int, help=f"how far to look back, in days; with --share: days until the link ends (default: {LINK_DAYS})")
    one.add_argument("--list-shares", action="store_true", help="show the links that lead somewhere")
    one.add_argument("--end-share", metavar="ID", help="end a link")
    add_chapters(add, one, report)


def report(given: argparse.Namespace, config: CollectorConfig) -> int:
    """Ask the running collector. Raises CommandError."""
    found = running(config.data)
    if found is None:
        raise CommandError(f"no collector runs on {config.data}; start it with: sojourn-collector run --config {given.config}")
    with asking(found, config, seconds=SECONDS) as http:
        if given.list_shares:
            return _list(answer_of(http.get("/api/v1/admin/shares")))
        if given.end_share:
            answer = http.delete(f"/api/v1/admin/shares/{given.end_share}")
            if answer.status_code != 204:
                answer_of(answer)
            print(f"The link {given.end_share} leads nowhere now.")
            return OK
        if given.chapter is not None:
            put(chapter_text(given, http, config), given.out)
            return OK
        asked = _asked(given)
        if given.share:
            made = answer_of(
                http.post("/api/v1/admin/shares", json={**asked, "title": given.title, "days": LINK_DAYS if given.days is None else given.days}), 201
            )
            print(f"{found['web']}{made['path']}")
            print(
                f"Whoever has this link can read it until {made['expires_at'][:10]}; end it with: sojourn-collector report --end-share {made['id']}",
                file=sys.stderr,
            )
            return OK
        answer = http.get("/api/v1/report", params=asked)
        told = answer_of(answer)
        text = answer.text + "\n" if given.json or given.format == "json" else _written(given.format, told, config, given.journey or "")
    put(text, given.out)
    return OK


def _asked(given: argparse.Namespace) -> dict[str, str]:
    asked = {"journey": given.journey} if given.journey else {}
    if given.share:
        # The days are those of the link.
        return {**asked, **since(argparse.Namespace(last=given.last))}
    return {**asked, **since(given)}


def _written(form: str, body: dict[str, Any], config: CollectorConfig, journey: str) -> str:
    from sojourn_collector.web.models_whole import WholeReport

    report, impact = WholeReport.model_validate(body), load_impact_config(config.impact)
    if form == "human":
        from sojourn_collector.web.report_text import as_text

        return as_text(report, journey, ZoneInfo(impact.timezone))
    from sojourn_collector.web.frozen import frozen_html
    from sojourn_collector.web.report_csv import as_csv
    from sojourn_collector.web.report_markdown import as_markdown

    return as_csv(report) if form == "csv" else as_markdown(report, ZoneInfo(impact.timezone)) if form == "md" else frozen_html(impact, report)


def _list(rows: list[dict[str, Any]]) -> int:
    for row in rows:
        print(f"{row['id']}  until {row['expires_at'][:10]}  made {row['made_at'][:10]} by {row['actor']}  {row['title']}")
    if not rows:
        print("No link leads to a frozen report. Make one: sojourn-collector report --share")
    return OK
