"""The JSON Schema files that a journey's expectations name: read when the journey is, so that a bad one is found before anything runs."""

from collections.abc import Iterator
from pathlib import Path

from sojourn_probes.breach import Breach
from sojourn_probes.journey import Journey
from sojourn_probes.json_schema import BadSchema, read_schema
from sojourn_probes.rules import placed
from sojourn_probes.yaml_core import Path as Place


def bad_schemas(journey: Journey) -> Iterator[Breach]:
    """Every `fits` whose file cannot be used. A name with `${…}` in it is known only when the journey runs."""
    for place, step in placed(journey):
        until = () if step.repeat is None else step.repeat.until
        for keys, expectations in ((("expect",), step.expect), (("degraded_if",), step.degraded_if), (("repeat", "until"), until)):
            for number, one in enumerate(expectations):
                if one.comparison == "fits" and isinstance(one.target, str) and "${" not in one.target:
                    yield from _bad(journey.folder, one.target, (*place, *keys, number), max(one.text.rfind(one.target), 0))


def _bad(folder: Path, name: str, place: Place, offset: int) -> Iterator[Breach]:
    try:
        read_schema(folder, name)
    except BadSchema as fault:
        yield Breach(place, str(fault), offset)
