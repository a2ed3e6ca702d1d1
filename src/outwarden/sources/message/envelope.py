"""From an examined message and its envelope to the event that detection hears of."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from outwarden.events import AccountKind, Submitted, domain_of, mailbox
from outwarden.sources.message.examined import Examined


class Envelope(msgspec.Struct, frozen=True):
    """What the mail server says of a message, and what the caller knows of its client.

    ``own_addresses`` are those that the account may write From; an entry like ``@isp.example`` stands for every
    mailbox of a domain, and none at all means that it is not known.  ``network``, ``country`` and ``client_listed``
    are those of ``events.Submitted``.
    """

    at: datetime
    host: str
    queue_id: str
    account: str
    kind: AccountKind
    client_address: str | None = None
    sender: str = ""
    recipients: tuple[str, ...] = ()
    own_addresses: tuple[str, ...] = ()
    network: str | None = None
    country: str | None = None
    client_listed: bool = False


def submitted(examined: Examined, envelope: Envelope, fingerprint: str | None) -> Submitted:
    """Return the event; ``fingerprint`` is the name of the message's text among others (``TextClusters``)."""
    return Submitted(
        at=envelope.at,
        host=envelope.host,
        queue_id=envelope.queue_id,
        account=envelope.account,
        kind=envelope.kind,
        client_address=envelope.client_address,
        sender=envelope.sender,
        recipients=len(envelope.recipients),
        size=examined.size,
        message_id=examined.message_id,
        subject=examined.subject or None,
        recipient_addresses=tuple([str(mailbox(one)) for one in envelope.recipients]),
        fingerprint=fingerprint,
        links=examined.links,
        filter_verdict=examined.filter_verdict,
        reply=examined.reply,
        foreign_from=is_foreign(examined.from_addresses, envelope.own_addresses),
        network=envelope.network,
        country=envelope.country,
        client_listed=envelope.client_listed,
    )


def is_foreign(from_addresses: Collection[str], own_addresses: Collection[str]) -> bool:
    """Return whether a From names a mailbox that is none of the account's own.

    One foreign mailbox is enough: of several, a reader may be shown any.  Case and what follows a plus sign in the
    local part change no mailbox.  Where the account's addresses are not known, or no From is there, nothing is foreign.
    """
    if not own_addresses:
        return False
    own = {_plain(one) for one in own_addresses}
    return any(_plain(one) not in own and f"@{domain_of(one)}" not in own for one in from_addresses)


def _plain(address: str) -> str:
    local, at, domain = address.lower().rpartition("@")
    return local.partition("+")[0] + at + domain if local else address.lower()
