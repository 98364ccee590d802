"""A proxy on loopback that can cut connections: in the middle of a request, or when the reply is on its way, so that the sender never hears it."""

import asyncio
import contextlib
from collections.abc import Callable


class CuttingProxy:
    """Passes bytes to wherever `target` says just now; its own address stays the same. `cut_replies` and `cut_requests` count cuts still to be made."""

    def __init__(self, target: Callable[[], tuple[str, int]]) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.cut_replies = 0
        """Replies to throw away: the request was received and answered, whoever sent it does not hear so."""
        self.cut_requests = 0
        """Requests to cut short after their first bytes."""
        self.cuts = 0
        """Cuts made."""

    @property
    def address(self) -> str:
        """host:port."""
        assert self._server
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)

    async def stop(self) -> None:
        """Let go of every connection."""
        assert self._server
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._connection(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        out: asyncio.StreamWriter | None = None
        try:
            back, out = await asyncio.open_connection(*self._target())
            ways = [asyncio.ensure_future(self._requests(reader, out)), asyncio.ensure_future(self._replies(back, writer))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, ValueError, KeyError):
            return  # nobody is there just now
        finally:
            for one in (writer, out):
                if one is not None:
                    one.transport.abort()

    async def _requests(self, reader: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            # Only a piece as long as a request is one; HTTP/2 sends small frames for itself.
            if self.cut_requests and len(data) > 400:
                self.cut_requests -= 1
                self.cuts += 1
                out.write(data[: len(data) // 2])
                with contextlib.suppress(OSError):
                    await out.drain()
                return
            out.write(data)
            await out.drain()

    async def _replies(self, back: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await back.read(1 << 16):
            # The reply of a call over HTTP/2 has the content type in its headers in clear or by its index; what is shorter is a frame for itself.
            if self.cut_replies and len(data) > 30:
                self.cut_replies -= 1
                self.cuts += 1
                return
            writer.write(data)
            await writer.drain()
