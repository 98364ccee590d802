"""A rule of the journey language that a file breaks."""

from dataclasses import dataclass

from sojourn_probes.yaml_core import Path


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule broken at `path`; `offset` counts characters into the text there."""

    path: Path
    message: str
    offset: int = 0
