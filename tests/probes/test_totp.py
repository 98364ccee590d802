"""One-time codes."""

import base64
import time

import pytest

from sojourn_probes.errors import SecretMissing
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.secrets import Secret, SecretStore
from sojourn_probes.totp import totp_code

KEYS = {"SHA1": b"12345678901234567890", "SHA256": b"12345678901234567890123456789012", "SHA512": b"1234567890" * 6 + b"1234"}
VALUES = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]


def uri(algorithm: str) -> str:
    key = base64.b32encode(KEYS[algorithm]).decode().rstrip("=")
    return f"otpauth://totp/Shop:ana?secret={key}&algorithm={algorithm}&digits=8&period=30"


@pytest.mark.parametrize("values", VALUES)
def test_the_check_values_of_rfc_6238(values):
    """Appendix B of RFC 6238, its three hashes."""
    now, *codes = values
    assert [totp_code(Secret("otp", uri(algorithm)), now) for algorithm in KEYS] == codes


def test_a_key_as_sites_show_it():
    """Base32 in small letters and groups gives six digits."""
    assert totp_code(Secret("otp", " gezd gnbv gy3t qojq gezd gnbv gy3t qojq\n"), 59) == "287082"


@pytest.mark.parametrize("text", ["not base32!", "otpauth://hotp/x?secret=GEZDGNBV&counter=1", "otpauth://totp/x", "otpauth://nothing"])
def test_a_secret_that_makes_no_codes(text):
    """It says which secret and what is wanted, and never the secret itself."""
    with pytest.raises(SecretMissing) as fault:
        totp_code(Secret("otp", text), 59)
    cure = "take the key that the site shows for authenticator apps (letters A-Z and digits 2-7), or its otpauth://totp/ address"
    assert str(fault.value) == f"secret 'otp' makes no one-time codes; {cure}"


def test_the_name_gives_the_current_code_and_keeps_it_out_of_outputs():
    """`${totp.otp}` is the code of now, and is a secret from then on."""
    store = SecretStore({"SOJOURN_SECRET_OTP": "GEZDGNBVGY3TQOJQ"})
    before = totp_code(Secret("otp", "GEZDGNBVGY3TQOJQ"), time.time())
    filled = Names({}, {}, store, "r").fill_text("code=${totp.otp}")
    after = totp_code(Secret("otp", "GEZDGNBVGY3TQOJQ"), time.time())
    assert filled in (f"code={before}", f"code={after}")
    assert Redactor(store).text(f"the code {filled[5:]} was wrong") == "the code [redacted] was wrong"
