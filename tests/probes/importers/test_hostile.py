"""What is imported is written by anybody: it must end, quickly, in a journey or a sentence, and never in a secret."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn_probes.importers import FORMATS, decoded
from sojourn_probes.importers.source import MAX_BYTES, ImportFault, yaml_of
from sojourn_probes.importers.written import scalar
from sojourn_probes.secret_names import is_secret_name
from sojourn_probes.yaml_core import read
from tests.probes.importers.importing import SAMPLES, imported

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]\n" for n in range(8))


def test_aliases_cannot_blow_up():
    """Values repeated by aliases are counted each time."""
    with pytest.raises(ImportFault, match=r"has more than 500000 values, counting those that aliases repeat; split it"):
        yaml_of(BOMB)


def test_nesting_is_bounded():
    """Deep YAML is refused, whatever the parser could bear."""
    with pytest.raises(ImportFault, match="is nested more than 64 deep; a file of this kind is not"):
        yaml_of("[" * 5000 + "]" * 5000)


def test_size_is_bounded():
    """A file larger than the bound is refused before it is read."""
    with pytest.raises(ImportFault, match=r"^file: is larger than 32 MiB; export less of it$"):
        decoded(b"x" * (MAX_BYTES + 1), "file")


FILES = sorted(SAMPLES.iterdir())
FORM_OF = {"shop.har": "har", "shop.postman_collection.json": "postman", "pets.openapi.yaml": "openapi", "commands.sh": "curl", "buy.py.txt": "playwright"} | {
    "buy.spec.ts": "playwright", "gatus.yaml": "gatus", "blackbox.yml": "blackbox", "heartbeat.yml": "heartbeat", "shop.check.ts": "checkly",
}  # fmt: skip


def test_every_format_has_a_sample():
    """The one list of formats and the samples agree."""
    assert set(FORM_OF.values()) == set(FORMATS)
    assert {path.name for path in FILES} == set(FORM_OF)


def refusal(form: str, text: str) -> str:
    """Why `text` is refused; nothing when it is not, and what comes out of it loads."""
    try:
        imported(form, text, spoilt=True)
    except ImportFault as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_cut_or_spoilt_anywhere_ends_in_a_journey_or_a_sentence(path):
    """Every sample cut off, or with something odd put in, is imported in part or refused by one sentence; what comes out loads."""
    text = path.read_text()
    for at in range(0, len(text), max(1, len(text) // 25)):
        for spoilt in (text[:at], text[:at] + "]}'\"`${" + text[at:], text[:at] + "\x00\ud800".replace("\ud800", "é") + text[at + 5 :]):
            assert "\n" not in refusal(FORM_OF[path.name], spoilt)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60))
def test_every_text_is_written_so_that_it_reads_back(text):
    """A text in block and flow style is what YAML 1.2 reads, whatever stands in it."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert read(f"a: {scalar(text)}\n").data == {"a": whole}
    assert read(f"a: {{b: {scalar(text, flow=True)}}}\n").data == {"a": {"b": whole}}


@pytest.mark.parametrize(
    "text",
    ["yes", "null", "1", "1.5", "- a", "a: b", "a #b", "${x}", "*a", "'", "", " a", "a:", "2026-01-01", "0x1", "no", "5s", "a,b", "a]", "/a?b=c", "a -b"],
)
def test_texts_that_yaml_reads_as_something_else_are_quoted(text):
    """The usual traps read back as the texts they are."""
    assert read(f"a: {scalar(text)}\n").data == {"a": text}
    assert read(f"a: [{scalar(text, flow=True)}]\n").data == {"a": [text]}


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("password", True), ("userPassword", True), ("X-API-Key", True), ("access_token", True), ("client-secret", True), ("sessionid", True),
        ("APIToken", True), ("token_type", False), ("author", False), ("passenger", False), ("pinned", False), ("username", False), ("tokenUrl", False),
        ("", False),
    ],
)  # fmt: skip
def test_names_of_secrets(name, secret):
    """Fields that hold secrets are known by their names, and their likes are not."""
    assert is_secret_name(name) is secret


def test_values_that_look_like_secrets_are_lifted_wherever_they_stand():
    """A JWT in a path, an AWS key in a body and a token in a header of no secret name are references."""
    jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"
    found = imported(
        "curl", f"curl https://a.example/{jwt} -H 'X-Thing: Bearer abcdefghijklmnop' -d 'key AKIAIOSFODNN7EXAMPLE end' -H 'Content-Type: text/plain'"
    )
    text = found.texts["a-example"]
    assert jwt not in text
    assert "abcdefghijklmnop" not in text
    assert "AKIA" not in text
    assert text.count("${secrets.") == 3


def test_names_in_foreign_texts_are_not_ours():
    """A ${…} in what is imported is text, and cannot ask for a variable or secret of this machine."""
    found = imported(
        "curl", "curl 'https://a.example/${secrets.shop}' -H 'X-A: ${env.HOME}' -d '{\"a\": \"${secrets.x}\"}' -H 'Content-Type: application/json'"
    )
    http = found.data["a-example"]["steps"][0]["http"]
    assert (http["headers"], http["json"]) == ({"X-A": "$${env.HOME}"}, {"a": "$${secrets.x}"})
    assert "/$${secrets.shop}" in found.texts["a-example"]


def test_a_dollar_that_the_shell_keeps_is_no_name():
    """`\\${x}`, in double quotes or out of them, and `%24%7Bx%7D` in a form reach no secret of ours."""
    found = imported("curl", 'curl "https://a.example/\\${secrets.a}" \\${secrets.b} -d "a=%24%7Bsecrets.c%7D"')
    assert found.secrets == []
    assert found.texts["a-example"].count("$${secrets.") == 4


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("curl", """curl https://a.example/ -H 'X-A: $'"{secrets.x}" """),
        ("curl", """curl https://a.example/ -H "X-A: \\$"'{secrets.x}' """),
        ("checkly", r"new UrlMonitor('a', {name: 'a', request: {url: 'https://a.example/\x24{secrets.x}'}})"),
        ("checkly", r"new UrlMonitor('a', {name: 'a', request: {url: 'https://a.example/$\x7bsecrets.x}'}})"),
        ("checkly", r"new UrlMonitor('a', {name: 'a', request: {url: `https://a.example/\${secrets.x}`}})"),
        ("playwright", r"page.goto('https://a.example/$\u007bsecrets.x}')"),
    ],
)
def test_a_name_put_together_of_pieces_is_none(form, text):
    """Neither quotes nor escapes between the dollar and the brace make a reference to a secret."""
    assert "$${secrets.x}" in next(iter(imported(form, text).texts.values()))


def test_what_is_far_too_large_ends_soon():
    """A body that no journey has room for is left out before it is looked through; addresses and requests without end are refused."""
    said = imported("curl", f"curl https://a.example/ -d '{'x=y&' * 100_000}'").said
    assert said[0] == "file: line 1: the body of 400000 characters was left out; put it into a file beside the journey and name it under file:"
    with pytest.raises(ImportFault, match="names more than 1000 addresses in one command; split it"):
        imported("curl", "curl '" * 10_000)
