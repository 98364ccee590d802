"""Orders and answers of several problems, read together."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from sojourn_collector.context import Context
from sojourn_collector.web.answers import theirs
from sojourn_collector.web.answers.impact import impact
from tests.collector.web.stage import BROKE, NOW, broken_shop


@pytest.mark.parametrize(("most", "looks"), [(500_000, 1), (20, 3)])
async def test_no_problem_loses_orders_to_another(context: Context, monkeypatch: pytest.MonkeyPatch, most: int, looks: int) -> None:
    """Two problems read orders once; where one look would hold too many, each looks for itself, and its money is the same."""
    rows = broken_shop(usual=False)
    for number in range(12):
        at = BROKE - timedelta(hours=3) + timedelta(seconds=20 * number)
        rows.customer(f"early{number}", at, fails=number < 6, stopped=number < 6, done=number > 6, pays=60.0 if number > 6 else None)
    await rows.store(context.store)
    await context.control.watermarks.advance("orders", NOW, sender="shop", tenant=context.store.tenant)
    together = [(problem.id, problem.money.amount, problem.money.hit) for problem in (await impact(context)).problems]
    asked: Counter[str] = Counter()
    query = context.store.query

    async def noted(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        asked[name] += 1
        if name == "problem_orders" and len(parameters["journeys"]) > 1:
            return await query(name, **parameters)
        return await query(name, **{**parameters, **({"most": 500_000} if name == "problem_orders" else {})})

    context.store.query = noted  # type: ignore[method-assign]
    monkeypatch.setattr(theirs, "MOST_ORDERS", most)
    assert [(problem.id, problem.money.amount, problem.money.hit) for problem in (await impact(context)).problems] == together
    assert len(together) == 2
    assert asked["problem_orders"] == looks
