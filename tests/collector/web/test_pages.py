"""The report's pages over made-up answers, asked over real HTTP."""

import json
import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest

from sojourn_collector.store.client import EngineUnavailable
from sojourn_collector.web import models_details as details
from tests.collector.web import fixtures, fixtures_of_one, told
from tests.collector.web.preview import build_app
from tests.serving import served


class Read(HTMLParser):
    """The words of a page, its addresses, its attributes and its open tags at the end."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        """All words, spaces folded."""
        return re.sub(r"\s+", " ", "".join(self.words))

    def values(self, tag: str, name: str) -> list[str]:
        """Values of one attribute of one tag."""
        return [value for found, attrs in self.tags if found == tag and (value := attrs.get(name)) is not None]


@pytest.fixture
async def shop() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the shop's report."""
    async with served(build_app(told.Shop(), simulated=True)) as origin, httpx2.AsyncClient(base_url=origin, timeout=60) as client:
        yield client


async def ask(answers: Any, path: str = "/", **how: Any) -> tuple[httpx2.Response, Read]:
    """One page over `answers`."""
    async with served(build_app(answers, **how)) as origin, httpx2.AsyncClient(base_url=origin, timeout=60) as client:
        response = await client.get(path)
    return response, Read(response.text)


async def test_every_page_is_well_formed_and_asks_for_nothing_elsewhere(shop):
    """Each page closes its tags, has one h1, unique ids, no inline script or style, and all its addresses are its own."""
    for name, path in told.PAGES.items():
        response = await shop.get(path)
        assert response.status_code == (404 if name == "absent" else 200), name
        page = Read(response.text)
        assert (page.wrong, page.open) == ([], []), name
        assert sum(tag == "h1" for tag, _ in page.tags) == 1, name
        ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
        assert len(ids) == len(set(ids)), name
        assert not [attrs for _, attrs in page.tags if "style" in attrs or any(key.startswith("on") for key in attrs)], name
        assert not [tag for tag, attrs in page.tags if tag == "style" or (tag == "script" and "src" not in attrs)], name
        sources = page.values("script", "src") + page.values("link", "href")
        assert all(source.startswith("/static/") for source in sources), name
        assert all(source.startswith("/evidence/") for source in page.values("img", "src")), name
        outside = [href for href in page.values("a", "href") if not href.startswith(("/", "#")) and href]
        assert outside == (["https://wiki.example/checkout"] if name == "journey" else []), name


async def test_every_address_of_a_page_leads_somewhere(shop):
    """No link of the report ends in a page that fails; static files are there."""
    seen: set[str] = set()
    for path in told.PAGES.values():
        page = Read((await shop.get(path)).text)
        for href in page.values("a", "href") + page.values("script", "src") + page.values("link", "href"):
            # What asks a real store is asked in test_pages_stored.py and test_add_data.py.
            if href.startswith("/") and not href.startswith(("/api/", "/add")):
                seen.add(href.split("#")[0])
    for address in seen:
        status = (await shop.get(address)).status_code
        known = not re.search(r"/runs/.*0001-\d+$|/journeys/browse", address)
        assert status == (200 if known else 404), address


async def test_today_says_who_how_badly_what_it_cost_and_how_satisfied(shop):
    """The four headline facts stand on the front page, each with of how many and its interval."""
    text = Read((await shop.get("/")).text).text
    assert "1 problem is hurting customers now" in text
    assert "41 of 188 hit" in text
    assert "29 were stopped, 12 got through later, 2 still trying; 3 more only slow." in text
    assert "Usual at this step: 1 of 188. Apart, without a name: 3 of 12 visits hit" in text
    assert "17 of 100" in text
    assert "Between 12 and 23; 0 = nobody hurt." in text
    assert "about 1,240 EUR missing so far, between 684 and 1,810 EUR." in text
    assert "final at 14:07:15" in text
    assert "6 of 15 satisfied, 40% [20–64%]" in text
    assert "58 of 70 satisfied, 83% [72–90%]" in text
    assert "Would recommend (NPS): those hit −33 [−71 to 16] of 9; the others 41 [18–59] of 51." in text
    assert "Found it easy (CES): those hit nobody answered; the others 22 of 31 [53–84%]." in text
    assert "502 from POST /payments (service payments)" in text
    assert "As of 14:06:30" in text


