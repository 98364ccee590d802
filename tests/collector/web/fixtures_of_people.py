"""People at a problem to show: possibly hit, and hit."""

from typing import Any

from sojourn_collector.web.models import Named
from sojourn_collector.web.models_lists import AtProblemItem, AtProblemList
from tests.collector.web.fixtures import NAMES, NOW, PROBLEM, REAL_RUN, ago


def at_problem(ident: str, met: str, label: str = NAMES[0]) -> AtProblemList | None:
    """A page of them, of which there are more."""
    if met not in ("possibly", "hit"):
        return None
    known = {"person_id": "user:u12", "kind": "user", "label": label, "account_id": "a1", "account": "Acme", "plan": "gold", "tries": 3, "value": 62.0}
    odd: dict[str, Any] = {"person_id": "visit:s-9", "kind": "visit", "label": "anonymous visit s-9", "account_id": "", "account": "", "plan": "", "tries": 1}
    severity = 1.0 if met == "hit" else 0.0
    fared = {"settled": True, "slow": False, "severity": severity, "run_id": REAL_RUN}
    return AtProblemList(
        window_from=ago(480),
        window_to=NOW,
        next="W10",
        problem=PROBLEM if ident == PROBLEM else ident,
        as_of=NOW,
        met=met,
        journey=Named(id="checkout", name=label),
        step=Named(id="pay", name="Pay"),
        people=41,
        visits=7,
        currency="EUR",
        note="",
        items=[
            AtProblemItem.model_validate({**known, **fared, "at": ago(60), "session_id": "s-12"}),
            AtProblemItem.model_validate({**known, **fared, "at": ago(90), "session_id": "s-13", "settled": False, "label": "Mina Okafor", "plan": ""}),
            AtProblemItem.model_validate({**odd, **fared, "at": ago(200), "session_id": "s-9", "slow": True, "value": None}),
        ],
    )
