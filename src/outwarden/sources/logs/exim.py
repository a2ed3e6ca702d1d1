"""Exim's main log becomes events: who submitted what, and what became of each recipient.

Read are the main log as Exim writes it (with or without milliseconds, zone and pid) and the same
lines through syslog, with 16 or 23 character message IDs.  ``exim_lines`` takes the lines apart;
here a message's lines are joined.

What a reader of the events must know:

- A ``<=`` line tells the number of recipients only with ``log_selector = +received_recipients``.
  Without it the message is held back together with its deliveries until it is completed, 50 other
  messages have arrived, or ``finish`` is called; its ``recipients`` is then the number of distinct
  recipients seen in its delivery lines, too small for a message let go before its last first try.
  What may come from a content filter is held back in any case.
  ``finish`` may be called on a quiet log to see what is held back; reading goes on after it.
- A message that a content filter on this host hands back under a new ID keeps its account and is
  submitted once.  It is recognised by the same envelope sender and the new ID in the filter's
  reply; or by the same sender and Message-ID, coming from this host by another way than the first,
  which is still open (a list manager hands in one message in several parts, all by the same way).
  The delivery into the filter is no attempt.  A filter that hides both is not seen through.
- A cut-through delivery (``>>``) stands in the log before the message's ``<=`` line and is reported
  after it.
- ``script`` is the directory that Exim's ``cwd=`` line names (``log_selector = +arguments``) for
  the same pid, or without pids for the next local submission; the X-PHP-Originating-Script that an
  ACL wrote for the message; or the local user.
"""

from collections import deque
from datetime import datetime

import msgspec
from msgspec.structs import replace

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
from outwarden.sources.logs.exim_known import is_known
from outwarden.sources.logs.exim_lines import (
    LINES,
    RECOGNISED,
    Arrival,
    Attempt,
    arrival,
    deferral,
    delivery,
    failed_login,
    failure,
    header,
    new_id,
    service,
    silent_login,
)
from outwarden.sources.logs.saved_state import Numbered, SavedState, decoded, encoded, numbered
from outwarden.sources.logs.stamps import MalformedStamp, Stamps
from outwarden.sources.refusals import classify_cached

_RECEIVED = ("<=", "(=")
_DELIVERED = ("=>", "->", ">>")
_FAILED = ("==", "**")

_NEVER_FROM_A_FILTER = ("login", "network", "local")
_FURTHER_MESSAGES = 50
_MOST_OPEN = 200_000
_REMEMBERED_SCRIPTS = 200
_PHP_SCRIPT = "X-PHP-Originating-Script: "
# Exim's calls of itself are no submissions: deliver, queue run, daemon, error message.
_OWN_CALLS = (" -Mc ", " -q", " -bd", " -E")


def is_exim(block: str) -> bool:
    """Say whether the block has lines of Exim."""
    return RECOGNISED.search(block) is not None


# What a Submitted has before and behind the number of recipients.
_Submission = tuple[
    tuple[datetime, str, str, str, AccountKind, str | None, str],
    tuple[int, str | None, str | None, str | None, str],
]


class _Held(msgspec.Struct, array_like=True, eq=False):
    """A submission whose recipients or origin are not known yet, and the events that must follow it."""

    submission: _Submission | None
    listed: int
    arrived: int
    recipients: set[str] = msgspec.field(default_factory=set)
    later: list[Attempted | BounceReturned] = msgspec.field(default_factory=list)


class _Message(msgspec.Struct, array_like=True, eq=False):
    """What must be known of a message until it is completed."""

    account: str
    kind: AccountKind
    sender: str
    way_in: str = ""
    message_id: str = ""
    held: _Held | None = None
    owns_held: bool = True
    last_deferral: tuple[RefusalClass, bool] | None = None
    filtered: bool = False


# Deliveries that stand before their message's arrival: when, on which host, what, and the line.
_Early = list[tuple[datetime, str, Attempt, str]]


class _State(SavedState):
    """``messages`` are saved without what they hold, each with the number of that: two may hold the same."""

    lines_understood: int
    lines_not_understood: int
    messages: list[tuple[_Message, int | None]]
    held: list[_Held]
    open: dict[str, int]
    by_message_id: dict[str, int]
    waiting: list[int]
    arrivals: int
    early: dict[str, _Early]
    scripts: dict[str, str]


