"""The verdict in words: one word and one sentence, the same on the terminal and on the page."""

from datetime import datetime
from itertools import islice
from typing import NamedTuple

from outwarden.cli.rendering import duration, number, plain, stamp
from outwarden.detection.assessment import AccountAssessment, Assessment
from outwarden.events import RefusalClass, Standing, Verdict

_CLAIMS = {
    Verdict.YES: "this server is sending spam",
    Verdict.MAYBE: "this server could be sending spam",
    Verdict.NO: "this server is not sending spam",
    Verdict.UNKNOWN: "the log shows too little to tell",
}
EXIT_CODES = {Verdict.NO: 0, Verdict.MAYBE: 1, Verdict.YES: 2, Verdict.UNKNOWN: 3}
"""What ``check`` tells a monitor: OK, WARNING, CRITICAL, UNKNOWN."""


class Headline(NamedTuple):
    """``YES`` and ``this server is sending spam: rosa@isp.example, since ...``."""

    word: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.word}, {self.sentence}"


def headline(assessment: Assessment) -> Headline:
    """Return the verdict of an assessment in words."""
    verdict = assessment.verdict
    sentence = _CLAIMS[verdict]
    if verdict in (Verdict.NO, Verdict.UNKNOWN):
        return Headline(verdict.upper(), f"{sentence}: {_what_was_seen(assessment)}")
    if who := _named(assessment):
        sentence += f": {who[0]}" + _others(len(who) - 1)
    elif assessment.because:
        sentence += f": {plain(assessment.because[0].text)}"
    if assessment.since is not None:
        sentence += f", since {stamp(assessment.since)}"
        if assessment.to_at is not None:
            sentence += f" ({duration(assessment.to_at - assessment.since)})"
    return Headline(verdict.upper(), sentence)


def _named(assessment: Assessment) -> list[str]:
    """Return whom the sentence is about: an account that is only held has not been found to send spam."""
    suspects = accused(assessment)
    blocked = [account for account in suspects if account.standing is Standing.BLOCKED]
    return [plain(account.account) for account in blocked or suspects]


def _others(count: int) -> str:
    return "" if count == 0 else f" and {count} other{'s' if count > 1 else ''}"


def _what_was_seen(assessment: Assessment) -> str:
    messages = sum(account.messages for account in assessment.accounts)
    seen = f"{number(messages)} messages by {number(len(assessment.accounts))} accounts"
    return f"{seen}, {period(assessment)}" if assessment.from_at else seen


def period(assessment: Assessment) -> str:
    """Return from when to when the log goes: ``2026-11-22 00:00 to 2026-11-23 10:52 UTC``."""
    if assessment.from_at is None or assessment.to_at is None:
        return "no time at all"
    return f"{assessment.from_at:%Y-%m-%d %H:%M} to {stamp(assessment.to_at)}"


def accused(assessment: Assessment) -> tuple[AccountAssessment, ...]:
    """Return the accounts that would be blocked, and those that would be held, most points first."""
    if assessment.verdict not in (Verdict.YES, Verdict.MAYBE):
        return ()
    return tuple(account for account in assessment.accounts if account.standing in (Standing.BLOCKED, Standing.HELD))


def next_in_line(assessment: Assessment, most: int) -> list[AccountAssessment]:
    """Return accounts of ours that are not accused, most points first.

    Senders outside, whose mail only came in, answer no question here.
    """
    suspects = accused(assessment)
    ours = (account for account in assessment.accounts if account.ours and account not in suspects)
    return list(islice(ours, most))


def unknown_recipients(account: AccountAssessment) -> int:
    """Return how many recipients of an account the remotes did not know."""
    return account.refused.get(RefusalClass.UNKNOWN_RECIPIENT, 0)


def refused_otherwise(account: AccountAssessment) -> int:
    """Return how many of an account's recipients were refused for another reason."""
    return sum(account.refused.values()) - unknown_recipients(account)


def clock(at: datetime | None, now: datetime | None) -> str:
    """Return a time in few letters: the clock on the last day of the log, the day before that."""
    if at is None:
        return ""
    return f"{at:%H:%M}" if now is not None and at.date() == now.date() else f"{at:%m-%d}"
