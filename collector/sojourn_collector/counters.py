"""What the collector counts about itself, shown at `/metrics` in Prometheus' text format."""

from collections import Counter
from collections.abc import Iterable

HELP = {
    "sojourn_requests": "Requests answered by the OTLP listener, by path and status.",
    "sojourn_accepted": "Items accepted and on disk, by signal.",
    "sojourn_rejected": "Items refused, by signal and reason.",
    "sojourn_moved_times": "Items whose time lay outside the window around acceptance, by signal.",
    "sojourn_repeats": "Batches that came again and were stored before, by path.",
    "sojourn_evidence": "Pieces of evidence that came, by what became of them.",
    "sojourn_evidence_removed": "Pieces of evidence that were removed, by reason: age, room, erased.",
    "sojourn_loaded": "Rows loaded into the tables, by signal.",
    "sojourn_load_retries": "Loads that had to be tried again, by reason.",
    "sojourn_load_mismatch": "Journal files whose rows in the tables did not add up; look into the log.",
    "sojourn_dead_letters": "Batches that could not be loaded and were put aside, by signal.",
}


class Counters:
    """Named counts with labels. Used on the event loop only."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()

    def add(self, name: str, by: int = 1, **labels: str) -> None:
        """Count `by` more. Raises KeyError for a name without help."""
        if name not in HELP:
            raise KeyError(name)
        self._counts[name, tuple(sorted(labels.items()))] += by

    def value(self, name: str, **labels: str) -> int:
        """The count so far, summed over the labels not given."""
        wanted = set(labels.items())
        return sum(count for (have, given), count in self._counts.items() if have == name and wanted <= set(given))

    def render(self, gauges: Iterable[tuple[str, str, float]] = ()) -> str:
        """The page; `gauges` are (name, help, value) read just now."""
        lines = []
        for name, text in HELP.items():
            found = sorted((labels, count) for (have, labels), count in self._counts.items() if have == name)
            lines += [f"# HELP {name}_total {text}", f"# TYPE {name}_total counter"]
            lines += [f"{name}_total{_braces(labels)} {count}" for labels, count in found]
        for name, text, value in gauges:
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join(lines) + "\n"


def _braces(labels: tuple[tuple[str, str], ...]) -> str:
    return "{" + ",".join(f'{key}="{_escape(value)}"' for key, value in labels) + "}" if labels else ""


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
