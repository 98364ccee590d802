"""Builds the shop and serves its three listeners in one process until it is told to stop."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

import httpx2
import uvicorn
from opentelemetry.sdk.trace import TracerProvider
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sojourn_demo.shop.admin import Admin, build_admin
from sojourn_demo.shop.checkout import Checkout
from sojourn_demo.shop.feeds import Feeds
from sojourn_demo.shop.html import fill
from sojourn_demo.shop.payments import SLOW_SECONDS, build_payments
from sojourn_demo.shop.settings import ShopSettings
from sojourn_demo.shop.site import Site
from sojourn_demo.shop.switchboard import Switchboard
from sojourn_demo.shop.tracing import TracedApp, build_provider
from sojourn_demo.shop.visitors import Visitors


@dataclass(slots=True)
class Shop:
    """The built apps of the shop, for serving and for tests."""

    shop: ASGIApp
    payments: ASGIApp
    admin: ASGIApp
    feeds: Feeds
    switchboard: Switchboard
    providers: tuple[TracerProvider, ...]


def build_shop(settings: ShopSettings, client: httpx2.AsyncClient, *, pause: float = SLOW_SECONDS) -> Shop:
    """Build the shop; `client` is what it calls its payments service with, `pause` how long a slow bank takes, in seconds."""
    key = Path(settings.key_file).read_text(encoding="utf-8").strip() if settings.key_file else ""
    feeds, switchboard = Feeds(settings.collector_url, key), Switchboard()
    visitors = Visitors({customer.id: customer for customer in settings.customers})
    providers = build_provider("shop", settings.otlp_url), build_provider("payments", settings.otlp_url)
    tracer = providers[0].get_tracer("sojourn_demo.shop")
    site, checkout = Site(settings, visitors, switchboard), Checkout(settings, visitors, switchboard, feeds, tracer, client)
    static = Mount("/static", StaticFiles(directory=str(files("sojourn_demo.shop") / "static")))
    app = Starlette(routes=[*site.routes(), *checkout.routes(), static], exception_handlers={HTTPException: _refuse})
    _introduce(settings, feeds)
    return Shop(
        shop=TracedApp(app, tracer),
        payments=build_payments(providers[1].get_tracer("sojourn_demo.payments"), pause=pause),
        admin=build_admin(Admin(switchboard, feeds, settings.seed, settings.origin)),
        feeds=feeds,
        switchboard=switchboard,
        providers=providers,
    )


async def _refuse(request: Request, error: Exception) -> Response:
    """A refusal in the form the asker understands: a sentence as JSON for scripts, a page for people."""
    assert isinstance(error, HTTPException)
    if request.method == "POST" and "json" in request.headers.get("content-type", ""):
        return JSONResponse({"error": error.detail}, status_code=error.status_code)
    return HTMLResponse(fill("refused", {"status": error.status_code, "detail": error.detail}), status_code=error.status_code)


def _introduce(settings: ShopSettings, feeds: Feeds) -> None:
    """Tell the collector whom the shop knows: business accounts and people."""
    for account in settings.accounts:
        feeds.accounts.add({**asdict(account), "mrr": f"{account.mrr:.2f}", "currency": "EUR"})
    for customer in settings.customers:
        row = {"id": customer.id, "name": customer.name, "email": customer.email, "consent": "granted"}
        feeds.people.add({**row, "account_id": customer.account} if customer.account else row)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: three servers share one process, which has one."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
    except OSError as error:
        sock.close()
        raise OSError(f"Port {port} of the shop is taken; stop what listens there or give another.") from error
    return sock


@contextlib.asynccontextmanager
async def listening(app: ASGIApp, port: int) -> AsyncIterator[int]:
    """Serve `app` on loopback while the block runs; yields the port (0 asks for a free one). Raises OSError when it is taken."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        # Longer than our clients keep an idle connection: a connection must not be closed under a request that is on its way.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
    )
    server = _Server(config)
    with _bind(port) as sock:
        task = asyncio.create_task(server.serve(sockets=[sock]))
        try:
            while not server.started and not task.done():  # noqa: ASYNC110 — uvicorn has no event for it
                await asyncio.sleep(0.01)
            yield int(sock.getsockname()[1])
        finally:
            server.should_exit = True
            await task


async def serve(settings: ShopSettings) -> None:
    """Serve shop, payments and switchboard until SIGTERM or SIGINT; then send what waits and go. Raises OSError when a port is taken."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # Longer than any slow bank: on a busy machine a payment may be late, but only the switchboard decides that it fails.
    limits = httpx2.Limits(max_connections=16, keepalive_expiry=20)
    async with httpx2.AsyncClient(trust_env=False, timeout=60, limits=limits) as client:
        shop = build_shop(settings, client)
        sending = asyncio.create_task(shop.feeds.run())
        async with listening(shop.payments, settings.payments_port), listening(shop.shop, settings.port), listening(shop.admin, settings.admin_port):
            await stop.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
    for provider in shop.providers:
        await asyncio.to_thread(provider.shutdown)
