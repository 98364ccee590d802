"""The grammar of expectations, in one line or in parts.

[not] SOURCE [PROPERTY] [count] [not] COMPARISON [TARGET]

status == 200            status in [200, 204]          status == 2xx          total between 10ms and 1s
body contains 'Welcome'  header content-type matches '^text/'   json $.items[0].price < 10   tls.expires_in > 14d
not body contains 'error'    header x-debug not exists      css '.results > li' count >= 3    json $.items[*] fits item.json
"""

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sojourn_probes.expectation import ALLOWED, COMPARISONS, ORDERINGS, SOURCES, Expectation, ExpectationError, Holds
from sojourn_probes.json_paths import require_json_path
from sojourn_probes.json_schema import require_schema
from sojourn_probes.markup import require_css, require_xpath
from sojourn_probes.patterns import NoPattern, require_pattern
from sojourn_probes.units import parse_duration, parse_size

MAX_LENGTH: Final = 2000
"""Characters an expectation may have."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<sign>==|!=|<=|>=|<|>|=|!)|(?P<mark>[\[\],])|(?P<word>\$\{[^}]*\}|[^\s\[\],<>=!'"]+)|(?P<open>['"]))"""
)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_STATUS_CLASS = re.compile(r"[1-5]xx")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int

    @property
    def value(self) -> str:
        if self.kind != "quoted":
            return self.text
        # Only the quotes and the backslash itself need escaping; in a regular expression \d must stay \d.
        return re.sub(r"\\(['\"\\])" if self.text[0] == '"' else r"\\(['\\])", r"\1", self.text[1:-1])


def parse(text: str) -> Expectation:
    """The one-line form. Raises `ExpectationError` with the place, the cause and the cure."""
    if len(text) > MAX_LENGTH:
        raise ExpectationError(f"an expectation may have {MAX_LENGTH} characters, this has {len(text)}")
    return _Parser(text).expectation()


def from_parts(parts: Mapping[str, Any]) -> Expectation:
    """The long form `{source, property, count, comparison, target}`; a comparison may begin with `not `. Raises `ExpectationError`."""
    source = str(parts["source"])
    prop = None if parts.get("property") is None else str(parts["property"])
    if source.startswith("tls.") and prop is None:
        source, _, prop = source.partition(".")
    _require_source(source, prop, 0)
    comparison = str(parts["comparison"])
    negated = comparison.startswith("not ")
    comparison = comparison.removeprefix("not ")
    counted = parts.get("count") is True
    if counted:
        _require_countable(source, prop, 0)
    holds: Holds = "number" if counted else _holds(source, prop)
    _require_comparison(comparison, source, holds, 0)
    given = parts.get("target")
    if comparison == "exists" and given is not None:
        raise ExpectationError("exists takes no target; remove it")
    if comparison != "exists" and "target" not in parts:
        raise ExpectationError(f"{comparison} wants a target")
    target = None if comparison == "exists" else read_target(given, comparison, holds)
    return Expectation(source, prop, comparison, target, negated, _written(source, prop, counted, negated, comparison, given), counted)


def read_target(given: Any, comparison: str, holds: Holds) -> Any:
    """A target as written, made ready to compare. Raises `ExpectationError`."""
    if comparison in ("in", "between"):
        if not isinstance(given, list) or not given:
            raise ExpectationError(f"{comparison} wants a list, such as {'[200, 204]' if comparison == 'in' else '[1, 5]'}")
        if comparison == "between" and len(given) != 2:
            raise ExpectationError("between wants two values: the lowest and the highest")
        values = [_read_one(item, comparison, holds) for item in given]
        if comparison == "between" and not _has_name(given) and _misordered(values):
            raise ExpectationError(f"between {given[0]} and {given[1]} holds nothing; put the lower one first")
        return values
    return _read_one(given, comparison, holds)


def _misordered(values: list[Any]) -> bool:
    low, high = values
    return type(low) in (int, float) and type(high) in (int, float) and low > high


def _has_name(given: Any) -> bool:
    return any(isinstance(item, str) and "${" in item for item in (given if isinstance(given, list) else [given]))


def _read_one(given: Any, comparison: str, holds: Holds) -> Any:
    if _has_name(given):
        return given
    if comparison == "matches":
        return _pattern(given)
    if comparison == "fits":
        return _schema(given)
    if comparison in ORDERINGS and holds in ("json", "found"):
        return _read_number(given)
    return _READERS[holds](given)


def _pattern(given: Any) -> str:
    if not isinstance(given, str):
        raise ExpectationError("matches wants a regular expression in quotes")
    try:
        return require_pattern(given)
    except NoPattern as fault:
        raise ExpectationError(str(fault), fault.at) from None


