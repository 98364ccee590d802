"""The metrics page as a Prometheus reads it, in both formats."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from sojourn_collector.counters import Counters
from sojourn_collector.exposition import Exemplar, Histogram, Sample, render, wants_open_metrics
from sojourn_collector.metric_names import ALL, DURATIONS

TRACE = "0af7651916cd43dd8448eb211c80319c"
WHERE = {"journey": "checkout", "traffic": "synthetic", "location": "eu"}


def samples() -> list[Sample]:
    """One of each kind, with an exemplar where there may be one."""
    took = Histogram()
    took.observe(0.3, Exemplar({"trace_id": TRACE}, 0.3, 1700000000.5))
    took.observe(7000.0)
    return [
        Sample("sojourn_engine_up", {}, 1),
        Sample("sojourn_journey_runs", {**WHERE, "outcome": "failed"}, 3, Exemplar({"trace_id": TRACE}, 1, 1700000000.0)),
        Sample("sojourn_journey_run_duration_seconds", WHERE, took),
    ]


def test_prometheus_reads_its_own_format():
    """Format 0.0.4: counters end in _total, histograms are cumulative, there are no exemplars, and every family of the list has its help."""
    found = {family.name: family for family in plain_text(render(samples(), open_metrics=False))}
    assert {family.name for family in ALL} == set(found)
    assert found["sojourn_journey_runs"].samples[0].value == 3
    assert found["sojourn_journey_runs"].samples[0].name == "sojourn_journey_runs_total"
    buckets = [sample.value for sample in found["sojourn_journey_run_duration_seconds"].samples if sample.name.endswith("_bucket")]
    assert buckets == [0] * 3 + [1] * (len(DURATIONS) - 3) + [2]
    assert found["sojourn_engine_up"].documentation == "1 while the engine answers."


def test_open_metrics_has_exemplars():
    """OpenMetrics 1.0: the newest failing run and a run of each bucket are named by their trace."""
    found = {family.name: family for family in open_metrics(render(samples(), open_metrics=True))}
    runs = found["sojourn_journey_runs"].samples[0]
    assert (runs.exemplar.labels, runs.exemplar.value, float(runs.exemplar.timestamp)) == ({"trace_id": TRACE}, 1, 1700000000.0)
    (bucket,) = [sample for sample in found["sojourn_journey_run_duration_seconds"].samples if sample.exemplar]
    assert (bucket.labels["le"], bucket.exemplar.labels) == ("0.5", {"trace_id": TRACE})


@given(st.text(max_size=60))
def test_any_label_survives(text: str):
    """Whatever a journey is called, both formats give its name back."""
    page = [Sample("sojourn_journey_ends", {"journey": text, "end": "stopped"}, 1)]
    for read, wanted in ((plain_text, False), (open_metrics, True)):
        (sample,) = [sample for family in read(render(page, open_metrics=wanted)) for sample in family.samples]
        assert sample.labels["journey"] == text


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.7,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", True),
        ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.6", False),
        ("application/openmetrics-text;version=9.9", False),
        ("application/openmetrics-text;q=none, ;;,=", False),
    ],
)
def test_the_format_follows_the_accept_header(accept: str, wanted: bool):
    """OpenMetrics for who prefers it, as Prometheus does; its own text for everybody else."""
    assert wants_open_metrics(accept) is wanted


def test_a_counter_is_there_before_it_counts():
    """Label sets that are known begin at 0, so that the first dead letter is an increase; names and labels outside the list are refused."""
    counters = Counters()
    found = {(sample.name, tuple(sample.labels.items())): sample.value for sample in counters.samples()}
    assert found["sojourn_dead_letters", (("signal", "traces"),)] == 0
    for name, labels in (("sojourn_nothing", {}), ("sojourn_dead_letters", {"other": "x"}), ("sojourn_engine_up", {})):
        with pytest.raises(KeyError):
            counters.add(name, 1, **labels)


def test_names_keep_the_rules():
    """Names are unique, say their unit, and end neither in _total nor in what Prometheus makes of histograms."""
    assert len({family.name for family in ALL}) == len(ALL)
    for family in ALL:
        assert family.name.startswith("sojourn_")
        assert not family.name.endswith(("_total", "_bucket", "_sum", "_count", "_created"))
        assert family.kind != "histogram" or family.name.endswith("_seconds")
