"""The lists of `/api/v1` over HTTP: pages, filters, cursors, and what hostile questions get."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.context import Context
from sojourn_collector.store.client import QueryTimeout, Store
from sojourn_collector.web.api import build_api
from sojourn_collector.web.cursor import BadCursor, Cursor, decoded, encoded
from sojourn_collector.web.lists import build_lists
from tests.collector.web.stage import BROKE, NOW, Rows, broken_shop, context_of, minute

LISTS = ("runs", "sessions", "people", "accounts", "traces", "search")
SHOP_TRACE = f"{1:032x}"


def client_of(context: Context) -> httpx2.AsyncClient:
    """A client of the API."""
    app = FastAPI()
    app.include_router(build_api(context))
    app.include_router(build_lists(context))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://sojourn", timeout=30)


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    one = context_of(store, tmp_path)
    yield one
    one.control.close()


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(context) as one:
        yield one


async def get(client: httpx2.AsyncClient, name: str, /, **parameters: Any) -> dict[str, Any]:
    """The body of a list; 200 is expected."""
    answer = await client.get(f"/api/v1/{name}", params={key.rstrip("_"): value for key, value in parameters.items()})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def everything(client: httpx2.AsyncClient, name: str, limit: int, /, **parameters: Any) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items, cursor = [], ""
    while True:
        page = await get(client, name, limit=limit, **parameters, **({"cursor": cursor} if cursor else {}))
        items += page["items"]
        assert len(page["items"]) <= limit
        if page["next"] is None:
            return items
        cursor = page["next"]


def shop_with_traces() -> Rows:
    """The broken shop; the first ten customers' failing requests have a span of the browser and two of backends, which know of no visit."""
    rows = broken_shop(usual=False)
    for number in range(10):
        trace, at = f"{number + 1:032x}", BROKE + timedelta(seconds=2 * number)
        session = rows.sessions[[row.get("trace_ids") for row in rows.sessions].index([trace])]["session_id"]
        next(run for run in rows.runs if run.get("session_id") == session)["trace_ids"] = [trace]
        rows.span(at, "POST", trace, f"{16 * number + 1:016x}", service="shop-web", session_id=session, traffic="real", journey="checkout", step="pay", kind=3)
        rows.span(
            at + timedelta(milliseconds=3),
            "POST /payments",
            trace,
            f"{16 * number + 2:016x}",
            parent=f"{16 * number + 1:016x}",
            service="payments",
            kind=2,
            status=2,
            status_message="upstream said 502",
            duration_ns=1_500_000_000,
            attrs={"tenant.shard": f"s{number % 3}", "http.route": "/payments"},
            res={"service.name": "payments", "k8s.pod.name": f"pay-{number % 2}"},
        )
        rows.span(at + timedelta(milliseconds=4), "SELECT", trace, f"{16 * number + 3:016x}", parent=f"{16 * number + 2:016x}", service="ledger", kind=3)
    return rows


@pytest.mark.parametrize(
    ("name", "ident"), [("runs", "run_id"), ("sessions", "session_id"), ("people", "person_id"), ("accounts", "account_id"), ("traces", "trace_id")]
)
async def test_pages_together_are_the_whole_list(context: Context, client: httpx2.AsyncClient, name: str, ident: str) -> None:
    """Page by page comes what comes at once, nothing twice, in the same order."""
    await shop_with_traces().store(context.store)
    whole = (await get(client, name, limit=500))["items"]
    assert len(whole) > {"accounts": 4, "traces": 9}.get(name, 180)
    assert await everything(client, name, {"accounts": 2, "traces": 3}.get(name, 60)) == whole
    idents = [item[ident] for item in whole]
    assert len(set(idents)) == len(idents)


