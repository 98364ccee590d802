"""What the control database raises, whichever it is."""


class ControlError(Exception):
    """The control database cannot be used as it is; the text is one sentence with the cure."""


class ControlUnavailableError(Exception):
    """The control database does not answer just now; the same call may succeed later. The text is one sentence."""
