"""Recognition where people do not walk as files do: tabs, routes of one page, several journeys at once, very long visits."""

from dataclasses import replace

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sojourn_collector.join.plan import JourneyPlan, Pattern, StepPlan
from sojourn_collector.join.real_run import RealRun
from sojourn_collector.join.recognise import recognise
from sojourn_collector.join.signals import Signal
from tests.collector.join.browsing import (
    ABANDON,
    BROWSE,
    CART,
    CHECKOUT,
    HOME,
    LATER,
    LOGIN,
    SEARCH,
    TO_PAY,
    crash,
    event,
    fetch,
    lcp,
    page,
    run,
    runs,
    step,
    view,
)


class TestOrder:
    """Steps in another order than the file's."""

    def test_steps_in_any_order_are_one_walk(self) -> None:
        """Pay before cart before home: one run, its steps told in the journey's order, each once."""
        one = run(view(0, "/checkout/pay"), view(3, "/cart"), view(6, "/"))
        assert [(s.id, s.arrivals) for s in one.steps] == [("home", (6000,)), ("cart", (3000,)), ("pay", (0,))]

    def test_going_back_and_forth_counts_each_step_once(self) -> None:
        """Home, cart, home, cart, pay: a step reached three times is one step with three arrivals, and done the first time."""
        one = run(view(0, "/"), view(2, "/cart"), view(4, "/"), view(6, "/cart"), view(8, "/"), view(9, "/checkout/pay"))
        assert [(s.id, len(s.arrivals), s.done_at) for s in one.steps] == [("home", 3, 2000), ("cart", 2, 9000), ("pay", 1, None)]

    def test_going_back_does_not_make_a_later_step_done(self) -> None:
        """Only steps before the one arrived at are done by it."""
        one = run(view(0, "/cart"), view(3, "/"))
        assert step(one, "cart").done_at is None

    def test_restarting_midway_is_the_same_walk(self) -> None:
        """Who turns back at the cart and begins again at home within the idle time has not given up yet."""
        one = run(view(0, "/"), view(5, "/cart"), view(600, "/"), view(605, "/cart"), view(609, "/checkout/pay"), event(612, "order_completed"))
        assert (one.end, one.started, one.ended) == ("finished", 0, 612_000)

    def test_after_the_idle_time_it_is_another(self) -> None:
        """The same steps after more than `abandon` are a second run with an id of its own; the first gave up."""
        late = ABANDON // 1000 + 10
        found = runs(view(0, "/"), view(5, "/cart"), view(5 + late, "/"), view(9 + late, "/checkout/pay"), event(12 + late, "order_completed"))
        assert [r.end for r in found] == ["gave_up", "finished"]
        assert len({r.run_id for r in found}) == 2

    def test_a_page_of_two_steps_is_an_arrival_at_both(self) -> None:
        """Patterns that overlap are both reached by a page that fits both."""
        plan = JourneyPlan("p", "v", "", (StepPlan("any", "Any", 1, page("/checkout/**"), None), StepPlan("pay", "Pay", 2, page("/checkout/pay"), None)))
        assert [(s.id, s.done_at) for s in run(view(0, "/checkout/pay"), plans=(plan,)).steps] == [("any", 0), ("pay", 0)]


class TestPages:
    """What fits a page pattern."""

    @pytest.mark.parametrize(
        ("pattern", "fits", "does_not"),
        [
            ("/products/*", ["/products/7", "/products/7/", "/products/7?size=m", "/products/7#reviews"], ["/products/", "/products/7/reviews", "/product/7"]),
            ("/products/**", ["/products/7", "/products/7/reviews", "/products/a/b/c/"], ["/products", "/shop/products/7"]),
            ("/*/cart", ["/de/cart", "/en-GB/cart/"], ["/cart", "/de/at/cart"]),
            ("/", ["/", "/?utm_source=mail"], ["/index.html", "//x"]),
            ("/a.b", ["/a.b"], ["/axb"]),
        ],
    )
    def test_star_stays_within_a_segment(self, pattern: str, fits: list[str], does_not: list[str]) -> None:
        """`*` is any text without a slash, `**` any text; query, fragment and a slash at the end do not matter, letters are taken as they are."""
        plan = JourneyPlan("p", "v", "", (StepPlan("s", "S", 1, page(pattern), None),))
        assert [path for path in fits + does_not if runs(view(0, path), plans=(plan,))] == fits

    def test_more_pages_than_a_pattern_remembers(self) -> None:
        """A visit of many different pages is recognised like one of few."""
        many = [view(n, f"/products/{n % 700}") for n in range(1400)]
        assert len(step(run(*many, plans=(JourneyPlan("p", "v", "", (StepPlan("s", "S", 1, page("/products/*"), None),)),)), "s").arrivals) == 1400


