"""Bodies that may come packed with gzip: bounded as they arrive and as they unpack."""

from typing import Final

from fastapi import Request

from sojourn_collector.sources.door import Refused, in_words, read_body
from sojourn_collector.sources.sentences import shown
from sojourn_probes.unpacking import UNPACKERS, NotUnpacked

CODINGS: Final = ("identity", "gzip")


def coding_of(request: Request) -> str:
    """How the body is packed. Raises Refused."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in CODINGS:
        raise Refused(415, f"The content encoding {shown(coding)} is not taken; send gzip or none.")
    return coding


async def read_packed(request: Request, deadline: float, largest: int) -> bytes:
    """The body as it was before it was packed, in `deadline` seconds, of at most `largest` bytes on the wire and of as many unpacked. Raises Refused."""
    coding = coding_of(request)
    body = await read_body(request, deadline, largest)
    return body if coding == "identity" else unpacked(body, largest)


def unpacked(body: bytes, largest: int) -> bytes:
    """What a gzip body holds; unpacking stops at `largest` bytes. Raises Refused."""
    unpacker, whole = UNPACKERS["gzip"](), bytearray()
    try:
        for piece in unpacker.pieces(body):
            whole += piece
            if len(whole) > largest:
                raise Refused(413, f"The body is larger than {in_words(largest)} once unpacked; send it in several requests.")
        unpacker.finish()
    except NotUnpacked:
        raise Refused(400, "The body is not whole gzip, as its content encoding says it is.") from None
    return bytes(whole)
