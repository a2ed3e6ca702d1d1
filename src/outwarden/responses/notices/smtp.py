"""Hands a notice to the local mail server, which queues it and tries again: SMTP over the loopback, one mail a call.

Standard ``smtplib`` in the thread that acts: one mail at a time, within milliseconds, has nothing to gain from asyncio.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from outwarden.responses.notices.bounded import bounded
from outwarden.responses.notices.message import OutgoingNotice
from outwarden.responses.notices.wording import one_line

_SECONDS = 30.0


class Handover(StrEnum):
    """How it ended.

    ``UNKNOWN`` is a mail whose last byte was sent and whose receipt was not heard of: sending it again may double it.
    """

    TAKEN = "taken"
    REFUSED = "refused"
    TRY_AGAIN = "try again"
    UNKNOWN = "not known"


class HandedOver(NamedTuple):
    """How it ended, and what the server said or what was wrong, in one line."""

    how: Handover
    words: str


def hand_over(
    notice: OutgoingNotice,
    host: str = "127.0.0.1",
    port: int = 25,
    seconds: float = _SECONDS,
    about_to_send: Callable[[], None] = lambda: None,
) -> HandedOver:
    """Send one notice; never longer than ``seconds``, and never an error.

    ``about_to_send`` is called when the server takes sender and recipient, before the first byte of the mail: until
    then it is certain that nothing was sent.
    """
    client = smtplib.SMTP(timeout=seconds)
    begun = False
    try:
        with bounded(seconds, lambda: client.sock):
            code, words = client.connect(host, port)
            if code == 220:
                client.ehlo_or_helo_if_needed()
                code, words = client.mail(notice.sender)
            if code == 250:
                code, words = client.rcpt(notice.recipient)
            if code in (250, 251):
                about_to_send()
                begun = True
                code, words = client.data(notice.octets)
        return _judged(code, words)
    except smtplib.SMTPResponseException as refused:
        done = _judged(refused.smtp_code, refused.smtp_error)
        # A server that says yes where it has to say "go on" has not got the message.
        return done._replace(how=Handover.TRY_AGAIN) if done.how is Handover.TAKEN else done
    except (OSError, smtplib.SMTPException) as fault:
        words_of_fault = one_line(str(fault) or type(fault).__name__)
        return HandedOver(Handover.UNKNOWN if begun else Handover.TRY_AGAIN, words_of_fault)
    finally:
        client.close()


def _judged(code: int, words: bytes | str) -> HandedOver:
    said = one_line(f"{code} {words.decode('utf-8', 'replace') if isinstance(words, bytes) else words}")
    # RFC 5321 section 4.2.1: the first figure says whether it is done, for later, or never.
    how = {2: Handover.TAKEN, 4: Handover.TRY_AGAIN, 5: Handover.REFUSED}.get(code // 100, Handover.TRY_AGAIN)
    return HandedOver(how, said)
