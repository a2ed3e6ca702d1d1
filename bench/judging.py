"""Claim: one decision takes under 0.1 ms at the median and 0.5 ms at the 99th percentile; a record has under 4 KB.

    PYTHONPATH=../shared/containment python bench/judging.py [SEED]

Plays a world of the containment benchmark (its package and numpy on the path) to the judge, and to two of
its reference baselines beside it; without that package a generated stream, and no baselines.  Counted are decisions
after the time of learning, each with its event ready made, in processor time: on a shared machine the clock on
the wall measures the others.
"""

import gc
import random
import statistics
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import thread_time_ns
from typing import Any, NamedTuple

from outwarden.detection.live import Judge
from outwarden.events import AccountKind, Link, LinkKind, Submitted

ROUNDS = 3
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 35
LEARNED = BEGIN + timedelta(days=21)
"""Until then the judge learns, in the generated stream as in the benchmark's worlds."""


class Stopwatch:
    """Times the calls of a function that count, without what the looking at the clock takes."""

    def __init__(self, call: Callable[[Any], Any], counts: Callable[[Any], bool]) -> None:
        self._call = call
        self._counts = counts
        self._nanoseconds: list[int] = []

    def __call__(self, message: Any) -> Any:  # noqa: ANN401 (the benchmark's messages or ours, and its answers or ours)
        """Call it."""
        begun = thread_time_ns()
        answer = self._call(message)
        passed = thread_time_ns() - begun
        if self._counts(message):
            self._nanoseconds.append(passed)
        return answer

    def times(self) -> "Times":
        """Return what a call took."""
        nothing = sorted(_nothing_timed() for _ in range(10_001))
        own = _at(nothing, 0.5)
        counted = sorted(self._nanoseconds)
        found = (_at(counted, 0.5), _at(counted, 0.99), statistics.fmean(counted))
        return Times(*((one - own) / 1000 for one in found))


def _nothing_timed() -> int:
    begun = thread_time_ns()
    return thread_time_ns() - begun


class Times(NamedTuple):
    """Microseconds of one decision."""

    median: float
    p99: float
    mean: float


# -- a stream of our own


