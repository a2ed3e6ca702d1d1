"""The recipients of messages that are being handed in: Postfix names them one request at a time.

A message is forgotten when it is whole.  One that its client gave up is never told of again, so the longest
untouched are forgotten when there are too many, or when they take too much room.
"""

from outwarden.events import Mailbox
from outwarden.filter.recipients import Recipients

MOST_MESSAGES = 10_000
MOST_BYTES = 32 << 20


class Gathering:
    """Shared by all connections: Postfix may ask about one message over two of them."""

    def __init__(self, most_messages: int = MOST_MESSAGES, most_bytes: int = MOST_BYTES) -> None:
        self._most_messages, self._most_bytes = most_messages, most_bytes
        self._by_instance: dict[str, Recipients] = {}
        self._room = 0

    def __len__(self) -> int:
        return len(self._by_instance)

    def add(self, instance: str, recipient: Mailbox) -> Recipients:
        """Add a recipient to a message, and return all it has so far."""
        recipients = self.take(instance)
        recipients.add(recipient)
        if instance:
            self._by_instance[instance] = recipients
            self._room += recipients.room
            self._forget_oldest()
        return recipients

    def take(self, instance: str) -> Recipients:
        """Return the recipients of a message and forget it."""
        recipients = self._by_instance.pop(instance, None)
        if recipients is None:
            return Recipients()
        self._room -= recipients.room
        return recipients

    def _forget_oldest(self) -> None:
        while len(self) > self._most_messages or self._room > self._most_bytes:
            self.take(next(iter(self._by_instance)))
