"""What several runs have in common."""

from sojourn_probes.repeat import Times, summaries
from sojourn_probes.result import AttemptResult, Failure, RunResult, StepResult
from sojourn_probes.semconv import FailureKind, Outcome


def step(ms: int, outcome: Outcome = Outcome.PASSED, kind: FailureKind | None = None, name: str = "a") -> StepResult:
    failure = None if kind is None else Failure(kind, "why", name)
    return StepResult(name, name.upper(), "http", 1, outcome, "s", 0, ms * 1_000_000, failure)


def run(*attempts: list[StepResult], ms: int = 10) -> RunResult:
    tries = []
    for number, steps in enumerate(attempts, 1):
        failure = next((one.failure for one in steps if one.failure), None)
        tries.append(AttemptResult(number, Outcome.FAILED if failure else Outcome.PASSED, 0, ms * 1_000_000, tuple(steps), failure))
    last = tries[-1]
    flaky = len(tries) > 1 and last.outcome is Outcome.PASSED
    return RunResult("r", "j", "J", "v", "local", "t", "s", last.outcome, flaky, 0, ms * 1_000_000, tuple(tries), last.failure)


def test_percentiles_are_times_that_were_measured():
    """Of 1 to 100 ms the p50 is 50 ms and the p95 95 ms; of one time both are that time; of 19 the p95 is the longest."""
    found = summaries([run([step(ms)], ms=ms) for ms in range(100, 0, -1)])[0]
    assert found.steps[0].times == found.times == Times(100, 0.05, 0.095, 0.001, 0.1)
    one = summaries([run([step(7)])])[0].steps[0].times
    assert one == Times(1, 0.007, 0.007, 0.007, 0.007)
    few = summaries([run([step(ms)]) for ms in range(1, 20)])[0].steps[0].times
    assert few is not None
    assert (few.p50, few.p95) == (0.01, 0.019)


def test_every_attempt_counts_and_skipped_steps_have_no_time():
    """Flaky runs, failures by kind of runs and of attempts tried again, and times of all attempts; a skipped step is counted as that."""
    bad = [step(3, Outcome.FAILED, FailureKind.TIMEOUT), step(0, Outcome.SKIPPED, name="b")]
    found = summaries([run([step(1), step(2, name="b")]), run(bad, [step(5), step(6, name="b")]), run(bad, bad)])[0]
    assert (found.runs, found.outcomes, found.flaky) == (3, {"passed": 2, "failed": 1}, 1)
    assert (found.failures, found.retried) == ({"timeout": 1}, {"timeout": 2})
    a, b = found.steps
    assert (a.times and a.times.count, a.outcomes, a.failures) == (5, {"failed": 3, "passed": 2}, {"timeout": 3})
    assert (b.times and b.times.count, b.outcomes, b.failures) == (2, {"skipped": 3, "passed": 2}, {})
    never = summaries([run(bad)])[0].steps[1]
    assert never.times is None


def test_journeys_are_summed_apart():
    """Each journey has its own summary, in the order of the first runs."""
    other = RunResult("r", "k", "K", "v", "local", "t", "s", Outcome.PASSED, False, 0, 1, run([step(1)]).attempts)
    assert [(one.journey_id, one.runs) for one in summaries([other, run([step(1)]), other])] == [("k", 2), ("j", 1)]
