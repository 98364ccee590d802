"""What is judged over time: fixes, complaints to come, and looks that are repeated."""

from dataclasses import replace
from math import log, sqrt

import numpy as np
import pytest
from scipy import stats

from sojourn_collector.score.complaint_forecast import PastForecast, PastIncident, beats_base, forecast
from sojourn_collector.score.fix_verification import DayCount, verify_fix
from sojourn_collector.score.sequential import confidence_sequence, cusum, deviations_at, sure_at, worth_waking


def history(rng: np.random.Generator, *, fixed: int, effect: float, bad: tuple[int, int], last: int, base: float = 0.75) -> list[DayCount]:
    """Daily answers of both arms from day 0; the treated arm has a bad stretch and, from the fix on, the effect."""
    rows = []
    for day in range(last):
        for treated in (True, False):
            share = base + (effect if treated and day > fixed else 0.0) - (0.25 if treated and bad[0] <= day < bad[1] else 0.0)
            rows.append(DayCount(day, treated, int(rng.binomial(40, min(1.0, share))), 40))
    return rows


def test_a_fix_that_helps_is_seen_and_one_that_does_not_is_no_evidence() -> None:
    """Twenty points more after the fix: improved. The end of a bad week alone: no evidence, for its days are out."""
    rng = np.random.default_rng(1)
    helped = verify_fix(history(rng, fixed=120, effect=0.2, bad=(113, 121), last=150), fixed=120, triggered_from=113, today=149)
    assert (helped.verdict, helped.look) == ("improved", 28)
    assert helped.low is not None
    assert 0 < helped.low < 0.2 < (helped.high or 0)
    useless = verify_fix(history(rng, fixed=120, effect=0.0, bad=(113, 121), last=150), fixed=120, triggered_from=113, today=135)
    assert (useless.verdict, useless.look) == ("no evidence", 14)
    worse = verify_fix(history(rng, fixed=120, effect=-0.3, bad=(113, 121), last=150), fixed=120, triggered_from=113, today=149)
    assert worse.verdict == "worse"


def test_three_looks_at_a_useless_fix_seldom_claim_anything() -> None:
    """60 fixes without effect after a bad week, each looked at three times: hardly any is ever called improved or worse."""
    rng, claimed = np.random.default_rng(7), 0
    for _ in range(60):
        rows = history(rng, fixed=120, effect=0.0, bad=(113, 121), last=150)
        claimed += any(verify_fix(rows, 120, 113, today).verdict in ("improved", "worse") for today in (128, 135, 149))
    assert claimed <= 5


def test_formerly_blocked_people_who_answer_now_are_no_effect() -> None:
    """After the fix unhappy people answer who were blocked before: at the old mix nothing has changed, whereas raw it would be worse."""
    rows = []
    for day in range(60):
        for treated in (True, False):
            rows.append(DayCount(day, treated, 32, 40, "never blocked"))
            rows.append(DayCount(day, treated, 2, 10, "blocked before"))
            if treated and day > 40:
                rows.append(DayCount(day, treated, 8, 40, "blocked before"))
    told = verify_fix(rows, fixed=40, triggered_from=38, today=59)
    assert told.effect == pytest.approx(0.0, abs=1e-9)
    assert told.verdict == "no evidence"


def test_a_fix_is_not_judged_too_early_or_on_little() -> None:
    """A week must pass; thirty answers a cell; eight earlier dates."""
    rows = history(np.random.default_rng(2), fixed=60, effect=0.0, bad=(53, 61), last=70)
    assert verify_fix(rows, 60, 53, 67).verdict == "too early"
    thin = [replace(row, good=0, of=4) for row in rows]
    assert verify_fix(thin, 60, 53, 69).reason.startswith("28 answers on the fixed journey before, judged from 30 on")
    short = [row for row in rows if row.day >= 44]
    assert verify_fix(short, 60, 53, 69).reason == "0 earlier dates to compare with, judged from 8 on"
    with pytest.raises(ValueError, match=r"^the trouble that led to a fix begins before it$"):
        verify_fix(rows, 60, 61, 69)


def test_complaints_are_forecast_from_past_incidents() -> None:
    """Half a ticket for each unit of severity: 40 exposed over a base of 10 bring about 30, within the interval."""
    rng = np.random.default_rng(3)
    past = [PastIncident(float(e), int(rng.poisson(8 + 0.5 * e)), 8.0) for e in (10, 20, 30, 40, 50, 60, 25, 35)]
    told = forecast(40.0, 10.0, past)
    assert told.expected == pytest.approx(30, abs=4)
    assert told.low is not None
    assert told.high is not None
    assert told.low < 30 < told.high
    assert told == forecast(40.0, 10.0, past)


