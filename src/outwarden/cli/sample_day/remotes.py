"""How the remote hosts of the sample treat our mail, and from when to when we are on a blocklist."""

from random import Random

from outwarden.cli.sample_day.clock import MINUTE
from outwarden.cli.sample_day.postfix_lines import Message
from outwarden.cli.sample_day.provider import Recipient
from outwarden.cli.sample_day.replies import (
    ACCEPTED,
    BLOCKLISTED,
    CONTENT,
    FULL,
    GREYLISTED,
    NO_SUCH_DOMAIN,
    TOO_FAST,
    TOO_LARGE,
    UNKNOWN,
    UNREACHABLE,
    Wording,
)

_FAULTS = {
    "unknown": UNKNOWN,
    "full": FULL,
    "no-domain": NO_SUCH_DOMAIN,
    "large": TOO_LARGE,
    "dead": UNREACHABLE,
}


class Remotes:
    """The judges at the other end.

    A listing meets everybody: while we are listed, a domain that asks Spamhaus refuses the
    honest accounts as well as the thief.
    """

    def __init__(self, chance: Random, listed_from: int, listed_until: int) -> None:
        self._chance = chance
        self._listed_from, self._listed_until = listed_from, listed_until
        self._busy: dict[str, tuple[int, int]] = {}

    def judge(self, message: Message, recipient: Recipient, attempt: int) -> Wording:
        """Return what the recipient's host answers."""
        there, draw = recipient.destination, self._chance.random
        if recipient.fault:
            return self._chance.choice(_FAULTS[recipient.fault])
        if there is None:
            return ACCEPTED[0]
        if there.asks_spamhaus and self._listed_from <= message.now < self._listed_until and draw() < 0.9:
            return self._chance.choice(BLOCKLISTED)
        if message.envelope.spam and draw() < message.envelope.spam:
            return self._chance.choice(CONTENT)
        if self._too_fast(recipient.address, message.now) and draw() < 0.6:
            return self._chance.choice(TOO_FAST)
        if there.greylists and not attempt and draw() < 0.3:
            return self._chance.choice(GREYLISTED)
        if draw() < (0.006 if not attempt else 0.3):
            return self._chance.choice(UNREACHABLE)
        return ACCEPTED[sum(map(ord, there.domain)) % len(ACCEPTED)]

    def _too_fast(self, address: str, now: int) -> bool:
        """Say whether one mailbox has got more than ten messages within a minute."""
        since, count = self._busy.get(address, (now, 0))
        if now - since > MINUTE:
            since, count = now, 0
        self._busy[address] = (since, count + 1)
        return count >= 10
