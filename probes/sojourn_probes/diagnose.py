"""What an unexpected answer really means: who stopped the probe, who could not reach the site, whether it was the site at all.

Decided by facts of the answer (status, headers, a bounded part of the body) and never by the text of an error. http and browser
steps bring the same facts.
"""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from sojourn_probes.portal import host_of, portal
from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.signatures import BLOCKED, SIGNATURES, Signature
from sojourn_probes.units import show_duration

LOOKED_AT: Final = 65_536
"""Characters of a body that are searched for signs."""

BUSY: Final = (429, 503)
"""Statuses that with Retry-After are a request for patience."""

CLOCK_OFF: Final = 3600.0
"""Seconds by which clocks must differ before a certificate's dates are blamed on them."""

_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of the last answer; header names in small letters. `asked` is the url the step began with."""

    status: int
    headers: Mapping[str, str]
    body: str
    url: str
    asked: str
    method: str = "GET"

    @classmethod
    def of(cls, facts: Mapping[str, Any], asked: str, method: str) -> "Answer | None":
        """Of an http step's facts, or of the document a browser step shows (`facts["document"]`); None when neither is known."""
        known = facts.get("document", facts)
        if not isinstance(known.get("status"), int):
            return None
        url = str(known.get("url", asked))
        return cls(known["status"], known.get("headers", {}), known.get("body", ""), url, asked or url, method)

    @property
    def where(self) -> str:
        """The answer as one would name it."""
        try:
            path = urlsplit(self.url).path[:200] or "/"
        except ValueError:
            path = "a url that is none"
        return f"{self.status} from {self.method} {path}"


def diagnosed(answer: Answer, *, unexpected: bool) -> Failure | None:
    """What the answer is instead of the site's own; None for an ordinary one. Without `unexpected` only what is sure is looked for."""
    how = portal(answer.asked, answer.status, answer.url, answer.headers.get("location", ""), answer.body)
    if how is not None:
        instead = f"a captive portal answered, not {host_of(answer.asked) or 'the site'}"
        said = f"{instead}: {how} ({answer.where}); sign this machine in to its network, or let it pass the portal"
        return Failure(FailureKind.AGENT, said)
    begin = answer.body[:LOOKED_AT].lower() if unexpected else ""
    found = next((one for one in SIGNATURES if (unexpected or one.sure) and _fits(one, answer, begin)), None)
    return None if found is None else _failure(found, answer, begin)


def asks_for_patience(answer: Answer) -> str | None:
    """For a busy server that says when to come back (429 or 503 with Retry-After): when, in words."""
    after = answer.headers.get("retry-after", "").strip()
    if answer.status not in BUSY or not after:
        return None
    if after.isascii() and after.isdigit():
        when = f"in {show_duration(int(after[:9]))}"
    elif (at := _date(after)) is not None:
        when = f"at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"
    else:
        return None
    return f"the server is busy and asks to come back {when} ({answer.where})"


def clock_trouble(facts: Mapping[str, Any], now: float, newest_known: float) -> Failure | None:
    """When a certificate's dates are not good because this machine's clock is wrong.

    A clock is wrong for sure when what the server said of the time just before (its Date header) lies on the other side, or when
    it shows a time before `newest_known`, which has passed already. All in seconds since the epoch.
    """
    code = facts.get("tls_fault")
    if code not in (_NOT_YET_VALID, _EXPIRED):
        return None
    if code == _NOT_YET_VALID and newest_known - now > 86400:
        shown = f"{datetime.fromtimestamp(max(now, 0), UTC):%Y-%m-%d}"
        return Failure(FailureKind.AGENT, f"this machine's clock is wrong: it says {shown}, and files on it are newer; set it, else good certificates look bad")
    theirs = _date(facts.get("headers", {}).get("date", ""))
    if theirs is None:
        return None
    ahead = now - theirs
    if (ahead if code == _EXPIRED else -ahead) < CLOCK_OFF:
        return None
    way = "ahead of" if ahead > 0 else "behind"
    looks = "expired" if code == _EXPIRED else "not valid yet"
    said = f"this machine's clock is {show_duration(abs(ahead))} {way} the time the server says (Date header), so its certificate looks {looks}; set the clock"
    return Failure(FailureKind.AGENT, said)


def _fits(one: Signature, answer: Answer, begin: str) -> bool:
    if one.status and answer.status not in one.status:
        return False
    if not all(name in answer.headers and text in answer.headers[name].lower() for name, text in one.headers.items()):
        return False
    return not one.body or (len(answer.body) <= one.longest and any(text in begin for text in one.body) and one.also in begin)


def _failure(found: Signature, answer: Answer, begin: str) -> Failure:
    reference = _reference(found, answer, begin)
    told = f", reference {reference}" if reference else ""
    cure = "let the probe pass there by its address or User-Agent" if found.kind is BLOCKED else "look at the site's own server, and at what is between"
    return Failure(found.kind, f"{found.who} {found.did} ({answer.where}{told}); {cure}")


def _reference(found: Signature, answer: Answer, begin: str) -> str:
    if found.reference in answer.headers:
        return answer.headers[found.reference][:100]
    if "(" not in found.reference:
        return ""
    match = re.search(found.reference, begin)
    return "" if match is None else html.unescape(match.group(1))[:100].strip(".")


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
