"""What people call journeys and steps; one that is no longer in the folder goes by its id."""

from sojourn_collector.context import Context
from sojourn_collector.web.models import Named


def journey_title(context: Context, journey: str) -> Named:
    """A journey by id and name."""
    known = context.journeys.all().get(journey)
    return Named(id=journey, name=(known.name or known.id) if known else journey)


def step_title(context: Context, journey: str, step: str) -> Named:
    """A step of a journey by id and name."""
    known = context.journeys.all().get(journey)
    found = next((one for one in known.steps if one.id == step), None) if known else None
    return Named(id=step, name=(found.name or found.id) if found else step)


def step_place(context: Context, journey: str, step: str) -> int:
    """Number of a step in its journey from 0; unknown ones come last."""
    known = context.journeys.all().get(journey)
    return next((place for place, one in enumerate(known.steps) if one.id == step), len(known.steps)) if known else 0
