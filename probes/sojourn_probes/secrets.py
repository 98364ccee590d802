"""Secrets: found by name, opaque until revealed, remembered so that they can be kept out of every output.

A secret comes from `SOJOURN_SECRET_<NAME>`, then the systemd credential of that name, then a file named under `secrets:` of agent.yaml,
then a file of `NAME=value` lines that only its owner can read.
"""

import io
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sojourn_probes.errors import SecretMissing

MIN_LENGTH: Final = 3
"""A shorter secret could not be cut out of outputs without cutting them to pieces."""

MAX_EXTRACTED: Final = 64
"""How many values extracted on the way are remembered: each run may bring a new token, and an agent runs for months."""

MAX_BYTES: Final = 64 * 1024
"""The largest secret file read."""

SECRET_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What a secret may be called."""


class Secret:
    """A secret's value, opaque: printing, formatting or logging it gives `[redacted]`; only `reveal()` gives the value."""

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __repr__(self) -> str:
        return "[redacted]"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "[redacted]"

    def __reduce__(self) -> str:
        raise TypeError("a secret cannot be pickled")


class SecretStore:
    """Finds secrets by name and remembers the values it gave out.

    `environ` is the process environment, `credentials_dir` systemd's `$CREDENTIALS_DIRECTORY`, `files` the agent's `secrets:`,
    `env_file` its `secrets_file:`.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        credentials_dir: Path | str | None = None,
        files: Mapping[str, Path] | None = None,
        env_file: Path | None = None,
    ) -> None:
        self._environ = environ
        self._credentials_dir = None if credentials_dir is None else Path(credentials_dir)
        self._files = dict(files or {})
        self._env_file = env_file
        self._known: dict[str, Secret] = {}
        self._extracted: dict[str, Secret] = {}
        self._all: tuple[Secret, ...] = ()

    def get(self, name: str) -> Secret:
        """The secret called `name`. Read anew each time, so that a rotated one is found. Raises `SecretMissing`."""
        looked: list[str] = []
        value = self._from_environment(name, looked)
        if value is None:
            value = self._from_credential(name, looked)
        if value is None:
            value = self._from_file(name, looked)
        if value is None and self._env_file is not None:
            looked.append(f"file {self._env_file}")
            value = _from_lines(self._env_file, name)
        if value is None:
            raise SecretMissing(f"secrets.{name}", f"secret {name!r} was not found; looked for {', '.join(looked)}")
        if len(value) < MIN_LENGTH:
            raise SecretMissing(
                f"secrets.{name}", f"secret {name!r} is shorter than {MIN_LENGTH} characters and could not be kept out of outputs; use a longer one"
            )
        if value not in self._known:
            self._known[value] = Secret(name, value)
            self._all = (*self._known.values(), *self._extracted.values())
        return self._known[value]

    def remember(self, name: str, value: str) -> Secret:
        """Take `value`, such as a token extracted on the way, for a secret from now on. Only the newest of these are kept. Returns it wrapped."""
        secret = self._extracted.pop(value, None) or Secret(name, value)
        if secret in self._all:
            # The newest again, but nothing new: whoever watches `known()` has nothing to do.
            self._extracted[value] = secret
        elif len(value) >= MIN_LENGTH and value not in self._known:
            self._extracted[value] = secret
            while len(self._extracted) > MAX_EXTRACTED:
                del self._extracted[next(iter(self._extracted))]
            self._all = (*self._known.values(), *self._extracted.values())
        return secret

    def known(self) -> tuple[Secret, ...]:
        """Every secret given out so far, the rotated ones included; the same tuple until there is another."""
        return self._all

    def _from_environment(self, name: str, looked: list[str]) -> str | None:
        variable = f"SOJOURN_SECRET_{name.upper()}"
        looked.append(f"${variable}")
        return self._environ.get(variable) or None

    def _from_credential(self, name: str, looked: list[str]) -> str | None:
        if self._credentials_dir is None:
            looked.append("no systemd credentials ($CREDENTIALS_DIRECTORY is not set)")
            return None
        path = self._credentials_dir / name
        looked.append(f"systemd credential {path}")
        return _read(path)

    def _from_file(self, name: str, looked: list[str]) -> str | None:
        path = self._files.get(name)
        if path is None:
            looked.append("secrets: of agent.yaml (not named there)")
            return None
        looked.append(f"file {path} (secrets: of agent.yaml)")
        return _read(path)


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError:
        return None
    if len(raw) > MAX_BYTES:
        return None
    # Editors and `echo` end files with a newline that is no part of the secret.
    return raw.decode("utf-8", "replace").rstrip("\r\n") or None


def _from_lines(path: Path, name: str) -> str | None:
    """The value of `name` or `SOJOURN_SECRET_<NAME>` in a file of `NAME=value` lines. Raises `SecretMissing` when others may read the file."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretMissing(f"secrets.{name}", f"{path} can be read by others (mode {stat.S_IMODE(mode):04o}) and is not used; run chmod 600 {path}")
    text = _read(path)
    if text is None:
        return None
    from dotenv import dotenv_values  # only where such a file is used

    found = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return found.get(name) or found.get(f"SOJOURN_SECRET_{name.upper()}") or None
