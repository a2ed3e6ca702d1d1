"""A service that reads for a year: lines that end a message and never come must not fill its memory."""

# ruff: noqa: E501 (a log line is as long as it is)

from collections.abc import Iterable
from datetime import UTC, datetime

from outwarden.events import AccountKind, Attempted, Event
from outwarden.sources.logs.exim import EximLog
from outwarden.sources.logs.opensmtpd import OpenSmtpdLog
from outwarden.sources.logs.postfix import PostfixLog
from outwarden.sources.logs.reader import LogReader
from outwarden.sources.logs.sendmail import SendmailLog
from outwarden.sources.logs.sendmail import _Message as Message
from outwarden.sources.logs.stamps import Stamps

NEWEST = datetime(2026, 11, 24, tzinfo=UTC)
POSTFIX = "Nov 23 03:12:45 mx1 postfix/"
SENDMAIL = "Nov 23 03:12:45 mx1 sm-mta[5133]: "
OPENSMTPD = "Nov 23 03:12:45 mx1 smtpd[77]: "


def feed(reader: LogReader, lines: Iterable[str]) -> list[Event]:
    return reader.feed("".join(f"{line}\n" for line in lines))


def postfix() -> PostfixLog:
    return PostfixLog(Stamps(NEWEST))


def handed_in(queue_id: str) -> list[str]:
    return [
        f"{POSTFIX}smtpd[1]: {queue_id}: client=pc[192.0.2.7], sasl_username=rosa",
        f"{POSTFIX}cleanup[1]: {queue_id}: info: header Subject: x from pc[192.0.2.7]; from=<r@isp.example>",
        f"{POSTFIX}cleanup[1]: {queue_id}: message-id=<{queue_id}@isp.example>",
    ]


def taken_up(queue_id: str, sender: str = "") -> str:
    return f"{POSTFIX}qmgr[1]: {queue_id}: from=<{sender}>, size=5666, nrcpt=1 (queue active)"


def account_of_delivery(reader: PostfixLog, queue_id: str) -> str:
    (event,) = feed(
        reader, [f"{POSTFIX}smtp[1]: {queue_id}: to=<a@b.example>, relay=none, delay=1, status=deferred (x)"]
    )
    assert isinstance(event, Attempted)
    return event.account


def test_postfix_messages_that_never_end() -> None:
    reader = postfix()
    feed(reader, (taken_up(f"{number:010X}") for number in range(200_001)))
    assert len(reader._messages) == 180_000
    assert account_of_delivery(reader, f"{0:010X}") == ""
    assert account_of_delivery(reader, f"{200_000:010X}") == "<>"


def test_postfix_messages_never_taken_up() -> None:
    reader = postfix()
    feed(reader, (line for number in range(50_001) for line in handed_in(f"{number:010X}")))
    assert {len(reader._handed_in), len(reader._message_ids), len(reader._headers)} == {45_000}
    feed(reader, [taken_up(f"{50_000:010X}", "r@isp.example")])
    assert account_of_delivery(reader, f"{50_000:010X}") == "rosa"


def test_sendmail_messages_that_are_divided_and_never_end() -> None:
    reader = SendmailLog(Stamps(NEWEST))
    head = f"{SENDMAIL}4AN3CjX1005133: "
    feed(
        reader,
        [f"{head}from=<rosa@isp.example>, size=1, class=0, nrcpts=999999999, msgid=<m1@pc>, relay=pc [192.0.2.7]"],
    )
    feed(reader, [f"{head}split: count=9, ids={', '.join(f'{number:010}' for number in range(200_010))}"])
    assert len(reader._open) == 200_000
    assert reader._by_message_id == {}


def test_sendmail_queue_ids_that_come_back_before_their_end() -> None:
    reader = SendmailLog(Stamps(NEWEST))
    for number in range(200_001):
        reader._remember("4AN3CjX1005133", Message("", AccountKind.ADDRESS, "", 1, f"{number}@pc"))
    assert (len(reader._open), len(reader._by_message_id)) == (1, 200_000)


def test_opensmtpd_sessions_that_never_go_on() -> None:
    reader = OpenSmtpdLog(Stamps(NEWEST))
    feed(
        reader,
        (
            f"{OPENSMTPD}{number:016x} smtp message msgid={number:08x} size=1 nrcpt=1 proto=ESMTP"
            for number in range(50_100)
        ),
    )
    assert len(reader._untold) == 50_000


def test_opensmtpd_failures_of_one_sender() -> None:
    reader = OpenSmtpdLog(Stamps(NEWEST))
    for number in range(150):
        begun = [
            f"{number:016x} smtp message msgid={number:08x} size=1 nrcpt=1 proto=ESMTP",
            f'1111111111111111 mta delivery evpid={number:08x}00000001 from=<rosa@isp.example> to=<a@b.example> rcpt=<-> source="192.0.2.25" relay="198.51.100.9 (mx)" delay=1s result="PermFail" stat="550 no"',
        ]
        feed(reader, [OPENSMTPD + text for text in begun])
    (waiting,) = reader._failed.values()
    assert waiting == [f"{number:08x}" for number in range(50, 150)]


def test_exim_deliveries_without_an_arrival() -> None:
    reader = EximLog(Stamps(NEWEST))
    lines = [
        f'2026-11-23 03:12:45 1xVoYw-0003cF-{number:02} >> a@big.example R=dns T=smtp H=mx [198.51.100.9] C="250 OK"'
        for number in range(60)
    ]
    events = feed(reader, lines)
    assert [event.queue_id for event in events if isinstance(event, Attempted)] == [
        f"1xVoYw-0003cF-{number:02}" for number in range(10)
    ]
