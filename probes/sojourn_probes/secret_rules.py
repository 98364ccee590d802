"""Secrets that stand in a journey file in plain, where a name says for sure that it is one: fields of bodies, parameters, variables, form fields of a page.

Headers that are secret by nature and `auth:` are the models' own business (`steps/http.py`, `steps/auth.py`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from sojourn_probes.breach import Breach
from sojourn_probes.names import references
from sojourn_probes.secret_names import is_secret_field, is_surely_secret, secret_name
from sojourn_probes.yaml_core import Path

_FIELDS: Final = ("headers", "query", "form", "json", "multipart", "metadata", "message", "args")
"""Keys of step kinds whose values are sent under names of the author's."""


def plain_secrets(data: Mapping[str, Any], parts: Sequence[str]) -> Iterator[Breach]:
    """Every such literal in `data`, a journey that its models have taken and that has steps under the keys `parts`."""
    variables = _mapping(data.get("vars"))
    looking = _Looking(variables)
    yield from looking.fields(variables, ("vars",))
    for location, override in _mapping(data.get("overrides")).items():
        yield from looking.fields(_mapping(_mapping(override).get("vars")), ("overrides", location, "vars"))
    for kind, part in _mapping(data.get("defaults")).items():
        yield from looking.fields(_mapping(_mapping(part).get("headers")), ("defaults", kind, "headers"))
    for part in parts:
        for index, step in enumerate(data.get(part) or ()):
            for kind in step:
                yield from looking.part(step[kind], (part, index, kind))


@dataclass(slots=True)
class _Looking:
    """Looks through a journey whose variables are `variables`."""

    variables: Mapping[str, Any]

    def part(self, part: Any, path: Path) -> Iterator[Breach]:
        """What a step says under its kind."""
        if path[-1] == "browser" and isinstance(part, list):
            yield from self._actions(part, path)
        elif isinstance(part, dict):
            yield from self._url(part.get("url"), (*path, "url"))
            for key in _FIELDS:
                yield from self.fields(part.get(key), (*path, key))
            dialog = part.get("dialog")
            for index, turn in enumerate(dialog if isinstance(dialog, list) else ()):
                yield from self.fields(_mapping(turn).get("send_json"), (*path, "dialog", index, "send_json"))

    def fields(self, value: Any, path: Path, name: str = "") -> Iterator[Breach]:
        """Named values, in any nesting; those of a list have the name of the list."""
        if isinstance(value, dict):
            for key, item in value.items():
                of_part = len(path) > 1 and path[-2] == "multipart" and key == "value"
                yield from self.fields(item, (*path, key), name if of_part else key)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.fields(item, (*path, index), name)
        elif name and self._is_plain(value) and is_surely_secret(name):
            yield _breach(path, name)

    def _actions(self, actions: list[Any], path: Path) -> Iterator[Breach]:
        for index, action in enumerate(actions):
            for verb, form in _mapping(action).items():
                where = (*path, index, verb)
                said = _mapping(form)
                if verb == "goto":
                    yield from self._url(said.get("url", form), (*where, "url") if said else where)
                elif verb == "fill" and self._is_plain(said.get("value")) and is_secret_field(said):
                    yield _breach((*where, "value"), next((said[key] for key in ("label", "name", "placeholder", "test_id") if key in said), "password"))
                elif verb == "frame" and isinstance(said.get("actions"), list):
                    yield from self._actions(said["actions"], (*where, "actions"))

    def _url(self, url: Any, path: Path) -> Iterator[Breach]:
        """The parameters that an address carries."""
        query = url.partition("#")[0].partition("?")[2] if isinstance(url, str) else ""
        for one in query.split("&"):
            name, _, value = one.partition("=")
            if self._is_plain(value) and is_surely_secret(unquote_plus(name)):
                yield _breach(path, unquote_plus(name), f"{unquote_plus(name)} ")
                return

    def _is_plain(self, value: Any) -> bool:
        """Whether `value` stands in the file: directly, or as a variable that is nothing else. true, false and nothing are no secrets."""
        if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
            return False
        found = list(references(str(value)))
        return all(len(one.parts) == 2 and one.parts[0] == "vars" and not any(references(str(self.variables.get(one.parts[1], "${")))) for one in found)


def _breach(path: Path, name: str, what: str = "") -> Breach:
    good = secret_name(name)
    return Breach(path, f'{what}is a secret and must not stand in the file; write "${{secrets.{good}}}" and set SOJOURN_SECRET_{good.upper()}')


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
