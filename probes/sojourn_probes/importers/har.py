"""HAR recordings: documents and XHR of the site's own origin become steps, tokens of earlier answers are taken from there."""

import json
from typing import Any, Final

from sojourn_probes.addresses import origin_of
from sojourn_probes.importers.draft import Draft, Work, shown_host
from sojourn_probes.importers.lift import escaped, without_userinfo
from sojourn_probes.importers.request import Request, name_of, part_of
from sojourn_probes.importers.source import ImportFault, json_of, list_of, mapping_of, text_of, words
from sojourn_probes.secret_names import is_secret_name

_PAGES: Final = ("document", "xhr", "fetch")
_ASSET_TYPES: Final = ("image/", "font/", "audio/", "video/", "text/css", "javascript", "application/font", "application/wasm", "manifest+json")
_ASSET_ENDS: Final = tuple(words(".js .mjs .css .png .jpg .jpeg .gif .svg .webp .avif .ico .woff .woff2 .ttf .otf .map .mp4 .webm"))
MIN_TOKEN: Final = 12
"""A shorter text that comes again later is a coincidence."""
MAX_ENTRIES: Final = 10_000
MAX_TOKENS: Final = 50_000


def read(text: str, work: Work) -> None:
    """One journey of the requests to the origin of the first document."""
    log = mapping_of(mapping_of(json_of(text)).get("log"))
    entries = [entry for entry in list_of(log.get("entries")) if isinstance(entry, dict)]
    if not entries:
        raise ImportFault("is no HAR recording (log.entries is not there or empty); export it from the browser's network tools")
    if len(entries) > MAX_ENTRIES:
        raise ImportFault(f"holds more than {MAX_ENTRIES} requests; record a shorter visit")
    own = _own_origin(entries)
    if own is None:
        raise ImportFault("holds no http request; record a visit to a site")
    draft = work.draft(f"{shown_host(own)}")
    chain = _Chain(draft)
    work.vault.origin = chain.reference
    thirds: dict[str, int] = {}
    assets = 0
    for entry in entries:
        request = mapping_of(entry.get("request"))
        origin = origin_of(text_of(request.get("url")))
        if origin != own:
            thirds[str(origin or "other schemes")] = thirds.get(str(origin or "other schemes"), 0) + 1
        elif _is_asset(entry, request):
            assets += 1
        else:
            _step(entry, request, draft, chain, work)
    if assets:
        work.lose("entries", f"static files were left out (scripts, styles, images, fonts: {assets}); a browser step loads them by itself")
    for origin, count in list(thirds.items())[:50]:
        work.lose("entries", f"requests to {origin} were left out ({count}); they are third parties")
    if not draft.steps:
        raise ImportFault(f"holds no document and no XHR of {own}; record the visit with the network tools open")


def _own_origin(entries: list[dict[str, Any]]) -> str | None:
    """The origin of the first document, else of the first request."""
    first = None
    for entry in entries:
        origin = origin_of(text_of(mapping_of(entry.get("request")).get("url")))
        first = first or origin
        if origin and (entry.get("_resourceType") == "document" or "text/html" in _mime(entry)):
            return origin
    return first


def _mime(entry: dict[str, Any]) -> str:
    return text_of(mapping_of(mapping_of(entry.get("response")).get("content")).get("mimeType")).lower()


def _is_asset(entry: dict[str, Any], request: dict[str, Any]) -> bool:
    kind = text_of(entry.get("_resourceType"))
    if kind:
        return kind not in _PAGES
    path = text_of(request.get("url")).partition("?")[0].lower()
    return any(part in _mime(entry) for part in _ASSET_TYPES) or path.endswith(_ASSET_ENDS)


def _step(entry: dict[str, Any], request: dict[str, Any], draft: Draft, chain: "_Chain", work: Work) -> None:
    method, url = text_of(request.get("method")) or "GET", text_of(request.get("url"))
    name = name_of(method, url)
    if chain.follows_redirect(url):
        return  # the step before follows it by itself
    headers = [(text_of(mapping_of(one).get("name")), escaped(text_of(mapping_of(one).get("value")))) for one in list_of(request.get("headers"))]
    chain.cookies_sent(next((value for header, value in headers if header.lower() == "cookie"), ""), name, work)
    kept = [(header, value) for header, value in headers if header.lower() not in ("cookie", "host", "origin", "referer")]
    made = Request(escaped(url), method, kept)
    _post_data(mapping_of(request.get("postData")), made)
    chain.step_id = None
    part = part_of(made, work, name)
    if part is None:
        return
    status = mapping_of(entry.get("response")).get("status")
    expect: list[str] = []
    if isinstance(status, int) and 400 <= status <= 599:
        work.expect(expect, name, "status", "==", status)
        work.lose(name, f"answered {status} when it was recorded, and the step expects that; remove the step if it does not belong to the journey")
    elif isinstance(status, int) and 200 <= status < 300:
        work.expect(expect, name, "status", "==", status)
    step_id = draft.add(name, "http", part, expect=expect)
    chain.answered(step_id, mapping_of(entry.get("response")))


