"""Facts of a visit beside device, browser and release: where it came from and how, and the attributes people are broken down by.

Only what its spans and log records say: nothing is looked up by address, nothing is guessed from a language. What nobody told is not there.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from sojourn_probes import semconv

COUNTRY, REGION, CHANNEL = "country", "region", "channel"
"""Names of the facts that are always looked for; an attribute's is `attribute:` and its name."""

LONGEST: Final = 100
"""Characters of a value that are kept."""

_COUNTRIES: Final = (semconv.GEO_COUNTRY, "geo.country_iso_code")
_REGIONS: Final = (semconv.GEO_REGION, "geo.region_iso_code")
"""OpenTelemetry's names, then those its Collector's geoip processor writes."""

_WORD: Final = re.compile(r"[a-z0-9][a-z0-9 ._-]{0,39}")
_LONGEST_QUERY: Final = 4096


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
        # How a visit came is said where it began: the first that says so tells.
        CHANNEL: next((word for row in ordered if (word := _channel(row))), ""),
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


def _newest(ordered: Sequence[Mapping[str, Any]], name: str) -> str:
    return next((told for row in reversed(ordered) if (told := str(row["attrs"].get(name, "") or row["res"].get(name, "")))), "")


def _channel(row: Mapping[str, Any]) -> str:
    told = _word(str(row["attrs"].get(semconv.CHANNEL, "") or row["res"].get(semconv.CHANNEL, "")))
    if told:
        return told
    if row["kind"] != "page_view":
        return ""
    attrs: Mapping[str, str] = row["attrs"]
    asked = attrs.get(semconv.URL_QUERY, "") or _query(attrs.get(semconv.URL_FULL, ""))
    if "utm_" not in asked or len(asked) > _LONGEST_QUERY:
        return ""
    try:
        campaign = parse_qs(asked.lstrip("?"), max_num_fields=100)
    except ValueError:
        return ""
    return next((word for key in ("utm_medium", "utm_source") if (word := _word(campaign.get(key, [""])[0]))), "")


def _query(url: str) -> str:
    if len(url) > _LONGEST_QUERY or "utm_" not in url:
        return ""
    try:
        return urlsplit(url).query
    except ValueError:
        return ""


def _word(text: str) -> str:
    word = text.strip().lower()
    return word if _WORD.fullmatch(word) else ""
