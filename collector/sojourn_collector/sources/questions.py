"""Answers to the questions of a survey become feedback: one row a question, with the free text beside the one question that has a scale."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sojourn_collector.sources.joins import about
from sojourn_collector.sources.webhook import Change
from sojourn_collector.sources_config import Question, SourceSettings


def asked(question: Question, value: Any, text: str) -> dict[str, Any]:
    """What was answered to a question that collector.yaml describes."""
    of = {key: said for key, said in (("journey", question.journey), ("step", question.step)) if said}
    if question.kind == "text":
        return {"kind": "text", "comment": text, **of}
    scale = {} if question.kind == "nps" else {"scale_min": question.scale_min, "scale_max": question.scale_max, "higher_is_better": question.higher_is_better}
    return {"kind": question.kind, "value": value, **scale, **of}


def answered(
    response: str, time: datetime, base: Mapping[str, Any], answers: Sequence[tuple[str, Mapping[str, Any]]], settings: SourceSettings
) -> list[Change]:
    """Rows of feedback of one response: by the question's id and what was answered. `base` is what they have in common.

    Where it says whether they are `partial`, a response is told whole each time. While it is partial, words without a score are left out: they may belong
    to one that follows.
    """
    given = [(ident, said) for ident, said in answers if said.get("value") is not None or said.get("comment")]
    scaled = [one for one in given if one[1]["kind"] != "text"]
    texts = [one for one in given if one[1]["kind"] == "text"]
    if len(scaled) == 1 and texts:
        ident, said = scaled[0]
        scaled = [(ident, {**said, "comment": "\n".join(str(one["comment"]) for _, one in texts)})]
        texts = []
    kept, whole = scaled if base.get("partial") else [*scaled, *texts], "partial" in base
    return [Change("feedback", f"{response}:{ident}", time, {**about(settings), **base, "question_id": ident, **said}, whole=whole) for ident, said in kept]
