"""Assertions of Checkly, built in TypeScript or given as JSON, as expectations."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sojourn_probes.expectation import SOURCES
from sojourn_probes.importers.draft import Work, seconds
from sojourn_probes.importers.literal import Call, Chain
from sojourn_probes.importers.source import text_of

_SOURCES: Final = {
    "statuscode": "status", "jsonbody": "json", "headers": "header", "textbody": "body", "responsetime": "total", "responsedata": "body",
    "responsecode": "rcode", "textanswer": "records", "answer": "records", "latency": "rtt", "packetloss": "loss",
    "grpcstatuscode": "grpc_status", "healthcheckstatus": "health", "grpchealthcheckstatus": "health", "responsemessage": "json", "grpcresponse": "json",
    "certificate": "tls", "connection": "tls",
}  # fmt: skip
_OF_KIND: Final = {("statuscode", "grpc"): "grpc_status", ("jsonresponse", "icmp"): "loss", ("textbody", "grpc"): "body"}
"""Where the same word means something else with other kinds of steps."""
_TLS_FACTS: Final = {
    "daysuntilexpiry": "expires_in", "keysizebits": "key_bits", "subjectcn": "subject", "issuercn": "issuer", "sans": "san", "tlsversion": "version",
}  # fmt: skip
_GRPC_CODES: Final = (
    "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
)  # fmt: skip
"""The name of each code, by its number."""
_SIGNS: Final = {"equals": "==", "notequals": "!=", "greaterthan": ">", "lessthan": "<", "contains": "contains", "notcontains": "not contains"}
_THERE: Final = {"haskey": "exists", "nothaskey": "not exists", "notempty": "exists", "notnull": "exists", "isempty": "not exists", "isnull": "not exists"}
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?\Z")


@dataclass(frozen=True, slots=True)
class Parts:
    """One assertion, whichever way it was written."""

    source: str
    property: str
    comparison: str
    target: Any

    def into(self, expect: list[str], work: Work, place: str, kind: str, ours: Callable[[str], str]) -> bool:
        """Write it as an expectation of a step of `kind`; False when it cannot be said."""
        source = _OF_KIND.get((self.source, kind)) or _SOURCES.get(self.source)
        if source is None or kind not in SOURCES[source].kinds:
            return False
        prop, known = self._property(source, ours)
        if not known:
            return False
        if self.comparison in _THERE:
            if source == "json" and self.comparison == "haskey" and text_of(self.target):
                prop = f"{prop}.{text_of(self.target)}"
            work.expect(expect, place, source, _THERE[self.comparison], None, prop)
            return True
        sign = _SIGNS.get(self.comparison)
        if source == "records" and sign in ("contains", "not contains"):
            # The answer is one text there and a list of records here, of which one must hold it.
            work.expect(expect, place, source, sign.replace("contains", "matches"), ours(re.escape(text_of(self.target))))
            return True
        target = self._target(source, sign or "", ours)
        if sign is None or target is None:
            return False
        work.expect(expect, place, source, sign, target, prop)
        return True

    def _property(self, source: str, ours: Callable[[str], str]) -> tuple[str | None, bool]:
        """The property as ours, and whether it can be said."""
        if source in ("json", "header"):
            return ours(self.property), bool(self.property)
        if source == "tls":
            fact = _TLS_FACTS.get(self.property.lower())
            return fact, fact is not None
        if source == "rtt":
            return (self.property, True) if self.property in ("min", "max") else (None, self.property in ("", "avg"))
        return None, source != "loss" or self.property in ("", "$.packetLoss")

    def _target(self, source: str, sign: str, ours: Callable[[str], str]) -> Any:
        text = text_of(self.target)
        if source == "grpc_status" and text.isdecimal():
            return _GRPC_CODES[int(text)] if int(text) < len(_GRPC_CODES) else None
        if source == "tls":
            return self._fact(text, ours)
        if source == "status":
            return int(text) if re.fullmatch(r"[1-5]\d\d", text) else None
        if source in ("total", "rtt"):
            return seconds(float(text) / 1000) if _NUMBER.match(text) and float(text) > 0 else None
        if source == "loss":
            return (float(text) if "." in text else int(text)) if _NUMBER.match(text) else None
        if source == "json" and "contains" not in sign and (isinstance(self.target, int | float) or _NUMBER.match(text)):
            return self.target if isinstance(self.target, int | float) else float(text) if "." in text else int(text)
        if source == "json" and text in ("true", "false"):
            return text == "true"
        return ours(text) if isinstance(self.target, str | int | float) else None

    def _fact(self, text: str, ours: Callable[[str], str]) -> Any:
        """A fact of a certificate or a handshake."""
        word = self.property.lower()
        if word == "daysuntilexpiry":
            return f"{int(text)}d" if text.isdecimal() and len(text) < 6 else None
        if word == "keysizebits":
            return int(text) if text.isdecimal() and len(text) < 6 else None
        return f"TLSv{text[3:]}" if word == "tlsversion" and re.fullmatch(r"TLS1\.[0-3]", text) else ours(text) or None


def assertion(data: dict[str, Any]) -> Parts | None:
    """The assertion in the JSON of the API; None when it is none, or works on a part of a text by regular expression."""
    source, comparison = text_of(data.get("source")), text_of(data.get("comparison"))
    if not source or not comparison or text_of(data.get("regex")):
        return None
    return Parts(_word(source), text_of(data.get("property")), _word(comparison), data.get("target"))


def assertion_of_chain(chain: Chain) -> Parts | None:
    """`AssertionBuilder.jsonBody('$.a').equals(1)`; None when it is no such thing."""
    if len(chain.links) != 3 or not chain.links[0].name.endswith("AssertionBuilder"):
        return None
    subject, comparison = chain.links[1], chain.links[2]
    if len(subject.args or ()) > 1:
        return None  # a regular expression over the header or body
    return Parts(_word(subject.name), text_of(_first(subject)), _word(comparison.name), _first(comparison))


def _first(link: Call) -> Any:
    return (link.args or [None])[0]


def _word(text: str) -> str:
    return text.replace("_", "").lower()
