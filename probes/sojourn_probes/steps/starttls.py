"""How protocols that begin in plain text are asked to go on in TLS. Each talks until the server is ready for the handshake, or raises `Broken`."""

from collections.abc import Awaitable, Callable
from typing import Final

from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.talk import Broken, Talk

EHLO_NAME: Final = "probe.invalid"
"""The name given to mail servers; we send no mail, so none that could be looked up is needed."""

_MAX_LINES: Final = 100
_MAX_LDAP: Final = 4096
_LDAP_STARTTLS: Final = b"1.3.6.1.4.1.1466.20037"
_POSTGRES_SSL_REQUEST: Final = bytes.fromhex("00000008 04d2162f")


async def _smtp(talk: Talk) -> None:
    """RFC 3207."""
    await _smtp_reply(talk, "220", "greeting")
    await talk.write(f"EHLO {EHLO_NAME}\r\n".encode())
    offers = await _smtp_reply(talk, "250", "answer to EHLO")
    if not any(offer[4:].strip().upper() == "STARTTLS" for offer in offers[1:]):
        raise _refused(talk, "the server offers no STARTTLS; turn it on there, or check another port", "")
    await talk.write(b"STARTTLS\r\n")
    await _smtp_reply(talk, "220", "answer to STARTTLS")


async def _smtp_reply(talk: Talk, wanted: str, what: str) -> list[str]:
    lines: list[str] = []
    while len(lines) < _MAX_LINES:
        line = await talk.line()
        lines.append(line)
        if not line.startswith(wanted):
            raise _refused(talk, f"the server's {what} is not {wanted}", line)
        if line[3:4] != "-":
            return lines
    raise _refused(talk, f"the server's {what} has no end", "")


async def _imap(talk: Talk) -> None:
    """RFC 3501 §6.2.1."""
    greeting = await talk.line()
    if not greeting.upper().startswith(("* OK", "* PREAUTH")):
        raise _refused(talk, "the server's greeting is no good IMAP", greeting)
    await talk.write(b"a1 STARTTLS\r\n")
    for _ in range(_MAX_LINES):
        line = await talk.line()
        if line.startswith("a1 "):
            if line[3:5].upper() != "OK":
                raise _refused(talk, "the server refuses STARTTLS", line)
            return
    raise _refused(talk, "the server does not come to its answer to STARTTLS", "")


async def _pop3(talk: Talk) -> None:
    """RFC 2595 §4."""
    greeting = await talk.line()
    if not greeting.startswith("+OK"):
        raise _refused(talk, "the server's greeting is no good POP3", greeting)
    await talk.write(b"STLS\r\n")
    line = await talk.line()
    if not line.startswith("+OK"):
        raise _refused(talk, "the server refuses STLS", line)


async def _postgres(talk: Talk) -> None:
    """SSLRequest of PostgreSQL's protocol: one byte is the answer."""
    await talk.write(_POSTGRES_SSL_REQUEST)
    answer = await talk.exactly(1)
    if answer == b"N":
        raise _refused(talk, "the server speaks no TLS; set ssl = on in postgresql.conf", "")
    if answer != b"S":
        raise _refused(talk, "the server's answer is not PostgreSQL's", answer.decode("latin-1"))


async def _ldap(talk: Talk) -> None:
    """RFC 4511 §4.14: an extended request, answered by an extended response with resultCode 0."""
    name = b"\x80" + bytes([len(_LDAP_STARTTLS)]) + _LDAP_STARTTLS
    operation = b"\x77" + bytes([len(name)]) + name
    message = b"\x02\x01\x01" + operation
    await talk.write(b"\x30" + bytes([len(message)]) + message)
    kind, answer = await _ber(talk)
    inside = _children(answer) if kind == 0x30 else []
    if len(inside) < 2 or inside[1][0] != 0x78:
        raise _refused(talk, "the server's answer is not LDAP's", "")
    fields = _children(inside[1][1])
    if not fields or fields[0][0] != 0x0A:
        raise _refused(talk, "the server's answer is not LDAP's", "")
    code = int.from_bytes(fields[0][1], "big")
    if code != 0:
        said = fields[2][1].decode("utf-8", "replace") if len(fields) > 2 else ""
        raise _refused(talk, f"the server refuses STARTTLS with LDAP code {code}", said)


async def _ber(talk: Talk) -> tuple[int, bytes]:
    """One element: its tag and what is in it."""
    tag, length = await talk.exactly(2)
    if length & 0x80:
        digits = length & 0x7F
        length = int.from_bytes(await talk.exactly(digits), "big") if 1 <= digits <= 4 else _MAX_LDAP + 1
    if length > _MAX_LDAP:
        raise _refused(talk, "the server's answer is not LDAP's", "")
    return tag, await talk.exactly(length)


def _children(data: bytes) -> list[tuple[int, bytes]]:
    """The elements one after the other in `data`; what does not add up ends the list."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at + 2 <= len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            digits = length & 0x7F
            length = int.from_bytes(data[at : at + digits], "big")
            at += digits
        if at + length > len(data):
            break
        found.append((tag, data[at : at + length]))
        at += length
    return found


def _refused(talk: Talk, message: str, line: str) -> Broken:
    said = f"; it said '{line[:200]}'" if line else ""
    return talk.broken(FailureKind.PROTOCOL, f"{message}{said}")


_TALKS: Final[dict[str, Callable[[Talk], Awaitable[None]]]] = {"smtp": _smtp, "imap": _imap, "pop3": _pop3, "postgres": _postgres, "ldap": _ldap}


def upgrade_of(protocol: str) -> Callable[[Talk], Awaitable[None]]:
    """How `protocol` is asked to go on in TLS.

    What the server sends before the handshake beyond its answer is refused: somebody on the way may have put it there to be
    taken for encrypted.
    """

    async def upgrade(talk: Talk) -> None:
        await _TALKS[protocol](talk)
        if talk.unread:
            raise talk.broken(FailureKind.PROTOCOL, "the server sent more in plain text after it agreed to TLS; somebody on the way may have put it there")

    return upgrade
