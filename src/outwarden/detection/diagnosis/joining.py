"""What lists say of the server's own addresses and domains, joined with what its logs say."""

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from outwarden.detection.assessment import Assessment, NextStep
from outwarden.events import Cause, Diagnosis, Finding, ListAnswer, Verdict

RULE = "blocklists"
_SPAM_LEAVES = frozenset({Cause.COMPROMISE, Cause.OPEN_RELAY, Cause.CONTENT})
_POINTS = {"critical": 3.0, "high": 2.0}
_ENOUGH_TO_DOUBT = 2.0
_FEW = 8


class TargetListings(msgspec.Struct, frozen=True):
    """Everything the lists say of one target, and what it means; an answer need not name the target again."""

    target: str
    answers: tuple[ListAnswer, ...]
    diagnosis: Diagnosis


def joined(assessment: Assessment, listings: Sequence[TargetListings]) -> Assessment:
    """Return the assessment with each target's diagnosis among its reasons and next steps.

    The log of a mail server may be clean while a host behind its address is not, or while spam goes
    past it: listings that say so turn *no* and *unknown* into *maybe*, and never into *yes*.
    """
    findings = _findings(listings)
    steps = dict.fromkeys(
        NextStep(f"{one.target}: {step}" if len(listings) > 1 else step, None)
        for one in listings
        for step in one.diagnosis.next_steps
    )
    verdict, because = assessment.verdict, (*assessment.because, *findings)
    if verdict in (Verdict.NO, Verdict.UNKNOWN) and any(one.points >= _ENOUGH_TO_DOUBT for one in findings):
        # What the verdict rests on is told first.
        verdict, because = Verdict.MAYBE, tuple(sorted(because, key=lambda one: one.points < _ENOUGH_TO_DOUBT))
    return replace(assessment, verdict=verdict, because=because, next_steps=(*assessment.next_steps, *steps))


def _findings(listings: Sequence[TargetListings]) -> list[Finding]:
    """Return a reason for each target; of many, those that are clean are only counted."""
    clean = sum(one.diagnosis.cause is Cause.CLEAN for one in listings)
    if len(listings) <= _FEW or not clean:
        return [_finding(one) for one in listings]
    told = [_finding(one) for one in listings if one.diagnosis.cause is not Cause.CLEAN]
    return [*told, Finding(RULE, 0.0, f"{clean} of {len(listings)} addresses and domains: clean", None, ())]


def _finding(listings: TargetListings) -> Finding:
    diagnosis = listings.diagnosis
    points = _POINTS.get(diagnosis.severity, 0.0) if diagnosis.cause in _SPAM_LEAVES else 0.0
    return Finding(RULE, points, f"{listings.target}: {diagnosis.verdict}", None, diagnosis.because)
