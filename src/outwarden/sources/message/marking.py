"""The headers by which what comes back of a message names its account.

The mark, and where the site wants them ``Feedback-ID`` (Google's rates of complaints by sender) and ``CFBL-Address``
(RFC 9477).  The last two count only under a DKIM signature that covers them: whoever signs must do so after these
headers are added.  No value can end its header: what is not of the form that it must have is refused.
"""

from __future__ import annotations

import re
from datetime import datetime

from outwarden.sources.message.mark import HEADER, MarkKeys, Unmarkable, folded, mark_token

# Google asks for 5 to 15 characters; a colon would begin another part.
_SENDER = re.compile(r"[A-Za-z0-9_.-]{5,15}")
# RFC 5322 section 3.4.1, a dot-atom; no quoted local part, which a reader of the header may take apart wrongly.
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")

Header = tuple[str, str]


class UnusableHeader(ValueError):
    """What a header must not hold; the text says what it may."""


def marked_headers(
    keys: MarkKeys,
    account: str,
    host: str,
    at: datetime,
    nonce: bytes,
    *,
    feedback_id: str = "",
    cfbl_address: str = "",
) -> tuple[Header, ...]:
    """Return the headers of one message, name and folded value; ``nonce`` as for ``mark``.

    A name too long to be marked leaves the mark out.  Raises ``UnusableHeader`` where the settings do not do.
    """
    feedback = checked_feedback_id(feedback_id)
    complaints = checked_cfbl_address(cfbl_address)
    headers: list[Header] = []
    try:
        token = mark_token(keys, account, host, at, nonce)
    except Unmarkable:
        token = ""
    if token:
        headers.append((HEADER, folded(HEADER, token)))
    if feedback:
        # The last part is the sender; each part before it is counted by itself, so it stays the same over messages.
        headers.append(("Feedback-ID", f"{keys.pseudonym(account)}:{feedback}"))
    if complaints:
        # RFC 9477 section 6; section 5: the ID comes back with the complaint, and should be hard to forge.
        headers.append(("CFBL-Address", f"{complaints}; report=arf"))
        if token:
            headers.append(("CFBL-Feedback-ID", folded("CFBL-Feedback-ID", token)))
    return tuple(headers)


def checked_feedback_id(feedback_id: str) -> str:
    """Return it.  Raises ``UnusableHeader``."""
    if feedback_id and not _SENDER.fullmatch(feedback_id):
        raise UnusableHeader(f"{feedback_id!r} is not 5 to 15 letters, digits, dots, hyphens or underscores")
    return feedback_id


def checked_cfbl_address(address: str) -> str:
    """Return it.  Raises ``UnusableHeader``."""
    if address and not _ADDRESS.fullmatch(address):
        raise UnusableHeader(f"{address!r} is no mailbox; write one like fbl@isp.example")
    return address
