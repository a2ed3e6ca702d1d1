"""What cases may ask for where passwords, sessions and rules are kept, as the desk's responders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from outwarden.cases.case import Case
from outwarden.cases.response_requests import Answer, ResponseName, ResponseRequest
from outwarden.responses.subjects import account as judged_account
from outwarden.service.acting import Clock, MalformedSubject, NothingFound, one_at_a_time
from outwarden.service.containment.back_ends import places
from outwarden.service.containment.containing import Containing
from outwarden.service.containment.faults import faults_of_places
from outwarden.service.containment.places import Places
from outwarden.service.containment.planning import planned
from outwarden.service.containment.undoing import Undoing
from outwarden.service.containment.wish import CONTAINMENT, DEEDS, Wish
from outwarden.service.containment_settings import ContainmentSettings
from outwarden.service.desk.responder import CarriedOut, Responder, Verified
from outwarden.service.settings import Configuration
from outwarden.store.audit import OURSELVES
from outwarden.store.store import Store


def containment_responders(configuration: Configuration, store_path: Path, clock: Clock) -> list[Responder]:
    """Return who carries out containment: nobody where no place is set up.  Raises ``ConfigurationError``."""
    found = places(configuration)
    if not found.accounts and not found.sessions:
        return []
    return [ContainmentResponder(found, configuration.settings.containment, store_path, clock)]


class ContainmentResponder:
    """A ``Responder``.  It opens the store for each request, so it may be called by any thread, one at a time."""

    def __init__(self, found: Places, settings: ContainmentSettings, store_path: Path, clock: Clock) -> None:
        self._places, self._settings, self._store_path, self._clock = found, settings, store_path, clock
        of_passwords = {*DEEDS, ResponseName.UNLOCK_ACCOUNT} if found.accounts else set()
        elsewhere = {ResponseName.DISABLE_RULES} | ({ResponseName.END_SESSIONS} if found.sessions else set())
        self.responses = frozenset((of_passwords | elsewhere) & CONTAINMENT)

    def carry_out(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Do it, or go on with it; raises ``CouldNotAct`` where a place is not there just now, ``NotAllowed`` else."""
        del now
        wish = self._wish(request, case)
        if isinstance(wish, CarriedOut):
            return wish
        with self._acting() as store:
            store.containment.forget(self._clock())
            containing = Containing(store.containment, self._places, self._settings, self._clock)
            try:
                if wish.response is ResponseName.UNLOCK_ACCOUNT:
                    return self._unlocked(store, containing, wish)
                return told(list(containing.carry_out(wish)))
            except NothingFound as fault:
                return CarriedOut(Answer.FAILED, str(fault))

    def undo(self, request: ResponseRequest, case: Case, now: datetime) -> CarriedOut:
        """Bring back how it was; what does not come back is in the checklist."""
        del case, now
        with self._acting() as store:
            undoing = Undoing(store.containment, self._places, self._clock)
            lines = list(undoing.request(request.id, OURSELVES))
        carried = told(lines) if lines else CarriedOut(Answer.DONE, "nothing of it stands")
        return CarriedOut(Answer.UNDONE, carried.words, carried.checklist) if carried.answer is Answer.DONE else carried

    def dry_run(self, request: ResponseRequest, case: Case) -> tuple[str, ...]:
        """Look, and say what would be done."""
        wish = self._wish(request, case)
        if isinstance(wish, CarriedOut):
            return (wish.words,)
        with faults_of_places():
            try:
                return tuple(planned(wish, self._places, self._settings))
            except NothingFound as fault:
                return (str(fault),)

    def _unlocked(self, store: Store, containing: Containing, wish: Wish) -> CarriedOut:
        undoing = Undoing(store.containment, self._places, self._clock)
        lines = list(undoing.locks(wish.account, wish.asked_by))
        locked = [at for at in containing.found(wish.account) if at.found.locked]
        if locked and not any(line.holds is False for line in lines):
            names = ", ".join(at.place.name for at in locked)
            words = f"{wish.account} is locked in {names}, and not by us: a person unlocks it there"
            return CarriedOut(Answer.WAITING, words, tuple(lines))
        return told(lines) if lines else CarriedOut(Answer.DONE, "it is not locked")

    def _wish(self, request: ResponseRequest, case: Case) -> Wish | CarriedOut:
        try:
            account = judged_account(request.subject.name if request.subject else "")
        except MalformedSubject as fault:
            return CarriedOut(Answer.FAILED, str(fault))
        since = case.opened_at - timedelta(days=self._settings.look_back_days)
        return Wish(request.id, request.response, account, request.reason, OURSELVES, since)

    @contextmanager
    def _acting(self) -> Iterator[Store]:
        with faults_of_places(), one_at_a_time(self._store_path, "containing"), Store(self._store_path) as store:
            yield store


def told(checklist: Sequence[Verified]) -> CarriedOut:
    """Return what became of it, by its checklist."""
    failed = [line for line in checklist if line.holds is False]
    unseen = [line for line in checklist if line.holds is None]
    if failed:
        return CarriedOut(Answer.FAILED, "; ".join(line.words for line in failed), tuple(checklist))
    seen = f"{len(checklist) - len(unseen)} of {len(checklist)} verified"
    return CarriedOut(Answer.DONE, seen if checklist else "nothing was there to do", tuple(checklist))
