"""Probe marks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_probes.ids import new_run_id
from sojourn_probes.marks import Mark, make_mark, verify_mark

NOW = 1_800_000_000.0
RUN = new_run_id(NOW, lambda size: b"\x2a" * size)
KEYS = {"k1": b"first", "k2": b"second"}


@given(st.sampled_from(sorted(KEYS)), st.floats(0, 3599))
def test_a_mark_verifies_for_an_hour(key_id, later):
    """A mark made with either valid key proves its run for an hour."""
    run_id = new_run_id(NOW)
    assert verify_mark(make_mark(run_id, key_id, KEYS[key_id], NOW), KEYS, NOW + later) == Mark(run_id, key_id, NOW)


@given(st.data())
def test_any_change_of_a_mark_breaks_it(data):
    """A mark with one character changed proves nothing."""
    mark = make_mark(new_run_id(NOW, lambda size: b"\x55" * size), "k1", b"first", NOW)
    place = data.draw(st.integers(0, len(mark) - 1))
    other = data.draw(st.characters(exclude_characters=mark[place]))
    assert verify_mark(mark[:place] + other + mark[place + 1 :], KEYS, NOW) is None


@given(st.text(max_size=400))
def test_no_text_breaks_the_verifier(text):
    """Whatever comes in a header is None or a mark, never an error."""
    assert verify_mark(text, KEYS, NOW) is None


def test_old_future_and_unknown_marks_prove_nothing():
    """Over an hour old, over five minutes ahead, an unknown key, an empty key."""
    mark = make_mark(new_run_id(NOW), "k1", b"first", NOW)
    assert verify_mark(mark, KEYS, NOW + 3601) is None
    assert verify_mark(mark, KEYS, NOW - 301) is None
    assert verify_mark(mark, {"k2": b"first"}, NOW) is None
    assert verify_mark(mark, {"k1": b""}, NOW) is None


@pytest.mark.parametrize(
    ("run_id", "key_id", "secret", "message"),
    [
        ("nope", "k1", b"x", "run id 'nope' is not a UUIDv7 in small letters"),
        (RUN, "k.1", b"x", "key id 'k.1' may have only letters, digits, - and _, up to 64"),
        (RUN, "k1", b"", "probe key 'k1' is empty"),
        ("01890a5d-ac96-774b-bcce-b302099a8057", "k1", b"x", "run id '01890a5d-ac96-774b-bcce-b302099a8057' is not from the last hour"),
    ],
)
def test_a_mark_that_would_not_verify_is_not_made(run_id, key_id, secret, message):
    """What cannot verify is refused when it is made."""
    with pytest.raises(ValueError) as caught:
        make_mark(run_id, key_id, secret, NOW)
    assert str(caught.value) == message
