"""What decides whether, when and how often a step is walked: when, repeat, wait, continue_on_error, setup, cleanup."""

import asyncio
import time

import pytest

from sojourn_probes.marks import make_mark
from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import answer, site
from tests.probes.test_load import STEP, problems
from tests.probes.test_run import Shop
from tests.probes.walking import walk


def outcomes(result) -> dict[str, str]:
    return {step.id: str(step.outcome) for step in result.attempts[-1].steps}


WHEN = """
base_url: {url}
id: j
vars: {{lang: de, n: 3}}
steps:
  - {{id: first, http: {{url: /first}}, extract: {{token: {{json: $.token}}, mfa: {{json: $.mfa}}}}}}
  - {{id: second, when: "{when}", http: {{url: /second}}}}
  - {{id: third, http: {{url: /third}}}}
"""


@pytest.mark.parametrize(
    ("when", "walked"),
    [
        ("${steps.first.mfa} == true", True),
        ("not ${steps.first.mfa} == true", False),
        ("${steps.first.token} matches ^tok", True),
        ("${steps.first.token} exists", True),
        ("${steps.first.token} not exists", False),
        ("${env.COUNT} > 2", True),
        ("${env.COUNT} == '3'", True),
        ("${env.COUNT} in [1, 2]", False),
        ("${run.location} == eu", True),
        ("${run.location} == ${env.WHERE}", False),
    ],
)
async def test_a_step_runs_only_when_it_is_so(when, walked):
    """Else it is skipped with the condition said, and the run goes on and passes."""
    async with site(Shop(first=[answer(body='{"token": "tok1", "mfa": true}')])) as shop:
        found = await walk(WHEN.format(url=shop.url, when=when), environ={"COUNT": "3", "WHERE": "us"}, location="eu")
    assert found.outcome is Outcome.PASSED
    assert outcomes(found) == {"first": "passed", "second": "passed" if walked else "skipped", "third": "passed"}
    second = found.attempts[0].steps[1]
    assert second.note == ("" if walked else f"not so: {when}")


async def test_a_value_that_no_step_took_is_not_there():
    """`exists` is how a later step asks whether an earlier one ran."""
    text = """
    id: j
    base_url: {url}
    steps:
      - {{id: coupon, when: "${{env.COUPON}} == yes", http: {{url: /coupon}}, extract: {{code: {{json: $.token}}}}}}
      - {{id: use, when: "${{steps.coupon.code}} exists", http: {{url: "/use?c=${{steps.coupon.code}}"}}}}
    """
    async with site(Shop()) as shop:
        without = await walk(text.format(url=shop.url), environ={"COUPON": "no"})
        with_it = await walk(text.format(url=shop.url), environ={"COUPON": "yes"})
    assert outcomes(without) == {"coupon": "skipped", "use": "skipped"}
    assert outcomes(with_it) == {"coupon": "passed", "use": "passed"}
    assert shop.asked[-1].target == "/use?c=secret-token-1"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            "    when: lang == de\n",
            "a.yaml:6:11: steps[0].when: 'lang == de' does not begin with a name; write it as '${vars.lang} == de' or '${steps.login.mfa} exists'",
        ),
        ('    when: "${vars.x}"\n', "a.yaml:6:21: steps[0].when: says nothing of ${vars.x}; compare it with something, or write '${vars.x} exists'"),
        ('    when: "${vars.x} = 1"\n', None),
        ('    when: "${vars.y} == 1"\n', "a.yaml:6:11: steps[0].when: ${vars.y} is not set; add y under vars:"),
        (
            '    when: "${vars.x} == 2"\n',
            "a.yaml:6:11: steps[0].when: never holds, so the step is never walked: ${vars.x} is constant; change it or remove the step",
        ),
        (
            "    repeat: {until: [status == 200], within: 2m}\n",
            "a.yaml:6:13: steps[0].repeat: goes on for 120s and the attempt may take 30s; raise that timeout or lower within:",
        ),
        ("    repeat: {until: [lcp > 1s]}\n", "a.yaml:6:22: steps[0].repeat.until[0]: lcp is seen by browser steps only, not by http; remove it"),
        ("    repeat: {within: 2s}\n", "a.yaml:6:5: steps[0].repeat.until: is missing; add it"),
        (
            '  - {id: t, http: {url: "/${steps.u.x}"}}\n  - {id: u, http: {url: /}, extract: {x: {json: $.x}}}\n',
            "a.yaml:6:27: steps[1].http.url: ${steps.u.x}: step u runs later; move it before this one",
        ),
        (
            '    when: "${env.A} == 1"\n    extract: {x: {json: $.x}}\n  - {id: t, http: {url: "/${steps.s.x}"}}\n',
            "a.yaml:8:27: steps[1].http.url: ${steps.s.x}: step s may not have run; add when: '${steps.s.x} exists' to this one",
        ),
        ("  - {id: t, wait: 30s}\n", "a.yaml:6:19: steps[1].wait: waits 30s and may take 30s; raise the timeout or wait less"),
        (
            "  - {id: t, wait: 1s, repeat: {until: [total > 1s]}}\n",
            "a.yaml:6:31: steps[1].repeat: cannot change what a wait sees; put it on the step that looks, with every: as the time between tries",
        ),
        (
            "  - {id: t, customers: {reached: {page: /}}, continue_on_error: true}\n",
            "a.yaml:6:65: steps[1].continue_on_error: has nothing to run; add http: or browser:, or remove it",
        ),
        ("cleanup:\n  - {id: s, http: {url: /}}\n", "a.yaml:7:10: cleanup[0].id: another step has the id s too; ids of steps must differ"),
        (
            "setup:\n  - {id: t, http: {url: /}, customers: {reached: {page: /}}}\n",
            "a.yaml:7:40: setup[0].customers: is no part of what customers do; move the step from setup: to steps:, or remove customers:",
        ),
        ("side_effects: order\n", "a.yaml:6:15: side_effects: leaves real orders behind; add a step under cleanup: that cancels what was ordered"),
    ],
)
def test_what_cannot_be_walked_as_written_is_refused(step, message):
    """Before anything runs, at its place, with the cure."""
    found = problems(STEP + step + ("vars: {x: 1}\n" if "vars.x" in step else ""))
    assert len(found) == 1, found
    assert message is None or found == [message]


