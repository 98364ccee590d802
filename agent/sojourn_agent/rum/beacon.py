"""The beacon as it comes over the wire (version 1), read in bounded time and leniently.

A sound beacon is decoded in one go. One with something wrong in it is read again piece by piece: what is bad is left out and
counted, and only what makes a beacon useless (no session, no id, no app) refuses it. The format is described in docs/beacons.md.
"""

import re
from typing import Annotated, Any, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

MAX_BYTES: Final = 65_536
"""Largest body taken; browsers give `sendBeacon` no more."""
MAX_ITEMS: Final = 200
"""Items kept of one beacon; later ones are dropped and counted."""
MAX_ATTRIBUTES: Final = 32
"""Attributes kept of one custom event."""

Hex32 = Annotated[str, Meta(pattern="^(?!0{32})[0-9a-f]{32}\\Z")]
Hex16 = Annotated[str, Meta(pattern="^(?!0{16})[0-9a-f]{16}\\Z")]
Key = Annotated[str, Meta(min_length=1, max_length=128)]
Name = Annotated[str, Meta(min_length=1)]
Millis = Annotated[float, Meta(ge=-1e15, le=1e15)]
Amount = Annotated[float, Meta(ge=-1e12, le=1e12)]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}\\Z")]
Status = Annotated[int, Meta(ge=0, le=999)]


class Cart(Struct, frozen=True):
    """What the cart was worth, in major units."""

    value: Amount
    currency: Currency


class Page(Struct, frozen=True):
    """A page view's id and address."""

    id: str = ""
    url: str = ""
    referrer: str = ""
    title: str = ""


class Session(Struct, frozen=True):
    """The visit."""

    id: Key
    start: Millis | None = None
    previous: Key | None = None


class Device(Struct, frozen=True):
    """What the visitor looks at the page with."""

    type: Literal["desktop", "mobile", "tablet"] | None = None
    browser: str = ""
    os: str = ""
    language: str = ""
    zone: str = ""
    network: str = ""
    webdriver: bool = False


class Item(Struct, frozen=True, tag_field="type", kw_only=True):
    """Something that happened, `at` milliseconds on the client's clock; `page` and `cart` only where they differ from the beacon's."""

    at: Millis
    page: Page | str | None = None
    cart: Cart | None = None


class PageView(Item, frozen=True, tag="page_view", kw_only=True):
    """A page was opened, or a page changed its address without loading."""

    trace: Hex32
    span: Hex16
    parent: Hex16 | None = None
    duration: Millis = 0
    url: str
    nav: str = ""
    channel: str = ""


class ActionTaken(Item, frozen=True, tag="action", kw_only=True):
    """Something the visitor did, as the page named it."""

    name: str
    trace: Hex32
    span: Hex16
    parent: Hex16 | None = None
    duration: Millis = 0
    url: str | None = None


class Fetch(Item, frozen=True, tag="fetch", kw_only=True):
    """A request the page made; `url` is what was asked for, `own` says that its origin is one of those the page counts as its own."""

    trace: Hex32
    span: Hex16
    parent: Hex16 | None = None
    duration: Millis = 0
    method: Annotated[str, Meta(pattern="^[A-Za-z]{1,20}\\Z")] = "GET"
    url: str
    status: Status | None = None
    error: str | None = None
    size: Annotated[int, Meta(ge=0, le=1 << 53)] | None = None
    own: bool = False


class WebVital(Item, frozen=True, tag="web_vital", kw_only=True):
    """A web vital; the same id reports again with a grown value."""

    name: Literal["LCP", "INP", "CLS", "FCP", "TTFB", "lcp", "inp", "cls", "fcp", "ttfb"]
    value: Annotated[float, Meta(ge=0, le=86_400_000)]
    delta: Amount = 0
    id: str = ""
    rating: Literal["good", "needs-improvement", "poor"] | None = None
    nav: str = ""
    url: str | None = None


class ScriptError(Item, frozen=True, tag="error", kw_only=True):
    """An error of the page's own script."""

    name: str = "Error"
    message: str = ""
    stack: str = ""
    trace: Hex32 | None = None
    span: Hex16 | None = None
    url: str | None = None


class Frustration(Item, frozen=True, tag="frustration", kw_only=True):
    """A rage click."""

    name: Literal["rage_click", "dead_click", "error_click"]
    target: str = ""
    url: str | None = None


class Conversion(Item, frozen=True, tag="conversion", kw_only=True):
    """Something was bought or finished."""

    name: Name
    value: Amount | None = None
    currency: Currency | None = None
    order: str | None = None
    url: str | None = None


