"""The drawn world and its truth."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_demo.faults import Fault
from sojourn_demo.shoppers.world import draw_passer_by, draw_world, truth_of


def test_same_seed_same_world() -> None:
    """A world depends on its seed alone, and another seed gives another."""
    assert draw_world(5, 100, 6) == draw_world(5, 100, 6)
    assert draw_world(5, 100, 6) != draw_world(6, 100, 6)


def test_everybody_is_told_apart() -> None:
    """No two shoppers share an id, a user or a visitor id."""
    world = draw_world(1, 600, 6)
    everybody = [*world.healthy, *world.incident]
    assert len({shopper.id for shopper in everybody}) == len(everybody) == 606
    users = [shopper.user for shopper in everybody if shopper.user]
    visitors = [shopper.visitor for shopper in everybody if shopper.visitor]
    assert len(set(users)) == len(users) == len(world.customers)
    assert len(set(visitors)) == len(visitors)


def test_anonymous_shoppers_have_no_identity() -> None:
    """Who refused consent carries neither user nor visitor id, and there are some of them."""
    anonymous = [shopper for shopper in draw_world(1, 600, 0).incident if not shopper.is_person]
    assert anonymous
    assert all((shopper.user, shopper.visitor, shopper.account, shopper.consent) == ("", "", "", "denied") for shopper in anonymous)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_truth_adds_up(seed: int) -> None:
    """Hit people are among those reached, nobody pays more than without the failure, and without a fault nothing is missing."""
    world = draw_world(seed, 80, 3)
    truth = truth_of(world)
    assert 0 <= truth.people_hit <= truth.people_reached <= len(world.incident)
    assert truth.shortfall >= 0
    for shopper in world.incident:
        fate = world.fate(shopper)
        assert fate.y1 <= fate.y0
        assert fate.hit or fate.y0 == fate.y1
        assert len(fate.tries) <= shopper.reloads + 3
    calm = truth_of(replace(world, fault=Fault("error", 0.0, seed)))
    assert (calm.people_reached, calm.people_hit, calm.shortfall) == (truth.people_reached, 0, Decimal(0))


def test_enough_are_hit() -> None:
    """The demo's default world hits at least 150 people and leaves more than that unharmed, whatever the seed."""
    for seed in range(12):
        truth = truth_of(draw_world(seed, 660, 6))
        assert truth.people_hit >= 150
        assert truth.people_reached - truth.people_hit >= 150


def test_passers_by_are_guests() -> None:
    """Passers-by need no introduction to the shop and differ from each other."""
    one, two = draw_passer_by(1, 1), draw_passer_by(1, 2)
    assert one.kind == two.kind == "guest"
    assert one.visitor != two.visitor
