"""`sojourn run --watch`: walk, wait until a file is saved, walk again."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final

from watchfiles import Change, awatch

from sojourn_probes import cli_streams
from sojourn_probes.beside import files_named_in
from sojourn_probes.cli_walk import Wish, read_to_walk, secret_store, tools_for, walk_all
from sojourn_probes.errors import JourneyFileError
from sojourn_probes.load import SUFFIXES
from sojourn_probes.output.plain import one_line
from sojourn_probes.output.walked import exit_code

BAD_FILE: Final = 2
DEBOUNCE_MS: Final = 400
"""Saves that come this close together are one: editors write a file in several goes."""

Saved = set[tuple[Change, str]]


class Watch:
    """Walks the journeys of `paths` at every save. `code` is the exit code of the last walk."""

    def __init__(self, paths: Sequence[Path], wish: Wish) -> None:
        self.paths, self.wish = paths, wish
        self.code = 130
        self._beside: frozenset[Path] = frozenset()

    async def forever(self) -> None:
        """Until cancelled. A file that cannot be walked for the moment says why, and is waited for."""
        async with tools_for(self.wish) as tools:
            while True:
                folders = self._folders()
                async with aclosing(self._saves(folders)) as saves:
                    await self._while_in(folders, saves, tools)

    async def _while_in(self, folders: frozenset[Path], saves: AsyncIterator[Saved], tools: dict[str, Any]) -> None:
        """Walk at each save until other folders must be watched too. The next save is waited for before a walk begins, so that none is missed."""
        while True:
            waiting = asyncio.ensure_future(anext(saves))
            try:
                await self._walk(tools)
                if self._folders() != folders:
                    return
                cli_streams.say("waiting for a save; Ctrl-C ends\n")
                saved = await waiting
            finally:
                waiting.cancel()
                await asyncio.wait([waiting])
            names = sorted({Path(name).name for _, name in saved})
            cli_streams.say(f"\n{one_line(', '.join(names))} saved\n")

    async def _walk(self, tools: dict[str, Any]) -> None:
        store = secret_store(self.wish.secrets)
        try:
            journeys = read_to_walk(self.paths, store, self.wish.tags)
        except JourneyFileError as error:
            cli_streams.say(f"{error}\n")
            self.code = BAD_FILE
            return
        self._beside = frozenset(file for journey in journeys for file in files_named_in(journey))
        self.code = exit_code(await walk_all(journeys, store, self.wish, tools))

    def _folders(self) -> frozenset[Path]:
        found = {path if path.is_dir() else path.parent for path in (*self.paths, *self._beside)}
        return frozenset(folder.resolve() for folder in found)

    def _saves(self, folders: frozenset[Path]) -> AsyncGenerator[Saved, None]:
        return awatch(*sorted(folders), watch_filter=self._concerns_us, debounce=DEBOUNCE_MS, recursive=False, ignore_permission_denied=True)

    def _concerns_us(self, change: Change, name: str) -> bool:
        """Whether a walk depends on the file: a journey, defaults beside it, or a file it names. Not what the walk itself writes."""
        file = Path(name)
        if file.suffix in SUFFIXES and not file.name.startswith("."):
            folders = {path.resolve() for path in self.paths if path.is_dir()}
            return file.parent in folders or file.stem == "defaults" or file in {path.resolve() for path in self.paths}
        return file in {path.resolve() for path in self._beside}
