"""The journeys we hand out work: those under configs/ are walked, those in the docs are loaded."""

import json
import re
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pyotp
import pytest

from sojourn_probes.expectation import COMPARISONS, SOURCES, TLS_FACTS
from sojourn_probes.load import load_text
from sojourn_probes.marks import make_mark
from sojourn_probes.names import NAMESPACES
from sojourn_probes.semconv import Outcome
from sojourn_probes.steps import KINDS
from sojourn_probes.steps.browser import Action
from tests.probes.site import Asked, answer, site
from tests.probes.walking import walk

ROOT = Path(__file__).parents[2]
A_STEP = "id: docs\nsteps:\n  - id: s\n    http: {url: https://shop.example/}\n"
PAGES = ("journey-language", "steps", "expectations")
DOCS = "\n".join((ROOT / f"docs/{page}.md").read_text() for page in PAGES)


def mark(run_id: str) -> str:
    return make_mark(run_id, "k1", b"a probe key of the tests, 32 bytes", time.time())


async def shop(asked: Asked) -> bytes:
    """As much of a site that is well as the examples ask for."""
    path, _, query = asked.target.partition("?")
    found = ANSWERS.get((asked.method, path))
    if found is None:
        return answer(404)
    wanted, good = found
    return good if wanted(asked, query) else answer(409)


def anyone(asked: Asked, query: str) -> bool:
    return True


def with_token(asked: Asked, query: str) -> bool:
    return asked.headers.get("authorization") == "Bearer token-of-the-example"


Wanted = Callable[[Asked, str], bool]
RESULTS = '<ol><li class="result"><h3>Mug, blue</h3><a href="/products/mug">look</a></li><li class="result"><h3>Cup</h3></li></ol>'
LOGIN = '<form method="post"><input type="hidden" name="csrf" value="guard-7"><input name="user"><input type="password" name="password"></form>'
SEED = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ITEM = '{"data": {"item": {"name": "Mug", "price": {"amount": 12.5, "currency": "EUR"}}}}'
CATALOGUE = """<!doctype html><title>Catalogue</title><link rel=icon href=data:,><main></main><script>
const main = document.querySelector('main');
window.catalogue = {};
const list = () => { main.innerHTML = '<h1>Catalogue</h1><ul><li><a href=/catalogue/mug>Mug</a><li><a href=/catalogue/cup>Cup</a></ul>'; };
const item = () => {
  window.catalogue.shown = 'mug';
  main.innerHTML = '<h1>Mug</h1><p data-testid=price>12 EUR</p><button>Add to cart</button><p data-testid=total></p>';
  main.querySelector('button').onclick = () => { main.querySelector('[data-testid=total]').textContent = 'Total 12 EUR'; };
};
main.addEventListener('click', (event) => {
  if (event.target.tagName !== 'A') return;
  event.preventDefault();
  history.pushState({}, '', event.target.href);
  item();
});
list();
</script>"""
SUPPORT = """<!doctype html><title>Support</title><link rel=icon href=data:,><form><label>What is broken <input name=what></label>
<label>Picture <input type=file name=picture></label><button>Send</button></form><div id=said></div><script>
document.querySelector('form').onsubmit = async (event) => {
  event.preventDefault();
  const answer = await fetch('/support/pictures', {method: 'POST', body: new FormData(event.target)});
  const ticket = `<p>We have your picture</p><p data-testid=ticket>${await answer.text()}</p><a href=/receipt>Receipt</a>`;
  document.getElementById('said').innerHTML = answer.ok ? ticket : 'Sorry';
};
</script>"""
ANSWERS: dict[tuple[str, str], tuple[Wanted, bytes]] = {
    ("GET", "/"): (anyone, answer(body="Welcome")),
    ("GET", "/products/mug"): (anyone, answer(body="<h1>Mug</h1>", content_type="text/html")),
    ("POST", "/cart"): (lambda asked, query: asked.body == b"product=mug&quantity=1", answer(body="Your cart", set_cookie="cart=mug; Path=/")),
    ("POST", "/payments"): (lambda asked, query: asked.headers.get("cookie") == "cart=mug", answer(201, body='{"payment": "p1"}')),
    ("POST", "/oauth/token"): (
        lambda asked, query: b"client_secret=secret-of-the-example" in asked.body,
        answer(body='{"access_token": "token-of-the-example", "token_type": "bearer"}'),
    ),
    ("DELETE", "/customers/c1"): (with_token, answer(204)),
    ("GET", "/search"): (lambda asked, query: query == "q=mug", answer(body=RESULTS, content_type="text/html")),
    ("POST", "/graphql"): (lambda asked, query: json.loads(asked.body)["variables"] == {"sku": "mug"}, answer(body=ITEM)),
    ("POST", "/exports"): (lambda asked, query: sorted(json.loads(asked.body)) == ["from", "to"], answer(202, body='{"job": "j1"}')),
    ("GET", "/exports/j1"): (anyone, answer(body='{"state": "done", "rows": 3}')),
    ("GET", "/exports/j1.csv"): (anyone, answer(body="day,orders\n2026-11-01,3\n", content_type="text/csv; charset=utf-8")),
    ("GET", "/hint"): (anyone, answer()),
    ("POST", "/accounts"): (lambda asked, query: "@example.com" in json.loads(asked.body)["email"], answer(201, body='{"id": "a1"}')),
    ("POST", "/orders"): (
        lambda asked, query: json.loads(asked.body)["account"] == "a1" and "x-sojourn-probe" in asked.headers,
        answer(201, body='{"order": "o1"}'),
    ),
    ("POST", "/orders/o1/cancel"): (anyone, answer()),
    ("GET", "/login"): (anyone, answer(body=LOGIN, content_type="text/html", set_cookie="before=1; Path=/")),
    ("POST", "/login"): (
        lambda asked, query: b"csrf=guard-7&" in asked.body and b"password=password-of-the-example" in asked.body,
        answer(body='{"next": "totp"}'),
    ),
    ("POST", "/login/code"): (
        lambda asked, query: pyotp.TOTP(SEED).verify(asked.body.decode().removeprefix("code="), valid_window=1),
        answer(set_cookie="session=s1; Path=/; HttpOnly"),
    ),
    ("GET", "/account"): (lambda asked, query: "session=s1" in asked.headers.get("cookie", ""), answer(body="Hello probe@example.com")),
    ("POST", "/logout"): (anyone, answer()),
    ("GET", "/catalogue"): (anyone, answer(body=CATALOGUE, content_type="text/html")),
    ("GET", "/support"): (anyone, answer(body=SUPPORT, content_type="text/html")),
    ("POST", "/support/pictures"): (lambda asked, query: b"<svg" in asked.body and b"broken-mug.svg" in asked.body, answer(201, body="t1")),
    ("GET", "/receipt"): (anyone, answer(body="ticket t1 is open", content_disposition='attachment; filename="receipt-t1.txt"')),
}
"""What is asked → what is wanted of the request, and the answer."""


