"""A desk whose cases are in a real store, and happenings to tell it."""

import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path

from outwarden.cases.desk import Desk
from outwarden.cases.going_on import Turn
from outwarden.cases.happening import Answered, Evidence, Happening, Said, happening_id
from outwarden.cases.playbook import Playbook
from outwarden.cases.playbook_reading import shipped_playbooks
from outwarden.cases.policy import CasePolicy, Role
from outwarden.cases.response_requests import Answer
from outwarden.cases.subscriber import Contact, ContactRole, Subscriber, Subscribers, account_subject
from outwarden.cases.troubles import Trouble
from outwarden.store.store import Store

BEGIN = datetime(2026, 4, 7, 1, 44, tzinfo=UTC)
ROSA = Subscriber(
    "rosa",
    "Rosa Bianchi",
    frozenset({"rosa@isp.example"}),
    contacts=(Contact(ContactRole.OWNER, "rosa@other.example"),),
    language="it",
)


class Day:
    """A desk and a clock that is set by hand."""

    def __init__(
        self,
        folder: Path,
        policy: CasePolicy | None = None,
        playbooks: dict[Trouble, Playbook] | None = None,
        subscribers: Subscribers | None = None,
    ) -> None:
        self.store = Store(folder / "outwarden.db")
        weakref.finalize(self, self.store.close)
        self.now = BEGIN
        known = subscribers or Subscribers([ROSA])
        self.desk = Desk(self.store.cases, playbooks or shipped_playbooks(), known, policy or CasePolicy())
        self._told = 0

    def hear(self, happening: Happening) -> Turn | None:
        with self.store.writing():
            return self.desk.hear(happening, self.now)

    def after(self, **span: float) -> list[Turn]:
        self.now += timedelta(**span)
        with self.store.writing():
            return self.desk.time_comes(self.now)

    def fresh_id(self) -> str:
        self._told += 1
        return happening_id("test", self._told)

    def evidence(
        self, trouble: Trouble = Trouble.STOLEN_ACCOUNT, account: str = "rosa@isp.example", points: float = 10.0
    ) -> Evidence:
        return Evidence(self.fresh_id(), self.now, trouble, account_subject(account), "refused as spam", points)

    def answer_all(self, turn: Turn, answer: Answer = Answer.DONE) -> Turn:
        """Answer everything that is asked, until nothing is asked any more."""
        for _ in range(20):
            requests = self.store.cases.requests_waiting()
            if not requests:
                return turn
            for request in requests:
                self.now += timedelta(seconds=1)
                told = Answered(self.fresh_id(), self.now, request.case, request.id, answer)
                turn = self.hear(told) or turn
        raise AssertionError("it asks for ever")

    def say(self, turn: Turn, word: str, role: Role = Role.DESK, text: str = "") -> Turn:
        told = self.hear(Said(self.fresh_id(), self.now, turn.case.id, "kim", role, word, text))
        assert told is not None
        return told
