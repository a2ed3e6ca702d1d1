"""Reports of abuse to others: what was reported to whom, which mail carried it, and what they answered."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from outwarden.store.audit import Audit
from outwarden.store.database import Database, microseconds, moment, moment_or_none


class MailState(StrEnum):
    """How far a mail came.

    *begun* was written down and its end was not: nobody knows whether it was sent.  *put-off* is tried again.
    """

    BEGUN = "begun"
    SENT = "sent"
    UNKNOWN = "unknown"
    PUT_OFF = "put-off"
    REFUSED = "refused"
    BOUNCED = "bounced"


class TakedownMail(NamedTuple):
    """One mail with a report; ``queue_id`` is the mail server's, where it said one."""

    id: int
    takedown: int
    contact: str
    begun_at: datetime
    state: MailState
    words: str
    queue_id: str


class Takedown(NamedTuple):
    """One report: ``contacts`` in the order in which they are written to; ``report`` is JSON, as it was first made."""

    id: int
    target: str
    report_id: str
    asked_by: str
    contacts: tuple[str, ...]
    report: bytes
    begun_at: datetime
    answered_at: datetime | None
    answer: str


class Takedowns:
    """The reports in the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database, self._audit = database, audit

    def begin(
        self,
        target: str,
        incident: bytes,
        report_id: str,
        asked_by: str,
        contacts: tuple[str, ...],
        report: bytes,
        now: datetime,
    ) -> Takedown:
        """Write a report down; only inside ``writing()``."""
        ((number,),) = self._database.rows(
            "INSERT INTO takedown (target, incident, report_id, asked_by, contacts, report, begun_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            target, incident, report_id, asked_by, json.dumps(contacts), report, microseconds(now),
        )  # fmt: skip
        self._audited(asked_by, target, now, f"begun, takedown {number}")
        return self._one(number)

    def begin_mail(self, takedown: Takedown, contact: str, now: datetime) -> TakedownMail:
        """Write down that a mail is about to be sent; only inside ``writing()``."""
        ((number,),) = self._database.rows(
            "INSERT INTO takedown_mail (takedown, contact, begun_at, state, words, queue_id) "
            "VALUES (?, ?, ?, 'begun', '', '') RETURNING id",
            takedown.id, contact, microseconds(now),
        )  # fmt: skip
        return TakedownMail(number, takedown.id, contact, now, MailState.BEGUN, "", "")

    def end_mail(self, mail: TakedownMail, state: MailState, words: str, queue_id: str, now: datetime) -> None:
        """Write down what became of a mail; only inside ``writing()``."""
        bounced = microseconds(now) if state is MailState.BOUNCED else None
        self._database.rows(
            "UPDATE takedown_mail SET state = ?, words = ?, queue_id = ?, bounced_at = ? WHERE id = ?",
            state.value, words, queue_id, bounced, mail.id,
        )  # fmt: skip
        takedown = self._one(mail.takedown)
        after = f"{state.value} to {mail.contact}, takedown {takedown.id}"
        self._audited(takedown.asked_by, takedown.target, now, after, words)

    def answer(self, takedown: Takedown, by: str, text: str, now: datetime) -> None:
        """Write down what they answered; only inside ``writing()``."""
        self._database.rows(
            "UPDATE takedown SET answered_at = ?, answer = ? WHERE id = ?", microseconds(now), text, takedown.id
        )
        self._audited(by, takedown.target, now, f"answered, takedown {takedown.id}", text)

    def find(self, number: int) -> Takedown | None:
        """Return the report of a number, None where there is none."""
        return next(iter(self._found("id = ?", number)), None)

    def newest(self, most: int) -> list[Takedown]:
        """Return the last reports, newest first."""
        return self._found("1 ORDER BY id DESC LIMIT ?", most)

    def of_incident(self, target: str, incident: bytes) -> Takedown | None:
        """Return the report of an incident, None where it was not reported."""
        return next(iter(self._found("target = ? AND incident = ? ORDER BY id DESC", target, incident)), None)

    def of_target(self, target: str, since: datetime) -> Takedown | None:
        """Return the last report about a target since then, None where there is none."""
        found = self._found("target = ? AND begun_at >= ? ORDER BY id DESC LIMIT 1", target, microseconds(since))
        return next(iter(found), None)

    def mails(self, takedown: Takedown) -> list[TakedownMail]:
        """Return the mails that carried a report, oldest first."""
        return self._mails("takedown = ?", takedown.id)

    def under_way(self, since: datetime) -> list[TakedownMail]:
        """Return the mails begun since then that the mail server took under a queue ID and that did not come back."""
        return self._mails("state = 'sent' AND queue_id <> '' AND begun_at >= ?", microseconds(since))

    def sent_since(self, since: datetime) -> int:
        """Return how many mails were begun since then."""
        ((count,),) = self._database.rows("SELECT count(*) FROM takedown_mail WHERE begun_at >= ?", microseconds(since))
        return int(count)

    def _one(self, number: int) -> Takedown:
        (found,) = self._found("id = ?", number)
        return found

    def _found(self, condition: str, *values: str | int | bytes) -> list[Takedown]:
        rows = self._database.rows(
            "SELECT id, target, report_id, asked_by, contacts, report, begun_at, answered_at, answer "  # noqa: S608
            f"FROM takedown WHERE {condition}",
            *values,
        )
        return [
            Takedown(
                number,
                target,
                report_id,
                by,
                tuple(json.loads(contacts)),
                report,
                moment(at),
                moment_or_none(answered),
                answer,
            )
            for number, target, report_id, by, contacts, report, at, answered, answer in rows
        ]

    def _mails(self, condition: str, *values: str | int) -> list[TakedownMail]:
        rows = self._database.rows(
            "SELECT id, takedown, contact, begun_at, state, words, queue_id FROM takedown_mail "  # noqa: S608
            f"WHERE {condition} ORDER BY id",
            *values,
        )
        return [
            TakedownMail(number, takedown, contact, moment(at), MailState(state), words, queue_id)
            for number, takedown, contact, at, state, words, queue_id in rows
        ]

    def _audited(self, by: str, target: str, now: datetime, after: str, reason: str = "") -> None:
        self._audit.record(actor=by, action="takedown", object=target, at=now, after=after, reason=reason)
