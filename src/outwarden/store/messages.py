"""What an account handed in and what became of it; whose a queue ID was."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from outwarden.events import AccountKind, Outcome, RefusalClass
from outwarden.store.database import Database, microseconds, moment
from outwarden.store.event_rows import SeenByFilter
from outwarden.store.names import Names, fitted

_MOST_OF_ONE_ID = 100
_MOST_ATTEMPTS = 10_000
_LONGEST_QUEUE_ID = 255


class KeptAttempt(msgspec.Struct, frozen=True):
    """One delivery attempt; the fields are those of ``Attempted``, the texts cut."""

    at: datetime
    recipient: str
    outcome: Outcome
    refusal_class: RefusalClass | None = None
    status: str | None = None
    relay: str | None = None
    reply: str = ""
    original_recipient: str | None = None
    listing: str | None = None
    listed: str | None = None
    outbound: bool = True


class KeptFeedback(msgspec.Struct, frozen=True):
    """A bounce returned to the sender (``notification`` is its queue ID), or a recipient's complaint."""

    at: datetime
    complaint: bool
    recipient: str = ""
    notification: str = ""


class KeptMessage(msgspec.Struct, frozen=True):
    """One message with all that became of it, oldest first; the fields are those of ``Submitted``, the texts cut.

    Where its submission was not seen, ``submitted`` is False, and of what was handed in the account alone is known.
    """

    at: datetime
    host: str
    queue_id: str
    account: str
    kind: AccountKind
    submitted: bool
    client_address: str | None = None
    sender: str = ""
    recipients: int = 0
    size: int = 0
    message_id: str | None = None
    subject: str | None = None
    fingerprint: str | None = None
    script: str | None = None
    seen: SeenByFilter = SeenByFilter()
    attempts: tuple[KeptAttempt, ...] = ()
    feedback: tuple[KeptFeedback, ...] = ()


_COLUMNS = (
    "number, at, event_id IS NOT NULL, host, queue_id, account, kind, client_address, sender, recipients, size, "
    "message_id, subject, fingerprint, script, seen"
)


class Messages:
    """The messages in the store."""

    def __init__(self, database: Database, names: Names) -> None:
        self._database, self._names = database, names

    def of_account(self, account: str, since: datetime, most: int) -> list[KeptMessage]:
        """Return the last messages of an account since then, newest first."""
        number = self._names.found(account)
        if number is None:
            return []
        return self._found("account = ? AND at >= ? ORDER BY at DESC LIMIT ?", number, microseconds(since), most)

    def by_queue_id(self, host: str | None, queue_id: str) -> list[KeptMessage]:
        """Return the messages that had a queue ID on a host, None for any host, newest first: IDs come again."""
        text = fitted(queue_id, _LONGEST_QUEUE_ID)
        if host is None:
            return self._found("queue_id = ? ORDER BY at DESC LIMIT ?", text, _MOST_OF_ONE_ID)
        number = self._names.found(host)
        if number is None:
            return []
        return self._found("queue_id = ? AND host = ? ORDER BY at DESC LIMIT ?", text, number, _MOST_OF_ONE_ID)

    def feedback_of_account(self, account: str, since: datetime, most: int) -> list[KeptFeedback]:
        """Return the last bounces returned to an account and complaints about it, newest first.

        Those are among them that name no message, as providers take out of their complaints what would.
        """
        number = self._names.found(account)
        if number is None:
            return []
        return self._feedback("account = ? AND at >= ? ORDER BY at DESC LIMIT ?", number, microseconds(since), most)

    def _found(self, condition: str, *values: Any) -> list[KeptMessage]:  # noqa: ANN401 (what SQLite can hold)
        rows = self._database.rows(f"SELECT {_COLUMNS} FROM message WHERE {condition}", *values)  # noqa: S608
        return [self._message(*row) for row in rows]

    def _message(
        self, number: int, at: int, submitted: int, host: int, queue_id: str, account: int, kind: int,
        client_address: str | None, sender: str | None, recipients: int, size: int, message_id: str | None,
        subject: str | None, fingerprint: str | None, script: int | None, seen: str | None,
    ) -> KeptMessage:  # fmt: skip
        word = self._names.word
        return KeptMessage(
            moment(at), word(host), queue_id, word(account), AccountKind(word(kind)), bool(submitted), client_address,
            word(account) if sender is None else sender, recipients, size, message_id, subject, fingerprint,
            self._names.word_or_none(script),
            SeenByFilter() if seen is None else msgspec.json.decode(seen, type=SeenByFilter),
            self._attempts(number),
            tuple(self._feedback("message = ? ORDER BY at", number)),
        )  # fmt: skip

    def _attempts(self, message: int) -> tuple[KeptAttempt, ...]:
        word, word_or_none = self._names.word, self._names.word_or_none
        rows = self._database.rows(
            "SELECT at, recipient, outcome, class, status, relay, reply, original_recipient, listing, listed, outbound "
            "FROM attempt WHERE message = ? ORDER BY at LIMIT ?",
            message, _MOST_ATTEMPTS,
        )  # fmt: skip
        return tuple(
            KeptAttempt(
                moment(at), recipient, Outcome(word(outcome)),
                None if refusal is None else RefusalClass(word(refusal)),
                word_or_none(status), word_or_none(relay), reply or "", original, word_or_none(listing), listed,
                bool(outbound),
            )
            for at, recipient, outcome, refusal, status, relay, reply, original, listing, listed, outbound in rows
        )  # fmt: skip

    def _feedback(self, condition: str, *values: int) -> list[KeptFeedback]:
        rows = self._database.rows(
            f"SELECT at, complaint, recipient, notification FROM feedback WHERE {condition}",  # noqa: S608
            *values,
        )
        return [
            KeptFeedback(moment(at), bool(complaint), recipient, notification)
            for at, complaint, recipient, notification in rows
        ]
