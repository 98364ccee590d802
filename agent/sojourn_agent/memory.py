"""Keeps the agent small: few allocator arenas, and what start-up needed given back to the host."""

import ctypes
import gc
from typing import Final

_M_ARENA_MAX: Final = -8  # glibc's malloc.h


def few_arenas() -> None:
    """One allocator arena for all threads instead of one each; call it before there are threads. Without glibc nothing happens."""
    _glibc("mallopt", _M_ARENA_MAX, 1)


def give_back(*, collect: bool = True) -> None:
    """Return free pages to the host; with `collect` after a collection (tens of ms) of what start-up left: schema building, parsing."""
    if collect:
        gc.collect()
        gc.freeze()  # what is there now stays for good: later collections need not walk it, and stay short
    _glibc("malloc_trim", 0)


def _glibc(function: str, *arguments: int) -> None:
    try:
        getattr(ctypes.CDLL(None), function)(*arguments)
    except (OSError, AttributeError):
        return
