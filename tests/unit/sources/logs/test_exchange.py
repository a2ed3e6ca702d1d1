"""Exchange's tracking log as events: one submission per message, one attempt per recipient."""

import json
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outwarden.events import AccountKind, Attempted, BounceReturned, Event, Outcome, RefusalClass, Submitted
from outwarden.sources.logs.exchange import ExchangeTrackingLog, is_exchange
from outwarden.sources.logs.exchange_rows import reply_of

CORPUS = sorted((Path(__file__).parents[3] / "corpus" / "logs" / "exchange").glob("*.in"))
FIELDS = (
    "date-time client-ip client-hostname server-ip server-hostname source-context connector-id source event-id"
    " message-id network-message-id recipient-address recipient-status total-bytes recipient-count"
    " reference message-subject sender-address return-path message-info original-client-ip"
).split()
MESSAGE = {
    "date-time": "2026-11-23T03:12:45.123Z",
    "message-id": "<m@isp.example>",
    "network-message-id": "n1",
    "recipient-address": "a@big.example",
    "recipient-count": "1",
    "sender-address": "rosa@isp.example",
    "return-path": "rosa@isp.example",
}
SUBMISSION = MESSAGE | {"source": "STOREDRIVER", "event-id": "RECEIVE", "server-hostname": "EX1"}
FAILURE = MESSAGE | {"source": "SMTP", "event-id": "FAIL", "recipient-status": "550 5.1.1 User unknown"}
NOTICE = MESSAGE | {
    "source": "DSN", "event-id": "DSN", "message-id": "<dsn@isp.example>", "network-message-id": "n2",
    "reference": "<m@isp.example>", "return-path": "<>", "recipient-address": "rosa@isp.example",
}  # fmt: skip


def line(row: Mapping[str, str], fields: list[str] = FIELDS) -> str:
    quoted = (row.get(field, "").replace('"', '""') for field in fields)
    return ",".join(f'"{text}"' if "," in text or '"' in text else text for text in quoted) + "\r\n"


def log_of(*rows: Mapping[str, str], fields: list[str] = FIELDS) -> str:
    return f"#Software: Microsoft Exchange Server\r\n#Fields: {','.join(fields)}\r\n" + "".join(
        line(row, fields) for row in rows
    )


def read(text: str) -> tuple[ExchangeTrackingLog, list[Event]]:
    log = ExchangeTrackingLog()
    return log, log.feed(text) + log.finish()


def events_of(*rows: Mapping[str, str]) -> list[Event]:
    log, events = read(log_of(*rows))
    assert log.lines_not_understood == 0
    return events


def attempts_of(*rows: Mapping[str, str]) -> list[Attempted]:
    return [event for event in events_of(*rows) if isinstance(event, Attempted)]


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.stem)
def test_corpus(case: Path) -> None:
    log, events = read(case.read_bytes().decode())
    expected = json.loads(case.with_suffix(".expected.json").read_text())
    rows = json.loads(msgspec.json.encode(events))
    for row in rows:
        del row["line"]
    assert rows == expected["events"]
    assert log.lines_understood == expected["lines_understood"]
    assert log.lines_not_understood == expected["lines_not_understood"]


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.stem)
@pytest.mark.parametrize("lines_at_once", [1, 3])
def test_corpus_is_the_same_however_it_is_cut(case: Path, lines_at_once: int) -> None:
    text = case.read_bytes().decode()
    lines = [one + "\n" for one in text.removesuffix("\n").split("\n")]
    log = ExchangeTrackingLog()
    events: list[Event] = []
    for start in range(0, len(lines), lines_at_once):
        events += log.feed("".join(lines[start : start + lines_at_once]))
    assert events + log.finish() == read(text)[1]


OTHER_LOG = "#Software: Microsoft Exchange Server\n#Fields: date-time,connector-id,session-id\n"
RECOGNISED = [
    ("log", log_of(SUBMISSION), True),
    ("log with a byte order mark", "\ufeff" + log_of(SUBMISSION), True),
    ("export", '#TYPE X\r\n"Timestamp","EventId","Source","Sender"\r\n', True),
    ("header in the middle of others' lines", "Jan 15 00:30:10 mx postfix/qmgr[1]: x\n" + log_of(), True),
    ("another log of Exchange", OTHER_LOG, False),
    ("a subject that talks of it", "Jan 15 00:30:10 mx x[1]: subject EventId,Timestamp,Sender\n", False),
    ("nothing", "", False),
]


@pytest.mark.parametrize(("name", "text", "expected"), RECOGNISED, ids=[name for name, *_ in RECOGNISED])
def test_is_exchange(name: str, text: str, expected: bool) -> None:
    assert is_exchange(text) is expected


