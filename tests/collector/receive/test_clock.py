"""The collector's clock jumps while requests come: nothing is lost, doubled or refused for good."""

import time
import uuid
from datetime import UTC, datetime

import pytest

from tests.collector.receive.conftest import Listener, traces

HOUR = 3600 * 1_000_000_000
DAY = 24 * HOUR
JUMPS = {"an hour back": -HOUR, "an hour ahead": HOUR, "a day back": -DAY, "a day ahead": DAY, "to 2100": 75 * 365 * DAY}


@pytest.mark.parametrize("jump", [pytest.param(name, marks=() if name in ("a day back", "to 2100") else pytest.mark.slow) for name in JUMPS])
async def test_a_jump_loses_and_doubles_nothing(listener: Listener, jump: str):
    """What came before, during and after a jump is there once, and known when it comes again under another time."""
    batches = [str(uuid.uuid4()) for _ in range(3)]
    bodies = [traces(4, batch=batch).SerializeToString() for batch in batches]
    for clock in (time.time_ns, lambda: time.time_ns() + JUMPS[jump], time.time_ns):
        listener.intake._clock = clock
        for batch, body in zip(batches, bodies, strict=True):
            assert (await listener.post(body, idempotency_key=batch)).status_code == 200
    listener.intake._clock = lambda: time.time_ns() + JUMPS[jump]
    late = str(uuid.uuid4())
    for _ in range(2):
        assert (await listener.post(traces(4, batch=late).SerializeToString())).status_code == 200
    for batch, times in ((batches[0], 1), (batches[1], 1), (batches[2], 1), (late, 2)):
        assert (await listener.rows("span_count", batch=batch))[0]["n"] == 4 * times
    assert listener.counters.value("sojourn_load_retries", reason="engine") == listener.counters.value("sojourn_load_mismatch") == 0


async def test_while_the_clock_cannot_be_right_senders_keep_what_they_have(listener: Listener):
    """A machine that starts in 1970: a request hears 503 with the sentence and is taken once the clock goes, under the same batch id."""
    batch = str(uuid.uuid4())
    body = traces(4, batch=batch).SerializeToString()
    listener.intake._clock = lambda: int(datetime(1970, 1, 2, tzinfo=UTC).timestamp()) * 1_000_000_000
    refused = await listener.post(body, "/v1/traces", idempotency_key=batch)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    assert b"The clock of the collector's machine says 1970-01-02, which cannot be; set it." in refused.content
    listener.intake._clock = time.time_ns
    assert (await listener.post(body, idempotency_key=batch)).status_code == 200
    assert (await listener.rows("span_count", batch=batch))[0]["n"] == 4
