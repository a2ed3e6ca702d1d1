"""Who carries out what: the one place where responders are set up.  A later one of the same response is not asked."""

from __future__ import annotations

from pathlib import Path

from outwarden.responses.mail_server import MailServer
from outwarden.service.containment.responders import containment_responders
from outwarden.service.desk.notice_site import NoticeSite
from outwarden.service.desk.notifying import KnowsNotices, NoticeResponder
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


def responders(
    configuration: Configuration,
    site: DeskSite,
    notices: NoticeSite | None,
    deeds: AccountDeeds,
    bounces: KnowsNotices,
    clock: Clock,
) -> list[Responder]:
    """Return the responders of this site.  Raises ``ConfigurationError``."""
    store = Path(configuration.settings.store.path)

    def server() -> MailServer:
        return mail_server(configuration.settings.mail_server)

    found: list[Responder] = [
        AccountResponder(deeds, store, site),
        QueueResponder(store, server, clock),
        PauseResponder(store, server, clock),
        CallResponder(store, site),
    ]
    if notices is not None:
        found.append(NoticeResponder(notices, site.subscribers, store, bounces))
    return [*found, *containment_responders(configuration, store, clock)]
