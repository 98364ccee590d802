"""CSAT of all who were asked about a journey, those who kept silent included."""

from sojourn_collector.web.chapters.told import Figure, Told, broken, facts
from sojourn_collector.web.format import part
from sojourn_collector.web.models_measures import CorrectedCsatAnswer

ANSWER = CorrectedCsatAnswer


def tell(answer: CorrectedCsatAnswer) -> Told:
    """Of one journey."""
    silent = answer.reason if answer.share is None else ""
    rows = [
        ("satisfied, corrected for who answers", Figure(answer.share, "share", answer.low, answer.high, answer.invited, why=silent)),
        ("satisfied, of those who answered", Figure(answer.raw, "share", of=answer.answered, why="" if answer.raw is not None else "nobody answered")),
        (
            "answered",
            Figure(part(answer.answered, answer.invited), "share", of=answer.invited, why="" if answer.invited else "nobody is known to have been asked"),
        ),
        ("if the satisfied answered twice as readily", Figure(answer.if_satisfied_answer_more, "share", why=silent)),
        ("if the satisfied answered half as readily", Figure(answer.if_satisfied_answer_less, "share", why=silent)),
        ("as many equal answers", Figure(answer.n_eff, "decimal") if answer.share is not None else Figure(None, why=silent)),
    ]
    lines = [f"scale {answer.scale}"] if answer.scale else []
    lines += [f"corrected by {', '.join(answer.facts)}"] if answer.facts else []
    return Told(
        "corrected_csat",
        f"Satisfied, corrected for who answers: {answer.journey}",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        answer.config_version,
        answer.journey,
        [*lines, *broken(answer)],
        [facts("csat", "", rows)],
        [answer.never_asked] if answer.never_asked else [],
    )
