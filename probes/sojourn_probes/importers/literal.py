"""Reads literals and call chains of Python, JavaScript and TypeScript: texts, numbers, lists, objects, `a.b('c', {d: 1}).e()`.

Nothing is evaluated. What is anything else (arrow functions, sums, spreads) comes back as `Unknown`, skipped to its end.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from sojourn_probes.importers.lift import escaped, joined
from sojourn_probes.importers.source import ImportFault

MAX_DEPTH: Final = 40

_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*[\s\S]*?(?:\*/|\Z))*+")
_NUMBER = re.compile(r"-?(?:0[xX][0-9a-fA-F]{1,16}|\d[\d_]{0,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,3})?)")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_CODED = re.compile(r"x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})")
_CONSTANTS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None, "undefined": None, "True": True, "False": False, "None": None}
_ENVIRONMENT = re.compile(r"""\s*(?:process\.env(?:\.(\w+)|\[["'](\w+)["']\])|os\.environ\[["'](\w+)["']\]|os\.getenv\(\s*["'](\w+)["']\s*\))!?\s*""")
_REGEX = re.compile(r"/((?:[^/\\\n\[]++|\\.|\[(?:[^\]\\\n]++|\\.)*+\])++)/([a-z]{0,8})")
_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that is no literal; `text` is its beginning."""

    text: str


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression."""

    pattern: str
    flags: str


@dataclass(slots=True)
class Call:
    """One link of a chain: a name, and what it was called with; `args` is None when it was not called."""

    name: str
    args: list[Any] | None = None
    named: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Chain:
    """`a.b(1).c` as its links."""

    links: list[Call]
    new: bool = False

    @property
    def path(self) -> str:
        """The names, joined by dots."""
        return ".".join(link.name for link in self.links)


class Reader:
    """Reads values from `text`, beginning at `at`."""

    def __init__(self, text: str, at: int = 0, *, python: bool = False) -> None:
        self.text, self.at, self.python = text, at, python

    def line(self, at: int) -> int:
        """The line of a place, from 1."""
        return self.text.count("\n", 0, at) + 1

    def space(self) -> None:
        """Skip white space and comments."""
        if self.python:
            while (found := re.compile(r"\s+|#[^\n]*|\\\n").match(self.text, self.at)) is not None:
                self.at = found.end()
        else:
            found = _SPACE.match(self.text, self.at)
            assert found is not None
            self.at = found.end()

    def peek(self) -> str:
        """The next sign after white space."""
        self.space()
        return self.text[self.at : self.at + 1]

    def value(self, depth: int = 0) -> Any:
        """The value here; when more than a literal stands here, `Unknown`, with everything up to the next comma or bracket skipped."""
        if depth > MAX_DEPTH:
            raise ImportFault(f"is nested more than {MAX_DEPTH} deep; a file of this kind is not", self.line(self.at))
        self.space()
        start = self.at
        found = self._one(depth)
        self._typed()
        following = self.peek()
        if following and following not in ",)]};:\n" and not self._at_statement(start):
            self._skip()
            environment = _ENVIRONMENT.match(self.text[start : self.at])
            if environment is not None and re.match(r"(?:\|\||\?\?)", self.text[start + environment.end() :]):
                return f"${{env.{next(group for group in environment.groups() if group)}}}"
            return Unknown(" ".join(self.text[start : start + 60].split()))
        return found

    def _typed(self) -> None:
        """TypeScript's `x as Y`, `x!` and `x satisfies Y` change no value."""
        found = re.compile(r"\s*(?:!(?!=)|(?:as|satisfies)\s+[\w.<>\[\]]{1,80})").match(self.text, self.at)
        if found is not None and not self.python:
            self.at = found.end()

    def _at_statement(self, start: int) -> bool:
        """Whether a new line ended the value: languages without semicolons."""
        before = self.text[start : self.at].rstrip(" \t")
        return "\n" in before[len(before.rstrip()) :] and self.text[self.at] not in ".?([+-*/%&|=<>"

    def _one(self, depth: int) -> Any:
        sign = self.text[self.at : self.at + 1]
        if sign in ("'", '"', "`") and sign:
            return self._text(sign)
        if sign == "[":
            return self._list(depth)
        if sign == "{":
            return self._object(depth)
        if sign == "/" and not self.python and (regex := _REGEX.match(self.text, self.at)) is not None:
            self.at = regex.end()
            return Regex(regex.group(1), regex.group(2))
        number = _NUMBER.match(self.text, self.at)
        if number is not None:
            self.at = number.end()
            return _number(number.group().replace("_", ""))
        word = _WORD.match(self.text, self.at)
        if word is not None:
            return self._word(word, depth)
        start = self.at
        if sign in _PAIRS:
            self._balanced()
        elif sign:
            self.at += 1
        return Unknown(self.text[start : start + 60])

    def _word(self, word: re.Match[str], depth: int) -> Any:
        name = word.group()
        if self.python and self.text[word.end() : word.end() + 1] in ("'", '"') and name.lower() in ("r", "b", "u", "rb", "f", "fr"):
            self.at = word.end()
            text = self._text(self.text[self.at], raw="r" in name.lower())
            return Unknown(text[:60]) if "f" in name.lower() and "{" in text else text
        environment = _ENVIRONMENT.match(self.text, self.at)
        if environment is not None:
            self.at = environment.end()
            return f"${{env.{next(group for group in environment.groups() if group)}}}"
        if name in _CONSTANTS:
            self.at = word.end()
            return _CONSTANTS[name]
        if name in ("await", "new", "return"):
            self.at = word.end()
            self.space()
            inner = self._one(depth + 1) if depth < MAX_DEPTH else Unknown(name)
            if name == "new" and isinstance(inner, Chain):
                inner.new = True
            return inner
        if name in ("async", "function", "lambda"):
            self._skip()
            return Unknown(name)
        return self._chain(depth)

    def _chain(self, depth: int) -> Any:
        chain = Chain([])
        while (word := _WORD.match(self.text, self.at)) is not None:
            self.at = word.end()
            link = Call(word.group())
            chain.links.append(link)
            generic = re.compile(r"<[\w\s,.\[\]]{1,80}>(?=\()").match(self.text, self.at)
            if generic is not None and not self.python:
                self.at = generic.end()
            while self.text[self.at : self.at + 1] == "(":
                link.args, link.named = self._arguments(depth)
            after = re.compile(r"(?:\s|//[^\n]*\n)*(?:\?\.|\.)\s*").match(self.text, self.at)
            if after is None or len(chain.links) > 50:
                break
            self.at = after.end()
        return chain

    def _arguments(self, depth: int) -> tuple[list[Any], dict[str, Any]]:
        args: list[Any] = []
        named: dict[str, Any] = {}
        self.at += 1
        while True:
            sign = self.peek()
            if not sign:
                raise ImportFault("a bracket that opens here is not closed; add it", self.line(self.at))
            if sign == ")":
                self.at += 1
                return args, named
            if sign == ",":
                self.at += 1
                continue
            name = re.compile(r"([A-Za-z_]\w*)\s*=(?![=>])\s*").match(self.text, self.at) if self.python else None
            before = self.at
            if name is not None:
                self.at = name.end()
                named[name.group(1)] = self.value(depth + 1)
            else:
                args.append(self.value(depth + 1))
            self._forward(before)

    def _list(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self.at += 1
        while (sign := self.peek()) != "]":
            if not sign:
                raise ImportFault("a bracket that opens here is not closed; add it", self.line(self.at))
            before = self.at
            if sign == ",":
                self.at += 1
            else:
                found.append(self.value(depth + 1))
            self._forward(before)
        self.at += 1
        return found

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.at += 1
        while (sign := self.peek()) != "}":
            if not sign:
                raise ImportFault("a bracket that opens here is not closed; add it", self.line(self.at))
            before = self.at
            if sign == ",":
                self.at += 1
            else:
                self._member(found, depth)
            self._forward(before)
        self.at += 1
        return found

    def _member(self, found: dict[str, Any], depth: int) -> None:
        sign = self.text[self.at]
        if sign in "'\"":
            key = self._text(sign)
        elif (word := re.compile(r"[\w$-]+").match(self.text, self.at)) is not None:
            key, self.at = word.group(), word.end()
        else:
            key = ""
            self._skip()  # a spread or a computed key
            found.setdefault("...", Unknown("..."))
        if self.peek() == ":":
            self.at += 1
            found[key] = self.value(depth + 1)
        elif key:
            if self.peek() not in (",", "}"):
                self._skip()  # a method
            found[key] = Unknown(key)

    def _forward(self, before: int) -> None:
        """Every turn takes at least one sign, whatever stands there."""
        if self.at == before:
            self.at += 1

    def _text(self, quote: str, *, raw: bool = False) -> str:
        opened = self.at
        triple = self.python and self.text.startswith(quote * 3, self.at)
        end = quote * 3 if triple else quote
        self.at += len(end)
        pieces: list[str] = []
        stop = re.compile(rf"[^{re.escape(quote)}\\$]+")
        while not self.text.startswith(end, self.at):
            if self.at >= len(self.text) or (self.text[self.at] == "\n" and quote != "`" and not triple):
                raise ImportFault("a quote that opens here is not closed; add it", self.line(opened))
            if self.text[self.at] == "\\":
                pieces.append("\\" if raw else self._escape())
                self.at += raw
            elif quote == "`" and self.text.startswith("${", self.at):
                pieces.append(self._filled())
            elif (plain := stop.match(self.text, self.at)) is not None:
                taken = plain.group() if quote == "`" or triple else plain.group().partition("\n")[0]
                pieces.append(escaped(taken))
                self.at += len(taken)
            else:
                pieces.append(self.text[self.at])
                self.at += 1
        self.at += len(end)
        return joined(pieces)

    def _filled(self) -> str:
        """`${process.env.X}` in a template; anything else there cannot be known."""
        end = self.text.find("}", self.at)
        inner = self.text[self.at + 2 : end] if end > 0 else ""
        environment = _ENVIRONMENT.fullmatch(inner)
        if end < 0:
            raise ImportFault("a ${ that opens here is not closed; add }", self.line(self.at))
        self.at = end + 1
        if environment is not None:
            return f"${{env.{next(group for group in environment.groups() if group)}}}"
        return f"${{env.{re.sub(r'[^A-Za-z0-9]+', '_', inner).strip('_').upper()[:60] or 'VALUE'}}}"

    def _escape(self) -> str:
        coded = _CODED.match(self.text, self.at + 1)
        if coded is not None:
            self.at = coded.end()
            code = int(next(group for group in coded.groups() if group), 16)
            return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "�"
        following = self.text[self.at + 1 : self.at + 2]
        self.at += 2
        return _ESCAPES.get(following, following)

    def _balanced(self) -> None:
        """Skip a bracket with all that is in it."""
        stack: list[str] = []
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign in "'\"`":
                self._text(sign)
                continue
            if self.text.startswith(("//", "/*"), self.at) and not self.python:
                self.space()
                continue
            if sign in _PAIRS:
                stack.append(_PAIRS[sign])
            elif stack and sign == stack[-1]:
                stack.pop()
            self.at += 1
            if not stack:
                return
        raise ImportFault("a bracket is not closed; add it", self.line(len(self.text)))

    def _skip(self) -> None:
        """Skip to the comma, semicolon or bracket that ends this expression."""
        while self.at < len(self.text):
            sign = self.text[self.at]
            if sign in ",;)]}":
                return
            if sign in "([{":
                self._balanced()
            elif sign in "'\"`":
                self._text(sign)
            elif self.text.startswith(("//", "/*"), self.at) and not self.python:
                self.space()
            else:
                self.at += 1


def _number(text: str) -> int | float:
    if text.lower().lstrip("-").startswith("0x"):
        return int(text, 16)
    return float(text) if re.search(r"[.eE]", text) else int(text)
