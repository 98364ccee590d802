"""Answers to show of versions of the configuration: what was changed when, and what that means beside figures."""

from datetime import datetime, timedelta

from sojourn_collector.web import models as m
from sojourn_collector.web.models_versions import VersionLine, VersionList

NOW = datetime.fromisoformat("2026-11-22T14:06:30+00:00")


def breaks(at: datetime, name: str = "checkout") -> list[m.Break]:
    """A change that stays in what came in before, and one that holds for everything at once."""
    stored = m.ChangedKey(key="windows.abandon", old="30m", new="10m")
    weighed = m.ChangedKey(key=f"journeys.{name}.worth", old="none", new="62 EUR")
    said = {"before": "1f0c2a9be001", "version": "7c1f0a9e55d2"}
    return [
        m.Break(at=at, kind="stored", changes=[stored], sentence="Since 10 Nov 14:00 windows.abandon 30m → 10m: not changes in customers.", **said),
        m.Break(
            at=at, kind="recomputed", changes=[weighed], sentence=f"On 10 Nov 14:00 journeys.{name}.worth none → 62 EUR: all is by the present one.", **said
        ),
    ]


def known(name: str) -> VersionList:
    """Three versions; the names of journeys are strangers' texts."""
    since = [NOW - timedelta(days=days) for days in (90, 10, 1)]
    changed = [change for one in breaks(since[1], name) for change in one.changes]
    return VersionList(
        as_of=NOW,
        present="7c1f0a9e55d2",
        versions=[
            VersionLine(version="7c1f0a9e55d2", since=since[2], changes=[]),
            VersionLine(version="7c1f0a9e55d1", since=since[1], until=since[2], changes=changed),
            VersionLine(version="1f0c2a9be001", since=since[0], until=since[1], changes=[]),
        ],
    )


def none_known() -> VersionList:
    """Nothing was written down yet."""
    return VersionList(as_of=NOW, present="7c1f0a9e55d2", versions=[])
