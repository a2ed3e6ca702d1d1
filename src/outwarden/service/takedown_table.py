"""The site's own table of contacts, as the settings name it."""

from __future__ import annotations

from pathlib import Path

from outwarden.dns.abuse_report import Reporter
from outwarden.dns.contacts.own_table import MalformedTable, OwnTable, read_table
from outwarden.service.settings import Configuration

LONGEST_TABLE = 1_000_000


def own_table(configuration: Configuration) -> OwnTable:
    """Return the table, an empty one where none is named.  Raises ``ConfigurationError``."""
    name = configuration.settings.takedown.contacts
    if not name:
        return OwnTable()
    try:
        with Path(name).open("rb") as file:
            raw = file.read(LONGEST_TABLE + 1)
        if len(raw) > LONGEST_TABLE:
            raise configuration.wrong("takedown.contacts", f"{name}: longer than {LONGEST_TABLE // 1_000_000} MB")
        return read_table(raw.decode("utf-8"))
    except OSError as fault:
        raise configuration.wrong("takedown.contacts", f"{name}: {fault.strerror}") from None
    except (UnicodeDecodeError, MalformedTable) as fault:
        raise configuration.wrong("takedown.contacts", f"{name}: {fault}") from None


def reporter_of(configuration: Configuration) -> Reporter | None:
    """Return who reports, None where the table does not say.  Raises ``ConfigurationError``."""
    return own_table(configuration).reporter
