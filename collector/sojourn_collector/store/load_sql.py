"""LOAD: one statement per signal that lets the engine read a journal file by its own Protobuf reader.

The template has one slot, the source: `file(…)` for the embedded engine; on a server it is `input(…)` with the file as the body.
The reader refuses recursive messages, so AnyValue is unrolled twice; deeper arrays and maps are declared as bytes and kept as marked text.
Formats: opentelemetry-proto 1.x (trace.proto, logs.proto, metrics.proto, common.proto); the wrapper is `journal.py`'s Record.
"""

# ruff: noqa: S608 - the statements are put together from this file's own constants; a path is quoted, a number is an int

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sojourn_collector.store.load_values import ANY, LONGEST_VALUE, MOST_EVENTS, PAIRS, Mark, attributes, body, cut, short, with_scope
from sojourn_probes import semconv

Signal = Literal["traces", "logs", "metrics"]
TABLES: dict[Signal, str] = {"traces": "spans", "logs": "events", "metrics": "metrics"}

EARLIEST = 30 * 86_400 * 10**9
"""Nanoseconds before acceptance to which an older time is moved."""
LATEST = 300 * 10**9
"""Nanoseconds after acceptance to which a later time is moved."""

COMMON_PROTO = """
message Inner { oneof value { string string_value=1; bool bool_value=2; int64 int_value=3; double double_value=4;
  bytes array_value=5; bytes kvlist_value=6; bytes bytes_value=7; } }
message InnerPair { string key=1; Inner value=2; }
message InnerArray { repeated Inner values=1; }
message InnerMap { repeated InnerPair values=1; }
message Any { oneof value { string string_value=1; bool bool_value=2; int64 int_value=3; double double_value=4;
  InnerArray array_value=5; InnerMap kvlist_value=6; bytes bytes_value=7; } }
message Pair { string key=1; Any value=2; }
message Resource { repeated Pair attributes=1; }
message Scope { string name=1; string version=2; repeated Pair attributes=3; }
"""
RECORD_PROTO = "message Record { string tenant=1; fixed64 received=3; Body body=4; }"
PROTO: dict[Signal, str] = {
    "traces": """
message Event { fixed64 time=1; string name=2; repeated Pair attributes=3; }
message Status { string message=2; int32 code=3; }
message Item { bytes trace_id=1; bytes span_id=2; bytes parent_id=4; string name=5; int32 kind=6; fixed64 start=7; fixed64 end=8;
  repeated Pair attributes=9; repeated Event events=11; Status status=15; }
message Group { Scope scope=1; repeated Item items=2; }
message Source { Resource resource=1; repeated Group groups=2; }
message Body { repeated Source sources=1; }
""",
    "logs": """
message Item { fixed64 time=1; int32 severity=2; Any body=5; repeated Pair attributes=6; bytes trace_id=9; bytes span_id=10; fixed64 observed=11;
  string event_name=12; }
message Group { Scope scope=1; repeated Item items=2; }
message Source { Resource resource=1; repeated Group groups=2; }
message Body { repeated Source sources=1; }
""",
    "metrics": """
message Point { fixed64 start=2; fixed64 time=3; oneof value { double as_double=4; sfixed64 as_int=6; } repeated Pair attributes=7; uint32 flags=8; }
message Gauge { repeated Point points=1; }
message Sum { repeated Point points=1; int32 temporality=2; bool monotonic=3; }
message Bucketed { fixed64 start=2; fixed64 time=3; fixed64 count=4; double sum=5; repeated fixed64 counts=6; repeated double bounds=7;
  repeated Pair attributes=9; uint32 flags=10; oneof has_min { double min=11; } oneof has_max { double max=12; } }
message Histogram { repeated Bucketed points=1; int32 temporality=2; }
message Buckets { sint32 offset=1; repeated uint64 counts=2; }
message Scaled { repeated Pair attributes=1; fixed64 start=2; fixed64 time=3; fixed64 count=4; double sum=5; sint32 scale=6; fixed64 zero_count=7;
  Buckets positive=8; Buckets negative=9; uint32 flags=10; oneof has_min { double min=12; } oneof has_max { double max=13; } }
message Exponential { repeated Scaled points=1; int32 temporality=2; }
message AtQuantile { double quantile=1; double value=2; }
message Summed { fixed64 start=2; fixed64 time=3; fixed64 count=4; double sum=5; repeated AtQuantile at=6; repeated Pair attributes=7; uint32 flags=8; }
message Summary { repeated Summed points=1; }
message Item { string name=1; string unit=3; Gauge gauge=5; Sum sum=7; Histogram histogram=9; Exponential exponential=10; Summary summary=11; }
message Group { Scope scope=1; repeated Item items=2; }
message Source { Resource resource=1; repeated Group groups=2; }
message Body { repeated Source sources=1; }
""",
}

