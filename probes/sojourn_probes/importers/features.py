"""What the journey language can say in this version, so that importers use all of it and nothing that is not there."""

from typing import Any, get_args

from sojourn_probes.expectation import SOURCES
from sojourn_probes.journey import Journey
from sojourn_probes.names import references
from sojourn_probes.step import Step
from sojourn_probes.steps import KINDS
from sojourn_probes.steps.browser import Action


def takes(where: str, key: str) -> bool:
    """Whether `where` (`journey`, `step`, a step kind, a key of one such as `http.tls`) has `key`."""
    first, *rest = where.split(".")
    model: Any = {"journey": Journey, "step": Step, "action": Action, **KINDS}.get(first)
    for name in rest:
        model = _inside(model, name)
    fields = getattr(model, "model_fields", {})
    return any((info.alias or name) == key for name, info in fields.items())


def _inside(model: Any, name: str) -> Any:
    info = getattr(model, "model_fields", {}).get(name)
    options = [] if info is None else [info.annotation, *get_args(info.annotation)]
    return next((option for option in options if hasattr(option, "model_fields")), None)


def has_kind(kind: str) -> bool:
    """Whether there is such a step kind."""
    return kind in KINDS


def has_source(source: str) -> bool:
    """Whether an expectation can look at `source`."""
    return source in SOURCES


def is_name(text: str) -> bool:
    """Whether `${<text>}` is a name of the language."""
    return all(reference.fault is None for reference in references(f"${{{text}}}"))
