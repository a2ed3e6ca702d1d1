"""Which mail server of this machine is acted upon: the one that was named, or configured, or that is there."""

from pathlib import Path

from outwarden.responses import recipes
from outwarden.responses.exim import Exim
from outwarden.responses.mail_server import MailServer, Pauses
from outwarden.responses.postfix import Postfix
from outwarden.responses.steps import CouldNotAct
from outwarden.service.pausing import What
from outwarden.service.settings import MailServerSettings
from outwarden.store.responses import ResponseKind

PRINTED_ONLY = ("sendmail", "exchange")
"""Those whose commands we print and do not run."""


def mail_server(settings: MailServerSettings, named: str = "") -> MailServer:
    """Return the mail server.  Raises ``CouldNotAct`` where there is none that we can drive, or it does not answer."""
    kind = named or settings.kind
    if kind == "postfix" or (not kind and Postfix.installed()):
        return Postfix(Path(settings.postfix_config) if settings.postfix_config else None)
    if kind == "exim" or Exim.installed():
        return Exim()
    raise CouldNotAct(
        "neither Postfix nor Exim is installed here; for Sendmail or Exchange --dry-run --mta NAME prints the commands"
    )


def printed_pause(name: str, what: What, undo: bool) -> list[str]:
    """Return the commands of a mail server that we do not drive, for a pause or its end."""
    wanted = Pauses(
        whole_server=what.kind is ResponseKind.PAUSE_SERVER,
        accounts={what.subject: 0} if what.kind is ResponseKind.PAUSE_ACCOUNT else {},
        destinations=(what.subject,) if what.kind is ResponseKind.PAUSE_DESTINATION else (),
    )
    return (recipes.sendmail if name == "sendmail" else recipes.exchange)(wanted, undo)


def printed_queue_change(name: str, verb: str, account: str) -> list[str]:
    """Return the commands of a mail server that we do not drive, for what waits of an account."""
    return (recipes.sendmail_queue if name == "sendmail" else recipes.exchange_queue)(verb, account)
