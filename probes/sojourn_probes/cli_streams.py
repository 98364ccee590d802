"""What the commands write to: any encoding, and a reader that may have left. Standard library only; the daemons' commands use it too."""

import codecs
import contextlib
import os
import select
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NoReturn

READER_GONE: Final = 128 + 13
"""Exit code when nobody reads any more, as of a program ended by SIGPIPE."""

_PLAIN: Final = {"✓": "+", "◐": "~", "✗": "x", "·": "-", "›": ">", "→": "->", "…": "...", "–": "-", "−": "-", "×": "x", "•": "-", "\u200b": ""}
"""Our own signs where the encoding has them not."""

_HANDLER: Final = "sojourn.plain"


def prepare() -> None:
    """Let stdout and stderr take every text, whatever their encoding: signs become plain ones, other letters a question mark."""
    codecs.register_error(_HANDLER, _plainly)
    for stream in (sys.stdout, sys.stderr):
        if (reconfigure := getattr(stream, "reconfigure", None)) is not None:
            reconfigure(errors=_HANDLER)


def _plainly(fault: UnicodeError) -> tuple[str, int]:
    if not isinstance(fault, UnicodeEncodeError):
        raise fault
    return "".join(_PLAIN.get(sign, "?") for sign in fault.object[fault.start : fault.end]), fault.end


def say(text: str) -> None:
    """Write `text` for people to stdout at once."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        leave()


def hand_over(text: str) -> None:
    """Write `text` for a program to stdout: JSON and XML are UTF-8, whatever the terminal speaks."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        leave()


def leave() -> NoReturn:
    """End quietly: nobody reads. What is still in a buffer must not complain at the interpreter's end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in _left() or [sys.stdout.fileno()]:
        os.dup2(nowhere, number)
    sys.exit(READER_GONE)


def while_read(command: Callable[[], int]) -> int:
    """The exit code of `command`, all it said written out. Leaves quietly, as `leave` does, when those who read it have left before its end."""
    try:
        try:
            return command()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    except BrokenPipeError:
        if not _left():
            raise  # another pipe of ours: a fault like any other
        leave()


def _left() -> list[int]:
    """Which of stdout and stderr are pipes that nobody reads any more."""
    poll = select.poll()
    for number in _numbers():
        poll.register(number, 0)
    return [number for number, events in poll.poll(0) if events & select.POLLERR]


def _numbers() -> Iterator[int]:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # not open, or not a file
            yield stream.fileno()


def on_terminal(environ: Mapping[str, str]) -> bool:
    """Whether stdout is a terminal on which the cursor can be moved."""
    return sys.stdout.isatty() and environ.get("TERM") not in ("dumb", "unknown")
