"""Corrected CSAT, silent sufferers, elasticity and the regression behind them."""

import numpy as np
import pytest

from sojourn_collector.score.corrected_csat import Invited, corrected_csat
from sojourn_collector.score.elasticity import Experience, elasticity
from sojourn_collector.score.logit import NoFit, fit
from sojourn_collector.score.silent_sufferers import Hurt, silent_sufferers

HOURS = 3600.0


def invited(count: int, exposure: str, answer: float, good: float) -> list[Invited]:
    """People of one exposure, of whom a share answers, and a share of those is satisfied."""
    answers = round(count * answer)
    return [Invited({"exposure": exposure}, number < round(answers * good) if number < answers else None) for number in range(count)]


def test_those_who_were_stopped_and_kept_silent_are_counted_in() -> None:
    """Half of the calm 500 answer, .9 of them satisfied; of 500 stopped a tenth, .2 satisfied: raw .78, all together .55."""
    people = [*invited(500, "none", 0.5, 0.9), *invited(500, "stopped", 0.1, 0.2)]
    score = corrected_csat(people, hit=529, never=29)
    assert score.raw == pytest.approx(235 / 300)
    assert score.share == pytest.approx(0.55, abs=0.02)
    assert score.low is not None
    assert score.high is not None
    assert score.low < 0.55 < score.high
    assert score.if_satisfied_answer_more is not None
    assert score.if_satisfied_answer_more < 0.55 < (score.if_satisfied_answer_less or 0)
    assert score.never_asked == "29 of 529 hit were never asked"
    assert score == corrected_csat(people, hit=529, never=29)


def test_the_corrected_interval_covers() -> None:
    """40 worlds in which the dissatisfied answer less because they were stopped: covered at least 34 times; the raw share is far off."""
    rng, covered = np.random.default_rng(2), 0
    for _ in range(40):
        stopped = rng.random(600) < 0.4
        good = rng.random(600) < np.where(stopped, 0.3, 0.85)
        answers = rng.random(600) < np.where(stopped, 0.2, 0.6)
        people = [Invited({"exposure": str(s)}, bool(g) if a else None) for s, g, a in zip(stopped, good, answers, strict=True)]
        score = corrected_csat(people)
        assert score.low is not None
        assert score.high is not None
        covered += score.low <= 0.4 * 0.3 + 0.6 * 0.85 <= score.high
    assert covered >= 34


def test_corrected_csat_says_why_it_is_silent() -> None:
    """Few answers; hardly anybody silent."""
    assert corrected_csat(invited(100, "none", 0.29, 0.5)).reason == "29 answers, corrected from 30 on"
    assert corrected_csat(invited(100, "none", 0.91, 0.5)).reason == "9 of those invited kept silent, too few to correct for"
    assert corrected_csat([]).raw is None


def test_who_was_never_asked_is_said_where_it_is_known() -> None:
    """Without any invitation nobody knows who was asked; where all hit were, there is nothing to say."""
    assert corrected_csat([], hit=41, never=41).never_asked == ""
    assert corrected_csat(invited(100, "none", 0.5, 0.5), hit=41, never=0).never_asked == ""
    assert corrected_csat(invited(100, "none", 0.5, 0.5), hit=41, never=29).never_asked == "29 of 41 hit were never asked"


def test_silent_sufferers_are_valuable_badly_hit_and_silent() -> None:
    """Each gate drops one: severity, worth, 72 hours, an answer after the hit, consent. An answer before the hit does not count."""
    worths = [("", float(n)) for n in range(1, 101)]
    now = 100 * HOURS
    good = Hurt("good", 0.5, 90.0, 0.0, spoke_at=-5.0, consent=True)
    best = Hurt("best", 1.0, 99.0, 28 * HOURS, consent=True)
    others = [
        Hurt("mild", 0.25, 90.0, 0.0, consent=True),
        Hurt("small", 1.0, 80.0, 0.0, consent=True),
        Hurt("fresh", 1.0, 90.0, 29 * HOURS, consent=True),
        Hurt("spoke", 1.0, 90.0, 0.0, spoke_at=1.0, consent=True),
        Hurt("refused", 1.0, 90.0, 0.0),
        Hurt("unknown", 1.0, None, 0.0, consent=True),
    ]
    found = silent_sufferers([good, *others, best], worths, now, unlinked=7)
    assert [one.person for one in found.people] == ["best", "good"]
    assert found.notes == (
        "1 were hit less than 72 hours ago and may still speak",
        "1 more gave no consent and are not named",
        "1 badly hit have no known worth",
        "7 answers and tickets are linked to nobody; up to 2 of these people may have spoken in them",
    )
    assert silent_sufferers([good], [], now).notes[0] == "nobody's worth is known: send orders or accounts with their mrr"


