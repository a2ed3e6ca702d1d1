r"""Questions of Exim's ``${readsocket}`` over one connection, without the connection.

A question is a line of ``name=value``, with tabs between them.  There is no escape: a value that has a control
character is malformed, so whoever asks replaces those.  Names that are not known mean nothing.  An answer is a line:
``ACCEPT``, ``HOLD text``, ``DEFER text`` or ``REFUSE text``; ``MALFORMED why`` to what is no question, and then the
connection is closed.
"""

import re
from collections.abc import Mapping

from outwarden.events import Mailbox, mailbox
from outwarden.filter.conversation import Happening, MalformedQuestion, SenderNamed
from outwarden.filter.envelope import Envelope
from outwarden.filter.lines import LineConversation, text
from outwarden.filter.verdicts import Defer, Hold, Refuse, Verdict
from outwarden.filter.words import ascii_line

MOST_BYTES = 8192
"""The longest question."""

MOST_WORDS = 400
"""So long may the text for people be.  RFC 5321 section 4.5.3.1.5: a line of a reply has 512 bytes."""

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_STAGE = "rcpt"


class ReadsocketConversation(LineConversation):
    """Has questions answered, one after the other."""

    def __init__(self) -> None:
        super().__init__(MOST_BYTES)

    def _next(self) -> Happening | None:
        try:
            if (line := self._lines.take()) is None:
                return None
            envelope = question(line)
        except MalformedQuestion as error:
            raise MalformedQuestion(str(error), _said("MALFORMED", str(error))) from None
        self.frames_taken += 1
        return SenderNamed(envelope)

    def _spoken(self, verdict: Verdict, ended: bool) -> bytes:
        if isinstance(verdict, Refuse):
            return _said("REFUSE", verdict.text)
        if isinstance(verdict, Defer):
            return _said("DEFER", verdict.text)
        # Exim freezes a message from its first recipient on, so that can be said before there is one.
        return _said("HOLD", verdict.text) if isinstance(verdict, Hold) else _said("ACCEPT", "")


def question(line: bytes) -> Envelope:
    """Return what a line asks about.  Raises ``MalformedQuestion``."""
    if _CONTROL.search(line):
        raise MalformedQuestion("a control character")
    said = _attributes(line)
    if said.get("stage") != _STAGE:
        raise MalformedQuestion("no stage that anything is asked at")
    recipients: tuple[Mailbox, ...] = (mailbox(said["recipient"]),) if said.get("recipient") else ()
    return Envelope(
        sender=mailbox(said.get("sender", "")),
        recipients=recipients,
        recipient_count=len(recipients),
        login=said.get("user", ""),
        client_address=said.get("ip", ""),
        helo=said.get("helo", ""),
        host=said.get("host", ""),
    )


def _attributes(line: bytes) -> Mapping[str, str]:
    said: dict[str, str] = {}
    for part in text(line).split("\t"):
        name, equals, value = part.partition("=")
        if not equals or name in said:
            raise MalformedQuestion("a part that is no name=value, or is said twice")
        said[name] = value
    return said


def _said(word: str, words: str) -> bytes:
    return f"{word} {ascii_line(words, MOST_WORDS)}".rstrip().encode() + b"\n"
