"""What the invented remote hosts of the sample say: short forms of wordings that really occur."""

from typing import NamedTuple

from outwarden.events import Outcome, RefusalClass


class Wording(NamedTuple):
    """One reply: what it means, its enhanced status, its words, and the command it answers.

    Words may name ``{ours}`` (our address), ``{recipient}`` and ``{mx}``.  ``command`` is None
    where no remote spoke and our own server tells of its failure.
    """

    outcome: Outcome
    refusal_class: RefusalClass | None
    status: str
    words: str
    command: str | None


def _refused(refusal_class: RefusalClass, status: str, words: str, command: str = "RCPT TO") -> Wording:
    return Wording(Outcome.BOUNCED, refusal_class, status, words, command)


def _put_off(status: str, words: str, command: str | None = "RCPT TO") -> Wording:
    return Wording(Outcome.DEFERRED, None, status, words, command)


ACCEPTED = (
    Wording(Outcome.DELIVERED, None, "2.0.0", "250 2.0.0 Ok: queued as {token}", None),
    Wording(Outcome.DELIVERED, None, "2.0.0", "250 2.0.0 OK 1775545200 {token}.12 - bigsmtp", None),
    Wording(Outcome.DELIVERED, None, "2.6.0", "250 2.6.0 <{token}@{mx}> [InternalId=118, Hostname={mx}] Queued", None),
    Wording(Outcome.DELIVERED, None, "2.0.0", "250 OK id=1xVo{token}", None),
)

UNKNOWN = (
    _refused(
        RefusalClass.UNKNOWN_RECIPIENT,
        "5.1.1",
        "550 5.1.1 <{recipient}>: Recipient address rejected: User unknown in virtual mailbox table",
    ),
    _refused(
        RefusalClass.UNKNOWN_RECIPIENT,
        "5.1.1",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try"
        " 550-5.1.1 double-checking the address for typos. 550 5.1.1 {token} - bigsmtp",
    ),
    _refused(RefusalClass.UNKNOWN_RECIPIENT, "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found"),
    _refused(RefusalClass.UNKNOWN_RECIPIENT, "5.0.0", "550 No such user here, <{recipient}>; nothing done"),
)

FULL = (
    _refused(RefusalClass.MAILBOX_FULL, "5.2.2", "552 5.2.2 <{recipient}>: mailbox is over quota"),
    _refused(
        RefusalClass.MAILBOX_FULL,
        "5.2.2",
        "552-5.2.2 The recipient's inbox is out of storage. 552 5.2.2 {token}",
    ),
)

BLOCKLISTED = (
    _refused(
        RefusalClass.ADDRESS_BLOCKLISTED,
        "5.7.1",
        "554 5.7.1 Service unavailable; Client host [{ours}] blocked using zen.spamhaus.org;"
        " https://www.spamhaus.org/query/ip/{ours}",
    ),
    _refused(
        RefusalClass.ADDRESS_BLOCKLISTED,
        "5.7.1",
        "550 5.7.1 Service unavailable, Client host [{ours}] blocked using Spamhaus."
        " To request removal from this list see https://www.spamhaus.org/query/ip/{ours}",
    ),
)

CONTENT = (
    _refused(
        RefusalClass.CONTENT_REFUSED,
        "5.7.1",
        "550-5.7.1 [{ours}] Our system has detected that this message is likely unsolicited mail."
        " 550 5.7.1 {token} - bigsmtp",
        "end of DATA",
    ),
    _refused(RefusalClass.CONTENT_REFUSED, "5.7.1", "554 5.7.1 Message content rejected, id={token}", "end of DATA"),
    _refused(RefusalClass.CONTENT_REFUSED, "5.7.1", "554 5.7.1 Spam message rejected", "end of DATA"),
)

TOO_LARGE = (
    _refused(RefusalClass.MESSAGE_TOO_LARGE, "5.3.4", "552 5.3.4 Message exceeds our size limit", "MAIL FROM"),
)

NO_SUCH_DOMAIN = (
    Wording(
        Outcome.BOUNCED,
        RefusalClass.RECIPIENT_DOMAIN_INVALID,
        "5.4.4",
        "Host or domain name not found. Name service error for name={domain} type=AAAA: Host not found",
        None,
    ),
)

UNREACHABLE = (
    _put_off("4.4.1", "connect to {mx}[{address}]:25: Connection timed out", None),
    _put_off("4.4.1", "connect to {mx}[{address}]:25: Connection refused", None),
    _put_off("4.4.2", "lost connection with {mx}[{address}] while receiving the initial server greeting", None),
)

GREYLISTED = (
    _put_off("4.2.0", "450 4.2.0 <{recipient}>: Recipient address rejected: Greylisted, come back in 300 s; see {mx}"),
    _put_off("4.7.1", "451 4.7.1 Greylisting in action, please come back later"),
)

TOO_FAST = (
    _put_off(
        "4.7.28",
        "421-4.7.28 Our system has detected an unusual rate of unsolicited mail originating"
        " 421-4.7.28 from your IP address {ours}. 421 4.7.28 {token} - bigsmtp",
        "end of DATA",
    ),
    _put_off("4.7.0", "421 4.7.0 [TSS04] Messages from {ours} temporarily deferred, too many", "MAIL FROM"),
)
