"""Mentions and the language of words, through the join and on the real engine."""

from tests.collector.join.working import at, keep, shopper, table
from tests.collector.join.world import World


async def test_a_mention_is_feedback_in_its_language(world: World) -> None:
    """It is linked to the visit of the person it names, else to nobody; its language is recognised, and one that was given stays."""
    b = shopper(world, ago=600, user_id="u1")
    await world.load([b.page(0, "/")])
    said = {"at": at(world.clock()), "platform": "forum"}
    await keep(world, "mentions", id="1", text="Seit dem Update stürzt die App ständig ab", user_id="u1", **said)
    await keep(world, "mentions", id="2", text="Seit dem Update stürzt die App ständig ab", language="DE_at", author_digest="ab" * 32, **said)
    await keep(world, "mentions", id="3", text="ok", rating=4, scale_min=1, scale_max=5, **said)
    await world.join()
    await world.join()
    one, two, three = await table(world, "feedback")
    assert (one["kind"], one["join"], one["session_id"], one["person_id"]) == ("mention", "inferred", "s-1", "user:u1")
    assert (one["language"], one["language_by"]) == ("de", "detected")
    assert (two["join"], two["person_id"], two["author"], two["language"], two["language_by"]) == ("unlinked", "", "ab" * 32, "de-AT", "given")
    assert (three["value"], three["survey_id"], three["language"], three["language_by"]) == (4.0, "forum", "", "")


async def test_rows_of_before_get_a_language_on_replay(world: World) -> None:
    """What was brought in by a version that recognised nothing gets its language when its source is read once more, and no second row."""
    await keep(world, "feedback", id="f-1", kind="text", comment="Je ne peux plus me connecter depuis hier", at=at(world.clock()))
    world.worker._inbox._languages = as_before
    await world.join()
    assert [(row["language"], row["language_by"]) for row in await table(world, "feedback")] == [("", "")]
    world.worker = world.new_worker()
    assert await world.control.inbox.again("feedback", None, world.store.tenant) == 1
    await world.join()
    assert [(row["language"], row["language_by"]) for row in await table(world, "feedback")] == [("fr", "detected")]


async def test_the_words_of_a_survey_in_the_page_have_a_language(world: World) -> None:
    """A comment that a beacon brought is looked at as well."""
    b = shopper(world, user_id="u1")
    answer = b.event(
        3, "sojourn.survey", "/", sojourn__survey__id="s", sojourn__survey__kind="text", sojourn__survey__comment="The payment failed twice and nobody answers"
    )
    await world.load([b.page(0, "/")], [answer])
    await world.join()
    (row,) = await table(world, "feedback")
    assert (row["source"], row["language"], row["language_by"]) == ("beacon", "en", "detected")


async def as_before(_rows: object) -> None:
    """Nothing is recognised."""
