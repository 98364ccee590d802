"""Simulated worlds in a real engine, asked like the report: the short form of bench/worlds.py."""

import json
from pathlib import Path

import pytest
from bench.simulated.asked import context_on, problems
from bench.simulated.families import FAMILIES
from bench.simulated.fixes import FIX
from bench.simulated.judged import Answered, answered, verdict
from bench.simulated.plot import plot
from bench.simulated.surveys import THANKS
from bench.simulated.world import make_world
from bench.worlds import Wanted, judge

from sojourn_collector.store.client import Store
from tests.collector.control_file import open_control

SMALL = (350, 600)
"""People in a world of the ordinary tests."""


async def test_few_worlds_are_covered_and_nothing_is_claimed_where_nothing_happened(store: Store, tmp_path: Path) -> None:
    """A loose bound: of 8 plain worlds and 8 in which failures cost nothing most intervals hold the truth, and hardly any lies above zero."""
    control = open_control(tmp_path / "control.sqlite")
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


async def test_an_outage_for_everyone_is_told_from_past_days(store: Store, tmp_path: Path) -> None:
    """Nobody beside them stayed unhurt: level 2 speaks; where one device takes all failures level 1b does."""
    control = open_control(tmp_path / "control.sqlite")
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


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", FAMILIES)
async def test_a_family_of_worlds_is_covered(family: str) -> None:
    """100 worlds, and up to 400 until 90 spoke: coverage no lower than .92 less two Monte-Carlo errors, claims where nothing happened at most 4 % plus two."""
    wanted = Wanted(100, spoken=90, times=4)
    told = verdict((await judge([family], wanted))[family])
    if told["spoke"]:
        assert told["coverage"] >= 0.92 - 2 * (0.92 * 0.08 / told["spoke"]) ** 0.5
    if told["false_claims"] is not None:
        assert told["false_claims"] <= 0.04 + 2 * (0.04 * 0.96 / told["worlds"]) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 3])
async def test_a_long_run_goes_on_from_what_it_kept(tmp_path: Path, kept: int) -> None:
    """Answers of worlds already judged are taken from the file, and the figures are those of a run in one go."""
    answers = tmp_path / "answers.jsonl"
    await judge([FIX], Wanted(kept, answers=answers))
    told = await judge([FIX], Wanted(5, answers=answers))
    assert told == await judge([FIX], Wanted(5))
    assert [json.loads(line)["seed"] for line in answers.read_text().splitlines()] == [1, 2, 3, 4, 5]


def test_a_family_goes_on_until_enough_spoke() -> None:
    """Not before the worlds asked for, not beyond the most; without a number of those that speak the worlds asked for are enough."""
    spoke, silent = Answered(held=True, nothing=False, spoke=True), Answered(held=True, nothing=False, spoke=False)
    wanted = Wanted(2, spoken=2, times=3)
    assert [wanted.enough(told) for told in ([spoke], [spoke, silent], [spoke, silent, spoke], [silent] * 6)] == [False, False, True, True]
    assert Wanted(2).enough([silent, silent])


async def test_scores_beside_the_money_are_asked_through_the_tables(tmp_path: Path) -> None:
    """A survey's world and a fix's are stored as a deployment's rows, and the product's answers hold their truth or say why not."""
    told = await judge([THANKS, FIX], Wanted(2))
    for family, answers in told.items():
        assert len(answers) == 2, family
        for one in answers:
            assert one.spoke, one.silence
            assert one.low < one.high
            assert one.low - 0.1 <= one.truth <= one.high + 0.1
