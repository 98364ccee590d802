"""The request of an `http` step, with everything filled in, and the ones that redirects make of it."""

import functools
import importlib.metadata
import json
from typing import Final

import httpx2

from sojourn_probes.addresses import absolute, origin_of
from sojourn_probes.names import mentions_secret
from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.body import ENCODINGS
from sojourn_probes.steps.http import SECRET_HEADERS, HttpPart
from sojourn_probes.steps.http_broken import BadLocation
from sojourn_probes.steps.http_files import file_of, multipart_of

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
"""Statuses that, with a Location, lead somewhere else."""


async def first_request(part: HttpPart, context: StepContext) -> httpx2.Request:
    """The request that `part` describes. Raises `NameMissing`, and ValueError or httpx2.InvalidURL when it cannot be made."""
    names = context.names
    url = httpx2.URL(absolute(context.base_url, names.fill_text(part.url).strip()))
    if part.query:
        url = url.copy_merge_params({name: names.fill_text(value) for name, value in part.query.items()})
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"{str(url)!r} is no address; it needs http:// or https:// and a host")
    headers = {"user-agent": user_agent(), "accept": "*/*", "accept-encoding": ENCODINGS}
    headers |= {name.lower(): names.fill_text(value) for name, value in part.headers.items()}
    content, kind = await _content(part, context)
    if kind is not None:
        headers.setdefault("content-type", kind)
    # Header values are sent as UTF-8; HTTP leaves it open, and refusing them helps nobody.
    raw = [(name.encode("ascii"), value.encode()) for name, value in headers.items()]
    return httpx2.Request(part.verb, url, headers=raw, content=content)


async def _content(part: HttpPart, context: StepContext) -> tuple[bytes | None, str | None]:
    names = context.names
    if part.has_json:
        return json.dumps(names.fill(part.json_body), ensure_ascii=False).encode(), "application/json"
    if part.form is not None:
        filled = {name: names.fill_text(value) for name, value in part.form.items()}
        return str(httpx2.QueryParams(filled)).encode(), "application/x-www-form-urlencoded"
    if part.body is not None:
        return names.fill_text(part.body).encode(), "text/plain; charset=utf-8"
    if part.file is not None:
        return await file_of(part.file, context)
    if part.multipart is not None:
        return await multipart_of(part.multipart, context)
    return None, None


def following(request: httpx2.Request, status: int, location: str, part: HttpPart) -> httpx2.Request:
    """The request that a redirect asks for, as browsers make it: 303 and 302 become a GET, and so does a POST after 301.

    Another origin does not get the headers meant for the first. Raises `BadLocation`.
    """
    try:
        url = request.url.join(location)
    except (httpx2.InvalidURL, ValueError):
        raise BadLocation from None
    if url.scheme not in ("http", "https") or not url.host:
        raise BadLocation
    if request.url.fragment and not url.fragment:
        url = url.copy_with(fragment=request.url.fragment)
    method, content = request.method, request.content
    if (status in (302, 303) and method != "HEAD") or (status == 301 and method == "POST"):
        method, content = "GET", b""
    dropped = {"host", "cookie", "content-length", "traceparent"}
    if not content:
        dropped |= {"content-type", "transfer-encoding"}
    if origin_of(str(url)) != origin_of(str(request.url)):
        dropped |= {name.lower() for name, value in part.headers.items() if mentions_secret(value)} | SECRET_HEADERS
        dropped |= {"x-amz-security-token"}
    headers = [(name, value) for name, value in request.headers.raw if name.decode("latin-1").lower() not in dropped]
    return httpx2.Request(method, url, headers=headers, content=content or None)


@functools.cache
def user_agent() -> str:
    """`Sojourn/<version> (+synthetic)`."""
    try:
        version = importlib.metadata.version("sojourn")
    except importlib.metadata.PackageNotFoundError:
        version = "0"
    return f"Sojourn/{version} (+synthetic)"
