"""One question asked again by TCP, without ever waiting: the loop says when there is something to do."""

import socket

from outwarden.dns.packets import frame, unframe

_RECEIVED_AT_ONCE = 1 << 14


class Stream:
    """A connection under way.  ``socket`` is to be watched for both directions until ``answer`` or ``failed``."""

    def __init__(self, family: int, address: tuple[object, ...], query: bytes) -> None:
        self.query = query
        self.answer: bytes | None = None
        self.failed = False
        self._unsent = frame(query)
        self._received = bytearray()
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        try:
            self.socket.connect(address)
        except BlockingIOError:
            pass
        except OSError:
            self.failed = True

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
                self._receive()
        except BlockingIOError:
            pass
        except OSError:
            self.failed = True

    def _receive(self) -> None:
        part = self.socket.recv(_RECEIVED_AT_ONCE)
        self._received += part
        self.answer = unframe(bytes(self._received))
        self.failed = not part and self.answer is None
