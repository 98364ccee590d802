"""Facts of a TLS connection, from the handshake that carried the request."""

import ssl
from typing import Any


def tls_facts(connection: ssl.SSLObject | ssl.SSLSocket | None, now: float) -> dict[str, Any]:
    """By the names of `expectation.TLS_FACTS`; `now` is in seconds since the epoch. Empty without TLS.

    Python gives the certificate's fields only of one it verified, so with `verify: false` only version and cipher are there.
    """
    if connection is None:
        return {}
    facts: dict[str, Any] = {}
    version, cipher = connection.version(), connection.cipher()
    if version:
        facts["version"] = version
    if cipher:
        facts["cipher"] = cipher[0]
    certificate = connection.getpeercert() or {}
    if "notAfter" in certificate:
        facts["expires_in"] = ssl.cert_time_to_seconds(str(certificate["notAfter"])) - now
    for name in ("issuer", "subject"):
        if certificate.get(name):
            facts[name] = _written(certificate[name])
    return facts


def _written(name: Any) -> str:
    """`commonName=R11, organizationName=Let's Encrypt`, the most telling part first."""
    pairs = [pair for group in name for pair in group]
    pairs.sort(key=lambda pair: pair[0] != "commonName")
    return ", ".join(f"{key}={value}" for key, value in pairs)
