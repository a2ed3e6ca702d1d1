"""What Exim puts before a message that it has scanned: a line as of a mailbox, and two headers of its own."""

_LINES = (b"From ", b"X-Envelope-From: ", b"X-Envelope-To: ")


class Postmark:
    """Leaves those lines out of a message that comes in pieces, and nothing else."""

    def __init__(self) -> None:
        self._expected = list(_LINES)
        self._within = False

    def cut(self, octets: bytearray) -> bytearray:
        """Return what of the next piece is the message's own."""
        while octets and (self._within or self._expected):
            if self._within:
                # The third line has every recipient, so it may be longer than a piece.
                end = octets.find(b"\n")
                self._within = end < 0
                octets = octets[end + 1 :] if end >= 0 else bytearray()
            elif octets.startswith(self._expected[0]):
                self._within = True
                self._expected.pop(0)
            else:
                # Without the first line there is none; without a sender, not the second.
                del self._expected[: len(_LINES) if len(self._expected) == len(_LINES) else 1]
        return octets
