"""Holds expectations against the facts a runner saw.

Facts, by the names of `expectation.SOURCES`: `status` int · `headers` dict, names in small letters · `cookies` dict · `body` text, of which
`json`, `xpath` and `css` are looks that keep what they parsed under `parsed` · `http_version` text · `size` bytes · `redirects` int ·
`tls` the handshake's seconds, `tls_facts` dict by `expectation.TLS_FACTS` · `rtt` seconds, `rtt_facts` dict by
`expectation.RTT_FACTS` · `loss` percent · `banner` text · phases, `total` and vitals in seconds (cls a bare number) · `url`, `title`,
`text`.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from sojourn_probes.expectation import SOURCES, Expectation, Holds
from sojourn_probes.expectation_parse import read_target, require_property
from sojourn_probes.json_paths import parsed, values_at
from sojourn_probes.json_schema import misfit, read_schema
from sojourn_probes.markup import TooMuch, found_by_css, found_by_xpath
from sojourn_probes.names import Names
from sojourn_probes.patterns import SearchTooLong, search
from sojourn_probes.redact import Redactor
from sojourn_probes.units import show_duration, show_size

SHOWN: Final = 200
"""Characters of a text shown as the actual value."""

SHORT: Final = 4096
"""Characters of a body that is looked into in the event loop."""

REDACTED: Final = 65_536
"""Characters of a long text that are redacted so that its beginning can be shown."""

NOT_MEASURED: Final = "not measured"
"""The actual value when the source yielded nothing."""

MASKED_HEADERS: Final = frozenset({"set-cookie", "authorization", "www-authenticate"})
"""Headers whose values are never shown."""


class _Missing:
    """Nothing was there to look at."""


MISSING: Final = _Missing()

_LOOKS: Final = ("json", "xpath", "css")
"""Sources that look into a body, which takes time."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an expectation holds (None: its source yielded nothing), what was wanted and what was seen, redacted."""

    holds: bool | None
    expected: str
    actual: str


def takes_time(expectation: Expectation, facts: dict[str, Any]) -> bool:
    """Whether judging it may take long, by what a body is made of, so that it must not be done in the event loop.

    A short body is looked into at once, which is cheaper than a thread; a pattern, and a path that goes down twice, may take long on any.
    """
    if expectation.comparison in ("matches", "fits"):
        return True
    if expectation.source not in _LOOKS:
        return False
    path = str(expectation.property)
    return len(facts.get("body") or "") > SHORT or path.count("..") > 1 or any(sign in path for sign in ("search", "match", "=~"))


def judge(expectation: Expectation, facts: dict[str, Any], names: Names, redact: Redactor, folder: Path = Path()) -> Judgement:
    """Hold `expectation` against `facts`; files it names are in `folder`.

    Raises `NameMissing` when a `${…}` in its target cannot be filled, ValueError when what fills it will not do.
    """
    holds_kind = expectation.holds()
    if expectation.property is not None and "${" in expectation.property:
        expectation = replace(expectation, property=names.fill_text(expectation.property))
        require_property(expectation.source, str(expectation.property))
    target = _filled(expectation, names, holds_kind)
    words = f"{'not ' if expectation.negated else ''}{expectation.comparison} {_show_target(target, expectation.comparison, holds_kind)}"
    expected = shortened(redact.text(words.strip()))
    try:
        actual = look(expectation, facts)
        holds, shown = _held(expectation, actual, target, folder)
    except (SearchTooLong, TooMuch) as fault:
        return Judgement(None, expected, shortened(redact.text(f"{NOT_MEASURED}: {fault}")))
    if shown is None:
        return Judgement(holds, expected, shortened(_show_actual(actual, expectation, holds_kind, redact)))
    return Judgement(holds, expected, both_ends(redact.text(shown)))


