"""Small sessions to recognise journeys in: their signals and the journeys they are held against. Times are seconds."""

from dataclasses import replace

from sojourn_collector.join.plan import JourneyPlan, Pattern, StepPlan
from sojourn_collector.join.real_run import RealRun, RealStep
from sojourn_collector.join.recognise import recognise
from sojourn_collector.join.signals import Signal, SignalKind
from sojourn_probes.match import Match

ABANDON = 1_800_000
LATER = 10**9


def page(path: str) -> Pattern:
    """A page pattern."""
    return Pattern(page=Match(page=path))


HOME = StepPlan("home", "Home", 1, page("/"), None)
CART = StepPlan("cart", "Cart", 2, page("/cart"), None)
PAY = StepPlan("pay", "Pay", 3, page("/checkout/*"), Pattern(event="order_completed"), lcp_limit=2500.0, load_limit=4000.0)
CHECKOUT = JourneyPlan("checkout", "v1", "", (HOME, CART, PAY))
LOGIN = JourneyPlan("login", "v1", "", (StepPlan("login", "Sign in", 1, page("/login"), Pattern(event="signed_in")),))
BROWSE = JourneyPlan("browse", "v1", "", (HOME, StepPlan("product", "Product", 2, page("/products/*"), None)))
SEARCH = JourneyPlan("search", "v1", "", (StepPlan("search", "Search", 1, Pattern(event="search_begun"), Pattern(event="search_done")),))


def view(at: float, path: str, **more: object) -> Signal:
    """A page view, `at` seconds."""
    return replace(Signal(int(at * 1000), SignalKind.PAGE_VIEW, page=path, duration=500), **more)  # type: ignore[arg-type]


def fetch(at: float, on: str, status: int = 200, path: str = "/payments", duration: int = 100, error: str = "") -> Signal:
    """A POST of the page `on`."""
    return Signal(
        int(at * 1000), SignalKind.FETCH, page=on, path=path, method="POST", status=status, duration=duration, error=error, trace_id=f"t{at}", span_id="s"
    )


def crash(at: float, on: str = "") -> Signal:
    """A script error."""
    return Signal(int(at * 1000), SignalKind.EXCEPTION, page=on, name="TypeError", message="x is undefined")


def event(at: float, name: str, on: str = "") -> Signal:
    """A conversion."""
    return Signal(int(at * 1000), SignalKind.CONVERSION, page=on, name=name)


def lcp(at: float, value: float, on: str) -> Signal:
    """A largest contentful paint in milliseconds."""
    return Signal(int(at * 1000), SignalKind.VITAL, page=on, name="lcp", value=value)


def runs(*signals: Signal, plans: tuple[JourneyPlan, ...] = (CHECKOUT,), now: int = LATER, app: str = "shop") -> list[RealRun]:
    """The runs of a session, looked at long after by default."""
    return recognise("s", app, signals, plans, abandon=ABANDON, now=now)


def run(*signals: Signal, plans: tuple[JourneyPlan, ...] = (CHECKOUT,), now: int = LATER) -> RealRun:
    """The one run of a session."""
    (one,) = runs(*signals, plans=plans, now=now)
    return one


def step(of: RealRun, id_: str) -> RealStep:
    """One step of a run."""
    return next(s for s in of.steps if s.id == id_)


TO_PAY = (view(0, "/"), view(5, "/cart"), view(9, "/checkout/pay"))
