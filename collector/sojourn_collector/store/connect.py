"""A connection of `clickhouse-connect`'s async client, and what its errors mean here."""

import asyncio
import ssl
from typing import Any

import clickhouse_connect
import httpx2
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError as ClickHouseError

from sojourn_collector.store.endpoint import Endpoint

NETWORK_ERRORS = (ConnectionError, OSError, EOFError)


class StoreError(Exception):
    """Base of what the store raises."""


class EngineUnavailable(StoreError):  # noqa: N818 - says what is the case
    """The engine does not answer just now; the same call may succeed later."""


class StatementFailed(StoreError):  # noqa: N818 - says what is the case
    """The engine refused a statement. `code` is ClickHouse's error code, 0 when unknown."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


async def connect(endpoint: Endpoint, *, database: str | None = None, deadline: float = 10.0) -> AsyncClient:
    """A client of its own for `endpoint`; `database` instead of the layout's. Raises EngineUnavailable, StatementFailed."""
    login: dict[str, Any] = {"access_token": endpoint.token} if endpoint.token else {"username": endpoint.user, "password": endpoint.password}
    if named := endpoint.layout.database if database is None else database:
        login["database"] = named
    try:
        async with asyncio.timeout(deadline):
            return await clickhouse_connect.get_async_client(
                host=endpoint.host,
                port=endpoint.port,
                **login,
                **_tls(endpoint),
                compress=False,
                query_retries=0,
                query_limit=0,
                autogenerate_session_id=False,
                tz_mode="aware",
                send_receive_timeout=600,
            )
    except TimeoutError as error:
        raise EngineUnavailable(f"The engine did not answer within {deadline:g} s.") from error
    except (ClickHouseError, *NETWORK_ERRORS) as error:
        raise as_store_error(error) from error


def plain_http(endpoint: Endpoint, deadline: float) -> httpx2.AsyncClient:
    """A client for what needs no driver: a ping, a version. Over plain HTTP verify=False only spares a TLS context that nobody uses."""
    trusted: ssl.SSLContext | bool = False
    if endpoint.secure:
        trusted = ssl.create_default_context(cafile=endpoint.ca_file)
        if endpoint.cert_file is not None:
            trusted.load_cert_chain(endpoint.cert_file, endpoint.key_file)
    headers = {"authorization": f"Bearer {endpoint.token}"} if endpoint.token else {}
    login = None if endpoint.token else (endpoint.user, endpoint.password)
    return httpx2.AsyncClient(trust_env=False, verify=trusted, timeout=deadline, headers=headers, auth=login)


def _tls(endpoint: Endpoint) -> dict[str, Any]:
    """The server's certificate is always verified; a client's own certificate goes beside user and password (`strict`)."""
    if not endpoint.secure:
        return {}
    files = {"ca_cert": endpoint.ca_file, "client_cert": endpoint.cert_file, "client_cert_key": endpoint.key_file}
    return {"secure": True, "tls_mode": "strict", **{name: str(file) for name, file in files.items() if file is not None}}


def as_store_error(error: Exception) -> StoreError:
    """Network trouble may pass; an answer with a code of the engine's is a refusal."""
    code = getattr(error, "code", None)
    if isinstance(error, ClickHouseError) and code:
        return StatementFailed(str(error), int(code))
    return EngineUnavailable(f"The engine does not answer ({type(error).__name__}).")
