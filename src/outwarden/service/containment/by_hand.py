"""An account contained, or given back as it was, by a person's word: every step in its order, told as a checklist.

Each step is tried whatever became of the one before it: an account whose directory is down can still lose its sessions.
What failed is done by saying it again: what was done is not done twice while the same containment is unfinished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec

from outwarden.cases.response_requests import ResponseName
from outwarden.responses.accounts.connector import OperatorFault, TemporaryFault
from outwarden.responses.subjects import account as judged_account
from outwarden.service.acting import Clock, CouldNotAct, NotAllowed, NothingFound, one_at_a_time
from outwarden.service.containment.containing import Containing, words_of
from outwarden.service.containment.faults import faults_of_places
from outwarden.service.containment.places import Places
from outwarden.service.containment.planning import planned
from outwarden.service.containment.undoing import Undoing
from outwarden.service.containment.wish import DEEDS, Wish
from outwarden.service.containment_settings import ContainmentSettings
from outwarden.service.desk.responder import Verified
from outwarden.store.sealing import SealBroken
from outwarden.store.store import Store

AskService = Callable[[str, dict[str, object]], str]
"""Asks the running service to do a verb, and returns its words; raises ``CouldNotAct`` where it cannot be asked."""
_AT_THE_SERVICE = {"block-account": "account.block", "queue-hold": "queue.hold"}
_BY_HAND = "by-hand"


class Containment(msgspec.Struct, frozen=True):
    """What became of it: the checklist, and whether anything of it failed."""

    account: str
    checklist: tuple[Verified, ...]
    dry_run: bool = False

    @property
    def failed(self) -> bool:
        """Whether a line was tried and does not hold."""
        return any(line.holds is False for line in self.checklist)


class ByHand:
    """Contains accounts for a person."""

    def __init__(
        self,
        store: Store,
        places: Places,
        settings: ContainmentSettings,
        clock: Clock,
        asked_by: str,
        ask_service: AskService,
    ) -> None:
        self._store, self._places, self._settings = store, places, settings
        self._clock, self._asked_by, self._ask = clock, asked_by, ask_service

    def contain(self, account: str, reason: str) -> Containment:
        """Do every step of the settings.  Raises ``NothingFound`` where no place knows the account, ``NotAllowed``."""
        account = judged_account(account)
        with one_at_a_time(self._store.path, "containing"):
            self._store.containment.forget(self._clock())
            containing = Containing(self._store.containment, self._places, self._settings, self._clock)
            if any(DEEDS.get(ResponseName(step)) for step in self._settings.steps):
                self._must_be_one(containing, account)
            lines = [line for step in self._settings.steps for line in self._step(containing, step, account, reason)]
        return Containment(account, tuple(lines))

    def undo(self, account: str, reason: str) -> Containment:
        """Bring everything back as it was.  Raises ``NothingFound`` where nothing stands."""
        account = judged_account(account)
        with one_at_a_time(self._store.path, "containing"):
            standing = self._store.containment.standing(account)
            undoing = Undoing(self._store.containment, self._places, self._clock)
            lines = [
                line
                for step in standing
                for line in _in_words(f"take back: {words_of(step.deed, step.place)}", self._one(undoing, step.id))
            ]
        arguments = {"account": account, "reason": reason, "wrongly": True}
        blocked = list(self._at_the_service("unblock the account, as blocked wrongly", "account.unblock", arguments))
        if not standing and all(line.holds is None for line in blocked):
            raise NothingFound(f"nothing stands that was done to {account}")
        released = self._at_the_service("release its queued mail", "queue.release", {"account": account})
        return Containment(account, (*lines, *blocked, *released))

    def plan(self, account: str) -> Containment:
        """Say what ``contain`` would do.  Raises ``CouldNotAct`` and ``NotAllowed``, too."""
        account = judged_account(account)
        with faults_of_places():
            return Containment(account, tuple(self._planned(account)), dry_run=True)

    def _planned(self, account: str) -> Iterator[Verified]:
        for step in self._settings.steps:
            if step in _AT_THE_SERVICE:
                yield Verified(step, None, "would be asked of the service")
                continue
            wish = self._wish(ResponseName(step), account, "")
            for line in planned(wish, self._places, self._settings):
                yield Verified(line, None, "would be done")

    def plan_undo(self, account: str) -> Containment:
        """Say what ``undo`` would take back."""
        account = judged_account(account)
        lines = [
            Verified(
                f"take back: {words_of(step.deed, step.place, step.object)}",
                None,
                f"done {step.begun_at:%Y-%m-%d %H:%M}",
            )
            for step in self._store.containment.standing(account)
        ]
        if not lines:
            raise NothingFound(f"nothing stands that was done to {account}")
        return Containment(account, tuple(lines), dry_run=True)

    def _must_be_one(self, containing: Containing, account: str) -> None:
        """Refuse at once who is nobody, or in several places; a place that is down is told step by step."""
        try:
            containing.found(account)
        except (TemporaryFault, OperatorFault):
            return

    def _step(self, containing: Containing, step: str, account: str, reason: str) -> Iterator[Verified]:
        if step in _AT_THE_SERVICE:
            words = {"block-account": "refuse what it hands in (gate)", "queue-hold": "hold its queued mail"}[step]
            yield from self._at_the_service(words, _AT_THE_SERVICE[step], {"account": account, "reason": reason})
            return
        yield from _in_words(step, containing.carry_out(self._wish(ResponseName(step), account, reason)))

    def _at_the_service(self, deed: str, verb: str, arguments: dict[str, object]) -> Iterator[Verified]:
        try:
            yield Verified(deed, True, self._ask(verb, arguments))
        except CouldNotAct as fault:
            yield Verified(deed, None, str(fault))

    def _one(self, undoing: Undoing, number: int) -> Iterator[Verified]:
        yield undoing.number(number, self._asked_by)

    def _wish(self, response: ResponseName, account: str, reason: str) -> Wish:
        now = self._clock()
        since = now - timedelta(days=self._settings.look_back_days)
        return Wish(self._request(response, account), response, account, reason, self._asked_by, since)

    def _request(self, response: ResponseName, account: str) -> str:
        """Return the request that is unfinished, else a new one."""
        ours = [
            each
            for each in self._store.containment.standing(account)
            if each.response == response and each.request.startswith(f"{_BY_HAND}:")
        ]
        unfinished = next((each.request for each in ours if not each.is_over), None)
        return unfinished or f"{_BY_HAND}:{account}:{response}:{self._clock():%Y%m%dT%H%M%S%fZ}"


def _in_words(deed: str, lines: Iterator[Verified]) -> Iterator[Verified]:
    """Yield the lines of a step, and what stopped it as one more."""
    try:
        yield from lines
    except TemporaryFault as fault:
        yield Verified(deed, False, f"{fault}; say it again later")
    except (OperatorFault, SealBroken, NotAllowed, NothingFound) as fault:
        yield Verified(deed, False, str(fault))
