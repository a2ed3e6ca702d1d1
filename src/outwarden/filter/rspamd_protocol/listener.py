"""Rspamd's protocols, as they are listened to."""

from outwarden.filter.listener import Listener
from outwarden.filter.rspamd_protocol.conversation import RspamdConversation


class RspamdListener(Listener):
    """Listens for Exim's content scanning and for clients of rspamd."""

    def conversation(self) -> RspamdConversation:
        """Return a conversation that has not begun."""
        return RspamdConversation()
