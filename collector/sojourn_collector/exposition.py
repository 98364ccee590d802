"""Samples as text a Prometheus reads: its own format 0.0.4, or OpenMetrics 1.0, which has exemplars too.

Sources: Prometheus "Exposition formats"; OpenMetrics 1.0 "Text format". Bucket edges are written `1.0` in both, so that a series is the same in either.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sojourn_collector.metric_names import ALL, DURATIONS, FAMILIES, Family

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation that stands for a count: where to look. `at` in seconds since 1970."""

    labels: Mapping[str, str]
    value: float
    at: float


@dataclass(slots=True)
class Histogram:
    """Observations of seconds by the edges of `DURATIONS`; the last bucket has those beyond."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(DURATIONS) + 1))
    total: float = 0.0
    exemplars: dict[int, Exemplar] = field(default_factory=dict)

    def observe(self, seconds: float, exemplar: Exemplar | None = None) -> None:
        """Count one; a newer exemplar replaces the bucket's older one."""
        place = next((place for place, edge in enumerate(DURATIONS) if seconds <= edge), len(DURATIONS))
        self.counts[place] += 1
        self.total += seconds
        if exemplar is not None:
            self.exemplars[place] = exemplar


@dataclass(frozen=True, slots=True)
class Sample:
    """One label set of a family with its value; a counter may have an exemplar."""

    name: str
    labels: Mapping[str, str]
    value: float | Histogram
    exemplar: Exemplar | None = None


def wants_open_metrics(accept: str) -> bool:
    """Whether an Accept header prefers OpenMetrics 1.0 to Prometheus' own text."""
    best = {"open": 0.0, "text": 0.0}
    for one in accept.lower().split(","):
        kind, *parameters = [part.strip() for part in one.split(";")]
        given = dict(part.partition("=")[::2] for part in parameters)
        try:
            weight = float(given.get("q", "1"))
        except ValueError:
            continue
        if kind == "application/openmetrics-text" and given.get("version", "1.0.0") in ("1.0.0", "0.0.1"):
            best["open"] = max(best["open"], weight)
        elif kind in ("text/plain", "text/*", "*/*"):
            best["text"] = max(best["text"], weight)
    return best["open"] > 0 and best["open"] >= best["text"]


def render(samples: Iterable[Sample], *, open_metrics: bool) -> str:
    """The page, families in the order of the list. Raises KeyError for a name that is not in it."""
    by_name: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_name[FAMILIES[sample.name].name].append(sample)
    lines: list[str] = []
    for family in ALL:
        title = family.name if open_metrics else family.shown
        lines += [f"# HELP {title} {_help(family.help, open_metrics=open_metrics)}", f"# TYPE {title} {family.kind}"]
        for sample in sorted(by_name[family.name], key=lambda sample: sorted(sample.labels.items())):
            lines += _lines(family, sample, open_metrics=open_metrics)
    return "\n".join(lines) + ("\n# EOF\n" if open_metrics else "\n")


def _lines(family: Family, sample: Sample, *, open_metrics: bool) -> list[str]:
    if not isinstance(sample.value, Histogram):
        return [f"{family.shown}{_braces(sample.labels)} {_number(sample.value)}{_exemplar(sample.exemplar) if open_metrics else ''}"]
    lines, so_far = [], 0
    for place, count in enumerate(sample.value.counts):
        so_far += count
        edge = repr(DURATIONS[place]) if place < len(DURATIONS) else "+Inf"
        said = _exemplar(sample.value.exemplars.get(place)) if open_metrics else ""
        lines.append(f"{family.name}_bucket{_braces({**sample.labels, 'le': edge})} {so_far}{said}")
    return [*lines, f"{family.name}_sum{_braces(sample.labels)} {_number(sample.value.total)}", f"{family.name}_count{_braces(sample.labels)} {so_far}"]


def _exemplar(exemplar: Exemplar | None) -> str:
    return "" if exemplar is None else f" # {_braces(exemplar.labels) or '{}'} {_number(exemplar.value)} {exemplar.at:.3f}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def _help(text: str, *, open_metrics: bool) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if open_metrics else escaped


def _braces(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{key}="{_escape(value)}"' for key, value in labels.items()) + "}" if labels else ""


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