def made_mail(accounts: int, days: int, seed: int = 1) -> Iterator[Submitted]:
    """Yield the mail of people from those who hardly write to those who do all day, in the order of time.

    In the last third of the days one account in a hundred is stolen for some hours.
    """
    draw = random.Random(seed)
    people = [_Person(f"a{number}@isp.example", draw) for number in range(accounts)]
    for day in range(days):
        today = [event for person in people for event in person.day(BEGIN + timedelta(days=day))]
        if day >= 2 * days // 3:
            for thief in draw.sample(people, accounts * 3 // (100 * days) + 1):
                today += thief.stolen(BEGIN + timedelta(days=day))
        yield from sorted(today, key=lambda event: event.at)


class _Person:
    """Somebody with habits: how much he writes, whom he knows, and where he is."""

    def __init__(self, account: str, draw: random.Random) -> None:
        self.account = account
        self._draw = draw
        self._messages_a_day = min(60.0, draw.lognormvariate(0.0, 1.2))
        self._networks = [f"AS{draw.randrange(64_496, 64_512)}" for _ in range(draw.choice((1, 1, 2, 3)))]
        self._friends = 8 + int(12 * self._messages_a_day)

    def day(self, midnight: datetime) -> Iterator[Submitted]:
        draw = self._draw
        for _ in range(int(draw.expovariate(1 / self._messages_a_day))):
            links = [Link(LinkKind.DOMAIN, self._name(300), age_days=3000)] if draw.random() < 0.4 else []
            if draw.random() < 0.03:
                links.append(Link(LinkKind.STORAGE, self._name(10**9)))
            yield self._message(
                midnight + timedelta(seconds=draw.triangular(7 * 3600, 22 * 3600, 11 * 3600)),
                [self._recipient() for _ in range(1 + int(draw.expovariate(1.5)))],
                text=self._name(20 if draw.random() < 0.1 else 10**9),
                links=tuple(links),
                network=draw.choice(self._networks),
            )

    def stolen(self, midnight: datetime) -> Iterator[Submitted]:
        text, link = self._name(10**9), Link(LinkKind.DOMAIN, self._name(10**9), age_days=4)
        for minute in range(self._draw.randrange(30, 300)):
            at = midnight + timedelta(minutes=minute)
            strangers = [f"{self._name(10**9)}@home.example" for _ in range(self._draw.randrange(1, 20))]
            yield self._message(at, strangers, text=text, links=(link,), network="AS65551")

    def _message(
        self, at: datetime, recipients: list[str], *, text: str, links: tuple[Link, ...], network: str
    ) -> Submitted:
        return Submitted(
            at=at,
            host="mx",
            queue_id=f"{self._draw.getrandbits(40):X}",
            account=self.account,
            kind=AccountKind.LOGIN,
            client_address=f"192.0.2.{self._draw.randrange(256)}",
            recipients=len(recipients),
            recipient_addresses=tuple(recipients),
            fingerprint=text,
            links=links,
            filter_verdict=False,
            reply=self._draw.random() < 0.5,
            network=network,
            country="IT",
        )

    def _recipient(self) -> str:
        """Return one of those he knows, the first most often; now and then somebody new."""
        friend = int(self._friends * self._draw.random() ** 2)
        if self._draw.random() < 0.08:
            self._friends += 1
            friend = self._friends
        return f"{self.account[:-12]}-{friend}@home.example"

    def _name(self, of: int) -> str:
        return f"{self._draw.randrange(of):x}"


def judge_of(mail: list[Submitted], submit: Callable[[Judge], Callable[[Submitted], Any]] | None = None) -> Judge:
    """Return a judge that heard all the mail, and that every hundredth message has an unknown recipient.

    ``submit`` says for a judge how mail is told to it, if not as always.
    """
    judge = Judge()
    judge.learn_until(LEARNED.timestamp())
    tell = submit(judge) if submit else judge.submit
    for number, event in enumerate(mail):
        tell(event)
        unknown = number % 100 == 0
        judge.answered(event.account, event.at.timestamp() + 9.0, event.recipients - unknown, unknown)
    return judge


# -- what is measured


def measure_made_mail() -> tuple[dict[str, Times], Judge]:
    """Time the judge on the generated stream."""
    mail = list(made_mail(1000, DAYS))
    gc.freeze()
    watches: list[Stopwatch] = []

    def watched(judge: Judge) -> Stopwatch:
        watches.append(Stopwatch(judge.submit, lambda event: event.at >= LEARNED))
        return watches[-1]

    for _ in range(ROUNDS):
        judge = judge_of(mail, watched)
    return {"outwarden": _middle([watch.times() for watch in watches])}, judge


def measure_world(seed: int) -> tuple[dict[str, Times], Judge]:
    """Time the judge and two baselines, in turn, on a world of the containment benchmark."""
    from bench.containment import Outwarden
    from containment.build import load
    from containment.detectors import HourlyLimit, Spot
    from containment.replay import Operator, replay
    from containment.world import SCORED_FROM

    world = load(seed)
    # What stays for ever is not for the garbage collector to look through in the midst of a decision.
    gc.freeze()
    times: dict[str, list[Times]] = {}
    for _ in range(ROUNDS):
        ours = Outwarden()
        judge = ours._judge
        submit = Stopwatch(judge.submit, lambda event: event.at.timestamp() >= SCORED_FROM)
        judge.submit = submit  # type: ignore[method-assign]
        replay(world, ours, Operator())
        times.setdefault(ours.name, []).append(submit.times())
        for baseline in (HourlyLimit(100, block=True), Spot(0.02, 0.4)):
            watch = Stopwatch(baseline.on_submit, lambda message: message.time >= SCORED_FROM)
            baseline.on_submit = watch
            replay(world, baseline, Operator())
            times.setdefault(baseline.name, []).append(watch.times())
    return {name: _middle(several) for name, several in times.items()}, judge


def _at(in_order: list[int], part: float) -> int:
    return in_order[int(part * len(in_order))]


def _middle(several: list[Times]) -> Times:
    return Times(*(statistics.median(column) for column in zip(*several, strict=True)))


def main() -> None:
    """Measure and print."""
    # This folder has a module of the name of the benchmark's package.
    sys.path[0] = str(Path(__file__).parents[1])
    try:
        import containment.build  # noqa: F401
    except ImportError:
        times, judge = measure_made_mail()
    else:
        times, judge = measure_world(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    ours = times["outwarden"]
    print(f"{'microseconds a decision':34}{'median':>9}{'99 %':>9}{'mean':>9}{'ours : it, by mean':>20}")
    for name, one in times.items():
        print(f"{name:34}{one.median:9.1f}{one.p99:9.1f}{one.mean:9.1f}{ours.mean / one.mean:20.1f}")
    sizes = sorted(len(record) for _, record in judge.records.all())
    print(f"\n{len(sizes):,} records, bytes: median {_at(sizes, 0.5)}, 99 % {_at(sizes, 0.99)}, most {sizes[-1]}")


if __name__ == "__main__":
    main()
