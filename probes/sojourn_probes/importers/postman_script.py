"""The few things nearly every Postman script says, read line by line without running anything; every other line is said to be left out."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from sojourn_probes.importers.draft import Work, name_word, seconds
from sojourn_probes.importers.lift import escaped, shown_line
from sojourn_probes.secret_names import is_secret_name

_TEXT: Final = r"""["']([^"'\\]{1,200})["']"""
_SILENT = re.compile(
    r"""\s*(?://.*|/\*.*|\*.*|[})\];,\s]*|["']use[ ]strict["'];?
    |pm\.test\(\s*["'`].*(?:function\s*\(\s*\)|\(\s*\)\s*=>)\s*\{\s*
    |(?:const|let|var)\s+\w+\s*=\s*(?:pm\.response\.json\(\)|JSON\.parse\(responseBody\));?\s*)\Z""",
    re.VERBOSE,
)
_ONE_LINE = re.compile(r"""\s*pm\.test\(\s*["'`].{0,300}?["'`]\s*,\s*(?:function\s*\(\s*\)|\(\s*\)\s*=>)\s*\{?\s*(.*?)\s*\}?\s*\)\s*;?\s*\Z""")
_STATUS = re.compile(
    r"pm\.response\.to\.have\.status\(\s*(\d{3})\s*\)|pm\.expect\(\s*pm\.response\.code\s*\)\.to\.(?:be\.)?(?:eql|equal|equals)\(\s*(\d{3})\s*\)"
)
_STATUS_OF = re.compile(r"pm\.expect\(\s*pm\.response\.code\s*\)\.to\.be\.oneOf\(\s*\[([\d,\s]{3,200})\]\s*\)")
_OK = re.compile(r"pm\.response\.to\.be\.(ok|success)\b")
_OLD_STATUS = re.compile(r"""tests\[["'].{0,200}?["']\]\s*=\s*responseCode\.code\s*===?\s*(\d{3})""")
_TIME = re.compile(r"pm\.expect\(\s*pm\.response\.responseTime\s*\)\.to\.be\.(?:below|lessThan|lte|at\.most)\(\s*(\d{1,7})\s*\)")
_HEADER = re.compile(rf"pm\.response\.to\.have\.header\(\s*{_TEXT}\s*\)")
_BODY_HAS = re.compile(rf"pm\.expect\(\s*pm\.response\.text\(\)\s*\)\.to\.(?:include|contain)\(\s*{_TEXT}\s*\)")
_ANY_JSON: Final = r"(?:pm\.response\.json\(\)|jsonData|json|data|response|responseJson|res|body|responseData|resp)"
_PATH: Final = r"((?:\.[A-Za-z_]\w{0,60}|\[\d{1,4}\]|\[[\"'][\w-]{1,60}[\"']\]){1,12})"
_JSON_IS = re.compile(
    rf"pm\.expect\(\s*{_ANY_JSON}{_PATH}\s*\)\.to\.(?:be\.)?(?:eql|equal|equals)\(\s*(?:{_TEXT}|(-?\d{{1,15}}(?:\.\d{{1,9}})?)|(true|false))\s*\)"
)
_JSON_HAS = re.compile(rf"pm\.expect\(\s*{_ANY_JSON}\s*\)\.to\.have\.property\(\s*{_TEXT}\s*\)")
_SET = re.compile(
    rf"(?:pm\.(?:environment|collectionVariables|globals|variables)\.set|postman\.set(?:Environment|Global)Variable)\(\s*{_TEXT}\s*,\s*{_ANY_JSON}{_PATH}\s*\)"
)


@dataclass(slots=True)
class Script:
    """What was understood: expectations, values to extract, and which variable each was put into."""

    work: Work
    place: str
    expect: list[str] = field(default_factory=list)
    extract: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def read(self, lines: list[str], *, is_test: bool) -> None:
        """Read the lines of a script that runs after (`is_test`) or before the request."""
        for number, line in enumerate(lines, 1):
            if len(line) > 2000:
                self._lose(number, "a long line", is_test)
                continue
            inner = _ONE_LINE.match(line)
            text = inner.group(1) if inner is not None and inner.group(1) else line
            if _SILENT.match(text) or (is_test and self._understood(text)):
                continue
            self._lose(number, shown_line(line), is_test)

    def _lose(self, number: int, line: str, is_test: bool) -> None:
        when = "after the answer" if is_test else "before the request"
        self.work.lose(self.place, f"script {when}, line {number}, was left out: {line}")

    def _understood(self, text: str) -> bool:
        return any(reader(self, found) for pattern, reader in _READERS if (found := pattern.search(text)) is not None)

    def _status(self, found: re.Match[str]) -> bool:
        self.work.expect(self.expect, self.place, "status", "==", int(next(group for group in found.groups() if group)))
        return True

    def _status_of(self, found: re.Match[str]) -> bool:
        self.work.expect(self.expect, self.place, "status", "in", [int(code) for code in re.findall(r"\d+", found.group(1))])
        return True

    def _ok(self, found: re.Match[str]) -> bool:
        self.work.expect(self.expect, self.place, "status", "==", 200 if found.group(1) == "ok" else "2xx")
        return True

    def _time(self, found: re.Match[str]) -> bool:
        self.work.expect(self.expect, self.place, "total", "<", seconds(int(found.group(1)) / 1000))
        return True

    def _header(self, found: re.Match[str]) -> bool:
        self.work.expect(self.expect, self.place, "header", "exists", prop=found.group(1))
        return True

    def _body_has(self, found: re.Match[str]) -> bool:
        self.work.expect(self.expect, self.place, "body", "contains", escaped(found.group(1)))
        return True

    def _json_is(self, found: re.Match[str]) -> bool:
        path, text, number, word = found.groups()
        target: Any = escaped(text) if text is not None else word == "true" if word else float(number) if "." in number else int(number)
        self.work.expect(self.expect, self.place, "json", "==", target, f"${path}")
        return True

    def _json_has(self, found: re.Match[str]) -> bool:
        self.work.expect(self.expect, self.place, "json", "exists", prop=f"$.{found.group(1)}")
        return True

    def _set(self, found: re.Match[str]) -> bool:
        variable, path = found.groups()
        name = name_word(variable)
        self.extract[name] = {"json": f"${path}", **({"secret": True} if is_secret_name(variable) else {})}
        self.variables[variable] = name
        return True


_READERS: Final[Any] = (
    (_STATUS, Script._status), (_STATUS_OF, Script._status_of), (_OK, Script._ok), (_OLD_STATUS, Script._status), (_TIME, Script._time),
    (_HEADER, Script._header), (_BODY_HAS, Script._body_has), (_JSON_IS, Script._json_is), (_JSON_HAS, Script._json_has), (_SET, Script._set),
)  # fmt: skip
