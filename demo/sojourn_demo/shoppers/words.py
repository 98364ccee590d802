"""Names, comments and devices the demo's people are made of. All invented."""

import zlib
from typing import Final, Literal

_FIRST: Final = ("Ada", "Bram", "Chiara", "Dana", "Emil", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Katja", "Leo", "Mira", "Nils", "Olga", "Pavel")
_LAST: Final = ("Alder", "Birk", "Castell", "Dorn", "Elm", "Fjord", "Grau", "Holm", "Iversen", "Jansen", "Kern", "Lund", "Moor", "Nord", "Oster", "Pohl")
OWNERS: Final = ("Kim", "Luca", "Robin")
COMPANIES: Final = (
    "Nordwind Tours",
    "Alpenglow Hotels",
    "Blue Pier Cafés",
    "Fenn & Daughters",
    "Granite Climbing",
    "Harbour Pilots",
    "Island Ferries",
    "Juniper Schools",
    "Kestrel Guides",
    "Lowland Cycling",
    "Meridian Film",
    "North Sea Rescue",
    "Otter Camps",
    "Peak Weather",
    "Quayside Books",
    "River Trust",
)
BAD: Final = (
    "Paying failed twice, then I gave up.",
    "The page said it could not reach the bank.",
    "Tried again and again. Very annoying!",
    "I wanted to buy, your shop did not want to sell.",
    "Error at the last step, after all the typing.",
    "Was I charged or not? Please write to me.",
    "It worked in the end, but I nearly left.",
)
GOOD: Final = (
    "Quick and easy.",
    "Nice things, fair prices.",
    "Found it at once.",
    "Would like more colours.",
    "Delivery cost should be shown earlier.",
    "All good, thank you.",
)
_KIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0"
_SAFARI: Final = "Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/20.1 Mobile/15E148 Safari/604.1"
DEVICES: Final[tuple[tuple[Literal["desktop", "mobile", "tablet"], str, str, str, str, float], ...]] = (
    ("desktop", "Chrome 156", "Windows", "en", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_KIT} Safari/537.36", 0.36),
    ("desktop", "Firefox 158", "Linux", "de", "Mozilla/5.0 (X11; Linux x86_64; rv:158.0) Gecko/20100101 Firefox/158.0", 0.12),
    ("mobile", "Chrome 156", "Android", "en", f"Mozilla/5.0 (Linux; Android 16; K) {_KIT} Mobile Safari/537.36", 0.28),
    ("mobile", "Safari 20", "iOS", "fr", f"Mozilla/5.0 (iPhone; CPU iPhone OS 20_1 like {_SAFARI}", 0.18),
    ("tablet", "Safari 20", "iOS", "en", f"Mozilla/5.0 (iPad; CPU OS 20_1 like {_SAFARI}", 0.06),
)
"""Type, browser, system, language, user agent and share of the shoppers."""


def name_of(shopper: str) -> tuple[str, str]:
    """First and last name of a shopper, always the same for the same id."""
    number = zlib.crc32(shopper.encode())
    return _FIRST[number % len(_FIRST)], _LAST[number // len(_FIRST) % len(_LAST)]
