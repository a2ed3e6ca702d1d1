"""Containment taken back: everything as it was before, unless somebody else has changed it since.

Steps are taken back newest first.  One that is taken back alone, while later ones at the same place stand, is taken out
from under them: the place is brought to how it was before it, and the later deeds are done again on top, with the state
of before that they then have.  So what a later undo brings back never holds what was already taken back.

What an owner or the desk changed since, such as a password that its owner chose, is not overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from outwarden.responses.accounts.connector import AccountBackEnd, Answer, Deed, Leftover, Outcome
from outwarden.service.acting import Clock
from outwarden.service.containment.containing import RULE, Kept, done_at, encoded, same, words_of
from outwarden.service.containment.places import Places
from outwarden.service.desk.responder import Verified
from outwarden.store.containment import ContainmentStep, ContainmentSteps, StepState
from outwarden.store.sealing import SealBroken


class Undoing:
    """Takes steps back.  Its methods raise what places raise, besides what they say."""

    def __init__(self, journal: ContainmentSteps, places: Places, clock: Clock) -> None:
        self._journal, self._places, self._clock = journal, places, clock

    def everything(self, account: str, by: str) -> Iterator[Verified]:
        """Take back all that stands about an account, newest first."""
        for step in self._journal.standing(account):
            yield self.one(step, by)

    def request(self, request: str, by: str) -> Iterator[Verified]:
        """Take back what one request did."""
        for step in reversed(self._journal.of_request(request)):
            if step.stands:
                yield self.one(step, by)

    def locks(self, account: str, by: str) -> Iterator[Verified]:
        """Take back the locks of ours, and leave those alone that were there before."""
        for step in self._journal.standing(account):
            if step.deed == Deed.LOCK:
                yield self.one(step, by)

    def number(self, number: int, by: str) -> Verified:
        """Take back the step of a number, as it stands by now."""
        return self.one(self._journal.one(number), by)

    def one(self, step: ContainmentStep, by: str) -> Verified:
        """Take one step back, any number of times."""
        # What was being taken back when the program was killed is between two states: that ends first.
        for other in self._journal.standing(step.account):
            if other.state is StepState.UNDOING and other.place == step.place and other.id != step.id:
                self._taken_back(other, by)
        step = self._journal.one(step.id)
        if not step.stands:
            return Verified(f"take back: {words_of(step.deed, step.place, step.object)}", True, step.words)
        return self._taken_back(step, by)

    def _taken_back(self, step: ContainmentStep, by: str) -> Verified:
        fresh = step.state is not StepState.UNDOING
        step = self._journal.go_on(step, StepState.UNDOING, step.words, self._clock(), by)
        outcome = self._undone(step, fresh)
        stays = outcome.answer is Answer.COULD_NOT
        step = self._journal.go_on(
            step, StepState.COULD_NOT if stays else StepState.UNDONE, outcome.words, self._clock(), by
        )
        if not stays:
            self._journal.drop(step)
        holds = {Answer.DONE: True, Answer.COULD_NOT: False, Answer.UNKNOWN: None}[outcome.answer]
        return Verified(f"take back: {words_of(step.deed, step.place, step.object)}", holds, outcome.words)

    def _undone(self, step: ContainmentStep, fresh: bool) -> Outcome:
        if step.deed in set(Deed):
            return self._deed_undone(step, fresh)
        if step.deed != RULE:
            return Outcome(Answer.DONE, "sessions come back by themselves, as people log in")
        place = self._places.leftover_place(step.place)
        kept = self._kept(step)
        if place is None or isinstance(kept, str):
            return Outcome(Answer.COULD_NOT, kept if isinstance(kept, str) else f"{step.place} is not set up any more")
        return place.enable(step.account, msgspec.json.decode(kept, type=Leftover))

    def _deed_undone(self, step: ContainmentStep, fresh: bool) -> Outcome:
        place = self._places.account_place(step.place)
        if place is None:
            return Outcome(Answer.COULD_NOT, f"{step.place} is not set up any more")
        sealed = self._kept(step)
        if isinstance(sealed, str):
            return Outcome(Answer.COULD_NOT, sealed)
        kept = msgspec.json.decode(sealed, type=Kept)
        steps = [each for each in self._journal.standing(step.account) if self._is_deed_at(each, place)]
        if fresh and self._changed_since(place, steps[0]):
            return self._left_alone(place, step, kept)
        outcome = place.restore(step.account, kept.before)
        if outcome.answer is not Answer.COULD_NOT:
            for later in sorted((each for each in steps if each.id > step.id), key=lambda each: each.id):
                self._done_again(place, later)
        self._forget_logins(step.account)
        if kept.cannot_undo and step.deed == Deed.SET_PASSWORD:
            return Outcome(Answer.UNKNOWN, f"{outcome.words}; {kept.cannot_undo}")
        return outcome

    @staticmethod
    def _is_deed_at(step: ContainmentStep, place: AccountBackEnd) -> bool:
        return step.place == place.name and step.deed in set(Deed)

    def _changed_since(self, place: AccountBackEnd, newest: ContainmentStep) -> bool:
        try:
            after = self._journal.after(newest)
        except SealBroken:
            return False
        now = place.find(newest.account)
        return after is not None and now is not None and not same(after, encoded(Kept.of(now)))

    def _left_alone(self, place: AccountBackEnd, step: ContainmentStep, kept: Kept) -> Outcome:
        """Of what somebody has changed since, take back our own lock and nothing else."""
        changed = f"{place.name}: somebody has changed the account since"
        if step.deed == Deed.LOCK and kept.locked is False:
            outcome = place.unlock(step.account)
            self._forget_logins(step.account)
            return Outcome(outcome.answer, f"{changed}; only unlocked. {outcome.words}")
        return Outcome(Answer.UNKNOWN, f"{changed}; left as it is now")

    def _done_again(self, place: AccountBackEnd, later: ContainmentStep) -> None:
        if (now := place.find(later.account)) is not None:
            self._journal.keep(later, before=encoded(Kept.of(now)))
        outcome = done_at(place, later.account, Deed(later.deed))
        after = place.find(later.account)
        self._journal.keep(later, after=None if after is None else encoded(Kept.of(after)))
        state = StepState.COULD_NOT if outcome.answer is Answer.COULD_NOT else later.state
        self._journal.go_on(later, state, outcome.words, self._clock())

    def _kept(self, step: ContainmentStep) -> bytes | str:
        """Return what undoing needs, or a line that says why it is not there."""
        try:
            kept = self._journal.before(step)
        except SealBroken as fault:
            return f"cannot be undone: {fault}"
        return kept or f"cannot be undone any more: that was possible until {step.undo_until:%Y-%m-%d}"

    def _forget_logins(self, account: str) -> None:
        for place in self._places.sessions:
            place.forget_logins(account)
