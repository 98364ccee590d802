"""What an exchange may break of, as types: `http_faults.py` makes the failure of them."""


class Ended(Exception):  # noqa: N818 - says what is the matter
    """The server closed the connection before its answer was whole.

    `stage` is where: `answer` (not a byte came), `header` or `body`.
    """

    def __init__(self, stage: str) -> None:
        self.stage = stage
        super().__init__(stage)


class NotHttp(Exception):  # noqa: N818
    """What the server says is no good HTTP; the text says why."""


class NoHttp2(Exception):  # noqa: N818
    """HTTP/2 was wanted and the server does not offer it."""


class Gone(Exception):  # noqa: N818
    """The server ended an HTTP/2 stream or the whole connection; `whole` says which, `code` why, in the words of RFC 9113.

    `unseen` says that by its own word the server has not looked at the request, so that it may be sent again (RFC 9113 §8.7).
    """

    def __init__(self, whole: bool, code: str, unseen: bool = False) -> None:
        self.whole, self.code, self.unseen = whole, code, unseen
        super().__init__(code)


class Proxied(Exception):  # noqa: N818
    """The proxy did not open the way; `status` is what it answered to CONNECT, 0 when it was no HTTP."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(str(status))


class BadLocation(Exception):  # noqa: N818
    """A redirect to what is no address."""
