"""Which fault is on, and whether this browser's next try meets it."""

from dataclasses import dataclass

from sojourn_demo.faults import Fault
from sojourn_demo.shop.visitors import Visitor


@dataclass(slots=True)
class Switchboard:
    """One fault at a time, or none. Probes meet every fault; for shoppers the draw of `Fault.meets` decides."""

    fault: Fault | None = None

    def at_payment(self, visitor: Visitor) -> str:
        """Count one try of `visitor` and return the fault its payment meets: `error`, `slow` or empty."""
        fault = self.fault
        if fault is not None and fault.kind == "broken_script":
            return ""  # counted when the page was asked for
        visitor.tries += 1
        if fault is None:
            return ""
        return fault.kind if visitor.probe or fault.meets(visitor.id, visitor.tries) else ""

    def breaks_script(self, visitor: Visitor) -> bool:
        """True when the pay page of `visitor` gets the broken script; with this fault the page is what counts as a try."""
        fault = self.fault
        if fault is None or fault.kind != "broken_script":
            return False
        visitor.tries += 1
        return visitor.probe or fault.meets(visitor.id, visitor.tries)
