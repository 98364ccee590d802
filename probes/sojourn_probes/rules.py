"""What must hold across several keys of a journey: ids, names that resolve, expectations that fit their step, secrets by reference."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, RootModel

from sojourn_probes.breach import Breach
from sojourn_probes.extract_rules import faults
from sojourn_probes.fitting import misfit
from sojourn_probes.journey import Journey
from sojourn_probes.journey_rules import of_journey
from sojourn_probes.names import Reference, references, references_in
from sojourn_probes.secret_rules import plain_secrets
from sojourn_probes.step import Step
from sojourn_probes.yaml_core import Path

SINGLE_PLACE: Final = ("vars", "env", "secrets", "totp", "run", "random", "now", "date")
"""Names that mean the same in every step."""


PARTS: Final = ("setup", "steps", "cleanup")
"""Where a journey has steps, in the order they are walked."""


def breaches(journey: Journey, data: dict[str, Any]) -> Iterator[Breach]:
    """Every rule that `journey`, read from `data`, breaks."""
    yield from _ids(journey)
    yield from _base_url(journey)
    yield from of_journey(journey)
    for path, step in placed(journey):
        yield from _kind(journey, step, path)
        yield from _expectations(step, path)
        yield from _extracts(step, path)
        yield from _time(journey, step, path)
    yield from _names(journey, data)
    yield from plain_secrets(data, PARTS)


def placed(journey: Journey) -> Iterator[tuple[Path, Step]]:
    """Every step with its place, in the order they are walked."""
    for part in PARTS:
        for index, step in enumerate(getattr(journey, part)):
            yield (part, index), step


def _ids(journey: Journey) -> Iterator[Breach]:
    seen: set[str] = set()
    for path, step in placed(journey):
        if step.id in seen:
            yield Breach((*path, "id"), f"another step has the id {step.id} too; ids of steps must differ")
        seen.add(step.id)


def _base_url(journey: Journey) -> Iterator[Breach]:
    url = journey.base_url
    if url is None:
        return
    if not url.startswith("${") and not _is_absolute(url):
        yield Breach(("base_url",), f"{url!r} is no address; write it with http:// or https://")
    elif "@" in (urlsplit(url).netloc if "${" not in url else ""):
        yield Breach(("base_url",), "has a user or password in it; use auth: with ${secrets.…} instead")


def _is_absolute(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))


def _kind(journey: Journey, step: Step, path: Path) -> Iterator[Breach]:
    if len(step.kinds) > 1:
        yield Breach((*path, step.kinds[1]), f"a step has one kind, this has {' and '.join(step.kinds)}; make two steps of it")
    if path[0] != "steps" and step.customers is not None:
        yield Breach((*path, "customers"), f"is no part of what customers do; move the step from {path[0]}: to steps:, or remove customers:")
    elif not step.kinds and step.customers is None:
        yield Breach(path, "says neither how to probe it (such as http:) nor how it shows in customers (customers:); add one")
    if not step.kinds:
        for key in ("always_run", "continue_on_error", "when", "repeat"):
            if getattr(step, key):
                yield Breach((*path, key), "has nothing to run; add http: or browser:, or remove it")
    if step.kind == "wait" and step.repeat is not None:
        yield Breach((*path, "repeat"), "cannot change what a wait sees; put it on the step that looks, with every: as the time between tries")
    first = getattr(step.part, "first_url", None)
    url = first() if first is not None else None
    if url is not None:
        yield from _address(journey, url, (*path, str(step.kind)))


def _address(journey: Journey, url: str, path: Path) -> Iterator[Breach]:
    where = (*path, "url")
    if _is_absolute(url) and "${" not in url and "@" in urlsplit(url).netloc:
        yield Breach(where, "has a user or password in it; use auth: with ${secrets.…} instead")
    elif not _is_absolute(url) and not url.startswith("${"):
        if "://" in url:
            yield Breach(where, f"{url!r} is neither http nor https; write it with http:// or https://")
        elif journey.base_url is None:
            yield Breach(where, f"{url!r} is relative and the journey has no base_url; add base_url: or write the whole address")


def _expectations(step: Step, path: Path) -> Iterator[Breach]:
    for key, expectations in (("expect", step.expect), ("degraded_if", step.degraded_if)):
        for index, expectation in enumerate(expectations):
            message = misfit(step, key, expectation)
            if message:
                yield Breach((*path, key, index), message)
    for index, expectation in enumerate(() if step.repeat is None else step.repeat.until):
        if step.kind is not None and (message := misfit(step, "until", expectation)):
            yield Breach((*path, "repeat", "until", index), message)


def _extracts(step: Step, path: Path) -> Iterator[Breach]:
    for name, extract in step.extract.items():
        for key, message in faults(extract, step.kind):
            yield Breach((*path, "extract", name, key), message)


def _time(journey: Journey, step: Step, path: Path) -> Iterator[Breach]:
    if step.timeout is not None and step.timeout > journey.timeout and not step.always_run:
        yield Breach(
            (*path, "timeout"), f"{step.timeout:g}s is longer than the attempt may take ({journey.timeout:g}s); raise the journey's timeout or lower this"
        )
    limit = step.timeout if step.timeout is not None else journey.timeout
    if step.repeat is not None and step.repeat.within > limit:
        whose = "the step" if step.timeout is not None else "the attempt"
        yield Breach((*path, "repeat"), f"goes on for {step.repeat.within:g}s and {whose} may take {limit:g}s; raise that timeout or lower within:")
    if step.kind == "wait" and step.part.root >= limit:
        yield Breach((*path, "wait"), f"waits {step.part.root:g}s and may take {limit:g}s; raise the timeout or wait less")


def _names(journey: Journey, data: dict[str, Any]) -> Iterator[Breach]:
    """Every `${…}` must be well formed and name something that is there when the step runs."""
    known = Known()
    of_vars = tuple(space for space in SINGLE_PLACE if space != "vars")
    for key in ("base_url", "vars", "defaults"):
        if key in data:
            yield from _in_value(journey, data[key], (key,), known, of_vars if key == "vars" else SINGLE_PLACE)
    for part in PARTS:
        for index, step in enumerate(data.get(part, ())):
            known.guards = _guards(step.get("when"))
            for key, value in step.items():
                yield from _in_value(journey, value, (part, index, key), known, (*SINGLE_PLACE, "steps"))
            known.steps[str(step.get("id"))] = set(step.get("extract") or {})
            if step.get("when") is not None or step.get("continue_on_error") is True:
                known.doubtful.add(str(step.get("id")))
    for location, override in data.get("overrides", {}).items():
        for key, value in override.items():
            spaces = of_vars if key == "vars" else (*SINGLE_PLACE, "steps") if key == "steps" else SINGLE_PLACE
            yield from _in_value(journey, value, ("overrides", location, key), known, spaces)


@dataclass(slots=True)
class Known:
    """What steps so far yield; `doubtful` are those that may not have run, `guards` the steps that the present step's `when` asks about."""

    steps: dict[str, set[str]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    guards: set[str] = field(default_factory=set)


def _guards(when: Any) -> set[str]:
    return {reference.parts[1] for reference in references_in(when) if reference.parts[0] == "steps" and len(reference.parts) == 3}


def _in_value(journey: Journey, value: Any, path: Path, known: Known, allowed: tuple[str, ...]) -> Iterator[Breach]:
    if isinstance(value, str):
        for reference in references(value):
            message = reference.fault or _unresolved(journey, reference, known, allowed)
            if message:
                yield Breach(path, message, reference.offset)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _in_value(journey, item, (*path, key), known, allowed)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _in_value(journey, item, (*path, index), known, allowed)


def _unresolved(journey: Journey, reference: Reference, known: Known, allowed: tuple[str, ...]) -> str | None:
    space = reference.parts[0]
    if space not in allowed:
        return f"${{{reference.text}}} is not known here; only {', '.join(allowed)} are"
    if space == "vars" and reference.parts[1] not in journey.vars:
        return f"${{{reference.text}}} is not set; add {reference.parts[1]} under vars:"
    if space == "steps":
        step, name = reference.parts[1:]
        if step not in known.steps:
            later = any(other.id == step for _, other in placed(journey))
            return f"${{{reference.text}}}: {'step ' + step + ' runs later; move it before this one' if later else 'there is no earlier step ' + step}"
        if name not in known.steps[step]:
            return f"${{{reference.text}}}: step {step} does not extract {name}; add it under its extract:"
        if step in known.doubtful - known.guards:
            return f"${{{reference.text}}}: step {step} may not have run; add when: '${{{reference.text}}} exists' to this one"
    return None


def empty_keys(model: BaseModel, path: Path = ()) -> Iterator[Breach]:
    """Keys given without a value, which would otherwise be as if they were not there."""
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        where = path if isinstance(model, RootModel) else (*path, info.alias or name)
        if value is None and name in model.model_fields_set and name not in ("json_body", "equals", "arg"):
            yield Breach(where, "has no value; give it one or remove the key")
        yield from _empty_inside(value, where)


def _empty_inside(value: Any, path: Path) -> Iterator[Breach]:
    if isinstance(value, BaseModel):
        yield from empty_keys(value, path)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _empty_inside(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _empty_inside(item, (*path, index))
