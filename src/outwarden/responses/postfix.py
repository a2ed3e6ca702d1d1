"""A real Postfix, paused and resumed, its queue held, released and deleted, by its own commands.

The settings are those of ``postfix_settings``; main.cf is back-dated before each reload, for which Postfix would
otherwise wait two seconds.  Verified afterwards: the settings stand as wanted, the queue manager of before is gone, and
no message is under way.

Not covered:

- mail that leaves by a transport that is no smtp(8) and is not the default one;
- mail for which the site's own maps name a transport, while somebody flushes the queue (``postqueue -f``), which
  Postfix lets go past ``defer_transports``;
- SMTP sessions that were open before an account was paused: they go on by the old settings, and are counted.  Those
  that were open when the pause ended put mail on hold that nobody wants held: ``service.late_held`` lets it go.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from outwarden.responses.mail_server import Pauses, Queued
from outwarden.responses.postfix_processes import Processes, wait_while
from outwarden.responses.postfix_settings import PARAMETERS, PAUSED, REPLACED, names, wanted_settings
from outwarden.responses.postfix_spool import on_hold, queued
from outwarden.responses.steps import BackDate, Command, CouldNotAct, HangUp, Step, is_here

_HEARD_SECONDS = 5.0
_FINISH_SECONDS = 0.1
"""What is under way has so long to end by itself before it is ended, when the whole server is paused."""
_MOST_ASKED_FOR = 50
"""So many messages are asked for one by one; for more of them the whole queue is tried."""
_ELSEWHERE = frozenset({"local", "virtual", "error", "retry", "discard"})


class Postfix:
    """One instance; ``config_directory`` None is Postfix's own default."""

    name = "postfix"

    def __init__(self, config_directory: Path | None = None) -> None:
        """Ask it where things are.  Raises ``CouldNotAct``."""
        self._config = config_directory
        places = self._ask("-x", "-h", "config_directory", "queue_directory").splitlines()
        if len(places) != 2:
            raise CouldNotAct("postconf: does not say where its configuration and its queue are")
        self._main = Path(places[0]) / "main.cf"
        self._queue = Path(places[1])
        self._processes = Processes(self._queue)

    @staticmethod
    def installed() -> bool:
        """Return whether there is a Postfix here."""
        return is_here("postconf") and is_here("postsuper")

    def undo_of_pause(self) -> Mapping[str, Sequence[str]]:
        """Return the transports that a pause of the whole server will add, and the settings that it will replace."""
        current = self._settings()
        deferred = names(current["defer_transports"])
        replaced = {name: [current[name]] for name in REPLACED if current[name] not in ("", PAUSED)}
        return {"transports": [name for name in self._leaving() if name not in deferred], **replaced}

    def steps(self, wanted: Pauses, flush: bool) -> list[Step]:
        """Return what brings it from any state of ours to this one."""
        current = self._settings()
        target = wanted_settings(current, wanted)
        changed = {name: value for name, value in target.items() if value != current[name]}
        written = [f"{name}={value}" for name, value in changed.items() if value]
        # Empty is what was not set, so main.cf is left as it was before.
        removed = [name for name, value in changed.items() if not value]
        steps: list[Step] = []
        if written:
            steps.append(self._command("postconf", "-e", *written))
        if removed:
            steps.append(self._command("postconf", "-X", *removed))
        # Also where nothing changed: whoever changed it may have been killed before the master heard of it.
        if (reload := self._reload()) is not None:
            steps += [BackDate(self._main), reload]
            steps += self._flush() if flush else []
        return steps

    def _reload(self) -> Step | None:
        """Return what makes a Postfix at work read its settings.

        The signal that ``postfix reload`` ends with: that command looks through the whole active queue before it, and
        through all queues after it, which takes longer than a brake may, and the longer the more is queued.
        """
        if not self._processes.can_be_seen():
            return self._command("postfix", "reload")
        master = self._processes.master()
        return None if master is None else HangUp(master)

    def apply(self, wanted: Pauses, flush: bool) -> list[str]:
        """Take the steps and verify; returns what there is to say.  Raises ``CouldNotAct``."""
        managers = self._processes.of("qmgr", "oqmgr")
        sessions = self._processes.of("smtpd")
        for step in self.steps(wanted, flush=False):
            step.take()
        current = self._settings()
        if wanted_settings(current, wanted) != current:
            raise CouldNotAct(f"{self._main}: the settings are not what was written; somebody else changes them")
        if not self._processes.can_be_seen():
            for step in self._flush() if flush else []:
                step.take()
            return ["not verified that Postfix has heard of it: this system does not show processes"]
        if self._processes.master() is None:
            return ["Postfix is not running; it holds from its next start"]
        if not wait_while(lambda: managers & self._processes.of("qmgr", "oqmgr"), _HEARD_SECONDS):
            raise CouldNotAct("Postfix has not heard of it; see its log")
        if not flush:
            return self._settled(wanted, names(current["defer_transports"]), sessions)
        for step in self._flush():
            # Only now: the queue manager of before would take the wish for delivery with it.
            step.take()
        return []

    def goes_on_from_before(self, moment: datetime) -> bool:
        """Return whether an SMTP server of before is still at work; it read its settings when it started."""
        return bool(self._processes.from_before(moment, "smtpd"))

    def queued(self, account: str | None = None) -> list[Queued]:
        """Return what waits, each with its login; ``account``: only what may be of it.  Raises ``CouldNotAct``."""
        return queued(self._queue, account)

    def on_hold(self, known: Mapping[str, Queued]) -> dict[str, Queued]:
        """Return what is on hold, each with its login and all its recipients counted.  Raises ``CouldNotAct``."""
        return on_hold(self._queue, known)

    def hold(self, queue_ids: Sequence[str]) -> list[Step]:
        """Return the step that puts messages on hold."""
        return [self._command("postsuper", "-h", "-", lines=queue_ids)]

    def release(self, queue_ids: Sequence[str], flush: bool) -> list[Step]:
        """Return the steps that give messages back to delivery; without ``flush`` it takes them up within minutes."""
        given_back = self._command("postsuper", "-H", "-", lines=queue_ids)
        if not flush:
            return [given_back]
        if len(queue_ids) > _MOST_ASKED_FOR:
            return [given_back, *self._flush()]
        # Not the whole queue for a few of them.
        return [given_back, *(self._command("postqueue", "-i", queue_id) for queue_id in queue_ids)]

    def delete(self, queue_ids: Sequence[str]) -> list[Step]:
        """Return the step that deletes messages that are on hold; others of the same ID stay."""
        return [self._command("postsuper", "-d", "-", "hold", lines=queue_ids)]

    def message(self, queue_id: str) -> bytes:
        """Return envelope and message as postcat(1) shows them.  Raises ``CouldNotAct``."""
        return self._command("postcat", "-q", queue_id).answer()

    def _settled(self, wanted: Pauses, deferred: list[str], sessions: set[int]) -> list[str]:
        """Wait for what is under way, a moment; end it where the whole server is to be silent."""
        said = []
        if wanted.whole_server or wanted.destinations:
            # What is deferred now is what we have just paused: no need to ask again.
            leaving = deferred if wanted.whole_server else self._leaving()
            if not self._processes.quiet(leaving, _FINISH_SECONDS):
                if wanted.whole_server:
                    ended = self._processes.end(leaving)
                    self._processes.quiet(leaving, _HEARD_SECONDS)
                    said.append(f"deliveries ended in the middle of their message, which is queued: {ended}")
                elif under_way := len(self._processes.delivering(leaving)):
                    said.append(f"deliveries that were under way, wherever to: {under_way}")
        open_before = sessions & self._processes.of("smtpd")
        if wanted.accounts and open_before:
            said.append(
                f"SMTP sessions that were open before: {len(open_before)}; what they still hand in is not held. "
                "Repeat it in a minute"
            )
        return said

    def _flush(self) -> list[Step]:
        return [self._command("postqueue", "-f")]

    def _leaving(self) -> list[str]:
        """Return the transports by which mail leaves this machine: SMTP clients that are no way into a filter."""
        filters = {_transport(self._ask("-x", "-h", "content_filter"))}
        for line in self._ask("-P").splitlines():
            service, _, value = line.partition(" = ")
            if service.endswith("/content_filter"):
                filters.add(_transport(value))
        clients = [columns[0] for columns in map(str.split, self._ask("-M").splitlines()) if _is_client(columns)]
        defaults = map(_transport, self._ask("-x", "-h", "default_transport", "relay_transport").splitlines())
        others = [name for name in defaults if name and name not in _ELSEWHERE and f"{name}:" != PAUSED]
        return [name for name in dict.fromkeys([*clients, *others]) if name not in filters]

    def _settings(self) -> dict[str, str]:
        found = dict.fromkeys(PARAMETERS, "")
        # Only what main.cf says itself: what it does not say must not stand in it afterwards.
        for line in self._ask("-n", *PARAMETERS).splitlines():
            name, _, value = line.partition("=")
            if name.strip() in found:
                found[name.strip()] = value.strip()
        return found

    def _ask(self, *arguments: str) -> str:
        return self._command("postconf", *arguments).answer().decode("utf-8", "surrogateescape")

    def _command(self, program: str, *arguments: str, lines: Sequence[str] = ()) -> Command:
        instance = () if self._config is None else ("-c", str(self._config))
        return Command((program, *instance, *arguments), tuple(lines))


def _is_client(columns: list[str]) -> bool:
    """Return whether a line of master.cf is an SMTP client: name, type, five settings, program."""
    return len(columns) > 7 and columns[1] == "unix" and columns[7] == "smtp"


def _transport(value: str) -> str:
    """Return the transport of ``transport:nexthop``."""
    return value.strip().partition(":")[0]
