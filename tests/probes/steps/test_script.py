"""The script runner: what scripts return, how they fail, and that nothing of them stays behind."""

import asyncio
import os
import signal
import textwrap
from pathlib import Path

import pytest

from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import Asked, answer, site
from tests.probes.test_load import problems
from tests.probes.walking import walk

EXAMPLES = Path(__file__).parents[3] / "configs/journeys/examples"


async def run(folder: Path, script: str, more: str = "", *, args: str = "{}", timeout: str = "30s", **given):
    """The run of a journey with one script step."""
    (folder / "s.py").write_text(textwrap.dedent(script))
    text = f"id: j\ntimeout: {timeout}\nsteps:\n  - id: s\n    script: {{file: s.py, args: {args}}}\n{more}"
    return await walk(text, path=folder / "j.yaml", **given)


async def test_what_a_script_returns_is_expected_and_extracted(tmp_path):
    """As JSON; args come filled, and what it prints is kept."""
    found = await run(
        tmp_path,
        """
        def run(args):
            print("counting", args["sku"])
            return {"left": args["start"] - 1, "sku": args["sku"]}
        """,
        "    expect: [json $.left == 41, body contains mug]\n    extract: {left: {json: $.left}}\n  - {id: t, when: '${steps.s.left} == 41', wait: 1ms}\n",
        args="{sku: mug, start: 42}",
    )
    assert found.outcome is Outcome.PASSED, found.failure
    assert found.attempts[0].steps[0].console == ("counting mug",)
    assert found.attempts[0].steps[1].outcome is Outcome.PASSED


async def test_a_script_may_be_async(tmp_path):
    """`async def run`, and the short form that names the file alone."""
    (tmp_path / "s.py").write_text("import asyncio\nasync def run(args):\n    await asyncio.sleep(0)\n    return [1, 2]\n")
    found = await walk("id: j\nsteps:\n  - {id: s, script: s.py, expect: ['json $[1] == 2']}\n", path=tmp_path / "j.yaml")
    assert found.outcome is Outcome.PASSED, found.failure


@pytest.mark.parametrize(
    ("script", "kind", "message"),
    [
        ("def run(args):\n    x = 1\n    raise ValueError('no stock')\n", FailureKind.SCRIPT, "ValueError: no stock (s.py, line 3)"),
        ("def run(args):\n    assert 1 == 2, 'sums differ'\n", FailureKind.SCRIPT, "AssertionError: sums differ (s.py, line 2)"),
        ("def run(args:\n", FailureKind.SCRIPT, "SyntaxError: '(' was never closed (s.py, line 1) (s.py, line 1)"),
        ("import nothing_of_that_name\n", FailureKind.SCRIPT, "ModuleNotFoundError: No module named 'nothing_of_that_name' (s.py, line 1)"),
        ("x = 1\n", FailureKind.CONFIG, "s.py has no function run(args); add one"),
        ("import sys\ndef run(args):\n    sys.exit(3)\n", FailureKind.SCRIPT, "the script ended itself with 3; let run() return instead"),
        ("import os\ndef run(args):\n    os.kill(os.getpid(), 9)\n", FailureKind.SCRIPT, "the script was ended by SIGKILL and returned nothing"),
        ("import os\ndef run(args):\n    os.kill(os.getpid(), 40)\n", FailureKind.SCRIPT, "the script was ended by signal 40 and returned nothing"),
        ("def run(args):\n    raise ValueError('\\ud800')\n", FailureKind.SCRIPT, "ValueError: ? (s.py, line 2)"),
        ("import os\ndef run(args):\n    os._exit(4)\n", FailureKind.SCRIPT, "the script ended with exit code 4 and returned nothing"),
        (
            "def run(args):\n    return {1, 2}\n",
            FailureKind.SCRIPT,
            "run() returned what is no JSON (Object of type set is not JSON serializable); return dicts, lists, texts, numbers, true, false or None",
        ),
        ("def run(args):\n    return float('nan')\n", FailureKind.SCRIPT, None),
        ("import os\ndef run(args):\n    os.write(3, b'5')\n    os._exit(0)\n", FailureKind.SCRIPT, None),
        ("def run(args):\n    return 'x' * 2_000_000\n", FailureKind.CONTENT, "the script returned more than 1.0 MB; return less"),
    ],
)
async def test_a_script_that_fails_says_why(tmp_path, script, kind, message):
    """By kind and sentence, with the line where there is one."""
    found = await run(tmp_path, script)
    assert found.failure.kind is kind
    assert message is None or found.failure.message == message


