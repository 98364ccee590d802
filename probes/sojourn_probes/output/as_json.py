"""One JSON object with everything measured."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sojourn_probes.diff import Difference, Fate
from sojourn_probes.errors import Problem
from sojourn_probes.journey import Journey
from sojourn_probes.output.walked import Walked
from sojourn_probes.repeat import summaries


def runs(walked: Sequence[Walked]) -> str:
    """`{"passed": …, "runs": […], "summaries": […]}`; each run has the fields of `result.RunResult` and its file, each summary those of `repeat.Summary`."""
    found = [{"file": one.file, **asdict(one.result)} for one in walked]
    common = [asdict(one) for one in summaries([one.result for one in walked])]
    return _written({"passed": all(one.passed for one in walked), "runs": found, "summaries": common})


def findings(journeys: Sequence[Journey], problems: Sequence[Problem], missing: Sequence[Problem]) -> str:
    """`{"good": …, "journeys": […], "problems": […], "missing": […]}`."""
    good = [
        {"file": str(journey.source), "id": journey.id, "name": journey.title, "version": journey.version, "steps": len(journey.steps)} for journey in journeys
    ]
    return _written({"good": not problems, "journeys": good, "problems": [asdict(one) for one in problems], "missing": [asdict(one) for one in missing]})


def differences(found: Sequence[Difference]) -> str:
    """`{"changed": …, "journeys": […]}`; each has the fields of `diff.Difference`, its changes those of `diff_values.Change` and their words."""
    journeys = [{**asdict(one), "changes": [{**asdict(change), "words": str(change)} for change in one.changes]} for one in found]
    return _written({"changed": any(one.fate is not Fate.SAME for one in found), "journeys": journeys})


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
