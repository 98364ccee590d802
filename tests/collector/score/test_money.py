"""Level 0, E-value, cart bands."""

import pytest

from sojourn_collector.score.money import Healthy, band_of, e_value, level_zero


def test_level_zero_takes_everything_for_lost() -> None:
    """Hit × conversion × order value; a person's own cart where it is known."""
    assert level_zero([None] * 400, Healthy(0.05, 60.0)) == pytest.approx(1200.0)
    assert level_zero([100.0, None, 0.0], Healthy(0.5, 60.0)) == pytest.approx(110.0)
    assert level_zero([10.0], None) is None


def test_the_e_value_of_a_halved_share() -> None:
    """Ratio 2: 2 + √2; direction does not matter; nothing seen counts as half an order."""
    assert e_value(20, 10) == pytest.approx(2 + 2**0.5)
    assert e_value(10, 20) == pytest.approx(2 + 2**0.5)
    assert e_value(5, 0) == pytest.approx(10 + 90**0.5)
    assert e_value(0, 3) is None
    assert e_value(7, 7) == 1


def test_cart_bands() -> None:
    """An edge belongs to the band above; an unknown cart has a band of its own."""
    assert [band_of(cart, (25, 75, 150)) for cart in (None, 0, 24.99, 25, 149, 150, 9999)] == [-1, 0, 0, 1, 2, 3, 3]