def data(seed: int = 1, people: int = 300) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]], list[str]]:
    """Two rows a person, one column that matters."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=2 * people)
    own = np.repeat(rng.normal(0, 0.7, people), 2)
    y = (rng.random(2 * people) < 1 / (1 + np.exp(-(0.4 - 0.8 * x + own)))).astype(float)
    return np.column_stack([np.ones(2 * people), x]), y, [str(n) for n in np.repeat(np.arange(people), 2)]


def test_the_regression_agrees_with_statsmodels() -> None:
    """Coefficients and cluster-robust errors of GLM, where statsmodels is installed."""
    api = pytest.importorskip("statsmodels.api")
    columns, y, who = data()
    other = api.GLM(y, columns, family=api.families.Binomial()).fit(cov_type="cluster", cov_kwds={"groups": np.array([int(one) for one in who])})
    own = fit(columns, y, who)
    assert own.beta.tolist() == pytest.approx(list(other.params), rel=1e-6)
    assert np.sqrt(np.diag(own.covariance)).tolist() == pytest.approx(list(other.bse), rel=1e-6)


def test_the_regression_gives_the_odds_of_a_table() -> None:
    """One column of 0 and 1 is a table of four: log odds ratio of 30/70 against 50/50; its plain error is √Σ 1/n, as every row is its own."""
    columns = np.column_stack([np.ones(200), np.repeat([0.0, 1.0], 100)])
    y = np.concatenate([np.repeat([1.0, 0.0], [30, 70]), np.repeat([1.0, 0.0], [50, 50])])
    own = fit(columns, y)
    assert own.beta[1] == pytest.approx(np.log(1 / (30 / 70)))
    assert np.sqrt(own.covariance[1, 1]) == pytest.approx(np.sqrt(1 / 30 + 1 / 70 + 1 / 50 + 1 / 50), rel=0.01)


def test_outcomes_that_a_column_parts_have_no_fit() -> None:
    """Nor have columns that depend on each other."""
    columns = np.column_stack([np.ones(20), np.repeat([0.0, 1.0], 10)])
    with pytest.raises(NoFit, match=r"^(one column parts the outcomes|columns depend on each other)$"):
        fit(columns, columns[:, 1])
    with pytest.raises(NoFit, match=r"^columns depend on each other$"):
        fit(np.ones((20, 2)), np.repeat([0.0, 1.0], 10))


def waits(people: int, slope: float, spread: float = 0.8, seed: int = 4) -> list[Experience]:
    """People whose odds fall by e^slope for each doubling, in two cells with other usual waits."""
    rng = np.random.default_rng(seed)
    told = []
    for number in range(people):
        doublings, cell = rng.normal(0, spread), number % 2
        good = rng.random() < 1 / (1 + np.exp(-(0.2 + slope * doublings)))
        told.append(Experience(str(number), (1.0 + 3 * cell) * 2**doublings, str(cell), bool(good)))
    return told


def test_elasticity_is_found_relative_to_the_cell() -> None:
    """Odds that fall to .6 for each doubling are told within the interval, with words that claim no cause."""
    told = elasticity(waits(3000, np.log(0.6)))
    assert told.low is not None
    assert told.high is not None
    assert told.low < 0.6 < told.high
    assert told.sentence.startswith("each doubling of the wait is associated with 0.6")
    assert "usual wait" in told.sentence


def test_whether_it_goes_with_the_wait_is_said_by_what_holds_at_every_look() -> None:
    """Clear odds have the word; where one interval of 95 % leaves 1 out by little, it still cannot be told from chance."""
    assert elasticity(waits(3000, np.log(0.6))).goes == "less"
    assert elasticity(waits(3000, np.log(1.7))).goes == "more"
    close = [told for seed in range(60) if (told := elasticity(waits(500, -0.3, seed=seed))).high is not None and 0.9 < told.high < 1]
    assert len(close) >= 5
    assert {told.goes for told in close} == {"unknown"}


def test_elasticity_says_why_it_is_silent() -> None:
    """Few people, few events in an outer third, waits that hardly differ."""
    assert elasticity(waits(80, 0.0)).reason == "80 people with a wait to compare, estimated from 90 on"
    assert elasticity(waits(120, -2.0)).reason.endswith("of the rarer outcome in an outer third of the waits, estimated from 30 on")
    assert elasticity(waits(1000, 0.0, spread=0.1)).reason == "the waits hardly differ (p90 is 1.2 times p10), estimated from 2 times on"
    with pytest.raises(ValueError, match=r"^a latency is longer than nothing$"):
        elasticity([Experience("a", 0.0, "", good=True)])
