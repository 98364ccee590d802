"""The shop's pages and posts, over HTTP."""

import html
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from sojourn_demo.shop.site import euros
from tests.demo.conftest import Receiver, Running

GRANTED = {"cookie": "shopper=s1; user=u-1; consent=granted"}
TRACE = "0af7651916cd43dd8448eb211c80319c"


async def _fill_cart(running: Running, headers: dict[str, str]) -> None:
    answer = await running.client.post(f"{running.url}/cart", content="product=lamp&quantity=2", headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")


async def _break(running: Running, **fault: Any) -> None:
    (await running.client.post(f"{running.admin}/_faults", json=fault)).raise_for_status()


async def test_pages_carry_the_snippet(running: Running) -> None:
    """Every page has the snippet with the app and the visitor's consent, and says who is signed in and what the cart is worth, escaped."""
    await _fill_cart(running, GRANTED)
    for path in ("/", "/products/lamp", "/cart", "/checkout/pay", "/checkout/thanks", "/survey", "/sign-in"):
        page = (await running.client.get(f"{running.url}{path}", headers=GRANTED)).text
        assert '<script src="http://127.0.0.1:8410/rum.js" data-app="shop" data-consent="granted" data-trace="same-origin"></script>' in page
        assert 'data-user="u-1" data-account="a1" data-cart="124.00"' in page
        assert html.escape("Ada <Alder>") in page
        assert "Ada <Alder>" not in page


async def test_new_browser_gets_a_cookie(running: Running) -> None:
    """A browser without a cookie is given one; a browser with one keeps it."""
    first = await running.client.get(f"{running.url}/", headers={"cookie": ""})
    assert first.headers["set-cookie"].startswith("shopper=")
    again = await running.client.get(f"{running.url}/", headers={"cookie": "shopper=s9"})
    assert "set-cookie" not in again.headers


async def test_pay_without_cart(running: Running) -> None:
    """The pay page sends an empty cart back, and there is no payment or order without something in it."""
    assert (await running.client.get(f"{running.url}/checkout/pay", headers=GRANTED)).status_code == 303
    answer = await running.client.post(f"{running.url}/payments", json={}, headers=GRANTED)
    assert (answer.status_code, answer.json()) == (409, {"error": "There is nothing in the cart."})
    answer = await running.client.post(f"{running.url}/orders", json={"payment": "x"}, headers=GRANTED)
    assert answer.status_code == 409


async def test_buying_writes_an_order(running: Running) -> None:
    """An order goes into the feed with its amount, session, person, account and trace, once, and the cart is empty after it."""
    await _fill_cart(running, GRANTED)
    payment = (await running.client.post(f"{running.url}/payments", json={}, headers=GRANTED)).json()["payment"]
    headers = GRANTED | {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    answer = await running.client.post(f"{running.url}/orders", json={"payment": payment, "session": "v1"}, headers=headers)
    assert answer.status_code == 201
    (row,) = running.shop.feeds.orders.waiting
    assert row.pop("at")
    assert row == {
        "id": answer.json()["order"],
        "amount": "124.00",
        "currency": "EUR",
        "status": "completed",
        "trace_id": TRACE,
        "session_id": "v1",
        "user_id": "u-1",
        "account_id": "a1",
    }
    assert (await running.client.post(f"{running.url}/orders", json={"payment": payment}, headers=GRANTED)).status_code == 409


async def test_probe_orders_are_marked(running: Running) -> None:
    """An order by a probe says so, and a probe's survey answer is not kept."""
    probe = {"cookie": "shopper=probe", "x-sojourn-probe": "r.k.h"}
    await _fill_cart(running, probe)
    payment = (await running.client.post(f"{running.url}/payments", json={}, headers=probe)).json()["payment"]
    await running.client.post(f"{running.url}/orders", json={"payment": payment}, headers=probe)
    assert running.shop.feeds.orders.waiting[0]["probe"] is True
    await running.client.post(f"{running.url}/survey", json={"value": 5}, headers=probe)
    assert running.shop.feeds.feedback.waiting == []


async def test_refused_consent_is_respected(running: Running) -> None:
    """Who refused to be recognised is named in the feeds by the visit only."""
    denied = {"cookie": "shopper=s2; user=u-2; consent=denied"}
    await running.client.post(f"{running.url}/survey", json={"value": 2, "comment": "no", "session": "v2"}, headers=denied)
    (row,) = running.shop.feeds.feedback.waiting
    assert row["session_id"] == "v2"
    assert "user_id" not in row


async def test_survey_refuses_other_values(running: Running) -> None:
    """An answer outside the scale is refused with one sentence."""
    for value in (0, 6, "5", True, None):
        answer = await running.client.post(f"{running.url}/survey", json={"value": value}, headers=GRANTED)
        assert (answer.status_code, answer.json()) == (400, {"error": "value must be a whole number from 1 to 5."})


async def test_error_fault_follows_the_draws(running: Running) -> None:
    """With the fault on, a shopper's tries fail exactly as the draws say, and probes always fail."""
    await _break(running, kind="error", share=0.5, seed=11)
    fault = running.shop.switchboard.fault
    assert fault is not None
    for shopper in ("s3", "s4", "s5", "s6"):
        headers = {"cookie": f"shopper={shopper}"}
        await _fill_cart(running, headers)
        seen = [(await running.client.post(f"{running.url}/payments", json={}, headers=headers)).status_code for _ in range(4)]
        assert seen == [502 if fault.meets(shopper, number) else 201 for number in range(1, 5)]
    probe = {"cookie": "shopper=p", "x-sojourn-probe": "r.k.h"}
    await _fill_cart(running, probe)
    assert (await running.client.post(f"{running.url}/payments", json={}, headers=probe)).status_code == 502
    await _break(running, kind=None)
    assert (await running.client.post(f"{running.url}/payments", json={}, headers=probe)).status_code == 201


async def test_slow_and_broken_script(running: Running) -> None:
    """The slow fault slows the payment, the broken script is served to those who meet it."""
    await _fill_cart(running, GRANTED)
    await _break(running, kind="slow", share=1)
    assert (await running.client.post(f"{running.url}/payments", json={}, headers=GRANTED)).status_code == 201
    assert "/static/checkout.js" in (await running.client.get(f"{running.url}/checkout/pay", headers=GRANTED)).text
    await _break(running, kind="broken_script", share=1)
    assert "/static/broken-checkout.js" in (await running.client.get(f"{running.url}/checkout/pay", headers=GRANTED)).text


async def test_switchboard_refuses(running: Running) -> None:
    """A wrong fault is answered with 400 and one sentence, and changes nothing."""
    answer = await running.client.post(f"{running.admin}/_faults", json={"kind": "fire"})
    assert (answer.status_code, answer.json()["error"]) == (400, "kind must be one of error, slow, broken_script, or null to switch the fault off")
    assert (await running.client.get(f"{running.admin}/_state")).json()["fault"] is None
    assert "Everything works." in (await running.client.get(f"{running.admin}/")).text
    assert (await running.client.post(f"{running.url}/_faults", json={"kind": "error"})).status_code == 404


async def test_trace_goes_through_both_services(running: Running, receiver: Receiver) -> None:
    """A failed payment is one trace: the shop's server and client spans, then the payments service's, the deepest errors there."""
    await _break(running, kind="error", share=1)
    await _fill_cart(running, GRANTED)
    headers = GRANTED | {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    assert (await running.client.post(f"{running.url}/payments", json={}, headers=headers)).status_code == 502
    await running.flush()
    spans = {(service, span.name): span for service, span in receiver.spans if span.trace_id.hex() == TRACE}
    assert set(spans) == {("shop", "POST /payments"), ("shop", "POST /authorise"), ("payments", "POST /authorise"), ("payments", "bank authorise")}
    assert spans["shop", "POST /payments"].parent_span_id.hex() == "b7ad6b7169203331"
    assert spans["shop", "POST /payments"].kind == Span.SPAN_KIND_SERVER
    assert spans["payments", "POST /authorise"].parent_span_id == spans["shop", "POST /authorise"].span_id
    assert all(span.status.code == Status.STATUS_CODE_ERROR for span in spans.values())


async def test_shop_lives_without_collector(running: Running, receiver: Receiver) -> None:
    """Payments that cannot be reached are a 502, and nothing waits for the exporter."""
    receiver.answers = [503] * 5
    assert (await running.client.get(f"{running.url}/")).status_code == 200
    assert (await running.client.get(f"{running.url}/products/none")).status_code == 404
    assert "There is no such product." in (await running.client.get(f"{running.url}/products/none")).text


def test_euros() -> None:
    """Money is shown with two digits and separators."""
    from decimal import Decimal

    assert euros(Decimal("1234.5")) == "€ 1,234.50"
