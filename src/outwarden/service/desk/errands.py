"""What cases ask for, one errand at a time: chosen and written down, carried out, answered back to the case.

``next`` is called in the thread that acts, again and again until it has nothing to do.  Each step of it is one
transaction, and what is between two of them may happen twice, as responders do a request once however often they are
asked.  So after a kill at any point the next start finds the request as begun and goes on.

Nothing is done that a person is to be asked about, that the mode does not allow, or beyond the hourly cap; then it
waits, and a person is called, once for each case or response and hour, not once for each of five hundred accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from outwarden.cases.case import Case, CaseState, Mark
from outwarden.cases.going_on import Turn
from outwarden.cases.happening import Answered, happening_id
from outwarden.cases.response_requests import RESPONSES, Answer, ResponseName, ResponseRequest
from outwarden.service.acting import CouldNotAct, NotAllowed
from outwarden.service.automatic.words import one_line
from outwarden.service.desk import calling
from outwarden.service.desk.responder import CarriedOut, Responder, Verified
from outwarden.service.desk.site import DeskSite
from outwarden.service.desk.taking_back import NOT_TAKEN_BACK, TAKEN_BACK_AS_MISTAKEN
from outwarden.store.case_tries import CaseTry, TryState
from outwarden.store.store import Store

MOST_TRIES = 6
"""So often is tried what could not be done: within about half an hour."""
FIRST_WAIT = timedelta(minutes=1)
LOOKS_AGAIN_AFTER = timedelta(minutes=10)
MOST_LOOKS = 150
"""So often is asked again what says that it needs time: within about a day."""
_HOUR = timedelta(hours=1)
_LONGEST_WORDS = 1_000

ENDS_BY_ITSELF = frozenset(
    {ResponseName.HOLD_ACCOUNT, ResponseName.BLOCK_ACCOUNT, ResponseName.PAUSE_DESTINATION, ResponseName.PAUSE_SERVER}
)
"""Whoever carries these out ends them, too."""
_P = ParamSpec("_P")
_T = TypeVar("_T")
Say = Callable[[str], None]


class StoreRuns(Protocol):
    """Runs a function of the store where it is written, and returns what it returns."""

    def __call__(self, deed: Callable[Concatenate[Store, _P], _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Raises what the function raises."""


class Errand(NamedTuple):
    """What is to be done with a request: ``TryState.BEGUN`` carry it out, ``UNDOING`` take it back, else only look."""

    trial: CaseTry
    case: Case
    state: TryState


class Errands:
    """The errands of a desk; ``fault`` is what a responder could not do the last time, empty where all went well."""

    def __init__(
        self, runs: StoreRuns, responders: Sequence[Responder], site: DeskSite, clock: Callable[[], datetime], say: Say
    ) -> None:
        self.fault = ""
        self._runs, self._site, self._clock, self._say = runs, site, clock, say
        self._responders = {name: each for each in reversed(responders) for name in each.responses}

    def next(self) -> bool:
        """Do one errand; False where there was none.  Raises ``StoreUnusable``."""
        able, now = frozenset(self._responders), self._clock()
        if not self._runs(_is_something_due, now):
            return False
        errand = self._runs(take_next, self._site, able, now)
        if errand is None:
            return False
        request = errand.trial.request
        if errand.state is TryState.ANSWERED:
            # It was answered without anything to be done.
            return True
        responder = self._responders[request.response]
        carried, fault = self._carried_out(responder, errand)
        self._runs(settle, self._site, errand, carried, fault, self._clock())
        self.fault = fault
        if carried is not None or fault:
            self._say(f"{request.case}: {named(request)}: {one_line(fault or (carried.words if carried else ''), 300)}")
        return True

    def _carried_out(self, responder: Responder, errand: Errand) -> tuple[CarriedOut | None, str]:
        """Return what became of it, or why it could not be done."""
        request, case, now = errand.trial.request, errand.case, self._clock()
        try:
            if errand.state is TryState.BEGUN:
                return responder.carry_out(request, case, now), ""
            if errand.state is TryState.UNDOING:
                return responder.undo(request, case, now), ""
            return CarriedOut(Answer.WAITING, "; ".join(responder.dry_run(request, case))), ""
        except NotAllowed as fault:
            return CarriedOut(Answer.FAILED, str(fault)), ""
        except CouldNotAct as fault:
            return None, str(fault)
        except Exception as fault:  # noqa: BLE001 (one errand must not end the service; it is said, and tried again)
            return None, f"a fault of Outwarden itself ({type(fault).__name__}: {fault})"


