"""Reading CSV without trusting it: delimiter and encoding are found, and lines, cells and columns are bounded before anything is made of them (RFC 4180)."""

import codecs
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from sojourn_collector.sources.body import BodyRefused, Unreadable
from sojourn_collector.sources.sentences import shown

LONGEST_ROW: Final = 1 << 20
"""Bytes from the start of a row to its end, however many lines it has."""
MOST_COLUMNS: Final = 200
DELIMITERS: Final = (",", ";", "\t")
_OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HOW = "save it as “CSV UTF-8”"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: the line it begins on, from 1, and its cells, or why it cannot be read."""

    number: int
    cells: list[str] | Unreadable


class CsvFile:
    """A CSV file read once, from its beginning. `header` has the names of its columns."""

    def __init__(self, pieces: Iterable[bytes], delimiter: str | None = None) -> None:
        """`pieces` are the file's bytes in any portions; without a `delimiter` it is found in the first line. Raises BodyRefused."""
        self._lines = _Lines(pieces)
        first = self._lines.peek()
        if not first.strip():
            raise BodyRefused("The file is empty; its first line has the names of the columns.")
        self.delimiter = delimiter or _delimiter_of(first)
        self._reader = csv.reader(self._lines, delimiter=self.delimiter, strict=True)
        line = next(iter(self), None)
        if line is None:
            raise BodyRefused("The first line has no names of columns.")
        header = line.cells
        if isinstance(header, Unreadable):
            raise BodyRefused(f"The first line cannot be read: {header.reason}.")
        self.header = [name.strip() for name in header]
        while self.header and not self.header[-1]:
            self.header.pop()
        self._check_header()

    def __iter__(self) -> Iterator[Line]:
        """The rows, blank lines left out. Raises BodyRefused where nothing after it can be read either."""
        while True:
            begins = self._lines.number + 1
            self._lines.begin_row()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end" in str(error) or "field larger" in str(error):
                    raise BodyRefused(f"Line {begins}: a quote is opened and not closed; close it, or write a quote within a cell twice.") from None
                yield Line(begins, Unreadable(f"the line is not CSV: {error}"))
                continue
            if not any(cell.strip() for cell in cells):
                continue
            if any("\0" in cell for cell in cells):
                yield Line(begins, Unreadable(f"holds a NUL byte; the file may be damaged or no text, {_HOW}"))
                continue
            yield Line(begins, cells)

    def _check_header(self) -> None:
        if len(self.header) > MOST_COLUMNS:
            raise BodyRefused(f"The first line names {len(self.header)} columns; at most {MOST_COLUMNS} are taken.")
        if "" in self.header:
            raise BodyRefused(f"Column {self.header.index('') + 1} has no name; the first line has the names of the columns.")
        twice = next((name for number, name in enumerate(self.header) if name in self.header[:number]), None)
        if twice is not None:
            raise BodyRefused(f"The column {shown(twice)} stands twice in the first line.")


class _Lines:
    """The file's lines as text, each bounded. Raises BodyRefused."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._cut = _cut(pieces)
        self._begun = False
        self._ahead: str | None = None
        self._in_row = 0
        self.number = 0

    def begin_row(self) -> None:
        """A row begins with the next line."""
        self._in_row = 0

    def peek(self) -> str:
        """The first line."""
        self._ahead = self._next() or ""
        return self._ahead

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line, self._ahead = (self._next() if self._ahead is None else self._ahead), None
        if not line:
            raise StopIteration
        self.number += 1
        self._in_row += len(line)
        if self._in_row > LONGEST_ROW:
            raise BodyRefused(f"Line {self.number}: a row is longer than {LONGEST_ROW >> 20} MiB; a quote may be open, or this is no CSV.")
        return line

    def _next(self) -> str:
        """The next line with its end, "" after the last one."""
        return self._decode(next(self._cut, b""))

    def _decode(self, line: bytes) -> str:
        if not self._begun:
            self._begun = True
            if line.startswith(_OTHER_ENCODINGS):
                raise BodyRefused(f"The file is in UTF-16; {_HOW}.")
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            return line.decode()
        except UnicodeDecodeError:
            raise BodyRefused(f"Line {self.number + 1} is not UTF-8; {_HOW}, or convert it, such as with iconv -f windows-1252 -t utf-8.") from None


def _cut(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends. Raises BodyRefused for one that does not end in time."""
    left, number = b"", 1
    for piece in pieces:
        *whole, rest = piece.split(b"\n")
        for line in whole:
            yield left + line + b"\n"
            left, number = b"", number + 1
        left += rest
        if len(left) > LONGEST_ROW:
            raise BodyRefused(f"Line {number}: a line is longer than {LONGEST_ROW >> 20} MiB; this is no CSV.")
    if left:
        yield left


def _delimiter_of(first: str) -> str:
    """What stands between names most often, quoted parts aside."""
    bare = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=bare.count)
