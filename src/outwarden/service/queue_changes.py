"""Holds, releases and deletes queued messages: those of an account, or those named by their queue IDs.

Written down before it is tried and verified afterwards.  What is deleted is on hold first, so that it cannot leave
meanwhile, then in an archive on the disk, and only what is in the archive is deleted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from outwarden.responses import evidence, subjects
from outwarden.responses.mail_server import MailServer, Queued
from outwarden.responses.steps import CouldNotAct, Step
from outwarden.service.acting import Clock, NothingFound, must_be_root, one_at_a_time
from outwarden.service.mail_servers import mail_server
from outwarden.service.settings import MailServerSettings
from outwarden.store.responses import Response, ResponseKind, ResponseState
from outwarden.store.store import Store

_LOOKS = 3
_LONGEST_REASON = 1_000


@dataclass(frozen=True, slots=True)
class Messages:
    """Which messages: those of an account, or these queue IDs."""

    account: str | None = None
    queue_ids: tuple[str, ...] = ()

    @classmethod
    def of(cls, account: str | None, queue_ids: Iterable[str]) -> "Messages":
        """Return what was named.  Raises ``MalformedSubject``."""
        checked = tuple(dict.fromkeys(map(subjects.queue_id, queue_ids)))
        return cls(None if account is None else subjects.account(account), checked)

    @property
    def subject(self) -> str:
        """What the journal calls them."""
        return self.account or " ".join(self.queue_ids[:20])

    def among(self, queued: Iterable[Queued]) -> list[Queued]:
        """Return those that wait.  Raises ``NothingFound`` where queue IDs were named and none waits."""
        if self.account is not None:
            return [each for each in queued if each.is_of(self.account)]
        named = set(self.queue_ids)
        found = [each for each in queued if each.queue_id in named]
        if not found:
            raise NothingFound(f"{self.queue_ids[0]}: no such message in the queue")
        return found


@dataclass(frozen=True, slots=True)
class Changed:
    """What became of it: the messages it was done to, and the archive where there is one."""

    response: Response
    queue_ids: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    archive: Path | None = None
    sha256: str | None = None


class QueueChanges:
    """Changes of one mail server's queue, remembered in one store."""

    def __init__(self, store: Store, server: MailServer, clock: Clock, asked_by: str, archives: Path) -> None:
        """``archives`` is the folder of what is kept before it is deleted."""
        self._store = store
        self._server = server
        self._clock = clock
        self._asked_by = asked_by
        self._archives = archives

    def hold(self, which: Messages, reason: str) -> Changed:
        """Put messages on hold.  Raises ``NotAllowed``, ``NothingFound``, ``CouldNotAct``, ``StoreUnusable``."""
        return self._change(ResponseKind.QUEUE_HOLD, which, reason)

    def release(self, which: Messages, reason: str) -> Changed:
        """Give messages that are on hold back to delivery.  Raises as ``hold``."""
        return self._change(ResponseKind.QUEUE_RELEASE, which, reason)

    def delete(self, which: Messages, reason: str) -> Changed:
        """Hold messages, keep them in an archive, and delete what is in it.  Raises as ``hold``."""
        return self._change(ResponseKind.QUEUE_DELETE, which, reason)

    def _change(self, kind: ResponseKind, which: Messages, reason: str) -> Changed:
        must_be_root()
        with one_at_a_time(self._store.path):
            chosen = _chosen(self._server, kind, which)
            ids = [each.queue_id for each in chosen]
            response = self._store.responses.intend(
                kind, which.subject, reason[:_LONGEST_REASON], self._asked_by, {"queue_ids": ids}, None, self._clock()
            )
            try:
                if kind is ResponseKind.QUEUE_DELETE:
                    return self._delete(which, chosen, response)
                return self._hold_or_release(kind, which, ids, response)
            except CouldNotAct as fault:
                self._store.responses.turn(response, ResponseState.FAILED, self._clock(), str(fault))
                raise

    def _hold_or_release(self, kind: ResponseKind, which: Messages, ids: list[str], response: Response) -> Changed:
        holding = kind is ResponseKind.QUEUE_HOLD
        changed, waiting = list(ids), list(ids)
        for _ in range(_LOOKS):
            if not waiting:
                break
            _take(self._server.hold(waiting) if holding else self._server.release(waiting, self._may_flush()))
            waiting = [each.queue_id for each in self._left(which) if each.on_hold is not holding]
            # An account's newest message may have come between the two looks.
            changed += waiting
        if waiting:
            verb = "hold" if holding else "release"
            raise CouldNotAct(f"the mail server did not {verb} {len(waiting)} messages, {waiting[0]} among them")
        return Changed(self._done(response), tuple(dict.fromkeys(changed)))

    def _delete(self, which: Messages, chosen: Sequence[Queued], response: Response) -> Changed:
        free = [each.queue_id for each in chosen if not each.on_hold]
        if free:
            _take(self._server.hold(free))
        if not chosen:
            return Changed(self._done(response), ())
        now = self._clock()
        name = f"{now:%Y%m%dT%H%M%SZ}-{response.id}.tar.zst"
        kept = evidence.archive(chosen, self._server.message, self._archives, name, now)
        digest = f"{kept.file} sha256:{kept.sha256}"
        # The digest is on the disk before anything is deleted.
        response = self._store.responses.turn(response, ResponseState.INTENDED, now, "archived", digest)
        if kept.queue_ids:
            _take(self._server.delete(kept.queue_ids))
        left = {each.queue_id for each in self._left(which)}
        there = [queue_id for queue_id in kept.queue_ids if queue_id in left]
        if there:
            raise CouldNotAct(f"the mail server did not delete {len(there)} messages, {there[0]} among them")
        remarks = (
            ()
            if not left
            else (f"messages that are still there, as they are not in the archive: {len(left)}. Repeat it",)
        )
        return Changed(self._done(response), kept.queue_ids, remarks, kept.file, kept.sha256)

    def _left(self, which: Messages) -> list[Queued]:
        try:
            return which.among(self._server.queued(which.account))
        except NothingFound:
            return []

    def _may_flush(self) -> bool:
        """Return whether mail may be delivered at once: a flush goes past a pause of the whole server."""
        return all(each.kind is not ResponseKind.PAUSE_SERVER for each in self._store.responses.standing())

    def _done(self, response: Response) -> Response:
        return self._store.responses.turn(response, ResponseState.DONE, self._clock())


