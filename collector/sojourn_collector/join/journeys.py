"""The journeys in force: a folder read at the start and again when it changes; a bad file leaves the last good ones in force."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.journey import Journey
from sojourn_probes.load import load_folder, watched_in

_log = logging.getLogger(__name__)
_Seen = tuple[tuple[str, int, int], ...]


class JourneyFolder:
    """The journeys of one folder, by id. Raises JourneyFileError when it is bad at the start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _look(path)
        self._journeys = _read(path)
        self._problem = ""

    def all(self) -> Mapping[str, Journey]:
        """The journeys in force."""
        return self._journeys

    @property
    def problem(self) -> str:
        """Why the folder as it is now is not in force, a line per problem; empty when it is."""
        return self._problem

    async def refresh(self) -> bool:
        """Read the folder again if anything in it changed. Says whether other journeys are in force now."""
        return await asyncio.to_thread(self._refresh)

    def _refresh(self) -> bool:
        try:
            seen = _look(self._path)
            if seen == self._seen:
                return False
            self._seen = seen
            journeys = _read(self._path)
        except (JourneyFileError, OSError) as error:
            if str(error) != self._problem:
                self._problem = str(error)
                _log.error("the journeys read last stay in force: %s", error)
            return False
        self._problem = ""
        changed = {id_: j.version for id_, j in journeys.items()} != {id_: j.version for id_, j in self._journeys.items()}
        self._journeys = journeys
        if changed:
            _log.info("journeys in force: %s", ", ".join(journeys) or "none")
        return changed


def _look(path: Path) -> _Seen:
    """What the folder looks like from outside; a change of it is worth a reading."""
    if not path.is_dir():
        return ()
    stats = [(file, file.stat()) for file in watched_in(path)]
    return tuple((file.name, stat.st_mtime_ns, stat.st_size) for file, stat in stats)


def _read(path: Path) -> Mapping[str, Journey]:
    return MappingProxyType({journey.id: journey for journey in load_folder(path)})
