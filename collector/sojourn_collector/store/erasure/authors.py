"""Authors as subjects: `author:PLATFORM/NAME` becomes `author:` and the digest under which their mentions are kept."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

from sojourn_collector.store.control.authors import author_digest, author_key
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.erasure.subject import Subject, SubjectError

PREFIX: Final = "author:"


async def by_digest(control: Control, subject: Subject, now: datetime) -> Subject:
    """The subject as it can be looked for; a digest, and whoever is no author, stays as it is. Raises SubjectError."""
    if subject.kind != "person" or not subject.name.startswith(PREFIX):
        return subject
    named = subject.name.removeprefix(PREFIX)
    if re.fullmatch(r"[0-9a-f]{64}", named):
        return subject
    platform, _, author = named.partition("/")
    if not platform.strip() or not author.strip():
        raise SubjectError("an author is named by platform and name, such as author:mastodon/alice@mastodon.example, or by the digest that their mentions show")
    return replace(subject, name=PREFIX + author_digest(await author_key(control.signing_keys, now), platform, author))
