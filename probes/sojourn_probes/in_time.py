"""Work on what a server sent, beside the event loop and within a time: a body that is made to be slow to read must not hold up other journeys."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class _Stop(BaseException):
    """Raised inside a thread whose time is over; no `except Exception` on the way takes it for its own."""


class _Work:
    """One piece of work in a thread of its own. A pool would let two slow ones keep all others waiting."""

    def __init__(self, work: Callable[[], object], done: Callable[[object, BaseException | None], None]) -> None:
        self._work, self._done = work, done
        # A daemon: nobody waits for it at the end of the process.
        self._thread = threading.Thread(target=self._run, name="sojourn-judging", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            try:
                value = self._work()
            except Exception as fault:  # noqa: BLE001 - handed to whoever waits for it
                self._done(None, fault)
            else:
                self._done(value, None)
        except _Stop:
            return

    def stop(self) -> None:
        """End the thread at its next step in Python; inside a library's C code only when that returns."""
        import ctypes  # only for the rare work that must be stopped

        ident = self._thread.ident
        if ident is not None and self._thread.is_alive():
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(_Stop))


async def in_time(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises, done in a thread. Raises TimeoutError after `seconds`, and then stops it, as cancellation does."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(value: Any, fault: BaseException | None) -> None:
        if answer.done():
            return
        if fault is None:
            answer.set_result(value)
        else:
            answer.set_exception(fault)

    def done(value: object, fault: BaseException | None) -> None:
        try:
            loop.call_soon_threadsafe(settle, value, fault)
        except RuntimeError:
            return  # the loop is closed; nobody waits any more

    thread = _Work(work, done)
    try:
        async with asyncio.timeout(seconds):
            return await answer
    finally:
        if not answer.done() or answer.cancelled():
            thread.stop()
