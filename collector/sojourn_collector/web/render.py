"""Turns answers into pages: one Jinja environment, everything escaped, undefined names are errors."""

from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from json import dumps
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from sojourn_collector.config import ImpactConfig
from sojourn_collector.score.money import Settings
from sojourn_collector.score.severities import MARKS
from sojourn_collector.web import axis, scores_said, words
from sojourn_collector.web import format as write
from sojourn_collector.web.answers.breakdown import choices
from sojourn_collector.web.rows_at import rows_at

FOLDER = Path(str(files("sojourn_collector.web")))

# Sent with every page. The app's own headers may say the same or more.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# Of a page that offers a choice of its window: its form asks for the page anew.
POLICY_WITH_FORM = POLICY.replace("form-action 'none'", "form-action 'self'")


def _tamed(value: Any) -> Any:
    """Every text that goes onto a page loses control and reordering characters and gets an end; None never shows as `None`."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return write.plain(value)
    return "" if value is None else value


def _data(value: Any) -> Markup:
    """`value` as JSON inside an attribute, which a script reads back."""
    return escape(dumps(value, ensure_ascii=True, separators=(",", ":")))


class Pages:
    """Renders templates with what every page shares: words, formats, the windows in force and the time."""

    def __init__(self, impact: ImpactConfig, clock: Callable[[], datetime]) -> None:
        self._impact, self._clock = impact, clock
        self._seconds = impact.windows.outcome < 3600
        self._zone = ZoneInfo(impact.timezone)
        environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_tamed,
        )
        environment.filters |= {
            "count": write.count,
            "data": _data,
            "estimate": write.estimate,
            "filesize": write.filesize,
            "lasting": write.lasting,
            "machine_time": write.machine_time,
            "money": write.money,
            "number": write.number,
            "outside_link": write.outside_link,
            "percent": write.percent,
            "plain": write.plain,
            "score": write.score,
        }
        environment.globals |= {
            "axis": axis,
            "link": write.link,
            "part": write.part,
            "rows_at": rows_at,
            "span_of": write.span_of,
            "words": words,
            "gates": Settings(outcome=impact.windows.outcome),
            "impact_config": impact,
            "met_marks": MARKS,
            "segments": choices(impact),
            "scores": scores_said,
        }
        self._environment = environment

    def clockface(self, as_of: datetime | None = None) -> write.Clockface:
        """How this report writes times, seen from `as_of`, else from now."""
        return write.Clockface(self._zone, as_of or self._clock(), seconds=self._seconds)

    def page(self, template: str, *, as_of: datetime | None = None, status: int = 200, headers: dict[str, str] | None = None, **values: Any) -> HTMLResponse:
        """The page `template` with `values`, not to be kept by any cache: it speaks of persons."""
        face = self.clockface(as_of)
        body = self._environment.get_template(template).render(clock=face, as_of=face.now, **values)
        return HTMLResponse(
            body,
            status,
            {
                "content-security-policy": POLICY_WITH_FORM if "window" in values else POLICY,
                "cache-control": "no-store",
                "x-content-type-options": "nosniff",
                "referrer-policy": "no-referrer",
                **(headers or {}),
            },
        )
