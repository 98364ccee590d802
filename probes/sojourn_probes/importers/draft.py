"""What importers make: drafted journeys, the secrets lifted out, and a line for everything that could not be carried over."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sojourn_probes.addresses import origin_of
from sojourn_probes.errors import JourneyFileError
from sojourn_probes.expectation import ExpectationError
from sojourn_probes.expectation_parse import MAX_LENGTH, from_parts
from sojourn_probes.importers.lift import Vault
from sojourn_probes.importers.source import ImportFault, list_of, text_of
from sojourn_probes.importers.written import yaml_text
from sojourn_probes.load import load_text
from sojourn_probes.units import parse_duration
from sojourn_probes.yaml_core import MAX_BYTES, YamlFault, read

MAX_STEPS: Final = 100
MAX_JOURNEYS: Final = 1000
MAX_LOST: Final = 1000
"""Lines of what was not carried over; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Something that could not be carried over: where it stood (`line` 0 when unknown), and what it is."""

    place: str
    message: str
    line: int = 0


@dataclass(frozen=True, slots=True)
class Made:
    """A journey that loads: its id, its file's text and how many steps it has."""

    id: str
    name: str
    text: str
    steps: int


@dataclass(slots=True)
class Draft:
    """A journey being written: its keys but the steps, and the steps, as the file will say them."""

    keys: dict[str, Any]
    steps: list[dict[str, Any]] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    hide: Callable[[str], str] = str
    """Takes secrets out of what becomes a name."""

    def add(self, name: str, kind: str, part: Any, **more: Any) -> str:
        """One more step, probed by `kind`; what is empty in `more` is left out. Returns its id."""
        name = _no_names(self.hide(name))
        step_id = free(slug(name, "step"), self.ids)
        step: dict[str, Any] = {"id": step_id}
        title = " ".join(name.split())[:200]
        if title and title != step_id:
            step["name"] = title
        step[kind] = part
        step.update({key: value for key, value in more.items() if value not in ([], {}, None, False)})
        self.steps.append(step)
        return step_id

    def step(self, step_id: str) -> dict[str, Any]:
        """The step of that id."""
        return next(step for step in self.steps if step["id"] == step_id)


@dataclass(slots=True)
class Work:
    """One import under way. `targets` are what `--target` named; `base_url` what `--base-url` did."""

    format: str
    source: str
    targets: tuple[str, ...] = ()
    base_url: str | None = None
    folder: Path = Path()
    vault: Vault = field(default_factory=Vault)
    drafts: list[Draft] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    more_lost: int = 0
    ids: dict[str, int] = field(default_factory=dict)

    def draft(self, name: str, **keys: Any) -> Draft:
        """A new journey called `name`; what is empty in `keys` is left out."""
        if len(self.drafts) >= MAX_JOURNEYS:
            raise ImportFault(f"would make more than {MAX_JOURNEYS} journeys; split the file")
        name = _no_names(self.vault.hidden(name))
        title = " ".join(name.split())[:200]
        journey_id = free(slug(name, "journey"), self.ids)
        made = Draft(
            {"id": journey_id, **({"name": title} if title and title != journey_id else {}), **{k: v for k, v in keys.items() if v not in (None, {})}},
            hide=self.vault.hidden,
        )
        self.drafts.append(made)
        return made

    def lose(self, place: str, message: str, line: int = 0) -> None:
        """Say that something could not be carried over."""
        if len(self.lost) < MAX_LOST:
            self.lost.append(Lost(" ".join(place.split())[:200], message, line))
        else:
            self.more_lost += 1

    def expect(self, into: list[str], place: str, source: str, comparison: str, target: Any = None, prop: str | None = None, *, count: bool = False) -> None:
        """Write one expectation in its one-line form; one that cannot be written is said."""
        if isinstance(target, str) and "matches" not in comparison:
            target = self.vault.named(prop or "", target, place)
        elif isinstance(target, str) and self.vault.holds(target):
            self.lose(place, f"the expectation on {source} was left out: its regular expression holds what looks like a secret")
            return
        parts = {"source": source, "comparison": comparison, **({} if prop is None else {"property": prop}), **({"count": True} if count else {})}
        if not comparison.endswith("exists"):
            parts["target"] = target
        try:
            line = from_parts(parts).text
        except ExpectationError as fault:
            self.lose(place, f"the expectation on {source} was left out: {fault}")
            return
        if len(line) > MAX_LENGTH:
            self.lose(place, f"the expectation on {source} was left out: it is longer than {MAX_LENGTH} characters")
        elif line not in into:
            into.append(line)

    def finished(self) -> list[Made]:
        """The journeys, each of which loads. What does not is taken out and said."""
        return [made for draft in self.drafts for part in _parts(draft, self) if (made := self._settled(part)) is not None]

    def _settled(self, draft: Draft) -> Made | None:
        _without_taken(draft, self.vault)
        _relative(draft, self.base_url)
        _fit(draft, self)
        while draft.steps:
            text = yaml_text({**draft.keys, "steps": draft.steps}, self._comments(draft))
            fault = _fault(text)
            if fault is None:
                return Made(draft.keys["id"], draft.keys.get("name", draft.keys["id"]), text, len(draft.steps))
            line, message = fault
            if _without_expectation(draft, message, self):
                continue
            bad = _step_at(text, line)
            dropped = draft.steps.pop(-1 if bad is None else bad)
            self.lose(f"step {dropped['id']} of {draft.keys['id']}", f"was left out, a journey cannot say it: {message}")
        return None

    def _comments(self, draft: Draft) -> list[str]:
        comments = [f"Written by `sojourn import {self.format}` from {Path(self.source).name}" if self.format != "record" else "Written by `sojourn record`"]
        used = [name for name in self.vault.names if _mentions(draft, f"${{secrets.{name}}}")]
        if used:
            comments.append(f"Needs: {', '.join(f'SOJOURN_SECRET_{name.upper()}' for name in used)}")
        return comments


