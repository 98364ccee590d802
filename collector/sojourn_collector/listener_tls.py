"""TLS of the listeners: certificates from files, read again when they are renewed, and who a sender's certificate says it is."""

import hashlib
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sojourn_collector.config import ListenerTls

LONGEST_SENDER = 64


class TlsFilesError(Exception):
    """Certificate or key cannot be used; the text says which and why."""


class ServerTls:
    """The context of one listener. `renew` takes up files that have changed; handshakes after it use them."""

    def __init__(self, settings: ListenerTls, key: str) -> None:
        """`key` names the settings in collector.yaml. Raises TlsFilesError."""
        self.settings, self._key = settings, key
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._load()
        if settings.client_ca_file is not None:
            try:
                self.context.load_verify_locations(settings.client_ca_file)
            except (OSError, ssl.SSLError) as error:
                raise TlsFilesError(f"{key}.client_ca_file: {settings.client_ca_file} cannot be used ({_why(error)}); give it certificates in PEM") from error
            self.context.verify_mode = ssl.CERT_REQUIRED
        self._seen = self._stamp()

    def renew(self) -> bool:
        """Read the files again when they have changed; True when they were. Raises TlsFilesError, then the old ones are used on."""
        stamp = self._stamp()
        if stamp == self._seen:
            return False
        self._load()
        self._seen = stamp
        return True

    def pem(self) -> tuple[bytes, bytes, bytes | None]:
        """Key, certificates, and authorities of clients, for gRPC, which wants them as they are. Raises TlsFilesError."""
        settings = self.settings
        try:
            key, chain = (settings.key_file or settings.cert_file).read_bytes(), settings.cert_file.read_bytes()
            return key, chain, None if settings.client_ca_file is None else settings.client_ca_file.read_bytes()
        except OSError as error:
            raise TlsFilesError(f"{self._key}: {error.filename} cannot be read ({error.strerror})") from error

    def _load(self) -> None:
        settings = self.settings
        try:
            # Without the callback a key with a password would be asked for on the terminal.
            self.context.load_cert_chain(settings.cert_file, settings.key_file, password=lambda: "")
        except (OSError, ssl.SSLError) as error:
            files = " and ".join(str(file) for file in (settings.cert_file, settings.key_file) if file is not None)
            raise TlsFilesError(
                f"{self._key}: {files} cannot be used ({_why(error)}); cert_file is a chain in PEM, key_file its key without a password"
            ) from error

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
