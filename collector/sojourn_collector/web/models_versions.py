"""The shape of `GET /api/v1/impact/versions`: what decided the scores since when."""

from datetime import datetime

from sojourn_collector.web.models import Answer, ChangedKey


class VersionLine(Answer):
    """One version of impact.yaml with what it changed of the one before; `until` None = it holds. The first one known changed nothing that is known."""

    version: str
    since: datetime
    until: datetime | None = None
    changes: list[ChangedKey]


class VersionList(Answer):
    """Body of `GET /api/v1/impact/versions`, the newest first. `present` is what this collector scores by."""

    as_of: datetime
    present: str
    versions: list[VersionLine]
