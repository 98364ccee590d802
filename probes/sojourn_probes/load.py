"""Journey files into journeys, with every error at its line. Needs no environment and no secrets."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from sojourn_probes.across import across, unknown_locations
from sojourn_probes.beside import contents_beside
from sojourn_probes.defaults_file import FILE_NAME, DefaultsFile, read_defaults
from sojourn_probes.errors import JourneyFileError, NameMissing, Problem, SecretMissing
from sojourn_probes.journey import Journey
from sojourn_probes.names import HoldsSecrets, references_in
from sojourn_probes.problems import of_breach, sentences
from sojourn_probes.rules import breaches, empty_keys
from sojourn_probes.schema_files import bad_schemas
from sojourn_probes.yaml_core import MAX_BYTES, Document, YamlFault, read

ASIDE: Final = "x-"
"""Keys at the top that begin so are the author's own, a place for anchors."""

SUFFIXES: Final = (".yaml", ".yml")
"""Names of journey files end with one of these."""


def load_file(path: Path) -> Journey:
    """The journey in the file `path`, with the `defaults.yaml` beside it. Raises `JourneyFileError` with all that is wrong with it."""
    path = Path(path)
    return load_text(_text(path), path, read_defaults(path.parent))


def load_text(text: str, path: Path, shared: DefaultsFile | None = None) -> Journey:
    """The journey in `text`, as read from the file `path`; `shared` is the folder's `defaults.yaml`. Raises `JourneyFileError`."""
    file = str(path)
    try:
        document = read(text)
    except YamlFault as fault:
        raise JourneyFileError([Problem(file, fault.line, fault.col, fault.key, str(fault))]) from None
    if not isinstance(document.data, dict):
        raise JourneyFileError([Problem(file, 1, 1, "", "is no journey; it begins with id: and steps:, and `sojourn init` writes one to begin with")])
    document.data = {key: value for key, value in document.data.items() if not key.startswith(ASIDE)}
    if shared is not None:
        document = shared.under(document)
    journey = _validated(document, file)
    journey.read_from(path, dict(document.values), dict(document.origin))
    journey.made_of(contents_beside(journey))
    if broken := list(bad_schemas(journey)):
        raise JourneyFileError([of_breach(breach, document, file) for breach in broken])
    if shared is not None and (problems := list(unknown_locations(journey, shared.known_locations))):
        raise JourneyFileError(problems)
    return journey


def load_folder(path: Path) -> list[Journey]:
    """Every journey in the folder `path` (*.yaml and *.yml, not below it), sorted by id.

    Raises `JourneyFileError` with the problems of all files together; two files with the same id are one.
    """
    path = Path(path)
    if not path.is_dir():
        raise JourneyFileError([Problem(str(path), 1, 1, "", "is no folder; name the one with your journey files")])
    journeys: list[Journey] = []
    problems: list[Problem] = []
    shared = read_defaults(path)
    for file in files_in(path):
        try:
            journeys.append(load_text(_text(file), file, shared))
        except JourneyFileError as error:
            problems.extend(problem for problem in error.problems if problem not in problems)
    # A journey that could not be read may be the very one that others depend on.
    problems.extend(across(journeys, complete=not problems))
    if problems:
        raise JourneyFileError(problems)
    return sorted(journeys, key=lambda journey: journey.id)


def files_in(folder: Path) -> list[Path]:
    """The journey files of `folder`, sorted by name; `defaults.yaml` is none."""
    return [file for file in watched_in(folder) if file.name != FILE_NAME]


def watched_in(folder: Path) -> list[Path]:
    """The files of `folder` that decide what its journeys are: theirs and `defaults.yaml`, sorted by name."""
    return sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES and file.is_file() and not file.name.startswith("."))


def missing_names(journey: Journey, environ: Mapping[str, str], secrets: HoldsSecrets) -> list[Problem]:
    """What in `journey` cannot be filled here: environment variables not set, secrets not found. Once for each name."""
    problems: dict[str, Problem] = {}
    for path, value in _texts(journey.model_dump(mode="json", by_alias=True, exclude_unset=True), ()):
        for reference in references_in(value):
            message = _missing(reference.parts, environ, secrets)
            if message and reference.text not in problems:
                line, col = journey.place_of(path)
                problems[reference.text] = Problem(journey.file_of(path), line, col, f"${{{reference.text}}}", message)
    return sorted(problems.values(), key=lambda problem: (problem.line, problem.col))


def _missing(parts: tuple[str, ...], environ: Mapping[str, str], secrets: HoldsSecrets) -> str | None:
    if parts[:1] == ("env",) and parts[1] not in environ:
        return f"environment variable {parts[1]} is not set; export it before the start"
    if parts[:1] in (("secrets",), ("totp",)):
        try:
            secrets.get(parts[1])
        except (SecretMissing, NameMissing) as fault:
            return str(fault)
    return None


def _texts(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def _text(path: Path) -> str:
    def problem(message: str) -> JourneyFileError:
        return JourneyFileError([Problem(str(path), 1, 1, "", message)])

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise problem("is not there; `sojourn init` writes one to begin with") from None
    except IsADirectoryError:
        raise problem("is a folder; name a file in it") from None
    except OSError as fault:
        raise problem(f"cannot be read: {fault.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise problem(f"is larger than {MAX_BYTES // 1024} KiB; a journey should be a page or two")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw[: fault.start].count(b"\n") + 1
        raise JourneyFileError([Problem(str(path), line, 1, "", "is not UTF-8; save it as UTF-8")]) from None


def _validated(document: Document, file: str) -> Journey:
    try:
        journey = Journey.model_validate(document.data)
    except ValidationError as error:
        raise JourneyFileError(sentences(error, Journey, document, file)) from None
    # What is empty comes first: most other rules would only complain about its consequences.
    broken = list(empty_keys(journey)) or list(breaches(journey, document.data))
    if broken:
        found = [of_breach(breach, document, file) for breach in broken]
        raise JourneyFileError(sorted(found, key=lambda problem: (problem.line, problem.col)))
    return journey
