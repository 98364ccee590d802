"""How vendors sign what they send: an HMAC over the raw bytes, in a header. Compared in constant time, with the newest secret and the one before it."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol
from urllib.parse import unquote

WINDOW = 300.0
"""Seconds a signed time may differ from this clock."""
_LONGEST_HEADER = 4096


class SignatureError(ValueError):
    """A delivery that is not proven to be the vendor's; the text is one sentence."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it came. Header names are in small letters; `url` is the address under which the vendor calls us, where it signs that."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What a delivery says of itself: signatures, any of which may be right, and the text of the time they are of."""

    signatures: tuple[str, ...]
    time: str = ""


class Signature(Protocol):
    """One vendor's way to sign."""

    @property
    def header(self) -> str:
        """The header without which nothing is read; empty where the signature stands in the body."""
        ...

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:
        """Raises SignatureError unless one of the secrets made it, and lately where its time is signed."""
        ...


def _body(delivery: Delivery, _time: str) -> bytes:
    return delivery.body


def time_then_body(delivery: Delivery, time: str) -> bytes:
    """As Zendesk signs."""
    return time.encode() + delivery.body


def time_dot_body(delivery: Delivery, time: str) -> bytes:
    """As Stripe and Chatwoot sign."""
    return time.encode() + b"." + delivery.body


def method_url_body_time(delivery: Delivery, time: str) -> bytes:
    """As HubSpot signs in version 3: of the address these escapes are read that it lists, and no others."""
    url = re.sub(r"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", lambda found: unquote(found[0]), delivery.url, flags=re.IGNORECASE)
    return f"{delivery.method}{url}".encode() + delivery.body + time.encode()


def seconds(text: str) -> datetime:
    """Seconds since 1970. Raises ValueError."""
    return datetime.fromtimestamp(_digits(text), UTC)


def milliseconds(text: str) -> datetime:
    """Milliseconds since 1970. Raises ValueError."""
    return datetime.fromtimestamp(_digits(text) / 1000, UTC)


def iso(text: str) -> datetime:
    """RFC 3339. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _digits(text: str) -> int:
    if not re.fullmatch(r"\d{1,14}", text, re.ASCII):
        raise ValueError("not a number of seconds")
    return int(text)


@dataclass(frozen=True, slots=True)
class HmacSignature:
    """An HMAC of the secret over `signed`, in `header` behind `prefix`.

    `claim` reads other forms of the header than one signature. `clock` reads the signed time, which is in `time_header` unless `claim` finds it;
    without it the vendor signs no time, and only ids already seen tell a repetition. `key` makes the HMAC's key of a secret.
    """

    header: str
    digest: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    signed: Callable[[Delivery, str], bytes] = _body
    clock: Callable[[str], datetime] | None = None
    time_header: str = ""
    claim: Callable[[Delivery], Claim] | None = None
    key: Callable[[bytes], bytes] = bytes

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:
        """Raises SignatureError. Every secret is tried on every signature, so that the time it takes does not tell which one was close."""
        claim = self._claim(delivery)
        self._fresh(claim, now)
        right = False
        for secret in secrets:
            expected = self._made(secret, delivery, claim.time)
            for given in claim.signatures:
                right |= hmac.compare_digest(expected, given.encode("utf-8", "replace"))
        if not right:
            raise SignatureError(f"The signature in {self.header} is not made with the secret of this source; compare it with the vendor's page.")

    def _claim(self, delivery: Delivery) -> Claim:
        text = delivery.headers.get(self.header, "")
        if not text:
            raise SignatureError(f"The header {self.header} is missing; have the vendor sign what it sends.")
        if len(text) > _LONGEST_HEADER:
            raise SignatureError(f"The header {self.header} is longer than {_LONGEST_HEADER} characters.")
        if self.claim is not None:
            return self.claim(delivery)
        given = text.removeprefix(self.prefix)
        return Claim((given.lower() if self.encoding == "hex" else given,), delivery.headers.get(self.time_header, "") if self.time_header else "")

    def _fresh(self, claim: Claim, now: datetime) -> None:
        if self.clock is None:
            return
        try:
            apart = abs((self.clock(claim.time) - now).total_seconds())
        except (ValueError, OverflowError, OSError):
            raise SignatureError("The time of the signature is missing or cannot be read.") from None
        if apart > WINDOW:
            raise SignatureError(f"The signature is {apart:.0f} s away from this clock, more than {WINDOW:.0f} s; look at the clock of this machine.")

    def _made(self, secret: bytes, delivery: Delivery, time: str) -> bytes:
        made = hmac.new(self.key(secret), self.signed(delivery, time), getattr(hashlib, self.digest))
        return made.hexdigest().encode() if self.encoding == "hex" else base64.b64encode(made.digest())


def stripe_claim(delivery: Delivery) -> Claim:
    """`t=…,v1=…,v1=…`; other versions are ignored."""
    time, signatures = "", []
    for part in delivery.headers["stripe-signature"].split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            time = value
        elif name == "v1":
            signatures.append(value.lower())
    return Claim(tuple(signatures), time)


def standard_claim(delivery: Delivery) -> Claim:
    """Standard Webhooks: signatures apart by blanks, of version 1."""
    given = [part.removeprefix("v1,") for part in delivery.headers["webhook-signature"].split() if part.startswith("v1,")]
    return Claim(tuple(given), delivery.headers.get("webhook-timestamp", ""))


def _id_time_body(delivery: Delivery, time: str) -> bytes:
    return f"{delivery.headers.get('webhook-id', '')}.{time}.".encode() + delivery.body


def standard_key(secret: bytes) -> bytes:
    """What stands in base64 behind `whsec_`; a secret of another form is taken as it is."""
    try:
        return base64.b64decode(secret.removeprefix(b"whsec_"), validate=True)
    except binascii.Error:
        return secret


STANDARD_WEBHOOKS = HmacSignature("webhook-signature", encoding="base64", signed=_id_time_body, clock=seconds, claim=standard_claim, key=standard_key)
"""https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""


@dataclass(frozen=True, slots=True)
class SharedToken:
    """A word that stands in a header as it is, for vendors that sign nothing."""

    header: str
    prefix: str = ""

    def check(self, delivery: Delivery, secrets: Sequence[bytes], now: datetime) -> None:
        """Raises SignatureError."""
        given = delivery.headers.get(self.header, "")
        if not given:
            raise SignatureError(f"The header {self.header} is missing; have the vendor send it.")
        text = given.removeprefix(self.prefix).strip().encode("utf-8", "replace")
        right = False
        for secret in secrets:
            right |= hmac.compare_digest(hashlib.sha256(text).digest(), hashlib.sha256(secret).digest())
        if not right:
            raise SignatureError(f"The header {self.header} does not hold the secret of this source.")
