"""Events as rows: one for a message, for each attempt to deliver it, and for each bounce and complaint about it.

A message is one by its host, queue ID and account within an hour: the gate and the log both tell of it, in other
words.  The queue ID alone does not do, as a busy server may give it again within that time.  All else is one by the
event's id.  What is heard of a message whose submission was not seen makes a row for it, which the
submission fills in when it comes after all.

Texts are cut to bounds, as strangers write them; whoever wants all of it reads the log.
"""

from __future__ import annotations

from typing import Any

import msgspec

from outwarden.events import Attempted, BounceReturned, ComplaintReceived, Event, Link, Login, Submitted, event_id
from outwarden.store.database import Database, microseconds
from outwarden.store.names import Names, fitted

_HOUR = 3_600_000_000
_LARGEST = (1 << 63) - 1
_LONGEST_ADDRESS = 320
_LONGEST_TEXT = 255
_LONGEST_REPLY = 300
_MOST_SEEN = 20
"""Links and recipients of one message that are kept beside it."""


class SeenByFilter(msgspec.Struct, frozen=True, omit_defaults=True):
    """What only the filter saw of a message; the fields are those of ``Submitted``."""

    recipient_addresses: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    filter_verdict: bool | None = None
    reply: bool = False
    foreign_from: bool = False
    network: str | None = None
    country: str | None = None
    client_listed: bool = False


_NOTHING_SEEN = SeenByFilter()
_encode = msgspec.json.Encoder().encode


class EventRows:
    """Writes events, and says which it has."""

    def __init__(self, database: Database, names: Names) -> None:
        self._database, self._names = database, names

    def write(self, event: Event, at: int, until: int) -> bool:
        """Write one event; return False where it is there already.  Only inside ``writing()``.

        ``at`` is its time and ``until`` that of the checkpoint where it is later, in microseconds.
        """
        mark = id_of(event)
        if type(event) is Attempted:
            return self._attempted(event, at, mark, until)
        if type(event) is Submitted:
            return self._submitted(event, at, mark, until)
        if type(event) is Login:
            return self._login(at, mark)
        if isinstance(event, BounceReturned | ComplaintReceived):
            return self._feedback(event, at, mark, until)
        raise TypeError(f"no event of the store: {type(event).__name__}")

    def has(self, event: Event) -> bool:
        """Say whether an event is there already."""
        at = microseconds(event.at)
        if type(event) is not Submitted:
            table = "attempt" if type(event) is Attempted else "login" if type(event) is Login else "feedback"
            return self._has_row(table, at, id_of(event))
        if not event.queue_id:
            return self._has_row("message", at, id_of(event))
        host, account = self._names.found(event.host), self._names.found(event.account)
        if host is None or account is None:
            return False
        return _handed_in(self._rows_of(host, fitted(event.queue_id, _LONGEST_TEXT), account, at), at)

    def _has_row(self, table: str, at: int, mark: bytes) -> bool:
        return bool(self._database.rows(f"SELECT 1 FROM {table} WHERE at = ? AND event_id = ?", at, mark))  # noqa: S608

    def _rows_of(self, host: int, queue_id: str, account: int, at: int) -> list[tuple[Any, ...]]:
        """Return number, time and id of each row that the message may have, from an hour before it on, oldest first."""
        return self._database.rows(
            "SELECT number, at, event_id FROM message WHERE queue_id = ? AND host = ? AND at >= ? AND account = ? "
            "ORDER BY at",
            queue_id, host, at - _HOUR, account,
        )  # fmt: skip

    def _submitted(self, event: Submitted, at: int, mark: bytes, until: int) -> bool:
        host, account = self._names.number(event.host, until), self._names.number(event.account, until)
        queue_id = fitted(event.queue_id, _LONGEST_TEXT)
        rows = self._rows_of(host, queue_id, account, at) if queue_id else []
        if _handed_in(rows, at) if queue_id else self._has_row("message", at, mark):
            return False
        # A row of a message whose submission was not seen until now is filled in.
        number = next((number for number, _, known_as in rows if known_as is None), None)
        self._database.rows(
            "INSERT OR REPLACE INTO message (number, at, event_id, host, queue_id, account, kind, client_address, "
            "sender, recipients, size, message_id, subject, fingerprint, script, seen) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            number, at, mark, host, queue_id, account, self._names.number(event.kind.value, until),
            _text(event.client_address), _sender(event.sender, event.account),
            min(event.recipients, _LARGEST), min(event.size, _LARGEST),
            _text(event.message_id), _text(event.subject), _text(event.fingerprint),
            self._word(event.script, until), _seen(event),
        )  # fmt: skip
        return True

    def _attempted(self, event: Attempted, at: int, mark: bytes, until: int) -> bool:
        word = self._word
        added = self._database.change(
            "INSERT INTO attempt (at, event_id, message, recipient, original_recipient, outcome, class, status, relay, "
            "reply, listing, listed, outbound) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (at, event_id) DO NOTHING",
            at, mark, self._message_of(event, at, until), fitted(event.recipient, _LONGEST_ADDRESS),
            _text(event.original_recipient), self._names.number(event.outcome.value, until),
            None if event.refusal_class is None else word(event.refusal_class.value, until),
            word(event.status, until), word(event.relay, until),
            fitted(event.reply, _LONGEST_REPLY) or None, word(event.listing, until), _text(event.listed),
            event.outbound,
        )  # fmt: skip
        return bool(added)

    def _feedback(self, event: BounceReturned | ComplaintReceived, at: int, mark: bytes, until: int) -> bool:
        complaint = isinstance(event, ComplaintReceived)
        added = self._database.change(
            "INSERT INTO feedback (at, event_id, message, account, complaint, recipient, notification) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (at, event_id) DO NOTHING",
            at, mark, self._message_of(event, at, until), self._names.number(event.account, until), complaint,
            fitted(event.recipient, _LONGEST_ADDRESS) if isinstance(event, ComplaintReceived) else "",
            fitted(event.notification_queue_id, _LONGEST_TEXT) if isinstance(event, BounceReturned) else "",
        )  # fmt: skip
        return bool(added)

    def _login(self, at: int, mark: bytes) -> bool:
        insert = "INSERT INTO login (at, event_id) VALUES (?, ?) ON CONFLICT (at, event_id) DO NOTHING"
        return bool(self._database.change(insert, at, mark))

    def _message_of(self, event: Attempted | BounceReturned | ComplaintReceived, at: int, until: int) -> int | None:
        """Return the row of the message that an event is about: the account's newest of that queue ID."""
        if not event.queue_id:
            return None
        host, queue_id = self._names.number(event.host, until), fitted(event.queue_id, _LONGEST_TEXT)
        account = self._names.number(event.account, until)
        rows = self._database.rows(
            "SELECT number FROM message WHERE queue_id = ? AND host = ? AND at <= ? AND (account = ? OR ?) "
            "ORDER BY at DESC LIMIT 1",
            # Where the log begins in mid-message nobody is named.
            queue_id, host, at + _HOUR, account, not event.account,
        )  # fmt: skip
        if not rows:
            rows = self._database.rows(
                "INSERT INTO message (at, host, queue_id, account, kind, sender, recipients, size) "
                "VALUES (?, ?, ?, ?, ?, ?, 0, 0) RETURNING number",
                at, host, queue_id, account, self._names.number(event.kind.value, until),
                _sender(event.sender, event.account) if type(event) is Attempted else None,
            )  # fmt: skip
        return int(rows[0][0])

    def _word(self, text: str | None, until: int) -> int | None:
        return None if text is None else self._names.number(text, until)


