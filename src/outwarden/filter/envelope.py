"""What is known about a message beside its own bytes."""

import msgspec

from outwarden.events import Mailbox


class Envelope(msgspec.Struct, frozen=True):
    """Who hands the message in, from where, for whom.

    What the mail server has not told, or not yet told, is empty: at the envelope sender there are no recipients
    and, with Postfix, no queue ID.  ``recipients`` are at most as many as are kept, ``recipient_count`` is all of
    them.  ``login`` is the authenticated account, ``client_address`` is empty for a local program.
    ``announced_size`` is what the mail server says the message takes, in bytes, where it says so; 0 where not.
    """

    sender: Mailbox
    recipients: tuple[Mailbox, ...] = ()
    recipient_count: int = 0
    login: str = ""
    login_mechanism: str = ""
    client_address: str = ""
    client_name: str = ""
    helo: str = ""
    queue_id: str = ""
    host: str = ""
    daemon: str = ""
    announced_size: int = 0
