"""Accounts to show: one that was hit and is about to renew, one of which only visits tell, one that nobody saw."""

from sojourn_collector.web.models_lists import AccountItem, AccountList
from sojourn_collector.web.models_usage import AccountUsage, Pipeline
from tests.collector.web.fixtures import NAMES, NOW, ago

DAY = 86_400.0


def none() -> AccountList:
    """Nobody."""
    return AccountList(window_from=ago(28 * DAY), window_to=NOW, next=None, items=[])


def accounts(label: str = NAMES[0], *, hurt: bool = True) -> AccountList:
    """Those whose people were hit, or all."""
    nothing = AccountItem(
        account_id="a3",
        name="Idle Ltd",
        plan="",
        segment="",
        lifecycle="",
        owner="",
        monthly=None,
        currency="",
        renewal=None,
        told=True,
        visits=0,
        people=0,
        people_hit=0,
        worst=None,
        last_seen=None,
    )
    acme = {
        "account_id": "a1",
        "name": label,
        "plan": "gold",
        "segment": "enterprise",
        "lifecycle": "customer",
        "owner": "77",
        "owner_name": label,
        "owner_team": label,
        "monthly": 1200.0,
        "currency": "EUR",
        "ended": 2,
        "ended_reason": label,
        "ended_comment": label,
    }
    used = AccountUsage(last=ago(3600), days=12, users=5, times=310, times_before=520)
    deals = Pipeline(deals=2, worth={"EUR": 18_000.0, "USD": 4_000.0}, next_close="2026-12-15")
    seen = {"visits": 64, "people": 9, "people_hit": 4, "worst": 1.0, "last_seen": ago(600), "usage": used, "pipeline": deals}
    guest = {
        "account_id": "a2",
        "name": "",
        "told": False,
        "visits": 7,
        "people": 2,
        "people_hit": 1,
        "worst": 0.5,
        "last_seen": ago(7200),
        "pipeline": Pipeline(),
    }
    items = [nothing.model_copy(update=guest), nothing.model_copy(update={**acme, **seen})]
    return AccountList(window_from=ago(28 * DAY), window_to=NOW, next="bmV4dA" if hurt else None, items=items if hurt else [*items, nothing])
