"""Leak against false blocks and reviews: one world judged by stricter and milder thresholds, as a table and a plot.

    cd ../shared/containment
    PYTHONPATH=.:PROJECT:PROJECT/src python -m bench.containment_curve --seed 3 --svg CURVE.svg

Nobody sits at the desk, so that every block and every release is the judge's own.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

from bench.containment import Outwarden
from containment.build import load
from containment.replay import replay
from containment.score import Score, score, tally
from containment.world import SCORED_FROM

from outwarden.detection.live import Judge, Policy
from outwarden.detection.live.policy import Thresholds

HOLDS = (3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
BLOCK_ABOVE_HOLD = 4.0


class Point(NamedTuple):
    """One policy's result."""

    hold: float
    score: Score


def judged(seed: int, hold: float) -> Point:
    """Play one world to the judge with other thresholds."""
    world = load(seed)
    detector = Outwarden()
    detector._judge = Judge(Policy(thresholds=Thresholds(hold, hold + BLOCK_ABOVE_HOLD)))
    detector._judge.learn_until(SCORED_FROM)
    return Point(hold, score(f"hold {hold:g}", [tally(world, replay(world, detector))]))


def svg(points: list[Point]) -> str:
    """Return the curve: leak upwards, false blocks to the right; a number beside each point is its hold threshold."""
    width, height, edge = 560, 320, 56
    most_leak = max(point.score.leak_mean for point in points) * 1.15 or 1.0
    most_false = max(0.5, max(point.score.false_blocks_all for point in points) * 1.15)

    def place(point: Point) -> tuple[float, float]:
        x = edge + (width - 2 * edge) * point.score.false_blocks_all / most_false
        return x, height - edge - (height - 2 * edge) * point.score.leak_mean / most_leak

    line = " ".join("{:.1f},{:.1f}".format(*place(point)) for point in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"/><text x="{x + 7:.1f}" y="{y - 6:.1f}">{point.hold:g}</text>'
        for point in points
        for x, y in (place(point),)
    )
    bottom, right = height - edge, width - edge
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="12">'
        f'<path d="M{edge} {edge}V{bottom}H{right}" fill="none" stroke="#666"/>'
        f'<polyline points="{line}" fill="none" stroke="#1f5f8b" stroke-width="1.5"/><g fill="#1f5f8b">{dots}</g>'
        f'<text x="{edge}" y="{edge - 12}">mean leak, recipients (0 to {most_leak:.0f})</text>'
        f'<text x="{right}" y="{bottom + 34}" text-anchor="end">'
        f"false blocks per 1000 account-days (0 to {most_false:.2f})</text></svg>\n"
    )


def main() -> None:
    """Print the table and write the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=3, help="public world, 1 to 9")
    parser.add_argument("--svg", type=Path, help="write the curve there")
    options = parser.parse_args()
    points = []
    print("hold  block  median   p90  mean   <1h  <24h  false blocks  delayed  >5 min")
    for hold in HOLDS:
        point = judged(options.seed, hold)
        points.append(point)
        s = point.score
        print(
            f"{hold:4g} {hold + BLOCK_ABOVE_HOLD:6g} {s.leak_median:7.0f} {s.leak_p90:5.0f} {s.leak_mean:5.0f} "
            f"{s.within_1h:5.0%} {s.within_24h:5.0%} {s.false_blocks_all:13.2f} {s.delayed:8.1f} {s.delayed_5min:7.1f}",
            flush=True,
        )
    if options.svg:
        options.svg.write_text(svg(points), "utf-8")


if __name__ == "__main__":
    main()
