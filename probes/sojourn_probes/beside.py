"""Files that a journey names: scripts, certificates, bodies, schemas."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sojourn_probes.journey import Journey


def files_named_in(journey: Journey) -> Iterator[Path]:
    """Files beside the journey that it names and that are there."""
    for text in _texts(journey.model_dump(mode="json", by_alias=True, exclude_unset=True)):
        if 0 < len(text) < 256 and "\n" not in text and "\0" not in text and (file := journey.folder / text).is_file():
            yield file


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
