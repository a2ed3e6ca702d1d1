"""The containment benchmark's events as ours, and our decisions as the benchmark's.  No judgement of its own.

    cd ../shared/containment
    PYTHONPATH=.:PROJECT:PROJECT/src python -m containment --detector bench.containment:make --seeds 1,2 --operator

The benchmark needs numpy; the project does not.
"""

from __future__ import annotations

from datetime import UTC, datetime

from containment.world import SCORED_FROM

from containment import Base, Decision, DeliveryResult, Submission
from outwarden.detection.live import Judge
from outwarden.events import AccountKind, Action, ComplaintReceived, Link, LinkKind, Submitted
from outwarden.events import Decision as Ours

_KINDS = {kind.value: kind for kind in LinkKind}
_DECISIONS = {
    Action.ACCEPT: Decision.ALLOW,
    Action.HOLD: Decision.HOLD,
    Action.DEFER: Decision.DEFER,
    Action.BLOCK: Decision.BLOCK,
}


class Outwarden(Base):
    """The judge of the service with its default policy, told what the benchmark tells."""

    name = "outwarden"

    def __init__(self) -> None:
        self._judge = Judge()
        # The benchmark's warm-up is the clean history that a site begins with.
        self._judge.learn_until(SCORED_FROM)

    def on_submit(self, submission: Submission) -> Decision:
        """Ask about one message."""
        decision = self._judge.submit(_submitted(submission))
        if decision.action is Action.BLOCK:
            self._block(submission.account, decision)
        return _DECISIONS[decision.action]

    def on_result(self, result: DeliveryResult) -> None:
        """Pass on what remotes answered."""
        account = str(result.account)
        answers = (result.accepted, result.unknown, result.refused)
        self._block(result.account, self._judge.answered(account, result.time, *answers))

    def on_complaint(self, account: int, time: float) -> None:
        """Pass on a complaint."""
        at = datetime.fromtimestamp(time, UTC)
        event = ComplaintReceived(at=at, host="world", account=str(account), kind=AccountKind.LOGIN)
        self._block(account, self._judge.complained(event))

    def on_timer(self, account: int, time: float) -> int:
        """Ask how many held recipients may go."""
        release = self._judge.release(str(account), time, self.control.held(account))
        self._block(account, release.decision)
        return release.recipients

    def on_pass(self, account: int, time: float) -> None:
        """Pass on that a person released the held mail."""
        self._judge.passed(str(account), time)

    def on_unblock(self, account: int, time: float) -> None:
        """Pass on that the account was given back."""
        self._judge.unblocked(str(account), time, wrongly_blocked=True)

    def _block(self, account: int, decision: Ours | None) -> None:
        if decision is not None:
            self.control.block(account, "; ".join(finding.text for finding in decision.findings))


def _submitted(s: Submission) -> Submitted:
    smtp = s.origin == "smtp"
    return Submitted(
        at=datetime.fromtimestamp(s.time, UTC),
        host="world",
        queue_id=f"{s.id:x}",
        account=str(s.account),
        kind=AccountKind.LOGIN if smtp else AccountKind.LOCAL,
        client_address=f"{s.ip:x}" if smtp else None,
        recipients=len(s.recipients),
        size=s.size,
        recipient_addresses=tuple([f"{recipient:x}" for recipient in s.recipients]),
        fingerprint=f"{s.text:x}",
        links=tuple([Link(_KINDS[kind], f"{target:x}", age, listed) for kind, target, age, listed in s.links]),
        filter_verdict=s.spam_verdict,
        reply=s.is_reply,
        foreign_from=s.foreign_sender,
        network=f"AS{s.asn:x}" if smtp else None,
        country=f"{s.country}" if smtp else None,
        client_listed=s.on_exploit_list,
    )


def make() -> Outwarden:
    """Return a fresh detector."""
    return Outwarden()
