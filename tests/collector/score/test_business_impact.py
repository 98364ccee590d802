"""The realised shortfall: level 1, its gates, and what it says before the window is over."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from sojourn_collector.score.accrual import at as accrued
from sojourn_collector.score.accrual import curves, design
from sojourn_collector.score.business_impact import business_impact
from sojourn_collector.score.draws import predictive
from sojourn_collector.score.money import Healthy, Payment, Settings, Shopper, Shortfall
from sojourn_collector.score.pools import build_pools
from sojourn_collector.score.returns import tail_of
from sojourn_collector.score.trials import Stratum, build_trials

H = 1000.0
SETTINGS = Settings(outcome=H)


def crowd(
    count: int, share: float, *, failed: bool, prefix: str, cart: float | None = 60.0, device: str = "desktop", paid_after: float = 10.0
) -> list[Shopper]:
    """People who came at second 0, 1, 2 …, of whom the first `share` paid their cart."""
    people = []
    for number in range(count):
        start = float(number)
        paid = (Payment(start + paid_after, cart or 60.0),) if number < share * count else ()
        people.append(Shopper(f"{prefix}{number}", (start,), start + 1.0 if failed else None, device, cart, paid))
    return people


def ask(
    shoppers: list[Shopper], *, now: float = 1e6, watermark: float | None = 1e6, settings: Settings = SETTINGS, healthy: Healthy | None = None, **more: Any
) -> Shortfall:
    return business_impact(shoppers, settings, now=now, watermark=watermark, seed=7, healthy=healthy, **more)


def test_the_difference_in_money_is_found() -> None:
    """Half of those beside them paid, a tenth of those hit did: 100 × 60 × 0.4 within the interval."""
    answer = ask(crowd(100, 0.1, failed=True, prefix="h") + crowd(400, 0.5, failed=False, prefix="c"))
    assert answer.state == "final"
    assert answer.amount == pytest.approx(2400, abs=60)
    assert answer.low is not None
    assert answer.high is not None
    assert answer.low < 2400 < answer.high
    assert (answer.hit, answer.mature, answer.controls, answer.overlap) == (100, 100, 400, 1.0)
    assert answer.upper_bound == pytest.approx(100 * 0.5 * 60)
    assert answer.e_value == pytest.approx(5 + 20**0.5, rel=0.1)


def test_orders_of_the_weeks_before_say_what_an_unknown_cart_is_worth() -> None:
    """From 200 orders on they do, below that those beside them who paid; the note says which. A known cart is worth itself."""
    people = crowd(100, 0.1, failed=True, prefix="h", cart=None) + crowd(400, 0.5, failed=False, prefix="c", cart=None)
    before, beside = ask(people, order_values=[20.0, 40.0] * 100), ask(people, order_values=[30.0] * 199)
    # Expected: 50 orders of 30 or 60; seen: 10 of 60.
    assert before.amount == pytest.approx(50 * 30 - 600, abs=60)
    assert beside.amount == pytest.approx(50 * 60 - 600, abs=60)
    assert "100 of those hit had no known cart; 200 orders of this journey in the weeks before say what their orders are worth" in before.notes
    assert "100 of those hit had no known cart; those beside them who paid say what their orders are worth" in beside.notes
    known = ask(crowd(100, 0.1, failed=True, prefix="h") + crowd(400, 0.5, failed=False, prefix="c"), order_values=[1.0] * 300)
    assert known.amount == pytest.approx(2400, abs=60)
    assert not any("cart" in note for note in known.notes)


def test_more_money_than_expected_is_not_clipped() -> None:
    """Those hit paid more than the others: the amount is negative and stays so."""
    answer = ask(crowd(100, 0.9, failed=True, prefix="h") + crowd(400, 0.5, failed=False, prefix="c"))
    assert answer.amount is not None
    assert answer.high is not None
    assert answer.amount < answer.high < 0


def test_the_same_seed_gives_the_same_numbers() -> None:
    """Deterministic given the seed, whatever the order of shoppers' payments elsewhere."""
    shoppers = crowd(50, 0.1, failed=True, prefix="h") + crowd(100, 0.5, failed=False, prefix="c")
    assert ask(shoppers) == ask(shoppers)


