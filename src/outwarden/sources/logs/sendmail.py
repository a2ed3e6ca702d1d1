"""Sendmail's log becomes events: who submitted, to whom, what became of it.

The formats are those of sendmail 8.17's source: ``logsender`` in headers.c (``from=``),
``logdelivery`` in deliver.c (``to=``), ``returntosender`` in savemail.c (``DSN:``, ``return to
sender:``, ``sender notify:``), ``smtp`` in srvrsmtp.c (``AUTH=server``, ``AUTH failure``),
``split_by_recipient`` in queue.c and ``sendall`` in deliver.c (``split:``, ``clone:``).

- Sendmail names a login once per connection, without queue ID, and a connection has a process of
  its own: so the login belongs to the ``from=`` lines of the same process and the same peer.
- A message that local mail submission hands to the daemon (``sendmail`` or ``sm-msp-queue`` to
  ``sm-mta`` over loopback), or that a content filter hands back, goes on under its new queue ID and
  is submitted once.  It is recognised by the same Message-ID and local part of the envelope
  sender, coming over loopback while the first is open.  That delivery is no attempt.
- By default Sendmail does not log that a message is gone, so a message is forgotten some time after
  as many recipients as it had are delivered or refused.  A forwarder's later lines may come too
  late for it; they then have no account.
- Our own notification has no ``from=`` line; it is submitted where the line that names it stands.
"""

import re
from datetime import datetime

import msgspec

from outwarden.events import (
    AccountKind,
    Attempted,
    BounceReturned,
    Event,
    Login,
    Outcome,
    RefusalClass,
    Submitted,
    domain_of,
    mailbox,
)
from outwarden.sources.logs.saved_state import Numbered, SavedState, decoded, encoded, numbered
from outwarden.sources.logs.sendmail_lines import (
    EXPIRED,
    IDS,
    LINES,
    NO_BOUNCE,
    NOTICE,
    OTHER_ENVELOPE,
    RECOGNISED,
    SENDER,
    delivery,
    field,
    is_known,
    is_loopback,
    is_only_queued,
    local_part,
    peer_address,
)
from outwarden.sources.logs.stamps import MalformedStamp, Stamps
from outwarden.sources.refusals import classify_cached


def is_sendmail(block: str) -> bool:
    """Say whether the block has lines of Sendmail."""
    return RECOGNISED.search(block) is not None


class _Message(msgspec.Struct, array_like=True, eq=False):
    """What must be known of a message while it may have further lines."""

    account: str
    kind: AccountKind
    sender: str
    waiting_for: int
    message_id: str = ""
    way_in: str = ""
    last_refusal: RefusalClass | None = None


class _State(SavedState):
    lines_understood: int
    lines_not_understood: int
    messages: list[_Message]
    open: dict[str, int]
    done: dict[str, int]
    by_message_id: dict[str, int]
    logins: dict[tuple[str, str], tuple[str, str]]


# The log begins in the middle of this message's life.
_UNSEEN = _Message("", AccountKind.ADDRESS, "", 0)
_MOST_OPEN = 200_000
_MOST_DONE = 2_000
_MOST_LOGINS = 20_000


