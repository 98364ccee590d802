"""What must hold across several keys of a journey: ids, names that resolve, expectations that fit their step, secrets by reference."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel

from sojourn_probes.expectation import Expectation
from sojourn_probes.extract_rules import faults
from sojourn_probes.journey import Journey, Step
from sojourn_probes.names import Reference, references
from sojourn_probes.yaml_core import Path

SINGLE_PLACE: Final = ("vars", "env", "secrets", "run")
"""Names that mean the same in every step."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule broken at `path`; `offset` counts characters into the text there."""

    path: Path
    message: str
    offset: int = 0


def breaches(journey: Journey, data: dict[str, Any]) -> Iterator[Breach]:
    """Every rule that `journey`, read from `data`, breaks."""
    yield from _ids(journey)
    yield from _base_url(journey)
    for index, step in enumerate(journey.steps):
        yield from _kind(journey, step, ("steps", index))
        yield from _expectations(step, ("steps", index))
        yield from _extracts(step, ("steps", index))
        yield from _time(journey, step, ("steps", index))
    yield from _names(journey, data)


def _ids(journey: Journey) -> Iterator[Breach]:
    seen: set[str] = set()
    for index, step in enumerate(journey.steps):
        if step.id in seen:
            yield Breach(("steps", index, "id"), f"another step has the id {step.id} too; ids of steps must differ")
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
    if not step.kinds and step.customers is None:
        yield Breach(path, "says neither how to probe it (such as http:) nor how it shows in customers (customers:); add one")
    if not step.kinds and step.always_run:
        yield Breach((*path, "always_run"), "has nothing to run; add http: or browser:, or remove it")
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
            message = _misfit(step, key, expectation)
            if message:
                yield Breach((*path, key, index), message)


def _misfit(step: Step, key: str, expectation: Expectation) -> str | None:
    if step.kind in expectation.kinds():
        return None
    where = " and ".join(sorted(expectation.kinds()))
    if key == "degraded_if" and step.customers is not None:
        return None  # judged in real traffic only
    if step.kind is None:
        return f"{expectation.source} is seen by {where} steps, and this step has no probe; add {sorted(expectation.kinds())[0]}: or remove it"
    return f"{expectation.source} is seen by {where} steps only, not by {step.kind}; remove it"


def _extracts(step: Step, path: Path) -> Iterator[Breach]:
    for name, extract in step.extract.items():
        for key, message in faults(extract, step.kind):
            yield Breach((*path, "extract", name, key), message)


def _time(journey: Journey, step: Step, path: Path) -> Iterator[Breach]:
    if step.timeout is not None and step.timeout > journey.timeout and not step.always_run:
        yield Breach(
            (*path, "timeout"), f"{step.timeout:g}s is longer than the attempt may take ({journey.timeout:g}s); raise the journey's timeout or lower this"
        )


def _names(journey: Journey, data: dict[str, Any]) -> Iterator[Breach]:
    """Every `${…}` must be well formed and name something that is there when the step runs."""
    known: dict[str, set[str]] = {}
    for key in ("base_url", "vars", "defaults"):
        if key in data:
            allowed = ("env", "secrets", "run") if key == "vars" else SINGLE_PLACE
            yield from _in_value(journey, data[key], (key,), known, allowed)
    for index, step in enumerate(data["steps"]):
        for key, value in step.items():
            yield from _in_value(journey, value, ("steps", index, key), known, (*SINGLE_PLACE, "steps"))
        known[str(step.get("id"))] = set(step.get("extract") or {})


def _in_value(journey: Journey, value: Any, path: Path, known: dict[str, set[str]], allowed: tuple[str, ...]) -> Iterator[Breach]:
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


def _unresolved(journey: Journey, reference: Reference, known: dict[str, set[str]], allowed: tuple[str, ...]) -> str | None:
    space = reference.parts[0]
    if space not in allowed:
        return f"${{{reference.text}}} is not known here; only {', '.join(allowed)} are"
    if space == "vars" and reference.parts[1] not in journey.vars:
        return f"${{{reference.text}}} is not set; add {reference.parts[1]} under vars:"
    if space == "steps":
        step, name = reference.parts[1:]
        if step not in known:
            return f"${{{reference.text}}}: there is no earlier step {step}"
        if name not in known[step]:
            return f"${{{reference.text}}}: step {step} does not extract {name}; add it under its extract:"
    return None


def empty_keys(model: BaseModel, path: Path = ()) -> Iterator[Breach]:
    """Keys given without a value, which would otherwise be as if they were not there."""
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        where = (*path, info.alias or name)
        if value is None and name in model.model_fields_set and name not in ("json_body",):
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
