"""JUnit XML, as CI systems read it: a suite for each journey, a case for each step of the attempt that decided."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as Xml

from sojourn_probes.output.walked import Walked, seconds
from sojourn_probes.result import Failure, StepResult
from sojourn_probes.semconv import Outcome

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def runs(walked: Sequence[Walked]) -> str:
    """The whole document."""
    root = Xml.Element("testsuites", name="sojourn")
    repeats: Counter[str] = Counter()
    for one in walked:
        repeats[one.result.journey_id] += 1
        _suite(root, one, repeats[one.result.journey_id])
    for total in ("tests", "failures", "errors"):
        root.set(total, str(sum(int(suite.get(total, "0")) for suite in root)))
    root.set("time", f"{sum(seconds(one.result.started_ns, one.result.ended_ns) for one in walked):.3f}")
    Xml.indent(root)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{Xml.tostring(root, encoding="unicode")}\n'


def _suite(root: Xml.Element, walked: Walked, repeat: int) -> None:
    result = walked.result
    of_none = result.failure is not None and result.failure.step is None
    count = {outcome: sum(step.outcome is outcome for step in walked.steps) for outcome in Outcome}
    suite = Xml.SubElement(root, "testsuite")
    values = {
        "name": result.journey_id,
        "tests": len(walked.steps) + of_none,
        "failures": count[Outcome.FAILED],
        "errors": count[Outcome.INCONCLUSIVE] + of_none,
        "skipped": count[Outcome.SKIPPED],
        "time": f"{seconds(result.started_ns, result.ended_ns):.3f}",
        "timestamp": datetime.fromtimestamp(result.started_ns / 1e9, UTC).isoformat(timespec="seconds"),
        "hostname": result.location,
        "file": walked.file,
    }
    suite.attrib = {name: _clean(str(value)) for name, value in values.items()}
    properties = Xml.SubElement(suite, "properties")
    facts = {"outcome": result.outcome, "flaky": str(result.flaky).lower(), "attempts": len(result.attempts), "repeat": repeat}
    for name, value in (facts | {"run_id": result.run_id, "trace_id": result.trace_id}).items():
        Xml.SubElement(properties, "property", name=name, value=_clean(str(value)))
    for step in walked.steps:
        _case(suite, walked, step)
    if result.failure is not None and result.failure.step is None:
        case = Xml.SubElement(suite, "testcase", name=_clean(result.journey_id), classname=_clean(result.journey_id))
        _failed(case, "error", result.failure)


def _case(suite: Xml.Element, walked: Walked, step: StepResult) -> None:
    time = f"{seconds(step.started_ns, step.ended_ns):.3f}"
    case = Xml.SubElement(suite, "testcase", name=_clean(step.name), classname=_clean(walked.result.journey_id), time=time, file=_clean(walked.file))
    case.set("line", str(walked.line_of(step.id)))
    if step.outcome is Outcome.SKIPPED:
        Xml.SubElement(case, "skipped", message=step.note or "an earlier step failed")
    elif step.failure is not None:
        _failed(case, "error" if step.outcome is Outcome.INCONCLUSIVE else "failure", step.failure)
    for earlier in walked.result.attempts[:-1]:
        for tried in earlier.steps:
            if tried.id == step.id and tried.failure is not None and step.failure is None:
                _failed(case, "flakyFailure", tried.failure)
    said = [f"{'met' if one.met else 'not met'}: {one.text} ({one.kind}), actual {one.actual}" for one in step.expectations]
    if step.note and step.outcome is not Outcome.SKIPPED:
        said.append(f"note: {step.note}")
    if said:
        Xml.SubElement(case, "system-out").text = _clean("\n".join(said))


def _failed(case: Xml.Element, tag: str, failure: Failure) -> None:
    Xml.SubElement(case, tag, message=_clean(failure.message), type=str(failure.kind)).text = _clean(failure.message)


def _clean(text: str) -> str:
    """`text` without characters that XML 1.0 does not allow."""
    return _NOT_XML.sub("�", text)