# -- in the store


def _is_something_due(store: Store, now: datetime) -> bool:
    return store.case_tries.is_something_due(now)


def take_next(store: Store, site: DeskSite, able: frozenset[ResponseName], now: datetime) -> Errand | None:
    """Choose the next errand and write down how far it comes now.  Raises ``StoreUnusable``."""
    with store.writing():
        due = store.case_tries.due(now)
        if not due:
            return _to_undo(store, able, now)
        case = store.cases.case(due[0].request.case)
        if case is None:
            raise RuntimeError(f"{due[0].request.case}: a request of no case")
        trial = _first(due, case, able)
        why_not = outdated(trial.request, case)
        if why_not:
            return _answered_at_once(store, site, trial, case, Answer.DECLINED, why_not, now)
        if trial.request.response not in able:
            words = "nothing here is set up for it; a person does it"
            return _answered_at_once(store, site, trial, case, Answer.FAILED, words, now)
        state = _reach(store, site, trial, now)
        if state is TryState.BEGUN:
            trial = replace(trial, state=state, tries=trial.tries + 1, tried_at=now, next_try_at=now)
            store.case_tries.put(trial)
        return Errand(trial, case, state)


def settle(
    store: Store, site: DeskSite, errand: Errand, carried: CarriedOut | None, fault: str, now: datetime
) -> Turn | None:
    """Write down what became of an errand, and tell the case; return what came of that.  Raises ``StoreUnusable``."""
    with store.writing():
        if errand.state is TryState.UNDOING:
            return _undone(store, site, errand, carried, fault, now)
        if errand.state is not TryState.BEGUN:
            return _waits_for_a_person(store, errand, carried, fault, now)
        if carried is None:
            return _again(store, site, errand, fault, now)
        return _carried_out(store, site, errand, carried, now)


def say_yes(store: Store, case: str, actor: str, only: ResponseName | None, now: datetime) -> list[CaseTry]:
    """Have that done which waits for a person in a case; only inside ``writing()``.  Returns what it is."""
    found = waiting_in(store, case, only)
    for trial in found:
        store.case_tries.put(replace(trial, state=TryState.DUE, said_yes=actor, next_try_at=now))
        _record(store, trial.request, actor, trial.state, "yes", now)
    return found


def say_no(
    store: Store, site: DeskSite, case: str, actor: str, only: ResponseName | None, why: str, now: datetime
) -> list[Turn]:
    """Do not do what waits for a person in a case; only inside ``writing()``."""
    turns = []
    for trial in waiting_in(store, case, only):
        words = f"{actor} said no" + (f": {why}" if why else "")
        _record(store, trial.request, actor, trial.state, "no", now)
        turn = _tell(store, site, trial, CarriedOut(Answer.DECLINED, words), now)
        turns += [turn] if turn is not None else []
    return turns


def waiting_in(store: Store, case: str, only: ResponseName | None = None) -> list[CaseTry]:
    """Return what of a case waits for a person's yes or no."""
    waits = {TryState.OBSERVED, TryState.ASKED, TryState.CAPPED}
    found = [
        trial for trial in store.case_tries.of_case(case) if trial.state in waits and trial.answer is Answer.WAITING
    ]
    return [trial for trial in found if only is None or trial.request.response is only]