_POINT = f"Tuple(start UInt64, time UInt64, as_double Nullable(Float64), as_int Nullable(Int64), attributes {PAIRS}, flags UInt32)"
_BOUNDED = "min Nullable(Float64), max Nullable(Float64)"
_BUCKETED = (
    f"Tuple(start UInt64, time UInt64, count UInt64, sum Float64, counts Array(UInt64), bounds Array(Float64), attributes {PAIRS}, flags UInt32, {_BOUNDED})"
)
_BUCKETS = "Tuple(offset Int32, counts Array(UInt64))"
_SCALED = (
    f"Tuple(attributes {PAIRS}, start UInt64, time UInt64, count UInt64, sum Float64, scale Int32, zero_count UInt64, "
    f"positive {_BUCKETS}, negative {_BUCKETS}, flags UInt32, {_BOUNDED})"
)
_SUMMED = f"Tuple(start UInt64, time UInt64, count UInt64, sum Float64, at Array(Tuple(quantile Float64, value Float64)), attributes {PAIRS}, flags UInt32)"
_ITEM: dict[Signal, str] = {
    "traces": (
        "trace_id String, span_id String, parent_id String, name String, kind Int32, start UInt64, end UInt64, "
        f"attributes {PAIRS}, events Array(Tuple(time UInt64, name String, attributes {PAIRS})), status Tuple(message String, code Int32)"
    ),
    "logs": (f"time UInt64, severity Int32, body {ANY}, attributes {PAIRS}, trace_id String, span_id String, observed UInt64, event_name String"),
    "metrics": (
        f"name String, unit String, gauge Tuple(points Array({_POINT})), sum Tuple(points Array({_POINT}), temporality Int32, monotonic UInt8), "
        f"histogram Tuple(points Array({_BUCKETED}), temporality Int32), exponential Tuple(points Array({_SCALED}), temporality Int32), "
        f"summary Tuple(points Array({_SUMMED}))"
    ),
}


def structure(signal: Signal) -> str:
    """The columns of a Record as the engine's table function wants them."""
    return (
        f"tenant String, received UInt64, body Tuple(sources Array(Tuple(resource Tuple(attributes {PAIRS}), "
        f"groups Array(Tuple(scope Tuple(name String, version String, attributes {PAIRS}), items Array(Tuple({_ITEM[signal]})))))))"
    )


def _time(nanoseconds: str) -> str:
    """A time moved into the window around acceptance; 64 unsigned bits would turn negative in a DateTime64."""
    return f"fromUnixTimestamp64Nano(toInt64(greatest(least({nanoseconds}, received + {LATEST}), received - {EARLIEST})))"


def _clamped(nanoseconds: str) -> str:
    return f"({nanoseconds} > received + {LATEST} OR {nanoseconds} < received - {EARLIEST})"


HOT = {
    "traffic": semconv.TRAFFIC,
    "journey": semconv.JOURNEY_ID,
    "step": semconv.STEP_ID,
    "run_id": semconv.RUN_ID,
    "session_id": semconv.SESSION_ID,
    "user_id": semconv.USER_ID,
    "visitor_id": semconv.VISITOR_ID,
    "account_id": semconv.ACCOUNT_ID,
    "app": semconv.APP,
}
"""Columns taken from attributes: the item's own first, else its resource's."""


def _hot(columns: dict[str, str]) -> str:
    return ", ".join(f"if(empty(attrs['{key}'] AS own_{column}), res['{key}'], own_{column}) AS {column}" for column, key in columns.items())


_COMMON = "tenant, {seq} AS seq, fromUnixTimestamp64Milli(toInt64(intDiv(received, 1000000))) AS accepted"
_GROUPS = (
    "(SELECT tenant, received, " + attributes("src.resource.attributes") + " AS res, arrayJoin(src.groups) AS grp "
    "FROM (SELECT tenant, received, arrayJoin(body.sources) AS src FROM {source}))"
)
_ITEMS = (
    f"(SELECT tenant, received, res, scope, arrayJoin(items) AS i FROM (SELECT tenant, received, {with_scope('res', 'grp.scope')} AS res, "
    f"{short('grp.scope.name')} AS scope, grp.items AS items FROM {_GROUPS}))"
)
_ROW: dict[str, tuple[str, str]] = {
    "type": ("String", "''"),
    "monotonic": ("UInt8", "0"),
    "temporality": ("Int32", "0"),
    "start": ("UInt64", "p.start"),
    "time": ("UInt64", "p.time"),
    "value": ("Float64", "p.sum"),
    "flags": ("UInt32", "p.flags"),
    "attributes": (PAIRS, "p.attributes"),
    "count": ("UInt64", "p.count"),
    "min": ("Nullable(Float64)", "NULL"),
    "max": ("Nullable(Float64)", "NULL"),
    "bounds": ("Array(Float64)", "[]"),
    "counts": ("Array(UInt64)", "[]"),
    "scale": ("Int32", "0"),
    "zero_count": ("UInt64", "0"),
    "offset": ("Int32", "0"),
    "negative_offset": ("Int32", "0"),
    "negative_counts": ("Array(UInt64)", "[]"),
    "quantiles": ("Array(Float64)", "[]"),
    "quantile_values": ("Array(Float64)", "[]"),
}
"""One shape for the points of every kind of metric: the type of each part, and what stands there unless its kind says otherwise."""

