"""Authors of what was said in public: known by a digest under a key of this installation, never by their name.

Without the key nobody can tell whose digest it is by trying names, which a plain digest of a public name would allow.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Final

from sojourn_collector.store.control.signing import SigningKeys

USE: Final = "authors"


async def author_key(keys: SigningKeys, now: datetime) -> bytes:
    """The key, made when there is none. It is kept in the control database, backups of it included."""
    return await keys.get(USE, now)


def author_digest(key: bytes, platform: str, author: str) -> str:
    """HMAC-SHA-256 in hex of who said it where. Capitals, blanks around it and a leading `@` make no difference."""
    return hmac.new(key, f"{platform.strip().casefold()}\n{plain(author)}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def plain(author: str) -> str:
    """A name as two writings of it agree on it."""
    return author.strip().removeprefix("@").casefold()