SUBMITTERS = [
    ("mailbox", {"source": "STOREDRIVER", "client-ip": "fe80::1%3", "original-client-ip": "198.51.100.7"},
     ("rosa@isp.example", AccountKind.LOGIN, "198.51.100.7")),
    ("mailbox that sends for another", {"source": "STOREDRIVER", "return-path": "info@isp.example"},
     ("rosa@isp.example", AccountKind.LOGIN, None)),
    ("mailbox, seen by transport only", {"source": "SMTP", "message-info": "04I: ", "client-ip": "192.0.2.10"},
     ("rosa@isp.example", AccountKind.LOGIN, None)),
    ("SMTP AUTH", {"source": "SMTP", "message-info": "06I: ", "client-ip": "203.0.113.77"},
     ("rosa@isp.example", AccountKind.LOGIN, "203.0.113.77")),
    ("NTLM, proxied",
     {"source": "SMTP", "message-info": "0aI: ", "client-ip": "192.0.2.10", "original-client-ip": "203.0.113.7"},
     ("rosa@isp.example", AccountKind.LOGIN, "203.0.113.7")),
    ("a login that was taken as anonymous", {"source": "SMTP", "message-info": "07A: "},
     ("rosa@isp.example", AccountKind.ADDRESS, None)),
    ("trusted by its address", {"source": "SMTP", "message-info": "10I: ", "client-ip": "192.0.2.80"},
     ("rosa@isp.example", AccountKind.ADDRESS, "192.0.2.80")),
    ("from outside", {"source": "SMTP", "message-info": "00A: NTS:", "return-path": "Eve@Else.EXAMPLE"},
     ("Eve@else.example", AccountKind.ADDRESS, None)),
    ("pickup folder", {"source": "PICKUP", "message-info": "08I: "}, ("rosa@isp.example", AccountKind.LOCAL, None)),
    ("a bounce from outside", {"source": "SMTP", "message-info": "00A: ", "return-path": "<>"},
     ("<>", AccountKind.NULL, None)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "row", "expected"), SUBMITTERS, ids=[name for name, *_ in SUBMITTERS])
def test_who_submitted(name: str, row: dict[str, str], expected: tuple[str, AccountKind, str | None]) -> None:
    (event,) = events_of(SUBMISSION | row)
    assert isinstance(event, Submitted)
    assert (event.account, event.kind, event.client_address) == expected


def test_one_message_is_submitted_once_whoever_logs_it_and_in_whatever_order() -> None:
    by_transport = SUBMISSION | {"source": "SMTP", "message-info": "04I: "}
    for first, second in ((SUBMISSION, by_transport), (by_transport, SUBMISSION)):
        events = events_of(first, SUBMISSION | {"event-id": "SUBMIT"}, second)
        assert [type(event) for event in events] == [Submitted]
        assert isinstance(events[0], Submitted)
        assert events[0].kind is AccountKind.LOGIN


def test_a_forged_message_id_joins_nothing_where_there_is_a_network_message_id() -> None:
    events = events_of(*(SUBMISSION | {"network-message-id": f"n{index}"} for index in range(5)))
    assert len(events) == 5


HOPS = [
    ("to the world", {"event-id": "SENDEXTERNAL", "connector-id": "Internet"}, [True]),
    ("to the world, as before Exchange 2013", {"event-id": "SEND", "connector-id": "Internet"}, [True]),
    ("to a server of our own", {"event-id": "SEND", "connector-id": "Intra-Organization SMTP Send Connector"}, []),
    ("to the mailbox service", {"event-id": "SEND", "connector-id": ""}, []),
    ("into a mailbox", {"event-id": "DELIVER", "source": "STOREDRIVER"}, [False]),
]


@pytest.mark.parametrize(("name", "row", "expected"), HOPS, ids=[name for name, *_ in HOPS])
def test_what_is_a_delivery(name: str, row: dict[str, str], expected: list[bool]) -> None:
    delivered = attempts_of(MESSAGE | {"source": "SMTP", "recipient-status": "250 2.1.5 Recipient OK"} | row)
    assert [attempt.outbound for attempt in delivered] == expected
    assert all(attempt.outcome is Outcome.DELIVERED for attempt in delivered)


STATUSES = [
    ("one each", "550 5.1.1 User unknown;552 5.2.2 over quota", ["550 5.1.1 User unknown", "552 5.2.2 over quota"]),
    ("semicolons inside", "550 4.4.7 QUEUE.Expired;message expired;550 5.1.1 R; no such user",
     ["550 4.4.7 QUEUE.Expired;message expired", "550 5.1.1 R; no such user"]),
    ("bracketed",
     "[{LED=550 5.1.1 a; b};{MSG=};{FQDN=m};{IP=192.0.2.1};{LRT=}];[{LED=421 4.7.0 c [x]};{MSG=};{FQDN=};{IP=};{LRT=}]",
     ["550 5.1.1 a; b", "421 4.7.0 c [x]"]),
    ("one for both", "550 5.7.1 refused", ["550 5.7.1 refused", "550 5.7.1 refused"]),
    ("a bracket that never closes", "[{LED=550 5.7.1 refused", ["550 5.7.1 refused", "550 5.7.1 refused"]),
    ("none", "", ["", ""]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "status", "expected"), STATUSES, ids=[name for name, *_ in STATUSES])
