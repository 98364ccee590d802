"""The fixed catalogue of named queries: one `.sql` file each, parameters bound by the engine, no SQL text from a request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sojourn_collector.store.told import expanded

PLACEHOLDER = re.compile(r"\{(\w+):\s*([A-Za-z0-9_(), ']+)\}")
FOLDER = Path(__file__).parent / "queries"


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query of the catalogue: its text and the types of its parameters."""

    name: str
    sql: str
    types: Mapping[str, str]

    def bind(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Values as the client binds them, one per parameter. Raises TypeError for a missing or unknown parameter or a time without zone."""
        for what, names in (("unknown", parameters.keys() - self.types.keys()), ("missing", self.types.keys() - parameters.keys())):
            if names:
                raise TypeError(f"query {self.name}: {what} {', '.join(sorted(names))}")
        return {name: bindable(value, self.types[name]) for name, value in parameters.items()}


def bindable(value: Any, engine_type: str) -> Any:
    """A parameter without what the client would round: times keep their microseconds where the type has them."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return [bindable(item, engine_type) for item in value]
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(f"time {value} has no zone")
        text = value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        return text if "DateTime64" in engine_type else text[:19]
    return value


class Catalogue:
    """Reads `<name>.sql` on first use and keeps it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._known: dict[str, NamedQuery] = {}

    def get(self, name: str) -> NamedQuery:
        """The query of that name. Raises KeyError when there is none."""
        if name not in self._known:
            if not re.fullmatch(r"[a-z0-9_]+", name) or not (self._folder / f"{name}.sql").is_file():
                raise KeyError(f"there is no query named {name!r}")
            sql = expanded((self._folder / f"{name}.sql").read_text(encoding="utf-8").strip().rstrip(";"))
            self._known[name] = NamedQuery(name, sql, {match[1]: match[2].strip() for match in PLACEHOLDER.finditer(sql)})
        return self._known[name]
