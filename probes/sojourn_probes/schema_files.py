"""The JSON Schema files that a journey's expectations name: read when the journey is, so that a bad one is found before anything runs."""

from collections.abc import Iterator

from sojourn_probes.breach import Breach
from sojourn_probes.journey import Journey
from sojourn_probes.json_schema import BadSchema, read_schema


def bad_schemas(journey: Journey) -> Iterator[Breach]:
    """Every `fits` whose file cannot be used. A name with `${…}` in it is known only when the journey runs."""
    for index, step in enumerate(journey.steps):
        for key, expectations in (("expect", step.expect), ("degraded_if", step.degraded_if)):
            for number, one in enumerate(expectations):
                if one.comparison != "fits" or not isinstance(one.target, str) or "${" in one.target:
                    continue
                try:
                    read_schema(journey.folder / one.target)
                except BadSchema as fault:
                    yield Breach(("steps", index, key, number), str(fault), max(one.text.rfind(one.target), 0))
