"""A real Exim, paused by small files that its configuration looks at for each message, without a reload.

The configuration must have been prepared once (``docs/how-to/pause.md``): its macro ``OUTWARDEN_PAUSES`` names the
folder of the files, and routers and an ACL look at them.  Verified afterwards: the files stand as wanted.

Not covered: the queue is listed by envelope sender, as Exim shows no login there; deliveries that are under way end by
themselves.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from outwarden.responses.mail_server import Pauses, Queued
from outwarden.responses.steps import Command, CouldNotAct, KeptLines, Step, is_here
from outwarden.sources.queue.exim_bp import read_exim_bp
from outwarden.sources.queue.reading import MalformedQueue

_PROGRAMS = ("exim4", "exim")
_MACRO = "OUTWARDEN_PAUSES"
_AT_ONCE = 500


class Exim:
    """The Exim of this machine."""

    name = "exim"

    def __init__(self) -> None:
        """Ask it for the folder.  Raises ``CouldNotAct`` where it was not prepared."""
        self._program = next((program for program in _PROGRAMS if is_here(program)), _PROGRAMS[0])
        try:
            said = Command((self._program, "-bP", "macro", _MACRO)).answer().decode("utf-8", "replace").strip()
        except CouldNotAct as fault:
            raise CouldNotAct(f"Exim is not prepared for pauses, or you are not root: {fault}") from None
        self._folder = Path(said.rpartition("=")[2].strip())
        if not self._folder.is_absolute() or not self._folder.is_dir():
            raise CouldNotAct(f"Exim's {_MACRO} names no folder: {said[:100]!r}; make it, readable for Exim's user")

    @staticmethod
    def installed() -> bool:
        """Return whether there is an Exim here."""
        return any(map(is_here, _PROGRAMS))

    def undo_of_pause(self) -> Mapping[str, Sequence[str]]:
        """Return nothing: the file is taken away again."""
        return {}

    def steps(self, wanted: Pauses, flush: bool) -> list[Step]:
        """Return what brings it from any state of ours to this one."""
        steps: list[Step] = list(self._files(wanted))
        if flush:
            # Without "ff" what was put off waits for its retry time.
            steps.append(Command((self._program, "-qff"), waits=False))
        return steps

    def apply(self, wanted: Pauses, flush: bool) -> list[str]:
        """Take the steps and verify.  Raises ``CouldNotAct``."""
        for step in self.steps(wanted, flush):
            step.take()
        for file in self._files(wanted):
            if not _stands(file):
                raise CouldNotAct(f"{file.file} is not what was written; somebody else changes it")
        return []

    def goes_on_from_before(self, moment: datetime) -> bool:
        """Return False: the files are looked at for each message."""
        del moment
        return False

    def queued(self, account: str | None = None) -> list[Queued]:
        """Return what waits, whosever it is.  Raises ``CouldNotAct``."""
        text = Command((self._program, "-bp")).answer().decode("utf-8", "backslashreplace")
        try:
            messages = read_exim_bp(text, datetime.now(UTC)).messages
        except MalformedQueue as fault:
            raise CouldNotAct(str(fault)) from None
        return [
            Queued(
                message.queue_id,
                message.queue == "frozen",
                message.size,
                message.sender,
                None,
                tuple(address for address, _ in message.recipients),
            )
            for message in messages
        ]

    def on_hold(self, known: Mapping[str, Queued]) -> dict[str, Queued]:
        """Return what is frozen.  Raises ``CouldNotAct``."""
        del known  # The listing has it all anyway.
        return {message.queue_id: message for message in self.queued() if message.on_hold}

    def hold(self, queue_ids: Sequence[str]) -> list[Step]:
        """Return the steps that freeze messages."""
        return self._each("-Mf", queue_ids)

    def release(self, queue_ids: Sequence[str], flush: bool) -> list[Step]:
        """Return the steps that thaw messages; ``flush``: and try them at once."""
        tried = [Command((self._program, "-M", *part), waits=False) for part in _parts(queue_ids) if flush]
        return [*self._each("-Mt", queue_ids), *tried]

    def delete(self, queue_ids: Sequence[str]) -> list[Step]:
        """Return the steps that delete messages."""
        return self._each("-Mrm", queue_ids)

    def message(self, queue_id: str) -> bytes:
        """Return its envelope and header, then the message.  Raises ``CouldNotAct``."""
        envelope = Command((self._program, "-Mvh", queue_id)).answer()
        return envelope + b"\n" + Command((self._program, "-Mvc", queue_id)).answer()

    def _files(self, wanted: Pauses) -> list[KeptLines]:
        accounts = [f"{account}: {number}" for account, number in sorted(wanted.accounts.items())]
        # A file that is not there would be an error of the look-up: an empty one says no to everything.
        return [
            KeptLines(self._folder / "all", [] if wanted.whole_server else None),
            KeptLines(self._folder / "accounts", accounts),
            KeptLines(self._folder / "destinations", [f"{domain}: paused" for domain in sorted(wanted.destinations)]),
        ]

    def _each(self, option: str, queue_ids: Sequence[str]) -> list[Step]:
        return [Command((self._program, option, *part)) for part in _parts(queue_ids)]


def _parts(queue_ids: Sequence[str]) -> list[Sequence[str]]:
    return [queue_ids[start : start + _AT_ONCE] for start in range(0, len(queue_ids), _AT_ONCE)]


def _stands(file: KeptLines) -> bool:
    if file.lines is None:
        return not file.file.exists()
    return file.file.exists() and file.file.read_text(encoding="utf-8").splitlines() == list(file.lines)
