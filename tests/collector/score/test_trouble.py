"""When the trouble began that led to a fix."""

from sojourn_collector.score.trouble import trouble_begin


def days(bad: range, of: int = 200) -> dict[int, tuple[int, int]]:
    """A hundred days with two of 200 hit, forty on bad ones."""
    return {day: (40 if day in bad else 2, of) for day in range(100)}


def test_trouble_goes_back_as_far_as_days_were_worse_than_usual() -> None:
    """Twelve bad days before the fix are out; a quiet week is out all the same; what lies further back than four weeks is not looked at."""
    assert trouble_begin(days(range(88, 100)), 100) == 88
    assert trouble_begin(days(range(0)), 100) == 93
    assert trouble_begin(days(range(60, 100)), 100) == 72


def test_an_earlier_story_is_not_this_trouble() -> None:
    """Bad days three quiet ones before a bad week do not count to it; two quiet ones in between do not end it."""
    assert trouble_begin({**days(range(92, 100)), 88: (40, 200)}, 100) == 92
    assert trouble_begin({**days(range(92, 100)), 89: (40, 200)}, 100) == 89


def test_few_hit_and_no_data_are_no_trouble() -> None:
    """Two of three hit in a day are too few to say so; without any data the week before is out."""
    assert trouble_begin(dict.fromkeys(range(85, 100), (2, 3)), 100) == 93
    assert trouble_begin({}, 100) == 93
