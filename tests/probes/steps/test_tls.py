"""The tls runner: facts of the certificate, STARTTLS of five protocols, client certificates, and what a file may say."""

import asyncio
import queue
import re
import ssl
from pathlib import Path
from typing import Any

import pytest

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.semconv import FailureKind, Outcome
from sojourn_probes.steps.tls_facts import PeerCertificate
from tests.probes.steps import starttls_servers as talking
from tests.probes.steps.tls_servers import Authority, handshaking, hours, listening, self_signed, silent
from tests.probes.walking import journey, walk

ROOT = Path(__file__).parents[3]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


async def shake(folder, part: str, *expectations: str, **more: Any) -> Any:
    lines = "".join(f"      - {one}\n" for one in expectations)
    expect = f"    expect:\n{lines}" if lines else ""
    return await walk(f"id: j\ntimeout: 25s\nsteps:\n  - id: s\n    tls: {{{part}}}\n{expect}", path=folder / "j.yaml", **more)


def seen(run: Any) -> list[str]:
    return [one.actual for one in run.attempts[0].steps[0].expectations]


async def test_facts_of_a_good_certificate(authority, tmp_path):
    """Issuer, subject, names, protocol, cipher and key are facts; the phases and the exchange say what was done."""
    async with listening(silent, authority.context("localhost", "shop.example", "127.0.0.1", not_after=hours(24 * 20))) as port:
        run = await shake(
            tmp_path,
            f"host: localhost, port: {port}, ca_file: ca.pem",
            "tls.expires_in between 19d and 20d",
            "tls.issuer contains 'Harbour Trust'",
            "tls.san contains shop.example",
            "tls.san not contains example",
            "tls.san matches '^127'",
            "tls.protocol == TLSv1.3",
            "tls.cipher contains AES",
            "tls.key_type == EC",
            "tls.key_bits == 256",
            "tls <= 20s",
            "connect <= 20s",
            "total <= 25s",
        )
    assert run.outcome is Outcome.PASSED, run.failure
    exchange = run.attempts[0].steps[0].exchanges[0]
    assert list(exchange.phases) == ["resolve", "connect", "tls"]
    assert (exchange.protocol, exchange.protocol_version, exchange.server_address, exchange.server_port) == ("tls", "1.3", "localhost", port)
    assert (exchange.peer_address, exchange.peer_port, exchange.status, exchange.error) == ("127.0.0.1", port, None, None)