SECRETS = {
    "SOJOURN_SECRET_API_CLIENT": "secret-of-the-example",
    "SOJOURN_SECRET_LOGIN_PASSWORD": "password-of-the-example",
    "SOJOURN_SECRET_LOGIN_SEED": SEED,
}


class Partner:
    """The API of api-token.yaml: reading back gives what was made."""

    name = ""

    async def __call__(self, asked: Asked) -> bytes:
        if asked.target == "/customers" and with_token(asked, ""):
            self.name = json.loads(asked.body)["name"]
            return answer(201, body='{"id": "c1"}')
        if asked.target == "/customers/c1" and asked.method == "GET" and with_token(asked, ""):
            return answer(body=json.dumps({"id": "c1", "name": self.name}))
        return await shop(asked)


# Those that ask no web site are walked by the tests of their kinds, under steps/.
ON_THE_WEB = [
    file for file in sorted((ROOT / "configs/journeys").rglob("*.yaml")) if "\nbase_url:" in file.read_text() and "\n    websocket:" not in file.read_text()
]


def _marked(file: Path) -> object:
    return pytest.param(file, id=file.name, marks=pytest.mark.browser if "browser:" in file.read_text() else ())


@pytest.mark.parametrize("file", [_marked(file) for file in ON_THE_WEB])
async def test_configured_journeys_pass(file):
    """Each journey under configs/ passes against a site that is well."""
    async with site(Partner()) as served:
        text = re.sub(r"^base_url: \S+", f"base_url: {served.url}", file.read_text(), flags=re.MULTILINE)
        assert served.url in text
        run = await walk(text, environ=SECRETS, mark=mark, path=file)
    assert [step.id for attempt in run.attempts for step in attempt.steps if step.outcome is not Outcome.PASSED] == []
    assert run.outcome is Outcome.PASSED, run.failure


def test_the_whole_file_in_the_docs_loads(tmp_path):
    """What a reader copies from the pages of the language is a good file, with the files beside it that it names."""
    (tmp_path / "item.schema.json").write_text('{"type": "object"}')
    blocks = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert blocks
    for block in blocks:
        # A block without an id is what stands in a step.
        whole = block if re.search("^id:", block, re.MULTILINE) else f"{A_STEP}{textwrap.indent(block, '    ')}"
        load_text(whole, tmp_path / "docs.yaml")


def test_the_docs_name_everything_one_may_write():
    """Every key, kind, action, source, comparison and namespace is on the pages of the language."""
    from sojourn_probes.journey import Journey
    from sojourn_probes.step import Step
    from sojourn_probes.steps.http import HttpPart

    keys = {info.alias or name for model in (Journey, Step, HttpPart, Action) for name, info in model.model_fields.items()}
    words = {*keys, *KINDS, *SOURCES, *(f"tls.{fact}" for fact in TLS_FACTS), *COMPARISONS, *(f"${{{space}" for space in NAMESPACES)}
    assert sorted(word for word in words if word not in DOCS) == []
