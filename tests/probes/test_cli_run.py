"""`sojourn run`: exit codes, repeats, watching, windows, and what a site or a terminal does to it."""

import asyncio
import html
import json
import os
import shutil
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest
from lxml import etree

from tests.probes.commanding import PROGRAM, program, terminal
from tests.probes.site import Answer, Asked, answer, site
from tests.probes.test_canary import CANARY, leaks

XSD = etree.XMLSchema(etree.parse(Path(__file__).parent / "data/junit.xsd"))
HOSTILE = "\x1b[2J\x1b]0;owned\x07 \x00 \u202e <![CDATA[ ]]> \ufffe ::error::owned \n::error file=x::owned\n##[error]owned %0A::x"


async def shop(asked: Asked) -> Answer:
    """`/` is well, `/broken` is not, `/hostile` says what could harm whoever shows it, `/hang` never answers."""
    if asked.target == "/hang":
        await asyncio.sleep(600)
    if asked.target == "/hostile":
        return answer(200, HOSTILE, content_type="text/plain; charset=utf-8")
    return answer(500 if asked.target == "/broken" else 200, "Welcome")


def write(folder: Path, url: str, *paths: str, name: str = "j", more: str = "") -> Path:
    """A journey with a step for each path."""
    file = folder / f"{name}.yaml"
    steps = "".join(f'  - {{id: s{index}, http: {{url: "{path}"}}}}\n' for index, path in enumerate(paths))
    file.write_text(f"id: {name}\nbase_url: {url}\n{more}steps:\n{steps}")
    return file


@pytest.mark.parametrize(
    ("path", "more", "code", "outcome"),
    [
        ("/", "", 0, "passed"),
        ("/broken", "", 1, "failed"),
        ("${vars.u}", "vars: {u: 'http://['}\n", 3, "inconclusive"),
    ],
)
async def test_exit_code_says_the_outcome(tmp_path, path, more, code, outcome):
    """0 passed, 1 failed, 3 nothing could be measured; slow is passed."""
    async with site(shop) as served:
        done = await program("run", write(tmp_path, served.url, path, more=more))
    assert (done.code, done.err) == (code, ""), done.out
    assert done.out.splitlines()[-1].startswith(f"{outcome} in ")


async def test_slow_is_passed(tmp_path):
    """A degraded run exits 0."""
    async with site(shop) as served:
        file = write(tmp_path, served.url, "/")
        file.write_text(file.read_text().replace("}}", "}, degraded_if: [total > 0s]}"))
        done = await program("run", file)
    assert done.code == 0
    assert done.out.splitlines()[-1].startswith("degraded in ")


async def test_one_failed_weighs_more_than_one_not_measured(tmp_path):
    """Of several runs the worst word for a customer decides: failed before inconclusive."""
    async with site(shop) as served:
        write(tmp_path, served.url, "/broken")
        write(tmp_path, served.url, "${vars.u}", name="k", more="vars: {u: 'http://['}\n")
        assert (await program("run", tmp_path)).code == 1


async def test_repeat_sums_up(tmp_path):
    """--repeat 4 walks four times: a line for each, then times and failures by kind, in JSON as in lines."""
    count = 0

    async def moody(asked: Asked) -> bytes:
        nonlocal count
        count += 1
        return answer(500 if count % 4 == 0 else 200)

    async with site(moody) as served:
        file = write(tmp_path, served.url, "/", more="retries: 1\n")
        plain = await program("run", file, "--repeat", 4)
        assert len(served.asked) == 5
        count = 0
        found = json.loads((await program("run", file, "--repeat", 4, "--output", "json")).out)
    assert plain.code == 0
    lines = plain.out.splitlines()
    assert [line[:12] for line in lines[:3]] == ["1 of 4: j: p", "2 of 4: j: p", "3 of 4: j: p"]
    assert "j: 4 runs: 4 passed, 1 flaky" in lines
    assert lines[-1] == "  tried again after: status 1"
    (summary,) = found["summaries"]
    assert (summary["runs"], summary["flaky"], summary["retried"], summary["failures"]) == (4, 1, {"status": 1}, {})
    assert summary["steps"][0]["times"]["count"] == 5
    assert set(summary["steps"][0]["times"]) == {"count", "p50", "p95", "shortest", "longest"}
    assert len(found["runs"]) == 4


