"""Rules across the keys of a journey as a whole: when it is walked, how long that may take, what it depends on, what differs by location."""

from collections.abc import Iterator

from sojourn_probes.breach import Breach
from sojourn_probes.condition import Condition
from sojourn_probes.errors import NameMissing
from sojourn_probes.expectation import Expectation
from sojourn_probes.fitting import misfit
from sojourn_probes.journey import Journey
from sojourn_probes.names import Names, references_in
from sojourn_probes.redact import Redactor
from sojourn_probes.secrets import SecretStore
from sojourn_probes.step import Step
from sojourn_probes.yaml_core import Path


def of_journey(journey: Journey) -> Iterator[Breach]:
    """Every such rule that `journey` breaks."""
    yield from _schedule(journey)
    yield from _room(journey)
    yield from _dependencies(journey)
    yield from _side_effects(journey)
    yield from _overrides(journey)
    yield from _never(journey)


def _schedule(journey: Journey) -> Iterator[Breach]:
    if journey.schedule is None:
        return
    if "interval" in journey.model_fields_set:
        yield Breach(("schedule",), "and interval: both say when it is walked; keep one")
    for location, override in journey.overrides.items():
        if override.interval is not None:
            yield Breach(("overrides", location, "interval"), "does not go with schedule:; remove one of them")


def _room(journey: Journey) -> Iterator[Breach]:
    """All attempts must fit between two starts, or retries would eat up the runs after a failure. One attempt may be patient:
    runs never overlap, and a moment left out is counted."""
    for location in ("", *journey.overrides):
        at = journey.at(location)
        if journey.schedule is not None or not journey.has_probes or not at.retries.max:
            continue
        # A timeout that nobody chose is not held against the moments between attempts.
        waits = sum(at.retries.backoff.longest[: at.retries.max]) if location or "timeout" in journey.model_fields_set else 0
        needed = (at.retries.max + 1) * at.timeout + waits
        if needed > at.interval:
            where = ("overrides", location) if location else ("interval",) if "interval" in journey.model_fields_set else ("retries",)
            what = f"{at.retries.max + 1} attempts take up to {needed:g}s, which does not fit the interval of {at.interval:g}s"
            yield Breach(where, f"{what}; lower timeout or retries, or raise interval")


def _dependencies(journey: Journey) -> Iterator[Breach]:
    for index, other in enumerate(journey.depends_on):
        if other == journey.id:
            yield Breach(("depends_on", index), "is this journey itself; remove it")
        elif other in journey.depends_on[:index]:
            yield Breach(("depends_on", index), f"names {other} twice; keep one")


def _side_effects(journey: Journey) -> Iterator[Breach]:
    if journey.side_effects is not None and not any(step.always_run for step in journey.walked):
        yield Breach(("side_effects",), "leaves real orders behind; add a step under cleanup: that cancels what was ordered")


def _overrides(journey: Journey) -> Iterator[Breach]:
    steps = {step.id: step for step in (*journey.setup, *journey.steps, *journey.cleanup)}
    for location, override in journey.overrides.items():
        where: Path = ("overrides", location)
        if journey.locations and location not in journey.locations:
            yield Breach(where, f"is not among locations: ({', '.join(journey.locations)}); add it there or remove it here")
        for name in override.vars:
            if name not in journey.vars:
                yield Breach((*where, "vars", name), f"is not set for the other locations; add {name} under the journey's vars: too")
        for step_id, changes in override.steps.items():
            step = steps.get(step_id)
            if step is None:
                yield Breach((*where, "steps", step_id), f"is no step of this journey; there are {', '.join(steps)}")
                continue
            for key in ("expect", "degraded_if"):
                yield from _fitting(step, key, getattr(changes, key) or (), (*where, "steps", step_id, key))


def _fitting(step: Step, key: str, expectations: tuple[Expectation, ...], path: Path) -> Iterator[Breach]:
    for index, expectation in enumerate(expectations):
        message = misfit(step, key, expectation)
        if message:
            yield Breach((*path, index), message)


def _never(journey: Journey) -> Iterator[Breach]:
    """A step whose `when` looks at constants only, and does not hold, is never reached."""
    changed = {name for override in journey.overrides.values() for name in override.vars}
    for part in ("setup", "steps", "cleanup"):
        for number, step in enumerate(getattr(journey, part)):
            for index, condition in enumerate(step.when):
                if _is_constant(journey, condition, changed) and not _holds(journey, condition):
                    path = (part, number, "when", index) if len(step.when) > 1 else (part, number, "when")
                    yield Breach(path, f"never holds, so the step is never walked: ${{{condition.name}}} is constant; change it or remove the step")


def _is_constant(journey: Journey, condition: Condition, changed: set[str]) -> bool:
    space, _, name = condition.name.partition(".")
    targets = references_in(condition.expectation.target)
    return space == "vars" and name in journey.vars and name not in changed and not any(references_in(journey.vars[name])) and not any(targets)


def _holds(journey: Journey, condition: Condition) -> bool:
    store = SecretStore({})
    try:
        return condition.holds(Names(journey.vars, {}, store, ""), Redactor(store))
    except (NameMissing, ValueError):
        return True  # another rule says what is wrong with it
