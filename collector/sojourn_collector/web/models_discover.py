"""The answer about paths that real people walk and no journey covers."""

from datetime import datetime

from sojourn_collector.web.models import Answer


class DiscoveredStep(Answer):
    """One place on the way: a page pattern, or a conversion. `people` came to it on this way."""

    page: str
    event: str
    people: int


class DiscoveredPath(Answer):
    """One path. `visits` walked all of it, half of them within `seconds`; `finished` = share of those who began (0–1)."""

    app: str
    steps: list[DiscoveredStep]
    visits: int
    finished: float
    seconds: float


class DiscoverAnswer(Answer):
    """Body of `GET /api/v1/discover`. Of the visits one in `one_in` was looked at; counts are of those. `known` = journeys that customers can be seen in."""

    as_of: datetime
    window_from: datetime
    window_to: datetime
    visits: int
    people: int
    one_in: int
    paths: list[DiscoveredPath]
    known: int
    reason: str
