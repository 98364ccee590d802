"""Servers on loopback for the tcp and tls steps: well ones, badly set up ones and hostile ones."""

import asyncio
import contextlib
import datetime
import queue
import socket
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import trustme

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Serve every connection with `serve` until the block ends; yields the port."""
    tasks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            pass  # the other side is gone, or the test is over
        finally:
            tasks.discard(task)
            writer.close()

    server = await asyncio.start_server(one, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def handshaking(tls: ssl.SSLContext, greeting: bytes = b"", ends: "queue.Queue[bool] | None" = None) -> Iterator[int]:
    """A server on sockets, in threads: unlike asyncio's it sends its alert before it closes, as servers out there do. Yields the port.

    `ends` hears of each conversation whether the other side ended TLS in order.
    """
    listener = socket.create_server(("127.0.0.1", 0))

    def one(connection: socket.socket) -> None:
        connection.settimeout(30)
        encrypted = tls.wrap_socket(connection, server_side=True, suppress_ragged_eofs=False, do_handshake_on_connect=False)
        with contextlib.suppress(OSError), encrypted as wrapped:
            try:
                wrapped.do_handshake()
            except ssl.SSLError:
                # To the end in plain bytes: closing with something unread would reset the connection, and the alert be lost.
                wrapped.shutdown(socket.SHUT_WR)
                while wrapped.recv(4096):
                    pass
                return
            wrapped.sendall(greeting)
            try:
                while wrapped.recv(4096):
                    pass
            except ssl.SSLError:
                in_order = False
            else:
                in_order = True
            if ends is not None:
                ends.put(in_order)

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=one, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing."""
    while await reader.read(4096):
        pass


def hours(count: float) -> datetime.datetime:
    """The time in so many hours."""
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=count)


class Authority:
    """A certificate authority whose certificate lies in `folder` as ca.pem, and the servers it vouches for."""

    def __init__(self, folder: Path, name: str = "Harbour Trust") -> None:
        self.ca = trustme.CA(organization_name=name)
        self.folder = folder
        self.ca.cert_pem.write_to_path(str(folder / "ca.pem"))

    def context(self, *names: str, **more: Any) -> ssl.SSLContext:
        """A server's context with a certificate for `names`, localhost if none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*(names or ("localhost",)), **more).configure_cert(context)
        return context

    def without_chain(self) -> ssl.SSLContext:
        """A server that sends its own certificate and not the one between it and the authority."""
        issued = self.ca.create_child_ca().issue_cert("localhost")
        return _of(self.folder / "alone.pem", issued.private_key_pem.bytes() + issued.cert_chain_pems[0].bytes())

    def old(self) -> ssl.SSLContext:
        """A server that speaks nothing newer than TLS 1.1."""
        context = self.context()
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        return context

    def wanting_clients(self, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
        """A server that wants a client certificate of this authority."""
        context = self.context()
        context.verify_mode = ssl.CERT_REQUIRED
        context.maximum_version = newest
        self.ca.configure_trust(context)
        return context

    def client(self, password: bytes | None = None) -> None:
        """A client certificate, into client.pem and client.key."""
        from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat, load_pem_private_key

        issued = self.ca.issue_cert("probe.example")
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        hidden = NoEncryption() if password is None else BestAvailableEncryption(password)
        (self.folder / "client.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden))
        (self.folder / "client.pem").write_bytes(issued.cert_chain_pems[0].bytes())


def self_signed(folder: Path) -> ssl.SSLContext:
    """A server whose certificate only it vouches for."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), hours(-1), hours(48))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    pem = made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    return _of(folder / "self.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)


def _of(file: Path, pem: bytes) -> ssl.SSLContext:
    file.write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
