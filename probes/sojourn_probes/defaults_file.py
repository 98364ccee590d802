"""`defaults.yaml` in a folder of journeys: what they say alike, said once.

A journey's own key wins; `vars`, `labels` and `defaults` are joined key by key, `tags` and `maintenance` are added to its own.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pydantic import Field, ValidationError, create_model

from sojourn_probes.errors import JourneyFileError, Problem
from sojourn_probes.journey import Journey
from sojourn_probes.model import Model
from sojourn_probes.naming import Id
from sojourn_probes.problems import sentences
from sojourn_probes.yaml_core import Document, YamlFault, read
from sojourn_probes.yaml_core import Path as KeyPath

FILE_NAME: Final = "defaults.yaml"
"""What the file is called; it is no journey."""

JOINED: Final = ("vars", "labels", "defaults")
ADDED: Final = ("tags", "maintenance")
TAKEN: Final = ("base_url", "interval", "schedule", "timezone", "timeout", "retries", "locations", "lifecycle", "owner", "runbook", "customers", "enabled")
"""Keys of a journey that may stand in it."""

EITHER: Final = ("interval", "schedule")
"""A journey that says one of these does not take the other."""


class Places(Model):
    """The key that only this file has."""

    known_locations: tuple[Id, ...] = Field((), description="every location there is; a journey that names another is refused")


if TYPE_CHECKING:
    Shared = Places
else:
    Shared = create_model(
        "Shared",
        __base__=Places,
        **{name: (info.annotation, info) for name in (*TAKEN, *JOINED, *ADDED) for info in (Journey.model_fields[name],)},
    )


@dataclass(slots=True)
class DefaultsFile:
    """A folder's `defaults.yaml`; without one it says nothing."""

    path: Path
    document: Document = field(default_factory=lambda: Document({}))
    known_locations: tuple[str, ...] = ()

    def under(self, document: Document) -> Document:
        """`document` with what this file says put beneath it. The places of what came from here are those in this file."""
        mine, theirs = self.document.data, document.data
        if not mine:
            return document
        merged = Document(dict(theirs), dict(document.values), dict(document.keys), dict(document.inside), dict(document.origin))
        for key, value in mine.items():
            if key == "known_locations" or (key in EITHER and any(other in theirs for other in EITHER)):
                continue
            merged.data[key] = self._joined(merged, key, theirs.get(key), value) if key in theirs else self._taken(merged, (key,), (key,), value)
        return merged

    def _joined(self, merged: Document, key: str, own: Any, value: Any) -> Any:
        if key in ADDED and isinstance(own, list) and isinstance(value, list):
            return [*own, *(self._taken(merged, (key, len(own) + index), (key, index), item) for index, item in enumerate(value))]
        if key in JOINED:
            return self._maps(merged, (key,), own, value)
        return own

    def _maps(self, merged: Document, path: KeyPath, own: Any, value: Any) -> Any:
        """Two maps as one, to any depth; what is no map stays the journey's own."""
        if not isinstance(own, dict) or not isinstance(value, dict):
            return own
        joined = dict(own)
        for key, item in value.items():
            where = (*path, key)
            joined[key] = self._maps(merged, where, own[key], item) if key in own else self._taken(merged, where, where, item)
        return joined

    def _taken(self, merged: Document, path: KeyPath, source: KeyPath, value: Any) -> Any:
        for mine, into in ((self.document.values, merged.values), (self.document.keys, merged.keys), (self.document.inside, merged.inside)):
            for place, found in mine.items():
                if place[: len(source)] == source:
                    into[(*path, *place[len(source) :])] = found  # type: ignore[assignment]  # the three maps differ in what they hold
                    merged.origin[(*path, *place[len(source) :])] = str(self.path)
        return value


def read_defaults(folder: Path) -> DefaultsFile:
    """What `defaults.yaml` in `folder` says. Raises `JourneyFileError` with all that is wrong with it."""
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    except UnicodeDecodeError:
        raise JourneyFileError([Problem(str(path), 1, 1, "", "is not UTF-8; save it as UTF-8")]) from None
    except OSError as fault:
        raise JourneyFileError([Problem(str(path), 1, 1, "", f"cannot be read: {fault.strerror}")]) from None
    if not text.strip():
        return DefaultsFile(path)
    try:
        document = read(text)
    except YamlFault as fault:
        raise JourneyFileError([Problem(str(path), fault.line, fault.col, fault.key, str(fault))]) from None
    if not isinstance(document.data, dict):
        raise JourneyFileError([Problem(str(path), 1, 1, "", "is no map; it holds keys that journeys have too, such as base_url: and timeout:")])
    document.data = {key: value for key, value in document.data.items() if not key.startswith("x-")}
    try:
        shared = Shared.model_validate(document.data)
    except ValidationError as error:
        raise JourneyFileError(sentences(error, Shared, document, str(path))) from None
    return DefaultsFile(path, document, shared.known_locations)
