"""What a TLS handshake failed of, as a sentence with cause and cure. Chosen by the error's type and code, never by its text."""

import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sojourn_probes.steps.tls_facts import begins_at, certificate_facts, ends_at
from sojourn_probes.units import show_duration

CLOCK_DAYS: Final = 366
"""A certificate that ran out longer ago than this (in days) is not explained by a clock that is ahead."""

NOT_YET_VALID: Final = 9
EXPIRED: Final = 10
SELF_SIGNED: Final = 18
ROOT_UNKNOWN: Final = 19
ISSUER_UNKNOWN: Final = (2, 20, 21, 27)
WRONG_HOST: Final = (62, 64)
WEAK: Final = (66, 67, 68)

_OLD_PROTOCOL: Final = ("TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION", "NO_PROTOCOLS_AVAILABLE", "VERSION_TOO_LOW")
_NOT_TLS: Final = ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST", "UNEXPECTED_MESSAGE", "RECORD_LAYER_FAILURE", "BAD_RECORD_TYPE")
_WANTS_CLIENT: Final = ("TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_CERTIFICATE_REQUIRED")
_NO_COMMON: Final = ("SSLV3_ALERT_HANDSHAKE_FAILURE", "SSL/TLS_ALERT_HANDSHAKE_FAILURE", "NO_SHARED_CIPHER", "NO_CIPHERS_AVAILABLE")
_REFUSED_OURS: Final = (
    "SSLV3_ALERT_BAD_CERTIFICATE",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED",
    "SSLV3_ALERT_CERTIFICATE_REVOKED",
    "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
    "SSLV3_ALERT_UNSUPPORTED_CERTIFICATE",
    "TLSV1_ALERT_UNKNOWN_CA",
    "TLSV1_ALERT_ACCESS_DENIED",
    "TLSV1_ALERT_DECRYPT_ERROR",
)
_UNKNOWN_NAME: Final = ("TLSV1_UNRECOGNIZED_NAME", "SSL/TLS_ALERT_UNRECOGNIZED_NAME")

CLOSED: Final = "the server closed the connection in the middle of the TLS handshake; it may speak no TLS on this port, or its own log says why"
"""For a connection that ends before the handshake does."""

SILENT: Final = "the server took the connection but is silent in the TLS handshake; it may speak no TLS on this port, or want starttls, or hang"
"""For a handshake that the deadline ended."""


def tls_words(fault: ssl.SSLError | None, host: str, chain: Sequence[Mapping[str, Any]] = (), now: float = 0.0) -> str:
    """One sentence for `fault` of a handshake with `host`; None when the connection simply ended.

    `chain` holds the certificates the server sent (`tls_facts.chain_of`), if they are known, and `now` the present time: with
    them the sentence says since when, for whom, and who signed.
    """
    if isinstance(fault, ssl.SSLCertVerificationError):
        return _certificate_words(fault, host, chain, now)
    if fault is None or isinstance(fault, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return CLOSED
    return _handshake_words(fault.reason or "")


def _handshake_words(reason: str) -> str:
    if reason in _OLD_PROTOCOL:
        return "the server speaks no TLS version this probe takes; it may have old, unsafe ones only: turn on TLS 1.2 or newer there"
    if reason in _NOT_TLS:
        return "what the server answers is no TLS; it speaks plain text on this port: use its TLS port, or starttls"
    if reason in _WANTS_CLIENT:
        return "the server wants a client certificate; give one with cert_file and key_file"
    if reason in _REFUSED_OURS:
        return f"the server does not take this probe's certificate ({_plain(reason)}); see cert_file, or the server's list of authorities"
    if reason in _NO_COMMON:
        return "the server refused the handshake; it may want a client certificate (cert_file), another server_name, or ciphers this probe has not"
    if reason in _UNKNOWN_NAME:
        return "the server does not know the name asked for; set server_name to one it serves"
    return f"the TLS handshake failed ({_plain(reason) or 'no reason given'}); the server's log may say more"


def _plain(reason: str) -> str:
    return reason.replace("_", " ").lower()


def _certificate_words(fault: ssl.SSLCertVerificationError, host: str, chain: Sequence[Mapping[str, Any]], now: float) -> str:
    code = fault.verify_code
    own = chain[0] if chain else None
    if code == EXPIRED:
        return _expired(chain, now)
    if code == NOT_YET_VALID:
        return _not_yet(chain, now)
    if code in WRONG_HOST:
        if own is None:
            return f"the certificate is not for {host}; get one that names it"
        names = ", ".join(certificate_facts(own)["san"][:5])
        return f"the certificate is not for {host}; it is for {names or 'no host at all'}: get one with this name, or set server_name"
    if code == SELF_SIGNED:
        return "the certificate is self-signed, nobody vouches for it; get one from an authority, or trust it with ca_file"
    if code == ROOT_UNKNOWN:
        root = f" ({certificate_facts(chain[-1]).get('subject', '')})" if chain else ""
        return f"the chain ends at an authority that is not trusted here{root}; trust it with ca_file"
    if code in ISSUER_UNKNOWN:
        return _issuer_unknown(chain)
    if code in WEAK:
        return "a key or signature in the chain is too weak to be trusted; get a certificate with a stronger one"
    return f"the certificate is not good: {fault.verify_message}"


def _expired(chain: Sequence[Mapping[str, Any]], now: float) -> str:
    cure = "renew it on the server"
    if not chain:
        return f"the certificate has expired; {cure}, or this machine's clock is wrong"
    which = min(range(len(chain)), key=lambda index: ends_at(chain[index]))
    ended = now - ends_at(chain[which])
    name = "the certificate" if which == 0 else f"a certificate of the chain ({certificate_facts(chain[which]).get('subject', '')})"
    if ended < 0:  # what has run out is not among what the server sent
        return "a certificate of the chain has expired; renew it on the server"
    clock = ", or this machine's clock is wrong" if ended < CLOCK_DAYS * 86400 else ""
    return f"{name} expired {show_duration(ended)} ago; {cure}{clock}"


def _not_yet(chain: Sequence[Mapping[str, Any]], now: float) -> str:
    wait = max((begins_at(one) - now for one in chain), default=0.0)
    when = f" for another {show_duration(wait)}" if wait > 0 else ""
    return f"the certificate is not valid yet{when}; the server has it too early, or this machine's clock is wrong"


def _issuer_unknown(chain: Sequence[Mapping[str, Any]]) -> str:
    if not chain:
        return "the certificate's issuer is not known here; the server must send its whole chain, or trust the authority with ca_file"
    issuer = certificate_facts(chain[-1]).get("issuer", "")
    if len(chain) == 1:
        alone = f"the server sent its own certificate alone, and its issuer ({issuer}) is not known here"
        return f"{alone}; let the server send its whole chain, or trust the issuer with ca_file"
    return f"the chain is signed by an authority not trusted here ({issuer}); trust it with ca_file"
