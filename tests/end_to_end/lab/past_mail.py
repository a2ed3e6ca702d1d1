"""A week of the past as Postfix would have logged it, so that the accounts have a history when the service starts.

Each account writes some messages a day to its own friends, from its own network; nearly all arrive.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

_DAYS = 7
MESSAGES_A_DAY = 6
_FRIENDS = 25


def client_of(account: str, accounts: Sequence[str]) -> str:
    """Return the address that an account writes from."""
    return f"198.51.100.{accounts.index(account) + 10}"


def friends_of(account: str) -> list[str]:
    """Return whom an account writes to."""
    name = account.partition("@")[0]
    return [f"friend{number}-of-{name}@bigmail.example" for number in range(_FRIENDS)]


def write_past(
    log: Path, accounts: Sequence[str], now: datetime, seed: int = 1, messages_a_day: int = MESSAGES_A_DAY
) -> int:
    """Write the log of the days before ``now``; return how many messages are in it."""
    chance = Random(seed)
    mails = sorted(
        (now - timedelta(days=day, minutes=chance.randrange(30, 1400)), account)
        for day in range(_DAYS)
        for account in accounts
        for _ in range(messages_a_day)
    )
    lines = [
        line
        for number, (at, account) in enumerate(mails)
        for line in lines_of_message(at, account, f"PAST{number:07d}", client_of(account, accounts), chance)
    ]
    log.write_text("".join(f"{line}\n" for line in lines))
    return len(mails)


def lines_of_message(at: datetime, account: str, queue_id: str, client: str, chance: Random) -> list[str]:
    """Return what Postfix logs of a message of an account to one of its friends, handed in then and delivered."""
    recipient = chance.choice(friends_of(account))

    def line(seconds: float, program: str, words: str) -> str:
        stamp = (at + timedelta(seconds=seconds)).isoformat(timespec="microseconds")
        return f"{stamp} mail postfix/{program}[4711]: {queue_id}: {words}"

    return [
        line(0.0, "submission/smtpd", f"client=unknown[{client}], sasl_method=PLAIN, sasl_username={account}"),
        line(0.1, "cleanup", f"message-id=<{queue_id}@isp.example>"),
        line(0.2, "qmgr", f"from=<{account}>, size={chance.randrange(900, 9000)}, nrcpt=1 (queue active)"),
        line(
            1.0,
            "smtp",
            f"to=<{recipient}>, relay=mx.bigmail.example[192.0.2.25]:25, delay=1, delays=0.2/0/0.3/0.5, dsn=2.0.0, "
            "status=sent (250 2.0.0 Ok: queued as 5F3A11C0DE)",
        ),
        line(1.1, "qmgr", "removed"),
    ]