async def test_tags_choose(tmp_path):
    """--tag walks the journeys with one of the tags; a tag that none has is one sentence, with those there are."""
    async with site(shop) as served:
        for name, more in (("a", "tags: [smoke, fast]\n"), ("b", "tags: [slow]\n"), ("c", "")):
            write(tmp_path, served.url, f"/{name}", name=name, more=more)
        some = await program("run", tmp_path, "--tag", "smoke", "--tag", "slow")
        none = await program("run", tmp_path, "--tag", "smok")
    assert (some.code, sorted(asked.target for asked in served.asked)) == (0, ["/a", "/b"])
    assert (none.code, none.out, none.err) == (2, "", "no journey has the tag smok; tags there are: fast, slow, smoke\n")


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="needs Xvfb")
async def test_headed_opens_a_window(tmp_path):
    """--headed walks browser steps in a browser that is started with a window."""
    read, write_end = os.pipe()
    screen = await asyncio.create_subprocess_exec("Xvfb", "-displayfd", str(write_end), "-nolisten", "tcp", pass_fds=[write_end], stderr=-3)
    os.close(write_end)
    try:
        display = (await asyncio.to_thread(os.read, read, 16)).decode().strip()
        async with site(shop) as served:
            file = tmp_path / "b.yaml"
            file.write_text(f"id: b\nbase_url: {served.url}\nsteps:\n  - {{id: s, timeout: 60s, browser: [{{goto: /hang}}]}}\ntimeout: 60s\n")
            async with terminal("run", file, "--headed", DISPLAY=f":{display}", WAYLAND_DISPLAY="") as at:
                async with asyncio.timeout(60):
                    while not served.asked:
                        await asyncio.sleep(0.05)
                browsers = [command for command in _below(at.process.pid).values() if "--sojourn-browser" in command and "--type=" not in command]
                at.press(b"\x03")
                assert await at.ended() == 130
    finally:
        os.close(read)
        screen.terminate()
        await screen.wait()
    assert browsers
    assert [command for command in browsers if "--headless" in command] == []


async def test_a_file_name_may_hold_anything(tmp_path):
    """In annotations, commas, colons and percent signs of a file's name are escaped."""
    async with site(shop) as served:
        done = await program("run", write(tmp_path, served.url, "/broken").rename(tmp_path / "a,b:c%.yaml"), "--output", "github")
    assert f"::error file={tmp_path}/a%2Cb%3Ac%25.yaml,line=" in done.out


@pytest.mark.parametrize("form", ["human", "json", "junit", "github"])
async def test_what_a_site_says_harms_no_reader(tmp_path, form):
    """Escape sequences, control characters, text turned round and workflow commands of a site stay text in every form."""
    async with site(shop) as served:
        file = write(tmp_path, served.url, "/hostile")
        file.write_text(file.read_text().replace("}}", '}, expect: ["body contains fine"]}'))
        done = await program("run", file, "--output", form)
    assert done.code == 1
    unseen = "\x1b\x07\x00" + ("\u202e" if form in ("human", "github") else "")
    assert [sign for sign in unseen if sign in done.out] == []
    if form == "junit":
        XSD.assertValid(etree.fromstring(done.out.encode()))
        assert "owned" in done.out
    if form == "json":
        assert json.loads(done.out)["passed"] is False
    if form == "github":
        assert [line.split(" ")[0] for line in done.out.splitlines() if line.lstrip().startswith("::")] == ["::error"]
        assert "##[" not in done.out.split("::error file=")[0]


async def test_junit_has_the_common_shape(tmp_path):
    """Failures, skipped steps, steps that passed only later and runs that could not begin are valid JUnit, and the counts are right."""
    first = True

    async def moody(asked: Asked) -> bytes:
        nonlocal first
        if asked.target == "/moody" and first:
            first = False
            return answer(503)
        return answer(500 if asked.target == "/broken" else 200)

    async with site(moody) as served:
        write(tmp_path, served.url, "/moody", name="a", more="retries: 1\n")
        write(tmp_path, served.url, "/broken", "/", name="b")
        done = await program("run", tmp_path, "--output", "junit", "--repeat", 2)
    tree = etree.fromstring(done.out.encode())
    XSD.assertValid(tree)
    assert [tree.get(name) for name in ("name", "tests", "failures", "errors")] == ["sojourn", "6", "2", "0"]
    assert [suite.get("name") for suite in tree] == ["a", "a", "b", "b"]
    assert len(tree.findall("testsuite/testcase/flakyFailure")) == 1
    assert [one.get("message") for one in tree.findall("testsuite/testcase/skipped")] == ["an earlier step failed"] * 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
