"""What the shop's problems cost together, as an answer would be."""

from datetime import timedelta

from sojourn_collector.web import models_measures as measures
from sojourn_collector.web.models_journey_money import JourneyMoney, MissingSum
from tests.collector.web.fixtures import NOW, ago
from tests.collector.web.fixtures_of_measures import WEEKS


def cost(note: str) -> JourneyMoney:
    """Two problems with an estimate, one with a bound alone, one with neither."""
    return JourneyMoney(
        as_of=NOW,
        window_from=ago(WEEKS),
        window_to=NOW,
        journey="checkout",
        name="Buy one item",
        missing=MissingSum(
            state="so_far",
            problems=4,
            estimated=2,
            amount=3_120.0,
            low=1_480.0,
            high=4_900.0,
            currency="EUR",
            final_at=NOW + timedelta(hours=20),
            hit=212,
            twice=2,
            bounded=1,
            upper_bound=640.0,
            silent=1,
            notes=[note],
        ),
        exposed=measures.Exposed(
            monthly=9_310.0, currency="EUR", accounts=31, subscriptions=6, people=180, unknown=94, renewing=4, other_currencies={"USD": 310.0}
        ),
    )
