"""What a blocklist answered, and what many answers together mean.

A question to a list has three answers, never two: listed, not listed, and *could not ask*, with
the reason.  Only the first two say anything about the address or domain that was asked about.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class ListAnswerKind(StrEnum):
    """Is it listed?"""

    LISTED = "listed"
    NOT_LISTED = "not-listed"
    COULD_NOT_ASK = "could-not-ask"


class WhyNot(StrEnum):
    """Why a list could not be asked, or why its answer was not believed."""

    REFUSED = "refused"
    TIMEOUT = "timeout"
    CANARY_FAILED = "canary-failed"
    DEAD = "dead"
    NEEDS_KEY = "needs-key"
    REWRITTEN = "rewritten"


class ListScope(StrEnum):
    """What a listing is about: one address, the range or network around it, a domain, a URL."""

    ADDRESS = "address"
    RANGE = "range"
    AS = "as"
    DOMAIN = "domain"
    URL = "url"


class Signal(StrEnum):
    """The class of evidence as which a listing votes in a diagnosis."""

    COMPROMISE = "compromise"
    SPAM_SOURCE = "spam-source"
    NETBLOCK = "netblock"
    POLICY = "policy"
    DOMAIN = "domain"
    ABUSED_DOMAIN = "abused-domain"
    REPUTATION = "reputation"
    NEIGHBOURHOOD = "neighbourhood"
    BACKSCATTER = "backscatter"


class ListAnswer(msgspec.Struct, frozen=True, gc=False):
    """One list's answer about one target (an address, domain or URL as its operator wrote it).

    ``list`` is the short id of the list and ``zone`` its name in the DNS, with ``<key>`` where a
    key would stand.  ``codes`` are the addresses answered, ``meaning`` what the list says they
    mean, ``text`` its TXT record.  ``signals`` is empty where the listing votes for nothing (and
    where another list already gave the same vote); ``major`` lists count for coverage.
    ``ttl_seconds`` is how long the answer may be remembered, ``delisting`` the page for it (a URL).
    Without garbage collection, as no answer can refer to itself: a sweep makes hundreds of thousands.
    """

    target: str
    list: str
    zone: str
    answer: ListAnswerKind
    codes: tuple[str, ...] = ()
    meaning: str = ""
    scope: ListScope = ListScope.ADDRESS
    text: str | None = None
    why_not: WhyNot | None = None
    signals: tuple[Signal, ...] = ()
    major: bool = False
    asked_at: datetime | None = None
    ttl_seconds: int | None = None
    delisting: str | None = None


class Cause(StrEnum):
    """What the answers of all lists together mean."""

    CLEAN = "clean"
    COMPROMISE = "compromise"
    OPEN_RELAY = "open-relay"
    BULK_REPUTATION = "bulk-reputation"
    BACKSCATTER = "backscatter"
    NEIGHBOURHOOD = "neighbourhood"
    NETBLOCK = "netblock"
    WRONG_ROLE = "wrong-role"
    CONTENT = "content"
    UNCLEAR = "unclear"
    COULD_NOT_ASK = "could-not-ask"


class Diagnosis(msgspec.Struct, frozen=True):
    """The meaning of a combination of answers, and what to do about it.

    ``ours`` is False where others must act (the network's owner) and None where the answers do
    not say.  ``verdict`` is one sentence; ``severity`` one of ``info low medium high critical``.
    ``coverage`` is the share, 0 to 1, of the configured major lists that gave a believed answer.
    ``rules`` are the names of the rules that apply, the deciding one first.  ``pauses`` says what to
    hold until the cause is gone: ``address`` (its whole outbound flow), ``suspects`` (the suspect
    accounts), ``content`` (messages that carry the domain or URL).
    """

    cause: Cause
    ours: bool | None
    verdict: str
    severity: str
    because: tuple[str, ...]
    next_steps: tuple[str, ...]
    coverage: float
    rules: tuple[str, ...] = ()
    pauses: tuple[str, ...] = ()
