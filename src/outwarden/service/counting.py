"""The table of accounts alone: counts, and no judgement."""

from outwarden.service.examine import LogReading
from outwarden.sources.logs.account_table import AccountTable


def count_accounts(reading: LogReading) -> AccountTable:
    """Read everything and count it.  Raises ``UnreadableLog`` and ``NothingUnderstood``."""
    accounts = AccountTable()
    for events in reading.events():
        for event in events:
            accounts.add(event)
    return accounts
