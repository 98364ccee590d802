"""One statement of the schema, as the embedded engine runs it, becomes what a server or a cluster needs.

On a cluster a table `t` is two: `t_local`, replicated on the hosts of a shard, and `t`, Distributed over them, which every query and insert names.
The rows of one sorting key always go to one shard, so that FINAL and the merges of ReplacingMergeTree see all versions of a row.
"""

import re
from collections.abc import Iterator

from sojourn_collector.store.layout import LOCAL, Layout

NAME = r"[A-Za-z_][A-Za-z0-9_]*"
CREATE_TABLE = re.compile(rf"CREATE TABLE IF NOT EXISTS ({NAME}) (\(.*\))\s*ENGINE = (\w*MergeTree|Memory)(?:\((.*?)\))?(?=\s|\Z)(.*)\Z", re.DOTALL)
CREATE_FEED = re.compile(rf"CREATE MATERIALIZED VIEW IF NOT EXISTS ({NAME}) TO ({NAME}) AS\s+(SELECT\b.*)\Z", re.DOTALL)
CREATE_VIEW = re.compile(rf"CREATE (OR REPLACE )?VIEW (IF NOT EXISTS )?({NAME}) AS\s+(SELECT\b.*)\Z", re.DOTALL)
ALTER = re.compile(rf"ALTER TABLE ({NAME})\s+(.*)\Z", re.DOTALL)
DROP = re.compile(rf"DROP (TABLE|VIEW) IF EXISTS ({NAME})\Z")
ORDER_BY = re.compile(r"\bORDER BY\s+(\(|\w+)")
SOURCE = re.compile(rf"\b(FROM|JOIN)(\s+)({NAME})\b(?!\s*\()")
COLUMN_ACTION = re.compile(r"(ADD|DROP|MODIFY|RENAME|COMMENT) COLUMN\b")
CODEC = re.compile(r"\s*\bCODEC\s*(?=\()")
WINDOW = re.compile(r"non_replicated_deduplication_window = \d+")
DDL = re.compile(r"\s*(CREATE|ALTER|DROP|RENAME|EXCHANGE|TRUNCATE|OPTIMIZE|DETACH|ATTACH)\b")

DEDUPLICATED_BLOCKS = 100_000
"""Inserts a replicated table remembers, of all collectors together: at ten a second nearly three hours; Keeper holds 100 to 200 bytes for each."""
DEDUPLICATED_SECONDS = 31 * 86_400
"""How long it remembers them: longer than the ledger (30 days). ClickHouse's own default is an hour (since 25.10)."""

SHARD_BY = {
    "spans": "cityHash64(trace_id)",
    "events": "cityHash64(multiIf(session_id != '', session_id, trace_id != '', trace_id, toString(ts)))",
    "metrics": "cityHash64(name, service, location)",
    "sessions": "cityHash64(session_id)",
    "runs": "cityHash64(run_id)",
    "steps": "cityHash64(run_id)",
    "feedback": "cityHash64(source, id)",
    "orders": "cityHash64(source, id)",
    "accounts": "cityHash64(source, id)",
    "people": "cityHash64(source, id)",
    "tickets": "cityHash64(source, id)",
    "subscriptions": "cityHash64(source, id)",
    "invitations": "cityHash64(source, id)",
    "usage": "cityHash64(source, id)",
    "deals": "cityHash64(source, id)",
    "owners": "cityHash64(source, id)",
}
"""What keeps rows together on a shard. Each is made of columns of the sorting key, or of the row alone where rows are never replaced; the same row goes to the
same shard at every try, as its deduplication token wants. A table not named here goes by its whole sorting key."""

EVERYWHERE = frozenset({"migrations", "erasing"})
"""Tables of which every host of the cluster has the same rows, instead of shards. A table in memory has to be one: on a cluster it is on disk, as nothing
else would be the same on all hosts."""


class DdlError(Exception):
    """A statement that cannot be brought into another shape; the text says why."""


def is_ddl(sql: str) -> bool:
    """Whether a statement changes tables rather than rows."""
    return DDL.match(sql) is not None


def render(sql: str, layout: Layout) -> tuple[str, ...]:
    """The statements to run, in their order. Raises DdlError for DDL of a form not known here."""
    if layout.shape != "cluster" or not is_ddl(sql):
        return (sql,)
    for pattern, write in ((CREATE_TABLE, _table), (CREATE_FEED, _feed), (CREATE_VIEW, _view), (ALTER, _alter), (DROP, _drop)):
        if found := pattern.match(sql.strip()):
            return tuple(write(found, layout))
    raise DdlError(f"this statement has no form for a cluster: {' '.join(sql.split())[:80]} …; see store/ddl.py")


def _local(name: str, layout: Layout) -> str:
    return f"{layout.database}.{name}{'' if name in EVERYWHERE else LOCAL}"