async def test_a_step_is_repeated_until_it_holds():
    """Polling: tries are counted, every exchange is kept, and `expect` is held against the last."""
    text = """
    id: j
    base_url: {url}
    steps:
      - id: job
        http: {{url: /job}}
        repeat: {{until: [json $.state == done], within: 20s, every: 50ms}}
        expect: [json $.rows == 3]
        extract: {{rows: {{json: $.rows}}}}
      - {{id: rows, http: {{url: "/rows/${{steps.job.rows}}"}}}}
    """
    answers: list[bytes | float | None] = [answer(body='{"state": "busy"}'), None, answer(503), answer(body='{"state": "done", "rows": 3}')]
    async with site(Shop(job=answers)) as shop:
        found = await walk(text.format(url=shop.url))
    job = found.attempts[0].steps[0]
    assert (found.outcome, job.outcome) == (Outcome.PASSED, Outcome.PASSED)
    assert [exchange.status for exchange in job.exchanges] == [200, None, 503, 200]
    assert job.note.startswith("held at try 4, after ")
    assert job.ended_ns - job.started_ns >= 150_000_000
    assert shop.asked[-1].target == "/rows/3"


async def test_a_repeat_that_never_holds_says_what_was_there():
    """It ends at `within`, or after `at_most` tries, with the last answer in the sentence."""
    text = "id: j\nbase_url: {url}\nsteps:\n  - id: job\n    http: {{url: /job}}\n    repeat: {{until: [json $.state == done], every: 50ms, {more}}}\n"
    async with site(Shop(job=[answer(body='{"state": "busy"}')])) as shop:
        timed = await walk(text.format(url=shop.url, more="within: 300ms"))
        counted = await walk(text.format(url=shop.url, more="at_most: 3"))
    assert timed.failure.kind is FailureKind.EXPECTATION
    assert timed.failure.message.startswith("expected json $.state == done, got 'busy' (")
    assert "3 tries in " in counted.failure.message


async def test_a_repeat_keeps_the_kind_of_a_failure_that_stays():
    """A port where nobody listens is `connect`, however often it is tried; what will not change is not tried again."""
    gone = await walk("id: j\nsteps:\n  - id: s\n    http: {url: 'http://127.0.0.1:1/'}\n    repeat: {until: [status == 200], every: 50ms, at_most: 2}\n")
    assert gone.failure.kind is FailureKind.CONNECT
    assert "(2 tries in " in gone.failure.message
    unset = await walk(
        "id: j\nsteps:\n  - id: s\n    http: {url: 'http://127.0.0.1:1/${env.NO}'}\n    repeat: {until: [status == 200], every: 50ms, at_most: 2}\n"
    )
    assert (unset.failure.kind, unset.outcome) == (FailureKind.CONFIG, Outcome.INCONCLUSIVE)
    assert "tries" not in unset.failure.message


async def test_a_slow_try_ends_with_the_repeat():
    """A try that hangs does not outlive `within`."""
    text = "id: j\nbase_url: {url}\nsteps:\n  - id: job\n    http: {{url: /job}}\n    repeat: {{until: [status == 200], within: 400ms, every: 50ms}}\n"
    async with site(Shop(job=[60.0])) as shop:
        found = await walk(text.format(url=shop.url))
    assert found.failure.kind is FailureKind.TIMEOUT
    assert "(the repeat)" in found.failure.message


