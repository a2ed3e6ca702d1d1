"""OpenSMTPD's log becomes events: who submitted, to whom, what became of it.

``opensmtpd_lines`` takes the lines apart; here a session's and a message's lines are joined.  The
first eight digits of an envelope's id are the message's.

- The number of recipients is on the message's line since 6.4; before that each recipient has a line
  of its own, all in a row, so the submission is told when the session goes on.
- What the local submission program hands in comes over a session whose address is ``local``; the
  user's name is not logged, so the account is the envelope sender.
- OpenSMTPD does not log for which message a notification is.  A message with null sender from a
  ``local`` session goes to the sender of the last message that failed and has had none yet.
- A message that a content filter on this host hands back goes on as the same message where the
  filter's reply names the new one (``77c1e5b2 Message accepted for delivery``), as a proxy's does.
  Messages from loopback without a login wait for that, until 50 others have come or ``finish``.
- The end of a message is not logged: it is forgotten some time after as many recipients as it had
  are delivered or refused.
"""

from collections import deque
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
from outwarden.sources.logs.opensmtpd_lines import LINES, RECOGNISED, Line, accepted_as, is_known, is_loopback, read
from outwarden.sources.logs.saved_state import Numbered, SavedState, decoded, encoded, numbered
from outwarden.sources.logs.stamps import MalformedStamp, Stamps
from outwarden.sources.refusals import classify_cached

_OUTCOMES = {
    "Ok": Outcome.DELIVERED,
    "TempFail": Outcome.DEFERRED,
    "PermFail": Outcome.BOUNCED,
    "Expire": Outcome.EXPIRED,
}
_LOCAL = "local"
_FURTHER_MESSAGES = 50
_MOST_OPEN = 200_000
_MOST_DONE = 2_000
_MOST_SESSIONS = 50_000
_MOST_FAILED = 10_000
_MOST_FAILED_OF_ONE = 100


def is_opensmtpd(block: str) -> bool:
    """Say whether the block has lines of OpenSMTPD."""
    return RECOGNISED.search(block) is not None


class _Session(msgspec.Struct, array_like=True, eq=False):
    """A client's connection; ``message`` is the one whose recipients are being told."""

    address: str
    login: str = ""
    message: str = ""


class _Message(msgspec.Struct, array_like=True, eq=False):
    """What must be known of a message while it may have further lines.

    ``waiting`` are events that wait until it is clear whether a content filter handed this message back.
    """

    at: datetime
    host: str
    line: str
    size: int
    account: str = ""
    kind: AccountKind = AccountKind.ADDRESS
    sender: str | None = None
    recipients: int = 0
    left: int = 0
    last_deferral: RefusalClass | None = None
    arrived: int = 0
    waiting: list[Event] | None = None


class _State(SavedState):
    lines_understood: int
    lines_not_understood: int
    all_sessions: list[_Session]
    all_messages: list[_Message]
    sessions: dict[str, int]
    untold: dict[str, tuple[int, int]]
    open: dict[str, int]
    done: dict[str, int]
    waiting: list[int]
    arrivals: int
    failed: dict[str, list[str]]


