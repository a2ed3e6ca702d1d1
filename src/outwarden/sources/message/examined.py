"""What the examination of one message finds, as frozen records."""

from enum import StrEnum

import msgspec

from outwarden.events import Link


class Fault(StrEnum):
    """What is wrong with a message, or what of it was left unread because a bound was reached.

    Each is evidence for a person; none of them makes a message spam by itself.
    """

    HEADER_TOO_LONG = "header-too-long"
    FIELD_TWICE = "field-twice"
    TOO_DEEP = "too-deep"
    TOO_MANY_PARTS = "too-many-parts"
    TOO_MANY_DELIMITERS = "too-many-delimiters"
    NO_BOUNDARY = "no-boundary"
    TEXT_TOO_LONG = "text-too-long"
    BAD_ENCODING = "bad-encoding"
    UNKNOWN_ENCODING = "unknown-encoding"
    UNKNOWN_CHARSET = "unknown-charset"
    WRONG_CHARSET = "wrong-charset"
    TOO_MANY_LINKS = "too-many-links"
    ATTACHMENT_TOO_LARGE = "attachment-too-large"
    TOO_MANY_ATTACHMENTS = "too-many-attachments"
    BAD_ARCHIVE = "bad-archive"


class Attachment(msgspec.Struct, frozen=True, gc=False):
    """One attachment.

    ``name`` is as the message gives it, decoded and without any path; ``type`` what it claims to be, in lower case.
    ``size`` is in bytes as decoded; ``sha256`` is in hexadecimal digits, empty where the attachment is too large to
    be decoded.  ``holds`` are the names that an archive gives for its members: what it says, not what is in it.
    ``encrypted``: it says that a member needs a password.
    """

    name: str
    type: str
    size: int
    sha256: str
    holds: tuple[str, ...] = ()
    encrypted: bool = False


class Examined(msgspec.Struct, frozen=True):
    """What one message says and carries; nothing here is believed, and nothing of it was fetched.

    ``size`` is in bytes.  ``from_addresses`` are all that the header From names, of each From there is.
    ``reply``: it says that it answers something; ``list_mail`` and ``automatic``: that it comes from a mailing
    list or that no person wrote it.  ``filter_verdict`` is what the headers say that the site trusts, None where
    they say nothing.  ``links`` are in the order they were found, each target once; ``urls`` are the pages themselves,
    for lists of hashed URLs.  ``sketch`` is that of the text (``TextClusters`` names it), empty where there is too
    little.  ``faults`` are in alphabetical order.
    """

    size: int
    subject: str = ""
    message_id: str | None = None
    from_addresses: tuple[str, ...] = ()
    reply: bool = False
    list_mail: bool = False
    automatic: bool = False
    filter_verdict: bool | None = None
    links: tuple[Link, ...] = ()
    urls: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    sketch: tuple[int, ...] = ()
    faults: tuple[Fault, ...] = ()
