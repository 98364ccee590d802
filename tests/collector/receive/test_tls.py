"""OTLP in TLS, over HTTP and gRPC: certificates of clients, renewal, and files that cannot be used."""

import os
import ssl
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
import trustme

from sojourn_collector.config import Limits, OtlpTls
from sojourn_collector.listener_tls import ServerTls, TlsFilesError, own_client, sender_named, sender_of
from tests.collector.receive.conftest import Listener, listening, traces
from tests.collector.receive.test_otlp_grpc import EXPORT

CURE = "cert_file is a chain in PEM, key_file its key without a password"


class Certificates:
    """An authority of ours, a certificate of the server, one of an agent, and a stranger's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.authority = folder, trustme.CA()
        self.authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        self.renew()
        self.issue("agent.pem", "agent-7.shop.example")
        trustme.CA().issue_cert("agent-7.shop.example").private_key_and_cert_chain_pem.write_to_path(str(folder / "stranger.pem"))

    def issue(self, name: str, *names: str) -> None:
        """Write key and chain into one file."""
        pair = self.authority.issue_cert(*names)
        (self.folder / name).write_bytes(pair.private_key_pem.bytes() + b"".join(one.bytes() for one in pair.cert_chain_pems))

    def renew(self) -> None:
        """Another certificate of the server in the same file, at another time."""
        before = (self.folder / "server.pem").stat().st_mtime_ns if (self.folder / "server.pem").exists() else 0
        self.issue("server.pem", "localhost", "127.0.0.1")
        os.utime(self.folder / "server.pem", ns=(before + 10**9, before + 10**9))

    def server(self, *, clients: bool = False) -> ServerTls:
        return ServerTls(OtlpTls(cert_file=self.folder / "server.pem", client_ca_file=self.folder / "ca.pem" if clients else None), "otlp.tls")

    def client(self, own: str | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if own is not None:
            context.load_cert_chain(self.folder / own)
        return context

    def channel(self, own: str | None = None) -> Any:
        pem = None if own is None else (self.folder / own).read_bytes()
        return grpc.ssl_channel_credentials((self.folder / "ca.pem").read_bytes(), pem, pem)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    folder = tmp_path / "tls"
    folder.mkdir()
    return Certificates(folder)


async def post(url: str, trust: ssl.SSLContext, body: bytes, **headers: str) -> int:
    async with httpx2.AsyncClient(trust_env=False, verify=trust, timeout=60) as http:
        given = {"content-type": "application/x-protobuf", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return (await http.post(url + "/v1/traces", content=body, headers=given)).status_code


async def call(listener: Listener, credentials: Any, body: bytes, **metadata: str) -> bytes:
    given = tuple((name.replace("_", "-"), value) for name, value in metadata.items())
    async with grpc.aio.secure_channel(listener.grpc, credentials) as channel:
        answer: bytes = await channel.unary_unary(EXPORT)(body, metadata=given)
        return answer


async def test_tls_over_http_and_grpc(engine: Any, tmp_path: Path, queries: Path, certificates: Certificates):
    """Who trusts the authority may send by either; who speaks plain text or trusts another is not served, and off loopback the key is still needed."""
    async with listening(engine, tmp_path, queries, Limits(body_deadline=1.0), tls=certificates.server()) as listener:
        assert listener.url.startswith("https://")
        assert await post(listener.url, certificates.client(), traces().SerializeToString()) == 200
        assert await call(listener, certificates.channel(), traces().SerializeToString()) == b""
        with pytest.raises(httpx2.HTTPError):
            await post(listener.url.replace("https", "http"), certificates.client(), b"")
        with pytest.raises(httpx2.ConnectError):
            await post(listener.url, ssl.create_default_context(), b"")
    async with listening(engine, tmp_path / "again", queries, Limits(), needs_key=True, tls=certificates.server()) as listener:
        assert await post(listener.url, certificates.client(), traces().SerializeToString()) == 401


async def test_certificates_of_clients_are_keys(engine: Any, tmp_path: Path, queries: Path, certificates: Certificates):
    """With client_ca_file only its certificates may connect; the name in one is the sender, so a batch is one by HTTP and by gRPC."""
    async with listening(engine, tmp_path, queries, Limits(), needs_key=True, tls=certificates.server(clients=True)) as listener:
        batch, name = os.urandom(8).hex(), os.urandom(8).hex()
        body = traces(2, batch=name).SerializeToString()
        assert await post(listener.url, certificates.client("agent.pem"), body, idempotency_key=batch) == 200
        assert await call(listener, certificates.channel("agent.pem"), body, idempotency_key=batch) == b""
        assert await listener.rows("span_count", batch=name) == [{"n": 2}]
        assert await listener.control.ledger.find("cert:agent-7.shop.example", "/v1/traces", batch) is not None
        for own in (None, "stranger.pem"):
            with pytest.raises(httpx2.HTTPError):
                await post(listener.url, certificates.client(own), body)
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await call(listener, certificates.channel(own), body)
            assert refused.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_renewed_certificate_is_taken_up(engine: Any, tmp_path: Path, queries: Path, certificates: Certificates):
    """Without a restart, by HTTP and by gRPC; a file that is broken for the moment, or a new chain before its key, changes nothing for either."""
    served = certificates.server()
    async with listening(engine, tmp_path, queries, Limits(), tls=served) as listener:
        assert not served.renew()
        good = (certificates.folder / "server.pem").read_bytes()
        chain_without_key = certificates.authority.issue_cert("localhost").cert_chain_pems[0].bytes()
        for broken in (b"half", good.partition(b"-----BEGIN CERTIFICATE")[0] + chain_without_key):
            (certificates.folder / "server.pem").write_bytes(broken)
            with pytest.raises(TlsFilesError):
                served.renew()
            assert await post(listener.url, certificates.client(), traces().SerializeToString()) == 200
            assert await call(listener, certificates.channel(), traces().SerializeToString()) == b""
        (certificates.folder / "server.pem").write_bytes(good)
        certificates.authority = trustme.CA()
        certificates.authority.cert_pem.write_to_path(str(certificates.folder / "ca.pem"))
        certificates.renew()
        assert served.renew()
        assert await post(listener.url, certificates.client(), traces().SerializeToString()) == 200
        assert await call(listener, certificates.channel(), traces().SerializeToString()) == b""


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"cert_file": "none.pem"}, f"otlp.tls: FOLDER/none.pem cannot be used (No such file or directory); {CURE}"),
        ({"cert_file": "ca.pem"}, f"otlp.tls: FOLDER/ca.pem cannot be used (a part is missing, or is no PEM); {CURE}"),
        (
            {"cert_file": "server.pem", "key_file": "agent.pem"},
            f"otlp.tls: FOLDER/server.pem and FOLDER/agent.pem cannot be used (the key is not the certificate's); {CURE}",
        ),
        (
            {"cert_file": "server.pem", "client_ca_file": "none.pem"},
            "otlp.tls.client_ca_file: FOLDER/none.pem cannot be used (No such file or directory); give it certificates in PEM",
        ),
    ],
)
def test_files_that_cannot_be_used_are_named(certificates: Certificates, files: dict[str, str], said: str):
    """Which, why, and what is wanted; never a question on the terminal."""
    settings = OtlpTls.model_validate({key: certificates.folder / name for key, name in files.items()})
    with pytest.raises(TlsFilesError) as refused:
        ServerTls(settings, "otlp.tls")
    assert str(refused.value) == said.replace("FOLDER", str(certificates.folder))


def test_the_sender_is_who_the_certificate_names():
    """A SPIFFE id before a DNS name; a long name by its digest, so that it fits the ledger; none without a name."""
    dns, uri = ("DNS", "agent.example"), ("URI", "spiffe://shop.example/agent/7")
    assert sender_of({"subjectAltName": (dns, uri)}) == "cert:spiffe://shop.example/agent/7"
    assert sender_of({"subjectAltName": (dns, ("DNS", "other.example"))}) == "cert:agent.example"
    assert (sender_of({}), sender_of(None), sender_named("")) == (None, None, None)
    long = sender_named("x" * 300)
    assert long is not None
    assert len(long) <= 64
    assert long != sender_named("x" * 301)


async def test_a_command_on_this_machine_trusts_the_certificate_itself(engine: Any, tmp_path: Path, queries: Path, certificates: Certificates):
    """Whatever name is in it, and no other certificate of the same authority."""
    certificates.issue("server.pem", "report.shop.example")
    async with listening(engine, tmp_path, queries, Limits(), tls=certificates.server()) as listener:
        trust, other = own_client(certificates.folder / "server.pem"), own_client(certificates.folder / "agent.pem")
        assert isinstance(trust, ssl.SSLContext)
        assert isinstance(other, ssl.SSLContext)
        assert await post(listener.url, trust, traces().SerializeToString()) == 200
        with pytest.raises(httpx2.ConnectError):
            await post(listener.url, other, traces().SerializeToString())
