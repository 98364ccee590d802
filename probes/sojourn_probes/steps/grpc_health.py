"""The two messages of grpc.health.v1, which are small enough to need no generated code.

Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md
"""

from typing import Final

from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.talk import Broken

HEALTH: Final = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
"""The words of a HealthCheckResponse, by their numbers."""


def health_question(service: str) -> bytes:
    """A HealthCheckRequest: one text, in field 1."""
    text = service.encode()
    size, length = len(text), b""
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return b"\x0a" + length + bytes([size]) + text if text else b""


def health_word(answer: bytes) -> str:
    """The word of a HealthCheckResponse: one number, in field 1; nothing is the number 0, fields of later versions are passed over,
    and a number without a word is said as it is.

    Raises `Broken`.
    """
    from google.protobuf.empty_pb2 import Empty  # type: ignore[import-untyped]
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    from google.protobuf.unknown_fields import UnknownFieldSet  # type: ignore[import-untyped]

    said = Empty()
    try:
        said.ParseFromString(answer)
        numbers = [field.data for field in UnknownFieldSet(said) if field.field_number == 1 and field.wire_type == 0]
    except DecodeError:
        raise Broken(FailureKind.PROTOCOL, "the answer is none of grpc.health.v1") from None
    number = numbers[-1] if numbers else 0
    return HEALTH[number] if number < len(HEALTH) else str(number)
