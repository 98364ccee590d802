"""Rates of exchange by the day: both files, days without a rate, what cannot be read, and orders that are brought again when rates change."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.sources import normalise
from sojourn_collector.sources.fx import Fx
from sojourn_collector.sources.fx_rates import Rates, read_rates
from sojourn_collector.store.control import Arrival
from sojourn_collector.strict_yaml import ConfigError
from tests.collector.control_file import open_control

BANK = "Date,USD,JPY,CYP,\n2026-03-03,1.1000,160.00,N/A,\n2026-03-02,1.2500,150.00,0.5,\n"
"""As https://www.ecb.europa.eu/stats/eurofxref/eurofxref-hist.zip has it, newest first, with currencies that are no more."""


def written(folder: Path, text: str) -> Path:
    """A file of rates."""
    path = folder / "rates.csv"
    path.write_text(text)
    return path


def test_our_own_form(tmp_path: Path) -> None:
    """One unit in the report's currency, exact; a day without a rate takes the last one of at most seven days before, none takes a later one."""
    rates = read_rates(written(tmp_path, "date,currency,rate\n2026-03-02,USD,0.8\n\n2026-02-20,USD,0.9\n2026-03-02,EUR,1\n"), "EUR")
    days = {"2026-02-19": None, "2026-02-20": "0.9", "2026-02-27": "0.9", "2026-02-28": None, "2026-03-02": "0.8", "2026-03-09": "0.8", "2026-03-10": None}
    assert {day: rates.rate("USD", date.fromisoformat(day)) for day in days} == {day: None if rate is None else Decimal(rate) for day, rate in days.items()}
    assert (rates.rate("JPY", date(2026, 3, 2)), rates.rate("EUR", date(2026, 3, 2)), rates.first(), rates.last) == (
        None,
        None,
        date(2026, 2, 20),
        date(2026, 3, 2),
    )


def test_the_banks_form(tmp_path: Path) -> None:
    """Units for one euro become units of the report's currency for one, in euro and in any other that has a column."""
    path, day = written(tmp_path, BANK), date(2026, 3, 2)
    euro, dollar = read_rates(path, "EUR"), read_rates(path, "USD")
    assert (euro.rate("USD", day), euro.rate("JPY", day), euro.rate("CYP", day)) == (Decimal("0.8"), 1 / Decimal(150), None)
    assert (dollar.rate("EUR", day), dollar.rate("JPY", day)) == (Decimal("1.25"), Decimal("1.25") / 150)


@given(rate=st.decimals("0.0001", "10000", places=4), other=st.decimals("0.0001", "10000", places=4))
def test_there_and_back(tmp_path_factory: pytest.TempPathFactory, rate: Decimal, other: Decimal) -> None:
    """Into a currency and back is the same amount, whichever is the report's."""
    path = written(tmp_path_factory.mktemp("fx"), f"Date,USD,GBP\n2026-03-02,{rate},{other}\n")
    day = date(2026, 3, 2)
    there, back = read_rates(path, "USD").rate("GBP", day), read_rates(path, "GBP").rate("USD", day)
    assert there is not None
    assert back is not None
    assert abs(there * back - 1) < Decimal("1e-20")


