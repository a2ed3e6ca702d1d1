"""Is anything of ours listed just now, and do we know?  The answer a monitor wants: 0, 1, 2 or 3."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import IntEnum

import msgspec

from outwarden.events import ListAnswer, ListAnswerKind

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
    """What became of asking about one target, lately: counts of lists, and when (UTC)."""

    target: str
    asked_at: datetime
    answered: int
    could_not_ask: int
    majors: int
    majors_answered: int


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
    about = {each.target: each for each in asked if each.target in wanted}
    listed = sorted(
        (each for each in listed if each.target in wanted), key=lambda each: (not each.major, each.target, each.list)
    )
    level, sentence = _judged(wanted, listed, about, now, stale_after)
    oldest = min((each.asked_at for each in about.values()), default=None)
    return Standing(
        level=level,
        sentence=sentence,
        targets=len(wanted),
        targets_listed=len({each.target for each in listed}),
        listed=len(listed),
        major=sum(each.major for each in listed),
        could_not_ask=sum(each.could_not_ask for each in about.values()),
        oldest_seconds=None if oldest is None else int((now - oldest).total_seconds()),
    )


def asked_now(answers: Iterable[ListAnswer], now: datetime) -> list[Asked]:
    """Return what became of asking, by target."""
    found: dict[str, list[ListAnswer]] = {}
    for answer in answers:
        found.setdefault(answer.target, []).append(answer)
    return [
        Asked(
            target,
            now,
            answered=sum(map(_answered, row)),
            could_not_ask=len(row) - sum(map(_answered, row)),
            majors=sum(answer.major for answer in row),
            majors_answered=sum(answer.major and _answered(answer) for answer in row),
        )
        for target, row in found.items()
    ]


def _answered(answer: ListAnswer) -> bool:
    return answer.answer is not ListAnswerKind.COULD_NOT_ASK


def _judged(
    wanted: set[str],
    listed: Sequence[NowListed],
    about: Mapping[str, Asked],
    now: datetime,
    stale_after: timedelta | None,
) -> tuple[Level, str]:
    stale = sorted(
        target for target, each in about.items() if stale_after is not None and now - each.asked_at > stale_after
    )
    missing = sorted(wanted - about.keys())
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
        last = f"{about[stale[0]].asked_at:%Y-%m-%d %H:%M} UTC"
        return Level.UNKNOWN, f"{stale[0]} was not asked about since {last}: is the service up?"
    return _coverage(about)


def _coverage(about: Mapping[str, Asked]) -> tuple[Level, str]:
    for target, each in sorted(about.items()):
        if not each.majors or each.majors_answered / each.majors < ENOUGH_MAJORS:
            answered = f"{each.majors_answered} of {each.majors} major lists answered about {target}"
            return Level.UNKNOWN, f"{answered}; see outwarden blocklists {target}"
    lists = max((each.answered for each in about.values()), default=0)
    return Level.OK, f"none of {len(about)} watched is on any of {lists} lists"


def _listed_in_words(listed: Sequence[NowListed]) -> str:
    first = listed[0]
    meaning = f" ({first.meaning})" if first.meaning else ""
    since = f" since {first.since:%Y-%m-%d %H:%M} UTC" if first.since is not None else ""
    more = f", and {len(listed) - 1} more" if len(listed) > 1 else ""
    return f"{first.target} on {first.list}{meaning}{since}{more}"
