"""The window of a page: chosen by its length or by both ends, kept by links and the form, the same as `/api/v1` is asked for."""

from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import httpx2
import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.window import LASTS, BadWindow
from sojourn_collector.web.feedback import build_feedback
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.pages import build_pages
from sojourn_collector.web.window_chosen import WindowAsked, window_chosen
from tests.collector.web import told
from tests.collector.web.asking import asking, get
from tests.collector.web.preview import build_app
from tests.collector.web.stage import NOW as STAGED
from tests.collector.web.stage import Rows
from tests.collector.web.test_pages import Read
from tests.serving import served

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
MONTH = timedelta(days=28)


@pytest.mark.parametrize(
    ("asked", "since", "until"),
    [
        (WindowAsked(), datetime(2026, 10, 31, 12, tzinfo=UTC), NOW),
        (WindowAsked(last="24h"), datetime(2026, 11, 27, 12, tzinfo=UTC), NOW),
        (WindowAsked(last="90d"), datetime(2026, 8, 30, 12, tzinfo=UTC), NOW),
        (WindowAsked(since="2026-11-01T10:00"), datetime(2026, 11, 1, 9, tzinfo=UTC), NOW),
        (WindowAsked(since="2026-11-01", until="2026-11-02"), datetime(2026, 10, 31, 23, tzinfo=UTC), datetime(2026, 11, 2, 23, tzinfo=UTC)),
        (WindowAsked(since="2026-10-25", until="2026-10-25"), datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        (
            WindowAsked(since="2026-11-01T10:00:00Z", until="2026-11-01T12:00:00+01:00"),
            datetime(2026, 11, 1, 10, tzinfo=UTC),
            datetime(2026, 11, 1, 11, tzinfo=UTC),
        ),
        (WindowAsked(until="2026-11-20T01:00"), datetime(2026, 10, 23, 0, tzinfo=UTC), datetime(2026, 11, 20, 0, tzinfo=UTC)),
        (WindowAsked(since="2026-11-20", until="9999-12-30"), datetime(2026, 11, 19, 23, tzinfo=UTC), NOW),
    ],
)
def test_a_window_is_read_in_the_zone_of_the_installation(asked: WindowAsked, since: datetime, until: datetime) -> None:
    """A length up to now, RFC 3339, a local time without a zone, or whole local days, of which one has 25 hours."""
    window = window_chosen(asked, NOW, BERLIN, MONTH).window
    assert (window.since, window.until) == (since, until)


NO_TIME = "{} is not a time; write a day such as 2026-01-31, or 2026-01-31T14:00 of Europe/Berlin, or RFC 3339 with a zone"


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (WindowAsked(last="8d"), "last is one of 24h, 7d, 30d, 90d; for another window give from and to"),
        (WindowAsked(last="7d", since="2026-11-01"), "last goes without from and to; give either the one or the others"),
        (WindowAsked(since="yesterday"), NO_TIME.format("from")),
        (WindowAsked(since="2026-11-01", until="2026-13-01"), NO_TIME.format("to")),
        (WindowAsked(since="2026-11-01", until="9999-12-31"), NO_TIME.format("to")),
        (WindowAsked(since="2026-11-01T10:00:00 01:00"), NO_TIME.format("from")),
        (WindowAsked(since="2026-11-01T10:00:00.0000000000000000000000000000000001"), NO_TIME.format("from")),
        (WindowAsked(since="\ud800"), NO_TIME.format("from")),
        (WindowAsked(since="0001-01-01"), NO_TIME.format("from")),
        (WindowAsked(since="1969-12-31"), "from lies before 1970; give a later time"),
        (WindowAsked(since="2026-11-20", until="2026-11-10"), "from must lie before to"),
        (WindowAsked(since="2027-01-01"), "from lies in the future; give a time before now"),
        (WindowAsked(since="2026-01-01"), "the window is longer than 92 days; choose a shorter one"),
    ],
)
def test_a_window_that_makes_no_sense_is_one_sentence(asked: WindowAsked, sentence: str) -> None:
    """It says what is wrong and what to write instead."""
    with pytest.raises(BadWindow) as refused:
        window_chosen(asked, NOW, BERLIN, MONTH)
    assert str(refused.value) == sentence


def test_links_keep_the_window_and_the_api_is_asked_for_the_same() -> None:
    """A window that moves is kept by its name, one of two ends as it was written; `/api/v1` gets both ends, and none of the default."""
    moving, fixed = (window_chosen(asked, NOW, BERLIN, MONTH) for asked in (WindowAsked(last="7d"), WindowAsked(since="2026-11-01", until="2026-11-02")))
    usual = window_chosen(WindowAsked(), NOW, BERLIN, MONTH)
    assert moving.at("/feedback", "said", by="plan", language="") == "/feedback?by=plan&last=7d#said"
    assert fixed.at("/feedback", by="a&b") == "/feedback?by=a%26b&from=2026-11-01&to=2026-11-02"
    assert moving.last_at("/feedback", "", by="plan") == "/feedback?by=plan"
    assert usual.api("/api/v1/tickets") == "/api/v1/tickets"
    assert parse_qs(urlsplit(fixed.api("/api/v1/tickets", journey="checkout")).query) == {
        "journey": ["checkout"],
        "from": ["2026-10-31T23:00:00Z"],
        "to": ["2026-11-02T23:00:00Z"],
    }
    assert fixed.form == ("2026-11-01T00:00", "2026-11-03T00:00")
    assert [name for name, _ in usual.offers] == ["24h", "7d", "", "30d", "90d"]


