"""The conditions that a rule may ask for beside the classes found; their words stand in ``rules.toml``."""

from collections.abc import Callable
from datetime import timedelta

from outwarden.detection.diagnosis.evidence import Evidence
from outwarden.detection.diagnosis.rulebook import Rulebook
from outwarden.events import Signal

ENOUGH_MAJORS = 0.8
"""The share of the configured major lists that must have answered before anything is called clean."""
_CSS = "127.0.0.3"
_OTHER_SPAM_SOURCES = frozenset({"127.0.0.2", "127.0.0.9"})
_TRAPS = 3
_AT_ONCE = timedelta(hours=48)

Condition = Callable[[Evidence, Rulebook], bool]


def _enough_majors(evidence: Evidence, _book: Rulebook) -> bool:
    return evidence.coverage >= ENOUGH_MAJORS


def _too_few_majors(evidence: Evidence, _book: Rulebook) -> bool:
    return evidence.coverage < ENOUGH_MAJORS


def _refused_over_a_list(evidence: Evidence, _book: Rulebook) -> bool:
    return bool(evidence.unknown_refusals)


def _without_a_class(evidence: Evidence, _book: Rulebook) -> bool:
    return bool(evidence.unexplained)


def _nothing_unexplained(evidence: Evidence, _book: Rulebook) -> bool:
    return not evidence.unexplained and not evidence.unknown_refusals


def _log_shows_relaying(evidence: Evidence, _book: Rulebook) -> bool:
    return evidence.relaying is not None


def _one_spam_report_list(evidence: Evidence, book: Rulebook) -> bool:
    lists = {vote.list for vote in evidence.voting_as(Signal.SPAM_SOURCE)}
    return len(lists) == 1 and lists <= book.lists.spam_reports


def _css_alone(evidence: Evidence, book: Rulebook) -> bool:
    votes = evidence.voting_as(Signal.SPAM_SOURCE)
    return bool(votes) and all(
        vote.list in book.lists.css and _CSS in vote.codes and _OTHER_SPAM_SOURCES.isdisjoint(vote.codes)
        for vote in votes
    )


def _no_milder_reading(evidence: Evidence, book: Rulebook) -> bool:
    milder = (rule for rule in book.rules if rule.name in ("spam-source-single", "spam-source-css"))
    return not any(
        rule.fits(evidence.classes) and all(CONDITIONS[name](evidence, book) for name in rule.conditions)
        for rule in milder
    )


def _three_traps(evidence: Evidence, book: Rulebook) -> bool:
    traps = {vote.list for vote in evidence.voting_as(Signal.REPUTATION)} - book.lists.without_traps
    times = sorted(evidence.first_listed[name] for name in traps if name in evidence.first_listed)
    return any(last - first <= _AT_ONCE for first, last in zip(times, times[_TRAPS - 1 :], strict=False))


CONDITIONS: dict[str, Condition] = {
    "refused-over-a-list-not-asked": _refused_over_a_list,
    "major-listing-without-a-class": _without_a_class,
    "too-few-majors": _too_few_majors,
    "enough-majors": _enough_majors,
    "nothing-unexplained": _nothing_unexplained,
    "log-shows-relaying": _log_shows_relaying,
    "no-milder-reading": _no_milder_reading,
    "one-spam-report-list": _one_spam_report_list,
    "css-alone": _css_alone,
    "three-traps-within-48-hours": _three_traps,
}
