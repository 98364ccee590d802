"""The version of impact.yaml: the same for files that score alike, another one as soon as a score could differ."""

from pathlib import Path

import pytest

from sojourn_collector.config import ImpactConfig, load_impact_config
from sojourn_collector.impact_version import NOT_SCORES, STORED, Change, changes, config_version, content_of, spoken, version_of


def of(folder: Path, text: str) -> ImpactConfig:
    """What a file says."""
    path = folder / "impact.yaml"
    path.write_text(text)
    return load_impact_config(path)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("", "# nothing\n"),
        ("windows: {outcome: 24h, usual: 28d}\n", "windows:\n  usual: 672h  # four weeks\n  outcome: 1d\n"),
        ("severities: {left: 0.80}\n", ""),
        ("journeys: {a: {worth: 62 EUR}, b: {apdex: 2s}}\n", "journeys: {b: {apdex: 2000ms}, a: {worth: 62.00 EUR}}\n"),
        ("segments: [plan]\nsimulated: true\nsurveys: {rest: 1d}\nwindows: {stale: 5m}\n", ""),
    ],
)
def test_files_that_score_alike_have_one_version(tmp_path: Path, one: str, other: str) -> None:
    """Comments, order, ways to write a number, and what only says how things are shown do not matter."""
    assert config_version(of(tmp_path, one)) == config_version(of(tmp_path, other))


@pytest.mark.parametrize(
    "text",
    [
        "severities: {left: 0.6}\n",
        "weights: {paid: 60d}\n",
        "weights: {cap: 95}\n",
        "silent: {severity: left}\n",
        "silent: {worth: 90}\n",
        "silent: {wait: 24h}\n",
        "windows: {abandon: 10m}\n",
        "timezone: Europe/Berlin\n",
        "currency: USD\n",
        "fx: rates.csv\n",
        "cart_bands: [10]\n",
        "min_hit: 20\n",
        "journeys: {checkout: {worth: 62 EUR}}\n",
        "journeys: {checkout: {apdex: 2s}}\n",
    ],
)
def test_whatever_a_score_is_worked_out_by_makes_a_version(tmp_path: Path, text: str) -> None:
    """Another value of any of these is another version, of 12 hexadecimal digits."""
    version = config_version(of(tmp_path, text))
    assert version != config_version(ImpactConfig())
    assert len(version) == 12
    assert set(version) <= set("0123456789abcdef")


def test_every_key_decides_scores_or_is_said_not_to() -> None:
    """The keys of the model are in the version, or in the one list of what is left out; what is stored as data come in is among them."""
    whole = ImpactConfig.model_validate({"fx": "rates.csv", "journeys": {"a": {"worth": "1 EUR", "apdex": "1s"}}})
    keys = content_of(whole)
    top = {key.partition(".")[0] for key in keys}
    assert top == set(ImpactConfig.model_fields) - {"simulated", "segments", "surveys", "alarms"}
    assert not [key for key in keys if key.startswith(NOT_SCORES)]
    assert set(STORED) <= set(keys)


def test_the_folder_of_a_rates_file_is_no_version(tmp_path: Path) -> None:
    """Two collectors that share a database read the same file from folders of their own."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert config_version(of(tmp_path / "a", "fx: rates.csv\n")) == config_version(of(tmp_path / "b", "fx: rates.csv\n"))


def test_changes_are_told_by_key_as_they_stand_in_the_file(tmp_path: Path) -> None:
    """Durations, amounts, lists and what was not there before; what is equal is left out."""
    old, new = (
        ImpactConfig(),
        of(tmp_path, "severities: {left: 0.6}\nwindows: {outcome: 36h}\ncart_bands: [10, 20.5]\njourneys: {a: {worth: 62.50 EUR, apdex: 2.5s}}\n"),
    )
    assert [one.said() for one in changes(content_of(old), content_of(new))] == [
        "cart_bands [25, 75, 150] → [10, 20.5]",
        "journeys.a.apdex none → 2.5s",
        "journeys.a.worth none → 62.5 EUR",
        "severities.left 0.8 → 0.6",
        "windows.outcome 1d → 36h",
    ]
    assert spoken("windows.abandon", 90.0) == "90s"


def test_a_key_that_an_older_version_did_not_have_is_no_change_while_it_is_the_default() -> None:
    """A newer Sojourn knows more keys: its first version differs in its digest and changes nothing; a value of one's own does."""
    new = content_of(ImpactConfig())
    old = {key: value for key, value in new.items() if not key.startswith("severities.")}
    assert version_of(old) != version_of(new)
    assert changes(old, new) == ()
    assert changes(old, {**new, "severities.left": 0.6}) == (Change("severities.left", 0.8, 0.6),)
