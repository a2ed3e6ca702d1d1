"""Is anything of ours listed just now, and do we know?  The answer a monitor wants: 0, 1, 2 or 3."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import IntEnum

import msgspec

from outwarden.events import ListAnswerKind

ENOUGH_MAJORS = 0.8
"""The share of major lists that must have answered for "not listed"; a test keeps it that of the diagnosis."""


class Level(IntEnum):
    """As a monitor reads it: the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class NowListed(msgspec.Struct, frozen=True):
    """One pair that is listed now; ``major`` lists are those that weigh with receivers."""

    target: str
    list: str
    meaning: str
    major: bool
    since: datetime | None


class Asked(msgspec.Struct, frozen=True):
    """One pair as it was last asked."""

    target: str
    list: str
    answer: ListAnswerKind
    major: bool
    asked_at: datetime


class Standing(msgspec.Struct, frozen=True):
    """The level, the sentence, and what was counted; ``oldest_seconds`` is the age of the oldest answer."""

    level: Level
    sentence: str
    targets: int
    targets_listed: int
    listed: int
    major: int
    could_not_ask: int
    oldest_seconds: int | None


def standing(
    targets: Sequence[str],
    listed: Sequence[NowListed],
    asked: Iterable[Asked],
    now: datetime,
    stale_after: timedelta | None = None,
) -> Standing:
    """Judge what is known of ``targets``.

    A listing by a major list is critical, any other a warning; both hold although other lists could not be
    asked.  Nothing listed is fine only where each target was asked about, lately (``stale_after``), and enough of
    the major lists answered; everything else is unknown.
    """
    wanted = set(targets)
    asked = [each for each in asked if each.target in wanted]
    listed = sorted(
        (each for each in listed if each.target in wanted), key=lambda each: (not each.major, each.target, each.list)
    )
    failed = sum(each.answer is ListAnswerKind.COULD_NOT_ASK for each in asked)
    newest: dict[str, datetime] = {}
    for each in asked:
        newest[each.target] = max(newest.get(each.target, each.asked_at), each.asked_at)
    oldest = int((now - min(newest.values())).total_seconds()) if newest else None
    level, sentence = _judged(wanted, listed, asked, newest, now, stale_after)
    return Standing(
        level=level,
        sentence=sentence,
        targets=len(wanted),
        targets_listed=len({each.target for each in listed}),
        listed=len(listed),
        major=sum(each.major for each in listed),
        could_not_ask=failed,
        oldest_seconds=oldest,
    )


def _judged(
    wanted: set[str],
    listed: Sequence[NowListed],
    asked: Sequence[Asked],
    newest: dict[str, datetime],
    now: datetime,
    stale_after: timedelta | None,
) -> tuple[Level, str]:
    stale = [target for target, at in newest.items() if stale_after is not None and now - at > stale_after]
    missing = sorted(wanted - newest.keys())
    if listed:
        level = Level.CRITICAL if listed[0].major else Level.WARNING
        old = f"; {len(stale)} not asked about lately" if stale else ""
        return level, _listed_in_words(listed) + old
    if missing:
        return (
            Level.UNKNOWN,
            f"{missing[0]} was not asked about yet ({len(missing)} of {len(wanted)}): is the service up?",
        )
    if stale:
        last = f"{newest[stale[0]]:%Y-%m-%d %H:%M} UTC"
        return Level.UNKNOWN, f"{stale[0]} was not asked about since {last}: is the service up?"
    return _coverage(wanted, asked)


def _coverage(wanted: set[str], asked: Sequence[Asked]) -> tuple[Level, str]:
    for target in sorted(wanted):
        majors = [each for each in asked if each.target == target and each.major]
        answered = sum(each.answer is not ListAnswerKind.COULD_NOT_ASK for each in majors)
        if not majors or answered / len(majors) < ENOUGH_MAJORS:
            cure = f"see outwarden blocklists {target}"
            return Level.UNKNOWN, f"{answered} of {len(majors)} major lists answered about {target}; {cure}"
    lists = len({each.list for each in asked if each.answer is not ListAnswerKind.COULD_NOT_ASK})
    return Level.OK, f"none of {len(wanted)} watched is on any of {lists} lists"


def _listed_in_words(listed: Sequence[NowListed]) -> str:
    first = listed[0]
    meaning = f" ({first.meaning})" if first.meaning else ""
    since = f" since {first.since:%Y-%m-%d %H:%M} UTC" if first.since is not None else ""
    more = f", and {len(listed) - 1} more" if len(listed) > 1 else ""
    return f"{first.target} on {first.list}{meaning}{since}{more}"
