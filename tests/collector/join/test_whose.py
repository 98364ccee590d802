"""Whose a failed request is: what an ad blocker holds back, or strangers break, hurts nobody; what the site is made of does."""

from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.join.plan import plan_of
from sojourn_collector.join.read_session import Session, read_session
from sojourn_collector.join.real_run import RealRun
from sojourn_collector.join.recognise import recognise
from sojourn_probes import semconv
from sojourn_probes.load import load_text
from tests.collector.join.browsing import ABANDON, LATER
from tests.collector.join.world import CHECKOUT, Browser, Clock

SHOP, TRACKER, API = "https://www.shop.example", "https://www.google-analytics.com", "https://api.shop.example"
SAYS_IT_LISTS = CHECKOUT.replace("goal:", f"customers: {{origins: ['{API}']}}\ngoal:")
SAYS_IT_LISTS_ALL = CHECKOUT.replace("goal:", 'customers: {origins: ["https://*.shop.example"]}\ngoal:')
PROBES_IT = CHECKOUT.replace("{url: /confirm}", f"{{url: {API}/confirm}}")


def walked(*more: dict[str, Any], journey: str = CHECKOUT, page: dict[str, str] | None = None) -> tuple[Session, RealRun]:
    """A visit of one page, at which `more` happened before its customer left."""
    browser = BROWSER
    session = read_session("s-1", [stored(browser.page(0, "/cart", attrs={"url.full": f"{SHOP}/cart"} if page is None else page)), *map(stored, more)])
    assert session is not None
    plan = plan_of(load_text(journey, Path("j.yaml")))
    assert plan is not None
    (run,) = recognise("s-1", "shop", session.signals, [plan], abandon=ABANDON, now=LATER * 10_000)
    return session, run


BROWSER = Browser("s-1", Clock()())


def stored(row: dict[str, Any]) -> dict[str, Any]:
    """The row as the join's queries give it."""
    own = {"kind": row.get("span_type", "event"), "duration": row.get("duration_ns", 0) // 1_000_000, "name": "" if "span_type" in row else row["name"]}
    ids = {"trace_id": row["trace_id"].decode() if "trace_id" in row else "", "span_id": row["span_id"].hex() if "span_id" in row else ""}
    return {"run_id": "", "user_id": "", "visitor_id": "", "account_id": "", **row, **own, **ids}


def asked(url: str, status: int = 0, *, on: str = "/cart", **attrs: str) -> dict[str, Any]:
    """A request; status 0 got no answer."""
    row = BROWSER.fetch(1, on, "/" + url.partition("://")[2].partition("/")[2], status)
    said = {key.replace("__", "."): value for key, value in attrs.items()}
    said |= ({semconv.URL_FULL: url} if url else {}) | ({} if status else {semconv.ERROR_TYPE: "network"})
    return {**row, "attrs": row["attrs"] | said}


def threw(message: str, kind: str = "TypeError") -> dict[str, Any]:
    """A script error."""
    return BROWSER.event(1, "exception", "/cart", exception__type=kind, exception__message=message, url__full=f"{SHOP}/cart")


@pytest.mark.parametrize(
    "trouble",
    [
        asked(f"{TRACKER}/g/collect"),
        asked(f"{TRACKER}/g/collect", 503),
        asked("https://metrics.shop.example/collect"),
        asked(f"{TRACKER}/g/collect", sojourn__request__own="false"),
        asked(f"{TRACKER}/g/collect", on=""),
        asked("", http__url=f"{TRACKER}/g/collect"),
        asked("", server__address="www.google-analytics.com"),
        threw("script did not load: https://www.googletagmanager.com/gtm.js", "ResourceError"),
        threw("Failed to fetch"),
        threw("Failed to fetch (www.google-analytics.com)"),
        threw("NetworkError when attempting to fetch resource."),
        threw("Load failed"),
        threw("Network Error", "AxiosError"),
    ],
    ids=lambda row: row["attrs"].get("url.full") or row["attrs"].get("exception.message") or row["attrs"].get("http.url") or "server.address",
)
def test_what_strangers_fail_at_hurts_nobody(trouble: dict[str, Any]) -> None:
    """A tracker that is blocked or down, however it shows, is counted among the visit's errors; nobody is hit or stopped by it."""
    session, run = walked(trouble)
    assert (run.end, run.severity, run.outcome, run.steps[0].hit, run.failure) == ("gave_up", 0.0, "passed", False, None)
    assert session.row(1)["errors"] == 1


@pytest.mark.parametrize(
    "trouble",
    [
        asked(f"{SHOP}/payments"),
        asked(f"{SHOP}/payments", 502),
        asked("", 502),
        asked(f"{SHOP}:443/payments"),
        asked(f"{API}/payments", sojourn__request__own="true"),
        asked("", http__url=f"{SHOP}/payments"),
        asked("", server__address="www.shop.example", server__port="443"),
        asked(f"{SHOP}/payments", on=""),
        threw("script did not load: https://www.shop.example/app.js", "ResourceError"),
        threw("Failed to fetch dynamically imported module: https://www.shop.example/pay.js"),
        threw("x is undefined"),
    ],
    ids=lambda row: str(row["attrs"].get("url.full") or row["attrs"].get("exception.message") or row["attrs"].get("http.url") or "no address"),
)
def test_what_the_site_fails_at_stops_its_customer(trouble: dict[str, Any]) -> None:
    """A failed request to the page's own origin or one its sender calls its own, a script of it that did not load and a script error stop who leaves."""
    _, run = walked(trouble)
    assert (run.end, run.severity) == ("stopped", 1.0)


@pytest.mark.parametrize("journey", [SAYS_IT_LISTS, SAYS_IT_LISTS_ALL, PROBES_IT], ids=["listed", "listed with a star", "probed"])
def test_the_journeys_own_origins_count(journey: str) -> None:
    """An API on another host is the journey's when the journey lists it or its probe asks it; another journey is not hurt by it."""
    assert walked(asked(f"{API}/payments", 502), journey=journey)[1].severity == 1.0
    assert walked(asked(f"{API}/payments", 502))[1].severity == 0.0
    assert walked(asked(f"{TRACKER}/payments", 502), journey=journey)[1].severity == 0.0


def test_without_any_page_address_only_the_journey_tells_whose_it_is() -> None:
    """Where a sender tells no address of any page, a request to the journey's `base_url` still counts and one to an unknown host does not."""
    assert walked(asked("http://shop.example/payments", 502), page={})[1].severity == 1.0
    assert walked(asked(f"{TRACKER}/g/collect"), page={})[1].severity == 0.0


def test_a_stranger_does_not_repair_what_the_site_failed_at() -> None:
    """The same path asked of another host and answered leaves the failure standing; of the own host it repairs it."""
    later = {"ts": BROWSER.start.replace(microsecond=0) + (BROWSER.page(3, "/")["ts"] - BROWSER.start)}
    assert walked(asked(f"{SHOP}/payments", 502), asked(f"{TRACKER}/payments", 200) | later)[1].severity == 1.0
    assert walked(asked(f"{SHOP}/payments", 502), asked(f"{SHOP}/payments", 200) | later)[1].severity == 0.8
