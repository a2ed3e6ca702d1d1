"""One connection of a mail server, without the connection: bytes in, happenings and answers out.

It knows whose turn it is: steps about which nothing is decided are answered here, unless they are to stay
unanswered; the two that matter, the envelope sender and the end of the message, are handed out as happenings
and answered with a verdict.  What the server told about a connection or a message is forgotten when that ends.
"""

from collections.abc import Callable

from outwarden.events import Mailbox, mailbox
from outwarden.events.mailboxes import NULL_SENDER
from outwarden.filter.conversation import Content, Forgotten, Happening, Left, MessageEnded, SenderNamed
from outwarden.filter.envelope import Envelope
from outwarden.filter.lines import text
from outwarden.filter.milter import answers
from outwarden.filter.milter.frames import Command, Frames, MalformedMilter, strings
from outwarden.filter.milter.negotiation import OFFER_BYTES, Action, Agreement, Step, agree, negotiated
from outwarden.filter.recipients import Recipients
from outwarden.filter.verdicts import Accept, AddHeader, Defer, Edit, Refuse, Verdict

Octets = bytes | bytearray

# Long names stand in braces, short ones may.
_MACROS = {
    braced: name
    for name in ("auth_authen", "auth_type", "daemon_name", "i", "j")
    for braced in (name.encode(), b"{%s}" % name.encode())
}

# Of what is told before other commands nothing is used.
_TOLD_OF = frozenset((Command.CONNECT, Command.MAIL, Command.RECIPIENT, Command.END_OF_MESSAGE))
_NO_ANSWER_TO_MAIL, _LEADING_SPACE = int(Step.NO_ANSWER_TO_MAIL), int(Step.LEADING_SPACE)
_ADD_HEADERS, _CHANGE_HEADERS, _QUARANTINE = map(int, (Action.ADD_HEADERS, Action.CHANGE_HEADERS, Action.QUARANTINE))
_PIECE = 1 << 16
_REFUSED = (550, "5.7.1")
_DEFERRED = (451, "4.7.1")


