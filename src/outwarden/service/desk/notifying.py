"""Tells those who answer for an account: the owner, the technical contact, the manager; once, and the next who can be
reached where the first cannot.

A notice is written down before it is handed over.  One of which nobody knows whether it was taken, as the service died
or the server fell silent, is not sent a second time; that is said, and a person may look.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from outwarden.cases.case import Case
from outwarden.cases.response_requests import RESPONSES, Answer, ResponseName, ResponseRequest
from outwarden.cases.subscriber import Contact, ContactRole, SubjectKind, Subscribers
from outwarden.responses.notices.facts import NoticeKind
from outwarden.responses.notices.guards import Hindrance, History, Sent, may_send
from outwarden.responses.notices.letter import Letter, letter
from outwarden.responses.notices.message import Addressee, AnotherMailbox, TheMailboxItself, compose
from outwarden.responses.notices.smtp import HandedOver, Handover, hand_over
from outwarden.responses.notices.webhook import UnusableWebhook, send_text
from outwarden.service.acting import CouldNotAct
from outwarden.service.desk.notice_facts import account_of, facts_of, kind_of, language_of, message_id_of
from outwarden.service.desk.notice_site import NoticeSite
from outwarden.service.desk.own_addresses import TOKEN
from outwarden.service.desk.responder import CarriedOut, Verified
from outwarden.sources.message.mark import HEADER, NONCE_BYTES, mark
from outwarden.store.link_tokens import ID_BYTES, Link, LinkPurpose, token_digest
from outwarden.store.owner_notices import NoticeState, OwnerNotice
from outwarden.store.store import Store

_DAY = timedelta(days=1)
_LOG_TELLS_WITHIN = timedelta(minutes=1)
_LINK_LASTS = timedelta(days=14)
_QUEUED_AS = re.compile(r"(?:queued as |id=)([0-9A-Za-z-]{6,64})")
_ROLES = {
    ResponseName.NOTIFY_OWNER: ContactRole.OWNER,
    ResponseName.NOTIFY_TECHNICAL_CONTACT: ContactRole.TECHNICAL,
    ResponseName.NOTIFY_MANAGER: ContactRole.MANAGER,
}
_STATES = {
    Handover.TAKEN: NoticeState.TAKEN,
    Handover.REFUSED: NoticeState.REFUSED,
    Handover.TRY_AGAIN: NoticeState.WAITS,
    Handover.UNKNOWN: NoticeState.NOT_KNOWN,
}
_COUNTS = (NoticeState.BEGUN, NoticeState.TAKEN, NoticeState.NOT_KNOWN)
_NEXT_CONTACT = frozenset(
    {Hindrance.OUR_OWN_ADDRESS, Hindrance.BOUNCED, Hindrance.ANSWERS_BY_ITSELF, Hindrance.WHOEVER_READS_IT}
)
"""What is in the way of one address; anything else is a cap, and passes."""


class KnowsNotices(Protocol):
    """Is told by which queue ID bounces of a notice will be known."""

    def sends(self, notice: OwnerNotice) -> None:
        """Note that it is about to be sent."""

    def taken(self, notice: int, queue_id: str) -> None:
        """Note it."""


class NoticeResponder:
    """``notify-owner``, ``notify-technical-contact``, ``notify-manager``."""

    responses = frozenset(_ROLES)

    def __init__(self, site: NoticeSite, subscribers: Subscribers, store: Path, bounces: KnowsNotices) -> None:
        self._site, self._subscribers, self._store, self._bounces = site, subscribers, store, bounces

    def carry_out(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Tell the first contact who can be told."""
        with Store(self._store) as store:
            earlier = store.owner_notices.of_request(request.id)
            known = self._known(store, earlier[-1], now) if earlier else None
            return known or self._told(store, request, case, earlier, now)

    def undo(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Nothing: what was said was said."""
        return CarriedOut(Answer.FAILED, "what was sent does not come back")

    def dry_run(self, request: ResponseRequest, case: Case) -> tuple[str, ...]:
        """Say whom, and what."""
        kind, language = kind_of(request, case), language_of(request)
        whom = [f"{one.address} by {one.channel}" for one in self._contacts(request, case)]
        return (f"tell {whom[0] if whom else 'nobody'}: {kind.value}, in {language.value}",)

    # -- within

    def _known(self, store: Store, last: OwnerNotice, now: datetime) -> CarriedOut | None:
        """Return what is known already of a request; None where something is to be sent."""
        if last.state is NoticeState.TAKEN:
            return self._done(last.address, last.words)
        if last.state in (NoticeState.BEGUN, NoticeState.NOT_KNOWN):
            if now - last.begun_at < _LOG_TELLS_WITHIN:
                raise CouldNotAct(f"{last.address}: it may have been sent; the mail server's log will tell")
            with store.writing():
                store.owner_notices.became(last, NoticeState.NOT_KNOWN, last.words or "the service died meanwhile")
            return _not_known(last.address)
        return None

    def _told(
        self, store: Store, request: ResponseRequest, case: Case, earlier: list[OwnerNotice], now: datetime
    ) -> CarriedOut:
        refused = {one.address for one in earlier if one.state is NoticeState.REFUSED}
        waits = next((one for one in earlier if one.state is NoticeState.WAITS), None)
        history, kind = self._history(store, now), kind_of(request, case)
        in_the_way = []
        for contact in self._contacts(request, case):
            if contact.address in refused:
                continue
            to = _addressee(contact, case)
            hindrance = may_send(history, self._site.caps, kind, account_of(case), to, now)
            if hindrance is not None and hindrance not in _NEXT_CONTACT:
                return CarriedOut(Answer.WAITING, f"{contact.address}: not yet: {hindrance.value}")
            if hindrance is not None:
                in_the_way.append(f"{contact.address}: {hindrance.value}")
                continue
            again = waits if waits is not None and waits.address == contact.address else None
            handed = self._send(store, request, case, contact, again, now)
            if handed.how is Handover.TAKEN:
                return self._done(contact.address, handed.words)
            if handed.how is Handover.UNKNOWN:
                return _not_known(contact.address)
            if handed.how is Handover.TRY_AGAIN:
                raise CouldNotAct(f"{contact.address}: {handed.words}")
            in_the_way.append(f"{contact.address}: refused: {handed.words}")
        return CarriedOut(Answer.FAILED, "; ".join(["nobody could be told", *in_the_way]))

    def _contacts(self, request: ResponseRequest, case: Case) -> Iterator[Contact]:
        subscriber = self._subscribers.by_id(case.subscriber)
        closed = set(case.named(SubjectKind.ACCOUNT))
        for contact in subscriber.contacts if subscriber is not None else ():
            reachable = contact.channel != "sms" or self._site.gateway is not None
            if contact.role is _ROLES[request.response] and contact.address.lower() not in closed and reachable:
                yield contact

    def _history(self, store: Store, now: datetime) -> History:
        sent = [
            Sent(NoticeKind(one.kind), one.account, one.address, one.begun_at)
            for one in store.owner_notices.since(now - _DAY)
            if one.state in _COUNTS
        ]
        return History(sent, store.owner_notices.bounced_addresses(), (), self._site.ours)

    def _send(
        self, store: Store, request: ResponseRequest, case: Case, contact: Contact, again: OwnerNotice | None,
        now: datetime,
    ) -> HandedOver:  # fmt: skip
        notices, kind = store.owner_notices, kind_of(request, case)
        with store.writing():
            notice = again or notices.begin(
                request=request.id, case=case.id, kind=kind.value, account=account_of(case),
                role=contact.role.value, channel=contact.channel, address=contact.address, now=now,
            )  # fmt: skip
            link, digest = self._link(case, contact, kind, now)
            notices.has_link(notice, digest)
        facts = facts_of(case, kind, link)
        written = letter(self._site.templates, kind, language_of(request), facts, self._site.place, self._site.zone)

        def about_to_send() -> None:
            # Until here it is certain that nothing was sent; from here on it is sent once at most.
            self._bounces.sends(notice)
            with store.writing():
                notices.sends(notice)

        if contact.channel == "sms":
            about_to_send()
            handed = self._by_text(contact, written, case)
        else:
            handed = self._by_mail(notice, contact, written, case, now, about_to_send)
        queue_id = match[1] if handed.how is Handover.TAKEN and (match := _QUEUED_AS.search(handed.words)) else ""
        if queue_id:
            self._bounces.taken(notice.id, queue_id)
        with store.writing():
            notices.became(notice, _STATES[handed.how], handed.words, queue_id)
            store.audit.record(
                actor="outwarden", action="notice", object=contact.address, at=now, before="",
                after=f"{_STATES[handed.how].value}, {kind.value}, {case.id}", reason=handed.words[:200],
            )  # fmt: skip
        return handed

    def _by_mail(
        self, notice: OwnerNotice, contact: Contact, written: Letter, case: Case, now: datetime,
        about_to_send: Callable[[], None],
    ) -> HandedOver:  # fmt: skip
        site = self._site
        sender = site.bounces.of(notice.id) if site.bounces is not None else ""
        mail = compose(
            written, site.templates, _addressee(contact, case), site.head,
            reference=case.id, message_id=message_id_of(notice), at=now, sender=sender, mark=self._mark(now),
        )  # fmt: skip
        return hand_over(mail, site.host, site.port, about_to_send=about_to_send)

    def _by_text(self, contact: Contact, written: Letter, case: Case) -> HandedOver:
        gateway = self._site.gateway
        if gateway is None:
            return HandedOver(Handover.REFUSED, "no gateway for text messages is set up")
        try:
            return send_text(gateway.webhook, gateway.secret, contact.address, written.short, case.id)
        except UnusableWebhook as fault:
            return HandedOver(Handover.REFUSED, str(fault))

    def _mark(self, now: datetime) -> str:
        keys, address = self._site.mark_keys, self._site.head.address
        if keys is None:
            return ""
        host = address.rpartition("@")[2]
        return f"{HEADER}: {mark(keys, address, host, now, secrets.token_bytes(NONCE_BYTES))}"

    def _link(self, case: Case, contact: Contact, kind: NoticeKind, now: datetime) -> tuple[str, str]:
        """Return the link to the owner's page and its digest; empty where there is none for this contact."""
        keys = self._site.link_keys
        owners = contact.role is ContactRole.OWNER and contact.channel == "mail" and kind is not NoticeKind.GIVEN_BACK
        if keys is None or not owners or isinstance(_addressee(contact, case), TheMailboxItself):
            return "", ""
        chance = secrets.token_bytes(ID_BYTES)
        token = keys.token(Link(LinkPurpose.OWNER_PAGE, account_of(case), case.id, now + _LINK_LASTS, chance))
        return self._site.link_url.replace(TOKEN, token), token_digest(token)

    def _done(self, address: str, words: str) -> CarriedOut:
        deed = RESPONSES[ResponseName.NOTIFY_OWNER].words
        return CarriedOut(Answer.DONE, f"{address} is told", (Verified(deed, True, f"{address}: {words}"),))


def _not_known(address: str) -> CarriedOut:
    words = f"{address}: handed over, and its receipt is not known; it is not sent twice"
    return CarriedOut(Answer.DONE, words, (Verified("tell the contact", None, words),))


def _addressee(contact: Contact, case: Case) -> Addressee:
    itself = contact.address.lower() in case.named(SubjectKind.ACCOUNT)
    return TheMailboxItself(contact.address) if itself else AnotherMailbox(contact.address)
