"""Made-up alarms of the shop."""

from sojourn_collector.web.models import Named
from sojourn_collector.web.models_alarms import Alarm, AlarmsAnswer
from tests.collector.web.fixtures import NOW, ago


def alarm(name: str, step: str, hit: int, people: int, *, wakes: bool = True, also: tuple[str, ...] = ()) -> Alarm:
    """One step that alarms for twenty minutes; `name` is what a stranger may have written."""
    share = 100 * hit / people
    return Alarm(
        journey=Named(id="checkout", name=name),
        step=Named(id=step.lower(), name=step),
        state="alarm",
        since=ago(1200),
        raised=ago(1140),
        people=people,
        hit=hit,
        hit_people=hit - 1,
        hit_visits=1,
        usual=0.012,
        usual_high=0.016,
        sum=14.2,
        threshold=11.5,
        impact=share,
        low=share * 0.6,
        high=share * 1.5,
        wakes=wakes,
        also=[Named(id=one, name=one) for one in also],
    )


def alarmed(name: str = "Buy one item") -> AlarmsAnswer:
    """Pay alarms and wakes, the search alarms and does not."""
    return quiet().model_copy(update={"alarms": [alarm(name, "Pay", 38, 168, also=("Thanks",)), alarm(name, "Search", 15, 910, wakes=False)], "unwatched": 1})


def quiet() -> AlarmsAnswer:
    """Of an installation where nothing is wrong."""
    return AlarmsAnswer(
        as_of=NOW,
        watched=6,
        unwatched=0,
        journeys=["checkout"],
        false_per_week=1,
        factor=3,
        people_per_week=52_310,
        impact_from=5,
        currency="EUR",
        alarms=[],
        rising=[],
    )
