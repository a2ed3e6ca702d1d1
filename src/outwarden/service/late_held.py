"""Mail that is put on hold after its pause has ended: a session that was open then goes on by the settings of before.

Nobody wants it held, and nobody would look for it.  So for some minutes after the pause of an account has ended, and as
long as such a session may be there, what it hands in is let go.  Nothing is let go of an account that is paused, held
or blocked again, and nothing that was on hold when the pause ended.
"""

from collections.abc import Callable
from datetime import timedelta

from outwarden.responses.mail_server import MailServer
from outwarden.responses.steps import CouldNotAct
from outwarden.service.acting import Clock, NotAllowed, must_be_root, one_at_a_time
from outwarden.service.mail_servers import mail_server
from outwarden.service.settings import MailServerSettings
from outwarden.store.responses import Response, ResponseKind, ResponseState
from outwarden.store.store import Store

_FOLLOWED_FOR = timedelta(minutes=10)
_WRITTEN_AFTER = timedelta(seconds=2)
"""The end of a pause is written down so long after it was done, at most; later than that a queue was looked through."""
_BY = "outwarden run"


class LateHeld:
    """What pauses of accounts leave on hold after their end, in the queue of one mail server."""

    def __init__(self, store: Store, settings: MailServerSettings, clock: Clock, say: Callable[[str], None]) -> None:
        self._store, self._settings, self._clock, self._say = store, settings, clock, say
        self._followed: set[int] = set()
        self._fault = ""

    def let_go(self) -> None:
        """Let go what was put on hold since the last call, or say once why not.  Raises ``StoreUnusable``."""
        ended = self._store.responses.ended(ResponseKind.PAUSE_ACCOUNT, self._clock() - _FOLLOWED_FOR)
        due = [pause for pause in ended if pause.id not in self._followed]
        if not due:
            return
        try:
            must_be_root()
            server = mail_server(self._settings)
            with one_at_a_time(self._store.path):
                for pause in due:
                    # Asked first: what such a session handed in before it ended is then on hold already.
                    goes_on = server.goes_on_from_before(pause.stands_since)
                    self._release(server, pause)
                    if not goes_on:
                        self._followed.add(pause.id)
        except (CouldNotAct, NotAllowed) as fault:
            if str(fault) != self._fault:
                self._say(f"mail that a pause left on hold after its end is not let go: {fault}")
            self._fault = str(fault)

    def _release(self, server: MailServer, pause: Response) -> None:
        responses = self._store.responses
        if pause.subject in {each.subject.lower() for each in (*responses.standing(), *responses.accounts_standing())}:
            return
        since, before = pause.stands_since - _WRITTEN_AFTER, pause.undo.get("held_before", ())
        late = [
            each.queue_id
            for each in server.queued(pause.subject)
            if each.on_hold and each.is_of(pause.subject) and each.queue_id not in before
            if each.arrived_at is not None and each.arrived_at >= since
        ]
        if not late:
            return
        reason = f"handed in by a session that was open when pause {pause.id} ended"
        # Names the messages, so that one that is not finished is over when the service starts again.
        undo = {"queue_ids": late}
        release = responses.intend(ResponseKind.QUEUE_RELEASE, pause.subject, reason, _BY, undo, None, self._clock())
        for step in server.release(late, flush=True):
            step.take()
        said = f"messages released: {len(late)}"
        responses.turn(release, ResponseState.DONE, self._clock(), said)
        self._say(f"{pause.subject}: {said}, {reason}")
