"""The milter, as it listens."""

from outwarden.filter.listener import Listener
from outwarden.filter.milter.conversation import Conversation


class MilterListener(Listener):
    """Listens for Sendmail and Postfix."""

    def conversation(self) -> Conversation:
        """Return a conversation that has not begun."""
        return Conversation(senders_answered=self.decider.may_refuse_senders())
