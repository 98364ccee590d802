"""The guide of docs/journeys.md: each part is good YAML as the file grows, and what it has grown into is walked through the real shop."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sojourn_demo.faults import Fault
from sojourn_probes.journey import Journey
from sojourn_probes.load import load_text
from sojourn_probes.semconv import Outcome
from sojourn_probes.yaml_core import read
from tests.demo.conftest import Running
from tests.probes.walking import walk

GUIDE = (Path(__file__).parents[2] / "docs/journeys.md").read_text()
BLOCKS = [block for block in re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL) if not block.startswith("# defaults.yaml")]
PARTS, WHOLE = [read(block).data for block in BLOCKS[:-1]], BLOCKS[-1]


def grown(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The file after these parts: keys are added or replaced, steps by their id."""
    whole: dict[str, Any] = {}
    steps: dict[str, dict[str, Any]] = {}
    for part in parts:
        whole |= {key: value for key, value in part.items() if key != "steps"}
        for step in part.get("steps", []):
            steps[step["id"]] = steps.get(step["id"], {}) | step
    return whole | {"steps": list(steps.values())}


@pytest.mark.parametrize("count", range(1, len(PARTS) + 1))
def test_the_file_is_good_after_each_part(count: int) -> None:
    """Whoever stops reading anywhere has a journey that loads."""
    assert isinstance(load_text(json.dumps(grown(PARTS[:count])), Path("buy.yaml")), Journey)


def test_the_parts_grow_into_the_whole_file() -> None:
    """Nothing stands in the whole file that was not explained, and nothing explained is missing."""
    whole, parts = read(WHOLE).data, grown(PARTS)
    by_id = [{step["id"]: step for step in one.pop("steps")} for one in (whole, parts)]
    assert by_id[0] == by_id[1]
    assert whole == parts


@pytest.mark.browser
async def test_the_whole_file_is_walked(running: Running) -> None:
    """It passes in the shop as it is, and says what the guide says when payments fail."""
    environ = {"SHOP_URL": running.url, "SOJOURN_SECRET_SHOP_USER": "ada"}
    passed = await walk(WHOLE, environ=environ)
    assert passed.outcome in (Outcome.PASSED, Outcome.DEGRADED), passed.failure
    running.shop.switchboard.fault = Fault("error", 1.0, 1)
    failed = await walk(WHOLE, environ=environ)
    assert failed.failure is not None
    assert (failed.failure.step, failed.failure.message) == ("pay", "502 from POST /payments, expected status == 201")
