"""What accounts share: links, texts and client addresses, and which of their users are suspicious.

A link that many accounts use is a campaign only if most of its users are suspicious themselves; a
circular that a whole university passes on is none.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from xxhash import xxh3_64_intdigest

from outwarden.detection.live.record import AccountRecord

DAY = 86_400
MOST_SHARED = 100_000
MOST_USERS = 16
REMEMBERED = 30 * DAY


class Shared(msgspec.Struct, array_like=True, gc=False):
    """One thing that messages carry: when first and last seen, its first users, and which of them were suspicious.

    ``blocked``: one of them was blocked over it.  There are many of these, and of tuples of text the garbage
    collector need not look at any.
    """

    first_at: float
    last_at: float
    users: tuple[str, ...]
    more_users: bool = False
    suspicious: tuple[str, ...] = ()
    blocked: bool = False

    def suspicious_beside(self, account: str) -> int:
        """Return how many users other than this one are suspicious, 0 where they are not at least half of all."""
        others = len(self.suspicious) - (account in self.suspicious)
        enough = 1 if self.blocked else 2
        return others if others >= enough and 2 * others >= len(self.users) - 1 and not self.more_users else 0

    @property
    def mostly_suspicious(self) -> bool:
        """Whether at least half of its users are: one thief does not make the link of others news again."""
        return bool(self.suspicious) and 2 * len(self.suspicious) >= len(self.users) and not self.more_users

    def suspect(self, account: str) -> None:
        """Note that a user of it is suspicious."""
        if account in self.users and account not in self.suspicious:
            self.suspicious += (account,)


class Things(msgspec.Struct):
    """Things of one kind by key; what was not used for longest leaves first."""

    shared: dict[int, Shared] = msgspec.field(default_factory=dict)

    def use(self, key: int, account: str, now: float) -> Shared:
        """Note that an account uses a thing, and return it."""
        shared = self.shared.pop(key, None)
        if shared is None or now - shared.last_at > REMEMBERED:
            shared = Shared(now, now, (account,))
            if len(self.shared) >= MOST_SHARED:
                del self.shared[next(iter(self.shared))]
        elif account not in shared.users:
            if len(shared.users) < MOST_USERS:
                shared.users += (account,)
            else:
                shared.more_users = True
        self.shared[key] = shared
        shared.last_at = max(shared.last_at, now)
        return shared

    def blame(self, keys: Iterable[int], account: str) -> None:
        """Note that an account was blocked that used these."""
        for key in keys:
            shared = self.shared.get(key)
            if shared is not None:
                shared.suspect(account)
                shared.blocked = True

    def absolve(self, keys: Iterable[int], account: str) -> None:
        """Take back what was held against an account and these."""
        for key in keys:
            shared = self.shared.get(key)
            if shared is not None and account in shared.suspicious:
                shared.suspicious = tuple([one for one in shared.suspicious if one != account])
                shared.blocked = shared.blocked and bool(shared.suspicious)


class Site(msgspec.Struct):
    """Everything shared; each kind has a table of its own, so that many new texts push out no old link."""

    links: Things = msgspec.field(default_factory=Things)
    texts: Things = msgspec.field(default_factory=Things)
    clients: Things = msgspec.field(default_factory=Things)

    def blame(self, record: AccountRecord) -> None:
        """Note that an account was blocked, for what it links to and writes."""
        self.links.blame(record.links, record.account)
        self.texts.blame(record.texts, record.account)

    def absolve(self, record: AccountRecord) -> None:
        """Take back what was held against an account, its links and texts."""
        self.links.absolve(record.links, record.account)
        self.texts.absolve(record.texts, record.account)


def key_of(text: str) -> int:
    """Return the key of a link, a text or a client address."""
    return xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
