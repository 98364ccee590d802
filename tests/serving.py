"""Serves an ASGI app on loopback in the loop that is running, and ends without uvicorn's pauses: a test that is done need not wait for them."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import uvicorn


class PromptServer(uvicorn.Server):
    """uvicorn that ends when `should_exit` is set and not at its next look, and waits for connections to close by looking often."""

    def __init__(self, *given: Any, **named: Any) -> None:
        self._told = asyncio.Event()
        super().__init__(*given, **named)

    @property
    def should_exit(self) -> bool:
        """Whether it was told to end."""
        return self._told.is_set()

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        if value:
            self._told.set()

    async def main_loop(self) -> None:
        """Until told."""
        await self.on_tick(0)
        await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's."""
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        state = self.server_state
        for connection in list(state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while state.connections or state.tasks:
                    await asyncio.sleep(0.002)
                for server in self.servers:
                    await server.wait_closed()
        except TimeoutError:
            for task in state.tasks:
                task.cancel()
        await self.lifespan.shutdown()


@contextlib.asynccontextmanager
async def served(app: Any, **config: Any) -> AsyncIterator[str]:
    """`app` on a free port of loopback while the block runs; yields its origin."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        server = PromptServer(uvicorn.Config(app, **{"log_level": "warning", "lifespan": "off", **config}))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving
