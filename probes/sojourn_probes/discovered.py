"""Journey files out of paths that real people walked, as the collector tells them: customers' parts only, ready to be edited."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sojourn_probes.errors import SojournError

_LONGEST_ID: Final = 64
_EVENT: Final = r"[A-Za-z0-9_.:-]{1,100}"


class Found:
    """One path as a journey file: its `id`, `name` and `text`."""

    def __init__(self, ident: str, name: str, text: str) -> None:
        self.id = ident
        self.name = name
        self.text = text


def journeys_of(answer: Mapping[str, Any]) -> list[Found]:
    """A file for each path of the body of `/api/v1/discover`. Raises SojournError when the body is none."""
    try:
        since, until = str(answer["window_from"])[:10], str(answer["window_to"])[:10]
        used: set[str] = set()
        found = []
        for path in answer["paths"]:
            steps = _steps(path["steps"])
            ident = _unused(_slug(steps[-1]["title"]), used)
            used.add(ident)
            found.append(Found(ident, steps[-1]["title"], _text(ident, path, steps, since, until, answer)))
    except (KeyError, TypeError, IndexError, ValueError) as fault:
        raise SojournError(f"what the collector answered is no list of paths ({type(fault).__name__}: {fault}); is it an older one?") from fault
    return found


def _steps(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Steps with a page each; a conversion is what ends the page before it."""
    steps: list[dict[str, Any]] = []
    used: set[str] = set()
    for one in told:
        if one["event"] and not re.fullmatch(_EVENT, str(one["event"])):
            continue  # no journey file can name it
        if one["event"] and steps and "done" not in steps[-1]:
            steps[-1] |= {"done": str(one["event"]), "finished": int(one["people"])}
            continue
        title = _title(str(one["page"] or one["event"]))
        ident = _unused(_slug(title), used)
        used.add(ident)
        reached = {"page": _page(str(one["page"]))} if one["page"] else {"event": str(one["event"])}
        steps.append({"id": ident, "title": title, "reached": reached, "people": int(one["people"])})
    return steps


def _title(place: str) -> str:
    words = [part for part in re.split(r"[/_\-.\s]+", place) if part and part != "*"]
    return " ".join(words).capitalize()[:80] or "Home"


def _slug(title: str) -> str:
    return (re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "path")[: _LONGEST_ID - 4]


def _unused(ident: str, used: set[str]) -> str:
    if ident not in used:
        return ident
    return next(f"{ident}-{number}" for number in range(2, len(used) + 3) if f"{ident}-{number}" not in used)


def _text(ident: str, path: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], since: str, until: str, answer: Mapping[str, Any]) -> str:
    part = "" if int(answer["one_in"]) == 1 else f" (of one in {int(answer['one_in'])} visits)"
    began, finished = int(path["steps"][0]["people"]), round(100 * float(path["finished"]))
    lines = [
        f"# Found in real visits of {since} to {until}{part}: {began} people began, {finished} % of them got to the end,",
        f"# half of those within {_lasting(float(path['seconds']))}. Rename it, say what matters, and add probes to its steps where you want it walked.",
        f"id: {_quoted(ident)}",
        f"name: {_quoted(steps[-1]['title'])}",
    ]
    if path["app"]:
        lines.append(f"customers: {{app: {_quoted(str(path['app']))}}}")
    lines.append("steps:")
    for step in steps:
        lines.append(f"  - id: {_quoted(step['id'])}  # {step['people']} people")
        lines.append(f"    name: {_quoted(step['title'])}")
        lines.append("    customers:")
        ((key, value),) = step["reached"].items()
        lines.append(f"      reached: {{{key}: {_quoted(value)}}}")
        if "done" in step:
            lines.append(f"      done: {{event: {_quoted(step['done'])}}}  # {step['finished']} people")
    return "\n".join(lines) + "\n"


def _lasting(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _quoted(text: str) -> str:
    """A YAML scalar that is this text whatever it holds: JSON's strings are YAML's."""
    plain = re.fullmatch(r"[A-Za-z/][A-Za-z0-9 /_.-]*", text) is not None and text.lower() not in ("null", "true", "false")
    return text if plain else json.dumps(text, ensure_ascii=False)


def _page(told: str) -> str:
    """A page as a pattern of the journey file: without query, no blanks, 200 letters at most."""
    parts = re.split(r"[?#]", told, maxsplit=1)[0].split("/")
    return "/".join("*" if re.search(r"\s", part) else part for part in parts)[:200]
