"""Shell text into commands, without running anything: quotes, `$'…'`, line continuations, comments; `$NAME` becomes `${env.NAME}`."""

import re
from dataclasses import dataclass, field
from typing import Final

from sojourn_probes.importers.lift import escaped, joined
from sojourn_probes.importers.source import ImportFault

_ANSI: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "v": "\v", "e": "\x1b", "0": "\0", "?": "?"}
_NAME = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_HEX = re.compile(r"x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})")
MAX_COMMANDS: Final = 1000


@dataclass(slots=True)
class Command:
    """One command's words, names in place and all else escaped; `odd` names constructs that only a shell can do."""

    line: int
    words: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


def commands(text: str) -> list[Command]:
    """Every command in `text`, in order. Raises `ImportFault` for a quote that is not closed."""
    return _Lexer(text).commands()


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.line = 1
        self.found: list[Command] = []
        self.command = Command(1)
        self.word: list[str] | None = None

    def commands(self) -> list[Command]:
        while self.at < len(self.text):
            self._sign()
        self._end()
        return self.found

    def _sign(self) -> None:
        sign = self.text[self.at]
        if sign == "\\":
            self._escape()
        elif sign in "'\"":
            self._quoted(sign)
        elif self.text.startswith("$'", self.at):
            self._ansi()
        elif sign in " \t":
            self._end_word()
            self.at += 1
        elif sign == "\n":
            self._end()
            self.at += 1
            self.line += 1
        elif sign in ";|&":
            self._end()
            self.at += 1
        elif sign == "#" and self.word is None:
            end = self.text.find("\n", self.at)
            self.at = len(self.text) if end < 0 else end
        else:
            self._add(self._dollar() if sign == "$" else self._plain())

    def _plain(self) -> str:
        found = re.compile(r"[^\\'\"$\s;|&`]+").match(self.text, self.at)
        if found is not None:
            self.at = found.end()
            return found.group()
        sign = self.text[self.at]
        if sign == "`":
            self.command.odd.append("a command in backquotes")
        self.at += 1
        return "" if sign.isspace() else sign

    def _escape(self) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        if following == "\n":
            self.line += 1
        elif following:
            self._add(following)

    def _dollar(self) -> str:
        found = _NAME.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
            return f"${{env.{found.group(1) or found.group(2)}}}"
        if self.text.startswith("$(", self.at):
            self.command.odd.append("a command in $( )")
        self.at += 1
        return "$"

    def _quoted(self, quote: str) -> None:
        start, opened = self.line, self.at + 1
        self.at = opened
        if quote == "'":
            end = self.text.find("'", opened)
            if end < 0:
                raise ImportFault("a quote that opens here is not closed; add it", start)
            inside = self.text[opened:end]
            self.line += inside.count("\n")
            self.at = end + 1
            self._add(escaped(inside))
            return
        self._add("")
        while self.at < len(self.text) and self.text[self.at] != '"':
            self._add(self._in_double())
        if self.at >= len(self.text):
            raise ImportFault("a quote that opens here is not closed; add it", start)
        self.at += 1

    def _in_double(self) -> str:
        sign = self.text[self.at]
        if sign == "\\":
            following = self.text[self.at + 1 : self.at + 2]
            self.at += 2
            self.line += following == "\n"
            return "" if following == "\n" else following if following in '$`"\\' else f"\\{following}"
        if sign == "$":
            return self._dollar()
        found = re.compile(r'[^\\"$]+').match(self.text, self.at)
        assert found is not None
        self.at = found.end()
        self.line += found.group().count("\n")
        return found.group()

    def _ansi(self) -> None:
        start = self.line
        self.at += 2
        pieces: list[str] = []
        while self.at < len(self.text) and self.text[self.at] != "'":
            if self.text[self.at] != "\\":
                pieces.append(self.text[self.at])
                self.line += self.text[self.at] == "\n"
                self.at += 1
                continue
            coded = _HEX.match(self.text, self.at + 1)
            if coded is not None:
                code = int(next(group for group in coded.groups() if group), 16)
                pieces.append(chr(code) if code <= 0x10FFFF else "�")
                self.at = coded.end()
            else:
                following = self.text[self.at + 1 : self.at + 2]
                pieces.append(_ANSI.get(following, f"\\{following}"))
                self.at += 2
        if self.at >= len(self.text):
            raise ImportFault("a quote that opens here is not closed; add it", start)
        self.at += 1
        self._add(escaped("".join(pieces)))

    def _add(self, piece: str) -> None:
        if self.word is None:
            self.word = []
            if not self.command.words:
                self.command.line = self.line
        self.word.append(piece)

    def _end_word(self) -> None:
        if self.word is not None:
            self.command.words.append(joined(self.word))
            self.word = None

    def _end(self) -> None:
        self._end_word()
        if self.command.words:
            if len(self.found) >= MAX_COMMANDS:
                raise ImportFault(f"holds more than {MAX_COMMANDS} commands; split it", self.line)
            self.found.append(self.command)
        self.command = Command(self.line)
