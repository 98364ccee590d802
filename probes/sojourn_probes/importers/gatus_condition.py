"""Conditions of Gatus, such as `[STATUS] == 200` and `len([BODY].items) > 0`, as expectations."""

import re
from collections.abc import Callable
from typing import Any, Final

from sojourn_probes.importers.draft import Work, seconds
from sojourn_probes.importers.go_duration import seconds_of
from sojourn_probes.importers.lift import escaped
from sojourn_probes.secret_names import is_secret_name

_CONDITION = re.compile(r"\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.*?)\s*\Z", re.DOTALL)
_BODY = re.compile(r"\[BODY\]((?:\.[\w-]+|\[\d+\])+)\Z")
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_PLACEHOLDER = re.compile(r"\s*(?:len\(|has\()?\[[A-Z_]+\]")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?\Z")


class Conditions:
    """Reads the conditions of one endpoint; `kind` is the step kind it became, `record` what a dns step asks for."""

    def __init__(self, work: Work, place: str, ours: Callable[[str], str]) -> None:
        self.work, self.place, self.ours = work, place, ours
        self.kind = "http"
        self.record = "A"
        self.expect: list[str] = []

    def read(self, condition: str) -> None:
        """Add what `condition` says; one that cannot be said is told."""
        found = _CONDITION.match(condition[:4000])
        if found is None or not self._said(*self._turned(*found.groups())):
            shown = condition[:80] if found is None or not is_secret_name(found.group(1)) else f"{found.group(1)[:60]} …"
            self.work.lose(self.place, f"the condition {shown!r} was left out")

    def _turned(self, left: str, sign: str, right: str) -> tuple[str, str, str]:
        """The placeholder on the left, as it nearly always is."""
        if _PLACEHOLDER.match(right) and not _PLACEHOLDER.match(left):
            return right, _MIRRORED.get(sign, sign), left
        return left, sign, right

    def _said(self, left: str, sign: str, right: str) -> bool:
        if left == "[STATUS]" and self.kind == "http":
            return self._status(sign, right)
        if left == "[RESPONSE_TIME]":
            # A ping takes as long as all its requests; what Gatus means is one round trip.
            return bool(re.fullmatch(r"\d{1,8}", right)) and self._add("rtt" if self.kind == "icmp" else "total", sign, seconds(int(right) / 1000))
        if left == "[CONNECTED]":
            return (right, sign) in (("true", "=="), ("false", "!="))  # a step that cannot connect fails anyway
        if left == "[CERTIFICATE_EXPIRATION]" and self.kind in ("http", "tcp", "tls"):
            length = seconds_of(right)
            return length is not None and self._add("tls.expires_in", sign, seconds(length))
        if left == "[DNS_RCODE]" and self.kind == "dns":
            return self._text("rcode", None, sign, right)
        if left == "[BODY]" and self.kind == "dns":
            return self._records(sign, right)
        if left == "[BODY].status" and self.kind == "grpc":
            return self._text("health", None, sign, right)
        if left == "[BODY]" and self.kind in ("http", "tcp", "websocket"):
            return self._text("body", None, sign, right)
        return self._json(left, sign, right)

    def _status(self, sign: str, right: str) -> bool:
        codes = re.findall(r"\d{3}", right) if re.fullmatch(r"any\([\d,\s]+\)", right) else []
        if codes and sign in ("==", "!="):
            return self._add("status", "in" if sign == "==" else "not in", [int(code) for code in codes])
        return bool(re.fullmatch(r"[1-5]\d\d", right)) and self._add("status", sign, int(right))

    def _records(self, sign: str, right: str) -> bool:
        """The body of a DNS answer is its record; of MX and SRV its name alone."""
        glob = re.fullmatch(r"pat\((.*)\)", right, re.DOTALL)
        if sign not in ("==", "!=") or right.startswith("any("):
            return False
        no = "not " if sign == "!=" else ""
        if glob is None and self.record not in ("MX", "SRV"):
            return self._add("records", f"{no}contains", self.ours(right))
        return self._add("records", f"{no}matches", rf"(?:\A|\s){_regex(glob.group(1)) if glob is not None else re.escape(right)}\Z")

    def _json(self, left: str, sign: str, right: str) -> bool:
        if self.kind not in ("http", "websocket"):
            return False
        has = re.fullmatch(r"has\((\[BODY\].+)\)", left)
        if has is not None and (path := _BODY.match(has.group(1))) is not None and sign == "==" and right in ("true", "false"):
            return self._add("json", "exists" if right == "true" else "not exists", None, f"${path.group(1)}")
        count = re.fullmatch(r"len\((\[BODY\].*)\)", left)
        if count is not None:
            return self._length(count.group(1), sign, right)
        path = _BODY.match(left)
        return path is not None and self._text("json", f"${path.group(1)}", sign, right)

    def _length(self, inner: str, sign: str, right: str) -> bool:
        """How many entries a list has."""
        path = "$" if inner == "[BODY]" else f"${found.group(1)}" if (found := _BODY.match(inner)) is not None else None
        if path is None or not re.fullmatch(r"\d{1,6}", right):
            return False
        self.work.expect(self.expect, self.place, "json", sign, int(right), f"{path}[*]", count=True)
        return True

    def _text(self, source: str, prop: str | None, sign: str, right: str) -> bool:
        no = "not " if sign == "!=" else ""
        pattern = re.fullmatch(r"pat\((.*)\)", right, re.DOTALL)
        choices = re.fullmatch(r"any\((.*)\)", right, re.DOTALL)
        if pattern is not None and sign in ("==", "!="):
            return self._glob(source, prop, no, pattern.group(1))
        if choices is not None and sign in ("==", "!="):
            return self._add(source, f"{no}in", [self._value(source, one.strip()) for one in choices.group(1).split(",")], prop)
        if sign in ("==", "!=") or (source == "json" and _NUMBER.match(right)):
            return self._add(source, sign, self._value(source, right), prop)
        return False

    def _glob(self, source: str, prop: str | None, no: str, glob: str) -> bool:
        inner = glob.strip("*")
        if glob.startswith("*") and glob.endswith("*") and inner and not re.search(r"[*?\[\\]", inner):
            return self._add(source, f"{no}contains", self.ours(inner), prop)
        return self._add(source, f"{no}matches", rf"(?s)\A{_regex(glob)}\Z", prop)

    def _value(self, source: str, text: str) -> Any:
        if source == "json":
            if text in ("true", "false"):
                return text == "true"
            if _NUMBER.match(text):
                return float(text) if "." in text else int(text)
        return self.ours(text)

    def _add(self, source: str, comparison: str, target: Any, prop: str | None = None) -> bool:
        self.work.expect(self.expect, self.place, source, comparison, target, prop)
        return True


def _regex(glob: str) -> str:
    """A pattern of Gatus, with `*` and `?`, as a regular expression."""
    return escaped("".join(".*" if piece == "*" else "." if piece == "?" else re.escape(piece) for piece in re.split(r"([*?])", glob)))
