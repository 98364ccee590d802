"""`${vars.x} ${env.X} ${secrets.x} ${steps.login.token} ${run.id} ${random.uuid} ${date:+1d}`: finding them in texts and filling them.

A bare `$X` is left alone; `$${` stands for the two characters `${`.
"""

import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sojourn_probes import generated
from sojourn_probes.clock import Clock
from sojourn_probes.errors import NameMissing
from sojourn_probes.ids import RandomBytes
from sojourn_probes.secrets import Secret
from sojourn_probes.totp import totp_code

NAMESPACES: Final = ("vars", "env", "secrets", "totp", "steps", "run", "random", "now", "date")
"""What a name may begin with."""

GENERATED: Final = frozenset({"random", "now", "date"})
"""Those whose values are made on the spot."""

OF_RUN: Final = ("id", "location")
"""What the run itself says."""

_PIECE = re.compile(r"\$\$\{|\$\{([^}]*)\}|\$\{")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_PARTS: Final = {"vars": 2, "env": 2, "secrets": 2, "totp": 2, "steps": 3, "run": 2}
_SHAPE: Final = {"vars": "vars.name", "env": "env.NAME", "secrets": "secrets.name", "totp": "totp.secret_name", "steps": "steps.step.name", "run": "run.id"}


class HoldsSecrets(Protocol):
    """Where secrets come from: a `SecretStore`."""

    def get(self, name: str) -> Secret:
        """The secret, or `SecretMissing`."""
        ...

    def remember(self, name: str, value: str) -> Secret:
        """Take `value` for a secret from now on."""
        ...


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${…}` in a text. `offset` counts characters from the text's start; `fault` says what is wrong with its form, if anything is."""

    text: str
    parts: tuple[str, ...]
    offset: int
    fault: str | None = None


def references(text: str) -> Iterator[Reference]:
    """Every `${…}` in `text`, the malformed ones with their fault said."""
    for found in _PIECE.finditer(text):
        if found.group() == "$${":
            continue
        inner = found.group(1)
        if inner is None:
            yield Reference("", (), found.start(), "a ${ is not closed; add }, or write $${ for the two characters themselves")
            continue
        parts = _parts_of(inner.strip())
        yield Reference(inner.strip(), parts, found.start(), _fault(inner.strip(), parts))


def references_in(value: Any) -> Iterator[Reference]:
    """Every `${…}` in any nesting of dicts and lists, keys included."""
    if isinstance(value, str):
        yield from references(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from references_in(key)
            yield from references_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from references_in(item)


def mentions_secret(value: Any) -> bool:
    """Whether `value`, not yet filled, takes something from `${secrets.…}`, or a code made of one."""
    return any(reference.parts[:1] in (("secrets",), ("totp",)) for reference in references_in(value))


def _parts_of(inner: str) -> tuple[str, ...]:
    """The name in its parts; a date keeps what follows it, dots included, in one."""
    return ("date", inner[5:]) if re.match(r"date(:|\Z)", inner) else tuple(inner.split("."))


def _fault(inner: str, parts: tuple[str, ...]) -> str | None:
    space = parts[0]
    if space in GENERATED:
        return generated.fault(inner)
    if space not in NAMESPACES:
        return f"${{{inner}}} begins with none of {', '.join(NAMESPACES)}; write it as ${{vars.…}} or one of the others"
    if len(parts) != _PARTS[space] or not all(_WORD.match(part) for part in parts):
        return f"${{{inner}}} is not a name; write ${{{_SHAPE[space]}}}"
    if space == "run" and parts[1] not in OF_RUN:
        return f"${{{inner}}} is not known; the run has only {' and '.join(f'${{run.{one}}}' for one in OF_RUN)}"
    return None


class Names:
    """What `${…}` stands for in one run.

    `vars` are the journey's (they may hold all but `${vars.…}` and `${steps.…}` themselves, and are filled once an attempt),
    `environ` the process environment, `secrets` a `SecretStore`, `run_id` the run's id, `location` where it is walked, `timezone`
    that of its dates. `clock` and `random` are for tests. Steps add what they extracted by `set_step`.
    """

    def __init__(
        self,
        vars: Mapping[str, Any],  # noqa: A002 - the word of the journey file
        environ: Mapping[str, str],
        secrets: HoldsSecrets,
        run_id: str,
        *,
        location: str = "local",
        timezone: str = "UTC",
        clock: Clock | None = None,
        random: RandomBytes = os.urandom,
    ) -> None:
        self._vars = dict(vars)
        self._filled: dict[str, Any] = {}
        self._environ = environ
        self._secrets = secrets
        self._steps: dict[str, dict[str, Any]] = {}
        self._of_run = {"id": run_id, "location": location}
        self._timezone = timezone
        self._clock = clock or Clock()
        self._random = random
        self.run_id = run_id

    def set_step(self, step_id: str, values: Mapping[str, Any]) -> None:
        """Make `values` known as `${steps.<step_id>.<name>}`."""
        self._steps[step_id] = dict(values)

    def keep_secret(self, name: str, value: str) -> None:
        """Take `value`, extracted on the way, for a secret from now on."""
        self._secrets.remember(name, value)

    def clear_steps(self) -> None:
        """Forget what steps extracted and what was made for `vars`, as at the start of a new attempt."""
        self._steps.clear()
        self._filled.clear()

    def fill(self, value: Any) -> Any:
        """`value` with every `${…}` replaced, in any nesting of dicts and lists.

        A text that is one reference and nothing else keeps the type of what it stands for (a number stays a number).
        Raises `NameMissing`, for a secret `SecretMissing`.
        """
        if isinstance(value, str):
            return self._fill_text(value)
        if isinstance(value, Mapping):
            return {self._text_of(self.fill(key)): self.fill(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.fill(item) for item in value]
        return value

    def fill_text(self, value: str) -> str:
        """`value` filled, as text whatever it stands for."""
        return self._text_of(self._fill_text(value))

    def _fill_text(self, text: str) -> Any:
        if "${" not in text:
            return text
        whole = _PIECE.fullmatch(text)
        if whole is not None and whole.group(1) is not None:
            return self._resolve(whole.group(1).strip())
        return _PIECE.sub(self._replace, text)

    def _replace(self, found: re.Match[str]) -> str:
        if found.group() == "$${":
            return "${"
        if found.group(1) is None:
            raise NameMissing("", "a ${ is not closed; add }, or write $${ for the two characters themselves")
        return self._text_of(self._resolve(found.group(1).strip()))

    def _resolve(self, inner: str) -> Any:
        parts = _parts_of(inner)
        fault = _fault(inner, parts)
        if fault is not None:
            raise NameMissing(inner, fault)
        if parts[0] in GENERATED:
            return generated.value(inner, self._clock.now_ns(), self._timezone, self._random)
        return _RESOLVERS[parts[0]](self, inner, *parts[1:])

    def _var(self, inner: str, name: str) -> Any:
        if name not in self._vars:
            raise NameMissing(inner, f"${{{inner}}} is not set; add {name} under vars:")
        if name in self._filled:
            return self._filled[name]
        value = self._vars[name]
        for reference in references_in(value):
            if reference.parts[0] in ("vars", "steps"):
                raise NameMissing(inner, f"vars.{name} may not use ${{{reference.text}}}; vars and steps are not known there")
        self._filled[name] = self.fill(value)
        return self._filled[name]

    def _env(self, inner: str, name: str) -> str:
        if name not in self._environ:
            raise NameMissing(inner, f"environment variable {name} is not set; export it before the start")
        return self._environ[name]

    def _secret(self, inner: str, name: str) -> str:
        return self._secrets.get(name).reveal()

    def _totp(self, inner: str, name: str) -> str:
        code = totp_code(self._secrets.get(name), time.time())
        self._secrets.remember(f"totp.{name}", code)
        return code

    def _step(self, inner: str, step: str, name: str) -> Any:
        if step not in self._steps or name not in self._steps[step]:
            raise NameMissing(inner, f"${{{inner}}} has no value; step {step} did not extract {name} in this attempt")
        return self._steps[step][name]

    def _run(self, inner: str, name: str) -> str:
        return self._of_run[name]

    @staticmethod
    def _text_of(value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)


_RESOLVERS: Final[dict[str, Any]] = {
    "vars": Names._var,
    "env": Names._env,
    "secrets": Names._secret,
    "totp": Names._totp,
    "steps": Names._step,
    "run": Names._run,
}
