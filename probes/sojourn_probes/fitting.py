"""Whether an expectation looks at something its step can see."""

from sojourn_probes.expectation import Expectation
from sojourn_probes.step import Step


def misfit(step: Step, key: str, expectation: Expectation) -> str | None:
    """Why `expectation` cannot be seen by `step`; None when it can."""
    if step.kind in expectation.kinds():
        return None
    where = " and ".join(sorted(expectation.kinds()))
    if key == "degraded_if" and step.customers is not None:
        return None  # judged in real traffic only
    if step.kind is None:
        return f"{expectation.source} is seen by {where} steps, and this step has no probe; add {sorted(expectation.kinds())[0]}: or remove it"
    return f"{expectation.source} is seen by {where} steps only, not by {step.kind}; remove it"
