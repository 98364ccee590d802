"""Recognising pages and events."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sojourn_probes.match import Match


@pytest.mark.parametrize(
    ("page", "path", "matches"),
    [
        ("/", "/", True),
        ("/", "/x", False),
        ("/cart", "/cart?x=1#y", True),
        ("/cart", "/cart/", True),
        ("/cart/", "/cart", True),
        ("/cart", "/carts", False),
        ("/checkout/*", "/checkout/pay", True),
        ("/checkout/*", "/checkout/pay/now", False),
        ("/checkout/*", "/checkout", False),
        ("/checkout/**", "/checkout/pay/now", True),
        ("/**", "/", True),
        ("/**/thanks", "/a/b/thanks", True),
        ("/p/*/reviews", "/p/12/reviews", True),
        ("/p/item-*", "/p/item-7", True),
        ("/a.b", "/axb", False),
        ("/a+b", "/a+b", True),
    ],
)
def test_pages(page, path, matches):
    """`*` stays within a segment, `**` goes across, query and a slash at the end do not count."""
    assert Match(page=page).matches_path(path) is matches


def test_events():
    """An event matches by its whole name, and never as a page."""
    assert Match(event="order_completed").matches_event("order_completed")
    assert not Match(event="order_completed").matches_event("order")
    assert not Match(event="order_completed").matches_path("/")
    assert not Match(page="/").matches_event("/")


def test_one_of_the_two():
    """Both, or neither, is refused."""
    for given_keys in ({}, {"page": "/", "event": "x"}):
        with pytest.raises(ValidationError, match="say either page: or event:"):
            Match(**given_keys)


@given(st.text(alphabet="/ab*.", max_size=30).map(lambda text: "/" + text), st.text(alphabet="/abc", max_size=40))
def test_any_pattern_matches_or_not(page, path):
    """No pattern breaks the matcher, and a pattern without stars matches itself."""
    match = Match(page=page)
    match.matches_path(path)
    if "*" not in page:
        assert match.matches_path(page)
