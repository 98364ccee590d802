"""The pages under docs/reference/: every key of a journey file from its JSON Schema, every command from the program itself."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import typer

from sojourn_probes.cli import app
from sojourn_probes.expectation import ALLOWED, COMPARISONS, EVERY, SOURCES, Holds
from sojourn_probes.naming import ID_PATTERN, NAME_PATTERN
from sojourn_probes.schema import journey_schema
from sojourn_probes.steps import KINDS
from sojourn_probes.units import DURATION_PATTERN, MONEY_PATTERN, SIZE_PATTERN, write_duration

MADE = "Made from the models by `make schema`; do not edit."
SHAPES = {
    DURATION_PATTERN: "duration",
    SIZE_PATTERN: "size",
    MONEY_PATTERN: "sum of money",
    ID_PATTERN: "id",
    NAME_PATTERN: "name",
}
"""What a text of a known shape is called."""

STEP = "steps[]"
FOLDED = 6
"""How many keys a model must have to be named instead of repeated."""

UNITS = [
    "A duration is written with `ms`, `s`, `m`, `h` or `d`, a size with `B`, `KB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`, a sum of money as `62 EUR`. A text",
    "may hold names, such as `${vars.x}`. Unknown keys are refused, and so are keys without a value.",
]

WORDS = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "object": "map", "array": "list", "null": "nothing"}


class Keys:
    """The page of a journey's keys: a section for each model, in the order in which a reader comes to them."""

    def __init__(self) -> None:
        self.schema = journey_schema()
        self.models: dict[str, Any] = self.schema["$defs"]
        self.sections: dict[str, str] = {}
        """Name of a model → the key under which it is first met."""
        # What stands under defaults is a part of the kinds, and called after them; setup and cleanup have steps like `steps`.
        own = {key: item for key, item in self.schema["properties"].items() if key not in ("defaults", "setup", "cleanup")}
        self.find({"properties": own}, "")
        self.find(self.schema, "")

    def find(self, node: Any, path: str) -> None:
        """Remember the models that `node` names, the near ones before the far."""
        met = [(where, name) for where, name in self.named_in(node, path) if name not in self.sections and self.is_section(name)]
        for where, name in met:
            self.sections.setdefault(name, where)
        for where, name in met:
            if self.sections[name] == where:
                self.find(self.models[name], where)

    def named_in(self, node: Any, path: str) -> Iterator[tuple[str, str]]:
        """Where under `path` which models are named."""
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            if self.is_section(name):
                yield path, name
            else:
                yield from self.named_in(self.models[name], path)
        for key, item in node.get("properties", {}).items():
            # The kinds of a step are called by their own names: `http.auth`, not `steps[].http.auth`.
            yield from self.named_in(item, key if not path or (path == STEP and key in KINDS) else f"{path}.{key}")
        for item in (*node.get("anyOf", ()), *node.get("oneOf", ())):
            yield from self.named_in(item, path)
        if isinstance(node.get("items"), dict):
            yield from self.named_in(node["items"], f"{path}[]")
        for item in (*node.get("patternProperties", {}).values(), node.get("additionalProperties")):
            if isinstance(item, dict):
                yield from self.named_in(item, f"{path}.<name>")

    def is_section(self, name: str) -> bool:
        """Whether a model has keys of its own and so gets a table."""
        return "properties" in self.models[name]

    def page(self) -> str:
        """The whole page."""
        lines = ["# The journey file, key by key", "", f"{MADE} The guide is [journeys.md](../journeys.md).", "", *UNITS, ""]
        lines += ["## The journey", "", *self.table(self.schema), ""]
        for name, where in sorted(self.sections.items(), key=lambda item: group(item[1])):
            kind = where.removesuffix("[]")
            title = f"## `{kind}` steps" if kind in KINDS else f"## `{where}`" if where == STEP else f"### `{where}`"
            lines += [f'<a id="{anchor(where)}"></a>', "", title, "", *self.about(name), *self.table(self.models[name], self.within(name)), ""]
        return "\n".join([*lines, *self.plain_kinds(), *expectations()]) + "\n"

    def plain_kinds(self) -> list[str]:
        """A section for each kind whose part has no keys but is a value."""
        step = self.models[next(name for name, where in self.sections.items() if where == STEP)]["properties"]
        lines: list[str] = []
        for kind in KINDS:
            if kind not in (where.removesuffix("[]") for where in self.sections.values()):
                name = step[kind]["$ref"].rpartition("/")[2] if "$ref" in step[kind] else ""
                said = self.models.get(name, {}).get("description", "")
                lines += [f'<a id="{anchor(kind)}"></a>', "", f"## `{kind}` steps", "", f"{said} The value is a {self.words(step[kind])}.".strip(), ""]
        return lines

    def within(self, name: str) -> str | None:
        """A model whose keys this one has all, so that they need not be said again."""
        own = self.models[name]["properties"]
        for other in self.sections:
            theirs = self.models[other]["properties"]
            if FOLDED <= len(theirs) < len(own) and all(own.get(key) == item for key, item in theirs.items()):
                return other
        return None

    def about(self, name: str) -> list[str]:
        """The first paragraph of what a model says of itself."""
        said = self.models[name].get("description", "").split("\n\n")[0]
        return [" ".join(said.replace("``", "`").split()), ""] if said else []

    def table(self, model: Any, within: str | None = None) -> list[str]:
        """A row for each key that `within` has not."""
        folded = self.models[within]["properties"] if within else {}
        rows = [f"The keys of [`{self.sections[within]}`](#{anchor(self.sections[within])}), and:", ""] if within else []
        rows += ["| key | value | default | meaning |", "|---|---|---|---|"]
        needed = model.get("required", ())
        for key, item in model["properties"].items():
            if key in folded:
                continue
            default = "*needed*" if key in needed else self.default(item)
            rows.append(f"| `{key}` | {self.words(item)} | {default} | {cell(item.get('description', ''))} |")
        return rows

    def default(self, item: Any) -> str:
        """A default as one would write it."""
        if "default" not in item or item["default"] in (None, "", [], {}):
            return "–"
        value = item["default"]
        if item.get("pattern") == DURATION_PATTERN:
            return f"`{write_duration(value)}`"
        return f"`{str(value).lower() if isinstance(value, bool) else value}`"

    def words(self, node: Any) -> str:
        """What a value is, as a reader of YAML would say it."""
        if "$ref" in node:
            name = node["$ref"].rpartition("/")[2]
            if name in self.sections:
                return f"[map](#{anchor(self.sections[name])})"
            return self.words(self.models[name]) if self.models[name] else "any value"
        if ways := (node.get("anyOf") or node.get("oneOf")):
            return joined(self.words(way) for way in ways)
        if "enum" in node or "const" in node:
            words = [str(word).lower() if isinstance(word, bool) else str(word) for word in node.get("enum", [node.get("const")])]
            return " ".join(f"`{word}`" for word in dict.fromkeys(words))
        if "pattern" in node:
            return SHAPES.get(node["pattern"], "text")
        kind = node.get("type", "")
        if kind == "array":
            return f"list of {self.words(node['items'])}{bounds(node)}" if isinstance(node.get("items"), dict) else f"list{bounds(node)}"
        if kind == "object":
            inner = next((item for item in (*node.get("patternProperties", {}).values(), node.get("additionalProperties")) if isinstance(item, dict)), None)
            return "map" if inner is None else f"map of name to {self.words(inner)}"
        return f"{WORDS.get(kind, 'any value')}{bounds(node)}"