async def test_the_funnel_gives_every_share_its_interval(shop):
    """Those who went on, those hit and Apdex stand with their ranges and of how many."""
    text = Read((await shop.get("/journeys/checkout")).text).text
    assert "141 75% [68–81%]" in text
    assert "41 22% [17–28%]" in text
    assert "0.94 [0.91–0.96] T 2.5 s, of 188" in text
    assert "Would recommend (NPS, −100 to 100) Those hit −33 [−71 to 16], of 9 answers The others 41 [18–59], of 51 answers" in text
    assert "22 of 31 found it easy, 71% [53–84%]; mean 5.3 on 1–7" in text


async def test_the_journeys_table_says_of_how_many_what_is_usual_and_the_excess(shop):
    """Beside each journey's impact stand of how many, the usual value and the excess, and the share that only visits are known of."""
    text = Read((await shop.get("/")).text).text
    assert "11 [7–14] of 310 days of people usual 0.9, 9.7 above it 6% known only by visit, apart" in text
    assert "0.2 [0.0–0.7] of 840 days of people usual not known yet" in text
    assert "Impact: 17 is 17 of 100, 0 = nobody hurt" in text


async def test_a_problem_of_before_says_that_it_is_over_and_its_money_final():
    """On the front page it stands below those of the day, in a sentence, with until when it stays; on its own page it is over and final too."""

    class Before(told.Shop):
        async def impact(self) -> Any:
            return fixtures.report().model_copy(update={"problems": [fixtures.problem(), fixtures.settled_problem()], "problems_found": 2})

        async def problem(self, ident: str) -> Any:
            alone = await super().problem(fixtures.PROBLEM)
            return alone.model_copy(update={"problem": fixtures.settled_problem()}) if alone else None

    _, page = await ask(Before())
    assert "1 problem is hurting customers now" in page.text
    assert "1 problem from before is below, until its money has been final for a day." in page.text
    assert "It is over and its money is final. Here until 22:06." in page.text
    assert "41 of 188 hit and 3 anonymous visits, 29 stopped; impact 17 of 100 [12–23]; about 1,240 EUR missing, final [684–1,810]" in page.text
    _, alone = await ask(Before(), f"/problems/{fixtures.PROBLEM}")
    assert "from 20 Nov, 22:02 to 20 Nov, 22:06. It is over and its money is final." in alone.text


async def test_what_is_left_out_is_said():
    """Problems that are not worked out, and figures that are not of everyone, are said where they are shown."""
    left_out = "20 of 26 problems are worked out, those still failing and the newest first; 24 more people were hit in the others"
    few = fixtures.problem().model_copy(update={"notes": ["all figures are of the first 200,000 walks through this step"]})

    class Many(told.Shop):
        async def impact(self) -> Any:
            return fixtures.report().model_copy(update={"problems": [few], "problems_found": 26, "notes": [left_out]})

        async def journey(self, ident: str) -> Any:
            return fixtures.journey().model_copy(update={"notes": [left_out]})

        async def problem(self, ident: str) -> Any:
            alone = await super().problem(fixtures.PROBLEM)
            return alone.model_copy(update={"problem": few}) if alone else None

    _, page = await ask(Many())
    assert f"{left_out}." in page.text
    assert "All figures are of the first 200,000 walks through this step." in page.text
    assert f"{left_out}." in (await ask(Many(), "/journeys/checkout"))[1].text
    assert "All figures are of the first 200,000 walks through this step." in (await ask(Many(), f"/problems/{fixtures.PROBLEM}"))[1].text


