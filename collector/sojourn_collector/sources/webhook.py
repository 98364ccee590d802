"""What a vendor's webhook is: how a delivery is proven, cut into events, and what each event says about records of ours.

One file a vendor in `vendors/`. An event changes records (a ticket, an answer, an order); a record is what all its events say together, in the vendor's own
order, so that it does not matter in which order they arrive, or how often.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qsl

from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.body import BodyRefused, json_of
from sojourn_collector.sources.reading import instant_of
from sojourn_collector.sources.signatures import Delivery, Signature
from sojourn_collector.sources_config import SourceSettings

LONGEST_KEY: Final = 256


@dataclass(frozen=True, slots=True)
class Change:
    """What one event says about one record of the source `kind`: `fields` are keys of its row. `time` and `sequence` are the vendor's, for the order.

    `whole`: it says everything there is to say, so that what it leaves out is no longer so. `alone`: no other event ever speaks of the record.
    `aside`: it adds to what other events tell; without them there is no record, and what is whole does not end it. `of`: the record is another
    name for that one, as far as events speak of that.
    """

    kind: str
    id: str
    time: datetime
    fields: Mapping[str, Any]
    sequence: int = 0
    whole: bool = False
    alone: bool = False
    aside: bool = False
    of: str = ""

    def row(self) -> dict[str, Any]:
        """What it says as a row, which may lack what other events say."""
        return {**self.fields, "id": self.id}


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it is kept: the vendor's `body`, what of the headers matters, and the answers of further calls by name."""

    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    fetched: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """As the inbox keeps it."""
        kept: dict[str, Any] = {"event": self.body}
        if self.headers:
            kept["headers"] = dict(self.headers)
        if self.fetched:
            kept["fetched"] = dict(self.fetched)
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":"), default=str)

    @classmethod
    def from_json(cls, text: str) -> "Event":
        """What `to_json` wrote."""
        kept = json.loads(text)
        return cls(kept.get("event"), kept.get("headers", {}), kept.get("fetched", {}))


@dataclass(frozen=True, slots=True)
class Call:
    """A further call to the vendor's API: `path` behind its address. `lasting`: the answer is the same for a while, such as the definition of a form.

    `spared`: the event can be read without it; a vendor that refuses it or has none of it is an answer of None.
    """

    path: str
    lasting: bool = False
    spared: bool = False
    keep: Callable[[Any], Any] = lambda answer: answer
    """Takes of the answer what is of use."""
    staff: Callable[[Any], Any] = lambda answer: answer
    """Before personal data is taken out: puts what may be kept of people of your own, such as what to call them, under another key."""


def one_event(body: Any) -> list[Any]:
    """The delivery is one event."""
    return [body]


def no_calls(_event: Event, _settings: SourceSettings) -> Mapping[str, Call]:
    """The event says it all."""
    return {}


def no_greeting(_body: Any) -> bool:
    """Every event says something."""
    return False


def from_body(delivery: Delivery) -> Any:
    """The JSON of the body; None for an empty one. Raises BodyRefused."""
    return json_of(delivery.body) if delivery.body.strip() else None


def from_form(name: str, *others: str) -> Callable[[Delivery], Any]:
    """JSON that stands in a field of a form, beside which `others` are kept as they are."""

    def read(delivery: Delivery) -> Any:
        fields = dict(parse_qsl(delivery.body.decode("utf-8", "replace"), max_num_fields=100))
        if name not in fields:
            raise BodyRefused(f"The form has no field {name}.")
        return {**{key: value for key, value in fields.items() if key != name and key in others}, name: json_of(fields[name].encode())}

    return read


@dataclass(frozen=True, slots=True)
class Webhook:
    """One vendor.

    `key` gives the id by which an event is known when it comes again. `changes` says what it means; an event of no interest means nothing.
    `calls` names what has to be asked first at `api`. `headers` are kept beside the body. `drops` are
    keys that hold a person's data and are of no use.
    """

    name: str
    signature: Signature
    key: Callable[[Event], str]
    changes: Callable[[Event, SourceSettings], Sequence[Change]]
    read: Callable[[Delivery], Any] = from_body
    events: Callable[[Any], Sequence[Any]] = one_event
    calls: Callable[[Event, SourceSettings], Mapping[str, Call]] = no_calls
    api: str = ""
    api_header: str = "authorization"
    api_prefix: str = "Bearer "
    headers: tuple[str, ...] = ()
    drops: frozenset[str] = frozenset()
    repeats: Callable[[Delivery], bytes] | None = None
    """Where the key stands in a header that is not signed: what is, so that an overheard delivery is not a new event under another key."""
    greets: Callable[[Any], bool] = no_greeting
    """Whether an event says nothing and only looks whether somebody answers: it is answered and never kept."""
    greets_unproven: bool = False
    """It greets with a secret that nobody was told yet, so its greeting is answered without proof."""
    unsigned: bool = False
    """Some releases of it sign nothing; without a secret a key of ours is asked for."""

    def event_key(self, event: Event) -> str:
        """The checked key. Raises RowRefused."""
        key = self.key(event)
        if not key or len(key) > LONGEST_KEY:
            raise RowRefused("the event has no id that could be kept")
        return key


def time_of(text: str, place: str) -> datetime:
    """The vendor's time of an event. Raises RowRefused."""
    found = instant_of(text)
    if found is None:
        raise RowRefused(f"{place} is no time with a zone")
    return found