# The log begins in the middle of this message's life.
_UNSEEN = _Message("", AccountKind.ADDRESS, "")


class EximLog:
    """Reads Exim's lines; see the module for what its events promise."""

    def __init__(self, stamps: Stamps) -> None:
        self.lines_understood = 0
        self.lines_not_understood = 0
        self._stamps = stamps
        self._open: dict[str, _Message] = {}
        self._by_message_id: dict[str, _Message] = {}
        self._waiting: deque[_Held] = deque()
        self._arrivals = 0
        self._early: dict[str, _Early] = {}
        self._scripts: dict[str, str] = {}
        self._events: list[Event] = []

    def feed(self, block: str) -> list[Event]:
        """Return the events that this block completes; a held message's come together."""
        self._events = []
        understood = lines = 0
        read_stamp = self._stamps.read
        for line, stamp, syslog, pid, queue_id, flag, rest in LINES.findall(block):
            lines += 1
            if flag == "Completed":
                self._complete(queue_id)
                understood += 1
                continue
            host = ""
            if syslog:
                stamp, host, syslog_pid = header(syslog)
                pid = pid or syslog_pid
            try:
                at = read_stamp(_without_blank(stamp) if stamp[-6:-5] == " " else stamp)
            except MalformedStamp:
                continue
            if flag:
                understood += self._message_line(at, host, queue_id, flag, rest, line, pid)
            else:
                understood += self._other_line(at, host, queue_id, rest, line, pid)
        self.lines_understood += understood
        self.lines_not_understood += lines - understood
        return self._events

    def finish(self) -> list[Event]:
        """Return the events still held back; open messages stay open."""
        self._events = []
        while self._waiting:
            self._release(self._waiting.popleft())
        for queue_id in list(self._early):
            self._report_early(queue_id)
        return self._events

    def saved(self) -> bytes:
        """Return what is known of the messages that are not completed."""
        messages: Numbered[_Message] = Numbered()
        held: Numbered[_Held] = Numbered()
        open_ = {queue_id: messages.number(message) for queue_id, message in self._open.items()}
        by_message_id = {name: messages.number(message) for name, message in self._by_message_id.items()}
        apart: list[tuple[_Message, int | None]] = [
            (replace(message, held=None), held.number(message.held)) if message.held else (message, None)
            for message in messages.things
        ]
        waiting = [held.number(one) for one in self._waiting]
        state = _State(
            self.lines_understood, self.lines_not_understood, apart, held.things, open_, by_message_id, waiting,
            self._arrivals, self._early, self._scripts,
        )  # fmt: skip
        return encoded(state)

    def restore(self, saved: bytes) -> None:
        """Know what was saved, and nothing else.  Raises ``MalformedState``."""
        state = decoded(saved, _State)
        messages = [message for message, _ in state.messages]
        for message, number in state.messages:
            message.held = None if number is None else numbered(state.held, number)
        self.lines_understood, self.lines_not_understood = state.lines_understood, state.lines_not_understood
        self._open = {queue_id: numbered(messages, number) for queue_id, number in state.open.items()}
        self._by_message_id = {name: numbered(messages, number) for name, number in state.by_message_id.items()}
        self._waiting = deque(numbered(state.held, number) for number in state.waiting)
        self._arrivals, self._early, self._scripts = state.arrivals, state.early, state.scripts

    def _message_line(self, at: datetime, host: str, queue_id: str, flag: str, rest: str, line: str, pid: str) -> bool:
        if flag in _DELIVERED:
            done = delivery(rest)
            if done is None:
                return is_known(f"{flag} {rest}")
            if flag == ">>" and queue_id not in self._open:
                self._early.setdefault(queue_id, []).append((at, host, done, line))
                if len(self._early) > _FURTHER_MESSAGES:
                    self._report_early(next(iter(self._early)))
            else:
                self._deliver(at, host, queue_id, done, line)
        elif flag in _RECEIVED:
            came = arrival(rest)
            if came is None:
                return False
            self._arrive(at, host, queue_id, came, line, pid)
        elif flag in _FAILED:
            tried = deferral(rest) if flag == "==" else failure(rest)
            if tried is None:
                return rest.startswith("mua_wrapper ")
            self._fail(at, host, queue_id, flag, tried, line)
        return True

    def _arrive(self, at: datetime, host: str, queue_id: str, came: Arrival, line: str, pid: str) -> None:
        self._arrivals += 1
        self._release_old()
        if queue_id in self._open:
            self._complete(queue_id)
        first = self._filtered_from(came)
        if first is not None:
            self._go_on(queue_id, first, came)
        else:
            self._submit(at, host, queue_id, came, line, pid)
        if came.answers:
            self._notify(at, host, came.answers, queue_id, line)
        self._report_early(queue_id)

    def _submit(self, at: datetime, host: str, queue_id: str, came: Arrival, line: str, pid: str) -> None:
        sender = _sender(came)
        message = _Message(*_who(came, sender), sender, came.way_in)
        message.message_id = came.message_id or f"E{queue_id}"
        self._open[queue_id] = self._by_message_id[message.message_id] = message
        script = self._script(queue_id, pid) or came.local_user if came.local_user else None
        before = (at, host, queue_id, message.account, message.kind, came.client_address, sender)
        behind = (came.size, came.message_id, script, came.subject, line)
        if came.recipients and came.way_in in _NEVER_FROM_A_FILTER:
            self._events.append(Submitted(*before, came.recipients, *behind))
        else:
            message.held = _Held((before, behind), came.recipients, self._arrivals)
            self._waiting.append(message.held)

    def _filtered_from(self, came: Arrival) -> _Message | None:
        """Return the open message that a content filter on this host hands back as this one."""
        if came.way_in in ("login", "network") or not came.message_id:
            return None
        first = self._by_message_id.get(came.message_id)
        if first is None and came.message_id.startswith("E"):
            # Exim makes a missing Message-ID from its own ID of the message, and does not log it.
            first = self._by_message_id.get(came.message_id.partition("@")[0])
        if first is None or first.way_in == came.way_in or first.sender != _sender(came):
            return None
        return first

    def _go_on(self, queue_id: str, first: _Message, came: Arrival) -> None:
        first.filtered = True
        message = _Message(first.account, first.kind, first.sender, came.way_in)
        message.held, message.owns_held = first.held, False
        # A second filter finds the message under the same Message-ID, the last hand first.
        message.message_id = came.message_id or first.message_id
        self._open[queue_id] = self._by_message_id[message.message_id] = message

    def _deliver(self, at: datetime, host: str, queue_id: str, done: Attempt, line: str) -> None:
        message = self._open.get(queue_id, _UNSEEN)
        recipient = _mailbox(done.recipient)
        if self._went_into_filter(message, done):
            if message.held is not None and message.owns_held:
                message.held.recipients.add(recipient)
            return
        self._tell(
            message, recipient,
            Attempted(
                at, host, queue_id, message.account, message.kind, recipient, Outcome.DELIVERED, None,
                done.reply, done.relay, None, done.original, message.sender, None, None, done.outbound, line,
            ),
        )  # fmt: skip

    def _went_into_filter(self, message: _Message, done: Attempt) -> bool:
        if done.outbound or message is _UNSEEN:
            return False
        if message.filtered:
            return True
        next_id = new_id(done.reply) if done.relay else None
        after = self._open.get(next_id) if next_id else None
        if after is None or after.held is None or not after.owns_held or after.held.submission is None:
            return False
        if after is message or after.sender != message.sender or after.kind is AccountKind.LOGIN:
            return False
        self._take_over(message, after, after.held)
        return True

    def _take_over(self, message: _Message, after: _Message, held: _Held) -> None:
        """Give a message that was taken for a new one to the account that really submitted it."""
        message.filtered = True
        after.account, after.kind = message.account, message.kind
        held.submission = None
        after.held, after.owns_held = message.held, False
        kept = message.held is not None and message.held.submission is not None
        target = message.held.later if message.held and kept else self._events
        target += [replace(e, account=message.account, kind=message.kind) for e in held.later]

    def _fail(self, at: datetime, host: str, queue_id: str, flag: str, tried: Attempt, line: str) -> None:
        message = self._open.get(queue_id, _UNSEEN)
        refusal = classify_cached(tried.reply, domain_of(message.sender))
        refusal_class, outbound = refusal.refusal_class, tried.outbound
        if flag == "==":
            outcome = Outcome.DEFERRED
            if message is not _UNSEEN:
                message.last_deferral = refusal_class, outbound
        elif "retry timeout exceeded" in tried.reply:
            # The line says only that time is up; why, the last deferral said.
            outcome = Outcome.EXPIRED
            refusal_class, outbound = message.last_deferral or (refusal_class, outbound)
        else:
            outcome = Outcome.BOUNCED
        recipient = _mailbox(tried.recipient)
        self._tell(
            message, recipient,
            Attempted(
                at, host, queue_id, message.account, message.kind, recipient, outcome, refusal_class,
                tried.reply, tried.relay, refusal.status, tried.original, message.sender,
                refusal.list, refusal.listed, outbound, line,
            ),
        )  # fmt: skip

    def _notify(self, at: datetime, host: str, failed_id: str, notification_id: str, line: str) -> None:
        failed = self._open.get(failed_id, _UNSEEN)
        returned = BounceReturned(at, host, failed_id, failed.account, failed.kind, notification_id, line)
        self._tell(failed, None, returned)

    def _tell(self, message: _Message, recipient: str | None, event: Attempted | BounceReturned) -> None:
        """Report an event, or keep it behind its message's submission."""
        if message.held is None or message.held.submission is None:
            message.held = None
            self._events.append(event)
            return
        if recipient is not None and message.owns_held:
            message.held.recipients.add(recipient)
        message.held.later.append(event)

    def _complete(self, queue_id: str) -> None:
        message = self._open.pop(queue_id, None)
        if message is None:
            return
        if self._by_message_id.get(message.message_id) is message:
            del self._by_message_id[message.message_id]
        if message.held is not None and message.owns_held:
            self._release(message.held)

    def _release_old(self) -> None:
        waiting = self._waiting
        if len(self._open) > _MOST_OPEN:
            self._complete(next(iter(self._open)))
        while waiting and (waiting[0].submission is None or waiting[0].arrived + _FURTHER_MESSAGES < self._arrivals):
            self._release(waiting.popleft())

    def _release(self, held: _Held) -> None:
        submission = held.submission
        if submission is None:
            return
        held.submission = None
        before, behind = submission
        self._events.append(Submitted(*before, held.listed or len(held.recipients), *behind))
        self._events.extend(held.later)
        held.later = []

    def _report_early(self, queue_id: str) -> None:
        for at, host, done, line in self._early.pop(queue_id, ()):
            self._deliver(at, host, queue_id, done, line)

    def _script(self, queue_id: str, pid: str) -> str:
        by_message = self._scripts.pop(queue_id, "")
        return by_message or self._scripts.pop(f"[{pid}]", "")

    def _other_line(self, at: datetime, host: str, queue_id: str, rest: str, line: str, pid: str) -> bool:
        if rest.startswith("cwd="):
            directory, _, call = rest[4:].partition(" args: ")
            if not any(mark in f"{call} " for mark in _OWN_CALLS):
                self._remember_script(f"[{pid}]", directory.rpartition(" ")[0])
            return True
        script = rest.partition(_PHP_SCRIPT)[2].partition(" ")[0]
        if script and queue_id:
            self._remember_script(queue_id, script)
            return True
        refused = failed_login(rest)
        entered = None if refused else silent_login(rest) if rest.startswith("no MAIL in ") else None
        if refused or entered:
            login, address = refused or entered or ("", None)
            self._events.append(
                Login(at, host, login and mailbox(login), refused is None, service(rest), address, line)
            )
            return True
        return is_known(rest)

    def _remember_script(self, key: str, script: str) -> None:
        self._scripts[key] = script
        if len(self._scripts) > _REMEMBERED_SCRIPTS:
            del self._scripts[next(iter(self._scripts))]


def _who(came: Arrival, sender: str) -> tuple[str, AccountKind]:
    if came.login:
        return _mailbox(came.login), AccountKind.LOGIN
    if not sender:
        return "<>", AccountKind.NULL
    return sender, AccountKind.LOCAL if came.local_user else AccountKind.ADDRESS


def _mailbox(address: str) -> str:
    return address if address.islower() else mailbox(address)


def _sender(came: Arrival) -> str:
    return "" if came.sender == "<>" else _mailbox(came.sender)


def _without_blank(stamp: str) -> str:
    """Return a stamp with its zone joined to it, as RFC 3339 has it."""
    return stamp[:-6] + stamp[-5:]
