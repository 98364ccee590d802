"""Token buckets, whose address counts, and which origins match."""

import pytest
from pydantic import ValidationError

from sojourn_agent.rum.config import AppConfig, RateLimit, RumConfig
from sojourn_agent.rum.gather import Parcel
from sojourn_agent.rum.limits import ClientAddress, TokenBuckets
from sojourn_agent.rum.origins import Origins, origin_of
from sojourn_agent.rum.seen import Seen, name_of


def test_a_bucket_gives_its_burst_and_then_its_rate():
    """The burst at once, then one per second, never more than the burst again."""
    now = [0.0]
    buckets = TokenBuckets(RateLimit(per_second=1, burst=2), lambda: now[0])
    assert [buckets.take("a") for _ in range(3)] == [True, True, False]
    now[0] = 1
    assert [buckets.take("a"), buckets.take("a")] == [True, False]
    now[0] = 100
    assert [buckets.take("a") for _ in range(3)] == [True, True, False]
    now[0] = 50  # a clock set back costs nobody anything
    assert buckets.take("b")


def test_the_map_of_buckets_is_bounded():
    """Any number of addresses leaves at most `max_keys` buckets."""
    buckets = TokenBuckets(RateLimit(per_second=1, burst=2), lambda: 0.0, max_keys=10)
    for number in range(1000):
        buckets.take(str(number))
    assert len(buckets) == 10


def test_seen_is_bounded():
    """Any number of beacons leaves at most the limit in memory; the newest are known."""
    seen = Seen(10)
    for number in range(1000):
        seen.add(name_of("shop", "s", str(number)), Parcel({}))
    assert len(seen) == 10
    assert name_of("shop", "s", "999") in seen
    assert name_of("a", "b", "c") != name_of("a", "bc", "")


@pytest.mark.parametrize(
    ("peer", "forwarded", "whose"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "not an address", "not an address"),
        ("2001:db8:1:2:3:4:5:6", None, "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.1", None, "198.51.100.1"),
        ("fe80::1%eth0", None, "fe80::/64"),
        ("", None, ""),
    ],
)
def test_whose_address_counts(peer, forwarded, whose):
    """X-Forwarded-For counts from a listed proxy only, read from the right; IPv6 counts by /64."""
    assert ClientAddress(["10.0.0.0/8"]).of(peer, forwarded) == whose


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://shop.example", True),
        ("https://a.b.example.org", True),
        ("https://example.org", False),
        ("https://evilexample.org", False),
        ("https://evil.example/.example.org", False),
        ("http://a.example.org", False),
        ("https://a.example.org:8443", False),
        ("http://127.0.0.1:8080", True),
        ("null", False),
    ],
)
def test_origins(origin, allowed):
    """Exact origins and hosts below a domain; never a part of a name."""
    assert Origins(AppConfig(origins=["https://shop.example:443/", "https://*.example.org", "HTTP://127.0.0.1:8080"]).origins).allow(origin) is allowed


def test_origin_of_a_request():
    """The Origin header, else the Referer's origin, else nothing."""
    assert origin_of("https://Shop.example", None) == "https://shop.example"
    assert origin_of(None, "https://shop.example/a?b") == "https://shop.example"
    assert (origin_of(None, "file:///x"), origin_of(None, None)) == (None, None)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"apps": {"shop": {"origins": ["*"]}}}, "'*' is not an origin; write scheme, host and port such as https://shop.example or https://*.shop.example"),
        (
            {"apps": {"shop": {"origins": ["https://shop.example/cart"]}}},
            "'https://shop.example/cart' is not an origin; write scheme, host and port such as https://shop.example or https://*.shop.example",
        ),
        ({"apps": {"shop": {"origins": []}}}, "List should have at least 1 item after validation, not 0"),
        ({"proxies": ["everyone"]}, "'everyone' is neither an address nor a network such as 10.0.0.0/8"),
        ({"country_header": "X Country", "proxies": ["10.0.0.1"]}, "'X Country' is not the name of a header; write one such as CF-IPCountry"),
        (
            {"country_header": "X-Country"},
            "country_header is believed from proxies alone; list the addresses it comes from under proxies, or take it out",
        ),
        ({"listen": "x", "colour": "red"}, "Extra inputs are not permitted"),
    ],
)
def test_bad_settings_are_refused(settings, sentence):
    """A setting that cannot be meant is refused with the cure."""
    with pytest.raises(ValidationError) as caught:
        RumConfig.model_validate(settings)
    assert [fault["msg"].removeprefix("Value error, ") for fault in caught.value.errors()] == [sentence]
