"""Pauses and resumes what leaves: the whole server, an account, a destination.

Written down before it is tried; what the mail server is brought to is always **everything** that the journal wants
paused at that moment.  So it can be repeated at will, and a program that was killed half way is made good by the next
one, whether that repeats the pause or takes it back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from outwarden.responses import subjects
from outwarden.responses.mail_server import MailServer, Pauses, Queued
from outwarden.responses.steps import CouldNotAct, Step
from outwarden.service.acting import Clock, must_be_root, one_at_a_time
from outwarden.store.responses import Response, ResponseKind, ResponseState
from outwarden.store.store import Store

_SWEEPS = 3
_LONGEST_REASON = 1_000
_OVER = "its time was over"
_WANTED = (ResponseState.INTENDED, ResponseState.DONE)


@dataclass(frozen=True, slots=True)
class What:
    """What is paused: ``subject`` is an account, a destination, or empty for the whole server."""

    kind: ResponseKind
    subject: str = ""

    @classmethod
    def of(cls, account: str | None = None, destination: str | None = None) -> "What":
        """Return what was named.  Raises ``MalformedSubject``."""
        if account is not None:
            return cls(ResponseKind.PAUSE_ACCOUNT, subjects.account(account))
        if destination is not None:
            return cls(ResponseKind.PAUSE_DESTINATION, subjects.destination(destination))
        return cls(ResponseKind.PAUSE_SERVER)

    def is_of(self, response: Response) -> bool:
        """Return whether this is what a response is about."""
        return (response.kind, response.subject) == (self.kind, self.subject)


@dataclass(frozen=True, slots=True)
class Acted:
    """A pause or its end as it stands now, and what there is to say about it."""

    response: Response
    remarks: tuple[str, ...]


class Pausing:
    """Pauses of one mail server, remembered in one store."""

    def __init__(self, store: Store, server: MailServer, clock: Clock, asked_by: str) -> None:
        self._store = store
        self._server = server
        self._clock = clock
        self._asked_by = asked_by

    def pause(self, what: What, reason: str, lasting: timedelta | None) -> Acted:
        """Pause it, or pause it on with another end; ``lasting`` None is until somebody resumes it.

        Raises ``NotAllowed``, ``CouldNotAct`` and ``StoreUnusable``.
        """
        must_be_root()
        with one_at_a_time(self._store.path):
            response = self._intended(what, reason, lasting)
            try:
                remarks = self._server.apply(self._wanted(), flush=False)
                if what.kind is ResponseKind.PAUSE_ACCOUNT:
                    remarks += self._hold(what.subject)
            except CouldNotAct as fault:
                self._store.responses.turn(response, ResponseState.FAILED, self._clock(), str(fault))
                raise
            remark = "; ".join(remarks)
            done = self._store.responses.turn(response, ResponseState.DONE, self._clock(), remark)
            # Only now: what ends lets mail leave.
            self._end(self._store.responses.expired(self._clock()), _OVER)
        return Acted(done, tuple(remarks))

    def resume(self, chosen: Sequence[What] | None, why: str, keep_held: bool = False) -> list[Acted]:
        """End these pauses, or all of them; those that do not stand are no error.

        ``keep_held``: what waits on hold because of them stays there, for a person to look at.
        Raises ``NotAllowed``, ``CouldNotAct`` and ``StoreUnusable``.
        """
        must_be_root()
        with one_at_a_time(self._store.path):
            return self._end(
                [each for each in self._store.responses.standing() if _chosen(each, chosen)], why, keep_held
            )

    def clear_expired(self) -> list[Acted]:
        """End the pauses whose time is over.  Raises as ``resume``."""
        must_be_root()
        with one_at_a_time(self._store.path):
            return self._end(self._store.responses.expired(self._clock()), _OVER)

    def _intended(self, what: What, reason: str, lasting: timedelta | None) -> Response:
        now = self._clock()
        expires_at = None if lasting is None else now + lasting
        for each in self._store.responses.standing():
            if what.is_of(each):
                return self._store.responses.until(each, expires_at, now)
        return self._store.responses.intend(
            what.kind, what.subject, reason[:_LONGEST_REASON], self._asked_by, self._undo(what), expires_at, now
        )

    def _undo(self, what: What) -> dict[str, Sequence[str]]:
        if what.kind is ResponseKind.PAUSE_SERVER:
            return dict(self._server.undo_of_pause())
        if what.kind is ResponseKind.PAUSE_ACCOUNT:
            # What somebody else holds is not ours to release.
            return {"held_before": [each.queue_id for each in self._of(what.subject) if each.on_hold]}
        return {}

    def _end(self, ended: Sequence[Response], why: str, keep_held: bool = False) -> list[Acted]:
        if not ended:
            return []
        wanted = self._wanted(ended)
        acted = []
        try:
            remarks = self._server.apply(wanted, flush=not wanted.whole_server)
            for each in ended:
                released = [] if keep_held else self._release(each, flush=not wanted.whole_server)
                acted.append((each, [*remarks, *released]))
        except CouldNotAct as fault:
            for each in ended:
                self._store.responses.turn(each, each.state, self._clock(), f"could not be resumed: {fault}")
            raise
        turn = self._store.responses.turn
        return [
            Acted(turn(each, ResponseState.UNDONE, self._clock(), "; ".join([why, *said])), tuple(said))
            for each, said in acted
        ]

    def _hold(self, account: str) -> list[str]:
        held: set[str] = set()
        for _ in range(_SWEEPS):
            # A message on its way from one queue to the next may be missed by one look, but hardly by the second.
            waiting = [each.queue_id for each in self._of(account) if not each.on_hold]
            if not waiting:
                break
            _take(self._server.hold(waiting))
            held.update(waiting)
        else:
            waiting = [each.queue_id for each in self._of(account) if not each.on_hold]
            if waiting:
                return [f"messages put on hold: {len(held)}; not yet: {len(waiting)}. Repeat it in a minute"]
        return [f"messages put on hold: {len(held)}"] if held else []

    def _release(self, pause: Response, flush: bool) -> list[str]:
        held = _held_by(self._server, pause)
        if not held:
            return []
        _take(self._server.release(held, flush))
        return [f"messages released: {len(held)}"]

    def _of(self, account: str) -> list[Queued]:
        return _of(self._server, account)

    def _wanted(self, ended: Iterable[Response] = ()) -> Pauses:
        return _pauses(self._store.responses.standing(), over=ended)


def steps_to_pause(server: MailServer, standing: Sequence[Response], what: What) -> list[Step]:
    """Return what ``pause`` would do, with these pauses standing.  Raises ``CouldNotAct``."""
    steps = server.steps(_pauses(standing, what, server.undo_of_pause()), flush=False)
    if what.kind is ResponseKind.PAUSE_ACCOUNT:
        waiting = [each.queue_id for each in _of(server, what.subject) if not each.on_hold]
        steps += server.hold(waiting) if waiting else []
    return steps


def steps_to_resume(server: MailServer, standing: Sequence[Response], chosen: Sequence[What] | None) -> list[Step]:
    """Return what ``resume`` would do, with these pauses standing.  Raises ``CouldNotAct``."""
    ended = [each for each in standing if _chosen(each, chosen)]
    if not ended:
        return []
    wanted = _pauses(standing, over=ended)
    steps = server.steps(wanted, flush=not wanted.whole_server)
    for each in ended:
        held = _held_by(server, each)
        steps += server.release(held, flush=not wanted.whole_server) if held else []
    return steps


def _held_by(server: MailServer, pause: Response) -> list[str]:
    """Return what waits on hold because of a pause of an account."""
    if pause.kind is not ResponseKind.PAUSE_ACCOUNT:
        return []
    before = set(pause.undo.get("held_before", ()))
    return [each.queue_id for each in _of(server, pause.subject) if each.on_hold and each.queue_id not in before]


def _of(server: MailServer, account: str) -> list[Queued]:
    return [each for each in server.queued(account) if each.is_of(account)]


def _pauses(
    standing: Sequence[Response],
    also: What | None = None,
    undo: Mapping[str, Sequence[str]] | None = None,
    over: Iterable[Response] = (),
) -> Pauses:
    """Return what the journal wants paused, with one more thing that is not in it yet, without those that are over."""
    ended = {each.id for each in over}
    wanted = [each for each in standing if each.state in _WANTED and each.id not in ended]
    numbered = {(each.kind, each.subject): each.id for each in wanted}
    # One pause of the whole server stands at most; what it found when it began is needed also when it ends.
    found = next((each.undo for each in standing if each.kind is ResponseKind.PAUSE_SERVER), undo)
    if also is not None:
        numbered.setdefault((also.kind, also.subject), 0)
    return Pauses(
        whole_server=any(kind is ResponseKind.PAUSE_SERVER for kind, _ in numbered),
        accounts={subject: each for (kind, subject), each in numbered.items() if kind is ResponseKind.PAUSE_ACCOUNT},
        destinations=tuple(subject for kind, subject in numbered if kind is ResponseKind.PAUSE_DESTINATION),
        undo=found or {},
    )


def _chosen(response: Response, chosen: Sequence[What] | None) -> bool:
    return chosen is None or any(what.is_of(response) for what in chosen)


def _take(steps: Iterable[Step]) -> None:
    for step in steps:
        step.take()
