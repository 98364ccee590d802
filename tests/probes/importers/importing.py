"""Imports a sample, or a text, and loads what comes out."""

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sojourn_probes.cli_import import told
from sojourn_probes.importers import read_text
from sojourn_probes.importers.draft import Work
from sojourn_probes.journey import Journey
from sojourn_probes.load import load_text
from sojourn_probes.yaml_core import read

SAMPLES = Path(__file__).parents[1] / "data" / "import"


@dataclass
class Imported:
    """The journeys' texts, loaded journeys and plain data by id, and what was said."""

    texts: dict[str, str]
    journeys: dict[str, Journey]
    data: dict[str, Any]
    said: list[str]
    secrets: list[str]


def imported(form: str, text: str, source: str = "file", *, spoilt: bool = False, **more: Any) -> Imported:
    """`text` imported as `form`; every journey made must load, and no secret marked `canary` may be left unless its field's name may be spoilt."""
    work = Work(form, source, **more)
    read_text(text, work)
    made = work.finished()
    texts = {one.id: one.text for one in made}
    said = told(work)
    assert spoilt or "canary" not in "".join(texts.values()) + "".join(said), "a secret was left in"
    journeys = {key: load_text(one, Path(f"{key}.yaml")) for key, one in texts.items()}
    return Imported(texts, journeys, {key: read(one).data for key, one in texts.items()}, said, list(work.vault.names))


def sample(form: str, name: str, **more: Any) -> Imported:
    """The file `name` of the samples, imported."""
    return imported(form, (SAMPLES / name).read_text(), name, **more)


def steps(text: str) -> Any:
    """The steps written in `text`, to compare with."""
    return read(textwrap.dedent(text)).data
