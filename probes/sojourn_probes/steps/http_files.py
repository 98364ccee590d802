"""Files that an `http` step sends: read within bounds, from the journey's own folder only, for what is sent leaves the machine."""

import asyncio
import mimetypes
from pathlib import Path
from typing import Any, Final

import httpx2

from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.http import MultipartPart
from sojourn_probes.units import show_size

MAX_FILE: Final = 20_000_000
"""Bytes that the files of one request may have together; they are held in memory while it is sent."""

_UNKNOWN: Final = "application/octet-stream"


async def file_of(name: str, context: StepContext) -> tuple[bytes, str]:
    """What is in the file and its content type. Raises ValueError with a sentence, and `NameMissing`."""
    filled = context.names.fill_text(name)
    return await asyncio.to_thread(_read, context.folder, filled, MAX_FILE), _type_of(filled)


async def multipart_of(parts: dict[str, MultipartPart], context: StepContext) -> tuple[bytes, str]:
    """A multipart/form-data body of `parts` and its content type. Raises ValueError with a sentence, and `NameMissing`."""
    names, left = context.names, MAX_FILE
    fields: list[tuple[str, Any]] = []
    for name, part in parts.items():
        kind = None if part.type is None else names.fill_text(part.type)
        if part.file is None:
            fields.append((names.fill_text(name), (None, names.fill_text(part.value or "").encode(), kind)))
            continue
        file = names.fill_text(part.file)
        content = await asyncio.to_thread(_read, context.folder, file, left)
        left -= len(content)
        called = Path(file).name if part.filename is None else names.fill_text(part.filename)
        fields.append((names.fill_text(name), (called, content, kind or _type_of(called))))
    # Only the encoding of the body is wanted of it.
    made = httpx2.Request("POST", "http://localhost/", files=fields)
    return made.read(), made.headers["content-type"]


def _read(folder: Path, name: str, most: int) -> bytes:
    home = folder.resolve()
    try:
        path = (home / name).resolve()
        if not path.is_relative_to(home):
            raise ValueError(f"file {name} leaves the journey's folder; put it beside the journey")
        if path.exists() and not path.is_file():  # a pipe would hold us for ever
            raise ValueError(f"file {name} is no plain file")
        with path.open("rb") as opened:
            content = opened.read(most + 1)
    except (OSError, RuntimeError) as fault:
        why = getattr(fault, "strerror", None) or "its links lead in a circle"
        raise ValueError(f"file {name} cannot be read: {why}; its path is relative to the journey file") from None
    if len(content) > most:
        raise ValueError(f"file {name} is too large; the files of a request may have {show_size(MAX_FILE)} together")
    return content


def _type_of(name: str) -> str:
    return mimetypes.guess_type(name)[0] or _UNKNOWN
