"""Facts of a visit: only what its spans and events say, bounded; the join keeps them and a score is broken down by them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.join.visit_facts import LONGEST, visit_facts


def row(kind: str = "page_view", res: Any = None, **attrs: str) -> dict[str, Any]:
    """A span or log record with these attributes; `__` stands for a dot."""
    return {"kind": kind, "attrs": {key.replace("__", "."): value for key, value in attrs.items()}, "res": res or {}}


@pytest.mark.parametrize(
    ("told", "country", "region"),
    [
        ({"geo.country.iso_code": "DE", "geo.region.iso_code": "DE-BE"}, "DE", "DE-BE"),
        ({"geo.country_iso_code": "gb", "geo.region_iso_code": "ENG"}, "GB", "GB-ENG"),
        ({"geo.country.iso_code": "DE"}, "DE", "DE"),
        ({"geo.region.iso_code": "US-CA"}, "US", "US-CA"),
        ({"geo.region.iso_code": "BE"}, None, None),
        ({"geo.country.iso_code": "Germany", "geo.region.iso_code": "DE-BE'; DROP"}, None, None),
        ({"geo.country_name": "Germany", "sojourn.browser": "Chrome 156"}, None, None),
    ],
)
def test_where_a_visit_comes_from(told: dict[str, str], country: str | None, region: str | None) -> None:
    """OpenTelemetry's names and its geoip processor's, of the resource too; a region's own part without its country could be anywhere."""
    facts = visit_facts([row(res=told)])
    assert (facts.get("country"), facts.get("region")) == (country, region)


@pytest.mark.parametrize(
    ("told", "city"),
    [
        ({"geo.country.iso_code": "DE", "geo.region.iso_code": "DE-BE", "geo.locality.name": "Berlin"}, "DE-BE Berlin"),
        ({"geo.country_iso_code": "us", "geo.city_name": " New\n York "}, "US New York"),
        ({"geo.locality.name": "Springfield"}, None),
        ({"geo.country.iso_code": "DE", "geo.locality.name": "x" * 5000}, "DE " + "x" * (LONGEST - 3)),
    ],
)
def test_a_city_is_told_with_what_is_around_it(told: dict[str, str], city: str | None) -> None:
    """With its region, else its country; alone it could be anywhere. Bounded, on one line."""
    assert visit_facts([row(res=told)]).get("city") == city


@pytest.mark.parametrize(
    ("told", "network"),
    [
        ({"sojourn.network": "3g"}, "3g"),
        ({"sojourn.network": "3g", "network.connection.type": "wifi"}, "3g"),
        ({"network.connection.type": "cell"}, "cell"),
        ({"sojourn.network": "<b>", "network.connection.type": "unknown"}, None),
        ({"sojourn.network": "5G" * 5000}, None),
    ],
)
def test_how_fast_the_line_seemed(told: dict[str, str], network: str | None) -> None:
    """Our word, else OpenTelemetry's kind of line; the newest of the visit; what is of neither list is none."""
    assert visit_facts([row(res=told)]).get("network") == network
    assert visit_facts([row(res={"sojourn.network": "2g"}), row(res={"sojourn.network": "4g"})])["network"] == "4g"


@pytest.mark.parametrize(
    ("attrs", "channel"),
    [
        ({"sojourn__channel": "Email"}, "email"),
        ({"url__query": "utm_source=news&utm_medium=email"}, "email"),
        ({"url__full": "https://shop.example/?a=1&utm_medium=paid%20social#x"}, "paid_social"),
        ({"url__query": "?utm_source=partner"}, "affiliate"),
        ({"url__query": "gclid=4711"}, "paid_search"),
        ({"url__query": "utm_medium=ada%40example.org"}, "other"),
        ({"url__full": "https://shop.example/", "http__request__header__referer": "https://www.google.com/"}, "search"),
        ({"url__full": "https://shop.example/", "http__request__header__referer": '["https://blog.example/x"]'}, "referral"),
        ({"url__full": "https://shop.example/", "http__request__header__referer": "https://www.shop.example/cart"}, None),
        ({"url__full": "https://shop.example/", "http__request__header__referer": "https://blog.example/" + "x" * 5000}, None),
        ({"url__full": "https://shop.example/"}, None),
        ({"sojourn__channel": "ada@example.org", "url__query": "utm_medium=email"}, "email"),
        ({"sojourn__channel": "phone"}, None),
        ({"url__query": "medium=email"}, None),
        ({"url__full": "http://[utm_medium=email"}, None),
        ({"url__query": "utm_medium=" + "x" * 5000}, None),
        ({"sojourn__channel": "x" * 5000}, None),
    ],
)
def test_how_a_visit_came(attrs: dict[str, str], channel: str | None) -> None:
    """What the sender says, else the campaign of the page it landed on or the page before, in one word of the list; who says neither tells nothing."""
    assert visit_facts([row(**attrs)]).get("channel") == channel


def test_our_own_beacons_tell_channel_and_country() -> None:
    """A visit as our snippet and agent tell it: the country on everything, the channel on the landing page alone; pages after it change nothing."""
    res = {"geo.country.iso_code": "DE"}
    rows = [row(res=res, url__full="https://shop.example/", sojourn__channel="email"), row(res=res, url__full="https://shop.example/cart")]
    assert visit_facts(rows) == {"country": "DE", "region": "DE", "channel": "email"}


def test_the_landing_page_tells_the_channel_and_a_request_does_not() -> None:
    """The first page view that has a campaign decides; a fetch to an address with one is no arrival."""
    rows = [row("fetch", url__full="https://ads.example/?utm_medium=ads"), row(url__query="utm_medium=email"), row(url__query="utm_medium=cpc")]
    assert visit_facts(rows) == {"channel": "email"}


def test_an_attribute_is_kept_with_its_newest_value_and_bounded() -> None:
    """Only attributes that are asked for; of log records and resources too; a fact of that name is another thing."""
    rows = [row(tier="gold", secret="x"), row("event", tier="silver"), row("event", res={"ab.test": "B" * 200}, region="north")]
    assert visit_facts(rows, ("tier", "ab.test", "region", "absent")) == {
        "attribute:tier": "silver",
        "attribute:ab.test": "B" * LONGEST,
        "attribute:region": "north",
    }


@given(
    rows=st.lists(
        st.dictionaries(
            st.sampled_from(["url.query", "url.full", "sojourn.channel", "geo.country.iso_code", "geo.region.iso_code", "http.request.header.referer"]),
            st.text(max_size=60),
        ),
        max_size=5,
    )
)
def test_strangers_texts_never_fail(rows: list[dict[str, str]]) -> None:
    """Whatever stands in those attributes, there are facts or none, and codes and words are what they should be."""
    facts = visit_facts([{"kind": "page_view", "attrs": attrs, "res": {}} for attrs in rows])
    assert set(facts) <= {"country", "region", "channel"}
    assert all(value.isascii() and len(value) <= 40 for value in facts.values())
