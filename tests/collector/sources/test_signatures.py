"""Signatures of vendors: vectors worked out apart from the product, and everything that must not pass."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.sources.configured import webhook_of
from sojourn_collector.sources.signatures import Delivery, HmacSignature, SharedToken, SignatureError
from sojourn_collector.sources_config import VENDORS

BODY = b'{"a":1}'
AT = datetime.fromtimestamp(1_700_000_000, UTC)
VECTORS: dict[str, tuple[bytes, dict[str, str]]] = {
    "zendesk": (
        b"secret",
        {
            "x-zendesk-webhook-signature": "YEVoXKkSEY9ncncYgdJ6eZ3bLvYN4pXbfjUjQ88X0x8=",
            "x-zendesk-webhook-signature-timestamp": "2023-11-14T22:13:20Z",
        },
    ),
    "typeform": (b"secret", {"typeform-signature": "sha256=qp4uNXX11wmLbKzNeQiIw21f22M0KnO62i1qUXR6hJQ="}),
    "hubspot": (
        b"secret",
        {"x-hubspot-signature-v3": "R6jCtlzoyVjWFJrFK0EC/G8lsjLLV3lX+THexyZg1pw=", "x-hubspot-request-timestamp": "1700000000000"},
    ),
    "surveymonkey": (b"cid&secret", {"sm-signature": "eBH0ggBTyKhsyH3sDRDOrM2YuoM="}),
    "formbricks": (
        b"whsec_c2VjcmV0",
        {"webhook-signature": "v1,Q5nZ7DiOGwijBBqvBVAK6c0zDr2JLkXI7TaV4f+Q2vY=", "webhook-id": "msg_1", "webhook-timestamp": "1700000000"},
    ),
    "delighted": (b"secret", {"x-delighted-webhook-signature": "sha256=aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494"}),
    "intercom": (b"secret", {"x-hub-signature": "sha1=f8446672f033e4b2beafc5ca3a71eafcd2cafb6e"}),
    "chatwoot": (
        b"secret",
        {
            "x-chatwoot-signature": "sha256=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686",
            "x-chatwoot-timestamp": "1700000000",
        },
    ),
    "shopify": (b"secret", {"x-shopify-hmac-sha256": "qp4uNXX11wmLbKzNeQiIw21f22M0KnO62i1qUXR6hJQ="}),
    "posthog": (b"secret", {"x-sojourn-token": "secret"}),
    "sentry": (b"secret", {"sentry-hook-signature": "aa9e2e3575f5d7098b6caccd790888c36d5fdb63342a73bada2d6a51747a8494"}),
    "segment": (b"secret", {"x-signature": "f8446672f033e4b2beafc5ca3a71eafcd2cafb6e"}),
    "stripe": (b"secret", {"stripe-signature": "t=1700000000,v1=49f24e537407743fa4a0242bb63b94b9a47ee99cbbe071ccd8a22550ae411686,v0=abc"}),
}
"""Secret and headers of `BODY`, by vendor."""


def delivery(headers: dict[str, str], body: bytes = BODY) -> Delivery:
    """A request as it came."""
    return Delivery("POST", "https://c.example/in/hubspot", headers, body)


def check(vendor: str, headers: dict[str, str], *secrets: bytes, body: bytes = BODY, now: datetime = AT) -> None:
    """What the vendor's adapter does."""
    webhook_of(vendor).signature.check(delivery(headers, body), secrets, now)


@pytest.mark.parametrize("vendor", VECTORS)
def test_the_vector_of_every_signature(vendor: str) -> None:
    """What was signed elsewhere with the documented recipe passes, with either of two secrets."""
    secret, headers = VECTORS[vendor]
    check(vendor, headers, secret)
    check(vendor, headers, b"the newer one", secret)


def test_every_vendor_has_a_vector() -> None:
    """A vendor of the list without one is not done; Qualtrics signs in the body, and has its own below."""
    assert VENDORS.keys() - VECTORS.keys() == {"qualtrics"}


