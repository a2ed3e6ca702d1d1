"""Pauses end by themselves: when the service starts, and then when their time is over.

The service may not be allowed to touch the mail server (it need not be root); then it says so once and tries again each
minute, and ``outwarden resume --expired`` has to be run by somebody who may: the timer in ``packaging/systemd`` does.
"""

from collections.abc import Callable
from datetime import datetime

from outwarden.responses.steps import CouldNotAct
from outwarden.service.acting import Clock, NotAllowed
from outwarden.service.mail_servers import mail_server
from outwarden.service.pausing import Pausing
from outwarden.service.settings import MailServerSettings
from outwarden.store.store import Store


class ExpiredPauses:
    """The pauses of one store, as the service looks after them."""

    def __init__(self, store: Store, settings: MailServerSettings, clock: Clock, say: Callable[[str], None]) -> None:
        self._store = store
        self._settings = settings
        self._clock = clock
        self._say = say
        self._fault = ""

    def end(self) -> None:
        """End those whose time is over, or say once why not.  Raises ``StoreUnusable``."""
        if not self._store.responses.expired(self._clock()):
            return
        try:
            server = mail_server(self._settings)
            for acted in Pausing(self._store, server, self._clock, "outwarden run").clear_expired():
                self._say(f"resumed {acted.response.kind.value} {acted.response.subject}: its time was over")
        except (CouldNotAct, NotAllowed) as fault:
            if str(fault) != self._fault:
                self._say(f"a pause whose time is over still stands: {fault}")
            self._fault = str(fault)

    def next_end(self) -> datetime | None:
        """Return when the next pause ends that has not yet.  Raises ``StoreUnusable``."""
        now = self._clock()
        ends = [each.expires_at for each in self._store.responses.standing() if each.expires_at is not None]
        return min((end for end in ends if end > now), default=None)
