"""The plain words of the pages, one list per vocabulary, each with the tone it is shown in.

A tone is a shape, a colour and a word together (colour alone never says anything): good, slow, bad, unknown, neutral.
"""

from typing import NamedTuple

from sojourn_collector.score.severities import class_of


class Word(NamedTuple):
    """A word for readers and its tone."""

    text: str
    tone: str


STATES = {
    "healthy": Word("Healthy", "good"),
    "passing": Word("Passing", "good"),
    "degraded": Word("Slow", "slow"),
    "failing": Word("Failing", "bad"),
    "over": Word("Over", "neutral"),
    "unknown": Word("Not known", "unknown"),
    "fresh": Word("Fresh", "good"),
    "stale": Word("Stale", "slow"),
    "never": Word("Nothing yet", "unknown"),
}

OUTCOMES = {
    "passed": Word("Passed", "good"),
    "degraded": Word("Passed, slow", "slow"),
    "failed": Word("Failed", "bad"),
    "inconclusive": Word("Not counted", "unknown"),
    "skipped": Word("Not walked", "unknown"),
}

# How a customer's walk ended (the column `end` of runs).
ENDS = {
    "finished": Word("Finished", "good"),
    "gave_up": Word("Gave up", "neutral"),
    "stopped": Word("Was stopped", "bad"),
    "trying": Word("Still trying", "unknown"),
}

SOURCES = {
    "beacons": "Customers’ browsers",
    "probes": "Our probes",
    "backend": "Your backend",
    "feedback": "Feedback",
    "orders": "Orders",
    "accounts": "Accounts",
    "people": "People",
}

PERSON_KINDS = {
    "user": "customer",
    "visitor": "returning visitor, no name known",
    "visit": "anonymous visit",
}

TRAFFIC = {"real": "Customer", "synthetic": "Our probe"}

JOINS = {
    "explicit": "linked by the visit’s own id",
    "inferred": "linked to the person’s last visit, a guess",
    "unlinked": "not linked to a visit",
}

MONEY_LIMITS = (
    "Survivors of earlier steps only: who was lost before this step, and would have come here and paid, is not in it.",
    "Spillover is not in it either: what the failure did to those not hit, through shared stock or a busy call centre. "
    "Where they bought less for it the true loss is larger, where they bought what those hit could not it is smaller.",
)
"""What no estimate of the money of a problem sees."""

MONEY_STATES = {
    "so_far": "missing so far",
    "final": "missing, final",
    "upper_bound": "at most",
    "not_estimable": "not estimable",
}

# What a score is broken down by.
FACTS = {
    "cause": "Step and cause",
    "step": "Step",
    "failure_kind": "Kind of failure",
    "device": "Device",
    "browser": "Browser",
    "release": "Release",
    "app": "App",
    "country": "Country",
    "region": "Region",
    "location": "Location",
    "channel": "Channel",
    "network": "Network",
    "plan": "Plan",
    "segment": "Segment",
    "lifecycle": "Lifecycle",
    "owner": "Owner",
    "role": "Role",
    "known": "Known as",
    "day": "Day",
    "hour": "Hour of day",
}

# What answers are grouped by.
FEEDBACK_FACTS = {
    "survey": "Survey",
    "question": "Question",
    "channel": "Channel",
    "source": "Source",
    "language": "Language",
    "journey": "Journey",
    "step": "Step",
    "failure_kind": "Kind of failure before",
    "plan": "Plan",
    "segment": "Segment",
    "lifecycle": "Lifecycle",
    "owner": "Owner",
    "role": "Role",
    "country": "Country",
    "region": "Region",
    "location": "Location",
    "network": "Network",
    "device": "Device",
    "browser": "Browser",
    "release": "Release",
    "app": "App",
    "day": "Day",
    "week": "Week",
    "month": "Month",
}


def failure_before(value: str) -> str:
    """What somebody had met before they answered, by failure kind."""
    return "met no failure" if value == "none seen" else value.replace("_", " ")


FEEDBACK_KINDS = {
    "csat": "Satisfaction (CSAT)",
    "rating": "Rating",
    "nps": "Would recommend (NPS)",
    "ces": "Effort (CES)",
    "text": "Comment",
    "mention": "Mention",
}

# What a list of tickets is asked for: of a value that says it alone, else of a filter before its value.
TICKET_FILTERS: dict[str | tuple[str, str], str] = {
    ("state", "open"): "still open",
    ("state", "solved"): "solved",
    ("unresolved", "true"): "not solved in the days that are allowed",
    ("reopened", "true"): "opened again after they were solved",
    ("repeat", "true"): "asked again on the same within a week",
    ("reply", "waiting"): "waiting for a first reply",
    ("reply", "replied"): "with a first reply",
    ("reply", "unanswered"): "solved without a known reply",
    ("reply", "untold"): "of a desk that never told of a reply",
    ("link", "linked"): "linked to a visit",
    ("link", "unlinked"): "linked to no visit",
    ("severity", "0.5"): "whose visit had met an error before",
    "state": "in the state",
    "status": "of the status",
    "priority": "of the priority",
    "topic": "about",
    "text": "with the words",
    "channel": "by the channel",
    "feed": "of the desk",
    "journey": "of the journey",
    "person": "of the person",
    "account": "of the account",
    "session": "of the visit",
    "link": "linked as",
    "severity": "whose visit had met at least",
    "reply": "with the reply",
    "unresolved": "unresolved:",
    "reopened": "reopened:",
    "repeat": "repeated:",
}