def test_each_gate_keeps_it_silent_with_its_reason() -> None:
    """Hit, expected orders, control orders and overlap: level 0 as an upper bound, each reason said."""
    few = ask(crowd(29, 0.0, failed=True, prefix="h") + crowd(100, 0.5, failed=False, prefix="c"))
    assert (few.state, few.level, few.amount, few.reasons) == ("upper_bound", 0, None, ("29 hit, estimated from 30 on",))
    assert few.upper_bound == pytest.approx(29 * 0.5 * 60)
    poor = ask(crowd(30, 0.0, failed=True, prefix="h") + crowd(400, 0.05, failed=False, prefix="c"))
    assert poor.reasons == ("1.5 orders expected of those hit, estimated from 5 on",)
    thin = ask(crowd(30, 0.0, failed=True, prefix="h") + crowd(38, 0.5, failed=False, prefix="c"))
    assert thin.reasons == ("19 of those not hit ordered, estimated from 20 on",)
    nobody = ask(crowd(60, 0.0, failed=True, prefix="h"))
    assert (nobody.state, nobody.upper_bound, nobody.overlap) == ("not_estimable", None, 0.0)
    assert nobody.reasons[-1] == "0% of those hit have comparable people who were not, estimated from 80% on"
    bounded = ask(crowd(60, 0.0, failed=True, prefix="h"), healthy=Healthy(0.5, 80.0))
    assert bounded.state == "upper_bound"
    assert bounded.upper_bound == pytest.approx(60 * 0.5 * 60)


def test_gates_do_not_look_at_what_those_hit_paid() -> None:
    """The same people hit, all paying or none: the same gates open or stay shut."""
    controls = crowd(100, 0.5, failed=False, prefix="c")
    for count in (29, 30):
        states = {ask(crowd(count, share, failed=True, prefix="h") + controls).state for share in (0.0, 0.5, 1.0)}
        assert len(states) == 1


def test_without_orders_it_says_where_to_send_them() -> None:
    """No watermark, no money."""
    answer = ask(crowd(100, 0.1, failed=True, prefix="h") + crowd(400, 0.5, failed=False, prefix="c"), watermark=None)
    assert answer.reasons == ("no orders have been received: send them to /api/v1/in/orders",)
    assert answer.amount is None


def test_who_paid_more_before_is_not_comparable() -> None:
    """Past money that differs clearly: not estimable, with the difference."""
    rich = [replace(s, payments=(*s.payments, Payment(-5000.0 - n, 200.0 + n))) for n, s in enumerate(crowd(100, 0.1, failed=True, prefix="h"))]
    answer = ask(rich + [replace(s, payments=(*s.payments, Payment(-5000.0, 1.0 + n % 7))) for n, s in enumerate(crowd(400, 0.5, failed=False, prefix="c"))])
    assert (answer.state, answer.amount) == ("not_estimable", None)
    assert answer.reasons[0].startswith("those hit had already paid differently before (+")
    assert answer.placebo is not None
    assert answer.placebo > 0.1


def test_before_the_window_is_over_only_what_is_missing_so_far() -> None:
    """Before anybody could have ordered it is silent; later it counts against what the others have paid by then."""
    slow = crowd(100, 0.5, failed=True, prefix="h", paid_after=800.0) + crowd(400, 0.5, failed=False, prefix="c", paid_after=800.0)
    early = ask([replace(s, payments=()) for s in slow], now=600.0, watermark=600.0)
    assert (early.state, early.mature) == ("not_estimable", 0)
    assert early.reasons[0] == "0.0 orders expected of those hit, estimated from 5 on"
    quick = crowd(100, 0.0, failed=True, prefix="h") + crowd(400, 0.5, failed=False, prefix="c")
    so_far = ask(quick, now=700.0, watermark=700.0)
    assert (so_far.state, so_far.mature) == ("so_far", 0)
    assert so_far.final_at == pytest.approx(99 + 1 + H)
    assert so_far.amount == pytest.approx(100 * 60 * 0.5, rel=0.1)


def test_final_only_from_eighty_percent_on_and_then_on_the_mature() -> None:
    """79 of 100 windows over: so far. 85: final, on those 85, and it says so."""
    quick = crowd(100, 0.0, failed=True, prefix="h") + crowd(400, 0.5, failed=False, prefix="c")
    assert ask(quick, now=H + 79.5, watermark=H + 79.5).state == "so_far"
    answer = ask(quick, now=H + 85.5, watermark=H + 85.5)
    assert (answer.state, answer.mature) == ("final", 85)
    assert answer.amount == pytest.approx(85 * 60 * 0.5, rel=0.1)
    assert answer.notes[0] == "for the 85 of 100 whose window is over"


