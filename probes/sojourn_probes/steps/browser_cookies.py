"""Cookies of an attempt, carried from http steps into the browser and back."""

from http.cookiejar import Cookie, CookieJar
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.cookies import jar_of

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

_LOCAL: Final = ".local"
"""What `http.cookiejar` puts behind a host without a dot."""


class Cookies:
    """The attempt's jar and what of it the browser has."""

    def __init__(self, step: StepContext) -> None:
        self._jar: CookieJar = jar_of(step)
        self._known: frozenset[Any] = frozenset()

    async def give(self, context: "BrowserContext") -> None:
        """Make the browser's cookies those of the jar, if a step of another kind has changed it meanwhile."""
        now = _state(self._jar)
        if now == self._known:
            return
        if self._known:
            await context.clear_cookies()
        cookies: list[Any] = [_for_browser(cookie) for cookie in self._jar]
        if cookies:
            await context.add_cookies(cookies)
        self._known = now

    async def take(self, context: "BrowserContext", url: str) -> dict[str, str]:
        """Make the jar's cookies those of the browser. Returns those that `url` gets, name → value."""
        cookies: list[dict[str, Any]] = [{**cookie} for cookie in await context.cookies()]
        self._jar.clear()
        for cookie in cookies:
            self._jar.set_cookie(_for_jar(cookie))
        self._known = _state(self._jar)
        return {cookie["name"]: cookie["value"] for cookie in cookies if _goes_to(cookie, url)}


def _goes_to(cookie: dict[str, Any], url: str) -> bool:
    parts, domain, path = urlsplit(url), cookie["domain"].lstrip("."), cookie["path"]
    host, asked = parts.hostname or "", parts.path or "/"
    at_host = host == domain or (cookie["domain"].startswith(".") and host.endswith(f".{domain}"))
    at_path = asked == path or asked.startswith(path if path.endswith("/") else f"{path}/")
    return at_host and at_path and (parts.scheme == "https" or not cookie.get("secure"))


def _state(jar: CookieJar) -> frozenset[Any]:
    return frozenset((cookie.domain, cookie.path, cookie.name, cookie.value, cookie.expires) for cookie in jar)


def _for_browser(cookie: Cookie) -> dict[str, Any]:
    domain = cookie.domain
    if domain.endswith(_LOCAL) and domain.count(".") == 1:
        domain = domain.removesuffix(_LOCAL)
    same_site = str(cookie.get_nonstandard_attr("SameSite") or "").capitalize()
    found: dict[str, Any] = {"name": cookie.name, "value": cookie.value or "", "domain": domain, "path": cookie.path or "/", "secure": cookie.secure}
    found["httpOnly"] = any(cookie.has_nonstandard_attr(name) for name in ("HttpOnly", "httponly", "HTTPOnly"))
    if same_site in ("Strict", "Lax") or (same_site == "None" and cookie.secure):
        found["sameSite"] = same_site
    if cookie.expires is not None:
        found["expires"] = float(cookie.expires)
    return found


def _for_jar(cookie: dict[str, Any]) -> Cookie:
    domain = cookie["domain"] if "." in cookie["domain"] or ":" in cookie["domain"] else cookie["domain"] + _LOCAL
    rest: dict[str, Any] = {"HttpOnly": None} if cookie.get("httpOnly") else {}
    if cookie.get("sameSite"):
        rest["SameSite"] = cookie["sameSite"]
    expires = cookie.get("expires", -1)
    return Cookie(
        version=0,
        name=cookie["name"],
        value=cookie["value"],
        port=None,
        port_specified=False,
        domain=domain,
        domain_specified=domain.startswith("."),
        domain_initial_dot=domain.startswith("."),
        path=cookie["path"],
        path_specified=True,
        secure=bool(cookie.get("secure")),
        expires=None if expires is None or expires < 0 else int(expires),
        discard=expires is None or expires < 0,
        comment=None,
        comment_url=None,
        rest=rest,
    )
