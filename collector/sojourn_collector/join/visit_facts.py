"""Facts of a visit beside device, browser and release: where it came from and how, and the attributes people are broken down by.

Only what its spans and log records say: nothing is looked up by address, nothing is guessed from a language. What nobody told is not there. How a visit came
is a word of `Channel`: as its sender says, else by the rules of `sojourn_probes.channels`, which are our snippet's too.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from sojourn_probes import semconv
from sojourn_probes.channels import campaign_of, channel_of, channel_word

COUNTRY, REGION, CITY, CHANNEL, NETWORK = "country", "region", "city", "channel", "network"
"""Names of the facts that are always looked for; an attribute's is `attribute:` and its name."""

LONGEST: Final = 100
"""Characters of a value that are kept."""

_COUNTRIES: Final = (semconv.GEO_COUNTRY, "geo.country_iso_code")
_REGIONS: Final = (semconv.GEO_REGION, "geo.region_iso_code")
_CITIES: Final = (semconv.GEO_LOCALITY, "geo.city_name")
"""OpenTelemetry's names, then those its Collector's geoip processor writes."""

_LINES: Final = frozenset(("wifi", "wired", "cell"))
"""Values of `network.connection.type` that say something."""

_LONGEST_ADDRESS: Final = 4096


def attribute_fact(name: str) -> str:
    """The fact an attribute of that name is kept as."""
    return f"attribute:{name}"


def visit_facts(ordered: Sequence[Mapping[str, Any]], attributes: Iterable[str] = ()) -> dict[str, str]:
    """The facts of a visit.

    :param ordered: its spans and log records, oldest first.
    :param attributes: names of attributes of which the newest value is kept too.
    """
    country, region = _country_and_region(ordered)
    facts = {
        COUNTRY: country,
        REGION: region,
        CITY: _city(ordered, region or country),
        # How a visit came is said where it began: the first that says so tells.
        CHANNEL: next((word for row in ordered if (word := _channel(row))), ""),
        NETWORK: _network(ordered),
    }
    for name in attributes:
        facts[attribute_fact(name)] = _newest(ordered, name)[:LONGEST]
    return {name: value for name, value in facts.items() if value}


def _country_and_region(ordered: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """ISO 3166 codes, the region with its country before it; where only the country is known it stands for the region. A sender's nonsense is none."""
    country, region = (next((told for name in names if (told := _newest(ordered, name).strip().upper())), "") for names in (_COUNTRIES, _REGIONS))
    country = country if re.fullmatch("[A-Z]{2}", country) else ""
    if whole := re.fullmatch("([A-Z]{2})-[A-Z0-9]{1,3}", region):
        return country or whole[1], region
    # Without its country a region's own part could be anywhere.
    return country, f"{country}-{region}" if country and re.fullmatch("[A-Z0-9]{1,3}", region) else country


def _city(ordered: Sequence[Mapping[str, Any]], around: str) -> str:
    """A city with the region or country around it: without one it could be anywhere."""
    named = next((told for name in _CITIES if (told := " ".join(_newest(ordered, name).split()))), "")
    return f"{around} {named}"[:LONGEST] if around and named else ""


def _network(ordered: Sequence[Mapping[str, Any]]) -> str:
    """How fast the line seemed to our snippet, else its kind as OpenTelemetry names it."""
    told = _newest(ordered, semconv.NETWORK)
    kind = _newest(ordered, "network.connection.type")
    return told if told in semconv.NETWORKS else kind if kind in _LINES else ""


def _newest(ordered: Sequence[Mapping[str, Any]], name: str) -> str:
    return next((told for row in reversed(ordered) if (told := str(row["attrs"].get(name, "") or row["res"].get(name, "")))), "")


def _channel(row: Mapping[str, Any]) -> str:
    attrs: Mapping[str, str] = row["attrs"]
    if told := channel_word(str(attrs.get(semconv.CHANNEL, "") or row["res"].get(semconv.CHANNEL, ""))):
        return str(told)
    if row["kind"] != "page_view":
        return ""
    query, host = _address(attrs.get(semconv.URL_FULL, ""))
    query = attrs.get(semconv.URL_QUERY, "") or query
    referrer = attrs.get(semconv.REFERRER, "")
    if max(len(query), len(referrer)) > _LONGEST_ADDRESS or not (campaign_of(query) or referrer):
        # Without a word about the page before, nobody knows that there was none.
        return ""
    return str(channel_of(query, referrer, host) or "")


def _address(url: str) -> tuple[str, str]:
    """The query and the host of an address, empty where it is none."""
    try:
        parts = urlsplit(url) if len(url) <= _LONGEST_ADDRESS else urlsplit("")
        return parts.query, parts.hostname or ""
    except ValueError:
        return "", ""
