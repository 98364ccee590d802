"""A changed impact.yaml is shown as such beside every figure it concerns, and beside no other; never as a change in customers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.impact_version import config_version, content_of
from sojourn_collector.sources.import_door import ImportDoor
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.impact_versions import ImpactVersion
from sojourn_collector.store.control.marks import MarkKind, MarkRow
from sojourn_collector.web.admin_door import AdminDoor
from sojourn_collector.web.answers.breaks import USES, breaks_of
from sojourn_collector.web.api import build_api
from sojourn_collector.web.marks import build_marks
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.pages import build_pages
from sojourn_collector.web.shares import build_shares
from sojourn_collector.web.verdicts import build_verdicts
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import IMPACT, NOW, broken_shop, context_of

BERLIN = ZoneInfo("Europe/Berlin")
AT = datetime(2026, 11, 24, 13, tzinfo=UTC)
DAY = timedelta(days=1)
LATER = {"abandon": IMPACT.model_copy(update={"windows": IMPACT.windows.model_copy(update={"abandon": 60.0})})}


def version(since: datetime, **changed: Any) -> ImpactVersion:
    """What a start with the defaults, but for `changed` keys of the content, writes down."""
    return ImpactVersion(since.isoformat(), since, {**content_of(ImpactConfig()), **{key.replace("__", "."): value for key, value in changed.items()}})


KNOWN = [version(AT - 9 * DAY), version(AT, severities__left=0.6), version(AT + DAY, severities__left=0.6, windows__abandon=600.0)]


def told(measure: Any, since: datetime = AT - DAY, until: datetime = AT + 2 * DAY, **more: Any) -> list[tuple[str, str]]:
    """Kinds and sentences."""
    return [(one.kind, one.sentence) for one in breaks_of(more.pop("known", KNOWN), measure, since, until, BERLIN, **more)]


def test_a_changed_weight_and_a_changed_window_are_told_apart() -> None:
    """A weight holds for all of it at once, a window only for what came in since; both say when, what, and what it means."""
    assert told("history") == [
        (
            "recomputed",
            "On 24 Nov 14:00 the configuration changed (severities.left 0.8 → 0.6): all of this is worked out by the present one, so nothing here changed by "
            "it; reports kept and figures sent elsewhere before are by the former.",
        ),
        (
            "stored",
            "Since 25 Nov 14:00 windows.abandon 30m → 10m: a visit is told apart into runs as it comes in, so changes across that line are not changes in "
            "customers.",
        ),
    ]


@pytest.mark.parametrize(
    ("since", "until", "kinds"),
    [
        (AT, AT + 2 * DAY, ["stored"]),
        (AT - DAY, AT - timedelta(seconds=1), []),
        (AT - DAY, AT, ["recomputed"]),
        (AT + DAY, AT + 9 * DAY, []),
        (AT - 30 * DAY, AT + 9 * DAY, ["recomputed", "stored"]),
    ],
)
def test_only_a_span_that_a_change_lies_in_has_a_break(since: datetime, until: datetime, kinds: list[str]) -> None:
    """A span that begins at the change is all of the later version; the first version known is no change."""
    assert [kind for kind, _ in told("history", since, until)] == kinds


def test_what_a_figure_is_not_worked_out_by_is_no_break_of_it() -> None:
    """Severities weigh no fix and no ticket; the windows of tickets are nobody else's; a journey's worth is not another's; every key is somebody's."""
    assert [kind for kind, _ in told("fix")] == ["stored"]
    assert told("tickets") == []
    known = [version(AT - DAY), version(AT, windows__unresolved=60.0, journeys__checkout__worth="62 EUR", silent__worth=90.0, weights__cap=95.0)]
    keys = {measure: sorted(change.key for one in breaks_of(known, measure, AT - DAY, AT, BERLIN) for change in one.changes) for measure in USES}
    assert keys["tickets"] == ["windows.unresolved"]
    assert keys["report"] == ["journeys.checkout.worth"]
    assert keys["problem"] == ["journeys.checkout.worth", "weights.cap"]
    assert keys["silent"] == ["silent.worth", "weights.cap"]
    assert keys["history"] == keys["fix"] == keys["speed"] == []
    assert [one.changes[0].key for one in breaks_of(known, "journey", AT - DAY, AT, BERLIN, journey="checkout")] == ["journeys.checkout.worth"]
    assert breaks_of(known, "journey", AT - DAY, AT, BERLIN, journey="renew") == []
    decisive = {key.partition(".")[0] for key in content_of(ImpactConfig.model_validate({"fx": "r.csv", "journeys": {"a": {"apdex": "1s"}}}))}
    assert {key.rstrip(".").partition(".")[0] for keys in USES.values() for key in keys} == decisive


def test_a_version_without_a_change_is_no_break() -> None:
    """A newer Sojourn that knows more keys writes a version down, and nobody is told of a change."""
    older = {key: value for key, value in content_of(ImpactConfig()).items() if not key.startswith("severities.")}
    assert told("report", known=[ImpactVersion("old", AT - DAY, older), version(AT)]) == []


def test_another_zone_is_a_line_only_in_sums_whose_runs_are_gone() -> None:
    """Days that can be counted again are of the present zone; those of which only sums are left stay as they were cut."""
    known = [version(AT - DAY), version(AT, timezone="Asia/Tokyo")]
    assert [kind for kind, _ in told("history", known=known)] == ["recomputed"]
    ((kind, sentence),) = told("history", known=known, sums_before=AT)
    assert (kind, sentence) == (
        "stored",
        "Since 24 Nov 14:00 timezone UTC → Asia/Tokyo: of days whose runs are no longer kept only sums are left, so changes across that line are "
        "not changes in customers.",
    )


def test_many_keys_are_counted_and_another_year_is_said() -> None:
    """Four keys are named, the rest counted; the year stands where it is not the one the report is of."""
    many = version(AT - 365 * DAY, severities__slow=0.1, severities__left=0.6, min_hit=20, cart_bands=[10.0], currency="USD", journeys__a__apdex=2.0)
    ((kind, sentence), (other, at_once)) = told("report", AT - 400 * DAY, AT, known=[version(AT - 399 * DAY), many])
    assert (kind, sentence.partition(":")[0], other) == ("stored", "Since 24 Nov 2025 14", "recomputed")
    assert "(cart_bands [25, 75, 150] → [10], journeys.a.apdex none → 2s, min_hit 30 → 20, severities.left 0.8 → 0.6 and 1 more)" in at_once


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    """The broken shop, and a configuration that was changed an hour before it broke."""
    one = context_of(store, tmp_path, impact=LATER["abandon"])
    await broken_shop().store(store)
    for number, (impact, at) in enumerate(((IMPACT, NOW - 20 * DAY), (one.impact, NOW - timedelta(hours=1)))):
        assert await one.control.impact_versions.remember(config_version(impact), content_of(impact), at, tenant=one.store.tenant), number
    yield one
    one.control.close()


async def test_every_answer_with_scores_names_its_version_and_its_breaks(context: Context) -> None:
    """Report, journey, problem, history, breakdown, silent sufferers, corrected CSAT, speed and fix tell the change; forecast and tickets name the version."""
    mark = await context.control.marks.add(MarkRow(MarkKind.FIX, NOW - 2 * DAY, "x", "cli", NOW, "checkout"))
    marking = build_marks(context, ImportDoor(context.control, "t"), AdminDoor(context.control.keys, "t"))
    async with asking(marking, build_verdicts(context), build_measures(context), build_api(context)) as client:
        (problem,) = (await get(client, "impact"))["problems"]
        paths = [
            "impact",
            "journeys/checkout",
            f"problems/{problem['id']}",
            "journeys/checkout/history",
            "journeys/checkout/breakdown",
            "silent-sufferers",
            "journeys/checkout/corrected-csat",
            "journeys/checkout/elasticity",
            f"marks/{mark.id}/verification",
            f"problems/{problem['id']}/forecast",
        ]
        for path in paths:
            body = await get(client, path)
            assert body["config_version"] == config_version(context.impact), path
            assert [(one["kind"], one["changes"]) for one in body["breaks"]] == [("stored", [{"key": "windows.abandon", "old": "2m", "new": "1m"}])], path
        tickets = await get(client, "tickets")
        assert (tickets["config_version"], tickets["breaks"]) == (config_version(context.impact), [])
        known = await get(client, "impact/versions")
    assert known["present"] == config_version(context.impact)
    assert [(one["version"], one["until"], len(one["changes"])) for one in known["versions"]] == [
        (config_version(context.impact), None, 1),
        (config_version(IMPACT), "2026-11-20T13:10:00Z", 0),
    ]


async def test_a_frozen_report_says_what_has_changed_since(context: Context) -> None:
    """It keeps its figures, its version and its breaks; a later change is told above them, and gone again when the configuration comes back."""
    door = AdminDoor(context.control.keys, "t")
    async with asking(build_shares(context, door)) as client:
        made = (await client.post("/api/v1/admin/shares", headers={"authorization": "Bearer t"})).json()
        page = (await client.get(made["path"])).text
    assert "windows.abandon 2m → 1m" in page
    assert "newer reports" not in page
    changed = context.impact.model_copy(update={"min_hit": 20})
    await context.control.impact_versions.remember(config_version(changed), content_of(changed), NOW + DAY, tenant=context.store.tenant)
    later = replace(context, impact=changed, clock=lambda: NOW + 2 * DAY)
    async with asking(build_shares(later, door)) as client:
        page = (await client.get(made["path"])).text
    assert config_version(context.impact) in page
    assert (
        "Since 21 Nov 14:10 the configuration is another (min_hit 30 → 20): what differs between this and newer reports need be no change in customers." in page
    )
    async with asking(build_shares(replace(context, clock=lambda: NOW + 2 * DAY), door)) as client:
        assert "newer reports" not in (await client.get(made["path"])).text


async def test_pages_say_it_above_the_figures(context: Context) -> None:
    """The front page, the journey, its breakdown and the list of versions tell the change in words; all lead to the versions."""
    async with asking(build_pages(context)) as client:
        for path in ("/", "/journeys/checkout", "/breakdown/checkout"):
            page = (await client.get(path)).text
            assert "windows.abandon 2m → 1m" in page, path
            assert 'href="/versions"' in page, path
        listed = (await client.get("/versions")).text
    assert "windows.abandon</bdi>: <bdi>2m</bdi> → <bdi>1m" in listed
    assert "the first that is known" in listed
