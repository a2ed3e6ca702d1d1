"""Postfix's stories, as events and as counts; both must agree, however the log is cut."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.sources.logs.postfix_stories import LOGIN, MX, SENT, STORIES, Story, text_of

from outwarden.events import AccountKind, Attempted, BounceReturned, Event, Outcome, RefusalClass, Submitted
from outwarden.sources.logs.account_table import AccountCounts, AccountTable, network_of
from outwarden.sources.logs.postfix import PostfixLog
from outwarden.sources.logs.postfix_counts import PostfixCounts
from outwarden.sources.logs.stamps import Stamps

NEWEST = datetime(2026, 2, 1, tzinfo=UTC)
WHOLE_DAY = "".join(text_of(story).replace("91855D", f"91855{index:X}") for index, story in enumerate(STORIES))


def events_of(blocks: Iterable[str]) -> list[Event]:
    log = PostfixLog(Stamps(NEWEST))
    return [event for block in blocks for event in log.feed(block)] + log.finish()


def rows_of(table: Iterable[AccountCounts]) -> frozenset[str]:
    return frozenset(
        f"{row.account} {row.kind}: {row.messages} {row.recipients} {row.delivered} {row.deferred_attempts} "
        f"{row.bounced} {row.expired} {row.bounces_returned}"
        for row in table
        if row.messages or row.delivered or row.expired
    )


def table_of(events: Iterable[Event]) -> AccountTable:
    table = AccountTable()
    for event in events:
        table.add(event)
    return table


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
@pytest.mark.parametrize("stamp", ["Jan 15 00:30:{:02}", "2026-01-15T00:30:{:02}.123456+00:00"])
def test_story_as_events(story: Story, stamp: str) -> None:
    assert rows_of(table_of(events_of([text_of(story, stamp)]))) == story.rows


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_story_as_counts(story: Story) -> None:
    counts = PostfixCounts()
    counts.feed(text_of(story).encode())
    assert rows_of(counts.finish()) == story.rows


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_story_cut_into_parts_counted_side_by_side(story: Story) -> None:
    lines = text_of(story).encode().splitlines(keepends=True)
    for cut in range(len(lines)):
        first, second = PostfixCounts(), PostfixCounts(put_aside=True)
        first.feed(b"".join(lines[:cut]))
        second.feed(b"".join(lines[cut:]))
        first.follow_with(second)
        assert rows_of(first.finish()) == story.rows, cut


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_story_cut_into_three_parts(story: Story) -> None:
    lines = text_of(story).encode().splitlines(keepends=True)
    for cut, other in combinations(range(len(lines)), 2):
        parts = [PostfixCounts(put_aside=index > 0) for index in range(3)]
        for part, chosen in zip(parts, (lines[:cut], lines[cut:other], lines[other:]), strict=True):
            part.feed(b"".join(chosen))
        parts[0].follow_with(parts[1])
        parts[0].follow_with(parts[2])
        assert rows_of(parts[0].finish()) == story.rows, (cut, other)


@given(st.sets(st.integers(1, WHOLE_DAY.count("\n") - 1)))
@settings(max_examples=40, deadline=None)
def test_blocks_of_any_lines_give_the_same_events(cuts: set[int]) -> None:
    lines = WHOLE_DAY.splitlines(keepends=True)
    edges = [0, *sorted(cuts), len(lines)]
    blocks = ["".join(lines[a:b]) for a, b in pairwise(edges)]
    assert events_of(blocks) == events_of([WHOLE_DAY])


@given(st.integers(1, WHOLE_DAY.count("\n") - 1), st.integers(1, WHOLE_DAY.count("\n") - 1))
@settings(max_examples=40, deadline=None)
def test_three_parts_are_counted_as_one(one: int, other: int) -> None:
    lines = WHOLE_DAY.encode().splitlines(keepends=True)
    first, second = sorted((one, other))
    parts = [PostfixCounts(put_aside=index > 0) for index in range(3)]
    for part, chosen in zip(parts, (lines[:first], lines[first:second], lines[second:]), strict=True):
        part.feed(b"".join(chosen))
    parts[0].follow_with(parts[1])
    parts[0].follow_with(parts[2])
    assert rows_of(parts[0].finish()) == rows_of(table_of(events_of([WHOLE_DAY])))


def test_all_fields_of_a_submission_and_its_attempts() -> None:
    log = (
        f"Jan 15 00:30:01 mx1 postfix/submission/smtpd[7]: 4AA091855D: {LOGIN}rosa@isp.example\n"
        "Jan 15 00:30:01 mx1 postfix/cleanup[8]: 4AA091855D: message-id=<1@isp.example>\n"
        "Jan 15 00:30:01 mx1 postfix/cleanup[8]: 4AA091855D: warning: header Subject: cheap from here "
        "from p1.example[198.51.100.7]; from=<rosa@isp.example> to=<a@far.example> proto=ESMTP helo=<p1>\n"
        "Jan 15 00:30:02 mx1 postfix/qmgr[9]: 4AA091855D: from=<rosa@isp.example>, size=900, nrcpt=1 (queue active)\n"
        f"Jan 15 00:30:03 mx1 postfix/smtp[10]: 4AA091855D: to=<a@Far.example>, orig_to=<list>, {MX}{SENT}\n"
        "Jan 15 00:30:04 mx1 postfix/smtp[10]: 4AA091855D: to=<x@far.example>, relay=none, delay=1, delays=1/0/0/0, "
        "dsn=5.7.1, status=bounced (host mx.far.example[192.0.2.25] said: 554 5.7.1 Service unavailable; Client host "
        "[203.0.113.25] blocked using zen.spamhaus.org (in reply to RCPT TO command))\n"
        "Jan 15 00:30:05 mx1 postfix/bounce[11]: 4AA091855D: sender non-delivery notification: 5BB091855D\n"
    )
    submitted, delivered, bounced, returned = events_of([log])
    lines = log.splitlines()
    assert submitted == Submitted(
        at=datetime(2026, 1, 15, 0, 30, 2, tzinfo=UTC), host="mx1", queue_id="4AA091855D", account="rosa@isp.example",
        kind=AccountKind.LOGIN, client_address="198.51.100.7", sender="rosa@isp.example", recipients=1, size=900,
        message_id="1@isp.example", subject="cheap from here", line=lines[0],
    )  # fmt: skip
    assert delivered == Attempted(
        at=datetime(2026, 1, 15, 0, 30, 3, tzinfo=UTC), host="mx1", queue_id="4AA091855D", account="rosa@isp.example",
        kind=AccountKind.LOGIN, recipient="a@far.example", outcome=Outcome.DELIVERED,
        reply="250 2.0.0 Ok: queued as 5F00AA11BB", relay="mx.far.example[192.0.2.25]:25", status="2.0.0",
        original_recipient="list", sender="rosa@isp.example", line=lines[4],
    )  # fmt: skip
    assert isinstance(bounced, Attempted)
    assert (bounced.refusal_class, bounced.listing, bounced.listed, bounced.relay) == (
        RefusalClass.ADDRESS_BLOCKLISTED, "spamhaus-zen", "203.0.113.25", None,
    )  # fmt: skip
    assert returned == BounceReturned(
        at=datetime(2026, 1, 15, 0, 30, 5, tzinfo=UTC), host="mx1", queue_id="4AA091855D", account="rosa@isp.example",
        kind=AccountKind.LOGIN, notification_queue_id="5BB091855D", line=lines[6],
    )  # fmt: skip


def test_script_that_handed_in_a_message() -> None:
    log = (
        "Jan 15 00:30:01 mx1 postfix/pickup[7]: 4AA091855D: uid=33 from=<www-data>\n"
        "Jan 15 00:30:01 mx1 postfix/cleanup[8]: 4AA091855D: info: header X-PHP-Originating-Script: 33:mailer.php "
        "from local; from=<www-data@isp.example>\n"
        "Jan 15 00:30:02 mx1 postfix/qmgr[9]: 4AA091855D: from=<www-data@isp.example>, size=9, nrcpt=1 (queue active)\n"
    )
    (submitted,) = events_of([log])
    assert isinstance(submitted, Submitted)
    assert (submitted.kind, submitted.script) == (AccountKind.LOCAL, "33:mailer.php")


def test_lines_are_counted_by_whether_they_are_understood() -> None:
    log = PostfixLog(Stamps(NEWEST))
    log.feed(
        "Jan 15 00:30:01 mx1 postfix/smtpd[7]: connect from unknown[192.0.2.9]\n"
        "Jan 15 00:30:01 mx1 postfix/smtpd[7]: lost connection after CONNECT from unknown[192.0.2.9]\n"
        "Jan 15 00:30:01 mx1 postfix/smtpd[7]: the moon is made of cheese\n"
        "Jan 15 00:30:01 mx1 opendkim[7]: 4AA091855D: DKIM-Signature field added\n"
        "Xyz 45 99:99:99 mx1 postfix/smtp[10]: 4AA091855D: to=<a@far.example>, relay=none, delay=1, status=sent (ok)\n"
    )
    assert (log.lines_understood, log.lines_not_understood) == (2, 2)


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.7", "192.0.2"), ("2001:db8:1:2::7", "2001:db8:1"), ("2001:db8::7", "2001:db8"), ("::1", "")],
)
def test_network_of_a_client_address(address: str, network: str) -> None:
    assert network_of(address) == network


@given(st.text(alphabet="]: \n<>,=[]()ABCDEF0123456789tofrmcliensudhaqvpxg./@", max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_text_raises_nothing(text: str) -> None:
    hostile = "Jan 15 00:30:01 mx1 postfix/smtp[10]: 4AA091855D: " + text + "\n"
    events_of([hostile, text + "\n"])
    counts = PostfixCounts()
    counts.feed((hostile + text + "\n").encode())
    counts.finish()
