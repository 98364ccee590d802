"""A world of a score that is no problem's money: what the engine's tables would hold of it, and how the product is asked about it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.simulated.judged import Answered

from sojourn_collector.context import Context


@dataclass(frozen=True)
class Measured:
    """Rows by table, and the question; the truth stays in the closure of `ask`, which sees the engine through the product's own answers alone."""

    rows: Mapping[str, list[dict[str, Any]]]
    ask: Callable[[Context], Awaitable[Answered]]


def ms(seconds: float) -> int:
    """Epoch milliseconds, as times are stored."""
    return round(seconds * 1000)


def walk(ident: str, journey: str, person: str, at: float, *, device: str, hit: bool, finished: bool) -> dict[str, Any]:
    """One settled walk of a customer: who met an error either got through all the same or was stopped."""
    return {
        "run_id": ident,
        "version": 1,
        "traffic": "real",
        "journey": journey,
        "started": ms(at),
        "ended": ms(at + 60),
        "settled": 1,
        "session_id": f"s-{ident}",
        "person_id": f"user:{person}",
        "person_kind": "user",
        "device": device,
        "end": "finished" if finished else "stopped" if hit else "gave_up",
        "severity": 0.0 if not hit else 0.5 if finished else 1.0,
    }


def survey_row(ident: str, journey: str, person: str, at: float, run: str) -> dict[str, Any]:
    """What an invitation to the survey `after` and an answer to it have alike."""
    return {
        "source": "api",
        "id": ident,
        "version": 1,
        "ts": ms(at),
        "received": ms(at),
        "survey_id": "after",
        "journey": journey,
        "person_id": f"user:{person}",
        "session_id": f"s-{run}",
        "run_ids": [run],
        "join": "explicit",
    }


def answer(ident: str, journey: str, person: str, at: float, run: str, *, good: bool) -> dict[str, Any]:
    """One answer from 1 to 5."""
    marked = {"kind": "csat", "value": 5.0 if good else 2.0, "scale_min": 1.0, "scale_max": 5.0, "higher_is_better": 1}
    return survey_row(ident, journey, person, at, run) | marked