PHASES = {
    "resolve": "Find the address",
    "connect": "Connect",
    "tls": "Secure the connection",
    "send": "Send the request",
    "wait": "Wait for the server",
    "receive": "Receive the answer",
}

# kind of evidence → what it is called, and what one does with it
EVIDENCE = {
    "screenshot": ("Screenshot", ""),
    "answer": ("Answer of the server", ""),
    "console": ("Console of the page", ""),
    "har": ("Requests (HAR)", "opens in a browser’s developer tools, Network"),
    "dom": ("The page’s HTML", "saved as text"),
    "trace": ("Playwright trace", "opens with: playwright show-trace FILE"),
}
EVIDENCE_STATES = {
    "not_sent": "not sent",
    "too_old": "too old, no longer kept",
    "no_room": "removed to make room",
    "erased": "erased",
}

# kind of a timeline's item → (what it is called, the lane it lies in)
ITEMS = {
    "page_view": ("Page", "Pages"),
    "action": ("Action", "Actions"),
    "frustration": ("Frustration", "Actions"),
    "step": ("Step", "Actions"),
    "event": ("Event", "Actions"),
    "fetch": ("Request", "Requests"),
    "web_vital": ("Speed", "Pages"),
    "error": ("Error", "Requests"),
    "backend": ("Backend", "Backend"),
    "run": ("Journey", "Journeys"),
    "survey": ("Survey", "Feedback and orders"),
    "feedback": ("Feedback", "Feedback and orders"),
    "conversion": ("Conversion", "Feedback and orders"),
    "order": ("Order", "Feedback and orders"),
    "ticket": ("Ticket", "Feedback and orders"),
    "subscription": ("Subscription", "Feedback and orders"),
}
LANES = ("Journeys", "Pages", "Actions", "Requests", "Backend", "Feedback and orders")

_TONE_WORDS = {"neutral": "", "good": "", "slow": "slow", "bad": "failed"}
_OPINIONS = {"good": "satisfied", "slow": "undecided", "bad": "not satisfied"}
# What a tone means depends on what it is said of: a bad answer in a survey is not a failure.
_TONES_OF = {
    "survey": _OPINIONS,
    "feedback": _OPINIONS,
    "web_vital": {"good": "good", "slow": "could be better", "bad": "poor"},
    "frustration": {},
    "ticket": {},
    "subscription": {},
    "error": {},
}

# The cure where a source has never been heard of, when the answer brings none of its own.
CURES = {
    "beacons": "Add the snippet /rum.js of the agent’s intake to your pages.",
    "probes": "Put a journey file into the agent’s journeys folder and start sojourn-agent.",
    "backend": "Point your services’ OpenTelemetry exporter at this collector’s port 4318.",
    "feedback": "Post survey answers to /api/v1/in/feedback with a key.",
    "orders": "Post orders to /api/v1/in/orders with a key; without them there is no money on this page.",
    "accounts": "Post accounts to /api/v1/in/accounts with a key to see names and plans.",
    "people": "Post people to /api/v1/in/people with a key to see whose account a person belongs to.",
}


def state(value: str) -> Word:
    """The word for a state; an unheard-of one shows as it is, in grey."""
    return STATES.get(value) or Word(value.replace("_", " ").capitalize() or "Not known", "unknown")


def outcome(value: str) -> Word:
    """The word for a run's or step's outcome."""
    return OUTCOMES.get(value) or Word(value.replace("_", " ").capitalize() or "Not known", "unknown")


def end(value: str) -> Word:
    """The word for how a customer's walk ended."""
    return ENDS.get(value) or Word(value.replace("_", " ").capitalize() or "Not known", "unknown")


_MET = {
    "": Word("Not hit", "good"),
    "slow": Word("Slow", "slow"),
    "recovered": Word("Hit, got through later", "slow"),
    "left": Word("Hit an error, then left", "bad"),
    "blocked": Word("Was stopped", "bad"),
}

MET = {"slow": "it was slow", "recovered": "an error, later passed", "left": "an error, then left", "blocked": "stopped by a failure"}
"""The classes of what somebody met, within a sentence."""


def severity(mark: float, *, stopped: bool = False) -> Word:
    """What happened to someone, from the mark of their worst technical experience (docs/scores.md)."""
    return _MET["blocked" if stopped else class_of(mark)]


def tone_word(kind: str, tone: str) -> str:
    """The word beside a timeline's item that says what its colour says; empty where the item says it itself."""
    return _TONES_OF.get(kind, _TONE_WORDS).get(tone, "")


AT_PROBLEM = {"possibly": "possibly hit", "hit": "hit"}
"""Who is listed at a problem."""

MARKS = {"release": "Release", "fix": "Fix", "campaign": "Campaign", "price": "Changed price"}

VERDICTS = {
    "improved": Word("Improved", "good"),
    "no evidence": Word("No evidence yet", "neutral"),
    "worse": Word("Worse", "bad"),
    "too early": Word("Too early", "unknown"),
    "not estimable": Word("Not estimable", "unknown"),
}

FIX_MEASURES = {"satisfied": "Satisfied", "finished": "Got it done", "unhurt": "Met no failure"}
FIX_COUNTED = {"satisfied": "satisfied answers", "finished": "tries that finished", "unhurt": "tries without a failure"}
FIX_PARTS = {"before": "before the trouble", "trouble": "trouble, not counted", "after": "after the fix"}