def _schema(given: Any) -> Any:
    """The name of a file stays a name: which folder it is in is known to the journey."""
    if isinstance(given, str) and given.strip():
        return given
    if not isinstance(given, dict | bool):
        raise ExpectationError("fits wants a JSON Schema, or the name of its file beside the journey")
    try:
        return require_schema(given)
    except ValueError as fault:
        raise ExpectationError(f"the schema {fault}") from None


def _read_duration(given: Any) -> float:
    if not isinstance(given, str):
        raise ExpectationError(f"{given} has no unit; write {given}ms or {given}s")
    try:
        return parse_duration(given)
    except ValueError as fault:
        raise ExpectationError(str(fault)) from None


def _read_size(given: Any) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    try:
        return parse_size(str(given))
    except ValueError as fault:
        raise ExpectationError(str(fault)) from None


def _read_number(given: Any) -> int | float:
    if isinstance(given, int | float) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and _NUMBER.fullmatch(given):
        return float(given) if re.search(r"[.eE]", given) else int(given)
    raise ExpectationError(f"{given!r} is not a number")


def _read_percent(given: Any) -> int | float:
    return _read_number(given.removesuffix("%") if isinstance(given, str) else given)


def _read_status(given: Any) -> int | str:
    if isinstance(given, str) and _STATUS_CLASS.fullmatch(given):
        return given
    if (isinstance(given, int) and not isinstance(given, bool)) or (isinstance(given, str) and given.isdecimal()):
        if 100 <= int(given) <= 599:
            return int(given)
        raise ExpectationError(f"{given} is not a status; they go from 100 to 599")
    raise ExpectationError(f"{given!r} is not a status; write a number such as 200, or 2xx for the whole class")


def _read_text(given: Any) -> str:
    if not isinstance(given, str):
        raise ExpectationError(f"{given!r} is not text; put it in quotes")
    return given


def _read_found(given: Any) -> Any:
    if isinstance(given, dict | list) or given is None:
        raise ExpectationError(f"{json.dumps(given)} is neither text nor a number")
    return given


_READERS: Final[dict[Holds, Callable[[Any], Any]]] = {
    "duration": _read_duration,
    "size": _read_size,
    "number": _read_number,
    "status": _read_status,
    "text": _read_text,
    "texts": _read_text,
    "percent": _read_percent,
    "json": lambda given: given,
    "found": _read_found,
}


_REQUIRE: Final[dict[str, Callable[[str], object]]] = {"json": require_json_path, "xpath": require_xpath, "css": require_css}
"""What the properties of sources must be."""

_PATHS: Final = {
    "json": "a JSONPath after it, such as json $.items[0].price > 3",
    "xpath": "an XPath after it, such as xpath //h1 contains Welcome",
    "css": "a CSS selector after it, such as css .price exists",
}
_NAMED: Final = {"header": "header content-type contains json", "cookie": "cookie session exists"}


