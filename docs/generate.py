"""Writes the pages that are made from the code: docs/telemetry.md and docs/metrics.md (names), docs/configuration.md (keys) and docs/reference/.

Run: python docs/generate.py            writes all
     python docs/generate.py --check    writes nothing, exit 1 when one is stale
"""

import ast
import sys
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import metrics_page
import reference_pages
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sojourn_agent.config import AgentConfig
from sojourn_collector.config import CollectorConfig, ImpactConfig
from sojourn_probes import semconv

HERE = Path(__file__).parent
CONFIGS = (
    ("agent.yaml", "The agent", AgentConfig),
    ("collector.yaml", "The collector", CollectorConfig),
    ("impact.yaml", "Windows and worth", ImpactConfig),
)
PLAIN = {
    "str": "text",
    "int": "number",
    "float": "number",
    "bool": "true/false",
    "Path": "path",
    "list": "list",
    "tuple": "list",
    "dict": "mapping",
    "Decimal": "amount",
}


def telemetry() -> str:
    """The page of names: closed lists of words, then every constant of semconv.py with the text under it."""
    lines = ["# Telemetry", "", "Made from `probes/sojourn_probes/semconv.py` by `make schema`; do not edit.", ""]
    lines += [
        "A synthetic run is one trace: a root span `journey <id>`, a child `step <id>` for each step, a CLIENT span for each exchange with a server,",
        "one span event per expectation. What a real browser does arrives as spans (page views, actions, fetches) and log records (events below).",
        "",
    ]
    tree = ast.parse(Path(semconv.__file__).read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            words = [str(part.value.value) for part in node.body if isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant)]
            lines += [f"**{node.name}** · {ast.get_docstring(node)}", "", " · ".join(f"`{word}`" for word in words), ""]
    lines += ["| name | constant | meaning |", "|---|---|---|"]
    for here, after in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(here, ast.AnnAssign) and isinstance(here.target, ast.Name) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            value = getattr(semconv, here.target.id)
            shown = value if isinstance(value, str) else ", ".join(value)
            lines.append(f"| `{shown}` | `{here.target.id}` | {' '.join(str(after.value.value).split())} |")
    return "\n".join(lines) + "\n"


def type_words(annotation: Any) -> str:
    """A type as a reader of YAML would say it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    if get_origin(annotation) is Annotated:
        return type_words(get_args(annotation)[0])
    arguments = [part for part in get_args(annotation) if part is not NoneType]
    name = getattr(annotation, "__name__", str(annotation))
    if name == "Literal":
        return " or ".join(f"`{part}`" for part in arguments)
    return PLAIN.get(name, " or ".join(dict.fromkeys(type_words(part) for part in arguments)) if arguments else name)


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models nested in an annotation, through lists, mappings and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def default_words(field: FieldInfo) -> str:
    """A default as YAML; empty when the key is needed."""
    if field.is_required():
        return "*needed*"
    value = field.get_default(call_default_factory=True) if field.default_factory is None else None
    if value is None or isinstance(value, (BaseModel, dict, list, tuple)):
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def rows(model: type[BaseModel], prefix: str = "") -> list[str]:
    """One table row per key, nested keys dotted."""
    out = []
    for key, field in model.model_fields.items():
        name = f"{prefix}{field.alias or key}"
        out.append(f"| `{name}` | {type_words(field.annotation)} | {default_words(field)} | {' '.join((field.description or '').split())} |")
        for nested in models_in(field.annotation):
            inner = ".<name>." if "dict" in str(field.annotation) else "[]." if "list" in str(field.annotation) or "tuple" in str(field.annotation) else "."
            out += rows(nested, name + inner)
    return out


def configuration() -> str:
    """The page of keys, one table per file."""
    lines = [
        "# Configuration",
        "",
        "Made from the models by `make schema`; do not edit. Unknown keys are refused. Paths are relative to their file.",
        "",
    ]
    for file, title, model in CONFIGS:
        lines += [f"## {title}: `{file}`", "", "| key | value | default | meaning |", "|---|---|---|---|", *rows(model), ""]
    return "\n".join(lines)


PAGES = {
    "telemetry.md": telemetry,
    "metrics.md": metrics_page.metrics,
    "configuration.md": configuration,
    "reference/journey.md": reference_pages.journey,
    "reference/command.md": reference_pages.commands,
}
"""Every page that is made, by its place under docs/."""


def main() -> int:
    """Write or check all pages."""
    stale = False
    for name, made in PAGES.items():
        path, text = HERE / name, made()
        if path.exists() and path.read_text() == text:
            continue
        stale = True
        if "--check" in sys.argv:
            sys.stderr.write(f"{path.name} is stale: run make schema\n")
        else:
            path.write_text(text)
    return int(stale and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
