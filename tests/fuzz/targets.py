"""What is fuzzed: each reader of strangers' text, with lines that it knows.

Lines are those kept in ``lines`` and those of the corpora, so that each new case there makes the fuzzing better.
"""

from binascii import b2a_base64
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from outwarden.detection.live import Judge
from outwarden.detection.replay.joining import Joining
from outwarden.detection.replay.player import Plan, play
from outwarden.events import Event
from outwarden.filter import Accept, AddHeader, Defer, Hold, Refuse
from outwarden.filter.conversation import Conversation, Left, MalformedQuestion, MessageEnded, SenderNamed
from outwarden.filter.milter.conversation import Conversation as MilterConversation
from outwarden.filter.milter.frames import MalformedMilter, frame
from outwarden.filter.policy_delegation.conversation import PolicyConversation
from outwarden.filter.policy_delegation.gathering import Gathering
from outwarden.filter.readsocket.conversation import ReadsocketConversation
from outwarden.filter.rspamd_protocol.conversation import RspamdConversation
from outwarden.service.event_reading import EventReading
from outwarden.service.log_reading import LogSource, NothingUnderstood
from outwarden.service.message_reading import read_message
from outwarden.sources.logs.exchange import ExchangeTrackingLog
from outwarden.sources.logs.exim import EximLog
from outwarden.sources.logs.journald import syslog_lines
from outwarden.sources.logs.logins import LoginLog
from outwarden.sources.logs.opensmtpd import OpenSmtpdLog
from outwarden.sources.logs.postfix import PostfixLog
from outwarden.sources.logs.reader import LogReader
from outwarden.sources.logs.reading import MixedLog
from outwarden.sources.logs.sendmail import SendmailLog
from outwarden.sources.logs.stamps import MalformedStamp, Stamps
from outwarden.sources.message import TextClusters, examine, known_filter_headers
from outwarden.sources.message.mark import MarkKeys, mark, read_mark
from outwarden.sources.refusals import classify
from outwarden.sources.reports import read_report

HERE = Path(__file__).parent
NEWEST = datetime(2026, 11, 24, tzinfo=UTC)

Feed = Callable[[str], object]
"""Takes a block of lines; what it returns may be a list of events."""


class Target(NamedTuple):
    """``begin`` returns a fresh reader's ``feed``; ``lines`` are what it is known to understand."""

    begin: Callable[[], Feed]
    lines: tuple[str, ...]


def _lines_of(name: str) -> tuple[str, ...]:
    """Return the lines that are kept beside this file for the reader, and those of the corpus."""
    paths = [*sorted((HERE / "lines").glob(f"{name}.txt")), *sorted((HERE.parent / "corpus").glob(f"**/{name}/*.in"))]
    lines = [line for path in paths for line in path.read_bytes().decode("utf-8", "backslashreplace").split("\n")]
    return tuple(line for line in dict.fromkeys(lines) if line)


def _reading(begin: Callable[[], LogReader]) -> Callable[[], Feed]:
    """Return a target's ``begin``, whose reader also ends the log now and then."""

    def fresh() -> Feed:
        reader = begin()
        fed = 0

        def feed(block: str) -> list[Event]:
            nonlocal fed
            fed += 1
            return reader.feed(block) + (reader.finish() if fed % 50 == 0 else [])

        return feed

    return fresh


def _mixed() -> Feed:
    log = MixedLog(NEWEST)

    def feed(block: str) -> list[Event]:
        content = block.encode("utf-8", "surrogatepass")
        middle = len(content) // 3
        return log.feed(content[:middle]) + log.feed(content[middle:])

    return feed


def _events() -> Feed:
    """Read, join and play: whatever is an event must be a mail day that can be replayed."""
    joining, fed = Joining(), 0

    def feed(block: str) -> None:
        nonlocal joining, fed
        fed += 1
        content = block.encode("utf-8", "surrogatepass")
        with suppress(NothingUnderstood):
            for events in EventReading([LogSource("", NEWEST, None, lambda _: iter([content]))]).events():
                for event in events:
                    joining.record(event)
        if fed % 50 == 0:
            tape = joining.tape()
            joining = Joining()
            if tape.messages:
                play(tape, Judge(), Plan(learn_days=0.0, desk_minutes=30.0), "")

    return feed


def _stamps() -> Feed:
    stamps = Stamps(NEWEST)

    def feed(block: str) -> None:
        with suppress(MalformedStamp):
            stamps.read(block.removesuffix("\n"))

    return feed


def _milter() -> Feed:
    """Each line is a frame, its first character the command; every tenth block comes as it is, without lengths."""
    conversation, fed = MilterConversation(), 0

    def feed(block: str) -> None:
        nonlocal conversation, fed
        fed += 1
        octets = [line.encode("utf-8", "surrogatepass") for line in block.split("\n") if line]
        whole = b"".join(frame(line[0], line[1:]) for line in octets) if fed % 10 else b"".join(octets)
        try:
            for at in range(0, len(whole), 1 << 16):
                conversation.receive(whole[at : at + (1 << 16)])
                while (happening := conversation.happens()) is not None:
                    if isinstance(happening, SenderNamed | MessageEnded):
                        conversation.answer(Accept())
                conversation.unsent()
        except MalformedMilter:
            conversation = MilterConversation()
            conversation.receive(_OFFER)
            conversation.happens()

    return feed


_OFFER = b"\0\0\0\x0dO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff"


_VERDICTS = (Accept((AddHeader("X-Mark", "a\n\tb"),)), Hold("Case 1"), Defer("Later"), Refuse("No"))


