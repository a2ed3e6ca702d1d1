"""Postfix's log becomes events: who submitted, to whom, what became of it.

A queue file's life is joined from the lines of several programs: smtpd or pickup say who handed it
in, cleanup its Message-ID, qmgr its envelope sender and size, the delivery agents what became of
each recipient, bounce that its sender was told.  Short queue IDs come back after ``removed``, so
state is forgotten there, and a new ``client=`` or ``uid=`` line always begins a new life.

Promises: fed any text at all, in blocks of any number of whole lines, it raises nothing and gives
the same events.  A message that a content filter hands back keeps its login (``reinjection``).

Known limits: hosts that share one file must not have the same queue ID alive at once; the reply
to a recipient that smtpd refused before there was a queue file (NOQUEUE) is no event; of more than
``_MOST_OPEN`` messages in the queue the oldest lose their account.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

import msgspec

from outwarden.events import (
    AccountKind,
    Attempted,
    BounceReturned,
    Event,
    Mailbox,
    Outcome,
    RefusalClass,
    Submitted,
    domain_of,
    mailbox,
)
from outwarden.sources.logs.postfix_lines import is_known_line, is_postfix_program
from outwarden.sources.logs.reinjection import HELD_BACK_MESSAGES, HELD_BACK_SECONDS, NEAR
from outwarden.sources.logs.saved_state import Numbered, SavedState, decoded, encoded, numbered
from outwarden.sources.logs.stamps import MalformedStamp, Stamps
from outwarden.sources.refusals import classify_cached

# Each match begins at a newline: that is what makes the search fast.  A line is either of the
# kinds that make events, with a queue ID (group 5) and what follows it (group 6), or one of the
# commonest kinds that make none, recognised here so that few lines need a second look.  Only Postfix's
# programs have a slash in their names: Sendmail's lines, which may stand between, look much like these.
_HEAD = r"\n((\d[^\n]{31}|[^\n]{15}|[^ \n]++) ([^ \n]++) ([^ \n/\[]++/[^ \n\[]++)\[\d++\]: "
_LINE = re.compile(
    _HEAD + r"(?:([0-9A-Za-z]{6,}+): "
    r"((?:client=|from=<|to=<|removed|requeued|uid=|sender non-|message-id=|(?:warning|info): header ).*+)"
    r"|(?:(?:dis)?connect from|[A-Z][a-z]+ TLS connection est|NOQUEUE: |statistics: |CONNECT from|DISCONNECT|"
    r"PASS |DNSBL rank|addr ).*+))"
)
_OTHER_LINE = re.compile(r"\n(?:\d[^\n]{31}|[^\n]{15}|[^ \n]++) [^ \n]++ ([^ \n\[]++)\[\d++\]: (.*+)")
_ATTEMPT = re.compile(
    r"to=<([^>]*+)>, (?>orig_to=<([^>]*+)>, |)relay=([^,]*+), (?>conn_use=\d++, |)delay=[^,]*+, "
    r"(?>delays=[^,]*+, |)(?>tls=[^,]*+, |)(?>dsn=([^,]*+), |)status=(\w++) \((.*+)"
)
_ODD_ATTEMPT = re.compile(
    r"to=<((?>(?:(?!>, (?:orig_to=<|relay=)).)*))>, (?>(?:orig_to=<((?>(?:(?!>, relay=).)*))>, )?)relay=([^,]*+), "
    r"(?:[^s][^,]*+, )*?(?:dsn=([^,]*+), )?status=(\w++) \((.*+)"
)
_LONGEST_ODD = 8192
_TAKEN_UP = re.compile(r"from=<([^>]*+)>, size=(\d{1,18}+), nrcpt=(\d{1,9}+)")
_ODD_TAKEN_UP = re.compile(r"from=<(.*)>, size=(\d{1,18}+), nrcpt=(\d{1,9}+)")
_HEADER = re.compile(r"\w++: header (Subject|X-PHP-Originating-Script): (.*) from [^ ]*?; from=<", re.I)
_OUTCOMES = {
    "sent": Outcome.DELIVERED,
    "deferred": Outcome.DEFERRED,
    "bounced": Outcome.BOUNCED,
    # soft_bounce = yes: the agent meant to bounce, the mail stays queued.
    "SOFTBOUNCE": Outcome.DEFERRED,
}
_MOST_OPEN = 200_000
_MOST_NOT_TAKEN_UP = 50_000
_MOST_REMEMBERED = 20_000
_NO_HEADERS: dict[str, str] = {}

_Known = TypeVar("_Known")
# Line, stamp, host, program, queue ID, what follows it (the last two None for a line without event),
# and the lines passed over after it.
_Found = tuple[str, str, str, str, str, str | None, str]
# Account (empty where only the envelope sender tells), kind, client address, earlier queue ID.
_Submitter = tuple[str, AccountKind, str | None, str]
_HELD_BACK = timedelta(seconds=HELD_BACK_SECONDS)
_LOGIN, _LOCAL, _ADDRESS, _NULL = AccountKind.LOGIN, AccountKind.LOCAL, AccountKind.ADDRESS, AccountKind.NULL


def is_postfix(block: str) -> bool:
    """Say whether the block has a line that Postfix may have written."""
    return "/qmgr[" in block or "/smtpd[" in block or "/smtp[" in block or "postfix" in block


class _Message(msgspec.Struct, array_like=True, eq=False):
    """A queue file that the queue manager has taken up.

    ``held`` are events held back while this may turn out to be another message come back.
    """

    account: str
    kind: AccountKind
    sender: str
    last_refusal: RefusalClass | None = None
    held: list[Event] | None = None


class _State(SavedState):
    lines_understood: int
    lines_not_understood: int
    handed_in: dict[str, tuple[str, str]]
    message_ids: dict[str, str]
    headers: dict[str, dict[str, str]]
    messages: list[_Message]
    open: dict[str, int]
    held_back: dict[str, tuple[int, datetime]]
    claimed: dict[str, tuple[int, list[Event]]]
    come_back: dict[str, int]


class PostfixLog:
    """Reads Postfix's log.  ``stamps`` must be this reader's own: it follows the order of time."""

    def __init__(self, stamps: Stamps) -> None:
        self.lines_understood = 0
        self.lines_not_understood = 0
        self.passed_over = ""
        """Of the last block, the lines of other programs, and those of Postfix that make no event."""
        self._stamps = stamps
        # What smtpd or pickup said of a queue file before the queue manager took it up, with its
        # line; what cleanup said of its Message-ID; and of the headers the site has it write down.
        self._handed_in: dict[str, tuple[str, str]] = {}
        self._message_ids: dict[str, str] = {}
        self._headers: dict[str, dict[str, str]] = {}
        # Who a client= or uid= line names: the same line comes again with every message.
        self._submitters: dict[str, _Submitter] = {}
        self._messages: dict[str, _Message] = {}
        self._held_back: dict[str, tuple[_Message, datetime]] = {}
        # Deliveries that name a queue ID which is handed in but not yet taken up: who delivered, and
        # the deliveries as they count if that turns out to be another message after all.
        self._claimed: dict[str, tuple[_Message, list[Event]]] = {}
        self._come_back: dict[str, _Message] = {}
        self._mailboxes: dict[str, Mailbox] = {}
        self._events: list[Event] = []

    def feed(self, block: str) -> list[Event]:
        """Return the events that this block of whole lines completes."""
        # One pass gives both: the lines that matter, each in its groups, and between them the rest.
        pieces = _LINE.split("\n" + block)
        self._read(zip(*[iter(pieces[1:])] * 7, strict=False))
        self.lines_understood += len(pieces) // 7
        rest = "".join(pieces[::7])
        self.passed_over = rest[1:]
        if "/" in rest:
            self._look_again(rest)
        self._forget_oldest()
        events, self._events = self._events, []
        return events

    def finish(self) -> list[Event]:
        """Return the events of messages still held back; nobody will claim them now."""
        for queue_id in list(self._held_back):
            self._let_go(queue_id)
        for _, delivered in self._claimed.values():
            self._events += delivered
        self._claimed.clear()
        events, self._events = self._events, []
        return events

    def saved(self) -> bytes:
        """Return what is known of the queue files whose end was not seen."""
        messages: Numbered[_Message] = Numbered()
        number = messages.number
        state = _State(
            self.lines_understood, self.lines_not_understood, self._handed_in, self._message_ids, self._headers,
            messages.things,
            {queue_id: number(message) for queue_id, message in self._messages.items()},
            {queue_id: (number(message), since) for queue_id, (message, since) in self._held_back.items()},
            {queue_id: (number(message), events) for queue_id, (message, events) in self._claimed.items()},
            {queue_id: number(message) for queue_id, message in self._come_back.items()},
        )  # fmt: skip
        return encoded(state)

    def restore(self, saved: bytes) -> None:
        """Know what was saved, and nothing else.  Raises ``MalformedState``."""
        state = decoded(saved, _State)
        things = state.messages
        self.lines_understood, self.lines_not_understood = state.lines_understood, state.lines_not_understood
        self._handed_in, self._message_ids, self._headers = state.handed_in, state.message_ids, state.headers
        self._messages = {queue_id: numbered(things, number) for queue_id, number in state.open.items()}
        self._held_back = {
            queue_id: (numbered(things, number), since) for queue_id, (number, since) in state.held_back.items()
        }
        self._claimed = {
            queue_id: (numbered(things, number), events) for queue_id, (number, events) in state.claimed.items()
        }
        self._come_back = {queue_id: numbered(things, number) for queue_id, number in state.come_back.items()}

    def _read(self, lines: Iterator[_Found]) -> None:
        while True:
            try:
                self._read_lines(lines)
                return
            except MalformedStamp:
                self.lines_understood -= 1
                self.lines_not_understood += 1

    def _read_lines(self, lines: Iterator[_Found]) -> None:
        """Read the lines that are left.  This loop is hot: what is rare is elsewhere."""
        messages, handed_in, message_ids = self._messages, self._handed_in, self._message_ids
        for line, stamp, host, program, queue_id, rest, _ in lines:
            if rest is None:
                continue
            first = rest[0]
            if first == "t":
                self._attempt(line, stamp, host, program, queue_id, rest)
            elif first == "f":
                if queue_id in handed_in or queue_id not in messages:
                    self._take_up(line, stamp, host, queue_id, rest)
                elif rest.endswith("expired, returned to sender"):
                    self._expire(line, stamp, host, queue_id)
            elif first == "m":
                message_ids[queue_id] = rest
            elif first == "r":
                if messages.pop(queue_id, None) is None:
                    handed_in.pop(queue_id, None)
            elif first == "c" or first == "u":
                handed_in[queue_id] = (rest, line)
            elif first == "s":
                self._bounce(line, stamp, host, queue_id, rest)
            else:
                self._header(queue_id, rest)

    # -- the life of a message ---------------------------------------------------------------------

    def _take_up(self, line: str, stamp: str, host: str, queue_id: str, rest: str) -> None:
        """The queue file becomes active for the first time: settle whose it is, and say so."""
        submission, submission_line = self._handed_in.pop(queue_id, ("", line))
        taken = _TAKEN_UP.match(rest) or _ODD_TAKEN_UP.match(rest)
        if taken is None:
            self._expire_unseen(line, stamp, host, queue_id, rest)
            return
        at = self._stamps.read(stamp)
        if self._held_back:
            self._let_go_of_old(at)
        written, size, recipients = taken.groups()
        sender = self._mailboxes.get(written) or self._mailbox(written) if written else ""
        account, kind, client, origin = self._submitters.get(submission) or self._submitter(submission)
        message_id = self._message_ids.pop(queue_id, "")[11:].strip("<>") or None
        may_be_handed_back = kind is _ADDRESS and (client.startswith(NEAR) if client else bool(sender))
        if not account:
            account, kind = (sender, kind) if sender else ("<>", _NULL)
        message = self._messages[queue_id] = _Message(account, kind, sender)
        if queue_id in self._claimed and self._was_claimed(queue_id, message):
            return
        if origin and self._comes_back_from(origin, message, queue_id):
            return
        if may_be_handed_back:
            self._hold_back(message, queue_id, at)
        headers = self._headers.pop(queue_id, _NO_HEADERS) if self._headers else _NO_HEADERS
        submitted = Submitted(
            at, host, queue_id, account, kind, client, sender, int(recipients), int(size), message_id,
            headers.get("x-php-originating-script"), headers.get("subject"), submission_line,
        )  # fmt: skip
        (self._events if message.held is None else message.held).append(submitted)

    def _submitter(self, rest: str) -> _Submitter:
        """Read a ``client=`` or ``uid=`` line."""
        if len(self._submitters) >= _MOST_REMEMBERED:
            self._submitters.clear()
        submitter = self._submitters[rest] = self._read_submitter(rest)
        return submitter

    def _read_submitter(self, rest: str) -> _Submitter:
        if rest.startswith("uid="):
            return "", _LOCAL, None, rest.partition(" orig_id=")[2]
        if not rest:
            return "", _ADDRESS, None, ""
        opened = rest.find("[") + 1
        at = rest.find(", sasl_username=", opened)
        if at > 0:
            return self._mailbox(rest[at + 16 :].partition(", ")[0]), _LOGIN, rest[opened : rest.find("]", opened)], ""
        at = rest.find(", orig_client=", opened)
        if at > 0:
            opened = rest.find("[", at) + 1
        client = rest[opened : rest.find("]", opened)]
        return "", _ADDRESS, client, rest.partition(", orig_queue_id=")[2].partition(", ")[0]

    def _attempt(self, line: str, stamp: str, host: str, program: str, queue_id: str, rest: str) -> None:
        tried = _ATTEMPT.match(rest) or _ODD_ATTEMPT.match(rest[:_LONGEST_ODD])
        if tried is None:
            return
        recipient, original, relay, status, word, reply = tried.groups()
        outcome = _OUTCOMES.get(word)
        if outcome is None:
            return
        message = self._messages.get(queue_id) or self._known(queue_id)
        reply = reply.removesuffix(")")
        at = self._stamps.read(stamp)
        refusal_class = listing = listed = None
        if outcome is not Outcome.DELIVERED:
            refusal = classify_cached(reply, domain_of(message.sender))
            refusal_class, listing, listed = refusal.refusal_class, refusal.list, refusal.listed
            message.last_refusal = refusal_class
        elif (self._held_back or self._come_back) and self._went_to_filter(message, queue_id, reply):
            return
        attempted = Attempted(
            at, host, queue_id, message.account, message.kind,
            recipient if recipient.islower() else mailbox(recipient),
            outcome, refusal_class, reply, None if relay == "none" else relay, status,
            original, message.sender, listing, listed, program.endswith("/smtp") and "[127." not in relay, line,
        )  # fmt: skip
        if (
            (self._handed_in or reply.startswith("forwarded as "))
            and outcome is Outcome.DELIVERED
            and self._claims(message, queue_id, reply, attempted)
        ):
            return
        if message.held is None:
            self._events.append(attempted)
        else:
            message.held.append(attempted)

    def _bounce(self, line: str, stamp: str, host: str, queue_id: str, rest: str) -> None:
        message = self._messages.get(queue_id) or self._known(queue_id)
        notification = rest.rpartition(" ")[2]
        at = self._stamps.read(stamp)
        self._emit(message, BounceReturned(at, host, queue_id, message.account, message.kind, notification, line))

    def _expire(self, line: str, stamp: str, host: str, queue_id: str) -> None:
        message = self._messages[queue_id]
        at = self._stamps.read(stamp)
        expired = Attempted(
            at, host, queue_id, message.account, message.kind, "", Outcome.EXPIRED, message.last_refusal,
            sender=message.sender, line=line,
        )  # fmt: skip
        self._emit(message, expired)

    def _expire_unseen(self, line: str, stamp: str, host: str, queue_id: str, rest: str) -> None:
        """A message is given up whose earlier lines lie before this log begins."""
        if not rest.endswith("expired, returned to sender"):
            return
        written = rest[6:].partition(">")[0]
        sender = self._mailbox(written) if written else ""
        self._messages[queue_id] = _Message(sender or "<>", _ADDRESS if sender else _NULL, sender)
        self._expire(line, stamp, host, queue_id)

    def _known(self, queue_id: str) -> _Message:
        """Return the message of this queue ID; one without account where its beginning was not seen."""
        message = self._messages.get(queue_id)
        if message is None:
            message = self._messages[queue_id] = _Message("", _ADDRESS, "")
        return message

    def _header(self, queue_id: str, rest: str) -> None:
        """A header that the site's header_checks write to the log, before the message is taken up."""
        header = _HEADER.match(rest[:_LONGEST_ODD])
        if header is not None and queue_id in self._handed_in:
            self._headers.setdefault(queue_id, {})[header[1].lower()] = header[2]

    def _emit(self, message: _Message, event: Event) -> None:
        (self._events if message.held is None else message.held).append(event)

    # -- messages that a content filter may hand back ----------------------------------------------

    def _hold_back(self, message: _Message, queue_id: str, at: datetime) -> None:
        if queue_id in self._held_back:
            self._let_go(queue_id)
        if len(self._held_back) >= HELD_BACK_MESSAGES:
            self._let_go(next(iter(self._held_back)))
        message.held = []
        self._held_back[queue_id] = (message, at)

    def _let_go(self, queue_id: str) -> None:
        """Nobody claimed it: it is a message of its own."""
        message, _ = self._held_back.pop(queue_id)
        self._events += message.held or ()
        message.held = None

    def _let_go_of_old(self, at: datetime) -> None:
        for queue_id, (_, since) in list(self._held_back.items()):
            if at - since <= _HELD_BACK:
                return
            self._let_go(queue_id)

    def _went_to_filter(self, message: _Message, queue_id: str, reply: str) -> bool:
        """Say whether this delivery was one to a content filter, and join the two messages if so."""
        new_id = reply.rpartition(" as ")[2].rstrip(")")
        back = self._come_back.get(new_id)
        if back is not None and back is message:
            return True
        handed_back, _ = self._held_back.get(new_id, (None, None))
        if handed_back is None or handed_back.sender != message.sender or handed_back is message:
            return False
        del self._held_back[new_id]
        # What a filter hands back is surely a message of its own before.
        if queue_id in self._held_back:
            self._let_go(queue_id)
        held, handed_back.held = handed_back.held or [], None
        handed_back.account, handed_back.kind = message.account, message.kind
        for event in held:
            if not isinstance(event, Submitted):
                joined = msgspec.structs.replace(event, account=message.account, kind=message.kind)
                self._emit(message, joined)
        self._remember_come_back(new_id, message)
        return True

    def _claims(self, message: _Message, queue_id: str, reply: str, delivered: Event) -> bool:
        """Keep a delivery that names a message which is handed in but not yet taken up, and so unknown.

        On a quick machine the filter's answer is logged before the queue manager's first line.
        """
        new_id = reply.rpartition(" as ")[2].rstrip(")")
        if new_id not in self._handed_in:
            if not reply.startswith("forwarded as "):
                return False
        elif not _may_be_a_filters(self._handed_in[new_id][0]):
            return False
        if queue_id in self._held_back:
            self._let_go(queue_id)
        if len(self._claimed) >= HELD_BACK_MESSAGES:
            self._events += self._claimed.pop(next(iter(self._claimed)))[1]
        self._claimed.setdefault(new_id, (message, []))[1].append(delivered)
        return True

    def _was_claimed(self, queue_id: str, message: _Message) -> bool:
        """A message is taken up that a delivery named before: say whether it is that one come back."""
        before, delivered = self._claimed.pop(queue_id)
        if before.sender != message.sender:
            self._events += delivered
            return False
        message.account, message.kind = before.account, before.kind
        self._remember_come_back(queue_id, before)
        return True

    def _comes_back_from(self, origin: str, message: _Message, queue_id: str) -> bool:
        """The queue file itself names the one that it was before."""
        if origin in self._held_back:
            self._let_go(origin)
        before = self._come_back.get(origin) or self._messages.get(origin)
        if before is None:
            return False
        message.account, message.kind = before.account, before.kind
        self._remember_come_back(queue_id, before)
        return True

    def _remember_come_back(self, queue_id: str, message: _Message) -> None:
        if len(self._come_back) >= HELD_BACK_MESSAGES:
            del self._come_back[next(iter(self._come_back))]
        self._come_back[queue_id] = message

    # -- what is rare ------------------------------------------------------------------------------

    def _look_again(self, lines: str) -> None:
        """Count the lines of Postfix that the fast pattern passed over, by whether we know them."""
        for program, message in _OTHER_LINE.findall(lines):
            if not is_postfix_program(program):
                continue
            if is_known_line(message):
                self.lines_understood += 1
            else:
                self.lines_not_understood += 1

    def _forget_oldest(self) -> None:
        """Forget what is never taken up (refused after all) and what never ends (a lost line)."""
        _keep_newest(self._messages, _MOST_OPEN)
        _keep_newest(self._handed_in, _MOST_NOT_TAKEN_UP)
        _keep_newest(self._message_ids, _MOST_NOT_TAKEN_UP)
        _keep_newest(self._headers, _MOST_NOT_TAKEN_UP)

    def _mailbox(self, text: str) -> Mailbox:
        """Return the mailbox; the same text gives the same object, which saves memory and time."""
        known = self._mailboxes.get(text)
        if known is None:
            if len(self._mailboxes) >= _MOST_REMEMBERED:
                self._mailboxes.clear()
            known = self._mailboxes[text] = mailbox(text)
        return known


def _keep_newest(known: dict[str, _Known], most: int) -> None:
    """Where there are more than so many, drop the oldest and a tenth more, so that this is seldom done."""
    if len(known) > most:
        for queue_id in list(islice(known, len(known) - most + most // 10)):
            del known[queue_id]


def _may_be_a_filters(submission: str) -> bool:
    """Say whether a client= line is one of a content filter: near, without a login, whoever it speaks for."""
    near = submission.startswith(NEAR, submission.find("[") + 1)
    return submission.startswith("client=") and near and ", sasl_username=" not in submission
