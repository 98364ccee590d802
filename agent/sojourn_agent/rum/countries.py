"""The country a visit comes from: as a trusted proxy tells it, else by the browser's time zone. An address is never looked up.

Zones are those of the tz database (`zone.tab`: each with its country), as the package `tzdata` has it. Browsers go on calling some by names that tz has given
up; such a name is followed to the zone it means now. A zone that is of no country, or whose name now means a zone of several, tells nothing.
"""

import logging
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Final, Self

_RESPELT: Final = {"Africa/Asmera": "ER", "America/Coral_Harbour": "CA", "Asia/Rangoon": "MM", "Pacific/Ponape": "FM", "Pacific/Truk": "FM"}
"""Old spellings that Chromium still gives and that tz links to a zone of several countries; what they meant stands in tz's file `backward`."""

_KOSOVO: Final = "XK"
"""No code of ISO 3166, but what everybody who tells countries by address calls it."""

log = logging.getLogger(__name__)


class Countries:
    """Which country a zone is in. `zones` maps a zone's name to its code."""

    def __init__(self, zones: Mapping[str, str]) -> None:
        self._zones = zones
        self._codes = {*zones.values(), _KOSOVO}

    @classmethod
    def read(cls) -> Self:
        """By the installed tz database; without one no country is known from a zone or told."""
        try:
            folder = resources.files("tzdata") / "zoneinfo"
            return cls(zones_of(*((folder / name).read_text("utf-8") for name in ("zone.tab", "zone1970.tab", "tzdata.zi"))))
        except (OSError, ImportError) as fault:
            log.warning("countries of visitors stay unknown: the package tzdata is not whole (%s); install it again", fault)
            return cls({})

    def of_zone(self, zone: str) -> str:
        """The country of a browser's time zone, empty when that tells none."""
        return self._zones.get(zone, "")

    def told(self, values: Sequence[str]) -> str:
        """The country in a proxy's header, empty when it is none, such as Cloudflare's XX (unknown) and T1 (Tor), or when there are several headers."""
        code = values[0].strip().upper() if len(values) == 1 else ""
        return code if code in self._codes else ""


def zones_of(zone_tab: str, zone1970_tab: str, tzdata_zi: str) -> dict[str, str]:
    """Zone → country, from the text of the tz database's files of these names."""
    found: dict[str, str] = {}
    for line in zone_tab.splitlines():
        if line[:1] not in ("", "#"):
            code, _, zone, *_ = line.split("\t")
            found[zone] = "" if zone in found else code
    alone = {row[2] for line in zone1970_tab.splitlines() if line[:1] not in ("", "#") and len((row := line.split("\t"))[0]) == 2}
    for line in tzdata_zi.splitlines():
        if line.startswith("L "):
            _, now, name = line.split()
            # Names without a place, such as CET and EST5EDT, are rules of clocks.
            if name not in found and now in alone and "/" in name:
                found[name] = found.get(now, "")
    return {zone: code for zone, code in {**_RESPELT, **found}.items() if code}