async def test_the_money_says_how_it_was_computed_and_what_it_does_not_see(shop):
    """Formula, counts, gates, the way to the rows, and the notes on survivors and spillover."""
    text = Read((await shop.get(f"/problems/{fixtures.PROBLEM}")).text).text
    assert "How was this computed: the money" in text
    assert "within 40 s of their first failure − what they paid in it" in text
    assert "Counts: 41 hit, visits without a name included, 12 of them with their whole time over; 147 others beside them; comparable 97%." in text
    assert "It speaks from 30 hit, 5 orders expected of them, 20 orders of those not hit and 80% comparable on" in text
    assert "Survivors of earlier steps only: who was lost before this step, and would have come here and paid, is not in it." in text
    assert "Spillover is not in it either: what the failure did to those not hit, through shared stock or a busy call centre." in text


async def test_a_problem_out_of_sight_is_grey():
    """Where the probes that saw it fell silent the page says neither failing nor over."""

    one = fixtures.problem()
    clock = one.clock.model_copy(update={"last_evidence": fixtures.ago(60), "until": None})
    lost = one.model_copy(update={"state": "unknown", "clock": clock})

    class Lost(told.Shop):
        async def impact(self, *how: Any, **more: Any) -> Any:
            return (await super().impact(*how, **more)).model_copy(update={"problems": [lost]})

        async def problem(self, ident: str) -> Any:
            alone = await super().problem(ident)
            return alone.model_copy(update={"problem": lost}) if alone else None

    for path in ("/", f"/problems/{fixtures.problem().id}"):
        _, page = await ask(Lost(), path)
        assert "Not known" in page.text
        assert "from 14:02, last seen 14:05; the probes that saw it have fallen silent, so it may be over or go on" in page.text
    _, today = await ask(Lost())
    assert "Nothing is seen to fail now; 1 problem fell out of sight" in today.text


async def test_simulated_shoppers_are_called_simulated(shop):
    """Every page of an installation whose windows are seconds says so; a real one does not."""
    for path in told.PAGES.values():
        assert "Simulated shoppers. The windows are short for the show: an order counts for 40 s" in Read((await shop.get(path)).text).text
    _, real = await ask(told.Shop())
    assert "imulated" not in real.text


async def test_an_empty_installation_says_what_to_do():
    """Nothing known is not called healthy; the page brings the commands to begin with."""
    response, page = await ask(told.Nothing())
    assert response.status_code == 200
    assert "Nothing is known yet" in page.text
    assert '<script src="http://127.0.0.1:8410/rum.js" data-app="shop"></script>' in page.text
    assert "sojourn-collector key create --name shop --scope sources" in page.text
    assert page.text.count("Nothing yet") == 7
    assert "Healthy" not in page.text


async def test_long_lists_of_a_journey_are_folded():
    """A journey with many comments and visits lists the first few and folds the rest."""
    made = fixtures.journey()
    many = made.satisfaction.model_copy(update={"comments": [made.satisfaction.comments[0]] * 20})

    class Talkative(told.Shop):
        async def journey(self, ident):
            return made.model_copy(update={"satisfaction": many, "visits": [made.visits[0]] * 20})

    async with served(build_app(Talkative(), simulated=True)) as origin, httpx2.AsyncClient(base_url=origin, timeout=60) as client:
        page = Read((await client.get("/journeys/checkout")).text)
    assert "12 more" in page.text
    assert "8 more" in page.text
    assert [ident for ident in page.values("details", "id") if ident.endswith("-rest")] == ["comments-rest", "visits-rest"]


async def test_a_journey_nobody_walked_is_grey():
    """No customer and no probe is `Not known`, with the cure, and no rate is made of it."""
    _, page = await ask(told.Shop(), "/journeys/renew")
    assert "Not known" in page.text
    assert "Nobody tried" in page.text
    assert "None ran" in page.text
    assert "%" not in page.text


