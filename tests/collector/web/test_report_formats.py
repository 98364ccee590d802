"""The report as CSV, Markdown and one frozen page: the same figures, nobody's name, and strangers' texts that stay text."""

import csv
import io
from zoneinfo import ZoneInfo

from sojourn_collector.config import ImpactConfig
from sojourn_collector.web.frozen import frozen_html, without_people
from sojourn_collector.web.models import Basis, ImpactReport
from sojourn_collector.web.report_csv import COLUMNS, as_csv
from sojourn_collector.web.report_markdown import as_markdown
from tests.collector.web import fixtures, fixtures_of_versions
from tests.collector.web.test_pages import Read

UTC = ZoneInfo("UTC")


def hostile() -> ImpactReport:
    """The shop's report with a hostile text as cause, comment and journey's name."""
    one = fixtures.report(comment=fixtures.HOSTILE, journey_name=fixtures.HOSTILE)
    (problem,) = one.problems
    assert problem.cause is not None
    cause = problem.cause.model_copy(update={"summary": '=HYPERLINK("http://evil") | `x` <script>alert(1)</script>'})
    return one.model_copy(update={"problems": [problem.model_copy(update={"cause": cause})]})


def test_csv_has_a_line_for_each_problem_and_journey():
    """Columns as documented; what is not known is empty, never zero."""
    rows = list(csv.DictReader(io.StringIO(as_csv(fixtures.report()))))
    assert list(rows[0]) == list(COLUMNS)
    assert [(row["kind"], row["journey"], row["state"]) for row in rows] == [
        ("problem", "checkout", "failing"),
        ("company", "", ""),
        ("journey", "checkout", "failing"),
        ("journey", "browse", "healthy"),
        ("journey", "renew", "unknown"),
    ]
    assert (rows[0]["hit"], rows[0]["reached"], rows[0]["money"], rows[0]["satisfied_hit"], rows[0]["answered_hit"]) == ("41", "188", "1238.4", "6", "15")
    assert (rows[1]["impact"], rows[1]["impact_low"], rows[1]["impact_high"], rows[1]["impact_of"]) == ("4.2", "3.1", "5.6", "1210")
    assert (rows[4]["tried"], rows[4]["impact"], rows[4]["probes_total"]) == ("", "", "")


def test_a_changed_configuration_is_told_in_every_form():
    """CSV names the version on each line and has a line for each change; Markdown and the page by itself say the sentence; a stranger's text stays one."""
    breaks = fixtures_of_versions.breaks(fixtures.NOW, "*x*<b>")
    one = fixtures.report().model_copy(update={"breaks": breaks})
    rows = list(csv.DictReader(io.StringIO(as_csv(one))))
    assert {row["config_version"] for row in rows} == {one.config_version}
    assert [(row["kind"], row["id"], row["state"], row["cause"]) for row in rows[-2:]] == [
        ("break", "7c1f0a9e55d2", kind, said.sentence) for kind, said in zip(("stored", "recomputed"), breaks, strict=True)
    ]
    assert "> Since 10 Nov 14:00 windows.abandon 30m → 10m: not changes in customers." in as_markdown(one, UTC)
    assert r"journeys.\*x\*\<b\>.worth" in as_markdown(one, UTC)
    page = frozen_html(ImpactConfig(), one)
    assert "windows.abandon 30m → 10m" in page
    assert "<b>" not in page


def test_a_text_like_a_formula_stays_a_text():
    """A cause that begins with = gets a quote before it: no spreadsheet runs it."""
    row = next(csv.DictReader(io.StringIO(as_csv(hostile()))))
    assert row["cause"].startswith("'=HYPERLINK")


def test_markdown_says_the_same_figures_and_no_markup_of_strangers():
    """Tables with the problem's and the journeys' figures; bars, backticks and tags of a stranger are escaped."""
    told = as_markdown(fixtures.report(), UTC)
    assert (
        "| 41 of 188 hit, 29 stopped, usual 1; apart 3 of 12 visits without a name "
        "| 17 [12–23] of 186, usual 0.4, excess 17, 17.7 to 18.3 with the 2 still trying | about 1,240 EUR missing [684–1,810] so far, final at 14:07 |" in told
    )
    assert "| Look around | healthy | 799 of 840 finished, 0 stopped | 96 of 96 passed | 0.2 [0.0–0.7] of 840; apart 1.4 [0.7–2.8] of 512, per visit |" in told
    whole = "All journeys together: impact 4.2 [3.1–5.6], usual 0.8, 61 of 1,210 days of people hit; apart 12 anonymous visits."
    assert whole in told
    assert whole.removesuffix(".") in frozen_html(ImpactConfig(), fixtures.report())
    escaped = as_markdown(hostile(), UTC)
    assert "<script>" not in escaped
    assert r"\| \`x\` \<script\>" in escaped
    assert "Ada Berger" not in told


