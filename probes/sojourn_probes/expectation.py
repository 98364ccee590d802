"""What an `expect` or a `degraded_if` says: sources, comparisons, and the parsed form that everyone reads.

The one-line grammar is parsed in `expectation_parse.py`; judging is in `expect.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Holds = Literal["status", "number", "duration", "size", "text", "texts", "percent", "json", "found"]
"""What kind of value a source yields, which decides how targets are read and which comparisons make sense."""

HTTP: Final = frozenset({"http"})
BROWSER: Final = frozenset({"browser"})
ANY: Final = HTTP | BROWSER
TCP: Final = frozenset({"tcp"})
TLS: Final = frozenset({"tls"})
ICMP: Final = frozenset({"icmp"})
DNS: Final = frozenset({"dns"})
GRPC: Final = frozenset({"grpc"})
SCRIPT: Final = frozenset({"script"})
WEBSOCKET: Final = frozenset({"websocket"})
EVERY: Final = ANY | TCP | TLS | ICMP | DNS | GRPC | SCRIPT | WEBSOCKET | frozenset({"wait"})
"""Every step kind; what all of them have, such as the total."""

TLS_FACTS: Final[dict[str, Holds]] = {
    "expires_in": "duration",
    "issuer": "text",
    "subject": "text",
    "san": "texts",
    "protocol": "text",
    "version": "text",
    "cipher": "text",
    "key_type": "text",
    "key_bits": "number",
}
"""Properties of the source `tls`, written `tls.expires_in`. `version` is another word for `protocol`."""

RTT_FACTS: Final[dict[str, Holds]] = {"min": "duration", "avg": "duration", "max": "duration"}
"""Properties of the source `rtt`, written `rtt.max`; the bare word is the average."""

VITALS: Final = ("lcp", "fcp", "inp", "ttfb", "cls")
"""Web vitals; all are durations except cls."""


@dataclass(frozen=True, slots=True)
class Source:
    """Something an expectation can look at. `kinds` are the step kinds that yield it; `property_name` says what must follow it.

    `facts` are properties written after a dot, which may be left out; the bare word holds what `holds` says. `counts` says that
    it may find several things, and `count` may follow. What a source with `absent` does not find is not there, and so differs
    from every target; of others it is not measured.
    """

    holds: Holds
    kinds: frozenset[str]
    property_name: str | None = None
    facts: Mapping[str, Holds] | None = None
    counts: bool = False
    absent: bool = False

    def holds_at(self, prop: str | None) -> Holds:
        """What kind of value it yields with this property."""
        return self.facts[prop] if self.facts is not None and prop is not None else self.holds


SOURCES: Final[dict[str, Source]] = {
    "status": Source("status", HTTP | WEBSOCKET),
    "header": Source("text", HTTP | WEBSOCKET, "the name of a header", absent=True),
    "cookie": Source("text", ANY, "the name of a cookie", absent=True),
    "body": Source("text", HTTP | WEBSOCKET | TCP | GRPC | SCRIPT),
    "json": Source("json", HTTP | WEBSOCKET | GRPC | SCRIPT, "a JSONPath, such as $.items[0].price", counts=True, absent=True),
    "xpath": Source("found", HTTP, "an XPath, such as //h1", counts=True, absent=True),
    "css": Source("found", HTTP, "a CSS selector, such as .price", counts=True, absent=True),
    "size": Source("size", HTTP | WEBSOCKET | TCP | GRPC),
    "redirects": Source("number", HTTP),
    "http_version": Source("text", HTTP),
    "tls": Source("duration", HTTP | WEBSOCKET | TCP | TLS | DNS, facts=TLS_FACTS),
    "resolve": Source("duration", HTTP | WEBSOCKET | TCP | TLS | ICMP | DNS | GRPC),
    "connect": Source("duration", HTTP | WEBSOCKET | TCP | TLS | DNS | GRPC),
    "send": Source("duration", HTTP | WEBSOCKET | TCP),
    "wait": Source("duration", HTTP | WEBSOCKET | TCP | TLS | DNS | GRPC),
    "receive": Source("duration", HTTP),
    "total": Source("duration", EVERY),
    "banner": Source("text", TCP),
    "grpc_status": Source("text", GRPC),
    "health": Source("text", GRPC),
    "rtt": Source("duration", ICMP, facts=RTT_FACTS),
    "loss": Source("percent", ICMP),
    "rcode": Source("text", DNS),
    "records": Source("texts", DNS),
    "answers": Source("number", DNS),
    "ttl": Source("duration", DNS),
    "changed": Source("json", DNS),
    "url": Source("text", ANY),
    "title": Source("text", BROWSER),
    "requests": Source("number", BROWSER),
    "text": Source("text", BROWSER),
    **{name: Source("number" if name == "cls" else "duration", BROWSER) for name in VITALS},
}
"""All sources. The bare word `tls` is the duration of the handshake; `tls.…` are facts of the certificate and the connection."""

ORDERINGS: Final = ("<", "<=", ">", ">=", "between")
COMPARISONS: Final = ("==", "!=", *ORDERINGS, "contains", "matches", "in", "fits", "exists")
"""All comparisons; each may have `not` before it."""

ALLOWED: Final[dict[Holds, tuple[str, ...]]] = {
    "status": ("==", "!=", *ORDERINGS, "in", "exists"),
    "number": ("==", "!=", *ORDERINGS, "in", "exists"),
    "duration": ("==", "!=", *ORDERINGS, "exists"),
    "size": ("==", "!=", *ORDERINGS, "exists"),
    "text": ("==", "!=", "contains", "matches", "in", "exists"),
    "texts": ("contains", "matches", "exists"),
    "percent": ("==", "!=", *ORDERINGS, "exists"),
    "json": COMPARISONS,
    "found": ("==", "!=", *ORDERINGS, "contains", "matches", "in", "exists"),
}
"""Which comparisons make sense for which kind of value."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One `expect` or `degraded_if`.

    `target` is ready to compare: seconds for durations (`2500ms` is 2.5), bytes for sizes, a pair for `between`, a list for
    `in`, the name of a file or a schema for `fits`, None for `exists`; a text with `${…}` in it is filled and read at judging.
    `counted` means the number of things found. `text` is the one-line form.
    """

    source: str
    property: str | None
    comparison: str
    target: Any
    negated: bool
    text: str
    counted: bool = False

    def holds(self) -> Holds:
        """What kind of value the source yields here."""
        return "number" if self.counted else SOURCES[self.source].holds_at(self.property)

    def kinds(self) -> frozenset[str]:
        """The step kinds that yield the source."""
        return SOURCES[self.source].kinds


class ExpectationError(ValueError):
    """An expectation that cannot be read; `offset` counts characters from the start of its text."""

    def __init__(self, message: str, offset: int = 0) -> None:
        self.offset = offset
        super().__init__(message)