def test_each_recipient_gets_its_own_status(name: str, status: str, expected: list[str]) -> None:
    attempts = attempts_of(FAILURE | {"recipient-address": "a@big.example;b@big.example", "recipient-status": status})
    assert [attempt.reply for attempt in attempts] == expected


def test_a_wrapped_reply_is_the_remotes_own_words() -> None:
    words = "451 4.4.395 Target host responded with error. -> 421 4.7.28 unusual rate"
    wrapped = f"[{{LED={words}}};{{MSG=}};{{FQDN=}};{{IP=}};{{LRT=}}]"
    assert reply_of(wrapped) == "421 4.7.28 unusual rate"


def test_a_refusal_is_classed_and_names_its_list() -> None:
    text = "554 5.7.1 Client host [192.0.2.10] blocked using zen.spamhaus.org"
    (attempt,) = attempts_of(FAILURE | {"recipient-status": text})
    assert (attempt.outcome, attempt.refusal_class) == (Outcome.BOUNCED, RefusalClass.ADDRESS_BLOCKLISTED)
    assert (attempt.listing, attempt.listed, attempt.status) == ("spamhaus-zen", "192.0.2.10", "5.7.1")


@pytest.mark.parametrize("rows", [(SUBMISSION, FAILURE, NOTICE), (SUBMISSION, NOTICE, FAILURE)])
def test_a_notice_about_a_failure_is_a_bounce_of_the_submitter(rows: tuple[dict[str, str], ...]) -> None:
    (bounce,) = (event for event in events_of(*rows) if isinstance(event, BounceReturned))
    assert (bounce.queue_id, bounce.account, bounce.kind) == ("n1", "rosa@isp.example", AccountKind.LOGIN)
    assert bounce.notification_queue_id == "n2"


def test_a_notice_about_a_delay_is_no_bounce() -> None:
    deferral = FAILURE | {"event-id": "DEFER", "recipient-status": "451 4.7.0 try later"}
    assert not [event for event in events_of(SUBMISSION, deferral, NOTICE) if isinstance(event, BounceReturned)]


def test_a_log_that_begins_in_the_middle_of_a_message_still_names_its_sender() -> None:
    (attempt,) = attempts_of(FAILURE)
    assert (attempt.account, attempt.kind) == ("rosa@isp.example", AccountKind.ADDRESS)


NOT_UNDERSTOOD = [
    ("cut off", line(SUBMISSION)[:60] + "\n"),
    ("a quote that never ends", line(SUBMISSION).replace("rosa", '"rosa', 1)),
    ("an event nobody described", line(SUBMISSION | {"event-id": "FLYSWATTER"})),
    ("no such day", line(SUBMISSION | {"date-time": "2026-02-30T03:12:45.123Z"})),
    ("a delivery to nobody", line(MESSAGE | {"event-id": "DELIVER", "recipient-address": ""})),
]


@pytest.mark.parametrize(("name", "strange"), NOT_UNDERSTOOD, ids=[name for name, _ in NOT_UNDERSTOOD])
def test_what_is_not_understood_is_counted_and_harms_no_neighbour(name: str, strange: str) -> None:
    log, events = read(log_of(SUBMISSION) + strange + line(SUBMISSION | {"network-message-id": "n9"}))
    assert log.lines_not_understood == 1
    assert len(events) == 2


def test_lines_of_others_are_passed_over() -> None:
    log, _ = read(log_of(SUBMISSION) + "2026-01-15T00:30:10.123456+00:00 mx postfix/qmgr[1]: A1B2C3D4E5: removed\n\n")
    assert (log.lines_understood, log.lines_not_understood) == (3, 0)


def test_a_record_that_never_ends_is_given_up() -> None:
    head = '"Timestamp","EventId","Source","Sender"\n'
    log, _ = read(head + '"2026-11-23T03:12:45Z","RECEIVE","SMTP","x\n' + "still open\n" * 200)
    assert log.lines_not_understood >= 50


PIECES = [*'#,";[]{}=\r\n\ufeff', "LED=", "[{", "}]", "FAIL", line(SUBMISSION), log_of()]


@given(st.lists(st.sampled_from(PIECES)).map("".join))
def test_hostile_text_raises_nothing(text: str) -> None:
    is_exchange(text)
    read(text)
    read(log_of() + text)


@given(st.dictionaries(st.sampled_from(FIELDS), st.text()))
def test_hostile_fields_raise_nothing_and_are_counted(row: dict[str, str]) -> None:
    read(log_of(MESSAGE | row))


@pytest.mark.parametrize("piece", [";", "[{", "}]", "[{LED=", "x", '"', "a@b.example;", "550 5.1.1 x;"])
def test_a_long_hostile_field_is_read_in_one_pass(piece: str) -> None:
    # A quadratic pass over half a megabyte takes minutes, which no run of these tests survives.
    text = piece * (500_000 // len(piece))
    for field in ("recipient-status", "recipient-address", "source-context", "return-path"):
        log, _ = read(log_of(FAILURE | {field: text}, FAILURE))
        assert log.lines_understood >= 3
