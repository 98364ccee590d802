"""One walk through a journey, being recognised signal by signal. Mutable while it grows; `real_run` reads it out."""

from dataclasses import dataclass, field

from sojourn_collector.join.plan import JourneyPlan, StepPlan
from sojourn_collector.join.signals import Signal, SignalKind


@dataclass(slots=True)
class ArrivalAtStep:
    """One arrival at a step and what became of it."""

    at: int
    page: str
    failure: Signal | None = None
    repaired: bool = False
    lcp: float = 0.0
    load: float = 0.0

    @property
    def failing(self) -> bool:
        """Whether the last try on this arrival failed: no later request of the same kind came through."""
        return self.failure is not None and not self.repaired


@dataclass(slots=True)
class StepVisit:
    """All that one walk did at one step."""

    plan: StepPlan
    arrivals: list[ArrivalAtStep] = field(default_factory=list)
    dones: list[int] = field(default_factory=list)
    last_seen: int = 0
    cart_value: float = -1.0
    cart_currency: str = ""

    def arrive(self, signal: Signal) -> None:
        """A new arrival; every match counts, a reload too."""
        arrival = ArrivalAtStep(at=signal.at, page=signal.page)
        if signal.kind is SignalKind.PAGE_VIEW:
            arrival.load = float(signal.duration)
        self.arrivals.append(arrival)
        self._look(arrival, signal)

    def see(self, signal: Signal) -> None:
        """Something that happened after the newest arrival."""
        self._look(self.arrivals[-1], signal)

    def vital(self, signal: Signal) -> None:
        """A web vital; the same one reports again with a grown value and the last one counts."""
        if signal.name == "lcp":
            arrival = next((a for a in reversed(self.arrivals) if a.at <= signal.at), self.arrivals[0])
            arrival.lcp = signal.value

    def belongs(self, signal: Signal) -> bool:
        """Whether `signal` happened on a page of this step."""
        if not signal.page or not self.arrivals:
            return bool(self.arrivals)
        reached = self.plan.reached
        return signal.page == self.arrivals[-1].page or (reached is not None and reached.covers(signal.page))

    def _look(self, arrival: ArrivalAtStep, signal: Signal) -> None:
        self.last_seen = max(self.last_seen, signal.at)
        if signal.failed:
            arrival.failure = arrival.failure or signal
            arrival.repaired = False
        elif arrival.failure is not None and _same_request(arrival.failure, signal):
            arrival.repaired = True


@dataclass(slots=True)
class Walk:
    """A walk under way. `finished_at` is set when its last step is done, `closed` when it was given up."""

    plan: JourneyPlan
    started: int
    last_seen: int
    visits: dict[int, StepVisit] = field(default_factory=dict)
    trace_ids: dict[str, None] = field(default_factory=dict)
    finished_at: int | None = None
    closed: bool = False
    _current: int = -1
    _cart: tuple[float, str] = (-1.0, "")

    def take(self, signal: Signal, cart: tuple[float, str]) -> bool:
        """Take the next signal of the session, in order. Says whether it belongs to this walk. `cart` is the newest known by now."""
        self._cart = cart
        ours = False
        for index, step in enumerate(self.plan.steps):
            if step.done is not None and step.done.matches(signal):
                self._done(index, signal)
                ours = True
            elif step.reached is not None and step.reached.matches(signal):
                self._arrive(index, signal)
                ours = True
        if not ours:
            visit = self._owner(signal)
            if visit is not None:
                if signal.kind is SignalKind.VITAL:
                    visit.vital(signal)
                _fill_cart(visit, cart)
                visit.see(signal)
                ours = True
        if ours:
            self._note(signal)
        return ours

    def resume(self, signal: Signal, cart: tuple[float, str]) -> bool:
        """Begin with something that happened on a page opened long before: its customer was away and goes on there.

        Says whether the page is one of a step; being back on it is an arrival.
        """
        self._cart = cart
        for index in reversed(range(len(self.plan.steps))):
            reached = self.plan.steps[index].reached
            if reached is not None and reached.covers(signal.page):
                self._arrive(index, signal)
                self._note(signal)
                return True
        return False

    def _note(self, signal: Signal) -> None:
        # To its end: who waits for a slow page is not idle.
        self.last_seen = max(self.last_seen, signal.ended)
        if signal.trace_id:
            self.trace_ids.setdefault(signal.trace_id)

    def late_vital(self, signal: Signal) -> None:
        """A web vital that reported only after the walk was finished: pages report when they are hidden."""
        visit = self._owner(signal)
        if visit is not None:
            visit.vital(signal)

    def ends_on_arrival(self) -> bool:
        """Whether the last step is done by merely being reached, and was, without a failure left standing."""
        last = self.visits.get(len(self.plan.steps) - 1)
        return last is not None and last.plan.done is None and bool(last.arrivals) and not last.arrivals[-1].failing

    def _arrive(self, index: int, signal: Signal) -> None:
        for earlier, visit in self.visits.items():
            if earlier < index and visit.plan.done is None:
                visit.dones.append(signal.at)
        visit = self._visit(index)
        visit.arrive(signal)
        _fill_cart(visit, self._cart)
        self._current = index

    def _done(self, index: int, signal: Signal) -> None:
        visit = self._visit(index)
        if not visit.arrivals:
            self._arrive(index, signal)
        visit.see(signal)
        visit.dones.append(signal.at)
        if index == len(self.plan.steps) - 1:
            self.finished_at = signal.at

    def _visit(self, index: int) -> StepVisit:
        return self.visits.setdefault(index, StepVisit(self.plan.steps[index]))

    def _owner(self, signal: Signal) -> StepVisit | None:
        """The step a signal belongs to: the one we are at, else the one arrived at latest on whose page it happened."""
        current = self.visits.get(self._current)
        if current is not None and current.belongs(signal):
            return current
        others = sorted(self.visits.values(), key=lambda visit: visit.arrivals[-1].at, reverse=True)
        return next((visit for visit in others if visit.belongs(signal)), None)


def _fill_cart(visit: StepVisit, cart: tuple[float, str]) -> None:
    """The cart a person came with; learned later only while nothing has failed, for a failure may empty it."""
    if visit.cart_value < 0 and all(arrival.failure is None for arrival in visit.arrivals):
        visit.cart_value, visit.cart_currency = cart


def _same_request(failure: Signal, signal: Signal) -> bool:
    return (
        failure.kind is SignalKind.FETCH
        and signal.kind is SignalKind.FETCH
        and (failure.method, failure.path) == (signal.method, signal.path)
        and 0 < signal.status < 500
    )
