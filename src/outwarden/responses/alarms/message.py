"""What a channel is given to tell, and how it says that it could not."""

from __future__ import annotations

from datetime import datetime

import msgspec


class CouldNotTell(Exception):
    """Nobody was told; one line says why.  It is tried again."""


class Unknown(Exception):
    """It was sent to its last byte, and no receipt was heard of; telling it again may double it."""


class AlarmMessage(msgspec.Struct, frozen=True):
    """One notice: ``line`` says it in one line, ``body`` in full; ``turn`` is ``call`` where a person is needed.

    The other turns are ``began`` and ``ended``, of a listing, and ``digest``.
    """

    id: int
    turn: str
    line: str
    body: str
    at: datetime

    @property
    def urgent(self) -> bool:
        """Return whether a person is needed."""
        return self.turn == "call"
