"""Postfix's log counted per account without making events: the fast way to one table.

One ``findall`` over a block gives, for each line that matters, its queue ID and what
follows it; a dictionary of the queue files now alive joins them.  Memory follows the queue, not
the log.  The rules are those of ``postfix``, which makes the events; a test compares the two.

A log can be cut in parts that are counted side by side.  A part that does not begin at the
beginning puts aside the lines of queue files whose first lines it has not seen (``put_aside``),
and ``follow_with`` replays them where the part before left off, so that the sum is exact.

Not done here: time.  What needs to know when something happened reads events.
"""

import re
from typing import TypeVar

from outwarden.events import AccountKind, domain_of, mailbox
from outwarden.sources.logs.account_table import AccountCounts, AccountTable
from outwarden.sources.logs.reinjection import HELD_BACK_MESSAGES, NEAR
from outwarden.sources.refusals import class_cached

_LINE = re.compile(rb"\]: ([0-9A-Za-z]{6,}+): ((?:client=|from=<|to=<|removed|requeued|uid=|sender non-).*+)")

_Known = TypeVar("_Known")

_NEAR = tuple(prefix.encode() for prefix in NEAR)
_MOST_HANDED_IN = 200_000
_MOST_REMEMBERED = 20_000
_BOUNCES_AT_ONCE = 4096

_FORWARDED = b"sent (forwarded as "
# The first letters of the lines counted.
_B, _C, _F, _R, _S, _T, _U = b"bcfrstu"


