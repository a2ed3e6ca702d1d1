"""The gate: what the mail server asks, is examined, looked up, judged, and answered in words.

Every way of asking ends here.  A message of a stranger, which comes in, is not looked at.  Until the accounts' history
has been read (``learning``) everything is let in.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Protocol

import msgspec

from outwarden.dns.door_lists import AboutMessage
from outwarden.events import Action, Decision, Finding, Link, LinkKind, Submitted
from outwarden.filter import Accept, AddHeader, Defer, Envelope, Hold, Refuse, Spool, Verdict
from outwarden.service.live.accounts import Accounts
from outwarden.service.live.whose import Whose, whose
from outwarden.sources.message import Envelope as MessageEnvelope
from outwarden.sources.message import Examined, TextClusters, examine, submitted

EXAMINED_AT_ONCE = 65_536
"""Bytes: what is larger is examined in another thread, so that nobody waits for it."""
_TIMES_KEPT = 2_000

_NOTHING_ASKED = AboutMessage((), (), (), (), ())


class Lists(Protocol):
    """Who asks the blocklists: ``DoorLists``."""

    async def about(
        self, client_address: str | None, links: tuple[Link, ...], urls: tuple[str, ...], attachments: tuple[str, ...]
    ) -> AboutMessage:
        """Return what is known by the deadline."""


class Consequences(Protocol):
    """Who sees to what follows from a decision: ``service.live.consequences``."""

    def blocked_words(self, account: str) -> str | None:
        """Return what the owner of an account is told that may hand nothing in; None where it may."""

    async def verdict_on(self, decision: Decision) -> Verdict:
        """Have the decision carried out as the settings want it, and return what the mail server is told."""

    def over_limit(self, event: Submitted, limit: Finding) -> Verdict:
        """Return what the mail server is told about a message that is over a limit."""


class GateCounts(msgspec.Struct):
    """What became of the messages at the gate, and how long the last of them took, in milliseconds."""

    messages: int = 0
    strangers: int = 0
    accepted: int = 0
    held: int = 0
    deferred: int = 0
    refused: int = 0
    refused_early: int = 0
    late_lists: int = 0
    took: deque[float] = msgspec.field(default_factory=lambda: deque(maxlen=_TIMES_KEPT))

    def add(self, verdict: Verdict) -> None:
        """Count what was answered."""
        self.messages += 1
        if isinstance(verdict, Accept):
            self.accepted += 1
        elif isinstance(verdict, Hold):
            self.held += 1
        elif isinstance(verdict, Defer):
            self.deferred += 1
        else:
            self.refused += 1


class Gate:
    """Decides on messages: a ``filter.Decider``."""

    def __init__(
        self,
        accounts: Accounts,
        lists: Lists | None,
        consequences: Consequences,
        clock: Callable[[], datetime],
        own_domains: tuple[str, ...] = (),
        verdict_headers: tuple[str, ...] = (),
        mark: Callable[[str, str, datetime], tuple[tuple[str, str], ...]] | None = None,
        anybody_blocked: Callable[[], bool] = lambda: True,
        listed_files: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """``verdict_headers`` are believed; ``mark`` returns the headers that a message of an account is given.

        ``anybody_blocked`` says whether it is worth while to ask about each envelope sender; ``listed_files`` returns
        the SHA-256 of what nobody is to attach.
        """
        self.counts = GateCounts()
        self.learning = False
        self._accounts, self._lists, self._consequences, self._clock = accounts, lists, consequences, clock
        self._own_addresses = tuple(f"@{domain}" for domain in own_domains)
        self._mark, self._anybody_blocked, self._listed_files = mark, anybody_blocked, listed_files
        self._verdict_headers = verdict_headers
        self._texts = TextClusters()
        self._examiner = ThreadPoolExecutor(1, "examination")

    def close(self) -> None:
        """End the thread that examines large messages."""
        self._examiner.shutdown(wait=False, cancel_futures=True)

    # -- what the doors call

    def may_refuse_senders(self) -> bool:
        """Return whether anybody may hand nothing in."""
        return self._anybody_blocked()

    def decide_sender(self, envelope: Envelope) -> Verdict:
        """Refuse at once what an account hands in that may hand nothing in."""
        who = whose(envelope)
        words = None if who is None else self._consequences.blocked_words(who.account)
        if words is None:
            return Accept()
        self.counts.refused_early += 1
        return Refuse(words)

    def decide_message(self, envelope: Envelope, message: Spool) -> Verdict | Awaitable[Verdict]:
        """Decide on a whole message."""
        who = whose(envelope)
        if who is None:
            self.counts.strangers += 1
            return Accept()
        return self._decide(who, envelope, message)

    # -- within

    async def _decide(self, who: Whose, envelope: Envelope, message: Spool) -> Verdict:
        begun = time.monotonic()
        words = self._consequences.blocked_words(who.account)
        # Who was blocked between the envelope and the end of the message, or asked only now.
        verdict = Refuse(words) if words is not None else await self._judged(who, envelope, message)
        self.counts.add(verdict)
        self.counts.took.append(1000 * (time.monotonic() - begun))
        return verdict

    async def _judged(self, who: Whose, envelope: Envelope, message: Spool) -> Verdict:
        examined = await self._examined(message)
        about = await self._looked_up(envelope, examined)
        event = self._event(who, envelope, examined, about)
        if self.learning:
            # The log will tell of it, in its turn.
            return self._accepted(event)
        limit = self._accounts.over_limit(event)
        if limit is not None:
            put_off = self._consequences.over_limit(event, limit)
            if not isinstance(put_off, Accept):
                return put_off
        decision = self._accounts.judge_at_the_gate(event)
        verdict: Verdict = Accept()
        if decision.action is not Action.ACCEPT:
            verdict = await self._consequences.verdict_on(decision)
            if isinstance(verdict, Accept) and decision.action is not Action.BLOCK:
                self._accounts.went_though_held(event)
        if isinstance(verdict, Accept | Hold):
            self._accounts.taken(event)
        if isinstance(verdict, Hold):
            return Hold(verdict.text, self._headers(event))
        return self._accepted(event) if isinstance(verdict, Accept) else verdict

    async def _examined(self, message: Spool) -> Examined:
        if message.kept <= EXAMINED_AT_ONCE:
            return examine(message.read(), self._verdict_headers)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._examiner, lambda: examine(message.read(), self._verdict_headers))

    async def _looked_up(self, envelope: Envelope, examined: Examined) -> AboutMessage:
        if self._lists is None:
            return _NOTHING_ASKED
        digests = tuple(attachment.sha256 for attachment in examined.attachments if attachment.sha256)
        about = await self._lists.about(envelope.client_address or None, examined.links, examined.urls, digests)
        now = self._clock()
        for late in about.late:
            self.counts.late_lists += 1
            self._accounts.watch.late(late, now)
        for unasked in about.could_not_ask:
            self._accounts.watch.could_not_ask(unasked, now)
        return about

    def _event(self, who: Whose, envelope: Envelope, examined: Examined, about: AboutMessage) -> Submitted:
        own = (who.account, *self._own_addresses) if self._own_addresses else ()
        event = submitted(
            examined,
            MessageEnvelope(
                at=self._clock(),
                host=self._accounts.host or envelope.host,
                queue_id=envelope.queue_id,
                account=who.account,
                kind=who.kind,
                client_address=envelope.client_address or None,
                sender=envelope.sender,
                recipients=envelope.recipients,
                own_addresses=own,
                client_listed=about.client_listed,
            ),
            self._texts.name(examined.sketch),
        )
        event = msgspec.structs.replace(
            event,
            # First, as of very many links not all are looked at.
            links=(*self._listed_attachments(examined), *(about.links or event.links)),
            recipients=max(envelope.recipient_count, len(envelope.recipients)),
            size=examined.size or envelope.announced_size,
        )
        return self._accounts.placed(event)

    def _listed_attachments(self, examined: Examined) -> list[Link]:
        if not examined.attachments or not (listed := self._listed_files()):
            return []
        found = dict.fromkeys(one.sha256 for one in examined.attachments if one.sha256 in listed)
        return [Link(LinkKind.ATTACHMENT, sha256, listed=True) for sha256 in found]

    def _accepted(self, event: Submitted) -> Accept:
        return Accept(self._headers(event))

    def _headers(self, event: Submitted) -> tuple[AddHeader, ...]:
        if self._mark is None:
            return ()
        return tuple(AddHeader(name, value) for name, value in self._mark(event.account, event.host, event.at))
