"""Which items of an OTLP request are a subject's, and the request without them. An item is a span, a log record or a data point."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sojourn_collector.store.erasure.statements import IDENTITY
from sojourn_collector.store.erasure.subject import Names, pattern
from sojourn_collector.store.letters import REQUESTS

_SCOPES = ("scope_spans", "scope_logs", "scope_metrics")
_ITEMS = ("spans", "log_records", "metrics")
_SHORTEST = 4
"""Characters below which a name is not looked for in bytes that cannot be read: it would be found in any of them."""


@dataclass(frozen=True, slots=True)
class Cut:
    """A request without a subject's items: how many went, how many are left (then `body` holds them)."""

    body: bytes
    gone: int
    left: int


class Seeker:
    """Looks for one subject's names. Theirs is an item by its trace, by an attribute that names them, its own or its scope's or resource's, or by a word."""

    def __init__(self, names: Names) -> None:
        self._known = names.known
        self._traces = frozenset(bytes.fromhex(trace) for trace in names.traces)
        words = names.words()
        self._text = pattern(words) if words else None
        self._bytes = [one.encode() for one in self._known] + list(self._traces)
        self._numbers = any(one.lstrip("-").isdigit() for one in self._known)

    def cut(self, signal: str, body: bytes) -> Cut:
        """The request without their items. Raises DecodeError for a body that is no request."""
        message = _parsed(signal, body)
        gone = left = 0
        for around, items in _groups(message):
            all_of_it = any(self._speaks(one) for one in around)
            for index in reversed(range(len(items))):
                if all_of_it or self._is_theirs(items[index]):
                    del items[index]
                    gone += 1
            left += len(items)
        if not gone:
            return Cut(body, 0, left)
        _without_empty(message)
        return Cut(message.SerializeToString(), gone, left)

    def items(self, signal: str, body: bytes) -> Iterator[Any]:
        """Their items. Raises DecodeError."""
        for around, items in _groups(_parsed(signal, body)):
            all_of_it = any(self._speaks(one) for one in around)
            yield from (item for item in items if all_of_it or self._is_theirs(item))

    def may_be_in(self, body: bytes) -> bool:
        """A quick look: False when none of their items can be in it. A number may be written in ways that are not its digits."""
        return self._numbers or any(one in body for one in self._bytes)

    def is_in(self, raw: bytes) -> bool:
        """Whether bytes that cannot be read as a request speak of them: a name with its length before it, as protobuf writes texts, or a word anywhere."""
        marked = [bytes([len(one)]) + one for name in self._known if _SHORTEST <= len(one := name.encode()) < 128]
        return any(one in raw for one in marked) or bool(self._text and self._text.search(raw.decode("latin-1")))

    def _is_theirs(self, item: Any) -> bool:
        return getattr(item, "trace_id", b"") in self._traces or self._speaks(item)

    def _speaks(self, message: Any) -> bool:
        if message.DESCRIPTOR.name == "KeyValue" and message.key in IDENTITY and _plain(message.value) in self._known:
            return True
        for field, value in message.ListFields():
            for one in value if field.is_repeated else (value,):
                if field.message_type is not None:
                    if self._speaks(one):
                        return True
                elif isinstance(one, str) and self._text is not None and self._text.search(one):
                    return True
        return False


def named(signal: str, body: bytes) -> Iterator[tuple[str, str]]:
    """Key and value of every attribute that names somebody, wherever it stands. Raises DecodeError."""
    yield from _named(_parsed(signal, body))


def _named(message: Any) -> Iterator[tuple[str, str]]:
    if message.DESCRIPTOR.name == "KeyValue" and message.key in IDENTITY:
        yield message.key, _plain(message.value)
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in value if field.is_repeated else (value,):
                yield from _named(one)


def _parsed(signal: str, body: bytes) -> Any:
    if signal not in REQUESTS:
        raise DecodeError(f"{signal} is no signal")
    return REQUESTS[signal].FromString(body)


def _groups(message: Any) -> Iterator[tuple[tuple[Any, Any], Any]]:
    """Resource with scope, and items, of every scope, or of every metric."""
    for source, scope in _scopes(message):
        for items in _ITEMS:
            if not hasattr(scope, items):
                continue
            if items != "metrics":
                yield (source.resource, scope.scope), getattr(scope, items)
                continue
            for metric in scope.metrics:
                if (points := _points(metric)) is not None:
                    yield (source.resource, scope.scope), points


def _scopes(message: Any) -> Iterator[tuple[Any, Any]]:
    for group in message.DESCRIPTOR.fields:
        for source in getattr(message, group.name):
            for scopes in _SCOPES:
                for scope in getattr(source, scopes, ()):
                    yield source, scope


def _points(metric: Any) -> Any:
    kind = metric.WhichOneof("data")
    return None if kind is None else getattr(metric, kind).data_points


def _without_empty(message: Any) -> None:
    """Metrics, scopes and resources of which nothing is left."""
    for _, scope in _scopes(message):
        if hasattr(scope, "metrics"):
            _drop(scope.metrics, (not _points(metric) for metric in scope.metrics))
    for group in message.DESCRIPTOR.fields:
        sources = getattr(message, group.name)
        for source in sources:
            for scopes in (getattr(source, name) for name in _SCOPES if hasattr(source, name)):
                _drop(scopes, (not any(len(getattr(scope, items)) for items in _ITEMS if hasattr(scope, items)) for scope in scopes))
        _drop(sources, (not any(len(getattr(source, name)) for name in _SCOPES if hasattr(source, name)) for source in sources))


def _drop(holder: Any, empty: Iterable[bool]) -> None:
    for index, gone in reversed(list(enumerate(empty))):
        if gone:
            del holder[index]


def _plain(value: Any) -> str:
    """A value as the tables write it."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return str(value.string_value)
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    return str(value.int_value) if kind == "int_value" else f"{value.double_value:.17g}" if kind == "double_value" else ""