async def test_a_terminal_that_has_not_our_signs(tmp_path, encoding):
    """Where the encoding lacks them, signs become plain ones; JSON and XML stay UTF-8."""
    async with site(shop) as served:
        file = write(tmp_path, served.url, "/broken")
        file.write_text(file.read_text().replace("id: s0", "id: s0, name: Grüße ✓ 𝄞"))
        plain = await program("run", file, PYTHONIOENCODING=encoding)
        as_json = await program("run", file, "--output", "json", PYTHONIOENCODING=encoding)
    assert (plain.code, plain.err) == (1, "")
    assert plain.out.splitlines()[1].startswith("  x Gr??e + ? " if encoding == "ascii" else "  x Gr")
    assert json.loads(as_json.out)["runs"][0]["attempts"][0]["steps"][0]["name"] == "Grüße ✓ 𝄞"


@pytest.mark.parametrize("arguments", [("schema",), ("run", "{file}"), ("run", "{file}", "--output", "json"), ("validate", "{file}")])
async def test_a_reader_that_leaves_is_no_fault(tmp_path, arguments):
    """When nobody reads any more, the command ends without a word on stderr, as a program ended by SIGPIPE."""
    async with site(shop) as served:
        file = write(tmp_path, served.url, "/")
        ours, theirs = os.pipe()
        os.close(ours)
        process = await asyncio.create_subprocess_exec(*PROGRAM, *(word.format(file=file) for word in arguments), stdout=theirs, stderr=-1)
        os.close(theirs)
        _, err = await process.communicate()
    assert (process.returncode, err) == (141, b"")


async def test_no_color_and_narrow_terminals(tmp_path):
    """NO_COLOR leaves the tree without colours; thirty columns are enough; a dumb terminal gets lines."""
    async with site(shop) as served:
        file = write(tmp_path, served.url, "/broken")
        async with terminal("run", file, NO_COLOR="1", COLUMNS="30") as at:
            assert await at.ended() == 1
        async with terminal("run", file, TERM="dumb") as dumb:
            assert await dumb.ended() == 1
    assert "failed in" in at.shown
    assert "\x1b[3" not in at.shown.replace("\x1b[3A", "")
    assert max(len(line) for line in at.shown.replace("\x1b", "\n").splitlines()) <= 40
    assert "\x1b" not in dumb.shown


@pytest.mark.browser
async def test_ctrl_c_leaves_no_browser(tmp_path):
    """Ctrl-C in the middle of a browser step ends the command with 130, and no process of the browser stays."""
    async with site(shop) as served:
        file = tmp_path / "b.yaml"
        file.write_text(f"id: b\nbase_url: {served.url}\nsteps:\n  - {{id: s, timeout: 60s, browser: [{{goto: /hang}}]}}\ntimeout: 60s\n")
        async with terminal("run", file, SOJOURN_TEST_MARK="1") as at:
            async with asyncio.timeout(60):
                while not served.asked:
                    await asyncio.sleep(0.05)
            mine = _below(at.process.pid)
            assert any("--sojourn-browser" in command for command in mine.values())
            at.press(b"\x03")
            assert await at.ended() == 130
    assert "stopped" in at.shown
    assert "Traceback" not in at.shown
    async with asyncio.timeout(30):
        while {pid for pid in mine if Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes()}:
            await asyncio.sleep(0.05)


def _below(pid: int) -> dict[int, str]:
    """The command lines of all processes begun by `pid`, by their ids."""
    found: dict[int, str] = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found[int(child)] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        found |= _below(int(child))
    return found


async def test_a_window_needs_a_display(tmp_path):
    """--headed without a display is one sentence before anything is asked."""
    async with site(shop) as served:
        done = await program("run", write(tmp_path, served.url, "/"), "--headed", DISPLAY="", WAYLAND_DISPLAY="")
        assert served.asked == []
    assert (done.code, done.out, done.err) == (
        2,
        "",
        "--headed opens a window and there is no display ($DISPLAY and $WAYLAND_DISPLAY are not set); "
        "run it in a desktop session, or as: xvfb-run sojourn run …\n",
    )


async def test_watch_walks_at_every_save(tmp_path):
    """It walks at once and at each save; a file broken for the moment says so and is waited for; Ctrl-C gives the last walk's exit code."""
    async with site(shop) as served:
        file = write(tmp_path, served.url, "/broken")
        async with terminal("run", file, "--watch") as at:
            await at.shows("waiting for a save; Ctrl-C ends", 1)
            assert "failed in" in at.shown
            file.write_text("id: [\n")
            await at.shows("waiting for a save; Ctrl-C ends", 2)
            assert "j.yaml saved" in at.shown
            assert "j.yaml:2:1: a { or [ is not closed, or a comma is missing" in at.shown
            beside = tmp_path / "unconcerned.txt"
            beside.write_text("x")
            # As editors do it: a new file takes the old one's place.
            write(tmp_path, served.url, "/", name="new").write_text(write(tmp_path, served.url, "/", name="j2").read_text().replace("j2", "j"))
            (tmp_path / "new.yaml").rename(file)
            await at.shows("waiting for a save; Ctrl-C ends", 3)
            assert "passed in" in at.shown
            assert "unconcerned" not in at.shown
            at.press(b"\x03")
            assert await at.ended() == 0
    assert "Traceback" not in at.shown