@pytest.mark.parametrize("path", ["/feedback?by=plan&language=en", "/tickets?journey=checkout", "/silent"])
async def test_a_page_offers_windows_and_its_form_keeps_the_rest(path: str) -> None:
    """The window in force is marked, the form has its two ends and what else the page was asked for, and may send to its own origin only."""
    async with served(build_app(told.Shop())) as origin, httpx2.AsyncClient(base_url=origin, timeout=60) as client:
        answer = await client.get(f"{path}{'&' if '?' in path else '?'}last=7d")
        wrong = await client.get(f"{path}{'&' if '?' in path else '?'}from=<b>x")
    page = Read(answer.text)
    assert (answer.status_code, page.wrong, page.open) == (200, [], [])
    assert (
        next(attrs["href"] for tag, attrs in page.tags if tag == "a" and attrs.get("aria-current") == "true") == f"{path}{'&' if '?' in path else '?'}last=7d"
    )
    fields = {str(attrs["name"]): attrs for tag, attrs in page.tags if tag == "input"}
    kept = parse_qs(urlsplit(path).query)
    assert {name: [attrs["value"]] for name, attrs in fields.items() if attrs["type"] == "hidden"} == kept
    assert fields["from"]["type"] == fields["to"]["type"] == "datetime-local"
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert wrong.status_code == 422
    said = Read(wrong.text).text
    assert "This time cannot be shown From is not a time; write a day such as 2026-01-31, or 2026-01-31T14:00 of UTC, or RFC 3339 with a zone." in said


async def test_the_json_of_a_page_is_of_its_window(context: Context, store: Store) -> None:
    """Whatever window the pages Feedback, Tickets and Said nothing are asked for, their link to JSON answers of the same one."""
    rows = Rows()
    rows.ticket("new", STAGED - timedelta(hours=2))
    rows.ticket("old", datetime(2026, 11, 2, 12, tzinfo=UTC))
    await rows.store(store)
    async with asking(build_measures(context), build_feedback(context), build_pages(context)) as client:
        for page, name in (("/feedback", "satisfaction"), ("/tickets", "tickets"), ("/silent", "silent-sufferers")):
            for asked in ("last=24h", "from=2026-11-01&to=2026-11-03T12:00"):
                shown = await client.get(f"{page}?{asked}")
                assert shown.status_code == 200, shown.text
                (link,) = [one for one in Read(shown.text).values("a", "href") if one.startswith(f"/api/v1/{name}")]
                answer = (await client.get(unescape(link))).json()
                length = datetime.fromisoformat(answer["window_to"]) - datetime.fromisoformat(answer["window_from"])
                assert length == (timedelta(hours=24) if asked == "last=24h" else timedelta(days=2, hours=12)), (page, asked)


async def test_the_api_takes_the_lengths_that_pages_offer(context: Context) -> None:
    """`last` is a window up to now by its name; beside from or to it is refused."""
    async with asking(build_measures(context), build_feedback(context)) as client:
        for path in ("satisfaction", "tickets", "silent-sufferers", "unlinked", "surveys"):
            for last, span in LASTS.items():
                answer = await get(client, path, last=last)
                if path != "unlinked":
                    assert datetime.fromisoformat(answer["window_to"]) - datetime.fromisoformat(answer["window_from"]) == span
            wrong = await client.get(f"/api/v1/{path}?last=7d&from=2026-11-01T00:00:00Z")
            assert (wrong.status_code, wrong.json()) == (422, {"error": "last goes without from and to; give either the one or the others"})
            assert (await client.get(f"/api/v1/{path}?last=8d")).status_code == 422


async def test_who_is_asked_too_often_is_seen_over_90_days_whatever_the_window(context: Context, store: Store) -> None:
    """Asked 3 days apart, the second time today: the page of the last 24 hours says so too, and the one that ends before does not."""
    rows = Rows()
    for ago in (0, 3):
        rows.invitation(f"i{ago}", STAGED - timedelta(days=ago, minutes=5), person="user:ada", survey_id="s")
    await rows.store(store)
    async with asking(build_feedback(context), build_pages(context)) as client:
        lately = Read((await client.get("/feedback?last=24h")).text)
        before = Read((await client.get("/feedback?from=2026-11-10&to=2026-11-18")).text)
        linked = await client.get(next(one for one in before.values("a", "href") if one.startswith("/api/v1/surveys")))
    assert "/people/user%3Aada" in lately.values("a", "href")
    assert "/people/user%3Aada" not in before.values("a", "href")
    assert (linked.json()["window_to"], linked.json()["too_often"]["of"]) == ("2026-11-19T00:00:00Z", 1)
