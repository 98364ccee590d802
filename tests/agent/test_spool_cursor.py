"""Cursors: how far a destination has come survives anything."""

from hypothesis import given
from hypothesis import strategies as st

from sojourn_agent.spool_cursor import Cursor


@given(st.permutations(range(12)), st.integers(0, 12))
def test_a_cursor_stands_behind_everything_unfinished(tmp_path_factory, order, count):
    """Whatever the order of finishing, the cursor is the first batch not finished, also after opening anew."""
    path = tmp_path_factory.mktemp("cursor") / "c"
    cursor = Cursor(path)
    for seq in order[:count]:
        cursor.finish(seq)
    expected = next(seq for seq in range(13) if seq not in order[:count])
    assert cursor.seq == expected
    cursor.close()
    again = Cursor(path)
    assert again.seq == expected
    again.close()


def test_a_torn_write_leaves_the_move_before(tmp_path):
    """When one slot is torn the other is taken: at worst a batch is sent again under its id."""
    path = tmp_path / "c"
    cursor = Cursor(path)
    cursor.finish(0)
    cursor.finish(1)
    cursor.close()
    raw = bytearray(path.read_bytes())
    raw[2] ^= 0xFF  # turn 2 lies in the first slot
    path.write_bytes(raw)
    again = Cursor(path)
    assert again.seq == 1
    again.close()


def test_skipping_counts_what_was_not_finished(tmp_path):
    """Batches given up are counted without those finished out of order."""
    cursor = Cursor(tmp_path / "c")
    cursor.finish(2)
    assert (cursor.skip_to(4), cursor.seq) == (3, 4)
    assert (cursor.skip_to(2), cursor.seq) == (0, 4)
    cursor.close()


def test_a_destination_never_seen_is_told_from_one_at_the_start(tmp_path):
    """`new` is true only until the first move."""
    cursor = Cursor(tmp_path / "c")
    assert cursor.new
    cursor.skip_to(5)
    cursor.close()
    again = Cursor(tmp_path / "c")
    assert not again.new
    again.close()
