"""What a remote said when it would not take our mail, sorted by what must be done about it."""

from enum import StrEnum

import msgspec


class RefusalClass(StrEnum):
    """The cause of a refusal; the question is always what somebody must do about it."""

    UNKNOWN_RECIPIENT = "unknown-recipient"
    MAILBOX_FULL = "mailbox-full"
    RECIPIENT_DISABLED = "recipient-disabled"
    ADDRESS_BLOCKLISTED = "address-blocklisted"
    DOMAIN_BLOCKLISTED = "domain-blocklisted"
    URL_BLOCKLISTED = "url-blocklisted"
    RATE_LIMITED = "rate-limited"
    REPUTATION = "reputation"
    AUTHENTICATION_FAILED = "authentication-failed"
    NO_REVERSE_DNS = "no-reverse-dns"
    CONTENT_REFUSED = "content-refused"
    MALWARE = "malware"
    POLICY = "policy"
    SENDER_REJECTED = "sender-rejected"
    RECIPIENT_DOMAIN_INVALID = "recipient-domain-invalid"
    MESSAGE_TOO_LARGE = "message-too-large"
    MALFORMED = "malformed"
    GREYLISTED = "greylisted"
    RELAY_DENIED = "relay-denied"
    NETWORK = "network"
    REMOTE_ERROR = "remote-error"
    LOCAL_ERROR = "local-error"
    UNCLASSIFIED = "unclassified"


class Refusal(msgspec.Struct, frozen=True, rename={"refusal_class": "class"}):
    """One refusal understood.

    ``permanent`` follows the SMTP reply code, else the enhanced status (RFC 3463 section 2).
    ``list`` is the short id of the blocklist named, ``listed`` the literal address or domain
    the text says is listed, ``provider`` the service that wrote the text, ``status`` the first
    enhanced status code in it.  Each is None where the text does not say.
    """

    text: str
    refusal_class: RefusalClass
    permanent: bool
    list: str | None = None
    listed: str | None = None
    provider: str | None = None
    status: str | None = None