async def test_a_wait_lets_time_pass():
    """And its time is the step's."""
    async with site(Shop()) as shop:
        found = await walk(f"id: j\nbase_url: {shop.url}\nsteps:\n  - {{id: pause, wait: 120ms}}\n  - {{id: a, http: {{url: /a}}}}\n")
    pause = found.attempts[0].steps[0]
    assert (pause.kind, pause.outcome) == ("wait", Outcome.PASSED)
    assert pause.ended_ns - pause.started_ns >= 120_000_000


async def test_a_tolerated_failure_makes_the_run_degraded():
    """The later steps run; the failure stays on its step."""
    text = "id: j\nbase_url: {url}\nsteps:\n  - {{id: ads, http: {{url: /ads}}, continue_on_error: true}}\n  - {{id: pay, http: {{url: /pay}}}}\n"
    async with site(Shop(ads=[answer(500)])) as shop:
        found = await walk(text.format(url=shop.url))
    assert (found.outcome, found.failure, outcomes(found)) == (Outcome.DEGRADED, None, {"ads": "failed", "pay": "passed"})


async def test_what_measured_nothing_is_not_tolerated():
    """A variable that is not set says nothing of the site."""
    text = "id: j\nbase_url: {url}\nsteps:\n  - {{id: ads, http: {{url: '/${{env.NO}}'}}, continue_on_error: true}}\n  - {{id: pay, http: {{url: /pay}}}}\n"
    async with site(Shop()) as shop:
        found = await walk(text.format(url=shop.url))
    assert (found.outcome, outcomes(found)) == (Outcome.INCONCLUSIVE, {"ads": "inconclusive", "pay": "skipped"})


ORDER = """
id: j
base_url: {url}
side_effects: order
setup:
  - {{id: account, http: {{url: /account}}, extract: {{token: {{json: $.token}}}}}}
steps:
  - {{id: pay, http: {{url: "/pay?t=${{steps.account.token}}"}}}}
cleanup:
  - {{id: cancel, http: {{url: /cancel}}}}
"""


def mark(run_id: str) -> str:
    return make_mark(run_id, "k1", b"0123456789abcdef0123456789abcdef", time.time())


async def test_setup_comes_first_and_cleanup_always():
    """Also after a failure the order is cancelled, and the failure stays that of the step."""

    async def respond(asked):
        return answer(502) if asked.target.startswith("/pay") else answer(body='{"token": "t"}')

    async with site(respond) as shop:
        found = await walk(ORDER.format(url=shop.url), mark=mark)
    assert outcomes(found) == {"account": "passed", "pay": "failed", "cancel": "passed"}
    assert (found.failure.kind, found.failure.step) == (FailureKind.STATUS, "pay")
    assert [asked.target.partition("?")[0] for asked in shop.asked] == ["/account", "/pay", "/cancel"]
    assert all("x-sojourn-probe" in asked.headers for asked in shop.asked)


async def test_orders_are_never_made_unmarked():
    """Without a probe key nothing is walked, and the run says why."""
    async with site(Shop()) as shop:
        found = await walk(ORDER.format(url=shop.url))
    assert shop.asked == []
    assert (found.outcome, found.failure.kind) == (Outcome.INCONCLUSIVE, FailureKind.CONFIG)
    assert found.failure.message == "j makes real orders and would make them unmarked; give a probe key, so that they never count as business"


@pytest.mark.parametrize(
    ("growth", "waits"),
    [("fixed", [2, 2, 2, 2]), ("linear", [2, 4, 6, 8]), ("exponential", [2, 4, 8, 10])],
)
def test_backoff_grows_as_it_says(growth, waits):
    """Up to `most`; jitter takes between half and all of it."""
    from sojourn_probes.retries import Backoff

    steady = Backoff.model_validate({"first": "2s", "growth": growth, "most": "10s", "jitter": False})
    shaken = Backoff.model_validate({"first": "2s", "growth": growth, "most": "10s"})
    assert [steady.seconds(attempt, 0.5) for attempt in range(1, 5)] == waits
    assert [shaken.seconds(attempt, 0.0) for attempt in range(1, 5)] == [wait / 2 for wait in waits]
    assert [shaken.seconds(attempt, 1.0) for attempt in range(1, 5)] == waits


async def test_a_retry_has_new_random_values():
    """An address that was signed up with is taken; the next attempt needs another."""
    head = "id: j\nbase_url: {url}\nretries: 1\nvars: {{mail: '${{random.hex}}'}}\n"
    text = head + "steps:\n  - {{id: a, http: {{url: '/a?${{vars.mail}}'}}}}\n  - {{id: b, http: {{url: '/b?${{vars.mail}}'}}}}\n"
    calls = 0

    async def respond(asked):
        nonlocal calls
        calls += 1
        await asyncio.sleep(0)
        return answer(500 if calls == 2 else 200)

    async with site(respond) as shop:
        found = await walk(text.format(url=shop.url))
    assert found.flaky
    first, second, third, fourth = (asked.target.partition("?")[2] for asked in shop.asked)
    assert first == second != third == fourth
