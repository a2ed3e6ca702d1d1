"""A desk at work on a real store, with a clock set by hand; it can be killed at any step, and goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.unit.service.automatic.deeds import NOW, ROSA, decided

from outwarden.cases.case import Case
from outwarden.cases.happening import Said, happening_id
from outwarden.cases.playbook_reading import shipped_playbooks
from outwarden.cases.policy import CasePolicy, Role
from outwarden.cases.response_requests import Answer, ResponseName, ResponseRequest
from outwarden.cases.subscriber import Contact, ContactRole, Subscriber, Subscribers
from outwarden.cases.timeline import Entry
from outwarden.events import AccountCause, Action
from outwarden.service.acting import CouldNotAct, NotAllowed
from outwarden.service.automatic import automatic
from outwarden.service.automatic.book import Book
from outwarden.service.automatic.in_force import InForce
from outwarden.service.desk.case_work import hear_all
from outwarden.service.desk.errands import Errands
from outwarden.service.desk.own_responders import AccountResponder, CallResponder
from outwarden.service.desk.responder import CarriedOut, Responder, Verified
from outwarden.service.desk.site import DeskSite
from outwarden.service.desk_settings import CaseSettings
from outwarden.service.settings import ActingSettings
from outwarden.store.case_tries import CaseTry
from outwarden.store.responses import Response
from outwarden.store.store import Store

OWNER = Contact(ContactRole.OWNER, "rosa@home.example")
SUBSCRIBER = Subscriber("rosa", "Rosa Bianchi", frozenset({ROSA}), contacts=(OWNER,), language="it")
N = ResponseName
ELSEWHERE = frozenset(
    {
        N.QUEUE_HOLD, N.QUEUE_RELEASE, N.QUEUE_DELETE, N.RESET_PASSWORD, N.LOCK_ACCOUNT, N.UNLOCK_ACCOUNT,
        N.END_SERVICE, N.END_SESSIONS, N.REVOKE_APP_PASSWORDS, N.DISABLE_RULES, N.NOTIFY_OWNER,
    }
)  # fmt: skip
"""What the world outside does in these tests."""


class Killed(BaseException):
    """The machine went down here."""


class World:
    """What stays when the service dies: deeds, each once for each request, in the order in which they were done."""

    def __init__(self, responses: Iterable[ResponseName] = ELSEWHERE) -> None:
        self.responses = frozenset(responses)
        self.done: dict[str, str] = {}
        self.undone: list[str] = []
        self.asked: list[str] = []
        self.down: dict[ResponseName, int] = {}
        """So often it cannot be done at first."""
        self.forbidden: set[ResponseName] = set()
        self.needs_time: dict[ResponseName, int] = {}

    def carry_out(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        self.asked.append(request.id)
        name = request.response
        if name in self.forbidden:
            raise NotAllowed("only root may")
        for patience in (self.down, self.needs_time):
            if patience.get(name, 0) > 0:
                patience[name] -= 1
                if patience is self.down:
                    raise CouldNotAct("the directory does not answer")
                return CarriedOut(Answer.WAITING, "it takes time")
        self.done.setdefault(request.id, name.value)
        return CarriedOut(Answer.DONE, "done", (Verified(name.value, True, "seen"),))

    def undo(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        if request.id not in self.undone:
            self.undone.append(request.id)
        return CarriedOut(Answer.UNDONE, "as it was")

    def dry_run(self, request: ResponseRequest, case: Case) -> tuple[str, ...]:
        return (f"would {request.response.value}",)

    def deeds(self) -> list[str]:
        return list(self.done.values())


class Office:
    """``restart`` is what a kill leaves: the store's file, and the world."""

    def __init__(
        self,
        folder: Path,
        world: World | None = None,
        policy: CasePolicy | None = None,
        subscribers: Iterable[Subscriber] = (SUBSCRIBER,),
        **settings: Any,  # noqa: ANN401
    ) -> None:
        self.path, self.now, self.world = folder / "outwarden.db", NOW, world or World()
        self.site = DeskSite(
            shipped_playbooks(),
            Subscribers(subscribers),
            policy or CasePolicy(),
            CaseSettings(**{"mode": "act", **settings}),
        )
        self.acting = ActingSettings(hold="act", block="act", blocks_per_hour=10_000)
        self.said: list[str] = []
        self.steps = 0
        self.dies_at = 0
        self._open()

    def _open(self) -> None:
        self.store = Store(self.path)
        self.book = Book.load(self.store)
        own: list[Responder] = [AccountResponder(self, self.path, self.site), CallResponder(self.path, self.site)]
        self._responders = [*own, self.world]
        self._set_up()

    def also(self, responder: Responder, *, first: bool = False) -> None:
        """Set up one more responder."""
        self._responders.insert(0 if first else len(self._responders), responder)
        self._set_up()

    def _set_up(self) -> None:
        responders = [_Mortal(self, each) for each in self._responders]
        self.errands = Errands(self._runs, responders, self.site, lambda: self.now, self.said.append)

    def restart(self) -> None:
        self.store.close()
        self._open()

    # -- what is between two steps

    def step(self) -> None:
        """Something is done from here to the next: the machine may go down before it."""
        self.steps += 1
        if self.steps == self.dies_at:
            raise Killed

    def _runs(self, deed: Callable[..., Any], *arguments: Any, **named: Any) -> Any:  # noqa: ANN401
        self.step()
        result = deed(self.store, *arguments, **named)
        self.step()
        return result

    # -- AccountDeeds, as the live service does it

    def in_force(self, account: str) -> InForce | None:
        return self.book.in_force(account)

    def hold(self, account: str, by: str, why: str, until: datetime, now: datetime) -> Response:
        return automatic.hold(self.store, self.book, self.acting, account, by, why, now, until)

    def block(self, account: str, by: str, why: str, until: datetime, now: datetime) -> Response:
        return automatic.block(self.store, self.book, self.acting, account, by, why, now, until)

    def give_back(self, account: str, by: str, why: str, wrongly: bool, now: datetime) -> None:
        automatic.end(self.store, self.book, account, by, why, now, wrongly)

    # -- the day

    def work(self) -> None:
        """One turn of the desk, as ``CaseWork`` has it."""
        while self.errands.next():
            pass
        self._runs(hear_all, self.site, self.now)
        while self.errands.next():
            pass

    def after(self, **span: float) -> None:
        self.now += timedelta(**span)
        self.work()

    def theft(self, account: str = ROSA, cause: AccountCause | None = AccountCause.STOLEN_PASSWORD) -> None:
        decision = decided(Action.BLOCK, account, cause)
        if self.now != NOW:
            decision = type(decision)(
                account, Action.BLOCK, self.now, decision.points, decision.findings, cause, decision.because
            )
        automatic.begin(self.store, self.book, self.acting, decision, self.now)
        self.work()

    def person_unblocks(self, account: str = ROSA, *, wrongly: bool = False) -> None:
        automatic.end(self.store, self.book, account, "kim", "spoke to her", self.now, wrongly)
        self.work()

    def say(self, word: str, role: Role = Role.LEAD) -> None:
        case = self.case
        with self.store.writing():
            number = happening_id("test", case.id, case.version, word)
            self.site.desk(self.store).hear(Said(number, self.now, case.id, "kim", role, word), self.now)
        self.work()

    # -- what there is

    @property
    def case(self) -> Case:
        return self.store.cases.all_cases()[0]

    def place(self) -> str:
        return f"{self.case.state.value}: {self.case.place}"

    def timeline(self) -> list[Entry]:
        return self.store.cases.timeline(self.case.id)

    def tries(self) -> dict[str, CaseTry]:
        """The newest try of each response of the newest case."""
        return {each.request.response.value: each for each in self.store.case_tries.of_case(self.case.id)}

    def calls(self) -> list[str]:
        return [alarm.line for alarm in self.store.alarms.waiting()]


class _Mortal:
    """A responder at whose doors the machine may go down."""

    def __init__(self, office: Office, responder: Responder) -> None:
        self._office, self._responder = office, responder
        self.responses = responder.responses

    def carry_out(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        self._office.step()
        done = self._responder.carry_out(request, case, now)
        self._office.step()
        return done

    def undo(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        self._office.step()
        done = self._responder.undo(request, case, now)
        self._office.step()
        return done

    def dry_run(self, request: ResponseRequest, case: Case) -> tuple[str, ...]:
        return self._responder.dry_run(request, case)
