"""What decided the scores since when: the versions of impact.yaml, and what each changed."""

from sojourn_collector.web.chapters.told import Column, Table, Told
from sojourn_collector.web.models_versions import VersionList

ANSWER = VersionList
_COLUMNS = (Column("version", "version"), Column("since", "since"), Column("until", "until"), Column("changes", "changed"))


def tell(answer: VersionList) -> Told:
    """The newest first."""
    rows = [
        (one.version, one.since, "in force" if one.until is None else one.until, "; ".join(f"{key.key} {key.old} → {key.new}" for key in one.changes))
        for one in answer.versions
    ]
    return Told("versions", "Configuration", answer.as_of, version=answer.present, tables=[Table("version", "", _COLUMNS, rows, "no version is kept")])
