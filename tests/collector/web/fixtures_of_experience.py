"""How the shop's customers fared by one fact, as an answer would be."""

from typing import Any

from sojourn_collector.score.intervals import wilson
from sojourn_collector.web import models as m
from sojourn_collector.web.models_experience import Drawn, ExperienceBy, FaredGroup
from tests.collector.web.fixtures import NOW, ago
from tests.collector.web.fixtures_of_measures import WEEKS


def by(fact: str = "device", step: str = "", first: str = "phone") -> ExperienceBy:
    """Phones are stopped, computers are not; of some nothing is known."""
    scored = fact not in ("step", "failure_kind")
    return ExperienceBy(
        as_of=NOW,
        window_from=ago(WEEKS),
        window_to=NOW,
        journey="checkout",
        name="Buy one item",
        step=step,
        steps=[m.Named(id="cart", name="Cart"), m.Named(id="pay", name="Pay")],
        by=fact,
        whole=group("", 340, 270, 36, 30, hit=44, slow=12, score=10.0, step=step),
        groups=[
            group(first, 168, 110, 22, 30, hit=40, slow=9, score=19.2 if scored else None, step=step, drawn=0.18),
            group("desktop", 120, 112, 6, 0, hit=2, slow=1, score=1.1 if scored else None, step=step, drawn=0.02),
            group("tablet", 22, 20, 2, 0, hit=1, slow=1, score=None, step=step, drawn=0.04, thin=True),
        ],
        unknown=group("", 24, 22, 2, 0, hit=1, slow=1, score=None, step=step) if scored else None,
        others=group("", 6 if scored else 30, 6 if scored else 28, 0, 0, hit=0, slow=0, score=None, step=step, impact=False),
        hidden=2,
        cut=1,
    )


def group(
    value: str, tried: int, finished: int, gave_up: int, stopped: int, *, hit: int, slow: int, score: float | None, step: str, impact: bool = True, **more: Any
) -> FaredGroup:
    """One line; its shares have their intervals."""
    over, drawn = finished + gave_up + stopped, more.pop("drawn", None)
    shares = {"finished": (finished, over), "gave_up": (gave_up, over), "stopped": (stopped, over), "hit": (hit, tried), "slow": (slow, tried)}
    ends = {f"{name}_{end}": at for name, (count, of) in shares.items() if of for end, at in zip(("low", "high"), wilson(count / of, of), strict=True)}
    told = m.Impact(state="not measured", of=min(tried, 20), reason="20 settled, measured from 30 on")
    if score is not None:
        told = m.Impact(state="measured", score=score, low=score * 0.7, high=score * 1.4, of=tried, n_eff=tried)
    return FaredGroup(
        value=value,
        name=value,
        tried=tried,
        finished=finished,
        gave_up=gave_up,
        stopped=stopped,
        trying=tried - over,
        hit=hit,
        slow=slow,
        **ends,
        **({"apdex": 0.8, "apdex_low": 0.74, "apdex_high": 0.86, "apdex_of": tried, "apdex_t": 2.5} if step else {}),
        impact=told if impact else None,
        impact_of_visits=m.Impact(state="measured", covers="anonymous visits", score=8.0, low=5.0, high=13.0, of=44, n_eff=44) if tried > 300 else None,
        drawn=None if drawn is None else Drawn(share=drawn, low=drawn * 0.8, high=drawn * 1.2),
        **more,
    )