def _held(expectation: Expectation, actual: Any, target: Any, folder: Path) -> tuple[bool | None, str | None]:
    """Whether it holds, and what was seen where that is not the value itself."""
    comparison, negated = expectation.comparison, expectation.negated
    if comparison == "exists":
        return (actual is not MISSING) != negated, None
    if actual is MISSING:
        # A header or a JSON value that is not there differs from the target, it is not unmeasured.
        return (comparison == "!=") != negated if SOURCES[expectation.source].absent else None, None
    if comparison == "fits":
        why = misfit(read_schema(folder, target) if isinstance(target, str) else target, actual)
        return (why is None) != negated, why
    if expectation.holds() == "found":
        return _any_found(comparison, actual, target) != negated, None
    return _COMPARE[comparison](actual, target) != negated, None


def look(expectation: Expectation, facts: dict[str, Any]) -> Any:
    """The value the expectation is about, or `MISSING`. Raises `SearchTooLong` and `TooMuch`."""
    source, prop = expectation.source, expectation.property
    if source == "header":
        return facts.get("headers", {}).get(str(prop).lower(), MISSING)
    if source == "cookie":
        return facts.get("cookies", {}).get(prop, MISSING)
    if source in _LOOKS:
        found = found_at(source, str(prop), facts)
        if expectation.counted:
            return len(found) if isinstance(found, list) else MISSING
        return one_or_all(found)
    if source == "tls" and prop is not None:
        return tls_value(facts, prop)
    if source == "rtt" and prop is not None:
        return facts.get("rtt_facts", {}).get(prop, MISSING)
    return facts.get(source, MISSING)


def found_at(source: str, path: str, facts: dict[str, Any]) -> Any:
    """All that a JSONPath, XPath or CSS selector finds in the body: a list, or the value of an XPath expression; `MISSING` when the
    body is nothing it can look into. Raises `SearchTooLong` and `TooMuch`."""
    found: Any
    body, kept = facts.get("body"), facts.setdefault("parsed", {})
    if body is None:
        return MISSING
    if source == "json":
        if "json" not in kept:
            kept["json"] = parsed(body)
        found = None if kept["json"] is None else values_at(path, kept["json"][0])
    else:
        kind = facts.get("headers", {}).get("content-type", "")
        found = (found_by_xpath if source == "xpath" else found_by_css)(path, body, kind, kept)
    return MISSING if found is None else found


def one_or_all(found: Any) -> Any:
    """What was found: the value when it is one, a list when they are several, `MISSING` when there is none."""
    if not isinstance(found, list):
        return found
    return MISSING if not found else found[0] if len(found) == 1 else found


def tls_value(facts: dict[str, Any], prop: str) -> Any:
    """A fact of the handshake; what only the certificate itself can tell is read when first asked for."""
    found: dict[str, Any] = facts.get("tls_facts", {})
    if prop not in found and (certificate := found.pop("certificate", None)) is not None:
        facts["tls_facts"] = found = {**certificate.facts(), **found}
    return found.get(prop, MISSING)


def _filled(expectation: Expectation, names: Names, holds: Holds) -> Any:
    target = expectation.target
    given = target if isinstance(target, list) else [target]
    if not any(isinstance(item, str) and "${" in item for item in given):
        return target
    filled = names.fill(target)
    if holds == "text" or expectation.comparison in ("matches", "fits"):
        filled = [str(item) for item in filled] if isinstance(filled, list) else str(filled)
    return read_target(filled, expectation.comparison, holds)


def _equal(actual: Any, target: Any) -> bool:
    if isinstance(target, str) and isinstance(actual, int) and target.endswith("xx"):
        return actual // 100 == int(target[0])
    if isinstance(actual, bool) != isinstance(target, bool):
        return False
    return bool(actual == target)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def ordered(actual: Any, target: Any) -> bool:
        both = (actual, *target) if isinstance(target, list) else (actual, target)
        if any(isinstance(item, bool) or not isinstance(item, int | float) for item in both):
            return False
        return compare(actual, target)

    return ordered


