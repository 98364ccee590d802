"""One walk through a journey, being recognised signal by signal. Mutable while it grows; `real_run` reads it out."""

from dataclasses import dataclass, field

from sojourn_collector.join.plan import JourneyPlan, StepPlan
from sojourn_collector.join.signals import SHOWS_A_STEP, Signal, SignalKind


@dataclass(slots=True)
class ArrivalAtStep:
    """One arrival at a step and what became of it. `failure` is the first, `standing` are those that nothing has repaired."""

    at: int
    page: str
    failure: Signal | None = None
    standing: set[tuple[str, str]] = field(default_factory=set)
    lcp: float = 0.0
    load: float = 0.0

    @property
    def failing(self) -> bool:
        """Whether something that failed on this arrival never came through: a request tried again in vain, or a script error."""
        return bool(self.standing)


@dataclass(slots=True)
class StepVisit:
    """All that one walk did at one step."""

    plan: StepPlan
    arrivals: list[ArrivalAtStep] = field(default_factory=list)
    dones: list[int] = field(default_factory=list)
    last_seen: int = 0
    cart_value: float = -1.0
    cart_currency: str = ""
    _newest: dict[str, ArrivalAtStep] = field(default_factory=dict)

    def arrive(self, signal: Signal) -> None:
        """A new arrival; every match counts, a reload too."""
        arrival = ArrivalAtStep(at=signal.at, page=signal.page)
        if signal.kind is SignalKind.PAGE_VIEW:
            arrival.load = float(signal.duration)
        self.arrivals.append(arrival)
        self._newest[signal.page] = arrival
        self._look(arrival, signal)

    def see(self, signal: Signal) -> None:
        """Something that happened at this step, after an arrival."""
        self._look(self._on(signal.page), signal)

    def vital(self, signal: Signal) -> None:
        """A web vital; the same one reports again with a grown value and the last one counts."""
        if signal.name == "lcp":
            self._on(signal.page).lcp = signal.value

    def belongs(self, signal: Signal) -> bool:
        """Whether `signal` happened on a page of this step."""
        if not signal.page or not self.arrivals:
            return bool(self.arrivals)
        reached = self.plan.reached
        return signal.page == self.arrivals[-1].page or (reached is not None and reached.covers(signal.page))

    def _on(self, page: str) -> ArrivalAtStep:
        """The newest arrival on this very page: another tab, or a page being left, is still heard while the next one is there already."""
        return self._newest.get(page, self.arrivals[-1])

    def _look(self, arrival: ArrivalAtStep, signal: Signal) -> None:
        self.last_seen = max(self.last_seen, signal.at)
        if signal.failed:
            arrival.failure = arrival.failure or signal
            arrival.standing.add(_asked(signal))
        elif arrival.standing and signal.kind is SignalKind.FETCH and 0 < signal.status < 500:
            arrival.standing.discard(_asked(signal))


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
        for index, step in enumerate(self.plan.steps if signal.kind in SHOWS_A_STEP else ()):
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
        others = [visit for visit in self.visits.values() if visit.belongs(signal)]
        return max(others, key=lambda visit: visit.arrivals[-1].at, default=None)


def _fill_cart(visit: StepVisit, cart: tuple[float, str]) -> None:
    """The cart a person came with; learned later only while nothing has failed, for a failure may empty it."""
    if visit.cart_value < 0 and all(arrival.failure is None for arrival in visit.arrivals):
        visit.cart_value, visit.cart_currency = cart


def _asked(signal: Signal) -> tuple[str, str]:
    """What a signal asked for: the same asked again and answered repairs a failure of it. Script errors and pages ask for nothing that repairs them."""
    return (signal.method, signal.origin + signal.path) if signal.kind is SignalKind.FETCH else ("", signal.kind.name)
