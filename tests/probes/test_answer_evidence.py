"""The answer of a failed step is kept, so that one can see later what came."""

import pytest

from sojourn_probes.semconv import Outcome
from tests.probes.site import answer, site
from tests.probes.walking import walk

FAILING = """
id: j
base_url: {url}
steps:
  - id: s
    http: {{url: "/?k=${{secrets.pw}}", headers: {{x-key: "${{secrets.pw}}"}}}}
    expect: [body contains Welcome]
"""
SECRETS = {"SOJOURN_SECRET_PW": "hunter2-canary"}


async def test_the_answer_of_a_failed_step_is_kept_without_secrets(tmp_path):
    """Status, headers and body; what sets cookies and every secret is taken out, echoed ones too."""
    said = answer(body="Sorry, hunter2-canary is not known", set_cookie="session=cookie-canary", content_type="text/plain")

    async def respond(asked):
        return said

    async with site(respond) as shop:
        run = await walk(FAILING.format(url=shop.url), environ=SECRETS, evidence_folder=tmp_path)
    kept = run.attempts[0].steps[0].evidence
    text = (tmp_path / kept["answer"]).read_text()
    assert text.splitlines()[0].startswith(f"GET {shop.url}/?k=")
    assert "status 200" in text
    assert "content-type: text/plain" in text
    assert "set-cookie: [redacted]" in text
    assert "Sorry, [redacted] is not known" in text
    assert "canary" not in text
    assert [path.name for path in tmp_path.iterdir()] == [kept["answer"]]


async def test_only_the_beginning_of_a_long_answer_is_kept(tmp_path):
    """And it says so; a secret across the cut does not show its first half."""
    body = "x" * (64 * 1024 - 6) + "hunter2-canary" + "y" * 100_000

    async def respond(asked):
        return answer(body=body)

    async with site(respond) as shop:
        run = await walk(FAILING.format(url=shop.url), environ=SECRETS, evidence_folder=tmp_path)
    text = (tmp_path / run.attempts[0].steps[0].evidence["answer"]).read_text()
    assert text.endswith(f"(cut; the answer has {len(body)} characters)\n")
    assert "hunter" not in text
    assert len(text) < 70_000


@pytest.mark.parametrize("body", ["Welcome", None])
async def test_nothing_is_kept_of_what_passed_or_never_came(tmp_path, body):
    """A good answer is nobody's business, and no answer is none."""

    async def respond(asked):
        return None if body is None else answer(body=body)

    async with site(respond) as shop:
        run = await walk(FAILING.format(url=shop.url), environ=SECRETS, evidence_folder=tmp_path)
    assert (run.outcome is Outcome.PASSED) == (body is not None)
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_cannot_be_written_is_a_note(tmp_path):
    """The failure stands as it was."""
    (tmp_path / "file").write_text("")

    async def respond(asked):
        return answer(body="no")

    async with site(respond) as shop:
        run = await walk(FAILING.format(url=shop.url), environ=SECRETS, evidence_folder=tmp_path / "file")
    step = run.attempts[0].steps[0]
    assert step.outcome is Outcome.FAILED
    assert step.note == "the answer could not be kept: File exists"
