"""Paths that people walk again and again: ids are taken out, few people are never told, order and conversions count."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.score.paths import Path, Place, Visit, general, paths, patterns


def visit(person: str, *walked: str, begin: int = 0) -> Visit:
    """One second between places; a name without / is a conversion."""
    return Visit(
        person,
        [(1000 * (begin + number), place if place.startswith("/") else "", "" if place.startswith("/") else place) for number, place in enumerate(walked)],
    )


def test_ids_in_addresses_become_stars() -> None:
    """Numbers, uuids, hex, addresses, encoded text, long words; queries and trailing slashes go; words stay."""
    assert general("/orders/4711/") == "/orders/*"
    assert general("/u/2f1c0a9b2d3e/edit?tab=1#x") == "/u/*/edit"
    assert general("/s/123e4567-e89b-12d3-a456-426614174000") == "/s/*"
    assert general("/mail/ada@example.org") == "/mail/*"
    assert general("/search/caf%C3%A9") == "/search/*"
    assert general("/help/how-to-pay") == "/help/how-to-pay"
    assert general("") == "/"


def test_words_that_are_many_and_rare_are_names_of_things() -> None:
    """Forty products of two people each become one page; five categories stay."""
    seen = [(f"p{number}-{again}", f"/product/{chr(97 + number % 26)}{'x' * (number // 26)}shoe") for number in range(40) for again in range(2)]
    seen += [(f"q{number}", f"/category/{word}") for number in range(10) for word in ("men", "women")]
    found = patterns(seen)
    assert {found[path] for _, path in seen} == {"/product/*", "/category/men", "/category/women"}


def test_the_way_to_the_order_is_found_with_its_drop() -> None:
    """Twenty begin, ten finish; side trips and going back do not hide it; half of those who finish take as long as is said."""
    visits = [visit(f"u{n}", "/", "/shoes", "/cart", *(["/checkout/pay", "order_completed"] if n % 2 else [])) for n in range(16)]
    visits += [visit(f"s{n}", "/", "/help", "/shoes", "/", "/cart", *(["/checkout/pay", "order_completed"] if n % 2 else [])) for n in range(4)]
    first = paths(visits)[0]
    assert first.places == (Place("/"), Place("/shoes"), Place("/cart"), Place("/checkout/pay"), Place(event="order_completed"))
    assert first.people == (20, 20, 20, 10, 10)
    assert (first.visits, first.seconds) == (10, 4.0)


def test_what_is_covered_and_what_few_walk_is_not_told() -> None:
    """A path that a journey has is left out; four people tell nothing; a hundred visits of one person are one person."""
    visits = (
        [visit(f"u{n}", "/a", "/b") for n in range(8)]
        + [visit(f"f{n}", "/c", "/d") for n in range(4)]
        + [visit("one", "/e", "/f", begin=n) for n in range(100)]
    )
    assert [one.places for one in paths(visits)] == [(Place("/a"), Place("/b"))]
    assert paths(visits, covered=lambda path: path.places[-1] == Place("/b")) == []
    assert [one.places for one in paths(visits, least=1)] == [(Place("/a"), Place("/b"))]


def test_wandering_everywhere_is_looked_through_with_a_bound() -> None:
    """Where people walk through everything in any order only what most of them walk is asked for, and the one way that many share is still found."""
    dice = Random(7)
    places = [f"/{chr(97 + number // 5)}{chr(97 + number % 5)}" for number in range(40)]
    visits = [visit(f"w{n}", *dice.sample(places, 30)) for n in range(300)] + [visit(f"b{n}", "/basket", "/pay", "bought") for n in range(300)]
    assert (Place("/basket"), Place("/pay"), Place(event="bought")) in [one.places for one in paths(visits)]


PAGES = st.sampled_from(["/", "/a", "/b/7", "/b/8", "/c", "bought"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("pqrstuvw"), st.lists(PAGES, min_size=1, max_size=6)), max_size=40))
def test_whatever_people_do(seen: list[tuple[str, list[str]]]) -> None:
    """No path of fewer than five people or fewer than two places; people never grow along it; no id in it; the order of visits does not matter."""
    visits = [visit(person, *walked) for person, walked in seen]
    found = paths(visits)
    for one in found:
        assert isinstance(one, Path)
        assert len(one.places) >= 2
        assert one.people[-1] >= 5
        assert list(one.people) == sorted(one.people, reverse=True)
        assert not any("7" in place.page or "8" in place.page for place in one.places)
        assert not any(place.event for place in one.places[:-1])
    assert [one.places for one in paths(visits[::-1])] == [one.places for one in found]