def steps(server: MailServer, kind: ResponseKind, which: Messages) -> list[Step]:
    """Return what a change would do.  Raises ``NothingFound`` and ``CouldNotAct``."""
    chosen = _chosen(server, kind, which)
    ids = [each.queue_id for each in chosen]
    if not ids:
        return []
    if kind is ResponseKind.QUEUE_HOLD:
        return server.hold(ids)
    if kind is ResponseKind.QUEUE_RELEASE:
        return server.release(ids, flush=True)
    free = [each.queue_id for each in chosen if not each.on_hold]
    return [*(server.hold(free) if free else ()), *server.delete(ids)]


def _chosen(server: MailServer, kind: ResponseKind, which: Messages) -> list[Queued]:
    """Return the messages that a change is about: of those, the ones it changes."""
    found = which.among(server.queued(which.account))
    if kind is ResponseKind.QUEUE_DELETE:
        return found
    return [each for each in found if each.on_hold is (kind is ResponseKind.QUEUE_RELEASE)]


def queue_ids_of(settings: MailServerSettings, account: str) -> set[str] | None:
    """Return the queue IDs of what an account has waiting, None where this user or this mail server cannot tell."""
    try:
        return {each.queue_id for each in mail_server(settings).queued(account) if each.is_of(account)}
    except CouldNotAct:
        return None


def archives_of(store: Path) -> Path:
    """Return the folder of archives beside a store."""
    return store.parent / "evidence"


def _take(steps: Iterable[Step]) -> None:
    for step in steps:
        step.take()
