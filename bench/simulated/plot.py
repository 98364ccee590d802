"""The figures as a drawing: coverage of each family with its Monte-Carlo interval, beside the bound."""

from collections.abc import Mapping
from html import escape
from typing import Any

from sojourn_collector.score.intervals import wilson_counts

LEFT, RIGHT, TOP, ROW = 330, 40, 46, 24


def plot(figures: Mapping[str, Mapping[str, Any]], width: int = 860) -> str:
    """An SVG with one row per family."""
    span = width - LEFT - RIGHT
    floor = 0.5

    def x(share: float) -> float:
        return LEFT + span * (min(1.0, max(floor, share)) - floor) / (1 - floor)

    height = TOP + ROW * len(figures) + 34
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-weight="bold">Share of intervals that hold the true loss</text>',
        f'<text x="{LEFT}" y="36" fill="#555">dot: measured, line: its 95 % Monte-Carlo interval; dashed: the bound, .92</text>',
    ]
    bottom = TOP + ROW * len(figures)
    for share in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        parts.append(f'<line x1="{x(share):.1f}" y1="{TOP}" x2="{x(share):.1f}" y2="{bottom}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{x(share):.1f}" y="{bottom + 18}" text-anchor="middle" fill="#555">{share:.1f}</text>')
    parts.append(f'<line x1="{x(0.92):.1f}" y1="{TOP}" x2="{x(0.92):.1f}" y2="{bottom}" stroke="#b3261e" stroke-dasharray="4 3"/>')
    for number, (family, told) in enumerate(figures.items()):
        y = TOP + ROW * number + ROW / 2
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(family)} ({told["spoke"]} of {told["worlds"]})</text>')
        if told["coverage"] is None:
            parts.append(f'<text x="{LEFT + 6}" y="{y + 4:.1f}" fill="#555">stayed silent in every world</text>')
            continue
        low, high = wilson_counts(told["coverage"] * told["spoke"], told["spoke"])
        parts.append(f'<line x1="{x(low):.1f}" y1="{y:.1f}" x2="{x(high):.1f}" y2="{y:.1f}" stroke="#2b5a8a" stroke-width="2"/>')
        parts.append(f'<circle cx="{x(told["coverage"]):.1f}" cy="{y:.1f}" r="4.5" fill="#2b5a8a"/>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"
