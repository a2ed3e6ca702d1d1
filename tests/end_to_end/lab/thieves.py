"""Accounts in the hands of thieves: they write to strangers, and try again and again when they are put off."""

import re
import smtplib
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Self

from lab.gate_world import GateWorld
from lab.load import LETTER, Load, Taken

SPAM_HEADER = "X-Spam-Flag"
_HELD = re.compile(r"([0-9A-Za-z]+): milter-hold: ")


class Mailers(Load):
    """From their usual places, to nobody they know: such mail is held because it is much.

    The first of them begins at once, each other with ``one_more``.
    """

    def __init__(self, world: GateWorld, accounts: Sequence[str], pause_seconds: float = 0.1) -> None:
        super().__init__(world, accounts, pause_seconds)
        self._idle = list(self._threads)
        self.refused_accounts: set[str] = set()
        self.taken_after_a_refusal: list[Taken] = []

    def __enter__(self) -> Self:
        self.one_more()
        return self

    def __exit__(self, *of: object) -> None:
        self._threads = [each for each in self._threads if each.ident is not None]
        super().__exit__(*of)

    def one_more(self) -> None:
        """Let one more of them begin, where any is left."""
        if self._idle:
            self._idle.pop(0).start()

    def _hand_in(self, session: smtplib.SMTP, account: str, recipient: str, message_id: str) -> None:
        super()._hand_in(session, account, recipient, message_id)
        if account in self.refused_accounts:
            self.taken_after_a_refusal.append(self.taken[-1])

    def _note(self, account: str, fault: Exception) -> None:
        super()._note(account, fault)
        if isinstance(fault, smtplib.SMTPResponseException) and fault.smtp_code // 100 == 5:
            self.refused_accounts.add(account)

    @staticmethod
    def _letters(account: str) -> Iterator[tuple[str, str]]:
        name = account.partition("@")[0]
        return ((f"stranger{number}-of-{name}@bigmail.example", f"spam{number}.{account}") for number in count())


class Botnet(Mailers):
    """From everywhere, and a content filter calls it spam: such an account is blocked."""

    _letter = f"{SPAM_HEADER}: YES\r\n{LETTER}"

    def __init__(self, world: GateWorld, accounts: Sequence[str], pause_seconds: float = 0.1) -> None:
        super().__init__(world, accounts, pause_seconds)
        self._clients = count()
        self._next = threading.Lock()

    def _session(self, account: str) -> AbstractContextManager[smtplib.SMTP]:
        with self._next:
            number = next(self._clients)
        return self._world.session(account, f"203.0.{number % 50}.{number % 200 + 1}")


def held_by_the_gate(log: Path) -> set[str]:
    """Return the queue IDs of the messages that Postfix was told to hold."""
    return set(_HELD.findall(log.read_text(errors="replace")))
