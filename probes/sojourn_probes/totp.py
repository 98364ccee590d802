"""One-time codes (RFC 6238), as authenticator apps show them."""

import hashlib
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs, urlsplit

from sojourn_probes.errors import SecretMissing
from sojourn_probes.secrets import Secret

LEAST_BITS: Final = 40
"""Bits a key has at least. Short keys are the site's affair: a probe signs in as its customers do."""

_HASHES: Final = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


def totp_code(secret: Secret, now: float) -> str:
    """The code that holds at `now` (seconds since the epoch).

    The secret is what a site shows when one sets up an authenticator app: its key in base32, blanks allowed, or the
    `otpauth://totp/…` address behind the QR code, which also says digits, period and hash. Raises `SecretMissing`.
    """
    # Only for journeys that sign in with codes.
    import pyotp

    class Codes(pyotp.TOTP):
        min_secret_length_bits: ClassVar[int] = LEAST_BITS

    said = secret.reveal().strip()
    try:
        key, more = _of_address(said) if said.startswith("otpauth://") else (said, {})
        return Codes("".join(key.split()).replace("-", "").upper(), **more).at(int(now))
    except (ValueError, KeyError):
        # The library's own words may hold the secret.
        cure = "take the key that the site shows for authenticator apps (letters A-Z and digits 2-7), or its otpauth://totp/ address"
        raise SecretMissing(f"totp.{secret.name}", f"secret {secret.name!r} makes no one-time codes; {cure}") from None


def _of_address(address: str) -> tuple[str, dict[str, Any]]:
    parts = urlsplit(address)
    if parts.netloc != "totp":
        raise ValueError
    said = {name: values[0] for name, values in parse_qs(parts.query).items()}
    more = {"digits": int(said.get("digits", 6)), "interval": int(said.get("period", 30)), "digest": _HASHES[said.get("algorithm", "SHA1").upper()]}
    return said["secret"], more
