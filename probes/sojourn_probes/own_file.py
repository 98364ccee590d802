"""How a journey names files of its own: in its folder or below it, for they are read, run and sent to others."""

from pathlib import PurePosixPath
from typing import Annotated, Final

from pydantic import AfterValidator, Field

LONGEST: Final = 255
"""Bytes of a name, which is what Linux and macOS take."""


def in_folder(name: str) -> bool:
    """Whether `name` stays in the folder it is relative to."""
    path = PurePosixPath(name)
    return bool(path.name) and not path.is_absolute() and ".." not in path.parts and not name.startswith("~") and "\0" not in name


def own(name: str) -> str:
    """The name, if it stays in the folder. Raises ValueError."""
    if not in_folder(name):
        raise ValueError(f"{name!r} leaves the journey's folder; put the file beside the journey and name it from there")
    if any(len(part.encode("utf-8", "surrogatepass")) > LONGEST for part in PurePosixPath(name).parts):
        raise ValueError(f"{name[:40]!r}… is too long for the name of a file; it may have {LONGEST} bytes")
    return name


def _python(name: str) -> str:
    if PurePosixPath(name).suffix != ".py":
        raise ValueError(f"{name!r} is no Python file; name one beside the journey, such as stock.py")
    return name


File = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(own)]
"""A file beside the journey, or in a folder beside it."""
PythonFile = Annotated[File, AfterValidator(_python)]
"""The same, with Python in it."""
