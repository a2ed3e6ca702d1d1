"""Who decides, as this room needs to know it; the service has it."""

from collections.abc import Awaitable
from typing import Protocol

from outwarden.filter.envelope import Envelope
from outwarden.filter.spool import Spool
from outwarden.filter.verdicts import Verdict


class Decider(Protocol):
    """Decides on messages.  What it raises, and what it does not decide in time, is answered as the site configured."""

    def may_refuse_senders(self) -> bool:
        """Return whether ``decide_sender`` may end any message at the moment.

        Where it may not, a mail server that can go on without an answer is not made to wait for one; a connection that
        began so stays so, and who is refused meanwhile is refused by ``decide_message``.
        """
        ...

    def decide_sender(self, envelope: Envelope) -> Verdict:
        """Decide on what is known before there is a message: is this account blocked?

        Called inside the event loop for every message, by policy delegation and readsocket for every recipient, so
        it must answer from memory.  Only *refuse* and *defer* end the message here; any other verdict lets it go on
        to ``decide_message``.  Where a mail server never shows messages, *hold* is said as well.
        """
        ...

    def decide_message(self, envelope: Envelope, message: Spool) -> Verdict | Awaitable[Verdict]:
        """Decide on the whole message; one that must ask others returns what is to be awaited.

        ``message`` can be read until the verdict is there, and no longer.  What is returned runs outside of any task
        until it first has to wait, so it may not begin with what needs one, such as ``asyncio.timeout``.
        """
        ...
