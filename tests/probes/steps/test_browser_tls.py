"""Authorities and client certificates of the journey's own, judged by Chromium as ever; servers made with trustme."""

import ssl
from pathlib import Path

import pytest
import trustme

from sojourn_probes.semconv import FailureKind
from tests.probes.site import Answer, Asked, site
from tests.probes.steps.browser_site import page
from tests.probes.steps.browsing import alone, journey, only_failure
from tests.probes.walking import walk

pytestmark = pytest.mark.browser


async def plain(asked: Asked) -> Answer:
    return page("Home", "<h1>Home</h1>")


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """An authority of our own, in ca.pem beside the journey; me.pem is a client's certificate with its key."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    client = made.issue_cert("me@example.org")
    client.private_key_and_cert_chain_pem.write_to_path(tmp_path / "me.pem")
    return made


def serving(authority: trustme.CA, name: str, *, asks: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    if asks:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def trusting(url: str, tls: str) -> str:
    return f"defaults: {{browser: {{tls: {tls}}}}}\n{journey(url, 'goto: /', 'expect: Home')}"


async def test_authorities_are_trusted_and_names_are_still_checked(authority, tmp_path):
    """`ca_file` makes a private authority good, for its names only; without it, and beside it, nothing else changes."""
    stranger = trustme.CA()
    async with (
        alone(plain) as (_, tools),
        site(plain, serving(authority, "localhost")) as good,
        site(plain, serving(authority, "other.example")) as wrong_name,
        site(plain, serving(stranger, "localhost")) as unknown,
    ):

        async def found(url: str, tls: str) -> tuple[FailureKind, str] | None:
            result = await walk(trusting(url, tls), tools=tools, path=tmp_path / "j.yaml")
            return None if result.failure is None else (result.failure.kind, result.failure.message.rpartition(": ")[2])

        assert await found(good.url, "{ca_file: ca.pem}") is None
        assert await found(good.url, "{}") == (FailureKind.TLS, "ERR_CERT_AUTHORITY_INVALID")
        assert await found(wrong_name.url, "{ca_file: ca.pem}") == (FailureKind.TLS, "ERR_CERT_COMMON_NAME_INVALID")
        assert await found(unknown.url, "{ca_file: ca.pem}") == (FailureKind.TLS, "ERR_CERT_AUTHORITY_INVALID")
        assert await found(unknown.url, "{verify: false}") is None


async def test_a_client_certificate_is_shown_to_own_origins(authority, tmp_path):
    """A server that asks for a certificate gets it, with its authority trusted; without one the step fails."""
    async with alone(plain) as (_, tools), site(plain, serving(authority, "localhost", asks=True)) as served:
        shown = await walk(trusting(served.url, "{ca_file: ca.pem, cert_file: me.pem}"), tools=tools, path=tmp_path / "j.yaml")
        without = await walk(trusting(served.url, "{ca_file: ca.pem}"), tools=tools, path=tmp_path / "j.yaml")
        unknown = await walk(trusting(served.url, "{cert_file: me.pem}"), tools=tools, path=tmp_path / "j.yaml")
    assert shown.failure is None
    assert only_failure(without)[0] in (FailureKind.TLS, FailureKind.PROTOCOL, FailureKind.CONNECT)
    assert only_failure(unknown)[0] is FailureKind.TLS


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        ("{ca_file: none.pem}", "ca_file: there is no file FOLDER/none.pem; its path is relative to the journey file"),
        ("{ca_file: j.txt}", "ca_file holds no certificate; a PEM file of certificates is wanted"),
        ("{cert_file: none.pem}", "cert_file: there is no file FOLDER/none.pem; its path is relative to the journey file"),
    ],
)
async def test_files_that_cannot_be_used_are_said(tls, message, tmp_path):
    """A missing file and one without certificates make the run inconclusive, in one sentence."""
    (tmp_path / "j.txt").write_text("no certificate")
    async with alone(plain) as (served, tools):
        result = await walk(trusting(served.url, tls), tools=tools, path=tmp_path / "j.yaml")
    assert only_failure(result) == (FailureKind.CONFIG, message.replace("FOLDER", str(tmp_path)))
