"""The chapters of the report: what else can be asked than the report as a whole, each from a route of `/api/v1` and in every form.

`CHAPTERS` is the one list. A chapter's module beside this one has `ANSWER`, the model of what the route answers, and `tell`, which says it; it is loaded
when it is told.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from sojourn_collector.web.chapters.chapter import EVERY, JOURNEY, Chapter, Option
from sojourn_collector.web.chapters.told import Told

CHAPTERS: Final = (
    Chapter(
        "problem", "One problem: its figures, impact by worth, the recurring revenue exposed.", "/problems/{problem}", "--problem checkout.pay.20260301T080000Z"
    ),
    Chapter(
        "journey", "How customers fared in a journey beside our probes, and what they said.", "/journeys/{journey}", "--journey checkout --days 7", window=True
    ),
    Chapter(
        "drivers",
        "What explains a journey's score, by what happened or by a fact.",
        "/journeys/{journey}/breakdown",
        "--journey checkout --by plan --days 28",
        (
            Option("by", "FACT", "cause (default), step, failure_kind, or a fact such as plan, device, browser, release, country, channel, day, hour"),
            Option("attr", "NAME", "an attribute to break down by, instead of --by"),
            Option("of", "WHOSE", "whose attribute: person, account or visit"),
            Option("view", "VIEW", "people (default), or value: by what customers are worth"),
        ),
        window=True,
    ),
    Chapter(
        "experience",
        "How customers fared in a journey, or at a step, by a fact.",
        "/journeys/{journey}/experience",
        "--journey checkout --by plan --days 28",
        (
            Option("by", "FACT", "device (default), browser, plan, segment, country, channel, hour and others, or step, failure_kind"),
            Option("attr", "NAME", "an attribute to group by, instead of --by"),
            Option("of", "WHOSE", "whose attribute: person, account or visit"),
            Option("step", "ID", "of who came to this step"),
        ),
        window=True,
    ),
    Chapter("money", "What a journey's problems cost together, and revenue exposed.", "/journeys/{journey}/money", "--journey checkout --days 7", window=True),
    Chapter("history", "One journey by day or hour, for years back.", "/journeys/{journey}/history", "--journey checkout --days 90", (*EVERY,), window=True),
    Chapter(
        "satisfaction",
        "Satisfaction by a fact: CSAT, NPS and CES of each survey and scale.",
        "/satisfaction",
        "--by plan --days 30 --format csv",
        (
            Option("by", "FACT", "survey (default), question, channel, plan, segment, country, failure_kind, device, release, day, week and others"),
            Option("attr", "NAME", "an attribute to group by, instead of --by"),
            Option("of", "WHOSE", "whose attribute: person, account or visit"),
            Option("over", "PERIOD", "each group by day, week or month too"),
            JOURNEY,
        ),
        window=True,
    ),
    Chapter(
        "corrected-csat", "CSAT of all who were asked, those who kept silent included.", "/journeys/{journey}/corrected-csat", "--journey checkout", window=True
    ),
    Chapter(
        "elasticity", "What goes with each doubling of the wait, step by step.", "/journeys/{journey}/elasticity", "--journey checkout --days 28", window=True
    ),
    Chapter("forecast", "How many tickets a problem will bring.", "/problems/{problem}/forecast", "--problem checkout.pay.20260301T080000Z"),
    Chapter("fix", "Whether a marked fix or release helped.", "/marks/{mark}/verification", "--mark 4f1c0a9b2d3e"),
    Chapter("fixes", "Marks of releases and fixes, with their ids.", "/marks", "--format md"),
    Chapter("tickets", "Tickets: how many, how long, which come back, and from where.", "/tickets", "--days 28", (JOURNEY,), window=True),
    Chapter("starter", "Satisfaction, tickets and how long they wait, over 28 days.", "/starter-set", "--format md"),
    Chapter("silent", "How many valuable customers were badly hit and said nothing.", "/silent-sufferers", "--days 28", (JOURNEY,), window=True),
    Chapter("ended", "Why subscriptions were ended, and how many had been hit before.", "/subscriptions/ended", "--days 90", window=True),
    Chapter("surveys", "Who is asked too often, and which accounts too rarely.", "/surveys", "--days 90", window=True),
    Chapter("unlinked", "What could not be linked to a visit, why, and what helps.", "/unlinked", "--days 7", window=True),
    Chapter("alarms", "Steps at which more customers are newly hit than usual.", "/alarms", "--json"),
    Chapter("versions", "What decided the scores since when.", "/impact/versions", "--format csv"),
)


def told(chapter: Chapter, body: Mapping[str, Any]) -> Told:
    """What the route answered, said. Raises pydantic's ValidationError for a body of another version."""
    module = import_module(f"{__name__}.{chapter.name.replace('-', '_')}")
    one: Told = module.tell(module.ANSWER.model_validate(body))
    return one