@pytest.mark.parametrize(
    ("state", "says", "says_not"),
    [
        ("final", "missing, final, between 684 and 1,810 EUR.", "Part may still come back"),
        ("upper_bound", "An upper bound, not an estimate: 18 people hit, 30 are needed to compare them with others.", "missing"),
        ("not_estimable", "Not estimable No orders were received, so nobody knows who paid.", "missing"),
    ],
)
async def test_money_says_no_more_than_it_knows(state, says, says_not):
    """An upper bound is called one; what cannot be estimated gives its reason and no amount."""
    _, page = await ask(told.Shop(money_state=state))
    assert says in page.text
    assert says_not not in page.text
    _, problem = await ask(told.Shop(money_state=state), f"/problems/{fixtures.PROBLEM}")
    assert "The money, explained" in problem.text


async def test_a_hostile_comment_is_only_text():
    """Markup, template code and a javascript link in a comment stay text, bounded, on every page that shows it."""
    answers = told.Shop(comment=fixtures.HOSTILE, label=fixtures.HOSTILE[:200], journey_name=fixtures.HOSTILE)
    async with served(build_app(answers)) as origin, httpx2.AsyncClient(base_url=origin, timeout=60) as client:
        for name, path in told.PAGES.items():
            html = (await client.get(path)).text
            page = Read(html)
            assert (page.wrong, page.open) == ([], []), name
            assert not [attrs for tag, attrs in page.tags if tag == "script" and "src" not in attrs], name
            assert not [source for source in page.values("img", "src") if not source.startswith("/evidence/")], name
            assert not [href for href in page.values("a", "href") if "script" in href and not href.startswith("/")], name
            assert fixtures.RTL not in html, name
            assert "A" * 2001 not in html, name
    assert "{{7*7}}" in Read(await _page(answers, f"/problems/{fixtures.PROBLEM}")).text


async def _page(answers: Any, path: str) -> str:
    return (await ask(answers, path))[0].text


async def test_a_runbook_that_is_no_web_address_is_no_link():
    """`javascript:` in a journey file does not become a link."""

    class Evil(told.Shop):
        async def journey(self, ident):
            return fixtures.journey(runbook="javascript:alert(1)")

    _, page = await ask(Evil(), "/journeys/checkout")
    assert "Runbook" not in page.text


async def test_an_id_with_slashes_and_dots_finds_its_page():
    """Ids are texts clients chose: a slash in one is part of it."""
    asked: list[str] = []

    class Listening(told.Shop):
        async def visit(self, ident):
            asked.append(ident)
            return fixtures_of_one.visit()

    _, page = await ask(Listening(), "/journeys/checkout")
    odd = next(href for href in page.values("a", "href") if "odd" in href)
    response, _ = await ask(Listening(), odd)
    assert response.status_code == 200
    assert asked == ["s/../odd ?#%"]


async def test_what_is_not_kept_is_a_404_that_says_why():
    """An unknown id gets a page with the likely reason and a way on."""
    for kind in ("problems", "journeys", "people", "visits", "runs", "traces"):
        response, page = await ask(told.Nothing(), f"/{kind}/nothing")
        assert response.status_code == 404
        assert "Nothing here" in page.text
        assert "Go to today’s report" in page.text


async def test_while_the_engine_is_down_pages_say_so_and_ask_again():
    """503 with Retry-After, and the reader is told that nothing is lost."""

    class Down(told.Nothing):
        async def impact(self):
            raise EngineUnavailable("starting")

    response, page = await ask(Down())
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert "The store does not answer just now" in page.text
    assert "nothing is lost" in page.text


async def test_pages_are_not_kept_and_carry_a_strict_policy(shop):
    """Pages speak of persons: no cache keeps them; the policy allows nothing inline and nothing from elsewhere."""
    response = await shop.get("/")
    assert response.headers["cache-control"] == "no-store"
    policy = response.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