def joined(words: Iterable[str]) -> str:
    """`a` `b` or text: alternatives, words to choose from beside each other and each once."""
    found = list(dict.fromkeys(words))
    chosen = [word for one in found if one.startswith("`") for word in one.split(" ")]
    rest = [one for one in found if not one.startswith("`")]
    return " or ".join([*([" ".join(dict.fromkeys(chosen))] if chosen else []), *rest])


def group(where: str) -> int:
    """Sections of the journey come first, then those of the step, then those of the kinds in the order of their list."""
    head = re.split(r"[.\[]", where)[0]
    return 1 if head == "steps" else 2 + list(KINDS).index(head) if head in KINDS else 0


def cell(text: str) -> str:
    """A text as it may stand in a table: what looks like HTML is none."""
    parts = " ".join(text.split()).replace("|", "\\|").split("`")
    return "`".join(part if number % 2 else part.replace("<", "&lt;") for number, part in enumerate(parts))


def bounds(node: Any) -> str:
    """Limits of a number or of a list's length."""
    low, high = node.get("minimum", node.get("minItems")), node.get("maximum", node.get("maxItems"))
    if low is None and high is None:
        return ""
    if high is None:
        return f", at least {low}" if low else ""
    return f", {low} to {high}" if low is not None else f", at most {high}"


