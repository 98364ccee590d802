"""Money that vendors send in a currency's smallest units becomes major units: how many decimals that are depends on the currency."""

from decimal import Decimal
from typing import Any, Final

from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.sentences import shown

WHOLE: Final = frozenset(["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"])
"""Currencies without smaller units at Stripe: an amount of 500 is 500 yen. https://docs.stripe.com/currencies#zero-decimal"""
THOUSANDTHS: Final = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])
"""Currencies of three decimals. https://docs.stripe.com/currencies#three-decimal"""


def major(amount: Any, currency: str) -> Decimal:
    """`amount` in smallest units of `currency` as major units. ISK and UGX count in hundredths here, as Stripe sends them. Raises RowRefused."""
    if isinstance(amount, bool) or not isinstance(amount, int):
        raise RowRefused(f"the amount {shown(amount)} is not a whole number of smallest units")
    code = currency.upper()
    decimals = 0 if code in WHOLE else 3 if code in THOUSANDTHS else 2
    return Decimal(amount).scaleb(-decimals)
