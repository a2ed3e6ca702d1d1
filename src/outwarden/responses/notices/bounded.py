"""An end to a conversation, however slowly the other side talks: a time-out of a socket begins anew with each byte."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Timer


@contextmanager
def bounded(seconds: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Shut the connection down, as whoever uses it sees by an ``OSError`` or an end, when the time is over."""
    timer = Timer(seconds, _shut_down, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut_down(connection: Callable[[], socket.socket | None]) -> None:
    open_one = connection()
    if open_one is not None:
        with suppress(OSError):
            open_one.shutdown(socket.SHUT_RDWR)