def test_a_late_watermark_holds_the_clock_back() -> None:
    """It is long past H, but orders are only known up to 300 s: so far."""
    quick = crowd(100, 0.0, failed=True, prefix="h") + crowd(400, 0.5, failed=False, prefix="c")
    assert ask(quick, now=1e6, watermark=300.0).state == "so_far"


def test_nobody_at_all() -> None:
    """No shopper, no estimate, no error."""
    answer = ask([])
    assert (answer.state, answer.hit, answer.final_at, answer.overlap) == ("not_estimable", 0, None, None)
    assert ask(crowd(100, 0.5, failed=False, prefix="c")).reasons == ("nobody was hit",)


def test_amounts_without_carts_come_from_those_who_paid() -> None:
    """Unknown carts: the orders of the controls stand in, ratios apply where carts are known."""
    answer = ask(crowd(100, 0.0, failed=True, prefix="h", cart=None) + crowd(400, 0.5, failed=False, prefix="c", cart=None))
    assert answer.amount == pytest.approx(100 * 60 * 0.5, rel=0.1)
    dearer = [replace(s, payments=tuple(Payment(p.at, p.amount * 1.1) for p in s.payments)) for s in crowd(400, 0.5, failed=False, prefix="c")]
    assert ask(crowd(100, 0.0, failed=True, prefix="h") + dearer).amount == pytest.approx(100 * 66 * 0.5, rel=0.1)


def test_trials_put_first_and_later_tries_beside_their_like() -> None:
    """Who fails at the second try is a control of the first until then, and is compared with second tries."""
    twice = Shopper("a", (0.0, 100.0), 101.0, "desktop", 60.0)
    stayed = Shopper("b", (0.0, 100.0, 200.0), None, "desktop", 60.0, (Payment(210.0, 60.0),))
    trials = build_trials([twice, stayed], SETTINGS, 1e6)
    assert trials.hit_key == [Stratum(2, 1, 0, 0, "desktop", "")]
    assert [(s.id, key[0]) for s, key in zip(trials.control, trials.control_key, strict=True)] == [("a", 1), ("b", 1), ("b", 2), ("b", 2)]
    assert trials.control_follow.tolist() == [101.0, H, H, H]
    # One of three later arrivals failed: who stayed over two later arrivals counts (3/2)², over one 3/2, over none 1; who failed later 0.
    assert trials.control_whole.tolist() == pytest.approx([0.0, 2.25, 1.5, 1.0])


def test_thin_cells_give_up_region_device_and_history_before_the_cart() -> None:
    """Four controls like one hit are too few: first the region goes, then the device, then earlier visits and orders, last the cart band. Nobody: outside."""
    hit = [Shopper("h", (0.0,), 1.0, "tablet", 60.0, visits=4, region="DE-BY")]

    def rank(**changed: Any) -> list[tuple[int, int]]:
        like = [replace(one, visits=4, region="DE-BY") for one in crowd(4, 1, failed=False, prefix="a", device="tablet")]
        others = [replace(one, **{"visits": 4, "region": "DE-BY", **changed}) for one in crowd(9, 1, failed=False, prefix="b", device="tablet")]
        pools = build_pools(build_trials(hit + like + others, SETTINGS, 1e6), 5)
        return [(pool.rank, len(pool.control)) for pool in pools.pools]

    assert rank() == [(0, 13)]
    assert rank(region="AT-9") == [(1, 13)]
    assert rank(device="desktop") == [(2, 13)]
    assert rank(visits=0) == rank(payments=(Payment(-500.0, 9.0), Payment(10.0, 60.0))) == [(3, 13)]
    assert rank(cart=500.0) == [(4, 13)]
    alone = build_pools(build_trials(hit + crowd(4, 1, failed=False, prefix="t"), SETTINGS, 1e6), 5)
    assert (alone.pools, alone.outside.tolist()) == ((), [0])