def anchor(where: str) -> str:
    """A link's target for a key."""
    return re.sub(r"[^a-z0-9]+", "-", where.lower()).strip("-")


def expectations() -> list[str]:
    """The section of what expectations can look at."""
    lines = [
        "## Expectations",
        "",
        "`[not] SOURCE [PROPERTY] [not] COMPARISON [TARGET]`, for `expect` and `degraded_if`. Comparisons, each with `not` before it if need be:",
        " ".join(f"`{one}`" for one in COMPARISONS) + ".",
        "",
    ]
    lines += ["| source | seen by | holds | comparisons |", "|---|---|---|---|"]
    for name, source in SOURCES.items():
        kinds = "all" if source.kinds == EVERY else ", ".join(kind for kind in KINDS if kind in source.kinds)
        word = f"`{name} <…>`: {cell(source.property_name)}" if source.property_name else f"`{name}`"
        lines.append(f"| {word} | {kinds} | {source.holds} | {comparisons(source.holds)} |")
        for fact, holds in (source.facts or {}).items():
            lines.append(f"| `{name}.{fact}` | {kinds} | {holds} | {comparisons(holds)} |")
    return lines


def comparisons(holds: Holds) -> str:
    """Which comparisons fit a kind of value."""
    return "all" if set(ALLOWED[holds]) == set(COMPARISONS) else " ".join(f"`{one}`" for one in ALLOWED[holds])


def commands() -> str:
    """The page of the command `sojourn`."""
    lines = ["# The command `sojourn`", "", "Made from the program by `make schema`; do not edit. Words in capitals stand for yours.", ""]
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        said, _, example = command.help.partition("Example: ")
        arguments = [one for one in command.params if one.param_type_name == "argument"]
        options = [one for one in command.params if one.param_type_name == "option"]
        usage = " ".join((one.metavar or str(one.name).upper()) + ("…" if one.nargs == -1 else "") for one in arguments)
        usage = " ".join(f"[{word}]" if not one.required else word for word, one in zip(usage.split(), arguments, strict=True))
        lines += [
            f"## `sojourn {name}`",
            "",
            *paragraphs(said),
            "```sh",
            f"sojourn {name}{' [OPTIONS]' if options else ''}{' ' if usage else ''}{usage}",
            "```",
            "",
        ]
        rows = [(f"`{one.metavar or str(one.name).upper()}`", one.help) for one in arguments] + [(option_words(one), one.help) for one in options]
        if rows:
            lines += ["| | |", "|---|---|", *(f"| {word} | {cell(text or '')} |" for word, text in rows), ""]
        lines += [f"Example: `{' '.join(example.split())}`", ""] if example else []
    lines += ["`sojourn --install-completion` teaches your shell to complete commands, options and their words.", ""]
    return "\n".join(lines)


def paragraphs(text: str) -> list[str]:
    """Paragraphs without the line breaks of the source."""
    return [line for part in text.strip().split("\n\n") for line in (" ".join(part.split()), "")]


def option_words(option: Any) -> str:
    """`--output`, `-o` with the word it takes."""
    names = ", ".join(f"`{name}`" for name in option.opts)
    return f"{names} {option.metavar.replace('|', '&#124;')}" if option.metavar else names


def journey() -> str:
    """The page of keys."""
    return Keys().page()
