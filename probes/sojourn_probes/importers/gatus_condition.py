"""Conditions of Gatus, such as `[STATUS] == 200` and `len([BODY].items) > 0`, as expectations."""

import re
from collections.abc import Callable
from typing import Any, Final

from sojourn_probes.importers.draft import Work, seconds
from sojourn_probes.importers.features import has_source
from sojourn_probes.importers.go_duration import seconds_of

_CONDITION = re.compile(r"\s*(.+?)\s*(==|!=|<=|>=|<|>)\s*(.*?)\s*\Z", re.DOTALL)
_BODY = re.compile(r"\[BODY\]((?:\.[\w-]+|\[\d+\])+)\Z")
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_PLACEHOLDER = re.compile(r"\s*(?:len\(|has\()?\[[A-Z_]+\]")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,9})?\Z")


class Conditions:
    """Reads the conditions of one endpoint; `kind` is the step kind it became."""

    def __init__(self, work: Work, place: str, ours: Callable[[str], str]) -> None:
        self.work, self.place, self.ours = work, place, ours
        self.kind = "http"
        self.expect: list[str] = []

    def read(self, condition: str) -> None:
        """Add what `condition` says; one that cannot be said is told."""
        found = _CONDITION.match(condition[:4000])
        if found is None or not self._said(*self._turned(*found.groups())):
            self.work.lose(self.place, f"the condition {condition[:80]!r} was left out")

    def _turned(self, left: str, sign: str, right: str) -> tuple[str, str, str]:
        """The placeholder on the left, as it nearly always is."""
        if _PLACEHOLDER.match(right) and not _PLACEHOLDER.match(left):
            return right, _MIRRORED.get(sign, sign), left
        return left, sign, right

    def _said(self, left: str, sign: str, right: str) -> bool:
        if left == "[STATUS]" and self.kind == "http":
            return self._status(sign, right)
        if left == "[RESPONSE_TIME]":
            return bool(re.fullmatch(r"\d{1,8}", right)) and self._add("total", sign, seconds(int(right) / 1000))
        if left == "[CONNECTED]":
            return (right, sign) in (("true", "=="), ("false", "!="))  # a step that cannot connect fails anyway
        if left == "[CERTIFICATE_EXPIRATION]" and self.kind in ("http", "tcp", "tls"):
            length = seconds_of(right)
            return length is not None and self._add("tls.expires_in", sign, seconds(length))
        if left == "[DNS_RCODE]" and has_source("rcode"):
            return self._add("rcode", sign, right)
        if left == "[BODY]" and self.kind in ("http", "tcp"):
            return self._text("body", None, sign, right)
        return self._json(left, sign, right)

    def _status(self, sign: str, right: str) -> bool:
        codes = re.findall(r"\d{3}", right) if re.fullmatch(r"any\([\d,\s]+\)", right) else []
        if codes and sign in ("==", "!="):
            return self._add("status", "in" if sign == "==" else "not in", [int(code) for code in codes])
        return bool(re.fullmatch(r"[1-5]\d\d", right)) and self._add("status", sign, int(right))

    def _json(self, left: str, sign: str, right: str) -> bool:
        if self.kind != "http":
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
        regex = "".join(".*" if piece == "*" else "." if piece == "?" else re.escape(piece) for piece in re.split(r"([*?])", glob))
        return self._add(source, f"{no}matches", rf"(?s)\A{regex}\Z", prop)

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
