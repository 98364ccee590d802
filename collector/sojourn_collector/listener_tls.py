"""TLS of the listeners: certificates from files, read again when they are renewed, and who a sender's certificate says it is."""

import hashlib
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sojourn_collector.config import ListenerTls, OtlpTls

LONGEST_SENDER = 64


class TlsFilesError(Exception):
    """Certificate or key cannot be used; the text says which and why."""


class Pem(NamedTuple):
    """What is served, as gRPC wants it."""

    key: bytes
    chain: bytes
    authorities: bytes | None


class ServerTls:
    """The context of one listener, and the same as `pem`. `renew` takes up files that have changed; handshakes after it use them."""

    def __init__(self, settings: ListenerTls, key: str) -> None:
        """`key` names the settings in collector.yaml. Raises TlsFilesError."""
        self.settings, self._key = settings, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._seen = self._stamp()
        self.pem = Pem(*self._loaded(), self._authorities())

    def renew(self) -> bool:
        """Read the files again when they have changed; True when they were. Raises TlsFilesError, then the old ones are used on."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        key, chain = self._loaded()
        if self._stamp() != stamp:
            return False  # they are being written; the next look takes them up
        self.pem, self._seen = Pem(key, chain, self.pem.authorities), stamp
        return True

    def _loaded(self) -> tuple[bytes, bytes]:
        """Key and chain, now in the context."""
        settings = self.settings
        try:
            key, chain = (settings.key_file or settings.cert_file).read_bytes(), settings.cert_file.read_bytes()
            # First into a context that nobody uses: what fails half-way, such as a new certificate before its new key, would leave none in ours.
            for context in (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), self.context):
                # Without the callback a key with a password would be asked for on the terminal.
                context.load_cert_chain(settings.cert_file, settings.key_file, password=lambda: "")
            return key, chain
        except (OSError, ssl.SSLError) as error:
            files = " and ".join(str(file) for file in (settings.cert_file, settings.key_file) if file is not None)
            raise TlsFilesError(
                f"{self._key}: {files} cannot be used ({_why(error)}); cert_file is a chain in PEM, key_file its key without a password"
            ) from error

    def _authorities(self) -> bytes | None:
        """Authorities of clients, now in the context; None where no certificate is asked for."""
        file = self.settings.client_ca_file if isinstance(self.settings, OtlpTls) else None
        if file is None:
            return None
        try:
            self.context.load_verify_locations(file)
            self.context.verify_mode = ssl.CERT_REQUIRED
            return file.read_bytes()
        except (OSError, ssl.SSLError) as error:
            raise TlsFilesError(f"{self._key}.client_ca_file: {file} cannot be used ({_why(error)}); give it certificates in PEM") from error

    def _stamp(self) -> tuple[int, ...]:
        files: Iterable[Path] = (file for file in (self.settings.cert_file, self.settings.key_file) if file is not None)
        return tuple(file.stat().st_mtime_ns if file.exists() else 0 for file in files)


def sender_of(certificate: Mapping[str, Any] | None) -> str | None:
    """Who a verified certificate names, as `ssl` tells it: its first URI (SPIFFE), else its first DNS name; None without either."""
    names: dict[str, str] = {}
    for kind, value in (certificate or {}).get("subjectAltName", ()):
        names.setdefault(kind, value)
    return sender_named(names.get("URI") or names.get("DNS"))


def sender_named(name: str | None) -> str | None:
    """The credential of a name in a certificate, short enough for the ledger."""
    if not name:
        return None
    sender = f"cert:{name}"
    return sender if len(sender) <= LONGEST_SENDER else f"cert:{hashlib.sha256(name.encode()).hexdigest()[:40]}"


def own_client(certificate: Path | None) -> ssl.SSLContext | bool:
    """What a command on this machine trusts when it asks the running collector: that very certificate, whatever name is in it."""
    if certificate is None:
        return False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(certificate)
    return context


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return "the key is not the certificate's" if error.reason == "KEY_VALUES_MISMATCH" else "a part is missing, or is no PEM"
    return error.strerror or type(error).__name__