BAD = {
    "": "1: the first line must be date,currency,rate, or the European Central Bank's Date,USD,JPY,…",
    "day,usd\n": "1: the first line must be date,currency,rate, or the European Central Bank's Date,USD,JPY,…",
    "date,currency,rate\n2026-03-02,USD\n": "2: has 2 cells; write date,currency,rate",
    "date,currency,rate\n2026-03-02,USDT,1\n": "2: 'USDT' is not a currency of ISO 4217, such as USD",
    "date,currency,rate\n02.03.2026,USD,1\n": "2: '02.03.2026' is no date; write it as 2026-03-01",
    "date,currency,rate\n2026-02-30,USD,1\n": "2: '2026-02-30' is no date; write it as 2026-03-01",
    "date,currency,rate\n2026-03-02,USD,0\n": "2: '0' is no rate; write a number above 0 with a decimal point",
    'date,currency,rate\n2026-03-02,USD,"0,8"\n': "2: '0,8' is no rate; write a number above 0 with a decimal point",
    "date,currency,rate\n2026-03-02,USD,nan\n": "2: 'nan' is no rate; write a number above 0 with a decimal point",
    "date,currency,rate\n2026-03-02,USD,1\n2026-03-02,USD,2\n": "3: USD has two rates on 2026-03-02; keep one",
    "Date,USD\n2026-03-02,1,2\n": "2: has 3 cells, the first line names 2 columns",
    "Date,USD\n2026-03-02,-1\n": "2: '-1' is no rate; write a number above 0 with a decimal point",
}


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """Each with file, line and cure; a file that is not there and one that is too large too."""
    for text, sentence in BAD.items():
        path = written(tmp_path, text)
        with pytest.raises(ConfigError) as refused:
            read_rates(path, "EUR")
        assert str(refused.value) == f"{path}:{sentence}"
    path = written(tmp_path, "Date,USD\n2026-03-02,1\n")
    with pytest.raises(ConfigError, match="1: has no column GBP, the report's currency; take a file that has it"):
        read_rates(path, "GBP")
    with path.open("wb") as file:
        file.truncate((20 << 20) + 1)
    with pytest.raises(ConfigError, match=r"is larger than 20 MiB; leave out days before your first order"):
        read_rates(path, "EUR")
    path.unlink()
    with pytest.raises(ConfigError, match=r"the rates of exchange cannot be read .*; give fx the path of a CSV file"):
        Fx(path, "EUR", "UTC")


def test_the_day_is_the_reports(tmp_path: Path) -> None:
    """An order just after midnight in Tokyo has the rate of that day there, which is still the day before in UTC; other tables have no rate."""
    path = written(tmp_path, "date,currency,rate\n2026-03-01,USD,0.8\n2026-03-02,USD,0.9\n")
    order = {"id": "o", "at": "2026-03-01T15:30:00Z", "amount": 1, "currency": "USD"}
    for zone, rate in (("UTC", 0.8), ("Asia/Tokyo", 0.9)):
        _, row = Fx(path, "EUR", zone).converting(normalise)("orders", order, datetime(2026, 3, 1, 16, tzinfo=UTC))
        assert (row["rate"], row["rate_currency"]) == (rate, "EUR")
    for changed in ({"currency": "JPY"}, {"currency": "EUR"}, {"at": "2026-02-01T00:00:00Z"}):
        _, row = Fx(path, "EUR", "UTC").converting(normalise)("orders", order | changed, datetime(2026, 3, 1, 16, tzinfo=UTC))
        assert (row["rate"], row["rate_currency"]) == (0, "")
    assert "rate" not in Fx(path, "EUR", "UTC").converting(normalise)("people", {"id": "u"}, datetime.now(UTC))[1]


async def test_orders_are_brought_again(tmp_path: Path) -> None:
    """With the first rates those since then, with a new day those of it, with another past all; with the same file, and after a restart, none."""
    control = open_control(tmp_path / "control.sqlite")
    begin = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def arrival(kind: str, day: int) -> Arrival:
        return Arrival("default", "api", kind, f"{kind}{day}", begin + timedelta(days=day), "{}")

    await control.inbox.add_many([arrival(kind, day) for kind in ("orders", "segment", "feedback") for day in range(0, 40, 4)])

    async def again(fx: Fx) -> int:
        await control.inbox.mark([row.id for row in await control.inbox.waiting()], begin)
        return await fx.settle(control)

    first = "date,currency,rate\n2026-03-20,USD,0.8\n"
    path = written(tmp_path, first)
    fx: Any = Fx(path, "EUR", "UTC")
    assert await again(fx) == 2 * 5
    assert await again(fx) == 0
    assert not fx.read()
    path = written(tmp_path, first + "2026-04-06,USD,0.81\n")
    assert fx.read()
    assert await again(fx) == 2 * 1
    assert await again(Fx(path, "EUR", "UTC")) == 0
    written(tmp_path, "date,currency,rate\n2026-03-20,USD,0.7\n2026-04-06,USD,0.81\n")
    assert fx.read()
    assert await again(fx) == 2 * 10
    written(tmp_path, "nonsense")
    with pytest.raises(ConfigError):
        fx.read()
    assert fx.rates.rate("USD", date(2026, 3, 20)) == Decimal("0.7")
    assert await again(Fx(None, "EUR", "UTC")) == 2 * 10
    assert await again(Fx(None, "EUR", "UTC")) == 0
    assert Rates().rate("USD", date(2026, 3, 20)) is None
    control.close()
