"""Files that a journey names: scripts, certificates, bodies, schemas."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sojourn_probes.journey import Journey

CERTIFICATES: Final = frozenset({"ca_file", "cert_file", "key_file"})
"""Keys whose files are no part of a journey's content."""


def files_named_in(journey: Journey) -> Iterator[Path]:
    """Files beside the journey that it names and that are there."""
    for text in _texts(journey.model_dump(mode="json", by_alias=True, exclude_unset=True)):
        if 0 < len(text) < 256 and "\n" not in text and "\0" not in text and (file := journey.folder / text).is_file():
            yield file


def contents_beside(journey: Journey) -> dict[str, str]:
    """What the journey is made of beside its own file: name → SHA-256 of scripts, bodies and schemas it names.

    Certificates and keys are not among them: they are renewed without the journey being another.
    """
    digests: dict[str, str] = {}
    for file in files_made_of(journey):
        name = str(file.relative_to(journey.folder)) if file.is_relative_to(journey.folder) else str(file)
        with contextlib.suppress(OSError), file.open("rb") as opened:
            digests[name] = hashlib.file_digest(opened, "sha256").hexdigest()
    return digests


def files_made_of(journey: Journey) -> list[Path]:
    """The files of `contents_beside`, each once."""
    apart = {journey.folder / text for text in _texts(_under(journey.model_dump(mode="json", by_alias=True, exclude_unset=True)))}
    return [file for file in dict.fromkeys(files_named_in(journey)) if file not in apart]


def _under(value: Any) -> list[Any]:
    """What is said under the keys that name certificates and keys, anywhere in it."""
    if isinstance(value, Mapping):
        return [item if key in CERTIFICATES else _under(item) for key, item in value.items()]
    return [_under(item) for item in value] if isinstance(value, list) else []


def _texts(value: Any) -> Iterator[str]:
    """Every text in it, and every last word: `json $ fits item.schema.json` names a file too."""
    if isinstance(value, str):
        yield value
        if " " in value:
            yield value.rpartition(" ")[2]
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
