"""Who meets a fault."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_demo.faults import Fault, draw, read_fault


@settings(deadline=None)
@given(st.integers(), st.text(max_size=20), st.integers(1, 100))
def test_draw_is_a_share(seed: int, shopper: str, number: int) -> None:
    """A draw lies in [0, 1) and is always the same for the same seed, shopper and try."""
    assert 0 <= draw(seed, shopper, number) < 1
    assert draw(seed, shopper, number) == draw(seed, shopper, number)


def test_draws_are_even_and_apart() -> None:
    """Of many shoppers the wanted share meets the fault, and the tries of one shopper are drawn apart."""
    fault = Fault("error", 0.4, 3)
    hit = [fault.meets(f"s{number}", 1) for number in range(4000)]
    again = [fault.meets(f"s{number}", 2) for number in range(4000)]
    assert 0.37 < sum(hit) / 4000 < 0.43
    assert 0.13 < sum(a and b for a, b in zip(hit, again, strict=True)) / 4000 < 0.19


def test_share_ends() -> None:
    """Share 0 meets nobody, share 1 everybody."""
    assert not any(Fault("error", 0.0, 1).meets(str(n), 1) for n in range(200))
    assert all(Fault("error", 1.0, 1).meets(str(n), 1) for n in range(200))


def test_read_fault() -> None:
    """A fault is read with the shop's seed where none is given; kind null switches off."""
    assert read_fault({"step": "pay", "kind": "slow", "share": 0.5}, 9) == Fault("slow", 0.5, 9)
    assert read_fault({"kind": None}, 9) is None


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ([], 'the body must be a JSON object such as {"step": "pay", "kind": "error", "share": 0.4}'),
        ({"kind": "error", "part": 1}, "unknown key 'part'; known are step, kind, share and seed"),
        ({"kind": "fire"}, "kind must be one of error, slow, broken_script, or null to switch the fault off"),
        ({"kind": "error", "step": "cart"}, "step must be pay, the one step this shop can break"),
        ({"kind": "error", "share": 1.2}, "share must be a number from 0 (nobody) to 1 (everyone)"),
        ({"kind": "error", "share": True}, "share must be a number from 0 (nobody) to 1 (everyone)"),
        ({"kind": "error", "seed": "x"}, "seed must be a whole number"),
    ],
)
def test_bad_faults(body: object, sentence: str) -> None:
    """A wrong fault is refused with one sentence that says the cure."""
    with pytest.raises(ValueError) as caught:
        read_fault(body, 1)
    assert str(caught.value) == sentence
