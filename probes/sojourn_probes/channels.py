"""How a visit came about: the one definition, which the browser snippet and the collector both follow.

`make schema` writes the rules into the snippet's source, and `tests/agent/rum/channel_cases.json` holds both to the same answers.

A campaign that names itself (`utm_medium`, `utm_source`, the click ids of advertisers) goes before the page a visitor came from. All patterns are of small
ASCII letters and mean whole words: between them stands whatever is no letter. They say the same in Python and in JavaScript.
"""

import json
import re
from typing import Final

from sojourn_probes.semconv import Channel

CLICKS: Final = "(d|fb|g|tt|tw|y)clid|msclkid|[gw]braid"
"""Parameters by which advertisers know a click; their names count as words of the campaign. Facebook marks every link that leaves it, not only paid ones."""

SAID: Final = (
    (Channel.EMAIL, "e[-_ ]?mails?|newsletters?"),
    (Channel.MESSAGING, "sms|push"),
    (Channel.AFFILIATE, "affiliates?|partners?"),
    (Channel.OFFLINE, "offline|qr|print|tv"),
    (Channel.DISPLAY, "display|banners?|video|dclid"),
    (Channel.SOCIAL, "(paid)?social"),
    (Channel.REFERRAL, "referral"),
)
"""Words of a campaign that decide by themselves; the first that is there."""

NAMES: Final = (
    (Channel.MESSAGING, "whatsapp|telegram|t[.]me|messenger"),
    (Channel.EMAIL, "g?mail|outlook|android[.]gm"),
    (Channel.ASSISTANT, "chatgpt|openai|perplexity|claude|gemini|copilot"),
    (Channel.SOCIAL, "facebook|fb|instagram|ig|linkedin|lnkd|twitter|t[.]co|x[.]com|tiktok|youtube|pinterest|reddit|snapchat|threads|bsky|vk|(fb|tt|tw)clid"),
    (Channel.SEARCH, "google|bing|yahoo|duckduckgo|ecosia|qwant|brave|yandex|baidu|naver|[gy]clid|msclkid|[gw]braid"),
)
"""Words of a campaign and of the host a visitor came from; the first that is there."""

PAID: Final = "cp[acmv]|ppc|paid(social|search)?|sem|ads?|(g|tt|tw|y)clid|msclkid|[gw]braid"
"""Words of a campaign that was paid for: search and social then become their paid kinds."""

ASIDE: Final = "accounts|login|signin|auth|sso|pay|checkout|paypal|klarna|stripe"
"""Words of a host one comes back from in the middle of a visit, after signing in or paying: that is no arrival."""

SITE: Final = "[^.]+[.](com?[.])?[^.]+$"
"""The part of a host that is a site's own; hosts of which it is the same are of one site."""

_LONGEST_HOST: Final = 253


def channel_of(query: str, referrer: str, host: str) -> Channel | None:
    """How somebody came to a page, None when that page was no arrival: come to from the same site, or back from signing in or paying.

    :param query: the query of the page's address.
    :param referrer: address of the page before, empty when there was none.
    :param host: the page's own host.
    """
    said = campaign_of(query)
    found = re.search(r"//(.+?)(:\d+)?([/?#]|\Z)", referrer.lower(), re.ASCII)
    far = found[1] if found else ""
    if far and (_site(far) == _site(host) or (not said and _has(ASIDE, far))):
        return None
    channel = _first(SAID, said) or _first(NAMES, f"{said} {far}") or (Channel.OTHER if said else Channel.REFERRAL if far else Channel.DIRECT)
    if _has(PAID, said):
        return {Channel.SEARCH: Channel.PAID_SEARCH, Channel.SOCIAL: Channel.PAID_SOCIAL, Channel.OTHER: Channel.PAID}.get(channel, channel)
    return channel


def campaign_of(query: str) -> str:
    """What a query says of a campaign, as it is written there: medium, source and the names of click ids; empty when it says nothing."""
    asked = re.finditer(f"[?&](?:utm_(?:medium|source)=([^&]*)|({CLICKS})=)", f"?{query.lower()}")
    return " ".join(found[1] or found[2] or "" for found in asked).strip()


def channel_word(text: str) -> Channel | None:
    """The channel that a sender calls so; what is none of the list is none."""
    word = re.sub("[ -]", "_", text.strip().lower())
    return next((channel for channel in Channel if channel == word), None)


def snippet_source() -> str:
    """The rules as the snippet's TypeScript."""
    lines = ["// Made from probes/sojourn_probes/channels.py by `make schema`; do not edit.", ""]
    for name, pairs in (("SAID", SAID), ("NAMES", NAMES)):
        lines += [f"export const {name}: [string, string][] = [", *(f"  {json.dumps(list(pair))}," for pair in pairs), "];"]
    lines += [f"export const {name} = {json.dumps(told)};" for name, told in (("CLICKS", CLICKS), ("PAID", PAID), ("ASIDE", ASIDE), ("SITE", SITE))]
    return "\n".join(lines) + "\n"


def _first(rules: tuple[tuple[Channel, str], ...], text: str) -> Channel | None:
    return next((channel for channel, words in rules if _has(words, text)), None)


def _has(words: str, text: str) -> bool:
    return re.search(f"(^|[^a-z])({words})([^a-z]|$)", text) is not None


def _site(host: str) -> str:
    found = re.search(SITE, host[-_LONGEST_HOST:])
    return found[0] if found else host
