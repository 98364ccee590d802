"""`when`: run a step only if something is so. A name and a comparison, in the grammar of expectations.

${steps.login.mfa} == true      ${vars.lang} in [de, at]      ${steps.cart.coupon} exists      not ${run.location} == eu
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from sojourn_probes.errors import NameMissing, SecretMissing
from sojourn_probes.expect import MISSING, judge
from sojourn_probes.expectation import Expectation, ExpectationError
from sojourn_probes.expectation_parse import parse
from sojourn_probes.names import Names, references
from sojourn_probes.redact import Redactor

_FORM = re.compile(r"\s*(?P<no>not\s+)?(?P<name>\$\{[^{}]+\})(?P<rest>\s.*)?\Z", re.DOTALL)
_AS_SOURCE: Final = "json $.value"


@dataclass(frozen=True, slots=True)
class Condition:
    """One `when`: `name` is the reference looked at, without `${` and `}`; `text` the line as written."""

    name: str
    expectation: Expectation
    text: str

    def holds(self, names: Names, redact: Redactor) -> bool:
        """Whether it is so now. A value no step extracted is a value that is not there; a missing variable or secret raises `NameMissing`."""
        judgement = judge(self.expectation, self._facts(names), names, redact)
        return bool(judgement.holds)

    def _facts(self, names: Names) -> dict[str, Any]:
        value = self._value(names)
        return {"body": json.dumps({} if value is MISSING else {"value": value}, default=str)}

    def _value(self, names: Names) -> Any:
        try:
            value = names.fill(f"${{{self.name}}}")
        except SecretMissing:
            raise
        except NameMissing:
            if self.name.partition(".")[0] != "steps":
                raise
            return MISSING
        return value if not isinstance(value, str) or self._wants_text() else _plain(value)

    def _wants_text(self) -> bool:
        target = self.expectation.target
        return all(isinstance(one, str) for one in (target if isinstance(target, list) else [target]))


def parse_condition(text: str) -> Condition:
    """The condition in `text`. Raises `ExpectationError` with the place, the cause and the cure."""
    found = _FORM.match(text)
    if not found:
        raise ExpectationError(f"{text!r} does not begin with a name; write it as '${{vars.lang}} == de' or '${{steps.login.mfa}} exists'")
    reference = next(references(found["name"]))
    if reference.fault:
        raise ExpectationError(reference.fault, found.start("name"))
    if not (found["rest"] or "").strip():
        raise ExpectationError(f"says nothing of {found['name']}; compare it with something, or write '{found['name']} exists'", found.end("name"))
    before = (found["no"] or "") + _AS_SOURCE
    try:
        expectation = parse(before + found["rest"])
    except ExpectationError as fault:
        raise ExpectationError(str(fault), max(0, fault.offset - len(before) + found.end("name"))) from None
    return Condition(reference.text, expectation, text)


def _plain(text: str) -> Any:
    """A text from the environment or a header as the number or truth it spells, so that `3` equals 3."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float) else text
