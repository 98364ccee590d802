"""Who is to be forgotten, and everything such a person is called."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self, get_args

Kind = Literal["person", "session", "account"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Orders = Literal["strip", "delete"]
ORDERS: tuple[Orders, ...] = get_args(Orders)
LONGEST_NAME = 16_384
"""Characters; longer values of attributes are cut when they are taken in."""
MOST_WORDS = 2000
"""Names looked for in free text; a person of more visits is found by columns and attributes alone."""
SHORTEST_WORD = 8
SEPARATORS = "[^A-Za-z0-9_-]"
"""What stands around a name in a text."""
TAKEN_OUT = "[erased]"
"""What stands in its place in a sentence of ours."""


LINKED = ("feedback", "orders", "tickets", "subscriptions", "invitations", "usage")
"""Tables whose rows are named by their feed's name and their id there."""


class SubjectError(Exception):
    """This names nobody who could be forgotten; the text says why."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One person, session or account. A person is named by user id or visitor id, plain or as `user:…`, `visitor:…`, `visit:…`;
    the author of mentions by their digest, as `author:…`."""

    kind: Kind
    name: str

    def __post_init__(self) -> None:
        """Raises SubjectError."""
        # Senders choose ids: whatever is in the tables can be asked for, control characters too.
        if not self.name.strip() or len(self.name) > LONGEST_NAME or any(0xD800 <= ord(char) < 0xE000 for char in self.name):
            raise SubjectError(f"the id of a {self.kind} is a text of 1 to {LONGEST_NAME} characters")


@dataclass(frozen=True, slots=True)
class Names:
    """All names of one subject. The groups of `LINKED` hold source and id of what is theirs; `emails` digests of addresses, `authors` of those who
    said something in public."""

    users: frozenset[str] = frozenset()
    visitors: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    traces: frozenset[str] = frozenset()
    runs: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    feedback: frozenset[tuple[str, str]] = frozenset()
    orders: frozenset[tuple[str, str]] = frozenset()
    tickets: frozenset[tuple[str, str]] = frozenset()
    subscriptions: frozenset[tuple[str, str]] = frozenset()
    invitations: frozenset[tuple[str, str]] = frozenset()
    usage: frozenset[tuple[str, str]] = frozenset()
    emails: frozenset[str] = frozenset()
    authors: frozenset[str] = frozenset()
    shared: frozenset[str] = field(default_factory=frozenset)
    """Visitors and sessions that others were seen under too: of these only what names the subject itself goes."""

    @property
    def persons(self) -> frozenset[str]:
        """Ids as in the column `person_id`."""
        return frozenset({f"user:{one}" for one in self.users} | {f"visitor:{one}" for one in self.visitors} | {f"visit:{one}" for one in self.sessions})

    def by_kind(self) -> dict[str, frozenset[str]]:
        """Names that tombstones are made of."""
        return {"user": self.users, "visitor": self.visitors, "session": self.sessions, "account": self.accounts, "trace": self.traces} | {
            "email": self.emails,
            "author": self.authors,
        }

    def linked(self) -> dict[str, frozenset[tuple[str, str]]]:
        """Source and id of what is theirs, by table."""
        return {table: getattr(self, table) for table in LINKED}

    @property
    def known(self) -> frozenset[str]:
        """Names that identity attributes hold."""
        return self.users | self.visitors | self.sessions

    def words(self) -> list[str]:
        """Names unmistakable enough to be looked for in free text."""
        return [name for name in sorted(self.users) + sorted(self.visitors) + sorted(self.sessions) if is_word(name)][:MOST_WORDS]

    def common(self) -> list[str]:
        """Names that are not looked for in free text, for they may mean something else there."""
        return sorted(name for name in self.known if not is_word(name))

    def as_dict(self) -> dict[str, Any]:
        """As JSON, sorted."""
        return {one.name: sorted(list(item) if isinstance(item, tuple) else item for item in getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Self:
        """What `as_dict` wrote."""
        groups: dict[str, Any] = {
            one.name: frozenset(tuple(item) if isinstance(item, list) else item for item in found.get(one.name, ())) for one in fields(cls)
        }
        return cls(**groups)


def is_word(name: str) -> bool:
    """Whether a name can stand for nothing else in a text: 8 characters and more with a digit or an @ in them."""
    return len(name) >= SHORTEST_WORD and bool(re.search(r"[0-9@]", name))


def pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Finds any of these words standing for itself."""
    return re.compile(f"(?:^|{SEPARATORS})(?:{'|'.join(re.escape(word) for word in words)})(?:{SEPARATORS}|$)")


def shown(name: str) -> str:
    """A name for a terminal: senders choose it, so what controls a terminal or reorders a line is written out."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in name)


def without(text: str, names: Names) -> str:
    """A sentence of ours without the names in it."""
    for name in sorted(names.known, key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9_-]){re.escape(name)}(?![A-Za-z0-9_-])", TAKEN_OUT, text)
    return text
