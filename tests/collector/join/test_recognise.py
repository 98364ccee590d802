"""Recognition of real runs: each rule by a session small enough to read."""

from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.join.plan import JourneyPlan, Pattern
from sojourn_collector.join.recognise import recognise
from sojourn_collector.join.signals import Signal, SignalKind
from tests.collector.join.browsing import (
    ABANDON,
    BROWSE,
    CART,
    CHECKOUT,
    LATER,
    LOGIN,
    PAY,
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


class TestWithoutTrouble:
    """Sessions in which nothing fails."""

    def test_walking_through_finishes(self) -> None:
        """Who walks the whole journey finished it at the done event; nothing was hit."""
        one = run(*TO_PAY, event(12, "order_completed"))
        assert (one.end, one.outcome, one.settled, one.severity) == ("finished", "passed", True, 0.0)
        assert (one.started, one.ended) == (0, 12_000)
        assert [(s.id, s.number, s.done_at) for s in one.steps] == [("home", 1, 5000), ("cart", 2, 9000), ("pay", 3, 12_000)]
        assert one.failure_step == ""

    def test_the_id_is_made_of_session_journey_and_start(self) -> None:
        """The run's id is the UUIDv5 of session, journey and first time in milliseconds."""
        assert run(view(1.5, "/")).run_id == str(uuid5(NAMESPACE_URL, "s/checkout/1500"))

    def test_leaving_without_an_error_is_no_hit(self) -> None:
        """Who leaves without an error gave up; severity is 0 and the outcome passed."""
        one = run(*TO_PAY)
        assert (one.end, one.outcome, one.severity) == ("gave_up", "passed", 0.0)
        assert not step(one, "pay").hit
        assert step(one, "pay").done_at is None

    def test_a_run_is_open_until_abandon_has_passed(self) -> None:
        """Before `abandon` of idleness a run is trying, at it it is settled."""
        before = run(*TO_PAY, now=9500 + ABANDON - 1)
        at = run(*TO_PAY, now=9500 + ABANDON)
        assert (before.end, before.settled) == ("trying", False)
        assert (at.end, at.settled) == ("gave_up", True)

    def test_a_finished_run_is_settled_at_once(self) -> None:
        """Success settles; no idle time is waited for."""
        assert run(*TO_PAY, event(12, "order_completed"), now=12_001).settled

    def test_a_journey_may_be_entered_midway(self) -> None:
        """Who comes in by a deep link is recognised from that step on."""
        assert [s.id for s in run(view(0, "/checkout/pay")).steps] == ["pay"]

    def test_every_match_is_an_arrival(self) -> None:
        """A reload counts as another arrival."""
        assert step(run(view(0, "/cart"), view(3, "/cart")), "cart").arrivals == (0, 3000)

    def test_a_step_left_out_does_not_hide_the_next(self) -> None:
        """Reaching any later step makes the earlier ones done, also when one between was skipped."""
        one = run(view(0, "/"), view(4, "/checkout/pay"))
        assert [(s.id, s.done_at) for s in one.steps] == [("home", 4000), ("pay", None)]

    def test_a_step_with_done_of_its_own_is_done_by_nothing_else(self) -> None:
        """Where the journey says what shows a step done, reaching the next step does not."""
        plan = JourneyPlan("j", "v", "", (replace(CART, done=Pattern(event="cart_checked")), PAY))
        one = run(view(0, "/cart"), view(5, "/checkout/pay"), plans=(plan,))
        assert step(one, "cart").done_at is None

    def test_other_pages_are_nobodys_step(self) -> None:
        """Signals on pages of no step belong to no run."""
        assert runs(view(0, "/help"), crash(1, "/help")) == []

    def test_another_app_is_another_journey(self) -> None:
        """A journey that names its app is not recognised in the beacons of another."""
        assert runs(*TO_PAY, plans=(replace(CHECKOUT, app="admin"),)) == []

    def test_the_path_decides_and_a_slash_at_its_end_does_not(self) -> None:
        """`/cart/` is the page `/cart`."""
        assert [s.id for s in run(view(0, "/cart/")).steps] == ["cart"]

    def test_trace_ids_are_those_of_the_run(self) -> None:
        """A run lists the traces of its own signals in their order, not those of other pages."""
        signals = (view(0, "/", trace_id="a"), view(1, "/help", trace_id="b"), view(2, "/cart", trace_id="c"), view(3, "/", trace_id="a"))
        assert run(*signals).trace_ids == ("a", "c")

    def test_no_signals_no_runs(self) -> None:
        """An empty session has no runs."""
        assert runs() == []


class TestHits:
    """Technical failures and what became of them."""

    def test_hit_and_never_passed_is_stopped(self) -> None:
        """When the last try at a step failed and it was never passed, severity is 1 and the run failed there."""
        one = run(*TO_PAY, fetch(10, "/checkout/pay", 502))
        assert (one.end, one.outcome, one.severity, one.failure_step) == ("stopped", "failed", 1.0, "pay")
        pay = step(one, "pay")
        assert (pay.hit, pay.stopped, pay.recovered, pay.failures, pay.outcome) == (True, True, False, (10_100,), "failed")
        assert pay.failure is not None
        assert (pay.failure.failure_kind, pay.failure.failure_message) == ("status", "502 from POST /payments")

    def test_hit_and_finished_later_is_recovered(self) -> None:
        """An error after which the step was passed and the journey finished weighs .5."""
        one = run(*TO_PAY, fetch(10, "/checkout/pay", 502), view(20, "/checkout/pay"), fetch(21, "/checkout/pay"), event(22, "order_completed"))
        pay = step(one, "pay")
        assert (one.end, one.outcome, one.severity) == ("finished", "degraded", 0.5)
        assert (pay.hit, pay.recovered, pay.stopped, pay.outcome, pay.arrivals) == (True, True, False, "degraded", (9000, 20_000))

    def test_hit_then_passed_then_left(self) -> None:
        """An error at a step that was passed, in a journey then left, weighs .8."""
        one = run(view(0, "/"), view(5, "/cart"), crash(6, "/cart"), view(9, "/checkout/pay"))
        assert (one.end, one.outcome, one.severity, one.failure_step) == ("gave_up", "degraded", 0.8, "cart")
        assert (step(one, "cart").severity, step(one, "cart").recovered, step(one, "pay").severity) == (0.8, True, 0.0)

    def test_hit_then_usable_then_left(self) -> None:
        """An error, then an arrival without one, then leaving weighs .8: nothing stopped the customer any more."""
        one = run(*TO_PAY, fetch(10, "/checkout/pay", 502), view(20, "/checkout/pay"))
        assert (one.end, one.severity, step(one, "pay").stopped) == ("gave_up", 0.8, False)

    def test_the_same_request_coming_through_makes_the_step_usable(self) -> None:
        """A second click that succeeds on the same page means the last try did not fail."""
        one = run(*TO_PAY, fetch(10, "/checkout/pay", 502), fetch(12, "/checkout/pay", 200))
        assert (one.severity, step(one, "pay").stopped) == (0.8, False)

    def test_another_request_coming_through_does_not(self) -> None:
        """A success of another request says nothing about the one that failed."""
        assert run(*TO_PAY, fetch(10, "/checkout/pay", 502), fetch(12, "/checkout/pay", 200, path="/ping")).severity == 1.0

    def test_failing_again_after_a_success_is_stopped(self) -> None:
        """The last try decides."""
        one = run(*TO_PAY, fetch(10, "/checkout/pay", 502), fetch(12, "/checkout/pay", 200), fetch(14, "/checkout/pay", 500))
        assert (one.severity, step(one, "pay").failures) == (1.0, (10_100,))

    def test_while_trying_a_hit_is_the_least_it_can_be(self) -> None:
        """An unsettled hit weighs .5 and stops nobody yet."""
        one = run(*TO_PAY, fetch(10, "/checkout/pay", 502), now=20_000)
        assert (one.end, one.severity, one.outcome, step(one, "pay").stopped) == ("trying", 0.5, "degraded", False)

    def test_one_failure_for_each_arrival(self) -> None:
        """Of several failures after one arrival the first counts; the next arrival may have its own."""
        one = run(view(0, "/cart"), crash(1, "/cart"), crash(2, "/cart"), view(5, "/cart"), crash(6, "/cart"))
        assert step(one, "cart").failures == (1000, 6000)

    def test_a_failure_is_felt_when_its_request_ends(self) -> None:
        """The time of a failed request is its end, but never after the next arrival."""
        first = run(view(0, "/cart"), fetch(1, "/cart", 504, duration=30_000))
        again = run(view(0, "/cart"), fetch(1, "/cart", 504, duration=30_000), view(4, "/cart"))
        assert (step(first, "cart").failures, step(again, "cart").failures) == ((31_000,), (3999,))

    @pytest.mark.parametrize(
        ("signal", "kind", "message"),
        [
            (fetch(6, "/cart", 500, path="/x"), "status", "500 from POST /x"),
            (fetch(6, "/cart", 0, error="network"), "connect", "no answer from POST /payments"),
            (fetch(6, "/cart", 0, error="timeout"), "timeout", "no answer in time from POST /payments"),
            (crash(6, "/cart"), "script", "TypeError: x is undefined"),
            (Signal(6000, SignalKind.EXCEPTION), "script", "script error"),
            (view(6, "/cart", status=503), "status", "503 from GET /cart"),
        ],
    )
    def test_what_counts_as_a_failure(self, signal: Signal, kind: str, message: str) -> None:
        """5xx, no answer, a script error and a page that came with 5xx are failures, each with kind and sentence."""
        failure = step(run(view(5, "/cart"), signal), "cart").failure
        assert failure is not None
        assert (failure.failure_kind, failure.failure_message) == (kind, message)

    @pytest.mark.parametrize(
        "signal",
        [fetch(6, "/cart", 404), fetch(6, "/cart", 429), fetch(6, "/cart", 0, error="abort"), fetch(6, "/cart", 302), fetch(6, "/cart", 404, error="404")],
    )
    def test_what_does_not(self, signal: Signal) -> None:
        """4xx, redirects and requests given up by the page are no technical failures."""
        assert run(view(5, "/cart"), signal).severity == 0

    def test_an_exception_counts_only_after_the_arrival(self) -> None:
        """A script error before the step was reached is not the step's."""
        one = run(crash(1, "/cart"), view(5, "/cart"))
        assert not step(one, "cart").hit
        assert step(run(view(5, "/cart"), crash(6, "/cart")), "cart").hit

    def test_a_failure_on_another_page_is_not_the_steps(self) -> None:
        """What fails on a page of no step is not blamed on the step before."""
        assert run(view(0, "/cart"), view(3, "/help"), fetch(4, "/help", 500)).severity == 0

    def test_a_failure_that_comes_late_belongs_to_its_own_page(self) -> None:
        """A failure of an earlier page, seen after the next step was reached, is the earlier step's."""
        one = run(view(0, "/cart"), view(5, "/checkout/pay"), crash(6, "/cart"))
        assert (step(one, "cart").hit, step(one, "pay").hit) == (True, False)

    def test_a_failure_without_a_page_belongs_to_the_step_one_is_at(self) -> None:
        """Signals that name no page are the current step's."""
        assert step(run(view(0, "/cart"), view(5, "/checkout/pay"), crash(6)), "pay").hit

    def test_what_fails_after_the_finish_hits_nobody(self) -> None:
        """After success the run is closed."""
        one = run(*TO_PAY, event(12, "order_completed"), crash(13, "/checkout/pay"))
        assert (one.end, one.severity) == ("finished", 0.0)

    def test_the_earliest_failing_step_owns_the_run(self) -> None:
        """With several steps hit, the run belongs to the one that failed first; each step keeps its own severity."""
        one = run(view(0, "/"), crash(1, "/"), view(5, "/cart"), view(9, "/checkout/pay"), fetch(10, "/checkout/pay", 502))
        assert (one.failure_step, one.severity, one.end) == ("home", 1.0, "stopped")
        assert (step(one, "home").severity, step(one, "pay").severity) == (0.8, 1.0)
        assert one.failure is not None
        assert one.failure.failure_kind == "script"

    def test_coming_back_from_a_failing_step_and_leaving_is_stopped(self) -> None:
        """Who was stopped at a step and leaves from an earlier one was stopped all the same."""
        one = run(*TO_PAY, fetch(10, "/checkout/pay", 502), view(20, "/cart"))
        assert (one.end, one.severity, step(one, "pay").stopped) == ("stopped", 1.0, True)

    def test_login_broken_hits_visits_without_identity(self) -> None:
        """Recognition asks nobody who they are: a failed sign-in is a hit like any other."""
        one = run(view(0, "/login"), fetch(1, "/login", 500, path="/api/login"), plans=(LOGIN,))
        assert (one.journey, one.end, one.severity) == ("login", "stopped", 1.0)


class TestSlow:
    """Slowness is a hit of its own, and a milder one."""

    def test_lcp_beyond_the_limit_is_slow(self) -> None:
        """LCP above degraded_if weighs .25, finished or not, and is no hit."""
        left = run(view(0, "/checkout/pay"), lcp(3, 2600, "/checkout/pay"))
        done = run(view(0, "/checkout/pay"), lcp(3, 2600, "/checkout/pay"), event(5, "order_completed"))
        assert [(r.severity, r.outcome, r.end) for r in (left, done)] == [(0.25, "degraded", "gave_up"), (0.25, "degraded", "finished")]
        assert (step(left, "pay").slow, step(left, "pay").hit, step(left, "pay").lcp_ms) == (True, False, 2600)

    def test_the_limit_itself_is_not_slow(self) -> None:
        """`lcp > 2500ms` does not hold at 2500 ms."""
        assert run(view(0, "/checkout/pay"), lcp(3, 2500, "/checkout/pay")).severity == 0

    def test_the_last_report_of_a_vital_counts(self) -> None:
        """LCP grows while the page loads; the last value is the page's."""
        one = run(view(0, "/checkout/pay"), lcp(2, 900, "/checkout/pay"), lcp(3, 1900, "/checkout/pay"))
        assert step(one, "pay").lcp_ms == 1900

    def test_a_page_that_took_long_to_load_is_slow(self) -> None:
        """A page view longer than degraded_if total is slow."""
        one = run(view(0, "/checkout/pay", duration=4001))
        assert (one.severity, step(one, "pay").load_ms) == (0.25, 4001)

    def test_a_vital_reported_after_the_finish_still_counts(self) -> None:
        """Pages report their LCP when they are hidden, which may be after the order."""
        one = run(view(0, "/checkout/pay"), event(5, "order_completed"), lcp(6, 3000, "/checkout/pay"))
        assert (one.end, one.severity, step(one, "pay").slow) == ("finished", 0.25, True)

    def test_an_error_outweighs_slowness(self) -> None:
        """Severity is the worst, never a sum."""
        one = run(view(0, "/checkout/pay"), lcp(1, 3000, "/checkout/pay"), fetch(2, "/checkout/pay", 500))
        assert (one.severity, step(one, "pay").slow) == (1.0, True)

    def test_without_a_limit_nothing_is_slow(self) -> None:
        """A step without degraded_if is never slow."""
        assert run(view(0, "/cart", duration=60_000), lcp(50, 50_000, "/cart")).severity == 0


class TestBoundaries:
    """Where one run ends and the next begins."""

    def test_two_purchases_are_two_runs(self) -> None:
        """After a finish the same session may walk the journey again."""
        again = (view(100, "/"), view(105, "/cart"), view(109, "/checkout/pay"))
        found = runs(*TO_PAY, event(12, "order_completed"), *again, event(112, "order_completed"))
        assert [(r.started, r.ended, r.end) for r in found] == [(0, 12_000, "finished"), (100_000, 112_000, "finished")]

    def test_the_thank_you_page_begins_no_new_run(self) -> None:
        """Pages of the last step that follow the finish are its tail, reloads included."""
        found = runs(*TO_PAY, event(12, "order_completed", "/checkout/pay"), view(13, "/checkout/thanks"), view(14, "/checkout/thanks"))
        assert [r.end for r in found] == ["finished"]

    def test_the_thank_you_page_may_come_before_the_event(self) -> None:
        """The thank-you page under the last step's pattern is one more arrival, then done."""
        one = run(*TO_PAY, view(11, "/checkout/thanks"), event(12, "order_completed", "/checkout/thanks"))
        assert (one.end, step(one, "pay").arrivals) == ("finished", (9000, 11_000))

    def test_paying_again_after_another_page_is_a_new_run(self) -> None:
        """The tail ends with the first page elsewhere."""
        found = runs(*TO_PAY, event(12, "order_completed", "/checkout/pay"), view(20, "/help"), view(30, "/checkout/pay"))
        assert [(r.started, r.end) for r in found] == [(0, "finished"), (30_000, "gave_up")]

    def test_a_conversion_reported_twice_is_one_run(self) -> None:
        """The same conversion again, as by a reload of the thank-you page, finishes nothing a second time."""
        assert len(runs(*TO_PAY, event(12, "order_completed"), view(14, "/help"), event(15, "order_completed"))) == 1

    def test_long_idleness_ends_a_run(self) -> None:
        """Who comes back in the same session after more than `abandon` begins a new run; the old one is settled."""
        found = runs(*TO_PAY, fetch(10, "/checkout/pay", 502), view(10 + 1801, "/"), now=1_900_000)
        assert [(r.end, r.settled) for r in found] == [("stopped", True), ("trying", False)]

    def test_waiting_for_a_page_is_not_idleness(self) -> None:
        """Idle time counts from the end of what happened: a page that took longer than `abandon` to come belongs to the same run."""
        slow = view(9, "/checkout/pay", duration=ABANDON + 10_000)
        one = run(view(0, "/"), view(5, "/cart"), slow, fetch(9 + ABANDON / 1000 + 11, "/checkout/pay", 502))
        assert step(one, "pay").hit

    def test_who_goes_on_on_an_old_page_arrives_there_again(self) -> None:
        """A failure on a page opened longer than `abandon` ago hits its step in a run of its own: the customer was away and came back."""
        later = 20 + ABANDON / 1000
        old, new = runs(*TO_PAY, fetch(later, "/checkout/pay", 502), fetch(later + 5, "/checkout/pay", 502))
        assert not step(old, "pay").hit
        assert [s.id for s in new.steps] == ["pay"]
        assert step(new, "pay").hit
        assert len(step(new, "pay").arrivals) == 1

    def test_vitals_of_a_forgotten_page_begin_nothing(self) -> None:
        """A page that only reports its vitals when it is closed at last is not somebody coming back."""
        assert len(runs(*TO_PAY, lcp(20 + ABANDON / 1000, 900, "/checkout/pay"))) == 1

    def test_idleness_of_just_abandon_does_not(self) -> None:
        """At exactly `abandon` the run goes on."""
        assert len(runs(view(0, "/"), view(1800, "/cart"))) == 1

    def test_browsing_elsewhere_keeps_no_run_alive(self) -> None:
        """Only signals on the journey's own pages count against idleness."""
        elsewhere = [view(600 * n, "/help") for n in range(1, 6)]
        found = runs(view(0, "/"), *elsewhere, view(3001, "/cart"))
        assert [(r.started, r.end) for r in found] == [(0, "gave_up"), (3_001_000, "gave_up")]

    def test_two_journeys_in_one_session(self) -> None:
        """Each journey is recognised for itself, by journey and start."""
        found = runs(view(0, "/"), view(2, "/login"), event(3, "signed_in"), view(5, "/cart"), plans=(CHECKOUT, LOGIN))
        assert [(r.journey, r.end) for r in found] == [("checkout", "gave_up"), ("login", "finished")]

    def test_a_last_step_without_done_is_done_by_being_reached(self) -> None:
        """A journey that ends with a page is finished there once settled, unless that page failed."""
        fine = run(view(0, "/"), view(5, "/products/7"), plans=(BROWSE,))
        broken = run(view(0, "/"), view(5, "/products/7"), fetch(6, "/products/7", 500), plans=(BROWSE,))
        early = run(view(0, "/"), view(5, "/products/7"), plans=(BROWSE,), now=6000)
        assert [(r.end, r.settled) for r in (fine, broken, early)] == [("finished", True), ("stopped", True), ("trying", False)]
        assert step(fine, "product").done_at == 5000

    def test_back_at_an_earlier_step_such_a_journey_begins_anew(self) -> None:
        """Home, product, home, product are two finished runs; with a failed product page they are one."""
        twice = (view(0, "/"), view(5, "/products/7"), view(9, "/"), view(12, "/products/8"))
        assert [r.end for r in runs(*twice, plans=(BROWSE,))] == ["finished", "finished"]
        one = run(view(0, "/"), view(5, "/products/7"), fetch(6, "/products/7", 500), *twice[2:], plans=(BROWSE,))
        assert (one.end, one.severity) == ("finished", 0.5)

    def test_a_step_may_be_events_alone(self) -> None:
        """A step reached and done by events needs no page."""
        found = runs(event(0, "search_begun"), event(2, "search_done"), event(9, "search_begun"), plans=(SEARCH,))
        assert [r.end for r in found] == ["finished", "gave_up"]

    def test_done_implies_reached(self) -> None:
        """A done event at a step whose page beacon was lost counts as arrival and done."""
        one = run(view(0, "/"), view(5, "/cart"), event(12, "order_completed"))
        assert (one.end, step(one, "pay").arrivals, step(one, "pay").done_at) == ("finished", (12_000,), 12_000)

    def test_done_alone_begins_no_run_of_a_journey_that_shows_pages(self) -> None:
        """A conversion without any page of its journey is no walk."""
        assert runs(event(12, "order_completed")) == []

    def test_done_by_a_page(self) -> None:
        """A page may be what shows that a step is done."""
        plan = JourneyPlan("p", "v", "", (replace(PAY, done=page("/checkout/thanks")),))
        one = run(view(0, "/checkout/pay"), view(5, "/checkout/thanks"), plans=(plan,))
        assert (one.end, step(one, "pay").arrivals) == ("finished", (0,))


class TestCart:
    """The cart a person came with."""

    def test_the_newest_cart_known_at_the_arrival(self) -> None:
        """A step carries the cart as known when it was first reached, not what a failure made of it."""
        one = run(
            view(0, "/cart", cart_value=50.0, cart_currency="EUR"),
            view(5, "/checkout/pay"),
            fetch(6, "/checkout/pay", 500),
            view(9, "/checkout/pay", cart_value=0.0),
        )
        assert (step(one, "pay").cart_value, step(one, "pay").cart_currency) == (50.0, "EUR")

    def test_a_cart_learned_on_the_step_itself(self) -> None:
        """Without an earlier one, the first cart seen at the step before anything failed counts."""
        one = run(view(5, "/checkout/pay"), replace(fetch(6, "/checkout/pay"), cart_value=20.0, cart_currency="EUR"))
        assert step(one, "pay").cart_value == 20.0

    def test_a_cart_only_the_failing_request_knows(self) -> None:
        """The cart that came with the failing request itself was known before it failed."""
        one = run(view(5, "/checkout/pay"), replace(fetch(6, "/checkout/pay", 500), cart_value=20.0, cart_currency="EUR"))
        assert step(one, "pay").cart_value == 20.0


pages = st.sampled_from(["/", "/cart", "/checkout/pay", "/checkout/thanks", "/help", "/login", "/products/1", ""])
signals = st.builds(
    Signal,
    at=st.integers(0, 4_000_000),
    kind=st.sampled_from(SignalKind),
    page=pages,
    name=st.sampled_from(["order_completed", "signed_in", "search_begun", "search_done", "lcp", "TypeError", ""]),
    duration=st.integers(0, 60_000),
    trace_id=st.sampled_from(["a", "b", ""]),
    method=st.just("POST"),
    path=st.sampled_from(["/payments", "/x"]),
    status=st.sampled_from([0, 200, 404, 500, 502]),
    error=st.sampled_from(["", "network", "abort", "500"]),
    value=st.floats(0, 9000),
    cart_value=st.sampled_from([-1.0, 0.0, 62.0]),
)
sessions = st.lists(signals, max_size=25)
ALL = (BROWSE, CHECKOUT, LOGIN, SEARCH)


@given(sessions, st.randoms(use_true_random=False), st.integers(0, 9_000_000))
@settings(deadline=None, max_examples=150)
def test_order_and_repetition_of_signals_change_nothing(session: list[Signal], dice: "st.random.Random", now: int) -> None:  # type: ignore[name-defined]
    """The same signals shuffled, and some of them twice, give the same runs."""
    shuffled = session + [s for s in session if dice.random() < 0.3]
    dice.shuffle(shuffled)
    assert recognise("s", "shop", shuffled, ALL, abandon=ABANDON, now=now) == recognise("s", "shop", session, ALL, abandon=ABANDON, now=now)


@given(sessions, st.integers(0, 9_000_000))
@settings(deadline=None, max_examples=150)
def test_time_only_settles(session: list[Signal], now: int) -> None:
    """Looking later changes no run's identity, extent or failures, nor anything of a settled run; in the end all are settled."""
    early = recognise("s", "shop", session, ALL, abandon=ABANDON, now=now)
    late = recognise("s", "shop", session, ALL, abandon=ABANDON, now=LATER * 10)
    assert [(r.run_id, r.started, r.ended, r.failure_step, [s.failures for s in r.steps]) for r in early] == [
        (r.run_id, r.started, r.ended, r.failure_step, [s.failures for s in r.steps]) for r in late
    ]
    assert all(r.settled for r in late)
    assert all(a == b for a, b in zip(early, late, strict=True) if a.settled)
    assert all(a.severity <= b.severity for a, b in zip(early, late, strict=True))


@given(sessions)
@settings(deadline=None, max_examples=150)
def test_what_holds_of_every_run(session: list[Signal]) -> None:
    """Ids differ; severity is one of the five; hits have failures and stopped ones are hit; failures and arrivals lie in order."""
    found = recognise("s", "shop", session, ALL, abandon=ABANDON, now=LATER)
    assert len({r.run_id for r in found}) == len(found)
    for one in found:
        assert one.severity in (0.0, 0.25, 0.5, 0.8, 1.0)
        assert (one.end == "stopped") == any(s.stopped for s in one.steps)
        assert (one.severity == 1.0) == (one.end == "stopped")
        for s in one.steps:
            assert s.hit == bool(s.failures) == (s.failure is not None)
            assert s.arrivals
            assert list(s.arrivals) == sorted(s.arrivals)
            assert list(s.failures) == sorted(s.failures)
            assert len(s.failures) <= len(s.arrivals)
            assert one.started <= s.arrivals[0]
            assert not (s.stopped and (s.recovered or s.done_at is not None))
