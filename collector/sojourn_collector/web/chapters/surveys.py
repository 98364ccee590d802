"""Who is asked too often, and how many accounts too rarely."""

from sojourn_collector.web.chapters.figures import of_part
from sojourn_collector.web.chapters.told import Column, Figure, Table, Told, facts
from sojourn_collector.web.format import number
from sojourn_collector.web.models_surveys import AskedAnswer

ANSWER = AskedAnswer
_WEEKS = (Column("week", "week"), Column("invited", "asked"), Column("answered", "answered"), Column("rate", "response rate"))


def tell(answer: AskedAnswer) -> Told:
    """Of a window; the accounts themselves are named on the page Feedback and in --json."""
    weeks = [(one.week, Figure(one.invited), Figure(one.answered), Figure(one.rate, "share")) for one in answer.weeks]
    return Told(
        "surveys",
        f"Asked too often, or too rarely: {'not known' if answer.risk == 'unknown' else answer.risk}",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        lines=[f"the response rate: {'not known' if answer.rate_direction == 'unknown' else answer.rate_direction}"],
        tables=[
            facts(
                "asked",
                "",
                [
                    (f"asked again within {number(answer.rest_days)} days", of_part(answer.too_often)),
                    ("most often one person was asked", Figure(answer.most)),
                    (f"accounts without an answer for {number(answer.rarely_days)} days", Figure(answer.accounts_unasked, of=answer.accounts)),
                ],
            ),
            Table("week", "By week", _WEEKS, weeks, "nobody is known to have been asked"),
        ],
    )