def outdated(request: ResponseRequest, case: Case) -> str:
    """Return why a request is not wanted any more, empty where it is.

    That its stay is over is no reason: what contains is still done while a person is being called.
    """
    if case.state in (CaseState.RESOLVED, CaseState.CLOSED):
        return f"the case is {case.state.value} by now"
    if Mark.MISTAKEN in case.marks and request.response in TAKEN_BACK_AS_MISTAKEN:
        return "the case was a mistake"
    asked = [one.request for one in case.asked]
    place = asked.index(request.id) if request.id in asked else -1
    for later in case.asked[place + 1 :]:
        if later.subject == request.subject and later.response is request.response:
            return f"it was asked for again in {later.place}"
        if later.subject == request.subject and later.response in _contrary(request.response):
            return f"{later.response.value} was asked for since"
    return ""


def named(request: ResponseRequest) -> str:
    """Return a request in words: the response, and whom it is about."""
    return request.response.value + (f" {request.subject.name}" if request.subject else "")


# -- within: choosing


def _first(due: Sequence[CaseTry], case: Case, able: frozenset[ResponseName]) -> CaseTry:
    """Return the one to be done first: what can be done before what only a person can, in the playbook's order."""
    order = {one.request: place for place, one in enumerate(case.asked)}

    def key(trial: CaseTry) -> tuple[bool, int]:
        return trial.request.response not in able, order.get(trial.request.id, len(order))

    return min(due, key=key)


def _reach(store: Store, site: DeskSite, trial: CaseTry, now: datetime) -> TryState:
    """Return how far a request may come now."""
    request = trial.request
    if trial.said_yes or trial.tries:
        return TryState.BEGUN
    mode = site.mode(request.response)
    if mode != "act" or request.confirm:
        return TryState.OBSERVED if mode == "observe" else TryState.ASKED
    cap = site.cap(request.response)
    if cap is not None and store.case_tries.begun_since(request.response, now - _HOUR) >= cap:
        return TryState.CAPPED
    return TryState.BEGUN


def _contrary(response: ResponseName) -> frozenset[ResponseName]:
    """Return what takes a response back, or comes when its time is over."""
    undo = RESPONSES[response].undo
    found = {undo} if undo is not None else set()
    if RESPONSES[response].contains:
        found.add(ResponseName.UNBLOCK_ACCOUNT)
    return frozenset(found)


def _to_undo(store: Store, able: frozenset[ResponseName], now: datetime) -> Errand | None:
    trial = store.case_tries.to_undo(now)
    if trial is None:
        return None
    case = store.cases.case(trial.request.case)
    if case is None or trial.request.response not in able:
        store.case_tries.put(replace(trial, undo_at=None))
        return None
    trial = replace(trial, state=TryState.UNDOING, tried_at=now, tries=trial.tries + 1)
    store.case_tries.put(trial)
    return Errand(trial, case, TryState.UNDOING)


# -- within: what became of it


def _answered_at_once(
    store: Store, site: DeskSite, trial: CaseTry, case: Case, answer: Answer, words: str, now: datetime
) -> Errand:
    _tell(store, site, trial, CarriedOut(answer, words), now)
    return Errand(trial, case, TryState.ANSWERED)


def _waits_for_a_person(
    store: Store, errand: Errand, carried: CarriedOut | None, fault: str, now: datetime
) -> Turn | None:
    request, state = errand.trial.request, errand.state
    words = fault or (carried.words if carried else "")
    store.case_tries.put(replace(errand.trial, state=state, next_try_at=None, words=words[:_LONGEST_WORDS]))
    if state is TryState.ASKED:
        store.alarms.call(f"request {request.id}", calling.asked_line(request), calling.asked_body(request, words), now)
    elif state is TryState.CAPPED:
        about = f"cap of {request.response.value} {now:%Y-%m-%d %H}"
        store.alarms.call(about, calling.capped_line(request), calling.capped_body(request), now)
    _record(store, request, "", TryState.NEW, state.value, now)
    return None