class TestRoutes:
    """Pages that change without being loaded, and journeys that show no pages."""

    def test_a_route_change_is_a_page_view(self) -> None:
        """Views without a load time, as routes of one page report, are arrivals like any other."""
        one = run(view(0, "/"), view(5, "/cart", duration=0), view(9, "/checkout/pay", duration=0), event(12, "order_completed", "/checkout/pay"))
        assert (one.end, [s.id for s in one.steps]) == ("finished", ["home", "cart", "pay"])

    def test_a_failure_between_two_routes_belongs_to_the_page_it_names(self) -> None:
        """What fails after the route has changed but was asked for before is the step's that asked."""
        one = run(view(0, "/cart"), view(5, "/checkout/pay", duration=0), fetch(5.1, "/cart", 500))
        assert [(s.id, s.hit) for s in one.steps] == [("cart", True), ("pay", False)]

    def test_events_without_pages(self) -> None:
        """A journey of events alone is recognised in signals that name no page, its failures included."""
        one = run(event(0, "search_begun"), crash(1), plans=(SEARCH,))
        assert (one.end, one.failure_step) == ("stopped", "search")

    def test_events_and_pages_mixed(self) -> None:
        """A step shown by an event stands between steps shown by pages."""
        plan = JourneyPlan("m", "v", "", (HOME, StepPlan("find", "Find", 2, Pattern(event="search_begun"), Pattern(event="search_done")), CART))
        one = run(view(0, "/"), event(2, "search_begun", "/"), event(4, "search_done", "/"), view(8, "/cart"), plans=(plan,))
        assert [(s.id, s.done_at) for s in one.steps] == [("home", 2000), ("find", 4000), ("cart", 8000)]


class TestTabs:
    """Two tabs of one visit, each on a page of its own."""

    def test_two_tabs_in_one_journey_are_one_walk(self) -> None:
        """Cart in one tab, home in another, then paying in the first."""
        one = run(
            view(0, "/"),
            view(2, "/cart"),
            view(3, "/"),
            fetch(4, "/cart"),
            view(6, "/checkout/pay"),
            view(7, "/"),
            event(9, "order_completed", "/checkout/pay"),
        )
        assert (one.end, one.severity) == ("finished", 0.0)

    def test_a_failure_hits_the_tab_it_happened_in(self) -> None:
        """Of two pages of one step the failing one is the one named, also when the other was opened later."""
        one = run(view(0, "/products/1"), view(5, "/products/2"), fetch(8, "/products/1", 500), plans=(replace(BROWSE, steps=BROWSE.steps[1:]),))
        product = step(one, "product")
        assert product.failures == (8100,)
        assert (product.hit, product.stopped, one.end) == (True, False, "finished")

    def test_a_page_being_left_does_not_blame_the_next(self) -> None:
        """A script error of a page while the next page of the same step is already coming is not the next page's: it was reached and worked."""
        one = run(view(0, "/checkout/address"), view(5, "/checkout/pay"), crash(5.2, "/checkout/address"))
        assert (step(one, "pay").stopped, one.severity) == (False, 0.8)

    def test_a_vital_reported_while_leaving_belongs_to_the_page_it_measured(self) -> None:
        """Pages report their LCP when they are hidden, which is after the next one has begun."""
        one = run(view(0, "/checkout/address"), view(5, "/checkout/pay"), lcp(5.2, 9000, "/checkout/address"), lcp(7, 800, "/checkout/pay"))
        assert (step(one, "pay").slow, step(one, "pay").lcp_ms) == (True, 9000)

    def test_two_journeys_in_two_tabs(self) -> None:
        """Each journey sees its own pages only, whatever happens between."""
        found = runs(
            view(0, "/"),
            view(1, "/login"),
            view(2, "/cart"),
            crash(3, "/login"),
            view(4, "/checkout/pay"),
            event(5, "signed_in", "/login"),
            plans=(CHECKOUT, LOGIN),
        )
        assert [(r.journey, r.end, r.severity) for r in found] == [("checkout", "gave_up", 0.0), ("login", "finished", 0.5)]


