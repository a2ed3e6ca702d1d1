"""What the gate had held before the service came to its end: known from the queue, where nothing else tells of it.

A log tells of a message that is held at the gate when it leaves, which may be hours later or never.  So of what was
held and not written down when a service was killed, only the mail server's queue knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from outwarden.events import AccountKind, Submitted, mailbox
from outwarden.responses.mail_server import Queued
from outwarden.service.automatic.book import Book


def left_on_hold(
    queued: Iterable[Queued], book: Book, host: str, kind_of: Callable[[str], AccountKind | None]
) -> list[Submitted]:
    """Return the messages on hold of accounts that are held or blocked, as the gate took them; nothing without a host.

    Of one whose account is no login, ``kind_of`` says what its account is known as; what is not known is left out.
    """
    if not host:
        return []
    found = []
    for message in queued:
        stands = book.in_force(message.account)
        kind = AccountKind.LOGIN if message.login is not None else kind_of(mailbox(message.sender))
        if stands is None or kind is None or message.arrived_at is None:
            continue
        found.append(
            Submitted(
                message.arrived_at,
                host,
                message.queue_id,
                mailbox(message.sender if message.login is None else message.login),
                kind,
                sender=mailbox(message.sender),
                recipients=len(message.recipients) + message.more_recipients,
                size=message.size,
                recipient_addresses=tuple(map(mailbox, message.recipients)),
            )
        )
    return found