def test_a_cell_is_widened_for_the_payers_to_be_expected_and_not_for_those_it_has() -> None:
    """Two cells of twenty, one of which happens to have all the payers: both are kept, for ten are to be expected in each; of cells of eight none is."""
    hit = [Shopper("m", (0.0,), 1.0, "mobile", 60.0), Shopper("d", (0.0,), 1.0, "desktop", 60.0)]

    def ranks(count: int) -> list[tuple[int, int]]:
        none, all_of_them = crowd(count, 0, failed=False, prefix="a", device="mobile"), crowd(count, 1, failed=False, prefix="b")
        return [(pool.rank, len(pool.control)) for pool in build_pools(build_trials(hit + none + all_of_them, SETTINGS, 1e6), 5).pools]

    assert (ranks(20), ranks(8)) == ([(0, 20), (0, 20)], [(2, 16)])


def test_where_regions_differ_in_what_they_bring_those_hit_are_compared_with_their_own() -> None:
    """Failures meet a poor region more often than a rich one and cost nothing: beside their own region nothing is missing, pooled it would seem a loss."""
    rich = [replace(one, region="FR-IDF") for one in crowd(400, 0.5, failed=False, prefix="r") + crowd(40, 0.5, failed=True, prefix="s")]
    poor = [replace(one, region="FR-BRE") for one in crowd(400, 0.2, failed=False, prefix="p") + crowd(200, 0.2, failed=True, prefix="q")]
    told, blind = ask(rich + poor), ask([replace(one, region="") for one in rich + poor])
    assert told.low is not None
    assert blind.low is not None
    assert told.low < 0 < (told.high or 0)
    assert blind.low > 0


def test_people_of_one_account_decide_together() -> None:
    """Four hundred controls of fifty accounts, in each of which all pay or none: less is known than of four hundred people, and the range says so."""
    hit = crowd(100, 0.0, failed=True, prefix="h")
    people = crowd(400, 0.5, failed=False, prefix="c")
    accounts = [replace(one, cluster=f"account:{number // 8}") for number, one in enumerate(sorted(people, key=lambda one: not one.payments))]
    alone, together = ask(hit + people), ask(hit + accounts)
    assert (alone.high or 0) - (alone.low or 0) < 0.7 * ((together.high or 0) - (together.low or 0))


def test_the_textbook_difference_of_two_shares() -> None:
    """8 of 400 against 200 of 4,000 at 60 each: 720, by Newcombe's interval of two shares 240 to 1,012. Ours is of the loss of these 400, not a mean one."""
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    answer = ask(crowd(400, 8 / 400, failed=True, prefix="h") + crowd(4000, 200 / 4000, failed=False, prefix="c"))
    shares = proportion.confint_proportions_2indep(200, 4000, 8, 400, method="newcomb")
    assert [round(400 * 60 * share) for share in shares] == [240, 1012]
    assert answer.amount == pytest.approx(720, rel=0.03)
    # 20 of 400 orders with their own chance: 60 · 1.96 · √(400 · .05 · .95) either way.
    assert [answer.low, answer.high] == pytest.approx([720 - 513, 720 + 513], abs=80)


def test_the_curve_without_censoring_is_the_plain_share() -> None:
    """Everyone followed to the end: the share who paid; with half of them known for less, those still followed stand in."""
    people = crowd(10, 0.4, failed=False, prefix="c")
    trials = build_trials(people, SETTINGS, 1e6)
    plan = design(trials, trials.control_cluster.argsort())
    curve = curves(plan, np.ones((10, 1)))
    assert accrued(plan, curve, np.array([5.0, 10.0, H]))[:, 0].tolist() == pytest.approx([0.0, 0.4, 0.4])


def test_people_kept_by_sampling_weigh_what_they_stand_for() -> None:
    """One in ten of the unhurt is kept and all with an error: they weigh ten, in the curve and in the share of later tries that fail."""
    kept = replace(Shopper("a", (0.0, 100.0), None, "desktop", 60.0), weight=10.0)
    failed = Shopper("b", (0.0, 100.0), 101.0, "desktop", 60.0)
    trials = build_trials([kept, failed], SETTINGS, 1e6)
    assert trials.control_weight.tolist() == [10.0, 10.0, 1.0]
    # One later try in eleven failed, not one in two.
    assert trials.control_factor.tolist() == pytest.approx([1.1, 1.1, 1.1])
    payers = [replace(shopper, weight=4.0) for shopper in crowd(10, 0.5, failed=False, prefix="c")[:5]]
    both = build_trials([*payers, *crowd(20, 0.0, failed=False, prefix="d")], SETTINGS, 1e6)
    plan = design(both, np.arange(25))
    assert curves(plan, np.ones((25, 1)))[-1, 0] == pytest.approx(0.5)


