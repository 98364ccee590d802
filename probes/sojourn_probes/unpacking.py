"""Unpacks what came gzip, deflate, brotli or zstd, piece by piece, so that whoever reads can stop before a bomb has gone off."""

import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

PIECE: Final = 64 * 1024
"""Bytes unpacked at a time, so that little more than the limit is ever held."""

_ZSTD_WINDOW_LOG: Final = 23  # 8 MiB, as browsers take it (RFC 9659)


class NotUnpacked(Exception):  # noqa: N818 - says what is the matter
    """The body is not what its content-encoding says; the text says why."""


class Unpacker(Protocol):
    """Unpacks one encoding piece by piece. What is wrong is raised as `NotUnpacked`."""

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """What `data` unpacks to, at most `PIECE` bytes at a time."""
        ...

    def finish(self) -> None:
        """Raises `NotUnpacked` when it ends in the middle."""
        ...


class _Gzip:
    """gzip, perhaps in several members."""

    def __init__(self, window: int = 31) -> None:
        self._unpack: Any = zlib.decompressobj(window)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        more = False
        while data or more:
            if self._unpack.eof:
                # More members may follow; what is no gzip after the end is padding, and everybody ignores it.
                if not data.startswith(b"\x1f\x8b"):
                    return
                self._unpack = zlib.decompressobj(31)
            try:
                piece: bytes = self._unpack.decompress(data, PIECE)
            except zlib.error as fault:
                raise NotUnpacked(str(fault)) from None
            if piece:
                yield piece
            # A full piece may leave something behind even when all of the input was taken.
            more = len(piece) == PIECE and not self._unpack.eof
            data = self._unpack.unused_data if self._unpack.eof else self._unpack.unconsumed_tail

    def finish(self) -> None:
        if not self._unpack.eof:
            raise NotUnpacked("it ends in the middle")


class _Deflate:
    """zlib, or what some servers send as deflate: the same without its header of two bytes."""

    def __init__(self) -> None:
        self._head = b""
        self._inner: _Gzip | None = None

    def pieces(self, data: bytes) -> Iterator[bytes]:
        if self._inner is None:
            self._head += data
            if len(self._head) < 2:
                return
            data = self._head
            headed = data[0] & 15 == 8 and (data[0] * 256 + data[1]) % 31 == 0
            self._inner = _Gzip(zlib.MAX_WBITS if headed else -zlib.MAX_WBITS)
        yield from self._inner.pieces(data)

    def finish(self) -> None:
        if self._inner is None:
            raise NotUnpacked("it ends in the middle")
        self._inner.finish()


class _Brotli:
    def __init__(self) -> None:
        import brotli

        self._unpack = brotli.Decompressor()
        self._error: type[Exception] = brotli.error

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while not self._unpack.is_finished():
            try:
                piece: bytes = self._unpack.process(data, output_buffer_limit=PIECE)
            except self._error:
                raise NotUnpacked("it is no brotli") from None
            if piece:
                yield piece
            if self._unpack.can_accept_more_data() and not piece:
                return
            data = b""

    def finish(self) -> None:
        if not self._unpack.is_finished():
            raise NotUnpacked("it ends in the middle")


class _Zstd:
    def __init__(self) -> None:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd

        self._error: type[Exception] = zstd.ZstdError
        self._new: Callable[[], Any] = lambda: zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG})
        self._unpack = self._new()

    def pieces(self, data: bytes) -> Iterator[bytes]:
        while True:
            if self._unpack.eof:
                if not data:
                    return
                self._unpack = self._new()
            try:
                piece: bytes = self._unpack.decompress(data, PIECE)
            except self._error as fault:
                raise NotUnpacked(str(fault)) from None
            if piece:
                yield piece
            if self._unpack.eof:
                data = self._unpack.unused_data
            elif self._unpack.needs_input:
                return
            else:
                data = b""

    def finish(self) -> None:
        if not self._unpack.eof:
            raise NotUnpacked("it ends in the middle")


UNPACKERS: Final[dict[str, Callable[[], Unpacker]]] = {"gzip": _Gzip, "x-gzip": _Gzip, "deflate": _Deflate, "br": _Brotli, "zstd": _Zstd}
"""By the names of Content-Encoding."""
