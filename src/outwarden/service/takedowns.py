"""Sends reports of abuse, by a person's word: once for an incident, a few a day, to the next contact when one fails.

A report is written down before it is sent, and so is each mail that carries it.  One that was begun and whose end was
not written down, as the machine went down, is not sent again: nobody knows whether it was, and a report that comes
twice is a nuisance to those whose help we want.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import uuid4

import msgspec

from outwarden.dns.abuse_report import Evidence, Reporter, write_report
from outwarden.events import Outcome
from outwarden.responses.notices.message import Unaddressable
from outwarden.responses.notices.smtp import Handover, hand_over
from outwarden.responses.takedown.message import TakedownReport, compose_takedown
from outwarden.service.acting import CouldNotAct, NotAllowed, NothingFound
from outwarden.service.settings import Configuration
from outwarden.store.store import Store
from outwarden.store.takedowns import MailState, Takedown, TakedownMail

SAME_TARGET_AFTER = timedelta(days=7)
"""A network that was told of a target is given so long to act before it is told of the next incident."""
_DAY = timedelta(days=1)
_FOLLOWED_FOR = timedelta(days=7)
_GONE = frozenset({Outcome.BOUNCED, Outcome.EXPIRED})
_QUEUED_AS = re.compile(r"\bqueued as ([0-9A-Za-z]{6,20})\b")
_STATES = {
    Handover.TAKEN: MailState.SENT,
    Handover.UNKNOWN: MailState.UNKNOWN,
    Handover.TRY_AGAIN: MailState.PUT_OFF,
    Handover.REFUSED: MailState.REFUSED,
}
_FAILED = frozenset({MailState.REFUSED, MailState.BOUNCED})

Clock = Callable[[], datetime]


class Sent(NamedTuple):
    """A report as it stands, and the mails that carried it."""

    takedown: Takedown
    mails: tuple[TakedownMail, ...]


class TakedownSite(NamedTuple):
    """How a site reports: who it is, by which server, where bounces go, how many mails a day at most."""

    reporter: Reporter | None
    host: str
    port: int
    bounces_to: str
    most_per_day: int


def takedown_site(configuration: Configuration, reporter: Reporter | None) -> TakedownSite:
    """Return how a site reports, as its settings say.  Raises ``ConfigurationError``."""
    settings = configuration.settings.takedown
    host, colon, port = settings.smtp.rpartition(":")
    if not (host and colon and port.isdigit() and 0 < int(port) < 65536):
        raise configuration.wrong("takedown.smtp", f"{settings.smtp!r} is not HOST:PORT; write 127.0.0.1:25")
    return TakedownSite(reporter, host.strip("[]"), int(port), settings.bounces_to, settings.most_per_day)


class TakedownDesk:
    """The reports of one site."""

    def __init__(self, store: Store, site: TakedownSite, clock: Clock) -> None:
        self._store, self._site, self._clock = store, site, clock

    def report(
        self, target: str, evidence: Evidence, contacts: Sequence[str], asked_by: str, *, again: bool = False
    ) -> Sent:
        """Write a report down and send it to the first contact; the same incident is never reported twice.

        ``again``: although the target was reported within a week.  Raises ``NotAllowed`` where it must not be sent,
        ``CouldNotAct`` where it could not be, and ``StoreUnusable``.
        """
        now = self._clock()
        report_id = str(uuid4())
        made = write_report(target, self._site.reporter, evidence, report_id)
        if made.missing:
            raise NotAllowed(f"not fit to be sent: it lacks {made.missing[0]}")
        if not contacts:
            raise NotAllowed(f"nobody is known to write to about {target}")
        report = TakedownReport(
            target, made.subject, made.text, made.xarf, evidence.text, evidence.is_message,
            evidence.occurred_at, evidence.envelope_sender, evidence.source_port,
        )  # fmt: skip
        incident = sha256(f"{target}\n{evidence.text}".encode("utf-8", "replace")).digest()
        with self._store.writing():
            self._refuse_repeated(target, incident, now, again=again)
            begun = self._store.takedowns.begin(
                target, incident, report_id, asked_by, tuple(contacts), msgspec.json.encode(report), now
            )
        return self.go_on(begun.id)

    def go_on(self, number: int) -> Sent:
        """Send a report to the next contact that was not written to, or again where the mail server put it off.

        Raises ``NothingFound``, ``NotAllowed``, ``CouldNotAct`` and ``StoreUnusable``.
        """
        takedown = self._found(number)
        mails = self._store.takedowns.mails(takedown)
        if mails and mails[-1].state not in (*_FAILED, MailState.PUT_OFF):
            raise NotAllowed(
                f"it was sent to {mails[-1].contact} ({mails[-1].state.value}); mark that as bounced first"
            )
        tried = {mail.contact for mail in mails if mail.state is not MailState.PUT_OFF}
        for contact in takedown.contacts:
            if contact not in tried and self._sent(takedown, contact):
                return self.sent(number)
        raise CouldNotAct(
            f"no contact for {takedown.target} took it; a person has to look: outwarden takedowns show {number}"
        )

    def bounced(self, number: int, words: str) -> Sent:
        """Write down that the last mail of a report came back, and send it to the next contact.

        Raises as ``go_on``.
        """
        mails = self._store.takedowns.mails(self._found(number))
        if not mails or mails[-1].state in _FAILED:
            raise NotAllowed("no mail of it is under way")
        with self._store.writing():
            self._store.takedowns.end_mail(mails[-1], MailState.BOUNCED, words, mails[-1].queue_id, self._clock())
        return self.go_on(number)

    def follow(self) -> list[str]:
        """Send to the next contact what the followed log says came back; returns what there is to say.

        Raises ``StoreUnusable``.
        """
        said = []
        for mail in self._store.takedowns.under_way(self._clock() - _FOLLOWED_FOR):
            words = self._came_back(mail)
            if words is None:
                continue
            try:
                next_mail = self.bounced(mail.takedown, words).mails[-1]
                said.append(f"report {mail.takedown}: {mail.contact} bounced; sent to {next_mail.contact}")
            except (CouldNotAct, NotAllowed) as fault:
                said.append(f"report {mail.takedown}: {mail.contact} bounced, and no other was written to: {fault}")
        return said

    def _came_back(self, mail: TakedownMail) -> str | None:
        for message in self._store.messages.by_queue_id(None, mail.queue_id):
            if abs(message.at - mail.begun_at) > _DAY:
                continue
            for attempt in message.attempts:
                if attempt.outcome in _GONE and attempt.recipient.lower() == mail.contact.lower():
                    return f"{attempt.status or ''} {attempt.reply}".strip()[:300]
        return None

    def answered(self, number: int, by: str, text: str) -> Sent:
        """Write down what they answered.  Raises ``NothingFound`` and ``StoreUnusable``."""
        with self._store.writing():
            self._store.takedowns.answer(self._found(number), by, text, self._clock())
        return self.sent(number)

    def newest(self, most: int) -> list[Sent]:
        """Return the last reports, newest first."""
        return [Sent(each, tuple(self._store.takedowns.mails(each))) for each in self._store.takedowns.newest(most)]

    def sent(self, number: int) -> Sent:
        """Return a report as it stands.  Raises ``NothingFound``."""
        takedown = self._found(number)
        return Sent(takedown, tuple(self._store.takedowns.mails(takedown)))

    def _found(self, number: int) -> Takedown:
        found = self._store.takedowns.find(number)
        if found is None:
            raise NothingFound(f"there is no report {number}; outwarden takedowns list shows them")
        return found

    def _refuse_repeated(self, target: str, incident: bytes, now: datetime, *, again: bool) -> None:
        if (same := self._store.takedowns.of_incident(target, incident)) is not None:
            raise NotAllowed(f"this incident was reported as {same.id}, on {same.begun_at:%Y-%m-%d %H:%M} UTC")
        recent = self._store.takedowns.of_target(target, now - SAME_TARGET_AFTER)
        if recent is not None and not again:
            raise NotAllowed(
                f"{target} was reported as {recent.id}, on {recent.begun_at:%Y-%m-%d %H:%M} UTC; give them a week, or "
                "say --again"
            )
        self._refuse_over_cap(now)

    def _refuse_over_cap(self, now: datetime) -> None:
        if self._store.takedowns.sent_since(now - _DAY) >= self._site.most_per_day:
            raise NotAllowed(
                f"{self._site.most_per_day} reports were sent within a day, which is takedown.most_per_day"
            )

    def _sent(self, takedown: Takedown, contact: str) -> bool:
        """Send to one contact; return False where the next one is to be tried."""
        reporter = self._site.reporter
        if reporter is None:
            raise NotAllowed("who reports is not known: put [reporter] into the table of contacts")
        now = self._clock()
        report = msgspec.json.decode(takedown.report, type=TakedownReport)
        with self._store.writing():
            self._refuse_over_cap(now)
            mail = self._store.takedowns.begin_mail(takedown, contact, now)
        try:
            message = compose_takedown(report, takedown.report_id, reporter, contact, self._site.bounces_to, now)
        except Unaddressable as fault:
            self._end(mail, MailState.REFUSED, str(fault))
            return False
        done = hand_over(message, self._site.host, self._site.port)
        self._end(mail, _STATES[done.how], done.words)
        if done.how is Handover.TRY_AGAIN:
            raise CouldNotAct(f"put off: {done.words}; outwarden takedowns send {takedown.id} tries again")
        return done.how is not Handover.REFUSED

    def _end(self, mail: TakedownMail, state: MailState, words: str) -> None:
        found = _QUEUED_AS.search(words)
        with self._store.writing():
            self._store.takedowns.end_mail(mail, state, words, found[1] if found else "", self._clock())