def test_the_forecast_covers_what_comes() -> None:
    """400 incidents after ten others, tickets more spread than Poisson's: covered 88 to 99 % of the time."""
    rng, covered = np.random.default_rng(9), 0

    def tickets(exposure: float) -> int:
        mean = 6 + 0.4 * exposure
        return int(rng.negative_binomial(8, 8 / (8 + mean)))

    for _ in range(400):
        past = [PastIncident(e, tickets(e), 6.0) for e in rng.uniform(5, 80, 10).tolist()]
        exposure = float(rng.uniform(5, 80))
        told = forecast(exposure, 6.0, past)
        assert told.low is not None
        assert told.high is not None
        covered += told.low <= tickets(exposure) <= told.high
    assert 0.88 <= covered / 400 <= 0.99


def test_no_forecast_without_incidents_or_when_the_base_does_as_well() -> None:
    """Four incidents are too few; one that was beaten by the usual number is not shown."""
    four = [PastIncident(10.0, 10, 5.0)] * 4
    assert forecast(1.0, 1.0, four).reason == "4 past incidents to learn from, forecast from 5 on"
    wrong = [PastForecast(5, 50.0, 5.0, 0.1)] * 20
    assert not beats_base(wrong)
    assert forecast(1.0, 1.0, [*four, four[0]], wrong).reason == "over the last 20 forecasts it did no better than the usual number for the hour"
    assert beats_base([PastForecast(50, 50.0, 5.0, 0.1)] * 20)
    with pytest.raises(ValueError, match=r"^neither exposure nor base can be negative$"):
        forecast(-1.0, 0.0, four)


def test_the_sum_is_pages_own() -> None:
    """Two hit and one not: ln 3 twice, and ln((1 − 3 p) / (1 − p)) once; it never falls below 0."""
    alarm = cusum(20, 1000, streams=10, people_per_false_alarm=1000)
    assert alarm.threshold == pytest.approx(log(10_000))
    assert 0.02 < alarm.p0 < 0.035
    assert alarm.all_seen([True, True, False]).total == pytest.approx(2 * log(3) + log((1 - 3 * alarm.p0) / (1 - alarm.p0)))
    assert alarm.all_seen([False] * 100).total == 0.0


def test_an_outage_alarms_soon_and_the_usual_hardly_ever() -> None:
    """Everyone hit: within nine persons. The usual share over 20,000 persons: no alarm. It is cleared when it is over."""
    alarm = cusum(20, 1000, streams=10, people_per_false_alarm=1000)
    assert alarm.all_seen([True] * 9).alarmed
    rng = np.random.default_rng(4)
    quiet = alarm
    for hit in (rng.random(20_000) < 0.02).tolist():
        quiet = quiet.seen(hit)
        assert not quiet.alarmed
    loud = alarm.all_seen([True] * 500)
    assert loud.seen(False).alarmed
    assert not loud.all_seen([False] * 400).alarmed
    with pytest.raises(ValueError, match=r"^an alarm needs people who came before"):
        cusum(0, 0, streams=1, people_per_false_alarm=1)


def test_what_wakes_somebody() -> None:
    """Three persons with impact surely above the threshold, or as much worth; never one person alone."""
    assert worth_waking(3, 5.0, 5.0)
    assert not worth_waking(2, 50.0, 5.0)
    assert not worth_waking(3, 4.9, 5.0)
    assert not worth_waking(3, None, 5.0)
    assert worth_waking(1, None, 5.0, 1000.0, 500.0)


def test_a_confidence_sequence_may_be_looked_at_sixty_times() -> None:
    """1,500 streams without any effect, 60 looks each: a fixed 95 % interval claims in more than 15 %, the sequence in at most 5 %."""
    rng = np.random.default_rng(6)
    sums = np.cumsum(rng.normal(size=(1500, 60)), axis=1)
    looks = np.arange(1, 61)
    fixed = (np.abs(sums / looks) > 1.96 / np.sqrt(looks)).any(axis=1).mean()
    half = np.array([confidence_sequence(0.0, 1.0, float(n), tightest_at=30.0)[1] for n in looks])
    sequence = (np.abs(sums / looks) > half).any(axis=1).mean()
    assert fixed > 0.15
    assert sequence <= 0.05
    # At the n it is made for it is the price of looking: about one and a half times as wide.
    assert half[29] / (stats.norm.ppf(0.975) / sqrt(30)) == pytest.approx(1.6, abs=0.15)
    with pytest.raises(ValueError, match=r"^n must be positive, the deviation not negative, alpha between 0 and 1$"):
        confidence_sequence(0.0, 1.0, 0.0)


def test_a_sequence_reaches_further_than_one_look() -> None:
    """Robbins' mixture at its tightest: 3.03 standard errors, 1.55 times one interval's, which is a confidence of .9976; further before and after."""
    assert deviations_at(28, tightest_at=28) == pytest.approx(3.035, abs=1e-3)
    assert sure_at(28, tightest_at=28) == pytest.approx(2 * stats.norm.cdf(3.035) - 1, abs=1e-5)
    assert min(deviations_at(7, tightest_at=28), deviations_at(280, tightest_at=28)) > 3.2
