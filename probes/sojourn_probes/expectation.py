"""What an `expect` or a `degraded_if` says: sources, comparisons, and the parsed form that everyone reads.

The one-line grammar is parsed in `expectation_parse.py`; judging is in `expect.py`.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

Holds = Literal["status", "number", "duration", "size", "text", "json"]
"""What kind of value a source yields, which decides how targets are read and which comparisons make sense."""

HTTP: Final = frozenset({"http"})
BROWSER: Final = frozenset({"browser"})
ANY: Final = HTTP | BROWSER

TLS_FACTS: Final[dict[str, Holds]] = {"expires_in": "duration", "issuer": "text", "subject": "text", "version": "text", "cipher": "text"}
"""Properties of the source `tls`, written `tls.expires_in`."""

VITALS: Final = ("lcp", "fcp", "inp", "ttfb", "cls")
"""Web vitals; all are durations except cls."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something an expectation can look at. `kinds` are the step kinds that yield it; `property_name` says what must follow it."""

    holds: Holds
    kinds: frozenset[str]
    property_name: str | None = None


SOURCES: Final[dict[str, Source]] = {
    "status": Source("status", HTTP),
    "header": Source("text", HTTP, "the name of a header"),
    "body": Source("text", HTTP),
    "json": Source("json", HTTP, "a JSONPath, such as $.items[0].price"),
    "size": Source("size", HTTP),
    "redirects": Source("number", HTTP),
    "tls": Source("text", HTTP, f"one of {', '.join(TLS_FACTS)}"),
    "resolve": Source("duration", HTTP),
    "connect": Source("duration", HTTP),
    "send": Source("duration", HTTP),
    "wait": Source("duration", HTTP),
    "receive": Source("duration", HTTP),
    "total": Source("duration", ANY),
    "url": Source("text", ANY),
    "title": Source("text", BROWSER),
    "text": Source("text", BROWSER),
    **{name: Source("number" if name == "cls" else "duration", BROWSER) for name in VITALS},
}
"""All sources. The bare word `tls` is the duration of the handshake; `tls.…` are facts of the certificate and the connection."""

ORDERINGS: Final = ("<", "<=", ">", ">=", "between")
COMPARISONS: Final = ("==", "!=", *ORDERINGS, "contains", "matches", "in", "exists")
"""All comparisons; each may have `not` before it."""

ALLOWED: Final[dict[Holds, tuple[str, ...]]] = {
    "status": ("==", "!=", *ORDERINGS, "in", "exists"),
    "number": ("==", "!=", *ORDERINGS, "in", "exists"),
    "duration": ("==", "!=", *ORDERINGS, "exists"),
    "size": ("==", "!=", *ORDERINGS, "exists"),
    "text": ("==", "!=", "contains", "matches", "in", "exists"),
    "json": COMPARISONS,
}
"""Which comparisons make sense for which kind of value."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One `expect` or `degraded_if`.

    `target` is ready to compare: seconds for durations (`2500ms` is 2.5), bytes for sizes, a pair for `between`, a list for
    `in`, None for `exists`; a text with `${…}` in it is filled and read at judging. `text` is the one-line form.
    """

    source: str
    property: str | None
    comparison: str
    target: Any
    negated: bool
    text: str

    def holds(self) -> Holds:
        """What kind of value the source yields here."""
        if self.source == "tls":
            return "duration" if self.property is None else TLS_FACTS[self.property]
        return SOURCES[self.source].holds

    def kinds(self) -> frozenset[str]:
        """The step kinds that yield the source."""
        return SOURCES[self.source].kinds


class ExpectationError(ValueError):
    """An expectation that cannot be read; `offset` counts characters from the start of its text."""

    def __init__(self, message: str, offset: int = 0) -> None:
        self.offset = offset
        super().__init__(message)