def _post_data(data: dict[str, Any], made: Request) -> None:
    kind = text_of(data.get("mimeType")).lower()
    params = [mapping_of(one) for one in list_of(data.get("params"))]
    text = data.get("text")
    if "x-www-form-urlencoded" in kind and params and not isinstance(text, str):
        made.form = [(escaped(text_of(one.get("name"))), escaped(text_of(one.get("value")))) for one in params]
    elif isinstance(text, str):
        made.body = escaped(text)
        if kind and not any(name.lower() == "content-type" for name, _ in made.headers):
            made.headers.append(("Content-Type", kind))


class _Chain:
    """Which step answered a token first, so that later requests take it from there instead of from a secret."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.step_id: str | None = None
        self.tokens: dict[str, tuple[str, str, str]] = {}
        self.cookies: set[str] = set()
        self.redirects: set[str] = set()

    def follows_redirect(self, url: str) -> bool:
        """Whether an earlier answer sent the browser to `url`."""
        if url not in self.redirects:
            return False
        self.redirects.discard(url)
        return True

    def cookies_sent(self, header: str, name: str, work: Work) -> None:
        """Cookies are the journey's own business; those from before the recording are said."""
        unknown = {part.partition("=")[0].strip() for part in header.split(";") if "=" in part} - self.cookies
        if unknown:
            self.cookies |= unknown
            work.lose(name, f"cookies from before the recording were left out ({', '.join(sorted(unknown)[:10])}); let the journey sign in by itself")

    def answered(self, step_id: str, response: dict[str, Any]) -> None:
        """Remember what the answer holds."""
        for header in list_of(response.get("headers")):
            name, value = text_of(mapping_of(header).get("name")), text_of(mapping_of(header).get("value"))
            if name.lower() == "set-cookie":
                self.cookies |= {line.partition("=")[0].strip() for line in value.split("\n")}
            elif name.lower() == "location" and 300 <= (response.get("status") or 0) < 400:
                self.redirects.add(text_of(response.get("redirectURL")) or value)
            elif is_secret_name(name) and len(value) >= MIN_TOKEN:
                self._offer(value, step_id, "header", name)
        content = mapping_of(response.get("content"))
        text = content.get("text")
        if isinstance(text, str) and "json" in text_of(content.get("mimeType")).lower() and not content.get("encoding"):
            try:
                self._inside(json_of(text), "$", step_id)
            except ImportFault:
                return  # an answer cut off by the browser gives no tokens

    def _inside(self, value: Any, path: str, step_id: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                self._inside(item, f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key)}]", step_id)
        elif isinstance(value, list):
            for index, item in enumerate(value[:100]):
                self._inside(item, f"{path}[{index}]", step_id)
        elif isinstance(value, str) and len(value) >= MIN_TOKEN:
            self._offer(value, step_id, "json", path)

    def _offer(self, value: str, step_id: str, way: str, where: str) -> None:
        if len(self.tokens) < MAX_TOKENS:
            self.tokens.setdefault(value, (step_id, way, where))

    def reference(self, value: str) -> str | None:
        """`${steps.…}` for a value that an earlier answer held, its extraction written into that step."""
        found = self.tokens.get(value)
        if found is None:
            return None
        step_id, way, where = found
        extract = self.draft.step(step_id).setdefault("extract", {})
        name = next((known for known, said in extract.items() if said.get(way) == where), None)
        if name is None:
            word = "".join(sign for sign in where.rpartition(".")[2] if sign.isalnum() or sign == "_") or "token"
            name = word if word[:1].isalpha() else f"token_{word}"
            while name in extract:
                name += "_2"
            extract[name[:60]] = {way: where, "secret": True}
        return f"${{steps.{step_id}.{name[:60]}}}"


def place_of(url: str) -> str:
    """An address for a message."""
    return without_userinfo(url)