def id_of(event: Event) -> bytes:
    """Return the 16 bytes of the event's id; what is no character in its texts counts as an escape."""
    try:
        return bytes.fromhex(event_id(event))
    except UnicodeEncodeError:
        fields = {name: _writable(getattr(event, name)) for name in event.__struct_fields__}
        return bytes.fromhex(event_id(msgspec.structs.replace(event, **fields)))


def _writable(value: Any) -> Any:  # noqa: ANN401 (a field of any kind)
    # The closed sets of words are texts too, and stay what they are.
    if type(value) is str:
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if type(value) is Link:
        return msgspec.structs.replace(value, target=_writable(value.target))
    return tuple(map(_writable, value)) if type(value) is tuple else value


def _handed_in(rows: list[tuple[Any, ...]], at: int) -> bool:
    """Say whether one of a message's rows is of its submission, within the hour."""
    return any(known_as is not None and of <= at + _HOUR for _, of, known_as in rows)


def _text(text: str | None) -> str | None:
    return None if text is None else fitted(text, _LONGEST_TEXT)


def _sender(sender: str, account: str) -> str | None:
    return None if sender == account else fitted(sender, _LONGEST_ADDRESS)


def _seen(event: Submitted) -> str | None:
    seen = SeenByFilter(
        tuple(fitted(address, _LONGEST_ADDRESS) for address in event.recipient_addresses[:_MOST_SEEN]),
        tuple(
            msgspec.structs.replace(link, target=fitted(link.target, _LONGEST_TEXT))
            for link in event.links[:_MOST_SEEN]
        ),
        event.filter_verdict,
        event.reply,
        event.foreign_from,
        _text(event.network),
        _text(event.country),
        event.client_listed,
    )
    return None if seen == _NOTHING_SEEN else _encode(seen).decode()
