"""A first journey file, one that passes as it is: what `sojourn init` writes."""

import json
import os
import re
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sojourn_probes.addresses import origin_of
from sojourn_probes.errors import SojournError
from sojourn_probes.ids import new_run_id, new_span_id, new_trace_id
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.secrets import SecretStore
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.http import HttpPart
from sojourn_probes.units import show_duration

EXAMPLE: Final = "https://example.com/"
"""Taken when no address is given; reserved for examples and always there (RFC 2606)."""

_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})</title>", re.IGNORECASE)


class NoStart(SojournError):  # noqa: N818 - says what is the matter
    """The address given cannot be begun with."""


async def starter(url: str | None, timeout: float = 20.0) -> tuple[str, str]:  # noqa: ASYNC109 - passed on to asyncio.timeout
    """The id and the text of a journey that begins at `url`, which is asked once to choose what to expect.

    Without an address nothing is asked, and the journey is for example.com. Raises `NoStart`.
    """
    if url is None:
        return "example", _text("example", EXAMPLE, ["status == 200", "body contains 'Example Domain'"], "total > 2s")
    if "://" not in url:
        url = f"https://{url}"
    parts = urlsplit(url)
    if origin_of(url) is None:
        raise NoStart(f"{url!r} is no address; write it with http:// or https://")
    if parts.username or parts.password:
        raise NoStart("the address has a user or password in it; leave it out and use auth: with ${secrets.…} in the file")
    observation = await _asked(url, timeout)
    if observation.failure is not None:
        raise NoStart(f"{observation.failure.message}; nothing was written")
    facts = observation.facts
    if facts["status"] >= 400:
        raise NoStart(f"{url} answered {facts['status']}; nothing was written, give an address that works today")
    name = re.sub(r"[^a-z0-9]+", "-", (parts.hostname or "").lower().removeprefix("www.")).strip("-")[:64] or "journey"
    return name, _text(name, url, _expectations(facts), f"total > {_slow(facts['total'])}")


async def _asked(url: str, timeout: float) -> Observation:  # noqa: ASYNC109 - passed on to asyncio.timeout
    """One request, by the runner that will walk the journey later."""
    import asyncio

    from sojourn_probes.steps.http_run import Runner

    store = SecretStore({})
    async with AsyncExitStack() as stack:
        context = StepContext(
            run_id=new_run_id(time.time()),
            journey_id="init",
            step_id="init",
            attempt=1,
            trace_id=new_trace_id(),
            span_id=new_span_id(),
            base_url="",
            own_origins=(),
            names=Names({}, os.environ, store, ""),
            redact=Redactor(store),
            mark=None,
            timeout=timeout,
            folder=Path(),
            evidence_folder=None,
            stack=stack,
        )
        try:
            async with asyncio.timeout(timeout):
                return await Runner().run(HttpPart(url=_literal(url)), context)
        except TimeoutError:
            raise NoStart(f"{url} did not answer within {show_duration(timeout)}; nothing was written") from None


def _literal(text: str) -> str:
    """`text` so that names in it are not filled."""
    return text.replace("${", "$${")


def _expectations(facts: dict[str, Any]) -> list[str]:
    found = [f"status == {facts['status']}"]
    title = _TITLE.search(facts.get("body", ""))
    text = title.group(1).strip() if title else ""
    if text and len(text) <= 80 and "\n" not in text and "${" not in text:
        quoted = text.replace("\\", "\\\\").replace("'", "\\'")
        found.append(f"body contains '{quoted}'")
    if facts.get("tls_facts", {}).get("expires_in", 0) > 14 * 86400:
        found.append("tls.expires_in > 14d")
    return found


def _slow(total: float) -> str:
    """Three times what it took today, but at least two seconds, so that an ordinary day is not called slow."""
    return f"{max(2, round(total * 3))}s"


def _text(journey_id: str, url: str, expectations: list[str], slow: str) -> str:
    parts = urlsplit(url)
    path = parts.path or "/"
    target = path + (f"?{parts.query}" if parts.query else "")
    quote: Callable[[str], str] = lambda text: json.dumps(text, ensure_ascii=False)  # noqa: E731 - a YAML double-quoted text is a JSON one
    lines = [
        "# A journey: something a customer tries to get done, as named steps. All that may stand here: docs/journeys.md",
        "# For completion in your editor: sojourn schema > journey.schema.json",
        "# yaml-language-server: $schema=journey.schema.json",
        f"id: {journey_id}  # stable; history hangs on it",
        f"name: {quote(f'Visit {parts.hostname}')}",
        f"base_url: {quote(_literal(f'{parts.scheme}://{parts.netloc}'))}  # urls below are relative to it",
        "interval: 60s  # how often an agent walks it",
        "timeout: 20s  # of one attempt",
        "retries: 1  # one more attempt after a failed one; passing only then is called flaky",
        "steps:",
        "  - id: start",
        "    name: Start page",
        f"    http: {{url: {quote(_literal(target))}}}",
        "    expect:  # each fails the step when it does not hold",
        *(f"      - {quote(text)}" for text in expectations),
        "    degraded_if:  # each makes the step slow when it holds",
        f"      - {slow}",
    ]
    if re.fullmatch(r"/[^?#\s*]{0,199}", path):
        lines.append(f"    customers: {{reached: {{page: {quote(path)}}}}}  # how the same step shows in real traffic")
    return "\n".join(lines) + "\n"
