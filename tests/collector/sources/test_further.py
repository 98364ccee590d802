"""Which event is asked for next: every one has its turn, and none is lost to another's fault."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sojourn_collector.sources.further import Further
from sojourn_collector.sources.replaying import Replayed
from tests.collector.sources.conftest import Opening
from tests.collector.sources.test_surveymonkey import EVENT, RESPONSE, SURVEY
from tests.collector.sources.vendor_api import VendorApi
from tests.collector.sources.webhook_rig import Desk, settings

DETAILS = "/surveys/77/responses/{}/details"


async def poll_of(opened: Opening, vendor_api: VendorApi, *answers: tuple[int, Any]) -> Desk:
    """A survey tool with one response each, and what the vendor says of it."""
    desk = await opened(poll=settings("surveymonkey", client_id="cid", token={"env": "TOKEN"}, url=vendor_api.url))
    vendor_api.answers["/surveys/77/details"] = [SURVEY]
    for ident, answer in answers:
        vendor_api.answers[DETAILS.format(ident)] = [answer]
        await desk.take("poll", {**EVENT, "event_id": str(ident), "object_id": str(ident)})
    return desk


def asked(vendor_api: VendorApi) -> list[str]:
    """Which responses were asked for."""
    return [one.url.path.split("/")[4] for one in vendor_api.asked if "responses" in one.url.path]


async def rows(desk: Desk) -> list[tuple[str, int, str | None]]:
    """Of each event its id, its tries and what is said of it."""
    return [(row.source_key, row.tries, row.error) for row in await desk.control.inbox.after(0)]


@pytest.mark.parametrize("status", [403, 500, 502])
async def test_what_is_wrong_with_one_event_is_of_that_one(opened: Opening, vendor_api: VendorApi, status: int) -> None:
    """The others of the source get their answers in the same round."""
    desk = await poll_of(opened, vendor_api, (11, status), (12, RESPONSE), (13, RESPONSE))
    assert (await desk.ask(), asked(vendor_api)) == (2, ["11", "12", "13"])
    assert [(key, tries, error is None) for key, tries, error in await rows(desk)] == [("11", 1, False), ("12", 0, True), ("13", 0, True)]


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_a_vendor_that_is_away_is_asked_by_one_event_at_a_time(opened: Opening, vendor_api: VendorApi, status: int) -> None:
    """The others keep their tries and say that they wait for their turn; each has its turn, and the one that never gets an answer is the last."""
    desk = await poll_of(opened, vendor_api, (11, status), (12, status), (13, RESPONSE))
    host = vendor_api.url.removeprefix("http://")
    reason = f"{host} refuses the token (401); put one with the right to read into sources: poll: token" if status == 401 else f"{host} answered {status}"
    turn = f"waits for its turn; another event of the source got no answer: {reason}"
    assert (await desk.ask(), asked(vendor_api)) == (0, ["11"])
    assert await rows(desk) == [("11", 1, f"waits for an answer of the vendor's: {reason}"), ("12", 0, turn), ("13", 0, turn)]
    for _ in range(2):
        desk.context.now += timedelta(seconds=5)
        await desk.ask()
    assert asked(vendor_api) == ["11", "12", "13", "11"]
    assert [(key, tries) for key, tries, _ in await rows(desk)] == [("11", 2), ("12", 1), ("13", 0)]


async def test_nothing_is_given_up_unasked(opened: Opening, vendor_api: VendorApi) -> None:
    """However long one event gets no answer, and however long the vendor was away, the others are asked for and taken."""
    desk = await poll_of(opened, vendor_api, (11, 503), (12, RESPONSE), (13, RESPONSE))
    await desk.ask()
    desk.context.now += timedelta(days=30)
    assert await desk.ask() == 2
    rounds = 0
    while (due := await desk.control.webhooks.next_due()) is not None:
        desk.context.now = max(due, desk.context.now)
        await desk.ask()
        rounds += 1
    host = vendor_api.url.removeprefix("http://")
    assert await desk.errors() == [f"given up after 14 days: {host} answered 503"]
    assert (rounds, asked(vendor_api).count("11")) == (10, 12)


async def test_a_vendor_that_stays_away_is_asked_less_and_less(opened: Opening, vendor_api: VendorApi) -> None:
    """The pause of all events of a source doubles up to a quarter of an hour, and is the first one again once there was an answer."""
    desk = await poll_of(opened, vendor_api, *((ident, 503) for ident in range(11, 31)))
    further = Further(desk.control, desk.context.webhooks, desk.context.clock)
    pauses = []
    async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
        for _ in range(9):
            before = desk.context.now
            assert await further.work(http) == 0
            waiting = [row.awaits for row in await desk.control.inbox.after(0) if row.awaits is not None and row.tries == 0]
            assert len(set(waiting)) == 1
            pauses.append((waiting[0] - before).total_seconds())
            desk.context.now = waiting[0]
        assert pauses == [5, 10, 20, 40, 80, 160, 320, 640, 900]
        assert len(asked(vendor_api)) == 9
        for ident in range(20, 29):
            vendor_api.answers[DETAILS.format(ident)] = [{**RESPONSE, "id": str(ident)}]
        assert await further.work(http) == 9
        assert {row.awaits for row in await desk.control.inbox.after(0) if row.tries == 0 and row.awaits} == {desk.context.now + timedelta(seconds=5)}


async def test_another_source_does_not_wait(opened: Opening, vendor_api: VendorApi) -> None:
    """More events of a vendor that is away than are looked at in a round hold up no other vendor, and cost one call."""
    common: dict[str, Any] = {"client_id": "cid", "token": {"env": "TOKEN"}}
    away, there = vendor_api.url + "/away", vendor_api.url
    desk = await opened(poll=settings("surveymonkey", url=away, **common), other=settings("surveymonkey", url=there, **common))
    vendor_api.answers |= {f"/away{DETAILS.format(number)}": [503] for number in range(60)}
    vendor_api.answers |= {"/surveys/77/details": [SURVEY], DETAILS.format(4545): [RESPONSE]}
    for number in range(60):
        await desk.take("poll", {**EVENT, "event_id": str(number), "object_id": str(number)})
    await desk.take("other", EVENT)
    assert (await desk.ask(), await desk.ask()) == (0, 1)
    assert len([one for one in vendor_api.asked if "away" in one.url.path]) == 1


async def test_a_replay_asks_for_what_was_given_up(opened: Opening, vendor_api: VendorApi) -> None:
    """What the vendor never answered is asked for once more and says so until then; what it has is not; what waits for a later hour is asked for now."""
    desk = await poll_of(opened, vendor_api, (11, 404), (12, RESPONSE), (13, 403))
    await desk.ask()
    await desk.records()
    host = vendor_api.url.removeprefix("http://")
    gone = f"{host} has no answer (404); it may have been deleted there"
    assert [error for *_, error in await rows(desk)][:2] == [gone, None]
    assert (await desk.replay("poll"), await desk.ask()) == (Replayed(3, 2), 0)
    assert ([error for *_, error in await rows(desk)][:2], len((await desk.records())["feedback"])) == ([gone, None], 3)
    for ident in (11, 13):
        vendor_api.answers[DETAILS.format(ident)] = [{**RESPONSE, "id": str(ident)}]
    assert (await desk.replay("surveymonkey"), await desk.ask()) == (Replayed(3, 2), 2)
    assert {key.partition(":")[0] for key in (await desk.records())["feedback"]} == {"11", "12", "13"}
    assert (await desk.errors(), asked(vendor_api)) == ([], ["11", "12", "13", "11", "13", "11", "13"])
    assert (await desk.replay("poll"), await desk.replay("nobody")) == (Replayed(3, 0), Replayed(0, 0))


async def test_a_replay_of_a_source_that_is_no_longer_configured(opened: Opening, vendor_api: VendorApi) -> None:
    """The reason stays with the row: nobody is asked, and the row says what to do."""
    desk = await poll_of(opened, vendor_api, (11, 404))
    await desk.ask()
    desk.context.webhooks = {}
    assert (await desk.replay("poll"), await desk.ask()) == (Replayed(1, 1), 0)
    said = "waits for an answer of the vendor's: the source poll is no longer in collector.yaml; put it back, or erase what it sent"
    assert (await desk.errors(), asked(vendor_api)) == ([said], ["11"])
