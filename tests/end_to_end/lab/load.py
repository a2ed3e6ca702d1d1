"""Accounts that hand in mail all the time, as mail clients do: what is put off is handed in again until it is taken."""

import smtplib
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple, Self

from lab.gate_world import GateWorld
from lab.past_mail import friends_of

LETTER = "From: {account}\r\nTo: {recipient}\r\nSubject: As ever\r\nMessage-ID: <{message_id}>\r\n\r\nSee you.\r\n"
_AGAIN_AFTER_SECONDS = 0.1
_MESSAGES_IN_A_SESSION = 5
_PASSING = (OSError, smtplib.SMTPException)


class Taken(NamedTuple):
    """A message that the mail server has accepted."""

    account: str
    message_id: str
    queue_id: str


class Load:
    """A thread for each account.  Started and ended with ``with``; ``taken`` is what was accepted so far."""

    _letter = LETTER

    def __init__(self, world: GateWorld, accounts: Sequence[str], pause_seconds: float = 0.1) -> None:
        self.taken: list[Taken] = []
        self.refused: list[str] = []
        self.put_off = 0
        self.slowest_seconds = 0.0
        self._world, self._pause = world, pause_seconds
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(each,), daemon=True) for each in accounts]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _write(self, account: str) -> None:
        letters = self._letters(account)
        letter = next(letters)
        while not self._stop.is_set():
            try:
                with self._session(account) as session:
                    for _ in range(_MESSAGES_IN_A_SESSION):
                        if self._stop.is_set():
                            return
                        self._hand_in(session, account, *letter)
                        letter = next(letters)
                        self._stop.wait(self._pause)
            except (AssertionError, *_PASSING) as fault:
                # XCLIENT without an answer of 220 is an AssertionError: the mail server puts everything off.
                self._note(account, fault)
                self._stop.wait(_AGAIN_AFTER_SECONDS)

    def _session(self, account: str) -> AbstractContextManager[smtplib.SMTP]:
        return self._world.session(account)

    def _hand_in(self, session: smtplib.SMTP, account: str, recipient: str, message_id: str) -> None:
        """Hand in one message.  Raises ``SMTPResponseException`` where it is not taken."""
        letter = self._letter.format(account=account, recipient=recipient, message_id=message_id)
        begun = time.monotonic()
        for code, words in (session.mail(account), session.rcpt(recipient)):
            if code != 250:
                raise smtplib.SMTPResponseException(code, words)
        code, words = session.data(letter)
        self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - begun)
        if code != 250:
            raise smtplib.SMTPResponseException(code, words)
        self.taken.append(Taken(account, message_id, words.decode().rpartition(" ")[2]))

    def _note(self, account: str, fault: Exception) -> None:
        self.put_off += 1
        if isinstance(fault, smtplib.SMTPResponseException) and fault.smtp_code // 100 == 5:
            self.refused.append(f"{account}: {fault}")

    @staticmethod
    def _letters(account: str) -> Iterator[tuple[str, str]]:
        friends = friends_of(account)
        number = 0
        while True:
            yield friends[number % len(friends)], f"{number}.{account}"
            number += 1


@contextmanager
def load(world: GateWorld, accounts: Sequence[str], pause_seconds: float = 0.1) -> Iterator[Load]:
    """Let the accounts write until the end of the ``with``."""
    with Load(world, accounts, pause_seconds) as running:
        yield running
