"""Everything that the rules may look at, put in order once: who votes, who did not answer, what logs say."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from outwarden.detection.assessment import ListingSeen
from outwarden.detection.diagnosis.rulebook import NamedInRefusals, Rulebook
from outwarden.detection.diagnosis.shape import ListingPeriod
from outwarden.detection.diagnosis.signs import LogSigns
from outwarden.events import ListAnswer, ListAnswerKind, Signal

_REFUSALS_THAT_COUNT = 2
_FRESH = timedelta(hours=48)


class Vote(msgspec.Struct, frozen=True):
    """A list and the classes as which it votes; ``by_refusals`` where remotes say so and no answer of its own."""

    list: str
    signals: frozenset[Signal]
    codes: tuple[str, ...] = ()
    meaning: str = ""
    by_refusals: bool = False


class Evidence(msgspec.Struct, frozen=True):
    """What is known of one target.

    ``unexplained`` are listings on major lists that stand for no class.  ``settled`` are refusals over a
    list that meanwhile says "not listed"; ``unknown_refusals`` name one that could not be asked.
    ``majors`` counts configured major lists (one without a key is not), ``majors_answered`` those whose
    answer was believed.
    """

    target: str
    votes: tuple[Vote, ...]
    unexplained: tuple[ListAnswer, ...]
    without_vote: tuple[ListAnswer, ...]
    not_asked: tuple[ListAnswer, ...]
    majors: int
    majors_answered: int
    settled: tuple[ListingSeen, ...]
    unknown_refusals: tuple[ListingSeen, ...]
    relaying: str | None
    first_listed: dict[str, datetime]

    @property
    def classes(self) -> frozenset[Signal]:
        """All classes found."""
        return frozenset(signal for vote in self.votes for signal in vote.signals)

    @property
    def coverage(self) -> float:
        """The share of the major lists that answered, 0 where none was asked."""
        return self.majors_answered / self.majors if self.majors else 0.0

    def voting_as(self, *signals: Signal) -> list[Vote]:
        """Return the votes for one of these classes."""
        return [vote for vote in self.votes if not vote.signals.isdisjoint(signals)]


def weigh(answers: Sequence[ListAnswer], signs: LogSigns, history: Iterable[ListingPeriod], book: Rulebook) -> Evidence:
    """Put in order what is known about the one target of these answers."""
    target = answers[0].target if answers else ""
    listed = [answer for answer in answers if answer.answer is ListAnswerKind.LISTED]
    majors = {answer.list: answer for answer in answers if answer.major}
    named = _Named(target, answers, signs, book)
    # A list that repeats what another one said votes for nothing and is no riddle either.
    voted = any(answer.signals for answer in listed)
    return Evidence(
        target=target,
        votes=(*(_vote(answer) for answer in listed if answer.signals), *named.votes),
        unexplained=() if voted else tuple(answer for answer in listed if answer.major and not answer.signals),
        without_vote=tuple(answer for answer in listed if not answer.signals),
        not_asked=tuple(answer for answer in answers if answer.answer is ListAnswerKind.COULD_NOT_ASK),
        majors=len(majors),
        majors_answered=sum(answer.answer is not ListAnswerKind.COULD_NOT_ASK for answer in majors.values()),
        settled=tuple(named.settled),
        unknown_refusals=tuple(named.unknown),
        relaying=signs.relaying,
        first_listed={one.list: one.began for one in history if one.target == target and one.ended is None},
    )


def _same_name(named: str, target: str) -> bool:
    return named.lower().rstrip(".") == target.lower().rstrip(".")


def _vote(answer: ListAnswer) -> Vote:
    return Vote(answer.list, frozenset(answer.signals), answer.codes, answer.meaning)


class _Named:
    """The lists that refusals name for this target, held against what the lists themselves say."""

    def __init__(self, target: str, answers: Sequence[ListAnswer], signs: LogSigns, book: Rulebook) -> None:
        self.votes: list[Vote] = []
        self.settled: list[ListingSeen] = []
        self.unknown: list[ListingSeen] = []
        asked_at = max((answer.asked_at for answer in answers if answer.asked_at is not None), default=None)
        kinds: dict[str, set[ListAnswerKind]] = {}
        for answer in answers:
            kinds.setdefault(answer.list, set()).add(answer.answer)
        for seen in signs.listings_seen:
            if _same_name(seen.address, target) and seen.count >= _REFUSALS_THAT_COUNT:
                worth = book.refusals.get(seen.list, NamedInRefusals())
                said = {kind for name in (seen.list, *worth.asked_as) for kind in kinds.get(name, ())}
                fresh = asked_at is None or asked_at - seen.last <= _FRESH
                self._sort(seen, worth, said, fresh)

    def _sort(self, seen: ListingSeen, worth: NamedInRefusals, said: set[ListAnswerKind], fresh: bool) -> None:
        if ListAnswerKind.LISTED in said:
            return
        if ListAnswerKind.NOT_LISTED in said or not fresh:
            self.settled.append(seen)
        elif worth.signal is None:
            self.unknown.append(seen)
        else:
            codes = ("127.0.0.3",) if seen.list == "spamhaus-css" else ()
            self.votes.append(Vote(seen.list, frozenset({worth.signal}), codes, by_refusals=True))
