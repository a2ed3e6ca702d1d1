"""What lists say of the server's own addresses and domains, joined with what its logs say."""

from collections.abc import Mapping

from msgspec.structs import replace

from outwarden.detection.assessment import Assessment, NextStep
from outwarden.events import Cause, Diagnosis, Finding, Verdict

RULE = "blocklists"
_SPAM_LEAVES = frozenset({Cause.COMPROMISE, Cause.OPEN_RELAY, Cause.CONTENT})
_POINTS = {"critical": 3.0, "high": 2.0}
_ENOUGH_TO_DOUBT = 2.0


def joined(assessment: Assessment, diagnoses: Mapping[str, Diagnosis]) -> Assessment:
    """Return the assessment with each target's diagnosis among its reasons and next steps.

    The log of a mail server may be clean while a host behind its address is not, or while spam goes
    past it: listings that say so turn *no* and *unknown* into *maybe*, and never into *yes*.
    """
    findings = tuple(_finding(target, diagnosis) for target, diagnosis in diagnoses.items())
    steps = dict.fromkeys(
        NextStep(f"{target}: {step}" if len(diagnoses) > 1 else step, None)
        for target, diagnosis in diagnoses.items()
        for step in diagnosis.next_steps
    )
    verdict = assessment.verdict
    doubtful = [finding for finding in findings if finding.points >= _ENOUGH_TO_DOUBT]
    if doubtful and verdict in (Verdict.NO, Verdict.UNKNOWN):
        verdict = Verdict.MAYBE
    return replace(
        assessment,
        verdict=verdict,
        because=(*assessment.because, *findings),
        next_steps=(*assessment.next_steps, *steps),
    )


def _finding(target: str, diagnosis: Diagnosis) -> Finding:
    points = _POINTS.get(diagnosis.severity, 0.0) if diagnosis.cause in _SPAM_LEAVES else 0.0
    return Finding(RULE, points, f"{target}: {diagnosis.verdict}", None, diagnosis.because)