async def test_a_run_says_how_it_went(context: Context, client: httpx2.AsyncClient) -> None:
    """Probes' runs with outcome and failure, customers' with end and severity, newest first; each filter leaves what it says."""
    await broken_shop(usual=False).store(context.store)
    items = (await get(client, "runs", limit=500))["items"]
    assert [item["started"] for item in items] == sorted((item["started"] for item in items), reverse=True)
    probe = next(item for item in items if item["traffic"] == "synthetic")
    assert (probe["outcome"], probe["failure_step"], probe["failure"], probe["journey"], probe["location"]) == (
        "failed",
        "pay",
        "502 from POST /payments",
        "checkout",
        "local",
    )

    async def ids(**filters: Any) -> int:
        return len((await get(client, "runs", limit=500, **filters))["items"])

    assert [await ids(traffic="synthetic"), await ids(traffic="synthetic", outcome="failed"), await ids(step="pay")] == [28, 8, 8]
    assert [await ids(traffic="real"), await ids(severity=0.5), await ids(severity=1), await ids(end="stopped")] == [188, 42, 30, 30]
    assert [await ids(person="user:u7"), await ids(account="a1"), await ids(journey="newsletter"), await ids(failure_kind="status")] == [1, 1, 0, 8]
    (one,) = (await get(client, "runs", person="user:u7"))["items"]
    assert (await get(client, "runs", session=one["session_id"]))["items"] == [one]
    assert (await client.get(f"/api/v1/runs/{one['run_id']}")).status_code == 200


async def test_visits_are_customers_unless_asked(context: Context, client: httpx2.AsyncClient) -> None:
    """Visits by account, errors and person."""
    await broken_shop(usual=False).store(context.store)
    items = (await get(client, "sessions", limit=500))["items"]
    assert (len(items), {item["traffic"] for item in items}) == (188, {"real"})
    assert len((await get(client, "sessions", limit=500, errors=1))["items"]) == 42
    (one,) = (await get(client, "sessions", account="a3"))["items"]
    assert (one["person_id"], one["person_kind"], one["pages"], one["errors"]) == ("user:u3", "user", 3, 1)
    assert (await get(client, "sessions", traffic="synthetic"))["items"] == []


async def test_people_with_the_worst_that_happened_to_them(context: Context, client: httpx2.AsyncClient) -> None:
    """Severity filters people by their worst run; who had none has no worst; names are those that were told."""
    rows = broken_shop(usual=False)
    rows.people.append({"source": "api", "id": "u3", "version": 1, "name": "Mary"})
    rows.customer("u3", NOW - minute(2), done=True)
    rows.sessions.append({**rows.sessions[0], "session_id": "lonely", "person_id": "user:looker", "account_id": "", "started": NOW - minute(1)})
    await rows.store(context.store)
    stopped = (await get(client, "people", severity=1, limit=500))["items"]
    assert len(stopped) == 30
    mary = next(item for item in stopped if item["label"] == "Mary")
    assert (mary["visits"], mary["runs"], mary["runs_hit"], mary["worst"], mary["account_id"]) == (2, 2, 1, 1.0, "a3")
    looker = next(item for item in (await get(client, "people"))["items"] if item["person_id"] == "user:looker")
    assert (looker["runs"], looker["worst"]) == (0, None)
    assert "user:looker" not in {item["person_id"] for item in (await get(client, "people", journey="checkout", limit=500))["items"]}
    assert len((await get(client, "people", kind="visit"))["items"]) == 8


async def test_accounts_that_were_told_and_those_only_seen(context: Context, client: httpx2.AsyncClient) -> None:
    """An account of a source has its plan and money; one that only visits named says so; both have what their people did."""
    rows = broken_shop(usual=False)
    told = {"source": "crm", "version": 1, "mrr": 120, "currency": "EUR", "renewal_date": None}
    rows.accounts.append({**told, "id": "a1", "name": "Acme", "plan": "pro", "segment": "mid"})
    rows.accounts.append({**told, "id": "z9", "name": "Zeta", "plan": "free", "segment": "mid"})
    await rows.store(context.store)
    items = (await get(client, "accounts"))["items"]
    assert [(item["account_id"], item["name"], item["told"], item["people"], item["people_hit"], item["worst"]) for item in items] == [
        ("a0", "", False, 1, 1, 1.0),
        ("a1", "Acme", True, 1, 1, 1.0),
        ("a2", "", False, 1, 1, 1.0),
        ("a3", "", False, 1, 1, 1.0),
        ("a4", "", False, 1, 1, 1.0),
        ("z9", "Zeta", True, 0, 0, None),
    ]
    assert (items[1]["monthly"], items[0]["monthly"], items[5]["last_seen"]) == (120.0, None, None)
    assert [item["account_id"] for item in (await get(client, "accounts", plan="pro"))["items"]] == ["a1"]
    assert [item["account_id"] for item in (await get(client, "accounts", name="zET"))["items"]] == ["z9"]