class Conversation:
    """``receive`` what came, ask ``happens`` until it returns None, send what ``unsent`` returns.

    While a verdict is owed, what came later is kept for after ``answer``, so do not receive without end.
    """

    progress = answers.PROGRESS

    def __init__(self, *, senders_answered: bool = True) -> None:
        """``senders_answered``: a verdict on each envelope sender is wanted; else only where the server insists."""
        self._senders_answered = senders_answered
        self._frames = Frames()
        self._agreement: Agreement | None = None
        self._answered: frozenset[int] = frozenset()
        self._allowed = 0
        self._unsent = bytearray()
        self._macros: dict[int, dict[str, str]] = {}
        self._told_of_sender: dict[str, str] = {}
        self._client = ("", "")
        self._helo = ""
        self._leading_space = False
        self._colon = b": "
        self._owed: SenderNamed | MessageEnded | None = None
        self._next: MessageEnded | None = None
        self._sender: Mailbox | None = None
        self._recipients = Recipients()
        self._head_ended = False
        self._content = bytearray()

    @property
    def agreed(self) -> bool:
        """Whether the negotiation is over."""
        return self._agreement is not None

    @property
    def in_message(self) -> bool:
        """Whether a message has begun and is not answered yet."""
        return self._sender is not None

    @property
    def frame_begun(self) -> bool:
        """Whether the server owes the rest of a frame."""
        return self._frames.begun

    @property
    def frames_taken(self) -> int:
        """How many frames have been taken; one that comes slowly does not raise it."""
        return self._frames.taken

    def receive(self, octets: bytes) -> None:
        """Take in what came."""
        self._frames.receive(octets)

    def unsent(self) -> bytes:
        """Return what is to be sent, once."""
        unsent = bytes(self._unsent)
        self._unsent.clear()
        return unsent

    def happens(self) -> Happening | None:
        """Return what happens next; None until more comes or the verdict is there.  Raises ``MalformedMilter``."""
        while self._owed is None:
            if self._next is not None:
                self._owed, self._next = self._next, None
                return self._owed
            frame = self._frames.take()
            if frame is None:
                return None
            command, content = frame
            if self._agreement is None and command != Command.NEGOTIATE:
                raise MalformedMilter(f"{chr(command)!r} before the negotiation")
            happening = _MEANINGS[command](self, content)
            if command in self._answered:
                self._unsent += answers.CONTINUE
            if happening is not None:
                return happening
        return None

    def answer(self, verdict: Verdict) -> bool:
        """Answer the happening that waits for a verdict, and return whether the message is done with.

        Raises ``Unspeakable``, and then it still waits.

        A change of headers says nothing before there is a message; so does one that the server has not allowed.
        """
        ended = isinstance(self._owed, MessageEnded)
        self._unsent += self._spoken(verdict, ended)
        self._owed = None
        done = ended or isinstance(verdict, Refuse | Defer)
        if done:
            self._new_message(None)
        return done

    # --- answers -----------------------------------------------------------------------------

    def _spoken(self, verdict: Verdict, ended: bool) -> bytes:
        if isinstance(verdict, Refuse):
            return answers.reply(*_REFUSED, verdict.text)
        if isinstance(verdict, Defer):
            return answers.reply(*_DEFERRED, verdict.text)
        if not ended:
            # Only a whole message can be put into the hold queue, so that verdict has to be given again.
            return answers.CONTINUE
        spoken = b"".join(map(self._edit, verdict.edits))
        if isinstance(verdict, Accept):
            return spoken + answers.ACCEPT
        if self._may(_QUARANTINE):
            return spoken + answers.quarantine(verdict.text) + answers.ACCEPT
        return answers.reply(*_DEFERRED, verdict.text)

    def _edit(self, edit: Edit) -> bytes:
        if isinstance(edit, AddHeader):
            said = answers.add_header(edit.name, edit.value, leading_space=self._leading_space)
            return said if self._may(_ADD_HEADERS) else b""
        said = answers.change_header(edit.name, edit.occurrence, edit.value, leading_space=self._leading_space)
        return said if self._may(_CHANGE_HEADERS) else b""

    def _may(self, action: int) -> bool:
        return bool(self._allowed & action)

    # --- what the server says ----------------------------------------------------------------

    def _negotiate(self, content: Octets) -> None:
        if self._agreement is not None:
            raise MalformedMilter("a second negotiation")
        self._agreement = agree(bytes(content[:OFFER_BYTES]), senders_answered=self._senders_answered)
        # As bare numbers: an enumeration takes microseconds to look into, for each message anew.
        steps, self._allowed = int(self._agreement.steps), int(self._agreement.actions)
        self._senders_answered = not steps & _NO_ANSWER_TO_MAIL
        self._answered = self._agreement.answered
        self._leading_space = bool(steps & _LEADING_SPACE)
        self._colon = b":" if self._leading_space else b": "
        self._unsent += negotiated(self._agreement)

    def _take_macros(self, content: Octets) -> None:
        """Macros of a stage stand before the command of that stage and replace what it had before."""
        stage = content[0] if content else 0
        if stage not in _MEANINGS:
            raise MalformedMilter(f"macros for {chr(stage)!r}")
        if len(content) > 1 and content[-1]:
            raise MalformedMilter("a string without its end")
        if stage not in _TOLD_OF:
            return
        words = bytes(content[1:-1]).split(b"\0")
        self._macros[stage] = {
            _MACROS[name]: text(value)
            for name, value in zip(words[::2], words[1::2], strict=False)
            if value and name in _MACROS
        }

    def _connect(self, content: Octets) -> Happening | None:
        name, end, rest = content.partition(b"\0")
        if not end or not rest:
            raise MalformedMilter("a connection from nowhere")
        address = ""
        if rest[0] in b"46":
            # Two bytes of the port stand between the family and the address.
            address = text(strings(rest[3:])[0]).removeprefix("IPv6:")
            if address == "127.0.0.1" and rest[1:3] == b"\0\0":
                # No client comes from port 0: so Postfix tells of what its sendmail command hands in.
                address = ""
        forgotten = self._forget()
        self._client, self._helo = (text(name), address), ""
        return forgotten

    def _greet(self, content: Octets) -> None:
        self._helo = text(strings(content)[0])

    def _name_sender(self, content: Octets) -> Happening | None:
        sender = mailbox(text(strings(content)[0]))
        # Taken, so that a sender about whom nothing is told is not given the login of the one before.
        told = self._macros.pop(Command.MAIL, {})
        forgotten = self._forget()
        self._new_message(sender)
        self._told_of_sender = told
        if not self._senders_answered:
            return forgotten
        self._owed = SenderNamed(self._envelope())
        return self._owed

    def _name_recipient(self, content: Octets) -> None:
        self._expect_message()
        self._recipients.add(mailbox(text(strings(content)[0])))

    def _ignore(self, _content: Octets) -> None:
        """DATA and unknown commands: nothing is learnt from them."""

    def _take_header(self, content: Octets) -> Happening | None:
        self._expect_message()
        name, end, rest = content.partition(b"\0")
        # A value that has a zero byte in it ends there for the server too.
        value, whole, _ = rest.partition(b"\0")
        if not end or not whole or self._head_ended:
            raise MalformedMilter("a header without a value, or after the headers")
        if b"\n" in value:
            value = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        self._content += b"".join((name, self._colon, value, b"\r\n"))
        return self._piece() if len(self._content) >= _PIECE else None

    def _end_headers(self, _content: Octets | None = None) -> None:
        self._expect_message()
        if not self._head_ended:
            self._head_ended = True
            self._content += b"\r\n"

    def _take_body(self, content: Octets) -> Happening | None:
        self._end_headers()
        self._content += content
        return self._piece() if len(self._content) >= _PIECE else None

    def _end_message(self, content: Octets) -> Happening:
        """The end may carry the last of the body."""
        self._end_headers()
        self._content += content
        self._next = MessageEnded(self._envelope())
        return self._piece()

    def _abort(self, _content: Octets) -> Happening | None:
        return self._forget()

    def _leave(self, _content: Octets) -> Happening:
        return Left()

    def _connect_anew(self, _content: Octets) -> Happening | None:
        """Another client comes over the same connection, under the same agreement."""
        self._macros.clear()
        self._client, self._helo = ("", ""), ""
        return self._forget()

    # --- the message -------------------------------------------------------------------------

    def _new_message(self, sender: Mailbox | None) -> None:
        self._sender = sender
        self._recipients = Recipients()
        self._head_ended = False
        self._content = bytearray()
        self._macros = {stage: told for stage, told in self._macros.items() if stage == Command.CONNECT}

    def _forget(self) -> Happening | None:
        had_begun = self.in_message
        self._new_message(None)
        return Forgotten() if had_begun else None

    def _expect_message(self) -> None:
        if self._sender is None:
            raise MalformedMilter("a part of a message that has not begun")

    def _piece(self) -> Content:
        piece = Content(self._content)
        self._content = bytearray()
        return piece

    def _envelope(self) -> Envelope:
        told = self._macros.get(Command.CONNECT, {}) | self._told_of_sender
        for stage in (Command.RECIPIENT, Command.END_OF_MESSAGE):
            told |= self._macros.get(stage, {})
        client_name, client_address = self._client
        return Envelope(
            sender=self._sender or NULL_SENDER,
            recipients=tuple(self._recipients.kept),
            recipient_count=self._recipients.count,
            login=told.get("auth_authen", ""),
            login_mechanism=told.get("auth_type", ""),
            client_address=client_address,
            client_name=client_name,
            helo=self._helo,
            queue_id=told.get("i", ""),
            host=told.get("j", ""),
            daemon=told.get("daemon_name", ""),
        )


_MEANINGS: dict[int, Callable[[Conversation, Octets], Happening | None]] = {
    Command.ABORT: Conversation._abort,
    Command.BODY: Conversation._take_body,
    Command.CONNECT: Conversation._connect,
    Command.MACROS: Conversation._take_macros,
    Command.END_OF_MESSAGE: Conversation._end_message,
    Command.HELO: Conversation._greet,
    Command.QUIT_NEW_CONNECTION: Conversation._connect_anew,
    Command.HEADER: Conversation._take_header,
    Command.MAIL: Conversation._name_sender,
    Command.END_OF_HEADERS: Conversation._end_headers,
    Command.NEGOTIATE: Conversation._negotiate,
    Command.QUIT: Conversation._leave,
    Command.RECIPIENT: Conversation._name_recipient,
    Command.DATA: Conversation._ignore,
    Command.UNKNOWN: Conversation._ignore,
}
