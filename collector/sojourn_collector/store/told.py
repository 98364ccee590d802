"""What all feeds together say of an account or a person: of each column the newest value that any of them says. The one place where feeds are merged.

Every feed has one row, and what it says no more is out of that row: with that another feed's value holds. Queries write `told(accounts: plan, mrr)`
where a table would stand, and get `id` and those columns.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

TOLD = re.compile(r"\btold\((accounts|people): ([a-z_, ]+)\)")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("name", "plan", "segment", "owner", "lifecycle", "renewal_date", "attr", "mrr"),
    "people": ("name", "account_id", "role", "consent", "attr"),
}
"""What can be asked for. `mrr` brings its `currency`: an amount of one feed in the currency of another would be wrong. `attr` is the attribute
that the query's parameter `attr` names."""

_ATTRIBUTE = "t.attrs[{attr:String}]"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def expanded(sql: str) -> str:
    """A query with its `told(…)` written out. Raises KeyError for a column that is not of the list."""
    return TOLD.sub(lambda found: _subquery(found[1], [name.strip() for name in found[2].split(",")]), sql)


def said_at(moment: datetime, version: int) -> dict[str, Any]:
    """The columns that say when a row was said. Of what was said in one millisecond the version decides, that no two values are equally new."""
    return {"said": _number(moment, version), "said_before": {}}


def said_by_key(times: Mapping[str, datetime], version: int) -> dict[str, Any]:
    """The same where each key of the row was said at a time of its own."""
    newest = _number(max(times.values()), version)
    of_keys = {key: _number(moment, version) for key, moment in times.items()}
    return {"said": newest, "said_before": {key: at for key, at in of_keys.items() if at < newest}}


def _number(moment: datetime, version: int) -> int:
    return (moment - _EPOCH) // _MILLISECOND * 1000 + version % 1000


def _subquery(table: str, names: list[str]) -> str:
    if unknown := set(names) - set(COLUMNS[table]):
        raise KeyError(f"{table} are told nothing of {', '.join(sorted(unknown))}")
    columns = ", ".join(_column(name) for name in names)
    return f"(SELECT t.id AS id, {columns} FROM {table} AS t FINAL WHERE t.tenant = {{tenant:String}} GROUP BY t.id)"  # noqa: S608 - names of the list


def _column(name: str) -> str:
    if name == "mrr":
        pair = _newest("(t.mrr, t.currency)", "t.mrr IS NOT NULL", "mrr")
        return f"toFloat64OrNull(toString({pair}.1)) AS mrr, toString({pair}.2) AS currency"
    if name == "renewal_date":
        return f"{_newest('tuple(t.renewal_date)', 't.renewal_date IS NOT NULL', name)}.1 AS renewal_date"
    if name == "attr":
        return _newest(_ATTRIBUTE, f"{_ATTRIBUTE} != ''", "attrs") + " AS attr"
    # Whoever does not know says `unknown`, which is no answer to somebody's refusal.
    silent = "('', 'unknown')" if name == "consent" else "('')"
    return f"{_newest(f'toString(t.{name})', f't.{name} NOT IN {silent}', name)} AS {name}"


def _newest(value: str, is_said: str, key: str) -> str:
    return f"argMaxIf({value}, if(t.said_before['{key}'] > 0, t.said_before['{key}'], t.said), {is_said})"
