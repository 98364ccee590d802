"""Dead letters and evidence stay within their bounds."""

import os
import uuid
from pathlib import Path

from sojourn_agent.dead_letters import DeadLetters
from sojourn_agent.evidence import prune
from sojourn_agent.spool_record import Record
from sojourn_probes.ids import new_run_id

NOW = 1_700_000_000.0


def record(at: float, size: int = 10) -> Record:
    """A batch made at `at`."""
    return Record(0, int(at * 1000), uuid.UUID(new_run_id(at)), "traces", b"x" * size)


def test_a_dead_letter_says_what_and_why_and_keeps_the_body(tmp_path):
    """What `all` gives is what was put; the body follows the first line; only the owner reads it."""
    letters = DeadLetters(tmp_path / "letters")
    put = record(NOW)
    letters.put(put, "a", 400, "bad span", NOW)
    [letter] = letters.all()
    assert (letter.batch, letter.signal, letter.destination, letter.status, letter.reason, letter.at, letter.size) == (
        str(put.batch),
        "traces",
        "a",
        400,
        "bad span",
        "2023-11-14T22:13:20.000Z",
        10,
    )
    [path] = (tmp_path / "letters").iterdir()
    assert path.read_bytes().split(b"\n", 1)[1] == put.body
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_oldest_dead_letters_go_first_and_are_counted(tmp_path):
    """Beyond max_bytes."""
    letters = DeadLetters(tmp_path, max_bytes=2500)
    put = [record(NOW + n, 800) for n in range(5)]
    for letter in put:
        letters.put(letter, "a", 400, "no", NOW)
    assert [letter.batch for letter in letters.all()] == [str(kept.batch) for kept in put[-2:]]
    assert letters.dropped == 3


def test_a_file_that_is_no_dead_letter_is_passed_over(tmp_path):
    """Whatever lies in the folder, listing does not fail."""
    letters = DeadLetters(tmp_path)
    letters.put(record(NOW), "a", 400, "no", NOW)
    (tmp_path / "0.letter").write_bytes(b"\xff\xfe")
    (tmp_path / "1.letter").write_bytes(b"{}\n")
    assert len(list(letters.all())) == 1
    assert list(DeadLetters(tmp_path / "nowhere").all()) == []


def test_evidence_is_kept_within_bytes_and_age(tmp_path):
    """The oldest goes first; what is too old goes anyway."""

    def file(name: str, size: int, age: float) -> Path:
        path: Path = tmp_path / "deep" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)
        os.utime(path, (NOW - age, NOW - age))
        return path

    new, middle, old, ancient = file("new", 50, 1), file("middle", 50, 2), file("old", 50, 3), file("ancient", 1, 1000)
    assert prune(tmp_path, max_bytes=100, max_age=100, now=NOW) == 2
    assert [path.exists() for path in (new, middle, old, ancient)] == [True, True, False, False]
    assert prune(tmp_path / "nowhere", max_bytes=1, max_age=1) == 0
