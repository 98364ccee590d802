"""The scheduler under a clock that the test moves."""

import asyncio
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable

from hypothesis import given
from hypothesis import strategies as st

from sojourn_agent.scheduler import FIRST_WITHIN, SPREAD, Scheduler, first_due, next_due, phase
from sojourn_probes import schedule
from sojourn_probes.journey import Journey


class Hand:
    """A clock moved by hand: whoever waits is woken when it passes their time, in order."""

    def __init__(self, start: float = 1000.0) -> None:
        self.time = start
        self._waiting: list[tuple[float, int, asyncio.Event]] = []
        self._count = itertools.count()

    def now(self) -> float:
        """What it shows."""
        return self.time

    async def wait(self, event: asyncio.Event, until: float) -> None:
        """Until `event`, or until it was moved to `until`."""
        reached = asyncio.Event()
        heapq.heappush(self._waiting, (until, next(self._count), reached))
        tasks = [asyncio.create_task(event.wait()), asyncio.create_task(reached.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def move(self, seconds: float) -> None:
        """Go forward, stopping at each time somebody waits for."""
        await settled()
        end = self.time + seconds
        while self._waiting and self._waiting[0][0] <= end:
            until, _, reached = heapq.heappop(self._waiting)
            self.time = max(self.time, until)
            reached.set()
            await settled()
        self.time = end


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(30):
        await asyncio.sleep(0)


def journey(name: str = "a", interval: float = 60, text: str = "") -> Journey:
    """A journey of one step."""
    return Journey.model_validate({"id": name, "interval": f"{interval:g}s", "description": text, "steps": [{"id": "s", "http": {"url": "http://h/"}}]})


class Walks:
    """Notes every run; each lasts until `finish`, unless `quick`."""

    def __init__(self, hand: Hand, *, quick: bool = True, during: Callable[[], Awaitable[None]] | None = None) -> None:
        self.hand, self.quick, self.during = hand, quick, during
        self.began: list[tuple[str, float, float]] = []
        self.at_once = self.most = 0
        self.go_on = asyncio.Event()

    async def __call__(self, walked: Journey, lag: float) -> None:
        """One run."""
        self.began.append((walked.id, self.hand.time, lag))
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        try:
            if not self.quick:
                await self.go_on.wait()
        finally:
            self.at_once -= 1


def made(hand: Hand, walks: Walks, at_once: int = 20) -> Scheduler:
    """A scheduler of location `here`."""
    return Scheduler(walks, hand, location="here", at_once=at_once)


async def test_a_journey_runs_soon_and_then_on_its_grid():
    """The first run within 15 s, then one in each interval, an interval apart."""
    hand = Hand()
    walks = Walks(hand)
    scheduler = made(hand, walks)
    scheduler.keep([journey()])
    await hand.move(600)
    await scheduler.stop(0)
    times = [at for _, at, _ in walks.began]
    assert 0 <= times[0] - 1000 <= FIRST_WITHIN
    assert 30 <= times[1] - times[0] <= 90
    assert [round(b - a, 6) for a, b in itertools.pairwise(times[1:])] == [60] * (len(times) - 2)
    assert len(times) >= 9
    assert {lag for _, _, lag in walks.began} == {0}


async def test_journeys_are_spread():
    """Thirty journeys of one interval start at thirty different moments, over most of it."""
    hand = Hand()
    walks = Walks(hand)
    scheduler = made(hand, walks)
    scheduler.keep([journey(f"j{n}") for n in range(30)])
    await hand.move(300)
    await scheduler.stop(0)
    moments = {round(at % 60, 3) for _, at, _ in walks.began if at > 1100}
    assert len(moments) == 30
    assert max(moments) - min(moments) > 40


async def test_a_journey_never_overlaps_itself_and_missed_moments_are_counted():
    """A run of three intervals delays its own next one; the moments passed over are counted, not made up for."""
    hand = Hand()
    walks = Walks(hand, quick=False)
    scheduler = made(hand, walks)
    scheduler.keep([journey(interval=10)])
    await hand.move(45)
    assert (len(walks.began), scheduler.running) == (1, 1)
    walks.quick = True
    walks.go_on.set()
    await hand.move(20)
    await scheduler.stop(0)
    assert walks.most == 1
    assert 2 <= len(walks.began) <= 3
    assert scheduler.missed in (3, 4)


async def test_runs_at_once_are_bounded_and_a_late_start_is_told():
    """With one place, the second journey waits and is told how late it began."""
    hand = Hand()
    walks = Walks(hand, quick=False)
    scheduler = made(hand, walks, at_once=1)
    scheduler.keep([journey("a", 60), journey("b", 60)])
    await hand.move(30)
    assert [lag for _, _, lag in walks.began] == [0]
    walks.quick = True
    walks.go_on.set()
    await settled()
    await scheduler.stop(0)
    assert walks.most == 1
    assert len(walks.began) == 2
    assert walks.began[1][2] > 15
    assert scheduler.lag == walks.began[1][2]


async def test_a_changed_journey_changes_with_its_next_run():
    """The run going on ends as it was; the next one is of the new definition, at the new interval."""
    hand = Hand()
    seen: list[str] = []

    async def walk(walked: Journey, lag: float) -> None:
        seen.append(walked.description)

    scheduler = Scheduler(walk, hand, location="here")
    scheduler.keep([journey(text="old")])
    await hand.move(16)
    scheduler.keep([journey(interval=5, text="new")])
    await hand.move(30)
    await scheduler.stop(0)
    assert seen[0] == "old"
    assert set(seen[1:]) == {"new"}
    assert len(seen) >= 5


async def test_a_removed_journey_is_walked_no_more_and_others_go_on():
    """Its run going on is not cut."""
    hand = Hand()
    walks = Walks(hand, quick=False)
    scheduler = made(hand, walks)
    scheduler.keep([journey("a", 10), journey("b", 10)])
    await hand.move(11)
    assert walks.at_once == 2
    scheduler.keep([journey("b", 10)])
    assert walks.at_once == 2
    walks.quick = True
    walks.go_on.set()
    await hand.move(40)
    await scheduler.stop(0)
    assert [name for name, *_ in walks.began].count("a") == 1
    assert [name for name, *_ in walks.began].count("b") >= 3


async def test_an_unchanged_journey_keeps_its_moments():
    """Reading the folder again moves nothing."""
    hand = Hand()
    walks = Walks(hand)
    scheduler = made(hand, walks)
    for _ in range(20):
        scheduler.keep([journey(interval=10)])
        await hand.move(5)
    await scheduler.stop(0)
    assert len(walks.began) in (10, 11)


async def test_stopping_gives_runs_their_grace_and_then_cancels_them():
    """stop() waits, cancels what is left, and says how many."""
    hand = Hand()
    walks = Walks(hand, quick=False)
    scheduler = made(hand, walks)
    scheduler.keep([journey()])
    await hand.move(20)
    assert await scheduler.stop(0.01) == 1
    assert walks.at_once == 0


async def test_a_fault_of_ours_in_one_run_ends_nothing(caplog):
    """An unexpected error is logged and counted; the journey is walked again."""
    hand = Hand()
    began = []

    async def walk(walked: Journey, lag: float) -> None:
        began.append(walked.id)
        raise RuntimeError("a fault")

    scheduler = Scheduler(walk, hand, location="here")
    with caplog.at_level(logging.ERROR):
        scheduler.keep([journey(interval=10)])
        await hand.move(35)
    await scheduler.stop(0)
    assert len(began) >= 3
    assert scheduler.crashed == len(began)
    assert "a run of journey a ended in a fault of the agent's own" in caplog.text


@given(st.floats(0, 2e9), st.integers(1, 604800), st.text(st.sampled_from("abc"), min_size=1, max_size=5))
def test_the_grid_is_regular(now, interval, name):
    """The next moment is half to one and a half intervals away, and asking again from it gives the one an interval later."""
    walked = journey(name, interval)
    assert 0 <= phase(walked, "here") < 1
    assert 0 <= first_due(walked, "here", now) - now <= min(interval, FIRST_WITHIN)
    following = next_due(walked, "here", now)
    assert interval * 0.5 - 1e-3 <= following - now <= interval * 1.5 + 1e-3
    assert abs(next_due(walked, "here", following) - following - interval) < 1e-3


@given(st.integers(0, 2**31), st.sampled_from(["*/5 8-18 * * 1-5", "0 3 * * *", "*/1 * * * *"]))
def test_a_schedule_goes_on_from_moment_to_moment(now, expression):
    """Each walk is within the spread after a moment of the schedule, and the next is the next moment."""
    found = Journey.model_validate({"id": "a", "schedule": expression, "timezone": "Europe/Berlin", "steps": [{"id": "s", "http": {"url": "http://h/"}}]})
    first = first_due(found, "eu", now)
    second = next_due(found, "eu", first)
    late = phase(found, "eu") * SPREAD
    assert 0 <= late < SPREAD
    assert abs(schedule.following(expression, "Europe/Berlin", first - late + 1) - (second - late)) < 1e-3
    assert second - first >= 59


async def test_moments_of_a_schedule_that_were_missed_are_counted():
    """A walk that takes longer than the gaps leaves moments out and says how many."""
    clock = Hand(start=0.0)
    found = Journey.model_validate({"id": "a", "schedule": "* * * * *", "steps": [{"id": "s", "http": {"url": "http://h/"}}]})
    begun: list[float] = []

    async def walk(one: Journey, lag: float) -> None:
        begun.append(clock.now())
        await clock.wait(asyncio.Event(), clock.now() + 150)

    scheduler = Scheduler(walk, clock, location="eu")
    scheduler.keep([found])
    await clock.move(400)
    assert len(begun) == 3
    assert begun[1] - begun[0] == 180
    assert scheduler.missed == 4
    await scheduler.stop(0)
