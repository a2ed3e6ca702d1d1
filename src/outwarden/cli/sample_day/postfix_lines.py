"""The sample's mail server: it writes the lines Postfix would write and counts the truth beside them.

Times are microseconds since the first midnight of the sample.  Stories may be told in any order;
the lines are sorted in the end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from outwarden.cli.sample_day.clock import DAY, MILLISECOND, SECOND
from outwarden.cli.sample_day.provider import HOST_NAME, OUR_ADDRESS, Client, Destination, Recipient
from outwarden.cli.sample_day.queue_ids import QueueIds
from outwarden.cli.sample_day.replies import Wording
from outwarden.cli.sample_day.truth import Tally
from outwarden.events import AccountKind, Outcome, mailbox

_LIFETIME = DAY
"""How long this provider's queue keeps trying (``maximal_queue_lifetime = 1d``)."""

_LMTP = f"{HOST_NAME}[private/dovecot-lmtp]"
_MAILMAN = "127.0.0.1[127.0.0.1]:8024"
_FILTER = "127.0.0.1[127.0.0.1]:10024"
_LOCALHOST = Client("localhost", "127.0.0.1")


class Envelope(NamedTuple):
    """What is handed in.  ``returns_to`` gets the non-delivery notifications; None: nobody does."""

    sender: str
    recipients: tuple[Recipient, ...]
    size: int
    message_id: str
    returns_to: Recipient | None
    spam: float = 0.0
    """How likely a remote is to refuse the content."""


@dataclass(slots=True)
class Session:
    """One SMTP connection of a client; ``login`` where it has logged in."""

    client: Client
    login: str | None
    now: int
    process: str
    messages: int = 0
    recipients: int = 0


@dataclass(slots=True)
class Message:
    """One message on its way; a filter may give it a second queue ID."""

    queue_id: str
    envelope: Envelope
    tally: Tally
    born: int
    now: int


Judge = Callable[[Message, Recipient, int], Wording]
"""What the remote host answers for a recipient at the given attempt (0 is the first)."""


