"""The story of one account on a replay: what was handed in, what became of it, and the turns it took."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from datetime import UTC, datetime

from outwarden.detection.replay.outcome import DAY, AccountOutcome, Cost, Fates, HourOfMail, Turn, What
from outwarden.detection.replay.tape import Message
from outwarden.events import AccountKind, Action, Decision

SUSPICIOUS_FROM = 3.0
"""Points at which ``check`` calls an account watched."""
FIVE_MINUTES = 300
MOST_TURNS = 50
_HOUR = 3600
_ROW = 4
_ACCEPTED, _HELD, _REFUSED = 1, 2, 3


class Story:
    """Keeps count of one account.

    Messages handed in before ``scored_from`` were learned from and are not counted.  ``stolen_from`` is since when a
    stolen account is known to be in strange hands; without it all its mail is a stranger's.
    """

    def __init__(
        self, account: str, kind: AccountKind, scored_from: float, stolen: bool, stolen_from: float | None
    ) -> None:
        self.account, self.kind = account, kind
        self.stolen, self.stolen_from = stolen, stolen_from
        self.messages, self.recipients, self.cost = Fates(), Fates(), Cost()
        self._scored_from = scored_from
        self._turns: list[Turn] = []
        self._more_turns = 0
        self._suspicious_from: float | None = None
        self._counted_from: float | None = stolen_from
        self._at, self._handed_in = array("d"), array("q", [0])
        self._left_at, self._left = array("d"), array("q")
        self._hours = array("q")
        self._hold_days: set[int] = set()

    def is_stolen(self, at: float) -> bool:
        """Say whether mail of that moment is a stranger's."""
        return self.stolen and (self.stolen_from is None or at >= self.stolen_from)

    # -- a message is handed in

    def handed_in(self, message: Message, now: float) -> None:
        """Count a message before anything is decided about it."""
        if now < self._scored_from:
            return
        self.messages.submitted += 1
        self.recipients.submitted += message.recipients
        self._at.append(now)
        self._handed_in.append(self._handed_in[-1] + message.recipients)
        self.cost.messages += not self.is_stolen(now)

    def judged(self, decision: Decision, now: float) -> None:
        """Note since when the account is suspicious without a pause."""
        if decision.action is Action.ACCEPT and decision.points < SUSPICIOUS_FROM:
            self._suspicious_from = None
        elif self._suspicious_from is None:
            self._suspicious_from = now

    def accept(self, message: Message, now: float) -> None:
        """It leaves at once."""
        self._count_hour(now, _ACCEPTED, message.recipients)
        if now >= self._scored_from:
            self.messages.left += 1
            self._leaves(message.recipients, now)

    def hold(self, message: Message, now: float) -> None:
        """It has to wait."""
        self._count_hour(now, _HELD, message.recipients)
        if now >= self._scored_from and not self.is_stolen(now):
            self._hold_days.add(int(now) // DAY)

    def refuse(self, message: Message, now: float) -> None:
        """It is not taken."""
        self._count_hour(now, _REFUSED, message.recipients)
        if now >= self._scored_from:
            self.messages.refused += 1
            self.recipients.refused += message.recipients
            self._never(now)

    def defer(self, message: Message, now: float) -> None:
        """It is put off, and does not come back."""
        self._count_hour(now, _HELD, message.recipients)
        if now >= self._scored_from:
            self.messages.deferred += 1
            self.recipients.deferred += message.recipients
            self._never(now)

    # -- a message that waited

    def leave(self, message: Message, recipients: int) -> None:
        """Some of its recipients leave."""
        if (at := message.submitted.at.timestamp()) >= self._scored_from:
            self._leaves(recipients, at)

    def left_late(self, message: Message, now: float) -> None:
        """Its last recipient has left."""
        at = message.submitted.at.timestamp()
        if at < self._scored_from:
            return
        self.messages.left += 1
        if not self.is_stolen(at):
            self.cost.delayed += 1
            self.cost.over_five_minutes += now - at > FIVE_MINUTES
            self.cost.waited_seconds += now - at

    def drop(self, message: Message, gone: int) -> None:
        """It waited when the account was blocked; ``gone`` recipients had left."""
        if (at := message.submitted.at.timestamp()) >= self._scored_from:
            self.messages.dropped += 1
            self.recipients.dropped += message.recipients - gone
            self._never(at)

    def still_waits(self, message: Message, gone: int) -> None:
        """It is held at the very end."""
        if (at := message.submitted.at.timestamp()) >= self._scored_from:
            self.messages.waiting += 1
            self.recipients.waiting += message.recipients - gone
            self._never(at)

    # -- turns

    def turn(self, what: What, now: float, decision: Decision | None = None, by_desk: bool = False) -> None:
        """Note a turn of the story."""
        if what is What.BLOCKED and now >= self._scored_from and not self.is_stolen(now):
            self.cost.blocks += 1
        since = self._since(now, decision)
        if self._counted_from is None and (self.stolen or what is What.BLOCKED):
            self._counted_from = since
        if len(self._turns) >= MOST_TURNS:
            self._more_turns += 1
            return
        first = bisect_left(self._at, since)
        self._turns.append(
            Turn(
                what=what,
                at=datetime.fromtimestamp(now, UTC),
                by_desk=by_desk,
                messages=len(self._at) - first,
                recipients=self._handed_in[-1] - self._handed_in[first],
                left=self._left_since(since),
                points=0.0 if decision is None else decision.points,
                findings=() if decision is None else decision.findings,
                cause=None if decision is None else decision.cause,
                because=() if decision is None else decision.because,
            )
        )

    def _since(self, now: float, decision: Decision | None) -> float:
        """Return from when on this turn is counted: the theft, or the first suspicious message."""
        if self.stolen_from is not None and now >= self.stolen_from:
            return self.stolen_from
        since = self._suspicious_from if self._suspicious_from is not None else self._at[-1] if self._at else now
        for finding in () if decision is None else decision.findings:
            if finding.at is not None and finding.points > 0:
                since = min(since, finding.at.timestamp())
        # Evidence that is older than a day does not weigh.
        return max(since, now - DAY, self._scored_from)

    def told(self) -> AccountOutcome:
        """Return the whole story."""
        self.cost.hold_days = len(self._hold_days)
        since = self._counted_from if self._counted_from is not None else self._scored_from if self.stolen else None
        rows = self._hours.tolist()
        return AccountOutcome(
            account=self.account,
            kind=self.kind,
            stolen=self.stolen,
            stolen_from=_moment(self.stolen_from),
            counted_from=_moment(since),
            leaked=0 if since is None else self._left_since(since),
            turns=tuple(self._turns),
            more_turns=self._more_turns,
            messages=self.messages,
            recipients=self.recipients,
            cost=self.cost,
            hours=tuple([HourOfMail(*rows[place : place + _ROW]) for place in range(0, len(rows), _ROW)]),
        )

    # -- counting

    def _count_hour(self, now: float, column: int, recipients: int) -> None:
        """Count in the hour's row: the hour itself, accepted, held, refused.  Messages come in order of time."""
        hour, rows = int(now) // _HOUR, self._hours
        if not rows or rows[-_ROW] != hour:
            rows.extend((hour, 0, 0, 0))
        rows[column - _ROW] += recipients

    def _leaves(self, recipients: int, handed_in_at: float) -> None:
        self.recipients.left += recipients
        self._left_at.append(handed_in_at)
        self._left.append(recipients)

    def _left_since(self, since: float) -> int:
        """Return how many recipients of mail handed in since then have left."""
        return sum(left for at, left in zip(self._left_at, self._left, strict=True) if at >= since)

    def _never(self, handed_in_at: float) -> None:
        if not self.is_stolen(handed_in_at):
            self.cost.delayed += 1
            self.cost.over_five_minutes += 1
            self.cost.never += 1


def _moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
