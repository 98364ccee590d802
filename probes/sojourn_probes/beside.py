"""Files that a journey names: scripts, certificates, bodies, schemas."""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sojourn_probes.journey import Journey
from sojourn_probes.own_file import in_folder

CERTIFICATES: Final = frozenset({"ca_file", "cert_file", "key_file"})
"""Keys whose files are no part of a journey's content."""


def files_named_in(journey: Journey) -> list[Path]:
    """Files that the journey names and that are there, each once: those it is made of, and certificates and keys, wherever they lie."""
    said = _said(journey)
    apart = [journey.folder / text for text in _texts(_under(said)) if _is_file(journey.folder, text)]
    return list(dict.fromkeys([*_own(journey, said), *apart]))


def files_made_of(journey: Journey) -> list[Path]:
    """Files in the journey's folder or below that it names and that are there, each once; certificates and keys apart."""
    said = _said(journey)
    apart = {journey.folder / text for text in _texts(_under(said))}
    return [file for file in _own(journey, said) if file not in apart]


def contents_beside(journey: Journey) -> dict[str, str]:
    """What the journey is made of beside its own file: name → SHA-256 of scripts, bodies and schemas it names.

    Certificates and keys are not among them: they are renewed without the journey being another.
    """
    digests: dict[str, str] = {}
    for file in files_made_of(journey):
        with contextlib.suppress(OSError), file.open("rb") as opened:
            digests[str(file.relative_to(journey.folder))] = hashlib.file_digest(opened, "sha256").hexdigest()
    return digests


def _said(journey: Journey) -> Any:
    return journey.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _own(journey: Journey, said: Any) -> list[Path]:
    # Any text may name one, but not one elsewhere: `url: /status` is no file of ours, whatever lies there on this machine.
    names = dict.fromkeys(text for text in _texts(said) if in_folder(text))
    return [journey.folder / name for name in names if _is_file(journey.folder, name)]


def _is_file(folder: Path, name: str) -> bool:
    try:
        return "\n" not in name and (folder / name).is_file()
    except OSError:  # too long for a name
        return False


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