async def test_watch_knows_the_files_a_journey_names(tmp_path):
    """A save of a file that the journey names, such as a certificate, walks again; a secret file's broken journey exits 2."""
    async with site(shop) as served:
        (tmp_path / "parts").mkdir()
        (tmp_path / "parts/note.txt").write_text("one")
        file = write(tmp_path, served.url, "/", more="description: parts/note.txt\n")
        async with terminal("run", file, "--watch") as at:
            await at.shows("waiting for a save; Ctrl-C ends", 1)
            (tmp_path / "parts/note.txt").write_text("two")
            await at.shows("note.txt saved", 1)
            await at.shows("waiting for a save; Ctrl-C ends", 2)
            file.unlink()
            await at.shows("is not there", 1)
            await at.shows("waiting for a save; Ctrl-C ends", 3)
            at.press(b"\x03")
            assert await at.ended() == 2


@pytest.mark.parametrize("form", ["human", "json", "junit", "github"])
async def test_no_form_of_the_command_shows_a_secret(tmp_path, form):
    """With repeats and evidence, neither output nor evidence shows the secret a careless site gives back."""

    async def echo(asked: Asked) -> bytes:
        return answer(403, body=f"no entry with {asked.headers} {asked.target} {CANARY}", x_echo="y")

    async with site(echo) as served:
        file = write(tmp_path, served.url, "/?p=${secrets.pw}", more="retries: 1\n")
        expect = """}, name: "${secrets.pw}", expect: [status == 200, "body contains '${secrets.pw} nowhere'"]}"""
        file.write_text(file.read_text().replace("}}", expect))
        done = await program("run", file, "--repeat", 2, "--evidence", tmp_path / "ev", "--output", form, SOJOURN_SECRET_PW=CANARY)
    assert done.code == 1, done.err
    assert leaks(done.out + done.err + "".join(kept.read_text(errors="replace") for kept in (tmp_path / "ev").iterdir())) == []


CARELESS = """<!doctype html><title>Sign in</title><form action=/in method=get><label>Password <input name=p></label><button>Go</button></form>
<script>document.querySelector('input').oninput = (event) => { console.log('typed', event.target.value); document.title = event.target.value; };</script>"""


@pytest.mark.browser
async def test_no_evidence_of_a_browser_shows_a_secret(tmp_path):
    """A site that shows what is typed in its address, title, page, cookie and console: HAR, HTML, console, trace and every output are free of it."""

    async def careless(asked: Asked) -> bytes:
        if asked.target.startswith("/in"):
            shown = f"<title>{CANARY}</title><p>Hello {html.escape(CANARY)}, or {CANARY}</p><script>console.error(location.href, {json.dumps(CANARY)})</script>"
            return answer(200, shown, content_type="text/html; charset=utf-8", set_cookie=f"p={quote(CANARY)}")
        return answer(200, CARELESS, content_type="text/html; charset=utf-8")

    text = """id: j
base_url: {url}
timeout: 60s
defaults: {{browser: {{evidence: {{har: always, dom: always, trace: always}}}}}}
steps:
  - id: s
    browser:
      - goto: /
      - fill: {{label: Password, value: "${{secrets.pw}}"}}
      - click: Go
      - expect: {{text: "nobody says ${{secrets.pw}}", timeout: 1s}}
"""
    async with site(careless) as served:
        (tmp_path / "j.yaml").write_text(text.format(url=served.url))
        done = await program("run", tmp_path / "j.yaml", "--evidence", tmp_path / "ev", "--output", "json", SOJOURN_SECRET_PW=CANARY)
    assert done.code == 1, done.err
    kept = {file.suffix: file for file in (tmp_path / "ev").iterdir()}
    assert {".har", ".html", ".png", ".zip"} <= set(kept), sorted(kept)
    with zipfile.ZipFile(kept[".zip"]) as trace:
        parts = {name: trace.read(name).decode(errors="replace") for name in trace.namelist()}
    parts |= {"output": done.out + done.err} | {str(file): file.read_text(errors="replace") for file in kept.values() if file.suffix != ".zip"}
    assert {name: leaks(part) for name, part in parts.items() if leaks(part)} == {}


