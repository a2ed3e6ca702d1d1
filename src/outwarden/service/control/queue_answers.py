"""The verbs about pauses and the queue: a question's arguments in, what became of it out.

The service answers with these, and so does a command where no service is there: both do the same.  Each may take as
long as the mail server's programs take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta, tzinfo
from typing import Annotated, Any, NamedTuple, TypeVar

import msgspec

from outwarden.responses import subjects
from outwarden.responses.mail_server import MailServer
from outwarden.responses.steps import CouldNotAct
from outwarden.service.acting import Clock, must_be_root
from outwarden.service.control.faults import Fault, FaultKind
from outwarden.service.control.records import (
    ChangeRecord,
    ResponseRecord,
    Resumed,
    change_record,
    record_of,
    standing_record,
)
from outwarden.service.local_mta import Programs, queue_listing
from outwarden.service.mail_servers import mail_server
from outwarden.service.pausing import Pausing, What
from outwarden.service.queue_changes import Changed, Messages, QueueChanges, archives_of, queue_ids_of
from outwarden.service.settings import MailServerSettings
from outwarden.sources.queue.reading import MalformedQueue, QueueReading
from outwarden.sources.queue.recognise import queue_text, read_queue
from outwarden.store.store import Store

_LONGEST_PAUSE_SECONDS = 30 * 86_400

_Arguments = Mapping[str, Any]
_T = TypeVar("_T")


class _Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of a verb."""


class _Pause(_Question, frozen=True):
    account: str | None = None
    destination: str | None = None
    seconds: Annotated[float, msgspec.Meta(gt=0, le=_LONGEST_PAUSE_SECONDS)] | None = None
    reason: str = ""
    mail_server: str = ""


class _Resume(_Question, frozen=True):
    account: str | None = None
    destination: str | None = None
    everything: bool = False
    expired: bool = False
    mail_server: str = ""


class _List(_Question, frozen=True):
    account: str | None = None


class _Change(_Question, frozen=True):
    account: str | None = None
    queue_ids: tuple[str, ...] = ()
    reason: str = ""
    mail_server: str = ""


class QueueAnswer(NamedTuple):
    """Answers a verb from its arguments and the name of who asks; ``changes`` as in ``server.Answer``."""

    give: Callable[[_Arguments, str], object]
    changes: bool


CHANGES = {
    "pause": True,
    "pause.list": False,
    "resume": True,
    "queue.list": False,
    "queue.hold": True,
    "queue.release": True,
    "queue.delete": True,
}
"""The verbs, and whether each changes something."""