class SendmailLog:
    """Reads Sendmail's lines; see the module for what its events promise."""

    def __init__(self, stamps: Stamps) -> None:
        self.lines_understood = 0
        self.lines_not_understood = 0
        self._stamps = stamps
        self._open: dict[str, _Message] = {}
        self._done: dict[str, _Message] = {}
        self._by_message_id: dict[str, _Message] = {}
        self._logins: dict[tuple[str, str], tuple[str, str]] = {}
        self._events: list[Event] = []

    def feed(self, block: str) -> list[Event]:
        """Return the events that this block of whole lines completes."""
        self._events = []
        understood = lines = 0
        for line, stamp, host, pid, queue_id, rest in LINES.findall(block):
            lines += 1
            try:
                at = self._stamps.read(stamp)
            except MalformedStamp:
                continue
            understood += self._read(at, host, pid, queue_id, rest, line)
        self.lines_understood += understood
        self.lines_not_understood += lines - understood
        return self._events

    def finish(self) -> list[Event]:
        """Return nothing: this reader holds no events back."""
        return []

    def saved(self) -> bytes:
        """Return what is known of messages that may have further lines, and who is logged in."""
        messages: Numbered[_Message] = Numbered()
        open_, done, by_message_id = (
            {name: messages.number(message) for name, message in known.items()}
            for known in (self._open, self._done, self._by_message_id)
        )
        state = _State(
            self.lines_understood, self.lines_not_understood, messages.things, open_, done, by_message_id, self._logins
        )
        return encoded(state)

    def restore(self, saved: bytes) -> None:
        """Know what was saved, and nothing else.  Raises ``MalformedState``."""
        state = decoded(saved, _State)
        self.lines_understood, self.lines_not_understood = state.lines_understood, state.lines_not_understood
        self._open, self._done, self._by_message_id = (
            {name: numbered(state.messages, number) for name, number in known.items()}
            for known in (state.open, state.done, state.by_message_id)
        )
        self._logins = state.logins

    def _read(self, at: datetime, host: str, pid: str, queue_id: str, rest: str, line: str) -> bool:
        if queue_id and rest.startswith("to="):
            return self._deliver(at, host, queue_id, rest, line)
        if queue_id and rest.startswith("from="):
            return self._arrive(at, host, pid, queue_id, rest, line)
        if rest.startswith("AUTH=server, relay="):
            self._log_in(at, host, pid, queue_id, rest, line)
            return True
        if rest.startswith("AUTH failure (") or ": possible SMTP attack: command=AUTH" in rest:
            self._refuse_login(at, host, rest, line)
            return True
        if queue_id and (notice := NOTICE.match(rest)):
            self._notify(at, host, queue_id, notice, line)
            return True
        if queue_id and (other := OTHER_ENVELOPE.match(rest)):
            self._divide(queue_id, other[1] or other[2])
            return True
        if rest.startswith("done; "):
            self._end(queue_id)
        return is_known(rest)

    # -- a message comes ---------------------------------------------------------------------------

    def _arrive(self, at: datetime, host: str, pid: str, queue_id: str, rest: str, line: str) -> bool:
        found = SENDER.match(rest)
        if found is None:
            return False
        recipients = int(found[3][:9])
        if not recipients:
            # Every recipient was refused: nothing was queued.
            return True
        fields, _, relay = rest[found.end() :].rpartition(", relay=")
        sender = "" if found[1] in ("<>", "<NONE>") else mailbox(found[1])
        message_id = field(fields, ", msgid=").strip("<>")
        address = peer_address(relay)
        login, peer = self._logins.get((host, queue_id)) or self._logins.get((host, pid)) or ("", relay)
        message = _Message(*_who(login if peer == relay else "", sender, address), sender, recipients)
        message.message_id = message_id
        message.way_in = _way_in(message.kind, address)
        first = self._by_message_id.get(message_id) if message.way_in == "loopback" and message_id else None
        if first is not None and first.way_in != "loopback" and local_part(first.sender) == local_part(sender):
            message.account, message.kind = first.account, first.kind
        else:
            script = (relay.rpartition("@")[0] or sender) if message.kind is AccountKind.LOCAL else None
            self._events.append(
                Submitted(
                    at, host, queue_id, message.account, message.kind, address, sender, recipients,
                    int(found[2][:12]), message_id or None, script, None, line,
                )
            )  # fmt: skip
        self._remember(queue_id, message)
        return True

    def _remember(self, queue_id: str, message: _Message) -> None:
        self._open[queue_id] = message
        if message.message_id:
            self._by_message_id[message.message_id] = message
        if len(self._open) > _MOST_OPEN:
            self._end(next(iter(self._open)))
        if len(self._by_message_id) > _MOST_OPEN:
            # Messages whose queue ID another has taken before they ended.
            del self._by_message_id[next(iter(self._by_message_id))]

    def _known(self, queue_id: str) -> _Message:
        return self._open.get(queue_id) or self._done.get(queue_id) or _UNSEEN

    def _settle(self, queue_id: str, message: _Message, recipients: int) -> None:
        """So many recipients of a message need no further attempt; when none is left, begin to forget it."""
        message.waiting_for -= recipients
        if message.waiting_for <= 0:
            self._end(queue_id)

    def _end(self, queue_id: str) -> None:
        message = self._open.pop(queue_id, None)
        if message is None:
            return
        if self._by_message_id.get(message.message_id) is message:
            del self._by_message_id[message.message_id]
        self._done[queue_id] = message
        if len(self._done) > _MOST_DONE:
            del self._done[next(iter(self._done))]

    def _divide(self, queue_id: str, named: str) -> None:
        """One message goes on in several envelopes."""
        message = self._known(queue_id)
        for other in IDS.findall(named):
            if message is not _UNSEEN:
                part = _Message(message.account, message.kind, message.sender, max(message.waiting_for, 1))
                self._remember(other, part)

    # -- what becomes of it ------------------------------------------------------------------------

    def _deliver(self, at: datetime, host: str, queue_id: str, rest: str, line: str) -> bool:
        tried = delivery(rest)
        if tried is None:
            return is_only_queued(rest)
        message = self._known(queue_id)
        refusal_class = status = listing = listed = None
        if tried.outcome is not Outcome.DELIVERED:
            refusal = classify_cached(tried.reply, domain_of(message.sender))
            refusal_class, listing, listed, status = refusal.refusal_class, refusal.list, refusal.listed, refusal.status
            if message is not _UNSEEN:
                message.last_refusal = refusal_class
        elif tried.handed_to and self._known(tried.handed_to) is not _UNSEEN:
            self._settle(queue_id, message, len(tried.recipients))
            return True
        self._events += [
            Attempted(
                at, host, queue_id, message.account, message.kind, mailbox(recipient), tried.outcome, refusal_class,
                tried.reply, tried.relay, tried.status or status, None, message.sender, listing, listed,
                tried.outbound, line,
            )
            for recipient in tried.recipients
        ]  # fmt: skip
        if tried.outcome is not Outcome.DEFERRED and message is not _UNSEEN:
            self._settle(queue_id, message, len(tried.recipients))
        return True

    def _notify(self, at: datetime, host: str, queue_id: str, notice: re.Match[str], line: str) -> None:
        notification_id, kind, text = notice.groups()
        message = self._known(queue_id)
        if text.startswith(EXPIRED):
            self._events.append(
                Attempted(
                    at, host, queue_id, message.account, message.kind, "", Outcome.EXPIRED, message.last_refusal,
                    text, sender=message.sender, line=line,
                )
            )  # fmt: skip
            self._end(queue_id)
        if kind != "postmaster notify" and not text.startswith(NO_BOUNCE):
            self._events.append(
                BounceReturned(at, host, queue_id, message.account, message.kind, notification_id, line)
            )
        self._events.append(Submitted(at, host, notification_id, "<>", AccountKind.NULL, recipients=1, line=line))
        self._remember(notification_id, _Message("<>", AccountKind.NULL, "", 1))

    # -- logins ------------------------------------------------------------------------------------

    def _log_in(self, at: datetime, host: str, pid: str, queue_id: str, rest: str, line: str) -> None:
        relay, _, tail = rest.removeprefix("AUTH=server, relay=").rpartition(", authid=")
        login = mailbox(tail.rpartition(", mech=")[0])
        self._logins[host, queue_id or pid] = login, relay
        if len(self._logins) > _MOST_LOGINS:
            del self._logins[next(iter(self._logins))]
        self._events.append(Login(at, host, login, True, "smtp", peer_address(relay), line))

    def _refuse_login(self, at: datetime, host: str, rest: str, line: str) -> None:
        # Whoever logs in chooses the name, which may hold what looks like a relay: the last one is Sendmail's.
        said, mark, relay = rest.rpartition(", relay=")
        login = said.partition(", user=")[2] if mark else ""
        peer = relay if mark else rest.rpartition(": possible SMTP attack")[0]
        account = mailbox(login) if login else ""
        self._events.append(Login(at, host, account, False, "smtp", peer_address(peer), line))


def _who(login: str, sender: str, address: str | None) -> tuple[str, AccountKind]:
    if login:
        return login, AccountKind.LOGIN
    if not sender:
        return "<>", AccountKind.NULL
    return sender, AccountKind.LOCAL if address is None else AccountKind.ADDRESS


def _way_in(kind: AccountKind, address: str | None) -> str:
    if kind is AccountKind.LOGIN:
        return "login"
    if address is None:
        return "local"
    return "loopback" if is_loopback(address) else "network"
