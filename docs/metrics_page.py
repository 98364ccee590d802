"""The page of metric names, made from the lists of both processes."""

from sojourn_agent import metric_names as agent
from sojourn_collector import metric_names as collector


def metrics() -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "Made from `collector/sojourn_collector/metric_names.py` and `agent/sojourn_agent/metric_names.py` by `make schema`; do not edit.",
        "",
        "These names and labels are an API: within a major version none is renamed, dropped or given another meaning; new ones may come.",
        "Alerts and a dashboard that use them, and how a scrape is set up: [outward.md](outward.md).",
        "",
        "- **Counters** (`_total`) begin at 0 when the process does and only grow; `rate` and `increase` see through a restart.",
        "- **Histograms** have the classic `_bucket`, `_sum` and `_count`, with the edges "
        + ", ".join(f"{edge:g}" for edge in collector.DURATIONS)
        + " seconds.",
        "- **Exemplars** (`trace_id`) come with OpenMetrics: the newest failing run of a counter, a run of each bucket.",
        "  `/traces/<trace_id>` of the report shows it.",
        "- **Bounds**: at most 1000 combinations of journey, traffic and location, and of journey, traffic and step; runs beyond are counted",
        "  under `other`. No label holds anything of a person.",
        "",
        "## The collector, `127.0.0.1:8400/metrics`",
        "",
    ]
    for part, title in collector.PARTS.items():
        rows = [f"| `{family.shown}` | {family.kind} | {_labels(family.labels)} | {_cell(family.help)} |" for family in collector.ALL if family.part == part]
        lines += [f"### {title}", "", "| name | kind | labels | meaning |", "|---|---|---|---|", *rows, ""]
    lines += ["## The agent, `127.0.0.1:8411/metrics`", "", "| name | kind | labels | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {'counter' if name.endswith('_total') else 'gauge'} | {_labels(one.labels)} | {_cell(one.help)} |" for name, one in agent.ALL.items()
    ]
    return "\n".join(lines) + "\n"


def _labels(labels: tuple[str, ...]) -> str:
    return " ".join(f"`{label}`" for label in labels) or "–"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
