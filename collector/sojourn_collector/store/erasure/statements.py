"""The one list of tables and which of their rows are a subject's, with every statement an erasure runs.

No statement names anybody: a mutation's text stays in the table's folder. Names are put into the table `erasing`, which lives in memory, under a `job`
of the erasure's own; conditions look there. On a cluster the same statements take `ON CLUSTER` here, and `erasing` has to be filled on every node.
"""

# ruff: noqa: S608 - the statements are put together from this file's own constants; a job is letters and digits, a tenant is quoted

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sojourn_collector.store.erasure.subject import LINKED, SEPARATORS
from sojourn_collector.store.load_sql import quoted
from sojourn_probes import semconv

WORDS_AT_ONCE = 200
"""Words in one pattern."""
NOTHING = "$x"
"""A pattern that is in no text."""
KIND_OF: Mapping[str, str] = {
    semconv.USER_ID: "user",
    semconv.VISITOR_ID: "visitor",
    semconv.SESSION_ID: "session",
    semconv.SESSION_PREVIOUS_ID: "session",
    "enduser.id": "user",
}
"""Attributes whose value names somebody, wherever they stand, and what kind of name that is."""
IDENTITY = tuple(KIND_OF)
_VALUES = "arrayStringConcat(mapValues({map}), '\\n')"
_TEXTS = {
    "spans": (
        "name",
        "status_message",
        _VALUES.format(map="attrs"),
        _VALUES.format(map="res"),
        "arrayStringConcat(arrayMap(m -> arrayStringConcat(mapValues(m), '\\n'), events_attrs), '\\n')",
    ),
    "events": ("name", "body", _VALUES.format(map="attrs"), _VALUES.format(map="res")),
    "metrics": ("name", _VALUES.format(map="attrs"), _VALUES.format(map="res")),
}
"""Columns that hold free text."""


@dataclass(frozen=True, slots=True)
class Names:
    """Where a statement finds the names: their `job` in `erasing`, whose rows, and how many patterns of words there are."""

    tenant: str
    job: str
    patterns: int = 0
    seq: int | None = None
    """Only rows of this journal file."""
    before: int | None = None
    """Only what happened before this moment, in microseconds since 1970."""

    def __post_init__(self) -> None:
        assert re.fullmatch(r"[a-z0-9]{1,64}", self.job), "a job is letters and digits"

    def any_of(self, *kinds: str) -> str:
        """The names of these kinds as a set."""
        listed = ", ".join(quoted(kind) for kind in kinds)
        return f"(SELECT id FROM erasing WHERE job = '{self.job}' AND kind IN ({listed}))"

    def all_of(self, *kinds: str) -> str:
        """The names of these kinds as an array."""
        return self.any_of(*kinds).replace("SELECT id", "SELECT groupArray(id)")

    def halves_of_traces(self) -> str:
        """The second halves of the traces' ids as numbers, as `trace_times` keeps them."""
        return self.any_of("trace").replace("SELECT id", "SELECT reinterpretAsUInt64(substring(unhex(id), 9))")

    def whole_traces(self) -> str:
        """The traces' ids as `failed_traces` keeps them."""
        return self.any_of("trace").replace("SELECT id", "SELECT toFixedString(substring(unhex(id), 1, 16), 16)")

    def words_in(self, text: str) -> list[str]:
        """Conditions that a word stands in `text`. Of no words, as after the engine was killed under a mutation, the pattern finds nothing."""
        word = "arrayStringConcat(groupArray(regexpQuoteMeta(id)), '|')"
        pattern = f"if(count() = 0, '{NOTHING}', concat('(^|{SEPARATORS})(', {word}, ')({SEPARATORS}|$)'))"
        around = f"(SELECT {pattern} FROM erasing WHERE job = '{self.job}' AND kind = 'word%d')"
        return [f"match({text}, {around % number})" for number in range(self.patterns)]


def _raw(table: str, names: Names) -> str:
    """Rows of telemetry: those of the users and sessions, and those that name nobody but belong to a visitor, a trace, or speak of a name."""
    identity = [f"{column}['{key}']" for key in IDENTITY for column in ("attrs", "res")] + [f"res['{semconv.SCOPE_PREFIX}{key}']" for key in IDENTITY]
    nobody = [f"hasAny([{', '.join(identity)}], {names.all_of('user', 'visitor', 'session')})"]
    if table == "spans":
        keys = ", ".join(f"m['{key}']" for key in IDENTITY)
        nobody.append(f"arrayExists(m -> hasAny([{keys}], {names.all_of('user', 'visitor', 'session')}), events_attrs)")
    nobody.extend(condition for text in _TEXTS[table] for condition in names.words_in(text))
    if table == "metrics":
        mine = " OR ".join(nobody)
    else:
        trace = "lower(hex(trace_id))" if table == "spans" else "trace_id"
        nobody += [f"visitor_id IN {names.any_of('visitor')}", f"account_id IN {names.any_of('account')}", f"{trace} IN {names.any_of('trace')}"]
        own = f"user_id IN {names.any_of('user')} OR session_id IN {names.any_of('session')}"
        mine = f"{own} OR (user_id = '' AND session_id = '' AND ({' OR '.join(nobody)}))"
    found = f"tenant = {quoted(names.tenant)} AND ({mine})"
    if names.seq is not None:
        found = f"seq = {int(names.seq)} AND {found}"
    return found if names.before is None else f"{found} AND ts < fromUnixTimestamp64Micro({int(names.before)})"