def _no_names(title: str) -> str:
    """A title is for people: what would be taken for a name of ours is written without its dollar."""
    return re.sub(r"\${1,2}\{(?:env\.|vars\.|secrets\.)?", "{", title)


def slug(text: str, otherwise: str) -> str:
    """`text` as an id: small letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text[:300].lower()).strip("-")[:60].strip("-") or otherwise


def name_word(text: str) -> str:
    """`text` as the name of a variable or of a value extracted: letters, digits, `_` and `-`, the first a letter."""
    word = re.sub(r"[^A-Za-z0-9_-]+", "_", text[:300])[:60].strip("-") or "value"
    return word if re.match(r"[A-Za-z_]", word) else f"v_{word}"[:60]


def free(wanted: str, taken: dict[str, int]) -> str:
    """`wanted`, numbered when it was taken before; remembered in `taken`."""
    name = wanted
    while name in taken:
        taken[wanted] = taken.get(wanted, 1) + 1
        name = f"{wanted[:58]}-{taken[wanted]}"
    taken[name] = taken.get(name, 1)
    return name


def seconds(value: float) -> str:
    """A duration as a journey writes it."""
    milliseconds = max(1, round(value * 1000))
    if milliseconds % 1000:
        return f"{milliseconds}ms"
    whole = milliseconds // 1000
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if whole % size == 0 and whole > size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def tags_of(value: Any) -> list[str]:
    """Foreign tags as ours: small letters, digits and hyphens, twenty at most."""
    found = [slug(text_of(tag), "") for tag in list_of(value)]
    return list(dict.fromkeys(tag for tag in found if tag))[:20]


def _parts(draft: Draft, work: Work) -> Iterator[Draft]:
    """A journey holds a hundred steps; what is longer goes on in a second one."""
    if len(draft.steps) > MAX_STEPS:
        work.lose(
            f"journey {draft.keys['id']}", f"has {len(draft.steps)} steps and a journey holds {MAX_STEPS}; it goes on in further files, which share no values"
        )
    for start in range(0, len(draft.steps), MAX_STEPS):
        keys = draft.keys if not start else {**draft.keys, "id": free(draft.keys["id"], work.ids)}
        steps = draft.steps[start : start + MAX_STEPS]
        if len(steps) > 15:
            keys = {"timeout": f"{min(600, 2 * len(steps))}s", **keys}
        yield Draft(dict(keys), steps)


def _fit(draft: Draft, work: Work) -> None:
    """Makes the times agree, as a journey demands: steps within the attempt, all attempts within the interval."""
    keys = draft.keys
    longest = max((parse_duration(step["timeout"]) for step in draft.steps if "timeout" in step and not step.get("always_run")), default=0.0)
    timeout = parse_duration(keys.get("timeout", "30s"))
    if longest > timeout:
        keys["timeout"], timeout = seconds(longest), longest
    retries = keys.get("retries", {})
    if "schedule" in keys or ("timeout" not in keys and not retries):
        return
    attempts, pause = retries.get("max", 0) + 1, _pause(retries)
    interval = parse_duration(keys.get("interval", "60s"))
    if attempts * timeout + pause <= interval:
        return
    if "interval" not in keys:
        keys["interval"] = seconds(-(-(attempts * timeout + pause) // 60) * 60)
        return
    if retries and (interval - pause) / attempts < 1:
        del keys["retries"]
        attempts, pause = 1, 0.0
        work.lose(f"journey {keys['id']}", f"retries were left out; they do not fit an interval of {keys['interval']}")
    if attempts * timeout + pause > interval:
        keys["timeout"] = seconds(max(1.0, (interval - pause) // attempts))
        for step in draft.steps:
            if "timeout" in step and parse_duration(step["timeout"]) > parse_duration(keys["timeout"]):
                step["timeout"] = keys["timeout"]
        work.lose(f"journey {keys['id']}", f"its timeout became {keys['timeout']}, so that all attempts fit its interval of {keys['interval']}")


def _pause(retries: dict[str, Any]) -> float:
    """How long all waits between attempts take together."""
    backoff, most = retries.get("backoff", "0s"), int(retries.get("max", 0))
    if isinstance(backoff, str):
        return parse_duration(backoff) * most
    first = parse_duration(backoff["first"])
    return sum(min(60.0, first * (number + 1 if backoff["growth"] == "linear" else 1 << number)) for number in range(most))


def _relative(draft: Draft, base_url: str | None) -> None:
    """Takes the origin of the first web address out into base_url, and makes the addresses there relative to it."""
    if "base_url" in draft.keys:
        return
    places = [place for step in draft.steps for place in _addresses(step)]
    origin = next((found for holder, key in places if (found := _literal_origin(str(holder[key])))), "")
    if not origin:
        return
    draft.keys["base_url"] = (origin_of(base_url) if base_url else None) or origin
    for holder, key in places:
        url = str(holder[key])
        if url.startswith(origin) and (url[len(origin) :][:1] in ("", "/", "?")):
            rest = url[len(origin) :]
            holder[key] = rest if rest.startswith("/") else f"/{rest}"


def _addresses(step: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    if isinstance(step.get("http"), dict):
        yield step["http"], "url"
    for action in step.get("browser") or ():
        if isinstance(action.get("goto"), str):
            yield action, "goto"


def _literal_origin(url: str) -> str:
    """`scheme://host[:port]` as it is written; nothing when names stand in it."""
    found = re.match(r"https?://[^/?#]+", url)
    if found is None or "${" in found.group() or "@" in found.group() or origin_of(found.group()) is None:
        return ""
    return found.group()


def _fault(text: str) -> tuple[int, str] | None:
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        return len(text.splitlines()), f"the file would be larger than {MAX_BYTES // 1024} KiB"
    try:
        load_text(text, Path("journey.yaml"))
    except JourneyFileError as error:
        problem = error.problems[0]
        return problem.line, f"{problem.key}: {problem.message}" if problem.key else problem.message
    return None


def _step_at(text: str, line: int) -> int | None:
    """Which step the line is in."""
    try:
        places = read(text).values
    except YamlFault:
        starts = [number for number, content in enumerate(text.splitlines(), 1) if content.startswith("  - id: ")]
    else:
        starts = [places[("steps", index)][0] for index in range(MAX_STEPS) if ("steps", index) in places]
    found = [index for index, start in enumerate(starts) if start <= line]
    return found[-1] if found else None


def _without_taken(draft: Draft, vault: Vault) -> None:
    """Takes out the variables whose value went into a secret field: wherever they are used, the secret takes their place."""
    for name in vault.taken & set(draft.keys.get("vars", ())):
        del draft.keys["vars"][name]
        draft.steps[:] = _replaced(draft.steps, f"${{vars.{name}}}", f"${{secrets.{vault.taken_as(name)}}}")
    if draft.keys.get("vars") == {}:
        del draft.keys["vars"]


def _replaced(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {key: _replaced(item, old, new) for key, item in value.items()}
    return [_replaced(item, old, new) for item in value] if isinstance(value, list) else value


def _without_expectation(draft: Draft, message: str, work: Work) -> bool:
    """Whether what is wrong is one expectation, which is then taken out and said: no reason to lose the whole step."""
    found = re.match(r"steps\[(\d+)\]\.(expect|degraded_if)\[(\d+)\]: (.*)", message, re.DOTALL)
    if found is None:
        return False
    step, key = draft.steps[int(found.group(1))], found.group(2)
    dropped = step[key].pop(int(found.group(3)))
    if not step[key]:
        del step[key]
    work.lose(f"step {step['id']} of {draft.keys['id']}", f"the expectation on {dropped.partition(' ')[0]} was left out: {found.group(4)}")
    return True


def _mentions(draft: Draft, name: str) -> bool:
    return name in str(draft.keys) or name in str(draft.steps)


def shown_host(url: str) -> str:
    """The host of an address, for a name."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
