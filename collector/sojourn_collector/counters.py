"""What the collector counts about itself, shown at `/metrics`. Which names there are: metric_names.py."""

from collections import Counter
from collections.abc import Iterator

from sojourn_collector.exposition import Sample
from sojourn_collector.metric_names import ALL, FAMILIES


class Counters:
    """Named counts with labels. Used on the event loop only."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        for family in ALL:
            for labels in family.starts:
                self._counts[family.name, tuple(sorted(labels.items()))] = 0

    def add(self, name: str, by: int = 1, **labels: str) -> None:
        """Count `by` more. Raises KeyError for a name that is no counter of the list or for other labels than it has."""
        family = FAMILIES[name]
        if family.kind != "counter" or set(labels) != set(family.labels):
            raise KeyError(f"{name}{sorted(labels)}")
        self._counts[name, tuple(sorted(labels.items()))] += by

    def value(self, name: str, **labels: str) -> int:
        """The count so far, summed over the labels not given."""
        wanted = set(labels.items())
        return sum(count for (have, given), count in self._counts.items() if have == name and wanted <= set(given))

    def samples(self) -> Iterator[Sample]:
        """Every count."""
        for (name, labels), count in self._counts.items():
            yield Sample(name, dict(labels), count)