async def test_traces_by_anything_a_span_of_theirs_says(context: Context, client: httpx2.AsyncClient) -> None:
    """One line for each trace, whichever of its spans was meant, with the visit that began it."""
    rows = shop_with_traces()
    await rows.store(context.store)
    found = await get(client, "traces", service="payments", status="error", min_duration=1, attr="tenant.shard=s0")
    assert (found["complete"], found["next"], len(found["items"])) == (True, None, 4)
    newest = found["items"][0]
    assert (newest["trace_id"], newest["root"], newest["service"], newest["services"]) == (f"{10:032x}", "POST", "shop-web", ["ledger", "payments", "shop-web"])
    assert (newest["spans"], newest["errors"], newest["matched"], newest["journey"], newest["duration"]) == (3, 1, 1, "checkout", 1.503)
    assert newest["session_id"].startswith("s-u9-")
    assert len((await get(client, "traces", resource="k8s.pod.name=pay-1"))["items"]) == 5
    assert (await get(client, "traces", kind="consumer"))["items"] == []


async def test_search_names_the_visit_of_a_backends_span(context: Context, client: httpx2.AsyncClient) -> None:
    """An attribute nobody told us of is found, with any value too; the span that knows no visit names the one its trace belongs to."""
    await shop_with_traces().store(context.store)
    found = await get(client, "search", attr=["tenant.shard=s1", "http.route"])
    assert [(item["trace_id"], item["name"], item["status"], item["kind"]) for item in found["items"]] == [
        (f"{number:032x}", "POST /payments", "error", "server") for number in (8, 5, 2)
    ]
    hit = found["items"][0]
    assert hit["session_id"].startswith("s-u7-")
    (run,) = (await get(client, "runs", session=hit["session_id"]))["items"]
    assert hit["run_id"] == run["run_id"]
    assert (await client.get(f"/api/v1/traces/{hit['trace_id']}")).json()["run_id"] == run["run_id"]
    assert (hit["journey"], hit["attributes"]["tenant.shard"], hit["resource"]["k8s.pod.name"], hit["text"]) == ("checkout", "s1", "pay-1", "upstream said 502")
    assert len((await get(client, "search", text="UPSTREAM"))["items"]) == 10
    assert len(await everything(client, "search", 4, text="upstream")) == 10
    assert len((await get(client, "search", trace=SHOP_TRACE))["items"]) == 3
    assert [item["service"] for item in (await get(client, "search", trace=SHOP_TRACE[16:]))["items"]] == ["ledger", "payments", "shop-web"]
    assert (await get(client, "search", attr="tenant.shard="))["items"] == []
    assert (await get(client, "search", attr="nobody.said"))["items"] == []


async def test_search_of_logs(context: Context, client: httpx2.AsyncClient) -> None:
    """By text, severity and attribute; a log without a trace stands for itself; two of one moment are both on the pages."""
    rows = shop_with_traces()
    common = {"ts": NOW - minute(3), "accepted": NOW, "service": "payments", "name": ""}
    for number in range(4):
        rows.events.append(
            {**common, "body": f"Card refused {number}", "severity": 17, "trace_id": SHOP_TRACE, "span_id": f"{number:016x}", "attrs": {"card.kind": "x"}}
        )
    rows.events.append({**common, "body": "all is well", "severity": 9, "trace_id": "", "span_id": "", "attrs": {}})
    await rows.store(context.store)
    assert len((await get(client, "search", signal="logs"))["items"]) == 5
    found = await everything(client, "search", 3, signal="logs", severity=13, attr="card.kind=x", text="card REFUSED")
    assert sorted(item["text"] for item in found) == [f"Card refused {number}" for number in range(4)]
    assert found[0]["session_id"].startswith("s-u0-")
    assert (found[0]["severity"], found[0]["status"], found[0]["duration"]) == (17, None, None)


