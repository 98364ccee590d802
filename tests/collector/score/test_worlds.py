"""Simulated worlds in a real engine, asked like the report: the short form of bench/worlds.py."""

from pathlib import Path

import pytest
from bench.simulated.asked import context_on, engine, problems
from bench.simulated.families import FAMILIES
from bench.simulated.judged import Answered, answered, verdict
from bench.simulated.plot import plot
from bench.simulated.world import make_world

from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.web.answers import past_days

SMALL = (350, 600)
"""People in a world of the ordinary tests."""


async def test_few_worlds_are_covered_and_nothing_is_claimed_where_nothing_happened(store: Store, tmp_path: Path) -> None:
    """A loose bound: of 8 plain worlds and 8 in which failures cost nothing most intervals hold the truth, and hardly any lies above zero."""
    control = Control.open(tmp_path / "control.sqlite")
    context, answers = context_on(store, control), []
    try:
        for family in ("plain", "nothing happened"):
            for seed in range(1, 9):
                world = make_world(family, seed, SMALL)
                answers.append(answered(world, await problems(context, world, f"{store.tenant}-{family}-{seed}")))
    finally:
        control.close()
    told = verdict(answers)
    assert told["spoke"] >= 8
    assert told["coverage"] >= 0.7
    assert told["false_claims"] <= 0.25
    assert not told["passes"]


async def test_an_outage_for_everyone_is_told_from_past_days(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody beside them stayed unhurt: level 2 speaks; where one device takes all failures level 1b does, if it is let."""
    monkeypatch.setattr(past_days, "SEGMENTS_SPEAK", True)
    control = Control.open(tmp_path / "control.sqlite")
    context = context_on(store, control)
    levels = {}
    try:
        for family, seed in (("everyone hit", EVERYONE), ("one segment takes all failures", SEGMENT)):
            (problem,) = await problems(context, make_world(family, seed), f"{store.tenant}-{family}")
            levels[family] = problem.money.level
            assert problem.money.state == "final"
    finally:
        control.close()
    assert levels == {"everyone hit": 2, "one segment takes all failures": "1b"}


EVERYONE, SEGMENT = 2, 7


def test_a_verdict_counts_what_there_is() -> None:
    """Coverage of those that spoke, claims where nothing happened, rates by whether the gates hold; few worlds never pass."""
    spoke = Answered(held=True, nothing=True, spoke=True, amount=5.0, low=-1.0, high=9.0, truth=0.0, oracle=10.0, bound=100.0)
    claimed = Answered(held=True, nothing=True, spoke=True, amount=5.0, low=1.0, high=9.0, truth=0.0, oracle=10.0, bound=100.0, claimed=True)
    silent = Answered(held=False, nothing=True, spoke=False)
    told = verdict([spoke, claimed, silent])
    assert (told["worlds"], told["spoke"], told["coverage"], told["false_claims"]) == (3, 2, 0.5, 1 / 3)
    assert (told["speak_rate_when_true"], told["speak_rate_when_false"], told["width_ratio"], told["bias"]) == (1.0, 0.0, 0.9, 0.05)
    assert (told["meets"], told["passes"]) == (False, False)
    assert verdict([spoke] * 400)["passes"] is True
    assert verdict([silent])["coverage"] is None
    assert plot({"a": told, "b": verdict([silent])}).count("<circle") == 1


KNOWN_MISSES = {"all blocked, small n": "14 of the first 21 intervals hold the truth, 84 of 95 over 400 worlds (docs/methods.md)"}
"""Families that are not covered yet. Who mends one takes it out: a pass is a failure here."""


def _family(name: str) -> object:
    reason = KNOWN_MISSES.get(name)
    return pytest.param(name, marks=pytest.mark.xfail(reason=reason, strict=True)) if reason else name


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", [_family(name) for name in FAMILIES])
async def test_a_family_of_worlds_is_covered(family: str) -> None:
    """100 worlds: coverage no lower than .92 less two Monte-Carlo errors, claims where nothing happened at most 4 % plus two."""
    async with engine() as context:
        answers = []
        for seed in range(1, 101):
            world = make_world(family, seed)
            answers.append(answered(world, await problems(context, world, f"{family} {seed}")))
    told = verdict(answers)
    if told["spoke"]:
        assert told["coverage"] >= 0.92 - 2 * (0.92 * 0.08 / told["spoke"]) ** 0.5
    if told["false_claims"] is not None:
        assert told["false_claims"] <= 0.04 + 2 * (0.04 * 0.96 / 100) ** 0.5