HELP = "`sojourn {} --help` shows what there is"
NO_NAME = "will not do; small letters, digits, - and _ are taken, up to 64, the first a letter or digit"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("run", f"missing argument 'FILES'; {HELP.format('run')}"),
        ("rum", "no such command 'rum'. Did you mean 'run'? `sojourn --help` shows what there is"),
        ("run j.yaml --nope", f"no such option: --nope; {HELP.format('run')}"),
        ("validate j.yaml -o xml", f"invalid value for '--output' / '-o': 'xml' is not one of human, json, github; {HELP.format('validate')}"),
        ("run j.yaml --location E.U", f"invalid value for '--location': 'E.U' {NO_NAME}; {HELP.format('run')}"),
        ("run j.yaml --watch -o json", "--watch shows its runs to people; leave --output out, or walk once without --watch"),
        ("validate j.yaml --strict --no-env", "--strict and --no-env contradict each other; leave one out"),
        ("run j.yaml --evidence /proc/x/y", "--evidence: /proc/x/y cannot be made a folder: No such file or directory"),
    ],
)
async def test_wrong_use_is_one_sentence(arguments, message):
    """Whatever is wrong with the command line: exit 2, one sentence on stderr, nothing on stdout."""
    done = await program(*arguments.split())
    assert (done.code, done.out, done.err) == (2, "", f"{message}\n")


@pytest.mark.parametrize(
    ("words", "index", "completed"),
    [("sojourn ru", 1, ["run"]), ("sojourn run --out", 2, ["--output"]), ("sojourn run x.yaml --output j", 4, ["json", "junit"])],
)
async def test_shells_complete_commands_and_words(words, index, completed):
    """Completion gives commands, options, and the words an option takes."""
    done = await program(_SOJOURN_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(index))
    assert done.out.split() == completed


SECRET_FILE = "id: j\nsteps:\n  - {id: s, http: {url: 'http://127.0.0.1:1/', auth: {bearer: '${secrets.token}'}}}\n"


async def test_secrets_may_come_from_a_file_that_only_its_owner_reads(tmp_path):
    """`--secrets FILE`: found there, refused when others may read it, a sentence when it is not there."""
    (tmp_path / "j.yaml").write_text(SECRET_FILE)
    lines = tmp_path / "secrets.env"
    lines.write_text("token=abcdef-canary\n")
    lines.chmod(0o600)
    good = await program("validate", str(tmp_path / "j.yaml"), "--strict", "--secrets", str(lines))
    assert good.code == 0, good.out
    lines.chmod(0o644)
    open_to_all = await program("run", str(tmp_path / "j.yaml"), "--secrets", str(lines))
    assert open_to_all.code == 2
    assert f"can be read by others (mode 0644) and is not used; run chmod 600 {lines}" in open_to_all.err
    gone = await program("run", str(tmp_path / "j.yaml"), "--secrets", str(tmp_path / "none"))
    assert (gone.code, gone.err) == (
        2,
        f"--secrets: {tmp_path / 'none'} is not there; name a file of NAME=value lines that only you may read (chmod 600)\n",
    )


async def test_a_real_order_needs_a_probe_key(tmp_path):
    """Without one nothing is walked and the exit is 3; a key that is none is a sentence; with one the mark goes along."""
    order = "id: j\nside_effects: order\nbase_url: {url}\nsteps:\n  - {{id: s, http: {{url: /}}}}\ncleanup:\n  - {{id: c, http: {{url: /cancel}}}}\n"

    async def respond(asked):
        return answer()

    async with site(respond) as shop:
        (tmp_path / "j.yaml").write_text(order.format(url=shop.url))
        without = await program("run", str(tmp_path / "j.yaml"))
        bad = await program("run", str(tmp_path / "j.yaml"), SOJOURN_PROBE_KEY="no key")
        asked_before = len(shop.asked)
        good = await program("run", str(tmp_path / "j.yaml"), SOJOURN_PROBE_KEY="k1:0123456789abcdef0123456789abcdef")
        marks = [asked.headers.get("x-sojourn-probe", "") for asked in shop.asked]
    assert (without.code, asked_before) == (3, 0)
    assert "give a probe key" in without.out
    assert bad.code == 2
    assert bad.err.startswith("$SOJOURN_PROBE_KEY is no probe key (")
    assert good.code == 0, good.out
    assert len(marks) == 2
    assert all(".k1." in mark for mark in marks)
