"""A certificate database that makes Chromium trust authorities of the journey's own, beside those it trusts anyway.

Chromium on Linux takes them from the NSS database under its home, and checks names, dates and chains as ever; a switch that merely
hides errors would not. The database is written with the NSS library that Chromium itself needs, in a process of its own.

Run: python -m sojourn_probes.steps.browser_trust HOME < authorities.pem
"""

import asyncio
import ctypes
import ssl
import sys
from pathlib import Path
from typing import Any, Final

_BEGIN: Final = "-----BEGIN CERTIFICATE-----"
_END: Final = "-----END CERTIFICATE-----"
_TRUSTED_FOR_SERVERS: Final = b"C,,"
SECONDS: Final = 20.0


class NotTrusted(Exception):  # noqa: N818 - says what is the matter
    """Authorities that could not be made trusted; the text says why and the cure."""


async def trust(home: Path, pem: bytes) -> None:
    """Make a browser whose `HOME` is `home` trust the authorities in `pem`. Raises `NotTrusted`."""
    if not _certificates(pem.decode("ascii", "replace")):
        raise NotTrusted("ca_file holds no certificate; a PEM file of certificates is wanted")
    command = [sys.executable, "-m", "sojourn_probes.steps.browser_trust", str(home)]
    child = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE)
    try:
        async with asyncio.timeout(SECONDS):
            _, said = await child.communicate(pem)
    except TimeoutError:
        raise NotTrusted(f"the certificate database was not written within {SECONDS:g} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode != 0:
        last = said.decode(errors="replace").strip().splitlines()[-1:] or [f"ended with {child.returncode}"]
        raise NotTrusted(f"ca_file cannot be made known to the browser: {last[0][:200]}")


def _certificates(pem: str) -> list[bytes]:
    """Each certificate of `pem`; what is none raises ValueError."""
    blocks = [part.split(_END)[0] for part in pem.split(_BEGIN)[1:]]
    return [ssl.PEM_cert_to_DER_cert(f"{_BEGIN}{block}{_END}\n") for block in blocks]


def write(home: Path, pem: str) -> None:
    """Write the database. Raises OSError when the NSS library is missing, RuntimeError when it refuses."""
    folder = home / ".pki" / "nssdb"
    folder.mkdir(parents=True, exist_ok=True)
    nss, smime = ctypes.CDLL("libnss3.so"), ctypes.CDLL("libsmime3.so")
    for library, name in ((nss, "PK11_GetInternalKeySlot"), (nss, "CERT_GetDefaultCertDB"), (smime, "CERT_DecodeCertFromPackage")):
        getattr(library, name).restype = ctypes.c_void_p
    _done(nss.NSS_Initialize(f"sql:{folder}".encode(), b"", b"", b"secmod.db", 0), "open")
    slot = ctypes.c_void_p(nss.PK11_GetInternalKeySlot())
    if nss.PK11_NeedUserInit(slot):
        _done(nss.PK11_InitPin(slot, None, b""), "begin")
    for number, raw in enumerate(_certificates(pem)):
        certificate = ctypes.c_void_p(smime.CERT_DecodeCertFromPackage(raw, len(raw)))
        if not certificate.value:
            raise RuntimeError(f"certificate {number + 1} cannot be read")
        _done(nss.PK11_ImportCert(slot, certificate, 0, f"authority {number}".encode(), 0), "store")
        flags: Any = (ctypes.c_uint * 3)()
        _done(nss.CERT_DecodeTrustString(flags, _TRUSTED_FOR_SERVERS), "trust")
        _done(nss.CERT_ChangeCertTrust(ctypes.c_void_p(nss.CERT_GetDefaultCertDB()), certificate, flags), "trust")
        nss.CERT_DestroyCertificate(certificate)
    nss.PK11_FreeSlot(slot)
    _done(nss.NSS_Shutdown(), "close")


def _done(status: int, what: str) -> None:
    if status != 0:
        raise RuntimeError(f"NSS could not {what} the certificate database")


if __name__ == "__main__":
    try:
        write(Path(sys.argv[1]), sys.stdin.read())
    except OSError as fault:
        sys.exit(f"the NSS library is missing ({fault}); install it (Debian: apt-get install libnss3)")
    except (RuntimeError, ValueError) as fault:
        sys.exit(str(fault))
