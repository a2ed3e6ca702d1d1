"""The bounds that hold for one account at one moment: lower after it was given back, and for who offends again."""

from __future__ import annotations

from typing import NamedTuple

from outwarden.detection.live.known_recipients import Unmet
from outwarden.detection.live.policy import BulkAccount, Policy
from outwarden.detection.live.record import DAY, AccountRecord
from outwarden.events import Standing


class Bounds(NamedTuple):
    """Points from which mail is held and the account blocked, the share of the usual quantity, and a declaration."""

    hold: float
    block: float
    share: float
    declared: BulkAccount | None


def bounds_of(record: AccountRecord, policy: Policy, now: float) -> Bounds:
    """Return what holds for an account now."""
    hold, block = policy.thresholds.hold, policy.thresholds.block
    share = 1.0
    if record.offences:
        recent = sum(now - at < policy.repeats.days * DAY for at in record.offences)
        earlier = min(policy.repeats.most, policy.repeats.points * recent)
        hold, block = hold - earlier, block - earlier
    if record.given_back_at:
        # A late answer may be from before probation began.
        since = max(0.0, now - record.given_back_at)
        if since >= policy.probation.days * DAY:
            _end_probation(record)
        else:
            passed = since / (policy.probation.days * DAY)
            hold -= policy.probation.points * (1.0 - passed)
            share = policy.probation.share + (1.0 - policy.probation.share) * passed
    return Bounds(hold, block, share, policy.bulk.get(record.account))


def _end_probation(record: AccountRecord) -> None:
    record.given_back_at = 0.0
    record.unmet = Unmet()
    if record.standing is Standing.PROBATION:
        record.standing = Standing.NORMAL