async def test_a_trace_id_of_64_bits_is_found(context: Context, client: httpx2.AsyncClient) -> None:
    """Jaeger and Zipkin write sixteen digits; the zeros before them are ours."""
    await shop_with_traces().store(context.store)
    answer = await client.get(f"/api/v1/traces/{SHOP_TRACE[16:]}")
    assert (answer.status_code, answer.json()["trace_id"], len(answer.json()["spans"])) == (200, SHOP_TRACE, 3)


async def test_a_search_says_how_far_it_looked(context: Context, client: httpx2.AsyncClient) -> None:
    """Full pages end where their last item is; the window is looked through to its begin when there is less."""
    await shop_with_traces().store(context.store)
    page = await get(client, "search", text="upstream", limit=4)
    assert (page["complete"], page["looked_from"]) == (False, page["items"][-1]["at"])
    whole = await get(client, "search", text="upstream", from_="2026-11-18T00:00:00Z")
    assert (whole["complete"], whole["looked_from"], whole["window_from"]) == (True, "2026-11-18T00:00:00Z", "2026-11-18T00:00:00Z")


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        ("runs", {"jurney": "x"}, "'jurney' is no parameter here; /api/docs lists them"),
        ("runs", {"limit": "0"}, "limit: Input should be greater than or equal to 1"),
        ("runs", {"limit": "501"}, "limit: Input should be less than or equal to 500"),
        ("people", {"deadline": "31"}, "deadline: Input should be less than or equal to 30"),
        ("sessions", {"from": "yesterday"}, "from is not a time with a zone; write RFC 3339, such as 2026-01-31T14:00:00Z"),
        ("sessions", {"from": "0900-01-01T00:00:00Z", "to": "0900-01-02T00:00:00Z"}, "from lies before 1970; give a later time"),
        ("runs", {"outcome": "bad"}, "outcome: Input should be '', 'passed', 'degraded', 'failed', 'inconclusive' or 'skipped'"),
        ("runs", {"journey": "a\nb"}, "journey holds a control character; leave it out"),
        ("search", {"attr": ["a=1", "b=2", "c=3", "d=4"]}, "attr: List should have at most 3 items after validation, not 4"),
        ("search", {"attr": ["a=\0"]}, "attr holds a control character; leave it out"),
        ("search", {"trace": "xyz"}, "trace: String should match pattern '^([0-9a-fA-F]{16}|[0-9a-fA-F]{32})?$'"),
        ("runs", {"cursor": "!!"}, "cursor is none of ours; take next of the page before, or leave it out"),
        ("runs", {"cursor": "W10"}, "cursor is none of ours; take next of the page before, or leave it out"),
    ],
)
async def test_a_question_that_makes_no_sense_is_422_with_the_cure(client: httpx2.AsyncClient, name: str, parameters: dict[str, Any], sentence: str) -> None:
    """Place, cause and cure in one sentence."""
    answer = await client.get(f"/api/v1/{name}", params=parameters)
    assert (answer.status_code, answer.json()) == (422, {"error": sentence})


async def test_a_cursor_is_good_for_its_own_question(context: Context, client: httpx2.AsyncClient) -> None:
    """Another list or another filter is said; another limit is no other question."""
    await broken_shop(usual=False).store(context.store)
    cursor = (await get(client, "runs", limit=5, traffic="real"))["next"]
    assert len((await get(client, "runs", limit=7, traffic="real", cursor=cursor))["items"]) == 7
    for name, filters in (("runs", {}), ("runs", {"traffic": "synthetic"}), ("sessions", {"traffic": "real"})):
        answer = await client.get(f"/api/v1/{name}", params={"cursor": cursor, **filters})
        assert (answer.status_code, answer.json()) == (
            422,
            {"error": "cursor belongs to another question; repeat the parameters it came with, or leave it out"},
        )


async def test_hostile_filters_find_nothing_and_break_nothing(client: httpx2.AsyncClient) -> None:
    """SQL, placeholders, quotes, huge and odd texts in every text filter: an empty list or a sentence."""
    for text in ("x' OR '1'='1", "{tenant:String}", "\\", "%", "ä" * 512, "🛒", "'; DROP TABLE spans --", "=", "a=b=c", "\x7f"):
        for name, key in (
            ("runs", "journey"),
            ("sessions", "person"),
            ("people", "account"),
            ("accounts", "name"),
            ("traces", "attr"),
            ("search", "text"),
            ("search", "resource"),
        ):
            answer = await client.get(f"/api/v1/{name}", params={key: text})
            assert answer.status_code == 200, (name, key, text, answer.text)
            assert answer.json()["items"] == []
    assert (await client.get("/api/v1/runs", params={"journey": "x" * 513})).status_code == 422


