"""How fast a browser's line seems to be: one word of a closed list, as the browser measured it, else nothing."""

import pytest

from tests.agent.rum.taking import beacon, page_view, taking


@pytest.mark.parametrize(
    ("said", "kept"), [*((word, word) for word in ("slow-2g", "2g", "3g", "4g")), *((word, None) for word in ("", "4G", "5g", "wifi", "<b>", "4g" * 30_000))]
)
async def test_a_word_of_the_list_is_kept(said: str, kept: str | None) -> None:
    """On spans and records alike; anything else is left out and costs the beacon nothing."""
    async with taking() as intake:
        assert (await intake.post(beacon(page_view(), {"type": "error", "message": "x"}, device={"network": said}))).status_code == 204
        assert [thing.has.get("sojourn.network") for thing in (*intake.spans(), *intake.records())] == [kept, kept]
