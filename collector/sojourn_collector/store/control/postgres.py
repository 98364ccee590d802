"""The control database in PostgreSQL, for one collector or several.

Commits are durable whatever the server's own setting is. Nothing waits for ever: connecting, statements, locks and dead networks have deadlines.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

CONNECTIONS = 8
"""Most connections of one collector."""
OLDEST_SERVER = 130_000
_SETTINGS = {
    "application_name": "sojourn-collector",
    "synchronous_commit": "on",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "client_min_messages": "warning",
}


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """Where the database is. `host` is a name, an address or the folder of a unix socket.

    `password` is asked at each connecting, so that a new one is taken up.
    """

    user: str
    host: str
    port: int
    database: str
    sslmode: str = "prefer"
    ca_file: Path | None = None
    password: Callable[[], str] | None = None

    def __str__(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.database}"


def postgres_engine(address: PostgresAddress) -> Engine:
    """The engine; it connects when it is first used. Raises what `address.password` raises, at each connecting."""
    arguments: dict[str, Any] = {
        "host": address.host,
        "port": address.port,
        "sslmode": address.sslmode,
        "connect_timeout": 5,
        "tcp_user_timeout": 10_000,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "options": " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items()),
    }
    if address.sslmode in ("verify-ca", "verify-full"):
        arguments["sslrootcert"] = str(address.ca_file or "system")
    url = URL.create("postgresql+psycopg", username=address.user, database=address.database)
    engine = create_engine(url, connect_args=arguments, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=5.0, hide_parameters=True)

    @event.listens_for(engine, "do_connect")
    def _password(_dialect: Any, _record: Any, _args: Any, parameters: dict[str, Any]) -> None:
        if address.password is not None:
            parameters["password"] = address.password()

    return engine