async def test_while_the_engine_is_down_lists_say_when_to_come_back(context: Context) -> None:
    """503, Retry-After and one sentence."""
    async with client_of(replace(context, store=Store(lambda: None))) as client:
        for name in LISTS:
            answer = await client.get(f"/api/v1/{name}")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_a_value_is_looked_up_by_its_index(context: Context) -> None:
    """The engine reads only granules whose index knows the value: of many parts one."""
    await shop_with_traces().store(context.store)
    filters = dict.fromkeys(("service", "name", "traffic", "journey", "step", "run", "session", "text", "trace", "key2", "key3", "res_key1", "res_key2"), "")
    filters |= dict.fromkeys(("value2", "value3", "res_value1", "res_value2"), "")
    numbers = dict.fromkeys(("any1", "any2", "any3", "res_any1", "res_any2", "shortest"), 0)
    named = context.store._catalogue.get("search_spans")
    window = {"since": NOW - minute(60), "until": NOW, "at": 2**62, "after": "", "most": 9, "status": -1, "kind": -1, "tenant": context.store.tenant}
    bound = named.bind({**filters, **numbers, **window, "key1": "http.route", "value1": "nothing has this"})
    plan = "\n".join(str(row["explain"]) for row in await context.store._rows(f"EXPLAIN indexes = 1 {named.sql}", bound, 10))
    assert "i_values" in plan
    assert "Granules: 0/" in plan[plan.index("i_values") :]


async def test_a_hit_is_bounded(context: Context, client: httpx2.AsyncClient) -> None:
    """However much a span carries, a page of hits stays small."""
    rows = Rows()
    rows.span(NOW - minute(2), "x", SHOP_TRACE, "01" * 8, attrs={f"k{n:03}": "v" * 10_000 for n in range(500)}, status_message="m" * 10_000)
    await rows.store(context.store)
    (hit,) = (await get(client, "search", attr="k499"))["items"]
    assert (len(hit["attributes"]), {len(value) for value in hit["attributes"].values()}, len(hit["text"])) == (64, {256}, 256)


async def test_a_page_that_cannot_be_begun_in_time_leads_nowhere(context: Context, client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of time after some slices, `next` goes on there; out of time in the first of a later page it is a 503 and no empty page with the same `next`."""
    await shop_with_traces().store(context.store)
    ask, asked = context.store.query, [0]

    async def slower(name: str, /, **given: Any) -> list[dict[str, Any]]:
        if name == "search_spans":
            asked[0] += 1
            if asked[0] > 1:
                raise QueryTimeout("The query took longer than 10 s and was stopped.")
        return await ask(name, **given)

    monkeypatch.setattr(context.store, "query", slower)
    page = await get(client, "search", text="upstream", limit=100)
    assert (len(page["items"]), page["complete"], page["looked_from"]) == (10, False, "2026-11-20T13:55:00.001000Z")
    answer = await client.get("/api/v1/search", params={"text": "upstream", "limit": 100, "cursor": page["next"]})
    assert (answer.status_code, answer.json()) == (503, {"error": "The query took longer than 10 s and was stopped."})


AT = st.integers(0, 2**62)


@given(AT, st.text(max_size=512))
def test_a_cursor_reads_back(at: int, after: str) -> None:
    """Whatever the id; the question has to be the same."""
    one = Cursor(NOW - minute(60), NOW, at, after.encode("utf-8", "replace").decode())
    assert decoded(encoded(one, "runs"), "runs") == one
    with pytest.raises(BadCursor):
        decoded(encoded(one, "runs"), "sessions")


@given(st.one_of(st.text(max_size=60), st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=6)).map(json.dumps)))
def test_a_cursor_of_somebody_elses_is_refused(text: str) -> None:
    """Any text, and any JSON in the right clothes: one sentence, nothing else."""
    for given_ in (text, base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode()):
        with pytest.raises(BadCursor):
            decoded(given_, "runs")
