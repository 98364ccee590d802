"""Reads the report and holds it against the truth."""

from dataclasses import dataclass
from typing import Any

import httpx2

from sojourn_demo.shoppers.world import Truth

JOURNEY = "checkout"
STEP = "pay"
CAUSE = "502 from POST /payments (service payments)"
CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Reader:
    """Asks the collector's API at `url`."""

    client: httpx2.AsyncClient
    url: str

    async def impact(self) -> dict[str, Any] | None:
        """The body of `/api/v1/impact`; None while the collector cannot answer."""
        return await self._get("/api/v1/impact")

    async def _get(self, path: str) -> dict[str, Any] | None:
        try:
            answer = await self.client.get(f"{self.url}{path}")
        except httpx2.HTTPError:
            return None
        if answer.status_code != 200:
            return None
        body: dict[str, Any] = answer.json()
        return body


def truth_body(truth: Truth, seed: int) -> dict[str, Any]:
    """The truth as `--json` prints it."""
    return {
        "journey": JOURNEY,
        "step": STEP,
        "cause": CAUSE,
        "people_reached": truth.people_reached,
        "people_hit": truth.people_hit,
        "shortfall": float(truth.shortfall),
        "currency": CURRENCY,
        "seed": seed,
    }


def worst_problem(report: dict[str, Any] | None) -> dict[str, Any] | None:
    """The first problem of the report, which is the worst."""
    problems = report["problems"] if report else []
    return problems[0] if problems else None


def differences(truth: dict[str, Any], report: dict[str, Any] | None) -> list[str]:
    """Where the report's worst problem differs from the truth, a sentence each; empty when it says exactly the same."""
    if report is None:
        return ["the report could not be read"]
    problem = worst_problem(report)
    if problem is None:
        return ["the report names no problem"]
    said = {
        "journey": problem["journey"]["id"],
        "step": problem["step"]["id"],
        "cause": (problem["cause"] or {}).get("summary"),
        "people_reached": problem["people"]["reached"],
        "people_hit": problem["people"]["hit"],
    }
    return [f"{key}: true is {truth[key]!r}, the report says {value!r}" for key, value in said.items() if truth[key] != value]


def is_ripe(report: dict[str, Any]) -> bool:
    """True when the report has had time to judge: nobody of those hit is still trying, and the score is there if it can be."""
    problem = worst_problem(report)
    return problem is not None and problem["people"]["trying"] == 0


def money_line(truth: dict[str, Any], report: dict[str, Any]) -> str:
    """The report's interval beside the true shortfall."""
    problem = worst_problem(report)
    true = f"true shortfall {truth['shortfall']:,.0f} {truth['currency']}"
    money = problem["money"] if problem else None
    if not money or money["amount"] is None:
        reasons = "; ".join(money["reasons"]) if money else "no problem"
        return f"money: {true}; the report gives no amount ({reasons})"
    state = money["state"].replace("_", " ")
    if money["low"] is None:
        return f"money: {true}; the report says {money['amount']:,.0f} ({state})"
    place = "inside" if money["low"] <= truth["shortfall"] <= money["high"] else "outside"
    return f"money: {true}, {place} the report's {money['low']:,.0f}–{money['high']:,.0f} (its estimate: {money['amount']:,.0f}, {state})"
