"""What the journey language can say in this version, so that importers use nothing that is not there."""

from sojourn_probes.names import references


def is_name(text: str) -> bool:
    """Whether `${<text>}` is a name of the language."""
    return all(reference.fault is None for reference in references(f"${{{text}}}"))
