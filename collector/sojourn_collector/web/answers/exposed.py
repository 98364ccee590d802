"""Recurring revenue of accounts and people with somebody hit at a problem: the sum, and what it is the sum of."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sojourn_collector.web.answers.guests import Guest
from sojourn_collector.web.models_measures import Exposed

RENEWS_SOON = timedelta(days=30)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Price:
    """What one account, or one person, pays a month in one currency: told of the account itself, or the sum of so many subscriptions.

    Where it was told in another currency than `unit` and there is a rate, `told` says the amount and the currency.
    """

    whose: str
    amount: float
    unit: str
    told: tuple[float, str] | None
    subscriptions: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """The prices of those hit, whose account each of them belongs to, and when accounts renew."""

    prices: Sequence[Price]
    accounts: Mapping[str, str]
    renewals: Mapping[str, date]

    @property
    def known(self) -> frozenset[str]:
        """Accounts and people whose price is known."""
        return frozenset(one.whose for one in self.prices)


def accounts_hit(guests: Sequence[Guest], worths: Mapping[str, Row]) -> dict[str, str]:
    """Of everybody hit the account they belong to, empty where none is known."""
    return {guest.id: worths[guest.id]["account"] if guest.id in worths else guest.row["account_id"] for guest in guests if guest.hit and not guest.anonymous}


def exposure_of(accounts: Mapping[str, str], worths: Mapping[str, Row], subscribed: Sequence[Row]) -> Exposure:
    """Each account and each subscription once: what an account is said to pay goes before the sum of its and its people's subscriptions.

    :param accounts: of everybody hit the account they belong to.
    """
    priced: dict[str, Row] = {}
    for person in accounts:
        row = worths.get(person)
        if row is not None and row["account"] and row["mrr"] is not None:
            priced[row["account"]] = row
    own = [row for row in subscribed if row["whose"] not in priced and accounts.get(row["whose"]) not in priced]
    prices = [Price(account, row["mrr"], row["mrr_currency"], _told(row), 0) for account, row in priced.items()]
    prices += [Price(row["whose"], row["monthly"], row["currency"], _told(row), row["subscriptions"]) for row in own]
    return Exposure(prices, accounts, {row["account"]: row["renewal"] for row in worths.values() if row["renewal"] is not None})


def exposed_of(exposure: Exposure, currency: str, at: datetime) -> Exposed:
    """The sums. `at` = the moment from which on renewals are counted for 30 days."""
    sums: defaultdict[str, float] = defaultdict(float)
    by_rate: defaultdict[str, float] = defaultdict(float)
    for price in exposure.prices:
        sums[price.unit] += price.amount
        if price.told:
            by_rate[price.told[1]] += price.told[0]
    known, accounts, renewals = exposure.known, exposure.accounts, exposure.renewals
    soon = (at + RENEWS_SOON).date()
    return Exposed(
        monthly=sums.get(currency) if currency in sums or not sums else 0.0,
        currency=currency,
        accounts=len({account for account in accounts.values() if account in known}),
        subscriptions=sum(price.subscriptions for price in exposure.prices),
        people=len(accounts),
        unknown=sum(person not in known and account not in known for person, account in accounts.items()),
        renewing=sum(at.date() <= renewals[account] <= soon for account in set(accounts.values()) if account in renewals),
        converted=dict(by_rate),
        other_currencies={unit: amount for unit, amount in sums.items() if unit != currency},
    )


def _told(row: Row) -> tuple[float, str] | None:
    return (row["told_amount"], row["told_unit"]) if "told_unit" in row else None