def _door(begin: Callable[[], Conversation], framed: Callable[[str, int], str]) -> Callable[[], Feed]:
    """Return a target's ``begin``: what it hears is ``framed`` as a question, but for every tenth block."""

    def fresh() -> Feed:
        conversation, fed = begin(), 0

        def feed(block: str) -> None:
            nonlocal conversation, fed
            fed += 1
            octets = (framed(block, fed) if fed % 10 else block).encode("utf-8", "surrogatepass")
            try:
                for at in range(0, len(octets), 1 << 16):
                    conversation.receive(octets[at : at + (1 << 16)])
                    while (happening := conversation.happens()) is not None:
                        if isinstance(happening, SenderNamed | MessageEnded):
                            conversation.answer(_VERDICTS[fed % 4])
                        elif isinstance(happening, Left):
                            conversation = begin()
                            break
                    conversation.unsent()
            except MalformedQuestion:
                conversation = begin()

        return feed

    return fresh


def _request_of_postfix(block: str, fed: int) -> str:
    stage = ("RCPT", "END-OF-MESSAGE", "DATA", "MAIL")[fed % 4]
    return f"request=smtpd_access_policy\nprotocol_state={stage}\n{block}\n"


def _request_of_rspamd(block: str, fed: int) -> str:
    """The body is as long as is said."""
    first = ("CHECK RSPAMC/1.3", "POST /checkv2 HTTP/1.1", "GET /ping HTTP/1.0")[fed % 3]
    return f"{first}\r\nContent-Length: 42\r\n{block}\r\nFrom x\nX-Envelope-To: y\nSubject: z\n\nHello\n"


def _messages_of_the_corpus(folder: str = "message") -> tuple[str, ...]:
    """Return whole messages, each octet a letter: they are cut and spliced as lines are."""
    paths = sorted((HERE.parent / "corpus" / folder).glob("*.in"))
    return tuple(path.read_bytes().decode("latin-1") for path in paths)


def _message() -> Feed:
    clusters = TextClusters(most=50)

    def feed(block: str) -> None:
        content = block.encode("latin-1", "replace") if len(block) % 2 else block.encode("utf-8", "surrogatepass")
        clusters.name(examine(content, known_filter_headers()).sketch)

    return feed


_KEYS = MarkKeys([b"k" * 32])
_MARK = mark(_KEYS, "rosa@isp.example", "mx.isp.example", NEWEST, b"twelve bytes")
_MARKED = f"Outwarden-Mark: {_MARK}\nCFBL-Feedback-ID:\n\t{_MARK}\n"


def _marked_messages() -> tuple[str, ...]:
    """Return messages with a mark in the header, returned in a part, and quoted."""
    own = tuple(_MARKED + message for message in _messages_of_the_corpus())
    parts = "Subject: x\nContent-Type: multipart/report; boundary=b\n\n--b\nContent-Type: "
    returned = (
        f"{parts}text/rfc822-headers\n\n{_MARKED}\n--b--\n",
        f"{parts}message/rfc822\nContent-Transfer-Encoding: base64\n\n{b2a_base64(_MARKED.encode()).decode()}\n--b--\n",
        f"{parts}text/html\n\n<pre>&gt; {_MARKED.replace(chr(10), '<br>&gt; ')}</pre>\n--b--\n",
    )
    return (_MARK, _MARKED, *returned, *own)


def _read() -> Feed:
    """A message whose mark is looked for, and a value that may be one."""

    def feed(block: str) -> None:
        content = block.encode("latin-1", "replace") if len(block) % 2 else block.encode("utf-8", "surrogatepass")
        message = read_message("message", content, _KEYS)
        assert message.account in (None, "rosa@isp.example")
        assert read_mark(_KEYS, block) in (None, read_mark(_KEYS, _MARK))

    return feed


def _reports() -> Feed:
    """What a report says can be shown as JSON."""

    def feed(block: str) -> None:
        content = block.encode("latin-1", "replace") if len(block) % 2 else block.encode("utf-8", "surrogatepass")
        msgspec.json.encode(read_report(content))

    return feed


TARGETS = {
    "postfix": Target(_reading(lambda: PostfixLog(Stamps(NEWEST))), _lines_of("postfix")),
    "exim": Target(_reading(lambda: EximLog(Stamps(NEWEST))), _lines_of("exim")),
    "sendmail": Target(_reading(lambda: SendmailLog(Stamps(NEWEST))), _lines_of("sendmail")),
    "opensmtpd": Target(_reading(lambda: OpenSmtpdLog(Stamps(NEWEST))), _lines_of("opensmtpd")),
    "exchange": Target(_reading(ExchangeTrackingLog), _lines_of("exchange")),
    "logins": Target(_reading(lambda: LoginLog(Stamps(NEWEST))), _lines_of("logins")),
    "journald": Target(lambda: syslog_lines, _lines_of("journald")),
    "mixed": Target(_mixed, _lines_of("*")),
    "events": Target(_events, _lines_of("events")),
    "stamps": Target(_stamps, ("Nov 23 03:12:45", "2026-11-23T03:12:45.123456+01:00", "@400000004c91b044077a9e94")),
    "message": Target(_message, _messages_of_the_corpus()),
    "read": Target(_read, _marked_messages()),
    "reports": Target(_reports, _messages_of_the_corpus("reports")),
    "refusals": Target(lambda: classify, _lines_of("refusals")),
    "milter": Target(_milter, _lines_of("milter")),
    "policy": Target(_door(lambda: PolicyConversation(Gathering(5, 2000)), _request_of_postfix), _lines_of("policy")),
    "rspamd": Target(_door(RspamdConversation, _request_of_rspamd), _lines_of("rspamd")),
    "readsocket": Target(_door(ReadsocketConversation, lambda block, _: block), _lines_of("readsocket")),
}
