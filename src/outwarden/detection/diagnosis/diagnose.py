"""From the answers about one target to its diagnosis, by the rules of ``rules.toml``."""

from collections.abc import Mapping, Sequence

from outwarden.detection.diagnosis import words
from outwarden.detection.diagnosis.conditions import CONDITIONS, ENOUGH_MAJORS
from outwarden.detection.diagnosis.evidence import Evidence, weigh
from outwarden.detection.diagnosis.rulebook import SEVERITIES, Rule, Rulebook, rulebook
from outwarden.detection.diagnosis.shape import ListingPeriod, Shape, as_neighbourhood, delisting_blocked
from outwarden.detection.diagnosis.signs import LogSigns
from outwarden.events import Diagnosis, ListAnswer, Signal

_NO_SIGNS = LogSigns()
_ALONE = Shape()


def diagnose(
    answers: Sequence[ListAnswer],
    signs: LogSigns | None = None,
    *,
    shape: Shape = _ALONE,
    history: Sequence[ListingPeriod] = (),
    conditions: Mapping[str, str] | None = None,
) -> Diagnosis:
    """Say what all the answers about one target mean.

    ``signs`` is what the logs say, ``shape`` how it stands among other targets asked at the same time
    (``shapes``), ``history`` what was listed when, ``conditions`` the words of each list, by id, on
    how one gets off it.
    """
    book = rulebook()
    signs = signs or _NO_SIGNS
    answers = as_neighbourhood(answers, shape) if shape.whole_network else answers
    evidence = weigh(answers, signs, history, book)
    applying = applying_rules(evidence, book)
    first = applying[0]
    # Nobody can say "not ours" of what was not asked.
    sure = evidence.coverage >= ENOUGH_MAJORS
    severity = max((rule.severity for rule in applying), key=SEVERITIES.index)
    again = {
        answer.list: reason
        for answer in answers
        if (reason := delisting_blocked(history, evidence.target, answer.list)) is not None
    }
    steps = [
        *words.about_accounts(signs.accused),
        *(step for rule in applying for step in rule.next_steps),
        *words.about_shape(shape),
        *([] if sure else words.cures(evidence, book)),
        *words.about_delisting(answers, conditions or {}, again),
    ]
    return Diagnosis(
        cause=first.cause,
        ours=first.ours if sure or first.ours is not False else None,
        verdict=_verdict(first, severity, evidence),
        severity=severity,
        because=(*words.reasons(evidence, shape, book), *again.values()),
        next_steps=tuple(dict.fromkeys(steps)),
        coverage=evidence.coverage,
        rules=tuple(rule.name for rule in applying),
        pauses=_pauses(applying, evidence, book),
    )


def applying_rules(evidence: Evidence, book: Rulebook) -> list[Rule]:
    """Return every rule that applies, in the order of the table; there is always one."""
    found = evidence.classes
    return [
        rule
        for rule in book.rules
        if rule.fits(found) and all(CONDITIONS[name](evidence, book) for name in rule.conditions)
    ]


def _verdict(rule: Rule, severity: str, evidence: Evidence) -> str:
    if not evidence.classes or severity == SEVERITIES[-1]:
        return rule.verdict
    return rule.verdict + words.reservation(evidence)


def _pauses(applying: Sequence[Rule], evidence: Evidence, book: Rulebook) -> tuple[str, ...]:
    """Return what to pause; the word of a list whose codes are in doubt pauses nothing by itself."""
    pauses = dict.fromkeys(rule.pause for rule in applying if rule.pause is not None)
    sending = {vote.list for vote in evidence.voting_as(Signal.COMPROMISE, Signal.SPAM_SOURCE)}
    if sending and sending <= book.lists.doubted:
        pauses.pop("address", None)
    return tuple(pauses)
