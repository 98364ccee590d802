"""Holds expectations against the facts a runner saw.

Facts, by the names of `expectation.SOURCES`: `status` int · `headers` dict, names in small letters · `body` text · `json` the parsed
body, made from `body` when first asked for · `size` bytes · `redirects` int · `tls` the handshake's seconds, `tls_facts` dict by
`expectation.TLS_FACTS` · `rtt` seconds, `rtt_facts` dict by `expectation.RTT_FACTS` · `loss` percent · `banner` text ·
phases, `total` and vitals in seconds (cls a bare number) · `url`, `title`, `text`.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sojourn_probes.expectation import Expectation, Holds
from sojourn_probes.expectation_parse import read_target
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.units import show_duration, show_size

SHOWN: Final = 200
"""Characters of a text shown as the actual value."""

NOT_MEASURED: Final = "not measured"
"""The actual value when the source yielded nothing."""

MASKED_HEADERS: Final = frozenset({"set-cookie", "authorization", "www-authenticate"})
"""Headers whose values are never shown."""


class _Missing:
    """Nothing was there to look at."""


MISSING: Final = _Missing()


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an expectation holds (None: its source yielded nothing), what was wanted and what was seen, redacted."""

    holds: bool | None
    expected: str
    actual: str


def judge(expectation: Expectation, facts: dict[str, Any], names: Names, redact: Redactor) -> Judgement:
    """Hold `expectation` against `facts`. Raises `NameMissing` when a `${…}` in its target cannot be filled, ValueError when what fills it will not do."""
    holds_kind = expectation.holds()
    target = _filled(expectation, names, holds_kind)
    actual = look(expectation, facts)
    expected = redact.text(
        f"{'not ' if expectation.negated else ''}{expectation.comparison} {_show_target(target, expectation.comparison, holds_kind)}".strip()
    )
    shown = _show_actual(actual, expectation, holds_kind, redact)
    if expectation.comparison == "exists":
        return Judgement((actual is not MISSING) != expectation.negated, expected, shown)
    if actual is MISSING:
        # A header or a JSON value that is not there differs from the target, it is not unmeasured.
        absent = expectation.source in ("header", "json")
        return Judgement((expectation.comparison == "!=") != expectation.negated if absent else None, expected, shown)
    return Judgement(_COMPARE[expectation.comparison](actual, target) != expectation.negated, expected, shown)


def look(expectation: Expectation, facts: dict[str, Any]) -> Any:
    """The value the expectation is about, or `MISSING`."""
    source, prop = expectation.source, expectation.property
    if source == "header":
        return facts.get("headers", {}).get(str(prop).lower(), MISSING)
    if source == "json":
        return json_value(facts, str(prop))
    if source == "tls" and prop is not None:
        return tls_value(facts, prop)
    if source == "rtt" and prop is not None:
        return facts.get("rtt_facts", {}).get(prop, MISSING)
    return facts.get(source, MISSING)


def json_value(facts: dict[str, Any], path: str) -> Any:
    """What `path` finds in the body: the value when it is one, a list when they are several, `MISSING` when none or no JSON."""
    import jsonpath  # not needed by journeys that never look at JSON

    if "json" not in facts:
        try:
            facts["json"] = json.loads(facts.get("body", ""))
        except (ValueError, RecursionError):
            facts["json"] = MISSING
    if facts["json"] is MISSING:
        return MISSING
    found = jsonpath.findall(path, facts["json"])
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
    if holds == "text":
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
    return isinstance(actual, str) and re.search(target, actual) is not None


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
    if isinstance(target, list):
        return f"[{', '.join(_show(item, holds) for item in target)}]"
    return _show(target, holds)


def _show_actual(actual: Any, expectation: Expectation, holds: Holds, redact: Redactor) -> str:
    if actual is MISSING:
        return "nothing there" if expectation.source in ("header", "json") else NOT_MEASURED
    if expectation.source == "header" and str(expectation.property).lower() in MASKED_HEADERS:
        return "[redacted]"
    # First redact, then cut: half a secret would not be recognised any more.
    return shortened(redact.text(_show(actual, holds)))


def shortened(text: str) -> str:
    """`text` on one line, cut to what one can read."""
    flat = " ".join(text[: SHOWN * 8].split())
    return flat if len(flat) <= SHOWN else f"{flat[: SHOWN - 1]}…"


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