def test_the_frozen_page_needs_nothing_and_names_nobody():
    """One page with its own style: no script, no address elsewhere, no person, no comment, also none of a stranger's tags."""
    html = frozen_html(ImpactConfig(), hostile())
    page = Read(html)
    assert {tag for tag, _ in page.tags} & {"script", "img", "link", "iframe", "form"} == set()
    assert page.values("a", "href") == []
    assert not any(word in html for word in ("Ada Berger", "Payment page broken", "user:u"))
    assert "1,240 EUR" in html
    assert "Frozen as of" in html
    bare = without_people(fixtures.report())
    assert (bare.contact_first, bare.problems[0].who, bare.problems[0].satisfaction.comments, bare.problems[0].people.hit) == ([], [], [], 41)


def test_what_is_left_out_and_what_is_over_is_told_in_every_form():
    """Problems that are not worked out, a problem's own note, and one of before whose money is final: in CSV, Markdown and the page by itself."""
    noted = fixtures.problem().model_copy(update={"notes": ["all figures are of the first 200,000 walks through this step"]})
    left_out = "20 of 26 problems are worked out, those still failing and the newest first; 24 more people were hit in the others"
    one = fixtures.report().model_copy(update={"problems": [noted, fixtures.settled_problem()], "notes": [left_out]})
    rows = list(csv.DictReader(io.StringIO(as_csv(one))))
    assert [(row["id"], row["cause"]) for row in rows if row["kind"] == "note"] == [("", left_out), (noted.id, noted.notes[0])]
    assert [(row["state"], row["money_state"], row["shown_until"]) for row in rows[:2]] == [
        ("failing", "so_far", ""),
        ("over", "final", "2026-11-22T22:06:10+00:00"),
    ]
    told = as_markdown(one, UTC)
    assert f"> {left_out}." in told
    assert "All figures are of the first 200,000 walks through this step." in told
    assert "Over: from 20 Nov, 22:02 to 20 Nov, 22:06. 502 from POST" in told
    assert "about 1,240 EUR missing [684–1,810], final |" in told
    text = Read(frozen_html(ImpactConfig(), one)).text
    assert f"{left_out}." in text
    assert "All figures are of the first 200,000 walks through this step." in text
    assert "It is over and its money is final." in text


def test_csv_has_what_stands_beside_an_impact():
    """Of how many, the usual value, the excess and the share known only by visit."""
    row = next(row for row in csv.DictReader(io.StringIO(as_csv(fixtures.report()))) if row["kind"] == "journey")
    assert [row[f"impact_{what}"] for what in ("of", "usual", "excess", "by_visit")] == ["310", "0.9", "9.7", "0.06"]


def test_the_frozen_page_says_how_its_figures_were_computed():
    """Counts, formula and gates of each problem and of the journeys, by what was in force when it was frozen; no link, for a file has no rows to lead to."""
    basis = Basis(slow=0.1, recovered=0.5, left=0.8, blocked=1.0, min_hit=41)
    page = Read(frozen_html(ImpactConfig(), fixtures.report().model_copy(update={"basis": basis})))
    assert page.text.count("How was this computed") == 3
    assert "100 · Σ severity ÷ 186 whose walk is over; slow 0.10, hit and got through 0.50" in page.text
    assert "Counts: 41 hit, visits without a name included, 12 of them with their whole time over; 147 others beside them" in page.text
    assert "It speaks from 41 hit, 5 orders expected of them" in page.text
    assert "Survivors of earlier steps only" in page.text
    assert "One person had no others like them" in page.text
    assert "Impact: 100 · Σ severity ÷ days of people whose walk is over" in page.text
    assert (page.values("a", "href"), page.wrong) == ([], [])
    old = Read(frozen_html(ImpactConfig(), fixtures.report().model_copy(update={"basis": None}))).text
    assert "whose walk is over; in brackets Wilson’s" in old
