"""Up to when all orders are known."""

from datetime import UTC, datetime, timedelta

from sojourn_collector.web.answers.orders_known import Feed, OrdersKnown, orders_known

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def feed(name: str, newest: timedelta, last: timedelta, first: timedelta = timedelta(days=90)) -> Feed:
    return Feed(name, NOW - newest, NOW - first, NOW - last)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


LIVE = feed("shop", minutes(2), minutes(1))
NIGHTLY = feed("till", timedelta(hours=12.5), timedelta(hours=9))
OVER = feed("old-shop", timedelta(days=30), timedelta(days=20))
ONCE = feed("file", timedelta(days=2), minutes(31), minutes(32))


def test_without_orders_nothing_is_known():
    """Not even up to now."""
    assert orders_known(0, [], None, (), NOW) == OrdersKnown(0, None)


def test_a_feed_without_a_watermark_is_known_up_to_when_its_newest_order_was_placed():
    """Not to when anything came of it last: that may have been a refund of an old order."""
    assert orders_known(9, [feed("shop", timedelta(hours=5), minutes(0))], None, (), NOW) == OrdersKnown(9, NOW - timedelta(hours=5), "shop")


def test_the_slowest_feed_decides():
    """A file of the night beside a live feed, whether the live one gives watermarks or not."""
    known = OrdersKnown(9, NOW - timedelta(hours=12.5), "till")
    assert orders_known(9, [LIVE, NIGHTLY], None, (), NOW) == known
    assert orders_known(9, [LIVE, NIGHTLY], NOW - timedelta(minutes=1), {"shop"}, NOW) == known


def test_a_watermark_speaks_for_its_feeds_however_old_their_newest_order_is():
    """Nothing was sold for a day and the sender says that everything was sent; rows that name no feed are of whoever gives watermarks."""
    quiet = [feed("shop", timedelta(days=1), timedelta(days=1)), feed("api", timedelta(days=2), timedelta(days=2))]
    assert orders_known(9, quiet, NOW - timedelta(minutes=1), {"shop"}, NOW) == OrdersKnown(9, NOW - timedelta(minutes=1))
    assert orders_known(9, [LIVE], NOW - timedelta(hours=3), (), NOW) == OrdersKnown(9, NOW - timedelta(hours=3))


def test_a_feed_of_which_no_more_is_to_come_holds_nothing_back():
    """Nothing for a week, or a file that was imported once; without others they are all there is."""
    assert orders_known(9, [LIVE, OVER, ONCE], None, (), NOW) == OrdersKnown(9, NOW - minutes(2), "shop")
    assert orders_known(9, [OVER, ONCE], None, (), NOW) == OrdersKnown(9, NOW - timedelta(days=2), "file")
    assert orders_known(9, [OVER, ONCE], NOW, (), NOW) == OrdersKnown(9, NOW)
