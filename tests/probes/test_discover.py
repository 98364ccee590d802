"""`sojourn discover`: what the collector found becomes journey files that load; wrong answers are one sentence."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sojourn_probes.cli import main
from sojourn_probes.discovered import journeys_of
from sojourn_probes.load import load_file, load_text


def step(page: str = "", event: str = "", people: int = 9) -> dict[str, Any]:
    """One place as the collector tells it."""
    return {"page": page, "event": event, "people": people}


FOUND: dict[str, Any] = {
    "as_of": "2026-11-20T14:10:00Z",
    "window_from": "2026-11-13T14:10:00Z",
    "window_to": "2026-11-20T14:10:00Z",
    "visits": 40,
    "people": 20,
    "one_in": 1,
    "known": 1,
    "reason": "",
    "paths": [
        {
            "app": "shop",
            "steps": [step("/account", people=20), step("/orders/*", people=14), step("/checkout/pay", people=9), step(event="reordered", people=8)],
            "visits": 9,
            "finished": 0.4,
            "seconds": 190.0,
        },
        {"app": "", "steps": [step("/help"), step("/help/*/'\"ö: #x"), step("/")], "visits": 9, "finished": 1.0, "seconds": 4.0},
    ],
}


class Collector:
    """Answers with `body` and `status`; `asked` is what it was asked, `keys` the authorization headers."""

    def __init__(self) -> None:
        self.body = json.dumps(FOUND)
        self.status = 200
        self.asked: list[dict[str, list[str]]] = []
        self.keys: list[str] = []
        self.address = ""


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            one.asked.append(parse_qs(urlsplit(self.path).query))
            one.keys.append(self.headers.get("authorization", ""))
            self.send_response(one.status)
            self.end_headers()
            self.wfile.write(one.body.encode())

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one.address = f"http://127.0.0.1:{server.server_port}"
    yield one
    server.shutdown()
    server.server_close()


def run(*arguments: str) -> int:
    """The command's exit code."""
    with pytest.raises(SystemExit) as ended:
        main(["discover", *arguments])
    return int(ended.value.code or 0)


def test_the_files_load_and_say_what_was_seen(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each path becomes a journey with customers' parts; a conversion is what ends the step before; the key goes along, and the filters."""
    monkeypatch.setenv("SOJOURN_KEY", "sj_a_b")
    folder = tmp_path / "journeys"
    assert run("--collector", collector.address, "--out", str(folder), "--app", "shop", "--people", "7") == 0
    first = load_file(folder / "checkout-pay.yaml")
    assert [
        (one.id, one.customers.reached.page, one.customers.done and one.customers.done.event) for one in first.steps if one.customers and one.customers.reached
    ] == [
        ("account", "/account", None),
        ("orders", "/orders/*", None),
        ("checkout-pay", "/checkout/pay", "reordered"),
    ]
    assert first.customers is not None
    assert first.customers.app == "shop"
    text = (folder / "checkout-pay.yaml").read_text()
    assert "20 people began, 40 % of them got to the end" in text
    assert "within 3 min" in text
    assert collector.asked[0]["people"] == ["7"]
    assert collector.keys == ["Bearer sj_a_b"]
    assert "next: sojourn validate" in capsys.readouterr().out
    assert run("--collector", collector.address, "--out", str(folder)) == 2
    assert "is there already; nothing was written, say --force to overwrite" in capsys.readouterr().err


def test_every_drafted_journey_loads_whatever_pages_are_called() -> None:
    """Pages with quotes, colons, hashes and letters of other scripts."""
    pages = ["/", "/a b", "/'x'", '/"y"', "/c: d", "/# e", "/ö/ü", "/true", "/- f", "/{g}", "/日本"]
    answer = {
        **FOUND,
        "paths": [
            {**FOUND["paths"][0], "steps": [step(one), step(other), step(event=one.strip("/") or "done")]} for one in pages for other in pages if one != other
        ],
    }
    for one in journeys_of(answer):
        assert load_text(one.text, Path(f"{one.id}.yaml")).id == one.id


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (401, "{}", "wants a key with the scope read; put it into SOJOURN_KEY"),
        (404, '{"error": "There is nothing at /api/v1/discover; see /api/docs."}', "answered 404: There is nothing at /api/v1/discover; see /api/docs."),
        (200, "<html>", "answered 200: not what discover asks for; is it an older one?"),
        (200, "[]", "answered 200: not what discover asks for; is it an older one?"),
        (200, '{"paths": 3}', "what the collector answered is no list of paths (KeyError: 'window_from'); is it an older one?"),
    ],
)
def test_a_wrong_answer_is_one_sentence(collector: Collector, capsys: pytest.CaptureFixture[str], status: int, body: str, sentence: str) -> None:
    """Exit 2, and what helps."""
    collector.status, collector.body = status, body
    assert run("--collector", collector.address) == 2
    assert sentence in capsys.readouterr().err


def test_wrong_use_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """A span that is none, an address that is none, and nobody there."""
    assert run("--last", "soon") == 2
    assert "'soon' is no span of time; write one such as 7d, 12h or 4w" in capsys.readouterr().err
    assert run("--collector", "shop") == 2
    assert "is no address; write it with http:// or https://" in capsys.readouterr().err
    assert run("--collector", "http://127.0.0.1:9") == 2
    assert "no collector answers at http://127.0.0.1:9" in capsys.readouterr().err


def test_nothing_found_says_why(collector: Collector, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing on stdout, the collector's reason on stderr, exit 0."""
    collector.body = json.dumps({**FOUND, "paths": [], "reason": "no visit of a real browser was seen in this time: pages need the snippet"})
    assert run("--collector", collector.address) == 0
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "no visit of a real browser was seen in this time: pages need the snippet\n")
