"""One question asked again by TCP, without ever waiting: the loop says when there is something to do."""

import socket

from outwarden.dns.packets import HEADER_LENGTH, DnsAnswer, MalformedAnswer, frame, read_answer, unframe

_RECEIVED_AT_ONCE = 1 << 14


class Stream:
    """A connection under way: to be watched for writing while it is ``sending``, then for reading, until ``ended``."""

    def __init__(self, family: int, address: tuple[str | int, ...], query: bytes) -> None:
        self.ended = False
        self._query = query
        self._unsent = frame(query)
        self._received = bytearray()
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        # Whatever is wrong with the connection shows when it is written to.
        self.socket.connect_ex(address)

    @property
    def sending(self) -> bool:
        """Whether the query has not gone out as a whole."""
        return bool(self._unsent)

    def proceed(self) -> None:
        """Send or receive what is possible at once."""
        try:
            if self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
            else:
                part = self.socket.recv(_RECEIVED_AT_ONCE)
                self._received += part
                self.ended = not part or unframe(self._received) is not None
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True

    def answer(self) -> DnsAnswer | None:
        """Return the whole answer to this very query, None for anything else."""
        message = unframe(self._received)
        if message is None:
            return None
        asked, query = message[HEADER_LENGTH:], self._query
        same_question = asked[: len(query) - HEADER_LENGTH].lower() == query[HEADER_LENGTH:].lower()
        try:
            answer = read_answer(message)
        except MalformedAnswer:
            return None
        return answer if same_question and message[:2] == query[:2] and not answer.truncated else None

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()