def _joined(names: Names) -> str:
    """Sessions, runs and steps: of their persons and sessions."""
    return (
        f"tenant = {quoted(names.tenant)} AND traffic != 'synthetic' AND (session_id IN {names.any_of('session')} OR person_id IN {names.any_of('person')} "
        f"OR account_id IN {names.any_of('account')})"
    )


def _linked(table: str, names: Names) -> str:
    """Feedback, orders and the like that were found to be theirs, and later ones that name them."""
    author = f" OR (author != '' AND author IN {names.any_of('author')})" if table == "feedback" else ""
    return (
        f"tenant = {quoted(names.tenant)} AND (concat(source, '/', id) IN {names.any_of(table)} OR user_id IN {names.any_of('user')} "
        f"OR (user_id = '' AND (visitor_id IN {names.any_of('visitor')} OR given_session_id IN {names.any_of('session')} "
        f"OR (email_sha256 != '' AND email_sha256 IN {names.any_of('email')}))){author})"
    )


def _master(names: Names, kind: str) -> str:
    return f"tenant = {quoted(names.tenant)} AND id IN {names.any_of(kind)}"


def condition(table: str, names: Names) -> str:
    """Which rows of a table are the subject's."""
    return CONDITIONS[table](names)


CONDITIONS: Mapping[str, Callable[[Names], str]] = {
    "spans": lambda names: _raw("spans", names),
    "events": lambda names: _raw("events", names),
    "metrics": lambda names: _raw("metrics", names),
    "sessions": _joined,
    "runs": _joined,
    "steps": _joined,
    "feedback": lambda names: _linked("feedback", names),
    "orders": lambda names: _linked("orders", names),
    "tickets": lambda names: _linked("tickets", names),
    "subscriptions": lambda names: _linked("subscriptions", names),
    "invitations": lambda names: _linked("invitations", names),
    "usage": lambda names: _linked("usage", names),
    "people": lambda names: _master(names, "user"),
    "accounts": lambda names: _master(names, "account"),
    "deals": lambda names: f"tenant = {quoted(names.tenant)} AND account_id IN {names.any_of('account')}",
    "owners": lambda names: f"tenant = {quoted(names.tenant)} AND email_sha256 != '' AND email_sha256 IN {names.any_of('email')}",
    "trace_times": lambda names: f"tenant = {quoted(names.tenant)} AND trace IN {names.halves_of_traces()}",
    "failed_traces": lambda names: f"tenant = {quoted(names.tenant)} AND trace IN {names.whole_traces()}",
}
"""The one list of tables with rows about somebody. A table that names nobody stands in `NAMES_NOBODY`; a test holds that every table stands in one."""

DERIVED = frozenset({"trace_times", "failed_traces"})
"""Tables that repeat of another what is needed to find things: they lose the rows too, and neither a count nor a copy speaks of them."""

NAMES_NOBODY = frozenset({"spans_1m", "run_sums", "step_sums", "migrations", "erasing"})
"""Sums by journey, step and service that hold counts only; they stay as they are."""

RAW = ("spans", "events", "metrics")
"""Tables that journal files are loaded into."""

TEXT_OF_ORDER: Mapping[str, str] = {
    **dict.fromkeys(("user_id", "visitor_id", "email_sha256", "account_id", "trace_id", "given_session_id", "session_id", "person_id", "run_id"), "''"),
    "join": "'unlinked'",
    "join_confidence": "0",
}
"""What an order loses when it is kept without its person."""
_SYNC = "SETTINGS mutations_sync = 1"


def delete(table: str, names: Names) -> str:
    """Take the subject's rows out of a table; done when the engine has rewritten its parts."""
    return f"ALTER TABLE {table} DELETE WHERE {condition(table, names)} {_SYNC}"


def strip_orders(names: Names) -> str:
    """Keep the subject's orders with amount, currency, time and status, without who and where."""
    columns = ", ".join(f"{column} = {value}" for column, value in TEXT_OF_ORDER.items())
    return f"ALTER TABLE orders UPDATE {columns} WHERE {condition('orders', names)} {_SYNC}"


_KEYS: Mapping[str, str] = {"sessions": "session_id", "runs": "run_id", "steps": "run_id, step, attempt"} | dict.fromkeys(
    (*LINKED, "people", "accounts", "deals", "owners"), "source, id"
)
"""What tells things apart where a row may lie there in several versions."""


def count(table: str, names: Names) -> str:
    """How many things in a table are the subject's; versions of one count once."""
    number = f"uniqExact({_KEYS[table]})" if table in _KEYS else "count()"
    return f"SELECT {number} AS n FROM {table} WHERE {condition(table, names)}"


def clear(job: str) -> str:
    """Take a job's names out of memory."""
    assert re.fullmatch(r"[a-z0-9]{1,64}", job), "a job is letters and digits"
    return f"ALTER TABLE erasing DELETE WHERE job = '{job}' {_SYNC}"
