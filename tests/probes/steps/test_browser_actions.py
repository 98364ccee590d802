"""Every action of a browser step, done in a real Chromium; what it says when it cannot be done; values taken from the page."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps import browser_doing
from tests.probes.site import Answer, Asked, answer
from tests.probes.steps.browser_site import page
from tests.probes.steps.browsing import Warm, journey, only_failure
from tests.probes.walking import walk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DESK = """<h1>Desk</h1>
<ul><li class=row>Mug <button onclick="said.textContent='took mug'">Take</button>
<li class=row>Cup <button onclick="said.textContent='took cup'">Take</button></ul>
<p id=said></p>
<button disabled>Later</button><button style="display:none">Ghost</button><button>Pay now</button>
<label>Quantity <input id=qty value=2 placeholder="How many" data-testid=qty></label>
<label><input type=checkbox id=gift> As a gift</label>
<label>Photo <input type=file id=photo onchange="said.textContent = [...photo.files].map((f) => f.name + ' ' + f.size).join(', ')"></label>
<button onclick="chooser.click()">Choose</button>
<input type=file id=chooser multiple hidden onchange="said.textContent='chose ' + chooser.files.length">
<a href=/invoice download>Invoice</a> <a href=/terms target=_blank>Terms</a> <a id=no href="/orders/4711?x=1">Order</a>
<iframe title="Card form" name=card src=/frame></iframe>
<div style="height:3000px"></div><p id=end>The end</p>
<script>window.cart = {total: 7.5, items: ['mug']}; addEventListener('scroll', () => { document.body.dataset.at = scrollY; });
setTimeout(() => { qty.value = '3'; document.title = 'Desk, ready'; }, 300);</script>"""


async def desk(asked: Asked) -> Answer:
    path = asked.target.split("?")[0]
    if path == "/":
        return page("Desk", DESK)
    if path == "/frame":
        inner = "<label>Number <input id=n></label><button onclick=\"out.textContent = 'paid ' + n.value\">Pay</button><p id=out></p>"
        return page("Card", inner + "<iframe name=deep srcdoc='<button>Deep</button>'></iframe>")
    if path == "/invoice":
        return answer(200, b"x" * 1500, content_type="application/pdf", content_disposition='attachment; filename="invoice-4711.pdf"')
    if path == "/terms":
        return page("Terms", "<h1>Terms</h1><a href=/terms2 target=_blank>More</a><button onclick='window.close()'>Close me</button>")
    return page("Other", f"<h1>Other</h1>{path}")


GOOD = [
    ["click: {role: button, name: Take, within: {css: .row, nth: 1}}", "expect: took cup"],
    ["click: {role: button, name: Take, within: {role: listitem, nth: 0}}", "expect: {css: '#said', contains: Took Mug}"],
    ["expect: {css: .row, count: 2}", "expect: {css: .none, count: 0}"],
    ["expect: {label: Quantity, value: '3'}", "expect: {title: desk, timeout: 3s}", "expect: {title: 'Desk, ready', exact: true}"],
    ["expect: {url: /}", "expect: {url: 'http://127.0.0.1:*/'}"],
    ["expect: {role: button, name: Later, state: disabled}", "expect: {role: button, name: Pay now, state: enabled}"],
    ["expect: {label: As a gift, state: unchecked}", "check: As a gift", "expect: {label: As a gift, state: checked}"],
    ["check: As a gift", "check: {label: As a gift, on: false}", "expect: {label: As a gift, state: unchecked}"],
    ["expect: {test_id: qty, value: '3'}", "fill: {placeholder: How many, value: '9'}", "expect: {label: Quantity, value: '9'}"],
    ["scroll: bottom", "evaluate: {js: 'scrollY > 1000', equals: true}", "scroll: top", "evaluate: {js: scrollY, equals: 0}"],
    ["scroll: The end", "evaluate: {js: 'scrollY > 1000', equals: true}"],
    ["hover: Desk", "scroll: {by: 700}", "evaluate: {js: 'new Promise((done) => setTimeout(() => done(scrollY > 0), 200))', equals: true}"],
    ["upload: {label: Photo, file: mug.png}", "expect: mug.png 4"],
    ["upload: {role: button, name: Choose, files: [mug.png, more/cup.png]}", "expect: chose 2"],
    ["download: {click: {role: link, name: Invoice}, file: 'invoice-*.pdf', min_size: 1 KB, max_size: 2 KB}"],
    ["frame: {title: Card form, actions: [{fill: {label: Number, value: '42'}}, {click: Pay}, {expect: paid 42}]}", "expect: Desk"],
    ["frame: {name: card, actions: [{evaluate: {js: location.pathname, equals: /frame}}, {frame: {name: deep, actions: [{click: Deep}]}}]}"],
    ["frame: {css: 'iframe[src*=frame]', actions: [{scroll: bottom}, {press: {label: Number, key: A}}, {expect: {label: Number, value: A}}]}"],
    ["new_tab: {click: {role: link, name: Terms}}", "expect: {title: Terms}", "tab: first", "expect: {title: Desk}", "tab: last", "tab: close", "expect: Mug"],
    ["new_tab: {goto: /elsewhere}", "expect: /elsewhere", "tab: close", "expect: {title: Desk}"],
    ["new_tab: {click: {text: Terms}}", "new_tab: {click: {text: More}}", "expect: Other", "tab: close", "expect: {title: Terms}"],
    ["new_tab: {click: {text: Terms}}", "click: Close me", "tab: first", "expect: {title: Desk}"],
    ["evaluate: {js: 'cart', equals: {total: 7.5, items: [mug]}}", "evaluate: {js: 'arg + 1', arg: 2, equals: 3}", "evaluate: document.title"],
    ["evaluate: {js: 'undefined', equals: null}", "evaluate: {js: 'fetch(\"/x\").then((a) => a.status)', equals: 200}"],
    ["evaluate: {js: arg, arg: '${vars.word}', equals: '${vars.word}'}"],
]


async def few_at_once(work: Callable[[Any], Awaitable[Any]], cases: list[Any]) -> list[Any]:
    """`work` on each of `cases`, three at a time: most of them wait."""
    turns = asyncio.Semaphore(3)

    async def one(case: Any) -> Any:
        async with turns:
            return await work(case)

    return await asyncio.gather(*(one(case) for case in cases))


async def test_every_action_is_done(warm, tmp_path):
    """Each action reaches the page, in its short and long forms."""
    (tmp_path / "more").mkdir()
    (tmp_path / "mug.png").write_bytes(b"\x89PNG")
    (tmp_path / "more/cup.png").write_bytes(b"\x89PNG")
    async with warm(desk) as (served, tools):

        async def done(actions: list[str]) -> str | None:
            text = f"vars: {{word: fine}}\n{journey(served.url, 'goto: /', *actions)}"
            result = await walk(text, tools=tools, path=tmp_path / "journey.yaml")
            return result.failure.message if result.failure else None

        failures = await few_at_once(done, GOOD)
    assert failures == [None] * len(GOOD)


BAD = [
    (
        ["click: {role: button, name: Paying now, exact: true}"],
        FailureKind.TIMEOUT,
        "click button 'Paying now': not there within T; the page shows button 'Pay now': name what is there, or wait for what comes first",
    ),
    (
        ["fill: {label: Quantitee, value: '1'}"],
        FailureKind.TIMEOUT,
        "fill label 'Quantitee': not there within T; the page shows label 'Quantity': name what is there, or wait for what comes first",
    ),
    (
        ["fill: {test_id: qtyy, value: '1'}"],
        FailureKind.TIMEOUT,
        "fill test id 'qtyy': not there within T; the page shows test id 'qty': name what is there, or wait for what comes first",
    ),
    (
        ["click: {css: '#nothing'}"],
        FailureKind.TIMEOUT,
        "click css '#nothing': not there within T; nothing on the page matches it, so correct the selector or wait for what comes first",
    ),
    (["click: {role: slider, name: Volume}"], FailureKind.TIMEOUT, "click slider 'Volume': not there within T; the page shows no slider at all"),
    (["click: Later"], FailureKind.TIMEOUT, "click button 'Later': there but disabled for T; do first what enables it"),
    (["click: {css: '#chooser'}"], FailureKind.TIMEOUT, "click css '#chooser': there but hidden for T; do first what makes it visible"),
    (["click: Take"], FailureKind.SCRIPT, "click button 'Take': there are 2 of it; say which with nth, or name it more exactly"),
    (
        ["expect: {text: Deks, timeout: 3s}"],
        FailureKind.EXPECTATION,
        "expect text 'Deks': not there after 200 ms; the page shows text 'Desk': name what is there, or wait for what comes first",
    ),
    (["expect: {css: .row, count: 3, timeout: 3s}"], FailureKind.EXPECTATION, "expect css '.row': there are 2 of it, not 3"),
    (["expect: {title: Cart, timeout: 3s}"], FailureKind.EXPECTATION, "expect title 'Cart': still 'Desk, ready' after 900 ms"),
    (["expect: {url: /cart, timeout: 3s}"], FailureKind.EXPECTATION, "expect url /cart: still at URL/ after 200 ms"),
    (["expect: {css: h1, contains: Cart, timeout: 3s}"], FailureKind.EXPECTATION, "expect css 'h1': holds 'Desk', not 'Cart'"),
    (["expect: {label: As a gift, state: checked, timeout: 3s}"], FailureKind.EXPECTATION, "expect label 'As a gift': not checked"),
    (["evaluate: {js: cart.total, equals: 8}"], FailureKind.EXPECTATION, "evaluate cart.total: gives 7.5, not 8"),
    (["evaluate: {js: '1', equals: true}"], FailureKind.EXPECTATION, "evaluate 1: gives 1, not true"),
    (["evaluate: nothing.there"], FailureKind.SCRIPT, "evaluate nothing.there: ReferenceError: nothing is not defined"),
    (["evaluate: '\"x\".repeat(70000)'"], FailureKind.SCRIPT, 'evaluate "x".repeat(70000): gives 70002 characters of JSON, more than 65536; take less of it'),
    (["evaluate: '() => 1'"], FailureKind.SCRIPT, "evaluate () => 1: gives a function, which is no JSON value; take less of it"),
    (
        ["evaluate: 'new Promise((kept) => { window.kept = kept })'"],
        FailureKind.TIMEOUT,
        "evaluate new Promise((kept) => { window.kept = kept }): no value within T",
    ),
    (["upload: {label: Photo, file: none.png}"], FailureKind.CONFIG, "upload none.png: there is no such file in FOLDER"),
    (
        ["download: {click: {role: link, name: Invoice}, file: 'bill-*.pdf'}"],
        FailureKind.EXPECTATION,
        "download by link 'Invoice': the file is called 'invoice-4711.pdf', not 'bill-*.pdf'",
    ),
    (
        ["download: {click: {role: link, name: Invoice}, min_size: 2 KB}"],
        FailureKind.EXPECTATION,
        "download by link 'Invoice': 'invoice-4711.pdf' has 1.5 KB, less than 2.0 KB",
    ),
    (["download: {click: Pay now, timeout: 3s}"], FailureKind.TIMEOUT, "download by button 'Pay now': no download began within 3.00 s"),
    (["new_tab: {click: Pay now, timeout: 3s}"], FailureKind.TIMEOUT, "new_tab: no tab opened within 3.00 s"),
    (["tab: close"], FailureKind.SCRIPT, "tab close: this is the only tab; remove it or open another first"),
    (
        ["frame: {title: Card form, actions: [{click: {css: label}}, {expect: {text: Payd, timeout: 3s}}]}"],
        FailureKind.EXPECTATION,
        "in frame title 'Card form', action 2 there, expect text 'Payd': not there after 200 ms;"
        " the page shows text 'Pay': name what is there, or wait for what comes first",
    ),
]


@pytest.mark.timeout(300)
async def test_what_cannot_be_done_is_said_with_what_is_there_instead(warm, tmp_path, monkeypatch):
    """A failing action names its number, its target, what was there instead and the cure; its kind is by type."""
    # A busy machine needs long to look around: so much of the 20 s below is for that.
    monkeypatch.setattr(browser_doing, "KEPT_SECONDS", 4.0)
    monkeypatch.setattr(browser_doing, "LOOKING_SECONDS", 3.0)
    async with warm(desk) as (served, tools):

        async def said(case: tuple[list[str], FailureKind, str]) -> tuple[FailureKind, str]:
            # Where nothing is waited for until the step ends, a busy machine may take its time.
            patience = "20s" if "within T" in case[2] or "for T" in case[2] else "60s"
            return only_failure(await walk(journey(served.url, "goto: /", *case[0], timeout=patience), tools=tools, path=tmp_path / "journey.yaml"))

        found = await few_at_once(said, BAD)
    for (actions, kind, message), (seen, text) in zip(BAD, found, strict=True):
        wanted = f"action 2 of 2, {message}".replace("URL", served.url).replace("FOLDER", str(tmp_path))
        assert (seen, _without_times(text)) == (kind, _without_times(wanted)), actions


def _without_times(text: str) -> str:
    return re.sub(r"(within|for|after) (T|[\d.]+ m?s)\b", r"\1 T", text)


async def test_a_deadline_that_comes_first_names_the_action(warm, tmp_path):
    """An action that the step's deadline cancels is named with its number, behind the last request."""
    (tmp_path / "slow.py").write_text("import asyncio\n\nasync def run(page, names):\n    await asyncio.sleep(3600)\n")
    async with warm(desk) as (served, tools):
        text = journey(served.url, "goto: /", "script: {file: slow.py}", "click: Pay now", timeout="15s")
        kind, message = only_failure(await walk(text, tools=tools, path=tmp_path / "journey.yaml"))
    assert (kind, message.partition(", at GET")[0]) == (FailureKind.TIMEOUT, "not done within 15.00 s (timeout of the attempt)")
    assert message.endswith(": action 2 of 3, script, was not done")