async def test_the_first_end_in_the_chain_counts(authority, tmp_path):
    """A certificate between the server's and the authority that ends first is what expires_in says."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

    middle = authority.ca.create_child_ca()
    issued = middle.issue_cert("localhost")
    made = x509.load_pem_x509_certificate(middle.cert_pem.bytes())
    root_key: Any = load_pem_private_key(authority.ca.private_key_pem.bytes(), None)
    builder = x509.CertificateBuilder(made.issuer, made.subject, made.public_key(), made.serial_number, hours(-1), hours(24 * 5.5))
    for extension in made.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    short = builder.sign(root_key, hashes.SHA256()).public_bytes(Encoding.PEM)
    file = tmp_path / "chain.pem"
    file.write_bytes(issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes() + short)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    async with listening(silent, context) as port:
        run = await shake(tmp_path, f"host: localhost, port: {port}, ca_file: ca.pem", "tls.expires_in between 5d and 6d")
    assert run.outcome is Outcome.PASSED, run.failure


async def test_an_unverified_certificate_has_its_facts(tmp_path):
    """verify: false takes a self-signed certificate and measures it all the same."""
    async with listening(silent, self_signed(tmp_path)) as port:
        wanted = ("tls.expires_in > 1d", "tls.subject contains localhost", "tls.san contains localhost", "tls.key_type == RSA", "tls.key_bits >= 2048")
        run = await shake(tmp_path, f"host: 127.0.0.1, port: {port}, verify: false", *wanted)
    assert run.outcome is Outcome.PASSED, run.failure


async def test_tls_is_ended_in_order(authority, tmp_path):
    """The server hears the end of TLS and not just the end of the connection, so that its log shows no fault."""
    ends: queue.Queue[bool] = queue.Queue()
    with handshaking(authority.context(), ends=ends) as port:
        run = await shake(tmp_path, f"host: localhost, port: {port}, ca_file: ca.pem")
        assert await asyncio.to_thread(ends.get, timeout=25) is True
    assert run.outcome is Outcome.PASSED, run.failure


async def test_another_name_can_be_asked_for(authority, tmp_path):
    """server_name goes into the handshake and is what the certificate must be for; an address may be the host."""
    asked: list[str | None] = []
    context = authority.context("shop.example")
    context.sni_callback = lambda connection, name, _: asked.append(name)
    async with listening(silent, context) as port:
        good = await shake(tmp_path, f"host: 127.0.0.1, port: {port}, ca_file: ca.pem, server_name: shop.example.")
        bad = await shake(tmp_path, f"host: 127.0.0.1, port: {port}, ca_file: ca.pem")
    assert good.outcome is Outcome.PASSED, good.failure
    assert asked[0] == "shop.example"
    assert bad.failure.message.endswith("is not for 127.0.0.1; it is for shop.example: get one with this name, or set server_name")


STARTTLS: dict[str, Any] = {"smtp": talking.smtp, "imap": talking.imap, "pop3": talking.pop3, "postgres": talking.postgres, "ldap": talking.ldap}


@pytest.mark.parametrize("protocol", sorted(STARTTLS))
async def test_starttls(protocol, authority, tmp_path):
    """Each protocol is asked in its own words to go on in TLS; what is exported is that protocol."""
    async with listening(STARTTLS[protocol](authority.context(not_after=hours(48)))) as port:
        run = await shake(tmp_path, f"host: localhost, port: {port}, ca_file: ca.pem, starttls: {protocol}", "tls.expires_in between 1d and 2d", "wait <= 20s")
    assert run.outcome is Outcome.PASSED, run.failure
    exchange = run.attempts[0].steps[0].exchanges[0]
    assert (exchange.protocol, exchange.method) == (protocol, protocol.upper())
    assert set(exchange.phases) == {"resolve", "connect", "tls", "send", "wait"}


@pytest.mark.parametrize("protocol", sorted(STARTTLS))
async def test_a_bad_certificate_behind_starttls_is_explained(protocol, authority, tmp_path):
    """The second look at a refused certificate goes the same way through the protocol."""
    async with listening(STARTTLS[protocol](authority.context(not_before=hours(-99), not_after=hours(-72)))) as port:
        run = await shake(tmp_path, f"host: localhost, port: {port}, ca_file: ca.pem, starttls: {protocol}")
    assert run.failure.kind is FailureKind.TLS
    assert "the certificate expired 3.0 d ago; renew it on the server, or this machine's clock is wrong" in run.failure.message


@pytest.mark.parametrize(
    ("protocol", "serve", "said"),
    [
        ("smtp", lambda tls: talking.smtp(None), "the server offers no STARTTLS; turn it on there, or check another port"),
        ("smtp", lambda tls: talking.smtp(tls, b"554 go away\r\n"), "the server's greeting is not 220; it said '554 go away'"),
        ("smtp", lambda tls: talking.smtp(tls, b"220-x\r\n" * 200), "the server's greeting has no end"),
        ("smtp", lambda tls: talking.smtp(tls, b"2" * 9000), "the server's line is longer than 8.2 KB; it may speak another protocol"),
        (
            "smtp",
            lambda tls: talking.smtp(tls, extra=b"250 injected\r\n"),
            "the server sent more in plain text after it agreed to TLS; somebody on the way may have put it there",
        ),
        ("imap", lambda tls: talking.imap(tls, b"a1 BAD no\r\n"), "the server refuses STARTTLS; it said 'a1 BAD no'"),
        ("imap", lambda tls: talking.pop3(tls), "the server's greeting is no good IMAP; it said '+OK ready'"),
        ("pop3", lambda tls: talking.pop3(tls, b"-ERR no\r\n"), "the server refuses STLS; it said '-ERR no'"),
        ("pop3", lambda tls: talking.imap(tls), "the server's greeting is no good POP3; it said '* OK IMAP4rev1 ready'"),
        ("postgres", lambda tls: talking.postgres(tls, b"N"), "the server speaks no TLS; set ssl = on in postgresql.conf"),
        ("postgres", lambda tls: talking.postgres(tls, b"H"), "the server's answer is not PostgreSQL's; it said 'H'"),
        ("ldap", lambda tls: talking.ldap(tls, 52, b"no TLS here"), "the server refuses STARTTLS with LDAP code 52; it said 'no TLS here'"),
        ("ldap", lambda tls: talking.ldap(tls, 1, raw=b"\x30\x84\x7f\xff\xff\xff"), "the server's answer is not LDAP's"),
        ("ldap", lambda tls: talking.ldap(tls, 1, raw=b"\x30\x05\x02\x01\x01\x78\x00"), "the server's answer is not LDAP's"),
        ("ldap", lambda tls: talking.ldap(tls, 1, raw=b"HTTP/1.1 400 Bad Request\r\n" + b"x" * 100), "the server's answer is not LDAP's"),
    ],
)
async def test_a_server_that_will_not_go_on_in_tls_is_protocol(protocol, serve, said, authority, tmp_path):
    """A refusal, another protocol, and hostile answers are `protocol`, with what the server said."""
    async with listening(serve(authority.context())) as port:
        run = await shake(tmp_path, f"host: localhost, port: {port}, ca_file: ca.pem, starttls: {protocol}")
    assert (run.failure.kind, run.failure.message) == (FailureKind.PROTOCOL, f"localhost:{port}: {said}")
    assert {"resolve", "connect"} <= set(run.attempts[0].steps[0].exchanges[0].phases)


async def test_a_silent_mail_server_is_timeout(tmp_path):
    """A server that never greets ends at the deadline, and the sentence says what was awaited."""
    async with listening(silent) as port:
        run = await walk(f"id: j\ntimeout: 2s\nsteps:\n  - {{id: s, tls: {{host: localhost, port: {port}, starttls: smtp}}}}\n")
    assert run.failure.kind is FailureKind.TIMEOUT
    assert run.failure.message.endswith(": the server is silent, or speaks no smtp")


async def test_a_key_with_a_password(authority, tmp_path):
    """The key of a client certificate opens with its password, by reference; a wrong one is `config`, and nobody is asked on a terminal."""
    authority.client(b"sesame-42")
    part = 'host: localhost, ca_file: ca.pem, cert_file: client.pem, key_file: client.key, key_password: "${secrets.pw}", port: '
    with handshaking(authority.wanting_clients()) as port:
        good = await shake(tmp_path, part + str(port), environ={"SOJOURN_SECRET_PW": "sesame-42"})
        bad = await shake(tmp_path, part + str(port), environ={"SOJOURN_SECRET_PW": "mistaken"})
    assert good.outcome is Outcome.PASSED, good.failure
    assert (bad.outcome, bad.failure.kind) == (Outcome.INCONCLUSIVE, FailureKind.CONFIG)
    wanted = "cert_file holds nothing that can be used; a PEM file with a certificate and its key is wanted, and key_password if the key has one"
    assert bad.failure.message == wanted


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("ca_file: none.pem", "ca_file cannot be read: No such file or directory; its path is relative to the journey file"),
        ("ca_file: j.txt", "ca_file holds nothing that can be used; a PEM file of certificates is wanted"),
    ],
)
async def test_files_that_cannot_be_used_are_config(keys, message, authority, tmp_path):
    """What is wrong with a file is said with its key, and accuses no server."""
    (tmp_path / "j.txt").write_text("nothing")
    async with listening(silent, authority.context()) as port:
        run = await shake(tmp_path, f"host: localhost, port: {port}, {keys}")
    assert (run.outcome, run.failure.kind, run.failure.message) == (Outcome.INCONCLUSIVE, FailureKind.CONFIG, message)


async def test_names_fill_host_and_port(authority, tmp_path):
    """host and port may come from the environment; a port that is none is `config`."""
    part = 'host: "${env.HOST}", port: "${env.PORT}", ca_file: ca.pem'
    async with listening(silent, authority.context()) as port:
        good = await shake(tmp_path, part, environ={"HOST": "localhost", "PORT": str(port)})
        bad = await shake(tmp_path, part, environ={"HOST": "localhost", "PORT": "https"})
        long = await shake(tmp_path, part, environ={"HOST": "localhost", "PORT": "9" * 5000})
    assert good.outcome is Outcome.PASSED, good.failure
    assert (long.failure.kind, long.failure.message) == (FailureKind.CONFIG, f"'{'9' * 40}' is no port; it is a number from 1 to 65535")
    assert (bad.failure.kind, bad.failure.message) == (FailureKind.CONFIG, "'https' is no port; it is a number from 1 to 65535")


async def test_a_renewed_authority_is_read_again(authority, tmp_path):
    """A shared context is made anew when its file has changed, so that an agent need not be restarted."""
    tools: dict[str, Any] = {}
    part = "host: localhost, ca_file: ca.pem, port: "
    async with listening(silent, authority.context()) as port:
        assert (await shake(tmp_path, part + str(port), tools=tools)).outcome is Outcome.PASSED
        Authority(tmp_path, "Another")
        assert (await shake(tmp_path, part + str(port), tools=tools)).failure.kind is FailureKind.TLS
    assert len(tools["tls_contexts"]) == 1


async def test_the_mail_example(authority, tmp_path):
    """configs/journeys/examples/mail-tls.yaml passes against a mail server that is well, is slow to renew as degraded, and fails when time is short."""
    text = (ROOT / "configs/journeys/examples/mail-tls.yaml").read_text().replace("{host: mail.example}", "{host: localhost}")
    text = re.sub(r"starttls: (\w+)(?=\})", r"starttls: \1, ca_file: ca.pem", text).replace("      dialog:", "      tls: {ca_file: ca.pem}\n      dialog:")
    text = text.replace("[connect > 500ms, total > 5s]", "[connect > 30s, total > 30s]")
    for days, outcome in ((90, Outcome.PASSED), (14, Outcome.DEGRADED), (3, Outcome.FAILED)):
        context = authority.context(not_after=hours(24 * days))
        async with listening(talking.smtp(context)) as smtp, listening(talking.imap(context)) as imap:
            ported = text.replace("port: 587", f"port: {smtp}").replace("port: 143", f"port: {imap}")
            run = await walk(ported, path=tmp_path / "j.yaml")
        assert run.outcome is outcome, run.failure
    assert (run.failure.step, run.failure.message) == ("submit-certificate", "expected tls.expires_in > 7d, got 3.0 d")


def test_a_certificate_that_cannot_be_read_has_no_facts():
    """Odd bytes in place of a certificate are no fault of ours."""
    assert PeerCertificate(b"\x30\x03\x02\x01\x01").facts() == {}


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("{host: 'shop.example:443'}", "steps[0].tls.host: 'shop.example:443' is no host; write the port under port:"),
        ("{host: https://shop.example}", "steps[0].tls.host: 'https://shop.example' is no host; write its name or address alone, such as mail.example"),
        ("{host: x, port: 99999}", "must be at most 65535"),
        ("{host: x, starttls: irc}", "steps[0].tls.starttls: 'irc' is not known; one of smtp, imap, pop3, postgres, ldap"),
        ("{host: x, min_version: 1.1}", "steps[0].tls.min_version: 1.1 is not known"),
        ("{host: x, key_file: a}", "steps[0].tls: has a key but no certificate; add cert_file:"),
        ("{host: x, cert_file: a, key_password: open}", "is a secret and must not stand in the file"),
        ("{host: x, verify: 'no'}", "steps[0].tls.verify: wants true or false, not 'no'"),
    ],
)
def test_what_a_file_may_not_say(part, message):
    """Each wrong key is refused at its place, with the cure."""
    with pytest.raises(JourneyFileError) as refused:
        journey(f"id: j\nsteps:\n  - id: s\n    tls: {part}\n")
    assert message in str(refused.value)


@pytest.mark.parametrize("text", ["tls.expires_in > 14", "tls.san == x", "tls.key_bits > many", "tls.bits > 1", "loss > 1%", "banner exists"])
def test_expectations_that_make_no_sense_are_refused(text):
    """A target of the wrong kind, an unknown fact, and sources a tls step does not have."""
    with pytest.raises(JourneyFileError):
        journey(f"id: j\nsteps:\n  - id: s\n    tls: {{host: x}}\n    expect: [{text}]\n")
