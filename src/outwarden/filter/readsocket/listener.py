"""The answering side of ``${readsocket}``, as it listens."""

from outwarden.filter.listener import Listener
from outwarden.filter.readsocket.conversation import ReadsocketConversation


class ReadsocketListener(Listener):
    """Listens for Exim's ACLs; is asked about accounts, never about a whole message."""

    def conversation(self) -> ReadsocketConversation:
        """Return a conversation that has not begun."""
        return ReadsocketConversation()