class OpenSmtpdLog:
    """Reads OpenSMTPD's lines; see the module for what its events promise."""

    def __init__(self, stamps: Stamps) -> None:
        self.lines_understood = 0
        self.lines_not_understood = 0
        self._stamps = stamps
        self._sessions: dict[str, _Session] = {}
        self._untold: dict[str, tuple[_Session, _Message]] = {}
        self._open: dict[str, _Message] = {}
        self._done: dict[str, _Message] = {}
        self._waiting: deque[_Message] = deque()
        self._arrivals = 0
        self._failed: dict[str, list[str]] = {}
        self._events: list[Event] = []

    def feed(self, block: str) -> list[Event]:
        """Return the events that this block of whole lines completes."""
        self._events = []
        understood = lines = 0
        for line, stamp, host, text in LINES.findall(block):
            lines += 1
            try:
                at = self._stamps.read(stamp)
            except MalformedStamp:
                continue
            told = read(text)
            if told is not None:
                self._take(told, at, host, line)
                understood += 1
            else:
                understood += is_known(text)
        self.lines_understood += understood
        self.lines_not_understood += lines - understood
        return self._events

    def finish(self) -> list[Event]:
        """Return the events still held back; open messages stay open."""
        self._events = []
        for message_id in list(self._untold):
            self._tell_submission(message_id, None)
        while self._waiting:
            self._release(self._waiting.popleft())
        return self._events

    def saved(self) -> bytes:
        """Return what is known of open sessions, and of messages that may have further lines."""
        sessions: Numbered[_Session] = Numbered()
        messages: Numbered[_Message] = Numbered()
        state = _State(
            self.lines_understood, self.lines_not_understood, sessions.things, messages.things,
            {name: sessions.number(session) for name, session in self._sessions.items()},
            {name: (sessions.number(one), messages.number(other)) for name, (one, other) in self._untold.items()},
            {name: messages.number(message) for name, message in self._open.items()},
            {name: messages.number(message) for name, message in self._done.items()},
            [messages.number(message) for message in self._waiting],
            self._arrivals, self._failed,
        )  # fmt: skip
        return encoded(state)

    def restore(self, saved: bytes) -> None:
        """Know what was saved, and nothing else.  Raises ``MalformedState``."""
        state = decoded(saved, _State)
        sessions, messages = state.all_sessions, state.all_messages
        self.lines_understood, self.lines_not_understood = state.lines_understood, state.lines_not_understood
        self._sessions = {name: numbered(sessions, number) for name, number in state.sessions.items()}
        self._untold = {
            name: (numbered(sessions, one), numbered(messages, other)) for name, (one, other) in state.untold.items()
        }
        self._open = {name: numbered(messages, number) for name, number in state.open.items()}
        self._done = {name: numbered(messages, number) for name, number in state.done.items()}
        self._waiting = deque(numbered(messages, number) for number in state.waiting)
        self._arrivals, self._failed = state.arrivals, state.failed

    def _take(self, told: Line, at: datetime, host: str, line: str) -> None:
        if told.what in _OUTCOMES:
            self._attempt(told, at, host, line)
        elif told.what == "message":
            self._arrive(told, at, host, line)
        elif told.what == "envelope":
            self._tell_submission(told.message, told)
        else:
            session = self._session(told)
            self._tell_submission(session.message, None)
            if told.what == "login":
                session.login = mailbox(told.user) if told.accepted else session.login
                account = mailbox(told.user) if told.user else ""
                self._events.append(Login(at, host, account, told.accepted, "smtp", _client(session.address), line))
            elif told.what == "closed":
                self._sessions.pop(told.session, None)

    def _session(self, told: Line) -> _Session:
        session = self._sessions.get(told.session)
        if session is None or told.what == "connected":
            session = self._sessions[told.session] = _Session(told.address)
            if len(self._sessions) > _MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
        return session

    # -- a message comes ---------------------------------------------------------------------------

    def _arrive(self, told: Line, at: datetime, host: str, line: str) -> None:
        session = self._session(told)
        known = self._untold.get(told.message)
        if known is not None and known[0] is session:
            # One more recipient of the same message, as versions before 6.4 tell them.
            known[1].recipients += told.recipients
            return
        self._tell_submission(session.message, None)
        session.message = told.message
        message = _Message(at, host, line, told.size)
        message.recipients = told.recipients
        message.sender = told.sender
        self._untold[told.message] = session, message
        if len(self._untold) > _MOST_SESSIONS:
            # Of a session whose end was never logged.
            self._tell_submission(next(iter(self._untold)), None)
        if told.sender == "" and session.address == _LOCAL:
            self._notify(told.message, told.recipient, message)

    def _tell_submission(self, message_id: str, envelope: Line | None) -> None:
        """Tell of a message now that its sender and the number of its recipients are known."""
        session, message = self._untold.pop(message_id, (None, None))
        if session is None or message is None:
            return
        session.message = ""
        if message.sender is None and envelope is not None:
            message.sender = envelope.sender
            if envelope.what == "envelope" and not envelope.sender and session.address == _LOCAL:
                self._notify(message_id, envelope.recipient, message)
        sender = mailbox(message.sender) if message.sender else ""
        message.sender = sender
        message.account, message.kind = _who(session, sender)
        client = _client(session.address)
        message.left = message.recipients
        self._arrivals += 1
        self._release_old()
        self._open[message_id] = message
        if message.kind is AccountKind.ADDRESS and client and is_loopback(client):
            message.waiting = []
            message.arrived = self._arrivals
            self._waiting.append(message)
        self._tell(
            message,
            Submitted(
                message.at, message.host, message_id, message.account, message.kind, client, sender,
                message.recipients, message.size, line=message.line,
            ),
        )  # fmt: skip

    def _notify(self, notification_id: str, recipient: str, notification: _Message) -> None:
        waiting = self._failed.get(mailbox(recipient))
        if not waiting:
            return
        failed_id = waiting.pop(0)
        if not waiting:
            del self._failed[mailbox(recipient)]
        failed = self._open.get(failed_id) or self._done.get(failed_id)
        if failed is not None:
            at, host, line = notification.at, notification.host, notification.line
            self._tell(failed, BounceReturned(at, host, failed_id, failed.account, failed.kind, notification_id, line))

    # -- what becomes of it ------------------------------------------------------------------------

    def _attempt(self, told: Line, at: datetime, host: str, line: str) -> None:
        self._tell_submission(told.message, told)
        message = self._open.get(told.message) or self._done.get(told.message)
        outcome = _OUTCOMES[told.what]
        if message is not None and outcome is Outcome.DELIVERED and self._went_into_filter(message, told):
            self._settle(told.message, message)
            return
        sender = mailbox(told.sender) if told.sender else ""
        refusal_class = status = listing = listed = None
        if outcome is not Outcome.DELIVERED:
            refusal = classify_cached(told.text, domain_of(sender))
            refusal_class, status = refusal.refusal_class, refusal.status
            listing, listed = refusal.list, refusal.listed
            if message is not None and outcome is Outcome.DEFERRED:
                message.last_deferral = refusal_class
            elif message is not None and outcome is Outcome.EXPIRED:
                # The line says only that time is up; why, the last deferral said.
                refusal_class = message.last_deferral or refusal_class
        attempted = Attempted(
            at, host, told.message, *((message.account, message.kind) if message else ("", AccountKind.ADDRESS)),
            mailbox(told.recipient), outcome, refusal_class, told.text, told.relay, status, told.original, sender,
            listing, listed, not told.local and not is_loopback(told.relay or ""), line,
        )  # fmt: skip
        if message is None:
            self._events.append(attempted)
            return
        self._tell(message, attempted)
        if outcome in (Outcome.BOUNCED, Outcome.EXPIRED) and sender:
            self._remember_failed(sender, told.message)
        if outcome is not Outcome.DEFERRED:
            self._settle(told.message, message)

    def _went_into_filter(self, message: _Message, told: Line) -> bool:
        next_id = accepted_as(told.text) if is_loopback(told.relay or "") else None
        after = self._open.get(next_id) or self._done.get(next_id) if next_id else None
        if after is None or after is message or after.sender != message.sender:
            return False
        if after.waiting is None:
            # It goes on as the same message already; another recipient of it went the same way.
            return after.account == message.account and after.kind is message.kind
        (_, *later), after.waiting = after.waiting, None
        after.account, after.kind = message.account, message.kind
        for event in later:
            self._tell(message, msgspec.structs.replace(event, account=message.account, kind=message.kind))
        return True

    def _tell(self, message: _Message, event: Event) -> None:
        (self._events if message.waiting is None else message.waiting).append(event)

    def _release(self, message: _Message) -> None:
        """Nobody claimed it: it is a message of its own."""
        self._events += message.waiting or ()
        message.waiting = None

    def _release_old(self) -> None:
        while self._waiting and (
            self._waiting[0].waiting is None or self._waiting[0].arrived + _FURTHER_MESSAGES < self._arrivals
        ):
            self._release(self._waiting.popleft())
        if len(self._open) > _MOST_OPEN:
            del self._open[next(iter(self._open))]

    def _remember_failed(self, sender: str, message_id: str) -> None:
        waiting = self._failed.setdefault(sender, [])
        if message_id not in waiting:
            waiting.append(message_id)
        if len(waiting) > _MOST_FAILED_OF_ONE:
            del waiting[0]
        if len(self._failed) > _MOST_FAILED:
            del self._failed[next(iter(self._failed))]

    def _settle(self, message_id: str, message: _Message) -> None:
        """One recipient needs no further attempt; when none is left, begin to forget the message."""
        message.left -= 1
        if message.left > 0 or self._open.pop(message_id, None) is None:
            return
        self._done[message_id] = message
        if len(self._done) > _MOST_DONE:
            del self._done[next(iter(self._done))]


def _who(session: _Session, sender: str) -> tuple[str, AccountKind]:
    if session.login:
        return session.login, AccountKind.LOGIN
    if not sender:
        return "<>", AccountKind.NULL
    return sender, AccountKind.LOCAL if session.address == _LOCAL else AccountKind.ADDRESS


def _client(address: str) -> str | None:
    return address if address and address != _LOCAL else None
