"""What may be said of browser steps: settings and actions that cannot be meant are refused, by the loader and by the JSON Schema alike."""

from pathlib import Path

import pytest

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.load import load_text
from tests.probes.test_schema import fits_schema, loads

BAD = [
    (
        "{device: iPhone 15 Proo}",
        "defaults.browser.device: device 'iPhone 15 Proo' is not known to Playwright; did you mean iPhone 15 Pro or iPhone 17 Pro or iPhone 16 Pro?",
    ),
    ("{viewport: big}", "defaults.browser.viewport: 'big' is no size; write it as 1280x800"),
    ("{timezone: Mars/Olympus}", "defaults.browser.timezone: 'Mars/Olympus' is no time zone; write it as Europe/Berlin"),
    ("{network: dialup}", "defaults.browser.network: 'dialup' is not known; one of slow-3g, slow-4g, fast-4g, or {down, up, latency}"),
    ("{network: {down: 5}}", "defaults.browser.network.down: a rate is wanted here, such as 750 kbit/s or 1.6 Mbit/s"),
    ("{cpu: 4}", "defaults.browser.cpu: how many times slower is wanted here, such as 4x, at most 50x"),
    ("{permissions: [fly]}", None),
    ("{auth: {user: a, password: b}}", None),
    ("{headers: {cookie: a}}", None),
    ("{tls: {key_file: k.pem}}", "defaults.browser.tls: has a key but no certificate; add cert_file:"),
    ("{evidence: {screenshot: sometimes}}", None),
    ("{block: ['http://x/']}", None),
]


@pytest.mark.parametrize(("defaults", "message"), BAD)
def test_bad_settings_are_refused(defaults, message):
    """What cannot be meant is refused in one sentence."""
    with pytest.raises(JourneyFileError) as caught:
        load_text(f"id: j\ndefaults: {{browser: {defaults}}}\nsteps:\n  - {{id: s, browser: [{{goto: 'http://x/'}}]}}\n", Path("j.yaml"))
    assert message is None or str(caught.value).partition(": ")[2] == message


ACTIONS = [
    ("expect: {url: /a, title: b}", "takes one thing on the page, a url or a title"),
    ("expect: {title: a, count: 2}", "count goes with one thing on the page, not with title"),
    ("expect: {css: a, count: 2, value: b}", "value and count are two expectations; make two of it"),
    ("expect: {css: a, count: 2, nth: 1}", "nth picks one, so there is nothing to count; remove nth or count"),
    ("scroll: {to: top, by: 5}", "takes one thing on the page, to: top or bottom, or by: pixels"),
    ("upload: {css: a}", "takes either file or files"),
    ("upload: {css: a, file: " + "é" * 200 + "}", f"'{'é' * 40}'… is too long for the name of a file; it may have 255 bytes"),
    ("upload: {css: a, file: ../b}", "'../b' leaves the journey's folder; put the file beside the journey and name it from there"),
    ("frame: {actions: [{click: a}]}", "name the frame by one of title, name, css"),
    ("frame: {css: a, actions: [{goto: /}]}", "goto changes the page and cannot stand inside a frame; put it beside the frame"),
    ("new_tab: {timeout: 1s}", "takes one action that opens the tab: click, press or goto"),
    ("download: {click: a, min_size: 2 MB, max_size: 1 MB}", "min_size is larger than max_size; swap them"),
    ("tab: second", None),
    ("evaluate: ''", None),
    ("click: {css: a, within: {text: b, css: c}}", "text and css are two ways to name one thing; keep one"),
]


@pytest.mark.parametrize(("action", "message"), ACTIONS)
def test_bad_actions_are_refused(action, message):
    """What cannot be meant is refused in one sentence at its place."""
    with pytest.raises(JourneyFileError) as caught:
        load_text(f"id: j\nbase_url: http://x\nsteps:\n  - id: s\n    browser:\n      - {action}\n", Path("j.yaml"))
    assert message is None or str(caught.value).partition(": ")[2].partition(": ")[2] == message


@pytest.mark.parametrize(("line", "good"), [("{cpu: 4x}", True), ("{cpu: 50x}", True), ("{cpu: 99x}", False), ("{cpu: 0x}", False), ("{cpu: 4}", False)])
def test_the_editor_and_the_loader_agree_on_settings(line, good):
    """What the loader refuses in the browser's settings the JSON Schema marks, and the other way round."""
    text = f"id: j\nbase_url: http://x\ndefaults: {{browser: {line}}}\nsteps:\n  - {{id: s, browser: [{{goto: /}}]}}\n"
    assert (loads(text), fits_schema(text)) == (good, good)


@pytest.mark.parametrize("action", ["goto: ''", "press: ''", "evaluate: ''", "script: ''", "tab: second", "frame: {css: a, actions: []}"])
def test_the_editor_and_the_loader_agree_on_empty_actions(action):
    """An action that says nothing is bad to both."""
    text = f"id: j\nbase_url: http://x\nsteps:\n  - id: s\n    browser:\n      - {action}\n"
    assert (loads(text), fits_schema(text)) == (False, False)