class TestTries:
    """Several things that fail at one arrival."""

    def test_each_request_is_repaired_by_itself(self) -> None:
        """Of two requests that failed, one coming through leaves the other failed: the step is not usable."""
        pay = [*TO_PAY, fetch(10, "/checkout/pay", 502), fetch(11, "/checkout/pay", 500, path="/address"), fetch(12, "/checkout/pay")]
        assert run(*pay).severity == 1.0
        assert run(*pay, fetch(13, "/checkout/pay", path="/address")).severity == 0.8

    def test_a_script_error_is_not_repaired_by_a_request(self) -> None:
        """Whether it came before the failed request or after, only a new arrival shows that the page works."""
        for when in (9.5, 11):
            assert run(*TO_PAY, fetch(10, "/checkout/pay", 502), crash(when, "/checkout/pay"), fetch(12, "/checkout/pay")).severity == 1.0
        assert run(*TO_PAY, fetch(10, "/checkout/pay", 502), crash(11, "/checkout/pay"), view(20, "/checkout/pay")).severity == 0.8


class TestSeveralJourneys:
    """More than one journey in a visit."""

    def test_a_journey_inside_another(self) -> None:
        """Signing in on the way to the order is a run of each; the sign-in neither ends nor interrupts the order."""
        found = runs(
            view(0, "/"),
            view(2, "/login"),
            event(4, "signed_in", "/login"),
            view(6, "/cart"),
            view(9, "/checkout/pay"),
            event(12, "order_completed"),
            plans=(CHECKOUT, LOGIN),
        )
        assert [(r.journey, r.started, r.ended, r.end) for r in found] == [("checkout", 0, 12_000, "finished"), ("login", 2000, 4000, "finished")]

    def test_a_step_of_two_journeys_is_seen_in_both(self) -> None:
        """A failing home page hits every journey that begins there."""
        assert [(r.journey, r.failure_step) for r in runs(view(0, "/"), crash(1, "/"), plans=(CHECKOUT, BROWSE))] == [("browse", "home"), ("checkout", "home")]

    def test_other_journeys_change_nothing(self) -> None:
        """The runs of a journey are the same alone and among others."""
        signals = (view(0, "/"), view(2, "/login"), crash(3, "/login"), view(4, "/products/1"), *TO_PAY, event(12, "order_completed"))
        together = runs(*signals, plans=(BROWSE, CHECKOUT, LOGIN, SEARCH))
        assert sorted(together, key=lambda r: r.run_id) == sorted(
            (r for p in (BROWSE, CHECKOUT, LOGIN, SEARCH) for r in runs(*signals, plans=(p,))), key=lambda r: r.run_id
        )


class TestOddTimes:
    """Clocks and beacons that are late or wrong."""

    def test_a_done_event_before_its_page_by_a_skewed_clock(self) -> None:
        """A conversion stamped before its page was finishes the walk all the same; the page after it is the finish's tail."""
        one = run(view(0, "/"), view(5, "/cart"), event(8, "order_completed", "/checkout/pay"), view(9, "/checkout/pay"))
        assert (one.end, step(one, "pay").arrivals) == ("finished", (8000,))

    def test_everything_at_once(self) -> None:
        """Signals of one millisecond count as arriving first, happening then."""
        one = run(view(0, "/checkout/pay"), fetch(0, "/checkout/pay", 500), event(0, "order_completed"))
        assert (one.end, one.severity) == ("finished", 0.0)

    def test_before_1970(self) -> None:
        """A clock that is absurdly early breaks nothing."""
        assert run(view(-100_000, "/")).started == -100_000_000


