"""A run: attempts, deadlines, steps that always run, what counts as what."""

import asyncio
import time
from pathlib import Path

import pytest

from sojourn_probes.clock import Clock
from sojourn_probes.events import AttemptEnded, AttemptStarted, RunEnded, StepEnded, StepStarted
from sojourn_probes.ids import new_run_id
from sojourn_probes.load import load_text
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.run import run
from sojourn_probes.secrets import SecretStore
from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import Asked, answer, site
from tests.probes.walking import walk


class Shop:
    """Answers by path: 200, or what `answers` says, in turn."""

    def __init__(self, **answers: list[bytes | float | None]) -> None:
        self.answers = answers

    async def __call__(self, asked: Asked) -> bytes | None:
        waiting = self.answers.get(asked.target.strip("/"))
        if not waiting:
            return answer(body='{"token": "secret-token-1"}')
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(found, float):
            await asyncio.sleep(found)
            return answer()
        return found


def steps(*paths: str) -> str:
    return "".join(f"  - {{id: {path}, http: {{url: /{path}}}}}\n" for path in paths)


async def test_a_run_says_what_it_was():
    """Ids, version, location, times and steps of a passed run."""
    async with site(Shop()) as shop:
        found = await walk(f"id: j\nname: A journey\nbase_url: {shop.url}\nsteps:\n{steps('a', 'b')}", location="eu")
    assert (found.journey_id, found.journey_name, found.location, found.outcome, found.flaky, found.failure) == (
        "j",
        "A journey",
        "eu",
        Outcome.PASSED,
        False,
        None,
    )
    assert (len(found.run_id), len(found.trace_id), len(found.root_span_id), len(found.journey_version)) == (36, 32, 16, 12)
    assert [(step.id, step.kind, step.attempt, step.outcome) for step in found.attempts[0].steps] == [("a", "http", 1, "passed"), ("b", "http", 1, "passed")]
    assert found.started_ns <= found.attempts[0].steps[0].started_ns <= found.attempts[0].steps[1].ended_ns <= found.ended_ns


async def test_a_status_of_400_and_more_fails_without_being_told():
    """An error page fails as `status` where the step says nothing about the status."""
    async with site(Shop(a=[answer(502)])) as shop:
        found = await walk(f"id: j\nbase_url: {shop.url}\nsteps:\n{steps('a', 'b')}")
    assert (found.outcome, found.failure.kind, found.failure.step) == (Outcome.FAILED, FailureKind.STATUS, "a")
    assert found.failure.message == "502 from GET /a, expected status < 400"
    assert [step.outcome for step in found.attempts[0].steps] == [Outcome.FAILED, Outcome.SKIPPED]
    skipped = found.attempts[0].steps[1]
    assert skipped.started_ns == skipped.ended_ns


async def test_a_failed_expectation_says_expected_and_actual():
    """Every expectation is kept; the first that fails gives the sentence."""
    async with site(Shop()) as shop:
        text = f"id: j\nbase_url: {shop.url}\nsteps:\n{steps('a')}    expect:\n      - status == 200\n      - json $.token == x\n      - total > 1h\n"
        found = await walk(text.replace("  - {id: a, http: {url: /a}}\n", "  - id: a\n    http: {url: /a}\n"))
    assert found.failure.kind is FailureKind.EXPECTATION
    assert found.failure.message == "expected json $.token == x, got 'secret-token-1' (and 1 more)"
    assert [(one.text, one.met, one.expected) for one in found.attempts[0].steps[0].expectations] == [
        ("status == 200", True, "== 200"),
        ("json $.token == x", False, "== 'x'"),
        ("total > 1h", False, "> 60.0 m"),
    ]


async def test_degraded_is_passed_but_slow():
    """A degraded_if that holds makes step, attempt and run degraded, without a failure."""
    async with site(Shop(a=[0.05])) as shop:
        found = await walk(
            f"id: j\nbase_url: {shop.url}\nsteps:\n  - id: a\n    http: {{url: /a}}\n    degraded_if: [total > 20ms, total > 1h, connect > 1h]\n{steps('b')}"
        )
    assert (found.outcome, found.failure) == (Outcome.DEGRADED, None)
    assert [one.met for one in found.attempts[0].steps[0].expectations if one.kind == "degraded_if"] == [False, True, True]
    assert found.attempts[0].steps[1].outcome is Outcome.PASSED


async def test_vitals_thresholds_of_an_http_step_are_for_customers():
    """A degraded_if on a vital beside customers: is not held against the probe."""
    async with site(Shop()) as shop:
        found = await walk(
            f"id: j\nbase_url: {shop.url}\nsteps:\n  - id: a\n    http: {{url: /a}}\n    degraded_if: [lcp > 1ms]\n    customers: {{reached: {{page: /a}}}}\n"
        )
    assert found.outcome is Outcome.PASSED


