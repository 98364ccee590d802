"""`sojourn-collector dead-letters`: list, show, replay, discard."""

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

from sojourn_collector.store.control.control import Control
from sojourn_collector.store.letter_error import LetterError
from sojourn_collector.store.letters import Letters
from sojourn_collector.store.node import number_of

OK = 0


def list_letters(control: Control, data: Path, *, as_json: bool) -> int:
    """A line each, the newest first."""
    letters = asyncio.run(control.dead_letters.list())
    several = control.database.shared
    for letter in letters:
        if as_json:
            row = {
                "id": letter.id,
                "signal": letter.signal,
                "reason": letter.reason,
                "file": str(data / "dead-letters" / letter.file),
                "at": letter.at.isoformat(),
                "node": letter.node,
            }
            print(json.dumps(row))
        else:
            print(f"{letter.id:>6}  {letter.at:%Y-%m-%d %H:%M:%S}Z  {letter.signal:8}{f'node {letter.node:<3}' if several else ''}{letter.reason}")
    if not letters and not as_json:
        print("There are no dead letters.")
    return OK


def show_letter(control: Control, data: Path, ident: int, *, as_json: bool) -> int:
    """Everything known of one. Raises LetterError."""
    found = asyncio.run(_letters(control, data).open(ident)).as_dict()
    if as_json:
        print(json.dumps(found))
        return OK
    request = found.pop("request")
    for name, value in found.items():
        print(f"{name:10}{value}")
    print(json.dumps(request, indent=2, ensure_ascii=False) if request is not None else "The request cannot be read as OTLP.")
    return OK


def discard_letter(control: Control, data: Path, ident: int, *, as_json: bool) -> int:
    """Throw one away for good. Raises LetterError."""
    asyncio.run(_letters(control, data).discard(ident, "cli"))
    print(json.dumps({"discarded": ident}) if as_json else f"Dead letter {ident} is thrown away.")
    return OK


def _letters(control: Control, data: Path) -> Letters:
    return Letters(control, data / "dead-letters", node=number_of(data) if control.database.shared else 0)


def _said(answer: Any) -> str:
    """What a refusal of the collector says, as part of a sentence."""
    try:
        said = str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"the collector answered {answer.status_code}: {answer.text[:300]}"
    return said[:1].lower() + said[1:].rstrip(".")


def replay_letter(running: dict[str, Any], ident: int, trusted: ssl.SSLContext | bool) -> int:
    """Ask the running collector to put one back. Raises LetterError."""
    import httpx2

    try:
        with httpx2.Client(trust_env=False, timeout=30, headers={"authorization": f"Bearer {running['token']}"}, verify=trusted) as http:
            answer = http.post(f"{running['web']}/api/v1/admin/dead-letters/{ident}/replay")
    except httpx2.HTTPError as error:
        raise LetterError(f"the collector at {running['web']} does not answer ({error})") from error
    if answer.status_code != 200:
        raise LetterError(_said(answer))
    print(f"Dead letter {ident} is back in the journal, in file {answer.json()['seq']}; if the engine refuses it again it will be listed again.")
    return OK
