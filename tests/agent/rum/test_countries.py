"""The country of a visit: a trusted proxy's word first, else the browser's time zone, else none."""

from typing import Any

import pytest

from sojourn_agent.rum.countries import Countries, zones_of
from tests.agent.rum.taking import beacon, page_view, taking

COUNTRY = "geo.country.iso_code"
ZONE = {"zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Berlin", "DE"),
        ("Europe/Copenhagen", "DK"),
        ("Asia/Calcutta", "IN"),
        ("Europe/Kiev", "UA"),
        ("Asia/Rangoon", "MM"),
        ("America/Argentina/Buenos_Aires", "AR"),
        ("America/Buenos_Aires", "AR"),
        *(
            (name, None)
            for name in ("UTC", "Etc/GMT+3", "CET", "EST5EDT", "America/Montreal", "Mars/Olympus", "", "europe/berlin", "../zone.tab", "x" * 60_000)
        ),
    ],
)
async def test_a_time_zone_tells_the_country(zone: str, country: str | None) -> None:
    """A zone of one country tells it, also by an older name; one of none, or whose name now means a zone of several, tells nothing. The zone is not kept."""
    async with taking() as intake:
        assert (await intake.post(beacon(page_view(), {"type": "error", "message": "x"}, device={"zone": zone}))).status_code == 204
        things = [*intake.spans(), *intake.records()]
        assert [thing.has.get(COUNTRY) for thing in things] == [country, country]
        assert not any(zone and zone in str(value) for thing in things for value in thing.has.values())


@pytest.mark.parametrize(
    ("settings", "sent", "country"),
    [
        ({"country_header": "CF-IPCountry", "proxies": ["127.0.0.1"]}, {"cf_ipcountry": "fr"}, "FR"),
        ({"country_header": "X-Country", "proxies": ["127.0.0.0/8"]}, {"x_country": "AT", "x_forwarded_for": "203.0.113.7"}, "AT"),
        ({"country_header": "x-country", "proxies": ["127.0.0.1"]}, {"x_country": "XK"}, "XK"),
        *(
            ({"country_header": "X-Country", "proxies": ["127.0.0.1"]}, {"x_country": word}, "DE")
            for word in ("XX", "T1", "EU", "FRA", "F", "DE, FR", "<b>", "F" * 5000)
        ),
        ({"country_header": "X-Country", "proxies": ["127.0.0.1"]}, {}, "DE"),
        ({"country_header": "X-Country", "proxies": ["10.0.0.0/8"]}, {"x_country": "FR"}, "DE"),
        ({"country_header": "X-Country", "proxies": ["10.0.0.0/8"]}, {"x_country": "FR", "x_forwarded_for": "10.0.0.1"}, "DE"),
        ({"proxies": ["127.0.0.1"]}, {"cf_ipcountry": "FR", "x_country": "FR"}, "DE"),
    ],
)
async def test_a_trusted_proxys_country_goes_before_the_zone(settings: dict[str, Any], sent: dict[str, str], country: str) -> None:
    """The header that is configured, from a listed proxy alone; what is no country leaves the zone's word."""
    async with taking(**settings) as intake:
        await intake.post(beacon(page_view(), device=ZONE), **sent)
        assert intake.spans()[0].has[COUNTRY] == country


def test_a_header_that_came_twice_tells_nothing() -> None:
    """A visitor's own header beside the proxy's leaves open which is whose."""
    assert Countries({"Europe/Paris": "FR"}).told(["FR", "FR"]) == ""


@pytest.mark.parametrize("channel", ["email", "Paid Social", "direct"])
async def test_a_page_view_tells_the_channel(channel: str) -> None:
    """A word of the list is kept on the page view as it is written in the list."""
    async with taking() as intake:
        await intake.post(beacon(page_view(channel=channel)))
        assert intake.spans()[0].has["sojourn.channel"] == channel.lower().replace(" ", "_")


@pytest.mark.parametrize("channel", ["", "ada@shop.example", "email; DROP TABLE", "mail", "x" * 50_000])
async def test_a_channel_that_is_none_is_left_out(channel: str) -> None:
    """What is not of the list is not kept; its page view is."""
    async with taking() as intake:
        await intake.post(beacon(page_view(channel=channel)))
        assert "sojourn.channel" not in intake.spans()[0].has


def test_a_zone_of_several_countries_is_of_none() -> None:
    """Two rows of one zone contradict each other; a link to a zone that several countries share says nothing, to one of a single country its code."""
    tab = "# code\tplace\tzone\nAA\t+1\tX/One\nBB\t+1\tX/Two\nCC\t+1\tX/Two\nDD\t+1\tX/Shared\n"
    assert zones_of(tab, "AA\t+1\tX/One\nDD,EE\t+1\tX/Shared\n", "# version\nL X/One X/Old\nL X/Shared X/Other\nL X/One CLOCK\nZ X/One 1 - A\n") == {
        **zones_of("", "", ""),
        "X/One": "AA",
        "X/Old": "AA",
        "X/Shared": "DD",
    }


def test_without_a_tz_database_no_country_is_known(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The agent takes beacons all the same and says once what is missing."""
    monkeypatch.setattr("sojourn_agent.rum.countries.resources.files", lambda name: (_ for _ in ()).throw(ModuleNotFoundError(f"No module named '{name}'")))
    assert (Countries.read().of_zone("Europe/Berlin"), Countries.read().told(["XX"])) == ("", "")
    assert caplog.messages[0] == "countries of visitors stay unknown: the package tzdata is not whole (No module named 'tzdata'); install it again"
