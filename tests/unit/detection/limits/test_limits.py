"""Limits: what is reached, by whom, when it is free again, and that no window ever has more."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outwarden.detection.limits import (
    Limits,
    LimitSettings,
    MalformedLimits,
    Most,
    Quantities,
    QuantitiesAndUnknown,
)
from outwarden.detection.limits.window import DAY, HOUR, MINUTE, SPANS, Counted, Span
from outwarden.events import AccountKind, Finding, Submitted

START = datetime(2026, 11, 25, 3, 0, tzinfo=UTC).timestamp()


def message(
    account: str = "rosa@isp.example",
    recipients: int = 1,
    *,
    kind: AccountKind = AccountKind.LOGIN,
    client: str | None = "192.0.2.1",
    script: str | None = None,
    sender: str = "",
) -> Submitted:
    return Submitted(
        at=datetime(2026, 11, 25, tzinfo=UTC),
        host="mx",
        queue_id="4Q1",
        account=account,
        kind=kind,
        client_address=client,
        sender=sender,
        recipients=recipients,
        script=script,
    )


def text(found: Finding | None) -> str | None:
    return None if found is None else found.text


def test_without_settings_there_is_no_limit_and_nothing_is_remembered() -> None:
    limits = Limits(LimitSettings())
    assert all(limits.reached(message(recipients=10**12), 10**12, START) is None for _ in range(9))
    limits.unknown("rosa@isp.example", START, 10**12)
    assert limits.saved() == Limits(LimitSettings()).saved()


def test_it_says_which_of_whom_how_much_and_until_when() -> None:
    limits = Limits(LimitSettings(account=QuantitiesAndUnknown(recipients=Most(minute=60, hour=500))))
    assert limits.reached(message(recipients=58), 0, START) is None
    found = limits.reached(message(recipients=5), 0, START + 31)
    assert found == Finding(
        rule="limit",
        points=0.0,
        text="recipients of rosa@isp.example: 58 in the last minute, this message has 5 more, and the limit is 60 per "
        "minute; free again at 2026-11-25 03:01:10 UTC",
        at=datetime(2026, 11, 25, tzinfo=UTC),
        evidence=("4Q1",),
    )


ACCOUNT = LimitSettings(account=QuantitiesAndUnknown(messages=Most(hour=1)))
CASES = [
    ("messages", ACCOUNT, message(), "messages of rosa@isp.example: 1 in the last hour, and the limit is 1 per hour"),
    (
        "a domain",
        LimitSettings(domain=QuantitiesAndUnknown(messages=Most(day=1))),
        message(),
        "messages of domain isp.example: 1 in the last day",
    ),
    (
        "the domain of the sender where the account has none",
        LimitSettings(domain=QuantitiesAndUnknown(messages=Most(day=1))),
        message("www-data", kind=AccountKind.LOCAL, sender="form@shop.example"),
        "messages of domain shop.example: 1",
    ),
    (
        "a script",
        LimitSettings(script=Quantities(messages=Most(minute=1))),
        message("www-data", kind=AccountKind.LOCAL, client=None, script="/srv/form.php"),
        "messages of script www-data /srv/form.php: 1",
    ),
    (
        "a local account whose script nobody knows",
        LimitSettings(script=Quantities(messages=Most(minute=1))),
        message("www-data", kind=AccountKind.LOCAL, client=None),
        "messages of script www-data: 1",
    ),
    (
        "a client",
        LimitSettings(client=Quantities(new_recipients=Most(hour=1))),
        message(),
        "new recipients of client 192.0.2.1: 1 in the last hour, this message has 1 more",
    ),
    (
        "more than may ever pass at once",
        LimitSettings(account=QuantitiesAndUnknown(recipients=Most(hour=3, day=100))),
        message(recipients=4),
        "recipients of rosa@isp.example: this message has 4, and the limit is 3 per hour: it can never pass whole",
    ),
    (
        "of several the one that is free last",
        LimitSettings(
            account=QuantitiesAndUnknown(messages=Most(minute=1, day=1)), client=Quantities(messages=Most(hour=1))
        ),
        message(),
        "messages of rosa@isp.example: 1 in the last day, and the limit is 1 per day; free again at 2026-11-26 04:00",
    ),
]


@pytest.mark.parametrize(("name", "table", "event", "expected"), CASES, ids=[case[0] for case in CASES])
def test_each_table(name: str, table: LimitSettings, event: Submitted, expected: str) -> None:
    limits = Limits(table)
    limits.reached(event, 1, START)
    assert (text(limits.reached(event, 1, START)) or "").startswith(expected)


def test_others_are_not_stopped() -> None:
    limits = Limits(ACCOUNT)
    assert limits.reached(message(), 0, START) is None
    assert limits.reached(message(), 0, START) is not None
    assert limits.reached(message("otto@isp.example"), 0, START) is None


def test_a_script_is_no_login_and_a_login_no_script() -> None:
    limits = Limits(LimitSettings(script=Quantities(messages=Most(hour=1))))
    for _ in range(3):
        assert limits.reached(message("www-data"), 0, START) is None


def test_what_is_stopped_is_not_counted_anywhere() -> None:
    limits = Limits(
        LimitSettings(account=QuantitiesAndUnknown(messages=Most(minute=1)), client=Quantities(recipients=Most(hour=3)))
    )
    assert limits.reached(message(), 0, START) is None
    before = limits.saved()
    for second in range(70):
        assert limits.reached(message(), 0, START + second) is not None
    assert limits.saved() == before
    assert limits.reached(message(), 0, START + 70) is None


def test_a_declared_bulk_sender_has_limits_of_its_own_and_uses_up_nobody_elses() -> None:
    limits = Limits(
        LimitSettings(
            account=QuantitiesAndUnknown(recipients=Most(hour=10)),
            domain=QuantitiesAndUnknown(recipients=Most(hour=10)),
            client=Quantities(recipients=Most(hour=10)),
            bulk=QuantitiesAndUnknown(recipients=Most(hour=1000)),
        ),
        bulk_accounts={"news@isp.example"},
    )
    news = message("news@isp.example", 900)
    assert limits.reached(news, 0, START) is None
    assert (text(limits.reached(news, 0, START)) or "").startswith("recipients of bulk sender news@isp.example: 900 in")
    assert limits.reached(message(recipients=10), 0, START) is None


def test_unknown_recipients_stop_what_comes_after_them() -> None:
    both = QuantitiesAndUnknown(unknown_recipients=Most(hour=3))
    limits = Limits(LimitSettings(account=both, domain=both))
    limits.unknown("rosa@isp.example", START, 2)
    assert limits.reached(message(), 0, START) is None
    limits.unknown("rosa@isp.example", START + 400, 1)
    assert text(limits.reached(message(), 0, START + 401)) == (
        "unknown recipients of rosa@isp.example: 3 in the last hour, and the limit is 3 per hour; "
        "free again at 2026-11-25 04:05:00 UTC"
    )
    assert limits.reached(message("otto@isp.example"), 0, START + 401) is not None
    assert limits.reached(message(), 0, START + 3900) is None


# -- clocks


def test_a_clock_set_back_frees_nothing_and_stops_nobody_for_ever() -> None:
    limits = Limits(ACCOUNT)
    assert limits.reached(message(), 0, START) is None
    assert limits.reached(message(), 0, START - 30 * 86_400) is not None
    assert limits.reached(message(), 0, START - 30 * 86_400 + 3900) is None


def test_one_stamp_of_the_far_future_stops_nobody_for_ever() -> None:
    limits = Limits(ACCOUNT)
    assert limits.reached(message(), 0, START + 70 * 365 * 86_400) is None
    assert limits.reached(message(), 0, START) is not None
    assert limits.reached(message(), 0, START + 3900) is None


def test_what_is_late_is_counted_where_it_belongs() -> None:
    limits = Limits(LimitSettings(account=QuantitiesAndUnknown(messages=Most(minute=2))))
    assert limits.reached(message(), 0, START) is None
    assert limits.reached(message(), 0, START - 20) is None
    assert limits.reached(message(), 0, START) is not None
    assert limits.reached(message(), 0, START + 50) is None


# -- memory


def test_the_least_recently_heard_of_are_forgotten() -> None:
    limits = Limits(ACCOUNT, most_subjects=3)
    for name in "abcad":
        limits.reached(message(name), 0, START)
    assert [name for name in "acd" if limits.reached(message(name), 0, START) is None] == []
    assert limits.reached(message("b"), 0, START) is None
    assert len(limits.saved()) < 300


@pytest.mark.parametrize(
    ("name", "account"), [("no character", "ro\udce4sa"), ("endless", "x" * 10_000), ("none", ""), ("nul", "\0")]
)
def test_accounts_of_any_name_can_be_counted_and_saved(name: str, account: str) -> None:
    limits = Limits(ACCOUNT)
    assert limits.reached(message(account), 0, START) is None
    again = Limits.restored(limits.saved(), ACCOUNT)
    assert again.reached(message(account), 0, START) is not None
    assert len(limits.saved()) < 1_000


def test_other_settings_keep_what_they_still_limit() -> None:
    before = LimitSettings(account=QuantitiesAndUnknown(messages=Most(hour=5), recipients=Most(day=7)))
    after = LimitSettings(account=QuantitiesAndUnknown(messages=Most(minute=1, hour=2)), client=Quantities())
    limits = Limits(before)
    for _ in range(2):
        limits.reached(message(), 0, START)
    changed = Limits.restored(limits.saved(), after)
    assert (text(changed.reached(message(), 0, START + 60)) or "").startswith(
        "messages of rosa@isp.example: 2 in the last hour"
    )


def saved_counts(*counted: list[int]) -> bytes:
    return b"\x01" + msgspec.msgpack.encode({"account": (["messages.hour"], {"rosa@isp.example": counted})})


def test_what_is_kept_is_restored() -> None:
    limits = Limits.restored(saved_counts([int(START) // 300, 1]), ACCOUNT)
    assert limits.reached(message(), 0, START) is not None


@pytest.mark.parametrize(
    ("name", "saved", "expected"),
    [
        ("nothing", b"", "no counts"),
        ("another version", b"\x02", "version 2"),
        ("no MessagePack", b"\x01\xc1", "cannot be read"),
        ("half a pair", saved_counts([1]), "cannot be"),
        ("an amount below 0", saved_counts([1, -1]), "cannot be"),
        ("steps out of order", saved_counts([2, 1, 1, 1]), "cannot be"),
        ("a step twice", saved_counts([2, 1, 2, 1]), "cannot be"),
        ("counts of no limit", saved_counts([2, 1], [2, 1]), "cannot be"),
    ],
)
def test_what_cannot_be_restored(name: str, saved: bytes, expected: str) -> None:
    with pytest.raises(MalformedLimits, match=expected):
        Limits.restored(saved, ACCOUNT)


# -- properties

EVERYTHING = QuantitiesAndUnknown(
    messages=Most(minute=3, hour=8, day=20),
    recipients=Most(minute=7, hour=30, day=50),
    new_recipients=Most(hour=9, day=20),
    unknown_recipients=Most(minute=2, hour=5),
)
BUSY = LimitSettings(
    account=EVERYTHING,
    domain=EVERYTHING,
    script=Quantities(messages=Most(minute=2)),
    client=Quantities(recipients=Most(hour=15)),
    bulk=QuantitiesAndUnknown(messages=Most(hour=4)),
)

steps = st.lists(
    st.tuples(
        st.floats(-100, 20_000),
        st.sampled_from(("rosa@isp.example", "otto@isp.example", "news@isp.example", "www-data")),
        st.integers(0, 12),
        st.integers(0, 3),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(
    span=st.sampled_from(SPANS),
    much=st.integers(1, 20),
    gaps=st.lists(st.tuples(st.floats(0, 1.2), st.integers(1, 22)), max_size=60),
)
def test_no_window_has_more_than_the_limit(span: Span, much: int, gaps: list[tuple[float, int]]) -> None:
    limits = Limits(LimitSettings(account=QuantitiesAndUnknown(recipients=Most(**{span.name: much}))))
    at = START
    passed: list[tuple[float, int]] = []
    for gap, amount in gaps:
        at += gap * span.seconds / 3
        if limits.reached(message(recipients=amount), 0, at) is None:
            passed.append((at, amount))
    for begin, _ in passed:
        assert sum(amount for moment, amount in passed if begin <= moment < begin + span.seconds) <= much


@settings(max_examples=200, deadline=None)
@given(
    span=st.sampled_from(SPANS),
    much=st.integers(1, 20),
    gaps=st.lists(st.tuples(st.floats(0, 1.2), st.integers(1, 22)), max_size=60),
)
def test_nobody_waits_longer_than_the_window_and_one_step(span: Span, much: int, gaps: list[tuple[float, int]]) -> None:
    """What is stopped would have been too much within the window and one step."""
    limits = Limits(LimitSettings(account=QuantitiesAndUnknown(recipients=Most(**{span.name: much}))))
    at = START
    passed: list[tuple[float, int]] = []
    for gap, amount in gaps:
        at += gap * span.seconds / 3
        if limits.reached(message(recipients=amount), 0, at) is None:
            passed.append((at, amount))
        else:
            longest = span.seconds + span.step_seconds
            assert amount + sum(one for moment, one in passed if moment > at - longest) > much


@settings(max_examples=200, deadline=None)
@given(
    span=st.sampled_from(SPANS),
    counts=st.lists(st.tuples(st.floats(0, 200_000), st.integers(1, 9)), min_size=1, max_size=30),
    room=st.integers(0, 40),
)
def test_it_is_free_when_it_says_so_and_not_a_second_before(
    span: Span, counts: list[tuple[float, int]], room: int
) -> None:
    counted: Counted = []
    now = START
    for moment, amount in sorted(counts):
        now = START + moment
        span.slide(counted, now)
        span.count(counted, now, amount)
    free_at = span.free_at(counted, room)
    assert free_at is not None
    if span.slide(list(counted), now) > room:
        assert span.slide(list(counted), free_at - 1) > room
    assert span.slide(list(counted), free_at) <= room


@settings(max_examples=150, deadline=None)
@given(steps=steps, most=st.integers(1, 4))
def test_saving_and_restoring_between_any_two_calls_changes_nothing(
    steps: list[tuple[float, str, int, int]], most: int
) -> None:
    def play(restart: bool) -> list[object]:
        limits = Limits(BUSY, ("news@isp.example",), most)
        heard: list[object] = []
        at = START
        for gap, account, recipients, unknown in steps:
            at += gap
            kind = AccountKind.LOGIN if "@" in account else AccountKind.LOCAL
            event = message(account, recipients, kind=kind, client=f"192.0.2.{recipients}", script=f"{unknown}.php")
            heard.append(limits.reached(event, recipients // 2, at))
            limits.unknown(account, at, unknown)
            if restart:
                limits = Limits.restored(limits.saved(), BUSY, ("news@isp.example",), most)
        return [*heard, limits.saved()]

    assert play(restart=True) == play(restart=False)


def test_the_windows_are_as_long_as_they_are_called() -> None:
    assert [span.seconds for span in (MINUTE, HOUR, DAY)] == [60, 3600, 86_400]
