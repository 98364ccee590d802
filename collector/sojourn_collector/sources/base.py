"""What a source is: a model of one row, and how a row becomes a row of the engine. One file per source; the list is in `__init__`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import AliasChoices, ValidationError

from sojourn_collector.sources.fields import Row
from sojourn_collector.sources.sentences import sentence_of

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What rows are kept under: secrets of probe marks by key id, and the key by which authors of mentions are known without their name."""

    probe_keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    author_key: bytes = field(default=b"", repr=False)


class RowRefused(ValueError):  # noqa: N818 - says what happened
    """A row that cannot be taken; its text is one sentence."""


def latest(said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Of each key what was said last; nothing said is no news."""
    row: dict[str, Any] = {}
    for one in said:
        row |= {key: value for key, value in one.items() if value is not None and value != ""}
    return row


@dataclass(frozen=True, slots=True)
class Source(Generic[R]):
    """One kind of data from outside.

    `model` reads and checks a row. `stored` makes what the inbox keeps of it: the row as sent, personal data scrubbed.
    `engine_row` makes the engine's row of a checked one, without tenant, version and what the join adds; its columns
    `source` and `id` name it. `has_watermark`: senders may say up to when everything has been sent. `fold` makes one row of
    what several events of a vendor say of it, oldest first.
    """

    name: str
    table: str
    model: type[R]
    stored: Callable[[dict[str, Any], R, Secrets], dict[str, Any]]
    engine_row: Callable[[R, datetime], dict[str, Any]]
    has_watermark: bool = False
    fold: Callable[[Sequence[Mapping[str, Any]]], dict[str, Any]] = latest

    def read(self, raw: Any, received: datetime) -> R:
        """Check one row. Raises RowRefused with one sentence."""
        if not isinstance(raw, dict):
            raise RowRefused("the row is not a JSON object")
        try:
            return self.model.model_validate(raw, context={"received": received})
        except ValidationError as error:
            raise RowRefused(sentence_of(error, self.known_keys())) from None

    def names(self) -> set[str]:
        """Every name the model itself takes a key under."""
        found = set(self.model.model_fields)
        for one in self.model.model_fields.values():
            if isinstance(one.validation_alias, AliasChoices):
                found |= {choice for choice in one.validation_alias.choices if isinstance(choice, str)}
        return found

    def known_keys(self) -> set[str]:
        """The keys a row may have."""
        return set(self.model.model_fields)