_NUMBER = {"value": "coalesce(p.as_double, toFloat64(p.as_int), 0)", "count": "0"}
_LIMITS = {"min": "p.min", "max": "p.max"}
_KINDS: dict[str, dict[str, str]] = {
    "gauge": _NUMBER,
    "sum": {**_NUMBER, "monotonic": "i.sum.monotonic", "temporality": "i.sum.temporality"},
    "histogram": {**_LIMITS, "temporality": "i.histogram.temporality", "bounds": "p.bounds", "counts": "p.counts"},
    "exponential": {
        **_LIMITS,
        "temporality": "i.exponential.temporality",
        "scale": "p.scale",
        "zero_count": "p.zero_count",
        "offset": "p.positive.offset",
        "counts": "p.positive.counts",
        "negative_offset": "p.negative.offset",
        "negative_counts": "p.negative.counts",
    },
    "summary": {"quantiles": "p.at.quantile", "quantile_values": "p.at.value"},
}
_STORED_TYPE = {"exponential": "exponential_histogram"}


def _points(kind: str) -> str:
    """The points of one kind in the common shape."""
    own = {"type": f"'{_STORED_TYPE.get(kind, kind)}'", **_KINDS[kind]}
    parts = ", ".join(f"CAST({own.get(name, usual)}, '{of_type}')" for name, (of_type, usual) in _ROW.items())
    return f"arrayMap(p -> tuple({parts}), i.{kind}.points)"


_SHAPE = "Array(Tuple(" + ", ".join(f"{name} {of_type}" for name, (of_type, _) in _ROW.items()) + "))"
_POINTS = (
    f"(SELECT tenant, received, res, {short('i.name')} AS name, {short('i.unit')} AS unit, "
    f"arrayJoin(CAST(arrayConcat({', '.join(_points(kind) for kind in _KINDS)}), '{_SHAPE}')) AS p FROM {_ITEMS})"
)
_FIGURES = ("count", "min", "max", "bounds", "counts", "scale", "zero_count", "offset", "negative_offset", "negative_counts", "quantiles", "quantile_values")
NO_VALUE = 1
"""Flag of a data point that says it has no value (metrics.proto, DataPointFlags)."""


def _events(part: str) -> str:
    return f"arraySlice(i.events.{part}, 1, {MOST_EVENTS})"


_MANY_EVENTS = Mark(f"length(i.events.name) > {MOST_EVENTS}", semconv.CUT_EVENTS, "length(i.events.name)")
_LOG_TIME = "multiIf(i.time > 0, i.time, i.observed > 0, i.observed, received)"

_EVENT_NAME = "if(empty(i.event_name), attrs['event.name'], i.event_name)"

