"""A PostgreSQL server of the tests' own, from Debian's package: in a temporary folder, on a unix socket and a free loopback port, ended with the tests."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
import trustme

from sojourn_collector.store.control.postgres import PostgresAddress

HOW = "PostgreSQL is not installed; on Debian: apt-get install --no-install-recommends postgresql"
USER = "sojourn"
PASSWORD = "a p@ss/word: %20"
SETTINGS = {
    "fsync": "off",  # nobody cuts the power of this machine during a test
    "full_page_writes": "off",
    "synchronous_commit": "off",  # the collector asks for its own
    "max_connections": "100",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "ssl": "on",
}


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`, the newest version there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]) if path.parts[4].isdigit() else 0)
    if found:
        return found[-1].parent
    beside = shutil.which("initdb")
    return Path(beside).resolve().parent if beside else None


def _as_nobody(command: Sequence[str]) -> list[str]:
    """The command as a user without rights when we are root, whom PostgreSQL refuses; it ends when we do."""
    if os.geteuid() != 0:
        return ["setpriv", "--pdeathsig", "INT", *command]
    user = _nobody()
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--pdeathsig", "INT", *command]


def _nobody() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return pwd.getpwuid(65534)


class PostgresServer:
    """A running server. Databases are made by `new`; over the socket everybody may come, over the network with a password."""

    def __init__(self) -> None:
        found = programs()
        assert found is not None, HOW
        self._programs = found
        self.folder = Path(tempfile.mkdtemp(prefix="sj-pg-", dir="/tmp"))  # a path short enough for a socket
        self.ca = trustme.CA()
        self.ca_file = self.folder / "ca.pem"
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        certificate = self.ca.issue_cert("localhost", "127.0.0.1")
        self.ca.cert_pem.write_to_path(self.ca_file)
        certificate.private_key_pem.write_to_path(self.folder / "server.key")
        certificate.cert_chain_pems[0].write_to_path(self.folder / "server.pem")
        (self.folder / "server.key").chmod(0o600)
        if os.geteuid() == 0:
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, _nobody().pw_uid, _nobody().pw_gid)
        arguments = ("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={USER}", "-D")
        subprocess.run(
            _as_nobody([str(self._programs / arguments[0]), *arguments[1:], str(self.folder / "data")]),
            check=True, stdout=subprocess.DEVNULL, cwd="/", env={"PATH": os.environ["PATH"], "TZ": "UTC"},
        )  # fmt: skip
        (self.folder / "data/pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        self.start()
        quoted = PASSWORD.replace("'", "''")
        self.admin(f"ALTER ROLE {USER} PASSWORD '{quoted}'")

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            **SETTINGS,
            "unix_socket_directories": str(self.folder),
            "listen_addresses": "127.0.0.1",
            "ssl_cert_file": str(self.folder / "server.pem"),
            "ssl_key_file": str(self.folder / "server.key"),
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _as_nobody([str(self._programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port), *arguments]),
                stderr=log, stdout=log, cwd="/", env={"PATH": os.environ["PATH"], "TZ": "UTC"},
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                self.admin("SELECT 1")
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise AssertionError(f"PostgreSQL did not start:\n{(self.folder / 'log').read_text()[-2000:]}") from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it at once, without a goodbye to those connected."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        """End it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def admin(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run one statement; its rows."""
        with psycopg.connect(host=str(self.folder), port=self.port, user=USER, dbname=database, autocommit=True, connect_timeout=5) as connection:
            cursor = connection.execute(statement.encode())
            return list(cursor.fetchall()) if cursor.description else []

    def new(self) -> PostgresAddress:
        """An empty database, by the socket."""
        name = f"t_{uuid.uuid4().hex[:12]}"
        self.admin(f"CREATE DATABASE {name}")
        return PostgresAddress(USER, str(self.folder), self.port, name)

    def drop(self, address: PostgresAddress) -> None:
        """Remove a database, whoever is connected."""
        self.admin(f"DROP DATABASE IF EXISTS {address.database} WITH (FORCE)")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The session's server; without PostgreSQL a skip, under CI=true a failure."""
    if programs() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(HOW)
        pytest.skip(HOW)
    server = PostgresServer()
    try:
        yield server
    finally:
        server.close()


@pytest.fixture
def postgres_database(postgres: PostgresServer) -> Iterator[PostgresAddress]:
    """An empty database of the test's own."""
    address = postgres.new()
    yield address
    postgres.drop(address)
