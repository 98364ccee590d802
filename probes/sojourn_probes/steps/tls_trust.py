"""TLS contexts from what a step says, shared by all steps that say the same: each costs 2.7 MiB."""

import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx2

from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.tls import TlsSettings

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_TOOL: Final = "tls_contexts"


class TrustError(Exception):
    """Files for TLS that cannot be used; `failure` says which and why."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.message)


def context_for(settings: TlsSettings, context: StepContext, protocols: Sequence[str] = ()) -> ssl.SSLContext:
    """The TLS context for `settings`; made anew when one of its files has changed. Raises `TrustError` and `NameMissing`.

    `protocols` are offered in the handshake (ALPN), the dearest first.
    """
    files = {name: _file(getattr(settings, name), context) for name in ("ca_file", "cert_file", "key_file")}
    password = None if settings.key_password is None else context.names.fill_text(settings.key_password)
    key = (settings.verify, settings.min_version, *files.values(), *protocols)
    state = (password, *(_changed(name, file) for name, file in files.items()))
    shared: dict[Any, tuple[Any, ssl.SSLContext]] = context.tools.setdefault(_TOOL, {})
    known = shared.get(key)
    if known is None or known[0] != state:
        known = shared[key] = (state, _made(settings, files, password))
        if protocols:
            known[1].set_alpn_protocols(protocols)
    return known[1]


def trusting_all() -> ssl.SSLContext:
    """A context that takes any certificate, to see what a server shows."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


def _made(settings: TlsSettings, files: dict[str, Path | None], password: str | None) -> ssl.SSLContext:
    authorities = files["ca_file"]
    if not settings.verify:
        made = trusting_all()
    elif authorities is None:
        made = httpx2.create_ssl_context()
    else:
        with _telling("ca_file", "a PEM file of certificates is wanted"):
            made = ssl.create_default_context(cafile=str(authorities))
    made.minimum_version = _VERSIONS[settings.min_version]
    if files["cert_file"] is not None:
        with _telling("cert_file", "a PEM file with a certificate and its key is wanted, and key_password if the key has one"):
            # Without a password given, OpenSSL would ask for one on the terminal.
            made.load_cert_chain(files["cert_file"], files["key_file"], password=lambda: password or "")
    return made


class _telling:  # noqa: N801 - reads as a word where it is used
    """Turns what goes wrong with a file into a `TrustError` that names its key."""

    def __init__(self, key: str, cure: str) -> None:
        self.key, self.cure = key, cure

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, fault: BaseException | None, trace: Any) -> None:
        if isinstance(fault, OSError | ValueError):
            raise _unusable(self.key, "holds nothing that can be used" if isinstance(fault, ssl.SSLError) else _why(fault), self.cure) from None


def _unusable(key: str, why: str, cure: str) -> TrustError:
    return TrustError(Failure(FailureKind.CONFIG, f"{key} {why}; {cure}"))


def _why(fault: OSError | ValueError) -> str:
    return f"cannot be read: {getattr(fault, 'strerror', None) or fault}"


def _file(name: str | None, context: StepContext) -> Path | None:
    return None if name is None else context.folder / context.names.fill_text(name)


def _changed(key: str, file: Path | None) -> int:
    if file is None:
        return 0
    try:
        return file.stat().st_mtime_ns
    except OSError as fault:
        raise _unusable(key, _why(fault), "its path is relative to the journey file") from None
