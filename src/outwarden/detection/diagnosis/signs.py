"""What the logs say that bears on a diagnosis: refusals that name a list, a relay, accused accounts."""

import msgspec

from outwarden.detection.assessment import Assessment, ListingSeen
from outwarden.detection.relaying import OPEN_RELAY
from outwarden.events import Standing

_ACCUSED = frozenset({Standing.HELD, Standing.BLOCKED})


class LogSigns(msgspec.Struct, frozen=True):
    """``relaying`` says in words who relays through this server without a login; ``accused`` names
    the accounts that would be held or blocked, the worst first.
    """

    listings_seen: tuple[ListingSeen, ...] = ()
    relaying: str | None = None
    accused: tuple[str, ...] = ()


def log_signs(assessment: Assessment) -> LogSigns:
    """Return what an assessment of the logs has to say."""
    relays = [finding.text for finding in assessment.because if finding.rule == OPEN_RELAY]
    return LogSigns(
        listings_seen=assessment.listings_seen,
        relaying=relays[0] if relays else None,
        accused=tuple(account.account for account in assessment.accounts if account.standing in _ACCUSED),
    )
