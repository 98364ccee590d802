"""What was found damaged: kept aside for somebody to look at, and said until they have taken it away."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

log = logging.getLogger("sojourn.damaged")


class Damaged:
    """The folder of damaged files: beside each, or alone where nothing is left, a text that says what is the matter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, name: str, sentence: str, file: Path | None = None) -> None:
        """Put `file` aside under `name` (it stays where it is as well, sharing its bytes) with a sentence; again under the same name changes nothing.

        Raises OSError.
        """
        log.error("%s", sentence)
        self.folder.mkdir(parents=True, exist_ok=True)
        if file is not None and not (self.folder / name).exists():
            os.link(file, self.folder / name)
        (self.folder / f"{name}.txt").write_text(sentence + "\n", encoding="utf-8")

    def sentences(self) -> Sequence[str]:
        """One of each; empty when nothing is damaged or all was taken away."""
        return [path.read_text(encoding="utf-8", errors="replace").strip() for path in sorted(self.folder.glob("*.txt"))]

    def files(self) -> list[Path]:
        """What was put aside, without what is said of it."""
        return sorted(path for path in self.folder.glob("*") if path.suffix != ".txt")