class QueueAnswers:
    """One mail server, and the store where what is done to it is written down.

    Besides ``Fault`` for arguments that cannot be, all raise what ``Pausing`` and ``QueueChanges`` do, and
    ``MalformedSubject``.
    """

    def __init__(self, store: Store, settings: MailServerSettings, clock: Clock, zone: tzinfo) -> None:
        """``zone`` is that of times in a listing that name none."""
        self._store = store
        self._settings = settings
        self._clock = clock
        self._zone = zone

    def by_verb(self) -> dict[str, QueueAnswer]:
        """Return who answers which verb."""
        gives = {
            "pause": self.pause,
            "pause.list": self.pauses,
            "resume": self.resume,
            "queue.list": self.listing,
            "queue.hold": self.hold,
            "queue.release": self.release,
            "queue.delete": self.delete,
        }
        return {verb: QueueAnswer(gives[verb], changes) for verb, changes in CHANGES.items()}

    def pause(self, arguments: _Arguments, asked_by: str) -> ResponseRecord:
        """Pause ``account`` or ``destination`` or the whole server for ``seconds``, with a ``reason``."""
        asked = _asked(_Pause, arguments)
        what = What.of(asked.account, asked.destination)
        must_be_root()
        lasting = None if asked.seconds is None else timedelta(seconds=asked.seconds)
        pausing = Pausing(self._store, self._server(asked.mail_server), self._clock, asked_by)
        acted = pausing.pause(what, asked.reason, lasting)
        return record_of(acted.response, acted.remarks)

    def pauses(self, _arguments: _Arguments, _asked_by: str) -> tuple[ResponseRecord, ...]:
        """Return the pauses that stand, oldest first."""
        return tuple(map(standing_record, self._store.responses.standing()))

    def resume(self, arguments: _Arguments, asked_by: str) -> Resumed:
        """End the pause of ``account`` or ``destination`` or the whole server; ``everything``, or what is ``expired``.

        What is not paused is no error.
        """
        asked = _asked(_Resume, arguments)
        what = What.of(asked.account, asked.destination)
        must_be_root()
        stand, now = self._store.responses.standing(), self._clock()
        over = [each for each in stand if each.expires_at is not None and each.expires_at <= now]
        chosen = stand if asked.everything else over if asked.expired else [each for each in stand if what.is_of(each)]
        if not chosen:
            return Resumed((), tuple(map(standing_record, stand)))
        pausing = Pausing(self._store, self._server(asked.mail_server), self._clock, asked_by)
        why = "its time was over" if asked.expired else "resumed"
        ended = pausing.resume([What(each.kind, each.subject) for each in chosen], why)
        return Resumed(
            tuple([record_of(each.response, each.remarks) for each in ended]),
            tuple(map(standing_record, self._store.responses.standing())),
        )

    def listing(self, arguments: _Arguments, _asked_by: str) -> msgspec.Raw:
        """Return what waits, all of it or an ``account``'s, as the JSON of a ``QueueReading``.

        It may be large, so it is made into JSON here, where nobody else waits for it.
        """
        asked = _asked(_List, arguments)
        reading = self._reading()
        if asked.account is not None:
            account = subjects.account(asked.account)
            reading = only_of(account, reading, queue_ids_of(self._settings, account))
        return msgspec.Raw(msgspec.json.encode(reading))

    def hold(self, arguments: _Arguments, asked_by: str) -> ChangeRecord:
        """Put on hold what waits of ``account``, or ``queue_ids``, with a ``reason``."""
        return self._change(QueueChanges.hold, arguments, asked_by)

    def release(self, arguments: _Arguments, asked_by: str) -> ChangeRecord:
        """Give back to delivery what is on hold."""
        return self._change(QueueChanges.release, arguments, asked_by)

    def delete(self, arguments: _Arguments, asked_by: str) -> ChangeRecord:
        """Keep in an archive, then delete."""
        return self._change(QueueChanges.delete, arguments, asked_by)

    def _change(
        self, change: Callable[[QueueChanges, Messages, str], Changed], arguments: _Arguments, asked_by: str
    ) -> ChangeRecord:
        asked = _asked(_Change, arguments)
        if bool(asked.queue_ids) == (asked.account is not None):
            raise Fault(FaultKind.MALFORMED, "name either an account or queue IDs")
        which = Messages.of(asked.account, asked.queue_ids)
        must_be_root()
        server, archives = self._server(asked.mail_server), archives_of(self._store.path)
        changes = QueueChanges(self._store, server, self._clock, asked_by, archives)
        return change_record(change(changes, which, asked.reason))

    def _server(self, named: str) -> MailServer:
        return mail_server(self._settings, named)

    def _reading(self) -> QueueReading:
        programs = Programs()
        if self._settings.postfix_config:
            listing = programs.answer("postqueue", "-c", self._settings.postfix_config, "-j")
        else:
            found = queue_listing(programs)
            listing = None if found is None else found[1]
        if listing is None:
            raise CouldNotAct(
                "no mail server here lists its queue to the service (tried postqueue -j, exim -bp, mailq)"
            )
        try:
            return read_queue(queue_text(listing), self._clock(), self._zone)
        except MalformedQueue as fault:
            raise CouldNotAct(f"the mail server's listing: {fault}") from fault


def only_of(account: str, reading: QueueReading, queue_ids: set[str] | None) -> QueueReading:
    """Return a listing with an account's messages alone.

    Those of these queue IDs; where they are not known (None) those with the account as envelope sender.
    """
    kept = tuple(
        [
            each
            for each in reading.messages
            if (each.sender.lower() == account if queue_ids is None else each.queue_id in queue_ids)
        ]
    )
    return msgspec.structs.replace(reading, messages=kept, total=len(kept))


def _asked(kind: type[_T], arguments: _Arguments) -> _T:
    try:
        return msgspec.convert(arguments, kind)
    except msgspec.ValidationError as fault:
        raise Fault(FaultKind.MALFORMED, f"no such question: {fault}") from None
