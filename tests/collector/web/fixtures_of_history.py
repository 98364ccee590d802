"""How the shop's checkout went over time, as an answer would be: a bad week, days of which nothing is known, a configuration that changed."""

from datetime import datetime, timedelta
from typing import Literal

from sojourn_collector.score.intervals import wilson
from sojourn_collector.web import models as m
from sojourn_collector.web.models_history import HistoryCustomers, HistoryPeriod, HistoryProbes, JourneyHistory
from tests.collector.web import fixtures_of_versions
from tests.collector.web.fixtures import NOW

DAY = timedelta(days=1)


def history(every: Literal["day", "hour"] = "day", name: str = "Buy one item") -> JourneyHistory:
    """Sixty days, or two days by the hour; the newest is not over."""
    step, count = (DAY, 60) if every == "day" else (timedelta(hours=1), 48)
    today = NOW.replace(hour=0 if every == "day" else NOW.hour, minute=0, second=0, microsecond=0)
    periods = [_period(today - step * back, step, back, every) for back in range(count - 1, -1, -1) if back not in (31, 32)]
    return JourneyHistory(
        as_of=NOW,
        window_from=periods[0].since,
        window_to=periods[-1].until,
        id="checkout",
        name=name,
        every=every,
        timezone="UTC",
        kept_days=400,
        counted_until=today,
        periods=periods,
        breaks=fixtures_of_versions.breaks(NOW - 10 * DAY),
    )


def _period(since: datetime, step: timedelta, back: int, every: Literal["day", "hour"]) -> HistoryPeriod:
    tried, stopped = 300 + 7 * (back % 9), 60 if 12 <= back <= 16 else 4 + back % 3
    finished, gave_up = 200, 80
    over = finished + gave_up + stopped
    score = 100 * stopped / over
    stopped_low, stopped_high = wilson(stopped / over, over)
    finished_low, finished_high = wilson(finished / over, over)
    impact = m.Impact(state="measured", score=score, low=100 * stopped_low, high=100 * stopped_high, of=240, n_eff=240, by_visit=0.1)
    return HistoryPeriod.model_validate(
        {
            "since": since,
            "until": since + step,
            "day": since.date() if every == "day" else None,
            "open": back == 0,
            "customers": None
            if back == 5
            else HistoryCustomers(
                tried=max(tried, over),
                finished=finished,
                gave_up=gave_up,
                stopped=stopped,
                trying=max(tried, over) - over,
                people=240 + back % 5,
                anonymous=30 + back % 4,
                finished_low=finished_low,
                finished_high=finished_high,
                stopped_low=stopped_low,
                stopped_high=stopped_high,
                impact=impact if every == "day" else None,
            ),
            "probes": HistoryProbes(
                runs=1440,
                passed=1430,
                degraded=2,
                failed=8,
                inconclusive=0,
                skipped=0,
                flaky=1,
                passed_share=0.99,
                passed_low=0.98,
                passed_high=1.0,
                locations=["eu"],
            ),
            "steps": [],
        }
    )
