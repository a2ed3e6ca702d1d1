"""The reasons of a diagnosis in sentences, and the steps that depend on which lists they are about."""

from collections.abc import Iterable, Mapping, Sequence

from outwarden.detection.diagnosis.conditions import ENOUGH_MAJORS
from outwarden.detection.diagnosis.evidence import Evidence, Vote
from outwarden.detection.diagnosis.rulebook import Rulebook
from outwarden.detection.diagnosis.shape import Shape
from outwarden.events import ListAnswer, ListAnswerKind, Signal, WhyNot

_MOST_NAMED = 6


def reasons(evidence: Evidence, shape: Shape, book: Rulebook) -> list[str]:
    """Return why, heaviest first: listings, refusals, the shape, and what could not be asked."""
    order = {signal: place for place, signal in enumerate(Signal)}
    votes = sorted(evidence.votes, key=lambda vote: (min(order[signal] for signal in vote.signals), vote.list))
    lines = [_of_vote(vote) for vote in votes]
    lines += [
        f"{answer.list} has it, which counts for nothing by itself{_codes(answer.codes, answer.meaning)}"
        for answer in evidence.without_vote
    ]
    lines += _of_log(evidence)
    lines += _of_shape(shape)
    lines.append(coverage(evidence))
    return lines + _of_not_asked(evidence.not_asked, book)


def coverage(evidence: Evidence) -> str:
    """Return how many of the major lists the diagnosis rests on."""
    if not evidence.majors:
        return "no major list was asked"
    lists = "list" if evidence.majors == 1 else "lists"
    return f"{evidence.majors_answered} of {evidence.majors} major {lists} answered"


def reservation(evidence: Evidence) -> str:
    """Return what a verdict must add where too few major lists answered to exclude anything worse."""
    if evidence.coverage >= ENOUGH_MAJORS:
        return ""
    return f"; {coverage(evidence)}, so that worse cannot be excluded"


def cures(evidence: Evidence, book: Rulebook) -> list[str]:
    """Return what to do about the major lists that could not be asked, by why they could not."""
    return [
        f"{book.why_not[why].cure} ({_named(answer.list for answer in missing)})"
        for why, missing in _by_why(answer for answer in evidence.not_asked if answer.major)
    ]


def about_accounts(accused: Sequence[str]) -> list[str]:
    """Return the first step of all: the accounts that the log accuses."""
    if not accused:
        return []
    return [
        f"Contain {_named(accused)} first, whom the log accuses: refuse submission, reset the password, "
        "end open logins, hold queued mail"
    ]


def about_shape(shape: Shape) -> list[str]:
    """Return the step that several addresses on one list ask for."""
    if not shape.shared:
        return []
    return ["Look for one account or customer whose mail leaves through all of these addresses (a pool of smarthosts)"]


def about_delisting(
    answers: Iterable[ListAnswer], conditions: Mapping[str, str], again: Mapping[str, str]
) -> list[str]:
    """Return, for each list that has the target, the way off it, or why it must not be asked again now."""
    steps = []
    for answer in answers:
        if answer.answer is not ListAnswerKind.LISTED or not answer.signals:
            continue
        if answer.list in again:
            steps.append(f"Ask for no delisting at {answer.list} now: {again[answer.list]}")
            continue
        how = [part for part in (answer.delisting, conditions.get(answer.list)) if part]
        if how:
            steps.append(f"Delisting from {answer.list}, once the cause is gone: {'; '.join(how)}")
    return steps


def _of_vote(vote: Vote) -> str:
    classes = " and ".join(signal.value for signal in Signal if signal in vote.signals)
    if vote.by_refusals:
        return f"{classes}: remotes refuse mail over {vote.list}, which could not be asked"
    return f"{classes}: {vote.list}{_codes(vote.codes, vote.meaning)}"


def _codes(codes: Sequence[str], meaning: str) -> str:
    said = " ".join(codes)
    return f" ({said}{': ' if said and meaning else ''}{meaning})" if said or meaning else ""


def _of_log(evidence: Evidence) -> list[str]:
    lines = [
        f"the log has {seen.count} refusals that name {seen.list}, which could not be asked"
        for seen in evidence.unknown_refusals
    ]
    lines += [
        f"the log has {seen.count} refusals that name {seen.list}, until {seen.last:%Y-%m-%d %H:%M} UTC: an old event"
        for seen in evidence.settled
    ]
    return lines if evidence.relaying is None else [*lines, f"the log shows relaying: {evidence.relaying}"]


def _of_shape(shape: Shape) -> list[str]:
    lines = [f"the whole /24 around it is on {name}" for name in sorted(shape.whole_network)]
    lines += [
        f"{len(others) + 1} of {shape.among} addresses are on {name} at once ({_named(others)}): "
        "a shared account or a pool of smarthosts"
        for name, others in shape.shared.items()
    ]
    return lines


def _of_not_asked(answers: Iterable[ListAnswer], book: Rulebook) -> list[str]:
    return [
        f"could not ask {_named(answer.list for answer in missing)}: {book.why_not[why].words}"
        for why, missing in _by_why(answers)
    ]


def _by_why(answers: Iterable[ListAnswer]) -> list[tuple[WhyNot, list[ListAnswer]]]:
    found: dict[WhyNot, list[ListAnswer]] = {}
    for answer in sorted(answers, key=lambda answer: not answer.major):
        found.setdefault(answer.why_not or WhyNot.TIMEOUT, []).append(answer)
    return list(found.items())


def _named(names: Iterable[str]) -> str:
    """Return a few names, and how many more there are."""
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - _MOST_NAMED} more" if len(every) > _MOST_NAMED else ""
    return ", ".join(every[:_MOST_NAMED]) + more
