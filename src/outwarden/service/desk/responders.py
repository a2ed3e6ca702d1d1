"""Who carries out what: the one place where responders are set up.  A later one of the same response is not asked."""

from __future__ import annotations

from pathlib import Path

from outwarden.responses.mail_server import MailServer
from outwarden.service.desk.own_responders import (
    AccountDeeds,
    AccountResponder,
    CallResponder,
    Clock,
    PauseResponder,
    QueueResponder,
)
from outwarden.service.desk.responder import Responder
from outwarden.service.desk.site import DeskSite
from outwarden.service.mail_servers import mail_server
from outwarden.service.settings import Configuration


def responders(configuration: Configuration, site: DeskSite, deeds: AccountDeeds, clock: Clock) -> list[Responder]:
    """Return the responders of this site.  Raises ``ConfigurationError``."""
    store = Path(configuration.settings.store.path)

    def server() -> MailServer:
        return mail_server(configuration.settings.mail_server)

    return [
        AccountResponder(deeds, store, site),
        QueueResponder(store, server, clock),
        PauseResponder(store, server, clock),
        CallResponder(store, site),
    ]
