"""Facts of a TLS connection, from the handshake that carried the request."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """The server's own certificate, kept for the facts that only it can tell."""

    der: bytes

    def facts(self) -> dict[str, Any]:
        """`key_type` (`RSA`, `EC`, `Ed25519` …) and `key_bits`; empty when the certificate cannot be read."""
        # 13 MiB: only for journeys that look at the key.
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

        try:
            key = x509.load_der_x509_certificate(self.der).public_key()
        except (ValueError, UnsupportedAlgorithm):
            return {}
        if isinstance(key, rsa.RSAPublicKey):
            return {"key_type": "RSA", "key_bits": key.key_size}
        if isinstance(key, ec.EllipticCurvePublicKey):
            return {"key_type": "EC", "key_bits": key.key_size}
        if isinstance(key, ed25519.Ed25519PublicKey):
            return {"key_type": "Ed25519", "key_bits": 256}
        if isinstance(key, ed448.Ed448PublicKey):
            return {"key_type": "Ed448", "key_bits": 456}
        return {"key_type": type(key).__name__.removesuffix("PublicKey").lstrip("_")}


def tls_facts(connection: ssl.SSLObject | ssl.SSLSocket | None, now: float) -> dict[str, Any]:
    """By the names of `expectation.TLS_FACTS`; `now` is in seconds since the epoch. Empty without TLS.

    `expires_in` looks at the whole chain where Python shows it, else at the server's own certificate. Under `certificate`
    lies a `PeerCertificate` for the facts of its key, which are read when first asked for.
    """
    if connection is None:
        return {}
    facts: dict[str, Any] = {}
    version, cipher = connection.version(), connection.cipher()
    if version:
        facts["protocol"] = facts["version"] = version
    if cipher:
        facts["cipher"] = cipher[0]
    chain = chain_of(connection)
    if chain:
        facts |= certificate_facts(chain[0])
        facts["expires_in"] = min(ends_at(one) for one in chain) - now
    der = connection.getpeercert(binary_form=True)
    if der:
        facts["certificate"] = PeerCertificate(der)
    return facts


def certificate_facts(certificate: Mapping[str, Any]) -> dict[str, Any]:
    """Issuer, subject and names of one certificate of `chain_of`."""
    facts: dict[str, Any] = {name: _written(certificate[name]) for name in ("issuer", "subject") if certificate.get(name)}
    facts["san"] = [str(value) for kind, value in certificate.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    return facts


def chain_of(connection: ssl.SSLObject | ssl.SSLSocket) -> list[Mapping[str, Any]]:
    """The certificates of the handshake as `getpeercert` writes them, the server's own first.

    With verification on it is the chain that was verified, with it off the one that was sent. Python shows chains in public
    from 3.13, and then as bytes; what lies beneath shows them readable in every version we run on. Should it ever be
    gone, the server's own certificate is left, if it was verified.
    """
    beneath = getattr(connection, "_sslobj", None)
    verified = connection.context.verify_mode is not ssl.CERT_NONE
    show = getattr(beneath, "get_verified_chain" if verified else "get_unverified_chain", None)
    try:
        chain = [certificate.get_info() for certificate in (show() if show is not None else ()) or ()]
    except (ssl.SSLError, ValueError, AttributeError):
        chain = []
    if chain:
        return chain
    own = connection.getpeercert()
    return [own] if own else []


def ends_at(certificate: Mapping[str, Any]) -> float:
    """When a certificate runs out, in seconds since the epoch."""
    return _seconds(str(certificate["notAfter"]))


def begins_at(certificate: Mapping[str, Any]) -> float:
    """When a certificate begins to hold, in seconds since the epoch."""
    return _seconds(str(certificate["notBefore"]))


@lru_cache(maxsize=4096)
def _seconds(written: str) -> float:
    """The same few certificates come again with every run."""
    return ssl.cert_time_to_seconds(written)


def _written(name: Any) -> str:
    """`commonName=R11, organizationName=Let's Encrypt`, the most telling part first."""
    pairs = [pair for group in name for pair in group]
    pairs.sort(key=lambda pair: pair[0] != "commonName")
    return ", ".join(f"{key}={value}" for key, value in pairs)
