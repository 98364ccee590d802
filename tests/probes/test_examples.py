"""The journeys we hand out work: those under configs/ are walked, those in the docs are loaded."""

import re
import textwrap
from pathlib import Path

import pytest

from sojourn_probes.expectation import COMPARISONS, SOURCES, TLS_FACTS
from sojourn_probes.load import load_text
from sojourn_probes.names import NAMESPACES
from sojourn_probes.semconv import Outcome
from sojourn_probes.steps import KINDS
from sojourn_probes.steps.browser import Action
from tests.probes.site import Asked, answer, site
from tests.probes.walking import walk

ROOT = Path(__file__).parents[2]
A_STEP = "id: docs\nsteps:\n  - id: s\n    http: {url: https://shop.example/}\n"
DOCS = (ROOT / "docs/journeys.md").read_text()


async def shop(asked: Asked) -> bytes:
    """As much of the demo shop as the examples ask for."""
    if asked.target == "/payments":
        in_cart = asked.headers.get("cookie") == "cart=mug"
        return answer(201, body='{"payment": "p1"}') if in_cart else answer(409)
    if asked.target == "/cart":
        return answer(body="Your cart", set_cookie="cart=mug; Path=/") if asked.body == b"product=mug&quantity=1" else answer(400)
    return answer(body="Welcome")


# Those that ask no web site are walked by the tests of their kinds, under steps/.
ON_THE_WEB = [file for file in sorted((ROOT / "configs/journeys").glob("*.yaml")) if "\nbase_url:" in file.read_text()]


@pytest.mark.parametrize("file", ON_THE_WEB, ids=lambda file: file.name)
async def test_configured_journeys_pass(file):
    """Each journey under configs/ passes against a site that is well."""
    async with site(shop) as served:
        text = re.sub(r"^base_url: \S+", f"base_url: {served.url}", file.read_text(), flags=re.MULTILINE)
        assert served.url in text
        run = await walk(text)
    assert run.outcome is Outcome.PASSED, run.failure


def test_the_whole_file_in_the_docs_loads(tmp_path):
    """What a reader copies from docs/journeys.md is a good file, with the files beside it that it names."""
    (tmp_path / "item.schema.json").write_text('{"type": "object"}')
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert blocks
    for block in blocks:
        # A block without an id is what stands in a step.
        whole = block if re.search("^id:", block, re.MULTILINE) else f"{A_STEP}{textwrap.indent(block, '    ')}"
        load_text(whole, tmp_path / "docs.yaml")


def test_the_docs_name_everything_one_may_write():
    """Every key, kind, action, source, comparison and namespace of the language is in docs/journeys.md."""
    from sojourn_probes.journey import Journey, Step
    from sojourn_probes.steps.http import HttpPart

    keys = {info.alias or name for model in (Journey, Step, HttpPart, Action) for name, info in model.model_fields.items()}
    words = {*keys, *KINDS, *SOURCES, *(f"tls.{fact}" for fact in TLS_FACTS), *COMPARISONS, *(f"${{{space}" for space in NAMESPACES)}
    assert sorted(word for word in words if word not in DOCS) == []