def _contains(actual: Any, target: Any) -> bool:
    if isinstance(actual, str):
        return str(target) in actual
    return target in actual if isinstance(actual, list | dict) else False


def _matches(actual: Any, target: Any) -> bool:
    if isinstance(actual, list):
        return any(_matches(item, target) for item in actual)
    return isinstance(actual, str) and search(target, actual) is not None


def _any_found(comparison: str, actual: Any, target: Any) -> bool:
    """Of several matches one is enough; so `!=` means that none is equal."""
    if comparison == "!=":
        return not _any_found("==", actual, target)
    return any(_COMPARE[comparison](_as_number(one, target, comparison), target) for one in (actual if isinstance(actual, list) else [actual]))


def _as_number(text: Any, target: Any, comparison: str) -> Any:
    """Markup has only texts: where a number is wanted, one that is written like a number is one."""
    wanted = target if isinstance(target, list) else [target]
    if not isinstance(text, str) or comparison in ("contains", "matches") or not any(type(one) in (int, float) for one in wanted):
        return text
    return float(text) if _NUMBER.fullmatch(text.strip()) else text


_NUMBER: Final = re.compile(r"[+-]?\d{1,300}(\.\d+)?([eE][+-]?\d{1,3})?")

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": _equal,
    "!=": lambda actual, target: not _equal(actual, target),
    "<": _ordered(lambda actual, target: actual < target),
    "<=": _ordered(lambda actual, target: actual <= target),
    ">": _ordered(lambda actual, target: actual > target),
    ">=": _ordered(lambda actual, target: actual >= target),
    "between": _ordered(lambda actual, target: target[0] <= actual <= target[1]),
    "contains": _contains,
    "matches": _matches,
    "in": lambda actual, target: any(_equal(actual, item) for item in target),
}


def _show_target(target: Any, comparison: str, holds: Holds) -> str:
    if comparison == "exists":
        return ""
    if comparison == "between":
        return f"{_show(target[0], holds)} and {_show(target[1], holds)}"
    if comparison == "fits":
        return target if isinstance(target, str) else "the schema"
    if isinstance(target, list):
        return f"[{', '.join(_show(item, holds) for item in target)}]"
    return _show(target, holds)


def _show_actual(actual: Any, expectation: Expectation, holds: Holds, redact: Redactor) -> str:
    if actual is MISSING:
        return "nothing there" if SOURCES[expectation.source].absent else NOT_MEASURED
    if expectation.source == "cookie" or (expectation.source == "header" and str(expectation.property).lower() in MASKED_HEADERS):
        return "[redacted]"
    return beginning(_show(actual, holds), redact)


def beginning(text: str, redact: Redactor) -> str:
    """`text` redacted, of a long one the beginning. First redact, then cut: half a secret would not be recognised any more.

    Redacting megabytes takes a second, so it is cut once before, so far behind what is shown that half a secret stays out of sight.
    """
    begin = redact.text(text[:REDACTED])
    return begin if len(text) <= REDACTED or len(begin) > REDACTED // 2 else redact.text(text)


def shortened(text: str) -> str:
    """`text` on one line, cut to what one can read."""
    flat = " ".join(text[: SHOWN * 8].split())
    return flat if len(flat) <= SHOWN else f"{flat[: SHOWN - 1]}…"


def both_ends(text: str) -> str:
    """As `shortened`, for sentences that tell what is wrong at their end."""
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN else f"{flat[: SHOWN // 2 - 3]} … {flat[-SHOWN // 2 :]}"


def _show(value: Any, holds: Holds) -> str:
    if holds == "duration" and isinstance(value, int | float):
        return show_duration(value)
    if holds == "size" and isinstance(value, int | float):
        return show_size(value)
    if holds == "percent" and isinstance(value, int | float):
        return f"{value:g}%"
    if isinstance(value, str):
        return value if holds == "status" else f"'{value}'"
    return json.dumps(value, ensure_ascii=False, default=str)
