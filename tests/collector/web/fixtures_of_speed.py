"""Answers to show of speed: a step with an estimate, one without."""

from datetime import timedelta

from sojourn_collector.web import models_speed as speed
from sojourn_collector.web.models import Named
from tests.collector.web.fixtures import NOW

NONE = speed.Odds(state="not measured", of=12, good=3, left=0, reason="12 people with a wait to compare, estimated from 90 on")


def answer(journey: str, name: str) -> speed.SpeedAnswer:
    """Of two steps of a journey."""
    told = speed.Odds(
        state="measured",
        of=1240,
        good=700,
        left=31,
        ratio=0.62,
        low=0.55,
        high=0.7,
        shortest=0.3,
        longest=3.1,
        goes="less",
        sentence="each doubling of the wait is associated with 0.62 times the odds of finishing [0.55, 0.70], between 0.3 and 3.1 times the usual wait",
    )
    steps = [
        speed.StepSpeed(step=Named(id="pay", name="Pay"), walks=1400, hit=60, unknown=100, p10=0.9, p50=1.8, p90=4.2, finished=told, satisfied=NONE),
        speed.StepSpeed(step=Named(id="done", name=name), walks=12, hit=0, unknown=12, finished=NONE, satisfied=NONE),
    ]
    return speed.SpeedAnswer(
        as_of=NOW,
        window_from=NOW - timedelta(days=28),
        window_to=NOW,
        journey=Named(id=journey, name=name),
        walks=84_000,
        one_in=2,
        scale="1–5",
        truncated=False,
        steps=steps,
    )