def _again(store: Store, site: DeskSite, errand: Errand, fault: str, now: datetime) -> Turn | None:
    trial = errand.trial
    if trial.tries < MOST_TRIES:
        wait = FIRST_WAIT * (1 << (trial.tries - 1))
        words = fault[:_LONGEST_WORDS]
        store.case_tries.put(replace(trial, state=TryState.DUE, next_try_at=now + wait, words=words))
        return None
    request = trial.request
    store.alarms.call(
        f"request {request.id} failed", calling.failed_line(request, fault), calling.failed_body(request, fault), now
    )
    return _tell(store, site, trial, CarriedOut(Answer.FAILED, f"given up after {trial.tries} tries: {fault}"), now)


def _carried_out(store: Store, site: DeskSite, errand: Errand, carried: CarriedOut, now: datetime) -> Turn | None:
    trial = errand.trial
    if carried.answer is not Answer.WAITING:
        return _tell(store, site, trial, carried, now)
    if trial.tries >= MOST_LOOKS:
        words = f"given up after {trial.tries} looks: {carried.words}"
        return _tell(store, site, trial, replace(carried, answer=Answer.FAILED, words=words), now)
    store.case_tries.put(
        replace(
            trial, state=TryState.DUE, next_try_at=now + LOOKS_AGAIN_AFTER, words=carried.words[:_LONGEST_WORDS],
            checklist=_checklist(carried.checklist),
        )
    )  # fmt: skip
    return None


def _tell(store: Store, site: DeskSite, trial: CaseTry, carried: CarriedOut, now: datetime) -> Turn | None:
    """Write the answer down and tell the case, in one transaction."""
    request, before = trial.request, trial.state
    words = carried.words[:_LONGEST_WORDS]
    lasts = RESPONSES[request.response].lasts and request.response not in ENDS_BY_ITSELF
    undo_at = request.expires_at if lasts and carried.answer is Answer.DONE else None
    store.case_tries.put(
        replace(
            trial, state=TryState.ANSWERED, next_try_at=None, answer=carried.answer, words=words,
            checklist=_checklist(carried.checklist), undo_at=undo_at,
        )
    )  # fmt: skip
    _record(store, request, trial.said_yes, before, carried.answer.value, now, words)
    told = Answered(
        happening_id("answer", request.id, carried.answer.value), now, request.case, request.id, carried.answer, words
    )
    return site.desk(store).hear(told, now)


def _undone(
    store: Store, site: DeskSite, errand: Errand, carried: CarriedOut | None, fault: str, now: datetime
) -> Turn | None:
    trial, request = errand.trial, errand.trial.request
    if carried is not None and carried.answer is not Answer.FAILED:
        return _tell(store, site, trial, replace(carried, answer=Answer.UNDONE), now)
    why = fault or (carried.words if carried else "")
    if carried is None and trial.tries < 2 * MOST_TRIES:
        store.case_tries.put(
            replace(trial, state=TryState.ANSWERED, undo_at=now + FIRST_WAIT, words=why[:_LONGEST_WORDS])
        )
        return None
    store.case_tries.put(
        replace(trial, state=TryState.ANSWERED, undo_at=None, words=f"{NOT_TAKEN_BACK}{why}"[:_LONGEST_WORDS])
    )
    line, body = calling.failed_line(request, f"{NOT_TAKEN_BACK}{why}"), calling.failed_body(request, why)
    store.alarms.call(f"request {request.id} not taken back", line, body, now)
    _record(store, request, "", TryState.UNDOING, "not taken back", now, why)
    return None


def _record(
    store: Store, request: ResponseRequest, actor: str, before: str, after: str, now: datetime, reason: str = ""
) -> None:
    store.audit.record(
        actor=actor or "outwarden", action=request.response.value,
        object=request.subject.name if request.subject else request.case, at=now, before=before,
        after=f"{after}, {request.case}", reason=one_line(reason, 300),
    )  # fmt: skip


def _checklist(lines: Sequence[Verified]) -> str:
    return msgspec.json.encode(lines).decode()