async def test_charts_carry_the_figures_of_their_tables(shop):
    """What the script draws is the data of the page, as JSON in an attribute."""
    page = Read((await shop.get("/journeys/checkout")).text)
    told = {data["kind"]: data for data in (json.loads(value) for value in page.values("div", "data-chart"))}
    assert [(row["name"], row["reached"], row["hit"]) for row in told["funnel"]["rows"]] == [
        ("Tried", 312, 0),
        ("Home page", 312, 0),
        ("Product", 290, 1),
        ("Cart", 236, 0),
        ("Pay", 188, 41),
        ("Finished", 141, 0),
    ]
    assert [point["outcome"] for point in told["durations"]["points"]][-5:] == ["failed"] * 5


async def test_a_failed_step_shows_its_evidence(shop):
    """The picture with a text for who does not see it, a link to each file with its size, and on which host the one is that did not come."""
    page = Read((await shop.get(f"/runs/{fixtures.PROBE_RUN}")).text)
    assert [(attrs["src"], attrs["alt"]) for tag, attrs in page.tags if tag == "img"] == [
        ("/evidence/screenshot?exp=1&sig=2", "The page as it looked when Pay ended")
    ]
    assert [href for href in page.values("a", "href") if href.startswith("/evidence/")] == [
        f"/evidence/{kind}?exp=1&sig=2" for kind in ("screenshot", "answer", "console", "har", "dom")
    ]
    assert "Answer of the server of Pay 812 bytes" in page.text
    assert "Requests (HAR) of Pay 412 KB · opens in a browser’s developer tools, Network" in page.text
    assert "Playwright trace not sent, still on host probe-eu-1.example" in page.text


async def test_evidence_of_a_hostile_sender_is_only_text():
    """Kind, state and host come from a sender's span: markup in them stays text, a very long one is cut, and there is no link of theirs."""

    class Hostile(told.Shop):
        async def run(self, ident: str) -> details.RunAnswer | None:
            found = fixtures_of_one.probe_run()
            piece = details.EvidencePiece(kind=fixtures.HOSTILE, name="x", state="not_sent", host=f"<img src=x onerror=alert(1)>{'h' * 3000}")
            steps = [step.model_copy(update={"evidence": [piece] * 3}) for step in found.steps]
            return found.model_copy(update={"steps": steps})

    _, page = await ask(Hostile(), f"/runs/{fixtures.PROBE_RUN}")
    assert (page.wrong, page.open, page.values("img", "src")) == ([], [], [])
    assert "<img src=x onerror=alert(1)>" in page.text
    assert "h" * 200 not in page.text


async def test_a_changed_configuration_is_told_above_the_figures_and_drawn_in_the_chart(shop):
    """The fix's page says what was changed; its chart gets a line in the week of a change that stays in what came before; the list of versions is a page."""
    page = Read((await shop.get(told.PAGES["fix"])).text)
    assert "Since 10 Nov 14:00 windows.abandon 30m → 10m: not changes in customers." in page.text
    drawn = [json.loads(chart) for chart in page.values("div", "data-chart")]
    assert [chart["lines"] for chart in drawn] == [[5], [5]]  # of four weeks before, the trouble, and two weeks after
    listed = Read((await shop.get("/versions")).text).text
    assert "This collector scores by 7c1f0a9e55d2. Slow 0.25, hit and got through 0.50, hit and left 0.80, stopped 1.00." in listed
    assert "windows.abandon: 30m → 10m" in listed
    assert "nothing that a score is worked out by" in listed
    assert "the first that is known" in listed
    empty = (await ask(told.Nothing(), "/versions"))[1].text
    assert "No version was written down yet; the next start of the collector does." in empty


async def test_who_was_asked_too_often_is_named(shop):
    """With how often, by which surveys and when last, and the way to the person; how many more there are is said."""
    page = Read((await shop.get("/feedback")).text)
    assert "u0 Able641 day24 h agoafter-checkout, june" in page.text
    assert "And 6 more." in page.text
    assert "/people/user%3Au0" in page.values("a", "href")
