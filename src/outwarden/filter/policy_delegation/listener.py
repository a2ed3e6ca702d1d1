"""The policy service, as it listens."""

from collections.abc import Callable

from outwarden.filter.connection import Patience, Undecided
from outwarden.filter.decider import Decider
from outwarden.filter.endpoint import Endpoint
from outwarden.filter.listener import MOST_CONNECTIONS, Listener
from outwarden.filter.policy_delegation.conversation import PolicyConversation
from outwarden.filter.policy_delegation.gathering import Gathering
from outwarden.filter.spool import SpoolSpace


class PolicyListener(Listener):
    """Listens for Postfix's ``check_policy_service``; knows a message by its envelope alone."""

    def __init__(
        self,
        endpoint: Endpoint,
        decider: Decider,
        space: SpoolSpace,
        say: Callable[[str], None],
        *,
        undecided: Undecided = Undecided.DEFER,
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
        most_connections: int = MOST_CONNECTIONS,
    ) -> None:
        super().__init__(
            endpoint, decider, space, say, undecided=undecided, patience=patience, most_connections=most_connections
        )
        self._gathering = Gathering()

    def conversation(self) -> PolicyConversation:
        """Return a conversation that has not begun."""
        return PolicyConversation(self._gathering)
