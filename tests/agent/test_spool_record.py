"""Records of the spool: what is written is read, damage costs what it hit."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from sojourn_agent.spool_record import HEADER_SIZE, SIGNALS, Record, scan

records = st.builds(
    Record,
    seq=st.integers(0, 2**63),
    created_ms=st.integers(0, 2**48),
    batch=st.uuids(),
    signal=st.sampled_from(SIGNALS),
    body=st.binary(max_size=200),
)


@given(st.lists(records, max_size=8))
def test_what_is_written_is_read(written):
    """Any records, encoded one after the other, come back equal and in order."""
    data = b"".join(record.encode() for record in written)
    assert [met.record for met in scan(data)] == written


@given(st.lists(records, min_size=1, max_size=5), st.data())
def test_a_torn_tail_costs_the_last_record_only(written, data):
    """Cut anywhere inside the last record, everything before it is read and nothing else."""
    whole = b"".join(record.encode() for record in written)
    cut = data.draw(st.integers(len(whole) - written[-1].size, len(whole) - 1))
    assert [met.record for met in scan(whole[:cut])] == written[:-1]


@given(st.lists(records, min_size=3, max_size=5), st.data())
def test_a_flipped_bit_costs_one_record(written, data):
    """One flipped bit in a record leaves all others readable, and what is read is never altered."""
    hit = data.draw(st.integers(0, len(written) - 2))
    encoded = [bytearray(record.encode()) for record in written]
    place = data.draw(st.integers(0, len(encoded[hit]) - 1))
    encoded[hit][place] ^= 1 << data.draw(st.integers(0, 7))
    read = [met.record for met in scan(b"".join(encoded)) if met.record is not None]
    assert read == written[:hit] + written[hit + 1 :]


@given(st.binary(max_size=500))
def test_noise_holds_no_record(noise):
    """Bytes that are no spool yield nothing and raise nothing."""
    assert list(scan(noise)) == []


def test_the_header_has_a_fixed_size():
    """A record is its header and its body, nothing more: the format on disk does not change by accident."""
    record = Record(1, 2, uuid.UUID(int=3), "logs", b"body")
    assert (HEADER_SIZE, len(record.encode())) == (49, 53)