async def test_a_retry_that_passes_is_flaky_and_both_attempts_are_kept():
    """Passed only at the second attempt: outcome passed, flaky, two attempts, the first with its failure."""
    async with site(Shop(a=[answer(500), answer()])) as shop:
        found = await walk(f"id: j\nbase_url: {shop.url}\nretries: 1\nsteps:\n{steps('a')}")
    assert (found.outcome, found.flaky, found.failure) == (Outcome.PASSED, True, None)
    assert [(attempt.number, attempt.outcome) for attempt in found.attempts] == [(1, Outcome.FAILED), (2, Outcome.PASSED)]
    assert found.attempts[0].failure.message == "500 from GET /a, expected status < 400"


async def test_retries_end():
    """`retries: 2` is three attempts at most, and the last one decides."""
    async with site(Shop(a=[answer(500), answer(501), answer(502)])) as shop:
        found = await walk(f"id: j\nbase_url: {shop.url}\nretries: 2\ninterval: 5m\nsteps:\n{steps('a')}")
    assert (len(found.attempts), found.outcome, found.flaky) == (3, Outcome.FAILED, False)
    assert found.failure.message.startswith("502")


@pytest.mark.parametrize(("only_on", "attempts"), [("[status]", 2), ("[connect, timeout]", 1)])
async def test_only_on_limits_retries(only_on, attempts):
    """A failure of another kind is not retried."""
    async with site(Shop(a=[answer(500)])) as shop:
        found = await walk(f"id: j\nbase_url: {shop.url}\nretries: {{max: 1, only_on: {only_on}, backoff: 1ms}}\ninterval: 5m\nsteps:\n{steps('a')}")
    assert len(found.attempts) == attempts


async def test_a_new_attempt_begins_anew():
    """Cookies and extracted values of the first attempt are not there in the second."""
    async with site(Shop(a=[answer(body='{"t": "one"}', set_cookie="sid=1"), answer(body='{"t": "two"}')], b=[answer(500), answer()])) as shop:
        text = f"id: j\nbase_url: {shop.url}\nretries: 1\nsteps:\n  - id: a\n    http: {{url: /a}}\n    extract: {{t: {{json: $.t}}}}\n"
        found = await walk(text + '  - {id: b, http: {url: /b, headers: {x-t: "${steps.a.t}"}}}\n')
    assert found.flaky
    assert [(asked.headers.get("cookie"), asked.headers.get("x-t")) for asked in shop.asked] == [(None, None), ("sid=1", "one"), (None, None), (None, "two")]


async def test_values_are_extracted_from_everywhere():
    """json, header, regex and cookie feed later steps."""
    first = answer(body='{"a": {"id": 7}, "x": "order-99!"}', x_next="go on", set_cookie="sid=abc123; Path=/")
    async with site(Shop(a=[first])) as shop:
        extract = "{j: {json: $.a.id}, h: {header: X-Next}, r: {regex: 'order-(\\d+)'}, c: {cookie: sid}}"
        text = f"id: j\nbase_url: {shop.url}\nsteps:\n  - id: a\n    http: {{url: /a}}\n    extract: {extract}\n"
        text += '  - {id: b, http: {url: /b, json: ["${steps.a.j}", "${steps.a.h}", "${steps.a.r}", "${steps.a.c}"]}}\n'
        found = await walk(text)
    assert found.outcome is Outcome.PASSED, found.failure
    assert shop.asked[1].body == b'[7, "go on", "99", "abc123"]'


@pytest.mark.parametrize(
    ("extract", "message"),
    [
        ("{json: $.none}", "v could not be extracted: nothing at $.none in the body"),
        ("{header: x-none}", "v could not be extracted: no header x-none"),
        ("{regex: 'a+b'}", "v could not be extracted: the body has nothing like a+b"),
        ("{cookie: none}", "v could not be extracted: no cookie none"),
    ],
)
async def test_what_is_not_there_is_not_extracted(extract, message):
    """A value that is not there fails the step as `extract`."""
    async with site(Shop()) as shop:
        found = await walk(f"id: j\nbase_url: {shop.url}\nsteps:\n  - id: a\n    http: {{url: /a}}\n    extract: {{v: {extract}}}\n")
    assert (found.failure.kind, found.failure.message) == (FailureKind.EXTRACT, message)


async def test_always_run_runs_after_a_failure_and_does_not_hide_it():
    """The clean-up step runs though an earlier one failed; the first failure stays the run's."""
    async with site(Shop(a=[answer(500)], out=[answer(503)])) as shop:
        found = await walk(f"id: j\nbase_url: {shop.url}\nsteps:\n{steps('a', 'b')}  - {{id: out, always_run: true, http: {{url: /out}}}}\n{steps('c')}")
    assert [step.outcome for step in found.attempts[0].steps] == ["failed", "skipped", "failed", "skipped"]
    assert found.failure.step == "a"
    assert [asked.target for asked in shop.asked] == ["/a", "/out"]


async def test_always_run_has_its_own_time():
    """When the attempt's time is over the clean-up step still gets its own."""
    async with site(Shop(a=[3600.0], out=[0.1])) as shop:
        found = await walk(f"id: j\nbase_url: {shop.url}\ntimeout: 300ms\nsteps:\n{steps('a', 'b')}  - {{id: out, always_run: true, http: {{url: /out}}}}\n")
    assert found.failure.kind is FailureKind.TIMEOUT
    assert [step.outcome for step in found.attempts[0].steps] == ["failed", "skipped", "passed"]