@pytest.mark.parametrize("vendor", VECTORS)
@given(place=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_one_bit_of_the_body_changed(vendor: str, place: int, bit: int) -> None:
    """Any bit of the body that is another is refused."""
    changed = bytearray(BODY)
    changed[place] ^= 1 << bit
    secret, headers = VECTORS[vendor]
    if isinstance(webhook_of(vendor).signature, HmacSignature):
        with pytest.raises(SignatureError):
            check(vendor, headers, secret, body=bytes(changed))


@pytest.mark.parametrize("vendor", VECTORS)
def test_another_secret_and_another_signature(vendor: str) -> None:
    """A wrong secret, no secret, and a signature that is cut, empty, not text or of another body are refused with a sentence that tells no secret."""
    secret, headers = VECTORS[vendor]
    name = webhook_of(vendor).signature.header
    for secrets in ([b"wrong"], []):
        with pytest.raises(SignatureError):
            check(vendor, headers, *secrets)
    for value in ("", headers[name][:5], "x", "é\udcff", "t=,v1=", headers[name] * 500, "v1," * 1000):
        with pytest.raises(SignatureError) as refused:
            check(vendor, headers | {name: value}, secret)
        assert "\n" not in str(refused.value)
        assert secret.decode() not in str(refused.value).replace("the secret of this source", "")


TIMED = [vendor for vendor in VECTORS if isinstance(signature := webhook_of(vendor).signature, HmacSignature) and signature.clock is not None]


@pytest.mark.parametrize("vendor", TIMED)
def test_a_signature_gets_old(vendor: str) -> None:
    """Where a time is signed, five minutes are the limit in both directions."""
    secret, headers = VECTORS[vendor]
    for seconds in (-300, 300):
        check(vendor, headers, secret, now=AT + timedelta(seconds=seconds))
    for seconds in (-301, 301):
        with pytest.raises(SignatureError, match=r"301 s away from this clock, more than 300 s"):
            check(vendor, headers, secret, now=AT + timedelta(seconds=seconds))


@pytest.mark.parametrize("vendor", TIMED)
def test_a_time_that_is_none(vendor: str) -> None:
    """A signed time that is missing, huge or no time is refused, not an error of ours."""
    secret, headers = VECTORS[vendor]
    clockless = {key: value for key, value in headers.items() if "time" not in key}
    for time in ("", "x", "9" * 14, "9" * 400, "-1", "²", "2023-13-01T00:00:00Z"):
        given = clockless | {key: time for key in headers if "time" in key}
        if "stripe-signature" in headers:
            given = {"stripe-signature": headers["stripe-signature"].replace("1700000000", time)}
        with pytest.raises(SignatureError):
            check(vendor, given, secret)


@pytest.mark.parametrize("form", ["MSG={}", "", "MSG={}&HMAC=", "HMAC=é", "&" * 500, "MSG={}&HMAC=" + "0" * 128, "MSG=%7B%7D&HMAC=0"])
def test_a_form_that_is_not_signed(form: str) -> None:
    """A form of Qualtrics' without its HMAC, with another, or with too many fields is refused; SHA-512 over the field passes."""
    message = '{"a":1}'
    signed = f"MSG=%7B%22a%22%3A1%7D&HMAC={hmac.new(b'secret', message.encode(), hashlib.sha512).hexdigest()}"
    check("qualtrics", {}, b"before", b"secret", body=signed.encode())
    with pytest.raises(SignatureError):
        check("qualtrics", {}, b"secret", body=form.encode())


def test_a_shared_token() -> None:
    """A word in a header passes as it is and with its prefix, and nothing else does."""
    token = SharedToken("x-token", "Token ")
    token.check(delivery({"x-token": "Token word"}), [b"old", b"word"], AT)
    for value in ("", "Token wor", "Token ", "word2"):
        with pytest.raises(SignatureError):
            token.check(delivery({"x-token": value}), [b"word"], AT)
