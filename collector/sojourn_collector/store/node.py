"""Who this collector is among several: a name kept in its data folder, and the number that the control database gave it."""

import asyncio
import json
import socket
import uuid
from pathlib import Path

from sojourn_collector.store.control.errors import ControlError
from sojourn_collector.store.control.nodes import NodeRow, Nodes
from sojourn_collector.store.journal import SIGNALS, write_durably
from sojourn_collector.store.numbering import node_of

FILE = "node.json"


async def register(nodes: Nodes, data: Path, seconds: float) -> NodeRow:
    """Begin a new epoch of the collector of this data folder. Raises ControlError, ControlUnavailableError, OSError.

    A folder that was a lone collector's is node 0; a new one gets the next number.
    """
    ident, number = await asyncio.to_thread(_begin, data)
    row = await nodes.register(ident, socket.gethostname(), seconds, number)
    await asyncio.to_thread(_fits, data, ident, row.number)
    return row


def _begin(data: Path) -> tuple[str, int | None]:
    data.mkdir(parents=True, exist_ok=True)
    ident, number = _known(data)
    if ident is None:
        ident = uuid.uuid4().hex
        if (data / "journal" / "journal.json").exists():
            number = 0
        _keep(data, ident, number)  # before it is registered: a crash in between leaves no second number
    return ident, number


def _fits(data: Path, ident: str, number: int) -> None:
    _keep(data, ident, number)
    for path in (data / "journal").glob("*.pb"):
        seq, _, signal = path.name.removesuffix(".pb").partition(".")
        if seq.isdigit() and signal in SIGNALS and node_of(int(seq)) != number:
            raise ControlError(f"the journal file {path} has a number of node {node_of(int(seq))}, and this collector is node {number}; move it away")


def number_of(data: Path) -> int:
    """The number of the collector of this data folder; 0 when it was never one of several. Raises ControlError."""
    return _known(data)[1] or 0


def _known(data: Path) -> tuple[str | None, int | None]:
    path = data / FILE
    try:
        found = json.loads(path.read_text())
        number = found["number"]
        return str(found["id"]), None if number is None else int(number)
    except FileNotFoundError:
        return None, None
    except (ValueError, KeyError, TypeError) as error:
        raise ControlError(f"{path} is damaged; bring it back from a backup, or remove it once the folder journal is empty") from error


def _keep(data: Path, ident: str, number: int | None) -> None:
    write_durably(data / FILE, json.dumps({"id": ident, "number": number}).encode())
