"""Containment carried out: each deed at each place is written down, done, verified, and its end written down.

Whatever moment the program is killed at, the same wish asked again goes on from there: what is written down as done is
not done again, what is *intended* is, with the state of before that was kept the first time.

A new password is made of chance, set, held against what is stored then, and forgotten: nobody knows it, and its owner
chooses another one by the way that the site has for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple

import msgspec

from outwarden.cases.response_requests import ResponseName
from outwarden.responses.accounts.connector import (
    AccountBackEnd,
    Answer,
    Before,
    Deed,
    Found,
    Leftover,
    LeftoverPlace,
    Outcome,
)
from outwarden.responses.accounts.secret import Secret, new_secret
from outwarden.service.acting import Clock, NotAllowed, NothingFound
from outwarden.service.containment.places import Places
from outwarden.service.containment.wish import DEEDS, ENDS_SESSIONS, Wish
from outwarden.service.containment_settings import ContainmentSettings
from outwarden.service.desk.responder import Verified
from outwarden.store.containment import ContainmentStep, ContainmentSteps, StepState

SESSIONS, RULE = "end-sessions", "disable-rule"
"""Deeds in the journal beside those of ``Deed``."""
_STATES = {Answer.DONE: StepState.DONE, Answer.COULD_NOT: StepState.COULD_NOT, Answer.UNKNOWN: StepState.UNKNOWN}
_HOLDS = {StepState.DONE: True, StepState.COULD_NOT: False, StepState.UNKNOWN: None}


class Kept(msgspec.Struct, frozen=True):
    """How an account was at a place, as the journal keeps it under seal."""

    before: Before
    locked: bool | None = None
    cannot_undo: str = ""

    @classmethod
    def of(cls, found: Found) -> Kept:
        """Return what is kept of an account that was found."""
        return cls(found.before, found.locked, found.cannot_undo)


class At(NamedTuple):
    """An account at the place where it was found."""

    place: AccountBackEnd
    found: Found


class Containing:
    """Carries out wishes.  Its methods raise what places raise, besides what they say."""

    def __init__(self, journal: ContainmentSteps, places: Places, settings: ContainmentSettings, clock: Clock) -> None:
        self._journal, self._places, self._settings, self._clock = journal, places, settings, clock

    def carry_out(self, wish: Wish) -> Iterator[Verified]:
        """Do it, place by place.  Raises ``NothingFound`` and ``NotAllowed`` before anything is done."""
        for deed in DEEDS.get(wish.response, ()):
            for at in self.found(wish.account):
                if deed in at.place.abilities or wish.response is not ResponseName.END_SERVICE:
                    yield from self._deed(wish, at, deed)
        if wish.response in DEEDS:
            # Whatever became of the deeds, and again each time: who remembers a right password lets the thief in.
            self._forget_logins(wish.account)
        if wish.response in ENDS_SESSIONS or (wish.response in DEEDS and self._sessions_were_ended(wish.account)):
            yield from self._end_sessions(wish)
        if wish.response is ResponseName.DISABLE_RULES:
            yield from self._disable_rules(wish)

    def found(self, account: str) -> list[At]:
        """Return where the account is; in two places it is refused, unless the site wants all of them.

        Raises ``NothingFound`` where no place has it.
        """
        if not self._places.accounts:
            raise NotAllowed("no place that keeps passwords is set up; add a table [accounts.NAME]")
        found = [At(each, there) for each in self._places.accounts if (there := each.find(account)) is not None]
        names = ", ".join(at.place.name for at in found)
        if not found:
            where = ", ".join(each.name for each in self._places.accounts)
            raise NothingFound(f"no account {account} in {where}")
        if len(found) > 1 and self._settings.several_places == "refuse":
            raise NotAllowed(
                f"{account} is in several places ({names}), and it may not be the same person; set "
                'containment.several_places = "all" if it is'
            )
        return found

    # -- where passwords are kept

    def _deed(self, wish: Wish, at: At, deed: Deed) -> Iterator[Verified]:
        place = at.place
        step = self._begun(wish, place.name, deed)
        if step is not None and step.state is not StepState.INTENDED:
            yield verified(step)
            return
        if deed not in place.abilities:
            yield Verified(words_of(deed, place.name), False, f"{place.name} is not set up for {deed}")
            return
        if step is None:
            step = self._intend(wish, place.name, deed, before=encoded(Kept.of(at.found)))
            next_before = None
        else:
            step, next_before = self._in_order(step, at)
        secret = new_secret() if deed is Deed.SET_PASSWORD else None
        outcome = done_at(place, wish.account, deed, secret)
        if (after := place.find(wish.account)) is not None:
            self._journal.keep(step, after=next_before or encoded(Kept.of(after)))
        step = self._ended(step, outcome)
        yield verified(step)
        if secret is not None and outcome.answer is not Answer.COULD_NOT:
            yield from self._lets_in(wish.account, place, secret)

    def _in_order(self, step: ContainmentStep, at: At) -> tuple[ContainmentStep, bytes | None]:
        """Return a step that goes on, and how the next one at its place found things, None where it is the last.

        What takes steps back goes by their order: where nothing of it was done before the others, it becomes the last.
        """
        standing = [each for each in self._journal.standing(step.account) if each.place == step.place]
        later = [each for each in standing if each.id > step.id]
        if not later:
            return step, None
        before, next_before = self._journal.before(step), self._journal.before(later[-1])
        if before is None or next_before is None or not same(before, next_before):
            return step, next_before
        return self._journal.put_last(step, encoded(Kept.of(at.found))), None

    def _lets_in(self, account: str, place: AccountBackEnd, secret: Secret) -> Iterator[Verified]:
        """Ask Dovecot whether it takes the new password: then it reads the place that was changed."""
        if self._places.dovecot is None or ((now := place.find(account)) is not None and now.locked):
            return
        # It may remember that another password was wrong, and then asks nobody about this one.
        self._places.dovecot.forget_logins(account)
        takes = self._places.dovecot.lets_in(account, secret)
        words = "takes the new password, and that one alone" if takes else f"does not know what {place.name} says"
        yield Verified("Dovecot goes by the new password", takes, f"dovecot {words}")

    def _forget_logins(self, account: str) -> None:
        for place in self._places.sessions:
            place.forget_logins(account)

    # -- where people are logged in

    def _sessions_were_ended(self, account: str) -> bool:
        """Return whether somebody may have come back meanwhile, by what only now lets him in no more."""
        return any(step.deed == SESSIONS for step in self._journal.standing(account))

    def _end_sessions(self, wish: Wish) -> Iterator[Verified]:
        if not self._places.sessions:
            yield Verified("end open sessions", None, "no Dovecot is on this machine, and no other place is set up")
        for place in self._places.sessions:
            step = self._begun(wish, place.name, SESSIONS) or self._intend(wish, place.name, SESSIONS)
            # Also where it was done: somebody may have come back in the meantime.
            place.forget_logins(wish.account)
            yield verified(self._ended(step, place.end_sessions(wish.account)))

    # -- where rules lie

    def _disable_rules(self, wish: Wish) -> Iterator[Verified]:
        if not self._places.leftovers:
            yield Verified("look for forwards and rules", None, "no place where such things lie is set up")
        for place in self._places.leftovers:
            begun = {step.object: step for step in self._journal.of_request(wish.request) if step.place == place.name}
            found = {self._name(each): each for each in place.leftovers(wish.account, wish.since) if each.active}
            if not begun and not found:
                since = f"{wish.since:%Y-%m-%d}"
                yield Verified(f"look for rules ({place.name})", True, f"{place.name}: nothing changed since {since}")
            for step in begun.values():
                yield self._disabled(wish, place, step)
            for name, leftover in found.items():
                if name not in begun:
                    yield self._found_rule(wish, place, name, leftover)

    def _found_rule(self, wish: Wish, place: LeftoverPlace, name: str, leftover: Leftover) -> Verified:
        deed = f"disable {leftover.words}"
        if self._settings.rules == "list":
            return Verified(deed, None, "only listed: containment.rules is list; look at it")
        if self._settings.rules == "changed" and leftover.changed_at is None:
            return Verified(deed, None, "only listed: nobody knows since when it is there; look at it")
        step = self._intend(wish, place.name, RULE, name, before=msgspec.json.encode(leftover))
        return self._disabled(wish, place, step)

    def _disabled(self, wish: Wish, place: LeftoverPlace, step: ContainmentStep) -> Verified:
        if step.state is StepState.INTENDED:
            kept = self._journal.before(step)
            leftover = msgspec.json.decode(kept or b"null", type=Leftover)
            outcome = place.disable(wish.account, leftover)
            step = self._ended(step, Outcome(outcome.answer, f"{outcome.words} (it was: {leftover.words})"))
        return verified(step)

    @staticmethod
    def _name(leftover: Leftover) -> str:
        return f"{leftover.kind} {leftover.key}"

    # -- the journal

    def _begun(self, wish: Wish, place: str, deed: str) -> ContainmentStep | None:
        steps = self._journal.of_request(wish.request)
        return next((each for each in steps if (each.place, each.deed) == (place, deed)), None)

    def _intend(
        self, wish: Wish, place: str, deed: str, object: str = "", before: bytes | None = None
    ) -> ContainmentStep:
        now = self._clock()
        return self._journal.intend(
            request=wish.request,
            account=wish.account,
            response=wish.response,
            place=place,
            deed=str(deed),
            object=object,
            reason=wish.reason,
            asked_by=wish.asked_by,
            now=now,
            undo_until=now + timedelta(days=self._settings.undo_days),
            before=before,
        )

    def _ended(self, step: ContainmentStep, outcome: Outcome) -> ContainmentStep:
        return self._journal.go_on(step, _STATES[outcome.answer], outcome.words, self._clock(), step.asked_by)


def done_at(place: AccountBackEnd, account: str, deed: Deed, secret: Secret | None = None) -> Outcome:
    """Do a deed at a place; a new password is made where none is given."""
    if deed is Deed.SET_PASSWORD:
        return place.set_password(account, secret or new_secret())
    if deed is Deed.LOCK:
        return place.lock(account)
    if deed is Deed.UNLOCK:
        return place.unlock(account)
    return place.revoke_app_passwords(account)


def verified(step: ContainmentStep) -> Verified:
    """Return a step's line of the checklist."""
    return Verified(words_of(step.deed, step.place, step.object), _HOLDS.get(step.state), step.words)


def words_of(deed: str, place: str, object: str = "") -> str:
    """Return what a deed is, in a postmaster's words."""
    words = {
        Deed.SET_PASSWORD: "set a password that nobody knows",
        Deed.LOCK: "lock the account",
        Deed.UNLOCK: "unlock the account",
        Deed.REVOKE_APP_PASSWORDS: "revoke app passwords",
        SESSIONS: "end open sessions",
        RULE: f"disable {object}",
    }
    return f"{words.get(deed, deed)} ({place})"


def encoded(kept: Kept) -> bytes:
    """Return it as the journal keeps it."""
    return msgspec.json.encode(kept)


def same(kept: bytes, other: bytes) -> bool:
    """Return whether two states are one, whatever the order of their lists, which some places do not keep."""
    return _ordered(kept) == _ordered(other)


def _ordered(kept: bytes) -> object:
    """Return what was kept without the order of its lists, which some places do not keep themselves."""

    def sorted_inside(value: object) -> object:
        if isinstance(value, dict):
            return {key: sorted_inside(each) for key, each in value.items()}
        return sorted(map(sorted_inside, value), key=repr) if isinstance(value, list) else value

    return sorted_inside(msgspec.json.decode(kept))
