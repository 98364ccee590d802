"""What a failed step got as its answer, kept as evidence: status, headers and the beginning of the body; bounded, and without secrets."""

import asyncio
import re
from pathlib import Path
from typing import Final

from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.browser_har import MASKED

MAX_BODY: Final = 64 * 1024
"""Characters of the body that are kept."""
_ODD = re.compile(r"[^A-Za-z0-9._-]")


async def keep_answer(observation: Observation, context: StepContext) -> None:
    """Write the answer into the evidence folder and note its id under `answer`. Nothing without a folder, or without an answer."""
    facts = observation.facts
    if context.evidence_folder is None or not isinstance(facts.get("body"), str) or "text" in facts:
        return
    name = _ODD.sub("_", f"{context.run_id}-{context.attempt}-{context.step_id}-answer.txt")
    path = context.evidence_folder / name
    try:
        await asyncio.to_thread(_write, path, observation, context)
    except OSError as fault:
        observation.note = observation.note or f"the answer could not be kept: {fault.strerror}"
    else:
        observation.evidence["answer"] = name


def _write(path: Path, observation: Observation, context: StepContext) -> None:
    facts, redact = observation.facts, context.redact
    last = observation.exchanges[-1] if observation.exchanges else None
    lines = [] if last is None else [f"{last.method} {redact.url(last.url)}"]
    if "status" in facts:
        lines.append(f"status {facts['status']}")
    lines += [f"{key}: {'[redacted]' if key.lower() in MASKED else redact.text(str(value))}" for key, value in facts.get("headers", {}).items()]
    body: str = facts["body"]
    # First redact, then cut: half a secret would not be recognised any more.
    shown = redact.text(body[: MAX_BODY * 2])[:MAX_BODY]
    more = f"\n\n(cut; the answer has {len(body)} characters)" if len(body) > MAX_BODY else ""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, "", shown]) + more + "\n", encoding="utf-8", errors="replace")
