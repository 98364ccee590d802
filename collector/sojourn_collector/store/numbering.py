"""Sequence numbers of several collectors: the node's number in the high bits, the count of its own journal in the low ones.

Node 0 counts from 1, as one alone does.
"""

_BITS = 48
MOST_NODES = 1 << 15
"""Numbers fit a signed 64-bit integer, which is what the control database has."""


def first_of(node: int) -> int:
    """The number before the first of a node's journal files."""
    return node << _BITS


def node_of(seq: int) -> int:
    """The node whose journal a sequence number belongs to."""
    return seq >> _BITS