SELECT: dict[Signal, str] = {
    "traces": (
        f"SELECT {_COMMON}, {_time('i.start')} AS ts, if(i.end > i.start AND i.end < 9223372036854775807, i.end - i.start, 0) AS duration_ns, "
        f"({_clamped('i.start')} OR i.end < i.start OR i.end >= 9223372036854775807) AS clamped, "
        "toFixedString(i.trace_id, 16) AS trace_id, toFixedString(i.span_id, 8) AS span_id, i.parent_id AS parent_id, "
        f"{short('i.name')} AS name, "
        "toInt8(i.kind) AS kind, toInt8(i.status.code) AS status, "
        f"{cut('i.status.message', LONGEST_VALUE)} AS status_message, "
        f"res['{semconv.SERVICE_NAME}'] AS service, scope, "
        f"{attributes('i.attributes', _MANY_EVENTS)} AS attrs, {_hot({'span_type': semconv.SPAN_TYPE, **HOT})}, res, "
        f"arrayMap(t -> {_time('t')}, {_events('time')}) AS events_ts, arrayMap(n -> {short('n')}, {_events('name')}) AS events_name, "
        f"if(empty(i.events.name), [], arrayMap(a -> {attributes('a')}, {_events('attributes')})) AS events_attrs FROM {_ITEMS}"
    ),
    "logs": (
        f"SELECT {_COMMON}, {_time(_LOG_TIME)} AS ts, {_clamped(_LOG_TIME)} AS clamped, "
        f"{attributes('i.attributes')} AS attrs, "
        f"{short(_EVENT_NAME)} AS name, "
        f"toInt8(least(greatest(i.severity, 0), 24)) AS severity, {body('i.body')} AS body, "
        "lower(hex(i.trace_id)) AS trace_id, lower(hex(i.span_id)) AS span_id, "
        f"res['{semconv.SERVICE_NAME}'] AS service, scope, {_hot(HOT)}, res FROM {_ITEMS}"
    ),
    "metrics": (
        f"SELECT {_COMMON}, {_time('p.time')} AS ts, {_clamped('p.time')} AS clamped, name, p.type AS type, unit, "
        f"p.monotonic AS monotonic, toInt8(p.temporality) AS temporality, {_time('if(p.start = 0, p.time, p.start)')} AS start_ts, "
        f"if(bitAnd(p.flags, {NO_VALUE}) = {NO_VALUE}, nan, p.value) AS value, res['{semconv.SERVICE_NAME}'] AS service, "
        f"{attributes('p.attributes')} AS attrs, "
        f"{_hot({'location': semconv.LOCATION})}, res, {', '.join(f'p.{name} AS {name}' for name in _FIGURES)} FROM {_POINTS}"
    ),
}
_PROMOTED = (*HOT, "res")
COLUMNS: dict[Signal, tuple[str, ...]] = {
    "traces": (
        *("tenant", "seq", "accepted", "ts", "duration_ns", "clamped", "trace_id", "span_id", "parent_id", "name", "kind", "status", "status_message"),
        *("service", "scope", "attrs", "span_type", *_PROMOTED, "events_ts", "events_name", "events_attrs"),
    ),
    "logs": (
        *("tenant", "seq", "accepted", "ts", "clamped", "attrs", "name", "severity", "body", "trace_id", "span_id", "service", "scope"),
        *_PROMOTED,
    ),
    "metrics": (
        *("tenant", "seq", "accepted", "ts", "clamped", "name", "type", "unit", "monotonic", "temporality", "start_ts", "value", "service", "attrs"),
        *("location", "res", *_FIGURES),
    ),
}
"""The table's columns in the order of the SELECT above."""


@dataclass(frozen=True, slots=True)
class Load:
    """One load: `path` holds delimited Records of one signal; every row gets `seq`; the same `token` again stores nothing."""

    signal: Signal
    path: Path
    seq: int
    token: str

    def sql(self) -> str:
        """The whole statement for an engine that reads the file itself, its settings in it."""
        return self._statement(f"file({quoted(str(self.path))}, 'Protobuf', {quoted(structure(self.signal))})", {})

    def sql_for_body(self, more: Mapping[str, str]) -> str:
        """The same for a server: one line, after which the file's bytes follow as they are. `more` are settings of the server's layout."""
        return self._statement(f"input({quoted(structure(self.signal))})", more) + " FORMAT Protobuf\n"

    def _statement(self, source: str, more: Mapping[str, str]) -> str:
        """Settings stand before SELECT: there they hold for the reader of the body too."""
        select = SELECT[self.signal].replace("{seq}", str(int(self.seq))).replace("{source}", source)
        settings = ", ".join(f"{name} = {quoted(value) if isinstance(value, str) else value}" for name, value in {**self._settings(), **more}.items())
        return f"INSERT INTO {TABLES[self.signal]} ({', '.join(COLUMNS[self.signal])}) SETTINGS {settings} {select}"

    def _settings(self) -> dict[str, str | int]:
        return {
            "insert_deduplication_token": self.token,
            "deduplicate_insert": "enable",
            "deduplicate_insert_select": "force_enable",
            "deduplicate_blocks_in_dependent_materialized_views": 1,
            "format_schema_source": "string",
            "format_schema": 'syntax = "proto3";' + COMMON_PROTO + PROTO[self.signal] + RECORD_PROTO,
            "format_schema_message_name": "Record",
            # The file is ONE block: block settings count messages when reading and rows when writing.
            "max_block_size": 1_000_000,
            "max_insert_block_size": 10_000_000,
            "min_insert_block_size_rows": 10_000_000,
            "min_insert_block_size_bytes": 4 << 30,
            "max_threads": 1,
            "max_insert_threads": 1,
        }


def quoted(text: str) -> str:
    """A string literal of the engine, in one line."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
