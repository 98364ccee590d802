"""The folder of journeys: strict at the start, patient afterwards."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from sojourn_agent.journeys import JourneyFolder
from sojourn_probes.errors import JourneyFileError
from sojourn_probes.secrets import SecretStore

GOOD = "id: {id}\ndescription: {text}\nsteps:\n  - id: home\n    http: {{url: 'http://shop.example/'}}\n"


def write(folder: Path, name: str, text: str) -> Path:
    """Write a file, with a time of its own so that the change shows."""
    path = folder / name
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))
    return path


def watching(folder: Path, environ: Mapping[str, str] | None = None, location: str = "here") -> JourneyFolder:
    """The folder as an agent at `location` sees it."""
    return JourneyFolder(folder, location=location, environ={} if environ is None else environ, secrets=lambda: SecretStore({} if environ is None else environ))


def described(folder: JourneyFolder) -> dict[str, str]:
    """What is walked: id → description."""
    return {journey.id: journey.description for journey in folder.walked}


def test_only_what_has_probes_here_is_walked(tmp_path):
    """A journey of other locations and one with customers only are known but not walked."""
    write(tmp_path, "a.yaml", GOOD.format(id="a", text="x"))
    write(tmp_path, "b.yaml", GOOD.format(id="b", text="x") + "locations: [there]\n")
    write(tmp_path, "c.yaml", "id: c\nsteps:\n  - id: s\n    customers: {reached: {page: /}}\n")
    folder = watching(tmp_path)
    folder.load()
    assert [journey.id for journey in folder.walked] == ["a"]
    assert [journey.id for journey in folder.known] == ["a", "b", "c"]


def test_a_bad_file_at_the_start_is_refused(tmp_path):
    """With the sentences of the loader."""
    write(tmp_path, "a.yaml", "id: a\nstep: []\n")
    with pytest.raises(JourneyFileError) as refused:
        watching(tmp_path).load()
    assert str(refused.value) == (f"{tmp_path}/a.yaml:1:1: steps: is missing; add it\n{tmp_path}/a.yaml:2:1: step: is not known here; did you mean steps?")


def test_a_missing_secret_at_the_start_is_refused_and_says_where_it_was_looked_for(tmp_path):
    """Only for journeys walked here."""
    text = GOOD.format(id="a", text="x").replace("shop.example/", "shop.example/${secrets.token}")
    write(tmp_path, "a.yaml", text)
    with pytest.raises(JourneyFileError) as refused:
        watching(tmp_path).load()
    assert str(refused.value) == (
        f"{tmp_path}/a.yaml:5:17: ${{secrets.token}}: secret 'token' was not found; looked for $SOJOURN_SECRET_TOKEN, "
        "no systemd credentials ($CREDENTIALS_DIRECTORY is not set), secrets: of agent.yaml (not named there)"
    )
    write(tmp_path, "a.yaml", text + "locations: [there]\n")
    assert watching(tmp_path).load() == []
    assert watching(tmp_path, {"SOJOURN_SECRET_TOKEN": "s3cret"}, "there").load()


def test_a_change_is_taken(tmp_path):
    """Changed, new and removed files show with the next look; an unchanged folder says nothing."""
    write(tmp_path, "a.yaml", GOOD.format(id="a", text="one"))
    folder = watching(tmp_path)
    folder.load()
    assert folder.reload() is None
    write(tmp_path, "a.yaml", GOOD.format(id="a", text="two"))
    write(tmp_path, "b.yaml", GOOD.format(id="b", text="new"))
    assert folder.reload() is not None
    assert described(folder) == {"a": "two", "b": "new"}
    (tmp_path / "a.yaml").unlink()
    assert folder.reload() is not None
    assert described(folder) == {"b": "new"}


def test_a_file_the_journey_is_made_of_is_a_change_of_it(tmp_path):
    """A script beside it that says something else now makes another version, which is taken; a renewed certificate does not."""
    write(tmp_path, "look.py", "def run(step):\n    pass\n")
    write(tmp_path, "ca.pem", "one")
    text = "id: a\nsteps:\n  - {id: s, script: {file: look.py}}\n  - {id: t, http: {url: 'https://shop.example/', tls: {ca_file: ca.pem}}}\n"
    write(tmp_path, "a.yaml", text)
    folder = watching(tmp_path)
    folder.load()
    before = folder.walked[0].version
    assert folder.reload() is None
    write(tmp_path, "ca.pem", "two")
    assert folder.reload() is None
    write(tmp_path, "look.py", "def run(step):\n    return 1\n")
    assert [journey.version != before for journey in folder.reload() or []] == [True]
    assert folder.reload() is None


def test_a_file_touched_but_not_changed_changes_nothing(tmp_path):
    """Another time, the same bytes; another layout, the same content."""
    write(tmp_path, "a.yaml", GOOD.format(id="a", text="one"))
    folder = watching(tmp_path)
    folder.load()
    write(tmp_path, "a.yaml", GOOD.format(id="a", text="one"))
    assert folder.reload() is None
    write(tmp_path, "a.yaml", "# a comment\n" + GOOD.format(id="a", text="one"))
    assert folder.reload() is None


def test_the_last_good_one_runs_on_and_it_is_said_once(tmp_path, caplog):
    """A file gone bad keeps its journey as it was; the problem stands in `problems` until it is mended; the log has it once."""
    path = write(tmp_path, "a.yaml", GOOD.format(id="a", text="good"))
    folder = watching(tmp_path)
    folder.load()
    write(tmp_path, "a.yaml", "id: a\nsteps: nonsense\n")
    with caplog.at_level(logging.ERROR):
        assert folder.reload() is None
        assert folder.reload() is None
    assert described(folder) == {"a": "good"}
    said = f"{path}:2:8: steps: wants a list (lines beginning with -), not 'nonsense'\n{path}: the last good one of a runs on"
    assert folder.problems == {str(path): said}
    assert [record.getMessage() for record in caplog.records] == [said]
    write(tmp_path, "a.yaml", GOOD.format(id="a", text="mended"))
    assert folder.reload() is not None
    assert (folder.problems, described(folder)) == ({}, {"a": "mended"})


def test_a_new_file_with_a_taken_id_does_not_displace_the_first(tmp_path):
    """Ids must differ; the one known runs on, and when it goes the other is taken."""
    write(tmp_path, "b.yaml", GOOD.format(id="a", text="first"))
    folder = watching(tmp_path)
    folder.load()
    path = write(tmp_path, "a.yaml", GOOD.format(id="a", text="second"))
    assert folder.reload() is None
    assert described(folder) == {"a": "first"}
    assert folder.problems[str(path)] == (f"{path}:1:5: id: {tmp_path}/b.yaml has the id a too; ids of journeys must differ\n{path}: it is not walked")
    (tmp_path / "b.yaml").unlink()
    assert folder.reload() is not None
    assert (described(folder), folder.problems) == ({"a": "second"}, {})


def test_a_secret_that_comes_later_is_found(tmp_path):
    """A new journey whose secret is missing is looked at again until it is there."""
    environ: dict[str, str] = {}
    folder = watching(tmp_path, environ)
    folder.load()
    write(tmp_path, "a.yaml", GOOD.format(id="a", text="x").replace("shop.example/", "shop.example/${secrets.token}"))
    assert folder.reload() is None
    assert len(folder.problems) == 1
    environ["SOJOURN_SECRET_TOKEN"] = "s3cret"
    assert folder.reload() is not None
    assert folder.problems == {}


def test_a_folder_that_goes_away_stops_nothing(tmp_path):
    """What is known runs on, and it is said."""
    journeys = tmp_path / "journeys"
    journeys.mkdir()
    write(journeys, "a.yaml", GOOD.format(id="a", text="x"))
    folder = watching(journeys)
    folder.load()
    (tmp_path / "journeys").rename(tmp_path / "away")
    assert folder.reload() is None
    assert described(folder) == {"a": "x"}
    assert list(folder.problems.values()) == [f"{journeys}: cannot be read (No such file or directory); the journeys known run on"]


def test_a_disabled_journey_is_known_but_not_walked(tmp_path):
    """Its customers are recognised all the same."""
    write(tmp_path, "a.yaml", GOOD.format(id="a", text="x") + "enabled: false\n")
    folder = watching(tmp_path)
    assert folder.load() == []
    assert [journey.id for journey in folder.known] == ["a"]


def test_journeys_are_walked_as_they_are_at_this_location(tmp_path):
    """With the overrides of the location."""
    write(tmp_path, "a.yaml", GOOD.format(id="a", text="x") + "overrides: {here: {interval: 5m}, there: {interval: 9m}}\n")
    assert [journey.interval for journey in watching(tmp_path).load()] == [300]


def test_a_changed_defaults_file_changes_every_journey(tmp_path, caplog):
    """And a broken one changes none; it is said once."""
    write(tmp_path, "defaults.yaml", "interval: 2m\n")
    write(tmp_path, "a.yaml", GOOD.format(id="a", text="x"))
    write(tmp_path, "b.yaml", GOOD.format(id="b", text="x"))
    folder = watching(tmp_path)
    assert [journey.interval for journey in folder.load()] == [120, 120]
    assert folder.reload() is None
    write(tmp_path, "defaults.yaml", "interval: 3m\n")
    changed = folder.reload()
    assert changed is not None
    assert [journey.interval for journey in changed] == [180, 180]
    with caplog.at_level(logging.ERROR):
        write(tmp_path, "defaults.yaml", "interval: 3\n")
        assert folder.reload() is None
        assert folder.reload() is None
    assert len(caplog.records) == 1
    assert "defaults.yaml:1:11: interval: 3 has no unit; write 3s or 3ms" in caplog.text
    assert [journey.interval for journey in folder.walked] == [180, 180]
    write(tmp_path, "defaults.yaml", "interval: 4m\n")
    assert folder.reload() is not None
    assert folder.problems == {}
