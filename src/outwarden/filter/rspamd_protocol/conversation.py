"""Rspamd's protocols over one connection, without the connection.

The account is decided on when the head is whole.  What is refused there is answered when the message has come
nevertheless: a client that is still sending would not read.
"""

from outwarden.filter.conversation import Content, Happening, Left, MalformedQuestion, MessageEnded, SenderNamed
from outwarden.filter.lines import LineConversation
from outwarden.filter.rspamd_protocol.answers import CONTINUE, PONG, Dialect, answer, failure, http
from outwarden.filter.rspamd_protocol.postmark import Postmark
from outwarden.filter.rspamd_protocol.requests import MOST_LINE_BYTES, Asked, Request
from outwarden.filter.verdicts import Defer, Refuse, Verdict

_PIECE = 1 << 16


class RspamdConversation(LineConversation):
    """Has requests answered, one after the other; with Exim there is one."""

    def __init__(self) -> None:
        super().__init__(MOST_LINE_BYTES)
        self._request: Request | None = None
        self._in_body = self._last = self._left = False
        self._missing = 0
        self._early = b""
        self._postmark = Postmark()

    @property
    def in_message(self) -> bool:
        """Whether a message is coming, or its answer is owed."""
        return self._in_body or super().in_message

    @property
    def frame_begun(self) -> bool:
        """Whether the rest of a head or of a message is owed."""
        return self._request is not None or super().frame_begun

    def _next(self) -> Happening | None:
        while not self._last:
            if self._request is not None and self._in_body:
                if self._lines.left < min(self._missing, _PIECE):
                    return None
                if (happening := self._body(self._request)) is not None:
                    return happening
                continue
            try:
                line = self._lines.take()
            except MalformedQuestion as error:
                dialect = self._request.dialect if self._request else Dialect.HTTP
                raise MalformedQuestion(str(error), failure(dialect, 431 if self._request else 400)) from None
            if line is None:
                return None
            if (happening := self._head(line)) is not None:
                return happening
        if self._left:
            return None
        self._left = True
        return Left()

    def _head(self, line: bytes) -> Happening | None:
        request = self._request
        if request is None:
            # RFC 9112 section 2.2: empty lines before a request mean nothing.
            self._request = Request(line) if line else None
            return None
        if line:
            request.add(line)
            return None
        self.frames_taken += 1
        if request.end() is Asked.PING:
            self._answered(http(200, PONG, "text/plain", lasting=request.lasting))
            return None
        if request.waits_to_be_told and request.length:
            self._unsent += CONTINUE
        self._in_body, self._missing = True, request.length
        return SenderNamed(request.envelope())

    def _body(self, request: Request) -> Happening | None:
        """Take the next piece of the message, which has come, or its end; None if that is nobody's business."""
        if self._missing:
            self.frames_taken += 1
            piece = self._lines.piece(min(self._missing, _PIECE))
            self._missing -= len(piece)
            if self._early:
                return None
            return Content(self._postmark.cut(piece) if request.dialect is Dialect.RSPAMC else piece)
        if self._early:
            self._answered(self._early)
            return None
        return MessageEnded(request.envelope())

    def _spoken(self, verdict: Verdict, ended: bool) -> bytes:
        request = self._request
        assert request is not None  # noqa: S101 - what is decided on has a head
        if not ended and not isinstance(verdict, Refuse | Defer):
            return b""
        said = answer(request.dialect, verdict, lasting=request.lasting)
        if ended:
            self._answered(said)
        else:
            self._early = said
        return b""

    def _answered(self, said: bytes) -> None:
        """Be ready for the next request, if there can be one."""
        self._unsent += said
        self._last = self._request is None or not self._request.lasting
        self._request, self._in_body, self._early = None, False, b""
