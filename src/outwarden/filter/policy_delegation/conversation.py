"""Postfix's policy delegation over one connection, without the connection.

The account is decided on wherever a sender is known, at MAIL and at each RCPT; the message where it is whole, at
END-OF-MESSAGE, or at DATA where the site asks there.  What the message says is never shown.
"""

import msgspec

from outwarden.filter.conversation import Happening, MalformedQuestion, MessageEnded, SenderNamed
from outwarden.filter.lines import LineConversation
from outwarden.filter.policy_delegation.gathering import Gathering
from outwarden.filter.policy_delegation.requests import MOST_BYTES, Request, attribute, request
from outwarden.filter.verdicts import Accept, Defer, Refuse, Verdict
from outwarden.filter.words import ascii_line

MOST_WORDS = 400
"""So long may the text for people be.  RFC 5321 section 4.5.3.1.5: a line has 512 bytes, and Postfix says before it
what it is about."""

_WHOLE = {"DATA", "END-OF-MESSAGE"}


class PolicyConversation(LineConversation):
    """Has requests answered, one after the other."""

    def __init__(self, gathering: Gathering) -> None:
        super().__init__(MOST_BYTES)
        self._gathering = gathering
        self._attributes: dict[str, str] = {}
        self._bytes = 0

    @property
    def frame_begun(self) -> bool:
        """Whether the rest of a request is owed."""
        return bool(self._attributes) or super().frame_begun

    def _next(self) -> Happening | None:
        while (line := self._lines.take()) is not None:
            if line:
                self._take_attribute(line)
                continue
            asked, self._attributes, self._bytes = request(self._attributes), {}, 0
            self.frames_taken += 1
            if (happening := self._meaning(asked)) is not None:
                return happening
            self._unsent += _said("DUNNO")
        return None

    def _take_attribute(self, line: bytes) -> None:
        self._bytes += len(line)
        name, value = attribute(line)
        if self._bytes > MOST_BYTES or name in self._attributes:
            raise MalformedQuestion("a request that is too long, or says an attribute twice")
        self._attributes[name] = value

    def _meaning(self, asked: Request) -> Happening | None:
        envelope = asked.envelope
        if asked.stage in _WHOLE:
            gathered = self._gathering.take(asked.instance)
            count = envelope.recipient_count or gathered.count
            recipients = tuple(gathered.kept) or envelope.recipients
            return MessageEnded(msgspec.structs.replace(envelope, recipients=recipients, recipient_count=count))
        if asked.stage == "RCPT" and envelope.recipients:
            gathered = self._gathering.add(asked.instance, envelope.recipients[0])
            return SenderNamed(
                msgspec.structs.replace(envelope, recipients=tuple(gathered.kept), recipient_count=gathered.count)
            )
        return SenderNamed(envelope) if asked.stage == "MAIL" else None

    def _spoken(self, verdict: Verdict, ended: bool) -> bytes:
        if isinstance(verdict, Refuse):
            return _said(f"550 5.7.1 {ascii_line(verdict.text, MOST_WORDS)}")
        if isinstance(verdict, Defer):
            return _said(f"451 4.7.1 {ascii_line(verdict.text, MOST_WORDS)}")
        if isinstance(verdict, Accept) or not ended:
            return _said("DUNNO")
        return _said(f"HOLD {ascii_line(verdict.text, MOST_WORDS)}")


def _said(action: str) -> bytes:
    return f"action={action}\n\n".encode()