def test_nameless_people_have_no_past_to_compare() -> None:
    """Where login breaks those hit are nameless: their empty past is no difference, and the range reaches down to what they may bring back."""
    hit = [replace(shopper, identified=False) for shopper in crowd(100, 0.0, failed=True, prefix="h")]
    known = [replace(s, payments=(*s.payments, Payment(-5000.0, 40.0 + n % 7))) for n, s in enumerate(crowd(400, 0.5, failed=False, prefix="c"))]
    answer = ask(hit + known)
    assert (answer.state, answer.placebo) == ("final", None)
    assert answer.amount == pytest.approx(100 * 60 * 0.5, rel=0.1)
    assert answer.low is not None
    # Nobody identified was hit, so that all of them may have come back.
    assert answer.low < 0
    assert answer.notes[-1].startswith("100 of those hit are known by their visit alone; up to 2,9")


def test_nameless_people_come_back_as_often_as_others_do() -> None:
    """Of 40 identified people hit ten paid in another visit: the range reaches down by a quarter of the nameless, not by all."""
    nameless = [replace(shopper, identified=False) for shopper in crowd(60, 0.0, failed=True, prefix="h")]
    returned = [replace(s, payments=(Payment(500.0, 60.0, elsewhere=True),)) if n < 10 else s for n, s in enumerate(crowd(40, 0.0, failed=True, prefix="i"))]
    answer = ask([*nameless, *returned, *crowd(400, 0.5, failed=False, prefix="c")])
    assert any("up to 900 of it" in note for note in answer.notes)


def test_a_range_between_two_bounds_leaves_out_as_much_as_one_end_needs() -> None:
    """Imbens and Manski: 1.96 where nothing can have come back, 1.645 where the bounds lie far apart, and in between what covers 95 %."""
    assert stats.norm.isf([tail_of(0.0, 10.0), tail_of(500.0, 10.0)]) == pytest.approx([1.959964, 1.644854], abs=1e-5)
    assert tail_of(10.0, 0.0) == pytest.approx(0.025)
    for apart in (0.1, 0.5, 1.0, 2.0):
        c = stats.norm.isf(tail_of(10 * apart, 10.0))
        assert stats.norm.cdf(c + apart) - stats.norm.cdf(-c) == pytest.approx(0.95)


def test_a_thin_cell_is_taken_to_be_like_the_others_at_first() -> None:
    """Twenty cells of hit people beside ten who never pay each add little, not half an order each."""
    shoppers: list[Shopper] = crowd(400, 0.2, failed=False, prefix="c")
    bands = tuple(float(100 * (n + 1)) for n in range(20))
    for n, edge in enumerate(bands):
        shoppers += crowd(10, 0.0, failed=True, prefix=f"h{n}-", cart=edge + 1)
        shoppers += crowd(10, 0.0, failed=False, prefix=f"t{n}-", cart=edge + 1)
    shoppers += crowd(40, 0.1, failed=True, prefix="x")
    answer = ask(shoppers, settings=replace(SETTINGS, cart_bands=bands))
    expected = answer.expected_orders
    assert expected is not None
    # Beta's half order would add 20 · 10 · ½ / 11 = 9 orders; a prior at the share of all, 80 of 600, adds under 3.
    assert answer.amount is not None
    assert answer.amount < 40 * 0.1 * 60 + 3 * bands[-1]


@pytest.mark.parametrize("payers", [10, 40])
def test_a_share_of_few_payers_is_widened_and_stays_where_it_is(payers: int) -> None:
    """Of 200 of whom 10 or 40 paid: the bootstrap's variance p (1 − p) / 201 times 1 + 6 / payers, and of 5,000 hit what they happen to do; the same mean."""
    shoppers = crowd(5000, 0.0, failed=True, prefix="h") + crowd(200, payers / 200, failed=False, prefix="c")
    trials = build_trials(shoppers, SETTINGS, 1e6)
    share = predictive(trials, build_pools(trials, 5), replace(SETTINGS, draws=4000), np.random.default_rng(5)).money / (5000 * 60)
    p = payers / 200
    assert share.mean() == pytest.approx(p, rel=0.02)
    assert share.var() == pytest.approx(p * (1 - p) * ((1 + 6 / payers) / 201 + 1 / 5000), rel=0.08)
