"""Claim: a steady rhythm is never accused, a doubled share is found within its hour from a thousand results on.

python bench/server_baselines.py [WORLDS]

WORLDS is the folder of the containment benchmark; with it (and numpy) the mail of its worlds 1 and 2 is judged.
"""

import random
import sys
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

from outwarden.detection.baseline.troubles import BOUNCES, Row, Trouble, troubles  # noqa: E402

DAY, WEEK = 24, 168
MONDAY = 480_000 // WEEK * WEEK + 96
RARITY = 2e-4


def month(seed: int, busy: int, peak: tuple[int, int, int] | None = None) -> list[Row]:
    """Four weeks, by night a tenth as busy, of which 4 % bounce by chance alone; a weekly peak of (hour, bad, all)."""
    world = random.Random(seed)
    rows = []
    for number in range(4 * WEEK):
        total = busy if 7 <= number % DAY < 20 else busy // 10
        total = total // 2 if number % WEEK >= 5 * DAY else total
        bad = min(total, max(0, round(world.gauss(0.04 * total, (0.04 * 0.96 * total) ** 0.5))))
        if peak is not None and number % WEEK == peak[0]:
            bad, total = bad + peak[1], total + peak[2]
        rows.append((MONDAY + number, bad, total))
    return rows


def found(rows: list[Row], since: int = 0) -> list[Trouble]:
    """The troubles of a whole server."""
    return troubles(BOUNCES, rows, RARITY, since)


def accused_for_nothing() -> None:
    """Months without a trouble."""
    calm = sum(len(found(month(seed, busy))) for seed in range(30) for busy in (200, 2_000))
    world = random.Random(5)
    peaks = 0
    for _ in range(1_500):
        total = world.choice((20, 21, 25, 30, 60, 100, world.randrange(20, 20_000)))
        peak = (world.randrange(WEEK), round(world.uniform(0.1, 1.0) * total), total)
        rows = month(world.randrange(20), world.choice((50, 200, 600, 3_000)), peak)
        peaks += len(found(rows, MONDAY + 2 * WEEK))
    print(f"60 months of chance alone: {calm} troubles; 1,500 with a weekly peak, from the third week on: {peaks}")


def found_in_time() -> None:
    """One hour of the last two weeks with a larger share."""
    print("\nresults in the hour   8.5 %    12 %    20 %   (usual 4 %): found within the hour")
    for busy in (200, 400, 1_000, 4_000):
        hours = [at for at in range(2 * WEEK + 3, 4 * WEEK, 29) if month(0, busy)[at][2] == busy]
        shares = []
        for share in (0.085, 0.12, 0.2):
            hits = 0
            for seed in range(4):
                rows = month(seed, busy)
                for at in hours:
                    jump = [*rows[:at], (rows[at][0], round(share * busy), busy)]
                    hits += bool(found(jump, MONDAY + at))
            shares.append(f"{hits / (4 * len(hours)):8.0%}")
        print(f"{busy:19,}{''.join(shares)}")


def worlds(folder: Path) -> None:
    """The mail of two whole sites over 35 days, without and with their thefts."""
    sys.path.insert(0, str(folder))
    from containment.build import load
    from containment.world import DEFERRED, LEGIT, REFUSED, UNKNOWN

    for seed in (1, 2):
        world = load(seed)
        for honest in (True, False):
            hours: dict[int, list[int]] = defaultdict(lambda: [0, 0])
            behind: dict[int, Counter[str]] = defaultdict(Counter)
            for submission, truth, answers in zip(world.submissions, world.truth, world.answers, strict=True):
                for seconds, answer in answers if truth == LEGIT or not honest else ():
                    if answer != DEFERRED:
                        hour = MONDAY + int((submission.time + seconds) // 3600)
                        bad = answer in (UNKNOWN, REFUSED)
                        hours[hour][0] += bad
                        hours[hour][1] += 1
                        behind[hour][world.roles[submission.account]] += bad
            print(f"\nworld {seed}, {'honest mail only' if honest else 'with its thefts'}")
            for trouble in found([(hour, bad, total) for hour, (bad, total) in sorted(hours.items())]):
                role, count = sum((behind[hour] for hour in trouble.hours), Counter[str]()).most_common(1)[0]
                day, clock = divmod(trouble.hours[0] - MONDAY, DAY)
                print(f"  +{trouble.points} day {day} {clock:02}h: {trouble.bad} of {trouble.total}, {count} by {role}")


def main() -> None:
    """Measure and print."""
    accused_for_nothing()
    found_in_time()
    if len(sys.argv) > 1:
        worlds(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