def _table(found: re.Match[str], layout: Layout) -> Iterator[str]:
    name, columns, engine, arguments, rest = found.groups()
    everywhere = name in EVERYWHERE
    if engine == "Memory":
        if not everywhere:
            raise DdlError(f"table {name} is in memory, of one host only; see EVERYWHERE in store/ddl.py")
        engine, rest = "MergeTree", " ORDER BY tuple()"
    # The path has no {uuid}: a host that joins later finds its shard by the same words.
    place = f"/clickhouse/tables/{layout.database}/{'all' if everywhere else '{shard}'}/{name}"
    replica = "{shard}-{replica}" if everywhere else "{replica}"
    given = ", ".join(part for part in (f"'{place}'", f"'{replica}'", arguments) if part)
    settings = f"replicated_deduplication_window = {DEDUPLICATED_BLOCKS}, replicated_deduplication_window_seconds = {DEDUPLICATED_SECONDS}"
    rest, said = WINDOW.subn(settings, rest)
    if not said and not everywhere:
        raise DdlError(f"table {name} says nothing of non_replicated_deduplication_window; on a cluster a repeated insert would be stored twice")
    yield f"CREATE TABLE IF NOT EXISTS {_local(name, layout)}{layout.on_cluster} {columns}\nENGINE = Replicated{engine}({given}){rest}"
    if not everywhere:
        key = SHARD_BY.get(name) or f"cityHash64({_sorting_key(name, rest)})"
        over = f"Distributed('{layout.cluster}', '{layout.database}', '{name}{LOCAL}', {key})"
        yield f"CREATE TABLE IF NOT EXISTS {layout.database}.{name}{layout.on_cluster} AS {_local(name, layout)}\nENGINE = {over}"


def _sorting_key(name: str, rest: str) -> str:
    found = ORDER_BY.search(rest)
    if not found:
        raise DdlError(f"table {name} has no ORDER BY to shard by")
    if found[1] != "(":
        return found[1]
    start = found.end(1)
    return rest[start : closing(rest, start)]


def _feed(found: re.Match[str], layout: Layout) -> Iterator[str]:
    """A materialized view fills its target where the rows arrive: from a shard's own rows into the shard's own table."""
    name, target, select = found.groups()
    select = SOURCE.sub(lambda at: f"{at[1]}{at[2]}{_local(at[3], layout)}", select)
    yield f"CREATE MATERIALIZED VIEW IF NOT EXISTS {layout.database}.{name}{layout.on_cluster} TO {_local(target, layout)} AS\n{select}"


def _view(found: re.Match[str], layout: Layout) -> Iterator[str]:
    replace, unless, name, select = found.groups()
    select = SOURCE.sub(lambda at: f"{at[1]}{at[2]}{layout.database}.{at[3]}", select)
    yield f"CREATE {replace or ''}VIEW {unless or ''}{layout.database}.{name}{layout.on_cluster} AS\n{select}"


def _alter(found: re.Match[str], layout: Layout) -> Iterator[str]:
    """Everything concerns the shards' tables; columns also the one over them, without what only stored columns have."""
    name, text = found.groups()
    yield f"ALTER TABLE {_local(name, layout)}{layout.on_cluster}\n  {text}"
    columns = [action for action in parts(text) if COLUMN_ACTION.match(action)]
    if columns and name not in EVERYWHERE:
        yield f"ALTER TABLE {layout.database}.{name}{layout.on_cluster}\n  " + ",\n  ".join(_without_codec(action) for action in columns)


def _drop(found: re.Match[str], layout: Layout) -> Iterator[str]:
    kind, name = found.groups()
    if kind == "TABLE" and name not in EVERYWHERE:
        yield f"DROP TABLE IF EXISTS {layout.database}.{name}{layout.on_cluster} SYNC"
        yield f"DROP TABLE IF EXISTS {_local(name, layout)}{layout.on_cluster} SYNC"
    else:
        yield f"DROP {kind} IF EXISTS {layout.database}.{name}{layout.on_cluster} SYNC"


def _without_codec(action: str) -> str:
    while found := CODEC.search(action):
        action = action[: found.start()] + action[closing(action, found.end() + 1) + 1 :]
    return action


def closing(text: str, start: int) -> int:
    """Where the bracket opened just before `start` closes. Raises DdlError."""
    for place, depth in _depths(text, start):
        if depth < 0:
            return place
    raise DdlError(f"a bracket is not closed: {text[:80]}")


def parts(text: str) -> list[str]:
    """A list of actions cut at its outer commas."""
    cuts = [place for place, depth in _depths(text, 0) if depth == 0 and text[place] == ","]
    return [text[first + 1 : last].strip() for first, last in zip([-1, *cuts], [*cuts, len(text)], strict=True)]


def _depths(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Each place outside string literals with the depth of brackets after it."""
    depth, quoted, skip = 0, False, False
    for place in range(start, len(text)):
        letter = text[place]
        if skip:
            skip = False
        elif quoted:
            quoted, skip = letter != "'", letter == "\\"
        elif letter == "'":
            quoted = True
        else:
            depth += (letter in "([") - (letter in ")]")
            yield place, depth
