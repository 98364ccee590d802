"""How a step shows in real traffic: by the page a customer is on, or by a named event."""

import re
from functools import lru_cache
from typing import Annotated

from pydantic import Field, model_validator

from sojourn_probes.model import Model


class Match(Model):
    """What in real traffic counts: a page path (`*` within a segment, `**` across) or the name of an event. One of the two."""

    page: Annotated[str, Field(pattern=r"^/[^?#\s]{0,199}$", description="path of a page; * within a segment, ** across segments")] | None = None
    event: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,100}$", description="name of a conversion or custom event")] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "Match":
        if (self.page is None) == (self.event is None):
            raise ValueError("say either page: or event:")
        return self

    def matches_path(self, path: str) -> bool:
        """Whether `path` is a page meant here. Query and fragment are ignored, as is a slash at the end."""
        if self.page is None:
            return False
        bare = path.partition("?")[0].partition("#")[0]
        return _pattern(self.page).fullmatch(_trimmed(bare)) is not None

    def matches_event(self, name: str) -> bool:
        """Whether an event called `name` is meant here."""
        return self.event is not None and self.event == name


class Customers(Model):
    """How customers are recognised in a step: what shows that they reached it, and what shows that they got it done."""

    reached: Match | None = Field(None, description="shows that a customer came to this step")
    done: Match | None = Field(None, description="shows that a customer finished it; without it, reaching the next step does")

    @model_validator(mode="after")
    def _says_something(self) -> "Customers":
        if self.reached is None and self.done is None:
            raise ValueError("say reached: or done:, or both")
        return self


def _trimmed(path: str) -> str:
    return path.rstrip("/") or "/"


@lru_cache(maxsize=1024)
def _pattern(page: str) -> re.Pattern[str]:
    pieces = re.split(r"(\*{2,}|\*)", _trimmed(page))
    # Several stars in a row would only make the matching slow.
    return re.compile("".join(".*" if piece.startswith("**") else "[^/]*" if piece == "*" else re.escape(piece) for piece in pieces), re.DOTALL)
