"""The command `sojourn`, as a process."""

import asyncio
import json
import os
import pty
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from sojourn_probes.cli import BAD_FILE, app
from sojourn_probes.errors import SojournError
from sojourn_probes.schema import journey_schema_text
from tests.probes.site import Asked, answer, site


class Done:
    """What a command left."""

    def __init__(self, code: int | None, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


async def sojourn(*args: object, **env: str) -> Done:
    """The command in this process, on a thread of its own: it runs an event loop itself."""
    done = await asyncio.to_thread(CliRunner(env={"COLUMNS": "200", **env}).invoke, app, [str(arg) for arg in args])
    if isinstance(done.exception, SojournError):  # what main() says for it is held by test_the_program_itself
        return Done(BAD_FILE, done.stdout, f"{done.exception}\n")
    return Done(done.exit_code, done.stdout, done.stderr)


async def program(*args: object) -> Done:
    """The command as a process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sojourn_probes.cli", *map(str, args), stdout=-1, stderr=-1, stdin=asyncio.subprocess.DEVNULL
    )
    out, err = await process.communicate()
    return Done(process.returncode, out.decode(), err.decode())


async def shop(asked: Asked) -> bytes:
    if asked.target.startswith("/broken"):
        return answer(500)
    return answer(body='<html><title>Harbour\'s Goods: "fine" \\ things</title></html>', content_type="text/html")


def write(folder: Path, url: str, path: str = "/", name: str = "j") -> Path:
    file = folder / f"{name}.yaml"
    file.write_text(f"id: {name}\nname: A journey\nbase_url: {url}\nsteps:\n  - id: s\n    name: Start\n    http: {{url: {path}}}\n")
    return file


async def test_the_program_itself(tmp_path):
    """As a process: exit 0, 1 or 2, results on stdout, errors on stderr without a traceback."""
    async with site(shop) as served:
        good, bad = await asyncio.gather(program("run", write(tmp_path, served.url)), program("run", write(tmp_path, served.url, "/broken", "k")))
        none = await program("run", tmp_path / "none.yaml")
    assert (good.code, good.err, bad.code, bad.err) == (0, "", 1, "")
    assert "passed in" in good.out
    assert (none.code, none.out, none.err) == (2, "", f"{tmp_path}/none.yaml:1:1: is not there; `sojourn init` writes one to begin with\n")


async def test_what_init_writes_passes_as_it_is(tmp_path, monkeypatch):
    """`init URL` writes a file that validates and whose run passes; a second init leaves it alone."""
    monkeypatch.chdir(tmp_path)
    async with site(shop) as served:
        made = await sojourn("init", f"{served.url}/start?a=1")
        assert (made.code, made.out) == (0, "wrote 127-0-0-1.yaml; next: sojourn run 127-0-0-1.yaml\n"), made.err
        text = (tmp_path / "127-0-0-1.yaml").read_text()
        assert "body contains" in text
        checked = await sojourn("validate", "127-0-0-1.yaml")
        assert (checked.code, checked.out) == (0, "good: 127-0-0-1.yaml: 127-0-0-1, 1 step\n")
        walked = await sojourn("run", "127-0-0-1.yaml")
        assert walked.code == 0, walked.out
        again = await sojourn("init", f"{served.url}/start")
    assert (again.code, again.err) == (2, "127-0-0-1.yaml is there already and stays as it is; name another with --file\n")
    assert (tmp_path / "127-0-0-1.yaml").read_text() == text


async def test_init_without_an_address_writes_a_good_file(tmp_path):
    """Without an address nothing is asked, and the file validates."""
    made = await sojourn("init", "--file", tmp_path / "first.yaml")
    assert made.code == 0, made.err
    assert (await sojourn("validate", tmp_path / "first.yaml", "--strict")).code == 0


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("{url}/broken", "{url}/broken answered 500; nothing was written, give an address that works today\n"),
        (
            "http://127.0.0.1:1/",
            "GET http://127.0.0.1:1/: the connection was refused; nothing listens on this port there, or a firewall refuses it; nothing was written\n",
        ),
        ("ftp://x", "'ftp://x' is no address; write it with http:// or https://\n"),
        ("http://u:p@127.0.0.1/", "the address has a user or password in it; leave it out and use auth: with ${secrets.…} in the file\n"),
    ],
)
async def test_init_refuses_what_does_not_work(tmp_path, monkeypatch, url, message):
    """One sentence, exit 2, nothing written."""
    monkeypatch.chdir(tmp_path)
    async with site(shop) as served:
        made = await sojourn("init", url.replace("{url}", served.url))
        assert (made.code, made.err) == (2, message.replace("{url}", served.url))
    assert list(tmp_path.iterdir()) == []


async def test_run_exits_by_outcome(tmp_path):
    """0 when all passed, 1 when one did not; plain lines where there is no terminal."""
    async with site(shop) as served:
        good, bad = write(tmp_path, served.url), write(tmp_path, served.url, "/broken", "k")
        passed, failed = await sojourn("run", good), await sojourn("run", tmp_path)
    assert passed.code == 0
    assert passed.out.startswith("j › A journey\n  ✓ Start  ")
    assert failed.code == 1
    assert "  ✗ Start  " in failed.out
    assert "      status: 500 from GET /broken, expected status < 400\n" in failed.out
    assert "failed in " in failed.out
    assert "\x1b" not in failed.out
    assert bad.exists()


async def test_run_refuses_before_it_walks(tmp_path):
    """Bad file, missing variable, missing secret, nothing to walk: exit 2, a line each, nothing asked."""
    async with site(shop) as served:
        file = write(tmp_path, served.url)
        (tmp_path / "bad.yaml").write_text("id: B\n")
        file.write_text(file.read_text().replace("{url: /}", '{url: "/${env.SOJOURN_NOT_SET}", headers: {authorization: "${secrets.not_there}"}}'))
        (tmp_path / "only.yaml").write_text("id: only\nsteps:\n  - {id: s, customers: {reached: {page: /}}}\n")
        done = await sojourn("run", tmp_path)
        assert served.asked == []
    assert (done.code, done.out) == (2, "")
    lines = done.err.splitlines()
    assert len(lines) == 5
    assert lines[1] == f"{tmp_path}/bad.yaml:1:5: id: 'B' will not do; small letters, digits, - and _ are taken, up to 64, the first a letter or digit"
    assert lines[2].startswith(f"{tmp_path}/j.yaml:7:17: ${{env.SOJOURN_NOT_SET}}: environment variable SOJOURN_NOT_SET is not set; export it before the start")
    assert lines[3].startswith(f"{tmp_path}/j.yaml:7:69: ${{secrets.not_there}}: secret 'not_there' was not found; looked for $SOJOURN_SECRET_NOT_THERE")
    assert lines[4] == f"{tmp_path}/only.yaml:3:3: steps: has nothing to walk, only customers to recognise; add http: or browser: to a step"


async def test_output_forms(tmp_path):
    """json is one object, junit is XML with the failure, github annotates the step's line."""
    async with site(shop) as served:
        bad = write(tmp_path, served.url, "/broken")
        as_json, as_junit, as_github = [await sojourn("run", bad, "--output", form) for form in ("json", "junit", "github")]
    assert {as_json.code, as_junit.code, as_github.code} == {1}
    found = json.loads(as_json.out)
    assert (found["passed"], found["runs"][0]["failure"]["kind"], found["runs"][0]["attempts"][0]["steps"][0]["exchanges"][0]["status"]) == (
        False,
        "status",
        500,
    )
    suite = ElementTree.fromstring(as_junit.out.split("\n", 1)[1]).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "500 from GET /broken, expected status < 400"
    assert f"::error file={bad},line=5,col=1,title=A journey › Start::status: 500 from GET /broken, expected status < 400" in as_github.out.splitlines()


async def test_what_a_site_says_cannot_command_the_workflow(tmp_path):
    """A page that answers with a workflow command does not get one into the log."""

    async def hostile(asked: Asked) -> bytes:
        return answer(body="::error::owned\n::set-output name=x::y")

    async with site(hostile) as served:
        file = write(tmp_path, served.url)
        file.write_text(file.read_text() + "    expect: [body contains fine]\n")
        done = await sojourn("run", file, "--output", "github")
    assert done.code == 1
    commands = [line for line in done.out.splitlines() if line.startswith("::")]
    assert len(commands) == 1
    assert commands[0].startswith("::error file=")
    assert [line for line in done.out.splitlines() if "::" in line and line not in commands] == []


async def test_validate_forms(tmp_path):
    """Problems with places in every form; names that are not set are told but fail only with --strict."""
    good = write(tmp_path, '"${env.SOJOURN_NOT_SET}"')
    assert (await sojourn("validate", good)).code == 0
    assert (await sojourn("validate", good, "--strict")).code == 2
    (tmp_path / "bad.yaml").write_text("id: b\nbase_url: http://x\nsteps:\n  - {id: s, http: {url: /, metod: GET}}\n")
    human, as_json, as_github = [await sojourn("validate", tmp_path, "-o", form) for form in ("human", "json", "github")]
    assert (human.code, as_json.code, as_github.code) == (2, 2, 2)
    assert f"{tmp_path}/bad.yaml:4:28: steps[0].http.metod: is not known here; did you mean method?\n" in human.out
    assert json.loads(as_json.out)["problems"] == [
        {"file": f"{tmp_path}/bad.yaml", "line": 4, "col": 28, "key": "steps[0].http.metod", "message": "is not known here; did you mean method?"}
    ]
    assert f"::error file={tmp_path}/bad.yaml,line=4,col=28,title=journey file::steps[0].http.metod: is not known here; did you mean method?" in as_github.out


async def test_validate_wants_what_is_there(tmp_path):
    """A file that is not there, an empty folder and an unknown form are one sentence and exit 2."""
    none = await sojourn("validate", tmp_path / "none.yaml")
    assert (none.code, none.out) == (2, f"{tmp_path}/none.yaml:1:1: is not there; `sojourn init` writes one to begin with\n")
    empty = await sojourn("validate", tmp_path)
    assert (empty.code, empty.out) == (2, f"{tmp_path}:1:1: holds no journey file (*.yaml); `sojourn init` writes one\n")
    form = await sojourn("validate", tmp_path, "-o", "junit")
    assert form.code == 2
    assert "'junit' is not one of human, json, github" in form.err


async def test_schema_is_printed():
    """`sojourn schema` prints the schema that is in the repository."""
    done = await sojourn("schema")
    assert (done.code, done.out) == (0, journey_schema_text())


@pytest.mark.parametrize("command", ["init", "validate", "run", "schema", "demo"])
async def test_every_command_helps_with_an_example(command):
    """--help of each command has an example."""
    done = await sojourn(command, "--help", NO_COLOR="1")
    assert done.code == 0
    assert f"Example: sojourn {command}" in done.out


async def test_a_terminal_gets_the_live_tree(tmp_path):
    """On a terminal the run is drawn in place, with its result at the end."""
    async with site(shop) as served:
        file = write(tmp_path, served.url)
        ours, theirs = pty.openpty()
        environ = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sojourn_probes.cli", "run", str(file), stdout=theirs, stderr=theirs, stdin=theirs, env=environ
        )
        os.close(theirs)
        reading = asyncio.create_task(asyncio.to_thread(drain, ours))
        assert await process.wait() == 0
        shown = (await reading).decode()
        os.close(ours)
    assert "\x1b[" in shown
    assert "✓" in shown
    assert "passed in" in shown


def drain(terminal: int) -> bytes:
    """All that is written to a terminal until nobody has it open any more."""
    found = b""
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:
            return found
        if not chunk:
            return found
        found += chunk
