"""The data folder belongs to one collector at a time, and what keeps one from starting is one sentence."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


class StartError(Exception):
    """The collector cannot start; the text is one sentence with the cure."""


@contextlib.contextmanager
def folder_lock(data: Path) -> Iterator[None]:
    """Hold the data folder: two collectors on one would load each other's files. Raises StartError."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data / "collector.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartError(f"the data folder {data} cannot be used ({error.strerror}); give `data` another folder in collector.yaml") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StartError(f"another collector runs on {data}; stop it or give `data` another folder in collector.yaml") from error
    try:
        yield
    finally:
        os.close(descriptor)
