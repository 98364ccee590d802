"""The join's small pure parts: plans of journeys, links, reading sessions, synthetic runs, blocks, versions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.join.links import Known, link, linked
from sojourn_collector.join.plan import plan_of, plans_of
from sojourn_collector.join.read_session import read_session
from sojourn_collector.join.signals import SignalKind
from sojourn_collector.join.synthetic import rows_of_run
from sojourn_collector.join.versions import Versions
from sojourn_collector.join.writing import MOST_MONTHS, blocks
from sojourn_probes.errors import JourneyFileError
from tests.collector.join.world import CHECKOUT, Browser, Clock, journeys

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def stored(browser: Browser, *rows: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows as the queries of the join give them."""
    blank = {"run_id": "", "user_id": "", "visitor_id": "", "account_id": "", "duration": 0, "trace_id": "", "span_id": "", "kind": "event"}
    read = []
    for row in rows:
        more = {"kind": row["span_type"], "name": "", "duration": row["duration_ns"] // 10**6, "trace_id": row["trace_id"].hex()} if "span_type" in row else {}
        read.append(blank | row | more)
    return read


class TestPlans:
    """What recognition takes from a journey file."""

    def test_the_last_step_is_done_by_the_goal(self, tmp_path: Path) -> None:
        """A last step without `done` is done by the journey's goal event; numbers count all steps, limits are milliseconds."""
        text = CHECKOUT.replace(", done: {event: order_completed}", "")
        plan = plan_of(journeys(tmp_path, text).all()["checkout"])
        assert plan is not None
        assert [(s.id, s.number, s.lcp_limit, s.load_limit) for s in plan.steps] == [
            ("home", 1, None, None),
            ("cart", 2, None, None),
            ("pay", 4, 2500.0, 4000.0),
        ]
        assert plan.steps[-1].done is not None
        assert plan.steps[-1].done.event == "order_completed"

    def test_only_upper_limits_are_slowness(self, tmp_path: Path) -> None:
        """The lowest `>` limit counts; other comparisons and sources say nothing about customers."""
        text = CHECKOUT.replace("[lcp > 2500ms, total > 4s]", "[lcp > 3s, lcp >= 2s, not lcp > 1s, total < 1s, cls > 0.1]")
        plan = plan_of(journeys(tmp_path, text).all()["checkout"])
        assert plan is not None
        assert (plan.steps[-1].lcp_limit, plan.steps[-1].load_limit) == (2000.0, None)

    def test_a_journey_only_probes_walk_has_none(self, tmp_path: Path) -> None:
        """Without a `customers` part there is nothing to recognise."""
        text = "id: a\nbase_url: http://x\nsteps: [{id: s, http: {url: /}}]"
        assert plans_of(journeys(tmp_path, text, CHECKOUT).all().values())[0].id == "checkout"
        assert len(plans_of(journeys(tmp_path, text, CHECKOUT).all().values())) == 1


class TestJourneyFolder:
    """The folder of journeys."""

    def test_a_bad_folder_at_the_start(self, tmp_path: Path) -> None:
        """A bad file at the start is an error."""
        with pytest.raises(JourneyFileError):
            journeys(tmp_path, "id: [")

    async def test_the_last_good_ones_stay(self, tmp_path: Path) -> None:
        """Nothing changed, a bad change, the cure, another file: what is in force and what is said."""
        folder = journeys(tmp_path)
        assert not await folder.refresh()
        (tmp_path / "0.yaml").write_text("id: [")
        assert not await folder.refresh()
        assert (list(folder.all()), folder.problem.startswith(f"{tmp_path}/0.yaml:")) == (["checkout"], True)
        (tmp_path / "0.yaml").write_text(CHECKOUT)
        assert not await folder.refresh()  # the same content as before
        assert folder.problem == ""
        (tmp_path / "1.yaml").write_text(CHECKOUT.replace("id: checkout", "id: other"))
        assert await folder.refresh()
        assert list(folder.all()) == ["checkout", "other"]

    async def test_a_folder_that_goes_away(self, tmp_path: Path) -> None:
        """When the folder vanishes the last good journeys stay in force."""
        folder = journeys(tmp_path / "j")
        (tmp_path / "j" / "0.yaml").unlink()
        (tmp_path / "j").rmdir()
        assert not await folder.refresh()
        assert list(folder.all()) == ["checkout"]
        assert folder.problem != ""


class TestReadSession:
    """From stored rows to a session."""

    def test_paths(self) -> None:
        """A page's path is `sojourn.page.path`, for a page view also `url.path`; a fetch's `url.path` is what it asked for."""
        b = Browser("s", NOW)
        view, fetch = b.page(0, "/cart"), b.fetch(1, "/cart", "/api/items", 200)
        view["attrs"].pop("sojourn.page.path")
        session = read_session("s", stored(b, view, fetch))
        assert session is not None
        assert [(s.kind, s.page, s.path, s.status) for s in session.signals] == [
            (SignalKind.PAGE_VIEW, "/cart", "", 0),
            (SignalKind.FETCH, "/cart", "/api/items", 200),
        ]

    def test_the_newest_identity_wins(self) -> None:
        """Of several users in one session the last one had it; the order the rows come in does not matter."""
        b = Browser("s", NOW)
        rows = stored(b, b.page(0, "/") | {"user_id": "u1"}, b.page(1, "/") | {"user_id": "u2", "visitor_id": "v"}, b.page(2, "/"))
        found = [read_session("s", order) for order in (rows, rows[::-1])]
        assert [(s.person.id, s.person.kind, s.person.visitor_id) for s in found if s is not None] == [("user:u2", "user", "v")] * 2

    def test_no_rows_no_session(self) -> None:
        """Nothing stored is no session."""
        assert read_session("s", []) is None

    def test_odd_numbers_are_none(self) -> None:
        """Values that are no numbers, infinite or out of range read as not given."""
        b = Browser("s", NOW)
        odd = {"http.response.status_code": "70000", "sojourn.cart.value": "inf", "browser.web_vital.value": "x"}
        session = read_session("s", stored(b, b.page(0, "/", attrs=odd)))
        assert session is not None
        assert (session.signals[0].status, session.signals[0].cart_value, session.signals[0].value) == (0, -1.0, 0.0)


def feedback(**changes: Any) -> dict[str, Any]:
    """A row of feedback."""
    blank = {"id": "f", "ts": NOW, "given_session_id": "", "trace_id": "", "order_id": "", "user_id": "", "journey": ""}
    return blank | changes


def session(id_: str, began: timedelta, ended: timedelta | None = None, **changes: Any) -> dict[str, Any]:
    """A session that began and ended so long before now."""
    row = {"session_id": id_, "person_id": "user:u1", "traffic": "real", "started": NOW - began, "ended": NOW - (began if ended is None else ended)}
    return row | changes


class TestLinks:
    """Linking, by the rules' order."""

    def test_a_named_session_goes_before_trace_and_order(self) -> None:
        """Session id, then trace, then order, then the person's last visit."""
        sessions = {name: session(name, DAY / 24) for name in ("by-id", "by-trace", "by-order", "by-person")}
        known = Known(sessions, {"t": "by-trace"}, {"o": "by-order"}, {"user:u1": [sessions["by-person"]]})
        keys = {"given_session_id": "by-id", "trace_id": "t", "order_id": "o", "user_id": "u1"}
        order = []
        for name in list(keys):
            found = link(feedback(**keys), known, identity=3 * DAY)
            order.append((found.session_id, found.join))
            keys.pop(name)
        assert order == [("by-id", "explicit"), ("by-trace", "explicit"), ("by-order", "explicit"), ("by-person", "inferred")]
        assert link(feedback(), known, identity=3 * DAY).join == "unlinked"

    def test_a_session_not_known_yet_does_not_hide_the_next_key(self) -> None:
        """A named session without beacons falls through to the other keys."""
        known = Known({"s": session("s", DAY)}, by_trace={"t": "s"})
        assert link(feedback(given_session_id="unseen", trace_id="t"), known, identity=DAY).session_id == "s"

    @pytest.mark.parametrize(
        ("began", "ended", "join"),
        [
            (timedelta(hours=80), timedelta(hours=72), "inferred"),
            (timedelta(hours=80), timedelta(hours=72, seconds=1), "unlinked"),
            (timedelta(seconds=-5), timedelta(seconds=-60), "inferred"),
            (timedelta(seconds=-6), timedelta(seconds=-60), "unlinked"),
        ],
    )
    def test_the_window_of_inference(self, began: timedelta, ended: timedelta, join: str) -> None:
        """A visit explains what comes up to 72 h after its end, and nothing before its start but for clocks that differ."""
        one = session("s", began, ended)
        assert link(feedback(user_id="u1"), Known({"s": one}, by_person={"user:u1": [one]}), identity=timedelta(hours=72)).join == join

    def test_runs_until_then_and_of_the_journey_named(self) -> None:
        """Feedback is linked to the session's runs begun by then, of its journey if it names one; an order to the last of them."""
        runs = [{"run_id": f"r{n}", "journey": j, "started": NOW - timedelta(minutes=10 * n)} for n, j in ((3, "a"), (2, "b"), (1, "a"), (-1, "a"))]
        known = Known({"s": session("s", DAY)}, runs={"s": runs})
        assert link(feedback(given_session_id="s"), known, identity=DAY).run_ids == ("r3", "r2", "r1")
        assert link(feedback(given_session_id="s", journey="b"), known, identity=DAY).run_ids == ("r2",)
        order = feedback(given_session_id="s") | {"amount": 1}
        assert linked(order, link(order, known, identity=DAY))["run_id"] == "r1"

    def test_an_order_of_a_probes_session_is_the_probes(self) -> None:
        """Synthetic sessions make their orders a probe's, and a probe's order stays one."""
        known = Known({"s": session("s", DAY, traffic="synthetic"), "r": session("r", DAY)})
        for given, probe, expected in (("s", False, True), ("r", False, False), ("r", True, True)):
            order = feedback(given_session_id=given) | {"amount": 1, "probe": probe}
            assert linked(order, link(order, known, identity=DAY))["probe"] is expected


class TestSyntheticRuns:
    """Rows of synthetic runs from odd spans."""

    def test_words_that_are_no_outcome(self) -> None:
        """An outcome or failure kind we do not know is `inconclusive` and none; an attempt that is no number is the first."""
        attrs = {"sojourn.run.outcome": "great", "sojourn.failure.kind": "gremlins", "sojourn.run.attempts": "-3", "sojourn.attempt": "9" * 30}
        span = {"run_id": "r", "ts": NOW, "duration_ns": 10**9, "trace_id": "t", "span_type": "run", "journey": "j", "step": "", "attrs": attrs, "res": {}}
        vital = {"browser.web_vital.name": "lcp", "browser.web_vital.value": "1234.5"}
        step = span | {"span_type": "step", "step": "s", "events_name": ["sojourn.expectation", "browser.web_vital"], "events_attrs": [{}, vital]}
        run, steps = rows_of_run([span, step], {}, 1)
        assert run is not None
        assert (run["outcome"], run["failure_kind"], run["attempts"]) == ("inconclusive", "", 1)
        assert [(s["step"], s["attempt"], s["number"], s["outcome"]) for s in steps] == [("s", 1, 1, "inconclusive")]
        assert steps[0]["lcp_ms"] == 1234.5


def test_blocks_stay_below_what_the_engine_takes() -> None:
    """No block touches more than `MOST_MONTHS` months, and none of the rows is lost."""
    rows = [{"n": n, "ts": datetime(2000 + n % 20, n % 12 + 1, 1, tzinfo=UTC)} for n in range(1000)]
    cut = blocks("orders", rows)
    assert max(len({f"{row['ts']:%Y-%m}" for row in block}) for block in cut) <= MOST_MONTHS
    assert sorted(row["n"] for block in cut for row in block) == list(range(1000))
    assert blocks("orders", []) == []
    assert len(blocks("accounts", rows)) == 1


def test_versions_grow_whatever_the_clock_does() -> None:
    """Versions grow by at least one when the clock stands, goes back, or was behind at the start."""
    clock = Clock(NOW)
    versions = Versions(clock, 0)
    first, second = versions.next(), versions.next()
    clock.forward(-3600)
    third = versions.next()
    assert (first, second, third) == (int(NOW.timestamp() * 1000), first + 1, first + 2)
    assert Versions(clock, third).next() == third + 1
