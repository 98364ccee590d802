"""Servers that begin in plain text and go on in TLS, each as much of its protocol as that takes."""

import asyncio
import ssl

from tests.probes.steps.tls_servers import Serve, silent

LDAP_NAME = b"1.3.6.1.4.1.1466.20037"


def smtp(tls: ssl.SSLContext | None, greeting: bytes = b"220-mail.example\r\n220 ESMTP ready\r\n", extra: bytes = b"") -> Serve:
    """A mail server; without `tls` it does not offer STARTTLS. `extra` follows its consent in plain text."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while line := (await reader.readline()).strip().upper():
            if line.startswith(b"EHLO"):
                offers = [b"mail.example", b"SIZE 1000"] + ([b"STARTTLS"] if tls and writer.get_extra_info("ssl_object") is None else []) + [b"HELP"]
                writer.write(b"".join(b"250-" + offer + b"\r\n" for offer in offers[:-1]) + b"250 " + offers[-1] + b"\r\n")
            elif line == b"STARTTLS" and tls is not None:
                writer.write(b"220 go ahead\r\n" + extra)
                await writer.drain()
                await writer.start_tls(tls)
            elif line == b"QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                writer.write(b"502 what?\r\n")

    return serve


def imap(tls: ssl.SSLContext, answer: bytes = b"a1 OK begin\r\n") -> Serve:
    """An IMAP server."""
    return _after_line(tls, b"* OK IMAP4rev1 ready\r\n", b"a1 STARTTLS", b"* CAPABILITY IMAP4rev1\r\n" + answer)


def pop3(tls: ssl.SSLContext, answer: bytes = b"+OK begin\r\n") -> Serve:
    """A POP3 server."""
    return _after_line(tls, b"+OK ready\r\n", b"STLS", answer)


def _after_line(tls: ssl.SSLContext, greeting: bytes, wanted: bytes, answer: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        assert (await reader.readline()).strip() == wanted
        await _answered(tls, answer, reader, writer)

    return serve


def postgres(tls: ssl.SSLContext, answer: bytes = b"S") -> Serve:
    """A PostgreSQL server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(8) == (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")
        await _answered(tls, answer, reader, writer)

    return serve


def ldap(tls: ssl.SSLContext, code: int = 0, said: bytes = b"", raw: bytes | None = None) -> Serve:
    """An LDAP server."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readexactly(2)
        asked += await reader.readexactly(asked[1])
        assert asked == bytes.fromhex("301d 020101 7718 8016") + LDAP_NAME
        operation = bytes([0x0A, 1, code, 4, 0, 4, len(said)]) + said
        message = b"\x02\x01\x01\x78" + bytes([len(operation)]) + operation
        # In the long form, as OpenLDAP and Active Directory differ in it.
        answer = b"\x30\x81" + bytes([len(message)]) + message if raw is None else raw
        await _answered(tls if code == 0 else None, answer, reader, writer)

    return serve


async def _answered(tls: ssl.SSLContext | None, answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(answer)
    await writer.drain()
    if tls is not None:
        await writer.start_tls(tls)
    await silent(reader, writer)
