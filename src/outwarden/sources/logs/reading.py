"""The log as it lies in its files, in whatever formats, becomes events.

``MixedLog`` is fed bytes that are cut anywhere, from one file after another, and finds out from the
content of each block which readers it concerns: Postfix, Exim, Sendmail, OpenSMTPD, Exchange message
tracking, login lines, and the journal of systemd with any of these inside.  What no reader takes is counted:
a line with a syslog head is another program's, any other line was not understood.

Promises: it raises nothing, whatever it is fed; each reader's events keep their order; and the events
are the same however the bytes were cut.  Events of different readers are merged by time, so two
that carry the same time may stand either way round.

Each reader has its own ``Stamps``.  A reader takes the lines of a whole block at once, so with shared ones
the next reader would begin at the block's first line again, and the year of a stamp follows
from the stamp before it.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, NamedTuple, Self, cast

from outwarden.events import Event
from outwarden.sources.logs.journald import is_journal, syslog_lines
from outwarden.sources.logs.lines import LineBlocks, SavedLines
from outwarden.sources.logs.logins import LoginLog
from outwarden.sources.logs.reader import LogReader
from outwarden.sources.logs.saved_state import MalformedState, SavedState, opened, sealed
from outwarden.sources.logs.stamps import SavedStamps, Stamps

if TYPE_CHECKING:
    from outwarden.sources.logs.postfix import PostfixLog

# A line without a syslog head: no stamp, or neither of the two words after it is a program's name
# with a colon.  Empty lines and comments are passed over, and so is what syslogd says of itself.
_STRANGE_LINE = re.compile(
    r"\n(?=[^\n#])(?!"
    r"(?:[A-Z][a-z]{2} [ \d]?\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d|@[0-9a-f]{24})[^ \n]*+ "
    r"(?:(?>(?:[^ \n]++(?<!:) )?)[^ \n]++(?<=:)|(?:[^ \n]++ )?(?:-- MARK --|(?:--- )?last message repeated )))"
)
_TAG = re.compile(r"\n(?:\d[^ \n]{18,40}+|[^\n]{15}) [^ \n]++ ([^ \n\[:]++)")
_TAG_OF_A_SERVER = re.compile(r"mail|smtp|exim|sm-|mta|msp|local|queue", re.IGNORECASE)
_MOST_TAGS = 1000
# Formats whose lines have no syslog head where they are written to files of their own.
_HEADLESS = ("exim", "exchange")


class _Format(NamedTuple):
    """How a mail server's lines are recognised, and who reads them.

    A word that the lines cannot do without is looked for first: that costs a tenth of the pattern.
    """

    recognises: Callable[[str], bool]
    begin: Callable[[Stamps], LogReader]


def _postfix() -> _Format:
    from outwarden.sources.logs.postfix import PostfixLog, is_postfix

    return _Format(is_postfix, PostfixLog)


def _exim() -> _Format:
    from outwarden.sources.logs.exim import EximLog, is_exim

    return _Format(is_exim, EximLog)


def _sendmail() -> _Format:
    from outwarden.sources.logs.sendmail import SendmailLog, is_sendmail

    return _Format(lambda text: ("sendmail" in text or " sm-" in text) and is_sendmail(text), SendmailLog)


def _opensmtpd() -> _Format:
    from outwarden.sources.logs.opensmtpd import OpenSmtpdLog, is_opensmtpd

    return _Format(lambda text: " smtpd[" in text and is_opensmtpd(text), OpenSmtpdLog)


def _exchange() -> _Format:
    from outwarden.sources.logs.exchange import ExchangeTrackingLog, is_exchange

    return _Format(is_exchange, lambda _: ExchangeTrackingLog())


# Most sites need one: each is imported when a block first asks for it.
_FORMATS: dict[str, Callable[[], _Format]] = {
    "postfix": _postfix,
    "exim": _exim,
    "sendmail": _sendmail,
    "opensmtpd": _opensmtpd,
    "exchange": _exchange,
}


class _State(SavedState):
    """``readers`` are saved under the names of their formats, in the order they were met."""

    lines: int
    lines_of_other_programs: int
    strange_lines: int
    in_journal: bool
    tags_of_others: list[str]
    blocks: SavedLines
    logins: tuple[SavedStamps, bytes]
    readers: dict[str, tuple[SavedStamps, bytes]]


class MixedLog:
    """Reads a log of any formats.

    ``newest`` is when the file was last written and ``zone`` the zone of stamps without one: see
    ``Stamps``.  Lines are counted when they are complete: ``lines`` all of them, ``lines_not_understood`` those of no
    known form, ``lines_of_other_programs`` syslog lines that no reader takes.
    """

    def __init__(self, newest: datetime, zone: tzinfo = UTC) -> None:
        self.lines = 0
        self.lines_of_other_programs = 0
        self._strange_lines = 0
        self._newest = newest
        self._zone = zone
        self._stamps: list[Stamps] = []
        self._blocks = LineBlocks()
        self._logins = LoginLog(self._own_stamps())
        self._formats: dict[str, _Format] = {}
        self._readers: dict[str, LogReader] = {}
        self._in_journal = False
        # Programs whose syslog lines no format took: not asked about again while nothing else stands there.
        self._tags_of_others: set[str] = set()

    @classmethod
    def restored(cls, saved: bytes, newest: datetime, zone: tzinfo = UTC) -> Self:
        """Return a log that goes on where ``saved`` was taken; ``newest`` is that of the file it goes on in.

        Raises ``MalformedState`` for bytes that this version did not save.
        """
        state = opened(saved, _State)
        log = cls(newest, zone)
        log.lines, log.lines_of_other_programs = state.lines, state.lines_of_other_programs
        log._strange_lines, log._in_journal = state.strange_lines, state.in_journal
        log._tags_of_others = set(state.tags_of_others)
        log._blocks.restore(state.blocks)
        log._logins.restore(state.logins[1])
        for name, (_, reader) in state.readers.items():
            if name not in _FORMATS:
                raise MalformedState(f"no format has the name {name[:40]}")
            log._begin(name).restore(reader)
        for own, (stamps, _) in zip(log._stamps, (state.logins, *state.readers.values()), strict=True):
            own.restore(stamps)
        return log

    def saved(self) -> bytes:
        """Return all that is known of the log so far, for ``restored``.

        Whatever the log is and wherever it was cut: what is restored gives the same events and counts as
        this one would have.
        """
        logins, *readers = [
            (stamps.saved(), reader.saved()) for stamps, reader in zip(self._stamps, self._all_readers(), strict=True)
        ]
        state = _State(
            self.lines, self.lines_of_other_programs, self._strange_lines, self._in_journal,
            sorted(self._tags_of_others), self._blocks.saved(), logins, dict(zip(self._readers, readers, strict=True)),
        )  # fmt: skip
        return sealed(state)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats seen so far, in the order they were met."""
        logins = ("logins",) if self._logins.lines_understood else ()
        return (*self._readers, *logins, *(("journald",) if self._in_journal else ()))

    @property
    def lines_understood(self) -> int:
        """How many lines were a mail server's, of a form that we know."""
        return sum(reader.lines_understood for reader in self._all_readers())

    @property
    def lines_not_understood(self) -> int:
        """How many lines had no form that we know, or were a mail server's of a form we do not know."""
        return self._strange_lines + sum(reader.lines_not_understood for reader in self._all_readers())

    @property
    def lines_cut_off(self) -> int:
        """How many lines were so long that only their beginning was read."""
        return self._blocks.lines_cut_off

    def feed(self, block: bytes) -> list[Event]:
        """Return the events that these bytes complete."""
        return self._read(self._blocks.feed(block))

    def next_file(self, newest: datetime) -> list[Event]:
        """Go on with the next file of the log, last written at ``newest``.

        Returns the events of the last line so far, where it had no newline.
        """
        events = self._read(self._blocks.finish())
        self._newest = newest
        for stamps in self._stamps:
            stamps.next_file(newest)
        return events

    def finish(self) -> list[Event]:
        """Return the events still held back at the end of the log; more may be fed afterwards."""
        events = self._read(self._blocks.finish())
        return _merged([events, *(reader.finish() for reader in self._all_readers())])

    def unknown_lines(self, block: bytes) -> list[str]:
        """Read a block line by line, in place of ``feed``, and return the lines not understood."""
        unknown = []
        for line in self._blocks.feed(block).split("\n")[:-1]:
            before = self.lines_not_understood
            self._read(line + "\n")
            if self.lines_not_understood > before:
                unknown.append(line)
        return unknown

    def _own_stamps(self) -> Stamps:
        stamps = Stamps(self._newest, self._zone)
        self._stamps.append(stamps)
        return stamps

    def _all_readers(self) -> tuple[LogReader, ...]:
        return (self._logins, *self._readers.values())

    def _claimed(self) -> int:
        return sum(reader.lines_understood + reader.lines_not_understood for reader in self._all_readers())

    def _claimed_headless(self) -> int:
        readers = [self._readers[name] for name in _HEADLESS if name in self._readers]
        return sum(reader.lines_understood + reader.lines_not_understood for reader in readers)

    def _read(self, text: str) -> list[Event]:
        if not text:
            return []
        octets = text.encode()
        # Half the time of counting them: what is cut out is found as memchr finds it.
        lines = len(octets) - len(octets.replace(b"\n", b""))
        self.lines += lines
        if is_journal(text):
            self._in_journal = True
            text = syslog_lines(text)
        events = []
        all_claimed = self._claimed() + lines
        headless = self._claimed_headless()
        if self._occurs("postfix", text):
            postfix = cast("PostfixLog", self._readers["postfix"])
            events.append(postfix.feed(text))
            # Most lines are Postfix's: what it leaves makes each further look cheap.
            text = postfix.passed_over
        if text:
            events += self._read_others(text, all_claimed)
        unclaimed = all_claimed - self._claimed()
        if unclaimed > 0:
            self._count(text, unclaimed, self._claimed_headless() - headless)
        return _merged(events)

    def _read_others(self, text: str, all_claimed: int) -> list[list[Event]]:
        """Let the other readers take what Postfix's left.

        Those of formats seen before come first; the others are asked while lines remain that none took.
        """
        events = [reader.feed(text) for name, reader in self._readers.items() if name != "postfix"]
        events.append(self._logins.feed(text))
        if self._claimed() >= all_claimed:
            return events
        tags = _TAG.findall("\n" + text)
        # A tag with a slash is one of Postfix's programs, which no other server has.
        strangers = {tag for tag in tags if "/" not in tag}
        if len(tags) == text.count("\n") and strangers <= self._tags_of_others:
            return events
        found = False
        for name in _FORMATS:
            if name not in self._readers and self._occurs(name, text):
                events.append(self._readers[name].feed(text))
                found = True
        if not found and len(self._tags_of_others) < _MOST_TAGS:
            self._tags_of_others.update(tag for tag in strangers if not _TAG_OF_A_SERVER.search(tag))
        return events

    def _occurs(self, name: str, text: str) -> bool:
        """Return whether a format occurs in the text; if it does, its reader stands ready."""
        occurs = self._format(name).recognises(text)
        if occurs and name not in self._readers:
            self._begin(name)
        return occurs

    def _format(self, name: str) -> _Format:
        if name not in self._formats:
            self._formats[name] = _FORMATS[name]()
        return self._formats[name]

    def _begin(self, name: str) -> LogReader:
        reader = self._readers[name] = self._format(name).begin(self._own_stamps())
        return reader

    def _count(self, text: str, unclaimed: int, headless: int) -> None:
        """Sort the lines that no reader took: another program's, or strange."""
        without_head = len(_STRANGE_LINE.findall("\n" + text))
        strange = min(max(without_head - headless, 0), unclaimed)
        self._strange_lines += strange
        self.lines_of_other_programs += unclaimed - strange


def _merged(parts: list[list[Event]]) -> list[Event]:
    """Join the readers' events by time; those of one reader keep their order."""
    merged: list[Event] = []
    for part in filter(None, parts):
        merged = _two_merged(merged, part) if merged else part
    return merged


def _two_merged(many: list[Event], few: list[Event]) -> list[Event]:
    merged: list[Event] = []
    at = begun = 0
    for event in few:
        while at < len(many) and many[at].at <= event.at:
            at += 1
        merged += many[begun:at]
        merged.append(event)
        begun = at
    return merged + many[begun:]