PLACES = st.sampled_from(["/checkout/pay", "/checkout/address", "/cart", "/", ""])
STEPS = st.lists(st.builds(view, st.integers(0, 3).map(float), PLACES), min_size=1, max_size=3)
WHEN = st.integers(1, 9).map(float)
AT_PAYING = st.one_of(st.builds(fetch, WHEN, st.just("/checkout/pay"), st.sampled_from([200, 500])), st.builds(crash, WHEN, st.just("/checkout/pay")))
TROUBLE = st.one_of(AT_PAYING, st.builds(fetch, WHEN, st.just("/cart"), st.just(500)))


@settings(max_examples=250, deadline=None)
@given(STEPS, st.lists(TROUBLE, max_size=4), st.booleans(), TROUBLE)
@example([view(0, "/checkout/pay")], [crash(2, "/checkout/pay"), fetch(3, "/checkout/pay")], False, fetch(1, "/checkout/pay", 502))
@example([view(0, "/checkout/pay")], [crash(1, "/checkout/pay"), fetch(3, "/checkout/pay")], False, fetch(2, "/checkout/pay", 502))
def test_one_more_failure_never_lowers_the_severity(views: list[Signal], others: list[Signal], paid: bool, more: Signal) -> None:
    """Of a walk without breaks: whatever fails in addition, wherever and whenever, makes it no better."""
    assume(more.failed)
    signals = [*views, *others, *([event(30, "order_completed")] if paid else [])]
    before, after = (max((r.severity for r in runs(*told)), default=0.0) for told in (signals, [*signals, more]))
    assert after >= before


@settings(max_examples=150, deadline=None)
@given(STEPS, st.lists(TROUBLE, max_size=6), st.integers(1, 5))
def test_no_step_is_counted_twice(views: list[Signal], others: list[Signal], rounds: int) -> None:
    """However often a visit goes round, each run has each step at most once, in the journey's order, and every view of it as an arrival."""
    again = [replace(signal, at=signal.at + n) for n in range(rounds) for signal in views]
    found: list[RealRun] = runs(*again, *others)
    for one in found:
        assert [s.number for s in one.steps] == sorted({s.number for s in one.steps})
    views_of_steps = {s for s in again if s.page}
    reached = [(s.id, at) for one in found for s in one.steps for at in s.arrivals]
    assert len(reached) == len(views_of_steps)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.lists(TROUBLE, max_size=6), st.lists(st.integers(0, 4), min_size=12, max_size=12))
def test_batches_make_no_difference_in_the_end(views: list[Signal], others: list[Signal], batches: list[int]) -> None:
    """Beacons that come in batches, in any order, each time read with all before them, end in the runs of all of them at once."""
    signals = [*views, *others]
    so_far: list[Signal] = []
    last: list[RealRun] = []
    for batch in range(5):
        so_far += [s for s, of in zip(signals, batches, strict=False) if of == batch]
        last = runs(*so_far, plans=(BROWSE, CHECKOUT, LOGIN))
    assert last == runs(*signals, plans=(BROWSE, CHECKOUT, LOGIN))


def test_a_visit_of_very_many_signals_is_read_through() -> None:
    """As many signals as are read of a visit, on as many pages, against twenty journeys: every walk is found."""
    plans = tuple(replace(CHECKOUT, id=f"j{n}") for n in range(20))
    signals = [
        s for n in range(100) for s in (view(n * 60, "/"), view(n * 60 + 1, f"/help/{n}"), view(n * 60 + 5, "/cart"), event(n * 60 + 9, "order_completed"))
    ]
    found = recognise("s", "shop", signals, plans, abandon=ABANDON, now=LATER)
    assert len(found) == 2000
    assert {r.end for r in found} == {"finished"}