async def test_a_flood_of_output_is_bounded(tmp_path):
    """The script goes on to its end, and 64 KiB of what it says are kept."""
    found = await run(tmp_path, "def run(args):\n    for _ in range(100_000):\n        print('x' * 100)\n    return 1\n")
    assert found.outcome is Outcome.PASSED, found.failure
    assert sum(len(line) + 1 for line in found.attempts[0].steps[0].console) <= 64 * 1024 + 1


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def test_a_script_that_hangs_is_killed_with_all_it_started(tmp_path):
    """At the deadline; neither it nor its grandchild is left."""
    script = f"""
    import os, subprocess, sys, time
    def run(args):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
        time.sleep(600)
    """
    found = await run(tmp_path, script, timeout="4s")
    assert found.failure.kind is FailureKind.TIMEOUT
    assert found.failure.message == "not done within 4.00 s (timeout of the attempt): s.py is still running"
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    for _ in range(100):
        if not any(running(pid) for pid in pids):
            break
        await asyncio.sleep(0.05)
    assert [pid for pid in pids if running(pid)] == []


async def test_a_grandchild_does_not_keep_a_finished_script_waiting(tmp_path):
    """What it leaves running with its output open is ended with it."""
    script = "import subprocess, sys\ndef run(args):\n    subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n    return 1\n"
    found = await run(tmp_path, script)
    assert found.outcome is Outcome.PASSED, found.failure


async def test_what_escapes_into_a_session_of_its_own_is_not_waited_for(tmp_path):
    """The step ends; no pipe of it stays open here."""
    script = f"""
    import subprocess, sys
    def run(args):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        open({str(tmp_path / "pid")!r}, "w").write(str(child.pid))
        return 1
    """
    found = await run(tmp_path, script)
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert found.outcome is Outcome.PASSED, found.failure


async def test_secrets_reach_a_script_by_its_args_alone_and_leave_it_nowhere(tmp_path, monkeypatch):
    """Our environment is not passed on; what it prints, returns or raises is redacted."""
    monkeypatch.setenv("SOJOURN_SECRET_OTHER", "canary-of-the-environment")
    script = """
    import os
    def run(args):
        assert not [name for name in os.environ if name.startswith("SOJOURN")]
        print("token", args["token"])
        raise ValueError(args["token"])
    """
    found = await run(tmp_path, script, args='{token: "${secrets.token}"}', environ={"SOJOURN_SECRET_TOKEN": "canary-of-the-args"})
    assert found.failure.message == "ValueError: [redacted] (s.py, line 6)"
    assert "canary" not in repr(found)


async def test_a_secret_of_several_lines_or_across_the_cut_is_not_shown(tmp_path):
    """Redacting comes before splitting and cutting."""
    secret = "-----BEGIN KEY-----\ncanary-one\ncanary-two\n-----END KEY-----"
    script = """
    def run(args):
        print(args["key"])
        print("x" * (64 * 1024 - 30) + args["key"])
        raise ValueError("y" * 150 + args["key"] * 1000)
    """
    found = await run(tmp_path, script, args='{key: "${secrets.key}"}', environ={"SOJOURN_SECRET_KEY": secret})
    assert found.failure.kind is FailureKind.SCRIPT
    assert len(found.failure.message) < 300
    assert "canary" not in repr(found)
    assert "BEGIN KEY" not in repr(found)


async def test_a_flood_of_secrets_is_not_shown_at_its_end(tmp_path):
    """What is taken of the output ends in the middle of a secret, and redacting makes so little of it that the end would be shown."""
    found = await run(
        tmp_path,
        "def run(args):\n    while True:\n        print(args['key'], end='')\n",
        args='{key: "${secrets.key}"}',
        environ={"SOJOURN_SECRET_KEY": "canary-" + "k" * 1500},
        timeout="3s",
    )
    assert found.failure.kind is FailureKind.TIMEOUT
    assert "[redacted]" in found.attempts[0].steps[0].console[0]
    assert "canary" not in repr(found)