async def test_values_of_the_page_are_taken_for_later_steps(warm: Warm):
    """Text, field, attribute, address, expression and cookie of a page fill later steps; regex narrows."""

    async def own(asked: Asked) -> Answer:
        if asked.target == "/start":
            return answer(200, "<title>x</title><script>location.hash='#a=77'</script>" + DESK, content_type="text/html", set_cookie="sid=s-123")
        return await desk(asked)

    extracts = """    extract:
      text: {text: {css: h1}}
      short: {text: The en}
      value: {value: Quantity}
      number: {attribute: href, of: {css: '#no'}, regex: 'orders/(\\d+)'}
      hash: {url: 'a=(\\d+)'}
      total: {evaluate: cart.total}
      item: {evaluate: cart, regex: '"(m\\w+)"'}
      cookie: {cookie: sid, secret: false}
      line: {regex: 'As a (\\w+)'}
  - id: next
    browser:
      - goto: "/n/${steps.buy.text}/${steps.buy.short}/${steps.buy.value}/${steps.buy.number}/${steps.buy.hash}"
      - goto: "/m/${steps.buy.total}/${steps.buy.item}/${steps.buy.cookie}/${steps.buy.line}"
      - evaluate: {js: arg * 2, arg: "${steps.buy.total}", equals: 15}
"""
    async with warm(own) as (served, tools):
        result = await walk(journey(served.url, "goto: /start", "expect: {label: Quantity, value: '3'}", more=extracts), tools=tools)
    assert result.failure is None
    assert [asked.target for asked in served.asked if asked.target[:3] in ("/n/", "/m/")] == ["/n/Desk/The%20end/3/4711/77", "/m/7.5/mug/s-123/gift"]


@pytest.mark.parametrize(
    ("extract", "message"),
    [
        ("{text: {css: .none}}", "x could not be extracted: css '.none' is not there once"),
        ("{attribute: title, of: {css: h1}}", "x could not be extracted: css 'h1' is not there once, or has no title"),
        ("{evaluate: nothing.there}", "x could not be extracted: evaluating nothing.there gave no value"),
        ("{text: {css: h1}, regex: '\\d+'}", "x could not be extracted: it has nothing like \\d+"),
        ("{regex: 'never'}", "x could not be extracted: the page has nothing like never"),
    ],
)
async def test_a_value_that_is_not_there_fails_the_step(warm, extract, message):
    """What cannot be taken is a failure of kind extract with its name."""
    async with warm(desk) as (served, tools):
        result = await walk(journey(served.url, "goto: /", more=f"    extract: {{x: {extract}}}\n"), tools=tools)
    assert only_failure(result) == (FailureKind.EXTRACT, message)