async def test_always_run_has_its_own_time_when_little_is_left():
    """A clean-up step that begins late in an attempt that went well is not cut off by the attempt's deadline."""
    async with site(Shop(a=[1.5], out=[1.5])) as shop:
        found = await walk(f"id: j\nbase_url: {shop.url}\ntimeout: 2500ms\nsteps:\n{steps('a')}  - {{id: out, always_run: true, http: {{url: /out}}}}\n")
    assert found.attempts[0].steps[1].outcome is Outcome.PASSED


async def test_what_an_earlier_attempt_extracted_is_gone():
    """A clean-up step of the second attempt is not sent with the token of the first."""
    async with site(Shop(a=[answer(body='{"t": "first"}'), answer(500)], b=[answer(500)])) as shop:
        text = f"id: j\nbase_url: {shop.url}\nretries: 1\nsteps:\n  - id: a\n    http: {{url: /a}}\n    extract: {{t: {{json: $.t}}}}\n{steps('b')}"
        found = await walk(text + '  - {id: out, always_run: true, http: {url: "/out?${steps.a.t}"}}\n')
    assert [asked.target for asked in shop.asked] == ["/a", "/b", "/out?first", "/a"]
    assert found.attempts[1].steps[2].outcome is Outcome.INCONCLUSIVE
    assert found.failure.step == "a"


async def test_the_attempts_deadline_covers_all_steps():
    """Steps that are each quick enough still fail when together they take too long."""
    async with site(Shop(a=[0.5], b=[3600.0])) as shop:
        found = await walk(f"id: j\nbase_url: {shop.url}\ntimeout: 3s\nsteps:\n{steps('a', 'b')}")
    assert (found.failure.kind, found.failure.step) == (FailureKind.TIMEOUT, "b")
    assert "not done within 3.00 s (timeout of the attempt)" in found.failure.message


async def test_a_missing_secret_is_inconclusive_and_not_retried():
    """Without its secret nothing was measured: kind `secret`, inconclusive, one attempt, nothing sent."""
    async with site(Shop()) as shop:
        found = await walk(f'id: j\nbase_url: {shop.url}\nretries: 2\ninterval: 5m\nsteps:\n  - {{id: a, http: {{url: "/a?p=${{secrets.pw}}"}}}}\n')
    assert (found.outcome, found.failure.kind, len(found.attempts)) == (Outcome.INCONCLUSIVE, FailureKind.SECRET, 1)
    assert found.failure.message.startswith("secret 'pw' was not found; looked for $SOJOURN_SECRET_PW")
    assert shop.asked == []


async def test_a_missing_base_url_variable_is_config():
    """A base_url that cannot be filled skips every step."""
    found = await walk(f'id: j\nbase_url: "${{env.NOPE}}"\nsteps:\n{steps("a")}')
    assert (found.outcome, found.failure.kind) == (Outcome.INCONCLUSIVE, FailureKind.CONFIG)
    assert [step.outcome for step in found.attempts[0].steps] == [Outcome.SKIPPED]


async def test_a_journey_of_customers_only_is_skipped():
    """There is nothing to walk, and that is said."""
    found = await walk("id: j\nsteps:\n  - {id: a, customers: {reached: {page: /}}}\n")
    assert (found.outcome, found.failure.message) == (Outcome.SKIPPED, "j has no step to probe, only customers to recognise")


async def test_cancelling_is_not_swallowed():
    """A run that is cancelled ends as cancelled, with its connections closed."""

    async with site(Shop(a=[3600.0])) as shop:
        task = asyncio.create_task(walk(f"id: j\nbase_url: {shop.url}\nretries: 3\ninterval: 5m\nsteps:\n{steps('a')}"))
        while not shop.asked:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_events_tell_the_run_as_it_goes():
    """Attempts and steps are told in order, the run at the end."""
    heard: list[object] = []
    async with site(Shop(a=[answer(500), answer()])) as shop:
        await walk(f"id: j\nbase_url: {shop.url}\nretries: 1\nsteps:\n{steps('a')}", on_event=heard.append)
    assert [type(event) for event in heard] == [AttemptStarted, StepStarted, StepEnded, AttemptEnded] * 2 + [RunEnded]
    assert [event.again for event in heard if isinstance(event, AttemptEnded)] == [True, False]


async def test_times_are_monotonic_when_the_wall_clock_jumps():
    """A wall clock set back in the middle of a run bends no duration."""
    jumps = iter([1_000_000_000, *[0] * 1000])
    async with site(Shop()) as shop:
        journey = load_text(f"id: j\nbase_url: {shop.url}\nsteps:\n{steps('a')}", Path("j.yaml"))
        store = SecretStore({})
        names = Names({}, {}, store, new_run_id(time.time()))
        found = await run(journey, names=names, redact=Redactor(store), clock=Clock(wall=lambda: next(jumps)))
    assert 1_000_000_000 <= found.started_ns < found.ended_ns
    assert found.attempts[0].steps[0].exchanges[0].ended_ns <= found.ended_ns