async def test_a_forked_child_does_not_keep_the_answer_waiting(tmp_path):
    """A child made by fork holds every pipe of the script; the script's own end counts."""
    script = "import os, time\ndef run(args):\n    if os.fork() == 0:\n        time.sleep(600)\n    return 1\n"
    found = await run(tmp_path, script)
    assert found.outcome is Outcome.PASSED, found.failure


async def test_a_missing_file_is_said(tmp_path):
    """The step cannot be walked, and says where the file should be."""
    found = await walk("id: j\nsteps:\n  - {id: s, script: gone.py}\n", path=tmp_path / "j.yaml")
    assert (found.outcome, found.failure.kind) == (Outcome.INCONCLUSIVE, FailureKind.CONFIG)
    assert found.failure.message == "gone.py is not in the journey's folder; put it there, its path is relative to the journey file"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../up.py", "leaves the journey's folder; put the file beside the journey and name it from there"),
        ("/etc/x.py", "leaves the journey's folder; put the file beside the journey and name it from there"),
        ("notes.txt", "is no Python file; name one beside the journey, such as stock.py"),
    ],
)
def test_only_python_files_beside_the_journey_are_taken(name, why):
    """Said when the file is read."""
    message = f"'{name}' {why}"
    assert problems(f"id: a\nsteps:\n  - id: s\n    script: {{file: {name}}}\n") == [f"a.yaml:4:20: steps[0].script.file: {message}"]


async def test_the_example_passes():
    """configs/journeys/examples/stock.yaml counts, and is slow when little is left."""

    stock = [20, 3]

    async def partner(asked: Asked) -> bytes:
        return answer(body=f"sku,left\ncup,5\nmug,{stock.pop(0)}\nmug,1\n")

    text = (EXAMPLES / "stock.yaml").read_text()
    async with site(partner) as served:
        text = text.replace("http://127.0.0.1:8080", served.url)
        outcomes = [(await walk(text, path=EXAMPLES / "stock.yaml")).outcome for _ in range(2)]
    assert outcomes == [Outcome.PASSED, Outcome.DEGRADED]


WRITES = "import os\ndef run(a):\n    for fd in range(3, 20):\n        try: os.write(fd, {!r})\n        except OSError: pass\n    os._exit(0)\n"


@pytest.mark.parametrize("answer", [b"[" * 500_000, b'{"failed": 5, "place": 7}', b'{"config": [5]}', b'{"value": 1, "place": []}', b"7"])
async def test_an_answer_the_script_wrote_itself_is_not_believed(tmp_path, answer):
    """Whatever stands where our child's answer should: the step fails as the script's, never as ours."""
    (tmp_path / "s.py").write_text(WRITES.format(answer))
    run = await walk("id: j\nsteps:\n  - id: s\n    script: s.py\n", path=tmp_path / "j.yaml")
    assert (run.failure.kind, run.failure.message) == (FailureKind.SCRIPT, "the script ended with exit code 0 and returned nothing")


async def test_an_exception_without_a_text_is_still_named(tmp_path):
    """One whose own text raises keeps its type and its line."""
    (tmp_path / "s.py").write_text("class Odd(Exception):\n    def __str__(self): raise RuntimeError\n\ndef run(args):\n    raise Odd\n")
    run = await walk("id: j\nsteps:\n  - id: s\n    script: s.py\n", path=tmp_path / "j.yaml")
    assert run.failure.message == "Odd: its text cannot be had (RuntimeError) (s.py, line 5)"


async def test_a_thread_left_running_does_not_keep_the_step(tmp_path):
    """What run() returned counts when it returns, and what was printed is kept."""
    (tmp_path / "s.py").write_text(
        "import threading, time\ndef run(args):\n    threading.Thread(target=time.sleep, args=(60,)).start()\n    print('begun')\n    return 7\n"
    )
    run = await walk("id: j\ntimeout: 30s\nsteps:\n  - id: s\n    script: s.py\n    expect: [json $ == 7]\n", path=tmp_path / "j.yaml")
    assert run.outcome is Outcome.PASSED, run.failure
    assert run.attempts[0].steps[0].console == ("begun",)