class MailServer:
    """Postfix of the invented provider.  ``last`` is when the log ends."""

    def __init__(self, chance: Random, last: int, judge: Judge) -> None:
        self.lines: list[tuple[int, int, str]] = []
        self.tallies: dict[str, Tally] = {}
        self._chance = chance
        self._last = last
        self._judge = judge
        self._ids = QueueIds(chance)

    @property
    def queue_ids_reused(self) -> int:
        """How many queue IDs came back for a second message."""
        return self._ids.reused

    def write(self, at: int, process: str, text: str) -> None:
        """Write one line, without stamp and host."""
        self.lines.append((at, len(self.lines), f"{process}: {text}"))

    def process(self, program: str) -> str:
        """Return the program with some process number, as the log shows it."""
        return f"{program}[{self._chance.randrange(2_000, 32_000)}]"

    def connect(self, at: int, client: Client, login: str | None = None) -> Session:
        """Open a connection: to the submission service when there is a login."""
        session = Session(client, login, at, self.process("postfix/submission/smtpd" if login else "postfix/smtpd"))
        self.write(at, session.process, f"connect from {client.name}[{client.address}]")
        session.now += self._chance.randrange(30, 300) * MILLISECOND
        return session

    def disconnect(self, session: Session) -> None:
        """Close the connection."""
        session.now += self._chance.randrange(20, 80) * MILLISECOND
        login = " starttls=1 auth=1" if session.login else ""
        self.write(
            session.now,
            session.process,
            f"disconnect from {session.client.name}[{session.client.address}] ehlo=1{login} mail={session.messages}"
            f" rcpt={session.recipients} data={session.messages} quit=1"
            f" commands={2 + 2 * session.messages + session.recipients + (2 if session.login else 0)}",
        )

    def receive(self, session: Session, envelope: Envelope, filtered: bool = False) -> None:
        """Take a message over SMTP and carry it to its end."""
        queue_id = self._ids.take(session.now)
        login = f", sasl_method=PLAIN, sasl_username={session.login}" if session.login else ""
        client = f"client={session.client.name}[{session.client.address}]{login}"
        self.write(session.now, session.process, f"{queue_id}: {client}")
        session.messages += 1
        session.recipients += len(envelope.recipients)
        kind = AccountKind.LOGIN if session.login else AccountKind.ADDRESS if envelope.sender else AccountKind.NULL
        message = self._open(queue_id, session.now, envelope, session.login or mailbox(envelope.sender), kind)
        session.now = message.now + self._chance.randrange(5, 40) * MILLISECOND
        if filtered:
            self._filter(message)
        self._carry(message)

    def pick_up(self, at: int, uid: int, name: str, envelope: Envelope, header: str = "") -> None:
        """Take a message from a local program and carry it to its end; ``header`` is logged by header_checks."""
        queue_id = self._ids.take(at)
        self.write(at, self.process("postfix/pickup"), f"{queue_id}: uid={uid} from=<{name}>")
        if header:
            to = envelope.recipients[0].address
            words = f"{queue_id}: info: header {header} from local; from=<{envelope.sender}> to=<{to}>"
            self.write(at + 2 * MILLISECOND, self.process("postfix/cleanup"), words)
        self._carry(self._open(queue_id, at, envelope, mailbox(envelope.sender), AccountKind.LOCAL))

    def _open(self, queue_id: str, at: int, envelope: Envelope, account: str, kind: AccountKind) -> Message:
        tally = self.tallies.setdefault(account, Tally(kind))
        tally.messages += 1
        tally.recipients += len(envelope.recipients)
        return self._queue(Message(queue_id, envelope, tally, at, at))

    def _queue(self, message: Message) -> Message:
        message.now += self._chance.randrange(4, 60) * MILLISECOND
        text = f"{message.queue_id}: message-id=<{message.envelope.message_id}>"
        self.write(message.now, self.process("postfix/cleanup"), text)
        message.now += self._chance.randrange(4, 90) * MILLISECOND
        self._activate(message)
        return message

    def _activate(self, message: Message) -> None:
        envelope = message.envelope
        self.write(
            message.now,
            "postfix/qmgr[1187]",
            f"{message.queue_id}: from=<{envelope.sender}>, size={envelope.size},"
            f" nrcpt={len(envelope.recipients)} (queue active)",
        )
        message.now += self._chance.randrange(1, 20) * MILLISECOND

    def _filter(self, message: Message) -> None:
        """Send the message through the content filter, which hands it in again on the loopback."""
        first, entered = message.queue_id, message.now
        message.now += self._chance.randrange(100, 900) * MILLISECOND
        number = len(message.envelope.recipients)
        again = Session(_LOCALHOST, None, message.now, self.process("postfix/smtpd"), 1, number)
        self.write(again.now, again.process, "connect from localhost[127.0.0.1]")
        message.queue_id = self._ids.take(message.now)
        self.write(message.now + MILLISECOND, again.process, f"{message.queue_id}: client=localhost[127.0.0.1]")
        self._queue(message)
        again.now = message.now
        self.disconnect(again)
        # The filter's answer is logged after the new queue file is active, sometimes even after
        # that has been delivered.
        told = message.now + (800 if self._chance.random() < 0.03 else 5) * MILLISECOND
        self.write(told, self.process("amavis"), f"({first[:5]}-07) Passed CLEAN, queued_as: {message.queue_id}")
        smtp = self.process("postfix/smtp")
        words = f"250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as {message.queue_id}"
        for recipient in message.envelope.recipients:
            told += MILLISECOND
            relay = f"{_to(recipient)}relay={_FILTER}, {_delays(told - entered)}"
            self.write(told, smtp, f"{first}: {relay}, dsn=2.0.0, status=sent ({words})")
        self._remove(first, told + MILLISECOND)

    def _carry(self, message: Message) -> None:
        """Deliver, return and retry until every recipient has an end or the log has."""
        waiting: list[Recipient] = list(message.envelope.recipients)
        back_off, attempt = 300 * SECOND, 0
        while True:
            waiting, refused = self._attempt(message, waiting, attempt)
            expired = bool(waiting) and message.now - message.born > _LIFETIME
            if expired:
                message.tally.expired += 1
                text = f"{message.queue_id}: from=<{message.envelope.sender}>, status=expired, returned to sender"
                self.write(message.now, "postfix/qmgr[1187]", text)
            if refused or expired:
                self._return(message)
            if expired or not waiting:
                self._remove(message.queue_id, message.now + 2 * MILLISECOND)
                return
            message.now += back_off + self._chance.randrange(60) * SECOND
            back_off, attempt = min(2 * back_off, 4000 * SECOND), attempt + 1
            if message.now > self._last:
                return
            self._activate(message)

    def _attempt(self, message: Message, recipients: list[Recipient], attempt: int) -> tuple[list[Recipient], bool]:
        waiting, refused = [], False
        for recipient in recipients:
            message.now += self._chance.randrange(8, 400) * MILLISECOND // len(recipients) + MILLISECOND
            there = recipient.destination
            if there is None:
                self._deliver_here(message, recipient)
                continue
            wording = self._judge(message, recipient, attempt)
            self._deliver_out(message, recipient, there, wording)
            if wording.outcome is Outcome.DEFERRED:
                waiting.append(recipient)
            refused = refused or wording.outcome is Outcome.BOUNCED
        return waiting, refused

    def _deliver_here(self, message: Message, recipient: Recipient) -> None:
        message.tally.delivered += 1
        relay, words = _LMTP, f"250 2.0.0 <{recipient.address}> {self._token()} Saved"
        if "@lists." in recipient.address:
            relay, words = _MAILMAN, "250 Ok"
        self.write(
            message.now,
            self.process("postfix/lmtp"),
            f"{message.queue_id}: {_to(recipient)}relay={relay}, {_delays(message.now - message.born)},"
            f" dsn=2.0.0, status=sent ({words})",
        )

    def _deliver_out(self, message: Message, recipient: Recipient, there: Destination, wording: Wording) -> None:
        process, host = self.process("postfix/smtp"), f"{there.mx}[{there.address}]"
        words = wording.words.format(
            ours=OUR_ADDRESS, recipient=recipient.address, token=self._token(),
            mx=there.mx, address=there.address, domain=there.domain,
        )  # fmt: skip
        if wording.command:
            words = f"host {host} said: {words} (in reply to {wording.command} command)"
        if self._chance.random() < 0.05:
            trust = f"Trusted TLS connection established to {host}:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384"
            self.write(message.now, process, f"{trust} (256/256 bits)")
        elif wording.outcome is Outcome.DEFERRED and wording.command and self._chance.random() < 0.3:
            # A try at a first mail host that is no delivery attempt of its own.
            self.write(message.now, process, f"{message.queue_id}: {words.replace(there.mx, 'a.' + there.mx)}")
        _count(message.tally, wording)
        met = wording.command or wording.outcome is Outcome.DELIVERED
        used = f"conn_use={self._chance.randrange(2, 9)}, " if self._chance.random() < 0.1 else ""
        status = "sent" if wording.outcome is Outcome.DELIVERED else str(wording.outcome)
        self.write(
            message.now,
            process,
            f"{message.queue_id}: {_to(recipient)}relay={f'{host}:25' if met else 'none'}, {used}"
            f"{_delays(message.now - message.born)}, dsn={wording.status}, status={status} ({words})",
        )

    def _return(self, message: Message) -> None:
        """Send a non-delivery notification; the null sender gets none."""
        back = message.envelope.returns_to
        if back is None or not message.envelope.sender:
            return
        message.tally.bounces_returned += 1
        message.now += 3 * MILLISECOND
        queue_id = self._ids.take(message.now)
        envelope = Envelope("", (back,), message.envelope.size + 2300, f"{self._token()}@{HOST_NAME}", None)
        notice = self._open(queue_id, message.now, envelope, mailbox(""), AccountKind.NULL)
        # Both orders occur: the line that names the notification before it is queued, and after.
        told = message.now if self._chance.random() < 0.5 else notice.now
        text = f"{message.queue_id}: sender non-delivery notification: {queue_id}"
        self.write(told, self.process("postfix/bounce"), text)
        message.now = told + MILLISECOND
        self._carry(notice)

    def _remove(self, queue_id: str, at: int) -> None:
        self.write(at, "postfix/qmgr[1187]", f"{queue_id}: removed")
        self._ids.give_back(queue_id, at)

    def _token(self) -> str:
        return f"{self._chance.randrange(1 << 40):010X}"


def _to(recipient: Recipient) -> str:
    was = f"orig_to=<{recipient.original}>, " if recipient.original else ""
    return f"to=<{recipient.address}>, {was}"


def _delays(passed: int) -> str:
    seconds = passed / SECOND
    parts = "/".join(_short(seconds * share) for share in (0.6, 0.1, 0.1, 0.2))
    return f"delay={_short(seconds)}, delays={parts}"


def _short(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.2f}".rstrip("0").rstrip(".")


def _count(tally: Tally, wording: Wording) -> None:
    if wording.outcome is Outcome.DELIVERED:
        tally.delivered += 1
    elif wording.outcome is Outcome.DEFERRED:
        tally.deferred_attempts += 1
    elif wording.refusal_class is not None:
        tally.bounced[wording.refusal_class] += 1
