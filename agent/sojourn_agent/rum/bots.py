"""Telling crawlers and automated browsers from people, by what they say of themselves.

The words are those of getsentry/relay's `web-crawlers` filter, and HeadlessChrome, which that list misses.
"""

import re
from functools import lru_cache

_BOT = re.compile(
    r"googlebot|adsbot|bingbot|mediapartners|baiduspider|yandex(bot|images)|slurp|sogou|facebookexternalhit|facebot|ia_archiver|"
    r"(^|[^a-z])bots?([/\s);]|$)|[a-z]bot[/\s);]|spider([/\s);]|$)|crawl(er|ing)|bytespider|petalbot|ahrefsbot|semrushbot|duckduckbot|applebot|"
    r"twitterbot|linkedinbot|slackbot|telegrambot|discordbot|whatsapp/|pingdom|uptimerobot|better uptime|statuscake|hubspot|"
    r"headlesschrome|phantomjs|electron-prerender|prerender|lighthouse|pagespeed|gtmetrix|python-requests|curl/|wget/|go-http-client",
    re.IGNORECASE,
)


def is_bot(user_agent: str, webdriver: bool) -> bool:
    """Whether the browser calls itself a bot, or says that a program drives it (`navigator.webdriver`)."""
    return webdriver or not user_agent or _names_a_bot(user_agent[:1000])


@lru_cache(maxsize=1024)
def _names_a_bot(user_agent: str) -> bool:
    return _BOT.search(user_agent) is not None
