"""Other names of keys in JSON rows: the same that columns of a file may have."""

from typing import Any

from sojourn_collector.sources.base import RowRefused, Source
from sojourn_collector.sources.columns import ALIASES, LEFT_OUT


def renamed(source: Source[Any], raw: Any) -> Any:
    """A row under its keys' own names; what a name is left out for goes, and so does an alias beside the key itself. Raises RowRefused."""
    aliases = ALIASES.get(source.name, {})
    own = source.names()
    if not isinstance(raw, dict) or all(key in own or key not in aliases for key in raw):
        return raw
    row = {key: value for key, value in raw.items() if key in own or key not in aliases}
    given = set(row)
    for key, value in raw.items():
        alias = LEFT_OUT if key in row else aliases.get(key, LEFT_OUT)
        if alias == LEFT_OUT or alias in given or value is None or value == "":
            continue
        if alias not in row:
            row[alias] = value
        elif alias == "id":
            row[alias] = f"{row[alias]}/{value}"
        else:
            raise RowRefused(f"{alias}: two keys are given for it, {key} is one of them; send one")
    return row
