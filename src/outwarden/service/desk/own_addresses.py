"""The addresses of our own notices: nobody's contact, and no notice is sent to them."""

from __future__ import annotations

from outwarden.responses.notices.guards import same_mailbox
from outwarden.service.settings import Configuration

TOKEN = "{token}"  # noqa: S105 (a place in a pattern)


def own_addresses(configuration: Configuration) -> tuple[str, ...]:
    """Return the addresses of our own notices, as they are compared."""
    settings = configuration.settings.notices
    named = (settings.from_address, settings.reply_to, settings.bounce_address.replace(TOKEN, "token"))
    return tuple(dict.fromkeys(same_mailbox(each) for each in named if each))