class _Parser:
    """Reads one line from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def expectation(self) -> Expectation:
        negated = self._takes_not()
        source, prop = self._source()
        counted = self._takes_count(source, prop)
        negated = self._takes_not() != negated
        holds: Holds = "number" if counted else _holds(source, prop)
        comparison = self._comparison(source, holds)
        target = None
        if comparison != "exists":
            start = self._next_offset()
            given = self._target(comparison, holds)
            try:
                target = read_target(given, comparison, holds)
            except ExpectationError as fault:
                raise ExpectationError(str(fault), self._inside(start, given, fault.offset)) from None
        rest = self._take()
        if rest is not None:
            raise ExpectationError(f"{self.text[rest.offset :]!r} is too much here; put a text with spaces in quotes", rest.offset)
        return Expectation(source, prop, comparison, target, negated, self.text.strip(), counted)

    def _inside(self, start: int, given: Any, offset: int) -> int:
        """Where in the line character `offset` of the target `given` stands, which begins at `start`; its begin where escapes are before it."""
        first = start + (self.text[start : start + 1] in ("'", '"'))
        return first + offset if offset and isinstance(given, str) and self.text.startswith(given[:offset], first) else start

    def _peek(self) -> _Token | None:
        found = _TOKEN.match(self.text, self.at)
        if found is None or found.lastgroup is None:
            return None
        if found.lastgroup == "open":
            raise ExpectationError("a quote is not closed", found.start("open"))
        return _Token(found.lastgroup, found.group(found.lastgroup), found.start(found.lastgroup))

    def _take(self) -> _Token | None:
        token = self._peek()
        if token is not None:
            self.at = token.offset + len(token.text)
        return token

    def _next_offset(self) -> int:
        token = self._peek()
        return len(self.text) if token is None else token.offset

    def _takes_not(self) -> bool:
        token = self._peek()
        if token is None or token.kind != "word" or token.text != "not":
            return False
        self._take()
        return True

    def _takes_count(self, source: str, prop: str | None) -> bool:
        token = self._peek()
        if token is None or token.kind != "word" or token.text != "count":
            return False
        _require_countable(source, prop, token.offset)
        self._take()
        return True

    def _source(self) -> tuple[str, str | None]:
        token = self._take()
        if token is None:
            raise ExpectationError("is empty; write for example status == 200")
        source, dot, after = token.text.partition(".")
        dotted = bool(dot) and _has_facts(source)
        prop: str | None = after if dotted else None
        if token.kind != "word" or (dot and not dotted):
            source = token.text
        _require_known(source, token.offset)
        at = token.offset
        if SOURCES[source].property_name is not None:
            at = self._next_offset()
            prop = self._path(source) if source in _PATHS else self._name(source, token.offset)
        _require_source(source, prop, at)
        return source, prop

    def _name(self, source: str, offset: int) -> str:
        name = self._take()
        if name is None or name.kind not in ("word", "quoted") or (name.kind == "word" and name.text in COMPARISONS):
            raise ExpectationError(f"{source} wants the name of a {source} after it, such as {_NAMED[source]}", offset)
        return name.value

    def _path(self, source: str) -> str:
        """A path or selector: in quotes, or up to the first space outside brackets and quotes. `>` belongs to a bare selector, elsewhere it compares."""
        source_offset, start = self.at - len(source), self._skip_space()
        if source != "json" and self.text[start : start + 1] in ("'", '"'):
            token = self._take()
            assert token is not None
            return token.value
        ends, depth, quote = "" if source == "css" else "=!<>", 0, ""
        while self.at < len(self.text):
            sign = self.text[self.at]
            if quote:
                quote = "" if sign == quote else quote
            elif sign in "'\"" and depth:
                quote = sign
            elif sign in "[(":
                depth += 1
            elif sign in "])":
                depth -= 1
            elif not depth and (sign.isspace() or sign in ends):
                break
            self.at += 1
        path = self.text[start : self.at]
        if not path or path in COMPARISONS or (source == "json" and not path.startswith("$")):
            raise ExpectationError(f"{source} wants {_PATHS[source]}", source_offset)
        return path

    def _skip_space(self) -> int:
        while self.at < len(self.text) and self.text[self.at].isspace():
            self.at += 1
        return self.at

    def _comparison(self, source: str, holds: Holds) -> str:
        token = self._take()
        if token is None:
            raise ExpectationError(f"a comparison is missing; one of {', '.join(ALLOWED[holds])}", len(self.text))
        if token.text in ("=", "is", "equals"):
            raise ExpectationError(f"{token.text} is not a comparison; write ==", token.offset)
        _require_comparison(token.text if token.kind in ("sign", "word") else "", source, holds, token.offset, shown=token.text)
        return token.text

    def _target(self, comparison: str, holds: Holds) -> Any:
        if comparison == "between":
            low = self._one(comparison, holds)
            word = self._take()
            if word is None or word.kind != "word" or word.text != "and":
                raise ExpectationError(
                    "between wants two values with and between them, such as between 1 and 5", len(self.text) if word is None else word.offset
                )
            return [low, self._one(comparison, holds)]
        if comparison == "in":
            return self._list(holds)
        if holds == "json" and comparison in ("==", "!=", "contains", "fits") and self.text[self._skip_space() : self.at + 1] in ("[", "{"):
            return self._json()
        return self._one(comparison, holds)

    def _json(self) -> Any:
        """A list or an object, as JSON writes them."""
        try:
            value, self.at = json.JSONDecoder().raw_decode(self.text, self.at)
        except json.JSONDecodeError as fault:
            raise ExpectationError(f"is no JSON: {fault.msg[:1].lower()}{fault.msg[1:]}", fault.pos) from None
        except RecursionError:
            raise ExpectationError("nests too deep", self.at) from None
        return value

    def _list(self, holds: Holds) -> list[Any]:
        opening = self._take()
        if opening is None or opening.text != "[":
            raise ExpectationError("in wants a list in brackets, such as in [200, 204]", len(self.text) if opening is None else opening.offset)
        items: list[Any] = []
        while True:
            items.append(self._one("in", holds))
            after = self._take()
            if after is not None and after.text == "]":
                return items
            if after is None or after.text != ",":
                raise ExpectationError("the list is not closed; put a ] after its last value", len(self.text) if after is None else after.offset)

    def _one(self, comparison: str, holds: Holds) -> Any:
        token = self._take()
        if token is None:
            raise ExpectationError(f"a value is missing after {comparison}", len(self.text))
        if token.kind == "quoted":
            return token.value
        if token.kind != "word":
            raise ExpectationError(f"a value is wanted here, not {token.text!r}", token.offset)
        following = self._peek()
        if holds in ("duration", "size") and _NUMBER.fullmatch(token.text) and following is not None and following.text.isalpha() and following.text != "and":
            self._take()  # `2 MB` is one value
            return f"{token.text} {following.text}"
        return _literal(token.text) if holds in ("json", "found") and comparison != "fits" else token.text


def _literal(word: str) -> Any:
    """A bare word against JSON: a number, true, false, null, else text."""
    if word in ("true", "false", "null") or _NUMBER.fullmatch(word):
        try:
            return json.loads(word)
        except ValueError:  # such as 007, which JSON does not take for a number
            return word
    return word


def _holds(source: str, prop: str | None) -> Holds:
    return SOURCES[source].holds_at(prop)


def _has_facts(source: str) -> bool:
    return source in SOURCES and SOURCES[source].facts is not None


def _require_known(source: str, offset: int) -> None:
    if source in SOURCES:
        return
    close = difflib.get_close_matches(source, SOURCES, n=1)
    cure = f"did you mean {close[0]}?" if close else f"one of {', '.join(SOURCES)} is wanted"
    raise ExpectationError(f"{source!r} is nothing that can be looked at; {cure}", offset)


def _require_source(source: str, prop: str | None, offset: int) -> None:
    _require_known(source, offset)
    wanted = SOURCES[source].property_name
    facts = SOURCES[source].facts
    if facts is not None:
        if prop is not None and prop not in facts:
            close = difflib.get_close_matches(prop, facts, n=1)
            cure = f"did you mean {source}.{close[0]}?" if close else f"{source} has one of {', '.join(facts)}"
            raise ExpectationError(f"{source}.{prop} is not known; {cure}", offset)
        return
    if wanted is None and prop is not None:
        raise ExpectationError(f"{source} takes no property; remove {prop!r}", offset)
    if wanted is not None and not prop:
        raise ExpectationError(f"{source} wants {wanted}", offset)
    if prop is not None and not _has_name(prop):
        require_property(source, prop, offset)


def require_property(source: str, prop: str, offset: int = 0) -> None:
    """Raises `ExpectationError` when `prop`, filled, is no path or selector such as `source` wants."""
    try:
        _REQUIRE.get(source, str)(prop)
    except ValueError as fault:
        raise ExpectationError(str(fault), offset) from None


def _require_countable(source: str, prop: str | None, offset: int) -> None:
    if not SOURCES[source].counts:
        able = [name for name, one in SOURCES.items() if one.counts]
        raise ExpectationError(f"{source} cannot be counted; {', '.join(able[:-1])} and {able[-1]} can", offset)
    if source == "xpath" and prop is not None and not _has_name(prop) and not require_xpath(prop):
        raise ExpectationError(f"{prop!r} finds no nodes, so there is nothing to count; compare it without count", offset)


def _require_comparison(comparison: str, source: str, holds: Holds, offset: int, shown: str = "") -> None:
    if comparison not in COMPARISONS:
        close = difflib.get_close_matches(comparison, COMPARISONS, n=1)
        cure = f"did you mean {close[0]}?" if close else f"one of {', '.join(ALLOWED[holds])} is wanted"
        raise ExpectationError(f"{shown or comparison!r} is not a comparison; {cure}", offset)
    if comparison not in ALLOWED[holds]:
        raise ExpectationError(f"{comparison} makes no sense for {source}; one of {', '.join(ALLOWED[holds])} does", offset)


def _written(source: str, prop: str | None, counted: bool, negated: bool, comparison: str, target: Any) -> str:
    words = [f"{source}.{prop}" if prop and _has_facts(source) else source]
    if prop and not _has_facts(source):
        words.append(prop if source == "json" else f"'{prop}'" if prop in COMPARISONS else _quoted(prop))
    if counted:
        words.append("count")
    if negated:
        words.append("not")
    words.append(comparison)
    if comparison == "between":
        words.append(f"{_quoted(target[0])} and {_quoted(target[1])}")
    elif comparison == "in":
        words.append(f"[{', '.join(_quoted(item) for item in target)}]")
    elif comparison != "exists":
        words.append(_quoted(target))
    return " ".join(words)


def _quoted(value: Any) -> str:
    """`value` so that it reads back as itself; a text that could be taken for a number or a word of JSON stays a text."""
    if isinstance(value, str):
        bare = re.fullmatch(r"[\w.%+-]+", value) and _literal(value) == value
        return value if bare else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return json.dumps(value, ensure_ascii=False)
