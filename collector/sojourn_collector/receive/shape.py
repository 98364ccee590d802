"""The outline of a request: its items as they were sent, not looked into. Finding it costs little more than a copy, whatever the sender means.

A span of two bytes takes two hundred once it is parsed, so that a body within its limit could take gigabytes: items are counted before anything is parsed,
and those of a large body are parsed one at a time. The three signals have one outline (opentelemetry-proto 1.x):

    Request { repeated Source=1 }   Source { Resource=1; repeated Group=2 }   Group { Scope=1; repeated item=2 }
"""

from collections.abc import Iterator
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sojourn_collector.store.record import FIXED32, FIXED64, LENGTH, VARINT, read_varint

MOST_ITEMS = 100_000
"""Spans, log records or data points of one request: what a journal file holds."""
COUNTED_AT_ONCE = 1 << 20
"""Bytes up to which protobuf's own reading of the outline is harmless, and then it is the faster one."""
LARGEST_ITEM = 4 << 20
"""Bytes of a single item, or of the attributes of a resource."""


def _outline() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="sojourn/outline.proto", package="sojourn.outline", syntax="proto3")
    fields = descriptor_pb2.FieldDescriptorProto
    for name, parts in {
        "Group": (("scope", 1, False, ""), ("items", 2, True, "")),
        "Source": (("resource", 1, False, ""), ("groups", 2, True, "Group")),
        "Request": (("sources", 1, True, "Source"),),
    }.items():
        message = file.message_type.add(name=name)
        for field, number, repeated, of in parts:
            one = message.field.add(name=field, number=number, label=fields.LABEL_REPEATED if repeated else fields.LABEL_OPTIONAL)
            one.type = fields.TYPE_MESSAGE if of else fields.TYPE_BYTES
            if of:
                one.type_name = f".sojourn.outline.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("sojourn.outline.Request"))


_Request = _outline()


class Outline:
    """A request whose items are bytes. Raises DecodeError when it has no such outline."""

    def __init__(self, body: bytes) -> None:
        self.message = _Request.FromString(body)

    def groups(self) -> Iterator[tuple[Any, Any]]:
        """Every group with its items; these are bytes and may be deleted from."""
        for source in self.message.sources:
            for group in source.groups:
                yield group, group.items

    def heads(self) -> Iterator[tuple[bytes, str]]:
        """Every resource and scope, with which of them it is."""
        for source in self.message.sources:
            yield source.resource, "resource"
            for group in source.groups:
                yield group.scope, "scope"

    def parts(self) -> int:
        """How many sources, groups and items there are."""
        return sum(1 + sum(1 + len(group.items) for group in source.groups) for source in self.message.sources)


def too_many(body: bytes) -> bool:
    """Whether the request has more parts than `MOST_ITEMS`. Raises DecodeError."""
    if len(body) <= COUNTED_AT_ONCE:
        return len(body) > 2 * MOST_ITEMS and Outline(body).parts() > MOST_ITEMS
    return _parts(body, MOST_ITEMS) > MOST_ITEMS


def _parts(body: bytes, most: int) -> int:
    """How many sources, groups and items there are; counted no further than just beyond `most`. Raises DecodeError.

    Our own walk over lengths, because protobuf's makes an object of each part before it can be asked how many there are.
    """
    total = 0
    levels = [(0, len(body))]
    for deep in (1, 2, 2):
        inner = []
        for begin, end in levels:
            for field, at, upto in _fields(body, begin, end):
                if field == deep:
                    inner.append((at, upto))
                    total += 1
                    if total > most:
                        return total
        levels = inner
    return total


def _fields(body: bytes, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Length-delimited fields between two offsets: number, begin and end of the content."""
    try:
        while at < end:
            key, at = read_varint(body, at)
            kind = key & 7
            if kind == LENGTH:
                length, at = read_varint(body, at)
                if at + length > end:
                    raise DecodeError("a field is torn")
                yield key >> 3, at, at + length
                at += length
            elif kind == VARINT:
                _, at = read_varint(body, at)
            elif kind in (FIXED64, FIXED32):
                at += 8 if kind == FIXED64 else 4
            else:
                raise DecodeError("a group or no field")
    except (IndexError, ValueError) as error:
        raise DecodeError("a number is torn") from error


__all__ = ["LARGEST_ITEM", "MOST_ITEMS", "DecodeError", "Outline", "too_many"]
