"""What a real browser said, one signal at a time: the input of recognition, free of tables and attribute names."""

from dataclasses import dataclass
from enum import IntEnum


class SignalKind(IntEnum):
    """What happened. The numbers order signals of one millisecond: a page is arrived at before anything happens on it."""

    PAGE_VIEW = 0
    EVENT = 1
    CONVERSION = 2
    FETCH = 3
    EXCEPTION = 4
    ACTION = 5
    VITAL = 6
    OTHER = 7


SHOWS_A_STEP = frozenset((SignalKind.PAGE_VIEW, SignalKind.EVENT, SignalKind.CONVERSION))
"""The kinds that may show that a customer came to a step or got it done."""


@dataclass(frozen=True, slots=True, order=True)
class Signal:
    """One thing that happened in a session. Times and durations are whole milliseconds; ordering is by time, then kind, then the rest.

    `page` is the path of the page it happened on, `path` the path a fetch asked for, `origin` the origin asked, "" for the page's. `foreign`: that
    origin is none of the site's own; a journey may know better. `name` is the event's, conversion's or vital's name, or the exception's class.
    `status` 0 and `error` "" mean: none seen. `echo`: the error says no more than that some request got no answer. `value` is a vital's.
    `cart_value` below 0 means: no cart known. `backend_span`: the backend's own span says that it failed at this request, which the browser did not see
    (`join/backend_said.py`); a status of 5xx is then the backend's.
    """

    at: int
    kind: SignalKind
    page: str = ""
    name: str = ""
    duration: int = 0
    trace_id: str = ""
    span_id: str = ""
    method: str = ""
    path: str = ""
    status: int = 0
    error: str = ""
    message: str = ""
    value: float = 0.0
    cart_value: float = -1.0
    cart_currency: str = ""
    origin: str = ""
    foreign: bool = False
    echo: bool = False
    backend_span: str = ""

    @property
    def ended(self) -> int:
        """When it was over."""
        return self.at + max(0, self.duration)

    @property
    def failed(self) -> bool:
        """Whether this is a technical failure of the site's own. A tracker that is blocked or down stops nobody."""
        return self.went_wrong and not self.foreign and not self.echo

    @property
    def went_wrong(self) -> bool:
        """Whether this is a technical failure of anybody's: an exception, or a page or fetch that got 5xx or no answer, or at which the backend says it failed.

        A fetch that was given up by the page or its user is no failure: leaving a page aborts what is under way.
        """
        if self.kind is SignalKind.EXCEPTION:
            return True
        if self.kind not in (SignalKind.FETCH, SignalKind.PAGE_VIEW):
            return False
        return self.backend_span != "" or self.status >= 500 or (self.error != "" and not self.error.isdigit() and self.error != "abort" and self.status == 0)

    @property
    def failure_kind(self) -> str:
        """The failure kind's word; only meaningful when `failed`."""
        if self.kind is SignalKind.EXCEPTION:
            return "script"
        if self.status >= 500 or self.backend_span:
            return "status"
        return "timeout" if self.error == "timeout" else "connect"

    @property
    def failure_message(self) -> str:
        """One sentence such as `502 from POST /payments`; only meaningful when `failed`."""
        if self.kind is SignalKind.EXCEPTION:
            return f"{self.name}: {self.message}" if self.name and self.message else self.name or self.message or "script error"
        where = self.path or self.page
        # A backend may know its request by another name than a path.
        asked = where if self.backend_span and not where.startswith("/") else f"{self.method or 'GET'} {where}"
        if self.status >= 500:
            return f"{self.status} from {asked}"
        if self.backend_span:
            return f"the backend failed at {asked}"
        return f"no answer in time from {asked}" if self.error == "timeout" else f"no answer from {asked}"
