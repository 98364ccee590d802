"""The report as one page by itself, frozen: no script, no address it needs, no person and no comment. For files and for links one gives away."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from markupsafe import Markup
from starlette.responses import HTMLResponse

from sojourn_collector.config import ImpactConfig
from sojourn_collector.web.chapters.whole import beside
from sojourn_collector.web.models import Break, ImpactReport, Satisfaction
from sojourn_collector.web.page_writing import STYLE, WRITING
from sojourn_collector.web.render import Pages
from sojourn_collector.web.report_lines import in_one_line

POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What the page may do where a server sends it: its own style and nothing else."""


def without_people(report: ImpactReport) -> ImpactReport:
    """The same figures without anybody's name, comment, visit or trace."""
    problems = [
        problem.model_copy(
            update={
                "who": [],
                "probe_run_id": "",
                "last_good_run_id": "",
                "cause": problem.cause and problem.cause.model_copy(update={"trace_id": ""}),
                "satisfaction": _figures(problem.satisfaction),
            }
        )
        for problem in report.problems
    ]
    journeys = [one.model_copy(update={"probes": one.probes.model_copy(update={"runs": []})}) for one in report.journeys]
    return report.model_copy(update={"problems": problems, "journeys": journeys, "contact_first": []})


def _figures(satisfaction: Satisfaction) -> Satisfaction:
    return satisfaction.model_copy(update={"comments": []})


def frozen_page(pages: Pages, report: ImpactReport, *, title: str = "", expires_at: datetime | None = None, since: Sequence[Break] = ()) -> HTMLResponse:
    """The page of a report; `expires_at` is said where a link leads to it, and `since` = what of the configuration has changed after it was frozen."""
    answer = pages.page(
        "frozen.html",
        as_of=report.as_of,
        title=title or "Customer impact",
        report=without_people(report),
        style=Markup(STYLE),  # noqa: S704 - our own files
        expires_at=expires_at,
        since=since,
        whole="" if report.company is None else in_one_line(report.company),
        beside=beside(report),
        **WRITING,
    )
    answer.headers["content-security-policy"] = POLICY
    return answer


def frozen_html(impact: ImpactConfig, report: ImpactReport) -> str:
    """The page as text, for a file."""
    return bytes(frozen_page(Pages(impact, lambda: report.as_of), report).body).decode()
