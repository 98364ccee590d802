"""A small shop for browser steps to walk through, and who is left running afterwards."""

import asyncio
import os
from pathlib import Path

from tests.probes.site import Answer, Asked, answer

PAGE = "<!doctype html><title>{title}</title><link rel=icon href=data:,><body>{body}</body>"


def page(title: str, body: str) -> Answer:
    """An HTML page."""
    return answer(200, PAGE.format(title=title, body=body), content_type="text/html")


CART = """<h1>Your cart</h1>
<form onsubmit="pay(event)">
<label>Card number <input id=card></label><label>Country <select id=country><option value=de>Germany<option value=fr>France</select></label>
<label><input type=checkbox id=terms> I agree</label>
<button>Pay</button></form><p id=said></p><p id=echo></p>
<script>
async function pay(event) {
  event.preventDefault();
  document.getElementById('echo').textContent = 'Card: ' + document.getElementById('card').value;
  const answer = await fetch('/payments', {method: 'POST', body: document.getElementById('country').value + document.getElementById('terms').checked});
  document.getElementById('said').textContent = answer.ok ? 'Thank you' : 'Sorry';
  console.error('paid with ' + document.getElementById('card').value);
}
</script>"""


async def shop(asked: Asked) -> Answer:
    """Home, cart, payments that work and payments that do not."""
    path = asked.target.split("?")[0]
    if path == "/":
        return page("Home", "<h1>Welcome</h1><a href=/cart>Cart</a>")
    if path == "/cart":
        return answer(200, PAGE.format(title="Cart", body=CART), content_type="text/html", set_cookie="basket=full")
    if path == "/broken":
        return answer(200, PAGE.format(title="Cart", body=CART.replace("/payments", "/payments-broken")), content_type="text/html")
    if path == "/payments":
        return answer(201, "{}")
    if path == "/slow":
        await asyncio.sleep(30)
    return answer(502 if path == "/payments-broken" else 404, "no")


def started_by_us() -> dict[int, str]:
    """Browsers and drivers that descend from this process, by pid; those that have ended and wait to be collected do not count."""
    parents: dict[int, tuple[int, str]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if state != "Z":
            parents[int(folder.name)] = (int(parent), command)
    ours: set[int] = {os.getpid()}
    while grown := {pid for pid, (parent, _) in parents.items() if parent in ours} - ours:
        ours |= grown
    return {pid: parents[pid][1][:100] for pid in ours - {os.getpid()} if pid in parents and ("chrom" in parents[pid][1] or "playwright" in parents[pid][1])}
