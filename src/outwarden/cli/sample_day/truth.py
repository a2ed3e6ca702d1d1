"""What really happened in the sample: who sent what, what became of it, and who was robbed."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from outwarden.events import AccountKind, RefusalClass


class AccountTruth(msgspec.Struct, frozen=True):
    """The exact counts of one account; ``bounced`` counts final bounces by class.

    ``messages`` and ``recipients`` count a message once, however often a filter re-injects it.
    ``deferred_attempts`` counts attempts, not recipients.  ``expired`` counts messages.
    """

    kind: AccountKind
    messages: int
    recipients: int
    delivered: int
    deferred_attempts: int
    bounced: dict[RefusalClass, int]
    expired: int
    bounces_returned: int


class SampleTruth(msgspec.Struct, frozen=True):
    """What a perfect reader of the sample would say.

    ``start`` and ``end`` are the first and the last message of the thief, in UTC.  ``networks``
    are those the thief came from.  ``honest`` names the account that plays each honest role
    that looks like spam; the forwarder is an alias, so it stands here by its address.
    """

    compromised: str
    start: datetime
    end: datetime
    networks: frozenset[str]
    honest: dict[str, str]
    accounts: dict[str, AccountTruth]
    lines: int


@dataclass(slots=True)
class Tally:
    """The running counts of one account while the sample is written."""

    kind: AccountKind
    messages: int = 0
    recipients: int = 0
    delivered: int = 0
    deferred_attempts: int = 0
    bounced: Counter[RefusalClass] = field(default_factory=Counter)
    expired: int = 0
    bounces_returned: int = 0

    def truth(self) -> AccountTruth:
        """Return the counts as they stand."""
        return AccountTruth(
            kind=self.kind,
            messages=self.messages,
            recipients=self.recipients,
            delivered=self.delivered,
            deferred_attempts=self.deferred_attempts,
            bounced=dict(self.bounced),
            expired=self.expired,
            bounces_returned=self.bounces_returned,
        )
