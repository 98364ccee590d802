"""How customers fared in a journey beside what our probes say, and what they said."""

from sojourn_collector.web.chapters.figures import of_answers, of_impact
from sojourn_collector.web.chapters.told import COUNTED, Column, Figure, Table, Told, broken, facts
from sojourn_collector.web.format import part
from sojourn_collector.web.models import Experience, JourneyAnswer, ProbeState

ANSWER = JourneyAnswer
_STEPS = (
    Column("step", "step"),
    Column("reached", "reached"),
    Column("done", "done", COUNTED),
    Column("hit", "hit", COUNTED),
    Column("slow", "slow"),
    Column("lcp_p75", "main content, 3 in 4 within"),
    Column("apdex", "Apdex", COUNTED),
)


def tell(answer: JourneyAnswer) -> Told:
    """Of one journey; of its problems `problem` tells more."""
    steps = [
        (
            one.name,
            Figure(one.reached),
            Figure(part(one.done, one.reached), "share", one.done_low, one.done_high, one.reached),
            Figure(part(one.hit, one.reached), "share", one.hit_low, one.hit_high, one.reached),
            Figure(one.slow),
            Figure(one.lcp_p75, "seconds"),
            Figure(one.apdex, "number", one.apdex_low, one.apdex_high, one.apdex_of if one.apdex is not None else None),
        )
        for one in answer.experience.steps
    ]
    impact = [("impact, of days of people", of_impact(answer.impact))]
    impact += [] if answer.impact_of_visits is None else [("impact, per visit", of_impact(answer.impact_of_visits))]
    impact += [("usual impact", Figure(answer.impact.usual, "score")), ("excess", Figure(answer.impact.excess, "score"))]
    problems = [(one.id, one.step.name, one.state, one.clock.since, Figure(one.people.hit, of=one.people.reached)) for one in answer.problems]
    columns = (Column("id", "id"), Column("step", "step"), Column("state", "state"), Column("since", "since"), Column("hit", "hit", ("of",)))
    return Told(
        "journey",
        f"{answer.name}: {answer.state}",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        answer.config_version,
        answer.id,
        broken(answer),
        [
            facts("customers", "Customers", [*_fared(answer.experience), *impact]),
            facts("probes", "Our probes", _walked(answer.probes)),
            facts("satisfaction", "What they said", of_answers(answer.satisfaction)),
            Table("step", "Steps", _STEPS, steps),
            Table("problem", "Problems", columns, problems),
        ],
        answer.notes,
    )


def _fared(seen: Experience) -> list[tuple[str, Figure]]:
    settled = seen.tried - seen.trying
    finished = Figure(part(seen.finished, settled), "share", seen.finished_low, seen.finished_high, settled, why="" if settled else "nobody's try is over")
    return [
        ("tried", Figure(seen.tried)),
        ("finished", Figure(seen.finished)),
        ("finished, of those whose try is over", finished),
        ("usually finished", Figure(seen.usual_finished, "share")),
        ("gave up", Figure(seen.gave_up)),
        ("were stopped", Figure(seen.stopped)),
        ("still trying", Figure(seen.trying)),
    ]


def _walked(seen: ProbeState) -> list[tuple[str, Figure]]:
    passed = Figure(part(seen.passed, seen.total), "share", of=seen.total, why="" if seen.total else seen.hint or "none ran")
    return [
        (f"passed ({seen.state})", passed),
        ("half took", Figure(seen.p50, "seconds")),
        ("19 in 20 took", Figure(seen.p95, "seconds")),
    ]
