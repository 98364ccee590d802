"""The alarm of newly hit customers: what is usual, when it is raised and over, its gate, and its budget of false alarms."""

from collections.abc import Iterable
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.score.alarms import IMPACT, Block, Budget, Minute, Share, Watched, block_of, usual_shares, usually, watch
from sojourn_collector.score.intervals import wilson_counts
from sojourn_collector.score.sequential import worth_waking

DAY: Block = (2, False)
USUAL = {None: Share(20, 2000), DAY: Share(10, 1000)}


def watched(minutes: Iterable[Minute], usual: dict[Block | None, Share] | None = None, **how: float) -> Watched:
    return watch(minutes, usual or USUAL, lambda _: DAY, streams=10, weekly=5000.0, budget=Budget(**how))


def wakes(told: Watched) -> bool:
    assert told.met is not None
    return worth_waking(told.met.hit, told.met.low, IMPACT)


def every_minute(first: int, *met: tuple[int, int], severity: float = 1.0) -> list[Minute]:
    """People and hit in each minute from the first on, all persons, each hit as severely."""
    return [Minute(60.0 * (first + number), people, hit, hit, hit * severity) for number, (people, hit) in enumerate(met)]


def test_last_week_s_outage_is_not_usual() -> None:
    """Ten hours of 20 people with one hit each, one of them with all: the worst tenth is left out. Of fewer than 100 people there is none."""
    hours = [Share(1, 20)] * 9 + [Share(20, 20)]
    told = usual_shares({DAY: hours, (0, True): [Share(0, 50)]})
    assert told[DAY] == Share(9, 180)
    assert (0, True) not in told
    # Of all eleven hours the worst one is left out too.
    assert told[None] == Share(9, 230)
    assert usual_shares({DAY: [Share(1, 99)]}) == {}
    assert usual_shares({}) == {}
    assert [block_of(hour, False)[0] for hour in (0, 3, 4, 23)] == [0, 0, 1, 5]


def test_an_outage_alarms_and_wakes_and_is_over_when_it_cannot_go_on() -> None:
    """Usually 1 of 100. Of ten a minute four are hit: an alarm in the second minute, since the first, worth waking. It is over once so many came
    well that there was a chance of 1 in 20 of it if the lower end of 12 of 30 were still hit: 11 people."""
    before = every_minute(0, *[(10, 0)] * 5)
    outage = every_minute(5, *[(10, 4)] * 3)
    told = watched(before + outage)
    assert told.alarmed
    assert told.met is not None
    assert (told.met.since, told.met.people, told.met.hit, told.met.persons, wakes(told)) == (300.0, 30, 12, 12, True)
    assert told.met.raised == 360.0
    assert told.met.impact == 40.0
    assert told.met.low < 40.0 < told.met.high
    assert np.ceil(3 / -np.log1p(-wilson_counts(12, 30)[0])) == 11
    assert watched(before + outage + every_minute(8, (10, 0))).alarmed
    after = watched(before + outage + every_minute(8, (10, 0), (1, 0)))
    assert (after.alarmed, after.met, after.total) == (False, None, 0.0)


def test_three_of_a_few_are_an_outage_where_nobody_is_usually_hit() -> None:
    """Usually 1 of 5,000. Three of four in one minute wake somebody at once; at three times the usual share alone it would take ten."""
    told = watched(every_minute(0, (4, 3)), {None: Share(2, 10_000)})
    assert (told.alarmed, wakes(told)) == (True, True)
    assert not watched(every_minute(0, (4, 2)), {None: Share(2, 10_000)}).alarmed


def test_the_threshold_is_the_budget() -> None:
    """ln(2 sums × streams × people to one a week ÷ false alarms a week): twice as many allowed is ln 2 less."""
    assert watched([]).threshold == pytest.approx(log(2 * 10 * 5000))
    assert watched([], false_per_week=2.0).threshold == pytest.approx(log(10 * 5000))


def test_an_alarm_that_hurts_little_wakes_nobody() -> None:
    """15 of 1,000, where 1 of 1,000 is usual, are beyond chance; an impact of 1.5 is not worth a night."""
    rare: dict[Block | None, Share] = {None: Share(10, 10_000)}
    told = watched(every_minute(0, *[(10, 0)] * 30, *[(70, 1)] * 5, *[(70, 2)] * 5), rare)
    assert told.met is not None
    assert (told.alarmed, wakes(told)) == (True, False)
    assert told.met.low < 5


def test_the_hour_decides_what_is_usual() -> None:
    """The same people: an alarm where 1 of 100 is usual at that hour, none where 40 of 100 are; an hour of which too little is known goes by all hours."""
    night: Block = (0, False)
    usual = {None: Share(20, 2000), DAY: Share(400, 1000)}
    seen = every_minute(0, *[(10, 4)] * 3)

    def at(block: Block) -> bool:
        return watch(seen, usual, lambda _: block, streams=10, weekly=5000.0, budget=Budget()).alarmed

    assert (at(DAY), at(night)) == (False, True)
    assert usually(Share(20, 2000))[0] == 0.01
    assert usually(Share(20, 2000))[1] == pytest.approx(0.0154, abs=1e-4)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=80))
def test_a_sum_is_never_below_nothing_and_tells_whom_it_is_of(met: list[tuple[int, int]]) -> None:
    """Between 0 and twice the threshold; as many hit as came at most, since a minute that was there; nobody hit is quiet."""
    minutes = every_minute(0, *[(people, min(people, hit)) for people, hit in met])
    told = watched(minutes)
    assert 0 <= told.total <= 2 * told.threshold
    if told.met is None:
        assert not told.alarmed
    else:
        assert told.met.hit <= told.met.people
        assert told.met.since in {minute.at for minute in minutes}
        assert told.met.low <= told.met.impact + 1e-9
    assert watched([minute._replace(hit=0, persons=0, severity=0.0) for minute in minutes]).met is None


def alarmed_weeks(weeks: int, times: float, seed: int, **how: float) -> int:
    """How often a step alarms at all in a week, of twenty whose usual shares of .2 to 6 % were read off four weeks of 300 people a week each and whose true
    share now is so many times that; looked at every twelve hours."""
    rng, raised = np.random.default_rng(seed), 0
    for _ in range(weeks):
        for share in np.linspace(0.002, 0.06, 20):
            usual: dict[Block | None, Share] = {None: Share(int(rng.binomial(1200, share)), 1200)}
            people = rng.poisson(300 / 168, 168)
            minutes = [
                Minute(3600.0 * hour, int(came), hit := int(rng.binomial(came, times * share)), hit, float(hit)) for hour, came in enumerate(people) if came
            ]
            looks = (minutes[max(0, end - 24) : end + 1] for end in range(0, len(minutes), 12))
            raised += any(watch(look, usual, lambda _: DAY, streams=20, weekly=300.0, budget=Budget(**how)).alarmed for look in looks)
    return raised


@pytest.mark.slow
def test_false_alarms_keep_within_the_budget() -> None:
    """Nothing wrong for 60 weeks: none, of the 60 allowed; of 100 a week allowed some, and far fewer than those."""
    assert alarmed_weeks(60, 1.0, 11) == 0
    assert 0 < alarmed_weeks(10, 1.0, 11, false_per_week=100.0) <= 100


def test_what_is_six_times_as_bad_is_heard() -> None:
    """Of a hundred small steps at six times their usual share most alarm within the week, and more than at three times."""
    six, three = alarmed_weeks(5, 6.0, 13), alarmed_weeks(5, 3.0, 12)
    assert six >= 70
    assert 0 < three < six