class PostfixCounts:
    """Counts Postfix's log, fed in blocks of whole lines, into ``table``."""

    def __init__(self, put_aside: bool = False) -> None:
        self.table = AccountTable()
        self.lines_counted = 0
        # What smtpd or pickup said of a queue file before the queue manager took it up.
        self._handed_in: dict[bytes, bytes] = {}
        # Alive: queue ID -> (row to count in, envelope sender as written).
        self._alive: dict[bytes, tuple[AccountCounts, bytes]] = {}
        # Messages that may be a content filter's, each with a row of its own until that is known.
        self._held_back: dict[bytes, tuple[AccountCounts, bytes]] = {}
        # Queue IDs known to be another message come back -> the row they are counted in.
        self._come_back: dict[bytes, AccountCounts] = {}
        # The same client= line comes again with every message: the row that it names, its address noted, where
        # it tells a login; the address, where only the envelope sender tells the account.  And the rows by
        # envelope sender as written, to find them without decoding.
        self._row_of_login: dict[bytes, AccountCounts] = {}
        self._far_clients: dict[bytes, bytes] = {}
        self._senders: dict[bytes, AccountCounts] = {}
        # Bounces not yet judged: the row, the envelope sender, the line from its status on.
        self._bounces: list[tuple[AccountCounts, bytes, bytes]] = []
        self._aside: list[tuple[bytes, bytes]] | None = [] if put_aside else None
        self._aside_senders: dict[bytes, bytes] = {}
        # Messages that a delivery named before they were taken up, or that are put aside: queue ID ->
        # the row and sender that claim them, and how many deliveries do.
        self._claimed: dict[bytes, tuple[AccountCounts, bytes, int]] = {}

    def feed(self, block: bytes) -> None:
        """Count a block of whole lines.

        Blocks of 64 KiB are best: they stay in the processor's cache, and a megabyte takes a
        fifth longer (``bench/account_table.py``).
        """
        found = _LINE.findall(block)
        self.lines_counted += len(found)
        self._count(found)
        if len(self._handed_in) > _MOST_HANDED_IN:
            _forget_oldest_half(self._handed_in)
        if len(self._bounces) >= _BOUNCES_AT_ONCE:
            self.judge_bounces()

    def judge_bounces(self) -> None:
        """Count the bounces met since the last time, by class.

        Many at once: one between two blocks takes twice as long, because the blocks have driven the
        rules from the processor's cache.  It has to be done before a row's counts go to another row.
        """
        for row, sender, said in self._bounces:
            reply = said.partition(b" (")[2].removesuffix(b")").decode("utf-8", "backslashreplace")
            sender_domain = domain_of(sender.decode("utf-8", "backslashreplace"))
            row.count_refusal(class_cached(reply, sender_domain))
        self._bounces.clear()

    def finish(self) -> AccountTable:
        """Settle what is still held back, and return the table."""
        for queue_id in list(self._held_back):
            self._let_go(queue_id)
        for queue_id in list(self._claimed):
            self._settle_claim(queue_id)
        self.judge_bounces()
        return self.table

    def follow_with(self, later: "PostfixCounts") -> None:
        """Add a part of the log that comes right after this one and was counted with ``put_aside``.

        The lines put aside may hold the claim of a message that the later part holds back, so
        those messages are taken over before the lines are replayed, and the living after.
        """
        later.judge_bounces()
        for queue_id in self._held_back.keys() & later._held_back.keys():
            self._let_go(queue_id)
        self._held_back |= later._held_back
        self.table.absorb(later.table)
        self._come_back |= {queue_id: self._same_row(row) for queue_id, row in later._come_back.items()}
        self._claimed |= {
            queue_id: (self._same_row(row), sender, count) for queue_id, (row, sender, count) in later._claimed.items()
        }
        put_aside = later._aside or []
        replayed = {queue_id for queue_id, _ in put_aside}
        # A delivery put aside may name a message that was handed in and not yet taken up.
        self._handed_in |= {queue_id: line for queue_id, line in later._handed_in.items() if queue_id not in replayed}
        self._count(put_aside)
        for queue_id in later._aside_senders.keys() & self._claimed.keys():
            # Nothing of that queue ID and sender came: it was a plain delivery after all.
            self._settle_claim(queue_id)
        for queue_id, (row, sender) in later._alive.items():
            self._alive[queue_id] = (self._row_after(queue_id, row, sender, later), sender)
        self._handed_in |= later._handed_in
        self.lines_counted += later.lines_counted

    def _row_after(self, queue_id: bytes, row: AccountCounts, sender: bytes, later: "PostfixCounts") -> AccountCounts:
        """Return the row in which a message alive at the end of the later part goes on."""
        if queue_id not in later._held_back:
            return self._same_row(row)
        if queue_id in self._held_back:
            return row
        return self._come_back.get(queue_id) or self._row_by_sender(sender)

    def _same_row(self, row: AccountCounts) -> AccountCounts:
        return self.table.row(row.account, row.kind)

    def _count(self, found: list[tuple[bytes, bytes]]) -> None:  # noqa: C901, PLR0912 - a call a line costs a third
        """Count the lines found, in their order.  This loop is hot: what is rare is elsewhere."""
        alive, handed_in = self._alive, self._handed_in
        held_back, come_back, aside_senders = self._held_back, self._come_back, self._aside_senders
        bounces = self._bounces
        for queue_id, rest in found:
            first = rest[0]
            if first == _T:  # to=<
                entry = alive.get(queue_id) or self._unknown(queue_id, rest)
                if entry is None:
                    continue
                at = rest.find(b" status=") + 8
                status = rest[at]
                if status == _S:  # sent
                    if not (held_back or come_back or aside_senders or handed_in or rest.startswith(_FORWARDED, at)):
                        entry[0].delivered += 1
                    elif not self._went_to_filter(queue_id, entry, rest):
                        alive[queue_id][0].delivered += 1
                elif status == _B:  # bounced
                    bounces.append((*entry, rest[at:]))
                elif rest.startswith((b"deferred", b"SOFTBOUNCE"), at):
                    entry[0].deferred_attempts += 1
            elif first == _F:  # from=<
                if queue_id in handed_in or queue_id not in alive:
                    self._take_up(queue_id, rest)
                elif rest.find(b"expired, returned to sender") > 0:
                    alive[queue_id][0].expired += 1
            elif first == _R:  # removed, requeued
                if alive.pop(queue_id, None) is None:
                    self._end_unknown(queue_id, rest)
            elif first == _C or first == _U:  # client=, uid=
                handed_in[queue_id] = rest
                if self._aside is not None and b" orig_" in rest:
                    # It may be one that the part before knows, and a delivery put aside may name it.
                    self._aside.append((queue_id, rest))
            elif first == _S:  # sender non-delivery notification
                entry = alive.get(queue_id) or self._unknown(queue_id, rest)
                if entry is not None:
                    entry[0].bounces_returned += 1

    def _take_up(self, queue_id: bytes, rest: bytes) -> None:
        """A queue file becomes active for the first time: settle whose it is."""
        handed_in = self._handed_in.pop(queue_id, None)
        if self._aside is not None and self._began_before(queue_id, handed_in, rest):
            return
        end = rest.find(b">, size=")
        if end < 0:
            self._expire_unseen(queue_id, rest)
            return
        sender = rest[6:end]
        if queue_id in self._claimed and self._was_claimed(queue_id, sender):
            return
        row = self._row_of_login.get(handed_in or b"") or self._row_for(queue_id, sender, handed_in)
        if row is not None:
            row.messages += 1
            row.recipients += 1 if rest.endswith(b"nrcpt=1 (queue active)") else _recipients(rest, end)
            self._alive[queue_id] = (row, sender)

    def _row_for(self, queue_id: bytes, sender: bytes, handed_in: bytes | None) -> AccountCounts | None:
        """Return the row to count a new message in; None where it is an old one come back."""
        if handed_in is None:
            return self._hold_back(queue_id, sender) if sender else self._row_by_sender(sender)
        if handed_in[0] == _U:
            origin = _earlier_id(handed_in)
            if origin and self._comes_back_from(queue_id, origin, sender):
                return None
            return self._row(AccountKind.LOCAL, sender)
        client = self._far_clients.get(handed_in)
        if client is None:
            return self._row_of_client(queue_id, sender, handed_in)
        row = self._senders.get(sender) or self._row_by_sender(sender)
        row.saw_client(client)
        return row

    def _row_of_client(self, queue_id: bytes, sender: bytes, client_line: bytes) -> AccountCounts | None:
        """Read a client= line that is not remembered."""
        opened = client_line.find(b"[") + 1
        client = client_line[opened : client_line.find(b"]", opened)]
        at = client_line.find(b", sasl_username=", opened)
        if at > 0:
            row = self._row(AccountKind.LOGIN, client_line[at + 16 :].partition(b", ")[0])
            _remember(self._row_of_login, client_line, row)
            row.saw_client(client)
            return row
        origin = _earlier_id(client_line)
        if origin and self._comes_back_from(queue_id, origin, sender):
            return None
        if client.startswith(_NEAR):
            row = self._hold_back(queue_id, sender)
        else:
            row = self._row_by_sender(sender)
            if not origin:
                _remember(self._far_clients, client_line, client)
        row.saw_client(client)
        return row

    def _row_by_sender(self, sender: bytes) -> AccountCounts:
        return self._senders.get(sender) or self._row(AccountKind.ADDRESS if sender else AccountKind.NULL, sender)

    def _row(self, kind: AccountKind, raw: bytes) -> AccountCounts:
        row = self.table.row(mailbox(raw.decode("utf-8", "backslashreplace")), kind)
        if kind is not AccountKind.LOGIN and kind is not AccountKind.LOCAL:
            self._senders[raw] = row
        return row

    # -- messages that a content filter may hand back ------------------------------------------

    def _hold_back(self, queue_id: bytes, sender: bytes) -> AccountCounts:
        if queue_id in self._held_back:
            self._let_go(queue_id)
        if len(self._held_back) >= HELD_BACK_MESSAGES:
            self._let_go(next(iter(self._held_back)))
        own = AccountCounts("", AccountKind.ADDRESS)
        self._held_back[queue_id] = (own, sender)
        return own

    def _let_go(self, queue_id: bytes) -> None:
        """Nobody claimed it: it is a message of its own, known by its envelope sender."""
        self.judge_bounces()
        own, sender = self._held_back.pop(queue_id)
        row = self._row_by_sender(sender)
        row.absorb(own)
        self._count_on(queue_id, own, row)

    def _count_on(self, queue_id: bytes, own: AccountCounts, row: AccountCounts) -> None:
        """Let a message still alive go on in another row."""
        entry = self._alive.get(queue_id)
        if entry is not None and entry[0] is own:
            self._alive[queue_id] = (row, entry[1])

    def _went_to_filter(self, queue_id: bytes, entry: tuple[AccountCounts, bytes], rest: bytes) -> bool:
        """Say whether this delivery was one to a content filter, and join the two messages if so."""
        at = rest.rfind(b" as ")
        new_id = rest[at + 4 :].rstrip(b")") if at > 0 else b""
        row, sender = entry
        if self._come_back.get(new_id) is row:
            return True
        held_back = self._held_back.get(new_id)
        if held_back is None or held_back[1] != sender or held_back[0] is row:
            return self._claims(queue_id, new_id, rest)
        del self._held_back[new_id]
        # What a filter hands back is surely a message of its own before.
        if queue_id in self._held_back:
            self._let_go(queue_id)
            row = self._alive[queue_id][0]
        self.judge_bounces()
        row.add_deliveries(held_back[0])
        self._count_on(new_id, held_back[0], row)
        self._remember_come_back(new_id, row)
        return True

    def _claims(self, queue_id: bytes, new_id: bytes, rest: bytes) -> bool:
        """Keep a delivery that names a message which is handed in, or put aside, but not yet taken up."""
        sender = self._alive[queue_id][1]
        handed_in = self._handed_in.get(new_id)
        if handed_in is not None:
            opened = handed_in.find(b"[") + 1
            if handed_in[0] == _U or b", sasl_username=" in handed_in or not handed_in.startswith(_NEAR, opened):
                return False
        elif self._aside_senders.get(new_id) != sender and b"status=" + _FORWARDED not in rest:
            return False
        if queue_id in self._held_back:
            self._let_go(queue_id)
        if len(self._claimed) >= HELD_BACK_MESSAGES:
            self._settle_claim(next(iter(self._claimed)))
        _, _, count = self._claimed.get(new_id, (None, None, 0))
        self._claimed[new_id] = (*self._alive[queue_id], count + 1)
        return True

    def _was_claimed(self, queue_id: bytes, sender: bytes) -> bool:
        """A message is taken up that a delivery named before: say whether it is that one come back."""
        row, claimed_sender, _ = self._claimed[queue_id]
        if claimed_sender != sender:
            self._settle_claim(queue_id)
            return False
        del self._claimed[queue_id]
        self._alive[queue_id] = (row, sender)
        self._remember_come_back(queue_id, row)
        return True

    def _settle_claim(self, queue_id: bytes) -> None:
        """It was no message come back: the deliveries that named it count as such."""
        row, _, count = self._claimed.pop(queue_id)
        row.delivered += count

    def _comes_back_from(self, queue_id: bytes, origin: bytes, sender: bytes) -> bool:
        """The queue file itself names the one that it was before."""
        if origin in self._held_back:
            self._let_go(origin)
        row = self._come_back.get(origin) or (self._alive[origin][0] if origin in self._alive else None)
        if row is None:
            return False
        self._alive[queue_id] = (row, sender)
        self._remember_come_back(queue_id, row)
        return True

    def _remember_come_back(self, queue_id: bytes, row: AccountCounts) -> None:
        if len(self._come_back) >= HELD_BACK_MESSAGES:
            del self._come_back[next(iter(self._come_back))]
        self._come_back[queue_id] = row

    # -- what is rare ----------------------------------------------------------------------------

    def _unknown(self, queue_id: bytes, rest: bytes) -> tuple[AccountCounts, bytes] | None:
        """A line of a queue file whose beginning was not seen: no account can be named."""
        if rest[0] == 116 and b" status=" not in rest:
            return None
        if self._aside is not None:
            self._aside.append((queue_id, rest))
            return None
        entry = self._alive[queue_id] = (self.table.row("", AccountKind.ADDRESS), b"")
        return entry

    def _expire_unseen(self, queue_id: bytes, rest: bytes) -> None:
        if rest.find(b"expired, returned to sender") > 0:
            sender = rest[6 : rest.find(b">")]
            row = self._row_by_sender(sender)
            row.expired += 1
            self._alive[queue_id] = (row, sender)

    def _began_before(self, queue_id: bytes, handed_in: bytes | None, rest: bytes) -> bool:
        """Put aside a message that is known, or may be known, only to the part of the log before."""
        if handed_in is None:
            self._aside.append((queue_id, rest))  # type: ignore[union-attr]
            sender = rest[6 : rest.find(b">")]
            if sender:
                self._aside_senders[queue_id] = sender
            return True
        earlier = _earlier_id(handed_in)
        if not earlier or earlier in self._alive or earlier in self._come_back:
            return False
        self._aside += [(queue_id, handed_in), (queue_id, rest)]  # type: ignore[operator]
        self._alive.pop(queue_id, None)
        return True

    def _end_unknown(self, queue_id: bytes, rest: bytes) -> None:
        self._handed_in.pop(queue_id, None)
        if self._aside is not None:
            self._aside.append((queue_id, rest))


def _recipients(rest: bytes, end: int) -> int:
    at = rest.find(b"nrcpt=", end) + 6
    count = rest[at : rest.find(b" ", at)]
    return int(count) if count.isdigit() and len(count) < 10 else 0


def _earlier_id(handed_in: bytes) -> bytes:
    """Return the queue ID that this message had before, where its first line says so."""
    if b" orig_" not in handed_in:
        return b""
    mark = b" orig_id=" if handed_in[0] == _U else b", orig_queue_id="
    return handed_in.partition(mark)[2].partition(b", ")[0]


def _remember(known: dict[bytes, _Known], line: bytes, what: _Known) -> None:
    if len(known) >= _MOST_REMEMBERED:
        known.clear()
    known[line] = what


def _forget_oldest_half(state: dict[bytes, bytes]) -> None:
    for queue_id in list(state)[: len(state) // 2]:
        del state[queue_id]
