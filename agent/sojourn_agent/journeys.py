"""The folder of journeys, read again when a file changes. At the start a bad file stops the agent; later the last good one runs on."""

import hashlib
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from sojourn_probes.across import across
from sojourn_probes.beside import files_made_of
from sojourn_probes.defaults_file import read_defaults
from sojourn_probes.errors import JourneyFileError, Problem
from sojourn_probes.journey import Journey
from sojourn_probes.load import files_in, load_file, load_folder, missing_names
from sojourn_probes.secrets import SecretStore

log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int], ...]


class JourneyFolder:
    """The journeys in `folder` that `location` walks. `secrets` is asked anew whenever a file is read."""

    def __init__(self, folder: Path, *, location: str, environ: Mapping[str, str], secrets: Callable[[], SecretStore]) -> None:
        self.folder = folder
        self.problems: dict[str, str] = {}
        self._location = location
        self._environ = environ
        self._secrets = secrets
        self._good: dict[Path, Journey] = {}
        self._seen: dict[Path, tuple[Stamp, str]] = {}
        self._shared: object = None

    def load(self) -> list[Journey]:
        """Every journey, at the start. Raises `JourneyFileError` with all that is wrong, missing secrets and environment variables included."""
        journeys = load_folder(self.folder)
        self._shared = read_defaults(self.folder).document.data
        problems = [problem for journey in journeys if self.is_walked(journey) for problem in self._missing(journey)]
        if problems:
            raise JourneyFileError(problems)
        for journey in journeys:
            if journey.source is not None:
                self._good[journey.source] = journey
                self._seen[journey.source] = (self._stamp(journey.source), self._digest(journey.source))
        return self.walked

    @property
    def walked(self) -> list[Journey]:
        """The journeys to walk here, by id, as they are at this location."""
        return sorted((journey.at(self._location) for journey in self._good.values() if self.is_walked(journey)), key=lambda journey: journey.id)

    @property
    def known(self) -> list[Journey]:
        """Every journey in the folder, those of other locations and those without probes included."""
        return sorted(self._good.values(), key=lambda journey: journey.id)

    def is_walked(self, journey: Journey) -> bool:
        """Whether `journey` has something to probe, is enabled, and this location probes it."""
        return journey.has_probes and journey.enabled and (not journey.locations or self._location in journey.locations)

    def reload(self) -> list[Journey] | None:
        """Look at the folder again. The journeys to walk when something changed, else None."""
        try:
            files = files_in(self.folder)
            shared = read_defaults(self.folder)
        except OSError as error:
            self._tell(str(self.folder), f"{self.folder}: cannot be read ({error.strerror}); the journeys known run on")
            return None
        except JourneyFileError as error:
            self._tell(str(self.folder), f"{error}\n{self.folder}: the journeys known run on")
            return None
        self.problems.pop(str(self.folder), None)
        if shared.document.data != self._shared:
            self._shared = shared.document.data
            self._seen = dict.fromkeys(self._seen, ((), ""))
        changed = self._forget_all_but(files)
        for file in files:
            changed |= self._look_at(file)
        return self.walked if changed else None

    def _forget_all_but(self, files: list[Path]) -> bool:
        gone = [path for path in self._seen if path not in files]
        for path in gone:
            journey = self._good.pop(path, None)
            del self._seen[path]
            self.problems.pop(str(path), None)
            log.info("journey file %s is gone%s", path, f"; {journey.id} is no longer walked" if journey else "")
        return bool(gone)

    def _look_at(self, file: Path) -> bool:
        """True when what is walked may have changed."""
        stamp, known = self._stamp(file), self._seen.get(file)
        if known is not None and known[0] == stamp and str(file) not in self.problems:
            return False
        digest = self._digest(file)
        if known is not None and known[1] == digest and str(file) not in self.problems:
            self._seen[file] = (stamp, digest)
            return False
        changed = self._read(file)
        self._seen[file] = (self._stamp(file), self._digest(file))
        return changed

    def _read(self, file: Path) -> bool:
        """Take the file if it is good. One with a problem is read each time, for a missing secret may have come."""
        try:
            journey = load_file(file)
            others = [known for path, known in self._good.items() if path != file]
            problems = [*across([*others, journey]), *(self._missing(journey) if self.is_walked(journey) else ())]
            if problems:
                raise JourneyFileError(problems)
        except JourneyFileError as error:
            runs_on = f"the last good one of {self._good[file].id} runs on" if file in self._good else "it is not walked"
            self._tell(str(file), f"{error}\n{file}: {runs_on}")
            return False
        before = self._good.get(file)
        self._good[file] = journey
        if self.problems.pop(str(file), None) is not None or before is None or before.version != journey.version:
            log.info("journey %s of %s is walked as it is now", journey.id, file)
        return before is None or before.version != journey.version

    def _stamp(self, file: Path) -> Stamp:
        """Times and sizes of the file and of those that the journey in it, as last read, is made of."""
        return tuple(_time_and_size(one) for one in (file, *self._beside(file)))

    def _digest(self, file: Path) -> str:
        return " ".join(_sha256(one) for one in (file, *self._beside(file)))

    def _beside(self, file: Path) -> list[Path]:
        return files_made_of(self._good[file]) if file in self._good else []

    def _missing(self, journey: Journey) -> list[Problem]:
        return missing_names(journey, self._environ, self._secrets())

    def _tell(self, file: str, text: str) -> None:
        """Say it once in the log, and in /healthz for as long as it holds."""
        if self.problems.get(file) != text:
            log.error("%s", text)
        self.problems[file] = text


def _time_and_size(file: Path) -> tuple[int, int]:
    try:
        stat = file.stat()
    except OSError:
        return (0, -1)
    return (stat.st_mtime_ns, stat.st_size)


def _sha256(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