class Survey(Item, frozen=True, tag="survey", kw_only=True):
    """A survey answered in the page, on its own scale."""

    survey: Name
    kind: Literal["csat", "nps", "ces", "rating", "text"]
    value: Amount | None = None
    scale: tuple[Amount, Amount] | None = None
    comment: str = ""
    url: str | None = None


class CustomEvent(Item, frozen=True, tag="event", kw_only=True):
    """Any other named event."""

    name: Name
    attributes: dict[str, str | float | bool | None] = {}
    url: str | None = None


AnyItem = PageView | ActionTaken | Fetch | WebVital | ScriptError | Frustration | Conversion | Survey | CustomEvent


class Beacon(Struct, kw_only=True):
    """A whole beacon."""

    v: Literal[1]
    id: Key
    app: Key
    session: Session
    sent: Millis | None = None
    consent: Literal["granted", "denied", "unknown"] = "unknown"
    visitor: Key | None = None
    user: Key | None = None
    account: Key | None = None
    sample_rate: Annotated[float, Meta(gt=0, le=1)] = 1.0
    release: str | None = None
    page: Page = Page()
    device: Device = Device()
    cart: Cart | None = None
    probe: Annotated[str, Meta(max_length=256)] | None = None
    items: list[AnyItem] = []


_NOTHING: Final = Raw()


class _Pieces(Struct, kw_only=True):
    """The same with everything that may be left out still undecoded."""

    v: Literal[1]
    id: Key
    app: Key
    session: Raw
    sent: Raw = _NOTHING
    consent: Raw = _NOTHING
    visitor: Raw = _NOTHING
    user: Raw = _NOTHING
    account: Raw = _NOTHING
    sample_rate: Raw = _NOTHING
    release: Raw = _NOTHING
    page: Raw = _NOTHING
    device: Raw = _NOTHING
    cart: Raw = _NOTHING
    probe: Raw = _NOTHING
    items: Raw = _NOTHING


class BeaconError(ValueError):
    """A body that is no beacon; the text is one sentence for whoever sent it."""


_T = TypeVar("_T")
_LONE_SURROGATE = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}")


class BeaconReader:
    """Reads bodies into beacons."""

    def __init__(self) -> None:
        self._whole = msgspec.json.Decoder(Beacon)
        self._pieces = msgspec.json.Decoder(_Pieces)
        self._raws = msgspec.json.Decoder(list[Raw])
        self._item = msgspec.json.Decoder(AnyItem)
        self._fields = {field.name: msgspec.json.Decoder(field.type) for field in msgspec.structs.fields(Beacon)}

    def read(self, body: bytes) -> tuple[Beacon, int]:
        """The beacon in `body` and how many items or fields were left out as bad. Raises `BeaconError`."""
        try:
            beacon, dropped = self._whole.decode(body), 0
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            # Browsers write half of a cut emoji as an escape of its own, which is not UTF-8 of anything.
            beacon, dropped = self._leniently(_LONE_SURROGATE.sub(rb"\\ufffd", body))
        dropped += max(0, len(beacon.items) - MAX_ITEMS)
        del beacon.items[MAX_ITEMS:]
        return beacon, dropped

    def _leniently(self, body: bytes) -> tuple[Beacon, int]:
        try:
            pieces = self._pieces.decode(body)
            session = self._fields["session"].decode(pieces.session)
        except msgspec.ValidationError as fault:
            raise BeaconError(f"not a beacon of version 1: {str(fault)[:200]}") from None
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
            raise BeaconError(_not_json(fault)) from None
        beacon, dropped = Beacon(v=1, id=pieces.id, app=pieces.app, session=session), 0
        for name in ("sent", "consent", "visitor", "user", "account", "sample_rate", "release", "page", "device", "cart", "probe"):
            raw = getattr(pieces, name)
            if bytes(raw) in (b"", b"null"):
                continue
            value = _try(self._fields[name], raw)
            if value is None:
                dropped += 1
            else:
                setattr(beacon, name, value)
        if not bytes(pieces.items):
            return beacon, dropped
        raws = _try(self._raws, pieces.items)
        if raws is None:
            return beacon, dropped + 1
        items = [_try(self._item, raw) for raw in raws[:MAX_ITEMS]]
        beacon.items = [item for item in items if item is not None]
        return beacon, dropped + len(raws) - len(beacon.items)


def _try(decoder: "msgspec.json.Decoder[_T]", raw: Any) -> _T | None:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None


def _not_json(fault: Exception) -> str:
    if isinstance(fault, RecursionError):
        return "the JSON is nested too deeply"
    return f"the body is not JSON: {str(fault)[:200]}"
