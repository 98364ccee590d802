"""What is said when a dead letter cannot be had."""


class LetterError(Exception):
    """A dead letter cannot be had; the text says why."""
