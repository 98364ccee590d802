"""Incidents from probe runs and hits."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.score.incidents import Hit, Incident, ProbeAtStep, Settled, find_incidents, settle

ZERO = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
GAP = timedelta(minutes=30)


def at(minutes: float) -> datetime:
    return ZERO + timedelta(minutes=minutes)


def probe(minutes: float, passed: bool, location: str = "eu") -> ProbeAtStep:
    return ProbeAtStep(f"r{minutes}{location}", location, at(minutes), at(minutes) + timedelta(seconds=10), passed)


def hits(*minutes: float, person: str = "") -> list[Hit]:
    return [Hit(at(minute), person or f"p{number}") for number, minute in enumerate(minutes)]


def find(probes: list[ProbeAtStep], customers: list[Hit], now: float) -> list[Incident]:
    return find_incidents(probes, customers, gap=GAP, now=at(now))


def test_customers_alone_make_one_from_three_persons_on() -> None:
    """Three persons within the gap are an incident that begins with the first hit; two are not, nor one person three times."""
    one = find([], hits(0, 5, 10), 11)
    assert [(i.state, i.window_from, i.window_to, i.since) for i in one] == [("failing", at(0), at(11), at(0))]
    assert (one[0].first_probe_failure, one[0].last_probe_pass) == (None, None)
    assert find([], hits(0, 5), 11) == []
    assert find([], hits(0, 5, 10, person="same"), 11) == []


def test_a_failing_probe_alone_makes_one_that_begins_at_its_last_pass() -> None:
    """Whoever came since the last good look may have met it."""
    (one,) = find([probe(0, True), probe(5, True), probe(10, False)], [], 12)
    assert (one.state, one.since, one.last_probe_pass, one.window_from, one.window_to) == (
        "failing",
        at(10),
        at(5) + timedelta(seconds=10),
        at(5) + timedelta(seconds=10),
        at(12),
    )
    assert one.first_customer_hit is None


def test_a_single_failed_probe_run_between_passes_is_a_blip() -> None:
    """One failure, a pass after it and nobody hit: no incident. Twice in a row, or with one customer hit, it is one."""
    assert find([probe(0, True), probe(5, False), probe(10, True)], [], 20) == []
    assert len(find([probe(0, True), probe(5, False), probe(7, False), probe(10, True)], [], 20)) == 1
    assert len(find([probe(0, True), probe(5, False), probe(10, True)], hits(6), 20)) == 1


def test_both_together_begin_at_the_earlier_of_first_hit_and_last_pass() -> None:
    """A hit before the last pass stretches the window; the pass is shown."""
    (one,) = find([probe(0, True), probe(4, True), probe(8, False)], hits(2, 9), 10)
    assert (one.window_from, one.since, one.first_customer_hit) == (at(2), at(2), at(2))
    assert one.last_probe_pass == at(4) + timedelta(seconds=10)
    (two,) = find([probe(0, True), probe(4, True), probe(8, False)], hits(6, 9), 10)
    assert (two.window_from, two.since) == (at(4) + timedelta(seconds=10), at(6))


def test_it_is_over_after_a_pass_and_the_gap() -> None:
    """Over = newest probe passed and no hit for a gap; its end is the first pass after the last evidence, else the last hit."""
    probes = [probe(0, True), probe(5, False), probe(10, True), probe(15, True)]
    assert find(probes, hits(6), 20)[0].state == "failing"
    (one,) = find(probes, hits(6), 50)
    assert (one.state, one.until, one.window_to) == ("over", at(10) + timedelta(seconds=10), at(10) + timedelta(seconds=10))
    (alone,) = find([], hits(0, 1, 2), 50)
    assert (alone.state, alone.until, alone.window_to) == ("over", at(2), at(2))


def test_of_a_failing_location_that_falls_silent_nothing_is_known() -> None:
    """While its next run may still come it fails; then it is unknown, counted until a gap after its last failure, whatever another place sees."""
    probes = [probe(0, True), probe(5, False, "us"), *(probe(minute, True) for minute in range(6, 300))]
    told = [find_incidents(probes, [], gap=GAP, now=at(now), silent_for=lambda _: timedelta(minutes=60)) for now in (60, 300)]
    assert [(one.state, one.since, one.until, one.window_to) for (one,) in told] == [
        ("failing", at(5), None, at(60)),
        ("unknown", at(5), None, at(35) + timedelta(seconds=10)),
    ]
    assert told[1][0].last_evidence == at(5) + timedelta(seconds=10)
    healed = [*probes, probe(301, True, "us"), probe(4, False, "us")]
    (one,) = find_incidents(healed, [], gap=GAP, now=at(302), silent_for=lambda _: timedelta(minutes=60))
    assert one.state == "over"
    back = [*probes, probe(301, False, "us")]
    (one,) = find_incidents(back, [], gap=GAP, now=at(302), silent_for=lambda _: timedelta(minutes=60))
    assert (one.state, one.since) == ("failing", at(5))


def test_it_goes_on_while_the_newest_probe_fails() -> None:
    """Hours without a customer do not end it, and later hits belong to it."""
    probes = [probe(0, True), *(probe(5 + step * 5, False) for step in range(40))]
    incidents = find(probes, hits(6, 190), 206)
    assert [(i.state, len(i.hits), len(i.failed_runs)) for i in incidents] == [("failing", 2, 40)]


def test_two_far_apart_are_two() -> None:
    """More than a gap without evidence and with a pass between: two incidents, each with its own people."""
    probes = [probe(0, True), probe(5, False), probe(10, True), probe(100, False), probe(105, True)]
    incidents = find(probes, hits(6, 101), 200)
    assert [i.first_customer_hit for i in incidents] == [at(6), at(101)]
    assert incidents[1].window_from == at(10) + timedelta(seconds=10)


def test_one_location_failing_is_enough() -> None:
    """Passes from elsewhere do not end it while one location still fails."""
    probes = [probe(0, True, "eu"), probe(0, True, "us"), probe(5, False, "eu"), probe(6, True, "us"), probe(10, False, "eu"), probe(11, True, "us")]
    (one,) = find(probes, [], 12)
    assert (one.state, one.last_probe_pass) == ("failing", at(0) + timedelta(seconds=10))


def test_what_lies_after_now_is_not_seen() -> None:
    """A report as of earlier does not know the future."""
    assert find([probe(0, True), probe(5, False)], hits(6, 7, 8), 4) == []
    with pytest.raises(ValueError, match="the gap between incidents must be positive"):
        find_incidents([], [], gap=timedelta(0), now=ZERO)


EVENTS = st.lists(st.tuples(st.integers(0, 600), st.booleans(), st.sampled_from(["eu", "us"])), max_size=30)


@settings(deadline=None)
@given(EVENTS, st.lists(st.tuples(st.integers(0, 600), st.integers(0, 8)), max_size=30))
def test_windows_are_whole_and_apart(runs: list[tuple[int, bool, str]], met: list[tuple[int, int]]) -> None:
    """Every incident holds all its evidence in its window, no evidence is in two, and incidents begin in order."""
    probes = [probe(minute, passed, location) for minute, passed, location in runs]
    customers = [Hit(at(minute), f"p{person}") for minute, person in met]
    incidents = find_incidents(reversed(probes), customers, gap=GAP, now=at(601))
    for one in incidents:
        assert one.window_from <= one.since <= one.window_to
        assert all(one.window_from <= hit.at <= one.window_to for hit in one.hits)
        assert all(one.window_from <= run.started <= one.window_to for run in one.failed_runs)
        assert (one.until is None) == (one.state == "failing")
    assert sum(len(one.hits) for one in incidents) <= len(customers)
    assert [one.since for one in incidents] == sorted(one.since for one in incidents)


MIDNIGHT = 300
LONG_RUNS = st.lists(st.tuples(st.integers(0, 600), st.integers(0, 40), st.booleans(), st.sampled_from(["eu", "us"])), max_size=40)


@settings(deadline=None, max_examples=400)
@given(LONG_RUNS, st.lists(st.tuples(st.integers(0, 600), st.integers(0, 4)), max_size=20), st.integers(MIDNIGHT, 700), st.integers(5, 300))
def test_what_is_settled_stays_so(runs: list[tuple[int, int, bool, str]], met: list[tuple[int, int]], now: int, silent: int) -> None:
    """Whatever comes from midnight on: what is settled by then, with what is found in the rest and in what came, is what is found in everything."""
    probes = [ProbeAtStep(f"r{n}", place, at(begin), at(begin + took), passed) for n, (begin, took, passed, place) in enumerate(runs)]
    customers = [Hit(at(minute), f"p{person}") for minute, person in met]
    early = [run for run in probes if run.started < at(MIDNIGHT)]
    late = [run for run in probes if run.started >= at(MIDNIGHT)]
    if late and not early:
        return
    settled = settle(early, [hit for hit in customers if hit.at < at(MIDNIGHT)], gap=GAP, before=at(MIDNIGHT))
    after = [hit for hit in customers if hit.at >= at(MIDNIGHT)]
    asked: dict[str, Any] = {"gap": GAP, "now": at(now), "silent_for": lambda _: timedelta(minutes=silent)}
    found = [*settled.incidents, *find_incidents([*settled.probes, *late], [*settled.hits, *after], **asked)]
    assert found == find_incidents(probes, customers, **asked)


def test_of_what_is_settled_nothing_is_looked_at_again() -> None:
    """Of an outage, and of a single hit that is none, which a pass follows more than the gap before midnight, only the passes around its end are kept."""
    probes = [probe(0, True), probe(10, False), probe(20, False), probe(30, True), probe(31, True, "us"), probe(250, True)]
    done = settle(probes, hits(12, 14, 200), gap=GAP, before=at(MIDNIGHT))
    assert [(one.state, one.since, one.until) for one in done.incidents] == [("over", at(10), at(30) + timedelta(seconds=10))]
    assert ([run.run_id for run in done.probes], [hit.at for hit in done.hits]) == (["r31us", "r250eu"], [])


@pytest.mark.parametrize(
    "probes",
    [
        [probe(0, True), probe(10, False), probe(20, False)],
        [probe(0, True), probe(260, False), probe(275, False), probe(285, True)],
        [probe(0, True), probe(10, False), probe(20, False), probe(30, True, "us")],
        [probe(0, True), probe(10, False), probe(20, False), ProbeAtStep("slow", "eu", at(299), at(320), True)],
    ],
    ids=["no pass yet", "less than the gap ago", "only another place passed", "the pass ends after midnight, where a failure may end before it"],
)
def test_what_may_still_go_on_is_not_settled(probes: list[ProbeAtStep]) -> None:
    """Without a pass where it failed, or less than the gap before midnight, an outage is found anew each time."""
    assert settle(probes, [], gap=GAP, before=at(MIDNIGHT)) == Settled((), tuple(probes), ())
