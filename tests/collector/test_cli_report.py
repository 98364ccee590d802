"""`sojourn-collector report`: what the collector answers over its real routes, in every form, and links to it."""

import csv
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from sojourn_collector import cli_report_options
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.impact import impact
from tests.collector.report_shop import Shop, StoppedAtNow, open_shop


@pytest.fixture
async def shop(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> AsyncIterator[Shop]:
    async with open_shop(store, tmp_path, capsys) as one:
        yield one


async def test_for_a_person(shop: Shop) -> None:
    """Each problem in the lines of its headline, then every journey with how its customers and probes fared and its score; of one journey its steps too."""
    told = await impact(shop.context)
    (problem,) = told.problems
    code, out, err = await shop.run()
    assert (code, err) == (0, "")
    first, journey, *_ = out.split("\n\n")
    assert first.splitlines() == problem.headline
    assert len(told.journeys) > 1
    name, customers, probes, score = journey.splitlines()
    state = told.journeys[0]
    seen = state.experience
    assert name == f"{state.name}: {state.state}"
    assert customers.startswith(f"  customers  {seen.finished} of {seen.tried} finished [")
    assert customers.endswith(f", {seen.gave_up} gave up, {seen.stopped} were stopped")
    assert probes == f"  our probes {state.probes.state}, {state.probes.passed} of {state.probes.total} runs passed"
    assert score.startswith("  impact     ")
    assert f"of {state.impact.of}" in score
    code, out, _ = await shop.run("--journey", state.id)
    steps = [line for line in out.splitlines() if line.startswith("  step       ")]
    assert len(steps) == len(seen.steps) > 0
    assert steps[0].startswith(f"  step       {seen.steps[0].name}: {seen.steps[0].reached} reached it, {seen.steps[0].hit} hit")


async def test_a_journey_without_a_problem(shop: Shop) -> None:
    """It says so by the journey's name; a journey that there is not is refused, its name shown as harmless text."""
    told = await impact(shop.context)
    broken = {problem.journey.id for problem in told.problems}
    well = next(state for state in told.journeys if state.id not in broken)
    code, out, err = await shop.run("--journey", well.id)
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == f"No problem of {well.id} that touches customers is known just now."
    assert f"{well.name}: {well.state}\n  customers  nobody tried\n  our probes none ran" in out
    code, out, err = await shop.run("--journey", "re\x1b[31mnew")
    assert (code, out) == (2, "")
    assert err == "sojourn-collector: there is no journey 're\\x1b[31mnew'\n"


async def test_for_programs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON is the body of the API, CSV a line a problem and journey, Markdown and the page by itself the same figures; a file holds what would be printed."""
    told = await impact(shop.context)
    (problem,) = told.problems
    monkeypatch.setattr(cli_report_options, "datetime", StoppedAtNow)
    code, out, _ = await shop.run("--json")
    assert code == 0
    assert json.loads(out)["problems"][0]["people"] == problem.people.model_dump(mode="json")
    _, out, _ = await shop.run("--format", "csv", "--last", "2d")
    assert [row["hit"] for row in csv.DictReader(io.StringIO(out)) if row["kind"] == "problem"] == [str(problem.people.hit)]
    for form in ("md", "html"):
        _, out, _ = await shop.run("--format", form)
        assert f"{problem.people.hit} of {problem.people.reached}" in out
        file = shop.config.parent / f"report.{form}"
        assert await shop.run("--format", form, "--out", str(file)) == (0, "", "")
        assert f"{problem.people.hit} of {problem.people.reached}" in file.read_text()


async def test_what_is_wrong_is_one_sentence(shop: Shop) -> None:
    """A span that is none, a file that cannot be written, a link that is not there: exit code 2 and how to do it."""
    nowhere = shop.config.parent / "no" / "folder"
    for given, sentence in (
        (("--last", "soon"), "--last: 'soon' is not a duration; write a number with ms, s, m, h or d, such as 30m"),
        (("--out", str(nowhere)), f"--out {nowhere}: cannot be written (No such file or directory); give a file in a folder that is there"),
        (("--end-share", "x"), "there is no link 'x'"),
    ):
        assert await shop.run(*given) == (2, "", f"sojourn-collector: {sentence}\n")


async def test_a_link_is_made_listed_and_ended(shop: Shop) -> None:
    """`--share` prints the address alone on standard output; whoever has it reads it; once ended it leads nowhere."""
    assert (await shop.run("--list-shares"))[1] == "No link leads to a frozen report. Make one: sojourn-collector report --share\n"
    code, out, err = await shop.run("--share", "--title", "Monday", "--days", "14")
    assert code == 0
    assert out.startswith(f"{shop.web}/")
    ident = err.split()[-1]
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        assert "Monday" in (await http.get(out.strip())).text
        listed = (await shop.run("--list-shares"))[1]
        assert listed.startswith(f"{ident}  until ")
        assert listed.endswith("  Monday\n")
        assert await shop.run("--end-share", ident) == (0, f"The link {ident} leads nowhere now.\n", "")
        assert (await http.get(out.strip())).status_code == 404
